"""From the registries to the data of one location plan: what the four themes have in common.

Distances are great circles between the points of counties (hosts: their campus county, else their city's point).
Dates: a project begins on the first day of ``start_month``; it opens after the planned set-up time (the parameter's
mode, or its high end) in whole months. A year whose start would open after the horizon is no choice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import fsum
from typing import Any

import pandas as pd
from zjsim.models.assignment_scores import great_circle_km
from zjsim.models.location_rules import Kind, LocationData, Need, Option, Place, city_of
from zjsim.models.location_targets import wanted_openings

from zjsim.scenario.parameters import LocationParameters

Tables = Mapping[str, pd.DataFrame]

TABLES = (
    *("counties", "cities", "universities", "disciplines", "relevance", "craft_links", "industries", "industry_places"),
    *("process_parameters", "location_parameters", "location_kinds", "category_relevance", "county_industry"),
    *("location_need", "location_hosts", "location_starts", "location_budgets", "targets"),
    *("programmes", "programme_parameters", "actuals"),
)


@dataclass(frozen=True, slots=True)
class Score:
    """How well a host suits an option, in points (0-100), and the components (0-1) behind it.

    ``relevance_from`` says what the relevance was read from: a discipline, a craft, or the institution's category only.
    """

    points: float
    components: Mapping[str, float]
    distance_km: float
    relevance_from: str = "category"


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme's data, the dates behind its years, the scores behind its misfits, and the gap its goals may leave."""

    data: LocationData
    dates: Mapping[tuple[str, int], tuple[date, date]]
    scores: Mapping[Option, Score]
    relative_gap: float = 0.0


