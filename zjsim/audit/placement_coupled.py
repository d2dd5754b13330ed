"""Re-check of rules that couple children: what was solved as a whole, by how much each rule is missed, what is stated.

A part solved as a mixed-integer programme has no prices that prove it. So every number of it is counted again, its
bounds must not contradict it, the plan without the rules must not be worse in the other goals, and where it is said to
be the best no single child may improve it by moving.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd

from zjsim.audit.finding import Finding, finding
from zjsim.audit.placement_world import Group, Option, Options, Section, World, cost, goal_list

Got = dict[int, int]
Row = tuple[World, Group, Options, Got]
Parts = Mapping[tuple[int, str, str], int]
_KEY = "placement.audit."
_RULES = ("families", "small", "floor")
_ROUNDING = 1e-6


def parts_told(table: pd.DataFrame, county: str) -> dict[tuple[int, str, str], int]:
    """Part of every section (grade, school, kind) of a county that was solved as a whole."""
    own = table[table["county_code"] == county]
    keys = own[["grade", "school_id", "kind"]].itertuples(index=False, name=None)
    return dict(zip(keys, own["part"].astype(int).tolist(), strict=True))


def part_of(parts: Parts, world: World, options: Options) -> set[int]:
    """Parts (0: none) in which a group's options lie; more than one is a fault."""
    return {parts.get((world.grade, *option.section), 0) for option in options}


def switched_on(p: Any, reading: str) -> list[str]:
    """The rules that a scenario switches on in a county."""
    joint = p.joint_newcomers and reading != "off"
    together = joint and p.newcomers_reading == "together"
    if not (together or p.minimum_section > 1 or p.public_floor > 0):
        return []
    on = {"families": joint, "small": p.minimum_section > 1, "floor": p.public_floor > 0}
    return [name for name in _RULES if on[name]]


def check_county(
    county: str, rows: Sequence[Row], told: pd.DataFrame, parts: Parts, there: Mapping[tuple[int, str], int]
) -> Iterator[Finding]:
    """Everything that is stated of a county's coupled parts; ``there``: children already in a grade of a school."""
    world = rows[0][0]
    on = switched_on(world.parameters, world.reading)
    if not on:
        if len(told) or parts:
            yield finding("placement_coupled", _KEY + "coupled_off", county=county)
        return
    county_rows = told[told["part"] == 0].set_index("goal")["value"].astype(int).to_dict()
    numbers = sorted(set(parts.values()))
    if sorted(set(told.loc[told["part"] > 0, "part"])) != numbers or list(county_rows) != on:
        yield finding("placement_coupled", _KEY + "coupled_parts", county=county)
        return
    of_part: dict[int, list[Row]] = {n: [] for n in (0, *numbers)}
    for row in rows:
        own = part_of(parts, row[0], row[2])
        if len(own) > 1:
            yield finding("placement_coupled", _KEY + "coupled_parts", county=county)
            return
        of_part[next(iter(own), 0)].append(row)
    whole = _State(rows, on, there)
    for name in on:
        if county_rows[name] != whole.rules()[name]:
            said, found = county_rows[name], whole.rules()[name]
            yield finding("placement_coupled", _KEY + "coupled_value", county=county, goal=name, told=said, found=found)
    outside = _State(of_part[0], [name for name in on if name != "floor"], there)
    if any(outside.rules().values()) or ("floor" in on and whole.rules()["floor"] and of_part[0] and _open(of_part[0])):
        yield finding("placement_coupled", _KEY + "coupled_missed", county=county)
    for n in numbers:
        yield from _part(county, n, _State(of_part[n], on, there), told[told["part"] == n])


def _open(rows: Iterable[Row]) -> bool:
    return any(options for _, _, options, _ in rows)


