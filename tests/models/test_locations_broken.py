"""Randomly broken location plans of every theme: each impossible one names a minimal conflict; its repair repairs.

What a place needs is a wish: a plan that covers little is a plan, and so is one that opens nothing. Limits (money,
staff, starts, shares, least service) bind whatever is opened; only a floor by city forces an opening, so that every
conflict is one of floors with limits. Location plans have no pins of their own: a floor is what comes nearest.
"""

from __future__ import annotations

import math
import random
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyomo.environ as pyo
import pytest
from zjsim.models.location_goals import solve_locations_of, where_goals
from zjsim.models.location_rules import Kind, LocationData, Need, Option, Place, build_location_model, city_of
from zjsim.models.locations import IN_SHARES, requirements_of

from zjsim.solve.goals import Prepared
from zjsim.solve.options import Options
from zjsim.solve.results import Conflict, Infeasible, Optimal

REGISTRIES = Path(__file__).parents[2] / "scenarios" / "baseline" / "registries"
HANGZHOU, LISHUI, ZHOUSHAN = "330100", "331100", "330900"
COUNTIES = ("330102", "330106", "331102", "331121")
"""Two counties of Hangzhou, two of Lishui (in the mountains)."""
HOSTS = ("10335", "10338")
THEMES: dict[str, tuple[dict[str, Kind], str]] = {
    "platforms": ({"joint_platform": Kind(3, 1, 1, 3, 9), "branch_centre": Kind(2, 1, 1, 1, 6)}, "C01"),
    "campuses": ({"county_campus": Kind(6, 3, 3, 4, 24), "county_industry_college": Kind(2, 1, 1, 1, 9)}, "training"),
    "practice_centres": ({"practice_centre": Kind(4, 2, 0, 2, 12)}, "practice"),
    "kindergartens": ({"embedded_kindergarten": Kind(5, 2, 0, 2, 9)}, "park"),
}
BREAKS = (
    "money",
    "money of a year",
    "starts",
    "hosts",
    "equity",
    "spread",
    "need",
    "nowhere",
    "counties",
    "high floor",
)
SEEDS = range(3000, 3060)


def whole(seed: int) -> LocationData:
    """A small random theme with room for what its floors ask."""
    g = random.Random(seed)
    theme = list(THEMES)[seed % len(THEMES)]
    kinds, service = THEMES[theme]
    hosts = HOSTS if theme in ("platforms", "campuses") else ("",)
    options = tuple(Option(k, h, c, service) for k in kinds for h in hosts for c in COUNTIES)
    groups = ("employees", "residents") if theme == "kindergartens" else (service,)
    need = {Need(c, group): g.randint(4, 8) for c in COUNTIES for group in groups}
    arcs = {(Place(c, service), d): 0.0 for c in COUNTIES for d in need if d.county == c}
    years = dict.fromkeys(kinds, (2025, 2026))
    return LocationData(
        theme, kinds, options, years, need, arcs,
        steps=(2, 1), staff={h: 12 for h in hosts if h}, starts_of_host={h: 3 for h in hosts if h},
        starts={(k, y): 3 for k in kinds for y in years[k]},
        city_cost={HANGZHOU: 12, LISHUI: 12}, year_cost={2025: 12, 2026: 24},
        most_in_county={(";".join(kinds), c): 2 for c in COUNTIES},
        mountain_island=frozenset({"331102", "331121"}), mountain_island_share=0.3, largest_city_share=0.75,
        openings_per_city={HANGZHOU: g.randint(1, 2), LISHUI: g.randint(1, 2)},
        priority={"employees": 0, "residents": 1} if theme == "kindergartens" else {},
        own_group="employees" if theme == "kindergartens" else "",
    )  # fmt: skip


def broken(seed: int) -> LocationData:
    """One or two things that hurt: a budget of nothing, few starts, staff too few, equity or floors too high."""
    data, g = whole(seed), random.Random(seed)
    for blow in g.sample(BREAKS, g.randint(1, 2)):
        data = replace(data, **hurt(data, blow, g))
    return data


