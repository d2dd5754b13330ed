"""Goals in order: exact on linear models, stage by stage on mixed-integer ones, honest about limits."""

from __future__ import annotations

import itertools

import numpy as np
import pyomo.environ as pyo
import pytest

from zjsim.solve import highs
from zjsim.solve.goals import Goal, Prepared, lexicographic
from zjsim.solve.highs import relative_gap, start_is_safe
from zjsim.solve.matrix import ModelError, extract, total
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Stopped


def assignment_model(costs: np.ndarray, *, integer: bool) -> tuple[pyo.ConcreteModel, list[Goal]]:
    """A square assignment with one cost matrix per goal (its linear relaxation has whole vertices)."""
    n = costs.shape[1]
    m = pyo.ConcreteModel()
    m.n = pyo.RangeSet(0, n - 1)
    m.x = pyo.Var(m.n, m.n, domain=pyo.Binary if integer else pyo.NonNegativeReals)
    m.row = pyo.Constraint(m.n, rule=lambda m, i: sum(m.x[i, j] for j in m.n) == 1)
    m.column = pyo.Constraint(m.n, rule=lambda m, j: sum(m.x[i, j] for i in m.n) == 1)
    goals = [
        Goal(f"g{k}", "minimise", sum(float(c[i, j]) * m.x[i, j] for i in m.n for j in m.n))
        for k, c in enumerate(costs)
    ]
    return m, goals


@pytest.mark.parametrize("integer", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_lexicographic_optimum_equals_enumeration(seed: int, integer: bool) -> None:
    """Few distinct costs make many ties, so that later goals have something left to decide."""
    costs = np.random.default_rng(seed).integers(0, 4, (3, 5, 5))
    best = min(tuple(int(sum(c[i, p[i]] for i in range(5))) for c in costs) for p in itertools.permutations(range(5)))
    m, goals = assignment_model(costs, integer=integer)
    result = lexicographic(m, goals)
    assert isinstance(result, Optimal)
    assert [round(s.value, 9) for s in result.stages] == list(best)
    assert all(s.gap == 0 and s.bound == s.value and s.tolerance == 0 for s in result.stages)
    assert [pyo.value(g.expression) for g in goals] == pytest.approx(best, abs=1e-9)


def test_the_optimal_face_of_a_linear_model_is_kept_exactly() -> None:
    """maximise x + y on x + y <= 5, then minimise x, then maximise z <= 4 - x: (1, 4, 3), by hand, with y <= 4."""
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 4)), pyo.Var(bounds=(0, 9))
    m.a = pyo.Constraint(expr=m.x + m.y <= 5)
    m.b = pyo.Constraint(expr=m.z + m.x <= 4)
    goals = [
        Goal("sum", "maximise", m.x + m.y),
        Goal("x", "minimise", m.x),
        Goal("z", "maximise", m.z + 10, unit="seats"),
    ]
    result = lexicographic(m, goals)
    assert isinstance(result, Optimal)
    assert (m.x.value, m.y.value, m.z.value) == (1.0, 4.0, 3.0)
    assert [(s.value, s.unit) for s in result.stages] == [(5.0, ""), (1.0, ""), (13.0, "seats")]


@pytest.mark.parametrize("seed", range(25))
def test_mixed_integer_goals_equal_enumeration(seed: int) -> None:
    """A knapsack with two goals, the second with a continuous part that follows the first."""
    g = np.random.default_rng(seed)
    weight, value, second = (g.integers(1, 7, 7) for _ in range(3))
    room = int(weight.sum() // 2)
    best = max(
        (int(value @ x), float(second @ x) + 0.25 * (room - int(weight @ x)))
        for x in map(np.array, itertools.product((0, 1), repeat=7))
        if weight @ x <= room
    )
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(7), domain=pyo.Binary)
    m.rest = pyo.Var(bounds=(0, None))
    m.room = pyo.Constraint(expr=sum(int(weight[i]) * m.x[i] for i in range(7)) + m.rest <= room)
    result = lexicographic(
        m,
        [
            Goal("value", "maximise", sum(int(value[i]) * m.x[i] for i in range(7))),
            Goal("second", "maximise", sum(int(second[i]) * m.x[i] for i in range(7)) + 0.25 * m.rest),
        ],
    )
    assert isinstance(result, Optimal)
    assert [s.value for s in result.stages] == pytest.approx(best, abs=1e-8)
    assert all(m.x[i].value in (0, 1) for i in range(7))


def test_a_goal_that_is_not_whole_says_what_later_goals_may_take() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.Binary)
    m.y = pyo.Var(bounds=(0, 1))
    m.row = pyo.Constraint(expr=m.y <= 0.5 + 0.25 * m.x)
    goals = [Goal("y", "maximise", m.y, tolerance=1e-6), Goal("x", "minimise", m.x)]
    result = lexicographic(m, goals)
    assert isinstance(result, Optimal)
    assert result.stages[0].value == pytest.approx(0.75)
    assert result.stages[0].tolerance == 1e-6
    assert m.x.value == 1


