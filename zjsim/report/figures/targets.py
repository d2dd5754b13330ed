"""Probability of meeting every target by its default reading, and by the others, with both kinds of range."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from zjsim.report.style import (
    GREY,
    INK,
    MARGIN_IN,
    PALE,
    VERDICT_COLOURS,
    WIDTH_IN,
    drawable,
    heading,
    heading_in,
    new_figure,
    wrap,
)
from zjsim.report.targets import stated_targets
from zjsim.report.words import indicator_name, is_true, percent, reading_name, verdict_kind, verdict_word
from zjsim.texts import Language, text

_ROW_IN, _GAP_IN = {True: 0.3, False: 0.22}, {True: 0.0, False: 0.05}
"""Height of a row of the default readings and of the others, and what is left between targets."""
_LEFT_IN, _RIGHT_IN, _LEGEND_IN, _BOTTOM_IN = 2.95, 1.12, 0.36, 0.8
_NAME_EM, _READING_EM = 16.3, 9.5


def draw_targets(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Default readings. Bars of p_meet: thick p_low-p_high, thin p_worst-p_best, dashed the required probability."""
    return _draw(manifest, tables, lang, default=True)


def draw_readings(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """The same for the other readings of the targets."""
    return _draw(manifest, tables, lang, default=False)


def _draw(
    manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language, *, default: bool
) -> Figure | None:
    targets = stated_targets(tables)
    rows = targets[is_true(targets["is_default"]) == default] if len(targets) else targets
    if rows.empty:
        return None
    places, depth = _places(rows, default)
    p = float(manifest["p_required"])
    title = text("report.fig_targets" if default else "report.fig_readings", lang)
    subtitle = text("report.fig_targets_sub", lang, p=f"{p:g}")
    top = heading_in(title, subtitle) + _LEGEND_IN
    height = top + depth + _BOTTOM_IN
    figure = new_figure(WIDTH_IN, height)
    heading(figure, title, subtitle)
    axes = figure.add_axes(
        (_LEFT_IN / WIDTH_IN, _BOTTOM_IN / height, (WIDTH_IN - _LEFT_IN - _RIGHT_IN) / WIDTH_IN, depth / height)
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(depth, 0)
    for (_, row), y, first in zip(rows.iterrows(), places, ~rows["target_id"].duplicated(), strict=True):
        _draw_row(axes, row, y, first, _ROW_IN[default], lang)
    axes.axvline(p, color=INK, linewidth=1.0, linestyle=(0, (4, 3)), zorder=3)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.grid(axis="x")
    axes.set_yticks([])
    axes.spines["left"].set_color(PALE)
    axes.set_xlabel(text("report.fig_probability", lang))
    _legend(figure, height - top + _LEGEND_IN, lang)
    return figure


def _places(rows: pd.DataFrame, default: bool) -> tuple[list[float], float]:
    places, y = list[float](), 0.0
    for first in ~rows["target_id"].duplicated():
        y += _GAP_IN[default] if first else 0.0
        places.append(y + _ROW_IN[default] / 2)
        y += _ROW_IN[default]
    return places, y + _GAP_IN[default]


def _draw_row(axes: Axes, row: pd.Series, y: float, first: bool, high: float, lang: Language) -> None:
    outside = axes.get_yaxis_transform()
    per_inch = 1 / (WIDTH_IN - _LEFT_IN - _RIGHT_IN)
    if first:
        name = wrap(indicator_name(row, lang), _NAME_EM, lines=2)
        axes.text(
            -(_LEFT_IN - MARGIN_IN) * per_inch, y, name, transform=outside, ha="left", va="center", fontsize=8,
            linespacing=1.05,
        )  # fmt: skip
    reading = wrap(reading_name(row["reading"], lang), _READING_EM, lines=2)
    axes.text(
        -0.06 * per_inch, y, reading, transform=outside, ha="right", va="center", color=GREY, fontsize=7.5,
        linespacing=1.05,
    )  # fmt: skip
    kind = verdict_kind(row["verdict"])
    word = verdict_word(row, lang, short=True)
    if not kind or pd.isna(row["p_meet"]):
        axes.text(0.1 * per_inch, y, word, transform=outside, va="center", color=GREY, fontsize=8)
        return
    colour = VERDICT_COLOURS[kind]
    axes.barh(y, row["p_meet"], height=high * 0.62, color=colour, alpha=0.75, zorder=2)
    axes.plot([row["p_worst"], row["p_best"]], [y, y], color=INK, linewidth=0.9, zorder=4, clip_on=False)
    for end in (row["p_worst"], row["p_best"]):
        axes.plot([end, end], [y - 0.05, y + 0.05], color=INK, linewidth=0.9, zorder=4, clip_on=False)
    axes.plot(
        [row["p_low"], row["p_high"]], [y, y], color=INK, linewidth=3.6, alpha=0.85, solid_capstyle="butt", zorder=5,
        clip_on=False,
    )  # fmt: skip
    p = float(row["p_meet"])  # a simulation never proves 0 or 1
    chance = ">99%" if p >= 0.995 else "<1%" if p < 0.005 else percent(p, 0)
    said = wrap(f"{chance}  {drawable(word)}", 9.6, lines=1)
    axes.text(1 + 0.1 * per_inch, y, said, transform=outside, va="center", ha="left", color=INK, fontsize=8)


def _legend(figure: Figure, place_in: float, lang: Language) -> None:
    handles = [
        Line2D([], [], color=INK, linewidth=3.6, label=text("report.legend_simulation", lang)),
        Line2D([], [], color=INK, linewidth=0.9, marker="|", markersize=7, label=text("report.legend_input", lang)),
        *(
            Patch(color=colour, alpha=0.75, label=text(f"report.verdict_{_key(kind)}", lang))
            for kind, colour in VERDICT_COLOURS.items()
        ),
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(MARGIN_IN / WIDTH_IN, place_in / figure.get_figheight()),
        ncols=len(handles), columnspacing=1.1, handlelength=1.4, handletextpad=0.5, borderaxespad=0.0,
    )  # fmt: skip


def _key(kind: str) -> str:
    return {"depends on": "depends_short"}.get(kind, kind.replace(" ", "_"))
