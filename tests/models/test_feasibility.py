from __future__ import annotations

from math import nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zjsim.models.feasibility import (
    Target,
    correlations,
    critical_margin,
    deciding_figure,
    effect,
    margin_at,
    margins,
    probability,
    ranked,
    share_met,
    share_met_at,
    verdict,
)

from zjsim.simulate.inputs import UncertainInput

YEARS = (2025, 2026, 2027)


def target(**changes: Any) -> Target:
    fields: dict[str, Any] = {
        "target_id": "t", "reading": "r", "comparator": ">=", "bound": 30.0, "period": "cumulative", "first_year": 2025,
        "last_year": 2027, "baseline": nan, "outcome": "o",
    }  # fmt: skip
    return Target(**{**fields, **changes})


VALUES = np.array([[10.0, 9.0, 12.0], [10.0, 10.0, 10.0], [5.0, 11.0, 13.0]])


@pytest.mark.parametrize(
    ("changes", "figure", "met"),
    [
        ({}, [31, 30, 29], [True, True, False]),
        ({"period": "per_year", "bound": 10.0}, [9, 10, 5], [False, True, False]),
        ({"period": "stock", "bound": 12.0}, [12, 10, 13], [True, False, True]),
        ({"period": "coverage", "bound": 10.0, "last_year": 2025}, [10, 10, 5], [True, True, False]),
        ({"period": "cumulative_with_stock", "bound": 10.0}, [12, 10, 13], [True, True, True]),
        ({"comparator": "not_falling", "bound": nan}, [-1, 0, 2], [False, True, True]),
        ({"comparator": "not_falling", "bound": nan, "baseline": 8.0}, [-1, 0, -3], [False, True, False]),
    ],
)
def test_every_kind_of_target_by_hand(changes: dict[str, Any], figure: list[float], met: list[bool]) -> None:
    wanted = target(**changes)
    assert deciding_figure(wanted, VALUES, YEARS).tolist() == figure
    assert (margins(wanted, VALUES, YEARS) >= 0).tolist() == met


def test_rounding_does_not_miss_a_full_share() -> None:
    shares = np.array([[1 - 1e-12, 1.0, 1.0]])
    assert share_met(margins(target(period="per_year", bound=1.0), shares, YEARS)) == 1.0


def test_a_year_that_is_not_simulated_is_an_error() -> None:
    with pytest.raises(ValueError, match="2028"):
        deciding_figure(target(last_year=2028), VALUES, YEARS)


@pytest.mark.parametrize(
    ("p_low", "p_high", "p_worst", "p_best", "said"),
    [
        (0.95, 1.0, 0.92, 1.0, "met"),
        (0.90, 1.0, 0.90, 1.0, "met"),
        (0.0, 0.89, 0.0, 0.85, "not met"),
        (0.85, 0.95, 0.91, 0.95, "undecided"),
        (0.85, 0.95, 0.80, 0.89, "undecided"),
        (0.95, 1.0, 0.0, 1.0, "depends on"),
        (0.0, 0.1, 0.0, 0.9, "depends on"),
        (0.85, 0.95, 0.89, 0.95, "depends on"),
    ],
)
def test_verdicts(p_low: float, p_high: float, p_worst: float, p_best: float, said: str) -> None:
    assert verdict(p_low, p_high, p_worst, p_best, 0.9) == said


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=60), st.floats(0.05, 0.95))
def test_the_critical_margin_is_not_negative_exactly_if_enough_futures_meet(values: list[float], p: float) -> None:
    margin = np.array(values)
    assert (critical_margin(margin, p) >= 0) == (np.sum(margin < 0) <= np.floor((1 - p) * len(values) + 1e-9))


def test_probability_lies_in_its_interval() -> None:
    p, low, high = probability(np.array([1.0, 0.0, -1.0, 2.0]))
    assert p == 0.75
    assert 0 < low < 0.75 < high < 1


def source(name: str = "x") -> UncertainInput:
    return UncertainInput(name, 0.0, 0.4, 1.0, "triangular", "u", "assumption", "某", "x")


@pytest.mark.parametrize(
    ("margins_", "break_even", "distance"),
    [
        ((-1.0, -3.0, 2.0), 0.6, 0.2),  # rises by 3 over the 0.6 above the mode: zero a third of the way
        ((1.0, -1.0, 5.0), 0.2, 0.2),
        ((-1.0, 1.0, 9.0), 0.46, 0.06),  # either end flips it: the nearer one is named
    ],
)
def test_break_even_on_a_straight_line(
    margins_: tuple[float, float, float], break_even: float, distance: float
) -> None:
    found = effect(source(), *margins_)
    assert (found.break_even, found.distance) == (pytest.approx(break_even), pytest.approx(distance))


def test_inputs_that_flip_the_target_come_first_nearest_first() -> None:
    flat = effect(source("flat"), -1.0, -1.1, -0.9)
    strong = effect(source("strong"), -1.0, -9.0, -0.1)
    near, far = effect(source("near"), -1.0, -2.0, 9.0), effect(source("far"), -1.0, -2.0, 0.5)
    assert [e.input_id for e in ranked([flat, far, strong, near])] == ["near", "far", "strong", "flat"]
    assert np.isnan(flat.break_even)


def test_rank_correlations_name_the_strongest_input() -> None:
    points = [{"a": float(i), "b": float((i * 7) % 5)} for i in range(10)]
    assert correlations(points, -(np.arange(10.0) ** 3))[0] == ("a", pytest.approx(-1))
    assert correlations([], np.array([])) == []


def test_a_share_at_its_ceiling_says_nothing_on_the_distance() -> None:
    found = effect(source(), 0.0, -1.0, 0.0)
    assert (found.break_even, found.distance) == (pytest.approx(0.2), pytest.approx(0.2))


def test_few_replications_move_the_base_margin_and_many_have_their_own() -> None:
    base = np.arange(-5.0, 35.0)
    assert critical_margin(base, 0.9) == -1
    assert margin_at(base[:2] + 3, base, 0.9) == 2
    assert margin_at(base[:20] + 3, base, 0.9) == critical_margin(base[:20] + 3, 0.9) == 0


def test_few_replications_move_the_base_and_many_speak_for_themselves() -> None:
    base = np.linspace(-1.0, 3.0, 100)
    moved = base - 2.0
    assert share_met_at(moved[:2], base) == pytest.approx(share_met(moved))
    assert share_met_at(moved[:30], base) == share_met(moved[:30])


def test_a_share_at_its_ceiling_is_counted_as_it_is() -> None:
    base = np.array([0.0, -0.1, 0.0, -0.1])
    assert share_met_at(np.array([0.0, 0.0]), base) == 1.0
    assert share_met_at(np.array([-0.2, -0.3]), base) == 0.0
