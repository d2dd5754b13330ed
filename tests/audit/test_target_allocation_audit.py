"""The audit of a division: silent on a right one, and every single change is found."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.target_allocation import Places, merged
from zjsim.models.target_capacities import Case

from zjsim.audit.target_allocation import check
from zjsim.decide.allocate import (
    AREA_COLUMNS,
    REPAIR_COLUMNS,
    RULE_COLUMNS,
    TARGET_COLUMNS,
    Asked,
    _cities,
    _counties,
    _divide,
)

MIX = (0.4, 0.4, 0.2)
COUNTIES = {"330100": ("330102", "330105"), "330200": ("330203", "330205"), "330300": ("330302",)}
NAMES = {c: (c, c) for c in [*COUNTIES, *(d for own in COUNTIES.values() for d in own)]}
TOTAL = 23
Tables = dict[str, pd.DataFrame]


def made() -> tuple[Tables, Tables]:
    """A division of 23 over three cities with five counties, tested on twenty futures."""
    draw = np.random.default_rng(2)
    upper = {"330100": [9, 8], "330200": [6, 5], "330300": [7]}
    need = {"330100": [5.0, 1.0], "330200": [4.0, 4.0], "330300": [3.0]}
    counties = {
        c: Places(
            codes, np.zeros(len(codes), dtype=np.int64), np.array(upper[c]), np.array(need[c]), np.zeros(len(codes))
        )
        for c, codes in COUNTIES.items()
    }
    figures = draw.poisson([8, 6, 5], (20, 3)).astype(float)
    row = pd.Series({"target_id": "training", "reading": "r"})
    cities = merged(counties, figures.mean(axis=0).tolist())
    target: Any = SimpleNamespace()
    case = Case(row, target, TOTAL, counties, cities, figures, "training", "residents")
    head = dict.fromkeys(TARGET_COLUMNS[:6], "") | {"target_id": "training", "reading": "r"}
    found: dict[str, list[dict[str, Any]]] = {"cities": [], "counties": [], "rules": []}
    for rule, (parts, below) in _divide(case, Asked((), MIX, "by_need")).items():
        rows, told = _cities(case, rule, parts, NAMES)
        found["cities"] += [{**head, **r} for r in rows]
        found["rules"].append({**head, **told})
        found["counties"] += [{**head, **r} for r in _counties(case, rule, below, NAMES)]
    tables = {
        "allocation_targets": pd.DataFrame(
            [{**head, "total": TOTAL, "status": "divided", "missing": 0, "capacity": 35}], columns=list(TARGET_COLUMNS)
        ),
        "allocation_cities": pd.DataFrame(found["cities"], columns=list(AREA_COLUMNS)),
        "allocation_counties": pd.DataFrame(found["counties"], columns=list(AREA_COLUMNS)),
        "allocation_rules": pd.DataFrame(found["rules"], columns=list(RULE_COLUMNS)),
        "allocation_repairs": pd.DataFrame(columns=list(REPAIR_COLUMNS)),
    }
    registries = {
        "targets": pd.DataFrame([{"target_id": "training", "reading": "r", "bound": float(TOTAL)}]),
        "counties": pd.DataFrame([{"county_code": d, "city_code": c} for c, own in COUNTIES.items() for d in own]),
    }
    return tables, registries


def test_a_right_division_passes() -> None:
    tables, registries = made()
    assert check(tables, registries, MIX) == []


def _move(tables: Tables, name: str, rule: str, changes: dict[str, int], column: str = "allotted") -> None:
    table = tables[name]
    for area, change in changes.items():
        table.loc[(table["rule"] == rule) & (table["area_code"] == area), column] += change


def _one_more(t: Tables, r: Tables) -> None:
    _move(t, "allocation_cities", "by_need", {"330100": 1})
    _move(t, "allocation_counties", "by_need", {"330102": 1})


def _county_lost(t: Tables, r: Tables) -> None:
    _move(t, "allocation_counties", "by_capacity", {"330102": -1})


def _above_capacity(t: Tables, r: Tables) -> None:
    _move(t, "allocation_counties", "by_capacity", {"330302": -8}, "capacity")
    _move(t, "allocation_cities", "by_capacity", {"330300": -8}, "capacity")


def _below_done(t: Tables, r: Tables) -> None:
    _move(t, "allocation_cities", "by_need", {"330300": 7}, "done")


def _city_beyond_counties(t: Tables, r: Tables) -> None:
    _move(t, "allocation_cities", "by_mixture", {"330300": 1}, "capacity")


def _lost_place(t: Tables, r: Tables) -> None:
    r["counties"] = r["counties"].iloc[1:]


def _out_of_proportion(t: Tables, r: Tables) -> None:
    _move(t, "allocation_cities", "by_capacity", {"330100": -3, "330200": 3})
    _move(t, "allocation_counties", "by_capacity", {"330102": -3, "330203": 2, "330205": 1})


def _uneven_burden(t: Tables, r: Tables) -> None:
    _move(t, "allocation_cities", "equal_effort", {"330100": 3, "330200": -3})
    _move(t, "allocation_counties", "equal_effort", {"330102": 2, "330105": 1, "330203": -2, "330205": -1})


def _impossible_chance(t: Tables, r: Tables) -> None:
    t["allocation_rules"].loc[t["allocation_rules"]["rule"] == "by_need", "p_all"] = 1.01


def _other_bound(t: Tables, r: Tables) -> None:
    r["targets"]["bound"] = TOTAL + 1.0


def _no_summary(t: Tables, r: Tables) -> None:
    t["allocation_rules"] = t["allocation_rules"].iloc[1:]


def _no_rows(t: Tables, r: Tables) -> None:
    for name in ("allocation_cities", "allocation_counties"):
        t[name] = t[name].iloc[:0]


def _wrong_repair(t: Tables, r: Tables) -> None:
    t["allocation_targets"] = t["allocation_targets"].assign(status="short", missing=4, capacity=19)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_one_more, "total"), (_county_lost, "city"), (_above_capacity, "capacity"), (_below_done, "done"),
        (_city_beyond_counties, "city_capacity"), (_lost_place, "places"), (_out_of_proportion, "proportion"),
        (_uneven_burden, "burden"), (_impossible_chance, "chance"), (_other_bound, "total"), (_no_summary, "rules"),
        (_no_rows, "nothing"), (_wrong_repair, "repair"),
    ],
)  # fmt: skip
def test_every_change_is_found(change: Callable[[Tables, Tables], None], rule: str) -> None:
    tables, registries = made()
    change(tables, registries)
    assert f"allocation_{rule}" in {f.rule for f in check(tables, registries, MIX)}
