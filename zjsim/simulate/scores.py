"""Scores of probability forecasts against what came: how sharp, how honest, how far off.

Two scores are proper, that is, nobody gains by saying anything but what he believes: the continuous ranked probability
score of a number, the Brier score of a yes or no (Gneiting and Raftery 2007). The others say where a bad score comes
from. An ensemble is a forecast whose values are equally likely. Everything is in the unit of the values, or a share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zjsim.simulate.statistics import clopper_pearson

Floats = NDArray[np.float64]
BINS = 10
"""Classes of forecast probabilities in a reliability table, each a tenth wide."""


def crps(ensemble: ArrayLike, truth: float) -> float:
    """Continuous ranked probability score of an ensemble x of m values: mean|x - y| - sum|x_i - x_j| / (2 m (m - 1)).

    The fair form (Ferro 2014): its expectation does not depend on m, so that small and large ensembles compare; a
    single value gives |x - y|. 0 is perfect; with a known value y it is the mean absolute error of a sharp forecast.
    Raises ``ValueError`` without values.
    """
    x = np.sort(_values(ensemble))
    m = x.size
    apart = 0.0
    if m > 1:  # sum over pairs of |x_i - x_j|, from the sorted values
        apart = float(((2 * np.arange(1, m + 1) - m - 1) * x).sum()) / (m * (m - 1))
    return float(np.abs(x - truth).mean()) - apart


def brier(probability: ArrayLike, happened: ArrayLike) -> float:
    """Brier score, mean of (p - o)² with o = 1 where it happened and 0 where not: 0 is perfect, 1 the worst.

    Raises ``ValueError`` on shapes that do not fit, on none at all, and on probabilities outside 0 to 1.
    """
    p, o = _pairs(probability, happened)
    return float(((p - o) ** 2).mean())


@dataclass(frozen=True, slots=True)
class BrierParts:
    """Brier = reliability - resolution + uncertainty + within (Murphy 1973; the last by Stephenson and others 2008).

    ``reliability``: how far stated probabilities lie from what then happened (0 is honest); ``resolution``: how far
    cases that were told apart differ from the average (more is better); ``uncertainty``: o(1 - o) of the average o, no
    forecaster's fault; ``within``: what the forecasts of one class differ among themselves, 0 if they are equal.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


def brier_parts(probability: ArrayLike, happened: ArrayLike, bins: int = BINS) -> BrierParts:
    """Where a Brier score comes from, by classes k of the forecasts with n_k cases, means p_k and o_k.

    reliability = sum n_k (p_k - o_k)² / n; resolution = sum n_k (o_k - o)² / n; uncertainty = o (1 - o);
    within = sum over classes of [sum (p - p_k)² - 2 sum (p - p_k)(o_i - o_k)] / n. Raises ``ValueError`` as
    :func:`brier`.
    """
    p, o = _pairs(probability, happened)
    which, mean = _classes(p, bins), float(o.mean())
    reliability = resolution = within = 0.0
    for k in np.unique(which):
        own_p, own_o = p[which == k], o[which == k]
        dp, do = own_p - own_p.mean(), own_o - own_o.mean()
        reliability += len(own_p) * (own_p.mean() - own_o.mean()) ** 2
        resolution += len(own_p) * (own_o.mean() - mean) ** 2
        within += float((dp**2).sum() - 2 * (dp * do).sum())
    n = len(p)
    return BrierParts(brier(p, o), reliability / n, resolution / n, mean * (1 - mean), within / n)


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """A class of forecasts: its bounds, cases, mean probability, share that happened with its exact 95 % interval."""

    low: float
    high: float
    cases: int
    stated: float
    happened: float
    happened_low: float
    happened_high: float


def reliability(probability: ArrayLike, happened: ArrayLike, bins: int = BINS) -> list[ReliabilityBin]:
    """The classes that hold forecasts, lowest first. Raises ``ValueError`` as :func:`brier`."""
    p, o = _pairs(probability, happened)
    which, found = _classes(p, bins), []
    for k in np.unique(which):
        own = which == k
        n, hits = int(own.sum()), int(o[own].sum())
        interval = clopper_pearson(hits, n)
        found.append(ReliabilityBin(k / bins, (k + 1) / bins, n, float(p[own].mean()), hits / n, *interval))
    return found


def inside(ensemble: ArrayLike, truth: float, share: float = 0.9) -> bool:
    """Whether ``truth`` lies in the central interval that holds ``share`` of the ensemble (p05 to p95 for 0.9).

    The ends are the quantiles (1 - share) / 2 and (1 + share) / 2 of the ensemble by Weibull's rule k / (m + 1): a
    further value of the same law then lies inside with probability ``share`` exactly (m >= 19). Bounds count as inside.
    """
    low, high = interval(ensemble, share)
    return bool(low <= truth <= high)


def interval(ensemble: ArrayLike, share: float = 0.9) -> tuple[float, float]:
    """The ends of the central interval of :func:`inside`."""
    tail = (1 - share) / 2
    low, high = np.quantile(_values(ensemble), (tail, 1 - tail), method="weibull")
    return float(low), float(high)


def _values(ensemble: ArrayLike) -> Floats:
    x = np.asarray(ensemble, dtype=np.float64)
    if x.ndim != 1 or not x.size:
        raise ValueError(f"wanted the values of an ensemble, got shape {x.shape}")
    return x


def _pairs(probability: ArrayLike, happened: ArrayLike) -> tuple[Floats, Floats]:
    p, o = np.asarray(probability, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    if p.ndim != 1 or p.shape != o.shape or not p.size:
        raise ValueError(f"wanted as many probabilities as outcomes, got {p.shape} and {o.shape}")
    if ((p < 0) | (p > 1)).any() or (~np.isin(o, (0.0, 1.0))).any():
        raise ValueError("wanted probabilities between 0 and 1, and outcomes that are 0 or 1")
    return p, o


def _classes(p: Floats, bins: int) -> NDArray[np.int64]:
    return np.minimum((p * bins + 1e-12).astype(np.int64), bins - 1)
