"""Scenario discovery on 100 planted boxes of each kind: how many are recovered with Jaccard of at least 0.8.

Run: ``python tests/benchmarks/bench_discovery.py`` (about six minutes). Prints a line per kind; wanted: 95 of 100.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "decide"))

from test_discovery import planted

from zjsim.decide.discovery import discover, jaccard

KINDS = (
    (5, 2, 500, 0.05, 0.2), (10, 3, 1000, 0.05, 0.1), (10, 2, 300, 0.0, 0.2), (20, 2, 1000, 0.1, 0.2),
    (3, 1, 500, 0.1, 0.2), (3, 2, 500, 0.1, 0.1), (3, 3, 500, 0.05, 0.1), (5, 1, 500, 0.1, 0.1), (5, 3, 500, 0.0, 0.1),
    (6, 3, 1000, 0.05, 0.05), (7, 2, 500, 0.05, 0.1), (8, 3, 2000, 0.1, 0.1), (10, 1, 500, 0.05, 0.1),
    (10, 3, 500, 0.05, 0.2), (10, 3, 1000, 0.1, 0.1), (10, 2, 1000, 0.1, 0.4),
)  # fmt: skip


def recovered(seed: int, dimension: int, restricted: int, points: int, noise: float, volume: float) -> float:
    """Jaccard of the found box with the planted one on 20,000 fresh points."""
    low, high = planted(seed, dimension, restricted, volume)
    draw = np.random.default_rng(1000 + seed)
    x = draw.random((points, dimension))
    inside = ((x >= low) & (x <= high)).all(axis=1)
    boxes = discover(x, inside ^ (draw.random(points) < noise), boxes=1)
    fresh = draw.random((20_000, dimension))
    truth = ((fresh >= low) & (fresh <= high)).all(axis=1)
    return jaccard(boxes[0].holds(fresh), truth) if boxes else 0.0


if __name__ == "__main__":
    for kind in KINDS:
        values = [recovered(seed, *kind) for seed in range(100)]
        good = sum(v >= 0.8 for v in values)
        print(
            f"dimension, restricted, points, noise, volume {kind}: {good} of 100, lowest {min(values):.2f}", flush=True
        )
