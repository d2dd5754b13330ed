"""Progress reports: real registries, the fast processes only; files, errors, resuming, and what the lights may say."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from math import inf, isnan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models import processes, tracking_estimates, tracking_paths
from zjsim.models.past import past

from zjsim.decide import track as room
from zjsim.decide import track_areas, track_files, track_targets
from zjsim.decide.track_files import Tracked, estimate_sets, with_shares, write_tracking
from zjsim.decide.track_since import Before
from zjsim.decide.track_targets import signal
from zjsim.report.tracking_book import screen
from zjsim.report.words import column_title
from zjsim.scenario import load
from zjsim.scenario.with_actuals import load_with_actuals
from zjsim.tables.errors import InputErrors
from zjsim.texts import LANGUAGES

SETS = ("simulation.design_points=2", "simulation.single_input_points=false")
MID_COURSE = Path(load("mid_course").files["actuals"].path)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programmes and seats only, and no plan: a report takes a second."""

    def some(scenario: Any, plan: Any) -> list[Any]:
        return [p for p in processes.processes_of(scenario, plan) if p.name in ("programmes", "seats")]

    monkeypatch.setattr(room, "processes_of", some)
    monkeypatch.setattr(track_files, "_plan", lambda *_: {})


def report(out: Path, **options: Any) -> Tracked:
    given = {"replications": 4, "sets": SETS, "lang": "en", **options}
    return write_tracking(given.pop("source", "mid_course"), out, **given)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_lights_of_targets_tasks_and_bodies(tmp_path: Path) -> None:
    made = report(tmp_path)
    targets = made.tables["track_targets"].set_index(["target_id", "reading"])
    unsimulated = targets[~targets["outcome"].isin(set(made.tables["track_path"]["outcome"]))]
    assert len(unsimulated) > 5
    assert set(unsimulated["light"]) == {"grey"}, "what is not known is never green"
    late = targets.loc[("sibling_rule", "all_2025")]
    assert (late["light"], late["quarters_left"], late["achieved"]) == ("red", 0, 86)
    silk = targets.loc[("silk_road_colleges", "seventy_operating")]
    assert silk["achieved"] == 52
    assert silk["pace_needed"] == pytest.approx(18 / 5)
    assert silk["pace_so_far"] == pytest.approx(13 / 7), "from the public 39"
    tasks, bodies = made.tables["track_tasks"], made.tables["track_bodies"]
    assert len(tasks) == len(load("mid_course").table("tasks"))
    assert set(tasks.loc[tasks["targets"] == 0, "light"]) == {"grey"}
    assert int(bodies["tasks"].sum()) == len(tasks)
    lights = bodies[["red", "amber", "grey", "green"]].sum(axis=1)
    assert (lights == bodies["with_target"]).all()
    for light, own in tasks[tasks["targets"] > 0].groupby("light"):
        assert (own[str(light)] > 0).all(), "a task's light is that of one of its targets"
    said = screen(made.manifest, made.tables, "x", "zh")
    assert "合成" in said
    assert "■ 红" in said


def test_before_the_plan_began_everything_is_grey(tmp_path: Path) -> None:
    made = report(tmp_path, source="baseline")
    assert set(made.tables["track_targets"]["light"]) == {"grey"}
    assert made.tables["track_parameters"].empty


def test_equal_bytes_for_two_workers_and_after_a_kill(tmp_path: Path, traced: Any) -> None:
    one = report(tmp_path / "one")
    two = report(tmp_path / "two", workers=2)
    assert bytes_of(one.folder) == bytes_of(two.folder)
    said = traced(one.folder)
    assert {e["registry"] for e in said["track_tasks"]["inputs"]} == {"tasks"}

    class KilledError(Exception):
        pass

    def kill(step: str, share: float) -> None:
        if step == "simulate" and share > 0.4:
            raise KilledError

    with pytest.raises(KilledError):
        report(tmp_path / "three", progress=kill)
    assert list((tmp_path / "three").rglob("*.task")), "what was finished is kept"
    assert not list((tmp_path / "three").rglob("manifest.json")), "and nothing else"
    told: list[str] = []
    resumed = report(tmp_path / "three", notice=told.append)
    assert len(told) == 1
    assert bytes_of(resumed.folder) == bytes_of(one.folder)
    assert not list((tmp_path / "three").rglob("*.resume"))


