"""The choice of levers: toys solved by hand for every rule, and a mutation test that each rule matters."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pyomo.environ as pyo
import pytest
from zjsim.models.lever_choice import RULES, LeverChoice, Response, build_lever_choice, choose

from zjsim.solve.goals import Goal, Prepared
from zjsim.solve.options import Options
from zjsim.solve.results import Optimal

COSTS = (np.array([0.0, 4.0, 9.0]), np.array([0.0, 3.0]))
# Margins today in four futures; the first lever adds 2 or 5, the second 1.
ONE = Response(np.array([-1.0, -3.0, 2.0, -6.0]), (np.array([0.0, 2.0, 5.0]), np.array([0.0, 1.0])))
# The same futures of another target, which the second lever hurts.
TWO = Response(np.array([1.0, 0.5, -2.0, 3.0]), (np.array([0.0, 2.0, 2.0]), np.array([0.0, -1.0])))


def test_the_cheapest_for_a_chance() -> None:
    # one of four is met today; the second lever meets two for 3; both at low meet three for 7; all need 9 + 3
    assert [choose(LeverChoice(COSTS, (ONE,), (n,))) for n in (1, 2, 3, 4)] == [(0, 0), (0, 1), (1, 1), (2, 1)]


def test_each_target_and_all_in_one_future() -> None:
    each = LeverChoice(COSTS, (ONE, TWO), (3, 3))
    # the second target is met in three futures today, in two with the second lever alone, in all with the first
    assert choose(each) == (1, 1)
    # in three futures both: (1, 1) gives ONE the futures 1, 2, 3 and TWO 1, 2, 4: two of them; (2, 0) gives ONE
    # futures 1, 2, 3 and TWO all
    assert choose(replace(each, jointly=True)) == (2, 0)


def test_the_best_for_a_budget() -> None:
    by_budget = LeverChoice(COSTS, (ONE,), (4,), by_budget=True)
    assert [choose(replace(by_budget, budget=b)) for b in (0.0, 3.0, 6.0, 7.0, 8.5, 12.0)] == [
        (0, 0), (0, 1), (0, 1), (1, 1), (1, 1), (2, 1),
    ]  # fmt: skip


def test_what_failed_is_not_proposed_again() -> None:
    data = LeverChoice(COSTS, (ONE,), (2,))
    not_that = frozenset({(0, 1), (0, 2), (1, 0)})  # anything but (0, 1)
    assert choose(replace(data, cuts=(not_that,))) == (1, 0)
    beyond = frozenset({(0, 2)})  # (1, 1) failed, and what is not above it
    assert choose(replace(data, cuts=(beyond,))) == (2, 0)
    assert choose(replace(data, cuts=(frozenset(),))) is None
    assert choose(replace(data, budget=2.9)) is None


def random_choice(seed: int) -> LeverChoice:
    rng = np.random.default_rng(seed)
    levels = rng.integers(2, 4, 3)
    costs = tuple(np.concatenate([[0.0], rng.integers(1, 9, n - 1).astype(float)]) for n in levels)
    responses = tuple(
        Response(rng.normal(-1, 2, 6), tuple(np.concatenate([[0.0], rng.normal(1, 2, n - 1)]) for n in levels))
        for _ in range(2)
    )
    cut = frozenset((j, 0) for j in range(3) if rng.random() < 0.7) or frozenset({(0, 0)})
    return LeverChoice(
        costs, responses, (int(rng.integers(2, 6)),) * 2, bool(seed % 2), 15.0, (cut,), bool(seed % 3 == 0)
    )


def worth(data: LeverChoice, point: tuple[int, ...]) -> tuple[float, float] | None:
    """(share of the worst target, cost) of a choice that satisfies every rule; None for one that does not."""
    met = [r.base + sum(g[k] for g, k in zip(r.gains, point, strict=True)) >= 0 for r in data.responses]
    times = [int(np.logical_and.reduce(met).sum())] if data.jointly else [int(m.sum()) for m in met]
    cost = float(sum(c[k] for c, k in zip(data.costs, point, strict=True)))
    enough = data.by_budget or all(t >= n for t, n in zip(times, data.needed, strict=False))
    kept = all(any(point[j] == k for j, k in cut) for cut in data.cuts)
    if not enough or not kept or (data.budget is not None and cost > data.budget):
        return None
    return min(times) / len(data.responses[0].base), cost


@pytest.mark.parametrize("seed", range(12))
def test_a_choice_equals_trying_everything(seed: int) -> None:
    data = random_choice(seed)
    points = list(product(*(range(len(c)) for c in data.costs)))
    found = {p: w for p in points if (w := worth(data, p)) is not None}
    chosen = choose(data)
    if not found:
        assert chosen is None
        return
    assert chosen in found
    if data.by_budget:
        assert found[chosen] == pytest.approx(min(found.values(), key=lambda w: (-w[0], w[1])))
    else:
        assert found[chosen][1] == pytest.approx(min(w[1] for w in found.values()))


# Two futures need 3, one needs 1. Out of turn the second of the equal ones would cost nothing.
EQUAL = Response(np.array([-3.0, -1.0, -3.0]), (np.array([0.0, 1.0, 3.0]),))

MUTATIONS = {
    "one_level": LeverChoice(COSTS, (ONE,), (1,)),
    "gain_carries_futures": LeverChoice(COSTS, (ONE,), (3,)),
    "nearest_first": LeverChoice((np.array([0.0, 1.0, 5.0]),), (EQUAL,), (2,)),
    "all_in_one_future": LeverChoice(COSTS, (ONE, TWO), (3, 3), jointly=True),
    "often_enough": LeverChoice(COSTS, (ONE,), (3,)),
    "share_of_worst": LeverChoice(COSTS, (ONE,), (4,), budget=0.0, by_budget=True),
    "within_budget": LeverChoice(COSTS, (ONE,), (4,), budget=3.0, by_budget=True),
    "beyond_what_failed": LeverChoice(COSTS, (ONE,), (2,), cuts=(frozenset({(0, 2)}),)),
}


def best(data: LeverChoice, without: tuple[str, ...] = ()) -> float:
    """The first goal of the model: the share by budget, else the cost."""
    m = build_lever_choice(data, without)
    goal = Goal("share", "maximise", m.share) if data.by_budget else Goal("cost", "minimise", m.spent)
    if data.cuts == () and without == ("one_level",):
        goal = Goal("levels", "minimise", pyo.quicksum(m.use.values()))
    result = Prepared(m, [goal], Options()).solve()
    assert isinstance(result, Optimal)
    return result.stages[0].value


def test_every_rule_has_a_mutation() -> None:
    assert set(MUTATIONS) == set(RULES)


@pytest.mark.parametrize("rule", [r for r in sorted(RULES) if r != "one_level"])
def test_without_a_rule_another_value_comes_out(rule: str) -> None:
    assert best(MUTATIONS[rule]) != pytest.approx(best(MUTATIONS[rule], (rule,)))


def test_without_one_level_a_lever_has_none() -> None:
    assert best(MUTATIONS["one_level"], ("one_level",)) == 0  # no level at all costs nothing and adds nothing
