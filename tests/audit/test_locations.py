"""The audit of the location plans: a plan of two cities passes, and every kind of damage is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest
from zjsim.models.location_data import TABLES
from zjsim.models.locations import solve_locations

from zjsim.audit.locations import check
from zjsim.scenario import load
from zjsim.scenario.parameters import LocationParameters
from zjsim.solve.results import Optimal
from zjsim.texts import catalogue

CITIES = ("330400", "331100")
Plan = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class World:
    """The baseline with the need of two cities."""

    tables: dict[str, pd.DataFrame]
    parameters: Any

    def table(self, name: str) -> pd.DataFrame:
        return self.tables[name]


@pytest.fixture(scope="module")
def world() -> World:
    scenario = load("baseline")
    tables = {name: scenario.table(name) for name in TABLES}
    need = tables["location_need"]
    tables["location_need"] = need[(need["county_code"].str[:4] + "00").isin(CITIES)].reset_index(drop=True)
    given = {
        "largest_city_share": 0.9,
        "practice_centres_per_city": 0,
        "minimum_concentration": 0.3,
        "platform_relative_gap": 0.0,
    }
    return World(tables, scenario.parameters.model_copy(update={"locations": LocationParameters(**given)}))


@pytest.fixture(scope="module")
def solved(world: World) -> Plan:
    result = solve_locations(world, {})
    assert isinstance(result, Optimal)
    assert all(len(result.plan[name]) for name in ("platform_plan", "campus_plan", "kindergarten_plan"))
    return result.plan


def rules(plan: Plan, world: World, **changes: Any) -> set[str]:
    parameters = world.parameters
    if changes:
        p = parameters.locations
        parameters = parameters.model_copy(update={"locations": p.model_copy(update=changes)})
    found = check(plan, world.tables, parameters)
    for f in found:
        assert f.zh
        assert f.en
        assert "{" not in f.zh + f.en
    return {f.rule for f in found}


def test_a_solved_plan_passes(solved: Plan, world: World) -> None:
    assert rules(solved, world) == set()
    assert check({}, world.tables, world.parameters) == []


def damaged(plan: Plan, name: str, column: str, value: Any, row: int = 0) -> Plan:
    table = plan[name].copy()
    table[column] = table[column].astype(object)
    table.loc[table.index[row], column] = value
    return plan | {name: table.infer_objects()}


def first(plan: Plan, name: str, kind: str) -> int:
    return int((plan[name]["kind"] == kind).to_numpy().argmax())


DAMAGE: dict[str, tuple[str, str, Any]] = {
    "unknown_kind": ("platform_plan", "kind", "county_campus"),
    "unknown_county": ("campus_plan", "county_code", "339999"),
    "unknown_host": ("practice_centre_plan", "moe_code", "10335"),
    "id_twice": ("platform_plan", "opening_id", "PL002"),
    "kind_differs": ("platform_plan", "capacity", 7),
    "served_outside": ("platform_plan", "served", 99),
    "dates_wrong": ("platform_plan", "open_date", "2026-01-01"),
    "opens_late": ("campus_plan", "open_date", "2028-03-01"),
    "flag_differs": ("platform_plan", "mountain_island", "?"),
    "distance_differs": ("location_service", "distance_km", 1234.5),
    "out_of_reach": ("location_service", "county_code", "330326"),
    "served_differs": ("location_service", "amount", 999),
    "need_exceeded": ("location_service", "amount", 99_999),
    "coverage_differs": ("location_coverage", "covered", 0),
    "stage_differs": ("location_stages", "value", 1.0),
    "claim_not_proven": ("location_stages", "bound", 1e9),
    "value_differs": ("platform_plan", "relevance", 0.123),
    "target_differs": ("location_targets", "planned", 77),
    "shortfall_silent": ("location_targets", "why_en", ""),
    "fact_differs": ("platform_plan", "county_zh", "别处"),
    "coverage_strange": ("location_coverage", "group", "C99"),
    "coverage_sums": ("location_coverage", "unmet", 12345),
    "limit_differs": ("location_limits", "used", 98_765),
    "gap_differs": ("location_stages", "gap", 0.123),
}
OTHER_DAMAGE: tuple[tuple[str, str, str, Any], ...] = (
    ("dates_wrong", "platform_plan", "start_date", "2024-03-01"),
    ("dates_wrong", "campus_plan", "start_date", "2025-03-02"),
    ("dates_wrong", "kindergarten_plan", "open_date", "2025-04-01"),
    ("kind_differs", "kindergarten_plan", "cost_points", 0),
    ("kind_differs", "practice_centre_plan", "rooms", 99),
    ("kind_differs", "campus_plan", "staff", 0),
    ("served_outside", "kindergarten_plan", "served", 151),
    ("fact_differs", "campus_plan", "kind_en", "A palace"),
    ("fact_differs", "campus_plan", "university_zh", "某大学"),
    ("fact_differs", "platform_plan", "industry_en", "Magic"),
    ("fact_differs", "practice_centre_plan", "city_code", "339999"),
    ("fact_differs", "kindergarten_plan", "city_en", "Atlantis"),
    ("fact_differs", "platform_plan", "capacity_unit", "elephants"),
    ("fact_differs", "platform_plan", "setup_months", 1),
    ("fact_differs", "platform_plan", "failure_parameter", "PP55"),
    ("fact_differs", "platform_plan", "measures", "M999"),
    ("fact_differs", "location_coverage", "county_en", "Nowhere"),
    ("coverage_differs", "location_coverage", "need", 0),
    ("coverage_sums", "location_coverage", "share", 0.987),
    ("coverage_sums", "location_coverage", "distance_km", 777.0),
    ("limit_differs", "location_limits", "most", 1_000_000),
    ("limit_differs", "location_limits", "entity_zh", "某处"),
    ("limit_missing", "location_limits", "year", 2031),
    ("goal_missing", "location_stages", "stage", "beauty"),
    ("target_differs", "location_targets", "expected", 5000.0),
    ("target_differs", "location_targets", "wanted", 7.0),
    ("value_differs", "platform_plan", "assigned", 0.75),
)
COMPONENTS = [
    *(("platform_plan", c) for c in ("relevance", "strength", "proximity", "score")),
    *(("campus_plan", c) for c in ("relevance", "proximity", "assigned", "score")),
]


@pytest.mark.parametrize("rule", sorted(DAMAGE))
def test_damage_is_found(rule: str, solved: Plan, world: World) -> None:
    name, column, value = DAMAGE[rule]
    if value == "?":
        value = not bool(solved[name][column].iloc[0])
    row = 0
    if rule == "coverage_differs":
        row = int((solved[name]["covered"] > 0).to_numpy().argmax())
    if rule == "shortfall_silent":
        row = int((solved[name]["shortfall"] > 0).to_numpy().argmax())
    assert rule in rules(damaged(solved, name, column, value, row), world)


@pytest.mark.parametrize(("rule", "name", "column", "value"), OTHER_DAMAGE)
def test_other_damage_is_found(rule: str, name: str, column: str, value: Any, solved: Plan, world: World) -> None:
    assert rule in rules(damaged(solved, name, column, value), world)


@pytest.mark.parametrize("name", ["location_service", "location_coverage", "location_limits", "location_stages"])
def test_a_row_told_twice_is_found(name: str, solved: Plan, world: World) -> None:
    twice = pd.concat([solved[name], solved[name].tail(1)], ignore_index=True)
    assert rules(solved | {name: twice}, world) == {"row_twice"}


@pytest.mark.parametrize("name", ["platform_plan", "campus_plan", "practice_centre_plan", "kindergarten_plan"])
def test_an_opening_that_is_left_out_or_told_again_is_found(name: str, solved: Plan, world: World) -> None:
    again = solved[name].tail(1).assign(opening_id="XX999")
    more = pd.concat([solved[name], again], ignore_index=True)
    assert {"served_differs", "limit_differs"} <= rules(solved | {name: more}, world)
    assert {"served_differs", "limit_differs"} <= rules(solved | {name: solved[name].iloc[:-1]}, world)


@pytest.mark.parametrize("theme", ["platforms", "campuses", "practice_centres", "kindergartens"])
def test_an_unserved_county_cannot_be_hidden(theme: str, solved: Plan, world: World) -> None:
    coverage = solved["location_coverage"]
    hidden = coverage.index[(coverage["theme"] == theme) & (coverage["covered"] == 0)]
    some = hidden if len(hidden) else coverage.index[coverage["theme"] == theme]
    assert "coverage_missing" in rules(solved | {"location_coverage": coverage.drop(some[:1])}, world)


@pytest.mark.parametrize("stage", ["coverage_1", "target_joint_platform", "cost", "lateness"])
def test_a_goal_cannot_be_left_out(stage: str, solved: Plan, world: World) -> None:
    stages = solved["location_stages"]
    gone = stages[(stages["theme"] != "platforms") | (stages["stage"] != stage)]
    assert "goal_missing" in rules(solved | {"location_stages": gone}, world)


def test_a_host_whose_assignment_is_not_counted_is_found(solved: Plan, world: World) -> None:
    """The plan was made without an assignment: with one, a host that leads its industry would have had its points."""
    one = solved["platform_plan"].iloc[0]
    leads = pd.DataFrame({"industry_id": [one["industry_id"]], "moe_code": [one["moe_code"]]})
    assert rules(solved | {"lead_assignments": leads}, world) == {"value_differs"}


@pytest.mark.parametrize(("name", "column"), COMPONENTS)
def test_every_component_of_a_score_is_looked_up_again(name: str, column: str, solved: Plan, world: World) -> None:
    wrong = float(solved[name][column].iloc[0]) + 0.01
    assert "value_differs" in rules(damaged(solved, name, column, wrong), world)


def test_a_missing_table_is_found(solved: Plan, world: World) -> None:
    assert rules({k: v for k, v in solved.items() if k != "location_service"}, world) == {"table_missing"}


TIGHTER: dict[str, dict[str, Any]] = {
    "starts_of_year": {"starts_factor": 0.05},
    "cost_of_city": {"cost_factor": 0.05},
    "cost_of_year": {"cost_factor": 0.01},
    "most_in_county": {"practice_centres_per_county": 0},
    "mountain_island_floor": {"mountain_island_share": 1.0},
    "city_ceiling": {"largest_city_share": 0.05},
    "city_floor": {"platforms_per_city": 500},
    "staff_of_host": {"staff_factor": 0.0},
    "county_unfit": {"minimum_concentration": 9.0},
    "below_threshold": {"park_threshold_employees": 10_000_000},
    "out_of_reach": {"platform_reach_km": 0.0},
}


@pytest.mark.parametrize("rule", sorted(TIGHTER))
def test_a_plan_that_breaks_a_tighter_limit_is_found(rule: str, solved: Plan, world: World) -> None:
    assert rule in rules(solved, world, **TIGHTER[rule])


def test_hosts_are_checked(solved: Plan, world: World) -> None:
    u = world.tables["universities"].set_index("moe_code")
    plain = next(h for h in sorted(u.index) if not u.loc[h, "double_first_class"] and u.loc[h, "level"] == "vocational")
    strange = damaged(solved, "campus_plan", "moe_code", "10335")
    assert "standing" in rules(strange, world)
    kinds = solved["platform_plan"]["kind"]
    if kinds.isin(["branch_centre", "research_institute"]).any():
        at = int(kinds.isin(["branch_centre", "research_institute"]).to_numpy().argmax())
        assert "no_parent" in rules(damaged(solved, "platform_plan", "moe_code", plain, at), world)
    same = solved["platform_plan"].assign(moe_code=solved["platform_plan"]["moe_code"].iloc[0])
    assert {"staff_of_host", "starts_of_host"} <= rules(solved | {"platform_plan": same}, world)


def test_other_children_before_employees_are_found(solved: Plan, world: World) -> None:
    flows = solved["location_service"].copy()
    own = flows.index[(flows["theme"] == "kindergartens") & (flows["group"] == "employees")][0]
    county = flows.loc[own, "county_code"]
    extra = flows.loc[[own]].assign(group="residents", amount=1)
    flows.loc[own, "amount"] = 1
    found = rules(solved | {"location_service": pd.concat([flows, extra], ignore_index=True)}, world)
    assert "employees_first" in found
    assert county


def test_what_is_served_must_stand_in_the_coverage(solved: Plan, world: World) -> None:
    coverage = solved["location_coverage"]
    kept = coverage[~((coverage["theme"] == "campuses") & (coverage["covered"] > 0))]
    assert "coverage_missing" in rules(solved | {"location_coverage": kept}, world)


def test_every_text_of_the_audit_is_met_by_a_test() -> None:
    said = {key.rsplit(".", 1)[1] for key in catalogue() if key.startswith("locations.audit.")}
    tested = set(DAMAGE) | set(TIGHTER) | {"table_missing", "standing", "no_parent", "starts_of_host"}
    tested |= {rule for rule, *_ in OTHER_DAMAGE}
    assert said == tested | {"employees_first", "coverage_missing", "row_twice"}


def test_an_empty_theme_passes(world: World) -> None:
    p = world.parameters.locations.model_copy(update={"starts_factor": 0.0, "platforms_per_city": 0})
    empty = World(world.tables, world.parameters.model_copy(update={"locations": p}))
    result = solve_locations(empty, {})
    assert isinstance(result, Optimal)
    assert not len(result.plan["platform_plan"])
    assert check(result.plan, empty.tables, empty.parameters) == []
