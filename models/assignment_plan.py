"""The assignment of a whole scenario: leads, heritage pairs, supports, and the tables that explain them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from zjsim.models.assignment_explanations import explain_assignment
from zjsim.models.assignment_problems import heritage_problem, lead_problem, support_problem
from zjsim.models.assignment_rules import names_of, rows_of, special_rules
from zjsim.models.assignment_scores import POINT, Candidate, great_circle_km, support_candidates
from zjsim.models.assignment_support import SupportData, SupportPlan, solve_supports
from zjsim.models.assignment_tables import (
    Assigned,
    PlanNames,
    heritage_table,
    lead_table,
    stage_table,
    support_table,
)
from zjsim.models.heritage import HeritageData, HeritagePlan, heritage_data, solve_heritage
from zjsim.models.lead_discipline import LeadData, LeadPlan, lead_data, leads_after_repair, solve_leads

from zjsim.solve.conflicts import joined
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stopped

TABLES = (
    "industries",
    "industry_places",
    "universities",
    "disciplines",
    "relevance",
    "category_relevance",
    "counties",
    "cities",
    "rules",
    "craft_links",
    "cooperation",
    "industry_loads",
    "lead_capacities",
)
"""Registries that the assignment reads."""


def plan_assignment(scenario: Any, *, log_file: str = "") -> Result[dict[str, pd.DataFrame]]:
    """Leads of the main industries, heritage pairs and supports, as tables.

    ``lead_assignments`` (a row per main industry), ``heritage_pairs`` (a row per heritage industry and role),
    ``support_assignments`` (a row per support), ``support_coverage`` (a row per industry and city, and per mountain or
    island county), ``assignment_stages`` (a row per goal with value, bound and gap), and, unless the scenario turns
    them off, the tables of :mod:`zjsim.models.assignment_explanations`. ``log_file`` keeps the solver's log of the
    plan itself, not of the thousands of solves that explain it.

    ``Infeasible`` names the requirements that cannot hold together, and what has to give so that all three have a plan;
    ``Stopped`` when a limit struck before any plan was found. Leads are decided before supports, which never change a
    lead.
    """
    tables = {name: scenario.table(name) for name in TABLES}
    parameters = scenario.parameters
    p, options = parameters.assignment, Options.of(parameters.solver, log_file=log_file)
    data, candidates = lead_data(tables, parameters)
    leads = solve_leads(data, options, explain_choices=True)
    crafts, masters = heritage_data(tables, parameters)
    pairs = solve_heritage(crafts, options, explain_choices=True)
    # Where no leads exist, supports are tried under the leads that the repair would bring: one answer for all three.
    settled = leads_after_repair(data, leads.conflict, options) if isinstance(leads, Infeasible) else leads
    if not isinstance(settled, Optimal | Feasible):
        return leads if isinstance(leads, Stopped) else _none((leads, pairs))
    helpers, possible = support_data(tables, parameters, settled.plan)
    supports = solve_supports(helpers, options)
    results = (leads, pairs, supports)
    if isinstance(leads, Infeasible | Stopped) or isinstance(pairs, Infeasible | Stopped):
        return _none(results)
    if isinstance(supports, Infeasible | Stopped):
        return supports
    stages = (*leads.stages, *pairs.stages, *supports.stages)
    plan = {
        "lead_assignments": lead_table(_leads(leads.plan, data, candidates), tables, leads),
        "heritage_pairs": heritage_table(_pairs(pairs.plan, crafts, masters), tables, pairs),
        "support_assignments": support_table(_supports(supports.plan, helpers, possible), tables, supports),
        "support_coverage": coverage_table(supports.plan, helpers, tables),
        "assignment_stages": stage_table(stages),
    }
    if p.explain_choices:
        deadline, quiet = time.monotonic() + p.explain_time_limit_s, replace(options, log_file="")
        problems = (
            lead_problem(data, candidates, leads, tables, quiet),
            heritage_problem(crafts, masters, pairs, tables, quiet),
            support_problem(helpers, possible, supports, tables, quiet),
        )
        plan |= explain_assignment(problems, tables, p, deadline)
    open_stage = next((s for s in stages if s.gap > 0), None)
    if open_stage is None:
        return Optimal(plan, stages)
    return Feasible(plan, stages, open_stage.bound, open_stage.gap)


def _none(results: tuple[Result[Any], ...]) -> Infeasible | Stopped:
    """Why there is no plan: every conflict there is, or the first limit that struck."""
    conflicts = [r.conflict for r in results if isinstance(r, Infeasible)]
    if conflicts:
        return Infeasible(joined(conflicts))
    return next(r for r in results if isinstance(r, Stopped))


def support_data(
    tables: Mapping[str, pd.DataFrame], parameters: Any, leads: LeadPlan
) -> tuple[SupportData, tuple[Candidate, ...]]:
    """The support assignment of a scenario's tables under these leads, and its scored candidates."""
    p = parameters.assignment
    industries = tuple(sorted(leads.leads))
    special = special_rules(tables["rules"], industries, ("support",))
    also = [(r.industry_id, r.moe_code, r.discipline_code) for r in special if r.kind == "pinned"]
    candidates = support_candidates(tables, p, industries, also)
    universities = tables["universities"]
    data = SupportData(
        industries,
        {_key(c): c.score_units for c in candidates},
        leads.leads,
        {_key(c): c.relevance for c in candidates},
        dict(zip(universities["moe_code"], universities["city_code"], strict=True)),
        cities_of_industries(tables, industries),
        served_counties(tables, industries, p.mountain_island_reach_km) if p.mountain_island_floor else {},
        p.min_supports_per_industry,
        p.max_supports_per_industry,
        round(p.support_worth_from * POINT),
        p.min_support_relevance,
        p.max_supports_per_discipline,
        p.max_supports_per_institution,
        p.mountain_island_floor,
        special,
        names_of(tables),
    )
    return data, candidates


