"""The audit of talent supply passes a true plan of the baseline's registries and finds every tampering.

The registries are cut down to three institutions and a city, so that the plan takes a second.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from zjsim.models.talent_plan import solve_talent

import zjsim
from zjsim.audit import talent
from zjsim.solve.results import Optimal

HOSTS = ("10335", "10337", "12861", "10863", "10864", "330100")
Frames = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def world() -> Any:
    loaded = zjsim.load("baseline")
    tables = {name: loaded.table(name) for name in loaded.tables}
    for name in ("programme_groups", "order_classes"):
        tables[name] = tables[name][tables[name]["host_id"].isin(HOSTS)].reset_index(drop=True)
    demand = tables["graduate_demand"]
    whole = loaded.table("programme_groups").groupby("level")["intake"].sum()
    part = (tables["programme_groups"].groupby("level")["intake"].sum() / whole).reindex(whole.index).fillna(0)
    share = demand["level"].map(part)
    tables["graduate_demand"] = demand.assign(**{c: (demand[c] * share).round(3) for c in ("low", "mode", "high")})
    return SimpleNamespace(table=tables.__getitem__, parameters=loaded.parameters, tables=tables)


@pytest.fixture(scope="module")
def plan(world: Any) -> Frames:
    result = solve_talent(world, {})
    assert isinstance(result, Optimal)
    assert all(s.gap == 0 for s in result.stages)
    return result.plan


def rules(plan: Frames, world: Any) -> set[str]:
    return {f.rule for f in talent.check(plan, world.tables, world.parameters)}


def test_a_true_plan_passes(plan: Frames, world: Any) -> None:
    assert rules(plan, world) == set()
    assert talent.check({}, world.tables, world.parameters) == []


def test_a_missing_table_is_told(plan: Frames, world: Any) -> None:
    assert rules({k: t for k, t in plan.items() if k != "talent_market"}, world) == {"talent_table_missing"}


def shifted(column: str, by: float, where: Callable[[pd.DataFrame], Any]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(t: pd.DataFrame) -> pd.DataFrame:
        t = t.copy()
        at = t.index[where(t)][0]
        t.loc[at, column] += by
        return t

    return change


def decided(t: pd.DataFrame) -> Any:
    return (t["year"] == 2026) & (t["intake"] > 0)


TAMPERINGS = [
    ("talent_intake", shifted("stock", 1e-4, decided), "talent_cohort"),
    ("talent_intake", shifted("dropout", 1.0, decided), "talent_cohort_follows"),
    ("talent_intake", shifted("intake", 1.0, decided), "talent_same_in_every_case"),
    ("talent_intake", shifted("intake", 1.0, decided), "talent_total_of_level"),
    ("talent_intake", shifted("intake", 1.0, lambda t: t["year"] == 2025), "talent_announced"),
    ("talent_intake", shifted("change", 1e4, decided), "talent_yearly_change"),
    ("talent_intake", shifted("intake", -1e5, decided), "talent_negative"),
    ("talent_intake", lambda t: t[t["level"] != "master"], "talent_group_missing"),
    ("talent_intake", lambda t: t.assign(host_id=t["host_id"].replace("10335", "99999")), "talent_unknown_group"),
    ("talent_teachers", shifted("needed", 1e4, lambda t: t["year"] == 2027), "talent_teachers"),
    ("talent_teachers", shifted("hired", 1e4, lambda t: t["year"] == 2027), "talent_hiring"),
    ("talent_teachers", shifted("teachers", 1.0, lambda t: t["year"] == 2027), "talent_staff"),
    ("talent_hours", shifted("away_share", 0.5, lambda t: t["year"] == 2027), "talent_outside"),
    ("talent_hours", shifted("away_share", 0.01, lambda t: t["year"] == 2027), "talent_staff"),
    ("talent_places", shifted("students", 1e5, lambda t: t["year"] == 2027), "talent_places"),
    ("talent_places", shifted("students", -10.0, lambda t: t["year"] == 2027), "talent_students_at_host"),
    ("talent_places", shifted("places_begun", 1e5, lambda t: t["year"] == 2027), "talent_building"),
    ("talent_market", shifted("unmet", 1.0, lambda t: t["year"] == 2030), "talent_demand"),
    ("talent_market", shifted("demand", 1.0, lambda t: t["year"] == 2030), "talent_demand_of_case"),
    ("talent_supply", shifted("graduates", 1.0, lambda t: t["year"] == 2030), "talent_graduates"),
    ("talent_supply", shifted("placed", 1.0, lambda t: t["year"] == 2030), "talent_placed"),
]


@pytest.mark.parametrize(("table", "change", "rule"), TAMPERINGS)
def test_a_tampering_is_found(
    plan: Frames, world: Any, table: str, change: Callable[[pd.DataFrame], pd.DataFrame], rule: str
) -> None:
    assert rule in rules({**plan, table: change(plan[table])}, world)


def test_a_share_that_falls_is_found(plan: Frames, world: Any) -> None:
    t = plan["talent_intake"].copy()
    fields = world.tables["programme_classes"].set_index("class_id")["field"]
    at = (t["year"] == 2034) & (t["level"] == "undergraduate") & (t["class_id"].map(fields) != "other")
    t.loc[at, "intake"] *= 0.5
    assert "talent_share_falls" in rules({**plan, "talent_intake": t}, world)


def test_the_catalogue_is_ranked_with_reasons_and_hours_are_told(plan: Frames, world: Any) -> None:
    catalogue = plan["talent_catalogue"]
    assert len(catalogue)
    for _, year in catalogue.groupby("year"):
        assert list(year["rank"]) == list(range(1, len(year) + 1))
        assert year["scarcity"].is_monotonic_decreasing
    assert catalogue["reason_zh"].str.contains("还差").all()
    assert (catalogue["scarcity"] >= world.parameters.talent.scarce_index).all()
    hours = plan["talent_hours"]
    assert (hours["teachers_free"] >= -1e-3).all()
    assert (hours["away_share"] > 0).any(), "institutions give more and more time outside"
    assert set(hours["host_id"]) == set(world.tables["programme_groups"]["host_id"])
