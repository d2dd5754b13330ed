"""What the location plans tell beside their decisions: names, units, every need once, every limit, every goal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from typing import Any

import numpy as np
import pandas as pd

from zjsim.audit.finding import Finding, finding
from zjsim.audit.location_targets import asked_for
from zjsim.texts import text

KEYS: dict[str, list[str]] = {
    "location_service": ["theme", "place_county_code", "service", "county_code", "group"],
    "location_coverage": ["theme", "county_code", "group"],
    "location_limits": ["theme", "limit", "entity", "year"],
    "location_stages": ["theme", "stage"],
    "location_targets": ["kind"],
}
"""What a row of each table is about: no two rows of a table are about the same."""
_KM, _SHARE, _GAP = 0.002, 2e-6, 1e-9
Tables = Mapping[str, pd.DataFrame]


def rows_twice(plan: Tables) -> list[Finding]:
    """Two rows about the same thing."""
    found = []
    for name, keys in KEYS.items():
        again = plan[name].loc[plan[name].duplicated(keys), keys]
        found += [_at("row_twice", item=f"{name} {' '.join(map(str, key))}") for key in again.itertuples(index=False)]
    return found


def check_facts(rows: pd.DataFrame, tables: Tables) -> Iterator[Finding]:
    """Names, units, clauses and parameters of every opening are those of the registries."""
    registries = (
        (
            ("location_kinds", "kind", "kind"),
            {c: c for c in ("measures", "capacity_unit", "staff_unit", "failure_parameter")}
            | {"kind_zh": "name_zh", "kind_en": "name_en"},
        ),
        (("counties", "county_code", "county_code"), _named("county") | {"city_code": "city_code"}),
        (("cities", "city_code", "city_code"), _named("city")),
        (("universities", "moe_code", "moe_code"), _named("university")),
        (("industries", "industry_id", "industry_id"), _named("industry")),
    )
    for (name, key, column), wanted in registries:
        registry = tables[name].set_index(key)
        for told, source in wanted.items():
            expected = rows[column].map(registry[source]).where(rows[column] != "", "")
            for i in rows.index[rows[told] != expected]:
                yield _at("fact_differs", item=rows.loc[i, "opening_id"], column=told, value=rows.loc[i, told])
    apart = [_months(r) for r in rows[["start_date", "open_date"]].to_dict("records")]
    for i in rows.index[rows["setup_months"].to_numpy() != np.array(apart, dtype=float)]:
        value = rows.loc[i, "setup_months"]
        yield _at("fact_differs", item=rows.loc[i, "opening_id"], column="setup_months", value=value)


def check_coverage(theme: str, plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Every need within the theme's counties stands in the coverage, met or not, and adds up with what is served."""
    need = tables["location_need"]
    need = need[(need["theme"] == theme) & need["county_code"].isin(_scope(theme, tables, p))]
    told, flows = (plan[n][plan[n]["theme"] == theme] for n in ("location_coverage", "location_service"))
    key = ["county_code", "group"]
    here = set(zip(told["county_code"], told["group"], strict=True))
    wanted = set(zip(need["county_code"], need["group"], strict=True))
    yield from (_at("coverage_missing", item=" ".join(k)) for k in sorted(wanted - here))
    yield from (_at("coverage_strange", item=" ".join(k)) for k in sorted(here - wanted))
    far = (flows["amount"] * flows["distance_km"]).groupby([flows[k] for k in key]).sum()
    counties, groups = tables["counties"].set_index("county_code"), tables["industries"].set_index("industry_id")
    for t in told.to_dict("records"):
        item, covered = f"{t['county_code']} {t['group']}", float(t["covered"])
        at = (t["county_code"], t["group"])
        mean = float(far.get(at, 0.0)) / covered if covered else float("nan")
        fits = t["unmet"] == t["need"] - covered and abs(t["share"] * t["need"] - covered) <= _SHARE * t["need"]
        if not fits or isnan(mean) != isnan(t["distance_km"]) or abs(mean - t["distance_km"]) > _KM:
            yield _at("coverage_sums", item=item)
        county: Any = counties.loc[t["county_code"]] if t["county_code"] in counties.index else None
        same = county is not None and (t["county_zh"], t["county_en"], t["city_code"], t["lon"], t["lat"]) == tuple(
            county[c] for c in ("name_zh", "name_en", "city_code", "lon", "lat")
        )
        same = same and bool(t["mountain_island"]) == bool(county["is_mountain"] or county["is_island"])
        if t["group"] in groups.index:
            same = same and tuple(groups.loc[t["group"], ["name_zh", "name_en"]]) == (t["group_zh"], t["group_en"])
        if not same:
            yield _at("fact_differs", item=item, column="county_zh", value=t["county_zh"])


