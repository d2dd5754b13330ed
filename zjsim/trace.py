"""``zjsim trace``: from a row of results to rules, inputs, sources and bases - and from an input to the results.

The scenario of the run is loaded again; if a file has changed since, the inputs that the run keeps are taken. Rows
belong together where the columns that identify them (keys and references of the registry) have the same values in both
tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.lineage import BY_PROCESS, BY_REGISTRY, BY_TARGET, PROCESSES, THEMES, Theme, is_known, rules_of, theme_of
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.manifests import changed_inputs, read_manifest
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.values import nearest
from zjsim.tables.writer import exact_cells
from zjsim.texts import Language, text

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario

MOST_ROWS = 40
"""Input rows of one registry that are listed."""
DECISIONS = ("exploration", "ranking", "seek", "backtest", "allocation", "tracking")
"""Kinds of folders that :mod:`zjsim.trace_decisions` knows."""
Row = dict[str, str]


def _refuse(rule: str, place: str, value: str = "", fix: str = "") -> InputErrors:
    return InputErrors([finding(rule, place, value=value, fix=fix, theme="scenario.trace.rule")])


def tables_folders(folder: Path) -> tuple[Path, Path]:
    """Where a run keeps its tables: those it publishes, then those inside that have no published form.

    A placement has the latter only.
    """
    return folder / "tables", folder / "internal"


def table_file(folder: Path, name: str) -> Path | None:
    """The file of a table of a run: the published one if there is one; None if the run has no such table."""
    return next((p for at in tables_folders(folder) if (p := at / f"{name}.csv").is_file()), None)


def read_table(folder: Path, name: str) -> list[Row]:
    """The rows of a table of a run as text; raises ``InputErrors`` with the nearest name if there is none."""
    # A placement keeps tables by group of children in a folder for each county, a run its event log in one of its own.
    of_counties = sorted((*folder.glob("counties/*/*.csv"), *folder.glob("events/*.csv")))
    own = [p for at in tables_folders(folder) for p in at.glob("*.csv")]
    known = sorted({p.stem for p in (*own, *of_counties)})
    if name not in known:
        raise _refuse("table", str(folder), name, nearest(name, [*known, *REGISTRIES]))
    if not is_known(name):
        raise _refuse("lineage", str(folder), name)
    whole = table_file(folder, name)
    files = [whole] if whole else [p for p in of_counties if p.stem == name]
    return [row for file in files for row in read_rows(file)]


def read_rows(file: Path) -> list[Row]:
    """The rows of a table as text."""
    import pandas as pd

    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    return [{str(k): str(v) for k, v in row.items()} for row in table.to_dict("records")]


def matching_rows(rows: Sequence[Row], key: str) -> list[int]:
    """Numbers of the rows that a key means: each part is ``column=value``, or a value that some column has."""

    def has(row: Row, part: str) -> bool:
        column, equals, value = part.partition("=")
        return row.get(column) == value if equals and column in row else part in row.values()

    # A value can hold commas itself: then parts begin only at the name of a column, or the key is one value.
    columns = "|".join(re.escape(c) for c in (rows[0] if rows else ()))
    for pattern in (",", rf",\s*(?=(?:{columns})=)", r"$"):
        parts = [p.strip() for p in re.split(pattern, key) if p.strip()]
        found = [i for i, row in enumerate(rows) if parts and all(has(row, part) for part in parts)]
        if found:
            return found
    return []


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of a folder of results; raises ``InputErrors`` if there is none or it cannot be read."""
    try:
        found = read_manifest(folder)
    except (OSError, ValueError) as error:
        raise _refuse("run", str(folder)) from error
    if not isinstance(found, dict):
        raise _refuse("run", str(folder))
    return found


def scenario_of(folder: Path, manifest: Mapping[str, Any], scenario: str | None) -> tuple[Scenario, str]:
    """The scenario of a run, and how its inputs stand: ``same``, ``kept`` (read from the run's folder) or ``changed``.

    The files of the scenario may have changed or gone since: then those that the run keeps are its inputs.
    """
    from zjsim.archive import ArchiveError, archived_scenario
    from zjsim.scenario import load

    loaded, trouble = None, None
    try:
        loaded = load(scenario or manifest["scenario"], sets=tuple(manifest["sets"]))
        if not changed_inputs(manifest["inputs"], loaded.file_hashes):
            return loaded, "same"
    except InputErrors as error:
        trouble = error
    if scenario is None:
        try:
            return archived_scenario(folder, manifest), "kept"
        except ArchiveError:
            pass  # an older run, or a placement, keeps none
    if loaded is None:
        assert trouble is not None
        raise trouble
    return loaded, "changed"


