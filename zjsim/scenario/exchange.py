"""Scenarios as Excel workbooks: out for those who keep the tables, and back in as a scenario folder."""

from __future__ import annotations

import json
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.scenario.folders import SCENARIO_FILE, find_folder
from zjsim.scenario.gather import REGISTRY_FOLDER, Gathered, gather, read_chain
from zjsim.scenario.parameters import Parameters
from zjsim.scenario.settings import Settings, leaves, merge
from zjsim.tables.errors import Finding, InputErrors, finding
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.sheets import SCENARIO_SHEET, read_workbook_file
from zjsim.tables.workbook import Sheet, column_letters
from zjsim.tables.writer import registry_bytes, write_atomic

if TYPE_CHECKING:
    from zjsim.scenario.loader import Scenario

_HEADER = "header."


def export_inputs(scenario: Scenario, path: Path, *, template: bool = False) -> None:
    """Write all registries and parameters of ``scenario`` to a workbook; a ``template`` has the sheets without rows."""
    from zjsim.tables.workbook_out import write_inputs

    values = parameter_values(scenario.parameters)
    defaults = parameter_values(Parameters(header=scenario.header))
    rows = [(path, toml_literal(value), _default(path, defaults)) for path, value in values.items()]
    tables = {} if template else scenario.tables
    header = scenario.header
    write_inputs(path, REGISTRIES, tables, rows, (header.title_zh, header.title_en))


def _default(path: str, defaults: Mapping[str, Any]) -> str:
    return "" if path.startswith(_HEADER) else toml_literal(defaults[path]) if path in defaults else ""


def parameter_values(parameters: Parameters) -> dict[str, Any]:
    """Every parameter by dotted path, in declared order, as plain values (dates as they are)."""
    return dict(leaves(parameters.model_dump()))


def toml_literal(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml_literal, value)) + "]"
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{json.dumps(k)} = {toml_literal(v)}" for k, v in value.items()) + " }" if value else "{}"
        )
    return repr(value) if isinstance(value, (int, float)) else str(value)


def scenario_toml(parameters: Parameters, extends: str = "") -> str:
    """A ``scenario.toml``: the header and every parameter that is not the default.

    With ``extends`` all parameters are written, since the parent may have changed some.
    """
    usual = {} if extends else parameter_values(Parameters(header=parameters.header))
    sections: dict[str, dict[str, Any]] = {}
    for path, value in parameter_values(parameters).items():
        section, _, key = path.partition(".")
        if section == "header" or usual.get(path) != value:
            sections.setdefault(section, {})[key] = value
    lines = [f"extends = {toml_literal(extends)}", ""] if extends else []
    for section, values in sections.items():
        lines.append(f"[{section}]")
        for key, value in values.items():
            name, dot, entry = key.partition(".")
            lines.append(f"{name}{dot}{json.dumps(entry) if entry else ''} = {toml_literal(value)}")
        lines.append("")
    return "\n".join(lines)


def read_inputs(path: Path, base: str | Path | None = None, sets: tuple[str, ...] = ()) -> Scenario:
    """The scenario in a workbook, checked as a whole; with ``base`` it needs only the sheets that differ from it.

    Raises ``InputErrors`` with sheet, row and column letters of every fault.
    """
    from zjsim.scenario.loader import assemble

    raws, sheet, found = read_workbook_file(path, REGISTRIES)
    gathered, parent = Gathered(), ""
    if base is not None:
        folder, _ = find_folder(base)
        chain, broken = read_chain(folder)
        gathered, parent = gather(chain, broken), folder.name
    elif raws or sheet is not None:
        missing = [n for n, r in REGISTRIES.items() if r.required and n not in raws]
        found += [finding("sheet_missing", path.name, value=name) for name in missing]
    gathered.findings = [*found, *gathered.findings]
    gathered.raws |= {n: raw for n, raw in raws.items() if len(raw) or (base is None and REGISTRIES[n].required)}
    gathered.changes = [c for c in gathered.changes if c.registry not in raws]
    settings, more = _settings(sheet, path.name) if sheet is not None else (Settings(), [])
    if sheet is None and base is None and not found:
        more = [finding("sheet_missing", path.name, value=SCENARIO_SHEET)]
    gathered.findings += more
    if sheet is not None:
        gathered.settings = merge(gathered.settings, settings)
    return assemble(path.stem, gathered, base=parent, sets=sets, label=path.name)


