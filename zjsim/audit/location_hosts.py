"""Who opens what: eligibility of institutions and counties, what a host has free, and the score of every choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from zjsim.audit.finding import Finding, finding
from zjsim.audit.points import Points

_POINTS, _SHARES, _KM = 0.002, 2e-6, 0.002
COMPONENTS = {"platforms": ("relevance", "strength", "proximity", "assigned"), "campuses": ("relevance", "proximity", "assigned")}  # fmt: skip  # noqa: E501


def check_hosts(
    rows: pd.DataFrame,
    theme: str,
    tables: Mapping[str, pd.DataFrame],
    parameters: Any,
    roles: Mapping[tuple[str, str], float],
) -> Iterator[Finding]:
    """Staff and starts of every host, who may open what where, and the scores; nothing for themes without hosts.

    ``roles``: what the assignment of an institution to an industry counts.
    """
    p = parameters.locations
    if theme in COMPONENTS:
        yield from _capacity(rows, theme, tables, p)
        yield from _scores(rows, theme, tables, parameters, roles)
    if theme == "campuses":
        yield from _campuses(rows, tables, p)
    if theme == "kindergartens":
        industry = tables["county_industry"].set_index("county_code")["park_employees"]
        for county in sorted(set(rows["county_code"])):
            if industry.get(county, 0) < p.park_threshold_employees:
                yield _at("below_threshold", item=county)


def _capacity(rows: pd.DataFrame, theme: str, tables: Mapping[str, pd.DataFrame], p: Any) -> Iterator[Finding]:
    hosts = tables["location_hosts"]
    hosts = hosts[hosts["theme"] == theme].set_index("moe_code")
    for host, used in rows.groupby("moe_code")["staff"].sum().items():
        limit = int(hosts["staff"].get(host, 0) * p.staff_factor + 1e-9)
        if used > limit:
            yield _at("staff_of_host", item=host, value=used, limit=limit)
    for key, n in rows.groupby(["moe_code", rows["start_date"].str[:4]]).size().items():
        limit = int(hosts["starts_per_year"].get(key[0], 0))  # type: ignore[index]
        if n > limit:
            yield _at("starts_of_host", item=" ".join(key), value=n, limit=limit)  # type: ignore[arg-type]
    needs_platforms = rows[rows["kind"].isin(["branch_centre", "research_institute"])]
    for r in needs_platforms.to_dict("records"):
        if not hosts["may_host_branches"].get(r["moe_code"], False):
            yield _at("no_parent", item=r["opening_id"])


def _scores(
    rows: pd.DataFrame,
    theme: str,
    tables: Mapping[str, pd.DataFrame],
    parameters: Any,
    roles: Mapping[tuple[str, str], float],
) -> Iterator[Finding]:
    p = parameters.locations
    points, farthest = Points(tables), p.platform_host_km if theme == "platforms" else p.campus_host_km
    parts = COMPONENTS[theme]
    weights = np.array([getattr(p, f"weight_{name}") for name in parts])
    offers, at = _offers(tables, parameters.assignment), _in_county(tables)
    u = tables["universities"].set_index("moe_code")
    fields = tables["category_relevance"].groupby("category")[["industry_id", "relevance"]]
    field = {str(c): dict(zip(t["industry_id"], t["relevance"], strict=True)) for c, t in fields}
    for r in rows.to_dict("records"):
        item, km = r["opening_id"], points.km(r["moe_code"], r["county_code"])
        if abs(km - r["distance_km"]) > _KM or km > farthest + _KM:
            yield _at("distance_differs", item=item, value=float(r["distance_km"]), expected=km)
        wanted = {"proximity": float(np.exp(-km / p.distance_decay_km))}
        city = str(r["county_code"])[:4] + "00"
        if theme == "platforms":
            relevance, wanted["strength"] = offers.get((r["industry_id"], r["moe_code"]), (0, 0.0))
            wanted["assigned"] = roles.get((r["industry_id"], r["moe_code"]), 0.0)
        else:
            known = field.get(str(u.loc[r["moe_code"], "category"]), {})
            relevance = max((known.get(i, 0) for i in at.get(r["county_code"], set()) | at.get(city, set())), default=0)
            wanted["assigned"] = float(u.loc[r["moe_code"], "city_code"] == city)
        wanted["relevance"] = relevance / 3
        for column, value in wanted.items():
            if abs(float(r[column]) - value) > _SHARES or relevance < 1:
                yield _at("value_differs", item=item, column=column, value=float(r[column]))
        values = np.array([float(r[name]) for name in parts])
        if abs(100 * float(weights @ values) / float(weights.sum()) - r["score"]) > _POINTS:
            yield _at("value_differs", item=item, column="score", value=float(r["score"]))


def _offers(tables: Mapping[str, pd.DataFrame], p: Any) -> dict[tuple[str, str], tuple[int, float]]:
    """(industry, institution) → its highest relevance and the best strength there: discipline, craft, else category."""
    d = tables["disciplines"]
    floor = np.where(d["double_first_class"], p.double_first_class_strength, 0.0)
    low, high = np.maximum(p.unknown_strength_low, floor), np.maximum(p.unknown_strength_high, floor)
    graded = np.maximum(d["grade"].map(lambda g: p.strength_by_grade.get(g, np.nan)), floor)
    d = d.assign(strength=np.where(d["grade"] != "", graded, (low + high) / 2))
    offered = d.merge(tables["relevance"], on="discipline_code", suffixes=("", "_r"))
    u = tables["universities"]
    unlisted = u[~u["moe_code"].isin(d["moe_code"])]
    others = [
        tables["craft_links"].rename(columns={"link": "relevance"}),
        unlisted.merge(tables["category_relevance"], on="category", suffixes=("", "_c")),
    ]
    middle = (p.unknown_strength_low + p.unknown_strength_high) / 2
    columns = ["industry_id", "moe_code", "relevance", "strength"]
    every = pd.concat([offered[columns], *(t.assign(strength=middle)[columns] for t in others)])
    best: dict[tuple[str, str], tuple[int, float]] = {}
    for industry, host, relevance, strength in every.itertuples(index=False):
        best[industry, host] = max(best.get((industry, host), (0, 0.0)), (int(relevance), float(strength)))
    return best


def _in_county(tables: Mapping[str, pd.DataFrame]) -> dict[str, set[str]]:
    """Main industries of every county and city with a place of them."""
    main = set(tables["industries"].loc[tables["industries"]["kind"] == "provincial_cluster", "industry_id"])
    places = tables["industry_places"]
    places = places[places["industry_id"].isin(main)]
    return {str(code): set(t["industry_id"]) for code, t in places.groupby("place_code")}


def _campuses(rows: pd.DataFrame, tables: Mapping[str, pd.DataFrame], p: Any) -> Iterator[Finding]:
    u = tables["universities"].set_index("moe_code")
    trade = (u["level"] == "vocational") | u["vocational_undergraduate"]
    fit = trade & (u["double_high_plan"] if p.campus_standing == "double_high" else u["ownership"] == "public")
    eligible = eligible_counties(tables, p)
    for r in rows.to_dict("records"):
        if not fit.get(r["moe_code"], False):
            yield _at("standing", item=r["opening_id"])
        if r["county_code"] not in eligible:
            yield _at("county_unfit", item=r["opening_id"])


def eligible_counties(tables: Mapping[str, pd.DataFrame], p: Any) -> set[str]:
    """Counties for campuses: of the kinds allowed, with concentrated industry and without a college of their own."""
    allowed = {"county", "city"} | ({"district"} if p.campus_counties == "with_districts" else set())
    t = tables["county_industry"].merge(tables["counties"][["county_code", "kind"]], on="county_code")
    fit = t["kind"].isin(allowed) & ~t["has_vocational_college"] & (t["concentration"] >= p.minimum_concentration)
    return set(t.loc[fit, "county_code"])


def _at(rule: str, **values: object) -> Finding:
    said = {k: f"{v:g}" if isinstance(v, float | np.floating) else v for k, v in values.items()}
    return finding(rule, f"locations.audit.{rule}", **said)
