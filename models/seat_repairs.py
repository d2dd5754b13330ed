"""What a county lacks in which year, what the plan does about it, what would repair the rest, and what follows after.

``seat_repairs``: for every county, school year and stage in which today's classes moving up would leave a child
without a seat, or the plan itself does. ``seat_senior``: places in senior high schools that the leavers of grade 9
want, migrant and local alike (M113), and how many places the preference tiers take at most (M097).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from zjsim.models.seat_data import STAGES, YUAN, HasTables
from zjsim.models.seat_tables import CountyPlan

from zjsim.texts import LANGUAGES, text

REPAIR_COLUMNS = (
    *("county_code", "county_zh", "county_en", "year", "stage", "short_without_plan", "classes_added", "rooms_added"),
    *("placed_purchased", "cost_yuan", "still_short", "classes_missing", "rooms_missing", "staff_missing"),
    *("repair_yuan", "why_zh", "why_en", "basis"),
)
SENIOR_COLUMNS = (
    *("county_code", "county_zh", "county_en", "year", "leavers_local", "leavers_migrant", "leavers_permit"),
    *("senior_places_wanted", "entrants_eligible", "talent_places_at_most", "basis"),
)
_TALENT_PARAMETER = "CP10"
"""Home owners and talent permits among the eligible: an upper bound of the tiers that M097 speaks of."""


def repairs(plans: Sequence[CountyPlan]) -> pd.DataFrame:
    """Table ``seat_repairs``: children in whole numbers, money in yuan of the year (repair: the first year's)."""
    rows = [r for p in plans for y in p.county.years for s in STAGES if (r := _repair(p, s, y))]
    return pd.DataFrame(rows, columns=list(REPAIR_COLUMNS))


def _repair(p: CountyPlan, s: str, y: int) -> dict[str, Any] | None:
    d, stage = p.county, p.county.stages[s]
    usable = stage.usable_seats_per_class
    before = sum(max(0, d.local[g, y] + d.covered[g, y] - d.classes_base[g, y] * usable) for g in STAGES[s])
    short = {g: d.local[g, y] - p.local[g, y] + d.covered[g, y] - p.covered[g, y] - p.bought[g, y] for g in STAGES[s]}
    still = sum(short.values())
    if not before and not still:
        return None
    missing = sum(-(-n // max(usable, 1)) for n in short.values())
    classes = p.classes_of(s, y)
    rooms = max(0, missing - max(0, p.rooms(s, y) - classes)) if still else 0
    staff = round(max(0.0, (classes + missing - stage.staffed_classes[y]) * stage.staff_per_class), 1) if still else 0.0
    room_cost = min([c for c in (stage.extension_cost, stage.school_cost) if c > 0], default=0.0)
    money = round((rooms * room_cost + missing * (stage.equip_cost + stage.running_cost)) * YUAN, 2)
    added = max(0, classes - sum(d.classes_base[g, y] for g in STAGES[s]))
    built = p.rooms(s, y) - stage.classrooms
    said = {
        lang: text(
            f"seats.repair.{'left' if still else 'met'}",
            lang,
            county=d.name_zh if lang == "zh" else d.name_en,
            year=y,
            stage=text(f"seats.stage.{s}", lang),
            before=before,
            classes=added,
            built=built,
            bought=p.purchased(s, y),
            still=still,
            missing=missing,
            rooms=rooms,
            staff=f"{staff:g}",
            money=f"{money:,.0f}",
        )
        for lang in LANGUAGES
    }
    return {
        "county_code": d.code,
        "county_zh": d.name_zh,
        "county_en": d.name_en,
        "year": y,
        "stage": s,
        "short_without_plan": before,
        "classes_added": added,
        "rooms_added": built,
        "placed_purchased": p.purchased(s, y),
        "cost_yuan": round(sum(p.money(s, y).values()), 2),
        "still_short": still,
        "classes_missing": missing,
        "rooms_missing": rooms,
        "staff_missing": staff,
        "repair_yuan": money,
        "why_zh": said["zh"],
        "why_en": said["en"],
        "basis": "synthetic",
    }


def senior(plans: Sequence[CountyPlan], scenario: HasTables) -> pd.DataFrame:
    """Table ``seat_senior``: leavers of grade 9 by county and the school year in which they would enter senior high.

    Migrant leavers have the same rights as local ones (M113), so that every leaver wants a place. The preference tiers
    (M097) are at most the home owners and talent permits among the eligible entrants of grades 1 and 7.
    """
    demand = scenario.table("seat_demand").set_index(["county_code", "year", "grade"]).sort_index()
    parameters = scenario.table("placement_parameters").set_index("parameter_id")
    talent = float(parameters["mode"].to_dict()[_TALENT_PARAMETER])
    names = ("local_children", "migrant_children", "permit_holders", "eligible_children")
    columns = {n: demand[n].to_dict() for n in names}
    rows = []
    for p in plans:
        d = p.county
        for y in d.years:
            local, migrant, permit = (int(columns[n].get((d.code, y - 1, 9), 0)) for n in names[:3])
            entrants = sum(int(columns[names[3]].get((d.code, y, g), 0)) for g in (1, 7))
            rows.append(
                {
                    "county_code": d.code,
                    "county_zh": d.name_zh,
                    "county_en": d.name_en,
                    "year": y,
                    "leavers_local": local,
                    "leavers_migrant": migrant,
                    "leavers_permit": permit,
                    "senior_places_wanted": local + migrant,
                    "entrants_eligible": entrants,
                    "talent_places_at_most": int(entrants * talent + 0.5),
                    "basis": "assumption",
                }
            )
    return pd.DataFrame(rows, columns=list(SENIOR_COLUMNS))
