"""Parameters re-estimated from what was counted, where that can tell them (M121, M124).

Of the many inputs only those are identified that an actual series shows by itself: how many are approved in a batch,
how fast a programme grows, how many of its members close. Each is a rate, a count over an exposure:

    D ~ Poisson(λ E),  λ ~ Gamma(a, b)  ⇒  λ | D ~ Gamma(a + D, b + E)

with the prior's mean and variance those of the triangular distribution of the input's range (low, mode, high). The new
value is the posterior mean (a + D) / (b + E), its interval the 2.5 % and 97.5 % points. All other inputs act together
on the same counts (demand, season, teams, hours): no actual value tells one of them from the others, and none is
touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, isnan
from typing import Any

import pandas as pd
from scipy.stats import gamma
from zjsim.models.past import Past

QUARTERS_PER_YEAR = 4
INTERVAL = (0.025, 0.975)
COLUMNS = (
    "parameter_id", "name_zh", "name_en", "unit", "unit_zh", "basis", "prior_low", "prior_mode", "prior_high",
    "prior_mean", "counted", "exposure", "exposure_unit", "estimate", "estimate_low", "estimate_high",
    "inside_prior_range", "used_in_forecast", "outcomes", "actual_basis",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the actual values say of a rate: ``counted`` events over ``exposure``, from the series ``outcomes``."""

    parameter_id: str
    counted: float
    exposure: float
    exposure_unit: str
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The posterior of a rate: mean, and the points between which it lies with 95 %."""

    mean: float
    low: float
    high: float


def posterior(low: float, mode: float, high: float, counted: float, exposure: float) -> Estimate:
    """Gamma-Poisson posterior of a rate (M124): (a + D) / (b + E), a = m² / v, b = m / v.

    m = (low + mode + high) / 3 and v = (l² + c² + h² - lc - lh - ch) / 18 of the triangular prior. A prior without
    spread stays what it is. Raises ``ValueError`` for negative counts, exposures or ranges.
    """
    if min(counted, exposure, low) < 0 or not low <= mode <= high:
        raise ValueError(f"wanted 0 <= low <= mode <= high, counts >= 0; got {(low, mode, high, counted, exposure)}")
    mean = (low + mode + high) / 3
    variance = (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18
    if variance <= 0:
        return Estimate(mean, mean, mean)
    shape, rate = mean**2 / variance + counted, mean / variance + exposure
    at = [float(gamma.ppf(q, shape, scale=1 / rate)) for q in INTERVAL]
    return Estimate(shape / rate, at[0], at[1])


def batch_size(before: Past, outcome: str, kind: str, parameter: str) -> Evidence | None:
    """Approved per batch (M047-M049): D approved in the E quarters in which any were; None before the first."""
    quarters = before.rises(outcome, kind)
    if kind == "level" and quarters and quarters[0] == before.quarters[0]:
        quarters = quarters[1:]  # what stood before the first quarter is not known: its rise is none
    if not quarters:
        return None
    counted = fsum(_rise(before, outcome, kind, q) for q in quarters)
    return Evidence(parameter, counted, float(len(quarters)), "batches", (outcome,))


def closures(before: Past, level: str, opened: str, opened_kind: str, parameter: str) -> Evidence | None:
    """Closures a member and year (M015, M083): D = openings - rise of the level, E = Σ level before each quarter / 4.

    Only quarters whose level before is given count; None where there are none, or where the figures contradict (more
    added than opened).
    """
    counted = exposure = 0.0
    for earlier, quarter in pairwise(before.quarters):
        start, end = before.value(level, earlier), before.value(level, quarter)
        new = _rise(before, opened, opened_kind, quarter)
        if isnan(start) or isnan(end) or isnan(new):
            continue
        counted += new - (end - start)
        exposure += start / QUARTERS_PER_YEAR
    outcomes = (level, opened)
    return Evidence(parameter, counted, exposure, "members x years", outcomes) if exposure and counted >= 0 else None


def net_growth(before: Past, level: str, parameter: str) -> Evidence | None:
    """Net openings a year (M015, M083): D = last level given - first, E = years between; None where it fell."""
    given = [(n, q) for n, q in enumerate(before.quarters) if not isnan(before.value(level, q))]
    if len(given) < 2:
        return None
    (first, start), (last, end) = given[0], given[-1]
    counted = before.value(level, end) - before.value(level, start)
    return Evidence(parameter, counted, (last - first) / QUARTERS_PER_YEAR, "years", (level,)) if counted >= 0 else None


def _rise(before: Past, outcome: str, kind: str, quarter: str) -> float:
    value = before.value(outcome, quarter)
    if kind == "flow":
        return value
    n = before.quarters.index(quarter)
    return value - before.value(outcome, before.quarters[n - 1]) if n else float("nan")


def evidence(programmes: pd.DataFrame, before: Past) -> Iterator[Evidence]:
    """What the actual values tell of the parameters of every programme whose series is its own.

    A level or flow that several programmes make together tells none of them; a pace that a plan sets (levers) is what
    was chosen, so only the growth that came about is told.
    """
    rows = [{str(k): v for k, v in row.items()} for row in programmes.to_dict("records")]
    series = [(set(str(r["outcome_level"]).split(";")) | {r["outcome_new"], r["outcome_ever"]}) - {""} for r in rows]
    known = {outcome for outcome, area, _ in before.values if area == "330000"}
    for n, row in enumerate(rows):
        others = set[str]().union(*(s for m, s in enumerate(series) if m != n))
        levels = [o for o in str(row["outcome_level"]).split(";") if o and o in known and o not in others]
        new = row["outcome_new"] if row["outcome_new"] in known - others else ""
        ever = row["outcome_ever"] if row["outcome_ever"] in known - others else ""
        found: list[Evidence | None] = []
        if row["mechanism"] == "batches" and row["size_parameter"]:
            own = (new, "flow") if new else (levels[0], "level") if levels else None
            found += [batch_size(before, *own, row["size_parameter"])] if own else []
        if row["mechanism"] == "pipeline" and levels:
            opened = (new, "flow") if new else (ever, "level") if ever else None
            if opened and row["closure_parameter"]:
                found.append(closures(before, levels[0], *opened, row["closure_parameter"]))
            if row["pace_parameter"]:
                found.append(net_growth(before, levels[0], row["pace_parameter"]))
        yield from (e for e in found if e is not None)


def estimates(scenario: Any, before: Past, *, used: bool) -> pd.DataFrame:
    """A row per parameter that the actual values identify, with :data:`COLUMNS`: before, counted, and new.

    ``used``: whether the forecast was made with the new values. A parameter that two programmes share and both show is
    estimated from both together.
    """
    merged: dict[str, Evidence] = {}
    for e in evidence(scenario.table("programmes"), before):
        o = merged.get(e.parameter_id)
        merged[e.parameter_id] = e if o is None else Evidence(
            e.parameter_id, o.counted + e.counted, o.exposure + e.exposure, e.exposure_unit, (*o.outcomes, *e.outcomes)
        )  # fmt: skip
    tables = [scenario.table(n) for n in ("process_parameters", "programme_parameters")]
    rows = []
    for parameter_id, e in sorted(merged.items()):
        row = next(
            t.loc[t["parameter_id"] == parameter_id].iloc[0] for t in tables if parameter_id in set(t["parameter_id"])
        )
        low, mode, high = (float(row[c]) for c in ("low", "mode", "high"))
        found = posterior(low, mode, high, e.counted, e.exposure)
        inside = low <= found.mean <= high
        bases = sorted({b for (o, _, _), b in before.bases.items() if o in e.outcomes})
        rows.append(
            (
                parameter_id, row["name_zh"], row["name_en"], row["unit"], row["unit_zh"], row["basis"],
                low, mode, high, (low + mode + high) / 3, e.counted, e.exposure, e.exposure_unit,
                found.mean, found.low, found.high, inside, used, ";".join(e.outcomes), ";".join(bases),
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))
