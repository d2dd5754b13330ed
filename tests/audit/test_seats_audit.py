"""The seat audit accepts what the model gives and finds whatever is changed afterwards."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from zjsim.models.seat_expansion import solve_seats

from zjsim.audit.seats import PLAN_TABLES, check
from zjsim.scenario import load
from zjsim.scenario.parameters import SeatParameters, Time
from zjsim.solve.results import Feasible, Optimal
from zjsim.texts import catalogue

Plan = dict[str, pd.DataFrame]
CODES = ("330108", "330782")
NAMES = (
    *("counties", "seat_demand", "seat_capacity", "seat_options", "seat_budgets", "migrant_calibration"),
    *("planning_zones", "seat_zones"),
)
PARAMETERS: Any = SimpleNamespace(
    time=Time(seat_horizon=2028), seats=SeatParameters(), solver=load("baseline").parameters.solver
)


class Small:
    parameters = PARAMETERS

    def __init__(self, tables: Plan) -> None:
        self.tables = tables

    def table(self, name: str) -> pd.DataFrame:
        return self.tables[name]


@pytest.fixture(scope="module")
def tables() -> Plan:
    base = load("baseline")
    found = {n: base.table(n) for n in NAMES}
    found = {n: t[t["county_code"].isin(CODES)].reset_index(drop=True) for n, t in found.items()}
    found |= {n: base.table(n) for n in ("seat_norms", "placement_parameters")}
    # Fewer rooms, so that something is built, bought and missing.
    options = found["seat_options"]
    found["seat_options"] = options.assign(classrooms=(options["classrooms"] * 0.92).astype("int64"))
    return found


@pytest.fixture(scope="module")
def solved(tables: Plan) -> Plan:
    result = solve_seats(Small(tables))
    assert isinstance(result, Optimal | Feasible)
    return result.plan


@pytest.fixture
def plan(solved: Plan) -> Plan:
    return {name: table.copy() for name, table in solved.items()}


def rules(plan: Plan, tables: Plan) -> set[str]:
    return {f.rule for f in check(plan, tables, PARAMETERS)}


def test_the_plan_passes_and_is_worth_checking(plan: Plan, tables: Plan) -> None:
    assert check(plan, tables, PARAMETERS) == []
    t = plan["seat_expansion"]
    assert t["placed_purchased"].sum() > 0
    assert t["rooms_added"].sum() + t["new_school_rooms"].sum() > 0
    assert len(plan["seat_shortfalls"]) > 0


def first(table: pd.DataFrame, column: str, **where: Any) -> int:
    """Index of the first row with something in ``column`` (and equal to ``where``)."""
    found = table[table[column] > 0]
    for name, value in where.items():
        found = found[found[name] == value]
    return int(found.index[0])


def bump(name: str, column: str, by: float, on: str | None = None) -> Callable[[Plan], None]:
    def change(plan: Plan) -> None:
        table = plan[name]
        table.loc[first(table, on or column), column] += by

    return change


def swap_local_for_migrant(plan: Plan) -> None:
    t = plan["seat_classes"]
    i = first(t, "placed_public")
    t.loc[i, "placed_local"] -= 1


def give_place_of_guaranteed_to_other(plan: Plan) -> None:
    t = plan["seat_classes"]
    i = first(t, "placed_public_other")
    t.loc[i, "placed_public"] -= 1
    t.loc[i, "unplaced"] += 1


def buy_beside_an_empty_seat(plan: Plan) -> None:
    t = plan["seat_classes"]
    i = first(t, "placed_public")
    t.loc[i, ["placed_public", "placed_purchased"]] += [-1, 1]


def open_too_early(plan: Plan) -> None:
    t = plan["seat_rooms"]
    t.loc[t.index[0], "extension_rooms"] += 4


def school_without_size(plan: Plan) -> None:
    plan["seat_rooms"].loc[plan["seat_rooms"].index[-1], "new_schools"] += 1


def school_beyond_sites(plan: Plan) -> None:
    t = plan["seat_rooms"]
    t.loc[t.index[-1], ["new_schools", "new_school_rooms"]] += [99, 99 * 20]


def small_extension(plan: Plan) -> None:
    t = plan["seat_rooms"]
    t.loc[first(t, "extension_rooms"), "extension_rooms"] = 1


def huge_extension(plan: Plan) -> None:
    t = plan["seat_rooms"]
    t.loc[first(t, "extension_rooms"), "extension_rooms"] += 10_000


def too_many_classes(plan: Plan) -> None:
    t = plan["seat_classes"]
    t.loc[t.index[0], "classes"] += 10_000


def forget_shortfalls(plan: Plan) -> None:
    plan["seat_shortfalls"] = plan["seat_shortfalls"].iloc[:0]


def no_reason(plan: Plan) -> None:
    plan["seat_shortfalls"]["why_en"] = ""


def wrong_stage(plan: Plan) -> None:
    plan["seat_classes"].loc[0, "stage"] = "junior"


def not_the_share(plan: Plan) -> None:
    """Children of one zone are counted in another: the county's sum stays."""
    t = plan["seat_zone_classes"]
    t.loc[[0, t.index[(t["zone_id"] != t.loc[0, "zone_id"])][0]], "local"] += [50, -50]


