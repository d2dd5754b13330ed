"""The strict reader: every fault at its file, line and column, all of them in one report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from zjsim.tables import files
from zjsim.tables.errors import Finding, InputErrors, finding
from zjsim.tables.files import to_utf8
from zjsim.tables.parse import parse_csv
from zjsim.tables.reader import check_tables, read_raw, read_table
from zjsim.tables.schema import Column, Registry

COUNTIES = Registry(
    "counties",
    "县",
    "Counties",
    key=("county_code",),
    columns=(
        Column("county_code", "code", "县代码", "County code", pattern=r"^33\d{4}$"),
        Column("name_zh", "text", "名称", "Name"),
    ),
)
SCHOOLS = Registry(
    "schools",
    "学校",
    "Schools",
    key=("county_code", "grade"),
    columns=(
        Column("county_code", "code", "县代码", "County code", ref="counties.county_code"),
        Column("grade", "integer", "年级", "Grade", minimum=1, maximum=9),
        Column("seats", "integer", "座位", "Seats", unit="seats", minimum=0),
        Column("share", "number", "占比", "Share", required=False, minimum=0, maximum=1),
        Column("public", "boolean", "公办", "Public"),
        Column("measures", "code", "条目", "Measures", required=False, pattern=r"^M\d{3}$", separator=";"),
        Column("note_zh", "text", "说明", "Note", required=False),
    ),
)
REGISTRIES = {"counties": COUNTIES, "schools": SCHOOLS}
GOOD = {
    "counties": "county_code,name_zh\n330102,上城区\n330105,拱墅区\n",
    "schools": "county_code,grade,seats,share,public,measures,note_zh\n"
    "330102,1,1200,0.85,yes,M001;M002,甲\n330102,2,900,,no,,\n330105,1,40,1,yes,M003,\n",
}


def findings(changed: Mapping[str, str]) -> list[Finding]:
    raws = {}
    found: list[Finding] = []
    for name, content in {**GOOD, **changed}.items():
        raw, more = parse_csv(content.encode(), name, f"{name}.csv")
        found += more
        if raw is not None:
            raws[name] = raw
    return found + check_tables(raws, REGISTRIES).findings


def schools(old: str, new: str) -> list[Finding]:
    assert old in GOOD["schools"]
    return findings({"schools": GOOD["schools"].replace(old, new)})


def places(found: list[Finding]) -> list[tuple[str, str, int | None, str]]:
    return [(f.rule, f.file, f.line, f.column) for f in found]


def test_a_right_table_becomes_typed(tmp_path: Path) -> None:
    for name, content in GOOD.items():
        (tmp_path / f"{name}.csv").write_text(content, "utf-8")
    raws = {n: read_raw(tmp_path / f"{n}.csv", tmp_path, n, f"{n}.csv")[0] for n in GOOD}
    read = check_tables({n: r for n, r in raws.items() if r is not None}, REGISTRIES)
    assert not read.findings
    table = read.tables["schools"]
    assert {c: str(t) for c, t in table.dtypes.items()} == {
        "county_code": "str",
        "grade": "int64",
        "seats": "int64",
        "share": "float64",
        "public": "bool",
        "measures": "str",
        "note_zh": "str",
    }
    assert table["seats"].tolist() == [1200, 900, 40]
    assert np.isnan(table["share"][1])
    assert table["public"].tolist() == [True, False, True]
    assert table["note_zh"].tolist() == ["甲", "", ""]
    assert read.lines["schools"].tolist() == [2, 3, 4]


def test_the_sentence_planners_see() -> None:
    (found,) = schools("1200", '"1,2OO"')
    assert found.sentence("zh") == 'schools.csv 第2行「seats」列:"1,2OO" 不是整数(是否应为 1200?)'
    assert found.sentence("en") == 'schools.csv line 2, column "seats": "1,2OO" is not an integer (did you mean 1200?)'


def test_all_faults_of_all_files_come_together() -> None:
    content = GOOD["schools"].replace("1200", "x").replace(",no,", ",nein,").replace("330105,1", "330199,12")
    found = findings({"schools": content, "counties": GOOD["counties"].replace("拱墅区", "")})
    assert places(found) == [
        ("required", "counties.csv", 3, "name_zh"),
        ("not_integer", "schools.csv", 2, "seats"),
        ("not_boolean", "schools.csv", 3, "public"),
        ("above_maximum", "schools.csv", 4, "grade"),
        ("reference", "schools.csv", 4, "county_code"),
    ]


def test_a_duplicate_key_names_both_lines() -> None:
    (found,) = schools("330102,2", "330102,1")
    assert places([found]) == [("duplicate_key", "schools.csv", 3, "county_code, grade")]
    assert "第2行" in found.zh
    assert "line 2" in found.en


def test_a_broken_key_does_not_break_the_references_to_it() -> None:
    found = findings({"counties": GOOD["counties"].replace("330102", "33O102")})
    assert places(found) == [("pattern", "counties.csv", 2, "county_code")]
    assert found[0].fix == "330102"
    assert "330105" in found[0].zh


def test_the_same_fault_on_many_lines_is_told_once() -> None:
    content = GOOD["counties"] + "".join(f"3302{i:02d},n/a\n" for i in range(3))
    found = findings({"counties": content, "schools": GOOD["schools"].replace("330102", "339999")})
    (one,) = found
    assert (one.line, one.also) == (2, (3,))
    assert "第3行" in one.sentence("zh")


def test_very_many_different_faults_are_counted_not_listed() -> None:
    content = GOOD["counties"] + "".join(f"{i},x\n" for i in range(500))
    found = findings({"counties": content})
    assert len(found) == 101
    assert {f.rule for f in found} == {"pattern", "further"}


@pytest.mark.parametrize(
    ("old", "new", "rule", "column", "fix"),
    [
        ("seats,", "seat,", "unknown_column", "seat", "seats"),
        ("seats,", "座位,", "unknown_column", "座位", "seats"),
        ("seats,", "Seats,", "unknown_column", "Seats", "seats"),
        ("seats,", "seats ,", "unknown_column", "seats ", "seats"),
        ("seats,", "grade,", "duplicate_column", "grade", ""),
        ("seats,", "身份证号,", "identity_column", "身份证号", ""),
        ("seats,", "pupil_name,", "identity_column", "pupil_name", ""),
    ],
)
def test_faults_of_the_header(old: str, new: str, rule: str, column: str, fix: str) -> None:
    found = schools(old, new)
    assert (rule, "schools.csv", 1, column) in places(found)
    assert next(f.fix for f in found if f.rule == rule) == fix
    assert {f.rule for f in found} <= {rule, "missing_column"}
    assert (len(found) == 1) == bool(fix)


def test_a_missing_a_surplus_and_a_nameless_column() -> None:
    lines = [line.rpartition(",")[0] for line in GOOD["schools"].splitlines()]
    assert places(findings({"schools": "\n".join(lines)})) == [("missing_column", "schools.csv", 1, "note_zh")]
    wide = "\n".join(f"{line},{'zzz' if i == 0 else 'x'}" for i, line in enumerate(GOOD["schools"].splitlines()))
    assert places(findings({"schools": wide})) == [("unknown_column", "schools.csv", 1, "zzz")]
    nameless = "\n".join(f"{line}," for line in GOOD["schools"].splitlines())
    assert places(findings({"schools": nameless})) == [("unnamed_column", "schools.csv", 1, "")]


def test_a_comma_too_many_is_traced_to_its_cell() -> None:
    (found,) = schools("1200", "1,200")
    assert places([found]) == [("too_many_cells", "schools.csv", 2, "seats")]
    assert found.fix == "1200"
    (found,) = schools("甲", "甲,乙")
    assert (found.rule, found.line, found.fix) == ("too_many_cells", 2, '"甲,乙"')


def test_a_row_too_short_and_an_empty_row() -> None:
    assert places(schools("330105,1,40,1,yes,M003,\n", "330105,1,40\n")) == [("too_few_cells", "schools.csv", 4, "")]
    found = findings({"schools": GOOD["schools"] + ",,,,,,\n"})
    assert places(found) == [("blank_row", "schools.csv", 5, "")]


@pytest.mark.parametrize(
    ("cell", "rule", "fix"),
    [
        ("M001,M002", "list_separator", "M001;M002"),
        ("M001;M001", "repeated_part", "M001"),
        ("M001;", "empty_part", "M001"),
        ("M001; M002", "outer_space", "M001;M002"),
        ("M001;X", "pattern", ""),
    ],
)
def test_faults_of_a_cell_with_several_values(cell: str, rule: str, fix: str) -> None:
    (found,) = schools("M001;M002", f'"{cell}"')
    assert (found.rule, found.line, found.column, found.fix) == (rule, 2, "measures", fix)


def test_an_identity_number_is_refused_and_not_repeated() -> None:
    (found,) = schools("甲", "110101201501011234")
    assert found.rule == "identity_number"
    assert "110101201501011234" not in str(found.record())


def test_no_rows() -> None:
    assert places(findings({"counties": "county_code,name_zh\n"}))[0] == ("no_rows", "counties.csv", None, "")


def test_values_set_from_outside_are_blamed_on_who_set_them() -> None:
    raw, _ = parse_csv(GOOD["counties"].encode(), "counties", "counties.csv")
    assert raw is not None
    raw.columns[1][0] = ""
    raw.origins[0, "name_zh"] = ("--set x", None)
    (found,) = check_tables({"counties": raw}, {"counties": COUNTIES}).findings
    assert (found.rule, found.file, found.line) == ("required", "--set x", None)


def test_read_table_raises_with_everything(tmp_path: Path) -> None:
    path = tmp_path / "counties.csv"
    path.write_bytes((GOOD["counties"] + "330106,\n44,x\n").encode("gb18030"))
    with pytest.raises(InputErrors) as caught:
        read_table(path, COUNTIES)
    assert [f.rule for f in caught.value.errors] == ["required", "pattern"]
    assert [f.rule for f in caught.value.notices] == ["gb18030"]
    path.write_bytes(GOOD["counties"].encode("gb18030"))
    assert read_table(path, COUNTIES)["name_zh"].tolist() == ["上城区", "拱墅区"]


def test_hostile_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "scenario"
    inside.mkdir()
    secret = tmp_path / "secret.csv"
    secret.write_text(GOOD["counties"], "utf-8")
    (inside / "link.csv").symlink_to(secret)
    (inside / "loop.csv").symlink_to(inside / "loop.csv")
    (inside / "folder.csv").mkdir()
    (inside / "device.csv").symlink_to("/dev/zero")
    (inside / "big.csv").write_text(GOOD["counties"], "utf-8")
    monkeypatch.setattr(files, "MAX_BYTES", 10)
    expected = {
        "link": "link_outside",
        "loop": "unreadable",
        "folder": "not_a_file",
        "device": "link_outside",
        "big": "too_large",
        "absent": "missing_file",
    }
    for name, rule in expected.items():
        raw, source, found = read_raw(inside / f"{name}.csv", inside, "counties", f"{name}.csv")
        assert raw is None
        assert source is None
        assert [f.rule for f in found] == [rule]


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    _, _, found = read_raw(tmp_path / "pipe.csv", tmp_path, "counties", "pipe.csv")
    assert [f.rule for f in found] == ["not_a_file"]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ("city_code,name_zh\n330100,杭州\n".encode("utf-16"), "utf16"),
        (("city_code,name_zh\n" + "330100,x\n" * 20).encode("utf-16-le"), "utf16"),
        (bytes(range(256)) * 40, "not_text"),
        (bytes(10_000), "utf16"),
    ],
)
def test_what_is_no_text_is_told_once(data: bytes, rule: str) -> None:
    _, found = to_utf8(data, "x.csv")
    assert [f.rule for f in found] == [rule]


def test_a_file_cannot_talk_to_the_terminal() -> None:
    said = finding("unknown_column", "\x1b]0;x\x07.csv", line=1, column="a\x1b[2J", value="\x1b[31m")
    assert all(c.isprintable() for c in said.sentence("en") + said.sentence("zh"))
