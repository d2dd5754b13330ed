"""What a wrong cell was probably meant to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zjsim.tables.schema import Column
from zjsim.tables.values import nearest, problem_of

SEATS = Column("seats", "integer", "座位", "Seats", minimum=0, maximum=100_000)
SHARE = Column("share", "number", "占比", "Share", minimum=0, maximum=1)
AMOUNT = Column("amount", "number", "数额", "Amount")
DAY = Column("day", "date", "日期", "Day")
FLAG = Column("flag", "boolean", "是否", "Flag")
CODE = Column("code", "code", "代码", "Code", pattern=r"^33\d{4}$")
MOE = Column("moe", "code", "代码", "Code", pattern=r"^\d{5}$")
MEASURE = Column("measure", "code", "条目", "Measure", pattern=r"^M\d{3}$")
KIND = Column("kind", "choice", "类别", "Kind", choices=("public", "private"))
NAME = Column("name", "text", "名称", "Name")
MANY = Column("many", "code", "条目", "Measures", pattern=r"^M\d{3}$", separator=";")


@pytest.mark.parametrize(
    ("column", "value", "rule", "fix"),
    [
        (SEATS, "1,2OO", "not_integer", "1200"),
        (SEATS, "1,200", "not_integer", "1200"),
        (SEATS, "１２００", "not_integer", "1200"),
        (SEATS, "1，200", "not_integer", "1200"),
        (SEATS, "1 200", "not_integer", "1200"),
        (SEATS, "1200.0", "not_integer", "1200"),
        (SEATS, "1.2E+03", "not_integer", "1200"),
        (SEATS, "l2", "not_integer", "12"),
        (SEATS, "12人", "not_integer", "12"),
        (SEATS, "1.2万", "not_integer", "12000"),
        (SEATS, "一千二百", "not_integer", "1200"),
        (SEATS, "约1200", "not_integer", "1200"),
        (SEATS, "007", "not_integer", "7"),
        (SEATS, "+5", "not_integer", "5"),
        (SEATS, "12.5", "not_integer", ""),
        (SEATS, "abc", "not_integer", ""),
        (SEATS, "2024/1/5", "not_integer", ""),
        (SEATS, "-3", "below_minimum", "3"),
        (SEATS, "100001", "above_maximum", ""),
        (SEATS, "N/A", "placeholder_required", ""),
        (SEATS, "-0", "not_integer", "0"),
        (SHARE, "85%", "not_number", "0.85"),
        (SHARE, "85％", "not_number", "0.85"),
        (SHARE, "85", "above_maximum", "0.85"),
        (SHARE, "0,85", "not_number", "0.85"),
        (SHARE, ".5", "not_number", "0.5"),
        (SHARE, "nan", "placeholder_required", ""),
        (AMOUNT, "inf", "not_number", ""),
        (AMOUNT, "1e999", "not_number", ""),
        (AMOUNT, "1.934e+03", "scientific", "1934"),
        (AMOUNT, "1E3", "scientific", "1000"),
        (SHARE, "1.88e-02", "scientific", "0.0188"),
        (SHARE, "-0.0", "not_number", "0"),
        (AMOUNT, "1_000", "not_number", "1000"),
        (AMOUNT, "(1200)", "not_number", "-1200"),
        (AMOUNT, "#DIV/0!", "sheet_error", ""),
        (DAY, "2024/12/31", "not_date", "2024-12-31"),
        (DAY, "2024年5月1日", "not_date", "2024-05-01"),
        (DAY, "20241231", "not_date", "2024-12-31"),
        (DAY, "2024.1.5", "not_date", "2024-01-05"),
        (DAY, "2024-12-31 00:00:00", "not_date", "2024-12-31"),
        (DAY, "45657", "not_date", "2024-12-31"),
        (DAY, "31/12/2024", "not_date", "2024-12-31"),
        (DAY, "2O24-12-31", "not_date", "2024-12-31"),
        (DAY, "2024-02-30", "not_date", ""),
        (DAY, "2024-13-01", "not_date", ""),
        (FLAG, "是", "not_boolean", "yes"),
        (FLAG, "TRUE", "not_boolean", "yes"),
        (FLAG, "0", "not_boolean", "no"),
        (FLAG, "maybe", "not_boolean", ""),
        (CODE, "330102.0", "pattern", "330102"),
        (CODE, "33O102", "pattern", "330102"),
        (CODE, "３３０１０２", "pattern", "330102"),
        (CODE, "3.30102E+05", "pattern", "330102"),
        (CODE, "440102", "pattern", ""),
        (CODE, " 330102", "outer_space", "330102"),
        (MOE, "0335", "pattern", "00335"),
        (MEASURE, "m001", "pattern", "M001"),
        (MEASURE, "MO01", "pattern", "M001"),
        (KIND, "Public", "unknown_choice", "public"),
        (KIND, "publik", "unknown_choice", "public"),
        (KIND, "zzz", "unknown_choice", ""),
        (NAME, "=SUM(A1:A3)", "formula", ""),
        (NAME, "@cmd", "formula", ""),
        (NAME, "#REF!", "sheet_error", ""),
        (NAME, "杭州 ", "outer_space", "杭州"),
        (NAME, "杭\u200b州", "invisible", "杭州"),
        (NAME, "杭\ufffd", "encoding", ""),
        (NAME, "330102201501011234", "identity_number", ""),
        (MANY, "M001,M002", "list_separator", "M001;M002"),
        (MANY, "M001、M002", "list_separator", "M001;M002"),
    ],
)
def test_rule_and_probable_value(column: Column, value: str, rule: str, fix: str) -> None:
    if column.separator:
        from zjsim.tables.checks import _problem_of_list as judge
    else:
        judge = problem_of
    problem = judge(value, column)
    assert problem is not None
    assert (problem.rule, problem.fix) == (rule, fix)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (SEATS, "0"),
        (SEATS, "100000"),
        (SHARE, "0.85"),
        (SHARE, "1e-05"),
        (AMOUNT, "-12.5"),
        (DAY, "2024-02-29"),
        (FLAG, "no"),
        (CODE, "330102"),
        (KIND, "private"),
        (NAME, "“浙教助企”(2024—2027年), 3 万家次 - 5 %"),
        (NAME, "-5 %"),
    ],
)
def test_right_values_pass(column: Column, value: str) -> None:
    assert problem_of(value, column) is None


@given(st.sampled_from([SEATS, SHARE, AMOUNT, DAY, FLAG, CODE, MOE, KIND, NAME]), st.text(max_size=12))
def test_a_probable_value_is_always_a_right_one(column: Column, value: str) -> None:
    problem = problem_of(value, column)
    if problem is not None and problem.fix and problem.rule != "invisible":
        assert problem_of(problem.fix, column) is None


@given(st.integers(0, 100_000), st.sampled_from(["{:,}", "{}.0", "{}人", " {}", "{}\u3000", "'{}", "{}个"]))
def test_disguised_integers_are_recognised(number: int, disguise: str) -> None:
    value = disguise.format(number)
    problem = problem_of(value, SEATS)
    if value == str(number):
        assert problem is None
    else:
        assert problem is not None
        assert problem.fix == str(number)


def test_nearest_gives_up_on_strangers() -> None:
    assert nearest("countys", ["counties", "cities"]) == "counties"
    assert nearest("zzz", ["counties", "cities"]) == ""
    assert nearest("", ["counties"]) == ""
