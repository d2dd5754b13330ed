"""The hedge against its extensive form, written another way: one program of all scenarios, classes chosen from a table.

Nothing of the formulation is used: what a number of classes loses is added up class by class, and scenarios that are
told apart later share a column instead of being set equal. Three years, two reviews, further children, falling share.
"""

from __future__ import annotations

from collections import defaultdict
from math import ceil, prod
from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array
from zjsim.models.hedge_data import Area, Case, Demand, Penalties, Tree
from zjsim.models.hedge_solve import hedge, solve

_TOYS = run_path(str(Path(__file__).with_name("test_hedge_rules.py")))
EXACT, area = (_TOYS[name] for name in ("EXACT", "area"))
YEARS, GRADES = 3, (0, 1, 2)


def random_case(draw: np.random.Generator) -> Case:
    """A small area with primary children of three grades over three years, and two reviews that tell things apart."""
    tree, by_year = Tree((2, 2)), (2, YEARS)
    place = area(
        years=(2025, 2026, 2027),
        rooms=float(draw.integers(1, 4)),
        base_classes=float(draw.integers(0, 3)),
        extension_max=float(draw.integers(0, 4)),
        extension_min=float(draw.integers(1, 3)),
        extension_cost=float(draw.integers(20, 150)),
        extension_from=np.array([draw.choice([2025, 2026, 2027]), 2099]),
        extension_instalments=np.array([draw.integers(1, 4), 1]),
        sites=float(draw.integers(0, 2)),
        school_min=2.0,
        school_max=3.0,
        school_cost=float(draw.integers(20, 150)),
        school_from=np.array([draw.choice([2026, 2027]), 2099]),
        equip_cost=float(draw.integers(0, 8)),
        running_cost=float(draw.integers(0, 8)),
        price=1.0,
        staffed=np.full(by_year, float(draw.integers(3, 7))),
        cap=np.full(by_year, float(draw.integers(0, 9))),
        budget=draw.integers(0, 90, YEARS).astype(float),
        base_share=0.8,
    )
    numbers = [np.zeros((4, 9, YEARS)) for _ in range(3)]
    for part, most in zip(numbers, (18, 7, 7), strict=True):
        part[:, :3] = draw.integers(0, most, (4, 3, YEARS))
        part[:, :, 0] = part[0, :, 0]
    local, claim, further = numbers
    prices = Penalties(local=float(draw.integers(20, 60)), covered=15.0, fall=float(draw.integers(0, 4)), overrun=1.0)
    return Case(place, tree, Demand(local, claim + further, claim), prices)


def table(claims: list[float], further: list[float], seats: float, most: int) -> tuple[list[float], list[float]]:
    """By number of classes: children with a claim left out, and further children who can sit in them at most.

    Every grade has full classes and a last one; the class with the fewest children with a claim is given up first.
    """
    held = [(min(seats, n - i * seats), g) for g, n in enumerate(claims) for i in range(ceil(n / seats))]
    beside = [min(f, ceil(n / seats) * seats - n) for n, f in zip(claims, further, strict=True)]
    last = [(n - (ceil(n / seats) - 1) * seats, beside[g]) for g, n in enumerate(claims) if n]
    given = [*sorted(last), *[(seats, 0.0)] * (len(held) - len(last))]
    more = sorted((min(seats, f - b - s) for f, b in zip(further, beside, strict=True)
                   for s in np.arange(0, f - b, seats)), reverse=True)  # fmt: skip
    left, room = [], []
    for m in range(most + 1):
        gone, spare = given[: max(0, len(held) - m)], max(0, m - len(held))
        left.append(sum(n for n, _ in gone))
        room.append(sum(beside) - sum(b for _, b in gone) + sum(more[:spare]))
    return left, room


