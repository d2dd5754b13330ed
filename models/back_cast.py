"""A labelled back-cast: actual values for an as-of date before anybody has counted them, from the simulation itself.

Source ``method_back_cast``. The base values of all inputs, no plan, a stated seed and number of replications give the
mean of every outcome by year; a rule divides the years into quarters. The rows are synthetic and say so; each is to be
replaced by the figure that was counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import floor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from zjsim.models.process_tools import Floats
from zjsim.models.throughput import Process, processes_of

from zjsim.scenario.actual_checks import outcome_kinds
from zjsim.scenario.quarters import PROVINCE, quarters_until
from zjsim.simulate.inputs import base_values
from zjsim.simulate.streams import Streams

if TYPE_CHECKING:
    from zjsim.scenario import Scenario

SEASONS = {"training": "PP15", "enterprise_service": "PP31"}
"""Monthly index by which a process's flows of a year are divided; the flows of others come evenly."""
AUTUMN = ("seats", "talent", "sibling_counties")
"""Processes and outcome whose level changes with the school year, from the third quarter on."""
AT_ONCE = ("batches", "milestone")
"""Mechanisms of programmes whose year comes in its last quarter."""


def back_cast(scenario: Scenario, as_of: date, *, seed: int, replications: int = 2) -> pd.DataFrame:
    """Rows of the registry ``actuals`` for the province: every outcome of a target, every quarter up to ``as_of``.

    ``scenario`` begins at the plan's start. Flows of training and services are divided by their monthly index, others
    evenly; what is approved in batches comes in the fourth quarter; levels run straight between year ends, those of a
    school year stand from its third quarter on. They begin at the target's baseline, else at what the registries hold
    at the plan's start, else at the first year end. Counts are rounded so that their sums stay, shares to four places.
    """
    targets = scenario.table("targets")
    kinds = outcome_kinds(targets)
    shares = set(targets.loc[targets["unit"] == "share", "outcome"])
    rows = []
    for process in processes_of(scenario, {}):
        wanted = [name for name in process.outcomes if name in kinds]
        means = _means(process, seed, replications)
        for name in wanted:
            values = _quarters(scenario, process, name, kinds[name], means[name], quarters_until(as_of))
            values = np.round(values, 4) if name in shares else _whole(values, kinds[name])
            rows += [(name, q, float(v)) for q, v in zip(quarters_until(as_of), values, strict=True)]
    table = pd.DataFrame(rows, columns=["outcome", "quarter", "value"])
    table.insert(1, "area_code", PROVINCE)
    table = table.assign(source_id="method_back_cast", basis="synthetic")
    return table.sort_values(["outcome", "area_code", "quarter"], ignore_index=True)


def _means(process: Process, seed: int, replications: int) -> Mapping[str, Floats]:
    """Mean of every outcome by year over ``replications`` × the repetitions of the process, inputs at their base."""
    values = base_values(process.inputs)
    runs = [process.simulate(process.data, values, Streams(seed, r)) for r in range(replications * process.repeat)]
    return {name: np.mean([run[name] for run in runs], axis=0) for name in process.outcomes}


def _quarters(
    scenario: Scenario, process: Process, name: str, kind: str, by_year: Floats, quarters: tuple[str, ...]
) -> Floats:
    """Values of ``quarters`` from the yearly ones, before rounding."""
    own = _programmes_of(scenario, process.name, name)
    at_once = bool(own["mechanism"].isin(AT_ONCE).any())
    found = []
    for quarter in quarters:
        n, k = int(quarter[:4]) - process.years[0], int(quarter[-1])
        if kind == "flow":
            part = _weights(scenario, process.name)[k - 1] if not at_once else float(k == 4)
            found.append(by_year[n] * part)
            continue
        before = by_year[n - 1] if n else start_level(scenario, process.name, name, float(by_year[0]))
        part = k / 4
        if at_once:
            part = float(k == 4)
        elif process.name in AUTUMN or name in AUTUMN:
            part = float(k >= 3)
        found.append(before + (by_year[n] - before) * part)
    return np.array(found)


def _weights(scenario: Scenario, process: str) -> list[float]:
    """Share of a year that falls into each quarter."""
    if process not in SEASONS:
        return [0.25] * 4
    table = scenario.table("monthly_indices")
    index = table[table["index_id"] == SEASONS[process]].sort_values("month")["value"].to_numpy(dtype=float)
    return [float(v) for v in index.reshape(4, 3).sum(axis=1) / index.sum()]


def _programmes_of(scenario: Scenario, process: str, name: str) -> pd.DataFrame:
    """Rows of the registry ``programmes`` that an outcome counts; none for other processes."""
    programmes = scenario.table("programmes")
    if process != "programmes":
        return programmes.iloc[:0]
    listed = [programmes["outcome_new"] == name, programmes["outcome_ever"] == name]
    listed.append(programmes["outcome_level"].str.split(";").map(lambda names: name in names))
    return programmes[np.logical_or.reduce(listed)]


def start_level(scenario: Scenario, process: str, name: str, otherwise: float) -> float:
    """The level at the plan's start: the public baseline, else what the registries hold, else ``otherwise``."""
    targets: Any = scenario.table("targets")
    known = targets.loc[(targets["outcome"] == name) & targets["baseline"].notna(), "baseline"]
    if len(known):
        return float(known.iloc[0])
    own = _programmes_of(scenario, process, name)
    if (own["mechanism"] == "diffusion").any():
        return float(scenario.table(own["programme_id"].iloc[0])["in_force"].sum())
    return float(own["stock"].sum()) if len(own) else otherwise


def _whole(values: Floats, kind: str) -> Floats:
    """Whole numbers: levels to the nearest, flows so that every sum from the start is the nearest."""
    if kind == "level":
        return np.array([floor(v + 0.5) for v in values], dtype=float)
    return np.diff(np.floor(np.cumsum(values) + 0.5), prepend=0.0)
