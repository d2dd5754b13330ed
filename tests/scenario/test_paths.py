"""Levers and uncertainties lead to something that exists, and agree with what stands there."""

from __future__ import annotations

from importlib import import_module

import pandas as pd
import pytest

from zjsim.scenario import Scenario, load
from zjsim.scenario.paths import (
    Target,
    lever_costs_complete,
    lever_range_in_order,
    lever_ranges_fit,
    levers_lead_somewhere,
    ranges_agree,
    resolve,
    uncertainties_lead_somewhere,
)


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load("baseline")


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("simulation.p_required", None),
        ("process_parameters[PP09].mode", 1),
        ("seat_budgets[3301*,2026..2027].budget_yuan", 26),
        ("process_parameters.mode", 72),
        ("assignment.strength_by_grade.A+", None),
    ],
)
def test_paths_that_lead_somewhere(baseline: Scenario, path: str, rows: int | None) -> None:
    target = resolve(path, baseline.tables)
    assert isinstance(target, Target)
    assert rows == (None if target.rows is None else len(target.rows))


@pytest.mark.parametrize(
    ("path", "lost"),
    [
        ("simulation.p_requird", "simulation.p_requird"),
        ("process_parameters[PP99].mode", "PP99"),
        ("process_parameters[PP09].mod", "mod"),
        ("process_parameters[PP09,1].mode", "PP09,1"),
        ("no_such[1].x", "no_such[1].x"),
    ],
)
def test_paths_that_lead_nowhere(baseline: Scenario, path: str, lost: str) -> None:
    assert resolve(path, baseline.tables) == lost


def test_broken_levers_and_uncertainties_are_told(baseline: Scenario) -> None:
    levers, uncertain = baseline.table("levers").copy(), baseline.table("uncertainties").copy()
    levers.loc[1, "path"] = "seats.no_such"
    levers.loc[2, ["low", "high"]] = [9.0, 1.0]
    at = uncertain.index[uncertain["input_id"] == "PP09"][0]
    uncertain.loc[at, "mode"] = 0.2
    uncertain.loc[0, "path"] = "process_parameters[PP99].mode"
    plain = uncertain.index[uncertain["input_id"] == "PP10"][0]
    uncertain.loc[plain, "path"] = "simulation.p_required"
    tables = {**baseline.tables, "levers": levers, "uncertainties": uncertain}
    assert [(b.row, b.rule) for b in levers_lead_somewhere(tables)] == [(1, "path_unknown")]
    assert [(b.row, b.rule) for b in lever_range_in_order(tables)] == [(2, "lever_order")]
    assert [b.row for b in uncertainties_lead_somewhere(tables)] == [0]
    found = {(b.row, b.column, b.rule) for b in ranges_agree(tables)}
    assert (at, "mode", "uncertain_mismatch") in found
    assert (plain, "low", "uncertain_range") in found


def test_the_registry_lists_exactly_the_inputs_of_the_processes(baseline: Scenario) -> None:
    throughput = import_module("zjsim.models.throughput")
    plan_tables = ("platform_plan", "campus_plan", "practice_centre_plan", "kindergarten_plan")
    columns = import_module("zjsim.models.location_tables").PLAN_COLUMNS
    plan = {name: pd.DataFrame(columns=list(columns)) for name in plan_tables}
    used = {(i.input_id, p.name) for p in throughput.processes_of(baseline, plan) for i in p.inputs}
    table = baseline.table("uncertainties")
    assert set(zip(table["input_id"], table["process"], strict=True)) == used


def test_every_lever_has_a_cost_with_source_and_basis_and_a_range_around_what_is(baseline: Scenario) -> None:
    levers = baseline.table("levers")
    assert (levers["unit_cost_yuan"].notna() ^ levers["unit_cost_points"].notna()).all()
    assert (levers["cost_source_id"] != "").all()
    assert (levers["cost_basis"] != "").all()
    assert (baseline.table("uncertainties")["distribution"] != "").all()
    assert list(lever_costs_complete(baseline.tables)) == []
    assert list(lever_ranges_fit(baseline.tables, baseline.parameters)) == []


@pytest.mark.parametrize(
    ("lever", "changes", "column", "rule"),
    [
        ("release_share", {"unit_cost_points": float("nan")}, "unit_cost_points", "lever_no_cost"),
        ("release_share", {"unit_cost_yuan": 5.0}, "unit_cost_points", "lever_two_costs"),
        ("release_share", {"cost_source_id": ""}, "cost_source_id", "lever_cost_unsourced"),
        ("release_share", {"low": float("nan")}, "low", "lever_one_end"),
        ("release_share", {"low": 0.2}, "path", "lever_outside"),
        ("release_share", {"low": float("nan"), "high": float("nan")}, "low", "lever_needs_range"),
        ("adjunct_trainers", {"low": 1.5}, "low", "lever_without_one"),
        ("coverage_reading", {"low": 0.0, "high": 1.0}, "path", "lever_no_number"),
    ],
)
def test_levers_that_do_not_fit_are_told(
    baseline: Scenario, lever: str, changes: dict[str, object], column: str, rule: str
) -> None:
    levers = baseline.table("levers").copy()
    row = int(levers.index[levers["lever_id"] == lever][0])
    for name, value in changes.items():
        levers.loc[row, name] = value
    tables = {**baseline.tables, "levers": levers}
    found = [*lever_costs_complete(tables), *lever_ranges_fit(tables, baseline.parameters)]
    assert [(b.row, b.column, b.rule) for b in found] == [(row, column, rule)]
