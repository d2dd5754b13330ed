"""Lead disciplines: one leading discipline per main industry (M010, M018, M038, M041), and heritage "1+1" beside it.

A generalised assignment. Sets: main industries ``i``, disciplines ``d`` (a discipline of one university ``u(d)``),
candidate pairs ``(i, d)``. Variable ``x[i, d]`` is 1 when ``d`` leads ``i``. Goals in order: the total score (whole
thousandths of a point, see :mod:`zjsim.models.assignment_scores`); among equal plans the more specialised disciplines
(core to fewer main industries); then the smaller sum of the disciplines' places in code order, each times the
industry's own place so that exchanges count too: the same input gives the same plan.

Each rule below is one function with its purpose, inequality and clause; :data:`LEAD_RULES` is their register.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd
import pyomo.environ as pyo
from zjsim.models.assignment_rules import (
    Describe,
    Names,
    SpecialRule,
    describe_special,
    names_of,
    requirements,
    rows_of,
    rules_of_kind,
    special_rules,
)
from zjsim.models.assignment_scores import Candidate, lead_candidates

from zjsim.solve.choices import best_without
from zjsim.solve.conflicts import Requirement, changes_of
from zjsim.solve.goals import Goal, Prepared, Solution
from zjsim.solve.highs import Sense
from zjsim.solve.matrix import total
from zjsim.solve.options import Options
from zjsim.solve.results import Conflict, Feasible, Infeasible, Optimal, Result, Stopped
from zjsim.texts import text

Discipline = tuple[str, str]
"""(moe_code, discipline_code)."""

Pair = tuple[str, Discipline]
"""(industry_id, discipline)."""


@dataclass(frozen=True, slots=True)
class LeadData:
    """All a lead assignment needs. Scores are whole units of a plan's; a pair without a score is no candidate.

    ``load`` (default 1 per pair), ``capacity`` of a discipline (default ``industries_per_discipline``) and
    ``university_capacity`` (default: no limit) matter in the reading ``several_within_capacity`` only.
    ``max_leads_per_university`` of None means no cap.
    """

    industries: tuple[str, ...]
    scores: Mapping[Pair, float]
    relevance: Mapping[Pair, int]
    reading: Literal["one_industry_per_discipline", "several_within_capacity"] = "one_industry_per_discipline"
    load: Mapping[Pair, float] = field(default_factory=dict)
    capacity: Mapping[Discipline, float] = field(default_factory=dict)
    industries_per_discipline: float = 1
    max_leads_per_university: int | None = None
    minimum_relevance: int = 0
    special: tuple[SpecialRule, ...] = ()
    sense: Sense = "maximise"
    unit: str = "0.001 point"
    names: Names = field(default_factory=Names)
    university_capacity: Mapping[str, float] = field(default_factory=dict)

    @property
    def disciplines(self) -> tuple[Discipline, ...]:
        """Disciplines of the candidates, in code order."""
        return tuple(sorted({d for _, d in self.scores}))


def one_lead_per_industry(m: pyo.ConcreteModel) -> None:
    """Every main industry is served by one lead discipline.

    sum over d of x[i, d] = 1 for every main industry i. Unit of the row: leads. M010, M018.
    """
    m.one_lead_per_industry = pyo.Constraint(
        m.industries, rule=lambda m, i: total(m.x[p] for p in m.of_industry[i]) == 1
    )


def one_industry_per_discipline(m: pyo.ConcreteModel) -> None:
    """A discipline leads at most one main industry (reading "one lead discipline serves one main industry").

    sum over i of x[i, d] <= 1 for every discipline d. Unit of the row: industries. M010, default reading.
    """
    m.one_industry_per_discipline = pyo.Constraint(
        m.disciplines, rule=lambda m, *d: total(m.x[p] for p in m.of_discipline[d]) <= 1
    )


def within_capacity(m: pyo.ConcreteModel) -> None:
    """A discipline leads as many main industries as its capacity allows.

    sum over i of load[i, d] x[i, d] <= capacity[d] for every discipline d. Unit of the row: load (industries where
    every load is 1). M010, reading several_within_capacity.
    """
    data: LeadData = m.data
    m.within_capacity = pyo.Constraint(
        m.disciplines,
        rule=lambda m, *d: (
            total(data.load.get((p[0], d), 1) * m.x[p] for p in m.of_discipline[d])
            <= data.capacity.get(d, data.industries_per_discipline)
        ),
    )


def within_university_capacity(m: pyo.ConcreteModel) -> None:
    """A university leads in all no more than its own capacity allows.

    sum over i and d of u of load[i, d] x[i, d] <= capacity[u] for every university u with a capacity. Unit of the row:
    load. M010, reading several_within_capacity, registry ``lead_capacities``.
    """
    data: LeadData = m.data
    m.within_university_capacity = pyo.Constraint(
        sorted(u for u in m.of_university if u in data.university_capacity),
        rule=lambda m, u: (
            total(data.load.get((p[0], p[1:]), 1) * m.x[p] for p in m.of_university[u]) <= data.university_capacity[u]
        ),
    )


def leads_per_university(m: pyo.ConcreteModel) -> None:
    """No university leads more industries than the cap, so that the work spreads over the province.

    sum over i and d of u of x[i, d] <= cap for every university u. Unit of the row: leads. M010; the cap is an
    assumption of the scenario.
    """
    m.leads_per_university = pyo.Constraint(
        sorted(m.of_university),
        rule=lambda m, u: total(m.x[p] for p in m.of_university[u]) <= m.data.max_leads_per_university,
    )


def minimum_relevance(m: pyo.ConcreteModel) -> None:
    """A discipline that has too little to do with an industry does not lead it.

    (minimum - relevance[i, d]) x[i, d] <= 0 for every pair (i, d) below the minimum. Unit of the row: steps of
    relevance, by which the minimum would have to be lower. M010, M038, M041; relevance is the registry's judgement.
    """
    least, relevance = m.data.minimum_relevance, m.data.relevance
    m.minimum_relevance = pyo.Constraint(
        [p for p in m.pairs if relevance[p[0], p[1:]] < least],
        rule=lambda m, *p: (least - relevance[p[0], p[1:]]) * m.x[p] <= 0,
    )


def pinned_leads(m: pyo.ConcreteModel) -> None:
    """A discipline (or any discipline of an institution) that the planner pins to an industry leads it.

    sum over d named by rule r of x[i(r), d] >= 1 for every pinned rule r. Unit of the row: leads. M010, registry
    ``rules``.
    """
    m.pinned_leads = pyo.Constraint(
        rules_of_kind(m, "pinned"),
        rule=lambda m, r: total(m.x[p] for p in m.of_industry[m.special[r].industry_id] if _named(m, r, p)) >= 1,
    )


def forbidden_leads(m: pyo.ConcreteModel) -> None:
    """What the planner forbids does not happen.

    sum over pairs (i, d) named by rule r of x[i, d] <= 0 for every forbidden rule r. Unit of the row: leads. M010,
    registry ``rules``.
    """
    m.forbidden_leads = pyo.Constraint(
        rules_of_kind(m, "forbidden"), rule=lambda m, r: total(m.x[p] for p in m.pairs if _named(m, r, p)) <= 0
    )


def paired_leads(m: pyo.ConcreteModel) -> None:
    """Two industries that the planner pairs are led by the same university.

    sum over d of u of x[i(r), d] = sum over d of u of x[j(r), d] for every paired rule r and university u. Unit of the
    row: leads. M010, registry ``rules``.
    """

    m.paired_leads = pyo.Constraint(
        [(r, u) for r in rules_of_kind(m, "paired") for u in sorted(m.of_university)],
        rule=lambda m, r, u: (
            total(m.x[p] for p in m.of_university[u] if p[0] == m.special[r].industry_id)
            - total(m.x[p] for p in m.of_university[u] if p[0] == m.special[r].paired_industry_id)
            == 0
        ),
    )


LEAD_RULES: dict[str, Callable[[pyo.ConcreteModel], None]] = {
    rule.__name__: rule
    for rule in (
        leads_per_university,
        one_industry_per_discipline,
        within_university_capacity,
        within_capacity,
        minimum_relevance,
        one_lead_per_industry,
        forbidden_leads,
        paired_leads,
        pinned_leads,
    )
}
"""Every rule of the lead assignment by name, from the general to the particular, which conflicts then name."""


def rules_in_force(data: LeadData) -> tuple[str, ...]:
    """The rules that the readings and switches of ``data`` turn on."""
    one = data.reading == "one_industry_per_discipline"
    off = {"within_capacity", "within_university_capacity"} if one else {"one_industry_per_discipline"}
    if data.max_leads_per_university is None:
        off.add("leads_per_university")
    return tuple(name for name in LEAD_RULES if name not in off)


def build_lead_model(data: LeadData, without: Collection[str] = ()) -> pyo.ConcreteModel:
    """The model of ``data``; ``without`` names rules to leave out (used to test that each one matters)."""
    m = pyo.ConcreteModel("lead disciplines")
    m.data = data
    m.industries = pyo.Set(initialize=data.industries, ordered=True)
    m.disciplines = pyo.Set(initialize=data.disciplines, dimen=2, ordered=True)
    m.pairs = pyo.Set(initialize=sorted((i, *d) for i, d in data.scores), dimen=3, ordered=True)
    m.x = pyo.Var(m.pairs, domain=pyo.Binary)
    m.of_industry = _grouped(m.pairs, lambda p: p[0], data.industries)
    m.of_discipline = _grouped(m.pairs, lambda p: p[1:], data.disciplines)
    m.of_university = _grouped(m.pairs, lambda p: p[1], ())
    m.special = {r.rule_id: r for r in data.special}
    for name in rules_in_force(data):
        if name not in without:
            LEAD_RULES[name](m)
    return m


def lead_goals(m: pyo.ConcreteModel) -> tuple[Goal, ...]:
    """Total score first; then specialised disciplines, then code order, only to break ties."""
    breadth = Counter(d for (_, d), level in m.data.relevance.items() if level == 3)
    place = {d: k for k, d in enumerate(m.data.disciplines)}
    score = total(units * m.x[i, *d] for (i, d), units in sorted(m.data.scores.items()))
    turn = {i: n for n, i in enumerate(m.data.industries, 1)}
    order = total(turn[p[0]] * place[p[1:]] * m.x[p] for p in m.pairs)
    core_elsewhere = total(breadth[p[1:]] * m.x[p] for p in m.pairs)
    return (
        Goal("lead_score", m.data.sense, score, m.data.unit),
        Goal("lead_specialised", "minimise", core_elsewhere, "industries"),
        Goal("lead_tie_break", "minimise", order, "places"),
    )


@dataclass(frozen=True, slots=True)
class LeadPlan:
    """Who leads what, and for each industry what is lost without that lead.

    ``regret`` is in score units (None where no other plan exists: the lead is forced; no entry where the time limit,
    which all these re-solves share, left no room); ``runner_up`` is who leads the industry in the best plan without the
    chosen lead.
    """

    leads: Mapping[str, Discipline]
    score_units: int
    regret: Mapping[str, int | None]
    runner_up: Mapping[str, Discipline | None]


def solve_leads(
    data: LeadData, options: Options | None = None, *, explain_choices: bool = False, without: Collection[str] = ()
) -> Result[LeadPlan]:
    """Solve a lead assignment; ``explain_choices`` adds regret and runner-up (one more solve per industry).

    An impossible assignment comes back as ``Infeasible`` with the fewest requirements that cannot hold together.
    """
    m = build_lead_model(data, without)
    prepared = Prepared(m, lead_goals(m), options or Options())
    result = prepared.solve()
    if isinstance(result, Infeasible):
        return Infeasible(prepared.explain(lead_requirements(m)))
    if isinstance(result, Stopped):
        return result
    leads = lead_choice(m, result.plan)
    chosen = {i: m.x[i, *leads[i]] for i in data.industries} if explain_choices else {}
    others = best_without(prepared, result.stages[0], chosen)
    regret = {i: None if other is None else round(other[0]) for i, other in others.items()}
    runner_up = {i: None if other is None else lead_choice(m, other[1])[i] for i, other in others.items()}
    plan = LeadPlan(leads, round(result.stages[0].value), regret, runner_up)
    if isinstance(result, Optimal):
        return Optimal(plan, result.stages)
    return Feasible(plan, result.stages, result.bound, result.gap)


def leads_after_repair(data: LeadData, conflict: Conflict, options: Options) -> Result[LeadPlan]:
    """The leads once the repair of ``conflict`` is made; ``Infeasible`` where even then some industry has none."""
    m = build_lead_model(data)
    prepared, words = Prepared(m, lead_goals(m), options), lead_requirements(m)
    result = prepared.solve(rows=changes_of(prepared.matrix, words, dict(conflict.repair)))
    if isinstance(result, Infeasible | Stopped):
        return result
    leads = lead_choice(m, result.plan)
    if leads.keys() != set(data.industries):
        return Infeasible(conflict)
    plan = LeadPlan(leads, round(result.stages[0].value), {}, {})
    return Feasible(plan, result.stages, result.stages[0].bound, result.stages[0].gap)


def lead_requirements(m: pyo.ConcreteModel) -> tuple[Requirement, ...]:
    """The rows of the model in the planner's words."""
    data: LeadData = m.data
    names = data.names
    describe: dict[str, Describe] = {
        "leads_per_university": lambda u, g: {
            "university": names.university(u, g),
            "cap": data.max_leads_per_university,
        },
        "one_industry_per_discipline": lambda d, g: {"discipline": names.discipline(d[0], d[1], g)},
        "within_capacity": lambda d, g: {
            "discipline": names.discipline(d[0], d[1], g),
            "capacity": f"{data.capacity.get(d, data.industries_per_discipline):g}",
        },
        "within_university_capacity": lambda u, g: {
            "university": names.university(u, g),
            "capacity": f"{data.university_capacity[u]:g}",
        },
        "minimum_relevance": lambda i, g: {"industry": names.industry(i, g), "minimum": data.minimum_relevance},
        "one_lead_per_industry": lambda i, g: {
            "industry": names.industry(i, g),
            "remark": "" if m.of_industry[i] else text("assignment.no_candidate", g),
        },
        "forbidden_leads": lambda r, g: describe_special(m.special[r], names, g),
        "paired_leads": lambda r, g: describe_special(m.special[r], names, g),
        "pinned_leads": lambda r, g: describe_special(m.special[r], names, g),
    }
    return requirements(m, describe, tuple(LEAD_RULES))


