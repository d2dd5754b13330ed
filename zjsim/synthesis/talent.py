"""Programme groups, demand for graduates and order classes: none is published by institution, all is derived here.

* Students of a level (``talent_parameters`` TL01-TL05) go to institutions by kind, then to classes by category and by
  first-level disciplines of the registry; intake = students ÷ years of a cohort that drops out at the stated rate.
* Teachers and places are what the students there need at the norm, and a little more (drawn, seed :data:`SEED`).
* Relevance of a class is the highest of its disciplines; demand of a sector is what comes to it in the base year × its
  ratio, grown year by year; order classes go to the vocational groups nearest to an industry's core.

Run ``python -m zjsim.synthesis.talent FOLDER`` to write the registries anew; equal input gives equal bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zjsim.synthesis.proportional import largest_remainder
from zjsim.synthesis.services import institution_kind, modes, registry_csv
from zjsim.tables.registries.talent import LEVELS

Tables = Mapping[str, pd.DataFrame]

SEED = 20241231
INPUTS = (
    *("universities", "cities", "disciplines", "relevance", "industries", "institution_weights", "counties"),
    *("programme_classes", "talent_sectors", "talent_parameters"),
)
DURATION = {"secondary": 3, "higher_vocational": 3, "undergraduate": 4, "master": 3, "doctoral": 4}
DROPOUT = {"secondary": 0.02, "higher_vocational": 0.015, "undergraduate": 0.008, "master": 0.006, "doctoral": 0.02}
"""Assumptions; long paths drop out as their level does."""
STUDENTS = dict(zip(LEVELS, ("TL01", "TL02", "TL03", "TL04", "TL05"), strict=True))
ONWARD = dict(zip(LEVELS[:4], ("TL06", "TL07", "TL08", "TL09"), strict=True))
STAY = "TL10"
WEIGHT = {"master": "TL11", "doctoral": "TL12"}
MAIN = 3
"""Classes an institution teaches at a level: its weightiest, as an undergraduate one also its graded disciplines'."""
BROAD = 5
CLOSABLE = ("K13", "K14", "K16")
SMALL = 700
"""A group of less intake may be closed, where private institutions teach it beside many others."""
LONG_SHARE = 0.25
"""Share of a level's class intake that comes by a long path, where one is offered."""
PROFILE: dict[str, dict[str, float]] = {
    "comprehensive": {"K13": 2, "K14": 1.5, "K01": 2, "K02": 1, "K03": 1.5, "K15": 1, "K07": 0.8, "K12": 0.7, "K16": 1},
    "engineering": {"K01": 2.5, "K03": 2.5, "K02": 1.5, "K04": 1.2, "K07": 1.2, "K13": 1.5, "K05": 0.6, "K06": 0.7},
    "agriculture": {"K11": 3, "K13": 1.2, "K01": 1, "K09": 1, "K03": 0.8, "K08": 0.8},
    "medicine": {"K12": 6, "K09": 1, "K10": 0.6, "K13": 0.6, "K01": 0.4},
    "teacher_training": {"K15": 2.5, "K14": 2, "K10": 1.5, "K16": 1.2, "K01": 1.2, "K13": 1},
    "languages": {"K14": 4, "K13": 2, "K16": 1, "K01": 0.8},
    "finance_economics": {"K13": 5, "K01": 1.5, "K14": 1.2, "K16": 0.8, "K02": 0.4},
    "politics_law": {"K14": 4, "K01": 0.8, "K13": 0.6},
    "arts": {"K16": 6, "K14": 0.8, "K15": 0.4},
    "sports": {"K15": 5, "K13": 0.8},
}
"""Weights of classes by category of institution (judgement)."""
NAMED = {
    **dict.fromkeys(("建设", "建筑", "水利", "城市"), "K07"),
    **dict.fromkeys(("电力", "能源"), "K04"),
    **dict.fromkeys(("纺织", "服装", "轻纺", "化工", "印刷"), "K06"),
    **dict.fromkeys(("海洋", "环境", "国际海运", "海事"), "K08"),
    **dict.fromkeys(("食品", "药"), "K09"),
    **dict.fromkeys(("农", "林"), "K11"),
    **dict.fromkeys(("交通", "汽车"), "K03"),
}
"""A vocational institution whose name says its trade teaches that class most (judgement)."""
NAMED_WEIGHT = 2.5
SECONDARY = {"K01": 2, "K02": 1.5, "K03": 3, "K07": 0.8, "K11": 0.6, "K13": 2.5, "K15": 1, "K16": 1}
LAST_DEMAND = 2034
BASE_YEAR = 2024
LEVEL_MIX = {"master": 1.06, "doctoral": 1.08, "higher_vocational": 1.02}
"""Demand over supply by level, on top of the sector's ratio (assumption)."""
SPREAD_YEARS = 6
"""Years after which the range of demand has its full width."""
ORDER_SEATS, ORDER_SHARE = 40, 0.08
CASES = {"digital_upswing": 0.5, "manufacturing_upswing": 0.5}
DIGITAL = "W1"


