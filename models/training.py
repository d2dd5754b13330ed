"""Vocational training from registration to completion at ≈ 370 providers (M003/M067, M044, M060-M067, M070-M092).

How a class goes through these files:

1. ``training_classes``: people of a city register for a course type in a sector; when as many have come as it takes,
   the class has formed. A firm orders a class as a whole.
2. ``training_supply``: what each provider has: trainer hours (teachers' released share, adjuncts, dual-qualified
   ones), rooms in the daytime and in the evening, by month.
3. ``training_yard``: the class goes to the first provider on its list that has trainers and a room for it, or queues
   where it expects the shortest wait; who waits too long leaves; the class runs its weeks.
4. ``training_book``: what counts in which year under which reading, by provider, city and province.

Volume is what comes out; nothing that a target asks for goes in. The state at the as-of date is a back-cast: the months
before it are simulated from empty and are not counted. Patience is a matter of weeks, so six months are enough to
forget the empty start; within a year they reach back to January at least, because trainer hours of the year that are
not used yet remain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from math import fsum
from typing import Literal

import numpy as np
from zjsim.models.dated_levers import dated, phases
from zjsim.models.people import HOURS, QUOTA
from zjsim.models.process_tools import Ints
from zjsim.models.training_book import Book, Facts
from zjsim.models.training_classes import (
    PROCESS,
    PROVINCE,
    Array,
    Formed,
    Registrations,
    classes_of,
    demand_factor,
    form_classes,
    monthly_index,
)
from zjsim.models.training_data import Demand, TrainingData, training_data, uncertain_inputs
from zjsim.models.training_supply import City, Provider, dated_hours, dated_supply, ledger_hours, supply, wishes_of
from zjsim.models.training_use import TrainingUse, Watcher, levels_of, training_resources
from zjsim.models.training_yard import run_city

from zjsim.simulate.resources import Resource
from zjsim.simulate.streams import Streams

WARM_UP_MONTHS = 6

OUTCOMES: dict[str, tuple[Literal["flow", "level"], str]] = {
    "training_person_times_all": ("flow", "person-times"),
    "training_person_times_social": ("flow", "person-times"),
    "training_person_times_strict": ("flow", "person-times"),
    "training_person_hours": ("flow", "person-hours"),
    "mentors_trained": ("flow", "person-times"),
    "order_class_students": ("flow", "persons"),
    "training_registered": ("flow", "person-times"),
    "training_no_shows": ("flow", "person-times"),
    "training_completed": ("flow", "person-times"),
    "training_dropped": ("flow", "person-times"),
    "training_lost": ("flow", "person-times"),
    "training_waiting": ("level", "persons"),
    "training_in_class": ("level", "persons"),
    "training_classes_started": ("flow", "classes"),
    "training_mean_wait": ("flow", "days"),
    "trainer_hours_used": ("flow", "share of trainer hours"),
    "dual_hours_used": ("flow", "share of trainer hours"),
    "room_hours_used": ("flow", "share of free room hours"),
    "evening_hours_used": ("flow", "share of free room hours"),
}


def simulate_training(data: TrainingData, values: Mapping[str, float], streams: Streams) -> dict[str, Array]:
    """One future of all cities: the outcomes of :data:`OUTCOMES`, one value per year of ``data.years``."""
    use = TrainingUse(data.as_of, data.years, data.cities)
    book = training_book(data, values, streams, (use,))
    return book.outcomes() | book.parts() | use.outcomes() | controls(data, values, streams) | used(data, values, book)


def used(data: TrainingData, values: Mapping[str, float], book: Book) -> dict[str, Array]:
    """``people/training``: person-hours that teachers of the ledger taught, by (its institution, year).

    Adjuncts of the firms are in no ledger; what a provider taught is theirs first. Never more than is allotted.
    """
    if data.people is None:
        return {}
    values = {**{i.input_id: i.mode for i in data.inputs}, **values}
    modes = {i.input_id: i.mode for i in data.inputs}
    hours = np.concatenate(book.by_provider["trainer_hours"])
    offered = np.concatenate(book.by_provider["trainer_hours_offered"])
    found = np.zeros((len(data.people.institutions), len(data.years)))
    ledgers = [ledger_hours(data, own) for _, own in phases(values)]
    for (_, p), taught, there in zip(data.providers, hours, offered, strict=True):
        if p.institution >= 0:
            own, adjuncts = dated_hours(data, p, values, modes, ledgers)
            theirs = there * adjuncts / np.maximum(own + adjuncts, 1e-9)
            found[p.institution] += np.maximum(taught - theirs, 0.0)
    return {"people/training": found * data.people.parameters.value(HOURS, values) / values[QUOTA]}


def controls(data: TrainingData, values: Mapping[str, float], streams: Streams) -> dict[str, Array]:
    """``control/training_demand``: by how much demand of each year differs from its mean; exactly 0 in expectation.

    The mean over cities, by the registrations asked for there at the modes, of the year's factors, less one. As its
    expectation is known, a difference of means can be freed of it (:func:`zjsim.simulate.statistics.controlled`).
    """
    values = {**{i.input_id: i.mode for i in data.inputs}, **values}
    province = _year_factors(data, PROVINCE, values["TR21"], streams)
    total, weight = np.zeros(len(data.years)), 0.0
    for city, asked in zip(data.cities, data.base, strict=True):
        own = _year_factors(data, city.city_code, values["TR22"], streams)
        rates = (base * values[data.courses[k].rate_id] for k, _, base in asked)
        here = float(fsum(rates))
        total += here * np.array([own[y] * province[y] - 1.0 for y in data.years])
        weight += here
    return {"control/training_demand": total / max(weight, 1e-9)}


def cities(data: TrainingData) -> tuple[str, ...]:
    """The cities by which outcomes are told, in order."""
    return tuple(c.city_code for c in data.cities)


def resources(data: TrainingData) -> tuple[Resource, ...]:
    """Trainer hours and room hours of every kind of provider, by city."""
    return training_resources(data.cities)


def training_book(
    data: TrainingData, values: Mapping[str, float], streams: Streams, watchers: Sequence[Watcher] = ()
) -> Book:
    """The book of one future. Cities share the provincial year factors and nothing else.

    Every one of ``watchers`` is told what became of the classes of each city.
    """
    values = {**{i.input_id: i.mode for i in data.inputs}, **values}
    months = months_of(data)
    years = [(data.as_of + timedelta(days=day + 1)).year for day, _ in months[:-1]]
    edges = np.array([max(_day(data, date(y, 1, 1)), 0.0) for y in (*data.years, data.years[-1] + 1)])
    starts = [_day(data, date(y, m, 1)) for y in data.years for m in (1, 4, 7, 10)]
    book = Book(edges, np.array([0.0, *(s for s in starts if s > 0), edges[-1]]))
    facts = Facts.of(data.courses, values["TR20"])
    needs_dual = np.array([c.needs_dual for c in data.courses])
    ledgers = [ledger_hours(data, own) for _, own in phases(values)]
    inputs = {i.input_id: i for i in data.inputs}
    province = _year_factors(data, PROVINCE, values["TR21"], streams)
    for number, (city, asked) in enumerate(zip(data.cities, data.base, strict=True)):
        own = _year_factors(data, city.city_code, values["TR22"], streams)
        factors = {year: own[year] * province[year] for year in own}
        offer = dated_supply(data, city, values, months, years, ledgers)
        parts = demand_of(data, city, asked, factors, months, values, streams, book)
        if parts:
            classes = classes_of(parts, data.courses, inputs, values)
            wishes = wishes_of(city, classes, data.general)
            fate = run_city(city, offer, classes, needs_dual[classes.course], wishes, edges[-1])
            for watcher in watchers:
                watcher.enter(number, city, classes, fate, offer)
            book.enter(classes, fate, offer, city.providers, facts)
        else:
            book.idle(offer, city.providers)
        book.close_city()
    return book


def demand_of(
    data: TrainingData,
    city: City,
    asked: Sequence[Demand],
    factors: Mapping[int, float],
    months: list[tuple[float, int]],
    values: Mapping[str, float],
    streams: Streams,
    book: Book,
) -> list[Formed]:
    """The classes that form in ``city``, one entry per course type and sector; online learners go into the book.

    A year's registrations are base × rate (× share in scope). The part that learns online (M066) needs neither trainers
    nor rooms; the rest form classes.
    """
    inputs = {i.input_id: i for i in data.inputs}
    seasons = {i: monthly_index(np.array(v), values["TR23"]) / 12 for i, v in data.seasons}
    parts = []
    for k, sector, base in asked:
        course = data.courses[k]
        rate = base * values[course.rate_id] * (values[course.share_id] if course.share_id else 1.0)
        if rate <= 0:
            continue
        online = 1.0 if course.is_online else values[course.online_id] if course.online_id else 0.0
        season = seasons[course.season_id]
        name = f"{city.city_code}/{course.course_type_id}/{data.sectors[sector]}"
        here = np.full(len(months) - 1, online)
        if course.online_id and (lever := dated(values, course.online_id)) is not None:
            here[[day >= lever[0] for day, _ in months[:-1]]] = lever[1]
        if here.any():
            u = streams.uniforms(PROCESS, name, data.years[0], len(data.years), "online")
            coming = registrations(data, here * rate, factors, season, months)
            book.online(coming, course, u, values["PP16"], values["PP17"])
        if (here < 1).any():
            coming = registrations(data, (1 - here) * rate, factors, season, months)
            found = form_classes(course, (k, sector), name, coming, inputs, values, streams, data.years[0])
            book.forming(coming, found[1])
            parts.append(found[0])
    return parts


def registrations(
    data: TrainingData,
    per_year: float | Array,
    factors: Mapping[int, float],
    season: Array,
    months: list[tuple[float, int]],
) -> Registrations:
    """Expected registrations since the start of the back-cast, month by month.

    ``per_year`` persons (one number, or one per month) × the factor of the year × the month's share of the year
    (``season``, 12 values of sum 1).
    """
    days, year, month = _calendar(data.as_of, tuple(months))
    factor = np.array([factors.get(y, 0.0) for y in range(year[0], year[-1] + 1)])[year - year[0]]
    coming = per_year * factor * season[month - 1]
    return Registrations(days, np.concatenate([[0.0], np.cumsum(coming)]))


@lru_cache(maxsize=4)
def _calendar(as_of: date, months: tuple[tuple[float, int], ...]) -> tuple[Array, Ints, Ints]:
    """First days of ``months`` (the last is the end), and the calendar year and month of each but the last."""
    days = np.array([day for day, _ in months])
    year = np.array([(as_of + timedelta(days=day + 1)).year for day in days[:-1].tolist()])
    return days, year, np.array([month for _, month in months[:-1]])


def _year_factors(data: TrainingData, place: str, sigma: float, streams: Streams) -> dict[int, float]:
    """By how much a place's demand differs in each year, those of the back-cast included."""
    return {
        year: demand_factor(sigma, float(streams.uniforms(PROCESS, place, year, 1, "demand")[0]))
        for year in range(data.years[0] - 1, data.years[-1] + 1)
    }


def _day(data: TrainingData, day: date) -> float:
    """Days since midnight after the as-of date."""
    return float((day - data.as_of).days - 1)


def months_of(data: TrainingData) -> list[tuple[float, int]]:
    """(first day, calendar month) from the start of the back-cast; the last entry is the end of the last year."""
    begin = data.as_of + timedelta(days=1)
    first = begin.year * 12 + min(begin.month - 1 - WARM_UP_MONTHS, 0 if begin.month > 1 else -WARM_UP_MONTHS)
    firsts = [divmod(m, 12) for m in range(first, (data.years[-1] + 1) * 12 + 1)]
    return [(_day(data, date(year, month + 1, 1)), month + 1) for year, month in firsts]


__all__ = [
    "OUTCOMES",
    "City",
    "Provider",
    "TrainingData",
    "cities",
    "controls",
    "ledger_hours",
    "levels_of",
    "monthly_index",
    "months_of",
    "registrations",
    "resources",
    "simulate_training",
    "supply",
    "training_book",
    "training_data",
    "uncertain_inputs",
]
