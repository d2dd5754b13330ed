"""Every rule about schools and groups finds its own fault at its row, and a sound county breaks none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from zjsim.scenario import Scenario, load, reach_checks, school_checks
from zjsim.scenario.checks import Broken, check_scenario
from zjsim.synthesis.placement import TABLES, source_of, synthesize_tables

Tables = dict[str, pd.DataFrame]
COUNTIES = ("331126", "331127")


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load("baseline")


@pytest.fixture(scope="module")
def sound(baseline: Scenario) -> Tables:
    drawn = synthesize_tables(source_of(baseline.tables, 2025, 1), COUNTIES)
    return {**baseline.tables, **drawn}


@pytest.fixture
def tables(sound: Tables) -> Tables:
    return {name: (table.copy() if name in TABLES else table) for name, table in sound.items()}


def told(tables: Tables) -> list[Any]:
    lines = {name: np.arange(2, len(table) + 2) for name, table in tables.items()}
    files = {name: f"{name}.csv" for name in tables}
    return check_scenario(tables, lines, files, None)


def test_a_sound_county_breaks_no_rule(tables: Tables) -> None:
    assert told(tables) == []


def first(tables: Tables, name: str, query: str) -> int:
    return int(tables[name].query(query).index[0])


CASES: list[tuple[str, str, str, object, str, str]] = [
    ("planning_zones", "index == 1", "share_local", 0.9, "zone_shares", "error"),
    ("schools", "county_code == '331127'", "zone_id", "331126-Z01", "zone_other_county", "error"),
    ("residence_cells", "county_code == '331127'", "zone_id", "331126-Z01", "zone_other_county", "error"),
    ("child_groups", "county_code == '331127'", "zone_id", "331126-Z01", "zone_other_county", "error"),
    ("child_groups", "zone_id == '331127-Z01'", "zone_id", "331127-Z02", "cell_other_zone", "error"),
    ("school_grades", "county_code == '331127'", "county_code", "331126", "school_other_county", "error"),
    ("school_grades", "school_id == '331127-P001'", "grade", 7, "grade_not_taught", "error"),
    ("school_grades", "taken_local > 0", "purchased_seats", 1, "purchased_public", "error"),
    ("school_grades", "purchased_seats > 0", "purchased_seats", 99999, "more_than", "error"),
    ("school_grades", "purchased_seats > 0", "taken_purchased", 99999, "more_than", "error"),
    ("school_grades", "taken_local > 0", "taken_local", 99999, "seats_exceeded", "error"),
    ("child_groups", "is_transfer and grade < 7", "current_school", "331127-J001", "grade_not_taught", "error"),
    ("child_groups", "grade < 7", "sibling_school", "331127-J001", "sibling_no_effect", "notice"),
    ("child_groups", "tier == 2", "tier", 9, "tier_unknown", "error"),
    ("child_groups", "tier == 2", "is_eligible", False, "tier_needs", "error"),
    ("child_groups", "tier == 5", "has_permit", False, "tier_needs", "error"),
    ("child_groups", "tier == 2", "points", np.nan, "tier_points_missing", "error"),
    ("child_groups", "tier == 2", "points", 1.0, "tier_points_outside", "error"),
    ("child_groups", "tier == 4", "points", 5000.0, "tier_points_outside", "error"),
    ("child_groups", "tier == 1", "points", 100.003, "points_step", "error"),
    ("child_groups", "tier == 6", "children", 999, "county_total_synthetic", "error"),
    ("school_grades", "taken_local > 0", "seats", 999, "county_total_synthetic", "error"),
    ("school_grades", "taken_local > 3", "taken_local", 1, "county_total_synthetic", "error"),
]


@pytest.mark.parametrize(
    ("name", "query", "column", "value", "rule", "severity"), CASES, ids=[f"{c[4]}-{c[0]}-{c[2]}" for c in CASES]
)
def test_one_wrong_cell_is_found(
    tables: Tables, name: str, query: str, column: str, value: object, rule: str, severity: str
) -> None:
    row = first(tables, name, query)
    tables[name].loc[row, column] = value
    found = [f for f in told(tables) if f.rule == rule]
    assert found, (rule, told(tables))
    assert {f.severity for f in found} == {severity}
    assert all(f.file == f"{name}.csv" for f in found)
    if rule not in ("county_total_synthetic", "zone_shares"):
        assert row + 2 in [f.line for f in found]
    for f in found:
        assert "{" not in f.sentence("zh") + f.sentence("en")


def test_shares_that_are_all_unknown_are_no_fault(tables: Tables) -> None:
    tables["planning_zones"][["share_local", "share_migrant"]] = 0.0
    assert told(tables) == []


@pytest.mark.parametrize("name", ["school_grades", "tier_rules", "planning_zones"])
def test_groups_without_their_other_tables_are_told(tables: Tables, name: str) -> None:
    tables[name] = tables[name].iloc[:0]
    assert [f.rule for f in told(tables) if f.rule == "table_needed"] == ["table_needed"]


def test_many_notices_are_cut_short_by_a_notice(tables: Tables) -> None:
    tables["school_grades"] = tables["school_grades"].assign(basis="official")
    tables["child_groups"] = tables["child_groups"].assign(sibling_school="331126-J001", basis="official")
    tables["schools"] = tables["schools"].assign(stage="junior")
    found = [f for f in told(tables) if f.rule == "sibling_no_effect"]
    assert len(found) == 50
    assert {f.severity for f in found} == {"notice"}


def test_the_totals_of_a_real_table_are_a_notice(tables: Tables) -> None:
    tables["child_groups"]["basis"] = "official"
    tables["child_groups"].loc[0, "children"] += 1
    assert [(f.rule, f.severity) for f in told(tables)] == [("county_total", "notice")]


def test_counties_without_groups_are_not_compared(tables: Tables) -> None:
    for name in TABLES:
        own = tables[name]
        tables[name] = own[own["county_code"] == "331127"].reset_index(drop=True)
    assert told(tables) == []


def test_a_missing_grade_is_a_difference(tables: Tables) -> None:
    groups = tables["child_groups"]
    tables["child_groups"] = groups[~((groups["county_code"] == "331127") & (groups["grade"] == 7))].reset_index(
        drop=True
    )
    (found,) = school_checks.groups_add_up(tables)
    assert isinstance(found, Broken)
    assert (found.words["county"], found.words["grades"], found.severity) == ("331127", "7", "error")


def _far(baseline: Scenario, tables: Tables, **changes: object) -> list[Broken]:
    """What the rule of reach says once one cell has been moved a degree (about 111 km) to the north."""
    moved = (
        tables["child_groups"].query("current_school == '' and sibling_school == '' and grade == 1")["cell_id"].iloc[0]
    )
    tables["residence_cells"].loc[tables["residence_cells"]["cell_id"] == moved, "lat"] += 1.0
    placement = baseline.parameters.placement.model_copy(update=changes)
    parameters = baseline.parameters.model_copy(update={"placement": placement})
    return [b for b in reach_checks.groups_within_reach(tables, parameters) if b.words["county"] == moved[:6]]


def test_a_group_far_from_every_school_is_told_with_the_nearest(baseline: Scenario, tables: Tables) -> None:
    before = tables["residence_cells"]["lat"].copy()
    found = _far(baseline, tables)
    assert (tables["residence_cells"]["lat"] != before).sum() == 1
    moved = tables["residence_cells"]["cell_id"][(tables["residence_cells"]["lat"] != before)].iloc[0]
    at = [b for b in found if tables["child_groups"]["cell_id"].iloc[b.row] == moved]
    assert at
    assert {(b.rule, b.severity, b.column) for b in at} == {("far_from_school", "notice", "cell_id")}
    assert all(80 < float(str(b.words["km"])) < 140 for b in at)


def test_without_the_nearest_schools_it_is_an_error(baseline: Scenario, tables: Tables) -> None:
    assert {b.rule for b in _far(baseline, tables, nearest_kept=0)} == {"beyond_reach"}
    assert _far(baseline, tables, candidates="zone") == []
