"""Seat expansion under uncertainty: what to begin now, what to leave to the yearly reviews, and what that is worth.

One penalised cost with complete recourse, area by area (nothing but a cap on what is begun now couples them): purchases
end at their cap, then shortfall is priced. Openings whose lead time begins before the next yearly review are decided
here and now; all else is policy, decided at the review at which it must begin, knowing what is known there. Plans are
evaluated on a fresh tree of independent branches at the first review, with the branchings of the planning tree after
it, by a policy that knows no more at a review than the planning tree lets it know. In both trees a scenario is known to
its end after the last branching, which makes later decisions, and so waiting, look a little better than they will be.
The formulation is in :mod:`zjsim.models.hedge_rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from math import fsum

import numpy as np
from zjsim.models.hedge_data import Area, Case, Demand, Floats, Penalties, Tree, areas
from zjsim.models.hedge_scenarios import Futures, uncertainties
from zjsim.models.hedge_solve import Hedge, Solved, Start, evaluate, hedge, nothing, solve, start_cost
from zjsim.models.seat_data import YUAN, HasTables

from zjsim.scenario.parameters import HedgeParameters
from zjsim.simulate.workers import mapped
from zjsim.solve.options import Options

Progress = Callable[[int, int], None]
PLANS = ("hedged", "mean_value", "wait")
"""Plans that are compared: hedged against all scenarios, made for the mean, and beginning nothing today."""
_PRICES = 24
"""Halvings of the price on what is begun now, when a cap binds."""


@dataclass(frozen=True)
class AreaResult:
    """One area: its solves, and each plan's openings of today on the fresh futures."""

    hedge: Hedge
    fresh: dict[str, Solved]
    fresh_demand: Demand

    @property
    def area(self) -> Area:
        """The area."""
        return self.hedge.case.area

    def plan(self, name: str) -> Solved:
        """A plan of :data:`PLANS` on the tree."""
        return {"hedged": self.hedge.hedged, "mean_value": self.hedge.mean_value, "wait": self.hedge.wait}[name]


@dataclass(frozen=True)
class HedgeResult:
    """All areas in the order of their codes; ``cap_price`` is the worth of 1 yuan more of a binding cap on starts.

    ``cap_bound``: a proven lower bound of the expected cost under the cap (10,000 yuan), NaN without one.
    """

    areas: tuple[AreaResult, ...]
    tree: Tree
    futures: Futures
    fresh: Futures
    parameters: HedgeParameters
    cap_price: float = 0.0
    cap_bound: float = float("nan")


def penalties(p: HedgeParameters) -> Penalties:
    """The prices of a scenario's section ``hedge`` in 10,000 yuan."""
    return Penalties(
        local=p.local_price_yuan / YUAN,
        covered=p.place_price_yuan / YUAN,
        fall=p.share_price_yuan / YUAN,
        overrun=p.overrun_price,
        risk_weight=p.risk_weight,
        alpha=p.cvar_level,
    )


def solve_hedge(
    scenario: HasTables,
    *,
    only: Sequence[str] = (),
    workers: int = 1,
    progress: Progress | None = None,
) -> HedgeResult:
    """Solve every area (or those with the county codes ``only``), evaluate their plans on fresh futures.

    The result does not depend on ``workers``. Raises ``hedge_solve.HedgeStopped`` if a limit struck without a plan.
    """
    p = scenario.parameters.hedge
    tree = Tree(p.branching)
    numbers = uncertainties(scenario.table("demand_uncertainties"))
    year = scenario.parameters.time.as_of.year
    futures = Futures(numbers, year, p.seed, tree=tree)
    fresh = Futures(numbers, year, p.seed, tree=Tree((p.fresh_scenarios, *p.branching[1:])), fresh=True)
    everyone = scenario.parameters.seats.coverage_reading == "all_residents"
    counts = scenario.parameters.seats.public_share_reading == "with_purchased"
    options = Options(
        time_limit_s=p.area_time_limit_s, relative_gap=p.relative_gap, threads=scenario.parameters.solver.threads
    )
    places = [a for a in areas(scenario) if not only or a.county_code in only]
    cases = [
        Case(a, tree, futures.demand(a, all_covered=everyone), penalties(p), purchased_counts=counts) for a in places
    ]
    new = [fresh.demand(a, all_covered=everyone) for a in places]
    hedges: list[Hedge] = []
    for done, found in enumerate(mapped(hedge, workers, cases, repeat(options)), 1):
        hedges.append(found)
        if progress is not None:
            progress(done, 2 * len(cases))
    cap = p.start_budget_yuan / YUAN
    price, bound = 0.0, float("nan")
    if cap and fsum(start_cost(h.case.area, h.hedged.start) for h in hedges) > cap:
        hedges, price, bound = within_cap(hedges, cap, options)
    done_areas: list[AreaResult] = []
    for done, result in enumerate(mapped(_evaluated, workers, hedges, new, repeat(fresh.tree), repeat(options)), 1):
        done_areas.append(result)
        if progress is not None:
            progress(len(cases) + done, 2 * len(cases))
    return HedgeResult(tuple(done_areas), tree, futures, fresh, p, price, bound)


