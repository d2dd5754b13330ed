"""Planted boxes are found again (benchmarks: 100 of each kind); without a pattern there is none."""

from __future__ import annotations

import numpy as np
import pytest

from zjsim.decide.discovery import discover, jaccard


def planted(seed: int, dimension: int, restricted: int, volume: float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of a random box in the unit cube: some sides touch the cube's, others lie inside."""
    draw = np.random.default_rng(seed)
    low, high = np.full(dimension, -np.inf), np.full(dimension, np.inf)
    width = volume ** (1 / restricted)
    for j in draw.choice(dimension, restricted, replace=False):
        start = draw.choice([0.0, 1 - width, draw.uniform(0, 1 - width)])
        low[j], high[j] = (-np.inf if start == 0 else start), (np.inf if start == 1 - width else start + width)
    return low, high


@pytest.mark.parametrize(
    ("dimension", "restricted", "points", "noise", "volume", "cases"),
    [
        (5, 2, 500, 0.05, 0.2, 20),
        (10, 3, 1000, 0.05, 0.1, 6),
        (10, 2, 300, 0.0, 0.2, 8),
        (20, 2, 1000, 0.1, 0.2, 2),
        (5, 1, 500, 0.1, 0.1, 8),
        (3, 2, 500, 0.1, 0.1, 20),
        (10, 3, 1000, 0.1, 0.1, 4),
        (8, 3, 2000, 0.1, 0.1, 2),
    ],
)
def test_planted_boxes_are_recovered(
    dimension: int, restricted: int, points: int, noise: float, volume: float, cases: int
) -> None:
    found = 0
    for seed in range(cases):
        low, high = planted(seed, dimension, restricted, volume)
        draw = np.random.default_rng(1000 + seed)
        x = draw.random((points, dimension))
        inside = ((x >= low) & (x <= high)).all(axis=1)
        boxes = discover(x, inside ^ (draw.random(points) < noise), boxes=1)
        fresh = draw.random((20_000, dimension))
        truth = ((fresh >= low) & (fresh <= high)).all(axis=1)
        found += bool(boxes) and jaccard(boxes[0].holds(fresh), truth) >= 0.8
    assert found >= 0.95 * cases


def test_cases_in_the_middle_of_a_range_are_found() -> None:
    """Peeling one side brings nothing nearer there: the share of cases only rises once both are cut."""
    x = np.random.default_rng(11).random((600, 5))
    truth = (x[:, 2] > 0.45) & (x[:, 2] < 0.55)
    noise = np.random.default_rng(12).random(600) < 0.1
    (box,) = discover(x, truth ^ noise, boxes=1)
    assert box.restricted == (2,)
    assert jaccard(box.holds(x), truth) > 0.9


def test_two_boxes_are_told_one_after_the_other() -> None:
    x = np.random.default_rng(4).random((2000, 6))
    first, second = (x[:, 0] > 0.6) & (x[:, 1] < 0.5), (x[:, 3] < 0.2) & (x[:, 0] < 0.5)
    boxes = discover(x, first | second)
    assert [b.restricted for b in boxes] == [(0, 1), (0, 3)]
    assert jaccard(boxes[0].holds(x), first) > 0.9
    assert boxes[0].density > 0.97
    assert boxes[0].coverage + boxes[1].coverage > 0.95


@pytest.mark.parametrize("share", [0.0, 1.0, 0.3])
def test_without_a_pattern_there_is_no_box(share: float) -> None:
    draw = np.random.default_rng(7)
    x = draw.random((400, 5))
    boxes = discover(x, draw.random(400) < share)
    assert boxes == [] or (share == 0.3 and max(b.coverage * b.density for b in boxes) < 0.4)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="cases"):
        discover(np.zeros((3, 2)), np.zeros(4, dtype=bool))
