"""``zjsim hedge``: from a scenario to audited tables; the audit notices what is changed in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from zjsim.models.seat_publication import money_step

from zjsim.audit import hedge as audit
from zjsim.cli import main
from zjsim.hedging import HedgeDone, hedge_scenario
from zjsim.scenario import Scenario, load
from zjsim.tables.manifests import read_manifest

BUILDS, WAITS = "330110", "330424"
SETS = ("hedge.branching=[2,2]", "hedge.fresh_scenarios=2", "hedge.relative_gap=0.001", "time.seat_horizon=2030")
Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load("baseline", sets=SETS)


@pytest.fixture(scope="module")
def done(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> HedgeDone:
    return hedge_scenario(scenario, tmp_path_factory.mktemp("hedge"), counties=(BUILDS, WAITS), lang="en")


def test_a_folder_is_written_whole(done: HedgeDone) -> None:
    assert done.findings == []
    assert done.folder is not None
    files = {p.relative_to(done.folder).as_posix() for p in done.folder.rglob("*") if p.is_file()}
    assert {"hedge.xlsx", "manifest.json", "figures/hedge_costs.svg", "tables/hedge_areas.csv"} <= files
    manifest = read_manifest(done.folder)
    assert "tables/hedge_demand.csv" not in files
    assert not {"tables/hedge_children.csv", "tables/hedge_recourse.csv"} & files, "children stay inside"
    children = pd.read_csv(done.folder / "internal" / "hedge_children.csv")
    assert len(children) == 2 * 2 * 6
    drawn = done.tables["hedge_demand"]
    one = drawn[(drawn["area_code"] == BUILDS) & (drawn["year"] == 2028) & (drawn["grade"] > 6)]
    sums = one.groupby("scenario")["migrant"].sum()
    row = children[(children["area_code"].astype(str) == BUILDS) & (children["year"] == 2028)].iloc[1]
    assert (row["stage"], row["migrant_least"], row["migrant_most"]) == ("junior", sums.min(), sums.max())
    assert set(manifest["outputs"]) == files - {"manifest.json", "internal/manifest.json"}
    assert not [p for p in done.folder.parent.iterdir() if p != done.folder]


def test_every_county_is_told_what_to_do(done: HedgeDone) -> None:
    areas = done.tables["hedge_areas"].set_index("area_code")
    assert areas.at[BUILDS, "decision"] in ("begin_now", "wait")
    assert areas.at[WAITS, "decision"] == "enough"
    assert "Haiyan" in areas.at[WAITS, "advice_en"]
    assert "海盐" in areas.at[WAITS, "advice_zh"]
    opened = done.tables["hedge_openings"]
    now = opened[opened["is_now"]].groupby("area_code")["rooms_mean"].sum()
    said = areas[["now_extension_primary", "now_extension_junior", "now_school_rooms_primary"]].sum(axis=1)
    assert (now.reindex(areas.index, fill_value=0) <= said + areas["now_school_rooms_junior"] + 1e-9).all()


def test_the_values_are_in_the_order_of_theory(done: HedgeDone) -> None:
    slack = 0.002 * done.value("hedged")
    assert done.value("wait_and_see") <= done.value("hedged") + 1
    assert done.value("hedged") <= done.value("mean_value") + slack
    assert done.value("hedged") <= done.value("wait") + slack
    assert done.value("evpi") >= 0
    assert done.value("vss") >= 0
    values = done.tables["hedge_values"]
    assert (values["low_yuan"] <= values["yuan"] + 1).all()
    assert (values["yuan"] <= values["high_yuan"] + 1).all()


def test_tables_agree_with_each_other(done: HedgeDone) -> None:
    plans, scenarios = done.tables["hedge_plans"], done.tables["hedge_scenarios"]
    by_plan = plans.groupby("plan")["expected_cost_yuan"].sum()
    for plan, t in scenarios.groupby("plan"):
        assert (t["probability"] * t["cost_yuan"]).sum() == pytest.approx(by_plan[plan], rel=1e-6)
        assert (t["regret_yuan"] >= -1).all()
    evaluation = done.tables["hedge_evaluation"]
    assert (evaluation["mean_low"] <= evaluation["mean_high"]).all()
    assert set(evaluation["branches"]) == {2}
    assert set(evaluation["futures"]) == {4}
    fresh = done.tables["hedge_fresh"]
    mean = evaluation[evaluation["measure"] == "cost_yuan"].set_index("plan")["mean"]
    for plan, t in fresh.groupby("plan"):
        assert t["branch"].tolist() == [1, 1, 2, 2]
        assert t["cost_yuan"].mean() == pytest.approx(mean[plan])
    empty = done.tables["hedge_empty_seats"]
    assert (empty["rooms_idle"] <= empty["rooms_opened"] + 1e-6).all()


def test_what_goes_out_tells_no_children(done: HedgeDone) -> None:
    """Costs of the province are building and whole steps; all other money follows from them; by area there is none."""
    assert done.folder is not None
    out = {p.stem: pd.read_csv(p) for p in (done.folder / "tables").glob("*.csv")}
    about = [(n, c) for n, t in out.items() for c in t.columns if "short" in c or "without" in c or "share_fall" in c]
    assert about == [("hedge_plans", "p_shortfall")]
    assert set(out["hedge_evaluation"]["measure"]) == {"cost_yuan", "cost_above_hedged_yuan"}
    building = {"start_cost_yuan", "mean_value_start_cost_yuan", "expected_capital_yuan", "idle_capital_yuan"}
    building |= {"expected_equip_yuan", "expected_running_yuan"}
    for name in ("hedge_areas", "hedge_plans", "hedge_openings", "hedge_empty_seats", "hedge_inputs"):
        assert {c for c in out[name].columns if c.endswith("_yuan")} <= building, name
    step = money_step({("", ""): 500_000.0})
    exact = done.tables["hedge_scenarios"]
    for told, built in (("cost_yuan", "building_yuan"), ("wait_and_see_yuan", "seen_building_yuan")):
        missing = out["hedge_scenarios"][told] - exact[built]
        assert (missing - step * (missing / step).round()).abs().max() < 0.02
        assert (out["hedge_scenarios"][told] - exact[told]).abs().max() <= step / 2 + 0.01
    value = out["hedge_values"].set_index("value_of")["yuan"]
    hedged = out["hedge_scenarios"].query("plan == 'hedged'")
    assert value["hedged"] == pytest.approx((hedged["probability"] * hedged["cost_yuan"]).sum())
    assert value["evpi"] == pytest.approx(max(0.0, value["hedged"] - value["wait_and_see"]))
    for lang in ("zh", "en"):
        said = " ".join(out["hedge_statements"][lang]) + " ".join(out["hedge_areas"][f"advice_{lang}"])
        assert "人次没有学位" not in said
        assert "child-years without a place" not in said


def _bump(table: str, column: str, by: float, **where: object) -> Callable[[Tables], None]:
    def change(plan: Tables) -> None:
        t = plan[table].copy()
        mask = pd.Series(True, index=t.index)
        for name, value in where.items():
            mask &= t[name] == value
        row = t.index[mask][0]
        t[column] = t[column].astype(float)
        t.loc[row, column] += by
        plan[table] = t

    return change


HERE = {"area_code": BUILDS, "plan": "hedged", "stage": "junior"}
CHANGES: dict[str, Callable[[Tables], None]] = {
    "table_missing": lambda plan: plan.__delitem__("hedge_demand"),
    "rows": lambda plan: plan.update(hedge_recourse=plan["hedge_recourse"].iloc[1:]),
    "probability": _bump("hedge_scenarios", "probability", 0.1, plan="hedged", scenario=1),
    "known_births": _bump("hedge_demand", "local", 1, area_code=BUILDS, grade=5, year=2026),
    "demand_order": _bump("hedge_demand", "guaranteed", 1e6, area_code=BUILDS, grade=1),
    "demand_known": _bump("hedge_demand", "migrant", 1, area_code=BUILDS, grade=1, year=2025, scenario=1),
    "seats_missing": _bump("hedge_recourse", "classes", -40, **HERE, year=2027),
    "places": _bump("hedge_recourse", "without", 3, **HERE, year=2027),
    "local_first": _bump("hedge_recourse", "short", 1e6, **HERE, year=2027),
    "empty_seats": _bump("hedge_recourse", "other", 1e6, **HERE, year=2027),
    "rooms": _bump("hedge_recourse", "classes", 9_999, **HERE, year=2027),
    "staff": _bump("hedge_recourse", "classes", 9_999, **HERE, year=2027),
    "purchase_cap": _bump("hedge_recourse", "bought", 1e6, **HERE, year=2027),
    "size": _bump("hedge_recourse", "extension", 999, **HERE, year=2027),
    "site": _bump("hedge_recourse", "extension", 999, **HERE, year=2027),
    "lead_time": _bump("hedge_recourse", "extension", 4, **HERE, year=2025),
    "nonanticipativity": _bump("hedge_recourse", "extension", 4, **HERE, year=2026),
    "money": _bump("hedge_recourse", "running_yuan", 50, **HERE, year=2027),
    "share_fall": _bump("hedge_recourse", "share_fall", 5, **HERE, year=2027),
    "cost": _bump("hedge_plans", "expected_cost_yuan", 5_000, area_code=BUILDS),
    "cvar": _bump("hedge_plans", "cvar_yuan", 5_000, area_code=BUILDS),
    "order": _bump("hedge_areas", "wait_and_see_yuan", 1e12, area_code=BUILDS),
}


@pytest.mark.parametrize("rule", sorted(CHANGES))
def test_the_audit_notices(rule: str, done: HedgeDone, scenario: Scenario) -> None:
    plan = dict(done.tables)
    CHANGES[rule](plan)
    assert f"hedge_{rule}" in {f.rule for f in audit.check(plan, scenario.tables, scenario.parameters)}


def test_the_audit_notices_a_seat_kept_empty(done: HedgeDone, scenario: Scenario) -> None:
    """One guaranteed child more in a purchased place than the classes leave out: sums and money still agree."""
    plan = dict(done.tables)
    for column in ("short", "bought"):
        _bump("hedge_recourse", column, 1, **HERE, year=2027)(plan)
    found = [f for f in audit.check(plan, scenario.tables, scenario.parameters) if f.rule == "hedge_seats_missing"]
    assert len(found) == 1
    assert "2027 junior" in found[0].en


def test_many_findings_of_a_rule_are_counted(done: HedgeDone, scenario: Scenario) -> None:
    plan = dict(done.tables)
    plan["hedge_recourse"] = plan["hedge_recourse"].assign(bought=1e6)
    found = audit.check(plan, scenario.tables, scenario.parameters)
    caps = [f for f in found if f.rule == "hedge_purchase_cap"]
    assert len(caps) == 21
    assert "more" in caps[-1].en


def test_the_audit_knows_the_cap_on_what_is_begun(done: HedgeDone, scenario: Scenario) -> None:
    plan = dict(done.tables)
    _bump("hedge_areas", "start_cost_yuan", 1e9, area_code=BUILDS)(plan)
    hedge = scenario.parameters.hedge.model_copy(update={"start_budget_yuan": 1e6})
    parameters = scenario.parameters.model_copy(update={"hedge": hedge})
    assert "hedge_start_budget" in {f.rule for f in audit.check(plan, scenario.tables, parameters)}


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sets = [word for s in SETS for word in ("--set", s)]

    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as stopped:
            main(("hedge", "baseline", *arguments, "--out", str(tmp_path), *sets))
        return int(stopped.value.code or 0)

    assert run("--county", "330781", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["decisions"] == {"begin_now": 0, "wait": 0, "enough": 1}
    assert said["findings"] == []
    assert run("--county", "330781", "--lang", "en") == 0
    assert "nothing needed in 1" in capsys.readouterr().out
    assert run("--county", "339999") == 2
