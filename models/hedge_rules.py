"""The rules of seat expansion under uncertainty, one function each: purpose, inequality, indices, unit, clause.

Indices: ``k`` scenario (leaf of the tree), ``s`` stage (0 primary, 1 junior), ``y`` school year counted from 0, ``j``
yearly review (0 = today). Variables:

* ``extension[k,s,y]``, ``school_rooms[k,s,y]`` rooms opened, ``schools[k,s,y]`` schools opened, ``extends`` 0/1;
* ``classes[k,s,y]``; ``short[k,s,y]`` children with a claim who have no public seat, of them ``local_short`` local
  ones, ``bought`` in purchased private places, ``without`` with no place; ``other`` further migrant children seated;
* ``added`` classes beyond today's, ``opened`` classes beyond those of the year before;
* ``given_up``, ``full_given_up``, ``spare``: which classes are missing, in the order of :func:`no_empty_seat`;
* ``fall[k,y]`` children by which the public share falls, ``overrun[k,y]`` money beyond the budget;
* ``value_at_risk`` and ``excess[k]`` of the tail.

Recourse is complete: purchases end at their cap, then shortfall is penalised, so that every choice of openings can be
paid for. A rule adds its rows and is dropped in tests to show that it matters.
"""

# mypy: disable-error-code="untyped-decorator"
# (Pyomo's decorators carry no types.)

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyomo.environ as pyo
from zjsim.models.hedge_data import GIVEN_UP, PIECES, Case

Rule = Callable[[Any, Case], None]
RULES: dict[str, Rule] = {}
"""Every rule by name, in the order in which it is added."""
TOGETHER = (("extension", "extension"), ("school_rooms", "school"), ("schools", "school"))
"""Variables of openings, and the kind of building whose lead time says at which review they are decided."""
YEARLY = ("classes", "other", "bought")
"""Variables decided when a school year's enrolment is known."""


def rule(function: Rule) -> Rule:
    """Register a rule under its function's name."""
    RULES[function.__name__] = function
    return function


def built(m: Any, k: int, s: int, y: int) -> Any:
    """Rooms opened up to year ``y``."""
    return sum(m.extension[k, s, t] + m.school_rooms[k, s, t] for t in range(y + 1))


def in_public(m: Any, c: Case, k: int, y: int) -> Any:
    """Migrant children that the public share counts."""
    seated = sum(float(c.covered[k, s, y]) - m.bought[k, s, y] - m.without[k, s, y] + m.other[k, s, y] for s in (0, 1))
    return seated + (sum(m.bought[k, s, y] for s in (0, 1)) if c.purchased_counts else 0)


def spending(m: Any, c: Case, k: int, y: int) -> Any:
    """Money of year ``y`` (10,000 yuan): building in instalments, equipment, added classes, purchased places."""
    a, total = c.area, 0
    for s in (0, 1):
        for kind, rooms, cost in (
            ("extension", m.extension, a.extension_cost[s]),
            ("school", m.school_rooms, a.school_cost[s]),
        ):
            shares = a.payments(kind, s)[:, y]
            total += sum(rooms[k, s, t] * float(cost * shares[t]) for t in range(len(a.years)) if shares[t])
        total += m.opened[k, s, y] * float(a.equip_cost[s]) + m.added[k, s, y] * float(a.running_cost[s])
        total += m.bought[k, s, y] * float(a.price[s])
    return total


def missing_cost(m: Any, c: Case, k: int) -> Any:
    """Price of all that is missing in scenario ``k`` (10,000 yuan)."""
    p, n = c.penalties, range(len(c.area.years))
    children = sum(p.local * m.local_short[k, s, y] + p.covered * m.without[k, s, y] for s in (0, 1) for y in n)
    return children + sum(p.fall * m.fall[k, y] + p.overrun * m.overrun[k, y] for y in n)


def cost_of(m: Any, c: Case, k: int) -> Any:
    """Money spent and price of what is missing in scenario ``k``."""
    return sum(spending(m, c, k, y) for y in range(len(c.area.years))) + missing_cost(m, c, k)


