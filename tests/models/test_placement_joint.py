"""Rules that couple children in whole counties: brute force over all plans, proofs kept where no rule is broken."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
import pytest
from zjsim.models.placement_coupled import CoupledRules, coupled_model
from zjsim.models.placement_data import county_data, county_tables
from zjsim.models.placement_joint import place_jointly
from zjsim.models.placement_matrix import Goal, Transport
from zjsim.models.seat_placement import place

from zjsim.audit.placement import check
from zjsim.audit.placement_world import cost, goal_list, worlds

SWITCHES: list[dict[str, Any]] = [
    {"newcomers_reading": "together", "sibling_scope": "everywhere"},
    {"minimum_section": 2, "minimum_reading": "newcomers", "sibling_reading": "off"},
    {"public_floor": 0.8, "sibling_reading": "absolute", "sibling_scope": "everywhere"},
    {"newcomers_reading": "together", "minimum_section": 3, "public_floor": 0.5, "sibling_reading": "soft"},
]
COUNTIES, AUDITED = 200, 32


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
    found: dict[str, pd.DataFrame] = helper().registries(COUNTIES, 11)
    return found


def order_of(p: Any, reading: str, tiers: list[int]) -> list[str]:
    """The goals in their order, by hand: rules after the places, families among the newcomers if they follow."""
    names = goal_list(p, reading, tiers)
    rules = ["small", "floor"]
    if p.newcomers_reading == "together":
        rules.insert(0, "families")
    else:
        names.insert(names.index("newcomers"), "families")
    at = names.index("placed") + 1
    return names[:at] + rules + names[at:]


def best_by_hand(own: list[Any], p: Any, there: dict[tuple[int, str], int]) -> tuple[int, ...]:
    """The best values over all plans of a county's grades together, by trying them."""
    reading = own[0].reading
    names = order_of(p, reading, sorted({g.tier for w in own for g in w.groups.values()}))
    children = [(w, g, w.options(g, "")) for w in own for g in w.groups.values() for _ in range(g.children)]
    best: tuple[int, ...] | None = None
    for way in itertools.product(*(range(len(options) + 1) for _, _, options in children)):
        load: Counter[Any] = Counter()
        taken: Counter[Any] = Counter()
        sites: dict[str, set[str]] = {}
        members: Counter[str] = Counter()
        public = placed = 0
        values = dict.fromkeys(names, 0)
        for (w, g, options), at in zip(children, way, strict=True):
            option = options[at] if at < len(options) else None
            if option is not None:
                load[(w.grade, *option.section)] += 1
                taken[w.grade, option.section[0]] += 1
                public += option.step == 0
                placed += 1
            if g.family and options:
                sites.setdefault(g.family, set()).add("" if option is None else option.section[0])
                members[g.family] += 1
            for name in names:
                if name not in ("families", "small", "floor"):
                    values[name] += cost(name, g, option, options)
        if any(n > w.seats[key[1:]] for w in own for key, n in load.items() if key[0] == w.grade):
            continue
        least = {k: p.minimum_section - (there[k] if p.minimum_reading == "all" else 0) for k in taken}
        values["small"] = sum(least[k] > 1 and n < least[k] for k, n in taken.items())
        values["floor"] = max(0, -int((public - p.public_floor * placed + 1e-9) // 1))
        values["families"] = sum(len(s) > 1 for f, s in sites.items() if members[f] > 1) if reading != "off" else 0
        vector = tuple(values[name] for name in names)
        best = vector if best is None else min(best, vector)
    assert best is not None
    return best


@pytest.fixture(scope="module")
def counties(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    codes = sorted(set(tables["child_groups"]["county_code"]))
    return {code: county_data(code, 2025, own) for code, own in county_tables(tables, 2025, codes)}


def already_there(tables: dict[str, pd.DataFrame]) -> dict[tuple[str, int, str], int]:
    rows = tables["school_grades"]
    keys = rows[["county_code", "grade", "school_id"]].itertuples(index=False, name=None)
    return dict(zip(keys, rows["taken_local"] + rows["taken_migrant"], strict=True))


@pytest.mark.parametrize("k", range(len(SWITCHES)))
def test_small_counties_equal_brute_force(k: int, tables: dict[str, pd.DataFrame], counties: dict[str, Any]) -> None:
    scenario = helper().Small(tables, **SWITCHES[k])
    p = scenario.parameters.placement
    codes = sorted(counties)[k :: len(SWITCHES)]
    there = already_there(tables)
    by_county: dict[str, list[Any]] = {}
    for world in worlds(tables, 2025, set(codes), scenario.parameters):
        by_county.setdefault(world.county, []).append(world)
    solved_as_a_whole = 0
    for code in codes:
        own = by_county[code]
        placed, parts = place_jointly(counties[code], p, False)
        names = order_of(p, own[0].reading, sorted({g.tier for w in own for g in w.groups.values()}))
        values = dict.fromkeys(names, 0)
        for one in placed:
            for name, value in zip(one.goals, one.values, strict=True):
                values[name] += value
        for part in parts:
            solved_as_a_whole += 1
            for stage in part.stages:
                assert stage.bound == stage.value
                if stage.name in ("families", "small", "floor"):
                    values[stage.name] += round(stage.value)
        found = tuple(values[name] for name in names)
        assert found == best_by_hand(own, p, {key[1:]: n for key, n in there.items() if key[0] == code}), code
    assert solved_as_a_whole > 5


@pytest.fixture(scope="module", params=range(len(SWITCHES)))
def planned(request: Any, tables: dict[str, pd.DataFrame]) -> tuple[Any, dict[str, pd.DataFrame]]:
    scenario = helper().Small(tables, **SWITCHES[request.param])
    codes = sorted(set(tables["child_groups"]["county_code"]))[request.param :: len(SWITCHES)]
    return scenario, place(scenario, counties=codes[: AUDITED // len(SWITCHES)], modes=("utilitarian",))


def test_the_audit_passes_and_finds_what_is_changed(planned: tuple[Any, dict[str, pd.DataFrame]]) -> None:
    scenario, plan = planned
    assert check(plan, scenario.tables, scenario.parameters) == []
    coupled = plan["placement_coupled"]
    assert (coupled["part"] > 0).any()
    part = coupled.index[coupled["part"] > 0]
    changes: list[tuple[str, Any]] = [
        ("placement_coupled", coupled.assign(value=coupled["value"] + (coupled.index == part[0]))),
        ("placement_coupled", coupled.assign(value=coupled["value"] + (coupled.index == coupled.index[0]))),
        ("placement_coupled", coupled.assign(bound=coupled["bound"] + 2 * (coupled.index == part[-1]))),
        ("placement_coupled", coupled.assign(gap=coupled["gap"] + 0.5 * (coupled.index == part[-1]))),
        ("placement_coupled", coupled.assign(without_rules=coupled["without_rules"] + 9 * (coupled["part"] > 0))),
        ("placement_coupled", coupled[coupled["part"] == 0]),
        ("placement_coupled_sections", plan["placement_coupled_sections"].iloc[1:]),
    ]
    for name, table in changes:
        found = {f.rule for f in check({**plan, name: table}, scenario.tables, scenario.parameters)}
        assert found & {"placement_coupled", "placement_not_best"}, name
    off = SimpleNamespace(**vars(scenario.parameters))
    off.placement = off.placement.model_copy(
        update={"newcomers_reading": "follow", "minimum_section": 0, "public_floor": 0.0}
    )
    assert "placement_coupled" in {f.rule for f in check(plan, scenario.tables, off)}


CODE = "330101"


def town(children: list[dict[str, Any]], seats: dict[tuple[str, int], int], private: str = "") -> dict[str, Any]:
    """Two schools A and B, 1 km apart on one street; each child with its place on it (km from A), grade and tier."""
    front = {"county_code": CODE, "source_id": "s", "basis": "synthetic"}
    lon = {"A": 120.0, "B": 120.0 + 1 / (111.195 * 0.8660254)}
    schools = [
        front | {"school_id": s, "label_zh": s, "label_en": s, "zone_id": "Z", "lon": lon[s], "lat": 30.0,
                 "ownership": "private" if s == private else "public", "stage": "primary"}
        for s in lon
    ]  # fmt: skip
    grades = [
        front | {"school_id": s, "year": 2025, "grade": g, "classes": 1, "seats": n, "taken_local": 0,
                 "taken_migrant": 0, "purchased_seats": 0, "taken_purchased": 0}
        for (s, g), n in seats.items()
    ]  # fmt: skip
    groups, cells = [], []
    for k, child in enumerate(children):
        east = 120.0 + child.pop("km") / (111.195 * 0.8660254)
        cells.append(front | {"cell_id": f"C{k}", "zone_id": "Z", "lon": east, "lat": 30.0})
        nobody = {"sibling_school": "", "current_school": "", "family_id": "", "points": 1.0, "tier": 1, "children": 1}
        groups.append(
            front | {"group_id": f"G{k}", "zone_id": "Z", "cell_id": f"C{k}", "year": 2025, "grade": 1} | nobody | child
        )
    rules = [front | {"tier": t, "order_by": "points", "points_step": 1.0} for t in (1, 2)]
    found = {
        "schools": schools, "school_grades": grades, "residence_cells": cells, "tier_rules": rules,
        "child_groups": groups, "sibling_rule": [front | {"in_force": True}],
    }  # fmt: skip
    return {name: pd.DataFrame(rows) for name, rows in found.items()}


SEATS = {("A", 1): 2, ("B", 1): 2, ("A", 2): 0, ("B", 2): 2}
TOWNS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    # Each is nearer to another school; 2 to a grade at least: the one at 0.4 km from A goes to B or the other to A.
    "takes at least 2": (town([{"km": 0.3}, {"km": 0.6}], SEATS), {"minimum_section": 2}, ["A", "A"]),
    # The elder finds no seat at A, so both go to B although A is nearer.
    "siblings who apply together": (
        town([{"km": 0.1, "family_id": "F"}, {"km": 0.1, "family_id": "F", "grade": 2}], SEATS),
        {"newcomers_reading": "together"},
        ["B", "B"],
    ),
    # B is private and its elder sibling's; all are to be in a public school.
    "public share": (
        town([{"km": 0.3, "sibling_school": "B"}], {("A", 1): 1, ("B", 1): 2}, "B"),
        {"public_floor": 1.0},
        ["A"],
    ),
}


@pytest.mark.parametrize("told", sorted(TOWNS))
def test_a_town_by_hand(told: str) -> None:
    tables, switches, schools = TOWNS[told]
    settings = {"primary_cap_km": 0.95, "minimum_reading": "newcomers", **switches}
    scenario = helper().Small(tables, **settings)
    plan = place(scenario, modes=("utilitarian",))
    groups = plan["placement_groups"].sort_values("group_id")
    assert check(plan, tables, scenario.parameters) == []
    assert groups["school_id"].tolist() == schools
    assert any(told in s for s in groups["en"])


def test_golden_lp(tmp_path: Path) -> None:
    """The formulation of a tiny county in all three rules at once, as algebra."""
    problem = Transport(*(np.array(a) for a in ([2, 1, 1], [3, 2, 2], [0, 0, 1, 1, 2], [0, 1, 0, 1, 2])))
    goals = [
        Goal("placed", np.zeros(5, np.int64), np.ones(3, np.int64), "children"),
        Goal("distance", np.array([30, 70, 20, 90, 40]), np.zeros(3, np.int64), "10 m"),
    ]
    rules = CoupledRules(
        np.array([0, 1, 0]),
        minimum=np.array([2, 2, 0]),
        families=((1, 2),),
        public=np.array([True, False, True]),
        floor=(3, 4),
    )
    model = coupled_model(problem, goals, rules)
    model.objective = pyo.Objective(expr=model.goal[1])
    model.write(str(tmp_path / "county.lp"), io_options={"symbolic_solver_labels": True})
    golden = Path(__file__).parent / "golden" / "placement_coupled_toy.lp"
    assert (tmp_path / "county.lp").read_text() == golden.read_text()


def test_the_audit_finds_a_plan_that_one_move_improves() -> None:
    """The plan without the rules, stated as if it were the best with them."""
    tables = TOWNS["takes at least 2"][0]
    switched = {"minimum_section": 2, "minimum_reading": "newcomers"}
    scenario, free = helper().Small(tables, **switched), helper().Small(tables)
    plan, without = (place(s, modes=("utilitarian",)) for s in (scenario, free))
    stated = plan["placement_coupled"]
    coupled = stated.assign(value=stated["without_rules"], bound=stated["without_rules"].astype(float))
    wrong = {name: plan[name] if "duals" in name or "values" in name else without[name] for name in plan}
    wrong |= {"placement_coupled": coupled, "placement_coupled_sections": plan["placement_coupled_sections"]}
    said = [f.en for f in check(wrong, tables, scenario.parameters)]
    assert said == ["330101: a child of group G0 alone could improve a part that is said to be the best"]


def test_only_parts_that_break_a_rule_lose_their_prices(tables: dict[str, pd.DataFrame]) -> None:
    """Counties whose plan keeps the rules come out as without them, prices and all."""
    codes = sorted(set(tables["child_groups"]["county_code"]))[:30]
    alone = {"joint_newcomers": False}
    switched = alone | {"minimum_section": 2, "minimum_reading": "newcomers"}
    off, on = (
        place(helper().Small(tables, **s), counties=codes, explain=False, modes=("utilitarian",))
        for s in (alone, switched)
    )
    whole = set(on["placement_coupled_sections"]["county_code"])
    assert 2 < len(whole) < len(codes)
    for name in ("placement_duals", "placement_seat_values", "placement", "placement_groups"):
        kept = [t[name][~t[name]["county_code"].isin(whole)].reset_index(drop=True) for t in (off, on)]
        pd.testing.assert_frame_equal(*kept)
    assert set(on["placement_coupled"].loc[on["placement_coupled"]["part"] == 0, "county_code"]) == set(codes)
