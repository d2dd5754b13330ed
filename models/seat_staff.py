"""Staff by county, school year and stage: what the norm asks for, what there is, and where staff is the limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from zjsim.models.seat_data import STAGES, HasTables
from zjsim.models.seat_tables import CountyPlan

STAFF_COLUMNS = (
    *("county_code", "county_zh", "county_en", "year", "stage", "classes", "staff_per_class", "pupils_per_staff"),
    *("staff_needed", "staff_available", "staff_to_hire", "classes_for_all", "staff_for_all", "staff_missing"),
    *("staff_is_limit", "norm_source", "basis"),
)


def staff(plans: Sequence[CountyPlan], scenario: HasTables) -> pd.DataFrame:
    """Table ``seat_staff``; staff in persons (all staff, not only teachers), to a tenth.

    ``staff_available`` is what a county can have by then (today's, grown as fast as the registry allows): classes never
    need more. ``staff_to_hire``: needed beyond today's. ``classes_for_all`` would seat every local and guaranteed child
    in a public class; ``staff_missing`` is what staff would lack for them. ``staff_is_limit``: one more class has a
    room but no staff while a child sits in a purchased place or has none. ``norm_source``: document of the staff ratio.
    """
    norms = scenario.table("seat_norms").set_index("norm_id")
    ratio = {s: norms["value"].get(f"model_staff_ratio_{s}", float("nan")) for s in STAGES}
    source = {s: str(norms["source_id"].get(f"model_staff_ratio_{s}", "")) for s in STAGES}
    rows = [
        _row(p, s, y) | {"pupils_per_staff": ratio[s], "norm_source": source[s]}
        for p in plans
        for y in p.county.years
        for s in STAGES
    ]
    return pd.DataFrame(rows, columns=list(STAFF_COLUMNS))


def _row(p: CountyPlan, s: str, y: int) -> dict[str, Any]:
    d, stage, classes = p.county, p.county.stages[s], p.classes_of(s, y)
    wanted = sum(-(-(d.local[g, y] + d.covered[g, y]) // max(stage.usable_seats_per_class, 1)) for g in STAGES[s])
    there = stage.staff.get(y, 0.0)
    outside = p.purchased(s, y) + sum(d.local[g, y] - p.local[g, y] for g in STAGES[s])
    outside += sum(d.covered[g, y] - p.covered[g, y] - p.bought[g, y] for g in STAGES[s])
    return {
        "county_code": d.code,
        "county_zh": d.name_zh,
        "county_en": d.name_en,
        "year": y,
        "stage": s,
        "classes": classes,
        "staff_per_class": stage.staff_per_class,
        "staff_needed": round(classes * stage.staff_per_class, 1),
        "staff_available": round(there, 1),
        "staff_to_hire": round(max(0.0, classes * stage.staff_per_class - stage.staff_now), 1),
        "classes_for_all": wanted,
        "staff_for_all": round(wanted * stage.staff_per_class, 1),
        "staff_missing": round(max(0.0, wanted * stage.staff_per_class - there), 1),
        "staff_is_limit": bool(outside and stage.staffed_classes[y] <= classes < p.rooms(s, y)),
        "basis": "",
    }
