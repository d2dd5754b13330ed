"""Placement: brute force over all plans, the Pyomo model, the proof and what must break it, grouping and splitting."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from pyomo.environ import ComponentMap, Constraint, value
from pyomo.repn import generate_standard_repn
from zjsim.models import placement_faces
from zjsim.models.placement_check import goal_values
from zjsim.models.placement_core import connected_parts, group_children, seats_to_children, solve_placement
from zjsim.models.placement_matrix import Goal, Transport, placement_matrix, placement_model

from zjsim.solve.goals import Goal as SolveGoal
from zjsim.solve.goals import lexicographic
from zjsim.solve.results import Optimal

CORNERS = ("plain", "no seats", "no children", "one school", "ties everywhere", "unreachable", "no groups", "free")


def random_problem(seed, corner="plain", groups=3, schools=3, children=3, n_goals=3):
    rng = np.random.default_rng(seed)
    n_groups = 0 if corner == "no groups" else int(rng.integers(1, groups + 1))
    n_schools = 1 if corner == "one school" else int(rng.integers(1, schools + 1))
    pairs = [(i, j) for i in range(n_groups) for j in range(n_schools) if rng.random() < 0.75]
    if corner == "unreachable":
        pairs = [(i, j) for i, j in pairs if i > 0 and j > 0]
    group, school = (np.array([pair[k] for pair in pairs], np.int64) for k in (0, 1))
    supply = rng.integers(0, 1 if corner == "no children" else children + 1, n_groups)
    seats = rng.integers(0, 1 if corner == "no seats" else children + 1, n_schools)
    goals = []
    for k in range(n_goals):
        most = {"ties everywhere": 1, "free": 0}.get(corner, (2, 3, 2000)[k % 3])
        # Costs differ by direction of travel and between groups: nothing is symmetric.
        arc_cost = rng.integers(-most if k == 1 else 0, most + 1, len(pairs))
        goals.append(Goal(f"goal {k}", arc_cost, rng.integers(0, most + 2, n_groups)))
    return Transport(supply, seats, group, school), goals


def ways(total, parts):
    """All ways to write ``total`` as a sum of ``parts`` whole numbers."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in ways(total - first, parts - 1):
            yield (first, *rest)


def best_of_all_plans(problem, goals):
    own = [np.flatnonzero(problem.group == i) for i in range(len(problem.supply))]
    options = [list(ways(int(n), len(arcs) + 1)) for n, arcs in zip(problem.supply, own, strict=True)]
    best = None
    for plan in itertools.product(*options):
        sent = np.zeros(len(problem.group), np.int64)
        for arcs, way in zip(own, plan, strict=True):
            sent[arcs] = way[:-1]
        load = np.bincount(problem.school, weights=sent, minlength=len(problem.capacity))
        if (load <= problem.capacity).all():
            values = goal_values(goals, sent, np.array([way[-1] for way in plan], np.int64))
            best = values if best is None else min(best, values)
    return best


@pytest.mark.parametrize("corner", CORNERS)
def test_equals_the_best_of_all_plans(corner):
    for seed in range(75):
        problem, goals = random_problem(seed, corner)
        placement = solve_placement(problem, goals)
        assert placement.values == best_of_all_plans(problem, goals), (corner, seed)
        assert placement.faults(problem, goals) == {}


@pytest.mark.parametrize("seed", range(15))
def test_two_arcs_may_join_a_group_and_a_school(seed):
    problem, goals = random_problem(seed, groups=2, schools=2)
    twice = replace(problem, group=np.tile(problem.group, 2), school=np.tile(problem.school, 2))
    own = [replace(g, arc_cost=np.concatenate([g.arc_cost, g.arc_cost[::-1]])) for g in goals]
    placement = solve_placement(twice, own)
    assert placement.values == best_of_all_plans(twice, own)
    assert placement.faults(twice, own) == {}


