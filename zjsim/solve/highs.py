"""The one place that talks to HiGHS: load, change, run, and say plainly what came out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import highspy
import numpy as np
from numpy.typing import NDArray

from zjsim.solve.matrix import Floats, Matrix, ModelError
from zjsim.solve.options import Options

Sense = Literal["minimise", "maximise"]
Status = Literal["optimal", "feasible", "infeasible", "unbounded", "stopped"]
_DUAL_TOLERANCE = 1e-7
RELAXATION_S = 20.0
"""Seconds for the bound of a goal that the time limit left without a search of its own."""
_threads_in_use: int | None = None


class SolverError(RuntimeError):
    """HiGHS failed in a way that is neither infeasible, unbounded nor a limit."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of the solver came to. ``x`` is empty unless ``status`` is optimal or feasible."""

    status: Status
    value: float
    bound: float
    x: Floats
    reason: str = ""

    @property
    def by_clock(self) -> bool:
        """Whether the clock ended the run: elsewhere it would have come further, or less far."""
        return "time limit" in self.reason.lower()


def relative_gap(value: float, bound: float) -> float:
    """|value − bound| over the larger of the two magnitudes: 0 = proven, 1 = nothing known, never above 2."""
    if not np.isfinite(bound):
        return float("inf")
    return 0.0 if value == bound else abs(value - bound) / max(abs(value), abs(bound))


@dataclass(frozen=True, slots=True)
class Face:
    """Columns fixed at ``values`` and rows at ``activities``: where a linear goal is best."""

    columns: NDArray[np.int32]
    values: Floats
    rows: NDArray[np.int32]
    activities: Floats


