"""The rules of seat expansion, one function each: purpose, inequality, indices, unit of the row, clause of the plan.

Indices: ``g`` grade 1-9, ``s`` stage (primary, junior), ``y`` school year. Variables (see ``seat_expansion.build``):

* ``classes[g,y]``; ``local[g,y]`` seated local children; ``covered[g,y]`` guaranteed migrant children in public seats,
  ``other[g,y]`` further ones; ``bought[g,y]`` guaranteed children in purchased private places, ``without[g,y]`` those
  without a place; ``in_public[y]`` = Σ_g (covered + other); ``purchased[s,y]`` = Σ_g bought;
* ``extension[s,y]`` and ``school_rooms[s,y]`` rooms opened in y, ``schools[s,y]`` schools opened in y, ``extends`` 0/1;
* ``converted[y]`` primary rooms used by junior classes up to y (0 unless the scenario allows it).

All rules are linear; a rule adds its rows to the model and is dropped in tests to show that it matters.
"""

# mypy: disable-error-code="untyped-decorator"
# (Pyomo's decorators carry no types.)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyomo.environ as pyo
from zjsim.models.seat_data import GRADES, STAGE_OF, STAGES, County

Rule = Callable[[Any, County], None]
RULES: dict[str, Rule] = {}
"""Every rule by name, in the order in which it is added."""


def rule(function: Rule) -> Rule:
    """Register a rule under its function's name."""
    RULES[function.__name__] = function
    return function


def rooms(m: Any, d: County, s: str, y: int) -> Any:
    """Classrooms of stage ``s`` usable in year ``y``: those that stand, those opened up to then, those converted."""
    opened = sum(m.extension[s, t] + m.school_rooms[s, t] for t in d.years if t <= y)
    return d.stages[s].classrooms + opened + (1 if s == "junior" else -1) * converted(m, d, y)


def converted(m: Any, d: County, y: int) -> Any:
    """Primary rooms that junior classes use in year ``y``; 0 before the plan and where none may be converted."""
    return m.converted[y] if d.switches.conversion_rooms_max and y >= d.years[0] else 0


def classes_of(m: Any, d: County, s: str, y: int) -> Any:
    """Classes of stage ``s`` in year ``y``; for the year before the plan, those that stand."""
    if y < d.years[0]:
        return sum(d.classes_now[g] for g in STAGES[s])
    return sum(m.classes[g, y] for g in STAGES[s])


def most_rooms(d: County, s: str, y: int) -> int:
    """Classrooms stage ``s`` can have in year ``y`` at most."""
    stage = d.stages[s]
    extension = stage.extension_rooms_max if y >= stage.extension_from else 0
    schools = stage.school_sites * stage.school_rooms_max if y >= stage.school_from else 0
    return stage.classrooms + extension + schools + (d.switches.conversion_rooms_max if s == "junior" else 0)


def most_bought(d: County, s: str, y: int) -> int:
    """Children of stage ``s`` that can sit in purchased places in year ``y`` at most."""
    children = sum(d.covered[g, y] for g in STAGES[s])
    return min(d.stages[s].purchase_places_max, d.private_places[s, y], children)


def payment_years(d: County, opened: int, count: int) -> range:
    """Years over which a building opened in ``opened`` is paid for in equal parts: ``count`` years, that one last."""
    return range(max(d.years[0], opened - count + 1), opened + 1)


def capital(m: Any, d: County, s: str, y: int) -> Any:
    """Building paid for in year ``y`` (10,000 yuan): equal parts over the years up to each opening."""
    stage, terms = d.stages[s], 0
    for t in d.years:
        for opened, cost, count in (
            (m.extension[s, t], stage.extension_cost, stage.extension_instalments),
            (m.school_rooms[s, t], stage.school_cost, stage.school_instalments),
        ):
            paid = payment_years(d, t, count)
            if y in paid:
                terms += opened * (cost / len(paid))
    return terms


def spending(m: Any, d: County, y: int) -> Any:
    """All money of year ``y`` (10,000 yuan): building, equipment, running costs of added classes, purchased places."""
    total = 0
    for s, stage in d.stages.items():
        total += capital(m, d, s, y) + m.opened[s, y] * stage.equip_cost + m.added[s, y] * stage.running_cost
        total += m.purchased[s, y] * stage.purchase_price
    return total + (converted(m, d, y) - converted(m, d, y - 1)) * d.switches.conversion_cost