@rule
def seats_missing(m: Any, c: Case) -> None:
    """Children with a claim have no public seat where classes are missing; those with the fewest children go first.

    short[k,s,y] >= start[p] − slope[p] × classes[k,s,y] for every piece p of the loss; row: children. M004, M110.
    """
    slope, start = c.pieces

    @m.Constraint(m.CELLS, range(PIECES))
    def seats_missing(m: Any, k: int, s: int, y: int, p: int) -> Any:
        """short[k,s,y] + slope[p] × classes[k,s,y] >= start[p]: piece p of the loss; children. M004, M110."""
        return m.short[k, s, y] + float(slope[k, s, y, p]) * m.classes[k, s, y] >= float(start[k, s, y, p])


@rule
def places_add_up(m: Any, c: Case) -> None:
    """Who has no public seat is a local child without a seat, or has a purchased place, or is without a place.

    local_short[k,s,y] + bought[k,s,y] + without[k,s,y] = short[k,s,y]; row: children. M004, M110.
    """

    @m.Constraint(m.CELLS)
    def places_add_up(m: Any, k: int, s: int, y: int) -> Any:
        """local_short[k,s,y] + bought[k,s,y] + without[k,s,y] = short[k,s,y]; children. M004, M110."""
        return m.local_short[k, s, y] + m.bought[k, s, y] + m.without[k, s, y] == m.short[k, s, y]


@rule
def local_first(m: Any, c: Case) -> None:
    """Local children keep their seats as long as guaranteed migrant children sit in public ones.

    local_short[k,s,y] >= short[k,s,y] − guaranteed children of the stage; row: children. M004.
    """

    @m.Constraint(m.CELLS)
    def local_first(m: Any, k: int, s: int, y: int) -> Any:
        """local_short[k,s,y] >= short[k,s,y] − guaranteed children[k,s,y]; children. M004."""
        return m.local_short[k, s, y] >= m.short[k, s, y] - float(c.covered[k, s, y])


@rule
def no_empty_seat(m: Any, c: Case) -> None:
    """No usable seat stays empty while a child of its grade with a claim is in a purchased place or has none.

    short[k,s,y] <= Σ_j last[j] × given_up[k,s,y,j] + seats × full_given_up[k,s,y], where last[j] are the children of
    the grades' last classes, fewest first, and classes[k,s,y] + Σ_j given_up[j] + full_given_up − spare = classes for
    all with a claim; given_up[j] >= given_up[j+1]; full_given_up <= classes × given_up[last]; spare <= classes × (1 −
    given_up[first]). Written for the cells ``m.CLOSED``: a plan that keeps the rule elsewhere without it needs no rows
    there; row: children. M112.
    """
    pieces = range(GIVEN_UP)
    m.given_up = pyo.Var(m.CLOSED, pieces, domain=pyo.Binary)
    m.full_given_up = pyo.Var(m.CLOSED, domain=pyo.NonNegativeReals)
    m.spare = pyo.Var(m.CLOSED, domain=pyo.NonNegativeReals)

    @m.Constraint(m.CLOSED)
    def classes_given_up(m: Any, k: int, s: int, y: int) -> Any:
        """classes[k,s,y] + classes given up − spare[k,s,y] = classes for all with a claim; classes. M112."""
        gone = sum(m.given_up[k, s, y, j] for j in pieces) + m.full_given_up[k, s, y]
        return m.classes[k, s, y] + gone - m.spare[k, s, y] == float(c.needed_first[k, s, y])

    @m.Constraint(m.CLOSED)
    def no_empty_seat(m: Any, k: int, s: int, y: int) -> Any:
        """short[k,s,y] <= children of the classes given up; children. M112."""
        lost = sum(float(c.last_classes[k, s, y, j]) * m.given_up[k, s, y, j] for j in pieces)
        return m.short[k, s, y] <= lost + float(c.area.seats[s]) * m.full_given_up[k, s, y]

    @m.Constraint(m.CLOSED, range(1, GIVEN_UP))
    def fewest_first(m: Any, k: int, s: int, y: int, j: int) -> Any:
        """given_up[k,s,y,j] <= given_up[k,s,y,j−1]: the class with the fewest children first; classes. M112."""
        return m.given_up[k, s, y, j] <= m.given_up[k, s, y, j - 1]

    @m.Constraint(m.CLOSED)
    def full_ones_last(m: Any, k: int, s: int, y: int) -> Any:
        """full_given_up[k,s,y] <= classes × given_up[k,s,y,last]: full classes only after all others; classes. M112."""
        return m.full_given_up[k, s, y] <= float(c.needed_first[k, s, y]) * m.given_up[k, s, y, GIVEN_UP - 1]

    @m.Constraint(m.CLOSED)
    def spare_or_given_up(m: Any, k: int, s: int, y: int) -> Any:
        """spare[k,s,y] <= most classes × (1 − given_up[k,s,y,first]): none spare beside one given up; classes. M112."""
        return m.spare[k, s, y] <= float(c.most_classes[k, s, y]) * (1 - m.given_up[k, s, y, 0])


