"""The cheapest repair of a shortfall against enumeration, its proof, and conflicts of goals made hard."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from runpy import run_path
from typing import Any

import pandas as pd
import pyomo.environ as pyo
import pytest
from zjsim.models import seat_repair_model
from zjsim.models.seat_county import ELASTIC, build, goals, solve_county
from zjsim.models.seat_data import STAGES, County, Switches, counties
from zjsim.models.seat_expansion import _by_clock, solve_seats
from zjsim.models.seat_repair_model import Repair, extra_spending_yuan, repair, repairs_of, room_price
from zjsim.models.seat_repairs import repairs, rule_repairs
from zjsim.models.seat_tables import CountyPlan

from zjsim.audit.seats import check
from zjsim.scenario import load
from zjsim.solve.goals import Prepared, lexicographic
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Stopped

OPTIONS = Options()
_BRUTE = run_path(str(Path(__file__).with_name("test_seat_expansion.py")))
_TOYS = run_path(str(Path(__file__).with_name("test_seat_rules.py")))
random_county, choices_of_grade, YEAR = (_BRUTE[n] for n in ("random_county", "choices_of_grade", "YEAR"))
county = _TOYS["county"]


def solved(d: County) -> CountyPlan:
    result = solve_county(d, OPTIONS)
    assert isinstance(result, Optimal)
    return result.plan


def cheapest(p: CountyPlan, goal: str) -> float | None:
    """Least spending of any plan and any rooms, staff and places added that make ``goal`` zero, by enumeration."""
    d, s = p.county, p.county.stages["primary"]
    reached = {g.name: g.value for g in p.stages}
    cap = min(s.purchase_places_max, d.private_places["primary", YEAR])
    most_places = max(cap, d.private_places["primary", YEAR])
    extensions = [0, *range(s.extension_rooms_min, s.extension_rooms_max + 1)]
    schools = [0, *range(s.school_rooms_min, s.school_rooms_max + 1)] if s.school_sites else [0]
    built = [
        (e, n)
        for e, n in itertools.product(extensions, schools)
        if e >= p.extension["primary", YEAR] and n >= p.school_rooms["primary", YEAR]
    ]
    local_all, covered_all = sum(d.local.values()), sum(d.covered.values())
    best = None
    for (c1, l1, p1, o1, b1), (c2, l2, p2, o2, b2) in itertools.product(choices_of_grade(d, 1), choices_of_grade(d, 2)):
        classes, bought, public = c1 + c2, b1 + b2, p1 + p2 + o1 + o2
        short = {
            "local_without_seat": local_all - l1 - l2,
            "covered_without_place": covered_all - p1 - p2 - bought,
            "public_share_fall": max(0.0, d.migrants_of_year[YEAR] * d.base_public_share - public),
        }
        kept = all(short[n] <= reached[n] + 1e-6 for n in short)
        if bought > most_places or not kept or short[goal] > 1e-6:
            continue
        for e, n in built:
            idle = classes < min(s.classrooms + e + n, s.staffed_classes[YEAR])
            if idle and bought > reached["bought_with_idle_rooms"]:
                continue
            rooms = max(0, classes - s.classrooms - e - n) * room_price(d, "primary")
            cost = e * s.extension_cost + n * s.school_cost + bought * s.purchase_price + rooms
            cost += max(0, classes - sum(d.classes_now.values())) * (s.equip_cost + s.running_cost)
            best = cost if best is None else min(best, cost)
    return best


@pytest.mark.parametrize("block", range(3))
def test_the_cheapest_repair_is_that_of_enumeration(block: int) -> None:
    tried = 0
    for seed in range(block * 20, block * 20 + 20):
        p = solved(random_county(seed))
        values = {g.name: g.value for g in p.stages}
        for goal in ("local_without_seat", "covered_without_place", "public_share_fall"):
            if values[goal] <= 0.01:
                continue
            found, best = repair(p, goal, OPTIONS), cheapest(p, goal)
            assert (found is None) == (best is None), (seed, goal)
            if found is not None:
                tried += 1
                assert found.spending == pytest.approx(best, abs=0.02), (seed, goal)
                assert found.verified, (seed, goal, found.left, found.again, found.spending)
    assert tried >= 8


def plan_short_of_two_rooms() -> tuple[CountyPlan, Repair]:
    """25 local children, one room of ten: the cheapest repair is two rooms at 30, equipped for 5 each."""
    p = solved(county({(1, 2025): 25}, classrooms=1, extension_rooms_max=4, extension_from=2099, extension_cost=30.0,
                      equip_cost=5.0, years=(2025,)))  # fmt: skip
    found = repair(p, "local_without_seat", OPTIONS)
    assert found is not None
    return p, found


def test_a_repair_solved_by_hand() -> None:
    p, found = plan_short_of_two_rooms()
    assert found.rooms["primary", 2025] == 2
    assert found.staffed["primary", 2025] == 0
    assert found.spending == pytest.approx(2 * 30 + 3 * 5)
    assert found.verified
    assert extra_spending_yuan(p, found, "primary", 2025) == pytest.approx((2 * 30 + 2 * 5) * 10_000)


def test_staff_and_places_are_repaired_too() -> None:
    p = solved(county({(1, 2025): 20}, classrooms=2, staffed_classes={2025: 1}, running_cost=7.0, years=(2025,)))
    found = repair(p, "local_without_seat", OPTIONS)
    assert found is not None
    assert (found.rooms["primary", 2025], found.staffed["primary", 2025]) == (0, 1)
    # 8 private places, of which 3 may be purchased; 6 children need one: 3 more at 2 each.
    d = county(covered={(1, 2025): 6}, private=8, purchase_places_max=3, purchase_price=2.0, years=(2025,),
               extension_rooms_max=1, extension_from=2099, extension_cost=50.0)  # fmt: skip
    p = solved(d)
    found = repair(p, "covered_without_place", OPTIONS)
    assert found is not None
    assert found.places["primary", 2025] == 3
    assert found.spending == pytest.approx(12)
    assert found.verified


def test_budget_is_repaired_by_money() -> None:
    p = solved(_TOYS["TOYS"]["budget_of_year"].county)
    found = repair(p, "budget_overrun", OPTIONS)
    assert found is not None
    assert sum(found.budget.values()) == pytest.approx(300, abs=0.02)
    assert found.verified


def test_what_no_repair_mends_is_said() -> None:
    """Classes without a single usable seat: no rooms help."""
    p = solved(county({(1, 2025): 5}, classrooms=1, usable_seats_per_class=0, years=(2025,)))
    found = repairs_of(p, OPTIONS)
    assert found["local_without_seat"] is None
    table = rule_repairs([p], [found])
    assert not table["is_verified"].any()
    assert "neither rooms nor staff" in table["why_en"].iloc[0]
    rows = repairs([p], [found])
    assert rows["still_short"].sum() == 5
    assert not rows["is_verified"].any()


def _unpatched(solve: Any, whole: Any, given: Any) -> Any:
    """Solving again is not what is stopped here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Prepared, "solve", solve)
        return whole(*given)


