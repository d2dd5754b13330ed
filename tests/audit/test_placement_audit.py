"""The audit of a placement accepts what the model gives and finds whatever is changed afterwards."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.seat_placement import place

from zjsim.audit.placement import PLAN_TABLES, check
from zjsim.scenario.parameters import PlacementParameters, SeatParameters, SolverParameters, Time
from zjsim.texts import catalogue

Plan = dict[str, pd.DataFrame]
PARAMETERS: Any = SimpleNamespace(
    placement=PlacementParameters(primary_cap_km=2.0, nearest_kept=0),
    seats=SeatParameters(),
    time=Time(),
    solver=SolverParameters(),
)
CODE = "330000"


class Town:
    """Two public schools, one private, 60 applicants in two grades: siblings, newcomers, some who may stay."""

    parameters = PARAMETERS

    def __init__(self) -> None:
        rng = np.random.Generator(np.random.Philox(key=3))
        at = {"P1": (120.0, 30.0, "public"), "P2": (120.01, 30.0, "public"), "P3": (120.0, 30.01, "private")}
        schools = [
            {"school_id": s, "label_zh": s, "label_en": s, "county_code": CODE, "zone_id": "Z", "lon": x, "lat": y,
             "ownership": o, "stage": "primary"}
            for s, (x, y, o) in at.items()
        ]  # fmt: skip
        grades = [
            {"school_id": s, "county_code": CODE, "year": 2025, "grade": g, "classes": 1, "seats": 14, "taken_local": 4,
             "taken_migrant": 1, "purchased_seats": 4 * (s == "P3"), "taken_purchased": 0}
            for s in at for g in (1, 2)
        ]  # fmt: skip
        cells = [
            {"cell_id": f"C{k}", "county_code": CODE, "zone_id": "Z", "lon": 120 + 0.01 * rng.random(),
             "lat": 30 + 0.01 * rng.random()}
            for k in range(4)
        ]  # fmt: skip
        groups = []
        for k in range(52):
            tier = 1 + k % 3
            groups.append(
                {"group_id": f"G{k:02d}", "county_code": CODE, "zone_id": "Z", "cell_id": f"C{int(rng.integers(4))}",
                 "year": 2025, "grade": 1 + k % 2, "tier": tier, "points": np.nan if tier == 3 else 100.0 - k // 4,
                 "sibling_school": "P1" if k % 5 == 0 else "", "current_school": "P3" if k % 17 == 1 else "",
                 "family_id": f"F{k // 10}" if k % 10 in (3, 4) else "", "children": 1 + (k % 7 == 0)}
            )  # fmt: skip
        rules = [
            {"county_code": CODE, "tier": t, "order_by": "none" if t == 3 else "points", "points_step": 1.0}
            for t in (1, 2, 3)
        ]
        found = {
            "schools": schools, "school_grades": grades, "residence_cells": cells, "tier_rules": rules,
            "child_groups": groups, "sibling_rule": [{"county_code": CODE, "in_force": True}],
        }  # fmt: skip
        self.tables = {name: pd.DataFrame(rows).assign(basis="synthetic") for name, rows in found.items()}

    def table(self, name: str) -> pd.DataFrame:
        return self.tables[name]


@pytest.fixture(scope="module")
def town() -> Town:
    return Town()


@pytest.fixture(scope="module")
def solved(town: Town) -> Plan:
    return place(town)


@pytest.fixture
def plan(solved: Plan) -> Plan:
    return {name: table.copy() for name, table in solved.items()}


def rules(plan: Plan, tables: Plan) -> set[str]:
    return {f.rule for f in check(plan, tables, PARAMETERS)}


def test_the_plan_passes_and_is_worth_checking(plan: Plan, town: Town) -> None:
    assert check(plan, town.tables, PARAMETERS) == []
    groups, envy = plan["placement_groups"], plan["placement_envy"]
    assert set(groups["kind"]) == {"", "public", "purchased", "self_paid"}
    assert (groups["follows_school"] != "").any()
    assert set(envy.loc[envy["mode"] == "priority", "rule"]) <= {"sibling", "stay"}
    assert (envy["mode"] == "priority").any()
    assert len(plan["placement_duals"])
    assert (plan["placement_unplaced"]["unplaced"] > 0).any()
    assert groups[["zh", "en"]].map(len).to_numpy().min() > 10


def set_first(name: str, column: str, by: float, **where: Any) -> Callable[[Plan], None]:
    def change(plan: Plan) -> None:
        table = plan[name]
        found = table[table[column] != 0]
        for key, value in where.items():
            found = found[found[key] == value]
        table.loc[found.index[0], column] += by

    return change


def drop_rows(name: str, n: int = 1) -> Callable[[Plan], None]:
    def change(plan: Plan) -> None:
        plan[name] = plan[name].iloc[n:].reset_index(drop=True)

    return change


def send_to_unknown_school(plan: Plan) -> None:
    t = plan["placement_groups"]
    t.loc[t[t["school_id"] != ""].index[0], "school_id"] = "P9"


def follow_elsewhere(plan: Plan) -> None:
    t = plan["placement_groups"]
    t.loc[t[t["follows_school"] == ""].index[0], "follows_school"] = "P2"


MUTATIONS: list[tuple[Callable[[Plan], None], str]] = [
    (set_first("placement_groups", "children", 1), "placement_children_lost"),
    (drop_rows("placement_groups"), "placement_children_lost"),
    (send_to_unknown_school, "placement_not_open"),
    (set_first("placement_groups", "distance_km", 0.5, mode="priority"), "placement_not_open"),
    (follow_elsewhere, "placement_newcomers"),
    (set_first("placement", "children", 1), "placement_sums"),
    (set_first("placement_unplaced", "unplaced", -1, mode="priority"), "placement_sums"),
    (set_first("placement_unplaced", "seats_needed", -1), "placement_sums"),
    (set_first("placement_fairness", "public", 1, who="local"), "placement_fairness"),
    (set_first("placement_fairness", "self_paid", -1, who="migrant"), "placement_fairness"),
    (set_first("placement_envy", "children", 1), "placement_envy"),
    (set_first("placement_cutoffs", "points", 1), "placement_cutoff"),
    (set_first("placement_cutoffs", "turned_away", 1), "placement_cutoff"),
    (set_first("placement_unplaced", "children", 1), "placement_sums"),
    (drop_rows("placement_envy"), "placement_envy"),
    (set_first("placement_prices", "utilitarian", 1), "placement_goal"),
    (set_first("placement_prices", "priority", -1), "placement_goal"),
    (set_first("placement_duals", "price", 100000), "placement_price"),
    (set_first("placement_seats_needed", "seats", 1), "placement_sums"),
    (set_first("placement_difference", "equal", -1), "placement_sums"),
    (drop_rows("placement_duals", 3), "placement_not_best"),
]


@pytest.mark.parametrize(("change", "rule"), MUTATIONS)
def test_every_change_is_found(change: Callable[[Plan], None], rule: str, plan: Plan, town: Town) -> None:
    change(plan)
    assert rule in rules(plan, town.tables)


def test_fewer_seats_are_found(plan: Plan, town: Town) -> None:
    tables = dict(town.tables)
    tables["school_grades"] = tables["school_grades"].assign(seats=13)
    assert "placement_seats" in rules(plan, tables)


def test_another_lottery_or_other_points_pass_somebody_over(plan: Plan, town: Town) -> None:
    tables = dict(town.tables)
    groups = tables["child_groups"]
    tables["child_groups"] = groups.assign(points=200 - groups["points"])
    assert {"placement_passed_over", "placement_unforced_envy"} & rules(plan, tables)
    other = SimpleNamespace(**vars(PARAMETERS))
    other.placement = PARAMETERS.placement.model_copy(update={"lottery_seed": 1})
    assert "placement_passed_over" in {f.rule for f in check(plan, town.tables, other)}


def test_a_child_at_a_school_who_is_sent_away_is_found(plan: Plan, town: Town) -> None:
    tables = dict(town.tables)
    t = plan["placement_groups"]
    name = t[(t["kind"] == "") & (t["mode"] == "priority")]["group_id"].iloc[0]
    groups = tables["child_groups"]
    tables["child_groups"] = groups.assign(
        current_school=groups["current_school"].where(groups["group_id"] != name, "P3")
    )
    assert "placement_not_staying" in rules(plan, tables)


def test_missing_tables_and_texts(plan: Plan, town: Town) -> None:
    for name in PLAN_TABLES:
        assert rules({k: v for k, v in plan.items() if k != name}, town.tables) == {"placement_table_missing"}
    assert rules({**plan, "placement_groups": plan["placement_groups"].iloc[:0]}, town.tables)
    assert "placement.audit.not_best" in catalogue()
