"""Vocational training, second part: what every provider has to give, month by month (M060, M063, M065-M067, M070).

A provider (college, technician college, secondary school, or a campus that a plan opens) has two accounts of trainer
hours and rooms in two windows:

* *dual-qualified hours*: teachers who are dual-qualified, more of them year by year through the training bases (M070),
  and adjuncts from firms. Courses for skill levels, certificates and orders need them; other courses may use them.
* *general hours*: the other teachers.
* *daytime rooms*: few are free in term, most in the holidays; *evening rooms*: hours in evenings and at weekends, the
  same all year, more if evening windows are opened (M066).

Practice centres that a plan opens have rooms only: any provider of their city may use them. All of it is known before
the first day, so it is laid down here in arrays by month and provider; the simulation only reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from math import fsum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from zjsim.models.dated_levers import BEFORE, SINCE, days_of, phases
from zjsim.models.training_classes import PROCESS, Array, Classes

from zjsim.simulate.streams import Streams

if TYPE_CHECKING:
    from zjsim.models.training_data import TrainingData

WEEK_HOURS = 40.0
"""Class hours in a full week of a room in the daytime."""
WISHES = 3
"""How many providers a class would go to."""
RING_POINTS = 64
"""Points that a provider of usual size has on the ring of its city: shares of first wishes differ from those of the
teachers by an eighth or so."""

ANY = -1
"""In place of the index of a sector: any provider."""
USUAL_TEACHERS = 120.0
"""Teachers of a provider of usual size: a scale for the points on the ring, of no effect on shares."""

LEVELS = ("college", "technician_college", "secondary_school", "opened")
"""Kinds of provider; ``opened``: campuses and practice centres that a plan opens."""
COUNTY_SHARE = "LP17"
"""Share of a county trainer's quota for social training: needed where a plan opens campuses."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who trains: ``sectors`` are the indices of those it teaches (empty: any).

    ``teachers`` are full-time ones, ``students`` full-time students. Of what a plan opens, ``opens`` is the date from
    which its ``rooms`` and its locally hired ``trainers`` count; ``shared``: a practice centre, rooms for everybody.
    ``institution``: its index in the ledger of people, which then allots the hours of its teachers (-1: it is not there
    and its own teachers count).
    """

    provider_id: str
    level: str
    teachers: float = 0.0
    students: float = 0.0
    sectors: tuple[int, ...] = ()
    moe_code: str = ""
    opens: date | None = None
    rooms: float = 0.0
    trainers: float = 0.0
    shared: bool = False
    institution: int = -1


@dataclass(frozen=True, slots=True)
class City:
    """A city and its providers in order; those that a plan opens come last."""

    city_code: str
    providers: tuple[Provider, ...]


@dataclass(frozen=True, slots=True)
class Supply:
    """What a city offers from each month's first day on: arrays by (month, provider).

    ``general`` and ``dual``: trainer hours paid in; ``day`` and ``evening``: free room hours a week; a practice centre
    has its rooms here as well (nobody else's). ``days``: first day of each month; ``january``: whether a year begins.
    ``planned``: supplies of the same months that are reckoned with from a month on, where levers change it.
    """

    days: tuple[float, ...]
    january: tuple[bool, ...]
    general: Array
    dual: Array
    day: Array
    evening: Array
    planned: tuple[tuple[int, Supply], ...] = ()

    def usual(self) -> list[tuple[int, Array, Array]]:
        """From which month on so many trainer hours a month, general and dual, are reckoned with by provider."""
        stretches = self.planned or ((0, self),)
        return [(month, own.general.mean(axis=0), own.dual.mean(axis=0)) for month, own in stretches]


def teacher_hours(provider: Provider, values: Mapping[str, float], modes: Mapping[str, float]) -> float:
    """Class hours a year that the full-time teachers of ``provider`` give to social training (M065).

    teachers × quota (PP08) × released share (PP09), teachers moved with the provincial number (PP10). Those whom a plan
    hires in a county: trainers × quota × share for social training there (LP17).
    """
    if provider.opens:
        return provider.trainers * values["PP08"] * values.get(COUNTY_SHARE, 0.0)
    return provider.teachers * values["PP08"] * values["PP09"] * values["PP10"] / modes["PP10"]


def yearly_hours(
    provider: Provider,
    years: tuple[int, ...],
    values: Mapping[str, float],
    modes: Mapping[str, float],
    ledger: Array | None = None,
) -> tuple[Array, float]:
    """Hours by simulated year of the full-time teachers, and the hours of adjuncts a year (the same in all).

    ``ledger``: class hours a year by (institution, year), for providers that are in the ledger of people (M071, M028).
    Only colleges have adjuncts, PP11 of them with TR16 hours each; they are the firms' people and in no ledger.
    """
    hours = np.full(len(years), teacher_hours(provider, values, modes))
    if provider.institution >= 0 and ledger is not None:
        hours = ledger[provider.institution]
    adjuncts = values["PP11"] * values["TR16"] if provider.level == "college" else 0.0
    return hours, adjuncts


def ledger_hours(data: TrainingData, values: Mapping[str, float]) -> Array | None:
    """Class hours that the ledger of people allots to training, as hours of a whole year, by (institution, year).

    A year that is simulated in part has the ledger's hours of that part; they are paid in by the trainers' index of its
    months, so that no year gives more than it is allotted. None: the data has no ledger.
    """
    if data.people is None:
        return None
    first = data.as_of + timedelta(days=1)
    months = [range(first.month if year == first.year else 1, 13) for year in data.years]
    parts = np.array([fsum(data.trainer_index[m - 1] for m in those) / 12 for those in months])
    return np.asarray(data.people.class_hours(values) / parts)


def dual_share(values: Mapping[str, float], year: int, first_year: int, as_of: date | None = None) -> float:
    """Share of teachers who are dual-qualified in ``year``: TR31 before the plan, TR32 more a year by the bases (M070).

    At most one. The year before the first simulated one has TR31 itself. Where a lever moves TR32, years that began
    before its day have grown at the former rate (days are counted from ``as_of``).
    """
    grown = max(year - first_year + 1, 0)
    share = values["TR31"] + values["TR32"] * grown
    if BEFORE + "TR32" in values and as_of is not None:
        begins = [(date(y, 1, 1) - as_of).days - 1 for y in range(first_year, year + 1)]
        share += (values[BEFORE + "TR32"] - values["TR32"]) * sum(day < values[SINCE + "TR32"] for day in begins)
    return float(np.clip(share, 0.0, 1.0))


def window_hours(values: Mapping[str, float], is_holiday: bool) -> tuple[float, float]:
    """Free hours a week of one room: daytime, evenings and weekends (M066).

    Of the week's 40 hours the share PP14 is free in term, TR27 of it in evenings and at weekends. In the holidays TR25
    times as much is free in all, and all of the rest is in the daytime. TR28 times the evening hours are opened.
    """
    in_term = WEEK_HOURS * min(1.0, values["PP14"])
    evening = in_term * values["TR27"]
    in_all = WEEK_HOURS * min(1.0, values["PP14"] * values["TR25"]) if is_holiday else in_term
    return max(in_all - evening, 0.0), evening * values["TR28"]


def supply(
    data: TrainingData,
    city: City,
    values: Mapping[str, float],
    months: list[tuple[float, int]],
    years: list[int],
    ledger: Array | None = None,
) -> Supply:
    """What ``city`` offers in each of ``months`` (first day, calendar month; the last is the end), in ``years``.

    ``ledger``: that of :func:`ledger_hours`.
    What a plan opens counts from the month of its open date. For marginal values a city has ``more/trainers/<level>``
    trainers (full teaching hours), ``more/rooms/<level>`` and ``more/evening_rooms/<level>`` rooms (40 hours a week)
    more at its providers of a level, in proportion to teachers and students.
    """
    modes = {i.input_id: i.mode for i in data.inputs}
    providers = city.providers
    first = data.years[0]
    own = [yearly_hours(p, data.years, values, modes, ledger) for p in providers]
    hours, adjuncts = np.array([h for h, _ in own]).T, np.array([a for _, a in own])
    hours = hours + values["PP08"] * _more(values, "trainers", providers, "teachers")
    rooms = np.array([values["TR24"] * p.students / 100 if p.opens is None else p.rooms for p in providers])
    more_day, more_evening = (WEEK_HOURS * _more(values, k, providers, "students") for k in ("rooms", "evening_rooms"))
    since = np.array([-np.inf if p.opens is None else float((p.opens - data.as_of).days - 1) for p in providers])
    shape = (len(months) - 1, len(providers))
    general, dual, day, evening = (np.zeros(shape) for _ in range(4))
    for m, ((start, month), year) in enumerate(zip(months[:-1], years, strict=False)):
        here = since <= start
        share = dual_share(values, year, first, data.as_of)
        paid = data.trainer_index[month - 1] / 12 * here
        teachers = hours[min(max(year - first, 0), len(data.years) - 1)]
        general[m], dual[m] = (1 - share) * teachers * paid, (share * teachers + adjuncts) * paid
        free = window_hours(values, month in data.holiday_months)
        day[m], evening[m] = (free[0] * rooms + more_day) * here, (free[1] * rooms + more_evening) * here
    begins = tuple(month == 1 for _, month in months[:-1])
    return Supply(tuple(d for d, _ in months[:-1]), begins, general, dual, day, evening)


def dated_supply(
    data: TrainingData,
    city: City,
    values: Mapping[str, float],
    months: list[tuple[float, int]],
    years: list[int],
    ledgers: Sequence[Array | None],
) -> Supply:
    """:func:`supply` where levers act from a day on: every month is that of the phase in force on its first day.

    ``ledgers``: that of :func:`ledger_hours` in every phase of ``values``.
    """
    (_, first), *later = phases(values)
    found = supply(data, city, first, months, years, ledgers[0])
    days, planned = np.array(found.days)[:, None], [(0, found)]
    for (day, own), ledger in zip(later, ledgers[1:], strict=True):
        then = supply(data, city, own, months, years, ledger)
        fields = ("general", "dual", "day", "evening")
        found = replace(found, **{f: np.where(days >= day, getattr(then, f), getattr(found, f)) for f in fields})
        planned.append((int(np.searchsorted(days[:, 0], day)), then))
    return replace(found, planned=tuple(planned)) if later else found


def dated_hours(
    data: TrainingData,
    provider: Provider,
    values: Mapping[str, float],
    modes: Mapping[str, float],
    ledgers: Sequence[Array | None],
) -> tuple[Array, Array]:
    """:func:`yearly_hours` by simulated year, teachers' and adjuncts', phases weighted by their days in the year."""
    stretches = phases(values)
    starts = [max(float((date(y, 1, 1) - data.as_of).days - 1), 0.0) for y in (*data.years, data.years[-1] + 1)]
    own = adjuncts = np.zeros(len(data.years))
    for (_, there), ledger, days in zip(stretches, ledgers, days_of(stretches, np.array(starts)), strict=True):
        hours, more = yearly_hours(provider, data.years, there, modes, ledger)
        weight = days / np.diff(starts)
        own, adjuncts = own + weight * hours, adjuncts + weight * more
    return own, adjuncts


def _more(values: Mapping[str, float], what: str, providers: tuple[Provider, ...], by: str) -> Array:
    """``more/<what>/<level>`` shared out over the providers of each level in proportion to teachers or students."""
    size = np.array([getattr(p, by) for p in providers], dtype=np.float64)
    more = np.zeros(len(providers))
    for level in LEVELS:
        if step := values.get(f"more/{what}/{level}", 0.0):
            own = np.array([p.level == level and p.opens is None for p in providers])
            more += step * own * size / max(float(size[own].sum()), 1e-9)
    return more


@dataclass(frozen=True, slots=True)
class Ring:
    """Providers of a city around a circle: a class at ``wish`` goes to those that come next.

    ``position`` rises in 0..1; ``providers[k]`` are the first :data:`WISHES` different providers from point k on
    (the last repeated where there are fewer).
    """

    position: Array
    providers: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Wishes:
    """Where classes would go: class i to the providers ``lists[of[i]]``, the first wish first."""

    of: NDArray[np.int64]
    lists: Sequence[tuple[int, ...]]


def wishes_of(city: City, classes: Classes, general: tuple[int, ...]) -> Wishes:
    """The list of every class; one without a sector (``general``), or whose sector nobody teaches, may go to anyone."""
    of, lists = np.zeros(len(classes.wish), dtype=np.int64), list[tuple[int, ...]]()
    for sector in np.unique(classes.sector).tolist():
        here = classes.sector == sector
        found = ring(city, ANY if sector in general else sector) or ring(city, ANY)
        if found is not None:
            of[here] = len(lists) + np.searchsorted(found.position, classes.wish[here]) % len(found.position)
            lists += found.providers
    return Wishes(of, lists or [()])


@cache
def ring(city: City, sector: int) -> Ring | None:
    """The ring of the providers of ``city`` that teach ``sector`` (all of them for :data:`ANY`); None without any.

    A provider has points in proportion to its teachers, each at a place of its own draws. So a provider more takes the
    classes just before its points, and every other class keeps its wishes: paired runs with and without it share all
    the rest.
    """
    may = [
        k
        for k, p in enumerate(city.providers)
        if not p.shared and (sector == ANY or not p.sectors or sector in p.sectors)
    ]
    if not may:
        return None
    places, owner = [], []
    for k in may:
        p = city.providers[k]
        points = max(4, round((p.teachers or p.trainers) / USUAL_TEACHERS * RING_POINTS))
        places.append(Streams(0, 0).uniforms(PROCESS, p.provider_id, "ring", points))
        owner.append(np.full(points, k))
    position, who = np.concatenate(places), np.concatenate(owner)
    order = np.lexsort((who, position))
    position, who = position[order], who[order]
    following = list(dict.fromkeys(who.tolist()))
    found: list[tuple[int, ...]] = []
    for mine in reversed(who.tolist()):  # the next different ones from this point on: its own, then the next point's
        following.remove(mine)
        following.insert(0, mine)
        found.append(tuple((following * WISHES)[:WISHES]))
    return Ring(position, tuple(reversed(found)))
