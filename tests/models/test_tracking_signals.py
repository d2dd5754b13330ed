"""Pace, deviation, CUSUM and lights against values worked out by hand."""

from __future__ import annotations

from math import inf, isnan, nan

import numpy as np
import pytest
from zjsim.models.tracking_signals import (
    LIGHTS,
    LIMIT,
    average_run_length,
    cusum,
    deviation,
    light_of_forecast,
    light_of_pace,
    pace_of_level,
    pace_of_sum,
    pace_of_year,
    warned,
    worst_light,
)

QUARTERS = [f"{y}-Q{n}" for y in (2025, 2026, 2027) for n in (1, 2, 3, 4)]


def series(*values: float) -> dict[str, float]:
    return dict(zip(QUARTERS, values, strict=False))


def test_pace_of_a_sum() -> None:
    # 30 of 120 after 3 quarters: 10 a quarter; 90 are left in 9 quarters
    pace = pace_of_sum(120, series(5, 10, 15), QUARTERS, "2025-Q3")
    assert (pace.achieved, pace.so_far, pace.needed, pace.quarters_done, pace.quarters_left) == (30, 10, 10, 3, 9)
    assert pace_of_sum(20, series(5, 10, 15), QUARTERS, "2025-Q3").needed == 0, "already there"
    assert isnan(pace_of_sum(120, series(5, nan, 15), QUARTERS, "2025-Q3").achieved), "a gap is not zero"
    over = pace_of_sum(120, series(*[10] * 12), QUARTERS, "2027-Q4")
    assert over.quarters_left == 0
    assert isnan(over.needed), "nothing can be done any more"


def test_pace_of_a_year() -> None:
    # 2025 reached 40 of 40; 2026: 6 + 10 = 16 of 40 by June, 24 left in two quarters
    pace = pace_of_year(40, series(10, 10, 10, 10, 6, 10), QUARTERS, "2026-Q2")
    assert (pace.achieved, pace.so_far, pace.needed, pace.quarters_left, pace.lost) == (16, 8, 12, 2, False)
    lost = pace_of_year(41, series(10, 10, 10, 10, 6, 10), QUARTERS, "2026-Q2")
    assert lost.lost, "40 of 41 in 2025 stays missed"
    new = pace_of_year(40, series(10, 10, 10, 10), QUARTERS, "2025-Q4")
    assert (new.achieved, new.so_far, new.needed, new.quarters_left) == (0, 10, 10, 4), "the next year begins"


def test_pace_of_a_level() -> None:
    # from 39 to 52 in 7 quarters; 18 more in 5
    pace = pace_of_level(70, series(41, 44, 46, 49, 50, 51, 52), QUARTERS, "2026-Q3", 39, every_year=False)
    assert pace.so_far == pytest.approx(13 / 7)
    assert pace.needed == pytest.approx(18 / 5)
    unknown = pace_of_level(70, series(41, 44, 47), QUARTERS, "2025-Q3", nan, every_year=False)
    assert unknown.so_far == 3, "two quarters between the first and the last level given"
    yearly = pace_of_level(0.9, series(0.8, 0.8, 0.8, 0.85, 0.86), QUARTERS, "2026-Q1", nan, every_year=True)
    assert yearly.lost
    assert yearly.quarters_left == 3, "until the end of the year under way"
    past = pace_of_level(90, series(80, 85, 86, 88), QUARTERS[:4], "2026-Q3", nan, every_year=False)
    assert (past.achieved, past.quarters_left) == (88, 0), "the level at the deadline"


def test_deviation() -> None:
    assert deviation(90, 100, 5) == -2
    assert deviation(100, 100, 0) == 0
    assert deviation(99, 100, 0) == -inf
    assert deviation(101, 100, 0) == inf
    assert isnan(deviation(nan, 100, 5))


def test_cusum_adds_up_lags_and_forgets_leads() -> None:
    path = []
    s = nan
    for z in (-1.0, -1.5, nan, 2.0, -1.0):
        s = cusum(s, z)
        path.append(s)
    assert path == pytest.approx([0.5, 1.5, 1.5, 0.0, 0.5])
    assert cusum(0.0, -inf) == 3.5, "one wild quarter does not last for ever"
    assert cusum(3.5, inf) == 0.0
    assert warned(-2.1, 0.0)
    assert warned(nan, LIMIT)
    assert not warned(-1.9, LIMIT - 0.01)
    assert not warned(nan, nan)


@pytest.mark.parametrize(("shift", "told"), [(0.0, 38.5), (-1.0, 4.45)])
def test_the_limit_has_the_run_lengths_that_are_stated(shift: float, told: float) -> None:
    exact = average_run_length(shift)
    assert exact == pytest.approx(told, rel=0.03)
    draw = np.random.default_rng(7)
    lengths = []
    for _ in range(3000):
        s, n = 0.0, 0
        while s < LIMIT:
            s, n = cusum(s, shift + draw.standard_normal()), n + 1
        lengths.append(n)
    error = np.std(lengths) / np.sqrt(len(lengths))
    assert abs(np.mean(lengths) - exact) < 4 * error


def test_lights() -> None:
    assert light_of_forecast("met", False, known=True) == "green"
    assert light_of_forecast("met", True, known=True) == "amber", "a warning is never green"
    assert light_of_forecast("met", False, known=False) == "grey", "no data is never green"
    assert light_of_forecast("not met", False, known=True) == "red"
    assert light_of_forecast("depends on", False, known=True) == "amber"
    assert light_of_forecast("undecided", False, known=True) == "amber"
    assert [light_of_pace(a, 100) for a in (100, 99, 90, 89, nan)] == ["green", "amber", "amber", "red", "grey"]
    assert light_of_pace(5, nan) == "grey"
    assert light_of_pace(120, 100, lost=True) == "red"


def test_together_the_worst_counts_and_grey_before_green() -> None:
    assert worst_light(["green", "grey"]) == "grey"
    assert worst_light(["green", "amber", "grey"]) == "amber"
    assert worst_light(["green", "green"]) == "green"
    assert worst_light([]) == "grey"
    assert set(LIGHTS) == {"green", "amber", "red", "grey"}
