"""The rules that spread a county's classes over its planning zones, one function each, for one stage and school year.

Indices: ``z`` zone of the county, ``g`` grade of the stage, ``k`` level: local children; these and the guaranteed
migrant children; all children. Columns: ``classes[z,g]``; ``home[k,z,g]`` children of a level who can sit in their home
zone; ``moved[k,g]`` those placed who cannot. The county's plan gives the classes of every grade and how many children
sit in public seats; rooms stand where the building rules put them. Any distribution of whole classes over rooms gives
the county its seats, so the county's goals are not touched: only moves depend on it. What a class adds at home is a
full class until one is left over, then the rest; the second row of each level says so, which makes the linear program
as tight as whole classes are and its value a proven bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from zjsim.models.seat_sites import Floats, Ints

from zjsim.solve.arrays import Arrays

LEVELS = ("local", "guaranteed", "all")
"""Nested levels of children: each has first claim to a home seat before those that the next one adds."""


@dataclass(frozen=True)
class Block:
    """One stage and year of a county: Z zones, G grades. ``usable`` seats a class, ``rooms`` (Z), ``classes`` (G).

    ``children`` (3, Z, G): children of each level by home zone; ``placed`` (3, G): those who have public seats in the
    county's plan.
    """

    usable: int
    rooms: Ints
    classes: Ints
    children: Ints
    placed: Ints

    @cached_property
    def columns(self) -> dict[str, Ints]:
        """Positions of the columns by name, in the shape of their indices."""
        levels, z, g = self.children.shape
        cells = np.arange((levels + 1) * z * g).reshape(levels + 1, z, g)
        moved = np.arange(levels * g).reshape(levels, g) + cells.size
        return {"classes": cells[0], "home": cells[1:], "moved": moved}


@dataclass
class Rows:
    """Rows of a program under construction: entries (row, column, value) and bounds, block after block."""

    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    entries: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    count: int = 0

    def add(self, lower: Floats, upper: Floats, *terms: tuple[Ints, Floats]) -> None:
        """As many rows as ``lower`` has; a term is (columns, coefficients) of shape (rows,) or (rows, terms)."""
        rows = len(lower)
        here = np.arange(self.count, self.count + rows)
        for columns, values in terms:
            wide = columns.reshape(rows, -1)
            shape = wide.shape
            self.entries.append(
                (
                    np.broadcast_to(here[:, None], shape).ravel(),
                    wide.ravel(),
                    np.broadcast_to(np.asarray(values, dtype=np.float64).reshape(-1, 1), shape).ravel()
                    if np.ndim(values) <= 1
                    else np.asarray(values, dtype=np.float64).ravel(),
                )
            )
        self.lower.append(lower.astype(np.float64))
        self.upper.append(upper.astype(np.float64))
        self.count += rows

    def arrays(self, cost: Floats, upper: Floats, *, whole: bool) -> Arrays:
        """The program of these rows."""
        row, column, value = (np.concatenate([e[k] for e in self.entries]) for k in range(3))
        order = np.argsort(row, kind="stable")
        start = np.searchsorted(row[order], np.arange(self.count + 1))
        low, high = np.concatenate(self.lower), np.concatenate(self.upper)
        return Arrays(cost, upper, low, high, start, column[order], value[order], "rows", whole=whole)


Rule = Callable[[Rows, Block], None]
ZONE_RULES: dict[str, Rule] = {}
"""Every rule by name, in the order in which it is added."""


def rule(function: Rule) -> Rule:
    """Register a rule under its function's name."""
    ZONE_RULES[function.__name__] = function
    return function


@rule
def zone_classes(rows: Rows, b: Block) -> None:
    """The zones' classes of a grade are those of the county's plan.

    Σ_z classes[z,g] = classes of the county[g]; row: classes. M110.
    """
    wanted = b.classes.astype(np.float64)
    rows.add(wanted, wanted, (b.columns["classes"].T, np.ones(1)))


