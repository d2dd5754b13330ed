"""``plan.xlsx``: the plan for those who carry it out. Values only - no text ever becomes a formula or a link."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from zjsim.report.choices import explained_choices, stated_prices
from zjsim.report.cover import cover_rows, note_rows
from zjsim.report.sheets import CODED, ESSENTIAL, SHEETS
from zjsim.report.style import VERDICT_COLOURS, VERDICT_TINTS, width_of
from zjsim.report.targets import stated_targets
from zjsim.report.words import (
    code_word,
    column_title,
    indicator_name,
    known,
    reading_name,
    shown_columns,
    verdict_kind,
    verdict_word,
)
from zjsim.texts import Language, text

LONGEST_CELL = 32_000
"""Excel holds 32,767 characters in a cell."""

CREATED = dt.datetime(2024, 12, 31, tzinfo=dt.UTC).replace(tzinfo=None)
"""A fixed date of creation, so that equal runs give equal bytes."""

_FONT = {"zh": "微软雅黑", "en": "Calibri"}
_SHARES = ("share", "p_", "gap", "weight", "frequency")
_PROBABILITIES = ("p_meet", "p_low", "p_high", "p_worst", "p_best")
_PLAIN = ("year", "grade", "moe_code", "county_code", "rank")
_WIDEST, _WIDEST_CLAUSE, _WIDEST_TEXT, _NARROWEST = 26.0, 40.0, 60.0, 7.0
_NOTES_WIDTH = 100
"""A single column wider than a page would not be shrunk to it."""
_FALLING_SHORT = ("amount", "unmet", "unplaced", "local_unplaced", "overrun_yuan")
_SENTENCES = ("why", "reason", "said", "advice", "repair", "explanation", "what_counts", "note")
_CLAUSES = ("instead", "verdict")
_READINGS = (
    "seat_shortfalls", "plan_value", "shortfall_distribution", "earliest_certainty", "bottlenecks", "marginal_values",
)  # fmt: skip
"""Tables whose codes of readings are put into words; that of the targets and their inputs are by themselves."""
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
        formats = Formats(book, lang)
        _write_cover(book, formats, manifest, tables, lang)
        for name in SHEETS:
            if name in tables:
                write_table(book, formats, name, _for_reading(name, tables, lang), lang, _colours(name, tables))
        _write_notes(book, formats, manifest, lang)


class Formats:
    """The cell formats of a workbook, each made once."""

    def __init__(self, book: xlsxwriter.Workbook, lang: Language) -> None:
        self._book, self._made = book, dict[str, Any]()
        self._base = {"font_name": _FONT[lang], "font_size": 10, "valign": "top"}

    def get(self, **properties: Any) -> Any:
        """The format with these properties."""
        key = repr(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({**self._base, **properties})
        return self._made[key]

    @property
    def header(self) -> Any:
        """The format of headings."""
        return self.get(
            font_color="#FFFFFF", bg_color="#1F4E79", text_wrap=True, valign="vcenter", align="center", border=1,
            border_color="#D9D9D9",
        )  # fmt: skip


def _for_reading(name: str, tables: Mapping[str, pd.DataFrame], lang: Language) -> pd.DataFrame:
    """The table with the columns a reader of ``lang`` needs and codes of verdicts and readings put into words."""
    table = stated_targets(tables) if name == "target_feasibility" else tables[name]
    if name == "target_feasibility" and not table.empty:
        table = table.assign(
            reading=[reading_name(r, lang) for r in table["reading"]],
            period=[known(f"report.period_{p}", lang, str(p)) if p else "" for p in table["period"]],
            verdict=[verdict_word(row, lang) for _, row in table.iterrows()],
        ).drop(columns=[f"verdict_{other}" for other in ("zh", "en") if f"verdict_{other}" in table])
    if name == "assignment_explanations":
        table = explained_choices(tables, lang)
    if name == "location_coverage":
        table = table[table["unmet"] > 0].reset_index(drop=True)
    if name == "location_limits":
        table = table.assign(year=table["year"].where(table["year"] > 0))
    if name == "assignment_prices":
        table = stated_prices(table)
    if name in _READINGS and "reading" in table:
        table = table.assign(reading=[reading_name(r, lang) if r else "" for r in table["reading"]])
    if name == "deciding_inputs" and not table.empty:
        named = {row["target_id"]: indicator_name(row, lang) for _, row in tables["target_feasibility"].iterrows()}
        indicators = [named.get(t, t) for t in table["target_id"]]
        table = table.assign(reading=[reading_name(r, lang) for r in table["reading"]])
        table.insert(0, "indicator", indicators)
    if "problem" in table:
        table = table.assign(problem=[known(f"report.problem_{p}", lang, p) for p in table["problem"]])
    columns = shown_columns(table, lang)
    worded = table[[*_essential(name, columns), *_details(name, columns)]].copy()
    for column in (c for c in worded.columns if c in CODED):
        worded[column] = pd.Series([code_word(v, lang) for v in table[column]], index=table.index, dtype=object)
    return worded


def _colours(name: str, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """The tint of each row's verdict (none for a target that is not modelled)."""
    if name != "target_feasibility":
        return []
    return [VERDICT_TINTS.get(verdict_kind(v), "") for v in stated_targets(tables)["verdict"]]


