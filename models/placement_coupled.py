"""Placement under rules that couple children: sections with a minimum, siblings who arrive together, a public share.

Such rules are no network any more, so the goals are met one after another by mixed-integer programmes, each with its
bound and gap. The problem is split only where neither an arc nor one of these rules joins the parts. The rules are
elastic: what can't be met is counted in a goal of its own at its place in the order, so a plan always exists and, with
the rules ranked after the places, nobody is without a place for their sake.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from pyomo.core.expr import LinearExpression
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from zjsim.models.array_checks import whole_numbers
from zjsim.models.placement_matrix import Goal, IntArray, Transport, checked, every_child_counts, goal_value, seats

from zjsim.solve.goals import Goal as SolveGoal
from zjsim.solve.goals import lexicographic
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stage, Stopped

SMALL, FLOOR, FAMILIES = "small", "floor", "families"
"""Names of the rules' goals: sections below their minimum, children missing from the public share, families apart."""


@dataclass(frozen=True, slots=True)
class CoupledRules:
    """Rules that couple children, and after how many of the goals each rule's own goal stands.

    ``site``: the school that each section belongs to (sections of several grades share one). ``block``: sections with
    one number are one class for the minimum (a private school's purchased and paid seats in a grade); None: every
    section is its own. ``minimum``: fewest children of each section's block if it takes any (0 or 1: no rule; equal
    within a block); one number stands for all. ``families``: groups of one child each that arrive together.
    ``public``: whether each section is public; of all children placed, ``floor[0]`` of every ``floor[1]`` should sit in
    one (``(0, 1)``: no rule).
    """

    site: IntArray
    minimum: IntArray | int = 0
    block: IntArray | None = None
    families: tuple[tuple[int, ...], ...] = ()
    public: npt.NDArray[np.bool_] | None = None
    floor: tuple[int, int] = (0, 1)
    goals_before_small: int = 1
    goals_before_floor: int = 1
    goals_before_apart: int = 1

    @property
    def has_floor(self) -> bool:
        """Whether a public share is asked for."""
        return self.public is not None and self.floor[0] > 0

    @property
    def places(self) -> tuple[int, int, int]:
        """After how many goals those of families, minimum and share stand; at one place they stand in this order."""
        return self.goals_before_apart, self.goals_before_small, self.goals_before_floor

    def blocks(self) -> IntArray:
        """Block of each section."""
        return np.arange(len(self.site)) if self.block is None else self.block

    def least(self) -> IntArray:
        """Minimum of each section's block."""
        return np.broadcast_to(np.asarray(self.minimum, np.int64), np.shape(self.site))


@dataclass(frozen=True, slots=True)
class CoupledPlan:
    """Children per arc, unplaced per group, families apart (numbers), and how many parts were solved."""

    sent: IntArray
    unplaced: IntArray
    apart: tuple[int, ...]
    parts: int


