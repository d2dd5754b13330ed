"""Places by collected choices with siblings who apply together: one market over all grades of a county.

The notion of stability is that of ``stable_families``: what it finds or refutes holds for the county as a whole. Groups
without a list of their own use the usual order (public first, then near), as in the priority mode.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.deferred_acceptance import UNPLACED, Choices
from zjsim.models.placement_data import NONE, County
from zjsim.models.placement_matrix import IntArray
from zjsim.models.placement_modes import Placed, child_market
from zjsim.models.placement_rules import arcs_of, goal, goal_names, sibling_reading
from zjsim.models.stable_families import APART, FamilyOutcome, Market, stable_with_families

from zjsim.texts import LANGUAGES, text

FAMILY_COLUMNS = (
    "county_code", "year", "family_id", "grades", "children", "common_schools", "outcome", "school_id", "zh", "en",
)  # fmt: skip
STABILITY_COLUMNS = (
    "county_code", "year", "status", "families", "together", "apart", "single", "decisions", "zh", "en",
)  # fmt: skip
"""One row per county; ``single``: families that had to be treated child by child."""


def place_by_choices(county: County, p: Any, with_purchased: bool) -> tuple[list[Placed], dict[str, pd.DataFrame]]:
    """All grades, highest first, and the tables ``placement_families`` and ``placement_stability``."""
    reading = sibling_reading(county, p)
    joint = p.joint_newcomers and reading != "off"
    grades = []
    for grade in county.grades:
        nobody = np.full(len(grade.ids), NONE, np.int64)
        grades.append((grade, arcs_of(grade, county.schools.zone, reading, nobody, p, with_purchased)))
    families: dict[str, list[int]] = {}
    start, school, rank, of_child = [np.zeros(1, np.int64)], [], [], []
    n_children = n_sections = n_rows = 0
    for grade, arcs in grades:
        choices, claims = child_market(grade, arcs, reading, p)
        own = np.repeat(np.arange(len(grade.ids)), grade.children)
        if joint:
            for child in np.flatnonzero((grade.family[own] != "") & (choices.lengths > 0)).tolist():
                families.setdefault(str(grade.family[own[child]]), []).append(n_children + child)
        start.append(choices.start[1:] + n_rows)
        school.append(choices.school + n_sections)
        rank.append(claims)
        of_child.append(own)
        n_children, n_sections, n_rows = n_children + len(own), n_sections + len(grade.school), n_rows + len(claims)
    asking = sorted((name, tuple(members)) for name, members in families.items() if len(members) > 1)
    market = Market(
        Choices(_joined(start), _joined(school)),
        _joined(rank),
        _joined([g.seats for g, _ in grades]),
        _joined([g.school for g, _ in grades]),
        [members for _, members in asking],
    )
    found = stable_with_families(market)
    done, at = [], 0
    for (grade, arcs), own in zip(grades, of_child, strict=True):
        choice = found.choice[at : at + len(own)]
        family = market.family_of[at : at + len(own)]
        together = np.array([f >= 0 and found.together[f] != APART and f not in found.dropped for f in family], bool)
        done.append(_placed(grade, arcs, reading, p, own, choice, together))
        at += len(own)
    grade_of = np.repeat([g.grade for g, _ in grades], [len(own) for own in of_child])
    return done, _tables(county, market, found, asking, grade_of)


def _placed(grade: Any, arcs: Any, reading: str, p: Any, own: IntArray, choice: IntArray, together: Any) -> Placed:
    got = choice != UNPLACED
    sent = np.bincount(arcs.start[own[got]] + choice[got], minlength=len(arcs.group)).astype(np.int64)
    unplaced = np.bincount(own[~got], minlength=len(grade.ids)).astype(np.int64)
    names = goal_names(p, reading, sorted(set(grade.tier.tolist())))
    goals = [goal(name, grade, arcs) for name in names]
    values = tuple(int(g.arc_cost @ sent + g.unplaced_cost @ unplaced) for g in goals)
    none = np.zeros((len(names), len(grade.school)), np.int64)
    joint = np.bincount(own[together], minlength=len(grade.ids)) > 0
    return Placed("preference", grade, arcs, reading, sent, unplaced, tuple(names), values, none, joint=joint)


def _tables(
    county: County, market: Market, found: FamilyOutcome, asking: list[tuple[str, tuple[int, ...]]], grade_of: IntArray
) -> dict[str, pd.DataFrame]:
    """Families with what came of their wish, and whether the county's outcome is stable for all of them."""
    rows = []
    counts = {"together": 0, "apart": 0, "single": 0}
    for f, (name, members) in enumerate(asking):
        site = APART if f in found.dropped else found.together[f]
        outcome = "single" if f in found.dropped else "together" if site != APART else "apart"
        counts[outcome] += 1
        school = str(county.schools.ids[site]) if site != APART else ""
        said = []
        for lang in LANGUAGES:
            label = county.schools.labels[lang][site] if site != APART else ""
            mark = text("placement.why.mark", lang) if county.schools.synthetic else ""
            key = f"placement.family.{outcome if market.wish[f] else 'no_school'}"
            said.append(text(key, lang, school=label, schools=len(market.wish[f])) + mark)
        listed = ";".join(str(g) for g in sorted(grade_of[list(members)].tolist()))
        front = (county.code, county.year, name, listed, len(members), len(market.wish[f]))
        rows.append((*front, outcome, school, *said))
    sentences = [
        text(f"placement.stability.{found.status}", lang, families=len(asking), **counts) for lang in LANGUAGES
    ]
    whole = (county.code, county.year, found.status, len(asking), *counts.values(), found.decisions, *sentences)
    return {
        "placement_families": typed(pd.DataFrame(rows, columns=list(FAMILY_COLUMNS))),
        "placement_stability": typed(pd.DataFrame([whole], columns=list(STABILITY_COLUMNS))),
    }


def no_families() -> dict[str, pd.DataFrame]:
    """The tables of a county that was not placed in this mode."""
    return {
        "placement_families": typed(pd.DataFrame([], columns=list(FAMILY_COLUMNS))),
        "placement_stability": typed(pd.DataFrame([], columns=list(STABILITY_COLUMNS))),
    }


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with whole numbers and texts."""
    whole = ("year", "children", "common_schools", "families", "together", "apart", "single", "decisions")
    return table.astype({c: "int64" if c in whole else "str" for c in table.columns})


def _joined(parts: Any) -> IntArray:
    found: IntArray = np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64)
    return found
