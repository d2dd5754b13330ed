"""Plain and generalised assignment from arrays: the lead model on any instance of its family.

A plain assignment needs one array: ``score[a][j]``, the whole-number score (or cost) of agent ``a`` doing job ``j``.
Every job goes to exactly one agent, every agent does at most one job:

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

``plan[j]`` is the agent of job ``j``. The first stage holds the ``value``, the proven ``bound`` and the relative
``gap`` between them (0: proven optimal). What comes back is ``Optimal``, or ``Feasible`` where a limit of ``options``
struck first: the true optimum then lies between value and bound; or ``Infeasible`` with the reason in
``conflict``; or ``Stopped``, when a limit struck before any plan was found:

>>> from zjsim.solve.options import Options
>>> generalised_assignment(score, load, capacity, options=Options(time_limit_s=60, relative_gap=0.0)).stages[0].gap
0.0
>>> generalised_assignment(score, load, [1, 1]).conflict.repair != ()
True
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from zjsim.models.lead_discipline import LeadData, solve_leads

from zjsim.solve.highs import Sense
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Result, Stopped


def generalised_assignment(
    score: Sequence[Sequence[int]] | np.ndarray[Any, Any],
    load: Sequence[Sequence[float]] | np.ndarray[Any, Any] | None = None,
    capacity: Sequence[float] | np.ndarray[Any, Any] | None = None,
    *,
    sense: Sense = "maximise",
    options: Options | None = None,
) -> Result[tuple[int, ...]]:
    """Solve a plain or generalised assignment with the lead model: the agent of every job.

    ``score[a][j]`` is the whole-number score (or cost) of agent ``a`` doing job ``j``, ``load[a][j]`` what it takes of
    the agent's ``capacity[a]``; without loads and capacities every agent does at most one job (plain assignment). The
    value, bound and gap stand in the result's first stage.
    """
    array = np.asarray(score)
    agents, jobs = ([f"{letter}{k:06d}" for k in range(n)] for letter, n in zip("AJ", array.shape, strict=True))
    pairs = {(a, j): (jobs[j], (agents[a], "")) for a in range(len(agents)) for j in range(len(jobs))}
    data = LeadData(
        tuple(jobs),
        {pair: int(array[k]) for k, pair in pairs.items()},
        dict.fromkeys(pairs.values(), 3),
        reading="several_within_capacity",
        load={} if load is None else {pair: float(np.asarray(load)[k]) for k, pair in pairs.items()},
        capacity={} if capacity is None else {(a, ""): float(c) for a, c in zip(agents, capacity, strict=True)},
        sense=sense,
        unit="",
    )
    result = solve_leads(data, options)
    if isinstance(result, Infeasible | Stopped):
        return result
    number = {a: k for k, a in enumerate(agents)}
    plan = tuple(number[result.plan.leads[j][0]] for j in jobs)
    if isinstance(result, Optimal):
        return Optimal(plan, result.stages)
    return Feasible(plan, result.stages, result.bound, result.gap)
