"""Where in a county what its plan builds will stand: extensions, new schools and converted rooms by planning zone.

The county's plan says how many rooms open in which year; here they are spread over the zones so that rooms lie where
classes lack, within the zone's limits. One small mixed-integer program for the few counties that build.
"""

# mypy: disable-error-code="untyped-decorator"
# (Pyomo's decorators carry no types.)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import pyomo.environ as pyo
from zjsim.models.seat_data import STAGES
from zjsim.models.seat_sites import Ints
from zjsim.models.seat_tables import CountyPlan
from zjsim.models.seat_zones import STAGE_NAMES, STAGE_OF_GRADE, Zones

from zjsim.solve.arrays import LimitError
from zjsim.solve.goals import Goal, lexicographic
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Optimal, Stopped


@dataclass(frozen=True)
class Building:
    """Rooms of a county by zone (Z), stage (2) and year (Y).

    ``rooms`` usable; ``extension``, ``schools``, ``school_rooms`` opened in the year; ``converted`` gained (junior) or
    given (primary, negative) in the year. ``too_small``: rooms missing to the smallest extension, 0 as a rule, and the
    proven ``bound`` of that number.
    """

    rooms: Ints
    extension: Ints
    schools: Ints
    school_rooms: Ints
    converted: Ints
    too_small: int
    bound: float


@dataclass(frozen=True)
class Site:
    """What the building rules need: the county's plan, its zones, and classes wanted by zone (Z, 2, Y)."""

    plan: CountyPlan
    zones: Zones
    here: slice
    wanted: Ints

    @property
    def every(self) -> range:
        """The county's zones, counted from 0."""
        return range(self.here.stop - self.here.start)


BuildingRule = Callable[[Any, Site], None]
BUILDING_RULES: dict[str, BuildingRule] = {}
"""Every rule by name, in the order in which it is added."""


def rule(function: BuildingRule) -> BuildingRule:
    """Register a rule under its function's name."""
    BUILDING_RULES[function.__name__] = function
    return function


@rule
def zones_build_what_the_county_builds(m: Any, t: Site) -> None:
    """The zones' extensions, schools and conversions are those of the county's plan.

    Σ_z extension[z,s,y] = extension of the county[s,y], the same for schools and their rooms; Σ_z converted[z,y] =
    converted of the county[y]; row: rooms, schools. M110.
    """
    p = t.plan

    @m.Constraint(STAGE_NAMES, p.county.years)
    def extensions_add_up(m: Any, s: str, y: int) -> Any:
        """Σ_z extension[z,s,y] = extension of the county[s,y]; rooms. M110."""
        return sum(m.extension[z, s, y] for z in t.every) == p.extension[s, y]

    @m.Constraint(STAGE_NAMES, p.county.years)
    def schools_add_up(m: Any, s: str, y: int) -> Any:
        """Σ_z schools[z,s,y] = schools of the county[s,y]; schools. M110."""
        return sum(m.schools[z, s, y] for z in t.every) == p.schools[s, y]

    @m.Constraint(STAGE_NAMES, p.county.years)
    def school_rooms_add_up(m: Any, s: str, y: int) -> Any:
        """Σ_z school_rooms[z,s,y] = school rooms of the county[s,y]; rooms. M110."""
        return sum(m.school_rooms[z, s, y] for z in t.every) == p.school_rooms[s, y]

    @m.Constraint(p.county.years)
    def conversions_add_up(m: Any, y: int) -> Any:
        """Σ_z converted[z,y] = converted rooms of the county[y]; rooms. M110."""
        return sum(m.converted[z, y] for z in t.every) == p.converted[y]


@rule
def extension_in_zone(m: Any, t: Site) -> None:
    """An extension of a zone has the smallest size and stays within what its grounds allow.

    minimum × extends[z,s,y] − too_small[z,s,y] <= extension[z,s,y] <= most[z,s] × extends[z,s,y]; Σ_y extension <=
    most[z,s]; row: rooms. M110.
    """
    d, most = t.plan.county, t.zones.extension_max[t.here]

    @m.Constraint(t.every, STAGE_NAMES, d.years)
    def zone_extension_at_least(m: Any, z: int, s: str, y: int) -> Any:
        """extension[z,s,y] + too_small[z,s,y] >= smallest extension × extends[z,s,y]; rooms. M110."""
        return m.extension[z, s, y] + m.too_small[z, s, y] >= d.stages[s].extension_rooms_min * m.extends[z, s, y]

    @m.Constraint(t.every, STAGE_NAMES, d.years)
    def zone_extension_at_most(m: Any, z: int, s: str, y: int) -> Any:
        """extension[z,s,y] <= most[z,s] × extends[z,s,y]; rooms. M110."""
        return m.extension[z, s, y] <= int(most[z, STAGE_NAMES.index(s)]) * m.extends[z, s, y]

    @m.Constraint(t.every, STAGE_NAMES)
    def zone_extension_in_all(m: Any, z: int, s: str) -> Any:
        """Σ_y extension[z,s,y] <= most[z,s]; rooms. M110."""
        return sum(m.extension[z, s, y] for y in d.years) <= int(most[z, STAGE_NAMES.index(s)])


