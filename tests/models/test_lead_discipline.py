"""The lead assignment: a hand-solved toy per rule, brute force, conflicts, known answers, a golden LP."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from zjsim.models.assignment_rules import SpecialRule
from zjsim.models.lead_discipline import (
    LEAD_RULES,
    LeadData,
    build_lead_model,
    lead_goals,
    lead_requirements,
    rules_in_force,
    solve_leads,
)

from zjsim.solve.results import Infeasible, Optimal

A1, A2, B1, C1 = ("A", "1"), ("A", "2"), ("B", "1"), ("C", "1")


def toy(scores: dict[tuple[str, tuple[str, str]], int], **more: Any) -> LeadData:
    industries = tuple(sorted({i for i, _ in scores}))
    relevance = more.pop("relevance", dict.fromkeys(scores, 3))
    return LeadData(industries, scores, relevance, **more)


SCORES = {
    ("C01", A1): 90,
    ("C01", A2): 70,
    ("C01", B1): 60,
    ("C02", A1): 80,
    ("C02", A2): 75,
    ("C02", B1): 40,
    ("C02", C1): 55,
}
"""Unrestricted best: A1 leads both (170)."""

SEVERAL: dict[str, Any] = {"reading": "several_within_capacity", "industries_per_discipline": 2}

TOYS: dict[str, tuple[LeadData, dict[str, tuple[str, str]], int]] = {
    # Without the rule nobody need lead anything where scores are costs: the cheapest is to do nothing;
    # with it, 70 + 40 beats 60 + 55.
    "one_lead_per_industry": (toy(SCORES, sense="minimise"), {"C01": A2, "C02": B1}, 110),
    # A1 cannot lead both: 90 + 75 beats 70 + 80.
    "one_industry_per_discipline": (toy(SCORES), {"C01": A1, "C02": A2}, 165),
    # A1 has room for a load of 2, both industries need 3: 90 + 75 again beats 70 + 80.
    "within_capacity": (
        toy(SCORES, reading="several_within_capacity", load={("C02", A1): 2, ("C01", A1): 1}, capacity={A1: 2, A2: 9}),
        {"C01": A1, "C02": A2},
        165,
    ),
    # A1 may lead both, but university A has room for one in all: 90 + 55 (C1) beats 80 + 60 (B1).
    "within_university_capacity": (
        toy(SCORES, **SEVERAL, university_capacity={"A": 1}),
        {"C01": A1, "C02": C1},
        145,
    ),
    # One lead per university: 90 + 55 (C1) beats 60 (B1) + 80.
    "leads_per_university": (toy(SCORES, max_leads_per_university=1), {"C01": A1, "C02": C1}, 145),
    # A1 is only related to C01, and is free for C02 then: 70 + 80.
    "minimum_relevance": (
        toy(SCORES, relevance={**dict.fromkeys(SCORES, 3), ("C01", A1): 1}, minimum_relevance=2),
        {"C01": A2, "C02": A1},
        150,
    ),
    # B1 is pinned to C01, A1 takes C02.
    "pinned_leads": (
        toy(SCORES, special=(SpecialRule("R001", "pinned", "C01", "B", "1"),)),
        {"C01": B1, "C02": A1},
        140,
    ),
    # University A is kept out of C02: 90 + 55.
    "forbidden_leads": (
        toy(SCORES, special=(SpecialRule("R001", "forbidden", "C02", "A"),)),
        {"C01": A1, "C02": C1},
        145,
    ),
    # Both by the same university although B1 would be worth more in C02.
    "paired_leads": (
        toy({**SCORES, ("C02", B1): 99}, special=(SpecialRule("R001", "paired", "C01", paired_industry_id="C02"),)),
        {"C01": A1, "C02": A2},
        165,
    ),
}


def test_every_rule_has_a_toy() -> None:
    assert set(TOYS) == set(LEAD_RULES)
    for rule in LEAD_RULES.values():
        words = " ".join((rule.__doc__ or "").split())
        assert "Unit of the row" in words
        assert "M010" in words


@pytest.mark.parametrize("rule", sorted(TOYS))
def test_toy_by_hand(rule: str) -> None:
    data, leads, score = TOYS[rule]
    result = solve_leads(data)
    assert isinstance(result, Optimal)
    assert dict(result.plan.leads) == leads
    assert result.plan.score_units == score == result.stages[0].bound


@pytest.mark.parametrize("rule", sorted(TOYS))
def test_toy_fails_without_its_rule(rule: str) -> None:
    data, leads, _ = TOYS[rule]
    assert rule in rules_in_force(data)
    result = solve_leads(data, without={rule})
    assert isinstance(result, Optimal)
    assert dict(result.plan.leads) != leads


def test_without_any_special_reading_one_discipline_takes_all() -> None:
    result = solve_leads(toy(SCORES, **SEVERAL))
    assert isinstance(result, Optimal)
    assert dict(result.plan.leads) == {"C01": A1, "C02": A1}


def test_ties_go_to_the_specialised_then_to_code_order() -> None:
    scores = {("C01", A1): 5, ("C01", A2): 5, ("C01", B1): 5, ("C02", A1): 1, ("C02", C1): 9}
    result = solve_leads(toy(scores))
    assert isinstance(result, Optimal)
    assert result.plan.leads["C01"] == A2  # A1 is core to two industries; A2 comes before B1
    assert [s.name for s in result.stages] == ["lead_score", "lead_specialised", "lead_tie_break"]


def test_regret_and_runner_up_by_hand() -> None:
    """Best 90 + 75 = 165. Without A1 on C01: 70 + 80 = 150. Without A2 on C02: 70 + 80 = 150 as well."""
    result = solve_leads(toy(SCORES), explain_choices=True)
    assert isinstance(result, Optimal)
    assert dict(result.plan.regret) == {"C01": 15, "C02": 15}
    assert dict(result.plan.runner_up) == {"C01": A2, "C02": A1}
    only = solve_leads(toy({("C01", A1): 4}), explain_choices=True)
    assert isinstance(only, Optimal)
    assert (only.plan.regret["C01"], only.plan.runner_up["C01"]) == (None, None)


def allowed(data: LeadData, leads: dict[str, tuple[str, str]]) -> bool:
    """The rules in plain Python, written from the plan's words and not from the model."""
    if data.reading == "one_industry_per_discipline":
        if len(set(leads.values())) < len(leads):
            return False
    else:
        used: Counter[tuple[str, str]] = Counter()
        for i, d in leads.items():
            used[d] += data.load.get((i, d), 1)
        if any(used[d] > data.capacity.get(d, data.industries_per_discipline) for d in used):
            return False
        for u, room in data.university_capacity.items():
            if sum(load for d, load in used.items() if d[0] == u) > room:
                return False
    universities = Counter(d[0] for d in leads.values())
    if data.max_leads_per_university is not None and max(universities.values()) > data.max_leads_per_university:
        return False
    if any(data.relevance[i, d] < data.minimum_relevance for i, d in leads.items()):
        return False
    for r in data.special:
        hits = [
            i
            for i, (u, d) in leads.items()
            if r.industry_id in ("", i) and r.moe_code in ("", u) and r.discipline_code in ("", d)
        ]
        if (r.kind == "pinned" and not hits) or (r.kind == "forbidden" and hits):
            return False
        if r.kind == "paired" and leads[r.industry_id][0] != leads[r.paired_industry_id][0]:
            return False
    return True


