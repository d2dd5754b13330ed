"""What a county should do now, in one sentence each in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zjsim.texts import LANGUAGES, Language, text

_PARTS = ("extension_primary", "extension_junior", "school_rooms_primary", "school_rooms_junior")


def advice(row: Mapping[str, Any], years: Sequence[int], first_later: int) -> dict[str, str]:
    """``advice_zh`` and ``advice_en`` of a row of ``hedge_areas``."""
    return {f"advice_{lang}": _advice(row, first_later, lang) for lang in LANGUAGES}


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
