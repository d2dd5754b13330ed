"""What the audits of the assignment share: findings, and every score computed again from the registries.

Written apart from the models: distances by the chord between points of a unit sphere, scores by vectors of weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from zjsim.audit.finding import Finding, finding
from zjsim.audit.points import Points, chord_km

POINTS, SHARES, KM = 0.002, 2e-6, 0.002
"""Tolerances: points (scores are exported to a thousandth), shares between 0 and 1, kilometres."""

_KEY = "assignment.audit."


def at(rule: str, **values: object) -> Finding:
    """The finding ``assignment.audit.<rule>``; numbers are written shortly."""
    said = {k: f"{v:g}" if isinstance(v, float | np.floating) else v for k, v in values.items()}
    return finding(rule, _KEY + rule, **said)


def once_each(given: pd.Series[Any], wanted: set[str], rule: str) -> Iterator[Finding]:
    """Every wanted industry once, and no other."""
    counts = given.value_counts().to_dict()
    for industry in sorted(wanted | {str(k) for k in counts}):
        if counts.get(industry, 0) != (industry in wanted):
            yield at(rule, item=industry, count=counts.get(industry, 0))


def cap(given: pd.Series[Any], limit: int, rule: str) -> Iterator[Finding]:
    """No value more often than ``limit``."""
    for who, count in given.value_counts().sort_index().items():
        if count > limit:
            yield at(rule, item=who, count=count, limit=limit)


def ids(tables: Mapping[str, pd.DataFrame], kind: str) -> set[str]:
    """The industries of one kind."""
    t = tables["industries"]
    return set(t.loc[t["kind"] == kind, "industry_id"])


def number(row: Mapping[Any, Any], who: str, name: str, expected: float, tolerance: float) -> Iterator[Finding]:
    """A cell that should hold ``expected`` (both unknown is fine)."""
    said = float(row[name])
    both_unknown = np.isnan(said) and np.isnan(expected)
    if not both_unknown and not abs(said - expected) <= tolerance:
        yield at("value_differs", item=who, column=name, value=said, expected=float(expected))


def special(t: pd.DataFrame, rules: pd.DataFrame, industries: set[str], roles: tuple[str, ...]) -> Iterator[Finding]:
    """Pinned, forbidden and paired rules on rows with a role; rules for other industries or roles are not meant."""
    for rule in rules.sort_values("rule_id").to_dict("records"):
        role = rule["role"]
        meant = role in roles or (not role and (rule["kind"] == "forbidden" or "lead" in roles))
        if not meant or (rule["industry_id"] and rule["industry_id"] not in industries):
            continue
        if rule["kind"] == "paired":
            leads = t[t["role"] == "lead"].set_index("industry_id")["moe_code"].to_dict()
            if leads.get(rule["industry_id"]) != leads.get(rule["paired_industry_id"]):
                yield at("paired_broken", item=rule["rule_id"])
            continue
        with_discipline = "partner" not in roles
        fields = ["industry_id", "moe_code", "role", *(["discipline_code"] if with_discipline else [])]
        hit = np.ones(len(t), dtype=bool)
        for name in fields:
            hit &= (t[name] == rule[name]).to_numpy() if rule[name] else True
        if rule["kind"] == "pinned" and not hit.any():
            yield at("pinned_broken", item=rule["rule_id"])
        if rule["kind"] == "forbidden" and hit.any():
            yield at("forbidden_broken", item=rule["rule_id"])


@dataclass(frozen=True)
class Score:
    """A score computed again: points as (low, middle, high), and what it is made of."""

    points: tuple[float, float, float]
    relevance: int
    strength: tuple[float, float, float]
    near: tuple[float, float]
    other: float


class Scorer:
    """Scores, distances and reach from the registries and the weights alone."""

    def __init__(self, tables: Mapping[str, pd.DataFrame], p: Any) -> None:
        self._p = p
        self._points_of_places(tables)
        d = tables["disciplines"]
        self.listed = set(d["moe_code"])
        self.strengths = {
            (str(r["moe_code"]), str(r["discipline_code"])): self.graded(str(r["grade"]), bool(r["double_first_class"]))
            for r in d.to_dict("records")
        }
        self._relevance = tables["relevance"].set_index(["industry_id", "discipline_code"])["relevance"].to_dict()
        of_category = tables["category_relevance"].set_index(["industry_id", "category"])["relevance"].to_dict()
        self._category = of_category
        self._category_of = tables["universities"].set_index("moe_code")["category"].to_dict()
        self._together = tables["cooperation"].set_index(["industry_id", "moe_code"])["cooperation"].to_dict()
        self._links = tables["craft_links"].set_index(["industry_id", "moe_code"])["link"].to_dict()
        self._offered: dict[tuple[str, str], list[tuple[int, str]]] = {}
        offered = d.merge(tables["relevance"], on="discipline_code", suffixes=("", "_r"))
        for r in offered.to_dict("records"):
            key = (str(r["industry_id"]), str(r["moe_code"]))
            self._offered.setdefault(key, []).append((int(r["relevance"]), str(r["discipline_code"])))
        self._known: dict[tuple[str, ...], Score] = {}

    def _points_of_places(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self._points = Points(tables)
        self._places = {
            str(industry): (
                np.array([self._points.at(code) for code in t["place_code"]]),
                np.array([getattr(self._p, f"place_weight_{role}") for role in t["role"]]),
            )
            for industry, t in tables["industry_places"].groupby("industry_id")
        }

    def km(self, moe_code: str, place_code: str) -> float:
        """Distance between an institution's point and a place's."""
        return self._points.km(moe_code, place_code)

    def near(self, moe_code: str, industry_id: str, decay_km: float) -> tuple[float, float]:
        """Proximity (0-1) and the distance in km behind it."""
        if industry_id not in self._places:
            return 0.0, np.nan
        there, weight = self._places[industry_id]
        km = chord_km(there - self._points.at(moe_code))
        proximity = weight * np.exp(-km / decay_km)
        best = proximity.max()
        return float(best), float(km[np.isclose(proximity, best, rtol=0, atol=1e-12)].min())

    def graded(self, grade: str, listed: bool) -> tuple[float, float, float]:
        """Strength as (low, middle, high)."""
        p, floor = self._p, self._p.double_first_class_strength if listed else 0.0
        if grade:
            return (max(p.strength_by_grade[grade], floor),) * 3
        low, high = max(p.unknown_strength_low, floor), max(p.unknown_strength_high, floor)
        return low, (low + high) / 2, high

    def main(self, industry_id: str, moe_code: str, code: str) -> Score:
        """The score of a lead or support of a main industry; an empty ``code`` is an institution as a whole."""
        p = self._p
        w = np.array([p.lead_weight_strength, p.lead_weight_proximity, p.lead_weight_cooperation])
        if code:
            level, strength = int(self._relevance.get((industry_id, code), 0)), self.strengths[moe_code, code]
            levels = (level, level, level)
        else:
            level = int(self._category.get((industry_id, self._category_of[moe_code]), 0))
            strength, levels = self.graded("", False), (max(level - 1, 0), level, min(level + 1, 3))
        near = self.near(moe_code, industry_id, p.lead_distance_decay_km)
        worked = float(self._together.get((industry_id, moe_code), np.nan))
        ends = [0.0, 0.5, 1.0] if np.isnan(worked) else [worked] * 3
        low, middle, high = (
            100 * each / 3 * float(w @ [s, near[0], c]) / float(w.sum())
            for each, s, c in zip(levels, strength, ends, strict=True)
        )
        return Score((low, middle, high), level, strength, near, worked)

    def craft(self, industry_id: str, moe_code: str, role: str) -> Score:
        """The score of an institution in a role of a heritage industry; ``other`` is its craft."""
        p, mine = self._p, self._offered.get((industry_id, moe_code), [])
        level = max((relevance for relevance, _ in mine), default=0)
        craft = max(float(self._links.get((industry_id, moe_code), 0)), p.craft_from_discipline * level) / 3
        codes = [code for relevance, code in mine if relevance == level > 0]
        strength = max((self.strengths[moe_code, c] for c in codes), key=lambda s: s[1], default=self.graded("", False))
        near = self.near(moe_code, industry_id, p.heritage_distance_decay_km)
        w = np.array([getattr(p, f"heritage_{role}_weight_{k}") for k in ("craft", "proximity", "strength")])
        low, middle, high = (100 * float(w @ [craft, near[0], s]) / float(w.sum()) for s in strength)
        return Score((low, middle, high), level, strength, near, craft)

    def of(self, row: Mapping[Any, Any]) -> Score:
        """The score of a row with industry, role, institution and discipline."""
        industry, moe_code = str(row["industry_id"]), str(row["moe_code"])
        crafts = row["problem"] == "heritage"
        key = (industry, moe_code, str(row["role"] if crafts else row["discipline_code"]))
        if key not in self._known:
            self._known[key] = self.craft(*key) if crafts else self.main(*key)
        return self._known[key]


def same(row: Mapping[Any, Any], who: str, score: Score, parts: tuple[str, ...]) -> Iterator[Finding]:
    """A row of a plan against its score computed again; ``parts`` are the components that must add up."""
    for name, value in zip(("score_low", "score", "score_high"), score.points, strict=True):
        yield from number(row, who, name, value, POINTS)
    yield from number(row, who, "relevance", score.relevance, 0)
    for name, value in zip(("strength_low", "strength", "strength_high"), score.strength, strict=True):
        yield from number(row, who, name, value, SHARES)
    yield from number(row, who, "proximity", score.near[0], SHARES)
    yield from number(row, who, "distance_km", score.near[1], KM)
    said = sum(float(row[f"contribution_{k}"]) for k in parts)
    if abs(said - float(row["score"])) > POINTS:
        yield at("parts_differ", item=who, value=said, expected=row["score"])
