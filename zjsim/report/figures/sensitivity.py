"""Which input moves which target: total indices with their intervals, the strongest inputs of every target."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from zjsim.report.style import BLUE, GREY, INK, ORANGE, heading, new_figure, wrap
from zjsim.texts import Language, text

_STRONGEST, _ROW_IN, _HEAD_IN, _GAP_IN = 4, 0.24, 0.3, 0.16
_LEFT_IN, _RIGHT_IN, _TOP_IN, _BOTTOM_IN, _WIDTH_IN = 4.4, 0.4, 0.95, 0.85, 10.0
_LEAST = 0.01
"""A total index below this is nothing to show."""


def draw_sensitivity(tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """For the first plan: per target the inputs with the largest total index, the first-order one as a tick."""
    table = tables["sensitivity"]
    table = table[(table["plan"] == table["plan"].iloc[0]) if len(table) else []]
    table = table[(table["rank"] <= _STRONGEST) & (table["total"] >= _LEAST)]
    if table.empty:
        return None
    groups = list(table.groupby("target_id", sort=False))
    depth = sum(_HEAD_IN + _ROW_IN * len(own) + _GAP_IN for _, own in groups)
    height = _TOP_IN + depth + _BOTTOM_IN
    figure = new_figure(_WIDTH_IN, height)
    heading(figure, text("explore.fig", lang), text("explore.fig_sub", lang))
    width = _WIDTH_IN - _LEFT_IN - _RIGHT_IN
    axes = figure.add_axes((_LEFT_IN / _WIDTH_IN, _BOTTOM_IN / height, width / _WIDTH_IN, depth / height))
    axes.set_xlim(0, max(1.0, float(table["total_high"].max())))
    axes.set_ylim(depth, 0)
    axes.set_yticks([])
    axes.grid(axis="x")
    outside = axes.get_yaxis_transform()
    y = 0.0
    for _, own in groups:
        name = wrap(own[f"indicator_{lang}"].iloc[0], 34, lines=1)
        axes.text(-(_LEFT_IN - 0.3) / width, y + _HEAD_IN / 2, name, transform=outside, va="center", fontsize=9.2)
        axes.axhline(y, color=GREY, linewidth=0.3)
        y += _HEAD_IN
        for row in own.to_dict("records"):
            middle = y + _ROW_IN / 2
            lever = row["role"] == "lever"
            name = text("explore.lever", lang, name=row[f"input_{lang}"]) if lever else row[f"input_{lang}"]
            said = wrap(name, 29, lines=1)
            axes.text(-0.12 / width, middle, said, transform=outside, ha="right", va="center", fontsize=8.2, color=GREY)
            axes.barh(middle, row["total"], height=_ROW_IN * 0.6, color=ORANGE if lever else BLUE, alpha=0.55)
            axes.plot([row["total_low"], row["total_high"]], [middle, middle], color=INK, linewidth=1.0)
            axes.plot([row["first"]] * 2, [middle - 0.08, middle + 0.08], color=INK, linewidth=2.2)
            y += _ROW_IN
        y += _GAP_IN
    axes.set_xlabel(text("explore.fig_x", lang))
    return figure
