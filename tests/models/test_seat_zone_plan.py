"""The zones' plan: toys by hand for every rule, brute force on small random zones, real counties to the last child."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyomo.environ as pyo
import pytest
from zjsim.models import seat_zone_building
from zjsim.models.seat_data import GRADES, STAGES, County, Stage
from zjsim.models.seat_expansion import solve_seats
from zjsim.models.seat_openings import seat_openings, with_openings
from zjsim.models.seat_tables import CountyPlan
from zjsim.models.seat_zone_building import BUILDING_RULES, built
from zjsim.models.seat_zone_plan import seat_children, spread_classes
from zjsim.models.seat_zone_rules import ZONE_RULES, Block
from zjsim.models.seat_zones import Zones

from zjsim.audit.seats import check
from zjsim.scenario import load
from zjsim.scenario.parameters import SeatParameters, Time
from zjsim.solve.arrays import ArrayProgram, LimitError
from zjsim.solve.goals import Goal, lexicographic
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Optimal, Stopped

OPTIONS = Options()
CODES = ("330108", "331127")
NEAR = np.zeros((2, 3, 3), dtype=np.int64)


def block(
    rooms: list[int], classes: list[int], local: Any, children: Any, *, usable: int = 10, guaranteed: Any = None
) -> Block:
    """All children are placed; without ``guaranteed`` the second level is the first."""
    levels = np.array([local, local if guaranteed is None else guaranteed, children], dtype=np.int64)
    return Block(usable, np.array(rooms), np.array(classes), levels, levels.sum(axis=1))


class Toy(NamedTuple):
    block: Block
    with_rule: tuple[float, float, float]
    without_rule: tuple[float, float, float]


ZONE_TOYS = {
    # Two zones with 10 children each and one class in all: 10 move. Without the sum both zones open one.
    "zone_classes": Toy(block([1, 1], [1], [[10], [10]], [[10], [10]]), (10, 10, 10), (0, 0, 0)),
    # All 10 children live where no room stands.
    "zone_rooms": Toy(block([0, 1], [1], [[10], [0]], [[10], [0]]), (10, 10, 10), (0, 0, 0)),
    # 15 children live in the zone with one class, 5 in the other, and one more class opens there.
    "children_at_home": Toy(block([1, 1], [2], [[15], [5]], [[15], [5]]), (5, 5, 5), (0, 0, 0)),
    # Two rooms in the second zone: the first zone's 10 children, 4 of them local, move.
    "children_moved": Toy(block([0, 2], [2], [[4], [10]], [[10], [10]]), (4, 4, 10), (0, 0, 0)),
    # 10 guaranteed children live in the first zone, 5 others in the second. Five of the ten have a
    # purchased place; the 5 others take their seats, and move. Without the rule all ten sit at home.
    "kinds_at_home": Toy(
        Block(
            10,
            np.array([1, 1]),
            np.array([1]),
            np.array([[[0], [0]], [[10], [0]], [[10], [5]]]),
            np.array([[0], [5], [10]]),
        ),
        (0, 0, 5),
        (0, 0, 0),
    ),
}


@pytest.mark.parametrize("name", ZONE_TOYS)
def test_zone_rule_by_hand(name: str) -> None:
    toy = ZONE_TOYS[name]
    _, bounds = spread_classes(toy.block, OPTIONS)
    assert tuple(bounds) == toy.with_rule
    if name == "children_at_home":
        home = {n: r for n, r in ZONE_RULES.items() if n != name}
        assert tuple(spread_classes(toy.block, OPTIONS, home)[1]) == toy.without_rule


@pytest.mark.parametrize("name", ["zone_rooms", "zone_classes", "children_moved", "kinds_at_home"])
def test_without_the_zone_rule_the_toy_comes_out_otherwise(name: str) -> None:
    toy = ZONE_TOYS[name]
    fewer = {n: r for n, r in ZONE_RULES.items() if n != name}
    wide = replace(toy.block, classes=np.array([2])) if name == "zone_classes" else toy.block
    assert tuple(spread_classes(wide, OPTIONS, fewer)[1]) == toy.without_rule


def test_levels_are_nested() -> None:
    # One class for zones with 6 local + 4 others and with 10 others: local children decide where it opens.
    b = block([1, 1], [1], [[6], [0]], [[10], [10]])
    classes, bounds = spread_classes(b, OPTIONS)
    assert classes.tolist() == [[1], [0]]
    assert tuple(bounds) == (0, 0, 10)
    # Two local children must move though all seats of the grade lie at the homes of others who are not placed.
    tight = Block(
        10, np.array([0, 1]), np.array([1]), np.array([[[2], [0]], [[2], [9]], [[2], [9]]]), np.array([[2]] * 3)
    )
    assert tuple(spread_classes(tight, OPTIONS)[1]) == (2, 2, 2)
    fewer = {n: r for n, r in ZONE_RULES.items() if n != "levels_are_nested"}
    assert tuple(spread_classes(tight, OPTIONS, fewer)[1]) == (2, 0, 0)


def test_every_zone_rule_has_a_toy_and_a_docstring_with_its_unit() -> None:
    assert set(ZONE_RULES) == set(ZONE_TOYS) | {"levels_are_nested"}
    for rule in (*ZONE_RULES.values(), *BUILDING_RULES.values()):
        assert "row: " in (rule.__doc__ or ""), rule


def moved(b: Block, classes: np.ndarray) -> tuple[int, int, int]:
    """Children of each level that cannot sit at home, counted again; whoever moves on one level moves on the next."""
    found = [0, 0, 0]
    for g in range(b.children.shape[2]):
        out = 0
        for k in range(3):
            home = sum(min(int(b.children[k, z, g]), b.usable * int(classes[z, g])) for z in range(len(b.rooms)))
            out = max(out, int(b.placed[k, g]) - home)
            found[k] += out
    return found[0], found[1], found[2]


def random_block(seed: int) -> Block:
    r = random.Random(seed)
    zones, grades, usable = r.randint(2, 3), r.randint(1, 2), r.choice((1, 2, 3))
    rooms = np.array([r.randint(0, 3) for _ in range(zones)])
    levels = np.cumsum([[[r.randint(0, 3) for _ in range(grades)] for _ in range(zones)] for _ in range(3)], axis=0)
    classes = np.zeros(grades, dtype=np.int64)
    for _ in range(int(rooms.sum())):
        classes[r.randrange(grades)] += r.randint(0, 1)
    placed, left = np.zeros((3, grades), dtype=np.int64), classes * usable
    for k in range(3):
        wanted = levels[k].sum(axis=0) - (levels[k - 1].sum(axis=0) if k else 0)
        some = np.minimum(wanted, left)
        left = left - some
        placed[k] = some + (placed[k - 1] if k else 0)
    return Block(usable, rooms, classes, levels, placed)


def every_spread(b: Block) -> Any:
    zones, grades = b.children.shape[1:]
    ways = [[c for c in itertools.product(range(int(n) + 1), repeat=zones) if sum(c) == n] for n in b.classes.tolist()]
    for chosen in itertools.product(*ways):
        classes = np.array(chosen).T.reshape(zones, grades)
        if (classes.sum(axis=1) <= b.rooms).all():
            yield classes


@pytest.mark.parametrize("start", range(0, 120, 30))
def test_brute_force_agrees_on_classes_by_zone(start: int) -> None:
    for seed in range(start, start + 30):
        b = random_block(seed)
        classes, bounds = spread_classes(b, OPTIONS)
        best = min(moved(b, c) for c in every_spread(b))
        assert (classes.sum(axis=0) == b.classes).all()
        assert (classes.sum(axis=1) <= b.rooms).all()
        assert moved(b, classes) == best, seed
        assert tuple(bounds) == best, seed


def cells(values: Any) -> np.ndarray:
    """One grade and year: (kinds or zones …) to the shape with 9 grades and one year, the other grades empty."""
    v = np.asarray(values, dtype=np.int64)
    found = np.zeros((*v.shape, len(GRADES), 1), dtype=np.int64)
    found[..., 0, 0] = v
    return found


def test_local_children_keep_their_home_and_others_give_way() -> None:
    # Zone A: 8 local, 8 guaranteed, 10 seats. Zone B, 5 km away: 6 seats, nobody.
    home = np.stack([cells([8, 0]), cells([8, 0]), cells([0, 0])])
    placed = home.sum(axis=1)
    km = np.array([[0.0, 5.0], [5.0, 0.0]])
    stay, moves, absent = seat_children(home, placed, cells([10, 6]), km, NEAR[:, :2, :2], OPTIONS)
    assert stay[:, 0, 0, 0].tolist() == [8, 2, 0]
    assert moves[1, 0, 0].tolist() == [[0, 6], [0, 0]]
    assert not absent.any()


def test_a_seat_that_nobody_nearby_needs_is_taken_first() -> None:
    # The local children of zone A go to C (8 km), not to B (1 km), where the guaranteed children would have to leave.
    home = np.stack([cells([3, 0, 0]), cells([0, 3, 0]), cells([0, 0, 0])])
    km = np.array([[0.0, 1.0, 8.0], [1.0, 0.0, 8.0], [8.0, 8.0, 0.0]])
    _, moves, _ = seat_children(home, home.sum(axis=1), cells([0, 3, 3]), km, NEAR, OPTIONS)
    assert moves[0, 0, 0].tolist() == [[0, 0, 3], [0, 0, 0], [0, 0, 0]]
    assert not moves[1].any()
    # Not even a seat beyond the distance is worth another child's home.
    far = NEAR + np.array([[0, 0, 1], [0, 0, 1], [1, 1, 0]])
    _, moves, _ = seat_children(home, home.sum(axis=1), cells([0, 3, 3]), km, far, OPTIONS)
    assert moves[0, 0, 0].tolist() == [[0, 0, 3], [0, 0, 0], [0, 0, 0]]


# ---- building by zone

YEARS = (2025, 2026)


def site(
    *,
    extension: int = 0,
    schools: int = 0,
    school_rooms: int = 0,
    converted: int = 0,
    children: Any = None,
    room_m2: float = 0.0,
    **zone: Any,
) -> Any:
    """A county that opens rooms in 2026; two zones of 10 rooms a stage, the first wants 20 classes, the second 6.

    ``children`` by (zone, grade from 0).
    """
    none = {(s, y): 0 for s in STAGES for y in YEARS}
    stage = Stage(
        usable_seats_per_class=10, classrooms=20, base_classes=0, extension_rooms_max=20, extension_rooms_min=4,
        extension_cost=1.0, extension_from=2025, extension_instalments=1, school_sites=2, school_rooms_min=12,
        school_rooms_max=36, school_cost=1.0, school_from=2025, school_instalments=1, equip_cost=0.0, running_cost=0.0,
        staff_per_class=1.0, staffed_classes=dict.fromkeys(YEARS, 99), purchase_places_max=0, purchase_price=0.0,
        room_site_m2=room_m2,
    )  # fmt: skip
    empty = {(g, y): 0 for g in GRADES for y in YEARS}
    d = County(
        code="330108", name_zh="例县", name_en="Example", city_code="330100", years=YEARS, local=empty, migrant=empty,
        covered=empty, classes_now=dict.fromkeys(GRADES, 0), classes_base=empty,
        private_places={(s, y): 0 for s in STAGES for y in YEARS}, base_public_share=0.0,
        budget=dict.fromkeys(YEARS, 0.0), stages={"primary": stage, "junior": stage},
    )  # fmt: skip
    plan = CountyPlan(
        county=d, classes=empty, local=empty, covered=empty, other=empty, bought=empty,
        extension=none | {("primary", 2026): extension}, schools=none | {("primary", 2026): schools},
        school_rooms=none | {("primary", 2026): school_rooms}, converted={2025: 0, 2026: converted}, stages=(), gap=0.0,
    )  # fmt: skip
    local = np.zeros((2, 9, 2), dtype=np.int64)
    for (z, g), n in (children or {(0, 0): 200, (1, 0): 60}).items():
        local[z, g] = n
    shape = np.zeros((2, 2), dtype=np.int64)
    places = np.zeros((2, 2, 2), dtype=np.int64)
    given = {
        "extension_max": shape + 20, "sites": shape + 1, "classrooms": shape + 10, "site_m2": shape + np.inf,
        "free_site_m2": shape + np.inf, "private": places, "purchasable": places,
    } | zone  # fmt: skip
    zones = Zones(
        years=YEARS, county_codes=("330108",), county=np.zeros(2, dtype=np.int64),
        zone_ids=("330108-Z01", "330108-Z02"),
        label_zh=("甲", "乙"), label_en=("A", "B"), kind=("urban", "town"), lon=np.array([120.0, 120.1]),
        lat=np.array([30.0, 30.0]), local=local, migrant=0 * local, guaranteed=0 * local, classes_now=shape, **given,
    )  # fmt: skip
    return plan, zones


def test_rooms_stand_where_classes_lack() -> None:
    building = built(*site(extension=4), OPTIONS)
    assert building.extension[:, 0, 1].tolist() == [4, 0]
    assert building.rooms[:, 0].tolist() == [[10, 14], [10, 10]]
    assert building.too_small == 0


def test_nothing_built_leaves_the_rooms_of_today() -> None:
    assert built(*site(), OPTIONS).rooms[:, 0].tolist() == [[10, 10], [10, 10]]


def test_an_extension_too_small_for_its_zone_is_counted() -> None:
    plan, zones = site(extension=5, extension_max=np.array([[4, 0], [4, 0]]))
    building = built(plan, zones, OPTIONS)
    assert building.extension[:, 0, 1].sum() == 5
    assert building.too_small == 3 == building.bound


class BuildingToy(NamedTuple):
    asked: dict[str, Any]
    holds: Any
    """True of the zones' building with the rule, false without it."""


