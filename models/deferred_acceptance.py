"""Places by collected choices: student-proposing deferred acceptance by tier and points (M106-M109).

Every child names schools in order; every school ranks children by tier, within a tier by points, and only where both
are equal by the published lottery. The outcome is the one stable matching that every child likes at least as well as
any other stable matching (Gale and Shapley 1962), so nobody envies a place that went to a child with a weaker claim.

Choices are stored as one flat array: the choices of child ``i`` are ``school[start[i]:start[i + 1]]``, best first.
Schools and children are numbered from 0. Nothing here reads files or keeps state.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from zjsim.models.array_checks import finite_numbers, offsets, one_whole_number, whole_numbers

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

UNPLACED = -1
_LOTTERY_BITS = 62


@dataclass(frozen=True, slots=True)
class Choices:
    """Ordered choices of all children: ``start`` has one entry more than children, ``school`` one per choice.

    ValueError if they are not whole numbers, or if ``start`` doesn't begin with 0, falls or ends elsewhere.
    """

    start: IntArray
    school: IntArray

    def __post_init__(self) -> None:
        """Looks at the arrays once, where they come in."""
        school = whole_numbers("the schools of the choices", self.school)
        object.__setattr__(self, "start", offsets("the begins of the choices", self.start, len(school)))
        object.__setattr__(self, "school", school)

    @property
    def n_children(self) -> int:
        """Number of children, those without any choice included."""
        return len(self.start) - 1

    @property
    def lengths(self) -> IntArray:
        """Length of each child's list (choices)."""
        return np.diff(self.start)

    def child(self) -> IntArray:
        """The child each choice belongs to, one entry per choice."""
        return np.repeat(np.arange(self.n_children), self.lengths)

    def position(self) -> IntArray:
        """Position of each choice in its child's list, 0 = first choice."""
        return np.arange(len(self.school)) - np.repeat(self.start[:-1], self.lengths)


@dataclass(frozen=True, slots=True)
class Matching:
    """A matching: per child the choice taken and its school (-1 if unplaced), per school the weakest claim admitted.

    ``choice`` counts from 0 within the child's list. ``last_admitted`` is the child admitted last at a school without a
    free seat, -1 where a seat is free or the school has none. ``proposals`` counts the work done.
    """

    choice: IntArray
    school: IntArray
    last_admitted: IntArray
    proposals: int

    def sum_of_ranks(self, choices: Choices) -> int:
        """Sum over children of the rank got: first choice 1, second 2, …; unplaced counts the list's length + 1."""
        return int(np.where(self.choice >= 0, self.choice + 1, choices.lengths + 1).sum())


@dataclass(frozen=True, slots=True)
class Cutoff:
    """What the last child admitted to a full school had; ``school`` without a free seat only."""

    school: int
    tier: int
    points: float
    child: int


def choices_from_lists(lists: Sequence[Sequence[int]]) -> Choices:
    """Choices from one list of school numbers per child, best first.

    ValueError if a child has no list, a school is named twice or isn't a whole number.
    """
    for i, wanted in enumerate(lists):
        if isinstance(wanted, str) or not hasattr(wanted, "__len__"):
            raise ValueError(f"child {i} must have a list of schools, not {wanted!r}")
        for s in wanted:
            one_whole_number(f"a school that child {i} names", s)
        if len(set(wanted)) != len(wanted):
            raise ValueError(f"child {i} names a school twice: {list(wanted)}")
    start = np.zeros(len(lists) + 1, np.int64)
    np.cumsum([len(wanted) for wanted in lists], out=start[1:])
    school = np.fromiter((s for wanted in lists for s in wanted), np.int64, int(start[-1]))
    return Choices(start, school)


