"""Plain and generalised assignment from arrays: the lead model on any instance of its family.

A plain assignment needs one array: ``score[a][j]``, the score (or cost) of agent ``a`` doing job ``j``. Every job goes
to exactly one agent, every agent does at most one job:

>>> from zjsim.models.assignment_arrays import generalised_assignment
>>> result = generalised_assignment([[4, 1], [2, 3]], sense="minimise")
>>> result.plan, result.stages[0].value, result.stages[0].bound, result.stages[0].gap
((1, 0), 3.0, 3.0, 0.0)

A generalised assignment adds what each job takes of each agent (``load[a][j]``) and what each agent can carry
(``capacity[a]``); an agent may then do several jobs:

>>> score, load, capacity = [[10, 8, 6], [5, 4, 3]], [[2, 2, 2], [1, 1, 1]], [3, 3]
>>> result = generalised_assignment(score, load, capacity, sense="maximise")
>>> result.plan, result.stages[0].value
((0, 1, 1), 17.0)

``plan[j]`` is the agent of job ``j`` (agents and jobs count from 0). ``stages[0]`` holds the ``value``, the proven
``bound`` and the relative ``gap`` between them (0: proven optimal). What comes back is ``Optimal``, or ``Feasible``
where a limit of ``options`` struck first: the true optimum then lies between value and bound; or ``Infeasible`` with
the reason in ``conflict``; or ``Stopped``, when a limit struck before any plan was found:

>>> from zjsim.solve.options import Options
>>> generalised_assignment(score, load, capacity, options=Options(time_limit_s=60, relative_gap=0.0)).stages[0].gap
0.0
>>> generalised_assignment(score, load, [1, 1]).conflict.repair != ()
True

An agent that cannot do a job has a score of NaN (or infinity) there:

>>> nan = float("nan")
>>> generalised_assignment([[9.5, 1.25], [nan, 7.0]], sense="minimise").plan
(0, 1)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from zjsim.models.assignment_rules import Names
from zjsim.models.lead_discipline import LeadData, build_lead_model, lead_choice, lead_goals, lead_requirements

from zjsim.solve.goals import Prepared
from zjsim.solve.highs import Sense
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stopped
from zjsim.texts import text

Table = Sequence[Sequence[float]] | np.ndarray[Any, Any]
Row = Sequence[float] | np.ndarray[Any, Any]


def generalised_assignment(
    score: Table,
    load: Table | None = None,
    capacity: Row | None = None,
    *,
    sense: Sense = "maximise",
    options: Options | None = None,
) -> Result[tuple[int, ...]]:
    """Solve a plain or generalised assignment with the lead model: the agent of every job.

    ``score[a][j]`` is the score (or cost) of agent ``a`` doing job ``j``, not finite where ``a`` cannot do ``j``;
    ``load[a][j]`` (default 1) what it takes of the agent's ``capacity[a]``; without loads and capacities every agent
    does at most one job (plain assignment). Value, bound and gap stand in the result's first and only stage: whole
    scores are optimised exactly, others to a relative 1e-9.

    Raises ``ValueError`` where the arrays do not fit each other, or a load or capacity is negative or not finite.
    """
    scores, loads, room = _checked(score, load, capacity)
    agents, jobs = ([f"{letter}{k:06d}" for k in range(n)] for letter, n in zip("AJ", scores.shape, strict=True))
    whole = bool(np.all(scores == np.rint(scores), where=np.isfinite(scores)))
    pairs = {(int(a), int(j)): (jobs[j], (agents[a], "")) for a, j in np.argwhere(np.isfinite(scores))}
    m = build_lead_model(
        LeadData(
            tuple(jobs),
            {pair: int(scores[k]) if whole else float(scores[k]) for k, pair in pairs.items()},
            dict.fromkeys(pairs.values(), 3),
            reading="several_within_capacity",
            load={pair: float(loads[k]) for k, pair in pairs.items()},
            capacity={(a, ""): float(c) for a, c in zip(agents, room, strict=True)},
            sense=sense,
            unit="",
            names=Names(
                {j: _named("job", n) for n, j in enumerate(jobs)}, {a: _named("agent", n) for n, a in enumerate(agents)}
            ),
        )
    )
    prepared = Prepared(m, lead_goals(m)[:1], options or Options())
    result = prepared.solve()
    if isinstance(result, Infeasible):
        return Infeasible(prepared.explain(lead_requirements(m)))
    if isinstance(result, Stopped):
        return result
    leads, number = lead_choice(m, result.plan), {a: k for k, a in enumerate(agents)}
    plan = tuple(number[leads[j][0]] for j in jobs)
    if isinstance(result, Optimal):
        return Optimal(plan, result.stages)
    return Feasible(plan, result.stages, result.bound, result.gap)


def _checked(score: Table, load: Table | None, capacity: Row | None) -> tuple[Any, Any, Any]:
    """The three arrays as numbers that fit each other."""
    scores = np.asarray(score, dtype=float)
    if scores.ndim != 2:
        raise ValueError(f"score needs a row per agent and a column per job, not {scores.ndim} dimension(s)")
    if load is not None and capacity is None:
        raise ValueError("loads mean nothing without the agents' capacities")
    loads = np.ones(scores.shape) if load is None else np.asarray(load, dtype=float)
    room = np.ones(len(scores)) if capacity is None else np.asarray(capacity, dtype=float)
    if loads.shape != scores.shape:
        raise ValueError(f"load has the shape {loads.shape}, score {scores.shape}: they must be the same")
    if room.shape != (len(scores),):
        raise ValueError(f"capacity has the shape {room.shape}, but there are {len(scores)} agents")
    for name, array in (("load", loads), ("capacity", room)):
        if not np.all(np.isfinite(array)) or np.any(array < 0):
            raise ValueError(f"{name} must be 0 or more, and finite")
    return scores, loads, room


def _named(what: str, number: int) -> tuple[str, str]:
    return text(f"assignment.{what}", "zh", number=number), text(f"assignment.{what}", "en", number=number)
