"""Goals in order of importance: each is met as well as those before it allow, and says how well it is proven."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo

from zjsim.solve.conflicts import Requirement, explain
from zjsim.solve.highs import Outcome, Program, Sense, SolverError, relative_gap
from zjsim.solve.matrix import Floats, Matrix, ModelError, extract, with_rows
from zjsim.solve.options import Options
from zjsim.solve.results import Conflict, Feasible, Infeasible, Optimal, Result, Stage, Stopped

Change = tuple[Any, float, float]
"""A variable or constraint with its new lower and upper bound."""

_NO_CONFLICT_ASKED = Conflict((), "", "")


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal: a linear ``expression`` of the model to ``minimise`` or ``maximise``, in ``unit``.

    ``tolerance`` (in ``unit``) is what later goals may take from this one in a mixed-integer model when its value is
    not integral by construction; nothing is taken where all its coefficients and variables are integers, nor in a
    linear model.
    Scale a goal to integers wherever the data allow (points, classes, children, yuan).
    """

    name: str
    sense: Sense
    expression: Any
    unit: str = ""
    tolerance: float = 1e-9


@dataclass(frozen=True, slots=True)
class Solution:
    """Values of the variables of a solved model."""

    values: Floats
    column_of: Mapping[int, int]

    def value(self, variable: Any) -> float:
        """The value of a Pyomo variable (a fixed variable keeps the value it was fixed at)."""
        column = self.column_of.get(id(variable))
        return float(variable.value) if column is None else float(self.values[column])


