"""Placement of one year against brute force on many small counties, by rules read off the registries independently."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.placement_publication import PUBLISHED, hidden, publication
from zjsim.models.seat_placement import place

from zjsim.audit.placement import check
from zjsim.audit.placement_world import Group, World, cost, goal_list, worlds
from zjsim.scenario.parameters import PlacementParameters, SeatParameters, SolverParameters, Time

COUNTIES = 180
CASES = ("any", "zero_seats", "zero_children", "one_school", "all_siblings", "ties", "unreachable", "stayers")
CASES += ("choices",)
NO_TEXT = {"source_id": "s", "basis": "synthetic"}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"sibling_reading": "absolute", "sibling_scope": "everywhere", "last_tier": 2},
    {"sibling_reading": "soft", "goals": ("placed", "siblings", "tiers", "change"), "nearest_kept": 1},
    {"sibling_reading": "off", "candidates": "zone", "nearest_kept": 0, "self_paid_places": False},
]


class Small:
    def __init__(self, tables: dict[str, pd.DataFrame], reading: str = "public_only", **settings: Any) -> None:
        settings = {"primary_cap_km": 1.5, "nearest_kept": 0} | settings
        seats: Any = SeatParameters(public_share_reading=reading)  # type: ignore[arg-type]
        placement = PlacementParameters(**settings)
        self.parameters = SimpleNamespace(placement=placement, seats=seats, time=Time(), solver=SolverParameters())
        self.tables = tables

    def table(self, name: str) -> pd.DataFrame:
        return self.tables[name]


def county(rows: dict[str, list[dict[str, Any]]], code: str, case: str, rng: np.random.Generator) -> None:
    """Add a small random county of at most five applicants in two grades."""
    n_schools = 1 if case == "one_school" else int(rng.integers(1, 4))
    spread = 0.1 if case == "unreachable" else 0.015
    zones = [f"{code}-Z01", f"{code}-Z02"]
    for s in range(n_schools):
        owner = "private" if rng.random() < 0.35 else "public"
        rows["schools"].append(
            {
                "school_id": f"{code}-P{s:03d}", "label_zh": f"校{s}", "label_en": f"school {s}", "county_code": code,
                "zone_id": zones[int(rng.integers(2))], "lon": 120 + spread * rng.random(),
                "lat": 30 + spread * rng.random(), "ownership": owner, "stage": "primary",
            }
        )  # fmt: skip
        for grade in (1, 2):
            seats = 0 if case == "zero_seats" else int(rng.integers(0, 4))
            bought = int(rng.integers(0, seats + 1)) if owner == "private" else 0
            taken = int(rng.integers(0, 2)) if owner == "public" else 0
            rows["school_grades"].append(
                {
                    "school_id": f"{code}-P{s:03d}", "county_code": code, "year": 2025, "grade": grade, "classes": 1,
                    "seats": seats + taken, "taken_local": taken, "taken_migrant": 0, "purchased_seats": bought,
                    "taken_purchased": 0,
                }
            )  # fmt: skip
    for c in range(2):
        place_at = {"lon": 120 + 0.015 * rng.random(), "lat": 30 + 0.015 * rng.random()}
        rows["residence_cells"].append(
            {"cell_id": f"{code}-C{c}", "county_code": code, "zone_id": zones[c], **place_at}
        )
    for t in (1, 2, 3):
        order = "none" if t == 3 else "points"
        rows["tier_rules"].append({"county_code": code, "tier": t, "order_by": order, "points_step": 0.5})
    rows["sibling_rule"].append({"county_code": code, "in_force": bool(rng.random() < 0.7)})
    for k in range(0 if case == "zero_children" else int(rng.integers(1, 5))):
        tier = 1 if case == "ties" else int(rng.integers(1, 4))
        cell = int(rng.integers(2))
        grade = int(rng.integers(1, 3))
        pick = f"{code}-P{int(rng.integers(n_schools)):03d}"
        sibling = pick if case == "all_siblings" or rng.random() < 0.2 else ""
        other = f"{code}-P{int(rng.integers(n_schools)):03d}"
        current = other if case == "stayers" or rng.random() < 0.15 else ""
        rows["child_groups"].append(
            {
                "group_id": f"{code}-G{k:02d}", "county_code": code, "zone_id": zones[cell],
                "cell_id": f"{code}-C{cell}", "year": 2025, "grade": grade, "tier": tier,
                "points": np.nan if tier == 3 else 10.0 if case == "ties" else float(rng.integers(20, 26)) / 2,
                "sibling_school": sibling, "current_school": current,
                "family_id": f"{code}-F1" if rng.random() < 0.3 else "",
                "children": int(rng.integers(0 if case == "any" else 1, 3)) if k < 2 else 1,
            }
        )  # fmt: skip
        if case == "choices" and rng.random() < 0.8:
            for c, s in enumerate(rng.permutation(n_schools)[: int(rng.integers(1, n_schools + 1))].tolist()):
                named = {"choice": c + 1, "school_id": f"{code}-P{s:03d}"}
                front = {"group_id": f"{code}-G{k:02d}", "county_code": code, "year": 2025}
                rows["school_choices"].append(front | named)


def registries(n: int = COUNTIES, seed: int = 7) -> dict[str, pd.DataFrame]:
    names = ("schools", "school_grades", "residence_cells", "tier_rules", "sibling_rule", "child_groups")
    names += ("school_choices",)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for k in range(n):
        rng = np.random.Generator(np.random.Philox(key=[seed, k]))
        county(rows, f"{100000 + k}", CASES[k % len(CASES)], rng)
    return {name: pd.DataFrame(found).assign(**NO_TEXT) for name, found in rows.items()}


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return registries()


@pytest.fixture(scope="module", params=range(len(VARIANTS)))
def solved(request: Any, tables: dict[str, pd.DataFrame]) -> tuple[Small, dict[str, pd.DataFrame]]:
    scenario = Small(tables, "with_purchased" if request.param == 2 else "public_only", **VARIANTS[request.param])
    # The first reading sees all counties, the others a part.
    codes = sorted(set(tables["child_groups"]["county_code"]))
    everything = request.param == 0
    return scenario, place(scenario, counties=codes if everything else codes[:60], explain=not everything)


Child = tuple[Group, list[Any], int]


def children_of(world: World, rows: pd.DataFrame) -> list[Child]:
    """Every child with its options and lottery number."""
    follows = dict(zip(rows["group_id"], rows["follows_school"], strict=True))
    found = []
    for name, group in world.groups.items():
        options = world.options(group, follows.get(name, ""))
        found += [(group, options, draw) for draw in world.draws(group)]
    return found


def feasible(world: World, children: list[Child]) -> list[tuple[int, ...]]:
    """All ways to give every child one of its options or none (its number of options) within the seats."""
    ways = []
    for way in itertools.product(*(range(len(options) + 1) for _, options, _ in children)):
        load: dict[Any, int] = {}
        for (_, options, _), at in zip(children, way, strict=True):
            if at < len(options):
                load[options[at].section] = load.get(options[at].section, 0) + 1
        if all(world.seats[s] >= n for s, n in load.items()):
            ways.append(way)
    return ways


def is_stable(world: World, children: list[Child], way: tuple[int, ...]) -> bool:
    held: dict[Any, list[Any]] = {}
    for (group, options, draw), at in zip(children, way, strict=True):
        if at < len(options):
            held.setdefault(options[at].section, []).append((*world.claim(group, options[at]), draw))
    for (group, options, draw), at in zip(children, way, strict=True):
        for option in options[:at]:
            inside = held.get(option.section, [])
            if len(inside) < world.seats[option.section]:
                return False
            if inside and (*world.claim(group, option), draw) < max(inside):
                return False
    return True


def counts(children: list[Child], way: tuple[int, ...]) -> dict[tuple[str, int], int]:
    """Children of each group by choice, 0 = without a place."""
    found: dict[tuple[str, int], int] = {}
    for (group, options, _), at in zip(children, way, strict=True):
        key = (group.group_id, 0 if at == len(options) else at + 1)
        found[key] = found.get(key, 0) + 1
    return found


def test_both_modes_equal_brute_force(solved: tuple[Small, dict[str, pd.DataFrame]]) -> None:
    scenario, plan = solved
    groups = dict(iter(plan["placement_groups"].groupby(["mode", "county_code", "grade"])))
    goals = dict(iter(plan["placement_prices"].groupby(["county_code", "grade"])))
    codes, checked = set(plan["placement_prices"]["county_code"]), set()
    for world in worlds(scenario.tables, 2025, codes, scenario.parameters):
        names = goal_list(world.parameters, world.reading, sorted({g.tier for g in world.groups.values()}))
        told = goals[world.county, world.grade]
        assert told["goal"].tolist() == names
        for mode in ("priority", "utilitarian"):
            rows = groups.get((mode, world.county, world.grade), plan["placement_groups"].iloc[:0])
            children = children_of(world, rows)
            ways = feasible(world, children)
            if mode == "utilitarian":
                costs = [
                    [np.array([cost(n, g, option, o) for n in names]) for option in (*o, None)] for g, o, _ in children
                ]
                values = [
                    tuple(sum((own[at] for own, at in zip(costs, w, strict=True)), np.zeros(len(names), int)))
                    for w in ways
                ]
                assert min(values) == tuple(told["utilitarian"]), (world.county, world.grade)
                continue
            stable = [w for w in ways if is_stable(world, children, w)]
            best = tuple(min(place) for place in zip(*stable, strict=True))
            assert best in stable or not children
            own = zip(rows["group_id"], rows["choice"], strict=True)
            assert dict(zip(own, rows["children"], strict=True)) == counts(children, best), (world.county, world.grade)
        checked.add(world.county)
    assert len(checked) >= 60


def test_enough_counties_and_every_corner(tables: dict[str, pd.DataFrame]) -> None:
    assert tables["schools"]["county_code"].nunique() == COUNTIES
    groups = tables["child_groups"]
    assert groups["county_code"].nunique() >= 150
    assert (groups["children"] == 0).any()
    assert (groups["current_school"] != "").any()
    assert tables["school_choices"]["group_id"].nunique() >= 15
    assert groups["county_code"].nunique() < COUNTIES  # counties without a child are left out


def test_the_audit_agrees(solved: tuple[Small, dict[str, pd.DataFrame]]) -> None:
    scenario, plan = solved
    assert check(plan, scenario.tables, scenario.parameters) == []


def test_workers_change_nothing(tables: dict[str, pd.DataFrame]) -> None:
    codes = sorted(set(tables["child_groups"]["county_code"]))[:12]
    one, two = (place(Small(tables), counties=codes, workers=n) for n in (1, 2))
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, two[name])


def test_publication_hides_small_counts(tables: dict[str, pd.DataFrame]) -> None:
    codes = sorted(set(tables["child_groups"]["county_code"]))[:40]
    plan = place(Small(tables), counties=codes)
    shown = publication(plan, 3)
    for name, rule in PUBLISHED.items():
        told, open_table = plan[name], shown[name]
        for column in rule.counts:
            small = told[column].between(1, 2)
            assert open_table.loc[small, column].isna().all()
            there = open_table[column].notna()
            assert (open_table.loc[there, column] == told.loc[there, column]).all()
        for total, terms in rule.sums:
            unknown = open_table[[total, *terms]].isna()
            assert (unknown.sum(axis=1) != 1).all()
        for keys in rule.within:
            rows = open_table if rule.parts is None else open_table[open_table["who"] != "local"]
            for _, part in rows.groupby(list(keys)):
                for column in rule.counts:
                    dark = part[column].isna()
                    kept = told.loc[part.index[dark], column].sum()
                    assert not dark.any() or dark.all() or (dark.sum() > 1 and kept >= 3)
    fair = shown["placement_fairness"]
    assert fair.loc[fair["placed"].isna(), "public_share"].isna().all()
    assert "placement_groups" not in shown


def test_a_hidden_count_takes_the_smallest_other_of_its_sum_with_it() -> None:
    """Tiers of two schools, 4 hidden: of 25 and 30 at its school 25 goes too, then 40 (tier 2) at the other school."""
    front = {"mode": "priority", "county_code": "330101", "kind": "public", "grade": 1}
    counts = {"A": (4, 25, 30), "B": (50, 40, 60)}
    rows = [
        front | {"school_id": s, "tier": t + 1, "children": n} for s, own in counts.items() for t, n in enumerate(own)
    ]
    hide = hidden(pd.DataFrame(rows), PUBLISHED["placement"], 10)
    assert hide.ravel().tolist() == [True, True, False, True, True, False]


def test_what_is_not_there_is_refused(tables: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(ValueError, match="no groups"):
        place(Small(tables), counties=["999999"])
    with pytest.raises(ValueError, match="no groups"):
        place(Small(tables, year=2030))
    with pytest.raises(ValueError, match="modes"):
        place(Small(tables), modes=["best"])