@rule
def school_in_zone(m: Any, t: Site) -> None:
    """A new school has its size and stands on a site of the zone.

    minimum × schools[z,s,y] <= school_rooms[z,s,y] <= maximum × schools[z,s,y]; Σ_y schools[z,s,y] <= sites[z,s];
    row: rooms, schools. M110.
    """
    d, sites = t.plan.county, t.zones.sites[t.here]

    @m.Constraint(t.every, STAGE_NAMES, d.years)
    def zone_school_at_least(m: Any, z: int, s: str, y: int) -> Any:
        """school_rooms[z,s,y] >= smallest school × schools[z,s,y]; rooms. M110."""
        return m.school_rooms[z, s, y] >= d.stages[s].school_rooms_min * m.schools[z, s, y]

    @m.Constraint(t.every, STAGE_NAMES, d.years)
    def zone_school_at_most(m: Any, z: int, s: str, y: int) -> Any:
        """school_rooms[z,s,y] <= largest school × schools[z,s,y]; rooms. M110."""
        return m.school_rooms[z, s, y] <= d.stages[s].school_rooms_max * m.schools[z, s, y]

    @m.Constraint(t.every, STAGE_NAMES)
    def zone_sites(m: Any, z: int, s: str) -> Any:
        """Σ_y schools[z,s,y] <= sites[z,s]; schools. M110."""
        return sum(m.schools[z, s, y] for y in d.years) <= int(sites[z, STAGE_NAMES.index(s)])


@rule
def site_in_zone(m: Any, t: Site) -> None:
    """Extensions stand on the free ground of their zone's schools, new schools on sites of the norm's size.

    site of a class[s] × Σ_y extension[z,s,y] <= free site[z,s]; site of a class[s] × school_rooms[z,s,y] <= area of a
    site × schools[z,s,y]; no row where ground or norm is not known; row: m². M110.
    """
    d, free = t.plan.county, t.zones.free_site_m2[t.here]

    @m.Constraint(t.every, STAGE_NAMES)
    def zone_extension_site(m: Any, z: int, s: str) -> Any:
        """Ground of extensions: site of a class × Σ_y extension[z,s,y] <= free site[z,s]; m². M110."""
        each, there = d.stages[s].room_site_m2, float(free[z, STAGE_NAMES.index(s)])
        if not each or there == inf:
            return pyo.Constraint.Skip
        return each * sum(m.extension[z, s, y] for y in d.years) <= there

    @m.Constraint(t.every, STAGE_NAMES, d.years)
    def zone_school_site(m: Any, z: int, s: str, y: int) -> Any:
        """Ground of new schools: site of a class × school_rooms[z,s,y] <= area of a site × schools[z,s,y]; m². M110."""
        each, area = d.stages[s].room_site_m2, d.stages[s].new_site_m2
        if not each or area == inf:
            return pyo.Constraint.Skip
        return each * m.school_rooms[z, s, y] <= area * m.schools[z, s, y]


@rule
def conversion_in_zone(m: Any, t: Site) -> None:
    """Rooms converted in a zone are primary rooms that stand there, and stay converted.

    converted[z,y−1] <= converted[z,y] <= primary classrooms[z]; row: rooms. M110.
    """
    d, rooms = t.plan.county, t.zones.classrooms[t.here]

    @m.Constraint(t.every, d.years)
    def zone_conversion_stays(m: Any, z: int, y: int) -> Any:
        """converted[z,y] >= converted[z,y−1]; rooms. M110."""
        return pyo.Constraint.Skip if y == d.years[0] else m.converted[z, y] >= m.converted[z, y - 1]

    @m.Constraint(t.every, d.years)
    def zone_conversion_at_most(m: Any, z: int, y: int) -> Any:
        """converted[z,y] <= primary classrooms[z]; rooms. M110."""
        return m.converted[z, y] <= int(rooms[z, 0])


