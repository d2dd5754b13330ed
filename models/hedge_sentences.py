"""What a county should do now, and what the province's numbers say, in a sentence each in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from zjsim.models.seat_hedge import PLANS
from zjsim.models.seat_relations import rounded

from zjsim.texts import LANGUAGES, Language, text

_PARTS = ("extension_primary", "extension_junior", "school_rooms_primary", "school_rooms_junior")


def advice(row: Mapping[str, Any], years: Sequence[int], first_later: int) -> dict[str, str]:
    """``advice_zh`` and ``advice_en`` of a row of ``hedge_areas``."""
    return {f"advice_{lang}": _advice(row, first_later, lang) for lang in LANGUAGES}


def statements(
    tables: Mapping[str, pd.DataFrame], cvar_level: float, *, minimum: int = 0, money_step: float = 0.0
) -> pd.DataFrame:
    """Table ``hedge_statements`` (topic, zh, en): level of the plan, cost, regret, tail, value, over-building.

    For publication, money is rounded to ``money_step`` yuan, because it holds prices of children without a place; how
    many these are is rounded to ``minimum``, and fewer are told as fewer. Building cost alone stays exact.
    """
    said = _said(tables)
    for name, number in said.items():
        if money_step > 0 and isinstance(number, float) and name != "idle_capital":
            said[name] = rounded(number, money_step)
        if minimum > 0 and name in ("mean_short", "hedged_short"):
            said[name] = _coarse(float(number.replace(",", "")), minimum)
    values = {k: v for k, v in said.items() if isinstance(v, str)} | {"level": f"{1 - cvar_level:.0%}"}
    money = {k: v for k, v in said.items() if isinstance(v, float)}
    topics = ["level", "cost", "regret", "tail", "value", "mean_short" if said["mean_is_short"] else "mean_not_short"]
    topics.append("births" if said["is_built"] else "births_none")
    rows = []
    for topic in topics:
        in_words: dict[str, str] = {
            lang: text(f"hedge.statement.{topic}", lang, **values, **{k: _money(v, lang) for k, v in money.items()})
            for lang in LANGUAGES
        }
        rows.append({"topic": topic.split("_")[0] if topic.startswith("births") else topic, **in_words})
    return pd.DataFrame(rows, columns=["topic", *LANGUAGES])


def _said(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Numbers of the sentences: money in yuan as floats, all else in words already."""
    values = tables["hedge_values"].set_index("value_of")

    def value(of: str, column: str = "yuan") -> float:
        return float(values[column].to_dict()[of])

    plans = tables["hedge_plans"].groupby("plan")
    penalty = plans["expected_penalty_yuan"].sum()
    short = plans[["expected_local_short", "expected_without_place"]].sum().sum(axis=1)
    spread = tables["hedge_scenarios"]
    said: dict[str, Any] = {
        "areas": f"{len(tables['hedge_areas'])}",
        "cost": value("hedged"),
        "seen": value("wait_and_see"),
        "penalty": float(penalty["hedged"]),
        "vss": value("vss"),
        "vss_low": value("vss", "low_yuan"),
        "vss_high": value("vss", "high_yuan"),
        "mean_penalty": float(penalty["mean_value"] - penalty["hedged"]),
        "mean_short": f"{short['mean_value']:,.1f}",
        "hedged_short": f"{short['hedged']:,.1f}",
        "mean_is_short": bool(short["mean_value"] >= 0.05),
    }
    for plan in PLANS:
        own = spread[spread["plan"] == plan]
        said[f"regret_{plan}"] = float((own["probability"] * own["regret_yuan"]).sum())
        said[f"worst_{plan}"] = float(own["regret_yuan"].max())
        said[f"cvar_{plan}"] = value(f"cvar_{plan}")
    empty = tables["hedge_empty_seats"]
    last = (
        empty[empty["year"] == empty["year"].max()]
        .groupby("scenarios")[["rooms_opened", "rooms_idle", "seats_empty", "idle_capital_yuan"]]
        .sum()
    )
    said["is_built"] = "low_births" in last.index
    if said["is_built"]:
        low = last.loc["low_births"]
        other = last.loc["other"] if "other" in last.index else low
        said |= {"year": f"{empty['year'].max()}", "idle_capital": float(low["idle_capital_yuan"])}
        said |= {"rooms": f"{low['rooms_opened']:,.0f}", "idle": f"{low['rooms_idle']:,.0f}"}
        said |= {"seats": f"{low['seats_empty']:,.0f}", "other_idle": f"{other['rooms_idle']:,.0f}"}
    return said


def _coarse(children: float, minimum: int) -> str:
    return f"<{minimum}" if 0 < children < minimum else f"{rounded(children, minimum):,.0f}"


def _advice(row: Mapping[str, Any], first_later: int, lang: Language) -> str:
    joint = text("hedge.joint", lang)
    what = joint.join(
        text(f"hedge.now.{part}", lang, rooms=row[f"now_{part}"]) for part in _PARTS if row[f"now_{part}"]
    )
    values = {
        "county": row[f"county_{lang}"],
        "what": what,
        "cost": _money(row["start_cost_yuan"], lang),
        "saved": _money(row["saved_by_beginning_yuan"], lang),
        "share": f"{row['p_later_building']:.0%}",
        "year": first_later,
    }
    said = text(f"hedge.advice.{row['decision']}", lang, **values)
    if row["decision"] == "begin_now" and row["p_later_building"] > 0:
        said += text("hedge.advice.and_later", lang, **values)
    short = row["expected_local_short"] + row["expected_without_place"]
    if short >= 0.5:
        said += text("hedge.advice.short", lang, children=f"{short:,.0f}")
    if row["mean_value_start_cost_yuan"] > row["start_cost_yuan"]:
        said += text("hedge.advice.mean_more", lang, cost=_money(row["mean_value_start_cost_yuan"], lang))
    return said


def _money(yuan: float, lang: Language) -> str:
    """Millions of yuan in English, 万元 in Chinese."""
    return text("hedge.money", lang, amount=f"{yuan / 10_000:,.0f}" if lang == "zh" else f"{yuan / 1e6:,.2f}")
