"""An exploration in sentences: where each target is missed, or why no part of the ranges tells that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from zjsim.texts import Language, text

if TYPE_CHECKING:
    import pandas as pd


def explored_said(tables: Mapping[str, pd.DataFrame], lang: Language) -> list[str]:
    """A line for every box of every plan and target; where there is none, whether all, no or some points meet it."""
    boxes, robust = tables["scenario_boxes"], tables["robustness"]
    several = robust["plan"].nunique() > 1
    lines = []
    for row in robust.to_dict("records"):
        same = (boxes[["plan", "target_id", "reading"]] == [row["plan"], row["target_id"], row["reading"]]).all(axis=1)
        own = list(boxes.loc[same, f"said_{lang}"]) or [_without_box(row, lang)]
        named = text("explore.of_plan", lang, plan=row["plan"]) if several else ""
        lines += [text("explore.told", lang, indicator=row[f"indicator_{lang}"], plan=named, said=s) for s in own]
    return lines


def _without_box(row: Mapping[object, object], lang: Language) -> str:
    share = row["share_satisfied"]
    key = "all_met" if share == 1 else "all_missed" if share == 0 else "no_pattern"
    return text(f"explore.{key}", lang, share=f"{share:.0%}", points=row["points"])


__all__ = ["explored_said"]