@rule
def rooms_where_classes_lack(m: Any, t: Site) -> None:
    """Rooms that a zone lacks for the classes in which it could seat its own children.

    lacking[z,s,y] >= classes wanted[z,s,y] − rooms[z,s,y]; row: rooms. M110.
    """
    d, rooms = t.plan.county, t.zones.classrooms[t.here]

    @m.Constraint(t.every, STAGE_NAMES, d.years)
    def rooms_where_classes_lack(m: Any, z: int, s: str, y: int) -> Any:
        """lacking[z,s,y] >= classes wanted[z,s,y] − rooms[z,s,y]; rooms. M110."""
        k = STAGE_NAMES.index(s)
        there = int(rooms[z, k]) + sum(m.extension[z, s, i] + m.school_rooms[z, s, i] for i in d.years if i <= y)
        there += m.converted[z, y] if s == "junior" else -m.converted[z, y]
        return m.lacking[z, s, y] >= int(t.wanted[z, k, y - d.years[0]]) - there


def built(plan: CountyPlan, zones: Zones, options: Options) -> Building:
    """Where the county's rooms stand; without building, those of today."""
    here = zones.of(plan.county.code)
    n, years = here.stop - here.start, plan.county.years
    none = np.zeros((n, len(STAGES), len(years)), dtype=np.int64)
    if not any(plan.extension.values()) and not any(plan.schools.values()) and not any(plan.converted.values()):
        rooms = np.broadcast_to(zones.classrooms[here][:, :, None], none.shape).copy()
        return Building(rooms, none, none, none, none, 0, 0.0)
    t = Site(plan, zones, here, _wanted(plan, zones, here))
    m = build(t)
    goals = (
        Goal("too_small", "minimise", pyo.quicksum(m.too_small.values()), "rooms"),
        Goal("lacking", "minimise", pyo.quicksum(m.lacking.values()), "room-years"),
    )
    result = lexicographic(m, goals, options)
    if isinstance(result, Stopped):
        raise LimitError(result.reason)
    if not isinstance(result, Optimal | Feasible):
        raise RuntimeError(f"{plan.county.name_en}: what the county builds does not fit its zones")

    def read(v: Any) -> Ints:
        """The values of a variable as whole numbers: (zone, stage, year)."""
        return np.array([[[round(v[z, s, y].value or 0) for y in years] for s in STAGES] for z in t.every])

    extension, school_rooms = read(m.extension), read(m.school_rooms)
    total = np.array([[round(m.converted[z, y].value or 0) for y in years] for z in t.every])
    change = np.diff(total, axis=1, prepend=0)
    converted = np.stack([-change, change], axis=1)
    opened = np.cumsum(extension + school_rooms + converted, axis=2)
    small = result.stages[0]
    rooms = zones.classrooms[here][:, :, None] + opened
    return Building(rooms, extension, read(m.schools), school_rooms, converted, round(small.value), small.bound)


def build(t: Site) -> pyo.ConcreteModel:
    """The model of one county's building by zone, without goals."""
    m, d = pyo.ConcreteModel(), t.plan.county
    whole, cells = pyo.NonNegativeIntegers, (list(t.every), list(STAGES), list(d.years))
    m.extension, m.school_rooms, m.schools = (pyo.Var(*cells, domain=whole) for _ in range(3))
    m.extends = pyo.Var(*cells, domain=pyo.Binary)
    m.too_small = pyo.Var(*cells, domain=whole)
    m.converted = pyo.Var(list(t.every), list(d.years), domain=whole)
    m.lacking = pyo.Var(*cells, domain=whole)
    for add in BUILDING_RULES.values():
        add(m, t)
    return m


def _wanted(plan: CountyPlan, zones: Zones, here: slice) -> Ints:
    """Classes in which each zone could seat its local and guaranteed children, by stage and year."""
    usable = np.array([max(1, plan.county.stages[s].usable_seats_per_class) for s in STAGE_NAMES])
    children = zones.local[here] + zones.guaranteed[here]
    classes = -(-children // usable[STAGE_OF_GRADE][None, :, None])
    return np.stack([classes[:, k == STAGE_OF_GRADE].sum(axis=1) for k in range(len(STAGES))], axis=1)
