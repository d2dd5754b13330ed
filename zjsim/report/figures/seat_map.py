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

from zjsim.report.figures.ground import ground, name_cities, subtitle
from zjsim.report.style import (
    BLUE,
    INK,
    MARGIN_IN,
    PALE,
    VERMILLION,
    WIDTH_IN,
    heading,
    heading_in,
    new_figure,
    wrap,
)
from zjsim.report.words import quantity, sum_or_unknown, total
from zjsim.texts import Language, text

_COLUMNS, _GAP_IN, _BOTTOM_IN = 3, 0.24, 0.85
MAP_IN, ROW_IN = (WIDTH_IN - 2 * MARGIN_IN - (_COLUMNS - 1) * 0.1) / _COLUMNS, 1.7
"""Width and height of a map."""
_AREA = 220.0
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
    title, said = text("report.fig_seat_map", lang), subtitle(text("report.fig_seat_map_sub", lang), places, lang)
    top, width = heading_in(title, said), WIDTH_IN
    height = top + rows * (ROW_IN + _GAP_IN) + _BOTTOM_IN
    figure = new_figure(width, height)
    heading(figure, title, said)
    most = float(np.nanmax([1.0, *summed[columns].to_numpy(dtype=float).ravel()]))
    for i, year in enumerate((None, *years)):
        left = MARGIN_IN + (i % _COLUMNS) * (MAP_IN + 0.1)
        bottom = height - top - (i // _COLUMNS + 1) * (ROW_IN + _GAP_IN)
        axes = figure.add_axes((left / width, bottom / height, MAP_IN / width, ROW_IN / height))
        ground(axes, places)
        axes.scatter(places["lon"], places["lat"], s=4, marker=".", color=PALE, zorder=1)
        if year is None:
            name_cities(axes, places, lang)
            said = text("report.fig_seat_map_cities", lang)
        else:
            shown = summed[summed["year"] == year]
            _bubbles(axes, places, shown, most)
            values = {c: total(shown[c]) for c in columns}
            numbers = {"before": values[columns[0]], "after": values[columns[1]]}
            said = text("report.fig_seat_map_year", lang, year=year, **numbers)
        figure.text(left / width, (bottom + ROW_IN + 0.03) / height, wrap(said, 16.5, lines=1), fontsize=8, va="bottom")
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
        handles, labels, loc="lower left", bbox_to_anchor=(MARGIN_IN / WIDTH_IN, 0.44 / height),
        ncols=4, columnspacing=1.6, borderaxespad=0.0, handletextpad=0.8, labelcolor=INK,
    )  # fmt: skip


def _round(value: float) -> float:
    """One significant digit."""
    size = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return max(1.0, math.floor(value / size) * size)
