"""Bounds for seat expansion under stability, from the programme of ``stable_cutoffs`` with HiGHS.

The linear relaxation is solved by the interior point method: here it is many times faster than the simplex method, and
any prices it ends with give a valid bound, because every column is bounded. Branch and bound then proves the best seats
of problems up to some thousand options; beyond, it doesn't get past its first cuts in reasonable time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from zjsim.models.deferred_acceptance import IntArray
from zjsim.models.stable_cutoffs import CutoffProblem, FloatArray, Matrix, cutoff_matrix

from zjsim.solve.arrays import ArrayProgram, Arrays
from zjsim.solve.options import Options

_MOST_OPTIONS = 2500
_ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class Proof:
    """``added``: seats per school worth trying (empty if none were found); ``bound``: no seats give a smaller sum."""

    added: tuple[int, ...]
    bound: int


def relax(problem: CutoffProblem, time_limit_s: float) -> Proof:
    """Bound by the linear relaxation, and its seats rounded so that they add up.

    Without options or time the bound is the sum of ranks if every school got all extra seats.
    """
    if time_limit_s <= 0 or not len(problem.child):
        return Proof((), problem.least)
    matrix = cutoff_matrix(problem)
    settings = {"solver": "ipm", "run_crossover": "off"}
    program = ArrayProgram(_arrays(matrix, whole=False), Options(time_limit_s), settings)
    program.run()
    column, price = program.answer()
    if not len(price) or not np.isfinite(price).all():
        return Proof((), problem.least)
    bound = max(problem.least, math.ceil(safe_bound(matrix, price) - _ROUNDING))
    return Proof(_rounded(problem, column[: len(problem.room)]), bound)


def safe_bound(matrix: Matrix, price: FloatArray) -> float:
    """The bound that row prices prove, however they were found.

    Prices of a sign the row doesn't allow count as 0; every column takes the end of its range its reduced cost prefers.
    """
    allowed = np.where(np.isinf(matrix.lower), np.minimum(price, 0.0), price)
    allowed = np.where(np.isinf(matrix.upper), np.maximum(allowed, 0.0), allowed)
    rows = np.repeat(np.arange(len(matrix.lower)), np.diff(matrix.start))
    weights = matrix.value * allowed[rows]
    reduced = matrix.cost - np.bincount(matrix.column, weights=weights, minlength=len(matrix.cost))
    side = np.where(allowed > 0, matrix.lower, matrix.upper)
    used = allowed != 0
    return float(matrix.offset + allowed[used] @ side[used] + np.minimum(reduced, 0.0) @ matrix.most)


def prove(problem: CutoffProblem, start: FloatArray, time_limit_s: float, seed: int) -> Proof:
    """Branch and bound from a known solution: the best seats found and a proven lower bound on the sum of ranks."""
    if time_limit_s <= 0 or not 0 < len(problem.child) <= _MOST_OPTIONS:
        return Proof((), problem.least)
    # The goal is a whole number: a bound less than 1 below a solution proves it.
    settings = {"mip_abs_gap": 0.999}
    options = Options(time_limit_s, seed=seed % (1 << 31))
    program = ArrayProgram(_arrays(cutoff_matrix(problem), whole=True), options, settings)
    program.run(start=start)
    bound = problem.least
    found = program.bound()
    if math.isfinite(found):
        bound = max(bound, math.ceil(found - _ROUNDING))
    solution, _ = program.answer()
    if not len(solution):
        return Proof((), bound)
    added: IntArray = np.rint(solution[: len(problem.room)]).astype(np.int64)
    return Proof(tuple(added.tolist()), bound)


def _rounded(problem: CutoffProblem, wish: FloatArray) -> tuple[int, ...]:
    """Whole seats near ``wish``: rounded down, the rest by largest remainder, within every limit."""
    whole = np.clip(np.floor(wish + _ROUNDING).astype(np.int64), 0, problem.most_added)
    left = problem.n_extra - int(whole.sum())
    for school in np.argsort(whole - wish, kind="stable").tolist():
        if left > 0 and whole[school] < problem.most_added[school]:
            whole[school] += 1
            left -= 1
    return tuple(whole.tolist()) if left >= 0 else ()


def _arrays(matrix: Matrix, *, whole: bool) -> Arrays:
    return Arrays(
        matrix.cost,
        matrix.most,
        matrix.lower,
        matrix.upper,
        matrix.start,
        matrix.column,
        matrix.value,
        by="rows",
        offset=matrix.offset,
        whole=whole,
    )