def test_equal_groups_are_one_only_where_options_and_costs_are_equal(monkeypatch):
    # Groups 0 and 2 differ by a constant, group 1 in an option, group 3 in a cost.
    problem = Transport(
        *(np.array(a) for a in ([1, 2, 3, 1], [2, 2, 2], [0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 0, 2, 1, 0, 0, 1]))
    )
    goal = Goal("way", np.array([1, 4, 1, 4, 9, 6, 1, 5]), np.array([10, 10, 15, 10]), "km")
    face = placement_faces.Face(problem)
    merged, number, first = face.merged(face.costs(goal))
    assert number[0] == number[2]
    assert len(set(number.tolist())) == 3
    assert sorted(merged.problem.supply.tolist()) == [1, 2, 4]
    assert first[number[2]] == 0
    expected = solve_placement(problem, [goal]).values
    # Marks that are equal by chance merge nothing.
    monkeypatch.setattr(placement_faces, "_mixed", lambda above, school: np.zeros(len(above), np.uint64))
    face = placement_faces.Face(problem)
    assert len(face.merged(face.costs(goal))[2]) == 4
    assert solve_placement(problem, [goal]).values == expected == best_of_all_plans(problem, [goal])


def medium(seed):
    return random_problem(seed, groups=40, schools=9, children=12, n_goals=4)


@pytest.mark.parametrize("seed", range(12))
def test_runs_over_equal_groups_and_the_pyomo_model_agree(seed):
    problem, goals = medium(seed)
    placement = solve_placement(problem, goals)
    model = placement_model(problem, goals)
    pyomo = lexicographic(model, [SolveGoal(g.name, "minimise", model.goal[k]) for k, g in enumerate(goals)])
    assert isinstance(pyomo, Optimal)
    assert placement.values == tuple(round(stage.value) for stage in pyomo.stages)
    assert placement.faults(problem, goals) == {}


@pytest.mark.parametrize("seed", range(20))
def test_the_emitted_matrix_is_the_pyomo_model(seed):
    problem, goals = random_problem(seed, CORNERS[seed % len(CORNERS)], groups=6, schools=5)
    model, matrix = placement_model(problem, goals), placement_matrix(problem)
    variables = [*model.sent.values(), *model.unplaced.values()]
    column = ComponentMap((v, k) for k, v in enumerate(variables))
    assert all(v.bounds == (0, None) for v in variables)
    emitted = {}
    ends = [*matrix.start[1:].tolist(), len(matrix.row)]
    for k, (a, b) in enumerate(zip(matrix.start.tolist(), ends, strict=False)):
        for row, coefficient in zip(matrix.row[a:b].tolist(), matrix.value[a:b].tolist(), strict=True):
            emitted[row, k] = coefficient
    n_groups = len(problem.supply)
    written = {}
    for row in model.component_data_objects(Constraint):
        r = row.index() + (n_groups if row.parent_component() is model.seats else 0)
        form = generate_standard_repn(row.body)
        assert form.is_linear()
        for v, c in zip(form.linear_vars, form.linear_coefs, strict=True):
            written[r, column[v]] = c
        lower = -np.inf if row.lower is None else value(row.lower) - form.constant
        assert (lower, value(row.upper) - form.constant) == (matrix.lower[r], matrix.upper[r])
    assert written == emitted
    for k, goal in enumerate(goals):
        form = generate_standard_repn(model.goal[k])
        costs = np.zeros(len(variables))
        for v, c in zip(form.linear_vars, form.linear_coefs, strict=True):
            costs[column[v]] = c
        assert costs.tolist() == [*goal.arc_cost.tolist(), *goal.unplaced_cost.tolist()]


@pytest.mark.parametrize("seed", range(12))
def test_a_worse_plan_never_passes_the_proof(seed):
    problem, goals = medium(100 + seed)
    placement = solve_placement(problem, goals)
    worse = 0
    for arc in np.flatnonzero(placement.sent).tolist():
        sent, unplaced = placement.sent.copy(), placement.unplaced.copy()
        sent[arc] -= 1
        unplaced[problem.group[arc]] += 1
        changed = replace(placement, sent=sent, unplaced=unplaced)
        if goal_values(goals, sent, unplaced) != placement.values:
            worse += 1
            assert changed.faults(problem, goals)
    assert worse or not placement.sent.any()


