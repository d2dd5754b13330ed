"""Re-check of what the goals cost each other: signs, order, units, and no goal below nought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from zjsim.audit.finding import Finding, finding

Tables = Mapping[str, pd.DataFrame]
_KEY = "placement.audit."
_UNITS = {"10 m": 100}


def check_exchanges(plan: Tables, parameters: Any) -> Iterator[Finding]:
    """A goal gives up at most a unit, the first later goal that changes wins, all refer to goals as they came out."""
    told = plan["placement_exchanges"]
    if not parameters.placement.goal_prices:
        if len(told):
            yield finding("placement_exchanges", _KEY + "exchanges", county=str(told["county_code"].iloc[0]), grade=0)
        return
    prices = plan["placement_prices"]
    columns = ["county_code", "grade", "goal", "goal_order", "unit", "utilitarian"]
    goals = {row[:3]: row[3:] for row in prices[columns].itertuples(index=False, name=None)}
    whole = {(c, g) for c, g in plan["placement_coupled_sections"][["county_code", "grade"]].itertuples(index=False)}
    key: Any
    for key, rows in told.groupby(["county_code", "grade", "goal"], sort=True):
        order, unit, _ = goals.get(key, (0, "", 0))
        later = [goals.get((*key[:2], name), (0, "", 0)) for name in rows["later_goal"]]
        right = key[:2] not in whole and (rows["goal_order"] == order).all() and (rows["unit"] == unit).all()
        right = right and rows["given_up"].nunique() == 1 and 1 <= rows["given_up"].iloc[0] <= _UNITS.get(unit, 1)
        right = right and rows["later_order"].tolist() == sorted(set(rows["later_order"]))
        right = right and rows["change"].iloc[0] < 0 and rows["later_order"].iloc[0] > order > 0
        right = right and (rows["bound"] <= rows["change"]).all() and (rows["change"] != 0).all()
        for row, (at, of, value) in zip(rows.to_dict("records"), later, strict=True):
            right = right and (row["later_order"], row["later_unit"]) == (at, of) and value + row["change"] >= 0
        if not right:
            yield finding("placement_exchanges", _KEY + "exchanges", county=key[0], grade=key[1])
