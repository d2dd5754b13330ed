"""Selection of the best reaches its stated probability where the best is known, and needs little where it is clear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from zjsim.decide.selection import Selection, select_best

WANTED = 0.9


def trial(means: Sequence[float], seed: int, *, common: float, delta: float) -> Selection:
    """Normal values with standard deviation 1 of their own and ``common`` shared by all (common random numbers)."""

    def sample(which: Sequence[int], start: int, count: int) -> np.ndarray:
        futures = [np.random.default_rng((seed, n)).normal(0, 1, len(means) + 1) for n in range(start, start + count)]
        return np.array([[means[i] + f[i] + common * f[-1] for f in futures] for i in which])

    return select_best(sample, len(means), delta=delta, confidence=WANTED, first=10)


@pytest.mark.parametrize("common", [0.0, 3.0])
@pytest.mark.parametrize("means", [(0.0, 0.0, 0.0, 0.5), (0.0, 0.5), (0.5, 0.0, -0.5, -1.0, -1.5)])
def test_the_best_is_selected_as_often_as_stated(means: tuple[float, ...], common: float) -> None:
    """Slippage (all others exactly delta behind, the hardest case), a pair, a staircase."""
    trials = [trial(means, seed, common=common, delta=0.5) for seed in range(60)]
    right = sum(t.best == int(np.argmax(means)) for t in trials)
    assert right >= WANTED * 60 - 2 * (WANTED * (1 - WANTED) * 60) ** 0.5


def test_what_all_futures_share_costs_nothing() -> None:
    alone, shared = (trial((0.0, 0.0, 0.5), 3, common=c, delta=0.5).replications for c in (0.0, 5.0))
    assert alone == shared


def test_what_is_clear_is_decided_at_once() -> None:
    done = trial((0.0, 50.0, 0.0), 1, common=0.0, delta=0.5)
    assert (done.best, done.replications, done.dropped_after) == (1, 10, (10, 0, 10))
    assert done.means[1] == pytest.approx(50, abs=2)


def test_equal_futures_are_decided_for_the_first() -> None:
    done = select_best(lambda which, start, count: np.ones((len(which), count)), 3, delta=1, first=5)
    assert done.best == 0


def test_undecided_is_said() -> None:
    def sample(which: Sequence[int], start: int, count: int) -> np.ndarray:
        return np.random.default_rng(start).normal(0, 100, (len(which), count))

    done = select_best(sample, 2, delta=0.01, most=30, batch=7)
    assert done.best is None
    assert done.left == (0, 1)
    assert done.replications == 30


@pytest.mark.parametrize("bad", [{"delta": 0.0}, {"delta": 1.0, "confidence": 1.0}, {"delta": 1.0, "first": 1}])
def test_bad_settings_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        select_best(lambda which, start, count: np.zeros((len(which), count)), 2, **bad)  # type: ignore[arg-type]
