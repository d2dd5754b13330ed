"""Synthetic groups of migrant applicants of one school year and county, adding up to its applicants by grade.

Children are drawn one by one (grade and tier by exact counts; residence, points and siblings at random) and those equal
in every column become one group. Points are whole parts of a point, so equal points are equal and others are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from zjsim.synthesis.draws import pick, triangular, uniforms
from zjsim.synthesis.placement_settings import Settings
from zjsim.synthesis.proportional import Floats, Ints, largest_remainder, round_half_up
from zjsim.synthesis.schools import GRADES, TAUGHT, Schools, school_ids
from zjsim.synthesis.tiers import (
    ELIGIBLE,
    HOME_OR_TALENT,
    LOWER,
    MIDDLE,
    NO_PERMIT,
    PERMIT_ONLY,
    UPPER,
    TierLines,
    band,
)
from zjsim.synthesis.zones import County, Places, cell_ids, zone_ids

NONE = -1
ENTRY = (0, 6)
"""Grades of entry (from 0): the first of primary and of junior school."""
_HEAP_POINTS = 5
_NEAREST = 6
_NEARER = 0.55
"""The chance of each of the nearest schools for an elder sibling falls by this factor with every nearer one."""
_PEAK = {HOME_OR_TALENT: 0.55, UPPER: 0.15, MIDDLE: 0.5, LOWER: 0.75}
"""Where in its band the points of a tier are most frequent (0 bottom, 1 top)."""


@dataclass
class Children:
    """Applicants of a county, one entry each; schools, points and families are :data:`NONE` where there is none."""

    grade: Ints
    tier: Ints
    cell: Ints
    points: Ints
    sibling: Ints
    current: Ints
    family: Ints

    def __len__(self) -> int:
        return len(self.grade)


def children_of(
    county: County,
    cells: Places,
    cell_share: Floats,
    schools: Schools,
    lines: TierLines,
    settings: Settings,
    seed: int,
) -> Children:
    """Draw the applicants of a county."""
    grade, tier = _grades_and_tiers(county, settings)
    n = len(grade)
    u = uniforms(seed, "children", county.code, 8 * n).reshape(n, 8)
    cell = pick(cell_share, u[:, 0]) if n else np.zeros(0, dtype=np.int64)
    points = _points(tier, lines, settings.heaped_share, u[:, 1], u[:, 2])
    none = np.full(n, NONE, dtype=np.int64)
    children = Children(grade, tier, cell, points, none.copy(), none.copy(), none.copy())
    order = _nearest_first(cells, schools)
    _siblings(children, order, schools, settings.sibling_share, u[:, 3], u[:, 4])
    _families(children, settings.together_share, u[:, 5], u[:, 6])
    _current_schools(children, order, schools, settings.current_school_share, u[:, 7])
    return children


def claims(county: County) -> tuple[Ints, Ints]:
    """Applicants with a permit and those eligible, by grade: the shares of the grade's migrant children, rounded."""
    whole = np.maximum(county.migrant, 1)
    permit = round_half_up(county.applicants * county.permit / whole)
    return permit, np.minimum(round_half_up(county.applicants * county.eligible / whole), permit)


def _grades_and_tiers(county: County, settings: Settings) -> tuple[Ints, Ints]:
    """Grade (from 0) and tier of every applicant: counts by grade are exact, tiers within the eligible rounded."""
    upper, middle, home = settings.upper_band_share, settings.middle_band_share, settings.home_or_talent_share
    shares = np.array([home, upper, middle, max(0.0, 1 - home - upper - middle)])
    permit, eligible = claims(county)
    grades, tiers = [], []
    for g in range(GRADES):
        counts = [
            *largest_remainder(shares, int(eligible[g])),
            permit[g] - eligible[g],
            county.applicants[g] - permit[g],
        ]
        tiers.append(np.repeat(np.array([*ELIGIBLE, PERMIT_ONLY, NO_PERMIT]), counts))
        grades.append(np.full(int(sum(counts)), g))
    return np.concatenate(grades).astype(np.int64), np.concatenate(tiers).astype(np.int64)


def _points(tier: Ints, lines: TierLines, heaped: float, u: Floats, heap: Floats) -> Ints:
    """Points in parts: triangular within the tier's band; a share of families falls on a multiple of five points."""
    points = np.full(len(tier), NONE, dtype=np.int64)
    step = _HEAP_POINTS * lines.parts
    for t in ELIGIBLE:
        low, high = band(lines, t)
        own = tier == t
        drawn = round_half_up(triangular(low, low + _PEAK[t] * (high - low), high, u[own]))
        near = round_half_up(drawn / step) * step
        fits = (heap[own] < heaped) & (near >= low) & (near <= high)
        points[own] = np.where(fits, near, drawn)
    return points