def brute_force(data: LeadData) -> int | None:
    options = [[d for i, d in data.scores if i == industry] for industry in data.industries]
    values = []
    for choice in itertools.product(*options):
        leads = dict(zip(data.industries, choice, strict=True))
        if allowed(data, leads):
            values.append(sum(data.scores[pair] for pair in leads.items()))
    return max(values, default=None)


def random_lead_data(seed: int) -> LeadData:
    """Up to four industries and six disciplines of three universities, with random switches and special rules."""
    g = random.Random(seed)
    industries = [f"C{k:02d}" for k in range(1, g.randint(2, 4) + 1)]
    disciplines = [(u, d) for u in "AB" for d in "12"] + [("C", "1")]
    scores = {(i, d): g.randint(0, 9) * 10 for i in industries for d in disciplines if g.random() < 0.75}
    scores |= {(i, disciplines[g.randrange(5)]): 50 for i in industries}
    special = []
    for k in range(g.randint(0, 3)):
        kind = g.choice(["pinned", "forbidden", "paired"])
        i, (u, d) = g.choice(industries), g.choice(disciplines)
        other = g.choice([x for x in industries if x != i])
        if kind == "paired":
            special.append(SpecialRule(f"R{k:03d}", kind, i, paired_industry_id=other))
        else:
            special.append(SpecialRule(f"R{k:03d}", kind, i, u, d if g.random() < 0.6 else ""))
    several = g.random() < 0.5
    return LeadData(
        tuple(industries),
        scores,
        {pair: g.randint(1, 3) for pair in scores},
        "several_within_capacity" if several else "one_industry_per_discipline",
        {pair: g.randint(1, 2) for pair in scores},
        {d: g.randint(1, 3) for d in disciplines},
        2,
        g.choice([None, 1, 2, 3]),
        g.choice([0, 1, 2]),
        tuple(special),
        university_capacity={u: g.randint(1, 4) for u in "AB" if g.random() < 0.5},
    )


