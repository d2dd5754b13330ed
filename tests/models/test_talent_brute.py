"""Random toys of talent supply: the best of all plans on a grid, goal by goal, is what the model finds.

All amounts are even and every vertex of these toys is at least half-integral, so the best plan lies on the grid.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from zjsim.models.talent_model import build_talent_model
from zjsim.models.talent_plan import solve_in_blocks
from zjsim.models.talent_supply import DECISION_SIZE, solve_talent_of, talent_goals
from zjsim.models.talent_terms import Group, GroupKey, TalentData

from zjsim.solve.faces import solve_by_faces
from zjsim.solve.goals import Prepared
from zjsim.solve.options import Options
from zjsim.solve.results import Infeasible, Optimal

TOYS = 144
MOST = 6
YEARS = (2025, 2026, 2027, 2028)
KEYS: tuple[GroupKey, GroupKey] = (("A", "undergraduate", "K1", "regular"), ("A", "undergraduate", "K2", "regular"))
SECTORS = ("S1", "S2")
PAIRS = np.array(list(itertools.product(range(MOST + 1), repeat=2)))
FLOWS = np.array([(*a, *b) for a in PAIRS for b in PAIRS if sum(a) <= MOST and sum(b) <= MOST])
"""Graduates (K1 to S1, K1 to S2, K2 to S1, K2 to S2)."""


def random_toy(seed: int, level: str = "undergraduate", host: str = "A") -> TalentData:
    """One host, two one-year groups, two sectors, one or two cases; now and then an opening, a closure, an order."""
    r = np.random.Generator(np.random.Philox(seed))
    keys = [(host, level, k, "regular") for k in ("K1", "K2")]
    two = bool(r.random() < 0.5)
    chance = {"a": 0.25, "b": 0.75} if two else {"a": 1.0}
    sizes = ((2.0, 2.0), (2.0, 4.0), (4.0, 2.0))[int(r.integers(0, 3))]
    groups = {
        g: Group(1, 1.0, 4, size, float(r.choice([2, 4, 10])), change_weight=float(r.choice([0.5, 1])))
        for g, size in zip(keys, sizes, strict=True)
    }
    special = r.random()
    if special < 0.3:
        groups[keys[1]] = replace(groups[keys[1]], history=0, announced=0, may_open=True, cap=4.0)
    elif special < 0.6:
        groups[keys[1]] = replace(groups[keys[1]], may_close=True)
    more: dict[str, Any] = {}
    announced = sum(g.announced for g in groups.values())
    places, build = ((6.0, 0.0), (6.0, 0.0), (4.0, 0.5))[int(r.integers(0, 3)) if announced <= 4 else 0]
    if r.random() < 0.4:
        steps = {t: 2.0 * int(r.integers(0, 2) and announced + 2 <= places) for t in YEARS[1:]}
        more["totals"] = {(level, t): announced + step for t, step in steps.items()}
        if r.random() < 0.6 and level == "undergraduate":
            more["totals"] = dict.fromkeys(more["totals"], announced)
            groups = {g: replace(x, counted=True, of_field=g == keys[0]) for g, x in groups.items()}
            more["share_not_falling"] = groups[keys[0]].announced > 0
    if r.random() < 0.3:
        more["orders"] = {(keys[0], "S1"): (int(r.choice([2026, 2027])), 2.0)}
    relevance = {("K1", "S1"): int(r.choice([1, 3])), ("K2", "S2"): 3}
    if r.random() < 0.5:
        relevance["K1", "S2"] = int(r.choice([1, 2]))
    if r.random() < 0.5:
        relevance["K2", "S1"] = 1
    return TalentData(
        **{
            "years": YEARS,
            "first": 2026,
            "groups": groups,
            "cases": chance,
            "demand": {
                (s, level, t, c): float(r.choice([0, 4, 8])) for s in SECTORS for t in YEARS[1:] for c in sorted(chance)
            },
            "relevance": relevance,
            "priority": {"S2": int(r.choice([1, 2, 3]))},
            "norm": {"K1": 1.0, "K2": 1.0},
            "teachers": {(g[0], g[2]): float(r.choice([max(2.0, groups[g].announced), 4, 20])) for g in keys},
            "places": {host: places},
            "hire_share": float(r.choice([0, 0.5])),
            "build_share": build,
            "minimum_size": 2.0,
            "mild_share": 0.5,
            "share_not_falling": False,
            **more,
        }
    )


def brute_force(data: TalentData) -> tuple[float, float, float, float] | None:
    """The best values of the goals, in order, over every plan on the grid; None if none keeps all limits."""
    keys = tuple(sorted(data.groups))
    best = None
    market = {(t, c): market_table(data, keys, t, c) for t in YEARS[1:] for c in data.cases}
    for opened in (False, True) if any(g.may_open or g.may_close for g in data.groups.values()) else (False,):
        for hired, built in first_stage(data, keys):
            found = best_of(data, keys, opened, hired, built, market)
            if found is not None and (best is None or found < best):
                best = found
    return best


def first_stage(data: TalentData, keys: tuple[GroupKey, ...]) -> Iterator[tuple[Any, float]]:
    """Teachers hired in 2026 and 2027 by class, and places begun in 2026: later ones are of no use."""
    limit = int(data.hire_share * sum(data.teachers.values()))
    steps = range(min(limit, 4) + 1)
    years = [h for h in itertools.product(steps, repeat=2) if sum(h) <= limit]
    wanted = [h for h in years if all(n == 0 or data.teachers[k[0], k[2]] < MOST for n, k in zip(h, keys, strict=True))]
    room = int(data.build_share * data.places[keys[0][0]])
    for now, later in itertools.product(wanted, repeat=2):
        for built in range(room + 1):
            yield (np.array(now), np.array(later)), float(built)


def best_of(
    data: TalentData, keys: tuple[GroupKey, ...], flag: bool, hired: Any, built: float, market: Any
) -> tuple[float, float, float, float] | None:
    groups = [data.groups[g] for g in keys]
    host = keys[0][0]
    staff = np.array([data.teachers[host, g[2]] for g in keys])
    announced = np.array([g.announced for g in groups])
    most = np.array([g.most_change for g in groups])
    extra = np.array([flag * (g.cap if g.may_open else g.announced if g.may_close else 0.0) for g in groups])
    size = np.ones(len(PAIRS), dtype=bool)
    for n, g in enumerate(groups):
        x = PAIRS[:, n]
        if g.may_open:
            size &= (x >= data.minimum_size) & (x <= g.cap) if flag else x == 0
        if g.may_close:
            size &= x == 0 if flag else (x >= data.minimum_size) & (x <= 3 * g.announced)
    now, later = hired
    first = size & (np.abs(PAIRS - announced) <= most + extra).all(axis=1) & (staff + now >= PAIRS).all(axis=1)
    then = size & (staff + now + later >= PAIRS).all(axis=1)
    first &= PAIRS.sum(axis=1) <= data.places[host]
    then &= PAIRS.sum(axis=1) <= data.places[host] + built
    for t, allowed in ((2026, first), (2027, then)):
        if data.totals:
            allowed &= PAIRS.sum(axis=1) == data.totals[keys[0][1], t]
        for (g, _), (year, seats) in data.orders.items():
            allowed &= (PAIRS[:, keys.index(g)] >= seats) | (t < year)
    steps = np.abs(PAIRS[:, None, :] - PAIRS[None, :, :])
    both = first[:, None] & then[None, :] & (steps <= most).all(axis=2)
    if data.share_not_falling:
        whole = data.totals[keys[0][1], 2026]
        first_ok = PAIRS[:, 0] * announced.sum() >= announced[0] * whole
        both &= first_ok[:, None] & (PAIRS[None, :, 0] * whole >= PAIRS[:, None, 0] * data.totals[keys[0][1], 2027])
    if not both.any():
        return None
    weights = np.array([g.change_weight for g in groups])
    rows = np.flatnonzero(both.any(axis=1))
    values = []
    supply26 = int(announced[0]) * (MOST + 1) + int(announced[1])
    spent = 3 * now.sum() + 2 * later.sum() + built
    for i in rows:
        parts = np.zeros(3)
        parts[2] = (np.abs(PAIRS[i] - announced) * weights).sum() + DECISION_SIZE * flag
        for c, p in data.cases.items():
            for t, at in ((2026, supply26), (2027, i)):
                parts[:2] += p * market[t, c][at]
            options = np.flatnonzero(both[i])
            table = market[2028, c][options]
            change = (steps[i, options] * weights).sum(axis=1)
            order = np.lexsort((change, np.round(table[:, 1], 6), np.round(table[:, 0], 6)))[0]
            parts += p * np.array([*table[order], change[order]])
        values.append((*np.round(parts, 6), float(spent)))
    return min(values)


def market_table(data: TalentData, keys: tuple[GroupKey, ...], t: int, c: str) -> Any:
    """Least unmet demand, then least mismatch, by what the two groups supply (rows as :data:`PAIRS`)."""
    level = keys[0][1]
    demand = np.array([data.demand[s, level, t, c] for s in SECTORS])
    pairs = [(k, s) for k in ("K1", "K2") for s in SECTORS]
    allowed = np.ones(len(FLOWS), dtype=bool)
    distance = np.zeros(len(FLOWS))
    for n, pair in enumerate(pairs):
        known = data.relevance.get(pair, 0)
        allowed &= (FLOWS[:, n] == 0) | (known > 0)
        distance += FLOWS[:, n] * (3 - known) / 3
    for (g, s), (year, seats) in data.orders.items():
        if t - 1 >= max(year, data.first):
            allowed &= FLOWS[:, pairs.index((g[2], s))] >= seats
    short = demand - np.stack([FLOWS[:, 0] + FLOWS[:, 2], FLOWS[:, 1] + FLOWS[:, 3]], axis=1)
    allowed &= (short >= 0).all(axis=1)
    severe = np.maximum(short - data.mild_share * demand, 0)
    weight = np.array([data.priority.get(s, 1) for s in SECTORS])
    unmet = (weight * (short - severe + data.severe_weight * severe)).sum(axis=1)
    sent = np.stack([FLOWS[:, 0] + FLOWS[:, 1], FLOWS[:, 2] + FLOWS[:, 3]], axis=1)
    found = np.full((len(PAIRS), 2), 1e9)
    for n, there in enumerate(PAIRS):
        ok = allowed & (sent <= there).all(axis=1)
        if ok.any():
            mismatch = there.sum() - sent[ok].sum(axis=1) + distance[ok]
            best = np.lexsort((mismatch, unmet[ok]))[0]
            found[n] = unmet[ok][best], mismatch[best]
    return found


def values(result: Any) -> tuple[float, ...] | None:
    assert isinstance(result, Optimal | Infeasible)
    return None if isinstance(result, Infeasible) else tuple(s.value for s in result.stages)


@pytest.mark.parametrize("part", range(4))
def test_random_toys_equal_brute_force_in_every_goal(part: int) -> None:
    possible = 0
    for seed in range(part, TOYS, 4):
        data = random_toy(seed)
        wanted = brute_force(data)
        found = values(solve_talent_of(data))
        assert (found is None) == (wanted is None or wanted[0] >= 1e8), seed
        if found is not None and wanted is not None:
            assert found == pytest.approx(wanted, abs=1e-5), seed
            possible += 1
    assert possible >= 25, "over a hundred of the toys have a plan"


def merged(one: TalentData, other: TalentData) -> TalentData:
    """Two problems that share no host, level or class: one problem."""
    named = {("K1"): "K3", "K2": "K4"}

    def renamed(table: Any, at: int) -> Any:
        return {tuple(named.get(x, x) if n == at else x for n, x in enumerate(k)): v for k, v in table.items()}

    demand = {(s, level, t, c): n for (s, level, t, _), n in other.demand.items() for c in one.cases}
    return replace(
        one,
        groups={**one.groups, **renamed(other.groups, 2)},
        demand={**one.demand, **demand},
        relevance={**one.relevance, **renamed(other.relevance, 0)},
        norm={**one.norm, "K3": 1.0, "K4": 1.0},
        teachers={**one.teachers, **renamed(other.teachers, 1)},
        places={**one.places, **other.places},
        totals={**one.totals, **other.totals},
        orders={},
        share_not_falling=one.share_not_falling and bool(one.totals),
    )


@pytest.mark.parametrize("seed", range(24))
def test_blocks_together_are_the_whole(seed: int) -> None:
    """The solve in blocks reaches the same value in every goal as the whole problem in one model."""
    data = merged(random_toy(seed), random_toy(seed + 500, "secondary", "B"))
    whole, parts = solve_talent_of(data), solve_in_blocks(data, Options())
    assert type(whole) is type(parts)
    if isinstance(whole, Optimal):
        assert values(parts) == pytest.approx(values(whole), abs=1e-6)
        assert len({g[1] for g in data.groups}) == 2


@pytest.mark.parametrize("seed", range(0, TOYS, 6))
def test_the_search_on_faces_is_as_good_as_the_solver_s_own(seed: int) -> None:
    data = random_toy(seed)
    m = build_talent_model(data)
    prepared = Prepared(m, talent_goals(m), Options())
    found, plain = solve_by_faces(prepared), prepared.solve()
    assert type(found) is type(plain)
    if isinstance(plain, Optimal):
        assert values(found) == pytest.approx(values(plain), abs=1e-6)
