"""How well an institution or discipline fits an industry: the scores behind the lead and the heritage assignment.

Lead disciplines (M010 "按照1个牵头学科服务1个主要产业模式,推动高校科研力量下沉", M018, M038, M041):

    score = 100 x relevance/3 x (ws x strength + wp x proximity + wc x cooperation) / (ws + wp + wc)

relevance 0-3 is the registry's judgement; strength is read from the published grade; proximity is
``role weight x exp(-km / decay)`` to the best place of the cluster, from the campus county's point; cooperation has no
public data, so its weight is 0 in the baseline. Leading is first a matter of research strength, hence 0.7 against 0.3.

Heritage industries "1+1" (M012 "对接赋能历史经典产业高水平传承高质量发展"):

    score = 100 x (wk x craft + wp x proximity + ws x strength) / (wk + wp + ws)

craft is the closer of the institution's own link to the craft (link/3) and its most relevant discipline (relevance/3,
at ``craft_from_discipline``: a discipline helps a craft, it is not the craft). The weights follow the plan's words:
传承 (handing down) needs people who practise the craft, so craft weighs half in both roles; 赋能 (giving new strength)
needs research, so the lead's strength weighs a quarter; 力量下沉 (going to where the work is) weighs place: a quarter
for the lead, half for the partner, whose rank does not count at all.

Unknown is not zero: an ungraded discipline has strength between ``unknown_strength_low`` and ``_high``, the middle
stands in for it, and every score has the two ends beside it. The unit of all scores is the point (0-100), rounded to a
thousandth so that the assignment is optimised over whole numbers.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
from zjsim.models.assignment_rules import rows_of

from zjsim.scenario.parameters import AssignmentParameters

POINT = 1000
"""Whole units per point: the assignment maximises integers."""

_EARTH_RADIUS_KM = 6371.0088


@dataclass(frozen=True, slots=True)
class Strength:
    """Strength between 0 and 1; ``low`` and ``high`` are its range where it is not known."""

    value: float
    known: bool
    low: float
    high: float
    grade: str


@dataclass(frozen=True, slots=True)
class Nearness:
    """Closeness to an industry: the place that counts, its distance and the proximity it gives (0-1)."""

    proximity: float
    distance_km: float
    place_code: str
    role: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to serve an industry in one role. ``components`` and ``contributions`` share their keys.

    ``score_units`` is the score in thousandths of a point; ``score_low`` and ``score_high`` are points at the ends of
    the unknown parts. ``discipline_code`` is empty where an institution takes part as a whole, by its craft or its
    category. ``weights`` are those of the components; ``factor`` (relevance/3, or 1) multiplies their sum and lies
    between ``factor_low`` and ``factor_high``.
    """

    industry_id: str
    role: str
    moe_code: str
    discipline_code: str
    relevance: int
    components: Mapping[str, float]
    contributions: Mapping[str, float]
    score_units: int
    score_low: float
    score_high: float
    strength: Strength
    nearness: Nearness
    basis_of_craft: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    factor: float = 1.0
    factor_low: float = 1.0
    factor_high: float = 1.0


def great_circle_km(lon_1: float, lat_1: float, lon_2: float, lat_2: float) -> float:
    """Distance on a sphere of the earth's mean radius between two points given in degrees, in km (haversine)."""
    p1, p2 = math.radians(lat_1), math.radians(lat_2)
    h = math.sin((p2 - p1) / 2) ** 2
    h += math.cos(p1) * math.cos(p2) * math.sin(math.radians(lon_2 - lon_1) / 2) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(h)))


def strength_of(grade: str, double_first_class: bool, p: AssignmentParameters) -> Strength:
    """The strength of a discipline with this published grade (empty: unknown)."""
    floor = p.double_first_class_strength if double_first_class else 0.0
    if grade:
        value = max(p.strength_by_grade[grade], floor)  # type: ignore[index]
        return Strength(value, True, value, value, grade)
    low, high = max(p.unknown_strength_low, floor), max(p.unknown_strength_high, floor)
    return Strength((low + high) / 2, double_first_class, low, high, "")


