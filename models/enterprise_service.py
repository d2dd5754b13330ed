"""Enterprise service: a request, from its coming to its completion (M001, M006, M033, M034, M095, M145).

A firm asks (season, class and city); the request goes into the demand registry of its city; a team of an institution
that serves the city takes it up: the lead, paired and supporting institutions of the firm's industry first (M010-M012),
then whichever is asked first. Little giants, chain leaders and heritage firms are served before specialised SMEs, these
before the others (M145); who waits longer than his patience leaves. A service is a diagnosis (days, all the service
time of a few persons), a tactical project (weeks) or an R&D partnership (years, a tenth of a person); with some chance
the firm asks again within a year of it.

Capacity is staff time, as the ledger of people allots it (:mod:`zjsim.models.people`): who holds a post in a firm or
does research on a platform is not at the desk as well. What a target requires is nowhere an input. Services begun
before the as-of date are carried over: arrivals of the three years before are drawn as well and those still running
hold their teams (a back-cast without waiting); key firms that the actual values count before the as-of date don't count
again. The services of technology vice-presidents (M031) and outreach (M099, M116, M117) are counted beside the desk's.
Time is in days, capacity in full-time equivalents (FTE).
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np
from zjsim.models.dated_levers import dated
from zjsim.models.people import MEMBER_TIME
from zjsim.models.process_tools import DAYS_PER_MONTH, DAYS_PER_YEAR, Floats, Ints, parts_of, poisson_quantile
from zjsim.models.service_data import ServiceData, enterprise_service_data, uncertain_inputs
from zjsim.models.service_firms import firms_served, joint_applications
from zjsim.models.service_past import Posts, known_firms
from zjsim.models.service_requests import Requests, draw_requests, loads_at
from zjsim.models.service_use import service_resources, service_use

from zjsim.simulate.kernel import Call, Simulation

if TYPE_CHECKING:
    from zjsim.models.people import Allotment

    from zjsim.simulate.inputs import Values
    from zjsim.simulate.resources import Resource
    from zjsim.simulate.streams import Streams

PROCESS = "enterprise_service"
DIAGNOSIS = 0
"""Kind of a service that finds out what the matter is; tactical projects and R&D partnerships solve it (M032)."""

OUTCOMES: dict[str, tuple[str, str]] = {
    "services_completed": ("flow", "enterprise-times"),
    "services_with_outreach": ("flow", "enterprise-times"),
    "key_firms_served": ("flow", "firms"),
    "key_firms_contacted": ("flow", "firms"),
    "firms_served": ("flow", "firms"),
    "joint_applications": ("flow", "applications"),
    "quality_services": ("flow", "enterprise-times"),
    "problems_solved": ("flow", "enterprise-times"),
}

MOST_SERVICES_OF_A_POST = 24
"""Services of one vice-president that are drawn at most; the mean is below ten."""


def simulate_enterprise_service(data: ServiceData, values: Values, streams: Streams) -> dict[str, Floats]:
    """One replication: :data:`OUTCOMES` by simulated year."""
    requests = draw_requests(data, values, streams)
    desk = serve(data, requests, values)
    posts = vice_presidents(data, values, streams, desk.allotment)
    horizon = data.horizon
    use = service_use(data, requests, desk)
    done = desk.completed_days()
    days = np.concatenate([done, posts.service_days])
    services = horizon.per_year(days)
    city_of_firm = np.array(data.key_firm_cities, dtype=np.int64)
    city = np.concatenate([requests.city[desk.completed_requests()], city_of_firm[posts.service_firm]])
    known = known_firms(data, requests, posts, streams)
    served = first_days(
        data.key_firms,
        known.without_served(np.concatenate([requests.key_firm[desk.completed_requests()], posts.service_firm])),
        days,
    )
    contacted = first_days(
        data.key_firms,
        known.without_contacted(
            np.concatenate([requests.key_firm[requests.running], requests.key_firm[desk.arrived], posts.post_firm])
        ),
        np.concatenate([np.zeros(len(requests.running)), desk.arrived_days, np.maximum(posts.post_days, 0.0)]),
    )
    outside = outreach(data, values, streams)
    parts = parts_of(horizon, "services_completed", days, city, len(data.cities))
    parts["by_city/services_with_outreach"] = parts["by_city/services_completed"] + outside
    finished = desk.completed_requests()
    filed, applicants = joint_applications(data, requests, desk, values)
    on_quality = requests.quality[finished]
    with_experts = requests.kind[finished] > DIAGNOSIS  # solved together with the firm's experts (M032)
    counts = {
        "key_firms_served": (served, city_of_firm),
        "key_firms_contacted": (contacted, city_of_firm),
        "firms_served": (firms_served(data, requests, desk, posts, known), data.firms()[1]),
        "joint_applications": (filed, requests.city[applicants]),
        "quality_services": (done[on_quality], requests.city[finished[on_quality]]),
        "problems_solved": (done[with_experts], requests.city[finished[with_experts]]),
    }
    for name, (day, place) in counts.items():
        parts |= parts_of(horizon, name, day, place, len(data.cities))
    return {
        "services_completed": services,
        "services_with_outreach": services + outside.sum(axis=0),
        **{name: horizon.per_year(day) for name, (day, _) in counts.items()},
        **parts,
        **use,
    }


def cities(data: ServiceData) -> tuple[str, ...]:
    """The cities by which outcomes are told, in order."""
    return data.cities


def resources(data: ServiceData) -> tuple[Resource, ...]:
    """Staff time by institution, and the queues of the demand registry by city."""
    return service_resources(data)


def serve(data: ServiceData, requests: Requests, values: Values) -> Desk:
    """Run all requests through the demand registry to the end of the horizon, with the staff that the ledger allots."""
    sim = Simulation()
    allotment = data.people.allot(values)
    desk = Desk(sim, data, requests, allotment)
    desk.carry_over()
    lever = dated(values, MEMBER_TIME)
    if lever is not None:
        sim.at(
            lever[0], desk.other_loads, loads_at(data, requests, lever[1] / data.parameters.value(MEMBER_TIME, values))
        )
    for day, institution, fte in zip(*(x.tolist() for x in allotment.services), strict=True):
        if day > 0:
            sim.at(day, desk.add_staff, (institution, fte))
    sim.feed(desk.days, desk.come, data.horizon.end)
    return desk


class Desk:
    """The demand registry (M033): finds a team for every request or lets it wait in the queue of its city.

    Queues are strict: the lowest priority number first, equals in the order of their coming, nobody overtakes. A
    waiting request whose patience is over is passed by; whom it had held up is served when next a
    service ends.
    """

    def __init__(self, sim: Simulation, data: ServiceData, requests: Requests, allotment: Allotment) -> None:
        self.sim, self.data, self.requests, self.allotment = sim, data, requests, allotment
        day, institution, fte = allotment.services
        capacity = np.bincount(institution[day <= 0], fte[day <= 0], len(data.institutions)).tolist()
        self.capacity: list[float] = capacity
        self.free = list(capacity)
        self.queues: list[list[tuple[int, int, int]]] = [[] for _ in data.cities]
        self.queues_of = [[self.queues[c] for c in cities] for cities in data.cities_of]
        self.completed: list[tuple[float, int]] = []
        self.arrived: list[int] = []
        self.arrived_days: list[float] = []
        self.expiry: dict[int, float] = {}
        self.refused = 0
        self.held: list[tuple[float, float, int, int]] = []
        self.staff: list[tuple[float, int, float]] = [(0.0, i, fte) for i, fte in enumerate(capacity)]
        self._arrays: tuple[Floats, Ints] = np.zeros(0), np.zeros(0, dtype=np.int64)
        self._order = 0
        self._end = data.horizon.end
        # Plain lists: reading one number out of an array costs several times as much.
        self._load: list[float] = requests.load_fte.tolist()
        self._length: list[float] = requests.length_days.tolist()
        self._delay: list[float] = requests.delay_days.tolist()
        self._patience: list[float] = requests.patience_days.tolist()
        self._follows: list[bool] = requests.followed.tolist()
        self._city: list[int] = requests.city.tolist()
        self._rank: list[int] = requests.priority.tolist()
        self._asked: list[int] = requests.asked.tolist()
        self._industry: list[int] = requests.industry.tolist()
        self._coming: list[int] = requests.coming.tolist()
        self.days: list[float] = requests.arrival_days[requests.coming].tolist()
        self._rounds = [[(*area[k:], *area[:k]) for k in range(max(1, len(area)))] for area in data.area_of]
        self._largest = [max((capacity[i] for i in area), default=0.0) for area in data.area_of]

    def carry_over(self) -> None:
        """Services that began before the as-of date and still run: they hold a team, without regard to the plan.

        The back-cast knows no waiting. Who would find no team that is free cannot have been taken up yet: he asks on
        day 0, so that no institution gives more time than it has.
        """
        for request, end in zip(self.requests.running.tolist(), self.requests.running_until.tolist(), strict=True):
            institution = self._first_free(request, self._round(request))
            if institution is not None:
                self._hold(request, institution, end)
            else:
                self.sim.at(0.0, self._again, request)

    def other_loads(self, call: Call) -> None:
        """From now on requests take other staff time; those that are being served keep theirs."""
        kept = {r: self._load[r] for _, end, r, _ in self.held if end > self.sim.now}
        self._load = call.argument.tolist()
        for request, load in kept.items():
            self._load[request] = load

    def come(self, n: int) -> None:
        """The n-th request that is not a repeated one comes, on ``days[n]``."""
        self.arrive(self._coming[n])

    def _again(self, call: Call) -> None:
        self.arrive(call.argument)

    def arrive(self, request: int) -> None:
        """A firm asks: a team takes the request up at once, or it waits in the queue of its city."""
        self.arrived.append(request)
        self.arrived_days.append(self.sim._now)
        city = self._city[request]
        queue = self.queues[city]
        rank = self._rank[request]
        self._drop_expired(queue)
        if not queue or queue[0][0] > rank:
            institution = self._find(request)
            if institution is not None:
                self._hold(request, institution, self.sim._now + self._length[request])
                return
        if self._load[request] > self._largest[city]:
            self.refused += 1  # no institution that serves the city could ever take it
            return
        self.expiry[request] = self.sim._now + self._patience[request]
        self._order += 1
        heappush(queue, (rank, self._order, request))

    def _find(self, request: int) -> int | None:
        """The institution that takes it: assigned to the industry first, then round the city from the one asked."""
        industry = self._industry[request]
        leads = self.data.assigned[industry] if industry >= 0 else ()
        found = self._first_free(request, leads) if leads else None
        return self._first_free(request, self._round(request)) if found is None else found

    def _round(self, request: int) -> tuple[int, ...]:
        return self._rounds[self._city[request]][self._asked[request]]

    def _first_free(self, request: int, institutions: tuple[int, ...]) -> int | None:
        load, free = self._load[request], self.free
        for i in institutions:
            if free[i] >= load:
                return i
        return None

    def _hold(self, request: int, institution: int, end: float) -> None:
        self.free[institution] -= self._load[request]
        self.held.append((self.sim._now, end, request, institution))
        if end < self._end:
            self.sim.at(end, self._complete, (request, institution))

    def _complete(self, call: Call) -> None:
        """A service is completed: its team is free again, and the firm may ask again later."""
        request, institution = call.argument
        self.completed.append((self.sim._now, request))
        self.free[institution] += self._load[request]
        if self._follows[request]:
            following = request + self.requests.firsts
            day = self.sim._now + self._delay[following]
            if day < self._end:
                self.sim.at(day, self._again, following)
        self._serve_waiting(institution)

    def add_staff(self, call: Call) -> None:
        """Further staff of a lead or paired institution is ready."""
        institution, fte = call.argument
        self.free[institution] += fte
        self.capacity[institution] += fte
        self.staff.append((self.sim._now, institution, fte))
        for city in self.data.cities_of[institution]:
            self._largest[city] = max(self._largest[city], self.capacity[institution])
        self._serve_waiting(institution)

    def _serve_waiting(self, institution: int) -> None:
        """Offer the free time of an institution to the first in line over all cities it serves, as far as it goes."""
        while True:
            best = None
            for queue in self.queues_of[institution]:
                if queue:
                    self._drop_expired(queue)
                    if queue and (best is None or queue[0] < best[0]):
                        best = queue
            if best is None or self._load[best[0][2]] > self.free[institution]:
                return
            request = heappop(best)[2]
            self._hold(request, institution, self.sim._now + self._length[request])

    def _drop_expired(self, queue: list[tuple[int, int, int]]) -> None:
        now = self.sim._now
        while queue and self.expiry[queue[0][2]] < now:
            heappop(queue)

    def completed_days(self) -> Floats:
        """Days on which services were completed, in that order."""
        return self._done()[0]

    def completed_requests(self) -> Ints:
        """The requests behind :meth:`completed_days`."""
        return self._done()[1]

    def _done(self) -> tuple[Floats, Ints]:
        """Days and requests of completed services as arrays, made once: several outcomes ask for them."""
        if len(self._arrays[0]) != len(self.completed):
            days, requests = zip(*self.completed, strict=True)
            self._arrays = np.array(days, dtype=np.float64), np.array(requests, dtype=np.int64)
        return self._arrays


def first_days(firms: int, firm: Ints, days: Floats) -> Floats:
    """The first of ``days`` for every key firm (infinity where it has none); ``firm`` is -1 for other firms."""
    first: Floats = np.full(firms, np.inf)
    key = firm >= 0
    np.minimum.at(first, firm[key], days[key])
    return first


def vice_presidents(data: ServiceData, values: Values, streams: Streams, allotment: Allotment | None = None) -> Posts:
    """Technology vice-presidents (M031): who gets the posts that the ledger holds, and services over their term (PP29).

    They work in the firm and wait for nobody; those appointed in the last term before the as-of date are still there.
    """
    p, horizon = data.parameters, data.horizon
    held = (allotment or data.people.allot(values)).posts
    term = p.value("PP29", values) * DAYS_PER_MONTH
    services_in_term = p.value("SP17", values) * term / DAYS_PER_YEAR
    years = (*horizon.past_years(int(np.ceil(term / DAYS_PER_YEAR))), *horizon.years)
    firm, first_day, service_firm, service_day = [], [], [], []
    for city, first_firm, giants in data.little_giants:
        own = held.begin[held.city == data.cities.index(city)]
        for year in years:
            begin = own[(own >= horizon.year_start(year)) & (own < horizon.year_start(year + 1))]
            u = streams.uniforms(PROCESS, city, year, len(begin) * (2 + MOST_SERVICES_OF_A_POST), "post")
            u = u.reshape(len(begin), 2 + MOST_SERVICES_OF_A_POST)
            who = first_firm + (u[:, 0] * giants).astype(np.int64)
            services = np.minimum(poisson_quantile(u[:, 1], services_in_term), MOST_SERVICES_OF_A_POST)
            days = begin[:, None] + u[:, 2:] * term
            taken = (np.arange(MOST_SERVICES_OF_A_POST) < services[:, None]) & (days >= 0) & (days < horizon.end)
            firm.append(who)
            first_day.append(begin)
            service_firm.append(np.broadcast_to(who[:, None], days.shape)[taken])
            service_day.append(days[taken])
    empty = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    return Posts(
        np.concatenate(empty[0] + firm),
        np.concatenate(empty[1] + first_day),
        np.concatenate(empty[0] + service_firm),
        np.concatenate(empty[1] + service_day),
    )


def outreach(data: ServiceData, values: Values, streams: Streams) -> Floats:
    """Hospital services, visits and firms at briefings by (city, year) (M099, M116, M117): Poisson by city.

    They count only in the reading with outreach.
    """
    p, horizon = data.parameters, data.horizon
    visits = p.value("SP18", values) + p.value("SP19", values)
    total = np.zeros((len(data.cities), len(horizon.years)))
    lengths = horizon.lengths_years()
    for c, city in enumerate(data.cities):
        counties = data.counties.get(city, 0)
        for n, year in enumerate(horizon.years):
            u = streams.uniforms(PROCESS, city, year, 2, "outreach")
            events = poisson_quantile(u, counties * lengths[n] * np.array([visits, p.value("SP20", values)]))
            total[c, n] = events[0] + events[1] * round(p.value("SP21", values))
    return total


__all__ = [
    "OUTCOMES",
    "PROCESS",
    "Desk",
    "ServiceData",
    "enterprise_service_data",
    "serve",
    "simulate_enterprise_service",
    "uncertain_inputs",
]
