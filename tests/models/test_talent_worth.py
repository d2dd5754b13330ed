"""What planning for cases is worth, and what one more teacher, place or student buys: by hand."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from zjsim.models.talent_model import build_talent_model
from zjsim.models.talent_prices import price_table, prices
from zjsim.models.talent_report import Names
from zjsim.models.talent_supply import talent_goals
from zjsim.models.talent_uncertainty import added, uncertainty, uncertainty_table

from zjsim.solve.faces import solve_by_faces
from zjsim.solve.goals import Prepared
from zjsim.solve.options import Options
from zjsim.solve.results import Optimal


def rules_file() -> Any:
    spec = importlib.util.spec_from_file_location("_talent_rules", Path(__file__).with_name("test_talent_rules.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    __import__("sys").modules["_talent_rules"] = module
    spec.loader.exec_module(module)
    return module


FILE = rules_file()


def solved(data: Any) -> tuple[Prepared, Any]:
    m = build_talent_model(data)
    prepared = Prepared(m, talent_goals(m), Options())
    result = solve_by_faces(prepared)
    assert isinstance(result, Optimal)
    return prepared, result


def two_cases() -> Any:
    """Demand of 2027 is 90 or 110, that of 2028 50 or 150; 2026 is decided before it is known."""
    demand = {
        ("S1", "undergraduate", t, c): n
        for t, c, n in ((2027, "low", 90.0), (2027, "high", 110.0), (2028, "low", 50.0), (2028, "high", 150.0))
    }
    return replace(
        FILE.toy(FILE.ONE, {}), years=(2025, 2026, 2027, 2028), cases={"low": 0.4, "high": 0.6}, demand=demand
    )


def test_the_worth_of_cases_and_of_knowing_them_by_hand() -> None:
    """The plan admits 110 first. For the mean demand, 102: 8 stay unmet in the high case, 4.8 expected; 12 idle in the
    low one. Who knows the case admits 90 or 110: nobody is idle, where the plan has 20 idle in the low case."""
    data = two_cases()
    prepared, result = solved(data)
    found = uncertainty(data, prepared, result.stages, Options())
    assert [u.two_stage for u in found] == pytest.approx([0, 8, 58, 0])
    assert [u.mean_value for u in found] == pytest.approx([4.8, 4.8, 2 + 0.4 * 52 + 0.6 * 48, 0])
    assert [u.known for u in found] == pytest.approx([0, 0, 50, 0])
    assert (found[0].vss, found[1].evpi) == pytest.approx((4.8, 8))
    first_two = uncertainty(data, prepared, result.stages, Options(), goals=2)
    assert [u.vss for u in first_two] == pytest.approx([u.vss for u in found[:2]])
    assert [u.evpi for u in first_two] == pytest.approx([u.evpi for u in found[:2]])
    table = uncertainty_table(added([found, found]))
    assert table["vss"].tolist()[0] == pytest.approx(9.6)
    assert "9.6" in table["said_zh"][0]
    assert "16.0" in table["said_en"][1]
    assert "for reference" in table["said_en"][1], "an earlier goal differs already"


def test_with_one_case_nothing_is_uncertain() -> None:
    data = FILE.TOYS["within_teachers"].data
    prepared, result = solved(data)
    assert all(u.vss == 0 == u.evpi for u in uncertainty(data, prepared, result.stages, Options()))


@pytest.mark.parametrize(
    ("rule", "resource", "goal", "gain"),
    [
        ("within_teachers", "teachers", "unmet_demand", 10.0),  # one more teacher of 10 students; 30 are unmet
        ("within_places", "places", "unmet_demand", 10.0),
        ("yearly_change", "change", "unmet_demand", 10.0),
        ("total_of_level", "total", "unmet_demand", 30.0),  # 100 more may come, 30 are wanted: the dual says 100
        ("hiring_limit", "teachers", "unmet_demand", 10.0),
    ],
)
def test_what_one_more_buys_by_hand(rule: str, resource: str, goal: str, gain: float) -> None:
    data = FILE.TOYS[rule].data
    prepared, result = solved(data)
    found = {p.resource: p for p in prices(prepared, result.plan)}
    assert (found[resource].goal, found[resource].gain) == (goal, pytest.approx(gain))
    if rule == "total_of_level":
        assert found[resource].by_dual == pytest.approx(100)
    names = Names({"A": ("甲校", "College A")}, {"K1": ("一类", "Class 1"), "K2": ("二类", "Class 2")}, {})
    table = price_table(list(found.values()), data, names)
    said = table.set_index("resource").loc[resource]
    assert f"{gain:.1f}" in said["said_zh"]
    assert "unmet demand falls" in said["said_en"]


def test_what_binds_nothing_has_no_price() -> None:
    """100 are wanted and come: nothing is unmet, idle, changed or spent, so nothing more is worth anything."""
    data = FILE.toy({FILE.A: replace(FILE.NOBODY_LEAVES, most_change=0)}, {("S1", 2027): 100.0})
    prepared, result = solved(data)
    assert all(p.gain == 0 for p in prices(prepared, result.plan))


def test_teachers_whose_time_the_ledger_gives_outside_are_not_counted_twice() -> None:
    """12 teachers of whom a tenth is away teach 108, so 42 of 150 stay unmet, where 30 did."""
    data = replace(FILE.TOYS["within_teachers"].data, away={("A", 2026): 0.1})
    _, result = solved(data)
    assert result.stages[0].value == pytest.approx(42)
