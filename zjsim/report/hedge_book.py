"""``hedge.xlsx``: what to begin now, for those who decide it. Values only; equal input gives equal bytes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from zjsim.report import workbook
from zjsim.report.words import known
from zjsim.tables.published import SUPPRESSED
from zjsim.texts import Language, text

SHEETS = (
    "hedge_statements",
    "hedge_areas",
    "hedge_openings",
    "hedge_values",
    "hedge_plans",
    "hedge_evaluation",
    "hedge_empty_seats",
    "hedge_scenarios",
    "hedge_inputs",
)
"""Sheets in order; the decisions by scenario and the range of children are tables only."""

ESSENTIAL: dict[str, tuple[str, ...]] = {
    "hedge_areas": (
        "county_code", "county_zh", "county_en", "decision", "advice_zh", "advice_en", "start_cost_yuan",
        "saved_by_beginning_yuan", "p_later_building", "expected_cost_yuan", "vss_yuan", "expected_without_place",
    ),
    "hedge_plans": (
        "county_code", "county_zh", "county_en", "plan", "start_cost_yuan", "expected_cost_yuan",
        "expected_capital_yuan", "expected_purchase_yuan", "expected_penalty_yuan", "expected_without_place",
        "cvar_yuan",
    ),
}  # fmt: skip
"""Columns shown of a wide table (the CSV file has them all); elsewhere all but the code of the area."""
_DECISIONS = {"begin_now": 0, "wait": 1, "enough": 2}
CODED = ("topic", "decision", "plan", "value_of", "measure", "kind", "stage", "scenarios", "uncertainty_id")
"""Columns whose values are codes with a word in the texts (``hedge.code``, else those of all workbooks)."""


def write_hedge_book(
    path: Path, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
) -> None:
    """Cover with the notes a reader must know, then a sheet for each of :data:`SHEETS`."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": text("hedge.cover_title", lang), "created": workbook.CREATED, "author": "zjsim"})
        formats = workbook.Formats(book, lang)
        _cover(book, formats, manifest, lang)
        for name in SHEETS:
            workbook.write_table(book, formats, name, in_words(name, tables[name], lang), lang, [])


def in_words(name: str, table: pd.DataFrame, lang: Language) -> pd.DataFrame:
    """The columns a reader of ``lang`` needs (only the essential ones of a wide table), codes in words."""
    other = "en" if lang == "zh" else "zh"
    columns = [c for c in table.columns if c != other and not c.endswith(f"_{other}")]
    first = [c for c in ESSENTIAL.get(name, ()) if c in columns]
    if name == "hedge_areas":
        # What is begun comes first, the largest sums at the top.
        order = table["decision"].map(_DECISIONS)
        table = table.assign(order=order).sort_values(
            ["order", "start_cost_yuan"], ascending=[True, False], kind="stable"
        )
    kept = first or [c for c in columns if c != "area_code"]
    shown = table[[*kept, *(c for c in (SUPPRESSED,) if c in table and c not in kept)]].reset_index(drop=True)
    for column in (c for c in CODED if c in shown):
        words = [word(str(v), lang) for v in shown[column]]
        shown[column] = pd.Series(words, index=shown.index, dtype=object)
    return shown


def word(code: str, lang: Language) -> str:
    """A code of these tables in words."""
    return str(known(f"hedge.code.{code}", lang, known(f"report.code.{code}", lang, code)))


def _cover(book: Any, formats: Any, manifest: Mapping[str, Any], lang: Language) -> None:
    sheet = book.add_worksheet(text("report.sheet_cover", lang))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 110)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    h = manifest["parameters"]["hedge"]
    title = formats.get(font_size=16, valign="vcenter")
    sheet.set_row(0, 30)
    sheet.write_string(0, 0, text("hedge.cover_title", lang), title)
    sheet.write_string(1, 0, text("report.label", lang), formats.get(font_color="#D55E00"))
    values = {
        "title": manifest["header"][f"title_{lang}"],
        "scenario": manifest["scenario"],
        "as_of": manifest["as_of"],
        "scenarios": prod(h["branching"]),
        "branching": " × ".join(str(b) for b in h["branching"]),
        "fresh": h["fresh_scenarios"],
        "futures": h["fresh_scenarios"] * prod(h["branching"][1:]),
        "local": f"{h['local_price_yuan']:,.0f}",
        "place": f"{h['place_price_yuan']:,.0f}",
        "share": f"{h['share_price_yuan']:,.0f}",
        "gap": f"{h['relative_gap']:.2%}",
        "level": f"{h['cvar_level']:.0%}",
    }
    words = formats.get(text_wrap=True)
    for i, key in enumerate(("what", "prices", "values", "evaluation", "limits"), start=3):
        said = text(f"hedge.note.{key}", lang, **values)
        sheet.write_string(i, 0, said, words)
        sheet.set_row(i, 15.0 * (1 + len(said) * (2 if lang == "zh" else 1) // 105) + 4)
