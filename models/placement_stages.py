"""Goals one after another, exactly, on one connected transport problem with HiGHS.

Every goal has a run of its own over what the goals before it leave open (``placement_faces``): options with a reduced
cost are closed, schools with a price stay full, groups with equal options are one. Goals are never added up or
weighted, so none can outvote another and numbers stay small. The proof in ``placement_check`` relies on none of this.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from zjsim.models.placement_check import faults
from zjsim.models.placement_faces import Face, Merged
from zjsim.models.placement_matrix import FloatArray, Goal, IntArray, Transport, placement_matrix

from zjsim.solve.arrays import ArrayProgram, Arrays
from zjsim.solve.options import Options

# Measured to be the quickest: no presolve, dual simplex with devex pricing.
_SETTINGS = {
    "presolve": "off",
    "simplex_strategy": 1,
    "simplex_dual_edge_weight_strategy": 1,
    "simplex_scale_strategy": 0,
}

# Groups with more arcs than this on average begin with the first few of each and take in more as prices ask for them.
_LONG_LIST, _FIRST_ARCS, _MORE_ARCS = 16, 1, 3


@dataclass(frozen=True, slots=True)
class Stages:
    """Plan and prices: ``sent`` per arc, ``unplaced`` per group; ``group_price``, ``school_price`` one row per goal."""

    sent: IntArray
    unplaced: IntArray
    group_price: IntArray
    school_price: IntArray


def solve_stages(problem: Transport, goals: Sequence[Goal]) -> Stages:
    """Meet the goals in order on a connected problem; the proof is checked before the result is given.

    A goal that the plan at hand meets already (every group at a cheapest open option) needs no run. RuntimeError if
    the proof fails, which would be an error of the solver.
    """
    n_groups, n_schools, n_arcs = problem.shape
    group_price = np.zeros((len(goals), n_groups), np.int64)
    school_price = np.zeros((len(goals), n_schools), np.int64)
    face = Face(problem)
    program: ArrayProgram | None = None
    for k, goal in enumerate(goals):
        cost = face.costs(goal)
        if not face.best(cost):
            merged, number, first = face.merged(cost)
            run = _Run(merged, program)
            sent, unplaced, school_price[k] = run.best()
            program = run.program
            face.take(sent, unplaced, number, first)
        group_price[k] = face.close(cost, school_price[k])
    flow = np.zeros(n_arcs + n_groups, np.int64)
    flow[face.number] = face.flow
    found = Stages(flow[:n_arcs], flow[n_arcs:], group_price, school_price)
    if wrong := faults(problem, goals, found.sent, found.unplaced, group_price, school_price):
        raise RuntimeError(f"HiGHS gave no placement that stands its proof: {wrong}")
    return found


class _Run:
    """One goal in HiGHS. Where lists are long it holds few arcs and takes in those that would improve a plan.

    ``work``: columns (arcs, then unplaced) that HiGHS has, in its order. The run ends when no arc outside has a
    negative reduced cost, so its prices are those of all arcs.
    """

    def __init__(self, merged: Merged, program: ArrayProgram | None) -> None:
        problem = merged.problem
        n_groups, _, n_arcs = problem.shape
        self.problem = problem
        self.cost = np.concatenate([merged.arc_cost, merged.unplaced_cost])
        arcs = np.arange(n_arcs)
        if n_arcs > _LONG_LIST * n_groups:
            arcs = np.union1d(self._first(arcs, self.cost, _FIRST_ARCS), merged.used)
        self.outside = np.ones(n_arcs, bool)
        self.outside[arcs] = False
        self.work = np.concatenate([arcs, np.arange(n_arcs, n_arcs + n_groups)])
        few = Transport(problem.supply, problem.capacity, problem.group[arcs], problem.school[arcs])
        upper = np.full(len(self.work), np.inf)
        upper[len(arcs) :][merged.closed] = 0
        self.program = _loaded(few, self.cost[self.work].astype(np.float64), upper, program)
        full = np.flatnonzero(merged.full)
        if len(full):
            seats = problem.capacity[full].astype(np.float64)
            self.program.set_rows((full + n_groups).astype(np.int32), seats, seats)

    def best(self) -> tuple[IntArray, IntArray, IntArray]:
        """Children per arc, unplaced per group, price per school at the least cost."""
        n_groups, _, n_arcs = self.problem.shape
        while True:
            status = self.program.run()
            if status != "Optimal":
                raise RuntimeError(f"HiGHS: {status} on a placement")
            values, prices = self.program.answer()
            price = _whole(prices)
            reduced = self.cost[:n_arcs] - price[:n_groups][self.problem.group]
            reduced -= price[n_groups:][self.problem.school]
            better = np.flatnonzero((reduced < 0) & self.outside)
            if not len(better):
                flow = np.zeros(n_arcs + n_groups, np.int64)
                flow[self.work] = _whole(values)
                return flow[:n_arcs], flow[n_arcs:], price[n_groups:]
            self._take_in(self._first(better, reduced, _MORE_ARCS))

    def _first(self, arcs: IntArray, by: IntArray, most: int) -> IntArray:
        """Of ``arcs`` the first ``most`` of each group by the number ``by``, equal ones in their order."""
        arcs = arcs[np.lexsort((by[arcs], self.problem.group[arcs]))]
        begins = np.flatnonzero(np.diff(self.problem.group[arcs], prepend=-1))
        place = np.arange(len(arcs)) - np.repeat(begins, np.diff(begins, append=len(arcs)))
        return arcs[place < most]

    def _take_in(self, arcs: IntArray) -> None:
        """Gives HiGHS further arcs; the basis stays, and with it the plan."""
        self.outside[arcs] = False
        self.work = np.concatenate([self.work, arcs])
        n, n_groups = len(arcs), len(self.problem.supply)
        rows = np.column_stack((self.problem.group[arcs], self.problem.school[arcs] + n_groups)).ravel()
        cost = self.cost[arcs].astype(np.float64)
        self.program.add_columns(cost, np.full(n, np.inf), 2 * np.arange(n), rows, np.ones(2 * n))
        self.program.goes_on_primal()


def _loaded(problem: Transport, cost: FloatArray, upper: FloatArray, program: ArrayProgram | None) -> ArrayProgram:
    """The problem in HiGHS, in ``program`` if there is one: arcs, then unplaced."""
    matrix = placement_matrix(problem)
    arrays = Arrays(cost, upper, matrix.lower, matrix.upper, matrix.start, matrix.row, matrix.value, by="columns")
    if program is None:
        return ArrayProgram(arrays, Options(time_limit_s=math.inf), _SETTINGS)
    program.load(arrays)
    return program


def _whole(values: FloatArray) -> IntArray:
    """Whole numbers from the solver's doubles; at a basis of a transport problem all values are whole."""
    rounded = np.rint(values)
    if len(values) and float(np.abs(values - rounded).max()) > 1e-3:
        raise RuntimeError("HiGHS gave a plan or a price that isn't whole")
    return rounded.astype(np.int64)
