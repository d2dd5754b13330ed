"""All simulated processes put together: replications, design points, and the statement on every target (M001-M118).

Each process has its own inputs and shares none, so each has its own design: the base point, both ends of every
input alone, and space-filling points. ``p_worst`` and ``p_best`` are the extremes over all of them; what a target
depends on is found by moving one input at a time from the base, on the same random numbers.

How many replications: what a process costs decides. Training and enterprise service take most of a second each, so
they are replicated as often as asked, and twice per design point; patent transfer, a tenth of a second, twice as often
as asked and four times per point. Between replications their yearly sums differ by a few per cent, between design
points by a multiple of that, and a paired difference needs few replications. Programmes and seats take milliseconds
and are replicated ten times as often as asked, and forty times per design point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np
import pandas as pd
from zjsim.models import feasibility_tables as tables
from zjsim.models.bottlenecks import bottlenecks
from zjsim.models.ensemble_looks import Stopping, grow, stopping_of
from zjsim.models.feasibility import (
    Array,
    Effect,
    Target,
    correlations,
    critical_margin,
    effect,
    margin_at,
    margins,
    ranked,
    share_met,
    share_met_at,
)
from zjsim.models.marginal_values import marginal_values, relieve
from zjsim.models.outcomes_by_city import outcomes_by_city
from zjsim.models.outcomes_by_county import outcomes_by_county
from zjsim.models.outcomes_by_provider import training_by_provider
from zjsim.models.people import people_data
from zjsim.models.people_tables import people_ledger, people_summary
from zjsim.models.plan_value import SUFFIX, changed_by_plan
from zjsim.models.processes import Process, processes_of
from zjsim.models.reliefs import Relief
from zjsim.models.replication_tables import replication_outcomes, replication_targets
from zjsim.models.resource_use import place_names, resource_use, resource_use_monthly
from zjsim.models.shortfalls import earliest_certainty, shortfall_distribution

from zjsim.simulate.checkpoint import Checkpoint
from zjsim.simulate.design import Point, preset_design
from zjsim.simulate.ensemble import Cluster, Ensemble, Experiment, Outcomes, Progress, Task, batches, stack
from zjsim.simulate.inputs import Values, base_values

BREAK_EVEN_ROUNDS = 6
"""Rounds of false position that refine a break-even value: each costs the design replications of one point."""


@dataclass(frozen=True)
class Study:
    """What was simulated of a process: the base ensemble and every design point with its outcomes.

    ``look``: at which look it stopped (0: the number of replications was fixed); ``confidence`` of each p_low..p_high.
    ``without`` is the base ensemble again without the plan (None where the plan changes nothing); ``relieved`` the
    first base replications with a step more of one resource each.
    """

    process: Process
    base: Outcomes
    points: tuple[Point, ...]
    at_points: tuple[Outcomes, ...]
    look: int = 0
    confidence: float = 0.95
    without: Outcomes | None = None
    relieved: tuple[tuple[Relief, Outcomes], ...] = ()


@dataclass(frozen=True)
class Assessment:
    """What the simulation says about a target: margins by replication, extremes over the design, effects of inputs."""

    target: Target
    process: Process
    values: Array
    margin: Array
    p_points: tuple[float, ...]
    effects: tuple[Effect, ...]
    correlations: tuple[tuple[str, float], ...]
    break_even: float
    confidence: float = 0.95

    @property
    def p_worst(self) -> float:
        """Lowest p_meet over the base and all design points."""
        return min(self.p_points)

    @property
    def p_best(self) -> float:
        """Highest p_meet over the base and all design points."""
        return max(self.p_points)


def simulate(
    scenario: Any,
    plan: Mapping[str, pd.DataFrame],
    *,
    seed: int,
    replications: int,
    workers: int = 1,
    progress: Progress | None = None,
    cluster: Cluster | None = None,
    checkpoint: Checkpoint | None = None,
) -> dict[str, pd.DataFrame]:
    """Simulate every process of ``scenario`` with what ``plan`` opens, and judge every target.

    Returns the tables ``target_feasibility``, ``plan_value``, ``targets_not_modelled``, ``yearly_outcomes``,
    ``deciding_inputs``, ``design_points``, ``design_values``, ``uncertain_inputs``, ``simulation_settings``,
    ``resource_use``, ``resource_use_monthly``, ``bottlenecks``, ``marginal_values``, ``shortfall_distribution``,
    ``earliest_certainty``, ``outcomes_by_city``, ``outcomes_by_county``, ``training_by_provider``, ``people_ledger``,
    ``people_summary``, ``replication_targets`` and ``replication_outcomes``. Equal arguments give equal tables for any
    number of ``workers``, those of a ``cluster``, and for a run that goes on from a ``checkpoint``; ``progress`` is
    told how many tasks are done, and of how many.
    """
    options = scenario.parameters.simulation
    registry = scenario.table("targets")
    targets = [target_of(row) for _, row in registry.iterrows()]
    headline = [t for t, is_default in zip(targets, registry["is_default"], strict=True) if is_default and t.outcome]
    asked = (options.stopping, options.looks, options.stopping_error)
    processes = processes_of(scenario, plan)
    studies, assessments = assess(
        processes,
        [t for t in targets if t.outcome],
        seed=seed,
        replications=replications,
        space_points=options.design_points,
        single_input_points=options.single_input_points,
        p_required=options.p_required,
        stopping=stopping_of(asked, replications, headline, options.p_required),
        workers=workers,
        progress=progress,
        cluster=cluster,
        checkpoint=checkpoint,
        without=changed_by_plan(processes, processes_of(scenario, {})),
        marginal_replications=options.marginal_replications,
    )
    names = place_names(scenario)
    use, marginal = resource_use(studies, names), marginal_values(registry, studies, assessments, names)
    universities, people = scenario.table("universities"), people_data(scenario, plan)
    return {
        **tables.all_tables(registry, studies, assessments, options.p_required, seed),
        "resource_use": use,
        "resource_use_monthly": resource_use_monthly(studies),
        "marginal_values": marginal,
        "bottlenecks": bottlenecks(
            use, marginal, dict(zip(universities["moe_code"], universities["city_code"], strict=True))
        ),
        "shortfall_distribution": shortfall_distribution(registry, assessments),
        "earliest_certainty": earliest_certainty(registry, studies, assessments, options.p_required),
        "outcomes_by_city": outcomes_by_city(studies, names),
        "outcomes_by_county": outcomes_by_county(studies, names),
        "people_ledger": people_ledger(people, studies, names),
        "people_summary": people_summary(people, studies),
        "replication_targets": replication_targets(assessments, studies),
        "replication_outcomes": replication_outcomes(studies),
        "training_by_provider": training_by_provider(studies, scenario),
    }


def target_of(row: pd.Series) -> Target:
    """A row of the registry ``targets`` as the simulation sees it."""
    return Target(
        target_id=row["target_id"],
        reading=row["reading"],
        comparator=row["comparator"],
        bound=float(row["bound"]),
        period=row["period"],
        first_year=int(row["start"][:4]),
        last_year=int(row["deadline"][:4]),
        baseline=float(row["baseline"]),
        outcome=row["outcome"],
    )


def assess(
    processes: Sequence[Process],
    targets: Sequence[Target],
    *,
    seed: int,
    replications: int,
    space_points: int,
    single_input_points: bool = True,
    p_required: float,
    stopping: Stopping | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    cluster: Cluster | None = None,
    checkpoint: Checkpoint | None = None,
    without: Mapping[str, Process] | None = None,
    marginal_replications: int = 0,
) -> tuple[list[Study], list[Assessment]]:
    """Replicate ``processes`` at the base and at their design points and judge those ``targets`` that they answer.

    With ``stopping``, ``replications`` are the most, and an ensemble that can be judged earlier stops at a look.
    ``without``: processes by name with other data, replicated at the base as often, on the same random numbers.
    ``marginal_replications`` × repeats are made of every relief (:mod:`zjsim.models.reliefs`).
    """
    without = without or {}
    experiments = {p.name: Experiment(p.simulate, p.data, 1 / p.batch) for p in processes}
    experiments |= {name + SUFFIX: Experiment(p.simulate, p.data, 1 / p.batch) for name, p in without.items()}
    with Ensemble(experiments, workers, cluster, checkpoint) as ensemble:
        first = stopping.counts[0] if stopping else replications
        studies = _replicate(processes, ensemble, seed, first, (space_points, single_input_points), progress)
        if stopping:
            studies = grow(studies, targets, ensemble, seed, stopping, progress)
        studies = relieve(_beside(studies, without, ensemble, seed), ensemble, seed, marginal_replications)
        drafts = [
            _draft(target, study, p_required)
            for target in targets
            for study in studies
            if target.outcome in study.process.outcomes
        ]
        return studies, _refine(drafts, studies, ensemble, seed, p_required)


def _replicate(
    processes: Sequence[Process],
    ensemble: Ensemble,
    seed: int,
    replications: int,
    design: tuple[int, bool],
    progress: Progress | None,
) -> list[Study]:
    """All replications of all processes in one go, so that no worker waits for another process to end."""
    tasks: list[Task] = []
    cuts: list[tuple[int, int]] = []

    def ask(process: Process, values: Values, count: int) -> None:
        parts = batches(Task(process.name, values, seed, 0, count), process.batch)
        cuts.append((len(tasks), len(tasks) + len(parts)))
        tasks.extend(parts)

    designs = {p.name: preset_design(p.inputs, *design) for p in processes}
    for process in processes:
        base, *others = designs[process.name]
        ask(process, base.values, replications * process.repeat)
        for point in others:
            ask(process, point.values, min(process.design_replications, replications * process.repeat))
    parts = ensemble.run(tasks, progress)
    outcomes = iter([stack(parts[a:b]) for a, b in cuts])
    return [
        Study(p, next(outcomes), tuple(designs[p.name]), tuple(next(outcomes) for _ in designs[p.name][1:]))
        for p in processes
    ]


def _beside(studies: Sequence[Study], without: Mapping[str, Process], ensemble: Ensemble, seed: int) -> list[Study]:
    """The studies with their base ensembles made again ``without`` the plan, as many replications on the same draws."""
    tasks: list[Task] = []
    cuts: dict[str, tuple[int, int]] = {}
    for study in studies:
        name = study.process.name
        if name in without:
            count = len(next(iter(study.base.values())))
            task = Task(name + SUFFIX, base_values(without[name].inputs), seed, 0, count)
            parts = batches(task, study.process.batch)
            cuts[name] = (len(tasks), len(tasks) + len(parts))
            tasks += parts
    found = ensemble.run(tasks) if tasks else []
    return [
        replace(s, without=stack(found[slice(*cuts[s.process.name])])) if s.process.name in cuts else s for s in studies
    ]


def _draft(target: Target, study: Study, p_required: float) -> Assessment:
    """The assessment of ``target`` before break-even values are refined."""
    process = study.process
    values = study.base[target.outcome]
    margin = margins(target, values, process.years)
    at_points = [margins(target, outcomes[target.outcome], process.years) for outcomes in study.at_points]
    at_base = critical_margin(margin, p_required)
    shifted = {
        (point.kind, point.input_id): margin_at(m, margin, p_required)
        for point, m in zip(study.points[1:], at_points, strict=True)
    }
    effects = [
        effect(
            source,
            at_base,
            shifted.get(("low", source.input_id), at_base),
            shifted.get(("high", source.input_id), at_base),
        )
        for source in process.inputs
    ]
    movers = {e.input_id for e in effects if (e.at_low, e.at_high) != (e.at_base, e.at_base)}
    space = [
        ({i: v for i, v in p.values.items() if i in movers}, float(m.mean()))
        for p, m in zip(study.points[1:], at_points, strict=True)
        if p.kind == "space"
    ]
    return Assessment(
        target=target,
        process=process,
        values=values,
        margin=margin,
        p_points=(share_met(margin), *(share_met_at(m, margin) for m in at_points)),
        effects=tuple(ranked(effects)),
        correlations=tuple(correlations([v for v, _ in space], np.array([m for _, m in space]))),
        break_even=nan,
        confidence=study.confidence,
    )


class _Bracket:
    """A break-even value being closed in on: an input value on either side, with the critical margins there.

    A share that cannot rise above what is asked has margin zero however far it is met, which says nothing on the
    distance: such a bracket is halved, any other one narrowed by false position (Illinois rule).
    """

    def __init__(self, near: float, margin_near: float, far: float, margin_far: float) -> None:
        self.near, self.margin_near, self.far, self.margin_far = near, margin_near, far, margin_far
        self.ceiling = not margin_near or not margin_far

    def guess(self) -> float:
        """The value to look at next; the break-even value itself once nothing is left between the sides."""
        if self.ceiling:
            return (self.near + self.far) / 2
        return self.near + (self.far - self.near) * self.margin_near / (self.margin_near - self.margin_far)

    def put(self, value: float, margin: float) -> None:
        """Replace the side on which ``margin`` has the same sign."""
        if not margin and not self.ceiling:
            self.near = self.far = value
        elif (margin >= 0) == (self.margin_near >= 0):
            self.near, self.margin_near, self.margin_far = value, margin, self.margin_far / 2
        else:
            self.far, self.margin_far, self.margin_near = value, margin, self.margin_near / 2


def _refine(
    drafts: Sequence[Assessment], studies: Sequence[Study], ensemble: Ensemble, seed: int, p_required: float
) -> list[Assessment]:
    """Close in on the break-even value of each target's deciding input, all targets at once, on the same draws."""
    open_: dict[int, _Bracket] = {}
    for k, draft in enumerate(drafts):
        first = draft.effects[0] if draft.effects else None
        if first is None or not np.isfinite(first.distance) or not draft.p_worst < p_required <= draft.p_best:
            continue
        source = next(i for i in draft.process.inputs if i.input_id == first.input_id)
        to_low = first.break_even < source.mode
        open_[k] = _Bracket(
            source.mode,
            first.at_base,
            source.low if to_low else source.high,
            first.at_low if to_low else first.at_high,
        )
    bases = {s.process.name: dict(s.points[0].values) for s in studies}
    for _ in range(BREAK_EVEN_ROUNDS):
        order = sorted(open_)
        tasks = []
        for k in order:
            process, input_id = drafts[k].process, drafts[k].effects[0].input_id
            values = {**bases[process.name], input_id: open_[k].guess()}
            count = min(process.design_replications, len(drafts[k].margin))
            tasks.append(Task(process.name, values, seed, 0, count))
        for k, task, found in zip(order, tasks, ensemble.run(tasks), strict=True):
            draft = drafts[k]
            margin = margins(draft.target, found[draft.target.outcome], draft.process.years)
            open_[k].put(task.values[draft.effects[0].input_id], margin_at(margin, draft.margin, p_required))
    return [
        d if k not in open_ else Assessment(**{**_fields(d), "break_even": open_[k].guess()})
        for k, d in enumerate(drafts)
    ]


def _fields(assessment: Assessment) -> dict[str, Any]:
    return {name: getattr(assessment, name) for name in assessment.__dataclass_fields__}


__all__ = ["Assessment", "Process", "Study", "assess", "processes_of", "simulate", "target_of"]