class Extensive:
    """Columns and rows by name; scenarios of one node of the tree share their columns."""

    def __init__(self, c: Case, fixed: dict[Any, float] | None = None) -> None:
        self.c, self.a, self.fixed = c, c.area, fixed or {}
        self.columns: dict[Any, int] = {}
        self.bounds: list[tuple[float, float, bool]] = []
        self.rows: list[tuple[float, float, dict[int, float]]] = []
        self.cost: dict[int, float] = defaultdict(float)
        for k in range(c.tree.leaves):
            self._scenario(k)

    def column(self, name: Any, k: int, review: int, most: float, *, whole: bool = False) -> int:
        steps = self.c.tree.branching
        known = min(review, len(steps))
        key = (name, k // prod(steps[known:]), known)
        if key not in self.columns:
            self.columns[key] = len(self.bounds)
            low, high = (self.fixed[name],) * 2 if name in self.fixed else (0.0, most)
            self.bounds.append((low, high, whole))
        return self.columns[key]

    def free(self, whole_most: float = np.inf, *, whole: bool = False) -> int:
        self.bounds.append((0.0, whole_most, whole))
        return len(self.bounds) - 1

    def row(self, low: float, high: float, terms: dict[int, float]) -> None:
        self.rows.append((low, high, terms))

    def _scenario(self, k: int) -> None:
        a, p, d, chance = self.a, self.c.penalties, self.c.demand, float(self.c.tree.probability[k])
        spent: list[dict[int, float]] = [defaultdict(float) for _ in range(YEARS)]
        rooms: list[dict[int, float]] = []
        sums: dict[str, dict[int, float]] = {"extension": {}, "schools": {}}
        for y, year in enumerate(a.years):
            now = []
            extension = ("extension", "extends", a.extension_from, a.extension_min, a.extension_max, 1.0)
            school = ("school_rooms", "schools", a.school_from, a.school_min, a.school_max, float(a.sites[0]))
            for (name, unit, first, small, large, most), price, parts in (
                (extension, a.extension_cost, a.extension_instalments),
                (school, a.school_cost, a.school_instalments),
            ):
                there, review = year >= first[0], max(0, year - int(first[0]))
                size = self.column((name, y), k, review, there * float(large[0] * most), whole=True)
                count = self.column((unit, y), k, review, there * float(most), whole=True)
                self.row(0, np.inf, {size: 1, count: -float(small[0])})
                self.row(-np.inf, 0, {size: 1, count: -float(large[0])})
                which, counted = ("extension", size) if name == "extension" else ("schools", count)
                sums[which][counted] = 1.0
                now.append(size)
                pays = range(max(0, y - int(parts[0]) + 1), y + 1)
                for t in pays:
                    spent[t][size] += float(price[0]) / len(pays)
            rooms.append(dict.fromkeys(now, -1.0))
        self.row(-np.inf, float(a.extension_max[0]), sums["extension"])
        self.row(-np.inf, float(a.sites[0]), sums["schools"])
        before, counted, migrants = -1, [], []
        for y in range(YEARS):
            claims = [float(d.local[k, g, y] + d.covered[k, g, y]) for g in GRADES]
            further = [float(d.migrant[k, g, y] - d.covered[k, g, y]) for g in GRADES]
            claim, seats = float(d.covered[k, :, y].sum()), float(a.seats[0])
            all_ = sum(ceil((n + f) / seats) for n, f in zip(claims, further, strict=True))
            most = int(min(max(all_, a.base_classes[0]), a.staffed[0, y]))
            left, room = table(claims, further, seats, most)
            classes = self.column(("classes", y), k, y + 1, most, whole=True)
            chosen = [self.free(1, whole=True) for _ in range(most + 1)]
            self.row(1, 1, dict.fromkeys(chosen, 1.0))
            self.row(0, 0, {classes: -1, **{v: float(m) for m, v in enumerate(chosen)}})
            bought = self.column(("bought", y), k, y + 1, min(float(a.cap[0, y]), claim))
            other = self.column(("other", y), k, y + 1, sum(further))
            lost, without, added, opened, over, fall = (self.free() for _ in range(6))
            self.row(0, 0, {lost: 1, bought: 1, without: 1, **{v: -left[m] for m, v in enumerate(chosen)}})
            self.row(-claim, np.inf, {lost: 1, **{v: -left[m] for m, v in enumerate(chosen)}})
            self.row(-np.inf, 0, {other: 1, **{v: -room[m] for m, v in enumerate(chosen)}})
            built = {v: c for part in rooms[: y + 1] for v, c in part.items()}
            self.row(-np.inf, float(a.rooms[0]), {classes: 1, **built})
            self.row(-float(a.base_classes[0]), np.inf, {added: 1, classes: -1})
            last = {before: 1.0} if y else {}
            self.row(0.0 if y else -float(a.base_classes[0]), np.inf, {opened: 1, classes: -1, **last})
            before = classes
            for column, price in ((opened, a.equip_cost[0]), (added, a.running_cost[0]), (bought, a.price[0])):
                spent[y][column] += float(price)
            self.row(-float(a.budget[y]), np.inf, {over: 1, **{v: -c for v, c in spent[y].items()}})
            counted.append((claim, {bought: -1.0, without: -1.0, other: 1.0}))
            migrants.append(float(d.migrant[k, :, y].sum()))
            if y == 0:
                self.row(migrants[0] * a.base_share - claim, np.inf, {fall: 1, **counted[0][1]})
            else:
                ratio = migrants[y] / migrants[y - 1] if migrants[y - 1] else 0.0
                old = {v: -ratio * c for v, c in counted[y - 1][1].items()}
                self.row(ratio * counted[y - 1][0] - claim, np.inf, {fall: 1, **counted[y][1], **old})
            prices = {lost: p.local, without: p.covered, over: p.overrun, fall: p.fall}
            for column, price in (*prices.items(), *spent[y].items()):
                self.cost[column] += chance * price

    def least(self) -> float:
        n = len(self.bounds)
        terms = [(i, v, c) for i, (_, _, row) in enumerate(self.rows) for v, c in row.items()]
        at, column, value = zip(*terms, strict=True)
        matrix = coo_array((value, (at, column)), shape=(len(self.rows), n)).tocsr()
        low, high = np.array([r[0] for r in self.rows]), np.array([r[1] for r in self.rows])
        least, most = np.array([b[0] for b in self.bounds]), np.array([b[1] for b in self.bounds])
        cost = np.array([self.cost[i] for i in range(n)])
        whole = np.array([b[2] for b in self.bounds])
        rows = LinearConstraint(matrix, low, high)
        found = milp(
            cost, constraints=rows, bounds=Bounds(least, most), integrality=whole, options={"mip_rel_gap": 0.0}
        )
        assert found.status == 0
        return float(found.fun)


def begun(place: Area, start: Any) -> dict[Any, float]:
    """Openings of today as the extensive form names them."""
    return {(name, y): value for name, s, y, value in start if s == 0}


@pytest.mark.parametrize("seed", range(12))
def test_expected_costs_are_those_of_the_extensive_form(seed: int) -> None:
    c = random_case(np.random.default_rng(seed))
    found = hedge(c, EXACT)
    assert found.hedged.value == pytest.approx(Extensive(c).least(), abs=1e-4)
    for plan in (found.hedged, found.mean_value, found.wait):
        assert plan.value == pytest.approx(Extensive(c, begun(c.area, plan.start)).least(), abs=1e-4)
    one = Tree((1,))
    mean = c.under(one, c.demand.mean(c.tree.probability))
    assert solve(mean, EXACT).value == pytest.approx(Extensive(mean).least(), abs=1e-4)
    for k in range(c.tree.leaves):
        alone = c.under(one, c.demand.only([k]))
        assert found.wait_and_see[k] == pytest.approx(Extensive(alone).least(), abs=1e-4)


def test_the_cases_are_worth_checking() -> None:
    """Some hedges begin today, some differ from the mean-value plan, some are worth more than waiting."""
    found = [hedge(random_case(np.random.default_rng(seed)), EXACT) for seed in range(12)]
    assert any(any(v for *_, v in h.hedged.start) for h in found)
    assert any(h.mean_value.value > h.hedged.value + 1 for h in found)
    assert any(h.wait.value > h.hedged.value + 1 for h in found)
    assert any(h.hedged.value > h.wait_and_see.mean() + 1 for h in found)
