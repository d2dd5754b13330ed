"""The fewest whole classes that leave as few children without a place as any number of classes would (M108).

A class places at most its seats of the children left over, so (children it would help ÷ seats of the largest class,
rounded up) is a bound. Classes are first opened one at each school in turn, as long as each of them fills up; if the
number then is the bound, it is proven. Otherwise the mixed-integer programme decides, which is the formulation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr import LinearExpression
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow
from zjsim.models.placement_core import connected_parts
from zjsim.models.placement_matrix import Goal, IntArray, Transport, every_child_counts, goal_value

from zjsim.solve.goals import Goal as SolveGoal
from zjsim.solve.goals import lexicographic
from zjsim.solve.options import Options
from zjsim.solve.results import Infeasible, Stopped


class LeftOver:
    """Children a placement of as many as possible leaves without a place, for any number of seats (maximum flow)."""

    def __init__(self, problem: Transport) -> None:
        n_groups, n_schools, _ = problem.shape
        self.children = int(problem.supply.sum())
        self.ends = n_groups + n_schools, n_groups + n_schools + 1
        groups, schools = np.arange(n_groups), n_groups + np.arange(n_schools)
        rows = (np.full(n_groups, self.ends[0]), problem.group, schools)
        columns = (groups, problem.school + n_groups, np.full(n_schools, self.ends[1]))
        self.fixed = np.concatenate([problem.supply, problem.supply[problem.group]])
        self.at = np.concatenate(rows), np.concatenate(columns)

    def __call__(self, seats: IntArray) -> int:
        """With these seats per school."""
        most = np.concatenate([self.fixed, seats]).astype(np.int32)
        graph = csr_array((most, self.at), shape=(self.ends[1] + 1,) * 2)
        return self.children - int(maximum_flow(graph, *self.ends).flow_value)


def fewest_classes(problem: Transport, size: IntArray, options: Options | None = None) -> tuple[IntArray, int] | None:
    """Further classes per school and the proven bound on their number; None if a limit struck before any was found.

    ``size``: seats of a class per school, 0 where none can be opened.
    """
    more, bound = np.zeros(len(size), np.int64), 0
    for part in connected_parts(merged(problem)):
        own = size[part.schools]
        found = opened_in_turn(part.problem, own) or solved_classes(part.problem, own, options)
        if found is None:
            return None
        more[part.schools] = found[0]
        bound += found[1]
    return more, bound


def opened_in_turn(problem: Transport, size: IntArray) -> tuple[IntArray, int] | None:
    """Classes opened in turn and the bound on their number; None unless the two are equal."""
    left, capacity = LeftOver(problem), problem.capacity
    taught = np.flatnonzero(size > 0)
    more = np.zeros(len(size), np.int64)
    now = left(capacity)
    least = left(capacity + np.where(size > 0, now, 0))
    bound = -(-(now - least) // int(size.max(initial=1)))

    def gain(schools: IntArray) -> int:
        opened = more.copy()
        opened[schools] += 1
        return now - left(capacity + opened * size)

    turn = taught
    while now > least and len(turn):
        full = _that_fill(turn, size, gain)
        more[full] += 1
        now -= int(size[full].sum())
        turn = full
    while now > least and more.sum() < bound:
        best = max((gain(np.array([s])), -s) for s in taught.tolist())
        more[-best[1]] += 1
        now -= best[0]
    return (more, bound) if now == least and more.sum() == bound else None


def _that_fill(turn: IntArray, size: IntArray, gain: Callable[[IntArray], int]) -> IntArray:
    """Schools of ``turn``, from its first on, where one class each would fill up beside those before it."""
    kept = turn[:0]
    waiting = [turn]
    while waiting:
        some = waiting.pop()
        both = np.concatenate([kept, some])
        if gain(both) == size[both].sum():
            kept = both
        elif len(some) > 1:
            half = len(some) // 2
            waiting += [some[half:], some[:half]]
    return kept


def solved_classes(problem: Transport, size: IntArray, options: Options | None = None) -> tuple[IntArray, int] | None:
    """The formulation's classes per school and the proven bound on their number; None if a limit struck before."""
    more = np.zeros(len(size), np.int64)
    model = class_model(problem, size)
    if not len(model.classes):
        return more, 0
    asked = [SolveGoal("placed", "minimise", model.left_over), SolveGoal("classes", "minimise", model.opened)]
    found = lexicographic(model, asked, options)
    if isinstance(found, Infeasible | Stopped):
        return None
    for school, variable in model.classes.items():
        more[school] = round(pyo.value(variable))
    return more, round(found.stages[1].bound)


