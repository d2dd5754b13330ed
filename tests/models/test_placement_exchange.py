"""What one unit of a goal buys the later ones, against brute force over all placements of small counties."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.placement_data import county_data, county_tables
from zjsim.models.placement_exchange import ONE_KM, exchange_table, exchanges, kept
from zjsim.models.placement_matrix import Goal, Transport
from zjsim.models.placement_modes import place_county
from zjsim.models.placement_rules import goal
from zjsim.models.seat_placement import place

from zjsim.audit.placement import check


def helper() -> Any:
    """The small random counties of the placement's brute-force test."""
    name = "small_counties"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("test_seat_placement.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    found: dict[str, pd.DataFrame] = helper().registries(80, 31)
    return found


def test_by_hand() -> None:
    """One seat near, one far; the stronger child sits near (1 against 4), the weaker far (9 against 1).

    If the first goal gave way by up to 3, the second would win 8; by 2, nothing.
    """
    whole = [np.array(a) for a in ([1, 1], [1, 1], [0, 0, 1, 1], [0, 1, 0, 1])]
    none = np.zeros(2, np.int64)
    goals = [
        Goal("placed", np.zeros(4, np.int64), np.ones(2, np.int64)),
        Goal("first", np.array([1, 4, 0, 0]), none),
        Goal("second", np.array([0, 0, 1, 9]), none),
    ]
    problem = Transport(*whole)
    # A child left out would let the other sit near: 1 child without a place costs the second goal 9.
    assert exchanges(problem, goals, [1, 3, 1]) == [(0, 1, 1, -1, -1), (0, 1, 2, -8, -8), (1, 3, 2, -8, -8)]
    assert exchanges(problem, goals, [1, 2, 1]) == [(0, 1, 1, -1, -1), (0, 1, 2, -8, -8)]
    assert "(the goal's unit, M" in (kept.__doc__ or "")


def by_trying(placed: Any) -> list[tuple[str, int, str, int]]:
    """(goal, given up, later goal, change) by trying all placements of a grade."""
    grade, arcs = placed.grade, placed.arcs
    goals = [goal(name, grade, arcs) for name in placed.goals]
    of_child = np.repeat(np.arange(len(grade.ids)), grade.children)
    ends = [[*range(arcs.start[g], arcs.start[g + 1]), -1] for g in of_child.tolist()]
    values = set()
    for way in itertools.product(*ends):
        on = [a for a in way if a >= 0]
        if (np.bincount(arcs.section[on], minlength=len(grade.seats)) > grade.seats).any():
            continue
        out = [g for a, g in zip(way, of_child.tolist(), strict=True) if a < 0]
        values.add(tuple(int(x.arc_cost[on].sum() + x.unplaced_cost[out].sum()) for x in goals))
    best = min(values)
    found = []
    for k in range(len(goals) - 1):
        unit = ONE_KM if goals[k].unit == "10 m" else 1
        allowed = [v for v in values if v[:k] == best[:k] and v[k] <= best[k] + unit]
        least = min(v[k + 1 :] for v in allowed)
        given_up = min(v[k] for v in allowed if v[k + 1 :] == least) - best[k]
        for j, value in enumerate(least, start=k + 1):
            if value != best[j]:
                found.append((placed.goals[k], given_up, placed.goals[j], value - best[j]))
    return found


def test_small_counties_equal_brute_force(tables: dict[str, pd.DataFrame]) -> None:
    p = helper().Small(tables, goal_prices=True, sibling_scope="everywhere").parameters.placement
    codes = sorted(set(tables["child_groups"]["county_code"]))
    rows = 0
    for code, own in county_tables(tables, 2025, codes):
        county = county_data(code, 2025, own)
        placed = place_county(county, "utilitarian", p, False)
        table = exchange_table(county, placed, p)
        for one in placed:
            mine = table[table["grade"] == one.grade.grade]
            told = mine[["goal", "given_up", "later_goal", "change"]].itertuples(index=False, name=None)
            assert list(told) == by_trying(one), (code, one.grade.grade)
        assert (table["bound"] == table["change"]).all()
        rows += len(table)
    assert rows > 40


def test_the_audit_looks_at_them(tables: dict[str, pd.DataFrame]) -> None:
    scenario = helper().Small(tables, goal_prices=True)
    codes = sorted(set(tables["child_groups"]["county_code"]))[:14]
    plan = place(scenario, counties=codes, modes=("utilitarian",), explain=False)
    told = plan["placement_exchanges"]
    assert len(told) > 1
    assert check(plan, scenario.tables, scenario.parameters) == []
    first = told.index == 0
    for wrong in (
        told.assign(change=told["change"].where(~first, 5)),
        told.assign(change=told["change"].where(~first, -(10**6))),
        told.assign(given_up=told["given_up"].where(~first, 101)),
        told.assign(later_order=told["later_order"].where(~first, 1)),
        told.assign(unit=told["unit"].where(~first, "steps away")),
        told.assign(bound=told["bound"] + first),
    ):
        found = {f.rule for f in check({**plan, "placement_exchanges": wrong}, scenario.tables, scenario.parameters)}
        assert found == {"placement_exchanges"}
    off = helper().Small(tables)
    assert "placement_exchanges" in {f.rule for f in check(plan, off.tables, off.parameters)}
