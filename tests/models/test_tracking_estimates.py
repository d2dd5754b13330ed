"""Re-estimated rates: the posterior by hand, evidence from series, and what no series tells."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from zjsim.models.past import Past
from zjsim.models.tracking_estimates import batch_size, closures, estimates, evidence, net_growth, posterior

QUARTERS = ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4")


def past_of(**series: list[float]) -> Past:
    values = {(o, "330000", q): float(v) for o, own in series.items() for q, v in zip(QUARTERS, own, strict=True)}
    return Past(date(2025, 12, 31), (2025, 2026, 2027), QUARTERS, values, dict.fromkeys(values, "official"))


def test_the_posterior_is_the_conjugate_one() -> None:
    # triangular (2, 4, 6): mean 4, variance 16/24 = 2/3, so a = 24, b = 6; 10 in 4 batches: 34 / 10
    found = posterior(2, 4, 6, counted=10, exposure=4)
    assert found.mean == pytest.approx(3.4)
    assert found.low == pytest.approx(stats.gamma.ppf(0.025, 34, scale=0.1))
    assert found.high == pytest.approx(stats.gamma.ppf(0.975, 34, scale=0.1))
    assert posterior(3, 3, 3, 10, 4).mean == 3, "what is certain stays"
    with pytest.raises(ValueError, match="counts"):
        posterior(2, 4, 6, counted=-1, exposure=4)


def test_its_interval_covers_as_stated() -> None:
    draw = np.random.default_rng(3)
    inside = 0
    for _ in range(2000):
        rate = draw.gamma(24, 1 / 6)  # drawn from the prior, so that 95 % is exact
        found = posterior(2, 4, 6, counted=float(draw.poisson(rate * 4)), exposure=4)
        inside += found.low <= rate <= found.high
    assert 0.93 < inside / 2000 < 0.97


def test_evidence_from_series() -> None:
    before = past_of(new=[0, 3, 0, 5], level=[10, 12, 11, 13], opened=[4, 3, 1, 2], ever=[20, 23, 24, 26])
    batch = batch_size(before, "new", "flow", "P")
    assert batch is not None
    assert (batch.counted, batch.exposure) == (8, 2)
    # closures: (3 - 2) + (1 + 1) + (2 - 2) = 3 of (10 + 12 + 11) / 4 member-years
    closed = closures(before, "level", "opened", "flow", "P")
    assert closed is not None
    assert (closed.counted, closed.exposure) == (3, 33 / 4)
    same = closures(before, "level", "ever", "level", "P")
    assert same is not None
    assert same.counted == (3 - 2) + (1 + 1) + (2 - 2)
    grown = net_growth(before, "level", "P")
    assert grown is not None
    assert (grown.counted, grown.exposure) == (3, 0.75)


def test_contradictions_and_gaps_tell_nothing() -> None:
    assert batch_size(past_of(new=[0, 0, 0, 0]), "new", "flow", "P") is None
    assert closures(past_of(level=[10, 20, 30, 40], opened=[1, 1, 1, 1]), "level", "opened", "flow", "P") is None
    assert net_growth(past_of(level=[10, 9, 8, 7]), "level", "P") is None
    assert net_growth(past_of(other=[1, 1, 1, 1]), "level", "P") is None


def programme(**cells: str) -> dict[str, str]:
    empty = dict.fromkeys(
        ("programme_id", "mechanism", "pace_parameter", "closure_parameter", "size_parameter", "outcome_new",
         "outcome_level", "outcome_ever"), ""
    )  # fmt: skip
    return {**empty, **cells}


def test_a_series_that_two_programmes_make_tells_neither() -> None:
    own = programme(programme_id="a", mechanism="batches", size_parameter="S", outcome_new="new")
    shared = [own, programme(programme_id="b", mechanism="batches", size_parameter="Z", outcome_new="new")]
    before = past_of(new=[0, 3, 0, 5])
    assert [e.parameter_id for e in evidence(pd.DataFrame([own]), before)] == ["S"]
    assert list(evidence(pd.DataFrame(shared), before)) == []


def test_the_table_tells_prior_and_new_value() -> None:
    class Toy:
        def table(self, name: str) -> pd.DataFrame:
            if name == "programmes":
                row = programme(programme_id="a", mechanism="batches", size_parameter="S", outcome_new="new")
                return pd.DataFrame([row])
            rows = [("S", "批量", "batch size", "items", "个", 2.0, 4.0, 6.0, "assumption")]
            columns = ["parameter_id", "name_zh", "name_en", "unit", "unit_zh", "low", "mode", "high", "basis"]
            return pd.DataFrame(rows if name == "programme_parameters" else [], columns=columns)

    found = estimates(Toy(), past_of(new=[0, 3, 0, 7]), used=False).iloc[0]
    assert found["prior_mean"] == 4
    assert found["estimate"] == pytest.approx((24 + 10) / (6 + 2))
    assert bool(found["inside_prior_range"])
    assert not found["used_in_forecast"]
    assert found["actual_basis"] == "official"