class Places:
    """Where campuses and industries are, and how near they are to each other."""

    def __init__(self, tables: Mapping[str, pd.DataFrame], p: AssignmentParameters) -> None:
        self._role_weight = {
            "core_area": p.place_weight_core_area,
            "coordination_area": p.place_weight_coordination_area,
            "known_location": p.place_weight_known_location,
        }
        self._point: dict[str, tuple[float, float]] = {}
        for name, key in (("cities", "city_code"), ("counties", "county_code")):
            t = tables[name]
            self._point |= dict(zip(t[key], zip(t["lon"], t["lat"], strict=True), strict=True))
        self._campus = {
            row.moe_code: self._point[row.county_code or row.city_code] for row in rows_of(tables["universities"])
        }
        self._places: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in rows_of(tables["industry_places"]):
            self._places[row.industry_id].append((row.place_code, row.role))

    def nearness(self, moe_code: str, industry_id: str, decay_km: float) -> Nearness:
        """The place of the industry that counts most from this campus; proximity 0 where no place is known."""
        here = self._campus[moe_code]
        best = Nearness(0.0, math.nan, "", "")
        for code, role in sorted(self._places[industry_id]):
            km = great_circle_km(*here, *self._point[code])
            proximity = self._role_weight[role] * math.exp(-km / decay_km)
            if (proximity, -km) > (best.proximity, -best.distance_km if best.place_code else -math.inf):
                best = Nearness(proximity, km, code, role)
        return best


def lead_candidates(
    tables: Mapping[str, pd.DataFrame], p: AssignmentParameters, industries: Iterable[str], also: Iterable[Any] = ()
) -> tuple[Candidate, ...]:
    """Every (main industry, discipline) pair with a listed relevance, and the pairs in ``also``, sorted.

    ``also`` holds (industry_id, moe_code, discipline_code) of pairs that a special rule names; their relevance is 0
    when it is not listed, so that the rule on relevance can say so.
    """
    relevance = {(r.industry_id, r.discipline_code): int(r.relevance) for r in rows_of(tables["relevance"])}
    cooperation = {(r.industry_id, r.moe_code): float(r.cooperation) for r in rows_of(tables["cooperation"])}
    places, named, weights = Places(tables, p), set(also), lead_weights(p)
    found = []
    for industry in sorted(industries):
        for row in rows_of(tables["disciplines"]):
            key = (industry, row.moe_code, row.discipline_code)
            level = relevance.get((industry, row.discipline_code), 0)
            if level < 1 and key not in named:
                continue
            strength = strength_of(row.grade, row.double_first_class, p)
            near = places.nearness(row.moe_code, industry, p.lead_distance_decay_km)
            worked = cooperation.get((industry, row.moe_code), math.nan)
            found.append(_candidate(key, "lead", level, level / 3, weights, strength, near, {"cooperation": worked}))
    return tuple(sorted(found, key=lambda c: (c.industry_id, c.moe_code, c.discipline_code)))


def support_candidates(
    tables: Mapping[str, pd.DataFrame], p: AssignmentParameters, industries: Iterable[str], also: Iterable[Any] = ()
) -> tuple[Candidate, ...]:
    """Every way to support a main industry: the lead candidates, and institutions of which no discipline is listed.

    The latter take part as a whole (empty discipline_code): their relevance is that of their category, give or take
    one step, and their strength is unknown. ``also`` as in :func:`lead_candidates`.
    """
    industries, named = sorted(industries), set(also)
    found = [replace(c, role="support") for c in lead_candidates(tables, p, industries, named)]
    of_category = {(r.category, r.industry_id): int(r.relevance) for r in rows_of(tables["category_relevance"])}
    cooperation = {(r.industry_id, r.moe_code): float(r.cooperation) for r in rows_of(tables["cooperation"])}
    listed, unknown = set(tables["disciplines"]["moe_code"]), strength_of("", False, p)
    places = Places(tables, p)
    weights = lead_weights(p)
    for row in rows_of(tables["universities"]):
        for industry in industries if row.moe_code not in listed else ():
            level = of_category.get((row.category, industry), 0)
            key = (industry, row.moe_code, "")
            if level < 1 and key not in named:
                continue
            near = places.nearness(row.moe_code, industry, p.lead_distance_decay_km)
            worked = {"cooperation": cooperation.get((industry, row.moe_code), math.nan)}
            low, middle, high = (
                _candidate(key, "support", level, step / 3, weights, unknown, near, worked)
                for step in (max(level - 1, 0), level, min(level + 1, 3))
            )
            found.append(
                replace(
                    middle,
                    score_low=low.score_low,
                    score_high=high.score_high,
                    factor_low=low.factor,
                    factor_high=high.factor,
                )
            )
    return tuple(sorted(found, key=lambda c: (c.industry_id, c.moe_code, c.discipline_code)))


