"""One year's placement as arrays: schools' free seats and groups of applicants of each county and grade.

Numbers are whole: children, seats, distances in 10 m, points in steps of the county's rule. Schools are numbered in the
order of their ids, groups in the order of theirs, so the same tables give the same arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.placement_matrix import IntArray

from zjsim.scenario.distance import straight_km

Tables = Mapping[str, pd.DataFrame]
Objects = Any

PUBLIC, PURCHASED, PAID = 0, 1, 2
KINDS = ("public", "purchased", "self_paid")
"""Kinds of seats: of a public school; of a private school, paid by the county or by families."""
NONE = -1
_NO_CHOICES = pd.DataFrame({"group_id": [], "county_code": [], "year": [], "choice": [], "school_id": []})
NAMES = ("residence_cells", "schools", "school_grades", "tier_rules", "child_groups", "sibling_rule", "school_choices")
"""Registries that placement reads; the last may be missing (no choices are collected)."""
PLAN_NAME = "seat_zone_classes"
"""Table of a seat plan whose openings count as capacity; missing where no plan is given."""


@dataclass(frozen=True)
class Schools:
    """Schools of a county: ids, labels, zones, and the distance from every residence cell (10 m)."""

    ids: Objects
    labels: Mapping[str, Objects]
    private: Any
    zone: Objects
    synthetic: bool


@dataclass(frozen=True)
class Grade:
    """Applicants and sections of one grade of a county.

    Groups: ``ids``, ``children``, ``tier``, ``points`` (steps; -1 = none or not ordered), ``cell``, ``zone``,
    ``sibling`` and ``current`` (school numbers, -1 = none), ``family``. Sections (school × kind of seats): ``school``,
    ``kind``, ``seats`` free, ``there`` (children already in that grade), ``class_seats`` (of a class there; 0: none).
    ``distance``: (groups, sections) in 10 m, int32. ``wish``: place of each section's school in the group's own list,
    shape (groups, sections), int16, -1 = not named; groups with equal lists have an equal ``list_id``, 0 = no list
    handed in.
    """

    county: str
    grade: int
    ids: Objects
    children: IntArray
    tier: IntArray
    points: IntArray
    raw_points: Any
    cell: IntArray
    zone: Objects
    sibling: IntArray
    current: IntArray
    family: Objects
    school: IntArray
    kind: IntArray
    seats: IntArray
    there: IntArray
    class_seats: IntArray
    distance: Any
    wish: Any
    list_id: IntArray

    @property
    def chose(self) -> Any:
        """Whether each group handed in choices."""
        return self.list_id > 0


@dataclass(frozen=True)
class County:
    """A county's schools and grades with applicants, the highest grade first; whether its sibling rule is in force."""

    code: str
    year: int
    schools: Schools
    grades: tuple[Grade, ...]
    sibling_in_force: bool
    local_children: int


def county_tables(tables: Tables, year: int, codes: list[str]) -> Iterator[tuple[str, dict[str, pd.DataFrame]]]:
    """The rows of each county's placement of a school year, county by county in the order of ``codes``."""
    split = {}
    for name in NAMES:
        table = tables.get(name, _NO_CHOICES)
        if "year" in table.columns:
            table = table[table["year"] == year]
        split[name] = (table, dict(table.groupby("county_code", sort=True).indices))
    if PLAN_NAME in tables:
        split[PLAN_NAME] = (tables[PLAN_NAME], dict(tables[PLAN_NAME].groupby("county_code", sort=True).indices))
    for code in codes:
        yield code, {n: t.iloc[rows.get(code, [])].reset_index(drop=True) for n, (t, rows) in split.items()}


def county_data(code: str, year: int, tables: Tables) -> County:
    """Arrays of one county from its rows; raises KeyError where a row names a school or cell that is not there."""
    schools = tables["schools"].sort_values("school_id", ignore_index=True)
    number = {s: i for i, s in enumerate(schools["school_id"])}
    cells = tables["residence_cells"].sort_values("cell_id", ignore_index=True)
    distance = distances(cells, schools)
    groups = tables["child_groups"].sort_values("group_id", ignore_index=True)
    groups = groups.assign(
        cell=_numbers(groups["cell_id"], {c: i for i, c in enumerate(cells["cell_id"])}),
        sibling=_numbers(groups["sibling_school"], number),
        current=_numbers(groups["current_school"], number),
        steps=points_in_steps(groups, tables["tier_rules"]),
    )
    rows = tables["school_grades"]
    rows = rows.assign(school=_numbers(rows["school_id"], number)).sort_values(["grade", "school"], ignore_index=True)
    lists = choices_of(tables["school_choices"], number)
    private = (schools["ownership"] == "private").to_numpy(bool)
    grades = []
    for grade in sorted(groups["grade"].unique().tolist(), reverse=True):
        own = groups[groups["grade"] == grade]
        school, kind, seats, there, class_seats = sections(rows[rows["grade"] == grade], private, own)
        wish, list_id = wishes(own["group_id"].tolist(), lists, school)
        grades.append(
            Grade(
                county=code,
                grade=int(grade),
                ids=own["group_id"].to_numpy(object),
                children=own["children"].to_numpy(np.int64),
                tier=own["tier"].to_numpy(np.int64),
                points=own["steps"].to_numpy(np.int64),
                raw_points=own["points"].to_numpy(float),
                cell=own["cell"].to_numpy(np.int64),
                zone=own["zone_id"].to_numpy(object),
                sibling=own["sibling"].to_numpy(np.int64),
                current=own["current"].to_numpy(np.int64),
                family=own["family_id"].to_numpy(object),
                school=school,
                kind=kind,
                seats=seats,
                there=there,
                class_seats=class_seats,
                distance=distance[own["cell"].to_numpy(np.int64)[:, None], school].astype(np.int32),
                wish=wish,
                list_id=list_id,
            )
        )
    rule = tables["sibling_rule"]
    return County(
        code=code,
        year=year,
        schools=Schools(
            ids=schools["school_id"].to_numpy(object),
            labels={lang: schools[f"label_{lang}"].to_numpy(object) for lang in ("zh", "en")},
            private=private,
            zone=schools["zone_id"].to_numpy(object),
            synthetic=bool((schools["basis"] == "synthetic").any()),
        ),
        grades=tuple(grades),
        sibling_in_force=bool(rule["in_force"].any()),
        local_children=int(tables["school_grades"]["taken_local"].sum()),
    )