class Program:
    """A matrix loaded into HiGHS, whose costs, bounds and rows can change between runs (the basis is kept)."""

    def __init__(self, matrix: Matrix, options: Options) -> None:
        self.matrix = matrix
        self.options = options
        self.deadline = time.monotonic() + options.time_limit_s
        self.lower, self.upper = matrix.lower.copy(), matrix.upper.copy()
        self.integral = bool(matrix.integer.any())
        self._start: Floats | None = None
        linear = {"solver": "ipm"} if options.interior_point and not self.integral else {}
        self._highs = new_solver(options, **linear)
        self._check(self._highs.passModel(_as_highs(matrix)), "load the model")

    def run(self, cost: Floats, offset: float, sense: Sense) -> Outcome:
        """Optimise ``cost @ x + offset`` within what is left of the time limit."""
        h, n = self._highs, len(self.matrix.columns)
        left = self.deadline - time.monotonic()
        if left <= 0:
            return Outcome("stopped", np.nan, np.nan, np.empty(0), "time limit")
        if n == 0:
            return self._without_columns(offset)
        self._set("time_limit", h.getRunTime() + left)
        h.changeColsCost(n, np.arange(n, dtype=np.int32), cost)
        h.changeObjectiveOffset(offset)
        h.changeObjectiveSense(
            highspy.ObjSense.kMinimize if sense == "minimise" else highspy.ObjSense.kMaximize,
        )
        started = self.integral and self._start is not None and start_is_safe(cost, self.matrix.integer)
        if started:
            h.setSolution(n, np.arange(n, dtype=np.int32), self._start)
        called = h.run()
        if started and self._contradicts_itself(cost, offset):
            # Presolve of HiGHS (1.16) may take a start for better than it is, and then nothing beats it: without it.
            h.clearSolver()
            called = h.run()
        if h.getModelStatus() in (highspy.HighsModelStatus.kUnknown, highspy.HighsModelStatus.kSolveError):
            # A basis carried over from another solve can lead the simplex astray: once more without it.
            h.clearSolver()
            called = h.run()
        status = self._status(called)
        if status == "unclear":
            feasible = self.run(np.zeros(n), 0.0, sense)
            status = "unbounded" if feasible.status == "optimal" else feasible.status
        if status not in ("optimal", "feasible"):
            reason = h.modelStatusToString(h.getModelStatus())
            # A search that a limit ended before it found a plan may still have proven a bound.
            known = status == "stopped" and self.integral
            bound = float(h.getInfo().mip_dual_bound) if known else np.nan
            return Outcome(status, np.nan, bound, np.empty(0), reason)
        return self._outcome(status, cost, offset, sense)

    def run_without_presolve(self, cost: Floats, offset: float, sense: Sense) -> Outcome:
        """:meth:`run` from nothing known and on all rows as they stand: slower, and without presolve's tolerances."""
        self._highs.clearSolver()
        self._set("presolve", "off")
        outcome = self.run(cost, offset, sense)
        self._set("presolve", "choose")
        return outcome

    def relaxed_bound(self, cost: Floats, offset: float, sense: Sense) -> float:
        """What ``cost @ x + offset`` cannot pass, by the linear relaxation (of rows and columns as they are now).

        Infinite where the relaxation is unbounded or takes more than ``RELAXATION_S`` seconds. The time limit does not
        count: this is asked when it has struck.
        """
        deadline, self.deadline = self.deadline, time.monotonic() + RELAXATION_S
        self._highs.clearSolver()
        self._set("solve_relaxation", True)
        integral, self.integral = self.integral, False
        outcome = self.run(cost, offset, sense)
        self.integral, self.deadline = integral, deadline
        self._set("solve_relaxation", False)
        if outcome.status == "optimal":
            return outcome.value
        return -np.inf if sense == "minimise" else np.inf

    def _contradicts_itself(self, cost: Floats, offset: float) -> bool:
        """Whether HiGHS calls a whole-number plan the best although it is not as good as what was proven."""
        h = self._highs
        if h.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return False
        value = float(cost @ np.asarray(h.getSolution().col_value, dtype=float)[: len(cost)]) + offset
        bound = float(h.getInfo().mip_dual_bound)
        return abs(value - bound) > 1e-6 and relative_gap(value, bound) > self.options.relative_gap + 1e-6

    def suggest(self, x: Floats) -> None:
        """A plan to start a mixed-integer search from (it need not be feasible)."""
        self._start = x.copy()

    def set_columns(self, columns: NDArray[np.int32], lower: Floats, upper: Floats) -> None:
        """New bounds of some columns."""
        self.lower[columns], self.upper[columns] = lower, upper
        if len(columns):
            self._check(self._highs.changeColsBounds(len(columns), columns, lower, upper), "change column bounds")

    def set_rows(self, rows: NDArray[np.int32], lower: Floats, upper: Floats) -> None:
        """New bounds of some rows."""
        if len(rows):
            self._check(self._highs.changeRowsBounds(len(rows), rows, lower, upper), "change row bounds")

    def restore(self) -> None:
        """The bounds of the matrix again, whatever was fixed or loosened since; rows added stay."""
        m = self.matrix
        self.set_columns(np.arange(len(m.columns), dtype=np.int32), m.lower, m.upper)
        self.set_rows(np.arange(len(m.rows), dtype=np.int32), m.row_lower, m.row_upper)

    def reduced_costs(self) -> Floats:
        """What one unit more of each column would change in the goal, by the last linear solve."""
        return np.asarray(self._highs.getSolution().col_dual, dtype=float)

    def row_duals(self) -> Floats:
        """What one unit more on each row's right side would change in the goal, by the last linear solve."""
        return np.asarray(self._highs.getSolution().row_dual, dtype=float)

    def add_row(self, coefficients: Floats, lower: float, upper: float) -> None:
        """One more row over all columns (zeros are left out)."""
        index = np.flatnonzero(coefficients).astype(np.int32)
        self._check(self._highs.addRow(lower, upper, len(index), index, coefficients[index]), "add a row")

    def is_unique(self) -> bool:
        """Whether the last optimal linear solve has this one solution alone.

        As many non-zero reduced costs and duals as there are columns mean that no other vertex is as good; fewer leave
        it open.
        """
        solution = self._highs.getSolution()
        found = sum(
            int(np.count_nonzero(np.abs(np.asarray(values, dtype=float)) > _DUAL_TOLERANCE))
            for values in (solution.col_dual, solution.row_dual)
        )
        return found == len(self.lower)

    def row_bounds(self) -> tuple[Floats, Floats]:
        """The lower and upper bounds of all rows as they are now."""
        lp = self._highs.getLp()
        return np.array(lp.row_lower_, dtype=float), np.array(lp.row_upper_, dtype=float)

    def from_basis(self) -> None:
        """Further linear solves start from the basis at hand by the dual simplex: quick where one bound changed."""
        self._set("solver", "simplex")
        self.goes_on(primal=False)

    def afresh(self) -> None:
        """Further linear solves as the options ask, no longer from the basis at hand."""
        self._set("solver", "ipm" if self.options.interior_point and not self.integral else "choose")

    def goes_on(self, primal: bool) -> None:
        """Whether further linear solves start better from the primal simplex (costs change) or the dual one."""
        self._set("simplex_strategy", 4 if primal else 1)

    def fix_optimal_face(self) -> None:
        """After an optimal linear stage: keep exactly its optimal solutions (complementary slackness).

        Columns with a non-zero reduced cost are fixed at their bound, rows with a non-zero dual become equalities;
        the basis stays feasible, so the next stage goes on with the primal simplex.
        """
        self.keep(self.optimal_face())

    def optimal_face(self) -> Face:
        """The optimal solutions of the last linear solve, as bounds of columns and rows (see fix_optimal_face)."""
        h, solution = self._highs, self._highs.getSolution()
        rc = np.asarray(solution.col_dual, dtype=float)
        columns = np.flatnonzero(np.abs(rc) > _DUAL_TOLERANCE).astype(np.int32)
        x = np.asarray(solution.col_value, dtype=float)[columns]
        value = _nearest(x, self.lower[columns], self.upper[columns])
        lp = h.getLp()
        dual = np.asarray(solution.row_dual, dtype=float)
        rows = np.flatnonzero(np.abs(dual) > _DUAL_TOLERANCE).astype(np.int32)
        activity = np.asarray(solution.row_value, dtype=float)[rows]
        at = _nearest(activity, np.asarray(lp.row_lower_)[rows], np.asarray(lp.row_upper_)[rows])
        return Face(columns, value, rows, at)

    def keep(self, face: Face) -> None:
        """Keep only the solutions of ``face``; the next solve goes on with the primal simplex."""
        self.set_columns(face.columns, face.values, face.values)
        self.set_rows(face.rows, face.activities, face.activities)
        self.goes_on(primal=True)

    def conflicting_rows(self) -> tuple[int, ...]:
        """Rows of a conflict of the linear relaxation (not the smallest); empty when the relaxation has a solution.

        Ask a program that serves for nothing else: it keeps the relaxation.
        """
        h, n = self._highs, len(self.matrix.columns)
        integers = np.flatnonzero(self.matrix.integer).astype(np.int32)
        kinds = np.full(len(integers), highspy.HighsVarType.kContinuous)
        if len(integers):
            h.changeColsIntegrality(len(integers), integers, kinds)
        h.changeColsCost(n, np.arange(n, dtype=np.int32), np.zeros(n))
        # Without presolve the simplex method ends in a proof: rows whose weighted sum nothing can satisfy.
        self._set("presolve", "off")
        self._set("solver", "simplex")
        rows: tuple[int, ...] = ()
        if self._status(h.run()) == "infeasible":
            _, proven, ray = h.getDualRay()
            rows = tuple(np.flatnonzero(np.abs(np.asarray(ray)) > _DUAL_TOLERANCE).tolist()) if proven else ()
        return rows

    def _outcome(self, status: Status, cost: Floats, offset: float, sense: Sense) -> Outcome:
        h, n = self._highs, len(self.matrix.columns)
        reason = h.modelStatusToString(h.getModelStatus()) if status == "feasible" else ""
        x = np.asarray(h.getSolution().col_value, dtype=float)[:n]
        integer = self.matrix.integer
        whole = np.rint(x[integer])
        moved = bool(len(whole)) and float(np.abs(whole - x[integer]).max()) > 1e-10
        x[integer] = whole
        x = np.clip(x, self.lower, self.upper)
        value = float(cost @ x) + offset
        if self.integral:
            bound = float(h.getInfo().mip_dual_bound)
            if moved and not integer.all():
                x = self._with_whole_numbers(x)
                value = float(cost @ x) + offset
            self._start = x.copy()
        elif status == "optimal":
            bound = value
        else:
            bound = -np.inf if sense == "minimise" else np.inf
        return Outcome(status, value, bound, x, reason)

    def _with_whole_numbers(self, x: Floats) -> Floats:
        """The other columns solved again with the integer ones at whole numbers; ``x`` if that is not possible."""
        h, n = self._highs, len(self.matrix.columns)
        integers = np.flatnonzero(self.matrix.integer).astype(np.int32)
        old = self.lower[integers].copy(), self.upper[integers].copy()
        kinds = np.full(len(integers), highspy.HighsVarType.kContinuous)
        h.changeColsIntegrality(len(integers), integers, kinds)
        self.set_columns(integers, x[integers], x[integers])
        if self._status(h.run()) == "optimal":
            x = np.asarray(h.getSolution().col_value, dtype=float)[:n]
        kinds[:] = highspy.HighsVarType.kInteger
        h.changeColsIntegrality(len(integers), integers, kinds)
        self.set_columns(integers, *old)
        return np.clip(x, self.lower, self.upper)

    def _without_columns(self, offset: float) -> Outcome:
        m = self.matrix
        if np.all(m.row_lower <= 1e-9) and np.all(m.row_upper >= -1e-9):
            return Outcome("optimal", offset, offset, np.empty(0))
        return Outcome("infeasible", np.nan, np.nan, np.empty(0))

    def _status(self, called: Any) -> Any:
        h = self._highs
        status, kinds = h.getModelStatus(), highspy.HighsModelStatus
        if status in (kinds.kOptimal, kinds.kModelEmpty):
            return "optimal"
        if status == kinds.kInfeasible:
            return "infeasible"
        if status == kinds.kUnbounded:
            return "unbounded"
        if status == kinds.kUnboundedOrInfeasible:
            return "unclear"
        if called == highspy.HighsStatus.kError or status not in (
            kinds.kTimeLimit,
            kinds.kIterationLimit,
            kinds.kSolutionLimit,
            kinds.kInterrupt,
        ):
            raise SolverError(f"HiGHS: {h.modelStatusToString(status)}")
        found = h.getInfo().primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
        return "feasible" if found else "stopped"

    def _set(self, name: str, value: Any) -> None:
        self._check(self._highs.setOptionValue(name, value), f"set the option {name}")

    def _check(self, status: Any, what: str) -> None:
        if status == highspy.HighsStatus.kError:
            raise SolverError(f"HiGHS could not {what}")


