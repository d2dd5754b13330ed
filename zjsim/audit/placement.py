"""Re-check of one year's placement from its tables and registries alone; nothing of the models or solver is used.

Priority mode: no child is passed over for a weaker claim, lottery included. Utilitarian mode: the prices of the
sections prove that no other placement is better in any goal in order. Both: seats, catchments, sums, envy, goals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from zjsim.audit.finding import Finding, finding
from zjsim.audit.placement_coupled import Parts, Row, check_county, part_of, parts_told
from zjsim.audit.placement_exchanges import check_exchanges
from zjsim.audit.placement_extra import check_extra
from zjsim.audit.placement_families import check_families, joint_groups
from zjsim.audit.placement_openings import opened, openings_told, with_opened
from zjsim.audit.placement_repairs import check_repairs
from zjsim.audit.placement_sums import keyed, newcomers, sums
from zjsim.audit.placement_world import Group, Options, Section, World, concerns, cost, goal_list, worlds

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
    "placement_extra_seats",
    "placement_seat_values",
    "placement_openings",
    "placement_coupled",
    "placement_coupled_sections",
    "placement_repairs",
    "placement_repair_steps",
    "placement_exchanges",
    "placement_families",
    "placement_stability",
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
    if plan["placement_unplaced"].empty:
        return [finding("placement_table_missing", _KEY + "table_missing", table="placement_unplaced")]
    found: list[Finding] = []
    said: Counter[str] = Counter()
    for one in _all(plan, tables, parameters):
        said[one.rule] += 1
        if said[one.rule] <= _MOST:
            found.append(one)
    return found


def _all(plan: Tables, tables: Tables, parameters: Any) -> Iterator[Finding]:
    groups = plan["placement_groups"]
    every = plan["placement_unplaced"]
    year, codes = int(every["year"].iloc[0]), set(every["county_code"])
    modes = list(dict.fromkeys(every["mode"]))
    more = opened(tables, year, codes)
    yield from openings_told(plan["placement_openings"], more, tables, year)
    tables = with_opened(tables, more, year)
    yield from sums(plan, tables, year, codes)
    yield from newcomers(groups, tables, year, parameters)
    yield from check_repairs(plan, tables, year, parameters)
    yield from check_exchanges(plan, parameters)
    rows = dict(iter(groups.groupby(["mode", "county_code", "grade"], sort=True)))
    envy: dict[tuple[Any, ...], dict[tuple[Any, ...], int]] = {}
    for key, n in keyed(plan["placement_envy"], ["mode", "county_code", "grade", *_ENVY]).items():
        envy.setdefault(key[:3], {})[key[3:]] = n
    prices = plan["placement_prices"]
    goals = {m: keyed(prices, ["county_code", "grade", "goal"], m) for m in modes}
    cutoffs = dict(iter(plan["placement_cutoffs"].groupby(["mode", "county_code", "grade"], sort=True)))
    left = plan["placement_unplaced"].set_index(["mode", "county_code", "grade"])
    duals = keyed(plan["placement_duals"], ["county_code", "grade", "school_id", "kind", "goal"], "price")
    joint = joint_groups(groups, plan["placement_families"], tables)
    extra = dict(iter(plan["placement_extra_seats"].groupby(["county_code", "grade"], sort=True)))
    market = "priority" if "priority" in modes else "preference"
    gains = keyed(plan["placement_seat_values"], ["county_code", "grade", "school_id", "kind", "goal"], "change")
    there = _there(tables, year, codes)
    by_county: dict[str, list[Row]] = {}
    chosen: dict[str, list[Row]] = {}
    parts: Parts = {}
    for world in worlds(tables, year, codes, parameters):
        if world.county not in by_county:
            yield from _coupled(by_county, plan, parts, there)
            by_county = {world.county: []}
            parts = parts_told(plan["placement_coupled_sections"], world.county)
        for mode in modes:
            own = rows.get((mode, world.county, world.grade), groups.iloc[:0])
            outcome = _Outcome(world, mode, own)
            yield from outcome.faults
            if outcome.faults:
                continue
            yield from _seats_kept(outcome)
            told = envy.get((mode, world.county, world.grade), {})
            yield from _envy_counted(outcome, told, joint if mode == "preference" else set())
            key = (mode, world.county, world.grade)
            yield from _cutoffs_counted(outcome, cutoffs.get(key, plan["placement_cutoffs"].iloc[:0]))
            yield from _nobody_open(outcome, left.loc[[key]])
            yield from _goals_counted(outcome, goals[mode])
            if mode == "utilitarian":
                by_county[world.county] += [(world, *each) for each in outcome.each()]
                yield from _proven(outcome, duals, parts)
                yield from _seats_worth(outcome, duals, gains, parts)
            elif mode == "preference":
                chosen.setdefault(world.county, []).extend((world, *each) for each in outcome.each())
            else:
                yield from _claims_kept(outcome)
            if mode == market:
                rows_told = extra.get((world.county, world.grade), plan["placement_extra_seats"].iloc[:0])
                yield from check_extra(world, outcome.lists, rows_told)
    yield from _coupled(by_county, plan, parts, there)
    for county, chosen_rows in chosen.items():
        told_of = (plan[f"placement_{name}"] for name in ("families", "stability"))
        yield from check_families(county, chosen_rows, *(t[t["county_code"] == county] for t in told_of))


def _there(tables: Tables, year: int, codes: set[str]) -> dict[tuple[str, int, str], int]:
    """Children already in each grade of each school, by county, grade and school."""
    rows = tables["school_grades"]
    rows = rows[(rows["year"] == year) & rows["county_code"].isin(codes)]
    keys = rows[["county_code", "grade", "school_id"]].itertuples(index=False, name=None)
    return dict(zip(keys, (rows["taken_local"] + rows["taken_migrant"]).astype(int).tolist(), strict=True))


def _coupled(
    by_county: Mapping[str, list[Row]], plan: Tables, parts: Parts, there: Mapping[tuple[str, int, str], int]
) -> Iterator[Finding]:
    """The rules that couple the children of a county, once all its grades are read."""
    for county, rows in by_county.items():
        if rows:
            told = plan["placement_coupled"]
            own = {key[1:]: n for key, n in there.items() if key[0] == county}
            yield from check_county(county, rows, told[told["county_code"] == county], parts, own)


class _Outcome:
    """What each group of a county and grade got, by place in its own list; faults found while reading it."""

    def __init__(self, world: World, mode: str, rows: pd.DataFrame) -> None:
        self.world, self.mode = world, mode
        self.faults: list[Finding] = []
        self.got: dict[str, Got] = {}
        self.lists: dict[str, Options] = {}
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

    def each(self) -> Iterator[tuple[Group, Options, Got]]:
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


def _envy_counted(o: _Outcome, told: Mapping[tuple[Any, ...], int], joint: set[str]) -> Iterator[Finding]:
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
            if rule and group.group_id in joint:
                rule = "family"
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
        elif o.mode != "utilitarian" and key[3] in ("none", "free_seat"):
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
            if not left:
                break
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
    goals = _goals(o.world)
    value_of = dict.fromkeys(goals, 0)
    own = {tier: [n for n in goals if concerns(n, tier)] for tier in {g.tier for g in o.world.groups.values()}}
    for group, options, got in o.each():
        for at, n in got.items():
            option = options[at] if at >= 0 else None
            for name in own[group.tier]:
                value_of[name] += n * cost(name, group, option, options)
    for name, value in value_of.items():
        stated = told.get((o.world.county, o.world.grade, name))
        if stated != value:
            yield finding("placement_goal", _KEY + "goal", **o.where(), goal=name, told=stated, found=value)


def _proven(o: _Outcome, duals: Mapping[tuple[Any, ...], int], parts: Parts) -> Iterator[Finding]:
    """Nothing better exists: with the sections' prices every child is where its reduced costs are smallest in order.

    Prices: what one more seat adds to each goal; the first that isn't 0 is negative, and then the section is full. The
    cost of a placement exceeds its children's smallest reduced costs plus the seats' prices by nothing, so no other
    placement has a smaller cost in the first goal in which they differ. Parts that rules couple have no prices.
    """
    world, goals = o.world, _goals(o.world)
    sections = {s: i for i, s in enumerate(world.seats)}
    rows = [[duals.get((world.county, world.grade, *s, name), 0) for name in goals] for s in sections]
    price = np.array(rows, np.int64).reshape(len(sections), len(goals))
    for section, i in sections.items():
        first = next((int(y) for y in price[i] if y), 0)
        coupled = bool(parts.get((world.grade, *section), 0))
        if first > 0 or (first and (coupled or o.load[section] < world.seats[section])):
            yield finding("placement_price", _KEY + "price", **o.where(), school=section[0], kind=section[1])
    best: dict[tuple[Any, ...], frozenset[int]] = {}
    costs: dict[tuple[Any, ...], Any] = {}
    for group, options, got in o.each():
        if part_of(parts, world, options) - {0}:
            continue
        key = (id(options), group.tier, bool(group.current))
        if key not in best:
            at = [sections[option.section] for option in options]
            reduced = np.concatenate([-price[at], np.zeros((1, len(goals)), np.int64)])
            for k, name in enumerate(goals):
                if concerns(name, group.tier):
                    part = (key[0], key[2], name.rpartition(".")[2])
                    if part not in costs:
                        costs[part] = [cost(name, group, option, options) for option in (*options, None)]
                    reduced[:, k] += costs[part]
            best[key] = _least(reduced)
        if not best[key].issuperset(got):
            yield finding("placement_not_best", _KEY + "not_best", **o.where(), group=group.group_id)


def _seats_worth(o: _Outcome, duals: Mapping[Any, int], gains: Mapping[Any, int], parts: Parts) -> Iterator[Finding]:
    """One more seat never does harm, never brings more than its price promises, and nothing where seats are free."""
    goals = _goals(o.world)
    zero = (0,) * len(goals)
    for section, seats in o.world.seats.items():
        keys = [(o.world.county, o.world.grade, *section, name) for name in goals]
        price, gain = (tuple(told.get(key, 0) for key in keys) for told in (duals, gains))
        no_gain = o.load[section] < seats or parts.get((o.world.grade, *section), 0)
        if not price <= gain <= zero or (gain != zero and no_gain):
            yield finding("placement_value", _KEY + "value", **o.where(), school=section[0], kind=section[1])


def _least(reduced: Any) -> frozenset[int]:
    """Rows that are smallest, compared from left to right; the last row is the place -1 (none)."""
    left = np.arange(len(reduced))
    for column in reduced.T:
        values = column[left]
        left = left[values == values.min()]
        if len(left) == 1:
            break
    return frozenset(-1 if i == len(reduced) - 1 else i for i in left.tolist())
