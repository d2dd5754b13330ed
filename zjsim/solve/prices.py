"""What things cost in terms of the goals: the price of a goal, duals with their unit, and margins solved again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from zjsim.solve.goals import Prepared
from zjsim.solve.highs import Program, SolverError
from zjsim.solve.matrix import ModelError
from zjsim.solve.results import Feasible, Optimal, Result


@dataclass(frozen=True, slots=True)
class GoalPrice:
    """What the goal ``later`` loses because ``goal`` comes before it, in the unit of ``later``.

    ``value`` is reached with ``goal`` kept, ``without`` when the same goals are sought in order without it. The first
    later goal that changes at all can only lose; those behind it may then gain (a negative loss). ``proven`` is false
    where a limit left one of the two values open.
    """

    goal: str
    later: str
    value: float
    without: float
    loss: float
    unit: str
    proven: bool


@dataclass(frozen=True, slots=True)
class Dual:
    """Change of the goal per unit on the right side of a row, in ``unit`` (goal's unit per row's unit).

    Read off one optimal basis: where that is degenerate the true effect of a step is only bounded by it, so what a
    planner sees is a :class:`Margin`.
    """

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Margin:
    """Change of the first goal when a row's right side moves by ``step`` up or down: solved again, not read off.

    NaN: no plan is left on that side, or a limit struck. ``unit`` is the goal's.
    """

    step: float
    up: float
    down: float
    unit: str


def goal_prices(
    prepared: Prepared, result: Optimal[Any] | Feasible[Any], *, time_limit_s: float | None = None
) -> tuple[GoalPrice, ...]:
    """For each goal but the last, what every later goal loses to it (one lexicographic solve per goal)."""
    found = []
    everything = range(len(prepared.goals))
    for k in everything[:-1]:
        order = [j for j in everything if j != k]
        free = prepared.solve(order=order, time_limit_s=time_limit_s)
        if not isinstance(free, Optimal | Feasible):
            continue
        for j in everything[k + 1 :]:
            kept, other, goal = result.stages[j], free.stages[j - 1], prepared.goals[j]
            loss = other.value - kept.value if kept.sense == "maximise" else kept.value - other.value
            proven = kept.gap == 0 and other.gap == 0
            first = prepared.goals[k].name
            found.append(GoalPrice(first, goal.name, kept.value, other.value, loss, goal.unit, proven))
    return tuple(found)


def duals(prepared: Prepared, rows: dict[Any, str]) -> dict[str, Dual]:
    """Duals of some constraints (constraint → unit of its row) in the optimal basis of the first goal, by name.

    Raises :class:`ModelError` for a model with integer variables: they have no duals, ask :func:`margin`.
    """
    if prepared.matrix.integer.any():
        raise ModelError("a model with integer variables has no duals")
    goal, matrix = prepared.goals[0], prepared.matrix
    program = Program(matrix, prepared.options)
    outcome = program.run(matrix.costs[0], float(matrix.offsets[0]), goal.sense)
    if outcome.status != "optimal":
        raise SolverError(f"no duals: the goal {goal.name} came out {outcome.status}")
    values = program.row_duals()
    return {
        row.name: Dual(float(values[matrix.row_of[id(row)]]), f"{goal.unit} / {unit}" if unit else goal.unit)
        for row, unit in rows.items()
    }


def margin(prepared: Prepared, row: Any, step: float = 1.0, *, time_limit_s: float | None = None) -> Margin:
    """The first goal solved again with the right side of ``row`` moved by ``step`` up, and down.

    Works for integer models too. Both sides of an equation move together.
    """
    i = prepared.matrix.row_of[id(row)]
    low, high = float(prepared.matrix.row_lower[i]), float(prepared.matrix.row_upper[i])
    base = _value(prepared.solve(goals=1, time_limit_s=time_limit_s))
    up, down = (
        _value(prepared.solve(goals=1, rows=[(row, low + by, high + by)], time_limit_s=time_limit_s)) - base
        for by in (step, -step)
    )
    return Margin(step, up, down, prepared.goals[0].unit)


def _value(result: Result[Any]) -> float:
    if isinstance(result, Optimal | Feasible) and result.stages[0].gap == 0:
        return result.stages[0].value
    return math.nan
