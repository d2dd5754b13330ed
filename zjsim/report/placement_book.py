"""``placement.xlsx``: one school year's placement for those who carry it out. Values only; equal input, equal bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from zjsim.report.sheet import CREATED, Formats, new_book
from zjsim.report.visible import visible
from zjsim.report.words import known
from zjsim.report.workbook import write_table
from zjsim.texts import Language, text

SHEETS = (
    "placement_fairness",
    "placement_unplaced",
    "placement_repairs",
    "placement_repair_steps",
    "placement_stability",
    "placement_extra_seats",
    "placement_coupled",
    "placement_prices",
    "placement_exchanges",
    "placement_seat_values",
    "placement_difference",
    "placement_cutoffs",
    "placement_envy",
    "placement_openings",
)
"""Sheets in order; a table without rows, or with more than :data:`MOST_ROWS`, is told on the cover."""

MOST_ROWS = 20_000
CODED = ("mode", "kind", "who", "rule", "repair", "unit", "later_unit", "status")
"""Columns whose values are codes with a word in the texts (``placement.code``)."""
_FOLDED = {
    "placement_extra_seats": ("county_code", "school_id", "kind", "extra_seats"),
    "placement_repairs": ("county_code", "unit"),
}
"""Columns left out where a sentence makes the sheet wide (the CSV files have them all)."""
_GOALS = ("goal", "later_goal")
_ORDERS = ("goal_order", "later_order")


def write_placement_book(
    path: Path,
    facts: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    names: Mapping[str, Mapping[str, str]],
    lang: Language,
) -> None:
    """Cover, then a sheet for each of :data:`SHEETS` that has rows; how exact the plan is stands on every page.

    ``facts["proof"]`` says it where the tables are those for publication.

    ``facts``: title, scenario, year, children, counties, switches. ``names``: names of counties and schools by code.
    """
    proof = facts["proof"] if "proof" in facts else proven(tables, lang)
    there = [name for name in SHEETS if name in tables]
    left_out = {name: len(tables[name]) for name in there if not 0 < len(tables[name]) <= MOST_ROWS}
    with new_book(path, lang) as book:
        book.set_properties({"title": text("placement.book.title", lang), "created": CREATED, "author": "zjsim"})
        formats = Formats(book, lang)
        _cover(book, formats, {**facts, "proof": proof}, left_out, lang)
        for name in there:
            if name not in left_out:
                write_table(book, formats, name, in_words(name, tables[name], names, lang), lang, [])
        for sheet in book.worksheets():
            sheet.set_header("&L" + text("placement.book.title", lang) + "&R&A")
            # Two lines below the table: room for them.
            sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.95)
            footer = f"&L{proof}\n{text('report.label', lang)}&R{text('report.page_of', lang)}"
            sheet.set_footer(footer, {"margin": 0.35})


def proven(tables: Mapping[str, pd.DataFrame], lang: Language) -> str:
    """How exact the plan is, in words: by prices, or with the largest gap where rules couple children."""
    coupled = tables["placement_coupled"]
    whole = coupled[coupled["part"] > 0]
    if whole.empty:
        return text("placement.book.exact", lang)
    parts = len(whole[["county_code", "part"]].drop_duplicates())
    gap = float(whole["gap"].max())
    said = f"{gap:.2%}" if math.isfinite(gap) else text("placement.unproven", lang)
    return text("placement.book.gap", lang, parts=parts, gap=said)


def in_words(name: str, table: pd.DataFrame, names: Mapping[str, Mapping[str, str]], lang: Language) -> pd.DataFrame:
    """The columns a reader of ``lang`` needs: names beside codes, codes of rules and goals in words, one sentence."""
    shown = table.reset_index(drop=True).drop(columns=["year", *(c for c in _ORDERS if c in table)], errors="ignore")
    for code, named in (("county_code", "county"), ("school_id", "school")):
        if code in shown and names.get(named):
            words = shown[code].astype(str).map(names[named]).fillna("")
            shown.insert(list(shown.columns).index(code) + 1, named, words)
    for column in (c for c in CODED if c in shown):
        shown[column] = _column(shown, column, [code_word(str(v), lang) for v in shown[column]])
    for column in (c for c in _GOALS if c in shown):
        shown[column] = _column(shown, column, [goal_word(str(v), lang) for v in shown[column]])
    if "grade" in shown:
        shown["grade"] = shown["grade"].where(shown["grade"] > 0)
    shown = shown.drop(columns=[c for c in _FOLDED.get(name, ()) if c in shown])
    if lang in shown:
        other = "en" if lang == "zh" else "zh"
        shown = shown.drop(columns=[other]).rename(columns={lang: f"said_{lang}"})
    return shown


def _column(table: pd.DataFrame, column: str, words: list[str]) -> pd.Series:
    return pd.Series(words, index=table.index, dtype=object)


def code_word(code: str, lang: Language) -> str:
    """A code of these tables in words; tiers by number."""
    if code.startswith("tier_"):
        return text("placement.code.tier", lang, tier=code.removeprefix("tier_"))
    return str(known(f"placement.code.{code.replace(' ', '_')}", lang, code))


def goal_word(name: str, lang: Language) -> str:
    """A goal's name in words."""
    if not name.startswith("tier"):
        return str(known(f"placement.goal.{name}", lang, name))
    tier, part = name.removeprefix("tier").split(".")
    return text("placement.goal.of_tier", lang, tier=tier, goal=text(f"placement.goal.{part}", lang))


def _cover(book: Any, formats: Formats, facts: Mapping[str, Any], left_out: Mapping[str, int], lang: Language) -> None:
    sheet = book.add_worksheet(text("report.sheet_cover", lang))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 110)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_row(0, 30)
    sheet.write_string(0, 0, text("placement.book.title", lang), formats.get(font_size=16, valign="vcenter"))
    sheet.write_string(1, 0, text("report.label", lang), formats.get(font_color="#D55E00"))
    words = formats.get(text_wrap=True)
    lines = [text(f"placement.book.note.{key}", lang, **facts) for key in ("what", "modes", "claims", "goals")]
    lines += [text("placement.book.note.switches", lang, **facts)] if facts["switches"] else []
    lines.append(text("placement.book.note.basis", lang, **facts))
    for name, rows in left_out.items():
        title = known(f"report.sheet_{name}", lang, name)
        key = "empty" if not rows else "long"
        lines.append(text(f"placement.book.{key}", lang, sheet=title, rows=rows, file=f"{name}.csv"))
    for i, said in enumerate(map(visible, lines), start=3):
        sheet.write_string(i, 0, said, words)
        sheet.set_row(i, 15.0 * (1 + len(said) * (2 if lang == "zh" else 1) // 105) + 4)
