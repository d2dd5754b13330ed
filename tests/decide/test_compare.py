"""Comparing runs: exact zeros, changes worked out by hand, what was edited after the run, the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from zjsim.archive import INPUTS, pack_inputs
from zjsim.cli import main
from zjsim.decide.compare import compare
from zjsim.decide.compare_files import write_comparison
from zjsim.decide.row_names import RowNames
from zjsim.report.comparison_book import headlines, named_runs
from zjsim.run import input_hashes
from zjsim.runfolder import MANIFEST, json_bytes, output_hashes
from zjsim.scenario import Scenario, load
from zjsim.tables.errors import InputErrors
from zjsim.tables.writer import write_csv

MakeRun = Callable[..., Path]

SEATS = {"county_code": ["330102", "330103"], "county_zh": ["上城区", "拱墅区"], "county_en": ["A", "B"], "year": 2026}


@pytest.fixture(scope="module")
def scenarios() -> dict[str, Scenario]:
    return {name: load(name) for name in ("baseline", "silk_road_kept")}


def lead(university: str) -> pd.DataFrame:
    named = {"university_zh": university, "university_en": university, "discipline_zh": "计", "discipline_en": "CS"}
    return pd.DataFrame([{"industry_id": "C01", "industry_zh": "安防", "industry_en": "Security", **named}])


def platforms(*openings: tuple[str, str]) -> pd.DataFrame:
    columns = ["kind", "moe_code", "industry_id", "county_code", "open_date", "cost_points"]
    rows = [("branch_centre", "10335", "C01", county, date, 2.0) for county, date in openings]
    table = pd.DataFrame(rows, columns=columns)
    for stem in ("kind", "university", "industry", "county"):
        for lang in ("zh", "en"):
            table[f"{stem}_{lang}"] = table["county_code"] if stem == "county" else stem
    return table


@pytest.fixture
def make_run(tmp_path: Path, scenarios: dict[str, Scenario]) -> MakeRun:
    def make(
        name: str, figures: list[float], *, seed: int = 1, lead_university: str = "甲", opened: tuple[Any, ...] = (),
        unplaced: tuple[int, int] = (0, 0), scenario: str = "baseline", bound: float = 10.0,
        hidden: tuple[str, str] = ("", ""), control: list[float] | None = None, more: dict[str, Any] | None = None,
        year: int = 2026,
    ) -> Path:  # fmt: skip
        folder = tmp_path / "runs" / name
        (folder / "tables").mkdir(parents=True)
        met = [f >= bound for f in figures]
        p = sum(met) / len(met)
        verdict = {"verdict": "met", "verdict_zh": "可以达成", "verdict_en": "met"}
        named = {"indicator": "T", "indicator_zh": "目标", "indicator_en": "T", "unit": "items", "unit_zh": "项"}
        judged = {
            "target_id": "t", "reading": "r", "is_default": True, "measures": "M003", **named, "bound": bound,
            "p_meet": p, "p_worst": p, "p_best": p, **verdict,
        }  # fmt: skip
        outcome = {"process": "training", "outcome": "o", "year": 2027}
        tables = {
            "target_feasibility": pd.DataFrame([judged]),
            "replication_targets": pd.DataFrame(
                {"target_id": "t", "reading": "r", "replication": range(len(figures)), "figure": figures, "met": met}
            ),
            "yearly_outcomes": pd.DataFrame([{**outcome, **named, "kind": "flow"}]),
            "replication_outcomes": pd.DataFrame({**outcome, "replication": range(len(figures)), "value": figures}),
            "lead_assignments": lead(lead_university),
            "platform_plan": platforms(*opened),
            "seat_expansion": pd.DataFrame(
                {**SEATS, "year": year, "unplaced": unplaced, "cost_yuan": [5.0, 5.0], "suppressed": hidden}
            ),
        }
        if control is not None:
            tables["replication_targets"]["control"] = control
        for table, rows in tables.items():
            write_csv(rows, folder / "tables" / f"{table}.csv")
        (folder / INPUTS).parent.mkdir(exist_ok=True)
        (folder / INPUTS).write_bytes(pack_inputs(scenarios[scenario]))
        manifest = {
            "scenario": scenario, "run_id": name, "seed": seed, "replications": len(figures), "sets": [],
            "inputs": input_hashes(scenarios[scenario]), "parameters": {}, "placeholder_share": 0.9,
            "outputs": output_hashes(folder), **(more or {}),
        }  # fmt: skip
        (folder / MANIFEST).write_bytes(json_bytes(manifest))
        return folder

    return make


def test_a_run_compared_with_itself_differs_in_nothing(make_run: MakeRun) -> None:
    run = make_run("a", [9.0, 11.0, 12.0], opened=(("330102", "2025-12-01"),), unplaced=(3, 0))
    tables = compare(run, [run]).tables
    for name in ("input_changes", "plan_changes", "seat_changes"):
        assert tables[name].empty
    changes = tables["target_changes"].filter(regex="difference").to_numpy()
    assert (changes == 0).all()
    assert (tables["outcome_changes"].filter(regex="difference").to_numpy() == 0).all()
    assert (tables["cost_changes"]["difference"] == 0).all()


def test_with_the_other_run_as_base_every_sign_turns_and_nothing_else(make_run: MakeRun) -> None:
    """Also with controls that differ, and with as many futures gained as lost, to the last bit."""
    rng = np.random.default_rng(5)
    one, two = rng.normal(10, 2, 40).tolist(), rng.normal(10.5, 2, 40).tolist()
    a = make_run("a", one, control=rng.normal(0, 1, 40).tolist(), opened=(("330102", "2025-12-01"),))
    b = make_run("b", two, control=rng.normal(0, 1, 40).tolist(), unplaced=(0, 7))
    c = make_run("c", [9.0, 11.0, 9.0, 11.0], seed=2)
    d = make_run("d", [9.0, 11.0, 11.0, 9.0], seed=2)
    for base, other in ((a, b), (a, c), (c, d)):
        there, back = compare(base, [other]).tables, compare(other, [base]).tables
        for name in ("target_changes", "outcome_changes"):
            for p in ("p_difference", "difference") if name == "target_changes" else ("difference",):
                assert (there[name][p] == -back[name][p]).all()
                assert (there[name][f"{p}_low"] == -back[name][f"{p}_high"]).all()
                assert (there[name][f"{p}_high"] == -back[name][f"{p}_low"]).all()
        for name in ("seat_changes", "cost_changes"):
            assert there[name]["difference"].tolist() == [-v for v in back[name]["difference"]]
        kinds = {"added": "dropped", "dropped": "added", "moved": "moved"}
        assert there["plan_changes"]["change"].map(kinds).tolist() == back["plan_changes"]["change"].tolist()
        assert there["plan_changes"]["before_zh"].tolist() == back["plan_changes"]["after_zh"].tolist()


def test_a_count_hidden_in_one_run_is_told_of_neither(make_run: MakeRun) -> None:
    """What is hidden in one to protect another county's small count must not be read off the other run."""
    base = make_run("a", [1.0, 2.0], unplaced=(31, 12), hidden=("unplaced", ""))
    other = make_run("b", [1.0, 2.0], unplaced=(30, 12), more={"zjsim": "9"})
    for pair in ((base, other), (other, base)):
        tables = compare(pair[0], [pair[1]]).tables
        assert tables["seat_changes"].empty
        notes = tables["comparison_notes"].set_index("note")
        assert "1 counts" in notes.loc["hidden", "said_en"]
        assert "do not publish the seat tables of both" in notes.loc["hidden_once", "said_en"]


