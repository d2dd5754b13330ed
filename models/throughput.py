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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import nan
from typing import Any

import numpy as np
import pandas as pd
from zjsim.models import enterprise_service, patent_transfer, programmes, seat_outcomes, training
from zjsim.models import feasibility_tables as tables
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
from zjsim.models.past import Past, past, with_past
from zjsim.models.plan_value import SUFFIX, changed_by_plan
from zjsim.models.resource_use import place_names, resource_use, resource_use_monthly

from zjsim.simulate.checkpoint import Checkpoint
from zjsim.simulate.design import Point, preset_design
from zjsim.simulate.ensemble import Cluster, Ensemble, Experiment, Outcome, Outcomes, Progress, Task, batches, stack
from zjsim.simulate.inputs import UncertainInput, Values, base_values
from zjsim.simulate.resources import Resource
from zjsim.simulate.streams import Streams

BREAK_EVEN_ROUNDS = 6
"""Rounds of false position that refine a break-even value: each costs the design replications of one point."""


@dataclass(frozen=True)
class Process:
    """A simulated process, ready to run: its data, its uncertain inputs and what comes out of it.

    ``repeat`` × the replications asked for are made at the base point, ``design_replications`` at each design point;
    ``batch`` is how many replications one task of a worker takes. ``years`` are all years of the plan, ``simulated``
    those that are at least partly simulated (None: all); ``past`` says what came before.
    """

    name: str
    data: Any
    years: tuple[int, ...]
    inputs: tuple[UncertainInput, ...]
    simulate: Callable[[Any, Values, Streams], Outcome]
    outcomes: Mapping[str, tuple[str, str]]
    resources: tuple[Resource, ...] = ()
    repeat: int = 1
    design_replications: int = 3
    batch: int = 4
    past: Past | None = None
    simulated: tuple[int, ...] | None = None

    @property
    def first_day(self) -> date:
        """The first simulated day."""
        as_of: date = getattr(self.data, "as_of", None) or self.data.horizon.first_day - timedelta(days=1)
        return as_of + timedelta(days=1)

    @property
    def end(self) -> float:
        """Days from the first simulated one to the end of the last year."""
        return float((date(self.years[-1] + 1, 1, 1) - self.first_day).days)


@dataclass(frozen=True)
class Study:
    """What was simulated of a process: the base ensemble and every design point with its outcomes.

    ``look``: at which look it stopped (0: the number of replications was fixed); ``confidence`` of each p_low..p_high.
    ``without`` is the base ensemble again without the plan (None where the plan changes nothing).
    """

    process: Process
    base: Outcomes
    points: tuple[Point, ...]
    at_points: tuple[Outcomes, ...]
    look: int = 0
    confidence: float = 0.95
    without: Outcomes | None = None


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
    ``resource_use`` and ``resource_use_monthly``. Equal arguments give equal tables for any number of ``workers``,
    those of a ``cluster``, and for a run that goes on from a ``checkpoint``; ``progress`` is told how many tasks are
    done, and of how many.
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
    )
    return {
        **tables.all_tables(registry, studies, assessments, options.p_required, seed),
        "resource_use": resource_use(studies, place_names(scenario)),
        "resource_use_monthly": resource_use_monthly(studies),
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
) -> tuple[list[Study], list[Assessment]]:
    """Replicate ``processes`` at the base and at their design points and judge those ``targets`` that they answer.

    With ``stopping``, ``replications`` are the most, and an ensemble that can be judged earlier stops at a look.
    ``without``: processes by name with other data, replicated at the base as often, on the same random numbers.
    """
    without = without or {}
    experiments = {p.name: Experiment(p.simulate, p.data) for p in processes}
    experiments |= {name + SUFFIX: Experiment(p.simulate, p.data) for name, p in without.items()}
    with Ensemble(experiments, workers, cluster, checkpoint) as ensemble:
        first = stopping.counts[0] if stopping else replications
        studies = _replicate(processes, ensemble, seed, first, (space_points, single_input_points), progress)
        if stopping:
            studies = grow(studies, targets, ensemble, seed, stopping, progress)
        studies = _beside(studies, without, ensemble, seed)
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


def processes_of(scenario: Any, plan: Mapping[str, pd.DataFrame]) -> list[Process]:
    """The processes of ``scenario`` with what ``plan`` opens, the dearest first."""
    found = []
    before = past(scenario)
    for name, module, data_of, run, repeat, design_replications, batch in (
        ("training", training, training.training_data, training.simulate_training, 1, 2, 4),
        (
            "enterprise_service",
            enterprise_service,
            enterprise_service.enterprise_service_data,
            enterprise_service.simulate_enterprise_service,
            1,
            2,
            4,
        ),
        (
            "patent_transfer",
            patent_transfer,
            patent_transfer.patent_transfer_data,
            patent_transfer.simulate_patent_transfer,
            2,
            4,
            10,
        ),
        ("programmes", programmes, programmes.programmes_data, programmes.simulate_programmes, 10, 40, 200),
        ("seats", seat_outcomes, seat_outcomes.seat_data, seat_outcomes.simulate_seats, 10, 40, 200),
    ):
        data = data_of(scenario, plan)
        inputs = tuple(module.uncertain_inputs(data))
        whole = with_past(run, module.OUTCOMES, before, data.years)
        resources = module.resources(data) if hasattr(module, "resources") else ()
        numbers = (repeat, design_replications, batch, before, data.years)
        found.append(Process(name, data, before.years, inputs, whole, module.OUTCOMES, resources, *numbers))
    return found
