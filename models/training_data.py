"""What the training process is made of: providers by city, course types, sectors, demand, months (M003-M092)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from zjsim.models.location_effects import training_openings
from zjsim.models.people import TRAINING_IDS, People, people_data
from zjsim.models.process_tools import horizon, records, require_input
from zjsim.models.training_classes import CourseType
from zjsim.models.training_supply import COUNTY_SHARE, City, Provider

from zjsim.simulate.inputs import UncertainInput, from_row
from zjsim.tables.schema import PUBLIC_BASES

if TYPE_CHECKING:
    import pandas as pd

PARAMETERS = ("PP08", "PP09", "PP10", "PP11", "PP14", "PP16", "PP17")
"""Process parameters of capacity and attendance; those of the course types come with them."""
OWN_PARAMETERS = (
    *("TR16", "TR17", "TR18", "TR19", "TR20", "TR21", "TR22", "TR23", "TR24", "TR25"),
    *("TR27", "TR28", "TR31", "TR32", "TR35"),
)
MONTHS_INDEX = "PP15"
SHAPES = {"calendar": "triangular", "monthly_index": "triangular"}
MENTORS = "M074"
"""A course type of this measure trains entrepreneurship mentors, whatever the readings of the training target count."""

Demand = tuple[int, int, float]
"""Index of the course type, index of the sector, base: what the rate of registration applies to."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """All that the training process needs.

    ``base[c]``: what is asked for in city c; ``sectors``: ids, and ``general`` the indices of those that any provider
    teaches; ``seasons``: monthly indices of registrations (12 values each) by id; ``trainer_index``: 12 values of mean
    1 by which the year's trainer hours are paid in; ``holiday_months``: 1..12; ``people``: the ledger that allots the
    hours of providers that are institutions of it (None: all providers have their own teachers' hours).
    """

    as_of: date
    years: tuple[int, ...]
    cities: tuple[City, ...]
    courses: tuple[CourseType, ...]
    sectors: tuple[str, ...]
    general: tuple[int, ...]
    base: tuple[tuple[Demand, ...], ...]
    inputs: tuple[UncertainInput, ...]
    seasons: tuple[tuple[str, tuple[float, ...]], ...]
    trainer_index: tuple[float, ...]
    holiday_months: tuple[int, ...]
    people: People | None = None

    @property
    def providers(self) -> tuple[tuple[str, Provider], ...]:
        """City code and provider, in the order of all arrays by provider."""
        return tuple((c.city_code, p) for c in self.cities for p in c.providers)


def training_data(scenario: Any, plan: Mapping[str, pd.DataFrame]) -> TrainingData:
    """The data of the training process from the registries, and what the location plans open (M049, M060)."""
    types = scenario.table("course_types").sort_values("course_type_id", ignore_index=True)
    courses = tuple(_course_type(r) for r in records(types))
    sectors = scenario.table("training_sectors").sort_values("sector_id", ignore_index=True)
    ids = tuple(str(s) for s in sectors["sector_id"])
    time = scenario.parameters.time
    people = people_data(scenario, plan)
    cities = _cities(scenario, plan, ids, people)
    course_of = {c.course_type_id: k for k, c in enumerate(courses)}
    asked: dict[str, list[Demand]] = {c.city_code: [] for c in cities}
    for r in records(scenario.table("training_demand")):
        line = (course_of[r["course_type_id"]], ids.index(r["sector_id"]), float(r["base"]))
        asked.setdefault(r["city_code"], []).append(line)
    needed = {*PARAMETERS, *OWN_PARAMETERS} | ({COUNTY_SHARE} if "campus_plan" in plan else set())
    needed |= {i for c in courses for i in _parameters_of(c) if i}
    names = ("process_parameters", "training_parameters", "location_parameters")
    found = {r["parameter_id"]: r for name in names for r in records(scenario.table(name))}
    index, calendar = scenario.table("monthly_indices"), scenario.table("training_calendar").sort_values("month")
    seasons = sorted({MONTHS_INDEX, *(c.season_id for c in courses if c.season_id)})
    return TrainingData(
        as_of=time.as_of,
        years=horizon(time).years,
        cities=cities,
        courses=courses,
        sectors=ids,
        general=tuple(int(k) for k in sectors.index[sectors["any_provider"]]),
        base=tuple(tuple(sorted(asked[c.city_code])) for c in cities),
        inputs=(*(_input(found[i]) for i in sorted(needed)), *(people.parameters.inputs[i] for i in TRAINING_IDS)),
        seasons=tuple((i, _months_of(index, i)) for i in seasons),
        trainer_index=tuple(float(v) for v in calendar["trainer_index"]),
        holiday_months=tuple(int(m) for m in sorted(calendar.loc[calendar["is_holiday"], "month"])),
        people=people,
    )


def uncertain_inputs(data: TrainingData) -> tuple[UncertainInput, ...]:
    """Every input of the process that no public document settles."""
    return tuple(i for i in data.inputs if i.basis not in PUBLIC_BASES)


def _cities(
    scenario: Any, plan: Mapping[str, pd.DataFrame], sectors: tuple[str, ...], people: People
) -> tuple[City, ...]:
    """Cities in order, each with its providers by id and then what opens there by date."""
    rows = scenario.table("training_providers").sort_values("provider_id", ignore_index=True)
    opened = training_openings(scenario, plan)
    found: dict[str, list[Provider]] = {}
    for r in records(rows):
        found.setdefault(str(r["city_code"]), []).append(
            Provider(
                provider_id=str(r["provider_id"]),
                level=str(r["level"]),
                teachers=float(r["full_time_teachers"]),
                students=float(r["full_time_students"]),
                sectors=tuple(sectors.index(s) for s in sorted(str(r["sectors"]).split(";")) if s),
                moe_code=str(r["moe_code"]),
                institution=people.institutions.index(r["moe_code"]) if r["moe_code"] in people.institutions else -1,
            )
        )
    for o in opened:
        centre = not o.trainers
        place = Provider(
            provider_id=o.opening_id, level="opened", moe_code=o.moe_code, opens=o.opens, rooms=o.rooms,
            trainers=o.trainers, shared=centre,
        )  # fmt: skip
        found.setdefault(o.city_code, []).append(place)
    return tuple(City(code, tuple(found[code])) for code in sorted(found))


def _parameters_of(c: CourseType) -> tuple[str, ...]:
    return (c.rate_id, c.share_id, c.size_id, c.hours_id, c.evening_id, c.online_id)


def _months_of(index: pd.DataFrame, index_id: str) -> tuple[float, ...]:
    return tuple(float(v) for v in index[index["index_id"] == index_id].sort_values("month")["value"])


def _input(row: Mapping[str, Any]) -> UncertainInput:
    require_input(row)
    return from_row(row, distribution=SHAPES.get(row["distribution"], row["distribution"]))


def _course_type(row: Mapping[str, Any]) -> CourseType:
    return CourseType(
        course_type_id=row["course_type_id"],
        rate_id=row["rate_parameter_id"],
        share_id=row["share_parameter_id"],
        size_id=row["size_parameter_id"],
        hours_id=row["hours_parameter_id"],
        has_hour_bands=bool(row["has_hour_bands"]),
        is_online=bool(row["is_online"]),
        counts_all=bool(row["counts_all"]),
        counts_social=bool(row["counts_social"]),
        labour_overlap=bool(row["labour_overlap"]),
        trains_mentors=MENTORS in row["measures"].split(";"),
        needs_dual=bool(row["needs_dual"]),
        is_order=bool(row["is_order"]),
        evening_id=row["evening_parameter_id"],
        online_id=row["online_parameter_id"],
        season_id=row["season_index_id"],
    )