def lead_data(tables: Mapping[str, pd.DataFrame], parameters: Any) -> tuple[LeadData, tuple[Candidate, ...]]:
    """The lead assignment of a scenario's tables, and its scored candidates."""
    p = parameters.assignment
    i = tables["industries"]
    industries = tuple(sorted(i.loc[i["kind"] == "provincial_cluster", "industry_id"]))
    special = special_rules(tables["rules"], industries)
    also = [(r.industry_id, r.moe_code, r.discipline_code) for r in special if r.kind == "pinned"]
    candidates = lead_candidates(tables, p, industries, also)
    load = {r.industry_id: float(r.load) for r in rows_of(tables["industry_loads"])}
    capacity = {(r.moe_code, r.discipline_code): r.capacity for r in rows_of(tables["lead_capacities"])}
    data = LeadData(
        industries,
        {_key(c): c.score_units for c in candidates},
        {_key(c): c.relevance for c in candidates},
        p.lead_reading,
        {_key(c): load[c.industry_id] for c in candidates if c.industry_id in load},
        {d: float(c) for d, c in capacity.items() if d[1]},
        industries_per_discipline=p.industries_per_discipline,
        max_leads_per_university=p.max_leads_per_university,
        minimum_relevance=p.minimum_relevance,
        special=special,
        names=names_of(tables),
        university_capacity={d[0]: float(c) for d, c in capacity.items() if not d[1]},
    )
    return data, candidates


def solve_assignment(scenario: Any, *, log_file: str = "") -> Result[dict[str, pd.DataFrame]]:
    """Leads, heritage pairs and supports of a scenario with their explanations, as tables.

    See :func:`zjsim.models.assignment_plan.plan_assignment`, where it is put together.
    """
    from zjsim.models.assignment_plan import plan_assignment

    return plan_assignment(scenario, log_file=log_file)


def _key(c: Candidate) -> Pair:
    return c.industry_id, (c.moe_code, c.discipline_code)


def lead_choice(m: pyo.ConcreteModel, plan: Solution) -> dict[str, Discipline]:
    """Who leads each industry in a solution of the model."""
    return {p[0]: p[1:] for p in m.pairs if plan.value(m.x[p]) > 0.5}


def _grouped(pairs: Iterable[Any], key: Callable[[Any], Any], every: Iterable[Any]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list, {k: [] for k in every})
    for p in pairs:
        groups[key(p)].append(p)
    return groups


def _named(m: pyo.ConcreteModel, r: str, p: tuple[str, str, str]) -> bool:
    special: SpecialRule = m.special[r]
    return special.matches(*p)
