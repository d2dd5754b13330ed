"""The ledger of people as tables: ``people_ledger`` and ``people_summary`` (M028-M032, M070, M071).

What was allotted comes from the ledger at the base point, what was used from every base replication: a process tells by
institution how much of its staff time was busy (resources :data:`USED_OF`, or outcomes ``people/<activity>`` in
person-hours by institution and year). Posts, visits and research on platforms are promised time: all of it is used.
Hours to teach are an account of the calendar year: after an as-of date within a year its rest may use what earlier
months left, and then ``unused_hours`` of training is below 0 in that year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from zjsim.models.people import ACTIVITIES, HOURS, STAFF_CLASSES, People
from zjsim.models.process_tools import DAYS_PER_YEAR, Floats

from zjsim.simulate.resources import read

if TYPE_CHECKING:
    from zjsim.models.throughput import Study

PROMISED = ("dual_appointments", "visiting_engineers", "platforms")
USED_OF = {"services": "service_staff", "patents": "transfer_officers"}
"""Activity → the resource, by institution, whose busy share is that of the hours allotted."""
UNALLOTTED, PROVINCE_CLASS = "unallotted", "province"

LEDGER_COLUMNS = (
    *("year", "moe_code", "institution_zh", "institution_en", "staff_class", "activity"),
    *("teachers", "officers", "working_hours", "available_hours", "allotted_hours", "used_hours", "used_hours_p95"),
    *("used_hours_most", "unused_hours", "used_share", "replications"),
)
SUMMARY_COLUMNS = (
    *("year", "staff_class", "activity", "institutions", "teachers", "available_hours", "allotted_hours"),
    *("allotted_share", "full_time_people", "used_hours", "used_hours_p95", "unused_hours", "used_share"),
)


def used_hours(people: People, studies: Sequence[Study], allotted: Floats) -> dict[str, Floats]:
    """Person-hours used by activity, each by (replication, institution, year); without the activities nobody told of.

    ``allotted``: by (institution, activity, year). Promised time has one replication: it is the same in all.
    """
    found = {a: allotted[None, :, ACTIVITIES.index(a)] for a in PROMISED}
    for study in studies:
        for activity in ACTIVITIES:
            if f"people/{activity}" in study.base:
                found[activity] = np.asarray(study.base[f"people/{activity}"], dtype=np.float64)
        for resource in study.process.resources:
            activity = next((a for a, r in USED_OF.items() if r == resource.resource_id), "")
            if activity and resource.places == people.institutions:
                measures = read(study.base, resource.resource_id)
                share = measures["used"] / np.where(measures["capacity"] > 0, measures["capacity"], 1.0)
                found[activity] = share * allotted[:, ACTIVITIES.index(activity)]
    return found


def people_ledger(people: People, studies: Sequence[Study], names: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """A row per year, institution and activity, with :data:`LEDGER_COLUMNS`; hours used are empty where nobody tells.

    ``names``: institutions by code, Chinese and English.
    """
    base = people.allot({})
    used = used_hours(people, studies, base.allotted)
    working = _working_hours(people)
    rows: list[dict[str, Any]] = []
    for y, year in enumerate(people.years):
        for i, code in enumerate(people.institutions):
            zh, en = names.get(code, (code, code))
            of = {
                "year": year,
                "moe_code": code,
                "institution_zh": zh,
                "institution_en": en,
                "staff_class": people.classes[i],
                "teachers": people.teachers[i],
                "officers": people.officers[i],
                "working_hours": working[i, y],
                "available_hours": base.available[i, y],
            }
            for a, activity in enumerate(ACTIVITIES):
                figures = _figures(float(base.allotted[i, a, y]), used[activity][:, i, y] if activity in used else None)
                rows.append(of | {"activity": activity} | figures)
    return pd.DataFrame(rows, columns=list(LEDGER_COLUMNS))


def people_summary(people: People, studies: Sequence[Study]) -> pd.DataFrame:
    """A row per year, class of institutions (and the province) and activity, with :data:`SUMMARY_COLUMNS`.

    The activity ``unallotted`` is released time that nobody gets: kept for promises that begin later.
    ``allotted_share`` is of the class's released time, ``full_time_people`` the hours as person-years.
    """
    base = people.allot({})
    used = used_hours(people, studies, base.allotted)
    a_year = people.parameters.value(HOURS, {}) * np.diff(np.array(people.horizon.edges)) / DAYS_PER_YEAR
    rows: list[dict[str, Any]] = []
    for y, year in enumerate(people.years):
        for kind in (PROVINCE_CLASS, *STAFF_CLASSES):
            own = np.array([kind in (PROVINCE_CLASS, c) for c in people.classes])
            available = float(base.available[own, y].sum())
            of: dict[str, Any] = {
                "year": year,
                "staff_class": kind,
                "institutions": int(own.sum()),
                "teachers": float(people.teachers[own].sum()),
                "available_hours": available,
            }
            for a, activity in enumerate(ACTIVITIES):
                hours = used[activity][:, own, y].sum(axis=1) if activity in used else None
                figures = _figures(float(base.allotted[own, a, y].sum()), hours)
                rows.append(of | {"activity": activity} | figures)
            left = available - float(base.allotted[own, :, y].sum())
            nobody = {"allotted_hours": left, "used_hours": 0.0, "used_hours_p95": 0.0, "unused_hours": left}
            rows.append(of | {"activity": UNALLOTTED} | nobody)
            for row in rows[-len(ACTIVITIES) - 1 :]:
                row["allotted_share"] = row["allotted_hours"] / available if available > 0 else np.nan
                row["full_time_people"] = row["allotted_hours"] / a_year[y]
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def _working_hours(people: People) -> Floats:
    """All hours of an institution's teachers and officers, by (institution, year)."""
    heads = people.teachers + people.officers
    return people.person_hours(np.outer(heads, np.diff(np.array(people.horizon.edges))))


def _figures(allotted: float, used: Floats | None) -> dict[str, Any]:
    if used is None:
        return {"allotted_hours": allotted}
    mean, most = float(used.mean()), float(used.max())
    return {
        "allotted_hours": allotted,
        "used_hours": mean,
        "used_hours_p95": float(np.quantile(used, 0.95)),
        "used_hours_most": most,
        "unused_hours": allotted - mean,
        "used_share": mean / allotted if allotted > 0 else np.nan,
        "replications": len(used),
    }
