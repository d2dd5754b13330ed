"""A school market that answers "what if this school had one seat more or less" at once, keeping the matching stable.

The matching is always the student-optimal stable one. One seat more starts a chain: the strongest child that would
rather be there moves in, its old seat goes to the strongest child that wants that one, and so on. When nobody is left
waiting, a ring of children may still be able to trade places although no school gains a seat; rings are carried out
until none is left. One seat less starts the chain of deferred acceptance: the weakest child admitted proposes further
down its list. Both give exactly what deferred acceptance from scratch would give, in the time of the chain's length.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from zjsim.models.array_checks import whole_numbers
from zjsim.models.deferred_acceptance import Choices, deferred_acceptance

VACANT = -1


@dataclass(frozen=True, slots=True)
class Move:
    """A child moves from place ``before`` of its list to ``after`` (0 = first choice; the list's length = unplaced)."""

    child: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class State:
    """A snapshot of a market: lists are copied, so it can be gone back to any number of times."""

    seats: list[int]
    load: list[int]
    rank: list[int]
    waiting: list[int]
    total: int


class Market:
    """Children, schools, seats and their student-optimal stable matching.

    ``lists``: per child its schools, best first. ``priority``: one integer per choice (flat, as in :class:`Choices`),
    smaller = stronger claim; equal claims are decided by the smaller child index. ``total`` is the sum of ranks: first
    choice 1, …, unplaced the list's length + 1.
    """

    def __init__(self, choices: Choices, priority: npt.ArrayLike, seats: Sequence[int]):
        priority = whole_numbers("priorities", priority, least=0)
        matching = deferred_acceptance(choices, priority, seats)
        n_schools = len(seats)
        self.lists = [choices.school[a:b].tolist() for a, b in itertools.pairwise(choices.start.tolist())]
        child, place = choices.child(), choices.position()
        queue = np.lexsort((child, priority, choices.school))
        bounds = np.searchsorted(choices.school[queue], np.arange(n_schools + 1))
        # Per school: who named it, strongest claim first, and on which place of the child's list it stands.
        self.queue = [child[queue[a:b]].tolist() for a, b in itertools.pairwise(bounds.tolist())]
        self.place = [place[queue[a:b]].tolist() for a, b in itertools.pairwise(bounds.tolist())]
        # Per child and place of its list: its position in that school's queue.
        turn = np.empty(len(queue), np.int64)
        turn[queue] = np.arange(len(queue)) - bounds[choices.school[queue]]
        self.turn = [turn[a:b].tolist() for a, b in itertools.pairwise(choices.start.tolist())]
        self.seats = [int(s) for s in seats]
        self.load = np.bincount(matching.school[matching.school >= 0], minlength=n_schools).tolist()
        self.rank = np.where(matching.choice >= 0, matching.choice, choices.lengths).tolist()
        # Per school: nobody before this position of its queue would rather be there (the true position may be later).
        self.waiting = [0] * n_schools
        self.total = matching.sum_of_ranks(choices)

    def save(self) -> State:
        """The present state, to go back to."""
        return State(self.seats[:], self.load[:], self.rank[:], self.waiting[:], self.total)

    def restore(self, state: State) -> None:
        """Back to a saved state."""
        self.seats, self.load, self.rank, self.waiting = state.seats[:], state.load[:], state.rank[:], state.waiting[:]
        self.total = state.total

    def school_of(self, child: int) -> int:
        """The child's school, -1 if unplaced."""
        wanted, rank = self.lists[child], self.rank[child]
        return wanted[rank] if rank < len(wanted) else VACANT

    def next_in_line(self, school: int) -> int:
        """Position in the queue of the strongest child that would rather be there; the queue's length if none."""
        queue, place, rank = self.queue[school], self.place[school], self.rank
        at, end = self.waiting[school], len(queue)
        while at < end and rank[queue[at]] <= place[at]:
            at += 1
        self.waiting[school] = at
        return at

    def add(self, school: int) -> None:
        """One seat more at a school."""
        self.seats[school] += 1
        self._fill(school, None)
        self._rings(None)

    def add_and_tell(self, school: int) -> list[list[Move]]:
        """One seat more; returns the moves: the chain from the new seat first (may be empty), then each ring."""
        told: list[list[Move]] = [[]]
        self.seats[school] += 1
        self._fill(school, told[0])
        self._rings(told)
        return told

    def remove(self, school: int) -> None:
        """One seat less at a school that has one."""
        if not self.seats[school]:
            raise ValueError(f"school {school} has no seat to remove")
        self.seats[school] -= 1
        if self.load[school] > self.seats[school]:
            self.load[school] -= 1
            self._displace(school)

    def _fill(self, school: int, moves: list[Move] | None) -> None:
        rank, lists, load = self.rank, self.lists, self.load
        while school != VACANT and load[school] < self.seats[school]:
            at = self.next_in_line(school)
            queue = self.queue[school]
            if at == len(queue):
                return
            child, better = queue[at], self.place[school][at]
            worse = rank[child]
            if moves is not None:
                moves.append(Move(child, worse, better))
            load[school] += 1
            rank[child] = better
            self.total -= worse - better
            wanted = lists[child]
            school = wanted[worse] if worse < len(wanted) else VACANT
            if school != VACANT:
                load[school] -= 1

    def _rings(self, told: list[list[Move]] | None) -> None:
        """Carries out rings: school → its next in line → that child's school → … back to the first."""
        n_schools = len(self.seats)
        seen = [-1] * n_schools
        rank, lists = self.rank, self.lists
        for first in range(n_schools):
            while seen[first] < 0:
                path: list[int] = []
                school = first
                while school != VACANT and seen[school] < 0:
                    seen[school] = first
                    path.append(school)
                    at = self.next_in_line(school)
                    queue = self.queue[school]
                    if at == len(queue):
                        break
                    child = queue[at]
                    wanted, now = lists[child], rank[child]
                    school = wanted[now] if now < len(wanted) else VACANT
                else:
                    if school != VACANT and school in path:
                        self._trade(path[path.index(school) :], told)
                        # The path's schools have new children in line: look at them again.
                        for passed in path:
                            seen[passed] = -1

    def _trade(self, ring: list[int], told: list[list[Move]] | None) -> None:
        moves = []
        for school in ring:
            at = self.next_in_line(school)
            child, better = self.queue[school][at], self.place[school][at]
            moves.append(Move(child, self.rank[child], better))
        for move in moves:
            self.rank[move.child] = move.after
            self.total -= move.before - move.after
        if told is not None:
            told.append(moves)

    def _displace(self, school: int) -> None:
        """The weakest child held leaves and proposes on, and so on until somebody finds a free seat or gives up."""
        rank, lists, waiting = self.rank, self.lists, self.waiting
        while True:
            queue, place = self.queue[school], self.place[school]
            at = self.next_in_line(school) - 1
            while rank[queue[at]] != place[at]:
                at -= 1
            child = queue[at]
            waiting[school] = at
            wanted, turns, now = lists[child], self.turn[child], rank[child]
            before = now
            now += 1
            while now < len(wanted):
                school = wanted[now]
                at = turns[now]
                if self.load[school] < self.seats[school]:
                    break
                if at < self.next_in_line(school) and self._holds_after(school, at):
                    break
                waiting[school] = min(waiting[school], at)
                now += 1
            rank[child] = now
            self.total += now - before
            if now == len(wanted):
                return
            if self.load[school] < self.seats[school]:
                self.load[school] += 1
                return

    def _holds_after(self, school: int, at: int) -> bool:
        """Whether a full school holds a child weaker than position ``at`` of its queue."""
        queue, place, rank = self.queue[school], self.place[school], self.rank
        later = self.waiting[school] - 1
        while later > at:
            if rank[queue[later]] == place[later]:
                return True
            later -= 1
        return False
