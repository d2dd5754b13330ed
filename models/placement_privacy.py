"""How narrowly counts hidden in a publication can be worked out from everything that is shown, and what to hide more.

A reader knows how the tables hang together: tiers of a grade add up, the same children stand in several tables, those
who got their first wish are among those placed. Each county's tables are one linear program over its hidden counts;
its least and greatest value of a count are all a reader can know (:mod:`zjsim.solve.disclosure`). Where they are closer
than wanted, the smallest count beside it that is shown is hidden too, until none is (M108, M110).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import pandas as pd

from zjsim.solve.disclosure import LEAST_WIDTH, Relations, Seen, conceal, new_seen

Cell = tuple[str, int, str]
"""Table, row, column of a published count."""
Before = tuple[Relations, Seen]
"""Relations of a county's tables, and how far apart a reader's worlds were found to be so far."""

_BETTER = ("better_by_claims", "equal", "better_by_goals")
_FAIR = (
    "children", "placed", "unplaced", "public", "purchased", "self_paid", "own_first", "siblings", "siblings_together",
)  # fmt: skip


def relations(tables: Mapping[str, pd.DataFrame]) -> Relations:
    """What the published tables of one county tell of each other; the rows keep the numbers they have in ``tables``.

    Children of a grade and tier are the same in every table and way of placing.
    """
    known = Relations()
    grades = _children(known, tables)
    _places(known, tables, grades)
    _fairness(known, tables, grades)
    return known


def _children(known: Relations, tables: Mapping[str, pd.DataFrame]) -> dict[tuple[str, str], int]:
    """Children by grade and tier, whom the table of differences states; without it all pairs there are."""
    table = tables.get("placement_difference")
    children: dict[tuple[str, str], int] = {}
    if table is not None and len(table):
        for row, grade, tier in zip(table.index, table["grade"], table["tier"], strict=True):
            pair = (str(grade), str(tier))
            whole = known.cell("placement_difference", row, "children")
            parts = [
                known.cell("placement_difference", row, c) for c in ("better_by_claims", "equal", "better_by_goals")
            ]
            known.adds_up(whole, parts)
            children[pair] = whole
        return children
    grades = sorted({str(g) for n in ("placement", "placement_unplaced") for g in tables[n]["grade"]})
    tiers = sorted({str(t) for t in tables["placement"]["tier"]})
    return {(grade, tier): known.unknown() for grade in grades for tier in tiers}


def _places(known: Relations, tables: Mapping[str, pd.DataFrame], children: Mapping[tuple[str, str], int]) -> None:
    """Children of a grade and tier are placed at the schools or not at all; those of a grade are its tiers'."""
    table = tables["placement"]
    placed: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row, mode, grade, tier in zip(table.index, table["mode"], table["grade"], table["tier"], strict=True):
        placed[str(mode), str(grade), str(tier)].append(known.cell("placement", row, "children"))
    left: dict[tuple[str, str], list[int]] = defaultdict(list)
    modes = sorted({str(m) for m in (*table["mode"], *tables["placement_unplaced"]["mode"])})
    for mode in modes:
        for (grade, tier), whole in children.items():
            without = known.unknown()
            left[mode, grade].append(without)
            known.adds_up(whole, [*placed[mode, grade, tier], without])
    told = tables["placement_unplaced"]
    for row, mode, grade in zip(told.index, told["mode"], told["grade"], strict=True):
        own = [u for (g, _), u in children.items() if g == str(grade)]
        known.adds_up(known.cell("placement_unplaced", row, "children"), own)
        unplaced = known.cell("placement_unplaced", row, "unplaced")
        known.adds_up(unplaced, left[str(mode), str(grade)])
        known.within(known.cell("placement_unplaced", row, "without_school"), unplaced)


def _fairness(known: Relations, tables: Mapping[str, pd.DataFrame], children: Mapping[tuple[str, str], int]) -> None:
    """Tiers add up to all migrant children; children of a tier are those of its grades, places those of the schools."""
    table, schools = tables["placement_fairness"], tables["placement"]
    at: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row, mode, kind, tier in zip(schools.index, schools["mode"], schools["kind"], schools["tier"], strict=True):
        at[str(mode), str(tier), str(kind)].append(known.cell("placement", row, "children"))
    for mode, part in table.groupby("mode", sort=True):
        rows = {str(who): i for i, who in zip(part.index, part["who"], strict=True)}
        for row in rows.values():
            own = {c: known.cell("placement_fairness", row, c) for c in _FAIR}
            known.adds_up(own["children"], [own["placed"], own["unplaced"]])
            known.adds_up(own["placed"], [own["public"], own["purchased"], own["self_paid"]])
            known.within(own["own_first"], own["placed"])
            known.within(own["siblings"], own["children"])
            known.within(own["siblings_together"], own["siblings"])
        tiers = {who: row for who, row in rows.items() if who.startswith("tier_")}
        if "migrant" in rows:
            for column in _FAIR:
                parts = [known.cell("placement_fairness", row, column) for row in tiers.values()]
                known.adds_up(known.cell("placement_fairness", rows["migrant"], column), parts)
        for who, row in tiers.items():
            tier = who.removeprefix("tier_")
            own_tier = [u for (_, t), u in children.items() if t == tier]
            if own_tier:
                known.adds_up(known.cell("placement_fairness", row, "children"), own_tier)
            for kind in ("public", "purchased", "self_paid"):
                if at[str(mode), tier, kind]:
                    known.adds_up(known.cell("placement_fairness", row, kind), at[str(mode), tier, kind])


def nothing_seen(tables: Mapping[str, pd.DataFrame]) -> Before:
    """Relations of a county's tables, and that no hidden count is known to be wide yet."""
    known = relations(tables)
    return known, new_seen(known)


def protect(
    tables: Mapping[str, pd.DataFrame],
    counts: Mapping[str, Sequence[str]],
    hidden: set[Cell],
    least: float = LEAST_WIDTH,
    before: Before | None = None,
) -> set[Cell]:
    """What must be hidden of one county's tables so that no hidden count is told closer than ``least``.

    ``counts`` are the columns of counts of each table, ``hidden`` what is hidden already. One more count goes for each
    that is too narrow: the smallest shown one, noughts last, that stands in a relation with it. ``before``: what
    :func:`nothing_seen` gave for the same tables, in a call for which no more was hidden.
    """
    known, seen = before or nothing_seen(tables)
    values = {
        (name, int(row), column): float(v)
        for name, columns in counts.items()
        for column in columns
        for row, v in zip(tables[name].index, tables[name][column], strict=True)
    }
    numbers = {u: values[c] for c, u in known.cells.items()}
    names = {u: c for c, u in known.cells.items()}
    dark = {known.cells[c] for c in hidden if c in known.cells}
    return {
        names[u] for u in conceal(known, numbers, dark, lambda u: (numbers[u] == 0, numbers[u]), least=least, seen=seen)
    }
