"""One year's placement of a whole province: goals one after another, exactly, with the prices that prove it.

Way: group equal children, split the problem where no arc joins the parts, meet the goals in every part
(``placement_stages``), put the parts together, check the proof over all arcs (``placement_check``). A goal summed over
parts is best exactly if it is best in every part, so splitting loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from zjsim.models.array_checks import whole_numbers
from zjsim.models.placement_check import faults, goal_values
from zjsim.models.placement_matrix import Goal, IntArray, Transport, checked
from zjsim.models.placement_stages import Stages, solve_stages

_ARCS_PER_TASK = 50_000


@dataclass(frozen=True, slots=True)
class Placement:
    """The plan and its proof.

    ``sent`` children per arc, ``unplaced`` per group; ``values`` per goal; ``group_price`` and ``school_price`` with
    one row per goal: what a further child in a group, a further seat in a school adds to the goal (its unit), as long
    as the basis holds. ``parts``: connected parts solved.
    """

    sent: IntArray
    unplaced: IntArray
    values: tuple[int, ...]
    group_price: IntArray
    school_price: IntArray
    parts: int

    def faults(self, problem: Transport, goals: Sequence[Goal]) -> dict[str, int]:
        """Conditions of the optimality proof that fail, with how often; empty = proven best in every goal."""
        return faults(problem, goals, self.sent, self.unplaced, self.group_price, self.school_price)


@dataclass(frozen=True, slots=True)
class Part:
    """A connected part: its own numbering, and where its groups, schools and arcs stand in the whole."""

    problem: Transport
    groups: IntArray
    schools: IntArray
    arcs: IntArray

    def own(self, goals: Sequence[Goal]) -> list[Goal]:
        """The goals' costs in this part (not copied where the part has all arcs, which then stand in their order)."""
        whole = bool(goals) and len(self.arcs) == len(goals[0].arc_cost)
        return [
            Goal(g.name, g.arc_cost if whole else g.arc_cost[self.arcs], g.unplaced_cost[self.groups], g.unit)
            for g in goals
        ]


def solve_placement(
    problem: Transport,
    goals: Sequence[Goal],
    *,
    executor: Executor | None = None,
) -> Placement:
    """Place children by ``goals`` in order, each as small as those before it allow.

    With an ``executor`` (e.g. of processes) batches of parts are solved there; the code and the result are the same.
    Raises ValueError on data that don't fit together. A plan always exists: unplaced children are allowed.
    """
    checked(problem, goals)
    _, n_schools, n_arcs = problem.shape
    sent = np.zeros(n_arcs, np.int64)
    unplaced = problem.supply.astype(np.int64)
    # A group without an arc stays unplaced: its price is what a further such child costs.
    group_price = np.stack([goal.unplaced_cost.astype(np.int64) for goal in goals])
    school_price = np.zeros((len(goals), n_schools), np.int64)
    parts = 0
    for batch, results in _solved(_batches(problem), goals, executor):
        for part, result in zip(batch, results, strict=True):
            sent[part.arcs] = result.sent
            unplaced[part.groups] = result.unplaced
            group_price[:, part.groups] = result.group_price
            school_price[:, part.schools] = result.school_price
            parts += 1
    values = goal_values(goals, sent, unplaced)
    return Placement(sent, unplaced, values, group_price, school_price, parts)


def group_children(keys: npt.ArrayLike) -> tuple[IntArray, IntArray, IntArray]:
    """Groups of children with equal keys: (group of each child, children per group, one child of each group).

    ``keys``: whole numbers, one row per child; children whose rows are equal must be equal in everything a goal or an
    arc looks at. Groups are numbered in the order of their first child. ValueError if they aren't whole numbers.
    """
    rows = np.asarray(keys)
    rows = whole_numbers("keys", rows if rows.ndim == 2 else rows.reshape(len(rows), 1), dimensions=2)
    _, first, group, size = np.unique(rows, axis=0, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first, kind="stable")
    number = np.empty(len(first), np.int64)
    number[order] = np.arange(len(first))
    return number[group.ravel()], size[order], first[order]


