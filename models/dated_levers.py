"""Levers that act from a day on: their keys among the values of a replication, and what holds in which stretch of days.

A lever is a number of a process that a planner moves after the as-of date. Among the values ``later/<id>`` is what it
is moved to and ``since/<id>`` the day (from the first simulated one, never before it) from which that holds; the number
of the base point holds before. A process asks for :func:`phases` and joins what it makes of each; without levers there
is one phase, and nothing differs from before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from zjsim.models.process_tools import Floats

if TYPE_CHECKING:
    from zjsim.simulate.inputs import Values

LATER, SINCE, BEFORE = "later/", "since/", "before/"
OFFICERS_SCALE = "transfer_staff"
"""Factor on the officers of every transfer office (column of the registry ``patents``): the one lever that is no
parameter."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a lever moves: the process that reads it, and the outcomes there that it can move (empty: all)."""

    process: str
    outcomes: tuple[str, ...] = ()


_TRAINING, _SERVICE = Reach("training"), Reach("enterprise_service")
_SILK_ROAD = Reach("programmes", ("silk_road_opened", "silk_road_operating", "silk_road_ever_opened"))
_SOLD = ("patents_transferred", "patents_transferred_or_trialled", "result_contracts")

REACHES: Mapping[str, tuple[Reach, ...]] = {
    "PP09": (_TRAINING, _SERVICE),
    "PP11": (_TRAINING,),
    "PP14": (_TRAINING,),
    "TR28": (_TRAINING,),
    "TR32": (_TRAINING,),
    "TR36": (_TRAINING,),
    "PE02": (_TRAINING, _SERVICE),
    "PE06": (_TRAINING,),
    "SP03": (_TRAINING, _SERVICE),
    "SP04": (_TRAINING, _SERVICE),
    "SP16": (_SERVICE,),
    "PP59": (_SILK_ROAD,),
    "PP60": (_SILK_ROAD,),
    OFFICERS_SCALE: (Reach("patent_transfer", _SOLD),),
}
"""Numbers that a process can change from a day on, by id (``transfer_staff``: a factor on the registry's officers)."""


SET_UP_TIMES = ("PP59",)
"""Levers that are the months from the start of a project to its opening."""


def moved(lever: str, value: float, day: float) -> dict[str, float]:
    """The entries that move ``lever`` to ``value`` from ``day`` on; ``ValueError`` for a day before the first."""
    if day < 0:
        raise ValueError(f"{lever}: a lever acts after the as-of date, not on day {day}")
    return {LATER + lever: value, SINCE + lever: day}


def dated(values: Values, lever: str) -> tuple[float, float] | None:
    """Day and value of a lever that is moved (None: it is not)."""
    return (values[SINCE + lever], values[LATER + lever]) if LATER + lever in values else None


def phases(values: Values) -> list[tuple[float, Values]]:
    """Stretches of days, each with its first day (-infinity: from ever) and the values that hold in it.

    In a phase a lever in force has its new value under its own id; ``before/<id>`` (NaN: that of the base point) and
    ``since/<id>`` say what held before and until when.
    """
    levers = sorted(k.removeprefix(LATER) for k in values if k.startswith(LATER))
    if not levers:
        return [(-inf, values)]
    plain = {k: v for k, v in values.items() if not k.startswith((LATER, SINCE))}
    found: list[tuple[float, Values]] = [(-inf, plain)]
    for day in sorted({values[SINCE + i] for i in levers}):
        own = dict(plain)
        for i in levers:
            if values[SINCE + i] <= day:
                own |= {i: values[LATER + i], SINCE + i: values[SINCE + i], BEFORE + i: plain.get(i, np.nan)}
        found.append((day, own))
    return found


def days_of(stretches: Sequence[tuple[float, Values]], edges: Floats) -> list[Floats]:
    """Days of each year (between ``edges``) that lie in each phase; a single phase has the years' whole length."""
    if len(stretches) == 1:
        return [np.diff(edges)]
    firsts = [day for day, _ in stretches] + [inf]
    return [np.maximum(np.minimum(edges[1:], b) - np.maximum(edges[:-1], a), 0.0) for a, b in pairwise(firsts)]


def added_up(values: Values, edges: Floats, rate: Callable[[Values], Floats]) -> Floats:
    """``rate`` (by entity, in the phase's values) × days, by (entity, year), over all phases."""
    stretches = phases(values)
    parts = [np.outer(rate(own), days) for (_, own), days in zip(stretches, days_of(stretches, edges), strict=True)]
    return np.asarray(sum(parts[1:], parts[0]))