class Ground:
    """Points, flags and numbers of a scenario that every theme uses."""

    def __init__(self, tables: Tables, parameters: Any) -> None:
        self.tables, self.p, self.time = tables, parameters.locations, parameters.time
        counties = tables["counties"].sort_values("county_code")
        self.kind_of_county = dict(zip(counties["county_code"], counties["kind"], strict=True))
        flagged = counties[counties["is_mountain"] | counties["is_island"]]
        self.mountain_island = frozenset(flagged["county_code"])
        self.point: dict[str, tuple[float, float]] = {}
        for name, key in (("cities", "city_code"), ("counties", "county_code")):
            t = tables[name]
            self.point |= dict(zip(t[key], zip(t["lon"], t["lat"], strict=True), strict=True))
        u = tables["universities"]
        self.campus = {
            moe: self.point[county or city]
            for moe, county, city in zip(u["moe_code"], u["county_code"], u["city_code"], strict=True)
        }
        self.kinds = {r["kind"]: r for r in tables["location_kinds"].sort_values("kind").to_dict("records")}
        rows = [r for n in ("process_parameters", "location_parameters") for r in tables[n].to_dict("records")]
        self.parameter = {r["parameter_id"]: r for r in rows}

    def need(self, theme: str, counties: Collection[str] | None = None) -> dict[Need, int]:
        """Units of need of a theme, in ``counties`` only where given."""
        t = self.tables["location_need"]
        t = t[t["theme"] == theme].sort_values(["county_code", "group"])
        rows = zip(t["county_code"], t["group"], t["amount"], strict=True)
        return {Need(c, g): int(a) for c, g, a in rows if counties is None or c in counties}

    def theme_kinds(self, theme: str) -> dict[str, Kind]:
        """The kinds of facility of a theme, with the planned months of set-up."""
        return {
            k: Kind(
                int(r["capacity"]), int(r["minimum_served"]), int(r["staff"]), int(r["cost_points"]), self.months(k)
            )
            for k, r in self.kinds.items()
            if r["theme"] == theme
        }

    def months(self, kind: str) -> int:
        """Whole months of set-up that the plan's dates assume."""
        return int(float(self.parameter[self.kinds[kind]["setup_parameter"]][self.p.planned_setup]) + 0.999999)

    def dates(self, kinds: Iterable[str]) -> dict[tuple[str, int], tuple[date, date]]:
        """Start and opening of every kind and year whose start lies after the as-of date and opens in time."""
        found = {}
        for kind in kinds:
            for year in range(self.time.as_of.year, self.time.horizon.year + 1):
                begin = date(year, self.p.start_month, 1)
                opening = add_months(begin, self.months(kind))
                if begin > self.time.as_of and opening <= self.time.horizon:
                    found[kind, year] = (begin, opening)
        return found

    def starts(self, kinds: Iterable[str], years: Mapping[str, tuple[int, ...]]) -> dict[tuple[str, int], int]:
        """Most starts by kind and year; a year that the registry does not list allows none."""
        t = self.tables["location_starts"]
        listed = {(k, int(y)): int(n) for k, y, n in zip(t["kind"], t["year"], t["starts"], strict=True)}
        return {(k, y): int(listed.get((k, y), 0) * self.p.starts_factor + 1e-9) for k in kinds for y in years[k]}

    def costs(self, theme: str, years: Collection[int]) -> tuple[dict[str, int], dict[int, int]]:
        """Most cost points of every city over the plan, and of the province up to each year of ``years``."""
        t = self.tables["location_budgets"]
        t = t[(t["theme"] == theme) & (t["year"] > self.time.as_of.year) & (t["year"] <= self.time.horizon.year)]
        city = t.groupby("city_code", sort=True)["cost_points"].sum()
        year = t.groupby("year", sort=True)["cost_points"].sum()
        cities = {str(c): int(city.get(c, 0) * self.p.cost_factor + 1e-9) for c in self.tables["cities"]["city_code"]}
        return cities, {y: int(year[year.index <= y].sum() * self.p.cost_factor + 1e-9) for y in sorted(years)}

    def wanted(self, kinds: Collection[str]) -> dict[str, int]:
        """How many of a kind a target wants begun, where targets are a goal."""
        if self.p.target_goal == "off":
            return {}
        return {
            k: w.planned for k, w in wanted_openings(self.tables, self.time.as_of).items() if k in kinds and w.planned
        }

    def hosts(self, theme: str) -> tuple[dict[str, int], dict[str, int], set[str]]:
        """Free staff and starts a year of every host of a theme, and those that may host branch centres."""
        t = self.tables["location_hosts"]
        t = t[t["theme"] == theme].sort_values("moe_code")
        staff = {h: int(n * self.p.staff_factor + 1e-9) for h, n in zip(t["moe_code"], t["staff"], strict=True)}
        starts = dict(zip(t["moe_code"], map(int, t["starts_per_year"]), strict=True))
        return staff, starts, set(t.loc[t["may_host_branches"], "moe_code"])

    def km(self, county: str, other: str) -> float:
        """Kilometres between the points of two counties."""
        return great_circle_km(*self.point[county], *self.point[other])

    def km_to_host(self, host: str, county: str) -> float:
        """Kilometres between a host's campus and a county's point."""
        return great_circle_km(*self.campus[host], *self.point[county])

    def arcs(self, places: Iterable[Place], need: Collection[Need], reach_km: float) -> dict[tuple[Place, Need], float]:
        """Every place and need of the same service within reach, with the distance (0 in the same county)."""
        by_group = defaultdict(list)
        for d in sorted(need):
            by_group[d.group].append(d)
        found = {}
        for s in sorted(places):
            for d in by_group[s.service]:
                km = self.km(s.county, d.county)
                if km <= reach_km:
                    found[s, d] = km
        return found

    def city_floor(self, options: Iterable[Option], each: int) -> dict[str, int]:
        """The floor of every city in which something can be opened."""
        return dict.fromkeys(sorted({city_of(o.county) for o in options}), each) if each else {}

    def theme(
        self,
        theme: str,
        options: Iterable[Option],
        need: Mapping[Need, int],
        arcs: Mapping[tuple[Place, Need], float],
        *,
        per_city: int,
        mountain_island_share: float,
        scores: Mapping[Option, Score] | None = None,
        **more: Any,
    ) -> Theme:
        """The data of a theme with the limits and equity bounds that all themes share."""
        kinds, p, scores = self.theme_kinds(theme), self.p, scores or {}
        dates = self.dates(kinds)
        years = {k: tuple(sorted(y for kind, y in dates if kind == k)) for k in kinds}
        chosen = tuple(sorted(o for o in options if years[o.kind]))
        city_cost, year_cost = self.costs(theme, {y for _, y in dates})
        data = LocationData(
            theme=theme,
            kinds=kinds,
            options=chosen,
            years=years,
            need=dict(need),
            arcs=dict(arcs),
            misfit={o: max(0, 100 - round(scores[o].points)) for o in chosen if o in scores},
            steps=p.steps,
            starts=self.starts(kinds, years),
            city_cost=city_cost,
            year_cost=year_cost,
            mountain_island=self.mountain_island,
            mountain_island_share=mountain_island_share,
            largest_city_share=p.largest_city_share,
            openings_per_city=self.city_floor(chosen, per_city),
            how_far=p.purpose == "how_far",
            wanted=self.wanted(kinds),
            targets_first=p.target_goal == "first",
            **more,
        )
        return Theme(data, dates, dict(scores))


def add_months(day: date, months: int) -> date:
    """The same day of the month ``months`` later (days up to the 28th only, as starts are the first of a month)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, day.day)


def weighted(components: Mapping[str, float], p: LocationParameters) -> float:
    """Points (0-100) of a host: the weighted mean of its components."""
    weights = {name: getattr(p, f"weight_{name}") for name in components}
    return float(100 * fsum(weights[name] * value for name, value in components.items()) / fsum(weights.values()))
