"""``comparison.xlsx``: what differs between runs, inputs first. Values only; equal input gives equal bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from zjsim.report import workbook
from zjsim.report.style import VERDICT_COLOURS, width_of
from zjsim.report.words import code_word, column_title, reading_name, registry_word
from zjsim.tables.published import SUPPRESSED
from zjsim.texts import Language, catalogue, text

SHEETS = (
    "compared_runs", "comparison_notes", "input_changes", "plan_changes", "cost_changes", "seat_changes",
    "target_changes", "outcome_changes",
)  # fmt: skip
"""Sheets in order: what went in, what was planned, what came out."""
SHOWN: dict[str, tuple[str, ...]] = {
    "comparison_notes": ("run", "said"),
    "compared_runs": ("run", "role", "run_id", "zjsim", "as_of", "seed", "replications", "placeholder_share", "folder"),
    "input_changes": ("run", "registry", "name", "key", "column", "kind", "old", "new", "reason"),
    "plan_changes": ("run", "part", "change", "item", "before", "after"),
    "seat_changes": ("run", "county", "year", "measure", "before", "after", "difference"),
    "target_changes": (
        "run", "indicator", "reading", "bound", "p_before", "p_after", "p_difference", "p_difference_low",
        "p_difference_high", "verdict_before", "verdict_after", "mean_before", "mean_after", "difference",
        "difference_low", "difference_high", "replications", "paired",
    ),
    "outcome_changes": (
        "run", "indicator", "unit", "year", "mean_before", "mean_after", "difference", "difference_low",
        "difference_high", "replications", "paired",
    ),
}  # fmt: skip
"""Columns of a wide table that are shown (the CSV file has them all)."""
WEIGHTY_NOTES = (
    "same_run",
    "few",
    "seeds",
    "as_of",
    "horizon",
    "version",
    "program",
    "default_readings",
    "bounds",
    "hidden_once",
)
"""Notes without which numbers of the comparison would be misread: they stand beside the conclusion."""
_CODED = ("role", "kind", "change", "part", "unit")
_MOST_SEAT_ROWS = 20_000
"""Rows of county seats on the sheet; the CSV file has all of them."""


def write_comparison_book(path: Path, tables: Mapping[str, pd.DataFrame], lang: Language) -> None:
    """Cover with the sentences a reader must know, then a sheet for each of :data:`SHEETS`."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        title = text("compare.title", lang)
        tables = named_runs(tables, lang)
        book.set_properties({"title": title, "created": workbook.CREATED, "author": "zjsim"})
        formats = workbook.Formats(book, lang)
        _cover(book, formats, tables, lang)
        for name in (n for n in SHEETS if n in tables):
            shown = in_words(name, tables[name].head(_MOST_SEAT_ROWS), lang)
            workbook.write_table(book, formats, name, shown, lang, [])
            book.worksheets()[-1].set_header("&L" + title + "&R&A")


def in_words(name: str, table: pd.DataFrame, lang: Language) -> pd.DataFrame:
    """The columns a reader of ``lang`` needs, codes, registries and readings in words."""
    columns = [f"{c}_{lang}" if f"{c}_{lang}" in table else c for c in SHOWN.get(name, tuple(table.columns))]
    columns = [c for c in columns if c in table]
    table = table.reset_index(drop=True)
    shown = table[[*columns, *(c for c in (SUPPRESSED,) if c in table and c not in columns)]].copy()
    if name == "input_changes":
        places = list(zip(table["registry"].astype(str), table["column"].astype(str), strict=True))
        shown["registry"] = [registry_word(registry, lang) for registry, _ in places]
        shown["column"] = [column_title(column, lang, registry) for registry, column in places]
        shown["reason"] = [in_language(reason, lang) for reason in table["reason"].fillna("")]
        for side in ("old", "new"):
            cells = zip(table[side], places, strict=True)
            shown[side] = pd.Series([code_word(v, lang) if c == "basis" else v for v, (_, c) in cells], dtype=object)
    if "seed" in shown:
        shown["seed"] = table["seed"].astype(str)
    if "measure" in shown:
        shown["measure"] = [column_title(str(m), lang, "seat_expansion") for m in table["measure"]]
    if "reading" in shown:
        shown["reading"] = [reading_name(r, lang) for r in table["reading"]]
    for column in (c for c in _CODED if c in shown):
        shown[column] = [coded(str(v), lang) for v in table[column]]
    return shown.reset_index(drop=True)


def in_language(reason: object, lang: Language) -> str:
    """A reason given as "zh / en" in one language; any other as it stands."""
    zh, slash, en = str(reason).partition(" / ")
    return (zh if lang == "zh" else en) if slash else str(reason)


