"""One area's solves under uncertainty: the hedged plan, the mean-value plan, waiting, and hindsight.

* RP, the recourse problem: openings of today chosen for all scenarios together, the rest later;
* EV, the mean-value problem: the expected children as the only scenario; EEV: its openings of today under all;
* waiting: nothing begun today;
* WS, wait and see: each scenario planned as if it had been known.

For proven solves WS <= RP <= EEV. A solve that stops at its gap gives a value and a bound; both are carried along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum

import numpy as np
from zjsim.models.hedge_data import Area, Case, Demand, Floats, Tree
from zjsim.models.hedge_matrix import columns_of, matrix, price_starts
from zjsim.models.hedge_rules import RULES, Rule, build

from zjsim.solve.goals import Goal, Prepared, Solution
from zjsim.solve.highs import Program, relative_gap
from zjsim.solve.options import Options
from zjsim.solve.results import Infeasible, Stopped

BY_STAGE = (
    *("extension", "schools", "school_rooms", "classes", "short", "local_short", "bought", "without", "other"),
    *("added", "opened"),
)
BY_YEAR = ("fall", "overrun")
_CHILDREN = 1e-4
"""Children by which a solver may miss a row."""
Start = tuple[tuple[str, int, int, float], ...]
"""Openings of today: (variable, stage, year index, value) in order, zeros included."""


class HedgeStopped(Exception):  # noqa: N818 - says what happened
    """A limit was reached before any plan of an area was found."""


@dataclass(frozen=True)
class Solved:
    """One solve: value and proven bound (10,000 yuan), openings of today, decisions and costs by scenario.

    ``x`` maps each variable to its array (scenario, stage, year) or (scenario, year).
    """

    value: float
    bound: float
    start: Start
    x: Mapping[str, Floats]
    costs: Floats

    @property
    def gap(self) -> float:
        """Relative gap between value and bound: 0 when proven."""
        return relative_gap(self.value, self.bound)


def start_keys(area: Area) -> list[tuple[str, int, int]]:
    """What today decides: (variable, stage, year index) of openings whose lead time ends the wait for a review."""
    found = []
    for name, kind in (("extension", "extension"), ("schools", "school"), ("school_rooms", "school")):
        first = area.extension_from if kind == "extension" else area.school_from
        for s in (0, 1):
            for y, year in enumerate(area.years):
                if year >= first[s] and area.review(kind, s, y) == 0:
                    found.append((name, s, y))
    return found


def nothing(area: Area) -> Start:
    """Begin nothing today."""
    return tuple((*key, 0.0) for key in start_keys(area))


def start_cost(area: Area, start: Start) -> float:
    """What today's openings cost to build (10,000 yuan)."""
    price = {"extension": area.extension_cost, "school_rooms": area.school_cost}
    return float(fsum(value * price[name][s] for name, s, _, value in start if name in price))


def solve(
    case: Case,
    options: Options,
    *,
    fixed: Start | None = None,
    rules: dict[str, Rule] = RULES,
    price_on_starts: float = 0.0,
) -> Solved:
    """The case at least cost; ``fixed`` openings of today; ``price_on_starts`` per 10,000 yuan begun today.

    The rule ``no_empty_seat`` is written where a plan breaks it, until none does: a plan that is best without its rows
    and keeps it is best with them. Raises :class:`HedgeStopped` if time ran out before a plan was found. Without
    ``rules`` dropped it is never infeasible: purchases end at their cap, then shortfall has its price.
    """
    if fixed is None and case.free.all():
        return _free(case)
    if fixed is not None and case.free.all() and not any(v for *_, v in fixed):
        return _free(case)
    once = _from_arrays if rules is RULES and not case.penalties.risk_weight else _from_model
    closed: list[Cell] = []
    bound = -np.inf
    while True:
        found = once(case, options, fixed, rules, price_on_starts, closed)
        bound = max(bound, found[1])
        broken = sorted(set(_broken(case, found[2], rules)) - set(closed))
        if not broken:
            break
        closed += broken
    value, _, x = found
    start = tuple((n, s, y, float(x[n][0, s, y])) for n, s, y in start_keys(case.area))
    bound = min(bound, value)
    return Solved(value, bound if price_on_starts else max(bound, 0.0), start, x, costs(case, x))


Cell = tuple[int, int, int]
Found = tuple[float, float, dict[str, Floats]]


def _broken(case: Case, x: Mapping[str, Floats], rules: Mapping[str, Rule]) -> list[Cell]:
    """Cells (scenario, stage, year) where seats are kept empty, or further children sit in seats of other grades."""
    if "no_empty_seat" not in rules:
        return []
    slope, start = case.pieces
    least = np.maximum(0.0, (start - slope * x["classes"][..., None]).max(axis=-1))
    wrong = x["short"] > least + _CHILDREN
    if "empty_seats" in rules:
        wrong |= x["other"] > case.most_further(x["classes"]) + _CHILDREN
    return [(int(k), int(s), int(y)) for k, s, y in np.argwhere(wrong)]


