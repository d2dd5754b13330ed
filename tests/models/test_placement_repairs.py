"""Repairs against brute force on small random counties; what the audit finds in them."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
import pytest
from zjsim.models import placement_classes
from zjsim.models.placement_classes import (
    LeftOver,
    classes_opened,
    fewest_classes,
    opened_in_turn,
    seats_with_classes,
    solved_classes,
)
from zjsim.models.placement_data import PUBLIC, county_data, county_tables
from zjsim.models.placement_matrix import Transport
from zjsim.models.placement_modes import place_county
from zjsim.models.placement_repairs import left_over, lifted_limits, repairs
from zjsim.models.seat_placement import place

from zjsim.audit.placement import check

Plan = dict[str, pd.DataFrame]


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
def tables() -> Plan:
    found: Plan = helper().registries(90, 23)
    return found


def solved(tables: Plan, **settings: Any) -> Iterator[tuple[Any, list[Any], Any]]:
    p = helper().Small(tables, **settings).parameters.placement
    codes = sorted(set(tables["child_groups"]["county_code"]))
    for code, own in county_tables(tables, 2025, codes):
        county = county_data(code, 2025, own)
        yield county, place_county(county, "utilitarian", p, False), p


def test_no_smaller_number_of_seats_or_classes_would_do(tables: Plan) -> None:
    seen = {"seats": 0, "classes": 0}
    for county, placed, p in solved(tables, sibling_reading="off"):
        for repair in repairs(county, placed, p, False):
            if repair.name == "rules":
                continue
            seen[repair.name] += 1
            assert repair.bound == repair.amount
            fewest = after = 0
            for one in placed:
                grade = one.grade
                size = (
                    np.where(grade.kind == PUBLIC, grade.class_seats, 0)
                    if repair.name == "classes"
                    else 1 + 0 * grade.kind
                )
                most = int(one.unplaced.sum())
                useful = np.flatnonzero(size > 0).tolist()
                ways = itertools.product(*(range(most + 1) for _ in useful)) if most and len(useful) < 4 else [()]
                values = []
                for way in ways:
                    more = np.zeros(len(size), np.int64)
                    more[useful[: len(way)]] = way
                    values.append((left_over(grade, one.arcs, grade.seats + more * size)[0], sum(way)))
                after += min(values)[0]
                fewest += min(values)[1]
            assert (repair.unplaced_after, repair.amount) == (after, fewest)
    assert min(seen.values()) > 10


def test_no_smaller_set_of_rules_would_do(tables: Plan) -> None:
    """Every set of limits at every value, by trying them."""
    settings = {"nearest_kept": 0, "primary_cap_km": 0.4, "self_paid_places": False, "last_tier": 2}
    seen = []
    for county, placed, p in solved(tables, **settings):
        found = [r for r in repairs(county, placed, p, False) if r.name == "rules"]
        short = [one.grade for one in placed if one.unplaced.any()]
        before = sum(int(one.unplaced.sum()) for one in placed)
        limits = lifted_limits(county, short, p) if short else {}
        best = (before, 0)
        for way in itertools.product(*([None, *values] for _, values in sorted(limits.items()))):
            changes = {n: v for n, v in zip(sorted(limits), way, strict=True) if v is not None}
            again = place_county(county, "utilitarian", p.model_copy(update=changes), False)
            left = sum(int(one.unplaced.sum()) for one in again)
            best = min(best, (left, len(changes)))
        if best[0] == before:
            assert found == []
            continue
        assert (found[0].unplaced_after, found[0].amount) == best
        seen.append(found[0].amount)
        for step in found[0].steps:
            values = limits[step.rule]
            lower = values[: values.index(type(values[0])(step.value))]
            others = {s.rule: type(getattr(p, s.rule))(s.value) for s in found[0].steps}
            for value in lower[-1:]:
                less = place_county(county, "utilitarian", p.model_copy(update=others | {step.rule: value}), False)
                assert sum(int(one.unplaced.sum()) for one in less) > best[0]
        if len(seen) >= 14:
            break
    assert max(seen) > 1


@pytest.fixture(scope="module")
def planned(tables: Plan) -> tuple[Any, Plan]:
    scenario = helper().Small(tables, primary_cap_km=0.8, self_paid_places=False)
    codes = sorted(set(tables["child_groups"]["county_code"]))[:9]
    return scenario, place(scenario, counties=codes, modes=("utilitarian",), explain=False)


def test_the_audit_places_again(planned: tuple[Any, Plan]) -> None:
    scenario, plan = planned
    assert check(plan, scenario.tables, scenario.parameters) == []
    told, steps = plan["placement_repairs"], plan["placement_repair_steps"]
    assert set(told["repair"]) == {"seats", "classes", "rules"}
    for name in ("seats", "classes", "rules"):
        row, step = ((t["repair"] == name) & ~t["repair"].eq(name).cumsum().gt(1) for t in (told, steps))
        wrong = [
            {"placement_repairs": told.assign(unplaced_after=told["unplaced_after"] + row)},
            {"placement_repairs": told.assign(amount=told["amount"] + row)},
            {"placement_repairs": told.assign(unplaced_before=told["unplaced_before"] - row)},
            {"placement_repair_steps": steps[~step]},
        ]
        for change in wrong:
            assert "placement_repairs" in {
                f.rule for f in check({**plan, **change}, scenario.tables, scenario.parameters)
            }, (name, change)
    more = steps.assign(value=steps["value"] + (steps["repair"] == "classes"))
    amount = more[more["repair"] == "classes"].groupby("county_code")["value"].sum()
    grown = told.assign(
        amount=np.where(told["repair"] == "classes", told["county_code"].map(amount), told["amount"]).astype(np.int64)
    )
    wrong_plan = {**plan, "placement_repair_steps": more, "placement_repairs": grown}
    assert "placement_repairs" in {f.rule for f in check(wrong_plan, scenario.tables, scenario.parameters)}


def class_tasks(count: int) -> Iterator[tuple[Transport, Any]]:
    """Random grades with too few seats, and seats of a class per school (0: none can be opened there)."""
    rng = np.random.default_rng(41)
    for _ in range(count):
        n_groups, n_schools = int(rng.integers(1, 7)), int(rng.integers(1, 6))
        group, school = np.nonzero(rng.random((n_groups, n_schools)) < 0.5)
        supply = rng.integers(0, 9, n_groups)
        seats = rng.integers(0, 5, n_schools)
        yield Transport(supply, seats, group, school), rng.integers(0, 5, n_schools)


def test_classes_opened_in_turn_are_as_few_as_the_formulation_finds() -> None:
    """In turn: as few left over and as few classes as the mixed-integer programme, or no answer; both happen."""
    seen = {True: 0, False: 0}
    for problem, size in class_tasks(150):
        exact, bound = solved_classes(problem, size) or pytest.fail("no limit is set")
        assert bound == exact.sum()
        left = LeftOver(problem)
        found = opened_in_turn(problem, size)
        seen[found is not None] += 1
        if found is not None:
            more, least = found
            assert (left(problem.capacity + more * size), more.sum(), least) == (
                left(problem.capacity + exact * size),
                exact.sum(),
                bound,
            )
            assert not more[size == 0].any()
    assert min(seen.values()) > 20


def test_classes_are_spread_over_the_schools_that_would_fill_them() -> None:
    """100 children are open to five schools without seats: two classes of ten each, not ten at one school."""
    problem = Transport(np.array([100]), np.zeros(5, np.int64), np.zeros(5, np.int64), np.arange(5))
    more, bound = fewest_classes(problem, np.full(5, 10)) or pytest.fail("no limit is set")
    assert more.tolist() == [2, 2, 2, 2, 2]
    assert bound == 10


def test_deleting_a_rule_of_the_classes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the seats of a section nobody would need a class; without the goal more would be opened."""
    for rule in (seats_with_classes, classes_opened):
        assert "M108" in (rule.__doc__ or "")
    problem = Transport(np.array([7]), np.array([0, 2]), np.array([0, 0]), np.array([0, 1]))

    def opened() -> list[int]:
        more, _ = solved_classes(problem, np.array([3, 0])) or pytest.fail("no limit is set")
        return [int(n) for n in more]

    assert opened() == [2, 0]
    monkeypatch.setattr(placement_classes, "seats_with_classes", lambda model, *_: model.unplaced[0] >= 0)
    assert opened() == [0, 0]
    monkeypatch.undo()

    def as_many_as_ten(model: Any) -> Any:
        model.most = pyo.Constraint(expr=model.classes[0] <= 10)
        return -classes_opened(model)

    monkeypatch.setattr(placement_classes, "classes_opened", as_many_as_ten)
    assert opened() == [10, 0]