JUNIOR = {(0, 6): 80}
BUILDING_TOYS = {
    # The first zone lacks 10 rooms; the county builds 4.
    "zones_build_what_the_county_builds": BuildingToy({"extension": 4}, lambda b: b.extension.sum() == 4),
    # 8 rooms all fit the first zone's wants, but its grounds take 7: two extensions of 4.
    "extension_in_zone": BuildingToy(
        {"extension": 8, "extension_max": np.array([[7, 0], [7, 0]])},
        lambda b: b.extension[:, 0, 1].tolist() == [4, 4],
    ),
    # 8 rooms of 100 m²: the first zone's schools have ground for 5, so that 4 stand in each (none is too small).
    "site_in_zone": BuildingToy(
        {"extension": 8, "free_site_m2": np.array([[500.0, np.inf], [np.inf, np.inf]]), "room_m2": 100.0},
        lambda b: b.extension[:, 0, 1].tolist() == [4, 4],
    ),
    # The only site lies in the second zone.
    "school_in_zone": BuildingToy(
        {"schools": 1, "school_rooms": 12, "sites": np.array([[0, 0], [1, 0]])},
        lambda b: b.school_rooms[:, 0, 1].tolist() == [0, 12] and b.schools[:, 0, 1].tolist() == [0, 1],
    ),
    # The first zone wants 8 junior rooms and has 3 primary ones to give: the other 5 are converted elsewhere.
    "conversion_in_zone": BuildingToy(
        {"converted": 8, "classrooms": np.array([[3, 0], [10, 0]]), "children": JUNIOR},
        lambda b: b.converted[:, 1, 1].tolist() == [3, 5],
    ),
}


