"""Every shortfall of a county's seat plan, with the reason in words (zh and en)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np
from zjsim.models.seat_data import GRADES, STAGES, YUAN
from zjsim.models.seat_zones import STAGE_OF_GRADE

from zjsim.texts import LANGUAGES, Language, text

if TYPE_CHECKING:
    from zjsim.models.seat_tables import CountyPlan
    from zjsim.models.seat_zone_plan import ZonePlan

SHORTFALL_COLUMNS = (
    "county_code",
    "county_zh",
    "county_en",
    "year",
    "stage",
    "rule",
    "reading",
    "is_planned",
    "measures",
    "amount",
    "unit",
    "why_zh",
    "why_en",
    "basis",
)
"""``is_planned`` is False for the reading of M112 that is reported beside the one the plan follows."""
READINGS = ("public_only", "with_purchased")
_SMALL = 0.01
"""A fall below this many children is the rounding of a share, a sum below it (yuan) that of money."""


def shortfalls(p: CountyPlan, reading: str) -> list[dict[str, Any]]:
    """Rows of ``seat_shortfalls`` of one county: only what is not zero, by year, rule and stage."""
    found: list[dict[str, Any]] = []
    for y in p.county.years:
        for s in STAGES:
            found += _places(p, s, y)
        found += _falls(p, y, reading)
        found += _switched(p, y)
        found += _overrun(p, y)
    return found


def zone_shortfalls(p: CountyPlan, zone: ZonePlan, zone_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of ``seat_shortfalls`` of a county's zones: seats further away than the scenario's distance, extensions that
    no zone can hold in the smallest size.
    """
    found = []
    b = zone.building
    for s, k in ((s, list(STAGES).index(s)) for s in STAGES):
        least = p.county.stages[s].extension_rooms_min
        for z, t in np.argwhere((b.extension[:, k] > 0) & (b.extension[:, k] < least)).tolist():
            small: dict[Language, dict[str, str]] = {lang: {"zones": zone_ids[z]} for lang in LANGUAGES}
            missing = least - int(b.extension[z, k, t])
            found.append(_row(p, p.county.years[t], s, "extension_too_small", missing, "rooms", "M110", small))
    far = (zone.moves * zone.far[STAGE_OF_GRADE][None, :, None]).sum(axis=0)
    for k, y in enumerate(p.county.years):
        for s, grades in STAGES.items():
            by_home = far[grades[0] - 1 : grades[-1], k].sum(axis=(0, 2))
            if not by_home.sum():
                continue
            order = sorted(range(len(by_home)), key=lambda z: (-by_home[z], z))
            named = [f"{zone_ids[z]} ({int(by_home[z])})" for z in order if by_home[z]][:3]
            said: dict[Language, dict[str, str]] = {lang: {"zones": ", ".join(named)} for lang in LANGUAGES}
            found.append(_row(p, y, s, "moved_too_far", int(by_home.sum()), "children", "M110", said))
    return found


def _switched(p: CountyPlan, y: int) -> Iterator[dict[str, Any]]:
    """What the rules that the scenario switches on ask for and the plan does not reach."""
    d, on = p.county, p.county.switches
    public, migrants = p.in_public(y), d.migrants_of_year[y]
    bought = sum(p.purchased(s, y) for s in STAGES)
    none = sum(d.covered[k] - p.covered[k] - p.bought[k] for k in ((g, y) for g in GRADES))
    permit = sum(max(0, d.permit.get((g, y), 0) - p.covered[g, y] - p.other[g, y]) for g in GRADES)
    pupils = migrants + sum(d.local[g, y] for g in GRADES)
    asked = (
        ("permit_without_public_seat", bool(on.permit_guarantee_from) and y >= on.permit_guarantee_from, permit),
        ("indicator_short", on.indicator_share > 0, on.indicator_share * migrants - public - bought),
        ("private_above_cap", on.private_share_cap < 1, migrants - public - none - on.private_share_cap * pupils),
    )
    for rule, is_on, amount in asked:
        if is_on and amount > _SMALL:
            tight = [s for s in STAGES if _limit(p, s, y) is not None]
            said = {lang: {"cause": _joined(p, tight, y, lang)} for lang in LANGUAGES}
            yield _row(p, y, "both", rule, round(amount, 2), "children", "M112", said)


def _places(p: CountyPlan, s: str, y: int) -> Iterator[dict[str, Any]]:
    """Local children without a seat, guaranteed children without a place, purchases beside idle rooms."""
    d = p.county
    local = sum(d.local[g, y] - p.local[g, y] for g in STAGES[s])
    none = sum(d.covered[g, y] - p.covered[g, y] - p.bought[g, y] for g in STAGES[s])
    idle = min(p.rooms(s, y), d.stages[s].staffed_classes[y]) - p.classes_of(s, y)
    bought = p.purchased(s, y) if idle > 0 else 0
    for rule, amount, measures in (
        ("local_without_seat", local, "M004"),
        ("covered_without_place", none, "M004;M110"),
        ("bought_with_idle_rooms", bought, "M112"),
    ):
        if amount:
            said = {lang: {"cause": _cause(p, s, y, lang), "purchase": _purchase(p, s, y, lang)} for lang in LANGUAGES}
            yield _row(p, y, s, rule, amount, "children", measures, said)


