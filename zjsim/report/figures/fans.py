"""Yearly outcomes against the targets they serve: one small panel per outcome."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from zjsim.report.style import BLUE, GREY, INK, ORANGE, VERMILLION, WIDTH_IN, heading, heading_in, new_figure, wrap
from zjsim.report.words import code_word, indicator_name, is_true, quantity, reading_name
from zjsim.texts import Language, text

_COLUMNS, _MOST = 3, 9
"""Panels beside each other, and panels that a page of the memo has room for: more are drawn as two figures."""
_PANEL_W_IN, _PANEL_H_IN, _BOTTOM_IN = (WIDTH_IN - 0.15) / _COLUMNS, 1.85, 0.5
_PAD_IN, _ABOVE_IN, _AXES_W_IN, _AXES_H_IN = 0.47, 0.74, 1.48, 0.85


def draw_fans(
    manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language, *, part: int = 0
) -> Figure | None:
    """Outcomes that default readings are judged by: median, 5-95 % band and target lines.

    A cumulative target is shown as the yearly pace it needs. ``part`` is 0, or 1 for the second half of many.
    """
    return _draw(manifest, tables, lang, "report.fig_fan", part, default=True)


def draw_other_fans(
    manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language, *, part: int = 0
) -> Figure | None:
    """The same for outcomes that only other readings are judged by."""
    return _draw(manifest, tables, lang, "report.fig_fan_other", part, default=False)


def _draw(
    manifest: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    lang: Language,
    title: str,
    part: int,
    *,
    default: bool,
) -> Figure | None:
    outcomes, targets = tables["yearly_outcomes"], tables["target_feasibility"]
    key = "outcome" if "outcome" in outcomes and "outcome" in targets else "indicator"
    present = set(outcomes[key])
    served = targets[targets[key].isin(present)]
    judged = set(served.loc[is_true(served["is_default"]), key])
    names = [name for name in dict.fromkeys(served[key]) if (name in judged) == default]
    first = len(names) if len(names) <= _MOST else math.ceil(len(names) / 2)
    named = text(title, lang) + (text("report.fig_continued", lang) if part else "")
    names = names[first:] if part else names[:first]
    if not names:
        return None
    lines = math.ceil(len(names) / _COLUMNS)
    said = text("report.fig_fan_sub", lang) + _past_sentence(manifest, outcomes, lang)
    above = heading_in(named, said)
    height = above + lines * _PANEL_H_IN + _BOTTOM_IN
    figure = new_figure(WIDTH_IN, height)
    heading(figure, named, said)
    for i, name in enumerate(names):
        left = (i % _COLUMNS) * _PANEL_W_IN + _PAD_IN
        top = above + (i // _COLUMNS) * _PANEL_H_IN + _ABOVE_IN
        box = (left / WIDTH_IN, 1 - (top + _AXES_H_IN) / height, _AXES_W_IN / WIDTH_IN, _AXES_H_IN / height)
        _panel(figure.add_axes(box), outcomes[outcomes[key] == name], served[served[key] == name], lang)
    return figure


def _panel(axes: Axes, outcome: pd.DataFrame, targets: pd.DataFrame, lang: Language) -> None:
    outcome = outcome.sort_values("year")
    years = outcome["year"].astype(int).tolist()
    first = targets.iloc[0]
    shares = str(outcome.iloc[0].get("unit", "")) == "share"
    default = bool(is_true(targets["is_default"]).any())
    colour = BLUE if default else GREY
    axes.fill_between(years, outcome["p05"], outcome["p95"], color=colour, alpha=0.22, linewidth=0)
    axes.plot(years, outcome["p50"], color=colour, linewidth=1.6, marker="o", markersize=3.5)
    bounds = _bounds(targets)
    for level, yearly in bounds.items():
        style, ink = (":", ORANGE) if yearly else ((0, (4, 2)), VERMILLION)
        axes.axhline(level, color=ink, linewidth=1.3, linestyle=style)
    _limits(axes, outcome, list(bounds), shares)
    _past(axes, outcome, lang)
    unit = str(code_word(str(outcome.iloc[0].get("unit", "")), lang))
    between = "、" if lang == "zh" else ", "
    said = between.join(reading_name(r, lang) for r in targets["reading"])
    kinds = {kind: [level for level, yearly in bounds.items() if yearly == kind] for kind in (False, True)}
    levels = between.join(_levels(found, yearly, shares, lang) for yearly, found in kinds.items() if found)
    told = wrap(" · ".join(w for w in (said, levels, "" if shares else unit) if w), 14.2, lines=3)
    axes.annotate(
        told, (0, 1), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points", fontsize=7.5, color=GREY,
        linespacing=1.05,
    )  # fmt: skip
    above = 4 + 9.5 * (1 + told.count("\n"))
    axes.set_title(wrap(indicator_name(first, lang), 13.3, lines=2), fontsize=8, pad=above, linespacing=1.05)
    axes.set_xticks(years)
    axes.set_xlim(min(years) - 0.25, max(years) + 0.25)
    axes.tick_params(labelsize=7.5, length=2)
    axes.grid(axis="y")


def _past_sentence(manifest: Mapping[str, Any], outcomes: pd.DataFrame, lang: Language) -> str:
    """What the squares mean, where some values are actual; nothing otherwise."""
    if "status" not in outcomes or not outcomes["status"].astype(str).str.startswith("actual").any():
        return ""
    said = sorted({b for cell in outcomes["actual_basis"].dropna() for b in str(cell).split(";") if b})
    basis = ("、" if lang == "zh" else ", ").join(str(code_word(b, lang)) for b in said)
    return "\n" + text("report.fig_fan_past", lang, as_of=manifest["as_of"], basis=basis)


def _past(axes: Axes, outcome: pd.DataFrame, lang: Language) -> None:
    """Actual values as a dark line of squares; a year that is part actual as an open square."""
    if "status" not in outcome:
        return
    actual = outcome[outcome["status"] == "actual"]
    partly = outcome[outcome["status"] == "actual_and_simulated"]
    line: dict[str, Any] = {"color": INK, "marker": "s", "markersize": 4.5, "zorder": 3, "clip_on": False}
    if len(actual):
        axes.plot(actual["year"].astype(int), actual["p50"], linewidth=1.6, **line)
        last = actual.iloc[-1]
        low, high = axes.get_ylim()
        below = float(last["p50"]) > low + 0.3 * (high - low)
        axes.annotate(
            text("report.fig_fan_actual", lang), (int(last["year"]), float(last["p50"])),
            xytext=(0, -6 if below else 6), textcoords="offset points", fontsize=7.5, color=INK, ha="center",
            va="top" if below else "bottom",
        )  # fmt: skip
    if len(partly):
        axes.plot(partly["year"].astype(int), partly["p50"], linestyle="", markerfacecolor="white", **line)


def _bounds(targets: pd.DataFrame) -> dict[float, bool]:
    """Height of every target's line → is it the yearly pace a cumulative target needs?"""
    found: dict[float, bool] = {}
    for _, row in targets.iterrows():
        if pd.isna(row["bound"]):
            continue
        bound, years = float(row["bound"]), _years(row)
        pace = row["period"] == "cumulative" and years > 1 and bound > 1
        found[bound / years if pace else bound] = pace
    return found


