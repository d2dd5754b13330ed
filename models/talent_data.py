"""The data of talent supply from the registries and the other plans: lead disciplines and county campuses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from zjsim.models.location_openings import openings
from zjsim.models.talent_people import away_shares
from zjsim.models.talent_terms import Group, GroupKey, TalentData

from zjsim.synthesis.talent import class_of

if TYPE_CHECKING:
    from zjsim.models.people import People

Tables = Mapping[str, pd.DataFrame]
TABLES = (
    *("programme_classes", "talent_sectors", "programme_groups", "programme_relevance", "graduate_demand"),
    *("demand_cases", "order_classes", "talent_parameters", "location_kinds", "universities", "cities"),
)
COUNTED = ("undergraduate", "master", "doctoral")
"""Levels whose admissions the target on 理工农医 counts (its default reading, M040)."""
GRADUATE = ("master", "doctoral")
ONWARD = {"secondary": "TL06", "higher_vocational": "TL07", "undergraduate": "TL08", "master": "TL09"}
WEIGHT = {"master": "TL11", "doctoral": "TL12"}
STAY, TEACHER, PLACE, JOINT = "TL10", "TL18", "TL19", "TL20"
ADMISSION_MONTH = 9
LEAD_CHANGE_WEIGHT = 0.5
"""Change at a group of a lead discipline counts half: it is where the plan wants change (M010, M041)."""


def first_admission(as_of: date) -> int:
    """The year of the first admission after the as-of date."""
    return as_of.year + 1 if as_of >= date(as_of.year, ADMISSION_MONTH, 1) else as_of.year


def talent_data(scenario: Any, plan: Mapping[str, pd.DataFrame], people: People | None = None) -> TalentData:
    """The problem of a scenario; ``plan`` may hold the lead disciplines and the county campuses.

    With ``people`` (the ledger of the same plan) teachers lose to students what it gives outside beyond the usual.
    """
    t: Tables = {name: scenario.table(name) for name in TABLES}
    p, start = scenario.parameters.talent, first_admission(scenario.parameters.time.as_of)
    years = tuple(range(start, p.last_year + 1))
    value = modes(t["talent_parameters"])
    classes = t["programme_classes"].set_index("class_id")
    leads = lead_classes(plan, t["programme_classes"])
    groups: dict[GroupKey, Group] = {}
    teachers: dict[tuple[str, str], float] = {}
    places: dict[str, float] = {}
    for r in t["programme_groups"].to_dict("records"):
        key = (r["host_id"], r["level"], r["class_id"], r["pathway"])
        field = classes["field"][r["class_id"]]
        leading = (r["host_id"], r["class_id"]) in leads
        announced = float(r["intake_announced"])
        most = max(p.yearly_change * announced, p.least_step) * (p.lead_factor if leading else 1.0)
        groups[key] = Group(
            duration=int(r["duration_years"]),
            keep=1.0 - float(r["dropout_per_year"]),
            history=float(r["intake"]),
            announced=announced,
            most_change=most,
            elsewhere=int(r["years_elsewhere"]),
            weight=value[WEIGHT[r["level"]]] if r["level"] in WEIGHT else 1.0,
            may_open=bool(r["may_open"]) and announced == 0,
            may_close=bool(r["may_close"]) and announced > 0,
            cap=p.opening_cap,
            counted=r["level"] in COUNTED,
            of_field=field != "other",
            joint=r["level"] in GRADUATE and field == "engineering",
            change_weight=LEAD_CHANGE_WEIGHT if leading else 1.0,
        )
        pool = (r["host_id"], r["class_id"])
        teachers[pool] = teachers.get(pool, 0.0) + float(r["teachers"])
        places[r["host_id"]] = places.get(r["host_id"], 0.0) + float(r["places"])
    sectors = t["talent_sectors"]
    return TalentData(
        years=years,
        first=start + p.lead_cycles,
        groups=groups,
        cases=dict(t["demand_cases"].groupby("case_id")["probability"].first()),
        demand=demand_of(t, years),
        relevance=dict(
            zip(
                zip(t["programme_relevance"]["class_id"], t["programme_relevance"]["sector_id"], strict=True),
                t["programme_relevance"]["relevance"].astype(int),
                strict=True,
            )
        ),
        priority=dict(zip(sectors["sector_id"], sectors["priority"].astype(int), strict=True)),
        available={level: (1 - value.get(ONWARD.get(level, ""), 0.0)) * value[STAY] for level in (*ONWARD, "doctoral")},
        norm={str(k): float(n) for k, n in classes["students_per_teacher"].items()},
        teachers=teachers,
        away={} if people is None else away_shares(people, listed_teachers(t["programme_groups"]), years),
        places=places,
        campus_places=campus_places(plan, t["location_kinds"], years, p.campus_students),
        totals=totals(groups, years, start + p.lead_cycles, p),
        orders={
            ((o["host_id"], o["level"], o["class_id"], o["pathway"]), o["sector_id"]): (o["first_year"], o["seats"])
            for o in t["order_classes"].to_dict("records")
        },
        hire_share=p.hire_share,
        build_share=p.build_share,
        build_years=p.build_years,
        minimum_size=p.minimum_size,
        openings_per_host=p.openings_per_host,
        review_years=p.review_years,
        mild_share=p.mild_share,
        severe_weight=p.severe_weight,
        joint_most=p.joint_most,
        joint_least={y: p.joint_first + p.joint_step * (y - start - p.lead_cycles) for y in years},
        joint_now=p.joint_now,
        joint_relief=p.joint_relief,
        share_not_falling=p.share_not_falling,
        cost_teacher=value[TEACHER],
        cost_place=value[PLACE],
        cost_joint=value[JOINT],
    )


def listed_teachers(groups: pd.DataFrame) -> dict[str, float]:
    """Teachers by host as the registry lists them."""
    return {str(h): float(n) for h, n in groups.groupby("host_id")["teachers"].sum().items()}


def modes(table: pd.DataFrame) -> dict[str, float]:
    """Most likely values of a table of parameters, by id."""
    return {str(i): float(v) for i, v in zip(table["parameter_id"], table["mode"], strict=True)}


def demand_of(t: Tables, years: tuple[int, ...]) -> dict[tuple[str, str, int, str], float]:
    """Demand by (sector, level, year, case): between low, mode and high as the case says."""
    rows = t["graduate_demand"][t["graduate_demand"]["year"].isin(years)].merge(
        t["demand_cases"][["case_id", "sector_id", "position"]], on="sector_id"
    )
    at = rows["position"].to_numpy()
    to = np.where(at < 0, rows["mode"] - rows["low"], rows["high"] - rows["mode"])
    amounts = rows["mode"].to_numpy() + at * to
    keys = zip(rows["sector_id"], rows["level"], rows["year"].astype(int), rows["case_id"], strict=True)
    return {k: round(float(a), 3) for k, a in zip(keys, amounts, strict=True)}


def lead_classes(plan: Mapping[str, pd.DataFrame], classes: pd.DataFrame) -> set[tuple[str, str]]:
    """(institution, class) of every lead discipline of the assignment (M010, M041)."""
    if "lead_assignments" not in plan:
        return set()
    rows = plan["lead_assignments"]
    return {(u, class_of(d, classes)) for u, d in zip(rows["moe_code"], rows["discipline_code"], strict=True)}


def campus_places(
    plan: Mapping[str, pd.DataFrame], kinds: pd.DataFrame, years: tuple[int, ...], students: float
) -> dict[tuple[str, int], float]:
    """Places of county campuses and industry colleges by (host, year): from the first autumn they are open (M060)."""
    found: dict[tuple[str, int], float] = {}
    here = set(kinds.loc[kinds["theme"] == "campuses", "kind"])
    opened = openings(plan)
    for row in opened[opened["kind"].isin(here)].to_dict("records"):
        opens = pd.Timestamp(row["open_date"]).date()
        for t in years:
            if opens <= date(t, ADMISSION_MONTH, 1):
                key = (str(row["moe_code"]), t)
                found[key] = found.get(key, 0.0) + float(row["staff"]) * students
    return found


def totals(
    groups: Mapping[GroupKey, Group], years: tuple[int, ...], first: int, p: Any
) -> dict[tuple[str, int], float]:
    """Intake of each level and year that the state sets: what is announced, grown from the last settled year on."""
    announced: dict[str, float] = {}
    for g, group in groups.items():
        announced[g[1]] = announced.get(g[1], 0.0) + group.announced
    return {
        (level, t): amount * (1 + getattr(p, f"growth_{level}")) ** (t - first + 1)
        for level, amount in sorted(announced.items())
        for t in years
        if t >= first
    }
