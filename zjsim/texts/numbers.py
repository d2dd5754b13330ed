"""Numbers in sentences, alike in all languages."""

from __future__ import annotations

import math


def significant(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, thousands separated, never in powers of ten; – if it is not finite."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    behind = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    said = f"{value:,.{min(behind, 9)}f}"
    return said.rstrip("0").rstrip(".") if "." in said else said