@rule
def seats_of_grade(m: Any, d: County) -> None:
    """No class holds more than its usable seats (norm of class size, 45 / 50, times the capacity factor).

    local[g,y] + covered[g,y] + other[g,y] <= usable seats of a class × classes[g,y]; row: children. M110, M004.
    """

    @m.Constraint(GRADES, d.years)
    def seats_of_grade(m: Any, g: int, y: int) -> Any:
        seats = d.stages[STAGE_OF[g]].usable_seats_per_class * m.classes[g, y]
        return m.local[g, y] + m.covered[g, y] + m.other[g, y] <= seats


@rule
def one_place_per_child(m: Any, d: County) -> None:
    """A guaranteed child has one place, public or purchased, or is counted as without a place.

    covered[g,y] + bought[g,y] + without[g,y] = guaranteed children of the grade; row: children. M004, M110.
    """

    @m.Constraint(GRADES, d.years)
    def one_place_per_child(m: Any, g: int, y: int) -> Any:
        return m.covered[g, y] + m.bought[g, y] + m.without[g, y] == d.covered[g, y]


@rule
def classrooms(m: Any, d: County) -> None:
    """Every class of a stage needs a classroom that stands or has been opened.

    Σ_g classes[g,y] <= classrooms[s] + Σ_{t<=y} (extension[s,t] + school_rooms[s,t]); row: rooms. M110.
    """

    @m.Constraint(list(STAGES), d.years)
    def classrooms(m: Any, s: str, y: int) -> Any:
        return classes_of(m, d, s, y) <= rooms(m, d, s, y)


@rule
def staff_norm(m: Any, d: County) -> None:
    """Every class has its staff by the norm (1:19, 1:13.5), and staff can grow only so fast.

    Σ_g classes[g,y] <= staff available in y ÷ staff of a class; row: classes. M110.
    """

    @m.Constraint(list(STAGES), d.years)
    def staff_norm(m: Any, s: str, y: int) -> Any:
        return classes_of(m, d, s, y) <= d.stages[s].staffed_classes[y]


@rule
def extension_size(m: Any, d: County) -> None:
    """An extension has a smallest size, is ready only after its lead time, and sites have a limit.

    minimum × extends[s,y] <= extension[s,y] <= maximum × extends[s,y]; Σ_y extension[s,y] <= maximum; 0 before the lead
    time is over; row: rooms. M110.
    """

    @m.Constraint(list(STAGES), d.years)
    def extension_at_least(m: Any, s: str, y: int) -> Any:
        return m.extension[s, y] >= d.stages[s].extension_rooms_min * m.extends[s, y]

    @m.Constraint(list(STAGES), d.years)
    def extension_at_most(m: Any, s: str, y: int) -> Any:
        ready = y >= d.stages[s].extension_from
        return m.extension[s, y] <= (d.stages[s].extension_rooms_max if ready else 0) * m.extends[s, y]

    @m.Constraint(list(STAGES))
    def extension_in_all(m: Any, s: str) -> Any:
        return sum(m.extension[s, y] for y in d.years) <= d.stages[s].extension_rooms_max


@rule
def school_size(m: Any, d: County) -> None:
    """A new school has a smallest and a largest size, is ready only after its lead time, and needs a site.

    minimum × schools[s,y] <= school_rooms[s,y] <= maximum × schools[s,y]; Σ_y schools[s,y] <= sites; 0 before the lead
    time is over; row: rooms, schools. M110.
    """

    @m.Constraint(list(STAGES), d.years)
    def school_at_least(m: Any, s: str, y: int) -> Any:
        return m.school_rooms[s, y] >= d.stages[s].school_rooms_min * m.schools[s, y]

    @m.Constraint(list(STAGES), d.years)
    def school_at_most(m: Any, s: str, y: int) -> Any:
        return m.school_rooms[s, y] <= d.stages[s].school_rooms_max * m.schools[s, y]

    @m.Constraint(list(STAGES))
    def school_sites(m: Any, s: str) -> Any:
        return sum(m.schools[s, y] for y in d.years) <= d.stages[s].school_sites

    @m.Constraint(list(STAGES), d.years)
    def school_lead_time(m: Any, s: str, y: int) -> Any:
        return pyo.Constraint.Skip if y >= d.stages[s].school_from else m.schools[s, y] <= 0


