"""How the catalogue of scarce classes differs between two runs, and why, in words (M037)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from zjsim.report.words import percent, quantity
from zjsim.texts import Language, text

Tables = Mapping[str, pd.DataFrame]
NOTICED = 0.02
"""Change of scarcity, or relative change of graduates or demand, that is told."""
KEY = ["class_id", "level"]


@dataclass(frozen=True, slots=True)
class Move:
    """A class at a level: its place in the catalogues of two runs (NaN: not listed), and what moved around it.

    ``announced``: students a year that the runs' groups had announced; ``graduates``: those of the class; ``demand``:
    what its sectors need at that level; ``unmet``: what of that stays unmet.
    """

    class_id: str
    level: str
    names: Mapping[Language, str]
    scarcity: tuple[float, float]
    announced: tuple[float, float]
    graduates: tuple[float, float]
    demand: tuple[float, float]
    unmet: tuple[float, float]

    @property
    def kind(self) -> str:
        """``entered``, ``left``, ``scarcer`` or ``easier``."""
        before, after = self.scarcity
        if before != before:
            return "entered"
        if after != after:
            return "left"
        return "scarcer" if after > before else "easier"

    @property
    def why(self) -> str:
        """What explains it best: its own announced intake, its demand, its graduates, or graduates of other classes."""
        if _relative(self.announced) > NOTICED:
            return "announced"
        if _relative(self.demand) > NOTICED:
            return "demand"
        return "graduates" if _relative(self.graduates) > NOTICED else "others"


def _relative(pair: tuple[float, float]) -> float:
    before, after = pair
    return abs(after - before) / before if before else float(after > 0)


def catalogue_moves(before: Tables, after: Tables, year: int) -> list[Move]:
    """Classes whose place in the catalogue of ``year`` differs between two runs, the largest change first."""
    listed = [_listed(t["talent_catalogue"], year) for t in (before, after)]
    graduates = [_sum(t["talent_mismatch"], year, "graduates") for t in (before, after)]
    announced = [_announced(t["talent_programmes"]) for t in (before, after)]
    sectors = [_sectors(t["talent_catalogue"]) for t in (before, after)]
    markets = [t["talent_shortfalls"][t["talent_shortfalls"]["year"] == year] for t in (before, after)]
    found = []
    for key in sorted(set(listed[0]) | set(listed[1])):
        places = (listed[0].get(key), listed[1].get(key))
        row = places[0] or places[1] or {}
        scarcity = tuple(float("nan") if p is None else float(p["scarcity"]) for p in places)
        own = sectors[0].get(key, set()) | sectors[1].get(key, set())
        rows = [m[m["sector_id"].isin(own) & (m["level"] == key[1])] for m in markets]
        move = Move(
            *key,
            {"zh": str(row["class_zh"]), "en": str(row["class_en"])},
            (scarcity[0], scarcity[1]),
            (announced[0].get(key, 0.0), announced[1].get(key, 0.0)),
            (graduates[0].get(key, 0.0), graduates[1].get(key, 0.0)),
            (float(rows[0]["demand"].sum()), float(rows[1]["demand"].sum())),
            (float(rows[0]["unmet"].sum()), float(rows[1]["unmet"].sum())),
        )
        if move.kind in ("entered", "left") or abs(scarcity[1] - scarcity[0]) >= NOTICED:
            found.append(move)
    return sorted(found, key=lambda m: (-abs(_zero(m.scarcity[1]) - _zero(m.scarcity[0])), m.class_id, m.level))


def _zero(value: float) -> float:
    return 0.0 if value != value else value


def _listed(catalogue: pd.DataFrame, year: int) -> dict[tuple[str, str], Mapping[Any, Any]]:
    rows = catalogue[catalogue["year"] == year].to_dict("records")
    return {(str(r["class_id"]), str(r["level"])): r for r in rows}


def _sum(table: pd.DataFrame, year: int, what: str) -> dict[tuple[str, str], float]:
    found: Any = table[table["year"] == year].groupby(KEY)[what].sum().to_dict()
    return {k: float(v) for k, v in found.items()}


def _announced(programmes: pd.DataFrame) -> dict[tuple[str, str], float]:
    first = programmes[programmes["year"] == programmes["year"].min()]
    found: Any = first.groupby(KEY)["intake_announced"].sum().to_dict()
    return {k: float(v) for k, v in found.items()}


def _sectors(catalogue: pd.DataFrame) -> dict[tuple[str, str], set[str]]:
    """Sectors named for a class at a level in any year."""
    found: dict[tuple[str, str], set[str]] = {}
    for k, level, named in zip(catalogue["class_id"], catalogue["level"], catalogue["sectors"], strict=True):
        found.setdefault((str(k), str(level)), set()).update(s for s in str(named).split(";") if s)
    return found


def change_sentences(before: Tables, after: Tables, year: int, lang: Language, most: int = 12) -> list[str]:
    """The changes of the catalogue in words, each with its reason; the province's totals first."""
    lines = [_whole(before, after, year, lang), *_announcements(before, after, year, lang)]
    moves = catalogue_moves(before, after, year)
    if not moves:
        return [*lines, text("talent.changes.none", lang, year=year)]
    return [*lines, *(_said(m, lang) for m in moves[:most])] + (
        [text("talent.changes.more", lang, n=len(moves) - most)] if len(moves) > most else []
    )


