"""What seat expansion under uncertainty starts from: an area's options, a tree of scenarios, the children of each.

An area is whatever plans its seats on its own (a county here; a planning zone would do). Arrays are by stage (primary,
junior), school year and scenario; money is in 10,000 yuan (万元). Nothing here knows where the numbers come from:
:func:`areas` is the one adapter from a scenario.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zjsim.models.seat_data import GRADES, STAGES, County, HasTables, counties

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PIECES = 7
"""Slopes by which a stage loses children as classes are missing: its last classes (at most six), then full ones."""
GIVEN_UP = 6
"""Last classes of a stage's grades: those given up first, fewest children first."""
COLUMNS = tuple([g - 1 for g in grades] for grades in STAGES.values())
"""Columns of the grades of each stage."""


@dataclass(frozen=True)
class Tree:
    """Scenarios as the leaves of a tree that branches at the yearly reviews.

    ``branching[j]`` branches leave every node at review j + 1; after the last of them each scenario runs on alone.
    ``probability`` of the leaves; equal if not given.
    """

    branching: tuple[int, ...]
    chances: tuple[float, ...] = ()

    @property
    def leaves(self) -> int:
        """Number of scenarios."""
        return prod(self.branching)

    @property
    def probability(self) -> Floats:
        """Probability of each scenario."""
        return np.array(self.chances) if self.chances else np.full(self.leaves, 1 / self.leaves)

    def nodes(self, review: int) -> Ints:
        """For each scenario its node at a review (0 = today, where all are one): what is known there is the same."""
        at = prod(self.branching[: max(review, 0)])
        return np.arange(self.leaves) // (self.leaves // at)

    def first_of_node(self, review: int) -> Ints:
        """For each scenario the first scenario of its node at a review."""
        nodes = self.nodes(review)
        return np.searchsorted(nodes, nodes)


@dataclass(frozen=True)
class Area:
    """One area's options. Arrays by stage have two entries; ``staffed`` and ``cap`` are by stage and year.

    ``extension_max`` (rooms in all) and ``school_max`` (rooms of one school) are what registry and ground allow: the
    norm of site per pupil at the schools that stand, the area of a site for a new one.

    ``extension_from`` and ``school_from`` are the first school years that can still be reached from today:
    openings in them must be begun before the next yearly review, later ones can wait for it.
    ``local``, ``migrant``, ``covered`` (guaranteed a place) are the expected children by grade and year.
    """

    code: str
    name_zh: str
    name_en: str
    county_code: str
    city_code: str
    years: tuple[int, ...]
    seats: Floats
    rooms: Floats
    base_classes: Floats
    extension_max: Floats
    extension_min: Floats
    extension_cost: Floats
    extension_from: Ints
    extension_instalments: Ints
    sites: Floats
    school_min: Floats
    school_max: Floats
    school_cost: Floats
    school_from: Ints
    school_instalments: Ints
    equip_cost: Floats
    running_cost: Floats
    price: Floats
    staffed: Floats
    cap: Floats
    budget: Floats
    base_share: float
    local: Floats
    migrant: Floats
    covered: Floats

    def review(self, kind: str, stage: int, y: int) -> int:
        """The review by which an opening in the y-th year must begin: 0 today, 1 in a year, … (extension or school)."""
        first = self.extension_from if kind == "extension" else self.school_from
        return max(0, self.years[y] - int(first[stage]))

    def payments(self, kind: str, stage: int) -> Floats:
        """Share of a building's cost paid in each year (columns) for an opening in each year (rows)."""
        counts = self.extension_instalments if kind == "extension" else self.school_instalments
        n, count = len(self.years), int(counts[stage])
        shares = np.zeros((n, n))
        for t in range(n):
            first = max(0, t - count + 1)
            shares[t, first : t + 1] = 1 / (t - first + 1)
        return shares


@dataclass(frozen=True)
class Demand:
    """Children of one area in every scenario: arrays (scenario, grade, year)."""

    local: Floats
    migrant: Floats
    covered: Floats

    def only(self, leaves: Sequence[int]) -> Demand:
        """Some of the scenarios."""
        at = list(leaves)
        return Demand(self.local[at], self.migrant[at], self.covered[at])

    def mean(self, probability: Floats) -> Demand:
        """The expected children as one scenario."""
        return Demand(*(np.tensordot(probability, a, axes=1)[None] for a in (self.local, self.migrant, self.covered)))


