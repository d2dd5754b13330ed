"""What Excel may make of one cell in the template of a real table: told at its sheet, row and letter, or read alike.

The workbooks are written as bare XML, so that nothing between the test and the reader tidies them up.
"""

from __future__ import annotations

import csv
import io
import random
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from xml.sax.saxutils import escape

import pytest

from zjsim.tables.errors import Finding
from zjsim.tables.reader import check_tables
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.schema import Column
from zjsim.tables.sheets import raw_table, titles
from zjsim.tables.workbook import column_letters, read_workbook

HOME = files("zjsim.scenarios").joinpath("baseline/registries")
NAMES = [n for n in REGISTRIES if HOME.joinpath(f"{n}.csv").is_file()]
STYLES = (
    '<styleSheet><numFmts><numFmt numFmtId="170" formatCode="0.0%"/></numFmts><cellXfs><xf numFmtId="0"/>'
    '<xf numFmtId="14"/><xf numFmtId="9"/><xf numFmtId="170"/><xf numFmtId="20"/></cellXfs></styleSheet>'
)
FORM = frozenset(
    {
        *("not_integer", "not_number", "not_boolean", "not_date", "unknown_choice", "pattern", "full_width"),
        *("invisible", "empty_part", "list_separator", "reference", "outer_space", "placeholder"),
        "placeholder_required",
    }
)  # fmt: skip
DATE, PERCENT, TIME = 1, 3, 4
Grid = dict[int, dict[int, str]]


