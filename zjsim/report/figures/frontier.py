"""What a budget of levers buys: the probability of meeting the targets against cost, with intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from zjsim.report.style import BLUE, GREY, INK, ORANGE, VERMILLION, drawable, heading, new_figure, wrap
from zjsim.texts import Language, text

_WIDTH_IN, _HEIGHT_IN, _LEFT_IN, _RIGHT_IN, _TOP_IN, _BOTTOM_IN = 10.0, 5.6, 0.85, 3.1, 1.15, 0.95


_FAR = 4
Floats = NDArray[np.float64]


def draw_frontier(tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """The frontier of ``seek_frontier`` as steps, fresh replications as diamonds; None where nothing was looked at."""
    table, targets = tables["seek_frontier"], tables["seek_targets"]
    if table.empty:
        return None
    figure = new_figure(_WIDTH_IN, _HEIGHT_IN)
    names = text("seek.list", lang).join(dict.fromkeys(targets[f"indicator_{lang}"]))
    heading(figure, text("seek.fig", lang, targets=wrap(names, 42, lines=1)), text("seek.fig_sub", lang))
    size = (_WIDTH_IN - _LEFT_IN - _RIGHT_IN) / _WIDTH_IN, (_HEIGHT_IN - _TOP_IN - _BOTTOM_IN) / _HEIGHT_IN
    axes = figure.add_axes((_LEFT_IN / _WIDTH_IN, _BOTTOM_IN / _HEIGHT_IN, *size))
    cost, share = table["cost"].to_numpy(dtype=float), table["p_sample"].to_numpy(dtype=float)
    asked = float(targets["p_asked"].iloc[0])
    right = max(_reach(cost, share, asked) * 1.06, 1.0)
    near = cost <= right
    axes.step([*cost[near], right], [*share[near], share[near][-1]], where="post", color=BLUE, linewidth=1.6)
    errors = [share - table["p_sample_low"], table["p_sample_high"] - share]
    axes.errorbar(cost, share, yerr=np.array(errors), fmt="o", color=BLUE, markersize=5, linewidth=1.0,
                  label=text("seek.fig_sample", lang))  # fmt: skip
    fresh = table[table["p_fresh"].notna()] if "p_fresh" in table else table.iloc[:0]
    if len(fresh):
        p = fresh["p_fresh"].to_numpy(dtype=float)
        spread = np.array([p - fresh["p_fresh_low"], fresh["p_fresh_high"] - p], dtype=float)
        axes.errorbar(
            fresh["cost"] + right * 0.008, p, yerr=spread, fmt="D", color=ORANGE, markersize=4.5, linewidth=1.0,
            label=text("seek.fig_fresh", lang),
        )  # fmt: skip
    if not np.isnan(asked):
        axes.axhline(asked, color=VERMILLION, linewidth=0.9, linestyle=(0, (4, 3)))
        below = float(share[-1]) >= asked
        said, place = text("seek.fig_asked", lang, p=f"{asked:.0%}"), asked + (-0.012 if below else 0.012)
        axes.text(right, place, said, ha="right", va="top" if below else "bottom", fontsize=8, color=VERMILLION)
    axes.set_xlim(-0.02 * right, right)
    axes.set_ylim(-0.02, 1.04)
    axes.set_yticks(np.linspace(0, 1, 6), [f"{v:.0%}" for v in np.linspace(0, 1, 6)])
    axes.grid(axis="y")
    axes.set_xlabel(text("seek.fig_x", lang))
    axes.set_ylabel(text("seek.fig_y", lang))
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.2)  # above: nothing is there
    _settings(figure, table, lang)
    return figure


def _reach(cost: Floats, share: Floats, asked: float) -> float:
    """Up to where costs are drawn: all, or twice what is enough where the dearest is far beyond it (that is listed)."""
    enough = cost[share >= asked] if not np.isnan(asked) else cost[:0]
    far = enough.size > 0 and enough.min() > 0 and cost.max() > _FAR * enough.min()
    return float(2 * enough.min() if far else cost.max())


def _settings(figure: Figure, table: pd.DataFrame, lang: Language) -> None:
    """Beside the picture: what is moved at each point, from the cheapest to the dearest."""
    x, y = 1 - (_RIGHT_IN - 0.2) / _WIDTH_IN, 1 - _TOP_IN / _HEIGHT_IN
    figure.text(x, y, text("seek.fig_settings", lang), fontsize=8.6, color=INK, va="top")
    shown = table if len(table) <= 9 else table.iloc[np.unique(np.linspace(0, len(table) - 1, 9).astype(int))]
    for row in shown.to_dict("records"):
        y -= 0.42 / _HEIGHT_IN
        said = row[f"setting_{lang}"]
        figure.text(x, y, drawable(f"{row['cost']:,.4g}"), fontsize=8.2, color=BLUE, va="top")
        figure.text(x + 0.5 / _WIDTH_IN, y, wrap(said, 20.5, lines=2), fontsize=7.6, color=GREY, va="top")
