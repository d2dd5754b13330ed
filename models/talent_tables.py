"""A plan of talent supply as tables, and the catalogue of scarce classes (M037) that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

import pandas as pd
from zjsim.models.talent_supply import TalentPlan
from zjsim.models.talent_terms import GroupKey, TalentData

from zjsim.solve.results import Stage
from zjsim.texts import LANGUAGES, text

PLACES = 6
"""Decimals of exported amounts: expected students are no whole numbers, and cohorts must add up to a millionth."""
CATALOGUE_COLUMNS = (
    *("year", "rank", "class_id", "class_zh", "class_en", "level", "scarcity", "missing", "graduates", "sectors"),
    *("reason_zh", "reason_en"),
)


def tables_of(data: TalentData, plan: TalentPlan, stages: Sequence[Stage], scenario: Any) -> dict[str, pd.DataFrame]:
    """All tables of the plan by name."""
    classes = scenario.table("programme_classes").set_index("class_id")[["name_zh", "name_en"]]
    sectors = scenario.table("talent_sectors").set_index("sector_id")[["name_zh", "name_en"]]
    market = market_table(data, plan)
    supply = supply_table(data, plan)
    p = scenario.parameters.talent
    return {
        "talent_intake": intake_table(data, plan),
        "talent_teachers": teacher_table(data, plan),
        "talent_places": place_table(data, plan),
        "talent_market": market,
        "talent_supply": supply,
        "talent_catalogue": catalogue(data, market, supply, classes, sectors, (p.scarce_index, p.scarce_least)),
        "talent_stages": pd.DataFrame(
            [(s.name, s.value, s.bound, s.gap, s.unit) for s in stages],
            columns=["goal", "value", "bound", "gap", "unit"],
        ),
    }


def admitted(data: TalentData, plan: TalentPlan, g: GroupKey, t: int, c: str) -> float:
    """What group ``g`` admits in year ``t``; before the horizon its intake of late."""
    return plan.intake[g, t, c] if t >= data.years[0] else data.groups[g].history


def intake_table(data: TalentData, plan: TalentPlan) -> pd.DataFrame:
    """Group × year × case: intake, change, dropout, graduates and students in stock (those at other schools too).

    stock = stock of the year before + intake - dropout - graduates, to the last decimal given.
    """
    rows = []
    for g, group in sorted(data.groups.items()):
        for c in sorted(data.cases):
            before = round(fsum(group.history * group.keep**k for k in range(group.duration)), PLACES)
            for t in data.years:
                new = round(admitted(data, plan, g, t, c), PLACES)
                leave = range(1, group.duration + 1)
                lost = fsum((1 - group.keep) * group.keep ** (k - 1) * admitted(data, plan, g, t - k, c) for k in leave)
                out = group.keep**group.duration * admitted(data, plan, g, t - group.duration, c)
                lost, out = round(lost, PLACES), round(out, PLACES)
                now = round(before + new - lost - out, PLACES)
                change = round(new - admitted(data, plan, g, t - 1, c), PLACES)
                firms = round(plan.joint.get((g, t, c), 0.0), PLACES)
                rows.append((*g, t, c, t >= data.first, new, change, firms, lost, out, now))
                before = now
    return pd.DataFrame(
        rows,
        columns=[
            *("host_id", "level", "class_id", "pathway", "year", "case_id", "decided", "intake", "change", "joint"),
            *("dropout", "graduates", "stock"),
        ],
    )


def _present(data: TalentData, plan: TalentPlan, g: GroupKey, t: int, c: str, joint: bool = False) -> float:
    """Students of ``g`` at its host (those trained jointly, where asked)."""
    group, found = data.groups[g], 0.0
    for k in range(group.elsewhere, group.duration):
        y = t - k
        amount = admitted(data, plan, g, y, c)
        if joint:
            amount = plan.joint.get((g, y, c), 0.0) if y >= data.years[0] else data.joint_now * amount
        found += group.keep**k * amount
    return found


def teacher_table(data: TalentData, plan: TalentPlan) -> pd.DataFrame:
    """Host × class × decided year × case: teachers needed, there and hired."""
    of: dict[tuple[str, str], list[GroupKey]] = {}
    for g in sorted(data.groups):
        of.setdefault((g[0], g[2]), []).append(g)
    rows = []
    for (h, k), groups in sorted(of.items()):
        for t in data.decided:
            new = plan.hired[h, k, t]
            listed = (1 - data.away.get((h, t), 0.0)) * data.teachers[h, k]
            there = listed + fsum(plan.hired[h, k, y] for y in data.decided if y <= t)
            for c in sorted(data.cases):
                need = 0.0
                for g in groups:
                    students = _present(data, plan, g, t, c)
                    if data.groups[g].joint:
                        students -= data.joint_relief * _present(data, plan, g, t, c, joint=True)
                    need += data.groups[g].weight * students / data.norm[k]
                rows.append((h, k, t, c, round(need, PLACES), round(there, PLACES), round(new, PLACES)))
    return pd.DataFrame(rows, columns=["host_id", "class_id", "year", "case_id", "needed", "teachers", "hired"])


def place_table(data: TalentData, plan: TalentPlan) -> pd.DataFrame:
    """Host × decided year × case: students at the host, places, those of county campuses, and places begun."""
    of: dict[str, list[GroupKey]] = {}
    for g in sorted(data.groups):
        of.setdefault(g[0], []).append(g)
    rows = []
    for h, groups in sorted(of.items()):
        for t in data.decided:
            campus = data.campus_places.get((h, t), 0.0)
            built = fsum(plan.built[h, y] for y in data.decided if y + data.build_years <= t)
            for c in sorted(data.cases):
                students = fsum(_present(data, plan, g, t, c) for g in groups)
                there = data.places[h] + campus + built
                rows.append((h, t, c, *(round(v, PLACES) for v in (students, there, campus, plan.built[h, t]))))
    return pd.DataFrame(
        rows, columns=["host_id", "year", "case_id", "students", "places", "campus_places", "places_begun"]
    )


def market_table(data: TalentData, plan: TalentPlan) -> pd.DataFrame:
    """Sector × level × year × case: demand, what is filled, what stays unmet."""
    rows = [
        (*i, round(data.demand[i], PLACES), round(data.demand[i] - short, PLACES), round(short, PLACES))
        for i, short in sorted(plan.unmet.items())
    ]
    return pd.DataFrame(rows, columns=["sector_id", "level", "year", "case_id", "demand", "filled", "unmet"])


def supply_table(data: TalentData, plan: TalentPlan) -> pd.DataFrame:
    """Class × level × year × case: graduates who look for work in the province, and those without a fitting place."""
    placed: dict[tuple[str, str, int, str], float] = {}
    for (k, level, _, t, c), amount in plan.flow.items():
        placed[k, level, t, c] = placed.get((k, level, t, c), 0.0) + amount
    rows = [
        (*i, round(placed.get(i, 0.0) + idle, PLACES), round(placed.get(i, 0.0), PLACES), round(idle, PLACES))
        for i, idle in sorted(plan.idle.items())
    ]
    return pd.DataFrame(rows, columns=["class_id", "level", "year", "case_id", "graduates", "placed", "idle"])


def catalogue(
    data: TalentData,
    market: pd.DataFrame,
    supply: pd.DataFrame,
    classes: pd.DataFrame,
    sectors: pd.DataFrame,
    limits: tuple[float, float],
) -> pd.DataFrame:
    """The catalogue of scarce classes by year (M037): expected over the cases, ranked, each with its reason.

    What a sector lacks at a level is laid to its relevant classes that are taught there, by relevance squared.
    Scarcity = missing ÷ (missing + graduates placed); ``limits`` are the least scarcity and the least number missing
    that enter the catalogue.
    """
    chance = market["case_id"].map(data.cases)
    short = (market["unmet"] * chance).groupby([market["sector_id"], market["level"], market["year"]]).sum()
    placed = (supply["placed"] * supply["case_id"].map(data.cases)).groupby(
        [supply["class_id"], supply["level"], supply["year"]]
    )
    filled = placed.sum()
    weight: dict[str, dict[str, float]] = {}
    for (k, s), r in sorted(data.relevance.items()):
        weight.setdefault(s, {})[k] = float(r) ** 2
    taught = {(g[2], g[1]) for g in data.groups}
    missing: dict[tuple[str, str, int], dict[str, float]] = {}
    lacking: Any = short.items()
    for (s, level, t), amount in lacking:
        of_level = {k: w for k, w in weight.get(s, {}).items() if (k, level) in taught} or weight.get(s, {})
        whole = fsum(of_level.values())
        for k, w in of_level.items():
            if amount > 0:
                missing.setdefault((k, level, t), {})[s] = float(amount) * w / whole
    rows: list[dict[str, Any]] = []
    for (k, level, t), by_sector in missing.items():
        lacks, there = fsum(by_sector.values()), float(filled.get((k, level, t), 0.0))
        scarcity = lacks / (lacks + there)
        if scarcity < limits[0] or lacks < limits[1]:
            continue
        first = sorted(by_sector, key=lambda s: (-by_sector[s], s))[:3]
        why = {lang: _reason(t, k, level, (lacks, there), first, classes, sectors, lang) for lang in LANGUAGES}
        rows.append(
            {
                "year": t,
                "class_id": k,
                "class_zh": classes["name_zh"][k],
                "class_en": classes["name_en"][k],
                "level": level,
                "scarcity": round(scarcity, 4),
                "missing": round(lacks, 1),
                "graduates": round(there, 1),
                "sectors": ";".join(first),
                **{f"reason_{lang}": said for lang, said in why.items()},
            }
        )
    rows.sort(key=lambda r: (r["year"], -r["scarcity"], -r["missing"], r["class_id"], r["level"]))
    rank: dict[int, int] = {}
    for row in rows:
        rank[row["year"]] = row["rank"] = rank.get(row["year"], 0) + 1
    return pd.DataFrame(rows, columns=list(CATALOGUE_COLUMNS))


def _reason(
    year: int,
    class_id: str,
    level: str,
    amounts: tuple[float, float],
    first: Sequence[str],
    classes: pd.DataFrame,
    sectors: pd.DataFrame,
    lang: Any,
) -> str:
    words: Mapping[str, object] = {
        "year": year,
        "name": classes[f"name_{lang}"][class_id],
        "level": text(f"talent.level.{level}", lang),
        "missing": f"{amounts[0]:,.0f}",
        "graduates": f"{amounts[1]:,.0f}",
        "sectors": text("talent.and", lang).join(sectors[f"name_{lang}"][s] for s in first),
    }
    return text("talent.reason", lang, **words)
