"""Re-solves, classes of decisions, alternatives, duals, prices: each against enumeration or by hand."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyomo.environ as pyo
import pytest

from zjsim.solve.alternatives import alternatives
from zjsim.solve.choices import Choice, Span, span_of, weigh
from zjsim.solve.goals import Goal, Prepared, lexicographic
from zjsim.solve.matrix import ModelError
from zjsim.solve.options import Options
from zjsim.solve.prices import duals, goal_prices, margin
from zjsim.solve.resolve import Resolver
from zjsim.solve.results import Feasible, Infeasible, Optimal, Stopped


def choosing(seed: int, *, odd: bool = True) -> tuple[pyo.ConcreteModel, list[Goal], np.ndarray, list[tuple[int, ...]]]:
    """Eight 0/1 variables, two random rows; values of two goals; every feasible plan by enumeration."""
    g = np.random.default_rng(seed)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(8), domain=pyo.Binary)
    weight = g.integers(1, 9, (2, 8)) if odd else np.ones((2, 8), dtype=int)
    low, high = int(weight[0].sum() * 0.3), int(weight[1].sum() * 0.6)
    m.low = pyo.Constraint(expr=sum(int(w) * m.x[i] for i, w in enumerate(weight[0])) >= low)
    m.high = pyo.Constraint(expr=sum(int(w) * m.x[i] for i, w in enumerate(weight[1])) <= high)
    values = g.integers(0, 12, (2, 8))
    goals = [Goal(f"g{k}", "maximise", sum(int(v) * m.x[i] for i, v in enumerate(values[k]))) for k in (0, 1)]
    plans = [x for x in itertools.product((0, 1), repeat=8) if weight[0] @ x >= low and weight[1] @ x <= high]
    return m, goals, values, plans


@pytest.mark.parametrize("seed", range(40))
def test_classes_of_decisions_equal_enumeration(seed: int) -> None:
    m, goals, values, plans = choosing(seed, odd=seed % 4 > 0)
    prepared = Prepared(m, goals, Options())
    result = prepared.solve()
    assert isinstance(result, Optimal)
    worth = {x: int(values[0] @ x) for x in plans}
    best, worst = max(worth.values()), min(worth.values())
    span = span_of(prepared, result.stages[0])
    assert (span.best, span.worst) == (best, worst)
    resolver = Resolver(prepared)
    found = weigh(resolver, result.stages[0], span, result.plan, list(m.x.values()))
    for share in (0.0, 0.01, 0.05):
        near = [x for x in plans if worth[x] >= best - share * (best - worst) - 1e-9]
        for i, choice in enumerate(found):
            assert choice.in_plan == (result.plan.value(m.x[i]) == 1)
            with_it = [x[i] == choice.in_plan for x in near]
            possible = any(x[i] != choice.in_plan for x in plans)
            if choice.in_plan:
                expected = "forced" if not possible else "firm" if all(with_it) else "swappable"
            else:
                expected = "impossible" if not possible else "out" if all(with_it) else "swappable"
            assert choice.standing(share, span) == expected


@pytest.mark.parametrize("seed", range(20))
def test_resolves_equal_fresh_solves(seed: int) -> None:
    """Other costs, bounds and rows in any order give what a new model gives."""
    m, goals, _, plans = choosing(seed)
    resolver = Resolver(Prepared(m, goals, Options()))
    g = np.random.default_rng(seed + 1000)
    for _ in range(6):
        cost = g.integers(-5, 12, 8)
        fixed = int(g.integers(0, 8))
        result = resolver.solve(costs={0: cost.astype(float)}, bounds=[(m.x[fixed], 1, 1)])
        allowed = [x for x in plans if x[fixed] == 1]
        if not allowed:
            assert isinstance(result, Infeasible)
            continue
        assert isinstance(result, Optimal)
        assert result.stages[0].value == max(int(cost @ x) for x in allowed)
    assert isinstance(resolver.solve(rows=[(m.low, 1e3, np.inf)]), Infeasible)
    plain = resolver.solve()
    fresh = Prepared(m, goals, Options()).solve()
    assert isinstance(plain, Optimal)
    assert isinstance(fresh, Optimal)
    assert [s.value for s in plain.stages] == [s.value for s in fresh.stages]


def test_resolves_share_one_limit() -> None:
    m, goals, _, _ = choosing(1)
    resolver = Resolver(Prepared(m, goals, Options()), time_limit_s=0)
    result = resolver.solve()
    assert isinstance(result, Stopped)
    stage = lexicographic(m, goals)
    assert isinstance(stage, Optimal)
    span = Span(stage.stages[0].value, stage.stages[0].bound, 0, 0)
    plan = Prepared(m, goals, Options()).solve()
    assert isinstance(plan, Optimal)
    left = weigh(resolver, plan.stages[0], span, plan.plan, list(m.x.values()))
    assert {c.standing(0.01, span) for c in left} == {"unproven"}


def test_a_class_that_bounds_leave_open_is_unproven() -> None:
    span = Span(best=100, best_bound=110, worst=0, worst_bound=0)
    assert Choice(True, 0, 12).standing(0.05, span) == "unproven"
    assert Choice(True, 8, 12).standing(0.05, span) == "firm"
    assert Choice(False, 8, np.inf).standing(0.05, span) == "out"
    assert Choice(False, 0, 4).standing(0.05, span) == "swappable"
    assert Choice(True, np.inf, np.inf).standing(0.0, span) == "forced"


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("distance", [1, 3])
def test_alternatives_are_the_best_plans_that_far_away(seed: int, distance: int) -> None:
    m, goals, values, plans = choosing(seed)
    prepared = Prepared(m, goals, Options())
    result = prepared.solve()
    assert isinstance(result, Optimal)
    decisions = list(m.x.values())
    found = alternatives(prepared, decisions, result.plan, result.stages[0], count=3, distance=distance)
    seen = [tuple(int(result.plan.value(v)) for v in decisions)]
    for a in found:
        x = tuple(int(a.plan.value(v)) for v in decisions)

        def far(y: tuple[int, ...]) -> int:
            return min(sum(p != q for p, q in zip(y, other, strict=True)) for other in seen)

        assert far(x) == a.distance >= distance
        assert int(values[0] @ x) == max(int(values[0] @ y) for y in plans if far(y) >= distance)
        assert a.loss == result.stages[0].value - int(values[0] @ x)
        assert a.proven
        seen.append(x)
    limited = alternatives(prepared, decisions, result.plan, result.stages[0], count=9, distance=1, most_loss=1)
    assert all(a.loss <= 1 for a in limited)


@pytest.mark.parametrize("seed", range(25))
def test_a_dual_lies_between_the_one_sided_differences(seed: int) -> None:
    """Degenerate on purpose (whole data, ties): the dual is one of many, the margins are what happens."""
    g = np.random.default_rng(seed)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(5), bounds=(0, 3))
    a, room, c = g.integers(0, 4, (4, 5)), g.integers(3, 9, 4), g.integers(-2, 6, 5)
    a[:, 0] = 0  # so that a plan always exists
    m.rows = pyo.Constraint(range(4), rule=lambda m, k: sum(int(a[k, i]) * m.x[i] for i in range(5)) <= int(room[k]))
    m.equal = pyo.Constraint(expr=sum(m.x[i] for i in range(5)) == 3)
    sense = "maximise" if seed % 2 else "minimise"
    prepared = Prepared(m, [Goal("worth", sense, sum(int(v) * m.x[i] for i, v in enumerate(c)), "points")], Options())
    step = 1e-3
    found = duals(prepared, dict.fromkeys([*m.rows.values(), m.equal], "seats"))
    for row in [*m.rows.values(), m.equal]:
        dual, around = found[row.name], margin(prepared, row, step)
        assert dual.unit == "points / seats"
        assert around.unit == "points"
        ends = sorted((around.up / step, -around.down / step))
        assert ends[0] - 1e-6 <= dual.value <= ends[1] + 1e-6


def test_margins_by_hand_and_no_duals_of_whole_numbers() -> None:
    """maximise 3x + 2y on x + y <= 4, x <= 3, whole numbers: 11. Room for one more: 13; for one less: 9."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(domain=pyo.Integers, bounds=(0, 3)), pyo.Var(domain=pyo.Integers, bounds=(0, 9))
    m.room = pyo.Constraint(expr=m.x + m.y <= 4)
    m.need = pyo.Constraint(expr=m.x + m.y >= 4)
    prepared = Prepared(m, [Goal("worth", "maximise", 3 * m.x + 2 * m.y, "points")], Options())
    found = margin(prepared, m.room)
    assert found.up == 2.0
    assert np.isnan(found.down)
    with pytest.raises(ModelError, match="no duals"):
        duals(prepared, {m.room: "seats"})