def convert_without_leave(plan: Plan) -> None:
    plan["seat_rooms"].loc[plan["seat_rooms"]["stage"] == "junior", "converted_rooms"] = 1


def zone_school_without_size(plan: Plan) -> None:
    plan["seat_zone_years"].loc[0, "new_schools"] += 1


def small_zone_extension(plan: Plan) -> None:
    t = plan["seat_zone_years"]
    t.loc[first(t, "extension_rooms"), "extension_rooms"] = 1


def leave_the_county(plan: Plan) -> None:
    t = plan["seat_moves"]
    other = t.loc[t["county_code"] != t.loc[0, "county_code"], "to_zone"].iloc[0]
    t.loc[0, "to_zone"] = other


def hide_a_far_move(plan: Plan) -> None:
    plan["seat_zone_years"].loc[0, "moved_too_far"] += 1


def local_gives_way(plan: Plan) -> None:
    """A local child leaves its zone although a migrant child sits there."""
    t = plan["seat_zone_classes"]
    i = first(t[t["seated_local"] > 0], "seated_guaranteed")
    other = t[(t["county_code"] == t.loc[i, "county_code"]) & (t["zone_id"] != t.loc[i, "zone_id"])]
    row = dict(plan["seat_moves"].iloc[0]) | {
        "county_code": t.loc[i, "county_code"],
        "from_zone": t.loc[i, "zone_id"],
        "to_zone": other["zone_id"].iloc[0],
        "year": t.loc[i, "year"],
        "grade": t.loc[i, "grade"],
        "stage": t.loc[i, "stage"],
        "child_kind": "local",
        "children": 1,
    }
    plan["seat_moves"] = pd.concat([plan["seat_moves"], pd.DataFrame([row])], ignore_index=True)


def bought_beside_an_empty_zone_seat(plan: Plan) -> None:
    t = plan["seat_zone_classes"]
    i = first(t, "placed_purchased")
    t.loc[i, "seated_local"] -= 1


def _extend(plan: Plan, name: str) -> None:
    t = plan[name]
    i = first(t, "extension_rooms")
    key = "zone_id" if "zone_id" in t else "county_code"
    same = (t[key] == t.loc[i, key]) & (t["stage"] == t.loc[i, "stage"]) & (t["year"] >= t.loc[i, "year"])
    t.loc[i, "extension_rooms"] += 500
    t.loc[same, "rooms"] += 500


def extension_without_ground(plan: Plan) -> None:
    _extend(plan, "seat_rooms")


def zone_extension_without_ground(plan: Plan) -> None:
    _extend(plan, "seat_zone_years")


def _school(plan: Plan, name: str) -> None:
    t = plan[name]
    t.loc[t.index[t["stage"] == "junior"][-1], ["new_schools", "new_school_rooms"]] = [1, 36]


def school_without_ground(plan: Plan) -> None:
    """36 junior rooms need 37,900 m²; a site has 30,000."""
    _school(plan, "seat_rooms")


def zone_school_without_ground(plan: Plan) -> None:
    _school(plan, "seat_zone_years")


def staff_limit_hidden(plan: Plan) -> None:
    plan["seat_staff"]["staff_is_limit"] = ~plan["seat_staff"]["staff_is_limit"].astype(bool)


def norm_without_document(plan: Plan) -> None:
    plan["seat_staff"]["norm_source"] = ""


def purchase_out_of_the_county(plan: Plan) -> None:
    t = plan["seat_zone_purchases"]
    i = int(t.index[0])
    zones = plan["seat_zone_years"]
    t.loc[i, "to_zone"] = zones.loc[zones["county_code"] != t.loc[i, "county_code"], "zone_id"].iloc[0]


def repair_forgotten(plan: Plan) -> None:
    plan["seat_rule_repairs"] = plan["seat_rule_repairs"].iloc[1:]


def cheaper_repair(plan: Plan) -> None:
    t = plan["seat_rule_repairs"]
    t.loc[first(t, "amount", rule="covered_without_place"), "repair_yuan"] -= 10_000


def called_official(plan: Plan) -> None:
    plan["seat_zone_classes"]["basis"] = "official"


