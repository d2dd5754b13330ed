"""County campuses, practice centres and kindergartens of the baseline: who may, where, and what comes first."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from zjsim.models.campuses import campus_theme, kindergarten_theme, practice_theme, standing
from zjsim.models.location_data import TABLES
from zjsim.models.location_goals import solve_locations_of
from zjsim.models.location_rules import Need

from zjsim.scenario import Scenario, load
from zjsim.scenario.parameters import LocationParameters
from zjsim.solve.results import Optimal


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load("baseline")


@pytest.fixture(scope="module")
def tables(baseline: Scenario) -> dict[str, pd.DataFrame]:
    return {name: baseline.table(name) for name in TABLES}


def changed(baseline: Scenario, **changes: Any) -> Any:
    return baseline.parameters.model_copy(update={"locations": LocationParameters(**changes)})


def test_only_colleges_of_standing_go_to_concentrated_counties(
    baseline: Scenario, tables: dict[str, pd.DataFrame]
) -> None:
    """M060: city-level colleges of high standing, counties with concentrated industry and no college of their own."""
    theme = campus_theme(tables, baseline.parameters)
    u = tables["universities"].set_index("moe_code")
    industry = tables["county_industry"].set_index("county_code")
    kind = tables["counties"].set_index("county_code")["kind"]
    assert len(theme.data.options) > 100
    for o in theme.data.options:
        assert u.loc[o.host, "double_high_plan"]
        assert kind[o.county] in ("county", "city")
        assert industry.loc[o.county, "concentration"] >= 0.6
        assert not industry.loc[o.county, "has_vocational_college"]
    assert "330782" not in {o.county for o in theme.data.options}  # Yiwu has a college


def test_readings_widen_the_choice(baseline: Scenario, tables: dict[str, pd.DataFrame]) -> None:
    assert set(standing(tables, "double_high")) < set(standing(tables, "public"))
    narrow = campus_theme(tables, baseline.parameters)
    wide = campus_theme(tables, changed(baseline, campus_standing="public", campus_counties="with_districts"))
    assert set(narrow.data.options) < set(wide.data.options)
    assert {o.county for o in narrow.data.options} < {o.county for o in wide.data.options}
    near = campus_theme(tables, changed(baseline, campus_host_km=60.0))
    assert {(o.host, o.county) for o in near.data.options} < {(o.host, o.county) for o in narrow.data.options}
    assert all(s.distance_km <= 60 for s in near.scores.values())


def test_a_college_of_the_same_city_suits_better(baseline: Scenario, tables: dict[str, pd.DataFrame]) -> None:
    theme = campus_theme(tables, baseline.parameters)
    city = tables["universities"].set_index("moe_code")["city_code"]
    for o, score in theme.scores.items():
        assert score.components["assigned"] == (city[o.host][:4] == o.county[:4])


def test_the_campus_plan_of_the_baseline(baseline: Scenario, tables: dict[str, pd.DataFrame]) -> None:
    theme = campus_theme(tables, baseline.parameters)
    result = solve_locations_of(theme.data)
    assert isinstance(result, Optimal)
    assert all(s.gap == 0 for s in result.stages)
    counties = [o.county for o in result.plan.opened]
    assert len(counties) == len(set(counties))
    assert sum(n for (k, _, y), n in result.plan.started.items() if k == "county_campus" and y > 2025) == 0
    tight = solve_locations_of(campus_theme(tables, changed(baseline, staff_factor=0.3)).data)
    assert isinstance(tight, Optimal)
    assert tight.stages[0].value < result.stages[0].value


def test_kindergartens_follow_the_threshold_and_employees_come_first(
    baseline: Scenario, tables: dict[str, pd.DataFrame]
) -> None:
    """M104: parks of at least 10,000 employees; M105: others only where employees' children all have a place."""
    theme = kindergarten_theme(tables, baseline.parameters)
    employees = tables["county_industry"].set_index("county_code")["park_employees"]
    assert {o.county for o in theme.data.options} == set(employees.index[employees >= 10_000])
    result = solve_locations_of(theme.data)
    assert isinstance(result, Optimal)
    served: dict[Need, int] = {}
    for (_, d), n in result.plan.served.items():
        served[d] = served.get(d, 0) + n
    others = [d.county for d in served if d.group == "residents"]
    assert others
    for county in others:
        own = Need(county, "employees")
        assert served[own] == theme.data.need[own]
    higher = kindergarten_theme(tables, changed(baseline, park_threshold_employees=50_000))
    assert len(higher.data.options) < len(theme.data.options)


def test_practice_centres_have_a_catchment(baseline: Scenario, tables: dict[str, pd.DataFrame]) -> None:
    theme = practice_theme(tables, baseline.parameters)
    assert len(theme.data.options) == 90
    assert max(theme.data.arcs.values()) <= 30
    assert all((s, Need(*s)) in theme.data.arcs for s in {a[0] for a in theme.data.arcs})
    assert sum(theme.data.starts.values()) == 40  # thirteen and a third a year: what the batches of the past imply
    assert set(theme.data.openings_per_city.values()) == {1}
