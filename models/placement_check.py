"""Proof that a placement is the best in every goal, from the plan and its prices alone, whole numbers, over all arcs.

Every goal k has a price per group (what a further child there would add to the goal) and per school (what a further
seat would add: never a first non-zero price above 0). The *reduced cost* of an arc in goal k is its cost less both
prices. If on every arc the first goal with a non-zero reduced cost has a positive one, no child travels along an arc
with any non-zero reduced cost, and every school with any non-zero price is full, then no other placement is better in
the first goal in which they differ: the difference of two placements is a sum of such terms. Nothing of the solver is
used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from zjsim.models.placement_matrix import Goal, IntArray, Transport


def goal_values(goals: Sequence[Goal], sent: IntArray, unplaced: IntArray) -> tuple[int, ...]:
    """Value of every goal for a plan (children sent per arc, unplaced per group)."""
    return tuple(int(goal.arc_cost @ sent) + int(goal.unplaced_cost @ unplaced) for goal in goals)


def reduced_costs(problem: Transport, goal: Goal, group_price: IntArray, school_price: IntArray) -> IntArray:
    """Reduced cost of every arc in one goal (the goal's unit per child)."""
    costs: IntArray = goal.arc_cost - group_price[problem.group] - school_price[problem.school]
    return costs


def faults(
    problem: Transport,
    goals: Sequence[Goal],
    sent: IntArray,
    unplaced: IntArray,
    group_prices: IntArray,
    school_prices: IntArray,
) -> dict[str, int]:
    """How often each condition of the proof fails; empty = the plan is feasible and proven best in every goal.

    ``sent`` per arc, ``unplaced`` per group (children); prices: one row per goal, over groups and over schools.
    """
    n_groups, n_schools, n_arcs = problem.shape
    left = np.zeros(n_groups, np.int64)
    np.add.at(left, problem.group, sent)
    load = np.zeros(n_schools, np.int64)
    np.add.at(load, problem.school, sent)
    arc, out, seat = (np.zeros(n, np.int8) for n in (n_arcs, n_groups, n_schools))
    for goal, group_price, school_price in zip(goals, group_prices, school_prices, strict=True):
        # Sign of the first goal that isn't zero.
        _first_sign(arc, reduced_costs(problem, goal, group_price, school_price))
        _first_sign(out, goal.unplaced_cost - group_price)
        _first_sign(seat, -school_price)
    counts = {
        "children sent are negative": (sent < 0).sum() + (unplaced < 0).sum(),
        "children lost or doubled": (left + unplaced != problem.supply).sum(),
        "school over its seats": (load > problem.capacity).sum(),
        "arc with a negative reduced cost": (arc < 0).sum(),
        "unplaced with a negative reduced cost": (out < 0).sum(),
        "school with a positive price": (seat < 0).sum(),
        "children on an arc with a reduced cost": ((arc != 0) & (sent != 0)).sum(),
        "unplaced at a reduced cost": ((out != 0) & (unplaced != 0)).sum(),
        "school with a price and free seats": ((seat != 0) & (load < problem.capacity)).sum(),
    }
    return {name: int(count) for name, count in counts.items() if count}


def _first_sign(sign: np.ndarray[tuple[int], np.dtype[np.int8]], values: IntArray) -> None:
    sign[:] = np.where(sign == 0, np.sign(values), sign)
