"""What goals met so far leave open: the options of every group, and a problem of equal groups for the next goal.

An *option* is an arc of a group, or to stay without a place. Once a goal is met, only options with no reduced cost
stay open and priced schools stay full: exactly the plans that are best so far (the *face*). For the next goal, groups
with the same open options at the same extra costs are one group, and groups with a single option have nothing left to
decide; a county of thousands of groups becomes a problem of hundreds, so every goal can have a run of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from zjsim.models.placement_matrix import Goal, IntArray, Transport

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Merged:
    """The problem of one goal over equal groups, as :func:`Face.merged` gives it.

    ``problem``: groups, seats left beside groups with one option, arcs; ``arc_cost``, ``unplaced_cost``: above each
    group's cheapest option; ``closed``: groups that must be placed; ``full``: schools without a seat to spare;
    ``used``: arcs that the plan at hand uses (it is feasible here).
    """

    problem: Transport
    arc_cost: IntArray
    unplaced_cost: IntArray
    closed: BoolArray
    full: BoolArray
    used: IntArray


class Face:
    """Options that are open, by group and in it by school (the last: none), with the children now sent along each.

    ``number``: the arc, or arcs + group for staying unplaced; ``start``: each group's first option.
    """

    def __init__(self, problem: Transport) -> None:
        n_groups, n_schools, _ = problem.shape
        self.supply, self.seats = problem.supply, problem.capacity
        group = np.concatenate([problem.group, np.arange(n_groups)])
        school = np.concatenate([problem.school, np.full(n_groups, n_schools)])
        order = np.argsort(group * (n_schools + 1) + school, kind="stable")
        self.number: Any = order.astype(np.int32)
        self.group: Any = group[order].astype(np.int32)
        self.school: Any = school[order].astype(np.int32)
        self.flow = np.where(self.school == n_schools, self.supply[self.group], 0)
        self.full: BoolArray = np.zeros(n_schools, bool)
        self._begin()

    def _begin(self) -> None:
        begins = np.ones(len(self.group), bool)
        np.not_equal(self.group[1:], self.group[:-1], out=begins[1:])
        self.start = np.flatnonzero(begins)
        ends = np.append(self.start, len(self.group))
        self.length = ends[1:] - ends[:-1]

    def costs(self, goal: Goal) -> IntArray:
        """Cost of every open option."""
        cost: IntArray = np.concatenate([goal.arc_cost, goal.unplaced_cost])[self.number].astype(np.int64)
        return cost

    def best(self, cost: IntArray) -> bool:
        """Whether the plan at hand gives every group a cheapest option."""
        least = np.minimum.reduceat(cost, self.start)
        used = self.flow > 0
        return bool((cost[used] == least[self.group[used]]).all())

    def merged(self, cost: IntArray) -> tuple[Merged, IntArray, IntArray]:
        """The problem of equal groups; with it each group's number in it (-1: one option only) and its first member."""
        n_schools = len(self.seats)
        above = cost - np.minimum.reduceat(cost, self.start)[self.group]
        moving = np.flatnonzero(self.length > 1)
        same, first = self._equal(above, moving)
        number = np.full(len(self.supply), -1)
        number[moving] = same
        alone = number < 0
        taken = np.bincount(self.school[self.start[alone]], weights=self.supply[alone], minlength=n_schools + 1)
        options = self._options(first)
        group = np.repeat(np.arange(len(first)), self.length[first])
        placed = self.school[options] < n_schools
        # Children that the plan at hand sends along each option of the merged groups.
        begin = np.cumsum(self.length[first]) - self.length[first]
        sent = np.zeros(len(options), np.int64)
        at = np.flatnonzero(self.flow)
        at = at[~alone[self.group[at]]]
        np.add.at(sent, begin[number[self.group[at]]] + at - self.start[self.group[at]], self.flow[at])
        none = np.zeros(len(first), np.int64)
        none[group[~placed]] = above[options[~placed]]
        closed = np.ones(len(first), bool)
        closed[group[~placed]] = False
        supply = np.bincount(same, weights=self.supply[moving], minlength=len(first)).astype(np.int64)
        left = self.seats - taken[:n_schools].astype(np.int64)
        problem = Transport(supply, left, group[placed], self.school[options[placed]])
        used = np.flatnonzero(sent[placed])
        return Merged(problem, above[options[placed]], none, closed, self.full, used), number, first

    def take(self, sent: IntArray, unplaced: IntArray, number: IntArray, first: IntArray) -> None:
        """A plan of the merged problem becomes the plan at hand: members in their order take the options in theirs."""
        options = self._options(first)
        flow = np.empty(len(options), np.int64)
        placed = self.school[options] < len(self.seats)
        group = np.repeat(np.arange(len(first)), self.length[first])
        flow[placed] = sent
        flow[~placed] = unplaced[group[~placed]]
        members = np.flatnonzero(number >= 0)
        members = members[np.argsort(number[members], kind="stable")]
        # Children stand in one line by member and sit in one line by option: cut where either changes.
        child_to, seat_to = np.cumsum(self.supply[members]), np.cumsum(flow)
        cuts = np.union1d(child_to, seat_to)
        cuts = cuts[cuts > 0]
        member, option = members[np.searchsorted(child_to, cuts)], np.searchsorted(seat_to, cuts)
        place = options[option] - self.start[first[number[member]]]
        self.flow[self._options(members)] = 0
        cuts[1:] -= cuts[:-1].copy()
        self.flow[self.start[member] + place] = cuts

    def close(self, cost: IntArray, price: IntArray) -> IntArray:
        """Prices of the groups at ``price`` of the schools; only plans as good as this stay possible.

        A group's price is the least of cost less price over its options. From here on only options at it are open, and
        schools with a price stay full.
        """
        if price.any():
            cost = cost - np.append(price, 0)[self.school]
            self.full = self.full | (price != 0)
        least: IntArray = np.minimum.reduceat(cost, self.start)
        open_ = cost == least[self.group]
        if not open_.all():
            self.number, self.group, self.school, self.flow = (
                a[open_] for a in (self.number, self.group, self.school, self.flow)
            )
            self._begin()
        return least

    def _options(self, groups: IntArray) -> IntArray:
        """Options of some groups, one group after another."""
        length = self.length[groups]
        shift = np.repeat(self.start[groups] - np.cumsum(length) + length, length)
        found: IntArray = np.arange(int(length.sum())) + shift
        return found

    def _equal(self, above: IntArray, groups: IntArray) -> tuple[IntArray, IntArray]:
        """Number of each of ``groups`` among those that differ in their options or costs, and the first of each."""
        mark = np.add.reduceat(_mixed(above, self.school), self.start)[groups]
        _, first, same = np.unique(mark, return_index=True, return_inverse=True)
        # Marks of different groups could be equal by chance: then none are merged.
        model = self.length[groups[first[same]]]
        if (model == self.length[groups]).all():
            mine, other = self._options(groups), self._options(groups[first[same]])
            if (self.school[mine] == self.school[other]).all() and (above[mine] == above[other]).all():
                return same.ravel(), groups[first]
        return np.arange(len(groups)), groups


def _mixed(above: IntArray, school: Any) -> npt.NDArray[np.uint64]:
    """A well mixed number of each option's cost and school (constants of the generator SplitMix64)."""
    x: npt.NDArray[np.uint64] = above.astype(np.uint64)
    x = x * np.uint64(0x9E3779B97F4A7C15) + school.astype(np.uint64) + np.uint64(1)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return x
