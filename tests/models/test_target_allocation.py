"""Dividing a target over places: every rule on a toy solved by hand, and against every division there is."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zjsim.models.target_allocation import (
    CHANCE,
    EFFORT,
    RULES,
    Places,
    burdens,
    by_capacity,
    by_mixture,
    by_need,
    can_be_placed,
    counties_of_cities,
    divide,
    equal_chance,
    equal_effort,
    merged,
    mixed_weights,
    rounded,
)

MIX = (0.4, 0.4, 0.2)


def places(upper: list[int], *, lower: list[int] | None = None, need: list[float] | None = None,
           present: list[float] | None = None) -> Places:  # fmt: skip
    n = len(upper)
    return Places(
        tuple(f"33{k:02d}00" for k in range(1, n + 1)),
        np.array(lower or [0] * n, dtype=np.int64),
        np.array(upper, dtype=np.int64),
        np.array(need or [1.0] * n),
        np.array(present or [0.0] * n),
    )


def test_by_capacity() -> None:
    # 10 over capacities 10, 6, 4 (half of all): 5, 3, 2
    assert by_capacity(places([10, 6, 4]), 10).tolist() == [5, 3, 2]
    # 11: 5.5, 3.3, 2.2 - the unit left goes to the largest remainder
    assert by_capacity(places([10, 6, 4]), 11).tolist() == [6, 3, 2]


def test_by_need_and_what_a_full_place_cannot_take() -> None:
    # need 6 : 3 : 1, total 10, the first can do 4: the other 6 are divided 3 : 1, 4.5 and 1.5, the first of equals up
    assert by_need(places([4, 9, 9], need=[6, 3, 1]), 10).tolist() == [4, 5, 1]
    assert by_need(places([9, 9, 9], need=[6, 3, 1]), 10).tolist() == [6, 3, 1]
    assert by_need(places([3, 3, 9], need=[1, 1, 0]), 9).tolist() == [3, 3, 3], "without need, last of all"


def test_what_was_done_is_the_least() -> None:
    # 6 have been done in the first, a fair half would be 5: the rest is divided evenly
    assert by_capacity(places([10, 10], lower=[6, 0]), 10).tolist() == [6, 4]


def test_by_mixture() -> None:
    # need (3, 1)/4, capacity (1, 3)/4, equal (1, 1)/2: weights .4(.75) + .4(.25) + .1 = .5 each
    assert mixed_weights(places([4, 12], need=[3, 1]), MIX).tolist() == pytest.approx([0.5, 0.5])
    assert by_mixture(places([4, 12], need=[3, 1]), 8, MIX).tolist() == [4, 4]
    assert by_mixture(places([4, 12], need=[3, 1]), 8, (1.0, 0.0, 0.0)).tolist() == [4, 4], "6 does not fit, 4 does"
    with pytest.raises(ValueError, match="add up"):
        by_mixture(places([4, 12]), 8, (0.5, 0.5, 0.5))


def test_equal_effort() -> None:
    # 4 and 2 come anyway, headroom 8 and 4; of 12, 6 more are wanted: half of the headroom of each
    assert equal_effort(places([12, 6], present=[4, 2]), 12).tolist() == [8, 4]
    # less than what comes anyway: 3 of 6, half of each
    assert equal_effort(places([12, 6], present=[4, 2]), 3).tolist() == [2, 1]
    # the place that can do no more goes on as it is
    assert equal_effort(places([5, 9], present=[5, 1]), 10).tolist() == [5, 5]


def test_equal_chance() -> None:
    figures = np.array([[10.0, 30.0], [12.0, 34.0], [14.0, 38.0]])
    # quantiles at one half: 12 and 34
    assert equal_chance(places([50, 50]), 46, figures).tolist() == [12, 34]
    assert equal_chance(places([50, 50]), 20, figures).tolist() == [5, 15], "certain for both: as the worst futures"
    assert equal_chance(places([20, 50]), 60, figures).sum() == 60, "beyond the best future, by room"


def test_largest_remainder_within_limits() -> None:
    lower, upper = np.array([0, 0, 0]), np.array([1, 9, 9])
    assert rounded(np.array([0.9, 2.6, 1.5]), 5, lower, upper).tolist() == [1, 3, 1]
    assert rounded(np.array([1.0, 2.0, 2.0]), 5, lower, upper).tolist() == [1, 2, 2]


def test_a_target_beyond_all_capacity_and_the_least_repair() -> None:
    # 20 wanted, 15 possible: 5 missing; by need 12 : 8 the first lacks 12 - 5 = 7, the second nothing
    short = can_be_placed(places([5, 10], need=[6, 4]), 20)
    assert short is not None
    assert (short.possible, short.missing, dict(short.add)) == (15, 5, {"330100": 5})
    repaired = places([10, 10], need=[6, 4])
    assert can_be_placed(repaired, 20) is None
    assert can_be_placed(places([9, 10], need=[6, 4]), 20) is not None, "with one less it still cannot be"
    passed = can_be_placed(places([5, 10], lower=[4, 4]), 7)
    assert passed is not None
    assert passed.missing == -1
    for rule in RULES:
        with pytest.raises(ValueError, match="limits"):
            divide(rule, places([5, 10]), 20, MIX, np.zeros((2, 2)))


def test_counties_add_up_to_their_city() -> None:
    counties = {"330100": places([3, 5], need=[1, 1]), "330200": places([2], need=[1])}
    joined = merged(counties, [0.0, 0.0])
    assert joined.upper.tolist() == [8, 2]
    for rule in RULES:
        below = counties_of_cities({"330100": 6, "330200": 2}, counties, rule, MIX)
        assert sum(below["330100"].values()) == 6
        assert list(below["330200"].values()) == [2]
    assert counties_of_cities({"330100": 6, "330200": 2}, counties, "by_need", MIX)["330100"] == {
        "330100": 3,
        "330200": 3,
    }


def test_burdens_are_shares_of_capacity() -> None:
    found = burdens(np.array([2, 0]), places([4, 0]))
    assert found[0] == 0.5
    assert np.isnan(found[1])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Places, int]:
    n = draw(st.integers(2, 4))
    upper = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))
    lower = [draw(st.integers(0, min(2, u))) for u in upper]
    need = draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))
    present = draw(st.lists(st.floats(0, 7), min_size=n, max_size=n))
    total = draw(st.integers(sum(lower), sum(upper)))
    return places(upper, lower=lower, need=[float(v) for v in need], present=present), total


def every_division(p: Places, total: int) -> list[tuple[int, ...]]:
    ranges = [range(int(a), int(b) + 1) for a, b in zip(p.lower, p.upper, strict=True)]
    return [x for x in itertools.product(*ranges) if sum(x) == total]


@given(cases())
def test_equal_effort_is_the_best_of_all_divisions(case: tuple[Places, int]) -> None:
    """Sorted burdens, the greatest first, are the smallest of every division in whole numbers."""
    p, total = case
    present = np.clip(np.floor(p.present + 1e-9).astype(int), p.lower, p.upper)
    rich = total > present.sum()
    base, span = (present, p.upper - present) if rich else (0 * present, present)

    def sorted_burdens(x: tuple[int, ...]) -> list[Fraction]:
        held = zip(x, base, span, strict=True)
        own = [Fraction(int(v - b), int(s)) if s > 0 else Fraction(0 if v == b else 10**6) for v, b, s in held]
        return sorted(own, reverse=True)

    found = tuple(int(v) for v in equal_effort(p, total))
    assert sorted_burdens(found) == min(map(sorted_burdens, every_division(p, total)))


@given(cases(), st.sampled_from([r for r in RULES if r != CHANCE]))
def test_every_rule_keeps_total_and_limits(case: tuple[Places, int], rule: str) -> None:
    p, total = case
    x = divide(rule, p, total, MIX)
    assert x.sum() == total
    assert (x >= p.lower).all()
    assert (x <= p.upper).all()


@given(cases())
def test_by_need_no_needier_place_with_room_gets_less(case: tuple[Places, int]) -> None:
    p, total = case
    x = by_need(p, total)
    for i, j in itertools.permutations(range(len(x)), 2):
        if p.need[i] >= p.need[j] > 0 and x[i] < p.upper[i] and x[j] > p.lower[j]:
            assert x[j] <= x[i] + 1, "by more than the unit of rounding"


def test_a_large_total_is_kept_to_the_unit() -> None:
    draw = np.random.default_rng(5)
    p = places(
        draw.integers(10_000, 60_000, 90).tolist(),
        need=draw.random(90).tolist(),
        present=(draw.random(90) * 2e4).tolist(),
    )
    for rule in RULES:
        x = divide(rule, p, 2_000_000, MIX, draw.random((20, 90)) * 5e4)
        assert x.sum() == 2_000_000
    assert EFFORT in RULES
