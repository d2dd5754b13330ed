"""Re-check of places by choices with families: nobody is passed over, child by child and family by family.

A family's children, if they are together, are looked at within their school only; what they could have at a school they
all like better is looked at for all of them at once. That no outcome is stable for every family can't be seen from
tables; what is stated of families and of the outcome that was taken instead is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from zjsim.audit.finding import Finding, finding
from zjsim.audit.placement_world import Group, Option, Options, World

Tables = Mapping[str, pd.DataFrame]
Row = tuple[World, Group, Options, dict[int, int]]
Claim = tuple[Any, ...]
_KEY = "placement.audit."


@dataclass
class _Child:
    world: World
    group: Group
    options: Options
    draw: int
    at: int

    @property
    def option(self) -> Option | None:
        return self.options[self.at] if self.at >= 0 else None

    def claim(self, option: Option) -> Claim:
        return (*self.world.claim(self.group, option), self.draw)


@dataclass
class _Family:
    name: str
    children: list[_Child] = field(default_factory=list)

    @property
    def school(self) -> str:
        """Where all its children are, empty if they are apart or without places."""
        found = {c.option.section[0] if c.option else "" for c in self.children}
        return found.pop() if len(found) == 1 else ""

    def wish(self) -> list[str]:
        """Schools on the lists of all its children, best first."""
        places: list[dict[str, int]] = []
        for child in self.children:
            own: dict[str, int] = {}
            for k, option in enumerate(child.options):
                own.setdefault(option.section[0], k)
            places.append(own)
        common = set(places[0]).intersection(*places[1:])
        return sorted(common, key=lambda s: (sum(p[s] for p in places), s))


def joint_groups(groups: pd.DataFrame, told: pd.DataFrame, tables: Tables) -> set[str]:
    """Groups of families that are stated to be together."""
    registry = tables["child_groups"]
    names = set(told.loc[told["outcome"] == "together", "family_id"])
    family = dict(zip(registry["group_id"], registry["family_id"], strict=True))
    open_to = groups.loc[(groups["mode"] == "preference") & (groups["open_choices"] > 0), "group_id"]
    return {g for g in open_to if family.get(g, "") in names}


def check_families(county: str, rows: Sequence[Row], told: pd.DataFrame, status: pd.DataFrame) -> Iterator[Finding]:
    """A county placed by preference: children, families, and what the two tables say of them."""
    children, families = _read(rows)
    world = rows[0][0]
    p = world.parameters
    if not p.joint_newcomers or world.reading == "off":
        families = {}
    listed = told.set_index("family_id").to_dict("index")
    single = {name for name, row in listed.items() if row["outcome"] == "single"}
    held: dict[tuple[int, str, str], list[tuple[Claim, _Child]]] = {}
    for child in children:
        if child.option:
            key = (child.world.grade, *child.option.section)
            held.setdefault(key, []).append((child.claim(child.option), child))
    together = {id(c): f.school for f in families.values() if f.school and f.name not in single for c in f.children}
    for child in children:
        yield from _passed_over(child, together.get(id(child), ""), held)
    for family in families.values():
        row = listed.get(family.name)
        outcome = "single" if family.name in single else "together" if family.school else "apart"
        school = family.school if outcome == "together" else ""
        wish = family.wish()
        expected = (outcome, school, len(family.children), len(wish))
        if row is None or (row["outcome"], row["school_id"], row["children"], row["common_schools"]) != expected:
            yield finding("placement_families", _KEY + "families", county=county, family=family.name)
        if family.name in single:
            continue
        better = wish[: wish.index(family.school)] if family.school in wish else wish
        for name in better:
            if _admits(family, name, held):
                said = {"county": county, "family": family.name, "school": name}
                yield finding("placement_family_passed_over", _KEY + "family_passed_over", **said)
                break
    counts = [sum(r["outcome"] == o for r in listed.values()) for o in ("together", "apart", "single")]
    stated = status[["families", "together", "apart", "single"]].to_numpy().tolist()
    named = status["status"].tolist()
    right = stated == [[len(families), *counts]] and len(named) == 1
    if not right or set(listed) != set(families) or (named[0] == "found") != (not single):
        yield finding("placement_families", _KEY + "families", county=county, family="")


def _read(rows: Sequence[Row]) -> tuple[list[_Child], dict[str, _Family]]:
    """Children one by one (in a group the first draw has the best place), and families of at least two with lists."""
    children: list[_Child] = []
    families: dict[str, _Family] = {}
    for world, group, options, got in rows:
        places = [at for at in sorted(got, key=lambda i: (i < 0, i)) for _ in range(got[at])]
        for draw, at in zip(world.draws(group), places, strict=True):
            child = _Child(world, group, options, draw, at)
            children.append(child)
            if group.family and options:
                families.setdefault(group.family, _Family(group.family)).children.append(child)
    return children, {name: f for name, f in families.items() if len(f.children) > 1}


def _passed_over(child: _Child, within: str, held: Mapping[Any, list[tuple[Claim, _Child]]]) -> Iterator[Finding]:
    """A free seat, or a weaker claim that was admitted, at a section the child likes better (of its school only)."""
    for option in child.options if child.at < 0 else child.options[: child.at]:
        if within and option.section[0] != within:
            continue
        there = held.get((child.world.grade, *option.section), [])
        free = len(there) < child.world.seats[option.section]
        if free or any(claim > child.claim(option) for claim, _ in there):
            where = {"county": child.world.county, "grade": child.world.grade, "mode": "preference"}
            said = {"group": child.group.group_id, "school": option.section[0]}
            yield finding("placement_passed_over", _KEY + "passed_over", **where, **said)
            return


def _admits(family: _Family, school: str, held: Mapping[Any, list[tuple[Claim, _Child]]]) -> bool:
    """Whether the school would take all the family's children beside those of others with stronger claims."""
    own = {id(c) for c in family.children}
    ways = [[o for o in c.options if o.section[0] == school] for c in family.children]
    for way in itertools.product(*ways):
        entering: dict[tuple[int, str, str], list[Claim]] = {}
        for child, option in zip(family.children, way, strict=True):
            entering.setdefault((child.world.grade, *option.section), []).append(child.claim(option))
        fits = True
        for key, claims in entering.items():
            seats = next(c.world.seats[key[1], key[2]] for c in family.children if c.world.grade == key[0])
            others = [claim for claim, c in held.get(key, []) if id(c) not in own]
            for k, claim in enumerate(sorted(claims)):
                fits = fits and sum(other < claim for other in others) + k < seats
        if fits:
            return True
    return False
