"""What the audit of a placement knows: who may go where and how claims compare, read off the registries alone."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

Tables = Mapping[str, pd.DataFrame]
Section = tuple[str, str]
_STEP = {"public": 0, "purchased": 1, "self_paid": 2}


@dataclass(frozen=True)
class Group:
    """A group of applicants as the registry has it; ``steps``: points in whole steps, None where points don't rank."""

    group_id: str
    tier: int
    steps: int | None
    cell: str
    zone: str
    sibling: str
    current: str
    family: str
    children: int
    points: float

    @property
    def base(self) -> tuple[int, int]:
        """Claim by tier and points alone, smaller = stronger."""
        return self.tier, 1 if self.steps is None else -self.steps


@dataclass(frozen=True)
class Option:
    """A section open to a group, and what matters about it; ``metres10``: distance in 10 m."""

    section: Section
    step: int
    metres10: int
    together: bool
    followed: bool
    stays: bool


class Options(list[Option]):
    """Sections open to a group, best first; whether an elder sibling's or elder newcomer's school is among them."""

    def __init__(self, found: Iterable[Option]) -> None:
        super().__init__(found)
        self.elder = any(o.together for o in self)
        self.joint = any(o.followed for o in self)


@dataclass
class World:
    """One county and grade: free seats per section, groups, and the lists of options (best first)."""

    county: str
    grade: int
    reading: str
    parameters: Any
    seats: dict[Section, int]
    groups: dict[str, Group]
    schools: Mapping[str, Mapping[str, Any]]
    cells: Mapping[str, tuple[float, float]]
    with_purchased: bool
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _lists: dict[tuple[Any, ...], Options] = field(default_factory=dict)

    def options(self, group: Group, follows: str) -> Options:
        """The sections open to a group in order of preference; ends with the school it attends, if any."""
        sibling = "" if self.reading == "off" else group.sibling
        barred = group.tier > self.parameters.last_tier
        named = self.choices.get(group.group_id, ())
        key = (group.cell, group.zone, sibling, group.current, follows, barred, named)
        if key not in self._lists:
            self._lists[key] = self._ordered(group, sibling, follows, barred, named)
        return self._lists[key]

    def _ordered(self, group: Group, sibling: str, follows: str, barred: bool, named: tuple[str, ...]) -> Options:
        p = self.parameters
        metres = {s: self._metres10(group.cell, s) for s in {school for school, _ in self.seats}}
        nearest = set(sorted(metres, key=lambda s: (metres[s], s))[: p.nearest_kept])
        cap = round(100 * (p.primary_cap_km if self.grade <= 6 else p.junior_cap_km))
        found = []
        for school, kind in self.seats:
            near = self.schools[school]["zone_id"] == group.zone if p.candidates == "zone" else metres[school] <= cap
            allowed = (near or school in nearest or school == sibling) and not barred
            if named:
                allowed = school in named and not barred
            if kind == "self_paid" and not p.self_paid_places:
                allowed = False
            stays = school == group.current
            if not (allowed or stays):
                continue
            step = 0 if kind == "purchased" and self.with_purchased else _STEP[kind]
            together, followed = school == sibling, school == follows
            hard = together and self.reading in ("together", "absolute")
            wish = (named.index(school) if school in named else -1) if named else 0
            hard = hard and not named
            place = (wish, not hard, step, not (together or followed), metres[school], school, _STEP[kind])
            found.append((place, Option((school, kind), step, metres[school], together, followed, stays)))
        options = [option for _, option in sorted(found, key=lambda pair: pair[0])]
        own = [i for i, option in enumerate(options) if option.stays]
        return Options(options[: own[-1] + 1] if own else options)

    def _metres10(self, cell: str, school: str) -> int:
        lon, lat = self.cells[cell]
        there = self.schools[school]
        east = (lon - there["lon"]) * math.cos(math.radians((lat + there["lat"]) / 2))
        return round(math.hypot(east, lat - there["lat"]) * 111.195 * 100)

    def favoured(self, option: Option) -> str:
        """The named rule that gives a claim beyond tier and points at an option: stay, sibling, or none."""
        if option.stays:
            return "stay"
        return "sibling" if option.together and self.reading in ("together", "absolute") else "none"

    def claim(self, group: Group, option: Option) -> tuple[Any, ...]:
        """Claim before the lottery, smaller = stronger: rules, tier, sibling within it, points, soft ties."""
        hard = not option.together
        return (
            not option.stays,
            hard if self.reading == "absolute" else False,
            group.base[0],
            hard if self.reading == "together" else False,
            group.base[1],
            not ((option.together and self.reading == "soft") or option.followed),
        )

    def draws(self, group: Group) -> list[int]:
        """The lottery numbers of the group's children, from the published seed, smallest first."""
        seed = self.parameters.lottery_seed
        names = (f"{seed}|{group.group_id}|{k}" for k in range(group.children))
        return sorted(int(hashlib.blake2b(n.encode(), digest_size=8).hexdigest(), 16) >> 2 for n in names)


