"""Talent supply: the catalogue of scarce classes, demand and what of it is filled, and the share of 理工农医."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from zjsim.report.style import BLUE, GREEN, GREY, ORANGE, PALE, WIDTH_IN, heading, heading_in, new_figure, wrap
from zjsim.report.words import quantity
from zjsim.texts import Language, text

MOST = 14
"""Classes shown of the catalogue."""
_ROW_IN, _BELOW_IN, _PANEL_IN, _BOTTOM_IN = 0.235, 0.75, 1.35, 0.7
_GRADUATES = {"zh": 10_000.0, "en": 1_000.0}
"""In what number of graduates the demand is counted."""


def draw_talent(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Left: the scarcest classes half way to the horizon. Right: demand by year, and the share of 理工农医."""
    needed = ("talent_catalogue", "talent_shortfalls", "talent_field_share")
    if any(name not in tables or tables[name].empty for name in needed):
        return None
    catalogue, market, share = (tables[name] for name in needed)
    title, said = text("report.fig_talent", lang), text("report.fig_talent_sub", lang)
    depth = MOST * _ROW_IN
    height = heading_in(title, said) + 0.25 + depth + _BELOW_IN + _PANEL_IN + _BOTTOM_IN
    figure = new_figure(WIDTH_IN, height)
    heading(figure, title, said)
    under = _BOTTOM_IN + _PANEL_IN + _BELOW_IN
    _catalogue(figure.add_axes((2.15 / WIDTH_IN, under / height, 3.85 / WIDTH_IN, depth / height)), catalogue, lang)
    for left, draw, table in ((0.45, _market, market), (3.6, _share, share)):
        draw(figure.add_axes((left / WIDTH_IN, _BOTTOM_IN / height, 2.4 / WIDTH_IN, _PANEL_IN / height)), table, lang)
    return figure


def _catalogue(axes: Axes, catalogue: pd.DataFrame, lang: Language) -> None:
    years = sorted(catalogue["year"].unique())
    year = int(years[len(years) // 2])
    rows = catalogue[catalogue["year"] == year].sort_values("rank").head(MOST)
    axes.barh(range(len(rows)), rows["scarcity"], color=ORANGE, height=0.66, zorder=2)
    axes.set_yticks(
        range(len(rows)),
        [
            wrap(text("report.talent_class", lang, name=name, level=text(f"talent.level.{level}", lang)), 18.5, lines=2)
            for name, level in zip(rows[f"class_{lang}"], rows["level"], strict=True)
        ],
    )
    axes.set_ylim(MOST - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelsize=7.5)
    for label in axes.get_yticklabels():
        label.set_linespacing(1.0)
    top = float(rows["scarcity"].max())
    axes.set_xlim(0, 1.35 * top)
    for y, (scarcity, missing) in enumerate(zip(rows["scarcity"], rows["missing"], strict=True)):
        said = text("report.fig_talent_missing", lang, n=quantity(round(float(missing))))
        axes.annotate(
            said, (scarcity, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=7.5, color=GREY
        )
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="x")
    axes.set_title(text("report.fig_talent_catalogue", lang, year=year, n=len(rows)))


def _market(axes: Axes, market: pd.DataFrame, lang: Language) -> None:
    by_year = market.groupby("year")[["filled", "unmet"]].sum() / _GRADUATES[lang]
    years = by_year.index.to_numpy()
    axes.bar(years, by_year["filled"], color=BLUE, width=0.66, label=text("report.fig_talent_filled", lang), zorder=2)
    axes.bar(
        years, by_year["unmet"], bottom=by_year["filled"], color=ORANGE, width=0.66,
        label=text("report.fig_talent_unmet", lang), zorder=2,
    )  # fmt: skip
    axes.set_ylim(0, 1.12 * float(by_year.sum(axis=1).max()))
    _years(axes, years)
    axes.grid(axis="y")
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(-0.02, 1.0), borderaxespad=0.1, columnspacing=1.2)
    axes.set_title(wrap(text("report.fig_talent_market", lang), 20, lines=1), pad=18)


def _share(axes: Axes, share: pd.DataFrame, lang: Language) -> None:
    axes.fill_between(share["year"], share["share_least"], share["share_most"], color=PALE, zorder=1, linewidth=0)
    axes.plot(share["year"], share["share"], color=GREEN, marker="o", markersize=4, zorder=3)
    _years(axes, share["year"].to_numpy())
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    low, high = float(share["share_least"].min()), float(share["share_most"].max())
    room = max(0.15 * (high - low), 0.002)
    axes.set_ylim(low - room, high + room)
    axes.grid(axis="y")
    axes.set_title(wrap(text("report.fig_talent_share", lang), 20, lines=2), linespacing=1.1)


def _years(axes: Axes, years: Any) -> None:
    """Ticks at the years, at every second one where there are many."""
    axes.set_xticks(years[:: 1 if len(years) <= _MOST_YEARS else 2])


_MOST_YEARS = 6
