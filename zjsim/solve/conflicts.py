"""Why no plan exists: the smallest set of requirements that cannot hold together, and the cheapest way out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from zjsim.solve.highs import Program
from zjsim.solve.matrix import Matrix, with_columns, with_rows
from zjsim.solve.options import Options
from zjsim.solve.results import Conflict
from zjsim.texts import Language, text

_MOST_ALIKE, _SHOWN_ALIKE = 6, 3
_MOST_GIVEN = 5e5
"""How far a row given up as a whole gives in a repair where its columns have no bound. Of whole numbers the solver's
tolerance on a 0/1 column (1e-6) then lifts a row by half a unit at most, which lets nothing through."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """Rows of the model that stand or fall together, named in the planner's words.

    ``name`` is for machines; ``zh`` and ``en`` are clauses that can stand in a list. ``weight`` is the cost of
    loosening one of its rows by one ``unit``; 0 means that it cannot be loosened. ``give_up`` says that loosening it
    at all means giving it up, so that the repair names no amount. ``together``: one amount loosens all rows (none an
    equation) by as much, as when a threshold is lowered. Rows in no requirement (links between variables) are part of
    the background and never named.
    """

    name: str
    rows: tuple[Any, ...]
    zh: str
    en: str
    weight: float = 1.0
    unit_zh: str = ""
    unit_en: str = ""
    give_up: bool = False
    together: bool = False


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

    Infeasible linear relaxations are first cut down to the rows of the solver's proof; a deletion filter, which also
    sees integrality, then makes the set minimal. The sentence lists the members (of many alike, the first three); the
    repair is the least weighted loosening of all requirements that lets the whole model hold.
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
        zh = _list("solve.conflict", "zh", _shortened(members, "zh"), len(members))
        en = _list("solve.conflict", "en", _shortened(members, "en"), len(members))
    if not work.decided:
        note_zh, note_en = _both("solve.conflict_not_minimal")
        zh, en = zh + note_zh, en + note_en
    repair = repair_of(matrix, requirements, options)
    gives = tuple((requirements[g].name, amount) for g, amount in sorted(repair.items()))
    return Conflict(tuple(q.name for q in members), zh, en, *_told(requirements, repair), work.decided, gives)


def repair_of(matrix: Matrix, requirements: Sequence[Requirement], options: Options) -> dict[int, float]:
    """The cheapest loosening that makes the model feasible: requirement → amount summed over its rows.

    A requirement that can only be given up as a whole costs its weight once, whatever it forbids (amount 1); one whose
    rows give together, its weight times their one amount. Empty when no loosening of the requirements with a weight is
    enough (or none is needed).
    """
    slack = _Slack()
    for g, q in enumerate(requirements):
        rows = [matrix.row_of[id(r)] for r in q.rows] if q.weight > 0 else []
        reach = [_reach(matrix, i) for i in rows] if q.give_up else [(np.inf, np.inf)]
        sides = [(i, sign) for i in rows for sign in _sides(matrix, i)]
        if rows and np.isfinite(reach).all():
            lifts = [(i, low, high) for i, (low, high) in zip(rows, reach, strict=True) if max(low, high) > 0]
            given = slack.column(g, q.weight, whole=True)
            for i, low, high in lifts:
                if min(low, high) > 0:
                    # Either side may have to give: each as far as the column allows that gives the row up.
                    slack.links += [(given, slack.column(-1, 0.0, [(i, 1.0)]), low)]
                    slack.links += [(given, slack.column(-1, 0.0, [(i, -1.0)]), high)]
                else:
                    slack.entries.append((i, given, low - high))
        elif q.together and len(sides) == len(rows) > 0:
            slack.column(g, q.weight, [(i, float(sign)) for i, sign in sides])
        else:
            for i, sign in sides:
                slack.column(g, q.weight, [(i, float(sign))])
    if not slack.owner:
        return {}
    first = len(matrix.columns)
    upper, whole = np.where(slack.whole, 1.0, np.inf), np.array(slack.whole)
    loose = with_columns(matrix, upper, whole, [(i, first + j, by) for i, j, by in slack.entries])
    links = np.zeros((len(slack.links), len(loose.columns)))
    for n, (given, part, most) in enumerate(slack.links):
        links[n, first + part], links[n, first + given] = 1.0, -most
    loose = with_rows(loose, [(link, -np.inf, 0.0) for link in links])
    cost = np.concatenate([np.zeros(first), slack.cost])
    # The least is told as such, whatever gap the goals of a plan may leave.
    outcome = Program(loose, replace(options, relative_gap=0.0)).run(cost, 0.0, "minimise")
    total: dict[int, float] = {}
    for g, amount in zip(slack.owner, outcome.x[first:], strict=False):
        if g >= 0 and amount > 1e-6:
            # Rounded up, so that what is told is enough.
            total[g] = total.get(g, 0.0) + math.ceil(float(amount) * 1e6 - 1e-2) / 1e6
    return total


def changes_of(
    matrix: Matrix, requirements: Sequence[Requirement], repair: Mapping[str, float]
) -> list[tuple[Any, float, float]]:
    """``repair`` (requirement → amount) applied: each row of what gives, with its new lower and upper bound."""
    changes = []
    for q in requirements:
        for row in q.rows if q.name in repair else ():
            by, i = np.inf if q.give_up else repair[q.name], matrix.row_of[id(row)]
            changes.append((row, float(matrix.row_lower[i] - by), float(matrix.row_upper[i] + by)))
    return changes


def joined(conflicts: Sequence[Conflict]) -> Conflict:
    """Conflicts of models that are solved side by side, told together: the first one's members, every repair."""
    first, *more = conflicts

    def told(part: str) -> str:
        between = "" if part.endswith("zh") else " "
        return between.join(filter(None, (str(getattr(c, part)) for c in conflicts)))

    repair = tuple(pair for c in conflicts for pair in c.repair)
    minimal = first.minimal and all(c.minimal for c in more)
    words = told("zh"), told("en"), told("repair_zh"), told("repair_en")
    return Conflict(first.members, *words, minimal, repair)


