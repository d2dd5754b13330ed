"""Further seats in a county that collects choices: by hand, and every row recomputed by deferred acceptance."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.deferred_acceptance import deferred_acceptance
from zjsim.models.placement_data import county_data, county_tables
from zjsim.models.placement_extra import extra_table
from zjsim.models.placement_modes import child_market, place_county

from zjsim.scenario.parameters import PlacementParameters


def helper() -> Any:
    """The small random counties of the placement's brute-force test."""
    name = "small_counties"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("test_seat_placement.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def by_hand() -> dict[str, pd.DataFrame]:
    """Two public schools A (1 seat), B (1 seat) and a private one; three children, points 3 > 2 > 1, all want A, B, P.

    One more seat at A: the second moves from B to A, the third from private to B: 2 move up, 1 newly public.
    """
    front = {"county_code": "330101", "source_id": "s", "basis": "synthetic"}
    schools, seats = [], []
    for k, owner in enumerate(("public", "public", "private")):
        name = f"330101-P{k:03d}"
        schools.append(
            front
            | {"school_id": name, "label_zh": f"校{k}", "label_en": f"School {k}", "zone_id": "330101-Z01"}
            | {"lon": 120.0 + k / 1000, "lat": 30.0, "ownership": owner, "stage": "primary"}
        )
        row = {"school_id": name, "year": 2025, "grade": 1, "classes": 1, "seats": 1, "taken_local": 0}
        seats.append(front | row | {"taken_migrant": 0, "purchased_seats": 0, "taken_purchased": 0})
    groups, choices = [], []
    for g in range(3):
        name = f"330101-G{g:05d}"
        home = {"zone_id": "330101-Z01", "cell_id": "330101-C0001", "year": 2025, "grade": 1}
        claim = {"tier": 1, "points": 3.0 - g, "sibling_school": "", "current_school": "", "family_id": ""}
        groups.append(front | {"group_id": name, "children": 1} | home | claim)
        choices += [
            front | {"group_id": name, "year": 2025, "choice": c + 1, "school_id": f"330101-P{c:03d}"} for c in range(3)
        ]
    cell = front | {"cell_id": "330101-C0001", "zone_id": "330101-Z01", "lon": 120.0, "lat": 30.0}
    return {
        "schools": pd.DataFrame(schools),
        "school_grades": pd.DataFrame(seats),
        "residence_cells": pd.DataFrame([cell]),
        "tier_rules": pd.DataFrame([front | {"tier": 1, "order_by": "points", "points_step": 1.0}]),
        "sibling_rule": pd.DataFrame([front | {"in_force": False}]),
        "child_groups": pd.DataFrame(groups),
        "school_choices": pd.DataFrame(choices),
    }


def test_one_seat_moves_two_children_up_and_one_into_a_public_school() -> None:
    p = PlacementParameters(extra_seats=1)
    county = county_data("330101", 2025, by_hand())
    table = extra_table(county, place_county(county, "priority", p, False), p)
    row = table.iloc[0]
    assert len(table) == 1
    assert (row["school_id"], row["seats"]) == ("330101-P000", 1)
    assert (row["moved_up"], row["newly_public"], row["newly_placed"]) == (2, 1, 0)
    assert (row["ranks_before"], row["ranks_after"], row["ranks_bound"]) == (6, 4, 4)
    assert "2 children move up, 1 newly in a public school" in row["en"]
    assert "演示" in row["zh"]


def test_every_table_is_what_deferred_acceptance_gives_on_the_seats_added() -> None:
    small = helper()
    tables, p = small.registries(270), PlacementParameters(extra_seats=2, nearest_kept=0, primary_cap_km=1.5)
    codes = sorted(set(tables["school_choices"]["county_code"]))
    seen = 0
    for code, own in county_tables(tables, 2025, codes):
        county = county_data(code, 2025, own)
        placed = place_county(county, "priority", p, False)
        table = extra_table(county, placed, p)
        for one in placed:
            rows = table[table["grade"] == one.grade.grade]
            if rows.empty:
                continue
            choices, rank = child_market(one.grade, one.arcs, one.reading, p)
            more = one.grade.seats.copy()
            for school, kind, n in rows[["school_id", "kind", "seats"]].itertuples(index=False, name=None):
                at = (county.schools.ids[one.grade.school] == school) & (one.grade.kind == 0)
                assert kind == "public"
                assert at.sum() == 1
                more[at] += n
            before, after = (deferred_acceptance(choices, rank, s) for s in (one.grade.seats, more))
            assert set(rows["ranks_before"]) == {before.sum_of_ranks(choices)}
            assert set(rows["ranks_after"]) == {after.sum_of_ranks(choices)} == set(rows["ranks_bound"])
            assert rows["newly_placed"].sum() == (after.choice >= 0).sum() - (before.choice >= 0).sum()
            least = min(_all_ways(choices, rank, one.grade))
            assert after.sum_of_ranks(choices) == least
            seen += 1
    assert seen >= 12


def _all_ways(choices: Any, rank: Any, grade: Any) -> list[int]:
    """Sum of ranks for every way to add up to two public seats."""
    public = np.flatnonzero(grade.kind == 0).tolist()
    values = []
    for ways in [(), *((s,) for s in public), *((s, t) for s in public for t in public)]:
        seats = grade.seats.copy()
        for s in ways:
            seats[s] += 1
        values.append(deferred_acceptance(choices, rank, seats).sum_of_ranks(choices))
    return values


@pytest.mark.parametrize("extra", [0])
def test_nothing_is_asked_without_seats(extra: int) -> None:
    p = PlacementParameters(extra_seats=extra)
    county = county_data("330101", 2025, by_hand())
    assert extra_table(county, place_county(county, "priority", p, False), p).empty
