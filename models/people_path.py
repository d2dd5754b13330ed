"""Full-time equivalents of institutions over the days of a horizon: steps, integrals, and what is left ahead."""

from __future__ import annotations

import numpy as np
from zjsim.models.process_tools import Floats, Ints

Steps = tuple[Floats, Ints, Floats]
"""Days, institutions (index), FTE added (or taken, below 0): arrays of equal length."""

NOTHING: Steps = (np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0))


def minus(steps: Steps) -> Steps:
    """The same steps the other way."""
    return steps[0], steps[1], -steps[2]


def joined(*parts: Steps) -> Steps:
    """All steps of ``parts``, by institution and day; those of one day stay in the order of the parts."""
    day, institution, fte = (np.concatenate([p[n] for p in parts]) for n in range(3))
    order = np.lexsort((day, institution))
    return day[order], institution[order].astype(np.int64), fte[order]


def by_year(steps: Steps, institutions: int, edges: Floats) -> Floats:
    """FTE × days by (institution, year): a step counts from its day to the end of the horizon.

    ``edges``: beginnings of the years and the end, in days. Steps before the first edge count from there.
    """
    day, institution, fte = steps
    lengths = np.clip(edges[1:] - np.maximum(day[:, None], edges[:-1]), 0.0, np.diff(edges))
    found = np.zeros((institutions, len(edges) - 1))
    np.add.at(found, institution, fte[:, None] * lengths)
    return found


def least(steps: Steps, institutions: int, end: float) -> Floats:
    """The lowest FTE of each institution from day 0 on; steps before it are taken at once, those at the end not."""
    level, institution = _levels(steps, institutions, end)
    found = np.full(institutions, np.inf)
    np.minimum.at(found, institution, level)
    return found


def rising(steps: Steps, institutions: int, end: float) -> Steps:
    """The highest path that never falls and never lies above ``steps``: at any time their minimum from then on.

    One step on day 0 for every institution, further ones upwards. Below 0 it is 0.
    """
    day, institution, _ = _by_day(steps, institutions, end)
    level, _ = _levels(steps, institutions, end)
    ahead = np.empty(len(level))
    for k in range(institutions):
        at = slice(*np.searchsorted(institution, [k, k + 1]))
        ahead[at] = np.minimum.accumulate(level[at][::-1])[::-1]
    ahead = np.maximum(ahead, 0.0)
    first = np.r_[True, institution[1:] != institution[:-1]]
    gain = np.where(first, ahead, np.diff(ahead, prepend=0.0))
    some = first | (gain > 0)
    return day[some], institution[some], gain[some]


def changed_at(before: Steps, after: Steps, when: float, institutions: int) -> Steps:
    """The path ``before`` up to day ``when``, from then on that of ``after``: one step to its level that day."""
    earlier, later = before[0] < when, after[0] > when
    level: Floats = np.bincount(after[1][~later], after[2][~later], institutions).astype(np.float64)
    level -= np.bincount(before[1][earlier], before[2][earlier], institutions)
    jump: Steps = (np.full(institutions, when), np.arange(institutions, dtype=np.int64), level)
    return joined(
        (before[0][earlier], before[1][earlier], before[2][earlier]),
        jump,
        (after[0][later], after[1][later], after[2][later]),
    )


def _by_day(steps: Steps, institutions: int, end: float) -> Steps:
    """One step per institution and day, the first on day 0 (0 FTE if need be), none at or after ``end``."""
    zero = (np.zeros(institutions), np.arange(institutions), np.zeros(institutions))
    day, institution, fte = joined(zero, (np.maximum(steps[0], 0.0), steps[1], steps[2]))
    here = day < end
    day, institution, fte = day[here], institution[here], fte[here]
    new = np.r_[True, (institution[1:] != institution[:-1]) | (day[1:] != day[:-1])]
    return day[new], institution[new], np.add.reduceat(fte, np.flatnonzero(new))


def _levels(steps: Steps, institutions: int, end: float) -> tuple[Floats, Ints]:
    """FTE after every step of :func:`_by_day`, and whose."""
    _, institution, fte = _by_day(steps, institutions, end)
    total = np.cumsum(fte)
    start = np.searchsorted(institution, np.arange(institutions))
    before = np.where(start > 0, total[start - 1], 0.0)
    return total - before[institution], institution
