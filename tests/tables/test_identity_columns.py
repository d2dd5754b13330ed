"""Columns that could identify a child or a parent are refused in every registry, under Chinese and English headings."""

from __future__ import annotations

import numpy as np
import pytest

from zjsim.tables.header import check_header, could_identify
from zjsim.tables.raw import RawTable
from zjsim.tables.registries import REGISTRIES

HEADINGS = (
    "姓名", "学生姓名", "姓名（必填）", "孩子姓名", "监护人", "监护人姓名", "家长 姓名", "身份证号", "身份证号码",
    "证件号码", "学籍号", "护照号", "手机", "手机号码", "联系电话", "家庭住址", "详细地址", "出生日期", "出生年月",
    "生日", "name", "Name", "Full name", "child_name", "Pupil Name", "student-name", "ID number", "id_card",
    "guardian", "IDNo", "Passport No.", "phone", "Mobile phone", "telephone", "E-mail", "home address",
    "Date of birth", "birthday",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(REGISTRIES))
def test_every_registry_refuses_columns_that_could_identify_a_child(name: str) -> None:
    registry = REGISTRIES[name]
    header = [c.name for c in registry.columns]
    for heading in HEADINGS:
        columns = [np.array(["x"], dtype=object) for _ in range(len(header) + 1)]
        raw = RawTable(name, f"{name}.csv", [*header, heading], 1, columns, np.array([2]))
        _, found = check_header(raw, registry)
        assert [(f.rule, f.column) for f in found] == [("identity_column", heading)], heading


def test_declared_columns_could_identify_nobody() -> None:
    """No registry has a column that would be refused if it were not declared."""
    found = {(r, c.name) for r, d in REGISTRIES.items() for c in d.columns if could_identify(c.name)}
    assert found == set()


@pytest.mark.parametrize("heading", ["seats", "学位数", "named_by", "number", "规模"])
def test_other_headings_are_only_unknown(heading: str) -> None:
    assert not could_identify(heading)
