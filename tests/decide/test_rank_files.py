"""A ranking of real programmes: whole or not at all, the same bytes after an interruption, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from zjsim.models.processes import processes_of

from zjsim.decide import rank as room
from zjsim.decide import rank_files
from zjsim.decide.planned import Planned
from zjsim.runfolder import output_hashes
from zjsim.scenario import load
from zjsim.simulate import ensemble
from zjsim.tables.errors import InputErrors

ASKED: dict[str, Any] = {"measure": "figure", "confidence": 0.95, "most": 60}


@pytest.fixture(autouse=True)
def two_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    scenarios = {name: load(name) for name in ("baseline", "silk_road_doubled")}
    monkeypatch.setattr(rank_files, "planned", lambda source, **_: Planned(str(source), scenarios[str(source)], {}, 1))
    only = ("programmes",)
    monkeypatch.setattr(room, "processes_of", lambda s, plan: [p for p in processes_of(s, plan) if p.name in only])


def test_an_interrupted_ranking_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traced: Any
) -> None:
    sources = ["baseline", "silk_road_doubled"]

    def stop(done: int, most: int) -> None:
        raise KeyboardInterrupt

    whole, table, _ = rank_files.write_ranking(sources, tmp_path / "whole", "silk_road_colleges", delta=0.2, **ASKED)
    with pytest.raises(KeyboardInterrupt):
        rank_files.write_ranking(sources, tmp_path / "again", "silk_road_colleges", delta=0.2, progress=stop, **ASKED)
    assert not list(tmp_path.glob("again/**/manifest.json"))
    made = []
    replicate = ensemble.replicate
    monkeypatch.setattr(ensemble, "replicate", lambda e, task: made.append(task.first) or replicate(e, task))
    again, _, _ = rank_files.write_ranking(sources, tmp_path / "again", "silk_road_colleges", delta=0.2, **ASKED)
    assert output_hashes(whole) == output_hashes(again)
    assert 0 not in made, "what was finished is not made again"
    assert not list(tmp_path.rglob("*.resume"))
    assert table["plan"].iloc[0] == "silk_road_doubled"
    said = (whole / "summary.zh.txt").read_text("utf-8")
    assert "0.2 所" in said
    assert "95%" in said
    row = table.iloc[1]
    assert row["behind_low"] < row["behind"] < row["behind_high"]
    assert row["behind"] == pytest.approx(table["mean"].iloc[0] - row["mean"], abs=0.5)
    assert table.loc[0, ["behind", "behind_low", "behind_high"]].tolist() == [0, 0, 0]
    book = openpyxl.load_workbook(whole / "ranking.xlsx")
    assert not [c.value for c in book.worksheets[1][1] if "_" in str(c.value)], "every column has a title"
    assert (whole / "figures" / "ranking.svg").is_file()
    traced(whole)


def test_ranked_by_probability_the_difference_is_in_points(tmp_path: Path) -> None:
    asked = {**ASKED, "measure": "probability"}
    folder, _, _ = rank_files.write_ranking(
        ["baseline", "silk_road_doubled"], tmp_path, "silk_road_colleges", delta=0.05, **asked
    )
    assert "5 percentage points" in (folder / "summary.en.txt").read_text("utf-8")
    assert "5 个百分点" in (folder / "summary.zh.txt").read_text("utf-8")


def test_the_same_plan_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputErrors, match="given twice"):
        rank_files.write_ranking(["baseline", "baseline"], tmp_path, "silk_road_colleges", delta=0.05, **ASKED)
    assert not list(tmp_path.iterdir())
