"""The report before: what it forecast for the quarters that have come since, and what it had been told (M124)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.decide.planned import plan_tables, typed
from zjsim.decide.runs import RunFiles, open_run
from zjsim.models.processes import processes_of
from zjsim.models.throughput import Study
from zjsim.models.tracking_paths import outcome_paths
from zjsim.simulate.ensemble import Ensemble, Experiment, Task, batches, stack
from zjsim.simulate.inputs import base_values
from zjsim.tables.errors import InputErrors, finding

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.engine import Engine

KIND = "tracking"
_MOST = 100
"""Replications with which the path of a run is made again: its mean and spread are wanted, no probability."""


@dataclass(frozen=True)
class Before:
    """What stood in the report before (a report of ``zjsim track``, or a run).

    ``path``: as ``track_path``; ``judged`` by (target, reading): p_meet, mean, light ("" for a run); ``cusum`` by
    outcome; ``actuals`` by (outcome, area, quarter).
    """

    label: str
    as_of: date
    path: pd.DataFrame
    judged: Mapping[tuple[str, str], Mapping[str, Any]]
    cusum: Mapping[str, float]
    actuals: Mapping[tuple[str, str, str], float]

    def forecast(self, outcome: str, end: date) -> tuple[float, float, float]:
        """What was to come about by ``end``: mean, standard deviation, lowest mean over the design points; NaN if
        the report did not tell it."""
        own = self.path[(self.path["outcome"] == outcome) & (self.path["end"] == end.isoformat())]
        own = own[own["status"] == "forecast"]
        if not len(own):
            return nan, nan, nan
        mean, sd, worst = (float(own[c].iloc[0]) for c in ("since_mean", "since_sd", "since_worst"))
        return mean, sd, worst


def report_before(folder: Path, as_of: date, engine: Engine) -> Before:
    """Open the folder of a report or of a run that is older than ``as_of``.

    A run keeps no quarters of its replications: they are made again from the inputs and the plan that it keeps (same
    seed, at most 100 replications). Raises ``InputErrors`` where it is neither, or not older.
    """
    run = open_run(folder)
    earlier = date.fromisoformat(str(run.manifest.get("as_of") or "9999-12-31"))
    if earlier >= as_of:
        words = {"earlier": "–" if earlier.year == 9999 else earlier.isoformat(), "as_of": as_of.isoformat()}
        raise InputErrors([finding("since_not_earlier", str(folder), theme="decide.rule", words=words)])
    if run.manifest.get("kind") == KIND:
        return _from_report(run, earlier)
    targets = run.table("target_feasibility")
    return Before(
        label=run.label,
        as_of=earlier,
        path=_path_of_run(run, engine),
        judged={
            (r["target_id"], r["reading"]): {"p_meet": r["p_meet"], "mean": r["mean"], "light": ""}
            for r in targets.to_dict("records")
        },
        cusum={},
        actuals=_actuals(run.scenario().table("actuals"), earlier),
    )


def _from_report(run: RunFiles, earlier: date) -> Before:
    targets = typed(run.table("track_targets"))
    cusums = {r["outcome"]: float(r["cusum"]) for r in targets.to_dict("records") if r["cusum"] == r["cusum"]}
    return Before(
        label=run.label,
        as_of=earlier,
        path=run.table("track_path"),
        judged={
            (r["target_id"], r["reading"]): {"p_meet": r["p_meet"], "mean": r["mean"], "light": r["light"]}
            for r in targets.to_dict("records")
        },
        cusum=cusums,
        actuals=_actuals(run.table("track_actuals"), earlier),
    )


def _actuals(table: pd.DataFrame, earlier: date) -> dict[tuple[str, str, str], float]:
    from zjsim.scenario.quarters import quarters_until

    over = set(quarters_until(earlier))
    rows = zip(table["outcome"], table["area_code"].astype(str), table["quarter"], table["value"], strict=True)
    return {(o, a, q): float(v) for o, a, q, v in rows if q in over}


def _path_of_run(run: RunFiles, engine: Engine) -> pd.DataFrame:
    """``track_path`` of a run: its base ensemble made again, with the plan and the seed that it had."""
    scenario, plan = run.scenario(), plan_tables(run)
    processes = processes_of(scenario, plan)
    seed, asked = int(run.manifest["seed"]), min(int(run.manifest["replications"]), _MOST)
    name = f"before {run.manifest['run_id']} "  # a task of the report of the same process must not be taken for it
    tasks: list[Task] = []
    cuts: list[tuple[int, int]] = []
    for process in processes:
        task = Task(name + process.name, base_values(process.inputs), seed, 0, asked * process.repeat)
        parts = batches(task, process.batch)
        cuts.append((len(tasks), len(tasks) + len(parts)))
        tasks += parts
    experiments = {name + p.name: Experiment(p.simulate, p.data) for p in processes}
    with Ensemble(experiments, **engine.options()) as ensemble:
        found = ensemble.run(tasks)
    studies = [Study(p, stack(found[a:b]), (), ()) for p, (a, b) in zip(processes, cuts, strict=True)]
    outcomes = sorted(set(scenario.table("targets")["outcome"]) - {""})
    return outcome_paths(studies, outcomes)
