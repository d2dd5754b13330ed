"""Other plans that are nearly as good, and as different from each other as asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zjsim.solve.goals import Prepared, Solution
from zjsim.solve.matrix import Floats
from zjsim.solve.results import Feasible, Optimal, Stage


@dataclass(frozen=True, slots=True)
class Alternative:
    """One more plan; ``loss`` is what the first goal loses against the first plan, in the goal's unit.

    ``distance`` is the Hamming distance to the nearest of the plans before it: the number of 0/1 decisions in which the
    two differ (an assignment that changes one job differs in two). ``proven``: no better plan is as far away.
    """

    plan: Solution
    stages: tuple[Stage, ...]
    loss: float
    distance: int
    proven: bool


def alternatives(
    prepared: Prepared,
    decisions: Sequence[Any],
    plan: Solution,
    stage: Stage,
    *,
    count: int,
    distance: int,
    most_loss: float = math.inf,
    time_limit_s: float | None = None,
) -> tuple[Alternative, ...]:
    """Up to ``count`` further plans, best first, each at least ``distance`` from all plans before it.

    ``decisions`` are the 0/1 variables that count; ``stage`` is the first goal's in ``plan``. The search ends when no
    plan is left or the next one would lose more than ``most_loss`` of the first goal.
    """
    columns = np.array([prepared.matrix.column_of[id(v)] for v in decisions], dtype=np.int64)
    seen, found = [plan.values[columns] > 0.5], list[Alternative]()
    while len(found) < count:
        further = prepared.with_rows([_away(prepared, columns, taken, distance) for taken in seen])
        result = further.solve(time_limit_s=time_limit_s)
        if not isinstance(result, Optimal | Feasible):
            break
        loss = abs(result.stages[0].value - stage.value)
        if loss > most_loss:
            break
        taken = result.plan.values[columns] > 0.5
        nearest = min(int(np.sum(taken != other)) for other in seen)
        found.append(Alternative(result.plan, result.stages, loss, nearest, isinstance(result, Optimal)))
        seen.append(taken)
    return tuple(found)


def _away(
    prepared: Prepared, columns: np.ndarray[Any, Any], taken: np.ndarray[Any, Any], distance: int
) -> tuple[Floats, float, float]:
    """sum over decisions taken of (1 - x) + sum over the others of x >= distance."""
    row = np.zeros(len(prepared.matrix.columns))
    row[columns] = np.where(taken, -1.0, 1.0)
    return row, float(distance - int(taken.sum())), math.inf
