"""The goals of a location plan, in three phases: where, who, when.

Where: need covered, then counties reached (or both together). Who: given which place serves which need, the cheapest
facilities, then the institutions that suit best. When: given all openings, as early as the limits of each year allow,
the larger facilities first. The rules on hosts, cost and years hold in every phase, so what is decided first can always
be carried out. Every goal is proven within its phase (or its gap is stated); other places that cover as much may be
cheaper or suit better, and are not looked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import pyomo.environ as pyo
from zjsim.models.location_rules import LocationData, Need, Option, Place, build_location_model

from zjsim.solve.conflicts import Requirement
from zjsim.solve.goals import Goal, lexicographic
from zjsim.solve.matrix import total
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stage, Stopped


@dataclass(frozen=True, slots=True)
class LocationPlan:
    """What a theme opens: how many of every option, when hosts begin them, and what is served from where."""

    opened: Mapping[Option, int]
    started: Mapping[tuple[str, str, int], int]
    served: Mapping[tuple[Place, Need], int]


def where_goals(m: pyo.ConcreteModel) -> tuple[Goal, ...]:
    """Need covered (by priority of the groups), counties reached; ``how_far`` puts the openings first.

    With ``county_points`` the counties reached count within the first coverage instead.
    """
    data: LocationData = m.data
    goals = []
    reached = total(m.reached[c] for c in m.counties)
    if data.how_far:
        goals.append(Goal("openings", "maximise", total(m.open[o] for o in m.options), "facilities"))
    for rank in sorted(set(data.priority.values()) or {0}):
        groups = [i for i in m.cover if data.priority.get(i[1], 0) == rank]
        covered = total(data.steps[i[2]] * m.cover[i] for i in groups)
        if rank == 0 and data.county_points:
            covered += data.county_points * reached
        goals.append(Goal(f"coverage_{rank + 1}", "maximise", covered, "weighted units of need"))
    if not data.county_points:
        goals.append(Goal("counties_reached", "maximise", reached, "counties"))
    return tuple(goals)


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
    result = lexicographic(m, where_goals(m), options, (lambda: requirements(m)) if requirements else None)
    if isinstance(result, Infeasible | Stopped):
        return result
    stages = list(result.stages)
    for variables in (m.serve, m.cover, m.reached):
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


def _phase(m: pyo.ConcreteModel, goals: Sequence[Goal], options: Options) -> tuple[Stage, ...]:
    """Solve for more goals; where a limit strikes first, the variables stay and the goals are unproven."""
    result = lexicographic(m, goals, options)
    if isinstance(result, Optimal | Feasible):
        return result.stages
    return tuple(
        Stage(g.name, g.sense, float(pyo.value(g.expression)), -math.inf, math.inf, g.unit)  # both are minimised
        for g in goals
    )
