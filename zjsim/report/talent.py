"""The paragraph on talent supply: what is opened, widened and closed, what stays unmet, and what is scarcest."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from zjsim.report.words import percent, quantity
from zjsim.texts import Language, text

SHOWN = 3
"""Classes of the catalogue that are named."""
ACTIONS = ("opened", "closed", "widened", "narrowed", "kept")


def talent_lines(tables: Mapping[str, pd.DataFrame], lang: Language) -> list[str]:
    """The sentences of the paragraph; empty for a run without a plan of talent supply."""
    if any(f"talent_{t}" not in tables for t in ("programmes", "shortfalls", "catalogue", "field_share")):
        return []
    plan, short = tables["talent_programmes"], tables["talent_shortfalls"]
    if plan.empty or short.empty:
        return []
    first, last = int(plan["year"].min()), int(plan["year"].max())
    count = plan[plan["year"] == first].groupby("action").size()
    counts = {a: int(count.get(a, 0)) for a in ACTIONS}
    lines = [text("report.talent_actions", lang, year=first, groups=sum(counts.values()), **counts)]
    year = int(short["year"].max())
    now = short[short["year"] == year][["demand", "unmet"]].sum()
    share = now["unmet"] / now["demand"] if now["demand"] else 0.0
    said = {"year": year, "unmet": quantity(round(float(now["unmet"]))), "share": percent(share)}
    lines.append(text("report.talent_unmet", lang, **said))
    fields = tables["talent_field_share"].sort_values("year")
    if len(fields):
        start, end = fields.iloc[0], fields.iloc[-1]
        shares = {"first": int(start["year"]), "share_first": percent(start["share"], 2)}
        lines.append(text("report.talent_share", lang, last=last, share_last=percent(end["share"], 2), **shares))
    scarce = scarcest(tables["talent_catalogue"], lang)
    if scarce:
        named = ("、" if lang == "zh" else "; ").join(scarce)
        lines.append(
            text("report.talent_scarce", lang, names=named, last=int(tables["talent_catalogue"]["year"].max()))
        )
    return lines


def scarcest(catalogue: pd.DataFrame, lang: Language, shown: int = SHOWN) -> list[str]:
    """Class and level of the first ranks in the last year of the catalogue."""
    if catalogue.empty:
        return []
    now = catalogue[catalogue["year"] == catalogue["year"].max()].sort_values("rank").head(shown)
    key = "report.talent_class"
    return [
        text(key, lang, name=r[f"class_{lang}"], level=text(f"talent.level.{r['level']}", lang))
        for r in now.to_dict("records")
    ]