@rule
def empty_seats(m: Any, c: Case) -> None:
    """Further migrant children sit in the seats that children with a claim leave empty, each in its own grade.

    other[k,s,y] <= seats × classes[k,s,y] − (children with a claim − short[k,s,y]); other[k,s,y] <= room[p] + slope[p]
    × (classes[k,s,y] − needed + short[k,s,y] ÷ fewest children of a last class) for every piece p, as more classes are
    of single grades too; where classes are missing (``m.CLOSED``) exactly: other[k,s,y] <= room[p] + slope[p] × spare −
    Σ_j further children in the last classes given up; row: children. M112.
    """
    slope, room = c.further

    @m.Constraint(m.CELLS)
    def empty_seats(m: Any, k: int, s: int, y: int) -> Any:
        """other[k,s,y] <= seats × classes[k,s,y] − children with a claim + short[k,s,y]; children. M112."""
        seats = float(c.area.seats[s]) * m.classes[k, s, y]
        return m.other[k, s, y] <= seats - float(c.first[k, s, y]) + m.short[k, s, y]

    @m.Constraint(m.CELLS, range(PIECES))
    def further_classes(m: Any, k: int, s: int, y: int, p: int) -> Any:
        """other[k,s,y] <= room[p] + slope[p] × classes beyond those needed: piece p; children. M112."""
        if not c.mixed[k, s, y]:
            return pyo.Constraint.Skip
        beyond = m.classes[k, s, y] - float(c.needed_first[k, s, y]) + float(c.per_short[k, s, y]) * m.short[k, s, y]
        return m.other[k, s, y] <= float(room[k, s, y, p]) + float(slope[k, s, y, p]) * beyond

    @m.Constraint(m.CLOSED, range(PIECES))
    def further_where_missing(m: Any, k: int, s: int, y: int, p: int) -> Any:
        """other[k,s,y] <= room[p] + slope[p] × spare − further children of classes given up; children. M112."""
        lost = sum(float(c.last_further[k, s, y, j]) * m.given_up[k, s, y, j] for j in range(GIVEN_UP))
        return m.other[k, s, y] <= float(room[k, s, y, p]) + float(slope[k, s, y, p]) * m.spare[k, s, y] - lost


@rule
def classrooms(m: Any, c: Case) -> None:
    """Every class needs a classroom that stands or has been opened.

    classes[k,s,y] <= classrooms[s] + Σ_{t<=y} (extension[k,s,t] + school_rooms[k,s,t]); row: rooms. M110.
    """

    @m.Constraint(m.CELLS)
    def classrooms(m: Any, k: int, s: int, y: int) -> Any:
        """classes[k,s,y] <= classrooms[s] + rooms opened up to y; rooms. M110."""
        return m.classes[k, s, y] <= float(c.area.rooms[s]) + built(m, k, s, y)


@rule
def extension_size(m: Any, c: Case) -> None:
    """An extension has a smallest size, and sites have a limit.

    minimum × extends[k,s,y] <= extension[k,s,y] <= maximum × extends[k,s,y]; Σ_y extension[k,s,y] <= maximum; row:
    rooms. M110.
    """

    @m.Constraint(m.CELLS)
    def extension_at_least(m: Any, k: int, s: int, y: int) -> Any:
        """extension[k,s,y] >= smallest extension × extends[k,s,y]; rooms. M110."""
        return m.extension[k, s, y] >= float(c.area.extension_min[s]) * m.extends[k, s, y]

    @m.Constraint(m.CELLS)
    def extension_at_most(m: Any, k: int, s: int, y: int) -> Any:
        """extension[k,s,y] <= limit × extends[k,s,y]; rooms. M110."""
        return m.extension[k, s, y] <= float(c.area.extension_max[s]) * m.extends[k, s, y]

    @m.Constraint(m.LEAVES, (0, 1))
    def extension_in_all(m: Any, k: int, s: int) -> Any:
        """Σ_y extension[k,s,y] <= limit of the stage; rooms. M110."""
        return sum(m.extension[k, s, y] for y in m.YEARS) <= float(c.area.extension_max[s])