def coupled_model(problem: Transport, goals: Sequence[Goal], rules: CoupledRules) -> pyo.ConcreteModel:
    """The formulation: whole children per arc, blocks taught or too small, families apart; a goal per expression."""
    n_groups, n_schools, n_arcs = problem.shape
    leaving: list[list[int]] = [[] for _ in range(n_groups)]
    arriving: list[list[int]] = [[] for _ in range(n_schools)]
    for arc, (group, school) in enumerate(zip(problem.group.tolist(), problem.school.tolist(), strict=True)):
        leaving[group].append(arc)
        arriving[school].append(arc)
    supply, capacity = problem.supply.tolist(), problem.capacity.tolist()
    of_arc = problem.supply[problem.group].tolist()
    model = pyo.ConcreteModel()
    model.sent = pyo.Var(range(n_arcs), domain=pyo.NonNegativeIntegers, bounds=lambda m, a: (0, of_arc[a]))
    model.unplaced = pyo.Var(range(n_groups), domain=pyo.NonNegativeIntegers, bounds=lambda m, i: (0, supply[i]))
    model.every_child_counts = pyo.Constraint(
        range(n_groups), rule=lambda m, i: every_child_counts(m, i, leaving[i], supply[i])
    )
    used = [school for school in range(n_schools) if arriving[school]]
    model.seats = pyo.Constraint(used, rule=lambda m, j: seats(m, arriving[j], capacity[j]))
    least, of_block = rules.least().tolist(), rules.blocks().tolist()
    members: dict[int, list[int]] = {}
    for school in used:
        if least[school] > 1:
            members.setdefault(of_block[school], []).append(school)
    ruled = sorted(members)
    coming = {b: [a for j in members[b] for a in arriving[j]] for b in ruled}
    most = {b: min(sum(capacity[j] for j in members[b]), sum(of_arc[a] for a in coming[b])) for b in ruled}
    model.taught = pyo.Var(ruled, domain=pyo.Binary)
    model.small = pyo.Var(ruled, domain=pyo.Binary)
    model.seats_taught = pyo.Constraint(ruled, rule=lambda m, b: seats_taught(m, b, coming[b], most[b]))
    model.enough = pyo.Constraint(ruled, rule=lambda m, b: enough(m, b, coming[b], least[members[b][0]]))
    model.apart = pyo.Var(range(len(rules.families)), domain=pyo.Binary)
    model.same_school = pyo.ConstraintList()
    for number, family in enumerate(rules.families):
        by_site = [_by_site(problem, rules, leaving[group]) for group in family]
        for site in sorted(set().union(*by_site)):
            for k in range(len(family)):
                one, other = by_site[k - 1].get(site, []), by_site[k].get(site, [])
                if one:
                    model.same_school.add(same_school(model, number, one, other))
    model.short = pyo.Var(domain=pyo.NonNegativeIntegers, bounds=(0, int(problem.supply.sum())))
    if rules.public is not None and rules.has_floor and n_arcs:
        public = rules.public[problem.school].tolist()
        model.public_floor = pyo.Constraint(expr=public_floor(model, public, *rules.floor))
    model.goal = pyo.Expression(range(len(goals)), rule=lambda m, k: goal_value(m, goals[k]))
    model.sections_too_small = pyo.Expression(expr=sections_too_small(model))
    model.missing_in_public = pyo.Expression(expr=missing_in_public(model))
    model.families_apart = pyo.Expression(expr=families_apart(model))
    return model


