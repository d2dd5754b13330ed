"""Probability of every target before and after: an arrow per run, with the paired interval of the change."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from zjsim.report.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MARGIN_IN,
    ORANGE,
    PALE,
    PURPLE,
    VERMILLION,
    WIDTH_IN,
    heading,
    heading_in,
    new_figure,
    wrap,
)
from zjsim.report.words import is_true
from zjsim.texts import Language, text

_COLOURS, _MARKS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE), ("o", "s", "^", "D", "v")
_ROW_IN, _LEFT_IN, _RIGHT_IN, _BOTTOM_IN, _BETWEEN_IN = 0.31, 2.0, 0.2, 0.7, 0.35
_LEGEND_IN = 0.21


def draw_comparison(tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Default readings. Left: p of the base (open) and of each run (filled); right: the change with its interval."""
    targets = tables["target_changes"]
    targets = targets[is_true(targets["is_default"])]
    if targets.empty:
        return None
    runs = list(dict.fromkeys(targets["run"]))[: len(_COLOURS)]
    ids = list(dict.fromkeys(targets["target_id"]))
    depth = _ROW_IN * len(ids)
    title, said = text("compare.fig", lang), text("compare.fig_sub", lang)
    top = heading_in(title, said)
    height = top + (1 + len(runs)) * _LEGEND_IN + 0.3 + depth + _BOTTOM_IN
    figure = new_figure(WIDTH_IN, height)
    heading(figure, title, said)
    width = (WIDTH_IN - _LEFT_IN - _RIGHT_IN - _BETWEEN_IN) / 2
    panels = [
        figure.add_axes((x / WIDTH_IN, _BOTTOM_IN / height, width / WIDTH_IN, depth / height))
        for x in (_LEFT_IN, _LEFT_IN + width + _BETWEEN_IN)
    ]
    names = [targets.loc[targets["target_id"] == t, f"indicator_{lang}"].iloc[0] for t in ids]
    for axes, title in zip(panels, ("compare.fig_left", "compare.fig_right"), strict=True):
        axes.set_ylim(len(ids) - 0.5, -0.5)
        axes.set_yticks([])
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.grid(axis="x")
        axes.set_title(wrap(text(title, lang), 15, lines=1))
    panels[0].set_xlim(-0.02, 1.02)
    panels[1].axvline(0, color=INK, linewidth=0.9)
    for y, name in enumerate(names):
        panels[0].text(
            -0.04, y, wrap(name, 16, lines=2), transform=panels[0].get_yaxis_transform(), ha="right", va="center",
            fontsize=8, linespacing=1.05,
        )  # fmt: skip
        for axes in panels:
            axes.axhline(y + 0.5, color=PALE, linewidth=0.4)
    for k, run in enumerate(runs):
        own = targets[targets["run"] == run].set_index("target_id")
        shift = (k - (len(runs) - 1) / 2) * 0.6 / max(1, len(runs))
        for y, target in enumerate(ids):
            if target in own.index:
                _draw(panels, own.loc[target], y + shift, k)
    reach = float(targets[["p_difference_low", "p_difference_high"]].abs().max().max() or 0.0)
    panels[1].set_xlim(-max(reach, 0.05) * 1.08, max(reach, 0.05) * 1.08)
    handles = [Line2D([], [], color=GREY, marker="o", mfc="white", linestyle="", label=text("compare.fig_base", lang))]
    for run, colour, mark in zip(runs, _COLOURS, _MARKS, strict=False):
        handles.append(Line2D([], [], color=colour, marker=mark, linestyle="", label=wrap(run, 50, lines=1)))
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(MARGIN_IN / WIDTH_IN, 1 - top / height), ncols=1,
        labelspacing=0.3,
        borderaxespad=0.0, handletextpad=0.3, columnspacing=1.5,
    )  # fmt: skip
    return figure


def _draw(panels: list[Axes], row: pd.Series, y: float, k: int) -> None:
    colour, mark = _COLOURS[k], _MARKS[k]
    panels[0].plot([row["p_before"], row["p_after"]], [y, y], color=colour, linewidth=1.4, zorder=2)
    panels[0].plot(row["p_before"], y, "o", mfc="white", mec=GREY, markersize=5, zorder=3, clip_on=False)
    panels[0].plot(row["p_after"], y, mark, color=colour, markersize=5, zorder=4, clip_on=False)
    panels[1].plot([row["p_difference_low"], row["p_difference_high"]], [y, y], color=colour, linewidth=3.2, alpha=0.45)
    panels[1].plot(row["p_difference"], y, mark, color=colour, markersize=5, zorder=4)
