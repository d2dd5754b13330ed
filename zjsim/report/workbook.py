"""``plan.xlsx``: the plan for those who carry it out. Values only - no text ever becomes a formula or a link."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from xlsxwriter.utility import xl_rowcol_to_cell

from zjsim.report.choices import explained_choices, stated_prices
from zjsim.report.cover import cover_rows, note_rows
from zjsim.report.sheet import (
    CREATED,
    Formats,
    column_width,
    data_bar,
    frozen_columns,
    is_whole,
    lines_of,
    new_book,
    number_format,
    print_set_up,
    write_cell,
)
from zjsim.report.sheets import BARS, CODED, ESSENTIAL, ESSENTIAL_OF_ANSWERS, FULL, SHEETS, TOTALS
from zjsim.report.style import VERDICT_COLOURS, VERDICT_TINTS, width_of
from zjsim.report.targets import stated_targets
from zjsim.report.tasks import tasks
from zjsim.report.visible import LONGEST_SENTENCE, visible
from zjsim.report.words import (
    code_word,
    column_title,
    indicator_name,
    known,
    reading_name,
    registry_word,
    shown_columns,
    verdict_kind,
    verdict_word,
)
from zjsim.tables.published import MARK, SUPPRESSED, hidden_cells
from zjsim.texts import Language, text

__all__ = ["CREATED", "Formats", "for_reading", "number_format", "write_table", "write_workbook"]


_NOTES_WIDTH = 100
"""A single column wider than a page would not be shrunk to it."""
_FALLING_SHORT = ("amount", "unmet", "unplaced", "local_unplaced", "overrun_yuan")
_READINGS = (
    "seat_shortfalls", "plan_value", "shortfall_distribution", "earliest_certainty", "bottlenecks", "marginal_values",
)  # fmt: skip
"""Tables whose codes of readings are put into words; that of the targets and their inputs are by themselves."""


def write_workbook(path: Path, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> None:
    """Write the workbook of a run: cover, a sheet for each of :data:`SHEETS`, notes. Equal input gives equal bytes."""
    with new_book(path, lang) as book:
        formats = Formats(book, lang)
        write_cover(book, formats, cover_rows(manifest, tables, lang), lang)
        for name in SHEETS:
            if name in tables:
                write_table(book, formats, name, for_reading(name, tables, lang), lang, _colours(name, tables))
            if name == "seat_senior":
                write_table(book, formats, "tasks", tasks(tables, lang), lang, [])
        write_notes(book, formats, note_rows(manifest, lang), lang)


PEOPLE_AND_CLASSES = (
    "classes_started", "person_times_all", "p05", "p95", "person_times_social", "person_times_strict", "completed",
    "lost",
)  # fmt: skip
"""Means that are told as whole numbers in the sheet of training by provider."""


def for_reading(name: str, tables: Mapping[str, pd.DataFrame], lang: Language) -> pd.DataFrame:
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
    if name == "people_ledger":
        table = table[table["allotted_hours"] > 0].reset_index(drop=True)
    if name in ("people_ledger", "people_summary"):
        table = table.assign(activity=[known(f"people.activity.{a}", lang, a) for a in table["activity"]])
    if name == "training_by_provider":
        table = table.round(dict.fromkeys(PEOPLE_AND_CLASSES, 0))
    if name == "assignment_prices":
        table = stated_prices(table)
    if name in _READINGS and "reading" in table:
        table = table.assign(reading=[reading_name(r, lang) if r else "" for r in table["reading"]])
    if name == "deciding_inputs" and not table.empty:
        named = {row["target_id"]: indicator_name(row, lang) for _, row in tables["target_feasibility"].iterrows()}
        indicators = [named.get(t, t) for t in table["target_id"]]
        table = table.assign(reading=[reading_name(r, lang) for r in table["reading"]])
        table.insert(0, "indicator", indicators)
    if name in _NAMED:
        table = _NAMED[name](table, tables, lang)
    if "problem" in table:
        table = table.assign(problem=[known(f"report.problem_{p}", lang, p) for p in table["problem"]])
    columns = shown_columns(table, lang)
    worded = table[[*_essential(name, columns), *_details(name, columns)]].copy()
    for column in (c for c in worded.columns if c in CODED):
        worded[column] = pd.Series([code_word(v, lang) for v in table[column]], index=table.index, dtype=object)
    return worded


def _sources_named(table: pd.DataFrame, tables: Mapping[str, pd.DataFrame], lang: Language) -> pd.DataFrame:
    return table.assign(registry=[registry_word(str(r), lang) for r in table["registry"]])


def _readings_named(table: pd.DataFrame, tables: Mapping[str, pd.DataFrame], lang: Language) -> pd.DataFrame:
    return table.assign(
        reading=[reading_name(r, lang) for r in table["reading"]],
        period=[known(f"report.period_{p}", lang, str(p)) if p else "" for p in table["period"]],
    )


def _norms_named(table: pd.DataFrame, tables: Mapping[str, pd.DataFrame], lang: Language) -> pd.DataFrame:
    """The document of a norm by its title."""
    used = tables.get("sources_used")
    if used is None or "norm_source" not in table:
        return table
    titles = dict(zip(used["source_id"], used[f"title_{lang}"], strict=True))
    return table.assign(norm_source=[titles.get(s) or s for s in table["norm_source"]])


def _changes_named(table: pd.DataFrame, tables: Mapping[str, pd.DataFrame], lang: Language) -> pd.DataFrame:
    column = f"registry_{lang}"
    named = zip(table["registry"], table[column], strict=True)
    return table.assign(**{column: [registry_word(str(r), lang) if r == n else n for r, n in named]})


_NAMED = {
    "sources_used": _sources_named,
    "target_readings": _readings_named,
    "seat_staff": _norms_named,
    "input_changes": _changes_named,
}
"""Tables with codes that a reader needs by name."""


def _colours(name: str, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """The tint of each row's verdict (none for a target that is not modelled)."""
    if name != "target_feasibility":
        return []
    return [VERDICT_TINTS.get(verdict_kind(v), "") for v in stated_targets(tables)["verdict"]]