def test_every_condition_of_the_proof_can_fail():
    # Two groups of one child; school 0 is near and has one seat, school 1 has two.
    problem = Transport(*(np.array(a) for a in ([1, 1], [1, 2], [0, 0, 1, 1], [0, 1, 0, 1])))
    goals = [Goal("km", np.array([1, 5, 2, 3]), np.array([9, 9]), "km")]
    good = solve_placement(problem, goals)
    assert good.values == (4,)
    assert good.sent.tolist() == [1, 0, 0, 1]
    assert good.school_price[0, 1] == 0
    assert -4 <= good.school_price[0, 0] <= -1

    def broken(**changes):
        changes = {name: np.array(values) for name, values in changes.items()}
        return set(replace(good, **changes).faults(problem, goals))

    assert good.faults(problem, goals) == {}
    assert "children lost or doubled" in broken(sent=[1, 0, 0, 0])
    assert "school over its seats" in broken(sent=[1, 0, 1, 0])
    assert "children sent are negative" in broken(sent=[1, 0, -1, 2])
    assert "children on an arc with a reduced cost" in broken(sent=[0, 1, 0, 1])
    assert "unplaced at a reduced cost" in broken(sent=[0, 0, 0, 1], unplaced=[1, 0])
    assert "school with a price and free seats" in broken(sent=[0, 1, 0, 1])
    assert "school with a positive price" in broken(school_price=[[1, 0]])
    assert "arc with a negative reduced cost" in broken(group_price=[[6, 3]])
    assert "unplaced with a negative reduced cost" in broken(group_price=[[10, 10]])


def test_an_earlier_goal_is_never_given_up_for_a_later_one():
    # Placing both children costs 1000 km more than placing one.
    problem = Transport(*(np.array(a) for a in ([1, 1], [1, 1], [0, 0, 1], [0, 1, 0])))
    zero = np.zeros(3, np.int64)
    placed = Goal("placed", zero, np.array([1, 1]), "children")
    way = Goal("way", np.array([1, 1000, 1]), np.zeros(2, np.int64), "km")
    assert solve_placement(problem, [placed, way]).values == (0, 1001)
    assert solve_placement(problem, [way, placed]).values == (0, 2)


def test_a_seat_is_worth_what_one_more_seat_brings():
    for seed in range(30):
        problem, goals = random_problem(seed, groups=8, schools=4, children=6, n_goals=1)
        now = solve_placement(problem, goals)
        for school in range(len(problem.capacity)):
            more = problem.capacity.copy()
            more[school] += 1
            after = solve_placement(replace(problem, capacity=more), goals)
            # The price is one of the slopes left and right of the present number of seats.
            assert after.values[0] - now.values[0] >= now.school_price[0, school]


def test_equal_children_become_one_group_in_the_order_of_the_first():
    group, size, first = group_children([[5, 1], [2, 2], [5, 1], [0, 0], [2, 2], [5, 1]])
    assert group.tolist() == [0, 1, 0, 2, 1, 0]
    assert size.tolist() == [3, 2, 1]
    assert first.tolist() == [0, 1, 3]


def test_within_a_group_the_stronger_claim_comes_first():
    problem = Transport(*(np.array(a) for a in ([3, 2], [1, 5], [1, 0, 0, 1], [1, 0, 1, 0])))
    sent = np.array([1, 1, 1, 0])
    arcs = seats_to_children(problem, sent, np.array([0, 0, 1, 0, 1]), order=[7, 3, 2, 9, 2])
    assert arcs.tolist() == [2, 1, 0, -1, -1]


