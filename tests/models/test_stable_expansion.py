"""Seat expansion under stability: all ways to add seats, deferred acceptance from scratch, the Pyomo model."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from pyomo.core.expr import identify_variables
from pyomo.environ import ComponentMap, Constraint, Objective, value
from pyomo.repn import generate_standard_repn
from zjsim.models.deferred_acceptance import blocking_pairs, choices_from_lists, deferred_acceptance
from zjsim.models.stable_bounds import prove, relax, safe_bound
from zjsim.models.stable_cutoffs import cutoff_matrix, cutoff_model, cutoff_problem, known_solution
from zjsim.models.stable_expansion import (
    expand,
    expand_seats,
    improvement_chains,
    priorities_from_scores,
)
from zjsim.models.stable_market import Market


def random_market(seed, n_most=30, schools_most=6):
    rng = np.random.default_rng(seed)
    n, n_schools = int(rng.integers(0, n_most)), int(rng.integers(1, schools_most))
    lists = [rng.permutation(n_schools)[: rng.integers(0, n_schools + 1)].tolist() for _ in range(n)]
    scores = rng.integers(0, 5 if seed % 3 == 0 else 1000, (n, n_schools))
    return lists, scores, rng.integers(0, 5, n_schools), rng


def compositions(n_schools, extra):
    return (t for t in itertools.product(range(extra + 1), repeat=n_schools) if sum(t) <= extra)


@pytest.mark.parametrize("seed", range(150))
def test_the_market_always_equals_deferred_acceptance_from_scratch(seed):
    lists, scores, seats, rng = random_market(seed, 40, 8)
    choices = choices_from_lists(lists)
    priority = priorities_from_scores(choices, scores)
    market = Market(choices, priority, seats.tolist())
    first = market.save()
    for _ in range(30):
        school = int(rng.integers(len(seats)))
        if rng.random() < 0.5 and market.seats[school]:
            market.remove(school)
        else:
            market.add(school)
        matching = deferred_acceptance(choices, priority, market.seats)
        assert market.rank == np.where(matching.choice >= 0, matching.choice, choices.lengths).tolist()
        assert market.load == np.bincount(matching.school[matching.school >= 0], minlength=len(seats)).tolist()
        assert market.total == matching.sum_of_ranks(choices)
        assert [market.school_of(i) for i in range(len(lists))] == matching.school.tolist()
        if rng.random() < 0.1:
            market.restore(first)


@pytest.mark.parametrize("seed", range(120))
def test_expansion_equals_the_best_of_all_ways_to_add_seats(seed):
    lists, scores, seats, rng = random_market(2000 + seed, 22, 5)
    extra = int(rng.integers(0, 4))
    choices = choices_from_lists(lists)
    priority = priorities_from_scores(choices, scores)
    best = min(
        deferred_acceptance(choices, priority, seats + np.array(t)).sum_of_ranks(choices)
        for t in compositions(len(seats), extra)
    )
    # Little search, so that the programme has to prove and sometimes to improve.
    found = expand(choices, priority, seats, extra, seed=seed, search_chains=seed % 2 * 300)
    assert found.status == "optimal"
    assert found.sum_of_ranks == found.bound == best
    assert found.gap == 0.0
    assert found.seats_added.min(initial=0) >= 0
    assert found.seats_added.sum() <= extra
    again = deferred_acceptance(choices, priority, seats + found.seats_added)
    assert again.sum_of_ranks(choices) == best
    assert found.matching.school.tolist() == again.school.tolist()
    assert not len(blocking_pairs(choices, priority, seats + found.seats_added, again.school))
    assert found.sum_of_ranks_before == deferred_acceptance(choices, priority, seats).sum_of_ranks(choices)


@pytest.mark.parametrize("seed", range(25))
def test_the_emitted_matrix_is_the_pyomo_model_row_by_row(seed):
    lists, scores, seats, _ = random_market(seed)
    choices = choices_from_lists(lists)
    market = Market(choices, priorities_from_scores(choices, scores), seats.tolist())
    problem = cutoff_problem(market, 4, [seed % 4] * len(seats))
    model, matrix = cutoff_model(problem), cutoff_matrix(problem)
    variables = [*model.added.values(), *model.moves.values(), *model.open.values()]
    column = ComponentMap((v, k) for k, v in enumerate(variables))
    assert [v.ub for v in variables] == matrix.most.tolist()
    assert all(v.lb == 0 and v.is_integer() for v in variables)
    rows = [row for rule in model.component_objects(Constraint) for row in rule.values()]
    assert len(rows) == len(matrix.lower)
    for r, row in enumerate(rows):
        form = generate_standard_repn(row.body)
        mine = slice(int(matrix.start[r]), int(matrix.start[r + 1]))
        theirs = {column[v]: c for v, c in zip(form.linear_vars, form.linear_coefs, strict=True)}
        assert theirs == dict(zip(matrix.column[mine].tolist(), matrix.value[mine].tolist(), strict=True))
        lower = -np.inf if row.lower is None else value(row.lower) - form.constant
        upper = np.inf if row.upper is None else value(row.upper) - form.constant
        assert (lower, upper) == (matrix.lower[r], matrix.upper[r])
    [goal] = model.component_data_objects(Objective)
    form = generate_standard_repn(goal.expr)
    cost = np.zeros(len(variables))
    for v, c in zip(form.linear_vars, form.linear_coefs, strict=True):
        cost[column[v]] = c
    assert cost.tolist() == matrix.cost.tolist()
    assert form.constant == matrix.offset
    assert all(column[v] < len(variables) for v in identify_variables(goal.expr))


@pytest.mark.parametrize("seed", range(40))
def test_every_stable_matching_with_added_seats_is_a_solution_of_the_programme(seed):
    lists, scores, seats, rng = random_market(seed)
    choices = choices_from_lists(lists)
    market = Market(choices, priorities_from_scores(choices, scores), seats.tolist())
    problem = cutoff_problem(market, 5, [5] * len(seats))
    matrix = cutoff_matrix(problem)
    added = np.bincount(rng.integers(0, len(seats), 5), minlength=len(seats))
    x = known_solution(problem, market, added.tolist())
    rows = np.repeat(np.arange(len(matrix.lower)), np.diff(matrix.start))
    activity = np.bincount(rows, weights=matrix.value * x[matrix.column], minlength=len(matrix.lower))
    assert (activity >= matrix.lower).all()
    assert (activity <= matrix.upper).all()
    for school, number in enumerate(added.tolist()):
        for _ in range(number):
            market.add(school)
    assert matrix.offset + matrix.cost @ x == market.total


@pytest.mark.parametrize("seed", range(40))
def test_bounds_never_exceed_the_best_of_all_ways(seed):
    lists, scores, seats, rng = random_market(500 + seed, 25, 5)
    choices = choices_from_lists(lists)
    priority = priorities_from_scores(choices, scores)
    market = Market(choices, priority, seats.tolist())
    totals = {
        t: deferred_acceptance(choices, priority, seats + np.array(t)).sum_of_ranks(choices)
        for t in compositions(len(seats), 3)
    }
    best = min(totals.values())
    problem = cutoff_problem(market, 3, [3] * len(seats))
    matrix = cutoff_matrix(problem)
    for proof in (relax(problem, 10.0), prove(problem, known_solution(problem, market, [0] * len(seats)), 10.0, 0)):
        assert proof.bound <= best
        assert not proof.added or totals[proof.added] >= best
    for _ in range(5):
        assert safe_bound(matrix, rng.normal(0, 1, len(matrix.lower))) <= best + 1e-6


def hard_market(n=240, n_schools=12, seed=4):
    """Schools' queues by lot, children's wishes by lot and popularity: one seat at a time isn't optimal here."""
    rng = np.random.default_rng(seed)
    wish = rng.gumbel(size=(n, n_schools)) + rng.normal(0, 0.7, n_schools)
    lists = np.argsort(-wish, axis=1)[:, :3].tolist()
    scores = np.stack([rng.permutation(n) for _ in range(n_schools)], axis=1)
    return lists, scores, rng.multinomial(n - 60, np.full(n_schools, 1 / n_schools))