def hurt(data: LocationData, blow: str, g: random.Random) -> dict[str, Any]:
    city = g.choice((HANGZHOU, LISHUI))
    match blow:
        case "money":
            return {"city_cost": {**data.city_cost, city: g.randint(0, 1)}}
        case "money of a year":
            return {"year_cost": {2025: 0, 2026: g.randint(0, 3)}}
        case "starts":
            return {"starts": {key: int(g.random() < 0.3) for key in data.starts}}
        case "hosts":
            few = dict.fromkeys(data.staff, 0) if g.random() < 0.5 else data.staff
            return {"staff": few, "starts_of_host": dict.fromkeys(data.starts_of_host, int(few is data.staff and 0))}
        case "equity":
            floor = g.choice((2, 3, 7, 8))
            return {"mountain_island_share": g.choice((0.8, 1.0)), "openings_per_city": {HANGZHOU: floor}} | ample(data)
        case "spread":
            return {"largest_city_share": 0.4, "openings_per_city": {LISHUI: g.choice((3, 9))}} | ample(data)
        case "need":
            return {
                "need": {d: 1 if city_of(d.county) == city and g.random() < 0.9 else n for d, n in data.need.items()}
            }
        case "nowhere":
            return {"openings_per_city": {**data.openings_per_city, ZHOUSHAN: 1}}
        case "counties":
            return {"most_in_county": {key: int(g.random() < 0.2) for key in data.most_in_county}}
    return {"openings_per_city": {**data.openings_per_city, city: g.randint(4, 9)}}


def ample(data: LocationData) -> dict[str, Any]:
    """Enough of everything else for eight openings in one city."""
    names = ("need", "staff", "starts_of_host", "starts", "city_cost", "year_cost", "most_in_county")
    return {name: dict.fromkeys(getattr(data, name), 99) for name in names}


@cache
def words() -> Any:
    """The planner's words, with the names of the baseline's registries."""
    names = ("cities", "counties", "universities", "location_kinds", "industries")
    return requirements_of({n: pd.read_csv(REGISTRIES / f"{n}.csv", dtype=str, keep_default_na=False) for n in names})


def possible(data: LocationData, change: Any) -> bool:
    """Whether a plan exists after ``change`` of each named row: (drop, loosen by)."""
    m = build_location_model(data)
    for requirement in words()(m):
        drop, amount = change(requirement)
        for row in requirement.rows:
            low, body, high = row.to_bounded_expression()
            if drop:
                row.deactivate()
            elif amount:
                low, high = (None if b is None else pyo.value(b) for b in (low, high))
                row.set_value((None if low is None else low - amount, body, None if high is None else high + amount))
    return isinstance(Prepared(m, where_goals(m), Options()).solve(goals=1), Optimal)


@cache
def conflict_of(seed: int) -> Conflict | None:
    result = solve_locations_of(broken(seed), Options(), words())
    if isinstance(result, Infeasible):
        return result.conflict
    assert isinstance(result, Optimal)
    return None


def mended(data: LocationData, repair: dict[str, float]) -> LocationData:
    """``data`` with the inputs changed as the repair says, as a planner would change them."""
    limits = {"starts_of_year": "starts", "starts_of_host": "starts_of_host", "staff_of_host": "staff"}
    limits |= {"cost_of_city": "city_cost", "cost_of_year": "year_cost", "most_in_county": "most_in_county"}
    for name, amount in repair.items():
        rule, _, rest = name.rstrip("]").partition("[")
        by, key = math.ceil(amount - 1e-5), tuple(int(k) if re.fullmatch("20..", k) else k for k in rest.split(","))
        if rule == "mountain_island_floor":
            data = replace(data, mountain_island_share=0.0)
        elif rule == "city_ceiling":
            data = replace(data, largest_city_share=1.0)
        elif rule == "city_floor":
            floors = data.openings_per_city
            data = replace(data, openings_per_city={**floors, rest: floors[rest] - by})
        else:
            field = limits[rule]
            given: Any = getattr(data, field)
            at: Any = key[0] if rule == "starts_of_host" or len(key) == 1 else key
            data = replace(data, **{field: {**given, at: given[at] + by}})
    return data


