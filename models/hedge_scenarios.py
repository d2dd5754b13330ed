"""Scenarios of demand: what is not known about the children of later years, drawn as a tree and as fresh futures.

Births are known to 2023, so the entrants of grade 1 up to the school year 2029 come from known births; migration, later
births, net transfers and the share of families with a claim are not known. Each row of ``demand_uncertainties`` is one
such number with a triangular range. Its draw for a county is a standard normal with a part of the province, of the city
and of the county (shares of the variance, so the correlation of two counties is the share they have in common), turned
into the quantile of the range. A yearly number remembers a part of the year before (``persistence``).

Tree: at every review the nodes divide the probability into equal parts (a Latin hypercube: each part is met once, in an
order of its own for every number, county, city and the province). The fresh tree, on which plans are evaluated, has
independent draws in every node: its branches at the first review are an independent sample of what may come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from zjsim.models.hedge_data import Area, Demand, Floats, Tree

from zjsim.simulate.inputs import triangular
from zjsim.simulate.streams import Streams

PROCESS = "hedge"
SCHOOL_AGE = 6
"""A child born in a year enters grade 1 that many years later (see :mod:`zjsim.synthesis.cohorts`)."""
_EDGE = 2.0**-40


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """One row of ``demand_uncertainties``; ``parts`` are the shares of variance of province, city and county."""

    name: str
    acts_on: str
    birth_year: int
    low: float
    mode: float
    high: float
    parts: tuple[float, float, float]
    persistence: float


def uncertainties(table: pd.DataFrame) -> tuple[Uncertainty, ...]:
    """The rows of the registry."""
    return tuple(
        Uncertainty(
            name=str(r["uncertainty_id"]),
            acts_on=str(r["acts_on"]),
            birth_year=0 if pd.isna(r["birth_year"]) else int(r["birth_year"]),
            low=float(r["low"]),
            mode=float(r["mode"]),
            high=float(r["high"]),
            parts=_parts(float(r["share_province"]), float(r["share_city"])),
            persistence=float(r["persistence"]),
        )
        for r in table.to_dict("records")
    )


def _parts(province: float, city: float) -> tuple[float, float, float]:
    return province, city, max(0.0, 1 - province - city)


class Futures:
    """Draws of every uncertain number for any area at the leaves of ``tree``.

    The draws of its nodes share out the probability evenly, or, for a ``fresh`` tree, are independent of each other.

    Every draw is keyed by (seed, kind of sample, province, city or county, review, number): one more county, number or
    future leaves all others as they were (a tree's draws depend on its branching).
    """

    def __init__(
        self, numbers: Sequence[Uncertainty], as_of_year: int, seed: int, *, tree: Tree, fresh: bool = False
    ) -> None:
        self.numbers, self.as_of_year, self.tree, self.fresh = tuple(numbers), as_of_year, tree, fresh
        self.count = tree.leaves
        self._streams = Streams(seed, int(fresh))
        self._known: dict[tuple[str, int, str], Floats] = {}

    def normals(self, number: Uncertainty, area: Area, review: int) -> Floats:
        """The standard normal of ``number`` that is known at ``review`` (1, 2, …), by scenario."""
        places = ("province", area.city_code, area.county_code)
        return sum(
            (
                np.sqrt(part) * self._draw(place, review, number.name)
                for part, place in zip(number.parts, places, strict=True)
            ),
            start=np.zeros(self.count),
        )

    def values(self, number: Uncertainty, area: Area, reviews: int) -> Floats:
        """The number at reviews 1 … ``reviews``, by scenario and review (once only: the same from then on)."""
        if number.acts_on in YEARLY:
            z = [self.normals(number, area, 1)]
            keep, new = number.persistence, np.sqrt(1 - number.persistence**2)
            for review in range(2, reviews + 1):
                z.append(keep * z[-1] + new * self.normals(number, area, review))
            return quantile(number, np.stack(z, axis=1))
        known = max(1, number.birth_year - self.as_of_year) if number.birth_year else 1
        once = quantile(number, self.normals(number, area, known))
        return np.repeat(once[:, None], reviews, axis=1)

    def province(self, number: Uncertainty, reviews: int) -> Floats:
        """The province's part of the normals of ``number`` by scenario (the sum over the reviews of a yearly one)."""
        if number.acts_on in YEARLY:
            return np.asarray(sum(self._draw("province", j, number.name) for j in range(1, reviews + 1)))
        known = max(1, number.birth_year - self.as_of_year) if number.birth_year else 1
        return self._draw("province", known, number.name)

    def _draw(self, place: str, review: int, what: str) -> Floats:
        key = (place, review, what)
        if key not in self._known:
            self._known[key] = self._independent(key) if self.fresh else self._strata(key)
        return self._known[key]

    def _independent(self, key: tuple[str, int, str]) -> Floats:
        place, review, what = key
        nodes = self.tree.nodes(review)
        u = self._streams.uniforms(PROCESS, place, review, int(nodes[-1]) + 1, what)
        return np.asarray(ndtri(np.clip(u, _EDGE, 1 - _EDGE)))[nodes]

    def _strata(self, key: tuple[str, int, str]) -> Floats:
        place, review, what = key
        nodes = self.tree.nodes(review)
        n = int(nodes[-1]) + 1
        generator = self._streams.generator(PROCESS, place, review, what)
        u = (generator.permutation(n) + generator.random(n)) / n
        return np.asarray(ndtri(np.clip(u, _EDGE, 1 - _EDGE)))[nodes]

    @cached_property
    def by_kind(self) -> dict[str, tuple[Uncertainty, ...]]:
        """The numbers by what they act on."""
        return {kind: tuple(n for n in self.numbers if n.acts_on == kind) for kind in KINDS}

    def demand(self, area: Area, *, all_covered: bool = False) -> Demand:
        """Whole children of ``area`` in every scenario (scenario, grade, year).

        ``all_covered``: every migrant child is guaranteed a place, so that the share with a claim plays no role.
        """
        n = len(area.years)
        reviews = [y - self.as_of_year for y in area.years]
        last = max(reviews)
        one = np.ones((self.count, n))

        def factor(kind: str) -> Floats:
            found = one
            for number in self.by_kind[kind]:
                found = found * self.values(number, area, last)[:, [r - 1 for r in reviews]]
            return found

        entry = factor("local_entry")
        births = np.ones((self.count, n))
        for number in self.by_kind["births"]:
            for j, y in enumerate(area.years):
                if y - SCHOOL_AGE == number.birth_year:
                    births[:, j] *= self.values(number, area, 1)[:, 0]
        stock, growth = factor("migrant_stock"), np.cumprod(factor("migrant_growth"), axis=1)
        moved = factor("net_transfers")
        local, migrant = np.empty((self.count, 9, n)), np.empty((self.count, 9, n))
        for g in range(9):
            for j in range(n):
                entered = j - g  # the year of the horizon in which this cohort enters grade 1, if it does
                cohort = births[:, entered] if entered >= 0 else 1.0
                local[:, g, j] = area.local[g, j] * cohort * (entry[:, entered] if entered >= 0 else 1.0)
                # Net transfers since today, or since the cohort entered primary or junior school.
                steps = [t for t in range(j + 1) if g - (j - t) >= 0 and g - (j - t) not in (0, 6)]
                transfers = moved[:, steps].prod(axis=1)
                migrant[:, g, j] = area.migrant[g, j] * cohort * stock[:, j] * growth[:, j] * transfers
        local, migrant = np.rint(local), np.rint(migrant)
        share = np.divide(area.covered, area.migrant, out=np.zeros_like(area.covered), where=area.migrant > 0)
        claim = 1.0 if all_covered else factor("guaranteed_share")[:, None, :]
        return Demand(local, migrant, np.minimum(np.rint(migrant * share * claim), migrant))


YEARLY = ("local_entry", "migrant_growth", "net_transfers")
"""Kinds that have a value of their own every year."""
KINDS = ("births", "local_entry", "migrant_stock", "migrant_growth", "net_transfers", "guaranteed_share")
"""What a row of ``demand_uncertainties`` may act on."""


def quantile(number: Uncertainty, z: Floats) -> Floats:
    """The value of ``number`` at the standard normal ``z`` (its range is triangular)."""
    if number.high <= number.low:
        return np.full(z.shape, number.mode)
    return np.asarray(triangular(number.low, number.mode, number.high, np.asarray(ndtr(z))))