def test_more_than_one_by_one_is_found_and_proven():
    lists, scores, seats = hard_market()
    choices = choices_from_lists(lists)
    market = Market(choices, priorities_from_scores(choices, scores), seats.tolist())
    for _ in range(20):
        totals = []
        state = market.save()
        for school in range(len(seats)):
            market.add(school)
            totals.append(market.total)
            market.restore(state)
        market.add(int(np.argmin(totals)))
    found = expand_seats(seats, scores, lists, 20, seed=1)
    assert found.status == "optimal"
    assert found.sum_of_ranks < market.total


def test_the_same_seed_gives_the_same_answer():
    lists, scores, seats = hard_market()
    one, two = (expand_seats(seats, scores, lists, 5, seed=3) for _ in range(2))
    assert one.seats_added.tolist() == two.seats_added.tolist()


def test_without_time_there_is_still_an_answer_with_a_bound():
    lists, scores, seats = hard_market()
    found = expand_seats(seats, scores, lists, 20, time_limit_s=0.0)
    assert found.status == "feasible"
    assert found.bound < found.sum_of_ranks < found.sum_of_ranks_before
    assert 0 < found.gap < 1


def test_a_cap_per_school_is_kept_and_can_cost():
    lists, scores, seats = hard_market(120, 6)
    choices = choices_from_lists(lists)
    priority = priorities_from_scores(choices, scores)
    free = expand(choices, priority, seats, 8)
    capped = expand(choices, priority, seats, 8, most_added=[1, 1, 1, 1, 1, 1])
    assert capped.status == "optimal"
    assert capped.seats_added.max() <= 1
    assert capped.sum_of_ranks >= free.sum_of_ranks
    none = expand(choices, priority, seats, 8, most_added=[0] * 6)
    assert none.sum_of_ranks == none.bound == none.sum_of_ranks_before


