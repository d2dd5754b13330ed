"""Figures of seat expansion under uncertainty: what the plans cost over futures, and rooms that stand idle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zjsim.report.style import (
    BLUE,
    GREY,
    ORANGE,
    PALE,
    VERMILLION,
    heading,
    house_style,
    label_synthetic,
    new_figure,
    save,
    wrap,
)
from zjsim.texts import Language, text

_PLANS = (("hedged", BLUE, "-"), ("mean_value", ORANGE, "--"), ("wait", GREY, ":"))
_MILLION = 1e6
COUNTIES_SHOWN = 12


def draw_hedge(
    folder: Path, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language, share: float | None
) -> list[Path]:
    """Draw both figures into ``folder`` with the label of synthetic data; returns the files written."""
    written: list[Path] = []
    with house_style():
        for name, draw in (("hedge_costs", draw_costs), ("hedge_empty_seats", draw_empty)):
            figure = draw(tables, lang)
            if figure is None:
                continue
            label_synthetic(figure, lang, str(manifest["scenario"]), share)
            written += save(figure, folder, name)
    return written


def draw_costs(tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Left: regret over the tree's scenarios. Right: what each plan costs more than the hedge in fresh futures."""
    scenarios = tables["hedge_scenarios"]
    if scenarios.empty:
        return None
    figure = new_figure(11.0, 5.6)
    heading(figure, text("hedge.fig.costs", lang), text("hedge.fig.costs_sub", lang))
    left, right = figure.add_axes((0.075, 0.16, 0.42, 0.67)), figure.add_axes((0.6, 0.16, 0.37, 0.67))
    _steps(left, scenarios, lang)
    _differences(right, tables["hedge_fresh"], lang)
    return figure


def _steps(axes: Axes, scenarios: pd.DataFrame, lang: Language) -> None:
    """Probability that a plan costs at most so much more than what would have been best with foresight."""
    for plan, colour, style in _PLANS:
        t = scenarios[scenarios["plan"] == plan].sort_values("regret_yuan", kind="stable")
        x = t["regret_yuan"].to_numpy(dtype=float) / _MILLION
        y = np.cumsum(t["probability"].to_numpy(dtype=float))
        axes.step(np.concatenate([[x[0]], x]), np.concatenate([[0.0], y]), where="post", color=colour, ls=style,
                  lw=1.8, label=text(f"hedge.code.{plan}", lang))  # fmt: skip
    axes.set_ylim(0, 1.02)
    axes.set_xlim(left=0)
    axes.set_xlabel(text("hedge.fig.regret_axis", lang))
    axes.set_ylabel(text("hedge.fig.probability_axis", lang))
    axes.grid(True)
    axes.legend(loc="lower right")


def _differences(axes: Axes, fresh: pd.DataFrame, lang: Language) -> None:
    """Cost above the hedged plan in every fresh future, smallest first."""
    wide = fresh.pivot(index="future", columns="plan", values="cost_yuan")
    for plan, colour, style in _PLANS[1:]:
        above = np.sort((wide[plan] - wide["hedged"]).to_numpy(dtype=float)) / _MILLION
        share = (np.arange(len(above)) + 0.5) / len(above)
        axes.plot(share, above, color=colour, ls=style, lw=1.8, marker="o", ms=2.5,
                  label=text(f"hedge.code.{plan}", lang))  # fmt: skip
    axes.axhline(0, color=BLUE, lw=1.4, label=text("hedge.code.hedged", lang))
    axes.set_xlim(0, 1)
    axes.set_xlabel(text("hedge.fig.share_axis", lang))
    axes.set_ylabel(text("hedge.fig.above_axis", lang))
    axes.grid(True)
    axes.legend(loc="best")


def draw_empty(tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Left: empty seats of rooms opened by year, low births against the others. Right: the counties with most."""
    empty = tables["hedge_empty_seats"]
    if empty.empty:
        return None
    figure = new_figure(11.0, 5.6)
    heading(figure, text("hedge.fig.empty", lang), text("hedge.fig.empty_sub", lang))
    left, right = figure.add_axes((0.085, 0.16, 0.4, 0.67)), figure.add_axes((0.66, 0.16, 0.31, 0.67))
    years = sorted(empty["year"].unique())
    for group, colour, shift in (("low_births", VERMILLION, -0.2), ("other", PALE, 0.2)):
        sums = empty[empty["scenarios"] == group].groupby("year")["seats_empty"].sum().reindex(years, fill_value=0.0)
        left.bar(np.array(years) + shift, sums, 0.38, color=colour, label=text(f"hedge.code.{group}", lang))
    left.set_xticks(years)
    left.yaxis.set_major_formatter("{x:,.0f}")
    left.set_ylabel(text("hedge.fig.seats_axis", lang))
    left.set_xlabel(text("hedge.fig.year_axis", lang))
    left.grid(True, axis="y")
    left.legend(loc="upper left")
    low = empty[(empty["scenarios"] == "low_births") & (empty["year"] == years[-1])]
    most = low.groupby(f"county_{lang}")["seats_empty"].sum().sort_values(ascending=False).head(COUNTIES_SHOWN)
    names = [wrap(n, 14, lines=1) for n in most.index]
    right.barh(np.arange(len(most)), most, color=VERMILLION, height=0.65)
    right.set_yticks(np.arange(len(most)), names)
    right.invert_yaxis()
    right.set_title(text("hedge.fig.counties", lang, year=years[-1]))
    right.xaxis.set_major_formatter("{x:,.0f}")
    right.xaxis.set_major_locator(MaxNLocator(4))
    right.set_xlabel(text("hedge.fig.seats_axis", lang))
    right.grid(True, axis="x")
    return figure
