"""Feasibility in words: a grade of the probability by the wider of its two ranges, and the condition that turns it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from zjsim.report.words import verdict_kind
from zjsim.texts import Language, text
from zjsim.texts.numbers import significant

GRADES = (
    (0.99, "certain"),
    (0.9, "very_likely"),
    (0.66, "likely"),
    (0.33, "even"),
    (0.1, "unlikely"),
    (0.01, "very_unlikely"),
    (0.0, "impossible"),
)
"""Least probability of each word, the strongest first (the scale of assessments of uncertainty, both ends alike)."""
_ORDER = tuple(name for _, name in reversed(GRADES))
_PURE = ("share", "ratio", "probability", "share of the registry", "factor")
"""Units that a sentence does without."""


@dataclass(frozen=True)
class Likelihood:
    """What is said of a target: the word's code, the probability, the wider range, and what turns the statement."""

    grade: str
    p: float
    low: float
    high: float
    condition: str = ""
    value: float = math.nan

    @property
    def probable(self) -> bool:
        """Can it be expected to be met?"""
        return self.grade in ("certain", "very_likely", "likely")

    @property
    def improbable(self) -> bool:
        """Can it be expected to be missed?"""
        return self.grade in ("unlikely", "very_unlikely", "impossible")

    @property
    def fragile(self) -> bool:
        """Expected to be met, while the wider range reaches below one half."""
        return self.probable and self.low < 0.5


def grade_of(p: float) -> str:
    """The word's code for a probability."""
    return next(name for least, name in GRADES if p >= least - 1e-12)


def likelihood(row: Mapping[str, Any] | pd.Series) -> Likelihood | None:
    """What a row of ``target_feasibility`` allows to be said; ``None`` for a target that is not modelled.

    The wider of simulation error (p_low, p_high) and input range (p_worst, p_best) counts. On one side of 0.5, its end
    nearest to 0.5 is graded. Across 0.5 the probability itself is, but not above very likely (below very unlikely) and
    only with the condition that turns the verdict - without one not above likely (below unlikely).
    """
    if not verdict_kind(row["verdict"]) or pd.isna(row["p_meet"]):
        return None
    p = float(row["p_meet"])
    ranges = [(float(row[a]), float(row[b])) for a, b in (("p_low", "p_high"), ("p_worst", "p_best"))]
    known = [(a, b) for a, b in ranges if not (math.isnan(a) or math.isnan(b))] or [(p, p)]
    low, high = max(known, key=lambda r: r[1] - r[0])
    low, high = min(low, p), max(high, p)
    turning = row.get("break_even", math.nan)
    value = math.nan if not isinstance(turning, int | float) else float(turning)
    named = isinstance(row.get("deciding_input", ""), str) and bool(row.get("deciding_input", ""))
    condition = ""
    if named and not math.isnan(value):
        condition = "fails" if p >= float(row.get("p_required", 0.9)) else "holds"
    if low >= 0.5 or high < 0.5:
        return Likelihood(_one_sided(p, low, high), p, low, high, condition, value)
    most = 1 if condition else 2
    place = min(max(_ORDER.index(grade_of(p)), most), len(_ORDER) - 1 - most)
    return Likelihood(_ORDER[place], p, low, high, condition, value)


def _one_sided(p: float, low: float, high: float) -> str:
    """The word for the end nearest to 0.5; a probability that is likely itself (unlikely) is not called even."""
    grade = grade_of(low if low >= 0.5 else high)
    if grade != "even":
        return grade
    return "likely" if p >= 0.66 else "unlikely" if p < 0.33 else grade


def probability(p: float) -> str:
    """A probability with two digits, three where two would make it 0 or 1."""
    digits = 2 if 0.005 <= p < 0.995 else 3
    return f"{p:.{digits}f}".rstrip("0").rstrip(".")


def chance(p: float) -> str:
    """The probability of a simulation, which never proves that it is 0 or 1."""
    return ">0.99" if p >= 0.995 else "<0.01" if p < 0.005 else probability(p)


def about(p: float, lang: Language) -> str:
    """``about 0.9``; near the ends that it is above 0.99 or below 0.01, as no simulation proves certainty."""
    if p > 0.99:
        return text("memo.grade.above_99", lang)
    if p < 0.01:
        return text("memo.grade.below_01", lang)
    return text("memo.grade.about", lang, p=probability(p))


def statement(
    row: Mapping[str, Any] | pd.Series, lang: Language, mode: float = math.nan, *, found: Likelihood | None = None
) -> str:
    """The sentence about a target, as in the memo's table; ``mode`` is the deciding input's most likely value."""
    said = found or likelihood(row)
    if said is None:
        return text("memo.grade.not_modelled", lang)
    values: dict[str, Any] = {"grade": text(f"memo.grade.{said.grade}", lang), "about": about(said.p, lang)}
    if said.condition and not math.isnan(mode):
        unit = str(row.get("break_even_unit_zh" if lang == "zh" else "break_even_unit", "") or "")
        number = significant(said.value)
        pure = str(row.get("break_even_unit", "")) in _PURE
        values["value"] = number if pure or not unit else text("memo.grade.value", lang, value=number, unit=unit)
        values["input"] = str(row[f"deciding_input_{lang}"])
        side = "above" if said.value > mode else "below"
        return text(f"memo.grade.{said.condition}_{side}", lang, **values)
    if grade_of(said.low) == grade_of(said.high):
        return text("memo.grade.plain", lang, **values)
    return text("memo.grade.spread", lang, low=probability(said.low), high=probability(said.high), **values)
