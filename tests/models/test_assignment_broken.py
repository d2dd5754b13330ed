"""Two hundred randomly broken scenarios: each impossible one names a minimal conflict, and its repair repairs."""

from __future__ import annotations

import importlib.util
import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from zjsim.models.assignment_rules import SPECIAL, SpecialRule
from zjsim.models.assignment_support import build_support_model, solve_supports, support_goals, support_requirements
from zjsim.models.heritage import build_heritage_model, heritage_goals, heritage_requirements, solve_heritage
from zjsim.models.lead_discipline import build_lead_model, lead_goals, lead_requirements, solve_leads

from zjsim.solve.goals import Prepared
from zjsim.solve.options import Options
from zjsim.solve.results import Conflict, Infeasible, Optimal

SEEDS = range(1000, 1200)
FAMILIES: dict[str, Any] = {
    "lead": (solve_leads, build_lead_model, lead_goals, lead_requirements, "test_lead_discipline", "random_lead_data"),
    "heritage": (
        solve_heritage,
        build_heritage_model,
        heritage_goals,
        heritage_requirements,
        "test_heritage",
        "random_heritage_data",
    ),
    "support": (
        solve_supports,
        build_support_model,
        support_goals,
        support_requirements,
        "test_assignment_support",
        "random_support_data",
    ),
}


@cache
def neighbour(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def broken(seed: int) -> tuple[str, Any]:
    """A small random instance and something that hurts: pins that clash, a cap too low, candidates gone."""
    g = random.Random(seed)
    family = ("lead", "heritage", "support")[seed % 3]
    data = getattr(neighbour(FAMILIES[family][4]), FAMILIES[family][5])(seed)
    role = {"lead": "lead", "heritage": "partner" if "partner" in getattr(data, "roles", ()) else "lead"}.get(
        family, "support"
    )
    keys = sorted(data.scores)
    named = [(k[0], *k[1]) if family == "lead" else (k[0], k[1], k[2] if family == "support" else "") for k in keys]
    blow = g.choice(["pins", "forbid", "gone", "tight"])
    if blow == "pins":
        i = g.choice(data.industries)
        pins = [SpecialRule(f"R9{n}0", "pinned", i, u, d, role) for n, (_, u, d) in enumerate(g.sample(named, 3))]
        return family, replace(data, special=(*data.special, *pins))
    if blow == "forbid":
        return family, replace(data, special=(*data.special, SpecialRule("R900", "forbidden", g.choice(named)[0])))
    if blow == "gone":
        i = g.choice(data.industries)
        return family, replace(data, scores={k: s for k, s in data.scores.items() if k[0] != i or g.random() < 0.3})
    tight: dict[str, Any] = {
        "lead": {"max_leads_per_university": 1, "minimum_relevance": 3},
        "heritage": {"max_roles_per_institution": 1, "minimum_craft": 0.9},
        "support": {"at_least": 3, "per_institution": 1},
    }[family]
    return family, replace(data, **tight)


def possible(family: str, data: Any, change: Any) -> bool:
    """Whether a plan exists after ``change`` of each named row: (drop, loosen by)."""
    _, build, goals, words, _, _ = FAMILIES[family]
    m = build(data)
    for requirement in words(m):
        drop, amount = change(requirement)
        for row in requirement.rows:
            low, body, high = row.to_bounded_expression()
            if drop:
                row.deactivate()
            elif amount:
                low, high = (None if b is None else pyo.value(b) for b in (low, high))
                row.set_value((None if low is None else low - amount, body, None if high is None else high + amount))
    return isinstance(Prepared(m, goals(m), Options()).solve(goals=1), Optimal)


@cache
def conflict_of(seed: int) -> Conflict | None:
    family, data = broken(seed)
    result = FAMILIES[family][0](data)
    if isinstance(result, Infeasible):
        return result.conflict
    assert isinstance(result, Optimal)
    return None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_conflict_is_minimal_and_its_repair_repairs(seed: int) -> None:
    family, data = broken(seed)
    conflict = conflict_of(seed)
    if conflict is None:
        return
    members = set(conflict.members)
    assert conflict.minimal
    assert members
    assert not possible(family, data, lambda q: (q.name not in members, 0))
    for one in members:
        rest = members - {one}
        assert possible(family, data, lambda q, rest=rest: (q.name not in rest, 0))
    amounts = dict(conflict.repair)
    assert amounts
    assert conflict.repair_zh
    assert conflict.repair_en
    assert possible(
        family, data, lambda q: (q.give_up and q.name in amounts, 0 if q.give_up else amounts.get(q.name, 0))
    )
    gone = {name.partition("[")[2].rstrip("]").partition(",")[0] for name in amounts if name.split("[")[0] in SPECIAL}
    if len(gone) == len(amounts):
        # Only rules of the planner's own give: without those rows of the registry there is a plan.
        mended = replace(data, special=tuple(r for r in data.special if r.rule_id not in gone))
        assert isinstance(FAMILIES[family][0](mended), Optimal)


def test_many_of_them_are_impossible_in_every_family() -> None:
    found = [broken(seed)[0] for seed in SEEDS if conflict_of(seed) is not None]
    assert all(found.count(family) >= 20 for family in FAMILIES)
