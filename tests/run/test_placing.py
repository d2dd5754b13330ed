"""``zjsim place``: from a scenario with synthetic schools to audited tables."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from zjsim.models.placement_preference import no_families

from zjsim.audit.placement import check
from zjsim.cli import main
from zjsim.placing import place_scenario
from zjsim.scenario import load
from zjsim.synthesize import synthesize
from zjsim.trace import read_table

COUNTY, OTHER = "330922", "331126"


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
    for table in (tmp_path / "a").rglob("*.csv"):
        assert set(pd.read_csv(table)["basis"]) <= {"synthetic"}, table
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


def test_two_workers_write_the_same_bytes_and_a_row_of_a_county_can_be_traced(tmp_path: Path) -> None:
    synthesize("baseline", tmp_path / "two", counties=[COUNTY, OTHER])
    for workers in (1, 2):
        place_scenario(tmp_path / "two", tmp_path / str(workers) / "same", workers=workers)
    one, two = (tmp_path / str(n) / "same" for n in (1, 2))
    files = sorted(f.relative_to(one) for f in one.rglob("*.*"))
    for code in (COUNTY, OTHER):
        assert Path("counties", code, "placement_groups.csv") in files
    assert Path("manifest.json") in files
    assert files == sorted(f.relative_to(two) for f in two.rglob("*.*"))
    assert all((one / f).read_bytes() == (two / f).read_bytes() for f in files)
    assert {row["county_code"] for row in read_table(one, "placement_groups")} == {COUNTY, OTHER}


def seat_plan(scenario: Path, run: Path, more: int) -> pd.DataFrame:
    """A run's folder whose plan has ``more`` classes in the first grade of the first zone than its schools have."""
    loaded = load(scenario)
    schools = loaded.table("schools").set_index("school_id")
    public = loaded.table("school_grades").assign(zone_id=lambda t: t["school_id"].map(schools["zone_id"]))
    public = public[public["school_id"].map(schools["ownership"]) == "public"]
    plan = public.groupby(["county_code", "zone_id", "year", "grade"], as_index=False)["classes"].sum()
    plan.loc[0, "classes"] += more
    plan = plan.assign(stage="primary", public_seats=40 * plan["classes"], placed_purchased=0)
    (run / "tables").mkdir(parents=True)
    plan.to_csv(run / "tables" / "seat_zone_classes.csv", index=False)
    return plan


def test_what_a_seat_plan_opens_is_capacity_and_the_audit_derives_it_again(scenario: Path, tmp_path: Path) -> None:
    plan = seat_plan(scenario, tmp_path / "run", 3)
    done = place_scenario(scenario, tmp_path / "c", plan=tmp_path / "run")
    assert done.findings == []
    opened = done.plan["placement_openings"]
    first = plan.iloc[0]
    assert (opened["classes_added"].sum(), opened["seats_added"].sum()) == (3, 120)
    assert set(opened["zone_id"]) == {first["zone_id"]}
    assert set(opened["grade"]) == {first["grade"]}
    assert json.loads((tmp_path / "c" / "manifest.json").read_text())["seat_plan"]["run_id"] == "run"
    # A seat left without a plan is one of those the county has; with it there are 120 more.
    left = [
        plan["placement_unplaced"].eval("seats_left - unplaced").iloc[0]
        for plan in (done.plan, place_scenario(scenario, tmp_path / "d").plan)
    ]
    assert left[0] == left[1] + 120
    loaded = load(scenario)
    groups = pd.read_csv(tmp_path / "c" / "counties" / COUNTY / "placement_groups.csv", keep_default_na=False,
                         dtype={"county_code": str})  # fmt: skip
    whole = {**done.plan, "placement_groups": groups, "placement_families": no_families()["placement_families"]}
    tables = {**loaded.tables, "seat_zone_classes": plan}
    for column in ("classes_added", "seats_added", "seats"):
        wrong = opened.copy()
        wrong.loc[0, column] += 1
        found = check({**whole, "placement_openings": wrong}, tables, loaded.parameters)
        assert "placement_openings" in {f.rule for f in found}
    assert "placement_openings" in {f.rule for f in check(whole, loaded.tables, loaded.parameters)}


def test_a_plan_must_know_the_year_and_the_county(scenario: Path, tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "e"))
    assert run("place", str(scenario), "--plan", str(tmp_path), *out) == 2
    seat_plan(scenario, tmp_path / "run", 0)
    file = tmp_path / "run" / "tables" / "seat_zone_classes.csv"
    whole = file.read_text()
    file.write_text(whole.replace(COUNTY, "330999"))
    assert run("place", str(scenario), "--plan", str(tmp_path / "run"), *out) == 2
    file.write_text(whole.replace(",2025,", ",2035,"))
    assert run("place", str(scenario), "--plan", str(tmp_path / "run"), *out) == 2
    file.write_text(whole.replace(",classes,", ",clases,"))
    assert run("place", str(scenario), "--plan", str(tmp_path / "run"), *out) == 2
    file.write_text("")
    assert run("place", str(scenario), "--plan", str(tmp_path / "run"), *out) == 2
    assert not (tmp_path / "e").exists()


def test_all_that_is_wrong_with_a_call_is_told_at_once(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seat_plan(scenario, tmp_path / "run", 0)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    call = ("place", str(scenario), "--county", "330929", "--county", "339999", "--mode", "preference")
    call += ("--plan", str(tmp_path / "rum"), "--out", str(tmp_path / "other"), "--lang", "en")
    assert run(*call) == 2
    said = capsys.readouterr().err.replace("\n", " ")
    for part in ("330929", COUNTY, "339999", "collects no choices", "no folder rum", "run?", "--out", "letter.txt"):
        assert part in said, part
    assert (tmp_path / "other" / "letter.txt").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other", "run"]
