"""Checks of schools, their places and the groups of applicants: within a county, against each other and its totals.

Most tables are long (hundreds of thousands of groups), so a rule looks at whole columns and tells rows only where it is
broken. What a real table may well show (totals other than the county's derived ones) is a notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from zjsim.scenario.checks import Broken, rule

Tables = Mapping[str, pd.DataFrame]

_NEEDED = ("planning_zones", "residence_cells", "schools", "school_grades", "tier_rules")
_STEP_TOLERANCE = 1e-6
_TAUGHT = {"primary": (1, 6), "junior": (7, 9), "nine_year": (1, 9)}


def _rows(mask: object) -> list[int]:
    return [int(i) for i in np.flatnonzero(np.asarray(mask))]


def _looked_up(table: pd.DataFrame, by: str, other: pd.DataFrame, key: str, column: str) -> pd.Series:
    """``other[column]`` of the row whose ``key`` is ``table[by]`` (unknown where there is none)."""
    return table[by].map(other.set_index(key)[column])


def _teaches(stage: pd.Series, grade: pd.Series) -> pd.Series:
    first = stage.map({s: a for s, (a, _) in _TAUGHT.items()})
    last = stage.map({s: b for s, (_, b) in _TAUGHT.items()})
    return (grade >= first) & (grade <= last)


@rule("child_groups", *_NEEDED)
def groups_have_schools(tables: Tables) -> Iterator[Broken]:
    """Groups of applicants come with zones, cells, schools, places and tiers."""
    if len(tables["child_groups"]):
        for name in _NEEDED:
            if tables[name].empty:
                yield Broken("child_groups", None, "", "table_needed", {"other": name})


@rule("planning_zones")
def shares_of_zones(tables: Tables) -> Iterator[Broken]:
    """The shares of a county's zones add up to 1, or are all 0 where they are unknown."""
    zones = tables["planning_zones"]
    for column in ("share_local", "share_migrant"):
        totals = zones.groupby("county_code", sort=True)[column].agg(["sum", "size"])
        for county, total in totals["sum"].items():
            if total and abs(total - 1) > 1e-6:
                last = int(np.flatnonzero(zones["county_code"] == county)[-1])
                words: dict[str, object] = {"county": county, "total": f"{total:.6g}"}
                yield Broken("planning_zones", last, column, "zone_shares", words)


@rule("seat_zones")
def shares_of_stages(tables: Tables) -> Iterator[Broken]:
    """The shares of a county's zones add up to 1 in each stage, or are all 0 where they are unknown."""
    zones = tables["seat_zones"]
    for column in [c for c in zones.columns if c.startswith("share_")]:
        totals = zones.groupby(["county_code", "stage"], sort=True)[column].sum().reset_index()
        for county, stage, total in totals.itertuples(index=False):
            if total and abs(total - 1) > 1e-6:
                last = int(np.flatnonzero((zones["county_code"] == county) & (zones["stage"] == stage))[-1])
                words: dict[str, object] = {"county": f"{county} {stage}", "total": f"{total:.6g}"}
                yield Broken("seat_zones", last, column, "zone_shares", words)


@rule("planning_zones", "seat_zones", "residence_cells", "schools", "child_groups")
def zone_of_county(tables: Tables) -> Iterator[Broken]:
    """The zone of a cell, school or group lies in its county."""
    zones = tables["planning_zones"]
    for name in ("seat_zones", "residence_cells", "schools", "child_groups"):
        table = tables[name]
        owner = _looked_up(table, "zone_id", zones, "zone_id", "county_code")
        for row in _rows(owner.notna() & (owner != table["county_code"])):
            yield Broken(name, row, "zone_id", "zone_other_county", {"county": table["county_code"].iloc[row]})


@rule("residence_cells", "child_groups")
def cell_of_zone(tables: Tables) -> Iterator[Broken]:
    """A group's residence cell lies in the group's zone."""
    groups = tables["child_groups"]
    zone = _looked_up(groups, "cell_id", tables["residence_cells"], "cell_id", "zone_id")
    for row in _rows(zone.notna() & (zone != groups["zone_id"])):
        yield Broken("child_groups", row, "cell_id", "cell_other_zone", {"zone": groups["zone_id"].iloc[row]})


