"""Talent supply: the catalogue of scarce classes, demand and what of it is filled, and the share of 理工农医."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from zjsim.report.style import BLUE, GREEN, GREY, ORANGE, PALE, heading, new_figure, wrap
from zjsim.report.words import quantity
from zjsim.texts import Language, text

MOST = 14
"""Classes shown of the catalogue."""
_WIDTH_IN, _HEIGHT_IN = 11.0, 6.6
_GRADUATES = {"zh": 10_000.0, "en": 1_000.0}
"""In what number of graduates the demand is counted."""


def draw_talent(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Left: the scarcest classes half way to the horizon. Right: demand by year, and the share of 理工农医."""
    needed = ("talent_catalogue", "talent_shortfalls", "talent_field_share")
    if any(name not in tables or tables[name].empty for name in needed):
        return None
    catalogue, market, share = (tables[name] for name in needed)
    figure = new_figure(_WIDTH_IN, _HEIGHT_IN)
    heading(figure, text("report.fig_talent", lang), text("report.fig_talent_sub", lang))
    _catalogue(figure.add_axes((0.27, 0.1, 0.26, 0.72)), catalogue, lang)
    _market(figure.add_axes((0.63, 0.52, 0.34, 0.27)), market, lang)
    _share(figure.add_axes((0.63, 0.1, 0.34, 0.27)), share, lang)
    return figure


def _catalogue(axes: Axes, catalogue: pd.DataFrame, lang: Language) -> None:
    years = sorted(catalogue["year"].unique())
    year = int(years[len(years) // 2])
    rows = catalogue[catalogue["year"] == year].sort_values("rank").head(MOST)
    axes.barh(range(len(rows)), rows["scarcity"], color=ORANGE, height=0.66, zorder=2)
    axes.set_yticks(
        range(len(rows)),
        [
            wrap(text("report.talent_class", lang, name=name, level=text(f"talent.level.{level}", lang)), 19, lines=2)
            for name, level in zip(rows[f"class_{lang}"], rows["level"], strict=True)
        ],
    )
    axes.set_ylim(MOST - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelsize=7.5)
    top = float(rows["scarcity"].max())
    axes.set_xlim(0, 1.35 * top)
    for y, (scarcity, missing) in enumerate(zip(rows["scarcity"], rows["missing"], strict=True)):
        said = text("report.fig_talent_missing", lang, n=quantity(round(float(missing))))
        axes.annotate(
            said, (scarcity, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=7.5, color=GREY
        )
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="x")
    axes.set_title(text("report.fig_talent_catalogue", lang, year=year, n=len(rows)), fontsize=9.5, loc="left")


def _market(axes: Axes, market: pd.DataFrame, lang: Language) -> None:
    by_year = market.groupby("year")[["filled", "unmet"]].sum() / _GRADUATES[lang]
    years = by_year.index.to_numpy()
    axes.bar(years, by_year["filled"], color=BLUE, width=0.66, label=text("report.fig_talent_filled", lang), zorder=2)
    axes.bar(
        years, by_year["unmet"], bottom=by_year["filled"], color=ORANGE, width=0.66,
        label=text("report.fig_talent_unmet", lang), zorder=2,
    )  # fmt: skip
    axes.set_ylim(0, 1.12 * float(by_year.sum(axis=1).max()))
    axes.set_xticks(years)
    axes.grid(axis="y")
    axes.legend(ncols=2, loc="lower right", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
    axes.set_title(text("report.fig_talent_market", lang), fontsize=9.5, loc="left")


def _share(axes: Axes, share: pd.DataFrame, lang: Language) -> None:
    axes.fill_between(share["year"], share["share_least"], share["share_most"], color=PALE, zorder=1, linewidth=0)
    axes.plot(share["year"], share["share"], color=GREEN, marker="o", markersize=4, zorder=3)
    axes.set_xticks(share["year"])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    low, high = float(share["share_least"].min()), float(share["share_most"].max())
    room = max(0.15 * (high - low), 0.002)
    axes.set_ylim(low - room, high + room)
    axes.grid(axis="y")
    axes.set_title(text("report.fig_talent_share", lang), fontsize=9.5, loc="left")
