"""All goals of the utilitarian mode against one weighted goal on real parts: a county's grades; CPU seconds, medians.

python tests/benchmarks/bench_goals.py FOLDER [--county 330782 ...] [--repeats 5]

FOLDER is a scenario folder with schools and groups; if it isn't there, ``zjsim synthesize baseline`` draws it. A part
is what one solve of ``zjsim place`` sees: a grade of a county, groups of equal children, its goals in order (about
twenty). The weighted goal has the form of the reference data's: a penalty for staying unplaced that grows with the
tier, weights for siblings and for steps away from public, 10 m of way. The two take turns; matrix, solve, plan, prices
and proof are in, grouping is not. Ends with code 1 if all goals take more than 3 × the single one in a county (its
grades together).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from zjsim.models.placement_core import solve_placement
from zjsim.models.placement_data import county_data
from zjsim.models.placement_matrix import Goal
from zjsim.models.placement_modes import kinds_of
from zjsim.models.placement_rules import arcs_of, goal, goal_names, sibling_reading
from zjsim.models.seat_placement import county_tasks

from zjsim.scenario import load
from zjsim.synthesize import synthesize

LIMIT = 3.0
UNPLACED, PER_TIER, SIBLINGS, PUBLIC = 5_000_000, 100_000, 2_500, 5_000


def parts(folder: Path, counties: list[str]):
    """(county, grade, problem, goals in order) for every grade."""
    for task in county_tasks(load(folder), counties=counties):
        county, p = county_data(task.code, task.year, task.tables), task.parameters
        reading = sibling_reading(county, p)
        for grade in county.grades:
            nobody = np.full(len(grade.ids), -1, np.int64)
            arcs = arcs_of(grade, county.schools.zone, reading, nobody, p, task.with_purchased)
            kinds = kinds_of(grade, arcs)
            names = goal_names(p, reading, sorted(set(grade.tier.tolist())))
            goals = [goal(name, kinds.grade, kinds.arcs) for name in names]
            yield task.code, grade.grade, kinds.problem, [g for g in goals if g.arc_cost.any() or g.unplaced_cost.any()]


def weighted(goals: list[Goal]) -> Goal:
    """One goal from all, weighted as the reference data are."""
    arc, unplaced = np.zeros(len(goals[0].arc_cost), np.int64), np.zeros(len(goals[0].unplaced_cost), np.int64)
    for g in goals:
        tier, _, part = g.name.rpartition(".")
        stronger = 2 ** (6 - int(tier.removeprefix("tier"))) if tier else 1
        weight = {
            "placed": PER_TIER * stronger if tier else UNPLACED,
            "stay": UNPLACED,
            "siblings": SIBLINGS * stronger,
            "public": PUBLIC,
            "distance": 1,
        }.get(part, SIBLINGS)
        arc += np.int64(weight) * g.arc_cost
        unplaced += np.int64(weight) * g.unplaced_cost
    return Goal("weighted", arc, unplaced)


def cpu(problem, goals) -> float:
    """CPU seconds of one placement."""
    begin = time.process_time()
    found = solve_placement(problem, goals)
    taken = time.process_time() - begin
    if wrong := found.faults(problem, goals):
        raise SystemExit(f"not proven: {wrong}")
    return taken


def main() -> int:
    """Measure, print, and say by the exit code whether the limit is kept."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--county", nargs="*", default=["330782"])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if not options.folder.exists():
        synthesize("baseline", options.folder)
    total: dict[str, list[float]] = {}
    for county, grade, problem, goals in parts(options.folder, options.county):
        single, every = [], []
        for _ in range(options.repeats):
            single.append(cpu(problem, [weighted(goals)]))
            every.append(cpu(problem, goals))
        a, b = statistics.median(single), statistics.median(every)
        own = total.setdefault(county, [0.0, 0.0])
        own[0] += a
        own[1] += b
        n_groups, n_schools, n_arcs = problem.shape
        print(
            f"{county} grade {grade}: {problem.supply.sum():6} children, {n_groups:5} groups, {n_schools:3} schools, "
            f"{n_arcs:6} arcs, {len(goals):2} goals: single {a:.3f} s, all {b:.3f} s, ratio {b / a:.2f}",
            flush=True,
        )
    for county, (a, b) in total.items():
        print(f"{county} all grades: single {a:.3f} s, all goals {b:.3f} s, ratio {b / a:.2f} (limit {LIMIT:g})")
    return int(any(b > LIMIT * a for a, b in total.values()))


if __name__ == "__main__":
    sys.exit(main())
