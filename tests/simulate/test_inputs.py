from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from zjsim.simulate.inputs import DISTRIBUTIONS, UncertainInput, base_values, from_row, mean, pert, sample


def make(distribution: str, low: float = 8, mode: float = 24, high: float = 80) -> UncertainInput:
    return UncertainInput("x", low, mode, high, distribution, "h", "assumption", "某数", "a number")


GRID = (np.arange(200_000) + 0.5) / 200_000


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_mean_of_many_draws_is_the_stated_mean(distribution: str) -> None:
    source = make(distribution)
    assert sample(source, source.mode, GRID).mean() == pytest.approx(mean(source), rel=2e-3)
    assert sample(source, 30.0, GRID).mean() == pytest.approx(mean(source, 30.0), rel=2e-2)


def test_lognormal_has_the_mode_as_median_and_the_range_as_its_90_per_cent_span() -> None:
    low, median, high = sample(make("lognormal", 8, 8 * 10**0.5, 80), 8 * 10**0.5, np.array([0.05, 0.5, 0.95]))
    assert (low, median, high) == pytest.approx((8, 8 * 10**0.5, 80), rel=1e-3)


@given(st.lists(st.floats(0, 0.999999), min_size=2, max_size=30), st.sampled_from(DISTRIBUTIONS))
def test_draws_rise_with_their_uniform_numbers(us: list[float], distribution: str) -> None:
    draws = sample(make(distribution), 24.0, np.sort(np.array(us)))
    assert (np.diff(draws) >= -1e-9).all()


def test_shares_stay_shares_when_a_design_point_moves_the_centre() -> None:
    share = make("beta", 0.75, 0.9, 0.97)
    draws = sample(share, 0.97, GRID)
    assert draws.max() == 1.0
    assert draws.min() >= 0.75


def test_a_mode_of_zero_is_shifted_not_scaled() -> None:
    assert sample(make("uniform", 0, 0, 1), 0.5, np.array([0.25, 0.5])).tolist() == [0.75, 1.0]


def test_a_range_without_width_is_a_constant() -> None:
    for distribution in ("triangular", "beta", "constant", "uniform"):
        assert (sample(make(distribution, 24, 24, 24), 24.0, GRID[:5]) == 24).all()


@pytest.mark.parametrize(
    ("low", "mode", "high", "distribution", "words"),
    [
        (2, 1, 3, "beta", "low <= mode"),
        (1, 2, 3, "gaussian", "unknown distribution"),
        (0, 1, 2, "lognormal", "low > 0"),
    ],
)
def test_bad_inputs_are_refused(low: float, mode: float, high: float, distribution: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(distribution, low, mode, high)


def test_base_values() -> None:
    source = make("deterministic")
    assert source.distribution == "constant"
    assert base_values([source]) == {"x": 24}


def test_a_row_of_the_parameter_registry_becomes_an_input() -> None:
    row = {
        "parameter_id": "PP14",
        "process": "training",
        "unit": "share",
        "low": "0.1",
        "mode": 0.25,
        "high": 0.4,
        "distribution": "calendar",
        "role": "input",
        "basis": "assumption",
        "name_zh": "占比",
        "name_en": "share",
    }
    with pytest.raises(ValueError, match="calendar"):
        from_row(row)
    assert from_row(row, distribution="triangular").low == 0.1


@pytest.mark.parametrize(
    ("low", "mode", "high"), [(0.75, 0.9, 0.97), (0.02, 0.08, 0.2), (0.0, 0.0, 1.0), (0.2, 0.4, 0.7)]
)
def test_tabulated_beta_quantiles_are_close_to_the_exact_ones(low: float, mode: float, high: float) -> None:
    a, b = 1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low)
    exact = low + (high - low) * stats.beta.ppf(GRID, a, b)
    inner = (GRID > 1e-4) & (GRID < 1 - 1e-4)
    assert np.abs(pert(low, mode, high, GRID) - exact)[inner].max() < 3e-4 * (high - low)
