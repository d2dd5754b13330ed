"""Statistics of replications: exact intervals of a probability, t-intervals of a mean, quantiles, rank correlation."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact (conservative) interval of a probability from ``successes`` out of ``trials`` independent replications.

    Clopper and Pearson (1934): its coverage is never below ``confidence``. Raises ``ValueError`` on impossible counts.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"wanted 0 <= successes <= trials and trials >= 1, got {successes} of {trials}")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(special.betaincinv(successes, trials - successes + 1, tail))
    high = 1.0 if successes == trials else float(special.betaincinv(successes + 1, trials - successes, 1 - tail))
    share = successes / trials
    return min(low, share), max(high, share)


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean and two-sided t-interval of independent replications (unit of ``values``); a single one has none (NaN)."""
    x = np.asarray(values, dtype=np.float64)
    mean = float(x.mean())
    if x.size < 2:
        return mean, float("nan"), float("nan")
    half = float(stats.t.ppf((1 + confidence) / 2, x.size - 1) * x.std(ddof=1) / sqrt(x.size))
    return mean, mean - half, mean + half


def variance_reduction(a: ArrayLike, b: ArrayLike) -> tuple[float, float, float]:
    """What common random numbers buy in comparing ``a`` with ``b``, replication by replication.

    Returns the variance that a difference would have if both were independent (the sum of their variances), the
    variance of the paired differences, and their ratio: so many times more replications would independent runs need
    for the same interval. The ratio is infinite where all differences are equal, NaN where nothing varies at all or
    there is only one replication. Raises ``ValueError`` on different numbers of replications.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"wanted as many replications of either, got {x.shape} and {y.shape}")
    if x.size < 2:
        return float("nan"), float("nan"), float("nan")
    independent, paired = float(x.var(ddof=1) + y.var(ddof=1)), float((x - y).var(ddof=1))
    if paired <= 1e-15 * independent:  # equal differences but for rounding
        return independent, 0.0, float("inf") if independent > 0 else float("nan")
    return independent, paired, independent / paired


def controlled(a: ArrayLike, b: ArrayLike, controls: ArrayLike) -> tuple[float, float, float]:
    """The mean paired difference ``a - b``, freed of what ``controls`` explain, and what that buys.

    ``controls``: by (replication, control), numbers of the same replications whose expectation is exactly 0. Their mean
    in the sample is known to be chance, so the part of the difference that runs along with it (least squares) is taken
    off. Returns the difference, the variance of what is left of it (residual degrees of freedom), and the variance of
    independent runs ÷ this one; the interval of the difference shrinks by its root. NaN with too few replications.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    z = np.asarray(controls, dtype=np.float64).reshape(len(x), -1)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"wanted as many replications of either, got {x.shape} and {y.shape}")
    free = x.size - 1 - z.shape[1]
    if free < 1:
        return float("nan"), float("nan"), float("nan")
    d, mean_z = x - y, z.mean(axis=0)
    slope, *_ = np.linalg.lstsq(z - mean_z, d - d.mean(), rcond=None)
    rest = d - d.mean() - (z - mean_z) @ slope
    variance, independent = float(rest @ rest) / free, float(x.var(ddof=1) + y.var(ddof=1))
    difference = float(d.mean() - mean_z @ slope)
    if variance <= 1e-15 * independent:
        return difference, 0.0, float("inf") if independent > 0 else float("nan")
    return difference, variance, independent / variance


def quantiles(values: ArrayLike, at: tuple[float, ...] = (0.05, 0.5, 0.95)) -> tuple[float, ...]:
    """Sample quantiles (linear between order statistics), one per entry of ``at``."""
    return tuple(float(q) for q in np.quantile(np.asarray(values, dtype=np.float64), at))


def rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Spearman's rank correlation, ties at their mean rank; 0 where either side does not vary."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    rx, ry = stats.rankdata(x), stats.rankdata(y)
    return float(np.corrcoef(rx, ry)[0, 1])
