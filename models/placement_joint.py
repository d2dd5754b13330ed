"""A county's placement by goals where a switch of the scenario couples children across sections, grades or families.

First everybody is placed without these rules. Where that plan keeps them it is the best one with them too, proof and
all: it is the best of more plans. Only the parts in which it breaks a rule are solved again, all goals and rules
together, as mixed-integer programmes (``placement_coupled``), each goal with its bound and gap. The rules rank after
the places: nobody is without a place for their sake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from zjsim.models.placement_coupled import FAMILIES, FLOOR, SMALL, CoupledRules, part_of, parts_of, solve_coupled
from zjsim.models.placement_data import NONE, County, Grade
from zjsim.models.placement_matrix import Goal, IntArray, Transport
from zjsim.models.placement_modes import CoupledFacts, Kinds, Placed, best_of_kinds, kinds_of, seated
from zjsim.models.placement_rules import arcs_of, goal, goal_names, preference_step, sibling_reading

from zjsim.solve.options import Options
from zjsim.solve.results import Infeasible, Stage, Stopped


class PlacementStopped(Exception):  # noqa: N818 - says what happened
    """A limit struck before any plan of a coupled part was found."""


@dataclass(frozen=True)
class CoupledPart:
    """A part solved as a whole: its number (from 1), grades, children, stages, and each goal's value without rules."""

    part: int
    grades: tuple[int, ...]
    children: int
    stages: tuple[Stage, ...]
    without_rules: tuple[int, ...]


def couples(county: County, p: Any) -> bool:
    """Whether a switch of the scenario couples children in this county."""
    together = p.newcomers_reading == "together" and joint_families(county, p)
    return bool(p.minimum_section > 1 or p.public_floor > 0 or together)


def joint_families(county: County, p: Any) -> bool:
    """Whether siblings who arrive together are to get one school here (M106)."""
    return bool(p.joint_newcomers and sibling_reading(county, p) != "off")


def place_jointly(
    county: County, p: Any, with_purchased: bool, options: Options | None = None
) -> tuple[list[Placed], list[CoupledPart]]:
    """All grades, highest first, under the rules that couple; and the parts that had to be solved as a whole.

    Raises PlacementStopped if a limit strikes before a part has any plan.
    """
    reading = sibling_reading(county, p)
    joint = joint_families(county, p)
    grades = []
    for grade in county.grades:
        nobody = np.full(len(grade.ids), NONE, np.int64)
        arcs = arcs_of(grade, county.schools.zone, reading, nobody, p, with_purchased)
        kinds = kinds_of(grade, arcs, (grade.family != "") if joint else None)
        names = goal_names(p, reading, sorted(set(grade.tier.tolist())))
        sent, values, price = best_of_kinds(kinds, names)
        own_sent, unplaced = seated(grade, arcs, kinds, sent, p.lottery_seed)
        own = tuple(names), tuple(values.tolist())
        grades.append(_Grade(kinds, sent, Placed("utilitarian", grade, arcs, reading, own_sent, unplaced, *own, price)))
    whole = _Whole(county, grades, goal_names(p, reading, sorted({t for g in county.grades for t in g.tier.tolist()})))
    rules = whole.rules(p, joint, with_purchased)
    sent, part_of_section, parts = whole.solved(rules, options)
    return [whole.placed(k, sent, part_of_section, p) for k in range(len(grades))], parts


@dataclass(frozen=True)
class _Grade:
    kinds: Kinds
    sent: IntArray
    free: Placed


