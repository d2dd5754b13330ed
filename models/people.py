"""The ledger of people: whose hours an institution gives to what, year by year, so that nobody works twice (M028-M032).

An institution releases part of its people's time to the world outside: members of service teams to enterprises (SP03,
SP04, further ones where it leads an industry), teachers of training providers to social training (PP09), officers of
the transfer office to patents (TP09). The ledger divides this time before any process runs. What is promised goes
first: posts in firms (M028, M031), visits of teachers as engineers (M071), joint research on platforms that a plan
opens (M013-M015). What is left of the time for enterprises serves their requests, what is left of the time for
training teaches. Everybody's hours stand in one cell; the processes get their capacity from here and from nowhere else.

Members of teams hold the posts and staff the platforms; teachers of providers are the visitors, and while they are
away colleagues take over all that they do. All teachers of an institution together give no more than a set share of
their time (PE02); where claims are higher they are cut alike. A team takes up nothing that would still run when its
people are promised elsewhere: services have, at every moment, the least that is left from then on.

Innovation teams of vocational teachers (M072) are no claim of their own: they are teachers of the same pool who work on
courses inside their teaching time, and the plan gives neither their number nor hours outside.

Time is counted in full-time equivalents (FTE) and days inside, in person-hours outside: a person-year is PE01 hours.
A teacher's class hours are his quota (PP08) in a full year, so a class hour stands for PE01 ÷ PP08 hours of work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING

import numpy as np
from zjsim.models.dated_levers import OFFICERS_SCALE, added_up, dated, phases
from zjsim.models.location_effects import platform_staff
from zjsim.models.people_path import Steps, by_year, changed_at, joined, least, minus, rising
from zjsim.models.people_posts import Appointments, appointments
from zjsim.models.process_tools import (
    DAYS_PER_MONTH,
    DAYS_PER_YEAR,
    Floats,
    Horizon,
    Ints,
    ParameterSet,
    horizon,
    parameter_set,
)

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario
    from zjsim.simulate.inputs import UncertainInput, Values

ACTIVITIES = ("dual_appointments", "visiting_engineers", "platforms", "services", "training", "patents")
"""What the released time goes to; the first three are promised before the others get what is left."""

HOURS, MOST, POST, FURTHER, ON_REQUESTS, VISITORS, VISIT = (f"PE{n:02d}" for n in range(1, 8))
IN_TEAMS, MEMBER_TIME, LEAD_GAIN, READY, POSTS_PER_100, TERM = "SP03", "SP04", "SP13", "SP15", "SP16", "PP29"
SUPPORT_GAIN = "SP26"
QUOTA, RELEASED, TEACHERS = "PP08", "PP09", "PP10"
PATENT_TIME, TEAM_SIZE = "TP09", "PP28"

OWN_IDS = (HOURS, MOST, POST, FURTHER, ON_REQUESTS, VISITORS, VISIT)
SERVICE_IDS = (POST, FURTHER, ON_REQUESTS)
"""Uncertain inputs of the ledger that move enterprise service."""
TRAINING_IDS = (VISITORS, VISIT)
"""Uncertain inputs of the ledger that move training."""
_SERVICE, _PROCESS = (
    (IN_TEAMS, MEMBER_TIME, LEAD_GAIN, SUPPORT_GAIN, READY, POSTS_PER_100),
    (TERM, QUOTA, RELEASED, TEACHERS),
)

STAFF_CLASSES = ("research", "other_undergraduate", "double_high", "other_college")
"""Classes of institutions by which further person-years are told apart."""
LITTLE_GIANT = "little_giant"

Step = tuple[float, int, float]
"""Day, institution, persons."""


@dataclass(frozen=True, slots=True)
class Allotment:
    """What the ledger allots at one design point.

    ``available`` person-hours by (institution, year), ``allotted`` by (institution, activity, year); ``services``: FTE
    of each institution on day 0 and steps upwards later; ``posts``: those that are held.
    """

    available: Floats
    allotted: Floats
    services: Steps
    posts: Appointments


@dataclass(frozen=True, slots=True)
class People:
    """Institutions and their people, by index into ``institutions`` (moe_code, in order).

    ``teachers``: all; ``members`` of service teams at the base point; ``trainers``: teachers, where the institution is
    a training provider; ``officers`` of the transfer office; ``classes``: kind of institution; ``leads``: industries
    that it is assigned by the plan, ``supports``: that it supports; ``cities`` with their little giants, the
    institutions that serve them and the teams of these there; ``platforms``: (day, institution, persons) posted to what
    the plan opens.
    """

    horizon: Horizon
    parameters: ParameterSet
    institutions: tuple[str, ...]
    classes: tuple[str, ...]
    teachers: Floats
    members: Floats
    trainers: Floats
    officers: Floats
    leads: Mapping[int, int]
    cities: tuple[str, ...]
    giants: tuple[int, ...]
    area_of: tuple[tuple[int, ...], ...]
    weight_of: tuple[tuple[float, ...], ...]
    platforms: tuple[Step, ...] = ()
    supports: Mapping[int, int] = field(default_factory=dict)

    @property
    def activities(self) -> tuple[str, ...]:
        """The activities, in the order of the arrays."""
        return ACTIVITIES

    @property
    def years(self) -> tuple[int, ...]:
        """The simulated years."""
        return self.horizon.years

    @property
    def allotted(self) -> Floats:
        """Person-hours at the base point by (institution, activity, year)."""
        return self.allot({}).allotted

    def base_hours(self) -> dict[tuple[str, str, int], float]:
        """Person-hours at the base point by (moe_code, activity, year), all at once."""
        hours = self.allotted
        return {
            (h, a, t): float(hours[i, k, y])
            for i, h in enumerate(self.institutions)
            for k, a in enumerate(ACTIVITIES)
            for y, t in enumerate(self.years)
        }

    def uncertain(self, ids: tuple[str, ...]) -> tuple[UncertainInput, ...]:
        """Those of the inputs ``ids`` that no public document settles."""
        return tuple(i for i in self.parameters.uncertain() if i.input_id in ids)

    def class_hours(self, values: Values) -> Floats:
        """Class hours that teachers of each institution give to social training, by (institution, year)."""
        per_hour = self.parameters.value(QUOTA, values) / self.parameters.value(HOURS, values)
        return np.asarray(self.allot(values).allotted[:, ACTIVITIES.index("training")] * per_hour)

    def person_hours(self, fte_days: Floats) -> Floats:
        """Full-time equivalents × days as person-hours."""
        return np.asarray(fte_days * self.parameters.value(HOURS, {}) / DAYS_PER_YEAR)

    def officers_fte(self, values: Values) -> Floats:
        """Full-time officers for patents by institution (M035): officers × share of their time (TP09).

        With levers: those of the first day (:func:`zjsim.models.dated_levers.phases` has the later ones).
        """
        p, officers = self.parameters, self.officers * values.get(OFFICERS_SCALE, 1.0)
        return np.asarray(officers * p.value(PATENT_TIME, values) + self._further(values, self.officers))

    def allot(self, values: Values) -> Allotment:
        """Divide the released time at a design point (M028, M031, M071, M013-M015, M034, M066, M035)."""
        p, count, end = self.parameters, len(self.institutions), self.horizon.end
        edges = np.array(self.horizon.edges)
        released = self._released(values)
        research = self._research(values, released)
        free = joined(released, minus(research))
        time = p.value(POST, values)
        most = np.floor(np.maximum(least(free, count, end), 0.0) / max(time, 1e-9) + 1e-9).astype(np.int64)
        posts = self._posts(values, most)
        each = np.full(len(posts.begin), time)
        held = joined((posts.begin, posts.institution, each), (posts.end, posts.institution, -each))
        services = rising(joined(free, minus(held)), count, end)
        taught = added_up(values, edges, lambda own: self._claims(own)[1])
        visits = added_up(values, edges, self._visits)
        training = added_up(values, edges, lambda own: self._claims(own)[1] - self._visits(own))
        patents = added_up(values, edges, self.officers_fte)
        parts = {
            "dual_appointments": by_year(held, count, edges),
            "visiting_engineers": visits,
            "platforms": by_year(research, count, edges),
            "services": by_year(services, count, edges),
            "training": training,
            "patents": patents,
        }
        available = by_year(released, count, edges) + taught + patents
        return Allotment(
            available=self.person_hours(available),
            allotted=self.person_hours(np.stack([parts[a] for a in ACTIVITIES], axis=1)),
            services=services,
            posts=posts,
        )

    def _released(self, values: Values) -> Steps:
        """Time released to enterprises, where levers act from a day on: each phase from its first day."""
        (_, first), *others = phases(values)
        found = self._claims(first)[0]
        for day, own in others:
            found = changed_at(found, self._claims(own)[0], day, len(self.institutions))
        return found

    def _claims(self, values: Values) -> tuple[Steps, Floats]:
        """Time released to enterprises (steps of FTE) and to social training (FTE), within the most that teachers give.

        To enterprises: members of teams × share of their time, from SP15 on SP13 of it more for every industry that the
        institution is assigned (M010-M012), and PE04 for every person posted to a platform from its opening on. To
        training: teachers of providers × PP09. Where both are together more than PE02 of all teachers' time, both are
        cut alike (further person-years of a marginal value come on top of this limit).
        """
        p, none = self.parameters, np.zeros(len(self.institutions))
        base = self.members * p.value(MEMBER_TIME, values) * p.share_of_mode(IN_TEAMS, values) + self._teams(values)
        ready, gain = p.value(READY, values) * DAYS_PER_MONTH, p.value(LEAD_GAIN, values)
        leads = np.array([self.leads.get(i, 0) for i in range(len(base))], dtype=np.float64)
        leads += p.value(SUPPORT_GAIN, values) * np.array([self.supports.get(i, 0) for i in range(len(base))])
        everyone = np.arange(len(base))
        day, institution, persons = self._posted()
        released = joined(
            (none, everyone, base),
            (none + ready, everyone, base * gain * leads),
            (day, institution, persons * p.value(FURTHER, values)),
        )
        taught = self.trainers * p.value(RELEASED, values) * p.share_of_mode(TEACHERS, values)
        highest = none.copy()
        np.add.at(highest, released[1], released[2])
        claimed, most = highest + taught, self.teachers * p.value(MOST, values)
        cut = np.where(claimed > most, most / np.maximum(claimed, 1e-12), 1.0)
        more = self._further(values, self.teachers)
        released = joined((released[0], released[1], released[2] * cut[released[1]]), (none, everyone, more))
        return released, taught * cut + self._further(values, self.trainers)

    def _teams(self, values: Values) -> Floats:
        """FTE of ``more/service_teams/<city code>`` further teams, split as the teams in that city are."""
        found = np.zeros(len(self.institutions))
        each = self.parameters.inputs[TEAM_SIZE].mode * self.parameters.value(MEMBER_TIME, values)
        for city, area, weights in zip(self.cities, self.area_of, self.weight_of, strict=True):
            more = values.get(f"more/service_teams/{city}", 0.0)
            if more and fsum(weights):
                found[list(area)] += more * each * np.array(weights) / fsum(weights)
        return found

    def _further(self, values: Values, present: Floats) -> Floats:
        """FTE of ``more/person_years/<class>``: further people of a class, split as those ``present``."""
        found = np.zeros(len(self.institutions))
        for kind in STAFF_CLASSES:
            more = values.get(f"more/person_years/{kind}", 0.0)
            if more:
                own = np.where([c == kind for c in self.classes], present, 0.0)
                found += more * own / max(float(own.sum()), 1e-9)
        return found

    def _posted(self) -> Steps:
        """Persons posted to platforms that open within the horizon."""
        here = [s for s in self.platforms if 0 <= s[0] <= self.horizon.end]
        day, institution, persons = zip(*here, strict=True) if here else ((), (), ())
        return np.array(day, dtype=np.float64), np.array(institution, dtype=np.int64), np.array(persons, np.float64)

    def _research(self, values: Values, released: Steps) -> Steps:
        """Joint research on platforms (M013-M015), which serves no request: steps of FTE.

        Who is posted gives the platform all his time for enterprises and PE04 more; PE05 of it answers requests. It is
        never more than what the institution has ``released``.
        """
        p, count = self.parameters, len(self.institutions)
        day, institution, persons = self._posted()
        time = p.value(MEMBER_TIME, values) + p.value(FURTHER, values)
        wanted = persons * time * (1 - p.value(ON_REQUESTS, values))
        there = np.bincount(released[1][released[0] <= 0], released[2][released[0] <= 0], count)
        there += np.bincount(institution, persons * p.value(FURTHER, values), count)
        asked = np.bincount(institution, wanted, count)
        cut = np.minimum(1.0, there / np.maximum(asked, 1e-12))
        return day, institution, wanted * cut[institution]

    def _posts(self, values: Values, most: Ints) -> Appointments:
        p = self.parameters
        lever, rates = dated(values, POSTS_PER_100), [p.value(POSTS_PER_100, values)]
        if lever is not None:
            rates.append(lever[1])
        paces = [[g * rate / 100 for g in self.giants] for rate in rates]
        later = None if lever is None else (lever[0], paces[1])
        term = p.value(TERM, values) * DAYS_PER_MONTH
        return appointments(self.horizon, paces[0], term, self.area_of, self.weight_of, most, later)

    def _visits(self, values: Values) -> Floats:
        """FTE of visitors, never more than what is released to training."""
        return np.minimum(self._visiting(values), self._claims(values)[1])

    def _visiting(self, values: Values) -> Floats:
        """FTE of teachers who visit firms as engineers (M071): PE06 a year for PE07 months, split as trainers are."""
        p = self.parameters
        away = p.value(VISITORS, values) * p.value(VISIT, values) / 12
        return np.asarray(away * self.trainers / max(float(self.trainers.sum()), 1e-9))


def people_data(scenario: Scenario, plan: Mapping[str, pd.DataFrame]) -> People:
    """Read the people of a scenario, and what a plan asks of them: assignments and platforms."""
    staff = scenario.table("institution_staff").sort_values("moe_code")
    codes = tuple(str(c) for c in staff["moe_code"])
    names = ("process_parameters", "service_parameters", "patent_parameters", "people_parameters")
    ids = (*OWN_IDS, *_SERVICE, *_PROCESS, PATENT_TIME, TEAM_SIZE)
    parameters = parameter_set([scenario.table(n) for n in names], ids)
    teams, providers = scenario.table("service_teams"), scenario.table("training_providers")
    trainers = providers[providers["moe_code"] != ""].groupby("moe_code")["full_time_teachers"].sum()
    members = teams.set_index("moe_code")["teams"] * parameters.inputs[TEAM_SIZE].mode
    officers = scenario.table("patents").set_index("moe_code")["transfer_staff"]
    firms = scenario.table("enterprises")
    cities = tuple(sorted(set(firms["city_code"])))
    giants = firms[firms["firm_class"] == LITTLE_GIANT].set_index("city_code")["firms"]
    areas = service_areas(scenario.table("team_deployment"), teams, cities, codes)
    when = horizon(scenario.parameters.time)

    def of(values: pd.Series) -> Floats:
        return values.reindex(list(codes), fill_value=0).to_numpy(dtype=np.float64)

    return People(
        horizon=when,
        parameters=parameters,
        institutions=codes,
        classes=tuple(str(c) for c in staff["staff_class"]),
        teachers=staff["teachers"].to_numpy(dtype=np.float64),
        members=of(members),
        trainers=of(trainers),
        officers=of(officers),
        leads=_leads(plan, codes),
        supports=_leads(plan, codes, ("support_assignments",)),
        cities=cities,
        giants=tuple(int(giants.get(c, 0)) for c in cities),
        area_of=tuple(tuple(sorted(areas[c])) for c in cities),
        weight_of=tuple(tuple(areas[c][i] for i in sorted(areas[c])) for c in cities),
        platforms=tuple(
            (when.day(day), codes.index(moe), persons)
            for day, moe, persons in platform_staff(scenario, plan)
            if moe in codes
        ),
    )


def _leads(
    plan: Mapping[str, pd.DataFrame],
    codes: tuple[str, ...],
    tables: tuple[str, ...] = ("lead_assignments", "heritage_pairs"),
) -> dict[int, int]:
    """How many industries each institution is assigned, as a lead or in a heritage pair (M010, M012), or as ``tables``
    say."""
    pairs = {
        (str(industry), codes.index(code))
        for name in tables
        if name in plan
        for industry, code in zip(plan[name]["industry_id"], plan[name]["moe_code"], strict=True)
        if code in codes
    }
    return dict(sorted(Counter(i for _, i in pairs).items()))


def service_areas(
    deployment: pd.DataFrame, teams: pd.DataFrame, cities: tuple[str, ...], institutions: tuple[str, ...]
) -> dict[str, dict[int, float]]:
    """By city: the institutions (index) that serve it and the teams they have there (share × teams)."""
    count = dict(zip(teams["moe_code"], teams["teams"], strict=True))
    areas: dict[str, dict[int, float]] = {city: {} for city in cities}
    for code, city, share in zip(deployment["moe_code"], deployment["city_code"], deployment["share"], strict=True):
        if city in areas and share > 0:
            areas[city][institutions.index(code)] = float(share) * int(count[code])
    return areas
