"""An attack by linear programming on what a hedge run publishes of costs: nobody tells a count of children by it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from zjsim.models.hedge_publication import _told
from zjsim.models.hedge_sentences import advice, published_advice
from zjsim.models.seat_publication import money_step

from zjsim.solve.disclosure import LEAST_WIDTH, Reader, Relations

PRICES = {"local": 500_000.0, "without": 200_000.0, "fall": 60_000.0, "purchased": 9_000.0, "overrun": 1.0}
CHILDREN = ("local", "without", "fall", "purchased")


def _told_counts(step: float, seed: int) -> list[str]:
    """Counts told closer than promised by a reader who knows the building to the cent."""
    r = np.random.default_rng(seed)
    counts = {"local": r.integers(0, 4), "without": r.integers(0, 9), "fall": r.integers(0, 9)}
    counts |= {"purchased": r.integers(0, 9), "overrun": r.integers(0, 2) * 1e6}
    building = round(float(r.uniform(0, 5e8)), 2)
    cost = building + sum(PRICES[k] * float(n) for k, n in counts.items())
    told = float(_told(pd.Series([cost]), pd.Series([building]), step)[0])
    relations = Relations()
    unknown = {k: relations.unknown() for k in PRICES}
    low, high = (told - building - step / 2, told - building + step / 2)
    relations.between([(u, PRICES[k] / 1e4) for k, u in unknown.items()], low / 1e4, high / 1e4)
    if counts["local"] + counts["without"]:  # p_shortfall says so
        relations.between([(unknown["local"], 1.0), (unknown["without"], 1.0)], 1.0, np.inf)
    wanted = {unknown[k]: k for k in CHILDREN}
    return [wanted[u] for u in Reader(relations, {}).tells(wanted, LEAST_WIDTH)]


@pytest.mark.parametrize("seed", range(30))
def test_costs_tell_no_count(seed: int) -> None:
    step = money_step({("", ""): PRICES["local"]})
    assert step == 10_000_000
    assert _told_counts(step, seed) == []


def test_costs_to_the_cent_would_tell_counts() -> None:
    assert any(_told_counts(0.01, seed) for seed in range(12))


def test_the_advice_says_neither_children_nor_what_depends_on_them() -> None:
    row = {
        "county_zh": "例县", "county_en": "Example", "decision": "begin_now", "now_extension_primary": 4,
        "now_extension_junior": 0, "now_school_rooms_primary": 0, "now_school_rooms_junior": 0,
        "start_cost_yuan": 9e6, "mean_value_start_cost_yuan": 1e7, "saved_by_beginning_yuan": 8_765_432.0,
        "p_later_building": 0.5, "expected_local_short": 1.0, "expected_without_place": 6.0,
    }  # fmt: skip
    said = pd.DataFrame([row | advice(row, (2025, 2026), 2027)])
    assert "877" in said.at[0, "advice_zh"]
    assert "7人次" in said.at[0, "advice_zh"]
    told = published_advice(said).iloc[0]
    assert told["advice_zh"] == (
        "例县：下一次年度检视之前就应动工：扩建小学教室4间，造价900万元；与全部等到检视再定相比，预期少花"
        "（含缺学位的计价）的数额不公布。另有50%的情景还要在以后的检视中扩建（最早2027年9月投用）。"
        "按平均数编的计划会动工1,000万元，其中一部分不必现在定。"
    )
    assert "this saves an undisclosed amount in expectation" in told["advice_en"]
    assert "child-years" not in told["advice_en"]