class Prepared:
    """A model read once and solved as often as needed, each time with other variables fixed (regret, what-ifs)."""

    def __init__(self, model: pyo.ConcreteModel, goals: Sequence[Goal], options: Options) -> None:
        if not goals:
            raise ModelError("a solve needs at least one goal")
        self.model, self.goals, self.options = model, tuple(goals), options
        self.matrix: Matrix = extract(model, [g.expression for g in goals])

    def solve(
        self,
        *,
        bounds: Sequence[Change] = (),
        rows: Sequence[Change] = (),
        goals: int | None = None,
        order: Sequence[int] | None = None,
        start: Solution | None = None,
        time_limit_s: float | None = None,
    ) -> Result[Solution]:
        """Solve for the first ``goals`` goals (default: all; or those numbered in ``order``, in that order).

        ``bounds`` (variable, lower, upper) and ``rows`` (constraint, lower, upper) replace those of the model for this
        solve; ``time_limit_s`` replaces the limit of the options. ``Infeasible`` carries an empty conflict here: ask
        :meth:`explain`. Raises :class:`ModelError` when a goal is unbounded.
        """
        program = Program(self.matrix, self.options)
        if time_limit_s is not None:
            program.deadline = time.monotonic() + time_limit_s
        self.change(program, bounds, rows)
        if start is not None:
            program.suggest(start.values)
        stages: list[Stage] = []
        best: Outcome | None = None
        order = range(len(self.goals) if goals is None else goals) if order is None else order
        for n, k in enumerate(order):
            goal = self.goals[k]
            outcome = program.run(self.matrix.costs[k], float(self.matrix.offsets[k]), goal.sense)
            if outcome.status == "unbounded":
                raise ModelError(f"goal {goal.name} is unbounded")
            if outcome.status == "infeasible" and best is None:
                return Infeasible(_NO_CONFLICT_ASKED)
            if outcome.status == "infeasible":
                # The plan of the goal before is one: presolve took a tolerance for a contradiction.
                outcome = program.run_without_presolve(self.matrix.costs[k], float(self.matrix.offsets[k]), goal.sense)
            if outcome.status == "infeasible":
                raise SolverError(f"goal {goal.name}: what the goals before it reached cannot be kept")
            if outcome.status == "stopped":
                if best is None:
                    return Stopped(outcome.reason, tuple(stages))
                # An earlier plan exists: it stands, and this goal is simply not proven.
                stages.append(self._unproven(k, best, outcome, program))
                continue
            best = outcome
            stages.append(self._stage(k, outcome, program))
            if n + 1 < len(order):
                self._keep(program, k, outcome)
        if best is None:
            raise ModelError("a solve needs at least one goal")
        plan = Solution(best.x, self.matrix.column_of)
        self.check_kept(plan, order, stages)
        open_stage = next((s for s in stages if s.gap > 0), None)
        if open_stage is None:
            return Optimal(plan, tuple(stages))
        return Feasible(plan, tuple(stages), open_stage.bound, open_stage.gap)

    def change(self, program: Program, bounds: Sequence[Change], rows: Sequence[Change] = ()) -> None:
        """Give ``program`` (of this matrix) other bounds of some variables and constraints."""
        for changed, places, put in (
            (bounds, self.matrix.column_of, program.set_columns),
            (rows, self.matrix.row_of, program.set_rows),
        ):
            if changed:
                at = np.array([places[id(b[0])] for b in changed], dtype=np.int32)
                put(at, np.array([b[1] for b in changed], dtype=float), np.array([b[2] for b in changed], dtype=float))

    def with_costs(self, costs: Mapping[int, Floats]) -> Prepared:
        """The same model where the goals numbered in ``costs`` have other coefficients (one per column)."""
        changed = self.matrix.costs.copy()
        for k, cost in costs.items():
            changed[k] = cost
        return self._derived(replace(self.matrix, costs=changed), self.goals)

    def with_rows(self, rows: Sequence[tuple[Floats, float, float]]) -> Prepared:
        """The same model with more rows: coefficients of all columns, lower and upper bound."""
        return self._derived(with_rows(self.matrix, rows), self.goals)

    def after(self, stages: Sequence[Stage]) -> Prepared:
        """What is left to decide once the first ``len(stages)`` goals keep the values of ``stages``."""
        done = len(stages)
        rows = []
        for k, stage in enumerate(stages):
            at = stage.value - float(self.matrix.offsets[k])
            slack = 0.0 if _integer_step(self.matrix, k) else max(stage.tolerance, self.goals[k].tolerance)
            low, high = (-np.inf, at + slack) if stage.sense == "minimise" else (at - slack, np.inf)
            rows.append((self.matrix.costs[k], low, high))
        matrix = with_rows(self.matrix, rows)
        matrix = replace(matrix, costs=matrix.costs[done:], offsets=matrix.offsets[done:])
        return self._derived(matrix, self.goals[done:])

    def reversed(self) -> Prepared:
        """The first goal alone, sought at its worst."""
        goal = self.goals[0]
        worst = replace(goal, sense="minimise" if goal.sense == "maximise" else "maximise")
        matrix = replace(self.matrix, costs=self.matrix.costs[:1], offsets=self.matrix.offsets[:1])
        return self._derived(matrix, (worst,))

    def _derived(self, matrix: Matrix, goals: tuple[Goal, ...]) -> Prepared:
        new = copy.copy(self)
        new.matrix, new.goals = matrix, goals
        return new

    def explain(self, requirements: Sequence[Requirement]) -> Conflict:
        """Why the model has no solution, in the words of ``requirements``."""
        return explain(self.matrix, requirements, self.options)

    def _stage(self, k: int, outcome: Outcome, program: Program) -> Stage:
        goal, value, bound = self.goals[k], outcome.value, outcome.bound
        step = _integer_step(self.matrix, k)
        if program.integral and step and np.isfinite(bound):
            # The goal moves in whole steps: so does its bound.
            offset = float(self.matrix.offsets[k])
            value = round((value - offset) / step) * step + offset
            bound = _whole_steps(bound - offset, step, goal.sense) + offset
        # The solver's tolerance may put its bound a hair on the wrong side of the plan in hand.
        bound = min(bound, value) if goal.sense == "minimise" else max(bound, value)
        if abs(bound - value) <= 1e-9 * max(1.0, abs(value)):
            bound = value
        taken = goal.tolerance if program.integral and not step else 0.0
        gap = relative_gap(value, bound)
        return Stage(goal.name, goal.sense, value, bound, gap, goal.unit, taken, outcome.by_clock)

    def _unproven(self, k: int, best: Outcome, stopped: Outcome, program: Program) -> Stage:
        """A stage that a limit ended without a plan of its own: the plan of the stages before it, and what bound the
        search had proven by then (where it had not begun: that of the linear relaxation).
        """
        goal, cost, offset = self.goals[k], self.matrix.costs[k], float(self.matrix.offsets[k])
        value = float(cost @ best.x) + offset
        least = goal.sense == "minimise"
        bound = stopped.bound if math.isfinite(stopped.bound) else program.relaxed_bound(cost, offset, goal.sense)
        step = _integer_step(self.matrix, k)
        if step and math.isfinite(bound):
            bound = _whole_steps(bound - offset, step, goal.sense) + offset
        bound = min(bound, value) if least else max(bound, value)
        return Stage(
            goal.name, goal.sense, value, bound, relative_gap(value, bound), goal.unit, by_clock=stopped.by_clock
        )

    def _keep(self, program: Program, k: int, outcome: Outcome) -> None:
        if not program.integral and outcome.status == "optimal":
            program.fix_optimal_face()
            return
        cost = self.matrix.costs[k]
        if not cost.any():
            return
        step = _integer_step(self.matrix, k)
        reached = float(cost @ outcome.x)
        reached = round(reached / step) * step if step else reached
        slack = 0.0 if step else self.goals[k].tolerance
        low, high = (-np.inf, reached + slack) if self.goals[k].sense == "minimise" else (reached - slack, np.inf)
        program.add_row(cost, low, high)

    def check_kept(self, plan: Solution, order: Sequence[int], stages: Sequence[Stage]) -> None:
        """Raise :class:`SolverError` if ``plan`` lost any of what ``stages`` (of the goals ``order``) reached."""
        for k, stage in zip(order, stages, strict=False):
            value = float(self.matrix.costs[k] @ plan.values) + float(self.matrix.offsets[k])
            lost = value - stage.value if stage.sense == "minimise" else stage.value - value
            if lost > stage.tolerance + 1e-6 * max(1.0, abs(stage.value)):
                raise SolverError(f"goal {stage.name} fell from {stage.value} to {value} under later goals")


