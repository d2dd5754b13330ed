"""Assignments given as arrays: by hand, brute force, known limits, and the examples of the documentation."""

from __future__ import annotations

import contextlib
import doctest
import io
import itertools
import math
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zjsim.models import assignment_arrays
from zjsim.models.assignment_arrays import generalised_assignment

from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Infeasible, Optimal, Stopped


def test_plain_assignment_by_hand() -> None:
    """Costs [[9 2 7] [6 4 3] [5 8 1]]: 2 + 6 + 1 = 9."""
    result = generalised_assignment([[9, 2, 7], [6, 4, 3], [5, 8, 1]], sense="minimise")
    assert isinstance(result, Optimal)
    assert result.plan == (1, 0, 2)
    assert (result.stages[0].value, result.stages[0].bound, result.stages[0].gap) == (9, 9, 0)


def test_generalised_assignment_by_hand() -> None:
    """Agent 0 is best at everything but has room for one job: 10 + 4 + 3 beats 8 + 5 + 3 and 6 + 5 + 4."""
    score, load = [[10, 8, 6], [5, 4, 3]], [[2, 2, 2], [1, 1, 1]]
    result = generalised_assignment(score, load, [3, 3])
    assert isinstance(result, Optimal)
    assert result.plan == (0, 1, 1)
    assert result.stages[0].value == 17


@pytest.mark.parametrize("sense", ["maximise", "minimise"])
@pytest.mark.parametrize("seed", range(15))
def test_generalised_assignment_equals_brute_force(seed: int, sense: Any) -> None:
    g = random.Random(seed)
    agents, jobs = 3, 5
    score = [[g.randint(5, 25) for _ in range(jobs)] for _ in range(agents)]
    load = [[g.randint(2, 9) for _ in range(jobs)] for _ in range(agents)]
    capacity = [sum(row) // 2 for row in load]
    values = [
        sum(score[a][j] for j, a in enumerate(choice))
        for choice in itertools.product(range(agents), repeat=jobs)
        if all(sum(load[a][j] for j in range(jobs) if choice[j] == a) <= capacity[a] for a in range(agents))
    ]
    result = generalised_assignment(score, load, capacity, sense=sense)
    assert isinstance(result, Optimal)
    assert result.stages[0].value == (max(values) if sense == "maximise" else min(values))
    assert result.stages[0].gap == 0


def test_a_solve_cut_short_brackets_the_optimum() -> None:
    """With a gap allowed, the true optimum lies between the value found and the bound."""
    g = random.Random(3)
    score = [[g.randint(15, 25) for _ in range(40)] for _ in range(5)]
    load = [[g.randint(5, 25) for _ in range(40)] for _ in range(5)]
    capacity = [int(0.8 * sum(row) / 5) for row in load]
    exact = generalised_assignment(score, load, capacity)
    rough = generalised_assignment(score, load, capacity, options=Options(relative_gap=0.05))
    assert isinstance(exact, Optimal)
    assert isinstance(rough, Optimal | Feasible)
    assert rough.stages[0].value <= exact.stages[0].value <= rough.stages[0].bound


def hard_instance(seed: int) -> tuple[list[list[int]], list[list[int]], list[int]]:
    """Tight capacities, and jobs that cost more where they take less."""
    g = random.Random(seed)
    load = [[g.randint(5, 25) for _ in range(18)] for _ in range(4)]
    score = [[111 - 4 * w + g.randint(-10, 10) for w in row] for row in load]
    return score, load, [int(0.8 * sum(row) / 4) for row in load]


def test_a_limit_leaves_value_bound_and_gap() -> None:
    """Stopped at the first node on every machine: the true optimum lies between the value and the bound."""
    score, load, capacity = hard_instance(2)
    result = generalised_assignment(score, load, capacity, sense="minimise", options=Options(node_limit=1))
    assert isinstance(result, Feasible)
    stage = result.stages[0]
    assert result.gap == stage.gap > 0
    assert stage.bound < stage.value == sum(score[a][j] for j, a in enumerate(result.plan))
    longer = generalised_assignment(score, load, capacity, sense="minimise", options=Options(node_limit=5))
    assert isinstance(longer, Optimal | Feasible)
    assert stage.bound <= longer.stages[0].bound <= longer.stages[0].value <= stage.value


def test_no_time_leaves_no_plan() -> None:
    result = generalised_assignment(*hard_instance(2), options=Options(time_limit_s=1e-9))
    assert isinstance(result, Stopped)
    assert result.reason


def test_the_examples_of_the_documentation() -> None:
    assert doctest.testmod(assignment_arrays).failed == 0


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_example_of_the_readme(page: str) -> None:
    found = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[2] / page).read_text("utf-8"), flags=re.DOTALL)
    (example,) = [code for code in found if "generalised_assignment(" in code]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(example, {})
    assert said.getvalue() == "(0, 1, 1)\n17.0 17.0 0.0\n"


def test_scores_that_are_not_whole_count_in_full() -> None:
    """2.5 + 2.6 beats 1.2 + 1.1; cut down to whole numbers both would be worth less."""
    result = generalised_assignment([[2.5, 1.2], [1.1, 2.6]])
    assert isinstance(result, Optimal)
    assert result.plan == (0, 1)
    assert result.stages[0].value == pytest.approx(5.1, abs=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_pairs_that_cannot_be_and_fractions_equal_brute_force(seed: int) -> None:
    g = np.random.default_rng(seed)
    score = g.integers(-20, 20, (3, 4)) / (1 if seed % 2 else 4)
    score[g.random((3, 4)) < 0.3] = math.nan if seed % 3 else math.inf
    load, capacity = g.integers(0, 7, (3, 4)) / 2, g.integers(0, 12, 3) / 2
    values = [
        sum(score[a, j] for j, a in enumerate(plan))
        for plan in itertools.product(range(3), repeat=4)
        if all(math.isfinite(score[a, j]) for j, a in enumerate(plan))
        and all(sum(load[a, j] for j in range(4) if plan[j] == a) <= capacity[a] for a in range(3))
    ]
    result = generalised_assignment(score, load, capacity, sense="minimise")
    if values:
        assert isinstance(result, Optimal)
        assert result.stages[0].value == pytest.approx(min(values), abs=1e-9)
    else:
        assert isinstance(result, Infeasible)
        assert result.conflict.minimal
        assert "job" in result.conflict.en
        assert "任务" in result.conflict.zh


def test_large_scores_and_no_jobs() -> None:
    result = generalised_assignment([[10**15, 1], [1, 10**15 + 1]])
    assert isinstance(result, Optimal)
    assert result.stages[0].value == 2 * 10**15 + 1
    nothing = generalised_assignment(np.zeros((2, 0)))
    assert isinstance(nothing, Optimal)
    assert nothing.plan == ()


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (([1, 2, 3],), "a row per agent"),
        (([[4, 1]], [[1, 1]]), "capacities"),
        (([[4, 1]], [[1]], [1]), "shape"),
        (([[4, 1]], [[1, 1]], [1, 1]), "1 agents"),
        (([[4, 1]], [[1, -1]], [1]), "load must be 0 or more"),
        (([[4, 1]], None, [math.nan]), "capacity must be 0 or more"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        generalised_assignment(*arrays)
