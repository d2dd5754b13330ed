"""Goals one after another, exactly, on one connected transport problem with HiGHS.

Goals are merged into one run where whole weights provably keep their order: along any exchange that tells two plans
apart each school appears once, so a goal can change by at most (schools + 1) × its largest difference. A weight above
what all later goals can change by lets none of them outvote it; a little more lets the prices of the single goals be
read off the merged ones, digit by digit. Where weights would grow beyond what double precision serves well, the next
run goes on from the basis on the optimal face: arcs with a reduced cost are closed, schools with a price stay full. The
proof in ``placement_check`` relies on none of this.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from zjsim.models.placement_check import faults
from zjsim.models.placement_matrix import FloatArray, Goal, IntArray, Transport, placement_matrix

from zjsim.solve.arrays import ArrayProgram, Arrays
from zjsim.solve.options import Options

MOST_WEIGHT = 10**9
"""Largest cost a merged run may have; beyond it the goals are met in further runs."""

# Beyond this, sums of merged costs could leave the whole numbers that double precision holds.
_EXACT = 10**13

# Measured to be the quickest: no presolve, dual simplex with devex pricing.
_SETTINGS = {
    "presolve": "off",
    "simplex_strategy": 1,
    "simplex_dual_edge_weight_strategy": 1,
    "simplex_scale_strategy": 0,
}

# Groups with more arcs than this on average begin with the first few of each and take in more as prices ask for them.
_LONG_LIST, _FIRST_ARCS, _MORE_ARCS = 16, 1, 1


class InexactError(ArithmeticError):
    """A value of the solver that should be whole isn't."""


@dataclass(frozen=True, slots=True)
class Stages:
    """Plan and prices: ``sent`` per arc, ``unplaced`` per group; ``group_price``, ``school_price`` one row per goal."""

    sent: IntArray
    unplaced: IntArray
    group_price: IntArray
    school_price: IntArray


def merged_runs(costs: Sequence[IntArray], n_schools: int, most: int = MOST_WEIGHT) -> list[list[tuple[int, int]]]:
    """Which goals go into one run, as lists of (goal, radix).

    A goal's merged cost is its cost times the product of the radices of the later goals of its run. The radix exceeds
    twice the largest absolute reduced cost the goal can have at any basis, so that merged numbers can be read digit by
    digit. ``costs``: per goal the costs of all columns.
    """
    sizes: list[int] = []
    radices: list[int] = []
    for cost in costs:
        low, high = int(cost.min(initial=0)), int(cost.max(initial=0))
        size = max(abs(low), abs(high), 1)
        price = size + (n_schools + 1) * (high - low)
        sizes.append(size)
        radices.append(2 * (size + 2 * price) + 1)
    # best[k]: fewest runs for goals k…, then the smallest largest cost; with the first goal after the first run.
    best: list[tuple[int, int, int]] = [(0, 0, 0)] * (len(costs) + 1)
    for k in range(len(costs) - 1, -1, -1):
        options = []
        for after in range(k + 1, len(costs) + 1):
            largest = max(sizes[j] * math.prod(radices[j + 1 : after]) for j in range(k, after))
            if after > k + 1 and largest > most:
                break
            options.append((1 + best[after][0], max(largest, best[after][1]), after))
        best[k] = min(options)
    runs: list[list[tuple[int, int]]] = []
    k = 0
    while k < len(costs):
        after = best[k][2]
        runs.append([(goal, radices[goal]) for goal in range(k, after)])
        k = after
    return runs


def solve_stages(problem: Transport, goals: Sequence[Goal], most_weight: int = MOST_WEIGHT) -> Stages:
    """Meet the goals in order on a connected problem; the proof is checked before the result is given.

    Should a merged run not stand the proof (rounding), every goal gets a run of its own; RuntimeError if even that
    fails.
    """
    for most in (min(most_weight, _EXACT), 0):
        try:
            found = _solve_runs(problem, goals, most)
        except InexactError:
            continue
        if not faults(problem, goals, found.sent, found.unplaced, found.group_price, found.school_price):
            return found
    raise RuntimeError("HiGHS gave no placement that stands its proof")