def without_schools(tables: Plan, county: str) -> Plan:
    """The registries with every school of a county closed, and no choices of it."""
    gone = set(tables["schools"].loc[tables["schools"]["county_code"] == county, "school_id"])
    closed = ("schools", "school_grades", "school_choices")
    groups = tables["child_groups"]
    none = {c: groups[c].where(~groups[c].isin(gone), "") for c in ("sibling_school", "current_school")}
    left = {name: tables[name][~tables[name]["school_id"].isin(gone)] for name in closed}
    return tables | left | {"child_groups": groups.assign(**none)}


def test_a_county_without_any_school_needs_a_new_one(tables: Plan) -> None:
    """Every child of a tier that is placed has a seat in it, by grade; with such a school the others are left."""
    codes = sorted(set(tables["child_groups"]["county_code"]))[:12]
    seen = []
    for code in codes:
        shut = without_schools(tables, code)
        scenario = helper().Small(shut, last_tier=2)
        plan = place(scenario, counties=[code], modes=("utilitarian",), explain=False)
        assert check(plan, scenario.tables, scenario.parameters) == []
        groups = shut["child_groups"]
        own = groups[(groups["county_code"] == code) & (groups["year"] == 2025)]
        wanted = own[own["tier"] <= 2].groupby("grade")["children"].sum()
        wanted = wanted[wanted > 0]
        told, steps = plan["placement_repairs"], plan["placement_repair_steps"]
        if wanted.empty:
            assert told.empty
            continue
        row = told.set_index("repair").loc["new_school"]
        others = int(own["children"].sum() - wanted.sum())
        assert (row["amount"], row["bound"], row["unplaced_after"]) == (wanted.sum(), wanted.sum(), others)
        assert dict(zip(steps["grade"], steps["value"], strict=True)) == wanted.to_dict()
        assert "No school of the county has their grade" in row["en"]
        seen.append(others)
        for change in (
            {"placement_repairs": told.assign(amount=told["amount"] - 1)},
            {"placement_repairs": told.iloc[:0], "placement_repair_steps": steps.iloc[:0]},
            {"placement_repair_steps": steps.assign(value=steps["value"] + 1)},
        ):
            found = check({**plan, **change}, scenario.tables, scenario.parameters)
            assert "placement_repairs" in {f.rule for f in found}
        # Placed again with such a school: the seats told leave the others, one seat fewer leaves one child more.
        for fewer in (0, 1):
            seats = {g: int(n) - (fewer if g == wanted.index[0] else 0) for g, n in wanted.items()}
            again = place(with_school(shut, code, seats), counties=[code], modes=("utilitarian",), explain=False)
            assert again["placement_unplaced"]["unplaced"].sum() == others + fewer
    assert min(seen) == 0
    assert max(seen) > 0


def with_school(tables: Plan, county: str, seats: dict[int, int]) -> Any:
    """A scenario with one public school that has these seats, near enough to all children of the county."""
    school, section = tables["schools"].iloc[[0]], tables["school_grades"].iloc[[0]]
    cell = tables["residence_cells"].query("county_code == @county").iloc[0]
    zone = {"county_code": county, "zone_id": cell["zone_id"], "lon": cell["lon"], "lat": cell["lat"]}
    school = school.assign(school_id="new", ownership="public", **zone)
    sections = [
        section.assign(school_id="new", county_code=county, year=2025, grade=g, classes=1, seats=n,
                       taken_local=0, taken_migrant=0)
        for g, n in seats.items()
    ]  # fmt: skip
    more = {
        "schools": pd.concat([tables["schools"], school], ignore_index=True),
        "school_grades": pd.concat([tables["school_grades"], *sections], ignore_index=True),
    }
    return helper().Small(tables | more, last_tier=2, candidates="distance", nearest_kept=1)
