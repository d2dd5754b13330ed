"""The rules of talent supply (M037-M046, M050-M053, M058-M060): one function each, registered in ``talent_model``.

Sets: programme groups ``g`` (what one host admits at one level in one class along one pathway), years ``t`` of
admission (in autumn) and of graduation (in summer), cases ``c`` of demand with probabilities. The next admission that
can still be changed (year ``first``) is decided before the case is known, as are openings, closures, teachers and
places; later admissions follow the case. ``intake[g, t, c]`` stands for the variable of that admission, or for the
number that is announced. Students of a cohort stay at the rate ``keep`` each year:

    stock[g, t] = stock[g, t-1] + intake[g, t] - dropout[g, t] - graduates[g, t],
    graduates[g, t] = intake[g, t-d] keep^d,

which ``stock`` and ``graduates`` put into sums of admissions, so no variable stands for them.
"""

from __future__ import annotations

from math import fsum
from typing import Any

import pyomo.environ as pyo
from zjsim.models.talent_terms import GroupKey, TalentData, intake, joint, linear, scaled, stock

from zjsim.solve.matrix import total


def own_intake(m: pyo.ConcreteModel, i: tuple[Any, ...]) -> Any:
    """The variable of an index (host, level, class, pathway, year, case) of an admission that can be changed."""
    return intake(m, i[:4], i[4], i[5])


def intake_change_counted(m: pyo.ConcreteModel) -> None:
    """What an admission takes more or less than the one before is change.

    intake[g, t, c] - intake[g, t-1, c] = up[g, t, c] - down[g, t, c]. Unit of the row: students. M039, M042.
    """
    m.intake_change_counted = pyo.Constraint(
        m.choices,
        rule=lambda m, *i: (
            linear([(1, own_intake(m, i)), (-1, intake(m, i[:4], i[4] - 1, i[5])), (-1, m.up[i]), (1, m.down[i])]) == 0
        ),
    )


def yearly_change(m: pyo.ConcreteModel) -> None:
    """Intake moves by no more than teaching can follow from one year to the next.

    up[g, t, c] + down[g, t, c] <= most_change[g], and where the group may be opened or closed, its whole size more in
    the year when that is decided. Unit of the row: students. M039 (lead time of one admission cycle).
    """
    data: TalentData = m.data

    def rule(m: Any, *i: Any) -> Any:
        group = data.groups[i[:4]]
        terms = [(1.0, m.up[i]), (1.0, m.down[i])]
        if i[4] == data.first and group.may_open:
            terms.append((-group.cap, m.open[i[:4]]))
        if i[4] == data.first and group.may_close:
            terms.append((-group.announced, m.close[i[:4]]))
        return linear(terms) <= group.most_change

    m.yearly_change = pyo.Constraint(m.choices, rule=rule)


def opened_groups(m: pyo.ConcreteModel) -> None:
    """A new group admits students only once it is opened, and then no fewer than make a class and no more than its cap.

    minimum_size open[g] <= intake[g, t, c] <= cap[g] open[g]. Unit of the row: students. M039, M041, M042.
    """
    data: TalentData = m.data
    own = [i for i in m.own if data.groups[i[:4]].may_open]
    m.opened_least = pyo.Constraint(
        own, rule=lambda m, *i: linear([(1, own_intake(m, i)), (-data.minimum_size, m.open[i[:4]])]) >= 0
    )
    m.opened_most = pyo.Constraint(
        own, rule=lambda m, *i: linear([(1, own_intake(m, i)), (-data.groups[i[:4]].cap, m.open[i[:4]])]) <= 0
    )


def closed_groups(m: pyo.ConcreteModel) -> None:
    """A group that may be closed either admits no one from then on, or no fewer than make a class.

    minimum_size (1 - close[g]) <= intake[g, t, c] <= 3 announced[g] (1 - close[g]). Unit of the row: students. M042.
    """
    data: TalentData = m.data
    own = [i for i in m.own if data.groups[i[:4]].may_close]
    size = data.minimum_size
    most = {g: 3 * data.groups[g].announced for g in m.may_close}
    m.closed_least = pyo.Constraint(
        own, rule=lambda m, *i: linear([(1, own_intake(m, i)), (size, m.close[i[:4]])]) >= size
    )
    m.closed_most = pyo.Constraint(
        own,
        rule=lambda m, *i: linear([(1, own_intake(m, i)), (most[i[:4]], m.close[i[:4]])]) <= most[i[:4]],
    )


