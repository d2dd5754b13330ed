"""Every rule about ranges, shares, totals, capacity and dates finds its own fault at its row; the baseline has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zjsim.scenario import Scenario, load
from zjsim.scenario.checks import check_scenario
from zjsim.scenario.range_checks import PARAMETERS
from zjsim.tables.errors import Finding

Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load("baseline")


def told(tables: Tables, scenario: Scenario) -> list[Finding]:
    lines = {name: np.arange(2, len(table) + 2) for name, table in tables.items()}
    return check_scenario(tables, lines, {n: f"{n}.csv" for n in tables}, scenario.parameters)


def test_the_baseline_breaks_no_rule(baseline: Scenario) -> None:
    assert told(baseline.tables, baseline) == []
    assert len(PARAMETERS) == 9


# registry, query of the row, column, value, rule, severity
CASES: list[tuple[str, str, str, Any, str, str]] = [
    *[(name, "index == 1", "low", 1e9, "range_order", "error") for name in PARAMETERS],
    *[(name, "index == 1", "mode", 1e9, "range_order", "error") for name in PARAMETERS],
    ("process_parameters", "parameter_id == 'PP09'", "high", 1.5, "share_above_one", "error"),
    ("process_parameters", "parameter_id == 'PP29'", "high", 36.0, "constant_range", "error"),
    ("process_parameters", "parameter_id == 'PP32a'", "mode", 0.6, "group_shares", "error"),
    ("location_parameters", "parameter_id == 'LP02'", "low", 0.0, "lognormal_positive", "error"),
    ("service_parameters", "parameter_id == 'SP02'", "parameter_id", "LP02", "parameter_twice", "error"),
    ("seat_norms", "norm_id == 'model_permit_share'", "low", 0.8, "range_order", "error"),
    ("seat_norms", "norm_id == 'model_permit_share'", "high", 1.2, "share_above_one", "error"),
    ("seat_norms", "norm_id == 'model_permit_share'", "value", np.nan, "norm_value", "error"),
    ("seat_norms", "norm_id == 'school_size_classes_junior'", "high", np.nan, "range_end", "error"),
    ("births", "year == 2025", "low_10k", 50.0, "range_order", "error"),
    ("births", "year == 2025", "low_10k", np.nan, "range_end", "error"),
    ("team_deployment", "index == 3", "share", 0.5, "shares_total", "error"),
    ("monthly_indices", "index == 3", "value", 3.0, "shares_total", "error"),
    ("monthly_indices", "index == 3", "index_id", "PP01", "months_missing", "error"),
    ("training_calendar", "index == 11", "trainer_index", 3.0, "shares_total", "error"),
    ("counties", "index == 4", "share_hukou_other_province", 0.9, "shares_exceed", "error"),
    ("counties", "index == 4", "age_0_14", 5, "ages_differ", "error"),
    ("counties", "index == 4", "city_zh", "x", "name_differs", "notice"),
    ("migrant_calibration", "index == 4", "migrant_primary", 5, "parts_total", "error"),
    ("migrant_calibration", "index == 4", "public_share", 0.1, "share_differs", "error"),
    ("patents", "index == 4", "inventoried", 999_999, "part_exceeds", "error"),
    ("location_kinds", "index == 4", "minimum_served", 999_999, "more_than", "error"),
    ("seat_capacity", "county_code == '330102' and year == 2024", "public_seats", 5, "seats_negative", "error"),
    ("seat_capacity", "county_code == '330102' and year == 2030", "public_seats", 0, "seats_of_classes", "error"),
    ("seat_capacity", "county_code == '330102' and year == 2030", "public_classes", 1, "seats_of_classes", "error"),
    ("seat_capacity", "county_code == '330102' and year == 2030", "year", 2040, "no_partner", "error"),
    ("seat_options", "index == 4", "classrooms", 1, "rooms_negative", "error"),
    ("seat_options", "index == 4", "usable_seats_per_class", 0, "class_without_seats", "error"),
    ("seat_options", "index == 4", "school_rooms_min", 999, "more_than", "error"),
    ("seat_demand", "year == 2025", "applicants", 999_999, "part_exceeds", "error"),
    ("seat_demand", "year == 2025", "local_children", 1, "total_differs", "notice"),
    ("firm_classes", "index == 2", "firms_total", 7, "total_differs", "notice"),
    ("milestones", "target_id == 'ai_college'", "quarter", "2031-Q1", "milestone_late", "error"),
    ("milestones", "target_id == 'ai_college'", "is_year_end", True, "milestone_year_end", "error"),
    ("milestones", "target_id == 'ai_college'", "reading", "strict", "milestone_reading", "error"),
    ("milestones", "reading == 'cumulative_2027'", "value", 99_999.0, "milestone_falls", "error"),
    ("programme_batches", "stage == 'approval'", "approved", np.nan, "batch_number", "error"),
    ("programme_batches", "stage == 'call'", "approved", 3.0, "batch_call", "error"),
    ("programme_batches", "stage == 'approval'", "date", "2026-01-01", "stock_after_as_of", "error"),
    ("programmes", "index == 2", "stock_date", "2026-01-01", "stock_after_as_of", "error"),
    ("levers", "index == 2", "earliest_effect", "2024-01-01", "lever_effect_early", "notice"),
    ("universities", "index == 2", "county_code", "331126", "county_other_city", "error"),
    ("cities", "index == 2", "seat_county_code", "331126", "county_other_city", "notice"),
    ("training_providers", "moe_code == '12861'", "city_code", "331100", "provider_other_city", "error"),
    ("industries", "industry_id == 'X415'", "parent_id", "W1", "parent_cycle", "error"),
]  # fmt: skip
AT_ANOTHER_ROW = {"shares_total", "months_missing", "milestone_falls", "group_shares", "parameter_twice"}
"""Rules about a group of rows: told at the group's last row, or at the one that follows."""


