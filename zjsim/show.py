"""What ``zjsim show`` prints: a scenario at a glance, or one of its registries."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.values import nearest
from zjsim.texts import Language, text

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario

SHOWN_ROWS = 20
"""Rows of a registry shown on a terminal; a file or a pipe gets the whole registry as CSV."""


def show_scenario(scenario: Scenario, lang: Language, as_json: bool) -> int:
    """Print header, parameters and registries with their rows and bases; returns the exit code 0."""
    values: dict[str, dict[str, Any]] = scenario.parameters.model_dump(mode="json")
    registries = {
        name: {"rows": len(table), "title_zh": REGISTRIES[name].zh, "title_en": REGISTRIES[name].en, **_bases(table)}
        for name, table in scenario.tables.items()
    }
    if as_json:
        said = {"name": scenario.name, "base": scenario.base, "parameters": values, "registries": registries}
        print(json.dumps(said, ensure_ascii=False, indent=1))
        return 0
    header = values.pop("header")
    print(f"{scenario.name}  {header[f'title_{lang}']}")
    if scenario.base:
        print(text("cli.show.base", lang, base=scenario.base))
    if description := header[f"description_{lang}"]:
        print(description)
    print()
    print(text("cli.show.parameters", lang))
    defaults = {name: info.default for name, info in type(scenario.parameters).model_fields.items()}
    for section, keys in values.items():
        usual = defaults[section].model_dump(mode="json")
        for key, value in keys.items():
            mark = "" if value == usual[key] else text("cli.show.changed", lang, default=_plain(usual[key]))
            print(f"  {section}.{key} = {_plain(value)}{mark}")
    print()
    print(text("cli.show.registries", lang))
    width = max(map(len, registries), default=0)
    for name, entry in registries.items():
        bases = ", ".join(f"{basis} {count}" for basis, count in entry.get("bases", {}).items())
        print(f"  {name:<{width}}  {entry['rows']:>7}  {entry[f'title_{lang}']}" + (f"  ({bases})" if bases else ""))
    return 0


def _bases(table: pd.DataFrame) -> dict[str, Any]:
    if "basis" not in table:
        return {}
    counts = table["basis"].value_counts()
    return {"bases": {str(basis): int(counts[basis]) for basis in sorted(counts.index)}}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def show_registry(scenario: Scenario, name: str, lang: Language, as_json: bool) -> int:
    """Print one registry: its first rows on a terminal, all as CSV elsewhere, or all as JSON; returns 0."""
    from zjsim.tables.writer import cells, csv_bytes

    if name not in scenario.tables:
        fix = nearest(name, list(scenario.tables))
        raise InputErrors([finding("show_registry", scenario.name, value=name, fix=fix, theme="scenario.rule")])
    table = scenario.tables[name]
    columns = {str(c): cells(table[c], guard=False) for c in table.columns}
    if as_json:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        lines = scenario.lines[name].tolist()
        said = {"registry": name, "rows": [{"line": n, **row} for n, row in zip(lines, rows, strict=True)]}
        print(json.dumps(said, ensure_ascii=False, indent=1))
    elif sys.stdout.isatty():
        _print_table(name, columns, len(table), lang)
    else:
        sys.stdout.write(csv_bytes(table).decode("utf-8"))
    return 0


def _print_table(name: str, columns: dict[str, list[str]], rows: int, lang: Language) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    registry = REGISTRIES[name]
    shown = Table(title=f"{name}  {registry.zh if lang == 'zh' else registry.en}")
    for column in columns:
        declared = registry.by_name[column]
        shown.add_column(Text(f"{column}\n{declared.zh if lang == 'zh' else declared.en}"))
    for row in list(zip(*columns.values(), strict=True))[:SHOWN_ROWS]:
        shown.add_row(*map(Text, row))
    console = Console()
    console.print(shown)
    if rows > SHOWN_ROWS:
        console.print(text("cli.show.more_rows", lang, count=rows - SHOWN_ROWS, name=name))
