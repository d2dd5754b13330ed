"""Shares of children by county in simulated futures, in the form in which they are published (M108, M110, M112).

A share times the children it is of tells a count, so that shares are rounded: the step of a county and year is the
first of :data:`STEPS` that is worth :data:`WORTH` minimum cells or more of its eligible children, the fewest children
that any of these shares is of. Then no number of a row tells the children beyond it closer than half a step: 15 with a
minimum cell of 10, and more than the 5 that are promised also in futures with half the children. Where the largest step
is worth less, the row is hidden.

Futures are drawn: their children are not those of the plan. Only where all futures seem to agree (5 % and 95 % are the
same once rounded) might a reader take their share for the plan's; such a row is hidden if a count of the plan that it
is made of is. Then it follows from counts that are shown, and adds nothing to what the seat tables tell of the plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zjsim.tables.published import SUPPRESSED

STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
WORTH = 3
"""Minimum cells that a step is worth at least."""
FIGURES = ("mean", "p05", "p50", "p95", "p_all")
_PUBLIC = ("placed_public", "placed_public_other", "migrant")
MADE_OF: Mapping[str, tuple[str, ...]] = {
    "place_share_permit_holders": ("unplaced", "guaranteed"),
    "place_share_county_rule": ("unplaced", "guaranteed", "eligible"),
    "place_share_all_residents": ("others_outside_public", "unplaced", "migrant"),
    "public_share_public_only": _PUBLIC,
    "public_share_with_purchased": (*_PUBLIC, "placed_purchased"),
    "permit_public_place_share": ("placed_public", "guaranteed"),
}
"""Outcome → the counts of ``seat_expansion`` from which the plan's own share would be made."""


def published_shares(
    outcomes: pd.DataFrame, expansion: pd.DataFrame, hidden: Collection[tuple[Any, ...]], minimum: int
) -> pd.DataFrame:
    """``outcomes_by_county`` with shares rounded (and hidden: empty, named in ``suppressed``).

    ``expansion``: the exact ``seat_expansion``; ``hidden``: (count, county, year) of its counts that are hidden.
    """
    at = zip(expansion["county_code"], expansion["year"], strict=True)
    eligible = {(str(c), int(y)): float(n) for (c, y), n in zip(at, expansion["eligible"], strict=True)}
    result = outcomes.reset_index(drop=True)
    places = list(zip(result["place_code"].astype(str), result["year"].astype(int), strict=True))
    steps = np.array([step(eligible.get(k, 0.0), minimum) for k in places], dtype=float)
    ends = [rounded_shares(result[c].to_numpy(dtype=float), steps) for c in ("p05", "p95")]
    agree = ends[0] == ends[1]
    told = [any((c, *k) in hidden for c in MADE_OF[o]) for o, k in zip(result["outcome"], places, strict=True)]
    gone = np.isnan(steps) | (agree & np.array(told, dtype=bool))
    for column in FIGURES:
        value = result[column].to_numpy(dtype=float)
        if column != "p_all":  # a share of futures counts no children
            value = rounded_shares(value, steps)
        result[column] = np.where(gone, np.nan, value)
    words = [";".join(FIGURES) if g else "" for g in gone]
    return result.assign(**{SUPPRESSED: pd.Series(words, index=result.index, dtype=object)})


def step(children: float, minimum: int) -> float:
    """What shares of ``children`` are rounded to; NaN: not even the largest step is worth enough."""
    return next((s for s in STEPS if s * children >= WORTH * minimum - 1e-9), float("nan"))


def rounded_shares(shares: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest multiples of the steps."""
    return np.round(np.floor(shares / steps + 0.5 + 1e-9) * steps, 4)
