"""What a planner could add, a unit at a time: trainers, rooms, teams, posts, officers, starts, approvals, classes.

A relief is a process simulated once more at its base point, with a step of one resource added to it and the same random
numbers. The step is larger than one unit, because a single officer among hundreds moves no whole patent; what comes out
is divided by the units added. A step given to every city alike tells what each city makes of its own units where cities
share nothing (training, transfer offices). Firms are served by institutions of several cities: there each city's teams
are added by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import fsum, nan
from typing import Any

import numpy as np
from zjsim.models.feasibility_tables import outcome_name
from zjsim.models.patent_data import PatentData
from zjsim.models.people import STAFF_CLASSES, People
from zjsim.models.process_tools import ParameterSet
from zjsim.models.programme_data import ProgrammeData, start_pace
from zjsim.models.seat_outcomes import SeatData
from zjsim.models.service_data import ServiceData
from zjsim.models.training_data import TrainingData
from zjsim.models.training_supply import LEVELS, WEEK_HOURS, ledger_hours, window_hours, yearly_hours
from zjsim.models.training_use import EVENINGS, ROOMS, TRAINERS

from zjsim.texts import Language, text

TRAINERS_PER_CITY, ROOMS_PER_CITY, ADJUNCTS_PER_COLLEGE = 20.0, 20.0, 10.0
TEAMS_PER_CITY = 20.0
PACE_STEP, PROMOTED_STEP, EMPOWERED_STEP = 1000.0, 100.0, 20.0
PERCENTAGE_POINT = 0.01
PERSON_YEARS = 10.0


@dataclass(frozen=True, slots=True)
class Relief:
    """A step of one resource: ``values`` are set on top of the base point, and add ``units`` to the ``present`` ones.

    ``resource``: the resource of ``resource_use`` that it relieves; ``city``: where it is added (empty: everywhere);
    ``of_city``: units added by city and ``present_of``: those there, where a city's outcome depends on its own alone;
    ``outcomes``: those that it can move (empty: all of the process); ``about``: the outcome named in its name.
    """

    relief_id: str
    unit: str
    values: Mapping[str, float]
    units: float
    present: float = nan
    resource: str = ""
    city: str = ""
    of_city: Mapping[str, float] = field(default_factory=dict)
    present_of: Mapping[str, float] = field(default_factory=dict)
    outcomes: tuple[str, ...] = ()
    about: str = ""

    def name(self, lang: Language) -> str:
        """What is added, in words."""
        kind, _, of = self.relief_id.partition("/")
        return text(
            f"simulation.relief.{kind}",
            lang,
            outcome=outcome_name(self.about, lang) if self.about else "",
            level=text(f"simulation.provider_level.{of}", lang) if of in LEVELS else "",
        )


def reliefs(process: str, data: Any) -> tuple[Relief, ...]:
    """What can be added to a process of this name; nothing for one that is not known here."""
    made: dict[str, Callable[[Any], list[Relief]]] = {
        "training": training_reliefs,
        "enterprise_service": service_reliefs,
        "patent_transfer": patent_reliefs,
        "programmes": programme_reliefs,
        "seats": seat_reliefs,
    }
    return tuple(r for r in made[process](data) if r.units > 0) if process in made else ()


def training_reliefs(data: TrainingData) -> list[Relief]:
    """Trainers and rooms by kind of provider in every city, adjuncts, released hours, windows, bases (M063-M070).

    Trainers are counted in full-time equivalents: the first year's trainer hours ÷ teaching quota (PP08). A room is 40
    free class hours a week; those there are the free hours of a mean month. What a plan opens has no step of its own.
    """
    modes = {i.input_id: i.mode for i in data.inputs}
    hours_of = [window_hours(modes, month in data.holiday_months) for month in range(1, 13)]
    windows = np.mean(hours_of, axis=0) / WEEK_HOURS
    found, ledger = [], ledger_hours(data, modes)
    for level in LEVELS[:3]:
        trainers: dict[str, float] = {}
        rooms: dict[str, float] = {}
        for city in data.cities:
            own = [p for p in city.providers if p.level == level and p.opens is None]
            if own:
                hours = [yearly_hours(p, data.years, modes, modes, ledger) for p in own]
                trainers[city.city_code] = fsum(float(h[0]) + a for h, a in hours) / modes["PP08"]
                rooms[city.city_code] = modes["TR24"] * fsum(p.students for p in own) / 100
        day, evening = ({c: n * w for c, n in rooms.items()} for w in windows.tolist())
        found += [
            _in_every_city(f"trainers/{level}", "trainers", f"{TRAINERS}_{level}", trainers, f"more/trainers/{level}"),
            _in_every_city(f"rooms/{level}", "rooms", f"{ROOMS}_{level}", day, f"more/rooms/{level}"),
            _in_every_city(
                f"evening_rooms/{level}", "rooms", f"{EVENINGS}_{level}", evening, f"more/evening_rooms/{level}"
            ),
        ]
    colleges = float(sum(p.level == "college" for _, p in data.providers))
    return [
        *found,
        Relief(
            "adjuncts",
            "adjunct trainers",
            {"PP11": modes["PP11"] + ADJUNCTS_PER_COLLEGE},
            ADJUNCTS_PER_COLLEGE * colleges,
            modes["PP11"] * colleges,
        ),
        _point("release_share", "PP09", modes["PP09"]),
        _point("rooms_in_term", "PP14", modes["PP14"]),
        _point("evening_windows", "TR28", modes["TR28"]),
        _point("dual_share", "TR31", modes["TR31"]),
        _point("online_share", "TR36", modes["TR36"]),
    ]


def _in_every_city(relief_id: str, unit: str, resource: str, present: Mapping[str, float], key: str) -> Relief:
    step = TRAINERS_PER_CITY if unit == "trainers" else ROOMS_PER_CITY
    return Relief(
        relief_id,
        unit,
        {key: step},
        step * len(present),
        fsum(present.values()),
        resource,
        of_city=dict.fromkeys(present, step),
        present_of=present,
    )


def _point(relief_id: str, parameter_id: str, mode: float, outcomes: tuple[str, ...] = ()) -> Relief:
    """One percentage point more of a share."""
    values = {parameter_id: mode + PERCENTAGE_POINT}
    return Relief(relief_id, "percentage points", values, 1.0, 100 * mode, outcomes=outcomes)


def service_reliefs(data: ServiceData) -> list[Relief]:
    """Service teams by city and in all, vice-president posts, a point of members' time, people (M001, M031, M034)."""
    p = data.parameters
    teams = {city: fsum(weights) for city, weights in zip(data.cities, data.weight_of, strict=True)}
    there = {city: n for city, n in teams.items() if n > 0}
    in_all = TEAMS_PER_CITY * len(there)
    each = {city: in_all * n / fsum(there.values()) for city, n in there.items()}
    giants = sum(firms for _, _, firms in data.little_giants)
    key = "more/service_teams/"
    of_teams = ("service_teams", "teams")
    return [
        Relief(*of_teams, {key + c: n for c, n in each.items()}, in_all, fsum(there.values()), "service_staff"),
        *(
            Relief(*of_teams, {key + c: TEAMS_PER_CITY}, TEAMS_PER_CITY, n, "service_staff", city=c)
            for c, n in there.items()
        ),
        Relief(
            "vice_presidents",
            "posts per year",
            {"SP16": _mode(p, "SP16") + 1},
            giants / 100,
            _mode(p, "SP16") * giants / 100,
        ),
        _point("member_time", "SP04", _mode(p, "SP04")),
        *person_years(data.people, "services", "service_staff"),
    ]


