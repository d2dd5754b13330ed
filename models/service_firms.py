"""What comes of enterprise services beside their number: firms served, joint applications, services on quality.

*Firms* (M001, M095): every firm counts once, with its first completed service since the plan began. *Joint
applications* (M008): a partnership files at the first yearly call for research programmes that it lives to see, a
tactical project at the first one after its end, each with a chance of its own; calls are dates, nobody queues for them.
*Services on quality* (M089-M091, M094): quality management, standards, brands and metrology in smaller firms, a share
of the services that they ask for. M092 (courses on standards) belongs to training; M093 (work on standards themselves)
is tracked and not modelled: nothing public counts it, and no firm asks for it.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from zjsim.models.process_tools import Floats, Ints
from zjsim.models.service_requests import PAST_YEARS, Requests

if TYPE_CHECKING:
    from zjsim.models.enterprise_service import Desk
    from zjsim.models.service_data import ServiceData
    from zjsim.models.service_past import KnownFirms, Posts

    from zjsim.simulate.inputs import Values

TACTICAL, PARTNERSHIP = 1, 2
FILES_IN_PARTNERSHIP, FILES_AFTER_PROJECT, CALL_MONTH = "SP23", "SP24", "SP25"


def firms_served(data: ServiceData, requests: Requests, desk: Desk, posts: Posts, known: KnownFirms) -> Floats:
    """The day on which every firm was first served within the horizon; infinity without one, or where it was before.

    Of the key firms those served before the as-of date are known; of the others they are those of the back-cast.
    """
    count = len(data.firms()[1])
    ended = requests.arrival_days + requests.length_days
    over = (ended >= data.past.start_day) & (ended < 0) & (requests.key_firm < 0) & bool(data.past.quarters)
    before = np.zeros(count, dtype=bool)
    before[requests.firm[over]] = True
    before[: data.key_firms] = known.served
    first: Floats = np.full(count, np.inf)
    np.minimum.at(first, requests.firm[desk.completed_requests()], desk.completed_days())
    np.minimum.at(first, posts.service_firm, posts.service_days)
    return np.where(before, np.inf, first)


def joint_applications(data: ServiceData, requests: Requests, desk: Desk, values: Values) -> tuple[Floats, Ints]:
    """The days on which joint applications are filed within the horizon, and the requests they come of (M008)."""
    when, p = data.horizon, data.parameters
    month = round(p.value(CALL_MONTH, values))
    calls = np.array([when.day(date(y, month, 1)) for y in (*when.past_years(PAST_YEARS), *when.years)])
    held = np.array(desk.held, dtype=np.float64).reshape(-1, 4)
    request = held[:, 2].astype(np.int64)
    kind, until = requests.kind[request], held[:, 1]
    carried = requests.arrival_days[request] < 0
    begun = np.where(carried, requests.arrival_days[request], held[:, 0])
    from_day = np.where(kind == PARTNERSHIP, begun, until)
    place = np.searchsorted(calls, from_day)
    filed = np.append(calls, np.inf)[place]
    chance = np.array([0.0, p.value(FILES_AFTER_PROJECT, values), p.value(FILES_IN_PARTNERSHIP, values)])[kind]
    files = (requests.applies[request] < chance) & (filed >= 0) & (filed < when.end)
    files &= (kind == TACTICAL) | (filed < until)
    return filed[files], request[files]
