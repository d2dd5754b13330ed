"""Vocational training from registration to completion, city by city (M003/M067, M060-M066, M074, M079, M092).

A class that has formed needs trainer hours and a room. Trainer hours are an account per city: teachers × teaching
quota × share released to social training, plus the hours of adjunct trainers, paid in month by month; what is not
used in a calendar year is lost. Rooms are the weekly hours that training rooms stand free: few in term, more in the
holidays. Who waits too long for them leaves. Volume is what comes out; nothing that a target asks for goes in.

The state at the as-of date is a back-cast: the months before it are simulated from empty and are not counted.
Patience is a matter of weeks, so six months are enough to forget the empty start; within a year they reach back to
January at least, because trainer hours of the year that are not used yet remain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd
from zjsim.models.location_effects import TrainingPlaces, training_places
from zjsim.models.process_tools import horizon
from zjsim.models.training_book import Book, Capacity
from zjsim.models.training_classes import (
    PROCESS,
    PROVINCE,
    Array,
    Classes,
    CourseType,
    Registrations,
    demand_factor,
    form_classes,
    join,
    monthly_index,
)
from zjsim.models.training_use import TrainingUse, Watcher, training_resources

from zjsim.simulate.inputs import UncertainInput, from_row
from zjsim.simulate.kernel import Account, Call, Pool, Simulation, Steps
from zjsim.simulate.resources import Resource
from zjsim.simulate.streams import Streams

WARM_UP_MONTHS = 6
WEEK_HOURS = 40.0
"""Class hours in a full week of a room."""
PUBLIC = ("official", "press")

PARAMETERS = ("PP08", "PP09", "PP10", "PP11", "PP14", "PP16", "PP17")
"""Process parameters of capacity and attendance; those of the course types come with them."""
OWN_PARAMETERS = ("TR16", "TR17", "TR18", "TR19", "TR20", "TR21", "TR22", "TR23", "TR24", "TR25")
COUNTY_SHARE = "LP17"
"""Share of a county trainer's quota for social training: needed where a plan opens campuses."""
MONTHS_INDEX = "PP15"
SHAPES = {"calendar": "triangular", "monthly_index": "triangular"}

OUTCOMES: dict[str, tuple[Literal["flow", "level"], str]] = {
    "training_person_times_all": ("flow", "person-times"),
    "training_person_times_social": ("flow", "person-times"),
    "training_person_times_strict": ("flow", "person-times"),
    "training_person_hours": ("flow", "person-hours"),
    "mentors_trained": ("flow", "person-times"),
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
    "room_hours_used": ("flow", "share of free room hours"),
}


