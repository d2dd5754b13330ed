"""Children by county, age and school year: census ages, births and migration, moved up one grade a year.

Method (every step is an assumption unless a published figure is named):

1. Census bands of 1 November 2020 are split into single ages in proportion to the province's births of the years in
   which those children were born; births before 2013 are taken as those of 2013, ages 10-14 as equal.
2. Ages 6-14 become grades 1-9 of 2020 by proportional fitting to the published entrants, pupils of both stages of the
   province, and pupils by stage of the cities that publish them. The factor between census age and enrolment is the net
   migration (and under-count) of school-age children that closes the gap of plain census cohorts to enrolment.
3. A later grade 1 is the cohort of age 5 a year earlier times the county's factor of 2020 for grade 1. Births of
   2021-2023 are published, later years the middle of an assumed range; counties share them like their age 0 of 2020.
4. Local children move up unchanged. Migrant children grow by a yearly rate: fitted for the cities that publish
   pupils of 2022, their mean elsewhere; after the as-of year only a part of it (norm ``model_migration_after_as_of``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum

import numpy as np
import pandas as pd

from zjsim.synthesis.proportional import Bools, Floats, Ints, fit, largest_remainder, round_half_up

FIRST_YEAR, AS_OF_YEAR, LAST_YEAR = 2020, 2024, 2032
GRADES = 9
PRIMARY, JUNIOR = slice(0, 6), slice(6, 9)
_SCHOOL_AGE = 6
_CITIES_2020 = (("330200", 2020), ("330300", 2020), ("330600", 2020), ("331100", 2021))
"""Cities whose pupils by stage enter the fit of 2020 (丽水: its figure of 2021 stands in for 2020)."""
_CITIES_2022 = ("330100", "330200", "330300")
"""Cities whose pupils of 2022 give a yearly rate of migrant growth."""


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Whole children by county (rows, in the order of the registry ``counties``).

    ``young[year]`` has ages 0-5 in its columns, ``local[year]`` and ``migrant[year]`` grades 1-9.
    """

    county_codes: tuple[str, ...]
    young: dict[int, Ints]
    local: dict[int, Ints]
    migrant: dict[int, Ints]


def statistic(tables: Mapping[str, pd.DataFrame], area: str, year: int, indicator: str) -> float:
    """A published value of ``education_statistics``; raises ``KeyError`` if it is not there."""
    t = tables["education_statistics"]
    rows = t[(t["area_code"] == area) & (t["year"] == year) & (t["indicator"] == indicator)]
    if len(rows) != 1:
        raise KeyError(f"education_statistics has {len(rows)} rows for {area}, {year}, {indicator}")
    return float(rows["value"].iloc[0])


def norm(tables: Mapping[str, pd.DataFrame], norm_id: str) -> float:
    """The value of a row of ``seat_norms``; raises ``KeyError`` if it is not there."""
    t = tables["seat_norms"]
    rows = t.loc[t["norm_id"] == norm_id, "value"].to_numpy(dtype=float)
    if len(rows) != 1:
        raise KeyError(f"seat_norms has {len(rows)} rows {norm_id}")
    return float(rows[0])


def births_by_year(tables: Mapping[str, pd.DataFrame]) -> dict[int, float]:
    """Births of the province in persons; the middle of the range where nothing is published, then the last value."""
    t = tables["births"]
    middle = (t["low_10k"] + t["high_10k"]) / 2
    known = t["births_10k"].fillna(middle).to_numpy(dtype=float) * 10_000
    births = dict(zip(t["year"].tolist(), known.tolist(), strict=True))
    first, last = min(births), max(births)
    return {y: births[min(max(y, first), last)] for y in range(2005, LAST_YEAR + 1)}


def single_ages(tables: Mapping[str, pd.DataFrame]) -> Floats:
    """Census children of 2020 by county and single age 0-14 (step 1)."""
    counties, births = tables["counties"], births_by_year(tables)
    ages = np.zeros((len(counties), 15))
    ages[:, 0] = counties["age_0"]
    for band, first, last in (("age_1_4", 1, 4), ("age_5_9", 5, 9), ("age_10_14", 10, 14)):
        weights = np.array([births[FIRST_YEAR - a] if a < 10 else 1.0 for a in range(first, last + 1)])
        ages[:, first : last + 1] = np.outer(counties[band].to_numpy(dtype=float), weights / weights.sum())
    return ages


def pupils_2020(tables: Mapping[str, pd.DataFrame]) -> Floats:
    """Pupils of 2020 by county and grade, not yet rounded: exact by entrants and stage of the province (step 2)."""
    city = tables["counties"]["city_code"].to_numpy()
    start = single_ages(tables)[:, _SCHOOL_AGE:]
    blocks: list[tuple[Bools, float]] = []
    for code, year in _CITIES_2020:
        for grades, stage in ((PRIMARY, "primary"), (JUNIOR, "junior")):
            blocks.append((_mask(city == code, grades), statistic(tables, code, year, f"{stage}_students")))
    everywhere = np.ones(len(city), dtype=bool)
    for grades, total in _province_2020(tables):
        blocks.append((_mask(everywhere, grades), total))
    return fit(start, blocks)


