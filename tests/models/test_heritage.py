"""Heritage "1+1": a hand-solved toy per rule, brute force over both readings, conflicts."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from zjsim.models.assignment_rules import SpecialRule
from zjsim.models.heritage import HERITAGE_RULES, HeritageData, heritage_rules_in_force, solve_heritage

from zjsim.solve.results import Infeasible, Optimal

LEAD = {("H01", "A"): 90, ("H01", "B"): 60, ("H01", "V"): 50, ("H01", "W"): 40}
PARTNER = {("H01", "A"): 80, ("H01", "B"): 30, ("H01", "V"): 70, ("H01", "W"): 75}


def toy(lead: dict[tuple[str, str], int], partner: dict[tuple[str, str], int], **more: Any) -> HeritageData:
    scores = {(h, u, "lead"): s for (h, u), s in lead.items()}
    scores |= {(h, u, "partner"): s for (h, u), s in partner.items()}
    more.setdefault("vocational", frozenset("VW"))
    more.setdefault("vocational_may_lead", True)
    craft = more.pop("craft", {(h, u): 1.0 for h, u, _ in scores})
    return HeritageData(tuple(sorted({h for h, _, _ in scores})), scores, craft, **more)


BOTH = {("H01", "A"): 50, ("H01", "B"): 40, ("H02", "A"): 50, ("H02", "B"): 10, ("H02", "C"): 20}
NEGATIVE = {("H01", "A"): -9, ("H01", "B"): -5}

TOYS: dict[str, tuple[HeritageData, dict[tuple[str, str], str], int]] = {
    # Every choice costs: without the rule there would be no lead (or no partner).
    "one_heritage_lead": (
        toy(NEGATIVE, {("H01", "A"): 1, ("H01", "B"): 0}),
        {("H01", "lead"): "B", ("H01", "partner"): "A"},
        -4,
    ),
    "one_heritage_partner": (
        toy({("H01", "A"): 1, ("H01", "B"): 0}, NEGATIVE),
        {("H01", "lead"): "A", ("H01", "partner"): "B"},
        -4,
    ),
    # A would be both (170): lead A 90 + partner W 75.
    "two_institutions": (toy(LEAD, PARTNER), {("H01", "lead"): "A", ("H01", "partner"): "W"}, 165),
    # V leads best, W is the best partner, but one of the two must not be vocational: V 95 + A 60 beats A 20 + W 75.
    "vocational_per_pair": (
        toy({("H01", "A"): 20, ("H01", "V"): 95}, {("H01", "A"): 60, ("H01", "W"): 75}),
        {("H01", "lead"): "V", ("H01", "partner"): "A"},
        155,
    ),
    # V must not lead: A 20 + W 75.
    "undergraduate_leads": (
        toy({("H01", "A"): 20, ("H01", "V"): 95}, {("H01", "A"): 60, ("H01", "W"): 75}, vocational_may_lead=False),
        {("H01", "lead"): "A", ("H01", "partner"): "W"},
        95,
    ),
    # One role each: A leads H01 only (50 + 20) or H02 only (40 + 50): the latter.
    "roles_per_institution": (
        toy(BOTH, {}, roles=("lead",), max_roles_per_institution=1),
        {("H01", "lead"): "B", ("H02", "lead"): "A"},
        90,
    ),
    # A knows nothing of the craft: B 60 + W 75.
    "minimum_craft": (
        toy(LEAD, PARTNER, minimum_craft=0.2, craft={**dict.fromkeys(LEAD, 1.0), ("H01", "A"): 0.1}),
        {("H01", "lead"): "B", ("H01", "partner"): "W"},
        135,
    ),
    # B is pinned as partner: A 90 + B 30.
    "pinned_pairs": (
        toy(LEAD, PARTNER, special=(SpecialRule("R001", "pinned", "H01", "B", role="partner"),)),
        {("H01", "lead"): "A", ("H01", "partner"): "B"},
        120,
    ),
    # W is kept out: A 90 + V 70.
    "forbidden_pairs": (
        toy(LEAD, PARTNER, special=(SpecialRule("R001", "forbidden", "H01", "W"),)),
        {("H01", "lead"): "A", ("H01", "partner"): "V"},
        160,
    ),
    # One institution leads both: A 50 + 0 loses to B 40 + 60 (A is best for H01 alone).
    "paired_pairs": (
        toy(
            {("H01", "A"): 50, ("H01", "B"): 40, ("H02", "A"): 0, ("H02", "B"): 60},
            {},
            roles=("lead",),
            special=(SpecialRule("R001", "paired", "H01", paired_industry_id="H02"),),
        ),
        {("H01", "lead"): "B", ("H02", "lead"): "B"},
        100,
    ),
}


def test_every_rule_has_a_toy() -> None:
    assert set(TOYS) == set(HERITAGE_RULES)
    for rule in HERITAGE_RULES.values():
        words = " ".join((rule.__doc__ or "").split())
        assert "Unit of the row" in words
        assert "M012" in words


@pytest.mark.parametrize("rule", sorted(TOYS))
def test_toy_by_hand(rule: str) -> None:
    data, pairs, score = TOYS[rule]
    result = solve_heritage(data)
    assert isinstance(result, Optimal)
    assert dict(result.plan.institutions) == pairs
    assert result.plan.score_units == score == result.stages[0].bound


@pytest.mark.parametrize("rule", sorted(TOYS))
def test_toy_fails_without_its_rule(rule: str) -> None:
    data, pairs, _ = TOYS[rule]
    assert rule in heritage_rules_in_force(data)
    result = solve_heritage(data, without={rule})
    assert isinstance(result, Optimal)
    assert dict(result.plan.institutions) != pairs


def test_regret_and_runner_up_by_hand() -> None:
    """Best: A 90 + W 75. Without A as lead: B 60 + A 80. Without W as partner: A 90 + V 70."""
    result = solve_heritage(toy(LEAD, PARTNER), explain_choices=True)
    assert isinstance(result, Optimal)
    assert dict(result.plan.regret) == {("H01", "lead"): 25, ("H01", "partner"): 5}
    assert dict(result.plan.runner_up) == {("H01", "lead"): "B", ("H01", "partner"): "V"}


def allowed(data: HeritageData, posts: dict[tuple[str, str], str]) -> bool:
    """The rules in plain Python."""
    for h in data.industries:
        pair = [posts[h, r] for r in data.roles]
        vocational = sum(u in data.vocational for u in pair)
        if len(data.roles) == 2 and (len(set(pair)) < 2 or vocational > data.max_vocational_per_pair):
            return False
        if not data.vocational_may_lead and posts[h, "lead"] in data.vocational:
            return False
    if max(Counter(posts.values()).values()) > data.max_roles_per_institution:
        return False
    if any(data.craft[h, u] < data.minimum_craft for (h, _), u in posts.items()):
        return False
    for k in data.special:
        hits = [
            h for (h, r), u in posts.items() if k.industry_id in ("", h) and k.moe_code in ("", u) and k.role in ("", r)
        ]
        if (k.kind == "pinned" and not hits) or (k.kind == "forbidden" and hits):
            return False
        if k.kind == "paired" and posts[k.industry_id, "lead"] != posts[k.paired_industry_id, "lead"]:
            return False
    return True


def brute_force(data: HeritageData) -> int | None:
    slots = [(h, r) for h in data.industries for r in data.roles]
    options = [sorted(u for h, u, r in data.scores if (h, r) == slot) for slot in slots]
    values = []
    for choice in itertools.product(*options):
        posts = dict(zip(slots, choice, strict=True))
        if allowed(data, posts):
            values.append(sum(data.scores[h, u, r] for (h, r), u in posts.items()))
    return max(values, default=None)


def random_heritage_data(seed: int) -> HeritageData:
    g = random.Random(seed)
    industries = ("H01", "H02") if seed % 2 else ("H01", "H02", "H03")
    roles = ("lead", "partner") if seed % 2 else ("lead",)
    institutions = "ABVW"
    pairs = [(h, u) for h in industries for u in institutions if g.random() < 0.85]
    special = []
    for k in range(g.randint(0, 3)):
        kind = g.choice(["pinned", "pinned", "forbidden", "forbidden", "paired"])
        h, other = g.sample(industries, 2)
        if kind == "paired":
            special.append(SpecialRule(f"R{k:03d}", kind, h, paired_industry_id=other))
        else:
            role = g.choice(["", "lead", "partner"])
            special.append(SpecialRule(f"R{k:03d}", kind, h, g.choice(institutions), role=role))
    return HeritageData(
        industries,
        {(h, u, r): g.randint(0, 99) for h, u in pairs for r in roles},
        {pair: g.choice([0.1, 0.5, 1.0]) for pair in pairs},
        frozenset("VW"),
        roles,
        g.random() < 0.7,
        g.choice([0, 1, 1, 2]),
        g.choice([1, 2, 3]),
        g.choice([0.0, 0.0, 0.2]),
        tuple(special),
    )


@pytest.mark.parametrize("seed", range(120))
def test_equals_brute_force(seed: int) -> None:
    data = random_heritage_data(seed)
    best = brute_force(data)
    result = solve_heritage(data)
    if best is None:
        assert isinstance(result, Infeasible)
        assert result.conflict.members
        assert result.conflict.minimal
    else:
        assert isinstance(result, Optimal)
        assert result.plan.score_units == best
        assert allowed(data, dict(result.plan.institutions))


def test_two_leads_pinned_to_one_craft_are_named() -> None:
    pins = tuple(SpecialRule(f"R00{k}", "pinned", "H01", u, role="lead") for k, u in ((1, "A"), (2, "B")))
    result = solve_heritage(toy(LEAD, PARTNER, special=pins))
    assert isinstance(result, Infeasible)
    members = {"one_heritage_lead[H01]", "pinned_pairs[R001]", "pinned_pairs[R002]"}
    assert set(result.conflict.members) == members
    assert "规定 R001：A牵头“H01”" in result.conflict.zh
    assert "rule R002: B must lead H01" in result.conflict.en


def test_a_craft_that_nobody_knows_is_named() -> None:
    data = replace(toy(LEAD, PARTNER, roles=("lead",)), minimum_craft=1.5)
    result = solve_heritage(data)
    assert isinstance(result, Infeasible)
    assert set(result.conflict.members) == {"minimum_craft[H01]", "one_heritage_lead[H01]"}