@pytest.mark.parametrize("seed", range(20))
def test_children_get_exactly_the_seats_of_the_plan(seed):
    problem, goals = medium(seed)
    placement = solve_placement(problem, goals)
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(len(problem.supply)), problem.supply))
    order = rng.integers(0, 5, len(group))
    arcs = seats_to_children(problem, placement.sent, group, order)
    placed = arcs >= 0
    assert np.bincount(arcs[placed], minlength=len(placement.sent)).tolist() == placement.sent.tolist()
    assert (problem.group[arcs[placed]] == group[placed]).all()
    for g in range(len(problem.supply)):
        left, seated = order[(group == g) & ~placed], order[(group == g) & placed]
        assert not len(left) or not len(seated) or seated.max() <= left.min()


def test_parts_cover_every_arc_once_and_an_executor_changes_nothing():
    problems, goals = zip(*(medium(seed) for seed in range(4)), strict=True)
    at_group = np.cumsum([0, *(len(p.supply) for p in problems)])
    at_school = np.cumsum([0, *(len(p.capacity) for p in problems)])
    whole = Transport(
        np.concatenate([p.supply for p in problems]),
        np.concatenate([p.capacity for p in problems]),
        np.concatenate([p.group + at_group[k] for k, p in enumerate(problems)]),
        np.concatenate([p.school + at_school[k] for k, p in enumerate(problems)]),
    )
    joined = [
        Goal(
            str(k),
            np.concatenate([g[k].arc_cost for g in goals]),
            np.concatenate([g[k].unplaced_cost for g in goals]),
        )
        for k in range(4)
    ]
    parts = list(connected_parts(whole))
    assert sorted(arc for part in parts for arc in part.arcs.tolist()) == list(range(len(whole.group)))
    for part in parts:
        assert (part.groups[part.problem.group] == whole.group[part.arcs]).all()
        assert (part.schools[part.problem.school] == whole.school[part.arcs]).all()
    one = solve_placement(whole, joined)
    with ThreadPoolExecutor(2) as executor:
        two = solve_placement(whole, joined, executor=executor)
    single = [solve_placement(p, g).values for p, g in zip(problems, goals, strict=True)]
    assert one.values == two.values == tuple(np.sum(single, axis=0).tolist())
    assert one.sent.tolist() == two.sent.tolist()
    assert one.parts == two.parts == len(parts) >= 4
    assert one.faults(whole, joined) == {}


def test_what_does_not_fit_is_refused():
    problem, goals = medium(1)
    with pytest.raises(ValueError, match="at least one goal"):
        solve_placement(problem, [])
    with pytest.raises(ValueError, match="prices"):
        solve_placement(problem, [replace(goals[0], arc_cost=goals[0].arc_cost[1:])])
    with pytest.raises(ValueError, match="whole numbers"):
        solve_placement(problem, [replace(goals[0], arc_cost=goals[0].arc_cost * 0.5)])
    with pytest.raises(ValueError, match="negative"):
        solve_placement(replace(problem, supply=problem.supply - 99), goals)
    with pytest.raises(ValueError, match="names a school outside"):
        solve_placement(replace(problem, school=problem.school + 99), goals)
    with pytest.raises(ValueError, match="arcs have a group"):
        solve_placement(replace(problem, school=problem.school[1:]), goals)


def test_lists_are_as_good_as_arrays() -> None:
    """Outside callers may give lists, empty ones too; what isn't whole is told."""
    found = solve_placement(Transport([2, 1], [1, 1], [0, 0, 1], [0, 1, 0]), [Goal("placed", [0, 0, 0], [1, 1])])
    assert found.values == (1,)
    nothing = solve_placement(Transport([], [], [], []), [Goal("placed", [], [])])
    assert (nothing.values, nothing.sent.tolist()) == ((0,), [])
    with pytest.raises(ValueError, match="supply must be whole numbers"):
        Transport([2.5], [1], [0], [0])
    with pytest.raises(ValueError, match="an arc names a school outside"):
        solve_placement(Transport([2], [1], [0], [3]), [Goal("placed", [0], [1])])
    with pytest.raises(ValueError, match="at least one goal"):
        solve_placement(Transport([2], [1], [0], [0]), [])
