"""Fixtures for every room: a smallest valid scenario, made from the declarations of the registries alone."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from zjsim.tables.registries import REGISTRIES
from zjsim.tables.schema import Column, Registry

SCENARIO_TOML = """[header]
title_zh = "小例"
title_en = "Toy"
date = 2025-01-01

[time]
as_of = 2024-12-31
horizon = 2027-12-31
"""

Row = dict[str, str]
WriteScenario = Callable[..., Path]


def example(pattern: str, number: int) -> str:
    """The ``number``-th of a series of different texts that match ``pattern`` (as far as it leaves a choice)."""
    text, _ = _spell(list(re._parser.parse(pattern.strip("^$"))), number)  # type: ignore[attr-defined]
    assert re.fullmatch(pattern, text), (pattern, text)
    return text


def _spell(nodes: list[Any], number: int) -> tuple[str, int]:
    parts: list[str] = []
    for kind, argument in reversed(nodes):
        name = str(kind)
        if name == "LITERAL":
            part = chr(argument)
        elif name == "IN":
            options = list(_options(argument))
            part, number = options[number % len(options)], number // len(options)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, _, inner = argument
            part = ""
            for _ in range(least):
                piece, number = _spell(list(inner), number)
                part = piece + part
        elif name == "SUBPATTERN":
            part, number = _spell(list(argument[-1]), number)
        elif name == "BRANCH":
            branches = argument[1]
            branch, number = branches[number % len(branches)], number // len(branches)
            part, number = _spell(list(branch), number)
        elif name in ("AT", "ASSERT", "ASSERT_NOT"):
            part = ""
        else:
            part = "a"
        parts.append(part)
    return "".join(reversed(parts)), number


def _options(items: list[Any]) -> Iterator[str]:
    for kind, argument in items:
        name = str(kind)
        if name == "LITERAL":
            yield chr(argument)
        elif name == "RANGE":
            yield from (chr(c) for c in range(argument[0], argument[1] + 1))
        elif name == "CATEGORY":
            yield from "0123456789" if "DIGIT" in str(argument) else "abc"
        else:
            yield "a"


@cache
def toy_rows(name: str) -> tuple[Row, ...]:
    """Valid rows of one registry: enough for every other registry to find what its references need."""
    registry = REGISTRIES[name]
    columns = {c.name: _cells(name, c.name) for c in registry.columns}
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    keys = [tuple(row[k] for k in registry.key) for row in rows]
    return tuple(row for i, row in enumerate(rows) if not registry.key or keys.index(keys[i]) == i)


@cache
def _cells(name: str, column: str) -> tuple[str, ...]:
    wanted = _wanted(name)
    count = max([2, *map(len, wanted.values())])
    declared = REGISTRIES[name].by_name[column]
    return tuple(_cell(REGISTRIES[name], declared, number, wanted.get(column, ())) for number in range(count))


@cache
def _wanted(name: str) -> dict[str, tuple[str, ...]]:
    """Values that columns of ``name`` must offer because narrower columns elsewhere refer to them."""
    wanted: dict[str, dict[str, None]] = {}
    for registry in REGISTRIES.values():
        for column in registry.columns:
            for target in column.ref.split("|") if column.ref and column.pattern else ():
                other, _, key = target.partition(".")
                if other == name and (own := REGISTRIES[name].by_name[key]) and not own.ref:
                    for number in range(2):
                        value = example(column.pattern, number)
                        if not own.pattern or re.fullmatch(own.pattern, value):
                            wanted.setdefault(key, {})[value] = None
    return {key: tuple(values) for key, values in wanted.items()}


def _cell(registry: Registry, column: Column, number: int, wanted: tuple[str, ...]) -> str:
    if column.ref:
        if not column.required and column.name not in registry.key:
            return ""
        other, _, key = column.ref.split("|")[0].partition(".")
        values = [value for value in _cells(other, key) if not column.pattern or re.fullmatch(column.pattern, value)]
        return values[number % len(values) if column.name in registry.key else 0]
    if number < len(wanted):
        return wanted[number]
    if column.pattern:
        return example(column.pattern, number)
    if column.kind in ("integer", "number"):
        least = column.minimum if column.minimum is not None else min(1, column.maximum or 1)
        most = column.maximum if column.maximum is not None else least + 1000
        value = least + number if column.name in registry.key and least + number <= most else least
        return str(int(value)) if float(value).is_integer() else repr(value)
    if column.kind == "choice":
        return column.choices[number % len(column.choices)] if column.name in registry.key else column.choices[0]
    if column.kind == "boolean":
        return "yes" if column.name == "is_default" else "no"
    if column.kind == "date":
        return "2025-01-01"
    return f"{column.name}_{number}" if column.name in registry.key or column.kind == "code" else f"文字{number}"


def consistent(name: str) -> tuple[Row, ...]:
    """The rows of one registry so that the rules of derived quantities hold as well: twelve months, dates in order."""
    rows = toy_rows(name)
    if name in ("monthly_indices", "training_calendar"):
        index = "value" if name == "monthly_indices" else "trainer_index"
        rows = tuple({**rows[0], "month": str(month), index: "1"} for month in range(1, 13))
    if name == "counties":
        rows = tuple({**row, "city_zh": "文字0", "city_en": "文字0"} for row in rows)
    if name == "programmes":
        rows = tuple({**row, "stock_date": "2024-12-31"} for row in rows)
    return rows


def csv_text(registry: Registry, rows: tuple[Row, ...] | list[Row]) -> str:
    """Rows as the text of a registry's CSV file."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, [c.name for c in registry.columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def write_toy(folder: Path, files: Mapping[str, str | bytes | None] | None = None) -> Path:
    """A smallest valid scenario in ``folder``; ``files`` replaces files by name (None leaves one out)."""
    registries = folder / "registries"
    registries.mkdir(parents=True)
    contents: dict[str, str | bytes | None] = {"scenario.toml": SCENARIO_TOML}
    referred = {t.split(".")[0] for r in REGISTRIES.values() for c in r.columns if c.ref for t in c.ref.split("|")}
    for name, registry in REGISTRIES.items():
        rows = () if registry.may_be_empty and name not in referred else consistent(name)
        contents[f"registries/{name}.csv"] = csv_text(registry, rows)
    contents |= files or {}
    for name, content in contents.items():
        if content is not None:
            (folder / name).write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return folder


@pytest.fixture
def write_scenario(tmp_path: Path) -> WriteScenario:
    """``write_scenario(files=…)`` → the folder of a smallest valid scenario with some files replaced."""

    def write(files: Mapping[str, str | bytes | None] | None = None, name: str = "toy") -> Path:
        return write_toy(tmp_path / name, files)

    return write


@pytest.fixture(scope="session")
def toy_table() -> Callable[[str], tuple[Row, ...]]:
    """``toy_table(registry)`` → the valid rows of a registry, as dictionaries of text cells."""
    return toy_rows