def merged(problem: Transport) -> Transport:
    """The same children with those to whom the same schools are open counted as one group.

    Who is sent where does not matter to how many are left over, so nothing is lost; a county's tens of thousands of
    arcs become a few thousand. Groups that no school is open to stay without a place whatever is opened: they are kept
    as one group without arcs.
    """
    order = np.lexsort((problem.school, problem.group))
    group, school = problem.group[order], problem.school[order]
    begins = np.searchsorted(group, np.arange(len(problem.supply) + 1))
    number: dict[bytes, int] = {}
    lists: list[IntArray] = []
    supply: list[int] = []
    for i, children in enumerate(problem.supply.tolist()):
        schools = school[begins[i] : begins[i + 1]]
        k = number.setdefault(schools.tobytes(), len(number))
        if k == len(lists):
            lists.append(schools)
            supply.append(0)
        supply[k] += children
    counts = [len(own) for own in lists]
    joined = np.concatenate([np.zeros(0, np.int64), *lists])
    return Transport(np.array(supply, np.int64), problem.capacity, np.repeat(np.arange(len(lists)), counts), joined)


def class_model(problem: Transport, class_seats: IntArray) -> pyo.ConcreteModel:
    """The formulation: children sent, children unplaced, further classes per section; two goals as expressions."""
    n_groups, n_schools, n_arcs = problem.shape
    leaving: list[list[int]] = [[] for _ in range(n_groups)]
    arriving: list[list[int]] = [[] for _ in range(n_schools)]
    for arc, (group, school) in enumerate(zip(problem.group.tolist(), problem.school.tolist(), strict=True)):
        leaving[group].append(arc)
        arriving[school].append(arc)
    supply, capacity, size = (a.tolist() for a in (problem.supply, problem.capacity, class_seats))
    model = pyo.ConcreteModel()
    model.sent = pyo.Var(range(n_arcs), domain=pyo.NonNegativeReals)  # whole by itself once the classes are
    model.unplaced = pyo.Var(range(n_groups), domain=pyo.NonNegativeReals)
    used = [school for school in range(n_schools) if arriving[school]]
    taught = [school for school in used if size[school] > 0]
    model.classes = pyo.Var(taught, domain=pyo.NonNegativeIntegers)
    model.every_child_counts = pyo.Constraint(
        range(n_groups), rule=lambda m, i: every_child_counts(m, i, leaving[i], supply[i])
    )
    model.seats_with_classes = pyo.Constraint(
        used, rule=lambda m, j: seats_with_classes(m, j, arriving[j], capacity[j], size[j])
    )
    nothing, every = np.zeros(n_arcs, np.int64), np.ones(n_groups, np.int64)
    model.left_over = pyo.Expression(expr=goal_value(model, Goal("placed", nothing, every)))
    model.opened = pyo.Expression(expr=classes_opened(model))
    return model


def seats_with_classes(
    model: pyo.ConcreteModel, school: int, arcs: Sequence[int], capacity: int, size: int
) -> pyo.Expression:
    """A section takes its seats and those of its further classes: Σ sent − size · classes ≤ seats (seats, M108)."""
    variables = [model.sent[arc] for arc in arcs]
    coefficients = [1] * len(arcs)
    if size > 0:
        variables.append(model.classes[school])
        coefficients.append(-size)
    return LinearExpression(linear_coefs=coefficients, linear_vars=variables) <= capacity


def classes_opened(model: pyo.ConcreteModel) -> pyo.Expression:
    """Further classes in all (classes, M108): Σ classes."""
    return sum(model.classes.values())
