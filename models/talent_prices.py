"""What one more teacher, place or student admitted would buy: shadow prices of talent supply in words (M037-M043).

Openings and closures stay as planned, so that the rest is linear. The goals are met in order on the faces of those
before. A row whose dual is zero for a goal cannot better it however far it is loosened; so what loosening a row buys
first is a better value of the first goal for which its dual is not zero. How much is solved again for the rows that
promise most: a dual alone is only a bound where several limits meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.talent_report import Names
from zjsim.models.talent_terms import TalentData

from zjsim.solve.goals import Prepared, Solution
from zjsim.solve.highs import Program
from zjsim.solve.matrix import Floats
from zjsim.texts import LANGUAGES, text

SHOWN = 8
"""Rows of each kind that are solved again and told, for each block of the problem."""
LEAST = 1e-6
STEP = {"teachers": 1.0, "places": 10.0, "change": 10.0, "total": 100.0}
"""By how much a limit is loosened, every year: teachers, places, students of one group, students of a level."""
RULE = {"teachers": "within_teachers", "places": "within_places", "change": "yearly_change", "total": "total_of_level"}
COLUMNS = (
    *("resource", "host_id", "host_zh", "host_en", "level", "class_id", "class_zh", "class_en", "pathway"),
    *("step", "goal", "gain", "unit", "by_dual", "said_zh", "said_en"),
)


@dataclass(frozen=True, slots=True)
class Price:
    """What ``step`` more of a resource buys: ``gain`` is by how much the goal falls; ``by_dual`` what its dual says."""

    resource: str
    key: tuple[str, ...]
    step: float
    goal: str
    gain: float
    unit: str
    by_dual: float


def prices(prepared: Prepared, plan: Solution, shown: int = SHOWN) -> list[Price]:
    """Prices of teachers (host, class), places (host), limits of change (group) and totals (level), dearest first.

    Of each kind the ``shown`` that buy most of the earliest goal. ``prepared`` is the model, ``plan`` its best plan.
    """
    matrix = prepared.matrix
    program = Program(replace(matrix, integer=np.zeros_like(matrix.integer)), prepared.options)
    whole = np.flatnonzero(matrix.integer).astype(np.int32)
    program.set_columns(whole, np.rint(plan.values[whole]), np.rint(plan.values[whole]))
    rows = {kind: _rows(prepared, rule) for kind, rule in RULE.items()}
    left = dict.fromkeys(RULE, shown)
    told: set[tuple[str, tuple[str, ...]]] = set()
    found = []
    for k, goal in enumerate(prepared.goals):
        cost, offset = matrix.costs[k], float(matrix.offsets[k])
        best = program.run(cost, offset, goal.sense)
        if best.status != "optimal":
            break
        duals = program.row_duals()
        face, (lower, upper) = program.optimal_face(), program.row_bounds()
        program.from_basis()
        for kind, of in rows.items():
            priced = {key: float(duals[at].sum()) for key, at in of.items() if (kind, key) not in told}
            first = sorted((v, key) for key, v in priced.items() if abs(v) > LEAST)
            told |= {(kind, key) for _, key in first}
            first = first if kind == "total" else [i for i in first if i[0] < 0]
            for dual, key in first[: left[kind]]:
                left[kind] -= 1
                at, step = of[key], STEP[kind]
                program.set_rows(at, *_loosened(lower[at], upper[at], step))
                gain = best.value - program.run(cost, offset, goal.sense).value
                program.set_rows(at, lower[at], upper[at])
                found.append(Price(kind, key, step, goal.name, round(gain, 6) + 0.0, goal.unit, round(-dual * step, 6)))
        program.keep(face)
        program.afresh()
    return found


def _loosened(lower: Floats, upper: Floats, step: float) -> tuple[Floats, Floats]:
    """Upper bounds ``step`` higher; both sides of an equation move together."""
    return np.where(lower == upper, lower + step, lower), upper + step


def _rows(prepared: Prepared, rule: str) -> dict[tuple[str, ...], Any]:
    """Rows of a rule by what they are about, years and cases left out."""
    component: Any = prepared.model.find_component(rule)
    of: dict[tuple[str, ...], list[int]] = {}
    for index in () if component is None else component:
        parts = index if isinstance(index, tuple) else (index,)
        key = parts[: {"within_teachers": 2, "within_places": 1, "yearly_change": 4, "total_of_level": 1}[rule]]
        of.setdefault(key, []).append(prepared.matrix.row_of[id(component[index])])
    return {key: np.array(at, dtype=np.int32) for key, at in sorted(of.items())}


def price_table(found: Sequence[Price], data: TalentData, names: Names) -> pd.DataFrame:
    """Prices as a table with a sentence each, most important goal first."""
    order = {goal: n for n, goal in enumerate(dict.fromkeys(p.goal for p in found))}
    ranked = sorted(found, key=lambda p: (tuple(RULE).index(p.resource), order[p.goal], -p.gain, p.key))
    return pd.DataFrame([dict(_row(p, data, names)) for p in ranked], columns=list(COLUMNS))


def _row(p: Price, data: TalentData, names: Names) -> Iterator[tuple[str, Any]]:
    host = "" if p.resource == "total" else p.key[0]
    class_id = {"teachers": 1, "change": 2}.get(p.resource)
    k = "" if class_id is None else p.key[class_id]
    level = {"change": p.key[1:2], "total": p.key[:1]}.get(p.resource, ("",))[0]
    yield from {"resource": p.resource, "host_id": host, "level": level, "class_id": k}.items()
    yield "pathway", p.key[3] if p.resource == "change" else ""
    yield from {"step": p.step, "goal": p.goal, "gain": p.gain, "unit": p.unit, "by_dual": p.by_dual}.items()
    for n, lang in enumerate(LANGUAGES):
        yield f"host_{lang}", names.hosts[host][n] if host else ""
        yield f"class_{lang}", names.classes[k][n] if k else ""
        words = {
            "host": names.hosts[host][n] if host else "",
            "name": names.classes[k][n] if k else "",
            "level": text(f"talent.level.{level}", lang) if level else "",
            "step": f"{p.step:,.0f}",
            "years": f"{data.first}–{data.last}",
        }
        said = text(f"talent.price.{p.resource}", lang, **words)
        better = "better" if p.gain >= 0 else "worse"
        yield f"said_{lang}", said + text(f"talent.price.{p.goal}_{better}", lang, gain=f"{abs(p.gain):,.1f}")