def test_what_else_differs_is_told(make_run: MakeRun) -> None:
    base = make_run("a", [8.0, 11.0, 13.0], more={"as_of": "2024-12-31", "horizon": "2027-12-31", "zjsim": "1"})
    more = {"as_of": "2025-12-31", "horizon": "2028-12-31", "zjsim": "2",
            "solves": {"locations": {"stages": [{"name": "platforms.cost", "gap": 0.02},
                                                {"name": "campuses.cost", "gap": 0.03}]}}}  # fmt: skip
    opened = (("330102", "2025-12-01"),)
    other = make_run("b", [8.0, 11.0], seed=2, bound=9.0, unplaced=(7, 7), year=2030, opened=opened, more=more)
    tables = compare(base, [other]).tables
    assert tables["seat_changes"].empty, "a year that one plan does not have is no change"
    notes = tables["comparison_notes"].set_index("note")["said_en"]
    assert list(notes.index) == ["seeds", "few", "as_of", "horizon", "version", "bounds", "seat_years", "gaps"]
    assert "2024-12-31" in notes["as_of"]
    assert "2025-12-31" in notes["as_of"]
    assert "10 → 9" in notes["bounds"]
    assert "2026, 2030" in notes["seat_years"]
    assert "2.00%" in notes["gaps"], "a decision that differs lies in it"
    assert "3.00%" not in notes["gaps"]
    said = headlines(tables, "zh")
    assert sum(line.startswith("! ") for line in said) == 8
    assert set(compare(base, [make_run("c", [8.0, 11.0])]).tables["comparison_notes"]["note"]) >= {"replications"}
    both = (make_run(n, [8.0, 11.0], hidden=("unplaced", "")) for n in ("e", "f"))
    assert "hidden_once" not in set(compare(next(both), [next(both)]).tables["comparison_notes"]["note"])
    assert list(compare(base, [base]).tables["comparison_notes"]["note"]) == ["same_run"]
    odd = make_run("d", [8.0, 12.0, 13.0], more={"as_of": "2024-12-31", "horizon": "2027-12-31", "zjsim": "1"})
    assert list(compare(base, [odd]).tables["comparison_notes"]["note"]) == ["few", "program"]