@dataclass(frozen=True, slots=True)
class _Group:
    """A programme group before its intake is known: ``weight`` is its part of the level's students."""

    host_id: str
    level: str
    class_id: str
    weight: float
    pathway: str = "regular"
    years: int = 0
    elsewhere: int = 0
    may_open: bool = False
    may_close: bool = False


def derive(tables: Tables) -> dict[str, pd.DataFrame]:
    """The derived registries of theme ``talent`` by name."""
    groups = programme_groups(tables)
    relevance = programme_relevance(tables)
    return {
        "programme_groups": groups,
        "programme_relevance": relevance,
        "graduate_demand": graduate_demand(tables, groups, relevance),
        "demand_cases": demand_cases(tables),
        "order_classes": order_classes(tables, groups, relevance),
    }


def class_of(discipline_code: str, classes: pd.DataFrame) -> str:
    """The class of a first-level discipline: the longest of the beginnings that match ("" if none does)."""
    found = [
        (len(p), c)
        for c, prefixes in zip(classes["class_id"], classes["discipline_prefixes"], strict=True)
        for p in prefixes.split(";")
        if discipline_code.startswith(p)
    ]
    return max(found)[1] if found else ""


def years_of_cohort(duration: int, dropout: float) -> float:
    """Students in stock per student admitted each year: the sum of (1 - dropout)^k over the years."""
    return float(fsum((1 - dropout) ** k for k in range(duration)))


def programme_groups(tables: Tables) -> pd.DataFrame:
    """Registry ``programme_groups``: who admits how many of what, with teachers and places."""
    value, classes = modes(tables["talent_parameters"]), tables["programme_classes"]
    norm = dict(zip(classes["class_id"], classes["students_per_teacher"], strict=True))
    made = sorted(_groups(tables), key=lambda g: (LEVELS.index(g.level), g.host_id, g.class_id, g.pathway))
    random = np.random.Generator(np.random.Philox(SEED))
    rows = []
    for level in LEVELS:
        groups = [g for g in made if g.level == level]
        drop = DROPOUT[level]
        noise = random.uniform(0.9, 1.1, len(groups))
        slack = random.uniform([1.01, 1.02], [1.06, 1.08], (len(groups), 2))
        weights = np.array([g.weight for g in groups]) * noise
        students = largest_remainder(weights, round(value[STUDENTS[level]]))
        factor = value[WEIGHT[level]] if level in WEIGHT else 1.0
        for g, there, (more_teachers, more_places) in zip(groups, students.tolist(), slack.tolist(), strict=True):
            years = g.years or DURATION[level]
            here = years_of_cohort(years, drop) - years_of_cohort(g.elsewhere, drop)
            intake = round(there / here)
            present = intake * here
            rows.append(
                {
                    "host_id": g.host_id,
                    "level": level,
                    "class_id": g.class_id,
                    "pathway": g.pathway,
                    "duration_years": years,
                    "years_elsewhere": g.elsewhere,
                    "dropout_per_year": drop,
                    "intake": intake,
                    "intake_announced": intake,
                    "teachers": round(present * factor / norm[g.class_id] * more_teachers, 1),
                    "places": int(np.ceil(present * more_places)),
                    "may_open": g.may_open,
                    "may_close": g.may_close and intake < SMALL,
                    "source_id": "method_programme_groups",
                    "basis": "synthetic",
                }
            )
    return pd.DataFrame(rows).sort_values(["host_id", "level", "class_id", "pathway"], ignore_index=True)


def _groups(tables: Tables) -> Iterator[_Group]:
    """Every group with its weight within its level: institutions first, then secondary schools by city."""
    weights = tables["institution_weights"]
    by_kind = weights[weights["dimension"] == "kind"].set_index("value")["staff_weight"].to_dict()
    own = tables["disciplines"].assign(
        class_id=[class_of(c, tables["programme_classes"]) for c in tables["disciplines"]["discipline_code"]]
    )
    for u in tables["universities"].sort_values("moe_code").to_dict("records"):
        size = float(by_kind[institution_kind(u)])
        ranked = own[own["moe_code"] == u["moe_code"]]
        yield from _of_institution(u, size, ranked)
    people = tables["counties"].groupby("city_code")["population_2020"].sum()
    for city in sorted(tables["cities"]["city_code"]):
        for class_id, weight in SECONDARY.items():
            yield _Group(city, "secondary", class_id, weight * float(people[city]) / 1e6)


