"""What the seat plan opens, as capacity for placement: classes by zone and grade, put into the zone's schools.

The plan speaks of zones, placement of schools: :func:`seat_openings` says what each zone offers in a school year,
:func:`with_openings` adds what goes beyond a year's ``school_grades`` to schools that stand there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

OPENING_COLUMNS = (
    *("county_code", "zone_id", "year", "grade", "stage", "classes", "public_seats", "seats_per_class"),
    "placed_purchased",
)


SCHOOL_COLUMNS = (
    *("county_code", "year", "grade", "school_id", "zone_id"),
    *("classes_added", "seats_added", "classes", "seats"),
)
"""Columns of :func:`opened_table`."""


def seat_openings(plan: Mapping[str, pd.DataFrame], year: int) -> pd.DataFrame:
    """What each planning zone offers in a school year, by grade, sorted by zone and grade.

    ``plan`` holds ``seat_zone_classes``; columns: county_code, zone_id, year, grade, stage, classes, public_seats,
    seats_per_class (0 without classes), placed_purchased (purchased places, by the children's home zone). Raises
    ``ValueError`` if the plan has no such year.
    """
    table = plan["seat_zone_classes"]
    rows = table[table["year"] == year]
    if rows.empty:
        raise ValueError(f"the seat plan has no school year {year}")
    per_class = rows["public_seats"] // rows["classes"].where(rows["classes"] > 0, 1)
    found = rows.assign(seats_per_class=per_class)[list(OPENING_COLUMNS)]
    return found.sort_values(["zone_id", "grade"], ignore_index=True)


def with_openings(school_grades: pd.DataFrame, schools: pd.DataFrame, openings: pd.DataFrame) -> pd.DataFrame:
    """``school_grades`` with the classes that the plan opens beyond it, in the same order and columns.

    In every county and grade the plan's classes beyond those of the year's public schools are added; nothing is closed.
    They go to the zones where the plan has more classes than the schools, by largest remainders, and within a zone to
    the public schools that teach the grade, by their classes; a zone without one gives them to the county's schools.
    Rows of other years and of private schools stay as they are.
    """
    found = school_grades.reset_index(drop=True).copy()
    about = schools.set_index("school_id")
    zone, owner = found["school_id"].map(about["zone_id"]), found["school_id"].map(about["ownership"])
    year = int(openings["year"].iloc[0])
    public = (owner == "public") & (found["year"] == year)
    there = found[public].assign(zone=zone[public])
    by_cell = dict(list(openings.groupby(["county_code", "grade"], sort=True)))
    for (code, grade), rows in there.groupby(["county_code", "grade"], sort=True):
        wanted = by_cell.get((code, grade))
        if wanted is None:
            continue
        more = int(wanted["classes"].sum() - rows["classes"].sum())
        if more <= 0:
            continue
        have = rows.groupby("zone")["classes"].sum()
        lacking = (wanted["classes"].to_numpy() - have.reindex(wanted["zone_id"], fill_value=0).to_numpy()).clip(min=0)
        by_zone = shares(lacking.tolist(), more)
        seats = int(wanted["seats_per_class"].max())
        for zone_id, classes in zip(wanted["zone_id"], by_zone, strict=True):
            if classes:
                here = rows[rows["zone"] == zone_id]
                here = rows if here.empty else here
                added = shares(here["classes"].tolist(), classes)
                found.loc[here.index, "classes"] += added
                found.loc[here.index, "seats"] += [n * seats for n in added]
    return found


def shares(weights: Sequence[int], total: int) -> list[int]:
    """``total`` in proportion to whole ``weights`` by largest remainders, exactly; the earlier first among equals.

    Weights that are all 0 count as equal.
    """
    whole = sum(weights)
    parts = [int(w) for w in weights] if whole else [1] * len(weights)
    whole = sum(parts)
    result = [w * total // whole for w in parts]
    order = sorted(range(len(parts)), key=lambda k: (-(parts[k] * total % whole), k))
    for k in order[: total - sum(result)]:
        result[k] += 1
    return result


def opened_table(before: pd.DataFrame, after: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """Classes and seats that the plan adds, by school and grade (rows of 0 left out), sorted by grade and school.

    ``before``, ``after``: ``school_grades`` without and with the openings, in the same order of rows.
    """
    zone = schools.set_index("school_id")["zone_id"]
    both = after.reset_index(drop=True).assign(
        zone_id=after["school_id"].map(zone).to_numpy(),
        classes_added=after["classes"].to_numpy() - before["classes"].to_numpy(),
        seats_added=after["seats"].to_numpy() - before["seats"].to_numpy(),
    )
    rows = both[both["classes_added"] > 0][list(SCHOOL_COLUMNS)].sort_values(["grade", "school_id"], ignore_index=True)
    texts = ("county_code", "school_id", "zone_id")
    return rows.astype({c: "str" if c in texts else "int64" for c in SCHOOL_COLUMNS})