def advance(tables: Mapping[str, pd.DataFrame], migrants_2020: Ints, last_year: int = LAST_YEAR) -> Cohorts:
    """All cohorts 2020 … ``last_year`` from migrant children by county and grade in 2020 (steps 3 and 4)."""
    counties = tables["counties"]
    total = _round_2020(tables)
    migrants = np.minimum(migrants_2020, total)
    rate = migrant_growth(tables, migrants)
    damp = norm(tables, "model_migration_after_as_of")
    births = births_by_year(tables)
    share_of_births = counties["age_0"].to_numpy(dtype=float) / counties["age_0"].sum()
    ages = single_ages(tables)
    entry = total[:, 0] / ages[:, _SCHOOL_AGE]
    share = migrants[:, 0] / total[:, 0]
    young, local = {FIRST_YEAR: round_half_up(ages[:, :6])}, {FIRST_YEAR: total - migrants}
    migrant, grown = {FIRST_YEAR: migrants}, np.ones(len(counties))
    for year in range(FIRST_YEAR + 1, last_year + 1):
        step = 1 + rate * (1.0 if year <= AS_OF_YEAR else damp)
        grown = grown * step
        entrants = young[year - 1][:, 5] * entry
        newborn = largest_remainder(share_of_births, round(births[year]))
        young[year] = np.column_stack([newborn, young[year - 1][:, :5]])
        local[year] = np.column_stack([round_half_up(entrants * (1 - share)), local[year - 1][:, :8]])
        moved = round_half_up(migrant[year - 1][:, :8] * step[:, None])
        migrant[year] = np.column_stack([round_half_up(entrants * share * grown), moved])
    return Cohorts(tuple(counties["county_code"]), young, local, migrant)


def migrant_growth(tables: Mapping[str, pd.DataFrame], migrants: Ints) -> Floats:
    """Yearly growth rate of migrant children by county: fitted in three cities, their weighted mean elsewhere."""
    city = tables["counties"]["city_code"].to_numpy()
    rate = np.zeros(len(city))
    weights, rates = [], []
    for code in _CITIES_2022:
        wanted = fsum(statistic(tables, code, 2022, f"{stage}_students") for stage in ("primary", "junior"))
        here = city == code
        rates.append(_rate_for(tables, migrants, here, wanted))
        weights.append(migrants[here].sum())
        rate[here] = rates[-1]
    rate[~np.isin(city, _CITIES_2022)] = round(float(np.average(rates, weights=weights)), 6)
    return rate


def _rate_for(tables: Mapping[str, pd.DataFrame], migrants: Ints, here: Bools, wanted: float) -> float:
    """The rate at which the pupils of 2022 ``here`` come to ``wanted`` (two years of growth, entrants included)."""
    total, ages = _round_2020(tables)[here], single_ages(tables)[here]
    moving = migrants[here]
    entry, share = total[:, 0] / ages[:, _SCHOOL_AGE], moving[:, 0] / total[:, 0]
    new = [ages[:, 5] * entry, ages[:, 4] * entry]
    local = (total - moving)[:, :7].sum() + sum((n * (1 - share)).sum() for n in new)
    # Migrants of 2022 = (those of grades 1-7 in 2020 + the two cohorts that entered since) × (1 + rate)²
    stayed = moving[:, :7].sum() + sum((n * share).sum() for n in new)
    return round(float(np.sqrt((wanted - local) / stayed) - 1), 6)


def cohort_table(cohorts: Cohorts) -> pd.DataFrame:
    """The registry ``cohorts``: county × year × age 0-14."""
    frames = []
    for year in sorted(cohorts.young):
        everyone = np.column_stack([cohorts.young[year], cohorts.local[year] + cohorts.migrant[year]])
        n = len(cohorts.county_codes)
        frames.append(
            pd.DataFrame(
                {
                    "county_code": np.repeat(np.array(cohorts.county_codes, dtype=object), 15),
                    "year": year,
                    "age": np.tile(np.arange(15), n),
                    "children": everyone.ravel(),
                }
            )
        )
    table = pd.concat(frames, ignore_index=True)
    table["source_id"] = "method_cohorts"
    known = table["year"] - table["age"] <= 2023
    table["basis"] = np.where(known & (table["year"] <= AS_OF_YEAR), "derived", "assumption")
    return table.sort_values(["county_code", "year", "age"], ignore_index=True)


def _province_2020(tables: Mapping[str, pd.DataFrame]) -> tuple[tuple[slice, float], ...]:
    """Published pupils of the province in 2020: entrants of each stage and the other grades together."""
    found = []
    for grades, stage in ((PRIMARY, "primary"), (JUNIOR, "junior")):
        entrants = statistic(tables, "330000", 2020, f"{stage}_new_entrants")
        pupils = statistic(tables, "330000", 2020, f"{stage}_students")
        first = grades.start
        found += [(slice(first, first + 1), entrants), (slice(first + 1, grades.stop), pupils - entrants)]
    return tuple(found)


def _round_2020(tables: Mapping[str, pd.DataFrame]) -> Ints:
    """Whole pupils of 2020 by county and grade whose sums are the published figures exactly."""
    fitted = pupils_2020(tables)
    whole = np.zeros(fitted.shape, dtype=np.int64)
    for grades, total in _province_2020(tables):
        whole[:, grades] = largest_remainder(fitted[:, grades], round(total))
    return whole


def _mask(rows: Bools, grades: slice) -> Bools:
    mask = np.zeros((len(rows), GRADES), dtype=bool)
    mask[rows, grades] = True
    return mask
