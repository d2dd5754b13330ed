"""Platforms: who is a candidate and why; the plans of two cities as tables; the same input gives the same plan."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd
import pytest
from zjsim.models.location_data import TABLES, Ground, add_months, weighted
from zjsim.models.location_goals import solve_locations_of
from zjsim.models.location_openings import PLAN_TABLES, planned_programmes
from zjsim.models.location_tables import PLAN_COLUMNS
from zjsim.models.location_targets import shortfall_of, wanted_openings
from zjsim.models.locations import location_themes, openings, requirements_of, solve_locations
from zjsim.models.platforms import offers_by_industry, platform_theme

from zjsim.audit.location_targets import asked_for
from zjsim.scenario import Scenario, load
from zjsim.scenario.parameters import LocationParameters
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal

CITIES = ("330900", "331100")
"""Zhoushan and Lishui: islands and mountains, small enough to solve at once."""


@dataclass(frozen=True)
class World:
    """A scenario with some tables or parameters changed."""

    tables: dict[str, pd.DataFrame]
    parameters: Any

    def table(self, name: str) -> pd.DataFrame:
        return self.tables[name]


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load("baseline")


@pytest.fixture(scope="module")
def small(baseline: Scenario) -> Callable[..., World]:
    """The baseline with the need of two cities only; half of all may lie in one city, and no city has a floor."""

    def make(**changes: Any) -> World:
        tables = {name: baseline.table(name) for name in TABLES}
        need = tables["location_need"]
        tables["location_need"] = need[(need["county_code"].str[:4] + "00").isin(CITIES)].reset_index(drop=True)
        given = {
            "largest_city_share": 1.0,
            "platforms_per_city": 0,
            "practice_centres_per_city": 0,
            "platform_relative_gap": 0.0,
        } | changes
        parameters = baseline.parameters.model_copy(
            update={"locations": LocationParameters(**(baseline.parameters.locations.model_dump() | given))}
        )
        return World(tables, parameters)

    return make


@pytest.fixture(scope="module")
def solved(small: Callable[..., World]) -> dict[str, pd.DataFrame]:
    result = solve_locations(small(), {})
    assert isinstance(result, Optimal)
    return result.plan


def test_offers_come_from_disciplines_crafts_and_categories(baseline: Scenario) -> None:
    offers = offers_by_industry({name: baseline.table(name) for name in TABLES}, baseline.parameters.assignment)
    relevance, strength, source = offers["C02"]["10335"]
    assert (relevance, source) == (3, "discipline")
    assert strength > 0.8
    assert offers["H01"]["10341"][2] in ("craft", "discipline")
    listed = set(baseline.table("disciplines")["moe_code"])
    by_category = {h for i in offers.values() for h, (_, _, source) in i.items() if source == "category"}
    assert by_category
    assert not by_category & listed
    assert (
        "10863" in by_category
    )  # a vocational college: known by its category alone, its strength the middle of a range


def test_the_assignment_counts_for_the_host(baseline: Scenario, small: Callable[..., World]) -> None:
    world = small()
    host, industry = "10337", "C15"
    plan = {"lead_assignments": pd.DataFrame({"industry_id": [industry], "moe_code": [host]})}
    without, with_lead = (platform_theme(world.tables, world.parameters, p) for p in ({}, plan))
    known = {o: s for o, s in with_lead.scores.items() if (o.host, o.service) == (host, industry)}
    assert known  # a lead is always a candidate
    for o, score in known.items():
        assert score.components["assigned"] == 1
        if o in without.scores:
            assert score.points > without.scores[o].points
            assert with_lead.data.misfit[o] < without.data.misfit[o]


def test_points_are_the_weighted_mean_of_the_components() -> None:
    p = LocationParameters(weight_relevance=2, weight_strength=1, weight_proximity=1, weight_assigned=0)
    assert weighted({"relevance": 1.0, "strength": 0.5, "proximity": 0.1, "assigned": 1.0}, p) == pytest.approx(65.0)


def test_dates_follow_the_set_up_time(baseline: Scenario) -> None:
    assert add_months(date(2026, 3, 1), 22) == date(2028, 1, 1)
    ground = Ground({name: baseline.table(name) for name in TABLES}, baseline.parameters)
    dates = ground.dates(["joint_platform", "county_campus"])
    assert dates["joint_platform", 2027] == (date(2027, 3, 1), date(2027, 12, 1))
    assert sorted(dates) == [("county_campus", 2025), *(("joint_platform", y) for y in (2025, 2026, 2027))]
    late = baseline.parameters.model_copy(update={"locations": LocationParameters(planned_setup="high")})
    slow = Ground({name: baseline.table(name) for name in TABLES}, late).dates(["joint_platform", "county_campus"])
    assert sorted(slow) == [("joint_platform", 2025), ("joint_platform", 2026)]  # 18 months; a campus 36


def test_limits_come_from_the_registries(baseline: Scenario, small: Callable[..., World]) -> None:
    theme = platform_theme(small(starts_factor=0.5).tables, small(starts_factor=0.5).parameters, {})
    t = baseline.table("location_starts").set_index(["kind", "year"])["starts"]
    assert theme.data.starts["joint_platform", 2025] == t["joint_platform", 2025] // 2
    b = baseline.table("location_budgets").query("theme == 'platforms'")
    assert theme.data.city_cost["331100"] == b.loc[b["city_code"] == "331100", "cost_points"].sum()
    assert theme.data.year_cost[2026] == b.loc[b["year"] <= 2026, "cost_points"].sum()
    branches = {o.host for o in theme.data.options if o.kind == "branch_centre"}
    u = baseline.table("universities").set_index("moe_code")
    assert all(u.loc[h, "double_first_class"] or u.loc[h, "provincial_key_university"] for h in branches)


def test_a_target_is_a_goal_and_no_limit(baseline: Scenario) -> None:
    """Raising what the action plan asks for changes nothing but the goal, and nothing at all where it is none."""
    tables = {name: baseline.table(name) for name in TABLES}
    more = tables | {"targets": tables["targets"].assign(bound=tables["targets"]["bound"] + 10)}
    before, after = (location_themes(t, baseline.parameters, {}) for t in (tables, more))
    wanted = [dict(theme.data.wanted) for theme in after]
    assert wanted == [{"joint_platform": 190}, {}, {"practice_centre": 64}, {}]
    assert [replace(a, data=replace(a.data, wanted=b.data.wanted)) for a, b in zip(after, before, strict=True)] == list(
        before
    )
    off = baseline.parameters.model_copy(
        update={"locations": baseline.parameters.locations.model_copy(update={"target_goal": "off"})}
    )
    assert location_themes(tables, off, {}) == location_themes(more, off, {})


def test_what_a_target_wants_begun_by_hand(baseline: Scenario) -> None:
    """Platforms: 16.2 net and 3 % of 1,622 a year for nine months are under way; the rest after 15 % failures."""
    tables = {name: baseline.table(name) for name in TABLES}
    found = wanted_openings(tables, date(2024, 12, 31))
    assert set(found) == {"joint_platform", "practice_centre"}
    platforms, centres = found["joint_platform"], found["practice_centre"]
    assert platforms.under_way == pytest.approx((16.2 + 0.03 * 1622) * 9 / 12)
    assert platforms.planned == 179  # (200 - 48.645) / 0.85 = 178.06
    assert (centres.target_id, centres.number, centres.under_way) == ("practice_centres", 50, 0)
    assert centres.planned == 53  # 50 / 0.95 = 52.6


def test_what_was_opened_before_the_as_of_date_need_not_be_begun(baseline: Scenario) -> None:
    """Of 110 platforms two quarters are over, of the practice centres 16 of the province, not the city's nor later."""
    rows = [
        ("platforms_opened", "330000", "2025-Q1", 60.0),
        ("platforms_opened", "330000", "2025-Q2", 50.0),
        ("platforms_opened", "330000", "2025-Q3", 33.0),
        ("platforms_opened", "330100", "2025-Q1", 20.0),
        ("practice_centres_recognised", "330000", "2025-Q2", 16.0),
    ]
    actuals = pd.DataFrame(rows, columns=["outcome", "area_code", "quarter", "value"])
    tables = {name: baseline.table(name) for name in TABLES} | {"actuals": actuals}
    found = wanted_openings(tables, date(2025, 6, 30))
    platforms, centres = found["joint_platform"], found["practice_centre"]
    assert (platforms.opened_before, centres.opened_before) == (110, 16)
    assert platforms.planned == 49  # (200 - 110 - 48.645) / 0.85 = 48.7
    assert centres.planned == 36  # (50 - 16) / 0.95 = 35.8
    assert {k: a.wanted for k, a in asked_for(tables, date(2025, 6, 30)).items()} == {
        k: w.planned for k, w in found.items()
    }


