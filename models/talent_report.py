"""What readers are told of a plan of talent supply: intake by programme group, what stays unmet, who finds no place.

Amounts are expected over the cases of demand; the tables by case stand beside these (``talent_intake`` and others).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from zjsim.models.talent_terms import GroupKey, TalentData

from zjsim.texts import LANGUAGES, Language, text

KEY = ["host_id", "level", "class_id", "pathway"]
TIGHT = 1e-3
"""A limit is reached where less than this is left of it (students, teachers, places)."""
NOTICEABLE = 0.5
"""A change of intake that counts as widening or narrowing (students)."""
PROGRAMME_COLUMNS = (
    *("host_id", "host_zh", "host_en", "level", "class_id", "class_zh", "class_en", "pathway", "year", "action"),
    *("intake_announced", "intake", "intake_least", "intake_most", "change", "order_seats", "joint", "graduates"),
    *("stock", "leads"),
)
SHORTFALL_COLUMNS = (
    *("sector_id", "sector_zh", "sector_en", "level", "year", "priority", "demand", "filled", "unmet", "unmet_share"),
    *("unmet_least", "unmet_most", "why_zh", "why_en"),
)
MISMATCH_COLUMNS = (
    *("class_id", "class_zh", "class_en", "level", "year", "graduates", "placed", "fitting_less", "idle", "idle_share"),
    *("why_zh", "why_en"),
)


@dataclass(frozen=True, slots=True)
class Names:
    """Names in Chinese and English by id."""

    hosts: Mapping[str, tuple[str, str]]
    classes: Mapping[str, tuple[str, str]]
    sectors: Mapping[str, tuple[str, str]]


def names_of(scenario: Any) -> Names:
    """Names of hosts (institutions; the secondary schools of a city), classes and sectors."""
    hosts = _names(scenario.table("universities"), "moe_code")
    for code, (zh, en) in _names(scenario.table("cities"), "city_code").items():
        hosts[code] = (text("talent.city_schools", "zh", city=zh), text("talent.city_schools", "en", city=en))
    classes, sectors = scenario.table("programme_classes"), scenario.table("talent_sectors")
    return Names(hosts, _names(classes, "class_id"), _names(sectors, "sector_id"))


def _names(table: pd.DataFrame, key: str) -> dict[str, tuple[str, str]]:
    return {str(k): (z, e) for k, z, e in zip(table[key], table["name_zh"], table["name_en"], strict=True)}


def expected(rows: pd.DataFrame, keys: list[str], amounts: list[str], chance: Mapping[str, float]) -> pd.DataFrame:
    """``amounts`` of ``rows`` by ``keys``, each case weighed by its chance (probabilities sum to 1)."""
    weighed = rows[amounts].mul(rows["case_id"].map(dict(chance)), axis=0)
    return weighed.groupby([rows[k] for k in keys]).sum().reset_index()


def programmes(
    data: TalentData, intake: pd.DataFrame, names: Names, leads: set[tuple[str, str]], order_seats: pd.DataFrame
) -> pd.DataFrame:
    """The intake plan: a row per programme group and year that can still be decided (groups never opened left out).

    ``action`` compares with what was announced: opened, closed, widened, narrowed or kept. M037, M039-M044, M058.
    """
    rows = intake[intake["decided"]]
    amounts = ["intake", "change", "joint", "graduates", "stock"]
    table = expected(rows, [*KEY, "year"], amounts, data.cases)
    spread = rows.groupby([*KEY, "year"])["intake"].agg(intake_least="min", intake_most="max").reset_index()
    table = table.merge(spread, on=[*KEY, "year"])
    keys = list(zip(*(table[k] for k in KEY), strict=True))
    table["intake_announced"] = [data.groups[g].announced for g in keys]
    seats: dict[tuple[GroupKey, int], float] = {}
    for r in order_seats.to_dict("records"):
        for t in data.decided:
            if t >= r["first_year"]:
                key = ((r["host_id"], r["level"], r["class_id"], r["pathway"]), t)
                seats[key] = seats.get(key, 0.0) + float(r["seats"])
    table["order_seats"] = [seats.get((g, t), 0.0) for g, t in zip(keys, table["year"], strict=True)]
    table["leads"] = [(g[0], g[2]) in leads for g in keys]
    table["action"] = [
        _action(before, now, most)
        for before, now, most in zip(table["intake_announced"], table["intake"], table["intake_most"], strict=True)
    ]
    for n, lang in enumerate(LANGUAGES):
        table[f"host_{lang}"] = [names.hosts[g[0]][n] for g in keys]
        table[f"class_{lang}"] = [names.classes[g[2]][n] for g in keys]
    ever = table.groupby(KEY)["intake_most"].transform("max") > TIGHT
    table = table[ever | (table["intake_announced"] > 0)].sort_values([*KEY, "year"], ignore_index=True)
    numbers = ["intake", "intake_least", "intake_most", "change", "joint", "graduates", "stock"]
    return table.assign(**{c: table[c].round(1) + 0.0 for c in numbers})[list(PROGRAMME_COLUMNS)]


def _action(before: float, now: float, most: float) -> str:
    if before <= 0:
        return "opened" if most > TIGHT else "not_opened"
    if most <= TIGHT:
        return "closed"
    return "widened" if now > before + NOTICEABLE else "narrowed" if now < before - NOTICEABLE else "kept"


def field_share(data: TalentData, intake: pd.DataFrame) -> pd.DataFrame:
    """By year: what the counted levels admit, how many of these in 理工农医, and the share (least and most by case).

    Columns: year, admissions, of_fields (students), share, share_least, share_most. M040.
    """
    keys = list(zip(*(intake[k] for k in KEY), strict=True))
    counted = intake[[data.groups[g].counted for g in keys]].copy()
    inside = [data.groups[g].of_field for g in zip(*(counted[k] for k in KEY), strict=True)]
    counted["of_fields"] = counted["intake"] * pd.Series(inside, index=counted.index, dtype=float)
    by_case = counted.groupby(["year", "case_id"])[["intake", "of_fields"]].sum().reset_index()
    by_case["share"] = (by_case["of_fields"] / by_case["intake"]).where(by_case["intake"] > 0, 0.0)
    table = expected(by_case, ["year"], ["intake", "of_fields", "share"], data.cases)
    spread = by_case.groupby("year")["share"].agg(share_least="min", share_most="max").reset_index()
    table = table.merge(spread, on="year").rename(columns={"intake": "admissions"})
    table[["admissions", "of_fields"]] = table[["admissions", "of_fields"]].round(1)
    table[["share", "share_least", "share_most"]] = table[["share", "share_least", "share_most"]].round(6)
    return table[["year", "admissions", "of_fields", "share", "share_least", "share_most"]]


def limits_reached(data: TalentData, tables: Mapping[str, pd.DataFrame]) -> dict[GroupKey, dict[int, set[str]]]:
    """Which limits keep a group from admitting more: ``change``, ``teachers``, ``places``, by year of admission.

    A limit counts where it is reached in any case, at the review that decides the year.
    """
    intake, teachers, places = (tables[f"talent_{n}"] for n in ("intake", "teachers", "places"))
    full = teachers[teachers["needed"] > teachers["teachers"] - TIGHT]
    no_teachers = set(zip(full["host_id"], full["class_id"], full["year"], strict=True))
    full = places[places["students"] > places["places"] - TIGHT]
    no_places = set(zip(full["host_id"], full["year"], strict=True))
    at_review = intake[intake["year"].isin(data.reviews)]
    raised = at_review.groupby([*KEY, "year"])["change"].max().to_dict()
    found: dict[GroupKey, dict[int, set[str]]] = {}
    for g, group in sorted(data.groups.items()):
        for t in data.decided:
            y = min(data.review(t), data.last_choice(g))
            reached = set()
            if raised[(*g, y)] >= group.most_change - TIGHT:
                reached.add("change")
            if (g[0], g[2], t) in no_teachers:
                reached.add("teachers")
            if (g[0], t) in no_places:
                reached.add("places")
            found.setdefault(g, {})[t] = reached
    return found


def shortfalls(data: TalentData, tables: Mapping[str, pd.DataFrame], names: Names) -> pd.DataFrame:
    """A row per sector, level and year: demand, filled, unmet, and why no more graduates come. M037, M041, M043."""
    market = tables["talent_market"]
    keys = ["sector_id", "level", "year"]
    table = expected(market, keys, ["demand", "filled", "unmet"], data.cases)
    spread = market.groupby(keys)["unmet"].agg(unmet_least="min", unmet_most="max").reset_index()
    table = table.merge(spread, on=keys)
    reached = limits_reached(data, tables)
    classes: dict[str, list[str]] = {}
    for (k, s), _ in sorted(data.relevance.items(), key=lambda i: (i[0][1], -i[1], i[0][0])):
        classes.setdefault(s, []).append(k)
    of_class: dict[tuple[str, str], list[GroupKey]] = {}
    for g in sorted(data.groups):
        of_class.setdefault((g[2], g[1]), []).append(g)
    why: dict[Language, list[str]] = {lang: [] for lang in LANGUAGES}
    for r in table.to_dict("records"):
        groups = [g for k in classes.get(r["sector_id"], []) for g in of_class.get((k, r["level"]), [])]
        for n, lang in enumerate(LANGUAGES):
            named = text("talent.and", lang).join(names.classes[k][n] for k in classes.get(r["sector_id"], [])[:3])
            why[lang].append(_why_short(data, r, groups, reached, named, lang) if r["unmet"] > TIGHT else "")
    for n, lang in enumerate(LANGUAGES):
        table[f"why_{lang}"] = why[lang]
        table[f"sector_{lang}"] = [names.sectors[s][n] for s in table["sector_id"]]
    table["priority"] = [data.priority.get(s, 1) for s in table["sector_id"]]
    table["unmet_share"] = (table["unmet"] / table["demand"]).where(table["demand"] > 0, 0.0).round(4)
    table = table.sort_values(["year", "unmet", "sector_id", "level"], ascending=[True, False, True, True])
    amounts = ["demand", "filled", "unmet", "unmet_least", "unmet_most"]
    return table.assign(**{c: table[c].round(1) + 0.0 for c in amounts})[list(SHORTFALL_COLUMNS)].reset_index(drop=True)


def _why_short(
    data: TalentData,
    r: Mapping[Any, Any],
    groups: list[GroupKey],
    reached: Mapping[GroupKey, Mapping[int, set[str]]],
    classes: str,
    lang: Language,
) -> str:
    """Why a sector lacks graduates: none are taught, their admission is settled, or limits keep it from growing."""
    level = text(f"talent.level.{r['level']}", lang)
    if not groups:
        return text("talent.why.no_programme", lang, level=level, classes=classes)
    open_ = [(g, r["year"] - data.groups[g].duration) for g in groups]
    open_ = [(g, t) for g, t in open_ if t >= data.first]
    if not open_:
        return text("talent.why.settled", lang, level=level, classes=classes, first=data.first)
    count = {what: sum(what in reached[g][t] for g, t in open_) for what in ("change", "teachers", "places")}
    free = sum(not reached[g][t] for g, t in open_)
    values = {**count, "classes": classes, "level": level, "groups": len(groups), "open": len(open_), "free": free}
    return text("talent.why.limits", lang, **values)


def mismatch(
    data: TalentData, tables: Mapping[str, pd.DataFrame], flow: Mapping[Any, float], names: Names
) -> pd.DataFrame:
    """A row per class, level and year: graduates, placed, in places that fit less, without a fitting place. M041, M075.

    ``flow`` is by (class, level, sector, year, case), graduates.
    """
    supply = tables["talent_supply"]
    keys = ["class_id", "level", "year"]
    table = expected(supply, keys, ["graduates", "placed", "idle"], data.cases)
    less: dict[tuple[str, str, int], float] = {}
    for (k, level, s, t, c), amount in flow.items():
        if data.relevance[k, s] < 3:
            less[k, level, t] = less.get((k, level, t), 0.0) + data.cases[c] * amount
    table["fitting_less"] = [less.get(i, 0.0) for i in zip(*(table[k] for k in keys), strict=True)]
    table["idle_share"] = (table["idle"] / table["graduates"]).where(table["graduates"] > 0, 0.0).round(4)
    for n, lang in enumerate(LANGUAGES):
        table[f"class_{lang}"] = [names.classes[k][n] for k in table["class_id"]]
        table[f"why_{lang}"] = [_why_idle(data, r, names, n, lang) for r in table.to_dict("records")]
    table = table[table["graduates"] > 0].sort_values(
        ["year", "idle", "class_id", "level"], ascending=[True, False, True, True]
    )
    amounts = ["graduates", "placed", "fitting_less", "idle"]
    return table.assign(**{c: table[c].round(1) + 0.0 for c in amounts})[list(MISMATCH_COLUMNS)].reset_index(drop=True)


def _why_idle(data: TalentData, r: Mapping[Any, Any], names: Names, n: int, lang: Language) -> str:
    """Why graduates of a class find no fitting place: all that its sectors need is filled; settled intake or not."""
    if r["idle"] <= TIGHT:
        return ""
    k, level, year = r["class_id"], r["level"], r["year"]
    sectors = sorted((s for (c, s) in data.relevance if c == k), key=lambda s: (-data.relevance[k, s], s))
    wanted = [s for s in sectors if any((s, level, year, c) in data.demand for c in data.cases)]
    if not wanted:
        return text("talent.why.no_demand", lang, level=text(f"talent.level.{level}", lang))
    groups = [g for g in data.groups if g[2] == k and g[1] == level]
    settled = all(year - data.groups[g].duration < data.first for g in groups)
    key = "talent.why.idle_settled" if settled else "talent.why.idle"
    named = text("talent.and", lang).join(names.sectors[s][n] for s in wanted[:3])
    return text(key, lang, sectors=named, count=len(wanted), first=data.first)
