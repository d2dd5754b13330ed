"""What enterprise service offers, uses, waits for and loses: staff time by institution, queues by city (M001, M033).

Read from what the demand registry has noted, when the horizon is over. Staff time is in person-days (full-time
equivalents × calendar days). A request that no institution of its city could ever take is lost on the day it comes, one
whose patience ends while it waits on that day; its work is its staff time × its length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from zjsim.models.process_tools import Floats

from zjsim.simulate.resources import Resource, counted, exported, months_between, spread

if TYPE_CHECKING:
    from zjsim.models.enterprise_service import Desk
    from zjsim.models.service_data import ServiceData
    from zjsim.models.service_requests import Requests

STAFF, DESK = "service_staff", "service_requests"
BY_INDUSTRY, BY_CLASS = "service_requests_by_industry", "service_requests_by_class"
NO_INDUSTRY = "none"


def service_resources(data: ServiceData) -> tuple[Resource, ...]:
    """Staff time by institution; requests by city, by industry and by class of firm (M033).

    Requests have no capacity of their own: staff serves several cities, and every industry and class.
    """
    return (
        Resource(STAFF, "person-days", data.institutions),
        Resource(DESK, "person-days", data.cities),
        Resource(BY_INDUSTRY, "person-days", (*data.industries, NO_INDUSTRY)),
        Resource(BY_CLASS, "person-days", data.firm_classes),
    )


def service_use(data: ServiceData, requests: Requests, desk: Desk) -> dict[str, Floats]:
    """The outcomes that this process exports for its resources."""
    months = months_between(data.horizon.first_day, data.horizon.end)
    end = data.horizon.end
    held = np.array(desk.held, dtype=np.float64).reshape(-1, 4)
    start, until, request, institution = held[:, 0], held[:, 1], held[:, 2].astype(int), held[:, 3].astype(int)
    staff = np.array(desk.staff, dtype=np.float64).reshape(-1, 3)
    load, institutions, cities = requests.load_fte, len(data.institutions), len(data.cities)
    taken_up = np.full(len(load), np.nan)
    taken_up[request] = start
    came = np.array(desk.arrived, dtype=np.int64)
    gives_up = np.array([desk.expiry.get(r, -np.inf) for r in desk.arrived])
    waited_from = np.array(desk.arrived_days, dtype=np.float64)
    begun = taken_up[came]
    refused = np.isnan(begun) & (gives_up < 0)
    left_on = np.where(refused, waited_from, np.where(np.isnan(begun), gives_up, np.nan))
    waited_until = np.where(np.isnan(begun), np.minimum(left_on, end), begun)
    work = load[came] * requests.length_days[came]
    new = start > 0
    found = exported(
        STAFF,
        months,
        {
            "capacity": spread(staff[:, 0], end, staff[:, 2], staff[:, 1], institutions, months),
            "used": spread(start, until, load[request], institution, institutions, months),
            "served": counted(start[new], 1.0, institution[new], institutions, months),
        },
    )
    industry = np.where(requests.industry < 0, len(data.industries), requests.industry)
    views = [(DESK, requests.city, cities), (BY_INDUSTRY, industry, len(data.industries) + 1)]
    views += [(BY_CLASS, requests.firm_class, len(data.firm_classes))]
    for name, place, places in views:
        at = place[came]
        found |= exported(
            name,
            months,
            {
                "used": spread(start, until, load[request], place[request], places, months),
                "waiting": spread(waited_from, waited_until, 1.0, at, places, months),
                "served": counted(begun, 1.0, at, places, months),
                "left": counted(left_on, 1.0, at, places, months),
                "lost": counted(left_on, work, at, places, months),
            },
        )
    return found
