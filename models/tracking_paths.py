"""The path of every outcome by quarter: what was counted, then what is forecast (M121, M124).

Two tables. ``track_path`` has the outcomes as they are, with what a later report needs to judge its own quarters:
mean and standard deviation of the amount since this report, or of the level. ``track_fan`` has the figure that a
target counts (since its start, since January, or the level) with the band of the forecast, for the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import fsum, isnan
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from zjsim.models.feasibility import Array, Target
from zjsim.models.feasibility_tables import outcome_name
from zjsim.models.shortfalls import quarter_path

from zjsim.scenario.quarters import quarter_of
from zjsim.simulate.statistics import quantiles

if TYPE_CHECKING:
    from zjsim.models.processes import Process
    from zjsim.models.throughput import Assessment, Study

PATH_COLUMNS = (
    "outcome", "indicator_zh", "indicator_en", "kind", "unit", "resolution", "end", "status", "value", "sd", "p05",
    "p50", "p95", "since_mean", "since_sd", "since_worst", "since_best", "replications",
)  # fmt: skip
FAN_COLUMNS = (
    "target_id", "reading", "indicator_zh", "indicator_en", "unit", "unit_zh", "end", "status", "value", "p05", "p50",
    "p95",
)  # fmt: skip
ACTUAL, FORECAST = "actual", "forecast"


def outcome_paths(studies: Sequence[Study], outcomes: Sequence[str]) -> pd.DataFrame:
    """``track_path``: a row per outcome and quarter (year, where the simulation tells no quarters)."""
    rows = []
    for study in studies:
        for outcome, (kind, unit) in study.process.outcomes.items():
            if outcome not in outcomes:
                continue
            ends, values, resolution = quarter_path(outcome, study.process, study.base)
            since = _since(study.process, outcome, kind, ends, values, resolution)
            elsewhere = [
                _since(study.process, outcome, kind, ends, quarter_path(outcome, study.process, o)[1], resolution)
                for o in study.at_points
            ]
            means = np.array([s.mean(axis=0) for s in (since, *elsewhere)])
            for n, end in enumerate(ends):
                own = values[:, n]
                if np.isnan(own).any():
                    continue
                over = end < study.process.first_day
                p05, p50, p95 = quantiles(own)
                rows.append(
                    (
                        outcome, outcome_name(outcome, "zh"), outcome_name(outcome, "en"), kind, unit, resolution,
                        end.isoformat(), ACTUAL if over else FORECAST, float(own.mean()), _sd(own), p05, p50, p95,
                        *([np.nan] * 4 if over else [float(means[0, n]), _sd(since[:, n]), *_range(means[:, n])]),
                        len(own),
                    )
                )  # fmt: skip
    return pd.DataFrame(rows, columns=list(PATH_COLUMNS))


def _since(process: Process, outcome: str, kind: str, ends: Sequence[date], values: Array, resolution: str) -> Array:
    """What comes about between the as-of date and each end, by (replication, end); a level as it stands there."""
    if kind != "flow":
        return values
    ahead = np.array([end >= process.first_day for end in ends])
    amounts = np.where(ahead, values, 0.0)
    if resolution == "year" and process.past is not None:
        known = np.array([process.past.flow(outcome, end.year) for end in ends])
        amounts = np.where(ahead, values - np.nan_to_num(known), 0.0)
    return np.cumsum(amounts, axis=1)


def _range(means: Array) -> tuple[float, float]:
    """The least and largest mean over the design points: what we do not know of the inputs (NaN without points)."""
    return (float(means.min()), float(means.max())) if len(means) > 1 else (np.nan, np.nan)


def _sd(values: Array) -> float:
    """Standard deviation of replications; 0 for a single one, of which nothing is known."""
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def target_fans(registry: pd.DataFrame, studies: Sequence[Study], assessments: Sequence[Assessment]) -> pd.DataFrame:
    """``track_fan``: a row per target, reading and quarter with the figure that counts and its 5-95 % band."""
    base = {s.process.name: s.base for s in studies}
    known = {(a.target.target_id, a.target.reading): a for a in assessments}
    rows = []
    for row in registry.to_dict("records"):
        a = known.get((row["target_id"], row["reading"]))
        if a is None:
            continue
        ends, values, _ = quarter_path(a.target.outcome, a.process, base[a.process.name])
        counted = counting(a.target, a.process.outcomes[a.target.outcome][0], ends, values)
        for n, end in enumerate(ends):
            inside = a.target.first_year <= end.year <= a.target.last_year
            if not inside or np.isnan(counted[:, n]).any():
                continue
            p05, p50, p95 = quantiles(counted[:, n])
            over = end < a.process.first_day
            named = (row[c] for c in FAN_COLUMNS[:6])
            told = (end.isoformat(), ACTUAL if over else FORECAST, float(counted[:, n].mean()), p05, p50, p95)
            rows.append((*named, *told))
    return pd.DataFrame(rows, columns=list(FAN_COLUMNS))


def counting(target: Target, kind: str, ends: Sequence[date], values: Array) -> Array:
    """What a target counts at each end, by (replication, end): since its start, since January, or the level."""
    if kind != "flow" or target.comparator == "not_falling":
        return values
    years = np.array([end.year for end in ends])
    own = np.where(years >= target.first_year, values, 0.0)
    total = np.cumsum(own, axis=1)
    if target.period != "per_year":
        return total
    before = np.array([np.flatnonzero(years < y)[-1] if (years < y).any() else -1 for y in years])
    return total - np.where(before >= 0, total[:, before], 0.0)


def seen_since(values: dict[str, float], kind: str, earlier: date, now: date, quarters: Sequence[str]) -> float:
    """What was counted after ``earlier`` up to ``now``: the amount of those quarters, or the level at ``now``."""
    if kind != "flow":
        return values.get(quarter_of(now), np.nan)
    wanted = [q for q in quarters if quarter_of(earlier) < q <= quarter_of(now)]
    found = [values.get(q, np.nan) for q in wanted]
    return float("nan") if not found or any(isnan(v) for v in found) else float(fsum(found))
