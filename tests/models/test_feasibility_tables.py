"""Words in the table of targets: a Chinese sentence has Chinese units."""

from __future__ import annotations

import pytest
from zjsim.models.feasibility_tables import _amount, _unit

from zjsim.simulate.inputs import UncertainInput
from zjsim.texts import Language


@pytest.mark.parametrize(
    ("unit", "unit_zh", "lang", "wanted"),
    [
        ("days", "", "zh", "天"),
        ("days", "工作日", "zh", "工作日"),
        ("days", "工作日", "en", "days"),
        ("a unit of its own", "", "zh", "a unit of its own"),
        ("months", "", "en", "months"),
    ],
)
def test_units_are_said_in_the_language_of_the_sentence(unit: str, unit_zh: str, lang: Language, wanted: str) -> None:
    source = UncertainInput("PP1", 1.0, 2.0, 3.0, "triangular", unit, "assumption", "甲", "A", unit_zh)
    assert _unit(source, lang) == wanted


@pytest.mark.parametrize(
    ("unit", "value", "zh", "en"),
    [
        ("share", 0.03258, "3.258%", "3.258%"),
        ("probability", 3.906e-05, "0.003906%", "0.003906%"),
        ("months", 26.0, "26，单位：月", "26 months"),
        ("persons", 91234.6, "91,235，单位：月", "91,235 persons"),
    ],
)
def test_a_break_even_is_said_as_people_say_it(unit, value, zh, en):
    source = UncertainInput("PP1", 1.0, 2.0, 3.0, "triangular", unit, "assumption", "甲", "A", "月")
    assert (_amount(value, source, "zh"), _amount(value, source, "en")) == (zh, en)