def _solve_runs(problem: Transport, goals: Sequence[Goal], most_weight: int) -> Stages:
    n_groups, n_schools, n_arcs = problem.shape
    group_price = np.zeros((len(goals), n_groups), np.int64)
    school_price = np.zeros((len(goals), n_schools), np.int64)
    # Only the smallest and largest costs count here; goals are put together one run at a time, which saves memory.
    runs = merged_runs([_ends(goal) for goal in goals], n_schools, most_weight)
    part: _Part | None = None
    for r, run in enumerate(runs):
        merged = np.zeros(n_arcs + n_groups, np.int64)
        for goal, radix in run:
            merged *= radix
            merged[:n_arcs] += goals[goal].arc_cost
            merged[n_arcs:] += goals[goal].unplaced_cost
        part = part or _Part(problem, merged)
        price, reduced = part.best(merged)
        if r + 1 < len(runs):
            part.keep_optimal_face(price, reduced)
        for goal, radix in reversed(run):
            digit = price if goal == run[0][0] else (price + radix // 2) % radix - radix // 2
            group_price[goal], school_price[goal] = digit[:n_groups], digit[n_groups:]
            price = (price - digit) // radix
    assert part is not None, "at least one goal was checked"
    flow = part.flow()
    return Stages(flow[:n_arcs], flow[n_arcs:], group_price, school_price)


def _ends(goal: Goal) -> IntArray:
    """Smallest and largest cost of a goal."""
    both = [part for part in (goal.arc_cost, goal.unplaced_cost) if len(part)]
    return np.array([f(part) for part in both for f in (np.min, np.max)], np.int64)


class _Part:
    """A connected part in HiGHS. Where lists are long it holds few arcs and takes in those that would improve a plan.

    ``work``: columns (arcs, then unplaced) that HiGHS has, in its order; ``open``: columns on the optimal face so far.
    A run ends when no open arc outside has a negative reduced cost, so its prices are those of all arcs.
    """

    def __init__(self, problem: Transport, merged: IntArray) -> None:
        n_groups, _, n_arcs = problem.shape
        self.problem = problem
        self.open = np.ones(n_arcs + n_groups, bool)
        arcs = np.arange(n_arcs)
        if n_arcs > _LONG_LIST * n_groups:
            arcs = self._first(arcs, merged, _FIRST_ARCS)
        self.outside = np.ones(n_arcs, bool)
        self.outside[arcs] = False
        self.work = np.concatenate([arcs, np.arange(n_arcs, n_arcs + n_groups)])
        self.program = _loaded(Transport(problem.supply, problem.capacity, problem.group[arcs], problem.school[arcs]))

    def best(self, merged: IntArray) -> tuple[IntArray, IntArray]:
        """Prices of the rows and reduced costs of all columns at the least merged cost on the face."""
        cost: FloatArray | None = merged[self.work].astype(np.float64)
        while True:
            status = self.program.run(cost)
            if status != "Optimal":
                raise RuntimeError(f"HiGHS: {status} on a placement")
            cost = None
            price = _whole(self.program.answer()[1])
            reduced = self._reduced(merged, price)
            at = reduced[: len(self.outside)]
            better = np.flatnonzero((at < 0) & self.outside & self.open[: len(at)])
            if not len(better):
                return price, reduced
            self._take_in(self._first(better, at, _MORE_ARCS), merged)

    def _reduced(self, merged: IntArray, price: IntArray) -> IntArray:
        n_groups, _, n_arcs = self.problem.shape
        reduced = merged.copy()
        reduced[:n_arcs] -= price[:n_groups][self.problem.group]
        reduced[:n_arcs] -= price[n_groups:][self.problem.school]
        reduced[n_arcs:] -= price[:n_groups]
        return reduced

    def _first(self, arcs: IntArray, by: IntArray, most: int) -> IntArray:
        """Of ``arcs`` the first ``most`` of each group by the number ``by``, equal ones in their order."""
        group = self.problem.group[arcs]
        order = np.lexsort((by[arcs], group))
        group = group[order]
        return arcs[order[np.arange(len(arcs)) - np.searchsorted(group, group) < most]]

    def _take_in(self, arcs: IntArray, merged: IntArray) -> None:
        """Gives HiGHS further arcs; the basis stays, and with it the plan."""
        self.outside[arcs] = False
        self.work = np.concatenate([self.work, arcs])
        n, n_groups = len(arcs), len(self.problem.supply)
        rows = np.column_stack((self.problem.group[arcs], self.problem.school[arcs] + n_groups)).ravel()
        self.program.add_columns(
            merged[arcs].astype(np.float64), np.full(n, np.inf), 2 * np.arange(n), rows, np.ones(2 * n)
        )
        self.program.goes_on_primal()

    def keep_optimal_face(self, price: IntArray, reduced: IntArray) -> None:
        """Later runs may use only plans as good as this one: no column with a reduced cost, priced schools full."""
        n_groups = len(self.problem.supply)
        self.open &= reduced == 0
        closed = np.flatnonzero(~self.open[self.work]).astype(np.int32)
        nothing = np.zeros(len(closed))
        self.program.set_columns(closed, nothing, nothing)
        full = np.flatnonzero(price[n_groups:])
        seats = self.problem.capacity[full].astype(np.float64)
        self.program.set_rows((full + n_groups).astype(np.int32), seats, seats)
        self.program.goes_on_primal()

    def flow(self) -> IntArray:
        """Children per arc, then unplaced per group."""
        flow = np.zeros(len(self.open), np.int64)
        flow[self.work] = _whole(self.program.answer()[0])
        return flow


def _loaded(problem: Transport) -> ArrayProgram:
    """The problem's rows and no costs yet."""
    n_groups, _, n_arcs = problem.shape
    n_columns = n_arcs + n_groups
    matrix = placement_matrix(problem)
    arrays = Arrays(
        np.zeros(n_columns),
        np.full(n_columns, np.inf),
        matrix.lower,
        matrix.upper,
        matrix.start,
        matrix.row,
        matrix.value,
        by="columns",
    )
    return ArrayProgram(arrays, Options(time_limit_s=math.inf), _SETTINGS)


def _whole(values: FloatArray) -> IntArray:
    """Whole numbers from the solver's doubles; at a basis of a transport problem all values are whole."""
    rounded = np.rint(values)
    if len(values) and float(np.abs(values - rounded).max()) > 1e-3:
        raise InexactError("HiGHS gave a plan or a price that isn't whole")
    return rounded.astype(np.int64)
