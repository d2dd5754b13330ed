"""Synthetic schools of a county and their places by grade, adding up to the county's capacity and demand.

Classes, seats, children with local hukou and migrant children already at school are split over the schools of a county
by whole numbers, so that every county and grade adds up exactly. See :mod:`zjsim.synthesis.school_counts` for how many
schools there are and :mod:`zjsim.synthesis.zones` for where.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from zjsim.synthesis.draws import apportion, triangular, uniforms
from zjsim.synthesis.placement_settings import Settings
from zjsim.synthesis.proportional import Bools, Floats, Ints, largest_remainder, round_half_up
from zjsim.synthesis.school_counts import SchoolCounts, counts_array
from zjsim.synthesis.zones import County, Places, Zones, degrees, scatter, zone_ids

PRIMARY, JUNIOR, NINE_YEAR = 0, 1, 2
STAGES = ("primary", "junior", "nine_year")
GRADES = 9
TAUGHT = np.array([[g < 6 for g in range(GRADES)], [g >= 6 for g in range(GRADES)], [True] * GRADES])
"""Whether a school of a stage (row) teaches a grade (column, from 0)."""

_ID = "PJN"
_LABEL_ZH = (("小学", "民办小学"), ("初中", "民办初中"), ("九年一贯制学校", "民办九年一贯制学校"))
_LABEL_EN = ("primary school", "junior school", "nine-year school")
_PUBLIC_BY_ZONE = np.array([[1.0, 1.2, 1.0], [1.0, 1.2, 1.0], [0.6, 1.2, 2.0]])
"""Weight of urban, town and rural zones for schools of a stage, beyond their children (rural ones are smaller)."""
_PRIVATE_BY_ZONE = np.array([0.8, 1.5, 0.6])
_NINE_YEAR_SIZE = 0.6
_MOST_CLASSES = np.array([6, 12, 5])
"""Parallel classes of a grade in an ordinary school: 36, 36 and 45 classes in all (exceeded where a county must)."""
_TYPICAL_CLASS = np.array([40] * 6 + [42] * 3)


@dataclass(frozen=True)
class Schools:
    """Schools of a county: one entry each, grade tables of shape (schools, 9)."""

    stage: Ints
    private: Bools
    at: Places
    classes: Ints
    seats: Ints
    taken_local: Ints
    taken_migrant: Ints
    purchased: Ints
    taken_purchased: Ints

    def __len__(self) -> int:
        return len(self.stage)

    @property
    def free(self) -> Ints:
        """Seats that nobody has taken (negative only where the county's own tables say so)."""
        return self.seats - self.taken_local - self.taken_migrant


def schools_of(county: County, zones: Zones, counts: SchoolCounts, settings: Settings, seed: int) -> Schools:
    """Draw the schools of a county and split its places and pupils over them."""
    stage, private, zone = _stock(counts_array(counts), zones, settings.rural_school_size)
    u = uniforms(seed, "schools", county.code, 4 * len(stage)).reshape(-1, 4)
    at = scatter(zones, zone, u[:, :2])
    spread = settings.size_variation
    size = _size(zones, stage, private, zone) * triangular(1 - spread, 1.0, 1 + spread, u[:, 2])
    liking = triangular(1 - settings.use_variation, 1.0, 1 + settings.use_variation, u[:, 3])
    classes, seats = _places(county, stage, private, size)
    local, migrant = _pupils(county, stage, private, seats, liking)
    bought, taken = _purchases(county, private, seats, migrant, settings.purchased_share)
    return Schools(stage, private, at, classes, seats, local, migrant, bought, taken)


def _stock(counts: Ints, zones: Zones, rural_size: float) -> tuple[Ints, Bools, Ints]:
    """Stage, ownership and zone of every school, ordered by stage, then public before private, then zone."""
    people = zones.local_share + zones.migrant_share
    parts = []
    for stage in (PRIMARY, JUNIOR, NINE_YEAR):
        public = people * _PUBLIC_BY_ZONE[stage, zones.kind] / np.array([1.0, 0.8, rural_size])[zones.kind]
        private = zones.migrant_share * _PRIVATE_BY_ZONE[zones.kind]
        for owner, weight in enumerate((public, private)):
            total = int(counts[stage, owner])
            low = 1 if stage == PRIMARY and owner == 0 and total >= len(zones) else 0
            zone = np.repeat(np.arange(len(zones)), apportion(total, weight, low=low))
            parts.append((np.full(total, stage), np.full(total, owner == 1), zone))
    stages, owners, places = (np.concatenate(p) for p in zip(*parts, strict=True))
    return stages.astype(np.int64), owners, places.astype(np.int64)


def _size(zones: Zones, stage: Ints, private: Bools, zone: Ints) -> Floats:
    """Expected size of each school: the children of its zone over the schools of its kind there."""
    people = zones.local_share + zones.migrant_share
    size = np.ones(len(stage))
    for level in (PRIMARY, JUNIOR):
        public = ~private & TAUGHT[stage, 0 if level == PRIMARY else GRADES - 1]
        weight = np.where(stage == NINE_YEAR, _NINE_YEAR_SIZE, 1.0)
        schools = np.bincount(zone[public], weights=weight[public], minlength=len(zones))
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(schools > 0, people / schools, 0.0)
        own = public & ((stage == level) | ((stage == NINE_YEAR) & (level == PRIMARY)))
        size[own] = (each[zone] * weight)[own]
    return size


def _places(county: County, stage: Ints, private: Bools, size: Floats) -> tuple[Ints, Ints]:
    """Classes and seats by school and grade."""
    classes = np.zeros((len(stage), GRADES), dtype=np.int64)
    seats = np.zeros_like(classes)
    for g in range(GRADES):
        public, own = ~private & TAUGHT[stage, g], private & TAUGHT[stage, g]
        total = int(county.classes[g])
        low = 1 if total >= public.sum() else 0
        classes[public, g] = apportion(total, size[public], low=low, high=_MOST_CLASSES[stage[public]])
        weight = classes[public, g].astype(float)
        seats[public, g] = largest_remainder(weight if weight.any() else weight + 1, int(county.seats[g]))
        if not own.any():
            continue
        seats[own, g] = apportion(int(county.private_places[g]), size[own])
        classes[own, g] = -(-seats[own, g] // _TYPICAL_CLASS[g])
    return classes, seats


def _pupils(county: County, stage: Ints, private: Bools, seats: Ints, liking: Floats) -> tuple[Ints, Ints]:
    """Seats taken by local children (all in public schools) and by migrant children who are there and do not apply.

    Those migrant children are in public schools by the county's public share, as far as local children leave seats;
    the rest is in private places, and only beyond these in public seats again.
    """
    local = np.zeros_like(seats)
    migrant = np.zeros_like(seats)
    stay = np.maximum(county.migrant - county.applicants, 0)
    for g in range(GRADES):
        public, own = ~private & TAUGHT[stage, g], private & TAUGHT[stage, g]
        here = seats[public, g]
        local[public, g] = apportion(int(county.local[g]), here * liking[public], high=here)
        left = np.maximum(here - local[public, g], 0)
        in_public = min(int(round_half_up(stay * county.public_share)[g]), int(left.sum()))
        beyond = int(stay[g]) - in_public - int(seats[own, g].sum())
        if beyond > 0:
            in_public += beyond if not own.any() else min(beyond, int(left.sum()) - in_public)
        migrant[public, g] = apportion(in_public, left.astype(float), high=left)
        migrant[own, g] = apportion(int(stay[g]) - in_public, seats[own, g] * liking[own], high=seats[own, g])
    return local, migrant


def _purchases(county: County, private: Bools, seats: Ints, migrant: Ints, share: float) -> tuple[Ints, Ints]:
    """Purchased places by school and grade, a share of the most the county can buy, and those taken by its pupils."""
    bought = np.zeros_like(seats)
    for stage, grades in enumerate((slice(0, 6), slice(6, GRADES))):
        cells = np.where(private[:, None], seats[:, grades], 0)
        total = min(int(county.purchase_most[stage] * share), int(cells.sum()))
        if total:
            spread = apportion(total, cells.ravel().astype(float), high=cells.ravel())
            bought[:, grades] = spread.reshape(cells.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(seats > 0, bought / np.maximum(seats, 1), 0.0)
    return bought, np.minimum(round_half_up(np.asarray(migrant * part, dtype=np.float64)), np.minimum(bought, migrant))


def school_ids(county: County, stage: Ints) -> list[str]:
    """Ids of a county's schools, numbered within each stage."""
    seen = [0, 0, 0]
    ids = []
    for s in stage.tolist():
        seen[s] += 1
        ids.append(f"{county.code}-{_ID[s]}{seen[s]:03d}")
    return ids


def school_table(county: County, schools: Schools) -> pd.DataFrame:
    """Registry ``schools`` of one county, sorted by id."""
    ids = school_ids(county, schools.stage)
    lon, lat = degrees(county, schools.at.east_km, schools.at.north_km)
    numbers = [int(i[-3:]) for i in ids]
    kinds = list(zip(schools.stage.tolist(), schools.private.tolist(), numbers, strict=True))
    owner = ["private" if p else "public" for p in schools.private]
    table = pd.DataFrame(
        {
            "school_id": ids,
            "label_zh": [f"{county.name_zh}第{n:02d}{_LABEL_ZH[s][p]}（合成）" for s, p, n in kinds],
            "label_en": [
                f"{county.name_en} {o} {_LABEL_EN[s]} {n:02d} (synthetic)"
                for (s, _, n), o in zip(kinds, owner, strict=True)
            ],
            "county_code": county.code,
            "zone_id": zone_ids(county, schools.at.zone),
            "lon": lon,
            "lat": lat,
            "ownership": owner,
            "stage": [STAGES[s] for s in schools.stage],
            "source_id": "method_schools",
            "basis": "synthetic",
        }
    )
    return table.sort_values("school_id", ignore_index=True)


def grade_table(county: County, schools: Schools, year: int) -> pd.DataFrame:
    """Registry ``school_grades`` of one county: one row for each grade that a school teaches, sorted by its key."""
    row, grade = np.nonzero(TAUGHT[schools.stage])
    ids = np.array(school_ids(county, schools.stage), dtype=object)
    table = pd.DataFrame(
        {
            "school_id": ids[row],
            "county_code": county.code,
            "year": year,
            "grade": grade + 1,
            "classes": schools.classes[row, grade],
            "seats": schools.seats[row, grade],
            "taken_local": schools.taken_local[row, grade],
            "taken_migrant": schools.taken_migrant[row, grade],
            "purchased_seats": schools.purchased[row, grade],
            "taken_purchased": schools.taken_purchased[row, grade],
            "source_id": "method_school_grades",
            "basis": "synthetic",
        }
    )
    return table.sort_values(["school_id", "year", "grade"], ignore_index=True)
