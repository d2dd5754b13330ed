"""The audit accepts what the model gives and finds whatever is changed afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.assignment_plan import TABLES
from zjsim.models.lead_discipline import solve_assignment

import zjsim
from zjsim.audit.assignment import check
from zjsim.scenario.parameters import AssignmentParameters
from zjsim.solve.results import Optimal

Plan = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def baseline() -> Any:
    """The baseline with few draws."""
    loaded = zjsim.load("baseline")
    return SimpleNamespace(table=loaded.table, parameters=settings(loaded, explain_draws=40))


@pytest.fixture(scope="module")
def tables(baseline: Any) -> dict[str, pd.DataFrame]:
    return {name: baseline.table(name) for name in TABLES}


@pytest.fixture(scope="module")
def solved(baseline: Any) -> Plan:
    result = solve_assignment(baseline)
    assert isinstance(result, Optimal)
    return result.plan


@pytest.fixture
def plan(solved: Plan) -> Plan:
    return {name: table.copy() for name, table in solved.items()}


def rules_found(plan: Plan, tables: dict[str, pd.DataFrame], parameters: Any) -> set[str]:
    findings = check(plan, tables, parameters)
    assert all(f.zh and f.en for f in findings)
    return {f.rule for f in findings}


def settings(baseline: Any, **changed: Any) -> Any:
    section = AssignmentParameters(**{**dict(baseline.parameters.assignment), **changed})
    return SimpleNamespace(assignment=section, solver=baseline.parameters.solver)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"lead_reading": "several_within_capacity", "heritage_reading": "one_university"},
        {"min_supports_per_industry": 0, "max_supports_per_industry": 3, "mountain_island_floor": 0},
        {"max_supports_per_institution": 3, "min_support_relevance": 3, "support_worth_from": 0.0},
        {"explain_draws": 0, "alternatives": 1, "alternative_distance": 5, "max_supports_per_industry": 0}
        | {"min_supports_per_industry": 0, "mountain_island_floor": 0},
        {"lead_weight_cooperation": 0.3, "max_leads_per_university": 1, "max_heritage_roles_per_institution": 2},
        {"vocational_may_lead": True, "minimum_relevance": 0, "heritage_partner_weight_strength": 0.4},
    ],
)
def test_a_plan_of_the_model_passes(baseline: Any, tables: dict[str, pd.DataFrame], changed: dict[str, Any]) -> None:
    parameters = settings(baseline, **{"explain_choices": "explain_draws" in changed, **changed})
    result = solve_assignment(SimpleNamespace(table=tables.__getitem__, parameters=parameters))
    assert isinstance(result, Optimal)
    assert check(result.plan, tables, parameters) == []


def test_the_baselines_explanations_pass(plan: Plan, tables: dict[str, pd.DataFrame], baseline: Any) -> None:
    assert check(plan, tables, baseline.parameters) == []


def put(table: str, row: int, **values: object) -> Callable[[Plan], None]:
    def change(plan: Plan) -> None:
        for column, value in values.items():
            plan[table][column] = plan[table][column].astype(object)
            plan[table].loc[row, column] = value

    return change


def add(table: str, row: int, column: str, amount: float) -> Callable[[Plan], None]:
    def change(plan: Plan) -> None:
        plan[table].loc[row, column] += amount

    return change


def drop(table: str, row: int) -> Callable[[Plan], None]:
    def change(plan: Plan) -> None:
        plan[table] = plan[table].drop(index=row)

    return change


def copy_institution(plan: Plan) -> None:
    pairs = plan["heritage_pairs"]
    pairs.loc[1, "moe_code"] = pairs.loc[0, "moe_code"]


def one_university(plan: Plan) -> None:
    plan["lead_assignments"]["moe_code"] = "10335"


def change_where(table: str, column: str, value: object, **where: object) -> Callable[[Plan], None]:
    """Put ``value`` (or add it to a number) into the first row where the columns hold."""

    def change(plan: Plan) -> None:
        t = plan[table]
        row = t.index[pd.concat([t[c] == v for c, v in where.items()], axis=1).all(axis=1)][0]
        if isinstance(value, float):
            t[column] = t[column].astype(float)
            t.loc[row, column] += value
        else:
            t.loc[row, column] = value

    return change


def lead_supports(plan: Plan) -> None:
    leads, supports = plan[L].set_index("industry_id"), plan[G]
    industry = supports.loc[0, "industry_id"]
    for column in ("moe_code", "discipline_code"):
        supports.loc[0, column] = leads.loc[industry, column]


def forget(table: str) -> Callable[[Plan], None]:
    def change(plan: Plan) -> None:
        del plan[table]

    return change


L, H, S = "lead_assignments", "heritage_pairs", "assignment_stages"
G, V = "support_assignments", "support_coverage"
E, F, P = "assignment_explanations", "assignment_frequencies", "assignment_pareto"
A, C, M = "assignment_alternatives", "assignment_prices", "assignment_margins"


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("one_lead_per_industry", drop(L, 3)),
        ("one_lead_per_industry", put(L, 3, industry_id="H01")),
        ("unknown_discipline", put(L, 0, discipline_code="9999")),
        ("discipline_overloaded", put(L, 0, moe_code="10335", discipline_code="0805")),
        ("university_overloaded", one_university),
        ("relevance_too_low", put(L, 0, discipline_code="0101", moe_code="10335")),
        ("value_differs", add(L, 4, "score", 0.01)),
        ("value_differs", add(L, 4, "score_low", -0.01)),
        ("value_differs", add(L, 4, "strength", 0.01)),
        ("value_differs", add(L, 4, "proximity", -0.01)),
        ("value_differs", add(L, 4, "distance_km", 1.0)),
        ("value_differs", put(L, 4, cooperation=0.5)),
        ("parts_differ", add(L, 4, "contribution_strength", 1.0)),
        ("parts_differ", add(H, 4, "contribution_craft", 1.0)),
        ("one_heritage_lead", drop(H, 0)),
        ("one_heritage_partner", drop(H, 1)),
        ("unknown_role", put(H, 1, role="friend")),
        ("unknown_institution", put(H, 1, moe_code="99999")),
        ("same_institution", copy_institution),
        ("vocational_lead", put(H, 0, moe_code="12864")),
        ("too_many_vocational", lambda plan: [put(H, k, moe_code=u)(plan) for k, u in ((0, "12864"), (1, "12867"))]),
        ("institution_overloaded", lambda plan: [put(H, k, moe_code="10355")(plan) for k in range(1, 20, 2)]),
        ("craft_too_weak", put(H, 0, moe_code="11483")),
        ("value_differs", add(H, 4, "craft", 0.1)),
        ("value_differs", add(H, 4, "score_high", 0.1)),
        ("stage_missing", drop(S, 0)),
        ("total_differs", add(S, 0, "value", -5000.0)),
        ("bound_below_value", add(S, 0, "bound", -1.0)),
        ("claim_not_proven", add(S, 0, "bound", 1.0)),
        ("claim_not_proven", put(L, 0, status="feasible")),
        ("unknown_support", put(G, 0, discipline_code="9999")),
        ("unknown_support", put(G, 0, moe_code="10335", discipline_code="")),
        ("supports_out_of_bounds", lambda plan: plan.update({G: plan[G][plan[G]["industry_id"] != "C04"]})),
        ("supports_out_of_bounds", lambda plan: plan.update({G: pd.concat([plan[G], plan[G].iloc[:1]])})),
        ("two_parts", lead_supports),
        ("support_overloaded", lambda plan: [put(G, k, moe_code="13287", discipline_code="")(plan) for k in range(7)]),
        ("relevance_too_low", put(G, 0, discipline_code="0101", moe_code="10335")),
        ("county_short", lambda plan: plan.update({G: plan[G][plan[G]["industry_id"] != "C15"]})),
        ("coverage_rows", drop(V, 0)),
        ("value_differs", add(V, 0, "participants", 1)),
        ("value_differs", put(V, 0, met=False)),
        ("value_differs", add(G, 0, "score_high", 0.01)),
        ("value_differs", put(G, 0, candidate="institution")),
        ("total_differs", change_where(S, "value", -1.0, stage="support_cities")),
        ("stage_missing", lambda plan: plan.update({S: plan[S][plan[S]["stage"] != "support_score"]})),
        ("table_missing", forget(E)),
        ("table_missing", forget(F)),
        ("explained_rows", lambda plan: plan.update({E: plan[E][~plan[E]["in_plan"]]})),
        ("explained_rows", change_where(E, "in_plan", False, in_plan=True)),
        ("class_wrong", change_where(E, "class_0", "swappable", class_0="firm")),
        ("class_wrong", change_where(E, "class_5", "firm", class_5="swappable", in_plan=True)),
        ("class_wrong", change_where(E, "class_1", "forced", class_1="firm")),
        ("value_differs", change_where(E, "loss", 1.0, problem="lead", in_plan=True)),
        ("value_differs", change_where(E, "score", 1.0, problem="heritage")),
        ("value_differs", change_where(E, "best", 1.0, problem="support")),
        ("distance_wrong", change_where(A, "distance", 2.0, alternative=1)),
        ("value_differs", change_where(A, "loss", 1.0, alternative=1, problem="lead")),
        ("other_plan_breaks", change_where(A, "industry_id", "C15", problem="lead", change="added")),
        ("explained_rows", change_where(A, "change", "dropped", change="added")),
        ("not_efficient", change_where(P, "score", -50.0, point=1, problem="lead")),
        ("value_differs", change_where(P, "cities", -1.0, point=2, problem="heritage")),
        ("value_differs", change_where(P, "changes", "", point=3, problem="lead")),
        ("value_differs", add(C, 0, "loss", 1.0)),
        ("frequency_wrong", add(F, 0, "times", 1)),
        ("frequency_wrong", add(F, 0, "frequency_low", 1.0)),
        ("explained_rows", change_where(F, "in_plan", True, in_plan=False)),
        ("margin_signs", lambda plan: put(M, 0, one_more=2.0, one_less=2.0)(plan)),
    ],
)
def test_a_change_is_found(
    plan: Plan,
    tables: dict[str, pd.DataFrame],
    baseline: Any,
    rule: str,
    change: Callable[[Plan], object],
) -> None:
    change(plan)
    assert rule in rules_found(plan, tables, baseline.parameters)


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        ("pinned_broken", {"kind": "pinned", "industry_id": "C01", "moe_code": "11488"}),
        ("pinned_broken", {"kind": "pinned", "industry_id": "H01", "moe_code": "11488", "role": "partner"}),
        ("forbidden_broken", {"kind": "forbidden", "moe_code": "10355"}),
        ("forbidden_broken", {"kind": "forbidden", "industry_id": "H09", "moe_code": "10355", "role": "lead"}),
        ("pinned_broken", {"kind": "pinned", "industry_id": "C01", "moe_code": "11488", "role": "support"}),
        ("forbidden_broken", {"kind": "forbidden", "industry_id": "C04", "moe_code": "10337", "role": "support"}),
        ("paired_broken", {"kind": "paired", "industry_id": "C09", "paired_industry_id": "C12"}),
        ("paired_broken", {"kind": "paired", "industry_id": "H01", "paired_industry_id": "H02"}),
    ],
)
def test_a_broken_special_rule_is_found(
    plan: Plan, tables: dict[str, pd.DataFrame], baseline: Any, rule: str, row: dict[str, str]
) -> None:
    columns = list(tables["rules"].columns)
    rules = pd.DataFrame([{**dict.fromkeys(columns, ""), "rule_id": "R001", **row}])
    assert rules_found(plan, {**tables, "rules": rules}, baseline.parameters) == {rule}


def test_a_missing_table_is_found(plan: Plan, tables: dict[str, pd.DataFrame], baseline: Any) -> None:
    del plan["heritage_pairs"]
    assert rules_found(plan, tables, baseline.parameters) == {"table_missing"}


NOT_CHECKED = {("assignment_stages", "unit"), ("assignment_stages", "tolerance"), (V, "candidates")}
"""What a row says of its own making, and counts that only the model's candidates give."""


