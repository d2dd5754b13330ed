"""From a readable Pyomo model to the arrays a solver takes.

Pyomo's own HiGHS interface is not used: it gives no way to change the costs between stages while keeping the basis,
to fix an optimal face, or to ask for the rows in conflict, and it refuses a row that lost all its variables
(``0 = 1``), which is exactly the row a planner must be told about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.core.expr import LinearExpression
from pyomo.repn.linear import LinearRepnVisitor
from pyomo.repn.util import OrderedVarRecorder

Floats = NDArray[np.float64]


class ModelError(ValueError):
    """The model itself is wrong (not linear, or unbounded): a mistake in a formulation, never a planner's."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A linear model as arrays: ``row_lower <= A x <= row_upper``, ``lower <= x <= upper``, some ``x`` integer.

    ``A`` is stored by rows (``start``, ``index``, ``coefficient``). ``columns`` and ``rows`` are the Pyomo variables
    and constraints in order; ``row_of`` and ``column_of`` find them again by ``id``. ``costs`` has one row per goal,
    ``offsets`` its constant.
    """

    columns: tuple[Any, ...]
    rows: tuple[Any, ...]
    start: NDArray[np.int32]
    index: NDArray[np.int32]
    coefficient: Floats
    row_lower: Floats
    row_upper: Floats
    lower: Floats
    upper: Floats
    integer: NDArray[np.bool_]
    costs: Floats
    offsets: Floats
    column_of: dict[int, int]
    row_of: dict[int, int]


def extract(model: pyo.ConcreteModel, expressions: Sequence[Any]) -> Matrix:
    """Read ``model`` and the goals' ``expressions`` into a :class:`Matrix`.

    Every variable of the model has a column, used or not, in the order of declaration; fixed variables become
    constants. Raises :class:`ModelError` where something is not linear, a variable is not declared on the model, or an
    index has no order.
    """
    for component in model.component_objects((pyo.Var, pyo.Constraint), active=True, descend_into=True):
        if any(part.isfinite() and not part.isordered() for part in component.index_set().subsets()):
            # Its rows would follow the hash seed of the process, and with them which of several best plans is found.
            raise ModelError(f"{component.name} is indexed by a set or dict, which has no order: use a list or tuple")
    columns = [v for v in model.component_data_objects(pyo.Var, active=True, descend_into=True) if not v.fixed]
    column_of = {id(v): j for j, v in enumerate(columns)}
    known = {id(v): v for v in columns}
    walk = LinearRepnVisitor({}, var_recorder=OrderedVarRecorder(known, dict(column_of), None)).walk_expression

    rows, lower, upper, start = [], [], [], [0]
    index: list[int] = []
    coefficient: list[float] = []
    for row in model.component_data_objects(pyo.Constraint, active=True, descend_into=True):
        low, body, high = row.to_bounded_expression()
        low, high = _number(low, -np.inf), _number(high, np.inf)
        linear, constant = _linear(walk(body), row.name, column_of)
        rows.append(row)
        lower.append(low - constant)
        upper.append(high - constant)
        index += [column_of[i] for i in linear]
        coefficient += linear.values()
        start.append(len(index))

    costs = np.zeros((len(expressions), len(columns)))
    offsets = np.zeros(len(expressions))
    for k, expression in enumerate(expressions):
        linear, offsets[k] = _linear(walk(expression), f"goal {k + 1}", column_of)
        for i, c in linear.items():
            costs[k, column_of[i]] += c

    bounds = [v.bounds for v in columns]
    return Matrix(
        tuple(columns),
        tuple(rows),
        np.array(start, dtype=np.int32),
        np.array(index, dtype=np.int32),
        np.array(coefficient, dtype=float),
        np.array(lower, dtype=float),
        np.array(upper, dtype=float),
        np.array([-np.inf if low is None else low for low, _ in bounds], dtype=float),
        np.array([np.inf if high is None else high for _, high in bounds], dtype=float),
        np.array([v.is_integer() for v in columns], dtype=bool),
        costs,
        offsets,
        column_of,
        {id(r): i for i, r in enumerate(rows)},
    )


def _number(value: Any, missing: float) -> float:
    return missing if value is None else float(pyo.value(value))


def _linear(repn: Any, name: str, column_of: dict[int, int]) -> tuple[dict[int, float], float]:
    if repn.nonlinear is not None:
        raise ModelError(f"{name} is not linear")
    scale = repn.multiplier
    linear = {i: c * scale for i, c in repn.linear.items() if c}
    if not linear.keys() <= column_of.keys():
        raise ModelError(f"{name} uses a variable that is not declared on the model")
    return linear, float(repn.constant * scale)


def with_rows(matrix: Matrix, rows: Sequence[tuple[Floats, float, float]]) -> Matrix:
    """``matrix`` with more rows below: coefficients of all columns, lower bound, upper bound."""
    if not rows:
        return matrix
    used = [np.flatnonzero(row[0]) for row in rows]
    return replace(
        matrix,
        rows=(*matrix.rows, *(object() for _ in rows)),
        start=np.concatenate([matrix.start, matrix.start[-1] + np.cumsum([len(u) for u in used])]).astype(np.int32),
        index=np.concatenate([matrix.index, *used]).astype(np.int32),
        coefficient=np.concatenate([matrix.coefficient, *(row[0][u] for row, u in zip(rows, used, strict=True))]),
        row_lower=np.concatenate([matrix.row_lower, [row[1] for row in rows]]),
        row_upper=np.concatenate([matrix.row_upper, [row[2] for row in rows]]),
    )


def with_columns(
    matrix: Matrix, upper: Floats, integer: NDArray[np.bool_], entries: Sequence[tuple[int, int, float]]
) -> Matrix:
    """``matrix`` with more columns at the right: from 0 to ``upper``, without costs, with ``entries``.

    An entry is (row, column, coefficient); new columns are numbered after those of ``matrix``.
    """
    old = np.repeat(np.arange(len(matrix.rows)), np.diff(matrix.start))
    rows = np.concatenate([old, np.array([e[0] for e in entries], dtype=int)])
    index = np.concatenate([matrix.index, np.array([e[1] for e in entries], dtype=np.int32)])
    coefficient = np.concatenate([matrix.coefficient, np.array([e[2] for e in entries], dtype=float)])
    order = np.lexsort((index, rows))
    return replace(
        matrix,
        columns=(*matrix.columns, *(object() for _ in upper)),
        start=np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(matrix.rows)))]).astype(np.int32),
        index=index[order].astype(np.int32),
        coefficient=coefficient[order],
        lower=np.concatenate([matrix.lower, np.zeros(len(upper))]),
        upper=np.concatenate([matrix.upper, upper]),
        integer=np.concatenate([matrix.integer, integer]),
        costs=np.hstack([matrix.costs, np.zeros((len(matrix.costs), len(upper)))]),
    )


def total(terms: Iterable[Any]) -> Any:
    """The sum of ``terms`` as a Pyomo expression, also when there are none.

    A rule written ``total(...) == 1`` stays a row when nothing can fill it, so that the planner is told; Python's
    ``sum`` would turn it into ``0 == 1`` and stop the build.
    """
    return LinearExpression(list(terms))
