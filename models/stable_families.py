"""Stable places when siblings who apply together want one school: found, or refuted, exactly.

*Stability.* A family's children want to be together at one school; the schools that all of them name are ranked by the
sum of their places on the lists, equal sums by school number. If no such school takes them they are apart, and each is
on its own. An outcome is stable if

* no child on its own (without family, or of a family that is apart) is passed over: no section it likes better has a
  free seat or a child with a weaker claim; and within the school where a family is together nobody is passed over;
* no family is passed over: no school that it likes better than what it has would take all its children at once, i.e.
  in each section there its children fit beside the children of others with stronger claims.

Without families that is stability; with them there may be none, and to tell is hard in general (Ronn 1990). The search
decides family by family where it is (a school, or apart). With that fixed the others clear by deferred acceptance, and
children placed in one stable outcome are placed in all (Roth 1986), so a decision stands or falls. Branches are cut by
bounds that hold for every decision of the others: more children never help a child or harm a school (Gale and Sotomayor
1985), so those undecided are left out for one bound and stand in every queue for the other. Complete unless ``limit``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from zjsim.models.array_checks import whole_numbers
from zjsim.models.deferred_acceptance import UNPLACED, Choices, IntArray, blocking_pairs, deferred_acceptance

APART = -1
_EASY = 3
_AT_ONCE, _ONE_BY_ONE = 12, 2
Status = Literal["found", "refuted", "undecided"]


@dataclass(frozen=True, slots=True)
class FamilyOutcome:
    """``status``: found; refuted (no outcome is stable for all families); undecided (the limit struck).

    ``choice`` per child (-1: none), of an outcome that is stable if the families numbered in ``dropped`` apply child
    by child (none if found; the fewest that will do if refuted). ``together``: school per family, -1 apart.
    """

    status: Status
    choice: IntArray
    together: tuple[int, ...]
    dropped: tuple[int, ...]
    decisions: int


class Limit(Exception):  # noqa: N818 - says what happened
    """The search took as many decisions as it was allowed."""


class Market:
    """Children, sections and families; ``site`` of each section. Every outcome is one section (or none) per child."""

    def __init__(
        self,
        choices: Choices,
        priority: npt.ArrayLike,
        seats: npt.ArrayLike,
        site: npt.ArrayLike,
        families: Sequence[Sequence[int]],
    ) -> None:
        """ValueError on arrays that don't fit together or aren't whole numbers, on children of two families."""
        self.choices = choices
        self.priority = whole_numbers("priorities", priority, length=len(choices.school), least=0)
        self.seats = whole_numbers("seats", seats, least=0)
        self.site = whole_numbers("the site of each section", site, length=len(self.seats), least=0)
        self.families = [tuple(family) for family in families]
        members = [child for family in self.families for child in family]
        n = choices.n_children
        if len(set(members)) < len(members) or not all(0 <= child < n for child in members):
            raise ValueError("a child belongs to one family at most, and is one of the children")
        self.family_of = np.full(n, APART, np.int64)
        for f, family in enumerate(self.families):
            self.family_of[list(family)] = f
        self.child = choices.child()
        self.place = choices.position()
        self.wish = [self._sites(family) for family in self.families]

    def _sites(self, family: tuple[int, ...]) -> list[int]:
        """Schools that all children of a family name, best first."""
        best: list[dict[int, int]] = []
        for child in family:
            own: dict[int, int] = {}
            for k in range(self.choices.start[child], self.choices.start[child + 1]):
                own.setdefault(int(self.site[self.choices.school[k]]), int(self.place[k]))
            best.append(own)
        common = set(best[0]).intersection(*best[1:]) if len(family) > 1 else set()
        return sorted(common, key=lambda s: (sum(own[s] for own in best), s))

    def cleared(
        self, decided: dict[int, int], others: Literal["absent", "everywhere"], best_for: Literal["children", "schools"]
    ) -> IntArray:
        """Row of choices per child under the decisions, in the stable outcome best for children or schools (-1: none).

        Families not in ``decided`` are absent, or stand in all their queues at once, as a child for each.
        """
        family = self.family_of[self.child]
        site = self.site[self.choices.school]
        at = np.full(len(self.families) + 1, APART, np.int64)
        open_to = np.ones(len(self.families) + 1, bool)
        for f in range(len(self.families)):
            at[f], open_to[f] = decided.get(f, APART), f in decided
        kept = open_to[family] & ((at[family] == APART) | (at[family] == site))
        copies = np.flatnonzero(~open_to[family]) if others == "everywhere" else np.zeros(0, np.int64)
        n = self.choices.n_children
        rows = np.concatenate([np.flatnonzero(kept), copies])
        of = np.concatenate([self.child[kept], n + np.arange(len(copies))])
        start = np.searchsorted(of, np.arange(n + len(copies) + 1)).astype(np.int64)
        market = Choices(start, self.choices.school[rows])
        priority = self.priority[rows]
        if best_for == "children":
            choice = deferred_acceptance(market, priority, self.seats).choice
        else:
            choice = schools_propose(market, priority, self.seats)
        own = np.full(n + len(copies), UNPLACED, np.int64)
        got = np.flatnonzero(choice >= 0)
        own[got] = rows[start[got] + choice[got]]
        return own

    def row_choice(self, rows: IntArray) -> IntArray:
        """Place in each child's list from rows of choices."""
        own = rows[: self.choices.n_children]
        return np.where(own >= 0, self.place[np.maximum(own, 0)] if len(self.place) else own, UNPLACED)

    def admits(self, family: int, site: int, rows: IntArray, own_seats_free: bool = True) -> bool:
        """Whether a school would take all children of a family beside those of others with stronger claims.

        ``rows``: the outcome, a row of choices per child or copy (-1: none). ``own_seats_free``: the family's own
        children do not count where they sit (else they do, for a bound).
        """
        held = rows[rows >= 0]
        if own_seats_free:
            held = held[self.family_of[self.child[held]] != family]
        options = []
        for child in self.families[family]:
            own = range(self.choices.start[child], self.choices.start[child + 1])
            options.append([k for k in own if self.site[self.choices.school[k]] == site])
        claims = {s: self.claim(held[self.choices.school[held] == s]) for s in self._sections(options)}
        for way in itertools.product(*options):
            by_section: dict[int, list[tuple[int, int]]] = {}
            for k in way:
                by_section.setdefault(int(self.choices.school[k]), []).append(self.claim([k])[0])
            if all(self._fit(s, sorted(entering), claims[s]) for s, entering in by_section.items()):
                return True
        return False

    def _sections(self, options: list[list[int]]) -> set[int]:
        return {int(self.choices.school[k]) for own in options for k in own}

    def claim(self, rows: Sequence[int] | IntArray) -> list[tuple[int, int]]:
        """Claims of rows of choices, smaller = stronger; equal priorities: the smaller child index."""
        return [(int(self.priority[k]), int(self.child[k])) for k in rows]

    def _fit(self, section: int, entering: list[tuple[int, int]], held: list[tuple[int, int]]) -> bool:
        return all(sum(other < claim for other in held) + k < self.seats[section] for k, claim in enumerate(entering))

    def at_site(self, family: int, rows: IntArray) -> int:
        """The school where all children of a family sit, -1 if they are apart or without places."""
        own = [int(rows[child]) for child in self.families[family]]
        sites = {int(self.site[self.choices.school[k]]) if k >= 0 else APART for k in own}
        return sites.pop() if len(sites) == 1 else APART

    def passed_over(self, rows: IntArray, families: Sequence[int]) -> list[tuple[int, int]]:
        """(family, school) for every one of ``families`` whom a school it likes better would take."""
        found = []
        for f in families:
            here = self.at_site(f, rows)
            better = self.wish[f][: self.wish[f].index(here)] if here in self.wish[f] else self.wish[f]
            found += [(f, site) for site in better if self.admits(f, site, rows)]
        return found


