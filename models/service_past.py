"""Enterprise service before the as-of date: which key firms were served or contacted already (M095).

The actual values say how many; which ones is drawn, those first whom the back-cast of requests reaches under the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from zjsim.models.process_tools import Floats, Ints
from zjsim.models.service_data import ServiceData
from zjsim.models.service_requests import PROCESS, Requests

if TYPE_CHECKING:
    from zjsim.simulate.streams import Streams

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Posts:
    """Vice-presidents in little giants: posts (firm, first day) and their services (firm, day)."""

    post_firm: Ints
    post_days: Floats
    service_firm: Ints
    service_days: Floats


@dataclass(frozen=True, slots=True)
class KnownFirms:
    """Key firms that count already, by number: served once, and contacted once, before the as-of date."""

    served: Mask
    contacted: Mask

    def without_served(self, firm: Ints) -> Ints:
        """``firm`` with -1 (not a key firm) in the place of those served before."""
        return _without(firm, self.served)

    def without_contacted(self, firm: Ints) -> Ints:
        """``firm`` with -1 in the place of those contacted before."""
        return _without(firm, self.contacted)


def known_firms(data: ServiceData, requests: Requests, posts: Posts, streams: Streams) -> KnownFirms:
    """The different firms that the actual values of the plan's past stand for (M095); none before the plan begins.

    As many as were counted: first those whom the back-cast served (or contacted) since the plan's start, the earliest
    first, then firms drawn at random. A service under way, a post held and an earlier service are contacts.
    """
    none = np.zeros(data.key_firms, dtype=bool)
    if not data.past.quarters:
        return KnownFirms(none, none)
    u = streams.uniforms(PROCESS, "province", "as-of", data.key_firms, "known firms")
    start = data.past.start_day
    came = requests.arrival_days
    ended = came + requests.length_days
    over, asked = (came < 0) & (ended >= start) & (ended < 0), (came >= start) & (came < 0)
    first_served = _first(data.key_firms, requests.key_firm[over], ended[over])
    served = _chosen(data.past.flow("key_firms_served"), first_served, u)
    held = posts.post_days < 0
    before = [np.flatnonzero(served), requests.key_firm[requests.running], posts.post_firm[held]]
    days = [np.full(len(firm), start - rank) for rank, firm in zip((2, 1, 1), before, strict=True)]
    firm, day = np.concatenate([*before, requests.key_firm[asked]]), np.concatenate([*days, came[asked]])
    contacted = _chosen(data.past.flow("key_firms_contacted"), _first(data.key_firms, firm, day), u)
    return KnownFirms(served, contacted)


def _first(firms: int, firm: Ints, days: Floats) -> Floats:
    """The first of ``days`` of every key firm; infinity for a firm without one."""
    first = np.full(firms, np.inf)
    np.minimum.at(first, firm[firm >= 0], days[firm >= 0])
    return first


def _chosen(count: float, first: Floats, u: Floats) -> Mask:
    """``count`` firms, by first day, then by ``u``; those with a day where the count is not given (NaN)."""
    if np.isnan(count):
        return np.asarray(np.isfinite(first))
    chosen = np.zeros(len(first), dtype=bool)
    chosen[np.lexsort((u, first))[: round(count)]] = True
    return chosen


def _without(firm: Ints, known: Mask) -> Ints:
    return np.where((firm >= 0) & known[firm], -1, firm) if known.any() else firm