CHANGES: dict[str, tuple[Callable[[Plan], None], str]] = {
    "a child too many in the demand": (bump("seat_classes", "migrant", 1), "seat_demand"),
    "a negative number": (bump("seat_classes", "placed_purchased", -100_000), "seat_negative"),
    "a grade in the wrong stage": (wrong_stage, "seat_stage"),
    "seats that no class gives": (bump("seat_classes", "public_seats", 1), "seat_seats"),
    "an overfull class": (bump("seat_classes", "placed_public_other", 100_000), "seat_class_norm"),
    "more locals than there are": (bump("seat_classes", "placed_local", 1), "seat_balance_local"),
    "a guaranteed child lost": (bump("seat_classes", "placed_public", -1), "seat_balance_guaranteed"),
    "more others than there are": (bump("seat_classes", "placed_public_other", 100_000), "seat_balance_other"),
    "a local child displaced": (swap_local_for_migrant, "seat_local_first"),
    "a guaranteed child displaced": (give_place_of_guaranteed_to_other, "seat_guaranteed_first"),
    "bought beside an empty seat": (buy_beside_an_empty_seat, "seat_empty_seat"),
    "a local child beside an empty seat": (swap_local_for_migrant, "seat_empty_seat_local"),
    "classes that do not add up": (bump("seat_rooms", "classes", 1), "seat_classes_of_stage"),
    "rooms from nowhere": (bump("seat_rooms", "rooms", 1), "seat_rooms"),
    "more classes than rooms": (bump("seat_rooms", "classes", 10_000), "seat_room_limit"),
    "an extension too small": (small_extension, "seat_extension_size"),
    "an extension too large": (huge_extension, "seat_extension_limit"),
    "a school too small": (school_without_size, "seat_school_size"),
    "more schools than sites": (school_beyond_sites, "seat_school_sites"),
    "open before its time": (open_too_early, "seat_lead_time"),
    "more classes than staff": (bump("seat_rooms", "classes", 10_000), "seat_staff"),
    "staff miscounted": (bump("seat_rooms", "staff_needed", 1), "seat_staff_needed"),
    "purchases that do not add up": (bump("seat_rooms", "purchased", 1), "seat_purchases"),
    "purchases over the cap": (bump("seat_rooms", "purchased", 100_000), "seat_purchase_cap"),
    "a wrong building cost": (bump("seat_rooms", "capital_cost_yuan", 100.0), "seat_cost"),
    "a wrong running cost": (bump("seat_rooms", "running_cost_yuan", 100.0), "seat_cost"),
    "a wrong purchase cost": (bump("seat_rooms", "purchase_cost_yuan", 100.0), "seat_cost"),
    "a wrong equipment cost": (bump("seat_rooms", "equip_cost_yuan", 100.0), "seat_cost"),
    "a year that is not its parts": (bump("seat_expansion", "placed_public", 1), "seat_sum"),
    "a budget made up": (bump("seat_expansion", "budget_yuan", 100.0), "seat_sum"),
    "an empty seat hidden": (bump("seat_expansion", "empty_seats", -1), "seat_sum"),
    "a share rounded up": (bump("seat_expansion", "public_share", 0.001), "seat_share"),
    "a shortfall hidden": (forget_shortfalls, "seat_shortfall"),
    "a shortfall without a reason": (no_reason, "seat_unexplained"),
    "a summary that is not the sum": (bump("seat_summary", "placed_public", 5), "seat_sum"),
    "too many classes in a grade": (too_many_classes, "seat_seats"),
    "rooms converted without leave": (convert_without_leave, "seat_conversion"),
    "a zone beyond its share": (not_the_share, "seat_zone_share"),
    "zones with a child too many": (bump("seat_zone_classes", "local", 1), "seat_zone_sum"),
    "a zone's class too many": (bump("seat_zone_classes", "classes", 1), "seat_zone_sum"),
    "a room that no zone has": (bump("seat_zone_years", "rooms", 1), "seat_zone_sum"),
    "a negative number in a zone": (bump("seat_zone_classes", "seated_local", -100_000), "seat_zone_negative"),
    "seats that no zone's class gives": (bump("seat_zone_classes", "public_seats", 1), "seat_zone_seats"),
    "an overfull class in a zone": (bump("seat_zone_classes", "seated_local", 10_000), "seat_zone_class_norm"),
    "a zone's guaranteed child lost": (bump("seat_zone_classes", "placed_public", -1), "seat_zone_balance"),
    "more classes than rooms in a zone": (bump("seat_zone_years", "classes", 10_000), "seat_zone_room_limit"),
    "a zone's rooms from nowhere": (bump("seat_zone_years", "rooms", 5), "seat_zone_rooms"),
    "a zone's classes that do not add up": (bump("seat_zone_years", "classes", 1), "seat_zone_classes"),
    "a zone's extension too small": (small_zone_extension, "seat_zone_extension_size"),
    "a zone's school too small": (zone_school_without_size, "seat_zone_school_size"),
    "a move out of the county": (leave_the_county, "seat_zone_move"),
    "a distance shortened": (bump("seat_moves", "distance_km", -0.5), "seat_zone_distance"),
    "a child moved on paper": (bump("seat_moves", "children", 1), "seat_zone_seated"),
    "moves miscounted": (bump("seat_zone_years", "moved_in", 1), "seat_zone_move_total"),
    "a far move hidden": (hide_a_far_move, "seat_shortfall"),
    "a local child gives way": (local_gives_way, "seat_zone_local_first"),
    "bought beside an empty seat of a zone": (bought_beside_an_empty_zone_seat, "seat_zone_empty_seat"),
    "a shortfall without the plan made smaller": (bump("seat_repairs", "short_without_plan", -1), "seat_repair"),
    "an extension without ground": (extension_without_ground, "seat_site"),
    "a school without ground": (school_without_ground, "seat_new_site"),
    "a zone's extension without ground": (zone_extension_without_ground, "seat_zone_site"),
    "a zone's school without ground": (zone_school_without_ground, "seat_zone_new_site"),
    "ground that is not there": (bump("seat_rooms", "free_site_m2", 10_000.0), "seat_site_shown"),
    "ground miscounted": (bump("seat_rooms", "extension_site_m2", 5.0), "seat_site_shown"),
    "a zone's ground miscounted": (bump("seat_zone_years", "extension_site_m2", 5.0), "seat_site_shown"),
    "staff that nobody counted": (bump("seat_staff", "staff_needed", 1.0), "seat_staff_table"),
    "hires invented": (bump("seat_staff", "staff_to_hire", 1.0, on="staff_needed"), "seat_staff_table"),
    "staff missing made larger": (bump("seat_staff", "staff_missing", 1.0, on="staff_needed"), "seat_staff_table"),
    "a limit of staff hidden": (staff_limit_hidden, "seat_staff_table"),
    "a norm without its document": (norm_without_document, "seat_staff_table"),
    "a purchased place from nowhere": (bump("seat_zone_purchases", "children", 1), "seat_zone_purchase"),
    "a purchased place out of the county": (purchase_out_of_the_county, "seat_zone_purchase"),
    "a zone sells more than it has": (bump("seat_zone_years", "purchased_here", 99_999), "seat_zone_purchase_cap"),
    "private places from nowhere": (bump("seat_zone_years", "private_places", 1), "seat_zone_private"),
    "a purchase nearer than it is": (bump("seat_zone_purchases", "distance_km", -0.5), "seat_zone_distance"),
    "a repair forgotten": (repair_forgotten, "seat_rule_repair"),
    "a repair that leaves something": (bump("seat_rule_repairs", "left_after", 5.0, on="amount"), "seat_rule_repair"),
    "a repair made cheaper": (cheaper_repair, "seat_rule_repair"),
    "a class of today invented": (bump("seat_classes", "classes_base", 1), "seat_capacity"),
    "an eligible child invented": (bump("seat_expansion", "eligible", 1), "seat_capacity"),
    "an assumption called official": (called_official, "seat_basis"),
    "a leaver forgotten": (bump("seat_senior", "senior_places_wanted", -1), "seat_senior"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_found(name: str, plan: Plan, tables: Plan) -> None:
    change, rule = CHANGES[name]
    change(plan)
    assert rule in rules(plan, tables)


def test_every_rule_of_the_audit_is_tried() -> None:
    texts = {k.removeprefix("seats.audit.") for k in catalogue() if k.startswith("seats.audit.")}
    tried = {rule.removeprefix("seat_") for _, rule in CHANGES.values()}
    assert texts == tried | {"rows", "table_missing", "column_missing", "and_more"}


@pytest.mark.parametrize("name", PLAN_TABLES)
def test_a_missing_table_is_named(name: str, plan: Plan, tables: Plan) -> None:
    del plan[name]
    (found,) = check(plan, tables, PARAMETERS)
    assert found.rule == "seat_table_missing"
    assert name in found.zh


def test_a_missing_column_is_named(plan: Plan, tables: Plan) -> None:
    plan["seat_rooms"] = plan["seat_rooms"].drop(columns="purchased")
    found = [f for f in check(plan, tables, PARAMETERS) if f.rule == "seat_column_missing"]
    assert found
    assert "purchased" in found[0].en


@pytest.mark.parametrize("name", ["seat_expansion", "seat_rooms", "seat_classes"])
def test_a_missing_row_is_found(name: str, plan: Plan, tables: Plan) -> None:
    plan[name] = plan[name].iloc[1:]
    assert rules(plan, tables) == {"seat_rows"}


def test_many_findings_of_one_rule_are_counted(plan: Plan, tables: Plan) -> None:
    plan["seat_classes"]["public_seats"] += 1
    found = [f for f in check(plan, tables, PARAMETERS) if f.rule == "seat_seats"]
    assert len(found) == 21
    assert "52" in found[-1].en
