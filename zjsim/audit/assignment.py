"""Re-check of the lead and heritage assignment from the exported tables and the registries alone.

Scores are computed again from the registries by other code than the models use; every rule is checked on the rows.
Tolerances: 0.002 points on scores (they are exported to a thousandth), 0.002 km on distances, 2e-6 on shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from zjsim.audit.finding import Finding, finding

_POINTS, _SHARES, _KM = 0.002, 2e-6, 0.002
_KEY = "assignment.audit."


def check(plan: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], parameters: Any) -> list[Finding]:
    """Every rule that ``lead_assignments``, ``heritage_pairs`` or ``assignment_stages`` breaks; empty when none."""
    gone = [n for n in ("lead_assignments", "heritage_pairs", "assignment_stages") if n not in plan]
    if gone:
        return [finding("table_missing", _KEY + "table_missing", table=name) for name in gone]
    p = parameters.assignment
    found = [*_leads(plan["lead_assignments"], tables, p), *_heritage(plan["heritage_pairs"], tables, p)]
    found += _totals(plan)
    return found


def _leads(t: pd.DataFrame, tables: Mapping[str, pd.DataFrame], p: Any) -> Iterator[Finding]:
    industries = _ids(tables, "provincial_cluster")
    yield from _once_each(t["industry_id"], industries, "one_lead_per_industry")
    known = set(zip(tables["disciplines"]["moe_code"], tables["disciplines"]["discipline_code"], strict=True))
    pairs = list(zip(t["moe_code"], t["discipline_code"], strict=True))
    yield from (_at("unknown_discipline", item="/".join(k)) for k in sorted(set(pairs) - known))
    limit = 1 if p.lead_reading == "one_industry_per_discipline" else p.industries_per_discipline
    for key, count in pd.Series(pairs).value_counts().sort_index().items():
        if count > limit:
            yield _at("discipline_overloaded", item="/".join(map(str, key)), count=count, limit=limit)  # type: ignore[call-overload]
    yield from _cap(t["moe_code"], p.max_leads_per_university, "university_overloaded")
    yield from _special(t.assign(role="lead"), tables["rules"], industries, with_discipline=True)
    if set(pairs) <= known:
        yield from _lead_scores(t, tables, p)


def _lead_scores(t: pd.DataFrame, tables: Mapping[str, pd.DataFrame], p: Any) -> Iterator[Finding]:
    relevance = tables["relevance"].set_index(["industry_id", "discipline_code"])["relevance"]
    where, strengths = _Map(tables, p), _strengths(tables["disciplines"], p)
    together = tables["cooperation"].set_index(["industry_id", "moe_code"])["cooperation"]
    w = np.array([p.lead_weight_strength, p.lead_weight_proximity, p.lead_weight_cooperation])
    for r in t.to_dict("records"):
        who = f"{r['industry_id']} {r['moe_code']}/{r['discipline_code']}"
        level = int(relevance.get((r["industry_id"], r["discipline_code"]), 0))
        if level < p.minimum_relevance:
            yield _at("relevance_too_low", item=who, value=level, limit=p.minimum_relevance)
        low, middle, high = strengths[r["moe_code"], r["discipline_code"]]
        near = where.near(r["moe_code"], r["industry_id"], p.lead_distance_decay_km)
        worked = float(together.get((r["industry_id"], r["moe_code"]), np.nan))
        ends = [0.0, 0.5, 1.0] if np.isnan(worked) else [worked] * 3
        scores = [
            100 * level / 3 * float(w @ [s, near[0], c]) / float(w.sum())
            for s, c in zip((low, middle, high), ends, strict=True)
        ]
        yield from _same(r, who, scores, level, (low, middle, high), near)
        yield from _number(r, who, "cooperation", worked, _SHARES)
        parts = sum(float(r[f"contribution_{k}"]) for k in ("strength", "proximity", "cooperation"))
        if abs(parts - float(r["score"])) > _POINTS:
            yield _at("parts_differ", item=who, value=parts, expected=r["score"])


def _heritage(t: pd.DataFrame, tables: Mapping[str, pd.DataFrame], p: Any) -> Iterator[Finding]:
    industries = _ids(tables, "heritage")
    roles = ("lead", "partner") if p.heritage_reading == "lead_and_partner" else ("lead",)
    yield from (_at("unknown_role", item=r) for r in sorted(set(t["role"]) - set(roles)))
    for role in roles:
        yield from _once_each(t.loc[t["role"] == role, "industry_id"], industries, f"one_heritage_{role}")
    universities = tables["universities"].set_index("moe_code")
    strangers = sorted(set(t["moe_code"]) - set(universities.index))
    yield from (_at("unknown_institution", item=u) for u in strangers)
    if strangers:
        return
    trade = (universities["level"] == "vocational") | universities["vocational_undergraduate"]
    for industry, pair in t.groupby("industry_id"):
        if pair["moe_code"].duplicated().any():
            yield _at("same_institution", item=industry)
        vocational = trade.loc[pair["moe_code"]].to_numpy()
        if len(roles) == 2 and vocational.sum() > p.max_vocational_per_pair:
            yield _at("too_many_vocational", item=industry, count=vocational.sum(), limit=p.max_vocational_per_pair)
        if not p.vocational_may_lead and vocational[(pair["role"] == "lead").to_numpy()].any():
            yield _at("vocational_lead", item=industry)
    yield from _cap(t["moe_code"], p.max_heritage_roles_per_institution, "institution_overloaded")
    yield from _special(t, tables["rules"], industries, with_discipline=False)
    yield from _heritage_scores(t[t["role"].isin(roles)], tables, p)


def _heritage_scores(t: pd.DataFrame, tables: Mapping[str, pd.DataFrame], p: Any) -> Iterator[Finding]:
    offered = tables["disciplines"].merge(tables["relevance"], on="discipline_code", suffixes=("", "_r"))
    where, strengths = _Map(tables, p), _strengths(tables["disciplines"], p)
    links = tables["craft_links"].set_index(["industry_id", "moe_code"])["link"]
    for r in t.to_dict("records"):
        who = f"{r['industry_id']} {r['moe_code']} ({r['role']})"
        mine = offered[(offered["moe_code"] == r["moe_code"]) & (offered["industry_id"] == r["industry_id"])]
        level = int(mine["relevance"].max()) if len(mine) else 0
        craft = max(float(links.get((r["industry_id"], r["moe_code"]), 0)), p.craft_from_discipline * level) / 3
        if craft < p.minimum_craft - 1e-9:
            yield _at("craft_too_weak", item=who, value=craft, limit=p.minimum_craft)
        yield from _number(r, who, "craft", craft, _SHARES)
        best = [
            strengths[r["moe_code"], c] for c in mine.loc[(mine["relevance"] == level) & (level > 0), "discipline_code"]
        ]
        span = max(best, key=lambda s: s[1], default=_graded("", False, p))
        near = where.near(r["moe_code"], r["industry_id"], p.heritage_distance_decay_km)
        w = np.array([getattr(p, f"heritage_{r['role']}_weight_{k}") for k in ("craft", "proximity", "strength")])
        scores = [100 * float(w @ [craft, near[0], s]) / float(w.sum()) for s in span]
        yield from _same(r, who, scores, level, span, near)
        parts = sum(float(r[f"contribution_{k}"]) for k in ("craft", "proximity", "strength"))
        if abs(parts - float(r["score"])) > _POINTS:
            yield _at("parts_differ", item=who, value=parts, expected=r["score"])


def _totals(plan: Mapping[str, pd.DataFrame]) -> Iterator[Finding]:
    stages = {str(r["stage"]): r for r in plan["assignment_stages"].to_dict("records")}
    for name, stage in (("lead_assignments", "lead_score"), ("heritage_pairs", "heritage_score")):
        t = plan[name]
        if stage not in stages:
            yield _at("stage_missing", item=stage)
            continue
        said = stages[stage]
        total = float(t["score"].sum())
        if abs(total - float(said["value"]) / 1000) > 0.0006 * len(t):
            yield _at("total_differs", item=name, value=total, expected=float(said["value"]) / 1000)
        if float(said["bound"]) < float(said["value"]) - 1e-6:
            yield _at("bound_below_value", item=stage, value=said["value"], expected=said["bound"])
        proven = float(said["bound"]) == float(said["value"])
        claims = set(t["status"]) | {str(said["status"])}
        if ("optimal" in claims and not proven) or len(claims) > 1:
            yield _at("claim_not_proven", item=stage)


def _ids(tables: Mapping[str, pd.DataFrame], kind: str) -> set[str]:
    t = tables["industries"]
    return set(t.loc[t["kind"] == kind, "industry_id"])


def _at(rule: str, **values: object) -> Finding:
    said = {k: f"{v:g}" if isinstance(v, float | np.floating) else v for k, v in values.items()}
    return finding(rule, _KEY + rule, **said)


def _once_each(given: pd.Series[Any], wanted: set[str], rule: str) -> Iterator[Finding]:
    counts = given.value_counts().to_dict()
    for industry in sorted(wanted | {str(k) for k in counts}):
        if counts.get(industry, 0) != (industry in wanted):
            yield finding(rule, _KEY + rule, item=industry, count=counts.get(industry, 0))


def _cap(given: pd.Series[Any], limit: int, rule: str) -> Iterator[Finding]:
    for who, count in given.value_counts().sort_index().items():
        if count > limit:
            yield _at(rule, item=who, count=count, limit=limit)


def _special(t: pd.DataFrame, rules: pd.DataFrame, industries: set[str], *, with_discipline: bool) -> Iterator[Finding]:
    for rule in rules.sort_values("rule_id").to_dict("records"):
        if rule["industry_id"] and rule["industry_id"] not in industries:
            continue
        if rule["kind"] == "paired":
            leads = t[t["role"] == "lead"].set_index("industry_id")["moe_code"].to_dict()
            if leads.get(rule["industry_id"]) != leads.get(rule["paired_industry_id"]):
                yield _at("paired_broken", item=rule["rule_id"])
            continue
        fields = ["industry_id", "moe_code", "role", *(["discipline_code"] if with_discipline else [])]
        hit = np.ones(len(t), dtype=bool)
        for name in fields:
            hit &= (t[name] == rule[name]).to_numpy() if rule[name] else True
        if rule["kind"] == "pinned" and not hit.any():
            yield _at("pinned_broken", item=rule["rule_id"])
        if rule["kind"] == "forbidden" and hit.any():
            yield _at("forbidden_broken", item=rule["rule_id"])


def _graded(grade: str, listed: bool, p: Any) -> tuple[float, float, float]:
    """Strength as (low, middle, high)."""
    floor = p.double_first_class_strength if listed else 0.0
    if grade:
        return (max(p.strength_by_grade[grade], floor),) * 3
    low, high = max(p.unknown_strength_low, floor), max(p.unknown_strength_high, floor)
    return low, (low + high) / 2, high


def _strengths(disciplines: pd.DataFrame, p: Any) -> dict[tuple[str, str], tuple[float, float, float]]:
    return {
        (str(r["moe_code"]), str(r["discipline_code"])): _graded(str(r["grade"]), bool(r["double_first_class"]), p)
        for r in disciplines.to_dict("records")
    }


class _Map:
    """Points of the unit sphere for every county, city and campus, and the places of every industry."""

    def __init__(self, tables: Mapping[str, pd.DataFrame], p: Any) -> None:
        named = [
            tables[t].rename(columns={k: "code"}) for t, k in (("counties", "county_code"), ("cities", "city_code"))
        ]
        points = pd.concat([t[["code", "lon", "lat"]] for t in named])
        lon, lat = np.radians(points["lon"].to_numpy()), np.radians(points["lat"].to_numpy())
        sphere = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
        at = dict(zip(points["code"], sphere, strict=True))
        u = tables["universities"]
        campuses = zip(u["moe_code"], u["county_code"], u["city_code"], strict=True)
        self._campus = {moe: at[county or city] for moe, county, city in campuses}
        self._places = {
            str(industry): (
                np.array([at[code] for code in t["place_code"]]),
                np.array([getattr(p, f"place_weight_{role}") for role in t["role"]]),
            )
            for industry, t in tables["industry_places"].groupby("industry_id")
        }

    def near(self, moe_code: str, industry_id: str, decay_km: float) -> tuple[float, float]:
        """Proximity (0-1) and the distance in km behind it, through the chord between two points of the sphere."""
        if industry_id not in self._places:
            return 0.0, np.nan
        there, weight = self._places[industry_id]
        km = 2 * 6371.0088 * np.arcsin(np.linalg.norm(there - self._campus[moe_code], axis=1) / 2)
        proximity = weight * np.exp(-km / decay_km)
        best = proximity.max()
        return float(best), float(km[np.isclose(proximity, best, rtol=0, atol=1e-12)].min())


def _same(
    row: Mapping[Any, Any],
    who: str,
    scores: list[float],
    level: int,
    strength: tuple[float, float, float],
    near: tuple[float, float],
) -> Iterator[Finding]:
    for name, value in zip(("score_low", "score", "score_high"), scores, strict=True):
        yield from _number(row, who, name, value, _POINTS)
    yield from _number(row, who, "relevance", level, 0)
    for name, value in zip(("strength_low", "strength", "strength_high"), strength, strict=True):
        yield from _number(row, who, name, value, _SHARES)
    yield from _number(row, who, "proximity", near[0], _SHARES)
    yield from _number(row, who, "distance_km", near[1], _KM)


def _number(row: Mapping[Any, Any], who: str, name: str, expected: float, tolerance: float) -> Iterator[Finding]:
    said = float(row[name])
    both_unknown = np.isnan(said) and np.isnan(expected)
    if not both_unknown and not abs(said - expected) <= tolerance:
        yield _at("value_differs", item=who, column=name, value=said, expected=float(expected))
