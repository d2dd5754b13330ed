"""Seat expansion under stability on instances with published optima.

python tests/benchmarks/bench_stable_expansion.py FOLDER [SECONDS]

FOLDER holds ``published_optima.csv`` (instance, max_list_K, extra_seats_B, optimum_sum_of_ranks) and one CSV per
instance: a first line ``# capacities,…``, then student, school, priority score (higher first), utility. A student lists
its K best schools with utility + 4·0.57721 ≥ 0.01. A value better than a published optimum is an error. Ends with code
1 if less than 90 % of the distance to an optimum is closed, or if no more than half of the optima are reached.
"""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path

import numpy as np
from zjsim.models.deferred_acceptance import blocking_pairs, choices_from_lists
from zjsim.models.stable_expansion import expand_seats, priorities_from_scores

CLOSED = 0.9
LISTED_FROM = 0.01 - 4 * 0.57721


def read_instance(path: Path, longest: int) -> tuple[list[int], np.ndarray, list[list[int]]]:
    """Seats per school, scores (students × schools), ordered lists of at most ``longest`` schools."""
    with path.open() as file:
        seats = [int(cell) for cell in file.readline().split(",")[1:]]
        table = np.loadtxt(file, delimiter=",", skiprows=1)
    scores = table[:, 2].reshape(-1, len(seats))
    utility = table[:, 3].reshape(-1, len(seats))
    lists = [[s for s in np.argsort(-u, kind="stable")[:longest].tolist() if u[s] >= LISTED_FROM] for u in utility]
    return seats, scores, lists


def main(folder: str, seconds: str = "60") -> int:
    """One line per published optimum; the exit code says whether the limits are kept."""
    optimal = proven = 0
    worst = 1.0
    with (Path(folder) / "published_optima.csv").open() as file:
        published = list(csv.DictReader(file))
    print("instance K B before optimum found bound closed status seconds")
    for row in published:
        longest, extra, optimum = (int(row[k]) for k in ("max_list_K", "extra_seats_B", "optimum_sum_of_ranks"))
        seats, scores, lists = read_instance(Path(folder) / f"{row['instance']}.csv", longest)
        begin = time.perf_counter()
        found = expand_seats(seats, scores, lists, extra, time_limit_s=float(seconds))
        took = time.perf_counter() - begin
        choices = choices_from_lists(lists)
        priority = priorities_from_scores(choices, scores)
        pairs = blocking_pairs(choices, priority, np.array(seats) + found.seats_added, found.matching.school)
        if found.sum_of_ranks < optimum or found.bound > optimum or len(pairs) or found.seats_added.sum() > extra:
            raise SystemExit(f"{row}: {found}")
        closed = (found.sum_of_ranks_before - found.sum_of_ranks) / (found.sum_of_ranks_before - optimum)
        worst = min(worst, closed)
        optimal += found.sum_of_ranks == optimum
        proven += found.status == "optimal"
        values = (found.sum_of_ranks_before, optimum, found.sum_of_ranks, found.bound)
        print(row["instance"], longest, extra, *values, f"{closed:.3f}", found.status, f"{took:.1f}", flush=True)
    print(f"{optimal} of {len(published)} at the optimum, {proven} proven, least distance closed {worst:.3f}")
    return int(worst < CLOSED or 2 * optimal <= len(published))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
