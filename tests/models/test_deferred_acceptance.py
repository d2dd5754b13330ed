"""Deferred acceptance against a heap version, all matchings of tiny problems, and its own definition."""

from __future__ import annotations

import heapq
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zjsim.models.deferred_acceptance import (
    Choices,
    blocking_pairs,
    choices_from_lists,
    cutoffs,
    deferred_acceptance,
    lottery_numbers,
    strict_priorities,
)


def heap_version(lists, priority, seats):
    """The textbook algorithm with one heap per school: the reference. Returns the school of each child, -1 unplaced."""
    held = [[] for _ in seats]
    at = [0] * len(lists)
    for proposer in range(len(lists)):
        child = proposer
        while at[child] < len(lists[child]):
            school = lists[child][at[child]]
            claim = (-priority[child][at[child]], -child)
            if len(held[school]) < seats[school]:
                heapq.heappush(held[school], claim)
                break
            if seats[school]:
                child = -heapq.heappushpop(held[school], claim)[1]
            at[child] += 1
    return [wanted[k] if k < len(wanted) else -1 for wanted, k in zip(lists, at, strict=True)]


def random_problem(rng, n, n_schools, longest, distinct):
    lists = [rng.permutation(n_schools)[: rng.integers(0, min(longest, n_schools) + 1)].tolist() for _ in range(n)]
    choices = choices_from_lists(lists)
    priority = rng.integers(0, distinct, len(choices.school))
    return lists, choices, priority, rng.integers(0, 4, n_schools)


def split(choices, values):
    return [values[a:b].tolist() for a, b in itertools.pairwise(choices.start)]


@pytest.mark.parametrize("seed", range(300))
def test_equals_the_heap_version_on_random_problems_with_ties_and_empty_lists(seed):
    rng = np.random.default_rng(seed)
    n, n_schools = int(rng.integers(0, 40)), int(rng.integers(1, 9))
    lists, choices, priority, seats = random_problem(rng, n, n_schools, 6, int(rng.integers(1, 50)))
    matching = deferred_acceptance(choices, priority, seats)
    assert matching.school.tolist() == heap_version(lists, split(choices, priority), seats)
    assert len(blocking_pairs(choices, priority, seats, matching.school)) == 0


def test_equals_the_heap_version_when_rounds_and_heaps_are_both_used():
    rng = np.random.default_rng(5)
    n, n_schools = 5000, 60
    popular = rng.gumbel(size=(n, n_schools)) + rng.normal(0, 1, n_schools)
    choices = choices_from_lists(np.argsort(-popular, axis=1)[:, :10].tolist())
    tier = rng.integers(1, 7, n)
    priority = strict_priorities(choices, tier, rng.integers(0, 100, n), seed=3)
    seats = rng.integers(0, 160, n_schools)
    matching = deferred_acceptance(choices, priority, seats)
    expected = heap_version(split(choices, choices.school), split(choices, priority), seats.tolist())
    assert matching.school.tolist() == expected
    assert (matching.school >= 0).any()
    assert (matching.school < 0).any()


@pytest.mark.parametrize("seed", range(60))
def test_no_stable_matching_is_better_for_any_child(seed):
    rng = np.random.default_rng(1000 + seed)
    lists, choices, _, seats = random_problem(rng, int(rng.integers(1, 6)), int(rng.integers(1, 4)), 3, 2)
    priority = rng.permutation(max(1, len(choices.school)))[: len(choices.school)]
    matching = deferred_acceptance(choices, priority, seats)
    stable = []
    for option in itertools.product(*[[*range(len(wanted)), len(wanted)] for wanted in lists]):
        schools = [wanted[k] if k < len(wanted) else -1 for wanted, k in zip(lists, option, strict=True)]
        load = np.bincount([s for s in schools if s >= 0], minlength=len(seats))
        if (load <= seats).all() and not len(blocking_pairs(choices, priority, seats, schools)):
            stable.append(option)
    ours = np.where(matching.choice >= 0, matching.choice, choices.lengths)
    assert tuple(ours.tolist()) in stable
    assert (ours <= np.array(stable)).all()