def _settings(sheet: Sheet, label: str) -> tuple[Settings, list[Finding]]:
    """The parameters on the sheet ``scenario``: columns path and value; faults are told at their row."""
    cells = {c: dict(zip(sheet.rows[c], sheet.texts[c], strict=True)) for c in sheet.rows}
    first = [(text, column) for column, rows in cells.items() for row, text in rows.items() if row == 1]
    header = dict(first)
    found: list[Finding] = []
    if [sum(text == name for text, _ in first) for name in ("path", "value")] != [1, 1]:
        return Settings(), [finding("settings_columns", label, theme="scenario.rule")]
    settings = Settings()
    letter = column_letters(header["value"])
    values, paths, usual = (cells[header[name]] if name in header else {} for name in ("value", "path", "default"))
    for row in sorted({*values, *paths} - {1}):
        path = paths.get(row, "")
        place = f"{label}[{SCENARIO_SHEET}]"

        def fault(rule: str, place: str = place, row: int = row, path: str = path) -> Finding:
            said = values.get(row, "")
            fix = "" if said else usual.get(row, "")
            return finding(
                rule, place, line=row, column=path, value=said, fix=fix, theme="scenario.rule", letter=letter
            )

        if row not in values or not path:
            found.append(fault("settings_value" if path else "settings_path"))
            continue
        try:
            value = tomllib.loads(f"x = {values[row]}")["x"] if "\n" not in values[row] else None
        except (tomllib.TOMLDecodeError, RecursionError):
            value = None
        if value is None:
            found.append(fault("settings_value"))
            continue
        node, clash = settings.values, False
        *above, last = path.split(".", 2)
        for part in above:
            node = node.setdefault(part, {})
            clash = clash or not isinstance(node, dict)
        if clash or last in node:
            found.append(fault("settings_twice"))
            continue
        node[last] = value
        settings.places[path] = (place, row)
    return settings, found


def import_inputs(path: Path, out: Path, *, base: str | None = None, force: bool = False) -> list[Path]:
    """Turn a workbook into the scenario folder ``out``; returns the files written. Nothing is written if it has faults.

    With ``base`` the folder extends it and holds only the tables that differ; a title left as that of the base gets the
    folder's name, so that reports tell the two apart. Raises ``InputErrors``.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not force:
        raise InputErrors([finding("import_exists", str(out), theme="scenario.rule")])
    scenario = read_inputs(path, base)
    parent = None
    if base is not None:
        from zjsim.scenario.loader import load

        parent = load(base)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
    try:
        (partial / REGISTRY_FOLDER).mkdir()
        parameters = scenario.parameters if parent is None else _retitled(scenario.parameters, parent, out.name)
        toml = scenario_toml(parameters, parent.name if parent else "")
        write_atomic(partial / SCENARIO_FILE, toml.encode("utf-8"))
        for name, table in scenario.tables.items():
            if parent is not None and table.equals(parent.tables[name]):
                continue
            if len(table) or REGISTRIES[name].required or parent is not None:
                write_atomic(partial / REGISTRY_FOLDER / f"{name}.csv", registry_bytes(table))
        partial.chmod(0o755)
        _publish(partial, out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return sorted(p for p in out.rglob("*") if p.is_file())


def _retitled(parameters: Parameters, parent: Scenario, name: str) -> Parameters:
    own, before = parameters.header, parent.parameters.header
    titles = {
        key: f"{getattr(own, key)} {name}"
        for key in ("title_zh", "title_en")
        if getattr(own, key) == getattr(before, key)
    }
    return parameters.model_copy(update={"header": own.model_copy(update=titles)})


def _publish(partial: Path, out: Path) -> None:
    if out.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".old", dir=out.parent))
        out.rename(old / "folder")
        partial.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    else:
        partial.rename(out)
