"""Supports of main industries: a hand-solved toy per rule, brute force, conflicts, candidates by hand."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import Any

import pytest
from zjsim.models.assignment_rules import SpecialRule
from zjsim.models.assignment_support import SUPPORT_RULES, SupportData, solve_supports

from zjsim.solve.results import Infeasible, Optimal

Key = tuple[str, str, str]
LEADS = {"C01": ("L", "1"), "C02": ("L", "1")}
SCORES: dict[Key, int] = {
    ("C01", "A", "1"): 90,
    ("C01", "A", "2"): 80,
    ("C01", "B", "1"): 60,
    ("C02", "A", "1"): 50,
    ("C02", "B", "1"): 40,
    ("C02", "V", ""): -10,
}


def toy(scores: dict[Key, int] | None = None, **more: Any) -> SupportData:
    scores = SCORES if scores is None else scores
    more.setdefault("leads", LEADS)
    return SupportData(("C01", "C02"), scores, more.pop("leads"), **more)


A1, A2, B1 = ("C01", "A", "1"), ("C01", "A", "2"), ("C01", "B", "1")
X1, Y1, V = ("C02", "A", "1"), ("C02", "B", "1"), ("C02", "V", "")

TOYS: dict[str, tuple[SupportData, set[Key], int]] = {
    # Nobody is worth 70 in C02, but it needs two: 50 + 40 - 2 x 70; C01 takes A1 alone.
    "enough_supports": (toy(worth_from=70, at_least=2), {A1, B1, X1, Y1}, 20 - 10 - 20 - 30),
    # Two at most: V would add to C02 (all are worth more than -20), but the better two stay.
    "not_too_many_supports": (toy(worth_from=-20, at_most=2), {A1, B1, X1, Y1}, 110 + 80 + 70 + 60),
    # A supports C01 with one discipline only, and L leads C02: its other discipline stays out.
    "one_part_per_institution": (toy({**SCORES, ("C02", "L", "2"): 99}), {A1, B1, X1, Y1}, 240),
    # A1 serves one industry: C02 (50), for A2 steps in at C01 (80); B1 serves C01 (60) rather than C02 (40).
    "industries_per_support": (toy(per_discipline=1), {A2, B1, X1}, 190),
    # A supports one industry, B one: 90 + 60.
    "supports_per_institution": (
        toy({k: s for k, s in SCORES.items() if k != A2} | {("C02", "A", "2"): 45}, per_institution=1),
        {A1, B1},
        150,
    ),
    # A1 has too little to do with C01: A2 takes its place; V is exempt although nothing is known of it.
    "support_relevance": (
        toy({**SCORES, V: 5}, relevance={A1: 1, V: 0}, minimum_relevance=2),
        {A2, B1, X1, Y1, V},
        80 + 60 + 50 + 40 + 5,
    ),
    # City "v" counts only with V, which costs 10: presence comes first.
    "present_in_city": (toy(city_of={"V": "v", "L": "l"}, cities={"C02": ("l", "v")}), {A1, B1, X1, Y1, V}, 230),
    # The county needs two within reach; the lead is one, V the other.
    "mountain_island_floor": (
        toy(served={"g": frozenset({("C02", "V"), ("C02", "L")})}, county_floor=2),
        {A1, B1, X1, Y1, V},
        230,
    ),
    "pinned_supports": (
        toy(special=(SpecialRule("R001", "pinned", "C02", "V", role="support"),)),
        {A1, B1, X1, Y1, V},
        230,
    ),
    # Neither discipline of A in C01: B1 alone.
    "forbidden_supports": (toy(special=(SpecialRule("R001", "forbidden", "C01", "A"),)), {B1, X1, Y1}, 150),
}


def test_every_rule_has_a_toy() -> None:
    assert set(TOYS) == set(SUPPORT_RULES)
    for rule in SUPPORT_RULES.values():
        words = " ".join((rule.__doc__ or "").split())
        assert "Unit of the row" in words
        assert "M0" in words


@pytest.mark.parametrize("rule", sorted(TOYS))
def test_toy_by_hand(rule: str) -> None:
    data, supports, score = TOYS[rule]
    result = solve_supports(data)
    assert isinstance(result, Optimal)
    assert set(result.plan.supports) == supports
    assert result.stages[1].value == score == result.stages[1].bound


@pytest.mark.parametrize("rule", sorted(TOYS))
def test_toy_fails_without_its_rule(rule: str) -> None:
    data, supports, _ = TOYS[rule]
    result = solve_supports(data, without={rule})
    assert isinstance(result, Optimal)
    assert set(result.plan.supports) != supports


def test_presence_tells_who_takes_part_and_who_cannot() -> None:
    data = toy(city_of={"V": "v", "L": "l"}, cities={"C01": ("l",), "C02": ("v", "w")})
    result = solve_supports(data)
    assert isinstance(result, Optimal)
    assert dict(result.plan.present) == {("C01", "l"): True, ("C02", "v"): True, ("C02", "w"): False}
    assert result.stages[0].value == 2


def allowed(data: SupportData, taken: set[Key]) -> bool:
    """The rules in plain Python, but for those of the planner's own."""
    for i in data.industries:
        mine = [k for k in taken if k[0] == i]
        if not data.at_least <= len(mine) <= data.at_most:
            return False
        parts = Counter([k[1] for k in mine] + [data.leads[i][0]])
        if any(parts[k[1]] > 1 for k in mine):
            return False
        if any(k[2] and data.relevance.get(k, 3) < data.minimum_relevance for k in mine):
            return False
    if any(n > data.per_discipline for n in Counter(k[1:] for k in taken).values()):
        return False
    if any(n > data.per_institution for n in Counter(k[1] for k in taken).values()):
        return False
    for pairs in data.served.values():
        here = sum(k[:2] in pairs for k in taken) + sum((i, data.leads[i][0]) in pairs for i in data.industries)
        if here < data.county_floor:
            return False
    for r in data.special:
        hits = [k for k in taken if r.matches(*k, role="support")]
        if (r.kind == "pinned" and not hits) or (r.kind == "forbidden" and hits):
            return False
    return True