def _essential(name: str, columns: list[str]) -> list[str]:
    wanted = ESSENTIAL.get(name) or ESSENTIAL_OF_ANSWERS.get(name)
    if wanted is None or "run" in columns:  # a comparison's table of the same name: all of it is shown
        return columns
    stems = {c.removesuffix("_zh").removesuffix("_en"): c for c in columns}
    return [stems[c] for c in wanted if c in stems]


def _details(name: str, columns: list[str]) -> list[str]:
    essential = _essential(name, columns)
    return [c for c in columns if c not in essential]


def write_table(
    book: Any, formats: Formats, name: str, table: pd.DataFrame, lang: Language, colours: list[str]
) -> None:
    """One table as a sheet: headings, formats, widths, details folded away, filters and print set-up."""
    sheet = book.add_worksheet(known(f"report.sheet_{name}", lang, name)[:31])
    hidden = hidden_cells(table)
    table = table.drop(columns=[c for c in (SUPPRESSED,) if c in table])
    columns = [str(c) for c in table.columns]
    details = _details(name, columns)
    heights, row_lines, across = 1, [1] * len(table), 0.0
    for j, column in enumerate(columns):
        title = column_title(column, lang, name)
        integer = pd.api.types.is_integer_dtype(table[column]) or is_whole(table[column])
        width = column_width(column, title, table[column], number_format(column, integer))
        if column in TOTALS.get(name, ()) and pd.api.types.is_numeric_dtype(table[column]):
            width = max(width, _room_for_sum(table[column]))
        across += 0.0 if column in details else width
        heights = max(heights, math.ceil(width_of(title) * 2 / (width - 1)))
        number = formats.get(num_format=number_format(column, integer))
        words = formats.get(text_wrap=True, indent=1, align="left")
        sheet.set_column(j, j, width, None, {"level": 1, "hidden": True} if column in details else {})
        sheet.write_string(0, j, title, formats.header)
        for i, value in enumerate(table[column].tolist(), start=1):
            if i - 1 in hidden.get(column, ()):
                sheet.write_string(i, j, MARK, formats.get(align="right", font_color="#6B6B6B"))
                continue
            if isinstance(value, str):
                value = visible(value)
                if value.endswith("…") and len(value) == LONGEST_SENTENCE:
                    value = value[:-1] + text("report.cut", lang)
            write_cell(sheet, i, j, value, number, words, lang)
            if isinstance(value, str) and column not in details:
                row_lines[i - 1] = max(row_lines[i - 1], lines_of(value, width))
    for i, lines in enumerate(row_lines, start=1):
        if lines > 1:
            sheet.set_row(i, 13.5 * lines + 2)
    if details:
        sheet.set_column(len(columns), len(columns), None, None, {"collapsed": True})
    sheet.set_row(0, 15.0 * min(heights, 4) + 3)
    if colours:
        _colour_verdicts(sheet, formats, table, columns.index("verdict"), colours)
    for column in columns:
        short = column in _FALLING_SHORT and name != "tasks"
        barred = short or column in BARS.get(name, ())
        if barred and pd.api.types.is_numeric_dtype(table[column]) and table[column].max() > 0:
            data_bar(sheet, columns.index(column), len(table), short=short, share=column in FULL)
    if not table.empty:
        below = _totals(sheet, formats, name, table, lang)
        if any(c in hidden for c in columns):
            said = text("published.mark", lang, mark=MARK)
            sheet.write_string(below + 1, 0, said, formats.get(font_color="#6B6B6B", text_wrap=False))
    if table.empty:
        sheet.write_string(1, 0, text("report.empty_table", lang), formats.get(font_color="#6B6B6B"))
    else:
        sheet.autofilter(0, 0, len(table), len(columns) - 1)
        # Codes are text on purpose: no green corner on each of them.
        sheet.ignore_errors({"number_stored_as_text": f"A2:{xl_rowcol_to_cell(len(table), len(columns) - 1)}"})
    sheet.freeze_panes(1, frozen_columns(columns))
    sheet.repeat_rows(0)
    print_set_up(sheet, lang, across, frozen_columns(columns))