def cities_of_industries(tables: Mapping[str, pd.DataFrame], industries: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The cities with a place of each industry, in code order."""
    city = dict(zip(tables["counties"]["county_code"], tables["counties"]["city_code"], strict=True))
    cities: dict[str, set[str]] = {i: set() for i in industries}
    for row in rows_of(tables["industry_places"]):
        if row.industry_id in cities:
            cities[row.industry_id].add(city.get(row.place_code, row.place_code))
    return {i: tuple(sorted(found)) for i, found in cities.items()}


def served_counties(
    tables: Mapping[str, pd.DataFrame], industries: tuple[str, ...], reach_km: float
) -> dict[str, frozenset[tuple[str, str]]]:
    """For each mountain or island county named as a place of an industry: the pairs (industry, institution in reach).

    Institutions lie at their county's point (their city's where the county is not known).
    """
    counties = tables["counties"]
    point = dict(zip(counties["county_code"], zip(counties["lon"], counties["lat"], strict=True), strict=True))
    cities = tables["cities"]
    point |= dict(zip(cities["city_code"], zip(cities["lon"], cities["lat"], strict=True), strict=True))
    remote = counties.loc[counties["is_mountain"] | counties["is_island"], "county_code"]
    served: dict[str, frozenset[tuple[str, str]]] = {}
    places = tables["industry_places"]
    for county in sorted(remote):
        here = sorted(set(places.loc[places["place_code"] == county, "industry_id"]) & set(industries))
        near = [
            row.moe_code
            for row in rows_of(tables["universities"])
            if great_circle_km(*point[county], *point[row.county_code or row.city_code]) <= reach_km
        ]
        if here:
            served[county] = frozenset((i, u) for i in here for u in near)
    return served


def coverage_table(plan: SupportPlan, data: SupportData, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Table ``support_coverage``: who takes part where.

    ``kind`` city: a row per main industry and city with a place of it, which should have a participant where possible;
    ``kind`` county: a row per mountain or island county with a place of a main industry, which must have ``required``
    participants within reach. ``candidates`` counts the institutions that could take part.
    """
    names = PlanNames(tables)
    part = {(i, u) for i, u, _ in plan.supports} | {(i, d[0]) for i, d in data.leads.items()}
    able = {(i, u) for i, u, _ in data.scores} | {(i, d[0]) for i, d in data.leads.items()}
    rows: list[dict[str, object]] = []
    for i, c in plan.present:
        here, could = (sum(k == i and data.city_of[u] == c for k, u in who) for who in (part, able))
        rows.append({"kind": "city", **names.industry(i), **names.place(c), **_counts(here, could, float("nan"))})
    nothing = {"industry_id": "", "industry_zh": "", "industry_en": ""}
    for county, pairs in sorted(data.served.items()):
        counts = _counts(len(pairs & part), len(pairs & able), float(data.county_floor))
        rows.append({"kind": "county", **nothing, **names.place(county), **counts})
    columns = ["kind", *nothing, "place_code", "place_zh", "place_en", "participants", "candidates", "required", "met"]
    return pd.DataFrame(rows, columns=columns)


def _counts(here: int, could: int, required: float) -> dict[str, object]:
    least = 1.0 if required != required else required
    return {"participants": here, "candidates": could, "required": required, "met": here >= least}


def _leads(plan: LeadPlan, data: LeadData, candidates: tuple[Candidate, ...]) -> list[Assigned]:
    by_key = {(c.industry_id, (c.moe_code, c.discipline_code)): c for c in candidates}
    found = []
    for i, d in sorted(plan.leads.items()):
        other, units = plan.runner_up.get(i), plan.regret.get(i)
        found.append(
            Assigned(
                by_key[i, d],
                None if other is None else by_key[i, other],
                None if units is None else units / POINT,
                any(r.kind == "pinned" and r.matches(i, *d) for r in data.special),
                i in plan.regret and units is None,
            )
        )
    return found


def _pairs(plan: HeritagePlan, data: HeritageData, candidates: tuple[Candidate, ...]) -> list[Assigned]:
    by_post = {(c.industry_id, c.moe_code, c.role): c for c in candidates}
    found = []
    for (h, r), u in sorted(plan.institutions.items()):
        other, units = plan.runner_up.get((h, r)), plan.regret.get((h, r))
        found.append(
            Assigned(
                by_post[h, u, r],
                None if other is None else by_post[h, other, r],
                None if units is None else units / POINT,
                any(k.kind == "pinned" and k.matches(h, u, role=r) for k in data.special),
                (h, r) in plan.regret and units is None,
            )
        )
    return found


def _supports(plan: SupportPlan, data: SupportData, candidates: tuple[Candidate, ...]) -> list[Assigned]:
    by_key = {_key(c): c for c in candidates}
    pins = [r for r in data.special if r.kind == "pinned"]
    return [Assigned(by_key[k], pinned=any(r.matches(*k, role="support") for r in pins)) for k in sorted(plan.supports)]


def _key(c: Candidate) -> tuple[str, str, str]:
    return c.industry_id, c.moe_code, c.discipline_code
