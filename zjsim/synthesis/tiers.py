"""Tiers of admission by county: a residence permit, the county rule, and bands of points within it (M109).

Which tiers there are follows published rules (home owners and talent permits apart, two lines of points, those
without points after those with, permit holders outside the rule, nobody displaced); each county's lines are drawn
within the range of the parameters unless one is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from zjsim.synthesis.draws import triangular, uniforms
from zjsim.synthesis.placement_settings import Settings

HOME_OR_TALENT, UPPER, MIDDLE, LOWER, PERMIT_ONLY, NO_PERMIT = range(1, 7)
"""Tiers in the order of their claim; 1-4 are eligible by county rule, 1-5 hold a permit."""
ELIGIBLE = (HOME_OR_TALENT, UPPER, MIDDLE, LOWER)
ORDERED_BY_MONTHS = {"330782"}
"""Counties whose rule ranks by months of pension insurance instead of points (义乌)."""

_MONTHS = (12, 36, 180)
"""Lower and upper line and most months where months rank: a full year is asked for, three years are long."""
_DECIMALS = (2, 10)
"""Parts of a point in counties that do not count whole ones."""
_NAMES = (
    ("持证且有房或持人才居住证", "Permit with own home or talent permit"),
    ("持证、符合县规、积分达上线", "Permit, county rule, points at the upper line"),
    ("持证、符合县规、积分达下线", "Permit, county rule, points at the lower line"),
    ("持证、符合县规、积分未达线", "Permit, county rule, points below the lines"),
    ("持证、未符合县规", "Permit, county rule not met"),
    ("未持证（引导回户籍地）", "No permit (guided to the place of hukou)"),
)


@dataclass(frozen=True, slots=True)
class TierLines:
    """A county's lines in parts of a point (``parts`` make one point), and the most that a family reaches."""

    lower: int
    upper: int
    most: int
    parts: int
    by_months: bool


def lines_of(code: str, rules: pd.DataFrame, settings: Settings, year: int, seed: int) -> TierLines:
    """A county's lines for ``year``: the known one of its rule in force, else drawn, in whole fives."""
    if code in ORDERED_BY_MONTHS:
        return TierLines(*_MONTHS, 1, True)
    u = uniforms(seed, "tiers", code, 4)
    lower = 5 * round(float(triangular(*settings.lower_line_points, u[:1])[0]) / 5)
    gap = max(5, 5 * round(float(triangular(*settings.line_gap_points, u[1:2])[0]) / 5))
    parts = 1 if u[2] >= settings.decimal_counties_share else _DECIMALS[int(u[3] * len(_DECIMALS))]
    known = _known_line(code, rules, year)
    if known is not None:
        lower = known - gap
    upper = lower + gap
    return TierLines(lower * parts, upper * parts, round(upper + settings.points_above_line) * parts, parts, False)


def _known_line(code: str, rules: pd.DataFrame, year: int) -> int | None:
    """The points asked for in town by the county's latest rule in force."""
    known = rules[(rules["place_code"] == code) & rules["minimum_points"].notna() & (rules["year_from"] <= year)]
    return None if known.empty else int(known.sort_values("year_from")["minimum_points"].iloc[-1])


def band(lines: TierLines, tier: int) -> tuple[int, int]:
    """Least and most points of a tier with points, in parts."""
    return {
        HOME_OR_TALENT: (0, lines.most),
        UPPER: (lines.upper, lines.most),
        MIDDLE: (lines.lower, lines.upper - 1),
        LOWER: (0, lines.lower - 1),
    }[tier]


def tier_table(lines: Mapping[str, TierLines]) -> pd.DataFrame:
    """Registry ``tier_rules`` of the counties in ``lines``, sorted by county and tier."""
    rows = []
    for code in sorted(lines):
        own = lines[code]
        for tier, (zh, en) in enumerate(_NAMES, start=1):
            least = {UPPER: own.upper, MIDDLE: own.lower}.get(tier)
            below = {MIDDLE: own.upper, LOWER: own.lower}.get(tier)
            ordered = tier in ELIGIBLE
            rows.append(
                {
                    "county_code": code,
                    "tier": tier,
                    "name_zh": zh,
                    "name_en": en,
                    "needs_permit": tier < NO_PERMIT,
                    "needs_county_rule": ordered,
                    "minimum_points": np.nan if least is None else least / own.parts,
                    "below_points": np.nan if below is None else below / own.parts,
                    "order_by": ("insurance_months" if own.by_months else "points") if ordered else "none",
                    "points_step": 1 / own.parts if ordered else np.nan,
                    "source_id": "method_tier_rules",
                    "basis": "synthetic",
                }
            )
    return pd.DataFrame(rows)