def patent_reliefs(data: PatentData) -> list[Relief]:
    """Officers by office and by class, inventory pace, promoted and empowered patents (M002, M019, M026, M027)."""
    p = data.parameters
    full_time = data.people.officers_fte({})
    city = [data.cities[c] for c in data.city_of]
    present: Counter[str] = Counter()
    for code, staff in zip(city, full_time.tolist(), strict=True):
        present[code] += staff
    sold = ("patents_transferred", "patents_transferred_or_trialled", "result_contracts")
    return [
        Relief(
            "transfer_officers",
            "officers",
            {"more/transfer_officers": 1.0},
            float(len(data.institutions)),
            float(full_time.sum()),
            "transfer_officers",
            of_city={c: float(n) for c, n in sorted(Counter(city).items())},
            present_of=dict(sorted(present.items())),
            outcomes=sold,
        ),
        *person_years(data.people, "patents", "transfer_officers", sold),
        Relief(
            "inventory_pace",
            "patents per month",
            {"more/inventory_pace": PACE_STEP},
            PACE_STEP,
            float(data.columns["inventory_per_month"].sum()),
            outcomes=("inventory_share_stock_at_plan", "inventory_share_rolling"),
        ),
        Relief(
            "promoted_patents",
            "patents per year",
            {"TP11": _mode(p, "TP11") + PROMOTED_STEP},
            PROMOTED_STEP,
            _mode(p, "TP11"),
            outcomes=sold,
        ),
        Relief(
            "empowered_results",
            "results per year",
            {"TP20": _mode(p, "TP20") + EMPOWERED_STEP},
            EMPOWERED_STEP,
            _mode(p, "TP20"),
            outcomes=sold,
        ),
    ]