def _of_institution(u: Mapping[Any, Any], size: float, ranked: pd.DataFrame) -> Iterator[_Group]:
    code, trade = u["moe_code"], u["level"] == "vocational" or u["vocational_undergraduate"]
    profile = dict(PROFILE[u["category"]])
    if not trade:
        for class_id in ranked["class_id"]:
            profile[class_id] = profile.get(class_id, 0.0) + 0.5
    for word, class_id in NAMED.items() if trade else ():
        if word in u["name_zh"]:
            profile[class_id] = max(profile.get(class_id, 0.0), NAMED_WEIGHT)
    broad = u["double_first_class"] or u["provincial_key_university"]
    kept = dict(sorted(profile.items(), key=lambda p: (-p[1], p[0]))[: BROAD if broad else MAIN])
    if not trade:
        kept |= {k: profile[k] for k in sorted(set(ranked.loc[ranked["grade"] != "", "class_id"])) if k not in kept}
    whole = fsum(kept.values())
    private = u["ownership"] in ("private", "independent")
    level = "higher_vocational" if u["level"] == "vocational" else "undergraduate"
    may_close = private and level == "higher_vocational"
    for class_id, weight in kept.items():
        group = _Group(
            code,
            level,
            class_id,
            size * weight / whole,
            may_close=may_close and class_id in CLOSABLE,
        )
        long = _long_path(u, class_id) if trade else None
        if long:
            yield replace(group, weight=group.weight * (1 - LONG_SHARE))
            path, years = long
            yield _Group(code, level, class_id, group.weight * LONG_SHARE, path, years, 3)
        else:
            yield group
    if not private and level == "higher_vocational":
        for class_id in ("K02", "K05"):
            wanted = u["category"] in ("comprehensive", "engineering") and u["double_high_plan"]
            if wanted and class_id not in kept:
                yield _Group(code, level, class_id, 0.0, may_open=True)
    if trade or ranked.empty:
        return
    for step, strong in (("master", ranked), ("doctoral", ranked[ranked["grade"].isin(("A+", "A", "A-", "B+", "B"))])):
        if step == "doctoral" and not broad:
            continue
        count = strong["class_id"].value_counts()
        for class_id in sorted(count.index, key=lambda k: (-count[k], k))[:8]:
            yield _Group(code, step, class_id, size * float(count[class_id]))


def _long_path(u: Mapping[Any, Any], class_id: str) -> tuple[str, int] | None:
    """The long path (pathway, years) that an institution of the Double-High plan or a vocational university offers."""
    if class_id == "K12":
        return "long_6", 6
    if u["vocational_undergraduate"]:
        return "long_7", 7
    if u["double_high_plan"] and class_id in ("K01", "K02", "K03"):
        return "long_5", 5
    return None


def programme_relevance(tables: Tables) -> pd.DataFrame:
    """Registry ``programme_relevance``: the highest of the class's disciplines; other sectors by their lists."""
    classes = tables["programme_classes"]
    r = tables["relevance"].assign(class_id=[class_of(c, classes) for c in tables["relevance"]["discipline_code"]])
    sectors = tables["talent_sectors"]
    known = set(sectors["sector_id"])
    r = r[r["industry_id"].isin(known) & (r["relevance"] > 0) & (r["class_id"] != "")]
    level: Any = r.groupby(["class_id", "industry_id"])["relevance"].max()
    rows = [(c, i, int(v), "derived") for (c, i), v in level.items()]
    for s in sectors.to_dict("records"):
        for column, value in (("core_classes", 3), ("related_classes", 1)):
            rows += [(c, s["sector_id"], value, "judgement") for c in str(s[column]).split(";") if c]
    table = pd.DataFrame(rows, columns=["class_id", "sector_id", "relevance", "basis"])
    table.insert(3, "source_id", "method_programme_relevance")
    return table.sort_values(["class_id", "sector_id"], ignore_index=True)


