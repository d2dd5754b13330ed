"""What published tables tell of counts they do not show, and which further ones to hide so that they tell too little.

A reader knows how counts hang together: parts add up to wholes, a part is at most its whole, money is a price times a
count. All of that, with everything shown, is one linear program; the least and greatest value of a hidden count are
what can be known of it. Where they are closer than wanted, a shown count beside it is hidden as well, until none is.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zjsim.solve.arrays import ArrayProgram, Arrays
from zjsim.solve.options import Options

LEAST_WIDTH = 5.0
"""A hidden count is hidden if a reader can tell it no closer than this."""
_MOST = 1e7
"""More children than there are: the range of a count that nothing bounds."""
_TOLERANCE = 1e-6


class CannotConceal(ValueError):  # noqa: N818 - says what is so, like the other answers of this room
    """Hidden counts (``unknowns``) would be told closer than promised though nothing is left to hide."""

    def __init__(self, unknowns: Collection[int], least: float) -> None:
        super().__init__(f"{len(unknowns)} hidden counts would be told closer than {least:g}: not published")
        self.unknowns = tuple(sorted(unknowns))


Term = tuple[int, float]
Row = tuple[list[Term], float, float]
Range = tuple[float, float]
Seen = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Least and greatest value of every unknown in the worlds seen so far (none yet: infinite, the wrong way round)."""


@dataclass
class Relations:
    """What a reader knows of counts: unknowns by number, and rows: lower ≤ Σ coefficient · unknown ≤ upper.

    ``cells`` says which unknown a published cell (any hashable name of it) is; several cells may be the same one.
    """

    cells: dict[tuple[str, int, str], int] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
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

    def between(self, terms: Iterable[Term], lower: float, upper: float) -> None:
        """The weighted sum of the terms lies between the bounds."""
        sums: dict[int, float] = defaultdict(float)
        for unknown, coefficient in terms:
            sums[unknown] += coefficient
        self.rows.append((sorted((u, c) for u, c in sums.items() if c), lower, upper))

    def adds_up(self, total: int, terms: Iterable[int]) -> None:
        """The terms sum to the total."""
        self.between([(total, -1.0), *((t, 1.0) for t in terms)], 0.0, 0.0)

    def within(self, part: int, whole: int) -> None:
        """The part is at most the whole."""
        self.between([(part, 1.0), (whole, -1.0)], -math.inf, 0.0)

    def nothing(self, unknown: int) -> None:
        """There is none of it, and everybody knows."""
        self.between([(unknown, 1.0)], 0.0, 0.0)


def new_seen(known: Relations) -> Seen:
    """No world seen yet."""
    return np.full(known.count, np.inf), np.full(known.count, -np.inf)


class Reader:
    """Somebody with a solver who knows the relations and what is shown (unknown → value).

    Only rows with something unknown matter, with what is shown moved to their bounds; unknowns that no such row joins
    are told apart: a small program for each lot of them.
    """

    def __init__(
        self,
        known: Relations,
        shown: Mapping[int, float],
        only: Sequence[int] | None = None,
        seen: Seen | None = None,
    ) -> None:
        """``only``: numbers of the rows in which something is unknown, if the caller knows them.

        ``seen``: least and greatest value of every unknown in worlds that agreed with more than is shown now (they
        agree still); what is found here is added to it.
        """
        self._seen = new_seen(known) if seen is None else seen
        lot = list(range(known.count))

        def first(u: int) -> int:
            while lot[u] != u:
                lot[u] = lot[lot[u]]
                u = lot[u]
            return u

        rows: list[Row] = []
        for terms, lower, upper in known.rows if only is None else [known.rows[i] for i in only]:
            dark = [(u, c) for u, c in terms if u not in shown]
            if dark:
                told = math.fsum(c * shown[u] for u, c in terms if u in shown)
                rows.append((dark, lower - told, upper - told))
                for u, _ in dark[1:]:
                    lot[first(u)] = first(dark[0][0])
        self._rows: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            self._rows[first(row[0][0][0])].append(row)
        self.lot = first
        self._programs: dict[int, _Program] = {}

    def ranges(self, wanted: Sequence[int], enough: float = math.inf) -> dict[int, Range]:
        """Least and greatest value of each wanted unknown that agrees with all that is shown.

        A range found to be ``enough`` wide is not followed to its ends. Raises ``ValueError`` if nothing agrees.
        """
        found = {}
        for u in wanted:
            program = self._program(self.lot(u))
            found[u] = (0.0, _MOST) if program is None else program.range(u, enough)
        return found

    def _program(self, lot: int) -> _Program | None:
        if lot not in self._programs and lot in self._rows:
            self._programs[lot] = _Program(self._rows[lot], self._seen)
        return self._programs.get(lot)

    def tells(self, wanted: Iterable[int], least: float = LEAST_WIDTH) -> list[int]:
        """Those of the wanted unknowns that can be told closer than ``least``, sorted."""
        order = sorted(wanted)
        found = self.ranges(order, enough=least)
        return [u for u in order if found[u][1] - found[u][0] < least - _TOLERANCE]


