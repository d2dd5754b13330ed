"""By how much targets are missed or passed, and from when they are certain: ``shortfall_distribution``,
``earliest_certainty`` (M123, M124).

Both read the base replications. The margin of a future is its deciding figure less the bound: a negative one is a
shortfall. The date of certainty is the end of the first quarter (or year, where a process tells no quarters) by which a
share of at least ``p_required`` of the futures have met the target for good; what came about before the as-of date
counts. It is empty where that does not happen within the simulated years.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from zjsim.models.feasibility import DECIDING_FIGURE, TOLERANCE, Array, Target, margins

from zjsim.simulate.ensemble import Outcomes

if TYPE_CHECKING:
    from zjsim.models.throughput import Assessment, Process, Study

SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)

_TARGET = ("target_id", "reading", "is_default", "measures", "indicator_zh", "indicator_en", "unit", "unit_zh", "bound")
SHORTFALL_DISTRIBUTION_COLUMNS = (
    *_TARGET,
    *("deciding_figure", "p_miss", "expected_shortfall", "expected_excess", "mean_margin"),
    *(f"margin_p{round(100 * s):02d}" for s in SHARES),
    *("margin_lowest", "margin_highest", "replications"),
)
CERTAINTY_COLUMNS = (
    *_TARGET,
    *("period", "deadline", "p_required", "resolution", "certain_from", "p_then", "half_from", "p_at_deadline"),
    *("days_before_deadline", "replications"),
)


def shortfall_distribution(registry: pd.DataFrame, assessments: Sequence[Assessment]) -> pd.DataFrame:
    """A row per target and reading, in the target's unit: quantiles of the margin, and its mean where missed or met."""
    rows = []
    for row, a in _answered(registry, assessments):
        missed = a.margin < 0
        falling = a.target.comparator == "not_falling"
        quantiles = np.quantile(a.margin, SHARES)
        rows.append(
            {
                **row,
                "deciding_figure": "smallest_change" if falling else DECIDING_FIGURE[a.target.period],
                "p_miss": float(missed.mean()),
                "expected_shortfall": float(-a.margin[missed].mean()) if missed.any() else np.nan,
                "expected_excess": float(a.margin[~missed].mean()) if (~missed).any() else np.nan,
                "mean_margin": float(a.margin.mean()),
                **{f"margin_p{round(100 * s):02d}": float(q) for s, q in zip(SHARES, quantiles, strict=True)},
                "margin_lowest": float(a.margin.min()),
                "margin_highest": float(a.margin.max()),
                "replications": len(a.margin),
            }
        )
    return pd.DataFrame(rows, columns=list(SHORTFALL_DISTRIBUTION_COLUMNS))


def earliest_certainty(
    registry: pd.DataFrame, studies: Sequence[Study], assessments: Sequence[Assessment], p_required: float
) -> pd.DataFrame:
    """A row per target and reading: from when at least ``p_required`` of the futures have met it for good, and half."""
    base = {s.process.name: s.base for s in studies}
    rows = []
    for row, a in _answered(registry, assessments):
        deadline = date.fromisoformat(str(_cell(registry, a, "deadline")))
        ends, met, resolution = met_by(a.target, a.process, base[a.process.name])
        share = met.mean(axis=0)
        certain, half = _first(share, p_required), _first(share, 0.5)
        before = [n for n, end in enumerate(ends) if end <= deadline]
        rows.append(
            {
                **row,
                "period": a.target.period,
                "deadline": deadline.isoformat(),
                "p_required": p_required,
                "resolution": resolution,
                "certain_from": "" if certain is None else ends[certain].isoformat(),
                "p_then": np.nan if certain is None else float(share[certain]),
                "half_from": "" if half is None else ends[half].isoformat(),
                "p_at_deadline": float(share[before[-1]]) if before else np.nan,
                "days_before_deadline": np.nan if certain is None else float((deadline - ends[certain]).days),
                "replications": len(met),
            }
        )
    return pd.DataFrame(rows, columns=list(CERTAINTY_COLUMNS))


