"""A program that is already arrays: for problems with so many columns that even reading a model would cost too much.

The formulation stands beside it as a Pyomo model or in tests; this class only carries the arrays to the solver and the
answers back, without copies and with the settings that the caller measured to be the best.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zjsim.solve.highs import SolverError, new_solver
from zjsim.solve.matrix import Floats
from zjsim.solve.options import Options

_COLUMNWISE, _ROWWISE, _MINIMISE, _DUAL_SIMPLEX, _PRIMAL_SIMPLEX, _FEASIBLE = 1, 2, 1, 1, 4, 2


@dataclass(frozen=True, slots=True)
class Arrays:
    """Minimise ``cost @ x + offset`` over ``row_lower <= A x <= row_upper``, ``0 <= x <= upper``.

    ``A`` is stored compressed, by rows or by columns (``by``): ``start`` (one entry per row or column; a closing entry
    may follow), ``index``, ``value``. ``whole``: every column is an integer.
    """

    cost: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    start: NDArray[Any]
    index: NDArray[Any]
    value: Floats
    by: Literal["rows", "columns"]
    offset: float = 0.0
    whole: bool = False


class LimitError(Exception):
    """A limit ended a search before it had any plan; the argument says which."""


class ArrayProgram:
    """:class:`Arrays` loaded into the solver; costs and the rows' bounds can change between runs (the basis is kept).

    ``settings`` are the solver's own, on top of ``options``.
    """

    def __init__(self, arrays: Arrays, options: Options, settings: Mapping[str, object]) -> None:
        self._settings = dict(settings)
        self._goes_on = False
        self._highs = new_solver(options, time_limit=options.time_limit_s, **settings)
        self.load(arrays)

    def load(self, arrays: Arrays) -> None:
        """Another program in place of the one at hand, without its basis: quicker than a new solver."""
        n_columns, n_rows = len(arrays.cost), len(arrays.row_lower)
        self._every = np.arange(n_columns, dtype=np.int32)
        if self._goes_on:
            self._highs.setOptionValue("simplex_strategy", self._settings.get("simplex_strategy", _DUAL_SIMPLEX))
        self._has_run = self._goes_on = False
        called = self._highs.passModel(
            n_columns,
            n_rows,
            len(arrays.index),
            _ROWWISE if arrays.by == "rows" else _COLUMNWISE,
            _MINIMISE,
            arrays.offset,
            arrays.cost,
            np.zeros(n_columns),
            arrays.upper,
            arrays.row_lower,
            arrays.row_upper,
            arrays.start[: n_rows if arrays.by == "rows" else n_columns].astype(np.int32, copy=False),
            arrays.index.astype(np.int32, copy=False),
            arrays.value,
            np.full(n_columns, int(arrays.whole), np.int32),
        )
        if called.name == "kError":
            raise SolverError("HiGHS could not load the arrays")

    def run(self, cost: Floats | None = None, start: Floats | None = None) -> str:
        """Solve for ``cost`` (None: as loaded) from the plan ``start``; the solver's status, "Optimal" when proven."""
        if cost is not None:
            self._highs.changeColsCost(len(self._every), self._every, cost)
        if start is not None:
            self._highs.setSolution(len(self._every), self._every, start)
        self._highs.run()
        self._has_run = True
        return str(self._highs.modelStatusToString(self._highs.getModelStatus()))

    def solved(self) -> Floats:
        """The columns of the optimum as loaded. Raises :class:`LimitError` if a limit struck before."""
        status = self.run()
        self.check(status, proven=True)
        if status != "Optimal":
            raise SolverError(f"no optimum: {status}")
        return self.answer()[0]

    def check(self, status: str, *, proven: bool = False) -> None:
        """Raises :class:`LimitError` if a limit ended the last run without a plan (``proven``: without an optimum)."""
        there = self._highs.getInfo().primal_solution_status == _FEASIBLE
        if "limit" in status.lower() and (proven or not there):
            raise LimitError(status)

    def set_rows(self, rows: NDArray[np.int32], lower: Floats, upper: Floats) -> None:
        """New bounds of some rows."""
        self._highs.changeRowsBounds(len(rows), rows, lower, upper)

    def add_columns(self, cost: Floats, upper: Floats, start: NDArray[Any], index: NDArray[Any], value: Floats) -> None:
        """Further continuous columns at the end, stored by columns; the basis and the plan stay."""
        n = len(cost)
        start, index = start.astype(np.int32, copy=False), index.astype(np.int32, copy=False)
        called = self._highs.addCols(n, cost, np.zeros(n), upper, len(index), start, index, value)
        if called.name == "kError":
            raise SolverError("HiGHS could not take in further columns")
        self._every = np.arange(len(self._every) + n, dtype=np.int32)

    def goes_on_primal(self) -> None:
        """Further linear solves use the primal simplex: only costs change from here."""
        self._highs.setOptionValue("simplex_strategy", _PRIMAL_SIMPLEX)
        self._goes_on = True

    def answer(self) -> tuple[Floats, Floats]:
        """Values of the columns and prices of the rows, as far as the last run got (empty: nothing found)."""
        solution = self._highs.getSolution()
        return np.asarray(solution.col_value, dtype=float), np.asarray(solution.row_dual, dtype=float)

    def bound(self) -> float:
        """What the last search over whole numbers proved that no plan falls below; -inf: nothing."""
        found = float(self._highs.getInfo().mip_dual_bound)
        return found if self._has_run and math.isfinite(found) else -math.inf