def schools_propose(choices: Choices, priority: IntArray, seats: IntArray) -> IntArray:
    """Choice per child (-1: none) in the stable outcome that is best for the schools: they propose by claim."""
    child, place = choices.child(), choices.position()
    order = np.lexsort((child, priority, choices.school))
    bounds = np.searchsorted(choices.school[order], np.arange(len(seats) + 1)).tolist()
    queue, of, at = order.tolist(), child.tolist(), place.tolist()
    next_in = bounds[:-1]
    room = seats.tolist()
    held = [UNPLACED] * choices.n_children
    school = choices.school.tolist()
    start = choices.start.tolist()
    active = list(range(len(seats)))
    while active:
        s = active.pop()
        while room[s] and next_in[s] < bounds[s + 1]:
            row = queue[next_in[s]]
            next_in[s] += 1
            i = of[row]
            if held[i] == UNPLACED or at[row] < held[i]:
                room[s] -= 1
                if held[i] != UNPLACED:
                    left = school[start[i] + held[i]]
                    room[left] += 1
                    active.append(left)
                held[i] = at[row]
    return np.array(held, np.int64)


def stable_with_families(market: Market, *, limit: int = 20_000) -> FamilyOutcome:
    """A stable outcome, or the proof that there is none and the fewest families to be treated child by child.

    ``limit``: decisions the search may take in all; beyond it the status is undecided and the outcome treats every
    family that is passed over child by child.
    """
    every = range(len(market.families))
    taken = [0]
    status: Status = "found"
    try:
        for size in range(len(market.families) + 1):
            for dropped in itertools.combinations(every, size):
                rows = _searched(market, dropped, taken, limit)
                if rows is not None:
                    return _outcome(market, status, rows, dropped, taken[0])
            status = "refuted"
    except Limit:
        pass
    rows = market.cleared(dict.fromkeys(every, APART), "absent", "children")
    told = tuple(sorted({f for f, _ in market.passed_over(rows, every)}))
    return _outcome(market, "undecided", rows, told, taken[0])


