"""The memo, page and workbook of a comparison: every number from its tables, its words harmless, its bytes the same."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from docx import Document

from zjsim import cli
from zjsim.report.blocks import Grid, Item
from zjsim.report.comparison_book import headlines, write_comparison_book
from zjsim.report.finished import read_run
from zjsim.report.memo import comparison_memo_bytes
from zjsim.report.page import comparison_html
from zjsim.report.story_comparison import _signed, comparison_story
from zjsim.report.visible import visible
from zjsim.tables.errors import InputErrors
from zjsim.tables.writer import write_csv
from zjsim.texts import LANGUAGES, Language

BASE, OTHER = "toy (012345)", "kept (abcdef)"


def compared(attack: str = "余杭区") -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Manifest and tables of a comparison; ``attack`` stands where names of people's own making stand."""
    run = {"zjsim": "0.0.0", "as_of": "2024-12-31", "seed": 7, "replications": 40, "placeholder_share": 0.75}
    runs = [
        {"run": BASE, "role": "base", "scenario": "toy", "run_id": "0123456789ab", **run, "folder": "0123456789ab"},
        {"run": OTHER, "role": "other", "scenario": "kept", "run_id": "abcdef012345", **run, "folder": "abcdef012345"},
    ]
    inputs = [
        {"run": OTHER, "registry": "counties", "key": code, "name_zh": attack, "name_en": attack,
         "column": "county_zh", "kind": "changed", "old": "1",
         "new": attack, "reason": attack, "place": "x.csv:2"}
        for code in ("330102", "330110")
    ] + [
        {"run": OTHER, "registry": "scenario.toml", "key": "", "name_zh": "", "name_en": "",
         "column": "seats.indicator_share", "kind": "changed",
         "old": "0.9", "new": "0.8", "reason": "", "place": ""},
    ]  # fmt: skip
    plans = [
        {"run": OTHER, "part": "lead_assignments", "change": "moved", "key": "C01", "item_zh": attack,
         "item_en": attack, "before_zh": "甲", "before_en": "A", "after_zh": attack, "after_en": attack},
        {"run": OTHER, "part": "platform_plan", "change": "added", "key": "joint_platform / 10335 / C01 / 330110",
         "item_zh": attack, "item_en": attack, "before_zh": "", "before_en": "", "after_zh": "2026-01-01",
         "after_en": "2026-01-01"},
    ]  # fmt: skip
    seats = [
        {"run": OTHER, "county_code": "330110", "county_zh": attack, "county_en": attack, "year": 2026,
         "measure": "rooms_added", "before": 3.0, "after": 5.0, "difference": 2.0},
    ]  # fmt: skip
    costs = [
        {"run": OTHER, "part": part, "year": year, "unit": unit, "before": 1e6, "after": 1.5e6, "difference": 5e5}
        for part, unit in (("capital_cost", "yuan"), ("platform_plan", "cost points"))
        for year in (2025, 2026)
    ]
    target = {
        "run": OTHER, "is_default": True, "measures": "M001", "unit": "colleges", "unit_zh": "所", "bound": 70.0,
        "p_worst_before": 0.0, "p_best_before": 1.0, "p_worst_after": 0.1, "p_best_after": 0.95,
        "verdict_before_zh": "未达", "verdict_before_en": "not met", "verdict_after_zh": "可达",
        "verdict_after_en": "met", "replications": 40, "paired": True, "variance_reduction": 0.5,
    }  # fmt: skip
    targets = [
        {**target, "target_id": "colleges", "reading": "r", "indicator_zh": attack, "indicator_en": attack,
         "p_before": 0.4, "p_after": 0.7, "p_difference": 0.3, "p_difference_low": 0.1, "p_difference_high": 0.5,
         "mean_before": 66.0, "mean_after": 72.0, "difference": 6.0, "difference_low": 4.0, "difference_high": 8.0},
        {**target, "target_id": "share", "reading": "r", "indicator_zh": "占比", "indicator_en": "Share",
         "unit": "share", "unit_zh": "", "bound": 0.9, "p_before": 1.0, "p_after": 1.0, "p_difference": 0.0,
         "p_difference_low": 0.0, "p_difference_high": 0.0, "mean_before": 0.93, "mean_after": 0.94,
         "difference": 0.01, "difference_low": 0.005, "difference_high": 0.015},
    ]  # fmt: skip
    outcomes = [
        {"run": OTHER, "process": "programmes", "outcome": "open", "indicator_zh": attack, "indicator_en": attack,
         "kind": "stock", "unit": "colleges", "year": 2027, "mean_before": 66.0, "mean_after": 72.0,
         "difference": 6.0, "difference_low": 4.0, "difference_high": 8.0, "replications": 40, "paired": True},
    ]  # fmt: skip
    notes = [
        {"run": OTHER, "note": "as_of", "said_zh": "截至日不同" + attack, "said_en": "as-of dates differ " + attack},
        {"run": OTHER, "note": "gaps", "said_zh": "未证明最优", "said_en": "not proven"},
    ]
    rows = {
        "compared_runs": runs, "comparison_notes": notes, "input_changes": inputs, "plan_changes": plans,
        "seat_changes": seats, "cost_changes": costs, "target_changes": targets, "outcome_changes": outcomes,
    }  # fmt: skip
    manifest = {"kind": "comparison", "run_id": "fedcba987654", "lang": "zh", "base": {"scenario": "toy"}, "others": []}
    return manifest, {name: pd.DataFrame(table) for name, table in rows.items()}


