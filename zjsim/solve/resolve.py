"""Solving the same model again and again, each time a little changed: what if this were not chosen, or worth more?

A plain or generalised assignment mostly has whole-number solutions in its linear relaxation, and a relaxation that is
solved again from the last basis costs a millisecond. So :class:`Resolver` solves the relaxation goal by goal on its
optimal face; only where the last vertex is not whole does the mixed-integer search run. Both ways are exact.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from zjsim.solve.goals import Change, Prepared, Solution
from zjsim.solve.highs import Program
from zjsim.solve.matrix import Floats, ModelError
from zjsim.solve.results import Conflict, Infeasible, Optimal, Result, Stage, Stopped

_WHOLE, _SAME = 1e-6, 1e-7


class Resolver:
    """Re-solves of one prepared model. All of them together take at most ``time_limit_s``.

    ``searches`` counts the solves that needed a mixed-integer search.
    """

    def __init__(self, prepared: Prepared, time_limit_s: float | None = None) -> None:
        limit = prepared.options.time_limit_s if time_limit_s is None else time_limit_s
        self.prepared, self.deadline, self.searches = prepared, time.monotonic() + limit, 0
        matrix = prepared.matrix
        self._relaxed = Program(replace(matrix, integer=np.zeros_like(matrix.integer)), prepared.options)
        self._relaxed.deadline = self.deadline

    def left_s(self) -> float:
        """Seconds that are left for all further solves."""
        return max(self.deadline - time.monotonic(), 0.0)

    def solve(
        self,
        *,
        costs: Mapping[int, Floats] | None = None,
        bounds: Sequence[Change] = (),
        rows: Sequence[Change] = (),
        goals: int | None = None,
    ) -> Result[Solution]:
        """The first ``goals`` goals in order (default: all) under other ``costs`` (by goal), ``bounds`` or ``rows``.

        ``Infeasible`` carries no conflict. Nothing is remembered but the basis, so the order of calls does not matter
        to values; among equal plans the goals decide.
        """
        if self.left_s() <= 0:
            return Stopped("time limit")
        prepared = self.prepared.with_costs(costs) if costs else self.prepared
        order = range(len(prepared.goals) if goals is None else goals)
        found = self._relaxation(prepared, order, bounds, rows)
        if found is not None:
            return found
        self.searches += 1
        return prepared.solve(bounds=bounds, rows=rows, order=order, time_limit_s=max(self.left_s(), 0.01))

    def _relaxation(
        self, prepared: Prepared, order: Sequence[int], bounds: Sequence[Change], rows: Sequence[Change]
    ) -> Result[Solution] | None:
        """The result where the relaxation alone settles it, else nothing."""
        program, matrix = self._relaxed, prepared.matrix
        reached: list[float] = []
        changed = bool(bounds or rows)
        program.goes_on(primal=False)
        try:
            prepared.change(program, bounds, rows)
            for n, k in enumerate(order):
                outcome = program.run(matrix.costs[k], float(matrix.offsets[k]), prepared.goals[k].sense)
                if outcome.status == "unbounded":
                    raise ModelError(f"goal {prepared.goals[k].name} is unbounded")
                if outcome.status == "infeasible" and not n:
                    return Infeasible(Conflict((), "", ""))
                if outcome.status != "optimal":
                    return None
                reached.append(outcome.value)
                if n + 1 < len(order):
                    if program.is_unique():
                        break
                    program.fix_optimal_face()
                    changed = True
        finally:
            if changed:
                program.restore()
        x = outcome.x.copy()
        whole = np.rint(x[matrix.integer])
        if len(whole) and float(np.abs(whole - x[matrix.integer]).max()) > _WHOLE:
            return None
        x[matrix.integer] = whole
        stages = []
        for n, k in enumerate(order):
            goal, value = prepared.goals[k], float(matrix.costs[k] @ x) + float(matrix.offsets[k])
            expected = reached[n] if n < len(reached) else value
            if abs(value - expected) > _SAME * max(1.0, abs(expected)):
                return None
            stages.append(Stage(goal.name, goal.sense, value, value, 0.0, goal.unit))
        return Optimal(Solution(x, matrix.column_of), tuple(stages))

    def reduced_costs(self) -> tuple[float, Floats]:
        """Value of the first goal in the relaxation, and what one unit more of each column takes from it at least.

        The second are losses (>= 0 for columns at 0): no plan with that column at 1 is nearer to the value.
        """
        matrix, goal = self.prepared.matrix, self.prepared.goals[0]
        outcome = self._relaxed.run(matrix.costs[0], float(matrix.offsets[0]), goal.sense)
        sign = -1.0 if goal.sense == "maximise" else 1.0
        if outcome.status != "optimal":
            return np.nan, np.zeros(len(matrix.columns))
        return outcome.value, np.where(outcome.x < 0.5, np.maximum(sign * self._relaxed.reduced_costs(), 0.0), 0.0)
