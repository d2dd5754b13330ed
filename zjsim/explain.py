"""What ``zjsim show --explain`` and ``zjsim diff`` print: who set what, and what differs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.scenario.changes import SET_LEVEL, Change
from zjsim.scenario.diff import PARAMETERS, Difference, diff
from zjsim.texts import Language, catalogue, text

if TYPE_CHECKING:
    from zjsim.scenario import Scenario

SHOWN_CELLS = 3
"""Cells of one override row and column that are shown one by one; the others are counted."""
SHOWN_DIFFERENCES = 5
"""Differences of one registry and column shown one by one if there are many with the same reason."""


def explain_scenario(scenario: Scenario, lang: Language, as_json: bool) -> int:
    """Print the order of merging, what each level brings, and who set each changed value; returns 0."""
    if as_json:
        said = {
            "name": scenario.name,
            "order": [level.name for level in scenario.levels] + [SET_LEVEL],
            "levels": [_fields(level) for level in scenario.levels],
            "tables": {
                name: source.place for name, source in sorted(scenario.files.items()) if name in scenario.tables
            },
            "parameters": {path: _place(*place) for path, place in sorted(scenario.places.items()) if "." in path},
            "changes": [_fields(change) for change in scenario.changes],
        }
        print(json.dumps(said, ensure_ascii=False, indent=1))
        return 0
    print(text("cli.explain.order", lang, chain=" → ".join([*(v.name for v in scenario.levels), SET_LEVEL])))
    for number, level in enumerate(scenario.levels, 1):
        kind = text("cli.explain.builtin" if level.builtin else "cli.explain.own", lang, path=level.path)
        print(f"{number}. {level.name}{kind}")
        for name, values in (("tables", level.tables), ("overrides", level.overrides), ("passed", level.passed_over)):
            if values:
                print("   " + text(f"cli.explain.{name}", lang, count=len(values), names=", ".join(values)))
        for path in level.parameters:
            if not path.startswith("header."):
                print(f"   {path} = {_value(scenario, path)}  ({_place(*scenario.places.get(path, ('', None)))})")
    for path, (file, _) in sorted(scenario.places.items()):
        if file.startswith(SET_LEVEL):
            print(f"   {path} = {_value(scenario, path)}  ({file})")
    for line in switch_lines(scenario, lang):
        print("   " + line)
    print(text("cli.explain.changes", lang, count=len(scenario.changes)))
    for line in _change_lines(scenario.changes, lang):
        print("  " + line)
    return 0


def switch_lines(scenario: Scenario, lang: Language) -> Iterator[str]:
    """What each switch with a text of its own does, for those set by a scenario or a ``--set``."""
    for path in sorted(scenario.places):
        key = f"switch.{path}"
        if key in catalogue():
            yield f"{path}: " + text(key, lang, value=_value(scenario, path).strip('"'))


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def _place(file: str, line: int | None) -> str:
    return f"{file}:{line}" if line else file


def _value(scenario: Scenario, path: str) -> str:
    node: Any = scenario.parameters.model_dump(mode="json")
    for part in path.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    return json.dumps(node, ensure_ascii=False)


def _change_lines(changes: Sequence[Change], lang: Language) -> Iterator[str]:
    for (file, line, column, op, amount, reason), group in groupby(
        changes, key=lambda c: (c.file, c.line, c.column, c.op, c.amount, c.reason)
    ):
        cells = list(group)
        for c in cells[:SHOWN_CELLS]:
            where = f"{c.registry}[{','.join(c.key)}]" + (f".{column}" if column else "")
            what = f" {c.old or '∅'} → {c.new or '∅'}" if column else ""
            scaled = f" ×{amount}" if op == "scale" else ""
            why = f": {reason}" if reason else ""
            yield f"{where}{what}  [{op}{scaled}] {_place(file, line)}{why}"
        if len(cells) > SHOWN_CELLS:
            yield text("cli.explain.more", lang, count=len(cells) - SHOWN_CELLS)


def show_diff(first: Scenario, second: Scenario, xlsx: Path | None, lang: Language, as_json: bool) -> int:
    """Print what differs from ``first`` to ``second``, and write it as a workbook if ``xlsx`` is given; returns 0."""
    found = diff(first, second)
    if xlsx is not None:
        _write_diff(xlsx, found, first, second)
    if as_json:
        said = {"from": first.name, "to": second.name, "differences": [d.record() for d in found]}
        print(json.dumps(said, ensure_ascii=False, indent=1))
        return 0
    if not found:
        print(text("cli.diff.none", lang, first=first.name, second=second.name))
        return 0
    registries = len({d.registry for d in found} - {PARAMETERS})
    words = {"first": first.name, "second": second.name, "count": len(found), "registries": registries}
    print(text("cli.diff.found", lang, **words))
    for (registry, column, kind, reason), group in groupby(
        sorted(found, key=lambda d: (d.registry != PARAMETERS, d.registry, d.column, d.kind, d.reason)),
        key=lambda d: (d.registry, d.column, d.kind, d.reason),
    ):
        cells = list(group)
        shown = cells if len(cells) <= SHOWN_DIFFERENCES else cells[:SHOWN_CELLS]
        for d in shown:
            key = f"[{','.join(d.key)}]" if d.key else ""
            where = f"{registry}{key}.{column}" if registry != PARAMETERS else column
            why = f"  ({reason})" if reason else ""
            print(f"  {where}: {d.old or '∅'} → {d.new or '∅'}  {text(f'cli.diff.{kind}', lang)}{why}")
        if len(cells) > len(shown):
            print("  " + text("cli.explain.more", lang, count=len(cells) - len(shown)))
    return 0


def _write_diff(path: Path, found: Sequence[Difference], first: Scenario, second: Scenario) -> None:
    import io

    import xlsxwriter

    from zjsim.tables.registries import REGISTRIES
    from zjsim.tables.workbook_out import CREATED
    from zjsim.tables.writer import write_atomic

    stream = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    book = xlsxwriter.Workbook(stream, options)
    book.set_properties({"title": f"{first.name} → {second.name}", "created": CREATED, "author": "zjsim"})
    bold = book.add_format({"bold": True, "bg_color": "#D9E1F2"})
    sheet = book.add_worksheet("diff")
    columns = ("registry", "title", "key", "column", "column_title", "kind", "old", "new", "reason", "place")
    for i, name in enumerate(columns):
        sheet.write_string(0, i, text(f"cli.diff.column.{name}", "zh"), bold)
        sheet.write_string(1, i, name, bold)
        sheet.set_column(i, i, 40 if name in ("reason", "place") else 20)
    for row, d in enumerate(found, 2):
        registry = REGISTRIES.get(d.registry)
        column = registry.by_name.get(d.column) if registry else None
        record = {**d.record(), "title": registry.zh if registry else "", "column_title": column.zh if column else ""}
        for i, name in enumerate(columns):
            sheet.write_string(row, i, str(record[name]))
    sheet.freeze_panes(2, 0)
    sheet.autofilter(1, 0, max(len(found) + 1, 2), len(columns) - 1)
    book.close()
    write_atomic(path, stream.getvalue())
