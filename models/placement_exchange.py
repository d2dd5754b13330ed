"""The price of each goal, by placing again: what the later goals would win if a goal gave way by one unit.

The goals before it keep their best value, the goal itself may be worse by one unit (a child, a step from public, a
kilometre of way in all), and the later goals are met in their order as well as that allows, whole children throughout.
A goal is never an excuse: so the list says what each one costs those that rank after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
from zjsim.models.placement_data import County
from zjsim.models.placement_matrix import Goal, Transport, checked, every_child_counts, goal_value, seats
from zjsim.models.placement_modes import Placed, kinds_of
from zjsim.models.placement_rules import UNITS, goal

from zjsim.solve.goals import Goal as SolveGoal
from zjsim.solve.goals import Prepared
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Optimal

EXCHANGE_COLUMNS = (
    "county_code", "year", "grade", "goal_order", "goal", "unit", "given_up", "later_order", "later_goal", "later_unit",
    "change", "bound",
)  # fmt: skip
ONE_KM = 100
"""One unit of a way: 100 of its 10 m."""


def exchange_model(problem: Transport, goals: Sequence[Goal]) -> pyo.ConcreteModel:
    """The formulation: whole children per arc, every goal with a row that keeps it at what it may come to."""
    n_groups, n_schools, n_arcs = problem.shape
    leaving: list[list[int]] = [[] for _ in range(n_groups)]
    arriving: list[list[int]] = [[] for _ in range(n_schools)]
    for arc, (group, school) in enumerate(zip(problem.group.tolist(), problem.school.tolist(), strict=True)):
        leaving[group].append(arc)
        arriving[school].append(arc)
    supply, capacity = problem.supply.tolist(), problem.capacity.tolist()
    model = pyo.ConcreteModel()
    model.sent = pyo.Var(range(n_arcs), domain=pyo.NonNegativeIntegers)
    model.unplaced = pyo.Var(range(n_groups), domain=pyo.NonNegativeIntegers)
    model.every_child_counts = pyo.Constraint(
        range(n_groups), rule=lambda m, i: every_child_counts(m, i, leaving[i], supply[i])
    )
    used = [school for school in range(n_schools) if arriving[school]]
    model.seats = pyo.Constraint(used, rule=lambda m, j: seats(m, arriving[j], capacity[j]))
    most = [int(np.abs(g.arc_cost).max(initial=0) + np.abs(g.unplaced_cost).max(initial=0)) for g in goals]
    total = int(problem.supply.sum())
    model.kept = pyo.Constraint(range(len(goals)), rule=lambda m, k: kept(m, goals[k], most[k] * total))
    model.goal = pyo.Expression(range(len(goals)), rule=lambda m, k: goal_value(m, goals[k]))
    return model


def kept(model: pyo.ConcreteModel, one: Goal, most: int) -> pyo.Expression:
    """A goal keeps to what it may come to, its best value or a unit more: Σ cost ≤ most (the goal's unit, M109)."""
    return goal_value(model, one) <= most


def exchanges(
    problem: Transport, goals: Sequence[Goal], units: Sequence[int], options: Options | None = None
) -> list[tuple[int, int, int, int, int]]:
    """What one unit (``units``, one per goal) of each goal buys: (goal, given up, later goal, change, proven bound).

    Only goals of which a unit buys anything, and later goals that change. ``given up`` may be less than the unit where
    goals move in larger steps. ValueError on arrays that don't fit together.
    """
    checked(problem, goals)
    prepared = Prepared(
        (model := exchange_model(problem, goals)),
        [SolveGoal(g.name, "minimise", model.goal[k], g.unit) for k, g in enumerate(goals)],
        options or Options(),
    )
    rows = [model.kept[k] for k in range(len(goals))]
    best: list[int] = []
    for k in range(len(goals)):
        best.append(_least(prepared, k, [(rows[j], -np.inf, best[j]) for j in range(k)])[0])
    found = []
    for k in range(len(goals) - 1):
        limit = [*best[:k], best[k] + units[k]]
        told: list[tuple[int, int, int]] = []
        for j in range(k + 1, len(goals)):
            value = bound = best[j]
            # Until something is won a later goal at nought stays there: the best plan itself allows it.
            if told or best[j] > 0:
                value, bound = _least(prepared, j, [(rows[i], -np.inf, limit[i]) for i in range(j)])
            limit.append(value)
            if value != best[j]:
                told.append((j, value - best[j], bound - best[j]))
        if told:
            given_up = _least(prepared, k, [(rows[i], -np.inf, limit[i]) for i in range(len(goals))])[0] - best[k]
            found += [(k, given_up, j, change, bound) for j, change, bound in told]
    return found


def _least(prepared: Prepared, k: int, rows: list[Any]) -> tuple[int, int]:
    """Least value and proven bound of goal ``k`` under the rows' limits."""
    result = prepared.solve(rows=rows, order=[k])
    if not isinstance(result, Optimal | Feasible):
        raise RuntimeError("a limit struck before an exchange between goals was solved")
    return round(result.stages[0].value), round(result.stages[0].bound)


def exchange_table(
    county: County, utilitarian: Sequence[Placed], p: Any, options: Options | None = None
) -> pd.DataFrame:
    """One row per goal, grade and later goal that changes (its unit, less is better); empty unless it is asked for.

    Grades with a part that rules couple have no rows.
    """
    rows: list[tuple[Any, ...]] = []
    for placed in utilitarian if p.goal_prices else ():
        if placed.parts.any():
            continue
        kinds = kinds_of(placed.grade, placed.arcs)
        names = list(placed.goals)
        own = [goal(name, kinds.grade, kinds.arcs) for name in names]
        asked = [k for k, g in enumerate(own) if g.arc_cost.any() or g.unplaced_cost.any()]
        if len(asked) < 2:
            continue
        units = [ONE_KM if own[k].unit == UNITS["distance"] else 1 for k in asked]
        for k, given_up, j, change, bound in exchanges(kinds.problem, [own[a] for a in asked], units, options):
            one, later = asked[k], asked[j]
            front = (county.code, county.year, placed.grade.grade, one + 1, names[one], own[one].unit, given_up)
            rows.append((*front, later + 1, names[later], own[later].unit, change, bound))
    table = pd.DataFrame(rows, columns=list(EXCHANGE_COLUMNS))
    texts = ("county_code", "goal", "unit", "later_goal", "later_unit")
    return table.astype({c: "str" if c in texts else "int64" for c in EXCHANGE_COLUMNS})
