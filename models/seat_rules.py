"""Rules of seat expansion on children, public share, money and classes, and :data:`RULES`, all rules together.

Variables are those of :mod:`zjsim.models.seat_terms`.
"""

# mypy: disable-error-code="untyped-decorator"
# (Pyomo's decorators carry no types.)

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from zjsim.models import seat_building_rules, seat_switch_rules
from zjsim.models.seat_data import GRADES, STAGE_OF, STAGES, County
from zjsim.models.seat_terms import (
    REGISTERED,
    Rule,
    budget,
    classes_of,
    most_bought,
    most_rooms,
    most_staffed,
    purchasable,
    rooms,
    rule,
    spending,
    staffed,
)


@rule
def seats_of_grade(m: Any, d: County) -> None:
    """No class holds more than its usable seats (norm of class size, 45 / 50, times the capacity factor).

    local[g,y] + covered[g,y] + other[g,y] <= usable seats of a class × classes[g,y]; row: children. M110, M004.
    """

    @m.Constraint(GRADES, d.years)
    def seats_of_grade(m: Any, g: int, y: int) -> Any:
        """Children of grade g in public seats in y <= usable seats × classes[g,y]; children. M110, M004."""
        seats = d.stages[STAGE_OF[g]].usable_seats_per_class * m.classes[g, y]
        return m.local[g, y] + m.covered[g, y] + m.other[g, y] <= seats


@rule
def one_place_per_child(m: Any, d: County) -> None:
    """A guaranteed child has one place, public or purchased, or is counted as without a place.

    covered[g,y] + bought[g,y] + without[g,y] = guaranteed children of the grade; row: children. M004, M110.
    """

    @m.Constraint(GRADES, d.years)
    def one_place_per_child(m: Any, g: int, y: int) -> Any:
        """covered[g,y] + bought[g,y] + without[g,y] = guaranteed children of g in y; children. M004, M110."""
        return m.covered[g, y] + m.bought[g, y] + m.without[g, y] == d.covered[g, y]


@rule
def purchase_cap(m: Any, d: County) -> None:
    """Only so many private places can be purchased, and never more than migrant children use today.

    Σ_g bought[g,y] = purchased[s,y] <= min(purchasable places[s], private places[s,y]); row: children. M112.
    """

    @m.Constraint(list(STAGES), d.years)
    def purchase_cap(m: Any, s: str, y: int) -> Any:
        """purchased[s,y] <= min(purchasable places[s], private places[s,y], guaranteed children); children. M112."""
        return m.purchased[s, y] <= purchasable(m, d, s, y)


@rule
def no_empty_seat(m: Any, d: County) -> None:
    """No usable public seat of a grade stays empty while a guaranteed child of that grade sits in a purchased place.

    bought[g,y] <= most × full[g,y]; seats − children in them <= most seats × (1 − full[g,y]); row: children. M112.
    """

    @m.Constraint(GRADES, d.years)
    def bought_only_if_full(m: Any, g: int, y: int) -> Any:
        """bought[g,y] <= most × full[g,y]: places are purchased only where the grade is full; children. M112."""
        most = min(d.covered[g, y], most_bought(d, STAGE_OF[g], y))
        return m.bought[g, y] <= most * m.full[g, y]

    @m.Constraint(GRADES, d.years)
    def full_means_full(m: Any, g: int, y: int) -> Any:
        """Empty seats of g in y <= most seats × (1 − full[g,y]): full means that none is empty; children. M112."""
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
        """fall[y] >= migrants[y] × public share of the year before − counted[y]; children. M112."""
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
        """overrun[y] >= spending of y − budget[y]; 10,000 yuan. M110, M112."""
        return m.overrun[y] >= spending(m, d, y) - budget(m, d, y)


