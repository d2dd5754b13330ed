"""Supporting disciplines and institutions of the main industries, once their leads are known (M010, M011, M018, M041).

Sets: main industries ``i``; candidates ``k = (i, u, d)``: discipline ``d`` of institution ``u``, or ``u`` as a whole
where none of its disciplines is listed (``d`` empty); cities ``c`` with a place of ``i``; mountain and island counties
``g`` with a place of any main industry. Variables ``s[k]`` = 1 when the candidate supports ``i``; ``p[i, c]`` = 1 when
an institution of city ``c`` takes part in ``i``, as lead or support. The leads are given: support never changes a lead.

Goals in order: as many (industry, city) pairs as possible with a participant ("where possible": a goal, not a rule);
then the total of score − ``worth_from``, so that a support below that score is added only where a bound, a city or a
county needs it; then fewer supports; then the smaller sum of places in code order, each times the industry's place.

Each rule is one function with purpose, inequality, unit and clause; :data:`SUPPORT_RULES` is their register.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import pyomo.environ as pyo
from zjsim.models.assignment_rules import Describe, Names, SpecialRule, describe_special, requirements, rules_of_kind

from zjsim.solve.conflicts import Requirement
from zjsim.solve.goals import Goal, Prepared, Solution
from zjsim.solve.matrix import total
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stopped

Key = tuple[str, str, str]
"""(industry_id, moe_code, discipline_code); the discipline is empty for an institution as a whole."""


@dataclass(frozen=True, slots=True)
class SupportData:
    """All a support assignment needs; a key without a score is no candidate. Scores and ``worth_from`` in units.

    ``leads`` maps industries to (moe_code, discipline_code); ``city_of`` institutions to their city; ``cities`` an
    industry to the cities with a place of it; ``served`` a mountain or island county to the (industry, institution)
    pairs that count for it: the industry has a place there and the institution lies within reach.
    """

    industries: tuple[str, ...]
    scores: Mapping[Key, int]
    leads: Mapping[str, tuple[str, str]]
    relevance: Mapping[Key, int] = field(default_factory=dict)
    city_of: Mapping[str, str] = field(default_factory=dict)
    cities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    served: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    at_least: int = 0
    at_most: int = 99
    worth_from: int = 0
    minimum_relevance: int = 0
    per_discipline: int = 99
    per_institution: int = 99
    county_floor: int = 0
    special: tuple[SpecialRule, ...] = ()
    names: Names = field(default_factory=Names)


def enough_supports(m: pyo.ConcreteModel) -> None:
    """Every main industry has at least the least number of supports.

    sum over k of i of s[k] >= at_least for every main industry i. Unit of the row: supports. M010, M041; the bound is
    an assumption of the scenario.
    """
    m.enough_supports = pyo.Constraint(
        m.industries, rule=lambda m, i: total(m.s[k] for k in m.of_industry[i]) >= m.data.at_least
    )


def not_too_many_supports(m: pyo.ConcreteModel) -> None:
    """No main industry has more supports than can work together.

    sum over k of i of s[k] <= at_most for every main industry i. Unit of the row: supports. M010; the bound is an
    assumption of the scenario.
    """
    m.not_too_many_supports = pyo.Constraint(
        m.industries, rule=lambda m, i: total(m.s[k] for k in m.of_industry[i]) <= m.data.at_most
    )


def one_part_per_institution(m: pyo.ConcreteModel) -> None:
    """An institution takes one part in an industry: it leads it, or supports it with one discipline.

    sum over d of u of s[i, u, d] <= 1 - [u leads i] for every main industry i and institution u. Unit of the row:
    supports. M010 (the lead is one discipline, its helpers come from elsewhere).
    """
    both = sorted({k[:2] for k in m.candidates})
    m.one_part_per_institution = pyo.Constraint(
        both,
        rule=lambda m, i, u: (
            total(m.s[k] for k in m.of_industry[i] if k[1] == u) <= (0 if m.data.leads[i][0] == u else 1)
        ),
    )


def industries_per_support(m: pyo.ConcreteModel) -> None:
    """A discipline (or an institution taking part as a whole) supports no more industries than it can serve.

    sum over i of s[i, u, d] <= per_discipline for every (u, d). Unit of the row: supports. M010; the cap is an
    assumption of the scenario.
    """
    m.industries_per_support = pyo.Constraint(
        sorted({k[1:] for k in m.candidates}),
        rule=lambda m, u, d: total(m.s[k] for k in m.candidates if k[1:] == (u, d)) <= m.data.per_discipline,
    )


def supports_per_institution(m: pyo.ConcreteModel) -> None:
    """No institution supports more industries than the cap, so that the work spreads over the province.

    sum over i and d of u of s[i, u, d] <= per_institution for every institution u. Unit of the row: supports. M010,
    M018; the cap is an assumption of the scenario.
    """
    m.supports_per_institution = pyo.Constraint(
        sorted({k[1] for k in m.candidates}),
        rule=lambda m, u: total(m.s[k] for k in m.candidates if k[1] == u) <= m.data.per_institution,
    )


def support_relevance(m: pyo.ConcreteModel) -> None:
    """A discipline that has too little to do with an industry does not support it.

    (minimum - relevance[k]) s[k] <= 0 for every candidate k with a discipline below the minimum. Unit of the row: steps
    of relevance, by which the minimum would have to be lower. M041; institutions as a whole are exempt: their relevance
    is not known.
    """
    least, relevance = m.data.minimum_relevance, m.data.relevance
    m.support_relevance = pyo.Constraint(
        [k for k in m.candidates if k[2] and relevance.get(k, 3) < least],
        rule=lambda m, *k: (least - relevance[k]) * m.s[k] <= 0,
    )


def present_in_city(m: pyo.ConcreteModel) -> None:
    """A city with a place of an industry counts as taking part only when one of its institutions does.

    p[i, c] <= sum over k of i with city(u) = c of s[k] + [the lead of i lies in c] for every industry i and city c with
    a place of it. Unit of the row: participants. M011, M018.
    """
    data: SupportData = m.data

    m.present_in_city = pyo.Constraint(
        m.presences,
        rule=lambda m, i, c: (
            m.p[i, c] - total(m.s[k] for k in m.of_industry[i] if data.city_of.get(k[1]) == c)
            <= (1 if data.city_of.get(data.leads[i][0]) == c else 0)
        ),
    )


def mountain_island_floor(m: pyo.ConcreteModel) -> None:
    """Every mountain or island county with a place of a main industry has participants within reach.

    sum over k with (i, u) serving g of s[k] + leads serving g >= floor for every such county g. Unit of the row:
    participants. M011 (力量下沉), the floor is an assumption of the scenario.
    """
    data: SupportData = m.data

    leads = {g: sum((i, data.leads[i][0]) in pairs for i in data.industries) for g, pairs in data.served.items()}
    m.mountain_island_floor = pyo.Constraint(
        sorted(data.served),
        rule=lambda m, g: (
            total(m.s[k] for k in m.candidates if k[:2] in data.served[g]) >= data.county_floor - leads[g]
        ),
    )


def pinned_supports(m: pyo.ConcreteModel) -> None:
    """What the planner pins as a support is one.

    sum over k named by rule r of s[k] >= 1 for every pinned rule r with role support. Unit of the row: supports. M010,
    registry ``rules``.
    """
    m.pinned_supports = pyo.Constraint(
        rules_of_kind(m, "pinned"), rule=lambda m, r: total(m.s[k] for k in m.candidates if _named(m, r, k)) >= 1
    )


def forbidden_supports(m: pyo.ConcreteModel) -> None:
    """What the planner forbids does not happen.

    sum over k named by rule r of s[k] <= 0 for every forbidden rule r. Unit of the row: supports. M010, registry
    ``rules``.
    """
    m.forbidden_supports = pyo.Constraint(
        rules_of_kind(m, "forbidden"), rule=lambda m, r: total(m.s[k] for k in m.candidates if _named(m, r, k)) <= 0
    )


SUPPORT_RULES: dict[str, Callable[[pyo.ConcreteModel], None]] = {
    rule.__name__: rule
    for rule in (
        industries_per_support,
        supports_per_institution,
        not_too_many_supports,
        one_part_per_institution,
        support_relevance,
        present_in_city,
        enough_supports,
        mountain_island_floor,
        forbidden_supports,
        pinned_supports,
    )
}
"""Every rule of the support assignment by name, from the general to the particular, which conflicts then name."""


def build_support_model(data: SupportData, without: Collection[str] = ()) -> pyo.ConcreteModel:
    """The model of ``data``; ``without`` names rules to leave out (used to test that each one matters)."""
    m = pyo.ConcreteModel("supports")
    m.data = data
    m.industries = pyo.Set(initialize=data.industries, ordered=True)
    m.candidates = pyo.Set(initialize=sorted(data.scores), dimen=3, ordered=True)
    m.presences = pyo.Set(
        initialize=[(i, c) for i in data.industries for c in sorted(data.cities.get(i, ()))], dimen=2, ordered=True
    )
    m.s = pyo.Var(m.candidates, domain=pyo.Binary)
    m.p = pyo.Var(m.presences, domain=pyo.Binary)
    m.of_industry = {i: [k for k in m.candidates if k[0] == i] for i in data.industries}
    m.special = {r.rule_id: r for r in data.special}
    for name, rule in SUPPORT_RULES.items():
        if name not in without:
            rule(m)
    return m


def support_goals(m: pyo.ConcreteModel) -> tuple[Goal, ...]:
    """Cities taking part, then what the supports are worth, then fewer of them, then code order."""
    data: SupportData = m.data
    place = {d: n for n, d in enumerate(sorted({k[1:] for k in m.candidates}))}
    turn = {i: n for n, i in enumerate(data.industries, 1)}
    order = total(turn[k[0]] * place[k[1:]] * m.s[k] for k in m.candidates)
    return (
        Goal("support_cities", "maximise", total(m.p[c] for c in m.presences), "cities"),
        Goal(
            "support_score",
            "maximise",
            total((data.scores[k] - data.worth_from) * m.s[k] for k in m.candidates),
            "0.001 point",
        ),
        Goal("support_few", "minimise", total(m.s[k] for k in m.candidates), "supports"),
        Goal("support_tie_break", "minimise", order, "places"),
    )


@dataclass(frozen=True, slots=True)
class SupportPlan:
    """Who supports what, and in which cities of each industry an institution takes part (as lead or support)."""

    supports: tuple[Key, ...]
    present: Mapping[tuple[str, str], bool]


def solve_supports(
    data: SupportData, options: Options | None = None, *, without: Collection[str] = ()
) -> Result[SupportPlan]:
    """Solve a support assignment; impossible data come back as ``Infeasible`` with the requirements that clash."""
    m = build_support_model(data, without)
    prepared = Prepared(m, support_goals(m), options or Options())
    result = prepared.solve()
    if isinstance(result, Infeasible):
        return Infeasible(prepared.explain(support_requirements(m)))
    if isinstance(result, Stopped):
        return result
    plan = support_plan(m, result.plan)
    if isinstance(result, Optimal):
        return Optimal(plan, result.stages)
    return Feasible(plan, result.stages, result.bound, result.gap)


def support_plan(m: pyo.ConcreteModel, solution: Solution) -> SupportPlan:
    """The plan that a solution of the model stands for."""
    return SupportPlan(
        tuple(k for k in m.candidates if solution.value(m.s[k]) > 0.5),
        {c: solution.value(m.p[c]) > 0.5 for c in m.presences},
    )


def support_requirements(m: pyo.ConcreteModel) -> tuple[Requirement, ...]:
    """The rules of the model in the planner's words."""
    data: SupportData = m.data
    names = data.names
    describe: dict[str, Describe] = {
        "industries_per_support": lambda k, g: {
            "discipline": names.discipline(k[0], k[1], g),
            "cap": data.per_discipline,
        },
        "supports_per_institution": lambda u, g: {"university": names.university(u, g), "cap": data.per_institution},
        "not_too_many_supports": lambda i, g: {"industry": names.industry(i, g), "cap": data.at_most},
        "one_part_per_institution": lambda k, g: {
            "industry": names.industry(k[0], g),
            "university": names.university(k[1], g),
        },
        "support_relevance": lambda i, g: {"industry": names.industry(i, g), "minimum": data.minimum_relevance},
        "enough_supports": lambda i, g: {"industry": names.industry(i, g), "least": data.at_least},
        "mountain_island_floor": lambda c, g: {"county": names.place(c, g), "least": data.county_floor},
        "forbidden_supports": lambda r, g: describe_special(m.special[r], names, g),
        "pinned_supports": lambda r, g: describe_special(m.special[r], names, g),
    }
    named = tuple(rule for rule in SUPPORT_RULES if rule in describe)
    return requirements(m, describe, named)


def _named(m: pyo.ConcreteModel, r: str, k: Key) -> bool:
    special: SpecialRule = m.special[r]
    return special.matches(*k, role="support")