def lottery_numbers(n_children: int, seed: int) -> IntArray:
    """One lottery number per child from the published seed, smaller first.

    Counter-based (Philox), so further children at the end leave the numbers of the first ones unchanged. Should two
    numbers coincide, the child with the smaller index comes first. ValueError on numbers that aren't whole or negative.
    """
    one_whole_number("the number of children", n_children)
    one_whole_number("the seed", seed)
    return np.random.Generator(np.random.Philox(key=seed)).integers(0, 1 << _LOTTERY_BITS, n_children)


def strict_priorities(choices: Choices, tier: npt.ArrayLike, points: npt.ArrayLike, seed: int) -> IntArray:
    """One strict priority number per choice, smaller = stronger claim: tier, then points, then the lottery.

    ``tier`` (1 = first) and ``points`` (more = stronger) have one entry per child, or one per choice where a school
    sees a child differently (a sibling there, the catchment). The lottery number is a child's own and the same at
    every school; it decides true ties (equal tier and equal points) only. ValueError on other lengths, on tiers that
    aren't whole, on points that are missing or infinite.
    """
    per_choice = []
    for name, given in (("tier", whole_numbers("tier", tier)), ("points", -finite_numbers("points", points))):
        dense = np.unique(given, return_inverse=True)[1].astype(np.int64)
        if len(dense) == choices.n_children:
            dense = np.repeat(dense, choices.lengths)
        elif len(dense) != len(choices.school):
            raise ValueError(
                f"{name}: {len(dense)} entries for {choices.n_children} children, {len(choices.school)} choices"
            )
        per_choice.append(dense)
    lottery = np.empty(choices.n_children, np.int64)
    lottery[np.argsort(lottery_numbers(choices.n_children, seed), kind="stable")] = np.arange(choices.n_children)
    tiers, point_ranks = per_choice
    n_point_ranks = int(point_ranks.max(initial=0)) + 1
    return (tiers * n_point_ranks + point_ranks) * max(1, choices.n_children) + np.repeat(lottery, choices.lengths)


