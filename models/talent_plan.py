"""Talent supply of a scenario: its blocks solved, put together, and told as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pandas as pd
from zjsim.models.talent_blocks import blocks
from zjsim.models.talent_data import talent_data
from zjsim.models.talent_supply import GOALS, TalentPlan, solve_talent_of
from zjsim.models.talent_tables import tables_of
from zjsim.models.talent_terms import TalentData

from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stage, Stopped

EMPTY = TalentPlan({}, {}, (), (), {}, {}, {}, {}, {})


def solve_talent(
    scenario: Any, plan: Mapping[str, pd.DataFrame], *, log_file: str = ""
) -> Result[dict[str, pd.DataFrame]]:
    """Intake of every programme group up to the horizon, and what comes of it.

    ``plan`` may hold the lead disciplines and the county campuses. Tables: ``talent_intake`` (group × year × case:
    admitted, dropped out, graduated, in stock), ``talent_teachers`` and ``talent_places`` (of a
    class at a host, of a host: needed and there), ``talent_market`` (sector × level × year × case: demand, filled,
    unmet), ``talent_supply`` (class × level × year × case: graduates, placed, idle), ``talent_catalogue`` (scarce
    classes by year, ranked, with the reason) and ``talent_stages`` (value, bound and gap of every goal).
    """
    data = talent_data(scenario, plan)
    options = replace(Options.of(scenario.parameters.solver, log_file=log_file), interior_point=True)
    result = solve_in_blocks(data, options)
    if isinstance(result, Infeasible | Stopped):
        return result
    tables = tables_of(data, result.plan, result.stages, scenario)
    if isinstance(result, Optimal):
        return Optimal(tables, result.stages)
    return Feasible(tables, result.stages, result.bound, result.gap)


def solve_in_blocks(data: TalentData, options: Options) -> Result[TalentPlan]:
    """The plan of a whole problem: every block of ``talent_blocks`` on its own, their goals added up."""
    whole, found = EMPTY, []
    for block in blocks(data):
        result = solve_talent_of(block, options)
        if isinstance(result, Infeasible | Stopped):
            return result
        whole = _joined(whole, result.plan, settled=block.first > block.last)
        found.append(result.stages)
    stages = tuple(
        Stage(
            name,
            "minimise",
            sum(s[k].value for s in found),
            sum(s[k].bound for s in found),
            max((s[k].gap for s in found), default=0.0),
            found[0][k].unit,
            sum(s[k].tolerance for s in found),
        )
        for k, name in enumerate(GOALS)
    )
    open_stage = next((s for s in stages if s.gap > 0), None)
    if open_stage is None:
        return Optimal(whole, stages)
    return Feasible(whole, stages, open_stage.bound, open_stage.gap)


def _joined(one: TalentPlan, other: TalentPlan, *, settled: bool) -> TalentPlan:
    """Two plans that decide different things; of a block of settled years only the labour market counts."""
    market = ("flow", "idle", "unmet")
    parts: dict[str, Any] = {}
    for f in fields(TalentPlan):
        a, b = getattr(one, f.name), getattr(other, f.name)
        if settled and f.name not in market:
            parts[f.name] = a
        else:
            parts[f.name] = a + b if isinstance(a, tuple) else {**a, **b}
    return TalentPlan(**parts)
