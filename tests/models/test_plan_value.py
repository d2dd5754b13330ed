"""The value of the plan: pairs on common random numbers, told apart from chance; data compared throughout."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan

import numpy as np
import pandas as pd
import pytest
from zjsim.models.feasibility_tables import all_tables
from zjsim.models.plan_value import COLUMNS, changed_by_plan, same
from zjsim.models.throughput import Process, assess, target_of

from zjsim.simulate.inputs import UncertainInput, Values
from zjsim.simulate.streams import Streams

PACE = UncertainInput("pace", 5.0, 10.0, 15.0, "uniform", "n", "assumption", "速度", "pace")


def made(data: float, values: Values, streams: Streams) -> dict[str, np.ndarray]:
    """Each year the pace, what the plan adds, and noise of up to 5 either way."""
    noise = 10 * streams.uniforms("toy", "a", 2025, 3) - 5
    return {"made": values["pace"] + data + noise}


TOY = Process("toy", 2.0, (2025, 2026, 2027), (PACE,), made, {"made": ("flow", "n")}, design_replications=4, batch=7)
REGISTRY = pd.DataFrame(
    [
        {
            "target_id": "t", "reading": r, "is_default": r == "a", "measures": "M001", "indicator_zh": "甲",
            "indicator_en": "a", "unit": "n", "unit_zh": "个", "comparator": ">=", "period": "cumulative", "bound": b,
            "start": "2025-01-01", "deadline": "2027-12-31", "has_baseline": False, "baseline": nan, "outcome": "made",
        }
        for r, b in (("a", 33.0), ("b", 1.0))
    ]
)  # fmt: skip


def value_of(without: Process | None, workers: int = 1) -> pd.DataFrame:
    studies, assessments = assess(
        [TOY], [target_of(row) for _, row in REGISTRY.iterrows()], seed=1, replications=40, space_points=2,
        p_required=0.9, workers=workers, without={} if without is None else {"toy": without},
    )  # fmt: skip
    return all_tables(REGISTRY, studies, assessments, 0.9, 1)["plan_value"]


def test_the_difference_is_the_plans_and_not_chances() -> None:
    """Two a year more, whatever the noise: exactly six in three years, without an interval."""
    table = value_of(replace(TOY, data=0.0))
    assert tuple(table.columns) == COLUMNS
    (row,) = table.to_dict("records")  # the default reading only
    assert (row["difference"], row["difference_low"], row["difference_high"]) == pytest.approx((6, 6, 6))
    assert row["mean_with"] - row["mean_without"] == pytest.approx(6)
    sums = [30 + (10 * Streams(1, n).uniforms("toy", "a", 2025, 3) - 5).sum() for n in range(40)]
    assert row["p_without"] == np.mean([s >= 33 for s in sums])
    assert row["p_with"] == np.mean([s + 6 >= 33 for s in sums])
    assert row["p_difference"] == pytest.approx(row["p_with"] - row["p_without"])
    assert row["p_difference_low"] < row["p_difference"] < row["p_difference_high"]
    assert row["variance_independent"] == pytest.approx(2 * np.var(sums, ddof=1))
    assert row["variance_paired"] == 0
    assert np.isnan(row["variance_reduction"])  # no table has an infinite number


def test_without_a_plan_that_changes_anything_there_is_no_row() -> None:
    table = value_of(None)
    assert tuple(table.columns) == COLUMNS
    assert table.empty


def test_any_number_of_workers_gives_the_same_table() -> None:
    other = replace(TOY, data=-1.0)
    pd.testing.assert_frame_equal(value_of(other), value_of(other, workers=2))


@dataclass(frozen=True)
class Data:
    a: object
    b: float = nan


def test_data_are_compared_throughout() -> None:
    array, table = np.array([1.0, nan]), pd.DataFrame({"x": [1.0, nan]})
    for value, other in (
        (array, np.array([1.0, 2.0])),
        (table, pd.DataFrame({"x": [1.0, 2.0]})),
        ({"k": (array,)}, {"k": (array[:1],)}),
        ([1, "a"], [1, "b"]),
        (np.array(["a"]), np.array(["b"])),
        (1, 1.0),
    ):
        again = value.copy() if hasattr(value, "copy") else value
        assert same(Data(value), Data(again))
        assert not same(Data(value), Data(other))
    assert not same(Data(1, 2.0), Data(1, 3.0))
    assert not same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert list(changed_by_plan([TOY], [TOY])) == []
    assert list(changed_by_plan([TOY], [replace(TOY, data=0.0)])) == ["toy"]