class _Program:
    """The rows of one lot of unknowns, and the widest ranges of all unknowns seen so far."""

    def __init__(self, rows: Sequence[Row], seen: Seen) -> None:
        self._unknowns = np.array(sorted({u for terms, _, _ in rows for u, _ in terms}))
        self._place = {u: i for i, u in enumerate(self._unknowns.tolist())}
        count = len(self._place)
        self._low, self._high = seen
        arrays = Arrays(
            cost=np.zeros(count),
            upper=np.full(count, _MOST),
            row_lower=np.array([lower for _, lower, _ in rows]),
            row_upper=np.array([upper for _, _, upper in rows]),
            start=np.cumsum([0, *(len(terms) for terms, _, _ in rows)])[:-1],
            index=np.array([self._place[u] for terms, _, _ in rows for u, _ in terms]),
            value=np.array([c for terms, _, _ in rows for _, c in terms], dtype=float),
            by="rows",
        )
        # No limit: what is hidden must not depend on the speed of the machine.
        self._program = ArrayProgram(arrays, Options(time_limit_s=math.inf), {})

    def range(self, unknown: int, enough: float) -> Range:
        """Least and greatest value of one unknown, or a part of that range that is ``enough``."""
        for sign in (1.0, -1.0):
            if self._high[unknown] - self._low[unknown] >= enough:
                break
            cost = np.zeros(len(self._place))
            cost[self._place[unknown]] = sign
            self._look(cost)
        return float(self._low[unknown]), float(self._high[unknown])

    def _look(self, cost: NDArray[np.float64]) -> None:
        """One more world that agrees, at least cost: it widens the ranges of all unknowns it moves."""
        status = self._program.run(cost)
        if status != "Optimal":
            raise ValueError(f"the published tables contradict each other: {status}")
        values, low, high, all_ = self._program.answer()[0], self._low, self._high, self._unknowns
        low[all_], high[all_] = np.minimum(low[all_], values), np.maximum(high[all_], values)


def conceal(
    known: Relations,
    values: Mapping[int, float],
    hidden: Collection[int],
    order: Callable[[int], tuple[float, ...]],
    *,
    least: float = LEAST_WIDTH,
    kept: Collection[int] = (),
    late: Collection[int] = (),
    release: bool = False,
    seen: Seen | None = None,
) -> set[int]:
    """What must be hidden so that no hidden count is told closer than ``least``; holds ``hidden``.

    ``values``: every count that could be shown. For each hidden one that is too narrow one more goes: of those shown
    in a relation with it the first in ``order``, which are not in ``kept`` (kept ones only if nothing else is left);
    those in ``late`` (sums that readers look for) after all others. What everybody knows without them is never hidden.
    With ``release``, what was hidden beside the small ones and is told exactly all the same is shown again (not where
    other publications hold the same counts). ``seen``: what an earlier call with the same relations and values and no
    more hidden saw; it is added to.

    Raises :class:`CannotConceal` if one of ``hidden`` is told closer than :data:`LEAST_WIDTH` though nothing is left
    to hide.
    """
    noughts = settled(known, {})
    dark = set(hidden) - noughts.keys()
    plain = settled(known, {u: values[u] for u in kept if u in values and u not in dark}).keys() - dark
    search = _Search(known, values, order, ({*kept, *plain}, noughts), set(late))
    spoken_for = {*dark, *kept}
    dark |= search.closed(dark, dark)
    # What is hidden further only makes ranges wider: those found wide need no second look.
    unsure, idle = set(dark), set[int]()
    seen = new_seen(known) if seen is None else seen
    while unsure:
        shown = {u: v for u, v in values.items() if u not in dark} | noughts
        reader = Reader(known, shown, search.rows_with(dark, shown), seen)
        more: set[int] = set()
        narrow: list[int] = []
        unseen: set[int] = set()
        lots: set[int] = set()
        idle = set()
        for u in sorted(unsure):
            # One at a time where counts hang together: the others may be wide by then, and are looked at then.
            if reader.lot(u) in lots:
                unseen.add(u)
                continue
            if not reader.tells([u], least):
                continue
            narrow.append(u)
            # What was hidden to protect another and is told all the same protects nothing: in the end it is shown.
            if release and u not in spoken_for and _width(reader, u) < _TOLERANCE:
                idle.add(u)
            elif (found := search.next(u, dark)) is not None:
                lots.add(reader.lot(u))
                more |= search.closed({found}, dark)
        if not more:
            # Nothing is left to hide: better no publication than one that tells a small count.
            told = [u for u in narrow if u in hidden and _width(reader, u) < min(least, LEAST_WIDTH) - _TOLERANCE]
            if told:
                raise CannotConceal(told, least)
            break
        dark |= more
        unsure = {*narrow, *unseen, *more}
    return dark - idle


