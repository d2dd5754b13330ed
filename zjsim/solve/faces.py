"""Goals in order for a mixed-integer model with few integer variables: branch and bound on optimal faces.

Rows that keep the value of an earlier goal make the next search slow, for they are tight at many vertices at once. Here
the linear relaxation is solved for a goal, and what is kept is its optimal face (complementary slackness), as in a
linear model. Where the relaxation is not whole, a variable is branched on. A goal so ends with a few *nodes* - some
variables fixed, and a face - that together hold all of its best plans; the next goal starts from these. A node whose
relaxation is as good as the best plan need not be branched any further: its face holds all best plans below it.

A model without a solution, or one that meets a limit or needs too many nodes, is left to :meth:`Prepared.solve`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zjsim.solve.goals import Change, Prepared, Solution
from zjsim.solve.highs import Face, Outcome, Program
from zjsim.solve.results import Optimal, Result, Stage

WHOLE = 1e-7
"""What the solver takes for a whole number."""
CLOSE = 1e-8
"""Relative difference of two values that the solver cannot tell apart."""
MOST_NODES = 600
"""Nodes of one goal from which on the solver's own search is asked instead."""


@dataclass(frozen=True, slots=True)
class Node:
    """Integer columns ``fixed`` (column, value), and the faces of the goals before."""

    fixed: tuple[tuple[int, float], ...] = ()
    faces: tuple[Face, ...] = ()


class TooManyNodesError(Exception):
    """A search that is left to the solver, also where a linear solve met a limit."""


def solve_by_faces(prepared: Prepared, *, bounds: Sequence[Change] = (), goals: int | None = None) -> Result[Solution]:
    """Solve for the first ``goals`` goals (default: all); the answer is that of :meth:`Prepared.solve`.

    ``bounds`` (variable, lower, upper) replace those of the model for this solve.
    """
    if not prepared.matrix.integer.any():
        return prepared.solve(bounds=bounds, goals=goals)
    search = _Search(prepared, bounds)
    wanted = prepared.goals[:goals]
    nodes, stages = [Node()], list[Stage]()
    try:
        for k, goal in enumerate(wanted):
            nodes, best = search.goal(k, nodes)
            stages.append(Stage(goal.name, goal.sense, best.value, best.value, 0.0, goal.unit))
    except TooManyNodesError:
        return prepared.solve(bounds=bounds, goals=goals)
    x = best.x.copy()
    x[prepared.matrix.integer] = np.rint(x[prepared.matrix.integer])
    plan = Solution(x, prepared.matrix.column_of)
    prepared.check_kept(plan, range(len(stages)), stages)
    return Optimal(plan, tuple(stages))


class _Search:
    """The relaxation of a model, loaded once, and the search for the best plans of one goal after the other."""

    def __init__(self, prepared: Prepared, bounds: Sequence[Change]) -> None:
        self.prepared, self.bounds = prepared, bounds
        matrix = prepared.matrix
        self.k, self.solved = 0, 0
        self.best: Outcome | None = None
        self.integers = np.flatnonzero(matrix.integer).astype(np.int32)
        self.program = Program(replace(matrix, integer=np.zeros_like(matrix.integer)), prepared.options)
        prepared.change(self.program, bounds)

    def goal(self, k: int, nodes: Sequence[Node]) -> tuple[list[Node], Outcome]:
        """The nodes that hold all best plans of goal ``k`` within ``nodes``, and one such plan."""
        self.k, self.best, self.solved = k, None, 0
        found: list[tuple[Node, float]] = []
        for node in nodes:
            self.program.afresh()
            found += self._explore(node)
        if self.best is None:
            raise TooManyNodesError
        best: Outcome = self.best
        return [node for node, value in found if not self._worse(value)], best

    def _explore(self, node: Node) -> list[tuple[Node, float]]:
        """Nodes at or below ``node`` that may hold best plans, each with its face of this goal and its value."""
        outcome = self._relaxation(node)
        if outcome is None or self._worse(outcome.value):
            return []
        kept = [(replace(node, faces=(*node.faces, self.program.optimal_face())), outcome.value)]
        x = outcome.x[self.integers]
        away = np.abs(x - np.rint(x))
        if away.max() <= WHOLE:
            if self.best is None or self._gain(outcome.value, self.best.value) > 0:
                self.best = outcome
            return kept
        if self._as_good(outcome.value):
            return kept
        self.program.from_basis()
        j = int(np.argmax(away))
        column, first = int(self.integers[j]), float(np.rint(x[j]))
        below: list[tuple[Node, float]] = []
        for value in (first, float(np.floor(x[j]) + np.ceil(x[j]) - first)):
            below += self._explore(replace(node, fixed=(*node.fixed, (column, value))))
            if self._as_good(outcome.value):
                return kept
        return below

    def _relaxation(self, node: Node) -> Outcome | None:
        """The relaxation at a node; None where it has no solution."""
        self.solved += 1
        if self.solved > MOST_NODES:
            raise TooManyNodesError
        program, matrix = self.program, self.prepared.matrix
        program.restore()
        self.prepared.change(program, self.bounds)
        for face in node.faces:
            program.keep(face)
        for column, value in node.fixed:
            if not program.lower[column] - WHOLE <= value <= program.upper[column] + WHOLE:
                return None
            at = np.array([value])
            program.set_columns(np.array([column], dtype=np.int32), at, at)
        goal = self.prepared.goals[self.k]
        outcome = program.run(matrix.costs[self.k], float(matrix.offsets[self.k]), goal.sense)
        if outcome.status == "infeasible":
            return None
        if outcome.status != "optimal":
            raise TooManyNodesError
        return outcome

    def _gain(self, value: float, over: float) -> float:
        return over - value if self.prepared.goals[self.k].sense == "minimise" else value - over

    def _worse(self, value: float) -> bool:
        return self.best is not None and self._gain(value, self.best.value) < -self._close()

    def _as_good(self, value: float) -> bool:
        return self.best is not None and self._gain(value, self.best.value) <= self._close()

    def _close(self) -> float:
        return CLOSE * max(1.0, abs(self.best.value)) if self.best is not None else 0.0
