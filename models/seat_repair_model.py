"""The cheapest repair of a county's shortfall, and the proof that it works: the county solved again with it applied.

A repair adds classrooms (from a year on), staff, purchasable private places (within the private places there are) and
money. It makes one goal zero and takes nothing from any other that is zero or explained; only the budget gives, unless
the goal is the budget itself or ranked after it: then the money added is named. Cheapest means the least spending over
the years: classrooms at the county's lowest price for a room, equipment, running costs and purchases as in the plan.
What the plan builds, it still builds. Where no school stands and no class has seats, a class added has those of the
norm.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from math import fsum
from typing import Any

import pyomo.environ as pyo
from zjsim.models.seat_county import build, elastic_goals, goals, read, whole_children, with_whole_children
from zjsim.models.seat_data import GRADES, STAGES, YUAN, County
from zjsim.models.seat_tables import CountyPlan
from zjsim.models.seat_terms import spending

from zjsim.solve.goals import Change, Goal, Prepared, Solution, lexicographic
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Optimal, Stopped

_SMALL = 0.02
"""10,000 yuan, or children: twice what the goals' own tolerances leave open."""
Cells = Mapping[tuple[str, int], int]


@dataclass(frozen=True)
class Repair:
    """What repairs a goal: rooms, classes with staff and places by (stage, year), budget by year (10,000 yuan).

    ``spending`` (10,000 yuan) of all years with the repair, its rooms included; ``again``: the same when the county is
    solved anew with the repair applied, and ``left`` what is then left of the goal. ``plan``: that plan.
    """

    goal: str
    rooms: Cells
    staffed: Cells
    places: Cells
    budget: Mapping[int, float]
    spending: float
    again: float
    left: float
    plan: CountyPlan

    @property
    def verified(self) -> bool:
        """The goal is zero in the county solved again, at the cost found."""
        return self.left <= _SMALL and abs(self.again - self.spending) <= _SMALL

    def room_cost(self, s: str, y: int) -> float:
        """Price of the classrooms added in a year (10,000 yuan)."""
        return room_price(self.plan.county, s) * (self.rooms[s, y] - self.rooms.get((s, y - 1), 0))


def room_price(d: County, s: str) -> float:
    """The lowest price of a room in a stage (10,000 yuan); 0 where the registry names none."""
    stage = d.stages[s]
    return min([c for c in (stage.extension_cost, stage.school_cost) if c > 0], default=0.0)


def with_classes_by_norm(d: County) -> County:
    """The county in which a stage without any school has classes of the norm (still no room and nobody to teach)."""
    stages = {
        s: replace(stage, usable_seats_per_class=stage.norm_seats_per_class) if stage.without_any_school else stage
        for s, stage in d.stages.items()
    }
    return replace(d, stages=stages)


def repair(
    plan: CountyPlan, goal: str, options: Options, *, reading: str = "public_only", zero: Collection[str] = ()
) -> Repair | Stopped | None:
    """The cheapest repair of ``goal``, ``None`` if none helps, ``Stopped`` if a limit struck before one was verified.

    ``goal`` is a name of :func:`zjsim.models.seat_county.elastic_goals`; ``zero`` names goals that are repaired
    with it. Raises ``ValueError`` for an unknown goal.
    """
    plan = replace(plan, county=with_classes_by_norm(plan.county))
    d = plan.county
    names = elastic_goals(d)
    if goal not in names:
        raise ValueError(f"no elastic goal {goal}")
    reached = {s.name: s.value for s in plan.stages}
    money = names.index(goal) >= names.index("budget_overrun")
    most = {n: 0.0 if n == goal or n in zero else reached[n] for n in names if money or n != "budget_overrun"}
    m = _loosened(d, reading, money)
    _keep(m, d, plan, most)
    rooms = sum(room_price(d, s) * m.extra_rooms[s, d.years[-1]] for s in STAGES)
    cost = sum(spending(m, d, y) for y in d.years) + rooms
    least = pyo.quicksum([*m.extra_rooms.values(), *m.extra_staffed.values(), *m.extra_places.values()])
    ranked = [Goal("cost", "minimise", cost, "10k yuan", 1e-4), Goal("least", "minimise", least, "", 1e-6)]
    if hasattr(m, "extra_budget"):
        ranked.insert(0, Goal("money", "minimise", pyo.quicksum(m.extra_budget.values()), "10k yuan", 1e-4))
    prepared = Prepared(m, ranked, options)
    result = prepared.solve(goals=len(ranked) - 1)
    if isinstance(result, Stopped):
        return result
    if not isinstance(result, Optimal | Feasible):
        return None
    spare = prepared.solve(order=[len(ranked) - 1], bounds=_decided(m, result.plan), start=result.plan)
    found = _extras(m, d, spare.plan if isinstance(spare, Optimal | Feasible) else result.plan)
    values = next(s.value for s in result.stages if s.name == "cost")
    again = _solved_again(plan, goal, most, found, values, reading, options)
    # Not the cheapest yet, so that solving again may well find another: nothing that could be told as a repair.
    unproven = isinstance(result, Feasible) and isinstance(again, Repair) and not again.verified
    return Stopped("not verified", result.stages) if unproven else again