@rule
def purchase_cap(m: Any, d: County) -> None:
    """Only so many private places can be purchased, and never more than migrant children use today.

    Σ_g bought[g,y] = purchased[s,y] <= min(purchasable places[s], private places[s,y]); row: children. M112.
    """

    @m.Constraint(list(STAGES), d.years)
    def purchase_cap(m: Any, s: str, y: int) -> Any:
        return m.purchased[s, y] <= most_bought(d, s, y)


@rule
def no_empty_seat(m: Any, d: County) -> None:
    """No usable public seat of a grade stays empty while a guaranteed child of that grade sits in a purchased place.

    bought[g,y] <= most × full[g,y]; seats − children in them <= most seats × (1 − full[g,y]); row: children. M112.
    """

    @m.Constraint(GRADES, d.years)
    def bought_only_if_full(m: Any, g: int, y: int) -> Any:
        most = min(d.covered[g, y], most_bought(d, STAGE_OF[g], y))
        return m.bought[g, y] <= most * m.full[g, y]

    @m.Constraint(GRADES, d.years)
    def full_means_full(m: Any, g: int, y: int) -> Any:
        usable = d.stages[STAGE_OF[g]].usable_seats_per_class
        empty = usable * m.classes[g, y] - m.local[g, y] - m.covered[g, y] - m.other[g, y]
        return empty <= usable * d.most_classes(g, y) * (1 - m.full[g, y])


@rule
def share_not_falling(m: Any, d: County) -> None:
    """The public share of migrant children does not fall below the year before (first year: the observed share).

    share[y] = counted[y] ÷ migrants[y] (counted: public, or public plus purchased); fall[y] >= migrants[y] × share[y−1]
    − counted[y]; a share is never above 1 because nobody is counted twice; row: children. M112.
    """

    @m.Constraint(d.years)
    def share_not_falling(m: Any, y: int) -> Any:
        here = d.migrants_of_year[y]
        before = d.migrants_of_year.get(y - 1, 0)
        if not here:
            return pyo.Constraint.Skip
        if y == d.years[0]:
            return m.fall[y] >= here * d.base_public_share - m.counted[y]
        if not before:
            return pyo.Constraint.Skip
        return m.fall[y] >= (here / before) * m.counted[y - 1] - m.counted[y]


@rule
def budget_of_year(m: Any, d: County) -> None:
    """Spending beyond a year's budget is an overrun.

    overrun[y] >= building + equipment + running costs of added classes + purchases − budget[y]; row: 10,000 yuan.
    """

    @m.Constraint(d.years)
    def budget_of_year(m: Any, y: int) -> Any:
        return m.overrun[y] >= spending(m, d, y) - d.budget[y]


@rule
def opened_classes(m: Any, d: County) -> None:
    """Classes of a stage beyond those of the year before have to be equipped.

    opened[s,y] >= Σ_g classes[g,y] − Σ_g classes[g,y−1]; row: classes.
    """

    @m.Constraint(list(STAGES), d.years)
    def opened_classes(m: Any, s: str, y: int) -> Any:
        return m.opened[s, y] >= classes_of(m, d, s, y) - classes_of(m, d, s, y - 1)


@rule
def added_classes(m: Any, d: County) -> None:
    """Classes of a stage beyond those of today have running costs of their own.

    added[s,y] >= Σ_g classes[g,y] − classes today; row: classes.
    """

    @m.Constraint(list(STAGES), d.years)
    def added_classes(m: Any, s: str, y: int) -> Any:
        return m.added[s, y] >= classes_of(m, d, s, y) - d.stages[s].base_classes


