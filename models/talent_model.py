"""The labour market of talent supply, the register of all its rules, and the model they make."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pyomo.environ as pyo
from zjsim.models.talent_rules import (
    building_limit,
    closed_groups,
    field_share_not_falling,
    hiring_limit,
    intake_change_counted,
    joint_share,
    joint_within_intake,
    opened_groups,
    openings_per_host,
    order_classes_kept,
    total_of_level,
    within_places,
    within_teachers,
    yearly_change,
)
from zjsim.models.talent_terms import TalentData, graduates, linear, scaled


def order_graduates_go(m: pyo.ConcreteModel) -> None:
    """Graduates of order classes go to the sector whose firms reserved them.

    flow[k, l, s, t, c] >= sum over orders of seats keep^d available[l]. Unit of the row: graduates. M044.
    """
    data: TalentData = m.data
    come: dict[tuple[str, str, str, int], float] = {}
    for (g, s), (year, number) in sorted(data.orders.items()):
        group = data.groups[g]
        for t in data.decided:
            if t - group.duration >= max(year, data.first):
                key = (g[2], g[1], s, t)
                come[key] = come.get(key, 0.0) + number * group.keep**group.duration * data.available.get(g[1], 1.0)
    m.order_graduates_go = pyo.Constraint(
        [(*key, c) for key in sorted(come) for c in m.cases if (*key, c) in m.flow],
        rule=lambda m, *i: m.flow[i] >= come[i[:4]],
    )


def graduates_placed(m: pyo.ConcreteModel) -> None:
    """Every graduate who looks for work goes to a sector that needs the class, or finds no place that fits.

    sum over s of flow[k, l, s, t, c] + idle[k, l, t, c] = available[l] sum over g of (k, l) of graduates[g, t, c].
    Unit of the row: graduates. M041, M075.
    """
    data: TalentData = m.data
    m.graduates_placed = pyo.Constraint(
        m.supply,
        rule=lambda m, k, level, t, c: (
            linear(
                [(1, m.flow[i]) for i in m.of_supply[k, level, t, c]]
                + [(1, m.idle[k, level, t, c])]
                + scaled(-data.available.get(level, 1.0), (graduates(m, g, t, c) for g in m.of_class[k, level]))
            )
            == 0
        ),
    )


def demand_filled(m: pyo.ConcreteModel) -> None:
    """What a sector needs of a level is filled by graduates of relevant classes, or stays unmet.

    sum over k of flow[k, l, s, t, c] + unmet[s, l, t, c] + severe[s, l, t, c] = demand[s, l, t, c]. Unit: graduates.
    M037, M041, M043.
    """
    data: TalentData = m.data
    m.demand_filled = pyo.Constraint(
        m.needs,
        rule=lambda m, *i: (
            linear([*((1, m.flow[f]) for f in m.of_need[i]), (1, m.unmet[i]), (1, m.severe[i])]) == data.demand[i]
        ),
    )


def mild_shortage(m: pyo.ConcreteModel) -> None:
    """Beyond a share of the demand a shortage is severe and weighs more, so that it is spread.

    unmet[s, l, t, c] <= mild_share demand[s, l, t, c]. Unit of the row: graduates. M037, M043.
    """
    data: TalentData = m.data
    m.mild_shortage = pyo.Constraint(m.needs, rule=lambda m, *i: m.unmet[i] <= data.mild_share * data.demand[i])


RULES: dict[str, Callable[[pyo.ConcreteModel], None]] = {
    rule.__name__: rule
    for rule in (
        intake_change_counted,
        yearly_change,
        opened_groups,
        closed_groups,
        openings_per_host,
        within_teachers,
        hiring_limit,
        within_places,
        building_limit,
        total_of_level,
        field_share_not_falling,
        order_classes_kept,
        order_graduates_go,
        graduates_placed,
        demand_filled,
        mild_shortage,
        joint_within_intake,
        joint_share,
    )
}
"""Every rule of talent supply by name."""
DEFINITIONS = frozenset(("intake_change_counted", "graduates_placed", "demand_filled", "mild_shortage"))
"""Rules that say what the words mean: never named in a conflict."""


def build_talent_model(data: TalentData, without: Collection[str] = ()) -> pyo.ConcreteModel:
    """The model of ``data``; ``without`` names rules to leave out (used to test that each one matters)."""
    m = pyo.ConcreteModel("talent supply")
    m.data, m.cases = data, tuple(sorted(data.cases))
    groups = sorted(data.groups)
    m.group_keys = pyo.Set(initialize=groups, dimen=4, ordered=True)
    m.now = pyo.Var(m.group_keys, domain=pyo.NonNegativeReals)
    choices = [(*g, t, c) for g in groups for t in data.reviews if t <= data.last_choice(g) for c in m.cases]
    one = m.cases[0]
    m.decided_by = {}
    for g in groups if data.reviews else ():
        latest = data.last_choice(g)
        m.decided_by |= {(g, t): min(data.review(t), latest) for t in data.decided}
    m.own = [i for i in choices if i[4] > data.first or i[5] == one]
    """One index for the admission that is the same in every case."""
    m.choices = pyo.Set(initialize=m.own, dimen=6, ordered=True)
    m.later = pyo.Var([i for i in m.own if i[4] > data.first], domain=pyo.NonNegativeReals)
    m.up = pyo.Var(m.choices, domain=pyo.NonNegativeReals)
    m.down = pyo.Var(m.choices, domain=pyo.NonNegativeReals)
    m.may_open = tuple(g for g in groups if data.groups[g].may_open)
    m.may_close = tuple(g for g in groups if data.groups[g].may_close)
    m.open = pyo.Var(list(m.may_open), domain=pyo.Binary)
    m.close = pyo.Var(list(m.may_close), domain=pyo.Binary)
    m.of_pool = {}
    for g in groups:
        m.of_pool.setdefault((g[0], g[2]), []).append(g)
    m.pools, m.hosts = tuple(sorted(m.of_pool)), tuple(sorted({g[0] for g in groups}))
    m.hire = pyo.Var([(*p, t) for p in m.pools for t in data.decided], domain=pyo.NonNegativeReals)
    m.build = pyo.Var([(h, t) for h in m.hosts for t in data.decided], domain=pyo.NonNegativeReals)
    m.joint_choices = [i for i in choices if data.groups[i[:4]].joint]
    m.joint = pyo.Var(m.joint_choices, domain=pyo.NonNegativeReals)
    _labour_market(m)
    for name, rule in RULES.items():
        if name not in without:
            rule(m)
    return m


def _labour_market(m: pyo.ConcreteModel) -> None:
    """Flows of graduates to the sectors for which their class is relevant, in the years that admissions can move."""
    data: TalentData = m.data
    m.of_class = {}
    for g in m.group_keys:
        m.of_class.setdefault((g[2], g[1]), []).append(g)
    years = market_years(data)
    m.needs = [i for i in sorted(data.demand) if i[2] in years and i[3] in data.cases]
    m.supply = [(k, level, t, c) for k, level in sorted(m.of_class) for t in years for c in m.cases]
    flows = [(k, i[1], i[0], i[2], i[3]) for i in m.needs for k in data_classes(data, i[0]) if (k, i[1]) in m.of_class]
    m.flow = pyo.Var(flows, domain=pyo.NonNegativeReals)
    m.idle = pyo.Var(m.supply, domain=pyo.NonNegativeReals)
    m.unmet = pyo.Var(m.needs, domain=pyo.NonNegativeReals)
    m.severe = pyo.Var(m.needs, domain=pyo.NonNegativeReals)
    m.of_need = {i: [] for i in m.needs}
    m.of_supply = {i: [] for i in m.supply}
    for k, level, s, t, c in flows:
        m.of_need[s, level, t, c].append((k, level, s, t, c))
        m.of_supply[k, level, t, c].append((k, level, s, t, c))


def data_classes(data: TalentData, sector: str) -> list[str]:
    """Classes that are relevant to a sector, in the order of their ids."""
    return [k for (k, s) in sorted(data.relevance) if s == sector]


def market_years(data: TalentData) -> tuple[int, ...]:
    """Years in which graduates come from admissions, and demand is known."""
    known = set(data.market) or {i[2] for i in data.demand}
    return tuple(t for t in data.years if t in known)
