"""The rules of :mod:`zjsim.models.hedge_rules` written straight into a solver's matrix, for a thousand small solves.

The Pyomo formulation there is the reference: the tests compare both coefficient by coefficient. Arrays are by scenario,
stage and year; a row block has one row per cell, its terms (columns, coefficients) may have one axis more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zjsim.models.hedge_data import GIVEN_UP, PIECES, Case, Floats

from zjsim.solve.matrix import Matrix

Columns = NDArray[np.int64]
Term = tuple[Columns, Any]
BY_STAGE = (
    *("extension", "extends", "schools", "school_rooms", "classes", "short", "local_short", "bought", "without"),
    *("other", "added", "opened"),
)
WHOLE = ("extension", "extends", "schools", "school_rooms", "classes")
_FREE = np.inf


class _Rows:
    """Rows in blocks, kept as triplets."""

    def __init__(self) -> None:
        self.count = 0
        self.row: list[NDArray[np.int64]] = []
        self.column: list[NDArray[np.int64]] = []
        self.value: list[Floats] = []
        self.lower: list[Floats] = []
        self.upper: list[Floats] = []

    def add(self, shape: tuple[int, ...], terms: Sequence[Term], lower: Any = -_FREE, upper: Any = _FREE) -> None:
        """One row per cell of ``shape``: ``lower <= Σ coefficient × column <= upper``."""
        n = int(np.prod(shape))
        rows = (self.count + np.arange(n)).reshape(shape)
        for columns, values in terms:
            more = columns.ndim - len(shape)
            at = rows.reshape(shape + (1,) * more)
            row, column, value = np.broadcast_arrays(at, columns, np.asarray(values, dtype=float))
            used = value != 0
            self.row.append(row[used])
            self.column.append(column[used])
            self.value.append(value[used])
        self.lower.append(np.broadcast_to(np.asarray(lower, dtype=float), shape).ravel())
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=float), shape).ravel())
        self.count += n


def columns_of(case: Case) -> dict[str, Columns]:
    """The column of every variable: (scenario, stage, year), of ``fall`` and ``overrun`` (scenario, year)."""
    leaves, n = case.tree.leaves, len(case.area.years)
    size = leaves * 2 * n
    at: dict[str, Columns] = {
        name: (i * size + np.arange(size)).reshape(leaves, 2, n) for i, name in enumerate(BY_STAGE)
    }
    done = len(BY_STAGE) * size
    for i, name in enumerate(("fall", "overrun")):
        at[name] = (done + i * leaves * n + np.arange(leaves * n)).reshape(leaves, n)
    return at


def matrix(case: Case, closed: Sequence[tuple[int, int, int]] = ()) -> Matrix:
    """The case as a matrix with its cost; ``closed`` are the cells in which no seat may be kept empty."""
    at, rows, a = columns_of(case), _Rows(), case.area
    shape = at["classes"].shape
    _seats(case, at, rows)
    _rooms(case, at, rows)
    _moves(case, at, rows)
    _yearly(case, at, rows)
    _shared(case, at, rows)
    n = 12 * int(np.prod(shape)) + 2 * shape[0] * shape[2]
    upper = np.full(n, _FREE)
    years = np.array(a.years)
    for name, first, most in (
        ("extension", a.extension_from, a.extension_max),
        ("schools", a.school_from, a.sites),
        ("school_rooms", a.school_from, a.sites * a.school_max),
    ):
        upper[at[name]] = np.where(years[None] >= first[:, None], most[:, None], 0.0)
    upper[at["extends"]] = 1.0
    upper[at["classes"]] = case.most_classes
    upper[at["short"]] = case.first
    upper[at["bought"]] = np.minimum(a.cap, case.covered)
    upper[at["other"]] = case.other
    integer = np.zeros(n, dtype=bool)
    for name in WHOLE:
        integer[at[name]] = True
    cost = np.zeros(n)
    _cost(case, at, cost)
    upper, integer = _closed(case, at, rows, closed, upper, integer)
    cost = np.concatenate([cost, np.zeros(len(upper) - n)])
    return _stored(rows, cost, upper, integer)


def _stored(rows: _Rows, cost: Floats, upper: Floats, integer: NDArray[np.bool_]) -> Matrix:
    row, column, value = (np.concatenate(parts) for parts in (rows.row, rows.column, rows.value))
    order = np.argsort(row, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows.count))])
    n = len(cost)
    return Matrix(
        tuple(range(n)),
        tuple(range(rows.count)),
        start.astype(np.int32),
        column[order].astype(np.int32),
        value[order].astype(float),
        np.concatenate(rows.lower),
        np.concatenate(rows.upper),
        np.zeros(n),
        upper,
        integer,
        cost[None],
        np.zeros(1),
        {},
        {},
    )


def _seats(c: Case, at: dict[str, Columns], rows: _Rows) -> None:
    """``seats_missing``, ``places_add_up``, ``local_first``, ``empty_seats``."""
    shape = at["classes"].shape
    slope, start = c.pieces
    short, classes = at["short"], at["classes"]
    rows.add((*shape, PIECES), [(short[..., None], 1), (classes[..., None], slope)], lower=start)
    lost = [(at[name], 1) for name in ("local_short", "bought", "without")]
    rows.add(shape, [*lost, (short, -1)], 0, 0)
    rows.add(shape, [(at["local_short"], 1), (short, -1)], lower=-c.covered)
    rows.add(shape, [(at["other"], 1), (classes, -c.area.seats[:, None]), (short, -1)], upper=-c.first)
    if not c.mixed.any():
        return
    slope, room = (part[c.mixed] for part in c.further)
    per_short, needed = c.per_short[c.mixed][:, None], c.needed_first[c.mixed][:, None]
    other, classes, short = (at[name][c.mixed][:, None] for name in ("other", "classes", "short"))
    rows.add(slope.shape, [(other, 1), (classes, -slope), (short, -slope * per_short)], upper=room - slope * needed)


def _rooms(c: Case, at: dict[str, Columns], rows: _Rows) -> None:
    """``classrooms``, ``extension_size``, ``school_size``."""
    a, shape = c.area, at["classes"].shape
    n, each = shape[2], (shape[0], 2)
    until = np.tril(np.ones((n, n)))
    built = [(np.repeat(at[v][:, :, None, :], n, axis=2), -until) for v in ("extension", "school_rooms")]
    rows.add(shape, [(at["classes"], 1), *built], upper=a.rooms[:, None])
    for name, switch, low, high, limit, counted in (
        ("extension", "extends", a.extension_min, a.extension_max, a.extension_max, "extension"),
        ("school_rooms", "schools", a.school_min, a.school_max, a.sites, "schools"),
    ):
        rows.add(shape, [(at[name], 1), (at[switch], -low[:, None])], lower=0)
        rows.add(shape, [(at[name], 1), (at[switch], -high[:, None])], upper=0)
        rows.add(each, [(at[counted], 1)], upper=limit)


def _moves(c: Case, at: dict[str, Columns], rows: _Rows) -> None:
    """``opened_classes``, ``added_classes``."""
    shape, base = at["classes"].shape, c.area.base_classes[:, None]
    first = np.where(np.arange(shape[2]) == 0, -base, 0.0)
    rows.add(shape, [(at["opened"], 1), (at["classes"], -1), _before(at["classes"], 1)], lower=first)
    rows.add(shape, [(at["added"], 1), (at["classes"], -1)], lower=-base)


def _before(columns: Columns, value: Any) -> Term:
    """The same variable a year before; nothing in the first year."""
    moved = np.roll(columns, 1, axis=-1)
    values = np.broadcast_to(np.asarray(value, dtype=float), columns.shape).copy()
    values[..., 0] = 0.0
    return moved, values


def _yearly(c: Case, at: dict[str, Columns], rows: _Rows) -> None:
    """``share_not_falling``, ``budget_of_year``."""
    leaves, _, n = at["classes"].shape
    here = c.migrants
    before = np.concatenate([np.zeros((leaves, 1)), here[:, :-1]], axis=1)
    ratio = np.divide(here, before, out=np.zeros_like(here), where=before > 0)
    claim = c.covered.sum(axis=1)
    last = np.concatenate([np.zeros((leaves, 1)), claim[:, :-1]], axis=1)
    lower = ratio * last - claim
    lower[:, 0] += here[:, 0] * c.area.base_share
    terms: list[Term] = [(at["fall"], 1)]
    for name, sign in (("bought", -1 + int(c.purchased_counts)), ("without", -1), ("other", 1)):
        for s in (0, 1):
            terms += [(at[name][:, s], sign), _before(at[name][:, s], -ratio * sign)]
    rows.add((leaves, n), terms, lower=lower)
    a = c.area
    terms = [(at["overrun"], 1)]
    for s in (0, 1):
        for name, kind, cost in (
            ("extension", "extension", a.extension_cost[s]),
            ("school_rooms", "school", a.school_cost[s]),
        ):
            shares = a.payments(kind, s).T * cost
            terms.append((np.repeat(at[name][:, s, None, :], n, axis=1), -shares))
        for name, price in (("opened", a.equip_cost), ("added", a.running_cost), ("bought", a.price)):
            terms.append((at[name][:, s], -price[s]))
    rows.add((leaves, n), terms, lower=-a.budget)


def _shared(c: Case, at: dict[str, Columns], rows: _Rows) -> None:
    """``nonanticipativity``."""
    leaves, n = c.tree.leaves, len(c.area.years)
    for name, kind in (
        ("extension", "extension"),
        ("school_rooms", "school"),
        ("schools", "school"),
        *((v, "") for v in ("classes", "other", "bought")),
    ):
        for s in (0, 1):
            for y in range(n):
                first = c.tree.first_of_node(c.area.review(kind, s, y) if kind else y + 1)
                k = np.flatnonzero(first != np.arange(leaves))
                if len(k):
                    x = at[name][:, s, y]
                    rows.add((len(k),), [(x[k], 1), (x[first[k]], -1)], 0, 0)


def _closed(
    c: Case,
    at: dict[str, Columns],
    rows: _Rows,
    cells: Sequence[tuple[int, int, int]],
    upper: Floats,
    integer: NDArray[np.bool_],
) -> tuple[Floats, NDArray[np.bool_]]:
    """``no_empty_seat`` in ``cells``: its variables come after all others."""
    m = len(cells)
    if not m:
        return upper, integer
    k, s, y = np.array(cells).T
    n = len(upper)
    given = n + np.arange(m * GIVEN_UP).reshape(m, GIVEN_UP)
    full = n + m * GIVEN_UP + np.arange(m)
    spare = full + m
    last, needed, seats = c.last_classes[k, s, y], c.needed_first[k, s, y], c.area.seats[s]
    classes, short = at["classes"][k, s, y], at["short"][k, s, y]
    rows.add((m,), [(classes, 1), (given, 1), (full, 1), (spare, -1)], needed, needed)
    rows.add((m,), [(short, 1), (given, -last), (full, -seats)], upper=0)
    rows.add((m, GIVEN_UP - 1), [(given[:, 1:], 1), (given[:, :-1], -1)], upper=0)
    rows.add((m,), [(full, 1), (given[:, -1], -needed)], upper=0)
    most = c.most_classes[k, s, y]
    rows.add((m,), [(spare, 1), (given[:, 0], most)], upper=most)
    slope, room = (part[k, s, y] for part in c.further)
    lost = (np.repeat(given[:, None, :], PIECES, axis=1), c.last_further[k, s, y][:, None, :])
    rows.add((m, PIECES), [(at["other"][k, s, y][:, None], 1), (spare[:, None], -slope), lost], upper=room)
    more = np.concatenate([np.ones(m * GIVEN_UP), np.full(2 * m, _FREE)])
    return np.concatenate([upper, more]), np.concatenate([integer, more == 1.0])


def _cost(c: Case, at: dict[str, Columns], cost: Floats) -> None:
    a, p = c.area, c.penalties
    chance = c.tree.probability[:, None, None]
    for name, price in (
        ("extension", a.extension_cost),
        ("school_rooms", a.school_cost),
        ("opened", a.equip_cost),
        ("added", a.running_cost),
        ("bought", a.price),
        ("local_short", np.full(2, p.local)),
        ("without", np.full(2, p.covered)),
    ):
        cost[at[name]] += chance * price[:, None]
    for name, each in (("fall", p.fall), ("overrun", p.overrun)):
        cost[at[name]] += chance[:, 0] * each


def price_starts(case: Case, keys: Sequence[tuple[str, int, int]], price: float, cost: Floats) -> None:
    """Add ``price`` per 10,000 yuan begun today to ``cost`` (``keys`` name the openings of today)."""
    at, a = columns_of(case), case.area
    prices = {"extension": a.extension_cost, "school_rooms": a.school_cost}
    for name, s, y in keys:
        if name in prices:
            cost[at[name][0, s, y]] += price * prices[name][s]