def test_tier_comes_before_points_and_points_before_the_lottery():
    choices = choices_from_lists([[0], [0], [0], [0]])
    tier, points = np.array([2, 1, 1, 2]), np.array([90, 10, 60, 95])
    for seed in range(5):
        priority = strict_priorities(choices, tier, points, seed)
        assert np.argsort(priority).tolist() == [2, 1, 3, 0]
    matching = deferred_acceptance(choices, priority, [2])
    assert matching.school.tolist() == [-1, 0, 0, -1]
    [cutoff] = cutoffs(choices, matching, tier, points)
    assert (cutoff.school, cutoff.tier, cutoff.points, cutoff.child) == (0, 1, 10.0, 1)


def test_the_seed_decides_true_ties_only_and_the_same_way_at_every_school():
    choices = choices_from_lists([[0, 1], [0, 1], [1, 0]])
    orders = set()
    for seed in range(40):
        priority = strict_priorities(choices, [1, 1, 1], [5, 5, 5], seed)
        at_0 = np.argsort([priority[0], priority[2], priority[5]]).tolist()
        at_1 = np.argsort([priority[1], priority[3], priority[4]]).tolist()
        assert at_0 == at_1
        orders.add(tuple(at_0))
    assert len(orders) == 6


def test_more_children_leave_the_lottery_numbers_of_the_first_ones_unchanged():
    assert lottery_numbers(50, 9)[:20].tolist() == lottery_numbers(20, 9).tolist()


def test_a_claim_can_differ_by_school():
    choices = choices_from_lists([[0, 1], [0, 1]])
    priority = strict_priorities(choices, tier=[1, 2, 2, 1], points=[3, 3], seed=0)
    assert deferred_acceptance(choices, priority, [1, 1]).school.tolist() == [0, 1]
    priority = strict_priorities(choices, tier=[2, 2, 1, 1], points=[3, 3], seed=0)
    assert deferred_acceptance(choices, priority, [1, 1]).school.tolist() == [1, 0]


def test_no_children_no_seats_and_an_unnamed_school():
    none = choices_from_lists([])
    assert deferred_acceptance(none, [], [3, 0]).school.tolist() == []
    some = choices_from_lists([[0, 1], [], [1]])
    matching = deferred_acceptance(some, [0, 0, 1], [0, 0, 5])
    assert matching.school.tolist() == [-1, -1, -1]
    assert matching.last_admitted.tolist() == [-1, -1, -1]
    assert matching.sum_of_ranks(some) == 3 + 1 + 2


def test_what_does_not_fit_is_refused():
    choices = choices_from_lists([[0], [1]])
    with pytest.raises(ValueError, match="names a school twice"):
        choices_from_lists([[0, 0]])
    with pytest.raises(ValueError, match="3 priorities for 2 choices"):
        deferred_acceptance(choices, [0, 1, 2], [1, 1])
    with pytest.raises(ValueError, match="not be negative"):
        deferred_acceptance(choices, [0, 1], [1, -1])
    with pytest.raises(ValueError, match="outside"):
        deferred_acceptance(choices, [0, 1], [1])
    with pytest.raises(ValueError, match="tier: 3 entries"):
        strict_priorities(Choices(np.array([0, 2]), np.array([0, 1])), [1, 1, 1], [0], 0)
    with pytest.raises(ValueError, match="didn't name"):
        blocking_pairs(choices, [0, 1], [1, 1], [1, 1])
    with pytest.raises(ValueError, match="holds 1 children on 0 seats"):
        blocking_pairs(choices, [0, 1], [0, 1], [0, 1])


def test_a_planted_injustice_is_found():
    choices = choices_from_lists([[0, 1], [0, 1]])
    priority = strict_priorities(choices, [1, 2], [0, 0], 0)
    assert blocking_pairs(choices, priority, [1, 1], [1, 0]).tolist() == [[0, 0]]
    assert blocking_pairs(choices, priority, [2, 1], [0, 1]).tolist() == [[1, 0]]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_one_more_seat_hurts_no_child(seed):
    rng = np.random.default_rng(seed)
    _, choices, priority, seats = random_problem(rng, 25, 6, 5, 9)
    before = deferred_acceptance(choices, priority, seats)
    seats[rng.integers(6)] += 1
    after = deferred_acceptance(choices, priority, seats)
    rank = [np.where(m.choice >= 0, m.choice, choices.lengths) for m in (before, after)]
    assert (rank[1] <= rank[0]).all()
