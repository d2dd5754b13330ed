"""Differences between two ensembles: paired on common random numbers, or independent where the seeds differ."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from zjsim.simulate.statistics import controlled, mean_interval, variance_reduction

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Change:
    """A difference, second minus first, with its two-sided interval (NaN where a single replication gives none)."""

    difference: float
    low: float
    high: float


def change_of_mean(first: ArrayLike, second: ArrayLike, *, paired: bool, confidence: float = 0.95) -> Change:
    """Change of the mean from ``first`` to ``second`` (one value per replication, in their unit).

    Paired: the t-interval of the differences, replication by replication; exactly zero where all of them are equal.
    Independent: Welch's interval, the lengths may differ. Raises ``ValueError`` on empty or (paired) unequal lengths.
    """
    x, y = _arrays(first, second, paired)
    if paired:
        return Change(*mean_interval(y - x, confidence))
    mean = float(y.mean() - x.mean())
    if min(x.size, y.size) < 2:
        return Change(mean, float("nan"), float("nan"))
    parts = [float(v.var(ddof=1)) / v.size for v in (x, y)]
    if not fsum(parts):
        return Change(mean, mean, mean)
    freedom = fsum(parts) ** 2 / fsum(p**2 / (v.size - 1) for p, v in zip(parts, (x, y), strict=True))
    half = float(stats.t.ppf((1 + confidence) / 2, freedom)) * sqrt(fsum(parts))
    return Change(mean, mean - half, mean + half)


@dataclass(frozen=True, slots=True)
class Pairs:
    """The mean paired difference ``first - second`` with its interval, and what comparing in pairs buys.

    ``independent``: the variance that the difference of a replication would have if the two were independent;
    ``paired``: what is left of it (beside the controls, where there are some); ``reduction``: their ratio, so many
    times more replications would independent runs need for the same interval (∞: all differences are equal, NaN:
    nothing varies or there is one replication).
    """

    difference: float
    low: float
    high: float
    independent: float
    paired: float
    reduction: float


CONTROLLED_FROM = 8
"""Replications from which on controls are used: with fewer, a slope is guessed from too little."""


def pairs(first: ArrayLike, second: ArrayLike, controls: ArrayLike | None = None, confidence: float = 0.95) -> Pairs:
    """Compare ``first`` with ``second`` (one value per replication, the same draws on either side).

    ``controls``: by (replication, control), numbers of the same replications whose expectation is exactly 0
    (:func:`zjsim.simulate.statistics.controlled`); used from :data:`CONTROLLED_FROM` replications on, whatever the
    values are. The interval is a t-interval; with controls that of a regression at their expectation. Exactly zero
    where all pairs are equal. Raises ``ValueError`` on empty or unequal lengths.
    """
    x, y = _arrays(first, second, True)
    independent, paired, reduction = variance_reduction(x, y)
    if controls is None or x.size < CONTROLLED_FROM or not np.ptp(x - y):
        return Pairs(*mean_interval(x - y, confidence), independent, paired, reduction)
    z = np.asarray(controls, dtype=np.float64).reshape(x.size, -1)
    z = z[:, np.ptp(z, axis=0) > 0]
    difference, paired, reduction = controlled(x, y, z)
    off = z.mean(axis=0)
    leverage = float(off @ np.linalg.pinv((z - off).T @ (z - off)) @ off) if off.size else 0.0
    free = x.size - 1 - z.shape[1]
    half = float(stats.t.ppf((1 + confidence) / 2, free)) * sqrt(paired * (1 / x.size + leverage))
    return Pairs(difference, difference - half, difference + half, independent, paired, reduction)


def change_of_share(first: ArrayLike, second: ArrayLike, *, paired: bool, confidence: float = 0.95) -> Change:
    """Change of the share of replications in which something holds (truth values, one per replication).

    Paired: Tango's score interval (1998) of the difference of two dependent shares, which holds its level also where
    few replications differ. Independent: Newcombe's interval (1998, method 10), Wilson's intervals squared and added.
    Raises ``ValueError`` on empty or (paired) unequal lengths.
    """
    x, y = (v.astype(bool) for v in _arrays(first, second, paired))
    z = float(stats.norm.ppf((1 + confidence) / 2))
    if paired:
        gained, lost = int(np.sum(y & ~x)), int(np.sum(x & ~y))
        return Change((gained - lost) / x.size, *tango(gained, lost, x.size, z))
    p, q = float(x.mean()), float(y.mean())
    (p_low, p_high), (q_low, q_high) = (_wilson(s, v.size, z) for s, v in ((p, x), (q, y)))
    below, above = sqrt((q - q_low) ** 2 + (p_high - p) ** 2), sqrt((q_high - q) ** 2 + (p - p_low) ** 2)
    return Change(q - p, q - p - below, q - p + above)


def tango(gained: int, lost: int, count: int, z: float) -> tuple[float, float]:
    """Score interval of (gained - lost) / count, pairs that changed one way or the other of ``count`` in all.

    The ends solve score(d) = ±z, where the score's variance is that under a true difference d. ``z``: normal quantile.
    Exchanged counts give exactly the negated interval.
    """
    if gained < lost:
        low, high = tango(lost, gained, count, z)
        return -high, -low
    observed = (gained - lost) / count

    def score(d: float) -> float:
        a, c = 2 * count, -lost * d * (1 - d)
        b = -gained - lost + (2 * count - gained + lost) * d
        shared = (sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
        variance = count * (2 * shared + d * (1 - d))
        return (gained - lost - count * d) / sqrt(variance) if variance > 0 else 0.0

    def end(limit: float, wanted: float) -> float:
        inside = limit * (1 - 1e-12)
        if (score(inside) - wanted) * (score(observed) - wanted) >= 0:
            return limit
        return float(optimize.brentq(lambda d: score(d) - wanted, *sorted((inside, observed)), xtol=1e-12))

    high = end(1.0, -z)
    return (-high if gained == lost else end(-1.0, z)), high


def _wilson(share: float, count: int, z: float) -> tuple[float, float]:
    centre, spread = share + z * z / (2 * count), z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (centre - spread) / (1 + z * z / count), (centre + spread) / (1 + z * z / count)


def _arrays(first: ArrayLike, second: ArrayLike, paired: bool) -> tuple[Floats, Floats]:
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.ndim != 1 or y.ndim != 1 or not x.size or not y.size or (paired and x.size != y.size):
        raise ValueError(f"wanted one value per replication, as many of either if paired; got {x.shape}, {y.shape}")
    return x, y
