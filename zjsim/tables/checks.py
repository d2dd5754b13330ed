"""Checking the cells of one table against its declaration.

Each column is judged by its distinct values, a thin layer of compiled patterns over Python's own set and map; only
values that fail are looked at again to explain them. That keeps 300,000 rows within a small multiple of reading them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from zjsim.tables.checked import CheckedTable, add_findings
from zjsim.tables.errors import finding
from zjsim.tables.keys import check_key
from zjsim.tables.raw import Cells, RawTable
from zjsim.tables.schema import Column, Registry
from zjsim.tables.values import (
    INTEGER,
    NEGATIVE_ZERO,
    NUMBER,
    SHEET_ERROR,
    SUSPICIOUS,
    Problem,
    compiled,
    is_plain_number,
    plain,
    problem_of,
)


def check_cells(raw: RawTable, registry: Registry, position: Mapping[str, int]) -> CheckedTable:
    """Check every cell, then the key; returns the table with its findings."""
    table = CheckedTable(raw, registry, position, {c: raw.columns[i].tolist() for c, i in position.items()})
    skipped = _odd_rows(table)
    for column in registry.columns:
        if column.name in table.cells:
            _check_column(table, column, skipped)
    check_key(table, skipped)
    if not len(raw) and not registry.may_be_empty:
        table.findings.append(finding("no_rows", raw.file))
    return table


def _odd_rows(table: CheckedTable) -> set[int]:
    """Report rows of the wrong length and empty rows; their cells are not judged one by one."""
    raw = table.raw
    skipped = set(raw.ragged)
    for row, cells in raw.ragged.items():
        line = int(raw.lines[row])
        words = {"found": len(cells), "expected": len(raw.header)}
        if len(cells) > len(raw.header):
            column, fix = _extra_comma(table, cells)
            value = cells[raw.header.index(column)] if column else ""
            table.findings.append(
                finding("too_many_cells", raw.file, line=line, column=column, value=value, fix=fix, words=words)
            )
        else:
            table.findings.append(finding("too_few_cells", raw.file, line=line, words=words))
    blank: Sequence[int] = range(len(raw)) if table.cells else range(0)
    for cells in table.cells.values():
        blank = [row for row in blank if not cells[row]] if "" in cells else []
        if not blank:
            break
    for row in blank:
        if row not in skipped and not any(column[row].strip() for column in raw.columns):
            table.findings.append(finding("blank_row", raw.file, line=int(raw.lines[row])))
            skipped.add(row)
    return skipped


def _extra_comma(table: CheckedTable, cells: list[str]) -> tuple[str, str]:
    """Column in which a comma probably split a cell in two, and the cell that was meant."""
    header = table.raw.header
    if len(cells) != len(header) + 1:
        return "", ""
    best: list[tuple[int, str, str]] = []
    for i, name in enumerate(header):
        joined = f"{cells[i]},{cells[i + 1]}"
        column = table.registry.by_name.get(name)
        fix = f'"{joined}"'
        if column is not None and column.kind in ("integer", "number"):
            problem = problem_of(joined, column)
            fix = problem.fix if problem else joined
            if not fix or not joined.replace(",", "").replace(".", "").isdigit():
                continue
        elif column is None or column.kind != "text":
            continue
        row = [*cells[:i], fix if column.kind != "text" else joined, *cells[i + 2 :]]
        wrong = sum(_wrong(value, table.registry.by_name.get(header[k])) for k, value in enumerate(row))
        best.append((wrong, name, fix))
    best.sort(key=lambda b: b[0])
    if best and (len(best) == 1 or best[0][0] < best[1][0]):
        return best[0][1], best[0][2]
    return "", ""


def _wrong(value: str, column: Column | None) -> bool:
    if column is None:
        return False
    return column.required if value == "" else problem_of(value, column) is not None


def _check_column(table: CheckedTable, column: Column, skipped: set[int]) -> None:
    cells = table.cells[column.name]
    if column.kind in ("integer", "number") and not column.separator:
        numbers = _all_numbers(cells, column, table.raw.columns[table.position[column.name]])
        if numbers is not None:
            table.numbers[column.name] = numbers
            return
    distinct = set(cells)
    if column.required and "" in distinct:
        for row in _rows_with({""}, cells):
            if row not in skipped:
                add_findings(
                    table, column, {"": [row]}, {"": Problem("required", words={"title": (column.zh, column.en)})}
                )
    distinct.discard("")
    problems = {} if _all_plain(distinct, column) else _problems(distinct, column)
    if any(problem.rule == "pattern" for problem in problems.values()):
        example = min(distinct - problems.keys(), default=column.pattern.strip("^$"))
        for problem in problems.values():
            problem.words["example"] = example.split(column.separator)[0] if column.separator else example
    if column.separator:
        distinct = {part for value in distinct if value not in problems for part in value.split(column.separator)}
    elif problems:
        distinct -= problems.keys()
    table.distinct[column.name] = distinct
    table.probable[column.name] = {p.fix for p in problems.values() if p.fix}
    if problems:
        add_findings(table, column, _rows_of(problems.keys(), cells, skipped), problems)


def _all_numbers(cells: list[str], column: Column, array: Cells) -> NDArray[np.float64] | None:
    """The cells as numbers, shape (rows,), NaN where empty, if every one passes; None means: look closer."""
    if len(cells) > _SAMPLE and len(set(cells[:_SAMPLE])) < _SAMPLE // 4:
        values = list(set(cells))
        if len(values) < len(cells) // 4:
            known_values = _all_numbers(values, column, np.array(values, dtype=object))
            if known_values is None:
                return None
            number = dict(zip(values, known_values.tolist(), strict=True))
            return np.fromiter(map(number.__getitem__, cells), dtype=np.float64, count=len(cells))
    joined = "\n".join(cells) + "\n"
    lines = _NUMBER_LINES[column.kind, column.required]
    if joined.count("\n") != max(len(cells), 1) or not lines.fullmatch(joined):
        return np.empty(0) if not cells else None
    if "-0" in joined and any(map(NEGATIVE_ZERO.fullmatch, cells)):
        return None
    if ("e" in joined or "E" in joined) and not all(map(is_plain_number, cells)):
        return None
    if not column.required and "" in cells:
        array = np.array([cell or "nan" for cell in cells], dtype=object)
    numbers = array.astype(np.float64)
    known = numbers if column.required else numbers[~np.isnan(numbers)]
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum
    if known.size and not (np.isfinite(known).all() and known.min() >= low and known.max() <= high):
        return None
    return numbers


_SAMPLE = 2_000
"""Cells at the begin of a long column that tell whether its values repeat."""


_NUMBER_LINES = {
    (kind, required): re.compile(rf"(?:(?:{form.pattern}){'' if required else '?+'}\n)*+", re.ASCII)
    for kind, form in (("integer", INTEGER), ("number", NUMBER))
    for required in (True, False)
}
_TIGHT = re.compile(r"(?:[\w^$()\[\]{}|?,:-]|\\d|\\w)*", re.ASCII)
"""Patterns that match only short texts of letters, digits, ``_``, ``-`` and ``:``: nothing stray can hide in them."""


def _all_plain(values: set[str], column: Column) -> bool:
    """Whether every value passes by pattern alone; False means: look closer, not: wrong."""
    if not values or column.separator:
        return not values
    if column.kind == "choice":
        return values <= set(column.choices)
    if column.kind == "boolean":
        return values <= {"yes", "no"}
    if column.kind in ("text", "code"):
        matches = compiled(column.pattern)
        tight = matches is not None and "[^" not in column.pattern and _TIGHT.fullmatch(column.pattern)
        if tight and len(values) > _SAMPLE and "|" not in column.pattern:
            return _all_lines(column.pattern, values)
        if matches is not None and not all(map(matches, values)):
            return False
        if tight:
            return True
        if column.kind == "code" and matches is None and not all(map(str.isascii, values)):
            return False
        return not any(map(SUSPICIOUS.search, values))
    return False


def _all_lines(pattern: str, values: set[str]) -> bool:
    """Whether every value matches a tight pattern: all of them as the lines of one text, in one match."""
    lines = _pattern_lines(pattern)
    text = "\n".join(values) + "\n"
    return text.count("\n") == len(values) and lines.fullmatch(text) is not None


@cache
def _pattern_lines(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:(?:{pattern.removeprefix('^').removesuffix('$')})\n)*+", re.ASCII)


def _problems(values: Iterable[str], column: Column) -> dict[str, Problem]:
    """What is wrong with each wrong value."""
    judge = _problem_of_list if column.separator else problem_of
    return {v: p for v in sorted(_suspects(values, column)) if (p := judge(v, column)) is not None}


def _suspects(values: Iterable[str], column: Column) -> Iterable[str]:
    """The values worth a closer look: of many numbers only those that are ill-written or out of range."""
    if column.separator or column.kind not in ("integer", "number"):
        return values
    well = (INTEGER if column.kind == "integer" else NUMBER).fullmatch
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum
    return [
        v for v in values
        if not well(v) or not is_plain_number(v) or not low < float(v) < high or NEGATIVE_ZERO.fullmatch(v)
    ]  # fmt: skip


def _problem_of_list(value: str, column: Column) -> Problem | None:
    """What is wrong with a cell of several values."""
    parts = value.split(column.separator)
    problems = [problem_of(part, column) if part else Problem("empty_part") for part in parts]
    first = next((p for p in problems if p is not None), None)
    if first is None:
        twice = next((p for i, p in enumerate(parts) if p in parts[:i]), None)
        if twice is None:
            return None
        fix = column.separator.join(dict.fromkeys(parts))
        return Problem("repeated_part", fix, {"part": twice})
    if "\ufffd" in value:
        return Problem("encoding")
    if SHEET_ERROR.match(value):
        return Problem("sheet_error")
    fix = _probable_list(value, column)
    if fix and column.separator not in value:
        return Problem("list_separator", fix, {"separator": column.separator})
    return Problem(first.rule, fix, {**first.words, "separator": column.separator})


def _probable_list(value: str, column: Column) -> str:
    """The cell with its separators and parts put right, if that makes every part pass."""
    text = plain(value)
    for other in (",", ";", "、", "|", "/", " "):
        text = text.replace(other, column.separator) if other not in column.pattern else text
    parts: list[str] = []
    for part in dict.fromkeys(p.strip() for p in text.split(column.separator)):
        if not part:
            continue
        problem = problem_of(part, column)
        parts.append(part if problem is None else problem.fix)
    return column.separator.join(parts) if all(parts) else ""


def _rows_with(values: set[str], cells: list[str]) -> list[int]:
    return [row for row, value in enumerate(cells) if value in values]


def _rows_of(values: Iterable[str], cells: list[str], skipped: set[int]) -> dict[str, list[int]]:
    wanted = set(values)
    rows: dict[str, list[int]] = {}
    for row, value in enumerate(cells):
        if value in wanted and row not in skipped:
            rows.setdefault(value, []).append(row)
    return rows
