"""Heritage industries "1+1" (M012): a leading and a partner institution for each of the ten historical classics.

Sets: heritage industries ``h``, institutions ``u`` (undergraduate and vocational), roles ``r`` (lead and partner, or
lead alone in the reading ``one_university``), candidates ``(h, u, r)``. Variable ``y[h, u, r]`` is 1 when ``u`` takes
role ``r`` for ``h``. Goals in order: the total score (whole thousandths of a point; why craft and place weigh against
rank is argued in :mod:`zjsim.models.assignment_scores`); then the smaller sum of places in code order, each times the
place of the post.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyomo.environ as pyo
from zjsim.models.assignment_rules import (
    Describe,
    Names,
    SpecialRule,
    describe_special,
    names_of,
    requirements,
    rules_of_kind,
    special_rules,
)
from zjsim.models.assignment_scores import Candidate, heritage_candidates

from zjsim.solve.choices import best_without
from zjsim.solve.conflicts import Requirement
from zjsim.solve.goals import Goal, Prepared, Solution
from zjsim.solve.matrix import total
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stopped

Post = tuple[str, str, str]
"""(industry_id, moe_code, role)."""

Slot = tuple[str, str]
"""(industry_id, role)."""


@dataclass(frozen=True, slots=True)
class HeritageData:
    """All a heritage assignment needs; an institution without a score for a role is no candidate for it."""

    industries: tuple[str, ...]
    scores: Mapping[Post, int]
    craft: Mapping[tuple[str, str], float]
    vocational: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ("lead", "partner")
    vocational_may_lead: bool = False
    max_vocational_per_pair: int = 1
    max_roles_per_institution: int = 3
    minimum_craft: float = 0.0
    special: tuple[SpecialRule, ...] = ()
    names: Names = field(default_factory=Names)


def one_heritage_lead(m: pyo.ConcreteModel) -> None:
    """Every heritage industry has one leading institution.

    sum over u of y[h, u, lead] = 1 for every heritage industry h. Unit of the row: institutions. M012.
    """
    m.one_heritage_lead = pyo.Constraint(m.industries, rule=lambda m, h: total(_of(m, h=h, r="lead")) == 1)


def one_heritage_partner(m: pyo.ConcreteModel) -> None:
    """Every heritage industry has one partner institution (reading lead_and_partner).

    sum over u of y[h, u, partner] = 1 for every heritage industry h. Unit of the row: institutions. M012, the second
    1 of "1+1".
    """
    m.one_heritage_partner = pyo.Constraint(m.industries, rule=lambda m, h: total(_of(m, h=h, r="partner")) == 1)


def two_institutions(m: pyo.ConcreteModel) -> None:
    """Lead and partner are two different institutions.

    y[h, u, lead] + y[h, u, partner] <= 1 for every heritage industry h and institution u that is a candidate. Unit of
    the row: roles. M012.
    """
    both = sorted({(h, u) for h, u, _ in m.posts})
    m.two_institutions = pyo.Constraint(both, rule=lambda m, h, u: total(_of(m, h=h, u=u)) <= 1)


def vocational_per_pair(m: pyo.ConcreteModel) -> None:
    """One of the two may be a vocational institution, not both.

    sum over roles r and vocational u of y[h, u, r] <= cap for every heritage industry h. Unit of the row:
    institutions. M012, reading of the "1+1" in this project.
    """
    data: HeritageData = m.data
    m.vocational_per_pair = pyo.Constraint(
        m.industries,
        rule=lambda m, h: (
            total(m.y[p] for p in m.posts if p[0] == h and p[1] in data.vocational) <= data.max_vocational_per_pair
        ),
    )


def roles_per_institution(m: pyo.ConcreteModel) -> None:
    """No institution takes more roles than the cap, so that each can be served properly.

    sum over h and r of y[h, u, r] <= cap for every institution u. Unit of the row: roles. M012; the cap is an
    assumption of the scenario.
    """
    m.roles_per_institution = pyo.Constraint(
        sorted({u for _, u, _ in m.posts}),
        rule=lambda m, u: total(_of(m, u=u)) <= m.data.max_roles_per_institution,
    )


def minimum_craft(m: pyo.ConcreteModel) -> None:
    """An institution that has too little to do with a craft does not serve it.

    (minimum - craft[h, u]) y[h, u, r] <= 0 for every post (h, u, r) below the minimum. Unit of the row: share of the
    closest link (0-1), by which the minimum would have to be lower; a shortfall counts as a thousandth at least, for
    the solver's tolerance. M012 (传承).
    """
    least, craft = m.data.minimum_craft, m.data.craft
    m.minimum_craft = pyo.Constraint(
        [p for p in m.posts if craft[p[:2]] < least - 1e-9],
        rule=lambda m, *p: max(least - craft[p[:2]], 0.001) * m.y[p] <= 0,
    )


def pinned_pairs(m: pyo.ConcreteModel) -> None:
    """An institution that the planner pins to a heritage industry (in a role, or in any) serves it.

    sum over roles r named by the rule k of y[h(k), u(k), r] >= 1 for every pinned rule k. Unit of the row: roles. M012,
    registry ``rules``.
    """
    m.pinned_pairs = pyo.Constraint(
        rules_of_kind(m, "pinned"), rule=lambda m, k: total(m.y[p] for p in m.posts if _named(m, k, p)) >= 1
    )


def forbidden_pairs(m: pyo.ConcreteModel) -> None:
    """What the planner forbids does not happen.

    sum over posts named by the rule k of y[h, u, r] <= 0 for every forbidden rule k. Unit of the row: roles. M012,
    registry ``rules``.
    """
    m.forbidden_pairs = pyo.Constraint(
        rules_of_kind(m, "forbidden"), rule=lambda m, k: total(m.y[p] for p in m.posts if _named(m, k, p)) <= 0
    )


def paired_pairs(m: pyo.ConcreteModel) -> None:
    """Two heritage industries that the planner pairs are led by the same institution.

    y[h(k), u, lead] = y[g(k), u, lead] for every paired rule k and institution u. Unit of the row: institutions. M012,
    registry ``rules``.
    """

    leads = sorted({u for _, u, r in m.posts if r == "lead"})
    m.paired_pairs = pyo.Constraint(
        [(k, u) for k in rules_of_kind(m, "paired") for u in leads],
        rule=lambda m, k, u: (
            total(_of(m, h=m.special[k].industry_id, u=u, r="lead"))
            - total(_of(m, h=m.special[k].paired_industry_id, u=u, r="lead"))
            == 0
        ),
    )


def undergraduate_leads(m: pyo.ConcreteModel) -> None:
    """A vocational institution is the partner, not the lead, unless the scenario lets it lead.

    sum over vocational u of y[h, u, lead] <= 0 for every heritage industry h. Unit of the row: institutions. M012
    (赋能: the lead brings the research); switch ``vocational_may_lead``.
    """
    vocational = m.data.vocational
    m.undergraduate_leads = pyo.Constraint(
        m.industries,
        rule=lambda m, h: total(m.y[p] for p in m.posts if p[0] == h and p[2] == "lead" and p[1] in vocational) <= 0,
    )


HERITAGE_RULES: dict[str, Callable[[pyo.ConcreteModel], None]] = {
    rule.__name__: rule
    for rule in (
        roles_per_institution,
        two_institutions,
        vocational_per_pair,
        undergraduate_leads,
        minimum_craft,
        one_heritage_lead,
        one_heritage_partner,
        forbidden_pairs,
        paired_pairs,
        pinned_pairs,
    )
}
"""Every rule of the heritage assignment by name, from the general to the particular."""


def heritage_rules_in_force(data: HeritageData) -> tuple[str, ...]:
    """The rules that the reading of ``data`` turns on."""
    off = set() if "partner" in data.roles else {"one_heritage_partner", "two_institutions", "vocational_per_pair"}
    if data.vocational_may_lead:
        off.add("undergraduate_leads")
    return tuple(name for name in HERITAGE_RULES if name not in off)


def build_heritage_model(data: HeritageData, without: Collection[str] = ()) -> pyo.ConcreteModel:
    """The model of ``data``; ``without`` names rules to leave out (used to test that each one matters)."""
    m = pyo.ConcreteModel("heritage pairs")
    m.data = data
    m.industries = pyo.Set(initialize=data.industries, ordered=True)
    m.posts = pyo.Set(initialize=sorted(p for p in data.scores if p[2] in data.roles), dimen=3, ordered=True)
    m.y = pyo.Var(m.posts, domain=pyo.Binary)
    m.special = {r.rule_id: r for r in data.special}
    for name in heritage_rules_in_force(data):
        if name not in without:
            HERITAGE_RULES[name](m)
    return m


def heritage_goals(m: pyo.ConcreteModel) -> tuple[Goal, ...]:
    """Total score first; then the smaller sum of places in code order, only to break ties."""
    place = {u: k for k, u in enumerate(sorted({u for _, u, _ in m.posts}))}
    score = total(m.data.scores[p] * m.y[p] for p in m.posts)
    turn = {slot: n for n, slot in enumerate(((h, r) for h in m.data.industries for r in m.data.roles), 1)}
    order = total(turn[p[0], p[2]] * place[p[1]] * m.y[p] for p in m.posts)
    return (
        Goal("heritage_score", "maximise", score, "0.001 point"),
        Goal("heritage_tie_break", "minimise", order, "places"),
    )


@dataclass(frozen=True, slots=True)
class HeritagePlan:
    """Which institution takes which role; regret (score units) and runner-up.

    None where the choice is forced, no entry where the time limit left no room for the re-solve.
    """

    institutions: Mapping[Slot, str]
    score_units: int
    regret: Mapping[Slot, int | None]
    runner_up: Mapping[Slot, str | None]


def solve_heritage(
    data: HeritageData, options: Options | None = None, *, explain_choices: bool = False, without: Collection[str] = ()
) -> Result[HeritagePlan]:
    """Solve a heritage assignment; ``explain_choices`` adds regret and runner-up (one more solve per role)."""
    m = build_heritage_model(data, without)
    prepared = Prepared(m, heritage_goals(m), options or Options())
    result = prepared.solve()
    if isinstance(result, Infeasible):
        return Infeasible(prepared.explain(heritage_requirements(m)))
    if isinstance(result, Stopped):
        return result
    chosen = _chosen(m, result.plan)
    posts = {(h, r): m.y[h, u, r] for (h, r), u in sorted(chosen.items())} if explain_choices else {}
    others = best_without(prepared, result.stages[0], posts)
    regret = {slot: None if other is None else round(other[0]) for slot, other in others.items()}
    runner_up = {slot: None if other is None else _chosen(m, other[1])[slot] for slot, other in others.items()}
    plan = HeritagePlan(chosen, round(result.stages[0].value), regret, runner_up)
    if isinstance(result, Optimal):
        return Optimal(plan, result.stages)
    return Feasible(plan, result.stages, result.bound, result.gap)


def heritage_requirements(m: pyo.ConcreteModel) -> tuple[Requirement, ...]:
    """The rows of the model in the planner's words."""
    data: HeritageData = m.data
    names = data.names

    def industry(h: str, lang: Any) -> dict[str, object]:
        return {"industry": names.industry(h, lang)}

    def special(k: str, lang: Any) -> dict[str, object]:
        rule: SpecialRule = m.special[k]
        return describe_special(rule, names, lang)

    describe: dict[str, Describe] = {
        "roles_per_institution": lambda u, g: {
            "university": names.university(u, g),
            "cap": data.max_roles_per_institution,
        },
        "two_institutions": lambda k, g: {**industry(k[0], g), "university": names.university(k[1], g)},
        "vocational_per_pair": lambda h, g: {**industry(h, g), "cap": data.max_vocational_per_pair},
        "undergraduate_leads": industry,
        "minimum_craft": lambda h, g: {**industry(h, g), "minimum": f"{data.minimum_craft:g}"},
        "one_heritage_lead": industry,
        "one_heritage_partner": industry,
        "forbidden_pairs": special,
        "paired_pairs": special,
        "pinned_pairs": special,
    }
    return requirements(m, describe, tuple(HERITAGE_RULES))


