"""Back-tests of toy processes: honest forecasts are found honest, others are not; advice and history are scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from zjsim.models.processes import Process

from zjsim.cli import main
from zjsim.decide import backtest as room
from zjsim.decide import backtest_files
from zjsim.decide.backtest import Asked, asked, backtest
from zjsim.decide.backtest_files import read_history, write_backtest
from zjsim.decide.planned import Planned
from zjsim.engine import Engine
from zjsim.runfolder import MANIFEST, output_hashes
from zjsim.scenario import Scenario, load
from zjsim.scenario.checks import check_scenario
from zjsim.simulate.inputs import UncertainInput
from zjsim.tables.errors import InputErrors
from zjsim.tables.writer import write_csv

PACE = UncertainInput("PACE", 1.0, 6.0, 11.0, "uniform", "colleges", "assumption", "每年开办", "begun a year")
YEARS = (2025, 2026, 2027)
OUTCOMES = {"silk_road_operating": ("level", "colleges"), "platforms_opened": ("flow", "platforms")}
BONUS = (("plain", 2.0), ("better", 9.0))
TARGETS = ("silk_road_colleges", "joint_platforms")


def opened(bonus: float, values: Any, streams: Any) -> dict[str, np.ndarray]:
    """Colleges and platforms by year: a pace, a plan's bonus, noise of every year."""
    noise = streams.generator("toy", "x", 0).normal(0, 2.0, (2, 3))
    colleges = 39 + np.cumsum(values["PACE"] + bonus / 3 + noise[0])
    return {"silk_road_operating": colleges, "platforms_opened": 60 + bonus + 3 * values["PACE"] + 4 * noise[1]}


def toys(scenario: Any, plan: Any) -> list[Process]:
    return [
        Process("programmes", float(plan["bonus"]["bonus"].iloc[0]) if plan else 0.0, YEARS, (PACE,), opened, OUTCOMES)
    ]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load("baseline")


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch, scenario: Scenario) -> list[Planned]:
    monkeypatch.setattr(room, "processes_of", toys)
    return [Planned(name, scenario, {"bonus": pd.DataFrame({"bonus": [b]})}, 1) for name, b in BONUS]


def ask(plans: list[Planned], **more: Any) -> Asked:
    return asked(plans, **{"targets": TARGETS, "truths": 150, "replications": 100, **more})


def test_an_honest_forecast_covers_its_nominal_share(plans: list[Planned]) -> None:
    """Truths of the simulation itself, inputs over their ranges: that is exact, modes are too narrow."""
    tables, _ = backtest(ask(plans, world="own"), engine=Engine())
    summary = tables["backtest_summary"].set_index(["law", "scope"])
    for scope, cases in (("target_figures", 300), ("yearly_outcomes", 900)):
        row = summary.loc[("ranges", scope)]
        assert row["cases"] == cases
        assert row["share_inside_by_lot"] == pytest.approx(0.9, abs=3 * (0.09 / 150) ** 0.5)
        assert row["calibration"] == "holds"
    assert summary.loc[("modes", "target_figures"), "calibration"] == "narrow"
    row = summary.loc[("ranges", "target_figures")]
    assert row["reliability_score"] < 0.01
    parts = row["reliability_score"] - row["resolution_score"] + row["uncertainty_score"] + row["within_score"]
    assert parts == pytest.approx(row["brier_score"])


def test_another_world_is_noticed(plans: list[Planned]) -> None:
    tables, _ = backtest(ask(plans), engine=Engine())
    summary = tables["backtest_summary"].set_index(["law", "scope"])
    assert (summary["calibration"] == "narrow").all()
    honest, _ = backtest(ask(plans, world="own"), engine=Engine())
    there, here = (t["backtest_targets"].set_index(["law", "target_id"])["crps"] for t in (tables, honest))
    assert (there > here).all(), "every target is forecast worse there"


def test_scores_of_a_target_are_those_of_its_cases(plans: list[Planned]) -> None:
    """Without inputs that vary and noise the scores are plain differences: a history three colleges short."""
    rows = [("silk_road_operating", "330000", f"{y}-Q4", v) for y, v in zip(YEARS, (46.0, 50.0, 60.0), strict=True)]
    history = pd.DataFrame(rows, columns=["outcome", "area_code", "quarter", "value"]).assign(basis="press")
    tables, came = backtest(ask(plans, targets=["silk_road_colleges"]), history=history, engine=Engine())
    table = tables["backtest_outcomes"].set_index(["law", "year"])
    assert table["mean_truth"].loc["modes"].tolist() == [46, 50, 60]
    assert table.loc[("modes", 2027), "bias"] == pytest.approx(39 + 18 + 2 - 60, abs=1.5)
    judged = tables["backtest_targets"].set_index("law").loc["modes"]
    assert (judged["truths"], judged["share_met"]) == (1, 0)
    assert judged["brier_score"] == pytest.approx(judged["p_forecast"] ** 2)
    assert tables["backtest_advice"].empty
    assert len(came) == 1


