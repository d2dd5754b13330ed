"""Small exact tools of the derivations: proportional fitting and rounding that keeps totals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def largest_remainder(weights: Floats, total: int) -> Ints:
    """Whole numbers in proportion to ``weights`` (any shape, >= 0) that add up to ``total`` exactly.

    Every cell gets the whole part of its share; the units left over go to the largest remainders, earlier cells first
    among equals. All cells are 0 when the weights are all 0; raises ``ValueError`` if ``total`` is not 0 then.
    """
    weights = np.asarray(weights, dtype=np.float64)
    whole = weights.sum()
    if whole == 0:
        if total:
            raise ValueError(f"cannot spread {total} over weights that are all zero")
        return np.zeros(weights.shape, dtype=np.int64)
    exact = (weights / whole * total).ravel()
    result = np.floor(exact + 1e-9).astype(np.int64)
    left = int(total - result.sum())
    order = np.argsort(-(exact - result), kind="stable")
    result[order[:left]] += 1
    shaped: Ints = result.reshape(weights.shape)
    return shaped


def fit(values: Floats, blocks: Sequence[tuple[Bools, float]], rounds: int = 500) -> Floats:
    """Iterative proportional fitting: scale ``values`` until every block (a mask of cells) has its total.

    The blocks fitted last hold exactly, the others to about 1e-6 of their total (raises ``ValueError`` otherwise).
    """
    fitted = np.array(values, dtype=np.float64)
    for _ in range(rounds):
        worst = 0.0
        for mask, total in blocks:
            scale = total / fitted[mask].sum()
            worst = max(worst, abs(scale - 1))
            fitted[mask] *= scale
        if worst < 1e-10:
            break
    if worst > 1e-6:
        raise ValueError("the totals contradict each other: proportional fitting did not settle")
    return fitted


def round_half_up(values: ArrayLike) -> Ints:
    """Nearest whole numbers, halves upwards (never banker's rounding)."""
    return np.floor(np.asarray(values, dtype=np.float64) + 0.5).astype(np.int64)


def seats_of(weights: Floats, total: int) -> Ints:
    """``total`` wholes in proportion to ``weights`` (Sainte-Laguë): with a larger total nobody gets less.

    Each in turn goes where weight / (2 held + 1) is largest; ties to the first.
    """
    held = np.zeros(len(weights), dtype=np.int64)
    for _ in range(total):
        held[int(np.argmax(weights / (2 * held + 1)))] += 1
    return held
