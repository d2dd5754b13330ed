"""Plans of counties as tables: one row per county and year, per stage, per grade, and every shortfall in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, inf, nan
from typing import Any

import pandas as pd
from zjsim.models.seat_data import COVERED_COLUMN, GRADES, STAGE_OF, STAGES, YUAN, County, HasTables
from zjsim.models.seat_shortfalls import SHORTFALL_COLUMNS, shortfalls

from zjsim.solve.results import Stage
from zjsim.texts import text

Grid = Mapping[tuple[int, int], int]
ByStage = Mapping[tuple[str, int], int]


@dataclass(frozen=True)
class CountyPlan:
    """The decisions of one county: whole rooms, classes and children by (grade, year) or (stage, year)."""

    county: County
    classes: Grid
    local: Grid
    covered: Grid
    other: Grid
    bought: Grid
    extension: ByStage
    schools: ByStage
    school_rooms: ByStage
    converted: Mapping[int, int]
    stages: tuple[Stage, ...]
    gap: float

    def classes_of(self, s: str, y: int) -> int:
        """Classes of a stage in a year (the year before the plan: those of today)."""
        if y < self.county.years[0]:
            return sum(self.county.classes_now[g] for g in STAGES[s])
        return sum(self.classes[g, y] for g in STAGES[s])

    def rooms(self, s: str, y: int) -> int:
        """Classrooms of a stage in a year."""
        opened = sum(self.extension[s, t] + self.school_rooms[s, t] for t in self.county.years if t <= y)
        there = self.county.stages[s].classrooms + self.county.stages[s].more_rooms.get(y, 0)
        return there + opened + (1 if s == "junior" else -1) * self.converted.get(y, 0)

    def newly_converted(self, s: str, y: int) -> int:
        """Rooms that a stage gains (junior) or gives (primary, negative) in a year by conversion."""
        change = self.converted.get(y, 0) - self.converted.get(y - 1, 0)
        return change if s == "junior" else -change

    def purchased(self, s: str, y: int) -> int:
        """Children of a stage in purchased places."""
        return sum(self.bought[g, y] for g in STAGES[s])

    def in_public(self, y: int) -> int:
        """Migrant children in public seats."""
        return sum(self.covered[g, y] + self.other[g, y] for g in GRADES)

    def share(self, y: int, reading: str) -> float:
        """Share of migrant children in public schools (1 where there are none); before the plan, the observed one."""
        if y < self.county.years[0]:
            return self.county.base_public_share
        children = self.county.migrants_of_year[y]
        extra = sum(self.purchased(s, y) for s in STAGES) if reading == "with_purchased" else 0
        return (self.in_public(y) + extra) / children if children else 1.0

    def money(self, s: str, y: int) -> dict[str, float]:
        """Spending of a stage in a year in yuan: building, equipment, running costs, purchases."""
        stage, now = self.county.stages[s], self.classes_of(s, y)
        capital = 0.0
        for t in self.county.years:
            for rooms, cost, count in (
                (self.extension[s, t], stage.extension_cost, stage.extension_instalments),
                (self.school_rooms[s, t], stage.school_cost, stage.school_instalments),
            ):
                first = max(self.county.years[0], t - count + 1)
                if rooms and first <= y <= t:
                    capital += rooms * cost / (t - first + 1)
        capital += max(0, self.newly_converted(s, y)) * self.county.switches.conversion_cost if s == "junior" else 0.0
        return {
            "capital_cost_yuan": round(capital * YUAN, 2),
            "equip_cost_yuan": round(max(0, now - self.classes_of(s, y - 1)) * stage.equip_cost * YUAN, 2),
            "running_cost_yuan": round(max(0, now - stage.base_classes) * stage.running_cost * YUAN, 2),
            "purchase_cost_yuan": round(self.purchased(s, y) * stage.purchase_price * YUAN, 2),
        }


def plan_tables(
    plans: Sequence[CountyPlan], scenario: HasTables, zones_short: Sequence[Sequence[Mapping[str, Any]]] = ()
) -> dict[str, pd.DataFrame]:
    """The tables by county, sorted by county, year, stage or grade; ``zones_short``: shortfalls of counties' zones."""
    reading = scenario.parameters.seats.public_share_reading
    eligible = _eligible(scenario)
    expansion = [_year_row(p, y, eligible) for p in plans for y in p.county.years]
    rooms = [_stage_row(p, s, y) for p in plans for y in p.county.years for s in STAGES]
    classes = [_grade_row(p, g, y) for p in plans for y in p.county.years for g in GRADES]
    goals = [
        {
            "county_code": p.county.code,
            "goal": s.name,
            "value": s.value,
            "bound": s.bound,
            "gap": s.gap,
            "unit": s.unit,
            "status": "optimal" if s.gap == 0 else "feasible",
        }
        for p in plans
        for s in p.stages
    ]
    table = pd.DataFrame(expansion)
    further = zones_short or [()] * len(plans)
    short = [r for p, more in zip(plans, further, strict=True) for r in (*shortfalls(p, reading), *more)]
    return {
        "seat_expansion": table,
        "seat_rooms": pd.DataFrame(rooms),
        "seat_classes": pd.DataFrame(classes),
        "seat_shortfalls": pd.DataFrame(short, columns=SHORTFALL_COLUMNS),
        "seat_stages": pd.DataFrame(goals),
        "seat_summary": _summary(table),
    }


