"""Re-check of the supports of the main industries, their cities and the mountain and island counties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from zjsim.audit.assignment_tools import SHARES, Scorer, at, cap, ids, number, same, special
from zjsim.audit.finding import Finding

Rules = Callable[[pd.DataFrame, Mapping[str, pd.DataFrame], Any], Iterator[Finding]]


def supports(
    plan: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], p: Any, scorer: Scorer
) -> Iterator[Finding]:
    """Every rule that ``support_assignments`` and ``support_coverage`` break, and their totals."""
    t, leads = plan["support_assignments"], plan["lead_assignments"]
    found = list(support_rules(leads, scorer)(t, tables, p))
    yield from found
    if any(f.rule == "unknown_support" for f in found):
        return
    for r in t.to_dict("records"):
        who = f"{r['industry_id']} {r['moe_code']}/{r['discipline_code']}"
        score = scorer.main(r["industry_id"], r["moe_code"], r["discipline_code"])
        yield from same(r, who, score, ("strength", "proximity", "cooperation"))
        yield from number(r, who, "cooperation", score.other, SHARES)
        if (r["candidate"] == "discipline") != bool(r["discipline_code"]):
            yield at("value_differs", item=who, column="candidate", value=r["candidate"], expected=r["discipline_code"])
    yield from _coverage(plan, tables, p, scorer)
    stages = plan["assignment_stages"].set_index("stage")["value"].to_dict()
    present = plan["support_coverage"].loc[plan["support_coverage"]["kind"] == "city", "met"].sum()
    worth = float((t["score"] - p.support_worth_from).sum())
    for stage, value, slack in (
        ("support_cities", float(present), 0.0),
        ("support_score", 1000 * worth, 0.6 * len(t) + 1e-6),
        ("support_few", float(len(t)), 0.0),
    ):
        if stage not in stages:
            yield at("stage_missing", item=stage)
        elif abs(float(stages[stage]) - value) > slack:
            yield at("total_differs", item=stage, value=value, expected=float(stages[stage]))


def support_rules(leads: pd.DataFrame, scorer: Scorer) -> Rules:
    """The rules of the support assignment under these leads, on rows with industry, institution and discipline."""

    def rules(t: pd.DataFrame, tables: Mapping[str, pd.DataFrame], p: Any) -> Iterator[Finding]:
        industries = ids(tables, "provincial_cluster")
        keys = list(zip(t["industry_id"], t["moe_code"], t["discipline_code"], strict=True))
        universities = set(tables["universities"]["moe_code"])
        for i, u, d in keys:
            known = (u, d) in scorer.strengths if d else u in universities - scorer.listed
            if i not in industries or not known:
                yield at("unknown_support", item=f"{i} {u}/{d}")
        counts = t["industry_id"].value_counts().to_dict()
        for i in sorted(industries):
            if not p.min_supports_per_industry <= counts.get(i, 0) <= p.max_supports_per_industry:
                low, high = p.min_supports_per_industry, p.max_supports_per_industry
                yield at("supports_out_of_bounds", item=i, count=counts.get(i, 0), low=low, high=high)
        part = [*((i, u) for i, u, _ in keys), *zip(leads["industry_id"], leads["moe_code"], strict=True)]
        twice = sorted(k for k, n in Counter(part).items() if n > 1)
        yield from (at("two_parts", item=" ".join(k)) for k in twice)
        who = t["moe_code"] + "/" + t["discipline_code"]
        yield from cap(who, p.max_supports_per_discipline, "support_overloaded")
        yield from cap(t["moe_code"], p.max_supports_per_institution, "support_overloaded")
        relevance = tables["relevance"].set_index(["industry_id", "discipline_code"])["relevance"].to_dict()
        for i, u, d in keys:
            if d and relevance.get((i, d), 0) < p.min_support_relevance:
                value, limit = relevance.get((i, d), 0), p.min_support_relevance
                yield at("relevance_too_low", item=f"{i} {u}/{d}", value=value, limit=limit)
        yield from special(t.assign(role="support"), tables["rules"], industries, ("support",))
        for county, count in _served(part, tables, p, scorer).items():
            if count < p.mountain_island_floor:
                yield at("county_short", item=county, count=count, limit=p.mountain_island_floor)

    return rules


def _served(part: list[tuple[str, str]], tables: Mapping[str, pd.DataFrame], p: Any, scorer: Scorer) -> dict[str, int]:
    """Participants within reach of every mountain or island county named as a place of a main industry."""
    counties, places = tables["counties"], tables["industry_places"]
    remote = counties.loc[counties["is_mountain"] | counties["is_island"], "county_code"]
    main = places[places["industry_id"].isin(ids(tables, "provincial_cluster")) & places["place_code"].isin(remote)]
    return {
        str(county): sum(
            i in set(here) and scorer.km(u, str(county)) <= p.mountain_island_reach_km for i, u in sorted(set(part))
        )
        for county, here in main.groupby("place_code")["industry_id"]
    }


def _coverage(
    plan: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], p: Any, scorer: Scorer
) -> Iterator[Finding]:
    t, coverage = plan["support_assignments"], plan["support_coverage"]
    leads = plan["lead_assignments"]
    part = {(i, u) for table in (t, leads) for i, u in zip(table["industry_id"], table["moe_code"], strict=True)}
    city = tables["universities"].set_index("moe_code")["city_code"].to_dict()
    counties = tables["counties"].set_index("county_code")["city_code"]
    places = tables["industry_places"]
    places = places[places["industry_id"].isin(ids(tables, "provincial_cluster"))]
    wanted: dict[tuple[str, str, str], int] = {
        ("city", str(i), str(counties.get(place, place))): 0
        for i, place in zip(places["industry_id"], places["place_code"], strict=True)
    }
    for i, u in part:
        if ("city", i, city[u]) in wanted:
            wanted["city", i, city[u]] += 1
    if p.mountain_island_floor:
        wanted |= {("county", "", county): n for county, n in _served(sorted(part), tables, p, scorer).items()}
    said = {(r["kind"], r["industry_id"], r["place_code"]): r for r in coverage.to_dict("records")}
    yield from (at("coverage_rows", item=" ".join(k)) for k in sorted(wanted.keys() ^ said.keys()))
    for key in sorted(wanted.keys() & said.keys()):
        count, least = wanted[key], p.mountain_island_floor if key[0] == "county" else 1
        yield from number(said[key], " ".join(key), "participants", count, 0)
        yield from number(said[key], " ".join(key), "met", count >= least, 0)