def person_years(people: People, activity: str, resource: str, outcomes: tuple[str, ...] = ()) -> list[Relief]:
    """Full-time people more in ``activity`` of the ledger, by class of institutions (M028, M034, M035).

    Those there are the person-years that the ledger allots in the last simulated year.
    """
    a_year = float(people.person_hours(np.diff(people.horizon.edges)[-1:])[0])
    hours = people.allotted[:, people.activities.index(activity), -1]
    found = []
    for kind in STAFF_CLASSES:
        present = float(hours[[c == kind for c in people.classes]].sum()) / a_year
        key = f"more/person_years/{kind}"
        if present > 0:
            name = f"person_years_{kind}"
            found.append(
                Relief(name, "person-years", {key: PERSON_YEARS}, PERSON_YEARS, present, resource, outcomes=outcomes)
            )
    return found


def programme_reliefs(data: ProgrammeData) -> list[Relief]:
    """Starts a year, approvals a batch, a point of adoption (M015, M047-M049, M083, M107); a month less of a milestone.

    Set-up times of pipelines are left out: what is under way at the as-of date is inferred from them, so a shorter time
    would also change the past.
    """
    found = []
    for programme in data.programmes:
        outcomes = tuple(n for n in (programme.outcome_new, *programme.outcomes_level, programme.outcome_ever) if n)
        of_this: dict[str, Any] = {"outcomes": outcomes, "about": outcomes[0]}
        name = programme.programme_id
        if programme.mechanism == "pipeline" or programme.planned is not None:
            pace = (
                start_pace(data, programme, {})
                if programme.planned is None
                else len(programme.planned) / len(data.years)
            )
            values = {f"more/starts/{name}": 1.0}
            found.append(Relief(f"starts/{name}", "starts per year", values, 1.0, pace, **of_this))
        elif programme.mechanism == "batches":
            present = data.parameters.mean(programme.size, {})
            values = {f"more/approvals/{name}": 1.0}
            found.append(Relief(f"approvals/{name}", "approvals per batch", values, 1.0, present, **of_this))
        if programme.mechanism == "milestone":
            mode = _mode(data.parameters, programme.setup)
            values = {programme.setup: mode - 1}
            found.append(Relief(f"setup/{name}", "months less", values, 1.0, mode, **of_this))
        if programme.mechanism == "diffusion":
            found.append(_point("adoption", programme.pace, _mode(data.parameters, programme.pace), outcomes))
    return found


def seat_reliefs(data: SeatData) -> list[Relief]:
    """A class with room and staff, ten places to buy, in every county and stage (M004, M112)."""
    places = 2.0 * len(data.county_codes)
    years = max(1, len(data.years))
    classes = float(np.minimum(data.rooms, data.staffed).sum()) / years
    return [
        Relief("classes", "classes", {"more/classes": 1.0}, places if data.years else 0.0, classes),
        Relief("purchases", "places", {"more/purchases": 10.0}, 10.0 * places, float(data.cap.sum()) / years),
    ]


def _mode(parameters: ParameterSet, parameter_id: str) -> float:
    return parameters.inputs[parameter_id].mode