def graduate_demand(tables: Tables, groups: pd.DataFrame, relevance: pd.DataFrame) -> pd.DataFrame:
    """Registry ``graduate_demand``: who comes in the base year × ratio, grown, with a range that widens.

    Graduates of a class divide over its sectors by relevance squared × the sector's weight of size.
    """
    value = modes(tables["talent_parameters"])
    rate = groups["dropout_per_year"].to_numpy()
    leave = groups["level"].map(lambda n: 1 - value.get(ONWARD.get(n, ""), 0.0)).to_numpy()
    out = groups["intake"].to_numpy() * (1 - rate) ** groups["duration_years"].to_numpy() * leave * value[STAY]
    supply = groups.assign(out=out).groupby(["level", "class_id"])["out"].sum()
    size = dict(zip(tables["talent_sectors"]["sector_id"], tables["talent_sectors"]["size_weight"], strict=True))
    weight = relevance.assign(weight=relevance["relevance"] ** 2 * relevance["sector_id"].map(size))
    weight["share"] = weight["weight"] / weight.groupby("class_id")["weight"].transform("sum")
    rows = []
    for s in tables["talent_sectors"].to_dict("records"):
        part = weight[weight["sector_id"] == s["sector_id"]]
        for level in LEVELS:
            come = fsum(
                float(supply.get((level, c), 0.0)) * share
                for c, share in zip(part["class_id"], part["share"], strict=True)
            )
            base = come * s["demand_ratio"] * LEVEL_MIX.get(level, 1.0)
            for year in range(BASE_YEAR + 1, LAST_DEMAND + 1):
                mode = base * (1 + s["growth_per_year"]) ** (year - BASE_YEAR)
                wide = min(1.0, (year - BASE_YEAR) / SPREAD_YEARS)
                low, high = (mode * (1 + (s[f] - 1) * wide) for f in ("low_factor", "high_factor"))
                if round(mode):
                    rows.append((s["sector_id"], level, year, round(low, 1), round(mode, 1), round(high, 1)))
    table = pd.DataFrame(rows, columns=["sector_id", "level", "year", "low", "mode", "high"])
    table = table.sort_values(["sector_id", "level", "year"], ignore_index=True)
    return table.assign(source_id="method_graduate_demand", basis="synthetic")


def demand_cases(tables: Tables) -> pd.DataFrame:
    """Registry ``demand_cases``: digital industries high and the others low; the other way round."""
    parent = dict(zip(tables["industries"]["industry_id"], tables["industries"]["parent_id"], strict=True))
    rows = []
    for case, probability in CASES.items():
        for sector in tables["talent_sectors"]["sector_id"]:
            main = sector.startswith("C")
            digital = parent.get(sector) == DIGITAL
            swing = 0.0 if not main else 1.0 if digital else -0.6
            position = swing if case == "digital_upswing" else -swing
            rows.append((case, sector, probability, position + 0.0))
    table = pd.DataFrame(rows, columns=["case_id", "sector_id", "probability", "position"])
    table = table.sort_values(["case_id", "sector_id"], ignore_index=True)
    return table.assign(source_id="src_project_assumption", basis="assumption")


def order_classes(tables: Tables, groups: pd.DataFrame, relevance: pd.DataFrame) -> pd.DataFrame:
    """Registry ``order_classes``: classes of 40 at vocational groups, about 8 % of their intake, for a core industry.

    A group serves one of the main industries for which its class is most relevant, in turn over the institutions.
    """
    regular = groups[
        (groups["level"] == "higher_vocational") & (groups["pathway"] == "regular") & (groups["intake"] > 0)
    ]
    main = relevance[relevance["sector_id"].str.startswith("C") & (relevance["relevance"] == 3)]
    served = {c: list(part["sector_id"]) for c, part in main.groupby("class_id")}
    rows = []
    for n, g in enumerate(regular.sort_values(["host_id", "class_id"]).to_dict("records")):
        seats = int(g["intake"] * ORDER_SHARE // ORDER_SEATS * ORDER_SEATS)
        if seats and served.get(g["class_id"]):
            sector = served[g["class_id"]][n % len(served[g["class_id"]])]
            rows.append((g["host_id"], g["level"], g["class_id"], g["pathway"], sector, BASE_YEAR + 2, seats))
    table = pd.DataFrame(rows, columns=["host_id", "level", "class_id", "pathway", "sector_id", "first_year", "seats"])
    return table.assign(source_id="method_order_classes", basis="synthetic")


def regenerate(folder: Path) -> dict[str, bytes]:
    """The derived registries as bytes of CSV, from the registries in ``folder``."""
    from zjsim.tables.reader import read_table
    from zjsim.tables.registries import REGISTRIES

    tables = {name: read_table(folder / f"{name}.csv", REGISTRIES[name]) for name in INPUTS}
    return {name: registry_csv(table) for name, table in derive(tables).items()}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for registry, content in regenerate(target).items():
        (target / f"{registry}.csv").write_bytes(content)
