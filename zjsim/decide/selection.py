"""Ranking and selection: the best of a few alternatives with a stated probability of choosing right.

The fully sequential procedure KN of Kim and Nelson (2001), with common random numbers: alternatives are replicated one
replication at a time and dropped as soon as another one is better beyond doubt. If the best is better than every other
by at least the indifference ``delta``, it is chosen with probability of at least ``confidence``; otherwise something
within ``delta`` of the best is (for normal differences, which means of replications come close to).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FIRST = 20
"""Replications of every alternative before the first comparison."""


@dataclass(frozen=True)
class Selection:
    """What was selected: ``best`` (None where ``most`` replications did not decide), who was left, and at what cost.

    ``dropped_after``: the replication at which an alternative was dropped, by position (0: still there); ``means``:
    of the replications that each got; ``replications``: how many the survivors got.
    """

    best: int | None
    left: tuple[int, ...]
    dropped_after: tuple[int, ...]
    means: tuple[float, ...]
    replications: int


def select_best(
    sample: Callable[[Sequence[int], int, int], Floats],
    alternatives: int,
    *,
    delta: float,
    confidence: float = 0.95,
    first: int = FIRST,
    most: int = 10_000,
    batch: int = 1,
) -> Selection:
    """Select the alternative with the largest mean.

    ``sample(which, start, count)`` gives replications start .. start + count - 1 of the alternatives ``which`` as an
    array (len(which), count); replication n of all is the same future. ``delta`` is in the unit of the values and
    positive; ``batch`` replications are made at a time and looked at one by one. Raises ``ValueError`` otherwise.
    """
    if alternatives < 1 or not delta > 0 or not 0.5 < confidence < 1 or first < 2:
        raise ValueError("wanted an alternative, delta > 0, confidence between 0.5 and 1 and two first replications")
    left = list(range(alternatives))
    sums, counts = np.zeros(alternatives), np.zeros(alternatives, dtype=np.int64)
    dropped = [0] * alternatives
    values = sample(left, 0, first)
    sums += values.sum(axis=1)
    counts += first
    spread = np.array([[np.var(a - b, ddof=1) for b in values] for a in values])
    eta = ((2 * (1 - confidence) / max(1, alternatives - 1)) ** (-2 / (first - 1)) - 1) / 2
    decided = 2 * eta * (first - 1) * spread / delta**2
    """After so many replications a pair is decided, whatever they say."""
    done = first
    left = _still_in(left, sums, decided, done, delta, dropped)
    while len(left) > 1 and done < most:
        asked, count = list(left), min(batch, most - done)
        values = sample(asked, done, count)
        for column in values.T:
            done += 1
            for which, value in zip(asked, column, strict=True):
                if which in left:
                    sums[which] += value
                    counts[which] += 1
            left = _still_in(left, sums, decided, done, delta, dropped)
            if len(left) == 1:
                break
    means = tuple(float(s / c) for s, c in zip(sums, counts, strict=True))
    return Selection(left[0] if len(left) == 1 else None, tuple(left), tuple(dropped), means, done)


def _still_in(
    left: Sequence[int], sums: Floats, decided: Floats, done: int, delta: float, dropped: list[int]
) -> list[int]:
    """Those that no other one leads by more than what chance may still explain; the drops are noted.

    Where nothing is left to chance the larger sum stays, of equal ones the first.
    """
    slack = np.maximum(0.0, delta / 2 * (decided - done))
    kept = []
    for i in left:
        behind = [sums[j] - sums[i] - slack[i, j] for j in left if j != i]
        equal_before = any(sums[j] == sums[i] and not slack[i, j] and j < i for j in left)
        if max(behind, default=-1.0) > 0 or equal_before:
            dropped[i] = done
        else:
            kept.append(i)
    return kept
