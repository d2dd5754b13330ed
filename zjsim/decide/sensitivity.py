"""Global sensitivity: how much of an outcome's variance each input explains, alone and with all it acts together with.

Sobol' indices by Saltelli's design (2010): two independent space-filling samples A and B, and for every input a sample
AB that is A with this input's column from B. The indices are scipy's; their
intervals are bootstrapped over the points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.stats import qmc

Floats = NDArray[np.float64]
DESIGN_SEED, BOOTSTRAP_SEED = 20241231, 20241232
RESAMPLES = 500


@dataclass(frozen=True)
class Index:
    """An input's share of the variance with its 95 % interval: ``first`` alone, ``total`` with all its interactions."""

    first: float
    first_low: float
    first_high: float
    total: float
    total_low: float
    total_high: float


def saltelli(inputs: int, points: int) -> Floats:
    """Points of the unit cube, ((d + 2) · n, d): A, then B, then for each input A with its column from B.

    ``points`` n is a power of two (the samples are scrambled Sobol' sequences of 2 d dimensions, fixed seed); raises
    ``ValueError`` otherwise, and without inputs.
    """
    if inputs < 1 or points < 2 or points & (points - 1):
        raise ValueError(f"wanted at least one input and a power of two as points, got {inputs} and {points}")
    both = qmc.Sobol(2 * inputs, rng=DESIGN_SEED).random(points)
    a, b = both[:, :inputs], both[:, inputs:]
    mixed = [np.where(np.arange(inputs) == j, b, a) for j in range(inputs)]
    return np.concatenate([a, b, *mixed])


def indices(values: Sequence[float] | Floats, inputs: int) -> list[Index]:
    """The indices of every input from an outcome at the points of :func:`saltelli`, in their order.

    An outcome that does not vary gives zeros. Raises ``ValueError`` where the number of values does not fit.
    """
    y = np.asarray(values, dtype=np.float64)
    points = len(y) // (inputs + 2)
    if y.shape != (points * (inputs + 2),) or not points:
        raise ValueError(f"wanted a value at each of (d + 2) · n points with d = {inputs}, got {y.shape}")
    if not np.ptp(y[: 2 * points]):
        return [Index(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)] * inputs
    parts = y.reshape(inputs + 2, 1, points)
    draw = np.random.default_rng(BOOTSTRAP_SEED)  # scipy's own bootstrap would draw from an unnamed generator
    again = np.array([_shares(parts[..., draw.integers(0, points, points)]) for _ in range(RESAMPLES)])
    low, high = np.nanquantile(again, (0.025, 0.975), axis=0)
    now = _shares(parts)
    return [
        Index(*(float(v) for what in (0, 1) for v in (now[what, j], low[what, j], high[what, j])))
        for j in range(inputs)
    ]


def _shares(parts: Floats) -> Floats:
    """First-order and total indices (2, d) from outcomes (d + 2, 1, n)."""
    with np.errstate(all="ignore"):
        found = stats.sobol_indices(func={"f_A": parts[0], "f_B": parts[1], "f_AB": parts[2:]}, n=parts.shape[-1])
    return np.stack([np.ravel(found.first_order), np.ravel(found.total_order)])
