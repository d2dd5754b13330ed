"""Can a run be repeated to the byte? Not if the clock stopped one of its solves: another machine gets further."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_OWN_GAPS = {
    "locations": ("locations", "platform_relative_gap"),
    "seats": ("seats", "county_relative_gap"),
}
"""Problems whose goals may stop at a gap of their own: section and name of the parameter."""
UNPROVEN = "unproven"
_STATED = {
    "assignment_explanations": ("class_0", "class_1", "class_5"),
    "assignment_alternatives": ("proven",),
    "assignment_prices": ("proven",),
}
"""Tables whose solves share a clock of their own, and the columns that say whether it struck."""


def standings(tables: Mapping[str, pd.DataFrame]) -> set[str]:
    """What a run states of the choices, alternatives and prices of its assignment; ``unproven`` if time ran out."""
    found = set()
    for name, columns in _STATED.items():
        for column in (c for c in columns if name in tables and c in tables[name]):
            values = {str(v) for v in tables[name][column]}
            found |= {UNPROVEN if v in ("False", "no") else v for v in values}
    return found


def stopped_by_clock(
    parameters: Mapping[str, Any], solves: Mapping[str, Mapping[str, Any]], stated: Iterable[str] = ()
) -> list[str]:
    """The problems that the clock stopped: a goal says so, or its gap is wider than allowed and nothing explains it.

    ``parameters`` and ``solves`` as in a manifest; ``stated`` is what :func:`standings` found.
    """
    allowed = float(parameters.get("solver", {}).get("relative_gap", 0.0))
    found = []
    for problem, solve in sorted(solves.items()):
        section, name = _OWN_GAPS.get(problem, ("", ""))
        enough = max(allowed, float(parameters.get(section, {}).get(name, 0.0)))
        stages = solve.get("stages", ())
        open_ones = [s for s in stages if _is_open(s.get("gap"), enough)]
        # A gap that whole numbers or a limit by work left is the same on every machine.
        reasons = [s.get("by_clock") for s in stages if _is_open(s.get("gap"), 0.0)]
        explained = bool(reasons) and all(reason is False for reason in reasons)
        by_clock = any(s.get("by_clock") is True for s in stages)
        if by_clock or (not explained and (open_ones or _is_open(solve.get("gap"), enough))):
            found.append(problem)
    # With a gap allowed, an unproven alternative may have stopped there: that is no clock.
    if not allowed and UNPROVEN in set(stated) and "assignment" not in found:
        found.append("assignment")
    return sorted(found)


def _is_open(gap: Any, enough: float) -> bool:
    return gap is None or float(gap) > enough * (1 + 1e-9) + 1e-12
