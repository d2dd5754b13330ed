"""The two modes of one year's placement in one county and grade: by claims (priority), by goals (utilitarian)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from zjsim.models.deferred_acceptance import Choices, deferred_acceptance
from zjsim.models.placement_core import group_children, seats_to_children, solve_placement
from zjsim.models.placement_data import NONE, County, Grade
from zjsim.models.placement_matrix import IntArray, Transport
from zjsim.models.placement_rules import (
    Arcs,
    arcs_of,
    base_claim,
    claim_keys,
    dense,
    goal,
    goal_names,
    lottery,
    merged,
    sibling_reading,
)

MODES = ("priority", "utilitarian")
PREFERENCE = "preference"
"""A mode of its own, for counties that collect choices: see ``placement_preference``."""


@dataclass(frozen=True)
class CoupledFacts:
    """What sentences need of rules that couple: groups whose family came together, each section's minimum, a floor."""

    joined: Any
    least: IntArray
    floor: bool


@dataclass(frozen=True)
class Placed:
    """One grade's outcome: children per arc, unplaced per group, value of every goal, and what proves it.

    ``section_price``: (goals, sections), what one more seat adds to a goal; all 0 in priority mode. Where rules couple
    children (``placement_joint``): ``part``, number of the part solved as a whole to which each section belongs (0:
    none, the prices prove it), and ``free``, the outcome without these rules. ``joint``: groups (a flag each) whose
    family is together by its own wish (preference mode).
    """

    mode: str
    grade: Grade
    arcs: Arcs
    reading: str
    sent: IntArray
    unplaced: IntArray
    goals: tuple[str, ...]
    values: tuple[int, ...]
    section_price: IntArray
    part: IntArray | None = None
    free: Placed | None = None
    facts: CoupledFacts | None = None
    joint: Any = None

    @property
    def parts(self) -> IntArray:
        """Number of the coupled part of each section, 0 where none."""
        return np.zeros(len(self.grade.school), np.int64) if self.part is None else self.part

    @property
    def load(self) -> IntArray:
        """Children per section."""
        load = np.zeros(len(self.grade.school), np.int64)
        np.add.at(load, self.arcs.section, self.sent)
        return load


def place_county(county: County, mode: str, p: Any, with_purchased: bool) -> list[Placed]:
    """All grades of a county in one mode, the highest first, so that younger joint newcomers can follow the elder."""
    reading = sibling_reading(county, p)
    joint = p.joint_newcomers and reading != "off"
    placed_at: dict[str, int] = {}
    done = []
    for grade in county.grades:
        follows = np.array([placed_at.get(f, NONE) if joint and f else NONE for f in grade.family], np.int64)
        arcs = arcs_of(grade, county.schools.zone, reading, follows, p, with_purchased)
        names = goal_names(p, reading, sorted(set(grade.tier.tolist())))
        one = by_claims if mode == "priority" else by_goals
        placed = one(grade, arcs, reading, names, p)
        for a in np.flatnonzero((placed.sent > 0) & (grade.family[arcs.group] != "")).tolist():
            placed_at.setdefault(grade.family[arcs.group[a]], int(grade.school[arcs.section[a]]))
        done.append(placed)
    return done


def by_claims(grade: Grade, arcs: Arcs, reading: str, names: list[str], p: Any) -> Placed:
    """Student-proposing deferred acceptance, child by child: nobody with a stronger claim is passed over (M109)."""
    of_child, arc_of_choice, choices = _children(grade, arcs)
    priority = _ranks(grade, arcs, reading, p, arc_of_choice, choices)
    matching = deferred_acceptance(choices, priority, grade.seats)
    got = np.flatnonzero(matching.choice >= 0)
    sent = np.bincount(arc_of_choice[choices.start[got] + matching.choice[got]], minlength=len(arcs.group))
    unplaced = np.bincount(of_child[matching.choice < 0], minlength=len(grade.ids))
    goals = (goal(name, grade, arcs) for name in names)
    values = tuple(int(g.arc_cost @ sent + g.unplaced_cost @ unplaced) for g in goals)
    none = np.zeros((len(names), len(grade.school)), np.int64)
    return Placed("priority", grade, arcs, reading, sent.astype(np.int64), unplaced, tuple(names), values, none)


def child_market(grade: Grade, arcs: Arcs, reading: str, p: Any) -> tuple[Choices, IntArray]:
    """The market that :func:`by_claims` clears: each child's sections, best first, and its rank at each."""
    _, arc_of_choice, choices = _children(grade, arcs)
    return choices, _ranks(grade, arcs, reading, p, arc_of_choice, choices)


def _ranks(grade: Grade, arcs: Arcs, reading: str, p: Any, arc: IntArray, choices: Choices) -> IntArray:
    """Number of each choice's claim, smaller = stronger: the claim's rank, then the child's turn in the lottery."""
    numbers = lottery(grade.ids, grade.children, p.lottery_seed)
    turn = np.empty(len(numbers), np.int64)
    turn[np.argsort(numbers, kind="stable")] = np.arange(len(numbers))
    priority = dense(claim_keys(grade, arcs, reading))[arc]
    priority *= len(numbers)
    priority += np.repeat(turn, choices.lengths)
    return priority


