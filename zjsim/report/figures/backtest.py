"""The scorecard of a back-test: were targets met as often as stated, and did the intervals hold what came."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from zjsim.report.style import BLUE, GREY, INK, PALE, VERMILLION, heading, new_figure, wrap
from zjsim.report.words import code_word
from zjsim.texts import Language, text

NOMINAL = 0.9
_LOOKS = {"modes": (VERMILLION, "s"), "ranges": (BLUE, "o")}
_WIDTH_IN, _TOP_IN, _BOTTOM_IN, _LEFT_IN, _RIGHT_IN = 11.0, 1.35, 0.95, 0.75, 0.35
_SQUARE_IN, _NAMES_IN, _ROW_IN = 3.7, 2.75, 0.3


def draw_backtest(tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure:
    """Left: stated probability against how often targets were met; right: share of truths within p05 to p95."""
    targets = tables["backtest_targets"]
    shown = targets if len(targets) else tables["backtest_outcomes"]
    key = "target_id" if len(targets) else "outcome"
    ids = list(dict.fromkeys(shown[key]))
    depth = max(_SQUARE_IN, _ROW_IN * len(ids))
    height = _TOP_IN + depth + _BOTTOM_IN
    figure = new_figure(_WIDTH_IN, height)
    heading(figure, text("backtest.fig", lang), text("backtest.fig_sub", lang))
    left = figure.add_axes(
        (_LEFT_IN / _WIDTH_IN, (_BOTTOM_IN + depth - _SQUARE_IN) / height, _SQUARE_IN / _WIDTH_IN, _SQUARE_IN / height)
    )
    start = _LEFT_IN + _SQUARE_IN + _NAMES_IN
    width = _WIDTH_IN - start - _RIGHT_IN
    right = figure.add_axes((start / _WIDTH_IN, _BOTTOM_IN / height, width / _WIDTH_IN, depth / height))
    laws = [law for law in _LOOKS if law in set(tables["backtest_summary"]["law"])]
    _reliability(left, tables["backtest_reliability"], laws, lang)
    _coverage(right, shown, key, ids, laws, lang)
    handles = [
        Line2D([], [], color=_LOOKS[law][0], marker=_LOOKS[law][1], linestyle="", label=str(code_word(law, lang)))
        for law in laws
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.25 / _WIDTH_IN, 1 - 0.74 / height), ncols=len(handles),
        borderaxespad=0.0, handletextpad=0.3, columnspacing=1.5,
    )  # fmt: skip
    return figure


def _reliability(axes: Axes, table: pd.DataFrame, laws: list[str], lang: Language) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.grid(True)
    for k, law in enumerate(laws):
        colour, mark = _LOOKS[law]
        shift = (k - (len(laws) - 1) / 2) * 0.012
        for row in table[table["law"] == law].to_dict("records"):
            x = row["p_forecast"] + shift
            axes.plot([x, x], [row["share_met_low"], row["share_met_high"]], color=colour, linewidth=1.6, alpha=0.5)
            axes.plot(x, row["share_met"], mark, color=colour, markersize=5, clip_on=False, zorder=3)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_title(text("backtest.fig_left", lang))
    axes.set_xlabel(text("backtest.fig_stated", lang))
    axes.set_ylabel(text("backtest.fig_met", lang))


def _coverage(axes: Axes, table: pd.DataFrame, key: str, ids: list[str], laws: list[str], lang: Language) -> None:
    axes.axvline(NOMINAL, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.grid(axis="x")
    axes.set_yticks([])
    axes.set_ylim(len(ids) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    for y, one in enumerate(ids):
        own = table[table[key] == one]
        name = wrap(own[f"indicator_{lang}"].iloc[0], 25, lines=1)
        axes.text(
            -0.04, y, name, transform=axes.get_yaxis_transform(), ha="right", va="center", fontsize=8.2, color=INK
        )
        axes.axhline(y + 0.5, color=PALE, linewidth=0.4)
        for k, law in enumerate(laws):
            colour, mark = _LOOKS[law]
            at = y + (k - (len(laws) - 1) / 2) * 0.36
            rows = own[own["law"] == law]
            if len(rows) and key == "target_id":
                row = rows.iloc[0]
                ends = [row["share_inside_low"], row["share_inside_high"]]
                axes.plot(ends, [at, at], color=colour, linewidth=2.4, alpha=0.4)
            if len(rows):
                axes.plot(rows["share_inside"].mean(), at, mark, color=colour, markersize=4.5, clip_on=False, zorder=3)
    axes.set_title(text("backtest.fig_right", lang))
    axes.set_xlabel(text("backtest.fig_inside", lang))
