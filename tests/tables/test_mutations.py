"""Any single fault put into a valid table is told at its file, line and column, whatever the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zjsim.tables.errors import Finding
from zjsim.tables.files import to_utf8
from zjsim.tables.parse import parse_csv
from zjsim.tables.raw import RawTable
from zjsim.tables.reader import check_tables
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.schema import Column, Registry
from zjsim.tables.values import compiled

ToyTable = Callable[[str], tuple[dict[str, str], ...]]


def csv_line(cells: list[str]) -> str:
    quoted = ('"' + c.replace('"', '""') + '"' if any(s in c for s in ',"\n\r') else c for c in cells)
    return ",".join(quoted)


def content(name: str, rows: list[dict[str, str]]) -> str:
    header = [c.name for c in REGISTRIES[name].columns]
    return "".join(line + "\n" for line in [",".join(header), *(csv_line([r[c] for c in header]) for r in rows)])


def parse(name: str, data: bytes) -> tuple[RawTable | None, list[Finding]]:
    text, found = to_utf8(data, f"{name}.csv")
    table, more = parse_csv(text, name, f"{name}.csv")
    return table, found + more


@cache
def good(name: str, toy_table: ToyTable) -> RawTable:
    table, found = parse(name, content(name, list(toy_table(name))).encode())
    assert table is not None
    assert not found
    return table


def check(name: str, data: bytes, toy_table: ToyTable) -> list[Finding]:
    near = {t.split(".")[0] for c in REGISTRIES[name].columns if c.ref for t in c.ref.split("|")} - {name}
    raws = {other: good(other, toy_table) for other in sorted(near)}
    table, found = parse(name, data)
    if table is not None:
        raws[name] = table
    return found + check_tables(raws, REGISTRIES).findings


def wrong_values(column: Column, value: str) -> Iterator[str]:
    """Cells that are wrong in ``column`` for certain."""
    yield from ("=1+1", "#REF!", f" {value or 'x'}", f"{value}\x07", f"{value}\u200b", f"{value}\ufffd")
    yield "110101201501011234"
    if column.required:
        yield ""
    if column.kind in ("integer", "number"):
        yield from ("abc", "1,2OO", "１２", "1 200", "x%", "1.2.3", "N/A", "nan", "inf", "1e999", "0x10", "一百", "--1")
        yield from ("1_000", "+5", "007", "5.", "2024/1/5")
        if column.minimum is not None:
            yield str(int(column.minimum) - 1)
        if column.maximum is not None:
            yield str(int(column.maximum) + 1)
    if column.kind == "integer":
        yield from ("1.5", f"{value or 1}.0")
    if column.kind == "boolean":
        yield from ("是", "TRUE", "1", "Yes", "yes/no")
    if column.kind == "date":
        yield from ("2024/12/31", "2024-02-30", "20241231", "45291", "2024年5月1日", "24-1-1")
    if column.kind == "choice":
        yield from ("zzz", f"{column.choices[0]}x", column.choices[0].upper() + "1")
    matches = compiled(column.pattern)
    if matches is not None or column.ref:
        for candidate in (f"{value}.0", "??", "2024/1/5", "330 102", f"０{value}"):
            if column.ref or (matches is not None and not matches(candidate)):
                yield candidate
    if column.separator and value:
        yield from (value + column.separator + value, value + column.separator, f"{value}，{value}x")


@pytest.mark.parametrize("name", sorted(REGISTRIES))
def test_every_kind_of_fault_in_every_column(name: str, toy_table: ToyTable) -> None:
    rows = list(toy_table(name))
    for column in REGISTRIES[name].columns:
        wrong = list(dict.fromkeys(wrong_values(column, rows[-1][column.name])))
        changed = [*rows, *({**rows[-1], column.name: value} for value in wrong)]
        found = check(name, content(name, changed).encode(), toy_table)
        told = {
            line
            for f in found
            if f.severity == "error"
            and f.file == f"{name}.csv"
            and f.column == column.name
            and f.rule != "duplicate_key"
            for line in (f.line, *f.also)
        }
        missed = [value for line, value in enumerate(wrong, len(rows) + 2) if line not in told]
        assert not missed, (column.name, missed)
        assert told <= set(range(len(rows) + 2, len(changed) + 2)), (column.name, told)


@pytest.mark.parametrize("name", sorted(REGISTRIES))
def test_every_fault_of_the_header(name: str, toy_table: ToyTable) -> None:
    registry: Registry = REGISTRIES[name]
    lines = content(name, list(toy_table(name))).splitlines()
    header = lines[0].split(",")
    for i, column in enumerate(registry.columns):
        for wrong in (f"{column.name}x", column.zh, column.name.upper(), header[i - 1]):
            if wrong == column.name:
                continue
            changed = ",".join([*header[:i], csv_line([wrong]), *header[i + 1 :]])
            found = check(name, "\n".join([changed, *lines[1:]]).encode(), toy_table)
            assert any(f.line == 1 and wrong in f.column for f in found if f.severity == "error"), (wrong, found)


@pytest.mark.parametrize("name", sorted(REGISTRIES))
def test_a_repeated_row_a_row_cut_short_and_a_row_in_another_encoding(name: str, toy_table: ToyTable) -> None:
    text = content(name, list(toy_table(name)))
    lines = text.splitlines()
    last = len(lines)
    found = check(name, f"{text}{lines[-1]}\n".encode(), toy_table)
    assert [(f.rule, f.line) for f in found if f.severity == "error"] == [("duplicate_key", last + 1)]
    found = check(name, "\n".join([*lines[:-1], lines[-1].rpartition(",")[0]]).encode(), toy_table)
    assert [(f.rule, f.line) for f in found if f.severity == "error"] == [("too_few_cells", last)]
    found = check(name, text.encode("gb18030"), toy_table)
    assert {f.rule for f in found} <= {"gb18030"}
    found = check(name, text.replace("\n", "\r\n").encode("utf-8-sig"), toy_table)
    assert not found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_text_at_all_in_a_cell_is_either_right_or_told(data: st.DataObject, toy_table: ToyTable) -> None:
    name = data.draw(st.sampled_from(sorted(REGISTRIES)))
    registry = REGISTRIES[name]
    column = data.draw(st.sampled_from(registry.columns))
    characters = st.one_of(st.sampled_from("0123456789.,-%eE+ 万年;\"'\n\tOl０"), st.characters(codec="utf-8"))
    wrong = data.draw(st.text(characters, max_size=8))
    rows = list(toy_table(name))
    found = check(name, content(name, [*rows[:-1], {**rows[-1], column.name: wrong}]).encode(), toy_table)
    errors = [f for f in found if f.severity == "error"]
    assert all(f.file == f"{name}.csv" for f in errors)
    if column.kind in ("integer", "number") and not column.separator and not errors:
        assert wrong == "" or float(wrong) == float(wrong)
        assert wrong == wrong.strip()
        assert wrong.isascii()
    if column.kind in ("boolean", "choice", "date") and not column.separator and wrong not in (
        "", *column.choices, "yes", "no", "2025-01-01",
    ):  # fmt: skip
        assert any(column.name in f.column for f in errors) or column.kind == "date"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_to_the_bytes_ends_in_a_traceback(data: st.DataObject, toy_table: ToyTable) -> None:
    name = data.draw(st.sampled_from(sorted(REGISTRIES)))
    whole = content(name, list(toy_table(name))).encode()
    at = data.draw(st.integers(0, len(whole)))
    cut = data.draw(st.integers(0, 5))
    damaged = whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + cut :]
    for f in check(name, damaged, toy_table):
        assert f.sentence("zh")
        assert f.sentence("en")
