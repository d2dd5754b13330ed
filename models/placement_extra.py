"""Where further public seats help families most in a county that collects choices, and who would move.

Grade by grade: the seats go where, in the stable outcome of claims, the sum of ranks falls most (``stable_expansion``);
the chains of moves that each seat sets off say how many children move up and how many are newly in a public school.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.placement_data import KINDS, PUBLIC, County
from zjsim.models.placement_matrix import IntArray
from zjsim.models.placement_modes import Placed, child_market
from zjsim.models.stable_expansion import Improvement, expand, improvement_chains

from zjsim.texts import LANGUAGES, text

_SEARCH_CHAINS = 5_000
_WHOLE = ("extra_seats", "ranks_before", "ranks_after", "ranks_bound")
COLUMNS = (
    "county_code",
    "year",
    "grade",
    "school_id",
    "kind",
    "seats",
    "moved_up",
    "newly_public",
    "newly_placed",
    *_WHOLE,
    *LANGUAGES,
)


def extra_table(county: County, priority: Sequence[Placed], p: Any) -> pd.DataFrame:
    """One row per section that gets seats, for every grade in which a group handed in choices.

    ``moved_up``, ``newly_public``, ``newly_placed``: children by what the section's seats change for them, seats given
    out section by section in their order (a child that moves up twice is counted at both). ``ranks_…``: sum of ranks
    (first choice 1, …, unplaced: length of the list + 1) before and after, and the proven bound, of the whole grade.
    """
    rows: list[dict[str, Any]] = []
    for placed in priority:
        grade = placed.grade
        if not grade.chose.any() or not p.extra_seats:
            continue
        choices, rank = child_market(grade, placed.arcs, placed.reading, p)
        most = np.where(grade.kind == PUBLIC, p.extra_seats, 0)
        found = expand(
            choices,
            rank,
            grade.seats,
            p.extra_seats,
            most_added=most.tolist(),
            time_limit_s=p.extra_time_limit_s,
            search_chains=_SEARCH_CHAINS,
        )
        told = improvement_chains(choices, rank, grade.seats, found.seats_added)
        front = {"county_code": county.code, "year": county.year, "grade": grade.grade}
        whole = (p.extra_seats, found.sum_of_ranks_before, found.sum_of_ranks, found.bound)
        for s in np.flatnonzero(found.seats_added).tolist():
            counts = _of_section(told, s, choices.start, choices.school, grade.kind)
            school, seats = int(grade.school[s]), int(found.seats_added[s])
            row = {"school_id": county.schools.ids[school], "kind": KINDS[grade.kind[s]], "seats": seats, **counts}
            row |= front | dict(zip(_WHOLE, whole, strict=True))
            for lang in LANGUAGES:
                mark = text("placement.why.mark", lang) if county.schools.synthetic else ""
                name = county.schools.labels[lang][school]
                row[lang] = text("placement.extra", lang, school=name, seats=seats, **counts) + mark
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = ("county_code", "school_id", "kind", *LANGUAGES)
    return table.astype({c: "str" if c in texts else "int64" for c in COLUMNS})


def _of_section(
    told: Improvement, section: int, start: IntArray, section_of: IntArray, kind: IntArray
) -> dict[str, int]:
    """Children whom the seats of a section move up, and those of them who had no public seat, or none at all."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for chain in told.chains:
        if chain.school == section:
            for move in (*chain.moves, *(m for ring in chain.rings for m in ring)):
                first.setdefault(move.child, move.before)
                last[move.child] = move.after
    counts = {"moved_up": len(first), "newly_public": 0, "newly_placed": 0}
    for child, before in first.items():
        outside = before == start[child + 1] - start[child]
        public = kind[section_of[start[child] + last[child]]] == PUBLIC
        was_public = not outside and kind[section_of[start[child] + before]] == PUBLIC
        counts["newly_placed"] += int(outside)
        counts["newly_public"] += int(public and not was_public)
    return counts
