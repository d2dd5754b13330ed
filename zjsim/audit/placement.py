"""Re-check of one year's placement from its tables and the registries alone; nothing of the models or solver is used.

Priority mode: no child is passed over for a weaker claim, lottery included. Utilitarian mode: the prices of the
sections prove that no other placement is better in any goal in order. Both: seats, catchments, sums, envy, goals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from zjsim.audit.finding import Finding, finding
from zjsim.audit.placement_world import Group, Option, Section, World, cost, goal_list, worlds

Tables = Mapping[str, pd.DataFrame]
PLAN_TABLES = (
    "placement",
    "placement_groups",
    "placement_fairness",
    "placement_cutoffs",
    "placement_envy",
    "placement_unplaced",
    "placement_prices",
    "placement_duals",
    "placement_difference",
    "placement_seats_needed",
)
_KEY = "placement.audit."
_MOST = 20
_ENVY = ["school_id", "kind", "tier", "rule"]
Got = dict[int, int]
"""Children of a group by place in its list of options; -1 = without a place."""


def check(plan: Tables, tables: Tables, parameters: Any) -> list[Finding]:
    """Every rule that a placement breaks; empty when none. At most 20 findings of a rule are listed."""
    gone = [name for name in PLAN_TABLES if name not in plan]
    if gone:
        return [finding("placement_table_missing", _KEY + "table_missing", table=name) for name in gone]
    groups = plan["placement_groups"]
    if groups.empty:
        return [finding("placement_table_missing", _KEY + "table_missing", table="placement_groups")]
    found: list[Finding] = []
    said: Counter[str] = Counter()
    for one in _all(plan, tables, parameters):
        said[one.rule] += 1
        if said[one.rule] <= _MOST:
            found.append(one)
    return found


def _all(plan: Tables, tables: Tables, parameters: Any) -> Iterator[Finding]:
    groups = plan["placement_groups"]
    year, codes = int(groups["year"].iloc[0]), set(groups["county_code"])
    modes = list(dict.fromkeys(groups["mode"]))
    yield from _sums(plan, tables, year, codes)
    yield from _newcomers(groups, tables, year, parameters)
    rows = dict(iter(groups.groupby(["mode", "county_code", "grade"], sort=True)))
    envy: dict[tuple[Any, ...], dict[tuple[Any, ...], int]] = {}
    for key, n in _keyed(plan["placement_envy"], ["mode", "county_code", "grade", *_ENVY]).items():
        envy.setdefault(key[:3], {})[key[3:]] = n
    prices = plan["placement_prices"]
    goals = {m: _keyed(prices, ["county_code", "grade", "goal"], m) for m in modes}
    cutoffs = dict(iter(plan["placement_cutoffs"].groupby(["mode", "county_code", "grade"], sort=True)))
    left = plan["placement_unplaced"].set_index(["mode", "county_code", "grade"])
    duals = _keyed(plan["placement_duals"], ["county_code", "grade", "school_id", "kind", "goal"], "price")
    for world in worlds(tables, year, codes, parameters):
        for mode in modes:
            own = rows.get((mode, world.county, world.grade), groups.iloc[:0])
            outcome = _Outcome(world, mode, own)
            yield from outcome.faults
            if outcome.faults:
                continue
            yield from _seats_kept(outcome)
            yield from _envy_counted(outcome, envy.get((mode, world.county, world.grade), {}))
            key = (mode, world.county, world.grade)
            yield from _cutoffs_counted(outcome, cutoffs.get(key, plan["placement_cutoffs"].iloc[:0]))
            yield from _nobody_open(outcome, left.loc[[key]])
            yield from _goals_counted(outcome, goals[mode])
            yield from _claims_kept(outcome) if mode == "priority" else _proven(outcome, duals)


def _keyed(table: pd.DataFrame, keys: list[str], value: str = "children") -> dict[tuple[Any, ...], int]:
    return dict(zip(table[keys].itertuples(index=False, name=None), table[value].astype(int).tolist(), strict=True))


class _Outcome:
    """What each group of a county and grade got, by place in its own list; faults found while reading it."""

    def __init__(self, world: World, mode: str, rows: pd.DataFrame) -> None:
        self.world, self.mode = world, mode
        self.faults: list[Finding] = []
        self.got: dict[str, Got] = {}
        self.lists: dict[str, list[Option]] = {}
        self.load: Counter[Section] = Counter()
        columns = ["group_id", "school_id", "kind", "choice", "distance_km", "children", "follows_school"]
        for name, school, kind, choice, km, children, follows in rows[columns].itertuples(index=False, name=None):
            group = world.groups.get(name)
            if group is None:
                self._fault("group_unknown", group=name)
                continue
            options = self.lists.setdefault(name, world.options(group, follows))
            at = -1
            if school:
                at = next((i for i, o in enumerate(options) if o.section == (school, kind)), -1)
                if at < 0 or choice != at + 1 or abs(km * 100 - options[at].metres10) > 0.5:
                    self._fault("not_open", group=name, school=school)
                    continue
                self.load[school, kind] += children
            elif any(o.stays for o in options):
                self._fault("not_staying", group=name)
            self.got.setdefault(name, {})[at] = self.got.get(name, {}).get(at, 0) + int(children)
        for name, group in world.groups.items():
            self.lists.setdefault(name, world.options(group, ""))
            placed = self.got.setdefault(name, {})
            if sum(placed.values()) != group.children or min(placed.values(), default=0) < 0:
                self._fault("children_lost", group=name, children=group.children, found=sum(placed.values()))

    def _fault(self, rule: str, **values: object) -> None:
        self.faults.append(finding(f"placement_{rule}", _KEY + rule, mode=self.mode, **values))

    def each(self) -> Iterator[tuple[Group, list[Option], Got]]:
        """Groups with their options and what they got."""
        for name, group in self.world.groups.items():
            yield group, self.lists[name], self.got[name]

    def where(self) -> dict[str, object]:
        """County, grade and mode, for sentences."""
        return {"county": self.world.county, "grade": self.world.grade, "mode": self.mode}


def _seats_kept(o: _Outcome) -> Iterator[Finding]:
    """No section takes more children than it has free seats: nobody already there is displaced (M108)."""
    for (school, kind), load in sorted(o.load.items()):
        free = o.world.seats[school, kind]
        if load > free:
            yield finding(
                "placement_seats", _KEY + "seats", **o.where(), school=school, kind=kind, load=load, free=free
            )


def _claims_kept(o: _Outcome) -> Iterator[Finding]:
    """Nobody is passed over for a weaker claim, or while a seat is free; the lottery decides equal claims (M109)."""
    weakest: dict[Section, tuple[Any, ...]] = {}
    children = []
    for group, options, got in o.each():
        draws = o.world.draws(group)
        places = [at for at in sorted(got, key=lambda i: (i < 0, i)) for _ in range(got[at])]
        for draw, at in zip(draws, places, strict=True):
            children.append((group, options, draw, at))
            if at >= 0:
                claim = (*o.world.claim(group, options[at]), draw)
                section = options[at].section
                weakest[section] = max(weakest.get(section, claim), claim)
    for group, options, draw, at in children:
        for option in options if at < 0 else options[:at]:
            section = option.section
            free = o.load[section] < o.world.seats[section]
            if free or (section in weakest and (*o.world.claim(group, option), draw) < weakest[section]):
                yield finding(
                    "placement_passed_over", _KEY + "passed_over", **o.where(), group=group.group_id, school=section[0]
                )
                break


def _envy_counted(o: _Outcome, told: Mapping[tuple[Any, ...], int]) -> Iterator[Finding]:
    """The envy list is complete and true; by claims (priority) only named hard rules are on it."""
    weakest: dict[tuple[Section, str], tuple[int, int]] = {}
    for group, options, got in o.each():
        for at in got:
            if at >= 0:
                there = (options[at].section, o.world.favoured(options[at]))
                weakest[there] = max(weakest.get(there, group.base), group.base)
    counted: Counter[tuple[Any, ...]] = Counter()
    for group, options, got in o.each():
        left = group.children
        for i, option in enumerate(options):
            left -= got.get(i, 0)
            if not left:
                break
            section = option.section
            rule = "free_seat" if o.load[section] < o.world.seats[section] else ""
            for name in ("none", "sibling", "stay"):
                if not rule and weakest.get((section, name), group.base) > group.base:
                    rule = name
            if rule:
                counted[(*section, group.tier, rule)] += left
    keys: list[tuple[Any, ...]] = sorted(set(told) | set(counted))
    for key in keys:
        if told.get(key, 0) != counted.get(key, 0):
            yield finding(
                "placement_envy",
                _KEY + "envy",
                **o.where(),
                school=key[0],
                reason=key[3],
                told=told.get(key, 0),
                found=counted.get(key, 0),
            )
        elif o.mode == "priority" and key[3] in ("none", "free_seat"):
            yield finding("placement_unforced_envy", _KEY + "unforced_envy", **o.where(), school=key[0])


def _cutoffs_counted(o: _Outcome, told: pd.DataFrame) -> Iterator[Finding]:
    """Seats, children admitted and turned away, and the weakest points admitted by claim, by section and tier."""
    admitted, turned = Counter[tuple[Any, ...]](), Counter[tuple[Any, ...]]()
    points: dict[tuple[Any, ...], float] = {}
    for group, options, got in o.each():
        left = group.children
        for i, option in enumerate(options):
            key: tuple[Any, ...] = (*option.section, group.tier)
            here = got.get(i, 0)
            left -= here
            admitted[key] += here
            turned[key] += left
            if here and group.steps is not None and o.world.favoured(option) == "none":
                points[key] = min(points.get(key, group.points), group.points)
    expected = {
        k: (o.world.seats[k[0], k[1]], o.load[k[0], k[1]], admitted[k], turned[k], points.get(k))
        for k in admitted
        if admitted[k] or turned[k]
    }
    columns = ["seats", "filled", "admitted", "turned_away", "points"]
    keys = told[["school_id", "kind", "tier"]].itertuples(index=False, name=None)
    values = told[columns].itertuples(index=False, name=None)
    listed = {k: (*v[:4], None if pd.isna(v[4]) else v[4]) for k, v in zip(keys, values, strict=True)}
    for key in sorted(set(expected) | set(listed)):
        if expected.get(key) != listed.get(key):
            yield finding("placement_cutoff", _KEY + "cutoff", **o.where(), school=key[0], tier=key[2])


def _nobody_open(o: _Outcome, told: pd.DataFrame) -> Iterator[Finding]:
    """Applicants, those to whom no school is open, and the seats left, by grade."""
    without = sum(got.get(-1, 0) for _, options, got in o.each() if not options)
    children = sum(g.children for g in o.world.groups.values())
    seats_left = sum(o.world.seats.values()) - sum(o.load.values())
    if told[["children", "without_school", "seats_left"]].to_numpy().tolist() != [[children, without, seats_left]]:
        yield finding("placement_sums", _KEY + "sums", table="placement_unplaced")


def _goals(world: World) -> list[str]:
    return goal_list(world.parameters, world.reading, sorted({g.tier for g in world.groups.values()}))


def _goals_counted(o: _Outcome, told: Mapping[tuple[Any, ...], int]) -> Iterator[Finding]:
    """The values of the goals are what the placement adds up to."""
    for name in _goals(o.world):
        value = 0
        for group, options, got in o.each():
            value += sum(n * cost(name, group, options[at] if at >= 0 else None, options) for at, n in got.items())
        stated = told.get((o.world.county, o.world.grade, name))
        if stated != value:
            yield finding("placement_goal", _KEY + "goal", **o.where(), goal=name, told=stated, found=value)


def _proven(o: _Outcome, duals: Mapping[tuple[Any, ...], int]) -> Iterator[Finding]:
    """Nothing better exists: with the sections' prices every child is where its reduced costs are smallest in order.

    Prices: what one more seat adds to each goal; the first that isn't 0 is negative, and then the section is full. The
    cost of a placement exceeds its children's smallest reduced costs plus the seats' prices by nothing, so no other
    placement has a smaller cost in the first goal in which they differ.
    """
    world, goals = o.world, _goals(o.world)
    price = {s: tuple(duals.get((world.county, world.grade, *s, name), 0) for name in goals) for s in world.seats}
    zero = (0,) * len(goals)
    for section, at in price.items():
        if at > zero or (at != zero and o.load[section] < world.seats[section]):
            yield finding("placement_price", _KEY + "price", **o.where(), school=section[0], kind=section[1])
    memo: dict[tuple[Any, ...], tuple[list[tuple[int, ...]], tuple[int, ...]]] = {}
    for group, options, got in o.each():
        key = (id(options), group.tier, bool(group.current))
        if key not in memo:
            reduced = [
                tuple(cost(n, group, option, options) - y for n, y in zip(goals, price[option.section], strict=True))
                for option in options
            ]
            reduced.append(tuple(cost(n, group, None, options) for n in goals))
            memo[key] = (reduced, min(reduced))
        reduced, least = memo[key]
        if any(reduced[at] != least for at in got):
            yield finding("placement_not_best", _KEY + "not_best", **o.where(), group=group.group_id)


def _sums(plan: Tables, tables: Tables, year: int, codes: set[str]) -> Iterator[Finding]:
    """The tables agree with the groups: by school and tier, by county and tier, by grade; local children untouched."""
    groups = plan["placement_groups"]
    placed = groups[groups["school_id"] != ""]
    keys = ["mode", "county_code", "school_id", "kind", "grade", "tier"]
    counts = placed.groupby(keys)["children"].sum()
    if counts.to_dict() != plan["placement"].set_index(keys)["children"].to_dict():
        yield finding("placement_sums", _KEY + "sums", table="placement")
    keys = ["mode", "county_code", "grade"]
    without = groups.assign(n=groups["children"].where(groups["school_id"] == "", 0)).groupby(keys)["n"].sum()
    table = plan["placement_unplaced"].set_index(keys)
    # A grade whose groups are all empty has a row, but no group got anything.
    same = set(without.index) <= set(table.index)
    if not same or (without.reindex(table.index, fill_value=0) != table["unplaced"]).any():
        yield finding("placement_sums", _KEY + "sums", table="placement_unplaced")
    modes = table.index.get_level_values("mode")
    if "utilitarian" in modes:
        best = table.xs("utilitarian")
        needed = best["unplaced"] - best["without_school"]
        if any((table.xs(m)["seats_needed"] != needed).any() for m in set(modes)):
            yield finding("placement_sums", _KEY + "sums", table="placement_unplaced")
    yield from _needed(plan)
    yield from _difference(groups, plan["placement_difference"])
    fair = plan["placement_fairness"].set_index(["mode", "county_code", "who"])
    expected: Counter[tuple[Any, ...]] = Counter()
    what = groups["kind"].where(groups["kind"] != "", "unplaced")
    by = [groups["mode"], groups["county_code"], groups["tier"], what]
    key: Any
    for key, n in groups["children"].groupby(by).sum().items():
        mode, code, tier, kind = key
        for who in ("migrant", f"tier_{tier}"):
            for k in ("public", "purchased", "self_paid", "unplaced"):
                expected[mode, code, who, k] += 0
            expected[mode, code, who, kind] += int(n)
            expected[mode, code, who, "children"] += int(n)
    grades = tables["school_grades"]
    grades = grades[(grades["year"] == year) & grades["county_code"].isin(codes)]
    for code, n in grades.groupby("county_code")["taken_local"].sum().items():
        for mode in dict.fromkeys(groups["mode"]):
            expected[mode, code, "local", "public"] = int(n)
    wrong = {key[:3] for key, value in expected.items() if _cell(fair, key) != value}
    for mode, code, who in sorted(wrong):
        yield finding("placement_fairness", _KEY + "fairness", mode=mode, county=code, who=who)


def _needed(plan: Tables) -> Iterator[Finding]:
    """The seats needed, school by school, are as many as the smallest number of each grade."""
    keys = ["county_code", "grade"]
    table = plan["placement_unplaced"]
    best = table[table["mode"] == "utilitarian"].set_index(keys)["seats_needed"]
    told = plan["placement_seats_needed"].groupby(keys)["seats"].sum().reindex(best.index, fill_value=0)
    if (told != best).any():
        yield finding("placement_sums", _KEY + "sums", table="placement_seats_needed")


def _difference(groups: pd.DataFrame, told: pd.DataFrame) -> Iterator[Finding]:
    """Who does better by claims and who by goals, child by child in the order of each group, is as stated."""
    choices: dict[str, dict[str, list[float]]] = {}
    columns = ["mode", "group_id", "choice", "children"]
    for mode, name, choice, n in groups[columns].itertuples(index=False, name=None):
        choices.setdefault(name, {}).setdefault(mode, []).extend([choice or float("inf")] * n)
    counted: Counter[tuple[Any, ...]] = Counter()
    keys = groups[["group_id", "county_code", "grade", "tier"]].drop_duplicates("group_id")
    if groups["mode"].nunique() == 2:
        for name, *front in keys.itertuples(index=False, name=None):
            pair = (sorted(choices[name].get(m, [])) for m in ("priority", "utilitarian"))
            for a, b in zip(*pair, strict=False):
                kind = "equal" if a == b else "better_by_claims" if a < b else "better_by_goals"
                counted[(*front, kind)] += 1
    kinds = ("better_by_claims", "equal", "better_by_goals")
    stated = {(*key, k): n for k in kinds for key, n in _keyed(told, ["county_code", "grade", "tier"], k).items() if n}
    if stated != dict(counted):
        yield finding("placement_sums", _KEY + "sums", table="placement_difference")


def _cell(table: Any, key: tuple[Any, ...]) -> int | None:
    return int(table.at[key[:3], key[3]]) if key[:3] in table.index else None


def _newcomers(groups: pd.DataFrame, tables: Tables, year: int, parameters: Any) -> Iterator[Finding]:
    """A younger newcomer follows the school where the eldest of its family was placed, where the rule is in force."""
    p = parameters.placement
    registry = tables["child_groups"]
    registry = registry[(registry["year"] == year) & (registry["family_id"] != "")]
    force = tables["sibling_rule"]
    asked = set(force.loc[force["in_force"].astype(bool), "county_code"])
    family = dict(zip(registry["group_id"], registry["family_id"], strict=True))
    for mode, rows in groups[groups["group_id"].isin(family) | (groups["follows_school"] != "")].groupby("mode"):
        rows = rows.assign(left=rows["choice"] == 0)
        rows = rows.sort_values(["grade", "group_id", "left", "choice"], ascending=[False, True, True, True])
        eldest: dict[str, tuple[int, str]] = {}
        for r in rows.to_dict("records"):
            name = family.get(r["group_id"], "")
            on = p.joint_newcomers and p.sibling_reading != "off"
            on = on and (p.sibling_scope == "everywhere" or r["county_code"] in asked)
            grade, school = eldest.get(name, (r["grade"], ""))
            expected = school if on and name and grade > r["grade"] else ""
            if r["follows_school"] not in ("", expected):
                yield finding("placement_newcomers", _KEY + "newcomers", mode=mode, group=r["group_id"])
            if name and r["school_id"]:
                eldest.setdefault(name, (r["grade"], r["school_id"]))
