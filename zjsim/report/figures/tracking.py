"""Progress in pictures: the path of every target with its forecast and needed pace; the lights of every body."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from zjsim.report.style import BLUE, GREY, INK, PALE, VERMILLION, drawable, heading, new_figure, wrap
from zjsim.report.tracking_book import FILLS, LIGHTS, light_word
from zjsim.report.words import is_true, records
from zjsim.texts import Language, text

_COLUMNS = 4
_PANEL_W_IN, _PANEL_H_IN, _TOP_IN, _BOTTOM_IN = 2.85, 2.3, 1.05, 0.5
_MARGIN_IN, _AXES_W_IN, _AXES_H_IN = 0.25, 2.1, 1.25
_SIGNS = {"green": "●", "amber": "▲", "red": "■", "grey": "○"}
_TEXT = {"green": "#007A59", "amber": "#8A5F00", "red": "#B34700", "grey": GREY}


def draw_tracking(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """A panel per target (default reading): counted quarters, forecast band, bound, and the pace now needed."""
    fan, targets = tables["track_fan"], tables["track_targets"]
    targets = targets[is_true(targets["is_default"]) & targets["target_id"].isin(set(fan["target_id"]))]
    rows = sorted(records(targets), key=lambda r: LIGHTS.index(r["light"]))
    if not rows:
        return None
    lines = math.ceil(len(rows) / _COLUMNS)
    width, height = 2 * _MARGIN_IN + _COLUMNS * _PANEL_W_IN, _TOP_IN + lines * _PANEL_H_IN + _BOTTOM_IN
    figure = new_figure(width, height)
    heading(figure, text("track.fig", lang, as_of=manifest["as_of"]), text("track.fig_sub", lang))
    handles = [
        Line2D([], [], color=INK, marker="s", markersize=4, label=text("track.fig_actual", lang)),
        Patch(color=BLUE, alpha=0.25, label=text("track.fig_band", lang)),
        Line2D([], [], color=VERMILLION, linestyle=(0, (4, 2)), label=text("track.fig_bound", lang)),
        Line2D([], [], color=VERMILLION, linestyle=":", linewidth=1.8, label=text("track.fig_needed", lang)),
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.25 / width, 1 - 0.72 / height), ncols=4, borderaxespad=0.0
    )
    for i, row in enumerate(rows):
        left = _MARGIN_IN + (i % _COLUMNS) * _PANEL_W_IN + 0.55
        top = _TOP_IN + (i // _COLUMNS) * _PANEL_H_IN + 0.58
        box = (left / width, 1 - (top + _AXES_H_IN) / height, _AXES_W_IN / width, _AXES_H_IN / height)
        own = fan[(fan["target_id"] == row["target_id"]) & (fan["reading"] == row["reading"])].sort_values("end")
        _panel(figure.add_axes(box), own, row, str(manifest["as_of"]), lang)
    return figure


def _panel(axes: Axes, fan: pd.DataFrame, row: Mapping[str, Any], as_of: str, lang: Language) -> None:
    at = {end: _time(end) for end in fan["end"]}
    actual, ahead = fan[fan["status"] == "actual"], fan[fan["status"] == "forecast"]
    last = actual.tail(1)
    falls = row["period"] == "per_year" and row["unit"] != "share"  # counted anew from January on
    for _, part in actual.groupby(actual["end"].str[:4]) if falls else [("", actual)]:
        axes.plot(part["end"].map(at), part["value"], color=INK, linewidth=1.4, marker="s", markersize=3.2, zorder=4)
    for year, part in ahead.groupby(ahead["end"].str[:4]) if falls else [("", ahead)]:
        joined = pd.concat([last, part]) if len(last) and (not falls or str(last["end"].iloc[0])[:4] == year) else part
        x = joined["end"].map(at)
        axes.fill_between(x, joined["p05"], joined["p95"], color=BLUE, alpha=0.25, linewidth=0)
        axes.plot(x, joined["p50"], color=BLUE, linewidth=1.3, marker="o", markersize=2.4)
    shares, bound = row["unit"] == "share", row["bound"]
    if bound == bound:
        axes.axhline(bound, color=VERMILLION, linewidth=1.1, linestyle=(0, (4, 2)))
        if row["pace_needed"] > 0 and row["light"] != "grey":
            begin = 0.0 if falls and as_of.endswith("12-31") else row["achieved"]
            until = _time(as_of) + row["quarters_left"] / 4
            axes.plot([_time(as_of), until], [begin, max(bound, begin)], color=VERMILLION, linestyle=":", linewidth=1.8)
    axes.axvline(_time(as_of), color=PALE, linewidth=0.9)
    _scale(axes, fan, bound, shares)
    axes.set_title(wrap(row[f"indicator_{lang}"], 19, lines=2), fontsize=9, pad=15, linespacing=1.1)
    chance = "" if row["p_meet"] != row["p_meet"] else f" · P = {row['p_meet']:.0%}"
    axes.annotate(
        drawable(light_word(row["light"], lang) + chance), (0, 1), xycoords="axes fraction", xytext=(0, 4),
        textcoords="offset points", fontsize=8, color=_TEXT[row["light"]],
    )  # fmt: skip
    first = int(str(fan["end"].iloc[0])[:4]) if len(fan) else 2025
    years = list(range(first, int(str(fan["end"].iloc[-1])[:4]) + 2)) if len(fan) else [first]
    axes.set_xticks(years)
    axes.set_xlim(first - 0.05, years[-1] + 0.08)
    axes.tick_params(labelsize=7.5, length=2)
    axes.grid(axis="y")


def _scale(axes: Axes, fan: pd.DataFrame, bound: float, shares: bool) -> None:
    highs = [*fan["p95"].dropna().tolist(), *([bound] if bound == bound else []), 0.0]
    lows = [*fan["p05"].dropna().tolist(), *([bound] if bound == bound else [])]
    top = max(highs) or 1.0
    floor = max(0.0, min(lows) - 0.2 * max(top - min(lows), 0.02)) if lows and min(lows) > 0.5 * top else 0.0
    axes.set_ylim(floor, top + 0.14 * max(top - floor, 0.02 * top))
    if shares:
        ticks = [t for t in MaxNLocator(4).tick_values(floor, top) if floor <= t <= 1 + 1e-9]
        axes.set_yticks(ticks)
        digits = 0 if all(abs(100 * t - round(100 * t)) < 1e-6 for t in ticks) else 1
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=digits))
        return
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: _short(v)))


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _time(end: str) -> float:
    """A quarter's end as a year: 2025-12-31 is 2026."""
    return int(end[:4]) + int(end[5:7]) / 12