@rule("schools", "school_grades")
def grades_of_schools(tables: Tables) -> Iterator[Broken]:
    """A school's places are in its county and in grades that it teaches."""
    grades, schools = tables["school_grades"], tables["schools"]
    county = _looked_up(grades, "school_id", schools, "school_id", "county_code")
    for row in _rows(county.notna() & (county != grades["county_code"])):
        yield Broken("school_grades", row, "county_code", "school_other_county", {"school": _at(grades, row)})
    stage = _looked_up(grades, "school_id", schools, "school_id", "stage")
    for row in _rows(stage.notna() & ~_teaches(stage, grades["grade"])):
        yield Broken("school_grades", row, "grade", "grade_not_taught", {"school": _at(grades, row)})


@rule("schools", "school_grades")
def purchased_places(tables: Tables) -> Iterator[Broken]:
    """Purchased seats are seats of a private school; those taken are purchased ones that migrant children take."""
    grades = tables["school_grades"]
    owner = _looked_up(grades, "school_id", tables["schools"], "school_id", "ownership")
    for row in _rows((owner == "public") & (grades["purchased_seats"] > 0)):
        yield Broken("school_grades", row, "purchased_seats", "purchased_public", {"school": _at(grades, row)})
    for column, limit in (
        ("purchased_seats", "seats"),
        ("taken_purchased", "purchased_seats"),
        ("taken_purchased", "taken_migrant"),
    ):
        for row in _rows(grades[column] > grades[limit]):
            words: dict[str, object] = {"other": limit, "limit": int(grades[limit].iloc[row])}
            yield Broken("school_grades", row, column, "more_than", words)


@rule("school_grades")
def taken_within_seats(tables: Tables) -> Iterator[Broken]:
    """The children at a school in a grade do not exceed its seats: what remains is not negative.

    A class that is fuller than the norm has as many seats as children.
    """
    grades = tables["school_grades"]
    taken = grades["taken_local"] + grades["taken_migrant"]
    for row in _rows(taken > grades["seats"]):
        words: dict[str, object] = {
            "taken": int(taken.iloc[row]),
            "school": _at(grades, row),
            "left": int(grades["seats"].iloc[row] - taken.iloc[row]),
        }
        yield Broken("school_grades", row, "seats", "seats_exceeded", words)


@rule("schools", "child_groups")
def schools_of_groups(tables: Tables) -> Iterator[Broken]:
    """The school that a transfer now attends teaches the grade."""
    groups = tables["child_groups"]
    for row in _not_taught(groups[groups["is_transfer"]], "current_school", tables["schools"]):
        words: dict[str, object] = {"school": groups["current_school"].iloc[row]}
        yield Broken("child_groups", row, "current_school", "grade_not_taught", words)


@rule("schools", "child_groups")
def siblings_of_groups(tables: Tables) -> Iterator[Broken]:
    """Where an elder sibling's school does not teach the grade, the sibling rule has no effect (a notice)."""
    groups = tables["child_groups"]
    for row in _not_taught(groups, "sibling_school", tables["schools"]):
        words: dict[str, object] = {"school": groups["sibling_school"].iloc[row]}
        yield Broken("child_groups", row, "sibling_school", "sibling_no_effect", words, "notice")


def _not_taught(groups: pd.DataFrame, column: str, schools: pd.DataFrame) -> list[int]:
    """Rows of the table whose school in ``column`` does not teach their grade."""
    named = groups[groups[column] != ""]
    stage = _looked_up(named, column, schools, "school_id", "stage")
    return [int(i) for i in named.index[stage.notna() & ~_teaches(stage, named["grade"])]]