@dataclass(slots=True)
class _Slack:
    """New columns by which rows give: their requirement, cost, kind, and entries (row, column, coefficient)."""

    owner: list[int] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)
    links: list[tuple[int, int, float]] = field(default_factory=list)

    def column(self, owner: int, cost: float, entries: Sequence[tuple[int, float]] = (), *, whole: bool = False) -> int:
        """One more column; its number among the new ones."""
        number = len(self.owner)
        self.owner.append(owner)
        self.cost.append(cost)
        self.whole.append(whole)
        self.entries += [(i, number, by) for i, by in entries]
        return number


def _sides(matrix: Matrix, i: int) -> list[int]:
    """+1 where row ``i`` has a lower bound that can fall short, -1 where it has an upper one."""
    bounds = ((matrix.row_lower[i], 1), (matrix.row_upper[i], -1))
    return [sign for bound, sign in bounds if np.isfinite(bound)]


def _reach(matrix: Matrix, i: int) -> tuple[float, float]:
    """By how much row ``i`` can fall below its lower bound, and exceed its upper one, within the columns' bounds.

    Without bounds :data:`_MOST_GIVEN` stands in.
    """
    at = slice(matrix.start[i], matrix.start[i + 1])
    a, low, high = matrix.coefficient[at], matrix.lower[matrix.index[at]], matrix.upper[matrix.index[at]]
    least = float(np.where(a > 0, a * low, a * high).sum())
    most = float(np.where(a > 0, a * high, a * low).sum())
    below = matrix.row_lower[i] - least if np.isfinite(matrix.row_lower[i]) else 0.0
    above = most - matrix.row_upper[i] if np.isfinite(matrix.row_upper[i]) else 0.0
    below, above = (_MOST_GIVEN if np.isposinf(by) else max(float(by), 0.0) for by in (below, above))
    return below, above


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


def _shortened(members: Sequence[Requirement], lang: Language) -> list[str]:
    """The members' clauses; of one rule's many (names alike up to a bracket) only the first few, the rest counted."""
    rule_of = [q.name.partition("[")[0] for q in members]
    told = []
    for k, (q, rule) in enumerate(zip(members, rule_of, strict=True)):
        before, count = rule_of[:k].count(rule), rule_of.count(rule)
        item = getattr(q, lang)
        if count <= _MOST_ALIKE or before < _SHOWN_ALIKE - 1:
            told.append(item)
        elif before == _SHOWN_ALIKE - 1:
            told.append(text("solve.alike", lang, item=item, count=count - _SHOWN_ALIKE))
    return told


def _list(key: str, lang: Language, items: Sequence[str], count: int = 0) -> str:
    numbered = [text("solve.item", lang, number=k, item=item) for k, item in enumerate(items, 1)]
    return text(key, lang, items=text("solve.separator", lang).join(numbered), count=count)


def _told(requirements: Sequence[Requirement], repair: dict[int, float]) -> tuple[str, str]:
    if not repair:
        return "", ""

    def say(lang: Language) -> str:
        items = [
            text(
                "solve.give_up" if requirements[g].give_up else "solve.loosen",
                lang,
                item=getattr(requirements[g], lang),
                amount=f"{amount:.6f}".rstrip("0").rstrip("."),
                unit=getattr(requirements[g], f"unit_{lang}"),
            )
            for g, amount in sorted(repair.items())
        ]
        return _list("solve.repair", lang, items)

    return say("zh"), say("en")
