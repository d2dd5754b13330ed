"""Where and when to open: the rules that platforms, county campuses, practice centres and kindergartens share.

A capacitated facility location over several years. Sets: options ``o`` (a kind of facility, its host, its place and
what it serves), years ``t`` in which a start still opens within the horizon, places ``s`` (county and service), needs
``d`` (county and group), and arcs ``(s, d)`` within reach. Variables, all whole numbers: ``open[o]`` facilities opened,
``start[k, h, t]`` facilities of kind ``k`` begun by host ``h`` in year ``t``, ``serve[s, d]`` units of need served,
``cover[d, l]`` units of need covered in step ``l``, ``reached[c]`` 1 when county ``c`` is served at all, ``towards[k]``
facilities of kind ``k`` that count towards a target.

Each rule is one function with its purpose, inequality, unit and clause; :data:`RULES` is their register. Which rules
are in force depends on what the data give: a theme without hosts has no rule on hosts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyomo.environ as pyo

from zjsim.solve.matrix import total

THOUSAND = 1000


class Option(NamedTuple):
    """A facility that may be opened: its kind, hosting institution ("" for none), county and service there."""

    kind: str
    host: str
    county: str
    service: str


class Place(NamedTuple):
    """Where need is met: a county and what is served there (an industry, or the theme's one service)."""

    county: str
    service: str


class Need(NamedTuple):
    """Where need arises: a county and the group in need."""

    county: str
    group: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One facility of a kind: units of need it can serve and must serve, staff, cost points, months to set up."""

    capacity: int
    minimum_served: int = 0
    staff: int = 0
    cost: int = 0
    months: float = 0


@dataclass(frozen=True, slots=True)
class LocationData:
    """All that one theme needs. ``misfit`` (0-100) says how badly a host suits an option; 0 where there is no host.

    ``years`` are those in which a start of the kind still opens in time. ``need`` is in units of the theme;
    ``priority`` orders the groups (0 first). ``staff`` and ``starts_of_host`` bound hosts, ``starts`` kinds and
    years, ``city_cost`` a city over all years, ``year_cost`` the province up to and including a year.
    ``most_in_county`` bounds kinds by county. ``steps`` are the falling weights of equal parts of every need;
    ``county_points`` what a county reached counts within the coverage (0: a goal of its own). ``wanted`` is how many of
    a kind a target wants begun; it bounds nothing and is a goal, before the need only with ``targets_first``.
    """

    theme: str
    kinds: Mapping[str, Kind]
    options: tuple[Option, ...]
    years: Mapping[str, tuple[int, ...]]
    need: Mapping[Need, int]
    arcs: Mapping[tuple[Place, Need], float]
    misfit: Mapping[Option, int] = field(default_factory=dict)
    priority: Mapping[str, int] = field(default_factory=dict)
    steps: tuple[int, ...] = (1,)
    staff: Mapping[str, int] = field(default_factory=dict)
    starts_of_host: Mapping[str, int] = field(default_factory=dict)
    starts: Mapping[tuple[str, int], int] = field(default_factory=dict)
    city_cost: Mapping[str, int] = field(default_factory=dict)
    year_cost: Mapping[int, int] = field(default_factory=dict)
    most_in_county: Mapping[tuple[str, str], int] = field(default_factory=dict)
    mountain_island: frozenset[str] = frozenset()
    mountain_island_share: float = 0.0
    largest_city_share: float = 1.0
    openings_per_city: Mapping[str, int] = field(default_factory=dict)
    county_points: int = 0
    wanted: Mapping[str, int] = field(default_factory=dict)
    targets_first: bool = False
    own_group: str = ""
    how_far: bool = False

    @property
    def all_years(self) -> tuple[int, ...]:
        """Years with any start."""
        return tuple(sorted({t for years in self.years.values() for t in years}))


def city_of(county: str) -> str:
    """The city a county belongs to (GB/T 2260)."""
    return county[:4] + "00"


def counted_once(m: pyo.ConcreteModel) -> None:
    """What is counted as covered is served somewhere, once.

    sum over l of cover[d, l] = sum over s of serve[s, d] for every need d, with 0 <= cover[d, l] <= part l of the need.
    Unit of the row: the theme's (firms, person-times a year, children). M009, M013, M049, M060, M104.
    """
    m.counted_once = pyo.Constraint(
        m.needs,
        rule=lambda m, *d: (
            total([*(m.cover[*d, k] for k in m.steps_of[Need(*d)]), *(-m.serve[a] for a in m.arcs_to[Need(*d)])]) == 0
        ),
    )


def within_capacity(m: pyo.ConcreteModel) -> None:
    """A place serves no more than the facilities opened there can.

    sum over d of serve[s, d] <= sum over o at s of capacity[kind of o] open[o] for every place s. Unit of the row: the
    theme's. M013, M049, M060, M104.
    """
    m.within_capacity = pyo.Constraint(
        m.places,
        rule=lambda m, *s: (
            total([*(m.serve[a] for a in m.arcs_from[Place(*s)]), *_weighted(m, Place(*s), "capacity", -1)]) <= 0
        ),
    )


def worth_opening(m: pyo.ConcreteModel) -> None:
    """Nothing is opened that would serve less than its kind must: counts are no end in themselves.

    sum over d of serve[s, d] >= sum over o at s of minimum_served[kind of o] open[o] for every place s. Unit of the
    row: the theme's. M015, M049, M060, M104.
    """
    m.worth_opening = pyo.Constraint(
        m.places,
        rule=lambda m, *s: (
            total([*(m.serve[a] for a in m.arcs_from[Place(*s)]), *_weighted(m, Place(*s), "minimum_served", -1)]) >= 0
        ),
    )


def begun_some_year(m: pyo.ConcreteModel) -> None:
    """What is opened was begun in a year that leaves it time to open.

    sum over o of kind k and host h of open[o] = sum over t of start[k, h, t] for every kind k and host h. Unit of the
    row: facilities. M009, M013-M015, M049, M060, M104.
    """
    m.begun_some_year = pyo.Constraint(
        sorted(m.by_kind_host),
        rule=lambda m, k, h: (
            total([*(m.open[o] for o in m.by_kind_host[k, h]), *(-m.start[k, h, t] for t in m.data.years[k])]) == 0
        ),
    )


def staff_of_host(m: pyo.ConcreteModel) -> None:
    """An institution gives no more persons or teachers than it has free.

    sum over o of host h of staff[kind of o] open[o] <= staff[h] for every host h. Unit of the row: persons.
    M011, M013, M060.
    """
    m.staff_of_host = pyo.Constraint(
        sorted(m.data.staff),
        rule=lambda m, h: total(m.data.kinds[o.kind].staff * m.open[o] for o in m.of_host[h]) <= m.data.staff[h],
    )


def starts_of_host(m: pyo.ConcreteModel) -> None:
    """An institution begins only so many in one year.

    sum over k of start[k, h, t] <= starts_of_host[h] for every host h and year t. Unit of the row: facilities. M013,
    M060.
    """
    m.starts_of_host = pyo.Constraint(
        [(h, t) for h in sorted(m.data.starts_of_host) for t in m.data.all_years],
        rule=lambda m, h, t: total(m.start[i] for i in m.started if i[1:] == (h, t)) <= m.data.starts_of_host[h],
    )


def starts_of_year(m: pyo.ConcreteModel) -> None:
    """The province begins no more of a kind in a year than it has shown it can; what a target asks for is no limit.

    sum over h of start[k, h, t] <= starts[k, t] for every kind k and year t. Unit of the row: facilities. M009,
    M013-M015, M049, M060, M104.
    """
    m.starts_of_year = pyo.Constraint(
        sorted(m.data.starts),
        rule=lambda m, k, t: total(m.start[i] for i in m.started if (i[0], i[2]) == (k, t)) <= m.data.starts[k, t],
    )


def cost_of_city(m: pyo.ConcreteModel) -> None:
    """What is opened in a city over the plan costs no more than the city's limit.

    sum over o in city c of cost[kind of o] open[o] <= city_cost[c] for every city c. Unit of the row: cost points.
    M013, M049, M060, M104, M123.
    """
    m.cost_of_city = pyo.Constraint(
        sorted(m.data.city_cost),
        rule=lambda m, c: total(m.data.kinds[o.kind].cost * m.open[o] for o in m.of_city[c]) <= m.data.city_cost[c],
    )


def cost_of_year(m: pyo.ConcreteModel) -> None:
    """The province commits no more up to a year than its limits up to that year; what is left stays for later.

    sum over k, h and t <= y of cost[k] start[k, h, t] <= year_cost[y] for every year y. Unit of the row: cost points.
    M013, M049, M060, M104.
    """
    m.cost_of_year = pyo.Constraint(
        sorted(m.data.year_cost),
        rule=lambda m, y: (
            total(m.data.kinds[i[0]].cost * m.start[i] for i in m.started if i[2] <= y) <= m.data.year_cost[y]
        ),
    )


def most_in_county(m: pyo.ConcreteModel) -> None:
    """A county takes only so many of a kind: one institute, one campus or industry college, a kindergarten a park.

    sum over o in county c of the kinds bounded together of open[o] <= most[kinds, c]. Unit of the row: facilities.
    M009, M049, M060, M104.
    """
    m.most_in_county = pyo.Constraint(
        sorted(m.data.most_in_county),
        rule=lambda m, kinds, c: (
            total(m.open[o] for o in m.options if o.county == c and o.kind in kinds.split(";"))
            <= m.data.most_in_county[kinds, c]
        ),
    )


def mountain_island_floor(m: pyo.ConcreteModel) -> None:
    """Mountain and island counties have at least their share of what is opened (rounded down).

    1000 sum over o in such counties of open[o] >= 1000 share sum over o of open[o] - 999. Unit of the row: thousandths
    of a facility. M013, M060, M104 (equity: assumption of the scenario).
    """
    share = round(m.data.mountain_island_share * THOUSAND)
    m.mountain_island_floor = pyo.Constraint(
        expr=total(((THOUSAND if o.county in m.data.mountain_island else 0) - share) * m.open[o] for o in m.options)
        >= -999
    )


def city_floor(m: pyo.ConcreteModel) -> None:
    """Every city gets at least so many.

    sum over o in city c of open[o] >= floor[c] for every city c. Unit of the row: facilities. M013, M049,
    M060, M104 (spread over cities: assumption of the scenario).
    """
    m.city_floor = pyo.Constraint(
        sorted(m.data.openings_per_city),
        rule=lambda m, c: total(m.open[o] for o in m.of_city[c]) >= m.data.openings_per_city[c],
    )


def city_ceiling(m: pyo.ConcreteModel) -> None:
    """No city takes more than its largest share of what is opened (one is always allowed).

    1000 sum over o in city c of open[o] <= 1000 share sum over o of open[o] + 1000 (1 - share) for every city c. Unit
    of the row: thousandths of a facility. M013, M049, M060, M104 (spread: assumption).
    """
    share = round(m.data.largest_city_share * THOUSAND)
    m.city_ceiling = pyo.Constraint(
        m.cities,
        rule=lambda m, c: (
            total(((THOUSAND if city_of(o.county) == c else 0) - share) * m.open[o] for o in m.options)
            <= THOUSAND - share
        ),
    )


def county_reached(m: pyo.ConcreteModel) -> None:
    """A county counts as reached only where some of its need is served.

    reached[c] <= sum over needs d of c and places s of serve[s, d] for every county c. Unit of the row: counties. M009,
    M013, M049, M060, M104.
    """
    m.county_reached = pyo.Constraint(
        m.counties, rule=lambda m, c: total([m.reached[c], *(-m.serve[a] for a in m.into_county[c])]) <= 0
    )


def towards_target(m: pyo.ConcreteModel) -> None:
    """Towards a target counts what is opened, and no more than the target wants.

    towards[k] <= sum over o of kind k of open[o], with 0 <= towards[k] <= wanted[k], for every kind k that a target
    counts. Unit of the row: facilities. M013, M015, M049.
    """
    m.towards_target = pyo.Constraint(
        sorted(m.data.wanted),
        rule=lambda m, k: total([m.towards[k], *(-m.open[o] for o in m.options if o.kind == k)]) <= 0,
    )


def employees_first(m: pyo.ConcreteModel) -> None:
    """Other children get only places that the employees' children within reach of the place leave.

    serve[s, d] <= M full[s, e] and cover of e >= need[e] full[s, e], for every place s, need d of others and need e of
    employees' children that s reaches; M = min(need[d], what the place can ever hold). Unit of the row: children. M105.
    """
    own = m.data.own_group
    pairs = [
        (s, a, e)
        for s, arcs in sorted(m.arcs_from.items())
        for a in arcs
        if a[3] != own
        for e in sorted({Need(*b[2:]) for b in arcs if b[3] == own})
    ]
    m.full = pyo.Var(sorted({e for _, _, e in pairs}), domain=pyo.Binary)
    m.employees_first = pyo.Constraint(pyo.Any)
    for e in sorted({e for _, _, e in pairs}):
        arcs = [m.serve[a] for a in m.arcs_to[e]]
        m.employees_first["served", *e] = total([*arcs, -m.data.need[e] * m.full[e]]) >= 0
    for s, a, e in pairs:
        m.employees_first["then", *s, *a[2:], *e] = total([m.serve[a], -m.data.need[Need(*a[2:])] * m.full[e]]) <= 0


RULES: dict[str, Callable[[pyo.ConcreteModel], None]] = {
    rule.__name__: rule
    for rule in (
        counted_once,
        within_capacity,
        worth_opening,
        county_reached,
        towards_target,
        employees_first,
        most_in_county,
        begun_some_year,
        starts_of_host,
        staff_of_host,
        starts_of_year,
        cost_of_year,
        cost_of_city,
        city_ceiling,
        mountain_island_floor,
        city_floor,
    )
}
"""Every rule of the location plans by name."""


def rules_in_force(data: LocationData) -> tuple[str, ...]:
    """The rules that the data give something to say."""
    given = {
        "towards_target": bool(data.wanted),
        "employees_first": bool(data.own_group),
        "most_in_county": bool(data.most_in_county),
        "starts_of_host": bool(data.starts_of_host),
        "staff_of_host": bool(data.staff),
        "starts_of_year": bool(data.starts),
        "cost_of_year": bool(data.year_cost),
        "cost_of_city": bool(data.city_cost),
        "city_ceiling": data.largest_city_share < 1,
        "mountain_island_floor": data.mountain_island_share > 0,
        "city_floor": bool(data.openings_per_city),
    }
    return tuple(name for name in RULES if given.get(name, True))


def build_location_model(data: LocationData, without: Collection[str] = ()) -> pyo.ConcreteModel:
    """The model of ``data``; ``without`` names rules to leave out (used to test that each one matters)."""
    m = pyo.ConcreteModel(data.theme)
    m.data = data
    m.options = sorted(data.options)
    m.by_kind_host = _grouped(m.options, lambda o: (o.kind, o.host), ())
    m.started = [(k, h, t) for k, h in sorted(m.by_kind_host) for t in data.years[k]]
    here = {Place(o.county, o.service) for o in data.options}
    arcs = sorted((*s, *d) for s, d in data.arcs if s in here and d in data.need)
    m.places = pyo.Set(initialize=sorted(here), dimen=2, ordered=True)
    m.needs = pyo.Set(initialize=sorted(data.need), dimen=2, ordered=True)
    m.counties = pyo.Set(initialize=sorted({d.county for d in data.need}), ordered=True)
    m.cities = sorted({city_of(o.county) for o in data.options})
    m.arcs_from = _grouped(arcs, lambda a: Place(*a[:2]), here)
    m.arcs_to = _grouped(arcs, lambda a: Need(*a[2:]), data.need)
    m.into_county = _grouped(arcs, lambda a: a[2], m.counties)
    m.at_place = _grouped(m.options, lambda o: Place(o.county, o.service), here)
    m.of_host = _grouped(m.options, lambda o: o.host, data.staff)
    m.of_city = _grouped(m.options, lambda o: city_of(o.county), {*data.city_cost, *data.openings_per_city})
    parts = {d: parts_of(n, len(data.steps)) for d, n in data.need.items()}
    m.steps_of = {d: [k for k, n in enumerate(parts[d]) if n] for d in data.need}
    bound = {(*d, k): n for d, ns in parts.items() for k, n in enumerate(ns) if n}
    m.open = pyo.Var(m.options, domain=pyo.NonNegativeIntegers)
    m.start = pyo.Var(m.started, domain=pyo.NonNegativeIntegers)
    m.serve = pyo.Var(arcs, domain=pyo.NonNegativeIntegers)
    m.cover = pyo.Var(sorted(bound), domain=pyo.NonNegativeIntegers, bounds=lambda m, *i: (0, bound[i]))
    m.reached = pyo.Var(m.counties, domain=pyo.Binary)
    m.towards = pyo.Var(sorted(data.wanted), domain=pyo.NonNegativeIntegers, bounds=lambda m, k: (0, m.data.wanted[k]))
    for name in rules_in_force(data):
        if name not in without:
            RULES[name](m)
    return m


def parts_of(amount: int, count: int) -> tuple[int, ...]:
    """``amount`` in ``count`` equal whole parts, the earlier ones larger where it does not divide."""
    return tuple(amount // count + (k < amount % count) for k in range(count))


def _weighted(m: pyo.ConcreteModel, s: Place, what: str, sign: int) -> list[Any]:
    return [sign * getattr(m.data.kinds[o.kind], what) * m.open[o] for o in m.at_place[s]]


def _grouped(items: Iterable[Any], key: Callable[[Any], Any], every: Iterable[Any]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list, {k: [] for k in every})
    for item in items:
        groups[key(item)].append(item)
    return groups