def said(reference: str, value: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def number(reference: str, value: object, style: int = 0) -> str:
    return f'<c r="{reference}" s="{style}"><v>{value}</v></c>'


def is_number(column: Column) -> bool:
    return column.kind in ("integer", "number") and not column.separator


def mutations(column: Column, value: str, at: str) -> Iterator[tuple[str, set[str] | frozenset[str]]]:
    """(cell, rules of which one must be told there)."""
    yield f'<c r="{at}" t="str"><f>A1</f><v>{escape(value)}</v></c>', {"formula"}
    yield f'<c r="{at}"><f t="shared" si="0"/></c>', {"formula"}
    yield f'<c r="{at}" t="e"><v>#DIV/0!</v></c>', {"sheet_error"}
    yield said(at, f"{value}\u00a0"), FORM
    yield said(at, f"{value[:1]}\u200b{value[1:]}"), FORM
    yield said(at, "11010119900307888X"), {"identity_number"}
    yield f'<c r="{at}" t="b"><v>1</v></c>', FORM | {"sheet_boolean"}
    if column.required:
        yield "", {"required"}
        yield said(at, ""), {"required"}
    if column.kind != "date":
        yield from ((number(at, day, DATE), {"sheet_date"}) for day in (45_000, 5, -3))
        yield number(at, 0.5, TIME), {"sheet_date"}
    if is_number(column):
        shares = column.kind == "number" and column.maximum == 1
        yield number(at, value, PERCENT), {"sheet_percent_read" if shares else "sheet_percent"}
        yield said(at, value), {"sheet_text_number"}
        yield from ((said(at, wrong), FORM) for wrong in ("1,234", "１２", "1O", "5%", "NaN"))
    elif column.kind == "text" and not column.pattern:
        yield number(at, 7), {"sheet_number_text"}
    elif column.kind != "text" and not column.ref:
        yield number(at, 7.5), FORM


def grid_of(name: str) -> tuple[Grid, list[dict[str, str]]]:
    """The template of a registry with its first rows, as cells by row and column."""
    columns = REGISTRIES[name].columns
    rows = list(csv.DictReader(io.StringIO(HOME.joinpath(f"{name}.csv").read_text("utf-8"))))[:3]
    grid: Grid = {1: {}, 2: {}, 3: {}}
    for i, column in enumerate(columns):
        for row, words in enumerate((*titles(column), column.name), 1):
            grid[row][i] = said(f"{column_letters(i)}{row}", words)
        for line, cells in enumerate(rows, 4):
            at = f"{column_letters(i)}{line}"
            if value := cells[column.name]:
                grid.setdefault(line, {})[i] = number(at, value) if is_number(column) else said(at, value)
    return grid, rows


def told(
    name: str, grid: Grid, more: str = "", head: str = "", hidden: int = 0, state: str = "visible"
) -> list[Finding]:
    rows = "".join(
        f'<row r="{r}" hidden="{int(r == hidden)}">{"".join(cell for _, cell in sorted(cells.items()))}</row>'
        for r, cells in sorted(grid.items())
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        sheet = f'<sheet name="{name}" state="{state}" r:id="r1"/>'
        made.writestr("xl/workbook.xml", f'<workbook xmlns:r="r"><sheets>{sheet}</sheets></workbook>')
        made.writestr("xl/_rels/workbook.xml.rels", '<R><Relationship Id="r1" Target="s.xml"/></R>')
        made.writestr("xl/styles.xml", STYLES)
        made.writestr("xl/s.xml", f"<worksheet>{head}<sheetData>{rows}</sheetData>{more}</worksheet>")
    stream.seek(0)
    sheets, found = read_workbook(stream, "x.xlsx")
    for read in sheets:
        raw, more_found = raw_table(read, REGISTRIES[name], "x.xlsx")
        assert raw is not None
        found += more_found + check_tables({name: raw}, REGISTRIES).findings
    assert all(f.sentence("zh") and f.sentence("en") for f in found)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_one_cell_of_a_template(name: str) -> None:
    draw = random.Random(name)
    grid, rows = grid_of(name)
    if not rows:
        return
    line = 3 + len(rows)
    for i, column in enumerate(REGISTRIES[name].columns):
        value = rows[-1][column.name]
        if not value:
            continue
        at = column_letters(i)
        every = list(mutations(column, value, f"{at}{line}"))
        for cell, rules in draw.sample(every, min(5, len(every))):
            changed = {**grid[line], i: cell}
            found = told(name, {**grid, line: changed})
            here = [f.rule for f in found if f.line == line and f.letter == at and f.sheet == name]
            assert rules & set(here), (column.name, cell, here, [(f.rule, f.line, f.letter) for f in found])


@pytest.mark.parametrize("name", NAMES)
def test_headers_and_what_excel_hides(name: str) -> None:
    grid, rows = grid_of(name)
    width = len(REGISTRIES[name].columns)

    def rules(*changes: tuple[int, int, str], **more: object) -> set[tuple[str, int | None, str]]:
        changed = {row: dict(cells) for row, cells in grid.items()}
        for row, column, cell in changes:
            changed.setdefault(row, {})[column] = cell
        return {(f.rule, f.line, f.letter) for f in told(name, changed, **more)}  # type: ignore[arg-type]

    last = column_letters(width)
    assert ("unknown_column", 3, last) in rules((3, width, said(f"{last}3", "备注")), (4, width, said(f"{last}4", "x")))
    twice = REGISTRIES[name].columns[0].name
    assert ("duplicate_column", 3, last) in rules((3, width, said(f"{last}3", twice)))
    assert ("sheet_merged", 3, "A") in rules(more='<mergeCells><mergeCell ref="A3:B3"/></mergeCells>')
    assert ("sheet_hidden", None, "") in rules(state="veryHidden")
    if rows:
        line = 3 + len(rows)
        far = column_letters(width + 40)
        stray = rules((line, width + 40, said(f"{far}{line}", "x")))
        assert ("unnamed_column", line if len(rows) > 2 else 3, far) in stray
        assert ("sheet_hidden_row", 4, "") in rules(hidden=4)
        assert ("sheet_hidden_column", 3, "A") in rules(head='<cols><col min="1" max="1" hidden="1"/></cols>')
        again = [(line + 1, i, cell.replace(f'{line}"', f'{line + 1}"', 1)) for i, cell in grid[line].items()]
        if REGISTRIES[name].key:
            assert ("duplicate_key", line + 1) in {(rule, row) for rule, row, _ in rules(*again)}


def test_a_workbook_that_says_a_cell_twice_or_no_sheet_is_broken() -> None:
    grid, _ = grid_of("cities")
    grid[4][99] = said("A4", "330100")
    assert [f.rule for f in told("cities", grid)] == ["workbook_broken"]
    for wrong in ('<c r="A4" t="s"><v>-1</v></c>', '<c r="A4"><v>1_0</v></c>'):
        assert [f.rule for f in told("cities", {**grid_of("cities")[0], 4: {0: wrong}})] == ["workbook_broken"]
