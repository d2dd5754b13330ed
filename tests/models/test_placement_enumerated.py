"""Both modes of placement, and deferred acceptance, against all plans of many small counties.

Nothing of the product's rules is used: who may go where, the order of preference, claims, the lottery and the goals
are written again here, from the words of the rules. Distances are roads: from home near A to B is not as far as from
home near B to A.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from zjsim.models.deferred_acceptance import choices_from_lists, deferred_acceptance
from zjsim.models.placement_data import County, Grade, Schools
from zjsim.models.placement_modes import place_county

from zjsim.scenario.parameters import PlacementParameters

CORNERS = ("any", "zero seats", "zero children", "one school", "all siblings", "ties", "unreachable", "stayers")
CORNERS += ("choices", "full lists")
EACH = 52
KINDS = {"public": 0, "purchased": 1, "paid": 2}
SETTINGS: list[dict[str, Any]] = [
    {"sibling_reading": "together"},
    {"sibling_reading": "absolute", "last_tier": 2},
    {"sibling_reading": "soft", "goals": ("placed", "siblings", "tiers", "change"), "nearest_kept": 1},
    {"sibling_reading": "off", "candidates": "zone", "nearest_kept": 0, "self_paid_places": False},
]


class Family(NamedTuple):
    """Equal children: ``elder``, ``current`` are schools or None, ``wishes`` schools or None, ``road`` per school."""

    name: str
    children: int
    tier: int
    points: int | None
    zone: str
    elder: int | None
    current: int | None
    wishes: list[int] | None
    road: list[int]


class Option(NamedTuple):
    """A section open to a family: its number, steps away from public, 10 m, the elder's school, the own school."""

    section: int
    step: int
    road: int
    together: bool
    stays: bool


@dataclass
class Town:
    """Schools' zones, sections (school, kind, seats), families, settings, whether purchased counts as public."""

    zones: list[str]
    sections: list[tuple[int, str, int]]
    families: list[Family]
    settings: PlacementParameters
    as_public: bool


