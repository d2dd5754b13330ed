"""Technology vice-presidents and technical mentors (M031): which posts are held, from when to when, by whose teachers.

Posts are decided, not drawn: their pace is so many a year per hundred little giants of a city (SP16), one after another
through the year, each for its term (PP29). A city's posts go round the institutions that serve it, by their teams there
(steps of the golden ratio over their shares, so that any stretch of posts is split as the teams are). An institution
holds no more posts at a time than the time that it releases to enterprises bears; what would be more stays vacant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
from zjsim.models.process_tools import DAYS_PER_YEAR, Floats, Horizon, Ints

GOLDEN = (5.0**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Appointments:
    """Appointments held at some time of the horizon, by city and day of beginning (arrays of equal length).

    ``begin`` and ``end`` are days (a post held on day 0 begins before it), ``city`` and ``institution`` indices;
    ``vacant``: how many more the pace of appointments would have filled.
    """

    begin: Floats
    end: Floats
    city: Ints
    institution: Ints
    vacant: int = 0


def appointments(
    horizon: Horizon,
    pace: Sequence[float],
    term: float,
    area_of: Sequence[Sequence[int]],
    weight_of: Sequence[Sequence[float]],
    most: Ints,
    later: tuple[float, Sequence[float]] | None = None,
) -> Appointments:
    """The posts of every city (M031): ``pace`` appointments a year for ``term`` days each.

    ``area_of`` and ``weight_of``: institutions that serve a city and their teams there; ``most``: posts that each
    institution can hold at a time; ``later``: a day and the paces from then on.
    """
    first = horizon.year_start(horizon.years[0] - int(np.ceil(term / DAYS_PER_YEAR)))
    parts = []
    for city, (yearly, area, weights) in enumerate(zip(pace, area_of, weight_of, strict=True)):
        total = float(fsum(weights))
        number, begin = _filled(horizon, first, yearly)
        if later is not None:
            further, then = _filled(horizon, first, later[1][city])
            early, late = begin < later[0], then >= later[0]
            number, begin = np.concatenate([number[early], further[late]]), np.concatenate([begin[early], then[late]])
        if total <= 0 or not len(begin):
            continue
        share = np.cumsum(np.array(weights)) / total
        whose = np.minimum(np.searchsorted(share, (number + 1) * GOLDEN % 1, side="right"), len(share) - 1)
        here = (begin + term > 0) & (begin < horizon.end)
        institution = np.array(area, dtype=np.int64)[whose[here]]
        parts.append((begin[here], np.full(int(here.sum()), city), institution))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Appointments(np.zeros(0), np.zeros(0), none, none)
    days: Floats = np.concatenate([p[0] for p in parts])
    where, whom = np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts])
    kept = _held(days, whom, term, most)
    return Appointments(days[kept], days[kept] + term, where[kept], whom[kept], int((~kept).sum()))


def _filled(horizon: Horizon, first: float, yearly: float) -> tuple[Ints, Floats]:
    """Numbers and days of the posts of a city at ``yearly`` a year from day ``first`` on, evenly spread."""
    if yearly <= 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    number = np.arange(int((horizon.end - first) / DAYS_PER_YEAR * yearly + 0.5), dtype=np.int64)
    return number, np.asarray(first + (number + 0.5) / yearly * DAYS_PER_YEAR, dtype=np.float64)


def _held(begin: Floats, institution: Ints, term: float, most: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which posts are filled: in the order of their beginning, as long as the institution holds fewer than ``most``."""
    kept = np.ones(len(begin), dtype=bool)
    order = np.lexsort((begin, institution))
    for k in np.unique(institution).tolist():
        own = order[slice(*np.searchsorted(institution[order], [k, k + 1]))]
        limit, days = int(most[k]), begin[own]
        if limit <= 0:
            kept[own] = False
        elif len(own) > limit and (days[limit:] - days[:-limit] < term).any():
            ends: list[float] = []
            for n, day in zip(own.tolist(), days.tolist(), strict=True):
                ends = [e for e in ends if e > day]
                kept[n] = len(ends) < limit
                if kept[n]:
                    ends.append(day + term)
    return kept