def test_pairs_are_the_replications_of_one_number(make_run: MakeRun) -> None:
    """Figures 8, 11, 13 against 10, 12, 14 (and a fourth replication that has no partner): changes 2, 1, 1."""
    base, other = make_run("a", [8.0, 11.0, 13.0]), make_run("b", [10.0, 12.0, 14.0, 99.0])
    row = compare(base, [other]).tables["target_changes"].iloc[0]
    assert row["difference"] == pytest.approx(4 / 3)
    half = 4.302653 * (1 / 3) ** 0.5 / 3**0.5
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((4 / 3 - half, 4 / 3 + half), abs=1e-6)
    assert (row["p_before"], row["p_after"], row["p_difference"]) == pytest.approx((2 / 3, 1, 1 / 3))
    assert (row["replications"], row["paired"]) == (3, True)


def test_other_seeds_are_independent_samples(make_run: MakeRun) -> None:
    base, other = make_run("a", [8.0, 11.0, 13.0]), make_run("b", [10.0, 12.0, 14.0, 16.0], seed=2)
    row = compare(base, [other]).tables["target_changes"].iloc[0]
    assert not row["paired"]
    assert row["difference"] == pytest.approx(13 - 32 / 3)
    assert row["p_after"] == 1
    assert pd.isna(row["variance_reduction"])


def test_decisions_seats_and_costs_that_differ_are_listed(make_run: MakeRun) -> None:
    base = make_run("a", [1.0, 2.0], opened=(("330102", "2025-12-01"), ("330103", "2026-03-01")))
    opened = (("330102", "2026-06-01"), ("330104", "2026-03-01"), ("330104", "2026-03-01"))
    other = make_run("b", [1.0, 2.0], lead_university="乙", opened=opened, unplaced=(0, 7))
    tables = compare(base, [other]).tables
    rows = tables["plan_changes"].to_dict("records")
    found = {(r["part"], r["change"], r["item_zh"]): (r["before_zh"], r["after_zh"]) for r in rows}
    assert found == {
        ("lead_assignments", "moved", "安防"): ("甲 · 计", "乙 · 计"),
        ("platform_plan", "moved", "kind · university · industry · 330102"): ("2025-12-01", "2026-06-01"),
        ("platform_plan", "dropped", "kind · university · industry · 330103"): ("2026-03-01", ""),
        ("platform_plan", "added", "kind · university · industry · 330104"): ("", "2026-03-01 ×2"),
    }
    seats = tables["seat_changes"]
    assert seats[["county_code", "measure", "before", "after", "difference"]].to_numpy().tolist() == [
        ["330103", "unplaced", 0, 7, 7]
    ]
    points = tables["cost_changes"]
    by_year = points[points["part"] == "platform_plan"].set_index("year")["difference"]
    assert by_year.to_dict() == {2025: -2.0, 2026: 4.0}


def test_changed_inputs_come_from_what_the_runs_kept(make_run: MakeRun) -> None:
    base, other = make_run("a", [1.0, 2.0]), make_run("b", [1.0, 2.0], scenario="silk_road_kept")
    changes = compare(base, [other]).tables["input_changes"]
    assert len(changes) > 0
    assert not changes["column"].str.startswith("header.").any(), "a title is no input"
    assert set(changes.loc[changes["key"] == "PP60", "name_zh"]) == {"丝路学院历年净增"}
    backwards = compare(other, [base]).tables["input_changes"]
    cells = ["registry", "key", "column", "old", "new"]
    forward = set(changes[cells].itertuples(index=False, name=None))
    back = {(*where, old, new) for *where, new, old in backwards[cells].itertuples(index=False, name=None)}
    assert forward == back


def test_rows_are_called_by_their_names_or_by_those_of_what_their_keys_mean(scenarios: dict[str, Scenario]) -> None:
    names = RowNames(scenarios["baseline"])
    assert names.name("counties", ("330102",), "zh") == "上城区"
    assert names.name("seat_demand", ("330102", "2026", "1"), "zh") == "上城区 · 2026 · 1"
    assert names.name("milestones", ("training", "all_training", "3301", "2025-Q4"), "en").startswith("training")
    assert names.name("location_budgets", ("campuses", "330100", "2025"), "zh").endswith(" · 杭州市 · 2025")
    assert "campuses" not in names.name("location_budgets", ("campuses", "330100", "2025"), "zh")
    assert names.name("scenario.toml", (), "en") == ""


