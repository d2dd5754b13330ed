"""Deleting or weakening any one rule of any formulation changes the answer of some toy or small random instance.

The unchanged answers are proven elsewhere: by hand for the toys, by enumeration for random instances of the same kind.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from zjsim.models.assignment_support import SUPPORT_RULES, build_support_model, support_goals
from zjsim.models.heritage import HERITAGE_RULES, build_heritage_model, heritage_goals
from zjsim.models.lead_discipline import LEAD_RULES, build_lead_model, lead_goals

from zjsim.solve.goals import Prepared
from zjsim.solve.options import Options
from zjsim.solve.results import Optimal


@cache
def neighbour(name: str) -> Any:
    """Another test file of this folder, for its toys and random instances."""
    spec = importlib.util.spec_from_file_location(f"_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILD: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Any, str, str]] = {
    "lead": (build_lead_model, lead_goals, LEAD_RULES, "test_lead_discipline", "random_lead_data"),
    "heritage": (build_heritage_model, heritage_goals, HERITAGE_RULES, "test_heritage", "random_heritage_data"),
    "support": (build_support_model, support_goals, SUPPORT_RULES, "test_assignment_support", "random_support_data"),
}


def instances(family: str, rule: str) -> Iterator[tuple[Any, Any]]:
    """The rule's toy, the other toys, then the random instances, each with its proven answer."""
    _, _, _, file, maker = BUILD[family]
    toys = neighbour(file).TOYS
    for name in [rule, *(other for other in toys if other != rule)]:
        yield toys[name][0], right_answer(family, name)
    for seed in range(300):
        yield getattr(neighbour(file), maker)(seed), right_answer(family, seed)


@cache
def right_answer(family: str, which: str | int) -> Any:
    _, _, _, file, maker = BUILD[family]
    module = neighbour(file)
    data = module.TOYS[which][0] if isinstance(which, str) else getattr(module, maker)(which)
    return answer(family, BUILD[family][0](data))


def answer(family: str, m: pyo.ConcreteModel) -> Any:
    """Values of all goals, or that there is no plan."""
    result = Prepared(m, BUILD[family][1](m), Options()).solve()
    return [round(s.value, 6) for s in result.stages] if isinstance(result, Optimal) else None


def weakened(m: pyo.ConcreteModel, rule: str, way: str) -> bool:
    """Weaken the rows of ``rule``; false where the model has no such rows."""
    rows = m.find_component(rule)
    changed = False
    for n, row in enumerate(rows.values() if rows is not None else ()):
        low, body, high = row.to_bounded_expression()
        low, high = (None if b is None else pyo.value(b) for b in (low, high))
        equal = low is not None and low == high
        if way == "dropped" or (way == "odd rows dropped" and n % 2) or (way == "even rows dropped" and n % 2 == 0):
            row.deactivate()
        elif way == "one looser":
            row.set_value((None if low is None else low - 1, body, None if high is None else high + 1))
        elif way == "only at most" and equal:
            row.set_value((None, body, high))
        elif way == "only at least" and equal:
            row.set_value((low, body, None))
        else:
            continue
        changed = True
    return changed


WAYS = ("dropped", "one looser", "odd rows dropped", "even rows dropped", "only at most", "only at least")
EQUATIONS = {("lead", "one_lead_per_industry"), ("heritage", "one_heritage_lead"), ("heritage", "one_heritage_partner")}
TWO_SIDED = {("lead", "paired_leads"), ("heritage", "paired_pairs")}
"""Equations whose one-sided forms say the same: both sides sum to one lead over all institutions."""
MUTANTS = [
    (family, rule, way)
    for family in BUILD
    for rule in BUILD[family][2]
    for way in WAYS
    if (family, rule) in EQUATIONS or not way.startswith("only")
]


@pytest.mark.parametrize(("family", "rule", "way"), MUTANTS)
def test_a_weakened_rule_is_found_out(family: str, rule: str, way: str) -> None:
    build = BUILD[family][0]
    for data, right in instances(family, rule):
        m = build(data)
        if weakened(m, rule, way) and answer(family, m) != right:
            return
    pytest.fail(f"{family}: {rule} {way} and nothing changes")


def test_every_equation_is_listed() -> None:
    """A rule that becomes an equation gets its one-sided mutants too."""
    found = set()
    for family, (build, _, rules, _, _) in BUILD.items():
        for rule in rules:
            for data, _ in itertools.islice(instances(family, rule), 20):
                rows = build(data).find_component(rule)
                if any(row.equality for row in (rows or {}).values()):
                    found.add((family, rule))
    assert found == EQUATIONS | TWO_SIDED