def _whole(before: Tables, after: Tables, year: int, lang: Language) -> str:
    def missing(tables: Tables) -> float:
        t = tables["talent_shortfalls"]
        return float(t.loc[t["year"] == year, "unmet"].sum())

    def share(tables: Tables) -> float:
        t = tables["talent_field_share"]
        return float(t.loc[t["year"] == year, "share"].sum())

    amounts = {"unmet_before": missing(before), "unmet_after": missing(after)}
    shares = {"share_before": percent(share(before), 2), "share_after": percent(share(after), 2)}
    return text(
        "talent.changes.whole", lang, year=year, **{k: quantity(round(v)) for k, v in amounts.items()}, **shares
    )


def _announcements(before: Tables, after: Tables, year: int, lang: Language) -> list[str]:
    """A sentence on every class and level whose groups announce other intakes: graduates, and those without a place."""
    announced = [_announced(t["talent_programmes"]) for t in (before, after)]
    graduates = [_sum(t["talent_mismatch"], year, "graduates") for t in (before, after)]
    idle = [_sum(t["talent_mismatch"], year, "idle") for t in (before, after)]
    named = {
        (str(r["class_id"]), str(r["level"])): str(r[f"class_{lang}"])
        for t in (before, after)
        for r in t["talent_programmes"].drop_duplicates(KEY).to_dict("records")
    }
    lines = []
    for key in sorted(named):
        pairs = {"announced": announced, "graduates": graduates, "idle": idle}
        values = {n: (p[0].get(key, 0.0), p[1].get(key, 0.0)) for n, p in pairs.items()}
        if _relative(values["announced"]) > NOTICED:
            numbers = {f"{n}_before": quantity(round(v[0])) for n, v in values.items()}
            numbers |= {f"{n}_after": quantity(round(v[1])) for n, v in values.items()}
            name = text("report.talent_class", lang, name=named[key], level=text(f"talent.level.{key[1]}", lang))
            lines.append(text("talent.changes.announced", lang, name=name, **numbers))
    return lines


def _said(m: Move, lang: Language) -> str:
    words = {
        "name": text("report.talent_class", lang, name=m.names[lang], level=text(f"talent.level.{m.level}", lang)),
        "before": percent(m.scarcity[0]),
        "after": percent(m.scarcity[1]),
    }
    pairs = {"announced": m.announced, "graduates": m.graduates, "demand": m.demand, "unmet": m.unmet}
    numbers = {
        f"{n}_{w}": quantity(round(v)) for n, p in pairs.items() for w, v in zip(("before", "after"), p, strict=True)
    }
    return text(f"talent.changes.{m.kind}", lang, **words) + text(f"talent.changes.why_{m.why}", lang, **numbers)
