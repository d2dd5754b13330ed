"""Rules of one year's placement: who may go where, what comes first for a family, and whose claim is stronger.

An *arc* is a pair (group, section) that is open to the group; arcs are sorted by group and, within it, best first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
from zjsim.models.placement_data import NONE, PAID, PUBLIC, County, Grade
from zjsim.models.placement_matrix import Goal, IntArray

_PRIMARY_LAST = 6


@dataclass(frozen=True)
class Arcs:
    """Open pairs by group, best first: ``start`` per group (one more than groups), then one entry per arc.

    ``step``: 0 public (or as good as public), 1 purchased, 2 paid by the family; ``together``: at the school of the
    elder sibling (M106); ``followed``: at the school where an elder newcomer of the family was just placed; ``stays``:
    at the school now attended. Per group: ``elder``, an elder sibling's school is open; ``follows``, the newcomer's.
    Groups, sections and 10 m are int32, steps int8, so that a large county stays small in memory.
    """

    start: IntArray
    group: Any
    section: Any
    distance: Any
    step: Any
    together: Any
    followed: Any
    stays: Any
    elder: Any
    follows: IntArray

    @property
    def position(self) -> IntArray:
        """Place of each arc in its group's list, 0 = best."""
        place: IntArray = np.arange(len(self.group)) - self.start[self.group]
        return place


def sibling_reading(county: County, p: Any) -> str:
    """Reading of the sibling rule in a county (M106): the scenario's, or off where the rule is not in force yet."""
    asked = p.sibling_scope == "everywhere" or county.sibling_in_force
    return str(p.sibling_reading) if asked else "off"


def open_pairs(grade: Grade, schools_zone: Any, sibling: IntArray, p: Any) -> Any:
    """Which sections a group may use, shape (groups, sections): the catchment, or the distance cap of the stage.

    The nearest schools stay open beyond the cap, so that no group is without any; so do the schools of an elder sibling
    and the school now attended. Private seats that families pay count only if the scenario says so, or to stay. Tiers
    after ``last_tier`` may only stay. Groups that handed in choices may use the schools they named, near or not.
    """
    cap = p.primary_cap_km if grade.grade <= _PRIMARY_LAST else p.junior_cap_km
    if p.candidates == "zone":
        near = grade.zone[:, None] == schools_zone[grade.school][None, :]
    else:
        near = grade.distance <= round(100 * cap)
    if p.nearest_kept and len(grade.school):
        order = np.lexsort(np.broadcast_arrays(grade.school, grade.distance), axis=1)
        school = grade.school[order]
        # Sections of one school stand together: count schools, not sections.
        fresh = np.concatenate([np.ones((len(school), 1), bool), school[:, 1:] != school[:, :-1]], axis=1)
        kept = np.cumsum(fresh, axis=1) <= p.nearest_kept
        np.put_along_axis(near, order, kept | np.take_along_axis(near, order, axis=1), axis=1)
    near |= grade.school[None, :] == sibling[:, None]
    near[grade.chose] = grade.wish[grade.chose] >= 0
    if not p.self_paid_places:
        near &= (grade.kind != PAID)[None, :]
    near &= (grade.tier <= p.last_tier)[:, None]
    near |= grade.school[None, :] == grade.current[:, None]
    return near


