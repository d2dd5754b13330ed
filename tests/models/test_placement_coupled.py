"""Rules that couple children: a toy by hand for each rule, and brute force over all plans."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from zjsim.models import placement_coupled
from zjsim.models.placement_coupled import RULES, CoupledRules, in_order, solve_coupled
from zjsim.models.placement_matrix import Goal, Transport

from zjsim.solve.results import Optimal


def whole(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def solved(problem: Transport, goals: list[Goal], rules: CoupledRules) -> tuple[list[int], list[int], tuple[int, ...]]:
    found = solve_coupled(problem, goals, rules)
    assert isinstance(found, Optimal)
    assert all(s.gap == 0 and s.bound == s.value for s in found.stages)
    return found.plan.sent.tolist(), [round(s.value) for s in found.stages], found.plan.apart


PAIR = Transport(whole(1, 1), whole(2, 2), whole(0, 0, 1, 1), whole(0, 1, 0, 1))
"""Two children, each nearer to another of two schools (1 against 3)."""
NEAR = [Goal("placed", whole(0, 0, 0, 0), whole(1, 1)), Goal("way", whole(1, 3, 3, 1), whole(0, 0))]


def test_a_section_needs_its_minimum() -> None:
    """With a minimum of 2 both children go to one school: way 4 instead of 2. (seats_taught, enough)

    With one seat each nobody stays out for it: two sections are too small. (sections_too_small)
    """
    assert solved(PAIR, NEAR, CoupledRules(whole(0, 1)))[1] == [0, 2]
    sent, values, _ = solved(PAIR, NEAR, CoupledRules(whole(0, 1), minimum=2))
    assert values == [0, 0, 4]
    assert sent in ([1, 0, 1, 0], [0, 1, 0, 1])
    one_seat = replace(PAIR, capacity=whole(1, 1))
    assert solved(one_seat, NEAR, CoupledRules(whole(0, 1), minimum=2))[1] == [0, 2, 2]
    # Ranked before the places the rule leaves both out; as one block they are two.
    first = CoupledRules(whole(0, 1), minimum=2, goals_before_small=0)
    assert solved(one_seat, NEAR, first)[1] == [0, 2, 0]
    assert solved(PAIR, NEAR, CoupledRules(whole(0, 1), minimum=2, block=whole(0, 0)))[1] == [0, 0, 2]
    assert solved(PAIR, NEAR, CoupledRules(whole(0, 1), minimum=whole(2, 0)))[1] == [0, 0, 4]


def test_siblings_who_arrive_together_get_one_school_if_it_costs_no_place() -> None:
    """Together at one school the way is 4; with one seat each they are apart and both placed. (same_school, apart)"""
    rules = CoupledRules(whole(0, 1), families=((0, 1),))
    assert solved(PAIR, NEAR, rules)[1:] == ([0, 0, 4], ())
    one_seat = replace(PAIR, capacity=whole(1, 1))
    assert solved(one_seat, NEAR, rules)[1:] == ([0, 1, 2], (0,))
    # Sections of two grades at one site are one school.
    assert solved(PAIR, NEAR, replace(rules, site=whole(0, 0)))[1:] == ([0, 0, 2], ())


def test_the_public_share_holds_for_all_together() -> None:
    """School 1 is private: with a floor of 3 in 4 both go to the public one, of 1 in 2 each to the nearer one.

    With one public seat one child is missing there, and both have places. (public_floor, missing_in_public)
    """
    public = np.array([True, False])
    assert solved(PAIR, NEAR, CoupledRules(whole(0, 1), public=public, floor=(1, 2)))[1] == [0, 0, 2]
    assert solved(PAIR, NEAR, CoupledRules(whole(0, 1), public=public, floor=(3, 4)))[1] == [0, 0, 4]
    one_seat = replace(PAIR, capacity=whole(1, 2))
    assert solved(one_seat, NEAR, CoupledRules(whole(0, 1), public=public, floor=(3, 4)))[1] == [0, 1, 2]


def test_every_rule_has_its_toy_and_says_what_it_is() -> None:
    told = {f.__name__ for f in RULES}
    goals = {"sections_too_small", "missing_in_public", "families_apart"}
    assert told == {"seats_taught", "enough", "same_school", "public_floor"} | goals
    for rule in RULES:
        assert "(M" in (rule.__doc__ or "") or ", M" in (rule.__doc__ or "")


TIGHT = replace(PAIR, capacity=whole(1, 1))
PUBLIC = np.array([True, False])
MUTATIONS = {
    "seats_taught": (PAIR, CoupledRules(whole(0, 1), minimum=3)),
    "enough": (PAIR, CoupledRules(whole(0, 1), minimum=2)),
    "same_school": (PAIR, CoupledRules(whole(0, 1), families=((0, 1),))),
    "public_floor": (PAIR, CoupledRules(whole(0, 1), public=PUBLIC, floor=(3, 4))),
    "sections_too_small": (TIGHT, CoupledRules(whole(0, 1), minimum=2)),
    "missing_in_public": (replace(PAIR, capacity=whole(1, 2)), CoupledRules(whole(0, 1), public=PUBLIC, floor=(3, 4))),
    "families_apart": (TIGHT, CoupledRules(whole(0, 1), families=((0, 1),))),
}


@pytest.mark.parametrize("gone", sorted(MUTATIONS))
def test_without_a_rule_a_toy_comes_out_otherwise(gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting any one rule changes a toy (mutation)."""
    problem, rules = MUTATIONS[gone]
    kept = solved(problem, NEAR, rules)[1]
    of_goal = gone in ("sections_too_small", "missing_in_public", "families_apart")
    without = (lambda model: 0 * model.unplaced[0]) if of_goal else (lambda model, *_: model.unplaced[0] >= 0)
    monkeypatch.setattr(placement_coupled, gone, without)
    assert solved(problem, NEAR, rules)[1] != kept


