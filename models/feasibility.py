"""From simulated outcomes to a statement on a target: is it met, how sure is that, what does it depend on.

Every target is reduced to one number per replication, its *margin*: how far the deciding figure lies above what is
asked. The target is met in that future if the margin is not negative. Simulation error is the exact interval of the
share of futures that meet it; input uncertainty is the range of that share over the design points of the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zjsim.simulate.inputs import UncertainInput
from zjsim.simulate.statistics import clopper_pearson, rank_correlation

Array = NDArray[np.float64]
Verdict = Literal["met", "not met", "undecided", "depends on"]

TOLERANCE = 1e-9
"""Shares that are 1 or unchanged up to rounding count as 1 or unchanged."""

OWN_MARGIN_FROM = 20
"""Replications at a point from which on they tell its critical margin by themselves."""

DECIDING_FIGURE = {
    "cumulative": "sum",
    "per_year": "lowest_year",
    "stock": "at_deadline",
    "cumulative_with_stock": "at_deadline",
    "coverage": "at_deadline",
}
"""Period of a target → the figure that is compared with its bound."""


@dataclass(frozen=True, slots=True)
class Target:
    """One reading of a target. ``first_year`` and ``last_year`` are the calendar years of start and deadline;
    ``baseline`` (NaN: none is public) is the level before the first year."""

    target_id: str
    reading: str
    comparator: Literal[">=", "not_falling"]
    bound: float
    period: str
    first_year: int
    last_year: int
    baseline: float
    outcome: str


def deciding_figure(target: Target, values: Array, years: Sequence[int]) -> Array:
    """The figure that decides, one per replication; ``values`` is the outcome by (replication, year).

    cumulative: the sum from start to deadline; per_year: the lowest year; stock, coverage, cumulative_with_stock: the
    level at the end of the deadline's year; not falling: the smallest change from one year to the next, the first one
    against the public baseline where there is one. Raises ``ValueError`` if a year is neither simulated nor known.
    """
    wanted = list(range(target.first_year, target.last_year + 1))
    missing = [y for y in wanted if y not in years]
    if missing:
        raise ValueError(f"{target.target_id}/{target.reading}: years {missing} are not simulated")
    part = values[:, [list(years).index(y) for y in wanted]]
    if np.isnan(part[:, -1:] if _only_the_end(target) else part).any():
        raise ValueError(
            f"{target.target_id}/{target.reading}: {target.outcome} lacks actual values before the as-of date"
        )
    if target.comparator == "not_falling":
        if not np.isnan(target.baseline):
            part = np.column_stack([np.full(len(part), target.baseline), part])
        return np.asarray(np.diff(part, axis=1).min(axis=1), dtype=np.float64)
    figure = DECIDING_FIGURE[target.period]
    if figure == "sum":
        return np.asarray(part.sum(axis=1), dtype=np.float64)
    return np.asarray(part.min(axis=1) if figure == "lowest_year" else part[:, -1], dtype=np.float64)


def _only_the_end(target: Target) -> bool:
    return target.comparator != "not_falling" and DECIDING_FIGURE[target.period] == "at_deadline"


def margins(target: Target, values: Array, years: Sequence[int]) -> Array:
    """The deciding figure minus what is asked, one per replication; not negative means met (rounding forgiven)."""
    asked = 0.0 if target.comparator == "not_falling" else target.bound
    margin = deciding_figure(target, values, years) - asked
    return np.where(np.abs(margin) <= TOLERANCE * max(1.0, abs(asked)), 0.0, margin)


def share_met(margin: Array) -> float:
    """Share of replications that meet the target."""
    return float(np.mean(margin >= 0))


def probability(margin: Array, confidence: float = 0.95) -> tuple[float, float, float]:
    """p_meet with its exact interval."""
    met = int(np.sum(margin >= 0))
    return met / len(margin), *clopper_pearson(met, len(margin), confidence)


def verdict(p_low: float, p_high: float, p_worst: float, p_best: float, p_required: float) -> Verdict:
    """What can be said: an input decides (p_worst < p_required <= p_best), else met, not met, or not decided yet."""
    if p_worst < p_required <= p_best:
        return "depends on"
    if p_low >= p_required:
        return "met"
    return "not met" if p_high < p_required else "undecided"


def critical_margin(margin: Array, p_required: float) -> float:
    """The margin that a share ``p_required`` of the replications reach: not negative exactly if p_meet is as high."""
    spare = int(np.floor((1 - p_required) * len(margin) + 1e-9))
    return float(np.sort(margin)[min(spare, len(margin) - 1)])


def margin_at(there: Array, base: Array, p_required: float) -> float:
    """The critical margin at another point from its replications ``there``, the first ones of ``base`` done over.

    With enough of them it is their own; with few it is that of the base moved by the mean paired difference.
    """
    if len(there) >= OWN_MARGIN_FROM:
        return critical_margin(there, p_required)
    return critical_margin(base, p_required) + float(np.mean(there - base[: len(there)]))


def share_met_at(there: Array, base: Array) -> float:
    """p_meet at another point from its replications ``there``, the first ones of ``base`` done over.

    With enough of them it is the share that meets the target; with few, the share of the base replications that
    would, each moved by the mean paired difference: the same random numbers were used, so a few pairs tell the move
    well while they could only say 0, 1/2 or 1 of the share itself. A share at its ceiling (margin zero) moves no
    further: there the few replications count as they are.
    """
    if len(there) >= OWN_MARGIN_FROM or not there.max() or not base.max():
        return share_met(there)
    return share_met(base + float(np.mean(there - base[: len(there)])))


@dataclass(frozen=True, slots=True)
class Effect:
    """What moving one input alone to the ends of its range does to the critical margin of a target.

    The margin at an end is that of :func:`margin_at`, on the random numbers of the base. ``break_even`` is
    where a straight line from the base to the end crosses zero (NaN if neither end flips the target); ``distance`` is
    how far that is from the base, as a share of the range.
    """

    input_id: str
    at_base: float
    at_low: float
    at_high: float
    break_even: float
    distance: float


def effect(source: UncertainInput, at_base: float, at_low: float, at_high: float) -> Effect:
    """The effect of ``source`` from the critical margins at its mode, low and high (see :class:`Effect`).

    A base margin of exactly zero belongs to a share that cannot rise above what is asked; it says nothing on the
    distance, so half way to the end is taken until it is looked at more closely.
    """
    best = (np.nan, np.inf)
    for end, margin in ((source.low, at_low), (source.high, at_high)):
        if (margin >= 0) != (at_base >= 0):
            share = at_base / (at_base - margin) if at_base else 0.5
            distance = share * abs(end - source.mode) / (source.high - source.low)
            if distance < best[1]:
                best = (source.mode + share * (end - source.mode), distance)
    return Effect(source.input_id, at_base, at_low, at_high, *best)


def ranked(effects: Sequence[Effect]) -> list[Effect]:
    """Inputs that flip the target alone, nearest break-even first; then the others by the size of their effect."""
    return sorted(effects, key=lambda e: (e.distance, -abs(e.at_high - e.at_low), e.input_id))


def correlations(points: Sequence[dict[str, float]], mean_margins: Array) -> list[tuple[str, float]]:
    """(input, rank correlation with the margin) over design points, strongest first; ties by id."""
    if not points:
        return []
    found = [(i, rank_correlation(np.array([p[i] for p in points]), mean_margins)) for i in sorted(points[0])]
    return sorted(found, key=lambda f: (-abs(f[1]), f[0]))