def arcs_of(grade: Grade, schools_zone: Any, reading: str, follows: IntArray, p: Any, with_purchased: bool) -> Arcs:
    """All arcs in order of preference: public first, then purchased, then self-paid; within these the nearest.

    The elder sibling's school comes first of all (readings together, absolute) or first among equally public ones
    (soft); so does, softly, the school of an elder newcomer. A child already at a school is offered nothing it likes
    less than to stay. A list of choices handed in is the order, whatever it names.
    """
    sibling = np.where(reading == "off", NONE, grade.sibling)
    near = open_pairs(grade, schools_zone, sibling, p)
    group, section = np.nonzero(near)
    school = grade.school[section]
    together = (school == sibling[group]) & (sibling[group] != NONE)
    followed = (school == follows[group]) & (follows[group] != NONE)
    stays = (school == grade.current[group]) & (grade.current[group] != NONE)
    step = preference_step(grade.kind, with_purchased)[section]
    wish = np.where(grade.chose[group], grade.wish[group, section], 0)
    first = together & (reading in ("together", "absolute")) & ~grade.chose[group]
    distance = grade.distance[group, section]
    order = np.lexsort((grade.kind[section], school, distance, ~(together | followed), step, ~first, wish, group))
    group, section, stays = group[order], section[order], stays[order]
    # Last place of the own school in each list: nothing after it is offered.
    place = np.arange(len(group))
    last = np.full(len(grade.ids), -1, np.int64)
    np.maximum.at(last, group[stays], place[stays])
    keep = (last[group] < 0) | (place <= last[group])
    order = order[keep]
    group = group[keep]
    start = np.searchsorted(group, np.arange(len(grade.ids) + 1)).astype(np.int64)
    return Arcs(
        start=start,
        group=group.astype(np.int32),
        section=section[keep].astype(np.int32),
        distance=distance[order].astype(np.int32),
        step=step[order].astype(np.int8),
        together=together[order],
        followed=followed[order],
        stays=stays[keep],
        elder=np.bincount(group, weights=together[order], minlength=len(grade.ids)) > 0,
        follows=np.where(np.bincount(group, weights=followed[order], minlength=len(grade.ids)) > 0, follows, NONE),
    )


def preference_step(kind: IntArray, with_purchased: bool) -> IntArray:
    """How far a seat is from public (M112): 0 public, 1 purchased (0 where it counts as public), 2 self-paid."""
    return np.where(kind == PUBLIC, 0, np.where(kind == PAID, 2, 0 if with_purchased else 1)).astype(np.int64)


def base_claim(grade: Grade) -> IntArray:
    """Claim of each group by tier and points alone (M109), smaller = stronger; equal numbers tie."""
    _, rank = np.unique(np.column_stack((grade.tier, -grade.points)), axis=0, return_inverse=True)
    return rank.ravel().astype(np.int64)


def lottery(ids: Any, sizes: IntArray, seed: int) -> IntArray:
    """A number of the published lottery for each child of each group, in order; smaller first, ties decided by it only.

    It is the first 62 bits of BLAKE2b over "seed|group|number of the child", so anybody can recompute it and it does
    not depend on other groups.
    """
    return np.array(
        [
            int.from_bytes(blake2b(f"{seed}|{g}|{k}".encode(), digest_size=8).digest(), "big") >> 2
            for g, n in zip(ids, sizes.tolist(), strict=True)
            for k in range(n)
        ],
        np.int64,
    )


def favour(arcs: Arcs, reading: str) -> Any:
    """Arcs whose group has a stronger claim than tier and points give it: to stay, or the sibling rule (M106)."""
    return arcs.stays | (arcs.together & (reading in ("together", "absolute")))


def claim_keys(grade: Grade, arcs: Arcs, reading: str) -> IntArray:
    """Claim of each arc before the lottery, one column per rule, compared from left to right, smaller = stronger.

    To stay where one is; the elder sibling's school before all tiers (absolute); tier; the elder sibling within the
    tier (together); points; the elder sibling or elder newcomer among equals (soft).
    """
    g = arcs.group
    together = ~arcs.together
    everyone = np.zeros(len(g), np.int64)
    return np.column_stack(
        (
            ~arcs.stays,
            together if reading == "absolute" else everyone,
            grade.tier[g],
            together if reading == "together" else everyone,
            -grade.points[g],
            ~((arcs.together & (reading == "soft")) | arcs.followed),
        )
    ).astype(np.int64)


