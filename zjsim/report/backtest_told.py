"""What a back-test says, in sentences: how it was made, whether intervals, probabilities and advice held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from zjsim.report.words import code_word, quantity, records
from zjsim.texts import Language, text

_WORST = 3


def told(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any], lang: Language) -> list[str]:
    """``about``: ``year``, ``last``, ``truths``, ``world`` (other, own), ``history`` (a file's name), ``synthetic``."""
    lines = [_made(about, lang)]
    summary = tables["backtest_summary"]
    for row in records(summary[summary["scope"] == "target_figures"]):
        lines.append(_coverage(row, lang))
        if row["brier_score"] == row["brier_score"]:
            names = {n: f"{row[f'{n}_score']:.3f}" for n in ("brier", "reliability", "resolution", "uncertainty")}
            skill = "–" if row["skill_share"] != row["skill_share"] else f"{row['skill_share']:.0%}"
            lines.append(text("backtest.brier", lang, law=code_word(row["law"], lang), skill=skill, **names))
    for row in records(summary[summary["scope"] == "yearly_outcomes"]):
        lines.append(_coverage(row, lang))
    return [*lines, *_surprises(tables["backtest_targets"], lang), *_advice(tables["backtest_advice"], about, lang)]


def _made(about: Mapping[str, Any], lang: Language) -> str:
    key = f"backtest.made_{about['world']}"
    if about["history"]:
        key = "backtest.made_synthetic_history" if about["synthetic"] else "backtest.made_history"
    names = {n: about[n] for n in ("year", "last", "truths", "history")}
    return text(key, lang, first=about["year"] + 1, **names)


def _coverage(row: Mapping[str, Any], lang: Language) -> str:
    known = row["share_inside_low"] == row["share_inside_low"]
    numbers = {
        "nominal": f"{row['share_wanted']:.0%}",
        "coverage": f"{row['share_inside_by_lot']:.0%}",
        "low": f"{row['share_inside_low']:.0%}" if known else "–",
        "high": f"{row['share_inside_high']:.0%}" if known else "–",
        "cases": row["cases"],
    }
    law, scope, verdict = (code_word(row[c], lang) for c in ("law", "scope", "calibration"))
    return text("backtest.coverage", lang, law=law, scope=scope, verdict=verdict, **numbers)


def _surprises(targets: pd.DataFrame, lang: Language) -> list[str]:
    """The targets whose stated probability lies farthest from how often they were met, for the forecast over ranges."""
    own = targets[targets["law"] == "ranges"]
    own = own.assign(off=(own["p_forecast"] - own["share_met"]).abs()).sort_values(
        "off", ascending=False, kind="stable"
    )
    certain = (own["p_forecast"] < own["share_met_low"]) | (own["p_forecast"] > own["share_met_high"])
    return [
        text(
            "backtest.surprise", lang, indicator=row[f"indicator_{lang}"], p=f"{row['p_forecast']:.0%}",
            met=f"{row['share_met']:.0%}", low=f"{row['share_met_low']:.0%}", high=f"{row['share_met_high']:.0%}",
            n=row["truths"],
        )
        for row in own[certain].head(_WORST).to_dict("records")
    ]  # fmt: skip


def _advice(advice: pd.DataFrame, about: Mapping[str, Any], lang: Language) -> list[str]:
    if about["history"]:
        return [text("backtest.advice_history", lang)]
    if advice.empty:
        return [text("backtest.advice_none", lang)]
    lines = []
    for row in advice[advice["law"] == "ranges"].to_dict("records"):
        key = "backtest.advice_no_plan" if row["advised"] == "no_plan" else "backtest.advice"
        lines.append(
            text(
                key, lang, indicator=row[f"indicator_{lang}"], advised=code_word(row["advised"], lang),
                right=f"{row['share_right']:.0%}", gain=quantity(row["gain_truth"]),
                low=quantity(row["gain_truth_low"]), high=quantity(row["gain_truth_high"]),
                regret=quantity(row["regret_mean"]),
                stated=quantity(row["advised_gain"]), unit=code_word(row["unit"], lang),
            )
        )  # fmt: skip
    return lines
