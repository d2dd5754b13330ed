"""Search for the best schools to give extra seats to: take some back, give them out again by their best use in blocks.

One seat at a time is a poor guide: five seats at a school may free a chain that the first four don't. So seats are
given out in blocks, to where a block wins most ranks per seat, with some noise; the number taken back varies from one
to all. The work is counted in chains evaluated, so the same seed gives the same result unless the clock stops it.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence

from zjsim.models.stable_market import Market, State

_BLOCKS = (1, 3, 5, 10, 20, 40)
_PATIENCE = 400
_TEMPERATURE = 0.3


class Search:
    """Best seats found for a market; the market is left with them in place."""

    def __init__(self, market: Market, n_extra: int, most_added: Sequence[int], *, seed: int, deadline: float):
        self.market = market
        self.base = market.save()
        self.most = [given + most for given, most in zip(market.seats, most_added, strict=True)]
        self.n_extra = min(n_extra, sum(most_added))
        self.draw = random.Random(seed)
        self.deadline = deadline
        self.chains = 0
        self.best: State = self.base

    @property
    def added(self) -> list[int]:
        """Seats added per school in the best state found."""
        return [now - given for now, given in zip(self.best.seats, self.base.seats, strict=True)]

    def out_of_time(self) -> bool:
        """Whether the clock, a cap only, has run out (monotonic seconds)."""
        return time.monotonic() >= self.deadline

    def offer(self, added: Sequence[int]) -> None:
        """Take a solution found elsewhere if it is better (no solution is an empty one)."""
        if not len(added):
            return
        self.market.restore(self.base)
        for school, number in enumerate(added):
            for _ in range(number):
                self.market.add(school)
        if self.market.total < self.best.total or self.best is self.base:
            self.best = self.market.save()

    def run(self, most_chains: int, least: int) -> None:
        """Improve until the work is used up, the clock stops it or the sum of ranks is ``least`` (proven)."""
        market, draw = self.market, self.draw
        stop = self.chains + most_chains
        current = self.best
        if current is self.base:
            current = self._anew(noise=0.0)
        stale = 0
        while self.n_extra and self.best.total > least and self.chains < stop and not self.out_of_time():
            stale += 1
            if stale > _PATIENCE:
                stale, current = 0, self._anew(noise=1.0)
            market.restore(current)
            self._hand_out(self._take_back(), noise=draw.random())
            if market.total <= current.total - _TEMPERATURE * math.log(1.0 - draw.random()):
                if market.total < current.total:
                    stale = 0
                current = market.save()
                self._keep_if_better()
        market.restore(self.best)

    def _anew(self, noise: float) -> State:
        self.market.restore(self.base)
        self._hand_out(self.n_extra, noise)
        self._keep_if_better()
        return self.market.save()

    def _keep_if_better(self) -> None:
        if self.market.total < self.best.total or self.best is self.base:
            self.best = self.market.save()

    def _take_back(self) -> int:
        """Take back some added seats, anywhere or school by school; returns how many."""
        market, draw, given = self.market, self.draw, self.base.seats
        few = draw.random() < 0.75
        number = 1 + (draw.randrange(min(10, self.n_extra)) if few else int(self.n_extra * draw.random() ** 2))
        number = left = min(number, self.n_extra)
        schools = [s for s in range(len(given)) if market.seats[s] > given[s]]
        if draw.random() < 0.5:
            while left:
                school = draw.choice([s for s in schools if market.seats[s] > given[s]])
                market.remove(school)
                left -= 1
        else:
            draw.shuffle(schools)
            for school in schools:
                while left and market.seats[school] > given[school]:
                    market.remove(school)
                    left -= 1
        self.chains += number
        return number

    def _hand_out(self, left: int, noise: float) -> None:
        """Give out seats block by block, each time the block that wins most ranks per seat (± noise)."""
        market, draw = self.market, self.draw
        while left:
            before = market.save()
            block = min(draw.choice(_BLOCKS), left)
            choice: tuple[float, int, int] | None = None
            for school, most in enumerate(self.most):
                for size in range(1, min(block, most - before.seats[school]) + 1):
                    market.add(school)
                    self.chains += 1
                    gain = (before.total - market.total) / size * (1.0 + noise * (draw.random() - 0.5))
                    if choice is None or gain > choice[0] + 1e-12:
                        choice = (gain, school, size)
                market.restore(before)
                if choice is not None and self.chains % 64 == 0 and self.out_of_time():
                    break
            if choice is None:
                return
            for _ in range(choice[2]):
                market.add(choice[1])
            left -= choice[2]
