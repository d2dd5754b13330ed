"""Seat expansion against brute force on small random counties, and the tables, totals and sentences of real ones."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from zjsim.models import seat_county
from zjsim.models.seat_county import solve_county
from zjsim.models.seat_data import GRADES, STAGES, County, Stage, counties
from zjsim.models.seat_expansion import solve_seats
from zjsim.models.seat_shortfalls import READINGS

from zjsim.scenario import load
from zjsim.scenario.parameters import SeatParameters, Time
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Stopped
from zjsim.solve.results import Stage as Step

YEAR = 2025
CODES = ("330108", "330182", "331127")
TABLES = ("counties", "seat_demand", "seat_capacity", "seat_options", "seat_budgets", "migrant_calibration")
WHOLE = ("planning_zones", "seat_zones", "seat_norms", "placement_parameters")
"""Tables that tests take as they are; the two of the zones have no rows unless a test asks for zones."""


def random_county(seed: int) -> County:
    """One year, grades 1 and 2, a handful of children, two seats a class; every kind of corner occurs."""
    r = random.Random(seed)
    cells = [(g, YEAR) for g in GRADES]
    local, migrant = dict.fromkeys(cells, 0), dict.fromkeys(cells, 0)
    for g in (1, 2):
        local[g, YEAR], migrant[g, YEAR] = r.randint(0, 2), r.randint(0, 3)
    covered = {k: r.randint(0, n) for k, n in migrant.items()}
    now = {g: r.randint(0, 1) if g <= 2 else 0 for g in GRADES}
    least = r.randint(1, 2)
    primary = Stage(
        usable_seats_per_class=r.choice((0, 1, 2)) if seed % 7 == 0 else 2,
        classrooms=r.randint(0, 3),
        base_classes=sum(now.values()),
        extension_rooms_max=r.choice((0, 0, 2)),
        extension_rooms_min=least,
        extension_cost=float(r.randint(0, 9)),
        extension_from=YEAR,
        extension_instalments=1,
        school_sites=r.choice((0, 0, 1)),
        school_rooms_min=least,
        school_rooms_max=2,
        school_cost=float(r.randint(0, 9)),
        school_from=YEAR,
        school_instalments=1,
        equip_cost=float(r.randint(0, 3)),
        running_cost=float(r.randint(0, 3)),
        staff_per_class=1.0,
        staffed_classes={YEAR: r.randint(0, 4)},
        purchase_places_max=r.randint(0, 3),
        purchase_price=float(r.randint(0, 4)),
    )
    empty = replace(primary, classrooms=0, extension_rooms_max=0, school_sites=0, purchase_places_max=0, base_classes=0)
    return County(
        code="330000",
        name_zh="例县",
        name_en="Example",
        city_code="330000",
        years=(YEAR,),
        local=local,
        migrant=migrant,
        covered=covered,
        classes_now=now,
        classes_base=dict.fromkeys(cells, 0),
        private_places={(s, YEAR): r.randint(0, 3) for s in STAGES},
        base_public_share=r.choice((0.0, 0.5, 1.0)),
        budget={YEAR: float(r.choice((0, 3, 50)))},
        stages={"primary": primary, "junior": empty},
    )


def choices_of_grade(d: County, g: int) -> Iterator[tuple[int, int, int, int, int]]:
    """(classes, local, guaranteed in public, others in public, purchased) that keep the rules of one grade."""
    k, seats = (g, YEAR), d.stages["primary"].usable_seats_per_class
    pupils = d.local[k] + d.migrant[k]
    for classes in range((-(-pupils // seats) if seats else 0) + 1):
        for local in range(d.local[k] + 1):
            for covered in range(d.covered[k] + 1):
                for other in range(d.migrant[k] - d.covered[k] + 1):
                    used = local + covered + other
                    if used > seats * classes:
                        continue
                    for bought in range(d.covered[k] - covered + 1):
                        if not (bought and used < seats * classes):
                            yield classes, local, covered, other, bought


def brute_force(d: County) -> tuple[float, ...]:
    """The best goal values over every plan, in order."""
    s = d.stages["primary"]
    extensions = [0, *range(s.extension_rooms_min, s.extension_rooms_max + 1)]
    schools = [0, *range(s.school_rooms_min, s.school_rooms_max + 1)] if s.school_sites else [0]
    cap = min(s.purchase_places_max, d.private_places["primary", YEAR])
    migrants = d.migrants_of_year[YEAR]
    local_all, covered_all = sum(d.local.values()), sum(d.covered.values())
    best: tuple[float, ...] | None = None
    for (c1, l1, p1, o1, b1), (c2, l2, p2, o2, b2) in itertools.product(choices_of_grade(d, 1), choices_of_grade(d, 2)):
        classes, bought, public = c1 + c2, b1 + b2, p1 + p2 + o1 + o2
        if bought > cap or classes > s.staffed_classes[YEAR]:
            continue
        for e, n in itertools.product(extensions, schools):
            rooms = s.classrooms + e + n
            if classes > rooms:
                continue
            cost = e * s.extension_cost + n * s.school_cost + bought * s.purchase_price
            cost += max(0, classes - sum(d.classes_now.values())) * (s.equip_cost + s.running_cost)
            idle = classes < min(rooms, s.staffed_classes[YEAR])
            goals = (
                local_all - l1 - l2,
                covered_all - p1 - p2 - bought,
                round(max(0.0, migrants * d.base_public_share - public), 6),
                max(0.0, cost - d.budget[YEAR]),
                bought if idle else 0,
                cost,
                migrants - public,
                e + n,
                abs(c2 - d.classes_now[1]),
            )
            if best is None or goals < best:
                best = goals
    assert best is not None
    # Grade 3 takes over from grade 2 and has no children: its classes are closed.
    return (*best[:-1], best[-1] + d.classes_now[2])


@pytest.mark.parametrize("block", range(6))
def test_brute_force_agrees(block: int) -> None:
    for seed in range(block * 10, block * 10 + 10):
        d = random_county(seed)
        result = solve_county(d)
        assert isinstance(result, Optimal), seed
        assert [s.value for s in result.stages] == pytest.approx(brute_force(d), abs=0.02), seed


class Small:
    """Three counties of the baseline up to 2028, with changes."""

    def __init__(self, time: Time | None = None, seats: SeatParameters | None = None, **changed: pd.DataFrame) -> None:
        base = load("baseline")
        self.parameters: Any = SimpleNamespace(
            time=time or Time(seat_horizon=2028),
            seats=seats or SeatParameters(),
            solver=base.parameters.solver,
        )
        self._tables = {n: _only(base.table(n)) for n in TABLES} | {n: base.table(n) for n in WHOLE}
        self._tables |= {n: self._tables[n].iloc[:0] for n in WHOLE[:2]} | changed

    def table(self, name: str) -> pd.DataFrame:
        return self._tables[name]


def _only(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["county_code"].isin(CODES)].reset_index(drop=True)


@pytest.fixture(scope="module")
def plan() -> dict[str, pd.DataFrame]:
    result = solve_seats(Small())
    assert isinstance(result, Optimal)
    return result.plan


def test_tables_hold_every_county_year_grade(plan: dict[str, pd.DataFrame]) -> None:
    assert len(plan["seat_expansion"]) == 3 * 4
    assert len(plan["seat_rooms"]) == 3 * 4 * 2
    assert len(plan["seat_classes"]) == 3 * 4 * 9
    assert list(plan["seat_summary"]["year"]) == [2025, 2026, 2027, 2028]
    assert set(plan["seat_expansion"]["status"]) == {"optimal"}
    assert (plan["seat_stages"]["gap"] == 0).all()


def test_the_same_scenario_gives_the_same_plan(plan: dict[str, pd.DataFrame]) -> None:
    again = solve_seats(Small())
    assert isinstance(again, Optimal)
    for name, table in plan.items():
        assert table.to_csv() == again.plan[name].to_csv(), name


def test_demand_reconciles_to_the_last_child(plan: dict[str, pd.DataFrame]) -> None:
    demand = Small().table("seat_demand").query("2025 <= year <= 2028")
    t = plan["seat_expansion"]
    assert t["local"].sum() == demand["local_children"].sum()
    assert t["migrant"].sum() == demand["migrant_children"].sum()
    assert t["guaranteed"].sum() == demand["permit_holders"].sum()
    assert (t["placed_public"] + t["placed_purchased"] + t["unplaced"] == t["guaranteed"]).all()


def test_grades_zones_counties_and_the_province_add_up_to_the_registries(plan: dict[str, pd.DataFrame]) -> None:
    """Every table of the plan tells of the same children and classes, to the last child."""
    cell, year = ["county_code", "year", "grade"], ["county_code", "year"]
    registry = Small().table("seat_demand").query("2024 <= year <= 2028").set_index(cell)
    grades, county = plan["seat_classes"].set_index(cell), plan["seat_expansion"].set_index(year)
    zones = plan["seat_zone_classes"].groupby(cell).sum(numeric_only=True)
    stages = plan["seat_zone_years"].groupby(year).sum(numeric_only=True)
    here = registry.loc[grades.index]
    for ours, theirs in (
        ("local", "local_children"),
        ("migrant", "migrant_children"),
        ("guaranteed", "permit_holders"),
    ):
        assert (grades[ours] == here[theirs]).all(), ours
    now = Small().table("seat_capacity").query("year == 2024").groupby("county_code")["public_classes"].sum()
    assert (county["classes_base"] == county.index.get_level_values("county_code").map(now)).all()
    places = ["placed_public", "placed_public_other", "placed_purchased", "unplaced"]
    assert (county[[*places, "others_outside_public"]].sum(axis=1) == county["migrant"]).all()
    public = county[["placed_local", "placed_public", "placed_public_other", "empty_seats"]].sum(axis=1)
    assert (public == county["public_seats"]).all()
    both = ["classes", "public_seats", "local", "guaranteed", "placed_local", *places]
    for column in both:
        assert (zones[column] == grades[column]).all(), column
        assert (stages[column] == county[column]).all(), column
        assert (grades.groupby(year)[column].sum() == county[column]).all(), column
        assert (county.groupby("year")[column].sum().to_numpy() == plan["seat_summary"][column].to_numpy()).all(), (
            column
        )
    seated = zones[["seated_local", "seated_guaranteed", "seated_other"]].sum(axis=1)
    assert (seated == grades[["placed_local", *places[:2]]].sum(axis=1)).all()
    assert (stages["moved_in"] == stages["moved_out_local"] + stages["moved_out_migrant"]).all()
    # Who leaves grade 9 in a summer wants a senior-high place in the school year that follows.
    for code, y, local, migrant in plan["seat_senior"][[*year, "leavers_local", "leavers_migrant"]].to_numpy():
        left = registry.loc[(code, y - 1, 9)]
        assert (local, migrant) == (left["local_children"], left["migrant_children"])


def test_progress_counts_every_county_and_the_log_names_it(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    log = tmp_path / "solver.log"
    solve_seats(Small(), progress=lambda done, of: seen.append((done, of)), log_file=str(log))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    said = log.read_text(encoding="utf-8").split("\n== ")[1:]
    assert [county[:6] for county in said] == list(CODES)
    assert all("HiGHS" in county or "rows" in county for county in said)


@pytest.mark.parametrize("reading", ["county_rule", "all_residents"])
def test_coverage_readings_guarantee_other_children(reading: Any) -> None:
    result = solve_seats(Small(seats=SeatParameters(coverage_reading=reading)))
    assert isinstance(result, Optimal)
    column = {"county_rule": "eligible_children", "all_residents": "migrant_children"}[reading]
    demand = Small().table("seat_demand").query("2025 <= year <= 2028")
    assert result.plan["seat_expansion"]["guaranteed"].sum() == demand[column].sum()


def test_no_seats_anywhere_is_a_plan_explained_county_by_county() -> None:
    small = Small()
    none = small.table("seat_capacity").assign(public_classes=0, public_seats=0, private_places=0)
    options = small.table("seat_options").assign(
        classrooms=0, extension_rooms_max=0, school_sites=0, purchase_places_max=0, staff_available=0.0
    )
    result = solve_seats(Small(seat_capacity=none, seat_options=options))
    assert isinstance(result, Optimal)
    t = result.plan["seat_expansion"]
    assert (t["local_unplaced"] == t["local"]).all()
    assert (t["unplaced"] == t["guaranteed"]).all()
    short = result.plan["seat_shortfalls"]
    assert set(short["county_code"]) == set(CODES)
    assert {"local_without_seat", "covered_without_place", "public_share_fall"} <= set(short["rule"])
    assert set(short.loc[short["rule"] == "public_share_fall", "reading"]) == set(READINGS)
    assert short["why_zh"].str.contains("没有任何教室").any()
    assert short["why_en"].str.contains("there is no classroom at all").any()
    assert short.groupby("rule")["amount"].sum()["local_without_seat"] == t["local"].sum()


def test_a_county_without_any_option_row_has_a_plan() -> None:
    small = Small()
    options = small.table("seat_options").query("county_code != '330108'")
    result = solve_seats(Small(seat_options=options))
    assert isinstance(result, Optimal)
    t = result.plan["seat_expansion"].set_index("county_code")
    assert (t.loc["330108", "local_unplaced"] == t.loc["330108", "local"]).all()
    assert (t.loc["331127", "local_unplaced"] == 0).all()


def test_no_money_is_an_overrun_told_in_yuan() -> None:
    small = Small(Time(seat_horizon=2027))
    poor = "331127"  # a small county: what repairs the others would take minutes to find
    budgets, demand = small.table("seat_budgets").copy(), small.table("seat_demand").copy()
    budgets.loc[budgets["county_code"] == poor, "budget_yuan"] = 0.0
    own = demand["county_code"] == poor
    demand.loc[own, "local_children"] = (demand.loc[own, "local_children"] * 1.2).astype("int64")
    result = solve_seats(Small(Time(seat_horizon=2027), seat_budgets=budgets, seat_demand=demand))
    assert isinstance(result, Optimal)
    t, short = result.plan["seat_expansion"], result.plan["seat_shortfalls"]
    over = short[short["rule"] == "budget_overrun"]
    assert t["overrun_yuan"].sum() > 0
    assert over["amount"].sum() == pytest.approx(t["overrun_yuan"].sum(), abs=1)
    assert set(over["unit"]) == {"yuan"}


def test_registries_that_end_too_early_are_named() -> None:
    result = solve_seats(Small(Time(seat_horizon=2035)))
    assert isinstance(result, Infeasible)
    assert "2032" in result.conflict.en
    assert "2035" in result.conflict.zh
    assert "2032" in result.conflict.repair_en


def test_time_that_ends_is_said() -> None:
    (d,) = [c for c in counties(Small()) if c.code == "330182"]
    assert isinstance(solve_county(d, Options(time_limit_s=1e-6)), Stopped)
    result = solve_seats(Small(seats=SeatParameters(county_time_limit_s=1e-6)))
    assert isinstance(result, Stopped)
    assert "滨江区" in result.reason


def test_a_goal_without_a_bound_has_the_bound_zero() -> None:
    stage = seat_county._proven(Step("cost", "minimise", 50.0, -math.inf, math.inf, "10k yuan"))
    assert (stage.bound, stage.gap) == (0.0, 1.0)
    money = seat_county._proven(Step("cost", "minimise", 50.005, 50.0, 1e-4, "10k yuan", 0.01))
    assert money.gap == 0


def test_counties_come_in_the_order_of_their_codes() -> None:
    assert [d.code for d in counties(Small())] == sorted(CODES)


def test_children_that_come_out_in_parts_are_made_whole_and_told_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan in whole children is the one that is told: a goal it misses has its value and a gap to the old bound."""
    found = solve_county(random_county(3))
    assert isinstance(found, Optimal)
    monkeypatch.setattr(seat_county, "whole_children", lambda m: False)
    again = solve_county(random_county(3))
    assert isinstance(again, Optimal)
    assert [s.value for s in again.stages] == pytest.approx([s.value for s in found.stages])
    made_whole = seat_county.with_whole_children

    def dearer(*given: Any) -> Any:
        result = made_whole(*given)
        return replace(result, stages=tuple(replace(s, value=s.value + (s.name == "cost")) for s in result.stages))

    monkeypatch.setattr(seat_county, "with_whole_children", dearer)
    told = solve_county(random_county(3))
    assert isinstance(told, Feasible)
    cost, proven = (next(s for s in r.stages if s.name == "cost") for r in (told, found))
    assert (cost.value, cost.bound) == pytest.approx((proven.value + 1, proven.value))
    assert told.gap == cost.gap > 0