def test_the_price_of_a_goal_by_hand() -> None:
    """First few (2 of 4 must be taken: 2), then worth: the best two, 7 + 5; without the first goal all four: 15."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(4), domain=pyo.Binary)
    m.two = pyo.Constraint(expr=sum(m.x[i] for i in range(4)) >= 2)
    worth = [7, 5, 2, 1]
    few, value = sum(m.x[i] for i in range(4)), sum(w * m.x[i] for i, w in enumerate(worth))
    goals = [
        Goal("few", "minimise", few, "items"),
        Goal("worth", "maximise", value, "points"),
        Goal("last", "maximise", m.x[3], "items"),
    ]
    prepared = Prepared(m, goals, Options())
    result = prepared.solve()
    assert isinstance(result, Optimal)
    prices = {(p.goal, p.later): p for p in goal_prices(prepared, result)}
    assert set(prices) == {("few", "worth"), ("few", "last"), ("worth", "last")}
    price = prices["few", "worth"]
    assert (price.value, price.without, price.loss, price.unit, price.proven) == (12.0, 15.0, 3.0, "points", True)
    assert prices["few", "last"].loss == 1.0
    assert prices["worth", "last"].loss == 1.0


def test_goals_kept_are_rows_of_what_is_left() -> None:
    m, goals, _, _ = choosing(3)
    prepared = Prepared(m, goals, Options())
    whole = prepared.solve()
    assert isinstance(whole, Optimal)
    rest = prepared.after(whole.stages[:1]).solve()
    assert isinstance(rest, Optimal)
    assert [s.name for s in rest.stages] == ["g1"]
    assert rest.stages[0].value == whole.stages[1].value


def hard(n: int = 36) -> tuple[pyo.ConcreteModel, Goal]:
    g = np.random.default_rng(7)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(n), domain=pyo.Binary)
    weight, value = g.integers(100, 999, (8, n)), g.integers(100, 999, n)
    m.rows = pyo.Constraint(
        range(8), rule=lambda m, k: sum(int(weight[k, i]) * m.x[i] for i in range(n)) <= int(weight[k].sum() // 2)
    )
    return m, Goal("value", "maximise", sum(int(value[i]) * m.x[i] for i in range(n)))


def test_a_node_limit_leaves_a_plan_with_its_bound_and_a_log(tmp_path: Path) -> None:
    """A limit in nodes stops at the same place on every machine: a plan in hand, its bound and gap, all logged."""
    log = tmp_path / "solver.log"
    m, goal = hard()
    result = lexicographic(m, [goal], Options(node_limit=1, log_file=str(log)))
    assert isinstance(result, Feasible)
    stage = result.stages[0]
    assert stage.value < stage.bound < np.inf
    assert result.gap == stage.gap > 0
    again = lexicographic(m, [goal], Options(node_limit=1, log_file=str(log)))
    assert isinstance(again, Feasible)
    assert again.stages == result.stages
    assert log.read_text().count("Running HiGHS") == 2


def test_a_limit_before_any_plan_leaves_none() -> None:
    """Sixty equations that no heuristic meets at once: the node limit strikes first, and there is no plan."""
    g = np.random.default_rng(5)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(50), domain=pyo.Binary)
    weight = g.integers(1, 999, (5, 50))
    m.rows = pyo.Constraint(
        range(5), rule=lambda m, k: sum(int(weight[k, i]) * m.x[i] for i in range(50)) == int(weight[k].sum() // 2)
    )
    result = lexicographic(m, [Goal("few", "minimise", sum(m.x[i] for i in range(50)))], Options(node_limit=1))
    assert isinstance(result, Stopped)
    assert result.reason
