"""Seeking levers for a real scenario: names, costs, dates, files, and that nothing depends on the number of workers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zjsim.decide import seek_files
from zjsim.decide.planned import Planned
from zjsim.decide.seek import _asked, check_seek, seek
from zjsim.decide.seek_levers import Lever, levers_of
from zjsim.decide.seek_oracle import Asked, Simulated
from zjsim.engine import Engine
from zjsim.scenario import Scenario, load
from zjsim.simulate import ensemble
from zjsim.tables.errors import InputErrors

BEYOND = {"coverage_reading", "lead_cap_per_university", "private_places_bought", "seat_budget", "seat_lead_time"}
SMALL: dict[str, Any] = {"targets": ["silk_road_colleges"], "sample": 10, "confirm": 100, "tests": 1, "frontier": 2}


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load("baseline")


@pytest.fixture(scope="module")
def plan(baseline: Scenario) -> Planned:
    return Planned("baseline", baseline, {}, 7)


def by_id(levers: list[Lever]) -> dict[str, Lever]:
    return {lever.lever_id: lever for lever in levers}


def test_levers_levels_costs_and_days(baseline: Scenario) -> None:
    made, beyond = levers_of(baseline, 10)
    levers = by_id(made)
    assert {str(b.row["lever_id"]) for b in beyond} >= BEYOND
    assert set(levers) | {str(b.row["lever_id"]) for b in beyond} == set(baseline.table("levers")["lever_id"])
    openings = levers["silk_road_openings"]
    assert openings.levels[0] == 0
    assert openings.levels[-1] == 12
    assert openings.levels[openings.present] == 4.9
    assert openings.costs[-1] == pytest.approx(30 * (12 - 4.9))
    assert openings.costs[openings.present] == 0
    assert openings.day == (date(2026, 1, 1) - date(2025, 1, 1)).days
    set_up = levers["overseas_set_up_time"]
    assert set_up.levels == pytest.approx(24 * np.array(set_up.shown))
    assert set_up.costs[0] == pytest.approx(2 * 24 * 0.4)  # 2 points a month less
    officers = levers["transfer_staff"]
    assert officers.costs[-1] == pytest.approx(float(baseline.table("patents")["transfer_staff"].sum()))
    assert officers.values(officers.present) == {}
    assert officers.values(0) == {"later/transfer_staff": 0.8, "since/transfer_staff": 59.0}


def test_no_lever_acts_before_the_as_of_date() -> None:
    later = load("mid_course")
    for lever in levers_of(later, 4)[0]:
        assert lever.day >= 0
        assert lever.acts_from > later.parameters.time.as_of


def test_yuan_and_points_are_not_added_without_a_rate(baseline: Scenario) -> None:
    table = baseline.table("levers").copy()
    row = table["lever_id"] == "transfer_staff"
    table.loc[row, "unit_cost_yuan"], table.loc[row, "unit_cost_points"] = 100_000.0, np.nan
    mixed = replace(baseline, tables={**baseline.tables, "levers": table})
    with pytest.raises(InputErrors, match="transfer_staff"):
        levers_of(mixed, 4)
    points = by_id(levers_of(baseline, 4)[0])["transfer_staff"].costs
    assert by_id(levers_of(mixed, 4, 50_000.0)[0])["transfer_staff"].costs == pytest.approx(2 * points)


def test_targets_are_named_as_elsewhere(plan: Planned) -> None:
    levers, _ = levers_of(plan.scenario, 4)
    asked = _asked(plan, ["silk_road_colleges/fifty_operating,training"], levers)
    assert [(a.target.target_id, a.target.reading) for a in asked] == [
        ("silk_road_colleges", "fifty_operating"), ("training", "all_training"),
    ]  # fmt: skip
    reached = {a.target.target_id for a in _asked(plan, [], levers)}
    assert {"training", "enterprise_services", "silk_road_colleges", "technology_transfer"} <= reached
    assert "sibling_rule" not in reached
    for wrong, near in (("silk_road_college", "silk_road_colleges"), ("training/all", "training/all_training")):
        with pytest.raises(InputErrors) as told:
            _asked(plan, [wrong], levers)
        assert told.value.findings[0].fix == near
        assert wrong in told.value.findings[0].en
    for nothing in ("", " , "):
        with pytest.raises(InputErrors, match="--targets"):
            _asked(plan, [nothing], levers)
    with pytest.raises(InputErrors, match="sibling_rule"):
        seek(plan, targets=["sibling_rule"], engine=Engine())


@pytest.mark.parametrize(
    ("changed", "option"),
    [
        ({"probability": 1.0}, "--probability"),
        ({"probability": 1.2}, "1.2"),
        ({"probability": float("nan")}, "--probability"),
        ({"delta": 0.95}, "--delta"),
        ({"confirm": 5}, "--confirm"),
        ({"budget": -1.0}, "--budget"),
        ({"budget": float("nan")}, "--budget"),
        ({"sample": 5}, "--sample"),
        ({"yuan_per_point": 0.0}, "--yuan-per-point"),
    ],
)
def test_settings_that_no_search_can_have(changed: dict[str, Any], option: str) -> None:
    plain: dict[str, Any] = {"probability": 0.9, "delta": 0.02, "budget": None, "sample": 100, "confirm": 1000}
    with pytest.raises(InputErrors, match=option):
        check_seek(**{**plain, **changed})
    check_seek(**plain)


def test_margins_do_not_depend_on_how_they_are_asked_for(plan: Planned) -> None:
    levers = [x for x in levers_of(plan.scenario, 4)[0] if x.lever_id in ("silk_road_openings", "overseas_set_up_time")]
    (asked,) = _asked(plan, ["silk_road_colleges"], levers)
    small = Asked(asked.target, asked.row, replace(asked.process, batch=7))
    point = (0, len(levers[1].levels) - 1)
    with Simulated([asked], levers, 7, (20,), (8,), {}) as one, Simulated([small], levers, 7, (20,), (8,), {}) as other:
        whole = one.margins([point], 0, 0, 20)[0]
        parts = [other.margins([point], 0, first, count)[0] for first, count in ((0, 5), (5, 9), (14, 6))]
    assert whole.tolist() == np.concatenate(parts).tolist()


def test_files_are_whole_and_equal_for_any_number_of_workers(
    plan: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traced: Any
) -> None:
    monkeypatch.setattr(seek_files, "planned", lambda source, sets, **_: plan)
    folders = []
    for workers in (1, 2):
        folder, sought = seek_files.write_seek("baseline", tmp_path / str(workers), **SMALL, workers=workers)
        folders.append(folder)
    one, two = ({p.relative_to(f): p.read_bytes() for p in sorted(f.rglob("*")) if p.is_file()} for f in folders)
    assert one == two
    assert sought.verdict == "refuted"
    assert not list(tmp_path.rglob("*.resume"))
    names = {str(p) for p in one}
    assert {"seek.xlsx", "summary.zh.txt", "summary.en.txt", "manifest.json", "figures/frontier.png"} <= names
    assert json.loads(one[Path("manifest.json")])["verdict"] == "refuted"
    told = traced(folders[0])
    assert {e["registry"] for e in told["seek_proposal"]["inputs"]} == {"levers"}
    proposal = pd.read_csv(folders[0] / "tables" / "seek_proposal.csv")
    assert set(proposal["lever_id"]) == {"silk_road_openings", "overseas_set_up_time"}
    assert proposal["cost"].sum() == pytest.approx(30 * 7.1 + 19.2)
    tests = pd.read_csv(folders[0] / "tables" / "seek_tests.csv")
    assert tests["test"].is_unique
    draws = pd.read_csv(folders[0] / "tables" / "seek_draws.csv")
    fresh = draws[draws["used_for"] == "fresh"]
    assert fresh["first_replication"].min() > draws[draws["used_for"] == "sample"]["last_replication"].max()
    for lang in ("zh", "en"):
        said = one[Path(f"summary.{lang}.txt")].decode()
        assert "Silk Road" in said if lang == "en" else "丝路学院每年开办: 由 4.9 改为 12 所/年(2026-01-01 起)" in said
        assert ("2026-10" if lang == "en" else "2026-10 之后才开始的多半赶不上 2027-12-31") in said
        assert ("the deciding figure is" if lang == "en" else "判定数值平均") in said


def test_an_interrupted_search_ends_with_the_same_bytes(
    plan: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seek_files, "planned", lambda source, sets, **_: plan)

    def stop(made: int) -> None:
        if made >= 400:
            raise KeyboardInterrupt

    whole, sought = seek_files.write_seek("baseline", tmp_path / "whole", **SMALL)
    with pytest.raises(KeyboardInterrupt):
        seek_files.write_seek("baseline", tmp_path / "again", **SMALL, progress=stop)
    assert not list(tmp_path.glob("again/**/manifest.json")), "nothing is written before all is there"
    made: list[int] = []
    replicate = ensemble.replicate

    def counted(experiment: Any, task: Any) -> Any:
        made.append(task.count)
        return replicate(experiment, task)

    monkeypatch.setattr(ensemble, "replicate", counted)
    again, _ = seek_files.write_seek("baseline", tmp_path / "again", **SMALL)
    one, two = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in (whole, again))
    assert one == two
    assert 0 < sum(made) <= sum(sought.replications.values()) - 400, "what was finished is not made again"