def dense(keys: IntArray) -> IntArray:
    """Rank of every row of a (rows, columns) array: 0 = smallest, compared from left to right, equal rows the same."""
    packed = np.zeros(len(keys), np.int64)
    for column in keys.T:
        low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
        if (int(packed.max(initial=0)) + 1) * (high - low + 1) >= 2**62:
            packed = np.unique(packed, return_inverse=True)[1].astype(np.int64)
        if (int(packed.max(initial=0)) + 1) * (high - low + 1) >= 2**62:
            # Numbers far apart: their ranks are compared instead.
            column = np.unique(column, return_inverse=True)[1]
            low, high = 0, int(column.max(initial=0))
        packed *= high - low + 1
        packed += column - low
    rank: IntArray = np.unique(packed, return_inverse=True)[1].astype(np.int64)
    return rank


def goal_names(p: Any, reading: str, tiers: list[int]) -> list[str]:
    """Names of the utilitarian goals in the scenario's order, after "stay": nobody at a school is left without a place.

    Siblings stand where their reading puts them: before all tiers (absolute), within each tier after its places
    (together), or where the scenario ranks them (soft); joint newcomers always softly.
    """
    names = ["stay"]
    for goal in p.goals:
        if goal == "tiers":
            for tier in tiers:
                for part in p.tier_goals:
                    names.append(f"tier{tier}.{part}")
                    if part == "placed" and reading == "together":
                        names.append(f"tier{tier}.siblings")
        elif goal == "placed":
            names += ["placed"] + (["siblings"] if reading == "absolute" else [])
        elif goal == "siblings":
            names += (["siblings"] if reading == "soft" else []) + ["newcomers"]
        else:
            names.append(goal)
    return names


UNITS = {"public": "steps", "distance": "10 m"}
"""Units of goals that do not count children."""


def goal(name: str, grade: Grade, arcs: Arcs) -> Goal:
    """Costs of one goal. Summed, it counts children; "public" counts steps away from public, "distance" 10 m."""
    part = name.split(".")[-1]
    n_groups, g = len(grade.ids), arcs.group
    zero, none = np.zeros(len(g), np.int64), np.zeros(n_groups, np.int64)
    elder = arcs.elder
    joint = arcs.follows != NONE
    costs: dict[str, Callable[[], tuple[Any, Any]]] = {
        "stay": lambda: (zero, grade.current != NONE),
        "placed": lambda: (zero, none + 1),
        "public": lambda: (arcs.step, none),
        "distance": lambda: (arcs.distance, none),
        "siblings": lambda: (elder[g] & ~arcs.together, elder),
        "newcomers": lambda: (joint[g] & ~arcs.followed, joint),
        "change": lambda: ((grade.current[g] != NONE) & ~arcs.stays, none),
    }
    arc_cost, unplaced = costs[part]()
    if name.startswith("tier"):
        own = grade.tier == int(name.removeprefix("tier").split(".")[0])
        arc_cost, unplaced = arc_cost * own[g], unplaced * own
    return Goal(name, _compact(arc_cost), _compact(unplaced), UNITS.get(part, "children"))


def _compact(cost: Any) -> Any:
    """The same whole numbers in the smallest signed type: twenty goals of a large county take 10 MB, not 60."""
    most = max(int(cost.max(initial=0)), -int(cost.min(initial=0))) if len(cost) else 0
    return cost.astype(next(t for t in (np.int8, np.int16, np.int32, np.int64) if most <= np.iinfo(t).max))


def merged(grade: Grade, first: IntArray, size: IntArray) -> Grade:
    """The grade with one group for each of equal ones, of ``size`` children, told by the ``first`` of each."""
    of_claim = ("ids", "tier", "points", "raw_points", "family")
    of_place = ("cell", "zone", "sibling", "current", "distance", "wish", "list_id")
    per_group = (*of_claim, *of_place)
    return replace(grade, children=size, **{name: getattr(grade, name)[first] for name in per_group})
