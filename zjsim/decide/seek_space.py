"""What a search for levers moves in: levels and costs, points, and what a tested point says about all others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import fsum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zjsim.models.lever_choice import Cut

Floats = NDArray[np.float64]
Point = tuple[int, ...]
"""The level of every lever, by index."""
Direction = int | None
"""What a higher level does to a target: 1 helps, -1 hurts, 0 nothing, None neither of them (not monotone)."""


class Oracle(Protocol):
    """What simulates: margins of targets at points, replication by replication, on the same draws for all points."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sample replications of every target."""
        ...

    @property
    def screened(self) -> tuple[int, ...]:
        """Replications of every target by which levers are screened."""
        ...

    def margins(self, points: Sequence[Point], target: int, first: int, count: int) -> list[Floats]:
        """Margins of a target at every point in replications first .. first + count - 1."""
        ...


@dataclass(frozen=True)
class Space:
    """Levels of every lever in rising order with their costs; ``present`` costs nothing; one direction per target and
    lever."""

    costs: tuple[Floats, ...]
    present: Point
    directions: tuple[tuple[Direction, ...], ...]

    @property
    def size(self) -> int:
        """How many points there are."""
        return int(np.prod([float(len(c)) for c in self.costs]))

    def cost(self, point: Point) -> float:
        """The cost of a point."""
        return float(fsum(own[k] for own, k in zip(self.costs, point, strict=True)))

    def points(self) -> NDArray[np.int64]:
        """All points, one a row, the cheapest first; equals in the order of their levels."""
        found = np.array(list(product(*(range(len(c)) for c in self.costs))), dtype=np.int64)
        return found[np.argsort(np.round(self.costs_of(found), 9), kind="stable")]

    def costs_of(self, points: NDArray[np.int64]) -> Floats:
        """The costs of many points."""
        return np.asarray(sum(own[points[:, j]] for j, own in enumerate(self.costs)), dtype=np.float64)

    def better(self, point: Point, target: int) -> Cut:
        """Levels one of which a point must have to do better for ``target`` than ``point``."""
        found = set()
        for j, (at, own) in enumerate(zip(point, self.costs, strict=True)):
            way = self.directions[target][j]
            wanted = {1: range(at + 1, len(own)), -1: range(at), 0: range(0)}
            levels: Iterable[int] = wanted[way] if way is not None else (k for k in range(len(own)) if k != at)
            found |= {(j, k) for k in levels}
        return frozenset(found)

    def others(self, point: Point) -> Cut:
        """Levels one of which a point has if it is not this one."""
        return frozenset((j, k) for j, own in enumerate(self.costs) for k in range(len(own)) if k != point[j])

    def corner(self, target: int) -> Point:
        """The best point for a target: every lever at its best end, at present without one."""
        ends = {1: [len(own) - 1 for own in self.costs], -1: [0] * len(self.costs), 0: list(self.present)}
        ways = self.directions[target]
        return tuple(self.present[j] if w is None else ends[w][j] for j, w in enumerate(ways))


def satisfies(points: NDArray[np.int64], cut: Cut) -> NDArray[np.bool_]:
    """Which points have one of the levels of a cut."""
    found = np.zeros(len(points), dtype=bool)
    for j, k in cut:
        found |= points[:, j] == k
    return found


@dataclass(frozen=True)
class Trial:
    """A point that was simulated: per target how many replications met it, of how many made; jointly as well.

    ``passed``: met as often as was asked when it was tested; ``whole``: all sample replications were made.
    """

    point: Point
    cost: float
    met: tuple[int, ...]
    made: tuple[int, ...]
    met_jointly: int
    passed: bool
    whole: bool
    why: str

    def share(self, jointly: bool) -> float:
        """The share of the target that is met least often, or of replications in which all are."""
        if jointly:
            return self.met_jointly / max(self.made[0], 1)
        return min(m / max(n, 1) for m, n in zip(self.met, self.made, strict=True))

    def worst(self) -> int:
        """The target that is met least often."""
        shares = [m / max(n, 1) for m, n in zip(self.met, self.made, strict=True)]
        return shares.index(min(shares))


@dataclass(frozen=True)
class Part:
    """An oracle of some of the levers of another one; the others stay at their present levels."""

    whole: Oracle
    present: Point
    kept: tuple[int, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sample replications of every target."""
        return self.whole.sizes

    @property
    def screened(self) -> tuple[int, ...]:
        """Replications of every target by which levers are screened."""
        return self.whole.screened

    def full(self, point: Point) -> Point:
        """The point among all levers."""
        found = list(self.present)
        for j, k in zip(self.kept, point, strict=True):
            found[j] = k
        return tuple(found)

    def margins(self, points: Sequence[Point], target: int, first: int, count: int) -> list[Floats]:
        """Margins of a target at every point in replications first .. first + count - 1."""
        return self.whole.margins([self.full(p) for p in points], target, first, count)
