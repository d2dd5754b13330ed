"""The search for the cheapest levers: the model proposes, the simulation tests on the same draws, until they agree.

First the response surface leads to a choice that holds in the sample. Then it is asked whether anything cheaper could:
where few enough points are left, all of them are tested in the order of their cost (``systematic``: a proof that needs
no assumption); else those which no test excludes by the tested directions of the levers (``monotone``). What the limit
of tests leaves open is told as a lower bound of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from zjsim.decide.seek_space import Floats, Oracle, Point, Space, Trial, satisfies
from zjsim.decide.seek_surface import Surface
from zjsim.models.lever_choice import Cut, LeverChoice, choose

MOST_LISTED = 200_000
"""Points that are listed one by one; with more the model alone proposes."""
PATIENCE = 6
"""Proposals of the surface that fail one after another before the points are gone through one by one."""
LEAST_GAIN = 0.02
"""Where points cannot be listed, a cheaper proposal saves at least this part of the cost: the bound tells the rest."""
LOOKS = (6, 2, 1)
"""A test looks at a sixth of the sample, at half of it, at all: what cannot pass any more is let go."""
HAIR = 1e-9


@dataclass(frozen=True)
class Found:
    """Where a search ended: the cheapest point that passed (None: none did), a lower bound of the cost of any that
    does, and by what it is proven that nothing is cheaper (``systematic``, ``monotone`` or nothing)."""

    best: Trial | None
    bound: float
    proof: str


@dataclass
class Search:
    """A search in ``space``, tested by ``oracle`` in at most ``most_tests`` points; ``needed[t]`` of its replications.

    ``tested`` and ``cuts`` stay from one question to the next: what failed for less also fails for more.
    """

    space: Space
    oracle: Oracle
    surface: Surface
    needed: tuple[int, ...]
    jointly: bool
    most_tests: int
    tested: dict[Point, Trial] = field(default_factory=dict)
    cuts: list[Cut] = field(default_factory=list)

    def require(self, needed: Sequence[int]) -> None:
        """Ask for more replications than before; what passed is looked at again, what failed has failed."""
        self.needed = tuple(needed)
        for point, found in list(self.tested.items()):
            if found.passed and not self._passes(found):
                self.tested[point] = found = replace(found, passed=False)
                self._exclude(found, self._failing(found))

    @property
    def left(self) -> int:
        """Tests that are left."""
        return self.most_tests - len(self.tested)

    def test(self, point: Point, why: str, beat: float = -1.0, *, whole: bool = False) -> Trial:
        """Simulate a point on the sample; ``beat``: let it go as soon as its share cannot exceed this one; ``whole``:
        make all replications, whatever comes of them."""
        before = self.tested.get(point)
        if before is not None and (before.whole or (not whole and self._settled(before, beat))):
            return before
        sizes, targets = self.oracle.sizes, range(len(self.needed))
        margins: list[Floats] = [np.zeros(0) for _ in targets]
        going = True
        for part in LOOKS:
            for t in targets:
                count = ceil(sizes[t] / part) - len(margins[t])
                if going and count > 0:
                    more = self.oracle.margins([point], t, len(margins[t]), count)[0]
                    margins[t] = np.concatenate([margins[t], more])
                    going = whole or (self._can_pass(margins, t) if beat < 0 else self._can_beat(margins, t, beat))
        found = self._tested(point, margins, why)
        self.tested[point] = found
        failed = self._failing(found)
        self._exclude(found, failed)
        self.surface.learn(point, margins, self.needed, failed)
        return found

    def _settled(self, found: Trial, beat: float = -1.0) -> bool:
        """Whether more replications would change nothing: all are made, or enough of them failed."""
        if found.whole or (beat < 0 and self._failing(found)):
            return True
        return beat >= 0 and self._most_share(found) <= beat

    def _most_share(self, found: Trial) -> float:
        """The share that the point can still reach."""
        sizes = self.oracle.sizes
        alone = min(1 - (n - m) / size for m, n, size in zip(found.met, found.made, sizes, strict=True))
        if self.jointly:
            return min(alone, 1 - (min(found.made) - found.met_jointly) / sizes[0])
        return alone

    def _tested(self, point: Point, margins: Sequence[Floats], why: str) -> Trial:
        met, made = tuple(int((m >= 0).sum()) for m in margins), tuple(len(m) for m in margins)
        fewest = min(made)
        both = int(np.logical_and.reduce([m[:fewest] >= 0 for m in margins]).sum())
        whole = made == tuple(self.oracle.sizes)
        found = Trial(point, self.space.cost(point), met, made, both, False, whole, why)
        return replace(found, passed=self._passes(found))

    def _passes(self, found: Trial) -> bool:
        if not found.whole:
            return False
        if self.jointly:
            return found.met_jointly >= self.needed[0]
        return all(m >= n for m, n in zip(found.met, self.needed, strict=True))

    def _can_pass(self, margins: Sequence[Floats], t: int) -> bool:
        return int((margins[t] < 0).sum()) <= self.oracle.sizes[t] - self.needed[t]

    def _can_beat(self, margins: Sequence[Floats], t: int, beat: float) -> bool:
        return 1 - int((margins[t] < 0).sum()) / self.oracle.sizes[t] > beat

    def _failing(self, found: Trial) -> list[int]:
        """Targets that cannot be met as often as asked any more; jointly (where each could) the one met least often."""
        sizes = self.oracle.sizes
        alone = [t for t in range(len(self.needed)) if found.made[t] - found.met[t] > sizes[t] - self.needed[t]]
        if self.jointly and not alone and min(found.made) - found.met_jointly > sizes[0] - self.needed[0]:
            return [found.worst()]
        return alone

    def _exclude(self, found: Trial, failed: Sequence[int]) -> None:
        """What a failed point excludes: all that is not better for a target that failed; jointly, for any of them."""
        if self.jointly and failed:
            ways = [self.space.better(found.point, t) for t in range(len(self.needed))]
            self.cuts.append(frozenset().union(*ways))
        else:
            self.cuts += [self.space.better(found.point, t) for t in failed]

    def cheapest(self) -> Found:
        """The cheapest point that passes, and what is proven."""
        best = min((t for t in self.tested.values() if t.passed), key=_order, default=None)
        listed = self.space.points() if self.space.size <= MOST_LISTED else None
        in_vain = 0
        while self.left > 0 and (listed is None or in_vain < PATIENCE):
            proposal = choose(self._question(best))
            if proposal is None:
                break
            found = self.test(proposal, "proposed")
            in_vain = 0 if found.passed else in_vain + 1
            if found.passed:
                best = found
        if listed is None:
            return Found(best, self._bound(best), "")
        return self._listed(best, listed)

    def _question(self, best: Trial | None) -> LeverChoice:
        responses = self.surface.responses()
        sizes = zip(self.needed, self.oracle.sizes, responses, strict=True)
        needed = tuple(ceil(n * len(r.base) / size - HAIR) for n, size, r in sizes)
        saved = HAIR * max(1.0, 0.0 if best is None else best.cost)
        if best is not None and self.space.size > MOST_LISTED:
            saved = max(saved, LEAST_GAIN * best.cost)
        budget = None if best is None else best.cost - saved
        cuts = (*dict.fromkeys(self.cuts), *(self.space.others(p) for p, t in self.tested.items() if self._settled(t)))
        if budget is not None and budget < 0:
            cuts = (frozenset(),)
        return LeverChoice(self.space.costs, responses, needed, self.jointly, budget, cuts)

    def _bound(self, best: Trial | None) -> float:
        """No point that passes costs less (if the levers' directions hold): the cheapest that no test excludes."""
        proposal = choose(LeverChoice(self.space.costs, (), (), False, None, tuple(dict.fromkeys(self.cuts))))
        bound = inf if proposal is None else self.space.cost(proposal)
        return bound if best is None else min(bound, best.cost)

    def _listed(self, best: Trial | None, points: NDArray[np.int64]) -> Found:
        """Go through the points that are left and cheaper than what is known."""
        costs = self.space.costs_of(points)
        settled = {p for p, t in self.tested.items() if self._settled(t)}
        open_ = np.array([tuple(p) not in settled for p in points.tolist()])
        open_ &= costs < (inf if best is None else best.cost) - HAIR
        if int(open_.sum()) <= self.left:
            for p in points[open_].tolist():
                found = self.test(tuple(p), "systematic")
                if found.passed:
                    return Found(found, found.cost, "systematic")
            return Found(best, inf if best is None else best.cost, "systematic")
        used = 0
        while True:
            for cut in dict.fromkeys(self.cuts[used:]):
                open_ &= satisfies(points, cut)
            used = len(self.cuts)
            open_ &= costs < (inf if best is None else best.cost) - HAIR
            if not open_.any():
                return Found(best, inf if best is None else best.cost, "monotone")
            if self.left <= 0:
                return Found(best, float(costs[open_].min()), "")
            point = self._most_promising(points[open_])
            found = self.test(point, "proof")
            open_[(points == point).all(axis=1)] = False
            if found.passed:
                best = found

    def _most_promising(self, points: NDArray[np.int64]) -> Point:
        """The point that is predicted to do best: if it fails, all below it fail."""
        worth = np.full(len(points), inf)
        for t, gains in enumerate(self.surface.gains):
            scale = max(float(np.ptp(self.surface.base[t])), 1e-12)
            worth = np.minimum(worth, sum(own[points[:, j]] for j, own in enumerate(gains)) / scale)
        return tuple(points[int(np.argmax(worth))].tolist())

    def look_within(self, budget: float) -> None:
        """Test the one point within ``budget`` that the surface thinks best, for a picture of what budgets buy."""
        within = budget + HAIR * max(1.0, budget)
        if self.space.size <= MOST_LISTED:
            points = self.space.points()
            point: Point | None = self._most_promising(points[self.space.costs_of(points) <= within])
        else:
            responses = self.surface.responses()
            point = choose(
                LeverChoice(self.space.costs, responses, self.needed, self.jointly, budget, (), by_budget=True)
            )
        if point is not None and self.left > 0:
            self.test(point, "frontier", whole=True)

    def best_within(self, budget: float) -> Found:
        """The point within ``budget`` that is met most often in the sample."""
        affordable = [t for t in self.tested.values() if t.whole and t.cost <= budget + HAIR * max(1.0, budget)]
        best = max(affordable, key=lambda t: (t.share(self.jointly), -t.cost), default=None)
        for _ in range(PATIENCE):
            if self.left <= 0:
                break
            share = -1.0 if best is None else best.share(self.jointly)
            done = [p for p, t in self.tested.items() if self._settled(t, max(share, 0.0))]
            cuts, responses = tuple(self.space.others(p) for p in done), self.surface.responses()
            question = LeverChoice(self.space.costs, responses, self.needed, self.jointly, budget, cuts, by_budget=True)
            proposal = choose(question)
            if proposal is None or share >= 1 or self.surface.share(proposal, self.jointly) < share:
                break
            best = self._better(best, self.test(proposal, "proposed", max(share, 0.0)))
        if self.space.size > MOST_LISTED:
            return Found(best, inf, "")
        return self._listed_within(budget, best)

    def _better(self, best: Trial | None, found: Trial) -> Trial | None:
        if not found.whole or (best is not None and found.share(self.jointly) <= best.share(self.jointly)):
            return best
        return found

    def _listed_within(self, budget: float, best: Trial | None) -> Found:
        points = self.space.points()
        points = points[self.space.costs_of(points) <= budget + HAIR * max(1.0, budget)]
        while True:
            share = -1.0 if best is None else best.share(self.jointly)
            done = {p for p, t in self.tested.items() if self._settled(t, max(share, 0.0))}
            open_ = np.array([tuple(p) not in done for p in points.tolist()])
            systematic = int(open_.sum()) <= self.left
            if not systematic:
                for found in self.tested.values():
                    if self._most_share(found) <= share:
                        worst = range(len(self.needed)) if self.jointly else (found.worst(),)
                        open_ &= satisfies(
                            points, frozenset().union(*(self.space.better(found.point, t) for t in worst))
                        )
            if share >= 1 or not open_.any():
                return Found(best, inf, "systematic" if systematic else "monotone")
            if self.left <= 0:
                return Found(best, inf, "")
            best = self._better(best, self.test(self._most_promising(points[open_]), "proof", max(share, 0.0)))


def _order(found: Trial) -> tuple[float, Point]:
    return found.cost, found.point
