"""Enrolment of migrant children at counters and in service zones: queues with a seasonal peak (M109-M111, M114, M115).

Families apply all year for transfers and in a few weeks around the peak month for the first grades (PP69). An
application is handled online as one matter or at the counter of the county (M111); where the county has a service zone
in its enterprise service centre, employees bring theirs there (M110, M114), and what the zone can't settle at once
(M115) goes on to the county's counter. Counter and zone have clerks, and a queue each, first come, first served.

A week is the step: its applications arrive evenly, clerks work five days of it, what is left over waits. So waiting
follows from the work before one, exactly for work that flows. Zones are opened county by county, on any day of a year;
they are not queued for. Approvals and the rules of admission themselves are in :mod:`zjsim.models.programmes`.

The weeks begin on 1 January of the year of the as-of date: what waits then is the work in progress. Numbers of clerks
are no public figures; they follow from yearly applications (GP30). Outcomes are no targets of the plan: they say
whether what M111 and M115 promise can be kept at the peak.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from zjsim.models.process_tools import Floats, Horizon, Ints, ParameterSet, horizon, parameter_set, poisson_quantile

from zjsim.simulate.resources import Resource, counted, exported, months_between

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario
    from zjsim.simulate.inputs import UncertainInput, Values
    from zjsim.simulate.streams import Streams

Mask = NDArray[np.bool_]
PROCESS = "enrolment"

OUTCOMES: dict[str, tuple[str, str]] = {
    "enrolment_applications": ("flow", "applications"),
    "zone_applications": ("flow", "applications"),
    "service_zones": ("level", "counties"),
    "enrolment_peak_wait_days": ("level", "days"),
    "enrolment_on_time_share": ("level", "share"),
}

PEAK_MONTH, PEAK, ONLINE, ONLINE_MINUTES, COUNTER_MINUTES = "PP69", "GP26", "GP27", "GP28", "GP29"
CLERKS, PROMISED, OPENS, ZONE_CLERKS, TO_ZONE, AT_ONCE = "GP30", "GP31", "GP32", "GP33", "GP34", "GP35"
IDS = (
    PEAK_MONTH,
    PEAK,
    ONLINE,
    ONLINE_MINUTES,
    COUNTER_MINUTES,
    CLERKS,
    PROMISED,
    OPENS,
    ZONE_CLERKS,
    TO_ZONE,
    AT_ONCE,
)
DESK, ZONE = "enrolment_desk", "service_zones"

WEEK = 7.0
PEAK_WEEKS = 9
"""Weeks around the middle of the peak month; applications rise to it and fall after it evenly."""
CLERK_MINUTES = 5 * 7 * 60.0
"""Working minutes of a clerk in a week."""


@dataclass(frozen=True, slots=True)
class EnrolmentData:
    """Counties as (county code, city code), and applications a year by (year, county), of the year of the as-of date
    and all simulated ones."""

    horizon: Horizon
    parameters: ParameterSet
    counties: tuple[tuple[str, str], ...]
    applications: Floats

    @property
    def years(self) -> tuple[int, ...]:
        """The simulated years."""
        return self.horizon.years


def cities(data: EnrolmentData) -> tuple[str, ...]:
    """The cities by which outcomes are told, in order."""
    return tuple(sorted({city for _, city in data.counties}))


def resources(data: EnrolmentData) -> tuple[Resource, ...]:
    """Clerks' hours at the counters and in the service zones, by city."""
    return tuple(Resource(name, "clerk-hours", cities(data)) for name in (DESK, ZONE))


def uncertain_inputs(data: EnrolmentData) -> tuple[UncertainInput, ...]:
    """Every number of this process that no public document settles."""
    return data.parameters.uncertain()