@rule("child_groups", "tier_rules")
def tiers_of_groups(tables: Tables) -> Iterator[Broken]:
    """A group's tier is one of its county's, and its permit, eligibility and points are what the tier asks for."""
    groups, rules = tables["child_groups"], tables["tier_rules"]
    if rules.empty:
        return
    known = rules.set_index(["county_code", "tier"])
    place = known.index.get_indexer(pd.MultiIndex.from_frame(groups[["county_code", "tier"]]))
    for row in _rows(place < 0):
        yield Broken("child_groups", row, "tier", "tier_unknown", {"county": groups["county_code"].iloc[row]})
    own = {c: known[c].to_numpy()[place] for c in known.columns if c not in ("name_zh", "name_en")}
    found, points = place >= 0, groups["points"].to_numpy()
    for column, needs in (("has_permit", "needs_permit"), ("is_eligible", "needs_county_rule")):
        for row in _rows(found & own[needs].astype(bool) & ~groups[column].to_numpy()):
            yield Broken("child_groups", row, column, "tier_needs", {"tier": int(groups["tier"].iloc[row])})
    ordered = found & (own["order_by"] != "none")
    for row in _rows(ordered & np.isnan(points)):
        yield Broken("child_groups", row, "points", "tier_points_missing", {"tier": int(groups["tier"].iloc[row])})
    outside = (points < own["minimum_points"]) | (points >= own["below_points"])
    for row in _rows(found & outside):
        yield Broken("child_groups", row, "points", "tier_points_outside", {"tier": int(groups["tier"].iloc[row])})
    steps = points / own["points_step"]
    uneven = np.abs(steps - np.round(steps)) > _STEP_TOLERANCE
    for row in _rows(found & uneven):
        words: dict[str, object] = {"step": f"{own['points_step'][row]:g}"}
        yield Broken("child_groups", row, "points", "points_step", words)


@rule("child_groups", "seat_demand")
def groups_add_up(tables: Tables) -> Iterator[Broken]:
    """The groups of a county add up to its applicants in the registry ``seat_demand``, in every grade."""
    yield from _add_up(tables["child_groups"], "child_groups", "children", tables["seat_demand"], "applicants")


@rule("schools", "school_grades", "seat_demand", "seat_capacity")
def schools_add_up(tables: Tables) -> Iterator[Broken]:
    """Schools add up to their county's public seats, private places and local children, in every grade."""
    grades = tables["school_grades"]
    owner = _looked_up(grades, "school_id", tables["schools"], "school_id", "ownership")
    yield from _add_up(grades, "school_grades", "taken_local", tables["seat_demand"], "local_children")
    for kind, column in (("public", "public_seats"), ("private", "private_places")):
        own = grades.assign(seats=grades["seats"].where(owner == kind, 0))
        yield from _add_up(own, "school_grades", "seats", tables["seat_capacity"], column)


def _add_up(own: pd.DataFrame, name: str, column: str, whole: pd.DataFrame, total: str) -> Iterator[Broken]:
    """One finding for each county and year whose rows differ from the county table in some grade.

    Synthetic rows are drawn from the county table, so a difference is an error (draw them again); a county's own rows
    may know better than a derived county table: a notice.
    """
    keys = ["county_code", "year", "grade"]
    other = {"applicants": "seat_demand", "local_children": "seat_demand"}.get(total, "seat_capacity")
    sums = own.groupby(keys, sort=True)[column].sum()
    here = pd.MultiIndex.from_frame(whole[keys[:2]]).isin(pd.MultiIndex.from_frame(own[keys[:2]].drop_duplicates()))
    wanted = whole[here].set_index(keys)[total]
    both = pd.DataFrame({"sum": sums, "wanted": wanted})
    both["sum"] = both["sum"].fillna(0)
    wrong = both[both["wanted"].notna() & (both["sum"] != both["wanted"])]
    for (county, year), rows in wrong.groupby(level=["county_code", "year"], sort=True):
        of_county = (own["county_code"] == county) & (own["year"] == year)
        grades = rows.index.get_level_values("grade")
        first = [*_rows(of_county & own["grade"].isin(grades)), *_rows(of_county)][0]
        synthetic = bool((own.loc[of_county, "basis"] == "synthetic").all())
        words: dict[str, object] = {
            "county": county,
            "year": year,
            "grades": ", ".join(str(g) for g in grades),
            "sum": int(rows["sum"].sum()),
            "wanted": int(rows["wanted"].sum()),
            "other": other,
            "total": total,
        }
        rule_name = "county_total_synthetic" if synthetic else "county_total"
        yield Broken(name, first, column, rule_name, words, "error" if synthetic else "notice")


def _at(grades: pd.DataFrame, row: int) -> object:
    return grades["school_id"].iloc[row]
