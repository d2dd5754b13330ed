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


def service_resources(data: ServiceData) -> tuple[Resource, ...]:
    """Staff time by institution; requests by city (their staff serves several cities: no capacity of their own)."""
    return Resource(STAFF, "person-days", data.institutions), Resource(DESK, "person-days", data.cities)


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
    city, begun = requests.city[came], taken_up[came]
    refused = np.isnan(begun) & (gives_up < 0)
    left_on = np.where(refused, waited_from, np.where(np.isnan(begun), gives_up, np.nan))
    work = load[came] * requests.length_days[came]
    new = start > 0
    return {
        **exported(
            STAFF,
            months,
            {
                "capacity": spread(staff[:, 0], end, staff[:, 2], staff[:, 1], institutions, months),
                "used": spread(start, until, load[request], institution, institutions, months),
                "served": counted(start[new], 1.0, institution[new], institutions, months),
            },
        ),
        **exported(
            DESK,
            months,
            {
                "used": spread(start, until, load[request], requests.city[request], cities, months),
                "waiting": spread(
                    waited_from, np.where(np.isnan(begun), np.minimum(left_on, end), begun), 1.0, city, cities, months
                ),
                "served": counted(begun, 1.0, city, cities, months),
                "left": counted(left_on, 1.0, city, cities, months),
                "lost": counted(left_on, work, city, cities, months),
            },
        ),
    }
