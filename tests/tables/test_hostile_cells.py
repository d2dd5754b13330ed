"""One hostile cell at a time in the real tables of the baseline: told at its line and column."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from importlib.resources import files

import pytest

from zjsim.scenario import Scenario, load
from zjsim.scenario.checks import check_scenario
from zjsim.tables.errors import Finding
from zjsim.tables.files import to_utf8
from zjsim.tables.parse import parse_csv
from zjsim.tables.raw import RawTable
from zjsim.tables.reader import check_tables
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.schema import Column

COLUMNS = 4
"""Columns of each registry that are tried, drawn anew for every seed."""
NAMES = [n for n in REGISTRIES if files("zjsim.scenarios").joinpath(f"baseline/registries/{n}.csv").is_file()]


def full_width(value: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value)


def hostile(column: Column, value: str) -> Iterator[str]:
    """Cells that look like ``value`` and are not it, or that no planner means."""
    if column.required:
        yield ""
    yield from ("  ", f"{value} ", f"\u00a0{value}", f"{value[:1]}\u200b{value[1:]}", "=A1", "#REF!", f"\u202e{value}")
    if column.kind in ("integer", "number") and not column.separator:
        yield from ("NaN", "-inf", "-0", "-0.0", "1,234,567", full_width(value), "1O", "l0", "2024-05-01", "١٢", "1E3")
        yield from ("9" * 400, "1e308", "5%", "3万", f"{-abs(float(value)) - 1e9:.0f}", f"'{value}", f"+{value}")
        yield from ("1/2", "1_0", "0x1F", "²", "TRUE", "12:30", f"{float(value):.3e}")
        return
    yield from (f"{value}\x07", f"\ufeff{value}", f"{value[:1]}\ufffd", "11010119900307888X")
    if column.kind != "text" or column.pattern:
        yield from (full_width(value), f"{value}.0", f"{value}\u00ad")
    if column.kind == "date":
        yield from ("2024-02-30", "2024/5/1", "45000", "99999-01-01", f"{value}T00:00:00")


def parsed(name: str, data: bytes) -> tuple[RawTable | None, list[Finding]]:
    text, found = to_utf8(data, f"{name}.csv")
    raw, more = parse_csv(text, name, f"{name}.csv")
    return raw, found + more


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load("baseline")


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    home = files("zjsim.scenarios").joinpath("baseline/registries")
    return {name: home.joinpath(f"{name}.csv").read_bytes() for name in NAMES}


@pytest.fixture(scope="module")
def good(contents: dict[str, bytes]) -> dict[str, RawTable]:
    return {name: raw for name, data in contents.items() if (raw := parsed(name, data)[0]) is not None}


@pytest.mark.parametrize("name", NAMES)
def test_hostile_cells_are_told(
    name: str, baseline: Scenario, contents: dict[str, bytes], good: dict[str, RawTable]
) -> None:
    draw = random.Random(f"hostile {name}")
    registry = REGISTRIES[name]
    rows = list(csv.reader(io.StringIO(contents[name].decode("utf-8"), newline="")))
    near = {t.split(".")[0] for c in registry.columns if c.ref for t in c.ref.split("|")} - {name}
    for place in draw.sample(range(len(registry.columns)), min(COLUMNS, len(registry.columns))):
        column = registry.columns[place]
        filled = [i for i in range(1, len(rows)) if rows[i][place]]
        if not filled:
            continue
        row = draw.choice(filled)
        value = rows[row][place]
        wrong = draw.choice([w for w in hostile(column, value) if w != value])
        stream = io.StringIO(newline="")
        changed = [r if i != row else [*r[:place], wrong, *r[place + 1 :]] for i, r in enumerate(rows)]
        csv.writer(stream, lineterminator="\n").writerows(changed)
        raw, found = parsed(name, stream.getvalue().encode())
        assert raw is not None
        read = check_tables({**{n: good[n] for n in near if n in good}, name: raw}, REGISTRIES)
        found += read.findings
        if name in read.tables:
            tables, lines = {**baseline.tables, name: read.tables[name]}, {**baseline.lines, name: read.lines[name]}
            found += check_scenario(tables, lines, {n: f"{n}.csv" for n in tables}, baseline.parameters)
        line = 1 + sum(1 + sum(cell.count("\n") for cell in r) for r in rows[:row])
        said = [f for f in found if f.file == f"{name}.csv" and line in (f.line, *f.also) and column.name in f.column]
        assert said, (column.name, wrong, [(f.rule, f.line, f.column) for f in found])
        assert all(f.sentence("zh") and f.sentence("en") for f in said)