def _from_arrays(
    case: Case,
    options: Options,
    fixed: Start | None,
    rules: dict[str, Rule],
    price_on_starts: float,
    closed: Sequence[Cell],
) -> Found:
    """One solve of the matrix written from arrays (all rules, no weight on the tail)."""
    written, at = matrix(case, closed), columns_of(case)
    if fixed is not None:
        for n, s, y, value in fixed:
            written.lower[at[n][:, s, y]] = written.upper[at[n][:, s, y]] = value
    cost = written.costs[0]
    if price_on_starts:
        price_starts(case, start_keys(case.area), price_on_starts, cost)
    outcome = Program(written, options).run(cost, 0.0, "minimise")
    if outcome.status not in ("optimal", "feasible"):
        raise HedgeStopped(f"{case.area.code} {case.area.name_zh}: {outcome.reason or outcome.status}")
    value, bound = outcome.value, outcome.bound
    if bound > value or abs(bound - value) <= 1e-9 * max(1.0, abs(value)):
        bound = value
    return value, bound, {name: outcome.x[at[name]] for name in (*BY_STAGE, *BY_YEAR)}


def _from_model(
    case: Case,
    options: Options,
    fixed: Start | None,
    rules: dict[str, Rule],
    price_on_starts: float,
    closed: Sequence[Cell],
) -> Found:
    """One solve of the readable reference."""
    m = build(case, rules, closed)
    objective = m.objective_value
    if price_on_starts:
        a = case.area
        for name, cost in (("extension", a.extension_cost), ("school_rooms", a.school_cost)):
            keys = [(s, y) for n, s, y in start_keys(a) if n == name]
            objective = objective + price_on_starts * sum(getattr(m, name)[0, s, y] * float(cost[s]) for s, y in keys)
    prepared = Prepared(m, [Goal("cost", "minimise", objective, "10k yuan")], options)
    bounds = []
    if fixed is not None:
        bounds = [(getattr(m, n)[k, s, y], value, value) for n, s, y, value in fixed for k in range(case.tree.leaves)]
    result = prepared.solve(bounds=bounds)
    if isinstance(result, Stopped | Infeasible):
        raise HedgeStopped(f"{case.area.code} {case.area.name_zh}: {getattr(result, 'reason', 'infeasible')}")
    stage = result.stages[0]
    return stage.value, stage.bound, _read(case, result.plan, m)


def _read(case: Case, plan: Solution, m: object) -> dict[str, Floats]:
    found, leaves, n = {}, case.tree.leaves, len(case.area.years)
    for name, shape in (*((v, (leaves, 2, n)) for v in BY_STAGE), *((v, (leaves, n)) for v in BY_YEAR)):
        variable = getattr(m, name)
        found[name] = np.array([plan.value(variable[key]) for key in np.ndindex(shape)]).reshape(shape)
    return found


def _free(case: Case) -> Solved:
    """A case that costs nothing: today's classes seat every child in every scenario."""
    shape = (case.tree.leaves, 2, len(case.area.years))
    x = {name: np.zeros(shape) for name in BY_STAGE} | {name: np.zeros((shape[0], shape[2])) for name in BY_YEAR}
    x["classes"], x["other"] = case.needed.copy(), case.other.copy()
    # Classes of today that stand idle are kept, not closed and opened again.
    x["classes"] = np.maximum(x["classes"], np.minimum(case.area.base_classes[:, None], case.most_classes))
    return Solved(0.0, 0.0, nothing(case.area), x, np.zeros(shape[0]))


def spent(case: Case, x: Mapping[str, Floats]) -> dict[str, Floats]:
    """Money by scenario, stage and year (10,000 yuan): building, equipment, added classes, purchases."""
    a = case.area
    capital = np.zeros(x["classes"].shape)
    for s in (0, 1):
        capital[:, s] += x["extension"][:, s] @ (a.payments("extension", s) * a.extension_cost[s])
        capital[:, s] += x["school_rooms"][:, s] @ (a.payments("school", s) * a.school_cost[s])
    return {
        "capital": capital,
        "equip": x["opened"] * a.equip_cost[:, None],
        "running": x["added"] * a.running_cost[:, None],
        "purchase": x["bought"] * a.price[:, None],
    }


def penalised(case: Case, x: Mapping[str, Floats]) -> Floats:
    """Price of what is missing by scenario (10,000 yuan)."""
    p = case.penalties
    children = (p.local * x["local_short"] + p.covered * x["without"]).sum(axis=(1, 2))
    return np.asarray(children + (p.fall * x["fall"] + p.overrun * x["overrun"]).sum(axis=1))


