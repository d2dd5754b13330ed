"""Differences of two ensembles: intervals that hold their level, exact zeros, published values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from zjsim.simulate.paired import change_of_mean, change_of_share, pairs, tango

Z = 1.959963984540054


def coverage(count: int, p_gained: float, p_lost: float) -> float:
    """Exact coverage of the paired interval of a difference of shares: every outcome with its probability."""
    true, total = p_gained - p_lost, 0.0
    for gained in range(count + 1):
        p = binom.pmf(gained, count, p_gained)
        if p < 1e-9:
            continue
        for lost in range(count - gained + 1):
            q = p * binom.pmf(lost, count - gained, p_lost / (1 - p_gained))
            if q > 1e-8:
                low, high = tango(gained, lost, count, Z)
                total += q * (low <= true <= high)
    return total


@pytest.mark.parametrize(("p_gained", "p_lost"), [(0.1, 0.1), (0.2, 0.05), (0.3, 0.1), (0.1, 0.02)])
def test_paired_shares_are_covered_by_93_to_97_per_cent(p_gained: float, p_lost: float) -> None:
    assert 0.93 <= coverage(60, p_gained, p_lost) <= 0.97


def test_paired_means_are_covered_by_93_to_97_per_cent() -> None:
    draw, held = np.random.default_rng(11), 0
    for _ in range(2000):
        common = draw.normal(0, 50, 12)
        change = change_of_mean(common + draw.normal(0, 3, 12), common + draw.normal(2, 3, 12), paired=True)
        held += change.low <= 2 <= change.high
    assert 0.93 <= held / 2000 <= 0.97


@pytest.mark.parametrize("sizes", [(12, 12), (8, 30)])
def test_independent_means_are_covered_by_93_to_97_per_cent(sizes: tuple[int, int]) -> None:
    draw, held = np.random.default_rng(12), 0
    for _ in range(2000):
        change = change_of_mean(draw.normal(0, 5, sizes[0]), draw.normal(2, 9, sizes[1]), paired=False)
        held += change.low <= 2 <= change.high
    assert 0.93 <= held / 2000 <= 0.97


def test_the_score_interval_is_the_published_one() -> None:
    """Newcombe (1998), paired proportions, example of 50 pairs of which 12 and 2 changed: 0.0611 to 0.3447."""
    assert tango(12, 2, 50, Z) == pytest.approx((0.0611, 0.3447), abs=5e-5)


@pytest.mark.parametrize(
    ("gained", "lost", "count"), [(0, 0, 10), (5, 0, 5), (0, 5, 5), (3, 1, 9), (1, 3, 9), (1, 0, 1)]
)
def test_the_score_interval_holds_the_estimate_and_mirrors(gained: int, lost: int, count: int) -> None:
    low, high = tango(gained, lost, count, Z)
    assert -1 <= low <= (gained - lost) / count <= high <= 1
    assert low < high
    mirrored = tango(lost, gained, count, Z)
    assert mirrored == pytest.approx((-high, -low), abs=1e-9)


def test_independent_shares_are_newcombes() -> None:
    """Newcombe (1998), method 10, 56 of 70 against 48 of 80: 0.20 with the interval 0.0524 to 0.3339."""
    first, second = np.arange(80) < 48, np.arange(70) < 56
    change = change_of_share(first, second, paired=False)
    assert (change.difference, change.low, change.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_equal_values_are_no_change_and_one_replication_has_no_interval() -> None:
    values = [3.0, 1.0, 2.0]
    assert change_of_mean(values, values, paired=True).difference == 0
    assert (change_of_mean(values, values, paired=True).low, change_of_mean(values, values, paired=True).high) == (0, 0)
    assert np.isnan(change_of_mean([1.0], [2.0], paired=True).low)
    assert np.isnan(change_of_mean([1.0], [2.0], paired=False).low)
    assert change_of_mean([1.0, 1.0], [2.0, 2.0], paired=False).high == 1


@pytest.mark.parametrize(("first", "second"), [([], []), ([1.0], [1.0, 2.0])])
def test_lengths_that_do_not_fit_are_refused(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="one value per replication"):
        change_of_mean(first, second, paired=True)
    with pytest.raises(ValueError, match="one value per replication"):
        change_of_share(first, second, paired=True)


def test_pairs_with_a_control_are_a_regression_at_its_expectation() -> None:
    """The difference is the intercept of a regression on the control (whose expectation is 0), so is its interval."""
    x, y, z = (
        np.array([3.0, 5, 4, 8, 6, 7, 9, 10, 2]),
        np.arange(9.0),
        np.array([0.1, 0.4, 0.2, 0.3, 0, -0.2, 0.5, 0.1, 0]),
    )
    design = np.column_stack([np.ones(9), z])
    wanted, rest, *_ = np.linalg.lstsq(design, x - y, rcond=None)
    error = np.sqrt(rest[0] / 7 * np.linalg.inv(design.T @ design)[0, 0])
    found = pairs(x, y, z)
    assert found.difference == pytest.approx(wanted[0])
    assert (found.low, found.high) == pytest.approx(
        (wanted[0] - 2.364624 * error, wanted[0] + 2.364624 * error), abs=1e-6
    )
    assert found.paired == pytest.approx(rest[0] / 7)
    assert found.reduction == pytest.approx(found.independent / found.paired)


def test_controls_wait_for_enough_pairs_and_leave_equal_pairs_alone() -> None:
    x, z = np.arange(9.0), np.linspace(-1, 1.2, 9)
    assert pairs(x[:7], 2 * x[:7], z[:7]) == pairs(x[:7], 2 * x[:7])
    same = pairs(x, x - 2, z)
    assert (same.difference, same.low, same.high, same.reduction) == (2, 2, 2, np.inf)
    assert pairs(x, x, z).difference == 0
    assert pairs(x, x**2, np.zeros(9)).difference == pytest.approx(float((x - x**2).mean())), "a control that is still"


@pytest.mark.parametrize("controlled", [False, True])
def test_intervals_of_pairs_cover_as_often_as_they_say(controlled: bool) -> None:
    """1,000 experiments of 24 pairs whose difference follows a skew control by half: 93-97 % cover the true 2."""
    draws = np.random.Generator(np.random.Philox(key=11))
    hit = 0
    for _ in range(1000):
        z = np.exp(0.2 * draws.standard_normal(24) - 0.02) - 1
        shared, own = draws.standard_normal((2, 24))
        found = pairs(10 + shared + 5 * z + 0.3 * own, 8 + shared, z if controlled else None)
        hit += found.low <= 2 <= found.high
    assert 930 <= hit <= 970
