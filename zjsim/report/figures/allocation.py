"""The burden of every city under every rule: a dot plot, a panel per target."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from zjsim.report.allocation_book import RULES, rule_word
from zjsim.report.style import BLUE, GREEN, GREY, ORANGE, PALE, PURPLE, VERMILLION, drawable, heading, new_figure, wrap
from zjsim.report.words import percent
from zjsim.texts import Language, text

_LOOK = dict(zip(RULES, ((GREY, "|"), (VERMILLION, "s"), (BLUE, "o"), (GREEN, "^"), (PURPLE, "D")), strict=True))
_COLUMNS, _PANEL_W_IN, _ROW_IN, _TOP_IN, _BOTTOM_IN, _LEFT_IN = 3, 3.75, 0.19, 1.05, 0.5, 1.05


def draw_allocation(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Cities from north to south as their codes go; signs, not colours alone, tell the rules apart."""
    cities = tables["allocation_cities"]
    if cities.empty:
        return None
    names = list(dict.fromkeys(cities["target_id"]))
    most = int(cities.groupby("target_id")["area_code"].nunique().max())
    panel = 0.75 + _ROW_IN * most + 0.35
    lines = math.ceil(len(names) / _COLUMNS)
    width, height = 0.25 + _COLUMNS * _PANEL_W_IN, _TOP_IN + lines * panel + _BOTTOM_IN
    figure = new_figure(width, height)
    heading(figure, text("allocate.fig", lang), text("allocate.fig_sub", lang))
    handles = [
        Line2D([], [], color=_LOOK[r][0], marker=_LOOK[r][1], linestyle="", label=rule_word(r, lang))
        for r in RULES
        if r in set(cities["rule"])
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.25 / width, 1 - 0.74 / height), ncols=len(handles),
        borderaxespad=0.0, handletextpad=0.3, columnspacing=1.4,
    )  # fmt: skip
    for i, name in enumerate(names):
        left = 0.2 + (i % _COLUMNS) * _PANEL_W_IN + _LEFT_IN
        top = _TOP_IN + (i // _COLUMNS) * panel + 0.75
        own = cities[cities["target_id"] == name]
        box = (
            left / width,
            1 - (top + _ROW_IN * most) / height,
            (_PANEL_W_IN - _LEFT_IN - 0.3) / width,
            _ROW_IN * most / height,
        )
        _panel(figure.add_axes(box), own, tables["allocation_rules"], lang)
    return figure


def _panel(axes: Axes, own: pd.DataFrame, rules: pd.DataFrame, lang: Language) -> None:
    places = own.drop_duplicates("area_code").sort_values("area_code")
    at = {code: y for y, code in enumerate(places["area_code"])}
    axes.set_ylim(len(at) - 0.5, -0.5)
    axes.set_yticks(range(len(at)), [drawable(n) for n in places[f"area_{lang}"]], fontsize=7.5)
    mean = places.merge(own[own["rule"] == own["rule"].iloc[0]][["area_code", "allotted"]], on="area_code")
    overall = mean["allotted_y"].sum() / max(1, mean["capacity"].sum())
    axes.axvline(overall, color=ORANGE, linewidth=1.0)
    for rule, part in own.groupby("rule", sort=False):
        colour, mark = _LOOK[str(rule)]
        known = part[part["burden"].notna()]
        size = 9 if mark == "|" else 4
        axes.plot(
            known["burden"], known["area_code"].map(at), mark, color=colour, markersize=size, alpha=0.9, clip_on=False
        )
    top = float(own["burden"].max())
    axes.set_xlim(0, max(0.05, top * 1.05) if top == top else 1)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.tick_params(labelsize=7.5, length=2)
    axes.grid(axis="x")
    for y in at.values():
        axes.axhline(y + 0.5, color=PALE, linewidth=0.3)
    axes.set_title(wrap(own[f"indicator_{lang}"].iloc[0], 20, lines=2), fontsize=9, pad=15, linespacing=1.1)
    told = rules[(rules["target_id"] == own["target_id"].iloc[0]) & rules["p_all"].notna()]
    if len(told) and told["p_all"].max() > 0:
        best = told.loc[told["p_all"].idxmax()]
        said = f"{rule_word(best['rule'], lang)}: " + text("allocate.fig_joint", lang, p=percent(best["p_all"], 0))
        axes.annotate(
            drawable(said), (0, 1), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points", fontsize=7.5,
            color=GREY,
        )  # fmt: skip
