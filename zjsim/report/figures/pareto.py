"""Total score against spread over cities: what every further city costs, for leads and for heritage pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zjsim.report.style import BLUE, GREY, VERMILLION, WIDTH_IN, heading, heading_in, new_figure
from zjsim.texts import Language, text

_DEPTH_IN, _BOTTOM_IN, _LEFT_IN, _RIGHT_IN = 2.3, 0.85, 0.6, 0.1


def draw_pareto(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """One panel per assignment: efficient points from the best score to the widest spread; the plan is marked."""
    table = tables.get("assignment_pareto", pd.DataFrame())
    if table.empty:
        return None
    problems = [p for p in ("lead", "heritage") if (table["problem"] == p).any()]
    title, said = text("assignment.figure.pareto", lang), text("assignment.figure.pareto_sub", lang)
    height = heading_in(title, said) + 0.4 + _DEPTH_IN + _BOTTOM_IN
    figure = new_figure(WIDTH_IN, height)
    heading(figure, title, said)
    width = WIDTH_IN / len(problems) - _LEFT_IN - _RIGHT_IN
    for n, problem in enumerate(problems):
        left = _LEFT_IN + n * WIDTH_IN / len(problems)
        axes = figure.add_axes((left / WIDTH_IN, _BOTTOM_IN / height, width / WIDTH_IN, _DEPTH_IN / height))
        axes.set_title(text(f"assignment.figure.pareto_{problem}", lang))
        _panel(axes, table[table["problem"] == problem].sort_values("cities"), lang)
    return figure


def _panel(axes: Axes, points: pd.DataFrame, lang: Language) -> None:
    # The score falls in steps: with fewer cities than a point has, no plan scores more than the point before.
    axes.step(points["cities"], points["score"], where="pre", color=GREY, linewidth=1.0, zorder=2)
    open_points = points[points["gap"] > 0]
    axes.vlines(open_points["cities"], open_points["score"], open_points["bound"], color=GREY, linestyle="--")
    axes.plot(points["cities"], points["score"], "o", color=BLUE, markersize=6, zorder=3)
    plan = points[points["is_plan"].astype(bool)]
    axes.plot(plan["cities"], plan["score"], "D", color=VERMILLION, markersize=8, zorder=4)
    best = float(points["score"].max())
    for _, row in points.iterrows():
        lost, ours = float(row["score"]) - best, bool(row["is_plan"])
        label = text("assignment.figure.pareto_plan", lang) if ours else f"{lost:+.1f}".replace("-", "−")
        # The plan's label stands above its diamond, clear of the next point's number.
        place, side = ((0, 9), "center") if ours else ((5, 6), "left")
        at = (row["cities"], row["score"])
        axes.annotate(label, at, place, textcoords="offset points", fontsize=8, color=GREY, ha=side)
    axes.set_xlabel(text("assignment.figure.pareto_cities", lang))
    axes.set_ylabel(text("assignment.figure.pareto_score", lang))
    axes.margins(x=0.2, y=0.17)
    axes.set_xticks(range(int(points["cities"].min()), int(points["cities"].max()) + 1))
    low, high = axes.get_ylim()
    axes.set_yticks([tick for tick in MaxNLocator(6).tick_values(low, high) if low <= tick <= high])
    axes.grid(axis="y")
