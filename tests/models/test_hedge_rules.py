"""A toy solved by hand for every rule of seat expansion under uncertainty: with the rule, and without it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from zjsim.models.hedge_data import Area, Case, Demand, Penalties, Tree, missing
from zjsim.models.hedge_matrix import BY_STAGE, columns_of, matrix
from zjsim.models.hedge_rules import RULES, build
from zjsim.models.hedge_solve import cvar, solve

from zjsim.solve.matrix import Matrix, ModelError, extract
from zjsim.solve.options import Options

EXACT = Options(time_limit_s=60)
PRICES = Penalties(local=100, covered=50, fall=0, overrun=0)
ONE = Tree((1,))
Cells = dict[tuple[int, int], float]


def area(**changed: Any) -> Area:
    """Two years, classes of ten, nothing to build, no money: only the primary stage has what ``changed`` says."""
    zero, two = np.zeros(2), np.zeros((2, 2))
    plain = Area(
        code="330000", name_zh="例县", name_en="Example", county_code="330000", city_code="330000", years=(2025, 2026),
        seats=np.array([10.0, 10.0]), rooms=zero, base_classes=zero,
        extension_max=zero, extension_min=zero, extension_cost=zero,
        extension_from=np.array([2025, 2025]), extension_instalments=np.array([1, 1]),
        sites=zero, school_min=zero, school_max=zero, school_cost=zero,
        school_from=np.array([2025, 2025]), school_instalments=np.array([1, 1]),
        equip_cost=zero, running_cost=zero, price=zero, staffed=np.full((2, 2), 99.0), cap=two,
        budget=np.full(2, 1e6), base_share=0.0,
        local=np.zeros((9, 2)), migrant=np.zeros((9, 2)), covered=np.zeros((9, 2)),
    )  # fmt: skip
    values = {}
    for name, value in changed.items():
        old = getattr(plain, name)
        stage = isinstance(old, np.ndarray) and old.shape[0] == 2 and np.isscalar(value)
        if stage and name != "budget":
            new = old.copy()
            new[0] = value
            values[name] = new
        else:
            values[name] = value
    return replace(plain, **values)


def grid(leaves: list[Cells]) -> np.ndarray:
    """Children by scenario, grade (from 0) and year (from 0)."""
    found = np.zeros((len(leaves), 9, 2))
    for k, cells in enumerate(leaves):
        for (g, y), n in cells.items():
            found[k, g, y] = n
    return found


def case(
    place: Area,
    local: list[Cells] | None = None,
    covered: list[Cells] | None = None,
    migrant: list[Cells] | None = None,
    *,
    tree: Tree = ONE,
    prices: Penalties = PRICES,
) -> Case:
    """A case whose scenarios are given cell by cell."""
    none: list[Cells] = [{}] * tree.leaves
    claim = grid(covered or none)
    return Case(place, tree, Demand(grid(local or none), grid(migrant) if migrant else claim, claim), prices)


class Toy(NamedTuple):
    case: Case
    with_rule: float
    without_rule: float


TOYS = {
    # One room of 10 seats, 5 local children in each of two grades: a class is of one grade, so 5 have no seat.
    "seats_missing": Toy(case(area(rooms=1), [{(0, 0): 5, (1, 0): 5}]), 500, 0),
    # No room, 4 guaranteed children: 2 in purchased places at 1, 2 with none at 50; without the balance nobody pays.
    "places_add_up": Toy(case(area(cap=np.array([[2.0, 2], [0, 0]]), price=1), covered=[{(0, 0): 4}]), 102, 0),
    # 6 local and 4 guaranteed children, no room: 6 × 100 + 4 × 50; without first claim all are counted as guaranteed.
    "local_first": Toy(case(area(), [{(0, 0): 6}], [{(0, 0): 4}]), 800, 500),
    # 8 local children and 5 further migrants in one class of 10: share 2/5 against 1, so 3 fall at 10 each.
    "empty_seats": Toy(
        case(
            area(rooms=1, base_share=1.0),
            [{(0, 0): 8}],
            [{}],
            [{(0, 0): 5}],
            prices=replace(PRICES, fall=10),
        ),
        30,
        0,
    ),
    # One room of ten; 10 guaranteed children, then 20. If 5 seats stay empty at first (5 bought at 1), the share stays
    # at a half, and 10 more are bought: 15. A class once open is filled: buying all 10 at first and 10 later costs 20.
    "no_empty_seat": Toy(
        case(
            area(rooms=1, cap=np.array([[10.0, 10], [0, 0]]), price=1),
            covered=[{(0, 0): 10, (0, 1): 20}],
            prices=replace(PRICES, fall=10),
        ),
        20,
        15,
    ),
    # 20 local children need two classes; one room stands.
    "classrooms": Toy(case(area(rooms=1), [{(0, 0): 20}]), 1000, 0),
    # 10 local children without a room in the second year; an extension has at least 4 rooms at 30 each.
    "extension_size": Toy(
        case(area(extension_max=8, extension_min=4, extension_cost=30), [{(0, 1): 10}]), 120, 30
    ),
    # The same with a school of at least 6 rooms.
    "school_size": Toy(
        case(area(sites=1, school_min=6, school_max=8, school_cost=30), [{(0, 1): 10}]), 180, 30
    ),
    # Two classes are opened at 7 each, and stay.
    "opened_classes": Toy(case(area(rooms=2, equip_cost=7), [{(0, 0): 20, (1, 1): 20}]), 14, 0),
    # Two classes beyond none of today run for two years at 3.
    "added_classes": Toy(case(area(rooms=2, running_cost=3), [{(0, 0): 20, (1, 1): 20}]), 12, 0),
    # 10 guaranteed children, all in public schools before, none now: 10 without a place (50) who also fall (10); in the
    # second year nobody is left.
    "share_not_falling": Toy(
        case(area(base_share=1.0), covered=[{(0, 0): 10}], prices=replace(PRICES, fall=10)), 600, 500
    ),
    # Two classes at 7 with a budget of 10: 4 beyond it at 5 each.
    "budget_of_year": Toy(
        case(
            area(rooms=2, equip_cost=7, budget=np.array([10.0, 10.0])),
            [{(0, 0): 20}],
            prices=replace(PRICES, overrun=5),
        ),
        34,
        14,
    ),
    # Rooms of 2026 must be begun today (30 each); 1 or 3 classes of 10 are needed with equal chance; a child without a
    # seat costs 5.
    "nonanticipativity": Toy(
        case(
            area(extension_max=8, extension_min=1, extension_cost=30, extension_from=np.array([2026, 2026])),
            [{(0, 1): 10}, {(0, 1): 30}],
            tree=Tree((2,)),
            prices=replace(PRICES, local=5, covered=2),
        ),
        # q rooms: 30 q + ½ × 50 × (1 − q)⁺ + ½ × 50 × (3 − q)⁺: 100 (q = 0), 80 (1), 85 (2), 90 (3).
        80,
        # Known beforehand: 30 or 90.
        60,
    ),
    # Half the weight on the CVaR at 50 % (the worse scenario): 0 rooms cost 50 or 150, 1 room 30 or 130, 3 rooms 90.
    "tail": Toy(
        case(
            area(extension_max=8, extension_min=1, extension_cost=30, extension_from=np.array([2026, 2026])),
            [{(0, 1): 10}, {(0, 1): 30}],
            tree=Tree((2,)),
            prices=replace(PRICES, local=5, covered=2, risk_weight=0.5, alpha=0.5),
        ),
        # ½ × mean + ½ × worst: 1 room (80 + 130) / 2 = 105, 2 rooms (85 + 110) / 2 = 97.5, 3 rooms 90.
        90,
        # The tail costs nothing, however low its threshold.
        float("-inf"),
    ),
}  # fmt: skip


def test_every_rule_has_a_toy_and_a_docstring_with_unit_and_measure() -> None:
    assert set(TOYS) == set(RULES)
    for name, function in RULES.items():
        said = function.__doc__ or ""
        assert "row:" in said, name
        assert any(sign in said for sign in ("<=", ">=", "=")), name


@pytest.mark.parametrize("name", sorted(TOYS))
def test_toy(name: str) -> None:
    toy = TOYS[name]
    assert solve(toy.case, EXACT).value == pytest.approx(toy.with_rule, abs=1e-6)


@pytest.mark.parametrize("name", sorted(TOYS))
def test_a_rule_left_out_is_noticed(name: str) -> None:
    toy = TOYS[name]
    rules = {k: r for k, r in RULES.items() if k != name}
    if toy.without_rule == float("-inf"):
        with pytest.raises(ModelError, match="unbounded"):
            solve(toy.case, EXACT, rules=rules)
        return
    assert solve(toy.case, EXACT, rules=rules).value == pytest.approx(toy.without_rule, abs=1e-6)
    assert toy.with_rule != toy.without_rule


def test_what_is_lost_as_classes_are_missing_is_exact_at_whole_numbers() -> None:
    """Against enumeration: which classes to leave out so that the fewest children lose their seat."""
    draw = np.random.default_rng(7)
    for _ in range(60):
        grades, seats = int(draw.integers(1, 4)), int(draw.integers(2, 6))
        children = draw.integers(0, 12, grades).astype(float)
        slope, start = missing(children[None, :, None], seats)
        for classes in range(12):
            best = children.sum() - _most_seated(children.tolist(), seats, classes)
            assert max(0.0, float((start - slope * classes).max())) == pytest.approx(best)


def test_further_children_sit_in_classes_of_their_own_grade() -> None:
    """Room for one class with 8 local children of grade 1: five further ones of grade 2 find no seat in it."""
    place, prices = area(rooms=1, base_share=1.0), replace(PRICES, fall=10)
    found = solve(case(place, [{(0, 0): 8}], [{}], [{(1, 0): 5}], prices=prices), EXACT)
    assert found.value == pytest.approx(50)
    assert found.x["other"].sum() == pytest.approx(0)
    # With a second room their grade has its class; a third class for two of another grade is one too many.
    place = replace(place, rooms=np.array([2.0, 0]), seats=np.array([10.0, 10]))
    found = solve(case(place, [{(0, 0): 8}], [{}], [{(1, 0): 5, (2, 0): 2}], prices=prices), EXACT)
    assert found.value == pytest.approx(20)
    assert found.x["other"].sum() == pytest.approx(5)


def _rows(m: Matrix, columns: list[int]) -> tuple[set[tuple[float, ...]], np.ndarray]:
    """Every row as numbers (coefficients in the order ``columns``, bounds), the first coefficient made positive."""
    dense = np.zeros((len(m.row_lower), len(m.lower)))
    row = np.repeat(np.arange(len(m.row_lower)), np.diff(m.start))
    np.add.at(dense, (row, m.index), m.coefficient)
    dense = dense[:, columns]
    sign = np.where(dense[np.arange(len(dense)), (dense != 0).argmax(axis=1)] < 0, -1.0, 1.0)
    low, high = np.where(sign > 0, m.row_lower, -m.row_upper), np.where(sign > 0, m.row_upper, -m.row_lower)
    table = np.column_stack([dense * sign[:, None], low, high]).round(7) + 0.0
    return {tuple(r) for r in table.tolist() if any(r[:-2])}, table


@pytest.mark.parametrize("name", sorted(n for n in TOYS if n != "tail"))
@pytest.mark.parametrize("counts", [False, True])
def test_the_matrix_written_from_arrays_is_that_of_the_formulation(name: str, counts: bool) -> None:
    c = replace(TOYS[name].case, purchased_counts=counts)
    closed = [(0, 0, 0), (c.tree.leaves - 1, 1, 1)]
    m = build(c, closed=closed)
    read = extract(m, [m.objective_value])
    fast, at = matrix(c, closed), columns_of(c)
    order = [int(at[v][key]) for v in (*BY_STAGE, "fall", "overrun") for key in np.ndindex(at[v].shape)]
    order += range(len(order), len(fast.lower))
    slow = [read.column_of[id(getattr(m, v)[key])] for v in (*BY_STAGE, "fall", "overrun")
            for key in np.ndindex(at[v].shape)]  # fmt: skip
    slow += [read.column_of[id(v[key])] for v in (m.given_up, m.full_given_up, m.spare) for key in v]
    assert _rows(fast, order)[0] == _rows(read, slow)[0]
    assert fast.upper[order] == pytest.approx(read.upper[slow])
    assert fast.lower[order] == pytest.approx(read.lower[slow])
    assert (fast.integer[order] == read.integer[slow]).all()
    assert fast.costs[0][order] == pytest.approx(read.costs[0][slow])


def _most_seated(children: list[float], seats: int, classes: int) -> float:
    if not children:
        return 0.0
    return max(min(children[0], n * seats) + _most_seated(children[1:], seats, classes - n) for n in range(classes + 1))


def test_cvar_is_the_mean_of_the_worst() -> None:
    values, chances = np.array([1.0, 2.0, 3.0, 4.0]), np.full(4, 0.25)
    assert cvar(values, chances, 0.75) == 4
    assert cvar(values, chances, 0.5) == 3.5
    assert cvar(values, chances, 0.9) == 4
    assert cvar(values, chances, 0.6) == pytest.approx((0.25 * 4 + 0.15 * 3) / 0.4)
