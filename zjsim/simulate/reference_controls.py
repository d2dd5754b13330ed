"""Control variates of the known answers: sums whose mean is zero whatever happens, and an estimate that uses them.

Most of the noise of a queue under load comes from draws that happened to be long or short while many waited. How long
they were is known, and what they should have been on average, too: the sum of (draw minus its mean) times what had
happened before it is a martingale, with mean zero. A regression of what is estimated on such sums takes off the noise
they explain and leaves the mean as it is (Henderson and Glynn 2002); under heavy load that is nearly all of it, so an
estimate takes a tenth or a hundredth of the lanes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zjsim.simulate.reference_values import tail_quantile

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Controlled = tuple[Array, Array]
"""Figures by (lane, quantity), and sums with mean zero by (lane, control); there may be none of these."""
Walked = tuple[Array, Array, Array]
"""What lanes have summed up: figures × time by (lane, figure), time by lane, controls by (lane, control)."""

SEEN_BY = 0.2
"""Share of the lanes that must have seen the state a control belongs to."""


def controlled_mean(figures: Array, controls: Array, error: float) -> tuple[Array, Array]:
    """Mean of every quantity at controls of zero, and the half-width of its interval (missed with chance ``error``).

    ``figures`` (lane, quantity), ``controls`` (lane, control). The ordinary t-interval of a regression's constant; that
    of a mean if there are no controls. A control that is the same everywhere, or follows from others, is passed by;
    so is one of a state that fewer than :data:`SEEN_BY` of the lanes have seen: it would fit those lanes and no others.
    """
    lanes = len(figures)
    spread = controls.std(axis=0) if controls.size else np.zeros(controls.shape[1])
    spread = np.where((controls != 0).mean(axis=0) >= SEEN_BY, spread, 0.0)
    used = controls[:, spread > 0] / spread[spread > 0]
    design = np.column_stack([np.ones(lanes), used])
    inverse = np.linalg.pinv(design, rcond=1e-9)
    fitted = inverse @ figures
    free = lanes - np.linalg.matrix_rank(design, tol=1e-9 * np.sqrt(lanes))
    residual = ((figures - design @ fitted) ** 2).sum(axis=0) / free
    half = tail_quantile(error, int(free)) * np.sqrt(residual * (inverse[0] @ inverse[0]))
    return fitted[0], half


class QueueControls:
    """Controls of a queue, lane by lane: service and gap against their means, also times the wait, and their squares.

    ``service`` and ``gap`` are mean and mean square (``gap`` of the first of every ``batch``; the others come with it).
    """

    def __init__(self, lanes: int, service: tuple[float, float], gap: tuple[float, float], batch: int) -> None:
        self.service, self.gap, self.batch = service, gap, batch
        self.sums = np.zeros((6, lanes))

    def add(self, step: int, waited_before: Array, wait: Array, gap: Array, service: Array) -> None:
        """A customer came ``gap`` after the one before, who had ``waited_before``; he waits and is served."""
        longer = service - self.service[0]
        self.sums[0] += longer
        self.sums[1] += wait * longer
        self.sums[2] += service * service - self.service[1]
        if step % self.batch == 0:
            later = gap - self.gap[0]
            self.sums[3] += later
            self.sums[4] += waited_before * later
            self.sums[5] += gap * gap - self.gap[1]


class JumpControls:
    """Controls of a Markov chain: jumps of each kind against their rate, also times each part of the state.

    A kind has its ``share`` of the rate at which its ``source`` makes jumps.
    """

    def __init__(self, lanes: int, source: Ints, share: Array, parts: int) -> None:
        self.source, self.share = source, share
        self.jumps = np.zeros((lanes, len(source), 1 + parts))
        self.due = np.zeros((lanes, int(source.max()) + 1, 1 + parts))
        self._every, self._seen = np.arange(lanes), np.ones((lanes, 1 + parts))

    def add(self, state: Array, rates: Array, time: Array, kind: Ints) -> None:
        """For ``time`` the chain was in ``state`` (lane, part) with ``rates`` (lane, source), then it made a jump of
        ``kind``."""
        seen = self._seen
        seen[:, 1:] = state
        self.due += (rates * time[:, None])[:, :, None] * seen[:, None, :]
        self.jumps[self._every, kind] += seen

    def flat(self) -> Array:
        """Jumps minus what was due, by (lane, control)."""
        return (self.jumps - self.due[:, self.source] * self.share[:, None]).reshape(len(self.jumps), -1)


def ratios(parts: Array, whole: Array) -> Array:
    """``parts`` (lane, figure) over ``whole`` (lane,), linearised: the mean over lanes is sum over sum.

    The mean of the lanes' own ratios would be off by about one over the length of a lane: lanes end after a number of
    events, and a lane of few long events would count as much as any other.
    """
    mean = parts.mean(axis=0) / whole.mean()
    return np.asarray(mean + (parts - mean * whole[:, None]) / whole.mean())