def test_bounds_of_one_solve_do_not_reach_the_next() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(2), domain=pyo.Binary)
    m.one = pyo.Constraint(expr=m.x[0] + m.x[1] == 1)
    prepared = Prepared(m, [Goal("g", "maximise", 5 * m.x[0] + 3 * m.x[1])], Options())
    without = prepared.solve(bounds=[(m.x[0], 0, 0)])
    plain = prepared.solve()
    assert isinstance(without, Optimal)
    assert isinstance(plain, Optimal)
    assert (without.stages[0].value, plain.stages[0].value) == (3.0, 5.0)
    assert plain.plan.value(m.x[0]) == 1.0


def test_fixed_variables_become_constants_and_keep_their_value() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 9))
    m.row = pyo.Constraint(expr=m.x + m.y <= 5)
    m.x.fix(2)
    prepared = Prepared(m, [Goal("y", "maximise", m.y + m.x)], Options())
    result = prepared.solve()
    assert isinstance(result, Optimal)
    assert (result.stages[0].value, result.plan.value(m.x), result.plan.value(m.y)) == (5.0, 2.0, 3.0)


def test_rows_without_variables_stay_rows() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.fine = pyo.Constraint(expr=total([]) <= 1)
    assert isinstance(lexicographic(m, [Goal("x", "maximise", m.x)]), Optimal)
    m.never = pyo.Constraint(expr=total([]) == 1)
    assert isinstance(lexicographic(m, [Goal("x", "maximise", m.x)]), Infeasible)


def test_a_model_without_free_variables_is_judged_by_its_rows() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.x.fix(3)
    m.row = pyo.Constraint(expr=m.x <= 3)
    result = lexicographic(m, [Goal("x", "maximise", 2 * m.x)])
    assert isinstance(result, Optimal)
    assert result.stages[0].value == 6.0
    m.x.fix(4)
    assert isinstance(lexicographic(m, [Goal("x", "maximise", m.x)]), Infeasible)


def test_mistakes_of_a_formulation_are_errors() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, None))
    m.whole = pyo.Var(domain=pyo.NonNegativeIntegers)
    with pytest.raises(ModelError, match="unbounded"):
        lexicographic(m, [Goal("x", "maximise", m.x)])
    with pytest.raises(ModelError, match="not linear"):
        extract(m, [m.x * m.x])
    with pytest.raises(ModelError, match="at least one goal"):
        lexicographic(m, [])
    elsewhere = pyo.ConcreteModel()
    elsewhere.x = pyo.Var()
    with pytest.raises(ModelError, match="not declared"):
        extract(m, [elsewhere.x])