class _State:
    """Places of the groups of a part, and what they miss of the rules."""

    def __init__(self, rows: Sequence[Row], on: Sequence[str], there: Mapping[tuple[int, str], int]) -> None:
        self.rows, self.on, self.there = rows, on, there
        self.parameters = rows[0][0].parameters if rows else None
        self.taken: Counter[tuple[int, str]] = Counter()
        self.load: Counter[tuple[int, str, str]] = Counter()
        self.public = self.placed = 0
        self.sites: dict[str, Counter[str]] = {}
        for world, group, options, got in rows:
            for at, n in got.items():
                option = options[at] if at >= 0 else None
                if option is not None:
                    self.taken[world.grade, option.section[0]] += n
                    self.load[(world.grade, *option.section)] += n
                    self.public += n * (option.step == 0)
                    self.placed += n
                if options and group.family and n:
                    self.sites.setdefault(group.family, Counter())[_site(option)] += n

    def least(self, grade: int, school: str) -> int:
        """Fewest applicants the school takes in the grade if any."""
        p: Any = self.parameters
        there = self.there.get((grade, school), 0) if p.minimum_reading == "all" else 0
        return max(0, int(p.minimum_section) - there)

    def is_small(self, key: tuple[int, str], taken: int) -> int:
        """1 if the school's grade takes applicants, but fewer than its minimum."""
        least = self.least(*key)
        return int(least > 1 and 0 < taken < least)

    def short(self, public: int, placed: int) -> int:
        """Children missing in public schools for the share asked for."""
        p: Any = self.parameters
        share = Fraction(str(p.public_floor))
        return max(0, -((share.denominator * public - share.numerator * placed) // share.denominator))

    def rules(self) -> dict[str, int]:
        """By how much each rule that is on is missed."""
        found = dict.fromkeys(self.on, 0)
        if not self.rows:
            return found
        if "families" in self.on:
            joint = [sites for sites in self.sites.values() if sum(sites.values()) > 1]
            found["families"] = sum(len(+sites) > 1 for sites in joint)
        if "small" in self.on:
            found["small"] = sum(self.is_small(key, n) for key, n in self.taken.items())
        if "floor" in self.on:
            found["floor"] = self.short(self.public, self.placed)
        return found

    def moved(self, row: Row, option: Option | None, other: Option | None) -> dict[str, int]:
        """How the rules' values change when one child of a group goes from ``option`` to ``other`` (None: no place)."""
        world, group, _, _ = row
        change = dict.fromkeys(self.on, 0)
        if "small" in self.on and _site(option) != _site(other):
            for place, n in ((option, -1), (other, 1)):
                if place is not None:
                    key = (world.grade, place.section[0])
                    change["small"] += self.is_small(key, self.taken[key] + n) - self.is_small(key, self.taken[key])
        if "floor" in self.on:
            public = int(other is not None and other.step == 0) - int(option is not None and option.step == 0)
            placed = int(other is not None) - int(option is not None)
            after = self.short(self.public + public, self.placed + placed)
            change["floor"] = after - self.short(self.public, self.placed)
        sites = self.sites.get(group.family, Counter()) if group.family else Counter()
        if "families" in self.on and sum(sites.values()) > 1:
            after_move = sites.copy()
            after_move[_site(option)] -= 1
            after_move[_site(other)] += 1
            change["families"] = int(len(+after_move) > 1) - int(len(+sites) > 1)
        return change


def _site(option: Option | None) -> str:
    return "" if option is None else option.section[0]


def _in_order(world: World, tiers: list[int]) -> list[str]:
    """All goals in their order, those of the rules among them."""
    p = world.parameters
    names = goal_list(p, world.reading, tiers)
    softly = p.newcomers_reading != "together"
    at = names.index("placed") + 1
    names[at:at] = [name for name in _RULES if name != "families" or not softly]
    if softly:
        place = names.index("newcomers") if "newcomers" in names else len(names)
        names.insert(place, "families")
    return names


def _part(county: str, number: int, state: _State, told: pd.DataFrame) -> Iterator[Finding]:
    """One part: values counted again, bounds and gaps that fit, the price of the rules, and no better single move."""
    world = state.rows[0][0]
    names = _in_order(world, sorted({group.tier for _, group, _, _ in state.rows}))
    value = dict.fromkeys(names, 0) | state.rules()
    for _, group, options, got in state.rows:
        for at, n in got.items():
            option = options[at] if at >= 0 else None
            for name in names:
                if name not in _RULES:
                    value[name] += n * cost(name, group, option, options)
    listed = told["goal"].tolist()
    stated = dict(zip(listed, told["value"].astype(int).tolist(), strict=True))
    if listed != [name for name in names if name in stated]:
        yield finding("placement_coupled", _KEY + "coupled_parts", county=county)
        return
    for name in names:
        if stated.get(name, 0) != value[name]:
            said, found = stated.get(name, 0), value[name]
            yield finding("placement_coupled", _KEY + "coupled_value", county=county, goal=name, told=said, found=found)
            return
    for goal, v, bound, gap in told[["goal", "value", "bound", "gap"]].itertuples(index=False, name=None):
        true_gap = abs(v - bound) / max(1e-9, abs(v))
        if bound > v + _ROUNDING or abs(true_gap - gap) > _ROUNDING * max(1.0, true_gap):
            yield finding("placement_coupled", _KEY + "coupled_bound", county=county, goal=goal)
    others = told[~told["goal"].isin(_RULES)]
    if others["without_rules"].tolist() > others["value"].tolist():
        yield finding("placement_coupled", _KEY + "coupled_price", county=county, part=number)
    if (told["gap"] == 0).all():
        yield from _no_better_move(county, state, names)


def _no_better_move(county: str, state: _State, names: list[str]) -> Iterator[Finding]:
    """Where a part is said to be the best, no child alone can move to a free seat and improve the goals in order."""
    for row in state.rows:
        world, group, options, got = row
        for at, n in got.items():
            if not n:
                continue
            option = options[at] if at >= 0 else None
            for other in (*options, None):
                if other is option or (other is not None and not _free(state, world, other.section)):
                    continue
                rules = state.moved(row, option, other)
                for name in names:
                    change = rules.get(name, 0)
                    if name not in _RULES:
                        change = cost(name, group, other, options) - cost(name, group, option, options)
                    if change > 0:
                        break
                    if change < 0:
                        yield finding(
                            "placement_coupled", _KEY + "coupled_not_best", county=county, group=group.group_id
                        )
                        return


def _free(state: _State, world: World, section: Section) -> bool:
    return state.load[(world.grade, *section)] < world.seats[section]
