"""The what-if on AI and integrated circuits doubles what its classes announce, with their teachers and places."""

from __future__ import annotations

import pandas as pd

import zjsim

DOUBLED = ["intake_announced", "teachers", "places"]


def test_two_classes_double_above_the_vocational_levels_and_nothing_else_changes() -> None:
    before = zjsim.load("baseline").table("programme_groups")
    after = zjsim.load("ai_ic_doubled").table("programme_groups")
    levels = before["level"].isin(["undergraduate", "master", "doctoral"])
    meant = levels & before["class_id"].isin(["K01", "K02"])
    assert meant.any()
    pd.testing.assert_frame_equal(after.loc[meant, DOUBLED], before.loc[meant, DOUBLED] * 2)
    rest = [c for c in before.columns if c not in (*DOUBLED, "source_id", "basis")]
    pd.testing.assert_frame_equal(after[rest], before[rest])
    pd.testing.assert_frame_equal(after[~meant], before[~meant])
