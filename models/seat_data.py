"""What one county's seat plan starts from: children, classes, rooms, options and money, read from the registries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from math import floor, inf
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from zjsim.models.seat_sites import area_or_inf, room_site_m2, rooms_that_fit, spread

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario.parameters import Parameters, SeatParameters

GRADES = tuple(range(1, 10))
STAGES: dict[str, tuple[int, ...]] = {"primary": (1, 2, 3, 4, 5, 6), "junior": (7, 8, 9)}
STAGE_OF = {g: s for s, grades in STAGES.items() for g in grades}
COVERED_COLUMN = {
    "permit_holders": "permit_holders",
    "county_rule": "eligible_children",
    "all_residents": "migrant_children",
}
"""Column of ``seat_demand`` that a coverage reading guarantees a place."""
YUAN = 10_000
"""Money inside the models is in 10,000 yuan (万元)."""


class HasTables(Protocol):
    """A scenario, as far as the seat models need it."""

    @property
    def parameters(self) -> Parameters: ...  # noqa: D102

    def table(self, name: str) -> pd.DataFrame: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Stage:
    """What a county can do in a stage. Money in 10,000 yuan; ``staffed_classes`` (staff ÷ staff per class) by year.

    Ground in m²: ``room_site_m2`` a class needs by the norm, ``free_site_m2`` free at the schools that stand (whole
    rooms by zone, see :mod:`zjsim.models.seat_sites`), ``new_site_m2`` of a site for a new school; infinite where not
    known. ``staff_now`` and ``staff`` (by year): persons there are, and that there can be. ``more_rooms``,
    ``more_staffed`` and ``more_places`` (by year) are what a repair adds to classrooms, classes with staff and
    purchasable places. ``norm_seats_per_class``: norm of class size times the capacity factor, for a repair where no
    school stands and the registry names no seats of a class.
    """

    usable_seats_per_class: int
    classrooms: int
    base_classes: int
    extension_rooms_max: int
    extension_rooms_min: int
    extension_cost: float
    extension_from: int
    extension_instalments: int
    school_sites: int
    school_rooms_min: int
    school_rooms_max: int
    school_cost: float
    school_from: int
    school_instalments: int
    equip_cost: float
    running_cost: float
    staff_per_class: float
    staffed_classes: Mapping[int, int]
    purchase_places_max: int
    purchase_price: float
    room_site_m2: float = 0.0
    free_site_m2: float = inf
    new_site_m2: float = inf
    staff_now: float = 0.0
    staff: Mapping[int, float] = field(default_factory=dict)
    more_rooms: Mapping[int, int] = field(default_factory=dict)
    more_staffed: Mapping[int, int] = field(default_factory=dict)
    more_places: Mapping[int, int] = field(default_factory=dict)
    norm_seats_per_class: int = 0

    @property
    def without_any_school(self) -> bool:
        """No room stands and no class has seats: only a repair by the norm can add a class."""
        return not self.classrooms and not self.usable_seats_per_class and self.norm_seats_per_class > 0

    @property
    def extension_rooms_that_fit(self) -> int:
        """Rooms that extensions may add in all: the registry's limit and the ground left by the norm of site."""
        if not self.room_site_m2 or self.free_site_m2 == inf:
            return self.extension_rooms_max
        return min(self.extension_rooms_max, floor(self.free_site_m2 / self.room_site_m2 + 1e-9))

    @property
    def school_rooms_that_fit(self) -> int:
        """Rooms of one new school at most: the registry's limit and the area of a site."""
        if not self.room_site_m2 or self.new_site_m2 == inf:
            return self.school_rooms_max
        return min(self.school_rooms_max, floor(self.new_site_m2 / self.room_site_m2 + 1e-9))


@dataclass(frozen=True, slots=True)
class Switches:
    """What a scenario asks for on top of the plan, as its parameters of the same names say; by default nothing.

    ``conversion_rooms_max`` primary rooms may become junior ones at ``conversion_cost`` (10,000 yuan) each. ``hard``
    names goals that must be zero (:mod:`zjsim.models.seat_hard`).
    """

    indicator_share: float = 0.0
    permit_guarantee_from: int = 0
    private_share_cap: float = 1.0
    conversion_rooms_max: int = 0
    conversion_cost: float = 0.0
    hard: tuple[str, ...] = ()