def _answered(registry: pd.DataFrame, assessments: Sequence[Assessment]) -> list[tuple[dict[str, Any], Assessment]]:
    found = {(a.target.target_id, a.target.reading): a for a in assessments}
    pairs = [(row, found.get((row["target_id"], row["reading"]))) for _, row in registry.iterrows()]
    return [({c: row[c] for c in _TARGET}, a) for row, a in pairs if a is not None]


def _cell(registry: pd.DataFrame, a: Assessment, column: str) -> Any:
    row = registry[(registry["target_id"] == a.target.target_id) & (registry["reading"] == a.target.reading)]
    return row.iloc[0][column]


def _first(share: Array, wanted: float) -> int | None:
    found = np.flatnonzero(share >= wanted - TOLERANCE)
    return int(found[0]) if len(found) else None


def met_by(target: Target, process: Process, base: Outcomes) -> tuple[list[date], np.ndarray[Any, Any], str]:
    """Ends of quarters (or years), by (replication, end) whether the target is met for good by then, and ``quarter`` or
    ``year``.

    A sum: as soon as it reaches the bound. A lowest year, of an amount: in the last year, as soon as its amount does,
    all years before having done so. A level at the deadline: from when on it stays at the bound or above. What is
    judged on whole years only (levels of every year, changes) is decided at the end of the last one.
    """
    kind = process.outcomes[target.outcome][0]
    wanted = range(target.first_year, target.last_year + 1)
    ends, values, resolution = quarter_path(target.outcome, process, base)
    years = np.array([end.year for end in ends])
    within = (years >= target.first_year) & (years <= target.last_year)
    figure = DECIDING_FIGURE[target.period]
    asked = target.bound - TOLERANCE * max(1.0, abs(target.bound))
    if target.comparator != "not_falling" and figure == "sum":
        return ends, np.cumsum(np.where(within, values, 0.0), axis=1) >= asked, resolution
    if target.comparator != "not_falling" and figure == "at_deadline":
        stays = np.minimum.accumulate(values[:, ::-1], axis=1)[:, ::-1]
        return ends, stays >= asked, resolution
    met = np.zeros(values.shape, dtype=bool)
    if target.comparator != "not_falling" and kind == "flow":
        reached = np.ones(len(values), dtype=bool)
        for year in wanted:
            of_year = np.flatnonzero(years == year)
            met[:, of_year] = reached[:, None] & (np.cumsum(values[:, of_year], axis=1) >= asked)
            reached = met[:, of_year[-1]]
        last = years == target.last_year
        met[:, years < target.last_year] = False
        met[:, years > target.last_year] = met[:, last][:, -1:]
        return ends, met, resolution
    met[:, years >= target.last_year] = (margins(target, base[target.outcome], process.years) >= 0)[:, None]
    if resolution == "quarter":
        met[:, (years == target.last_year) & (np.array([e.month for e in ends]) < 12)] = False
    return ends, met, resolution


def quarter_path(outcome: str, process: Process, base: Mapping[str, Array]) -> tuple[list[date], Array, str]:
    """Ends of periods and the values of each, by (replication, period), and ``quarter`` or ``year``: the actual
    quarters first, where all are given."""
    if f"quarterly/{outcome}" not in base:
        return [date(y, 12, 31) for y in process.years], base[outcome], "year"
    simulated = base[f"quarterly/{outcome}"]
    last = process.years[-1]
    starts = [date(y, m, 1) for y in range(process.first_day.year, last + 1) for m in (1, 4, 7, 10)]
    ends = [s - timedelta(days=1) for s in starts if s > process.first_day] + [date(last, 12, 31)]
    before = process.past
    quarters = before.quarters if before else ()
    if before is None or not quarters:
        return ends, simulated, "quarter"
    known = np.array([before.value(outcome, q) for q in quarters])
    if np.isnan(known).any():
        return [date(y, 12, 31) for y in process.years], base[outcome], "year"
    days = [date(int(q[:4]) + int(q[-1]) // 4, 3 * int(q[-1]) % 12 + 1, 1) - timedelta(days=1) for q in quarters]
    return [*days, *ends], np.hstack([np.broadcast_to(known, (len(simulated), len(known))), simulated]), "quarter"