class _Whole:
    """All grades of a county as one problem: groups, sections and arcs of the grades one after another."""

    def __init__(self, county: County, grades: Sequence[_Grade], names: list[str]) -> None:
        self.county, self.grades, self.names = county, grades, names
        problems = [g.kinds.problem for g in grades]
        self.group_at = np.cumsum([0, *(len(t.supply) for t in problems)])
        self.section_at = np.cumsum([0, *(len(t.capacity) for t in problems)])
        self.arc_at = np.cumsum([0, *(len(t.group) for t in problems)])
        self.problem = Transport(
            _joined(t.supply for t in problems),
            _joined(t.capacity for t in problems),
            _joined(t.group + at for t, at in zip(problems, self.group_at, strict=False)),
            _joined(t.school + at for t, at in zip(problems, self.section_at, strict=False)),
        )
        self.sent = _joined(g.sent for g in grades)
        self.joined: set[int] = set()
        self.goals = []
        for name in names:
            own = [goal(name, g.kinds.grade, g.kinds.arcs) for g in grades]
            cost = _joined(c.arc_cost for c in own), _joined(c.unplaced_cost for c in own)
            self.goals.append(Goal(name, *cost, own[0].unit))

    def rules(self, p: Any, joint: bool, with_purchased: bool) -> CoupledRules:
        """The scenario's rules that couple: a section's minimum, the public share, families that arrive together."""
        grades = [g.free.grade for g in self.grades]
        step = [preference_step(g.kind, with_purchased) for g in grades]
        share = Fraction(str(p.public_floor))
        after_places = self.names.index("placed") + 1
        softly = self.names.index("newcomers") if "newcomers" in self.names else len(self.names)
        return CoupledRules(
            site=_joined(g.school for g in grades),
            minimum=_joined(minimum_of(g, p) for g in grades),
            block=_joined(g.school + k * len(self.county.schools.ids) for k, g in enumerate(grades)),
            families=self._families() if joint else (),
            public=_joined(step) == 0,
            floor=(share.numerator, share.denominator),
            goals_before_small=after_places,
            goals_before_floor=after_places,
            goals_before_apart=after_places if p.newcomers_reading == "together" else softly,
        )

    def _families(self) -> tuple[tuple[int, ...], ...]:
        """Children with a school open to them, by family: those of at least two."""
        found: dict[str, list[int]] = {}
        for at, g in zip(self.group_at.tolist(), self.grades, strict=False):
            length = np.diff(g.kinds.arcs.start)
            for k, family in enumerate(g.kinds.grade.family.tolist()):
                if family and length[k] and g.kinds.problem.supply[k]:
                    found.setdefault(family, []).append(at + k)
        return tuple(tuple(children) for _, children in sorted(found.items()) if len(children) > 1)

    def solved(self, rules: CoupledRules, options: Options | None) -> tuple[IntArray, IntArray, list[CoupledPart]]:
        """Children per arc, coupled part per section (0: none), and the parts solved as a whole."""
        label = parts_of(self.problem, rules)
        sent = self.sent.copy()
        part_of_section = np.zeros(len(self.problem.capacity), np.int64)
        parts: list[CoupledPart] = []
        broken = self._broken(rules, label)
        for one in broken:
            piece, costs, own, groups, arcs, _ = part_of(self.problem, self.goals, rules, label, one)
            before = self.sent[arcs]
            left = piece.supply - np.bincount(piece.group, before, len(piece.supply)).astype(np.int64)
            kept = [k for k, g in enumerate(costs) if g.arc_cost.any() or g.unplaced_cost.any()]
            apart, small, floor = (sum(k < place for k in kept) for place in own.places)
            own = replace(own, goals_before_small=small, goals_before_floor=floor, goals_before_apart=apart)
            found = solve_coupled(piece, [costs[k] for k in kept], own, options)
            if isinstance(found, Infeasible | Stopped):
                raise PlacementStopped(f"county {self.county.code}: no plan of a coupled part within the limits")
            sent[arcs] = found.plan.sent
            still = set(found.plan.apart)
            for number in broken_rules(piece, own, before).apart:
                if number not in still:
                    self.joined |= {int(groups[g]) for g in own.families[number]}
            value_of = {costs[k].name: int(costs[k].arc_cost @ before + costs[k].unplaced_cost @ left) for k in kept}
            value_of |= broken_rules(piece, own, before).values
            sections = np.unique(piece.school)
            part_of_section[sections] = len(parts) + 1
            grades = np.unique(np.searchsorted(self.section_at, sections, side="right") - 1).tolist()
            parts.append(
                CoupledPart(
                    len(parts) + 1,
                    tuple(sorted(self.grades[k].free.grade.grade for k in grades)),
                    int(piece.supply.sum()),
                    found.stages,
                    tuple(value_of[s.name] for s in found.stages),
                )
            )
        return sent, part_of_section, parts

    def _broken(self, rules: CoupledRules, label: IntArray) -> list[int]:
        """Parts in which the plan without the rules breaks one."""
        broken = broken_rules(self.problem, rules, self.sent)
        on = self.sent > 0
        found = set(label[self.problem.group[on & broken.small[self.problem.school]]].tolist())
        found |= {int(label[rules.families[k][0]]) for k in broken.apart}
        return sorted(found | ({0} if broken.short else set()))

    def placed(self, k: int, sent: IntArray, part_of_section: IntArray, p: Any) -> Placed:
        """The outcome of one grade; where it was solved as a whole there are no prices."""
        own = self.grades[k]
        free, kinds = own.free, own.kinds
        joined = np.zeros(len(free.grade.ids), bool)
        groups = [g - self.group_at[k] for g in self.joined if self.group_at[k] <= g < self.group_at[k + 1]]
        joined[kinds.first[groups]] = True
        facts = CoupledFacts(joined, minimum_of(free.grade, p), p.public_floor > 0)
        part = part_of_section[self.section_at[k] : self.section_at[k + 1]]
        if not part.any():
            return replace(free, part=part, free=free, facts=facts)
        here = sent[self.arc_at[k] : self.arc_at[k + 1]]
        per_arc, unplaced = seated(free.grade, free.arcs, kinds, here, p.lottery_seed)
        goals = [goal(name, free.grade, free.arcs) for name in free.goals]
        values = tuple(int(g.arc_cost @ per_arc + g.unplaced_cost @ unplaced) for g in goals)
        price = np.where(part > 0, 0, free.section_price)
        moved = replace(free, sent=per_arc, unplaced=unplaced, values=values, section_price=price)
        return replace(moved, part=part, free=free, facts=facts)


