"""The smallest repairs of a county that can't place everybody: seats, classes, other rules, or a new school.

Each is found exactly and then put in and solved again: what is stated as left over is what that placement leaves.
*Seats*: as many as possible are placed and a seat places one child, so the number without a place is the smallest.
*Classes*: whole classes at public schools that have the grade (``placement_classes``); first as few children as
possible stay without a place, then as few classes as possible are opened. *Rules*: the smallest set of the scenario's
limits that, lifted, leaves as few as lifting all would; then each is lifted only as far as needed. *New school*: where
no school of the county has the grade, a seat for each of its children whom the scenario places, within their reach.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.placement_classes import fewest_classes
from zjsim.models.placement_core import group_children, solve_placement
from zjsim.models.placement_data import KINDS, NONE, PUBLIC, County, Grade
from zjsim.models.placement_matrix import Goal, IntArray, Transport
from zjsim.models.placement_modes import Placed
from zjsim.models.placement_rules import arcs_of, sibling_reading
from zjsim.models.placement_rules import merged as one_for_equal

from zjsim.solve.options import Options
from zjsim.texts import LANGUAGES, Language, text

REPAIR_COLUMNS = (
    "county_code", "year", "repair", "amount", "unit", "grades", "unplaced_before", "unplaced_after", "seats_besides",
    "bound", "zh", "en",
)  # fmt: skip
STEP_COLUMNS = ("county_code", "year", "repair", "grade", "school_id", "kind", "rule", "value", "before")
REPAIRS = ("seats", "classes", "rules", "new_school")
_UNITS = {"seats": "seats", "classes": "classes", "rules": "rules", "new_school": "seats"}
_NAMED = 4
_KM10 = 10.0


@dataclass(frozen=True)
class Step:
    """One step of a repair: seats or classes at a section (``grade``, its number), or a rule's new value; seats of a
    new school have a grade and no section.
    """

    grade: int
    section: int
    rule: str
    value: float
    before: float


@dataclass(frozen=True)
class Repair:
    """A repair: its steps, children without a place after it (solved again), and the bound on its amount."""

    name: str
    steps: tuple[Step, ...]
    amount: int
    bound: int
    unplaced_after: int
    seats_besides: int


def left_over(grade: Grade, arcs: Any, seats: IntArray | None = None) -> tuple[int, int]:
    """Children of a grade without a place when as many as possible are placed, and those to whom no school is open."""
    problem = _problem(grade, arcs, seats)
    nothing, every = np.zeros(len(problem.group), np.int64), np.ones(len(problem.supply), np.int64)
    found = solve_placement(problem, [Goal("placed", nothing, every, "children")])
    return int(found.unplaced.sum()), int(grade.children[np.diff(arcs.start) == 0].sum())


def _problem(grade: Grade, arcs: Any, seats: IntArray | None = None) -> Transport:
    capacity = grade.seats if seats is None else seats
    return Transport(grade.children, capacity, arcs.group.astype(np.int64), arcs.section.astype(np.int64))


def repairs(
    county: County, utilitarian: Sequence[Placed], p: Any, with_purchased: bool, options: Options | None = None
) -> list[Repair]:
    """Repairs of a county, in the order of :data:`REPAIRS`; none where everybody has a place."""
    short = [one for one in utilitarian if one.unplaced.any()]
    if not short:
        return []
    found = [
        *(seat_repair(short), class_repair(short, options), rule_repair(county, short, p, with_purchased)),
        new_school(short, p.last_tier),
    ]
    return [repair for repair in found if repair is not None]


def seat_repair(short: Sequence[Placed]) -> Repair | None:
    """A seat for each child without a place to whom a school is open, where its list begins; none if there is none."""
    steps, left = [], 0
    for one in short:
        first = one.arcs.start[:-1]
        on = np.flatnonzero((one.unplaced > 0) & (np.diff(one.arcs.start) > 0))
        more = np.zeros(len(one.grade.school), np.int64)
        np.add.at(more, one.arcs.section[first[on]], one.unplaced[on])
        left += left_over(one.grade, one.arcs, one.grade.seats + more)[0]
        steps += [Step(one.grade.grade, s, "seats", int(more[s]), 0) for s in np.flatnonzero(more).tolist()]
    amount = int(sum(s.value for s in steps))
    return Repair("seats", tuple(steps), amount, amount, left, 0) if steps else None


def alike(grade: Grade) -> Grade:
    """The grade with children who are equal for what is open to them as one group each: no limit tells them apart."""
    keys = np.column_stack((grade.cell, grade.tier, grade.sibling, grade.current, grade.list_id))
    zone = np.unique(grade.zone.astype(str), return_inverse=True)[1]
    number, _, first = group_children(np.column_stack((keys, zone)))
    return one_for_equal(grade, first, np.bincount(number, grade.children, len(first)).astype(np.int64))


def class_repair(short: Sequence[Placed], options: Options | None = None) -> Repair | None:
    """The fewest whole classes at public schools that leave as few as any would; none if no class helps."""
    steps, left, bound = [], 0, 0
    for one in short:
        size = np.where(one.grade.kind == PUBLIC, one.grade.class_seats, 0)
        found = fewest_classes(_problem(one.grade, one.arcs), size, options)
        if found is None:
            return None
        more, least = found
        bound += least
        left += left_over(one.grade, one.arcs, one.grade.seats + more * size)[0]
        steps += [Step(one.grade.grade, s, "classes", int(more[s]), 0) for s in np.flatnonzero(more).tolist()]
    amount = int(sum(s.value for s in steps))
    return Repair("classes", tuple(steps), amount, bound, left, 0) if steps else None


def rule_repair(county: County, short: Sequence[Placed], p: Any, with_purchased: bool) -> Repair | None:
    """The smallest set of limits that, lifted, leaves as few without a place as lifting all; none if no help."""
    grades = [alike(one.grade) for one in short]
    before = sum(int(one.unplaced.sum()) for one in short)
    reading = sibling_reading(county, p)

    def left(changes: dict[str, Any]) -> tuple[int, int]:
        other = p.model_copy(update=changes)
        total = [0, 0]
        for grade in grades:
            nobody = np.full(len(grade.ids), NONE, np.int64)
            arcs = arcs_of(grade, county.schools.zone, reading, nobody, other, with_purchased)
            for k, n in enumerate(left_over(grade, arcs)):
                total[k] += n
        return total[0], total[1]

    lifted = lifted_limits(county, grades, p)
    least = left({name: values[-1] for name, values in lifted.items()})[0]
    if least >= before:
        return None

    def enough(name: str, changes: dict[str, Any], value: Any) -> bool:
        return left({**changes, name: value})[0] == least

    for size in range(1, len(lifted) + 1):
        for names in itertools.combinations(sorted(lifted), size):
            changes = {name: lifted[name][-1] for name in names}
            if left(changes)[0] == least:
                for name in names:
                    changes[name] = _first(lifted[name], partial(enough, name, dict(changes)))
                after, without = left(changes)
                steps = tuple(
                    Step(0, NONE, name, _number(changes[name]), _number(getattr(p, name))) for name in sorted(changes)
                )
                return Repair("rules", steps, size, size, after, after - without)
    return None


def new_school(short: Sequence[Placed], last_tier: int) -> Repair | None:
    """Seats of a new school in grades that no school of the county has; none if every grade has one.

    No child of such a grade can be placed otherwise, and a seat places one child: as many as the tiers that the
    scenario places have are the fewest, and all the others without a place stay as they are.
    """
    steps = [
        Step(one.grade.grade, NONE, "new_school", seats, 0)
        for one in short
        if not len(one.grade.school) and (seats := int(one.unplaced[one.grade.tier <= last_tier].sum()))
    ]
    amount = int(sum(s.value for s in steps))
    before = sum(int(one.unplaced.sum()) for one in short)
    return Repair("new_school", tuple(steps), amount, amount, before - amount, 0) if steps else None


def lifted_limits(county: County, grades: Sequence[Grade], p: Any) -> dict[str, list[Any]]:
    """Limits of the scenario that can be lifted, each with its values from the nearest to no limit at all."""
    found: dict[str, list[Any]] = {}
    if p.candidates == "zone":
        found["candidates"] = ["distance"]
    else:
        for name, low, high in (("primary_cap_km", 1, 6), ("junior_cap_km", 7, 9)):
            cap = getattr(p, name)
            ways = [g.distance[g.children > 0] for g in grades if low <= g.grade <= high]
            # Whole 100 m, rounded up: a cap is announced, not computed.
            tenths = sorted({-(-int(d) // 10) for way in ways for d in np.unique(way).tolist() if d > round(100 * cap)})
            if tenths:
                found[name] = [n / _KM10 for n in tenths]
    n_schools = len(county.schools.ids)
    if p.nearest_kept < n_schools:
        found["nearest_kept"] = list(range(p.nearest_kept + 1, n_schools + 1))
    if not p.self_paid_places:
        found["self_paid_places"] = [True]
    tiers = sorted({int(t) for g in grades for t in g.tier.tolist() if t > p.last_tier})
    if tiers:
        found["last_tier"] = tiers
    return found


def _first(values: Sequence[Any], holds: Callable[[Any], bool]) -> Any:
    """The first value for which it holds; it holds for all after one for which it holds, and for the last."""
    low, high = 0, len(values) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(values[middle]) else (middle + 1, high)
    return values[low]


def _number(value: Any) -> float:
    """A limit's value as a number: 1 for yes; the distance caps instead of the zone count as 1."""
    return float(value == "distance") if isinstance(value, str) else float(value)


