"""Scores of forecasts against values worked out by hand and in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from zjsim.simulate.scores import brier, brier_parts, crps, inside, interval, reliability


def test_crps_of_three_values_by_hand() -> None:
    """Ensemble 1, 2, 4, truth 3: mean error (2 + 1 + 1) / 3, pairs 1 + 3 + 2 = 6 of 3: 4/3 - 6 / (3 · 2) = 1/3."""
    assert crps([4.0, 1.0, 2.0], 3.0) == pytest.approx(1 / 3)
    assert crps([5.0], 3.0) == 2.0, "one value: the absolute error"
    assert crps([2.0, 2.0], 2.0) == 0.0


def test_crps_of_a_normal_law_is_the_closed_form() -> None:
    """Standard normal, truth 0: 2 φ(0) - 1 / √π = 0.2337 (Gneiting and Raftery 2007)."""
    draws = np.random.default_rng(3).normal(size=(400, 50))
    assert np.mean([crps(x, 0.0) for x in draws]) == pytest.approx(0.23370, abs=0.008)


def test_crps_of_pairs_as_by_definition() -> None:
    x = np.random.default_rng(1).normal(size=17)
    apart = np.abs(x[:, None] - x[None, :]).sum() / (2 * 17 * 16)
    assert crps(x, 0.3) == pytest.approx(np.abs(x - 0.3).mean() - apart)


def test_brier_and_its_parts_by_hand() -> None:
    """Stated 0.1, 0.1, 0.1, 0.1 of which 1 happened; 0.8, 0.8 of which 1 happened: o = 1/3."""
    p, o = [0.1, 0.1, 0.1, 0.1, 0.8, 0.8], [1, 0, 0, 0, 1, 0]
    score = (0.81 + 3 * 0.01 + 0.04 + 0.64) / 6
    parts = brier_parts(p, o)
    assert brier(p, o) == pytest.approx(score)
    assert parts.score == pytest.approx(score)
    assert parts.reliability == pytest.approx((4 * 0.15**2 + 2 * 0.3**2) / 6)
    assert parts.resolution == pytest.approx((4 * (1 / 12) ** 2 + 2 * (1 / 6) ** 2) / 6)
    assert parts.uncertainty == pytest.approx(2 / 9)
    assert parts.within == pytest.approx(0)


def test_parts_add_up_to_the_score_whatever_the_classes() -> None:
    draw = np.random.default_rng(5)
    p = draw.random(300)
    o = draw.random(300) < p**2
    parts = brier_parts(p, o, bins=7)
    assert parts.reliability - parts.resolution + parts.uncertainty + parts.within == pytest.approx(parts.score)


def test_reliability_by_class() -> None:
    found = reliability([0.05, 0.0, 0.95, 1.0, 0.3], [0, 0, 1, 0, 1])
    assert [(b.low, b.cases, b.happened) for b in found] == [(0.0, 2, 0.0), (0.3, 1, 1.0), (0.9, 2, 0.5)]
    assert all(b.happened_low <= b.happened <= b.happened_high for b in found)


def test_the_interval_holds_its_share_of_further_values() -> None:
    """19 values: p05 and p95 are the smallest and the largest one; a twentieth lies between with probability 0.9."""
    assert interval(np.arange(1.0, 20.0)) == (1.0, 19.0)
    draws = np.random.default_rng(8).exponential(size=(4000, 20))
    held = np.mean([inside(x[:19], x[19]) for x in draws])
    assert held == pytest.approx(0.9, abs=3 * (0.09 / 4000) ** 0.5)


@pytest.mark.parametrize(("p", "o"), [([0.5], [0, 1]), ([1.2], [1]), ([0.5], [0.5]), ([], [])])
def test_impossible_forecasts_are_refused(p: list[float], o: list[float]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        brier(p, o)
    with pytest.raises(ValueError, match="wanted"):
        crps([], 1.0)
