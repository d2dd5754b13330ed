"""Deferred acceptance against a heap version in pure Python: CPU seconds, interleaved, medians.

python tests/benchmarks/bench_deferred_acceptance.py [CHILDREN] [SCHOOLS] [REPEATS]

Array preparation is left out on both sides (lists for the heaps, strict priorities for both). If the PyPI package
``matching`` is installed, it is compared too, at 3,000 children. Ends with code 1 if the heaps don't take at least 2 ×
and the package 100 × as long, or if results differ.
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
HEAPS, PACKAGE = 2.0, 100.0


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


def main(n_children: int = 300_000, n_schools: int = 5_000, repeats: int = 5) -> int:
    """Measure, print, and say by the exit code whether the limits are kept."""
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
    ratio = f"ratio {b / a:.1f} (at least {HEAPS:g})"
    print(f"{n_children} children, {n_schools} schools: arrays {a:.3f} s, heaps {b:.3f} s, {ratio}")
    print(f"verification {seconds:.3f} s, {len(blocking)} blocking pairs, {(matching.school < 0).sum()} unplaced")
    broken = b < HEAPS * a or len(blocking) > 0
    if not importlib.util.find_spec("matching"):
        print("the package matching is not installed: not compared")
        return int(broken)
    choices, priority, seats = problem(3_000, 50)
    claims, room = np.maximum(priority, 0), np.maximum(seats, 1)
    game, built = cpu(lambda: package_game(choices, claims, room))
    theirs, package = cpu(lambda: game.solve(optimal="resident"))
    taken = [cpu(lambda: deferred_acceptance(choices, claims, room)) for _ in range(repeats)]
    mine = statistics.median(seconds for _, seconds in taken)
    got = {r.name: int(h.name) for h, residents in theirs.items() for r in residents}
    if [got.get(child, -1) for child in range(choices.n_children)] != taken[0][0].school.tolist():
        raise SystemExit("results differ from those of the package")
    ratio = package / mine
    print(
        f"3,000 children: package {package:.3f} s (+ {built:.3f} s to build), ratio {ratio:.0f} (at least {PACKAGE:g})"
    )
    return int(broken or ratio < PACKAGE)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