@pytest.mark.parametrize("name", sorted(BUILDING_TOYS))
def test_building_rule_by_hand(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = BUILDING_TOYS[name]
    plan, zones = site(**toy.asked)
    assert toy.holds(built(plan, zones, OPTIONS))
    fewer = {n: r for n, r in BUILDING_RULES.items() if n != name}
    monkeypatch.setattr(seat_zone_building, "BUILDING_RULES", fewer)
    assert not toy.holds(built(plan, zones, OPTIONS))


def test_rooms_that_lack_are_counted_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    # The first zone wants 20 classes in both years: 10 rooms lack in 2025, 6 in 2026; without the rule nobody counts.
    plan, zones = site(extension=4)
    wanted = np.zeros((2, 2, 2), dtype=np.int64)
    wanted[0, 0] = 20
    for rules, lacking in ((BUILDING_RULES, 16), ({n: BUILDING_RULES[n] for n in list(BUILDING_TOYS)}, 0)):
        monkeypatch.setattr(seat_zone_building, "BUILDING_RULES", rules)
        m = seat_zone_building.build(seat_zone_building.Site(plan, zones, zones.of("330108"), wanted))
        result = lexicographic(m, [Goal("lacking", "minimise", pyo.quicksum(m.lacking.values()), "rooms")], OPTIONS)
        assert isinstance(result, Optimal)
        assert result.stages[0].value == lacking


def test_every_building_rule_has_a_toy() -> None:
    assert set(BUILDING_RULES) == set(BUILDING_TOYS) | {"rooms_where_classes_lack"}


# ---- real counties


class Small:
    """Two counties of the baseline with their zones up to 2028, with fewer rooms so that something is built."""

    def __init__(self, seats: SeatParameters | None = None, rooms: float = 0.94) -> None:
        base = load("baseline")
        self.parameters: Any = SimpleNamespace(
            time=Time(seat_horizon=2028), seats=seats or SeatParameters(), solver=base.parameters.solver
        )
        names = (
            "counties", "seat_demand", "seat_capacity", "seat_options", "seat_budgets", "migrant_calibration",
            "planning_zones", "seat_zones",
        )  # fmt: skip
        self.tables = {n: base.table(n)[base.table(n)["county_code"].isin(CODES)].reset_index(drop=True) for n in names}
        self.tables |= {n: base.table(n) for n in ("seat_norms", "placement_parameters")}
        options = self.tables["seat_options"]
        self.tables["seat_options"] = options.assign(classrooms=(options["classrooms"] * rooms).astype("int64"))

    def table(self, name: str) -> pd.DataFrame:
        return self.tables[name]


def solved(small: Small) -> dict[str, pd.DataFrame]:
    result = solve_seats(small)
    assert isinstance(result, Optimal | Feasible)
    return result.plan


@pytest.fixture(scope="module")
def plan() -> dict[str, pd.DataFrame]:
    return solved(Small())


def test_the_zones_reconcile_with_the_registries_to_the_last_child(plan: dict[str, pd.DataFrame]) -> None:
    demand = Small().table("seat_demand").query("2025 <= year <= 2028").set_index(["county_code", "year", "grade"])
    sums = plan["seat_zone_classes"].groupby(["county_code", "year", "grade"])
    total = sums[["local", "guaranteed", "not_guaranteed"]].sum()
    demand = demand.reindex(total.index)
    assert (total["local"] == demand["local_children"]).all()
    assert (total["guaranteed"] == demand["permit_holders"]).all()
    assert (total["guaranteed"] + total["not_guaranteed"] == demand["migrant_children"]).all()
    assert plan["seat_zone_years"].groupby(["zone_id", "stage"]).size().eq(4).all()


def test_the_zones_move_children_and_say_how_well_that_is_proven(plan: dict[str, pd.DataFrame]) -> None:
    goals = plan["seat_stages"].groupby("goal")[["value", "bound"]].sum()
    assert plan["seat_moves"]["children"].sum() == goals.at["zone_children_moved", "value"] > 0
    assert (goals["bound"] <= goals["value"] + 1e-9).all()
    assert goals.at["zone_local_moved", "bound"] == goals.at["zone_local_moved", "value"]
    assert goals.at["zone_children_moved", "bound"] == goals.at["zone_children_moved", "value"]


def test_county_goals_do_not_depend_on_the_zones() -> None:
    """Only the ground of schools is counted by zone: where it is not known, the county's plan needs no zones."""
    zoned, alone = Small(), Small()
    for small in (zoned, alone):
        small.tables["seat_options"]["site_m2"] = np.nan
    plan = solved(zoned)
    for name in ("planning_zones", "seat_zones"):
        alone.tables[name] = alone.tables[name].iloc[:0]
    other = solved(alone)
    for name in ("seat_expansion", "seat_rooms", "seat_classes", "seat_repairs"):
        pd.testing.assert_frame_equal(other[name], plan[name])
    assert other["seat_moves"].empty


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"permit_guarantee_from": 2025}, "permit_without_public_seat"),
        ({"indicator_share": 1.0}, "indicator_short"),
        ({"private_share_cap": 0.0}, "private_above_cap"),
    ],
)
def test_switches_become_goals_that_are_explained(asked: dict[str, Any], rule: str) -> None:
    small = Small(SeatParameters(**asked), rooms=0.9)
    found = solved(small)
    said = found["seat_shortfalls"].query("rule == @rule")
    goals = found["seat_stages"].set_index(["county_code", "goal"])["value"]
    for code in CODES:
        assert said.loc[said["county_code"] == code, "amount"].sum() == pytest.approx(goals[code, rule], abs=1)
    assert goals.xs(rule, level="goal").sum() > 0
    assert not said["why_zh"].eq("").any()
    assert check(found, small.tables, small.parameters) == []


