"""Scores by hand on two universities and two industries, and the baseline's assignment as an official would read it."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.assignment_scores import (
    great_circle_km,
    heritage_candidates,
    lead_candidates,
    strength_of,
)
from zjsim.models.lead_discipline import solve_assignment

import zjsim
from zjsim.scenario.checks import special_rules_complete
from zjsim.scenario.parameters import AssignmentParameters
from zjsim.solve.results import Infeasible, Optimal

P = AssignmentParameters()


class Changed:
    """The baseline with some tables and assignment settings replaced."""

    def __init__(self, base: Any, tables: dict[str, pd.DataFrame] | None = None, **settings: Any) -> None:
        self._base, self._tables = base, tables or {}
        settings = {"explain_choices": False, **settings}
        section = AssignmentParameters(**{**dict(base.parameters.assignment), **settings})
        self.parameters = SimpleNamespace(assignment=section, solver=base.parameters.solver)

    def table(self, name: str) -> pd.DataFrame:
        return self._tables[name] if name in self._tables else self._base.table(name)


@pytest.fixture(scope="module")
def baseline() -> Any:
    return zjsim.load("baseline")


@pytest.fixture(scope="module")
def plan(baseline: Any) -> dict[str, pd.DataFrame]:
    result = solve_assignment(Changed(baseline))
    assert isinstance(result, Optimal)
    return result.plan


def rules(*rows: dict[str, str]) -> pd.DataFrame:
    columns = ["rule_id", "kind", "industry_id", "moe_code", "discipline_code", "role", "paired_industry_id"]
    return pd.DataFrame([{c: row.get(c, "") for c in columns} for row in rows], columns=columns)


def toy_tables() -> dict[str, pd.DataFrame]:
    """One degree of latitude (111.195 km) between the campus of A and the cluster's core; B sits in the core."""
    return {
        "cities": pd.DataFrame({"city_code": ["330100"], "lon": [120.0], "lat": [30.0]}),
        "counties": pd.DataFrame({"county_code": ["330102", "330104"], "lon": [120.0, 120.0], "lat": [31.0, 30.0]}),
        "universities": pd.DataFrame(
            {"moe_code": ["10001", "10002"], "county_code": ["330102", "330104"], "city_code": ["330100"] * 2}
        ),
        "industry_places": pd.DataFrame(
            {
                "industry_id": ["C01", "C01", "H01"],
                "place_code": ["330104", "330100", "330104"],
                "role": ["core_area", "known_location", "core_area"],
            }
        ),
        "disciplines": pd.DataFrame(
            {
                "moe_code": ["10001", "10002", "10002"],
                "discipline_code": ["0801", "0801", "0802"],
                "grade": ["A+", "", "C"],
                "double_first_class": [False, False, True],
            }
        ),
        "relevance": pd.DataFrame(
            {
                "discipline_code": ["0801", "0802", "0801"],
                "industry_id": ["C01", "C01", "H01"],
                "relevance": [3, 1, 2],
            }
        ),
        "cooperation": pd.DataFrame({"industry_id": ["C01"], "moe_code": ["10001"], "cooperation": [0.8]}),
        "craft_links": pd.DataFrame({"industry_id": ["H01"], "moe_code": ["10002"], "link": [3]}),
    }


def test_one_degree_of_latitude_is_111_km() -> None:
    assert great_circle_km(120, 30, 120, 31) == pytest.approx(111.195, abs=1e-3)
    assert great_circle_km(120, 30, 120, 30) == 0
    assert great_circle_km(0, 0, 180, 0) == pytest.approx(math.pi * 6371.0088)


def test_lead_scores_by_hand() -> None:
    found = {(c.moe_code, c.discipline_code): c for c in lead_candidates(toy_tables(), P, ["C01"])}
    a = found["10001", "0801"]
    near = math.exp(-111.195 / 100)
    assert a.nearness.place_code == "330104"
    assert a.nearness.proximity == pytest.approx(near, abs=1e-5)
    assert a.score_units / 1000 == pytest.approx(100 * (0.7 * 0.99 + 0.3 * near), abs=2e-3)
    b = found["10002", "0801"]
    assert (b.strength.known, b.strength.low, b.strength.value, b.strength.high) == (False, 0.0, 0.35, 0.7)
    assert (b.score_low, b.score_units / 1000, b.score_high) == pytest.approx((30.0, 54.5, 79.0))
    # A Double First-Class discipline counts at least 0.9 whatever its older grade; relevance 1 counts a third.
    assert found["10002", "0802"].score_units / 1000 == pytest.approx(100 / 3 * (0.7 * 0.9 + 0.3), abs=1e-3)