def test_a_chain_by_hand():
    # School 0 has one seat, school 1 two, school 2 one. Children 0-3; child 3 has no place.
    lists = [[0], [0, 1], [1, 2], [2]]
    scores = np.array([[9, 0, 0], [5, 9, 0], [0, 5, 9], [0, 0, 5]])
    choices = choices_from_lists(lists)
    priority = priorities_from_scores(choices, scores)
    seats = [1, 1, 1]
    assert deferred_acceptance(choices, priority, seats).school.tolist() == [0, 1, 2, -1]
    told = improvement_chains(choices, priority, seats, [1, 0, 0])
    assert (told.seats, told.filled, told.moved_up, told.newly_placed, told.ranks_won) == (1, 1, 3, 1, 3)
    [chain] = told.chains
    assert [move.child for move in chain.moves] == [1, 2, 3]
    assert chain.newly_placed
    assert chain.rings == ()
    assert {(flow.before, flow.after): flow.children for flow in told.flows} == {(1, 0): 1, (2, 1): 1, (-1, 2): 1}
    best = expand_seats(seats, scores, lists, 1)
    assert best.seats_added.tolist() == [1, 0, 0]
    assert best.sum_of_ranks == 4


def test_a_ring_by_hand():
    # Children 0 and 1 would trade schools 0 and 1, but child 2 has a claim on school 0 between them; a seat at its
    # first choice, school 2, takes it out of the way.
    lists = [[1, 0], [0, 1], [2, 0]]
    scores = np.array([[9, 5, 0], [5, 9, 0], [7, 0, 5]])
    choices = choices_from_lists(lists)
    priority = priorities_from_scores(choices, scores)
    before = deferred_acceptance(choices, priority, [1, 1, 0])
    assert before.school.tolist() == [0, 1, -1]
    told = improvement_chains(choices, priority, [1, 1, 0], [0, 0, 1])
    [chain] = told.chains
    assert [move.child for move in chain.moves] == [2]
    assert [sorted(move.child for move in ring) for ring in chain.rings] == [[0, 1]]
    assert (told.moved_up, told.newly_placed, told.ranks_won) == (3, 1, 4)