@rule
def opened_classes(m: Any, d: County) -> None:
    """Classes of a stage beyond those of the year before have to be equipped.

    opened[s,y] >= Σ_g classes[g,y] − Σ_g classes[g,y−1]; row: classes.
    """

    @m.Constraint(list(STAGES), d.years)
    def opened_classes(m: Any, s: str, y: int) -> Any:
        """opened[s,y] >= Σ_g classes[g,y] − Σ_g classes[g,y−1]; classes. M110."""
        return m.opened[s, y] >= classes_of(m, d, s, y) - classes_of(m, d, s, y - 1)


@rule
def added_classes(m: Any, d: County) -> None:
    """Classes of a stage beyond those of today have running costs of their own.

    added[s,y] >= Σ_g classes[g,y] − classes today; row: classes.
    """

    @m.Constraint(list(STAGES), d.years)
    def added_classes(m: Any, s: str, y: int) -> Any:
        """added[s,y] >= Σ_g classes[g,y] − classes of today; classes. M110."""
        return m.added[s, y] >= classes_of(m, d, s, y) - d.stages[s].base_classes


@rule
def bought_with_idle_rooms(m: Any, d: County) -> None:
    """Purchased children of a stage count as avoidable while a classroom with staff stands idle.

    avoidable[s,y] >= purchased[s,y] − most × (1 − idle[s,y]), where idle may be 0 only if the classes use all rooms or
    all staff; row: children. M112.
    """

    @m.Constraint(list(STAGES), d.years)
    def avoidable_purchase(m: Any, s: str, y: int) -> Any:
        """avoidable[s,y] >= purchased[s,y] − most × (1 − idle[s,y]); children. M112."""
        return m.avoidable[s, y] >= m.purchased[s, y] - most_bought(d, s, y) * (1 - m.idle[s, y])

    @m.Constraint(list(STAGES), d.years)
    def all_rooms_used(m: Any, s: str, y: int) -> Any:
        """rooms[s,y] − Σ_g classes[g,y] <= most × (idle[s,y] + by_staff[s,y]); rooms. M112."""
        most = most_rooms(d, s, y)
        return rooms(m, d, s, y) - classes_of(m, d, s, y) <= most * (m.idle[s, y] + m.by_staff[s, y])

    @m.Constraint(list(STAGES), d.years)
    def all_staff_used(m: Any, s: str, y: int) -> Any:
        """staffed classes[s,y] − Σ_g classes[g,y] <= most × (idle[s,y] + 1 − by_staff[s,y]); classes. M112."""
        spare = staffed(m, d, s, y) - classes_of(m, d, s, y)
        return spare <= most_staffed(d, s, y) * (m.idle[s, y] + 1 - m.by_staff[s, y])


@rule
def class_changes(m: Any, d: County) -> None:
    """Classes of a cohort that are split or merged as it moves up.

    changes[g,y] >= | classes[g,y] − classes[g−1,y−1] | for grades 2-6 and 8-9; row: classes.
    """

    def before(m: Any, g: int, y: int) -> Any:
        """Classes of the same cohort a year earlier (today's before the first year)."""
        return d.classes_now[g - 1] if y == d.years[0] else m.classes[g - 1, y - 1]

    @m.Constraint(m.MOVING, d.years)
    def classes_split(m: Any, g: int, y: int) -> Any:
        """changes[g,y] >= classes[g,y] − classes[g−1,y−1]; classes. M110."""
        return m.changes[g, y] >= m.classes[g, y] - before(m, g, y)

    @m.Constraint(m.MOVING, d.years)
    def classes_merged(m: Any, g: int, y: int) -> Any:
        """changes[g,y] >= classes[g−1,y−1] − classes[g,y]; classes. M110."""
        return m.changes[g, y] >= before(m, g, y) - m.classes[g, y]


_PARTS = (seat_building_rules.__name__, seat_switch_rules.__name__, __name__)
RULES: dict[str, Rule] = {
    name: function for part in _PARTS for name, function in REGISTERED.items() if function.__module__ == part
}
"""Every rule by name, in the order in which it is added."""
