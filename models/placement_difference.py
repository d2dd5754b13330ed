"""What separates the two modes, child by child, and the smallest set of seats that would place everyone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.placement_data import KINDS, County
from zjsim.models.placement_matrix import IntArray
from zjsim.models.placement_modes import Placed


def difference_table(county: County, priority: Sequence[Placed], utilitarian: Sequence[Placed]) -> pd.DataFrame:
    """Children by grade and tier who get a better, an equal or a worse choice by claims than by goals.

    Within a group children are compared in the order of the lottery, which both modes follow. A place is better than
    none, and an earlier choice better than a later one.
    """
    rows = []
    for one, other in zip(priority, utilitarian, strict=True):
        by_claims, by_goals = _choices(one), _choices(other)
        tier = np.repeat(one.grade.tier, one.grade.children)
        for t in sorted(set(one.grade.tier.tolist())):
            a, b = by_claims[tier == t], by_goals[tier == t]
            counts = (len(a), int((a < b).sum()), int((a == b).sum()), int((a > b).sum()))
            rows.append((county.code, county.year, one.grade.grade, t, *counts))
    columns = ["county_code", "year", "grade", "tier", "children", "better_by_claims", "equal", "better_by_goals"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], "int64"))


def _choices(placed: Placed) -> IntArray:
    """Choice of every child, group by group, best first; a number beyond all choices for those without a place."""
    arcs, n = placed.arcs, len(placed.grade.ids)
    group = np.concatenate([arcs.group, np.arange(n)])
    choice = np.concatenate([arcs.position, np.full(n, len(arcs.group) + 1)])
    sent = np.concatenate([placed.sent, placed.unplaced])
    order = np.lexsort((choice, group))
    choices: IntArray = np.repeat(choice[order], sent[order])
    # Lists may differ in length (newcomers follow other schools): nobody's place is better than none by that.
    return np.where(choices > len(arcs.group), np.iinfo(np.int64).max, choices)


def seats_table(county: County, utilitarian: Sequence[Placed]) -> pd.DataFrame:
    """A smallest set of further seats that places everyone to whom a school is open, by section.

    As many as possible are placed already and a seat places one child at most, so no smaller set will do; a seat at
    any school open to a child places it. It stands where the child's list begins (public, near).
    """
    rows: list[dict[str, Any]] = []
    for placed in utilitarian:
        first = placed.arcs.start[:-1]
        on = np.flatnonzero((placed.unplaced > 0) & (np.diff(placed.arcs.start) > 0))
        seats = np.zeros(len(placed.grade.school), np.int64)
        np.add.at(seats, placed.arcs.section[first[on]], placed.unplaced[on])
        for s in np.flatnonzero(seats).tolist():
            rows.append(
                {
                    "county_code": county.code,
                    "year": county.year,
                    "grade": placed.grade.grade,
                    "school_id": county.schools.ids[placed.grade.school[s]],
                    "kind": KINDS[placed.grade.kind[s]],
                    "seats": int(seats[s]),
                }
            )
    return pd.DataFrame(rows, columns=["county_code", "year", "grade", "school_id", "kind", "seats"]).astype(
        dict.fromkeys(("year", "grade", "seats"), "int64")
    )