def test_advice_is_right_where_the_better_plan_is_better(plans: list[Planned]) -> None:
    tables, _ = backtest(ask(plans, truths=40), engine=Engine())
    advice = tables["backtest_advice"].set_index(["law", "target_id"])
    row = advice.loc[("ranges", "joint_platforms")]
    assert row["advised"] == "better"
    assert row["advised_gain"] == pytest.approx(27)
    assert row["share_right"] == 1, "a plan that brings more brings more in every truth"
    assert row["regret_max"] == 0
    assert 0.3 * 27 * 0.8 < row["gain_truth"] < 27
    worse = backtest(ask([plans[0]], truths=40), engine=Engine())[0]["backtest_advice"]
    assert set(worse["advised"]) == {"plain"}


def test_truths_are_whole_registries_of_actuals(plans: list[Planned], scenario: Scenario, tmp_path: Path) -> None:
    """Every rule of the registry holds, and a file of them is a history that can be scored."""
    _, came = backtest(ask(plans, truths=10), engine=Engine())
    for rows in came:
        tables = {**scenario.tables, "actuals": rows}
        lines = {**scenario.lines, "actuals": np.arange(2, len(rows) + 2)}
        found = check_scenario(tables, lines, {"actuals": "ours.csv"}, scenario.parameters)
        assert not [f for f in found if f.file == "ours.csv" and f.severity == "error"]
    write_csv(came[0], tmp_path / "actuals.csv")
    pd.testing.assert_frame_equal(read_history(scenario, 2024, tmp_path / "actuals.csv"), came[0], check_dtype=False)


def test_a_broken_history_is_told_by_line(scenario: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "actuals.csv"
    head = "outcome,area_code,quarter,value,source_id,basis\n"
    path.write_text(head + "silk_road_operating,330000,2025-Q4,46.5,method_back_test,synthetic\n", "utf-8")
    with pytest.raises(InputErrors, match=r"actuals\.csv line 2"):
        read_history(scenario, 2024, path)
    path.write_text(head + "silk_road_operating,330000,2025-Q4,46,method_back_test,synthetic\n", "utf-8")
    with pytest.raises(InputErrors, match="training_person_times_all"):
        read_history(scenario, 2025, path)


def test_what_cannot_be_asked_is_told(plans: list[Planned]) -> None:
    with pytest.raises(InputErrors, match=r"2024.*2026"):
        asked(plans, year=2027)
    with pytest.raises(InputErrors, match="silk_road_colleges"):
        asked(plans, targets=["silk_road_college"])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command_writes_the_scorecard(
    plans: list[Planned],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    lang: str,
    capsys: pytest.CaptureFixture[str],
    traced: Any,
) -> None:
    monkeypatch.setattr(backtest_files, "planned", lambda source, sets, **_: plans[source == "better"])
    more = [f"--target={t}" for t in TARGETS]
    told = ["--truths", "30", "--replications", "20", "--workers", "1", "--out", str(tmp_path / "out"), "--lang", lang]
    with pytest.raises(SystemExit) as done:
        main(["backtest", "plain", "better", *more, *told])
    assert done.value.code == 0
    said = capsys.readouterr().out
    assert ("不是统计数" if lang == "zh" else "no statistics") in said
    folder = next((tmp_path / "out" / "baseline").glob("*/manifest.json")).parent
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    assert manifest["outputs"] == output_hashes(folder)
    assert len(list((folder / "truths").glob("*.csv"))) == 30
    traced(folder)
    assert (folder / "figures" / "scorecard.svg").is_file()
    book = openpyxl.load_workbook(folder / "scorecard.xlsx")
    assert len(book.sheetnames) == 6
    for sheet in book.worksheets[1:]:
        heads = [c.value for c in sheet[1]]
        assert not [h for h in heads if "_" in h], "every column has a title"
    sources: list[str | Path] = ["plain", "better"]
    again = write_backtest(
        sources,
        tmp_path / "again",
        targets=TARGETS,
        truths=30,
        replications=20,
        workers=1,
        lang=lang,  # type: ignore[arg-type]
    )
    assert output_hashes(again.folder) == manifest["outputs"]
