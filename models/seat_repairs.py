"""What a county lacks in which year, what the plan does about it, what would repair the rest, and what follows after.

``seat_repairs``: for every county, school year and stage in which today's classes moving up would leave a child
without a seat, or the plan itself does; ``seat_rule_repairs``: for every goal that is not zero. ``seat_senior``: places
in senior high schools that the leavers of grade 9 want, migrant and local alike (M113), and how many places the
preference tiers take at most (M097).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import fsum
from typing import Any

import pandas as pd
from zjsim.models.seat_data import STAGES, YUAN, County, HasTables
from zjsim.models.seat_repair_model import Repair, children_short, extra_spending_yuan, room_price
from zjsim.models.seat_tables import CountyPlan

from zjsim.solve.results import Stopped
from zjsim.texts import LANGUAGES, Language, text

REPAIR_COLUMNS = (
    *("county_code", "county_zh", "county_en", "year", "stage", "short_without_plan", "classes_added", "rooms_added"),
    *("placed_purchased", "cost_yuan", "still_short", "classes_missing", "rooms_missing", "staff_missing"),
    *("places_missing", "repair_yuan", "is_verified", "why_zh", "why_en", "basis"),
)
RULE_COLUMNS = (
    *("county_code", "county_zh", "county_en", "rule", "amount", "unit", "rooms_missing", "staff_missing"),
    *("places_missing", "budget_missing_yuan", "repair_yuan", "left_after", "is_verified", "why_zh", "why_en", "basis"),
)
SENIOR_COLUMNS = (
    *("county_code", "county_zh", "county_en", "year", "leavers_local", "leavers_migrant", "leavers_permit"),
    *("senior_places_wanted", "entrants_eligible", "talent_places_at_most", "basis"),
)
Repairs = Mapping[str, Repair | Stopped | None]
"""Cheapest repairs of one county by goal (:func:`zjsim.models.seat_repair_model.repairs_of`)."""
_TALENT_PARAMETER = "CP10"
"""Home owners and talent permits among the eligible: an upper bound of the tiers that M097 speaks of."""


def repairs(plans: Sequence[CountyPlan], found: Sequence[Repairs]) -> pd.DataFrame:
    """Table ``seat_repairs``: children in whole numbers, money in yuan of the year; ``found`` in the plans' order.

    What is missing is that of the county's cheapest repair: rooms and staff usable in the year, places of the year,
    spending beyond the plan in the year. Rows where today's classes, the plan, or the repair have something to say.
    """
    rows = [
        r
        for p, repaired in zip(plans, found, strict=True)
        for y in p.county.years
        for s in STAGES
        if (r := _repair(p, s, y, repaired.get("places")))
    ]
    return pd.DataFrame(rows, columns=list(REPAIR_COLUMNS))


def rule_repairs(plans: Sequence[CountyPlan], found: Sequence[Repairs]) -> pd.DataFrame:
    """Table ``seat_rule_repairs``: for every county and goal that is not zero, the cheapest repair and its proof.

    Rooms, staff (persons) and purchased places are the most of any year and stage, added up over the stages; money in
    yuan of all years; ``left_after`` is what is left of the goal when the county is solved again with the repair.
    """
    rows = [
        _rule_row(p, name, r)
        for p, repaired in zip(plans, found, strict=True)
        for name, r in repaired.items()
        if name != "places"
    ]
    return pd.DataFrame(rows, columns=list(RULE_COLUMNS))


def _rule_row(p: CountyPlan, name: str, found: Repair | Stopped | None) -> dict[str, Any]:
    r = found if isinstance(found, Repair) else None
    kind = "stopped" if isinstance(found, Stopped) else "none" if r is None else "found"
    d, goal = p.county, next(s for s in p.stages if s.name == name)
    money = name == "budget_overrun"
    most = {"rooms": 0, "staff": 0.0, "places": 0}
    before = fsum(s.value for s in p.stages if s.name == "cost")
    if r is not None:
        most = {
            "rooms": sum(max(r.rooms[s, y] for y in d.years) for s in STAGES),
            "staff": round(
                fsum(max(r.staffed[s, y] for y in d.years) * d.stages[s].staff_per_class for s in STAGES), 1
            ),
            "places": sum(max(r.places[s, y] for y in d.years) for s in STAGES),
        }
    yuan = 0.0 if r is None else round((r.spending - before) * YUAN, 2)
    budget = 0.0 if r is None else round(fsum(r.budget.values()) * YUAN, 2)
    amount = round(goal.value * (YUAN if money else 1), 2)
    said = {
        lang: text(
            f"seats.rule_repair.{'budget' if money and r is not None else kind}",
            lang,
            county=d.name_zh if lang == "zh" else d.name_en,
            rule=text(f"report.code.{name}", lang),
            amount=f"{amount:,.0f}",
            rooms=most["rooms"],
            staff=f"{most['staff']:g}",
            places=most["places"],
            budget=f"{budget:,.0f}",
            money=f"{yuan:,.0f}",
        )
        + _assumed(d, r, STAGES, lang)
        for lang in LANGUAGES
    }
    return {
        "county_code": d.code,
        "county_zh": d.name_zh,
        "county_en": d.name_en,
        "rule": name,
        "amount": amount,
        "unit": "yuan" if money else "child-years",
        "rooms_missing": most["rooms"],
        "staff_missing": most["staff"],
        "places_missing": most["places"],
        "budget_missing_yuan": budget,
        "repair_yuan": yuan,
        "left_after": goal.value if r is None else round(max(0.0, r.left), 4),
        "is_verified": r is not None and r.verified,
        "why_zh": said["zh"],
        "why_en": said["en"],
        "basis": "",
    }


def _assumed(d: County, found: Repair | None, stages: Iterable[str], lang: Language) -> str:
    """What a repair with rooms takes from norms, or leaves out, for want of a registry's entry; mostly nothing."""
    said = ""
    for s in stages:
        if found is not None and any(found.rooms[s, y] for y in d.years):
            stage, name = d.stages[s], text(f"seats.stage.{s}", lang)
            if stage.without_any_school:
                said += text("seats.repair.by_norm", lang, stage=name, seats=stage.norm_seats_per_class)
            if not room_price(d, s):
                said += text("seats.repair.no_price", lang, stage=name)
    return said