@pytest.mark.parametrize("seed", SEEDS)
def test_a_conflict_is_minimal_and_its_repair_repairs(seed: int) -> None:
    data, conflict = broken(seed), conflict_of(seed)
    if conflict is None:
        return
    members = set(conflict.members)
    assert conflict.minimal
    assert members
    assert not possible(data, lambda q: (q.name not in members, 0))
    for one in members:
        rest = members - {one}
        assert possible(data, lambda q, rest=rest: (q.name not in rest, 0))
    amounts = dict(conflict.repair)
    assert amounts
    assert possible(data, lambda q: (q.give_up and q.name in amounts, 0 if q.give_up else amounts.get(q.name, 0)))
    assert isinstance(solve_locations_of(mended(data, amounts)), Optimal)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_told_in_the_planners_words(seed: int) -> None:
    conflict = conflict_of(seed)
    if conflict is None:
        return
    told = {q.name: q for q in words()(build_location_model(broken(seed)))}
    if len(conflict.members) <= 6:
        assert all(told[name].zh in conflict.zh and told[name].en in conflict.en for name in conflict.members)
    for name, amount in conflict.repair:
        q = told[name]
        assert q.zh in conflict.repair_zh
        assert q.en in conflict.repair_en
        # What can be loosened is whole: facilities, points or units of staff; a share is given up.
        assert (name.partition("[")[0] in IN_SHARES) == q.give_up
        assert q.give_up or amount == round(amount)
        assert q.give_up or f"放宽 {amount:g}{q.unit_zh}" in conflict.repair_zh
    said = conflict.zh + conflict.en + conflict.repair_zh + conflict.repair_en
    assert not re.search(r"[{}_]|33\d{4}|\b1\d{4}\b|\bC\d\d\b", said)


@pytest.mark.parametrize("seed", SEEDS[:24])
def test_the_least_is_the_least_whatever_gap_a_plan_may_leave(seed: int) -> None:
    conflict = conflict_of(seed)
    if conflict is None:
        return
    result = solve_locations_of(broken(seed), Options(relative_gap=1.0), words())
    assert isinstance(result, Infeasible)
    asked = {q.name: q for q in words()(build_location_model(broken(seed)))}

    def price(repair: tuple[tuple[str, float], ...]) -> float:
        return sum(asked[name].weight * amount for name, amount in repair)

    assert price(result.conflict.repair) == price(conflict.repair)


@pytest.mark.parametrize(("floor", "repair"), [(4, {"city_floor[330100]": 4}), (6, {"mountain_island_floor": 1})])
def test_a_share_is_given_up_as_a_whole_where_numbers_would_give_more(floor: int, repair: dict[str, float]) -> None:
    """All in the mountains, and so many in Hangzhou: giving up the share counts five, and needs nothing besides."""
    data = whole(0)
    data = replace(data, mountain_island_share=1.0, openings_per_city={HANGZHOU: floor}, **ample(data))
    result = solve_locations_of(replace(data, largest_city_share=1.0), Options(), words())
    assert isinstance(result, Infeasible)
    assert set(result.conflict.members) == {"mountain_island_floor", "city_floor[330100]"}
    assert dict(result.conflict.repair) == repair
    given_up = "放弃“山区海岛县的科创平台不少于全省的 100%”" in result.conflict.repair_zh
    assert given_up == ("mountain_island_floor" in repair)


def test_many_of_them_are_impossible_in_every_theme_and_only_floors_force() -> None:
    found = [seed for seed in SEEDS if conflict_of(seed) is not None]
    assert len(found) >= 30
    assert all(sum(broken(seed).theme == theme for seed in found) >= 5 for theme in THEMES)
    rules = {name.partition("[")[0] for seed in found for name in getattr(conflict_of(seed), "members", ())}
    assert rules >= {
        "city_floor", "cost_of_city", "cost_of_year", "starts_of_year", "most_in_county", "worth_opening",
        "mountain_island_floor", "city_ceiling",
    }  # fmt: skip
    assert rules & {"staff_of_host", "starts_of_host"}
    for seed in found:
        assert any(name.startswith("city_floor[") for name in getattr(conflict_of(seed), "members", ()))
        assert isinstance(solve_locations_of(replace(broken(seed), openings_per_city={})), Optimal)


@pytest.mark.parametrize("seed", range(len(THEMES)))
def test_unbroken_there_is_a_plan(seed: int) -> None:
    assert isinstance(solve_locations_of(whole(seed)), Optimal)
