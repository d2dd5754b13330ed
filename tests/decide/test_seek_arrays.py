"""The search for levers of a simulation given as a function: equal to trying everything, and strict with its input."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from zjsim.decide.seek_arrays import cheapest_levers

NOISE = np.random.default_rng(1).normal(0, 1, 5000)


@pytest.mark.parametrize("seed", range(25))
def test_the_cheapest_choice_is_found(seed):
    r = np.random.default_rng(seed)
    levers = int(r.integers(1, 5))
    costs = [np.concatenate([[0], np.cumsum(r.integers(1, 9, int(r.integers(1, 4))))]) for _ in range(levers)]
    worth = [r.normal(0.5, 1, len(c)) for c in costs]
    wanted = r.random() * 2

    def margins(levels, target, first, count):
        drawn = NOISE[np.arange(first, first + count) % len(NOISE)]
        return drawn + sum(w[k] for w, k in zip(worth, levels, strict=True)) - wanted

    everything = product(*(range(len(c)) for c in costs))
    met = {p: float((margins(p, 0, 0, 100) >= 0).mean()) for p in everything}
    enough = [sum(float(c[k]) for c, k in zip(costs, p, strict=True)) for p, share in met.items() if share >= 0.9]
    found = cheapest_levers(costs, margins, confirm=400)
    if found.verdict == "holds" and not found.details.fresh[:-1]:
        assert found.cost == min(enough)
        assert found.proof == "systematic"
        assert found.low >= 0.88
    elif not enough:
        assert found.verdict in ("refuted", "not_found")
        assert found.share == max(met.values()) or found.verdict == "refuted"
    else:  # the sample was lucky: what it promised did not hold on fresh replications
        assert found.details.fresh[0].point in met
        assert not found.details.fresh[0].holds


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"costs": []}, "list of levers"),
        ({"costs": [[0, -1]]}, "none negative"),
        ({"costs": [[1, 2]]}, "costs nothing"),
        ({"costs": [[0, 1]], "present": [2]}, "costs nothing"),
        ({"probability": 1.0}, "probability < 1"),
        ({"sample": 3}, "10 sample replications"),
        ({"budget": -1.0}, "not negative"),
        ({"margins": lambda levels, target, first, count: [0.0]}, "must be"),
    ],
)
def test_what_does_not_fit_is_told(change, said):
    plain = {"costs": [[0, 1]], "margins": lambda levels, target, first, count: np.zeros(count)}
    with pytest.raises(ValueError, match=said):
        cheapest_levers(**{**plain, **change})
