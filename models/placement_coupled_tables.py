"""What rules that couple children came to, as tables: each goal with bound and gap, and what was solved as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.placement_coupled import FAMILIES, FLOOR, SMALL
from zjsim.models.placement_data import KINDS, County
from zjsim.models.placement_joint import CoupledPart, joint_families
from zjsim.models.placement_modes import Placed

COUPLED_COLUMNS = (
    "county_code",
    "year",
    "part",
    "grades",
    "children",
    "goal_order",
    "goal",
    "unit",
    "value",
    "bound",
    "gap",
    "without_rules",
)
SECTION_COLUMNS = ("county_code", "year", "grade", "school_id", "kind", "part")
_UNITS = {FAMILIES: "families", SMALL: "sections", FLOOR: "children"}
_TEXTS = ("county_code", "grades", "goal", "unit", "school_id", "kind")


def coupled_table(county: County, placed: Sequence[Placed], parts: Sequence[CoupledPart], p: Any) -> pd.DataFrame:
    """Per part solved as a whole: every goal's value, bound, gap and what it would be without the rules.

    ``part`` 0 is the county: the rules that are switched on, added up (0 where no part had to be solved as a whole).
    """
    on = {FAMILIES: joint_families(county, p), SMALL: p.minimum_section > 1, FLOOR: p.public_floor > 0}
    front = (county.code, county.year)
    grades = ";".join(str(n) for n in sorted(one.grade.grade for one in placed))
    children = sum(int(one.grade.children.sum()) for one in placed)
    rows: list[tuple[Any, ...]] = []
    for order, name in enumerate((name for name, is_on in on.items() if is_on), start=1):
        found = [(s.value, s.bound, w) for q in parts for s, w in _stages(q) if s.name == name]
        value, bound, without = (sum(column) for column in zip(*found, strict=True)) if found else (0, 0, 0)
        gap = abs(value - bound) / max(1.0, abs(value))
        rows.append((*front, 0, grades, children, order, name, _UNITS[name], value, bound, gap, without))
    for q in parts:
        own = ";".join(str(n) for n in q.grades)
        for k, (s, without) in enumerate(_stages(q), start=1):
            rows.append((*front, q.part, own, q.children, k, s.name, s.unit, s.value, s.bound, s.gap, without))
    return _typed(pd.DataFrame(rows, columns=list(COUPLED_COLUMNS)))


def no_rows() -> pd.DataFrame:
    """The table of a county whose children nothing couples."""
    return _typed(pd.DataFrame([], columns=list(COUPLED_COLUMNS)))


def _stages(part: CoupledPart) -> list[Any]:
    return list(zip(part.stages, part.without_rules, strict=True))


def sections_table(county: County, placed: Sequence[Placed]) -> pd.DataFrame:
    """Sections of every part that was solved as a whole: no prices prove these, the bounds do."""
    rows = []
    for one in placed:
        front = (county.code, county.year, one.grade.grade)
        for s in np.flatnonzero(one.parts).tolist():
            school, kind = county.schools.ids[one.grade.school[s]], KINDS[one.grade.kind[s]]
            rows.append((*front, school, kind, int(one.parts[s])))
    return _typed(pd.DataFrame(rows, columns=list(SECTION_COLUMNS)))


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    kinds = {c: "str" if c in _TEXTS else "float64" if c in ("bound", "gap") else "int64" for c in table.columns}
    return table.astype(kinds)