def _eligible(scenario: HasTables) -> dict[tuple[str, int], int]:
    """Children eligible by county rule, by county and year (shown beside those the reading guarantees)."""
    demand = scenario.table("seat_demand")
    column = COVERED_COLUMN["county_rule"]
    sums = demand.groupby(["county_code", "year"], sort=True)[column].sum().reset_index()
    return {
        (str(c), int(y)): int(n) for c, y, n in zip(*(sums[k] for k in ("county_code", "year", column)), strict=True)
    }


def _year_row(p: CountyPlan, y: int, eligible: Mapping[tuple[str, int], int]) -> dict[str, Any]:
    d = p.county
    seats = sum(p.classes[g, y] * d.stages[STAGE_OF[g]].usable_seats_per_class for g in GRADES)
    local = sum(p.local[g, y] for g in GRADES)
    covered, other = sum(p.covered[g, y] for g in GRADES), sum(p.other[g, y] for g in GRADES)
    bought = sum(p.purchased(s, y) for s in STAGES)
    guaranteed = sum(d.covered[g, y] for g in GRADES)
    private = sum(d.private_places[s, y] for s in STAGES)
    money = [p.money(s, y) for s in STAGES]
    costs = {k: round(fsum(m[k] for m in money), 2) for k in money[0]}
    spent, budget = round(fsum(costs.values()), 2), round(d.budget[y] * YUAN, 2)
    migrants = d.migrants_of_year[y]
    outside = migrants - guaranteed - other
    return {
        "county_code": d.code,
        "county_zh": d.name_zh,
        "county_en": d.name_en,
        "city_code": d.city_code,
        "year": y,
        "demand": sum(d.local[g, y] for g in GRADES) + migrants,
        "local": sum(d.local[g, y] for g in GRADES),
        "migrant": migrants,
        "guaranteed": guaranteed,
        "eligible": eligible.get((d.code, y), 0),
        "classes_base": sum(d.classes_base[g, y] for g in GRADES),
        "classes": sum(p.classes[g, y] for g in GRADES),
        "classes_opened": sum(max(0, p.classes_of(s, y) - p.classes_of(s, y - 1)) for s in STAGES),
        "rooms_added": sum(p.extension[s, y] for s in STAGES),
        "new_schools": sum(p.schools[s, y] for s in STAGES),
        "new_school_rooms": sum(p.school_rooms[s, y] for s in STAGES),
        "public_seats": seats,
        "empty_seats": seats - local - covered - other,
        "placed_local": local,
        "placed_public": covered,
        "placed_public_other": other,
        "placed_purchased": bought,
        "local_unplaced": sum(d.local[g, y] for g in GRADES) - local,
        "unplaced": guaranteed - covered - bought,
        "others_outside_public": outside,
        "others_without_private_place": max(0, outside - (private - bought)),
        "public_share": round(p.share(y, "public_only"), 6),
        "public_share_with_purchased": round(p.share(y, "with_purchased"), 6),
        "staff_needed": round(fsum(p.classes_of(s, y) * d.stages[s].staff_per_class for s in STAGES), 1),
        "staff_available": round(fsum(d.stages[s].staff.get(y, 0.0) for s in STAGES), 1),
        **costs,
        "cost_yuan": spent,
        "budget_yuan": budget,
        "overrun_yuan": round(max(0.0, spent - budget), 2),
        "status": "optimal" if p.gap == 0 else "feasible",
        "gap": p.gap,
        "basis": "synthetic",
        "note_zh": text("seats.basis_note", "zh"),
        "note_en": text("seats.basis_note", "en"),
    }


