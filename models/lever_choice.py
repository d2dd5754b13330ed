"""Which levers to move, and how far: the cheapest choice that meets targets often enough (M121-M124).

A sample-average, chance-constrained problem. Every lever has levels with a cost; the present level costs nothing. What
a choice brings to a target in a replication (a simulated future, the same for all choices) is read from a response
surface: the margin of the target at the present levels in every replication, and what each lever at each level adds to
it, the same in all. A target counts as met in a replication if its margin there is not negative; it has to be met in so
many of the replications. What the simulation found of choices that were tested comes back as rows that exclude them,
and all that cannot be better.

    minimise   sum(cost[j, l] * use[j, l])
    subject to sum(met[t, r] over r) >= needed[t]         (each target by itself), or
               sum(all_met[r] over r) >= needed           (all targets in the same replication)

Reversed, the share of replications in which the worst target is met is the goal, and the cost is within a budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np
import pyomo.environ as pyo
from zjsim.models.process_tools import Floats

from zjsim.solve.goals import Goal, Prepared
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Optimal

MOST_NODES = 20_000
"""Nodes after which the solver's search for a proposal ends; the simulation tests whatever it proposes."""

Cut = frozenset[tuple[int, int]]
"""Pairs (lever, level) of which a choice must have at least one."""


@dataclass(frozen=True)
class Response:
    """The response surface of a target.

    ``base``: margins by replication with all levers at their present level; ``gains[j][l]``: what lever j at level l
    adds in every replication (unit of the target).
    """

    base: Floats
    gains: tuple[Floats, ...]


@dataclass(frozen=True)
class LeverChoice:
    """Costs by lever and level (0 for the present one), the responses of the targets, and what is asked of them.

    ``needed[t]``: replications in which target t has to be met (all of ``needed`` equal if ``jointly``); ``budget``:
    most that may be spent (None: no limit); ``cuts``: what tested choices exclude; ``by_budget``: maximise the share
    of replications instead of asking for ``needed``.
    """

    costs: tuple[Floats, ...]
    responses: tuple[Response, ...]
    needed: tuple[int, ...]
    jointly: bool = False
    budget: float | None = None
    cuts: tuple[Cut, ...] = ()
    by_budget: bool = False


def one_level(m: pyo.ConcreteModel) -> None:
    """Every lever is at one of its levels.

    sum(use[j, l] over l) == 1 for every lever j. Unit: levels.
    """
    m.one_level = pyo.Constraint(m.levers, rule=lambda m, j: sum(m.use[j, k] for k in m.levels_of[j]) == 1)


def gain_carries_futures(m: pyo.ConcreteModel) -> None:
    """As many replications are met as the levers' gain carries above zero, those nearest to it first.

    sum(gain[t, j, l] * use[j, l]) >= lowest[t] + sum(step[t, r] * met[t, r] over r) for every target t: lowest[t] is
    the least gain that any choice has, step[t, r] what replication r needs more than the one before it in the order of
    their margins at the present levels. Unit: that of the target, in parts of the range of its gains and needs.
    """

    def rule(m: pyo.ConcreteModel, t: int) -> object:
        response = m.data.responses[t]
        gain = sum(float(response.gains[j][k]) * m.use[j, k] for j in m.levers for k in m.levels_of[j])
        lowest = math.fsum(float(own.min()) for own in response.gains)
        needs = np.maximum(-response.base[m.order[t]], lowest)
        unit = max(float(needs[-1]) - lowest, *(float(np.ptp(own)) for own in response.gains), 1e-12)
        steps = (np.diff(needs, prepend=lowest) / unit).tolist()
        return gain / unit >= lowest / unit + sum(s * m.met[t, r] for s, r in zip(steps, m.order[t], strict=True))

    m.gain_carries_futures = pyo.Constraint(m.targets, rule=rule)


def nearest_first(m: pyo.ConcreteModel) -> None:
    """A gain is the same in all replications, so one is met only if the ones nearer to the bound are.

    met[t, r] <= met[t, q] for every target t and replication r, q the one before it in the order of their margins.
    Unit: replications.
    """
    pairs = [(t, q, r) for t in m.targets for q, r in zip(m.order[t][:-1], m.order[t][1:], strict=True)]
    m.nearest_first = pyo.Constraint(pairs, rule=lambda m, t, q, r: m.met[t, r] <= m.met[t, q])


def all_in_one_future(m: pyo.ConcreteModel) -> None:
    """Jointly: a replication counts only if every target is met in it.

    all_met[r] <= met[t, r] for every target t and replication r. Unit: replications.
    """
    if m.data.jointly:
        m.all_in_one_future = pyo.Constraint(m.cases, rule=lambda m, t, r: m.all_met[r] <= m.met[t, r])


def often_enough(m: pyo.ConcreteModel) -> None:
    """Each target (or all of them together) is met in as many replications as asked (chance constraint).

    sum(met[t, r] over r) >= needed[t] for every target t; jointly sum(all_met[r] over r) >= needed. Unit: replications.
    """
    if not m.data.by_budget:
        m.often_enough = pyo.Constraint(m.groups, rule=lambda m, t: m.times[t] >= m.data.needed[t])


