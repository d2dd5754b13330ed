"""Teachers' time between students and the world outside: the people ledger joined to talent supply (M059, M063, M071).

The registry counts the teachers of a programme group as they are in the first simulated year, with what they then give
outside (social training, services, posts in firms, visits, platforms, patents). What the ledger gives outside beyond
that is taken from students, so that no hour is counted twice:

    away[h, t] = (outside[h, t] - outside[h, first year]) / (1 - outside[h, first year]),

outside being the person-hours of all activities over those of the host's teachers. After the ledger's last year its
last share stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from zjsim.models.people import ACTIVITIES
from zjsim.models.talent_terms import TalentData

if TYPE_CHECKING:
    from zjsim.models.people import People
    from zjsim.models.talent_report import Names

COLUMNS = (
    *("host_id", "host_zh", "host_en", "year", "teachers_listed", "outside_hours", "training_hours", "outside_share"),
    *("away_share", "teachers", "teachers_needed", "teachers_free"),
)


def outside_shares(people: People, teachers: Mapping[str, float]) -> dict[tuple[str, int], float]:
    """Share of the hours of a host's ``teachers`` that the ledger gives outside, by (host, ledger year).

    The ledger's first year begins after the as-of date: hours there are those of the part of the year that is left.
    """
    outside = people.base_hours()
    hours = dict(zip(people.years, people.person_hours(np.diff(np.array(people.horizon.edges))).tolist(), strict=True))
    return {
        (h, t): min(1.0, fsum(outside[h, a, t] for a in ACTIVITIES) / (n * hours[t]))
        for h, n in sorted(teachers.items())
        for t in people.years
        if n > 0 and h in people.institutions
    }


def away_shares(people: People, teachers: Mapping[str, float], years: tuple[int, ...]) -> dict[tuple[str, int], float]:
    """Share of a host's teachers that students lose to the world outside, by (host, year); never below zero.

    Between the first ledger year and now only growth counts: hours that come free are not given to students.
    """
    share = outside_shares(people, teachers)
    first, last = people.years[0], people.years[-1]
    found = {}
    for h in sorted({h for h, _ in share}):
        usual = share[h, first]
        for t in years:
            more = share[h, min(max(t, first), last)] - usual
            if more > 0 and usual < 1:
                found[h, t] = more / (1 - usual)
    return found


def hours_table(
    data: TalentData, teachers: pd.DataFrame, people: People, listed: Mapping[str, float], names: Names
) -> pd.DataFrame:
    """Host × decided year: teachers listed, hours given outside, teachers there for students, needed (expected), free.

    ``teachers`` is the table ``talent_teachers``; ``listed`` the registry's teachers by host. Hours are person-hours.
    """
    share, hours = outside_shares(people, listed), people.base_hours()
    weighed = teachers.assign(needed=teachers["needed"] * teachers["case_id"].map(dict(data.cases)))
    needed = weighed.groupby(["host_id", "year"])["needed"].sum()
    there = teachers.drop_duplicates(["host_id", "class_id", "year"]).groupby(["host_id", "year"])["teachers"].sum()
    last = people.years[-1]
    rows = []
    present: Any = there.to_dict()
    for (h, t), amount in present.items():
        year = min(max(t, people.years[0]), last)
        known = (h, year) in share
        outside = fsum(hours[h, a, year] for a in ACTIVITIES) if known else 0.0
        training = hours[h, "training", year] if known else 0.0
        need, own = float(needed[h, t]), listed[h]
        numbers = (round(own, 1), round(outside, 1), round(training, 1), round(share.get((h, year), 0.0), 6))
        left = (round(data.away.get((h, t), 0.0), 9), round(float(amount), 3), round(need, 3), round(amount - need, 3))
        rows.append((h, *names.hosts[h], t, *numbers, *left))
    return pd.DataFrame(rows, columns=list(COLUMNS))