def distances(cells: pd.DataFrame, schools: pd.DataFrame) -> IntArray:
    """Straight distance from every cell to every school in whole 10 m (C, S)."""
    points = (t[c].to_numpy(float) for t in (cells, schools) for c in ("lon", "lat"))
    whole: IntArray = np.rint(straight_km(*points) * 100).astype(np.int64)
    return whole


def choices_of(table: pd.DataFrame, number: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Each group's list of schools (numbers), best first; a school named again counts once."""
    lists: dict[str, list[int]] = {}
    rows = table.sort_values(["group_id", "choice"])
    for group, school in zip(rows["group_id"], rows["school_id"], strict=True):
        lists.setdefault(group, []).append(number[school])
    return {group: tuple(dict.fromkeys(named)) for group, named in lists.items()}


def wishes(ids: list[str], lists: Mapping[str, tuple[int, ...]], school: IntArray) -> tuple[Any, IntArray]:
    """Place of each section's school in each group's list, and a number for each different list (see ``Grade``)."""
    wish = np.full((len(ids), len(school)), NONE, np.int16)
    list_id = np.zeros(len(ids), np.int64)
    numbers: dict[tuple[int, ...], int] = {}
    for g, group in enumerate(ids):
        if group in lists:
            named = lists[group]
            list_id[g] = numbers.setdefault(named, len(numbers) + 1)
            place = {s: k for k, s in enumerate(named)}
            wish[g] = [place.get(s, NONE) for s in school.tolist()]
    return wish, list_id


def points_in_steps(groups: pd.DataFrame, rules: pd.DataFrame) -> pd.Series:
    """Points in whole steps of the tier's rule (equal steps tie, M109); -1 where the tier has no order or no points."""
    key = ["county_code", "tier"]
    joined = groups[[*key, "points"]].merge(rules[[*key, "order_by", "points_step"]], on=key, how="left")
    ordered = joined["order_by"].fillna("none").ne("none") & joined["points"].notna()
    steps = np.rint(joined["points"] / joined["points_step"].fillna(1.0))
    return pd.Series(np.where(ordered, steps, NONE).astype(np.int64), index=groups.index)


def sections(rows: pd.DataFrame, private: Any, groups: pd.DataFrame) -> tuple[IntArray, ...]:
    """School, kind and free seats of a grade's sections, children already there, seats of a class (M106, M108).

    Free = seats − taken by local children − taken by migrant children there, so nobody who is there is displaced. Of a
    private school's free seats the purchased ones not yet taken are the county's; the rest are paid by families.
    Applicants who are at the school now are not counted among those taken and may stay, even beyond its seats.
    """
    school, kind, seats, there, of_class = [], [], [], [], []
    here = groups[groups["current"] != NONE].groupby("current")["children"].sum().to_dict()
    for row in rows.to_dict("records"):
        s = int(row["school"])
        free = max(0, int(row["seats"] - row["taken_local"] - row["taken_migrant"]), int(here.get(s, 0)))
        if not private[s]:
            parts = [(PUBLIC, free)]
        else:
            bought = min(max(0, int(row["purchased_seats"] - row["taken_purchased"])), free)
            parts = [(PURCHASED, bought)] * (row["purchased_seats"] > 0) + [(PAID, free - bought)]
        for k, n in parts:
            school.append(s)
            kind.append(k)
            seats.append(n)
            there.append(int(row["taken_local"] + row["taken_migrant"]))
            of_class.append(int(row["seats"]) // int(row["classes"]) if row["classes"] > 0 else 0)
    return tuple(np.array(a, np.int64) for a in (school, kind, seats, there, of_class))


def _numbers(ids: pd.Series, number: Mapping[str, int]) -> IntArray:
    return np.array([number[i] if i else NONE for i in ids], np.int64)
