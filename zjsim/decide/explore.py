"""What matters: the ranges of everything not known are sampled, and every plan is simulated at every point.

With levers, what a planner can choose is sampled beside it; every table and sentence says which is which.

Sensitivity says how much of a target's figure each input moves; discovery says in which part of the ranges a target is
missed, as a sentence; robustness says how plans compare over all of it. All plans meet the same points and the same
random numbers. Input uncertainty only: the spread between replications is averaged out, and stands in the runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zjsim.decide.discovery import Box, discover
from zjsim.decide.lever_ranges import LEVER, UNCERTAINTY, Lever, lever_table, levers_of
from zjsim.decide.planned import Planned
from zjsim.decide.sensitivity import Floats, indices, saltelli
from zjsim.models.feasibility import Target, margins
from zjsim.models.processes import Process, processes_of
from zjsim.models.throughput import target_of
from zjsim.simulate.design import at_share
from zjsim.simulate.ensemble import Ensemble, Experiment, Outcomes, Task
from zjsim.simulate.inputs import UncertainInput, base_values
from zjsim.simulate.statistics import clopper_pearson
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.values import nearest
from zjsim.texts import LANGUAGES, Language, text

if TYPE_CHECKING:
    from zjsim.engine import Engine

POINT_COLUMNS = ("process", "point", "sample", "role", "input_id", "value")
OUTCOME_COLUMNS = ("plan", "process", "point", "target_id", "reading", "mean_margin", "share_met")
SENSITIVITY_COLUMNS = (
    "plan", "target_id", "reading", "indicator_zh", "indicator_en", "rank", "role", "input_id", "input_zh",
    "input_en", "basis", "total", "total_low", "total_high", "first", "first_low", "first_high",
)  # fmt: skip
BOX_COLUMNS = (
    "plan", "target_id", "reading", "indicator_zh", "indicator_en", "box", "density", "coverage", "mass", "chance",
    "points", "said_zh", "said_en",
)  # fmt: skip
ROBUST_COLUMNS = (
    "plan", "target_id", "reading", "indicator_zh", "indicator_en", "unit", "over", "points",
    "share_satisfied", "share_satisfied_low", "share_satisfied_high", "worst_margin", "mean_margin", "regret_max",
    "regret_p95", "regret_mean",
)  # fmt: skip


@dataclass(frozen=True)
class _Asked:
    """A target reading that is explored: as the simulation judges it, its row of the registry, the process it is of."""

    target: Target
    row: Mapping[str, Any]
    process: str


@dataclass(frozen=True)
class Dimension:
    """What is sampled: an uncertain input, or a lever over its range."""

    source: UncertainInput
    lever: Lever | None = None

    @property
    def role(self) -> str:
        """``lever`` or ``uncertainty``."""
        return UNCERTAINTY if self.lever is None else LEVER

    def entries(self, value: float) -> dict[str, float]:
        """What a replication gets to know of this dimension's ``value``."""
        return {self.source.input_id: value} if self.lever is None else self.lever.entries(value)


_Found = tuple[Planned, _Asked, Process, Floats]
Design = list[dict[str, float]]