def test_unknown_cooperation_is_a_range_and_known_cooperation_a_number() -> None:
    p = AssignmentParameters(lead_weight_strength=0.5, lead_weight_proximity=0.3, lead_weight_cooperation=0.2)
    found = {(c.moe_code, c.discipline_code): c for c in lead_candidates(toy_tables(), p, ["C01"])}
    assert found["10001", "0801"].components["cooperation"] == 0.8
    b = found["10002", "0801"]
    assert math.isnan(b.components["cooperation"])
    assert (b.score_low, b.score_units / 1000, b.score_high) == pytest.approx((30.0, 57.5, 85.0))


def test_heritage_scores_by_hand() -> None:
    found = {(c.moe_code, c.role): c for c in heritage_candidates(toy_tables(), P, ["H01"], ("lead", "partner"))}
    a, b = found["10001", "lead"], found["10002", "partner"]
    near = math.exp(-111.195 / 80)
    assert (a.components["craft"], a.basis_of_craft) == (pytest.approx(0.4), "discipline")
    assert a.score_units / 1000 == pytest.approx(100 * (0.5 * 0.4 + 0.25 * near + 0.25 * 0.99), abs=2e-3)
    assert (b.components["craft"], b.basis_of_craft) == (1.0, "craft_link")
    assert b.score_units == 100_000
    assert found["10002", "lead"].score_low == pytest.approx(75.0)


def test_grades_fall_with_their_percentile_bands() -> None:
    values = [strength_of(g, False, P).value for g in ("A+", "A", "A-", "B+", "B", "B-", "C+", "C", "C-")]
    assert values == sorted(values, reverse=True)
    assert strength_of("", False, P).high >= 0.7 - 1e-12


def test_the_baseline_assigns_every_industry_and_spreads(plan: dict[str, pd.DataFrame]) -> None:
    leads, pairs = plan["lead_assignments"], plan["heritage_pairs"]
    assert list(leads["industry_id"]) == [f"C{k:02d}" for k in range(1, 16)]
    assert leads["moe_code"].value_counts().max() <= 3
    assert leads["moe_code"].nunique() >= 6
    assert set(leads["relevance"]) == {3}
    assert list(pairs["industry_id"]) == [f"H{k:02d}" for k in range(1, 11) for _ in range(2)]
    assert not pairs.loc[pairs["role"] == "lead", "is_vocational"].any()
    assert set(leads["status"]) == set(pairs["status"]) == {"optimal"}
    assert set(leads["gap"]) == {0.0}
    assert leads["score"].sum() == pytest.approx(leads["bound"].iloc[0], abs=1e-6)
    assert leads["cooperation"].isna().all()


def test_well_known_pairs_come_out(plan: dict[str, pd.DataFrame]) -> None:
    """What people in the province would expect: yellow wine and wood carving with the colleges next door."""
    pairs = plan["heritage_pairs"].set_index(["industry_id", "role"])["university_zh"]
    assert pairs["H02", "lead"] == "浙江理工大学"
    assert pairs["H03", "partner"] == "浙江工业职业技术学院"
    assert pairs["H05", "partner"] == "浙江广厦建设职业技术大学"
    assert pairs["H09", "partner"] == "丽水学院"


def test_scores_lie_in_their_range_and_are_the_sum_of_their_parts(plan: dict[str, pd.DataFrame]) -> None:
    for name in ("lead_assignments", "heritage_pairs"):
        t = plan[name]
        parts = t[[c for c in t.columns if c.startswith("contribution_")]].sum(axis=1)
        assert np.allclose(parts, t["score"], atol=1e-3)
        assert (t["score_low"] <= t["score"] + 1e-9).all()
        assert (t["score"] <= t["score_high"] + 1e-9).all()
        assert (t["regret"].fillna(0) >= 0).all()


