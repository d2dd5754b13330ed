"""Tables of a placement for publication: small counts hidden, and with them what would give them away.

A count of 1 to a limit less 1 is hidden. Where a total beside it could be used to work it out, a second count of the
same sum is hidden too, the smallest that is shown: within a row (a sum of columns) and over rows (tiers of a school,
tiers of a county), until no sum has one hidden term alone or hidden terms that together are fewer than the limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from zjsim.models.placement_privacy import Before, nothing_seen, protect

from zjsim.tables.published import SUPPRESSED

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Published:
    """How a table is published: columns that count children, sums within a row, and keys whose rows add up.

    ``sums``: (total, terms) columns. ``within``: rows equal in these columns add up to a total that is known elsewhere
    or in the table; ``rows``: column and values of the rows that add up (all rows if there is none).
    """

    counts: tuple[str, ...]
    sums: tuple[tuple[str, tuple[str, ...]], ...] = ()
    within: tuple[tuple[str, ...], ...] = ()
    parts: tuple[str, str] | None = None
    whole: str = ""


_SECTION = ("mode", "county_code", "school_id", "kind", "grade")
PUBLISHED: Mapping[str, Published] = {
    "placement": Published(("children",), within=(_SECTION, ("mode", "county_code", "grade", "tier"))),
    "placement_fairness": Published(
        (
            *("children", "placed", "unplaced", "public", "purchased", "self_paid"),
            *("own_first", "siblings", "siblings_together"),
        ),
        sums=(("children", ("placed", "unplaced")), ("placed", ("public", "purchased", "self_paid"))),
        within=(("mode", "county_code"),),
        parts=("who", "tier_"),
        whole="migrant",
    ),
    "placement_unplaced": Published(
        ("children", "unplaced", "without_school", "seats_needed"), within=(("mode", "county_code"),)
    ),
    "placement_envy": Published(("children",), within=(("mode", "county_code", "grade", "tier"),)),
    "placement_difference": Published(
        ("children", "better_by_claims", "equal", "better_by_goals"),
        sums=(("children", ("better_by_claims", "equal", "better_by_goals")),),
        within=(("county_code", "grade"),),
    ),
}
"""Tables for publication; the others are for the county's own use."""

_OF_COUNTS = {"public_share": ("public", "placed"), "mean_distance_km": ("placed",)}


def publication(plan: Mapping[str, pd.DataFrame], minimum: int) -> dict[str, pd.DataFrame]:
    """The tables of :data:`PUBLISHED` with counts hidden (empty); shares and means stand only where their counts do.

    What the tables together would still give away is hidden too: see :mod:`zjsim.models.placement_privacy`.
    """
    tables = {name: plan[name].reset_index(drop=True) for name in PUBLISHED}
    hides = {name: hidden(tables[name], rule, minimum) for name, rule in PUBLISHED.items()}
    before, seen = -1, dict[str, Before]()
    while before != (now := sum(int(hide.sum()) for hide in hides.values())):
        before = now
        _hide_what_is_told(tables, hides, seen)
        hides = {name: hidden(tables[name], rule, minimum, hides[name]) for name, rule in PUBLISHED.items()}
    shown = {}
    for name, rule in PUBLISHED.items():
        table, hide = tables[name], hides[name]
        result = table.copy()
        for k, column in enumerate(rule.counts):
            result[column] = result[column].astype("float64").mask(hide[:, k])
        gone = [[c for c, off in zip(rule.counts, row, strict=True) if off] for row in hide]
        for column, counts in _OF_COUNTS.items():
            if column in result.columns:
                there = result[list(counts)].notna().all(axis=1)
                result[column] = result[column].where(there)
                gone = [names if on else [*names, column] for names, on in zip(gone, there, strict=True)]
        result[SUPPRESSED] = pd.Series([";".join(names) for names in gone], index=result.index, dtype=object)
        shown[name] = result
    return shown


def _hide_what_is_told(
    tables: Mapping[str, pd.DataFrame], hides: Mapping[str, BoolArray], seen: dict[str, Before]
) -> None:
    """Hide more counts, county by county, until no hidden one can be told from all tables together.

    ``seen``: by county what was found out in the turns before, when less was hidden.
    """
    counts = {name: rule.counts for name, rule in PUBLISHED.items()}
    number = {name: {c: k for k, c in enumerate(columns)} for name, columns in counts.items()}
    codes = sorted({str(c) for name in PUBLISHED for c in tables[name]["county_code"]})
    of_county = {name: tables[name].groupby("county_code", sort=True).indices for name in PUBLISHED}
    for code in codes:
        own = {name: tables[name].loc[of_county[name].get(code, [])] for name in PUBLISHED}
        dark = {
            (name, int(row), column)
            for name, columns in counts.items()
            for row in own[name].index
            for column in columns
            if hides[name][row, number[name][column]]
        }
        if code not in seen:
            seen[code] = nothing_seen(own)
        for name, row, column in protect(own, counts, dark, before=seen[code]):
            hides[name][row, number[name][column]] = True


def hidden(table: pd.DataFrame, rule: Published, minimum: int, already: BoolArray | None = None) -> BoolArray:
    """Which counts are hidden, shape (rows, columns of ``rule.counts``), those of ``already`` among them."""
    values = table[list(rule.counts)].to_numpy(np.float64)
    hide: BoolArray = (values > 0) & (values < minimum)
    if already is not None:
        hide |= already
    sums = list(_sums(table, rule))
    while True:
        before = int(hide.sum())
        for rows, columns in sums:
            terms = hide[rows, columns]
            if not terms.any():
                continue
            # One hidden term is told by the others, and so are several whose sum is small.
            while (terms.sum() == 1 or values[rows, columns][terms].sum() < minimum) and not terms.all():
                left = np.flatnonzero(~terms)
                sizes = values[rows, columns][left]
                # A shown nought protects little: take the smallest count that isn't nought, if there is one.
                best = left[np.lexsort((left, sizes, sizes == 0))[0]]
                hide[rows[best], columns[best]] = True
                terms = hide[rows, columns]
        if int(hide.sum()) == before:
            return hide


def _sums(table: pd.DataFrame, rule: Published) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Cells (rows, columns) of each sum: its terms and, where it is in the table too, its total."""
    number = {column: k for k, column in enumerate(rule.counts)}
    for total, terms in rule.sums:
        columns = np.array([number[c] for c in (total, *terms)], np.intp)
        for row in range(len(table)):
            yield np.full(len(columns), row, np.intp), columns
    for keys in rule.within:
        for rows in table.groupby(list(keys), sort=True).indices.values():
            own = np.asarray(rows, np.intp)
            if rule.parts is not None:
                column, prefix = rule.parts
                who = table[column].iloc[own]
                own = own[(who.str.startswith(prefix) | (who == rule.whole)).to_numpy(bool)]
            for k in number.values():
                yield own, np.full(len(own), k, np.intp)
