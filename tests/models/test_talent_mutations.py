"""A change of any coefficient, index or bound of a rule of talent supply changes the answer of some toy.

The right answers are proven elsewhere: toys by hand, random toys by brute force. Every rule is mutated in every
constraint it has, one family of variables at a time; a mutant that no toy notices fails here.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zjsim.models.talent_model import RULES, build_talent_model
from zjsim.models.talent_supply import PARTS, talent_goals
from zjsim.models.talent_terms import Group

from zjsim.solve.faces import solve_by_faces
from zjsim.solve.goals import Prepared
from zjsim.solve.matrix import Matrix
from zjsim.solve.options import Options
from zjsim.solve.results import Optimal

Change = Callable[[Matrix, list[int], Any], Matrix | None]


@cache
def neighbour(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[f"_{name}"] = module
    spec.loader.exec_module(module)
    return module


def answer(prepared: Prepared) -> Any:
    try:
        result = solve_by_faces(prepared)
    except Exception as error:
        return type(error).__name__
    return [round(s.value, 5) for s in result.stages] if isinstance(result, Optimal) else type(result).__name__


@cache
def toys() -> list[tuple[Prepared, Any]]:
    """Toys by hand, then random ones, each read once, with the right answer."""
    file, random = neighbour("test_talent_rules"), neighbour("test_talent_brute")
    data = [t.data for t in file.TOYS.values()]
    data += [neighbour("test_talent_worth").two_cases(), *more(file), *(random.random_toy(n) for n in range(12))]
    made = []
    for one in data:
        m = build_talent_model(one)
        prepared = Prepared(m, talent_goals(m), Options())
        made.append((prepared, answer(prepared)))
    return made


def decisions(file: Any) -> list[Any]:
    """Toys of openings and closures: least sizes, caps and both years of admission bind in one of them."""
    two = {"years": (2025, 2026, 2027, 2028), "review_years": 1, "minimum_size": 10.0}
    new = Group(1, 1.0, 0, 0, 1000, may_open=True, cap=40)
    slow = replace(new, most_change=5)
    old = replace(file.NOBODY_LEAVES, may_close=True)
    half = replace(old, announced=50.0, history=50.0)
    s1, s2 = [("S1", 2027), ("S1", 2028)], ("S2", 2027)
    close = two | {"minimum_size": 40.0}
    opened, closed = ((60.0, 4.0), (4.0, 40.0), (60.0, 60.0)), ((20.0, 20.0), (0.0, 20.0), (20.0, 0.0), (2.0, 2.0))
    return [
        *(file.toy({file.A: new}, dict(zip(s1, n, strict=True)), **two) for n in opened),
        file.toy({file.A: new, file.B: replace(new, cap=80)}, {s1[0]: 60.0, s2: 60.0}, **two),
        file.toy({file.A: new, file.B: replace(new, cap=80)}, {s1[0]: 60.0, s2: 60.0, s1[1]: 30.0}, **two),
        file.toy({file.A: slow}, {s1[0]: 60.0}, **two),
        file.toy({file.A: slow, file.B: replace(slow, cap=80)}, {s1[0]: 60.0, s2: 60.0}, **two),
        file.toy({file.A: replace(old, most_change=10)}, {s2: 1.0}, minimum_size=40.0),
        file.toy(
            {file.A: replace(old, most_change=10), file.B: replace(half, most_change=10)}, {s1[0]: 100.0}, **close
        ),
        *(file.toy({file.A: old}, dict(zip(s1, n, strict=True)), **close) for n in closed),
        *(file.toy({file.A: old, file.B: half}, {i: 100.0}, **close) for i in s1),
        file.toy({file.A: old, file.B: half}, dict.fromkeys(s1, 100.0), **close),
    ]


def more(file: Any) -> list[Any]:
    """Toys in which a second year, cohort, host, level or path binds."""
    two = {"years": (2025, 2026, 2027, 2028), "review_years": 1}
    wants = {("S1", 2027): 150.0, ("S1", 2028): 200.0}
    graduate = replace(file.NOBODY_LEAVES, joint=True)
    long = replace(file.NOBODY_LEAVES, duration=2, keep=0.9)
    late = {("S1", 2028): 150.0}
    half = replace(graduate, announced=50.0, history=50.0)
    counted = replace(file.NOBODY_LEAVES, counted=True)
    shared = {"teachers": {("A", "K1"): 12.0, ("A", "K2"): 6.0}, "joint_most": 0.2, "joint_relief": 0.5}
    hosts = file.toy(
        {
            file.A: file.NOBODY_LEAVES,
            ("B", "secondary", "K2", "regular"): replace(file.NOBODY_LEAVES, announced=400.0, history=400.0),
        },
        wants,
        **two,
        teachers={("A", "K1"): 12.0, ("B", "K2"): 40.0},
        places={"A": 1e5, "B": 1e5},
        hire_share=0.1,
        build_share=0.1,
    )
    hosts = replace(hosts, demand={**hosts.demand, **{("S2", "secondary", t, "one"): 500.0 for t in (2027, 2028)}})
    ample = {"teachers": {("A", "K1"): 1e4, ("B", "K2"): 1e4}}
    by_level = {(n, t): m for n, m in (("undergraduate", 120.0), ("secondary", 410.0)) for t in two["years"]}
    return [
        file.toy(file.ONE, wants, **two),
        file.toy(file.ONE, wants, **two, teachers={("A", "K1"): 12.0}, hire_share=0.1),
        file.toy(file.ONE, wants, **two, places={"A": 120.0}, build_share=0.1, build_years=1),
        file.toy(file.ONE, wants, **two, totals={("undergraduate", 2026): 120.0, ("undergraduate", 2027): 130.0}),
        file.toy({file.A: long}, late, years=two["years"], teachers={("A", "K1"): 21.0}),
        file.toy({file.A: long}, late, years=two["years"], places={"A": 210.0}),
        file.toy({file.A: replace(long, elsewhere=1)}, late, years=two["years"], places={"A": 100.0}),
        file.toy({file.A: replace(long, weight=1.5)}, late, years=two["years"], teachers={("A", "K1"): 30.0}),
        file.toy(
            {file.A: graduate},
            wants,
            **two,
            teachers={("A", "K1"): 12.0},
            joint_most=0.2,
            joint_relief=0.5,
            joint_least={2026: 0.1, 2027: 0.15},
        ),
        file.toy({file.A: graduate}, {("S1", 2027): 100.0}, joint_least={2026: 0.1}, joint_most=0.1),
        file.toy(file.ONE, {("S1", 2027): 70.0}, orders={(file.A, "S1"): (2026, 80.0)}),
        file.toy({file.A: replace(long, most_change=0)}, {("S1", 2028): 200.0}, orders={(file.A, "S1"): (2026, 40.0)}),
        file.toy({file.A: graduate, file.B: graduate}, {("S1", 2027): 150.0}, **shared),
        file.toy({file.A: graduate, file.B: half}, {("S1", 2027): 150.0, ("S2", 2027): 75.0}, **shared),
        file.toy({file.A: graduate}, dict.fromkeys(wants, 100.0), **two, joint_least={2026: 0.1, 2027: 0.2, 2028: 0.2}),
        hosts,
        replace(hosts, **ample, places={"A": 120.0, "B": 400.0}, build_years=0),
        replace(hosts, **ample, places={"A": 120.0, "B": 400.0}),
        replace(hosts, **ample, totals=by_level),
        file.toy(file.ONE, {("S1", 2027): 50.0}, totals={("undergraduate", 2026): 100.0}),
        file.toy(
            {file.A: replace(counted, of_field=True), file.B: counted},
            {("S2", 2027): 100.0, ("S2", 2028): 130.0},
            **two,
            totals={("undergraduate", t): 200.0 for t in two["years"]},
            share_not_falling=True,
        ),
        file.toy(
            {file.A: graduate},
            {("S1", 2027): 50.0, ("S1", 2028): 100.0},
            **two,
            joint_least={2026: 0.1, 2027: 0.2, 2028: 0.2},
            joint_most=0.2,
        ),
        file.toy(file.ONE, {("S2", 2027): 1.0, ("S2", 2028): 1.0}, **two, orders={(file.A, "S1"): (2026, 25.0)}),
        file.toy({**file.ONE, file.B: half}, {("S2", 2027): 10.0}, orders={(file.A, "S1"): (2026, 25.0)}),
        *decisions(file),
    ]


def components(rule: str) -> Iterator[str]:
    yield from PARTS.get(rule, (rule,))


def family(matrix: Matrix, column: int) -> str:
    return str(matrix.columns[column].parent_component().local_name)


def entries(matrix: Matrix, rows: list[int], wanted: str) -> list[int]:
    return [
        e
        for i in rows
        for e in range(matrix.start[i], matrix.start[i + 1])
        if family(matrix, int(matrix.index[e])) == wanted
    ]


def coefficient(factor: float) -> Change:
    def change(matrix: Matrix, rows: list[int], wanted: str) -> Matrix | None:
        at = entries(matrix, rows, wanted)
        values = matrix.coefficient.copy()
        values[at] *= factor
        return replace(matrix, coefficient=values) if at else None

    return change


def other_index(matrix: Matrix, rows: list[int], wanted: str) -> Matrix | None:
    """Each variable replaced by the next one of its family that its row does not have."""
    at = entries(matrix, rows, wanted)
    own = [j for j in range(len(matrix.columns)) if family(matrix, j) == wanted]
    index = matrix.index.copy()
    for i in rows:
        mine = [e for e in at if matrix.start[i] <= e < matrix.start[i + 1]]
        taken = {int(matrix.index[e]) for e in range(matrix.start[i], matrix.start[i + 1])}
        for e in mine:
            n = own.index(int(matrix.index[e]))
            free = [j for j in (*own[n + 1 :], *own[:n]) if j not in taken]
            if free:
                index[e] = free[0]
                taken.add(free[0])
    return replace(matrix, index=index) if (index != matrix.index).any() else None


def bound(side: str, by: float) -> Change:
    def change(matrix: Matrix, rows: list[int], _: str) -> Matrix | None:
        limits = getattr(matrix, f"row_{side}").copy()
        if not np.isfinite(limits[rows]).any():
            return None
        limits[rows] += by
        opposite = matrix.row_upper if side == "lower" else matrix.row_lower
        if (limits[rows] > opposite[rows]).any() if side == "lower" else (limits[rows] < opposite[rows]).any():
            return None
        return replace(matrix, **{f"row_{side}": limits})

    return change


COEFFICIENTS: dict[str, Change] = {
    "doubled": coefficient(2.0),
    "left out": coefficient(0.0),
    "a tenth more": coefficient(1.1),
    "sign turned": coefficient(-1.0),
    "other index": other_index,
}
BOUNDS: dict[str, Change] = {
    "lower looser": bound("lower", -3.0),
    "upper looser": bound("upper", 3.0),
    "lower tighter": bound("lower", 3.0),
    "upper tighter": bound("upper", -3.0),
}
WIDER = ("doubled", "a tenth more")
EQUAL = {
    **{("yearly_change", "open", way): "a new group is held by its cap first" for way in WIDER},
    **{("yearly_change", "close", way): "no more than the whole intake can go" for way in WIDER},
    **{("closed_least", "close", way): "a closed group admits no fewer than none" for way in WIDER},
}
"""Mutants that are the same model, and why."""


def mutants(rule: str) -> Iterator[tuple[str, str, str, Change]]:
    families: dict[str, set[str]] = {}
    for prepared, _ in toys():
        for part in components(rule):
            for i in rows_of(prepared, part):
                span = range(prepared.matrix.start[i], prepared.matrix.start[i + 1])
                here = {family(prepared.matrix, int(prepared.matrix.index[e])) for e in span}
                families.setdefault(part, set()).update(here)
    for part, names in sorted(families.items()):
        for name in sorted(names):
            for way, change in COEFFICIENTS.items():
                yield part, name, way, change
        for way, change in BOUNDS.items():
            yield part, "", way, change


def rows_of(prepared: Prepared, part: str) -> list[int]:
    component = prepared.model.find_component(part)
    return [] if component is None else [prepared.matrix.row_of[id(component[i])] for i in component]


def noticed(part: str, name: str, change: Change) -> bool | None:
    """Whether some toy answers differently; None where the change applies to none."""
    applies = False
    for prepared, right in toys():
        rows = rows_of(prepared, part)
        matrix = change(prepared.matrix, rows, name) if rows else None
        if matrix is None:
            continue
        applies = True
        if answer(prepared._derived(matrix, prepared.goals)) != right:
            return True
    return False if applies else None


@pytest.mark.parametrize("rule", RULES)
def test_every_coefficient_index_and_bound_matters(rule: str) -> None:
    survivors, killed = [], 0
    for part, name, way, change in mutants(rule):
        found = noticed(part, name, change)
        killed += found is True
        if found is False and (part, name, way) not in EQUAL:
            survivors.append((part, name, way))
    assert survivors == []
    assert killed >= 3