@rule
def bought_with_idle_rooms(m: Any, d: County) -> None:
    """Purchased children of a stage count as avoidable while a classroom with staff stands idle.

    avoidable[s,y] >= purchased[s,y] − most × (1 − idle[s,y]), where idle may be 0 only if the classes use all rooms or
    all staff; row: children. M112.
    """

    @m.Constraint(list(STAGES), d.years)
    def avoidable_purchase(m: Any, s: str, y: int) -> Any:
        return m.avoidable[s, y] >= m.purchased[s, y] - most_bought(d, s, y) * (1 - m.idle[s, y])

    @m.Constraint(list(STAGES), d.years)
    def all_rooms_used(m: Any, s: str, y: int) -> Any:
        most = most_rooms(d, s, y)
        return rooms(m, d, s, y) - classes_of(m, d, s, y) <= most * (m.idle[s, y] + m.by_staff[s, y])

    @m.Constraint(list(STAGES), d.years)
    def all_staff_used(m: Any, s: str, y: int) -> Any:
        staffed = d.stages[s].staffed_classes[y]
        return staffed - classes_of(m, d, s, y) <= staffed * (m.idle[s, y] + 1 - m.by_staff[s, y])


@rule
def class_changes(m: Any, d: County) -> None:
    """Classes of a cohort that are split or merged as it moves up.

    changes[g,y] >= | classes[g,y] − classes[g−1,y−1] | for grades 2-6 and 8-9; row: classes.
    """

    def before(m: Any, g: int, y: int) -> Any:
        return d.classes_now[g - 1] if y == d.years[0] else m.classes[g - 1, y - 1]

    @m.Constraint(m.MOVING, d.years)
    def classes_split(m: Any, g: int, y: int) -> Any:
        return m.changes[g, y] >= m.classes[g, y] - before(m, g, y)

    @m.Constraint(m.MOVING, d.years)
    def classes_merged(m: Any, g: int, y: int) -> Any:
        return m.changes[g, y] >= before(m, g, y) - m.classes[g, y]


@rule
def converted_rooms(m: Any, d: County) -> None:
    """Primary rooms turned into junior ones stay so, within what the norms of nine-year schools allow.

    converted[y−1] <= converted[y] <= most; a converted room no longer serves primary classes; row: rooms. M110.
    """

    @m.Constraint(d.years)
    def converted_rooms(m: Any, y: int) -> Any:
        if not d.switches.conversion_rooms_max or y == d.years[0]:
            return pyo.Constraint.Skip
        return m.converted[y] >= m.converted[y - 1]


@rule
def permit_public_seat(m: Any, d: County) -> None:
    """Every child of a family with a permit has a public seat (commitment of 2025; a switch).

    permit_short[g,y] >= permit holders − covered[g,y] − other[g,y]; row: children. M112, M108.
    """

    @m.Constraint(GRADES, d.years)
    def permit_public_seat(m: Any, g: int, y: int) -> Any:
        if not d.switches.permit_guarantee_from or y < d.switches.permit_guarantee_from:
            return pyo.Constraint.Skip
        return m.permit_short[g, y] >= d.permit.get((g, y), 0) - m.covered[g, y] - m.other[g, y]


@rule
def indicator_share(m: Any, d: County) -> None:
    """Public and purchased places together reach the share of the quality indicator (85 %; a switch).

    indicator_short[y] >= share × migrants[y] − in_public[y] − Σ_s purchased[s,y]; row: children. M112.
    """

    @m.Constraint(d.years)
    def indicator_share(m: Any, y: int) -> Any:
        if not d.switches.indicator_share or not d.migrants_of_year[y]:
            return pyo.Constraint.Skip
        reached = m.in_public[y] + sum(m.purchased[s, y] for s in STAGES)
        return m.indicator_short[y] >= d.switches.indicator_share * d.migrants_of_year[y] - reached


@rule
def private_share_cap(m: Any, d: County) -> None:
    """Private schools hold at most a share of all pupils (5 %; a switch); all local children are in public schools.

    private_over[y] >= migrants[y] − in_public[y] − Σ_g without[g,y] − cap × all children of y; row: children. M112.
    """

    @m.Constraint(d.years)
    def private_share_cap(m: Any, y: int) -> Any:
        if d.switches.private_share_cap >= 1:
            return pyo.Constraint.Skip
        pupils = d.migrants_of_year[y] + sum(d.local[g, y] for g in GRADES)
        private = d.migrants_of_year[y] - m.in_public[y] - sum(m.without[g, y] for g in GRADES)
        return m.private_over[y] >= private - d.switches.private_share_cap * pupils