def enrolment_data(scenario: Scenario, plan: Mapping[str, pd.DataFrame]) -> EnrolmentData:
    """Applications of migrant children by county and year (registry ``seat_demand``); a plan changes nothing here."""
    when = horizon(scenario.parameters.time)
    counties = scenario.table("counties").sort_values("county_code")
    demand = scenario.table("seat_demand").groupby(["year", "county_code"])["applicants"].sum().unstack(fill_value=0)
    demand = demand.reindex(columns=list(counties["county_code"]), fill_value=0).reindex(list(when.years)).ffill()
    registries = [scenario.table(name) for name in ("process_parameters", "programme_parameters")]
    return EnrolmentData(
        horizon=when,
        parameters=parameter_set(registries, IDS),
        counties=tuple(zip(counties["county_code"], counties["city_code"], strict=True)),
        applications=demand.fillna(0).to_numpy(dtype=np.float64),
    )


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of work by (week, county): work that came, was done, and waits at the end of the week (minutes)."""

    came: Floats
    done: Floats
    left: Floats
    capacity: Floats

    def waits(self) -> tuple[Floats, Floats]:
        """Days that work waits which comes at the beginning, and at the end of each week."""
        rate = np.maximum(self.capacity, 1e-9) / WEEK
        before = np.vstack([np.zeros((1, self.left.shape[1])), self.left[:-1]])
        return before / rate, self.left / rate


def simulate_enrolment(data: EnrolmentData, values: Values, streams: Streams) -> dict[str, Floats]:
    """One replication: :data:`OUTCOMES` by simulated year, and the use of both resources."""
    p, when = data.parameters, data.horizon
    begins = np.arange(when.year_start(when.years[0]), when.end, WEEK)
    came = applications(data, begins, values, streams)
    opened = zones_opened(data, values, streams)
    there = begins[:, None] >= opened
    at_zone = np.rint(came * p.value(TO_ZONE, values)) * there
    online = p.value(ONLINE, values)
    minutes = online * p.value(ONLINE_MINUTES, values) + (1 - online) * p.value(COUNTER_MINUTES, values)
    clerks = np.maximum(data.applications[0] * p.value(CLERKS, values) / 1000, 1.0) + values.get("more/clerks", 0.0)
    zone = queue(at_zone * minutes, (there * p.value(ZONE_CLERKS, values) * CLERK_MINUTES).astype(np.float64))
    at_once = p.value(AT_ONCE, values)
    at_desk = came - at_zone + zone.done / minutes * (1 - at_once)
    desk = queue(
        at_desk * minutes, np.repeat((clerks * CLERK_MINUTES)[None, :], len(begins), axis=0).astype(np.float64)
    )
    year = np.searchsorted(when.edges[1:-1], begins, side="right")
    month = np.array([_month(when, day) for day in begins])
    peak = np.abs(month - p.value(PEAK_MONTH, values)) <= 0.5
    inside = begins >= 0
    city_names = cities(data)
    city = np.array([city_names.index(c) for _, c in data.counties], dtype=np.int64)
    first, last = desk.waits()
    on_time = _within(first, last, p.value(PROMISED, values))
    found: dict[str, Floats] = {
        "service_zones": np.array([float((opened < end).sum()) for end in when.edges[1:]]),
        "enrolment_peak_wait_days": _mean((first + last) / 2, at_desk, peak & inside, year, len(when.years), 0.0),
        "enrolment_on_time_share": _mean(on_time, at_desk, inside, year, len(when.years), 1.0),
    }
    settled = {
        "enrolment_applications": (desk.done + zone.done * at_once) / minutes,
        "zone_applications": zone.done / minutes,
    }
    for name, number in settled.items():
        by_city = np.zeros((len(city_names), len(when.years)))
        np.add.at(by_city, (city[None, :], year[inside][:, None]), number[inside])
        found[name], found[f"by_city/{name}"] = by_city.sum(axis=0), by_city
    zones = np.zeros((len(city_names), len(when.years)))
    for y, end in enumerate(when.edges[1:]):
        np.add.at(zones[:, y], city, opened < end)
    found["by_city/service_zones"] = zones
    return found | _use(data, begins, city, (desk, zone), minutes)


def applications(data: EnrolmentData, begins: Floats, values: Values, streams: Streams) -> Floats:
    """Applications by (week, county): Poisson numbers, more of them in the weeks around the peak month (M111)."""
    p, when = data.parameters, data.horizon
    middle_month, share = p.value(PEAK_MONTH, values), p.value(PEAK, values)
    weeks = np.zeros((len(begins), len(data.counties)))
    year = np.searchsorted(when.edges[1:-1], begins, side="right")
    for y, number in enumerate(when.years):
        here = np.flatnonzero(year == y)
        start, end = when.year_start(number), when.year_start(number + 1)
        middle = start + (middle_month - 0.5) / 12 * (end - start)
        near = np.maximum(1 - np.abs(begins[here] + WEEK / 2 - middle) / (PEAK_WEEKS * WEEK / 2), 0.0)
        of_year = WEEK / (end - start) * (1 - share) + share * near / max(float(near.sum()), 1e-9)
        u = np.array([streams.uniforms(PROCESS, code, number, len(here), "applications") for code, _ in data.counties])
        weeks[here] = poisson_quantile(u.T, of_year[:, None] * data.applications[y])
    return weeks


def zones_opened(data: EnrolmentData, values: Values, streams: Streams) -> Floats:
    """The day on which each county opens its service zone (infinity: not within the horizon), M114."""
    opened = np.full(len(data.counties), np.inf)
    when, chance = data.horizon, data.parameters.value(OPENS, values)
    lengths = when.lengths_years()
    for y, year in enumerate(when.years):
        u = np.array([streams.uniforms(PROCESS, code, year, 2, "zone") for code, _ in data.counties])
        opens = np.isinf(opened) & (u[:, 0] < 1 - (1 - chance) ** lengths[y])
        day = when.edges[y] + u[:, 1] * (when.edges[y + 1] - when.edges[y])
        opened = np.where(opens, day, opened)
    return opened


def queue(came: Floats, capacity: Floats) -> Queue:
    """Work by (week, county) that clerks do in the order of its coming; what they can't do in a week waits."""
    surplus = np.cumsum(came - capacity, axis=0)
    left = surplus - np.minimum(np.minimum.accumulate(surplus, axis=0), 0.0)
    left = np.where(left < 1e-6, 0.0, left)
    before = np.vstack([np.zeros((1, left.shape[1])), left[:-1]])
    return Queue(came, before + came - left, left, np.asarray(capacity))


