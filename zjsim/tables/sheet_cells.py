"""Cells of a sheet that are not what the table would say: dates, truth values, per cent, numbers kept as text.

What cannot be read in two ways is read and told as a notice; everything else is an error at its cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from zjsim.tables.errors import Finding, finding
from zjsim.tables.raw import RawTable
from zjsim.tables.schema import Column, Registry
from zjsim.tables.values import INTEGER, NUMBER, compiled, probable_number
from zjsim.tables.workbook import Sheet, column_letters

DIGITS_OF_EXCEL = 16
"""Significant digits that our own workbooks give a number; one with more is written as text."""


def at_column(said: Finding, raw: RawTable, column: int) -> Finding:
    """The finding with its sheet and the name and letters of a column counted from 0."""
    name = raw.header[column] if column < len(raw.header) else ""
    return replace(said, sheet=raw.sheet, letter=column_letters(column), column=name)


def cells_as_excel_keeps_them(sheet: Sheet, registry: Registry, raw: RawTable) -> list[Finding]:
    """Findings on the kinds of cells below the header; the cells with an error are noted as told."""
    found: list[Finding] = []
    for column in sorted(sheet.kinds):
        declared = registry.by_name.get(raw.header[column])
        if declared is None:
            continue
        kinds = np.frombuffer(bytes(sheet.kinds[column]), dtype=np.uint8)
        rows = np.array(sheet.rows[column], dtype=np.int64)
        plain = ord("n") if is_number(declared) else ord("s")
        odd = np.flatnonzero((kinds != plain) & (rows > raw.header_line))
        alike: dict[str, list[Finding]] = {}
        for i in odd.tolist():
            said = _cell(chr(kinds[i]), sheet.texts[column][i], declared, raw.file, int(rows[i]))
            if said is None:
                continue
            if said.severity == "notice":
                alike.setdefault(said.rule, []).append(said)
                continue
            found.append(at_column(said, raw, column))
            raw.told.add((int(rows[i]), declared.name))
        for same in alike.values():
            lines = [f.line for f in same[1:] if f.line is not None]
            found.append(at_column(replace(same[0], also=tuple(lines)), raw, column))
    return found


def is_number(column: Column) -> bool:
    """Whether a cell of the column is one number."""
    return column.kind in ("integer", "number") and not column.separator


def _cell(kind: str, text: str, column: Column, file: str, line: int) -> Finding | None:
    """What is to be said of one cell, before its text is judged (None: nothing)."""
    rule, words, fix = next(_remarks(kind, text, column), ("", {}, ""))
    if not rule:
        return None
    severity = "notice" if rule in _NOTICES else "error"
    return finding(rule, file, line=line, value=text, fix=fix, severity=severity, words=words)  # type: ignore[arg-type]


_NOTICES = frozenset({"sheet_percent_read", "sheet_text_number", "sheet_number_text"})
Remark = tuple[str, dict[str, object], str]


def _remarks(kind: str, text: str, column: Column) -> Iterator[Remark]:
    number = is_number(column)
    if kind == "d" and column.kind != "date":
        yield "sheet_date", {}, probable_number(text, column) if number else ""
    elif kind == "b" and column.kind in ("text", "code"):
        yield "sheet_boolean", {}, ""
    elif kind == "p" and column.kind != "date":
        shown = f"{float(text) * 100:.12g}%"
        if number and column.kind == "number" and column.maximum == 1 and "%" not in column.unit:
            yield "sheet_percent_read", {"shown": shown}, ""
        else:
            yield "sheet_percent", {"shown": shown}, shown[:-1] if "%" in column.unit else ""
    elif kind == "s" and number and (INTEGER if column.kind == "integer" else NUMBER).fullmatch(text):
        if float(f"{float(text):.{DIGITS_OF_EXCEL}G}") == float(text):
            yield "sheet_text_number", {}, ""
    elif kind == "n" and column.kind in ("text", "code"):
        matches = compiled(column.pattern)
        if column.separator or matches is None or matches(text):
            yield "sheet_number_text", {}, ""
