"""Seats that are short by county and year: a bubble map for every year, what the plan closes and what it leaves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zjsim.report.figures.ground import MAP_IN, ROW_IN, ground, subtitle
from zjsim.report.style import BLUE, GREY, INK, PALE, VERMILLION, heading, new_figure, wrap
from zjsim.report.words import quantity, sum_or_unknown, total
from zjsim.texts import Language, text

_COLUMNS, _GAP_IN, _LEFT_IN, _TOP_IN, _BOTTOM_IN = 3, 0.3, 0.25, 1.25, 0.9
_AREA = 420.0
"""Points² of the largest bubble."""


def draw_seat_map(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Open bubbles: seats short without the plan (by area); filled: still short with it. Points are all counties."""
    repairs, places = tables.get("seat_repairs"), tables.get("location_coverage")
    if repairs is None or repairs.empty or places is None or places.empty:
        return None
    places = places.drop_duplicates("county_code").sort_values("county_code")
    columns = ["short_without_plan", "still_short"]
    summed = repairs.groupby(["year", "county_code"], as_index=False)[columns].agg(sum_or_unknown)
    years = sorted(int(y) for y in summed["year"].unique())
    rows = math.ceil((1 + len(years)) / _COLUMNS)
    width = 2 * _LEFT_IN + _COLUMNS * MAP_IN + (_COLUMNS - 1) * _GAP_IN
    height = _TOP_IN + rows * (ROW_IN + _GAP_IN) + _BOTTOM_IN
    figure = new_figure(width, height)
    heading(figure, text("report.fig_seat_map", lang), subtitle(text("report.fig_seat_map_sub", lang), places, lang))
    most = float(np.nanmax([1.0, *summed[columns].to_numpy(dtype=float).ravel()]))
    for i, year in enumerate((None, *years)):
        left = _LEFT_IN + (i % _COLUMNS) * (MAP_IN + _GAP_IN)
        bottom = height - _TOP_IN - (i // _COLUMNS + 1) * (ROW_IN + _GAP_IN) + _GAP_IN
        axes = figure.add_axes((left / width, bottom / height, MAP_IN / width, ROW_IN / height))
        ground(axes, places)
        axes.scatter(places["lon"], places["lat"], s=6, marker=".", color=PALE, zorder=1)
        if year is None:
            _cities(axes, places, lang)
            said = text("report.fig_seat_map_cities", lang)
        else:
            shown = summed[summed["year"] == year]
            _bubbles(axes, places, shown, most)
            values = {c: total(shown[c]) for c in columns}
            numbers = {"before": values[columns[0]], "after": values[columns[1]]}
            said = text("report.fig_seat_map_year", lang, year=year, **numbers)
        figure.text(left / width, (bottom + ROW_IN + 0.04) / height, said, fontsize=8.5, va="bottom")
    _legend(figure, most, height, lang)
    return figure


def _bubbles(axes: Axes, places: pd.DataFrame, shown: pd.DataFrame, most: float) -> None:
    point = places.set_index("county_code")[["lon", "lat"]].astype(float)
    styles: tuple[tuple[str, dict[str, Any]], ...] = (
        ("short_without_plan", {"facecolors": "none", "edgecolors": BLUE}),
        ("still_short", {"color": VERMILLION}),
    )
    for column, style in styles:
        here = shown[shown["county_code"].isin(point.index)]
        # A hidden number is drawn as the smallest bubble: where something is short, not how much.
        part = here.assign(**{column: here[column].fillna(1.0)})
        part = part[part[column] > 0].sort_values("county_code")
        if part.empty:
            continue
        at = point.loc[part["county_code"]].to_numpy()
        axes.scatter(at[:, 0], at[:, 1], s=_AREA * part[column] / most + 1, linewidths=1.0, zorder=3, **style)


def _cities(axes: Axes, places: pd.DataFrame, lang: Language) -> None:
    """The first frame: names of the cities, free of bubbles."""
    for _, part in places.groupby("city_code", sort=True):
        named = wrap(part[f"city_{lang}"].iloc[0], 7, lines=1)
        axes.text(
            part["lon"].mean(), part["lat"].mean(), named, fontsize=7.5, color=GREY, ha="center", va="center", zorder=2,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
        )  # fmt: skip


def _legend(figure: Figure, most: float, height: float, lang: Language) -> None:
    sizes = [_round(most), _round(most / 4)]
    handles = [
        Line2D(
            [], [], marker="o", linestyle="", markerfacecolor="none", markeredgecolor=BLUE,
            markersize=(_AREA * size / most) ** 0.5,
        )
        for size in sizes
    ]  # fmt: skip
    labels = [text("report.fig_seat_map_size", lang, n=quantity(size)) for size in sizes]
    handles.append(Line2D([], [], marker="o", linestyle="", color=VERMILLION, markersize=7))
    labels.append(text("report.fig_seat_map_left", lang))
    handles.append(Line2D([], [], marker=".", linestyle="", color=PALE, markersize=5))
    labels.append(text("report.fig_locations_other", lang))
    figure.legend(
        handles, labels, loc="lower left", bbox_to_anchor=(_LEFT_IN / figure.get_figwidth(), 0.34 / height),
        ncols=4, fontsize=8.5, columnspacing=2.0, borderaxespad=0.0, handletextpad=0.9, labelcolor=INK,
    )  # fmt: skip


def _round(value: float) -> float:
    """One significant digit."""
    size = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return max(1.0, math.floor(value / size) * size)
