from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zjsim.synthesis.draws import apportion, pick, triangular, uniforms

FIRST_NUMBERS = [690286139, 684977320, 425044775]


def test_a_stream_is_named_by_seed_purpose_and_entity_alone() -> None:
    first = uniforms(1, "cells", "330102", 5)
    assert first.tolist() == uniforms(1, "cells", "330102", 9)[:5].tolist()
    others = [uniforms(2, "cells", "330102", 5), uniforms(1, "zones", "330102", 5), uniforms(1, "cells", "330105", 5)]
    assert all(first[0] != other[0] for other in others)


def test_the_numbers_of_a_stream_never_change() -> None:
    drawn = (uniforms(20241231, "zones", "330102", 3) * 1e9).astype(int).tolist()
    assert drawn == FIRST_NUMBERS


def test_triangular_quantiles() -> None:
    u = np.array([0.0, 0.25, 1.0])
    assert triangular(0, 1, 2, u).tolist() == [0.0, pytest.approx(np.sqrt(0.5)), 2.0]
    assert triangular(3, 3, 3, u).tolist() == [3.0, 3.0, 3.0]
    assert triangular(0, 0, 1, u).tolist() == pytest.approx([0.0, 1 - np.sqrt(0.75), 1.0])
    assert triangular(0, 1, 1, u).tolist() == pytest.approx([0.0, 0.5, 1.0])


def test_pick_follows_the_weights_and_never_a_zero_weight() -> None:
    assert pick(np.array([1.0, 0.0, 3.0]), np.array([0.0, 0.24, 0.25, 0.99])).tolist() == [0, 0, 2, 2]


def test_apportion_by_hand() -> None:
    assert apportion(10, np.array([1.0, 1.0, 2.0])).tolist() == [3, 2, 5]
    assert apportion(10, np.array([1.0, 1.0, 2.0]), high=[9, 9, 3]).tolist() == [4, 3, 3]
    assert apportion(4, np.array([0.0, 0.0, 1.0]), low=1).tolist() == [1, 1, 2]
    assert apportion(9, np.array([1.0, 5.0]), high=[2, 4]).tolist() == [3, 6], (
        "beyond all bounds: in proportion to them"
    )
    assert apportion(1, np.array([1.0, 5.0]), low=2).tolist() == [0, 1], "too little for the lower bounds"
    assert apportion(0, np.array([])).tolist() == []
    with pytest.raises(ValueError, match="nothing"):
        apportion(1, np.array([]))


@given(
    cells=st.lists(st.tuples(st.floats(0, 100), st.integers(0, 4), st.integers(0, 60)), min_size=1, max_size=12),
    total=st.integers(0, 500),
)
def test_apportion_keeps_the_total_and_every_bound_it_can(cells: list[tuple[float, int, int]], total: int) -> None:
    weights = np.array([w for w, _, _ in cells])
    low, room = np.array([n for _, n, _ in cells]), np.array([r for _, _, r in cells])
    high = low + room
    result = apportion(total, weights, low, high)
    assert result.sum() == total
    assert (result >= 0).all()
    if total <= high.sum():
        assert (result <= high).all()
    if total >= low.sum():
        assert (result >= low).all()
