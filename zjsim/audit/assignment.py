"""Re-check of the lead, heritage and support assignment from the exported tables and the registries alone.

Scores are computed again from the registries by other code than the models use; every rule is checked on the rows.
Tolerances: 0.002 points on scores (they are exported to a thousandth), 0.002 km on distances, 2e-6 on shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from zjsim.audit.assignment_explanations import explanations
from zjsim.audit.assignment_facts import facts
from zjsim.audit.assignment_supports import support_rules, supports
from zjsim.audit.assignment_tools import SHARES, Scorer, at, cap, ids, number, once_each, same, special
from zjsim.audit.finding import Finding

_PLAN = ("lead_assignments", "heritage_pairs", "support_assignments", "support_coverage", "assignment_stages")


def check(plan: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame], parameters: Any) -> list[Finding]:
    """Every rule that the tables of the assignment break; empty when none.

    Tables: ``lead_assignments``, ``heritage_pairs``, ``support_assignments``, ``support_coverage``,
    ``assignment_stages``, and those of the explanations where the plan has them.
    """
    gone = [n for n in _PLAN if n not in plan]
    if gone:
        return [at("table_missing", table=name) for name in gone]
    p, leads, pairs = parameters.assignment, plan["lead_assignments"], plan["heritage_pairs"]
    found = [*lead_rules(leads, tables, p), *heritage_rules(pairs, tables, p)]
    strangers = {f.rule for f in found} & {"unknown_discipline", "unknown_institution", "unknown_role"}
    scorer = Scorer(tables, p)
    if "unknown_discipline" not in strangers:
        found += _lead_scores(leads, scorer)
        found += supports(plan, tables, p, scorer)
    if not strangers & {"unknown_institution", "unknown_role"}:
        found += _heritage_scores(pairs, scorer)
    found += _totals(plan)
    if not found:
        found += facts(plan, tables, p, scorer)
        rules = {"lead": lead_rules, "heritage": heritage_rules, "support": support_rules(leads, scorer)}
        found += explanations(plan, tables, p, scorer, rules)
    return found


def lead_rules(t: pd.DataFrame, tables: Mapping[str, pd.DataFrame], p: Any) -> Iterator[Finding]:
    """The rules of the lead assignment on rows with industry_id, moe_code and discipline_code."""
    industries = ids(tables, "provincial_cluster")
    yield from once_each(t["industry_id"], industries, "one_lead_per_industry")
    known = set(zip(tables["disciplines"]["moe_code"], tables["disciplines"]["discipline_code"], strict=True))
    pairs = list(zip(t["moe_code"], t["discipline_code"], strict=True))
    yield from (at("unknown_discipline", item="/".join(k)) for k in sorted(set(pairs) - known))
    if p.lead_reading == "one_industry_per_discipline":
        load, room, roof = pd.Series(1.0, index=t.index), {}, {}
        limit = 1.0
    else:
        loads = tables["industry_loads"].set_index("industry_id")["load"].to_dict()
        load = t["industry_id"].map(lambda i: float(loads.get(i, 1)))
        given = tables["lead_capacities"].to_dict("records")
        room = {(r["moe_code"], r["discipline_code"]): r["capacity"] for r in given if r["discipline_code"]}
        roof = {r["moe_code"]: r["capacity"] for r in given if not r["discipline_code"]}
        limit = float(p.industries_per_discipline)
    for key in sorted(set(pairs)):
        used = float(load[[pair == key for pair in pairs]].sum())
        if used > room.get(key, limit) + 1e-9:
            yield at("discipline_overloaded", item="/".join(key), count=used, limit=room.get(key, limit))
    for who in sorted(set(t["moe_code"]) & roof.keys()):
        used = float(load[t["moe_code"] == who].sum())
        if used > roof[who] + 1e-9:
            yield at("capacity_exceeded", item=who, count=used, limit=roof[who])
    yield from cap(t["moe_code"], p.max_leads_per_university, "university_overloaded")
    relevance = tables["relevance"].set_index(["industry_id", "discipline_code"])["relevance"].to_dict()
    for i, u, d in zip(t["industry_id"], t["moe_code"], t["discipline_code"], strict=True):
        level = int(relevance.get((i, d), 0))
        if level < p.minimum_relevance:
            yield at("relevance_too_low", item=f"{i} {u}/{d}", value=level, limit=p.minimum_relevance)
    yield from special(t.assign(role="lead"), tables["rules"], industries, ("lead",))


def heritage_rules(t: pd.DataFrame, tables: Mapping[str, pd.DataFrame], p: Any) -> Iterator[Finding]:
    """The rules of the heritage assignment on rows with industry_id, role and moe_code."""
    industries = ids(tables, "heritage")
    roles = ("lead", "partner") if p.heritage_reading == "lead_and_partner" else ("lead",)
    yield from (at("unknown_role", item=r) for r in sorted(set(t["role"]) - set(roles)))
    for role in roles:
        yield from once_each(t.loc[t["role"] == role, "industry_id"], industries, f"one_heritage_{role}")
    universities = tables["universities"].set_index("moe_code")
    strangers = sorted(set(t["moe_code"]) - set(universities.index))
    yield from (at("unknown_institution", item=u) for u in strangers)
    if strangers:
        return
    trade = (universities["level"] == "vocational") | universities["vocational_undergraduate"]
    for industry, pair in t.groupby("industry_id"):
        if pair["moe_code"].duplicated().any():
            yield at("same_institution", item=industry)
        vocational = trade.loc[pair["moe_code"]].to_numpy()
        if len(roles) == 2 and vocational.sum() > p.max_vocational_per_pair:
            yield at("too_many_vocational", item=industry, count=vocational.sum(), limit=p.max_vocational_per_pair)
        if not p.vocational_may_lead and vocational[(pair["role"] == "lead").to_numpy()].any():
            yield at("vocational_lead", item=industry)
    yield from cap(t["moe_code"], p.max_heritage_roles_per_institution, "institution_overloaded")
    yield from special(t, tables["rules"], industries, ("lead", "partner"))
    offered = tables["disciplines"].merge(tables["relevance"], on="discipline_code", suffixes=("", "_r"))
    level = offered.groupby(["industry_id", "moe_code"])["relevance"].max().to_dict()
    links = tables["craft_links"].set_index(["industry_id", "moe_code"])["link"].to_dict()
    for i, u, r in zip(t["industry_id"], t["moe_code"], t["role"], strict=True):
        craft = max(float(links.get((i, u), 0)), p.craft_from_discipline * int(level.get((i, u), 0))) / 3
        if craft < p.minimum_craft - 1e-9:
            yield at("craft_too_weak", item=f"{i} {u} ({r})", value=craft, limit=p.minimum_craft)


def _lead_scores(t: pd.DataFrame, scorer: Scorer) -> Iterator[Finding]:
    for r in t.to_dict("records"):
        who = f"{r['industry_id']} {r['moe_code']}/{r['discipline_code']}"
        score = scorer.main(r["industry_id"], r["moe_code"], r["discipline_code"])
        yield from same(r, who, score, ("strength", "proximity", "cooperation"))
        yield from number(r, who, "cooperation", score.other, SHARES)


def _heritage_scores(t: pd.DataFrame, scorer: Scorer) -> Iterator[Finding]:
    for r in t.to_dict("records"):
        who = f"{r['industry_id']} {r['moe_code']} ({r['role']})"
        score = scorer.craft(r["industry_id"], r["moe_code"], r["role"])
        yield from same(r, who, score, ("craft", "proximity", "strength"))
        yield from number(r, who, "craft", score.other, SHARES)


def _totals(plan: Mapping[str, pd.DataFrame]) -> Iterator[Finding]:
    stages = {str(r["stage"]): r for r in plan["assignment_stages"].to_dict("records")}
    twice = plan["assignment_stages"]["stage"].duplicated()
    yield from (at("stage_missing", item=s) for s in plan["assignment_stages"]["stage"][twice])
    for name, stage in (("lead_assignments", "lead_score"), ("heritage_pairs", "heritage_score")):
        t = plan[name]
        if stage not in stages:
            yield at("stage_missing", item=stage)
            continue
        said = stages[stage]
        total = float(t["score"].sum())
        if abs(total - float(said["value"]) / 1000) > 0.0006 * len(t):
            yield at("total_differs", item=name, value=total, expected=float(said["value"]) / 1000)
    for stage, said in stages.items():
        sign = 1.0 if said["sense"] == "maximise" else -1.0
        if sign * (float(said["bound"]) - float(said["value"])) < -1e-6:
            yield at("bound_below_value", item=stage, value=said["value"], expected=said["bound"])
        if said["status"] == "optimal" and float(said["bound"]) != float(said["value"]):
            yield at("claim_not_proven", item=stage)
    for name, stage in (
        ("lead_assignments", "lead_score"),
        ("heritage_pairs", "heritage_score"),
        ("support_assignments", "support_score"),
    ):
        if stage in stages and set(plan[name]["status"]) - {str(stages[stage]["status"])}:
            yield at("claim_not_proven", item=stage)
