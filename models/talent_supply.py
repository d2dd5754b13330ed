"""Talent supply: how many each programme group admits, so that graduates meet what industries need (M037-M060).

Goals in order: unmet demand for graduates, weighed by the priority of the sector; graduates without a place that fits,
or in one that fits less; change of intake; cost. All are expected over the cases of demand. The next admission,
openings, closures, teachers and places are decided before the case is known. Rules: :mod:`zjsim.models.talent_rules`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyomo.environ as pyo
from zjsim.models.talent_model import DEFINITIONS, RULES, build_talent_model
from zjsim.models.talent_terms import GroupKey, TalentData, intake, joint

from zjsim.solve.conflicts import Requirement
from zjsim.solve.faces import solve_by_faces
from zjsim.solve.goals import Goal, Prepared, Solution
from zjsim.solve.matrix import total
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stopped
from zjsim.texts import LANGUAGES, text

DECISION_SIZE = 30.0
"""An opening or closure counts as much change as this many students."""
GOALS = ("unmet_demand", "mismatch", "change", "cost")


@dataclass(frozen=True, slots=True)
class TalentPlan:
    """What is decided, by case; hiring, building, openings and closures are the same in all."""

    intake: Mapping[tuple[GroupKey, int, str], float]
    joint: Mapping[tuple[GroupKey, int, str], float]
    opened: tuple[GroupKey, ...]
    closed: tuple[GroupKey, ...]
    hired: Mapping[tuple[str, str, int], float]
    built: Mapping[tuple[str, int], float]
    flow: Mapping[tuple[str, str, str, int, str], float]
    idle: Mapping[tuple[str, str, int, str], float]
    unmet: Mapping[tuple[str, str, int, str], float]


def talent_goals(m: pyo.ConcreteModel) -> tuple[Goal, ...]:
    """Unmet demand, mismatch, change, cost, each expected over the cases."""
    data: TalentData = m.data
    chance = data.cases
    unmet = total(
        weight * variable
        for i in m.needs
        for weight, variable in (
            (chance[i[3]] * data.priority.get(i[0], 1), m.unmet[i]),
            (chance[i[3]] * data.priority.get(i[0], 1) * data.severe_weight, m.severe[i]),
        )
    )
    idle = total(chance[i[3]] * m.idle[i] for i in m.supply)
    distance = total(
        chance[i[4]] * (3 - data.relevance[i[0], i[2]]) / 3 * m.flow[i]
        for i in m.flow
        if data.relevance[i[0], i[2]] < 3
    )
    change = total(
        (1.0 if i[4] == data.first else chance[i[5]]) * data.groups[i[:4]].change_weight * variable
        for i in m.own
        for variable in (m.up[i], m.down[i])
    )
    decided = total(DECISION_SIZE * m.open[g] for g in m.may_open) + total(
        DECISION_SIZE * m.close[g] for g in m.may_close
    )
    years_left = {t: data.last - t + 1 for t in data.decided}
    cost = (
        total(data.cost_teacher * years_left[i[2]] * m.hire[i] for i in m.hire)
        + total(data.cost_place * m.build[i] for i in m.build)
        + total(chance[i[5]] * data.cost_joint * data.groups[i[:4]].duration * m.joint[i] for i in m.joint_choices)
    )
    return (
        Goal(GOALS[0], "minimise", unmet, "weighted graduates"),
        Goal(GOALS[1], "minimise", idle + distance, "graduates"),
        Goal(GOALS[2], "minimise", change + decided, "students"),
        Goal(GOALS[3], "minimise", cost, "10,000 yuan"),
    )


def solve_talent_of(
    data: TalentData, options: Options | None = None, without: Collection[str] = ()
) -> Result[TalentPlan]:
    """Solve one problem; ``without`` names rules to leave out (used to test that each one matters).

    An impossible one comes back as ``Infeasible`` with the fewest requirements that cannot hold together.
    """
    m = build_talent_model(data, without)
    prepared = Prepared(m, talent_goals(m), options or Options())
    return told(prepared, solve_by_faces(prepared))


def told(prepared: Prepared, result: Result[Solution]) -> Result[TalentPlan]:
    """A result of the solver as a plan, or why there is none."""
    if isinstance(result, Infeasible):
        return Infeasible(prepared.explain(talent_requirements(prepared.model)))
    if isinstance(result, Stopped):
        return result
    plan = plan_of(prepared.model, result.plan)
    if isinstance(result, Optimal):
        return Optimal(plan, result.stages)
    return Feasible(plan, result.stages, result.bound, result.gap)


def plan_of(m: pyo.ConcreteModel, solution: Solution) -> TalentPlan:
    """The values of a solution; what is below the solver's tolerance is nothing."""
    data: TalentData = m.data
    for variable in m.component_data_objects(pyo.Var):
        value = solution.value(variable)
        variable.set_value(round(value) if variable.is_binary() else _clean(value), skip_validation=True)
    taken = {(g, t, c): float(pyo.value(intake(m, g, t, c))) for g in data.groups for t in data.years for c in m.cases}
    with_firms = {
        (g, t, c): float(pyo.value(joint(m, g, t, c)))
        for g, group in data.groups.items()
        if group.joint
        for t in data.years
        for c in m.cases
    }
    return TalentPlan(
        taken,
        with_firms,
        tuple(g for g in m.may_open if m.open[g].value),
        tuple(g for g in m.may_close if m.close[g].value),
        {i: m.hire[i].value for i in m.hire},
        {i: m.build[i].value for i in m.build},
        {i: m.flow[i].value for i in m.flow},
        {i: m.idle[i].value for i in m.supply},
        {i: m.unmet[i].value + m.severe[i].value for i in m.needs},
    )


def _clean(value: float) -> float:
    return 0.0 if abs(value) < 1e-7 else float(value)


def talent_requirements(m: pyo.ConcreteModel) -> tuple[Requirement, ...]:
    """The rows of the model in the planner's words."""
    found = []
    for rule in RULES:
        for name in (rule, *PARTS.get(rule, ())):
            component = m.find_component(name)
            if component is None or rule in DEFINITIONS:
                continue
            for index in component:
                key = index if isinstance(index, tuple) else (index,)
                said = [text(f"talent.rule.{rule}", lang, item=" ".join(map(str, key))) for lang in LANGUAGES]
                units = [text(f"talent.unit.{rule}", lang) for lang in LANGUAGES]
                label = f"{name}[{','.join(map(str, key))}]"
                found.append(Requirement(label, (component[index],), said[0], said[1], 1.0, units[0], units[1]))
    return tuple(found)


PARTS = {"opened_groups": ("opened_least", "opened_most"), "closed_groups": ("closed_least", "closed_most")}
"""Constraints of rules that have more than one."""
