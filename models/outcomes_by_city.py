"""Outcomes by year and city: ``outcomes_by_city``, whose means add up to the province's (M123, M124).

Only what a process counts by city is told: trainings where they are held, services where the firm is, transfers where
the institution is, counties with the sibling rule. Actual values of a year that is partly over are added to the cities
that have their own; what they leave of the province's is a row of its own (no city), so that the sum stays exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from zjsim.models.feasibility_tables import outcome_name
from zjsim.models.past import Past, known_or
from zjsim.models.process_tools import Floats

from zjsim.simulate.statistics import quantiles
from zjsim.texts import text

if TYPE_CHECKING:
    from zjsim.models.throughput import Study

PROVINCE, NO_CITY = "330000", ""

CITY_COLUMNS = (
    *("year", "process", "outcome", "indicator_zh", "indicator_en", "kind", "unit", "place_code", "place_zh"),
    *("place_en", "mean", "p05", "p50", "p95", "replications"),
)


def outcomes_by_city(studies: Sequence[Study], names: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """A row per outcome, simulated year and city, after that of the province, with :data:`CITY_COLUMNS`."""
    rows = []
    for study in studies:
        for outcome, (kind, unit) in study.process.outcomes.items():
            if f"by_city/{outcome}" not in study.base:
                continue
            for year, values in _by_place(study, outcome, kind):
                for place, of_place in values.items():
                    p05, p50, p95 = quantiles(of_place)
                    word = "no_city" if place == NO_CITY else "province"
                    zh, en = names.get(place, (text(f"simulation.{word}", "zh"), text(f"simulation.{word}", "en")))
                    rows.append(
                        {
                            "year": year,
                            "process": study.process.name,
                            "outcome": outcome,
                            "indicator_zh": outcome_name(outcome, "zh"),
                            "indicator_en": outcome_name(outcome, "en"),
                            "kind": kind,
                            "unit": unit,
                            "place_code": place,
                            "place_zh": zh,
                            "place_en": en,
                            "mean": float(of_place.mean()),
                            "p05": p05,
                            "p50": p50,
                            "p95": p95,
                            "replications": len(of_place),
                        }
                    )
    return pd.DataFrame(rows, columns=list(CITY_COLUMNS))


def _by_place(study: Study, outcome: str, kind: str) -> list[tuple[int, dict[str, np.ndarray[Any, Any]]]]:
    """Of every simulated year the values of the province, of each city and of what no city is known for."""
    process, by_city = study.process, study.base[f"by_city/{outcome}"]
    years = process.years[len(process.years) - by_city.shape[2] :]
    found = []
    for k, year in enumerate(years):
        whole = study.base[outcome][:, process.years.index(year)]
        if np.isnan(whole).any():
            continue
        values = {PROVINCE: whole}
        for c, city in enumerate(process.cities):
            known = process.past.flow(outcome, year, area=city) if process.past and kind == "flow" else 0.0
            values[city] = by_city[:, c, k] + known_or(known, 0.0)
        rest = whole - sum(values[c] for c in process.cities)
        if np.abs(rest).max() > 1e-6 * max(1.0, float(np.abs(whole).max())):
            values[NO_CITY] = rest
        found.append((year, values))
    return found


def city_years(simulated: Floats, years: Sequence[int], kind: str, before: Past, outcome: str, city: str) -> Floats:
    """A city's values by (replication, year of the plan): what was counted there, and what is simulated.

    NaN in a year that is over and was not counted; the counted quarters of a flow are added to the simulated rest.
    """
    count, first = len(simulated), len(years) - simulated.shape[1]
    values = np.full((count, len(years)), np.nan)
    for n, year in enumerate(years):
        if n < first:
            values[:, n] = before.flow(outcome, year, city) if kind == "flow" else before.level(outcome, year, city)
            continue
        known = before.flow(outcome, year, city) if kind == "flow" else 0.0
        missing = kind == "flow" and isnan(known)
        values[:, n] = np.nan if missing else simulated[:, n - first] + known_or(known, 0.0)
    return values