def heritage_data(tables: Mapping[str, pd.DataFrame], parameters: Any) -> tuple[HeritageData, tuple[Candidate, ...]]:
    """The heritage assignment of a scenario's tables, and its scored candidates."""
    p = parameters.assignment
    i, u = tables["industries"], tables["universities"]
    industries = tuple(sorted(i.loc[i["kind"] == "heritage", "industry_id"]))
    roles = ("lead", "partner") if p.heritage_reading == "lead_and_partner" else ("lead",)
    special = special_rules(tables["rules"], industries, ("lead", "partner"))
    also = [(r.industry_id, r.moe_code) for r in special if r.kind == "pinned"]
    candidates = heritage_candidates(tables, p, industries, roles, also)
    vocational = (u["level"] == "vocational") | u["vocational_undergraduate"]
    data = HeritageData(
        industries,
        {(c.industry_id, c.moe_code, c.role): c.score_units for c in candidates},
        {(c.industry_id, c.moe_code): c.components["craft"] for c in candidates},
        frozenset(u.loc[vocational, "moe_code"]),
        roles,
        p.vocational_may_lead,
        p.max_vocational_per_pair,
        p.max_heritage_roles_per_institution,
        p.minimum_craft,
        special,
        names_of(tables),
    )
    return data, candidates


def _of(m: pyo.ConcreteModel, h: str = "", u: str = "", r: str = "") -> list[Any]:
    return [m.y[p] for p in m.posts if p[0] == (h or p[0]) and p[1] == (u or p[1]) and p[2] == (r or p[2])]


def _chosen(m: pyo.ConcreteModel, plan: Solution) -> dict[Slot, str]:
    return {(p[0], p[2]): p[1] for p in m.posts if plan.value(m.y[p]) > 0.5}


def _named(m: pyo.ConcreteModel, k: str, p: Post) -> bool:
    special: SpecialRule = m.special[k]
    return special.matches(p[0], p[1], role=p[2])