@dataclass(frozen=True, slots=True)
class City:
    """A city's providers: persons and institutions; teachers of technician colleges stand apart.

    ``opened`` is what a location plan adds: open date, rooms, trainers.
    """

    city_code: str
    teachers: float
    technician_teachers: float
    colleges: int
    students: float
    opened: tuple[TrainingPlaces, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingData:
    """All that the training process needs; ``base[c][k]`` is what the rate of course type k applies to in city c."""

    as_of: date
    years: tuple[int, ...]
    cities: tuple[City, ...]
    courses: tuple[CourseType, ...]
    base: tuple[tuple[float, ...], ...]
    inputs: tuple[UncertainInput, ...]
    enrolment_index: tuple[float, ...]
    trainer_index: tuple[float, ...]
    holiday_months: tuple[int, ...]


def training_data(scenario: Any, plan: Mapping[str, pd.DataFrame]) -> TrainingData:
    """The data of the training process from the registries, and what the location plans open (M049, M060)."""
    providers, types = scenario.table("training_providers"), scenario.table("course_types")
    demand, calendar = scenario.table("training_demand"), scenario.table("training_calendar")
    base = {(r.city_code, r.course_type_id): float(r.base) for r in demand.itertuples()}
    courses = tuple(_course_type(r) for r in types.sort_values("course_type_id").itertuples())
    opened = training_places(scenario, plan)
    cities = tuple(_city(code, rows, opened) for code, rows in providers.groupby("city_code", sort=True))
    needed = {*PARAMETERS, *OWN_PARAMETERS} | ({COUNTY_SHARE} if "campus_plan" in plan else set())
    needed |= {i for c in courses for i in (c.rate_id, c.share_id, c.size_id, c.hours_id) if i}
    rows = [*_rows(scenario.table("process_parameters")), *_rows(scenario.table("training_parameters"))]
    rows += _rows(scenario.table("location_parameters")) if COUNTY_SHARE in needed else []
    found = {r["parameter_id"]: r for r in rows if r["parameter_id"] in needed}
    index = scenario.table("monthly_indices")
    time = scenario.parameters.time
    return TrainingData(
        as_of=time.as_of,
        years=horizon(time).years,
        cities=cities,
        courses=courses,
        base=tuple(tuple(base.get((c.city_code, k.course_type_id), 0.0) for k in courses) for c in cities),
        inputs=tuple(_input(found[i]) for i in sorted(needed)),
        enrolment_index=tuple(float(v) for v in index[index["index_id"] == MONTHS_INDEX].sort_values("month")["value"]),
        trainer_index=tuple(float(v) for v in calendar.sort_values("month")["trainer_index"]),
        holiday_months=tuple(int(m) for m in sorted(calendar.loc[calendar["is_holiday"], "month"])),
    )


MENTORS = "M074"
"""A course type of this measure trains entrepreneurship mentors, whatever the readings of the training target count."""


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _input(row: dict[str, Any]) -> UncertainInput:
    return from_row(row, distribution=SHAPES.get(row["distribution"], row["distribution"]))


def _course_type(row: Any) -> CourseType:
    return CourseType(
        course_type_id=row.course_type_id,
        rate_id=row.rate_parameter_id,
        share_id=row.share_parameter_id,
        size_id=row.size_parameter_id,
        hours_id=row.hours_parameter_id,
        has_hour_bands=bool(row.has_hour_bands),
        is_online=bool(row.is_online),
        counts_all=bool(row.counts_all),
        counts_social=bool(row.counts_social),
        labour_overlap=bool(row.labour_overlap),
        trains_mentors=MENTORS in row.measures.split(";"),
    )


def _city(code: Any, rows: pd.DataFrame, opened: Mapping[str, tuple[TrainingPlaces, ...]]) -> City:
    technician = rows["level"] == "technician_college"
    return City(
        city_code=str(code),
        teachers=float(rows.loc[~technician, "full_time_teachers"].sum()),
        technician_teachers=float(rows.loc[technician, "full_time_teachers"].sum()),
        colleges=int((rows["level"] == "college").sum()),
        students=float(rows["full_time_students"].sum()),
        opened=opened.get(str(code), ()),
    )


def uncertain_inputs(data: TrainingData) -> tuple[UncertainInput, ...]:
    """Every input of the process that no public document settles."""
    return tuple(i for i in data.inputs if i.basis not in PUBLIC)


def trainer_hours_per_year(data: TrainingData, city: City, values: Mapping[str, float]) -> tuple[float, float]:
    """Class hours that ``city`` can give to social training in a year, and the part of it in technician colleges.

    teachers × quota × released share, teachers moved with the provincial number (PP10), plus adjuncts of the colleges ×
    hours of an adjunct. Releasing teachers (M065) is what a planner can decide; here it is an uncertainty. For a
    marginal value every city has ``more/trainers`` further trainers, with all their teaching hours.
    """
    growth = values["PP10"] / next(i.mode for i in data.inputs if i.input_id == "PP10")
    per_teacher = values["PP08"] * values["PP09"] * growth
    technician = city.technician_teachers * per_teacher
    more = values.get("more/trainers", 0.0) * values["PP08"]
    own = city.teachers * per_teacher + technician + city.colleges * values["PP11"] * values["TR16"]
    return own + more, technician


class Yard:
    """What the classes of a city share: the account of trainer hours and the free hours of rooms (per week).

    What a location plan opens counts from the month of its open date: rooms × 40 class hours a week, trainers × quota
    (PP08, class hours a year) × share for social training in counties (LP17).
    """

    def __init__(self, sim: Simulation, data: TrainingData, city: City, values: Mapping[str, float]) -> None:
        self.sim, self.data, self.values = sim, data, values
        self.hours_per_year, self.technician_hours = trainer_hours_per_year(data, city, values)
        self.room_week_hours = WEEK_HOURS * values["TR24"] * city.students / 100
        self.opened_from = [(_day(data, day), rooms, trainers) for day, rooms, trainers in city.opened]
        self.trainer_hours = Account(sim)
        self.room_hours = Pool(sim, 0.0)
        self.paid_in: list[tuple[float, float]] = []
        self.opened: list[tuple[float, float]] = []

    def open_month(self, call: Call) -> None:
        """Set the free room hours, pay in the month's trainer hours (in January the old year's rest is lost first)."""
        month = call.argument
        free = self.values["PP14"]
        if month in self.data.holiday_months:
            free = min(1.0, free * self.values["TR25"])
        before = self.opened[-1][1] if self.opened else 0.0
        rooms = sum(rooms for day, rooms, _ in self.opened_from if day <= self.sim.now)
        more_hours = self.values.get("more/rooms", 0.0) * WEEK_HOURS
        self.opened.append((self.sim.now, free * (self.room_week_hours + WEEK_HOURS * rooms) + more_hours))
        self.room_hours.resize(self.opened[-1][1] - before)
        if month == 1:
            self.trainer_hours.expire()
        trainers = sum(trainers for day, _, trainers in self.opened_from if day <= self.sim.now)
        more = trainers * self.values["PP08"] * self.values[COUNTY_SHARE] if trainers else 0.0
        hours = (self.hours_per_year + more) * self.data.trainer_index[month - 1] / 12
        self.paid_in.append((self.sim.now, hours))
        self.trainer_hours.refill(hours)

    def capacity(self) -> Capacity:
        """What the city has offered so far."""
        share = self.technician_hours / self.hours_per_year if self.hours_per_year else 0.0
        return Capacity(tuple(self.paid_in), tuple(self.opened), share)


class Log:
    """Of each class: the day it was given trainer hours, and the day it started (NaN: never)."""

    def __init__(self, classes: int) -> None:
        self.trainers, self.started = [np.nan] * classes, [np.nan] * classes


def course_class(
    sim: Simulation, yard: Yard, hours: float, week_hours: float, days: float, expires: float, log: Log, i: int
) -> Steps:
    """A class from its forming to its last hour; the days it got trainers and started go into ``log`` (NaN: never)."""
    yield yard.trainer_hours, hours
    log.trainers[i] = sim.now
    if sim.now > expires:  # those registered have left: the hours are free again
        yard.trainer_hours.give_back(hours)
        return
    yield yard.room_hours, week_hours
    if sim.now > expires:
        yard.room_hours.release(week_hours)
        yard.trainer_hours.give_back(hours)
        return
    log.started[i] = sim.now
    yield days
    yard.room_hours.release(week_hours)


def run_city(
    data: TrainingData,
    city: City,
    values: Mapping[str, float],
    classes: Classes,
    months: list[tuple[float, int]],
    log: Log | None = None,
) -> tuple[Array, Capacity]:
    """Simulate a city until the last of ``months`` (day, calendar month); the start day of every class (NaN: none).

    ``log`` takes what happened to every class, if it is wanted.
    """
    sim = Simulation(months[0][0])
    yard = Yard(sim, data, city, values)
    for day, month in months[:-1]:
        sim.at(day, yard.open_month, month)
    log = log or Log(len(classes.formed))
    formed, hours, days = classes.formed.tolist(), classes.hours.tolist(), classes.days.tolist()
    week_hours, expires = classes.week_hours.tolist(), (classes.formed + classes.patience).tolist()

    def arrivals() -> Steps:
        for i, day in enumerate(formed):
            yield max(day - sim.now, 0.0)
            sim.start(course_class(sim, yard, hours[i], week_hours[i], days[i], expires[i], log, i))

    sim.start(arrivals())
    sim.run(months[-1][0])
    return np.array(log.started), yard.capacity()


def simulate_training(data: TrainingData, values: Mapping[str, float], streams: Streams) -> dict[str, Array]:
    """One future of all cities: the outcomes of :data:`OUTCOMES`, one value per year of ``data.years``."""
    use = TrainingUse(data.as_of, data.years, len(data.cities))
    book = training_book(data, values, streams, (use,))
    return book.outcomes() | book.parts() | use.outcomes()


def cities(data: TrainingData) -> tuple[str, ...]:
    """The cities by which outcomes are told, in order."""
    return tuple(c.city_code for c in data.cities)


def resources(data: TrainingData) -> tuple[Resource, ...]:
    """Trainer hours and room hours, by city."""
    return training_resources(tuple(c.city_code for c in data.cities))


def training_book(
    data: TrainingData, values: Mapping[str, float], streams: Streams, watchers: Sequence[Watcher] = ()
) -> Book:
    """The book of one future. Cities share the provincial year factors and nothing else.

    Every one of ``watchers`` is told what became of the classes of each city.
    """
    values = {**{i.input_id: i.mode for i in data.inputs}, **values}
    inputs = {i.input_id: i for i in data.inputs}
    months = _months(data)
    edges = np.array([max(_day(data, date(y, 1, 1)), 0.0) for y in (*data.years, data.years[-1] + 1)])
    starts = [_day(data, date(y, m, 1)) for y in data.years for m in (1, 4, 7, 10)]
    book = Book(edges, np.array([0.0, *(s for s in starts if s > 0), edges[-1]]))
    province = _year_factors(data, PROVINCE, values["TR21"], streams)
    for city, bases in zip(data.cities, data.base, strict=True):
        own = _year_factors(data, city.city_code, values["TR22"], streams)
        factors = {year: own[year] * province[year] for year in own}
        parts = []
        for k, (course, base) in enumerate(zip(data.courses, bases, strict=True)):
            rate = base * values[course.rate_id] * (values[course.share_id] if course.share_id else 1.0)
            if rate <= 0:
                continue
            coming = registrations(data, rate, factors, values["TR23"], months)
            if course.is_online:
                name = f"{city.city_code}/{course.course_type_id}"
                u = streams.uniforms(PROCESS, name, data.years[0], len(data.years))
                book.online(coming, course, u, values["PP16"], values["PP17"])
                continue
            classes, left_over = form_classes(course, k, city.city_code, coming, inputs, values, streams, data.years[0])
            book.forming(coming, left_over)
            parts.append(classes)
        if parts:
            classes = join(parts)
            log = Log(len(classes.formed))
            started, capacity = run_city(data, city, values, classes, months, log)
            for watcher in watchers:
                watcher.enter(data.cities.index(city), classes, np.array(log.trainers), started, capacity)
            book.enter(classes, started, capacity, data.courses, values["TR20"])
        book.close_city()
    return book


def registrations(
    data: TrainingData, per_year: float, factors: Mapping[int, float], season: float, months: list[tuple[float, int]]
) -> Registrations:
    """Expected registrations since the start of the back-cast, month by month.

    ``per_year`` persons × the factor of the year × the month's share of the year (PP15, swing times ``season``).
    """
    index = monthly_index(np.array(data.enrolment_index), season) / 12
    total = [0.0]
    for day, month in months[:-1]:
        factor = factors[(data.as_of + timedelta(days=day + 1)).year]
        total.append(total[-1] + per_year * factor * float(index[month - 1]))
    return Registrations(np.array([day for day, _ in months]), np.array(total))


def _year_factors(data: TrainingData, place: str, sigma: float, streams: Streams) -> dict[int, float]:
    """By how much a place's demand differs in each year, those of the back-cast included."""
    return {
        year: demand_factor(sigma, float(streams.uniforms(PROCESS, place, year, 1, "demand")[0]))
        for year in range(data.years[0] - 1, data.years[-1] + 1)
    }


def _day(data: TrainingData, day: date) -> float:
    """Days since midnight after the as-of date."""
    return float((day - data.as_of).days - 1)


def _months(data: TrainingData) -> list[tuple[float, int]]:
    """(first day, calendar month) from the start of the back-cast; the last entry is the end of the last year."""
    begin = data.as_of + timedelta(days=1)
    first = begin.year * 12 + min(begin.month - 1 - WARM_UP_MONTHS, 0 if begin.month > 1 else -WARM_UP_MONTHS)
    firsts = [divmod(m, 12) for m in range(first, (data.years[-1] + 1) * 12 + 1)]
    return [(_day(data, date(year, month + 1, 1)), month + 1) for year, month in firsts]
