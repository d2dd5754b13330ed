"""Another world: laws as stated, parts within their wholes, the same truth for the same number."""

from __future__ import annotations

import numpy as np
import pytest

from zjsim.simulate.inputs import UncertainInput
from zjsim.simulate.streams import Streams
from zjsim.simulate.truths import OUTSIDE, OUTSIDE_EACH, Kind, by_year, drawn_inputs, history, world

RANGE = UncertainInput("A", 10, 15, 20, "triangular", "months", "assumption", "甲", "a")
SHARE = UncertainInput("S", 0.4, 0.7, 0.9, "beta", "share", "assumption", "乙", "s")
SKELETON = {"open": np.array([12.0, 14.0, 20.0]), "part": np.array([90.0, 80.0, 70.0]), "all": np.array([99.0] * 3)}
KINDS = {"open": Kind(flow=False, start=9.0, delayed=True), "part": Kind(flow=True), "all": Kind(flow=True)}


def test_inputs_lie_within_their_ranges_but_for_the_stated_share() -> None:
    drawn = [drawn_inputs((RANGE, SHARE), Streams(1, n)) for n in range(4000)]
    a, s = (np.array([d[i] for d in drawn]) for i in ("A", "S"))
    outside = np.mean((a < 10) | (a > 20))
    assert outside == pytest.approx(OUTSIDE * OUTSIDE_EACH, abs=0.012)
    assert a.min() >= 5
    assert a.max() <= 25
    assert 0.2 <= s.min() < 0.4
    assert 0.9 < s.max() <= 1
    inner = (a[(a >= 10) & (a <= 20)] - 10) / 10
    assert np.mean(inner < 0.1) == pytest.approx(2 / np.pi * np.arcsin(0.1**0.5), abs=0.02), "the arcsine law"


def test_a_truth_is_the_same_for_the_same_number_and_another_for_another() -> None:
    one, again, other = (history(SKELETON, SKELETON, KINDS, world("p", 3, Streams(2, n))) for n in (4, 4, 5))
    for name in KINDS:
        assert np.array_equal(one[name], again[name])
    assert any(not np.array_equal(one[name], other[name]) for name in KINDS)


def test_amounts_are_whole_and_a_part_stays_within_its_whole() -> None:
    for n in range(200):
        found = history(SKELETON, SKELETON, KINDS, world("p", 3, Streams(3, n)))
        assert all(np.array_equal(v, np.round(v)) for v in found.values())
        assert (np.cumsum(found["part"]) <= np.cumsum(found["all"])).all()
        assert (found["part"] >= 0).all()


def test_cycles_run_together_delays_hold_back_and_breaks_happen() -> None:
    seen = [(world("p", 3, Streams(4, n)), world("q", 3, Streams(4, n))) for n in range(600)]
    last = np.log([[p.cycle[-1], q.cycle[-1]] for p, q in seen])
    assert np.corrcoef(last.T)[0, 1] > 0.5
    assert np.mean(last[:, 0] < -0.2) > 0.1
    late = [history(SKELETON, SKELETON, KINDS, p)["open"][-1] for p, _ in seen]
    at_once = [history(SKELETON, SKELETON, {"open": Kind(flow=False, start=9.0)}, p)["open"][-1] for p, _ in seen]
    assert np.mean(late) < np.mean(at_once)
    assert all(p.late.sum() <= 1 + 1e-12 for p, _ in seen)


def test_shares_stay_shares_and_counties_are_no_more_than_there_are() -> None:
    kinds = {"s": Kind(flow=False, share=True, start=0.9), "c": Kind(flow=False, start=80.0, most=90.0)}
    skeleton = {"s": np.array([0.95, 1.0, 1.0]), "c": np.array([85.0, 89.0, 90.0])}
    for n in range(200):
        found = history(skeleton, skeleton, kinds, world("p", 3, Streams(5, n)))
        assert ((found["s"] >= 0) & (found["s"] <= 1)).all()
        assert (found["c"] <= 90).all()


def test_the_plan_brings_a_share_of_what_it_promised() -> None:
    without = {"f": np.array([1000.0] * 3)}
    with_plan = {"f": np.array([2000.0] * 3)}
    kinds = {"f": Kind(flow=True)}
    gains = []
    for n in range(300):
        seen = world("p", 3, Streams(6, n))
        gain = history(with_plan, without, kinds, seen)["f"].sum() - history(without, without, kinds, seen)["f"].sum()
        weight = (np.repeat(1.0, 3)[:, None] * seen.seasons).ravel() @ seen.cycle
        gains.append(gain / (1000 * weight))
    assert min(gains) > 0.28
    assert max(gains) < 1.22
    assert np.mean(gains) == pytest.approx(0.75, abs=0.05)


def test_years_from_quarters() -> None:
    quarters = np.arange(8.0)
    assert by_year(quarters, flow=True).tolist() == [6, 22]
    assert by_year(quarters, flow=False).tolist() == [3, 7]
