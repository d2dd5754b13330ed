"""Re-check of the location plans from the exported tables and the registries alone.

Every row is looked up again, every limit added up again, every distance measured again by other code than the models
use. Tolerances: 0.002 km on distances, 0.002 points on scores, 2e-6 on shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from zjsim.audit.finding import Finding, finding
from zjsim.audit.location_hosts import check_hosts, eligible_counties
from zjsim.audit.location_places import service_of
from zjsim.audit.location_targets import asked_for, check_targets
from zjsim.audit.location_told import (
    assigned_roles,
    check_coverage,
    check_facts,
    check_goals,
    check_limits,
    rows_twice,
)
from zjsim.audit.points import Points

PLANS = {
    "platform_plan": "platforms",
    "campus_plan": "campuses",
    "practice_centre_plan": "practice_centres",
    "kindergarten_plan": "kindergartens",
}
OTHERS = ("location_service", "location_coverage", "location_limits", "location_stages", "location_targets")
REACH = {"platforms": "platform_reach_km", "campuses": "campus_reach_km", "practice_centres": "practice_reach_km"}
PER_CITY = {
    "platforms": "platforms_per_city",
    "campuses": "campuses_per_city",
    "practice_centres": "practice_centres_per_city",
    "kindergartens": "kindergartens_per_city",
}
_KM = 0.002


def check(plan: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], parameters: Any) -> list[Finding]:
    """Every rule that the location plans break; empty when none, and when ``plan`` holds no location table at all."""
    names = (*PLANS, *OTHERS)
    if not any(name in plan for name in names):
        return []
    gone = [name for name in names if name not in plan]
    if gone:
        return [_at("table_missing", item=name) for name in gone]
    found = rows_twice(plan)
    if found:
        return found
    roles = assigned_roles(plan)
    for name, theme in PLANS.items():
        rows = plan[name]
        strange = list(_known(rows, theme, tables))
        found += strange
        if strange:
            continue
        found += _facts(rows, tables, parameters)
        found += _limits(rows, theme, tables, parameters)
        found += _equity(rows, theme, tables, parameters)
        found += check_facts(rows, tables)
        found += check_hosts(rows, theme, tables, parameters, roles)
        found += _service(rows, theme, plan, tables, parameters)
        found += check_coverage(theme, plan, tables, parameters.locations)
        found += check_limits(rows, theme, plan, tables, parameters)
        found += _stages(rows, theme, plan, tables, parameters)
        found += check_goals(theme, plan, tables, parameters)
    return [*found, *check_targets(plan, PLANS, tables, parameters.time.as_of)]


def _known(rows: pd.DataFrame, theme: str, tables: Mapping[str, pd.DataFrame]) -> Iterator[Finding]:
    """Kinds of the theme, counties and institutions that exist, ids used once."""
    kinds = tables["location_kinds"]
    kinds_here = set(kinds.loc[kinds["theme"] == theme, "kind"])
    yield from (_at("unknown_kind", item=k) for k in sorted(set(rows["kind"]) - kinds_here))
    counties = set(tables["counties"]["county_code"])
    yield from (_at("unknown_county", item=c) for c in sorted(set(rows["county_code"]) - counties))
    with_host = theme in ("platforms", "campuses")
    hosts = set(tables["universities"]["moe_code"]) if with_host else {""}
    yield from (_at("unknown_host", item=h or "—") for h in sorted(set(rows["moe_code"]) - hosts))
    twice = rows.loc[rows["opening_id"].duplicated(), "opening_id"]
    yield from (_at("id_twice", item=i) for i in sorted(set(twice)))


def _facts(rows: pd.DataFrame, tables: Mapping[str, pd.DataFrame], parameters: Any) -> Iterator[Finding]:
    """What a row says of its kind is what the registry says; its dates follow the set-up time."""
    kinds = tables["location_kinds"].set_index("kind")
    p, time = parameters.locations, parameters.time
    months = pd.concat([tables["process_parameters"], tables["location_parameters"]]).set_index("parameter_id")
    for r in rows.to_dict("records"):
        kind = kinds.loc[r["kind"]]
        for column in ("capacity", "staff", "cost_points", "rooms", "programme_id", "setup_parameter"):
            if r[column] != kind[column]:
                yield _at("kind_differs", item=r["opening_id"], column=column, value=r[column], expected=kind[column])
        if not kind["minimum_served"] <= r["served"] <= kind["capacity"]:
            yield _at("served_outside", item=r["opening_id"], value=r["served"])
        begin, opening = date.fromisoformat(r["start_date"]), date.fromisoformat(r["open_date"])
        wanted = int(np.ceil(float(months.loc[kind["setup_parameter"], p.planned_setup]) - 1e-6))
        apart = (opening.year - begin.year) * 12 + opening.month - begin.month
        if (begin.month, begin.day, opening.day) != (p.start_month, 1, 1) or apart != wanted or begin <= time.as_of:
            yield _at("dates_wrong", item=r["opening_id"], value=f"{begin} – {opening}", months=wanted)
        if opening > time.horizon:
            yield _at("opens_late", item=r["opening_id"], value=opening)


def _limits(rows: pd.DataFrame, theme: str, tables: Mapping[str, pd.DataFrame], parameters: Any) -> Iterator[Finding]:
    """Starts by kind and year, cost by city and by year, facilities by county."""
    p = parameters.locations
    year = rows["start_date"].str[:4].astype(int)
    most = tables["location_starts"].set_index(["kind", "year"])["starts"]
    for key, n in rows.groupby(["kind", year]).size().items():
        limit = int(most.get(key, 0) * p.starts_factor + 1e-9)
        if n > limit:
            yield _at("starts_of_year", item=f"{key[0]} {key[1]}", value=n, limit=limit)  # type: ignore[index]
    b = tables["location_budgets"]
    time = parameters.time
    b = b[(b["theme"] == theme) & (b["year"] > time.as_of.year) & (b["year"] <= time.horizon.year)]
    of_city = b.groupby("city_code")["cost_points"].sum()
    for city, cost in rows.groupby(rows["county_code"].str[:4] + "00")["cost_points"].sum().items():
        limit = int(of_city.get(city, 0) * p.cost_factor + 1e-9)
        if cost > limit:
            yield _at("cost_of_city", item=city, value=cost, limit=limit)
    for y in sorted(set(year)):
        limit = int(b.loc[b["year"] <= y, "cost_points"].sum() * p.cost_factor + 1e-9)
        cost = rows.loc[year <= y, "cost_points"].sum()
        if cost > limit:
            yield _at("cost_of_year", item=y, value=cost, limit=limit)
    yield from _by_county(rows, theme, tables, p)


def _by_county(rows: pd.DataFrame, theme: str, tables: Mapping[str, pd.DataFrame], p: Any) -> Iterator[Finding]:
    employees = tables["county_industry"].set_index("county_code")["park_employees"]
    limited = rows[rows["kind"] == "research_institute"] if theme == "platforms" else rows
    fixed = {
        "platforms": p.institutes_per_county,
        "campuses": p.campuses_per_county,
        "practice_centres": p.practice_centres_per_county,
    }
    for county, n in limited["county_code"].value_counts().sort_index().items():
        limit = fixed.get(theme, int(employees.get(county, 0)) // p.park_threshold_employees)
        if n > limit:
            yield _at("most_in_county", item=county, value=n, limit=limit)


def _equity(rows: pd.DataFrame, theme: str, tables: Mapping[str, pd.DataFrame], parameters: Any) -> Iterator[Finding]:
    """Mountain and island counties, the largest city, and every city's floor."""
    p, total = parameters.locations, len(rows)
    c = tables["counties"].set_index("county_code")
    flagged = (c["is_mountain"] | c["is_island"]).reindex(rows["county_code"]).to_numpy(dtype=bool)
    if (flagged != rows["mountain_island"].to_numpy(dtype=bool)).any():
        yield _at("flag_differs", item=theme)
    wanted = int(round(p.mountain_island_share * 1000) * total // 1000)
    if theme != "kindergartens" and flagged.sum() < wanted:
        yield _at("mountain_island_floor", item=theme, value=int(flagged.sum()), limit=wanted)
    by_city = (rows["county_code"].str[:4] + "00").value_counts()
    largest = round(p.largest_city_share * 1000)
    for city, n in by_city.sort_index().items():
        if 1000 * n > largest * total + 1000 - largest:
            yield _at("city_ceiling", item=city, value=n, limit=f"{p.largest_city_share:.0%}")
    floor = getattr(p, PER_CITY[theme])
    for city in sorted({str(c)[:4] + "00" for c in _candidates(theme, tables, p)}) if floor else ():
        if by_city.get(city, 0) < floor:
            yield _at("city_floor", item=city, value=int(by_city.get(city, 0)), limit=floor)


def _candidates(theme: str, tables: Mapping[str, pd.DataFrame], p: Any) -> list[str]:
    """Counties in which something of the theme can be opened."""
    if theme == "platforms":
        need = tables["location_need"]
        return list(need.loc[need["theme"] == theme, "county_code"])
    t = tables["county_industry"]
    if theme == "kindergartens":
        return list(t.loc[t["park_employees"] >= p.park_threshold_employees, "county_code"])
    if theme == "campuses":
        return list(t.loc[t["county_code"].isin(eligible_counties(tables, p)), "county_code"])
    return list(tables["counties"]["county_code"])


def _service(
    rows: pd.DataFrame,
    theme: str,
    plan: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    parameters: Any,
) -> Iterator[Finding]:
    """What is served comes from openings, within reach, and no need is met twice; employees' children come first."""
    p = parameters.locations
    flows = plan["location_service"]
    flows = flows[flows["theme"] == theme]
    points = Points(tables)
    reach = getattr(p, REACH[theme]) if theme in REACH else 0.0
    for r in flows.to_dict("records"):
        item = f"{r['place_county_code']} → {r['county_code']} {r['group']}"
        km = points.km(r["place_county_code"], r["county_code"])
        if abs(km - r["distance_km"]) > _KM:
            yield _at("distance_differs", item=item, value=float(r["distance_km"]), expected=km)
        if km > reach + _KM or r["amount"] <= 0 or r["group"] not in service_of(theme, r["service"]):
            yield _at("out_of_reach", item=item, value=km, limit=float(reach))
    service = rows["industry_id"].where(rows["industry_id"] != "", {"practice_centres": "practice"}.get(theme, ""))
    service = service.where(service != "", {"campuses": "training", "kindergartens": "park"}.get(theme, ""))
    made = rows["served"].groupby([rows["county_code"], service]).sum()
    used = flows.groupby(["place_county_code", "service"])["amount"].sum()
    for key in sorted(set(made.index) | set(used.index)):
        if made.get(key, 0) != used.get(key, 0):
            yield _at("served_differs", item=" ".join(key), value=used.get(key, 0), expected=made.get(key, 0))
    need = tables["location_need"]
    amount = need[need["theme"] == theme].set_index(["county_code", "group"])["amount"]
    met = flows.groupby(["county_code", "group"])["amount"].sum()
    for key, n in met.items():
        if n > amount.get(key, 0):
            yield _at("need_exceeded", item=" ".join(key), value=n, limit=amount.get(key, 0))  # type: ignore[arg-type]
        if key[1] == "residents" and met.get((key[0], "employees"), 0) < amount.get((key[0], "employees"), 0):  # type: ignore[index]
            yield _at("employees_first", item=key[0])  # type: ignore[index]
    told = plan["location_coverage"]
    told = told[told["theme"] == theme].set_index(["county_code", "group"])
    for key, t in told.iterrows():
        if t["need"] != amount.get(key, -1) or t["covered"] != met.get(key, 0):
            yield _at("coverage_differs", item=" ".join(key), value=t["covered"], expected=met.get(key, 0))  # type: ignore[arg-type]


def _stages(
    rows: pd.DataFrame,
    theme: str,
    plan: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    parameters: Any,
) -> Iterator[Finding]:
    """The value of every goal, added up again, and whether what is called optimal is proven."""
    coverage = plan["location_coverage"]
    coverage = coverage[coverage["theme"] == theme]
    steps = parameters.locations.steps
    points = pd.Series(
        [_stepped(int(n), int(c), steps) for n, c in zip(coverage["need"], coverage["covered"], strict=True)],
        index=coverage.index,
        dtype=float,
    )
    others = coverage["group"] == "residents"
    year = rows["start_date"].str[:4].astype(int)
    first = _first_year(theme, tables, parameters)
    misfit = np.maximum(0, 100 - np.rint(rows["score"].fillna(100.0).astype(float)))
    reached = coverage.loc[coverage["covered"] > 0, "county_code"].nunique()
    for_counties = parameters.locations.platform_county_points * reached if theme == "platforms" else 0
    expected = {
        "openings": float(len(rows)),
        "coverage_1": float(points[~others].sum() + for_counties),
        "coverage_2": float(points[others].sum()),
        "counties_reached": float(reached),
        "cost": float(rows["cost_points"].sum()),
        "misfit": float((misfit * rows["capacity"]).sum()),
        "lateness": float(((year - first) * rows["capacity"]).sum()),
        **{
            f"target_{kind}": float(min(wanted, (rows["kind"] == kind).sum()))
            for kind, (*_, wanted) in asked_for(tables, parameters.time.as_of).items()
        },
    }
    stages = plan["location_stages"]
    for s in stages[stages["theme"] == theme].to_dict("records"):
        name, value, bound = str(s["stage"]), float(s["value"]), float(s["bound"])
        if name not in expected or abs(value - expected[name]) > 1e-6 * max(1.0, abs(value)):
            yield _at("stage_differs", item=f"{theme} {name}", value=value, expected=expected.get(name, np.nan))
        better = bound - value if s["sense"] == "minimise" else value - bound
        if better > 1e-6 * max(1.0, abs(value)) or (s["status"] == "optimal") != (bound == value):
            yield _at("claim_not_proven", item=f"{theme} {name}")
    if set(rows["status"]) == {"optimal"} and (stages.loc[stages["theme"] == theme, "status"] != "optimal").any():
        yield _at("claim_not_proven", item=theme)


def _first_year(theme: str, tables: Mapping[str, pd.DataFrame], parameters: Any) -> int:
    """The first year in which a project of the theme begins after the as-of date and opens in time."""
    kinds = tables["location_kinds"]
    kinds = kinds[kinds["theme"] == theme]
    months = pd.concat([tables["process_parameters"], tables["location_parameters"]]).set_index("parameter_id")
    p, time = parameters.locations, parameters.time
    first = time.as_of.year + (date(time.as_of.year, p.start_month, 1) <= time.as_of)
    shortest = min(float(months.loc[i, p.planned_setup]) for i in kinds["setup_parameter"])
    fits = (time.horizon.year - first) * 12 + time.horizon.month - p.start_month >= shortest
    return int(first if fits else time.horizon.year)


def _stepped(need: int, covered: int, steps: tuple[int, ...]) -> int:
    """Weighted units: the first part of the need counts most."""
    points, count = 0, len(steps)
    for k, weight in enumerate(steps):
        part = min(covered, need // count + (k < need % count))
        points, covered = points + weight * part, covered - part
    return points


def _at(rule: str, **values: object) -> Finding:
    said = {k: f"{v:g}" if isinstance(v, float | np.floating) else v for k, v in values.items()}
    return finding(rule, f"locations.audit.{rule}", **said)