def test_primary_rooms_become_junior_ones_where_allowed() -> None:
    small = Small(SeatParameters(convert_primary_rooms=True, conversion_yuan_per_room=1.0))
    stage = small.tables["seat_options"]["stage"] == "junior"
    rooms = small.tables["seat_options"]["classrooms"].where(~stage, lambda x: (x * 0.92).astype("int64"))
    small.tables["seat_options"]["classrooms"] = rooms
    found = solved(small)
    assert found["seat_rooms"].query("stage == 'junior'")["converted_rooms"].sum() > 0
    assert check(found, small.tables, small.parameters) == []


def test_senior_places_are_wanted_by_local_and_migrant_leavers_alike(plan: dict[str, pd.DataFrame]) -> None:
    row = plan["seat_senior"].set_index(["county_code", "year"]).loc["330108", 2026]
    last = Small().table("seat_demand").set_index(["county_code", "year", "grade"]).loc["330108", 2025, 9]
    assert row["senior_places_wanted"] == last["local_children"] + last["migrant_children"]
    assert 0 < row["talent_places_at_most"] < row["entrants_eligible"]


def test_openings_reach_the_schools_of_their_zones(plan: dict[str, pd.DataFrame]) -> None:
    schools = pd.DataFrame(
        [(f"330108-P00{k}", z, "public") for k, z in ((1, "330108-Z01"), (2, "330108-Z02"))],
        columns=["school_id", "zone_id", "ownership"],
    )
    grades = pd.DataFrame(
        [(s, "330108", 2026, 1, 5, 210) for s in schools["school_id"]],
        columns=["school_id", "county_code", "year", "grade", "classes", "seats"],
    )
    openings = seat_openings(plan, 2026)
    assert openings["classes"].sum() == plan["seat_expansion"].query("year == 2026")["classes"].sum()
    more = with_openings(grades, schools, openings)
    wanted = openings.query("county_code == '330108' and grade == 1")["classes"].sum()
    assert more["classes"].sum() == wanted > 10
    assert more["seats"].sum() == 420 + (wanted - 10) * 42
    assert grades["classes"].tolist() == [5, 5]
    fewer = openings.assign(classes=0)
    pd.testing.assert_frame_equal(with_openings(grades, schools, fewer), grades)
    with pytest.raises(ValueError, match="2099"):
        seat_openings(plan, 2099)


@pytest.mark.parametrize("what", ["seats", "solved"])
def test_a_limit_without_a_seating_is_told_and_no_fault(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock may strike in the zones too: the county has no plan then, and the run says so."""
    monkeypatch.setattr(ArrayProgram, "run", lambda self, *given: "Time limit reached")
    home = np.stack([cells([8, 0]), cells([8, 0]), cells([0, 0])])
    km = np.array([[0.0, 5.0], [5.0, 0.0]])
    if what == "seats":
        with pytest.raises(LimitError, match="Time limit"):
            seat_children(home, home.sum(axis=1), cells([10, 6]), km, NEAR[:, :2, :2], OPTIONS)
        return
    scenario = load("baseline", sets=("time.seat_horizon=2027",))
    result = solve_seats(scenario)
    assert isinstance(result, Stopped)
    assert "Time limit" in result.reason
