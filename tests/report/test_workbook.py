"""The workbook says what the tables say, in either language, and turns no text into anything live."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from zjsim.report.choices import explained_choices
from zjsim.report.sheets import BARS, CODED, ESSENTIAL, SHEETS
from zjsim.report.visible import visible
from zjsim.report.words import code_word, column_title, reading_name, shown_columns, verdict_word
from zjsim.report.workbook import number_format, write_workbook
from zjsim.texts import LANGUAGES, Language, text

CHOSEN_ROWS = ("assignment_explanations", "assignment_prices", "location_coverage")
"""Sheets that show some rows of their table only."""

MakeRun = Callable[..., tuple[dict[str, Any], dict[str, pd.DataFrame]]]


def _build(path: Path, run: tuple[dict[str, Any], dict[str, pd.DataFrame]], lang: Language = "zh") -> Any:
    write_workbook(path, *run, lang)
    return openpyxl.load_workbook(io.BytesIO(path.read_bytes()))


def _same(cell: object, value: object, lang: Language) -> bool:
    if value is None or (isinstance(value, float) and math.isnan(value)) or value == "":
        return cell is None
    if isinstance(value, bool):
        return cell == text("report.yes" if value else "report.no", lang)
    return cell == value if isinstance(value, str) else math.isclose(float(str(cell)), float(str(value)))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reopened_workbook_equals_the_tables(made_run: MakeRun, tmp_path: Path, lang: Language) -> None:
    manifest, tables = made_run()
    book = _build(tmp_path / "plan.xlsx", (manifest, tables), lang)
    assert book.sheetnames[0] == text("report.sheet_cover", lang)
    assert book.sheetnames[-1] == text("report.sheet_notes", lang)
    for name in SHEETS:
        if name not in tables or name in CHOSEN_ROWS:
            continue
        sheet = book[text(f"report.sheet_{name}", lang)]
        heads = [c.value for c in sheet[1]]
        table = tables[name]
        for column in shown_columns(table, lang):
            if column.startswith(("reading", "period", "verdict", "problem", "registry")) or column in CODED:
                continue
            j = heads.index(column_title(column, lang, name)) + 1
            for i, value in enumerate(table[column].tolist(), start=2):
                assert _same(sheet.cell(i, j).value, value, lang), (name, column, i)
        assert sheet.freeze_panes is not None
        assert sheet.auto_filter.ref
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.page_setup.orientation == "landscape"
        widths = [d.width for d in sheet.column_dimensions.values() if not d.hidden]
        assert sheet.page_setup.paperSize == (9 if sum(widths) <= 190 else 8), "A4, or A3 where it would be too small"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_verdicts_and_readings_are_words_and_coloured(made_run: MakeRun, tmp_path: Path, lang: Language) -> None:
    manifest, tables = made_run()
    sheet = _build(tmp_path / "plan.xlsx", (manifest, tables), lang)[text("report.sheet_target_feasibility", lang)]
    heads = [c.value for c in sheet[1]]
    verdict, reading = heads.index(column_title("verdict", lang)) + 1, heads.index(column_title("reading", lang)) + 1
    fills = []
    for i, (_, row) in enumerate(tables["target_feasibility"].iterrows(), start=2):
        assert sheet.cell(i, verdict).value == verdict_word(row, lang)
        assert sheet.cell(i, reading).value == reading_name(row["reading"], lang)
        fills.append(sheet.cell(i, verdict).fill.fgColor.rgb)
    assert len(set(fills[:4])) == 4, "four verdicts, four colours"
    assert heads.index(column_title("p_low", lang)) < heads.index(column_title("p_worst", lang))


def test_coded_values_are_words(made_run: MakeRun, tmp_path: Path) -> None:
    sheet = _build(tmp_path / "plan.xlsx", made_run())[text("report.sheet_heritage_pairs", "zh")]
    heads = [c.value for c in sheet[1]]
    j = heads.index(column_title("role", "zh")) + 1
    assert [sheet.cell(i, j).value for i in (2, 3)] == ["牵头", "合作"]
    assert code_word("of my own", "zh") == "of my own"


def _rows(sheet: Any) -> list[dict[str, Any]]:
    heads = [c.value for c in sheet[1]]
    return [dict(zip(heads, (c.value for c in row), strict=True)) for row in sheet.iter_rows(min_row=2)]


def test_choices_are_explained_in_words(made_run: MakeRun, tmp_path: Path) -> None:
    sheet = _build(tmp_path / "plan.xlsx", made_run())[text("report.sheet_assignment_explanations", "zh")]
    rows = _rows(sheet)
    shown = [(r["分配"], r["高校"], r["无损失时"], r["入选频率"]) for r in rows]
    assert shown == [
        ("主要产业牵头", "浙江大学", "必选", 0.88),
        ("主要产业牵头", "浙江工业大学", "不入选", 0.12),
        ("主要产业牵头", "余杭区", "可替换", 0),
        ("主要产业支撑", "浙江工业大学", "唯一可行", None),
    ], "the plan's own first, then what could stand in its place; never drawn is 0, not drawn at all is unknown"
    assert rows[0]["不选它时改选"] == "余杭区（电子科学与技术）；浙江工业大学"
    assert sheet.cell(2, 1 + [c.value for c in sheet[1]].index("入选频率")).number_format == "0.0%"


def test_choices_without_draws_have_no_frequency(made_run: MakeRun) -> None:
    tables = made_run()[1]
    del tables["assignment_frequencies"]
    shown = explained_choices(tables, "en")
    assert shown["frequency"].isna().all()
    assert shown["university_en"].tolist() == ["U10335", "U10336", "U10337"]
    assert shown["instead"].tolist() == ["U10336 (D0809); U10337", "", ""]


def test_prices_leave_out_goals_that_break_ties(made_run: MakeRun, tmp_path: Path) -> None:
    (row,) = _rows(_build(tmp_path / "plan.xlsx", made_run(), "en")[text("report.sheet_assignment_prices", "en")])
    assert (row["Goal"], row["Later goal"], row["Price"]) == ("cities with a participant", "few supports", 30)


def test_no_text_becomes_a_formula_or_a_link(made_run: MakeRun, tmp_path: Path, attack: str) -> None:
    path = tmp_path / "plan.xlsx"
    book = _build(path, made_run(attack))
    found = False
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":  # the totals below a table, and nothing else
                    assert re.fullmatch(r"=SUBTOTAL\(109,([A-Z]+)2:\1\d+\)", cell.value), cell.coordinate
                assert cell.hyperlink is None
                found |= isinstance(cell.value, str) and visible(attack)[:60] in cell.value
    assert found, "the text is there, as text, and what is invisible by its code point"
    with zipfile.ZipFile(path) as parts:
        sheets = [n for n in parts.namelist() if n.startswith("xl/worksheets/")]
        assert not any(b"<hyperlink" in parts.read(n) for n in sheets)
        assert not any("externalLink" in n or "vbaProject" in n for n in parts.namelist())


def test_a_text_too_long_for_a_cell_is_cut_visibly(made_run: MakeRun, tmp_path: Path) -> None:
    sheet = _build(tmp_path / "plan.xlsx", made_run("长" * 40_000))[text("report.sheet_seat_shortfalls", "zh")]
    heads = [c.value for c in sheet[1]]
    said = sheet.cell(2, heads.index(column_title("why", "zh")) + 1).value
    assert said.endswith(text("report.cut", "zh"))
    assert len(said) <= 32_767


def test_two_builds_are_byte_equal(made_run: MakeRun, tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(tmp_path / name, *made_run(), "zh")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_empty_tables_are_said_to_be_empty(made_run: MakeRun, tmp_path: Path) -> None:
    manifest, tables = made_run()
    tables["seat_shortfalls"] = tables["seat_shortfalls"].iloc[:0]
    sheet = _build(tmp_path / "plan.xlsx", (manifest, tables))[text("report.sheet_seat_shortfalls", "zh")]
    assert sheet.cell(2, 1).value == text("report.empty_table", "zh")


def test_cover_says_what_was_run(made_run: MakeRun, tmp_path: Path) -> None:
    sheet = _build(tmp_path / "plan.xlsx", made_run("余杭区"))[text("report.sheet_cover", "zh")]
    said = {r[0].value: r[1].value for r in sheet.iter_rows(min_row=4)}
    assert said[text("report.cover_scenario", "zh")] == "余杭区 (toy)"
    assert said[text("report.cover_seed", "zh")] == "7"
    assert "1.23%" in said[text("report.cover_status_seats", "zh")]
    assert said[text("report.cover_sources", "zh")] == "官方 25.0% (10)\n合成 75.0% (30)"
    assert said[text("report.cover_readings", "zh")] == "牵头学科（M010）：一个学科只牵头一个主要产业"
    assert said[text("report.cover_targets", "zh")] == "可以实现 1，难以实现 0，取决于输入 1，尚难判断 1"


@pytest.mark.parametrize(
    ("column", "integer", "wanted"),
    [
        ("year", True, "0"),
        ("p_meet", False, "0.0%"),
        ("public_share", False, "0.0%"),
        ("cost_yuan", False, "#,##0"),
        ("classes_opened", True, "#,##0"),
        ("score", False, "0.000"),
        ("mean", False, "[>=1000]#,##0;[<=-1000]-#,##0;#,##0.00"),
    ],
)
def test_number_formats_follow_names_and_units(column: str, integer: bool, wanted: str) -> None:
    assert number_format(column, integer) == wanted


def test_every_sheet_of_a_table_can_be_read_and_printed(made_run: MakeRun, tmp_path: Path) -> None:
    manifest, tables = made_run()
    write_workbook(tmp_path / "plan.xlsx", manifest, tables, "zh")
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx")
    assert all(sheet.sheet_properties.pageSetUpPr.fitToPage for sheet in book)
    for sheet in book.worksheets[1:-1]:
        assert sheet.freeze_panes, sheet.title
        assert sheet.print_title_rows == "$1:$1", sheet.title
        assert sheet.auto_filter.ref or sheet.max_row <= 2, sheet.title
    barred = {
        name for name, columns in BARS.items()
        if name in tables and any(c in tables[name] and tables[name][c].max() > 0 for c in columns)
    }  # fmt: skip
    assert barred
    for name in barred:
        sheet = book[text(f"report.sheet_{name}", "zh")]
        assert sheet.conditional_formatting, name


def test_bars_stand_in_columns_that_are_shown() -> None:
    for name, columns in BARS.items():
        assert set(columns) <= set(ESSENTIAL.get(name, columns)), name
        assert name in {*SHEETS, "seat_classes"}


def test_signs_that_turn_a_text_around_are_seen(made_run: MakeRun, tmp_path: Path) -> None:
    manifest, tables = made_run("abc\u202etxt\u200b")
    write_workbook(tmp_path / "plan.xlsx", manifest, tables, "zh")
    sheet = openpyxl.load_workbook(tmp_path / "plan.xlsx")[text("report.sheet_lead_assignments", "zh")]
    said = {str(cell.value) for row in sheet.iter_rows() for cell in row}
    assert "abcU+202EtxtU+200B" in said
    assert not any("\u202e" in s for s in said)