def test_runs_stand_under_their_titles_and_equal_titles_are_told_apart(make_run: MakeRun) -> None:
    title = {"title_zh": "基准", "title_en": "Baseline"}
    base, other = (make_run(n, [1.0, 2.0], more={"header": title}) for n in "ab")
    third = make_run("c", [1.0, 2.0], more={"header": {"title_zh": "加倍", "title_en": "Twice"}})
    tables = named_runs(compare(base, [other, third]).tables, "en")
    said = ["Baseline baseline (a)", "Baseline baseline (b)", "Twice (c)"]
    assert tables["compared_runs"]["run"].tolist() == said
    assert set(tables["target_changes"]["run"]) == set(said[1:])


def test_what_cannot_be_compared_is_told(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("a", [1.0, 2.0])
    with pytest.raises(InputErrors, match=r"no run here|没有运行结果"):
        compare(tmp_path / "nowhere", [run])
    (tmp_path / "runs" / "empty").mkdir()
    with pytest.raises(InputErrors) as told:
        compare(tmp_path / "runs" / "empty", [run])
    assert not told.value.findings[0].fix.endswith("empty"), "the folder itself is no way out"
    make_run("b", [1.0, 2.0])
    with pytest.raises(InputErrors, match=r"several runs|多个运行"):
        compare(tmp_path / "runs", [run])
    with pytest.raises(InputErrors, match=r"at least one more|至少再给"):
        compare(run, [])
    with pytest.raises(InputErrors, match=r"given twice|给了两次"):
        compare(run, [tmp_path / "runs" / "b", tmp_path / "runs" / "b"])
    folder, _ = write_comparison(run, [tmp_path / "runs" / "b"], tmp_path / "out")
    with pytest.raises(InputErrors, match=r"comparison of runs"):
        compare(folder, [run])
    old = make_run("old", [1.0, 2.0])
    table = pd.read_csv(old / "tables" / "target_feasibility.csv").drop(columns=["p_worst", "unit_zh"])
    write_csv(table, old / "tables" / "target_feasibility.csv")
    manifest = json.loads((old / MANIFEST).read_text("utf-8"))
    (old / MANIFEST).write_bytes(json_bytes({**manifest, "outputs": output_hashes(old)}))
    with pytest.raises(InputErrors, match=r"lacks the columns unit_zh, p_worst"):
        compare(run, [old])
    path = make_run("c", [1.0, 2.0]) / "tables" / "replication_targets.csv"
    path.write_text(path.read_text("utf-8").replace(",2,", ",3,"), "utf-8")
    with pytest.raises(InputErrors, match=r"changed after the run|运行之后被改动"):
        compare(run, [path.parent.parent])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command_writes_tables_workbook_and_figure(
    make_run: MakeRun, tmp_path: Path, lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    base = make_run("a", [8.0, 9.0, 9.5, 13.0])
    other = make_run("b", [18.0, 19.0, 19.5, 23.0], lead_university="=1+1", unplaced=(0, 7), scenario="silk_road_kept")
    with pytest.raises(SystemExit) as done:
        main(["compare", str(base), str(other), "--out", str(tmp_path / "out"), "--lang", lang])
    assert done.value.code == 0
    said = capsys.readouterr().out
    assert "25% → 100%" in said
    folder = Path(said.strip().splitlines()[-1])
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    assert manifest["outputs"] == output_hashes(folder)
    hashes = [*manifest["base"]["outputs"], *manifest["others"][0]["outputs"]]
    assert hashes
    assert all(name.startswith("tables/") for name in hashes), "nothing of what stays inside a run goes out"
    assert (folder / "figures" / "target_changes.svg").is_file()
    book = openpyxl.load_workbook(folder / "comparison.xlsx")
    assert len(book.sheetnames) == 9
    assert (folder / "report.html").is_file()
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
    assert not any(c.data_type == "f" or c.hyperlink for c in cells)
    assert any("=1+1" in str(c.value) for c in cells)
    heads = [str(c.value) for sheet in book.worksheets[1:] for c in sheet[1]]
    assert not [h for h in heads if "_" in h], "every column has a title"
    with pytest.raises(SystemExit) as refused:
        main(["trace", str(folder), "target_changes", "t"])
    assert refused.value.code == 0, "numbers are traced to the runs, at hand or not"
    again, _ = write_comparison(base, [other], tmp_path / "again", lang)  # type: ignore[arg-type]
    assert output_hashes(again) == manifest["outputs"]
