"""For every group one sentence in Chinese and English: why it is placed where it is, and what would have changed it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.placement_data import KINDS, NONE, County
from zjsim.models.placement_fairness import _worse_off
from zjsim.models.placement_matrix import IntArray
from zjsim.models.placement_modes import Placed
from zjsim.models.placement_rules import claim_keys, dense, favour

from zjsim.texts import LANGUAGES, Language, text

_KEY = "placement.why."


def seats_that_help(placed: Placed) -> IntArray:
    """Per arc: so many more seats in its section, and every child of the group gets it or a place it likes better.

    It is the number of children who like the section better than their place and whose claim is not weaker (priority
    mode). Further seats make nobody worse off, so nobody new wants the section, and after them at most one seat less
    can be held by stronger claims.
    """
    claim = dense(claim_keys(placed.grade, placed.arcs, placed.reading))
    order = np.lexsort((claim, placed.arcs.section))
    section, key = placed.arcs.section[order], claim[order]
    total = np.cumsum(_worse_off(placed)[order])
    # Up to the last arc of equal section and claim, less what stood before the section.
    last = np.concatenate([(section[1:] != section[:-1]) | (key[1:] != key[:-1]), [True]])[: len(order)]
    to_last = total[np.flatnonzero(last)][np.cumsum(last) - last]
    first = np.searchsorted(section, section)
    before = np.where(first > 0, total[first - 1], 0)
    result = np.empty(len(order), np.int64)
    result[order] = to_last - before
    return result


def weakest_admitted(placed: Placed) -> IntArray:
    """Per section: an arc of the group admitted last by tier and points alone, -1 if there is none."""
    arcs, grade = placed.arcs, placed.grade
    plain = np.flatnonzero((placed.sent > 0) & ~favour(arcs, placed.reading))
    order = plain[np.lexsort((plain, -grade.points[arcs.group[plain]], grade.tier[arcs.group[plain]]))]
    weakest = np.full(len(grade.school), NONE, np.int64)
    weakest[arcs.section[order]] = order
    return weakest


def group_table(county: County, placed: Placed, explain: bool = True) -> pd.DataFrame:
    """One row for each group and place it got (or none): where, which choice, how far, how many, and why."""
    grade, arcs = placed.grade, placed.arcs
    sent, left = np.flatnonzero(placed.sent), np.flatnonzero(placed.unplaced)
    group = np.concatenate([arcs.group[sent], left])
    arc = np.concatenate([sent, np.full(len(left), NONE)]).astype(np.int64)
    order = np.lexsort((arc < 0, arc, group))
    group, arc = group[order], arc[order]
    got = arc >= 0
    section = np.where(got, arcs.section[arc] if len(arcs.section) else 0, 0)
    schools = np.append(county.schools.ids, "").astype(object)
    school = np.where(got, grade.school[section] if len(grade.school) else 0, len(schools) - 1)
    kinds = np.append(np.array(KINDS, dtype=object), "")
    kind = np.where(got, grade.kind[section] if len(grade.kind) else 0, len(KINDS))
    of_arc = np.append(arcs.position + 1, 0)
    table = pd.DataFrame(
        {
            "mode": placed.mode,
            "group_id": grade.ids[group],
            "county_code": county.code,
            "year": county.year,
            "grade": grade.grade,
            "tier": grade.tier[group],
            "points": grade.raw_points[group],
            "school_id": schools[school],
            "kind": kinds[kind],
            "choice": of_arc[arc],
            "open_choices": np.diff(arcs.start)[group],
            "distance_km": np.append(arcs.distance / 100, np.nan)[arc],
            "children": np.where(got, np.append(placed.sent, 0)[arc], placed.unplaced[group]),
            "follows_school": schools[arcs.follows[group]],
        }
    )
    if explain:
        said = _sentences(county, placed, group, arc)
        for name, column in said.items():
            table[name] = pd.Series(column, index=table.index, dtype="str")
    return table


def _sentences(county: County, placed: Placed, group: IntArray, arc: IntArray) -> dict[str, list[str]]:
    """Reason and sentence in both languages for every row of the table of groups."""
    why = _Why(county, placed)
    said: dict[str, list[str]] = {"reason": [], **{lang: [] for lang in LANGUAGES}}
    for g, a in zip(group.tolist(), arc.tolist(), strict=True):
        reason, values = why.reason(g, a)
        said["reason"].append(reason)
        for lang in LANGUAGES:
            said[lang].append(why.sentence(reason, values, lang))
    return said


class _Why:
    """What the sentences of one grade need, as plain lists."""

    def __init__(self, county: County, placed: Placed) -> None:
        self.county, self.placed = county, placed
        self.priority = placed.mode != "utilitarian"
        self.start = placed.arcs.start.tolist()
        # One entry per arc: kept as arrays, lists of a large county would take ten times the memory.
        self.section = placed.arcs.section
        self.school = placed.grade.school.tolist()
        self.weakest = weakest_admitted(placed).tolist()
        self.help = seats_that_help(placed)
        self.stays, self.together = placed.arcs.stays, placed.arcs.together
        self.mark = {lang: text(_KEY + "mark", lang) if county.schools.synthetic else "" for lang in LANGUAGES}
        price = placed.section_price
        first = (price != 0).argmax(axis=0)
        self.price = [(k, int(price[k, s])) for s, k in enumerate(first.tolist())]
        self.coupled = moved_by_rules(placed)
        self.parts = placed.parts.tolist()

    def reason(self, g: int, a: int) -> tuple[str, dict[str, Any]]:
        """Key of the sentence and what it names: the place got, the one wanted most, its weakest child, seats."""
        first, stop = self.start[g], self.start[g + 1]
        if first == stop:
            return "no_school", {}
        if (g, a) in self.coupled:
            rule, other = self.coupled[g, a]
            kind = "coupled" if a >= 0 and other >= 0 else "coupled_in" if a >= 0 else "coupled_out"
            return kind, {"at": a, "other": other, "rule": rule}
        if a >= 0 and self.placed.joint is not None and self.placed.joint[g]:
            return "family", {"at": a, "choice": a - first + 1, "schools": stop - first}
        if a == first:
            return ("stays" if self.stays[a] else "sibling" if self.together[a] else "first"), {"at": a}
        wanted = first
        if a < 0:
            # Of all schools open to an unplaced child, the one where fewest seats would have helped.
            wanted = first + int(self.help[first:stop].argmin())
        kind = "unplaced" if a < 0 else "stays_full" if self.stays[a] else "later"
        return kind, {"at": a, "wanted": wanted, "choice": a - first + 1, "schools": stop - first}

    def sentence(self, reason: str, values: dict[str, Any], lang: Language) -> str:
        """The sentence in one language."""
        named: dict[str, Any] = {k: values[k] for k in ("choice", "schools") if k in values}
        if values.get("at", NONE) != NONE:
            named["school"] = self._name(values["at"], lang)
        if values.get("other", NONE) != NONE:
            named["other"] = self._name(values["other"], lang)
        if "rule" in values:
            facts = self.placed.facts
            sections = [self.section[a] for a in (values["at"], values["other"]) if a >= 0]
            least = int(facts.least[sections].max()) if facts is not None else 0
            named["rule"] = text(f"{_KEY}rule.{values['rule']}", lang, least=least)
        if "wanted" in values:
            named["wanted"] = self._name(values["wanted"], lang)
            named["change"] = self._change(values["wanted"], lang)
        return text(_KEY + reason, lang, **named) + self.mark[lang]

    def _name(self, arc: int, lang: Language) -> str:
        return str(self.county.schools.labels[lang][self.school[self.section[arc]]])

    def _change(self, arc: int, lang: Language) -> str:
        """What would have given the place wanted: a claim stronger than the weakest one admitted, or more seats."""
        section = self.section[arc]
        if not self.priority:
            if self.parts[section]:
                return text(_KEY + "change.coupled", lang)
            k, price = self.price[section]
            if not price:
                return text(_KEY + "change.nothing", lang)
            return text(_KEY + "change.price", lang, goal=goal_title(self.placed.goals[k], lang), amount=-price)
        last = self.weakest[section]
        if last == NONE:
            return text(_KEY + "change.seats", lang, seats=self.help[arc])
        group = self.placed.arcs.group[last]
        tier, points = self.placed.grade.tier[group], self.placed.grade.raw_points[group]
        if self.placed.grade.points[group] == NONE:
            return text(_KEY + "change.tier", lang, tier=tier, seats=self.help[arc])
        return text(_KEY + "change.points", lang, tier=tier, points=f"{points:g}", seats=self.help[arc])


def moved_by_rules(placed: Placed) -> dict[tuple[int, int], tuple[str, int]]:
    """Places (group, arc; -1 = none) that rules coupling children changed: which rule, and the arc it would have had.

    It is the re-solved outcome without these rules that the place is compared with. ``family``: siblings who arrive
    together were joined; ``minimum``: a school's grade was too small and was closed or filled up; ``floor``: a public
    seat for the share; ``room``: somebody else was moved by such a rule.
    """
    free, facts = placed.free, placed.facts
    if free is None or facts is None or not placed.parts.any():
        return {}
    arcs, school = placed.arcs, placed.grade.school
    taken, before = (np.bincount(school, p.load, int(school.max()) + 1) for p in (placed, free))
    found: dict[tuple[int, int], tuple[str, int]] = {}
    more = [(int(arcs.group[a]), int(a)) for a in np.flatnonzero(placed.sent > free.sent)]
    more += [(int(g), NONE) for g in np.flatnonzero(placed.unplaced > free.unplaced)]
    for g, a in more:
        lost = np.arange(arcs.start[g], arcs.start[g + 1])
        lost = lost[free.sent[lost] > placed.sent[lost]]
        other = int(lost[0]) if len(lost) else NONE
        rule = "room"
        here = int(school[arcs.section[a]]) if a >= 0 else NONE
        there = int(school[arcs.section[other]]) if other >= 0 else NONE
        least_here = int(facts.least[arcs.section[a]]) if a >= 0 else 0
        least_there = int(facts.least[arcs.section[other]]) if other >= 0 else 0
        if facts.joined[g]:
            rule = "family"
        elif (there >= 0 and there != here and 0 < before[there] < least_there and not taken[there]) or (
            here >= 0 and there != here and before[here] < least_here <= taken[here]
        ):
            rule = "minimum"
        elif facts.floor and here >= 0 and not arcs.step[a] and (other < 0 or arcs.step[other]):
            rule = "floor"
        found[g, a] = rule, other
    return found


def goal_title(name: str, lang: Language) -> str:
    """A goal's name in words."""
    if not name.startswith("tier"):
        return text(f"placement.goal.{name}", lang)
    tier, part = name.removeprefix("tier").split(".")
    return text("placement.goal.of_tier", lang, tier=tier, goal=text(f"placement.goal.{part}", lang))