@pytest.mark.parametrize(
    ("name", "query", "column", "value", "rule", "severity"), CASES, ids=[f"{c[4]}-{c[0]}-{c[2]}" for c in CASES]
)
def test_one_wrong_cell_is_found(
    baseline: Scenario, name: str, query: str, column: str, value: object, rule: str, severity: str
) -> None:
    table = baseline.tables[name].copy()
    row = int(table.query(query).index[0])
    if isinstance(value, float) and table[column].dtype == np.int64:
        table[column] = table[column].astype(float)
    table.loc[row, column] = value
    found = [f for f in told({**baseline.tables, name: table}, baseline) if f.rule == rule]
    assert found
    assert {f.severity for f in found} == {severity}
    if rule not in AT_ANOTHER_ROW and (name, rule) != ("seat_capacity", "no_partner"):
        assert (f"{name}.csv", row + 2) in [(f.file, f.line) for f in found]
    for f in found:
        assert "{" not in f.sentence("zh") + f.sentence("en")


Change = Callable[[Tables], Tables]
EMPTIED: list[tuple[str, Change, str]] = [
    ("a city without providers", lambda t: _without(t, "training_providers", "city_code", "331100"), "no_provider"),
    ("a sector that nobody in a city teaches", lambda t: _untaught(t, "331100", "TS4"), "sector_not_taught"),
    ("a city without teams", lambda t: _without(t, "team_deployment", "city_code", "331100"), "no_team"),
    ("teams that serve nowhere", lambda t: _without(t, "team_deployment", "moe_code", "10335"), "no_partner"),
    ("a county without options", lambda t: _without(t, "seat_options", "county_code", "331126"), "no_partner"),
    ("a county without budgets", lambda t: _without(t, "seat_budgets", "county_code", "331126"), "no_partner"),
    ("a county without seats", lambda t: _without(t, "seat_capacity", "county_code", "331126"), "no_partner"),
    ("a theme without kinds", lambda t: _without(t, "location_kinds", "theme", "campuses"), "no_partner"),
    ("a year without seats", lambda t: _no_seats(t), "no_seat"),
]


def _without(tables: Tables, name: str, column: str, value: str) -> Tables:
    table = tables[name]
    return {**tables, name: table[table[column] != value].reset_index(drop=True)}


def _untaught(tables: Tables, city: str, sector: str) -> Tables:
    table = tables["training_providers"].copy()
    here = table["city_code"] == city
    table.loc[here, "sectors"] = [
        ";".join(s for s in own.split(";") if s != sector) for own in table.loc[here, "sectors"]
    ]
    return {**tables, "training_providers": table}


def _no_seats(tables: Tables) -> Tables:
    table = tables["seat_capacity"].copy()
    here = (table["county_code"] == "331126") & (table["year"] == 2030)
    table.loc[here, ["public_classes", "public_seats", "private_places"]] = 0
    return {**tables, "seat_capacity": table}


@pytest.mark.parametrize(("said", "change", "rule"), EMPTIED, ids=[e[0] for e in EMPTIED])
def test_demand_that_nothing_can_reach(baseline: Scenario, said: str, change: Change, rule: str) -> None:
    found = [f for f in told(change(baseline.tables), baseline) if f.rule == rule]
    assert found, said
    assert all(f.severity == "error" and f.line for f in found)