def lexicographic(
    model: pyo.ConcreteModel,
    goals: Sequence[Goal],
    options: Options | None = None,
    requirements: Callable[[], Sequence[Requirement]] | None = None,
) -> Result[pyo.ConcreteModel]:
    """Solve ``model`` for ``goals`` in order; the plan of the result is the model with its variables set.

    After each stage the plans that reach its value stay, and only they: in a linear model the optimal face is fixed
    exactly; in a mixed-integer model a row keeps the value reached (exactly, where the goal is integral). A limit that
    strikes late leaves the best plan of the stages before, with each stage's bound and gap. ``requirements`` names the
    rows in the planner's words and is called only when there is no plan.
    """
    prepared = Prepared(model, goals, options or Options())
    result = prepared.solve()
    if isinstance(result, Infeasible):
        return Infeasible(prepared.explain(requirements() if requirements else ()))
    if isinstance(result, Stopped):
        return result
    for variable, value in zip(prepared.matrix.columns, result.plan.values, strict=True):
        variable.set_value(int(value) if variable.is_integer() else float(value), skip_validation=True)
    if isinstance(result, Optimal):
        return Optimal(model, result.stages)
    return Feasible(model, result.stages, result.bound, result.gap)


def _whole_steps(bound: float, step: float, sense: Sense) -> float:
    """The nearest multiple of ``step`` that a value can have which ``bound`` bounds."""
    steps = bound / step
    return step * (math.floor(steps + 1e-6) if sense == "maximise" else math.ceil(steps - 1e-6))


def _integer_step(matrix: Matrix, k: int) -> float:
    """The unit in which goal ``k`` moves when every variable in it is integer and every coefficient whole, else 0."""
    used = np.flatnonzero(matrix.costs[k])
    coefficients = matrix.costs[k][used]
    if not len(used) or not matrix.integer[used].all() or np.any(coefficients != np.rint(coefficients)):
        return 0.0
    if np.abs(coefficients).max() > 2**53:
        return 0.0
    return float(np.gcd.reduce(np.abs(coefficients).astype(np.int64)))