def costs(case: Case, x: Mapping[str, Floats]) -> Floats:
    """Money and price of what is missing, by scenario (10,000 yuan)."""
    return np.asarray(sum(m.sum(axis=(1, 2)) for m in spent(case, x).values()) + penalised(case, x))


def cvar(values: Floats, chances: Floats, alpha: float) -> float:
    """Mean of the worst 1 − ``alpha`` of the distribution (a scenario on the edge counts with the part inside)."""
    order = np.argsort(-values, kind="stable")
    left = np.clip((1 - alpha) - np.concatenate([[0.0], np.cumsum(chances[order])[:-1]]), 0.0, chances[order])
    return float((left * values[order]).sum() / (1 - alpha))


@dataclass(frozen=True)
class Hedge:
    """One area's answers. ``wait`` is the plan that begins nothing today; ``seen`` has one solve per scenario."""

    case: Case
    hedged: Solved
    mean_value: Solved
    mean_start: Start
    wait: Solved
    seen: tuple[Solved, ...]

    @property
    def wait_and_see(self) -> Floats:
        """Cost of each scenario had it been known."""
        return np.array([s.value for s in self.seen])


def hedge(case: Case, options: Options) -> Hedge:
    """All solves of one area; plans of one problem that are feasible for another are used there when better."""
    chances = case.tree.probability
    if case.free.all():
        free, alone = _free(case), Tree((1,))
        seen = tuple(_free(case.under(alone, case.demand.only([k]))) for k in range(case.tree.leaves))
        return Hedge(case, free, free, free.start, free, seen)
    mean = solve(case.under(Tree((1,)), case.demand.mean(chances)), options)
    zero = nothing(case.area)
    wait = begun(case, zero, options)
    eev = wait if mean.start == zero else begun(case, mean.start, options)
    rp = solve(case, options)
    rp = _least_started(case.area, rp, (wait, eev), options)
    eev = rp if eev.start == rp.start else eev
    wait = rp if wait.start == rp.start else wait
    seen = tuple(_seen(case, k, options, rp) for k in range(case.tree.leaves))
    return Hedge(case, rp, eev, mean.start, wait, seen)


def _least_started(area: Area, rp: Solved, others: Sequence[Solved], options: Options) -> Solved:
    """Of the plans that are as good as the best one within the solver's gap the one that begins least today.

    What can wait for the next review at no loss waits: that is not the solver's choice among equals. The bound is the
    recourse problem's.
    """
    plans = sorted((*others, rp), key=lambda p: start_cost(area, p.start))
    best = min(p.value for p in plans)
    allowed = best + max(options.relative_gap, 1e-9) * max(abs(best), 1e-6)
    chosen = next(p for p in plans if p.value <= allowed)
    return replace(chosen, bound=min(rp.bound, chosen.value))


def _seen(case: Case, k: int, options: Options, rp: Solved) -> Solved:
    """One scenario alone; the hedged plan's decisions in it are a plan for it too."""
    alone = case.under(Tree((1,)), case.demand.only([k]))
    found = solve(alone, options)
    if rp.costs[k] < found.value and not case.penalties.risk_weight:
        x = {name: a[[k]] for name, a in rp.x.items()}
        return Solved(float(rp.costs[k]), min(found.bound, float(rp.costs[k])), rp.start, x, rp.costs[[k]])
    return found


def begun(case: Case, start: Start, options: Options) -> Solved:
    """The best policy after the openings ``start`` of today.

    Once they are fixed nothing couples the nodes of the first review, so each is solved on its own (a CVaR in the
    objective would couple them: then all together).
    """
    tree = case.tree
    if case.penalties.risk_weight:
        return solve(case, options, fixed=start)
    nodes = tree.nodes(1)
    below = Tree((1, *tree.branching[1:]))  # the first review tells nothing more apart within a node
    x = {name: values.copy() for name, values in _free(case).x.items()}
    value = bound = 0.0
    for node in range(int(nodes[-1]) + 1):
        at = np.flatnonzero(nodes == node)
        chance = float(tree.probability[at].sum())
        tail = replace(below, chances=tuple(tree.probability[at] / chance)) if tree.chances else below
        part = solve(case.under(tail, case.demand.only(at.tolist())), options, fixed=start)
        value, bound = value + chance * part.value, bound + chance * part.bound
        for name, values in part.x.items():
            x[name][at] = values
    return Solved(value, bound, start, x, costs(case, x))


def evaluate(case: Case, start: Start, fresh: Demand, tree: Tree, options: Options) -> Solved:
    """``start`` on a fresh tree: every later decision is the best one for what is known at its review, and no more."""
    alone = replace(case, penalties=replace(case.penalties, risk_weight=0.0))
    return begun(alone.under(tree, fresh), start, options)