def edited(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    table = pd.read_csv(MID_COURSE, dtype=str, keep_default_na=False)
    change(table).to_csv(path, index=False)
    return path


def test_every_fault_of_the_file_at_once_and_nothing_written(tmp_path: Path) -> None:
    def broken(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[3, "value"] = "many"
        table.loc[7, "outcome"] = "silk_road_operatin"
        table.loc[9, "quarter"] = "2025Q3"
        table.loc[12, "area_code"] = "339999"
        return table

    file = edited(tmp_path / "bad.csv", broken)
    with pytest.raises(InputErrors) as caught:
        report(tmp_path / "out", actuals=file, as_of=date(2026, 9, 30))
    found = [f for f in caught.value.findings if f.severity == "error" and f.file == "bad.csv"]
    places = {(f.line, f.column) for f in found}
    assert {(5, "value"), (9, "outcome"), (11, "quarter")} <= places
    assert any(f.fix for f in found), "with a probable value"
    assert not (tmp_path / "out").exists()


def test_a_missing_quarter_and_a_date_within_a_quarter_are_told(tmp_path: Path) -> None:
    file = edited(
        tmp_path / "gap.csv", lambda t: t[~((t["outcome"] == "platforms_opened") & (t["quarter"] == "2026-Q1"))]
    )
    with pytest.raises(InputErrors, match="platforms_opened"):
        report(tmp_path / "out", actuals=file)
    with pytest.raises(InputErrors, match="2026-09-15"):
        report(tmp_path / "out", actuals=MID_COURSE, as_of=date(2026, 9, 15))
    with pytest.raises(InputErrors, match="nowhere"):
        report(tmp_path / "out", actuals=tmp_path / "nowhere.csv")


def test_a_workbook_is_read_as_the_csv_file_is(tmp_path: Path) -> None:
    import xlsxwriter

    table = pd.read_csv(MID_COURSE, dtype=str, keep_default_na=False)
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet("actuals")
        for j, name in enumerate(table.columns):
            for i, value in enumerate([name, *table[name]]):
                sheet.write_string(i, j, value)
    read = load_with_actuals("mid_course", tmp_path / "a.xlsx", None)
    pd.testing.assert_frame_equal(read.table("actuals"), load("mid_course").table("actuals"))
    with xlsxwriter.Workbook(str(tmp_path / "b.xlsx")) as book:
        book.add_worksheet("actual")
    with pytest.raises(InputErrors, match=r"actuals"):
        load_with_actuals("mid_course", tmp_path / "b.xlsx", None)


def test_against_the_report_before(tmp_path: Path) -> None:
    first = report(tmp_path, as_of=date(2026, 6, 30))
    path = first.tables["track_path"].set_index(["outcome", "end"])
    foreseen = path.loc[("platforms_opened", "2026-09-30")]

    def lagging(table: pd.DataFrame) -> pd.DataFrame:
        here = (table["outcome"] == "platforms_opened") & (table["quarter"] == "2026-Q3")
        table.loc[here, "value"] = "0"
        table.loc[(table["outcome"] == "ai_college_opened") & (table["quarter"] == "2025-Q1"), "source_id"] = (
            "method_milestones"
        )
        table.loc[(table["outcome"] == "silk_road_ever_opened") & (table["quarter"] == "2025-Q2"), "value"] = "47"
        return table

    file = edited(tmp_path / "q3.csv", lagging)
    second = report(tmp_path, actuals=file, as_of=date(2026, 9, 30), since=first.folder)
    row = second.tables["track_targets"].set_index(["target_id", "reading"]).loc[("joint_platforms", "new")]
    z = (0 - foreseen["since_mean"]) / foreseen["since_sd"]
    assert row["deviation"] == pytest.approx(z)
    assert row["cusum"] == pytest.approx(max(0.0, -max(z, -4.0) - 0.5))
    assert bool(row["early_warning"])
    assert row["light"] in ("amber", "red")
    changes = second.tables["track_changes"].set_index(["target_id", "reading"]).loc[("joint_platforms", "new")]
    assert changes["p_change"] == pytest.approx(row["p_meet"] - changes["p_before"])
    revised = second.tables["track_revisions"]
    assert revised[["outcome", "quarter", "value", "what"]].to_numpy().tolist() == [
        ["silk_road_ever_opened", "2025-Q2", 47.0, "changed"]
    ]
    with pytest.raises(InputErrors, match="2026-06-30"):
        report(tmp_path, as_of=date(2026, 6, 30), since=first.folder)
    with pytest.raises(InputErrors):
        report(tmp_path, since=tmp_path / "nothing")


def test_the_sum_of_lags_goes_on_from_report_to_report() -> None:
    before = past(load("mid_course"))
    rows = [("platforms_opened", "2026-09-30", "forecast", 20.0, 4.0, 15.0)]
    columns = ["outcome", "end", "status", "since_mean", "since_sd", "since_worst"]
    path = pd.DataFrame(rows, columns=columns)
    since = Before("x", date(2026, 6, 30), path, {}, {"platforms_opened": 1.2}, {})
    seen = before.value("platforms_opened", "2026-Q3")
    told = signal("platforms_opened", "flow", before, since)
    z = (seen - 20) / 4
    assert told["deviation"] == pytest.approx(z)
    assert told["cusum"] == pytest.approx(max(0.0, 1.2 - z - 0.5))
    sure = Before("x", date(2026, 6, 30), path.assign(since_sd=0.0, since_mean=seen + 1), {}, {}, {})
    assert signal("platforms_opened", "flow", before, sure)["deviation"] == -inf
    assert isnan(signal("services_completed", "flow", before, since)["deviation"])
    assert not signal("platforms_opened", "flow", before, None)["early_warning"]


def test_new_values_are_used_only_if_asked(tmp_path: Path) -> None:
    told = report(tmp_path).tables["track_parameters"]
    assert set(told["parameter_id"]) >= {"PP60", "PP62", "GP09"}
    assert not told["used_in_forecast"].any()
    used = report(tmp_path, re_estimate=True)
    assert used.tables["track_parameters"]["used_in_forecast"].all()
    assert any(s.startswith("process_parameters[PP62].mode=") for s in used.manifest["sets"])
    assert estimate_sets(load("mid_course"), told)[0].startswith("programme_parameters[")
    wide = told.assign(estimate=told["prior_high"] + 1)
    assert sum(".high=" in s for s in estimate_sets(load("mid_course"), wide)) == len(told)


def test_cities_and_counties_have_lights_where_there_are_figures_and_shares(tmp_path: Path) -> None:
    """Counties with the rule are simulated by city: two cities tell figures, one of them too few."""
    counties = load("mid_course").table("counties")
    sizes = counties["city_code"].value_counts()

    def by_city(table: pd.DataFrame) -> pd.DataFrame:
        rows = []
        for quarter in ("2025-Q4", "2026-Q3"):
            for city, value in (("330200", sizes["330200"]), ("330300", 5)):
                rows.append(["sibling_counties", city, quarter, str(value), "method_back_cast", "synthetic"])
        return pd.concat([table, pd.DataFrame(rows, columns=table.columns)])

    share = tmp_path / "shares" / "toy"
    (share / "tables").mkdir(parents=True)
    rows = [
        ("sibling_rule", "all_2025", c, "2025-Q4", float(sizes[c]), "yes", "method_milestones", "assumption")
        for c in ("330200", "330300", "330400")
    ]
    columns = ["target_id", "reading", "area_code", "quarter", "value", "is_year_end", "source_id", "basis"]
    pd.DataFrame(rows, columns=columns).to_csv(share / "tables" / "allocation_milestones.csv", index=False)
    from zjsim.runfolder import output_hashes

    manifest = {"run_id": "toy", "scenario": "mid_course", "seed": 1, "outputs": output_hashes(share)}
    (share / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    made = report(tmp_path / "out", actuals=edited(tmp_path / "c.csv", by_city), shares=share)
    areas = made.tables["track_areas"].set_index(["target_id", "area_code"])
    assert areas.loc[("sibling_rule", "330200"), "light"] in ("green", "amber")
    assert areas.loc[("sibling_rule", "330300"), "light"] == "red", "5 are too few"
    assert areas.loc[("sibling_rule", "330400"), "light"] == "grey", "a share, but no figure"
    assert areas.loc[("sibling_rule", "330500"), "light"] == "grey", "neither"
    assert areas.loc[("sibling_rule", "330300"), "achieved"] == 5
    with pytest.raises(InputErrors, match="allocate-targets"):
        with_shares(load("mid_course"), made.folder)


def test_a_rate_holds_in_every_county_and_counties_are_forecast(tmp_path: Path) -> None:
    def by_county(table: pd.DataFrame) -> pd.DataFrame:
        rows = [
            ["place_share_permit_holders", "330102", q, v, "method_back_cast", "synthetic"]
            for q, v in (("2025-Q4", "1"), ("2026-Q3", "0.8"))
        ]
        return pd.concat([table, pd.DataFrame(rows, columns=table.columns)])

    made = report(tmp_path / "out", actuals=edited(tmp_path / "c.csv", by_county))
    areas = made.tables["track_areas"].set_index(["target_id", "area_code"])
    own = areas.loc["migrant_enrolment"]
    assert len(own[own["area_level"] == "county"]) == 90
    assert (own["share_of_target"] == 1).all()
    assert own.loc["330102", "achieved"] == 0.8
    assert own.loc["330102", "light"] != "grey"
    others = own.drop(index="330102")
    assert set(others["light"]) == {"grey"}, "no figure, no light"


def test_a_report_never_takes_the_place_of_something_else(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x", "utf-8")
    with pytest.raises(InputErrors):
        report(file)
    assert file.read_text("utf-8") == "x"


def test_what_is_forecast_begins_at_what_was_counted(tmp_path: Path) -> None:
    fan = report(tmp_path).tables["track_fan"]
    own = fan[(fan["target_id"] == "silk_road_colleges") & (fan["reading"] == "seventy_operating")].set_index("end")
    assert own.loc["2026-09-30", "status"] == "actual"
    assert own.loc["2026-09-30", "value"] == 52
    assert (own.loc[own["status"] == "forecast", "p05"] <= own.loc[own["status"] == "forecast", "p95"]).all()
    opened = fan[(fan["target_id"] == "joint_platforms") & (fan["reading"] == "new")]
    assert (np.diff(opened["value"]) >= 0).all(), "counted since the start"


def test_every_column_has_a_title() -> None:
    declared = {
        "track_targets": track_targets.TARGET_COLUMNS, "track_tasks": track_targets.TASK_COLUMNS,
        "track_bodies": track_targets.BODY_COLUMNS, "track_areas": track_areas.AREA_COLUMNS,
        "track_changes": room.CHANGE_COLUMNS, "track_revisions": room.REVISION_COLUMNS,
        "track_actuals": room.ACTUAL_COLUMNS, "track_parameters": tracking_estimates.COLUMNS,
        "track_path": tracking_paths.PATH_COLUMNS, "track_fan": tracking_paths.FAN_COLUMNS,
    }  # fmt: skip
    for table, columns in declared.items():
        for lang in LANGUAGES:
            assert [c for c in columns if column_title(c, lang, table) == c] == [], table