def minimum_of(grade: Grade, p: Any) -> IntArray:
    """Fewest applicants each section's school takes in the grade if it takes any: less by those already there."""
    there = grade.there if p.minimum_reading == "all" else np.zeros(len(grade.school), np.int64)
    least: IntArray = np.maximum(p.minimum_section - there, 0)
    return least


@dataclass(frozen=True)
class Broken:
    """By how much a plan misses each rule: flag per section too small, children missing in public, families apart."""

    small: Any
    short: int
    apart: tuple[int, ...]
    values: dict[str, int]


def broken_rules(problem: Transport, rules: CoupledRules, sent: IntArray) -> Broken:
    """What a plan (children per arc) misses of each rule."""
    load = np.bincount(problem.school, sent, len(problem.capacity)).astype(np.int64)
    block, least = rules.blocks(), rules.least()
    taken = np.bincount(block, load, int(block.max(initial=0)) + 1).astype(np.int64)
    small = (least > 1) & (taken[block] > 0) & (taken[block] < least)
    short = 0
    if rules.public is not None and rules.has_floor:
        part, of = rules.floor
        short = max(0, -((of * int(load[rules.public].sum()) - part * int(load.sum())) // of))
    at = np.full(len(problem.supply), NONE, np.int64)
    on = np.flatnonzero(sent)
    at[problem.group[on]] = rules.site[problem.school[on]]
    apart = tuple(k for k, family in enumerate(rules.families) if len({int(at[g]) for g in family}) > 1)
    values = {SMALL: len(set(block[small].tolist())), FLOOR: short, FAMILIES: len(apart)}
    return Broken(small, short, apart, values)


def _joined(parts: Any) -> IntArray:
    found: IntArray = np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64)
    return found