@dataclass(frozen=True)
class County:
    """One county's planning problem. Keys of the mappings are (grade, year), (year) or stage names.

    ``covered`` are the migrant children guaranteed a place under the chosen reading; ``classes_now`` the classes by
    grade of the last school year before the plan; ``classes_base`` those of later years if nothing is decided.
    ``permit`` are the children of families with a permit (needed where the switch asks for their public seats).
    """

    code: str
    name_zh: str
    name_en: str
    city_code: str
    years: tuple[int, ...]
    local: Mapping[tuple[int, int], int]
    migrant: Mapping[tuple[int, int], int]
    covered: Mapping[tuple[int, int], int]
    classes_now: Mapping[int, int]
    classes_base: Mapping[tuple[int, int], int]
    private_places: Mapping[tuple[str, int], int]
    base_public_share: float
    budget: Mapping[int, float]
    stages: Mapping[str, Stage]
    permit: Mapping[tuple[int, int], int] = field(default_factory=dict)
    switches: Switches = Switches()

    @cached_property
    def migrants_of_year(self) -> dict[int, int]:
        """All migrant children of compulsory school, by year."""
        return {y: sum(self.migrant[g, y] for g in GRADES) for y in self.years}

    def most_classes(self, g: int, y: int) -> int:
        """Classes that seat every child of the grade: more are never opened."""
        usable = self.stages[STAGE_OF[g]].usable_seats_per_class
        return -(-(self.local[g, y] + self.migrant[g, y]) // usable) if usable else 0


def first_year(as_of: date, lead_months: int) -> int:
    """The first school year (opening on 1 September) for what is begun the day after ``as_of``."""
    year, month = divmod(as_of.year * 12 + as_of.month + lead_months - 1, 12)  # the last month of the work, from 0
    return year if month < 8 else year + 1


def instalments(lead_months: int) -> int:
    """Calendar years over which building is paid for, the year of opening being the last."""
    return max(1, -(-lead_months // 12))


def horizon_problem(scenario: HasTables) -> tuple[int, int] | None:
    """(wanted, available) last school years where the registries end before ``time.seat_horizon``, else ``None``."""
    wanted, last = scenario.parameters.time.seat_horizon, int(scenario.table("seat_demand")["year"].max())
    return (wanted, last) if last < wanted else None


def counties(scenario: HasTables, first: int | None = None) -> list[County]:
    """Every county of the registry ``counties`` as a planning problem, in the order of their codes.

    ``first`` is the first school year (None: the one after the year of the as-of date).
    """
    parameters = scenario.parameters
    time = parameters.time
    years = tuple(range(time.as_of.year + 1 if first is None else first, time.seat_horizon + 1))
    demand = _by_county(scenario.table("seat_demand"))
    capacity = _by_county(scenario.table("seat_capacity"))
    options = _by_county(scenario.table("seat_options"))
    budgets = _by_county(scenario.table("seat_budgets"))
    shares = scenario.table("migrant_calibration").set_index("county_code")["public_share"]
    areas = _by_county(scenario.table("seat_zones"))
    covered = COVERED_COLUMN[parameters.seats.coverage_reading]
    sizes = _norm_seats(scenario.table("seat_norms"))
    found = []
    for row in scenario.table("counties").sort_values("county_code").itertuples(index=False):
        code = str(row.county_code)
        d, c = _grid(demand.get(code)), _grid(capacity.get(code))
        budget = budgets.get(code)
        money = {} if budget is None else dict(zip(budget["year"], budget["budget_yuan"] / YUAN, strict=True))
        now = {g: c.get("public_classes", {}).get((g, time.as_of.year), 0) for g in GRADES}
        places = c.get("private_places", {})
        found.append(
            County(
                code=code,
                name_zh=str(row.name_zh),
                name_en=str(row.name_en),
                city_code=str(row.city_code),
                years=years,
                local=_window(d, "local_children", years),
                migrant=_window(d, "migrant_children", years),
                covered=_window(d, covered, years),
                classes_now=now,
                classes_base=_window(c, "public_classes", years),
                private_places={
                    (s, y): sum(places.get((g, y), 0) for g in grades) for s, grades in STAGES.items() for y in years
                },
                base_public_share=float(shares.get(code, 0.0)),
                budget={y: float(money.get(y, 0.0)) for y in years},
                stages=(stages := _stages(options.get(code), now, years, time.as_of, areas.get(code), sizes)),
                permit=_window(d, "permit_holders", years),
                switches=_switches(parameters.seats, stages["primary"].classrooms),
            )
        )
    return found


def _switches(asked: SeatParameters, primary_rooms: int) -> Switches:
    return Switches(
        indicator_share=asked.indicator_share,
        permit_guarantee_from=asked.permit_guarantee_from,
        private_share_cap=asked.private_share_cap,
        conversion_rooms_max=floor(primary_rooms * asked.conversion_share_max) if asked.convert_primary_rooms else 0,
        conversion_cost=asked.conversion_yuan_per_room / YUAN,
        hard=tuple(asked.hard_goals),
    )


def _stages(
    options: pd.DataFrame | None,
    now: Mapping[int, int],
    years: tuple[int, ...],
    as_of: date,
    areas: pd.DataFrame | None,
    sizes: Mapping[str, int],
) -> dict[str, Stage]:
    rows: dict[str, Any] = {} if options is None else {str(r["stage"]): r for r in options.to_dict("records")}
    found = {s: _stage(rows.get(s), sum(now[g] for g in STAGES[s]), years, as_of, areas) for s in STAGES}
    return {s: replace(stage, norm_seats_per_class=sizes.get(s, 0)) for s, stage in found.items()}


def _norm_seats(norms: pd.DataFrame) -> dict[str, int]:
    """Usable seats of a class by stage: the norm of class size times the capacity factor, rounded down."""
    value = dict(zip(norms["norm_id"].astype(str), norms["value"].astype(float), strict=True))
    factor = value.get("model_capacity_factor", 1.0)
    return {s: floor(value.get(f"model_class_norm_{s}", 0.0) * factor + 1e-9) for s in STAGES}


def _free_site_m2(row: Mapping[str, Any], room_m2: float, areas: pd.DataFrame | None) -> float:
    """Ground free for extensions (m²): whole rooms, added up over the county's zones; infinite where not known."""
    site = area_or_inf(float(row["site_m2"]))
    if not room_m2 or site == inf:
        return inf
    stands, ground = np.ones(1), np.ones(1)
    if areas is not None and (areas["stage"] == row["stage"]).any():
        here = areas[areas["stage"] == row["stage"]].sort_values("zone_id")
        stands = here["share_classrooms"].to_numpy(dtype=float)
        ground = here["share_site"].fillna(here["share_classrooms"]).to_numpy(dtype=float)
    rooms = spread(stands, np.array(int(row["classrooms"]), dtype=np.int64))
    return float(rooms_that_fit(rooms, ground * site, room_m2, int(row["extension_rooms_min"])).sum() * room_m2)


def _stage(
    row: Mapping[str, Any] | None, base: int, years: tuple[int, ...], as_of: date, areas: pd.DataFrame | None
) -> Stage:
    """One stage from its row of ``seat_options``; without a row there is no room, no option and no staff."""
    if row is None:
        none = (0, 0, base, 0, 0, 0.0, years[-1] + 1, 1, 0, 0, 0, 0.0, years[-1] + 1, 1, 0.0, 0.0, 0.0)
        return Stage(*none, dict.fromkeys(years, 0), 0, 0.0)
    room_m2 = room_site_m2(float(row["usable_seats_per_class"]), float(row["site_m2_per_pupil"]))
    staff, growth, each = (float(row[k]) for k in ("staff_available", "staff_growth_per_year", "staff_per_class"))
    unlimited = int(row["classrooms"] + row["extension_rooms_max"] + row["school_sites"] * row["school_rooms_max"])
    staffed = {
        y: min(floor(staff * (1 + growth) ** (y - as_of.year) / each + 1e-6), unlimited) if each else unlimited
        for y in years
    }
    extension, school = int(row["extension_lead_months"]), int(row["school_lead_months"])
    return Stage(
        usable_seats_per_class=int(row["usable_seats_per_class"]),
        classrooms=int(row["classrooms"]),
        base_classes=base,
        extension_rooms_max=int(row["extension_rooms_max"]),
        extension_rooms_min=int(row["extension_rooms_min"]),
        extension_cost=row["extension_yuan_per_room"] / YUAN,
        extension_from=first_year(as_of, extension),
        extension_instalments=instalments(extension),
        school_sites=int(row["school_sites"]),
        school_rooms_min=int(row["school_rooms_min"]),
        school_rooms_max=int(row["school_rooms_max"]),
        school_cost=row["school_yuan_per_room"] / YUAN,
        school_from=first_year(as_of, school),
        school_instalments=instalments(school),
        equip_cost=row["equip_yuan_per_class"] / YUAN,
        running_cost=row["running_yuan_per_class"] / YUAN,
        staff_per_class=each,
        staffed_classes=staffed,
        purchase_places_max=int(row["purchase_places_max"]),
        purchase_price=row["purchase_yuan_per_place"] / YUAN,
        room_site_m2=room_m2,
        free_site_m2=_free_site_m2(row, room_m2, areas),
        new_site_m2=area_or_inf(float(row["new_site_m2"])),
        staff_now=staff,
        staff={y: staff * (1 + growth) ** (y - as_of.year) for y in years},
    )


def _by_county(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(code): rows for code, rows in table.groupby("county_code", sort=True)}


def _grid(rows: pd.DataFrame | None) -> dict[str, dict[tuple[int, int], int]]:
    """Every number column of a county × year × grade table as a mapping (grade, year) → whole number."""
    if rows is None:
        return {}
    keys = list(zip(rows["grade"].tolist(), rows["year"].tolist(), strict=True))
    names = [n for n in rows.columns if rows[n].dtype.kind in "iu" and n not in ("grade", "year")]
    return {n: dict(zip(keys, rows[n].tolist(), strict=True)) for n in names}


def _window(
    grid: Mapping[str, Mapping[tuple[int, int], int]], name: str, years: tuple[int, ...]
) -> dict[tuple[int, int], int]:
    column = grid.get(name, {})
    return {(g, y): column.get((g, y), 0) for g in GRADES for y in years}
