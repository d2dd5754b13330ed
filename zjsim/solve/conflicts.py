"""Why no plan exists: the smallest set of requirements that cannot hold together, and the cheapest way out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zjsim.solve.highs import Program
from zjsim.solve.matrix import Matrix
from zjsim.solve.options import Options
from zjsim.solve.results import Conflict
from zjsim.texts import Language, text


@dataclass(frozen=True, slots=True)
class Requirement:
    """Rows of the model that stand or fall together, named in the planner's words.

    ``name`` is for machines; ``zh`` and ``en`` are clauses that can stand in a list. ``weight`` is the cost of
    loosening one of its rows by one ``unit``; 0 means that it cannot be loosened. ``give_up`` says that loosening it
    at all means giving it up, so that the repair names no amount. Rows in no requirement (links
    between variables) are part of the background and never named.
    """

    name: str
    rows: tuple[Any, ...]
    zh: str
    en: str
    weight: float = 1.0
    unit_zh: str = ""
    unit_en: str = ""
    give_up: bool = False


@dataclass(slots=True)
class _Filter:
    program: Program
    rows: list[np.ndarray[Any, np.dtype[np.int32]]]
    decided: bool = field(default=True)

    def feasible(self, keep: Sequence[int]) -> bool:
        m, kept = self.program.matrix, set(keep)
        for g, rows in enumerate(self.rows):
            free = np.full(len(rows), np.inf)
            if g in kept:
                self.program.set_rows(rows, m.row_lower[rows], m.row_upper[rows])
            else:
                self.program.set_rows(rows, -free, free)
        outcome = self.program.run(np.zeros(len(m.columns)), 0.0, "minimise")
        # Undecided within the limit counts as feasible: the set stays a conflict, it may only not be minimal.
        self.decided &= outcome.status != "stopped"
        return outcome.status != "infeasible"


def explain(matrix: Matrix, requirements: Sequence[Requirement], options: Options) -> Conflict:
    """A conflict of an infeasible model: together impossible, every proper subset possible.

    Infeasible linear relaxations are first cut down by the solver's irreducible conflict; a deletion filter, which also
    sees integrality, then makes the set minimal. The sentence lists the members; the repair is the least weighted
    loosening of all requirements that lets the whole model hold.
    """
    rows = [np.array([matrix.row_of[id(r)] for r in q.rows], dtype=np.int32) for q in requirements]
    work = _Filter(Program(matrix, options), rows)
    everyone = tuple(range(len(rows)))
    if not requirements or not work.feasible(()):
        return Conflict((), *_both("solve.conflict_background"))
    kept = _minimal(work, _from_relaxation(matrix, rows, options, work) or everyone)
    members = [requirements[g] for g in kept]
    if len(members) == 1:
        zh = text("solve.conflict_one", "zh", member=members[0].zh)
        en = text("solve.conflict_one", "en", member=members[0].en)
    else:
        zh = _list("solve.conflict", "zh", [q.zh for q in members])
        en = _list("solve.conflict", "en", [q.en for q in members])
    if not work.decided:
        note_zh, note_en = _both("solve.conflict_not_minimal")
        zh, en = zh + note_zh, en + note_en
    repair = repair_of(matrix, requirements, options)
    gives = tuple((requirements[g].name, amount) for g, amount in sorted(repair.items()))
    return Conflict(tuple(q.name for q in members), zh, en, *_told(requirements, repair), work.decided, gives)


def repair_of(matrix: Matrix, requirements: Sequence[Requirement], options: Options) -> dict[int, float]:
    """The cheapest loosening that makes the model feasible: requirement → amount summed over its rows.

    A requirement that can only be given up as a whole costs its weight once, whatever it forbids (amount 1). Empty when
    no loosening of the requirements with a weight is enough (or none is needed).
    """
    slack: list[tuple[int, list[int], list[float], bool]] = []
    for g, q in enumerate(requirements):
        rows = [matrix.row_of[id(r)] for r in q.rows] if q.weight > 0 else []
        whole = [_reach(matrix, i) for i in rows] if q.give_up else [(np.inf, np.inf)]
        if rows and np.isfinite(whole).all():
            for side in (0, 1):
                at = [i for i, bound in zip(rows, whole, strict=True) if bound[side] > 0]
                if at:
                    by = [bound[side] * (1.0, -1.0)[side] for bound in whole if bound[side] > 0]
                    slack.append((g, at, by, True))
            continue
        for i in rows:
            if np.isfinite(matrix.row_lower[i]):
                slack.append((g, [i], [1.0], False))
            if np.isfinite(matrix.row_upper[i]):
                slack.append((g, [i], [-1.0], False))
    if not slack:
        return {}
    amounts = Program(matrix, options).add_columns(
        np.array([requirements[s[0]].weight for s in slack]),
        np.cumsum([0, *(len(s[1]) for s in slack[:-1])]).astype(np.int32),
        np.array([i for s in slack for i in s[1]], dtype=np.int32),
        np.array([by for s in slack for by in s[2]]),
        np.array([s[3] for s in slack]),
    )
    total: dict[int, float] = {}
    for (g, *_), amount in zip(slack, amounts, strict=False):
        if amount > 1e-6:
            total[g] = total.get(g, 0.0) + round(float(amount), 6)
    return total


def _reach(matrix: Matrix, i: int) -> tuple[float, float]:
    """By how much row ``i`` can fall below its lower bound, and exceed its upper one, within the columns' bounds."""
    at = slice(matrix.start[i], matrix.start[i + 1])
    a, low, high = matrix.coefficient[at], matrix.lower[matrix.index[at]], matrix.upper[matrix.index[at]]
    least = float(np.where(a > 0, a * low, a * high).sum())
    most = float(np.where(a > 0, a * high, a * low).sum())
    below = matrix.row_lower[i] - least if np.isfinite(matrix.row_lower[i]) else 0.0
    above = most - matrix.row_upper[i] if np.isfinite(matrix.row_upper[i]) else 0.0
    return max(float(below), 0.0), max(float(above), 0.0)


