"""Writing registries as an Excel workbook that a planner can fill in and give back: one sheet per registry.

Row 1 has the Chinese titles with units, row 2 the English ones, row 3 the columns' names; all three stay in view.
Lists, ranges and references are offered as drop-downs, codes are text so that no zero is lost, and the bases have
colours. Equal tables give equal bytes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from errno import ENOENT
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.tables.schema import BASES, Column, Registry
from zjsim.tables.sheets import GUIDE_SHEET, LISTS_SHEET, SCENARIO_SHEET, titles
from zjsim.tables.workbook import column_letters
from zjsim.tables.writer import exact_cells, refuse_folder
from zjsim.texts import LANGUAGES, text

if TYPE_CHECKING:
    import pandas as pd

HEADER_ROWS = 3
CREATED = datetime(2024, 12, 31)
SPARE_ROWS = 500
"""Rows below the last one that have drop-downs as well."""
LONGEST_LIST = 255
"""Characters of a drop-down list that Excel takes directly; longer ones are written on a sheet of their own."""
BASIS_COLOURS = dict(
    zip(BASES, ("#C6E0B4", "#DDEBF7", "#FFF2CC", "#E2EFDA", "#FCE4D6", "#F8CBAD", "#D9D9D9"), strict=True)
)


def write_inputs(
    path: Path,
    registries: Mapping[str, Registry],
    tables: Mapping[str, pd.DataFrame],
    parameters: Sequence[tuple[str, str, str]],
    title: tuple[str, str],
) -> None:
    """Write ``tables`` (an absent one as an empty sheet) and ``parameters`` (path, value, default as TOML) to ``path``.

    ``title`` is the scenario's in zh and en. The file is written beside its place and moved there when complete.
    """
    import tempfile

    import xlsxwriter

    refuse_folder(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT), str(path.parent))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    partial = Path(name)
    try:
        with open(handle, "wb") as stream:
            options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
            book = xlsxwriter.Workbook(stream, {**options, "in_memory": True})
            book.set_properties({"title": f"{title[0]} / {title[1]}", "created": CREATED, "author": "zjsim"})
            _Writer(book, registries, tables).write(parameters, title)
            book.close()
        partial.chmod(0o644)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


class _Writer:
    """Writes one workbook."""

    def __init__(self, book: Any, registries: Mapping[str, Registry], tables: Mapping[str, pd.DataFrame]) -> None:
        self.book, self.registries, self.tables = book, registries, tables
        base = {"font_size": 10, "valign": "top"}
        self.title = book.add_format({**base, "bold": True, "bg_color": "#D9E1F2", "text_wrap": True})
        self.subtitle = book.add_format({**base, "italic": True, "bg_color": "#EDF1F9", "text_wrap": True})
        self.name = book.add_format({**base, "bg_color": "#BDD0E9", "bottom": 1})
        self.key = book.add_format({**base, "bg_color": "#9DB8DC", "bottom": 1, "bold": True})
        self.text = book.add_format({**base, "num_format": "@"})
        self.number = book.add_format(base)
        self.wrapped = book.add_format({**base, "text_wrap": True})
        self.colours = {b: book.add_format({"bg_color": c}) for b, c in BASIS_COLOURS.items()}
        self.lists: dict[tuple[str, ...], str] = {}

    def write(self, parameters: Sequence[tuple[str, str, str]], title: tuple[str, str]) -> None:
        self._guide(title)
        self._parameters(parameters)
        sheets = {name: self.book.add_worksheet(name) for name in self.registries}
        for name, registry in self.registries.items():
            self._registry(sheets[name], registry)
        self._lists()

    def _guide(self, title: tuple[str, str]) -> None:
        sheet = self.book.add_worksheet(GUIDE_SHEET)
        sheet.set_column(0, 0, 100, self.wrapped)
        row = 0
        for said in title:
            sheet.write_string(row, 0, said, self.title)
            row += 1
        for lang in ("zh", "en"):
            for line in text("tables.workbook.guide", lang).strip().split("\n"):
                sheet.write_string(row, 0, line, self.wrapped)
                row += 1
        for basis in BASES:
            zh, en = (text(f"tables.workbook.basis.{basis}", lang) for lang in LANGUAGES)
            sheet.write_string(row, 0, f"{basis}: {zh} / {en}", self.colours[basis])
            row += 1

    def _parameters(self, parameters: Sequence[tuple[str, str, str]]) -> None:
        sheet = self.book.add_worksheet(SCENARIO_SHEET)
        sheet.set_column(0, 0, 45, self.text)
        sheet.set_column(1, 2, 60, self.text)
        for row, cells in enumerate([("path", "value", "default"), *parameters]):
            for column, cell in enumerate(cells):
                sheet.write_string(row, column, cell, self.name if not row else self.text)
        sheet.freeze_panes(1, 1)

    def _registry(self, sheet: Any, registry: Registry) -> None:
        table = self.tables.get(registry.name)
        count = 0 if table is None else len(table)
        last = HEADER_ROWS + count + SPARE_ROWS
        for i, column in enumerate(registry.columns):
            zh, en = titles(column)
            is_text = column.kind not in ("integer", "number") or bool(column.separator)
            sheet.set_column(i, i, _width(column), self.text if is_text else self.number)
            sheet.write_string(0, i, zh, self.title)
            sheet.write_string(1, i, en, self.subtitle)
            sheet.write_string(2, i, column.name, self.key if column.name in registry.key else self.name)
            if help_text := "\n".join(t for t in (column.help_zh, column.help_en) if t):
                sheet.write_comment(2, i, help_text[:1000])
            if table is not None:
                self._cells(sheet, i, exact_cells(table[column.name]), is_text)
            self._drop_down(sheet, i, last, column, registry)
            if column.choices == BASES:
                for basis, colour in self.colours.items():
                    rule = {"type": "cell", "criteria": "==", "value": f'"{basis}"', "format": colour}
                    sheet.conditional_format(HEADER_ROWS, i, last, i, rule)
        if registry.columns:
            sheet.autofilter(2, 0, max(HEADER_ROWS + count - 1, HEADER_ROWS), len(registry.columns) - 1)
        sheet.freeze_panes(HEADER_ROWS, min(len(registry.key), 3))

    def _cells(self, sheet: Any, column: int, cells: list[str], is_text: bool) -> None:
        for row, cell in enumerate(cells, HEADER_ROWS):
            if not cell:
                continue
            if is_text or float(f"{float(cell):.16G}") != float(cell):  # more digits than the file format takes
                sheet.write_string(row, column, cell)
            else:
                sheet.write_number(row, column, float(cell))

    def _drop_down(self, sheet: Any, i: int, last: int, column: Column, registry: Registry) -> None:
        if column.separator:
            return
        rule: dict[str, Any] | None = None
        if column.kind in ("choice", "boolean"):
            rule = {"validate": "list", "source": self._source(column.choices or ("yes", "no"))}
        elif column.ref and "|" not in column.ref:
            other, _, name = column.ref.partition(".")
            rule = {"validate": "list", "source": self._reference(other, name)}
        elif column.kind in ("integer", "number") and column.minimum is not None and column.maximum is not None:
            kind = "integer" if column.kind == "integer" else "decimal"
            rule = {"validate": kind, "criteria": "between", "minimum": column.minimum, "maximum": column.maximum}
        if rule is not None:
            sheet.data_validation(HEADER_ROWS, i, last, i, {**rule, "ignore_blank": not column.required})

    def _source(self, choices: Sequence[str]) -> list[str] | str:
        if len(",".join(choices)) <= LONGEST_LIST:
            return list(choices)
        return self.lists.setdefault(
            tuple(choices), f"='{LISTS_SHEET}'!${_letter(len(self.lists))}$1:${_letter(len(self.lists))}${len(choices)}"
        )

    def _reference(self, other: str, name: str) -> str:
        target = self.registries[other]
        at = _letter([c.name for c in target.columns].index(name))
        table = self.tables.get(other)
        count = (0 if table is None else len(table)) + SPARE_ROWS
        return f"='{other}'!${at}${HEADER_ROWS + 1}:${at}${HEADER_ROWS + count}"

    def _lists(self) -> None:
        sheet = self.book.add_worksheet(LISTS_SHEET)
        for column, choices in enumerate(self.lists):
            for row, choice in enumerate(choices):
                sheet.write_string(row, column, choice)
        sheet.hide()


def _letter(column: int) -> str:
    return column_letters(column)


def _width(column: Column) -> float:
    if column.kind == "text":
        return 28
    return min(max(len(column.name) + 2, 10), 24)


def write_error_list(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Write findings (as of ``Finding.record``) as a workbook: one row each, filterable, errors in red."""
    import io

    import xlsxwriter

    from zjsim.tables.writer import write_atomic

    columns = ("severity", "file", "sheet", "line", "letter", "column", "value", "rule", "fix", "zh", "en")
    stream = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    book = xlsxwriter.Workbook(stream, options)
    book.set_properties({"title": "zjsim check", "created": CREATED, "author": "zjsim"})
    bold, wrapped = book.add_format({"bold": True, "bg_color": "#D9E1F2"}), book.add_format({"text_wrap": True})
    red = book.add_format({"font_color": "#C00000"})
    sheet = book.add_worksheet("errors")
    for i, name in enumerate(columns):
        sheet.write_string(0, i, text(f"tables.workbook.error_column.{name}", "zh"), bold)
        sheet.write_string(1, i, name, bold)
        sheet.set_column(i, i, 60 if name in ("zh", "en") else 14, wrapped if name in ("zh", "en") else None)
    row = 2
    for record in records:
        for line in [record["line"], *record["also_lines"]]:
            for i, name in enumerate(columns):
                value = line if name == "line" else record[name]
                style = red if record["severity"] == "error" and name == "severity" else None
                if isinstance(value, int):
                    sheet.write_number(row, i, value)
                elif value not in ("", None):
                    sheet.write_string(row, i, str(value), style)
            row += 1
    sheet.freeze_panes(2, 0)
    sheet.autofilter(1, 0, max(row - 1, 2), len(columns) - 1)
    book.close()
    write_atomic(path, stream.getvalue())
