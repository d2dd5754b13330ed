"""The search for levers equals trying everything, whether targets rise with the levers or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest

from zjsim.decide.seek_search import Search
from zjsim.decide.seek_space import Direction, Floats, Point, Space
from zjsim.decide.seek_surface import Surface

REPLICATIONS = 20


@dataclass
class Toy:
    """An oracle over a formula: margin of a target at a point in a replication; counts what is asked of it."""

    margin: Callable[[Point, int, int], float]
    targets: int
    count: int = REPLICATIONS
    asked: int = 0

    @property
    def sizes(self) -> tuple[int, ...]:
        return (self.count,) * self.targets

    @property
    def screened(self) -> tuple[int, ...]:
        return (min(8, self.count),) * self.targets

    def margins(self, points: Sequence[Point], target: int, first: int, count: int) -> list[Floats]:
        self.asked += len(points) * count
        return [np.array([self.margin(p, target, r) for r in range(first, first + count)]) for p in points]


@dataclass(frozen=True)
class Case:
    """A random toy: at most four levers of two to four levels, one or two targets."""

    costs: tuple[Floats, ...]
    margin: Callable[[Point, int, int], float]
    targets: int
    jointly: bool
    needed: int

    def space(self, direction: Direction) -> Space:
        ways = tuple((direction,) * len(self.costs) for _ in range(self.targets))
        return Space(self.costs, (0,) * len(self.costs), ways)

    def share(self, point: Point) -> float:
        met = np.array([[self.margin(point, t, r) >= 0 for r in range(REPLICATIONS)] for t in range(self.targets)])
        return float(met.all(axis=0).mean()) if self.jointly else float(met.mean(axis=1).min())

    def everything(self) -> list[tuple[float, float]]:
        """(cost, share met) of every point."""
        points = product(*(range(len(c)) for c in self.costs))
        return [(sum(float(c[k]) for c, k in zip(self.costs, p, strict=True)), self.share(p)) for p in points]


def random_case(seed: int, *, monotone: bool) -> Case:
    """Levers add what their levels are worth, more or less in every replication, and some more together.

    Monotone: every step up helps in every replication; else levels are worth what chance gives them.
    """
    rng = np.random.default_rng(seed)
    levers, targets = int(rng.integers(1, 5)), int(rng.integers(1, 3))
    levels = [int(n) for n in rng.integers(2, 5, levers)]
    costs = tuple(np.concatenate([[0.0], np.cumsum(rng.integers(1, 9, n - 1))]) for n in levels)
    worth = [
        [np.concatenate([[0.0], np.cumsum(rng.random(n - 1))]) if monotone else rng.normal(0, 1, n) for n in levels]
        for _ in range(targets)
    ]
    together = rng.random((targets, levers, levers)) * 0.3
    if not monotone:
        together *= rng.normal(0, 2)
    noise, feel = rng.normal(0, 0.7, (targets, REPLICATIONS)), 0.5 + rng.random((targets, REPLICATIONS, levers))
    wanted = float(rng.random()) * levers * 0.8

    def margin(point: Point, target: int, replication: int) -> float:
        r = replication % REPLICATIONS
        v = np.array([worth[target][j][k] for j, k in enumerate(point)])
        return float(noise[target, r] - wanted + (feel[target, r] * v).sum() + v @ together[target] @ v)

    needed = int(REPLICATIONS * rng.choice([0.5, 0.8, 0.9]))
    return Case(costs, margin, targets, bool(rng.random() < 0.4), needed)


def search_of(case: Case, *, monotone: bool, tests: int) -> Search:
    oracle = Toy(case.margin, case.targets)
    space = case.space(1 if monotone else None)
    base = [oracle.margins([space.present], t, 0, oracle.count)[0] for t in range(case.targets)]
    gains = [[np.linspace(0.0, 1.0, len(own)) for own in case.costs] for _ in range(case.targets)]
    return Search(space, oracle, Surface(base, gains), (case.needed,) * case.targets, case.jointly, tests)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("monotone", "tests"), [(True, 14), (True, 300), (False, 300)])
def test_the_cheapest_is_that_of_trying_everything(seed: int, monotone: bool, tests: int) -> None:
    case = random_case(seed, monotone=monotone)
    passing = [cost for cost, share in case.everything() if share * 20 >= case.needed - 1e-9]
    found = search_of(case, monotone=monotone, tests=tests).cheapest()
    if tests == 300:
        assert found.proof
    if found.proof:
        assert (found.best.cost if found.best else None) == (min(passing) if passing else None)
    else:
        assert found.bound <= min(passing, default=np.inf)
        assert found.best is None or found.best.cost in passing


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("monotone", [True, False])
def test_the_best_for_a_budget_is_that_of_trying_everything(seed: int, monotone: bool) -> None:
    case = random_case(100 + seed, monotone=monotone)
    budget = float(np.random.default_rng(seed).integers(0, 20))
    found = search_of(case, monotone=monotone, tests=300).best_within(budget)
    assert found.best is not None
    assert found.best.cost <= budget
    assert found.best.share(case.jointly) == max(share for cost, share in case.everything() if cost <= budget)
