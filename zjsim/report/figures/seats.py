"""Compulsory-school seats: where the children of the province are placed, and where the plan falls short or builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from zjsim.report.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    SKY,
    VERMILLION,
    WIDTH_IN,
    heading,
    heading_in,
    new_figure,
    wrap,
)
from zjsim.report.words import known_sum, quantity
from zjsim.texts import Language, text

COUNTIES_SHOWN = 15
_PROVINCE_IN, _LEGEND_IN, _BELOW_IN, _ROW_IN, _BOTTOM_IN = 1.85, 0.62, 0.6, 0.165, 0.72
_CHILDREN = {"zh": 10_000.0, "en": 1_000.0}
"""In what number of children the axis counts."""
_PLACED = {
    "local": (("placed_local",), SKY),
    "migrant_public": (("placed_public", "placed_public_other"), BLUE),
    "purchased": (("placed_purchased",), GREEN),
    "outside": (("others_outside_public",), PALE),
    "unmet": (("local_unplaced", "unplaced"), VERMILLION),
}
"""Where a child is → columns of ``seat_expansion`` that are added up, and the colour; from the bottom upwards."""
_ALSO = {"demand": ("demand",), "seats": ("public_seats",), "rooms": ("rooms_added", "new_school_rooms")}


def draw_seats(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Above: children by where they are placed, and public seats, by year. Below: the largest gaps, else new rooms."""
    seats = by_county_and_year(tables["seat_expansion"])
    if seats is None or seats.empty:
        return None
    whole = tables.get("seat_summary")
    province = None if whole is None else by_county_and_year(whole.assign(county_code=""))
    title, said = text("report.fig_seats", lang), text("report.fig_seats_sub", lang)
    if seats["unmet"].isna().any():
        said += "\n" + text("published.left_out", lang)
    depth = COUNTIES_SHOWN * _ROW_IN
    height = heading_in(title, said) + _LEGEND_IN + _PROVINCE_IN + _BELOW_IN + depth + _BOTTOM_IN
    figure = new_figure(WIDTH_IN, height)
    heading(figure, title, said)
    under = _BOTTOM_IN + depth + _BELOW_IN
    above = figure.add_axes((0.5 / WIDTH_IN, under / height, 5.5 / WIDTH_IN, _PROVINCE_IN / height))
    below = figure.add_axes((1.6 / WIDTH_IN, _BOTTOM_IN / height, 4.4 / WIDTH_IN, depth / height))
    _province(above, seats if province is None else province, lang)
    if seats["unmet"].sum() > 0 or seats["unmet"].isna().any():
        _gaps(below, seats, lang)
    else:
        _rooms(below, seats, lang)
    return figure


def by_county_and_year(expansion: pd.DataFrame) -> pd.DataFrame | None:
    """A row per county and year: county_code, county_zh, county_en, year, and children, seats and rooms by kind.

    The kinds are local, migrant_public, purchased, outside (private places), unmet (children who are owed a place and
    have none); demand (all of these), seats (public) and rooms (new classrooms); not a number where hidden. ``None`` if
    the table lacks one of their columns.
    """
    wanted = {kind: columns for kind, (columns, _) in _PLACED.items()} | _ALSO
    if not {c for columns in wanted.values() for c in columns} <= set(expansion.columns):
        return None
    frame = pd.DataFrame({"county_code": expansion["county_code"].astype(str), "year": expansion["year"].astype(int)})
    for lang in ("zh", "en"):
        column = f"county_{lang}" if f"county_{lang}" in expansion else "county_code"
        frame[f"county_{lang}"] = expansion[column].astype(str)
    for kind, columns in wanted.items():
        frame[kind] = known_sum(expansion[list(columns)])
    keys = ["county_code", "county_zh", "county_en", "year"]
    # A count that is hidden stays unknown.
    return frame.groupby(keys, as_index=False)[list(wanted)].sum(min_count=1)


def _province(axes: Axes, seats: pd.DataFrame, lang: Language) -> None:
    year = seats.groupby("year")[[*_PLACED, "seats", "demand"]].sum() / _CHILDREN[lang]
    places = year.index.to_numpy()
    bottom = pd.Series(0.0, index=year.index)
    for kind, (_, colour) in _PLACED.items():
        axes.bar(places, year[kind], bottom=bottom, width=0.64, color=colour, label=text(f"report.seats_{kind}", lang))
        bottom = bottom + year[kind]
    # Kinds that are hidden would leave a gap that looks like fewer children: together they are known.
    hidden = (year["demand"] - bottom).clip(lower=0.0)
    if (hidden > 1e-6 * year["demand"]).any():
        axes.bar(
            places, hidden, bottom=bottom, width=0.64, facecolor="white", edgecolor=PALE, hatch="////", linewidth=0.0,
            label=text("report.seats_hidden", lang),
        )  # fmt: skip
        bottom = bottom + hidden
    label = text("report.seats_seats", lang)
    axes.plot(places, year["seats"], color=INK, marker="o", markersize=3.5, linewidth=1.3, label=label)
    top = float(max(bottom.max(), year["seats"].max(), 1e-9))
    axes.set_ylim(0, top * 1.1)
    for x, y, unmet in zip(places, bottom, year["unmet"], strict=True):
        if unmet > 0:
            said = quantity(unmet * _CHILDREN[lang])
            axes.annotate(
                said, (x, max(y, year["seats"][x])), xytext=(0, 6), textcoords="offset points", ha="center",
                fontsize=7.5, color=VERMILLION,
            )  # fmt: skip
    axes.set_title(text("report.fig_seats_province", lang), pad=32)
    axes.set_xticks(places)
    axes.tick_params(axis="x", labelsize=8, length=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    axes.grid(axis="y")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=4,
        columnspacing=1.0,
        handlelength=1.2,
        handletextpad=0.4,
        borderaxespad=0.2,
        labelspacing=0.3,
    )


def _gaps(axes: Axes, seats: pd.DataFrame, lang: Language) -> None:
    worst = int(str(seats.groupby("year")["unmet"].sum().idxmax()))
    shown = seats[(seats["year"] == worst) & (seats["unmet"] > 0)]
    axes.set_title(text("report.fig_seats_counties", lang, year=worst), pad=10)
    if shown.empty:
        axes.set_axis_off()
        return
    _bars(axes, shown, "unmet", ORANGE, lang)


def _rooms(axes: Axes, seats: pd.DataFrame, lang: Language) -> None:
    keys = ["county_code", "county_zh", "county_en"]
    summed = seats.groupby(keys, as_index=False)[["rooms", "purchased"]].sum()
    shown = summed[summed["rooms"] > 0]
    axes.set_title(text("report.fig_seats_no_gap", lang), pad=10)
    if shown.empty:
        axes.set_axis_off()
        return
    _bars(axes, shown, "rooms", BLUE, lang)


def _bars(axes: Axes, rows: pd.DataFrame, what: str, colour: str, lang: Language) -> None:
    shown = rows.sort_values([what, "county_code"], ascending=[False, True]).head(COUNTIES_SHOWN)
    places = range(len(shown))
    axes.barh(places, shown[what], height=0.62, color=colour)
    for place, amount in zip(places, shown[what], strict=True):
        axes.annotate(
            quantity(amount), (amount, place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=7.5,
            color=GREY, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
    axes.set_yticks(list(places), [wrap(n, 13.5, lines=1) for n in shown[f"county_{lang}"]])
    axes.set_ylim(max(len(shown), 6) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    axes.set_xlim(0, float(shown[what].max()) * 1.12)
    axes.grid(axis="x")
