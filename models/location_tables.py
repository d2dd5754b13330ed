"""The tables of the location plans: one row per opening, and beside them what is served from where and what is full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import pandas as pd
from zjsim.models.location_data import Tables, Theme
from zjsim.models.location_goals import LocationPlan
from zjsim.models.location_rules import Need, Option, Place, city_of

from zjsim.solve.results import Feasible, Optimal, Stage
from zjsim.texts import LANGUAGES, text

PREFIX = {"platforms": "PL", "campuses": "CC", "practice_centres": "PC", "kindergartens": "KG"}
COMPONENTS = ("relevance", "strength", "proximity", "assigned")


@dataclass(frozen=True, slots=True)
class Opening:
    """One facility: its option, the year it is begun, and the units of need it serves."""

    option: Option
    year: int
    served: int


def openings_of(theme: Theme, plan: LocationPlan) -> list[Opening]:
    """Every single facility of a plan.

    What a place serves is shared out: each of its facilities first gets its least amount, then the larger ones fill up.
    A host's facilities that serve more are begun first.
    """
    kinds = theme.data.kinds
    served: dict[Place, int] = defaultdict(int)
    for (s, _), n in plan.served.items():
        served[s] += n
    at: dict[Place, list[Option]] = defaultdict(list)
    for o in sorted(plan.opened):
        at[Place(o.county, o.service)] += [o] * plan.opened[o]
    found: list[tuple[Option, int]] = []
    for s in sorted(at):
        here = sorted(at[s], key=lambda o: (-kinds[o.kind].capacity, o))
        shares = [kinds[o.kind].minimum_served for o in here]
        left = served[s] - sum(shares)
        for k, o in enumerate(here):
            more = min(left, kinds[o.kind].capacity - shares[k])
            shares[k], left = shares[k] + more, left - more
        found += zip(here, shares, strict=True)
    years = {
        (k, h): [t for (kind, host, t), n in sorted(plan.started.items()) if (kind, host) == (k, h) for _ in range(n)]
        for k, h, _ in plan.started
    }
    found.sort(key=lambda x: (x[0].kind, x[0].host, -x[1], x[0]))
    rows = [Opening(o, years[o.kind, o.host].pop(0), n) for o, n in found]
    return sorted(rows, key=lambda r: (r.year, r.option))


def plan_table(theme: Theme, plan: LocationPlan, tables: Tables, result: Optimal[Any] | Feasible[Any]) -> pd.DataFrame:
    """A row per opening, numbered in order of year, kind and place.

    ``capacity`` and ``served`` are in ``capacity_unit``, ``staff`` in ``staff_unit``, ``score`` in points (NaN without
    a host), its components 0-1, ``distance_km`` from the host's campus; ``open_date`` follows the planned set-up time.
    """
    names, kinds = _Names(tables), _by(tables["location_kinds"], "kind")
    data, rows = theme.data, []
    for number, one in enumerate(openings_of(theme, plan), 1):
        o, kind = one.option, kinds[one.option.kind]
        begin, opening = theme.dates[o.kind, one.year]
        score = theme.scores.get(o)
        rows.append(
            {
                "opening_id": f"{PREFIX[data.theme]}{number:03d}",
                "kind": o.kind,
                "kind_zh": kind["name_zh"],
                "kind_en": kind["name_en"],
                "measures": kind["measures"],
                "programme_id": kind["programme_id"],
                **names.university(o.host),
                **names.industry(o.service),
                **names.county(o.county),
                "start_date": begin.isoformat(),
                "open_date": opening.isoformat(),
                "setup_months": int(data.kinds[o.kind].months),
                "capacity": data.kinds[o.kind].capacity,
                "capacity_unit": kind["capacity_unit"],
                "served": one.served,
                "staff": data.kinds[o.kind].staff,
                "staff_unit": kind["staff_unit"],
                "rooms": int(kind["rooms"]),
                "cost_points": data.kinds[o.kind].cost,
                "score": round(score.points, 3) if score else float("nan"),
                **{c: round(score.components.get(c, float("nan")), 6) if score else float("nan") for c in COMPONENTS},
                "distance_km": round(score.distance_km, 3) if score else float("nan"),
                "relevance_from": score.relevance_from if score else "",
                "setup_parameter": kind["setup_parameter"],
                "failure_parameter": kind["failure_parameter"],
                "status": "optimal" if isinstance(result, Optimal) else "feasible",
                "basis": "derived",
            }
        )
    return pd.DataFrame(rows, columns=None if rows else list(PLAN_COLUMNS))


PLAN_COLUMNS = (
    *("opening_id", "kind", "kind_zh", "kind_en", "measures", "programme_id"),
    *("moe_code", "university_zh", "university_en", "industry_id", "industry_zh", "industry_en"),
    *("county_code", "county_zh", "county_en", "city_code", "city_zh", "city_en", "mountain_island"),
    *("start_date", "open_date", "setup_months", "capacity", "capacity_unit", "served", "staff", "staff_unit"),
    *("rooms", "cost_points", "score", *COMPONENTS, "distance_km", "relevance_from"),
    *("setup_parameter", "failure_parameter", "status", "basis"),
)
"""Columns of the four plan tables, in order."""


def service_table(theme: Theme, plan: LocationPlan) -> pd.DataFrame:
    """Units of need of each county and group that each place serves, with the distance between them."""
    rows = [
        (theme.data.theme, s.county, s.service, d.county, d.group, n, round(theme.data.arcs[s, d], 3))
        for (s, d), n in sorted(plan.served.items())
    ]
    columns = ["theme", "place_county_code", "service", "county_code", "group", "amount", "distance_km"]
    return pd.DataFrame(rows, columns=columns)


def coverage_table(theme: Theme, plan: LocationPlan, tables: Tables) -> pd.DataFrame:
    """Need of each county and group, how much of it is covered or unmet, from how far (mean, weighted by amount)."""
    names = _Names(tables)
    flows: dict[Need, list[tuple[int, float]]] = defaultdict(list)
    for (s, d), n in plan.served.items():
        flows[d].append((n, theme.data.arcs[s, d]))
    rows = []
    for d, need in sorted(theme.data.need.items()):
        covered = fsum(n for n, _ in flows[d])
        rows.append(
            {
                "theme": theme.data.theme,
                **names.county(d.county),
                **names.point(d.county),
                "group": d.group,
                **names.group(d.group),
                "need": need,
                "covered": covered,
                "unmet": need - covered,
                "share": round(covered / need, 6),
                "distance_km": round(fsum(n * km for n, km in flows[d]) / covered, 3) if covered else float("nan"),
            }
        )
    return pd.DataFrame(rows)


def limit_table(theme: Theme, plan: LocationPlan, tables: Tables) -> pd.DataFrame:
    """What is used of every limit; ``binding`` where one more of the cheapest facility no longer fits."""
    data, rows, names = theme.data, [], _Names(tables)

    def add(limit: str, entity: str, year: int, used: int, most: int, least: int) -> None:
        named = names.entity(entity)
        rows.append((data.theme, limit, entity, *named, year, used, most, most - used < max(least, 1)))

    kinds = data.kinds
    for (k, t), most in sorted(data.starts.items()):
        add("starts_of_year", k, t, sum(n for i, n in plan.started.items() if (i[0], i[2]) == (k, t)), most, 1)
    for h, most in sorted(data.staff.items()):
        used = sum(kinds[o.kind].staff * n for o, n in plan.opened.items() if o.host == h)
        add("staff_of_host", h, 0, used, most, min(k.staff for k in kinds.values()))
    cheapest = min(k.cost for k in kinds.values())
    for c, most in sorted(data.city_cost.items()):
        used = sum(kinds[o.kind].cost * n for o, n in plan.opened.items() if city_of(o.county) == c)
        add("cost_of_city", c, 0, used, most, cheapest)
    for y, most in sorted(data.year_cost.items()):
        used = sum(kinds[i[0]].cost * n for i, n in plan.started.items() if i[2] <= y)
        add("cost_of_year", "", y, used, most, cheapest)
    columns = ["theme", "limit", "entity", "entity_zh", "entity_en", "year", "used", "most", "binding"]
    return pd.DataFrame(rows, columns=columns)


def stage_rows(theme: str, stages: Sequence[Stage]) -> pd.DataFrame:
    """A row per goal of a theme, in order; ``gap`` is relative."""
    return pd.DataFrame(
        [
            {
                "theme": theme,
                "stage": s.name,
                "sense": s.sense,
                "value": s.value,
                "bound": s.bound,
                "gap": s.gap,
                "status": "optimal" if s.gap == 0 else "feasible",
                "unit": s.unit,
            }
            for s in stages
        ]
    )


class _Names:
    def __init__(self, tables: Tables) -> None:
        self._university = _by(tables["universities"], "moe_code")
        self._industry = _by(tables["industries"], "industry_id")
        self._county = _by(tables["counties"], "county_code")
        self._kind, self._city = _by(tables["location_kinds"], "kind"), _by(tables["cities"], "city_code")

    def university(self, code: str) -> dict[str, str]:
        row = self._university.get(code, {"name_zh": "", "name_en": ""})
        return {"moe_code": code, "university_zh": row["name_zh"], "university_en": row["name_en"]}

    def industry(self, service: str) -> dict[str, str]:
        row = self._industry.get(service)
        if row is None:
            return {"industry_id": "", "industry_zh": "", "industry_en": ""}
        return {"industry_id": service, "industry_zh": row["name_zh"], "industry_en": row["name_en"]}

    def group(self, code: str) -> dict[str, str]:
        """The name of an industry, or of a group that has a text of its own."""
        if code in self._industry:
            return {f"group_{lang}": str(self._industry[code][f"name_{lang}"]) for lang in LANGUAGES}
        return {f"group_{lang}": text(f"locations.services.{code}", lang) for lang in LANGUAGES}

    def entity(self, code: str) -> tuple[str, str]:
        """Chinese and English name of what a limit bounds: a kind, an institution, a city, the province ("")."""
        for known in (self._kind, self._university, self._city):
            if code in known:
                return str(known[code]["name_zh"]), str(known[code]["name_en"])
        return text("locations.province", "zh"), text("locations.province", "en")

    def point(self, code: str) -> dict[str, float]:
        """Longitude and latitude of a county's point."""
        return {axis: float(self._county[code][axis]) for axis in ("lon", "lat")}

    def county(self, code: str) -> dict[str, object]:
        row = self._county[code]
        return {
            "county_code": code,
            "county_zh": row["name_zh"],
            "county_en": row["name_en"],
            "city_code": row["city_code"],
            "city_zh": row["city_zh"],
            "city_en": row["city_en"],
            "mountain_island": bool(row["is_mountain"] or row["is_island"]),
        }


def _by(table: pd.DataFrame, key: str) -> dict[str, dict[str, Any]]:
    return {r[key]: {str(k): v for k, v in r.items()} for r in table.to_dict("records")}
