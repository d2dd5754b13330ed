"""Where do extra seats help most if children keep the right to the best school they have a claim to?

For a county that collects choices: add at most so many seats in all, so that in the student-optimal stable matching the
sum of ranks is least (first choice 1, second 2, …; unplaced counts the length of the list + 1). A search finds good
seats in a second or two; a mixed-integer programme over cutoffs then improves on them or proves them best. The answer
always carries a proven bound. :func:`improvement_chains` tells a planner who moves where.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from zjsim.models.array_checks import finite_numbers, one_whole_number, whole_numbers
from zjsim.models.deferred_acceptance import (
    Choices,
    IntArray,
    Matching,
    choices_from_lists,
    deferred_acceptance,
)
from zjsim.models.stable_bounds import prove, relax
from zjsim.models.stable_cutoffs import cutoff_problem, known_solution
from zjsim.models.stable_market import VACANT, Market, Move
from zjsim.models.stable_search import Search

_SEARCH_CHAINS = 100_000
_BEFORE, _MORE = 4, 20
_SHARE_BEFORE = 0.4


@dataclass(frozen=True, slots=True)
class Expansion:
    """Seats added and what they bring.

    ``seats_added`` per school (seats). ``matching``: by deferred acceptance on the seats with those added.
    ``sum_of_ranks`` of it, ``sum_of_ranks_before`` without extra seats; ``bound``: no seats give less (proven);
    ``gap`` = (sum of ranks − bound) / sum of ranks; ``status``: ``optimal`` if they are equal, else ``feasible``.
    """

    seats_added: IntArray
    matching: Matching
    sum_of_ranks: int
    sum_of_ranks_before: int
    bound: int
    gap: float
    status: Literal["optimal", "feasible"]


@dataclass(frozen=True, slots=True)
class Chain:
    """What one more seat sets off: the moves in order, whether they begin or end outside, the rings that follow.

    The first move fills the new seat. ``newly_placed``: its last child had no place before. If False, the last seat
    left stays free. ``rings``: children that could trade places once the chain was through.
    """

    school: int
    moves: tuple[Move, ...]
    newly_placed: bool
    rings: tuple[tuple[Move, ...], ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """Children whose school changes from ``before`` to ``after`` in all (-1 = no place)."""

    before: int
    after: int
    children: int


@dataclass(frozen=True, slots=True)
class Improvement:
    """Effect of added seats: ``seats`` added, ``filled`` of them used, children by what changes for them.

    ``moved_up``: children with a better place than before, ``newly_placed`` among them those without any before;
    ``ranks_won``: fall of the sum of ranks. ``flows`` by school from and to, largest first; ``chains`` one per seat.
    """

    seats: int
    filled: int
    moved_up: int
    newly_placed: int
    ranks_won: int
    flows: tuple[Flow, ...]
    chains: tuple[Chain, ...]


def priorities_from_scores(choices: Choices, scores: npt.ArrayLike) -> IntArray:
    """Priority per choice from scores (children × schools, higher = stronger claim); ties: the smaller child index.

    ValueError on another shape, on scores that are missing or infinite, on schools without scores.
    """
    table = finite_numbers("scores", scores, dimensions=2)
    if len(table) != choices.n_children:
        raise ValueError(f"scores have shape {table.shape} for {choices.n_children} children")
    if choices.school.max(initial=-1) >= table.shape[1]:
        raise ValueError("a choice names a school that has no scores")
    given = -table[choices.child(), choices.school]
    return np.unique(given, return_inverse=True)[1].astype(np.int64)


def expand_seats(
    seats: Sequence[int] | IntArray,
    scores: npt.ArrayLike,
    choices: Sequence[Sequence[int]],
    extra_seats: int,
    *,
    time_limit_s: float = 60.0,
    seed: int = 0,
) -> Expansion:
    """Add at most ``extra_seats`` seats for the least sum of ranks in the student-optimal stable matching.

    ``seats``: per school; ``scores``: children × schools, higher = stronger claim, ties decided by the smaller child
    index; ``choices``: per child its schools, best first. The same seed gives the same answer unless the time limit
    stops the work. ValueError on input that doesn't fit together.
    """
    wanted = choices_from_lists(choices)
    if not wanted.n_children and not np.size(scores):
        scores = np.zeros((0, len(seats)))
    elif (table := finite_numbers("scores", scores, dimensions=2)).shape[1] != len(seats):
        raise ValueError(f"scores are for {table.shape[1]} schools, seats for {len(seats)}")
    priority = priorities_from_scores(wanted, scores)
    return expand(wanted, priority, seats, extra_seats, time_limit_s=time_limit_s, seed=seed)


def expand(
    choices: Choices,
    priority: npt.ArrayLike,
    seats: Sequence[int] | IntArray,
    extra_seats: int,
    *,
    most_added: Sequence[int] | None = None,
    time_limit_s: float = 60.0,
    seed: int = 0,
    search_chains: int = _SEARCH_CHAINS,
) -> Expansion:
    """As :func:`expand_seats`, for flat choices and priorities (smaller = stronger), e.g. by tier and points.

    ``most_added``: most seats a school can get (seats per school), unlimited by default. ``search_chains``: work of
    the search before bounds are known; if they don't prove the best, up to four times as much comes before the
    programme (at most two fifths of the time left), and if that can't either, up to twenty times as much after it.
    ValueError on arrays that don't fit together or aren't whole numbers.
    """
    deadline = time.monotonic() + time_limit_s
    given = whole_numbers("seats", seats, least=0)
    one_whole_number("extra seats", extra_seats)
    one_whole_number("the search's chains", search_chains)
    if not time_limit_s >= 0:
        raise ValueError(f"the time limit must be 0 or more seconds, not {time_limit_s}")
    most = _useful(choices, given, extra_seats, most_added)
    market = Market(choices, priority, given.tolist())
    before = market.total
    problem = cutoff_problem(market, extra_seats, most)
    search = Search(market, extra_seats, most, seed=seed, deadline=deadline)
    search.run(search_chains, problem.least)
    bound = problem.least
    if search.best.total > bound:
        relaxed = relax(problem, deadline - time.monotonic())
        bound = relaxed.bound
        search.offer(relaxed.added)
    if search.best.total > bound:
        # A few seconds more: what the search finds is the programme's start, and the programme may take all the time.
        search.deadline = time.monotonic() + _SHARE_BEFORE * (deadline - time.monotonic())
        search.run(_BEFORE * search_chains, bound)
        search.deadline = deadline
    if search.best.total > bound:
        market.restore(search.base)
        start = known_solution(problem, market, search.added)
        proof = prove(problem, start, deadline - time.monotonic(), seed)
        bound = max(bound, proof.bound)
        search.offer(proof.added)
    if search.best.total > bound:
        search.run(_MORE * search_chains, bound)
    added = np.array(search.added, np.int64)
    matching = deferred_acceptance(choices, priority, given + added)
    total = matching.sum_of_ranks(choices)
    if total != search.best.total or total < bound:
        raise RuntimeError(f"sum of ranks {total}, searched {search.best.total}, bound {bound}: an error in the search")
    gap = (total - bound) / total if total else 0.0
    return Expansion(added, matching, total, before, bound, gap, "optimal" if total == bound else "feasible")


def _useful(choices: Choices, seats: IntArray, n_extra: int, most_added: Sequence[int] | None) -> list[int]:
    """Most seats worth adding per school: never more than there are, than allowed, or than children naming it."""
    named = np.bincount(choices.school, minlength=len(seats))
    allowed = np.full(len(seats), n_extra) if most_added is None else whole_numbers("most_added", most_added, least=0)
    if len(allowed) != len(seats):
        raise ValueError(f"most_added has {len(allowed)} numbers of seats for {len(seats)} schools")
    useful: list[int] = np.minimum(np.minimum(allowed, n_extra), np.maximum(named - seats, 0)).tolist()
    return useful


def improvement_chains(
    choices: Choices, priority: npt.ArrayLike, seats: Sequence[int] | IntArray, added: Sequence[int] | IntArray
) -> Improvement:
    """Who moves where if ``added`` seats (per school) come to ``seats``, one seat after the other by school number.

    The sum of all moves doesn't depend on the order of the seats; how they fall into chains does. ValueError on arrays
    that don't fit together or aren't whole numbers.
    """
    given = whole_numbers("seats", seats, least=0)
    more = whole_numbers("added seats", added, length=len(given), least=0)
    market = Market(choices, priority, given.tolist())
    rank_before, total, load = market.rank[:], market.total, sum(market.load)
    school_before = [market.school_of(i) for i in range(choices.n_children)]
    chains = []
    for school in range(len(given)):
        for _ in range(int(more[school])):
            chain, *rings = market.add_and_tell(school)
            newly = bool(chain) and chain[-1].before == len(market.lists[chain[-1].child])
            chains.append(Chain(school, tuple(chain), newly, tuple(tuple(ring) for ring in rings)))
    flows: dict[tuple[int, int], int] = {}
    for i, before in enumerate(school_before):
        if market.rank[i] < rank_before[i]:
            key = (before, market.school_of(i))
            flows[key] = flows.get(key, 0) + 1
    ordered = sorted((Flow(a, b, n) for (a, b), n in flows.items()), key=lambda f: (-f.children, f.before, f.after))
    return Improvement(
        seats=int(more.sum()),
        filled=sum(market.load) - load,
        moved_up=sum(flows.values()),
        newly_placed=sum(n for (before, _), n in flows.items() if before == VACANT),
        ranks_won=total - market.total,
        flows=tuple(ordered),
        chains=tuple(chains),
    )