def _nearest_first(cells: Places, schools: Schools) -> Ints:
    """Schools by distance from each cell, the nearest first; shape (cells, schools)."""
    east = cells.east_km[:, None] - schools.at.east_km[None, :]
    north = cells.north_km[:, None] - schools.at.north_km[None, :]
    return np.argsort(np.hypot(east, north), axis=1, kind="stable")


def _siblings(children: Children, order: Ints, schools: Schools, share: float, chance: Floats, which: Floats) -> None:
    """Give a share of permit holders an elder sibling at a near school.

    The school teaches the child's grade, and migrant children sit there in a higher one: the sibling is still enrolled
    after the summer.
    """
    taught = TAUGHT[schools.stage]
    for g in range(GRADES - 1):
        elder = taught[:, g] & (schools.taken_migrant[:, g + 1 :].sum(axis=1) > 0)
        chosen = (children.grade == g) & (chance < share) & (children.tier != NO_PERMIT)
        if not elder.any() or not chosen.any():
            continue
        near = order[elder[order]].reshape(len(order), -1)[:, :_NEAREST]
        weights = _NEARER ** np.arange(near.shape[1], dtype=np.float64)
        children.sibling[chosen] = near[children.cell[chosen], pick(weights, which[chosen])]


def _families(children: Children, share: float, chance: Floats, shuffle: Floats) -> None:
    """Pair a share of permit holders with another of the same cell and tier but another grade, as one family.

    Both have the family's points (the first one's) and no elder sibling.
    """
    order = np.lexsort((shuffle, children.tier, children.cell))
    order = order[children.tier[order] != NO_PERMIT]
    first, second = order[: len(order) // 2 * 2 : 2], order[1::2]
    alike = (children.cell[first] == children.cell[second]) & (children.tier[first] == children.tier[second])
    alike &= children.grade[first] != children.grade[second]
    if not alike.any():
        return
    wanted = min(1.0, share * len(order) / (2 * int(alike.sum())))
    paired = np.flatnonzero(alike & (chance[first] < wanted))
    for side in (first[paired], second[paired]):
        children.family[side] = np.arange(len(paired))
        children.sibling[side] = NONE
    children.points[second[paired]] = children.points[first[paired]]


def _current_schools(children: Children, order: Ints, schools: Schools, share: float, chance: Floats) -> None:
    """Seat a share of the transfers at the nearest private school of the county that has room for them now."""
    room = np.where(schools.private[:, None] & TAUGHT[schools.stage], schools.free, 0)
    for g in range(GRADES):
        if g in ENTRY or not (room[:, g] > 0).any():
            continue
        chosen = np.flatnonzero((children.grade == g) & (chance < share))
        for child in chosen[np.argsort(chance[chosen], kind="stable")].tolist():
            near = order[children.cell[child]]
            open_now = near[room[near, g] > 0]
            if not len(open_now):
                break
            children.current[child] = open_now[0]
            room[open_now[0], g] -= 1


def group_table(
    county: County, cells: Places, schools: Schools, lines: TierLines, children: Children, year: int
) -> pd.DataFrame:
    """Registry ``child_groups`` of one county: equal children together, by cell, grade, tier, points (most first)."""
    keys = np.column_stack(
        (
            children.cell,
            children.grade,
            children.tier,
            -children.points,
            children.sibling,
            children.current,
            children.family,
        )
    )
    groups, count = np.unique(keys, axis=0, return_counts=True)
    cell, grade, tier, points, sibling, current, family = groups.T
    ids = np.array([*school_ids(county, schools.stage), ""], dtype=object)
    families = {f: i + 1 for i, f in enumerate(dict.fromkeys(family[family != NONE].tolist()))}
    return pd.DataFrame(
        {
            "group_id": [f"{county.code}-G{i + 1:05d}" for i in range(len(groups))],
            "county_code": county.code,
            "zone_id": zone_ids(county, cells.zone[cell]),
            "cell_id": cell_ids(county, cell),
            "year": year,
            "grade": grade + 1,
            "is_transfer": ~np.isin(grade, ENTRY),
            "has_permit": tier != NO_PERMIT,
            "is_eligible": np.isin(tier, ELIGIBLE),
            "tier": tier,
            "points": np.where(points == -NONE, np.nan, -points / lines.parts),
            "sibling_school": ids[sibling],
            "current_school": ids[current],
            "family_id": [f"{county.code}-F{families[f]:04d}" if f != NONE else "" for f in family.tolist()],
            "children": count,
            "source_id": "method_child_groups",
            "basis": "synthetic",
        }
    )