def check_limits(rows: pd.DataFrame, theme: str, plan: Tables, tables: Tables, parameters: Any) -> Iterator[Finding]:
    """What the table of limits says is used, is most, and is full."""
    p, time, kinds = parameters.locations, parameters.time, tables["location_kinds"].set_index("kind")
    kinds = kinds[kinds["theme"] == theme]
    starts = tables["location_starts"].set_index(["kind", "year"])["starts"]
    b = tables["location_budgets"]
    b = b[(b["theme"] == theme) & (b["year"] > time.as_of.year) & (b["year"] <= time.horizon.year)]
    hosts = tables["location_hosts"]
    staff = hosts[hosts["theme"] == theme].set_index("moe_code")["staff"]
    year, city = rows["start_date"].str[:4].astype(int), rows["county_code"].str[:4] + "00"
    told = plan["location_limits"]
    told = told[told["theme"] == theme]
    used_keys = {("starts_of_year", k, y) for k, y in zip(rows["kind"], year, strict=True)}
    used_keys |= {("cost_of_city", c, 0) for c in city} | {("cost_of_year", "", y) for y in year}
    used_keys |= {("staff_of_host", h, 0) for h in rows["moe_code"] if h}
    gone = used_keys - set(zip(told["limit"], told["entity"], told["year"], strict=True))
    yield from (_at("limit_missing", item=" ".join(map(str, k))) for k in sorted(gone))
    for t in told.to_dict("records"):
        used: Any
        most: Any
        factor: Any
        least: Any
        limit, entity, y = t["limit"], t["entity"], int(t["year"])
        if limit == "starts_of_year":
            used, most = int(((rows["kind"] == entity) & (year == y)).sum()), starts.get((entity, y), 0)
            factor, least = float(p.starts_factor), 1
        elif limit == "cost_of_city":
            used, most = rows.loc[city == entity, "cost_points"].sum(), b.loc[b["city_code"] == entity, "cost_points"].sum()  # fmt: skip  # noqa: E501
            factor, least = p.cost_factor, kinds["cost_points"].min()
        elif limit == "cost_of_year":
            used, most = rows.loc[year <= y, "cost_points"].sum(), b.loc[b["year"] <= y, "cost_points"].sum()
            factor, least = p.cost_factor, kinds["cost_points"].min()
        else:
            used, most = rows.loc[rows["moe_code"] == entity, "staff"].sum(), staff.get(entity, 0)
            factor, least = p.staff_factor, kinds["staff"].min()
        most = int(most * factor + 1e-9)
        full = bool(most - used < max(int(least), 1))
        if (t["used"], t["most"], bool(t["binding"])) != (used, most, full) or _entity(entity, tables) != t[
            "entity_zh"
        ]:
            expected = f"{used} / {most}"
            yield _at("limit_differs", item=f"{limit} {entity} {y or ''}".strip(), value=t["used"], expected=expected)


def check_goals(theme: str, plan: Tables, tables: Tables, parameters: Any) -> Iterator[Finding]:
    """No goal of a theme is left out, and each gap is the distance between value and bound."""
    stages = plan["location_stages"]
    stages = stages[stages["theme"] == theme]
    p, kinds = parameters.locations, tables["location_kinds"]
    wanted = {"coverage_1", "cost", "lateness"} | ({"openings"} if p.purpose == "how_far" else set())
    wanted |= {"coverage_2"} if theme == "kindergartens" else set()
    if not (theme == "platforms" and p.platform_county_points):
        wanted.add("counties_reached")
    if p.target_goal != "off":
        here = set(kinds.loc[kinds["theme"] == theme, "kind"])
        asked = asked_for(tables, parameters.time.as_of)
        wanted |= {f"target_{k}" for k, a in asked.items() if k in here and a.wanted}
    yield from (_at("goal_missing", item=f"{theme} {g}") for g in sorted(wanted - set(stages["stage"])))
    for s in stages.to_dict("records"):
        value, bound = float(s["value"]), float(s["bound"])
        gap = abs(value - bound) / max(abs(value), abs(bound)) if value != bound else 0.0
        if not abs(gap - float(s["gap"])) <= _GAP:
            yield _at("gap_differs", item=f"{theme} {s['stage']}", value=float(s["gap"]), expected=gap)


def assigned_roles(plan: Tables) -> dict[tuple[str, str], float]:
    """(industry, institution) → 1 for the lead of the assignment, 0.5 for whoever supports or is partner."""
    found: dict[tuple[str, str], float] = {}
    for name in ("lead_assignments", "support_assignments", "heritage_pairs"):
        if name in plan:
            for r in plan[name].to_dict("records"):
                lead = r.get("role", "lead" if name == "lead_assignments" else "support") == "lead"
                key = r["industry_id"], r["moe_code"]
                found[key] = max(found.get(key, 0.0), 1.0 if lead else 0.5)
    return found


def _scope(theme: str, tables: Tables, p: Any) -> Sequence[str]:
    counties = tables["counties"]
    if theme == "campuses":
        kinds = {"county", "city"} | ({"district"} if p.campus_counties == "with_districts" else set())
        industry = tables["county_industry"].set_index("county_code")["has_vocational_college"]
        own = counties["county_code"].map(industry).fillna(True).astype(bool)
        return list(counties.loc[counties["kind"].isin(kinds) & ~own, "county_code"])
    if theme == "kindergartens":
        t = tables["county_industry"]
        return list(t.loc[t["park_employees"] >= p.park_threshold_employees, "county_code"])
    return list(counties["county_code"])


def _entity(code: str, tables: Tables) -> str:
    for name, key in (("location_kinds", "kind"), ("universities", "moe_code"), ("cities", "city_code")):
        named = tables[name].loc[tables[name][key] == code, "name_zh"]
        if len(named):
            return str(named.iloc[0])
    return text("locations.province", "zh")


def _named(entity: str) -> dict[str, str]:
    return {f"{entity}_{lang}": f"name_{lang}" for lang in ("zh", "en")}


def _months(row: Mapping[Any, Any]) -> int:
    begin, opening = pd.Period(row["start_date"], freq="M"), pd.Period(row["open_date"], freq="M")
    return int(opening.ordinal - begin.ordinal)


def _at(rule: str, **values: object) -> Finding:
    said = {k: f"{v:g}" if isinstance(v, float | np.floating) else v for k, v in values.items()}
    return finding(rule, f"locations.audit.{rule}", **said)
