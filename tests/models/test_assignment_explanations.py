"""Classes, frequencies, Pareto fronts and alternatives of assignments against exhaustive enumeration."""

from __future__ import annotations

import importlib.util
import itertools
import random
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.assignment_draws import drawn_scores, frequencies, wilson
from zjsim.models.assignment_explanations import SHARES, choices_of
from zjsim.models.assignment_pareto import pareto
from zjsim.models.assignment_problems import Key, Problem, heritage_problem, lead_problem, support_problem
from zjsim.models.assignment_scores import Candidate, Nearness, Strength
from zjsim.models.assignment_support import solve_supports
from zjsim.models.heritage import solve_heritage
from zjsim.models.lead_discipline import LeadData, solve_leads

from zjsim.scenario.parameters import AssignmentParameters
from zjsim.solve.choices import span_of
from zjsim.solve.options import Options
from zjsim.solve.resolve import Resolver
from zjsim.solve.results import Optimal

Assignment = frozenset[Key]
CITY = {"A": "a", "B": "b", "C": "c", "L": "a", "V": "v", "W": "a"}
TABLES = {"universities": pd.DataFrame({"moe_code": list(CITY), "city_code": list(CITY.values())})}
WEIGHTS = {"strength": 0.7, "proximity": 0.3, "cooperation": 0.0}


