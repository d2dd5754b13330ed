from __future__ import annotations

import numpy as np
import pytest

from zjsim.simulate.design import at_share, preset_design, space_filling
from zjsim.simulate.inputs import UncertainInput

INPUTS = (
    UncertainInput("b", 0.0, 0.1, 0.25, "triangular", "share", "assumption", "乙", "b"),
    UncertainInput("a", 8.0, 24.0, 80.0, "lognormal", "h", "assumption", "甲", "a"),
    UncertainInput("c", 5.0, 5.0, 9.0, "triangular", "n", "assumption", "丙", "c"),
)


def test_the_base_comes_first_then_both_ends_of_each_input_then_the_space() -> None:
    points = preset_design(INPUTS, 4)
    assert points[0].values == {"a": 24, "b": 0.1, "c": 5}
    # c sits at its low end already: only its high end is another point
    ends = [(p.kind, p.input_id) for p in points[1:-4]]
    assert ends == [("low", "a"), ("high", "a"), ("low", "b"), ("high", "b"), ("high", "c")]
    assert points[3].values == {"a": 24, "b": 0.0, "c": 5}
    assert [p.kind for p in points[-4:]] == ["space"] * 4


def test_space_filling_points_take_every_stratum_of_every_input_once_and_never_change() -> None:
    points = space_filling(INPUTS, 16)
    assert points == space_filling(tuple(reversed(INPUTS)), 16)
    shares = np.array([[np.log(p["a"] / 8) / np.log(10), p["b"] / 0.25, (p["c"] - 5) / 4] for p in points])
    for column in shares.T:
        assert sorted(np.floor(column * 16)) == list(range(16))


def test_a_lognormal_range_is_stepped_in_its_logarithm() -> None:
    assert at_share(INPUTS[1], 0.5) == pytest.approx((8 * 80) ** 0.5)
    assert at_share(INPUTS[0], 0.5) == 0.125


def test_no_inputs_leave_the_base_alone() -> None:
    assert [p.kind for p in preset_design((), 8)] == ["base"]
    assert space_filling(INPUTS, 0) == []