@pytest.mark.parametrize("seed", range(120))
def test_equals_brute_force(seed: int) -> None:
    data = random_lead_data(seed)
    best = brute_force(data)
    result = solve_leads(data)
    if best is None:
        assert isinstance(result, Infeasible)
        assert result.conflict.minimal
        check_conflict(data, result.conflict.members)
    else:
        assert isinstance(result, Optimal)
        assert result.plan.score_units == best
        assert allowed(data, dict(result.plan.leads))


def check_conflict(data: LeadData, members: tuple[str, ...]) -> None:
    """The members alone are impossible; without any one of them the rest is possible (by enumeration of 0/1 plans)."""

    def possible(names: set[str]) -> bool:
        m = build_lead_model(data)
        for rule in rules_in_force(data):
            for index, row in m.find_component(rule).items():
                # The rows of a threshold stand or fall by industry, those of a pair by the rule's id.
                key = index[0] if rule in ("minimum_relevance", "paired_leads") else index
                key = ",".join(key) if isinstance(key, tuple) else str(key)
                if f"{rule}[{key}]" not in names:
                    row.deactivate()
        solver = pyo.SolverFactory("appsi_highs")
        m.none = pyo.Objective(expr=0 * m.x[m.pairs.first()])
        found = solver.solve(m, load_solutions=False)
        return bool(found.solver.termination_condition == pyo.TerminationCondition.optimal)

    everyone = set(members)
    assert everyone
    assert not possible(everyone)
    assert all(possible(everyone - {one}) for one in members)


def test_two_disciplines_pinned_to_one_industry_are_named() -> None:
    pins = (SpecialRule("R001", "pinned", "C01", "A", "1"), SpecialRule("R002", "pinned", "C01", "B", "1"))
    result = solve_leads(toy(SCORES, special=pins))
    assert isinstance(result, Infeasible)
    conflict = result.conflict
    assert set(conflict.members) == {"one_lead_per_industry[C01]", "pinned_leads[R001]", "pinned_leads[R002]"}
    assert "规定 R001" in conflict.zh
    assert "“C01”恰有一个牵头学科" in conflict.zh
    assert "C01 has exactly one lead discipline" in conflict.en
    assert conflict.repair_zh.count("放弃“规定 R00") == 1
    assert conflict.repair_en.count("give up: rule R00") == 1


def test_everything_forbidden_is_named() -> None:
    result = solve_leads(toy(SCORES, special=(SpecialRule("R009", "forbidden"),)))
    assert isinstance(result, Infeasible)
    assert "forbidden_leads[R009]" in result.conflict.members
    assert len(result.conflict.members) == 2
    assert "任何学校不得牵头“任何产业”" in result.conflict.zh


def test_an_industry_without_candidates_is_named() -> None:
    data = replace(toy(SCORES), industries=("C01", "C02", "C03"))
    result = solve_leads(data)
    assert isinstance(result, Infeasible)
    conflict = result.conflict
    assert conflict.members == ("one_lead_per_industry[C03]",)
    # Nothing can be loosened: told is what to add, in the conflict and in the repair, and only for this industry.
    for said in (conflict.zh, conflict.repair_zh):
        assert "须在登记表 relevance 中补上" in said
    for said in (conflict.en, conflict.repair_en):
        assert "add to the registry relevance a discipline" in said
    told = {q.name: q.en for q in lead_requirements(build_lead_model(data))}
    assert told["one_lead_per_industry[C01]"] == "C01 has exactly one lead discipline"


def test_a_pin_of_an_unknown_discipline_is_named() -> None:
    result = solve_leads(toy(SCORES, special=(SpecialRule("R001", "pinned", "C01", "Z", "9"),)))
    assert isinstance(result, Infeasible)
    assert result.conflict.members == ("pinned_leads[R001]",)


def test_golden_lp(tmp_path: Path) -> None:
    """The algebra of the toy with every kind of rule, as a reader would write it."""
    special = (
        SpecialRule("R001", "pinned", "C01", "B", "1"),
        SpecialRule("R002", "forbidden", "C02", "C"),
        SpecialRule("R003", "paired", "C01", paired_industry_id="C02"),
    )
    relevance = {**dict.fromkeys(SCORES, 3), ("C01", A2): 1}
    data = toy(SCORES, special=special, max_leads_per_university=2, minimum_relevance=2, relevance=relevance)
    m = build_lead_model(data)
    m.score = pyo.Objective(expr=lead_goals(m)[0].expression, sense=pyo.maximize)
    m.write(str(tmp_path / "lead.lp"), io_options={"symbolic_solver_labels": True})
    golden = Path(__file__).parent / "golden" / "lead_toy.lp"
    assert (tmp_path / "lead.lp").read_text() == golden.read_text()
