"""What a seat plan opens as capacity for placement, derived again from the plan's table and the registries alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import pandas as pd

from zjsim.audit.finding import Finding, finding

Tables = Mapping[str, pd.DataFrame]
Added = dict[tuple[str, int, str], tuple[int, int]]
_PLAN = "seat_zone_classes"


def opened(tables: Tables, year: int, codes: set[str]) -> Added:
    """Classes and seats added by (county, grade, school); empty without a seat plan.

    A county and grade gets the plan's classes beyond those its public schools have. They go to zones that have fewer
    than the plan says, by what they lack; there to public schools by their classes; where a zone has none, to all.
    """
    if _PLAN not in tables:
        return {}
    place = {
        s: (zone, owner)
        for s, zone, owner in tables["schools"][["school_id", "zone_id", "ownership"]].itertuples(index=False)
    }
    there: dict[tuple[str, int], list[tuple[str, str, int]]] = {}
    of_year = tables["school_grades"][tables["school_grades"]["year"] == year]
    for code, grade, school, n in of_year[["county_code", "grade", "school_id", "classes"]].itertuples(index=False):
        if code in codes and place[school][1] == "public":
            there.setdefault((code, grade), []).append((school, place[school][0], int(n)))
    wanted: dict[tuple[str, int], list[tuple[str, int, int]]] = {}
    plan = tables[_PLAN]
    columns = ["county_code", "grade", "zone_id", "classes", "public_seats"]
    for code, grade, zone, n, seats in plan.loc[plan["year"] == year, columns].itertuples(index=False):
        wanted.setdefault((code, grade), []).append((zone, int(n), int(seats) // int(n) if n else 0))
    found: Added = {}
    for key in sorted(set(there) & set(wanted)):
        schools, zones = there[key], sorted(wanted[key])
        more = sum(n for _, n, _ in zones) - sum(n for _, _, n in schools)
        if more <= 0:
            continue
        lacking = [max(0, n - sum(c for _, z, c in schools if z == zone)) for zone, n, _ in zones]
        size = max(seats for _, _, seats in zones)
        for (zone, _, _), classes in zip(zones, _shared(more, lacking), strict=True):
            near = [(s, c) for s, z, c in schools if z == zone] or [(s, c) for s, _, c in schools]
            for (school, _), n in zip(near, _shared(classes, [c for _, c in near]), strict=True):
                if n:
                    before = found.get((*key, school), (0, 0))
                    found[*key, school] = (before[0] + n, before[1] + n * size)
    return found


def _shared(total: int, weights: list[int]) -> list[int]:
    """Largest remainders: whole parts first, then one each by the fraction left, the earlier first."""
    weights = weights if any(weights) else [1] * len(weights)
    exact = [Fraction(total * w, sum(weights)) for w in weights]
    parts = [int(x) for x in exact]
    rest = sorted(range(len(exact)), key=lambda k: (parts[k] - exact[k], k))[: total - sum(parts)]
    return [n + (k in rest) for k, n in enumerate(parts)]


def with_opened(tables: Tables, added: Added, year: int) -> dict[str, pd.DataFrame]:
    """The registries with the added classes and seats in ``school_grades``."""
    if not added:
        return dict(tables)
    grades = tables["school_grades"].copy()
    keys = zip(grades["county_code"], grades["grade"], grades["school_id"], grades["year"], strict=True)
    more = [added.get((c, g, s), (0, 0)) if y == year else (0, 0) for c, g, s, y in keys]
    grades["classes"] += [n for n, _ in more]
    grades["seats"] += [n for _, n in more]
    return {**tables, "school_grades": grades}


def openings_told(told: pd.DataFrame, added: Added, tables: Tables, year: int) -> Iterator[Finding]:
    """The table of openings is the plan's, school by school: classes, seats, and what the school then has."""
    after = with_opened(tables, added, year)["school_grades"]
    after = after[after["year"] == year]
    whole: dict[Any, tuple[int, int]] = {
        (c, g, s): (int(n), int(m))
        for c, g, s, n, m in after[["county_code", "grade", "school_id", "classes", "seats"]].itertuples(index=False)
    }
    expected = {key: (*n, *whole[key]) for key, n in added.items()}
    keys = told[["county_code", "grade", "school_id"]].itertuples(index=False, name=None)
    values = told[["classes_added", "seats_added", "classes", "seats"]].itertuples(index=False, name=None)
    listed = dict(zip(keys, values, strict=True))
    for key in sorted(set(expected) | set(listed)):
        if expected.get(key) != listed.get(key):
            yield finding(
                "placement_openings",
                "placement.audit.openings",
                county=key[0],
                grade=key[1],
                school=key[2],
                told=listed.get(key, (0, 0))[1],
                found=expected.get(key, (0, 0))[1],
            )
    if len(listed) != len(told) or (told["year"] != year).any():
        yield finding("placement_sums", "placement.audit.sums", table="placement_openings")
