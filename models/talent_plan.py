"""Talent supply of a scenario: its blocks solved, put together, and told as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from math import fsum
from typing import Any

import pandas as pd
from zjsim.models.people import people_data
from zjsim.models.talent_blocks import blocks
from zjsim.models.talent_data import lead_classes, listed_teachers, talent_data
from zjsim.models.talent_model import build_talent_model
from zjsim.models.talent_people import hours_table
from zjsim.models.talent_prices import price_table, prices
from zjsim.models.talent_report import field_share, mismatch, names_of, programmes, shortfalls
from zjsim.models.talent_supply import GOALS, TalentPlan, talent_goals, told
from zjsim.models.talent_tables import tables_of
from zjsim.models.talent_terms import TalentData
from zjsim.models.talent_uncertainty import added, uncertainty, uncertainty_table

from zjsim.solve.faces import solve_by_faces
from zjsim.solve.goals import Prepared, Solution
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stage, Stopped

TOLD_GOALS = 2
"""Goals whose worth under several cases is told: those after one that differs already only go along."""
EMPTY = TalentPlan({}, {}, (), (), {}, {}, {}, {}, {})


@dataclass(frozen=True)
class Block:
    """A block that is solved: its data, its model, the solver's values and what each goal came to."""

    data: TalentData
    prepared: Prepared
    solution: Solution
    stages: tuple[Stage, ...]

    @property
    def settled(self) -> bool:
        """Whether no admission of it can be changed any more."""
        return self.data.first > self.data.last


def solve_talent(
    scenario: Any,
    plan: Mapping[str, pd.DataFrame],
    *,
    progress: Callable[[int, int], None] | None = None,
    log_file: str = "",
) -> Result[dict[str, pd.DataFrame]]:
    """Intake of every programme group up to the horizon, and what comes of it (M037-M046, M050-M053, M058-M060, M075).

    ``plan`` may hold the lead disciplines, the county campuses and the platforms. Tables by case: ``talent_intake``
    (group × year × case: admitted, dropped out, graduated, in stock; students), ``talent_teachers`` and
    ``talent_places`` (of a class at a host, of a host: needed and there), ``talent_market`` (sector × level × year ×
    case: demand, filled, unmet; graduates), ``talent_supply`` (class × level × year × case: graduates, placed, idle).
    Expected over the cases:
    ``talent_programmes`` (the intake plan), ``talent_shortfalls``, ``talent_mismatch`` and ``talent_catalogue`` (scarce
    classes by year, ranked), each with the reason in words; ``talent_field_share`` (share of 理工农医);
    ``talent_hours`` (teachers between students and what the people ledger gives outside);
    ``talent_prices`` (what one more teacher or place buys), ``talent_uncertainty`` (value of planning with cases and
    of knowing them) and ``talent_stages`` (value, bound and gap of every goal). ``progress`` is told how many blocks
    are done.
    """
    people = people_data(scenario, plan)
    data = talent_data(scenario, plan, people)
    p = scenario.parameters.talent
    options = replace(Options.of(scenario.parameters.solver, log_file=log_file), interior_point=True)
    found: list[Block] = []
    result = solve_in_blocks(data, options, progress=progress, keep=found.append)
    if isinstance(result, Infeasible | Stopped):
        return result
    tables = tables_of(data, result.plan, result.stages, scenario)
    names = names_of(scenario)
    leads = lead_classes(plan, scenario.table("programme_classes"))
    tables |= {
        "talent_programmes": programmes(data, tables["talent_intake"], names, leads, scenario.table("order_classes")),
        "talent_field_share": field_share(data, tables["talent_intake"]),
        "talent_shortfalls": shortfalls(data, tables, names),
        "talent_mismatch": mismatch(data, tables, result.plan.flow, names),
    }
    listed = listed_teachers(scenario.table("programme_groups"))
    tables["talent_hours"] = hours_table(data, tables["talent_teachers"], people, listed, names)
    moving = [block for block in found if not block.settled]
    if p.prices:
        worth = [price for block in moving for price in prices(block.prepared, block.solution)]
        tables["talent_prices"] = price_table(worth, data, names)
    if p.value_of_cases:
        values = added(uncertainty(b.data, b.prepared, b.stages, options, TOLD_GOALS) for b in moving)
        tables["talent_uncertainty"] = uncertainty_table(values)
    if isinstance(result, Optimal):
        return Optimal(tables, result.stages)
    return Feasible(tables, result.stages, result.bound, result.gap)


def solve_in_blocks(
    data: TalentData,
    options: Options,
    *,
    progress: Callable[[int, int], None] | None = None,
    keep: Callable[[Block], None] | None = None,
) -> Result[TalentPlan]:
    """The plan of a whole problem: every block of ``talent_blocks`` on its own, their goals added up.

    ``keep`` is given every block that is solved, ``progress`` how many of how many are done.
    """
    whole, found = EMPTY, []
    parts = blocks(data)
    for n, part in enumerate(parts):
        m = build_talent_model(part)
        prepared = Prepared(m, talent_goals(m), options)
        solved = solve_by_faces(prepared)
        result = told(prepared, solved)
        if isinstance(result, Infeasible | Stopped) or isinstance(solved, Infeasible | Stopped):
            return result if isinstance(result, Infeasible | Stopped) else Stopped("")
        block = Block(part, prepared, solved.plan, result.stages)
        whole = _joined(whole, result.plan, settled=block.settled)
        found.append(result.stages)
        if keep:
            keep(block)
        if progress:
            progress(n + 1, len(parts))
    stages = tuple(
        Stage(
            name,
            "minimise",
            fsum(s[k].value for s in found),
            fsum(s[k].bound for s in found),
            max((s[k].gap for s in found), default=0.0),
            found[0][k].unit,
            fsum(s[k].tolerance for s in found),
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