def openings_per_host(m: pyo.ConcreteModel) -> None:
    """An institution opens only a few groups at one admission.

    sum over g of host h of open[g] <= most, for every host with a candidate. Unit of the row: groups. M039.
    """
    of: dict[str, list[GroupKey]] = {}
    for g in m.may_open:
        of.setdefault(g[0], []).append(g)
    m.openings_per_host = pyo.Constraint(
        sorted(of), rule=lambda m, h: total(m.open[g] for g in of[h]) <= m.data.openings_per_host
    )


def within_teachers(m: pyo.ConcreteModel) -> None:
    """The teachers of a class at a host teach all its levels; joint graduate students take less of their time.

    sum over g of (h, k) of weight[g] (stock[g, t, c] - relief joint stock[g, t, c]) / norm[k]
    <= (1 - away[h, t]) teachers[h, k] + hired[h, k, up to t]. Unit of the row: teachers. M039, M050-M052, M059.
    """
    data: TalentData = m.data

    def rule(m: Any, h: str, k: str, t: int, c: str) -> Any:
        groups = m.of_pool[h, k]
        terms = [term for g in groups for term in scaled(data.groups[g].weight / data.norm[k], stock(m, g, t, c))]
        for g in groups:
            if data.groups[g].joint:
                relief = -data.joint_relief * data.groups[g].weight / data.norm[k]
                terms += scaled(relief, stock(m, g, t, c, joint))
        terms += [(-1.0, m.hire[h, k, y]) for y in data.decided if y <= t]
        return linear(terms) <= (1 - data.away.get((h, t), 0.0)) * data.teachers[h, k]

    m.within_teachers = pyo.Constraint([(*p, t, c) for p in m.pools for t in data.decided for c in m.cases], rule=rule)


def hiring_limit(m: pyo.ConcreteModel) -> None:
    """Posts a year are limited: a host hires no more than a share of its staff.

    sum over k of hire[h, k, t] <= hire_share sum over k of teachers[h, k]. Unit of the row: teachers. M039.
    """
    data: TalentData = m.data
    of: dict[str, list[str]] = {}
    for h, k in m.pools:
        of.setdefault(h, []).append(k)
    m.hiring_limit = pyo.Constraint(
        [(h, t) for h in sorted(of) for t in data.decided],
        rule=lambda m, h, t: (
            total(m.hire[h, k, t] for k in of[h]) <= data.hire_share * fsum(data.teachers[h, k] for k in of[h])
        ),
    )


def within_places(m: pyo.ConcreteModel) -> None:
    """A host has no more students than places: its own, those of its county campuses, and those it builds.

    sum over g of h of stock[g, t, c] <= places[h] + campus places[h, t] + built[h, up to t - build_years].
    Unit of the row: places. M060.
    """
    data: TalentData = m.data
    of: dict[str, list[GroupKey]] = {}
    for g in data.groups:
        of.setdefault(g[0], []).append(g)
    m.within_places = pyo.Constraint(
        [(h, t, c) for h in sorted(of) for t in data.decided for c in m.cases],
        rule=lambda m, h, t, c: (
            linear(
                [term for g in of[h] for term in stock(m, g, t, c)]
                + [(-1.0, m.build[h, y]) for y in data.decided if y + data.build_years <= t]
            )
            <= data.places[h] + data.campus_places.get((h, t), 0.0)
        ),
    )


def building_limit(m: pyo.ConcreteModel) -> None:
    """Building a year is limited to a share of the places a host has.

    build[h, t] <= build_share places[h]. Unit of the row: places. M060.
    """
    m.building_limit = pyo.Constraint(
        m.hosts, m.data.decided, rule=lambda m, h, t: m.build[h, t] <= m.data.build_share * m.data.places[h]
    )


