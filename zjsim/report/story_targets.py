"""What the story says of the targets: each with its statement, its readings, and what turns it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from zjsim.report.blocks import Grid
from zjsim.report.likelihood import Likelihood, chance, likelihood, probability, statement
from zjsim.report.targets import stated_targets
from zjsim.report.words import code_word, indicator_name, is_true, quantity, reading_name, records
from zjsim.texts import Language, text
from zjsim.texts.numbers import significant

Tables = Mapping[str, pd.DataFrame]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """A reading of a target: its row of ``target_feasibility``, what can be said, and the rows that explain it.

    ``input_row`` is the row of ``deciding_inputs`` that turns it, ``relief`` the row of ``marginal_values`` of the
    resource that helps it the most, ``counts`` its row of ``target_readings``.
    """

    row: Row
    is_default: bool
    found: Likelihood | None
    input_row: Row | None
    relief: Row | None
    counts: Row | None

    @property
    def p_required(self) -> float:
        """The probability that counts as met."""
        return float(self.row.get("p_required", 0.9))

    def name(self, lang: Language) -> str:
        """The indicator."""
        return indicator_name(self.row, lang)

    def said(self, lang: Language) -> str:
        """The statement in words."""
        mode = math.nan if self.input_row is None else float(self.input_row["mode"])
        return statement(self.row, lang, mode, found=self.found)

    def required(self, lang: Language) -> str:
        """What the target demands."""
        if pd.isna(self.row["bound"]):
            return text("memo.feasibility.not_falling", lang)
        unit = unit_of(self.row, lang)
        bound = amount(float(self.row["bound"]), self.row)
        if str(self.row.get("unit", "")) == "share":
            unit = ""
        said = text("memo.feasibility.at_least", lang, bound=bound, unit=unit).strip()
        period = str(self.row.get("period", "") or "")
        words = text(f"report.period_{period}", lang) if period else ""
        return f"{words}{'' if lang == 'zh' else ', '}{said}" if words else said

    def input_cells(self, lang: Language) -> tuple[str, ...]:
        """The cells of the table of deciding inputs."""
        row = self.input_row
        assert row is not None
        low, mode, high = (significant(float(row[c])) for c in ("low", "mode", "high"))
        basis = str(code_word(row.get("basis", ""), lang))
        dash = "—" if lang == "zh" else "–"
        between = f"（{low}{dash}{high}）" if lang == "zh" else f" ({low}{dash}{high})"
        turns: str = (
            significant(float(row["break_even"])) if not pd.isna(row["break_even"]) else text("memo.unknown", lang)
        )
        return self.name(lang), str(row[f"input_{lang}"]), f"{mode}{between}", turns, basis


def unit_of(row: Row, lang: Language) -> str:
    """The unit of a target in ``lang``."""
    return str((row.get("unit_zh") if lang == "zh" else None) or row.get("unit", "") or "")


def amount(value: float, row: Row) -> str:
    """A quantity of a target: shares as per cent."""
    if math.isnan(value):
        return "–"
    if str(row.get("unit", "")) == "share":
        return f"{100 * value:.1f}%".replace(".0%", "%")
    return quantity(value) if abs(value) >= 100 or value == round(value) else f"{value:.1f}"


def judged_targets(tables: Tables) -> list[Judged]:
    """Every reading of every target in the order of ``target_feasibility``, those not modelled last."""
    targets = stated_targets(tables)
    default = is_true(targets["is_default"])
    deciding = _by_reading(tables.get("deciding_inputs"))
    reliefs = _reliefs(tables.get("marginal_values"))
    counts = _by_reading(tables.get("target_readings"))
    found = []
    for own, row in zip(default, records(targets), strict=True):
        key = (str(row["target_id"]), str(row["reading"]))
        turning = next(
            (r for r in deciding.get(key, []) if r["input_id"] == row.get("deciding_input") and row["deciding_input"]),
            None,
        )
        relief = reliefs.get(key)
        counting = counts.get(key, [None])[0]
        found.append(Judged(row, bool(own), likelihood(row), turning, relief, counting))
    return found


def _by_reading(table: pd.DataFrame | None) -> dict[tuple[str, str], list[Row]]:
    rows: dict[tuple[str, str], list[Row]] = {}
    for row in records(table) if table is not None else ():
        rows.setdefault((str(row["target_id"]), str(row["reading"])), []).append(row)
    return rows


def _reliefs(table: pd.DataFrame | None) -> dict[tuple[str, str], Row]:
    """By reading the relief for the whole province that lifts its probability, then its mean, the most."""
    best: dict[tuple[str, str], Row] = {}
    for row in records(table) if table is not None else ():
        if str(row["place_code"]) != "330000" or pd.isna(row["p_change"]):
            continue
        if not float(row["gain"]) > 0 or (not pd.isna(row["gain_low"]) and float(row["gain_low"]) <= 0):
            continue
        key = (str(row["target_id"]), str(row["reading"]))
        if key not in best or _worth(row) > _worth(best[key]):
            best[key] = row
    return best


def _worth(row: Row) -> tuple[float, float]:
    share = row["gain_share_of_tenth"]
    return float(row["p_change"]), 0.0 if pd.isna(share) else float(share)


def targets_grid(judged: list[Judged], tables: Tables, lang: Language) -> Grid:
    """The default readings: what is required, what is expected, the statement and both ranges."""
    rows, tints = [], []
    for j in (j for j in judged if j.is_default):
        if j.found is None:
            rows.append((j.name(lang), j.required(lang), text("memo.unknown", lang), j.said(lang), ""))
            tints.append("")
            continue
        low, mean, high = (amount(float(j.row[c]), j.row) for c in ("p05", "mean", "p95"))
        if pd.isna(j.row["bound"]):  # the smallest yearly change, not a level
            low, mean, high = (f"{100 * float(j.row[c]):+.2f}%" for c in ("p05", "mean", "p95"))
        numbers = {c: probability(float(j.row[c])) for c in ("p_low", "p_high", "p_worst", "p_best")}
        expected = text("memo.feasibility.expected", lang, mean=mean, p05=low, p95=high)
        rows.append(
            (j.name(lang), j.required(lang), expected, j.said(lang), text("memo.feasibility.ranges", lang, **numbers))
        )
        tints.append("probable" if j.found.probable else "improbable" if j.found.improbable else "even")
    names = ("target", "required", "expected", "statement", "ranges")
    return Grid(
        text("memo.feasibility.title", lang), tuple(text(f"memo.column.{c}", lang) for c in names), tuple(rows),
        (2.3, 2.0, 2.8, 4.2, 3.0), (False, False, False, False, False), "target_feasibility", tuple(tints),
    )  # fmt: skip


def readings_grid(judged: list[Judged], tables: Tables, lang: Language) -> tuple[Grid, list[str]]:
    """Targets with several readings side by side, and the names of those that are judged differently by reading."""
    by_target: dict[str, list[Judged]] = {}
    for j in judged:
        if j.found is not None:
            by_target.setdefault(str(j.row["target_id"]), []).append(j)
    rows, differing = [], []
    for group in by_target.values():
        if len(group) < 2:
            continue
        group = sorted(group, key=lambda j: not j.is_default)
        sides = {j.found.probable - j.found.improbable for j in group if j.found}
        if len(sides) > 1:
            differing.append(group[0].name(lang))
        for j in group:
            assert j.found is not None
            mark = "*" if j.is_default else ""
            what = str(j.counts[f"what_counts_{lang}"]) if j.counts else ""
            word = text(f"memo.grade.{j.found.grade}", lang)
            rows.append((j.name(lang), reading_name(j.row["reading"], lang) + mark, what, chance(j.found.p), word))
    names = ("target", "reading", "counts", "probability", "statement")
    heads = tuple(text(f"memo.column.{c}", lang) for c in names)
    widths, numeric = (2.6, 2.1, 4.7, 1.8, 2.6), (False, False, False, True, False)
    return Grid(text("memo.readings.title", lang), heads, tuple(rows), widths, numeric, "target_feasibility"), differing


def comparison_grid(before: Tables, after: Tables, lang: Language) -> Grid:
    """Probabilities of the default readings of two runs and their difference."""
    old = {(j.row["target_id"], j.row["reading"]): j for j in judged_targets(before)}
    rows = []
    for j in judged_targets(after):
        other = old.get((j.row["target_id"], j.row["reading"]))
        if not j.is_default or j.found is None or other is None or other.found is None:
            continue
        change = j.found.p - other.found.p
        sign = "±0" if abs(change) < 0.005 else f"{change:+.2f}".replace("-", "−")
        rows.append((j.name(lang), chance(other.found.p), chance(j.found.p), sign, j.said(lang)))
    names = ("target", "before", "after", "change", "statement")
    heads = tuple(text(f"memo.column.{c}", lang) for c in names)
    numeric = (False, True, True, True, False)
    title = text("memo.changes.title", lang)
    return Grid(title, heads, tuple(rows), (3.0, 1.3, 1.3, 1.3, 5.0), numeric, "target_feasibility")
