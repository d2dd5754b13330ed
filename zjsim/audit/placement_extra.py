"""Re-check of further seats under stability: places with and without them, by a deferred acceptance of its own."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from zjsim.audit.finding import Finding, finding
from zjsim.audit.placement_world import Option, Options, Section, World

_KEY = "placement.audit."


class Market:
    """The children of a county's grade with their lists, and claims that the lottery makes different."""

    def __init__(self, world: World, lists: Mapping[str, Options]) -> None:
        self.seats = world.seats
        self.lists: list[Options] = []
        self.claims: list[list[Any]] = []
        for name, group in world.groups.items():
            options = lists[name]
            claims = [world.claim(group, option) for option in options]
            for draw in world.draws(group):
                self.lists.append(options)
                self.claims.append([(*claim, draw, name) for claim in claims])

    def places(self, more: Mapping[Section, int]) -> list[int]:
        """Place of each child in its list (the list's length: none) when children propose, on seats with ``more``."""
        held: dict[Section, list[Any]] = {s: [] for s in self.seats}
        room = {s: n + more.get(s, 0) for s, n in self.seats.items()}
        at = [0] * len(self.lists)
        for first in range(len(self.lists)):
            child = first
            while at[child] < len(self.lists[child]):
                section = self.lists[child][at[child]].section
                entry = _Weakest(self.claims[child][at[child]], child)
                if len(held[section]) < room[section]:
                    heapq.heappush(held[section], entry)
                    break
                if room[section]:
                    entry = heapq.heappushpop(held[section], entry)
                    child = entry.child
                at[child] += 1
        return at

    def ranks(self, at: list[int]) -> int:
        """Sum of ranks: first choice 1, …; without a place the list's length + 1."""
        return sum(k + 1 for k in at)

    def option(self, child: int, place: int) -> Option | None:
        """What a child has at a place of its list."""
        return self.lists[child][place] if place < len(self.lists[child]) else None


class _Weakest:
    """Entry of a heap that has the weakest claim on top."""

    __slots__ = ("child", "claim")

    def __init__(self, claim: Any, child: int) -> None:
        self.claim, self.child = claim, child

    def __lt__(self, other: _Weakest) -> bool:
        return bool(self.claim > other.claim)


def check_extra(world: World, lists: Mapping[str, Options], told: pd.DataFrame) -> Iterator[Finding]:
    """Seats within what was asked, sums of ranks before and after, and section by section who moves up."""
    p = world.parameters
    asked = p.extra_seats if any(g in world.choices for g in world.groups) else 0
    where = {"county": world.county, "grade": world.grade}
    if not asked:
        if len(told):
            yield finding("placement_extra", _KEY + "extra", **where, what="extra_seats")
        return
    market = Market(world, lists)
    now = market.places({})
    before = market.ranks(now)
    rows = told.sort_values("school_id").to_dict("records")
    if sum(r["seats"] for r in rows) > asked or any(r["kind"] != "public" or r["seats"] < 1 for r in rows):
        yield finding("placement_extra", _KEY + "extra", **where, what="seats")
        return
    more: dict[Section, int] = {}
    for row in rows:
        more[row["school_id"], "public"] = int(row["seats"])
        after = market.places(more)
        moved = [i for i, (a, b) in enumerate(zip(now, after, strict=True)) if b < a]
        public = placed = 0
        for i in moved:
            was, has = market.option(i, now[i]), market.option(i, after[i])
            placed += was is None
            public += has is not None and has.section[1] == "public" and (was is None or was.section[1] != "public")
        if (row["moved_up"], row["newly_public"], row["newly_placed"]) != (len(moved), public, placed):
            yield finding("placement_extra", _KEY + "extra", **where, what=row["school_id"])
        now = after
    total = market.ranks(now)
    for row in rows:
        stated = (row["extra_seats"], row["ranks_before"], row["ranks_after"])
        if stated != (asked, before, total) or row["ranks_bound"] > total:
            yield finding("placement_extra", _KEY + "extra", **where, what="ranks")
            return
    if not rows and any(market.ranks(market.places({s: 1})) < before for s in world.seats if s[1] == "public"):
        yield finding("placement_extra", _KEY + "extra", **where, what="seats")