def _stage_row(p: CountyPlan, s: str, y: int) -> dict[str, Any]:
    d, stage = p.county, p.county.stages[s]
    return {
        "county_code": d.code,
        "year": y,
        "stage": s,
        "rooms": p.rooms(s, y),
        "extension_rooms": p.extension[s, y],
        "new_schools": p.schools[s, y],
        "new_school_rooms": p.school_rooms[s, y],
        "converted_rooms": p.newly_converted(s, y),
        "extension_site_m2": round(p.extension[s, y] * stage.room_site_m2, 1),
        "free_site_m2": round(stage.free_site_m2, 1) if stage.free_site_m2 < inf else nan,
        "new_school_site_m2": round(p.school_rooms[s, y] * stage.room_site_m2, 1),
        "new_site_m2": stage.new_site_m2 if stage.new_site_m2 < inf else nan,
        "classes": p.classes_of(s, y),
        "classes_opened": max(0, p.classes_of(s, y) - p.classes_of(s, y - 1)),
        "classes_added": max(0, p.classes_of(s, y) - stage.base_classes),
        "staffed_classes": stage.staffed_classes[y],
        "staff_needed": round(p.classes_of(s, y) * stage.staff_per_class, 1),
        "purchased": p.purchased(s, y),
        **p.money(s, y),
    }


def _grade_row(p: CountyPlan, g: int, y: int) -> dict[str, Any]:
    d = p.county
    return {
        "county_code": d.code,
        "year": y,
        "grade": g,
        "stage": STAGE_OF[g],
        "classes_base": d.classes_base[g, y],
        "classes": p.classes[g, y],
        "public_seats": p.classes[g, y] * d.stages[STAGE_OF[g]].usable_seats_per_class,
        "local": d.local[g, y],
        "migrant": d.migrant[g, y],
        "guaranteed": d.covered[g, y],
        "placed_local": p.local[g, y],
        "placed_public": p.covered[g, y],
        "placed_public_other": p.other[g, y],
        "placed_purchased": p.bought[g, y],
        "unplaced": d.covered[g, y] - p.covered[g, y] - p.bought[g, y],
    }


_SUMMED = (
    *("demand", "local", "migrant", "guaranteed", "eligible", "classes_base", "classes", "classes_opened"),
    *("rooms_added", "new_schools", "new_school_rooms", "public_seats", "empty_seats", "placed_local", "placed_public"),
    *("placed_public_other", "placed_purchased", "local_unplaced", "unplaced", "others_outside_public"),
    *("capital_cost_yuan", "equip_cost_yuan", "running_cost_yuan", "purchase_cost_yuan", "cost_yuan", "budget_yuan"),
    "overrun_yuan",
)
"""Columns of ``seat_expansion`` that add up over counties."""


def _summary(expansion: pd.DataFrame) -> pd.DataFrame:
    """The province by year: sums, shares, and how many counties fall short."""
    rows = []
    for year, t in expansion.groupby("year", sort=True):
        sums = {k: t[k].sum() for k in _SUMMED}
        public = sums["placed_public"] + sums["placed_public_other"]
        share = public / sums["migrant"] if sums["migrant"] else 1.0
        both = (public + sums["placed_purchased"]) / sums["migrant"] if sums["migrant"] else 1.0
        rows.append(
            {"year": year}
            | sums
            | {
                "public_share": round(float(share), 6),
                "public_share_with_purchased": round(float(both), 6),
                "counties_without_seats": int((t["local_unplaced"] + t["unplaced"] > 0).sum()),
                "counties_over_budget": int((t["overrun_yuan"] > 0).sum()),
            }
        )
    return pd.DataFrame(rows)
