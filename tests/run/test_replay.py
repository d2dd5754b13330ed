"""A replay says whether every byte is the same, and else where it differs and why."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import zjsim.replaying
import zjsim.scenario
from zjsim.archive import ArchiveError
from zjsim.replayable import UNPROVEN, standings, stopped_by_clock
from zjsim.replaying import compare, replay
from zjsim.runfolder import json_bytes, output_hashes
from zjsim.tables.errors import InputErrors, finding

TABLE = "county_code,n\n330102,1\n330110,2.5\n"
SOLVES: dict[str, Any] = {"seats": {"status": "optimal", "gap": 0.0, "stages": [{"gap": 0.0}]}}


def _run(folder: Path, table: str = TABLE, **more: Any) -> dict[str, Any]:
    """A small run folder with its manifest."""
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "t.csv").write_text(table, "utf-8")
    (folder / "plan.xlsx").write_bytes(table.encode())
    manifest = {
        "scenario": "toy", "sets": [], "seed": 1, "replications": 2, "lang": "zh", "zjsim": "1", "python": "3.11.0",
        "libraries": {"numpy": "2"}, "inputs": {"toy/registries/counties.csv": "ab"}, "solves": SOLVES,
        "parameters": {"solver": {"relative_gap": 0.0}}, "outputs": output_hashes(folder), **more,
    }  # fmt: skip
    (folder / "manifest.json").write_bytes(json_bytes(manifest))
    return manifest


@pytest.fixture
def again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Replays ``tmp_path/run`` against a second run with the table and manifest entries given."""
    hashes = {"toy/registries/counties.csv": "ab"}

    def play(table: str = TABLE, found: dict[str, str] | None = None, **more: Any) -> Any:
        def second(loaded: Any, **options: Any) -> Any:
            folder = Path(options["out"]) / "second"
            assert (options["seed"], options["replications"], options["lang"]) == (1, 2, "zh")
            return SimpleNamespace(folder=folder, manifest=_run(folder, table, **more))

        loaded = SimpleNamespace(file_hashes=hashes if found is None else found)
        monkeypatch.setattr(zjsim.scenario, "load", lambda name, sets: loaded)
        monkeypatch.setattr(import_module("zjsim.run"), "run", second)
        return replay(tmp_path / "run")

    return play


def test_equal_bytes_are_equal(tmp_path: Path, again: Callable[..., Any]) -> None:
    _run(tmp_path / "run")
    done = again()
    assert (done.files, done.differences, done.reasons) == (2, (), ())
    assert done.lines("zh") == ["重新运行的 2 个文件与原结果逐字节相同。"]


def test_what_differs_is_told_cell_by_cell_and_why(tmp_path: Path, again: Callable[..., Any]) -> None:
    _run(tmp_path / "run")
    done = again(TABLE.replace("2.5", "2"), libraries={"numpy": "3"})
    assert [(d.file, d.kind) for d in done.differences] == [("plan.xlsx", "changed"), ("tables/t.csv", "changed")]
    lines = done.lines("en")
    assert "2 differences in 2 files" in lines[0]
    assert (
        lines[2] == "  tables/t.csv: 1 cells differ (rows 2 → 2, largest relative difference 0.2), such as 3:n 2.5 → 2"
    )
    assert lines[3] == "Why: other software (numpy 2 → 3)."
    assert again(TABLE + "331102,1\n").lines("zh")[-1].startswith("原因不明")


def test_a_clock_is_named_as_the_reason(tmp_path: Path, again: Callable[..., Any]) -> None:
    late = {"seats": {"status": "feasible", "gap": 0.02, "stages": [{"gap": 0.02}]}}
    _run(tmp_path / "run", solves=late)
    lines = again(TABLE.replace("2.5", "2")).lines("en")
    assert "the clock stopped a solve of the seat plan" in lines[-1]
    assert "cannot be repeated for certain" in again().lines("en")[-1], "said too where it came out the same"