@dataclass(frozen=True)
class Case:
    """One area under a tree of scenarios, with the prices of what is missing: all a formulation needs."""

    area: Area
    tree: Tree
    demand: Demand
    penalties: Penalties
    purchased_counts: bool = False

    @cached_property
    def covered(self) -> Floats:
        """Guaranteed migrant children by scenario, stage and year."""
        return by_stage(self.demand.covered)

    @cached_property
    def other(self) -> Floats:
        """Further migrant children by scenario, stage and year."""
        return by_stage(self.demand.migrant - self.demand.covered)

    @cached_property
    def first(self) -> Floats:
        """Local and guaranteed children by scenario, stage and year: those who have a claim to a seat."""
        return by_stage(self.demand.local + self.demand.covered)

    @cached_property
    def migrants(self) -> Floats:
        """All migrant children by scenario and year."""
        return np.asarray(self.demand.migrant.sum(axis=1), dtype=float)

    @cached_property
    def needed(self) -> Floats:
        """Classes that would seat every child, by scenario, stage and year."""
        return np.stack([_classes(self._everyone[:, c], u).sum(axis=1) for c, u in self._stages], axis=1)

    @cached_property
    def most_classes(self) -> Floats:
        """Classes that can be worth having: those that seat every child or those of today, as far as staff allows."""
        return np.minimum(np.maximum(self.needed, self.area.base_classes[None, :, None]), self.area.staffed)

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """Scenarios in which today's classes seat every child: they cost nothing, whatever is decided."""
        a = self.area
        there = np.minimum(np.minimum(a.base_classes, a.rooms)[:, None], a.staffed)
        seated = (a.seats[:, None] > 0) | (self.first + self.other == 0).all(axis=0)
        return np.asarray(((self.needed <= there) & seated).all(axis=(1, 2)))

    @cached_property
    def pieces(self) -> tuple[Floats, Floats]:
        """(slope, start) by scenario, stage, year and piece: children without a seat >= start − slope × classes."""
        found = [missing(self._first[:, c], u) for c, u in self._stages]
        return np.stack([f[0] for f in found], axis=1), np.stack([f[1] for f in found], axis=1)

    @cached_property
    def needed_first(self) -> Floats:
        """Classes that would seat every child with a claim, by scenario, stage and year."""
        return np.stack([_classes(self._first[:, c], u).sum(axis=1) for c, u in self._stages], axis=1)

    @property
    def last_classes(self) -> Floats:
        """Children with a claim in the last class of each grade, fewest first, then full classes: the order of loss."""
        return self._given_up[0]

    @property
    def last_further(self) -> Floats:
        """Further children beside them in those classes."""
        return self._given_up[1]

    @cached_property
    def _given_up(self) -> tuple[Floats, Floats]:
        lasts, besides = [], []
        for c, u in self._stages:
            last = np.moveaxis(_last(self._first[:, c], u), 1, -1)
            fit = np.where(np.isfinite(last), np.moveaxis(self._fitting[:, c], 1, -1), 0.0)
            order = np.lexsort((fit, last), axis=-1)
            shape = (*last.shape[:-1], GIVEN_UP)
            full, beside = np.full(shape, u), np.zeros(shape)
            last, fit = np.take_along_axis(last, order, -1), np.take_along_axis(fit, order, -1)
            full[..., : last.shape[-1]] = np.where(np.isfinite(last), last, u)
            beside[..., : last.shape[-1]] = fit
            lasts.append(full)
            besides.append(beside)
        return np.stack(lasts, axis=1), np.stack(besides, axis=1)

    @cached_property
    def beside(self) -> Floats:
        """Further migrant children who find a seat beside those with a claim in classes of their own grade."""
        return by_stage(self._fitting)

    @cached_property
    def further(self) -> tuple[Floats, Floats]:
        """(slope, room) by scenario, stage, year and piece: further children <= room + slope × classes beyond needed.

        The classes beyond those of the children with a claim are single grades too: each seats a grade's further
        children who found no seat beside them, the fullest first.
        """
        left = self._everyone - self._first - self._fitting
        found = [missing(left[:, c], u) for c, u in self._stages]
        slope, start = (np.stack([f[i] for f in found], axis=1) for i in (0, 1))
        return slope, (self.beside + by_stage(left))[..., None] - start

    @cached_property
    def per_short(self) -> Floats:
        """Missing classes per child short at most: one over the fewest children of a class that is given up."""
        fewest = self.last_classes[..., 0]
        return np.divide(1.0, fewest, out=np.zeros_like(fewest), where=fewest > 0)

    def most_further(self, classes: Floats) -> Floats:
        """Further children whom ``classes`` can seat at most: (scenario, stage, year)."""
        slope, room = self.further
        spare = np.maximum(0.0, classes - self.needed_first)[..., None]
        gone = np.clip(self.needed_first - classes, 0, GIVEN_UP)[..., None]
        lost = np.where(np.arange(GIVEN_UP) < gone, self.last_further, 0.0).sum(axis=-1)
        return np.asarray(np.maximum(0.0, np.minimum(self.other, (room + slope * spare).min(axis=-1) - lost)))

    @cached_property
    def mixed(self) -> NDArray[np.bool_]:
        """Cells (scenario, stage, year) where further children may sit beside those with a claim."""
        return np.asarray((self.other > 0) & (self.area.seats[:, None] > 0))

    @cached_property
    def _fitting(self) -> Floats:
        """Further children by grade who fit into the classes of those with a claim (less than none without seats)."""
        seats = np.array([u for c, u in self._stages for _ in c])[:, None]
        classes = np.concatenate([_classes(self._first[:, c], u) for c, u in self._stages], axis=1)
        return np.asarray(np.minimum(self._everyone - self._first, seats * classes - self._first))

    @cached_property
    def _first(self) -> Floats:
        return self.demand.local + self.demand.covered

    @cached_property
    def _everyone(self) -> Floats:
        return self.demand.local + self.demand.migrant

    @property
    def _stages(self) -> list[tuple[list[int], float]]:
        return list(zip(COLUMNS, self.area.seats.tolist(), strict=True))

    def under(self, tree: Tree, demand: Demand) -> Case:
        """The same area under other scenarios."""
        return replace(self, tree=tree, demand=demand)


