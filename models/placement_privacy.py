"""How narrowly counts hidden in a publication can be worked out from everything that is shown, and what to hide more.

A reader knows how the tables hang together: tiers of a grade add up, the same children stand in several tables, those
who got their first wish are among those placed. Each county's tables are one linear program over its hidden counts;
its least and greatest value of a count are all a reader can know. Where they are closer than wanted, the smallest count
beside it that is shown is hidden too, until none is (M108, M110: the tables are for everybody, the children's are not).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from zjsim.solve.arrays import ArrayProgram, Arrays
from zjsim.solve.options import Options

LEAST_WIDTH = 5.0
"""A hidden count is hidden if a reader can tell it no closer than this."""
_MOST = 1e5
"""More children than any county has applicants: the range of a count that nothing bounds."""

Cell = tuple[str, int, str]
"""Table, row, column of a published count."""
Term = tuple[int, float]


@dataclass
class Relations:
    """What a reader knows of the counts of one county: unknowns by number, and rows of terms that are 0 or at most 0.

    ``cells`` says which unknown a published count is.
    """

    cells: dict[Cell, int] = field(default_factory=dict)
    equal: list[list[Term]] = field(default_factory=list)
    at_most: list[list[Term]] = field(default_factory=list)
    count: int = 0

    def unknown(self) -> int:
        """A further unknown that is in no table."""
        self.count += 1
        return self.count - 1

    def cell(self, table: str, row: int, column: str) -> int:
        """The unknown of a published count."""
        key = (table, row, column)
        if key not in self.cells:
            self.cells[key] = self.unknown()
        return self.cells[key]

    def adds_up(self, total: int, terms: Iterable[int]) -> None:
        """The terms sum to the total."""
        self.equal.append([(total, -1.0), *((t, 1.0) for t in terms)])

    def within(self, part: int, whole: int) -> None:
        """The part is at most the whole."""
        self.at_most.append([(part, 1.0), (whole, -1.0)])


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


class Reader:
    """Somebody with a solver who knows the relations and what is shown (unknown → value); what is shown can go."""

    def __init__(self, known: Relations, shown: Mapping[int, float]) -> None:
        self._count = known.count
        fixed = len(known.equal) + len(known.at_most)
        self._row = {u: fixed + i for i, u in enumerate(shown)}
        rows = [_merged(row) for row in (*known.equal, *known.at_most, *([(u, 1.0)] for u in shown))]
        told = [float(v) for v in shown.values()]
        arrays = Arrays(
            cost=np.zeros(known.count),
            upper=np.full(known.count, max(_MOST, 2 * max(told, default=0.0))),
            row_lower=np.array([0.0] * len(known.equal) + [-np.inf] * len(known.at_most) + told),
            row_upper=np.array([0.0] * fixed + told),
            start=np.cumsum([0, *(len(row) for row in rows)])[:-1],
            index=np.array([u for row in rows for u, _ in row]),
            value=np.array([c for row in rows for _, c in row], dtype=float),
            by="rows",
        )
        # No limit: what is hidden must not depend on the speed of the machine.
        self._program = ArrayProgram(arrays, Options(time_limit_s=math.inf), {})

    def forget(self, unknown: int) -> None:
        """This count is shown no longer."""
        row = np.array([self._row.pop(unknown)], dtype=np.int32)
        self._program.set_rows(row, np.array([-np.inf]), np.array([np.inf]))

    def ranges(self, wanted: Sequence[int], enough: float = LEAST_WIDTH) -> dict[int, tuple[float, float]]:
        """Least and greatest value of each wanted unknown that agrees with all that is shown.

        A range found to be ``enough`` wide is not followed to its ends. Raises ``ValueError`` if nothing agrees.
        """
        low, high = np.full(self._count, np.inf), np.full(self._count, -np.inf)
        for u in wanted:
            for sign in (1.0, -1.0):
                if high[u] - low[u] >= enough:
                    break
                cost = np.zeros(self._count)
                cost[u] = sign
                status = self._program.run(cost)
                if status != "Optimal":
                    raise ValueError(f"the published tables contradict each other: {status}")
                # Every answer is a world that agrees: it widens the ranges of all other counts too.
                values = self._program.answer()[0]
                low, high = np.minimum(low, values), np.maximum(high, values)
        return {u: (float(low[u]), float(high[u])) for u in wanted}

    def tells(self, wanted: Iterable[int], least: float) -> list[int]:
        """Those of the wanted unknowns that can be told closer than ``least``, sorted."""
        order = sorted(wanted)
        found = self.ranges(order, enough=least)
        return [u for u in order if found[u][1] - found[u][0] < least - 1e-6]


def _merged(row: Sequence[Term]) -> list[Term]:
    sums: dict[int, float] = defaultdict(float)
    for unknown, coefficient in row:
        sums[unknown] += coefficient
    return sorted(sums.items())


def protect(
    tables: Mapping[str, pd.DataFrame],
    counts: Mapping[str, Sequence[str]],
    hidden: set[Cell],
    least: float = LEAST_WIDTH,
) -> set[Cell]:
    """What must be hidden of one county's tables so that no hidden count is told closer than ``least``.

    ``counts`` are the columns of counts of each table, ``hidden`` what is hidden already. One more count goes for each
    that is too narrow: the smallest shown one, noughts last, that stands in a relation with it.
    """
    known = relations(tables)
    values = {
        (name, int(row), column): float(v)
        for name, columns in counts.items()
        for column in columns
        for row, v in zip(tables[name].index, tables[name][column], strict=True)
    }
    hidden = {c for c in hidden if c in known.cells}
    reader = Reader(known, {u: values[c] for c, u in known.cells.items() if c not in hidden})
    beside = _neighbours(known)
    names = {u: c for c, u in known.cells.items()}
    # What is hidden further only makes ranges wider: those found wide need no second look.
    unsure = {known.cells[c] for c in hidden}
    while narrow := reader.tells(unsure, least):
        more = {found for u in narrow if (found := _next(u, beside, names, values, hidden)) is not None}
        for cell in sorted(more):
            reader.forget(known.cells[cell])
        hidden |= more
        unsure = {*narrow, *(known.cells[c] for c in more)}
        if not more:
            break
    return hidden


def _neighbours(known: Relations) -> dict[int, set[int]]:
    beside: dict[int, set[int]] = defaultdict(set)
    for row in (*known.equal, *known.at_most):
        members = {u for u, _ in row}
        for u in members:
            beside[u] |= members - {u}
    return beside


def _next(
    start: int,
    beside: Mapping[int, set[int]],
    names: Mapping[int, Cell],
    values: Mapping[Cell, float],
    hidden: set[Cell],
) -> Cell | None:
    """The smallest shown count nearest to ``start``: through hidden ones and unknowns, one relation after another."""
    seen, front = {start}, {start}
    while front:
        front = {v for u in front for v in beside[u]} - seen
        seen |= front
        shown = [names[u] for u in front if u in names and names[u] in values and names[u] not in hidden]
        positive = [c for c in shown if values[c] > 0]
        if positive or shown:
            return min(positive or shown, key=lambda c: (values[c], c))
    return None
