"""Planning zones of the seat plan: whole numbers that add up to the county tables, to the last child and room."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zjsim.models.seat_data import counties
from zjsim.models.seat_sites import spread
from zjsim.models.seat_zones import STAGE_NAMES, Zones, zones

from zjsim.scenario import Scenario, load


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load("baseline")


@pytest.fixture(scope="module")
def province(baseline: Scenario) -> Zones:
    return zones(baseline)


def test_zones_add_up_to_the_county_tables_to_the_last_child(baseline: Scenario, province: Zones) -> None:
    places = counties(baseline)
    for k, d in enumerate(places):
        here = province.county == k
        for values, wanted in (
            (province.local, d.local),
            (province.migrant, d.migrant),
            (province.guaranteed, d.covered),
        ):
            total = values[here].sum(axis=0)
            assert all(total[g - 1, y - d.years[0]] == n for (g, y), n in wanted.items()), d.code
        for s, name in enumerate(STAGE_NAMES):
            stage = d.stages[name]
            assert province.classrooms[here, s].sum() == stage.classrooms
            assert province.extension_max[here, s].sum() == stage.extension_rooms_that_fit
            assert province.sites[here, s].sum() == stage.school_sites
            assert province.classes_now[here, s].sum() == stage.base_classes
    demand = baseline.table("seat_demand").query("2025 <= year <= 2032")
    assert province.local.sum() == demand["local_children"].sum()
    assert province.guaranteed.sum() == demand["permit_holders"].sum()


def test_a_zone_never_has_more_guaranteed_than_migrant_children_nor_more_classes_than_rooms(province: Zones) -> None:
    assert (province.guaranteed <= province.migrant).all()
    assert (province.classes_now <= province.classrooms).all()
    for values in (province.local, province.extension_max, province.sites):
        assert (values >= 0).all()


def test_zones_are_those_of_the_registry_in_order(baseline: Scenario, province: Zones) -> None:
    assert list(province.zone_ids) == sorted(baseline.table("planning_zones")["zone_id"])
    at = baseline.table("planning_zones").set_index("zone_id")
    code = "330108"
    here = province.of(code)
    assert all(z.startswith(code) for z in province.zone_ids[here])
    assert (at["county_code"] == code).sum() == here.stop - here.start
    km = province.distances_km(code)
    assert (np.diag(km) == 0).all()
    assert (km == km.T).all()
    assert km.max() < 2 * np.sqrt(baseline.table("counties").set_index("county_code").at[code, "area_km2"] / np.pi)


def test_an_extension_zone_holds_at_least_one_smallest_extension(baseline: Scenario, province: Zones) -> None:
    least = baseline.table("seat_options")["extension_rooms_min"].max()
    large = province.extension_max[province.extension_max > 0]
    assert (large >= least).mean() > 0.99


def test_a_county_without_zones_is_one_zone(baseline: Scenario) -> None:
    def table(name: str) -> pd.DataFrame:
        found = baseline.table(name)
        return found[found["county_code"] != "330108"] if name in ("planning_zones", "seat_zones") else found

    small: Any = SimpleNamespace(parameters=baseline.parameters, table=table)
    found = zones(small)
    here = found.of("330108")
    assert found.zone_ids[here] == ("330108-Z01",)
    (d,) = [d for d in counties(baseline) if d.code == "330108"]
    assert found.classrooms[here].tolist() == [[d.stages[s].classrooms for s in STAGE_NAMES]]
    assert found.local[here].sum() == sum(d.local.values())


def test_what_if_changes_reach_the_zones() -> None:
    more = zones(load("baseline", sets=("seat_demand[330108,2026,1].local_children=9999",)))
    here = more.of("330108")
    assert more.local[here, 0, 1].sum() == 9999


@given(st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=9), st.lists(st.integers(0, 5000)))
def test_spread_is_exact_and_fair(weights: list[float], totals: list[int]) -> None:
    w, n = np.array(weights), np.array(totals, dtype=np.int64)
    parts = spread(w, n)
    assert parts.shape == (len(w), len(n))
    assert (parts.sum(axis=0) == n).all()
    share = w / w.sum() if w.sum() else np.full(len(w), 1 / len(w))
    assert (np.abs(parts - share[:, None] * n) < 1 + 1e-6).all()