def total_of_level(m: pyo.ConcreteModel) -> None:
    """The state sets how many a level admits in all; the plan divides them (as long as a group can still change).

    sum over g of level l of intake[g, t, c] = total[l, t]. Unit of the row: students. M039, M042.
    """
    data: TalentData = m.data
    of: dict[str, list[GroupKey]] = {}
    for g in data.groups:
        of.setdefault(g[1], []).append(g)
    rows = [i for i in sorted(data.totals) if i[0] in of and i[1] in data.reviews and i[1] <= data.last_of_level(i[0])]
    m.total_of_level = pyo.Constraint(
        [(*i, c) for i in rows for c in m.cases],
        rule=lambda m, level, t, c: linear((1, intake(m, g, t, c)) for g in of[level]) == data.totals[level, t],
    )


def field_share_not_falling(m: pyo.ConcreteModel) -> None:
    """The share of 理工农医 in what undergraduate and graduate programmes admit does not fall.

    N[t-1] (sum over 理工农医 of intake[g, t, c]) >= N[t] (the same of t-1), N[t] being the total of these levels, which
    the state sets; both divided by N[t]. Unit of the row: students. M040, target ``stem_agri_med_share``.
    """
    data: TalentData = m.data
    if not data.share_not_falling:
        return
    inside = [g for g, group in data.groups.items() if group.counted and group.of_field]
    if not inside:
        return
    levels = sorted({g[1] for g, group in data.groups.items() if group.counted})
    announced = {level: sum(x.announced for g, x in data.groups.items() if g[1] == level) for level in levels}

    def whole(t: int) -> float:
        if t < data.first:
            return sum(announced.values())
        return sum(data.totals[level, min(data.review(t), data.last_of_level(level))] for level in levels)

    ratio = {t: whole(t - 1) / whole(t) for t in data.decided}

    m.field_share_not_falling = pyo.Constraint(
        [(t, c) for t in data.decided for c in m.cases],
        rule=lambda m, t, c: (
            linear(term for g in inside for term in ((ratio[t], intake(m, g, t, c)), (-1, intake(m, g, t - 1, c)))) >= 0
        ),
    )


def order_classes_kept(m: pyo.ConcreteModel) -> None:
    """What firms have ordered is admitted.

    intake[g, t, c] >= seats that firms reserve in g, from the first admission of the order on. Unit: students. M044.
    """
    data: TalentData = m.data
    seats: dict[tuple[GroupKey, int], float] = {}
    for (g, _), (year, number) in data.orders.items():
        for t in data.decided:
            if t >= year:
                seats[g, t] = seats.get((g, t), 0.0) + number
    m.order_classes_kept = pyo.Constraint(
        [i for i in m.own if (i[:4], i[4]) in seats],
        rule=lambda m, *i: own_intake(m, i) >= seats[i[:4], i[4]],
    )


def joint_within_intake(m: pyo.ConcreteModel) -> None:
    """Institutes and firms train only part of a group's graduate students together with the host.

    joint[g, t, c] <= joint_most intake[g, t, c]. Unit of the row: students. M051, M052.
    """
    m.joint_within_intake = pyo.Constraint(
        m.joint_choices, rule=lambda m, *i: linear([(1, m.joint[i]), (-m.data.joint_most, own_intake(m, i))]) <= 0
    )


def joint_share(m: pyo.ConcreteModel) -> None:
    """Joint training grows: at least a share of what these groups admit, higher from year to year.

    sum over g of joint[g, t, c] >= joint_least[t] sum over g of intake[g, t, c]. Unit of the row: students. M050-M053.
    """
    data: TalentData = m.data
    groups = [g for g, group in data.groups.items() if group.joint]
    m.joint_share = pyo.Constraint(
        [(t, c) for t in data.decided if data.joint_least.get(t, 0.0) > 0 for c in m.cases] if groups else [],
        rule=lambda m, t, c: (
            linear(
                term for g in groups for term in ((1, joint(m, g, t, c)), (-data.joint_least[t], intake(m, g, t, c)))
            )
            >= 0
        ),
    )
