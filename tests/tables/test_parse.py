"""Cutting CSV files into cells: true line numbers, encodings, ragged rows, quotation marks."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zjsim.tables import parse
from zjsim.tables.files import to_utf8
from zjsim.tables.parse import _parse_any, _parse_regular, parse_csv
from zjsim.tables.raw import RawTable


def table_of(content: str) -> RawTable:
    table, found = parse_csv(content.encode("utf-8"), "t", "t.csv")
    assert table is not None
    assert not found
    return table


def rows_of(table: RawTable) -> list[tuple[str, ...]]:
    return list(zip(*(column.tolist() for column in table.columns), strict=True))


def test_line_numbers_count_blank_lines_and_newlines_within_quotes() -> None:
    table = table_of('\na,b\n1,"x\ny"\n\n\n2,z\n')
    assert table.header == ["a", "b"]
    assert table.header_line == 2
    assert rows_of(table) == [("1", "x\ny"), ("2", "z")]
    assert table.lines.tolist() == [3, 7]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_endings_and_a_missing_last_one(ending: str) -> None:
    table = table_of(ending.join(["a,b", "1,2", "3,4"]))
    assert rows_of(table) == [("1", "2"), ("3", "4")]
    assert table.lines.tolist() == [2, 3]


def test_cells_stay_text() -> None:
    assert rows_of(table_of("a,b\nNA,007\n,1e5\n")) == [("NA", "007"), ("", "1e5")]


def test_one_column() -> None:
    table = table_of("a\n1\n\n2\n")
    assert rows_of(table) == [("1",), ("2",)]
    assert table.lines.tolist() == [2, 4]


def test_ragged_rows_keep_their_cells_and_lines() -> None:
    table = table_of("a,b,c\n1,2\n1,2,3\n1,2,3,4\n")
    assert rows_of(table) == [("1", "2", ""), ("1", "2", "3"), ("1", "2", "3")]
    assert table.ragged == {0: ["1", "2"], 2: ["1", "2", "3", "4"]}


@pytest.mark.parametrize("cell", ['"open', '"x"y'])
def test_a_broken_quotation_mark_is_told_at_its_line_and_the_rest_is_read(cell: str) -> None:
    table, found = parse_csv(f"a,b\n1,2\n3,{cell}\n5,6\n".encode(), "t", "t.csv")
    assert table is not None
    assert [(f.rule, f.line, f.column) for f in found] == [("quote", 3, "b")]
    assert rows_of(table) == [("1", "2"), ("5", "6")]


def test_many_broken_quotation_marks_end_the_reading_and_say_so() -> None:
    _, found = parse_csv(("a,b\n" + '1,"x"y\n' * 100).encode(), "t", "t.csv")
    assert found[-1].rule == "rest_unread"
    assert len(found) == 21


@pytest.mark.parametrize(
    ("content", "rule"),
    [("a;b\n1;2\n", "separator"), ("a\tb\n1\t2\n", "separator"), ("\n \n", "empty_file"), ("", "empty_file")],
)
def test_files_that_are_no_table(content: str, rule: str) -> None:
    table, found = parse_csv(content.encode(), "t", "t.csv")
    assert table is None
    assert [f.rule for f in found] == [rule]


def test_a_cell_too_long_and_a_table_too_big(monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = parse_csv(b"a,b\n1," + b"x" * 200_000 + b"\n3,4\n", "t", "t.csv")
    assert [(f.rule, f.line, f.column) for f in found] == [("cell_too_long", 2, "b")]
    table, found = parse_csv(b"a,b\n1," + b"x" * 2_000_000 + b"\n3,4\n", "t", "t.csv")
    assert table is None
    assert [(f.rule, f.line) for f in found] == [("line_too_long", 2)]
    monkeypatch.setattr(parse, "MAX_ROWS", 2)
    table, found = parse_csv(b"a,b\n1,2\n3,4\n", "t", "t.csv")
    assert table is None
    assert [f.rule for f in found] == ["table_too_big"]


CELLS = st.text(st.sampled_from('ab1,"\n 中'), max_size=4)


@given(st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=6)))
def test_both_paths_agree_with_what_was_written(rows: list[list[str]]) -> None:
    header = [f"c{i}" for i in range(len(rows[0]))]
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([header, *rows])
    data = stream.getvalue()
    lines = [2]
    for row in rows[:-1]:
        lines.append(lines[-1] + 1 + sum(cell.count("\n") for cell in row))
    fast = _parse_regular(data.encode(), "t", "t.csv")
    slow, found = _parse_any(data, "t", "t.csv")
    assert fast is not None
    assert slow is not None
    assert not found
    for table in (fast, slow):
        assert table.header == header
        assert rows_of(table) == [tuple(row) for row in rows]
        assert table.lines.tolist() == lines


@given(st.binary(max_size=60).map(lambda b: b"a,b\n" + b))
def test_no_bytes_at_all_end_in_a_traceback(data: bytes) -> None:
    text, found = to_utf8(data, "t.csv")
    table, more = parse_csv(text, "t", "t.csv")
    assert table is not None or found or more


CONTENT = "名称,数\n杭州市,1\n宁波市,2\n温州市,3\n"


def test_byte_order_mark_is_no_part_of_the_header() -> None:
    assert to_utf8(CONTENT.encode("utf-8-sig"), "t.csv") == (CONTENT.encode(), [])


def test_gb18030_is_read_with_a_notice() -> None:
    data, found = to_utf8(CONTENT.encode("gb18030"), "t.csv")
    assert data.decode() == CONTENT
    assert [(f.rule, f.severity) for f in found] == [("gb18030", "notice")]


def test_one_cell_in_another_encoding_is_not_taken_for_the_whole_file() -> None:
    data, found = to_utf8(CONTENT.encode().replace("宁波".encode(), "宁波".encode("gb18030")), "t.csv")
    assert not found
    assert "�" in data.decode().split("\n")[2]


def test_utf16_is_refused() -> None:
    _, found = to_utf8(CONTENT.encode("utf-16"), "t.csv")
    assert [f.rule for f in found] == ["utf16"]
