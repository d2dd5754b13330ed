"""The rules of the location plans: a toy solved by hand for each, and none can be left out; brute force; phases."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from zjsim.models.location_goals import LocationPlan, solve_locations_of
from zjsim.models.location_rules import RULES, Kind, LocationData, Need, Option, Place, parts_of, rules_in_force

from zjsim.solve.options import Options
from zjsim.solve.results import Infeasible, Optimal, Result, Stopped

A, C, B = "330101", "330102", "330201"
"""Two counties of one city, and one of another."""
BASIC = Kind(3, 0, 1, 1, 9)


def option(county: str, host: str = "", kind: str = "p") -> Option:
    return Option(kind, host, county, "x")


def toy(need: dict[str, int], *options: Option, **more: Any) -> LocationData:
    """One kind that serves three, begun in 2025; every place serves the need of its own county."""
    needs = {Need(c, "x"): n for c, n in need.items()}
    chosen = options or tuple(option(c) for c in need)
    arcs = {(Place(c, "x"), Need(c, "x")): 0.0 for c in need}
    arcs |= more.pop("more_arcs", {})
    base: dict[str, Any] = {"kinds": {"p": BASIC}, "years": {"p": (2025,)}, "starts": {("p", 2025): 9}}
    return LocationData("toy", options=chosen, need=needs, arcs=arcs, **(base | more))


PARK, CHILD, OTHER = Place(A, "park"), Need(A, "employees"), Need(A, "residents")
TOYS: dict[str, tuple[LocationData, dict[Option, int], dict[str, float]]] = {
    # One start covers three of six; uncounted, all six would be "covered" by nothing.
    "counted_once": (toy({A: 6}, starts={("p", 2025): 1}), {option(A): 1}, {"coverage_1": 3}),
    "within_capacity": (toy({A: 6}, starts={("p", 2025): 1}), {option(A): 1}, {"coverage_1": 3}),
    # A alone would serve one, less than the two it must.
    "worth_opening": (
        toy({A: 1, B: 3}, kinds={"p": replace(BASIC, minimum_served=2)}),
        {option(B): 1},
        {"coverage_1": 3},
    ),
    # Three units either way, but from A two counties are reached; unlinked, all three would count as reached.
    "county_reached": (
        toy(
            {A: 2, C: 1, B: 3},
            option(A),
            option(B),
            starts={("p", 2025): 1},
            more_arcs={(Place(A, "x"), Need(C, "x")): 5.0},
        ),
        {option(A): 1},
        {"coverage_1": 3, "counties_reached": 2},
    ),
    # All need is met by one; a target wants three begun, two are started: two count (unlinked, three would).
    "towards_target": (
        toy({A: 3}, starts={("p", 2025): 2}, wanted={"p": 3}),
        {option(A): 2},
        {"coverage_1": 3, "target_p": 2, "cost": 2},
    ),
    # Four employees' children, room for three: 2 x 2 + 1. Another child in the third place would count 2.
    "employees_first": (
        LocationData(
            "toy",
            {"p": BASIC},
            (Option("p", "", A, "park"),),
            {"p": (2025,)},
            {CHILD: 4, OTHER: 2},
            {(PARK, CHILD): 0.0, (PARK, OTHER): 0.0},
            steps=(2, 1),
            starts={("p", 2025): 1},
            own_group="employees",
        ),
        {Option("p", "", A, "park"): 1},
        {"coverage_1": 5},
    ),
    "most_in_county": (toy({A: 6}, most_in_county={("p", A): 1}), {option(A): 1}, {"coverage_1": 3}),
    "begun_some_year": (toy({A: 6}, starts={("p", 2025): 1}), {option(A): 1}, {"coverage_1": 3}),
    "starts_of_host": (toy({A: 6}, option(A, "h"), starts_of_host={"h": 1}), {option(A, "h"): 1}, {"coverage_1": 3}),
    "staff_of_host": (toy({A: 6}, option(A, "h"), staff={"h": 1}), {option(A, "h"): 1}, {"coverage_1": 3}),
    "starts_of_year": (toy({A: 6}, starts={("p", 2025): 1}), {option(A): 1}, {"coverage_1": 3}),
    "cost_of_year": (
        toy({A: 6}, kinds={"p": replace(BASIC, cost=2)}, year_cost={2025: 3}),
        {option(A): 1},
        {"coverage_1": 3},
    ),
    "cost_of_city": (
        toy({A: 6}, kinds={"p": replace(BASIC, cost=2)}, city_cost={"330100": 3}),
        {option(A): 1},
        {"coverage_1": 3},
    ),
    # Three starts: two of A's three would be too many for one city (at most half, and one): 6 + 2 instead of 9.
    "city_ceiling": (
        toy({A: 9, B: 2}, starts={("p", 2025): 3}, largest_city_share=0.5),
        {option(A): 2, option(B): 1},
        {"coverage_1": 8},
    ),
    # Half of three, rounded down, is one in the mountains: 6 + 2 instead of 9.
    "mountain_island_floor": (
        toy({A: 9, B: 2}, starts={("p", 2025): 3}, mountain_island=frozenset({B}), mountain_island_share=0.5),
        {option(A): 2, option(B): 1},
        {"coverage_1": 8},
    ),
    "city_floor": (
        toy({A: 9, B: 2}, starts={("p", 2025): 3}, openings_per_city={"330200": 1}),
        {option(A): 2, option(B): 1},
        {"coverage_1": 8},
    ),
}


def values(result: Result[LocationPlan]) -> dict[str, float]:
    assert isinstance(result, Optimal)
    assert all(s.gap == 0 and s.value == s.bound for s in result.stages)
    return {s.name: s.value for s in result.stages}


def test_every_rule_has_a_toy_and_says_what_it_is() -> None:
    assert set(TOYS) == set(RULES)
    for rule in RULES.values():
        words = " ".join((rule.__doc__ or "").split())
        assert "Unit of the row" in words
        assert any(m in words for m in ("M009", "M013", "M060", "M104", "M105"))


@pytest.mark.parametrize("rule", sorted(TOYS))
def test_toy_by_hand(rule: str) -> None:
    data, opened, expected = TOYS[rule]
    result = solve_locations_of(data)
    found = values(result)
    assert isinstance(result, Optimal)
    assert dict(result.plan.opened) == opened
    assert {k: found[k] for k in expected} == expected
    assert sum(result.plan.started.values()) == sum(opened.values())


@pytest.mark.parametrize("rule", sorted(TOYS))
def test_toy_fails_without_its_rule(rule: str) -> None:
    data, opened, expected = TOYS[rule]
    assert rule in rules_in_force(data)
    result = solve_locations_of(data, without={rule})
    found = values(result)
    assert isinstance(result, Optimal)
    assert (dict(result.plan.opened), {k: found[k] for k in expected}) != (opened, expected)


def test_the_cheaper_then_the_better_host_then_the_earlier_year() -> None:
    """Three to serve. A cheap kind does; h suits worse than g; one start a year: the larger facility goes first."""
    kinds = {"p": BASIC, "q": replace(BASIC, cost=4), "r": Kind(1, 0, 1, 1, 9)}
    options = (option(A, "g"), option(A, "h"), option(A, "g", "q"), option(B, "g", "r"))
    years = dict.fromkeys(kinds, (2025, 2026))
    starts = {(k, y): 9 for k in kinds for y in years[k]}
    data = toy(
        {A: 3, B: 1}, *options, kinds=kinds, years=years, starts=starts, misfit={options[1]: 40, options[0]: 10},
        staff={"g": 2, "h": 2}, starts_of_host={"g": 1, "h": 1},
    )  # fmt: skip
    result = solve_locations_of(data)
    assert values(result) == {"coverage_1": 4, "counties_reached": 2, "cost": 2, "misfit": 30, "lateness": 1}
    assert isinstance(result, Optimal)
    assert dict(result.plan.started) == {("p", "g", 2025): 1, ("r", "g", 2026): 1}


def test_how_far_opens_as_many_as_are_worth_it() -> None:
    data = toy({A: 6}, kinds={"p": replace(BASIC, minimum_served=2)})
    assert values(solve_locations_of(data))["cost"] == 2
    far = solve_locations_of(replace(data, how_far=True))
    assert values(far) == {"openings": 3, "coverage_1": 6, "counties_reached": 1, "cost": 3, "lateness": 0}


def test_the_first_part_of_a_need_counts_most() -> None:
    assert parts_of(7, 3) == (3, 2, 2)
    assert parts_of(1, 3) == (1, 0, 0)
    data = toy({A: 30, B: 6}, steps=(3, 2, 1), starts={("p", 2025): 3})
    result = solve_locations_of(data)
    assert values(result)["coverage_1"] == 27  # three starts in A alone stay within its first ten
    assert isinstance(result, Optimal)
    two = solve_locations_of(replace(data, starts={("p", 2025): 5}))
    assert isinstance(two, Optimal)
    # Ten of A count three; then B's first two (3) and its next two (2) beat A's second part.
    assert two.plan.opened[option(B)] >= 1


def test_a_county_reached_can_count_within_the_coverage() -> None:
    """One start: three units in B, or two in A and one in C with two counties reached (2 x 4 more)."""
    data = replace(TOYS["county_reached"][0], county_points=4)
    result = solve_locations_of(data)
    assert values(result) == {"coverage_1": 11, "cost": 1, "lateness": 0}
    assert isinstance(result, Optimal)
    assert dict(result.plan.opened) == {option(A): 1}


def test_a_target_comes_after_the_need_unless_it_is_put_first() -> None:
    """One point to spend: three units served by the kind q, or a p that serves one and counts towards the target."""
    kinds = {"p": Kind(1, 1, 1, 1, 9), "q": Kind(3, 1, 1, 1, 9)}
    data = toy(
        {A: 3}, option(A), option(A, kind="q"), kinds=kinds, years=dict.fromkeys(kinds, (2025,)),
        starts={(k, 2025): 1 for k in kinds}, city_cost={"330100": 1}, wanted={"p": 1},
    )  # fmt: skip
    after = values(solve_locations_of(data))
    assert list(after)[:3] == ["coverage_1", "counties_reached", "target_p"]
    assert (after["coverage_1"], after["target_p"]) == (3, 0)
    first = values(solve_locations_of(replace(data, targets_first=True)))
    assert next(iter(first)) == "target_p"
    assert (first["coverage_1"], first["target_p"]) == (1, 1)


def test_a_target_never_opens_what_is_not_worth_it() -> None:
    data = toy({A: 3}, kinds={"p": replace(BASIC, minimum_served=2)}, wanted={"p": 2})
    assert values(solve_locations_of(data))["target_p"] == 1


def test_a_goal_within_a_gap_is_stated_as_the_plan_reaches_it() -> None:
    """Whatever a solve within a wide gap leaves uncounted: values are those of what is served, within the bound."""
    for seed in range(25):
        data = replace(random_data(seed), how_far=False)
        result = solve_locations_of(data, Options(relative_gap=0.9))
        if isinstance(result, Infeasible | Stopped):
            continue
        met: Counter[Need] = Counter()
        for (_, d), n in result.plan.served.items():
            met[d] += n
        points = sum(
            weight * min(part, max(0, n - sum(parts_of(data.need[d], len(data.steps))[:k])))
            for d, n in met.items()
            for k, (weight, part) in enumerate(zip(data.steps, parts_of(data.need[d], len(data.steps)), strict=True))
        )
        counties = len({d.county for d, n in met.items() if n})
        stage = {s.name: s for s in result.stages}
        assert stage["coverage_1"].value == points + data.county_points * counties <= stage["coverage_1"].bound
        if not data.county_points:
            assert stage["counties_reached"].value == counties


def test_an_impossible_floor_and_nothing_to_open() -> None:
    assert isinstance(
        solve_locations_of(toy({A: 1}, openings_per_city={"330100": 2}, starts={("p", 2025): 1})), Infeasible
    )
    empty = solve_locations_of(toy({A: 1}, starts={("p", 2025): 0}))
    assert isinstance(empty, Optimal)
    assert not empty.plan.opened


def random_data(seed: int) -> LocationData:
    """Up to three options of two kinds, two hosts and two years; up to four arcs; random limits."""
    g = random.Random(seed)
    counties = [A, C, B][: g.randint(2, 3)]
    kinds = {"p": Kind(g.randint(1, 3), g.randint(0, 1), 1, 2, 9), "q": Kind(g.randint(2, 4), 2, 2, 3, 9)}
    every = [option(c, h, k) for c in counties for h in "gh" for k in kinds]
    options = tuple(sorted(g.sample(every, 3)))
    need = {Need(c, "x"): g.randint(1, 2) for c in counties}
    arcs = {(Place(c, "x"), Need(c, "x")): 0.0 for c in counties}
    if g.random() < 0.7:
        arcs[Place(A, "x"), Need(C, "x")] = 3.0
    arcs = {a: km for a, km in arcs.items() if a[1] in need}
    years: dict[str, tuple[int, ...]] = {"p": (2025, 2026), "q": (2025,)}
    return LocationData(
        "toy", kinds, options, years, need, arcs,
        misfit={o: g.randint(0, 9) for o in options}, steps=g.choice([(1,), (2, 1)]),
        staff={h: g.randint(1, 4) for h in "gh"}, starts_of_host={h: g.randint(1, 2) for h in "gh"},
        starts={(k, y): g.randint(0, 2) for k, ys in years.items() for y in ys},
        city_cost={"330100": g.randint(2, 8), "330200": g.randint(2, 6)}, year_cost={2025: g.randint(2, 6), 2026: 9},
        most_in_county={("p;q", c): g.randint(1, 2) for c in counties},
        mountain_island=frozenset({B}), mountain_island_share=g.choice([0.0, 0.4]),
        largest_city_share=g.choice([1.0, 0.6]), openings_per_city={"330100": 1} if g.random() < 0.3 else {},
        how_far=g.random() < 0.3, county_points=g.choice([0, 0, 2]),
        wanted={"p": g.randint(1, 4)} if g.random() < 0.5 else {},
    )  # fmt: skip


def begun(data: LocationData, opened: dict[Option, int]) -> bool:
    """Whether the openings can be begun within the limits of years, hosts and yearly cost: every split is tried."""
    each = [(o.kind, o.host) for o, n in opened.items() for _ in range(n)]
    for years in itertools.product(*(data.years[k] for k, _ in each)):
        rows = [(k, h, y) for (k, h), y in zip(each, years, strict=True)]
        by_kind, by_host = Counter((k, y) for k, _, y in rows), Counter((h, y) for _, h, y in rows)
        cost = {y: sum(data.kinds[k].cost for k, _, z in rows if z <= y) for y in data.year_cost}
        if (
            all(n <= data.starts[key] for key, n in by_kind.items())
            and all(n <= data.starts_of_host[h] for (h, _), n in by_host.items())
            and all(cost[y] <= data.year_cost[y] for y in cost)
        ):
            return True
    return False


def allowed(data: LocationData, opened: dict[Option, int]) -> bool:
    """The rules on openings in plain Python, written from their words and not from the model."""
    total = sum(opened.values())
    cities: Counter[str] = Counter()
    cost: Counter[str] = Counter()
    staff: Counter[str] = Counter()
    counties: Counter[str] = Counter()
    for o, n in opened.items():
        city = o.county[:4] + "00"
        cities[city] += n
        counties[o.county] += n
        cost[city] += n * data.kinds[o.kind].cost
        staff[o.host] += n * data.kinds[o.kind].staff
    high = sum(n for o, n in opened.items() if o.county in data.mountain_island)
    return (
        all(staff[h] <= data.staff[h] for h in staff)
        and all(cost[c] <= data.city_cost[c] for c in cost)
        and all(counties[c] <= data.most_in_county["p;q", c] for c in counties)
        and all(cities[c] >= n for c, n in data.openings_per_city.items())
        and all(n <= data.largest_city_share * (total - 1) + 1 + 1e-9 for n in cities.values() if n)
        and high >= int(data.mountain_island_share * total + 1e-9)
        and begun(data, opened)
    )


def brute_force(data: LocationData) -> tuple[float, ...] | None:
    """Best (openings if asked, coverage, counties) over every opening and every flow."""
    best = None
    arcs = sorted(data.arcs)
    for counts in itertools.product(range(3), repeat=len(data.options)):
        opened = {o: n for o, n in zip(data.options, counts, strict=True) if n}
        if not allowed(data, opened):
            continue
        for flow in itertools.product(*(range(data.need[d] + 1) for _, d in arcs)):
            served: Counter[Place] = Counter()
            met: Counter[Need] = Counter()
            for (s, d), n in zip(arcs, flow, strict=True):
                served[s] += n
                met[d] += n
            room = {s: (0, 0) for s, _ in arcs}
            for o, n in opened.items():
                low, high = room[Place(o.county, "x")]
                kind = data.kinds[o.kind]
                room[Place(o.county, "x")] = (low + n * kind.minimum_served, high + n * kind.capacity)
            if any(met[d] > data.need[d] for d in met) or any(
                not low <= served[s] <= high for s, (low, high) in room.items()
            ):
                continue
            points = 0
            for d, n in met.items():
                for weight, part in zip(data.steps, parts_of(data.need[d], len(data.steps)), strict=True):
                    points, n = points + weight * min(part, n), n - min(part, n)
            counties = len({d.county for d, n in met.items() if n})
            value: tuple[float, ...] = (float(points), float(counties))
            if data.county_points:
                value = (float(points + data.county_points * counties),)
            value = (float(sum(counts)), *value) if data.how_far else value
            begun_p = sum(n for o, n in opened.items() if o.kind == "p")
            value += tuple(float(min(n, begun_p)) for n in data.wanted.values())
            best = value if best is None else max(best, value)
    return best


@pytest.mark.parametrize("seed", range(110))
def test_equals_brute_force(seed: int) -> None:
    data = random_data(seed)
    best = brute_force(data)
    result = solve_locations_of(data)
    if best is None:
        assert isinstance(result, Infeasible)
    else:
        found = tuple(values(result).values())
        assert found[: len(best)] == best
        assert isinstance(result, Optimal)
        assert allowed(data, dict(result.plan.opened))
