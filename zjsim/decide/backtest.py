"""Back-test: what was forecast and advised at the end of a year, scored against what came in the years after (M123).

While there is no history, what comes is drawn from another world than the simulation's (:mod:`zjsim.simulate.truths`);
a file of actual values makes it history. Two forecasts are scored side by side: with every input at its mode, which is
what p05 to p95 of a run show, and with every input drawn evenly over its declared range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from zjsim.decide.backtest_scores import (
    Case,
    advice_table,
    outcome_table,
    reliability_table,
    summary_table,
    target_table,
)
from zjsim.decide.backtest_truths import Truth, actual_rows, histories, kinds_of, with_past_of
from zjsim.decide.planned import Planned
from zjsim.models.plan_value import same
from zjsim.models.processes import Process, processes_of
from zjsim.models.throughput import target_of
from zjsim.scenario.actual_checks import outcome_kinds
from zjsim.simulate.design import at_share
from zjsim.simulate.ensemble import Ensemble, Experiment, Outcomes, Task, stack
from zjsim.simulate.inputs import UncertainInput, base_values
from zjsim.simulate.streams import Streams
from zjsim.simulate.truths import drawn_inputs
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.values import nearest

if TYPE_CHECKING:
    from zjsim.engine import Engine
    from zjsim.models.feasibility import Target

World = Literal["other", "own"]
MODES, RANGES = "modes", "ranges"
LAWS = (MODES, RANGES)
TRUTH_SEED = 7_654_321
"""Added to the seed of the forecasts: no truth shares a draw with a forecast."""
NO_PLAN = "no_plan"

Variant = dict[str, Process]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Asked:
    """A back-test in full: the plans (the first one is carried out), from which year on, in how many truths."""

    plans: tuple[Planned, ...]
    year: int
    truths: int
    replications: int
    world: World
    targets: tuple[Target, ...]
    rows: tuple[Mapping[str, Any], ...]

    @property
    def scenario(self) -> Any:
        """The scenario of the plan that is carried out."""
        return self.plans[0].scenario

    @property
    def seed(self) -> int:
        """The seed of the forecasts."""
        return self.plans[0].seed

    @property
    def labels(self) -> list[str]:
        """Names of the alternatives, that of no plan last."""
        return [*(p.label for p in self.plans), NO_PLAN]

    def variants(self, scenario: Any) -> list[Variant]:
        """The processes that are asked for under each alternative; those whose data are the same are one object."""
        wanted = {t.outcome for t in self.targets}
        found: list[Variant] = []
        for plan in (*(p.plan for p in self.plans), {}):
            own = {p.name: p for p in processes_of(scenario, plan) if wanted & p.outcomes.keys()}
            for name, process in own.items():
                own[name] = next((v[name] for v in found if same(v[name].data, process.data)), process)
            found.append(own)
        return found


def asked(
    plans: Sequence[Planned],
    *,
    targets: Sequence[str] = (),
    year: int | None = None,
    truths: int = 40,
    replications: int = 40,
    world: World = "other",
) -> Asked:
    """Check what is asked; raises ``InputErrors`` for an unknown target and for a year that cannot be forecast from."""
    scenario = plans[0].scenario
    time, registry = scenario.parameters.time, scenario.table("targets")
    faults = []
    if (time.as_of.month, time.as_of.day) != (12, 31):
        faults.append(finding("backtest_as_of", str(scenario.name), value=str(time.as_of), theme="decide.rule"))
    first = time.as_of.year
    chosen = first if year is None else year
    if not first <= chosen < time.horizon.year:
        limits = {"first": first, "last": time.horizon.year - 1}
        faults.append(finding("backtest_year", "--from", value=str(chosen), theme="decide.rule", words=limits))
    modelled = registry[(registry["outcome"] != "") & registry["is_default"]]
    known = list(modelled["target_id"])
    for wrong in (t for t in targets if t not in known):
        faults.append(finding("no_target", "--target", value=wrong, fix=nearest(wrong, known), theme="decide.rule"))
    if faults:
        raise InputErrors(faults)
    rows = modelled if not targets else modelled[modelled["target_id"].isin(targets)]
    chosen_targets = tuple(target_of(row) for _, row in rows.iterrows())
    told = tuple({str(k): v for k, v in row.items()} for row in rows.to_dict("records"))
    return Asked(tuple(plans), chosen, truths, replications, world, chosen_targets, told)


def backtest(
    ask: Asked, *, history: pd.DataFrame | None = None, engine: Engine, progress: Progress | None = None
) -> tuple[dict[str, pd.DataFrame], list[pd.DataFrame]]:
    """The scorecard, and what came in every truth as rows of the registry ``actuals``.

    Tables: ``backtest_summary``, ``backtest_targets``, ``backtest_outcomes``, ``backtest_reliability``,
    ``backtest_advice`` (which alternative was advised, and whether it was right; none with ``history``, where only one
    plan was carried out). ``history``: rows of the registry ``actuals`` that take the place of drawn truths. Equal
    arguments give equal tables for any number of workers.
    """
    variants = ask.variants(ask.scenario)
    tell = progress or (lambda done, total: None)
    later = ask.year > ask.scenario.parameters.time.as_of.year
    if history is None:
        truths = _draw(ask, variants, engine, lambda d, t: tell(d, t * (4 if later else 2)))
    else:
        truths = [with_past_of(Truth.of_history(history, outcome_kinds(ask.scenario.table("targets"))), len(variants))]
    groups = [(variants, truths)]
    if later:
        groups = [(ask.variants(at_end_of(ask.scenario, ask.year, t.actuals)), [t]) for t in truths]
    part = 0.25 if later else 0.5
    cases = _forecast(ask, groups, engine, lambda d, t: tell(int(1000 * (part + (1 - part) * d / t)), 1000))
    tables = {
        "backtest_summary": summary_table(ask, cases),
        "backtest_targets": target_table(ask, cases),
        "backtest_outcomes": outcome_table(ask, cases),
        "backtest_reliability": reliability_table(ask, cases),
        "backtest_advice": advice_table(ask, cases, variants, scored=history is None),
    }
    return tables, [t.actuals for t in truths]


def at_end_of(scenario: Any, year: int, actuals: pd.DataFrame) -> Any:
    """``scenario`` as of the end of ``year``, with what came until then as its past."""
    parameters = scenario.parameters
    moved = parameters.model_copy(update={"time": parameters.time.model_copy(update={"as_of": date(year, 12, 31)})})
    known = actuals[actuals["quarter"].str[:4].astype(int) <= year].reset_index(drop=True)
    return replace(scenario, parameters=moved, tables={**scenario.tables, "actuals": known})


def even_inputs(inputs: Sequence[UncertainInput], streams: Streams) -> dict[str, float]:
    """Every input evenly over its range (in the logarithm of a lognormal one)."""
    return {i.input_id: at_share(i, float(streams.uniforms("ranges", i.input_id, 0, 1)[0])) for i in inputs}


def _distinct(variants: Sequence[Variant]) -> list[tuple[int, str, Process]]:
    """Every process once: the first alternative that has it, its name and itself."""
    return [
        (k, name, process)
        for k, variant in enumerate(variants)
        for name, process in variant.items()
        if all(process is not earlier.get(name) for earlier in variants[:k])
    ]


def _draw(ask: Asked, variants: Sequence[Variant], engine: Engine, tell: Progress) -> list[Truth]:
    """Truths under every alternative, all on the same draws."""
    seed = ask.seed + TRUTH_SEED
    distinct = _distinct(variants)
    own = ask.world == "own"
    tasks = []
    for k, name, process in distinct:
        for n in range(ask.truths):
            streams = Streams(seed, n)
            values = even_inputs(process.inputs, streams) if own else drawn_inputs(process.inputs, streams)
            tasks.append(Task(f"{k} {name}", values, seed, n, 1))
    experiments = {f"{k} {name}": Experiment(p.simulate, p.data) for k, name, p in distinct}
    with Ensemble(experiments, **engine.options()) as ensemble:
        answers = iter(ensemble.run(tasks, tell))
    found = {(k, name): [next(answers) for _ in range(ask.truths)] for k, name, _ in distinct}
    kinds = kinds_of(ask.scenario, variants[-1])
    truths = []
    for n in range(ask.truths):
        skeletons = [
            {o: v[0] for name, p in variant.items() for o, v in found[_first(variants, name, p), name][n].items()}
            for variant in variants
        ]
        by_quarter = histories(ask.scenario, variants, skeletons, kinds, Streams(seed, n), own=own)
        rows = actual_rows(by_quarter[0], kinds, ask.scenario, number=n + 1)
        truths.append(Truth.drawn(n + 1, rows, by_quarter, kinds, ask.scenario, ask.year))
    return truths


def _first(variants: Sequence[Variant], name: str, process: Process) -> int:
    return next(k for k, v in enumerate(variants) if v.get(name) is process)


def _forecast(
    ask: Asked, groups: Sequence[tuple[Sequence[Variant], Sequence[Truth]]], engine: Engine, tell: Progress
) -> list[Case]:
    """Both forecasts of every group of truths that share a past, under every alternative, on the same futures."""
    experiments: dict[str, Experiment] = {}
    tasks: list[Task] = []
    cuts: dict[tuple[int, int, str, str], tuple[int, int]] = {}
    for g, (variants, _) in enumerate(groups):
        for k, name, process in _distinct(variants):
            key = f"{g} {k} {name}"
            experiments[key] = Experiment(process.simulate, process.data)
            for law in LAWS:
                begin = len(tasks)
                for r in range(ask.replications):
                    values = base_values(process.inputs)
                    if law == RANGES:
                        values = even_inputs(process.inputs, Streams(ask.seed, r))
                    tasks.append(Task(key, values, ask.seed, r, 1))
                cuts[g, k, name, law] = (begin, len(tasks))
    with Ensemble(experiments, **engine.options()) as ensemble:
        parts = ensemble.run(tasks, tell)
    cases = []
    for g, (variants, truths) in enumerate(groups):
        forecasts: dict[str, list[Outcomes]] = {law: [] for law in LAWS}
        for law in LAWS:
            for variant in variants:
                whole: Outcomes = {}
                for name, process in variant.items():
                    whole |= stack(parts[slice(*cuts[g, _first(variants, name, process), name, law])])
                forecasts[law].append(whole)
        years = next(iter(variants[0].values())).years
        cases += [Case(t, forecasts, years, ask.year) for t in truths]
    return cases
