"""Placement under rules that couple children: classes with a minimum, siblings who arrive together, a public share.

Such rules are no network any more, so the goals are met one after another by mixed-integer programmes, each with its
bound and gap. The problem is split only where neither an arc nor one of these rules joins the parts. A section without
children is allowed, and so is an unplaced child: a plan always exists.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from zjsim.models.placement_matrix import Goal, IntArray, Transport, every_child_counts, goal_value, seats

from zjsim.solve.goals import Goal as SolveGoal
from zjsim.solve.goals import lexicographic
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stage, Stopped


@dataclass(frozen=True, slots=True)
class CoupledRules:
    """Rules that couple children.

    ``site``: the school that each section belongs to (sections of several grades share one). ``minimum``: fewest
    children of a section that takes any (0 or 1: no rule). ``families``: groups of one child each that arrive together;
    who doesn't get the same school counts in the goal "apart", which stands after the first ``goals_before_apart``
    goals. ``public``: whether each section is public; of all children placed, at least ``floor[0]`` of every
    ``floor[1]`` must sit in one (``(0, 1)``: no rule).
    """

    site: IntArray
    minimum: int = 0
    families: tuple[tuple[int, ...], ...] = ()
    goals_before_apart: int = 1
    public: npt.NDArray[np.bool_] | None = None
    floor: tuple[int, int] = (0, 1)


@dataclass(frozen=True, slots=True)
class CoupledPlan:
    """Children per arc, unplaced per group, families apart (numbers), and how many parts were solved."""

    sent: IntArray
    unplaced: IntArray
    apart: tuple[int, ...]
    parts: int


def coupled_model(problem: Transport, goals: Sequence[Goal], rules: CoupledRules) -> pyo.ConcreteModel:
    """The formulation: whole children per arc, sections taught or not, families apart or not; a goal per expression."""
    n_groups, n_schools, n_arcs = problem.shape
    leaving: list[list[int]] = [[] for _ in range(n_groups)]
    arriving: list[list[int]] = [[] for _ in range(n_schools)]
    for arc, (group, school) in enumerate(zip(problem.group.tolist(), problem.school.tolist(), strict=True)):
        leaving[group].append(arc)
        arriving[school].append(arc)
    supply, capacity = problem.supply.tolist(), problem.capacity.tolist()
    model = pyo.ConcreteModel()
    model.sent = pyo.Var(range(n_arcs), domain=pyo.NonNegativeIntegers, bounds=(0, max(supply, default=0)))
    model.unplaced = pyo.Var(range(n_groups), domain=pyo.NonNegativeIntegers, bounds=(0, max(supply, default=0)))
    model.every_child_counts = pyo.Constraint(
        range(n_groups), rule=lambda m, i: every_child_counts(m, i, leaving[i], supply[i])
    )
    used = [school for school in range(n_schools) if arriving[school]]
    if rules.minimum > 1:
        model.taught = pyo.Var(used, domain=pyo.Binary)
        model.seats_taught = pyo.Constraint(used, rule=lambda m, j: seats_taught(m, j, arriving[j], capacity[j]))
        model.enough = pyo.Constraint(used, rule=lambda m, j: enough(m, j, arriving[j], rules.minimum))
    else:
        model.seats = pyo.Constraint(used, rule=lambda m, j: seats(m, arriving[j], capacity[j]))
    model.apart = pyo.Var(range(len(rules.families)), domain=pyo.Binary)
    model.same_school = pyo.ConstraintList()
    for number, family in enumerate(rules.families):
        by_site = [_by_site(problem, rules, leaving[group]) for group in family]
        for site in sorted(set().union(*by_site)):
            for k in range(len(family)):
                one, other = by_site[k - 1].get(site, []), by_site[k].get(site, [])
                if one:
                    model.same_school.add(same_school(model, number, one, other))
    if rules.public is not None and rules.floor[0]:
        every = list(range(n_arcs))
        public = [arc for arc in every if rules.public[problem.school[arc]]]
        if every:
            model.public_floor = pyo.Constraint(expr=public_floor(model, public, every, *rules.floor))
    model.goal = pyo.Expression(range(len(goals)), rule=lambda m, k: goal_value(m, goals[k]))
    model.families_apart = pyo.Expression(expr=families_apart(model))
    return model


def _by_site(problem: Transport, rules: CoupledRules, arcs: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for arc in arcs:
        found.setdefault(int(rules.site[problem.school[arc]]), []).append(arc)
    return found


def seats_taught(model: pyo.ConcreteModel, school: int, arcs: Sequence[int], capacity: int) -> pyo.Expression:
    """Only a section that is taught takes children, up to its seats: Σ sent − seats · taught ≤ 0 (seats, M108)."""
    return sum(model.sent[arc] for arc in arcs) - capacity * model.taught[school] <= 0


def enough(model: pyo.ConcreteModel, school: int, arcs: Sequence[int], minimum: int) -> pyo.Expression:
    """A section that is taught has at least the minimum: Σ sent − minimum · taught ≥ 0 (children, M108)."""
    return sum(model.sent[arc] for arc in arcs) - minimum * model.taught[school] >= 0


def same_school(model: pyo.ConcreteModel, family: int, one: Sequence[int], other: Sequence[int]) -> pyo.Expression:
    """Where one child of a family goes the next goes too, or they are apart: Σ one − Σ other − apart ≤ 0 (M106).

    Written for each school and each child of a family with the next (the last with the first).
    """
    return sum(model.sent[a] for a in one) - sum(model.sent[a] for a in other) - model.apart[family] <= 0


def public_floor(
    model: pyo.ConcreteModel, public: Sequence[int], every: Sequence[int], part: int, of: int
) -> pyo.Expression:
    """Of all placed, ``part`` of every ``of`` sit in public schools: of · Σ public − part · Σ all ≥ 0 (M112)."""
    return of * sum(model.sent[a] for a in public) - part * sum(model.sent[a] for a in every) >= 0


def families_apart(model: pyo.ConcreteModel) -> pyo.Expression:
    """Families whose children do not all get the same school (families, M106): Σ apart."""
    return sum(model.apart.values())


RULES = (seats_taught, enough, same_school, public_floor, families_apart)


def solve_coupled(
    problem: Transport, goals: Sequence[Goal], rules: CoupledRules, options: Options | None = None
) -> Result[CoupledPlan]:
    """Meet ``goals`` in order (and "apart" at its place) under ``rules``; each stage says its value, bound and gap.

    ValueError if a family's group isn't one child. The options' time limit holds for each part.
    """
    for family in rules.families:
        if len(family) < 2 or any(problem.supply[group] != 1 for group in family):
            raise ValueError(f"family {family} must be at least two groups of one child each")
    sent, unplaced = np.zeros(len(problem.group), np.int64), problem.supply.astype(np.int64)
    apart: list[int] = []
    totals: list[Stage] = []
    label = _parts(problem, rules)
    n_parts = int(label.max(initial=-1)) + 1
    for part in range(n_parts):
        groups = np.flatnonzero(label == part)
        arcs = np.flatnonzero(label[problem.group] == part)
        renumbered = np.cumsum(label == part) - 1
        families = [k for k, family in enumerate(rules.families) if label[family[0]] == part]
        own = CoupledRules(
            rules.site,
            rules.minimum,
            tuple(tuple(int(renumbered[g]) for g in rules.families[k]) for k in families),
            rules.goals_before_apart,
            rules.public,
            rules.floor,
        )
        piece = Transport(
            problem.supply[groups], problem.capacity, renumbered[problem.group[arcs]], problem.school[arcs]
        )
        costs = [Goal(g.name, g.arc_cost[arcs], g.unplaced_cost[groups], g.unit) for g in goals]
        model = coupled_model(piece, costs, own)
        asked = [SolveGoal(g.name, "minimise", model.goal[k], g.unit) for k, g in enumerate(costs)]
        if rules.families:
            here = SolveGoal("apart", "minimise", model.families_apart, "families")
            asked.insert(rules.goals_before_apart, here)
        found = lexicographic(model, asked, options)
        if isinstance(found, (Infeasible, Stopped)):
            return found
        sent[arcs] = [round(pyo.value(v)) for v in model.sent.values()]
        unplaced[groups] = [round(pyo.value(v)) for v in model.unplaced.values()]
        apart += [k for at, k in enumerate(families) if pyo.value(model.apart[at]) > 0.5]
        totals = _added(totals, found.stages)
    plan = CoupledPlan(sent, unplaced, tuple(sorted(apart)), n_parts)
    open_stage = next((s for s in totals if s.gap > 0), None)
    if open_stage is None:
        return Optimal(plan, tuple(totals))
    return Feasible(plan, tuple(totals), open_stage.bound, open_stage.gap)


def _added(totals: Sequence[Stage], stages: Sequence[Stage]) -> list[Stage]:
    """Values and bounds of the goals added over parts."""
    if not totals:
        return list(stages)
    added = []
    for a, b in zip(totals, stages, strict=True):
        value, bound = a.value + b.value, a.bound + b.bound
        gap = 0.0 if a.gap == b.gap == 0 else abs(value - bound) / max(1e-9, abs(value))
        added.append(Stage(a.name, a.sense, value, bound, gap, a.unit, a.tolerance + b.tolerance))
    return added


def _parts(problem: Transport, rules: CoupledRules) -> npt.NDArray[np.int32]:
    """Part of each group: joined by a section, by a family, or, with a public share, by the share of all."""
    n_groups, n_schools, _ = problem.shape
    if rules.public is not None and rules.floor[0]:
        return np.zeros(n_groups, np.int32)
    pairs = [(a, b) for family in rules.families for a, b in itertools.pairwise(family)]
    one = np.concatenate([problem.group, np.array([a for a, _ in pairs], np.int64)])
    two = np.concatenate([problem.school + n_groups, np.array([b for _, b in pairs], np.int64)])
    joined = coo_array((np.ones(len(one), np.int8), (one, two)), shape=(n_groups + n_schools,) * 2)
    label = connected_components(joined, directed=False)[1][:n_groups]
    # Numbered by the first group of each part.
    _, first, number = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[number]