def goal_list(p: Any, reading: str, tiers: list[int]) -> list[str]:
    """The goals of the utilitarian mode in order, as the scenario ranks them."""
    within = []
    for part in p.tier_goals:
        within.append(part)
        if part == "placed" and reading == "together":
            within.append("siblings")
    expanded = {
        "placed": ["placed", "siblings"] if reading == "absolute" else ["placed"],
        "tiers": [f"tier{t}.{part}" for t in tiers for part in within],
        "siblings": ["siblings", "newcomers"] if reading == "soft" else ["newcomers"],
        "change": ["change"],
    }
    return ["stay", *(name for goal in p.goals for name in expanded[goal])]


def concerns(name: str, tier: int) -> bool:
    """Whether a goal counts children of a tier."""
    return not name.startswith("tier") or int(name[4 : name.index(".")]) == tier


def cost(name: str, group: Group, option: Option | None, options: Options) -> int:
    """What a child of ``group`` adds to a goal at ``option`` (None: without a place)."""
    if not concerns(name, group.tier):
        return 0
    part = name.rpartition(".")[2]
    if part == "stay":
        return int(option is None and bool(group.current))
    if part == "placed":
        return int(option is None)
    if part == "siblings":
        return int(options.elder and not (option is not None and option.together))
    if part == "newcomers":
        return int(options.joint and not (option is not None and option.followed))
    if option is None:
        return 0
    return {
        "public": option.step,
        "distance": option.metres10,
        "change": int(bool(group.current) and not option.stays),
    }[part]


def worlds(tables: Tables, year: int, codes: set[str], parameters: Any) -> Iterator[World]:
    """Every county and grade with applicants, by code and grade."""
    p = parameters.placement
    force = dict(zip(tables["sibling_rule"]["county_code"], tables["sibling_rule"]["in_force"], strict=True))
    schools: dict[str, Any] = {
        str(r["school_id"]): r for r in tables["schools"].to_dict("records") if r["county_code"] in codes
    }
    cells = tables["residence_cells"]
    cells = cells[cells["county_code"].isin(codes)]
    at = {c: (float(x), float(y)) for c, x, y in zip(cells["cell_id"], cells["lon"], cells["lat"], strict=True)}
    choices: dict[str, tuple[str, ...]] = {}
    if "school_choices" in tables:
        listed = tables["school_choices"].sort_values(["group_id", "choice"])
        for g, s in zip(listed["group_id"], listed["school_id"], strict=True):
            if s not in choices.get(g, ()):
                choices[g] = (*choices.get(g, ()), s)
    rules = {(r["county_code"], r["tier"]): r for r in tables["tier_rules"].to_dict("records")}
    groups, grades = (_of(tables[n], year, codes) for n in ("child_groups", "school_grades"))
    supply = dict(iter(grades.groupby(["county_code", "grade"], sort=True)))
    code: Any
    grade: Any
    for (code, grade), rows in groups.groupby(["county_code", "grade"], sort=True):
        own = {}
        here: dict[str, int] = {}
        for r in rows.sort_values("group_id").to_dict("records"):
            rule = rules.get((code, r["tier"]), {})
            ranked = rule.get("order_by", "none") != "none" and not math.isnan(r["points"])
            unit = rule.get("points_step", math.nan)
            steps = round(r["points"] / (1.0 if math.isnan(unit) else unit)) if ranked else None
            texts = (r["cell_id"], r["zone_id"], r["sibling_school"], r["current_school"], r["family_id"])
            own[r["group_id"]] = Group(r["group_id"], int(r["tier"]), steps, *texts, int(r["children"]), r["points"])
            if r["current_school"]:
                here[r["current_school"]] = here.get(r["current_school"], 0) + int(r["children"])
        seats = _seats(supply.get((code, grade), grades.iloc[:0]), schools, here)
        reading = p.sibling_reading if p.sibling_scope == "everywhere" or force.get(code, False) else "off"
        bought = parameters.seats.public_share_reading == "with_purchased"
        yield World(str(code), int(grade), reading, p, seats, own, schools, at, bought, choices)


def _of(table: pd.DataFrame, year: int, codes: set[str]) -> pd.DataFrame:
    return table[(table["year"] == year) & table["county_code"].isin(codes)]


def _seats(rows: pd.DataFrame, schools: Mapping[str, Mapping[str, Any]], here: Mapping[str, int]) -> dict[Section, int]:
    """Free seats per section: local children and migrant children already there keep theirs, applicants there too."""
    seats: dict[Section, int] = {}
    for r in rows.sort_values("school_id").to_dict("records"):
        school = r["school_id"]
        free = max(r["seats"] - r["taken_local"] - r["taken_migrant"], here.get(school, 0), 0)
        if schools[school]["ownership"] == "public":
            seats[school, "public"] = free
            continue
        bought = min(free, max(0, r["purchased_seats"] - r["taken_purchased"]))
        if r["purchased_seats"] > 0:
            seats[school, "purchased"] = bought
        seats[school, "self_paid"] = free - bought
    return seats
