"""Sheets of a workbook: formats, widths, heights and print set-up in the house style; text stays text."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from zjsim.report.style import width_of
from zjsim.texts import Language, text

CREATED = dt.datetime(2024, 12, 31, tzinfo=dt.UTC).replace(tzinfo=None)
"""A fixed date of creation, so that equal runs give equal bytes."""

_FONT = {"zh": "微软雅黑", "en": "Calibri"}
_SHARES = ("share", "p_", "gap", "weight", "frequency")
_PROBABILITIES = ("p_meet", "p_low", "p_high", "p_worst", "p_best")
_PLAIN = ("year", "grade", "moe_code", "county_code", "rank")
_WIDEST, _WIDEST_CLAUSE, _WIDEST_TEXT, _NARROWEST = 30.0, 40.0, 60.0, 7.0
_SENTENCES = ("why", "reason", "said", "advice", "repair", "explanation", "what_counts", "note")
_CLAUSES = ("instead", "verdict")
_SAMPLE = 2_000


def new_book(path: Path, lang: Language) -> xlsxwriter.Workbook:
    """A workbook in which no text becomes a formula, a link or a number, and that has no date of the day."""
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": "yyyy-mm-dd",
    }
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties({"title": text("report.cover_title", lang), "created": CREATED, "author": "zjsim"})
    return book


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
    if integer or "hours" in column or column.endswith(("_yuan", "_seats", "_children", "_classes", "population")):
        return "#,##0"
    # From a thousand on nobody reads hundredths.
    return "0.000" if "score" in column else "[>=1000]#,##0;[<=-1000]-#,##0;#,##0.00"


def write_cell(sheet: Any, i: int, j: int, value: Any, number: Any, words: Any, lang: Language) -> None:
    """Write a value: numbers as numbers, yes / no in words, everything else as text."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return
    if isinstance(value, bool):
        sheet.write_string(i, j, text("report.yes" if value else "report.no", lang), words)
    elif isinstance(value, int | float) and math.isfinite(value):
        sheet.write_number(i, j, value, number)
    else:
        if said := str(value):
            sheet.write_string(i, j, said, words)


def is_whole(column: pd.Series) -> bool:
    """Are all known values of a column of floats whole numbers?"""
    if not pd.api.types.is_float_dtype(column):
        return False
    known_values = column.dropna()
    return bool(len(known_values)) and bool((known_values == known_values.round()).all())


def column_width(name: str, title: str, column: pd.Series, number: str) -> float:
    """Width in characters: what most cells need, not what the longest one would like."""
    values = column.head(_SAMPLE).tolist()
    if pd.api.types.is_float_dtype(column):
        shown = [(v, 3 if "." in number and (abs(v) < 1000 or "[" not in number) else 0) for v in values]
        longest = max((len(f"{v:,.0f}") + more for v, more in shown if math.isfinite(v)), default=0)
        needed = float(longest)
    else:
        needed = 1.5 + 2 * max((width_of(str(v)[:80]) for v in values), default=0.0)
    heading = 2 * width_of(title)
    heading = heading + 3 if heading <= 6 else heading / 2 + 4
    widest = _WIDEST_CLAUSE if name.startswith(_CLAUSES) else _WIDEST
    widest = _WIDEST_TEXT if name.startswith(_SENTENCES) else widest
    return min(max(needed + 1.5, heading, _NARROWEST), widest)


def lines_of(value: str, width: float) -> int:
    """Lines that ``value`` takes in a column of ``width`` characters: some spare for words that don't break."""
    needed = sum(max(1, math.ceil(1.95 * width_of(line) / (width - 2.0))) for line in value[:2_000].split("\n"))
    return min(needed, 28)


def frozen_columns(columns: list[str]) -> int:
    """Columns that stay in view: up to the first name, at most three."""
    named = [i for i, c in enumerate(columns[:3]) if c.endswith(("_zh", "_en"))]
    return named[0] + 1 if named else 1


_SHORT_BAR, _BAR = "#E6B8A2", "#B9D6EA"


def data_bar(sheet: Any, j: int, rows: int, *, short: bool, share: bool) -> None:
    """A bar in each cell of a column, as long as its number from 0 on; of a share, from 0 to 1.

    ``short``: what falls short stands in the colour of a warning.
    """
    if rows:
        most = {"max_type": "num", "max_value": 1} if share else {}
        colour = _SHORT_BAR if short else _BAR
        sheet.conditional_format(
            1, j, rows, j,
            {"type": "data_bar", "bar_color": colour, "min_type": "num", "min_value": 0, **most},
        )  # fmt: skip


_A4, _A3 = (9, 190.0), (8, 280.0)
"""Paper and the widths in characters that are still read when shrunk to one page across."""


def print_set_up(sheet: Any, lang: Language, width: float = 0.0, frozen: int = 0) -> None:
    """Across, headings, label and page number on each page; A4, or A3 where ``width`` (characters) needs it.

    What would be too small even there goes on as many pages side by side as it takes, the first ``frozen`` columns on
    each.
    """
    sheet.set_landscape()
    sheet.set_paper(_A4[0] if width <= _A4[1] else _A3[0])
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    pages = max(1, math.ceil(width / _A3[1]))
    sheet.fit_to_pages(pages, 0)
    if pages > 1:
        sheet.repeat_columns(0, max(frozen - 1, 0))
    sheet.set_header("&L" + text("report.cover_title", lang) + "&R&A")
    sheet.set_footer("&L" + text("report.label", lang) + "&R" + text("report.page_of", lang))
