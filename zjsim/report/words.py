"""Words for what stands in the tables: column titles, verdicts, readings, statuses, numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import pandas as pd

from zjsim.tables.registries import REGISTRIES
from zjsim.texts import Language, catalogue, text

VERDICTS = ("not met", "met", "undecided", "depends on")
"""The longer beginning first: ``not met`` is no ``met``."""


def known(key: str, lang: Language, otherwise: Any, **values: object) -> Any:
    """The text ``key`` if there is one, ``otherwise`` if not: scenarios may bring words of their own."""
    return text(key, lang, **values) if key in catalogue() else otherwise


@cache
def column_title(column: str, lang: Language, table: str = "") -> str:
    """Heading of a column (of ``table``): from the texts, else from the first registry that has it, else its name."""
    stem = column.removesuffix("_zh").removesuffix("_en")
    for own in (f"table_columns.{table}.{column}", f"table_columns.{table}.{stem}"):
        if own in catalogue():
            return text(own, lang)
    if f"columns.{column}" in catalogue():
        return text(f"columns.{column}", lang)
    for registry in REGISTRIES.values():
        if column in registry.by_name:
            declared = registry.by_name[column]
            return declared.zh if lang == "zh" else declared.en
    return text(f"columns.{stem}", lang) if f"columns.{stem}" in catalogue() else column


def shown_columns(table: pd.DataFrame, lang: Language) -> list[str]:
    """Columns for a reader of ``lang``: not those in the other language, nor a code whose words stand beside it."""
    other = "_en" if lang == "zh" else "_zh"
    names = [str(c) for c in table.columns]
    stems = {c.removesuffix(f"_{lang}") for c in names}
    kept = [c for c in names if not (c.endswith(other) and c.removesuffix(other) in stems)]
    return [c for c in kept if f"{c}_{lang}" not in names]


def verdict_kind(verdict: object) -> str:
    """Which of :data:`VERDICTS` a verdict begins with; empty if none (not modelled yet)."""
    return next((v for v in VERDICTS if str(verdict).startswith(v)), "")


def verdict_word(row: Mapping[str, Any] | pd.Series, lang: Language, *, short: bool = False) -> str:
    """The verdict of a row of ``target_feasibility`` in words; ``short`` leaves out what it depends on."""
    verdict = str(row["verdict"])
    kind = verdict_kind(verdict)
    if not kind:
        return text("report.verdict_not_modelled", lang)
    if short:
        return text(f"report.verdict_{'depends_short' if kind == 'depends on' else kind.replace(' ', '_')}", lang)
    said = row.get(f"verdict_{lang}", "")
    if isinstance(said, str) and said:
        return said
    return (text(f"report.verdict_{kind.replace(' ', '_')}", lang) + " " + verdict.removeprefix(kind).strip()).strip()


def indicator_name(row: Mapping[str, Any] | pd.Series, lang: Language) -> str:
    """The indicator of a row of ``target_feasibility`` or ``yearly_outcomes`` in ``lang``."""
    named = row.get(f"indicator_{lang}", "")
    return str(named) if isinstance(named, str) and named else str(row["indicator"])


def reading_name(reading: object, lang: Language) -> str:
    """Short name of a reading of a target."""
    return str(known(f"report.reading.{reading}", lang, str(reading)))


def registry_word(name: str, lang: Language) -> str:
    """The title of a registry; what is none is a parameter of the scenario."""
    if name not in REGISTRIES:
        return text("compare.parameters", lang)
    registry = REGISTRIES[name]
    return registry.zh if lang == "zh" else registry.en


def code_word(value: object, lang: Language) -> object:
    """The word for a code of a result table (a stage, a role, a unit, a basis); anything else comes back as it is."""
    if not isinstance(value, str) or not value:
        return value
    return next((text(k, lang) for k in _code_keys(value) if k in catalogue()), value)


def _code_keys(code: str) -> tuple[str, ...]:
    return f"report.code.{code}", f"unit.{code}", f"report.basis_{code}"


def status_word(solve: Mapping[str, Any], lang: Language) -> str:
    """Solver status with its gap, and how many of the goals it concerns where they are known."""
    status, goals = str(solve["status"]), list(solve.get("stages", ()))
    gap, left_open = percent(solve.get("gap"), 2), sum(float(goal["gap"]) > 0 for goal in goals)
    if status == "feasible" and left_open:
        return text("report.status_feasible_goals", lang, goals=len(goals), open=left_open, gap=gap)
    return str(known(f"report.status_{status}", lang, status, gap=gap))


def percent(value: object, digits: int = 1) -> str:
    """A share as per cent; a dash if unknown."""
    number = _number(value)
    return "–" if number is None else f"{100 * number:.{digits}f}%"


def quantity(value: object) -> str:
    """A quantity with thousands separators and no needless digits; a dash if unknown."""
    number = _number(value)
    if number is None:
        return "–"
    if abs(number) >= 100 or number == round(number):
        return f"{number:,.0f}"
    return f"{number:,.3g}"


def total(column: pd.Series) -> str:
    """The sum of a column of a published table; at least that much where cells of it are hidden."""
    said = quantity(column.sum())
    return f"≥ {said}" if column.isna().any() else said


def sum_or_unknown(column: pd.Series) -> float:
    """The sum of a column, not a number where a cell of it is hidden."""
    return float(column.sum(skipna=False))


def known_sum(frame: pd.DataFrame) -> pd.Series:
    """Row by row the sum of columns, unknown where one of them is hidden."""
    added: pd.Series = frame.astype(float).sum(axis=1, skipna=False)
    return added


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, each by column."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def is_true(column: pd.Series) -> pd.Series:
    """A boolean column however it came: as booleans, or as yes / no when read from a file."""
    return column.map(lambda v: v is True or str(v).lower() in ("yes", "true", "1")).astype(bool)
