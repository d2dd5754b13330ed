"""The search for the cheapest levers, for any simulation that is given as a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike

from zjsim.decide.seek_answer import Answer, Wanted, answer
from zjsim.decide.seek_space import Floats, Point, Space

Margins = Callable[[Point, int, int, int], ArrayLike]
"""``margins(levels, target, first, count)``: by how much replications first … first + count - 1 meet the target."""


@dataclass(frozen=True)
class Cheapest:
    """``verdict``: ``holds``, ``refuted`` or ``not_found`` (with a budget ``best_for_budget``); ``levels``: the one of
    every lever, that the verdict is about, with its ``cost``; ``share``: of the sample's replications that it meets.

    ``bound``: no choice that passes in the sample costs less; ``proof``: by what that is known (``systematic``: every
    cheaper one was simulated; ``monotone``: as far as the levers' tested directions hold; empty: a bound only).
    ``low``: lower bound of the probability on fresh replications (the least of the targets'; None: none were made).
    ``details``: all that was simulated on the way.
    """

    verdict: str
    levels: Point
    cost: float
    share: float
    bound: float
    proof: str
    low: float | None
    details: Answer


@dataclass(frozen=True)
class _Given:
    """A simulation given as a function, in the form in which a search asks."""

    simulate: Margins
    sizes: tuple[int, ...]
    screened: tuple[int, ...]

    def margins(self, points: Sequence[Point], target: int, first: int, count: int) -> list[Floats]:
        return [self._one(p, target, first, count) for p in points]

    def _one(self, point: Point, target: int, first: int, count: int) -> Floats:
        found = np.asarray(self.simulate(point, target, first, count), dtype=np.float64)
        if found.shape != (count,) or np.isnan(found).any():
            raise ValueError(f"margins at {point} must be {count} numbers, not {found.shape} or with missing ones")
        return found


def cheapest_levers(
    costs: Sequence[ArrayLike],
    margins: Margins,
    *,
    targets: int = 1,
    present: Sequence[int] = (),
    probability: float = 0.9,
    jointly: bool = False,
    budget: float | None = None,
    delta: float = 0.02,
    sample: int = 100,
    confirm: int = 1000,
    tests: int = 1000,
    seed: int = 0,
) -> Cheapest:
    """The cheapest level of every lever with which each target (``jointly``: all at once) is met with ``probability``.

    ``costs[j][k]``: cost of level k of lever j, 0 at ``present[j]`` (the first level of each if not given).
    ``margins(levels, target, first, count)`` returns the margins of ``count`` replications from ``first`` on, met where
    not negative; replication n must be the same future for all levels (common random numbers). ``sample`` replications
    decide the search, in at most ``tests`` choices; the answer *holds* if the lower bound (95 %) of ``confirm`` fresh
    replications (their numbers begin at a million) is at least ``probability`` - ``delta``. With ``budget``: the choice
    within it that is met most often. If all choices are at most ``tests``, nothing is assumed of the simulation.

    Raises ``ValueError`` for what does not fit.
    """
    given = tuple(np.asarray(c, dtype=np.float64) for c in costs)
    at = tuple(int(k) for k in present) or (0,) * len(given)
    if not given or any(c.ndim != 1 or not len(c) or not np.isfinite(c).all() or (c < 0).any() for c in given):
        raise ValueError("costs must be a list of levers, each a list of the costs of its levels, none negative")
    if len(at) != len(given) or any(not 0 <= k < len(c) or c[k] != 0 for k, c in zip(at, given, strict=True)):
        raise ValueError(f"present must name a level of every lever that costs nothing, not {at}")
    if not (0 < probability < 1 and 0 < delta < probability and targets >= 1 and sample >= 10 and tests >= 1):
        raise ValueError("wanted 0 < delta < probability < 1, a target, 10 sample replications or more, and a test")
    if budget is not None and not (isfinite(budget) and budget >= 0):
        raise ValueError(f"a budget must be a number and not negative: {budget}")
    oracle = _Given(margins, (sample,) * targets, (min(8, sample),) * targets)
    space = Space(given, at, ((None,) * len(given),) * targets)
    wanted = Wanted(probability, delta, confirm, tests, jointly=jointly, budget=budget, frontier=0)
    found = answer(space, oracle, wanted, seed)
    tested = next((t for t in found.tested if t.point == found.point), None)
    fresh = next((f for f in reversed(found.fresh) if f.point == found.point), None)
    return Cheapest(
        verdict=found.verdict,
        levels=found.point,
        cost=space.cost(found.point),
        share=tested.share(jointly) if tested is not None else float("nan"),
        bound=found.found.bound,
        proof=found.found.proof,
        low=min(fresh.lows) if fresh is not None else None,
        details=found,
    )
