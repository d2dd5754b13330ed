"""Deleting or weakening rows of any rule of the location and seat formulations changes the answer of some instance.

The unchanged answers are proven elsewhere: toys by hand, random instances by brute force. How the assignment's rules
are mutated stands in ``test_assignment_mutations``.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from zjsim.models import location_rules
from zjsim.models.location_goals import solve_locations_of
from zjsim.models.seat_county import solve_county
from zjsim.models.seat_data import Switches
from zjsim.models.seat_rules import RULES as SEAT_RULES

from zjsim.solve.results import Optimal

LOCATION_RULES = dict(location_rules.RULES)
Weaken = Callable[[Any, int], bool]


@cache
def neighbour(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def values(result: Any) -> Any:
    return [round(s.value, 4) for s in result.stages] if isinstance(result, Optimal) else type(result).__name__


def dropped(row: Any, n: int) -> bool:
    row.deactivate()
    return True


def every_other(parity: int) -> Weaken:
    def weaken(row: Any, n: int) -> bool:
        if n % 2 == parity:
            row.deactivate()
        return n % 2 == parity

    return weaken


def looser(amount: float) -> Weaken:
    def weaken(row: Any, n: int) -> bool:
        low, body, high = row.to_bounded_expression()
        low, high = (None if b is None else pyo.value(b) for b in (low, high))
        row.set_value((None if low is None else low - amount, body, None if high is None else high + amount))
        return True

    return weaken


def one_sided(side: int) -> Weaken:
    def weaken(row: Any, n: int) -> bool:
        if not row.equality:
            return False
        low, body, high = row.to_bounded_expression()
        row.set_value((low, body, None) if side == 0 else (None, body, high))
        return True

    return weaken


WAYS: dict[str, Weaken] = {
    "dropped": dropped,
    "odd rows dropped": every_other(1),
    "looser": looser(1),
    "only at least": one_sided(0),
    "only at most": one_sided(1),
}
THOUSANDTHS = {"mountain_island_floor", "city_ceiling"}
"""Rows in thousandths of a facility: one looser is a thousand looser."""


def mutated(rule: Callable[..., None], part: str, weaken: Weaken) -> Callable[..., None]:
    """``rule`` with the rows of its constraint ``part`` weakened; ``changed`` on the model says whether it had any."""

    def build(m: Any, *more: Any) -> None:
        rule(m, *more)
        for n, row in enumerate(m.find_component(part).values()):
            m.changed = weaken(row, n) or getattr(m, "changed", False)

    return build


def more_locations() -> list[Any]:
    """Toys in which the second host, year or city is the one that binds."""
    file = neighbour("test_platforms_rules")
    dear, a, b = {"p": replace(file.BASIC, cost=2)}, file.A, file.B
    late = {"years": {"p": (2026,)}, "starts": {("p", 2026): 9}}
    return [
        file.toy({a: 6}, file.option(a, "h"), starts_of_host={"g": 1, "h": 1}),
        file.toy({a: 6}, kinds=dear, year_cost={2025: 9, 2026: 3}, **late),
        file.toy({b: 6}, kinds=dear, city_cost={"330100": 9, "330200": 3}),
        file.toy({a: 2, b: 9}, starts={("p", 2025): 3}, largest_city_share=0.5),
        file.toy({a: 3, b: 1}, kinds={"p": replace(file.BASIC, minimum_served=2)}),
    ]


HARD_BUDGET = Switches(hard=("budget_overrun",))


def more_counties() -> list[Any]:
    """Sites that serve once, a school that comes late, a single place beside an empty seat, a split, idle staff."""
    county = neighbour("test_seat_rules").county
    grows = {(1, 2025): 10, (1, 2026): 20}
    school = {"school_sites": 1, "school_rooms_min": 1, "school_rooms_max": 1, "school_cost": 1.0}
    bought = {"private": 10, "purchase_places_max": 10, "purchase_price": 1.0, "equip_cost": 100.0}
    once = [
        county(grows, extension_rooms_max=1, extension_rooms_min=1, extension_cost=1.0),
        county(grows, **school),
        county({(1, 2025): 5}, **school, school_from=2026),
    ]
    return [
        *once,
        *map(other_stage, once),
        *map(a_year_later, once),
        county(
            {(1, 2025): 5, (1, 2026): 6},
            covered={(1, 2025): 5, (1, 2026): 5},
            classrooms=1,
            private=10,
            purchase_places_max=10,
        ),
        county({(1, 2025): 10, (2, 2026): 20}, classrooms=2),
        county(
            {(2, 2025): 5},
            covered={(2, 2025): 10},
            classrooms=1,
            private=10,
            purchase_places_max=10,
            permit={(2, 2025): 10},
            switches=Switches(permit_guarantee_from=2025),
            years=(2025,),
        ),
        county(migrant={(1, 2025): 5, (1, 2026): 20}, classrooms=1, switches=Switches(indicator_share=0.85)),
        county(migrant={(1, 2025): 5, (1, 2026): 20}, classrooms=1, switches=Switches(private_share_cap=0.05)),
        county({(1, 2025): 5}, **school | {"school_cost": 101.0}, budget=100.0, switches=HARD_BUDGET),
        county(covered={(1, 2025): 5}, years=(2025,), classrooms=2, staffed_classes={2025: 1, 2026: 1}, **bought),
    ]


def other_stage(d: Any) -> Any:
    """The county with grades 1-3 and 7-9 exchanged, and with them the stages."""
    swap = {g: g + 6 if g <= 3 else g - 6 if g >= 7 else g for g in range(1, 10)}
    other = {"primary": "junior", "junior": "primary"}
    cells = {
        name: {(swap[g], y): n for (g, y), n in getattr(d, name).items()}
        for name in ("local", "migrant", "covered", "classes_base", "permit")
    }
    return replace(
        d,
        **cells,
        classes_now={swap[g]: n for g, n in d.classes_now.items()},
        private_places={(other[s], y): n for (s, y), n in d.private_places.items()},
        stages={other[s]: stage for s, stage in d.stages.items()},
    )


def a_year_later(d: Any) -> Any:
    """The county with an empty year before its first one."""
    first = d.years[0] - 1
    cells = {
        name: {**{(g, first): 0 for g in range(1, 10)}, **getattr(d, name)}
        for name in ("local", "migrant", "covered", "classes_base")
    }
    stages = {
        s: replace(stage, staffed_classes={first: stage.staffed_classes[d.years[0]], **stage.staffed_classes})
        for s, stage in d.stages.items()
    }
    private = {(s, first): d.private_places[s, d.years[0]] for s in d.stages}
    return replace(
        d,
        **cells,
        years=(first, *d.years),
        private_places=private | dict(d.private_places),
        budget={first: d.budget[d.years[0]], **d.budget},
        stages=stages,
    )


@cache
def location_instances(rule: str) -> list[Any]:
    toys = neighbour("test_platforms_rules").TOYS
    return [toys[rule][0], *added("locations"), *(toy[0] for name, toy in toys.items() if name != rule)]


@cache
def seat_instances(rule: str) -> list[Any]:
    toys = neighbour("test_seat_rules").TOYS
    own = toys[rule].county
    others = [toy.county for name, toy in toys.items() if name != rule]
    turned = [a_year_later(own), other_stage(own), a_year_later(other_stage(own))]
    return [own, *turned, *added("seats"), *others]


@cache
def added(family: str) -> list[Any]:
    """The further toys and, at the end, the random instances, made once."""
    if family == "seats":
        return [*more_counties(), *(neighbour("test_seat_expansion").random_county(seed) for seed in range(25))]
    return [*more_locations(), *(neighbour("test_platforms_rules").random_data(seed) for seed in range(40))]


ANSWERS: dict[int, Any] = {}


def right_answer(instance: Any, solve: Callable[[Any], Any]) -> Any:
    """The unchanged model's answer; instances are kept, so their identity names them."""
    if id(instance) not in ANSWERS:
        ANSWERS[id(instance)] = values(solve(instance))
    return ANSWERS[id(instance)]


