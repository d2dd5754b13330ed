"""The value of one more seat: by hand, and against placing again with the seat on many random problems."""

from __future__ import annotations

import numpy as np
import pytest
from zjsim.models.placement_core import solve_placement
from zjsim.models.placement_matrix import Goal, Transport
from zjsim.models.placement_values import seat_values


def whole(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_a_seat_at_the_near_school_starts_a_chain() -> None:
    """Two children want A (1 seat); the loser is at B, where a third would gladly be, who has no place.

    One more seat at A: the loser moves in (nearer by 5) and the third is placed at B. One more at B: the third too.
    """
    problem = Transport(whole(1, 1, 1), whole(1, 1), whole(0, 1, 1, 2), whole(0, 0, 1, 1))
    goals = [Goal("placed", whole(0, 0, 0, 0), whole(1, 1, 1)), Goal("metres", whole(2, 3, 8, 4), whole(0, 0, 0))]
    values = seat_values(problem, goals, whole(1, 0, 1, 0), whole(0, 0, 1))
    assert values.tolist() == [[-1, -1], [-5 + 4, 4]]


def random_problem(seed: int) -> tuple[Transport, list[Goal]]:
    rng = np.random.Generator(np.random.Philox(key=seed))
    n_groups, n_schools = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    pairs = np.argwhere(rng.random((n_groups, n_schools)) < 0.7)
    supply, seats = rng.integers(0, 4, n_groups), rng.integers(0, 4, n_schools)
    problem = Transport(supply, seats, pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64))
    goals = [Goal("placed", np.zeros(len(pairs), np.int64), np.ones(n_groups, np.int64))]
    for k in range(2):
        cost = rng.integers(0, 3 + 6 * k, len(pairs))
        goals.append(Goal(f"goal {k}", cost, rng.integers(0, 3, n_groups)))
    return problem, goals


@pytest.mark.parametrize("seed", range(150))
def test_the_value_is_what_placing_again_gives(seed: int) -> None:
    problem, goals = random_problem(seed)
    now = solve_placement(problem, goals)
    values = seat_values(problem, goals, now.sent, now.unplaced)
    for school in range(len(problem.capacity)):
        more = problem.capacity.copy()
        more[school] += 1
        again = solve_placement(Transport(problem.supply, more, problem.group, problem.school), goals)
        assert (np.array(again.values) - np.array(now.values)).tolist() == values[:, school].tolist()
        # A price at the margin never promises less than the seat brings.
        assert tuple(now.school_price[:, school]) <= tuple(values[:, school]) <= (0,) * len(goals)


def test_a_plan_that_is_not_best_is_refused() -> None:
    problem = Transport(whole(1, 1), whole(1, 1), whole(0, 0, 1, 1), whole(0, 1, 0, 1))
    goals = [Goal("metres", whole(1, 9, 9, 1), whole(99, 99))]
    with pytest.raises(ValueError, match="not the best"):
        seat_values(problem, goals, whole(0, 1, 1, 0), whole(0, 0))