def value(data: SupportData, taken: set[Key]) -> tuple[int, int, int]:
    cities = 0
    for i, wanted in data.cities.items():
        here = {data.city_of[k[1]] for k in taken if k[0] == i} | {data.city_of[data.leads[i][0]]}
        cities += len(here & set(wanted))
    return cities, sum(data.scores[k] - data.worth_from for k in taken), -len(taken)


def random_support_data(seed: int) -> SupportData:
    g = random.Random(seed)
    keys = [(i, u, d) for i in ("C01", "C02") for u, d in (("A", "1"), ("A", "2"), ("B", "1"), ("V", ""), ("L", "2"))]
    scores = {k: g.randint(0, 9) * 10 for k in keys if g.random() < 0.85}
    special = []
    for n in range(g.randint(0, 3)):
        kind, (i, u, d) = g.choice(["pinned", "forbidden"]), g.choice(keys)
        special.append(SpecialRule(f"R{n:03d}", kind, i, u, d if g.random() < 0.5 else "", "support"))
    return SupportData(
        ("C01", "C02"),
        scores,
        {"C01": ("L", "1"), "C02": g.choice([("A", "1"), ("B", "1")])},
        {k: g.randint(1, 3) for k in scores},
        {"A": "a", "B": "b", "V": "v", "L": "a"},
        {i: tuple(c for c in "abv" if g.random() < 0.6) for i in ("C01", "C02")},
        {c: frozenset((i, u) for i in ("C01", "C02") for u in "ABVL" if g.random() < 0.4) for c in "gh"},
        at_least=g.choice([0, 0, 1, 2]),
        at_most=g.choice([1, 2, 3]),
        worth_from=g.choice([0, 25, 45]),
        minimum_relevance=g.choice([0, 0, 2]),
        per_discipline=g.choice([1, 1, 2]),
        per_institution=g.choice([1, 2, 3, 3]),
        county_floor=g.choice([0, 1, 2]),
        special=tuple(special),
    )


@pytest.mark.parametrize("seed", range(80))
def test_equals_brute_force(seed: int) -> None:
    data = random_support_data(seed)
    subsets = itertools.chain.from_iterable(itertools.combinations(sorted(data.scores), n) for n in range(7))
    best = max((value(data, set(s)) for s in subsets if allowed(data, set(s))), default=None)
    result = solve_supports(data)
    if best is None:
        assert isinstance(result, Infeasible)
        assert result.conflict.minimal
        assert result.conflict.repair
    else:
        assert isinstance(result, Optimal)
        assert allowed(data, set(result.plan.supports))
        assert value(data, set(result.plan.supports)) == best
        assert [s.value for s in result.stages[:3]] == [best[0], best[1], -best[2]]


def test_a_county_that_nobody_reaches_is_named() -> None:
    result = solve_supports(toy(served={"330727": frozenset()}, county_floor=1))
    assert isinstance(result, Infeasible)
    assert result.conflict.members == ("mountain_island_floor[330727]",)
    assert "山区海岛县330727周边参与的院校不少于 1 所" in result.conflict.zh
    assert result.conflict.repair == (("mountain_island_floor[330727]", 1.0),)
    assert "loosen by 1" in result.conflict.repair_en


def test_more_supports_asked_for_than_there_are() -> None:
    result = solve_supports(toy(at_least=3, per_discipline=1))
    assert isinstance(result, Infeasible)
    assert "enough_supports[C01]" in result.conflict.members
    assert "“C01”的支撑学科不少于 3 个" in result.conflict.zh
