"""``zjsim place``: from a scenario with synthetic schools to audited tables."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from zjsim.cli import main
from zjsim.placing import place_scenario
from zjsim.synthesize import synthesize
from zjsim.trace import read_table

COUNTY = "330922"


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("placing") / "island"
    synthesize("baseline", folder, counties=[COUNTY])
    return folder


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return int(stopped.value.code or 0)


def test_a_county_is_placed_audited_and_written(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("place", str(scenario), "--county", COUNTY, "--out", str(tmp_path / "a"), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["findings"] == []
    groups = pd.read_csv(tmp_path / "a" / "counties" / COUNTY / "placement_groups.csv", dtype={"county_code": str})
    assert set(groups["mode"]) == {"priority", "utilitarian"}
    assert groups["children"].sum() == 2 * said["children"] > 0
    assert groups["zh"].str.contains("演示").all()
    assert groups["en"].str.contains("demonstration").all()
    shown = sorted(f.name for f in (tmp_path / "a" / "publication").iterdir())
    assert "placement.csv" in shown
    assert "placement_groups.csv" not in shown
    assert not (tmp_path / "a" / "internal" / "placement_groups.csv").exists()
    assert not (tmp_path / "a.part").exists()
    counts = pd.read_csv(tmp_path / "a" / "publication" / "placement.csv")["children"].dropna()
    assert (counts >= 10).all()


def test_one_mode_and_what_is_not_there(scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ("--out", str(tmp_path / "b"), "--lang", "en")
    assert run("place", str(scenario), "--mode", "priority", *out) == 0
    assert "by goals –" in capsys.readouterr().out
    prices = pd.read_csv(tmp_path / "b" / "internal" / "placement_prices.csv")
    assert "utilitarian" not in prices.columns
    assert run("place", str(scenario), "--county", "330999", *out) == 2
    assert run("place", "baseline", *out) == 2
    assert run("place", str(scenario), "--mode", "best", *out) == 2


def test_two_workers_write_the_same_bytes_and_a_row_of_a_county_can_be_traced(scenario: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        place_scenario(scenario, tmp_path / str(workers) / "same", workers=workers)
    one, two = (tmp_path / str(n) / "same" for n in (1, 2))
    files = sorted(f.relative_to(one) for f in one.rglob("*.csv"))
    assert Path("counties", COUNTY, "placement_groups.csv") in files
    assert files == sorted(f.relative_to(two) for f in two.rglob("*.csv"))
    assert all((one / f).read_bytes() == (two / f).read_bytes() for f in files)
    assert {row["county_code"] for row in read_table(one, "placement_groups")} == {COUNTY}
