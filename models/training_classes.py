"""Vocational training, first part: how registrations form classes (M003/M067, M044, M060-M066, M074, M079, M092).

Registrations of a city for a course type in a sector come at a rate that follows the months of the year. As soon as as
many have come as the class takes, the class is formed; who comes later waits for the next one. An order class (M044) is
asked for by a firm as a whole: nobody waits for it to fill, and its hours are spread over a term. All numbers of a
city, course type and sector come from one array of draws, one row per class in the order of forming, so a longer
horizon, another city, provider or course type leaves them unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from zjsim.simulate.inputs import SMALLEST_U, UncertainInput, mean, sample
from zjsim.simulate.streams import Streams

Array = NDArray[np.float64]

PROCESS = "training"
PROVINCE = "330000"
DAYS_PER_WEEK = 7.0
HOUR_BANDS = ((0.6, 8.0, 16.0), (0.3, 24.0, 40.0), (0.1, 48.0, 80.0))
"""The other shape that course hours may have (facts of PP03): share of courses, from, to; uniform within a band."""

EVENING_WEEK_HOURS = 31.0
"""Most class hours a week of a class that meets in evenings and at weekends: five evenings of three, two days of eight
(assumption)."""

_DRAWS = 11


@dataclass(frozen=True, slots=True)
class CourseType:
    """One kind of course: who asks for it, how big and long its classes are, and which readings count it."""

    course_type_id: str
    rate_id: str
    share_id: str
    size_id: str
    hours_id: str
    has_hour_bands: bool
    is_online: bool
    counts_all: bool
    counts_social: bool
    labour_overlap: bool
    trains_mentors: bool = False
    needs_dual: bool = False
    is_order: bool = False
    evening_id: str = ""
    online_id: str = ""
    season_id: str = ""
    """``needs_dual``: only dual-qualified trainers may teach it; ``is_order``: ordered by a firm as a whole; ids of the
    share of classes that meet in evenings, of the share taught online, of the monthly index of registrations."""


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of one city in the order of their forming; every field has one entry per class.

    ``formed`` in days since the as-of date; ``hours`` class hours; ``week_hours`` class hours a week; ``days`` from
    the first to the last class hour; ``patience`` days until the registered leave; persons are whole numbers:
    ``size`` registered, ``participants`` of them come, ``completed`` of these stay to the end. ``course`` is the
    index of the course type, ``sector`` that of the sector. An ``evening`` class needs rooms in evenings and at
    weekends. ``wish`` is a uniform number: which providers its people would go to.
    """

    course: NDArray[np.int64]
    sector: NDArray[np.int64]
    formed: Array
    hours: Array
    week_hours: Array
    days: Array
    patience: Array
    size: Array
    participants: Array
    completed: Array
    evening: NDArray[np.bool_]
    wish: Array


@dataclass(frozen=True, slots=True)
class Formed:
    """Classes of one city, course type and sector as they form: indices of both, day, persons registered, and the
    draws by (class, draw), which tell all the rest (:func:`classes_of`)."""

    course: int
    sector: int
    formed: Array
    size: Array
    u: Array


@dataclass(frozen=True, slots=True)
class Registrations:
    """Expected registrations of one city and course type, cumulated: ``total[k]`` have come by day ``day[k]``."""

    day: Array
    total: Array

    def when(self, count: Array) -> Array:
        """The day by which ``count`` registrations are expected."""
        return np.interp(count, self.total, self.day)

    def by(self, day: float) -> float:
        """How many are expected by ``day``."""
        return float(np.interp(day, self.day, self.total))


def monthly_index(index: Array, strength: float) -> Array:
    """The monthly index (12 values, mean 1) with its swing multiplied by ``strength``; never below 0.05, mean 1."""
    swung = np.maximum(1 + strength * (index - 1), 0.05)
    return np.asarray(swung * 12 / swung.sum(), dtype=np.float64)


def demand_factor(sigma: float, u: float) -> float:
    """A factor of mean 1 by which a year's demand differs: lognormal with σ ``sigma`` at the uniform number ``u``."""
    return float(np.exp(sigma * special.ndtri(max(u, SMALLEST_U)) - sigma**2 / 2))


def form_classes(
    course: CourseType,
    places: tuple[int, int],
    entity: str,
    registrations: Registrations,
    inputs: Mapping[str, UncertainInput],
    values: Mapping[str, float],
    streams: Streams,
    year: int,
) -> tuple[Formed, Array]:
    """The classes of one city, course type and sector that form by the end of ``registrations``, and who is left over.

    ``places``: indices of the course type and of the sector; ``entity`` names the stream. Registrations are a Poisson
    process in the time scale of the expected count, so the count at which the k-th class is full is a sum of gamma
    numbers with the class sizes as shapes (Wilson and Hilferty's cube-root form, off by less than 0.3 % within three
    standard deviations). Orders (M044) are a Poisson process of whole classes. Left over: for each of the days
    ``registrations.day``, persons registered for a class that is not full yet (none of an order).
    """
    size_of = inputs[course.size_id]
    total = float(registrations.total[-1])
    usual = mean(size_of, values[course.size_id])
    spread = np.sqrt(total / usual) if course.is_order else np.sqrt(total) / usual
    n = int(1.05 * total / usual + 8 * spread + 10)
    u = np.maximum(streams.generator(PROCESS, entity, year).random((n, _DRAWS)), SMALLEST_U)
    size = np.maximum(np.rint(sample(size_of, values[course.size_id], u[:, 0])), 1.0)
    full_at = np.cumsum(-usual * np.log(u[:, 1]) if course.is_order else _gamma(size, u[:, 1]))
    left_over = np.zeros(len(registrations.day))
    if not course.is_order:
        left_over = _left_over(registrations.total, full_at, size)
    k = int(np.searchsorted(full_at, total, side="right"))
    return Formed(places[0], places[1], registrations.when(full_at[:k]), size[:k], u[:k]), left_over


