"""When to stop: looks at preset counts of replications, with a bound on the chance of any wrong verdict.

A verdict on a probability is *met* if its interval lies at or above what is required, *not met* if it lies below. The
error that a plan states is spent in equal parts over its looks, over all probabilities that are looked at together, and
over both sides (Bonferroni). At every look the exact interval of Clopper and Pearson (1934) is taken at the confidence
that this leaves; so all intervals of all looks hold together with probability 1 - error, wherever the ensemble stops,
and a wrong verdict is rarer than half of that. Nothing is assumed on how the probabilities depend on each other.

The counts are preset, so what is found does not depend on the number of workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from zjsim.simulate.statistics import clopper_pearson


@dataclass(frozen=True, slots=True)
class Looks:
    """Looks at ``counts`` of replications (rising), with ``error`` spent over them and over ``probabilities``.

    ``error`` is the chance that any interval at any look misses its probability. Raises ``ValueError`` for counts that
    do not rise or an error outside 0..1.
    """

    counts: tuple[int, ...]
    error: float
    probabilities: int = 1

    def __post_init__(self) -> None:
        if not self.counts or self.counts[0] < 1 or list(self.counts) != sorted(set(self.counts)):
            raise ValueError(f"wanted rising counts of at least 1, got {self.counts}")
        if not 0 < self.error < 1 or self.probabilities < 1:
            raise ValueError(f"wanted 0 < error < 1 and a probability, got {self.error}, {self.probabilities}")

    @property
    def confidence(self) -> float:
        """Confidence of each interval: what is left when the error is spent in equal parts."""
        return 1 - self.error / (len(self.counts) * self.probabilities)

    def interval(self, met: int, trials: int) -> tuple[float, float]:
        """The interval of a probability after ``met`` of ``trials`` replications."""
        return clopper_pearson(met, trials, self.confidence)

    def decided(self, met: int, trials: int, required: float) -> bool:
        """Whether ``met`` of ``trials`` replications allow a verdict against ``required``."""
        low, high = self.interval(met, trials)
        return low >= required or high < required


def looks_up_to(counts: Sequence[int], most: int) -> tuple[int, ...]:
    """The preset ``counts`` below ``most``, and ``most`` as the last look."""
    return (*sorted({c for c in counts if c < most}), most)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Chances of the verdicts on one probability, and how many replications it takes on average."""

    met: float
    not_met: float
    undecided: float
    replications: float


def verdict_chances(looks: Looks, p: float, required: float) -> Verdicts:
    """Exact chances of the verdicts if the true probability is ``p`` and it alone is looked at.

    The distribution of the successes of those still undecided is carried from look to look; no simulation.
    """
    alive, before = np.ones(1), 0
    met = not_met = replications = 0.0
    for count in looks.counts:
        step = stats.binom.pmf(np.arange(count - before + 1), count - before, p)
        alive = np.convolve(alive, step)
        replications += (count - before) * float(alive.sum())
        intervals = [looks.interval(k, count) for k in range(count + 1)]
        up = np.array([low >= required for low, _ in intervals])
        down = np.array([high < required for _, high in intervals])
        met, not_met = met + float(alive[up].sum()), not_met + float(alive[down].sum())
        alive, before = np.where(up | down, 0.0, alive), count
    return Verdicts(met, not_met, float(alive.sum()), replications)