@dataclass(frozen=True)
class Penalties:
    """Price of what is missing, in 10,000 yuan per child and year (``overrun``: per 10,000 yuan beyond the budget).

    ``risk_weight`` is the weight of the CVaR at level ``alpha`` beside the expected cost.
    """

    local: float
    covered: float
    fall: float
    overrun: float
    risk_weight: float = 0.0
    alpha: float = 0.9


def by_stage(grades: Floats) -> Floats:
    """Sums over the grades of each stage: (scenario, grade, year) → (scenario, stage, year)."""
    return np.stack([grades[:, c].sum(axis=1) for c in COLUMNS], axis=1)


def _classes(children: Floats, seats: float) -> Floats:
    return np.ceil(children / seats - 1e-9) if seats > 0 else np.zeros_like(children)


def _last(children: Floats, seats: float) -> Floats:
    """Children of a grade's last class; infinite where the grade has none."""
    needed = _classes(children, seats)
    return np.where(needed > 0, children - (needed - 1) * seats, np.inf)


def missing(children: Floats, seats: float) -> tuple[Floats, Floats]:
    """Slopes and starts of the children without a seat as classes are missing: (scenario, year, :data:`PIECES`).

    Every grade needs children ÷ seats classes, rounded up; its last class holds what is left. With fewer classes, those
    with the fewest children are given up first: what is lost is convex in the number of classes and equals the largest
    of the pieces at every whole number. ``children`` is (scenario, grade, year).
    """
    needed = _classes(children, seats)
    total = children.sum(axis=1)
    last = np.sort(np.moveaxis(_last(children, seats), 1, -1), axis=-1)
    some = np.isfinite(last)
    # A grade without children has no last class: its place is taken by the piece of full classes.
    slope = np.full((*total.shape, PIECES), max(seats, 0.0))
    slope[..., : last.shape[-1]] = np.where(some, last, max(seats, 0.0))
    given = np.zeros_like(slope)
    given[..., 1 : last.shape[-1] + 1] = np.cumsum(some, axis=-1)
    lost = np.zeros_like(slope)
    lost[..., 1 : last.shape[-1] + 1] = np.cumsum(np.where(some, last, 0.0), axis=-1)
    for j in range(last.shape[-1] + 1, PIECES):
        given[..., j], lost[..., j] = given[..., j - 1], lost[..., j - 1]
    start = lost + slope * (needed.sum(axis=1)[..., None] - given)
    return (slope, start) if seats > 0 else (np.zeros_like(slope), np.repeat(total[..., None], PIECES, axis=-1))


def areas(scenario: HasTables) -> list[Area]:
    """Every county of a scenario as an area, in the order of their codes."""
    return [_area(d) for d in counties(scenario)]


def _area(d: County) -> Area:
    years, stages = d.years, [d.stages[s] for s in STAGES]

    def of(name: str, kind: Any = float) -> Any:
        return np.array([getattr(s, name) for s in stages], dtype=kind)

    def grid(cells: Mapping[tuple[int, int], int]) -> Floats:
        return np.array([[cells[g, y] for y in years] for g in GRADES], dtype=float)

    return Area(
        code=d.code,
        name_zh=d.name_zh,
        name_en=d.name_en,
        county_code=d.code,
        city_code=d.city_code,
        years=years,
        seats=of("usable_seats_per_class"),
        rooms=of("classrooms"),
        base_classes=of("base_classes"),
        extension_max=of("extension_rooms_that_fit"),
        extension_min=of("extension_rooms_min"),
        extension_cost=of("extension_cost"),
        extension_from=of("extension_from", int),
        extension_instalments=of("extension_instalments", int),
        sites=of("school_sites"),
        school_min=of("school_rooms_min"),
        school_max=of("school_rooms_that_fit"),
        school_cost=of("school_cost"),
        school_from=of("school_from", int),
        school_instalments=of("school_instalments", int),
        equip_cost=of("equip_cost"),
        running_cost=of("running_cost"),
        price=of("purchase_price"),
        staffed=np.array([[s.staffed_classes[y] for y in years] for s in stages], dtype=float),
        cap=np.array(
            [[min(d.stages[s].purchase_places_max, d.private_places[s, y]) for y in years] for s in STAGES],
            dtype=float,
        ),
        budget=np.array([d.budget[y] for y in years]),
        base_share=d.base_public_share,
        local=grid(d.local),
        migrant=grid(d.migrant),
        covered=grid(d.covered),
    )