@rule
def zone_rooms(rows: Rows, b: Block) -> None:
    """Every class needs a classroom of its zone.

    Σ_g classes[z,g] <= rooms[z]; row: rooms. M110.
    """
    rows.add(np.full(len(b.rooms), -np.inf), b.rooms.astype(np.float64), (b.columns["classes"], np.ones(1)))


@rule
def children_at_home(rows: Rows, b: Block) -> None:
    """Children sit in their home zone as far as its classes have seats; local children have first claim to them.

    home[k,z,g] <= usable × classes[z,g]; home[k,z,g] <= rest × classes[z,g] + full × (usable − rest), where children of
    the level = full × usable + rest; row: children. M109, M110.
    """
    seats = b.columns["home"].ravel()
    classes = np.broadcast_to(b.columns["classes"], b.children.shape).ravel()
    u = max(b.usable, 1)
    full, rest = b.children.ravel() // u, b.children.ravel() % u
    none = np.full(len(seats), -np.inf)
    rows.add(none, np.zeros(len(seats)), (seats, np.ones(1)), (classes, np.full(len(seats), -float(b.usable))))
    last = (full * (u - rest)).astype(np.float64)
    rows.add(none, last, (seats, np.ones(1)), (classes, -rest.astype(np.float64)))


@rule
def children_moved(rows: Rows, b: Block) -> None:
    """Children with a public seat who find none at home sit in another zone of the county.

    moved[k,g] >= placed children of the level[g] − Σ_z home[k,z,g]; row: children. M109, M110.
    """
    zones, wanted = b.children.shape[1], b.placed.astype(np.float64).ravel()
    home = b.columns["home"].transpose(0, 2, 1).reshape(-1, zones)
    most = np.full(len(wanted), np.inf)
    rows.add(wanted, most, (home, np.ones(1)), (b.columns["moved"].ravel(), np.ones(1)))


@rule
def levels_are_nested(rows: Rows, b: Block) -> None:
    """Whoever is moved on one level is moved on the next as well.

    moved[k,g] >= moved[k−1,g]; row: children. M109.
    """
    upper, lower = b.columns["moved"][1:].ravel(), b.columns["moved"][:-1].ravel()
    rows.add(np.zeros(len(upper)), np.full(len(upper), np.inf), (upper, np.ones(1)), (lower, -np.ones(1)))


@rule
def kinds_at_home(rows: Rows, b: Block) -> None:
    """Children whom a level adds sit at home only where they live, and no more of them than have public seats.

    0 <= home[k,z,g] − home[k−1,z,g] <= children that level k adds[z,g]; Σ_z (home[k,z,g] − home[k−1,z,g]) <= placed
    children that level k adds[g], with home[−1] = 0; row: children. M109, M110, M112.

    It says more than the other rules only in a grade where a level is seated in part and a later one has seats: where
    places are purchased for guaranteed children while others sit in public seats. Elsewhere its rows are left out.
    """
    levels, zones, _ = b.children.shape
    before = np.zeros((1, *b.children.shape[1:]), dtype=np.int64)
    added = np.diff(b.children, axis=0, prepend=before)
    seated = np.diff(b.placed, axis=0, prepend=before[:, 0])
    some = seated < added.sum(axis=1)
    parted = [g for g in range(b.placed.shape[1]) if (some[:-1, g] & (np.cumsum(seated[::-1, g])[::-1][1:] > 0)).any()]
    home = b.columns["home"]
    for g in parted:
        for k in range(levels):
            cells, sum_of = home[k, :, g], (home[k, :, g][None, :], np.ones(1))
            most = np.array([float(seated[k, g])])
            if not k:
                rows.add(np.full(1, -np.inf), most, sum_of)
                continue
            less = (home[k - 1, :, g], np.full(zones, -1.0))
            rows.add(np.zeros(zones), added[k, :, g].astype(np.float64), (cells, np.ones(zones)), less)
            rows.add(np.full(1, -np.inf), most, sum_of, (home[k - 1, :, g][None, :], np.full(1, -1.0)))
