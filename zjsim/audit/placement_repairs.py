"""Re-check of repairs: put in and placed again by a maximum flow of its own, and none of their steps is idle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from zjsim.audit.finding import Finding, finding
from zjsim.audit.placement_world import Section, World, worlds

Tables = Mapping[str, pd.DataFrame]
More = dict[tuple[int, str, str], int]
_KEY = "placement.audit."


class Flow:
    """A county's grade as a network: how many children stay without a place if as many as possible get one.

    Children to whom the same sections are open count together. ``closed``: children to whom none is open.
    """

    def __init__(self, world: World) -> None:
        self.grade, self.seats = world.grade, world.seats
        children: dict[frozenset[Section], int] = {}
        for group in world.groups.values():
            ends = frozenset(o.section for o in world.options(group, ""))
            children[ends] = children.get(ends, 0) + group.children
        self.closed = children.pop(frozenset(), 0)
        self.children = sum(children.values())
        n_lists = len(children)
        number = {s: n_lists + k for k, s in enumerate(world.seats)}
        source, sink = n_lists + len(number), n_lists + len(number) + 1
        self.ends, self.size = (source, sink), sink + 1
        arcs = [(source, k, n) for k, n in enumerate(children.values())]
        arcs += [(k, number[s], n) for k, (ends, n) in enumerate(children.items()) for s in sorted(ends)]
        self.fixed = np.array(arcs, np.int32).reshape(-1, 3)
        self.to_sink = np.array([(k, sink) for k in number.values()], np.int32).reshape(-1, 2)
        self.known: dict[tuple[int, ...], int] = {}

    def left(self, more: More) -> int:
        """Children without a place with ``more`` seats (those of other grades change nothing)."""
        seats = tuple(n + more.get((self.grade, *s), 0) for s, n in self.seats.items())
        if seats not in self.known:
            most = np.concatenate([self.fixed[:, 2], np.array(seats, np.int32)])
            ends = np.concatenate([self.fixed[:, :2], self.to_sink])
            graph = csr_array((most, (ends[:, 0], ends[:, 1])), shape=(self.size, self.size))
            self.known[seats] = self.children + self.closed - int(maximum_flow(graph, *self.ends).flow_value)
        return self.known[seats]


def check_repairs(plan: Tables, tables: Tables, year: int, parameters: Any) -> Iterator[Finding]:
    """Every repair of every county that could not place everybody by goals."""
    every = plan["placement_unplaced"]
    best = every[every["mode"] == "utilitarian"]
    told, steps = plan["placement_repairs"], plan["placement_repair_steps"]
    short = best[best["unplaced"] > 0]
    counties = sorted(set(short["county_code"]))
    if not set(told["county_code"]) <= set(counties) or not set(steps["county_code"]) <= set(counties):
        yield finding("placement_repairs", _KEY + "repair_rows", county=", ".join(sorted(set(told["county_code"]))))
    class_seats = _class_seats(tables, year)
    for county in counties:
        rows = short[short["county_code"] == county]
        grades = set(rows["grade"].astype(int))
        own = [Flow(w) for w in worlds(tables, year, {county}, parameters) if w.grade in grades]
        listed = told[told["county_code"] == county].set_index("repair").to_dict("index")
        of_county = steps[steps["county_code"] == county]
        counts = int(rows["unplaced"].sum()), int(rows["without_school"].sum())
        for name, row in listed.items():
            mine = of_county[of_county["repair"] == name]
            true = {"before": counts[0], "grades": ";".join(str(g) for g in sorted(grades))}
            said = {"before": row["unplaced_before"], "grades": row["grades"]}
            if said != true or mine.empty or row["bound"] > row["amount"]:
                yield _wrong(county, str(name))
        yield from _seats(county, own, listed.get("seats"), of_county, counts)
        yield from _classes(county, own, listed.get("classes"), of_county, class_seats, counts[0])
        yield from _rules(county, grades, listed.get("rules"), of_county, (tables, year, parameters))
        yield from _new_school(county, rows, own, listed.get("new_school"), of_county, (tables, year, parameters))


def _wrong(county: str, repair: str) -> Finding:
    return finding("placement_repairs", _KEY + "repair", county=county, repair=repair)


def _class_seats(tables: Tables, year: int) -> More:
    """Seats of a class in each grade of each public school."""
    public = set(tables["schools"].loc[tables["schools"]["ownership"] == "public", "school_id"])
    rows = tables["school_grades"]
    rows = rows[(rows["year"] == year) & rows["school_id"].isin(public) & (rows["classes"] > 0)]
    keys = rows[["grade", "school_id"]].itertuples(index=False, name=None)
    sizes = (rows["seats"] // rows["classes"]).astype(int).tolist()
    return {(int(g), s, "public"): n for (g, s), n in zip(keys, sizes, strict=True)}


def _added(steps: pd.DataFrame, repair: str) -> More:
    rows = steps[steps["repair"] == repair]
    keys = rows[["grade", "school_id", "kind"]].itertuples(index=False, name=None)
    return dict(zip(keys, rows["value"].astype(int).tolist(), strict=True))


def _left(own: list[Flow], more: More) -> int:
    return sum(flow.left(more) for flow in own)


def _known(own: list[Flow], more: More) -> bool:
    return all(any(w.grade == g and (s, k) in w.seats for w in own) and n > 0 for (g, s, k), n in more.items())


def _seats(county: str, own: list[Flow], row: Any, steps: pd.DataFrame, counts: tuple[int, int]) -> Iterator[Finding]:
    """As many seats as children without a place to whom a school is open; put in, only the others are left."""
    needed = counts[0] - counts[1]
    more = _added(steps, "seats")
    if row is None:
        if needed:
            yield _wrong(county, "seats")
    elif (
        (row["amount"], row["unplaced_after"], sum(more.values())) != (needed, counts[1], needed)
        or not _known(own, more)
        or _left(own, more) != counts[1]
    ):
        yield _wrong(county, "seats")


def _classes(
    county: str, own: list[Flow], row: Any, steps: pd.DataFrame, class_seats: More, before: int
) -> Iterator[Finding]:
    """The classes leave as few as any number of classes would, and without any one of them more are left."""
    there = {(w.grade, *s) for w in own for s in w.seats}
    plenty = {key: before for key, size in class_seats.items() if size > 0 and key in there}
    fewest = _left(own, plenty)
    more = _added(steps, "classes")
    if row is None:
        if fewest < before:
            yield _wrong(county, "classes")
        return
    if not _known(own, more) or any(key not in class_seats for key in more) or sum(more.values()) != row["amount"]:
        yield _wrong(county, "classes")
        return
    left = _left(own, {key: n * class_seats[key] for key, n in more.items()})
    fewer = ({key: (n - (key == gone)) * class_seats[key] for key, n in more.items()} for gone in sorted(more))
    if left != row["unplaced_after"] or left != fewest or any(_left(own, m) <= left for m in fewer):
        yield _wrong(county, "classes")


def _rules(
    county: str, grades: set[int], row: Any, steps: pd.DataFrame, world_of: tuple[Any, ...]
) -> Iterator[Finding]:
    """With the rules relaxed as stated so many are left; with any one of them as it was, more are."""
    if row is None:
        return
    tables, year, parameters = world_of
    rows = steps[steps["repair"] == "rules"]
    p = parameters.placement
    changes = {}
    for rule, value, before in rows[["rule", "value", "before"]].itertuples(index=False, name=None):
        was = getattr(p, rule)
        if (float(was == "distance") if isinstance(was, str) else float(was)) != before:
            yield _wrong(county, "rules")
            return
        changes[rule] = "distance" if isinstance(was, str) else type(was)(value)

    def left(update: dict[str, Any]) -> tuple[int, int]:
        other = SimpleNamespace(placement=p.model_copy(update=update), seats=parameters.seats)
        found = [Flow(w) for w in worlds(tables, year, {county}, other) if w.grade in grades]
        return _left(found, {}), sum(flow.closed for flow in found)

    after, without = left(changes)
    told = (row["amount"], row["unplaced_after"], row["seats_besides"])
    idle = (left({k: v for k, v in changes.items() if k != gone})[0] <= after for gone in sorted(changes))
    if told != (len(changes), after, after - without) or after >= row["unplaced_before"] or any(idle):
        yield _wrong(county, "rules")


def _new_school(
    county: str, rows: pd.DataFrame, own: list[Flow], row: Any, steps: pd.DataFrame, world_of: tuple[Any, ...]
) -> Iterator[Finding]:
    """A grade without any section has a seat for each of its children whose tier is placed, and no other grade has."""
    tables, year, parameters = world_of
    closed = {flow.grade for flow in own if not flow.seats}
    groups = tables["child_groups"]
    groups = groups[(groups["county_code"] == county) & (groups["year"] == year) & groups["grade"].isin(closed)]
    groups = groups[groups["tier"] <= parameters.placement.last_tier]
    wanted = {int(g): int(n) for g, n in groups.groupby("grade")["children"].sum().items() if n}
    mine = steps[steps["repair"] == "new_school"]
    told = dict(zip(mine["grade"].astype(int), mine["value"].astype(int), strict=True))
    amount = sum(wanted.values())
    left = int(rows["unplaced"].sum()) - amount
    wrong = told != wanted or (row is None) == bool(wanted) or bool((mine["school_id"] != "").any())
    if not wrong and row is not None:
        wrong = (row["amount"], row["bound"], row["unplaced_after"]) != (amount, amount, left)
    if wrong:
        yield _wrong(county, "new_school")