def hard_model(n: int = 40) -> tuple[pyo.ConcreteModel, Goal]:
    """A multi-dimensional knapsack that takes the solver some seconds."""
    g = np.random.default_rng(7)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(n), domain=pyo.Binary)
    weight, value = g.integers(100, 999, (12, n)), g.integers(100, 999, n)
    m.rows = pyo.Constraint(
        range(12), rule=lambda m, k: sum(int(weight[k, i]) * m.x[i] for i in range(n)) <= int(weight[k].sum() // 2)
    )
    return m, Goal("value", "maximise", sum(int(value[i]) * m.x[i] for i in range(n)))


def test_a_gap_that_is_allowed_is_told() -> None:
    m, goal = hard_model()
    result = lexicographic(m, [goal], Options(relative_gap=0.2))
    assert isinstance(result, Feasible)
    stage = result.stages[0]
    assert stage.value < stage.bound
    assert 0 < stage.gap <= 0.2
    assert stage.gap == result.gap == relative_gap(stage.value, stage.bound)


def test_no_time_means_stopped_without_a_plan() -> None:
    m, goal = hard_model()
    result = lexicographic(m, [goal], Options(time_limit_s=1e-9))
    assert isinstance(result, Stopped)
    assert result.reason


@pytest.mark.parametrize(("sense", "proven", "bound"), [("minimise", 1.0, 1.0), ("maximise", 9.0, 9.0)])
def test_a_bound_proven_before_any_plan_of_a_goal_is_told(
    monkeypatch: pytest.MonkeyPatch, sense: highs.Sense, proven: float, bound: float
) -> None:
    """The plan stands at 3 in the later goal; what the search had proven of it when the limit struck is its bound."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var([0, 1], domain=pyo.NonNegativeIntegers, bounds=(0, 9))
    m.kept = pyo.Constraint(expr=m.x[1] == 3)
    goals = [Goal("first", "minimise", m.x[0]), Goal("later", sense, m.x[1])]
    prepared, run = Prepared(m, goals, Options()), highs.Program.run

    def limited(program: highs.Program, cost: np.ndarray, offset: float, wanted: highs.Sense) -> highs.Outcome:
        if cost[1]:
            return highs.Outcome("stopped", np.nan, proven, np.empty(0), "Time limit reached")
        return run(program, cost, offset, wanted)

    monkeypatch.setattr(highs.Program, "run", limited)
    result = prepared.solve()
    assert isinstance(result, Feasible)
    later = result.stages[1]
    assert (later.value, later.bound, later.gap) == (3.0, bound, abs(3 - bound) / max(3, bound))


def test_time_that_runs_out_between_goals_keeps_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock jumps past the limit after the first stage: the plan stands, the relaxation bounds the second goal."""
    m, goal = hard_model(8)
    few = Goal("few", "maximise", sum((7 * i % 11) * m.x[i] for i in range(8)))
    proven = lexicographic(m, [goal, few])
    assert isinstance(proven, Optimal)
    ticks = itertools.chain([0.0, 0.0], itertools.repeat(1e9))
    monkeypatch.setattr(highs.time, "monotonic", lambda: next(ticks))
    result = lexicographic(m, [goal, few])
    assert isinstance(result, Feasible)
    assert result.stages[0].gap == 0
    second = result.stages[1]
    assert second.value == sum((7 * i % 11) * m.x[i].value for i in range(8))
    assert second.value <= proven.stages[1].value <= second.bound < sum(range(11))
    assert second.bound == round(second.bound)  # the goal moves in whole steps
    assert second.gap == result.gap == relative_gap(second.value, second.bound)


def test_a_goal_the_relaxation_cannot_bound_has_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    m, goal = hard_model(8)
    m.free = pyo.Var(domain=pyo.Reals)
    few = Goal("free", "minimise", m.free)
    ticks = itertools.chain([0.0, 0.0], itertools.repeat(1e9))
    monkeypatch.setattr(highs.time, "monotonic", lambda: next(ticks))
    result = lexicographic(m, [goal, few])
    assert isinstance(result, Feasible)
    assert result.stages[1].gap == float("inf")


def test_the_same_model_gives_the_same_plan_twice() -> None:
    plans = []
    for _ in range(2):
        m, goal = hard_model(25)
        assert isinstance(lexicographic(m, [goal]), Optimal)
        plans.append([m.x[i].value for i in range(25)])
    assert plans[0] == plans[1]


@pytest.mark.parametrize(
    ("value", "bound", "gap"),
    [(0.0, 0.0, 0.0), (5.0, 5.0, 0.0), (0.0, 5.0, 1.0), (-1.0, 1.0, 2.0), (90.0, 100.0, 0.1), (1.0, np.inf, np.inf)],
)
def test_relative_gap(value: float, bound: float, gap: float) -> None:
    assert relative_gap(value, bound) == pytest.approx(gap)


@pytest.mark.parametrize("index", [({"b", "a"},), ((1, 2), {"b": 0, "a": 0})])
def test_an_index_without_an_order_is_refused(index: tuple[object, ...]) -> None:
    """Rows in the order of a hash differ by process, and with them which of several best plans is found."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.rows = pyo.Constraint(*index, rule=lambda m, *_: m.x >= 0)
    with pytest.raises(ModelError, match="rows is indexed by a set or dict"):
        extract(m, [m.x])


@pytest.mark.parametrize(
    ("cost", "integer", "safe"),
    [
        ([1.0, 1.0, 0.0], [True, True, False], True),
        ([-2.0, 2.0, 0.0], [True, True, False], True),
        ([0.0, 0.0, 0.0], [True, True, False], True),
        ([1.0, 0.25, 0.0], [True, True, False], False),
        ([1.0, 0.0, 1.0], [True, True, False], False),
    ],
)
def test_a_start_is_given_only_where_its_value_lies_on_a_step(
    cost: list[float], integer: list[bool], safe: bool
) -> None:
    assert start_is_safe(np.array(cost), np.array(integer)) is safe


def test_a_start_that_misleads_the_solver_is_left_out() -> None:
    """HiGHS 1.16 called a plan of 5 classes the best where 3 do: presolve had valued the start of the first goal at 2.

    Fourteen children in five groups, seats at two schools, classes of 2, 3 and 4 seats at three others.
    """
    arcs = [(0, 3), (1, 1), (1, 4), (2, 2), (2, 3), (2, 4), (3, 0), (3, 3), (3, 4), (4, 4)]
    children, seats, size = [2, 5, 2, 5, 3], [0, 0, 4, 3, 3], {0: 2, 1: 3, 4: 4}
    m = pyo.ConcreteModel()
    m.sent = pyo.Var(range(len(arcs)), domain=pyo.NonNegativeReals)
    m.left = pyo.Var(range(5), domain=pyo.NonNegativeReals)
    m.classes = pyo.Var([0, 1, 4], domain=pyo.NonNegativeIntegers)
    m.every = pyo.Constraint(
        range(5),
        rule=lambda m, i: sum(m.sent[a] for a, (g, _) in enumerate(arcs) if g == i) + m.left[i] == children[i],
    )
    m.seats = pyo.Constraint(
        range(5),
        rule=lambda m, j: (
            sum(m.sent[a] for a, (_, s) in enumerate(arcs) if s == j) - (size[j] * m.classes[j] if j in size else 0)
            <= seats[j]
        ),
    )
    goals = [
        Goal("left", "minimise", sum(m.left.values())),
        Goal("classes", "minimise", sum(m.classes.values())),
    ]
    result = lexicographic(m, goals)
    assert isinstance(result, Optimal)
    assert [(s.value, s.bound) for s in result.stages] == [(0, 0), (3, 3)]
