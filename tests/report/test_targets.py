"""Targets that are not modelled yet stand beside the judged ones, and say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from zjsim.report.summary import screen_summary
from zjsim.report.targets import NOT_MODELLED, stated_targets
from zjsim.report.workbook import write_workbook
from zjsim.texts import text

MakeRun = Callable[..., tuple[dict[str, Any], dict[str, pd.DataFrame]]]


def test_a_target_without_a_model_is_stated_without_numbers(made_run: MakeRun, tmp_path: Path) -> None:
    manifest, tables = made_run()
    judged = tables["target_feasibility"].iloc[:4]
    named = {"measures": "M040", "indicator_zh": "占比", "indicator_en": "Share", "unit": "share"}
    missing = pd.DataFrame([{"target_id": "x", "reading": "admissions", **named, "reason_zh": "", "reason_en": ""}])
    tables |= {"target_feasibility": judged, "targets_not_modelled": missing}
    stated = stated_targets(tables)
    assert stated["verdict"].tolist() == [*judged["verdict"], NOT_MODELLED]
    assert list(stated.columns) == list(judged.columns)
    assert stated["p_meet"].iloc[:4].tolist() == judged["p_meet"].tolist()
    assert pd.isna(stated["p_meet"].iloc[4])
    assert stated["is_default"].dtype == bool
    assert "占比 (招生)" in screen_summary(manifest, tables, "x", "zh")
    write_workbook(tmp_path / "plan.xlsx", manifest, tables, "zh")
    with (tmp_path / "plan.xlsx").open("rb") as f:
        sheet = openpyxl.load_workbook(f)[text("report.sheet_target_feasibility", "zh")]
    assert text("report.verdict_not_modelled", "zh") in [c.value for c in sheet[6]]


def test_without_such_targets_the_table_is_the_table(made_run: MakeRun) -> None:
    tables = made_run()[1]
    assert stated_targets(tables) is tables["target_feasibility"]
