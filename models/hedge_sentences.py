"""What a county should do now, and what the province's numbers say, in a sentence each in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from zjsim.models.seat_hedge import PLANS

from zjsim.texts import LANGUAGES, Language, text

_PARTS = ("extension_primary", "extension_junior", "school_rooms_primary", "school_rooms_junior")


def advice(row: Mapping[str, Any], years: Sequence[int], first_later: int) -> dict[str, str]:
    """``advice_zh`` and ``advice_en`` of a row of ``hedge_areas``."""
    return {f"advice_{lang}": _advice(row, first_later, lang) for lang in LANGUAGES}


def statements(tables: Mapping[str, pd.DataFrame], cvar_level: float) -> pd.DataFrame:
    """Table ``hedge_statements`` (topic, zh, en): level of the plan, cost, regret, tail, value, over-building."""
    said = _said(tables) | _missing(tables)
    topics = ["level", "cost", "regret", "tail", "value", "mean_short" if said["mean_is_short"] else "mean_not_short"]
    return _told([*topics, _births(said)], said, cvar_level)


def published_statements(tables: Mapping[str, pd.DataFrame], cvar_level: float) -> pd.DataFrame:
    """The same of the tables that go out: neither children short nor what they are priced at."""
    said = _said(tables)
    plans = tables["hedge_plans"]
    is_short = bool((plans.loc[plans["plan"] == "mean_value", "p_shortfall"] > 0).any())
    topics = ["level", "cost_told", "regret", "tail"]
    topics += ["value"] if "vss" in said else []
    topics.append("mean_short_told" if is_short else "mean_not_short_told")
    return _told([*topics, _births(said)], said, cvar_level)


def published_advice(areas: pd.DataFrame) -> pd.DataFrame:
    """``hedge_areas`` with an advice that says neither children short nor the money that depends on them."""
    told = {}
    for lang in LANGUAGES:
        begin = text("hedge.advice.begin_now", lang, county="", what="", cost="\0", saved="\1")
        before, after = begin.split("\0")[1].split("\1")
        short = tuple(text("hedge.advice.short", lang, children="\0").split("\0"))
        said = [
            _between(_between(str(v), (before, after), text("hedge.undisclosed", lang)), short, None)
            for v in areas[f"advice_{lang}"]
        ]
        told[f"advice_{lang}"] = pd.Series(said, index=areas.index, dtype=object)
    return areas.assign(**told)


def _between(said: str, ends: tuple[str, ...], word: str | None) -> str:
    """``said`` with ``word`` instead of what stands between two parts of a sentence; None: without all of it."""
    before, after = ends
    start = said.find(before)
    end = said.find(after, start + len(before))
    if start < 0 or end < 0:
        return said
    rest = said[end + len(after) :]
    return said[:start] + ("" if word is None else before + word + after) + rest


def _births(said: Mapping[str, Any]) -> str:
    return "births" if said["is_built"] else "births_none"


def _told(topics: Sequence[str], said: Mapping[str, Any], cvar_level: float) -> pd.DataFrame:
    """The sentences of ``topics``, by the topic's own name."""
    values = {k: v for k, v in said.items() if isinstance(v, str)} | {"level": f"{1 - cvar_level:.0%}"}
    money = {k: v for k, v in said.items() if isinstance(v, float)}
    rows = []
    for topic in topics:
        in_words: dict[str, str] = {
            lang: text(f"hedge.statement.{topic}", lang, **values, **{k: _money(v, lang) for k, v in money.items()})
            for lang in LANGUAGES
        }
        name = "births" if topic.startswith("births") else topic.removesuffix("_told")
        rows.append({"topic": name, **in_words})
    return pd.DataFrame(rows, columns=["topic", *LANGUAGES])


def _said(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Numbers of the sentences: money in yuan as floats, all else in words already."""
    values = tables["hedge_values"].set_index("value_of")

    def value(of: str, column: str = "yuan") -> float:
        return float(values[column].to_dict()[of])

    spread = tables["hedge_scenarios"]
    there = set(values.index)
    one = spread[spread["plan"] == PLANS[0]]
    said: dict[str, Any] = {
        "areas": f"{len(tables['hedge_areas'])}",
        "cost": value("hedged") if "hedged" in there else float((one["probability"] * one["cost_yuan"]).sum()),
        "seen": value("wait_and_see"),
    }
    if "vss" in there:
        said |= {"vss": value("vss"), "vss_low": value("vss", "low_yuan"), "vss_high": value("vss", "high_yuan")}
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


def _missing(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """What is missing under the plans: children and what they are priced at."""
    plans = tables["hedge_plans"].groupby("plan")
    penalty = plans["expected_penalty_yuan"].sum()
    short = plans[["expected_local_short", "expected_without_place"]].sum().sum(axis=1)
    return {
        "penalty": float(penalty["hedged"]),
        "mean_penalty": float(penalty["mean_value"] - penalty["hedged"]),
        "mean_short": f"{short['mean_value']:,.1f}",
        "hedged_short": f"{short['hedged']:,.1f}",
        "mean_is_short": bool(short["mean_value"] >= 0.05),
    }


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
