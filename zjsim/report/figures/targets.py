"""Probability of meeting every target, with both kinds of range side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from zjsim.report.style import GREY, INK, PALE, VERDICT_COLOURS, drawable, heading, new_figure, wrap
from zjsim.report.targets import stated_targets
from zjsim.report.words import indicator_name, is_true, percent, reading_name, verdict_kind, verdict_word
from zjsim.texts import Language, text

_ROW_IN, _GAP_IN = 0.27, 0.12
_LEFT_IN, _RIGHT_IN, _TOP_IN, _BOTTOM_IN = 4.55, 1.75, 1.45, 1.05
_WIDTH_IN = 11.0


def draw_targets(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Bars of p_meet by reading: thick p_low-p_high, thin p_worst-p_best, dashed the required probability."""
    targets = stated_targets(tables)
    if targets.empty:
        return None
    rows = _ordered(targets)
    places, depth = _places(rows)
    height = _TOP_IN + depth + _BOTTOM_IN
    figure = new_figure(_WIDTH_IN, height)
    p = float(manifest["p_required"])
    heading(figure, text("report.fig_targets", lang), text("report.fig_targets_sub", lang, p=f"{p:g}"))
    axes = figure.add_axes(
        (_LEFT_IN / _WIDTH_IN, _BOTTOM_IN / height, (_WIDTH_IN - _LEFT_IN - _RIGHT_IN) / _WIDTH_IN, depth / height)
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(depth, 0)
    for (_, row), y, first in zip(rows.iterrows(), places, ~rows["target_id"].duplicated(), strict=True):
        _draw_row(axes, row, y, first, lang)
    axes.axvline(p, color=INK, linewidth=1.0, linestyle=(0, (4, 3)), zorder=3)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="x")
    axes.set_yticks([])
    axes.spines["left"].set_color(PALE)
    axes.set_xlabel(text("report.fig_probability", lang))
    _legend(figure, axes, height, lang)
    return figure


def _ordered(targets: pd.DataFrame) -> pd.DataFrame:
    """Targets in the order of the table, each with its default reading first."""
    order = {t: i for i, t in enumerate(dict.fromkeys(targets["target_id"]))}
    keyed = targets.assign(_target=targets["target_id"].map(order), _other=~is_true(targets["is_default"]))
    return keyed.sort_values(["_target", "_other"], kind="stable", ignore_index=True)


def _places(rows: pd.DataFrame) -> tuple[list[float], float]:
    places, y = list[float](), 0.0
    for first in ~rows["target_id"].duplicated():
        y += _GAP_IN if first else 0.0
        places.append(y + _ROW_IN / 2)
        y += _ROW_IN
    return places, y + _GAP_IN


def _draw_row(axes: Axes, row: pd.Series, y: float, first: bool, lang: Language) -> None:
    default = bool(is_true(pd.Series([row["is_default"]])).iloc[0])
    outside = axes.get_yaxis_transform()
    ink = INK if default else GREY
    per_inch = 1 / (_WIDTH_IN - _LEFT_IN - _RIGHT_IN)
    if first:
        name = wrap(indicator_name(row, lang), 21.5, lines=2)
        size = 8.3 if "\n" in name else 9
        axes.text(-4.3 * per_inch, y, name, transform=outside, ha="left", va="center", fontsize=size, linespacing=1.05)
    reading = wrap(reading_name(row["reading"], lang), 12, lines=1)
    axes.text(-0.1 * per_inch, y, reading, transform=outside, ha="right", va="center", color=ink, fontsize=8.5)
    kind = verdict_kind(row["verdict"])
    word = verdict_word(row, lang, short=True)
    if not kind or pd.isna(row["p_meet"]):
        axes.text(0.1 * per_inch, y, word, transform=outside, va="center", color=GREY, fontsize=8.5)
        return
    colour = VERDICT_COLOURS[kind]
    axes.barh(y, row["p_meet"], height=_ROW_IN * 0.62, color=colour, alpha=0.75 if default else 0.28, zorder=2)
    axes.plot([row["p_worst"], row["p_best"]], [y, y], color=ink, linewidth=0.9, zorder=4, clip_on=False)
    for end in (row["p_worst"], row["p_best"]):
        axes.plot([end, end], [y - 0.06, y + 0.06], color=ink, linewidth=0.9, zorder=4, clip_on=False)
    axes.plot(
        [row["p_low"], row["p_high"]], [y, y], color=ink, linewidth=4.2, alpha=0.85 if default else 0.6,
        solid_capstyle="butt", zorder=5, clip_on=False,
    )  # fmt: skip
    p = float(row["p_meet"])  # a simulation never proves 0 or 1
    chance = ">99%" if p >= 0.995 else "<1%" if p < 0.005 else percent(p, 0)
    said = f"{chance}  {drawable(word)}"
    axes.text(1 + 0.12 * per_inch, y, said, transform=outside, va="center", ha="left", color=ink, fontsize=8.5)


def _legend(figure: Figure, axes: Axes, height: float, lang: Language) -> None:
    handles = [
        Patch(color=GREY, alpha=0.75, label=text("report.legend_default", lang)),
        Patch(color=GREY, alpha=0.28, label=text("report.legend_other", lang)),
        Line2D([], [], color=INK, linewidth=4.2, label=text("report.legend_simulation", lang)),
        Line2D([], [], color=INK, linewidth=0.9, marker="|", markersize=7, label=text("report.legend_input", lang)),
        *(
            Patch(color=colour, alpha=0.75, label=text(f"report.verdict_{_key(kind)}", lang))
            for kind, colour in VERDICT_COLOURS.items()
        ),
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.25 / _WIDTH_IN, 1 - 0.98 / height), ncols=len(handles),
        columnspacing=1.3, handlelength=1.6, handletextpad=0.5, borderaxespad=0.0,
    )  # fmt: skip


def _key(kind: str) -> str:
    return {"depends on": "depends_short"}.get(kind, kind.replace(" ", "_"))