@pytest.mark.parametrize("seed", range(40))
def test_the_moves_told_add_up_to_the_difference_of_the_two_matchings(seed):
    lists, scores, seats, rng = random_market(seed)
    choices = choices_from_lists(lists)
    priority = priorities_from_scores(choices, scores)
    added = rng.integers(0, 4, len(seats))
    before = deferred_acceptance(choices, priority, seats)
    after = deferred_acceptance(choices, priority, seats + added)
    told = improvement_chains(choices, priority, seats, added)
    assert told.moved_up == (before.school != after.school).sum()
    assert told.newly_placed == ((before.school < 0) & (after.school >= 0)).sum() == told.filled
    assert told.ranks_won == before.sum_of_ranks(choices) - after.sum_of_ranks(choices)
    assert len(told.chains) == added.sum() == told.seats
    assert sum(chain.newly_placed for chain in told.chains) == told.newly_placed


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="shape"):
        expand_seats([1], np.zeros((2, 1)), [[0]], 1)
    with pytest.raises(ValueError, match="scores are for"):
        expand_seats([1, 1], np.zeros((1, 1)), [[1]], 1)
    with pytest.raises(ValueError, match="not be negative"):
        expand_seats([1], np.zeros((1, 1)), [[0]], -1)
    choices = choices_from_lists([[0]])
    with pytest.raises(ValueError, match="most_added"):
        expand(choices, [0], [1], 1, most_added=[1, 1])
    with pytest.raises(ValueError, match="added seats must not be negative"):
        improvement_chains(choices, [0], [1], [-1])
    with pytest.raises(ValueError, match="no seat to remove"):
        Market(choices, [0], [0]).remove(0)


@pytest.mark.parametrize(
    ("seats", "scores", "lists", "told"),
    [
        ([1], [[1, 2], [2, 1]], [[1], [0]], "scores are for 2 schools, seats for 1"),
        ([1, 1, 1], [[1, 2], [2, 1]], [[1], [0]], "scores are for 2 schools, seats for 3"),
        ([1, 0], [[1, 2], [2, 1]], [1, 0], "child 0 must have a list of schools, not 1"),
        ([1, 0], [[1, 2], [2, 1]], ["a", "b"], "child 0 must have a list of schools, not 'a'"),
        ([1, 0], [[1, 2], [2]], [[1], [0]], "scores must be an array: its rows differ in length"),
        ([1, 0], [[1, 2]], [[1], [0]], "scores have shape"),
        ([0.5, 1], [[1, 2], [2, 1]], [[1], [0]], "seats must be whole numbers"),
    ],
)
def test_input_that_does_not_fit_is_told_in_a_sentence(seats: Any, scores: Any, lists: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        expand_seats(seats, scores, lists, 1)


@pytest.mark.parametrize(
    ("seats", "scores", "lists"),
    [([1, 1], [], []), ([], [], []), ([], [[], []], [[], []]), ([1], [[1], [2]], [[], []])],
)
def test_nobody_nowhere_and_no_wishes_are_answers(seats: Any, scores: Any, lists: Any) -> None:
    found = expand_seats(seats, scores, lists, 1)
    assert found.seats_added.tolist() == [0] * len(seats)
    assert found.matching.school.tolist() == [-1] * len(lists)
    assert (found.sum_of_ranks, found.bound, found.status) == (len(lists), len(lists), "optimal")
