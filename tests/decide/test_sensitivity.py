"""Sobol' indices of functions with known ones lie inside their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from zjsim.decide.sensitivity import indices, saltelli

ISHIGAMI = ((0.3139, 0.5576), (0.4424, 0.4424), (0.0, 0.2437))
"""First-order and total indices for a = 7, b = 0.1 (Saltelli et al. 2008)."""


@pytest.mark.parametrize("points", [256, 1024])
def test_ishigami(points: int) -> None:
    x = (2 * saltelli(3, points) - 1) * np.pi
    values = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    for found, (first, total) in zip(indices(values, 3), ISHIGAMI, strict=True):
        assert found.first_low <= first <= found.first_high
        assert found.total_low <= total <= found.total_high


@pytest.mark.parametrize("points", [64, 512])
def test_an_additive_function_has_shares_by_the_squares_of_its_weights(points: int) -> None:
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    found = indices(saltelli(4, points) @ weights, 4)
    for index, share in zip(found, weights**2 / (weights**2).sum(), strict=True):
        assert index.first_low <= share <= index.first_high
        assert index.total_low <= share <= index.total_high
    assert sum(i.total for i in found) == pytest.approx(1, abs=0.1)


def test_the_design_moves_one_input_at_a_time() -> None:
    x = saltelli(3, 8).reshape(5, 8, 3)
    a, b = x[0], x[1]
    for j in range(3):
        assert np.array_equal(x[2 + j][:, j], b[:, j])
        assert np.array_equal(np.delete(x[2 + j], j, 1), np.delete(a, j, 1))


def test_equal_values_give_equal_intervals_and_constants_zero() -> None:
    values = np.sin(saltelli(2, 16)).sum(axis=1)
    assert indices(values, 2) == indices(values, 2)
    assert {i.total for i in indices(np.ones(64), 2)} == {0.0}


@pytest.mark.parametrize(("inputs", "points"), [(0, 8), (2, 12), (2, 1)])
def test_bad_designs_are_refused(inputs: int, points: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        saltelli(inputs, points)


def test_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="points"):
        indices(np.ones(7), 2)