def parts(rule: str, family: str) -> list[str]:
    """The constraints that a rule adds to the model of its toy."""
    found: list[str] = []

    def watch(m: Any, *more: Any) -> None:
        before = {c.name for c in m.component_objects(pyo.Constraint)}
        RULES_OF[family][rule](m, *more)
        found.extend(c.name for c in m.component_objects(pyo.Constraint) if c.name not in before)

    if family == "seats":
        solve_county(seat_instances(rule)[0], rules={**SEAT_RULES, rule: watch})
    else:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(location_rules.RULES, rule, watch)
            location_rules.build_location_model(location_instances(rule)[0])
    return found


RULES_OF: dict[str, Any] = {"locations": LOCATION_RULES, "seats": SEAT_RULES}
MUTANTS = [
    (family, rule, part, way)
    for family, rules in RULES_OF.items()
    for rule in rules
    for part in parts(rule, family)
    for way in WAYS
    if family == "locations" or not way.startswith("only")
]


@pytest.mark.parametrize(("family", "rule", "part", "way"), MUTANTS)
def test_a_weakened_rule_is_found_out(
    family: str, rule: str, part: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    weaken = looser(1000) if way == "looser" and rule in THOUSANDTHS else WAYS[way]
    mutant = mutated(RULES_OF[family][rule], part, weaken)
    tried = False
    for instance in seat_instances(rule) if family == "seats" else location_instances(rule):
        m: list[Any] = []

        def watch(model: Any, *more: Any, m: list[Any] = m) -> None:
            mutant(model, *more)
            m.append(model)

        if family == "seats":
            found = values(solve_county(instance, rules={**SEAT_RULES, rule: watch}))
            right = right_answer(instance, solve_county)
        else:
            with monkeypatch.context() as patch:
                patch.setitem(location_rules.RULES, rule, watch)
                found = values(solve_locations_of(instance))
            right = right_answer(instance, solve_locations_of)
        if found != right:
            return
        tried = tried or any(getattr(model, "changed", False) for model in m)
    assert not tried, f"{family}: {rule} ({part}) {way} and nothing changes"


def test_every_rule_is_mutated() -> None:
    for family, rules in RULES_OF.items():
        assert {rule for f, rule, _, _ in MUTANTS if f == family} == set(rules)