def test_a_shortfall_names_what_stands_in_the_way_and_a_way_out(small: Callable[..., World]) -> None:
    """Practice centres alone: the starts of three years are 40, the target wants 53."""
    world = small()
    need = world.tables["location_need"]
    whole = load("baseline").table("location_need")
    world.tables["location_need"] = pd.concat([need[need["theme"] != "practice_centres"], whole[
        whole["theme"] == "practice_centres"]], ignore_index=True)  # fmt: skip
    (theme,) = [t for t in location_themes(world.tables, world.parameters, {}) if t.data.theme == "practice_centres"]
    data = replace(theme.data, city_cost={}, year_cost={})
    said = shortfall_of(data, "practice_centre", Options(), requirements_of(world.tables))
    assert "全省 2027 年最多启动 14 个" in said["why_zh"]
    assert "53 are begun" in said["why_en"]
    assert sum(map(int, re.findall(r"loosen by (\d+)", said["repair_en"]))) == 13
    more = replace(data, starts={k: n + 5 for k, n in data.starts.items()})
    assert (
        "need comes first" in shortfall_of(more, "practice_centre", Options(), requirements_of(world.tables))["why_en"]
    )


def test_tables_of_two_cities(solved: dict[str, pd.DataFrame]) -> None:
    plan = solved["platform_plan"]
    assert tuple(plan.columns) == PLAN_COLUMNS
    assert len(plan) > 5
    assert set(plan["city_code"]) <= set(CITIES)
    assert plan["opening_id"].is_unique
    assert (plan["open_date"] <= "2027-12-31").all()
    assert (plan["served"] <= plan["capacity"]).all()
    assert plan["mountain_island"].all()
    coverage = solved["location_coverage"].query("theme == 'platforms'")
    assert coverage["covered"].sum() == plan["served"].sum()
    assert (coverage["covered"] <= coverage["need"]).all()
    assert (solved["location_stages"]["gap"] == 0).all()
    targets = solved["location_targets"].set_index("kind")
    assert targets.loc["joint_platform", "target_number"] == 200
    assert targets.loc["joint_platform", "planned"] == (plan["kind"] == "joint_platform").sum()
    assert targets.loc["practice_centre", "target_number"] == 50
    short = targets.loc["practice_centre"]
    assert short["shortfall"] == 53 - short["planned"] > 0
    assert short["why_zh"]
    assert short["why_en"]
    assert (coverage["unmet"] == coverage["need"] - coverage["covered"]).all()
    limits = solved["location_limits"]
    assert (limits["used"] <= limits["most"]).all()


