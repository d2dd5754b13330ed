"""Cities and counties: what they have done, what is forecast for them, and their light (M121, M123).

A place whose outcome the simulation tells (cities of training, services, transfers; counties of school places) is
judged by its forecast, conditioned on its own figures; any other by its milestone alone. A place without a share of
the target (no row of its own in the registry ``milestones``) or without a figure is grey. A rate, such as every child
placed, holds in every place as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zjsim.decide.track_targets import pace_of, quarters_of
from zjsim.models.feasibility import Array, deciding_figure, margins, probability, verdict
from zjsim.models.outcomes_by_city import city_years
from zjsim.models.past import Past
from zjsim.models.share_publication import rounded_shares, step
from zjsim.models.throughput import target_of
from zjsim.models.tracking_signals import Light, light_of_forecast, light_of_pace
from zjsim.scenario.actual_checks import outcome_kinds
from zjsim.scenario.quarters import PROVINCE
from zjsim.simulate.statistics import quantiles
from zjsim.texts import LANGUAGES, text

if TYPE_CHECKING:
    from zjsim.models.throughput import Study

AREA_COLUMNS = (
    "target_id", "reading", "indicator_zh", "indicator_en", "area_level", "area_code", "area_zh", "area_en", "light",
    "reason_zh", "reason_en", "judged_by", "unit", "unit_zh", "share_of_target", "achieved", "share_of_province",
    "milestone", "pace_so_far", "pace_needed", "quarters_left", "p_meet", "p_low", "p_high", "mean", "p05", "p95",
    "actual_basis", "replications",
)  # fmt: skip
Shares = Mapping[tuple[str, str, str], Mapping[str, float]]


def area_table(scenario: Any, before: Past, studies: Sequence[Study]) -> pd.DataFrame:
    """``track_areas``: a row per default target and city or county that has a figure, a share or a forecast."""
    registry = scenario.table("targets")
    kinds, shares = outcome_kinds(registry), _shares(scenario.table("milestones"))
    names = _names(scenario)
    told = ("by_city", "by_county")
    by_outcome = {o: s for s in studies for o in s.process.outcomes if any(f"{t}/{o}" in s.base for t in told)}
    rows = []
    for _, row in registry[registry["is_default"] & (registry["outcome"] != "")].iterrows():
        study = by_outcome.get(row["outcome"])
        counted = {a for (o, a, _) in before.values if o == row["outcome"]}
        planned = {a for (t, r, a) in shares if (t, r) == (row["target_id"], row["reading"])}
        simulated = set(_places(study, row["outcome"])) if study is not None else set()
        for area in sorted((counted | planned | simulated) - {PROVINCE}):
            if area in names:
                rows.append(_area(scenario, row, kinds[row["outcome"]], before, study, area, names, shares))
    return pd.DataFrame(rows, columns=list(AREA_COLUMNS))


def _places(study: Study, outcome: str) -> dict[str, Array]:
    """The simulated values of every place that the study tells, by (replication, simulated year)."""
    codes = {"by_city": study.process.cities, "by_county": getattr(study.process.data, "county_codes", ())}
    found: dict[str, Array] = {}
    for key, own in codes.items():
        values = study.base.get(f"{key}/{outcome}")
        found |= {str(code): values[:, k] for k, code in enumerate(own)} if values is not None else {}
    return found


def _names(scenario: Any) -> dict[str, tuple[str, str, str]]:
    """Level and names of every city and county by code."""
    cities, counties = scenario.table("cities"), scenario.table("counties")
    found = {r["city_code"]: ("city", r["name_zh"], r["name_en"]) for r in cities.to_dict("records")}
    return found | {r["county_code"]: ("county", r["name_zh"], r["name_en"]) for r in counties.to_dict("records")}


def _shares(milestones: pd.DataFrame) -> Shares:
    """Milestones of cities and counties by (target, reading, area) and quarter."""
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for r in milestones[milestones["area_code"] != PROVINCE].to_dict("records"):
        found.setdefault((r["target_id"], r["reading"], r["area_code"]), {})[r["quarter"]] = float(r["value"])
    return found


def _area(
    scenario: Any,
    row: pd.Series,
    kind: str,
    before: Past,
    study: Study | None,
    area: str,
    names: Mapping[str, tuple[str, str, str]],
    shares: Shares,
) -> dict[str, Any]:
    quarters = quarters_of(row)
    own = shares.get((row["target_id"], row["reading"], area), {})
    last = before.quarters[-1] if before.quarters else ""
    rate = float(row["bound"]) if row["unit"] == "share" and row["comparator"] == ">=" else nan
    asked = own.get(quarters[-1], rate)
    milestone = own.get(last, asked if last > quarters[-1] else nan)
    pace, whole = pace_of(row, kind, before, area, asked), pace_of(row, kind, before)
    share_unit = row["unit"] == "share"
    level, zh, en = names[area]
    told: dict[str, Any] = {c: row[c] for c in AREA_COLUMNS if c in row.index}
    told |= {
        "area_level": level, "area_code": area, "area_zh": zh, "area_en": en, "share_of_target": asked,
        "achieved": pace.achieved, "milestone": milestone, "pace_so_far": pace.so_far,
        "pace_needed": pace.needed, "quarters_left": pace.quarters_left,
        "share_of_province": pace.achieved / whole.achieved if whole.achieved > 0 and not share_unit else nan,
        "actual_basis": ";".join(
            sorted({b for (o, a, _), b in before.bases.items() if (o, a) == (row["outcome"], area)})
        ),
    }  # fmt: skip
    judged = _forecast(scenario, row, kind, before, study, area, asked)
    told |= {k: v for k, v in judged.items() if k in AREA_COLUMNS}
    known = bool(before.quarters) and not isnan(pace.achieved) and not isnan(asked)
    light: Light
    if "verdict" in judged:
        told["judged_by"], light = "forecast", light_of_forecast(judged["verdict"], False, known=known)
    else:
        told["judged_by"], light = "pace", light_of_pace(pace.achieved, milestone, lost=pace.lost)
    if light == "grey":
        told["judged_by"] = "none"
    told["light"] = light
    for lang in LANGUAGES:
        unknown = "no_data" if isnan(pace.achieved) else "no_share"
        key = unknown if light == "grey" else f"area_{told['judged_by']}"
        chance = f"{told['p_meet']:.0%}" if "p_meet" in told and not isnan(told["p_meet"]) else "–"
        words = {"p_meet": chance, "achieved": f"{pace.achieved:,.6g}", "milestone": f"{milestone:,.6g}"}
        told[f"reason_{lang}"] = text(f"track.why.{key}", lang, **words)
    return told


def _forecast(
    scenario: Any, row: pd.Series, kind: str, before: Past, study: Study | None, area: str, asked: float
) -> dict[str, Any]:
    """What the simulation says of a city: its deciding figure and, where it has a share of its own, the probability."""
    simulated = _places(study, row["outcome"]).get(area) if study is not None else None
    if study is None or simulated is None:
        return {}
    process = study.process
    values = city_years(simulated, process.years, kind, before, row["outcome"], area)
    target = replace(target_of(row), bound=asked)
    wanted = [process.years.index(y) for y in range(target.first_year, target.last_year + 1)]
    need = wanted[-1:] if row["period"] in ("stock", "coverage", "cumulative_with_stock") else wanted
    if np.isnan(values[:, need]).any():
        return {}
    figure = deciding_figure(target, values, process.years)
    p05, _, p95 = quantiles(figure)
    shares = np.array([float(figure.mean()), p05, p95])
    if row["unit"] == "share":
        shares = _rounded(shares, study.process.data, area, scenario.parameters.placement.minimum_cell)
    told: dict[str, Any] = dict(zip(("mean", "p05", "p95"), shares.tolist(), strict=True)) | {
        "replications": len(figure)
    }
    if not isnan(asked):
        p, low, high = probability(margins(target, values, process.years), study.confidence)
        required = scenario.parameters.simulation.p_required
        told |= {"p_meet": p, "p_low": low, "p_high": high, "verdict": verdict(low, high, p, p, required)}
    return told


def _rounded(shares: Array, data: Any, area: str, minimum: int) -> Array:
    """Shares of a county's children as they are published, by the year with the fewest of them (NaN: not at all)."""
    if area not in getattr(data, "county_codes", ()):
        return shares
    fewest = float(data.eligible[:, data.county_codes.index(area)].sum(axis=1).min())
    return rounded_shares(shares, np.full(len(shares), step(fewest, minimum)))