def _evaluated(found: Hedge, fresh: Demand, tree: Tree, options: Options) -> AreaResult:
    """Each plan's openings of today on fresh futures; equal openings are evaluated once."""
    known: dict[Start, Solved] = {}
    for start in (found.hedged.start, found.mean_start, nothing(found.case.area)):
        if start not in known:
            known[start] = evaluate(found.case, start, fresh, tree, options)
    zero = nothing(found.case.area)
    plans = {"hedged": known[found.hedged.start], "mean_value": known[found.mean_start], "wait": known[zero]}
    return AreaResult(found, plans, fresh)


def within_cap(hedges: Sequence[Hedge], cap: float, options: Options) -> tuple[list[Hedge], float, float]:
    """Plans that together begin for at most ``cap`` (10,000 yuan) today, the price of the cap, and a lower bound.

    A price on what is begun today makes the areas independent again (Lagrange): it is raised until they keep within the
    cap. Every plan met on the way, the mean-value plan and waiting are candidates, of which one per area is chosen so
    that the sum of expected costs is least within the cap (dynamic programme over whole 10,000 yuan, rounded up). The
    bound is the best Lagrangian bound.
    """
    found = [_candidates(h) for h in hedges]
    asking = [i for i, h in enumerate(hedges) if start_cost(h.case.area, h.hedged.start) > 0]
    rest = fsum(h.hedged.bound for i, h in enumerate(hedges) if i not in asking)
    low, high, best = 0.0, 4.0, rest + fsum(hedges[i].hedged.bound for i in asking)
    price_at = low
    for _ in range(_PRICES):
        price = (low + high) / 2
        begun = bound = 0.0
        for i in asking:
            case = hedges[i].case
            priced = solve(case, options, price_on_starts=price)
            cost = start_cost(case.area, priced.start)
            begun += cost
            bound += priced.bound
            value = priced.value - price * cost
            known = found[i].get(priced.start)
            if known is None or value < known.value:
                found[i][priced.start] = replace(priced, value=value, bound=min(hedges[i].hedged.bound, value))
        if rest + bound - price * cap > best:
            best, price_at = rest + bound - price * cap, price
        low, high = (price, high) if begun > cap else (low, price)
        if high - low < 1e-3:
            break
    chosen = _choose([found[i] for i in asking], [hedges[i].case.area for i in asking], cap)
    new = list(hedges)
    for i, start in zip(asking, chosen, strict=True):
        plan = found[i][start]
        new[i] = replace(hedges[i], hedged=replace(plan, bound=min(hedges[i].hedged.bound, plan.value)))
    return new, price_at, best


def _candidates(h: Hedge) -> dict[Start, Solved]:
    found: dict[Start, Solved] = {}
    for plan in (h.wait, h.mean_value, h.hedged):
        found.setdefault(plan.start, plan)
    return found


def _choose(found: Sequence[dict[Start, Solved]], places: Sequence[Area], cap: float) -> list[Start]:
    """One candidate per area at least total cost within the cap."""
    room = int(cap + 1e-9)
    best: Floats = np.zeros(room + 1)
    taken: list[list[Start]] = []
    weights: list[dict[Start, int]] = []
    for plans, area in zip(found, places, strict=True):
        starts = sorted(plans)
        weight = {s: int(np.ceil(start_cost(area, s) - 1e-9)) for s in starts}
        options = np.full((len(starts), room + 1), np.inf)
        for j, s in enumerate(starts):
            if weight[s] <= room:
                options[j, weight[s] :] = best[: room + 1 - weight[s]] + plans[s].value
        at = options.argmin(axis=0)
        best = options.min(axis=0)
        taken.append([starts[j] for j in at])
        weights.append(weight)
    chosen: list[Start] = []
    left = room
    for picks, weight in zip(reversed(taken), reversed(weights), strict=True):
        start = picks[left]
        chosen.append(start)
        left -= weight[start]
    return chosen[::-1]