@cache
def neighbour(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def candidate(key: Key, units: int, strength: Strength | None = None) -> Candidate:
    strength = strength or Strength(0.5, False, 0.0, 1.0, "")
    parts = {"strength": strength.value, "proximity": 0.5, "cooperation": float("nan")}
    near = Nearness(0.5, 10.0, "", "")
    industry, role, moe_code, code = key
    return Candidate(
        industry, role, moe_code, code, 3, parts, {}, units, 0.0, 100.0, strength, near, "", WEIGHTS, 1.0, 1.0, 1.0
    )  # fmt: skip


@cache
def lead_toy(seed: int) -> tuple[Problem, dict[Assignment, int]] | None:
    module = neighbour("test_lead_discipline")
    data: LeadData = module.random_lead_data(seed)
    options = [[d for i, d in data.scores if i == industry] for industry in data.industries]
    worth: dict[Assignment, int] = {}
    for choice in itertools.product(*options):
        leads = dict(zip(data.industries, choice, strict=True))
        if module.allowed(data, leads):
            worth[frozenset((i, "lead", *d) for i, d in leads.items())] = sum(data.scores[p] for p in leads.items())
    result = solve_leads(data)
    if not isinstance(result, Optimal):
        assert not worth
        return None
    made = tuple(candidate((i, "lead", *d), s) for (i, d), s in data.scores.items())
    return lead_problem(data, made, result, TABLES, Options()), worth


@cache
def heritage_toy(seed: int) -> tuple[Problem, dict[Assignment, int]] | None:
    module = neighbour("test_heritage")
    data = module.random_heritage_data(seed)
    slots = [(h, r) for h in data.industries for r in data.roles]
    options = [sorted(u for h, u, r in data.scores if (h, r) == slot) for slot in slots]
    worth: dict[Assignment, int] = {}
    for choice in itertools.product(*options):
        posts = dict(zip(slots, choice, strict=True))
        if module.allowed(data, posts):
            value = sum(data.scores[h, u, r] for (h, r), u in posts.items())
            worth[frozenset((h, r, u, "") for (h, r), u in posts.items())] = value
    result = solve_heritage(data)
    if not isinstance(result, Optimal):
        return None
    made = tuple(candidate((h, r, u, ""), s) for (h, u, r), s in data.scores.items())
    return heritage_problem(data, made, result, TABLES, Options()), worth


@cache
def support_toy(seed: int) -> tuple[Problem, dict[Assignment, int]] | None:
    """Plans whose cities are as many as possible: what is left to decide once the first goal is kept."""
    module = neighbour("test_assignment_support")
    data = module.random_support_data(seed)
    subsets = itertools.chain.from_iterable(itertools.combinations(sorted(data.scores), n) for n in range(7))
    plans = [set(s) for s in subsets if module.allowed(data, set(s))]
    result = solve_supports(data)
    if not isinstance(result, Optimal):
        return None
    most = max(module.value(data, s)[0] for s in plans)
    worth = {
        frozenset((i, "support", u, d) for i, u, d in s): module.value(data, s)[1]
        for s in plans
        if module.value(data, s)[0] == most
    }
    made = tuple(candidate((i, "support", u, d), s) for (i, u, d), s in data.scores.items())
    return support_problem(data, made, result, TABLES, Options()), worth


TOYS = [(make, seed) for make, n in ((lead_toy, 70), (heritage_toy, 40), (support_toy, 50)) for seed in range(n)]


@pytest.mark.parametrize(("make", "seed"), TOYS)
def test_forced_firm_and_swappable_equal_enumeration(make: Any, seed: int) -> None:
    toy = make(seed)
    if toy is None:
        return
    problem, worth = toy
    best, worst = max(worth.values()), min(worth.values())
    span = span_of(problem.prepared, problem.stages[0])
    assert (span.best, span.worst) == (best, worst)
    assert worth[problem.chosen] == best
    for key, choice in choices_of(problem, span, 60).items():
        assert choice.in_plan == (key in problem.chosen)
        having, lacking = ([v for plan, v in worth.items() if (key in plan) == has] for has in (True, False))
        turned = lacking if choice.in_plan else having
        if turned and choice.loss_low == choice.loss_high:
            assert choice.loss_low == best - max(turned)
        for share in (*SHARES, 0.3):
            least = best - share * (best - worst) - 1e-9
            some, some_without = (any(v >= least for v in values) for values in (having, lacking))
            if choice.in_plan:
                expected = "forced" if not lacking else "swappable" if some_without else "firm"
            else:
                # Settled by its reduced cost, a decision is out, be it possible or not.
                settled = np.isinf(choice.loss_high) and np.isfinite(choice.loss_low)
                expected = "swappable" if some else "out" if having or settled else "impossible"
            # Beyond the widest share that is asked for, reduced costs settle what they can and no more.
            if share <= max(SHARES) or choice.loss_low == choice.loss_high:
                assert choice.standing(share, span) == expected, (key, share)


def test_enough_toys_have_a_plan_in_every_family() -> None:
    found = Counter(make.__name__ for make, seed in TOYS if make(seed) is not None)
    assert found["lead_toy"] >= 25
    assert found["heritage_toy"] >= 15
    assert found["support_toy"] >= 20


@pytest.mark.parametrize(("make", "seed"), [*TOYS[:40], *TOYS[70:90]])
def test_the_pareto_front_equals_enumeration(make: Any, seed: int) -> None:
    toy = make(seed)
    if toy is None:
        return
    problem, worth = toy
    points = {(len({CITY[k[2]] for k in plan}), value) for plan, value in worth.items()}
    efficient = sorted((c, v) for c, v in points if not any(x >= c and y >= v and (x, y) != (c, v) for x, y in points))
    found = pareto(problem, 60)
    assert [(p.cities, p.score) for p in found] == efficient
    assert all(p.gap == 0 and p.bound == p.score and worth[p.taken] == p.score for p in found)
    assert [(p.cities, p.score) for p in pareto(problem, 60)] == efficient  # the model is left as it was


def free_toy(seed: int) -> Problem:
    """Three industries and five disciplines of unknown strength; a discipline leads one industry."""
    g = random.Random(seed)
    disciplines = (("A", "1"), ("A", "2"), ("B", "1"), ("C", "1"))
    keys = [(i, "lead", *d) for i in ("C01", "C02", "C03") for d in disciplines]
    strengths = [Strength(0.5, False, g.random() / 2, 0.5 + g.random() / 2, "") for _ in keys]
    made = tuple(candidate(k, g.randint(1, 99), s) for k, s in zip(keys, strengths, strict=True))
    scores = {(c.industry_id, (c.moe_code, c.discipline_code)): c.score_units for c in made}
    data = LeadData(("C01", "C02", "C03"), scores, dict.fromkeys(scores, 3), max_leads_per_university=2)
    result = solve_leads(data)
    assert isinstance(result, Optimal)
    return lead_problem(data, made, result, TABLES, Options())


@pytest.mark.parametrize("seed", range(4))
def test_frequencies_equal_enumeration_draw_by_draw(seed: int) -> None:
    problem = free_toy(seed)
    p = AssignmentParameters(explain_draws=40, explain_seed=seed)
    draws, times = frequencies(problem, p, Resolver(problem.prepared, 60))
    keys = list(problem.decisions)
    scores = drawn_scores(tuple(problem.candidates.values()), p, 40)
    expected: Counter[Key] = Counter()
    for row in scores:
        score = dict(zip(keys, row, strict=True))
        disciplines = sorted({k[2:] for k in keys})
        plans = [
            [(i, "lead", *d) for i, d in zip(("C01", "C02", "C03"), choice, strict=True)]
            for choice in itertools.permutations(disciplines, 3)
            if max(Counter(d[0] for d in choice).values()) <= 2
        ]
        expected.update(max(plans, key=lambda plan, score=score: sum(score[k] for k in plan)))
    assert draws == 40
    # All industries are worth the same here, so only who leads is decided, not where.
    for d in {k[2:] for k in keys}:
        assert sum(n for k, n in times.items() if k[2:] == d) == sum(n for k, n in expected.items() if k[2:] == d)


def test_drawn_scores_by_hand() -> None:
    """Known parts keep their value; a discipline has one strength for all industries; others' draws do not matter."""
    known = candidate(("C01", "lead", "A", "1"), 0, Strength(0.8, True, 0.8, 0.8, "A"))
    unknown = [candidate((i, "lead", "B", "1"), 0, Strength(0.35, False, 0.0, 0.7, "")) for i in ("C01", "C02")]
    fixed = AssignmentParameters(explain_weight_spread=0)
    scores = drawn_scores((known, *unknown), fixed, 500)
    assert np.all(scores[:, 0] == round(1000 * 100 * (0.7 * 0.8 + 0.3 * 0.5)))
    assert np.all(scores[:, 1] == scores[:, 2])
    assert scores[:, 1].min() >= 15_000
    assert scores[:, 1].max() <= 64_000
    assert scores[:, 1].mean() == pytest.approx(1000 * 100 * (0.7 * 0.35 + 0.15), rel=0.05)
    alone = drawn_scores((unknown[1],), fixed, 200)
    assert np.all(alone[:, 0] == scores[:200, 2])
    moved = drawn_scores((known,), AssignmentParameters(), 500)
    low, high = (100_000 * (0.7 * a * 0.8 + 0.3 * b * 0.5) / (0.7 * a + 0.3 * b) for a, b in ((0.5, 1.5), (1.5, 0.5)))
    assert low - 1 <= moved.min() < moved.max() <= high + 1


def test_draws_end_with_the_time() -> None:
    problem = free_toy(0)
    assert frequencies(problem, AssignmentParameters(), Resolver(problem.prepared, 0)) == (0, Counter())


@pytest.mark.parametrize(("times", "draws"), [(0, 10), (10, 10), (3, 10), (500, 1000)])
def test_wilson_by_its_equation(times: int, draws: int) -> None:
    """The ends are the shares p with |times/draws − p| = z sqrt(p (1 − p) / draws)."""
    for end in wilson(times, draws):
        assert (times / draws - end) ** 2 == pytest.approx(1.959963984540054**2 * end * (1 - end) / draws, abs=1e-12)