def random_case(seed: int) -> tuple[Transport, list[Goal], CoupledRules]:
    rng = np.random.Generator(np.random.Philox(key=[5, seed]))
    n_groups, n_schools = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    pairs = np.argwhere(rng.random((n_groups, n_schools)) < 0.8)
    supply = np.where(rng.random(n_groups) < 0.7, 1, rng.integers(0, 3, n_groups)).astype(np.int64)
    problem = Transport(supply, rng.integers(0, 4, n_schools), pairs[:, 0], pairs[:, 1])
    goals = [
        Goal("placed", np.zeros(len(pairs), np.int64), np.ones(n_groups, np.int64)),
        Goal("way", rng.integers(0, 9, len(pairs)), rng.integers(0, 2, n_groups)),
    ]
    single = np.flatnonzero(supply == 1).tolist()
    families = (tuple(single[:2]),) if len(single) >= 2 and rng.random() < 0.6 else ()
    rules = CoupledRules(
        site=rng.integers(0, n_schools, n_schools),
        minimum=int(rng.integers(0, 4)),
        block=rng.integers(0, n_schools, n_schools),
        families=families,
        public=rng.random(n_schools) < 0.5,
        floor=(int(rng.integers(0, 3)), 3),
        goals_before_small=int(rng.integers(0, 3)),
        goals_before_floor=int(rng.integers(0, 3)),
        goals_before_apart=int(rng.integers(0, 3)),
    )
    return problem, goals, rules


def least(problem: Transport, goals: list[Goal], rules: CoupledRules) -> tuple[int, ...]:
    """The best values over all plans, by trying them."""
    ends = [0 if not len(problem.group) else int(problem.supply[g]) for g in problem.group]
    best: tuple[int, ...] | None = None
    for sent in itertools.product(*(range(n + 1) for n in ends)):
        flow = np.array(sent, np.int64)
        left = problem.supply - np.bincount(problem.group, flow, len(problem.supply)).astype(int)
        load = np.bincount(problem.school, flow, len(problem.capacity)).astype(int)
        if (left < 0).any() or (load > problem.capacity).any():
            continue
        values: dict[str, int] = {g.name: int(g.arc_cost @ flow + g.unplaced_cost @ left) for g in goals}
        assert rules.public is not None
        assert rules.block is not None
        taken = [int(load[rules.block == b].sum()) for b in set(rules.block.tolist())]
        values["small"] = sum(0 < n < int(rules.minimum) for n in taken)
        part, of = rules.floor
        values["floor"] = max(0, -((of * int(load[rules.public].sum()) - part * int(load.sum())) // of))
        if rules.families:
            at = [
                next((int(rules.site[problem.school[a]]) for a in np.flatnonzero(flow) if problem.group[a] == g), -1)
                for g in rules.families[0]
            ]
            values["families"] = int(len(set(at)) > 1)
        values_in_order = [values[name] for name in in_order([g.name for g in goals], rules) if name in values]
        best = tuple(values_in_order) if best is None else min(best, tuple(values_in_order))
    assert best is not None
    return best


@pytest.mark.parametrize("seed", range(120))
def test_equals_brute_force(seed: int) -> None:
    problem, goals, rules = random_case(seed)
    found = solve_coupled(problem, goals, rules)
    assert isinstance(found, Optimal)
    told = {s.name: round(s.value) for s in found.stages}
    names = in_order([g.name for g in goals], rules)
    absent = {"small": 0, "floor": 0} | ({"families": 0} if rules.families else {})
    assert tuple((absent | told)[n] for n in names if n in absent | told) == least(problem, goals, rules)


def test_parts_are_split_only_where_no_rule_joins_them() -> None:
    problem = Transport(whole(1, 1), whole(1, 1), whole(0, 1), whole(0, 1))
    goals = [Goal("placed", whole(0, 0), whole(1, 1))]
    public = np.array([True, True])
    parts = []
    for rules in (
        CoupledRules(whole(0, 1)),
        CoupledRules(whole(0, 0), families=((0, 1),)),
        CoupledRules(whole(0, 1), public=public, floor=(1, 2)),
    ):
        found = solve_coupled(problem, goals, rules)
        assert isinstance(found, Optimal)
        parts.append(found.plan.parts)
    assert parts == [2, 1, 1]
    with pytest.raises(ValueError, match="one child"):
        solve_coupled(replace(problem, supply=whole(2, 1)), goals, CoupledRules(whole(0, 0), families=((0, 1),)))