def test_a_pinned_discipline_leads_and_is_marked(baseline: Any, plan: dict[str, pd.DataFrame]) -> None:
    pin = {"rule_id": "R001", "kind": "pinned", "industry_id": "C08", "moe_code": "10351", "discipline_code": "0808"}
    result = solve_assignment(Changed(baseline, {"rules": rules(pin)}))
    assert isinstance(result, Optimal)
    row = result.plan["lead_assignments"].set_index("industry_id").loc["C08"]
    assert (row["moe_code"], bool(row["pinned"]), bool(row["forced"])) == ("10351", True, True)
    assert math.isnan(row["regret"])
    free, pinned = (t["lead_assignments"]["score"].sum() for t in (plan, result.plan))
    assert pinned <= free


def test_two_disciplines_pinned_to_one_industry_are_named_in_the_planners_words(baseline: Any) -> None:
    pins = [
        {"rule_id": f"R00{k}", "kind": "pinned", "industry_id": "C03", "moe_code": u, "discipline_code": "0805"}
        for k, u in ((1, "10335"), (2, "10338"))
    ]
    result = solve_assignment(Changed(baseline, {"rules": rules(*pins)}))
    assert isinstance(result, Infeasible)
    assert len(result.conflict.members) == 3
    assert "规定 R001：浙江大学“材料科学与工程”牵头“智能光伏”" in result.conflict.zh
    assert "“智能光伏”恰有一个牵头学科" in result.conflict.zh
    assert "rule R002: Zhejiang Sci-Tech University, Materials" in result.conflict.en


def test_readings_change_the_plan(baseline: Any, plan: dict[str, pd.DataFrame]) -> None:
    settings = {"lead_reading": "several_within_capacity", "heritage_reading": "one_university"}
    result = solve_assignment(Changed(baseline, **settings))
    assert isinstance(result, Optimal)
    assert result.plan["lead_assignments"]["score"].sum() >= plan["lead_assignments"]["score"].sum()
    assert set(result.plan["heritage_pairs"]["role"]) == {"lead"}
    assert len(result.plan["heritage_pairs"]) == 10


def test_the_same_input_gives_the_same_tables(baseline: Any, plan: dict[str, pd.DataFrame]) -> None:
    again = solve_assignment(Changed(baseline))
    assert isinstance(again, Optimal)
    for name, table in plan.items():
        pd.testing.assert_frame_equal(table, again.plan[name])


@pytest.mark.parametrize(
    "wrong",
    [
        {"lead_weight_strength": 0, "lead_weight_proximity": 0},
        {"unknown_strength_low": 0.8},
        {"strength_by_grade": {"A+": 1.0}},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"above 0|lies above|every grade"):
        AssignmentParameters(**wrong)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"kind": "pinned", "industry_id": "C01"}, ("moe_code", "special_needed")),
        ({"kind": "pinned", "moe_code": "10335"}, ("industry_id", "special_needed")),
        ({"kind": "pinned", "industry_id": "W1", "moe_code": "10335"}, ("industry_id", "special_industry")),
        ({"kind": "paired", "industry_id": "C01"}, ("paired_industry_id", "special_needed")),
        ({"kind": "paired", "industry_id": "C01", "paired_industry_id": "C01"}, ("paired_industry_id", "special_pair")),
        ({"kind": "paired", "industry_id": "C01", "paired_industry_id": "H01"}, ("paired_industry_id", "special_pair")),
        ({"kind": "forbidden", "industry_id": "C01", "role": "partner"}, ("role", "special_partner")),
        (
            {"kind": "pinned", "industry_id": "H01", "moe_code": "10335", "discipline_code": "0902"},
            ("discipline_code", "special_ignored"),
        ),
        ({"kind": "forbidden"}, None),
        ({"kind": "paired", "industry_id": "H01", "paired_industry_id": "H02"}, None),
    ],
)
def test_special_rules_are_checked_before_anything_is_solved(
    baseline: Any, row: dict[str, str], found: tuple[str, str] | None
) -> None:
    tables = {"rules": rules({"rule_id": "R001", **row}), "industries": baseline.table("industries")}
    assert [(b.column, b.rule) for b in special_rules_complete(tables)] == ([found] if found else [])
