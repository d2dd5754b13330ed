"""Random numbers of the synthetic tables: keyed by seed, county and purpose, and shaped by exact integer tools.

One county's numbers depend on its own name and rows alone: another county, more of them or another order change
nothing. Only uniform numbers are drawn (counter-based, the same on every version) and turned by the functions here.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from zjsim.synthesis.proportional import Floats, Ints, largest_remainder

_SEPARATOR = "\x1f"


def uniforms(seed: int, what: str, entity: str, n: int) -> Floats:
    """``n`` numbers in [0, 1) for this seed, purpose and entity; a larger ``n`` leaves the first ones unchanged."""
    name = _SEPARATOR.join(("zjsim synthesize", str(seed), what, entity))
    key = int.from_bytes(blake2b(name.encode(), digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key)).random(n)


def triangular(low: npt.ArrayLike, mode: npt.ArrayLike, high: npt.ArrayLike, u: Floats) -> Floats:
    """Quantiles ``u`` of triangular distributions (arrays broadcast; low = high gives that number)."""
    a, c, b = (np.asarray(v, dtype=np.float64) for v in (low, mode, high))
    width = np.where(b > a, b - a, 1.0)
    split = np.where(b > a, (c - a) / width, 0.5)
    rising = a + np.sqrt(u * width * (c - a))
    falling = b - np.sqrt((1 - u) * width * (b - c))
    return np.asarray(np.where(b > a, np.where(u < split, rising, falling), a), dtype=np.float64)


def pick(weights: Floats, u: Floats) -> Ints:
    """The index drawn by each of ``u`` in proportion to ``weights`` (not all zero)."""
    steps = np.cumsum(weights)
    chosen = np.searchsorted(steps, u * steps[-1], side="right")
    return np.asarray(np.minimum(chosen, len(steps) - 1), dtype=np.int64)


def apportion(total: int, weights: Floats, low: npt.ArrayLike = 0, high: npt.ArrayLike | None = None) -> Ints:
    """Whole numbers in proportion to ``weights`` that add up to ``total``, each between ``low`` and ``high``.

    What cannot hold gives way, never the total: too small a total is spread without the lower bounds; what exceeds all
    upper bounds is spread over them in proportion (the entries then exceed them). Raises ``ValueError`` without cells.
    """
    weights = np.asarray(weights, dtype=np.float64)
    if not len(weights):
        if total:
            raise ValueError(f"cannot spread {total} over nothing")
        return np.zeros(0, dtype=np.int64)
    if weights.sum() == 0:
        weights = np.ones(len(weights))
    result = np.broadcast_to(np.asarray(low, dtype=np.int64), weights.shape).copy()
    if high is not None:
        result = np.minimum(result, np.asarray(high, dtype=np.int64))
    if result.sum() > total:
        result[:] = 0
    if high is None:
        return result + largest_remainder(weights, total - int(result.sum()))
    most = np.broadcast_to(np.asarray(high, dtype=np.int64), weights.shape)
    while left := total - int(result.sum()):
        room = most - result
        if not room.any():
            return result + largest_remainder(most.astype(float) if most.any() else weights, left)
        here = np.where(room > 0, weights, 0.0)
        here = here if here.any() else (room > 0).astype(float)
        result += np.minimum(largest_remainder(here, left), room)
    return result
