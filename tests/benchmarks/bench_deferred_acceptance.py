"""Deferred acceptance against a heap version in pure Python: CPU seconds, interleaved, medians.

python tests/benchmarks/bench_deferred_acceptance.py [CHILDREN] [SCHOOLS] [REPEATS]

Array preparation is left out on both sides (lists for the heaps, strict priorities for both). If the PyPI package
``matching`` is installed, it is compared too, at 3,000 children.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree
from zjsim.models.deferred_acceptance import Choices, blocking_pairs, deferred_acceptance, strict_priorities

CHOICES_EACH = 10


def reference():
    """The heap version of the tests, loaded from its file."""
    path = Path(__file__).parents[1] / "models" / "test_deferred_acceptance.py"
    spec = importlib.util.spec_from_file_location("da_tests", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.heap_version


def problem(n_children: int, n_schools: int, seed: int = 1):
    """Children on a square; wishes by distance and popularity; 2 % of the choices are a sibling's school (tier 0)."""
    rng = np.random.default_rng(seed)
    home, place = rng.random((n_children, 2)), rng.random((n_schools, 2))
    distance, near = cKDTree(place).query(home, k=min(4 * CHOICES_EACH, n_schools))
    utility = -distance / distance.mean() + 0.5 * rng.normal(0, 1, n_schools)[near] + 0.3 * rng.gumbel(size=near.shape)
    best = np.argsort(-utility, axis=1)[:, :CHOICES_EACH]
    school = np.take_along_axis(near, best, 1).astype(np.int64)
    size = rng.lognormal(0, 0.4, n_schools)
    seats = np.floor(size / size.sum() * n_children + rng.random(n_schools)).astype(np.int64)
    tier = rng.choice(6, n_children, p=[0.55, 0.13, 0.08, 0.06, 0.08, 0.10]) + 1
    per_choice = np.where(rng.random(school.shape) < 0.02, 0, tier[:, None]).ravel()
    choices = Choices(np.arange(0, school.size + 1, school.shape[1]), school.ravel())
    return choices, strict_priorities(choices, per_choice, rng.integers(0, 120, n_children), seed=7), seats


def cpu(action):
    """Result and CPU seconds of a call."""
    begin = time.process_time()
    result = action()
    return result, time.process_time() - begin


def package_game(choices, priority, seats):
    """The same problem for the package ``matching``: names in, a solved game out."""
    from matching.games import HospitalResident

    wishes = [choices.school[a:b].tolist() for a, b in zip(choices.start[:-1], choices.start[1:], strict=True)]
    order = np.lexsort((priority, choices.school))
    child = choices.child()
    ranked: dict[int, list[int]] = {}
    for edge in order.tolist():
        ranked.setdefault(int(choices.school[edge]), []).append(int(child[edge]))
    wishes = dict(enumerate(wishes))
    return HospitalResident.create_from_dictionaries(wishes, ranked, {s: int(seats[s]) for s in ranked})


def main(n_children: int = 300_000, n_schools: int = 5_000, repeats: int = 5) -> None:
    """Print the ratio."""
    heap_version = reference()
    choices, priority, seats = problem(n_children, n_schools)
    lists = choices.school.reshape(n_children, -1).tolist()
    claims, room = priority.reshape(n_children, -1).tolist(), seats.tolist()
    ours, heaps = [], []
    for _ in range(repeats):
        matching, seconds = cpu(lambda: deferred_acceptance(choices, priority, seats))
        ours.append(seconds)
        expected, seconds = cpu(lambda: heap_version(lists, claims, room))
        heaps.append(seconds)
        if matching.school.tolist() != expected:
            raise SystemExit("results differ")
    blocking, seconds = cpu(lambda: blocking_pairs(choices, priority, seats, matching.school))
    a, b = statistics.median(ours), statistics.median(heaps)
    print(f"{n_children} children, {n_schools} schools: arrays {a:.3f} s, heaps {b:.3f} s, ratio {b / a:.1f}")
    print(f"verification {seconds:.3f} s, {len(blocking)} blocking pairs, {(matching.school < 0).sum()} unplaced")
    if importlib.util.find_spec("matching"):
        choices, priority, seats = problem(3_000, 50)
        game, built = cpu(lambda: package_game(choices, np.maximum(priority, 0), np.maximum(seats, 1)))
        _, package = cpu(lambda: game.solve(optimal="resident"))
        mine = min(cpu(lambda: deferred_acceptance(choices, priority, np.maximum(seats, 1)))[1] for _ in range(repeats))
        print(
            f"3,000 children: package matching {package:.3f} s (+ {built:.3f} s to build), ratio {package / mine:.0f}"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
