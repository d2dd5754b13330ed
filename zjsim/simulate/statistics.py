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


def quantiles(values: ArrayLike, at: tuple[float, ...] = (0.05, 0.5, 0.95)) -> tuple[float, ...]:
    """Sample quantiles (linear between order statistics), one per entry of ``at``."""
    return tuple(float(q) for q in np.quantile(np.asarray(values, dtype=np.float64), at))


def rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Spearman's rank correlation, ties at their mean rank; 0 where either side does not vary."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    rx, ry = stats.rankdata(x), stats.rankdata(y)
    return float(np.corrcoef(rx, ry)[0, 1])