@rule
def school_size(m: Any, c: Case) -> None:
    """A new school has a smallest and a largest size, and needs a site.

    minimum × schools[k,s,y] <= school_rooms[k,s,y] <= maximum × schools[k,s,y]; Σ_y schools[k,s,y] <= sites; row:
    rooms, schools. M110.
    """

    @m.Constraint(m.CELLS)
    def school_at_least(m: Any, k: int, s: int, y: int) -> Any:
        """school_rooms[k,s,y] >= smallest school × schools[k,s,y]; rooms. M110."""
        return m.school_rooms[k, s, y] >= float(c.area.school_min[s]) * m.schools[k, s, y]

    @m.Constraint(m.CELLS)
    def school_at_most(m: Any, k: int, s: int, y: int) -> Any:
        """school_rooms[k,s,y] <= largest school × schools[k,s,y]; rooms. M110."""
        return m.school_rooms[k, s, y] <= float(c.area.school_max[s]) * m.schools[k, s, y]

    @m.Constraint(m.LEAVES, (0, 1))
    def school_sites(m: Any, k: int, s: int) -> Any:
        """Σ_y schools[k,s,y] <= sites of the stage; schools. M110."""
        return sum(m.schools[k, s, y] for y in m.YEARS) <= float(c.area.sites[s])


@rule
def opened_classes(m: Any, c: Case) -> None:
    """Classes beyond those of the year before have to be equipped.

    opened[k,s,y] >= classes[k,s,y] − classes[k,s,y−1] (first year: those of today); row: classes.
    """

    @m.Constraint(m.CELLS)
    def opened_classes(m: Any, k: int, s: int, y: int) -> Any:
        """opened[k,s,y] >= classes[k,s,y] − classes[k,s,y−1]; classes. M110."""
        before = m.classes[k, s, y - 1] if y else float(c.area.base_classes[s])
        return m.opened[k, s, y] >= m.classes[k, s, y] - before


@rule
def added_classes(m: Any, c: Case) -> None:
    """Classes beyond those of today have running costs of their own.

    added[k,s,y] >= classes[k,s,y] − classes today; row: classes.
    """

    @m.Constraint(m.CELLS)
    def added_classes(m: Any, k: int, s: int, y: int) -> Any:
        """added[k,s,y] >= classes[k,s,y] − classes of today; classes. M110."""
        return m.added[k, s, y] >= m.classes[k, s, y] - float(c.area.base_classes[s])


@rule
def share_not_falling(m: Any, c: Case) -> None:
    """The public share of migrant children does not fall below the year before (first year: the observed share).

    fall[k,y] >= migrants[k,y] × share[k,y−1] − counted[k,y] (counted: public, or public plus purchased); row: children.
    M112.
    """

    @m.Constraint(m.LEAVES, m.YEARS)
    def share_not_falling(m: Any, k: int, y: int) -> Any:
        """fall[k,y] + counted[k,y] >= migrants[k,y] × share of the year before; children. M112."""
        here = float(c.migrants[k, y])
        if y == 0:
            return m.fall[k, y] + in_public(m, c, k, y) >= here * c.area.base_share
        before = float(c.migrants[k, y - 1])
        ratio = here / before if before else 0.0
        return m.fall[k, y] + in_public(m, c, k, y) - ratio * in_public(m, c, k, y - 1) >= 0


@rule
def budget_of_year(m: Any, c: Case) -> None:
    """Spending beyond a year's budget is an overrun.

    overrun[k,y] >= building + equipment + added classes + purchases − budget[y]; row: 10,000 yuan.
    """

    @m.Constraint(m.LEAVES, m.YEARS)
    def budget_of_year(m: Any, k: int, y: int) -> Any:
        """overrun[k,y] >= spending[k,y] − budget[y]; 10,000 yuan. M110, M112."""
        return m.overrun[k, y] >= spending(m, c, k, y) - float(c.area.budget[y])


@rule
def nonanticipativity(m: Any, c: Case) -> None:
    """Scenarios that cannot be told apart when something is decided share the decision.

    Openings: x[k,s,y] = x[first scenario of k's node at the review before which they must begin, s, y] (today for those
    whose lead time starts before the next review); classes, purchases and further children of a school year: the node
    at which its enrolment is known; row: rooms, schools, classes, children. M110.
    """
    together = m.together = pyo.ConstraintList()
    n = len(c.area.years)
    for name, kind in (*TOGETHER, *((name, "") for name in YEARLY)):
        x = getattr(m, name)
        for s in (0, 1):
            for y in range(n):
                first = c.tree.first_of_node(c.area.review(kind, s, y) if kind else y + 1)
                for k in range(c.tree.leaves):
                    if first[k] != k:
                        together.add(x[k, s, y] - x[int(first[k]), s, y] == 0)


