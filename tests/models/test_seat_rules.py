"""A toy solved by hand for every rule of seat expansion: what the rule gives, and what comes out without it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import CodeType
from typing import Any, NamedTuple

import pytest
from zjsim.models import seat_county
from zjsim.models.seat_county import solve_county
from zjsim.models.seat_data import GRADES, STAGES, County, Stage, Switches, first_year, instalments
from zjsim.models.seat_rules import RULES

from zjsim.solve.results import Optimal

YEARS = (2025, 2026)
NOTHING = Stage(
    usable_seats_per_class=10,
    classrooms=0,
    base_classes=0,
    extension_rooms_max=0,
    extension_rooms_min=0,
    extension_cost=0.0,
    extension_from=2025,
    extension_instalments=1,
    school_sites=0,
    school_rooms_min=0,
    school_rooms_max=0,
    school_cost=0.0,
    school_from=2025,
    school_instalments=1,
    equip_cost=0.0,
    running_cost=0.0,
    staff_per_class=1.0,
    staffed_classes={2025: 99, 2026: 99},
    purchase_places_max=0,
    purchase_price=0.0,
)
OFF = Switches()
Cells = dict[tuple[int, int], int]


def county(
    local: Cells | None = None,
    migrant: Cells | None = None,
    covered: Cells | None = None,
    *,
    private: int = 0,
    share: float = 0.0,
    budget: float = 1e6,
    now: int = 0,
    years: tuple[int, ...] = YEARS,
    permit: Cells | None = None,
    switches: Switches = OFF,
    **stage: Any,
) -> County:
    """A county with children only where given; the primary stage has ``stage``, the junior one nothing."""
    cells = [(g, y) for g in GRADES for y in years]
    covered = covered or {}
    migrant = migrant or covered
    return County(
        code="330000",
        name_zh="例县",
        name_en="Example County",
        city_code="330000",
        years=years,
        local={k: (local or {}).get(k, 0) for k in cells},
        migrant={k: migrant.get(k, 0) for k in cells},
        covered={k: covered.get(k, 0) for k in cells},
        classes_now={g: now if g == 1 else 0 for g in GRADES},
        classes_base=dict.fromkeys(cells, 0),
        private_places={(s, y): private for s in STAGES for y in years},
        base_public_share=share,
        budget=dict.fromkeys(years, budget),
        stages={"primary": replace(NOTHING, **stage), "junior": NOTHING},
        permit=permit or {},
        switches=switches,
    )


class Toy(NamedTuple):
    county: County
    goal: str
    with_rule: float
    without_rule: float


TOYS = {
    # One classroom of 10 seats, 15 local children: 5 stay without a seat.
    "seats_of_grade": Toy(county({(1, 2025): 15}, classrooms=1), "local_without_seat", 5, 0),
    # Nothing to offer to 5 guaranteed children; without the balance nobody counts them.
    "one_place_per_child": Toy(county(covered={(1, 2025): 5}), "covered_without_place", 5, 0),
    # Two classes would be needed, one room stands.
    "classrooms": Toy(county({(1, 2025): 20}, classrooms=1), "local_without_seat", 10, 0),
    # Two rooms, staff for one class.
    "staff_norm": Toy(
        county({(1, 2025): 20}, classrooms=2, staffed_classes={2025: 1, 2026: 1}), "local_without_seat", 10, 0
    ),
    # One room would do, the smallest extension has four, 100 each.
    "extension_size": Toy(
        county({(1, 2025): 5}, extension_rooms_max=10, extension_rooms_min=4, extension_cost=100.0), "cost", 400, 100
    ),
    # One room would do, the smallest school has twelve, 100 each.
    "school_size": Toy(
        county({(1, 2025): 5}, school_sites=1, school_rooms_min=12, school_rooms_max=24, school_cost=100.0),
        "cost",
        1200,
        100,
    ),
    # 25 children need three rooms of 10; each takes 1 m² and 2.5 m² are free: two rooms, 5 children without a seat.
    "site_of_extensions": Toy(
        county({(1, 2025): 25}, extension_rooms_max=10, extension_rooms_min=1, room_site_m2=1.0, free_site_m2=2.5),
        "local_without_seat",
        5,
        0,
    ),
    # A site of 3.5 m² takes three rooms of 1 m²: 5 of 35 children have no seat, although a school may have 4 rooms.
    "site_of_new_schools": Toy(
        county(
            {(1, 2025): 35},
            school_sites=1,
            school_rooms_min=1,
            school_rooms_max=4,
            room_site_m2=1.0,
            new_site_m2=3.5,
        ),
        "local_without_seat",
        5,
        0,
    ),
    # Two grades of 5 children, 3 places to purchase in all; alone, the link to full classes allows 3 in each grade.
    "purchase_cap": Toy(
        county(covered={(1, 2025): 5, (2, 2025): 5}, private=3, purchase_places_max=3), "covered_without_place", 7, 4
    ),
    # 10 seats: 5 left in 2025, all taken by local children in 2026. Buying beside the empty seats would hide the fall.
    "no_empty_seat": Toy(
        county(
            {(1, 2025): 5, (1, 2026): 10},
            covered={(1, 2025): 10, (1, 2026): 10},
            classrooms=1,
            private=10,
            purchase_places_max=10,
        ),
        "public_share_fall",
        5,
        0,
    ),
    # All 10 migrant children were in public schools: keeping that opens a class (equipment 50).
    "share_not_falling": Toy(
        county(migrant={(1, 2025): 10}, share=1.0, classrooms=1, equip_cost=50.0, years=(2025,)), "cost", 50, 0
    ),
    # An extension of 4 rooms costs 400, the budget is 100.
    "budget_of_year": Toy(
        county({(1, 2025): 5}, extension_rooms_max=4, extension_rooms_min=4, extension_cost=100.0, budget=100.0),
        "budget_overrun",
        300,
        0,
    ),
    # The first class of the county is equipped for 30.
    "opened_classes": Toy(county({(1, 2025): 5}, classrooms=1, equip_cost=30.0), "cost", 30, 0),
    # A class beyond those of today runs for two years at 7.
    "added_classes": Toy(county({(1, 2025): 5, (1, 2026): 5}, classrooms=1, running_cost=7.0), "cost", 14, 0),
    # A room stands idle; a purchased place costs 1, a class 100: the class is opened all the same.
    "bought_with_idle_rooms": Toy(
        county(
            covered={(1, 2025): 5},
            years=(2025,),
            classrooms=1,
            equip_cost=100.0,
            private=5,
            purchase_places_max=5,
            purchase_price=1.0,
        ),
        "cost",
        100,
        5,
    ),
    # 20 children in two classes of grade 1, 10 of them left in grade 2: one class is merged.
    "class_changes": Toy(county({(1, 2025): 20, (2, 2026): 10}, classrooms=2), "class_changes", 1, 0),
    # Two primary rooms stand empty, 20 children need junior classes: only one room may be converted each year.
    "converted_rooms": Toy(
        county({(1, 2026): 10, (7, 2025): 20}, classrooms=2, switches=Switches(conversion_rooms_max=2)),
        "local_without_seat",
        10,
        0,
    ),
    # An extension of 4 rooms costs 400, the budget is 100 and must hold: 5 local children stay without a seat.
    "hard_goals": Toy(
        county(
            {(1, 2025): 5},
            extension_rooms_max=4,
            extension_rooms_min=4,
            extension_cost=100.0,
            budget=100.0,
            switches=Switches(hard=("budget_overrun",)),
        ),
        "local_without_seat",
        5,
        0,
    ),
    # 10 seats, 10 children with a permit and 5 local ones: 5 of the former sit in purchased places.
    "permit_public_seat": Toy(
        county(
            {(1, 2025): 5},
            covered={(1, 2025): 10},
            classrooms=1,
            private=10,
            purchase_places_max=10,
            permit={(1, 2025): 10},
            switches=Switches(permit_guarantee_from=2025),
            years=(2025,),
        ),
        "permit_without_public_seat",
        5,
        0,
    ),
    # 20 migrant children who are owed nothing, one room: 85 % of them are 17, 10 have seats.
    "indicator_share": Toy(
        county(migrant={(1, 2025): 20}, classrooms=1, switches=Switches(indicator_share=0.85), years=(2025,)),
        "indicator_short",
        7,
        0,
    ),
    # The same 20: at most 1 may stay in a private school, 10 have public seats.
    "private_share_cap": Toy(
        county(migrant={(1, 2025): 20}, classrooms=1, switches=Switches(private_share_cap=0.05), years=(2025,)),
        "private_above_cap",
        9,
        0,
    ),
}


def value(d: County, goal: str, without: str = "", **options: Any) -> float:
    rules = {name: rule for name, rule in RULES.items() if name != without}
    result = solve_county(d, rules=rules, **options)
    assert isinstance(result, Optimal)
    return next(s.value for s in result.stages if s.name == goal)


def test_every_rule_has_a_toy_and_a_docstring_with_its_unit() -> None:
    assert set(TOYS) == set(RULES)
    for rule in RULES.values():
        assert "row: " in (rule.__doc__ or ""), rule


@pytest.mark.parametrize("name", TOYS)
def test_toy_solved_by_hand(name: str) -> None:
    toy = TOYS[name]
    assert value(toy.county, toy.goal) == pytest.approx(toy.with_rule, abs=0.02)


@pytest.mark.parametrize("name", TOYS)
def test_without_the_rule_the_toy_comes_out_otherwise(name: str) -> None:
    toy = TOYS[name]
    assert value(toy.county, toy.goal, without=name) == pytest.approx(toy.without_rule, abs=0.02)


def test_lead_times_close_the_first_years() -> None:
    early = county(
        {(1, 2025): 5, (1, 2026): 5},
        extension_rooms_max=4,
        extension_rooms_min=1,
        extension_cost=1.0,
        extension_from=2026,
    )
    assert value(early, "local_without_seat") == 5
    school = county(
        {(1, 2025): 5, (1, 2026): 5}, school_sites=1, school_rooms_min=1, school_rooms_max=2, school_from=2026
    )
    assert value(school, "local_without_seat") == 5


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_row_of_a_rule_says_what_it_asks_for(name: str) -> None:
    """Every function that writes rows inside a rule states its inequality, unit and measure."""
    inside = [c for c in RULES[name].__code__.co_consts if isinstance(c, CodeType) and not c.co_name.startswith("<")]
    for code in inside:
        said = str(code.co_consts[0])
        if code.co_name not in ("before", "missed"):
            assert any(sign in said for sign in ("<=", ">=", "=")), code.co_name
            assert "; " in said, code.co_name
            assert " M1" in said, code.co_name


def test_an_unknown_site_is_no_limit() -> None:
    d = county({(1, 2025): 25}, extension_rooms_max=10, extension_rooms_min=1, room_site_m2=200.0)
    assert value(d, "local_without_seat") == 0
    assert d.stages["primary"].extension_rooms_that_fit == 10


def test_local_children_have_first_claim() -> None:
    d = county({(1, 2025): 8}, covered={(1, 2025): 8}, classrooms=1)
    result = solve_county(d)
    assert isinstance(result, Optimal)
    assert (result.plan.local[1, 2025], result.plan.covered[1, 2025]) == (8, 2)


def test_guaranteed_children_come_before_others() -> None:
    d = county(migrant={(1, 2025): 15}, covered={(1, 2025): 8}, classrooms=1)
    result = solve_county(d)
    assert isinstance(result, Optimal)
    assert (result.plan.covered[1, 2025], result.plan.other[1, 2025]) == (8, 2)


def test_budget_outranks_cost_but_not_coverage() -> None:
    build = {"extension_rooms_max": 1, "extension_rooms_min": 1, "extension_cost": 50.0}
    d = county(covered={(1, 2025): 5}, budget=10.0, years=(2025,), **build)
    assert value(d, "covered_without_place") == 0
    assert value(d, "budget_overrun") == pytest.approx(40, abs=0.02)
    cheap = county(
        covered={(1, 2025): 5},
        budget=10.0,
        years=(2025,),
        private=5,
        purchase_places_max=5,
        purchase_price=1.0,
        **build,
    )
    assert value(cheap, "budget_overrun") == pytest.approx(0, abs=0.02)


def test_reading_with_purchased_counts_purchased_places() -> None:
    d = county(
        {(1, 2026): 10}, covered={(1, 2025): 10, (1, 2026): 10}, classrooms=1, private=10, purchase_places_max=10
    )
    assert value(d, "public_share_fall", public_share_reading="with_purchased") == pytest.approx(0, abs=1e-6)


def test_building_is_paid_in_equal_parts_up_to_its_opening() -> None:
    d = county(
        {(1, 2026): 5}, extension_rooms_max=4, extension_rooms_min=4, extension_cost=10.0, extension_instalments=2
    )
    result = solve_county(d)
    assert isinstance(result, Optimal)
    paid = [result.plan.money("primary", y)["capital_cost_yuan"] for y in YEARS]
    assert paid == [200_000, 200_000]


def test_nothing_opens_earlier_than_it_is_needed() -> None:
    d = county({(1, 2026): 5}, extension_rooms_max=4, extension_rooms_min=4, extension_cost=10.0)
    result = solve_county(d)
    assert isinstance(result, Optimal)
    assert (result.plan.extension["primary", 2025], result.plan.extension["primary", 2026]) == (0, 4)


@pytest.mark.parametrize("name", TOYS)
def test_the_short_way_and_the_long_way_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    d = TOYS[name].county
    short = solve_county(d)
    monkeypatch.setattr(seat_county, "_without_shortfall", lambda *_: None)
    long = solve_county(d)
    assert isinstance(short, Optimal)
    assert isinstance(long, Optimal)
    assert [s.name for s in short.stages] == [s.name for s in long.stages]
    assert [s.value for s in short.stages] == pytest.approx([s.value for s in long.stages], abs=0.02)


@pytest.mark.parametrize(
    ("as_of", "months", "year"),
    [
        ((2024, 12), 0, 2025),
        ((2024, 12), 8, 2025),
        ((2024, 12), 9, 2026),
        ((2024, 12), 20, 2026),
        ((2024, 12), 21, 2027),
    ],
)
def test_first_year_by_hand(as_of: tuple[int, int], months: int, year: int) -> None:
    assert first_year(date(*as_of, 28), months) == year
    assert instalments(20) == 2
    assert instalments(0) == 1
