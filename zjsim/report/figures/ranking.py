"""How far every plan trails the best one, with its interval, and what difference was said not to matter."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from zjsim.report.style import BLUE, GREY, GRID, INK, VERMILLION, drawable, heading, new_figure, wrap
from zjsim.report.words import quantity
from zjsim.texts import Language, text

_WIDTH_IN, _LEFT_IN, _RIGHT_IN, _TOP_IN, _BOTTOM_IN, _ROW_IN = 9.0, 3.1, 0.45, 1.15, 0.95, 0.64
_LEAST_ROWS = 3


def draw_ranking(table: pd.DataFrame, lang: Language) -> Figure:
    """A row per plan of ``ranking``, the first on top: how far behind it is, dot and 95 % interval; δ as a band."""
    rows = table.to_dict("records")
    depth = _ROW_IN * max(len(rows), _LEAST_ROWS)
    height = _TOP_IN + depth + _BOTTOM_IN
    figure = new_figure(_WIDTH_IN, height)
    first = rows[0]
    by_probability = first["measure"] == "probability"
    unit = str(first["unit_zh"] if lang == "zh" else first["unit"])
    heading(
        figure, text("rank.fig", lang, indicator=wrap(str(first[f"indicator_{lang}"]), 40, lines=1)),
        text("rank.fig_sub", lang),
    )  # fmt: skip
    size = (_WIDTH_IN - _LEFT_IN - _RIGHT_IN) / _WIDTH_IN, depth / height
    axes = figure.add_axes((_LEFT_IN / _WIDTH_IN, _BOTTOM_IN / height, *size))
    delta = float(first["delta"])
    axes.axvspan(0, delta, color=GRID, zorder=0, label=text("rank.fig_delta", lang))
    axes.axvline(0, color=INK, linewidth=0.9)
    for y, row in enumerate(rows):
        colour = BLUE if row["is_best"] else VERMILLION if row["dropped_after"] else GREY
        axes.plot([row["behind_low"], row["behind_high"]], [y, y], color=colour, linewidth=3.0, alpha=0.45)
        axes.plot(row["behind"], y, "o", color=colour, markersize=5.5, zorder=3)
        met, mean = f"{row['share_met']:.0%}", quantity(row["mean"])
        said = text("rank.fig_row", lang, mean=mean, unit=unit, share=met, n=quantity(row["replications"]))
        place = axes.get_yaxis_transform()
        name = wrap(f"{row['rank']}. {row[f'plan_{lang}']}", 22, lines=2)
        axes.text(-0.02, y + 0.08, name, transform=place, ha="right", va="bottom", fontsize=8.8, color=INK)
        axes.text(-0.02, y + 0.14, drawable(said), transform=place, ha="right", va="top", fontsize=7.6, color=GREY)
    axes.set_ylim(max(len(rows), _LEAST_ROWS) - 0.5, -0.5)
    reach = max(float(table["behind_high"].max()), delta)
    axes.set_xlim(min(float(table["behind_low"].min()), 0.0) - 0.04 * reach, 1.06 * reach)
    axes.set_yticks([])
    axes.grid(axis="x")
    if by_probability:
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel(text("rank.fig_x_probability" if by_probability else "rank.fig_x", lang, unit=unit))
    axes.legend(loc="lower right")
    return figure