def test_changed_inputs_are_taken_from_the_run_or_refused(
    tmp_path: Path, again: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(tmp_path / "run")

    @contextmanager
    def kept(folder: Path, manifest: Any) -> Any:
        yield folder

    monkeypatch.setattr(zjsim.replaying, "archived_folder", kept)
    done = again(found={"toy/registries/counties.csv": "cd"})
    assert done.reasons == (("archived", {"names": "toy/registries/counties.csv"}),)
    assert "counties.csv" in done.lines("zh")[-1]

    def missing(folder: Path, manifest: Any) -> Any:
        raise ArchiveError("inputs.zip")

    monkeypatch.setattr(zjsim.replaying, "archived_folder", missing)
    with pytest.raises(InputErrors, match="counties"):
        again(found={})


def test_a_scenario_that_is_gone_is_taken_from_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _run(tmp_path / "run")

    def load(name: Any, sets: Any) -> Any:
        raise InputErrors([finding("run", "toy", theme="scenario.trace.rule")])

    monkeypatch.setattr(zjsim.scenario, "load", load)
    with pytest.raises(InputErrors, match="toy"):
        replay(tmp_path / "run")
    with pytest.raises(InputErrors):
        replay(tmp_path)


def test_what_was_altered_since_is_told_cell_by_cell_and_is_no_difference_of_the_replay(
    tmp_path: Path, again: Callable[..., Any]
) -> None:
    _run(tmp_path / "run")
    (tmp_path / "run" / "tables" / "t.csv").write_text(TABLE.replace("2.5", "9"), "utf-8")
    (tmp_path / "run" / "plan.xlsx").unlink()
    done = again()
    assert [(d.file, d.kind) for d in done.differences] == [("plan.xlsx", "gone"), ("tables/t.csv", "touched")]
    lines = done.lines("en")
    assert lines[0].startswith("Run again: all 2 files are those of the manifest, but 2 files")
    assert "altered since the run" in lines[2]
    assert "3:n 2.5 → 9" in lines[2]
    assert len(lines) == 3, "no reason is wanted: it came out the same"


def test_parts_of_a_workbook_and_lines_of_a_page_are_named(tmp_path: Path) -> None:
    for name, sheet in (("a", b"1"), ("b", b"2")):
        (tmp_path / name).mkdir()
        with zipfile.ZipFile(tmp_path / name / "plan.xlsx", "w") as book:
            book.writestr("xl/worksheets/sheet7.xml", sheet)
            book.writestr("xl/styles.xml", b"same")
        (tmp_path / name / "report.html").write_bytes(b"one\n" + sheet)
        (tmp_path / name / "x.png").write_bytes(sheet)
    manifest = {"outputs": output_hashes(tmp_path / "a")}
    said = [d.sentence("en") for d in compare(tmp_path / "a", manifest, tmp_path / "b")]
    assert said == [
        "plan.xlsx: differs, in xl/worksheets/sheet7.xml",
        "report.html: differs from line 2 on",
        "x.png: differs",
    ]


def test_other_software_with_equal_bytes_is_a_note(tmp_path: Path, again: Callable[..., Any]) -> None:
    _run(tmp_path / "run")
    lines = again(python="3.13.0").lines("en")
    assert lines == [
        "Run again: all 2 files are equal byte by byte.",
        "Note: other software (Python 3.11.0 → 3.13.0), and yet the same results.",
    ]


def test_results_of_another_kind_are_refused_in_words(tmp_path: Path) -> None:
    for kind in ("comparison", "exploration", "hedge"):
        _run(tmp_path / kind, kind=kind)
        with pytest.raises(InputErrors, match=kind):
            replay(tmp_path / kind)


def test_a_file_touched_since_is_told(tmp_path: Path) -> None:
    manifest = _run(tmp_path / "run")
    _run(tmp_path / "other")
    (tmp_path / "run" / "plan.xlsx").write_bytes(b"x")
    (tmp_path / "other" / "new.csv").write_text("a\n")
    (tmp_path / "other" / "tables" / "t.csv").unlink()
    found = {(d.file, d.kind) for d in compare(tmp_path / "run", manifest, tmp_path / "other")}
    assert found == {("plan.xlsx", "touched"), ("new.csv", "added"), ("tables/t.csv", "missing")}
    assert json.loads((tmp_path / "run" / "manifest.json").read_text("utf-8")) == manifest


@pytest.mark.parametrize(
    ("problem", "gap", "parameters", "clock"),
    [
        ("assignment", 0.0, {}, False),
        ("assignment", 0.001, {}, True),
        ("assignment", 0.001, {"solver": {"relative_gap": 0.002}}, False),
        ("locations", 0.0019, {"locations": {"platform_relative_gap": 0.002}}, False),
        ("locations", 0.0021, {"locations": {"platform_relative_gap": 0.002}}, True),
        ("seats", 0.0021, {"locations": {"platform_relative_gap": 0.01}}, True),
        ("seats", None, {}, True),
    ],
)
def test_only_a_gap_wider_than_allowed_is_a_clock(
    problem: str, gap: float | None, parameters: dict[str, Any], clock: bool
) -> None:
    solves = {problem: {"status": "feasible", "gap": gap, "stages": [{"gap": 0.0}, {"gap": gap}]}}
    assert stopped_by_clock(parameters, solves) == ([problem] if clock else [])


def test_a_gap_that_the_clock_did_not_leave_is_no_clock() -> None:
    def solves(*marks: bool | None) -> dict[str, Any]:
        stages = [{"gap": 0.02} if m is None else {"gap": 0.02, "by_clock": m} for m in marks]
        return {"seats": {"status": "feasible", "gap": 0.07, "stages": [{"gap": 0.0}, *stages]}}

    assert stopped_by_clock({}, solves(False, False)) == [], "whole numbers or a limit by nodes left it"
    assert stopped_by_clock({}, solves(False, True)) == ["seats"]
    assert stopped_by_clock({}, solves(False, None)) == ["seats"], "nobody knows why: no promise"
    allowed = {"seats": {"county_relative_gap": 0.1}}
    assert stopped_by_clock(allowed, solves(None)) == []
    assert stopped_by_clock(allowed, solves(True)) == ["seats"], "stopped before the gap that was allowed"


def test_a_choice_left_open_is_a_clock() -> None:
    solves = {"assignment": {"status": "optimal", "gap": 0.0, "stages": []}}
    assert stopped_by_clock({}, solves, {"firm", "out"}) == []
    assert stopped_by_clock({}, solves, {"firm", "unproven"}) == ["assignment"]
    assert stopped_by_clock({"solver": {"relative_gap": 0.01}}, solves, {"unproven"}) == [], "a gap is no clock"


def test_an_alternative_or_price_that_was_not_proven_is_a_clock() -> None:
    for name in ("assignment_alternatives", "assignment_prices"):
        for said, wanted in ((False, {UNPROVEN}), (True, {"True"}), ("no", {UNPROVEN}), ("yes", {"yes"})):
            assert standings({name: pd.DataFrame({"proven": [said]})}) == wanted
    assert standings({"assignment_explanations": pd.DataFrame({"class_0": ["firm"], "class_5": ["unproven"]})}) == {
        "firm", UNPROVEN,
    }  # fmt: skip
