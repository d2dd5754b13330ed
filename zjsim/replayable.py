"""Can a run be repeated to the byte? Not if the clock stopped one of its solves: another machine gets further."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_OWN_GAPS = {
    "locations": ("locations", "platform_relative_gap"),
    "seats": ("seats", "county_relative_gap"),
}
"""Problems whose goals may stop at a gap of their own: section and name of the parameter."""
UNPROVEN = "unproven"


def stopped_by_clock(
    parameters: Mapping[str, Any], solves: Mapping[str, Mapping[str, Any]], standings: Iterable[str] = ()
) -> list[str]:
    """The problems that the clock stopped: a goal's gap is wider than the gap at which it may stop.

    ``parameters`` and ``solves`` as in a manifest; ``standings`` are those of the choices of the assignment, where
    ``unproven`` means that time ran out.
    """
    allowed = float(parameters.get("solver", {}).get("relative_gap", 0.0))
    found = []
    for problem, solve in sorted(solves.items()):
        section, name = _OWN_GAPS.get(problem, ("", ""))
        enough = max(allowed, float(parameters.get(section, {}).get(name, 0.0)))
        gaps = [s.get("gap") for s in solve.get("stages", ())] or [solve.get("gap")]
        if any(g is None or float(g) > enough * (1 + 1e-9) + 1e-12 for g in (*gaps, solve.get("gap"))):
            found.append(problem)
    if UNPROVEN in set(standings) and "assignment" not in found:
        found.append("assignment")
    return sorted(found)