def named_runs(tables: Mapping[str, pd.DataFrame], lang: Language) -> dict[str, pd.DataFrame]:
    """The tables with every run under its title and number; of equal titles the scenario's name is told too."""
    runs = tables["compared_runs"]
    if f"title_{lang}" not in runs:
        return dict(tables)
    rows = runs.to_dict("records")
    shared = {(str(r[f"title_{lang}"]), str(r["run_id"])) for r in rows}
    often = [title for title, _ in shared]
    names = {}
    for row in rows:
        title, own = row[f"title_{lang}"], str(row["run_id"])[:6]
        if isinstance(title, str) and title:
            name = f"{title} {row['scenario']}" if often.count(title) > 1 else title
            names[str(row["run"])] = text("compare.named", lang, title=name, id=own)
    return {
        name: table.assign(run=[names.get(str(r), str(r)) for r in table["run"]]) if "run" in table else table
        for name, table in tables.items()
    }


def coded(code: str, lang: Language) -> str:
    """A code of these tables in words."""
    keys = (f"compare.code.{code}", f"report.code.{code}", f"unit.{code}", f"report.sheet_{code}")
    return next((text(key, lang) for key in keys if key in catalogue()), code)


def _cover(book: Any, formats: workbook.Formats, tables: Mapping[str, pd.DataFrame], lang: Language) -> None:
    sheet = book.add_worksheet(text("report.sheet_cover", lang))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 110)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_row(0, 30)
    sheet.write_string(0, 0, text("compare.title", lang), formats.get(font_size=16, valign="vcenter"))
    sheet.write_string(1, 0, text("report.label", lang), formats.get(font_color=VERDICT_COLOURS["not met"]))
    lines = [*headlines(tables, lang), text("compare.how", lang), text("compare.ranges", lang)]
    for i, said in enumerate(lines, start=3):
        sheet.write_string(i, 0, said, formats.get(text_wrap=True))
        sheet.set_row(i, 15.0 * max(1, math.ceil(2 * width_of(said) / 106)) + 4)


def headlines(tables: Mapping[str, pd.DataFrame], lang: Language) -> list[str]:
    """A line per compared run, then per target whose probability or figure changed for certain, in words."""
    runs = tables["compared_runs"]
    base = runs.loc[runs["role"] == "base", "run"].iloc[0]
    lines = [text("compare.base", lang, run=base)]
    for run in runs.loc[runs["role"] == "other", "run"]:
        inputs, plans = (int((tables[t]["run"] == run).sum()) for t in ("input_changes", "plan_changes"))
        seats = tables["seat_changes"]
        counties = seats.loc[seats["run"] == run, "county_code"].nunique()
        lines.append(text("compare.run", lang, run=run, inputs=inputs, plans=plans, counties=counties))
        lines += [f"! {said}" for said in notes_said(tables, str(run), lang)]
        targets = tables["target_changes"]
        own = targets[(targets["run"] == run) & targets["is_default"].map(lambda v: v is True or v == "yes")]
        changed = [_target_line(row, lang) for row in own.to_dict("records") if _certain(row)]
        lines += changed or [text("compare.no_target", lang)]
    return lines


def notes_said(
    tables: Mapping[str, pd.DataFrame], run: str, lang: Language, *, weighty: bool | None = None
) -> list[str]:
    """What a reader must know of a compared run first; ``weighty``: only what would be misread without, or the rest."""
    if "comparison_notes" not in tables:
        return []
    notes = tables["comparison_notes"]
    own = notes[notes["run"].astype(str) == run]
    return [
        str(row[f"said_{lang}"])
        for row in own.to_dict("records")
        if weighty is None or (row["note"] in WEIGHTY_NOTES) == weighty
    ]


def _certain(row: Mapping[str, Any]) -> bool:
    """Whether 0 lies outside the interval of the figure's or the probability's change."""
    return any(row[f"{c}_low"] > 0 or row[f"{c}_high"] < 0 for c in ("difference", "p_difference"))


def _target_line(row: Mapping[str, Any], lang: Language) -> str:
    is_share = row["unit"] == "share"

    def number(value: float) -> str:
        if is_share:
            return f"{100 * value:.3g}%"
        return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"

    unit = "" if is_share else row["unit_zh"] if lang == "zh" else row["unit"]
    return text(
        "compare.target",
        lang,
        indicator=row[f"indicator_{lang}"],
        difference=("+" if row["difference"] > 0 else "") + number(row["difference"]),
        low=number(row["difference_low"]),
        high=number(row["difference_high"]),
        unit=unit if isinstance(unit, str) else "",
        before=f"{row['p_before']:.0%}",
        after=f"{row['p_after']:.0%}",
        verdict_before=row[f"verdict_before_{lang}"],
        verdict_after=row[f"verdict_after_{lang}"],
    )
