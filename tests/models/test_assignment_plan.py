"""The whole assignment on the baseline: supports, coverage, explanations, limits, the log."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.assignment_plan import TABLES, plan_assignment, served_counties
from zjsim.models.assignment_scores import support_candidates

import zjsim
from zjsim.scenario.parameters import AssignmentParameters, SolverParameters
from zjsim.solve.results import Infeasible, Optimal, Stopped

DRAWS = 60


def changed(base: Any, tables: dict[str, pd.DataFrame] | None = None, solver: Any = None, **settings: Any) -> Any:
    section = AssignmentParameters(**{**dict(base.parameters.assignment), **settings})
    parameters = SimpleNamespace(assignment=section, solver=solver or base.parameters.solver)
    return SimpleNamespace(table=lambda name: (tables or {}).get(name, base.table(name)), parameters=parameters)


@pytest.fixture(scope="module")
def baseline() -> Any:
    return zjsim.load("baseline")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "solver.log"


@pytest.fixture(scope="module")
def plan(baseline: Any, log: Path) -> dict[str, pd.DataFrame]:
    result = plan_assignment(changed(baseline, explain_draws=DRAWS), log_file=str(log))
    assert isinstance(result, Optimal)
    return result.plan


def test_supports_keep_their_bounds_and_reach_the_cities(plan: dict[str, pd.DataFrame]) -> None:
    supports, coverage = plan["support_assignments"], plan["support_coverage"]
    assert supports["industry_id"].value_counts().between(2, 6).all()
    assert supports["industry_id"].nunique() == 15
    assert set(supports["candidate"]) == {"discipline", "institution"}
    cities = coverage[coverage["kind"] == "city"]
    assert cities["met"].mean() > 0.95
    counties = coverage[coverage["kind"] == "county"]
    assert counties["met"].all()
    assert set(counties["place_code"]) >= {"330727", "330902", "331124"}
    assert supports["status"].eq("optimal").all()


def test_a_lead_is_never_changed_by_supports(baseline: Any, plan: dict[str, pd.DataFrame]) -> None:
    few = changed(baseline, explain_choices=False, min_supports_per_industry=0, max_supports_per_industry=0)
    result = plan_assignment(changed(few, mountain_island_floor=0))
    assert isinstance(result, Optimal)
    pd.testing.assert_frame_equal(result.plan["lead_assignments"], plan["lead_assignments"])
    assert result.plan["support_assignments"].empty
    assert list(result.plan["support_assignments"]) == list(plan["support_assignments"])
    assert not any(name.startswith("assignment_e") for name in result.plan)


def test_institutions_as_a_whole_are_scored_by_their_category(baseline: Any) -> None:
    """By the relevance of an institution's kind to C10, with its strength unknown, so the range is wide."""
    tables = {name: baseline.table(name) for name in TABLES}
    p = baseline.parameters.assignment
    found = [c for c in support_candidates(tables, p, ["C10"]) if not c.discipline_code]
    assert found
    assert not {c.moe_code for c in found} & set(tables["disciplines"]["moe_code"])
    category = tables["universities"].set_index("moe_code")["category"]
    kinds = baseline.table("category_relevance")
    levels = kinds[kinds["industry_id"] == "C10"].set_index("category")["relevance"]
    assert levels["medicine"] == 2
    for c in found:
        level = levels[category[c.moe_code]]
        middle = 100 * level / 3 * (0.7 * 0.35 + 0.3 * c.nearness.proximity)
        assert c.relevance == level
        assert c.score_units == round(1000 * middle)
        assert c.score_low == pytest.approx(100 * (level - 1) / 3 * 0.3 * c.nearness.proximity)
        assert c.score_high == pytest.approx(100 * (level + 1) / 3 * (0.7 * 0.7 + 0.3 * c.nearness.proximity))


def test_remote_counties_are_those_named_as_places(baseline: Any) -> None:
    tables = {name: baseline.table(name) for name in TABLES}
    served = served_counties(tables, ("C09", "C10"), 80)
    counties = tables["counties"].set_index("county_code")
    assert all(counties.loc[c, "is_mountain"] or counties.loc[c, "is_island"] for c in served)
    assert "330902" in served
    assert ("C09", "10340") in served["330902"]  # 浙江海洋大学 lies in Dinghai
    assert not served_counties(tables, ("C09", "C10"), 0.001)["330727"]


def test_explanations_of_the_baseline(plan: dict[str, pd.DataFrame]) -> None:
    t, leads = plan["assignment_explanations"], plan["lead_assignments"]
    chosen = t[t["in_plan"] & (t["problem"] == "lead")].set_index("industry_id")
    assert list(chosen.index) == list(leads["industry_id"])
    assert np.allclose(chosen["loss"], leads["regret"], atol=1e-6)
    assert chosen.loc["C11", "class_1"] == "firm"  # 浙江理工大学 and textiles
    assert chosen.loc["C03", "class_0"] == "swappable"  # a tie
    order = {"forced": 0, "firm": 0, "swappable": 1, "out": 0}
    steps = t[["class_0", "class_1", "class_5"]].map(order.__getitem__)
    assert (steps["class_0"] <= steps["class_1"]).all()
    assert (steps["class_1"] <= steps["class_5"]).all()
    named = chosen[chosen["class_0"] != "forced"]
    assert named["instead"].str.contains("/").all()
    assert (chosen["instead"].str.split("/").str[0] == leads.set_index("industry_id")["runner_up_moe_code"]).all()