def repair_tables(county: County, utilitarian: Sequence[Placed], found: Sequence[Repair]) -> dict[str, pd.DataFrame]:
    """The repairs with a sentence each, and their steps."""
    before = sum(int(one.unplaced.sum()) for one in utilitarian)
    grade_of = {one.grade.grade: one.grade for one in utilitarian}
    grades = sorted(one.grade.grade for one in utilitarian if one.unplaced.any())
    rows, steps = [], []
    for repair in found:
        front = (county.code, county.year, repair.name)
        sentences = [_sentence(county, grade_of, repair, before, lang) for lang in LANGUAGES]
        told = (before, repair.unplaced_after, repair.seats_besides, repair.bound)
        listed = ";".join(str(g) for g in grades)
        rows.append((*front, repair.amount, _UNITS[repair.name], listed, *told, *sentences))
        for s in repair.steps:
            if s.section < 0:
                kind, rule = (KINDS[PUBLIC], "") if s.grade else ("", s.rule)
                steps.append((*front, s.grade, "", kind, rule, s.value, s.before))
                continue
            grade = grade_of[s.grade]
            school, kind = county.schools.ids[grade.school[s.section]], KINDS[grade.kind[s.section]]
            steps.append((*front, s.grade, school, kind, "", s.value, s.before))
    texts = ("county_code", "repair", "unit", "grades", "school_id", "kind", "rule", *LANGUAGES)
    tables = {
        "placement_repairs": pd.DataFrame(rows, columns=list(REPAIR_COLUMNS)),
        "placement_repair_steps": pd.DataFrame(steps, columns=list(STEP_COLUMNS)),
    }
    return {
        name: t.astype(
            {c: "str" if c in texts else "float64" if c in ("value", "before") else "int64" for c in t.columns}
        )
        for name, t in tables.items()
    }


def _sentence(county: County, grade_of: dict[int, Grade], repair: Repair, before: int, lang: Language) -> str:
    """What the repair is and what it leaves, in one sentence."""
    said = []
    for s in repair.steps[:_NAMED]:
        if s.grade and s.section < 0:
            said.append(text("placement.repair.step.new_school", lang, grade=s.grade, n=int(s.value)))
        elif s.section < 0:
            said.append(text(f"placement.repair.rule.{s.rule}", lang, value=f"{s.value:g}", before=f"{s.before:g}"))
        else:
            school = county.schools.labels[lang][grade_of[s.grade].school[s.section]]
            key = f"placement.repair.step.{s.rule}"
            said.append(text(key, lang, school=school, grade=s.grade, n=int(s.value)))
    if len(repair.steps) > _NAMED:
        said.append(text("placement.repair.more", lang, n=len(repair.steps) - _NAMED))
    values: dict[str, Any] = {"before": before, "after": repair.unplaced_after, "amount": repair.amount}
    values |= {"steps": text("placement.repair.join", lang).join(said), "besides": repair.seats_besides}
    mark = text("placement.why.mark", lang) if county.schools.synthetic else ""
    return text(f"placement.repair.{repair.name}", lang, **values) + mark
