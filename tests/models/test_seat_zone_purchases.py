"""Purchased places by zone: by hand, and the fewest far children and kilometres against enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from zjsim.models.seat_sites import NO_LIMIT, grounds, rooms_that_fit
from zjsim.models.seat_zone_purchases import purchased_by_zone

from zjsim.solve.options import Options

OPTIONS = Options()


def grades(values: dict[tuple[int, ...], int], *shape: int) -> np.ndarray:
    found = np.zeros(shape, dtype=np.int64)
    for at, n in values.items():
        found[at] = n
    return found


def test_places_are_purchased_where_they_are_near() -> None:
    """Zone A has 3 children waiting and 2 places; B, 4 km away, has 1 child and 5 places: one child of A goes to B."""
    waiting = grades({(0, 0, 0): 3, (1, 0, 0): 1}, 2, 9, 1)
    bought = grades({(0, 0): 4}, 9, 1)
    places = grades({(0, 0, 0): 2, (1, 0, 0): 5}, 2, 2, 1)
    km = np.array([[0.0, 4.0], [4.0, 0.0]])
    found = purchased_by_zone(waiting, bought, places, km, np.zeros((2, 2, 2), dtype=np.int64), OPTIONS)
    assert found[0, 0].tolist() == [[2, 1], [0, 1]]


@pytest.mark.parametrize("start", range(2))
def test_enumeration_agrees(start: int) -> None:
    draw = np.random.default_rng(start)
    for _ in range(20):
        waiting = grades({}, 3, 9, 1)
        waiting[:, :2, 0] = draw.integers(0, 3, (3, 2))
        total = waiting[:, :2, 0].sum(axis=0)
        bought = grades({(0, 0): int(draw.integers(0, min(total[0], 2) + 1)),
                         (1, 0): int(draw.integers(0, min(total[1], 2) + 1))}, 9, 1)  # fmt: skip
        places = grades({}, 3, 2, 1)
        places[:, 0, 0] = draw.multinomial(int(bought.sum()) + int(draw.integers(0, 3)), [1 / 3] * 3)
        at = draw.integers(0, 20, 3).astype(float)
        km = np.abs(at[:, None] - at[None, :])
        far = np.stack([km > 8] * 2).astype(np.int64)
        found = purchased_by_zone(waiting, bought, places, km, far, OPTIONS)
        assert (found.sum(axis=(2, 3)) == bought).all()
        assert (found.sum(axis=3).transpose(2, 0, 1) <= waiting).all()
        assert (found[:6].sum(axis=(0, 2))[0] <= places[:, 0, 0]).all()
        value = (int((found[:6] * far[0]).sum()), float((found * km).sum()))
        assert value == pytest.approx(cheapest(waiting, bought, places[:, 0, 0], km, far[0]))


def cheapest(
    waiting: np.ndarray, bought: np.ndarray, places: np.ndarray, km: np.ndarray, far: np.ndarray
) -> tuple[int, float]:
    """Every choice of children (grade, home zone) and of a zone for each."""
    children = [(g, z) for g in (0, 1) for z in range(3) for _ in range(int(waiting[z, g, 0]))]
    best = None
    of_grade = [[c for c in children if c[0] == g] for g in (0, 1)]
    for chosen in itertools.product(*(set(itertools.combinations(of_grade[g], int(bought[g, 0]))) for g in (0, 1))):
        homes = [z for part in chosen for _, z in part]
        for ends in itertools.product(range(3), repeat=len(homes)):
            if all(ends.count(w) <= places[w] for w in range(3)):
                value = (
                    int(sum(far[z, w] for z, w in zip(homes, ends, strict=True))),
                    float(sum(km[z, w] for z, w in zip(homes, ends, strict=True))),
                )
                best = value if best is None else min(best, value)
    assert best is not None
    return best


def test_the_ground_of_a_zone_by_hand() -> None:
    """10 rooms of 100 m² on 1,450, 1,250 and 900 m²: 4, 2 (less than a smallest extension of 3) and no rooms fit."""
    rooms = np.array([10, 10, 10])
    assert rooms_that_fit(rooms, np.array([1450.0, 1250.0, 900.0]), 100.0, 3).tolist() == [4, 0, 0]
    assert rooms_that_fit(rooms, np.array([1450.0, 1250.0, 900.0]), 100.0, 1).tolist() == [4, 2, 0]
    assert rooms_that_fit(rooms, np.full(3, np.inf), 100.0, 3).tolist() == [NO_LIMIT] * 3
    assert rooms_that_fit(rooms, np.full(3, 1.0), 0.0, 3).tolist() == [NO_LIMIT] * 3


def test_grounds_add_up_to_what_fits_and_go_where_ground_is() -> None:
    share = np.array([0.5, 0.3, 0.2])
    assert grounds(share, 14, 4, np.array([NO_LIMIT] * 3)).tolist() == [7, 7, 0]
    assert grounds(share, 14, 4, np.array([5, 20, 0])).tolist() == [5, 9, 0]
    assert grounds(share, 14, 4, np.array([5, 4, 0])).tolist() == [5, 4, 0]
    assert grounds(share, 0, 4, np.array([5, 4, 0])).sum() == 0
