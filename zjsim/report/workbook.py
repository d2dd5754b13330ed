"""``plan.xlsx``: the plan for those who carry it out. Values only - no text ever becomes a formula or a link."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from zjsim.report.cover import cover_rows, note_rows
from zjsim.report.style import VERDICT_COLOURS, width_of
from zjsim.report.words import (
    code_word,
    column_title,
    is_true,
    known,
    reading_name,
    shown_columns,
    verdict_kind,
    verdict_word,
)
from zjsim.texts import Language, text

SHEETS = (
    "lead_assignments",
    "heritage_pairs",
    "seat_expansion",
    "seat_shortfalls",
    "target_feasibility",
    "deciding_inputs",
    "yearly_outcomes",
    "input_sources",
)
"""Tables of a run that become sheets, in order; one that the run does not have is left out."""

CODED = ("stage", "role", "status", "kind", "unit", "rule", "comparator", "grade_band")
"""Columns whose values are codes with a word in the texts."""

LONGEST_CELL = 32_000
"""Excel holds 32,767 characters in a cell."""

CREATED = dt.datetime(2024, 12, 31, tzinfo=dt.UTC).replace(tzinfo=None)
"""A fixed date of creation, so that equal runs give equal bytes."""

_FONT = {"zh": "微软雅黑", "en": "Calibri"}
_SHARES = ("share", "p_", "gap", "weight")
_PROBABILITIES = ("p_meet", "p_low", "p_high", "p_worst", "p_best")
_PLAIN = ("year", "grade", "moe_code", "county_code", "rank")
_WIDEST, _NARROWEST = 46.0, 8.0
_SAMPLE = 2_000


def write_workbook(path: Path, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> None:
    """Write the workbook of a run: cover, a sheet for each of :data:`SHEETS`, notes. Equal input gives equal bytes."""
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": text("report.cover_title", lang), "created": CREATED, "author": "zjsim"})
        formats = _Formats(book, lang)
        _write_cover(book, formats, manifest, tables, lang)
        for name in SHEETS:
            if name in tables:
                _write_table(book, formats, name, _for_reading(name, tables[name], lang), lang)
        _write_notes(book, formats, manifest, lang)


class _Formats:
    """The cell formats of a workbook, each made once."""

    def __init__(self, book: xlsxwriter.Workbook, lang: Language) -> None:
        self._book, self._made = book, dict[str, Any]()
        self._base = {"font_name": _FONT[lang], "font_size": 10, "valign": "top"}

    def get(self, **properties: Any) -> Any:
        key = repr(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({**self._base, **properties})
        return self._made[key]

    @property
    def header(self) -> Any:
        return self.get(
            font_color="#FFFFFF", bg_color="#1F4E79", text_wrap=True, valign="vcenter", align="center", border=1,
            border_color="#D9D9D9",
        )  # fmt: skip


def _for_reading(name: str, table: pd.DataFrame, lang: Language) -> pd.DataFrame:
    """``table`` with the columns a reader of ``lang`` needs and codes of verdicts and readings put into words."""
    if name == "target_feasibility" and not table.empty:
        table = table.assign(
            reading=[reading_name(r, lang) for r in table["reading"]],
            period=[known(f"report.period_{p}", lang, str(p)) for p in table["period"]],
            verdict=[verdict_word(row, lang) for _, row in table.iterrows()],
        ).drop(columns=[f"verdict_{other}" for other in ("zh", "en") if f"verdict_{other}" in table])
        table = table[_verdict_forward(list(table.columns))]
    table = table[shown_columns(table, lang)]
    worded = table.copy()
    for column in (c for c in table.columns if c in CODED):
        worded[column] = pd.Series([code_word(v, lang) for v in table[column]], index=table.index, dtype=object)
    return worded


def _verdict_forward(columns: list[str]) -> list[str]:
    """The verdict stands before the probabilities: it is what a reader looks for."""
    rest = [c for c in columns if c != "verdict"]
    at = rest.index("p_meet") if "p_meet" in rest else len(rest)
    return [*rest[:at], "verdict", *rest[at:]]


def number_format(column: str, integer: bool) -> str:
    """Excel's number format for a column, from its name's words and unit."""
    if column in _PLAIN or column.endswith(("_year", "_code", "_id")):
        return "0"
    if column in _PROBABILITIES:
        return "0.0%"
    if column.startswith(_SHARES) or "share" in column or column.endswith("_gap"):
        return "0.0%"
    if integer or column.endswith(("_yuan", "_seats", "_children", "_classes", "population")):
        return "#,##0"
    return "0.000" if "score" in column else "#,##0.00"


def _write_table(book: Any, formats: _Formats, name: str, table: pd.DataFrame, lang: Language) -> None:
    sheet = book.add_worksheet(known(f"report.sheet_{name}", lang, name)[:31])
    columns = [str(c) for c in table.columns]
    heights = 1
    for j, column in enumerate(columns):
        title = column_title(column, lang)
        integer = pd.api.types.is_integer_dtype(table[column]) or _whole(table[column])
        width = _width(title, table[column], number_format(column, integer))
        heights = max(heights, math.ceil(width_of(title) * 2 / (width - 1)))
        number = formats.get(num_format=number_format(column, integer))
        words = formats.get(text_wrap=True)
        sheet.set_column(j, j, width)
        sheet.write_string(0, j, title, formats.header)
        for i, value in enumerate(table[column].tolist(), start=1):
            _write_cell(sheet, i, j, value, number, words, lang)
    sheet.set_row(0, 15.0 * min(heights, 4) + 3)
    if name == "target_feasibility" and "verdict" in columns:
        _colour_verdicts(sheet, formats, table, columns.index("verdict"), lang)
    for column in columns:
        short = "shortfall" in column or column in ("unmet", "amount")
        if short and pd.api.types.is_numeric_dtype(table[column]):
            _data_bar(sheet, columns.index(column), len(table))
    if table.empty:
        sheet.write_string(1, 0, text("report.empty_table", lang), formats.get(font_color="#6B6B6B"))
    else:
        sheet.autofilter(0, 0, len(table), len(columns) - 1)
    sheet.freeze_panes(1, _frozen(columns))
    sheet.repeat_rows(0)
    _print_set_up(sheet, lang)


def _write_cell(sheet: Any, i: int, j: int, value: Any, number: Any, words: Any, lang: Language) -> None:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return
    if isinstance(value, bool):
        sheet.write_string(i, j, text("report.yes" if value else "report.no", lang), words)
    elif isinstance(value, int | float) and math.isfinite(value):
        sheet.write_number(i, j, value, number)
    else:
        said = str(value)
        if len(said) > LONGEST_CELL:
            said = said[:LONGEST_CELL] + text("report.cut", lang)
        if said:
            sheet.write_string(i, j, said, words)


def _whole(column: pd.Series) -> bool:
    if not pd.api.types.is_float_dtype(column):
        return False
    known_values = column.dropna()
    return bool(len(known_values)) and bool((known_values == known_values.round()).all())


def _width(title: str, column: pd.Series, number: str) -> float:
    """Width in characters: what most cells need, not what the longest one would like."""
    values = column.head(_SAMPLE).tolist()
    if pd.api.types.is_float_dtype(column):
        longest = max((len(f"{v:,.0f}") + (3 if "." in number else 0) for v in values if math.isfinite(v)), default=0)
        needed = float(longest)
    else:
        needed = 2 * max((width_of(str(v)[:80]) for v in values), default=0.0)
    heading = 2 * width_of(title)
    heading = heading + 3 if heading <= 16 else heading / 2 + 4
    return min(max(needed + 1.5, heading, _NARROWEST), _WIDEST)


def _frozen(columns: list[str]) -> int:
    """Columns that stay in view: up to the first name, at most three."""
    named = [i for i, c in enumerate(columns[:3]) if c.endswith(("_zh", "_en"))]
    return named[0] + 1 if named else 1


def _colour_verdicts(sheet: Any, formats: _Formats, table: pd.DataFrame, j: int, lang: Language) -> None:
    """Colour beside the word, never instead of it."""
    for i, said in enumerate(table["verdict"].tolist(), start=1):
        for kind, colour in VERDICT_COLOURS.items():
            word = text(f"report.verdict_{kind.replace(' ', '_')}", lang)
            if said == word or (kind == "depends on" and verdict_kind(said) == "" and str(said).startswith(word)):
                sheet.write_string(i, j, said, formats.get(font_color="#FFFFFF", bg_color=colour, text_wrap=True))
                break


def _data_bar(sheet: Any, j: int, rows: int) -> None:
    if rows:
        sheet.conditional_format(1, j, rows, j, {"type": "data_bar", "bar_color": "#E6B8A2"})


def _print_set_up(sheet: Any, lang: Language) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.set_header("&L" + text("report.cover_title", lang) + "&R&A")
    sheet.set_footer("&L" + text("report.label", lang) + "&R" + text("report.page_of", lang))


def _write_cover(
    book: Any, formats: _Formats, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
) -> None:
    sheet = book.add_worksheet(text("report.sheet_cover", lang))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 92)
    sheet.set_row(0, 30)
    sheet.merge_range(0, 0, 0, 1, "")
    sheet.write_string(0, 0, text("report.cover_title", lang), formats.get(font_size=16, valign="vcenter"))
    sheet.merge_range(1, 0, 1, 1, "")
    sheet.write_string(1, 0, text("report.label", lang), formats.get(font_color=VERDICT_COLOURS["not met"]))
    label = formats.get(bg_color="#EEF3F8", border=1, border_color="#D9D9D9")
    words = formats.get(text_wrap=True, border=1, border_color="#D9D9D9")
    for i, (what, said) in enumerate(cover_rows(manifest, tables, lang), start=3):
        sheet.write_string(i, 0, what, label)
        sheet.write_string(i, 1, said[:LONGEST_CELL], words)
        sheet.set_row(i, 15.0 * sum(max(1, math.ceil(2 * width_of(line) / 90)) for line in said.split("\n")) + 3)
    _print_set_up(sheet, lang)


def _write_notes(book: Any, formats: _Formats, manifest: Mapping[str, Any], lang: Language) -> None:
    sheet = book.add_worksheet(text("report.sheet_notes", lang))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 120)
    for i, said in enumerate(note_rows(manifest, lang)):
        sheet.write_string(i, 0, said, formats.get(text_wrap=True))
        sheet.set_row(i, 15.0 * max(1, math.ceil(2 * width_of(said) / 118)) + 4)
    _print_set_up(sheet, lang)


def default_targets(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows of ``target_feasibility`` that make the headline: the default readings."""
    targets = tables["target_feasibility"]
    return targets[is_true(targets["is_default"])]