def test_openings_for_the_simulation(baseline: Scenario, solved: dict[str, pd.DataFrame]) -> None:
    found = openings(solved)
    assert len(found) == sum(len(solved[name]) for name in PLAN_TABLES.values())
    assert found["start_date"].is_monotonic_increasing
    assert {"programme_id", "county_code", "open_date", "capacity", "capacity_unit"} <= set(found.columns)
    assert openings({}).empty
    by_programme = planned_programmes(solved, baseline.table("location_kinds"))
    assert set(by_programme) == {
        *("joint_platforms", "platform_branches", "research_institutes", "practice_centres", "embedded_kindergartens")
    }
    assert len(by_programme["practice_centres"]) == len(solved["practice_centre_plan"])
    only = planned_programmes(
        {"practice_centre_plan": solved["practice_centre_plan"]}, baseline.table("location_kinds")
    )
    assert list(only) == ["practice_centres"]


def test_the_same_input_gives_the_same_plan(small: Callable[..., World], solved: dict[str, pd.DataFrame]) -> None:
    world = small()
    shuffled = {n: t.sample(frac=1, random_state=3).reset_index(drop=True) for n, t in world.tables.items()}
    again = solve_locations(replace(world, tables=shuffled), {})
    assert isinstance(again, Optimal)
    for name, table in solved.items():
        pd.testing.assert_frame_equal(again.plan[name], table)


def test_how_far_reaches_at_least_as_many(small: Callable[..., World], solved: dict[str, pd.DataFrame]) -> None:
    far = solve_locations(small(purpose="how_far"), {})
    assert isinstance(far, Optimal)
    for name in PLAN_TABLES.values():
        assert len(far.plan[name]) >= len(solved[name])


def test_the_baseline_is_within_the_gap_it_states(baseline: Scenario) -> None:
    theme = platform_theme({name: baseline.table(name) for name in TABLES}, baseline.parameters, {})
    assert theme.relative_gap == baseline.parameters.locations.platform_relative_gap
    result = solve_locations_of(theme.data, Options(relative_gap=theme.relative_gap))
    assert isinstance(result, Optimal | Feasible)
    assert all(s.gap <= theme.relative_gap for s in result.stages)
    kinds = Counter(o.kind for o, n in result.plan.opened.items() for _ in range(n))
    most = sum(n for (k, _), n in theme.data.starts.items() if k == "joint_platform")
    assert 0.95 * most <= kinds["joint_platform"] <= most
    hosts = Counter(h for (_, h, _), n in result.plan.started.items() for _ in range(n))
    assert len(hosts) > 50  # no host with staff free is left out by the choice of candidates
    served = Counter(dict.fromkeys(theme.data.mountain_island, 0))
    for (_, d), n in result.plan.served.items():
        served[d.county] += n
    assert sum(1 for c in theme.data.mountain_island if served[c]) >= 25


def test_an_impossible_floor_is_explained(small: Callable[..., World]) -> None:
    result = solve_locations(small(platforms_per_city=30, starts_factor=0.1), {})
    assert isinstance(result, Infeasible)
    conflict = result.conflict
    assert any(name.startswith("city_floor[") for name in conflict.members)
    assert "科创平台不少于 30 个" in conflict.zh
    assert "at least 30 of the platforms" in conflict.en
    assert conflict.minimal


def test_every_rule_has_words(small: Callable[..., World]) -> None:
    from zjsim.models.location_rules import build_location_model

    world = small(platforms_per_city=1, largest_city_share=0.9)
    for theme in location_themes(world.tables, world.parameters, {}):
        for requirement in requirements_of(world.tables)(build_location_model(theme.data)):
            assert requirement.zh
            assert requirement.en
            assert "{" not in requirement.zh + requirement.en
