"""Seat expansion under stability as a mixed-integer programme over cutoffs: the readable model and its matrix.

Where a school draws the line in its queue decides everything: a child goes to the best school it lists whose line it
passes. The lines that fit the seats and are drawn as low as possible give the student-optimal stable matching, so
minimising the sum of ranks over lines and seats finds the best place for extra seats. Only *options* enter: pairs
(child, school) better than the child's place without extra seats and within reach if every school got all of them.
More seats never hurt a child, so nothing is lost by that, and what remains is small.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from zjsim.models.deferred_acceptance import IntArray
from zjsim.models.stable_market import VACANT, Market

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CutoffProblem:
    """Data of the programme. Options are sorted by child, then place in the child's list.

    ``child``, ``school``, ``gain`` per option (gain: ranks won against the place without extra seats);
    ``fallback`` per option: the child's school without extra seats, -1 if unplaced; ``follows`` pairs of options of one
    school next to each other in its queue (stronger, weaker), shape (pairs, 2); ``room``: seats free without extra
    seats; ``most_added``: most seats a school can get; ``total``: sum of ranks without extra seats; ``least``: sum of
    ranks if every school got ``most_added``, below which nothing can be; ``n_extra``: seats to give out.
    """

    child: IntArray
    school: IntArray
    gain: IntArray
    fallback: IntArray
    follows: IntArray
    room: IntArray
    most_added: IntArray
    n_extra: int
    total: int
    least: int

    def options_of(self) -> dict[int, list[int]]:
        """Options of every child that has any, best place first."""
        found: dict[int, list[int]] = {}
        for option, child in enumerate(self.child.tolist()):
            found.setdefault(child, []).append(option)
        return found


def cutoff_problem(market: Market, n_extra: int, most_added: Sequence[int]) -> CutoffProblem:
    """The options of a market without extra seats (it is left as it was)."""
    start = market.save()
    for extended, most in enumerate(most_added):
        for _ in range(most):
            market.add(extended)
    best, least = market.rank[:], market.total
    market.restore(start)
    child: list[int] = []
    school: list[int] = []
    gain: list[int] = []
    fallback: list[int] = []
    number: dict[tuple[int, int], int] = {}
    for i, (now, reach) in enumerate(zip(market.rank, best, strict=True)):
        for place in range(reach, now):
            number[i, place] = len(child)
            child.append(i)
            school.append(market.lists[i][place])
            gain.append(now - place)
            fallback.append(market.school_of(i))
    follows: list[tuple[int, int]] = []
    for queue, places in zip(market.queue, market.place, strict=True):
        line = [number[pair] for pair in zip(queue, places, strict=True) if pair in number]
        follows += itertools.pairwise(line)
    room = np.array(market.seats, np.int64) - np.array(market.load, np.int64)
    return CutoffProblem(
        child=np.array(child, np.int64),
        school=np.array(school, np.int64),
        gain=np.array(gain, np.int64),
        fallback=np.array(fallback, np.int64),
        follows=np.array(follows, np.int64).reshape(-1, 2),
        room=room,
        most_added=np.array(most_added, np.int64),
        n_extra=n_extra,
        total=market.total,
        least=least,
    )


def cutoff_model(problem: CutoffProblem) -> pyo.ConcreteModel:
    """The readable formulation.

    ``added[s]`` seats; ``moves[o]`` = 1 if the child of option o moves to its school; ``open[o]`` = 1 if the school's
    line leaves the child of option o on the right side.
    """
    model = pyo.ConcreteModel()
    options = range(len(problem.child))
    model.added = pyo.Var(
        range(len(problem.room)), domain=pyo.Integers, bounds=lambda _, s: (0, int(problem.most_added[s]))
    )
    model.moves = pyo.Var(options, domain=pyo.Binary)
    model.open = pyo.Var(options, domain=pyo.Binary)
    better_or_same = _better_or_same(problem)
    model.only_where_open = pyo.Constraint(options, rule=only_where_open)
    model.never_worse_than_open = pyo.Constraint(
        options, rule=lambda m, o: never_worse_than_open(m, o, better_or_same[o])
    )
    per_child = problem.options_of()
    model.one_move = pyo.Constraint(list(per_child), rule=lambda m, i: one_move(m, per_child[i]))
    arrivals, departures = _flows(problem)
    model.seats = pyo.Constraint(
        range(len(problem.room)),
        rule=lambda m, s: seats(m, s, arrivals.get(s, []), departures.get(s, []), int(problem.room[s])),
    )
    model.line = pyo.Constraint(
        range(len(problem.follows)), rule=lambda m, k: line(m, *(int(o) for o in problem.follows[k]))
    )
    model.budget = pyo.Constraint(rule=lambda m: budget(m, problem.n_extra))
    model.sum_of_ranks = pyo.Objective(
        expr=problem.total - sum(int(problem.gain[o]) * model.moves[o] for o in options), sense=pyo.minimize
    )
    return model


def only_where_open(model: pyo.ConcreteModel, option: int) -> pyo.Expression:
    """A child moves only to a school whose line it passes: moves[o] ≤ open[o] (children)."""
    return model.moves[option] <= model.open[option]


def never_worse_than_open(model: pyo.ConcreteModel, option: int, better: Sequence[int]) -> pyo.Expression:
    """No justified envy: passing a school's line, a child gets it or a school it likes better (children).

    Σ of moves over the child's options at least as good − open[o] ≥ 0.
    """
    return sum(model.moves[other] for other in better) - model.open[option] >= 0


def one_move(model: pyo.ConcreteModel, options: Sequence[int]) -> pyo.Expression:
    """A child takes at most one of its options; otherwise it keeps its place: Σ moves ≤ 1 (children)."""
    return sum(model.moves[option] for option in options) <= 1


def seats(
    model: pyo.ConcreteModel, school: int, arrivals: Sequence[int], departures: Sequence[int], room: int
) -> pyo.Expression:
    """Arrivals fit into seats free, left and added: Σ arrivals − Σ departures − added ≤ room (seats)."""
    arriving = sum(model.moves[option] for option in arrivals)
    leaving = sum(model.moves[option] for option in departures)
    return arriving - leaving - model.added[school] <= room


def line(model: pyo.ConcreteModel, stronger: int, weaker: int) -> pyo.Expression:
    """The line runs through the queue once: who is behind somebody shut out is shut out too (children)."""
    return model.open[stronger] - model.open[weaker] >= 0


def budget(model: pyo.ConcreteModel, n_extra: int) -> pyo.Expression:
    """No more seats are added than there are: Σ added ≤ extra seats (seats)."""
    return sum(model.added.values()) <= n_extra


def _better_or_same(problem: CutoffProblem) -> list[list[int]]:
    """Per option the options of the same child that are at least as good."""
    return [owned[: k + 1] for owned in problem.options_of().values() for k in range(len(owned))]


def _flows(problem: CutoffProblem) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Per school the options that arrive there and those that leave it."""
    arrivals: dict[int, list[int]] = {}
    departures: dict[int, list[int]] = {}
    for option, (school, fallback) in enumerate(zip(problem.school.tolist(), problem.fallback.tolist(), strict=True)):
        arrivals.setdefault(school, []).append(option)
        if fallback != VACANT:
            departures.setdefault(fallback, []).append(option)
    return arrivals, departures


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of a linear programme: row r holds columns ``column[start[r]:start[r + 1]]``; lower ≤ row ≤ upper."""

    start: IntArray
    column: IntArray
    value: FloatArray
    lower: FloatArray
    upper: FloatArray
    cost: FloatArray
    most: FloatArray
    offset: float


def cutoff_matrix(problem: CutoffProblem) -> Matrix:
    """The same programme as :func:`cutoff_model`, emitted from arrays (tested equal).

    Columns: added of every school, moves and then open of every option. Rows: in the order of the model's rules.
    """
    n_schools, n_options = len(problem.room), len(problem.child)
    moves, opened = n_schools, n_schools + n_options
    rows: list[tuple[list[int], list[float], float, float]] = []
    for o in range(n_options):
        rows.append(([moves + o, opened + o], [1.0, -1.0], -math.inf, 0.0))
    for o, better in enumerate(_better_or_same(problem)):
        rows.append(([*(moves + b for b in better), opened + o], [1.0] * len(better) + [-1.0], 0.0, math.inf))
    for owned in problem.options_of().values():
        rows.append(([moves + o for o in owned], [1.0] * len(owned), -math.inf, 1.0))
    arrivals, departures = _flows(problem)
    for s in range(n_schools):
        coming, going = arrivals.get(s, []), departures.get(s, [])
        columns = [*(moves + o for o in coming), *(moves + o for o in going), s]
        values = [1.0] * len(coming) + [-1.0] * len(going) + [-1.0]
        rows.append((columns, values, -math.inf, float(problem.room[s])))
    for stronger, weaker in problem.follows.tolist():
        rows.append(([opened + stronger, opened + weaker], [1.0, -1.0], 0.0, math.inf))
    rows.append((list(range(n_schools)), [1.0] * n_schools, -math.inf, float(problem.n_extra)))
    cost = np.zeros(n_schools + 2 * n_options)
    cost[moves:opened] = -problem.gain
    return Matrix(
        start=np.cumsum([0, *(len(row[0]) for row in rows)]),
        column=np.array([c for row in rows for c in row[0]], np.int64),
        value=np.array([v for row in rows for v in row[1]], np.float64),
        lower=np.array([row[2] for row in rows]),
        upper=np.array([row[3] for row in rows]),
        cost=cost,
        most=np.concatenate([problem.most_added.astype(np.float64), np.ones(2 * n_options)]),
        offset=float(problem.total),
    )


def known_solution(problem: CutoffProblem, market: Market, added: Sequence[int]) -> FloatArray:
    """Column values of the stable matching with ``added`` seats (the market is left as it was)."""
    start = market.save()
    base = market.rank[:]
    for school, number in enumerate(added):
        for _ in range(number):
            market.add(school)
    rank = market.rank
    place = [base[i] - g for i, g in zip(problem.child.tolist(), problem.gain.tolist(), strict=True)]
    line = [market.next_in_line(school) for school in range(len(added))]
    pairs = list(zip(problem.child.tolist(), place, problem.school.tolist(), strict=True))
    moves = [float(rank[i] == k) for i, k, _ in pairs]
    opened = [float(market.turn[i][k] < line[school]) for i, k, school in pairs]
    market.restore(start)
    return np.array([*map(float, added), *moves, *opened])
