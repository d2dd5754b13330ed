"""The goals of a location plan, in three phases: where, who, when.

Where: need covered, then counties reached (or both together), then what a target wants begun. Who: given which place
serves which need, the cheapest facilities, then the institutions that suit best. When: given all openings, as early as
the limits of each year allow, the larger facilities first. The rules on hosts, cost and years hold in every phase, so
what is decided first can always be carried out. Every goal is proven within its phase (or its gap is stated); other
places that cover as much may be cheaper or suit better, and are not looked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import pyomo.environ as pyo
from zjsim.models.location_rules import LocationData, Need, Option, Place, build_location_model

from zjsim.solve.conflicts import Requirement
from zjsim.solve.goals import Goal, lexicographic
from zjsim.solve.highs import relative_gap
from zjsim.solve.matrix import total
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stage, Stopped

TARGET = "target_"
"""Goals of targets are named so, and by the kind."""


@dataclass(frozen=True, slots=True)
class LocationPlan:
    """What a theme opens: how many of every option, when hosts begin them, and what is served from where."""

    opened: Mapping[Option, int]
    started: Mapping[tuple[str, str, int], int]
    served: Mapping[tuple[Place, Need], int]


def where_goals(m: pyo.ConcreteModel) -> tuple[Goal, ...]:
    """Need covered (by priority of the groups), counties reached; ``how_far`` puts the openings first.

    With ``county_points`` the counties reached count within the first coverage instead. What targets want begun comes
    after the need (``targets_first``: before it); more than a target wants counts for nothing.
    """
    data: LocationData = m.data
    goals = []
    wanted = [Goal(f"{TARGET}{k}", "maximise", total([m.towards[k]]), "facilities") for k in sorted(data.wanted)]
    reached = total(m.reached[c] for c in m.counties)
    if data.how_far:
        goals.append(Goal("openings", "maximise", total(m.open[o] for o in m.options), "facilities"))
    goals += wanted if data.targets_first else []
    for rank in sorted(set(data.priority.values()) or {0}):
        groups = [i for i in m.cover if data.priority.get(i[1], 0) == rank]
        covered = total(data.steps[i[2]] * m.cover[i] for i in groups)
        if rank == 0 and data.county_points:
            covered += data.county_points * reached
        goals.append(Goal(f"coverage_{rank + 1}", "maximise", covered, "weighted units of need"))
    if not data.county_points:
        goals.append(Goal("counties_reached", "maximise", reached, "counties"))
    return tuple(goals if data.targets_first else [*goals, *wanted])


def who_goals(m: pyo.ConcreteModel) -> tuple[Goal, ...]:
    """Cost, then the misfit of the hosts, weighed by what each facility can serve."""
    data: LocationData = m.data
    cost = total(data.kinds[o.kind].cost * m.open[o] for o in m.options)
    goals = [Goal("cost", "minimise", cost, "cost points")]
    if any(data.misfit.values()):
        misfit = total(data.misfit.get(o, 0) * data.kinds[o.kind].capacity * m.open[o] for o in m.options)
        goals.append(Goal("misfit", "minimise", misfit, "points × capacity"))
    return tuple(goals)


def when_goal(m: pyo.ConcreteModel) -> Goal:
    """Years after the first one, weighed by what each facility can serve."""
    data: LocationData = m.data
    first = min(data.all_years, default=0)
    late = total((t - first) * data.kinds[k].capacity * m.start[k, h, t] for k, h, t in m.started)
    return Goal("lateness", "minimise", late, "years × capacity")


def solve_locations_of(
    data: LocationData,
    options: Options | None = None,
    requirements: Callable[[pyo.ConcreteModel], Sequence[Requirement]] | None = None,
    without: Collection[str] = (),
) -> Result[LocationPlan]:
    """Solve one theme; ``without`` names rules to leave out (used to test that each one matters).

    ``Infeasible`` names the requirements that cannot hold together (with ``requirements``). A limit that strikes in a
    later phase leaves the plan of the phases before, with that phase's goal unproven.
    """
    options = options or Options()
    m = build_location_model(data, without)
    goals = where_goals(m)
    after = () if data.targets_first else tuple(g for g in goals if g.name.startswith(TARGET))
    goals = tuple(g for g in goals if g not in after)
    result = lexicographic(m, goals, options, (lambda: requirements(m)) if requirements else None)
    if isinstance(result, Infeasible | Stopped):
        return result
    _count_what_is_served(m)
    stages = _as_reached(result.stages, goals)
    if after:
        targets = _targets_after(m, goals, stages, after, options)
        _count_what_is_served(m)
        stages = [*_as_reached(stages, goals), *targets]
    for variables in (m.serve, m.cover, m.reached, m.towards):
        variables.fix()
    if data.how_far:
        m.as_many = pyo.Constraint(expr=total(m.open[o] for o in m.options) >= stages[0].value)
    stages += _phase(m, who_goals(m), options)
    m.open.fix()
    stages += _phase(m, (when_goal(m),), options)
    plan = LocationPlan(
        {o: n for o in m.options if (n := round(m.open[o].value))},
        {i: n for i in m.started if (n := round(m.start[i].value))},
        {(Place(*a[:2]), Need(*a[2:])): n for a in m.serve if (n := round(m.serve[a].value))},
    )
    open_stage = next((s for s in stages if s.gap > 0), None)
    if open_stage is None:
        return Optimal(plan, tuple(stages))
    return Feasible(plan, tuple(stages), open_stage.bound, open_stage.gap)


def _targets_after(
    m: pyo.ConcreteModel, goals: Sequence[Goal], stages: Sequence[Stage], after: Sequence[Goal], options: Options
) -> tuple[Stage, ...]:
    """What targets want begun, once the need is met: nothing is solved where the plan in hand begins as many."""
    wanted = m.data.wanted
    for k in sorted(wanted):
        begun = round(math.fsum(m.open[o].value for o in m.options if o.kind == k))
        m.towards[k].set_value(min(wanted[k], begun))
    if all(m.towards[k].value == wanted[k] for k in wanted):
        return tuple(
            Stage(g.name, "maximise", float(wanted[k]), float(wanted[k]), 0.0, g.unit)
            for k, g in zip(sorted(wanted), after, strict=True)
        )
    m.need_kept = pyo.ConstraintList()
    for goal, stage in zip(goals, stages, strict=True):
        if not isinstance(goal.expression, int | float):
            m.need_kept.add(goal.expression >= stage.value)
    return _phase(m, after, options)


def _count_what_is_served(m: pyo.ConcreteModel) -> None:
    """Count all that is served: a plan within a gap may serve more than it counts as covered or reached."""
    served = {d: math.fsum(m.serve[a].value for a in m.arcs_to[d]) for d in (Need(*i) for i in m.needs)}
    for d, amount in served.items():
        left = round(amount)
        for k in m.steps_of[d]:
            m.cover[*d, k].set_value(min(left, round(m.cover[*d, k].ub)))
            left -= m.cover[*d, k].value
    for c in m.counties:
        m.reached[c].set_value(int(any(n > 0.5 for d, n in served.items() if d.county == c)))


def _as_reached(stages: Sequence[Stage], goals: Sequence[Goal]) -> list[Stage]:
    """Stages with the values of the plan in hand: a goal that was not proven may have gained under later ones."""
    found = []
    for stage, goal in zip(stages, goals, strict=True):
        value = float(round(pyo.value(goal.expression)))
        gained = value < stage.value if stage.sense == "minimise" else value > stage.value
        if stage.gap > 0 and gained:
            bound = min(stage.bound, value) if stage.sense == "minimise" else max(stage.bound, value)
            stage = replace(stage, value=value, bound=bound, gap=relative_gap(value, bound))
        found.append(stage)
    return found


def _phase(m: pyo.ConcreteModel, goals: Sequence[Goal], options: Options) -> tuple[Stage, ...]:
    """Solve for more goals; where a limit strikes first, the variables stay and the goals are unproven."""
    result = lexicographic(m, goals, options)
    if isinstance(result, Optimal | Feasible):
        return tuple(_as_reached(result.stages, goals))
    return tuple(
        Stage(
            g.name,
            g.sense,
            float(pyo.value(g.expression)),
            -math.inf if g.sense == "minimise" else math.inf,
            math.inf,
            g.unit,
        )
        for g in goals
    )