def explore(
    plans: Sequence[Planned],
    *,
    targets: Sequence[str] = (),
    points: int = 32,
    replications: int = 2,
    levers: bool = False,
    engine: Engine,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, pd.DataFrame]:
    """Simulate every plan at (d + 2) · ``points`` points of each process that a target of ``targets`` (ids) is of.

    Without ``targets`` all modelled ones are explored in their default reading. ``points`` is a power of two, d the
    number of a process's uncertain inputs (with ``levers`` also of what a planner can move there); each point is
    replicated ``replications`` times with the seed of the first plan.

    Tables: ``explored_points``, ``explored_outcomes``, ``sensitivity``, ``scenario_boxes``, ``robustness``, and
    ``explored_levers`` (each sampled, or why not). Raises ``InputErrors`` for a target that the first plan does not
    know, and for a number of points that is no power of two.
    """
    if points < 2 or points & (points - 1):
        raise InputErrors([finding("not_a_power", "--points", value=str(points), theme="decide.rule")])
    made = [{p.name: p for p in processes_of(plan.scenario, plan.plan)} for plan in plans]
    asked = _asked(plans[0], made[0], targets)
    names = list(dict.fromkeys(a.process for a in asked))
    movable = levers_of(plans[0].scenario, {n: made[0][n] for n in names}) if levers else []
    dimensions = {name: _dimensions(made[0][name], movable) for name in names}
    designs = {name: _design(dimensions[name], points) for name in names}
    keys = [(k, name) for name in names for k in range(len(plans))]
    experiments = {f"{k} {name}": Experiment(made[k][name].simulate, made[k][name].data) for k, name in keys}
    tasks = [
        Task(f"{k} {name}", _values(made[k][name], dimensions[name], point), plans[0].seed, 0, replications)
        for k, name in keys
        for point in designs[name]
    ]
    with Ensemble(experiments, **engine.options()) as ensemble:
        answers = iter(ensemble.run(tasks, progress))
    outcomes: dict[tuple[int, str], list[Outcomes]] = {
        (k, name): [next(answers) for _ in designs[name]] for k, name in keys
    }
    found: list[_Found] = []
    for k, plan in enumerate(plans):
        for a in asked:
            process = made[k][a.process]
            values = [margins(a.target, o[a.target.outcome], process.years) for o in outcomes[k, a.process]]
            found.append((plan, a, process, np.array(values)))
    required = plans[0].scenario.parameters.simulation.p_required
    boxes = [r for f in found for r in _box_rows(*f, dimensions[f[1].process], designs[f[1].process], points, required)]
    effects = [r for f in found for r in _index_rows(*f, dimensions[f[1].process])]
    told = [r for f in found for r in _outcome_rows(*f)]
    spread = [_point_rows(n, dimensions[n], designs[n], points) for n in names]
    robust = _robust_rows(plans, asked, found, points, required, dimensions)
    tables = {
        "explored_points": pd.concat(spread, ignore_index=True),
        "explored_outcomes": pd.DataFrame(told, columns=list(OUTCOME_COLUMNS)),
        "sensitivity": pd.DataFrame(effects, columns=list(SENSITIVITY_COLUMNS)),
        "scenario_boxes": pd.DataFrame(boxes, columns=list(BOX_COLUMNS)),
        "robustness": pd.DataFrame(robust, columns=list(ROBUST_COLUMNS)),
    }
    return tables | ({"explored_levers": lever_table(plans[0].scenario, movable)} if levers else {})


def _asked(plan: Planned, processes: Mapping[str, Process], ids: Sequence[str]) -> list[_Asked]:
    registry = plan.scenario.table("targets")
    known = list(dict.fromkeys(registry.loc[registry["outcome"] != "", "target_id"]))
    wrong = [i for i in ids if i not in known]
    if wrong:
        faults = [finding("no_target", "--target", value=i, fix=nearest(i, known), theme="decide.rule") for i in wrong]
        raise InputErrors(faults)
    asked = []
    for row in registry[registry["is_default"] & (registry["outcome"] != "")].to_dict("records"):
        of = next((p.name for p in processes.values() if row["outcome"] in p.outcomes), None)
        if of is not None and (not ids or row["target_id"] in ids):
            asked.append(_Asked(target_of(pd.Series(row)), {str(k): v for k, v in row.items()}, of))
    return asked


def _dimensions(process: Process, levers: Sequence[Lever]) -> list[Dimension]:
    """Uncertain inputs of a process by id, then the levers that it follows."""
    own = [Dimension(i) for i in sorted(process.inputs, key=lambda i: i.input_id)]
    return own + [Dimension(lever.source, lever) for lever in levers if process.name in lever.processes]


def _design(dimensions: Sequence[Dimension], points: int) -> Design:
    """The points as values of every dimension, uniform over their declared ranges."""
    return [
        {d.source.input_id: at_share(d.source, float(u)) for d, u in zip(dimensions, row, strict=True)}
        for row in saltelli(len(dimensions), points)
    ]


def _values(process: Process, dimensions: Sequence[Dimension], point: Mapping[str, float]) -> dict[str, float]:
    values = base_values(process.inputs)
    for dimension in dimensions:
        values |= dimension.entries(point[dimension.source.input_id])
    return values


