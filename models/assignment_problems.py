"""The three assignments as one kind of problem: 0/1 decisions with scores, a plan, and the goal that explains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
from zjsim.models.assignment_scores import Candidate
from zjsim.models.assignment_support import (
    SupportData,
    SupportPlan,
    build_support_model,
    support_goals,
    support_requirements,
)
from zjsim.models.heritage import (
    HeritageData,
    HeritagePlan,
    build_heritage_model,
    heritage_goals,
    heritage_requirements,
)
from zjsim.models.lead_discipline import LeadData, LeadPlan, build_lead_model, lead_goals, lead_requirements

from zjsim.solve.conflicts import Requirement
from zjsim.solve.goals import Prepared, Solution
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Optimal, Stage

Key = tuple[str, str, str, str]
"""(industry_id, role, moe_code, discipline_code): one decision."""


@dataclass(frozen=True)
class Problem:
    """A solved assignment that can be asked questions.

    ``prepared`` holds the goals from the one that explains (the score) on, with the goals before it kept; ``stages``
    are theirs. ``decisions`` maps keys to 0/1 variables of ``model``, in order; ``candidates`` to scored candidates;
    ``worth_from`` (units) is what the goal takes off every score. ``whole`` and ``all_stages`` are the problem with all
    its goals.
    """

    name: str
    model: pyo.ConcreteModel
    whole: Prepared
    all_stages: tuple[Stage, ...]
    prepared: Prepared
    stages: tuple[Stage, ...]
    plan: Solution
    decisions: Mapping[Key, Any]
    candidates: Mapping[Key, Candidate]
    city_of: Mapping[str, str]
    requirements: tuple[Requirement, ...]
    worth_from: int = 0

    @property
    def chosen(self) -> frozenset[Key]:
        """The decisions that the plan takes."""
        return self.taken(self.plan)

    def taken(self, solution: Solution) -> frozenset[Key]:
        """The decisions that a solution takes."""
        return frozenset(key for key, variable in self.decisions.items() if solution.value(variable) > 0.5)


def lead_problem(
    data: LeadData,
    candidates: tuple[Candidate, ...],
    result: Optimal[LeadPlan] | Feasible[LeadPlan],
    tables: Mapping[str, pd.DataFrame],
    options: Options,
) -> Problem:
    """The lead assignment; its first goal is the score."""
    m = build_lead_model(data)
    chosen = {(i, *d) for i, d in result.plan.leads.items()}
    decisions = {(p[0], "lead", p[1], p[2]): m.x[p] for p in m.pairs}
    values = {id(m.x[p]): 1.0 for p in m.pairs if p in chosen}
    prepared = Prepared(m, lead_goals(m), options)
    return _problem("lead", m, prepared, result, 0, decisions, candidates, values, tables, lead_requirements(m))


def heritage_problem(
    data: HeritageData,
    candidates: tuple[Candidate, ...],
    result: Optimal[HeritagePlan] | Feasible[HeritagePlan],
    tables: Mapping[str, pd.DataFrame],
    options: Options,
) -> Problem:
    """The heritage assignment; its first goal is the score."""
    m = build_heritage_model(data)
    code = {(c.industry_id, c.moe_code, c.role): c.discipline_code for c in candidates}
    decisions = {(h, r, u, code[h, u, r]): m.y[h, u, r] for h, u, r in m.posts}
    values = {id(m.y[h, u, r]): 1.0 for (h, r), u in result.plan.institutions.items()}
    prepared = Prepared(m, heritage_goals(m), options)
    words = heritage_requirements(m)
    return _problem("heritage", m, prepared, result, 0, decisions, candidates, values, tables, words)


def support_problem(
    data: SupportData,
    candidates: tuple[Candidate, ...],
    result: Optimal[SupportPlan] | Feasible[SupportPlan],
    tables: Mapping[str, pd.DataFrame],
    options: Options,
) -> Problem:
    """The support assignment; the score comes second, once the cities that take part are settled."""
    m = build_support_model(data)
    decisions = {(k[0], "support", k[1], k[2]): m.s[k] for k in m.candidates}
    values = {id(m.s[k]): 1.0 for k in result.plan.supports}
    values |= {id(m.p[c]): 1.0 for c, present in result.plan.present.items() if present}
    prepared = Prepared(m, support_goals(m), options)
    words = support_requirements(m)
    return _problem(
        "support", m, prepared, result, 1, decisions, candidates, values, tables, words, data.worth_from
    )  # fmt: skip


def _problem(
    name: str,
    m: pyo.ConcreteModel,
    whole: Prepared,
    result: Optimal[Any] | Feasible[Any],
    goal: int,
    decisions: Mapping[Key, Any],
    candidates: tuple[Candidate, ...],
    values: Mapping[int, float],
    tables: Mapping[str, pd.DataFrame],
    words: tuple[Requirement, ...],
    worth_from: int = 0,
) -> Problem:
    x = np.zeros(len(whole.matrix.columns))
    for variable, value in values.items():
        x[whole.matrix.column_of[variable]] = value
    by_key = {(c.industry_id, c.role, c.moe_code, c.discipline_code): c for c in candidates}
    universities = tables["universities"]
    return Problem(
        name,
        m,
        whole,
        result.stages,
        whole.after(result.stages[:goal]),
        result.stages[goal:],
        Solution(x, whole.matrix.column_of),
        decisions,
        {key: by_key[key] for key in decisions},
        dict(zip(universities["moe_code"], universities["city_code"], strict=True)),
        words,
        worth_from,
    )
