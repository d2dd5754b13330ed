"""Looks at preset counts: wrong verdicts stay below the stated error, exactly, on the decision line, too."""

from __future__ import annotations

import numpy as np
import pytest

from zjsim.simulate.statistics import clopper_pearson
from zjsim.simulate.stopping import Looks, looks_up_to, verdict_chances

LOOKS = Looks((25, 50, 100, 200, 400), 0.05)
REQUIRED = 0.9


def test_a_single_look_is_the_exact_interval() -> None:
    looks = Looks((100,), 0.05)
    assert looks.interval(93, 100) == clopper_pearson(93, 100)
    many = Looks((50, 100), 0.05, 5)
    assert many.confidence == pytest.approx(0.995)


@pytest.mark.parametrize("looks", [LOOKS, Looks((10, 20, 30), 0.2), Looks((20, 500), 0.1, 4), Looks((2, 3, 4, 5), 0.3)])
@pytest.mark.parametrize("required", [0.5, 0.9])
def test_wrong_verdicts_are_rarer_than_stated_on_and_near_the_decision_line(looks: Looks, required: float) -> None:
    allowed = looks.error / looks.probabilities / 2
    for p in (required, required + 1e-9, min(1.0, required + 0.02), 1.0):
        assert verdict_chances(looks, p, required).not_met <= allowed
    for p in (np.nextafter(required, 0), required - 0.02, 0.0):
        assert verdict_chances(looks, float(p), required).met <= allowed


def test_looking_without_spending_would_be_wrong_more_often() -> None:
    unspent = Looks(LOOKS.counts, 0.05 * len(LOOKS.counts))
    assert unspent.confidence == pytest.approx(0.95)
    assert (
        verdict_chances(unspent, REQUIRED, REQUIRED).not_met
        > 0.025
        > verdict_chances(LOOKS, REQUIRED, REQUIRED).not_met
    )


def test_chances_add_up_and_agree_with_enumeration() -> None:
    looks = Looks((3, 6), 0.6)
    p = 0.3
    met = not_met = 0.0
    for outcome in np.ndindex(*(2,) * 6):
        weight = p ** sum(outcome) * (1 - p) ** (6 - sum(outcome))
        for count in looks.counts:
            low, high = looks.interval(sum(outcome[:count]), count)
            if low >= 0.5 or high < 0.5:
                met, not_met = met + weight * (low >= 0.5), not_met + weight * (high < 0.5)
                break
    found = verdict_chances(looks, p, 0.5)
    assert (found.met, found.not_met) == pytest.approx((met, not_met))
    assert found.met + found.not_met + found.undecided == pytest.approx(1)
    assert not_met > 0


def test_clear_cases_stop_early_and_the_line_itself_goes_on_to_the_end() -> None:
    shared = Looks((25, 50, 100, 200), 0.05, 20)
    clear = verdict_chances(shared, 0.0, REQUIRED)
    assert (clear.not_met, clear.replications) == (pytest.approx(1), 25)
    sure = verdict_chances(shared, 1.0, REQUIRED)
    assert (sure.met, sure.replications) == (pytest.approx(1), 100)
    assert verdict_chances(shared, REQUIRED, REQUIRED).replications > 199


def test_many_targets_together_with_all_truths_on_the_line_by_simulation() -> None:
    # 20 targets that depend on each other: one common number decides whether a future is a good one for all
    looks = Looks((20, 40, 80), 0.2, 20)
    rng = np.random.default_rng(4)
    wrong = 0
    for _ in range(400):
        shared = rng.random((80, 1))
        met = np.where(rng.random((80, 20)) < 0.5, shared, rng.random((80, 20))) < REQUIRED
        sums = np.cumsum(met, axis=0)
        wrong += any(looks.interval(int(k), n)[1] < REQUIRED for n in looks.counts for k in np.unique(sums[n - 1]))
    assert wrong / 400 <= 0.1


def test_preset_counts_up_to_what_is_asked() -> None:
    assert looks_up_to((25, 50, 100, 200), 100) == (25, 50, 100)
    assert looks_up_to((25, 50), 400) == (25, 50, 400)
    assert looks_up_to((25, 50), 5) == (5,)


@pytest.mark.parametrize("bad", [((), 0.1, 1), ((5, 5), 0.1, 1), ((9, 5), 0.1, 1), ((5,), 1.0, 1), ((5,), 0.1, 0)])
def test_impossible_looks_are_refused(bad: tuple[tuple[int, ...], float, int]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        Looks(*bad)
