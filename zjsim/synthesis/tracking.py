"""Milestones of the targets by quarter, from the targets alone (M121, M123, M124).

Rule (source ``method_milestones``), with q = 1…n the quarters from a target's start to its deadline:

* ``cumulative``: the bound times q / n — a straight line, counts rounded to the nearest whole;
* ``per_year``: within a year the bound times (quarter of the year) / 4; shares must hold in every quarter;
* ``stock``, ``cumulative_with_stock``, ``coverage``: a straight line from the baseline (where one is known, else
  from zero) to the bound, counts rounded likewise;
* ``not_falling``: no number, hence no milestone.

The rule is an assumption of this project: seasonal work lies below its line in spring and above it in autumn.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

QUARTERS_PER_YEAR = 4
PROVINCE = "330000"


def milestones(targets: pd.DataFrame) -> pd.DataFrame:
    """Milestones of every target and reading that has a bound: one row per quarter, province level.

    ``targets`` is the registry of that name. Returns the registry ``milestones``; raises nothing.
    """
    rows = []
    for target in targets.to_dict("records"):
        if target["comparator"] != ">=" or pd.isna(target["bound"]):
            continue
        rows += _milestones_of({str(column): value for column, value in target.items()})
    return pd.DataFrame(rows).sort_values(["target_id", "reading", "quarter"], ignore_index=True)


def _milestones_of(target: dict[str, Any]) -> list[dict[str, Any]]:
    bound = float(target["bound"])
    is_share = target["unit"] == "share"
    quarters = _quarters(str(target["start"]), str(target["deadline"]))
    start = 0.0 if pd.isna(target["baseline"]) else float(target["baseline"])
    rows: list[dict[str, Any]] = []
    for i, (year, quarter) in enumerate(quarters, start=1):
        if target["period"] == "per_year":
            value = bound if is_share else bound * quarter / QUARTERS_PER_YEAR
        elif target["period"] == "cumulative":
            value = bound * i / len(quarters)
        else:
            value = max(start, start + (bound - start) * i / len(quarters))
        rows.append(
            {
                "target_id": target["target_id"],
                "reading": target["reading"],
                "area_code": PROVINCE,
                "quarter": f"{year}-Q{quarter}",
                "value": round(value, 4) if is_share else float(math.floor(value + 0.5)),
                "is_year_end": quarter == QUARTERS_PER_YEAR,
                "source_id": "method_milestones",
                "basis": "derived",
            }
        )
    return rows


def _quarters(start: str, deadline: str) -> list[tuple[int, int]]:
    """Calendar quarters from the one ``start`` lies in to the one ``deadline`` lies in (ISO dates)."""
    first = int(start[:4]) * QUARTERS_PER_YEAR + (int(start[5:7]) - 1) // 3
    last = int(deadline[:4]) * QUARTERS_PER_YEAR + (int(deadline[5:7]) - 1) // 3
    return [(n // QUARTERS_PER_YEAR, n % QUARTERS_PER_YEAR + 1) for n in range(first, last + 1)]