def _repair(p: CountyPlan, s: str, y: int, answer: Repair | Stopped | None) -> dict[str, Any] | None:
    found = answer if isinstance(answer, Repair) else None
    without = "stopped" if isinstance(answer, Stopped) else "without"
    d, stage = p.county, p.county.stages[s]
    usable = stage.usable_seats_per_class
    before = sum(max(0, d.local[g, y] + d.covered[g, y] - d.classes_base[g, y] * usable) for g in STAGES[s])
    short = children_short(p, s, y)
    still = sum(short.values())
    rooms, places, money, staff = 0, 0, 0.0, 0.0
    if found is not None:
        rooms, places, money = found.rooms[s, y], found.places[s, y], extra_spending_yuan(p, found, s, y)
        staff = round(found.staffed[s, y] * stage.staff_per_class, 1)
    if not before and not still and not rooms and not places and abs(money) < 1:
        return None
    seats = usable or (stage.norm_seats_per_class if stage.without_any_school else 0)
    missing = sum(-(-n // max(seats, 1)) for n in short.values())
    classes = p.classes_of(s, y)
    added = max(0, classes - sum(d.classes_base[g, y] for g in STAGES[s]))
    built = p.rooms(s, y) - stage.classrooms
    kind = "met" if not still and found is None else "left" if found is not None else without
    said = {
        lang: text(
            f"seats.repair.{kind}",
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
            places=places,
            staff=f"{staff:g}",
            money=f"{money:,.0f}",
        )
        + _assumed(d, found, [s], lang)
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
        "cost_yuan": round(fsum(p.money(s, y).values()), 2),
        "still_short": still,
        "classes_missing": missing,
        "rooms_missing": rooms,
        "staff_missing": staff,
        "places_missing": places,
        "repair_yuan": money,
        "is_verified": found.verified if found is not None else not still,
        "why_zh": said["zh"],
        "why_en": said["en"],
        "basis": "",
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
