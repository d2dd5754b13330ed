"""Total score against spread over cities: every efficient trade-off between the two, by the ε-constraint method.

For k = 0, 1, 2, … the score is maximised over plans in which at least k cities take part, then, at that score, the
number of cities; the next k is one more than that number. So each point is efficient (no plan has both a higher score
and as many cities) and no efficient number of cities is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import pyomo.environ as pyo
from zjsim.models.assignment_problems import Key, Problem
from zjsim.models.assignment_scores import POINT

from zjsim.solve.goals import Goal, Prepared
from zjsim.solve.matrix import total
from zjsim.solve.results import Feasible, Optimal

PARETO_COLUMNS = [
    *("problem", "point", "cities", "score", "bound", "gap", "is_plan", "decisions_changed", "changes"),
]


@dataclass(frozen=True, slots=True)
class ParetoPoint:
    """An efficient plan: cities that take part, score and its bound in units, and the decisions it takes."""

    cities: int
    score: float
    bound: float
    gap: float
    taken: frozenset[Key]


def pareto(problem: Problem, seconds: float) -> tuple[ParetoPoint, ...]:
    """The efficient points from the best score to the widest spread, as far as ``seconds`` allow."""
    m = problem.model
    cities = sorted({problem.city_of[key[2]] for key in problem.decisions})
    m.city_takes_part = pyo.Var(cities, domain=pyo.Binary)
    m.spread = pyo.Var(domain=pyo.NonNegativeIntegers, bounds=(0, len(cities)))
    here: dict[str, list[object]] = {c: [] for c in cities}
    for key, variable in problem.decisions.items():
        here[problem.city_of[key[2]]].append(variable)
    m.city_rows = pyo.Constraint(cities, rule=lambda m, c: m.city_takes_part[c] - total(here[c]) <= 0)
    m.spread_row = pyo.Constraint(expr=m.spread - total(m.city_takes_part[c] for c in cities) <= 0)
    first, *ties = problem.whole.goals
    goals = (first, Goal("spread", "maximise", m.spread, "cities"), *ties)
    prepared = Prepared(m, goals, problem.whole.options)
    found: list[ParetoPoint] = []
    least = 0
    while least <= len(cities):
        result = prepared.solve(bounds=[(m.spread, least, len(cities))], time_limit_s=seconds)
        if not isinstance(result, Optimal | Feasible):
            break
        score, spread = result.stages[:2]
        reached = round(spread.value)
        found.append(ParetoPoint(reached, score.value, score.bound, score.gap, problem.taken(result.plan)))
        least = reached + 1
    for component in (m.spread_row, m.city_rows, m.spread, m.city_takes_part):
        m.del_component(component)
    return tuple(found)


def pareto_table(problems: tuple[Problem, ...], tables: Mapping[str, pd.DataFrame], seconds: float) -> pd.DataFrame:
    """Table ``assignment_pareto``: a row per efficient point of the lead and of the heritage assignment.

    ``score`` and ``bound`` are points; ``cities`` counts those with an institution that takes part; ``is_plan`` marks
    the point with the plan's score and spread; ``decisions_changed`` counts decisions of the plan that the point does
    not take; ``changes`` lists what it takes instead (industry:role:institution/discipline).
    """
    rows: list[dict[str, object]] = []
    for problem in problems:
        plan_score = problem.stages[0].value
        plan_cities = len({problem.city_of[key[2]] for key in problem.chosen})
        for n, point in enumerate(pareto(problem, seconds), 1):
            new = sorted(point.taken - problem.chosen)
            rows.append(
                {
                    "problem": problem.name,
                    "point": n,
                    "cities": point.cities,
                    "score": point.score / POINT,
                    "bound": point.bound / POINT,
                    "gap": point.gap,
                    "is_plan": point.score == plan_score and point.cities == plan_cities,
                    "decisions_changed": len(problem.chosen - point.taken),
                    "changes": ";".join(f"{i}:{r}:{u}/{d}" if d else f"{i}:{r}:{u}" for i, r, u, d in new),
                }
            )
    return pd.DataFrame(rows, columns=PARETO_COLUMNS)