def town(seed: int) -> Town:
    """A random town of at most five children; the corner goes round with the seed."""
    rng = np.random.Generator(np.random.Philox(key=[31, seed]))
    corner = CORNERS[seed % len(CORNERS)]
    chosen = {"sibling_scope": "everywhere", "primary_cap_km": 3.0, "nearest_kept": 0} | SETTINGS[(seed // 10) % 4]
    n = 1 if corner == "one school" else int(rng.integers(2, 4))
    zones = [f"Z{k}" for k in rng.integers(0, 2, n)]
    sections = []
    for school in range(n):
        private = rng.random() < 0.4
        for kind in ("purchased", "paid") if private else ("public",):
            sections.append((school, kind, 0 if corner == "zero seats" else int(rng.integers(0, 3))))
    # Roads between places are one-way streets: no number is the same there and back but by chance.
    low, high = (400, 900) if corner == "unreachable" else (5, 5) if corner == "ties" else (5, 450)
    roads = rng.integers(low, high + 1, (n, n))
    families = []
    left = 5
    for k in range(0 if corner == "zero children" else int(rng.integers(1, 5))):
        size = min(left, int(rng.integers(0 if corner == "any" else 1, 3)))
        left -= size
        tier = 1 if corner == "ties" else int(rng.integers(1, 4))
        points = None if tier == 3 else 20 if corner == "ties" else int(rng.integers(18, 22))
        elder = int(rng.integers(n)) if corner == "all siblings" or rng.random() < 0.25 else None
        current = int(rng.integers(n)) if corner == "stayers" or rng.random() < 0.15 else None
        wishes = None
        if corner == "full lists" or (corner == "choices" and rng.random() < 0.7):
            most = n if corner == "full lists" else int(rng.integers(1, n + 1))
            wishes = rng.permutation(n)[:most].tolist()
        home = int(rng.integers(n))
        zone = zones[home]
        families.append(Family(f"F{k}", size, tier, points, zone, elder, current, wishes, roads[home].tolist()))
    return Town(zones, sections, families, PlacementParameters(**chosen), bool(rng.random() < 0.5))


def options(town: Town, family: Family) -> list[Option]:
    """The sections open to a family, best first."""
    p = town.settings
    elder = None if p.sibling_reading == "off" else family.elder
    taught = sorted({s for s, _, _ in town.sections}, key=lambda s: (family.road[s], s))
    found = []
    for number, (school, kind, _) in enumerate(town.sections):
        if family.wishes is not None:
            may = school in family.wishes
        elif p.candidates == "zone":
            may = town.zones[school] == family.zone
        else:
            may = family.road[school] <= 100 * p.primary_cap_km
        if family.wishes is None and (school in taught[: p.nearest_kept] or school == elder):
            may = True
        if (kind == "paid" and not p.self_paid_places) or family.tier > p.last_tier:
            may = False
        if not may and school != family.current:
            continue
        step = {"public": 0, "purchased": 0 if town.as_public else 1, "paid": 2}[kind]
        together = school == elder
        named = family.wishes.index(school) if family.wishes and school in family.wishes else -1 if family.wishes else 0
        leads = together and p.sibling_reading != "soft" and family.wishes is None
        order = (named, not leads, step, not together, family.road[school], school, KINDS[kind])
        found.append((order, Option(number, step, family.road[school], together, school == family.current)))
    best_first = [option for _, option in sorted(found)]
    own = [k for k, option in enumerate(best_first) if option.stays]
    return best_first[: own[-1] + 1] if own else best_first


def claim(town: Town, family: Family, option: Option, draw: int) -> tuple[Any, ...]:
    """Smaller is stronger: to stay, the sibling rule where its reading puts it, tier, points, soft ties, lottery."""
    reading = town.settings.sibling_reading
    return (
        not option.stays,
        not option.together if reading == "absolute" else 0,
        family.tier,
        not option.together if reading == "together" else 0,
        1 if family.points is None else -family.points,
        not option.together if reading == "soft" else 0,
        draw,
    )


def cost(town: Town, family: Family, list_: list[Option], option: Option | None, tiers: list[int]) -> list[int]:
    """What a child adds to every goal, in the order of the goals."""
    p = town.settings
    none = option is None
    apart = int(any(o.together for o in list_) and (none or not option.together))
    parts = {"placed": int(none), "public": 0 if none else option.step, "distance": 0 if none else option.road}
    values = [int(none and family.current is not None)]
    for goal in p.goals:
        if goal == "placed":
            values += [parts["placed"]] + ([apart] if p.sibling_reading == "absolute" else [])
        elif goal == "tiers":
            for tier in tiers:
                for part in p.tier_goals:
                    mine = int(tier == family.tier)
                    values.append(mine * parts[part])
                    if part == "placed" and p.sibling_reading == "together":
                        values.append(mine * apart)
        elif goal == "siblings":
            # Joint newcomers (0: these children have none) come last.
            values += ([apart] if p.sibling_reading == "soft" else []) + [0]
        else:
            values.append(int(family.current is not None and not none and not option.stays))
    return values


Child = tuple[int, Family, list[Option], int]


def children(town: Town) -> list[Child]:
    """Every child: its family's number, family, options, number in the published lottery."""
    found = []
    for k, family in enumerate(town.families):
        for c in range(family.children):
            text = f"{town.settings.lottery_seed}|{family.name}|{c}".encode()
            draw = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 2
            found.append((k, family, options(town, family), draw))
    return found


def plans(seats: list[int], lists: list[list[int]]) -> Iterator[tuple[int, ...]]:
    """All ways to give every child a place of its list (or none: the list's length) within the seats."""
    if not lists:
        yield ()
        return
    for at, section in enumerate([*lists[0], None]):
        if section is None:
            rest = seats
        elif seats[section]:
            rest = [n - (k == section) for k, n in enumerate(seats)]
        else:
            continue
        for others in plans(rest, lists[1:]):
            yield (at, *others)


def stable(seats: list[int], lists: list[list[int]], claims: list[list[Any]], plan: tuple[int, ...]) -> bool:
    """Whether nobody likes a section better that has a free seat or a child with a weaker claim."""
    held: dict[int, list[Any]] = {}
    for child, at in enumerate(plan):
        if at < len(lists[child]):
            held.setdefault(lists[child][at], []).append(claims[child][at])
    for child, at in enumerate(plan):
        for better in range(at):
            section = lists[child][better]
            inside = held.get(section, [])
            if len(inside) < seats[section] or (inside and claims[child][better] < max(inside)):
                return False
    return True


def liked_best(seats: list[int], lists: list[list[int]], claims: list[list[Any]]) -> tuple[int, ...]:
    """The stable plan that every child likes at least as well as any other stable plan."""
    found = [plan for plan in plans(seats, lists) if stable(seats, lists, claims, plan)]
    best = tuple(min(places) for places in zip(*found, strict=True))
    assert best in found
    return best


def county(town: Town) -> County:
    """The town as the product's arrays."""
    schools = [school for school, _, _ in town.sections]
    f = town.families
    whole = {
        "children": [x.children for x in f],
        "tier": [x.tier for x in f],
        "points": [-1 if x.points is None else x.points for x in f],
        "cell": range(len(f)),
        "sibling": [-1 if x.elder is None else x.elder for x in f],
        "current": [-1 if x.current is None else x.current for x in f],
        "list_id": [k + 1 if x.wishes is not None else 0 for k, x in enumerate(f)],
    }
    wish = [[x.wishes.index(s) if x.wishes and s in x.wishes else -1 for s in schools] for x in f]
    shape = (len(f), len(schools))
    grade = Grade(
        county="330000",
        grade=1,
        ids=np.array([x.name for x in f], object),
        raw_points=np.array([np.nan if x.points is None else x.points for x in f], float),
        zone=np.array([x.zone for x in f], object),
        family=np.array([""] * len(f), object),
        school=np.array(schools, np.int64),
        kind=np.array([KINDS[kind] for _, kind, _ in town.sections], np.int64),
        seats=np.array([n for _, _, n in town.sections], np.int64),
        there=np.zeros(len(schools), np.int64),
        class_seats=np.zeros(len(schools), np.int64),
        distance=np.array([[x.road[s] for s in schools] for x in f], np.int32).reshape(shape),
        wish=np.array(wish, np.int16).reshape(shape),
        **{name: np.array(values, np.int64) for name, values in whole.items()},
    )
    n = len(town.zones)
    private = np.array([any(s == k and kind != "public" for s, kind, _ in town.sections) for k in range(n)])
    names = np.array([f"S{k}" for k in range(n)], object)
    labels = {"zh": names, "en": names}
    return County(
        "330000", 2025, Schools(names, labels, private, np.array(town.zones, object), True), (grade,), True, 0
    )


@pytest.mark.parametrize("corner", range(len(CORNERS)))
def test_both_modes_are_the_best_of_all_plans(corner: int) -> None:
    for seed in range(corner, EACH * len(CORNERS), len(CORNERS)):
        here = town(seed)
        everyone = children(here)
        seats = [n for _, _, n in here.sections]
        lists = [[o.section for o in own] for _, _, own, _ in everyone]
        arrays = county(here)
        for mode in ("priority", "utilitarian"):
            [placed] = place_county(arrays, mode, here.settings, here.as_public)
            for k, family in enumerate(here.families):
                mine = slice(placed.arcs.start[k], placed.arcs.start[k + 1])
                assert placed.arcs.section[mine].tolist() == [o.section for o in options(here, family)], seed
            if mode == "priority":
                claims = [[claim(here, f, o, draw) for o in own] for _, f, own, draw in everyone]
                best = liked_best(seats, lists, claims)
                told = Counter((k, at) for (k, *_), at in zip(everyone, best, strict=True))
                for k, family in enumerate(here.families):
                    sent = placed.sent[placed.arcs.start[k] : placed.arcs.start[k + 1]].tolist()
                    expected = [told[k, at] for at in range(len(options(here, family)) + 1)]
                    assert [*sent, int(placed.unplaced[k])] == expected, (seed, family)
            else:
                tiers = sorted({f.tier for f in here.families})
                costs = [[cost(here, f, own, o, tiers) for o in (*own, None)] for _, f, own, _ in everyone]
                totals = (
                    [sum(column) for column in zip(*(c[at] for c, at in zip(costs, plan, strict=True)), strict=True)]
                    for plan in plans(seats, lists)
                )
                assert list(placed.values) == (min(totals) or [0] * len(placed.values)), seed
                assert len(placed.values) == len(placed.goals)


def test_the_towns_are_as_many_and_as_odd_as_they_should_be() -> None:
    towns = [town(seed) for seed in range(EACH * len(CORNERS))]
    assert len(towns) >= 500
    assert sum(not any(n for _, _, n in t.sections) for t in towns) >= EACH
    assert sum(not t.families for t in towns) >= EACH
    assert sum(len(t.zones) == 1 for t in towns) >= EACH
    assert sum(bool(t.families) and all(f.elder is not None for f in t.families) for t in towns) >= EACH
    assert sum(any(not options(t, f) for f in t.families) for t in towns) >= EACH
    assert any(f.children == 0 for t in towns for f in t.families)
    there_and_back = [(f.road, g.road) for t in towns for f in t.families for g in t.families if len(f.road) > 1]
    assert sum(a[1] != b[0] for a, b in there_and_back) > 500


@pytest.mark.parametrize("part", range(5))
def test_deferred_acceptance_is_the_stable_plan_that_children_like_best(part: int) -> None:
    """Equal claims at a school are decided by the smaller number of the child, as documented."""
    for seed in range(part, 500, 5):
        rng = np.random.Generator(np.random.Philox(key=[47, seed]))
        n, n_schools = int(rng.integers(0, 6)), 1 if part == 0 else int(rng.integers(1, 4))
        lists = [rng.permutation(n_schools)[: rng.integers(0, n_schools + 1)].tolist() for _ in range(n)]
        seats = rng.integers(0, 1 if part == 1 else 3, n_schools).tolist()
        # Ties everywhere, some ties, none; what a school thinks of a child has nothing to do with what it likes.
        numbers = [rng.integers(0, (1, 3, 10**6)[seed % 3], len(own)).tolist() for own in lists]
        claims = [[(number, child) for number in own] for child, own in enumerate(numbers)]
        flat = np.array([number for own in numbers for number in own], np.int64)
        matching = deferred_acceptance(choices_from_lists(lists), flat, seats)
        best = liked_best(seats, lists, claims)
        assert np.where(matching.choice < 0, [len(own) for own in lists], matching.choice).tolist() == list(best), seed
        schools = [own[at] if at < len(own) else -1 for own, at in zip(lists, best, strict=True)]
        assert matching.school.tolist() == schools