def classes_of(
    parts: Sequence[Formed],
    courses: Sequence[CourseType],
    inputs: Mapping[str, UncertainInput],
    values: Mapping[str, float],
) -> Classes:
    """Everything else that the draws of a city's classes say of them; ordered by the day of forming (ties: by part).

    ``parts`` name their course type by its index into ``courses``. All classes of a city are worked out at once: that
    is what makes it cheap.
    """
    many = [len(part.formed) for part in parts]
    formed = np.concatenate([part.formed for part in parts])
    order = np.argsort(formed, kind="stable")
    u = np.ascontiguousarray(np.concatenate([part.u for part in parts])[order].T)
    course, sector = (np.repeat([getattr(p, f) for p in parts], many)[order] for f in ("course", "sector"))
    size = np.concatenate([part.size for part in parts])[order]
    hours, in_evenings = np.empty(len(order)), np.zeros(len(courses))
    a_week = sample(inputs["TR17"], values["TR17"], u[4])
    for k in sorted({part.course for part in parts}):
        kind, here = courses[k], np.flatnonzero(course == k)
        hours[here] = _whole_hours(kind, inputs, values, u[2, here], u[3, here])
        in_evenings[k] = values[kind.evening_id] if kind.evening_id else 0.0
        if kind.is_order:
            a_week[here] = hours[here] / values["TR35"]
    evening = u[9] < in_evenings[course]
    week_hours = np.minimum(np.where(evening, np.minimum(a_week, EVENING_WEEK_HOURS), a_week), hours)
    no_show = sample(inputs["PP16"], values["PP16"], u[6])
    stay = sample(inputs["PP17"], values["PP17"], u[7])
    participants = np.minimum(np.floor(size * (1 - no_show) + u[8]), size)
    return Classes(
        course=course,
        sector=sector,
        formed=formed[order],
        hours=hours,
        week_hours=week_hours,
        days=DAYS_PER_WEEK * hours / week_hours,
        patience=DAYS_PER_WEEK * sample(inputs["TR18"], values["TR18"], u[5]),
        size=size,
        participants=participants,
        completed=np.minimum(np.floor(participants * stay + (1 - u[8])), participants),
        evening=evening,
        wish=u[10],
    )


def _whole_hours(
    course: CourseType, inputs: Mapping[str, UncertainInput], values: Mapping[str, float], u: Array, which: Array
) -> Array:
    """Class hours of classes of ``course``, whole and at least one; a share TR19 has the other shape, where it may."""
    source = inputs[course.hours_id]
    hours = course_hours(source, values[course.hours_id], u)
    if course.has_hour_bands:
        banded = which < values["TR19"]
        hours[banded] = banded_hours(u[banded]) * (values[course.hours_id] / source.mode)
    return np.maximum(np.rint(hours), 1.0)


def course_hours(source: UncertainInput, value: float, u: Array) -> Array:
    """Class hours of courses at the uniform numbers ``u``: the declared shape, its centre moved to ``value``."""
    return sample(source, value, u)


def banded_hours(u: Array) -> Array:
    """Class hours in three bands (:data:`HOUR_BANDS`) at the uniform numbers ``u``: longer courses at higher ``u``."""
    shares = np.cumsum([0.0, *(b[0] for b in HOUR_BANDS)])
    knots = np.repeat(shares, 2)[1:-1]
    edges = np.array([edge for band in HOUR_BANDS for edge in band[1:]])
    return np.asarray(np.interp(u, knots, edges), dtype=np.float64)


def _gamma(shape: Array, u: Array) -> Array:
    """Gamma numbers of mean ``shape`` by the cube-root approximation to the normal."""
    return np.asarray(
        shape * np.maximum(1 - 1 / (9 * shape) + special.ndtri(u) / (3 * np.sqrt(shape)), 0.0) ** 3, dtype=np.float64
    )


def _left_over(counts: Array, full_at: Array, size: Array) -> Array:
    """Persons registered for the class that is not full yet, at each expected count in ``counts``."""
    k = np.minimum(np.searchsorted(full_at, counts, side="right"), len(size) - 1)
    before = np.concatenate([[0.0], full_at])[k]
    share = np.clip((counts - before) / np.maximum(full_at[k] - before, 1e-12), 0.0, 1.0)
    return np.asarray(np.floor(share * size[k] * (1 - 1e-9)), dtype=np.float64)