def _by_site(problem: Transport, rules: CoupledRules, arcs: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for arc in arcs:
        found.setdefault(int(rules.site[problem.school[arc]]), []).append(arc)
    return found


def seats_taught(model: pyo.ConcreteModel, block: int, arcs: Sequence[int], most: int) -> pyo.Expression:
    """Only a block that is taught takes children: Σ sent − most · taught ≤ 0 (children, M108)."""
    variables = [*(model.sent[arc] for arc in arcs), model.taught[block]]
    return LinearExpression(linear_coefs=[1] * len(arcs) + [-most], linear_vars=variables) <= 0


def enough(model: pyo.ConcreteModel, block: int, arcs: Sequence[int], minimum: int) -> pyo.Expression:
    """A taught block has its minimum or is too small: Σ sent − min · taught + min · small ≥ 0 (children, M108)."""
    variables = [*(model.sent[arc] for arc in arcs), model.taught[block], model.small[block]]
    return LinearExpression(linear_coefs=[1] * len(arcs) + [-minimum, minimum], linear_vars=variables) >= 0


def same_school(model: pyo.ConcreteModel, family: int, one: Sequence[int], other: Sequence[int]) -> pyo.Expression:
    """Where one child of a family goes the next goes too, or they are apart: Σ one − Σ other − apart ≤ 0 (M106).

    Written for each school and each child of a family with the next (the last with the first).
    """
    return sum(model.sent[a] for a in one) - sum(model.sent[a] for a in other) - model.apart[family] <= 0


def public_floor(model: pyo.ConcreteModel, public: Sequence[bool], part: int, of: int) -> pyo.Expression:
    """Of all placed, ``part`` of every ``of`` sit in public schools, or so many are missing there (children, M112).

    of · Σ public − part · Σ all + of · short ≥ 0.
    """
    coefficients = [of - part if is_public else -part for is_public in public]
    return LinearExpression(linear_coefs=[*coefficients, of], linear_vars=[*model.sent.values(), model.short]) >= 0


def sections_too_small(model: pyo.ConcreteModel) -> pyo.Expression:
    """Blocks that take children, but fewer than their minimum (sections, M108): Σ small."""
    return sum(model.small.values())


def missing_in_public(model: pyo.ConcreteModel) -> pyo.Expression:
    """Children who would have to sit in public schools for the share asked for (children, M112): short."""
    return 1 * model.short


def families_apart(model: pyo.ConcreteModel) -> pyo.Expression:
    """Families whose children do not all get the same school (families, M106): Σ apart."""
    return sum(model.apart.values())


RULES = (
    seats_taught, enough, same_school, public_floor, sections_too_small, missing_in_public, families_apart,
)  # fmt: skip


def asked_goals(model: pyo.ConcreteModel, goals: Sequence[Goal], rules: CoupledRules) -> list[SolveGoal]:
    """The goals in their order, with those of the rules at their places."""
    own = []
    if len(model.taught):
        own.append(SolveGoal(SMALL, "minimise", model.sections_too_small, "sections"))
    if rules.has_floor:
        own.append(SolveGoal(FLOOR, "minimise", model.missing_in_public, "children"))
    if rules.families:
        own.append(SolveGoal(FAMILIES, "minimise", model.families_apart, "families"))
    named = {asked.name: asked for asked in own}
    named |= {g.name: SolveGoal(g.name, "minimise", model.goal[k], g.unit) for k, g in enumerate(goals)}
    return [named[name] for name in in_order([g.name for g in goals], rules) if name in named]


def in_order(names: Sequence[str], rules: CoupledRules) -> list[str]:
    """Names of the goals in their order, with those of the rules at their places."""
    places = list(zip((FAMILIES, SMALL, FLOOR), rules.places, strict=True))
    found: list[str] = []
    for k in range(len(names) + 1):
        found += [name for name, place in places if place == k] + list(names[k : k + 1])
    return found


def solve_coupled(
    problem: Transport, goals: Sequence[Goal], rules: CoupledRules, options: Options | None = None
) -> Result[CoupledPlan]:
    """Meet ``goals`` in order (and those of the rules at their places); each stage says its value, bound and gap.

    ValueError on arrays that don't fit together or aren't whole numbers, and if a family's group isn't one child. The
    options' time limit holds for each part.
    """
    checked(problem, goals)
    rules_checked(problem, rules)
    sent, unplaced = np.zeros(len(problem.group), np.int64), problem.supply.astype(np.int64)
    apart: list[int] = []
    totals: dict[str, Stage] = {}
    label = parts_of(problem, rules)
    n_parts = int(label.max(initial=-1)) + 1
    for part in range(n_parts):
        piece, costs, own, groups, arcs, families = part_of(problem, goals, rules, label, part)
        model = coupled_model(piece, costs, own)
        found = lexicographic(model, asked_goals(model, costs, own), options)
        if isinstance(found, (Infeasible, Stopped)):
            return found
        sent[arcs] = [round(pyo.value(v)) for v in model.sent.values()]
        unplaced[groups] = [round(pyo.value(v)) for v in model.unplaced.values()]
        apart += [k for at, k in enumerate(families) if pyo.value(model.apart[at]) > 0.5]
        for stage in found.stages:
            totals[stage.name] = _added(totals[stage.name], stage) if stage.name in totals else stage
    plan = CoupledPlan(sent, unplaced, tuple(sorted(apart)), n_parts)
    names = in_order([g.name for g in goals], rules)
    stages = tuple(totals[name] for name in names if name in totals)
    open_stage = next((s for s in stages if s.gap > 0), None)
    if open_stage is None:
        return Optimal(plan, stages)
    return Feasible(plan, stages, open_stage.bound, open_stage.gap)


def rules_checked(problem: Transport, rules: CoupledRules) -> None:
    """ValueError if the rules' arrays don't fit the problem's sections, or a family isn't children of its groups."""
    n_groups, n_schools, _ = problem.shape
    whole_numbers("the site of each section", rules.site, length=n_schools)
    block = whole_numbers("the block of each section", rules.blocks(), length=n_schools)
    least = whole_numbers("the minimum", rules.minimum, least=0, dimensions=np.ndim(rules.minimum))
    if np.ndim(least) and len(least) != n_schools:
        raise ValueError(f"the minimum must have {n_schools} entries, not {len(least)}")
    order = np.argsort(block, kind="stable")
    if ((np.diff(block[order]) == 0) & (np.diff(rules.least()[order]) != 0)).any():
        raise ValueError("sections of one block must have one minimum")
    if rules.public is not None and (rules.public.dtype != np.bool_ or rules.public.shape != (n_schools,)):
        raise ValueError(f"public must be {n_schools} flags, not {rules.public.dtype} of shape {rules.public.shape}")
    if not 0 <= rules.floor[0] <= rules.floor[1] or rules.floor[1] < 1:
        raise ValueError(f"a floor is so many of so many, 0 to all of them, not {rules.floor}")
    for family in rules.families:
        there = all(0 <= group < n_groups for group in family)
        if not there or len(set(family)) < 2 or any(problem.supply[group] != 1 for group in family):
            raise ValueError(f"family {family} must be at least two groups of one child each")


Piece = tuple[Transport, list[Goal], CoupledRules, IntArray, IntArray, list[int]]


def part_of(problem: Transport, goals: Sequence[Goal], rules: CoupledRules, label: IntArray, part: int) -> Piece:
    """One part alone: its problem, goals and rules (sections keep their numbers), its groups, arcs and families."""
    groups = np.flatnonzero(label == part)
    arcs = np.flatnonzero(label[problem.group] == part)
    renumbered = np.cumsum(label == part) - 1
    families = [k for k, family in enumerate(rules.families) if label[family[0]] == part]
    own = replace(rules, families=tuple(tuple(int(renumbered[g]) for g in rules.families[k]) for k in families))
    piece = Transport(problem.supply[groups], problem.capacity, renumbered[problem.group[arcs]], problem.school[arcs])
    costs = [Goal(g.name, g.arc_cost[arcs], g.unplaced_cost[groups], g.unit) for g in goals]
    return piece, costs, own, groups, arcs, families


def _added(a: Stage, b: Stage) -> Stage:
    """Values and bounds of one goal of two parts added up."""
    value, bound = a.value + b.value, a.bound + b.bound
    gap = 0.0 if a.gap == b.gap == 0 else abs(value - bound) / max(1e-9, abs(value))
    return Stage(a.name, a.sense, value, bound, gap, a.unit, a.tolerance + b.tolerance)


def parts_of(problem: Transport, rules: CoupledRules) -> IntArray:
    """Part of each group, numbered by its first group: joined by a section, a block, a family, or the share of all.

    With a share of all, part 0 are all groups that have an arc or belong to a family.
    """
    n_groups, n_schools, _ = problem.shape
    if rules.has_floor:
        there = [*problem.group.tolist(), *(group for family in rules.families for group in family)]
        without: IntArray = (np.bincount(np.array(there, np.int64), minlength=n_groups) == 0).astype(np.int64)
        return without if not without.all() else np.zeros(n_groups, np.int64)
    pairs = [(a, b) for family in rules.families for a, b in itertools.pairwise(family)]
    ruled = np.flatnonzero(rules.least() > 1)
    # A block is joined through its first section.
    _, first, inverse = np.unique(rules.blocks()[ruled], return_index=True, return_inverse=True)
    one = [problem.group, np.array([a for a, _ in pairs], np.int64), n_groups + ruled]
    two = [problem.school + n_groups, np.array([b for _, b in pairs], np.int64), n_groups + ruled[first[inverse]]]
    ends = (np.concatenate(one), np.concatenate(two))
    joined = coo_array((np.ones(len(ends[0]), np.int8), ends), shape=(n_groups + n_schools,) * 2)
    label = connected_components(joined, directed=False)[1][:n_groups]
    _, first, number = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    found: IntArray = rank[number]
    return found
