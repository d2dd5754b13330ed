"""Workbooks that others wrote: Excel's own traps at their cells, and hostile files refused quickly and cheaply."""

from __future__ import annotations

import io
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from zjsim.tables.errors import Finding
from zjsim.tables.reader import check_tables
from zjsim.tables.schema import Column, Registry
from zjsim.tables.sheets import read_workbook_file
from zjsim.tables.workbook import column_letters, read_workbook

REGISTRY = Registry(
    "places",
    "地",
    "Places",
    key=("place",),
    columns=(
        Column("place", "code", "代码", "Code", pattern=r"^\d{6}$"),
        Column("people", "integer", "人口", "People", unit="persons", minimum=0),
        Column("share", "number", "份额", "Share", required=False, maximum=1),
        Column("opened", "date", "开办", "Opened", required=False),
        Column("is_open", "boolean", "在办", "Open"),
        Column("note", "text", "备注", "Note", required=False),
    ),
)
NAMES = [c.name for c in REGISTRY.columns]
ROW: list[object] = ["330102", 5, 0.25, "2024-12-31", "yes", "好"]


def faults(path: Path) -> list[tuple[str, int | None, str, str]]:
    raws, _, found = read_workbook_file(path, {"places": REGISTRY})
    read = check_tables(raws, {"places": REGISTRY})
    said = [f for f in (*found, *read.findings) if f.severity == "error"]
    assert all(f.sentence("zh") and f.sentence("en") for f in said)
    assert bool(said) != ("places" in read.tables)
    return [(f.rule, f.line, f.letter, f.column) for f in said]


def written(tmp_path: Path, *rows: list[object], change: Callable[[object], None] | None = None) -> Path:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "places"
    for row in (NAMES, ROW, *rows):
        sheet.append(row)
    if change is not None:
        change(sheet)
    workbook.save(tmp_path / "places.xlsx")
    return tmp_path / "places.xlsx"


def test_a_plain_sheet_reads_as_a_table(tmp_path: Path) -> None:
    path = written(tmp_path, [330105, 7.0, None, None, "no", None])
    raws, _, found = read_workbook_file(path, {"places": REGISTRY})
    table = check_tables(raws, {"places": REGISTRY}).tables["places"]
    assert [(f.rule, f.severity, f.line, f.letter) for f in found] == [("sheet_number_text", "notice", 3, "A")]
    assert table["place"].tolist() == ["330102", "330105"]
    assert table["people"].tolist() == [5, 7]
    assert table["opened"].tolist() == ["2024-12-31", ""]


@pytest.mark.parametrize(
    ("cell", "value", "rule"),
    [
        ("A2", 1.5, "pattern"),
        ("A2", 33010, "pattern"),
        ("A2", "33O102", "pattern"),
        ("A2", "=330102", "formula"),
        ("B2", "=1+1", "formula"),
        ("B2", 5.5, "not_integer"),
        ("B2", "1,2OO", "not_integer"),
        ("B2", None, "required"),
        ("B2", True, "not_integer"),
        ("C2", 25, "above_maximum"),
        ("C2", "=B2/100", "formula"),
        ("D2", "2024/12/31", "not_date"),
        ("D2", "=TODAY()", "formula"),
        ("D2", 45291, "not_date"),
        ("E2", True, "not_boolean"),
        ("E2", "是", "not_boolean"),
        ("F2", "#REF!", "sheet_error"),
        ("F2", " x", "outer_space"),
        ("F2", "110101201501011234", "identity_number"),
    ],
)
def test_a_wrong_cell_is_told_with_its_letter(tmp_path: Path, cell: str, value: object, rule: str) -> None:
    path = written(tmp_path, change=lambda sheet: sheet.__setitem__(cell, value))
    column = NAMES["ABCDEF".index(cell[0])]
    assert faults(path) == [(rule, 2, cell[0], column)]


def test_dates_where_none_belong_and_where_one_does(tmp_path: Path) -> None:

    path = written(tmp_path, change=lambda sheet: sheet.__setitem__("D2", date(2025, 9, 1)))
    assert faults(path) == []
    for cell, column in (("A2", "place"), ("B2", "people"), ("C2", "share"), ("F2", "note"), ("E2", "is_open")):
        path = written(tmp_path, change=lambda sheet, cell=cell: sheet.__setitem__(cell, date(2025, 1, 2)))
        assert faults(path) == [("sheet_date", 2, cell[0], column)]
    path = written(tmp_path, change=lambda sheet: sheet.__setitem__("D2", datetime(2025, 9, 1, 8, 30)))
    assert faults(path) == [("not_date", 2, "D", "opened")]


def test_merged_cells(tmp_path: Path) -> None:
    rows: list[list[object]] = [["330105", 1, None, None, "no", "甲"], ["330106", 1, None, None, "no", "乙"]]
    path = written(tmp_path, *rows, change=lambda sheet: sheet.merge_cells("B3:B4"))
    assert faults(path) == [("sheet_merged", 3, "B", "people")]


def test_headers(tmp_path: Path) -> None:
    path = written(tmp_path, change=lambda sheet: sheet.__setitem__("B1", "poeple"))
    assert faults(path) == [("unknown_column", 1, "B", "poeple")]
    path = written(tmp_path, change=lambda sheet: sheet.__setitem__("H2", "x"))
    assert [f[0] for f in faults(path)] == ["unnamed_column"]
    path = written(tmp_path, change=lambda sheet: sheet.insert_rows(1) or sheet.__setitem__("A1", "330199"))
    assert faults(path) == [("sheet_above", 1, "A", "place")]
    path = written(tmp_path, change=lambda sheet: sheet.insert_rows(1, 2) or sheet.__setitem__("B1", "人口 [persons]"))
    assert faults(path) == []


