"""What one more seat would bring, section by section, exactly: the change of every goal if the year were placed again.

With one seat more at a section the best plan differs from the present one by one chain: a child moves in, its old seat
goes to another child, and so on, until a seat is left free or a child without a place comes in. The best chain is a
shortest path over sections (a step from section a to b costs what the cheapest child at a would change by moving to b),
so one search gives the value of a seat at every section. It is a finite difference, not a price at the margin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.array_checks import whole_numbers
from zjsim.models.placement_data import KINDS, County
from zjsim.models.placement_matrix import Goal, IntArray, Transport, checked
from zjsim.models.placement_modes import Placed
from zjsim.models.placement_rules import UNITS, goal


def seat_values(problem: Transport, goals: Iterable[Goal], sent: IntArray, unplaced: IntArray) -> IntArray:
    """Change of each goal for one more seat at each school, shape (goals, schools), from a best plan.

    Raises ValueError if a chain would improve the plan without any further seat: then it was not the best; and on
    arrays that don't fit together or aren't whole numbers.
    """
    n_groups, n_schools, n_arcs = problem.shape
    sent = whole_numbers("children sent", sent, length=n_arcs, least=0)
    unplaced = whole_numbers("unplaced children", unplaced, length=n_groups, least=0)
    costs = []
    for g in goals:
        checked(problem, [g])
        costs.append(_small(np.concatenate([g.arc_cost, g.unplaced_cost])))
    steps, arrivals = _steps(problem, costs, sent, unplaced)
    # One whole number per vector of goals: compared, they are compared goal by goal (a path visits a school once).
    radix = [2 * (n_schools + 2) * (2 * int(np.abs(c).max(initial=0)) + 1) + 1 for c in costs]

    def packed(vector: Sequence[int]) -> int:
        number = 0
        for value, base in zip(vector, radix, strict=True):
            number = number * base + value
        return number

    value: list[int] = [0] * n_schools
    for school, vector in arrivals.items():
        value[school] = min(0, packed(vector))
    edges = [(a, b, packed(vector)) for (a, b), vector in steps.items()]
    for _ in range(n_schools + 1):
        changed = False
        for a, b, cost in edges:
            if value[a] + cost < value[b]:
                value[b] = value[a] + cost
                changed = True
        if not changed:
            break
    else:
        raise ValueError("a plan is not the best: a chain of moves improves it without any further seat")
    result = np.zeros((len(costs), n_schools), np.int64)
    for school, number in enumerate(value):
        for k in range(len(costs) - 1, -1, -1):
            digit = (number + radix[k] // 2) % radix[k] - radix[k] // 2
            result[k, school] = digit
            number = (number - digit) // radix[k]
    return result


def _small(cost: IntArray) -> Any:
    """The same whole numbers in as little memory as lets two of them be subtracted."""
    most = 2 * int(np.abs(cost).max(initial=0))
    return cost.astype(next(t for t in (np.int8, np.int16, np.int32, np.int64) if most <= np.iinfo(t).max))


_Step = dict[tuple[int, int], list[int]]


def _steps(
    problem: Transport, costs: Sequence[Any], sent: IntArray, unplaced: IntArray
) -> tuple[_Step, dict[int, list[int]]]:
    """Cheapest move between each two schools, and cheapest arrival at each of a child without a place."""
    # 32-bit numbers: a county of 11,000 children in a grade has a million moves.
    order = np.argsort(problem.group, kind="stable").astype(np.int32)
    start = np.searchsorted(problem.group[order], np.arange(len(problem.supply) + 1)).astype(np.int32)
    n_arcs = len(problem.group)
    waiting = np.flatnonzero(unplaced)
    out = np.concatenate([np.flatnonzero(sent), n_arcs + waiting]).astype(np.int32)
    group = np.concatenate([problem.group[np.flatnonzero(sent)], waiting])
    length = start[group + 1] - start[group]
    into = np.repeat(start[group] - np.cumsum(length, dtype=np.int32) + length, length)
    into += np.arange(len(into), dtype=np.int32)
    into = order[into]
    out = np.repeat(out, length)
    n_schools = len(problem.capacity)
    place = np.append(problem.school, np.full(len(problem.supply), n_schools)).astype(np.int32)
    pair = place[out] * np.int32(n_schools + 1) + place[into]
    # Of each pair of schools, keep the moves that are best goal by goal until one is left.
    left = np.arange(len(pair), dtype=np.int32)
    for cost in costs:
        change = cost[into[left]] - cost[out[left]]
        least = np.full((n_schools + 1) ** 2, np.iinfo(np.int64).max)
        np.minimum.at(least, pair[left], change)
        left = left[change == least[pair[left]]]
    _, first = np.unique(pair[left], return_index=True)
    left = left[first]
    vectors = np.stack([cost[into[left]] - cost[out[left]] for cost in costs], axis=1).tolist()
    steps: _Step = {}
    arrivals: dict[int, list[int]] = {}
    for code, vector in zip(pair[left].tolist(), vectors, strict=True):
        a, b = divmod(code, n_schools + 1)
        if a == n_schools:
            arrivals[b] = vector
        elif a != b:
            steps[a, b] = vector
    return steps, arrivals


def value_table(county: County, utilitarian: Sequence[Placed]) -> pd.DataFrame:
    """What one more seat of a section changes in each goal (its unit, less is better), where that is not 0.

    Parts that rules couple have no rows: see ``placement_joint``.
    """
    rows: list[dict[str, Any]] = []
    for placed in utilitarian:
        grade, arcs = placed.grade, placed.arcs
        goals = (goal(name, grade, arcs) for name in placed.goals)
        group, section = arcs.group.astype(np.int64), arcs.section.astype(np.int64)
        # Where rules couple children a chain of moves is no measure: such parts are left out.
        free = placed.parts[section] == 0
        bound = np.bincount(group[~free], minlength=len(grade.children)) > 0
        problem = Transport(np.where(bound, 0, grade.children), grade.seats, group[free], section[free])
        own = (Goal(g.name, g.arc_cost[free], g.unplaced_cost, g.unit) for g in goals)
        values = seat_values(problem, own, placed.sent[free], np.where(bound, 0, placed.unplaced))
        for s, k in zip(*np.nonzero(values.T), strict=True):
            rows.append(
                {
                    "county_code": county.code,
                    "year": county.year,
                    "grade": grade.grade,
                    "school_id": county.schools.ids[grade.school[s]],
                    "kind": KINDS[grade.kind[s]],
                    "goal_order": int(k) + 1,
                    "goal": placed.goals[k],
                    "unit": UNITS.get(placed.goals[k].split(".")[-1], "children"),
                    "change": int(values[k, s]),
                }
            )
    texts = ("county_code", "school_id", "kind", "goal", "unit")
    whole = ("year", "grade", "goal_order", "change")
    columns = ["county_code", "year", "grade", "school_id", "kind", "goal_order", "goal", "unit", "change"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype(dict.fromkeys(texts, "str") | dict.fromkeys(whole, "int64"))