def _loosened(d: County, reading: str, with_budget: bool) -> pyo.ConcreteModel:
    """The county's model in which what a repair may add is a variable."""
    children = {s: {y: sum(d.covered[g, y] for g in STAGES[s]) for y in d.years} for s in STAGES}
    classes = {s: {y: sum(d.most_classes(g, y) for g in STAGES[s]) for y in d.years} for s in STAGES}
    # More than all children of a stage could use is no repair; a room that one year needs stays for the years after.
    rooms = {s: _running_most({y: classes[s][y] - _fewest_rooms(d, s) for y in d.years}) for s in STAGES}
    staffed = {s: {y: max(0, classes[s][y] - d.stages[s].staffed_classes[y]) for y in d.years} for s in STAGES}
    places = {
        s: {y: min(children[s][y], max(0, d.private_places[s, y] - stage.purchase_places_max)) for y in d.years}
        for s, stage in d.stages.items()
    }
    stages = {
        s: replace(stage, more_rooms=rooms[s], more_staffed=staffed[s], more_places=places[s])
        for s, stage in d.stages.items()
    }
    wide = replace(d, stages=stages)
    m = pyo.ConcreteModel()
    cells = (list(STAGES), list(d.years))
    m.extra_rooms = pyo.Var(*cells, domain=pyo.NonNegativeIntegers, bounds=lambda m, s, y: (0, rooms[s][y]))
    m.extra_staffed = pyo.Var(*cells, domain=pyo.NonNegativeIntegers, bounds=lambda m, s, y: (0, staffed[s][y]))
    m.extra_places = pyo.Var(*cells, domain=pyo.NonNegativeIntegers, bounds=lambda m, s, y: (0, places[s][y]))
    if with_budget:
        m.extra_budget = pyo.Var(list(d.years), domain=pyo.NonNegativeReals)
    build(wide, public_share_reading=reading, into=m)

    def stays(m: Any, s: str, y: int) -> Any:
        """extra_rooms[s,y] >= extra_rooms[s,y−1]: a room that a repair adds stays; rooms. M110."""
        return pyo.Constraint.Skip if y == d.years[0] else m.extra_rooms[s, y] >= m.extra_rooms[s, y - 1]

    m.extra_rooms_stay = pyo.Constraint(*cells, rule=stays)
    return m


def _decided(m: pyo.ConcreteModel, found: Solution) -> list[Change]:
    """Bounds that keep the classes, children and money of a repair: only what it adds without use can then go."""
    free = {"extra_rooms", "extra_staffed", "extra_places", "idle", "by_staff", "avoidable"}
    held = [v for v in m.component_objects(pyo.Var) if v.name not in free]
    return [(v[k], found.value(v[k]), found.value(v[k])) for v in held for k in v]


def _fewest_rooms(d: County, s: str) -> int:
    """Rooms of a stage that stand and stay its own, whatever is converted."""
    return d.stages[s].classrooms - (d.switches.conversion_rooms_max if s == "primary" else 0)


def _running_most(values: Mapping[int, int]) -> dict[int, int]:
    """By year the largest value up to it, at least 0."""
    return dict(zip(values, accumulate((max(0, v) for v in values.values()), max), strict=True))


def _keep(m: pyo.ConcreteModel, d: County, plan: CountyPlan, most: Mapping[str, float]) -> None:
    """Goals in ``most`` stay within their values, and what the plan builds is built."""
    ranked = {g.name: g.expression for g in goals(m, d)}
    m.kept = pyo.ConstraintList()
    for name, value in most.items():
        m.kept.add(ranked[name] <= value + (1e-6 if value < 1 else 1e-2))
    for s in STAGES:
        for y in d.years:
            for variable, there in (
                (m.extension[s, y], plan.extension[s, y]),
                (m.schools[s, y], plan.schools[s, y]),
                (m.school_rooms[s, y], plan.school_rooms[s, y]),
            ):
                variable.setlb(there)


