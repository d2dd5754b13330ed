"""One county's seat plan: the model, its goals in order, and its solve (:mod:`zjsim.models.seat_expansion` joins them).

Every goal is elastic: a plan always exists, unless a scenario asks for goals that must be zero
(:mod:`zjsim.models.seat_hard`).
"""

# mypy: disable-error-code="untyped-decorator"
# (Pyomo's decorators carry no types.)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from zjsim.models.seat_data import GRADES, STAGE_OF, STAGES, County
from zjsim.models.seat_hard import requirements, told
from zjsim.models.seat_rules import RULES
from zjsim.models.seat_tables import CountyPlan
from zjsim.models.seat_terms import Rule, spending

from zjsim.solve.goals import Goal, Prepared, lexicographic
from zjsim.solve.highs import relative_gap
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stage, Stopped

_MONEY_TOLERANCE = 0.01
"""100 yuan: what later goals may take from a sum of money (it is not integral)."""
ELASTIC = (
    "local_without_seat",
    "covered_without_place",
    "public_share_fall",
    "budget_overrun",
    "bought_with_idle_rooms",
)
"""Goals that are zero or explained, in order; cost, children outside public schools, early rooms, changes follow."""


def build(
    d: County,
    *,
    public_share_reading: str = "public_only",
    rules: Mapping[str, Rule] = RULES,
    into: pyo.ConcreteModel | None = None,
) -> pyo.ConcreteModel:
    """The model of county ``d`` with ``rules`` (tests drop one) and no objective: that comes from :func:`goals`.

    ``into``: an empty model, or one that holds what a repair may add.
    """
    m = pyo.ConcreteModel() if into is None else into
    whole, keys = pyo.NonNegativeIntegers, (list(GRADES), list(d.years))
    by_stage = (list(STAGES), list(d.years))
    m.MOVING = pyo.Set(initialize=[g for g in GRADES if g not in (1, 7)])
    some = pyo.NonNegativeReals  # children by grade: whole by themselves once their totals are (see whole_children)
    m.classes = pyo.Var(*keys, domain=whole, bounds=lambda m, g, y: (0, d.most_classes(g, y)))
    m.stage_classes = pyo.Var(*by_stage, domain=whole)
    m.local = pyo.Var(*keys, domain=some, bounds=lambda m, g, y: (0, d.local[g, y]))
    m.covered = pyo.Var(*keys, domain=some, bounds=lambda m, g, y: (0, d.covered[g, y]))
    m.other = pyo.Var(*keys, domain=some, bounds=lambda m, g, y: (0, d.migrant[g, y] - d.covered[g, y]))
    m.bought = pyo.Var(*keys, domain=some, bounds=lambda m, g, y: (0, d.covered[g, y]))
    m.without = pyo.Var(*keys, domain=some, bounds=lambda m, g, y: (0, d.covered[g, y]))
    m.in_public = pyo.Var(d.years, domain=whole, bounds=lambda m, y: (0, d.migrants_of_year[y]))
    m.purchased = pyo.Var(*by_stage, domain=whole)
    m.full = pyo.Var(*keys, domain=pyo.Binary)
    m.extension = pyo.Var(*by_stage, domain=whole, bounds=lambda m, s, y: (0, d.stages[s].extension_rooms_max))
    m.extends = pyo.Var(*by_stage, domain=pyo.Binary)
    m.schools = pyo.Var(*by_stage, domain=whole, bounds=lambda m, s, y: (0, d.stages[s].school_sites))
    m.school_rooms = pyo.Var(
        *by_stage, domain=whole, bounds=lambda m, s, y: (0, d.stages[s].school_sites * d.stages[s].school_rooms_max)
    )
    m.opened = pyo.Var(*by_stage, domain=pyo.NonNegativeReals)
    m.added = pyo.Var(*by_stage, domain=pyo.NonNegativeReals)
    m.avoidable = pyo.Var(*by_stage, domain=whole)
    m.idle, m.by_staff = pyo.Var(*by_stage, domain=pyo.Binary), pyo.Var(*by_stage, domain=pyo.Binary)
    m.fall = pyo.Var(d.years, domain=pyo.NonNegativeReals)
    m.overrun = pyo.Var(d.years, domain=pyo.NonNegativeReals)
    m.changes = pyo.Var(m.MOVING, d.years, domain=whole)
    _switched(m, d)
    purchased_too = public_share_reading == "with_purchased"

    @m.Expression(d.years)
    def counted(m: Any, y: int) -> Any:
        """Migrant children whom the public share of y counts (children): public, or public plus purchased. M112."""
        return m.in_public[y] + (sum(m.purchased[s, y] for s in STAGES) if purchased_too else 0)

    @m.Constraint(d.years)
    def in_public_total(m: Any, y: int) -> Any:
        """in_public[y] = Σ_g (covered[g,y] + other[g,y]); children. M112."""
        return m.in_public[y] == sum(m.covered[g, y] + m.other[g, y] for g in GRADES)

    @m.Constraint(list(STAGES), d.years)
    def purchased_total(m: Any, s: str, y: int) -> Any:
        """purchased[s,y] = Σ_g bought[g,y] over the grades of s; children. M112."""
        return m.purchased[s, y] == sum(m.bought[g, y] for g in STAGES[s])

    @m.Constraint(list(STAGES), d.years)
    def stage_classes_total(m: Any, s: str, y: int) -> Any:
        """stage_classes[s,y] = Σ_g classes[g,y] over the grades of s; classes. M110.

        Money, rooms and staff see only totals: where these are whole decisions of their own, a search that splits them
        need not split grade by grade.
        """
        return m.stage_classes[s, y] == sum(m.classes[g, y] for g in STAGES[s])

    for add in rules.values():
        add(m, d)

    @m.Constraint(*keys)
    def full_has_no_spare_class(m: Any, g: int, y: int) -> Any:
        """classes[g,y] <= most classes − (most − ⌊children ÷ usable seats⌋) × full[g,y]; classes. M112.

        No rule of its own: a full grade has no more seats than children. The relaxation does not know it, and the
        search for purchases beside idle rooms ends where it did not.
        """
        usable, most = d.stages[STAGE_OF[g]].usable_seats_per_class, d.most_classes(g, y)
        if not usable:
            return pyo.Constraint.Skip
        return m.classes[g, y] <= most - (most - (d.local[g, y] + d.migrant[g, y]) // usable) * m.full[g, y]

    return m


def _switched(m: pyo.ConcreteModel, d: County) -> None:
    """Variables of the rules that a scenario switches on; without them the model is as small as before."""
    some, keys, on = pyo.NonNegativeReals, (list(GRADES), list(d.years)), d.switches
    if on.conversion_rooms_max:
        m.converted = pyo.Var(d.years, domain=pyo.NonNegativeIntegers, bounds=(0, on.conversion_rooms_max))
    if on.permit_guarantee_from:
        m.permit_short = pyo.Var(*keys, domain=some)
    if on.indicator_share:
        m.indicator_short = pyo.Var(d.years, domain=some)
    if on.private_share_cap < 1:
        m.private_over = pyo.Var(d.years, domain=some)


_SWITCHED = {
    "permit_without_public_seat": "permit_short",
    "indicator_short": "indicator_short",
    "private_above_cap": "private_over",
}
"""Elastic goals that a scenario switches on, and their variables; ranked after the public share."""


def elastic_goals(d: County) -> tuple[str, ...]:
    """Names of the goals that are zero or explained, in order."""
    on = (d.switches.permit_guarantee_from, d.switches.indicator_share, d.switches.private_share_cap < 1)
    switched = [name for name, asked in zip(_SWITCHED, on, strict=True) if asked]
    return (*ELASTIC[:3], *switched, *ELASTIC[3:])


def goals(m: pyo.ConcreteModel, d: County) -> tuple[Goal, ...]:
    """The goals in order; children are child-years (each school year counts)."""
    switched = [
        Goal(name, "minimise", pyo.quicksum(getattr(m, _SWITCHED[name]).values()), "child-years", 1e-6)
        for name in elastic_goals(d)
        if name in _SWITCHED
    ]
    cells = [(g, y) for g in GRADES for y in d.years]
    local = sum(d.local[k] - m.local[k] for k in cells)
    early = sum((m.extension[s, y] + m.school_rooms[s, y]) * (d.years[-1] + 1 - y) for s in STAGES for y in d.years)
    outside = sum(d.migrants_of_year[y] - m.in_public[y] for y in d.years)
    return (
        Goal("local_without_seat", "minimise", local, "child-years"),
        Goal("covered_without_place", "minimise", sum(m.without[k] for k in cells), "child-years"),
        Goal("public_share_fall", "minimise", sum(m.fall[y] for y in d.years), "child-years", 1e-6),
        *switched,
        Goal("budget_overrun", "minimise", sum(m.overrun[y] for y in d.years), "10k yuan", _MONEY_TOLERANCE),
        Goal("bought_with_idle_rooms", "minimise", sum(m.avoidable[k] for k in m.avoidable), "child-years", 1e-6),
        Goal("cost", "minimise", sum(spending(m, d, y) for y in d.years), "10k yuan", _MONEY_TOLERANCE),
        Goal("migrants_outside_public", "minimise", outside, "child-years"),
        Goal("added_room_years", "minimise", early, "room-years"),
        Goal("class_changes", "minimise", sum(m.changes[k] for k in m.changes), "classes", 1e-6),
    )


def solve_county(
    d: County,
    options: Options | None = None,
    *,
    public_share_reading: str = "public_only",
    rules: Mapping[str, Rule] = RULES,
) -> Result[CountyPlan]:
    """The plan of one county, proven goal by goal or with its gap.

    Never infeasible, because every goal is elastic, unless the scenario makes goals hard: then the conflict is named.
    """
    m = build(d, public_share_reading=public_share_reading, rules=rules)
    ranked = goals(m, d)
    result = _without_shortfall(m, d, ranked, options) or lexicographic(
        m, ranked, options, (lambda: requirements(m, d)) if d.switches.hard else None
    )
    if isinstance(result, Infeasible):
        return Infeasible(told(d, result.conflict))
    if isinstance(result, Stopped):
        return result
    stages = tuple(_proven(s) for s in result.stages)
    if not whole_children(m):
        again = with_whole_children(m, ranked, options)
        if isinstance(again, Infeasible | Stopped):
            return again
        stages = tuple(_as_it_came(s, a) for s, a in zip(stages, again.stages, strict=True))
    open_stage = next((s for s in stages if s.gap > 0), None)
    plan = read(m, d, stages, max(s.gap for s in stages))
    if open_stage is None:
        return Optimal(plan, stages)
    return Feasible(plan, stages, open_stage.bound, open_stage.gap)


def _without_shortfall(
    m: pyo.ConcreteModel, d: County, ranked: tuple[Goal, ...], options: Options | None
) -> Optimal[pyo.ConcreteModel] | Feasible[pyo.ConcreteModel] | None:
    """The same answer in one step for a county that needs no shortfall; ``None`` where it needs one, or time ends.

    The elastic goals cannot be below zero, so a plan in which all of them are zero is best in all of them; only the
    goals after them are left to solve.
    """
    names = elastic_goals(d)
    elastic = len(names)
    held = [m.fall, m.overrun, m.avoidable, m.without, *(getattr(m, _SWITCHED[n]) for n in names if n in _SWITCHED)]
    zero = [(v[k], 0.0, 0.0) for v in held for k in v]
    zero += [(m.local[k], float(d.local[k]), float(d.local[k])) for k in m.local]
    prepared = Prepared(m, ranked[elastic:], options or Options())
    result = prepared.solve(bounds=zero)
    if isinstance(result, Infeasible | Stopped):
        return None
    for variable, value in zip(prepared.matrix.columns, result.plan.values, strict=True):
        variable.set_value(float(value), skip_validation=True)
    met = tuple(Stage(g.name, g.sense, 0.0, 0.0, 0.0, g.unit) for g in ranked[:elastic])
    if isinstance(result, Optimal):
        return Optimal(m, met + result.stages)
    return Feasible(m, met + result.stages, result.bound, result.gap)


def _proven(stage: Stage) -> Stage:
    """A stage with the bound 0 every goal here has, proven where its value lies within its own tolerance of the bound
    (money and shares are not integral).
    """
    bound = max(stage.bound, 0.0)
    if abs(stage.value - bound) <= max(stage.tolerance, 1e-6):
        return replace(stage, bound=stage.value, gap=0.0)
    return replace(stage, bound=bound, gap=relative_gap(stage.value, bound))


def _as_it_came(stage: Stage, again: Stage) -> Stage:
    """A stage with the value of the plan in whole children, against the bound that the first solve proved."""
    if abs(again.value - stage.value) <= max(stage.tolerance, 1e-6):
        return stage
    return replace(stage, value=again.value, gap=relative_gap(again.value, stage.bound))


def _children(m: pyo.ConcreteModel) -> list[Any]:
    return [v[k] for v in (m.local, m.covered, m.other, m.bought, m.without) for k in v]


def whole_children(m: pyo.ConcreteModel) -> bool:
    """Children by grade come out whole: with whole classes and totals the rest is two nested families of sums, whose
    corners are whole. A solution from a heuristic need not be a corner, hence the check.
    """
    return all(abs((v.value or 0) - round(v.value or 0)) <= 1e-6 for v in _children(m))


def with_whole_children(m: pyo.ConcreteModel, ranked: tuple[Goal, ...], options: Options | None) -> Result[Any]:
    """Solve again with all whole decisions and totals kept and whole children asked for as well."""
    for v in m.component_data_objects(pyo.Var):
        if v.is_integer():
            v.fix(round(v.value or 0))
    for v in _children(m):
        v.domain = pyo.NonNegativeIntegers
    return lexicographic(m, ranked, options)


def read(m: pyo.ConcreteModel, d: County, stages: tuple[Stage, ...], gap: float) -> CountyPlan:
    """The plan that the variables of a solved model hold."""

    def whole(v: Any) -> dict[Any, int]:
        """The values of a variable as whole numbers, by key."""
        return {k: round(v[k].value or 0) for k in v}

    return CountyPlan(
        county=d,
        classes=whole(m.classes),
        local=whole(m.local),
        covered=whole(m.covered),
        other=whole(m.other),
        bought=whole(m.bought),
        extension=whole(m.extension),
        schools=whole(m.schools),
        school_rooms=whole(m.school_rooms),
        converted=whole(m.converted) if d.switches.conversion_rooms_max else dict.fromkeys(d.years, 0),
        stages=stages,
        gap=gap,
    )