_ROW_IN, _LEFT_IN, _CELL_IN = 0.34, 3.2, 0.3


def draw_lights(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """A row per responsible body: a sign per task with a target, worst first, and how many tasks have no target."""
    tasks = tables["track_tasks"]
    measured = tasks[tasks["targets"] > 0]
    if measured.empty:
        return None
    bodies = tables["track_bodies"]
    bodies = bodies.assign(order=[LIGHTS.index(v) for v in bodies["light"]]).sort_values(
        ["order", "responsible_body"], kind="stable"
    )
    most = int(measured["responsible_body"].value_counts().max())
    width, height = max(_LEFT_IN + most * _CELL_IN + 2.6, 9.0), 1.25 + _ROW_IN * len(bodies) + 0.55
    figure = new_figure(width, height)
    heading(figure, text("track.fig_lights", lang, as_of=manifest["as_of"]), text("track.fig_lights_sub", lang))
    axes = figure.add_axes((0, 0.5 / height, 1, _ROW_IN * len(bodies) / height))
    axes.set_xlim(0, width)
    axes.set_ylim(len(bodies), 0)
    axes.axis("off")
    for y, body in enumerate(bodies.to_dict("records")):
        axes.axhline(y, color=PALE, linewidth=0.4, xmin=0.25 / width, xmax=1 - 0.25 / width)
        axes.text(
            _LEFT_IN - 0.15, y + 0.5, wrap(body[f"body_{lang}"], 22, lines=2), ha="right", va="center", fontsize=8.5
        )
        own = measured[measured["responsible_body"] == body["responsible_body"]]
        ordered = sorted(own.to_dict("records"), key=lambda r: (LIGHTS.index(r["light"]), r["measure_id"]))
        for k, task in enumerate(ordered):
            x = _LEFT_IN + k * _CELL_IN
            fill = FILLS[task["light"]]
            axes.add_patch(Rectangle((x, y + 0.12), _CELL_IN * 0.88, 0.76, color=fill, linewidth=0))
            ink = "white" if task["light"] in ("green", "red") else INK
            axes.text(
                x + _CELL_IN * 0.44, y + 0.5, _SIGNS[task["light"]], ha="center", va="center", fontsize=8, color=ink
            )
        rest = body["tasks"] - body["with_target"]
        if rest:
            x = _LEFT_IN + len(ordered) * _CELL_IN + 0.08
            axes.text(x, y + 0.5, text("track.fig_rest", lang, count=rest), va="center", fontsize=7.5, color=GREY)
    handles = [Patch(color=FILLS[c], label=light_word(c, lang)) for c in LIGHTS]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.25 / width, 1 - 0.78 / height), ncols=4, borderaxespad=0.0
    )
    return figure