def _extras(m: pyo.ConcreteModel, d: County, found: Solution) -> tuple[Cells, Cells, Cells, dict[int, float]]:
    def whole(v: Any) -> dict[tuple[str, int], int]:
        """The values of a variable as whole numbers by (stage, year)."""
        return {(s, y): round(found.value(v[s, y])) for s in STAGES for y in d.years}

    money = {y: found.value(m.extra_budget[y]) if hasattr(m, "extra_budget") else 0.0 for y in d.years}
    return whole(m.extra_rooms), whole(m.extra_staffed), whole(m.extra_places), money


def _solved_again(
    plan: CountyPlan,
    goal: str,
    most: Mapping[str, float],
    found: tuple[Cells, Cells, Cells, dict[int, float]],
    value: float,
    reading: str,
    options: Options,
) -> Repair | Stopped | None:
    """The county with the repair written into its data, solved for the repaired goal, then for cost.

    What the plan reached in the goals ranked before is kept, not bettered: that would cost more than the repair.
    """
    d, (rooms, staffed, places, money) = plan.county, found
    stages = {
        s: replace(
            stage,
            more_rooms={y: rooms[s, y] for y in d.years},
            more_staffed={y: staffed[s, y] for y in d.years},
            more_places={y: places[s, y] for y in d.years},
        )
        for s, stage in d.stages.items()
    }
    # Yuan by yuan the solver may miss a budget by its tolerance.
    budget = {y: d.budget[y] + money[y] + (1e-3 if money[y] > 0 else 0.0) for y in d.years}
    again = replace(d, stages=stages, budget=budget)
    m = build(again, public_share_reading=reading)
    _keep(m, again, plan, {name: value for name, value in most.items() if name != goal})
    ranked = [g for g in goals(m, again) if g.name in (goal, "cost")]
    ranked = [replace(g, tolerance=1e-4) if g.name == "cost" else g for g in ranked]
    result = lexicographic(m, ranked, options)
    if isinstance(result, Stopped):
        return result
    if not isinstance(result, Optimal | Feasible):
        return None
    if not whole_children(m):
        with_whole_children(m, tuple(ranked), options)
    values = {s.name: s.value for s in result.stages}
    paid = fsum(room_price(d, s) * rooms[s, d.years[-1]] for s in STAGES)
    solved = read(m, again, result.stages, 0.0)
    spent = values["cost"] + paid
    made = Repair(goal, rooms, staffed, places, money, value, spent, values[goal], solved)
    return made if made.verified or isinstance(result, Optimal) else Stopped("not verified", result.stages)


def repairs_of(
    plan: CountyPlan, options: Options, *, reading: str = "public_only"
) -> dict[str, Repair | Stopped | None]:
    """The cheapest repair of every goal of a plan that is not zero, by goal, in order; key ``places``: local and
    guaranteed children together (the repair that the table by year and stage shows).

    The time limit of ``options`` is for all of them together; a repair that it does not reach is ``Stopped``.
    """
    values = {s.name: s.value for s in plan.stages}
    short = [n for n in elastic_goals(plan.county) if values[n] > _SMALL]
    ends = time.monotonic() + options.time_limit_s

    def cheapest(name: str, *zero: str) -> Repair | Stopped | None:
        """The repair of a goal, in what is left of the time."""
        left = replace(options, time_limit_s=max(0.0, ends - time.monotonic()))
        return repair(plan, name, left, reading=reading, zero=zero)

    found = {n: cheapest(n) for n in short}
    if "local_without_seat" in short:
        found["places"] = cheapest("covered_without_place", "local_without_seat")
    elif "covered_without_place" in short:
        found["places"] = found["covered_without_place"]
    return found


def extra_spending_yuan(before: CountyPlan, found: Repair, s: str, y: int) -> float:
    """What the repair costs in a stage and year beyond the plan (yuan): money of both plans, and the rooms added."""
    more = fsum(found.plan.money(s, y).values()) - fsum(before.money(s, y).values())
    return round(more + found.room_cost(s, y) * YUAN, 2)


def children_short(p: CountyPlan, s: str, y: int) -> dict[int, int]:
    """Local and guaranteed children without any place, by grade of the stage."""
    d = p.county
    return {
        g: d.local[g, y] - p.local[g, y] + d.covered[g, y] - p.covered[g, y] - p.bought[g, y]
        for g in GRADES
        if g in STAGES[s]
    }
