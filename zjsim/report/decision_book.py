"""Workbooks of explorations, rankings and the like: a cover with what a reader must know, then a sheet per table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import xlsxwriter

from zjsim.report import workbook
from zjsim.report.style import VERDICT_COLOURS, width_of
from zjsim.report.words import code_word, reading_name, shown_columns
from zjsim.texts import Language, text

_CODED = (
    *("basis", "unit", "kind", "law", "scope", "calibration", "advised"),
    *("role", "over"),
    *("cost_unit", "direction", "used_for", "why", "measure"),
)

_CODES = ("target_id", "input_id", "lever_id", "process", "outcome")
"""Columns of codes whose words stand beside them."""


def write_decision_book(
    path: Path,
    title: str,
    notes: Sequence[str],
    tables: Mapping[str, pd.DataFrame],
    lang: Language,
    sentences: Sequence[str] = (),
) -> None:
    """``title`` and ``notes`` are keys of texts, ``sentences`` go before the notes as they are.

    Values only, equal input gives equal bytes.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": text(title, lang), "created": workbook.CREATED, "author": "zjsim"})
        formats = workbook.Formats(book, lang)
        sheet = book.add_worksheet(text("report.sheet_cover", lang))
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 110)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_row(0, 30)
        sheet.write_string(0, 0, text(title, lang), formats.get(font_size=16, valign="vcenter"))
        sheet.write_string(1, 0, text("report.label", lang), formats.get(font_color=VERDICT_COLOURS["not met"]))
        for i, said in enumerate([*sentences, *(text(note, lang) for note in notes)], start=3):
            sheet.write_string(i, 0, said, formats.get(text_wrap=True))
            sheet.set_row(i, 15.0 * max(1, math.ceil(2 * width_of(said) / 106)) + 4)
        for name, table in tables.items():
            workbook.write_table(book, formats, name, in_words(table, lang), lang, [])
            book.worksheets()[-1].set_header("&L" + text(title, lang) + "&R&A")


def in_words(table: pd.DataFrame, lang: Language) -> pd.DataFrame:
    """The columns a reader of ``lang`` needs, readings and codes in words."""
    shown = table[[c for c in shown_columns(table, lang) if c not in _CODES]].copy()
    if "reading" in shown:
        shown["reading"] = pd.Series([reading_name(r, lang) for r in table["reading"]], index=table.index, dtype=object)
    for column in (c for c in _CODED if c in shown):
        shown[column] = pd.Series([code_word(v, lang) for v in table[column]], index=table.index, dtype=object)
    return shown
