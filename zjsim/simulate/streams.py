"""Named random streams: every draw is keyed by (seed, replication, process, entity, year, what) and by nothing else.

The name is hashed to the key of a counter-based Philox generator. So more replications, one more county or a different
order of asking leave every other draw bit-identical, and two scenarios compared on the same seed share their noise.
Draw one array per (entity, year), not one generator per child or request: a generator costs about 10 µs, a number in an
array 10 ns.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of one replication (``seed`` and ``replication`` are integers >= 0)."""

    seed: int
    replication: int

    def generator(self, process: str, entity: str, year: int | str, what: str = "") -> np.random.Generator:
        """A fresh generator for this name; asking twice for the same name gives the same draws."""
        parts = (str(self.seed), str(self.replication), process, entity, str(year), what)
        if any(_SEPARATOR in part for part in parts):
            raise ValueError("the name of a stream must not contain the unit separator U+001F")
        digest = blake2b(_SEPARATOR.join(parts).encode(), digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))

    def uniforms(self, process: str, entity: str, year: int | str, n: int, what: str = "") -> NDArray[np.float64]:
        """``n`` numbers uniform on [0, 1); a larger ``n`` leaves the first ones unchanged."""
        return self.generator(process, entity, year, what).random(n)