def deferred_acceptance(choices: Choices, priority: npt.ArrayLike, seats: npt.ArrayLike) -> Matching:
    """Student-optimal stable matching.

    ``priority``: one non-negative integer per choice, smaller = stronger claim at that school; equal numbers are
    decided by the smaller child index. ``seats``: free seats per school, 0 allowed. The outcome doesn't depend on the
    order of proposals, so many children propose at once in rounds of array operations; when few are left, one at a
    time with a heap per school. ValueError on arrays that don't fit together or aren't whole numbers.
    """
    priority, seats = _checked(choices, priority, seats)
    n = choices.n_children
    child_bits = max(1, (n - 1).bit_length())
    priority_bits = int(priority.max(initial=0)).bit_length()
    school_bits = len(seats).bit_length()
    if child_bits + priority_bits + school_bits > 63:
        priority = np.unique(priority, return_inverse=True)[1].astype(np.int64)
        priority_bits = int(priority.max(initial=0)).bit_length()
        if child_bits + priority_bits + school_bits > 63:
            raise ValueError("too many schools, children and priority levels for 63 bits")
    state = _Rounds(choices, priority, seats, child_bits, priority_bits + child_bits)
    state.run(few=max(32, n // 100))
    return state.finish()


class _Rounds:
    """Working state: claims held are integers (school, priority, child) packed into bits, sorted."""

    def __init__(self, choices: Choices, priority: IntArray, seats: IntArray, child_bits: int, school_shift: int):
        self.choices, self.priority, self.seats = choices, priority, seats
        self.child_mask = (1 << child_bits) - 1
        self.child_bits, self.school_shift = child_bits, school_shift
        self.at = choices.start[:-1].copy()  # the choice each child proposes next or is held at
        self.end = choices.start[1:]
        self.held = np.empty(0, np.int64)
        # A claim is hopeless if it isn't below this: the weakest claim held by a full school.
        self.limit = np.where(seats > 0, np.iinfo(np.int64).max, -1)
        self.proposals = 0

    def _claims(self, children: IntArray) -> tuple[IntArray, IntArray]:
        """Children with a choice left that isn't hopeless, and their claims; pointers move past hopeless choices."""
        waiting, found, claims = children, [], []
        while len(waiting):
            waiting = waiting[self.at[waiting] < self.end[waiting]]
            here = self.at[waiting]
            self.proposals += len(here)
            school = self.choices.school[here]
            claim = (school << self.school_shift) | (self.priority[here] << self.child_bits) | waiting
            hopeful = claim < self.limit[school]
            found.append(waiting[hopeful])
            claims.append(claim[hopeful])
            waiting = waiting[~hopeful]
            self.at[waiting] += 1
        return (np.concatenate(found), np.concatenate(claims)) if found else (children[:0], children[:0])

    def run(self, few: int) -> None:
        """Rounds while more than ``few`` children propose, then one child at a time."""
        children = np.arange(self.choices.n_children)
        n_schools = len(self.seats)
        while len(children):
            children, claims = self._claims(children)
            if len(children) <= few:
                self._one_by_one(children)
                return
            everyone = np.concatenate([self.held, claims])
            everyone.sort()
            school = everyone >> self.school_shift
            first = np.searchsorted(school, np.arange(n_schools + 1))
            admitted = np.arange(len(everyone)) - first[school] < self.seats[school]
            children = everyone[~admitted] & self.child_mask
            self.at[children] += 1
            self.held = everyone[admitted]
            full = np.flatnonzero((np.diff(first) >= self.seats) & (self.seats > 0))
            self.limit[full] = everyone[first[full] + self.seats[full] - 1]

    def _one_by_one(self, children: IntArray) -> None:
        """The last few chains, sequentially; a school's heap is made only when somebody proposes there."""
        if not len(children):
            return
        school_of, priority, at, end = self.choices.school, self.priority, self.at, self.end
        first = np.searchsorted(self.held >> self.school_shift, np.arange(len(self.seats) + 1)).tolist()
        heaps: dict[int, list[int]] = {}
        for proposer in children.tolist():
            child, here, stop = proposer, int(at[proposer]), int(end[proposer])
            while here < stop:
                self.proposals += 1
                school = int(school_of[here])
                room = int(self.seats[school])
                claim = (school << self.school_shift) | (int(priority[here]) << self.child_bits) | child
                heap = heaps.get(school)
                if heap is None:
                    # Ascending claims read backwards are descending, their negatives ascending: already a heap.
                    heap = heaps[school] = (-self.held[first[school] : first[school + 1]][::-1]).tolist()
                if len(heap) < room:
                    heapq.heappush(heap, -claim)
                    at[child] = here
                    break
                if room and claim < -heap[0]:
                    at[child] = here
                    child = -heapq.heappushpop(heap, -claim) & self.child_mask
                    here, stop = int(at[child]), int(end[child])
                here += 1
            else:
                at[child] = stop
        parts = [self.held[~np.isin(self.held >> self.school_shift, np.fromiter(heaps, np.int64, len(heaps)))]]
        parts += [-np.array(heap, np.int64) for heap in heaps.values()]
        self.held = np.sort(np.concatenate(parts))

    def finish(self) -> Matching:
        """The matching from the claims held."""
        n = self.choices.n_children
        choice = np.full(n, UNPLACED, np.int64)
        school = np.full(n, UNPLACED, np.int64)
        children = self.held & self.child_mask
        choice[children] = self.at[children] - self.choices.start[children]
        school[children] = self.held >> self.school_shift
        last = np.full(len(self.seats), UNPLACED, np.int64)
        stop = np.searchsorted(self.held >> self.school_shift, np.arange(len(self.seats)), side="right")
        full = (np.bincount(school[children], minlength=len(self.seats)) >= self.seats) & (self.seats > 0)
        last[full] = self.held[stop[full] - 1] & self.child_mask
        return Matching(choice, school, last, self.proposals)


def blocking_pairs(
    choices: Choices, priority: npt.ArrayLike, seats: npt.ArrayLike, school_of_child: npt.ArrayLike
) -> IntArray:
    """All (child, school) pairs in which both would rather have each other, shape (pairs, 2); empty = stable.

    Works from the published matching alone and shares nothing with the algorithm above: a child prefers a school it
    named before the one it got, and the school has a free seat or holds a child with a weaker claim (equal claims:
    larger index). ValueError if a child sits at a school it didn't name or a school holds more than its seats.
    """
    priority, seats = _checked(choices, priority, seats)
    n_children, last = choices.n_children, len(seats) - 1
    assigned = whole_numbers("the school of each child", school_of_child, length=n_children, least=UNPLACED, most=last)
    child, position = choices.child(), choices.position()
    taken = assigned[child] == choices.school
    rank = choices.lengths.copy()
    rank[child[taken]] = position[taken]
    stranger = np.flatnonzero((assigned >= 0) & (np.bincount(child[taken], minlength=len(assigned)) == 0))
    if len(stranger):
        raise ValueError(f"child {stranger[0]} sits at school {assigned[stranger[0]]}, which it didn't name")
    load = np.bincount(choices.school[taken], minlength=len(seats))
    if (load > seats).any():
        crowded = int(np.flatnonzero(load > seats)[0])
        raise ValueError(f"school {crowded} holds {load[crowded]} children on {seats[crowded]} seats")
    worst = np.full(len(seats), -1, np.int64)
    np.maximum.at(worst, choices.school[taken], priority[taken])
    # Among the weakest claims of a school that are equal, the largest child index is the one to give way.
    weakest = np.full(len(seats), -1, np.int64)
    at_limit = taken & (priority == worst[choices.school])
    np.maximum.at(weakest, choices.school[at_limit], child[at_limit])
    wanted = position < rank[child]
    school = choices.school
    weaker_held = (priority < worst[school]) | ((priority == worst[school]) & (child < weakest[school]))
    blocks = wanted & ((load[school] < seats[school]) | weaker_held)
    return np.stack([child[blocks], school[blocks]], axis=1)


def cutoffs(choices: Choices, matching: Matching, tier: npt.ArrayLike, points: npt.ArrayLike) -> list[Cutoff]:
    """Tier and points of the child admitted last, for every school without a free seat, in order of school number.

    ``tier`` and ``points`` as given to :func:`strict_priorities`; ValueError as there.
    """
    found = []
    tiers, point_values = whole_numbers("tier", tier), finite_numbers("points", points)
    for name, values in (("tier", tiers), ("points", point_values)):
        if len(values) not in (choices.n_children, len(choices.school)):
            n = len(values)
            raise ValueError(f"{name}: {n} entries for {choices.n_children} children, {len(choices.school)} choices")
    for school in np.flatnonzero(matching.last_admitted >= 0).tolist():
        child = int(matching.last_admitted[school])
        place = int(choices.start[child] + matching.choice[child])
        tier_at = tiers[child if len(tiers) == choices.n_children else place]
        points_at = point_values[child if len(point_values) == choices.n_children else place]
        found.append(Cutoff(school, int(tier_at), float(points_at), child))
    return found


def _checked(choices: Choices, priority: npt.ArrayLike, seats: npt.ArrayLike) -> tuple[IntArray, IntArray]:
    """Priorities and seats as int64, after all arrays were found to fit together."""
    seats = whole_numbers("seats", seats, least=0)
    priority = whole_numbers("priorities", priority, least=0)
    if len(priority) != len(choices.school):
        raise ValueError(f"{len(priority)} priorities for {len(choices.school)} choices")
    if choices.school.min(initial=0) < 0 or choices.school.max(initial=-1) >= len(seats):
        raise ValueError(f"a choice names a school outside 0..{len(seats) - 1}")
    return priority, seats
