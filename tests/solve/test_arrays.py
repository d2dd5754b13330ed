"""Programs given as arrays: by hand, by rows and by columns, against the same model read from Pyomo."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from zjsim.solve.arrays import ArrayProgram, Arrays
from zjsim.solve.goals import Goal, lexicographic
from zjsim.solve.highs import SolverError
from zjsim.solve.options import Options
from zjsim.solve.results import Optimal

A = np.array([[1.0, 1.0], [1.0, 0.0]])


def arrays(by: Any, cost: tuple[float, float] = (-3.0, -2.0), *, whole: bool = False, room: float = 4.0) -> Arrays:
    """minimise -3x - 2y + 1 on x + y <= room, x <= 3."""
    dense = A if by == "rows" else A.T
    used = [np.flatnonzero(line) for line in dense]
    start = np.cumsum([0, *map(len, used)])
    value = np.concatenate([line[u] for line, u in zip(dense, used, strict=True)])
    low, high = np.full(2, -np.inf), np.array([room, 3.0])
    return Arrays(np.array(cost), np.full(2, 9.0), low, high, start, np.concatenate(used), value, by, 1.0, whole)


@pytest.mark.parametrize("by", ["rows", "columns"])
def test_by_hand(by: str) -> None:
    """(3, 1); one more in the first row brings 2, in the second 1."""
    program = ArrayProgram(arrays(by), Options(), {"presolve": "off"})
    assert program.run() == "Optimal"
    x, price = program.answer()
    assert x.tolist() == [3, 1]
    assert price.tolist() == [-2, -1]
    program.set_rows(np.array([0], dtype=np.int32), np.array([2.0]), np.array([2.0]))
    program.goes_on_primal()
    assert program.run(np.array([5.0, 1.0])) == "Optimal"
    assert program.answer()[0].tolist() == [0, 2]


def test_whole_numbers_have_a_bound() -> None:
    """2.5 places: two are used, both by x."""
    program = ArrayProgram(arrays("rows", whole=True, room=2.5), Options(), {})
    assert program.bound() == -math.inf
    assert program.run(start=np.zeros(2)) == "Optimal"
    assert program.answer()[0].tolist() == [2, 0]
    assert program.bound() == pytest.approx(-5)


def test_no_time_and_no_such_setting() -> None:
    program = ArrayProgram(arrays("rows", whole=True), Options(time_limit_s=0.0), {"presolve": "off"})
    assert program.run() != "Optimal"
    with pytest.raises(SolverError, match="no_such_setting"):
        ArrayProgram(arrays("rows"), Options(), {"no_such_setting": 1})


@pytest.mark.parametrize("seed", range(8))
def test_equals_the_same_model_read_from_pyomo(seed: int) -> None:
    g = np.random.default_rng(seed)
    a, room, cost = g.integers(0, 5, (4, 6)), g.integers(5, 15, 4), g.integers(-9, 3, 6)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(6), bounds=(0, 4), domain=pyo.Integers)
    m.rows = pyo.Constraint(
        range(4), rule=lambda m, k: sum(int(a[k, j]) * m.x[j] for j in range(6)) + 0 * m.x[0] <= int(room[k])
    )
    read = lexicographic(m, [Goal("cost", "minimise", sum(int(c) * m.x[j] for j, c in enumerate(cost)))])
    assert isinstance(read, Optimal)
    index, start = np.tile(np.arange(6), 4), np.arange(0, 25, 6)
    bare = Arrays(
        cost.astype(float), np.full(6, 4.0), np.full(4, -np.inf), room.astype(float), start, index, a.ravel() * 1.0,
        "rows", whole=True,
    )  # fmt: skip
    program = ArrayProgram(bare, Options(), {})
    assert program.run() == "Optimal"
    assert float(cost @ program.answer()[0]) == pytest.approx(read.stages[0].value)
    assert program.bound() == pytest.approx(read.stages[0].value)