def _room_for_sum(column: pd.Series) -> float:
    """Width in characters of the sum below a column: bold, with separators and decimals if it has any."""
    return 1.15 * len(f"{math.fsum(column.dropna().tolist()):,.2f}") + 1.5


def _totals(sheet: Any, formats: Formats, name: str, table: pd.DataFrame, lang: Language) -> int:
    """A row of sums below the table: formulas that follow the filter, with the sum of all rows as their value.

    Returns the first free row below.
    """
    columns = [str(c) for c in table.columns]
    summed = [c for c in TOTALS.get(name, ()) if c in columns and pd.api.types.is_numeric_dtype(table[c])]
    last = len(table)
    if not summed:
        return last + 1
    style: dict[str, Any] = {"bold": True, "top": 1, "bg_color": "#EEF3F8"}
    sheet.write_string(last + 1, 0, text("report.total_shown", lang), formats.get(**style))
    for column in summed:
        j = columns.index(column)
        cells = f"{xl_rowcol_to_cell(1, j)}:{xl_rowcol_to_cell(last, j)}"
        whole = pd.api.types.is_integer_dtype(table[column]) or is_whole(table[column])
        number = formats.get(num_format=number_format(column, whole), **style)
        value = math.fsum(table[column].dropna().tolist())
        sheet.write_formula(last + 1, j, f"=SUBTOTAL(109,{cells})", number, int(value) if whole else value)
    return last + 2


def _colour_verdicts(sheet: Any, formats: Formats, table: pd.DataFrame, j: int, colours: list[str]) -> None:
    """Colour beside the word, never instead of it."""
    for i, (said, colour) in enumerate(zip(table["verdict"].tolist(), colours, strict=True), start=1):
        if colour:
            sheet.write_string(i, j, said, formats.get(bg_color=colour, text_wrap=True, indent=1, align="left"))


def write_cover(book: Any, formats: Formats, rows: Sequence[tuple[str, str]], lang: Language) -> None:
    """The first sheet: title, label, and a label and a value in each row."""
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
    for i, (what, whole) in enumerate(rows, start=3):
        said = "\n".join(visible(line) for line in whole.split("\n"))
        sheet.write_string(i, 0, what, label)
        sheet.write_string(i, 1, said, words)
        sheet.set_row(i, 15.0 * sum(max(1, math.ceil(2 * width_of(line) / 90)) for line in said.split("\n")) + 3)
    print_set_up(sheet, lang)


def write_notes(book: Any, formats: Formats, notes: Sequence[str], lang: Language) -> None:
    """The last sheet: what a reader must know."""
    sheet = book.add_worksheet(text("report.sheet_notes", lang))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, _NOTES_WIDTH)
    for i, said in enumerate(notes):
        sheet.write_string(i, 0, said, formats.get(text_wrap=True))
        sheet.set_row(i, 15.0 * max(1, math.ceil(2 * width_of(said) / (_NOTES_WIDTH - 2))) + 4)
    print_set_up(sheet, lang)