def _folder(place: Path, attack: str = "余杭区") -> Path:
    manifest, tables = compared(attack)
    (place / "tables").mkdir(parents=True)
    for name, table in tables.items():
        write_csv(table, place / "tables" / f"{name}.csv")
    (place / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return place


def _memo(attack: str, lang: Language) -> Any:
    return Document(io.BytesIO(comparison_memo_bytes(*compared(attack), lang, pictures={})))


def _said(document: Any) -> str:
    cells = [c.text for t in document.tables for row in t.rows for c in row.cells]
    return "\n".join([*(p.text for p in document.paragraphs), *cells])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_conclusion_counts_what_the_tables_hold(lang: Language) -> None:
    manifest, tables = compared()
    story = comparison_story(manifest, tables, lang)
    assert {k.removeprefix(f"{OTHER}."): v for k, v in story.headline.items()} == {
        "inputs": "3", "plans": "2", "counties": "1", "moved": "1", "figures": "1",
    }  # fmt: skip
    said = _said(_memo("余杭区", lang))
    for part in ("0.4", "0.7", "+0.30", "+0.10", "+0.50", "75.0%", "0.1—0.95" if lang == "zh" else "0.1–0.95", OTHER):
        assert part in said, part
    assert ("同一个未来" if lang == "zh" else "same future") in said
    assert ("占比" if lang == "zh" else "Share") in said
    grids = {b.table: b for b in story.blocks if isinstance(b, Grid)}
    assert set(grids) == {"target_changes", "plan_changes", "cost_changes", "seat_changes", "compared_runs"}
    assert grids["seat_changes"].rows == (("2026", "+2"),)
    assert grids["cost_changes"].rows[0][2:] == ("2,000,000", "3,000,000", "+1,000,000")
    assert [row[1:] for row in grids["plan_changes"].rows] == [("0", "0", "1"), ("1", "0", "0")]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_stays_is_said_to_stay_and_a_new_row_is_one_change(lang: Language) -> None:
    manifest, tables = compared()
    columns = ("size", "length", "basis")
    new = [
        {"run": OTHER, "registry": "course_types", "key": "CX", "name_zh": "新课", "name_en": "New", "column": column,
         "kind": "added", "old": "", "new": "1", "reason": "", "place": ""}
        for column in columns
    ]  # fmt: skip
    tables["input_changes"] = pd.DataFrame(new)
    story = comparison_story(manifest, tables, lang)
    said = [b.words for b in story.blocks if isinstance(b, Item)]
    assert len([words for words in said if ("新课" if lang == "zh" else "New") in words]) == 1
    shown = next(b for b in story.blocks if isinstance(b, Grid) and b.table == "target_changes")
    assert shown.rows[1][3] == ("不变" if lang == "zh" else "unchanged")
    for note in ("截至日不同", "as-of dates differ"):
        assert any(note in words for words in said) == ((note == "截至日不同") == (lang == "zh"))


def test_a_share_changes_in_per_cent() -> None:
    _, tables = compared()
    assert any("+1% " in line and "(95 % interval 0.5% to 1.5%)" in line for line in headlines(tables, "en"))


def test_a_small_change_keeps_its_sign() -> None:
    assert [_signed(v) for v in (0.0, 0.123, -0.123, 0.004, -0.004, -0.0004)] == [
        "±0", "+0.12", "−0.12", "+0.004", "−0.004", "−0.0004",
    ]  # fmt: skip


def test_runs_with_other_seeds_are_not_called_paired() -> None:
    manifest, tables = compared()
    tables["target_changes"] = tables["target_changes"].assign(paired=False)
    words = [getattr(b, "words", "") for b in comparison_story(manifest, tables, "en").blocks]
    assert any("independent samples" in w for w in words)
    assert not any("pair by pair" in w for w in words)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_attacks_stand_in_every_document_as_text(attack: str, lang: Language, tmp_path: Path) -> None:
    manifest, tables = compared(attack)
    shown = visible(attack, 200)[:120]
    assert shown in _said(_memo(attack, lang)).replace("\n", " ")
    page = comparison_html(manifest, tables, lang)
    assert page.count("<script>") == 1
    assert not re.search(r"<[a-z]+ [^>]*\bon\w+=", page)
    assert not re.search(r'\b(href|src|action|data)="(?!#)', page)
    write_comparison_book(tmp_path / "c.xlsx", tables, lang)
    with zipfile.ZipFile(tmp_path / "c.xlsx") as parts:
        sheets = [parts.read(n) for n in parts.namelist() if n.startswith("xl/worksheets/sheet")]
    assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)
    book = openpyxl.load_workbook(tmp_path / "c.xlsx")
    cells = [str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]
    assert any(attack[:50].split("\x07")[0] in c for c in cells)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_commands_write_all_three_and_refuse_what_is_neither(
    tmp_path: Path, lang: Language, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = _folder(tmp_path / "comparison")
    for command, name in (("memo", "m.docx"), ("page", "p.html"), ("export", "b.xlsx")):
        for out in (tmp_path / name, tmp_path / f"again-{name}"):
            with pytest.raises(SystemExit) as ended:
                cli.main([command, str(folder), "--out", str(out), "--lang", lang])
            assert (ended.value.code or 0) == 0, capfd.readouterr()
        assert (tmp_path / name).read_bytes() == (tmp_path / f"again-{name}").read_bytes()
    document = Document(str(tmp_path / "m.docx"))
    assert len(document.inline_shapes) == 1, "the figure is drawn where the folder has none"
    for arguments in (("export", "--county", "330110"), ("replay",), ("memo", "--against", str(folder))):
        with pytest.raises(SystemExit) as ended:
            cli.main([arguments[0], str(folder), *arguments[1:], "--lang", lang])
        assert ended.value.code == 2
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
    (folder / "manifest.json").write_text('{"kind": "exploration", "run_id": "x"}', "utf-8")
    with pytest.raises(InputErrors):
        read_run(folder, or_comparison=True)


def test_a_number_of_a_comparison_is_traced_to_the_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = _folder(tmp_path / "results" / "comparisons" / "toy" / "fedcba987654")
    _, tables = compared()
    for scenario, run_id in (("toy", "0123456789ab"), ("kept", "abcdef012345")):
        place = tmp_path / "results" / scenario / run_id
        (place / "tables").mkdir(parents=True)
        (place / "manifest.json").write_text(json.dumps({"run_id": run_id}), "utf-8")
        write_csv(tables["target_changes"][["target_id", "reading"]], place / "tables" / "target_feasibility.csv")
        opening = {"opening_id": ["PL01"], "open_date": ["2026-01-01"], "kind": ["joint_platform"],
                   "moe_code": ["10335"], "industry_id": ["C01"], "county_code": ["330110"]}  # fmt: skip
        write_csv(pd.DataFrame(opening), place / "tables" / "platform_plan.csv")

    def trace(table: str, key: str) -> list[dict[str, Any]]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["trace", str(folder), table, key, "--json"])
        assert (ended.value.code or 0) == 0
        found: list[dict[str, Any]] = json.loads(capfd.readouterr().out)["stands_in"]
        return found

    found = trace("target_changes", "target_id=colleges")
    assert [(p["run_id"], p["table"], p["rows"]) for p in found] == [
        ("0123456789ab", "target_feasibility", 1),
        ("abcdef012345", "target_feasibility", 1),
    ]
    assert [p["rows"] for p in trace("plan_changes", "part=platform_plan")] == [1, 1]
    assert [p["key"] for p in trace("cost_changes", "part=platform_plan, year=2026")] == ["opening_id=PL01"] * 2
    assert [p["rows"] for p in trace("cost_changes", "part=capital_cost, year=2026")] == [0, 0], "no such table here"
    with pytest.raises(SystemExit) as ended:
        cli.main(["trace", str(folder), "target_changed", "x"])
    assert ended.value.code == 2
    assert "target_changes" in "".join(capfd.readouterr())
    with pytest.raises(SystemExit):
        cli.main(["trace", str(folder), "target_changes", "target_id=share", "--lang", "en"])
    assert f"zjsim trace {tmp_path}" in capfd.readouterr().out