def _from_relaxation(
    matrix: Matrix,
    rows: Sequence[np.ndarray[Any, np.dtype[np.int32]]],
    options: Options,
    work: _Filter,
) -> tuple[int, ...]:
    named = set(Program(matrix, options).conflicting_rows())
    touched = tuple(g for g, r in enumerate(rows) if not named.isdisjoint(r.tolist()))
    return touched if touched and len(touched) < len(rows) and not work.feasible(touched) else ()


def _minimal(work: _Filter, groups: tuple[int, ...]) -> tuple[int, ...]:
    """Deletion filter: drop halves, quarters, … single groups, keeping what cannot be dropped."""
    keep, size = list(groups), max(len(groups) // 2, 1)
    while True:
        k = 0
        while k < len(keep):
            rest = keep[:k] + keep[k + size :]
            if len(keep) > 1 and not work.feasible(rest):
                keep = rest
            else:
                k += size
        if size == 1:
            return tuple(keep)
        size = max(size // 2, 1)


def _both(key: str, **values: object) -> tuple[str, str]:
    return text(key, "zh", **values), text(key, "en", **values)


def _list(key: str, lang: Language, items: Sequence[str]) -> str:
    numbered = [text("solve.item", lang, number=k, item=item) for k, item in enumerate(items, 1)]
    return text(key, lang, items=text("solve.separator", lang).join(numbered), count=len(items))


def _told(requirements: Sequence[Requirement], repair: dict[int, float]) -> tuple[str, str]:
    if not repair:
        return "", ""

    def say(lang: Language) -> str:
        items = [
            text(
                "solve.give_up" if requirements[g].give_up else "solve.loosen",
                lang,
                item=getattr(requirements[g], lang),
                amount=f"{amount:g}",
                unit=getattr(requirements[g], f"unit_{lang}"),
            )
            for g, amount in sorted(repair.items())
        ]
        return _list("solve.repair", lang, items)

    return say("zh"), say("en")


Requirements = Callable[[], Sequence[Requirement]]
"""Supplied by a model and called only when there is no plan."""
