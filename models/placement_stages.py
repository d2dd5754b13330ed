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
    program = _loaded(problem)
    costs = [np.concatenate([goal.arc_cost, goal.unplaced_cost]) for goal in goals]
    n_columns = n_arcs + n_groups
    group_price = np.zeros((len(costs), n_groups), np.int64)
    school_price = np.zeros((len(costs), n_schools), np.int64)
    runs = merged_runs(costs, n_schools, most_weight)
    column_value = np.zeros(0)
    for r, run in enumerate(runs):
        merged = np.zeros(n_columns, np.int64)
        for goal, radix in run:
            merged = merged * radix + costs[goal]
        status = program.run(merged.astype(np.float64))
        if status != "Optimal":
            raise RuntimeError(f"HiGHS: {status} on a placement")
        column_value, row_dual = program.answer()
        price = _whole(row_dual)
        if r + 1 < len(runs):
            _keep_optimal_face(program, problem, merged, price)
        for goal, radix in reversed(run):
            digit = price if goal == run[0][0] else (price + radix // 2) % radix - radix // 2
            group_price[goal], school_price[goal] = digit[:n_groups], digit[n_groups:]
            price = (price - digit) // radix
    flow = _whole(column_value)
    return Stages(flow[:n_arcs], flow[n_arcs:], group_price, school_price)


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


def _keep_optimal_face(program: ArrayProgram, problem: Transport, merged: IntArray, price: IntArray) -> None:
    """Later runs may use only plans as good as this one: no column with a reduced cost, priced schools full."""
    n_groups, _, n_arcs = problem.shape
    reduced = merged.copy()
    reduced[:n_arcs] -= price[:n_groups][problem.group] + price[n_groups:][problem.school]
    reduced[n_arcs:] -= price[:n_groups]
    closed = np.flatnonzero(reduced).astype(np.int32)
    nothing = np.zeros(len(closed))
    program.set_columns(closed, nothing, nothing)
    full = np.flatnonzero(price[n_groups:])
    seats = problem.capacity[full].astype(np.float64)
    program.set_rows((full + n_groups).astype(np.int32), seats, seats)
    program.goes_on_primal()


def _whole(values: FloatArray) -> IntArray:
    """Whole numbers from the solver's doubles; at a basis of a transport problem all values are whole."""
    rounded = np.rint(values)
    if len(values) and float(np.abs(values - rounded).max()) > 1e-3:
        raise InexactError("HiGHS gave a plan or a price that isn't whole")
    return rounded.astype(np.int64)
