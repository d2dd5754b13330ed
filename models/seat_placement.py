"""One year's placement of migrant children in all counties: two modes, their difference, certificates (M106-M112).

Counties are independent of each other (a child is placed in its county of residence), so they are solved in parallel by
one code path; the result does not depend on the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from zjsim.models.placement_coupled_tables import coupled_table, no_rows, sections_table
from zjsim.models.placement_data import PLAN_NAME, county_data, county_tables
from zjsim.models.placement_difference import difference_table, seats_table
from zjsim.models.placement_exchange import exchange_table
from zjsim.models.placement_explain import group_table
from zjsim.models.placement_extra import extra_table
from zjsim.models.placement_fairness import (
    added,
    cutoff_table,
    cutoffs_together,
    dual_table,
    envy_table,
    fairness_table,
    goal_table,
    placement_table,
    unplaced_table,
)
from zjsim.models.placement_joint import CoupledPart, couples, place_jointly
from zjsim.models.placement_modes import MODES, PREFERENCE, place_county
from zjsim.models.placement_preference import no_families, place_by_choices
from zjsim.models.placement_publication import publication as publication
from zjsim.models.placement_repairs import repair_tables, repairs
from zjsim.models.placement_values import value_table
from zjsim.models.seat_openings import opened_table, seat_openings, with_openings

from zjsim.simulate.workers import mapped
from zjsim.solve.options import Options

Plan = dict[str, pd.DataFrame]
PLAN_TABLES = (
    "placement",
    "placement_groups",
    "placement_fairness",
    "placement_cutoffs",
    "placement_envy",
    "placement_unplaced",
    "placement_prices",
    "placement_duals",
    "placement_difference",
    "placement_seats_needed",
    "placement_extra_seats",
    "placement_seat_values",
    "placement_openings",
    "placement_coupled",
    "placement_coupled_sections",
    "placement_repairs",
    "placement_repair_steps",
    "placement_exchanges",
    "placement_families",
    "placement_stability",
)
COUNTY_TABLES = ("placement_groups", "placement_families")
"""Tables by group of children or family: for the county's own use only."""


@dataclass(frozen=True)
class CountyTask:
    """What one county's placement needs: registries of the year, parameters, modes, with sentences or not, limits."""

    code: str
    year: int
    tables: dict[str, pd.DataFrame]
    parameters: Any
    with_purchased: bool
    modes: tuple[str, ...]
    explain: bool
    options: Options


def placement_year(scenario: Any) -> int:
    """School year that is placed: the one asked for, else the first after the as-of date."""
    asked = int(scenario.parameters.placement.year)
    return asked or int(scenario.parameters.time.as_of.year) + 1


def place(
    scenario: Any,
    *,
    counties: Sequence[str] | None = None,
    modes: Sequence[str] = MODES,
    workers: int = 1,
    explain: bool = True,
) -> Plan:
    """Place the applicants of a school year; returns the tables of :data:`PLAN_TABLES`, by county code.

    ``counties``: only these. ``explain``: with a sentence for every group. A county without applicants has no rows.
    Raises ValueError when there is nobody to place, or a county or mode that is asked for isn't there.
    """
    tasks = county_tasks(scenario, counties=counties, modes=modes, explain=explain)
    parts = list(mapped(county_plan, workers, tasks))
    return {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in PLAN_TABLES}


def county_tasks(
    scenario: Any,
    *,
    counties: Sequence[str] | None = None,
    modes: Sequence[str] = MODES,
    explain: bool = True,
    plan: pd.DataFrame | None = None,
) -> Iterator[CountyTask]:
    """One task per county in the order of codes; ValueError as :func:`place`, at once.

    ``plan``: the table ``seat_zone_classes`` of a seat plan, whose openings count as capacity.
    """
    year = placement_year(scenario)
    groups = scenario.table("child_groups")
    there = sorted(set(groups.loc[groups["year"] == year, "county_code"]))
    codes = there if counties is None else sorted(set(counties))
    if not codes or not set(codes) <= set(there):
        raise ValueError(f"no groups of applicants in {year} for {sorted(set(codes) - set(there)) or 'any county'}")
    if not modes or not set(modes) <= {*MODES, PREFERENCE}:
        raise ValueError(f"modes are {(*MODES, PREFERENCE)}, not {modes}")
    p = scenario.parameters.placement
    with_purchased = scenario.parameters.seats.public_share_reading == "with_purchased"
    in_order = tuple(m for m in (*MODES, PREFERENCE) if m in modes)
    own = county_tables(scenario.tables if plan is None else {**scenario.tables, PLAN_NAME: plan}, year, codes)
    options = Options.of(scenario.parameters.solver)
    return (CountyTask(code, year, tables, p, with_purchased, in_order, explain, options) for code, tables in own)


