"""Checking the cells of one table against its declaration.

Each column is judged by its distinct values, a thin layer of compiled patterns over Python's own set and map; only
values that fail are looked at again to explain them. That keeps 300,000 rows within a small multiple of reading them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from zjsim.tables.errors import Finding, finding
from zjsim.tables.raw import Cells, RawTable
from zjsim.tables.schema import Column, Registry
from zjsim.tables.values import (
    INTEGER,
    NEGATIVE_ZERO,
    NUMBER,
    SUSPICIOUS,
    Problem,
    compiled,
    is_plain_number,
    nearest,
    plain,
    problem_of,
)

MOST_VALUES = 100
"""Different wrong values of one rule and column that are told one by one; the rest is counted."""


@dataclass(slots=True)
class CheckedTable:
    """A raw table after the checks of its own cells.

    ``position`` says which column of the file each declared one is; ``cells`` holds the text cells of each declared
    column that the file has; ``distinct`` their distinct values without the wrong ones; ``numbers`` the columns of
    numbers that are all right; ``probable`` what wrong values were probably meant to be (so that one broken key does
    not break every reference to it).
    """

    raw: RawTable
    registry: Registry
    position: Mapping[str, int]
    cells: dict[str, list[str]]
    distinct: dict[str, set[str]] = field(default_factory=dict)
    numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    probable: dict[str, set[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def values(self, column: str) -> set[str]:
        """Distinct right values of a column the file has, each item of a list by itself, without ""."""
        if column not in self.distinct:
            self.distinct[column] = set(self.cells[column]) - {""}
        return self.distinct[column]

    @property
    def ok(self) -> bool:
        """Whether no error was found so far."""
        return not any(f.severity == "error" for f in self.findings)


def check_cells(raw: RawTable, registry: Registry, position: Mapping[str, int]) -> CheckedTable:
    """Check every cell, then the key; returns the table with its findings."""
    table = CheckedTable(raw, registry, position, {c: raw.columns[i].tolist() for c, i in position.items()})
    skipped = _odd_rows(table)
    for column in registry.columns:
        if column.name in table.cells:
            _check_column(table, column, skipped)
    _check_key(table, skipped)
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
                _add(table, column, {"": [row]}, {"": Problem("required", words={"title": (column.zh, column.en)})})
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
        _add(table, column, _rows_of(problems.keys(), cells, skipped), problems)


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


def _add(table: CheckedTable, column: Column, rows: Mapping[str, list[int]], problems: Mapping[str, Problem]) -> None:
    """Findings for the wrong values: one for each value and place of origin, with all its lines."""
    told: dict[str, int] = {}
    for value, where in rows.items():
        problem = problems[value]
        told[problem.rule] = told.get(problem.rule, 0) + 1
        if told[problem.rule] > MOST_VALUES:
            continue
        places: dict[str, list[int | None]] = {}
        for row in where:
            file, line = table.raw.place(row, column.name)
            places.setdefault(file, []).append(line)
        shown = "*" * 18 if problem.rule == "identity_number" else value
        for file, lines in places.items():
            table.findings.append(
                finding(
                    problem.rule,
                    file,
                    line=lines[0],
                    column=column.name,
                    value=shown,
                    fix=problem.fix,
                    also=[n for n in lines[1:] if n is not None],
                    words=problem.words,
                )
            )
    for count in told.values():
        if count > MOST_VALUES:
            table.findings.append(finding("further", table.raw.file, column=column.name, count=count - MOST_VALUES))


def _check_key(table: CheckedTable, skipped: set[int]) -> None:
    """Report rows whose key stood before, naming both lines."""
    key = table.registry.key
    if not key or not len(table.raw) or any(name not in table.cells for name in key):
        return
    if len(key) == 1 and len(table.values(key[0])) == len(table.cells[key[0]]):
        return
    codes = key_codes([table.cells[name] for name in key])
    order = np.argsort(codes, kind="stable")
    same = np.flatnonzero(codes[order][1:] == codes[order][:-1])
    if not len(same):
        return
    first: dict[int, int] = {}
    repeats: dict[int, list[int]] = {}
    again = set(codes[order[same]].tolist())
    for row in np.flatnonzero(np.isin(codes, list(again))).tolist():
        if row in skipped or any(not table.cells[n][row] and table.registry.by_name[n].required for n in key):
            continue
        code = int(codes[row])
        if code in first:
            repeats.setdefault(code, []).append(row)
        else:
            first[code] = row
    for code, rows in list(repeats.items())[:MOST_VALUES]:
        file, line = table.raw.place(rows[0], key[0])
        value = ", ".join(table.cells[name][rows[0]] for name in key)
        also = [int(table.raw.lines[r]) for r in rows[1:]]
        other = int(table.raw.lines[first[code]])
        table.findings.append(
            finding("duplicate_key", file, line=line, column=", ".join(key), value=value, also=also, other=other)
        )
    if len(repeats) > MOST_VALUES:
        count = len(repeats) - MOST_VALUES
        table.findings.append(finding("further", table.raw.file, column=", ".join(key), count=count))


def key_codes(columns: list[list[str]]) -> NDArray[np.int64]:
    """A number for each row, equal exactly where all the columns are equal; shape (rows,)."""
    codes = np.zeros(len(columns[0]), dtype=np.int64)
    for cells in columns:
        numbers = {value: i for i, value in enumerate(dict.fromkeys(cells))}
        codes = codes * len(numbers) + np.fromiter(map(numbers.__getitem__, cells), dtype=np.int64, count=len(cells))
        if codes.size and codes.max() > 2**40:
            codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    return codes


def check_references(tables: Mapping[str, CheckedTable]) -> None:
    """Check the references of every table to the others; a table that could not be read is taken to hold anything."""
    for table in tables.values():
        for column in table.registry.columns:
            if not column.ref or column.name not in table.cells:
                continue
            targets = [target.split(".") for target in column.ref.split("|")]
            if any(r not in tables or c not in tables[r].cells for r, c in targets):
                continue
            valid = set().union(*(tables[r].values(c) for r, c in targets))
            wrong = table.values(column.name) - valid
            wrong -= set().union(*(tables[r].probable.get(c, set()) for r, c in targets))
            if not wrong:
                continue
            listed = sorted(valid)
            words: dict[str, object] = {"target": column.ref.replace("|", " / ")}
            problems = {v: Problem("reference", _nearest_code(v, valid, listed), words) for v in sorted(wrong)}
            cells = table.cells[column.name]
            rows: dict[str, list[int]] = {}
            for row, value in enumerate(cells):
                for part in value.split(column.separator) if column.separator else (value,):
                    if part in problems and row not in table.raw.ragged:
                        rows.setdefault(part, []).append(row)
            _add(table, column, dict(sorted(rows.items(), key=lambda r: r[1])), problems)


def _nearest_code(value: str, valid: set[str], listed: list[str]) -> str:
    from zjsim.tables.values import code_candidates

    return next((c for c in code_candidates(value) if c in valid), "") or nearest(value, listed, 0.75)