def _essential(name: str, columns: list[str]) -> list[str]:
    wanted = ESSENTIAL.get(name)
    if wanted is None:
        return columns
    stems = {c.removesuffix("_zh").removesuffix("_en"): c for c in columns}
    return [stems[c] for c in wanted if c in stems]


def _details(name: str, columns: list[str]) -> list[str]:
    essential = _essential(name, columns)
    return [c for c in columns if c not in essential]


def number_format(column: str, integer: bool) -> str:
    """Excel's number format for a column, from its name's words and unit."""
    if column in _PLAIN or column.endswith(("_year", "_code", "_id")):
        return "0"
    if column in _PROBABILITIES:
        return "0.0%"
    if column.endswith("share_fall"):  # children, not a share
        return "#,##0.00"
    if column == "loss_share":
        return "0.00%"
    if column.startswith(_SHARES) or "share" in column or column.endswith("_gap"):
        return "0.0%"
    if integer or column.endswith(("_yuan", "_seats", "_children", "_classes", "population")):
        return "#,##0"
    return "0.000" if "score" in column else "#,##0.00"


def write_table(
    book: Any, formats: Formats, name: str, table: pd.DataFrame, lang: Language, colours: list[str]
) -> None:
    """One table as a sheet: headings, formats, widths, details folded away, filters and print set-up."""
    sheet = book.add_worksheet(known(f"report.sheet_{name}", lang, name)[:31])
    columns = [str(c) for c in table.columns]
    details = _details(name, columns)
    heights, row_lines = 1, [1] * len(table)
    for j, column in enumerate(columns):
        title = column_title(column, lang, name)
        integer = pd.api.types.is_integer_dtype(table[column]) or _whole(table[column])
        width = _width(column, title, table[column], number_format(column, integer))
        heights = max(heights, math.ceil(width_of(title) * 2 / (width - 1)))
        number = formats.get(num_format=number_format(column, integer))
        words = formats.get(text_wrap=True, indent=1, align="left")
        sheet.set_column(j, j, width, None, {"level": 1, "hidden": True} if column in details else {})
        sheet.write_string(0, j, title, formats.header)
        for i, value in enumerate(table[column].tolist(), start=1):
            _write_cell(sheet, i, j, value, number, words, lang)
            if isinstance(value, str) and column not in details:
                row_lines[i - 1] = max(row_lines[i - 1], _lines(value, width))
    for i, lines in enumerate(row_lines, start=1):
        if lines > 1:
            sheet.set_row(i, 13.5 * lines + 2)
    if details:
        sheet.set_column(len(columns), len(columns), None, None, {"collapsed": True})
    sheet.set_row(0, 15.0 * min(heights, 4) + 3)
    if colours:
        _colour_verdicts(sheet, formats, table, columns.index("verdict"), colours)
    for column in columns:
        short = column in _FALLING_SHORT
        if short and pd.api.types.is_numeric_dtype(table[column]) and table[column].max() > 0:
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


def _width(name: str, title: str, column: pd.Series, number: str) -> float:
    """Width in characters: what most cells need, not what the longest one would like."""
    values = column.head(_SAMPLE).tolist()
    if pd.api.types.is_float_dtype(column):
        longest = max((len(f"{v:,.0f}") + (3 if "." in number else 0) for v in values if math.isfinite(v)), default=0)
        needed = float(longest)
    else:
        needed = 1.5 + 2 * max((width_of(str(v)[:80]) for v in values), default=0.0)
    heading = 2 * width_of(title)
    heading = heading + 3 if heading <= 6 else heading / 2 + 4
    widest = _WIDEST_CLAUSE if name.startswith(_CLAUSES) else _WIDEST
    widest = _WIDEST_TEXT if name.startswith(_SENTENCES) else widest
    return min(max(needed + 1.5, heading, _NARROWEST), widest)


def _lines(value: str, width: float) -> int:
    """Lines that ``value`` takes in a column of ``width`` characters: some spare for words that don't break."""
    needed = sum(max(1, math.ceil(1.95 * width_of(line) / (width - 2.0))) for line in value[:2_000].split("\n"))
    return min(needed, 28)


def _frozen(columns: list[str]) -> int:
    """Columns that stay in view: up to the first name, at most three."""
    named = [i for i, c in enumerate(columns[:3]) if c.endswith(("_zh", "_en"))]
    return named[0] + 1 if named else 1


def _colour_verdicts(sheet: Any, formats: Formats, table: pd.DataFrame, j: int, colours: list[str]) -> None:
    """Colour beside the word, never instead of it."""
    for i, (said, colour) in enumerate(zip(table["verdict"].tolist(), colours, strict=True), start=1):
        if colour:
            sheet.write_string(i, j, said, formats.get(bg_color=colour, text_wrap=True, indent=1, align="left"))


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
    book: Any, formats: Formats, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
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


def _write_notes(book: Any, formats: Formats, manifest: Mapping[str, Any], lang: Language) -> None:
    sheet = book.add_worksheet(text("report.sheet_notes", lang))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, _NOTES_WIDTH)
    for i, said in enumerate(note_rows(manifest, lang)):
        sheet.write_string(i, 0, said, formats.get(text_wrap=True))
        sheet.set_row(i, 15.0 * max(1, math.ceil(2 * width_of(said) / (_NOTES_WIDTH - 2))) + 4)
    _print_set_up(sheet, lang)
