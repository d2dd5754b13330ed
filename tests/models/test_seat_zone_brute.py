"""The zones' plan against its own enumeration: random small counties, with every corner case."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from zjsim.models.seat_data import GRADES, STAGES, County, Stage
from zjsim.models.seat_tables import CountyPlan
from zjsim.models.seat_zone_plan import ZonePlan, zone_plan
from zjsim.models.seat_zones import Zones

from zjsim.solve.options import Options

YEAR = 2025
ACTIVE = (1, 2)
CAPS = {"primary": 6.0, "junior": 6.0}
Value = tuple[int, int, int, int, float]
"""Local moved, with guaranteed moved, with all moved, of these too far, kilometres."""
CORNERS = ("none", "no_seats", "no_children", "one_zone", "all_short", "no_local", "same_place", "purchased")


def random_county(seed: int) -> tuple[CountyPlan, Zones]:
    """Zones in a line, two grades of primary school; who has a public seat is chosen by claim, class by class.

    Corner ``purchased``: some guaranteed children sit in purchased places, others in public seats.
    """
    r = random.Random(seed)
    corner = CORNERS[seed % len(CORNERS)]
    n = 1 if corner == "one_zone" else r.choice((2, 2, 2, 3))
    most = 2 if n < 3 else 1
    children = np.zeros((3, n, 9, 1), dtype=np.int64)
    if corner != "no_children":
        for cell in itertools.product(range(3), range(n), range(len(ACTIVE))):
            children[(*cell, 0)] = r.randint(0, most)
    if corner == "no_local":
        children[0] = 0
    usable = r.choice((1, 2, 3))
    limit = {"no_seats": 0, "all_short": 1}.get(corner, 2)
    rooms = np.array([[r.randint(0, limit), 0] for _ in range(n)])
    classes = dict.fromkeys(GRADES, 0)
    for _ in range(int(rooms.sum())):
        classes[r.choice(ACTIVE)] += r.randint(0, 1)
    placed = np.zeros((3, 9), dtype=np.int64)
    for g in ACTIVE:
        left = classes[g] * usable
        for k in range(3):
            wanted = int(children[k, :, g - 1].sum())
            placed[k, g - 1] = min(left, r.randint(0, wanted) if corner == "purchased" and k == 1 else wanted)
            left -= placed[k, g - 1]
    return _plan(children, placed, classes, usable), _zones(r, children, rooms, corner)


def _plan(children: np.ndarray, placed: np.ndarray, classes: dict[int, int], usable: int) -> CountyPlan:
    stage = Stage(usable, 9, 0, 0, 0, 0.0, YEAR, 1, 0, 0, 0, 0.0, YEAR, 1, 0.0, 0.0, 1.0, {YEAR: 99}, 0, 0.0)
    total = children.sum(axis=1)[:, :, 0]
    cells = [{(g, YEAR): int(total[k, g - 1]) for g in GRADES} for k in range(3)]
    migrant = {key: cells[1][key] + cells[2][key] for key in cells[1]}
    none = {(s, YEAR): 0 for s in STAGES}
    d = County(
        code="330108", name_zh="例县", name_en="Example", city_code="330100", years=(YEAR,), local=cells[0],
        migrant=migrant, covered=cells[1], classes_now=dict.fromkeys(GRADES, 0), classes_base={},
        private_places=none, base_public_share=0.0, budget={YEAR: 0.0}, stages={"primary": stage, "junior": stage},
    )  # fmt: skip
    seated = [{(g, YEAR): int(placed[k, g - 1]) for g in GRADES} for k in range(3)]
    return CountyPlan(
        county=d, classes={(g, YEAR): n for g, n in classes.items()}, local=seated[0], covered=seated[1],
        other=seated[2], bought={(g, YEAR): 0 for g in GRADES}, extension=none, schools=none, school_rooms=none,
        converted={YEAR: 0}, stages=(), gap=0.0,
    )  # fmt: skip


def _zones(r: random.Random, children: np.ndarray, rooms: np.ndarray, corner: str) -> Zones:
    n, none = len(rooms), np.zeros((len(rooms), 2), dtype=np.int64)
    east = np.zeros(n) if corner == "same_place" else np.array([r.randint(0, 12) / 100 for _ in range(n)])
    ids = tuple(f"330108-Z{z + 1:02d}" for z in range(n))
    places = np.zeros((n, 2, 1), dtype=np.int64)
    return Zones(
        years=(YEAR,), county_codes=("330108",), county=np.zeros(n, dtype=np.int64), zone_ids=ids, label_zh=ids,
        label_en=ids, kind=("urban",) * n, lon=120 + east, lat=np.full(n, 30.0), local=children[0],
        migrant=children[1] + children[2], guaranteed=children[1], classrooms=rooms, extension_max=none, sites=none,
        classes_now=none, site_m2=none + np.inf, free_site_m2=none + np.inf, private=places, purchasable=places,
    )  # fmt: skip


def every_spread(rooms: list[int], classes: list[int]) -> Iterator[list[tuple[int, ...]]]:
    """Classes of each grade by zone, in every way that the rooms allow."""
    ways = [[c for c in itertools.product(range(n + 1), repeat=len(rooms)) if sum(c) == n] for n in classes]
    for chosen in itertools.product(*ways):
        if all(sum(c[z] for c in chosen) <= room for z, room in enumerate(rooms)):
            yield list(chosen)


@cache
def splits(count: int, places: int) -> tuple[tuple[int, ...], ...]:
    """Every way to put ``count`` equal children into ``places``."""
    return tuple(c for c in itertools.product(range(count + 1), repeat=places) if sum(c) == count)


def best_seating(children: np.ndarray, placed: list[int], seats: tuple[int, ...], km: np.ndarray) -> Value:
    """The best of every seating of one grade: child by child, kind after kind; the last place is outside."""
    n = len(seats)
    states: dict[tuple[int, ...], Value] = {seats: (0, 0, 0, 0, 0.0)}
    for kind in range(3):
        seated: dict[tuple[tuple[int, ...], int], Value] = {(s, 0): v for s, v in states.items()}
        for z in range(n):
            following: dict[tuple[tuple[int, ...], int], Value] = {}
            for (free, inside), value in seated.items():
                for split in splits(int(children[kind, z]), n + 1):
                    rest = tuple(f - c for f, c in zip(free, split[:n], strict=True))
                    if min(rest) < 0:
                        continue
                    out = sum(split[:n]) - split[z]
                    far = sum(c for w, c in enumerate(split[:n]) if km[z, w] > CAPS["primary"])
                    way = sum(c * float(km[z, w]) for w, c in enumerate(split[:n]))
                    moved = [value[level] + (out if kind <= level else 0) for level in range(3)]
                    now = (*moved, value[3] + far, round(value[4] + way, 6))
                    key = (rest, inside + sum(split[:n]))
                    if key not in following or now < following[key]:
                        following[key] = now
            seated = following
        states = {free: v for (free, inside), v in seated.items() if inside == placed[kind]}
    return min(states.values())


def reached(plan: ZonePlan) -> Value:
    value = {s.name: s.value for s in plan.stages}
    names = ("zone_local_moved", "zone_guaranteed_moved", "zone_children_moved", "zone_moved_too_far", "zone_child_km")
    a, b, c, d, km = (value[name] for name in names)
    return int(a), int(b), int(c), int(d), km


def total(values: list[Value]) -> Value:
    a, b, c, d, km = (sum(v[k] for v in values) for k in range(5))
    return int(a), int(b), int(c), int(d), round(float(km), 3)


class Best:
    """The best seating of a county's grades, by classes of its zones; each is enumerated once."""

    def __init__(self, plan: CountyPlan, zones: Zones) -> None:
        self.usable = plan.county.stages["primary"].usable_seats_per_class
        self.home = np.stack([zones.local, zones.guaranteed, zones.migrant - zones.guaranteed])[..., 0]
        self.placed = {g: [v[g, YEAR] for v in (plan.local, plan.covered, plan.other)] for g in ACTIVE}
        self.km = zones.distances_km("330108")
        self.known: dict[tuple[int, tuple[int, ...]], Value] = {}

    def of(self, chosen: list[tuple[int, ...]]) -> Value:
        for g, classes in zip(ACTIVE, chosen, strict=True):
            if (g, classes) not in self.known:
                seats = tuple(self.usable * c for c in classes)
                self.known[g, classes] = best_seating(self.home[:, :, g - 1], self.placed[g], seats, self.km)
        return total([self.known[key] for key in zip(ACTIVE, chosen, strict=True)])


@pytest.mark.parametrize("start", range(0, 504, 63))
def test_brute_force_agrees_on_small_counties(start: int) -> None:
    for seed in range(start, start + 63):
        plan, zones = random_county(seed)
        found, best = zone_plan(plan, zones, CAPS, Options()), Best(plan, zones)
        every = every_spread(zones.classrooms[:, 0].tolist(), [plan.classes[g, YEAR] for g in ACTIVE])
        assert reached(found)[:3] == min(best.of(chosen)[:3] for chosen in every), seed
        of_plan = [tuple(found.classes[:, g - 1, 0].tolist()) for g in ACTIVE]
        assert reached(found) == pytest.approx(best.of(of_plan), abs=2e-3), seed
        assert all(s.gap == 0 for s in found.stages), seed