def seats_to_children(problem: Transport, sent: IntArray, group: IntArray, order: npt.ArrayLike) -> IntArray:
    """Arc of each child (-1 = unplaced): within a group, children first in ``order`` get the group's arcs in arc order.

    ``group``: group of each child; ``order``: one number per child, smaller = stronger claim (points, then the
    published lottery); equal numbers: the smaller child index. Arcs of a group given best first reach the stronger
    children first. ValueError on arrays that don't fit together or aren't whole numbers.
    """
    n_groups, _, n_arcs = problem.shape
    sent = whole_numbers("children sent", sent, length=n_arcs, least=0)
    group = whole_numbers("the group of each child", group, least=0, most=n_groups - 1)
    order = whole_numbers("the order of the children", order, length=len(group))
    arcs = np.argsort(problem.group, kind="stable")
    per_seat = np.repeat(arcs, sent[arcs])
    placed_of = np.bincount(problem.group, weights=sent, minlength=len(problem.supply)).astype(np.int64)
    first_seat = np.concatenate([[0], np.cumsum(placed_of)])
    children = np.lexsort((np.arange(len(group)), order, group))
    turn = np.arange(len(group)) - np.searchsorted(group[children], group[children])
    result = np.full(len(group), -1, np.int64)
    seated = turn < placed_of[group[children]]
    result[children[seated]] = per_seat[first_seat[group[children[seated]]] + turn[seated]]
    return result


def _solve_batch(tasks: list[tuple[Transport, list[Goal]]]) -> list[Stages]:
    return [solve_stages(problem, goals) for problem, goals in tasks]


def _solved(
    batches: Iterable[list[Part]], goals: Sequence[Goal], executor: Executor | None
) -> Iterator[tuple[list[Part], list[Stages]]]:
    """Batches with their results, in order; without an executor only one batch is in memory at a time."""
    if executor is None:
        for batch in batches:
            yield batch, _solve_batch(_tasks(batch, goals))
        return
    sent = [(batch, executor.submit(_solve_batch, _tasks(batch, goals))) for batch in batches]
    for batch, future in sent:
        yield batch, future.result()


def _tasks(batch: list[Part], goals: Sequence[Goal]) -> list[tuple[Transport, list[Goal]]]:
    return [(part.problem, part.own(goals)) for part in batch]


def _batches(problem: Transport) -> Iterator[list[Part]]:
    """The connected parts in batches worth a task each."""
    batch: list[Part] = []
    arcs = 0
    for part in connected_parts(problem):
        batch.append(part)
        arcs += len(part.arcs)
        if arcs >= _ARCS_PER_TASK:
            yield batch
            batch, arcs = [], 0
    if batch:
        yield batch


def connected_parts(problem: Transport) -> Iterator[Part]:
    """The parts no arc joins, without groups and schools that have no arc, in order of their first group."""
    n_groups, n_schools, n_arcs = problem.shape
    if not n_arcs:
        return
    # 32-bit numbers, because this is the largest piece of memory of the whole solve.
    pair = (problem.group.astype(np.int32), (problem.school + n_groups).astype(np.int32))
    joined = coo_array((np.ones(n_arcs, np.int8), pair), shape=(n_groups + n_schools,) * 2)
    n_parts, label = connected_components(joined, directed=False)
    del joined, pair
    part_of_group, part_of_school = label[:n_groups], label[n_groups:]
    part_of_arc = part_of_group[problem.group]
    sorted_by_part = []
    for part_of in (part_of_group, part_of_school, part_of_arc):
        order = np.argsort(part_of, kind="stable")
        sorted_by_part.append((order, np.searchsorted(part_of[order], np.arange(n_parts + 1))))
    (groups, group_at), (schools, school_at), (arcs, arc_at) = sorted_by_part
    # Number of a group or school within its part.
    group_number, school_number = np.empty(n_groups, np.int64), np.empty(n_schools, np.int64)
    group_number[groups] = np.arange(n_groups) - group_at[part_of_group[groups]]
    school_number[schools] = np.arange(n_schools) - school_at[part_of_school[schools]]
    for p in range(n_parts):
        mine = arcs[arc_at[p] : arc_at[p + 1]]
        if len(mine):
            own_groups = groups[group_at[p] : group_at[p + 1]]
            own_schools = schools[school_at[p] : school_at[p + 1]]
            part = Transport(
                problem.supply[own_groups],
                problem.capacity[own_schools],
                group_number[problem.group[mine]],
                school_number[problem.school[mine]],
            )
            yield Part(part, own_groups, own_schools, mine)
