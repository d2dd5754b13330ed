"""One year's placement as a transport problem: the readable Pyomo formulation and the same matrix emitted from arrays.

Groups of equal children (same neighbourhood, tier, candidate schools …) are sent to schools' sections (school × grade).
Every pair a group may use is an *arc*; a child that gets no place stays unplaced, which a goal can price. All data are
whole numbers (children, seats, costs in whole units such as 10 m), so plans and prices come out whole and can be
checked without rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from pyomo.core.expr import LinearExpression
from zjsim.models.array_checks import whole_numbers

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Transport:
    """``supply``: children per group; ``capacity``: seats per school; arc ``a`` joins ``group[a]`` and ``school[a]``.

    Groups and schools are numbered from 0. A group or a school without arcs is allowed; a pair joined by two arcs too.
    """

    supply: IntArray
    capacity: IntArray
    group: IntArray
    school: IntArray

    def __post_init__(self) -> None:
        """Lists are taken as arrays; ValueError if they aren't whole numbers."""
        _as_arrays(self, ("supply", "capacity", "group", "school"))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of groups, schools and arcs."""
        return len(self.supply), len(self.capacity), len(self.group)


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be small: ``arc_cost`` per child sent along an arc, ``unplaced_cost`` per unplaced child of a group.

    Whole numbers in ``unit``; several goals are met one after another in their order.
    """

    name: str
    arc_cost: IntArray
    unplaced_cost: IntArray
    unit: str = ""

    def __post_init__(self) -> None:
        """Lists are taken as arrays; ValueError if they aren't whole numbers."""
        _as_arrays(self, ("arc_cost", "unplaced_cost"))


def _as_arrays(of: Transport | Goal, names: Sequence[str]) -> None:
    """Arrays stay as they are (and are looked at by :func:`checked`): large ones are never copied."""
    for name in names:
        if not isinstance(given := getattr(of, name), np.ndarray):
            object.__setattr__(of, name, whole_numbers(name, given))


def checked(problem: Transport, goals: Sequence[Goal]) -> None:
    """ValueError on arrays that don't fit together, on negative supplies and seats, on anything that isn't whole."""
    n_groups, n_schools, n_arcs = problem.shape
    for name in ("supply", "capacity", "group", "school"):
        whole_numbers(name, getattr(problem, name))
    if len(problem.school) != n_arcs:
        raise ValueError(f"{n_arcs} arcs have a group, {len(problem.school)} a school")
    for name, index, size in (("group", problem.group, n_groups), ("school", problem.school, n_schools)):
        if n_arcs and not (index.min() >= 0 and index.max() < size):
            raise ValueError(f"an arc names a {name} outside 0..{size - 1}")
    if problem.supply.min(initial=0) < 0 or problem.capacity.min(initial=0) < 0:
        raise ValueError("children and seats must not be negative")
    if not len(goals):
        raise ValueError("at least one goal is needed")
    for goal in goals:
        if len(goal.arc_cost) != n_arcs or len(goal.unplaced_cost) != n_groups:
            raise ValueError(f"goal {goal.name} prices {len(goal.arc_cost)} arcs, {len(goal.unplaced_cost)} groups")
        for costs in (goal.arc_cost, goal.unplaced_cost):
            whole_numbers(f"the costs of goal {goal.name}", costs)


def placement_model(problem: Transport, goals: Sequence[Goal]) -> pyo.ConcreteModel:
    """The readable formulation: children sent along arcs, children unplaced, one expression per goal (none active)."""
    n_groups, n_schools, n_arcs = problem.shape
    leaving: list[list[int]] = [[] for _ in range(n_groups)]
    arriving: list[list[int]] = [[] for _ in range(n_schools)]
    for arc, (group, school) in enumerate(zip(problem.group.tolist(), problem.school.tolist(), strict=True)):
        leaving[group].append(arc)
        arriving[school].append(arc)
    model = pyo.ConcreteModel()
    model.sent = pyo.Var(range(n_arcs), domain=pyo.NonNegativeReals)
    model.unplaced = pyo.Var(range(n_groups), domain=pyo.NonNegativeReals)
    supply, capacity = problem.supply.tolist(), problem.capacity.tolist()
    model.every_child_counts = pyo.Constraint(
        range(n_groups), rule=lambda m, i: every_child_counts(m, i, leaving[i], supply[i])
    )
    used = [school for school in range(n_schools) if arriving[school]]
    model.seats = pyo.Constraint(used, rule=lambda m, j: seats(m, arriving[j], capacity[j]))
    model.goal = pyo.Expression(range(len(goals)), rule=lambda m, k: goal_value(m, goals[k]))
    return model


def every_child_counts(model: pyo.ConcreteModel, group: int, arcs: Sequence[int], supply: int) -> pyo.Expression:
    """Every child of a group is sent somewhere or counted unplaced: Σ sent + unplaced = supply (children, M106)."""
    return LinearExpression([*(model.sent[arc] for arc in arcs), model.unplaced[group]]) == supply


def seats(model: pyo.ConcreteModel, arcs: Sequence[int], capacity: int) -> pyo.Expression:
    """No section takes more children than it has seats: Σ sent ≤ seats (seats, M108)."""
    return LinearExpression([model.sent[arc] for arc in arcs]) <= capacity


def goal_value(model: pyo.ConcreteModel, goal: Goal) -> pyo.Expression:
    """What a goal adds up: Σ arc cost · sent + Σ unplaced cost · unplaced (the goal's unit)."""
    costs = [*goal.arc_cost.tolist(), *goal.unplaced_cost.tolist()]
    return LinearExpression(linear_coefs=costs, linear_vars=[*model.sent.values(), *model.unplaced.values()])


@dataclass(frozen=True, slots=True)
class Columns:
    """The model's matrix by columns, as HiGHS takes it: children sent per arc, then unplaced per group.

    Rows: one per group (= supply), then one per school (≤ capacity), schools without arcs included (empty rows).
    """

    start: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]
    value: FloatArray
    lower: FloatArray
    upper: FloatArray


def placement_matrix(problem: Transport) -> Columns:
    """The same rows as :func:`placement_model`, emitted from arrays (tested equal)."""
    n_groups, n_schools, n_arcs = problem.shape
    row = np.empty(2 * n_arcs + n_groups, np.int32)
    row[0 : 2 * n_arcs : 2] = problem.group
    row[1 : 2 * n_arcs : 2] = problem.school
    row[1 : 2 * n_arcs : 2] += n_groups
    row[2 * n_arcs :] = np.arange(n_groups)
    start = np.empty(n_arcs + n_groups, np.int32)
    start[:n_arcs] = 2 * np.arange(n_arcs)
    start[n_arcs:] = 2 * n_arcs + np.arange(n_groups)
    return Columns(
        start=start,
        row=row,
        value=np.ones(len(row)),
        lower=np.concatenate([problem.supply, np.full(n_schools, -np.inf)]),
        upper=np.concatenate([problem.supply, problem.capacity]).astype(np.float64),
    )
