"""Shares by county of simulated futures: what a reader can tell of the children beyond them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zjsim.models.outcomes_by_county import COUNTY_COLUMNS
from zjsim.models.share_publication import FIGURES, MADE_OF, published_shares, rounded_shares, step

from zjsim.tables.published import SUPPRESSED

MINIMUM = 10
HIDDEN = {("placed_purchased", "330102", 2026)}


@given(children=st.integers(300, 80_000), left_out=st.integers(1, 300), more=st.sampled_from([0.5, 1.0, 1.6]))
def test_no_rounded_share_tells_the_children_beyond_it_closer_than_promised(
    children: int, left_out: int, more: float
) -> None:
    """By trying them all: every number left out that gives the same share, where the future has ``more`` times the
    children of the plan, known to the reader."""
    there = round(children * more)
    width = step(children, MINIMUM)
    others = np.arange(1, min(there, left_out + 5_000) + 1)
    said = rounded_shares(1 - others / there, np.full(len(others), width))
    same = others[said == rounded_shares(np.array([1 - min(left_out, there) / there]), np.array([width]))[0]]
    assert same.max() - same.min() >= 5


def _rows(shares: dict[str, tuple[float, float]], code: str = "330102") -> pd.DataFrame:
    rows = []
    for outcome, (low, high) in shares.items():
        figures = {"mean": (low + high) / 2, "p05": low, "p50": low, "p95": high, "p_all": 0.25}
        rows.append({"year": 2026, "outcome": outcome, "place_code": code, **figures, "replications": 4})
    return pd.DataFrame(rows).reindex(columns=list(COUNTY_COLUMNS))


def _expansion(eligible: int) -> pd.DataFrame:
    return pd.DataFrame({"county_code": ["330102"], "year": [2026], "eligible": [eligible]})


def test_shares_of_many_children_are_rounded_and_of_few_hidden() -> None:
    rows = _rows({"place_share_permit_holders": (0.91234, 0.98765)})
    many, few = (published_shares(rows, _expansion(n), (), MINIMUM).iloc[0] for n in (6_000, 299))
    assert [many[c] for c in FIGURES] == [0.95, 0.91, 0.91, 0.99, 0.25]
    assert many[SUPPRESSED] == ""
    assert few[list(FIGURES)].isna().all()
    assert few[SUPPRESSED] == ";".join(FIGURES)


def test_where_all_futures_agree_a_hidden_count_of_the_plan_hides_the_share() -> None:
    rows = _rows(dict.fromkeys(MADE_OF, (0.9, 0.9)))
    shown = published_shares(rows, _expansion(4_000), HIDDEN, MINIMUM)
    assert shown.loc[shown["mean"].isna(), "outcome"].tolist() == ["public_share_with_purchased"]
    apart = _rows(dict.fromkeys(MADE_OF, (0.8, 0.9)))
    assert (
        published_shares(apart, _expansion(4_000), {("placed_public", "330102", 2026)}, MINIMUM)["mean"].notna().all()
    )


def test_a_county_without_seat_plan_shows_no_share() -> None:
    shown = published_shares(_rows({"public_share_public_only": (0.5, 0.6)}, "330999"), _expansion(4_000), (), MINIMUM)
    assert shown["p50"].isna().all()


@pytest.mark.parametrize(("children", "expected"), [(30_000, 0.001), (29_999, 0.002), (300, 0.1), (0, np.nan)])
def test_the_step_is_worth_three_times_the_minimum_cell(children: int, expected: float) -> None:
    assert step(children, MINIMUM) == pytest.approx(expected, nan_ok=True)
