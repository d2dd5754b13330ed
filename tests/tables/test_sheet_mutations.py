"""What Excel does to a cell is told at its sheet, row, letter and rule, in every column of every registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import xlsxwriter

from zjsim.tables.reader import check_tables
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.schema import Column
from zjsim.tables.sheets import read_workbook_file
from zjsim.tables.workbook import column_letters

ToyTable = Callable[[str], tuple[dict[str, str], ...]]
NUMBERS = ("integer", "number")
_FORM = {"not_integer", "not_number", "not_boolean", "not_date", "unknown_choice", "pattern"}


def mutations(column: Column) -> Iterator[tuple[str, Any, set[str]]]:
    """(kind, value, rules of which one must be told) for one cell of ``column``."""
    yield "formula", "=1+1", {"formula"}
    yield "error", "#REF!", {"sheet_error"}
    yield "text", " 1 ", {"outer_space", *_FORM}
    yield "text", "a\u200bb", {"invisible", *_FORM}
    if column.kind != "date":
        yield "date", 45_000, {"sheet_date"}
    if column.required:
        yield "blank", None, {"required"}
    if column.kind in NUMBERS and not column.separator:
        yield "text", "１２", {"not_integer", "not_number"}
        yield "bool", True, {"not_integer", "not_number"}
    if column.kind == "integer" and not column.separator:
        yield "number", 1.5, {"not_integer"}
    if column.kind in ("boolean", "choice", "date") and not column.separator:
        yield "bool", True, {"not_boolean", "not_date", "unknown_choice"}
        yield "number", 7, {"not_boolean", "not_date", "unknown_choice"}
    if column.pattern and column.kind == "code":
        yield "number", 0.5, {"pattern", "empty_part", "list_separator"}


@pytest.fixture(scope="module")
def outcome(toy_table: ToyTable, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], dict[Any, set[str]]]:
    """Every mutation made - (registry, row, column, kind, rules) - and the rules told at (registry, row, column)."""
    path = tmp_path_factory.mktemp("sheets") / "mutated.xlsx"
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_numbers": False})
    shown_as_date = book.add_format({"num_format": "yyyy-mm-dd"})
    made: list[Any] = []
    for name, registry in REGISTRIES.items():
        sheet = book.add_worksheet(name)
        rows = list(toy_table(name))
        for i, column in enumerate(registry.columns):
            sheet.write_string(0, i, column.name)
        for row, cells in enumerate(rows, 1):
            write_row(sheet, row, cells, registry.columns)
        row = len(rows) + 1
        for i, column in enumerate(registry.columns):
            for kind, value, rules in mutations(column):
                write_row(sheet, row, rows[-1], registry.columns, skip=i)
                if kind == "formula":
                    sheet.write_formula(row, i, value)
                elif kind == "date":
                    sheet.write_number(row, i, value, shown_as_date)
                elif kind == "number":
                    sheet.write_number(row, i, value)
                elif kind == "bool":
                    sheet.write_boolean(row, i, value)
                elif value is not None:
                    sheet.write_string(row, i, value)
                made.append((name, row + 1, column.name, kind, rules))
                row += 1
            for down in range(2):
                write_row(sheet, row + down, rows[-1], registry.columns, skip=i)
            sheet.merge_range(row, i, row + 1, i, "")
            sheet.write_string(row, i, rows[-1][column.name])
            made.append((name, row + 1, column.name, "merged", {"sheet_merged"}))
            row += 2
    book.close()
    raws, _, found = read_workbook_file(path, REGISTRIES)
    told: dict[Any, set[str]] = {}
    letters = letters_of()
    for f in (*found, *check_tables(raws, REGISTRIES).findings):
        assert f.file == path.name
        if f.severity == "error" and f.rule != "duplicate_key" and f.column in REGISTRIES[f.sheet].by_name:
            assert f.letter == letters[f.sheet, f.column]
            for line in (f.line, *f.also):
                told.setdefault((f.sheet, line, f.column), set()).add(f.rule)
    return made, told


@cache
def letters_of() -> dict[tuple[str, str], str]:
    return {(n, c.name): column_letters(i) for n, r in REGISTRIES.items() for i, c in enumerate(r.columns)}


def write_row(sheet: Any, row: int, cells: dict[str, str], columns: tuple[Column, ...], skip: int = -1) -> None:
    for i, column in enumerate(columns):
        value = cells[column.name]
        if i == skip or not value:
            continue
        if column.kind in NUMBERS and not column.separator:
            sheet.write_number(row, i, float(value))
        else:
            sheet.write_string(row, i, value)


def test_every_mutation_is_told_at_its_cell(outcome: tuple[list[Any], dict[Any, set[str]]]) -> None:
    made, told = outcome
    assert len(made) > 1_000
    assert len({(name, kind) for name, _, _, kind, _ in made}) > 150
    missed = [(n, row, column, kind) for n, row, column, kind, _ in made if (n, row, column) not in told]
    assert not missed


def test_at_least_95_per_cent_have_the_right_rule(outcome: tuple[list[Any], dict[Any, set[str]]]) -> None:
    made, told = outcome
    wrong = [
        (n, column, kind, told[n, row, column])
        for n, row, column, kind, rules in made
        if not rules & told.get((n, row, column), set())
    ]
    assert len(wrong) <= 0.05 * len(made), wrong[:20]


def test_nothing_is_told_where_nothing_is_wrong(outcome: tuple[list[Any], dict[Any, set[str]]]) -> None:
    made, told = outcome
    places = {(n, row, column) for n, row, column, _, _ in made}
    assert not {place for place in told if place not in places}
