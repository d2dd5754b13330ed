"""From the sheets of a workbook to raw tables, with Excel's own traps reported at their cells.

A sheet has the name of its registry. Its header is the row that holds the most of the declared column names; above it
only the template's titles may stand. Formulas, merged cells and dates where no date belongs are errors: what Excel
shows there is not what the table would say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from zjsim.tables.errors import Finding, finding
from zjsim.tables.files import checked_path
from zjsim.tables.raw import RawTable
from zjsim.tables.schema import Column, Registry
from zjsim.tables.sheet_cells import at_column, cells_as_excel_keeps_them
from zjsim.tables.values import nearest
from zjsim.tables.workbook import Sheet, column_letters, read_workbook

SCENARIO_SHEET = "scenario"
GUIDE_SHEET = "说明 guide"
LISTS_SHEET = "_lists"
HEADER_WITHIN = 10
"""Rows from the top in which the header is looked for."""


def titles(column: Column) -> tuple[str, str]:
    """The zh and en titles that the template prints above a column's name, with its unit."""
    unit = f" [{column.unit}]" if column.unit else ""
    return f"{column.zh}{unit}", f"{column.en}{unit}"


def read_workbook_file(
    path: Path, registries: Mapping[str, Registry]
) -> tuple[dict[str, RawTable], Sheet | None, list[Finding]]:
    """The raw tables in a workbook, its sheet of parameters, and what is wrong with its sheets."""
    label = path.name
    real = checked_path(path, path.parent, label)
    if isinstance(real, Finding):
        return {}, None, [real]
    with real.open("rb") as stream:
        sheets, found = read_workbook(stream, label)
    raws: dict[str, RawTable] = {}
    parameters: Sheet | None = None
    seen: dict[str, str] = {}
    for sheet in sheets:
        if sheet.name in (GUIDE_SHEET, LISTS_SHEET):
            continue
        if sheet.name.casefold() in seen:
            found.append(finding("sheet_twice", label, sheet=sheet.name))
        seen[sheet.name.casefold()] = sheet.name
        if sheet.name == SCENARIO_SHEET:
            parameters = sheet
        elif sheet.name not in registries:
            fix = nearest(sheet.name, [*registries, SCENARIO_SHEET])
            found.append(finding("sheet_unknown", label, value=sheet.name, fix=fix))
        else:
            raw, more = raw_table(sheet, registries[sheet.name], label)
            found += more
            if raw is not None:
                raws[sheet.name] = raw
    return raws, parameters, found


def raw_table(sheet: Sheet, registry: Registry, label: str) -> tuple[RawTable | None, list[Finding]]:
    """The table on one sheet, and the traps of Excel in it."""
    header_row = _header_row(sheet, registry)
    if header_row is None:
        return None, [replace(finding("empty_file", label), sheet=sheet.name)]
    width = max(sheet.rows) + 1
    header = ["" for _ in range(width)]
    rows = np.unique(np.concatenate([np.array(r, dtype=np.int64) for r in sheet.rows.values()]))
    above, lines = rows[rows < header_row], rows[rows > header_row]
    columns = []
    for column in range(width):
        cells = np.full(len(lines), "", dtype=object)
        at = np.array(sheet.rows.get(column, ()), dtype=np.int64)
        texts = np.empty(len(at), dtype=object)
        texts[:] = sheet.texts.get(column, ())
        below = at > header_row
        cells[np.searchsorted(lines, at[below])] = texts[below]
        columns.append(cells)
        named = texts[at == header_row]
        header[column] = str(named[0]) if len(named) else ""
    raw = RawTable(registry.name, label, header, header_row, columns, lines)
    raw.sheet = sheet.name
    found = _rows_above(sheet, registry, raw, above.tolist())
    found += _merged(sheet, raw)
    found += cells_as_excel_keeps_them(sheet, registry, raw)
    found += _hidden(sheet, raw)
    if any(f.severity == "error" for f in found):
        raw.told.add((0, ""))  # whatever its cells say, the table is not to be used
    return raw, found


def _header_row(sheet: Sheet, registry: Registry) -> int | None:
    """The row with the most declared names among the first rows; the first row that is not empty if there are none."""
    count: dict[int, int] = {}
    limit = max(HEADER_WITHIN, min((rows[0] for rows in sheet.rows.values()), default=0))
    for column, rows in sheet.rows.items():
        for row, text in zip(rows, sheet.texts[column], strict=True):
            if row > limit:
                break
            count[row] = count.get(row, 0) + (text in registry.by_name)
    return min(count, key=lambda row: (-count[row], row)) if count else None


def _rows_above(sheet: Sheet, registry: Registry, raw: RawTable, above: Iterable[int]) -> list[Finding]:
    """Rows above the header may hold nothing but the template's titles: a row of data there must not go unread."""
    known = {title for column in registry.columns for title in titles(column)}
    found = []
    for row in above:
        for column, rows in sheet.rows.items():
            stray = next(
                (t for r, t in zip(rows, sheet.texts[column], strict=True) if r == row and t not in known), None
            )
            if stray is not None:
                found.append(at_column(finding("sheet_above", raw.file, line=row, value=stray), raw, column))
                break
    return found


def _merged(sheet: Sheet, raw: RawTable) -> list[Finding]:
    found = []
    for top, left, bottom, right in sheet.merged:
        if bottom < raw.header_line:
            continue
        reference = f"{column_letters(left)}{top}:{column_letters(right)}{bottom}"
        said = finding("sheet_merged", raw.file, line=max(top, raw.header_line), value=reference)
        found.append(at_column(said, raw, left))
        for name in raw.header[left : right + 1]:
            raw.told.update((line, name) for line in range(top, min(bottom, top + 10_000) + 1))
    return found


def _hidden(sheet: Sheet, raw: RawTable) -> list[Finding]:
    """What Excel does not show is read as well, and said to be."""
    found = []
    if sheet.hidden:
        found.append(replace(finding("sheet_hidden", raw.file, severity="notice"), sheet=raw.sheet))
    rows = sorted(set(sheet.hidden_rows) & set(raw.lines.tolist()))
    if rows:
        said = finding("sheet_hidden_row", raw.file, line=rows[0], also=rows[1:], severity="notice")
        found.append(replace(said, sheet=raw.sheet))
    for first, last in sheet.hidden_columns:
        for column in range(first, min(last, len(raw.header) - 1) + 1):
            if column in sheet.rows:
                said = finding("sheet_hidden_column", raw.file, line=raw.header_line, severity="notice")
                found.append(at_column(said, raw, column))
    return found


def in_sheet(findings: Iterable[Finding], raw: RawTable) -> list[Finding]:
    """Findings of a sheet's table with sheet and column letters, without those told already."""
    placed = []
    letters = {name: column_letters(i) for i, name in reversed(list(enumerate(raw.header))) if name}
    for f in findings:
        if f.file != raw.file:
            placed.append(f)
            continue
        lines = [n for n in (f.line, *f.also) if n is None or (n, f.column) not in raw.told]
        if lines:
            first, *also = lines
            letter = f.letter or letters.get(f.column.split(", ")[0], "")
            placed.append(replace(f, line=first, also=tuple(n for n in also if n), sheet=raw.sheet, letter=letter))
    return placed
