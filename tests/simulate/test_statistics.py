from __future__ import annotations

from math import comb, isnan

import numpy as np
import pytest

from zjsim.simulate.statistics import clopper_pearson, mean_interval, quantiles, rank_correlation, variance_reduction


@pytest.mark.parametrize("trials", [1, 2, 5, 20, 100])
def test_coverage_of_the_exact_interval_is_never_below_nominal(trials: int) -> None:
    intervals = [clopper_pearson(k, trials) for k in range(trials + 1)]
    for p in np.linspace(0, 1, 201):
        weights = [comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(trials + 1)]
        covered = sum(w for w, (low, high) in zip(weights, intervals, strict=True) if low <= p <= high)
        assert covered >= 0.95 - 1e-12


def test_known_exact_intervals() -> None:
    assert clopper_pearson(0, 100) == pytest.approx((0, 1 - 0.025**0.01))
    assert clopper_pearson(100, 100) == pytest.approx((0.025**0.01, 1))
    assert clopper_pearson(5, 10) == pytest.approx((0.18709, 0.81291), abs=1e-5)


@pytest.mark.parametrize("counts", [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="successes"):
        clopper_pearson(*counts)


def test_t_intervals_cover_close_to_nominally() -> None:
    draws = np.random.default_rng(3).normal(10, 2, (1000, 8))
    inside = [low <= 10 <= high for _, low, high in map(mean_interval, draws)]
    assert 0.93 <= np.mean(inside) <= 0.97


def test_one_replication_has_no_interval() -> None:
    mean, low, high = mean_interval([3.0])
    assert mean == 3.0
    assert isnan(low)
    assert isnan(high)


def test_quantiles_and_rank_correlation() -> None:
    assert quantiles(range(101)) == (5, 50, 95)
    x = np.array([1.0, 2, 3, 4])
    assert rank_correlation(x, np.exp(x)) == pytest.approx(1)
    assert rank_correlation(x, -x) == pytest.approx(-1)
    assert rank_correlation(x, np.ones(4)) == 0


def test_variance_reduction_by_hand() -> None:
    # differences 1, 0, -1: variance 1; 1, 2, 3 and 0, 2, 4 alone: variances 1 and 4
    assert variance_reduction([1, 2, 3], [0, 2, 4]) == (5.0, 1.0, 5.0)
    assert variance_reduction([1, 2, 3], [2, 3, 4]) == (2.0, 0.0, np.inf)
    assert np.isnan(variance_reduction([2, 2], [3, 3])[2])
    assert np.isnan(variance_reduction([1], [2])).all()
    with pytest.raises(ValueError, match="as many replications"):
        variance_reduction([1, 2], [1])