@rule
def tail(m: Any, c: Case) -> None:
    """The cost beyond the value at risk, for the CVaR (Rockafellar and Uryasev).

    excess[k] >= cost[k] − value_at_risk; CVaR = value_at_risk + Σ_k p[k] × excess[k] ÷ (1 − α); row: 10,000 yuan.
    """
    if not c.penalties.risk_weight:
        return

    @m.Constraint(m.LEAVES)
    def tail(m: Any, k: int) -> Any:
        """excess[k] >= cost[k] − value_at_risk; 10,000 yuan. M110."""
        return m.excess[k] >= cost_of(m, c, k) - m.value_at_risk


def build(c: Case, rules: dict[str, Rule] = RULES, closed: Sequence[tuple[int, int, int]] = ()) -> pyo.ConcreteModel:
    """The readable reference: variables, ``rules`` (tests drop one) and the expression ``m.objective_value``.

    ``closed``: the cells in which :func:`no_empty_seat` is written.
    """
    m, a = pyo.ConcreteModel(), c.area
    m.LEAVES, m.YEARS = pyo.RangeSet(0, c.tree.leaves - 1), pyo.RangeSet(0, len(a.years) - 1)
    m.CELLS = pyo.Set(initialize=[(k, s, y) for k in m.LEAVES for s in (0, 1) for y in m.YEARS], dimen=3)
    m.CLOSED = pyo.Set(initialize=list(closed), dimen=3)
    whole, some = pyo.NonNegativeIntegers, pyo.NonNegativeReals

    def ready(first: Any, most: Any) -> Callable[..., tuple[int, float]]:
        """Bounds of an opening: 0 before the first year its lead time allows."""
        return lambda m, k, s, y: (0, float(most[s]) if a.years[y] >= first[s] else 0.0)

    m.extension = pyo.Var(m.CELLS, domain=whole, bounds=ready(a.extension_from, a.extension_max))
    m.extends = pyo.Var(m.CELLS, domain=pyo.Binary)
    m.schools = pyo.Var(m.CELLS, domain=whole, bounds=ready(a.school_from, a.sites))
    m.school_rooms = pyo.Var(m.CELLS, domain=whole, bounds=ready(a.school_from, a.sites * a.school_max))
    m.classes = pyo.Var(
        m.CELLS,
        domain=whole,
        bounds=lambda m, k, s, y: (0, float(c.most_classes[k, s, y])),
    )
    m.short = pyo.Var(m.CELLS, domain=some, bounds=lambda m, k, s, y: (0, float(c.first[k, s, y])))
    m.local_short = pyo.Var(m.CELLS, domain=some)
    m.bought = pyo.Var(m.CELLS, domain=some, bounds=lambda m, k, s, y: (0, float(min(a.cap[s, y], c.covered[k, s, y]))))
    m.without = pyo.Var(m.CELLS, domain=some)
    m.other = pyo.Var(m.CELLS, domain=some, bounds=lambda m, k, s, y: (0, float(c.other[k, s, y])))
    m.added = pyo.Var(m.CELLS, domain=some)
    m.opened = pyo.Var(m.CELLS, domain=some)
    m.fall = pyo.Var(m.LEAVES, m.YEARS, domain=some)
    m.overrun = pyo.Var(m.LEAVES, m.YEARS, domain=some)
    p = c.penalties
    if p.risk_weight:
        m.value_at_risk = pyo.Var(domain=pyo.Reals)
        m.excess = pyo.Var(m.LEAVES, domain=some)
    for add in rules.values():
        add(m, c)
    chances = [float(q) for q in c.tree.probability]
    expected = sum(chances[k] * cost_of(m, c, k) for k in m.LEAVES)
    if p.risk_weight:
        worst = m.value_at_risk + sum(chances[k] * m.excess[k] for k in m.LEAVES) * (1 / (1 - p.alpha))
        expected = (1 - p.risk_weight) * expected + p.risk_weight * worst
    m.objective_value = pyo.Expression(expr=expected)
    return m
