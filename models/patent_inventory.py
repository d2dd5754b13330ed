"""The inventory of existing patents (M026): each institution works off what is open at its own pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from zjsim.models.past import known_or
from zjsim.models.patent_data import PROCESS, PatentData, scaled
from zjsim.models.process_tools import DAYS_PER_MONTH, DAYS_PER_YEAR, Floats

if TYPE_CHECKING:
    from zjsim.simulate.inputs import Values
    from zjsim.simulate.streams import Streams


def inventory(data: PatentData, values: Values, streams: Streams) -> tuple[Floats, Floats]:
    """Share inventoried at the end of each year: of the stock at the plan's start, and of the patents then in force.

    Each institution works off what was open at the as-of date at its pace; a share TP05 can never be inventoried. A
    new grant is inventoried TP04 months later, so the second share stays below 1 unless that happens at once.
    """
    p = data.parameters
    backlog, never, pace = _to_inventory(data, values, streams)
    at_plan, rolling = [], []
    grants, lapses = p.value("TP06", values), p.value("TP07", values)
    total = float(data.columns["stock"].sum())
    since = data.past.elapsed_years
    in_force = total * (1 + (grants - lapses) * since)
    for edge, length in zip(data.horizon.edges[1:], data.horizon.lengths_years(), strict=True):
        still = float(np.maximum(backlog - pace * edge / DAYS_PER_MONTH, never).sum())
        in_force = in_force * (1 - lapses * length) + total * grants * length
        waiting = total * grants * min(p.value("TP04", values) / 12, since + edge / DAYS_PER_YEAR)
        at_plan.append((total - still) / total)
        rolling.append((in_force - min(still + waiting, in_force)) / in_force)
    return np.array(at_plan), np.array(rolling)


def stock_inventoried(data: PatentData, values: Values, streams: Streams, days: Floats) -> Floats:
    """The first share of :func:`inventory` on each of ``days``."""
    backlog, never, pace = _to_inventory(data, values, streams)
    total = float(data.columns["stock"].sum())
    still = np.maximum(backlog - pace * days[:, None] / DAYS_PER_MONTH, never).sum(axis=1)
    return np.asarray((total - still) / total)


def _to_inventory(data: PatentData, values: Values, streams: Streams) -> tuple[Floats, Floats, Floats]:
    """By institution: patents to inventory at the as-of date, those of them that never will be, and its pace a month.

    For a marginal value the pace is ``more/inventory_pace`` patents a month higher in all, split as the pace is.
    """
    p, c = data.parameters, data.columns
    stock = c["stock"]
    open_share = (1 - p.value("TP03", values)) / (1 - p.inputs["TP03"].mode)
    never = stock * p.value("TP05", values)
    open_now = 1 - data.past.level("inventory_share_stock_at_plan")
    never = never * min(1.0, known_or(open_now, 1.0) * float(stock.sum()) / max(float(never.sum()), 1e-9))
    backlog = np.clip((stock - c["inventoried"]) * open_share, never, stock)
    if not np.isnan(open_now):
        backlog = scaled(backlog, open_now * float(stock.sum()), never, stock)
    u = np.array([streams.uniforms(PROCESS, code, "as-of", 1, "inventory")[0] for code in data.institutions])
    pace = p.draw("PP54", values, u) / p.inputs["PP54"].mode * c["inventory_per_month"]
    per_month = float(c["inventory_per_month"].sum())
    more = values.get("more/inventory_pace", 0.0) / per_month if per_month > 0 else 0.0
    return backlog, never, pace * (1 + more)
