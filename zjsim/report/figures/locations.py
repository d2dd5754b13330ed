"""What the location plans open, where and in which year: a small schematic map for every theme and year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from zjsim.report.figures.ground import MAP_IN, ROW_IN, ground, subtitle
from zjsim.report.style import BLUE, GREY, INK, ORANGE, PALE, VERMILLION, heading, new_figure, wrap
from zjsim.report.words import known
from zjsim.texts import Language, text

PLANS = ("platform_plan", "campus_plan", "practice_centre_plan", "kindergarten_plan")
"""The plan tables, a row of maps each."""
MARKS = (("o", BLUE, (0.0, 0.0)), ("^", ORANGE, (0.07, 0.05)), ("D", VERMILLION, (-0.07, -0.05)))
"""Marker, colour and shift (degrees) of the kinds of a table, the most frequent first: never colour alone."""
SIZES = (1, 3, 6)
"""Numbers of facilities that the legend shows."""
_LEFT_IN, _GAP_IN = 2.0, 0.12
_TOP_IN, _BOTTOM_IN = 1.15, 1.0
_AREA = 18.0
"""Points² of the bubble of one facility; the area grows with their number."""


def draw_locations(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Rows: platforms, campuses, practice centres, kindergartens. Columns: the year of the planned opening."""
    plans = {name: tables[name] for name in PLANS if name in tables and len(tables[name])}
    if not plans or "location_coverage" not in tables:
        return None
    places = tables["location_coverage"].drop_duplicates("county_code").sort_values("county_code")
    years = sorted({int(str(d)[:4]) for t in plans.values() for d in t["open_date"]})
    height = _TOP_IN + len(plans) * (ROW_IN + _GAP_IN) + _BOTTOM_IN
    width = max(9.9, _LEFT_IN + len(years) * (MAP_IN + _GAP_IN) + 0.15)
    figure = new_figure(width, height)
    fewest = min(plans, key=lambda name: len(plans[name]))
    heading(figure, text("report.fig_locations", lang), subtitle(text("report.fig_locations_sub", lang), places, lang))
    for row, (name, table) in enumerate(plans.items()):
        kinds = table[f"kind_{lang}"].value_counts(sort=False).rename_axis("kind").reset_index(name="n")
        order = list(kinds.sort_values(["n", "kind"], ascending=[False, True])["kind"])
        bottom = height - _TOP_IN - (row + 1) * (ROW_IN + _GAP_IN) + _GAP_IN
        _legend(figure, known(f"report.sheet_{name}", lang, name), table, order, bottom + ROW_IN, height, lang)
        for column, year in enumerate(years):
            left = _LEFT_IN + column * (MAP_IN + _GAP_IN)
            box = (left / width, bottom / height, MAP_IN / width, ROW_IN / height)
            shown = table[table["open_date"].str[:4] == str(year)]
            _map(figure.add_axes(box), places, shown, order, lang, cities=name == fewest)
            if row == 0:
                x, y = (left + 0.05) / width, (bottom + ROW_IN + 0.04) / height
                figure.text(x, y, text("report.fig_locations_year", lang, year=year), fontsize=10, va="bottom")
    _sizes(figure, height, lang)
    return figure


def _map(axes: Axes, places: pd.DataFrame, shown: pd.DataFrame, order: list[str], lang: Language, cities: bool) -> None:
    ground(axes, places)
    high = places["mountain_island"].map(lambda v: v is True or str(v) in ("True", "yes")).to_numpy(dtype=bool)
    for flag, mark in ((False, "."), (True, "x")):
        part = places[high == flag]
        axes.scatter(part["lon"], part["lat"], s=7, marker=mark, color=PALE, linewidths=0.6, zorder=1)
    point = places.set_index("county_code")[["lon", "lat"]]
    for k, kind in enumerate(order):
        mark, colour, (dx, dy) = MARKS[min(k, len(MARKS) - 1)]
        count = shown[shown[f"kind_{lang}"] == kind]["county_code"].value_counts().sort_index()
        at = point.reindex(count.index).to_numpy() + np.array([dx, dy])
        axes.scatter(
            at[:, 0], at[:, 1], s=_AREA * count.to_numpy(), marker=mark, color=colour, alpha=0.75,
            edgecolors="white", linewidths=0.5, zorder=3 + k,
        )  # fmt: skip
    if cities:
        for _, part in places.groupby("city_code", sort=True):
            named = wrap(part[f"city_{lang}"].iloc[0], 7, lines=1)
            axes.text(part["lon"].mean(), part["lat"].mean(), named, fontsize=6.5, color=GREY, ha="center", zorder=2,
                      path_effects=[withStroke(linewidth=2.0, foreground="white")])  # fmt: skip
    number = text("report.fig_locations_count", lang, n=len(shown))
    axes.text(0.98, 0.03, number, transform=axes.transAxes, fontsize=8.5, ha="right", va="bottom", color=INK)


def _legend(
    figure: Figure, title: str, table: pd.DataFrame, order: list[str], top_in: float, height: float, lang: Language
) -> None:
    width = figure.get_figwidth()
    figure.text(0.25 / width, top_in / height, wrap(title, 12), fontsize=10, va="top", linespacing=1.2)
    handles, labels = [], []
    for k, kind in enumerate(order):
        mark, colour, _ = MARKS[min(k, len(MARKS) - 1)]
        handles.append(Line2D([], [], marker=mark, color=colour, linestyle="", markersize=5.5, markeredgecolor="white"))
        labels.append(wrap(kind, 13.5, lines=3) + f"\n{int((table[f'kind_{lang}'] == kind).sum())}")
    figure.legend(
        handles, labels, loc="upper left", bbox_to_anchor=(0.17 / width, (top_in - 0.42) / height),
        fontsize=8, handletextpad=0.3, borderaxespad=0.0, labelspacing=0.8, alignment="left",
    )  # fmt: skip


def _sizes(figure: Figure, height: float, lang: Language) -> None:
    width = figure.get_figwidth()
    handles = [Line2D([], [], marker="o", color=BLUE, linestyle="", markersize=(_AREA * n) ** 0.5) for n in SIZES]
    labels = [text("report.fig_locations_size", lang, n=n) for n in SIZES]
    for mark, key in ((".", "report.fig_locations_other"), ("x", "report.fig_locations_high")):
        handles.append(Line2D([], [], marker=mark, color=GREY, linestyle="", markersize=5))
        labels.append(text(key, lang))
    figure.legend(
        handles, labels, loc="lower left", bbox_to_anchor=(_LEFT_IN / width, 0.42 / height), ncols=5,
        fontsize=8.5, handletextpad=0.4, columnspacing=1.6, borderaxespad=0.0,
    )  # fmt: skip
