"""The data of talent supply, and the sums of admissions that its rules speak of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyomo.environ as pyo

from zjsim.solve.matrix import total

GroupKey = tuple[str, str, str, str]
"""(host_id, level, class_id, pathway)."""

Term = tuple[float, Any]
"""A coefficient and what it multiplies: a variable, or a number."""


@dataclass(frozen=True, slots=True)
class Group:
    """A programme group. ``history`` is its yearly intake up to now, ``announced`` that of years that are settled.

    ``most_change`` is the largest change of intake in a year; ``cap`` the most that a newly opened group may admit;
    ``elsewhere`` the first years that it spends at other schools; ``weight`` turns its students into those the norm
    counts; ``counted`` says whether it belongs to the share that must not fall, ``of_field`` whether to its upper part.
    """

    duration: int
    keep: float
    history: float
    announced: float
    most_change: float
    elsewhere: int = 0
    weight: float = 1.0
    may_open: bool = False
    may_close: bool = False
    cap: float = 0.0
    counted: bool = False
    of_field: bool = False
    joint: bool = False
    change_weight: float = 1.0


@dataclass(frozen=True, slots=True)
class TalentData:
    """All that a plan of talent supply needs; amounts are students, graduates, teachers and places.

    ``years`` run from the first admission after the as-of date; ``first`` is the next one that can be changed.
    ``available`` is the share of a level's graduates who look for work in the province. ``demand`` is by (sector,
    level, year, case); ``totals`` (level, year) is the intake that the state sets. ``market`` are the years in which
    graduates meet demand (empty: all that have a demand). ``away`` is the share of a host's teachers, by (host, year),
    that the people ledger gives outside beyond what it gave when they were counted.
    """

    years: tuple[int, ...]
    first: int
    groups: Mapping[GroupKey, Group]
    cases: Mapping[str, float]
    demand: Mapping[tuple[str, str, int, str], float]
    relevance: Mapping[tuple[str, str], int]
    priority: Mapping[str, int] = field(default_factory=dict)
    available: Mapping[str, float] = field(default_factory=dict)
    norm: Mapping[str, float] = field(default_factory=dict)
    teachers: Mapping[tuple[str, str], float] = field(default_factory=dict)
    away: Mapping[tuple[str, int], float] = field(default_factory=dict)
    places: Mapping[str, float] = field(default_factory=dict)
    campus_places: Mapping[tuple[str, int], float] = field(default_factory=dict)
    totals: Mapping[tuple[str, int], float] = field(default_factory=dict)
    orders: Mapping[tuple[GroupKey, str], tuple[int, float]] = field(default_factory=dict)
    hire_share: float = 0.0
    build_share: float = 0.0
    build_years: int = 1
    minimum_size: float = 0.0
    openings_per_host: int = 1
    mild_share: float = 1.0
    severe_weight: float = 2.0
    joint_most: float = 0.0
    joint_least: Mapping[int, float] = field(default_factory=dict)
    joint_now: float = 0.0
    joint_relief: float = 0.0
    share_not_falling: bool = True
    review_years: int = 1
    market: tuple[int, ...] = ()
    cost_teacher: float = 1.0
    cost_place: float = 1.0
    cost_joint: float = 1.0

    @property
    def last(self) -> int:
        """The last year of the horizon."""
        return self.years[-1]

    @property
    def decided(self) -> tuple[int, ...]:
        """Years of admission that can be changed."""
        return tuple(t for t in self.years if t >= self.first)

    @property
    def reviews(self) -> tuple[int, ...]:
        """Admissions at which intake is decided: the first two, then every ``review_years``; it stands in between."""
        later = range(self.first + 1, self.last + 1, self.review_years)
        return (self.first, *later) if self.first <= self.last else ()

    def review(self, t: int) -> int:
        """The review that decides the admission of year ``t``."""
        return max(y for y in self.reviews if y <= t)

    def last_choice(self, g: GroupKey) -> int:
        """The last review whose graduates come within the horizon: later admissions are kept at its size."""
        return self.review(max(self.first, self.last - self.groups[g].duration))

    def last_of_level(self, level: str) -> int:
        """The last admission at which any group of a level can still change."""
        return max(self.last_choice(g) for g in self.groups if g[1] == level)


def linear(terms: Iterable[Term]) -> Any:
    """The sum of ``terms`` as a Pyomo expression, each variable once."""
    constant, by_id, variables = 0.0, dict[int, float](), dict[int, Any]()
    for coefficient, item in terms:
        if isinstance(item, (int, float)):
            constant += coefficient * item
        else:
            variables[id(item)] = item
            by_id[id(item)] = by_id.get(id(item), 0.0) + coefficient
    return total([constant, *(by_id[i] * v for i, v in variables.items())])


def scaled(factor: float, terms: Iterable[Term]) -> list[Term]:
    """``terms`` times ``factor``."""
    return [(factor * coefficient, item) for coefficient, item in terms]


def intake(m: pyo.ConcreteModel, g: GroupKey, t: int, c: str) -> Any:
    """Students that group ``g`` admits in year ``t`` in case ``c``: a variable, or the number that is settled."""
    data: TalentData = m.data
    if t < data.first:
        return data.groups[g].announced if t >= data.years[0] else data.groups[g].history
    t = m.decided_by[g, t]
    return m.now[g] if t == data.first else m.later[(*g, t, c)]


def joint(m: pyo.ConcreteModel, g: GroupKey, t: int, c: str) -> Any:
    """Of these, graduate students trained together with an institute or a firm."""
    if t < m.data.first:
        return m.data.joint_now * intake(m, g, t, c)
    return m.joint[(*g, m.decided_by[g, t], c)]


def stock(m: pyo.ConcreteModel, g: GroupKey, t: int, c: str, who: Callable[..., Any] = intake) -> list[Term]:
    """Students of ``g`` at its host in the autumn of ``t``, those at other schools left out."""
    group: Group = m.data.groups[g]
    return [(group.keep**k, who(m, g, t - k, c)) for k in range(group.elsewhere, group.duration)]


def graduates(m: pyo.ConcreteModel, g: GroupKey, t: int, c: str) -> Term:
    """Students of ``g`` who graduate in the summer of ``t``."""
    group: Group = m.data.groups[g]
    return group.keep**group.duration, intake(m, g, t - group.duration, c)
