"""Compulsory-school seats: the province by year, and the counties with the largest gap after the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from zjsim.report.style import BLUE, GREY, INK, ORANGE, SKY, VERMILLION, drawable, heading, new_figure, wrap
from zjsim.report.words import quantity
from zjsim.texts import Language, text

COUNTIES_SHOWN = 15
_WIDTH_IN, _HEIGHT_IN = 11.0, 6.2
_TEN_THOUSAND = 10_000.0
_DEMAND = ("demand", "demand_children", "children", "eligible_children")
_EXISTING = ("existing_seats", "capacity_seats", "capacity", "base_seats")
_ADDED = ("seats_opened", "seats_added", "new_seats", "seats")
_PURCHASED = ("purchased_seats", "seats_purchased", "purchased")
_UNMET = ("unplaced_children", "unmet", "shortfall", "coverage_shortfall", "shortfall_children", "unplaced")


def draw_seats(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Left: demand against existing and added seats by year. Right: the largest gaps of the worst year."""
    seats = by_county_and_year(tables["seat_expansion"])
    if seats is None or seats.empty:
        return None
    figure = new_figure(_WIDTH_IN, _HEIGHT_IN)
    heading(figure, text("report.fig_seats", lang), text("report.fig_seats_sub", lang))
    left = figure.add_axes((0.075, 0.135, 0.40, 0.60))
    right = figure.add_axes((0.62, 0.135, 0.34, 0.60))
    _province(left, seats, lang)
    _counties(right, seats, lang)
    return figure


def by_county_and_year(expansion: pd.DataFrame) -> pd.DataFrame | None:
    """Columns county_code, county_zh, county_en, year, demand, existing, added, unmet (children, seats), summed.

    ``None`` if the table does not say how many seats are wanted or are there.
    """
    found = {
        "demand": _named(expansion, _DEMAND),
        "existing": _named(expansion, _EXISTING),
        "opened": _named(expansion, _ADDED),
        "purchased": _named(expansion, _PURCHASED),
        "unmet": _named(expansion, _UNMET),
    }
    if found["demand"] is None or found["unmet"] is None:
        return None
    numbers = {k: expansion[c].astype(float) if c else pd.Series(0.0, expansion.index) for k, c in found.items()}
    frame = pd.DataFrame({"county_code": expansion["county_code"].astype(str), "year": expansion["year"].astype(int)})
    for lang in ("zh", "en"):
        column = f"county_{lang}" if f"county_{lang}" in expansion else "county_code"
        frame[f"county_{lang}"] = expansion[column].astype(str)
    frame = frame.assign(
        demand=numbers["demand"],
        existing=numbers["existing"],
        added=numbers["opened"] + numbers["purchased"],
        unmet=numbers["unmet"],
    )
    keys = ["county_code", "county_zh", "county_en", "year"]
    return frame.groupby(keys, as_index=False)[["demand", "existing", "added", "unmet"]].sum()


def _named(table: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    return next((n for n in names if n in table), None)


def _province(axes: Axes, seats: pd.DataFrame, lang: Language) -> None:
    year = seats.groupby("year")[["demand", "existing", "added", "unmet"]].sum() / _TEN_THOUSAND
    places = year.index.to_numpy()
    axes.bar(places, year["existing"], width=0.62, color=SKY, label=text("report.legend_capacity", lang))
    axes.bar(places, year["added"], bottom=year["existing"], width=0.62, color=BLUE,
             label=text("report.legend_added", lang))  # fmt: skip
    axes.plot(places, year["demand"], color=INK, marker="o", markersize=4, linewidth=1.4,
              label=text("report.legend_demand", lang))  # fmt: skip
    top = float(max((year["existing"] + year["added"]).max(), year["demand"].max(), 1e-9))
    axes.set_ylim(0, top * 1.16)
    for x, y, unmet in zip(places, year[["demand"]].max(axis=1), year["unmet"], strict=True):
        if unmet > 0:
            axes.annotate(quantity(round(unmet, 2)), (x, max(y, top * 0.98)), xytext=(0, 7), fontsize=7.5,
                          textcoords="offset points", ha="center", color=VERMILLION)  # fmt: skip
    axes.plot([], [], linestyle="none", marker="$0$", color=VERMILLION, label=text("report.legend_unmet", lang))
    axes.set_title(text("report.fig_seats_province", lang), pad=24)
    axes.set_xticks(places)
    axes.tick_params(axis="x", labelsize=8, length=0)
    axes.grid(axis="y")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=4, columnspacing=1.1, handlelength=1.4)


def _counties(axes: Axes, seats: pd.DataFrame, lang: Language) -> None:
    by_year = seats.groupby("year")["unmet"].sum()
    if by_year.max() <= 0:
        axes.set_axis_off()
        axes.text(0, 0.98, text("report.fig_seats_no_gap", lang), transform=axes.transAxes, va="top", color=GREY)
        return
    worst = int(str(by_year.idxmax()))
    shown = seats[(seats["year"] == worst) & (seats["unmet"] > 0)]
    shown = shown.sort_values(["unmet", "county_code"], ascending=[False, True]).head(COUNTIES_SHOWN)
    places = range(len(shown))
    axes.barh(places, shown["unmet"], height=0.62, color=ORANGE)
    for place, unmet in zip(places, shown["unmet"], strict=True):
        axes.annotate(quantity(unmet), (unmet, place), xytext=(3, 0), textcoords="offset points", va="center",
                      fontsize=7.5, color=GREY)  # fmt: skip
    names = [wrap(drawable(n), 13, lines=1) for n in shown[f"county_{lang}"]]
    axes.set_yticks(list(places), names)
    axes.set_ylim(max(len(shown), 6) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelsize=8.5)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    axes.set_xlim(0, float(shown["unmet"].max()) * 1.16)
    axes.grid(axis="x")
    axes.set_title(text("report.fig_seats_counties", lang, year=worst), pad=24, x=0)
