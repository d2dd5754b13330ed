"""A county's own extract of a plan: the rows of that county and nothing of any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from zjsim.report.cover import note_rows
from zjsim.report.sheet import Formats, new_book
from zjsim.report.sheets import SHEETS
from zjsim.report.tasks import tasks
from zjsim.report.workbook import for_reading, write_cover, write_notes, write_table
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.values import nearest
from zjsim.texts import Language, text

EXTRA = ("seat_classes",)
"""Tables of counties that are no sheets of the province's workbook."""
_UNSHOWN = ("location_limits",)


def counties_of(tables: Mapping[str, pd.DataFrame], lang: Language) -> dict[str, str]:
    """Code and name of every county that the plan of seats has."""
    table = tables["seat_expansion"].drop_duplicates("county_code")
    column = f"county_{lang}" if f"county_{lang}" in table else "county_code"
    return {str(c): str(n) for c, n in zip(table["county_code"], table[column], strict=True)}


def county_tables(tables: Mapping[str, pd.DataFrame], codes: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The tables that have a row for each county, with the rows of ``codes`` only."""
    found = {}
    for name in (*SHEETS, *EXTRA):
        if name in tables and "county_code" in tables[name] and name not in _UNSHOWN:
            table = tables[name]
            found[name] = table[table["county_code"].astype(str).isin(codes)].reset_index(drop=True)
    return found


def write_county_book(
    path: Path,
    manifest: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    codes: Sequence[str],
    lang: Language,
) -> None:
    """The workbook of ``codes``: cover, tasks, the sheets of the plan, notes. Equal input gives equal bytes.

    Raises ``InputErrors`` with the nearest code for one the plan does not know.
    """
    names = counties_of(tables, lang)
    unknown = [c for c in codes if c not in names]
    if unknown:
        theme = "memo.problem_with"
        raise InputErrors(
            [finding("county", "--county", value=c, fix=nearest(c, list(names)), theme=theme) for c in unknown]
        )
    own = county_tables(tables, codes)
    with new_book(path, lang) as book:
        formats = Formats(book, lang)
        write_cover(book, formats, _cover(manifest, [f"{names[c]} ({c})" for c in codes], lang), lang)
        write_table(book, formats, "tasks", tasks(own, lang), lang, [])
        for name, table in own.items():
            if len(table):
                write_table(book, formats, name, for_reading(name, {**own, name: table}, lang), lang, [])
        write_notes(book, formats, note_rows(manifest, lang), lang)


def _cover(manifest: Mapping[str, Any], names: Sequence[str], lang: Language) -> list[tuple[str, str]]:
    header = manifest["header"]
    rows = [
        ("county", "\n".join(names)),
        ("scenario", f"{header[f'title_{lang}']} ({manifest['scenario']})"),
        ("base", manifest["base"]),
        ("as_of", manifest["as_of"]),
        ("horizon", manifest["horizon"]),
        ("seed", str(manifest["seed"])),
        ("version", f"zjsim {manifest['zjsim']}"),
        ("run", manifest["run_id"]),
        ("audit", text("report.cover_audit_passed", lang)),
    ]
    return [(text(f"report.cover_{what}", lang), said) for what, said in rows if said]
