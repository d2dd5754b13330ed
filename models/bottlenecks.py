"""Where work waits or is lost for want of something, ranked by what relief buys: ``bottlenecks`` (M123).

Two tables are put together: what the processes did with their resources (``resource_use``, institutions added up to
their cities) and what one more unit of each buys (``marginal_values``). Units differ, so the ranking is by the share of
a target's bound that a tenth more of the units that are there would bring, at the target that gains most. Utilisation
alone ranks nothing: a resource may be busy without holding anybody up. What has no utilisation of its own (approvals,
starts, set-up times, classes) is listed with its gain only. Staff of services has its queue at the demand registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

PROVINCE = "330000"
WAITS_AT = {"service_staff": "service_requests"}
"""A resource → the one whose queue and lost work are its own."""

_SUMS = ("capacity", "used", "waiting_days", "mean_queue", "served", "left", "lost_work")
_GAIN = (
    *("process", "relief", "relief_zh", "relief_en", "resource", "place_code", "place_zh", "place_en"),
    *("unit", "unit_zh", "present", "target_id", "reading", "indicator_zh", "indicator_en", "target_unit"),
    *("target_unit_zh", "gain", "gain_low", "gain_high", "gain_share_of_tenth", "p_change"),
)
BOTTLENECK_COLUMNS = (
    *("year", "level", "rank", *_GAIN),
    *("use_unit", "use_unit_zh", "capacity", "used", "utilisation", "mean_queue", "mean_wait_days", "lost_work"),
    "lost_share",
)


def bottlenecks(use: pd.DataFrame, marginal: pd.DataFrame, city_of: Mapping[str, str]) -> pd.DataFrame:
    """A row per year, relief and place (province, city), with :data:`BOTTLENECK_COLUMNS`, best relief first.

    ``city_of``: institution → city; ``lost_share``: work lost ÷ work done or lost.
    """
    if marginal.empty:
        return pd.DataFrame(columns=list(BOTTLENECK_COLUMNS))
    order = marginal["gain_share_of_tenth"].fillna(-np.inf)
    best = marginal.assign(_order=order).sort_values("_order", ascending=False, kind="stable")
    best = best.drop_duplicates(["relief", "place_code"])[list(_GAIN)]
    by_place = used_by_place(use, city_of)
    years = sorted(set(use["year"])) or [0]
    rows = []
    for _, row in best.iterrows():
        for year in years:
            figures = by_place.get((row["resource"], row["place_code"], year), {})
            level = "province" if row["place_code"] == PROVINCE else "city"
            rows.append({"year": year, "level": level, **{c: row[c] for c in _GAIN}, **figures})
    table = pd.DataFrame(rows).reindex(columns=list(BOTTLENECK_COLUMNS))
    keys = table.assign(
        _gain=-table["gain_share_of_tenth"].fillna(-np.inf), _busy=-table["utilisation"].fillna(0.0).astype(float)
    )
    keys = keys.sort_values(["year", "level", "_gain", "_busy", "relief", "place_code"], ascending=True, kind="stable")
    keys = keys.sort_values(["year"], kind="stable")
    keys["rank"] = keys.groupby(["year", "level"]).cumcount() + 1
    keys["level"] = pd.Categorical(keys["level"], ["province", "city"])
    keys = keys.sort_values(["year", "level", "rank"], kind="stable")
    return keys[list(BOTTLENECK_COLUMNS)].astype({"level": str}).reset_index(drop=True)


def used_by_place(use: pd.DataFrame, city_of: Mapping[str, str]) -> dict[tuple[str, str, int], dict[str, Any]]:
    """(resource, city or province, year) → capacity, used, utilisation, queue, wait and lost work there."""
    placed = use.assign(place_code=[city_of.get(p, p) for p in use["place_code"]])
    whole = placed.assign(place_code=PROVINCE)
    keys = ["resource", "place_code", "year"]
    both = pd.concat([placed, whole])
    sums = both.groupby(keys)[list(_SUMS)].sum(min_count=1).reset_index()
    units = {str(r): (str(u), str(z)) for r, u, z in zip(use["resource"], use["unit"], use["unit_zh"], strict=True)}
    rows = {
        (str(r["resource"]), str(r["place_code"]), int(r["year"])): {name: float(r[name]) for name in _SUMS}
        for r in sums.to_dict("records")
    }
    found: dict[tuple[str, str, int], dict[str, Any]] = {}
    for (resource, place, year), row in rows.items():
        waits = rows.get((WAITS_AT.get(resource, resource), place, year), row)
        through = float(np.nansum([waits["served"], waits["left"]]))
        work = float(np.nansum([waits["used"], waits["lost_work"]]))
        found[resource, place, year] = {
            "use_unit": units[resource][0],
            "use_unit_zh": units[resource][1],
            "capacity": row["capacity"],
            "used": row["used"],
            "utilisation": row["used"] / row["capacity"] if row["capacity"] > 0 else np.nan,
            "mean_queue": waits["mean_queue"],
            "mean_wait_days": waits["waiting_days"] / through if through > 0 else np.nan,
            "lost_work": waits["lost_work"],
            "lost_share": waits["lost_work"] / work if work > 0 else np.nan,
        }
    return found
