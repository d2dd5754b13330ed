"""What the location plans open, as the simulation reads it: tables only, no solver behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

PLAN_TABLES = {
    "platforms": "platform_plan",
    "campuses": "campus_plan",
    "practice_centres": "practice_centre_plan",
    "kindergartens": "kindergarten_plan",
}
"""The plan table of each theme."""

_OPENING_COLUMNS = (
    *("opening_id", "kind", "programme_id", "county_code", "city_code", "moe_code", "industry_id", "start_date"),
    *("open_date", "capacity", "capacity_unit", "served", "staff", "rooms", "setup_parameter", "failure_parameter"),
)


def openings(plan: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Everything that the location plans open, for the simulation: a row per facility, by start and id.

    Columns: opening_id, kind, programme_id ("" where no programme of the registry stands for it), county_code,
    city_code, moe_code, industry_id, start_date, open_date, capacity, capacity_unit, served, staff, rooms,
    setup_parameter, failure_parameter. Empty when ``plan`` holds no location plan.
    """
    import pandas as pd

    parts = [plan[name][list(_OPENING_COLUMNS)] for name in PLAN_TABLES.values() if name in plan and len(plan[name])]
    if not parts:
        return pd.DataFrame(columns=list(_OPENING_COLUMNS))
    return pd.concat(parts, ignore_index=True).sort_values(["start_date", "opening_id"], ignore_index=True)


def planned_programmes(plan: Mapping[str, pd.DataFrame], kinds: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Openings by programme of the registry ``programmes``, for every programme that the plan decides.

    ``kinds`` is the registry ``location_kinds``. A theme whose table is in ``plan`` decides all of its programmes, also
    those of which it opens none (an empty table then).
    """
    found = openings(plan)
    decided = kinds[kinds["theme"].isin([t for t, name in PLAN_TABLES.items() if name in plan])]
    ids = sorted(set(decided["programme_id"]) - {""})
    return {i: found[found["programme_id"] == i].reset_index(drop=True) for i in ids}
