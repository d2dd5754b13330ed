"""Milestones by hand, and the committed registry equals what its method gives."""

import pandas as pd
import pytest

from zjsim.synthesis.tracking import milestones

TARGET = {
    "target_id": "x",
    "reading": "r",
    "comparator": ">=",
    "bound": 12.0,
    "period": "cumulative",
    "start": "2025-01-01",
    "deadline": "2025-12-31",
    "unit": "colleges",
    "baseline": float("nan"),
}


def values(**changes: object) -> list[float]:
    return milestones(pd.DataFrame([TARGET | changes]))["value"].tolist()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [3, 6, 9, 12]),
        ({"period": "per_year", "bound": 2_000_000.0}, [500_000, 1_000_000, 1_500_000, 2_000_000]),
        ({"period": "per_year", "bound": 1.0, "unit": "share"}, [1, 1, 1, 1]),
        ({"period": "stock", "baseline": 39.0, "bound": 43.0}, [40, 41, 42, 43]),
        ({"period": "stock", "baseline": 6.0, "bound": 5.0}, [6, 6, 6, 6]),
        ({"period": "coverage", "baseline": 0.5, "bound": 1.0, "unit": "share"}, [0.625, 0.75, 0.875, 1.0]),
    ],
)
def test_milestones_by_hand(changes: dict[str, object], expected: list[float]) -> None:
    assert values(**changes) == expected


def test_targets_without_a_number_have_no_milestones() -> None:
    both = pd.DataFrame([TARGET, TARGET | {"reading": "s", "comparator": "not_falling", "bound": float("nan")}])
    assert set(milestones(both)["reading"]) == {"r"}
