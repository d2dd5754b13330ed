"""What the location plans open, where and in which year: a small schematic map for every theme and year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zjsim.report.figures.ground import ground, name_cities, subtitle
from zjsim.report.style import (
    BLUE,
    GREY,
    INK,
    MARGIN_IN,
    ORANGE,
    PALE,
    VERMILLION,
    WIDTH_IN,
    heading,
    heading_in,
    new_figure,
    wrap,
)
from zjsim.report.words import known
from zjsim.texts import Language, text

PLANS = ("platform_plan", "campus_plan", "practice_centre_plan", "kindergarten_plan")
"""The plan tables, a row of maps each."""
MARKS = (("o", BLUE, (0.0, 0.0)), ("^", ORANGE, (0.07, 0.05)), ("D", VERMILLION, (-0.07, -0.05)))
"""Marker, colour and shift (degrees) of the kinds of a table, the most frequent first: never colour alone."""
SIZES = (1, 3, 6)
"""Numbers of facilities that the legend shows."""
_LEFT_IN, _GAP_IN, _BOTTOM_IN, _MOST_YEARS = 1.6, 0.08, 0.8, 4
_AREA = 8.0
"""Points² of the bubble of one facility; the area grows with their number."""


def draw_locations(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Rows: platforms, campuses, practice centres, kindergartens. Columns: the year of the planned opening."""
    plans = {name: tables[name] for name in PLANS if name in tables and len(tables[name])}
    if not plans or "location_coverage" not in tables:
        return None
    places = tables["location_coverage"].drop_duplicates("county_code").sort_values("county_code")
    years = sorted({int(str(d)[:4]) for t in plans.values() for d in t["open_date"]})
    fewest = min(plans, key=lambda name: len(plans[name]))
    title, said = text("report.fig_locations", lang), subtitle(text("report.fig_locations_sub", lang), places, lang)
    map_in = (WIDTH_IN - _LEFT_IN - MARGIN_IN) / min(max(3, len(years)), _MOST_YEARS) - _GAP_IN
    row_in, top = 0.97 * map_in, heading_in(title, said) + 0.2
    height = top + len(plans) * (row_in + _GAP_IN) + _BOTTOM_IN
    width = max(WIDTH_IN, _LEFT_IN + len(years) * (map_in + _GAP_IN) + MARGIN_IN)
    figure = new_figure(width, height)
    heading(figure, title, said)
    for row, (name, table) in enumerate(plans.items()):
        kinds = table[f"kind_{lang}"].value_counts(sort=False).rename_axis("kind").reset_index(name="n")
        order = list(kinds.sort_values(["n", "kind"], ascending=[False, True])["kind"])
        bottom = height - top - (row + 1) * (row_in + _GAP_IN) + _GAP_IN
        _legend(figure, known(f"report.sheet_{name}", lang, name), table, order, bottom + row_in, height, lang)
        for column, year in enumerate(years):
            left = _LEFT_IN + column * (map_in + _GAP_IN)
            box = (left / width, bottom / height, map_in / width, row_in / height)
            shown = table[table["open_date"].str[:4] == str(year)]
            _map(figure.add_axes(box), places, shown, order, lang, cities=name == fewest)
            if row == 0:
                x, y = (left + 0.05) / width, (bottom + row_in + 0.04) / height
                figure.text(x, y, text("report.fig_locations_year", lang, year=year), fontsize=9, va="bottom")
    _sizes(figure, height, lang)
    return figure


def _map(axes: Axes, places: pd.DataFrame, shown: pd.DataFrame, order: list[str], lang: Language, cities: bool) -> None:
    ground(axes, places)
    high = places["mountain_island"].map(lambda v: v is True or str(v) in ("True", "yes")).to_numpy(dtype=bool)
    for flag, mark in ((False, "."), (True, "x")):
        part = places[high == flag]
        axes.scatter(part["lon"], part["lat"], s=5, marker=mark, color=PALE, linewidths=0.6, zorder=1)
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
        name_cities(axes, places, lang)
    number = text("report.fig_locations_count", lang, n=len(shown))
    axes.text(0.98, 0.03, number, transform=axes.transAxes, fontsize=8, ha="right", va="bottom", color=INK)


def _legend(
    figure: Figure, title: str, table: pd.DataFrame, order: list[str], top_in: float, height: float, lang: Language
) -> None:
    width = figure.get_figwidth()
    named = wrap(title, 11.8)
    figure.text(MARGIN_IN / width, top_in / height, named, fontsize=9, va="top", linespacing=1.15)
    handles, labels = [], []
    for k, kind in enumerate(order):
        mark, colour, _ = MARKS[min(k, len(MARKS) - 1)]
        handles.append(Line2D([], [], marker=mark, color=colour, linestyle="", markersize=5, markeredgecolor="white"))
        count = int((table[f"kind_{lang}"] == kind).sum())
        labels.append(wrap(f"{wrap(kind, 36, lines=1)} {count}", 12.2, lines=3))
    figure.legend(
        handles, labels, loc="upper left", bbox_to_anchor=(0.0, (top_in - 0.17 * (1.4 + named.count("\n"))) / height),
        fontsize=7.5, handletextpad=0.2, handlelength=1.4, borderaxespad=0.0, labelspacing=0.5, alignment="left",
    )  # fmt: skip


def _sizes(figure: Figure, height: float, lang: Language) -> None:
    width = figure.get_figwidth()
    handles = [Line2D([], [], marker="o", color=BLUE, linestyle="", markersize=(_AREA * n) ** 0.5) for n in SIZES]
    labels = [text("report.fig_locations_size", lang, n=n) for n in SIZES]
    for mark, key in ((".", "report.fig_locations_other"), ("x", "report.fig_locations_high")):
        handles.append(Line2D([], [], marker=mark, color=GREY, linestyle="", markersize=5))
        labels.append(text(key, lang))
    figure.legend(
        handles, labels, loc="lower left", bbox_to_anchor=(MARGIN_IN / width, 0.46 / height), ncols=5,
        handletextpad=0.3, columnspacing=1.3, borderaxespad=0.0,
    )  # fmt: skip
