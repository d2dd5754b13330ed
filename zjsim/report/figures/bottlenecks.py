"""Which resource is worth adding: what a tenth more of each would bring of a target's bound, and how busy it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from zjsim.report.style import BLUE, GREY, INK, PALE, WIDTH_IN, drawable, heading, heading_in, new_figure, wrap
from zjsim.report.words import percent, quantity
from zjsim.texts import Language, text

_MOST = 12
_LEFT_IN, _RIGHT_IN, _BOTTOM_IN, _ROW_IN = 2.75, 1.8, 0.8, 0.405


def draw_bottlenecks(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Bars for the province in the last year: those that bring something; the others are named below."""
    table = tables.get("bottlenecks", pd.DataFrame())
    if table.empty:
        return None
    year = int(table["year"].max())
    rows = table[(table["year"] == year) & (table["level"] == "province")].sort_values("rank")
    worth = rows[rows["gain_share_of_tenth"] > 0].head(_MOST)
    if worth.empty:
        return None
    title, said = text("report.fig_bottlenecks", lang), text("report.fig_bottlenecks_sub", lang, year=year)
    idle = rows[rows["gain_share_of_tenth"] == 0][f"relief_{lang}"].tolist()
    if idle:
        names = ("、" if lang == "zh" else "; ").join(dict.fromkeys(idle))
        said += "\n" + text("report.fig_bottlenecks_none", lang, names=names)
    height = heading_in(title, said) + len(worth) * _ROW_IN + _BOTTOM_IN
    figure = new_figure(WIDTH_IN, height)
    heading(figure, title, said)
    axes = figure.add_axes(
        (
            _LEFT_IN / WIDTH_IN,
            _BOTTOM_IN / height,
            (WIDTH_IN - _LEFT_IN - _RIGHT_IN) / WIDTH_IN,
            len(worth) * _ROW_IN / height,
        )
    )
    axes.set_ylim(len(worth) - 0.5, -0.5)
    for y, (_, row) in enumerate(worth.iterrows()):
        _draw_row(axes, row, y, lang)
    axes.set_xlim(0, 1.1 * max(_ends(row)[1] for _, row in worth.iterrows()))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel(text("report.fig_bottlenecks_gain", lang))
    axes.grid(axis="x")
    axes.set_yticks([])
    axes.spines["left"].set_color(PALE)
    return figure


def _ends(row: pd.Series) -> tuple[float, float]:
    """The 95 % interval of a bar: the gain's own, in shares of the bound."""
    share = float(row["gain_share_of_tenth"])
    if not row["gain"] or pd.isna(row["gain_low"]):
        return share, share
    return share * float(row["gain_low"] / row["gain"]), share * float(row["gain_high"] / row["gain"])


def _draw_row(axes: Axes, row: pd.Series, y: int, lang: Language) -> None:
    outside = axes.get_yaxis_transform()
    per_inch = 1 / (WIDTH_IN - _LEFT_IN - _RIGHT_IN)
    axes.barh(y, row["gain_share_of_tenth"], height=0.55, color=BLUE, alpha=0.75, zorder=2)
    low, high = _ends(row)
    axes.plot([low, high], [y, y], color=INK, linewidth=0.9, zorder=4)
    name = wrap(row[f"relief_{lang}"], 23, lines=2)
    axes.text(
        -0.08 * per_inch, y + 0.08, name, transform=outside, ha="right", va="bottom", fontsize=8, linespacing=1.05
    )
    unit, target_unit = (row["unit_zh"], row["target_unit_zh"]) if lang == "zh" else (row["unit"], row["target_unit"])
    three = float(f"{row['gain']:.3g}")
    gain = text("report.fig_bottlenecks_unit", lang, unit=unit, gain=quantity(three), target=target_unit)
    axes.text(
        -0.08 * per_inch, y + 0.11, wrap(gain, 25, lines=1), transform=outside, ha="right", va="top",
        fontsize=7.5, color=GREY,
    )  # fmt: skip
    right: dict[str, Any] = {"transform": outside, "ha": "left", "va": "center", "fontsize": 8, "linespacing": 1.05}
    shown = not pd.isna(row["utilisation"])
    place = y - 0.22 if shown else y
    name = wrap(drawable(row[f"indicator_{lang}"]), 15, lines=1 if shown else 2)
    axes.text(1 + 0.1 * per_inch, place, name, **right)
    if not shown:
        return
    used = text(
        "report.fig_bottlenecks_use",
        lang,
        use=percent(row["utilisation"], 0),
        days=f"{0.0 if pd.isna(row['mean_wait_days']) else row['mean_wait_days']:.1f}",
        lost=percent(0.0 if pd.isna(row["lost_share"]) else row["lost_share"], 1),
    )
    used = wrap(used, 16, lines=2)
    axes.text(1 + 0.1 * per_inch, y - 0.08, used, **{**right, "fontsize": 7.5, "va": "top"}, color=GREY)
