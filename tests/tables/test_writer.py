"""Equal tables are equal bytes; a file is there whole or not at all; nothing written is a formula."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zjsim.tables.reader import read_table
from zjsim.tables.schema import Column, Registry
from zjsim.tables.writer import csv_bytes, format_number, write_atomic, write_csv, write_registry


def test_the_form_of_a_table() -> None:
    table = pd.DataFrame(
        {
            "n": [1, 2],
            "x": [0.1 + 0.2, np.nan],
            "ok": [True, False],
            "t": ["=1+1", "甲,乙"],
            "mixed": pd.Series([None, 3.0], dtype=object),
        }
    )
    assert csv_bytes(table).decode() == 'n,x,ok,t,mixed\n1,0.3,yes,\'=1+1,\n2,,no,"甲,乙",3\n'
    assert "\n1,0.3,yes,=1+1,\n" in csv_bytes(table, guard=False).decode()


@pytest.mark.parametrize("text", ["=1", "+SUM(A1)", "-x", "@x", "\tx"])
def test_text_that_looks_like_a_formula_is_guarded(text: str) -> None:
    assert csv_bytes(pd.DataFrame({"t": [text]})).decode().split("\n")[1].strip('"').startswith("'")


@pytest.mark.parametrize("text", ["-5", "-5.2%", "+3", "1e-5", "甲"])
def test_numbers_as_text_are_left_alone(text: str) -> None:
    assert csv_bytes(pd.DataFrame({"t": [text]})).decode() == f"t\n{text}\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (3.0, "3"),
        (1 / 3, "0.3333333333"),
        (1e-7, "1e-07"),
        (1e20, "1e+20"),
        (64567588.0, "64567588"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert format_number(value) == text


@given(st.floats(-1e300, 1e300))
def test_numbers_keep_ten_digits(value: float) -> None:
    assert float(format_number(value)) == pytest.approx(value, rel=1e-9, abs=0)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_csv(pd.DataFrame({"a": [1]}), path)
    with pytest.raises(TypeError):
        write_atomic(path, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"a\n1\n"
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


THINGS = Registry(
    "things",
    "物",
    "Things",
    key=("id",),
    columns=(
        Column("id", "code", "编号", "Id", pattern=r"^T\d+$"),
        Column("x", "number", "数", "Number", required=False),
        Column("n", "integer", "数", "Number"),
        Column("ok", "boolean", "是否", "Flag"),
        Column("t", "text", "文字", "Text", required=False),
    ),
)


@given(
    st.lists(
        st.tuples(
            st.one_of(st.just(np.nan), st.floats(-1e12, 1e12)),
            st.integers(-(10**14), 10**14),
            st.booleans(),
            st.sampled_from(["", "甲", "a,b", 'say "x"', "two\nlines"]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_a_registry_is_read_back_unchanged(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, ...]]
) -> None:
    table = pd.DataFrame([(f"T{i}", *row) for i, row in enumerate(rows)], columns=["id", "x", "n", "ok", "t"])
    table["x"] = table["x"].astype(float)
    path = tmp_path_factory.mktemp("w") / "things.csv"
    write_registry(table, path)
    back = read_table(path, THINGS)
    pd.testing.assert_frame_equal(back, table, check_exact=True)
