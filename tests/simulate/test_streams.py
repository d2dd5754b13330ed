from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zjsim.simulate.streams import Streams


def test_asking_for_more_leaves_the_first_draws_unchanged() -> None:
    streams = Streams(7, 3)
    short, long = streams.uniforms("p", "330100", 2025, 10), streams.uniforms("p", "330100", 2025, 1000)
    assert np.array_equal(short, long[:10])


@pytest.mark.parametrize(
    "other",
    [
        Streams(8, 3).uniforms("p", "a", 2025, 50),
        Streams(7, 4).uniforms("p", "a", 2025, 50),
        Streams(7, 3).uniforms("q", "a", 2025, 50),
        Streams(7, 3).uniforms("p", "b", 2025, 50),
        Streams(7, 3).uniforms("p", "a", 2026, 50),
        Streams(7, 3).uniforms("p", "a", 2025, 50, "x"),
    ],
)
def test_every_part_of_the_name_makes_another_stream(other: np.ndarray) -> None:
    assert not np.isin(other, Streams(7, 3).uniforms("p", "a", 2025, 50)).any()


@given(st.integers(0, 2**63), st.integers(0, 10**6), st.text(max_size=5).filter(lambda t: "\x1f" not in t))
def test_a_name_always_gives_the_same_draws_inside_the_unit_interval(seed: int, replication: int, entity: str) -> None:
    a = Streams(seed, replication).uniforms("p", entity, 2025, 20)
    assert np.array_equal(a, Streams(seed, replication).uniforms("p", entity, 2025, 20))
    assert ((a >= 0) & (a < 1)).all()


def test_streams_are_uniform_and_uncorrelated_across_entities() -> None:
    draws = np.stack([Streams(1, r).uniforms("p", f"e{i}", 2025, 50) for r in range(20) for i in range(20)])
    assert abs(draws.mean() - 0.5) < 4 * np.sqrt(1 / 12 / draws.size)
    correlation = np.corrcoef(draws[:-1].ravel(), draws[1:].ravel())[0, 1]
    assert abs(correlation) < 4 / np.sqrt(draws.size)


def test_names_cannot_be_glued_together() -> None:
    assert not np.array_equal(Streams(1, 1).uniforms("ab", "c", 1, 5), Streams(1, 1).uniforms("a", "bc", 1, 5))
    with pytest.raises(ValueError, match="unit separator"):
        Streams(1, 1).uniforms("a\x1fb", "c", 1, 5)


def test_first_draws_are_pinned_across_versions_of_the_package() -> None:
    draws = Streams(20241231, 0).uniforms("training", "330100", 2025, 3)
    assert draws.tolist() == [0.13355906975486098, 0.9441137085365856, 0.45647246149673215]