def test_unknown_sheets_name_the_nearest(tmp_path: Path) -> None:
    workbook = openpyxl.load_workbook(written(tmp_path))
    workbook.create_sheet("place")
    workbook.save(tmp_path / "places.xlsx")
    _, _, found = read_workbook_file(tmp_path / "places.xlsx", {"places": REGISTRY})
    assert [(f.rule, f.value, f.fix) for f in found] == [("sheet_unknown", "place", "places")]


def test_numbers_that_the_file_format_rounds_and_escaped_characters(tmp_path: Path) -> None:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet("places")
    for i, text in enumerate(("_x0041_", "a\nb", "a\x01b", "é")):
        sheet.write_string(0, i, text)
    book.close()
    stream.seek(0)
    sheets, found = read_workbook(stream, "x")
    assert not found
    assert [sheets[0].texts[i][0] for i in range(4)] == ["_x0041_", "a\nb", "a\x01b", "é"]


def test_letters() -> None:
    assert [column_letters(i) for i in (0, 25, 26, 701, 702, 16383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]


def package(path: Path, sheet: bytes, *, strings: bytes = b"", more: dict[str, bytes] | None = None) -> Path:
    """A workbook of one sheet, written by hand."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    parts = {
        "xl/workbook.xml": f'<workbook {main} xmlns:r="r"><sheets><sheet name="places" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<R><Relationship Id="r1" Target="worksheets/s.xml"/></R>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for name, content in parts.items():
            made.writestr(name, content)
        made.writestr("xl/worksheets/s.xml", sheet)
        if strings:
            made.writestr("xl/sharedStrings.xml", strings)
        for name, content in (more or {}).items():
            made.writestr(name, content)
    return path


def sheet_xml(cells: bytes) -> bytes:
    return b"<worksheet><sheetData><row>" + cells + b"</row></sheetData></worksheet>"


def hostile(kind: str, path: Path) -> Path:
    big = b"A" * (400 * 2**20) if kind in ("bomb", "long_cell", "long_string") else b""
    match kind:
        case "bomb":
            return package(path, sheet_xml(b"<c r='A1'/>"), more={"xl/media/x.bin": big})
        case "long_cell":
            return package(path, sheet_xml(b"<c r='A1' t='inlineStr'><is><t>" + big + b"</t></is></c>"))
        case "long_string":
            return package(
                path, sheet_xml(b"<c r='A1' t='s'><v>0</v></c>"), strings=b"<sst><si><t>" + big + b"</t></si></sst>"
            )
        case "long_text":
            return package(path, sheet_xml(b"<c r='A1' t='inlineStr'><is><t>" + b"A" * (7 * 2**20) + b"</t></is></c>"))
        case "long_tag":
            return package(path, sheet_xml(b"<c r='" + b"A" * (7 * 2**20) + b"'/>"))
        case "far":
            return package(path, sheet_xml(b"<c r='XFD1048576'><v>1</v></c>"))
        case "many":
            return package(
                path, b"<worksheet><sheetData>" + b"<row>" * 400_000 + b"</row>" * 400_000 + b"</sheetData></worksheet>"
            )
        case "entities":
            dtd = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
            return package(path, dtd + sheet_xml(b"<c r='A1' t='inlineStr'><is><t>&b;</t></is></c>"))
        case "parts":
            return package(path, sheet_xml(b""), more={f"x{i}": b"" for i in range(2_100)})
        case "index":
            return package(path, sheet_xml(b"<c r='A1' t='s'><v>999</v></c>"))
        case "number":
            return package(path, sheet_xml(b"<c r='A1'><v>abc</v></c>"))
        case "cut":
            package(path, sheet_xml(b"<c r='A1'><v>1</v></c>"))
            path.write_bytes(path.read_bytes()[:-30])
            return path
        case "old":
            path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))
            return path
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    return path


KINDS = (
    "bomb long_cell long_string long_text long_tag far many entities parts index number cut old rubbish".split()  # noqa: SIM905
)
# The peak is that of the process image itself: the usage the system counts starts with what the parent held.
CHILD = """
import sys, time
from pathlib import Path
from zjsim.tables.schema import Column, Registry
from zjsim.tables.sheets import read_workbook_file
registry = Registry("places", "x", "x", key=(), columns=(Column("a", "text", "x", "x"),))
begin = time.process_time()
raws, _, found = read_workbook_file(Path(sys.argv[1]), {"places": registry})
took = time.process_time() - begin
peak_kb = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(len(raws), took, peak_kb / 1024, *(f.rule for f in found))
"""


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_workbooks_are_refused_within_five_seconds_and_500_mb(kind: str, tmp_path: Path) -> None:
    path = hostile(kind, tmp_path / "x.xlsx")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))

    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limit,
    )
    assert done.returncode == 0, done.stderr
    raws, took, peak_mb, *rules = done.stdout.split()
    assert (raws, bool(rules)) == ("0", True), done.stdout
    assert float(took) < 5
    assert float(peak_mb) < 500


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_damage_to_a_workbook_ends_in_a_traceback(data: st.DataObject) -> None:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.set_properties({"created": datetime(2024, 12, 31, tzinfo=UTC)})  # the same bytes in every example
    sheet = book.add_worksheet("places")
    sheet.write_row(0, 0, NAMES)
    sheet.write_row(1, 0, ROW)
    book.close()
    whole = stream.getvalue()
    at = data.draw(st.integers(0, len(whole)))
    damaged = whole[:at] + data.draw(st.binary(max_size=6)) + whole[at + data.draw(st.integers(0, 8)) :]
    sheets, found = read_workbook(io.BytesIO(damaged), "x.xlsx")
    assert all(isinstance(f, Finding) and f.sentence("zh") for f in found)
    assert sheets or found or b"sheet" not in damaged