def county_plan(task: CountyTask) -> Plan:
    """All tables of one county."""
    p, modes = task.parameters, task.modes
    tables = with_plan(task.tables, task.year)
    county = county_data(task.code, task.year, tables)
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in PLAN_TABLES}
    outcome = {}
    for mode in modes:
        coupled: list[CoupledPart] = []
        if mode == "utilitarian" and couples(county, p):
            placed, coupled = place_jointly(county, p, task.with_purchased, task.options)
            placed = placed[::-1]
            parts["placement_coupled"].append(coupled_table(county, placed, coupled, p))
        elif mode == PREFERENCE:
            placed, families = place_by_choices(county, p, task.with_purchased)
            placed = placed[::-1]
            for name, table in families.items():
                parts[name].append(table)
        else:
            placed = place_county(county, mode, p, task.with_purchased)[::-1]
        outcome[mode] = placed
        for one in placed:
            # Rows that belong together are added up grade by grade: together they would fill hundreds of MB.
            parts["placement"].append(added(placement_table(county, one)))
            parts["placement_groups"].append(group_table(county, one, task.explain))
            parts["placement_cutoffs"].append(cutoffs_together(cutoff_table(county, one)))
            parts["placement_envy"].append(added(envy_table(county, one)))
        parts["placement_fairness"].append(fairness_table(county, placed))
        parts["placement_unplaced"].append(unplaced_table(county, placed))
        parts["placement_prices"].append(goal_table(county, placed))
        if mode == "utilitarian":
            parts["placement_duals"].append(dual_table(county, placed))
            parts["placement_coupled_sections"].append(sections_table(county, placed))
    parts["placement_duals"] = parts["placement_duals"] or [dual_table(county, placed)]
    parts["placement_coupled"] = parts["placement_coupled"] or [no_rows()]
    parts["placement_coupled_sections"] = parts["placement_coupled_sections"] or [sections_table(county, [])]
    by_claims, by_goals = (outcome.get(mode, []) for mode in MODES)
    both = len(outcome) == len(MODES)
    parts["placement_difference"].append(difference_table(county, *((by_claims, by_goals) if both else ([], []))))
    parts["placement_seats_needed"].append(seats_table(county, by_goals))
    parts["placement_seat_values"].append(value_table(county, by_goals))
    parts["placement_extra_seats"].append(extra_table(county, by_claims or outcome.get(PREFERENCE, []), p))
    for name, table in no_families().items():
        parts[name] = parts[name] or [table]
    repaired = repairs(county, by_goals, p, task.with_purchased, task.options)
    for name, table in repair_tables(county, by_goals, repaired).items():
        parts[name].append(table)
    parts["placement_exchanges"].append(exchange_table(county, by_goals, p, task.options))
    grades = (task.tables["school_grades"], tables["school_grades"])
    parts["placement_openings"].append(opened_table(*grades, tables["schools"]))
    plan = {name: pd.concat(found, ignore_index=True) for name, found in parts.items()}
    plan["placement_prices"] = side_by_side(plan["placement_prices"], modes)
    plan["placement_unplaced"] = with_seats_needed(plan["placement_unplaced"])
    return plan


def with_plan(tables: Mapping[str, pd.DataFrame], year: int) -> dict[str, pd.DataFrame]:
    """A county's registries with what a seat plan opens put into its schools; unchanged without a plan."""
    found = dict(tables)
    if PLAN_NAME in tables:
        found["school_grades"] = with_openings(tables["school_grades"], tables["schools"], seat_openings(tables, year))
    return found


def side_by_side(goals: pd.DataFrame, modes: Sequence[str]) -> pd.DataFrame:
    """Goals with a column per mode: ``price_of_claims`` is what following claims costs a goal against the best of all.

    A later goal may well have a negative price: claims give less to the goals before it.
    """
    keys = ["county_code", "year", "grade", "goal_order", "goal", "unit"]
    wide = goals[goals["mode"] == modes[0]][keys].reset_index(drop=True)
    for mode in modes:
        wide[mode] = goals.loc[goals["mode"] == mode, "value"].to_numpy()
    if len(modes) == len(MODES):
        wide["price_of_claims"] = wide["priority"] - wide["utilitarian"]
    return wide


def with_seats_needed(unplaced: pd.DataFrame) -> pd.DataFrame:
    """Adds ``seats_needed``: the smallest number of further seats that would place everyone to whom a school is open.

    Only the utilitarian mode proves it: there as many as possible are placed, and a seat places one child at most.
    Unknown (empty) where only the priority mode was asked for.
    """
    keys = ["county_code", "year", "grade"]
    best = unplaced[unplaced["mode"] == "utilitarian"].set_index(keys)
    needed = (best["unplaced"] - best["without_school"]).rename("seats_needed").astype("float64")
    return unplaced.join(needed, on=keys)