def lead_weights(p: AssignmentParameters) -> dict[str, float]:
    """The weights of the components of a lead's and a support's score."""
    return {
        "strength": p.lead_weight_strength,
        "proximity": p.lead_weight_proximity,
        "cooperation": p.lead_weight_cooperation,
    }


def heritage_candidates(
    tables: Mapping[str, pd.DataFrame],
    p: AssignmentParameters,
    industries: Iterable[str],
    roles: Iterable[str],
    also: Iterable[tuple[str, str]] = (),
) -> tuple[Candidate, ...]:
    """Every (heritage industry, institution, role) with a craft link or a relevant discipline, and ``also``."""
    relevance: dict[tuple[str, str], list[tuple[int, float, str, Strength]]] = defaultdict(list)
    by_discipline: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for r in rows_of(tables["relevance"]):
        by_discipline[r.discipline_code].append((r.industry_id, int(r.relevance)))
    for row in rows_of(tables["disciplines"]):
        strength = strength_of(row.grade, row.double_first_class, p)
        for industry, level in by_discipline[row.discipline_code]:
            if level > 0:
                relevance[industry, row.moe_code].append((level, strength.value, row.discipline_code, strength))
    link = {(r.industry_id, r.moe_code): int(r.link) for r in rows_of(tables["craft_links"])}
    unknown = strength_of("", False, p)
    places, named, found = Places(tables, p), set(also), []
    for industry in sorted(industries):
        for moe_code in sorted(tables["universities"]["moe_code"]):
            options = relevance[industry, moe_code]
            own = link.get((industry, moe_code), 0)
            if not options and not own and (industry, moe_code) not in named:
                continue
            # The most relevant discipline speaks for the institution; the stronger, then the lower code, breaks ties.
            level, _, code, strength = min(options, key=lambda o: (-o[0], -o[1], o[2]), default=(0, 0.0, "", unknown))
            helped = p.craft_from_discipline * level / 3
            craft = max(own / 3, helped)
            source = "" if craft == 0 else "craft_link" if own / 3 >= helped else "discipline"
            near = places.nearness(moe_code, industry, p.heritage_distance_decay_km)
            for role in roles:
                weights = {
                    part: getattr(p, f"heritage_{role}_weight_{part}") for part in ("craft", "proximity", "strength")
                }
                key = (industry, moe_code, code)
                found.append(_candidate(key, role, level, 1.0, weights, strength, near, {"craft": craft}, source))
    return tuple(found)


def _candidate(
    key: tuple[str, str, str],
    role: str,
    relevance: int,
    factor: float,
    weights: Mapping[str, float],
    strength: Strength,
    near: Nearness,
    other: Mapping[str, float],
    craft_source: str = "",
) -> Candidate:
    components = {"strength": strength.value, "proximity": near.proximity, **other}
    low = {**components, "strength": strength.low}
    high = {**components, "strength": strength.high}
    for part, value in other.items():
        if math.isnan(value):
            low[part], components[part], high[part] = 0.0, 0.5, 1.0
    total = math.fsum(weights.values())
    contributions = {part: 100 * factor * weights[part] / total * components[part] for part in weights}
    ends = [100 * factor * math.fsum(weights[part] * end[part] for part in weights) / total for end in (low, high)]
    shown = {part: other.get(part, components[part]) for part in weights}
    units = round(math.fsum(contributions.values()) * POINT)
    return Candidate(
        key[0], role, key[1], key[2], relevance, shown, contributions, units, ends[0], ends[1], strength, near,
        craft_source, weights, factor, factor, factor,
    )  # fmt: skip
