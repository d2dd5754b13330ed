"""Seat expansion of single counties against two independent ways: enumeration, and one weighted model.

``python tests/benchmarks/bench_seat_counties.py [random counties] [real counties]`` (300 and 20 if not said).

* Random small counties of two and three years: every goal in order equals that of the enumeration in
  ``tests/models/test_seat_years_brute.py``, on seeds that the suite does not use.
* Real counties of the baseline with seven per cent fewer classrooms (so that goals are missed) up to 2028: one
  weighted sum of the elastic goals and the cost, minimised at once, gives what the goals give one after another; then
  one weighted sum of the goals after the cost, within the cost reached.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from runpy import run_path

from zjsim.models.seat_county import build, elastic_goals, goals, solve_county
from zjsim.models.seat_data import County, counties

from zjsim.scenario import load
from zjsim.solve.goals import Goal, lexicographic
from zjsim.solve.options import Options
from zjsim.solve.results import Optimal

WEIGHTS = {
    "local_without_seat": 1e7,
    "covered_without_place": 1e6,
    "public_share_fall": 1e5,
    "budget_overrun": 1e3,
    "bought_with_idle_rooms": 1e3,
    "cost": 1.0,
}
"""Weight of a unit of each goal: more than what a unit can save in all goals after it in these counties."""
AFTER = {"migrants_outside_public": 1e4, "added_room_years": 10.0, "class_changes": 0.001}
FEWER_ROOMS = 0.93
OPTIONS = Options(time_limit_s=600)


def random_counties(n: int) -> int:
    """How many of ``n`` random counties agree with enumeration (all, or the first that does not is raised)."""
    compare = run_path(str(Path(__file__).parents[1] / "models" / "test_seat_years_brute.py"))["compare"]
    for seed in range(1_000, 1_000 + n):
        compare(seed)
    return n


def real_counties(n: int) -> list[County]:
    """Counties spread evenly over the registry, with fewer rooms."""
    every = counties(load("baseline", sets=("time.seat_horizon=2028",)))
    chosen = [every[k * len(every) // n] for k in range(n)]
    return [
        replace(d, stages={s: replace(t, classrooms=int(t.classrooms * FEWER_ROOMS)) for s, t in d.stages.items()})
        for d in chosen
    ]


def weighted(d: County) -> dict[str, float]:
    """Values of all goals from two weighted sums, each minimised at once."""
    m = build(d)
    expressions = {g.name: g.expression for g in goals(m, d)}
    first = Goal("weighted", "minimise", sum(w * expressions[name] for name, w in WEIGHTS.items()), "", 1e-3)
    found = lexicographic(m, (first,), OPTIONS)
    assert isinstance(found, Optimal), d.code
    import pyomo.environ as pyo

    values = {name: float(pyo.value(expressions[name])) for name in WEIGHTS}
    again = build(d)
    expressions = {g.name: g.expression for g in goals(again, d)}
    again.reached = pyo.ConstraintList()
    for name, value in values.items():
        again.reached.add(expressions[name] <= value + (0.01 if name in ("cost", "budget_overrun") else 1e-6))
    after = Goal("after", "minimise", sum(w * expressions[name] for name, w in AFTER.items()), "", 1e-6)
    assert isinstance(lexicographic(again, (after,), OPTIONS), Optimal), d.code
    return values | {name: float(pyo.value(expressions[name])) for name in AFTER}


def main() -> None:
    """Both comparisons, with the time they take."""
    asked = [int(a) for a in sys.argv[1:]] or [300, 20]
    start = time.process_time()
    print(f"{random_counties(asked[0])} random counties agree in every goal, {time.process_time() - start:.0f} s CPU")
    missed = differing = 0
    start = time.process_time()
    for d in real_counties(asked[1]):
        staged = solve_county(d, OPTIONS)
        assert isinstance(staged, Optimal), d.code
        wanted = {s.name: s.value for s in staged.stages}
        found = weighted(d)
        missed += any(wanted[n] > 0.01 for n in elastic_goals(d))
        wrong = {n: (wanted[n], v) for n, v in found.items() if abs(wanted[n] - v) > (0.02 if n in WEIGHTS else 0.5)}
        differing += bool(wrong)
        print(d.code, d.name_en, "differs" if wrong else "equal", wrong or "")
    took = time.process_time() - start
    print(f"{asked[1]} real counties, {missed} of them with missed goals: {differing} differ, {took:.0f} s CPU")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