def _falls(p: CountyPlan, y: int, planned: str) -> Iterator[dict[str, Any]]:
    """Falls of the public share under both readings; the planned one counts as a goal, the other is reported."""
    d = p.county
    if not d.migrants_of_year[y]:
        return
    for reading in READINGS:
        before, now = p.share(y - 1, reading), p.share(y, reading)
        if y > d.years[0] and not d.migrants_of_year[y - 1]:
            continue
        amount = round((before - now) * d.migrants_of_year[y], 2)
        if amount <= _SMALL:
            continue
        tight = [s for s in STAGES if _limit(p, s, y) is not None]
        said = {
            lang: {
                "before": f"{before:.2%}",
                "share": f"{now:.2%}",
                "reading": text(f"seats.reading.{reading}", lang),
                "cause": _joined(p, tight, y, lang),
            }
            for lang in LANGUAGES
        }
        row = _row(p, y, "both", "public_share_fall", amount, "children", "M112", said)
        yield row | {"reading": reading, "is_planned": reading == planned}


def _overrun(p: CountyPlan, y: int) -> Iterator[dict[str, Any]]:
    spent = fsum(fsum(p.money(s, y).values()) for s in STAGES)
    amount = round(spent - p.county.budget[y] * YUAN, 2)
    if amount > _SMALL:
        yield _row(p, y, "both", "budget_overrun", amount, "yuan", "M110;M112", {lang: {} for lang in LANGUAGES})


def _row(
    p: CountyPlan,
    y: int,
    s: str,
    rule: str,
    amount: float,
    unit: str,
    measures: str,
    said: dict[Language, dict[str, str]],
) -> dict[str, Any]:
    names: dict[Language, str] = {"zh": p.county.name_zh, "en": p.county.name_en}
    why = {
        lang: text(
            f"seats.short.{rule}",
            lang,
            county=names[lang],
            year=y,
            stage=text(f"seats.stage.{s}", lang),
            amount=f"{amount:,.0f}",
            **said[lang],
        )
        for lang in LANGUAGES
    }
    return {
        "county_code": p.county.code,
        "county_zh": p.county.name_zh,
        "county_en": p.county.name_en,
        "year": y,
        "stage": s,
        "rule": rule,
        "reading": "",
        "is_planned": True,
        "measures": measures,
        "amount": float(amount),
        "unit": unit,
        "why_zh": why["zh"],
        "why_en": why["en"],
        "basis": "",
    }


def _limit(p: CountyPlan, s: str, y: int) -> str | None:
    """What keeps a stage from opening one more class: ``rooms``, ``staff`` or nothing."""
    if p.classes_of(s, y) >= p.rooms(s, y):
        return "rooms"
    return "staff" if p.classes_of(s, y) >= p.county.stages[s].staffed_classes[y] else None


def _cause(p: CountyPlan, s: str, y: int, lang: Language) -> str:
    stage, rooms, limit = p.county.stages[s], p.rooms(s, y), _limit(p, s, y)
    if limit == "staff":
        return text("seats.cause.no_staff", lang, classes=stage.staffed_classes[y])
    if limit is None:
        return text("seats.cause.ranked_before", lang)
    ways = [
        first
        for first, most in (
            (stage.extension_from, stage.extension_rooms_that_fit),
            (stage.school_from, stage.school_sites * stage.school_rooms_that_fit),
        )
        if most
    ]
    if rooms == 0 and not ways:
        return text("seats.cause.no_rooms_at_all", lang)
    if ways and y < min(ways):
        return text("seats.cause.all_rooms_too_early", lang, rooms=rooms, first=min(ways))
    built = rooms - stage.classrooms
    most = stage.extension_rooms_that_fit + stage.school_sites * stage.school_rooms_that_fit
    if built >= most:
        allowed = stage.extension_rooms_max + stage.school_sites * stage.school_rooms_max
        reason = "all_ground_used" if most < allowed else "all_rooms_built_out"
        return text(f"seats.cause.{reason}", lang, rooms=rooms)
    return text("seats.cause.all_rooms", lang, rooms=rooms)


def _purchase(p: CountyPlan, s: str, y: int, lang: Language) -> str:
    most = min(p.county.stages[s].purchase_places_max, p.county.private_places[s, y])
    if not most:
        return text("seats.purchase.none", lang)
    bought = p.purchased(s, y)
    return text("seats.purchase.exhausted" if bought >= most else "seats.purchase.left", lang, places=bought)


def _joined(p: CountyPlan, stages: list[str], y: int, lang: Language) -> str:
    if not stages:
        return text("seats.cause.ranked_before", lang)
    parts = [text(f"seats.stage.{s}", lang) + ("" if lang == "zh" else ": ") + _cause(p, s, y, lang) for s in stages]
    return ("；" if lang == "zh" else "; ").join(parts)
