"""Does more of a lever help, hurt, or neither? Tested in pairs on common draws, over the ranges and among other levers.

Every pair differs in one lever only. Each lever is tested from end to middle to end with the others at their present
levels, and on chains that lead from there to the best corner, one lever at a time in an order drawn with the seed: so
among other levers at many levels. A lever helps where no pair falls beyond chance (Student's t on paired differences,
5 % spent over all pairs) and some rise; that a target never fell in any replication of any pair is the stronger
finding and is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum

import numpy as np
from scipy import stats

from zjsim.decide.seek_space import Direction, Floats, Oracle, Point, Space
from zjsim.simulate.streams import Streams

CHAINS = 2
"""Chains from the present levels to the best corner, besides the tests of each lever by itself."""
FEW_LEVELS = 5
ERROR = 0.05


@dataclass(frozen=True)
class Pair:
    """Two points that differ in ``lever`` only, ``low`` to ``high`` level; what ``target`` does from one to the other.

    ``rises`` and ``falls``: replications in which the margin does; ``lost``: that met the target before and not after;
    ``mean`` and ``error``: of the paired differences.
    """

    target: int
    lever: int
    context: str
    low: Point
    high: Point
    rises: int
    falls: int
    lost: int
    gained: int
    mean: float
    error: float
    count: int


@dataclass(frozen=True)
class Screened:
    """What screening found: ``directions[t][j]``; ``sure[t][j]``: no replication of any pair went the other way;
    ``gains[t][j]`` by level; ``base[t]`` margins on the whole sample; all pairs."""

    directions: tuple[tuple[Direction, ...], ...]
    sure: tuple[tuple[bool, ...], ...]
    gains: tuple[tuple[Floats, ...], ...]
    base: tuple[Floats, ...]
    pairs: tuple[Pair, ...]

    @property
    def monotone(self) -> bool:
        """Whether every lever has a direction for every target."""
        return all(w is not None for ways in self.directions for w in ways)


def screen(space: Space, oracle: Oracle, seed: int) -> Screened:
    """Test all levers of ``space`` (its directions are not used) on the first replications of the sample."""
    targets, levers = range(len(oracle.sizes)), range(len(space.costs))
    alone = {j: _ladder(space, j) for j in levers}
    points = list(dict.fromkeys([space.present, *(p for own in alone.values() for p in own)]))
    found = _simulated(oracle, points)
    pairs = [
        pair for j in levers for low, high in pairwise(alone[j]) for pair in _pairs(found, j, "present", low, high)
    ]
    base = tuple(oracle.margins([space.present], t, 0, oracle.sizes[t])[0] for t in targets)
    gains = _gains(space, oracle, found, alone)
    for number in range(CHAINS):
        ends = [_end(space, pairs, j, gains) for j in levers]
        u = Streams(seed, 0).uniforms("seek", "chain", number, len(ends))
        chain = [space.present]
        for j in np.argsort(u, kind="stable").tolist():
            chain.append((*chain[-1][:j], ends[j], *chain[-1][j + 1 :]))
        chain = list(dict.fromkeys(chain))
        found |= _simulated(oracle, [p for p in chain if p not in found])
        for before, after in pairwise(chain):
            j = next(j for j in levers if before[j] != after[j])
            low, high = sorted((before, after), key=lambda p: p[j])
            pairs += _pairs(found, j, f"chain {number + 1}", low, high)
    directions = [[_direction(pairs, t, j) for j in levers] for t in targets]
    sure = [[_never_other(pairs, t, j, directions[t][j]) for j in levers] for t in targets]
    return Screened(
        tuple(map(tuple, directions)), tuple(map(tuple, sure)), tuple(map(tuple, gains)), base, tuple(pairs)
    )


def _ladder(space: Space, j: int) -> list[Point]:
    """Present levels with lever j at its ends, at present, and between: at every level if there are few."""
    own, at = len(space.costs[j]), space.present[j]
    between = (at + own - 1) // 2 if at < own - 1 else at // 2
    levels = range(own) if own <= FEW_LEVELS else sorted({0, at, between, own - 1})
    return [(*space.present[:j], k, *space.present[j + 1 :]) for k in levels]


def _simulated(oracle: Oracle, points: Sequence[Point]) -> dict[Point, list[Floats]]:
    """Margins of every target at every point on the screening replications."""
    by_target = [oracle.margins(points, t, 0, n) for t, n in enumerate(oracle.screened)]
    return {p: [own[i] for own in by_target] for i, p in enumerate(points)}


def _pairs(found: dict[Point, list[Floats]], j: int, context: str, low: Point, high: Point) -> list[Pair]:
    made = []
    for t, (before, after) in enumerate(zip(found[low], found[high], strict=True)):
        change = after - before
        error = float(change.std(ddof=1) / np.sqrt(len(change))) if len(change) > 1 else 0.0
        rises, falls = int((change > 0).sum()), int((change < 0).sum())
        lost, gained = int(((before >= 0) & (after < 0)).sum()), int(((before < 0) & (after >= 0)).sum())
        made.append(
            Pair(t, j, context, low, high, rises, falls, lost, gained, float(change.mean()), error, len(change))
        )
    return made


def _gains(
    space: Space, oracle: Oracle, found: dict[Point, list[Floats]], ladders: dict[int, list[Point]]
) -> list[list[Floats]]:
    """What a level adds on average, read off the simulated levels and straight lines between."""
    gains = []
    for t in range(len(oracle.sizes)):
        here = found[space.present][t]
        own = []
        for j, ladder in ladders.items():
            means = [float((found[p][t] - here).mean()) for p in ladder]
            own.append(np.interp(np.arange(len(space.costs[j])), [p[j] for p in ladder], means))
        gains.append(own)
    return gains


def _end(space: Space, pairs: Sequence[Pair], j: int, gains: Sequence[Sequence[Floats]]) -> int:
    """The end of lever j that chains lead to: the better one for the first target that it moves; else the higher."""
    for t, own in enumerate(gains):
        way = _direction(pairs, t, j)
        if way is None:
            return int(np.argmax(own[j]))
        if way:
            return len(space.costs[j]) - 1 if way > 0 else 0
    return len(space.costs[j]) - 1 if space.present[j] < len(space.costs[j]) - 1 else 0


def _direction(pairs: Sequence[Pair], target: int, lever: int) -> Direction:
    own = [p for p in pairs if p.target == target and p.lever == lever]
    if not any(p.rises or p.falls for p in own):
        return 0
    total = fsum(p.mean for p in own)
    for way in (1, -1) if total >= 0 else (-1, 1):
        if not any(_significant(p, -way, len(pairs)) for p in own):
            return way
    return None


def _significant(pair: Pair, way: int, of: int) -> bool:
    """Whether the mean change of a pair goes ``way`` beyond chance, with the error spent over ``of`` pairs."""
    if way * pair.mean <= 0:
        return False
    if pair.error == 0 or pair.count < 2:
        return True
    return way * pair.mean / pair.error > float(stats.t.ppf(1 - ERROR / max(of, 1), pair.count - 1))


def _never_other(pairs: Sequence[Pair], target: int, lever: int, way: Direction) -> bool:
    if way is None:
        return False
    own = [p for p in pairs if p.target == target and p.lever == lever]
    return not any(p.falls if way >= 0 else p.rises for p in own) and (way != 0 or not any(p.rises for p in own))
