"""From a search to an answer: what holds on fresh replications, what is refuted, what a budget buys.

A proposal *holds* if the lower bound of its probability on replications that the search never saw is at least what is
asked less ``delta``. The bound is one-sided by Clopper and Pearson: at 95 % for the first proposal, at 97.5 % for the
second, 98.75 % for the third, so that the chance of any wrong "holds" stays below 10 % however often it is tried. A
proposal that does not hold raises what is asked of the sample, and the search goes on.

*Refuted* is said only where every lever was found to be monotone: then no point does better for a target than the one
with all levers at their best ends; it is refuted if the upper bound (95 %) of that one lies below what is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil, fsum

import numpy as np

from zjsim.decide.seek_monotone import Screened, screen
from zjsim.decide.seek_search import Found, Search
from zjsim.decide.seek_space import Oracle, Part, Point, Space, Trial
from zjsim.decide.seek_surface import Surface
from zjsim.simulate.statistics import clopper_pearson

FRESH = 1_000_000
"""Fresh replications of the first confirmation begin here, those of the second at twice this number, and so on."""
ERROR = 0.05
PARTS = (0.1, 0.3, 1.0)
"""A confirmation looks at these parts of its replications: what cannot hold any more is let go."""
HOLDS, REFUTED, NOT_FOUND, BEST = "holds", "refuted", "not_found", "best_for_budget"


@dataclass(frozen=True)
class Wanted:
    """What is asked: a probability for each target or ``jointly``, ``delta``, and how much may be simulated.

    ``confirm`` fresh replications; at most ``tests`` points on the sample, ``attempts`` confirmations; ``frontier``:
    budgets looked at for the frontier (0: none), confirmed on fresh replications if ``confirm_frontier``.
    """

    probability: float
    delta: float
    confirm: int
    tests: int
    attempts: int = 3
    jointly: bool = False
    budget: float | None = None
    frontier: int = 6
    confirm_frontier: bool = False


@dataclass(frozen=True)
class Fresh:
    """A point on fresh replications from ``first`` on: successes of each target and jointly, how many were made.

    ``lows`` and ``highs``: one-sided bounds at ``confidence`` of each target, or of all jointly (one entry);
    ``margins``: mean, 5 % and 95 % quantile of each target's margin.
    """

    point: Point
    attempt: int
    first: int
    made: int
    met: tuple[int, ...]
    met_jointly: int
    confidence: float
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    holds: bool
    why: str
    margins: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Answer:
    """The verdict, the point it is about, and all that was simulated on the way. Points have all levers."""

    verdict: str
    point: Point
    found: Found
    screened: Screened
    tested: tuple[Trial, ...]
    fresh: tuple[Fresh, ...]
    frontier: tuple[Trial, ...]
    kept: tuple[int, ...]
    why: str = ""
    needed: tuple[int, ...] = ()


@dataclass
class _Confirming:
    oracle: Oracle
    wanted: Wanted
    made: list[Fresh] = field(default_factory=list)

    def __call__(self, point: Point, why: str, to_hold: bool = True) -> Fresh:
        """Simulate a point on replications of its own; to let go what cannot hold is only for what has to hold."""
        w, attempt = self.wanted, 1 + len(self.made)
        tries = 1 + sum(f.why == "proposal" for f in self.made)
        confidence = 1 - ERROR / 2 ** (tries - 1) if why == "proposal" else 1 - ERROR
        targets, first = range(len(self.oracle.sizes)), FRESH * attempt
        least = holds_from(w.confirm, w.probability - w.delta, confidence)
        margins = np.zeros((len(targets), 0))
        for part in PARTS:
            count = ceil(w.confirm * part) - margins.shape[1]
            more = [self.oracle.margins([point], t, first + margins.shape[1], count)[0] for t in targets]
            margins = np.concatenate([margins, np.array(more)], axis=1)
            met = margins >= 0
            counted = met.all(axis=0, keepdims=True) if w.jointly else met
            lost = met.shape[1] - int(counted.sum(axis=1).min())
            if to_hold and lost > w.confirm - least:
                break
        made = met.shape[1]
        successes = [int(c) for c in counted.sum(axis=1)]
        bounds = [clopper_pearson(s, made, 2 * confidence - 1) for s in successes]
        whole = made == w.confirm
        found = Fresh(
            point, attempt, first, made, tuple(int(s) for s in met.sum(axis=1)), int(met.all(axis=0).sum()), confidence,
            tuple(b[0] for b in bounds), tuple(b[1] for b in bounds),
            whole and all(b[0] >= w.probability - w.delta for b in bounds), why,
            tuple((float(m.mean()), float(np.quantile(m, 0.05)), float(np.quantile(m, 0.95))) for m in margins),
        )  # fmt: skip
        self.made.append(found)
        return found


def holds_from(count: int, asked: float, confidence: float) -> int:
    """The fewest successes of ``count`` whose one-sided lower bound is at least ``asked`` (count + 1: not even all)."""
    low, high = 0, count + 1
    while low < high:
        middle = (low + high) // 2
        if clopper_pearson(middle, count, 2 * confidence - 1)[0] >= asked:
            high = middle
        else:
            low = middle + 1
    return low


def answer(space: Space, oracle: Oracle, wanted: Wanted, seed: int) -> Answer:
    """Screen the levers of ``space`` (its directions are not used), search, confirm, refute; then the frontier."""
    screened = screen(space, oracle, seed)
    kept = _kept(space, screened, wanted.tests)
    part = Part(oracle, space.present, kept)
    inner = Space(
        tuple(space.costs[j] for j in kept),
        tuple(space.present[j] for j in kept),
        tuple(tuple(ways[j] for j in kept) for ways in screened.directions),
    )
    surface = Surface(screened.base, [[own[j] for j in kept] for own in screened.gains])
    needed = tuple(ceil(wanted.probability * n - 1e-9) for n in oracle.sizes)
    search = Search(inner, part, surface, needed, wanted.jointly, wanted.tests)
    search.test(inner.present, "present", whole=True)
    confirming = _Confirming(part, wanted)
    if wanted.budget is not None:
        verdict, why, found, point = _within(search, confirming, wanted.budget)
    else:
        verdict, why, found, point = _cheapest(search, confirming, screened, needed)
    frontier = _frontier(search, confirming, found, wanted) if wanted.frontier else []
    return Answer(
        verdict=verdict,
        point=part.full(point),
        found=found,
        screened=screened,
        tested=tuple(_whole(part, t) for t in search.tested.values()),
        fresh=tuple(_full(part, f) for f in confirming.made),
        frontier=tuple(_whole(part, t) for t in frontier),
        kept=kept,
        why=why,
        needed=search.needed,
    )


def _kept(space: Space, screened: Screened, tests: int) -> tuple[int, ...]:
    """Levers that are searched: all where every point can be tested anyway, else those that moved a target (or one)."""
    everything = tuple(range(len(space.costs)))
    if space.size <= tests:
        return everything
    return tuple(j for j in everything if any(ways[j] != 0 for ways in screened.directions)) or everything[:1]


def _cheapest(
    search: Search, confirming: _Confirming, screened: Screened, asked: Sequence[int]
) -> tuple[str, str, Found, Point]:
    w, found, point = confirming.wanted, Found(None, 0.0, ""), search.space.present
    for best_end in dict.fromkeys(search.space.corner(t) for t in range(len(search.needed))):
        search.test(best_end, "corner")  # where the levers have directions and this fails, nothing is left to search
    for _ in range(w.attempts):
        found = search.cheapest()
        if found.best is None:
            if tuple(search.needed) == tuple(asked):
                return _refuted(search, confirming, screened, found)
            return NOT_FOUND, "tightened", found, _best(search).point
        point = found.best.point
        fresh = confirming(point, "proposal")
        if fresh.holds:
            return HOLDS, "", found, point
        search.require(_tightened(search, fresh, w))
        if any(n > size for n, size in zip(search.needed, search.oracle.sizes, strict=True)):
            return NOT_FOUND, "sample", found, point
    return NOT_FOUND, "attempts", found, point


def _tightened(search: Search, fresh: Fresh, w: Wanted) -> tuple[int, ...]:
    """What the sample has to show next: more by what the fresh replications fell short of."""
    share = holds_from(w.confirm, w.probability - w.delta, 1 - ERROR / 2 ** (fresh.attempt)) / w.confirm
    met = [fresh.met_jointly] * len(fresh.met) if w.jointly else list(fresh.met)
    found = []
    for needed, size, m in zip(search.needed, search.oracle.sizes, met, strict=True):
        short = share - m / fresh.made
        found.append(needed + max(1, ceil(short * size)) if short > 0 else needed)
    return tuple(found) if tuple(found) != tuple(search.needed) else tuple(n + 1 for n in search.needed)


def _refuted(
    search: Search, confirming: _Confirming, screened: Screened, found: Found
) -> tuple[str, str, Found, Point]:
    """Nothing passes: is that so for certain? The best end of every lever is tested on fresh replications."""
    w, space = confirming.wanted, search.space
    corners = list(dict.fromkeys(space.corner(t) for t in range(len(search.needed))))
    for point in corners:
        search.test(point, "corner", whole=True)
    best = max((search.tested[p] for p in corners), key=lambda t: t.share(w.jointly))
    lowest = 2.0
    for point in corners:
        fresh = confirming(point, "corner", to_hold=False)
        if fresh.holds:
            kept = Found(search.tested[point], found.bound, "")
            return HOLDS, "corner", kept, point
        for t in range(len(search.needed)):  # all together are met no more often than each by itself
            if space.corner(t) == point:
                lowest = min(lowest, clopper_pearson(fresh.met[t], fresh.made, 1 - 2 * ERROR)[1])
        if len(corners) == 1:
            lowest = min(lowest, *fresh.highs)
    if not screened.monotone:
        if space.size <= w.tests:  # few enough choices to say which of all is met most often
            best = search.best_within(float(fsum(own.max() for own in space.costs))).best or best
        return NOT_FOUND, "not_monotone", found, max(_best(search), best, key=lambda t: t.share(w.jointly)).point
    if lowest < w.probability:
        return REFUTED, "", found, best.point
    return NOT_FOUND, "near" if found.proof else "tests", found, best.point


def _best(search: Search) -> Trial:
    whole = [t for t in search.tested.values() if t.whole] or list(search.tested.values())
    return max(whole, key=lambda t: (t.share(search.jointly), -t.cost))


def _within(search: Search, confirming: _Confirming, budget: float) -> tuple[str, str, Found, Point]:
    found = search.best_within(budget)
    point = search.space.present if found.best is None else found.best.point
    confirming(point, "budget", to_hold=False)
    return BEST, found.proof, found, point


def _frontier(search: Search, confirming: _Confirming, found: Found, w: Wanted) -> list[Trial]:
    """What each of some budgets buys: the best tested points, none of which costs more and is met less often.

    Every budget is half of the next: the first points buy most.
    """
    ends = [search.space.corner(t) for t in range(len(search.needed))]
    top = max(search.space.cost(p) for p in ends)
    if found.best is not None and w.budget is None:
        top = min(top, 2 * found.best.cost)
    for k in range(1, w.frontier + 1 if top > 0 else 1):
        search.look_within(top / 2 ** (w.frontier - k))
    kept: list[Trial] = []
    for trial in sorted((t for t in search.tested.values() if t.whole), key=lambda t: (t.cost, -t.share(w.jointly))):
        if not kept or trial.share(w.jointly) > kept[-1].share(w.jointly):
            kept.append(trial)
    if w.confirm_frontier:
        done = {f.point for f in confirming.made if f.made == w.confirm}
        for trial in kept:
            if trial.point not in done:
                confirming(trial.point, "frontier", to_hold=False)
    return kept


def _whole(part: Part, trial: Trial) -> Trial:
    return replace(trial, point=part.full(trial.point))


def _full(part: Part, fresh: Fresh) -> Fresh:
    return replace(fresh, point=part.full(fresh.point))
