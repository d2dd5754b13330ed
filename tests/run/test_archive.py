"""The inputs kept in a run folder: read back whole, refused when they are not those of the manifest."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zjsim.archive import INPUTS, ArchiveError, archived_folder, archived_scenario, pack_inputs
from zjsim.run import input_hashes
from zjsim.scenario import load
from zjsim.scenario.diff import diff
from zjsim.scenario.folders import builtin_home
from zjsim.tables.errors import InputErrors

SETS = ("simulation.replications=7",)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    scenario = load("silk_road_kept", sets=SETS)
    folder = tmp_path_factory.mktemp("run")
    (folder / INPUTS).parent.mkdir(parents=True, exist_ok=True)
    (folder / INPUTS).write_bytes(pack_inputs(scenario))
    return folder, {"scenario": scenario.name, "sets": list(scenario.sets), "inputs": input_hashes(scenario)}


def test_the_scenario_is_read_back_without_a_difference(kept: tuple[Path, dict[str, Any]]) -> None:
    again = archived_scenario(*kept)
    assert diff(load("silk_road_kept", sets=SETS), again) == []
    assert again.sets == SETS
    assert again.base == "baseline"
    assert input_hashes(again) == kept[1]["inputs"]


def test_equal_inputs_are_equal_bytes(kept: tuple[Path, dict[str, Any]]) -> None:
    assert pack_inputs(load("silk_road_kept", sets=SETS)) == (kept[0] / INPUTS).read_bytes()


def _add(path: Path, name: str, data: bytes) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, data)


def _without_a_file(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = [(i, archive.read(i)) for i in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in entries[1:]:
            archive.writestr(entry, data)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.unlink(), INPUTS),
        (lambda p: p.write_bytes(b"not a zip"), INPUTS),
        (lambda p: _add(p, "../outside.csv", b"x"), "../outside.csv"),
        (lambda p: _add(p, "baseline/registries/unheard_of.csv", b"x"), "baseline/registries/unheard_of.csv"),
        (_without_a_file, "baseline/registries/actuals.csv"),
    ],
)
def test_an_archive_that_is_not_the_manifests_is_refused(
    kept: tuple[Path, dict[str, Any]], tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    (tmp_path / INPUTS).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / INPUTS).write_bytes((kept[0] / INPUTS).read_bytes())
    change(tmp_path / INPUTS)
    with pytest.raises(ArchiveError, match=said.replace(".", r"\.")), archived_folder(tmp_path, kept[1]):
        raise AssertionError("nothing may be handed out")


def test_a_changed_file_is_refused(kept: tuple[Path, dict[str, Any]]) -> None:
    folder, manifest = kept
    hashes = {**manifest["inputs"], "baseline/registries/counties.csv": "0" * 64}
    with pytest.raises(ArchiveError, match="counties"), archived_folder(folder, {**manifest, "inputs": hashes}):
        raise AssertionError("nothing may be handed out")


def test_a_file_changed_since_it_was_read_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    settings = (builtin_home() / "silk_road_kept" / "scenario.toml").read_text("utf-8")
    (tmp_path / "mine" / "scenario.toml").write_text(settings, "utf-8")
    scenario = load(tmp_path / "mine")
    (tmp_path / "mine" / "scenario.toml").write_text("# another hand")
    with pytest.raises(InputErrors, match=r"mine/scenario\.toml"):
        pack_inputs(scenario)