def test_frequencies_of_the_baseline(plan: dict[str, pd.DataFrame]) -> None:
    t = plan["assignment_frequencies"]
    assert set(t["draws"]) == {DRAWS}
    slots = t[t["problem"] != "support"].groupby(["problem", "industry_id", "role"])["times"].sum()
    assert (slots == DRAWS).all()
    assert len(slots) == 35
    textiles = t[(t["industry_id"] == "C11") & t["in_plan"] & (t["role"] == "lead")]
    assert textiles["frequency"].item() > 0.9


def test_the_front_starts_at_the_plan_and_widens(plan: dict[str, pd.DataFrame]) -> None:
    for problem, points in plan["assignment_pareto"].groupby("problem"):
        assert points["is_plan"].tolist() == [True] + [False] * (len(points) - 1), problem
        assert len(points) >= 5
        assert (points["gap"] == 0).all()


def test_alternatives_prices_and_margins(plan: dict[str, pd.DataFrame]) -> None:
    others = plan["assignment_alternatives"]
    assert others.groupby("problem")["alternative"].max().to_dict() == {"heritage": 3, "lead": 3, "support": 3}
    assert (others["distance"] >= 6).all()
    assert others["proven"].all()
    price = plan["assignment_prices"].set_index(["goal", "later_goal"])
    assert price.loc[("support_cities", "support_score"), "loss"] > 0
    margins = plan["assignment_margins"].set_index(["rule", "row"])
    assert margins.loc[("leads_per_university", "10335"), "one_more"] > 0
    assert "浙江大学" in margins.loc[("leads_per_university", "10335"), "requirement_zh"]


def test_the_solvers_log_is_kept_of_the_plan_itself(plan: dict[str, pd.DataFrame], log: Path) -> None:
    """Three assignments, and leads and pairs once more for their runners-up; not what explains them (megabytes)."""
    assert "assignment_explanations" in plan
    assert log.read_text().count("Running HiGHS") == 5


def test_loads_and_capacities_come_from_their_registries(baseline: Any) -> None:
    """Every industry is a load of 2, a discipline carries 4, 浙江大学 as a whole 2: one lead, and two elsewhere."""
    rows = {"source_id": "", "basis": ""}
    tables = {
        "industry_loads": pd.DataFrame([{"industry_id": f"C{k:02d}", "load": 2.0, **rows} for k in range(1, 16)]),
        "lead_capacities": pd.DataFrame([{"moe_code": "10335", "discipline_code": "", "capacity": 2.0, **rows}]),
    }
    settings = {"lead_reading": "several_within_capacity", "industries_per_discipline": 4, "explain_choices": False}
    result = plan_assignment(changed(baseline, tables, **settings))
    assert isinstance(result, Optimal)
    leads = result.plan["lead_assignments"]
    assert (leads["moe_code"] == "10335").sum() == 1
    assert (leads["moe_code"] + leads["discipline_code"]).value_counts().max() == 2


def test_no_time_means_no_plan_and_little_time_for_explanations_means_fewer(baseline: Any) -> None:
    stopped = plan_assignment(changed(baseline, solver=SolverParameters(time_limit_s=1e-9)))
    assert isinstance(stopped, Stopped)
    result = plan_assignment(changed(baseline, explain_time_limit_s=1e-9))
    assert isinstance(result, Optimal)
    assert result.plan["assignment_frequencies"].empty
    chosen = result.plan["assignment_explanations"].query("in_plan")
    assert set(chosen["class_0"]) == {"unproven"}
    assert result.plan["assignment_pareto"].empty


RULES = ["rule_id", "kind", "industry_id", "moe_code", "discipline_code", "role", "paired_industry_id"]


@pytest.mark.parametrize(
    ("row", "settings", "said"),
    [
        (
            {"kind": "pinned", "industry_id": "C02", "moe_code": "10336", "role": "support"},
            {},
            "杭州电子科技大学",  # it leads C02 already
        ),
        ({"kind": "forbidden", "role": "support"}, {"mountain_island_floor": 0}, "支撑学科不少于 2 个"),
        ({"kind": "forbidden", "moe_code": "99999"}, {"mountain_island_reach_km": 0.01}, "山区海岛县磐安县"),
    ],
)
def test_impossible_supports_are_told_and_mended(
    baseline: Any, row: dict[str, str], settings: dict[str, Any], said: str
) -> None:
    rules = pd.DataFrame([{c: {"rule_id": "R001", **row}.get(c, "") for c in RULES}], columns=RULES)
    result = plan_assignment(changed(baseline, {"rules": rules}, explain_choices=False, **settings))
    assert isinstance(result, Infeasible)
    assert said in result.conflict.zh
    assert result.conflict.repair
    if row["kind"] == "forbidden" and row.get("role"):
        assert result.conflict.repair == (("forbidden_supports[R001]", 1.0),)  # one rule gives, not fifteen bounds


def test_a_pinned_support_is_one_and_a_forbidden_institution_takes_no_part(baseline: Any) -> None:
    rows = [
        {"rule_id": "R001", "kind": "pinned", "industry_id": "C04", "moe_code": "13287", "role": "support"},
        {"rule_id": "R002", "kind": "forbidden", "moe_code": "10337"},
    ]
    rules = pd.DataFrame([{c: r.get(c, "") for c in RULES} for r in rows], columns=RULES)
    result = plan_assignment(changed(baseline, {"rules": rules}, explain_choices=False))
    assert isinstance(result, Optimal)
    supports = result.plan["support_assignments"]
    pinned = supports[(supports["industry_id"] == "C04") & (supports["moe_code"] == "13287")]
    assert pinned["pinned"].item()
    for name in ("support_assignments", "lead_assignments", "heritage_pairs"):
        assert "10337" not in set(result.plan[name]["moe_code"])