def _width(reader: Reader, unknown: int) -> float:
    low, high = reader.ranges([unknown])[unknown]
    return high - low


class _Search:
    """Which shown count goes next to protect a hidden one."""

    def __init__(
        self,
        known: Relations,
        values: Mapping[int, float],
        order: Callable[[int], tuple[float, ...]],
        spares: Sequence[Collection[int]],
        late: Collection[int],
    ) -> None:
        self._known, self._values, self._order, self._spares, self._late = known, values, order, spares, late
        self._rows: dict[int, list[int]] = defaultdict(list)
        for i, (terms, _, _) in enumerate(known.rows):
            for u, _ in terms:
                self._rows[u].append(i)
        self._never_shown = {u for u in self._rows if u not in values}

    def rows_with(self, dark: Collection[int], shown: Mapping[int, float]) -> list[int]:
        """Numbers of the rows in which something is unknown."""
        unknown = {*dark, *(u for u in self._never_shown if u not in shown)}
        return sorted({i for u in unknown for i in self._rows.get(u, ())})

    def next(self, start: int, dark: Collection[int]) -> int | None:
        """The shown count nearest to ``start`` that may go: over what is not shown, from relation to relation."""
        for spared in self._spares:
            seen, front = {start}, {start}
            while front:
                # Relations lead on through what is not shown only: a shown count ends what can be told by it.
                open_ = [u for u in front if u == start or u in dark or u not in self._values]
                front = {v for u in open_ for i in self._rows.get(u, ()) for v, _ in self._known.rows[i][0]} - seen
                seen |= front
                shown = [u for u in front if u in self._values and u not in dark and u not in spared]
                if shown:
                    return min(shown, key=lambda u: (u in self._late, *self._order(u), u))
        return None

    def closed(self, new: Collection[int], dark: Collection[int]) -> set[int]:
        """``new`` and what must go with them so that no equation holds a single unknown, one after another.

        Of several the one that fewest relations would tell at once goes, then the first in order.
        """
        gone, waiting = {*dark, *new}, sorted(new)
        added = set(new)
        while waiting:
            u = waiting.pop()
            for i in self._rows.get(u, ()):
                terms, lower, upper = self._known.rows[i]
                if lower != upper or any(v != u and (v in gone or v not in self._values) for v, _ in terms):
                    continue
                left = [v for v, _ in terms if v != u and v not in self._spares[0]]
                if left:
                    found = min(left, key=lambda v: (v in self._late, self._told_by(v, gone), *self._order(v), v))
                    gone.add(found)
                    added.add(found)
                    waiting.append(found)
        return added

    def _told_by(self, unknown: int, dark: Collection[int]) -> int:
        """In how many relations this count would be the only one that is not shown."""
        return sum(
            all(v == unknown or (v in self._values and v not in dark) for v, _ in self._known.rows[i][0])
            for i in self._rows.get(unknown, ())
        )


def settled(known: Relations, shown: Mapping[int, float]) -> dict[int, float]:
    """What follows at once from ``shown`` and the relations: sums of nothing, parts of nothing, the last part of a sum.

    To hide these would tell nobody less.
    """
    found = dict(shown)
    before = -1
    while before != len(found):
        before = len(found)
        for terms, lower, upper in known.rows:
            left = [(u, c) for u, c in terms if u not in found]
            if not left:
                continue
            told = math.fsum(c * found[u] for u, c in terms if u in found)
            low, high = lower - told, upper - told
            if (high <= 0 and all(c > 0 for _, c in left)) or (low >= 0 and all(c < 0 for _, c in left)):
                found |= {u: 0.0 for u, _ in left}
            elif len(left) == 1 and low == high:
                found[left[0][0]] = low / left[0][1]
    return found
