"""Joint platforms, branch centres and local research institutes: who opens what with which industry, where and when.

M013 and M015 (joint laboratories, R&D and engineering centres), M014 (branch centres of national and provincial
platforms), M009 (local research institutes, 力量下沉 M011). The need is firms of an industry in a county that would
join; a platform serves firms of its industry within ``platform_reach_km``. For every county and industry the
``platform_hosts_per_place`` best institutions and those assigned to the industry are candidates, and every institution
is one in the ``platform_places_per_host`` places that suit it best:

    points = 100 x (wr x relevance/3 + ws x strength + wp x exp(-km / decay) + wa x assigned) / (wr + ws + wp + wa)

relevance is that of the institution's closest discipline or craft, else of its category; strength that of the
discipline (unknown: the middle of its range); assigned is 1 for the lead, 0.5 for a supporting or partner institution.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from zjsim.models.assignment_scores import strength_of
from zjsim.models.location_data import Ground, Score, Tables, Theme, weighted
from zjsim.models.location_rules import Option, Place

from zjsim.scenario.parameters import AssignmentParameters

THEME = "platforms"
PLATFORM, BRANCH, INSTITUTE = "joint_platform", "branch_centre", "research_institute"
ASSIGNED = {"lead": 1.0, "partner": 0.5, "support": 0.5}
"""How much an assignment to the industry counts; the tables of the assignment name the roles."""
ASSIGNMENT_TABLES = {"lead_assignments": "lead", "support_assignments": "support", "heritage_pairs": "partner"}


def platform_theme(tables: Tables, parameters: Any, plan: Mapping[str, pd.DataFrame]) -> Theme:
    """The data of the platform plan; ``plan`` may hold the assignment of leads (used for ``assigned``)."""
    ground = Ground(tables, parameters)
    p = ground.p
    need = ground.need(THEME)
    places = [Place(*d) for d in need]
    arcs = ground.arcs(places, need, p.platform_reach_km)
    within: dict[Place, int] = defaultdict(int)
    for s, d in arcs:
        within[s] += need[d]
    staff, starts, branch_hosts = ground.hosts(THEME)
    scores = _Scores(ground, parameters.assignment, plan)
    kinds = ground.theme_kinds(THEME)
    ranked = {s: [(h, score) for h, score in scores.of(s) if staff.get(h, 0) > 0] for s in sorted(places)}
    best = _best_places(ranked, p.platform_places_per_host)
    options: dict[Option, Score] = {}
    for s, all_hosts in ranked.items():
        offers = {
            PLATFORM: [
                (h, x)
                for n, (h, x) in enumerate(all_hosts)
                if n < p.platform_hosts_per_place or _assigned(x) or s in best[h]
            ],
            BRANCH: [(h, x) for h, x in all_hosts if h in branch_hosts][:2],
            INSTITUTE: [(h, x) for h, x in all_hosts if staff[h] >= kinds[INSTITUTE].staff and h in branch_hosts][:3],
        }
        for kind, hosts in offers.items():
            if within[s] >= kinds[kind].minimum_served:
                options |= {Option(kind, h, *s): x for h, x in hosts}
    counties = sorted({o.county for o in options})
    theme = ground.theme(
        THEME,
        options,
        need,
        arcs,
        per_city=p.platforms_per_city,
        mountain_island_share=p.mountain_island_share,
        scores=options,
        staff=staff,
        county_points=p.platform_county_points,
        starts_of_host=starts,
        most_in_county={(INSTITUTE, c): p.institutes_per_county for c in counties},
    )
    return replace(theme, relative_gap=p.platform_relative_gap)


def _best_places(ranked: Mapping[Place, list[tuple[str, Score]]], count: int) -> dict[str, set[Place]]:
    """The places that suit every host best: no institution with staff free is left without a choice."""
    by_host: dict[str, list[tuple[float, Place]]] = defaultdict(list)
    for s, hosts in ranked.items():
        for h, x in hosts:
            by_host[h].append((-round(x.points, 9), s))
    return {h: {s for _, s in sorted(found)[:count]} for h, found in by_host.items()}


def _assigned(score: Score) -> bool:
    return score.components["assigned"] > 0


class _Scores:
    """Scores of all institutions for a place, best first."""

    def __init__(self, ground: Ground, p: AssignmentParameters, plan: Mapping[str, pd.DataFrame]) -> None:
        self.ground, self.roles = ground, _roles(plan)
        self.offers = offers_by_industry(ground.tables, p)

    def of(self, place: Place) -> list[tuple[str, Score]]:
        found = []
        p = self.ground.p
        for host, (relevance, strength, source) in sorted(self.offers[place.service].items()):
            km = self.ground.km_to_host(host, place.county)
            if km > p.platform_host_km:
                continue
            parts = {
                "relevance": relevance / 3,
                "strength": strength,
                "proximity": math.exp(-km / p.distance_decay_km),
                "assigned": self.roles.get((place.service, host), 0.0),
            }
            found.append((host, Score(weighted(parts, p), parts, km, source)))
        return sorted(found, key=lambda x: (-round(x[1].points, 9), x[0]))


def offers_by_industry(tables: Tables, p: AssignmentParameters) -> dict[str, dict[str, tuple[int, float, str]]]:
    """For every industry: institution → relevance 1-3, strength 0-1, and whether read from discipline, craft, category.

    The more relevant wins, then the stronger. Strengths are graded as in the assignment (``p``).
    """
    unknown = strength_of("", False, p).value
    found: dict[str, dict[str, tuple[int, float, str]]] = defaultdict(dict)

    def offer(industry: str, host: str, relevance: int, strength: float, source: str) -> None:
        if relevance > 0:
            found[industry][host] = max(found[industry].get(host, (0, 0.0, "")), (relevance, strength, source))

    by_discipline = defaultdict(list)
    for r in tables["relevance"].to_dict("records"):
        by_discipline[r["discipline_code"]].append((r["industry_id"], int(r["relevance"])))
    for r in tables["disciplines"].to_dict("records"):
        for industry, level in by_discipline[r["discipline_code"]]:
            offer(
                industry,
                r["moe_code"],
                level,
                strength_of(r["grade"], bool(r["double_first_class"]), p).value,
                "discipline",
            )
    for r in tables["craft_links"].to_dict("records"):
        offer(r["industry_id"], r["moe_code"], int(r["link"]), unknown, "craft")
    by_category = defaultdict(list)
    for r in tables["category_relevance"].to_dict("records"):
        by_category[r["category"]].append((r["industry_id"], int(r["relevance"])))
    listed = set(tables["disciplines"]["moe_code"])
    for r in tables["universities"].to_dict("records"):
        for industry, level in by_category[r["category"]] if r["moe_code"] not in listed else ():
            offer(industry, r["moe_code"], level, unknown, "category")
    return found


def _roles(plan: Mapping[str, pd.DataFrame]) -> dict[tuple[str, str], float]:
    """(industry, institution) → how much its role in the assignment counts."""
    roles: dict[tuple[str, str], float] = {}
    for name, usual in ASSIGNMENT_TABLES.items():
        if name not in plan:
            continue
        t = plan[name]
        named = t["role"] if "role" in t else [usual] * len(t)
        for industry, host, role in zip(t["industry_id"], t["moe_code"], named, strict=True):
            roles[industry, host] = max(roles.get((industry, host), 0.0), ASSIGNED.get(role, 0.5))
    return roles