def corrupted(value: Any, column: pd.Series, g: random.Random) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool | np.bool_):
        return not value
    if isinstance(value, float | np.floating):
        return 1.0 if np.isnan(value) else float(value) + max(1.0, abs(float(value)) / 10)
    if isinstance(value, int | np.integer):
        return int(value) + 1
    others = [v for v in column.unique() if v != value]
    return g.choice(others) if others else f"{value}x"


@pytest.mark.parametrize("table", [L, H, G, V, S])
def test_any_cell_changed_at_random_is_found(
    solved: Plan, tables: dict[str, pd.DataFrame], baseline: Any, table: str
) -> None:
    """One cell of every column but names: whatever it says, the audit stops the plan."""
    g = random.Random(table)
    missed = []
    for column in solved[table].columns:
        if column.endswith(("_zh", "_en")) or (table, column) in NOT_CHECKED:
            continue
        t = solved[table].copy()
        row = g.randrange(len(t))
        new = corrupted(t[column].iloc[row], t[column], g)
        t[column] = t[column].astype(object)
        t.loc[t.index[row], column] = new
        if not check({**solved, table: t}, tables, baseline.parameters):
            missed.append((column, row, new))
    assert missed == []


def test_rows_swapped_doubled_or_lost_are_found(solved: Plan, tables: dict[str, pd.DataFrame], baseline: Any) -> None:
    g = random.Random(11)
    for table in (L, H, G, V):
        t = solved[table]
        one, two = g.sample(range(len(t)), 2)
        swapped = t.copy()
        who = ["moe_code", "discipline_code"] if table in (L, G) else ["moe_code"] if table == H else ["participants"]
        while (t.loc[one, who] == t.loc[two, who]).all():
            one, two = g.sample(range(len(t)), 2)
        swapped.loc[one, who], swapped.loc[two, who] = t.loc[two, who].tolist(), t.loc[one, who].tolist()
        lost, doubled = t.drop(index=one), pd.concat([t, t.loc[[one]]], ignore_index=True)
        for what, changed in (("swapped", swapped), ("lost", lost), ("doubled", doubled)):
            assert check({**solved, table: changed}, tables, baseline.parameters), (table, what)
