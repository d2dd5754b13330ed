"""The command ``explore`` on the real programmes: killed and started again, and on a cluster, to the same bytes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from zjsim.cli import main
from zjsim.decide.explore_files import write_exploration
from zjsim.runfolder import output_hashes

PROGRAM = Path(__file__).with_name("killed_explore.py")
ASKED = [
    "explore", "baseline", "--levers", "--target", "silk_road_colleges", "--points", "4", "--replications", "2",
    "--workers", "1",
]  # fmt: skip
TASKS = (30 + 2 + 2) * 4
"""(uncertain inputs + levers + 2) · points."""


def command(begun: Path, out: Path) -> list[str]:
    return [sys.executable, str(PROGRAM), str(begun), *ASKED, "--out", str(out)]


def folder_of(out: Path) -> Path:
    return next((out / "baseline").glob("*/manifest.json")).parent


def test_an_exploration_that_was_killed_ends_with_the_same_bytes(tmp_path: Path, traced: Any) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(tmp_path / "once", whole), check=True, capture_output=True)
    kills = 0
    for wanted in (20, 60):
        begun = tmp_path / f"begun{wanted}"
        child = subprocess.Popen(command(begun, killed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while child.poll() is None and (not begun.exists() or len(begun.read_text().splitlines()) < wanted):
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        kills += child.wait() == -signal.SIGKILL
    assert kills == 2
    assert not list((killed / "baseline").glob("*/manifest.json")), "nothing is written before all is there"
    subprocess.run(command(tmp_path / "last", killed), check=True, capture_output=True)
    assert output_hashes(folder_of(whole)) == output_hashes(folder_of(killed))
    count = {n: len((tmp_path / n).read_text().splitlines()) for n in ("once", "begun20", "begun60", "last")}
    assert count["once"] == TASKS
    assert count["last"] <= TASKS - count["begun20"] - count["begun60"] + 2, "what was finished is not made again"
    assert not list((killed / "baseline").glob(".*resume")), "nothing is left behind"
    said = traced(folder_of(whole))
    assert {e["registry"] for e in said["sensitivity"]["inputs"]} > {"targets"}, "and the input that matters"


def test_an_address_without_a_cluster_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for asked in (["explore", "baseline"], ["backtest", "baseline"], ["rank", "a", "b", "--target=t", "--delta=1"]):
        with pytest.raises(SystemExit) as done:
            main([*asked, "--cluster", "tcp://127.0.0.1:9", "--lang", "en"])
        assert done.value.code == 2
        assert "No Dask scheduler answers" in capsys.readouterr().err


def test_a_cluster_gives_the_tables_of_local_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import LocalCluster
    from zjsim.models.processes import processes_of

    from zjsim.decide import explore, explore_files
    from zjsim.decide.planned import Planned
    from zjsim.scenario import load

    scenario = load("baseline")
    monkeypatch.setattr(
        explore, "processes_of", lambda s, plan: [p for p in processes_of(s, plan) if p.name == "programmes"]
    )
    monkeypatch.setattr(explore_files, "planned", lambda source, sets, **_: Planned("baseline", scenario, {}, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None)
    try:
        found = []
        for name, address in (("local", ""), ("dask", cluster.scheduler_address)):
            folder, _ = write_exploration(
                ["baseline"], tmp_path / name, targets=["silk_road_colleges"], points=2, levers=True, cluster=address
            )
            found.append(output_hashes(folder))
    finally:
        cluster.close()
    assert found[0] == found[1]
