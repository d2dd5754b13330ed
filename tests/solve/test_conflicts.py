"""Conflicts are minimal by definition, and repairs repair."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from zjsim.solve.conflicts import Requirement, changes_of, repair_of
from zjsim.solve.goals import Goal, lexicographic
from zjsim.solve.matrix import extract
from zjsim.solve.options import Options
from zjsim.solve.results import Infeasible, Optimal


def random_model(seed: int) -> pyo.ConcreteModel:
    """Six rows over four 0/1 variables; about half of the seeds have no solution."""
    g = np.random.default_rng(seed)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(4), domain=pyo.Binary)
    m.rows = pyo.ConstraintList()
    m.sides = []
    for _ in range(6):
        a, low = g.integers(-2, 3, 4), int(g.integers(0, 4))
        m.sides.append((a, low))
        body = sum(int(c) * m.x[i] for i, c in enumerate(a)) + 0 * m.x[0]
        m.rows.add(body >= low)
    return m


def holds(m: pyo.ConcreteModel, rows: Any) -> bool:
    return any(
        all(m.sides[k][0] @ np.array(x) >= m.sides[k][1] for k in rows) for x in itertools.product((0, 1), repeat=4)
    )


def requirements(m: pyo.ConcreteModel) -> list[Requirement]:
    return [Requirement(str(k), (m.rows[k + 1],), f"要求{k}", f"requirement {k}") for k in range(6)]


@pytest.mark.parametrize("seed", range(60))
def test_a_conflict_is_impossible_and_every_part_of_it_possible(seed: int) -> None:
    m = random_model(seed)
    result = lexicographic(m, [Goal("none", "minimise", sum(m.x[i] for i in range(4)))], None, lambda: requirements(m))
    assert isinstance(result, Optimal) == holds(m, range(6))
    if isinstance(result, Infeasible):
        conflict = result.conflict
        members = [int(k) for k in conflict.members]
        assert conflict.minimal
        assert members
        assert not holds(m, members)
        assert all(holds(m, [k for k in members if k != out]) for out in members)
        assert all(f"要求{k}" in conflict.zh and f"requirement {k}" in conflict.en for k in members)
        amounts = repair_of(extract(m, []), requirements(m), Options())
        for k, amount in amounts.items():
            m.sides[k] = (m.sides[k][0], m.sides[k][1] - amount)
        assert amounts
        assert holds(m, range(6))


def test_a_conflict_that_only_whole_numbers_see() -> None:
    """2x + 2y = 3 has fractional solutions but no whole one: the linear relaxation shows nothing."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(domain=pyo.Binary), pyo.Var(domain=pyo.Binary)
    m.odd = pyo.Constraint(expr=2 * m.x + 2 * m.y == 3)
    m.other = pyo.Constraint(expr=m.x + m.y <= 2)
    words = [Requirement("odd", (m.odd,), "奇数", "odd"), Requirement("other", (m.other,), "其他", "other")]
    result = lexicographic(m, [Goal("x", "minimise", m.x)], None, lambda: words)
    assert isinstance(result, Infeasible)
    assert result.conflict.members == ("odd",)
    assert result.conflict.en == "This requirement cannot be met by itself: odd."
    assert result.conflict.zh == "这项要求本身无法满足：奇数。"
    assert "loosen by 1" in result.conflict.repair_en


def test_a_conflict_of_the_background_is_not_blamed_on_requirements() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.background = pyo.Constraint(expr=m.x >= 2)
    m.rule = pyo.Constraint(expr=m.x <= 1)
    result = lexicographic(
        m, [Goal("x", "minimise", m.x)], None, lambda: [Requirement("rule", (m.rule,), "规则", "rule")]
    )
    assert isinstance(result, Infeasible)
    assert result.conflict.members == ()
    assert "whatever the requirements" in result.conflict.en