@pytest.mark.parametrize("when", ["at once", "before the proof"])
def test_a_repair_that_the_clock_stopped_is_told_as_not_found(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither as impossible nor, unproven and not confirmed by solving again, as a repair with its cost."""
    p, _ = plan_short_of_two_rooms()

    def early(self: Any, **asked: Any) -> Any:
        result = solve(self, **asked)
        assert isinstance(result, Optimal)
        if when == "at once":
            return Stopped("time limit")
        dearer = tuple(replace(s, value=s.value + 5, gap=1.0) if s.name == "cost" else s for s in result.stages)
        return Feasible(result.plan, dearer, 0.0, 1.0)

    solve = Prepared.solve
    whole = seat_repair_model.lexicographic
    monkeypatch.setattr(seat_repair_model, "lexicographic", lambda *given: _unpatched(solve, whole, given))
    monkeypatch.setattr(Prepared, "solve", early)
    mended = repairs_of(p, OPTIONS)
    table, rules = repairs([p], [mended]), rule_repairs([p], [mended])
    assert (table["repair_yuan"].abs().sum(), rules["repair_yuan"].abs().sum()) == (0, 0)
    assert not rules["is_verified"].any()
    assert rules["why_en"].str.contains("does not say that there is none").all()
    assert table["why_zh"].str.contains("时限内未找到").any()


def test_a_county_without_any_school_gets_its_classes_by_the_norm() -> None:
    """12 local and 9 guaranteed children, no school, no seats of a class: two classes of 12 by the norm, and staff."""
    none = {"usable_seats_per_class": 0, "norm_seats_per_class": 12, "staffed_classes": {2025: 0, 2026: 0}}
    p = solved(county({(1, 2025): 12}, covered={(1, 2025): 9}, **none))
    mended = repairs_of(p, OPTIONS)
    row = repairs([p], [mended]).set_index("year").loc[2025]
    assert (row["still_short"], row["classes_missing"]) == (21, 2)
    assert (row["rooms_missing"], row["staff_missing"], row["repair_yuan"]) == (2, 2, 0)
    assert row["is_verified"]
    assert "12 a class by the norm" in row["why_en"]
    assert "no price of a room" in row["why_en"]
    assert "每班12个" in row["why_zh"]
    rules = rule_repairs([p], [mended])
    assert rules["is_verified"].all()
    assert dict(zip(rules["rule"], rules["left_after"], strict=True)) == {
        "local_without_seat": 0,
        "covered_without_place": 0,
    }
    assert rules["why_en"].str.contains("by the norm").all()


def test_the_norm_of_a_class_is_that_of_the_registry() -> None:
    """45 and 50 by the norm, of which 95 % are usable (rounded down): what the registry's own counties have."""
    for d in counties(load("baseline"))[:2]:
        assert [s.norm_seats_per_class for s in d.stages.values()] == [42, 47]
        assert all(s.norm_seats_per_class == s.usable_seats_per_class for s in d.stages.values())


class _OneCounty:
    """The baseline up to 2027, cut down to one county in which no school stands and the registry names no class."""

    def __init__(self, code: str) -> None:
        scenario = load("baseline", sets=("time.seat_horizon=2027",))
        self.parameters, self.tables = scenario.parameters, dict(scenario.tables.items())
        for name, table in self.tables.items():
            if "county_code" in table.columns:
                self.tables[name] = table[table["county_code"] == code].reset_index(drop=True)
        gone = ["usable_seats_per_class", "classrooms", "extension_rooms_max", "extension_rooms_min", "school_sites",
                "staff_available", "purchase_places_max"]  # fmt: skip
        self.tables["seat_options"] = self.tables["seat_options"].assign(**dict.fromkeys(gone, 0))
        taken = dict.fromkeys(["public_classes", "public_seats", "private_places"], 0)
        self.tables["seat_capacity"] = self.tables["seat_capacity"].assign(**taken)

    def table(self, name: str) -> pd.DataFrame:
        return self.tables[name]


def test_a_real_county_without_any_school_has_its_repair_row_in_every_year() -> None:
    """Every child is short in every year and stage, the repair is verified, and the audit counts it again."""
    scenario = _OneCounty("331127")
    result = solve_seats(scenario)
    assert isinstance(result, Optimal)
    rows = result.plan["seat_repairs"].sort_values(["year", "stage"])
    assert rows[["year", "stage"]].to_numpy().tolist() == [[y, s] for y in (2025, 2026, 2027) for s in sorted(STAGES)]
    demand = scenario.table("seat_demand").query("2025 <= year <= 2027")
    assert rows["still_short"].sum() == (demand["local_children"] + demand["permit_holders"]).sum()
    assert rows["is_verified"].all()
    assert (rows[["rooms_missing", "classes_missing", "staff_missing", "repair_yuan"]] > 0).all(axis=None)
    assert result.plan["seat_rule_repairs"]["is_verified"].all()
    assert check(result.plan, scenario.tables, scenario.parameters) == []


def test_nothing_is_assumed_where_a_class_has_seats_and_a_room_its_price() -> None:
    p, found = plan_short_of_two_rooms()
    assert "norm" not in repairs([p], [{"places": found}])["why_en"].iloc[0]
    assert "no price" not in repairs([p], [{"places": found}])["why_en"].iloc[0]


def test_private_places_stand_in_where_there_is_no_school() -> None:
    """7 guaranteed children, no school, 8 private places of which none may be purchased yet: 7 places or a class."""
    none = {"usable_seats_per_class": 0, "norm_seats_per_class": 12, "extension_cost": 50.0, "purchase_price": 2.0}
    p = solved(county(covered={(1, 2025): 7}, private=8, **none))
    found = repair(p, "covered_without_place", OPTIONS)
    assert found is not None
    assert found.places["primary", 2025] == 7
    assert sum(found.rooms.values()) == 0
    assert found.spending == pytest.approx(14)
    assert found.verified


def test_the_tables_tell_the_repair_and_add_up() -> None:
    p, found = plan_short_of_two_rooms()
    mended = repairs_of(p, OPTIONS)
    table, rules = repairs([p], [mended]), rule_repairs([p], [mended])
    assert table["repair_yuan"].sum() == pytest.approx(rules["repair_yuan"].iloc[0]) == pytest.approx(700_000)
    assert (rules["rooms_missing"].iloc[0], rules["left_after"].iloc[0]) == (2, 0)
    assert rules["is_verified"].all()
    assert table["is_verified"].all()
    assert "700,000" in table["why_zh"].iloc[0]
    assert found.goal == "local_without_seat"


def test_an_unknown_goal_is_refused() -> None:
    p, _ = plan_short_of_two_rooms()
    with pytest.raises(ValueError, match="no elastic goal"):
        repair(p, "cost", OPTIONS)


def hard(d: County, *goals: str) -> Infeasible:
    result = solve_county(replace(d, switches=replace(d.switches, hard=goals)), OPTIONS)
    assert isinstance(result, Infeasible)
    return result


def test_a_hard_goal_that_cannot_hold_names_what_stands_against_it() -> None:
    """15 local children, one room of ten, extensions too late: commitment, classrooms, building exclude each other."""
    late = county({(1, 2025): 15}, classrooms=1, extension_rooms_max=4, extension_rooms_min=1, extension_from=2099)
    conflict = hard(late, "local_without_seat").conflict
    assert set(conflict.members) == {
        "hard_goals[local_without_seat,2025]",
        "classrooms[primary,2025]",
        "building[primary]",
    }
    assert conflict.zh.startswith("例县：")
    assert "a public seat for every child with local hukou in 2025" in conflict.en
    assert "primary: classes within the classrooms (1 that stand" in conflict.en
    assert dict(conflict.repair) == {"classrooms[primary,2025]": 1.0}


def test_two_commitments_that_exclude_each_other_are_named_together() -> None:
    """The only seats cost 400 with a budget of 100: either the children or the budget."""
    d = county({(1, 2025): 5}, extension_rooms_max=4, extension_rooms_min=4, extension_cost=100.0, budget=100.0,
               years=(2025,))  # fmt: skip
    conflict = hard(d, "local_without_seat", "budget_overrun").conflict
    assert "hard_goals[local_without_seat,2025]" in conflict.members
    assert "hard_goals[budget_overrun,2025]" in conflict.members
    assert "spending within the budget of 2025" in conflict.en
    assert conflict.minimal
    for alone in ("local_without_seat", "budget_overrun"):
        result = solve_county(replace(d, switches=Switches(hard=(alone,))), OPTIONS)
        assert isinstance(result, Optimal), alone


def test_a_hard_goal_that_can_hold_gives_the_plan_with_it() -> None:
    d = county({(1, 2025): 10}, classrooms=1, years=(2025,), switches=Switches(hard=("local_without_seat",)))
    plan = solved(d)
    assert sum(plan.local.values()) == 10
    assert set(STAGES) == {"primary", "junior"}


def test_all_repairs_of_a_county_share_one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left after the first: it has all the time, the next none, and what is not reached is no "none"."""
    p, _ = plan_short_of_two_rooms()
    given: list[float] = []
    ticks = itertools.chain([0.0, 0.0, 250.0], itertools.repeat(400.0))
    monkeypatch.setattr(seat_repair_model.time, "monotonic", lambda: next(ticks))

    def reached(plan: Any, name: str, options: Options, **_: Any) -> Stopped:
        given.append(options.time_limit_s)
        return Stopped("time limit")

    monkeypatch.setattr(seat_repair_model, "repair", reached)
    worse = replace(p, stages=tuple(replace(s, value=5.0) if s.name in ELASTIC else s for s in p.stages))
    found = repairs_of(worse, Options(time_limit_s=300.0))
    assert given[:3] == [300.0, 50.0, 0.0]
    assert all(isinstance(r, Stopped) for r in found.values())
    assert all(_by_clock(r) for r in found.values())
    assert not _by_clock(None)
    assert not _by_clock(Stopped("node limit"))


@pytest.mark.parametrize("seed", range(0, 60, 4))
def test_the_cut_on_full_grades_takes_no_plan_away(seed: int) -> None:
    """Without it the same values of all goals, and a plan that keeps it."""
    d = random_county(seed)
    m = build(d)
    m.full_has_no_spare_class.deactivate()
    free = lexicographic(m, goals(m, d))
    assert isinstance(free, Optimal)
    assert [s.value for s in free.stages] == pytest.approx([s.value for s in solved(d).stages], abs=0.02)
    rows = m.full_has_no_spare_class
    assert all(pyo.value(rows[k].body) <= pyo.value(rows[k].upper) + 1e-6 for k in rows)