def _levels(levels: list[float], yearly: bool, shares: bool, lang: Language) -> str:
    """The lines of one kind, in the order of the readings."""
    between = "、" if lang == "zh" else ", "
    said = between.join(f"{100 * level:.0f}%" if shares else quantity(level) for level in levels)
    return text("report.fig_pace_line" if yearly else "report.fig_target_line", lang, bound=said)


def _years(row: pd.Series) -> int:
    """Calendar years a cumulative target has, from its start (the year after the as-of date if not given)."""
    start = str(row.get("start", "") or "2025")[:4]
    return int(str(row["deadline"])[:4]) - int(start) + 1


def _limits(axes: Axes, outcome: pd.DataFrame, bounds: list[float], shares: bool) -> None:
    top = max([*outcome["p95"].dropna().tolist(), *bounds, 0.0])
    if shares:
        low = min([*outcome["p05"].dropna().tolist(), *bounds, 1.0])
        floor = 0.0 if low < 0.5 else max(0.0, low - 0.15 * max(top - low, 0.02))
        axes.set_ylim(floor, top + 0.12 * max(top - floor, 0.02))
        ticks = [t for t in MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(floor, top) if floor <= t <= 1 + 1e-9]
        axes.set_yticks(ticks)
        digits = 0 if all(abs(100 * t - round(100 * t)) < 1e-6 for t in ticks) else 1
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=digits))
        return
    axes.set_ylim(0, (top or 1.0) * 1.15)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: _short(v)))


def _short(value: float) -> str:
    """A tick's number: thousands as k, millions as M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