def test_linear_conflicts_are_found_among_many_rows() -> None:
    """Two hundred harmless rows and three that clash: x + y >= 5, x <= 2, y <= 2."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 9))
    m.harmless = pyo.Constraint(range(200), rule=lambda m, k: m.x + m.y <= 18 + k)
    m.sum, m.left, m.right = (
        pyo.Constraint(expr=m.x + m.y >= 5),
        pyo.Constraint(expr=m.x <= 2),
        pyo.Constraint(expr=m.y <= 2),
    )
    rows = [*m.harmless.values(), m.sum, m.left, m.right]
    words = [Requirement(r.name, (r,), r.name, r.name) for r in rows]
    result = lexicographic(m, [Goal("x", "minimise", m.x)], None, lambda: words)
    assert isinstance(result, Infeasible)
    assert set(result.conflict.members) == {"sum", "left", "right"}


def test_the_repair_takes_the_cheapest_way_and_spares_what_cannot_give() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 10))
    m.low, m.high, m.law = (
        pyo.Constraint(expr=m.x >= 7),
        pyo.Constraint(expr=m.x <= 4),
        pyo.Constraint(expr=m.x <= 5),
    )
    words = [
        Requirement("low", (m.low,), "低", "low", weight=10, unit_zh="个席位", unit_en=" seats"),
        Requirement("high", (m.high,), "高", "high", weight=1),
        Requirement("law", (m.law,), "法", "law", weight=0),
    ]
    assert repair_of(extract(m, []), words, Options()) == {0: 2.0, 1: 1.0}
    assert repair_of(extract(m, []), [words[2]], Options()) == {}


def test_a_threshold_is_lowered_once_for_all_its_rows() -> None:
    """Both of x, y are needed; they lie 1 and 2 below the threshold: it gives 2, not 3, and z may not come in."""
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = (pyo.Var(domain=pyo.Binary) for _ in range(3))
    m.two, m.third = pyo.Constraint(expr=m.x + m.y >= 2), pyo.Constraint(expr=m.z >= 0)
    m.threshold = pyo.Constraint(range(3), rule=lambda m, k: (k + 1) * (m.x, m.y, m.z)[k] <= 0)
    words = [
        Requirement("two", (m.two,), "两项", "two", weight=0),
        Requirement("threshold", tuple(m.threshold.values()), "门槛", "threshold", together=True),
    ]
    assert repair_of(extract(m, []), words, Options()) == {1: 2.0}


def test_an_equation_given_up_costs_its_weight_once() -> None:
    """x0 = y0 and x1 = y1 (one rule) with x0 = 1, y1 = 1 pinned at most one each: giving it up costs 3, not 6."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(range(2), domain=pyo.Binary), pyo.Var(range(2), domain=pyo.Binary)
    m.same = pyo.Constraint(range(2), rule=lambda m, k: m.x[k] - m.y[k] == 0)
    m.one = pyo.Constraint(expr=m.x[0] + m.x[1] == 1)
    m.other = pyo.Constraint(expr=m.y[0] + m.y[1] == 1)
    m.first, m.last = pyo.Constraint(expr=m.x[0] >= 1), pyo.Constraint(expr=m.y[1] >= 1)
    words = [
        Requirement("same", tuple(m.same.values()), "相同", "same", weight=3, give_up=True),
        Requirement("first", (m.first,), "先", "first", weight=4, give_up=True),
        Requirement("last", (m.last,), "后", "last", weight=5, give_up=True),
        Requirement("one", (m.one, m.other), "一", "one", weight=0),
    ]
    assert repair_of(extract(m, []), words, Options()) == {0: 1.0}
    dearer = [replace(words[0], weight=4.5), *words[1:]]
    assert repair_of(extract(m, []), dearer, Options()) == {1: 1.0}


def test_what_gives_a_third_is_told_so_that_it_is_enough() -> None:
    """3x <= 1 is needed and 3x >= 2 asked for: one third of x, rounded up."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.high, m.low = pyo.Constraint(expr=3 * m.x <= 1), pyo.Constraint(expr=m.x >= 2 / 3)
    words = [Requirement("high", (m.high,), "高", "high", weight=0), Requirement("low", (m.low,), "低", "low")]
    amount = repair_of(extract(m, []), words, Options())[1]
    assert 1 / 3 <= amount <= 1 / 3 + 1e-6
    m.low.deactivate()
    m.mended = pyo.Constraint(expr=m.x >= 2 / 3 - amount)
    assert isinstance(lexicographic(m, [Goal("x", "minimise", m.x)]), Optimal)
    loosened = changes_of(extract(m, []), words[:1], {"high": 0.5})
    assert loosened == [(m.high, -np.inf, 1.5)]


@pytest.mark.parametrize("seed", range(25))
def test_the_repair_is_the_cheapest_of_all(seed: int) -> None:
    """Every subset of rules given up, by enumeration."""
    m = random_model(seed)
    weights = np.random.default_rng(seed + 500).integers(1, 9, 6)
    words = [replace(q, weight=float(w), give_up=True) for q, w in zip(requirements(m), weights, strict=True)]
    subsets = itertools.chain.from_iterable(itertools.combinations(range(6), n) for n in range(7))
    cheapest = min(sum(int(weights[k]) for k in s) for s in subsets if holds(m, set(range(6)) - set(s)))
    found = repair_of(extract(m, []), words, Options())
    assert sum(int(weights[k]) for k in found) == cheapest
    assert holds(m, set(range(6)) - found.keys())


def test_many_alike_are_counted() -> None:
    """Nine rooms of one place each for ten: all needed, three named."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(9), bounds=(0, 9))
    m.room = pyo.Constraint(range(9), rule=lambda m, k: m.x[k] <= 1)
    m.need = pyo.Constraint(expr=sum(m.x[k] for k in range(9)) >= 10)
    words = [Requirement(f"room[{k}]", (m.room[k],), f"室{k}", f"room {k} holds one") for k in range(9)]
    words.append(Requirement("need", (m.need,), "十人", "there are ten"))
    result = lexicographic(m, [Goal("x", "minimise", m.x[0])], None, lambda: words)
    assert isinstance(result, Infeasible)
    conflict = result.conflict
    assert len(conflict.members) == 10
    assert conflict.en.startswith("These 10 requirements")
    assert "(3) room 2 holds one (and 6 more of this kind); (4) there are ten" in conflict.en
    assert "（另有 6 项同类要求）" in conflict.zh