def _outcome(market: Market, status: Status, rows: IntArray, dropped: tuple[int, ...], taken: int) -> FamilyOutcome:
    together = tuple(market.at_site(f, rows) for f in range(len(market.families)))
    return FamilyOutcome(status, market.row_choice(rows), together, dropped, taken)


def _searched(market: Market, dropped: tuple[int, ...], taken: list[int], limit: int) -> IntArray | None:
    """Rows of a stable outcome in which the families of ``dropped`` count as single children, None if there is none."""
    asking = [f for f in range(len(market.families)) if f not in dropped and market.wish[f]]
    alone = {f: APART for f in range(len(market.families)) if f not in asking}
    guessed = _guessed(market, asking, alone, taken, limit)
    if guessed is not None:
        return guessed

    def down(decided: dict[int, int], left: list[int]) -> IntArray | None:
        taken[0] += 1
        if taken[0] > limit:
            raise Limit
        here = {**alone, **decided}
        low = market.cleared(here, "absent", "children")
        if any(site != APART and market.at_site(f, low) != site for f, site in decided.items()):
            return None
        if not left:
            return next(_stable(market, here, asking), None)
        # The way down the first time costs little; the second bound is worth its price once the search turns back.
        if taken[0] > _EASY * len(asking):
            high = market.cleared(here, "everywhere", "schools")
            if any(_surely_better(market, f, site, high) for f, site in decided.items()):
                return None
        f = left[0]
        for site in (*market.wish[f], APART):
            found = down({**decided, f: site}, left[1:])
            if found is not None:
                return found
        return None

    return down({}, asking)


def _guessed(
    market: Market, asking: Sequence[int], alone: dict[int, int], taken: list[int], limit: int
) -> IntArray | None:
    """Rows of a stable outcome reached by letting every family move to the best school that takes it, over and over.

    First all move at once, then one at a time. What is returned passed the checks of the search; nothing is concluded
    where the moves do not come to rest. Large markets with few families nearly always do.
    """
    decided = {f: market.wish[f][0] for f in asking}
    for move in range(_AT_ONCE + _ONE_BY_ONE * len(asking)):
        taken[0] += 1
        if taken[0] > limit:
            raise Limit
        rows = market.cleared({**alone, **decided}, "absent", "children")
        wanted = {f: _best_open(market, f, decided[f], rows) for f in asking}
        moving = [f for f in asking if wanted[f] != decided[f]]
        if not moving:
            return None if market.passed_over(rows, asking) else rows
        if move < _AT_ONCE:
            decided = wanted
        else:
            decided = {**decided, moving[move % len(moving)]: wanted[moving[move % len(moving)]]}
    return None


def _best_open(market: Market, family: int, now: int, rows: IntArray) -> int:
    """The best school that takes the family, or has it; -1 if none does."""
    there = market.at_site(family, rows)
    return next((s for s in market.wish[family] if s == now == there or market.admits(family, s, rows)), APART)


def _surely_better(market: Market, family: int, site: int, high: IntArray) -> bool:
    """Whether a school the family likes better takes it whatever the undecided do."""
    wish = market.wish[family]
    better = wish if site == APART else wish[: wish.index(site)]
    rows = np.where(high >= 0, high, UNPLACED)
    return any(market.admits(family, s, rows, own_seats_free=False) for s in better)


def _stable(market: Market, decided: dict[int, int], asking: Sequence[int]) -> Iterator[IntArray]:
    """Stable outcomes under the decisions in which no asking family is passed over: best for children first."""
    best = market.cleared(decided, "absent", "children")
    if not market.passed_over(best, asking):
        yield best
        return
    worst = market.cleared(decided, "absent", "schools")
    if not market.passed_over(worst, asking):
        yield worst
        return
    # Between the two ends: every way the children who differ may sit.
    differ = np.flatnonzero(best != worst).tolist()
    spans = [list(range(int(best[i]), int(worst[i]) + 1)) for i in differ]
    if np.prod([float(len(s)) for s in spans]) > 50_000:
        raise Limit
    for way in itertools.product(*spans):
        rows = best.copy()
        rows[differ] = way
        if _clears(market, decided, rows) and not market.passed_over(rows, asking):
            yield rows


def _clears(market: Market, decided: dict[int, int], rows: IntArray) -> bool:
    """Whether an outcome is stable child by child, children of families that are together naming their school only."""
    site = market.site[market.choices.school]
    at = np.array([decided.get(f, APART) for f in range(len(market.families))] + [APART], np.int64)
    kept = np.flatnonzero((at[market.family_of[market.child]] == APART) | (at[market.family_of[market.child]] == site))
    start = np.searchsorted(market.child[kept], np.arange(market.choices.n_children + 1)).astype(np.int64)
    own = Choices(start, market.choices.school[kept])
    if not np.isin(rows[rows >= 0], kept).all():
        return False
    sections = np.where(rows >= 0, market.choices.school[np.maximum(rows, 0)], UNPLACED)
    if (np.bincount(sections[sections >= 0], minlength=len(market.seats)) > market.seats).any():
        return False
    return not len(blocking_pairs(own, market.priority[kept], market.seats, sections))