def share_of_worst(m: pyo.ConcreteModel) -> None:
    """By budget: the goal is the share of replications of the target that is met least often.

    share <= sum(met[t, r] over r) / replications for every target t. Unit: share of replications.
    """
    if m.data.by_budget:
        size = [len(r.base) for r in m.data.responses]
        m.share_of_worst = pyo.Constraint(m.groups, rule=lambda m, t: m.share * size[t] <= m.times[t])


def within_budget(m: pyo.ConcreteModel) -> None:
    """What is spent stays within the budget.

    sum(cost[j, l] * use[j, l]) <= budget. Unit: that of the costs (points or yuan).
    """
    if m.data.budget is not None:
        m.within_budget = pyo.Constraint(expr=m.spent <= m.data.budget + 1e-9 * max(1.0, abs(m.data.budget)))


def beyond_what_failed(m: pyo.ConcreteModel) -> None:
    """A choice that failed in the simulation is not proposed again, nor any that cannot do better.

    sum(use[j, l] over the pairs of a cut) >= 1 for every cut: all levels other than those tested, or, where a target
    was shown to rise with the levers, all levels above those tested. Unit: levels.
    """
    m.beyond_what_failed = pyo.ConstraintList()
    for cut in m.data.cuts:
        pairs = sorted(cut)
        m.beyond_what_failed.add(sum(m.use[p] for p in pairs) >= 1)


RULES: dict[str, Callable[[pyo.ConcreteModel], None]] = {
    rule.__name__: rule
    for rule in (
        one_level,
        gain_carries_futures,
        nearest_first,
        all_in_one_future,
        often_enough,
        share_of_worst,
        within_budget,
        beyond_what_failed,
    )
}
"""Every rule of the choice of levers by name."""


def build_lever_choice(data: LeverChoice, without: Collection[str] = ()) -> pyo.ConcreteModel:
    """The model of ``data``; ``without`` names rules to leave out (used to test that each one matters)."""
    m = pyo.ConcreteModel("lever choice")
    m.data = data
    m.levers = tuple(range(len(data.costs)))
    m.levels_of = {j: tuple(range(len(own))) for j, own in enumerate(data.costs)}
    m.use = pyo.Var([(j, k) for j in m.levers for k in m.levels_of[j]], domain=pyo.Binary)
    m.targets = tuple(range(len(data.responses)))
    m.order = [np.argsort(-response.base, kind="stable").tolist() for response in data.responses]
    """Replications of every target, the one with the largest margin first."""
    m.cases = [(t, r) for t, response in enumerate(data.responses) for r in range(len(response.base))]
    m.met = pyo.Var(m.cases, domain=pyo.Binary)
    m.futures = tuple(range(len(data.responses[0].base))) if data.jointly else ()
    m.all_met = pyo.Var(m.futures, domain=pyo.Binary)
    m.share = pyo.Var(bounds=(0, 1))
    m.groups = (0,) if data.jointly else m.targets
    m.times = {t: _times(m, t) for t in m.groups}
    m.spent = sum(float(data.costs[j][k]) * m.use[j, k] for j in m.levers for k in m.levels_of[j])
    for name, rule in RULES.items():
        if name not in without:
            rule(m)
    return m


def _times(m: pyo.ConcreteModel, t: int) -> pyo.Expression:
    if m.data.jointly:
        return sum(m.all_met[r] for r in m.futures)
    return sum(m.met[t, r] for r in range(len(m.data.responses[t].base)))


def choose(data: LeverChoice) -> tuple[int, ...] | None:
    """The level of every lever: the cheapest choice, or by budget the one met most often and then the cheapest.

    None where no choice satisfies all rules (on the response surface), or the search met its limit of nodes before it
    found any: the same on every machine.
    """
    if not all(data.cuts):
        return None
    surest = _chosen(data)
    if surest is None or not data.by_budget:
        return surest
    return _chosen(replace(data, by_budget=False, needed=_as_often(data, surest))) or surest


def _as_often(data: LeverChoice, choice: tuple[int, ...]) -> tuple[int, ...]:
    """Replications in which each target has to be met to be met as often as the worst one under ``choice``."""
    met = [
        r.base + math.fsum(float(own[k]) for own, k in zip(r.gains, choice, strict=True)) >= 0 for r in data.responses
    ]
    if data.jointly:
        return (int(np.logical_and.reduce(met).sum()),) * len(met)
    worst = min(float(m.mean()) for m in met)
    return tuple(math.ceil(worst * len(m) - 1e-9) for m in met)


def _chosen(data: LeverChoice) -> tuple[int, ...] | None:
    m = build_lever_choice(data)
    goal = Goal("share", "maximise", m.share) if data.by_budget else Goal("cost", "minimise", m.spent, "", 1e-6)
    result = Prepared(m, [goal], Options(time_limit_s=3600.0, node_limit=MOST_NODES)).solve()
    if not isinstance(result, Optimal | Feasible):
        return None
    value = result.plan.value
    return tuple(next(k for k in m.levels_of[j] if value(m.use[j, k]) > 0.5) for j in m.levers)
