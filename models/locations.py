"""All location plans of a scenario as tables, and what they open for the simulation.

The four themes share no limit and are solved one after the other: platforms (M009, M013-M015), campuses (M060),
practice centres (M049), kindergartens (M104, M105).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import pyomo.environ as pyo
from zjsim.models.campuses import campus_theme, kindergarten_theme, practice_theme
from zjsim.models.location_data import TABLES, Tables, Theme
from zjsim.models.location_goals import TARGET, LocationPlan, solve_locations_of
from zjsim.models.location_openings import PLAN_TABLES, openings
from zjsim.models.location_rules import RULES, LocationData
from zjsim.models.location_tables import (
    coverage_table,
    limit_table,
    plan_table,
    service_table,
    stage_rows,
)
from zjsim.models.location_targets import shortfall_of, target_table
from zjsim.models.platforms import platform_theme

from zjsim.solve.conflicts import Requirement
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stage, Stopped
from zjsim.texts import Language, text

WHAT_A_PLAN_IS = frozenset(
    ("counted_once", "within_capacity", "county_reached", "begun_some_year", "employees_first", "towards_target")
)
"""Rules that say what the words mean: never named in a conflict."""
NO_WAY_ROUND = frozenset(("worth_opening",))
"""A rule that a repair leaves alone: a facility that serves nobody is no way out."""
IN_SHARES = frozenset(("mountain_island_floor", "city_ceiling"))
"""Rules without a whole step: a repair gives them up."""
_SHARE_WEIGHT = 5.0
"""A repair gives up a share only where numbers (facilities, points, persons) would give by more than five instead."""

SERVICES = ("training", "practice", "park")
"""Services that are no industry and have a text of their own."""
UNITS = {"cost_of_year": "points", "cost_of_city": "points", "staff_of_host": "staff"}
"""What a rule is loosened by, where it is not a number of facilities."""


def location_themes(tables: Tables, parameters: Any, plan: Mapping[str, pd.DataFrame]) -> tuple[Theme, ...]:
    """The four themes of a scenario; ``plan`` may hold the assignment of universities."""
    return (
        platform_theme(tables, parameters, plan),
        campus_theme(tables, parameters),
        practice_theme(tables, parameters),
        kindergarten_theme(tables, parameters),
    )


def solve_locations(
    scenario: Any,
    plan: Mapping[str, pd.DataFrame],
    *,
    progress: Callable[[int, int], None] | None = None,
    log_file: str = "",
) -> Result[dict[str, pd.DataFrame]]:
    """Where and when to open what.

    Tables: ``platform_plan``, ``campus_plan``, ``practice_centre_plan``, ``kindergarten_plan`` (a row per opening),
    ``location_service`` (what is served from where), ``location_coverage`` (need and coverage by county),
    ``location_limits`` (what is full), ``location_targets`` (openings against the numbers targets name, and what
    stands in their way) and ``location_stages`` (value, bound and gap of every goal). ``plan`` may hold the tables of
    the assignment, which then counts in the choice of hosts. ``Infeasible`` names the requirements of the first theme
    without a plan. ``progress`` is told how many themes are solved, and of how many; the solver's log goes into
    ``log_file``. ``Feasible`` states the goal with the largest gap.
    """
    tables = {name: scenario.table(name) for name in TABLES}
    options = Options.of(scenario.parameters.solver, log_file=log_file)
    found: dict[str, list[pd.DataFrame]] = {"service": [], "coverage": [], "limits": [], "stages": []}
    result: dict[str, pd.DataFrame] = {}
    stages: list[Stage] = []
    shortfalls: dict[str, dict[str, str]] = {}
    told = requirements_of(tables)
    themes = location_themes(tables, scenario.parameters, plan)
    for done, theme in enumerate(themes):
        if progress is not None:
            progress(done, len(themes))
        data = theme.data
        allowed = replace(options, relative_gap=max(options.relative_gap, theme.relative_gap))
        solved = solve_locations_of(data, allowed, told)
        if isinstance(solved, Infeasible | Stopped):
            return solved
        result[PLAN_TABLES[data.theme]] = plan_table(theme, solved.plan, tables, solved)
        found["service"].append(service_table(theme, solved.plan))
        found["coverage"].append(coverage_table(theme, solved.plan, tables))
        found["limits"].append(limit_table(theme, solved.plan, tables))
        found["stages"].append(stage_rows(data.theme, solved.stages))
        stages += [replace(s, name=f"{data.theme}.{s.name}") for s in solved.stages]
        for s in solved.stages:
            kind = s.name.removeprefix(TARGET)
            if kind in data.wanted and s.value < data.wanted[kind]:
                shortfalls[kind] = shortfall_of(data, kind, allowed, told)
    result |= {f"location_{name}": pd.concat(parts, ignore_index=True) for name, parts in found.items()}
    result["location_targets"] = target_table(result, tables, shortfalls, scenario.parameters.time.as_of)
    open_stage = max(stages, key=lambda s: s.gap, default=None)
    if open_stage is None or not open_stage.gap:
        return Optimal(result, tuple(stages))
    return Feasible(result, tuple(stages), open_stage.bound, open_stage.gap)


def requirements_of(tables: Tables) -> Callable[[pyo.ConcreteModel], tuple[Requirement, ...]]:
    """The rules of a model in the planner's words, with the names of ``tables``."""
    names: dict[str, tuple[str, str]] = {}
    for name, key in (
        ("cities", "city_code"),
        ("counties", "county_code"),
        ("universities", "moe_code"),
        ("location_kinds", "kind"),
        ("industries", "industry_id"),
    ):
        t = tables[name]
        names |= dict(zip(t[key], zip(t["name_zh"], t["name_en"], strict=True), strict=True))

    def told(m: pyo.ConcreteModel) -> tuple[Requirement, ...]:
        return tuple(r for rule in RULES if rule not in WHAT_A_PLAN_IS for r in _rows(m, rule, names))

    return told