def _within(first: Floats, last: Floats, days: float) -> Floats:
    """Share of a week's work that waits at most ``days``, where waits go evenly from ``first`` to ``last``."""
    low, high = np.minimum(first, last), np.maximum(first, last)
    return np.asarray(np.clip((days - low) / np.maximum(high - low, 1e-9), 0.0, 1.0))


def _mean(figure: Floats, weight: Floats, wanted: Mask, year: Ints, years: int, otherwise: float) -> Floats:
    """The weighted mean over counties and the wanted weeks of each year."""
    found = np.full(years, otherwise)
    for y in range(years):
        here = wanted & (year == y)
        if weight[here].sum() > 0:
            found[y] = float((figure[here] * weight[here]).sum() / weight[here].sum())
    return found


def _month(when: Horizon, day: float) -> float:
    return float(date.fromordinal(when.first_day.toordinal() + int(day + WEEK / 2)).month)


def _use(
    data: EnrolmentData, begins: Floats, city: Ints, queues: tuple[Queue, Queue], minutes: float
) -> dict[str, Floats]:
    """What both resources export: hours of clerks, days that applications wait."""
    months = months_between(data.horizon.first_day, data.horizon.end)
    places = len(cities(data))
    found: dict[str, Floats] = {}
    for name, q in zip((DESK, ZONE), queues, strict=True):

        def by_month(number: Floats) -> Floats:
            day = np.broadcast_to(begins[:, None], number.shape)
            return counted(day, number, np.broadcast_to(city, number.shape), places, months)

        first, last = q.waits()
        found |= exported(
            name,
            months,
            {
                "capacity": by_month(q.capacity / 60),
                "used": by_month(q.done / 60),
                "waiting": by_month((first + last) / 2 * q.came / minutes),
                "served": by_month(q.done / minutes),
            },
        )
    return found
