"""Levers of the registry as a search sees them: which numbers they move, their levels, what a level costs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from zjsim.decide.seek_space import Floats
from zjsim.models.dated_levers import OFFICERS_SCALE, REACHES, moved
from zjsim.scenario.paths import resolve
from zjsim.tables.errors import InputErrors, finding

MOST_WHOLE = 60
"""A lever of whole numbers has a level for each of them if there are no more than these."""
_PARAMETER = re.compile(r"\w+\[(?P<key>[^\],]+)\]\.mode")
_WHOLE_UNITS = ("colleges per year", "persons per year", "persons per 100 firm-years", "persons", "officers")


@dataclass(frozen=True)
class Lever:
    """A lever that the simulation can move from a day on.

    ``levels``: values of the input ``input_id`` (for ``transfer_staff`` factors), rising; ``shown``: the same in the
    unit of the registry (a factor where the lever scales); ``present``: the index of what stands now; ``costs`` by
    level in ``cost_unit`` (points or yuan); ``day``: first day on which it can act.
    """

    lever_id: str
    input_id: str
    levels: tuple[float, ...]
    present: int
    costs: Floats
    day: float
    acts_from: date
    row: Mapping[str, Any]
    shown: tuple[float, ...]
    whole: bool

    def values(self, level: int) -> dict[str, float]:
        """What a replication is told; nothing at the present level."""
        return {} if level == self.present else moved(self.input_id, self.levels[level], self.day)

    @property
    def cost_unit(self) -> str:
        """``points`` or ``yuan``."""
        return "points" if not math.isnan(float(self.row["unit_cost_points"])) else "yuan"

    def reaches(self, process: str, outcome: str) -> bool:
        """Whether it can move an outcome of a process."""
        return any(r.process == process and (not r.outcomes or outcome in r.outcomes) for r in REACHES[self.input_id])


@dataclass(frozen=True)
class Beyond:
    """A lever that this search cannot move, and why (key of a text)."""

    row: Mapping[str, Any]
    why: str


def levers_of(scenario: Any, steps: int, yuan_per_point: float | None = None) -> tuple[list[Lever], list[Beyond]]:
    """All levers of a scenario: those that the simulation moves, and the others with the reason.

    ``steps``: levels on each side of the present one for a lever that is no whole number. Costs are in points, yuan
    turned into points by ``yuan_per_point``; without it ``InputErrors`` where both units occur among the levers moved.
    """
    made: list[Lever] = []
    beyond: list[Beyond] = []
    for row in scenario.table("levers").to_dict("records"):
        found = _lever(scenario, {str(k): v for k, v in row.items()}, steps)
        if isinstance(found, Lever):
            made.append(found)
        else:
            beyond.append(found)
    units = {lever.cost_unit for lever in made}
    if units == {"points", "yuan"}:
        if yuan_per_point is None:
            in_yuan = ", ".join(lever.lever_id for lever in made if lever.cost_unit == "yuan")
            raise InputErrors([finding("two_cost_units", "--yuan-per-point", value=in_yuan, theme="decide.rule")])
        made = [_in_points(lever, yuan_per_point) for lever in made]
    return made, beyond


def _in_points(lever: Lever, yuan_per_point: float) -> Lever:
    if lever.cost_unit == "points":
        return lever
    return replace(lever, costs=lever.costs / yuan_per_point)


def _lever(scenario: Any, row: dict[str, Any], steps: int) -> Lever | Beyond:
    path = str(row["path"])
    target = resolve(path, scenario.tables)
    if isinstance(target, str) or target.rows is None:
        return Beyond(row, "decided" if path.startswith("assignment.") else "reading")
    if path.startswith(("seat_", "location_")):
        return Beyond(row, "planned")
    table = scenario.table(target.registry)
    there = table[target.column].iloc[target.rows].to_numpy(dtype=np.float64)
    parameter = _PARAMETER.fullmatch(path)
    input_id = parameter["key"] if parameter else OFFICERS_SCALE if path == "patents[*].transfer_staff" else ""
    if input_id not in REACHES:
        return Beyond(row, "undated")
    if input_id == OFFICERS_SCALE and row["change"] != "scale":
        return Beyond(row, "undated")
    scaled = row["change"] == "scale"
    now = 1.0 if scaled else float(there[0])
    whole = not scaled and str(row["unit"]) in _WHOLE_UNITS and float(row["low"]).is_integer()
    levels = _levels(float(row["low"]), now, float(row["high"]), steps, whole)
    per_unit = float(
        row["unit_cost_points"] if not math.isnan(float(row["unit_cost_points"])) else row["unit_cost_yuan"]
    )
    size = float(there.sum()) if scaled else 1.0
    costs = np.array([abs(v - now) * size * per_unit for v in levels])
    present = levels.index(now)
    factor = float(there[0]) if scaled and input_id != OFFICERS_SCALE else 1.0
    as_of: date = scenario.parameters.time.as_of
    effect = _date(row["earliest_effect"])
    day = max((effect - as_of).days - 1, 0)
    acts_from = max(effect, date.fromordinal(as_of.toordinal() + 1))
    values = tuple(round(v * factor, 12) for v in levels)
    shown = tuple(levels)
    return Lever(str(row["lever_id"]), input_id, values, present, costs, float(day), acts_from, row, shown, whole)


def _levels(low: float, now: float, high: float, steps: int, whole: bool) -> list[float]:
    """Rising levels from ``low`` to ``high`` with ``now`` among them: every whole number, or so many steps a side."""
    low, high = min(low, now), max(high, now)
    if whole and high - low <= MOST_WHOLE:
        return sorted({now, *(float(v) for v in range(math.ceil(low), math.floor(high) + 1))})
    below = [] if now <= low else [round(float(v), 12) for v in np.linspace(low, now, steps + 1)[:-1]]
    above = [] if now >= high else [round(float(v), 12) for v in np.linspace(now, high, steps + 1)[1:]]
    return [*below, now, *above]


def _date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def needed_levers(levers: Sequence[Lever], reached: Sequence[tuple[str, str]]) -> list[Lever]:
    """The levers that can move any of the outcomes ``reached`` (process, outcome)."""
    return [lever for lever in levers if any(lever.reaches(p, o) for p, o in reached)]
