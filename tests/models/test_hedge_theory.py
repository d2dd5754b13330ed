"""What theory says must hold: order of the values, newsvendor, brute force, tail, identical scenarios."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import ceil
from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
from zjsim.models.hedge_data import Case, Penalties, Tree
from zjsim.models.hedge_rules import RULES
from zjsim.models.hedge_solve import _from_model, cvar, evaluate, hedge, nothing, solve, start_cost
from zjsim.models.seat_hedge import within_cap

_TOYS = run_path(str(Path(__file__).with_name("test_hedge_rules.py")))
EXACT, PRICES, area, case = (_TOYS[name] for name in ("EXACT", "PRICES", "area", "case"))
TODAY, LATER = np.array([2026, 2026]), np.array([2025, 2025])


def newsvendor(needs: list[int], price: float, lost: float, **more: float) -> Case:
    """Rooms for 2026 are begun today at ``price``; scenario k needs ``needs[k]`` classes of ten; a child lost costs."""
    place = area(extension_max=20, extension_min=1, extension_cost=price, extension_from=TODAY)
    prices = Penalties(local=lost, covered=lost, fall=0, overrun=0, **more)
    return case(place, [{(0, 1): 10.0 * n} for n in needs], tree=Tree((len(needs),)), prices=prices)


@pytest.mark.parametrize(("price", "quantile"), [(20, 0.8), (50, 0.5), (70, 0.3), (95, 0.05)])
def test_newsvendor_builds_the_critical_ratio(price: float, quantile: float) -> None:
    """A class short costs 100: build the smallest q with P(need <= q) >= 1 − price ÷ 100."""
    needs = list(range(1, 21))
    found = solve(newsvendor(needs, price, 10), EXACT)
    q = ceil(20 * quantile - 1e-9)
    rooms = found.x["extension"][0, 0, 1]
    assert found.value == pytest.approx(price * q + sum(100 * max(0, n - q) for n in needs) / 20)
    assert rooms in (q, q + 1) or price * q == pytest.approx(price * rooms)


def test_identical_scenarios_leave_nothing_to_know() -> None:
    h = hedge(newsvendor([3, 3, 3], 20, 10), EXACT)
    assert h.wait_and_see.mean() == pytest.approx(h.hedged.value)
    assert h.mean_value.value == pytest.approx(h.hedged.value) == pytest.approx(60)


def test_the_mean_value_plan_falls_short_where_the_hedge_does_not() -> None:
    """Needs 0, 0, 0, 8: the mean is 2 classes; a class short costs 1,000, a room 20: the hedge builds 8."""
    h = hedge(newsvendor([0, 0, 0, 8], 20, 100), EXACT)
    assert h.hedged.value == pytest.approx(160)
    assert h.mean_value.value == pytest.approx(40 + 6 * 1000 / 4)
    assert h.mean_value.x["local_short"].sum() == 60
    assert h.hedged.x["local_short"].sum() == 0
    assert h.wait_and_see.mean() == pytest.approx(40)


def test_what_can_wait_without_loss_waits() -> None:
    """Rooms for 2026 could be opened in 2026 by a decision of the first review as well: nothing is begun today."""
    place = area(extension_max=20, extension_min=1, extension_cost=20, extension_from=LATER)
    found = hedge(case(place, [{(0, 1): 30}, {(0, 1): 30}], tree=Tree((2,))), EXACT)
    assert found.hedged.value == pytest.approx(60)
    assert found.hedged.start == nothing(place)


def random_case(draw: np.random.Generator) -> Case:
    """A small random area: one stage, rooms for the second year begun today or at the first review."""
    leaves = int(draw.integers(1, 4))
    years = draw.choice([2025, 2026, 2026, 2027], 2)
    place = area(
        rooms=float(draw.integers(0, 3)),
        base_classes=float(draw.integers(0, 2)),
        extension_max=float(draw.integers(0, 3)),
        extension_min=float(draw.integers(1, 3)),
        extension_cost=float(draw.integers(20, 150)),
        extension_from=np.array([years[0], 2099]),
        sites=float(draw.integers(0, 2)),
        school_min=2.0,
        school_max=2.0,
        school_cost=float(draw.integers(20, 150)),
        school_from=np.array([years[1], 2099]),
        equip_cost=float(draw.integers(0, 8)),
        running_cost=float(draw.integers(0, 8)),
        price=1.0,  # with its overrun cheaper than a child without a place: purchases go to their cap
        staffed=np.full((2, 2), float(draw.integers(2, 5))),
        cap=np.full((2, 2), float(draw.integers(0, 9))),
        budget=draw.integers(0, 90, 2).astype(float),
    )
    cells = [(g, y) for g in (0, 1) for y in (0, 1)]
    local = [{k: float(draw.integers(0, 25)) for k in cells} for _ in range(leaves)]
    claim = [{k: float(draw.integers(0, 8)) for k in cells} for _ in range(leaves)]
    for k in range(1, leaves):  # what happens before the first review is known to all scenarios of a node: one here
        if draw.random() < 0.5:
            local[k], claim[k] = dict(local[0]), dict(claim[0])
    prices = Penalties(local=float(draw.integers(5, 40)), covered=5.0, fall=0.0, overrun=float(draw.integers(0, 3)))
    return case(place, local, claim, tree=Tree((leaves,)), prices=prices)


def brute_force(c: Case) -> tuple[float, list[float]]:
    """(least expected cost, least cost of each scenario known beforehand) by trying every opening and every class."""
    a, n = c.area, c.tree.leaves
    sizes = [0, *range(max(1, int(a.extension_min[0])), int(a.extension_max[0]) + 1)]
    schools = [0, *((2,) if a.sites[0] else ())]
    openings = [
        (e, z)
        for e in product(sizes, repeat=2)
        for z in product(schools, repeat=2)
        if sum(e) <= a.extension_max[0] and sum(1 for v in z if v) <= a.sites[0]
        and all(not v or a.years[y] >= a.extension_from[0] for y, v in enumerate(e))
        and all(not v or a.years[y] >= a.school_from[0] for y, v in enumerate(z))
    ]  # fmt: skip

    def today(opening: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[int, ...]:
        e, z = opening
        first = [v for y, v in enumerate(e) if a.years[y] <= a.extension_from[0]]
        return tuple(first + [v for y, v in enumerate(z) if a.years[y] <= a.school_from[0]])

    table = [{o: _scenario(c, k, o) for o in openings} for k in range(n)]
    seen = [min(t.values()) for t in table]
    starts = {today(o) for o in openings}
    best = min(sum(min(v for o, v in t.items() if today(o) == s) for t in table) / n for s in starts)
    return best, seen


def _scenario(c: Case, k: int, opening: tuple[tuple[int, ...], tuple[int, ...]]) -> float:
    """Least cost of scenario k under given openings: every pair of class numbers by year and grade is tried."""
    a, p, (e, z) = c.area, c.penalties, opening
    rooms, ways = [float(a.rooms[0]), float(a.rooms[0])], []
    build = [0.0, 0.0]
    for y in (0, 1):
        for t in range(y, 2):
            rooms[t] += e[y] + z[y]
        build[y] = e[y] * a.extension_cost[0] + z[y] * a.school_cost[0]
    for y in (0, 1):
        most = int(min(rooms[y], a.staffed[0, y]))
        found: dict[int, tuple[float, float]] = {}
        for m in product(range(most + 1), repeat=2):
            total = sum(m)
            if total > most or total > c.most_classes[k, 0, y]:
                continue
            short = sum(max(0.0, c.demand.local[k, g, y] + c.demand.covered[k, g, y] - 10 * m[g]) for g in (0, 1))
            claim = float(c.covered[k, 0, y])
            local = max(0.0, short - claim)
            bought = min(float(a.cap[0, y]), claim, short - local)
            lost = p.local * local + p.covered * (short - local - bought)
            cost = lost + bought * a.price[0]
            if total not in found or cost < sum(found[total]):
                found[total] = (lost, bought * a.price[0])
        ways.append(found)
    best = float("inf")
    for first, (lost0, bought0) in ways[0].items():
        for second, (lost1, bought1) in ways[1].items():
            spent0 = build[0] + bought0 + max(0, first - a.base_classes[0]) * (a.equip_cost[0] + a.running_cost[0])
            spent1 = build[1] + bought1 + max(0, second - first) * a.equip_cost[0]
            spent1 += max(0, second - a.base_classes[0]) * a.running_cost[0]
            over = max(0.0, spent0 - a.budget[0]) + max(0.0, spent1 - a.budget[1])
            best = min(best, spent0 + spent1 + lost0 + lost1 + p.overrun * over)
    return float(best)


def test_brute_force_on_random_small_areas() -> None:
    draw = np.random.default_rng(20241231)
    for n in range(200):
        c = random_case(draw)
        best, seen = brute_force(c)
        found = solve(c, EXACT)
        assert found.value == pytest.approx(best, abs=1e-5)
        assert found.value - found.bound < 1e-5
        assert found.costs.mean() == pytest.approx(found.value, abs=1e-5)
        if n % 8:
            continue
        h = hedge(c, EXACT)
        assert h.hedged.value == pytest.approx(best, abs=1e-5)
        assert h.wait_and_see == pytest.approx(seen, abs=1e-5)
        assert h.wait_and_see.mean() <= h.hedged.value + 1e-6 <= h.mean_value.value + 2e-6
        assert h.hedged.value <= h.wait.value + 1e-6


def mixed_case(draw: np.random.Generator) -> Case:
    """A random area with further migrant children, purchases and a price on falls of the public share."""
    c = random_case(draw)
    more = draw.integers(0, 7, c.demand.migrant.shape) * (c.demand.local + c.demand.migrant > 0)
    more[1:] = np.where((c.demand.local == c.demand.local[0])[1:], more[0], more[1:])
    demand = replace(c.demand, migrant=c.demand.migrant + more)
    fall = replace(c.penalties, fall=float(draw.integers(5, 40)))
    return replace(c, demand=demand, penalties=fall, area=replace(c.area, base_share=float(draw.choice([0.0, 0.5]))))


def test_rows_written_where_a_plan_breaks_the_rule_are_as_good_as_all_rows() -> None:
    """Both ways to solve, with the rows of the rule in no cell at first, or by the formulation in every cell."""
    draw = np.random.default_rng(11)
    bites = 0
    for _ in range(20):
        c = mixed_case(draw)
        cells = [(k, s, y) for k, s, y in np.ndindex(c.needed.shape) if c.area.seats[s] > 0]
        found = solve(c, EXACT)
        value, bound, x = _from_model(c, EXACT, None, RULES, 0.0, cells)
        assert found.value == pytest.approx(value, abs=1e-5)
        assert bound <= found.value + 1e-5
        slope, start = c.pieces
        for plan in (found.x, x):
            left_out = np.maximum(0.0, (start - slope * plan["classes"][..., None]).max(axis=-1))
            assert plan["short"] == pytest.approx(left_out, abs=1e-3)
            assert (plan["other"] <= c.most_further(plan["classes"]) + 1e-3).all()
        loose = {n: r for n, r in RULES.items() if n != "no_empty_seat"}
        bites += found.value > solve(c, EXACT, rules=loose).value + 1e-3
    assert bites >= 2


def test_further_children_by_grade_against_enumeration() -> None:
    """Classes are shared out so that most children with a claim are seated, then most of the others."""
    draw = np.random.default_rng(5)
    for _ in range(60):
        claims, others = draw.integers(0, 24, 3).astype(float), draw.integers(0, 24, 3).astype(float)
        cells = {(g, 0): n for g, n in enumerate(claims.tolist())}
        all_migrants = {(g, 0): n for g, n in enumerate(others.tolist())}
        c = case(area(rooms=9), [cells], [{}], [all_migrants])
        for classes in range(9):
            seated = max(
                (
                    sum(min(f, 10 * n) for f, n in zip(claims, ns, strict=True)),
                    sum(min(o, max(0.0, 10 * n - f)) for f, o, n in zip(claims, others, ns, strict=True)),
                )
                for ns in product(range(classes + 1), repeat=3)
                if sum(ns) <= classes
            )
            many = np.full(c.needed.shape, float(classes))
            assert c.most_further(many)[0, 0, 0] == pytest.approx(seated[1])


def test_three_reviews_use_what_is_known_and_no_more() -> None:
    """A tree (2, 2): rooms of 2026 are begun at the first review, so each half of the tree builds for its own mean."""
    place = area(extension_max=20, extension_min=1, extension_cost=30, extension_from=LATER)
    prices = replace(PRICES, local=5, covered=2)
    leaves = [{(0, 1): 10.0}, {(0, 1): 30.0}, {(0, 1): 50.0}, {(0, 1): 70.0}]
    late = replace(place, extension_from=np.array([2025, 2025]), years=(2025, 2026))
    tree = solve(case(late, leaves, tree=Tree((2, 2)), prices=prices), EXACT)
    # Each half is the newsvendor of the register: 80 for (1, 3); 80 + 4 rooms × 30 for (5, 7).
    assert tree.value == pytest.approx((80 + 200) / 2)
    known = solve(case(late, leaves, tree=Tree((4,)), prices=prices), EXACT)
    assert known.value == pytest.approx(30 * (1 + 3 + 5 + 7) / 4)
    blind = solve(case(replace(late, extension_from=TODAY), leaves, tree=Tree((2, 2)), prices=prices), EXACT)
    assert known.value < tree.value < blind.value


def test_on_a_deeper_tree_what_is_begun_changes_nothing_else_that_is_known() -> None:
    """The policy after given openings is found node by node: the same as all together."""
    place = area(extension_max=20, extension_min=1, extension_cost=30, extension_from=LATER, rooms=1)
    leaves = [{(0, 1): 10.0}, {(0, 1): 30.0}, {(0, 1): 50.0}, {(0, 1): 70.0}]
    c = case(place, leaves, tree=Tree((2, 2)), prices=replace(PRICES, local=5, covered=2))
    h = hedge(c, EXACT)
    together = solve(c, EXACT, fixed=nothing(place))
    assert h.wait.value == pytest.approx(together.value)
    assert h.wait.x["extension"] == pytest.approx(together.x["extension"])
    assert h.wait.value >= h.hedged.value - 1e-9 > h.wait_and_see.mean()


def test_fresh_futures_are_met_by_a_policy_that_knows_no_more_than_its_review() -> None:
    """Begun nothing, the rooms of 2026 are decided at the first review: between the two futures of a branch."""
    place = area(extension_max=20, extension_min=1, extension_cost=30, extension_from=LATER)
    c = case(place, [{(0, 1): 10.0}, {(0, 1): 30.0}], tree=Tree((2,)), prices=replace(PRICES, local=5, covered=2))
    fresh = case(place, [{(0, 1): 10.0 * n} for n in (1, 3, 5, 7)], tree=Tree((2, 2))).demand
    found = evaluate(c, nothing(place), fresh, Tree((2, 2)), EXACT)
    opened = found.x["extension"][:, 0, 1]
    assert opened[0] == opened[1] != opened[2] == opened[3]
    assert found.value == pytest.approx((80 + 200) / 2)  # as in the tree (2, 2) above
    knowing = evaluate(c, nothing(place), fresh, Tree((4,)), EXACT)
    assert knowing.value == pytest.approx(30 * (1 + 3 + 5 + 7) / 4)


def test_decisions_are_shared_exactly_where_scenarios_cannot_be_told_apart() -> None:
    place = area(extension_max=20, extension_min=1, extension_cost=30, extension_from=LATER)
    leaves = [{(0, 1): 10.0}, {(0, 1): 30.0}, {(0, 1): 50.0}, {(0, 1): 70.0}]
    found = solve(case(place, leaves, tree=Tree((2, 2)), prices=replace(PRICES, local=5, covered=2)), EXACT)
    opened = found.x["extension"][:, 0, 1]
    assert opened[0] == opened[1] != opened[2] == opened[3]


def test_the_tail_in_the_goal_is_the_tail_of_the_costs() -> None:
    """Rockafellar and Uryasev's minimum equals the CVaR of the plan's costs, and no plan has a smaller one."""
    draw = np.random.default_rng(3)
    for _ in range(15):
        needs = draw.integers(0, 9, 5).tolist()
        price, alpha = float(draw.integers(10, 95)), float(draw.choice([0.5, 0.6, 0.8, 0.9]))
        c = newsvendor(needs, price, 10, risk_weight=1.0, alpha=alpha)
        found = solve(c, EXACT)
        chances = c.tree.probability
        assert found.value == pytest.approx(cvar(found.costs, chances, alpha), abs=1e-6)
        others = [cvar(np.array([price * q + 100 * max(0, n - q) for n in needs]), chances, alpha) for q in range(10)]
        assert found.value == pytest.approx(min(others), abs=1e-6)


def test_a_cap_on_what_is_begun_couples_the_areas() -> None:
    """Two areas would begin 8 rooms of 20 each; 200 in all allow 10, and the dearer shortfall comes first."""
    cases = [newsvendor([8, 8], 20, lost) for lost in (10, 20)]
    hedges = [hedge(c, EXACT) for c in cases]
    assert [start_cost(h.case.area, h.hedged.start) for h in hedges] == [160, 160]
    capped, price, bound = within_cap(hedges, 200.0, EXACT)
    begun = [start_cost(h.case.area, h.hedged.start) for h in capped]
    value = sum(h.hedged.value for h in capped)
    assert sum(begun) <= 200
    assert begun[1] == 160
    # With 2 rooms for the first area the least cost is 40 + 600 + 160 = 800: the bound is below, a plan above.
    assert bound <= 800 + 1e-6 <= value + 2e-6
    assert bound == pytest.approx(800, abs=10)
    assert price > 0
