"""Time-weighted statistics of resources: what was offered, used, waited for and lost, by place, month and year.

How a process exports them
--------------------------
* It declares its resources by a function ``resources(data) -> tuple[Resource, ...]``: an id, a unit, and the places
  (cities, institutions) in the order of the arrays.
* Among its outcomes it returns, for each resource, :func:`exported` ``(resource_id, months, measures)``: arrays by
  (place, month) for some of :data:`MEASURES`. They become outcomes ``use/<resource>/<measure>`` by (place, year), and
  ``use_monthly/<resource>/<measure>`` by month for all places together.
* :func:`read` hands them back by (replication, place, year); ``zjsim.models.resource_use`` makes the tables.

The numbers come either from a :class:`Meter`, which reads pools and accounts of the kernel as the months begin, or from
the days that a process notes of its entities, by :func:`spread` and :func:`counted`. Neither costs anything while
the simulation runs: a meter adds one event a month, and days are added up in arrays at the end. A measure that a
resource does not have is left out and reads as NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zjsim.simulate.kernel import Call, Simulation

Array = NDArray[np.float64]

MEASURES = ("capacity", "used", "waiting", "served", "left", "lost")
"""Units offered and used (in the resource's unit, such as hours or person-days); days that entities spent waiting; how
many got the resource, how many left without it, and the units of work that these would have taken."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of resource: ``capacity``, ``used`` and ``lost`` are in ``unit``; ``places`` are codes of places."""

    resource_id: str
    unit: str
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Months:
    """The months of a horizon: ``edges`` in days (one more than months), ``labels`` (``2025-01``), index of year."""

    edges: tuple[float, ...]
    labels: tuple[str, ...]
    year: tuple[int, ...]


def months_between(first_day: date, end: float) -> Months:
    """The months from day 0 (``first_day``) to day ``end``; the first and last may be parts of months."""
    edges, labels, year = [0.0], [], []
    day = first_day
    while edges[-1] < end:
        following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        labels.append(f"{day.year}-{day.month:02d}")
        year.append(day.year - first_day.year)
        edges.append(min(float((following - first_day).days), end))
        day = following
    return Months(tuple(edges), tuple(labels), tuple(year))


def day_of(first_day: date, days: float) -> date:
    """The date that lies ``days`` after the beginning of ``first_day``."""
    return first_day + timedelta(days=int(np.floor(days)))


def spread(start: ArrayLike, end: ArrayLike, weight: ArrayLike, place: ArrayLike, places: int, months: Months) -> Array:
    """∫ weight dt over the intervals ``start..end`` by (place, month); NaN and empty intervals count nothing.

    Parts outside the months are left out. An interval adds to the months it begins and ends in, and to a running sum of
    those between: the cost does not depend on the number of months.
    """
    edges = np.array(months.edges)
    a, b = np.clip(np.asarray(start, dtype=float), edges[0], edges[-1]), np.clip(end, edges[0], edges[-1])
    a, b, w, k = np.broadcast_arrays(a, b, np.asarray(weight, dtype=float), np.asarray(place))
    some = b > a
    a, b, w, k = a[some], b[some], w[some], k[some].astype(np.int64)
    n = len(months.labels)
    first = np.minimum(np.searchsorted(edges, a, side="right") - 1, n - 1)
    last = np.minimum(np.searchsorted(edges, b, side="right") - 1, n - 1)
    lengths, total = np.diff(edges), places * (n + 1)
    # Everything from the first month on, minus what lies before the start and after the end.
    level = np.bincount(k * (n + 1) + first, w, total) - np.bincount(k * (n + 1) + last + 1, w, total)
    found = np.cumsum(level.reshape(places, n + 1), axis=1)[:, :-1] * lengths
    cut = np.bincount(k * n + first, w * (a - edges[first]), places * n)
    cut += np.bincount(k * n + last, w * (edges[last + 1] - b), places * n)
    return np.asarray(found - cut.reshape(places, n), dtype=np.float64)


def counted(day: ArrayLike, weight: ArrayLike, place: ArrayLike, places: int, months: Months) -> Array:
    """Σ weight of what happens on ``day`` by (place, month); days outside the months and NaN are left out."""
    edges, n = np.array(months.edges), len(months.labels)
    d, w, k = np.broadcast_arrays(np.asarray(day, dtype=float), np.asarray(weight, dtype=float), np.asarray(place))
    within = (d >= edges[0]) & (d < edges[-1])
    month = np.searchsorted(edges, d[within], side="right") - 1
    found = np.bincount(k[within].astype(np.int64) * n + month, w[within], places * n)
    return np.asarray(found.reshape(places, n), dtype=np.float64)


class Metered(Protocol):
    """A pool or an account of the kernel."""

    served: int

    def capacity_time(self) -> float:
        """What was offered until now."""
        ...

    def busy_time(self) -> float:
        """What was used until now."""
        ...

    def waiting_time(self) -> float:
        """Entity-days of waiting until now."""
        ...


class Meter:
    """Reads pools and accounts, one per place, at the edges of the months while the simulation passes them."""

    def __init__(self, sim: Simulation, resources: Sequence[Metered], months: Months) -> None:
        self._resources = resources
        self._readings: list[list[tuple[float, ...]]] = []
        for edge in months.edges:
            sim.at(edge, self._read)

    def _read(self, _: Call) -> None:
        self._readings.append(
            [(r.capacity_time(), r.busy_time(), r.waiting_time(), float(r.served)) for r in self._resources]
        )

    def measures(self) -> dict[str, Array]:
        """``capacity``, ``used``, ``waiting`` and ``served`` by (place, month); the simulation has to be over."""
        change = np.diff(np.array(self._readings).reshape(len(self._readings), -1, 4), axis=0)
        return {name: change[:, :, i].T.copy() for i, name in enumerate(("capacity", "used", "waiting", "served"))}


def exported(resource_id: str, months: Months, measures: Mapping[str, Array]) -> dict[str, Array]:
    """Outcomes of a process for one resource from arrays by (place, month): by (place, year), and by month in all."""
    unknown = set(measures) - set(MEASURES)
    if unknown:
        raise ValueError(f"{resource_id}: {sorted(unknown)} are no measures of a resource, wanted some of {MEASURES}")
    first = np.flatnonzero(np.diff(months.year, prepend=-1))
    found = {}
    for name in sorted(measures):
        found[f"use/{resource_id}/{name}"] = np.add.reduceat(measures[name], first, axis=1)
        found[f"use_monthly/{resource_id}/{name}"] = measures[name].sum(axis=0)
    return found


def read(outcomes: Mapping[str, Array], resource_id: str, monthly: bool = False) -> dict[str, Array]:
    """Every measure of a resource by (replication, place, year), or by (replication, month); without it NaN."""
    key = f"{'use_monthly' if monthly else 'use'}/{resource_id}/"
    known = {name: outcomes[key + name] for name in MEASURES if key + name in outcomes}
    if not known:
        raise KeyError(f"the process exported nothing of {resource_id}")
    nothing = np.full_like(next(iter(known.values())), np.nan)
    return {name: known.get(name, nothing) for name in MEASURES}
