"""Differences of two ensembles: intervals that hold their level, exact zeros, published values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from zjsim.simulate.paired import change_of_mean, change_of_share, tango

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