def _identifying(registry: str) -> list[str]:
    declared = REGISTRIES[registry]
    return [c.name for c in declared.columns if c.name in declared.key or (c.ref and c.name != "source_id")]


def input_rows(scenario: Scenario, registry: str, row: Row) -> list[int]:
    """Rows of a registry that share every identifying column with a row of results (none if they share no column)."""
    import numpy as np

    table = scenario.tables[registry]
    shared = [c for c in _identifying(registry) if row.get(c) and not REGISTRIES[registry].by_name[c].separator]
    if not shared or not set(shared) & set(REGISTRIES[registry].key):
        return []
    mask = np.ones(len(table), dtype=bool)
    for name in shared:
        mask &= np.array(exact_cells(table[name]), dtype=object) == row[name]
    return [int(i) for i in np.flatnonzero(mask)]


def described(scenario: Scenario, registry: str, row: int) -> dict[str, Any]:
    """An input row: key, values, file and line, cells set elsewhere and why, source and basis."""
    table, declared = scenario.tables[registry], REGISTRIES[registry]
    cells: Row = {str(c): exact_cells(table[c].iloc[[row]])[0] for c in table.columns}
    key = tuple(cells[k] for k in declared.key)
    file, line = scenario.files[registry].place if registry in scenario.files else "", scenario.lines[registry][row]
    reasons = {c.column: c for c in scenario.changes if c.registry == registry and c.key == key}
    elsewhere = {}
    for name in cells:
        if (row, name) in scenario.origins.get(registry, {}):
            where, at = scenario.origins[registry][row, name]
            change = reasons.get(name) or reasons.get("")
            elsewhere[name] = {"place": f"{where}:{at}" if at else where, "reason": change.reason if change else ""}
    return {
        "registry": registry,
        "key": ", ".join(key),
        "place": f"{file}:{int(line)}",
        "values": {k: v for k, v in cells.items() if v and k not in (*declared.key, "source_id", "basis")},
        "set_elsewhere": elsewhere,
        "source": _source(scenario.tables["sources"], cells.get("source_id", "")),
        "basis": cells.get("basis", ""),
    }


def _source(sources: pd.DataFrame, source_id: str) -> dict[str, str]:
    found = sources[sources["source_id"] == source_id]
    record = found.iloc[0].to_dict() if len(found) else {}
    return {"source_id": source_id, **{k: str(record.get(k, "")) for k in ("title_zh", "title_en", "url")}}


def _processes(folder: Path, scenario: Scenario, table: str, row: Row) -> list[Theme]:
    """The simulated processes that a row of the simulation follows from."""
    if row.get("process") in PROCESSES:
        return [PROCESSES[row["process"]]]
    targets = scenario.tables["targets"]
    chosen = targets[(targets["target_id"] == row.get("target_id")) & (targets["reading"] == row.get("reading"))]
    outcomes = set(chosen["outcome"]) - {""}
    names = {r["process"] for r in read_table(folder, "yearly_outcomes") if r.get("outcome") in outcomes}
    return [theme for name, theme in PROCESSES.items() if name in names]


def trace_result(folder: Path, scenario: Scenario, table: str, row: Row) -> dict[str, Any]:
    """What a row of results follows from: rules, parameters, input rows."""
    if table in BY_REGISTRY:
        return {"row": row, "rules": [], "inputs": [], "read_as_a_whole": [row["registry"]], "parameters": []}
    theme = theme_of(table)
    themes = [theme] if theme else _processes(folder, scenario, table, row)
    measures = set(row.get("measures", "").split(";")) - {""}
    rules = [r for t in themes for r in rules_of(t)]
    rules.sort(key=lambda r: not measures & set(r.measures))
    inputs: list[dict[str, Any]] = []
    as_a_whole: list[str] = []
    for registry in dict.fromkeys(name for t in themes for name in t.registries):
        rows = input_rows(scenario, registry, row)
        inputs += [described(scenario, registry, i) for i in rows[:MOST_ROWS]]
        if not rows and len(scenario.tables[registry]):
            as_a_whole.append(registry)
    if table in BY_TARGET:
        inputs[:0] = [described(scenario, "targets", i) for i in input_rows(scenario, "targets", row)]
    if table in (*BY_TARGET, *BY_PROCESS):
        inputs += list(_uncertain(folder, scenario, table, row, [t.name for t in themes]))
    values = scenario.parameters.model_dump(mode="json")
    parameters = [
        {"path": f"{s}.{k}", "value": v, "place": _parameter_place(scenario, f"{s}.{k}")}
        for s in dict.fromkeys(p for t in themes for p in t.parameters)
        for k, v in values.get(s, {}).items()
    ]
    return {
        "row": row,
        "rules": [{"function": r.function, "place": r.place, "said": r.said, "measures": r.measures} for r in rules],
        "inputs": inputs,
        "read_as_a_whole": as_a_whole,
        "parameters": parameters,
    }


