"""Public functions of placement look at their arrays at the door: what doesn't fit is told, never cast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from zjsim.models.array_checks import finite_numbers, offsets, one_whole_number, whole_numbers
from zjsim.models.deferred_acceptance import (
    Choices,
    blocking_pairs,
    choices_from_lists,
    cutoffs,
    deferred_acceptance,
    lottery_numbers,
    strict_priorities,
)
from zjsim.models.placement_core import group_children, seats_to_children, solve_placement
from zjsim.models.placement_coupled import CoupledRules, solve_coupled
from zjsim.models.placement_matrix import Goal, Transport
from zjsim.models.placement_values import seat_values
from zjsim.models.stable_expansion import expand_seats, improvement_chains

ONE = np.array([1])
FEW = choices_from_lists([[0, 1], [1]])
FAIR = np.array([0, 0, 1])
SEATS = np.array([1, 1])
MATCHING = deferred_acceptance(FEW, FAIR, SEATS)
PAIR = Transport(np.array([1, 1]), SEATS, np.array([0, 1]), np.array([0, 1]))
NEAR = [Goal("way", np.array([1, 1]), np.array([9, 9]))]


def transport(**other: Any) -> Transport:
    return Transport(**{"supply": ONE, "capacity": ONE, "group": np.array([0]), "school": np.array([0])} | other)


BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: whole_numbers("seats", [1.0]), "seats must be whole numbers .* not float64"),
    (lambda: whole_numbers("seats", [True]), "not bool"),
    (lambda: whole_numbers("seats", np.array([1], np.uint64)), "not uint64"),
    (lambda: whole_numbers("seats", ["1"]), "not <U1"),
    (lambda: whole_numbers("seats", [[1]]), "1 dimension"),
    (lambda: whole_numbers("seats", [1], length=2), "2 entries, not 1"),
    (lambda: whole_numbers("seats", [-1], least=0), "not be negative: there is -1"),
    (lambda: whole_numbers("tier", [0], least=1), "1 or more"),
    (lambda: whole_numbers("tier", [9], most=8), "8 or less"),
    (lambda: finite_numbers("points", [np.nan]), "finite: there is nan"),
    (lambda: finite_numbers("points", ["x"]), "must be numbers"),
    (lambda: finite_numbers("points", 1.0), "1 dimension"),
    (lambda: offsets("begins", [0, 2, 1, 3], 3), "never fall"),
    (lambda: one_whole_number("seed", 1.5), "whole number, not 1.5"),
    (lambda: one_whole_number("seed", True), "whole number, not True"),
    (lambda: one_whole_number("seed", -1), "not be negative"),
    (lambda: Choices(np.array([0.0, 1.0]), np.array([0])), "begins of the choices must be whole"),
    (lambda: Choices(np.array([0, 2]), np.array([0])), "1 or less"),
    (lambda: Choices(np.array([1, 1]), np.array([0])), "begin with 0"),
    (lambda: Choices(np.array([], np.int64), np.array([], np.int64)), "begin with 0"),
    (lambda: Choices(np.array([0, 1]), np.array([0.5])), "schools of the choices must be whole"),
    (lambda: choices_from_lists([[0.5]]), "a school that child 0 names"),  # type: ignore[list-item]
    (lambda: lottery_numbers(-1, 0), "number of children"),
    (lambda: strict_priorities(FEW, [1.5, 1.5], [0, 0], 0), "tier must be whole"),
    (lambda: strict_priorities(FEW, [1, 1], [0.0, np.nan], 0), "points must be finite"),
    (lambda: deferred_acceptance(FEW, FAIR + 0.5, SEATS), "priorities must be whole"),
    (lambda: deferred_acceptance(FEW, FAIR, [1.7, 1.0]), "seats must be whole"),
    (lambda: deferred_acceptance(FEW, FAIR, [True, True]), "seats must be whole"),
    (lambda: deferred_acceptance(FEW, FAIR, np.ones((2, 1), int)), "seats must have 1 dimension"),
    (lambda: blocking_pairs(FEW, FAIR, SEATS, [0]), "school of each child must have 2 entries"),
    (lambda: blocking_pairs(FEW, FAIR, SEATS, [0, 2]), "1 or less"),
    (lambda: blocking_pairs(FEW, FAIR, SEATS, [0.0, 1.0]), "school of each child must be whole"),
    (lambda: cutoffs(FEW, MATCHING, [1, 1, 1, 1], [0, 0]), "tier: 4 entries"),
    (lambda: expand_seats([1.5, 1], [[1, 2], [2, 1]], [[0], [1]], 1), "seats must be whole"),
    (lambda: expand_seats([1, 1], [[1, np.nan], [2, 1]], [[0], [1]], 1), "scores must be finite"),
    (lambda: expand_seats([1, 1], [[1, 2], [2, 1]], [[0], [1]], 1.5), "extra seats"),  # type: ignore[arg-type]
    (lambda: expand_seats([1, 1], [[1, 2], [2, 1]], [[0], [1]], 1, time_limit_s=float("nan")), "time limit"),
    (lambda: improvement_chains(FEW, FAIR, SEATS, [0.5, 0]), "added seats must be whole"),
    (lambda: solve_placement(transport(supply=np.array([1.5])), NEAR), "supply must be whole"),
    (lambda: solve_placement(transport(capacity=np.array([True])), NEAR), "capacity must be whole"),
    (lambda: solve_placement(transport(group=np.array([[0]])), NEAR), "group must have 1 dimension"),
    (lambda: solve_coupled(transport(school=np.array([0.0])), NEAR, CoupledRules(ONE)), "school must be whole"),
    (lambda: solve_coupled(PAIR, NEAR, CoupledRules(np.array([0.5, 1]))), "site of each section must be whole"),
    (lambda: solve_coupled(PAIR, NEAR, CoupledRules(SEATS, families=((0, 7),))), "family"),
    (lambda: group_children(np.array([0.5])), "keys must be whole"),
    (lambda: seats_to_children(PAIR, SEATS, np.array([0, 2]), [0, 1]), "group of each child must be 1 or less"),
    (lambda: seats_to_children(PAIR, SEATS + 0.5, np.array([0, 1]), [0, 1]), "children sent must be whole"),
    (lambda: seat_values(PAIR, NEAR, ONE, SEATS - 1), "children sent must have 2 entries"),
]


@pytest.mark.parametrize("k", range(len(BAD)))
def test_what_does_not_fit_is_told(k: int) -> None:
    call, told = BAD[k]
    with pytest.raises(ValueError, match=told):
        call()


def test_narrow_whole_numbers_and_empty_lists_are_taken() -> None:
    assert whole_numbers("seats", np.array([3], np.int8)).dtype == np.int64
    assert whole_numbers("seats", []).dtype == np.int64
    small = Choices(FEW.start.astype(np.int32), FEW.school.astype(np.int16))
    found = deferred_acceptance(small, FAIR.astype(np.int8), SEATS.astype(np.int8))
    assert found.school.tolist() == MATCHING.school.tolist()
    assert not len(deferred_acceptance(choices_from_lists([]), [], []).school)
