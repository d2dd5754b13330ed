"""Scenario discovery: in which part of the inputs' space something happens, as a few boxes that can be said aloud.

The patient rule induction method (Friedman and Fisher 1999, as used by Bryant and Lempert 2010): a box is peeled side
by side, always where the share of cases rises most; peels of several sizes go ways of their own. Of the boxes on a way
the one is taken that tells the cases best: by the likelihood of one share of cases inside and a lower one outside. Its
sides are moved to where that is highest, the best of all ways is kept, and sides that chance alone could explain are
let go. (The overlap of box and cases is no such measure: where some cases are noise, it favours boxes too large.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PEELS = (0.02, 0.05, 0.1, 0.2)
"""Shares of the points of a box that one peel takes away, each on a way of its own."""
EDGES = 40
"""Quantiles of an input among which a pair of sides is sought at once."""
LEAST_POINTS = 20
"""Smallest number of points in a box."""
SIGNIFICANCE = 0.01
"""A side stays if the density without it is as low as it is by chance in fewer than this share of cases."""


@dataclass(frozen=True)
class Box:
    """A part of the space and how well it tells the cases: ``low`` and ``high`` by input, -inf and inf where free.

    ``density``: share of cases among the points inside; ``coverage``: share of all cases that lie inside; ``mass``:
    share of all points inside; ``chance``: share of cases among all points.
    """

    low: Floats
    high: Floats
    density: float
    coverage: float
    mass: float
    chance: float

    def holds(self, points: Floats) -> Bools:
        """Which of ``points`` (n, d) lie inside, bounds included."""
        return np.asarray(((points >= self.low) & (points <= self.high)).all(axis=1))

    @property
    def restricted(self) -> tuple[int, ...]:
        """The inputs that are bounded on either side, in order."""
        return tuple(int(j) for j in np.flatnonzero(np.isfinite(self.low) | np.isfinite(self.high)))


def discover(points: Floats, cases: Bools, *, boxes: int = 2) -> list[Box]:
    """Boxes (at most ``boxes``) that tell the cases, the first one best; each of what those before leave over.

    ``points``: (n, d) values of the inputs, ``cases``: (n,) whether it happened there. No box where there are no cases
    or nothing but cases, or where no side is significant. Raises ``ValueError`` on shapes that do not fit.
    """
    x, y = np.asarray(points, dtype=np.float64), np.asarray(cases, dtype=bool)
    if x.ndim != 2 or y.shape != (len(x),):
        raise ValueError(f"wanted (n, d) points and n cases, got {x.shape} and {y.shape}")
    found: list[Box] = []
    left = np.ones(len(x), dtype=bool)
    while len(found) < boxes and 0 < y[left].sum() < left.sum() and left.sum() >= 2 * LEAST_POINTS:
        bounds = _best_box(x[left], y[left])
        if bounds is None:
            break
        inside = ((x >= bounds[0]) & (x <= bounds[1])).all(axis=1)
        fresh = inside & left
        density, coverage = float(y[fresh].mean()), float(y[fresh].sum() / y.sum())
        found.append(Box(*bounds, density, coverage, float(fresh.mean()), float(y.mean())))
        left &= ~inside
    return found


def _best_box(x: Floats, y: Bools) -> tuple[Floats, Floats] | None:
    starts = [max(_peel(x, y, share), key=lambda b: _told(x, y, *b)) for share in PEELS]
    found = [_move_sides(x, y, *box) for box in (*starts, _narrow(x, y))]
    low, high = _let_go(x, y, *max(found, key=lambda b: _told(x, y, *b)))
    if not (np.isfinite(low).any() or np.isfinite(high).any()):
        return None
    return _move_sides(x, y, low, high, only_bounded=True)


def _inside(x: Floats, low: Floats, high: Floats) -> Bools:
    return np.asarray(((x >= low) & (x <= high)).all(axis=1))


def _told(x: Floats, y: Bools, low: Floats, high: Floats) -> float:
    """How well a box tells the cases: see :func:`_likelihood`."""
    inside = _inside(x, low, high)
    return float(_likelihood(np.array([(inside & y).sum()]), np.array([inside.sum()]), int(y.sum()), len(y))[0])


def _likelihood(hits: Floats, size: Floats, cases: int, points: int) -> Floats:
    """Log-likelihood of boxes of ``size`` points with ``hits`` cases: one share of cases inside, another one outside.

    -inf where the share inside is not above that outside.
    """
    inside, outside = _log_likelihood(hits, size), _log_likelihood(cases - hits, points - size)
    return np.where(hits * (points - size) > (cases - hits) * size, inside + outside, -np.inf)


def _log_likelihood(hits: Floats, size: Floats) -> Floats:
    return np.asarray(special.xlogy(hits, hits) + special.xlogy(size - hits, size - hits) - special.xlogy(size, size))


def _peel(x: Floats, y: Bools, share: float) -> list[tuple[Floats, Floats]]:
    """The boxes on the way from the whole space inwards: each peel leaves the highest share of cases."""
    low, high = np.full(x.shape[1], -np.inf), np.full(x.shape[1], np.inf)
    inside = np.ones(len(x), dtype=bool)
    way = [(low, high)]
    while inside.sum() * (1 - share) >= LEAST_POINTS:
        best: tuple[float, int, float, bool] | None = None
        for j in range(x.shape[1]):
            values = x[inside, j]
            for upper in (False, True):
                cut = float(np.quantile(values, 1 - share if upper else share))
                kept = values <= cut if upper else values >= cut
                if not 0 < kept.sum() < len(values):
                    continue
                density = float(y[inside][kept].mean())
                if best is None or density > best[0]:
                    best = (density, j, cut, upper)
        if best is None:
            break
        _, j, cut, upper = best
        low, high = low.copy(), high.copy()
        (high if upper else low)[j] = cut
        inside = _inside(x, low, high)
        way.append((low, high))
    return way


def _narrow(x: Floats, y: Bools) -> tuple[Floats, Floats]:
    """The box by intervals: input by input the two sides at once that tell the cases best, until nothing gains more.

    Cases in the middle of an input's range are found so, which a peel of one side does not bring nearer.
    """
    low, high = np.full(x.shape[1], -np.inf), np.full(x.shape[1], np.inf)
    now = _told(x, y, low, high)
    for _ in range(2 * x.shape[1]):
        best = max((_best_interval(x, y, low, high, j) for j in range(x.shape[1])), key=lambda found: found[0])
        if best[0] <= now + 1e-12:
            break
        now, low[best[1]], high[best[1]] = best[0], best[2], best[3]
    return low, high


def _best_interval(x: Floats, y: Bools, low: Floats, high: Floats, j: int) -> tuple[float, int, float, float]:
    """Likelihood, input ``j``, lower and upper side: the best pair among ``EDGES`` quantiles, the other inputs held."""
    free_low, free_high = low.copy(), high.copy()
    free_low[j], free_high[j] = -np.inf, np.inf
    inside = _inside(x, free_low, free_high)
    values, hits = x[inside, j], y[inside]
    edges = np.unique(np.quantile(values, np.linspace(0, 1, EDGES + 1)[1:-1]))
    bins = np.searchsorted(edges, values, side="left")
    size = np.concatenate([[0], np.cumsum(np.bincount(bins, minlength=len(edges) + 1))])
    both = np.concatenate([[0], np.cumsum(np.bincount(bins, hits, minlength=len(edges) + 1))])
    first, last = np.triu_indices(len(size), 1)
    count = size[last] - size[first]
    score = _likelihood(both[last] - both[first], count, int(y.sum()), len(y))
    score = np.where(count >= min(LEAST_POINTS, len(values)), score, -np.inf)
    k = int(score.argmax())
    sides = np.concatenate([[-np.inf], edges, [np.inf]])
    return float(score[k]), j, float(sides[first[k]]), float(sides[last[k]])


def _move_sides(x: Floats, y: Bools, low: Floats, high: Floats, *, only_bounded: bool = False) -> tuple[Floats, Floats]:
    """Every side in turn to where the cases are told best, all others held, until nothing moves any more."""
    low, high = low.copy(), high.copy()
    now = _told(x, y, low, high)
    for _ in range(20):
        before = now
        for j in range(x.shape[1]):
            for upper in (False, True):
                side = high if upper else low
                if only_bounded and not np.isfinite(side[j]):
                    continue
                cut, value = _best_cut(x, y, low, high, j, upper)
                if value > now + 1e-12:
                    side[j], now = cut, value
        if now <= before + 1e-12:
            break
    return low, high


def _best_cut(x: Floats, y: Bools, low: Floats, high: Floats, j: int, upper: bool) -> tuple[float, float]:
    """The best place of one side of input ``j`` with its likelihood: half way between neighbouring points."""
    free_low, free_high = low.copy(), high.copy()
    (free_high if upper else free_low)[j] = np.inf if upper else -np.inf
    inside = _inside(x, free_low, free_high)
    values, hits = x[inside, j], y[inside]
    order = np.argsort(values if upper else -values, kind="stable")
    values, hits = values[order], hits[order]
    size = np.arange(1.0, len(hits) + 1)
    score = _likelihood(np.cumsum(hits), size, int(y.sum()), len(y))
    last = np.append(values[1:] != values[:-1], True)
    score = np.where(last & (size >= min(LEAST_POINTS, len(hits))), score, -np.inf)
    k = int(score.argmax())
    if k == len(values) - 1:
        return (np.inf if upper else -np.inf), float(score[k])
    return float((values[k] + values[k + 1]) / 2), float(score[k])


def _let_go(x: Floats, y: Bools, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Free the inputs whose bounds chance could explain, the least significant first (quasi p-values)."""
    low, high = low.copy(), high.copy()
    while True:
        bounded = np.flatnonzero(np.isfinite(low) | np.isfinite(high))
        tested = [(_by_chance(x, y, low, high, int(j)), int(j)) for j in bounded]
        if not tested or max(tested)[0] <= SIGNIFICANCE:
            return low, high
        j = max(tested)[1]
        low[j], high[j] = -np.inf, np.inf


def _by_chance(x: Floats, y: Bools, low: Floats, high: Floats, j: int) -> float:
    """How likely the box has so many cases if the bounds on input ``j`` picked points at random (binomial)."""
    free_low, free_high = low.copy(), high.copy()
    free_low[j], free_high[j] = -np.inf, np.inf
    wide, narrow = _inside(x, free_low, free_high), _inside(x, low, high)
    return float(stats.binom.sf(int(y[narrow].sum()) - 1, int(narrow.sum()), float(y[wide].mean())))


def jaccard(first: Sequence[bool] | Bools, second: Sequence[bool] | Bools) -> float:
    """Share of the union of two sets of points that lies in both; 1 where both are empty."""
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    union = int((a | b).sum())
    return float((a & b).sum() / union) if union else 1.0
