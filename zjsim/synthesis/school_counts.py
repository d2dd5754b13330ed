"""How many schools a county has, by stage and ownership: published totals of 2018-2022 split over the counties.

A nine-year school counts once, as a junior school, as it does in the yearly statistics: primary schools alone are the
published primary schools, junior and nine-year schools together the published junior schools.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from zjsim.synthesis.draws import apportion
from zjsim.synthesis.placement_settings import Settings
from zjsim.synthesis.proportional import Floats, Ints
from zjsim.synthesis.zones import County

PROVINCE = "330000"
FEWEST = {"primary": 3, "junior": 3}
"""Schools of a stage that even the smallest county has in the table."""


@dataclass(frozen=True, slots=True)
class SchoolCounts:
    """Schools of a county by kind."""

    public_primary: int
    public_junior: int
    public_nine_year: int
    private_primary: int
    private_junior: int
    private_nine_year: int


def schools_by_county(tables: Mapping[str, pd.DataFrame], stage: str, settings: Settings) -> dict[str, int]:
    """Schools of a stage in every county; they add up to the published total of the province (2020).

    A city with a published count keeps it (杭州 2022, 宁波 2019, 温州 2018, 绍兴 2020, 丽水 2021: mixed years).
    The others share the rest. Within a city by children of the census (ages 5-9 or 10-14) over a school size that falls
    with the rural share. Only census columns enter, so that replacing a county's seat tables moves no school elsewhere.
    """
    counties = tables["counties"].sort_values("county_code", ignore_index=True)
    weight = _wanted_schools(counties, "age_5_9" if stage == "primary" else "age_10_14", settings.rural_school_size)
    total, known = _published(tables["education_statistics"], f"{stage}_schools")
    city = counties["city_code"].to_numpy()
    codes = sorted(set(city.tolist()))
    rest = [c for c in codes if c not in known]
    counts = dict(known)
    if rest:
        shares = np.array([weight[city == c].sum() for c in rest])
        fewest = np.array([FEWEST[stage] * int((city == c).sum()) for c in rest])
        spread = apportion(total - sum(known.values()), shares, low=fewest)
        counts |= dict(zip(rest, spread.tolist(), strict=True))
    found: dict[str, int] = {}
    for code in codes:
        here = city == code
        spread = apportion(counts[code], weight[here], low=FEWEST[stage])
        found |= dict(zip(counties["county_code"][here].tolist(), spread.tolist(), strict=True))
    return found


def _wanted_schools(counties: pd.DataFrame, ages: str, rural_size: float) -> Floats:
    urban = counties["urban_share"].to_numpy(dtype=float)
    return np.asarray(counties[ages].to_numpy(dtype=float) / (urban + (1 - urban) * rural_size))


def _published(statistics: pd.DataFrame, indicator: str) -> tuple[int, dict[str, int]]:
    """The province's number of 2020 and the newest one of each city that has one."""
    rows = statistics[statistics["indicator"] == indicator].sort_values("year")
    newest = {str(a): round(float(v)) for a, v in zip(rows["area_code"], rows["value"], strict=True)}
    province = rows[(rows["area_code"] == PROVINCE) & (rows["year"] == 2020)]["value"]
    newest.pop(PROVINCE, None)
    return round(float(province.iloc[0])), newest


def split(county: County, primary: int, junior: int, settings: Settings) -> SchoolCounts:
    """Divide a county's schools by ownership, after its private places, and single out the nine-year schools.

    A county with few private places has one private nine-year school; every county keeps public schools of both stages.
    """
    size = settings.children_per_private_school
    places = (int(county.private_places[:6].sum()), int(county.private_places[6:].sum()))
    private = [_private(p, size, n) for p, n in zip(places, (primary, junior), strict=True)]
    nine = 0
    if min(places) > 0 and sum(places) < 1.5 * size:
        private, nine = [0, 0], 1
    public_junior = junior - private[1] - nine
    public_nine = min(round(public_junior * settings.nine_year_share), public_junior - 1)
    return SchoolCounts(primary - private[0], public_junior - public_nine, public_nine, private[0], private[1], nine)


def _private(places: int, size: float, schools: int) -> int:
    return int(np.clip(round(places / size), 1, schools - 2)) if places else 0


def counts_array(counts: SchoolCounts) -> Ints:
    """Primary, junior and nine-year schools (rows) by public and private (columns)."""
    return np.array(
        [
            [counts.public_primary, counts.private_primary],
            [counts.public_junior, counts.private_junior],
            [counts.public_nine_year, counts.private_nine_year],
        ],
        dtype=np.int64,
    )
