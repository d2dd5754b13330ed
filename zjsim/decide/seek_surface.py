"""The response surface of a search: what levers add to margins, learnt from simulated points and corrected by tests."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

import numpy as np

from zjsim.decide.seek_space import Floats, Point
from zjsim.models.lever_choice import Response

MOST_FUTURES = 200
"""Sample replications that a proposal is computed on (evenly picked): a proposal is tested on all of them anyway."""


class Surface:
    """Margins by replication: those at the present levels, what each lever adds there, and what tests corrected.

    ``base[t]`` by replication, ``gains[t][j]`` by level. The correction shifts every replication to what the last test
    found in it: exact there (a lever that brings nothing where demand is the limit is seen), right near it, where the
    search is. Replications which that test did not make are shifted by the mean of those it made.
    """

    def __init__(self, base: Sequence[Floats], gains: Sequence[Sequence[Floats]]) -> None:
        self.base = [np.asarray(b, dtype=np.float64) for b in base]
        self.gains = [[np.asarray(g, dtype=np.float64) for g in own] for own in gains]
        self.shift = [np.zeros(len(b)) for b in self.base]
        self.picked = [
            np.arange(len(b)) if len(b) <= MOST_FUTURES else np.linspace(0, len(b) - 1, MOST_FUTURES).astype(int)
            for b in self.base
        ]

    def margins(self, point: Point, target: int) -> Floats:
        """Predicted margins of a target by replication."""
        gain = fsum(float(own[k]) for own, k in zip(self.gains[target], point, strict=True))
        return np.asarray(self.base[target] + gain + self.shift[target])

    def responses(self) -> tuple[Response, ...]:
        """The surface as the model of choices reads it."""
        return tuple(
            Response((b + s)[p], tuple(g))
            for b, s, p, g in zip(self.base, self.shift, self.picked, self.gains, strict=True)
        )

    def share(self, point: Point, jointly: bool) -> float:
        """Predicted share of replications of the worst target (or of all together)."""
        met = [self.margins(point, t) >= 0 for t in range(len(self.base))]
        return float(np.logical_and.reduce(met).mean()) if jointly else min(float(m.mean()) for m in met)

    def critical(self, point: Point, target: int, needed: int) -> float:
        """The margin that ``needed`` of the replications reach, as predicted."""
        margins = np.sort(self.margins(point, target))
        return float(margins[len(margins) - min(max(needed, 1), len(margins))])

    def learn(self, point: Point, found: Sequence[Floats], needed: Sequence[int], failed: Sequence[int]) -> None:
        """Shift the surface to what a test found; a target that failed there must be predicted to fail there."""
        for t, margins in enumerate(found):
            if made := len(margins):
                missed = margins - self.margins(point, t)[:made]
                self.shift[t] = self.shift[t] + float(missed.mean())
                self.shift[t][:made] += missed - missed.mean()
        for t in failed:
            over = self.critical(point, t, needed[t])
            if over >= 0:
                self.shift[t] -= over + 1e-9 * max(1.0, abs(over), float(np.ptp(self.base[t])))