def _parameter_place(scenario: Scenario, path: str) -> str:
    file, line = scenario.places.get(path, ("", None))
    return f"{file}:{line}" if line else file


def _uncertain(
    folder: Path, scenario: Scenario, table: str, row: Row, processes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """The uncertain inputs behind a row: its own, or those that decide its target first, then the process's others."""
    from zjsim.scenario.paths import resolve

    uncertain = scenario.tables["uncertainties"]
    chosen = uncertain[uncertain["process"].isin(processes)]
    if row.get("input_id"):
        chosen = chosen[chosen["input_id"] == row["input_id"]]
    deciding: list[str] = []
    if table == "target_feasibility":
        same = ("target_id", "reading")
        deciding = [r["input_id"] for r in read_table(folder, "deciding_inputs") if all(r[k] == row[k] for k in same)]
    records = sorted(
        zip(chosen["input_id"], chosen["path"], strict=True),
        key=lambda r: deciding.index(r[0]) if r[0] in deciding else len(deciding),
    )
    for _, path in records:
        target = resolve(str(path), scenario.tables)
        if not isinstance(target, str) and target.rows is not None:
            yield from (described(scenario, target.registry, int(i)) for i in target.rows[:1])


def trace_input(folder: Path, scenario: Scenario, registry: str, number: int) -> dict[str, Any]:
    """Which tables of a run use an input row: how many of their rows, and the first of them."""
    cells = {str(c): exact_cells(scenario.tables[registry][c].iloc[[number]])[0] for c in scenario.tables[registry]}
    uses: list[dict[str, Any]] = []
    tables = sorted({p.stem for at in tables_folders(folder) for p in at.glob("*.csv")})
    for table in tables:
        theme = theme_of(table)
        if theme is not None and registry in (*theme.registries, "sources"):
            rows = read_table(folder, table)
            shared = [c for c in _identifying(registry) if rows and c in rows[0]]
            same = [r for r in rows if all(r[c] == cells[c] for c in shared)] if shared else rows
            uses.append({"table": table, "rows": len(same), "shared": shared, "first": same[0] if same else {}})
        elif table in BY_REGISTRY:
            rows = [r for r in read_table(folder, table) if r["registry"] == registry]
            if rows:
                uses.append({"table": table, "rows": len(rows), "shared": ["registry"], "first": rows[0]})
    names = _processes_of(scenario, registry, cells)
    uses += _uses_of_simulation(folder, scenario, tables, registry, cells, names)
    of_run = {theme.name for table in tables if (theme := theme_of(table))}
    themes = [t for t in THEMES if registry in t.registries and t.name in of_run] + [PROCESSES[name] for name in names]
    rules = [r for t in themes for r in rules_of(t)]
    functions = list(dict.fromkeys(f"{r.function} ({r.place})" for r in rules))
    return {"input": described(scenario, registry, number), "used_by": uses, "rules": functions}


def _paths_to(scenario: Scenario, registry: str, cells: Row) -> pd.DataFrame:
    """The rows of the registry of uncertainties whose path names an input row."""
    paths = scenario.tables["uncertainties"]
    key = ",".join(cells[k] for k in REGISTRIES[registry].key)
    return paths[paths["path"].str.startswith(f"{registry}[{key}].")]


def _processes_of(scenario: Scenario, registry: str, cells: Row) -> list[str]:
    """The processes that use an input row: those that list it as uncertain, else all that read its registry."""
    listed = set(_paths_to(scenario, registry, cells)["process"])
    return [n for n, theme in PROCESSES.items() if n in listed or (not listed and registry in theme.registries)]


def _uses_of_simulation(
    folder: Path, scenario: Scenario, tables: Sequence[str], registry: str, cells: Row, processes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """The tables of the simulation that a row goes into: by its processes, its input or its target."""
    targets = scenario.tables["targets"]
    outcomes: set[str] = set()
    for process in processes if "yearly_outcomes" in tables else ():
        rows = [r for r in read_table(folder, "yearly_outcomes") if r.get("process") == process]
        if rows:
            own = sorted({r["outcome"] for r in rows})
            outcomes |= set(own)
            yield {"table": "yearly_outcomes", "process": process, "rows": len(rows), "outcomes": own}
    judged = targets[targets["outcome"].isin(outcomes)]
    if registry == "targets":
        judged = targets[(targets["target_id"] == cells["target_id"]) & (targets["reading"] == cells["reading"])]
    keys = set(zip(judged["target_id"], judged["reading"], strict=True))
    inputs = set(_paths_to(scenario, registry, cells)["input_id"])
    for table in tables:
        if table == "yearly_outcomes" or table not in (*BY_TARGET, *BY_PROCESS):
            continue
        rows = read_table(folder, table)
        if table in BY_TARGET:
            same = [r for r in rows if (r["target_id"], r["reading"]) in keys]
        else:
            same = [r for r in rows if r.get("process") in processes]
        if rows and "input_id" in rows[0] and inputs:
            same = [r for r in same if r["input_id"] in (*inputs, "")]
        if same:
            yield {"table": table, "rows": len(same), "shared": [], "first": same[0]}


def show_trace(folder: Path, table: str, key: str, scenario: str | None, lang: Language, as_json: bool) -> int:
    """Print the trace of the rows of ``table`` that ``key`` means, the first one in full; returns 0."""
    manifest = manifest_of(folder)
    if manifest.get("kind") == "comparison":
        from zjsim.trace_comparison import show_comparison

        return show_comparison(folder, manifest, table, key, lang, as_json)
    if str(manifest.get("kind")) in DECISIONS:
        from zjsim.trace_decisions import show_decision

        return show_decision(folder, manifest, (table, key, scenario), lang=lang, as_json=as_json)
    if manifest.get("kind", "hedge") != "hedge":
        raise _refuse("of_runs", str(folder))
    loaded, inputs = scenario_of(folder, manifest, scenario)
    # Tables outside the usual folder (of counties, the event log) have names that no registry has.
    is_result = table not in REGISTRIES or table_file(folder, table) is not None
    if is_result:
        rows = read_table(folder, table)
    else:
        columns = {str(c): exact_cells(loaded.tables[table][c]) for c in loaded.tables[table].columns}
        rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    found = matching_rows(rows, key)
    if not found:
        raise _refuse("row", table, key)
    said: dict[str, Any] = {
        "run": str(manifest["run_id"]),
        "inputs_unchanged": inputs == "same",
        "inputs_are": inputs,
        "rows_found": len(found),
    }
    if is_result:
        said |= trace_result(folder, loaded, table, rows[found[0]])
    else:
        said |= trace_input(folder, loaded, table, found[0])
    if as_json:
        print(json.dumps(said, ensure_ascii=False, indent=1))
    else:
        _print(said, lang)
    return 0


def _print(said: dict[str, Any], lang: Language) -> None:
    if said["inputs_are"] != "same":
        print(text(f"scenario.trace.{said['inputs_are']}", lang))
    if said["rows_found"] > 1:
        print(text("scenario.trace.more_rows", lang, count=said["rows_found"]))
    if "row" in said:
        print(", ".join(f"{k} = {v}" for k, v in said["row"].items() if v))
        print("\n" + text("scenario.trace.rules", lang))
        for r in said["rules"]:
            print(f"  {r['function']} ({r['place']}; {', '.join(r['measures'])}): {r['said']}")
        print("\n" + text("scenario.trace.inputs", lang))
        for entry in said["inputs"]:
            print_input(entry, lang)
        print("\n" + text("scenario.trace.whole", lang, names=", ".join(said["read_as_a_whole"]) or "-"))
        print("\n" + text("scenario.trace.parameters", lang))
        for p in said["parameters"]:
            print(f"  {p['path']} = {json.dumps(p['value'], ensure_ascii=False)}  {p['place']}")
        return
    print_input(said["input"], lang)
    print("\n" + text("scenario.trace.uses", lang))
    if not said["used_by"]:
        print("  " + text("scenario.trace.no_use", lang))
    for use in said["used_by"]:
        detail = f" [{use['process']}: {', '.join(use['outcomes'])}]" if "process" in use else ""
        print("  " + text("scenario.trace.use", lang, table=use["table"], rows=use["rows"]) + detail)
    for rule in said["rules"]:
        print(f"  {rule}")


def print_input(entry: dict[str, Any], lang: Language) -> None:
    """Print an input row as :func:`described` gives it."""
    source = entry["source"]
    title = source["title_zh" if lang == "zh" else "title_en"]
    print(f"  {entry['registry']}[{entry['key']}]  {entry['place']}  {entry['basis']}  {title} ({source['source_id']})")
    print("    " + ", ".join(f"{k} = {v}" for k, v in list(entry["values"].items())[:12]))
    for name, where in entry["set_elsewhere"].items():
        print(f"    {name}: {where['place']} {where['reason']}")
