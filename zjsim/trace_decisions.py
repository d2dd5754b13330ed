"""``zjsim trace`` of what was decided from runs: answers of seek, reports of track, rankings, back-tests and the like.

For a row: how its numbers were made, the method in the words of its module, what the folder says of seed and
replications, the registry rows that it names with source and basis, and where the run or the scenario says more.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.manifests import changed_inputs
from zjsim.tables.values import nearest
from zjsim.texts import Language, text
from zjsim.trace import (
    MOST_ROWS,
    Row,
    described,
    input_rows,
    manifest_of,
    matching_rows,
    print_input,
    read_rows,
    scenario_of,
    tables_folders,
)

if TYPE_CHECKING:
    from zjsim.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Made:
    """How the tables of a kind of folder are made: the modules whose text says so, and registries that rows name."""

    modules: tuple[str, ...]
    registries: tuple[str, ...]
    tables: tuple[str, ...]


KINDS = {
    "exploration": Made(
        ("decide/explore.py", "decide/sensitivity.py", "decide/discovery.py"),
        ("targets", "uncertainties", "levers"),
        ("explored_outcomes", "explored_points", "explored_levers", "robustness", "scenario_boxes", "sensitivity"),
    ),
    "ranking": Made(("decide/rank.py", "decide/selection.py"), ("targets",), ("ranking",)),
    "seek": Made(
        ("decide/seek.py", "decide/seek_search.py", "decide/seek_monotone.py", "decide/seek_answer.py"),
        ("targets", "levers"),
        (
            "seek_directions", "seek_draws", "seek_frontier", "seek_levers", "seek_pairs", "seek_proposal",
            "seek_targets", "seek_tests",
        ),
    ),
    "backtest": Made(
        ("decide/backtest.py", "decide/backtest_scores.py", "decide/backtest_truths.py"),
        ("targets",),
        ("backtest_advice", "backtest_outcomes", "backtest_reliability", "backtest_summary", "backtest_targets"),
    ),
    "allocation": Made(
        ("decide/allocate.py", "models/target_allocation.py", "models/target_capacities.py"),
        ("targets", "cities", "counties"),
        (
            "allocation_cities", "allocation_counties", "allocation_milestones", "allocation_repairs",
            "allocation_rules", "allocation_targets",
        ),
    ),
    "tracking": Made(
        (
            "decide/track.py", "decide/track_targets.py", "decide/track_areas.py", "decide/track_since.py",
            "models/tracking_paths.py", "models/tracking_signals.py", "models/tracking_estimates.py",
        ),
        ("targets", "milestones", "actuals", "tasks", "bodies", "process_parameters", "cities", "counties"),
        (
            "track_actuals", "track_areas", "track_bodies", "track_changes", "track_fan", "track_parameters",
            "track_path", "track_revisions", "track_targets", "track_tasks",
        ),
    ),
}  # fmt: skip
"""By ``kind`` of a manifest."""
_SAID = (
    "scenario", "plan", "plans", "plan_of", "as_of", "seed", "replications", "sample", "confirm", "points", "truths",
    "probability", "p_required", "delta", "confidence", "budget", "rule", "mix", "since_label", "verdict", "sets",
)  # fmt: skip
"""What of a manifest a reader of a number wants to know."""
_IN_RUN = (("target_feasibility", ("target_id", "reading")), ("yearly_outcomes", ("process", "outcome", "year")))
"""Tables of a run in which the same thing stands, and what identifies it."""


def show_decision(folder: Path, manifest: Mapping[str, Any], asked: tuple[str, str, str | None], **how: Any) -> int:
    """Print where a row (``asked``: table, key, scenario) comes from, ``how`` in ``lang`` or ``as_json``; returns 0."""
    table, key, scenario = asked
    row, count = row_of(folder, manifest, table, key)
    run = next(runs_of(folder, manifest, row), None)
    loaded, inputs = _scenario(folder, manifest, scenario, run)
    made = KINDS[str(manifest["kind"])]
    entries = [
        described(loaded, registry, i)
        for registry in made.registries
        for i in input_rows(loaded, registry, row)[:MOST_ROWS]
    ]
    said: dict[str, Any] = {
        "folder": str(manifest["run_id"]),
        "kind": manifest["kind"],
        "inputs_are": inputs,
        "rows_found": count,
        "row": row,
        "made": text(f"scenario.trace.made.{table}", how["lang"]),
        "methods": [{"place": m, "said": method_of(m)} for m in made.modules],
        "with": {k: manifest[k] for k in _SAID if manifest.get(k) not in (None, "", [], {})},
        "inputs": entries,
        "runs": [{"folder": str(p), "table": t, "key": k} for p in ([run] if run else []) for t, k in _places(p, row)],
    }
    if how["as_json"]:
        print(json.dumps(said, ensure_ascii=False, indent=1))
    else:
        _print(said, how["lang"])
    return 0


def row_of(folder: Path, manifest: Mapping[str, Any], table: str, key: str) -> tuple[Row, int]:
    """The first row of ``table`` that ``key`` means, and how many it means; raises ``InputErrors`` if none."""
    tables = {p.stem: p for at in reversed(tables_folders(folder)) for p in sorted(at.glob("*.csv"))}
    if table not in tables:
        raise _refuse("table", str(folder), table, nearest(table, list(tables)))
    if table not in KINDS[str(manifest["kind"])].tables:
        raise _refuse("lineage", str(folder), table)
    rows = read_rows(tables[table])
    found = matching_rows(rows, key)
    if not found:
        raise _refuse("row", table, key)
    return rows[found[0]], len(found)


def _refuse(rule: str, place: str, value: str, fix: str = "") -> InputErrors:
    return InputErrors([finding(rule, place, value=value, fix=fix, theme="scenario.trace.rule")])


def method_of(module: str) -> str:
    """The text at the top of a module of the package: the method in its own words."""
    room, name = module.split("/")
    source = files(f"zjsim.{room}").joinpath(name).read_text("utf-8")
    return " ".join((ast.get_docstring(ast.parse(source)) or "").split())


def runs_of(folder: Path, manifest: Mapping[str, Any], row: Row) -> Iterator[Path]:
    """Folders of the runs behind a row, if they lie where runs lie: the one that the row names, else all, in order.

    A folder names a run by its label, ``scenario (first digits of its name)``.
    """
    own = row.get("plan", "")
    named = [own] if own else [*manifest.get("plans", ()), manifest.get("plan", ""), manifest.get("plan_of", "")]
    for label in named:
        scenario, _, digits = str(label).rpartition(" (")
        for home in folder.resolve().parents[:4] if scenario else ():
            places = [home / scenario, home / "results" / scenario]
            hits = sorted(p for at in places for p in at.glob(f"{digits.rstrip(')')}*") if (p / "tables").is_dir())
            hits = [p for p in hits if "kind" not in manifest_of(p)]
            if hits:
                yield hits[0]
                break


def _scenario(
    folder: Path, manifest: Mapping[str, Any], scenario: str | None, run: Path | None
) -> tuple[Scenario, str]:
    """The scenario with its state (see :func:`zjsim.trace.scenario_of`): that of the run at hand, else loaded again."""
    if scenario is None and run is not None:
        return scenario_of(run, manifest_of(run), None)
    wanted = manifest["inputs"]
    if isinstance(wanted, list):  # of several plans: the first
        wanted = wanted[0]
    from zjsim.scenario import load

    loaded = load(scenario or str(manifest["scenario"]), sets=tuple(manifest.get("sets", ())))
    return loaded, "changed" if changed_inputs(wanted, loaded.file_hashes) else "same"


def _places(run: Path, row: Row) -> Iterator[tuple[str, str]]:
    """Tables of a run with a key where more is said of what a row is about."""
    for table, columns in _IN_RUN:
        file = run / "tables" / f"{table}.csv"
        key = ", ".join(f"{c}={row[c]}" for c in columns if row.get(c))
        if key and all(row.get(c) for c in columns[:2]) and file.is_file() and matching_rows(read_rows(file), key):
            yield table, key


def _print(said: Mapping[str, Any], lang: Language) -> None:
    if said["inputs_are"] != "same":
        print(text(f"scenario.trace.{said['inputs_are']}", lang))
    if said["rows_found"] > 1:
        print(text("scenario.trace.more_rows", lang, count=said["rows_found"]))
    print(", ".join(f"{k} = {v}" for k, v in said["row"].items() if v))
    print("\n" + text("scenario.trace.how", lang) + said["made"])
    print("  " + ", ".join(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in said["with"].items()))
    print("\n" + text("scenario.trace.methods", lang))
    for method in said["methods"]:
        print(f"  {method['place']}: {method['said']}")
    print("\n" + text("scenario.trace.inputs", lang))
    for entry in said["inputs"]:
        print_input(entry, lang)
    if not said["inputs"]:
        print("  " + text("scenario.trace.none_named", lang))
    for place in said["runs"]:
        print("\n" + text("scenario.trace.in_run", lang))
        print(f'    zjsim trace {place["folder"]} {place["table"]} "{place["key"]}"')
