"""``tasks``: who has to do what by when, one line each, with the row of the run's tables that says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from zjsim.report.words import quantity, records
from zjsim.texts import Language, text

FACILITIES = ("platform_plan", "campus_plan", "practice_centre_plan", "kindergarten_plan")
COLUMNS = ("due", "begin", "who", "county_code", "county", "what", "amount", "unit", "table", "key")
"""``due`` and ``begin`` are dates; ``table`` and ``key`` are what ``zjsim trace`` asks for."""
_SEATS = (
    ("classes_opened", "report.task_classes", "classes"),
    ("rooms_added", "report.task_rooms", "classrooms"),
    ("new_schools", "report.task_schools", "schools"),
    ("placed_purchased", "report.task_purchases", "places"),
)

Row = dict[str, Any]


def tasks(tables: Mapping[str, pd.DataFrame], lang: Language) -> pd.DataFrame:
    """Every task of a plan by due date: facilities to open, seats to add or buy; disciplines that lead come last."""
    rows = [*_leads(tables, lang), *_facilities(tables, lang), *_seats(tables, lang)]
    rows.sort(key=lambda r: (r["due"] == "", r["due"], r["begin"], r["county_code"], r["table"], r["key"]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _leads(tables: Mapping[str, pd.DataFrame], lang: Language) -> Iterator[Row]:
    for name in ("lead_assignments", "heritage_pairs"):
        for row in records(tables[name]) if name in tables else ():
            role = str(row.get("role", "lead"))
            values = {what: _word(row, what, lang) for what in ("industry", "discipline")}
            yield {
                "due": "", "begin": "", "who": _word(row, "university", lang), "county_code": "", "county": "",
                "what": text(f"report.task_{role}", lang, **values), "amount": 1, "unit": "", "table": name,
                "key": f"industry_id={row['industry_id']},moe_code={row['moe_code']}",
            }  # fmt: skip


def _facilities(tables: Mapping[str, pd.DataFrame], lang: Language) -> Iterator[Row]:
    for name in FACILITIES:
        for row in records(tables[name]) if name in tables else ():
            county = _word(row, "county", lang)
            yield {
                "due": str(row["open_date"]), "begin": str(row["start_date"]),
                "who": _word(row, "university", lang) or county, "county_code": str(row["county_code"]),
                "county": county, "what": text("report.task_open", lang, kind=_word(row, "kind", lang)), "amount": 1,
                "unit": "", "table": name, "key": f"opening_id={row['opening_id']}",
            }  # fmt: skip


def _seats(tables: Mapping[str, pd.DataFrame], lang: Language) -> Iterator[Row]:
    expansion = tables.get("seat_expansion")
    for row in records(expansion) if expansion is not None else ():
        for column, key, unit in _SEATS:
            if column not in row or pd.isna(row[column]) or not row[column] > 0:
                continue
            county, year = _word(row, "county", lang), int(row["year"])
            yield {
                "due": f"{year}-09-01", "begin": "", "who": county, "county_code": str(row["county_code"]),
                "county": county, "what": text(key, lang, n=quantity(row[column])), "amount": float(row[column]),
                "unit": text(f"report.task_unit_{unit}", lang), "table": "seat_expansion",
                "key": f"county_code={row['county_code']},year={year}",
            }  # fmt: skip


def _word(row: Mapping[str, Any], what: str, lang: Language) -> str:
    value = row.get(f"{what}_{lang}")
    return value if isinstance(value, str) else ""
