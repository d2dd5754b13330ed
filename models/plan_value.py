"""What the plan is worth in the simulation: the same futures with the plan and with no plan at all (M030, M123).

Both are simulated on common random numbers: replication n draws the same demand, durations and failures on either side,
so that their difference is the plan's and not chance's. Its interval is that of the paired differences; the intervals
of either side alone would be far wider. No plan means no assignment, no openings and no new seats: starts of programmes
then follow the pace of the past. Only processes that the plan changes are simulated again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from zjsim.models.controls import controls_of
from zjsim.models.feasibility import deciding_figure, margins

from zjsim.simulate.paired import pairs
from zjsim.simulate.statistics import mean_interval

if TYPE_CHECKING:
    from zjsim.models.throughput import Assessment, Process, Study

SUFFIX = " without plan"
"""Ends the name of a process in the ensemble that is simulated without the plan."""

COLUMNS = (
    *("target_id", "reading", "measures", "indicator_zh", "indicator_en", "unit", "bound", "process"),
    *("p_with", "p_without", "p_difference", "p_difference_low", "p_difference_high"),
    *("mean_with", "mean_without", "difference", "difference_low", "difference_high", "replications"),
    *("variance_independent", "variance_paired", "variance_reduction"),
)


def changed_by_plan(with_plan: Sequence[Process], without: Sequence[Process]) -> dict[str, Process]:
    """Processes without the plan, by name, for those whose data the plan changes."""
    of = {p.name: p for p in without}
    return {p.name: of[p.name] for p in with_plan if not same(p.data, of[p.name].data)}


def same(a: Any, b: Any) -> bool:
    """Whether two data of a process are equal throughout, arrays and tables included."""
    if type(a) is not type(b):
        return False
    if is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, np.ndarray):
        numeric = a.dtype.kind in "fc"
        return a.shape == b.shape and a.dtype == b.dtype and bool(np.array_equal(a, b, equal_nan=numeric))
    if isinstance(a, pd.DataFrame | pd.Series):
        return bool(a.equals(b))
    if isinstance(a, Mapping):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b) or (isinstance(a, float) and a != a and b != b)


def plan_value_table(
    registry: pd.DataFrame, studies: Sequence[Study], assessments: Sequence[Assessment]
) -> pd.DataFrame:
    """A row per target in its default reading whose process the plan changes, in the order of ``registry``.

    ``mean_*`` and ``difference`` are of the deciding figure, in the target's unit; ``p_*`` are shares of replications.
    Intervals (95 %) are t-intervals of the paired differences, with minus without; ``difference`` is freed of what the
    controls of a process explain (:mod:`zjsim.models.controls`). ``variance_*``: what all this buys for ``difference``
    against independent runs (:func:`zjsim.simulate.paired.pairs`); ``variance_reduction`` is empty where all paired
    differences are equal (``variance_paired`` is 0) or nothing varies.
    """
    study_of = {s.process.name: s for s in studies}
    found = {(a.target.target_id, a.target.reading): a for a in assessments}
    rows = []
    for _, row in registry[registry["is_default"]].iterrows():
        a = found.get((row["target_id"], row["reading"]))
        without = None if a is None else study_of[a.process.name].without
        if a is None or without is None:
            continue
        other = without[a.target.outcome]
        figure, figure_without = (deciding_figure(a.target, values, a.process.years) for values in (a.values, other))
        met = [m >= 0 for m in (a.margin, margins(a.target, other, a.process.years))]
        gain, gain_low, gain_high = mean_interval(met[0].astype(float) - met[1].astype(float))
        control = controls_of(study_of[a.process.name].base, a.target, a.process.years)
        more = pairs(figure, figure_without, control)
        named = [row[c] for c in ("target_id", "reading", "measures", "indicator_zh", "indicator_en", "unit", "bound")]
        chances = (float(met[0].mean()), float(met[1].mean()), gain, gain_low, gain_high)
        means = (float(figure.mean()), float(figure_without.mean()), more.difference, more.low, more.high)
        bought = (more.independent, more.paired, more.reduction if more.reduction < np.inf else np.nan)
        rows.append((*named, a.process.name, *chances, *means, len(a.margin), *bought))
    return pd.DataFrame(rows, columns=list(COLUMNS))