@dataclass(frozen=True)
class Kinds:
    """Children of a grade who are equal but for points as one group each, and where every child is among them.

    ``of_child``: group of the registry of each child; ``kind_of_child``: its group here; ``first``: a group of the
    registry for each group here. Lists of arcs are as in the registry's group.
    """

    grade: Grade
    arcs: Arcs
    problem: Transport
    of_child: IntArray
    kind_of_child: IntArray
    first: IntArray


def kinds_of(grade: Grade, arcs: Arcs, alone: Any = None) -> Kinds:
    """Equal children together; groups in ``alone`` (a flag each) are taken apart into children of their own."""
    alone = (np.zeros(len(grade.ids), bool) if alone is None else alone) & (grade.children > 0)
    times = np.where(alone, grade.children, 1)
    unit = np.repeat(np.arange(len(grade.ids)), times)
    size = np.repeat(np.where(alone, 1, grade.children), times)
    own = np.where(alone[unit], np.arange(len(unit)), NONE)
    keys = np.column_stack((grade.cell, grade.tier, grade.sibling, grade.current, arcs.follows, grade.list_id))[unit]
    kind_of, _, first = group_children(np.column_stack((keys, own)))
    together = np.bincount(kind_of, weights=size, minlength=len(first)).astype(np.int64)
    first = unit[first]
    rows = _ranges(arcs.start[first], arcs.start[first + 1])
    lengths = arcs.start[first + 1] - arcs.start[first]
    few = Arcs(
        start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        group=np.repeat(np.arange(len(first)), lengths),
        section=arcs.section[rows],
        distance=arcs.distance[rows],
        step=arcs.step[rows],
        together=arcs.together[rows],
        followed=arcs.followed[rows],
        stays=arcs.stays[rows],
        elder=arcs.elder[first],
        follows=arcs.follows[first],
    )
    problem = Transport(together, grade.seats, few.group, few.section.astype(np.int64))
    of_child = np.repeat(np.arange(len(grade.ids)), grade.children)
    return Kinds(merged(grade, first, together), few, problem, of_child, np.repeat(kind_of, size), first)


def best_of_kinds(kinds: Kinds, names: list[str]) -> tuple[IntArray, IntArray, IntArray]:
    """Goals one after another, exactly: children sent per arc, value of every goal, price of every goal and section.

    Goals nobody in the grade is concerned by are left out of the solve (their value is 0 whatever is done).
    """
    goals = [goal(name, kinds.grade, kinds.arcs) for name in names]
    asked = [k for k, g in enumerate(goals) if g.arc_cost.any() or g.unplaced_cost.any()]
    values = np.zeros(len(names), np.int64)
    price = np.zeros((len(names), len(kinds.problem.capacity)), np.int64)
    if not asked:
        return np.zeros(len(kinds.problem.group), np.int64), values, price
    found = solve_placement(kinds.problem, [goals[k] for k in asked])
    values[asked] = found.values
    price[asked] = found.school_price
    return found.sent, values, price


def seated(grade: Grade, arcs: Arcs, kinds: Kinds, sent: IntArray, seed: int) -> tuple[IntArray, IntArray]:
    """Children of each group of the registry per arc and without a place: within a kind the stronger claim first."""
    of_child, kind = kinds.of_child, kinds.kind_of_child
    numbers = lottery(grade.ids, grade.children, seed)
    turn = np.empty(len(of_child), np.int64)
    turn[np.lexsort((numbers, base_claim(grade)[of_child]))] = np.arange(len(of_child))
    arc = seats_to_children(kinds.problem, sent, kind, turn)
    got = arc >= 0
    # The same place in the list of the child's own group.
    own = arcs.start[of_child[got]] + arc[got] - kinds.arcs.start[kind[got]]
    placed = np.bincount(own, minlength=len(arcs.group)).astype(np.int64)
    return placed, np.bincount(of_child[~got], minlength=len(grade.ids)).astype(np.int64)


def by_goals(grade: Grade, arcs: Arcs, reading: str, names: list[str], p: Any) -> Placed:
    """Goals one after another, exactly, over groups that are equal but for points; points and lottery order within."""
    kinds = kinds_of(grade, arcs)
    found, values, price = best_of_kinds(kinds, names)
    sent, unplaced = seated(grade, arcs, kinds, found, p.lottery_seed)
    return Placed("utilitarian", grade, arcs, reading, sent, unplaced, tuple(names), tuple(values.tolist()), price)


def _children(grade: Grade, arcs: Arcs) -> tuple[IntArray, IntArray, Choices]:
    """Group of each child, arc of each choice, and the children's choices (sections, best first)."""
    of_child = np.repeat(np.arange(len(grade.ids)), grade.children)
    first, last = arcs.start[of_child], arcs.start[of_child + 1]
    start = np.concatenate([[0], np.cumsum(last - first)]).astype(np.int64)
    arc = _ranges(first, last)
    return of_child, arc, Choices(start, arcs.section[arc].astype(np.int64))


def _ranges(first: IntArray, last: IntArray) -> IntArray:
    """first[0]…last[0]-1, first[1]…last[1]-1, … one after another."""
    length = last - first
    shift = np.repeat(first - np.concatenate([[0], np.cumsum(length)[:-1]]) if len(first) else first, length)
    result: IntArray = (np.arange(int(length.sum())) + shift).astype(np.int64)
    return result