def start_is_safe(cost: Floats, integer: NDArray[np.bool_]) -> bool:
    """Whether a plan in hand may start a mixed-integer search for ``cost``.

    HiGHS (1.15) cuts off by whole steps of the goal where presolve leaves only integral costs; a plan that presolve has
    ruled out may lie between two steps, and then the best one is cut off as well. Costs of one size on whole columns
    move in that size, whatever presolve takes away.
    """
    used = np.flatnonzero(cost)
    size = np.abs(cost[used])
    return bool(integer[used].all() and (size == size[:1]).all())


def new_solver(options: Options, **more: object) -> Any:
    """A HiGHS with these options and ``more`` of its own; the only place where one is made.

    Raises :class:`SolverError` for a setting that HiGHS does not know.
    """
    global _threads_in_use
    h = highspy.Highs()
    if _threads_in_use not in (None, options.threads):
        h.resetGlobalScheduler(True)
    _threads_in_use = options.threads
    settings: dict[str, Any] = {
        "output_flag": bool(options.log_file),
        "log_to_console": False,
        "threads": options.threads,
        "random_seed": options.seed,
        "mip_rel_gap": options.relative_gap,
        "mip_abs_gap": 0.0,
    }
    if options.threads == 1:
        settings["parallel"] = "off"
    if options.node_limit is not None:
        settings["mip_max_nodes"] = options.node_limit
    if options.log_file:
        settings["log_file"] = options.log_file
    for name, value in (settings | more).items():
        if h.setOptionValue(name, value) == highspy.HighsStatus.kError:
            raise SolverError(f"HiGHS refuses {name} = {value}")
    return h


def _as_highs(m: Matrix) -> Any:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(m.columns), len(m.rows)
    lp.col_cost_ = np.zeros(len(m.columns))
    lp.col_lower_, lp.col_upper_ = m.lower, m.upper
    lp.row_lower_, lp.row_upper_ = m.row_lower, m.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = m.start, m.index, m.coefficient
    if m.integer.any():
        kinds = highspy.HighsVarType
        lp.integrality_ = [kinds.kInteger if i else kinds.kContinuous for i in m.integer]
    if np.any(m.lower > m.upper):
        raise ModelError("a variable's lower bound lies above its upper bound")
    return lp


def _nearest(value: Floats, lower: Floats, upper: Floats) -> Floats:
    result: Floats = np.where(np.abs(value - lower) <= np.abs(upper - value), lower, upper)
    return result