def _point_rows(process: str, dimensions: Sequence[Dimension], design: Design, points: int) -> pd.DataFrame:
    ids = [d.source.input_id for d in dimensions]
    role = dict(zip(ids, (d.role for d in dimensions), strict=True))
    samples = ["A", "B", *(f"A with {i} of B" for i in ids)]
    table = pd.DataFrame(design).melt(ignore_index=False, var_name="input_id").sort_index(kind="stable")
    table = table.assign(process=process, point=table.index, sample=[samples[p // points] for p in table.index])
    return table.assign(role=table["input_id"].map(role))[list(POINT_COLUMNS)]


def _outcome_rows(plan: Planned, a: _Asked, process: Process, margin: Floats) -> Iterator[tuple[Any, ...]]:
    for point, own in enumerate(margin):
        target = (a.target.target_id, a.target.reading)
        yield plan.label, process.name, point, *target, float(own.mean()), float((own >= 0).mean())


def _names(a: _Asked) -> tuple[Any, ...]:
    return a.target.target_id, a.target.reading, a.row["indicator_zh"], a.row["indicator_en"]


def _index_rows(
    plan: Planned, a: _Asked, process: Process, margin: Floats, dimensions: Sequence[Dimension]
) -> list[tuple[Any, ...]]:
    inputs = [d.source for d in dimensions]
    found = indices(margin.mean(axis=1), len(inputs))
    order = sorted(range(len(inputs)), key=lambda j: (-found[j].total, inputs[j].input_id))
    rows = []
    for rank, j in enumerate(order, start=1):
        i, v = inputs[j], found[j]
        said = (dimensions[j].role, i.input_id, i.name_zh, i.name_en, i.basis)
        numbers = (v.total, v.total_low, v.total_high, v.first, v.first_low, v.first_high)
        rows.append((plan.label, *_names(a), rank, *said, *numbers))
    return rows


def _box_rows(
    plan: Planned, a: _Asked, process: Process, margin: Floats, dimensions: Sequence[Dimension], design: Design,
    points: int, required: float,
) -> list[tuple[Any, ...]]:  # fmt: skip
    """Boxes of the ranges in which the target is missed: fewer of the replications than asked meet it."""
    filled = np.array([[v[d.source.input_id] for d in dimensions] for v in design[: 2 * points]])
    missed = (margin[: 2 * points] >= 0).mean(axis=1) < required
    rows = []
    for number, box in enumerate(discover(filled, missed), start=1):
        said = [_sentence(box, dimensions, lang) for lang in LANGUAGES]
        told = (box.density, box.coverage, box.mass, box.chance, 2 * points)
        rows.append((plan.label, *_names(a), number, *told, *said))
    return rows


def _sentence(box: Box, dimensions: Sequence[Dimension], lang: Language) -> str:
    """The box in words: every bounded input with its bounds and unit, what a planner can choose named as such."""
    parts = []
    for j in box.restricted:
        source = dimensions[j].source
        name = source.name_zh if lang == "zh" else source.name_en
        if dimensions[j].lever is not None:
            name = text("explore.lever", lang, name=name)
        low, high = float(box.low[j]), float(box.high[j])
        key = "between" if np.isfinite(low) and np.isfinite(high) else "above" if np.isfinite(low) else "below"
        numbers = {
            "low": f"{low:.4g}",
            "high": f"{high:.4g}",
            "unit": source.unit_zh or source.unit if lang == "zh" else source.unit,
        }
        parts.append(text(f"explore.{key}", lang, name=name, **numbers))
    conditions = text("explore.and", lang).join(parts)
    return text(
        "explore.box", lang, conditions=conditions, density=f"{box.density:.0%}", coverage=f"{box.coverage:.0%}",
        chance=f"{box.chance:.0%}",
    )  # fmt: skip


def _robust_rows(
    plans: Sequence[Planned], asked: Sequence[_Asked], found: Sequence[_Found], points: int, required: float,
    dimensions: Mapping[str, Sequence[Dimension]],
) -> list[tuple[Any, ...]]:  # fmt: skip
    """Over the independent points: where a plan meets a target, and how far it stays behind the best plan there."""
    rows = []
    for a in asked:
        over = "levers_too" if any(d.lever is not None for d in dimensions[a.process]) else "uncertainties"
        own = {plan.label: margin[: 2 * points] for plan, b, _, margin in found if b is a}
        best = np.max([m.mean(axis=1) for m in own.values()], axis=0)
        for plan in plans:
            margin = own[plan.label]
            met = int(((margin >= 0).mean(axis=1) >= required).sum())
            regret = best - margin.mean(axis=1)
            means = margin.mean(axis=1)
            shares = (met / (2 * points), *clopper_pearson(met, 2 * points))
            regrets = (float(regret.max()), float(np.quantile(regret, 0.95)), float(regret.mean()))
            rows.append(
                (plan.label, *_names(a), a.row["unit"], over, 2 * points, *shares, means.min(), means.mean(), *regrets)
            )
    return rows