def _rows(m: pyo.ConcreteModel, rule: str, names: Mapping[str, tuple[str, str]]) -> list[Requirement]:
    component = m.find_component(rule)
    if component is None:
        return []
    found = []
    for index in component:
        key = () if index is None else index if isinstance(index, tuple) else (index,)
        weight = 0.0 if rule in NO_WAY_ROUND else _SHARE_WEIGHT if rule in IN_SHARES else 1.0
        name = f"{rule}[{','.join(map(str, key))}]" if key else rule
        row = component[index]
        zh, en = (_said(m.data, rule, key, names, lang) for lang in ("zh", "en"))
        kind = UNITS.get(rule, "facilities")
        units = (text(f"locations.units.{kind}", "zh"), text(f"locations.units.{kind}", "en"))
        found.append(Requirement(name, (row,), zh, en, weight, *units, give_up=rule in IN_SHARES))
    return found


def _said(
    data: LocationData, rule: str, key: tuple[Any, ...], names: Mapping[str, tuple[str, str]], lang: Language
) -> str:
    def name(code: str) -> str:
        pair = names.get(code)
        return code if pair is None else pair[0 if lang == "zh" else 1] or code

    values: dict[str, object] = {"theme": text(f"locations.themes.{data.theme}", lang)}
    if rule == "most_in_county":
        kinds = text("locations.or", lang).join(name(k) for k in key[0].split(";"))
        values |= {"kind": kinds, "county": name(key[1]), "most": data.most_in_county[key]}
    elif rule == "starts_of_host":
        values |= {"university": name(key[0]), "year": key[1], "most": data.starts_of_host[key[0]]}
    elif rule == "staff_of_host":
        values |= {"university": name(key[0]), "most": data.staff[key[0]]}
    elif rule == "starts_of_year":
        values |= {"kind": name(key[0]), "year": key[1], "most": data.starts[key]}
    elif rule == "cost_of_year":
        values |= {"year": key[0], "most": data.year_cost[key[0]]}
    elif rule == "cost_of_city":
        values |= {"city": name(key[0]), "most": data.city_cost[key[0]]}
    elif rule == "city_floor":
        values |= {"city": name(key[0]), "least": data.openings_per_city[key[0]]}
    elif rule == "city_ceiling":
        values |= {"city": name(key[0]), "share": f"{data.largest_city_share:.0%}"}
    elif rule == "mountain_island_floor":
        values |= {"share": f"{data.mountain_island_share:.0%}"}
    elif rule == "worth_opening":
        service = text(f"locations.services.{key[1]}", lang) if key[1] in SERVICES else name(key[1])
        values |= {"county": name(key[0]), "service": service}
    return text(f"locations.rules.{rule}", lang, **values)


__all__ = ["LocationPlan", "location_themes", "openings", "requirements_of", "solve_locations"]
