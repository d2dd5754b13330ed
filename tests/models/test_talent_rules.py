"""Every rule of talent supply on a toy solved by hand: its value with the rule, and the better one without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from zjsim.models.talent_model import RULES
from zjsim.models.talent_supply import solve_talent_of
from zjsim.models.talent_terms import Group, GroupKey, TalentData

from zjsim.solve.results import Infeasible, Optimal

A: GroupKey = ("A", "undergraduate", "K1", "regular")
B: GroupKey = ("A", "undergraduate", "K2", "regular")
YEARS = (2025, 2026, 2027)
NOBODY_LEAVES = Group(duration=1, keep=1.0, history=100.0, announced=100.0, most_change=1000.0)


def toy(groups: Mapping[GroupKey, Group], demand: Mapping[tuple[str, int], float], **more: Any) -> TalentData:
    """One-year programmes at host A: who is admitted in 2026 graduates in 2027. K1 fits sector S1, K2 fits S2."""
    given: dict[str, Any] = {
        "years": YEARS,
        "first": 2026,
        "groups": groups,
        "cases": {"one": 1.0},
        "demand": {(s, "undergraduate", t, "one"): n for (s, t), n in demand.items()},
        "relevance": {("K1", "S1"): 3, ("K2", "S2"): 3},
        "norm": {"K1": 10.0, "K2": 10.0},
        "teachers": {("A", "K1"): 1e4, ("A", "K2"): 1e4},
        "places": {"A": 1e5},
        "joint_most": 1.0,
        "mild_share": 1.0,
        "share_not_falling": False,
    }
    return TalentData(**(given | more))


@dataclass(frozen=True)
class Toy:
    """A problem, and the values of unmet demand, mismatch, change and cost with the rule and without it."""

    data: TalentData
    value: tuple[float, float, float, float]
    without: tuple[float, float, float, float] | None


ONE = {A: NOBODY_LEAVES}
WANTS_150 = {("S1", 2027): 150.0}
TOYS: dict[str, Toy] = {
    # 150 are wanted, 100 come each year: 50 more, which is change of 50 (and counts as none without the rule).
    "intake_change_counted": Toy(toy(ONE, WANTS_150), (0, 0, 50, 0), (0, 0, 0, 0)),
    # Only 30 more may come: 20 stay unmet.
    "yearly_change": Toy(toy({A: replace(NOBODY_LEAVES, most_change=30)}, WANTS_150), (20, 0, 30, 0), (0, 0, 50, 0)),
    # A new group of at most 40 meets 40 of 60; opened, it counts 30 and its students. Without: 60 from nowhere.
    "opened_groups": Toy(
        toy({A: Group(1, 1.0, 0, 0, 1000, may_open=True, cap=40)}, {("S1", 2027): 60.0}, minimum_size=10),
        (20, 0, 70, 0),
        (0, 0, 60, 0),
    ),
    # Nobody wants 100 graduates of K1: closing costs 30 and 100; without the rule a class of none needs no closing.
    "closed_groups": Toy(
        toy({A: replace(NOBODY_LEAVES, may_close=True)}, {("S2", 2027): 1.0}, minimum_size=40),
        (1, 0, 130, 0),
        (1, 0, 100, 0),
    ),
    # Two candidates, one opening: 40 of 80 are met.
    "openings_per_host": Toy(
        toy(
            {g: Group(1, 1.0, 0, 0, 1000, may_open=True, cap=40) for g in (A, B)},
            {("S1", 2027): 40.0, ("S2", 2027): 40.0},
        ),
        (40, 0, 70, 0),
        (0, 0, 140, 0),
    ),
    # 12 teachers teach 120, and nobody is hired.
    "within_teachers": Toy(toy(ONE, WANTS_150, teachers={("A", "K1"): 12.0}), (30, 0, 20, 0), (0, 0, 50, 0)),
    # One teacher in ten may be hired: 13.2 teach 132, 18 stay unmet; 1.2 teachers for 2 years cost 2.4.
    "hiring_limit": Toy(
        toy(ONE, WANTS_150, teachers={("A", "K1"): 12.0}, hire_share=0.1), (18, 0, 32, 2.4), (0, 0, 50, 6)
    ),
    "within_places": Toy(toy(ONE, WANTS_150, places={"A": 120.0}), (30, 0, 20, 0), (0, 0, 50, 0)),
    # A tenth of 120 places may be built, at once: 132 places, 12 of them at 1 each.
    "building_limit": Toy(
        toy(ONE, WANTS_150, places={"A": 120.0}, build_share=0.1, build_years=0), (18, 0, 32, 12), (0, 0, 50, 30)
    ),
    # The state lets 120 in.
    "total_of_level": Toy(toy(ONE, WANTS_150, totals={("undergraduate", 2026): 120.0}), (30, 0, 20, 0), (0, 0, 50, 0)),
    # 200 in all, half of them of the fields; S2 wants 130 of K2, but K1 must stay at 100.
    "field_share_not_falling": Toy(
        toy(
            {A: replace(NOBODY_LEAVES, counted=True, of_field=True), B: replace(NOBODY_LEAVES, counted=True)},
            {("S2", 2027): 130.0},
            totals={("undergraduate", 2026): 200.0},
            share_not_falling=True,
        ),
        (30, 100, 0, 0),
        (0, 70, 60, 0),
    ),
    # Nobody needs K1 but 25 are ordered: the intake falls to 25 instead of 0, and they find no place.
    "order_classes_kept": Toy(
        toy(ONE, {("S2", 2027): 1.0}, orders={(A, "S1"): (2026, 25.0)}), (1, 25, 75, 0), (1, 0, 100, 0)
    ),
    # S1 and S3 want 100 each, S3 counts double, but 25 graduates are ordered by S1: 75 go to S3, 25 stay unmet there.
    "order_graduates_go": Toy(
        toy(
            {A: replace(NOBODY_LEAVES, most_change=0)},
            {("S1", 2027): 100.0, ("S3", 2027): 100.0},
            relevance={("K1", "S1"): 3, ("K1", "S3"): 3},
            priority={"S3": 2},
            orders={(A, "S1"): (2026, 25.0)},
        ),
        (125, 0, 0, 0),
        (100, 0, 0, 0),
    ),
    # 100 graduates of whom half look for work here: 50 of 60 are met at no change; without, they come from nowhere.
    "graduates_placed": Toy(
        toy({A: replace(NOBODY_LEAVES, most_change=0)}, {("S1", 2027): 60.0}, available={"undergraduate": 0.5}),
        (10, 0, 0, 0),
        (0, 0, 0, 0),
    ),
    # 150 wanted, 100 come; without the rule nothing is unmet.
    "demand_filled": Toy(toy({A: replace(NOBODY_LEAVES, most_change=0)}, WANTS_150), (50, 0, 0, 0), (0, 0, 0, 0)),
    # 50 of 150 are missing, a fifth (30) mild and 20 severe, which count double.
    "mild_shortage": Toy(
        toy({A: replace(NOBODY_LEAVES, most_change=0)}, WANTS_150, mild_share=0.2), (70, 0, 0, 0), (50, 0, 0, 0)
    ),
    # 12 teachers for 120; each joint student takes half the time, a fifth at most: 120 / 0.9.
    "joint_within_intake": Toy(
        toy(
            {A: replace(NOBODY_LEAVES, joint=True)},
            WANTS_150,
            teachers={("A", "K1"): 12.0},
            joint_most=0.2,
            joint_relief=0.5,
        ),
        (150 - 12 * 10 / 0.9, 0, 12 * 10 / 0.9 - 100, 12 * 10 / 0.9 * 0.2),
        (0, 0, 50, 60),
    ),
    # A tenth of 100 is trained jointly, at 1 each.
    "joint_share": Toy(
        toy({A: replace(NOBODY_LEAVES, joint=True)}, {("S1", 2027): 100.0}, joint_least={2026: 0.1}),
        (0, 0, 0, 10),
        (0, 0, 0, 0),
    ),
}


def values(data: TalentData, without: tuple[str, ...] = ()) -> tuple[float, ...]:
    result = solve_talent_of(data, without=without)
    assert isinstance(result, Optimal)
    return tuple(s.value for s in result.stages)


def test_every_rule_has_a_toy() -> None:
    assert set(TOYS) == set(RULES)
    assert all((rule.__doc__ or "").count("Unit") and "M0" in (rule.__doc__ or "") for rule in RULES.values())


@pytest.mark.parametrize("rule", TOYS)
def test_a_toy_solved_by_hand(rule: str) -> None:
    assert values(TOYS[rule].data) == pytest.approx(TOYS[rule].value, abs=1e-6)


@pytest.mark.parametrize("rule", TOYS)
def test_without_its_rule_the_answer_is_another(rule: str) -> None:
    toy = TOYS[rule]
    assert toy.without is not None
    assert values(toy.data, (rule,)) == pytest.approx(toy.without, abs=1e-6)
    assert toy.value != toy.without


def test_an_impossible_plan_names_what_conflicts() -> None:
    data = toy(ONE, WANTS_150, places={"A": 50.0}, totals={("undergraduate", 2026): 60.0})
    result = solve_talent_of(data)
    assert isinstance(result, Infeasible)
    assert {m.split("[")[0] for m in result.conflict.members} == {"within_places", "building_limit", "total_of_level"}
    assert "学位" in result.conflict.zh
    assert "places" in result.conflict.en


def test_the_next_admission_is_the_same_in_every_case_and_later_ones_follow_it() -> None:
    """Demand of 2027 is 90 or 110, that of 2028 150 or 50: 2026 is decided once, 2027 by case."""
    demand = {
        ("S1", "undergraduate", t, c): n
        for t, c, n in ((2027, "low", 90.0), (2027, "high", 110.0), (2028, "low", 50.0), (2028, "high", 150.0))
    }
    data = replace(toy(ONE, {}), years=(2025, 2026, 2027, 2028), cases={"low": 0.4, "high": 0.6}, demand=demand)
    result = solve_talent_of(data)
    assert isinstance(result, Optimal)
    plan = result.plan
    assert plan.intake[A, 2026, "low"] == pytest.approx(110)
    assert plan.intake[A, 2026, "high"] == pytest.approx(110)
    assert plan.intake[A, 2027, "low"] == pytest.approx(50)
    assert plan.intake[A, 2027, "high"] == pytest.approx(150)
    assert [s.value for s in result.stages] == pytest.approx([0, 0.4 * 20, 10 + 0.4 * 60 + 0.6 * 40, 0])
