"""Tables of seat expansion under uncertainty for publication (M108, M110): no small count of children can be told.

Children short, purchased places and their prices stay inside. By area decisions, openings and the money of building go
out. Of the province also costs go out, which hold a price times children: the cost of a plan in a scenario (or in a
fresh future) is that of its building, exact and with the building's own overrun, plus M, the money of purchases, of
what is missing and of any further overrun, rounded to a step of twenty times the dearest child or more. All other
published money of the province is computed from these costs again.

So a count n is in one published number only, as price × n + what else is in M, where price is at most the dearest and
the rest is not negative and not known. A reader who knows the building to the cent knows M to a whole step, and to half
a step from nought where it is rounded to nought: n is told no closer than ten children, and no closer than nine where
``p_shortfall`` says that somebody is short. A solver's relative gap tells nothing: its bound is published nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from zjsim.models.hedge_province import evaluated
from zjsim.models.hedge_sentences import published_advice, published_statements
from zjsim.models.hedge_solve import cvar
from zjsim.models.seat_hedge import PLANS
from zjsim.models.seat_publication import money_step

from zjsim.tables.published import SUPPRESSED

_CHILDREN = ("local_short", "without_place", "share_fall")
_SHORT = tuple(f"expected_{c}" for c in _CHILDREN)
_WITHHELD: Mapping[str, tuple[str, ...]] = {
    "hedge_areas": (
        *("expected_cost_yuan", "objective_yuan", "bound_yuan", "wait_and_see_yuan", "evpi_yuan", "evpi_low_yuan"),
        *("evpi_high_yuan", "vss_yuan", "vss_low_yuan", "vss_high_yuan", "saved_by_beginning_yuan"),
        *("worst_regret_yuan", "cvar_yuan", *_SHORT),
    ),
    "hedge_plans": (
        *("expected_cost_yuan", "objective_yuan", "bound_yuan", "expected_purchase_yuan", "expected_penalty_yuan"),
        *("expected_overrun_yuan", "cvar_yuan", *_SHORT),
    ),
    "hedge_openings": (),
    "hedge_empty_seats": (),
    "hedge_inputs": ("cost_low_third_yuan", "cost_high_third_yuan", "difference_yuan"),
}
"""Tables that go out without these columns; those of the province are made below, all others stay inside."""
_WITH_RISK = ("hedged", "mean_value", "wait", "evpi", "vss", "saved_by_beginning")
"""Values of the province that are sums over areas of more than the expected cost if risk has a weight."""


def hedge_publication(
    tables: Mapping[str, pd.DataFrame], *, dearest_yuan: float, cvar_level: float, risk_weight: float
) -> dict[str, pd.DataFrame]:
    """The tables that go out; ``dearest_yuan``: the most that one child adds to a cost."""
    step = money_step({("", ""): dearest_yuan})
    told = {n: tables[n].drop(columns=[c for c in gone if c in tables[n]]) for n, gone in _WITHHELD.items()}
    told["hedge_areas"] = published_advice(told["hedge_areas"])
    told["hedge_scenarios"] = _scenarios(tables["hedge_scenarios"], step)
    told["hedge_fresh"] = _fresh(tables["hedge_fresh"], step)
    told["hedge_evaluation"] = evaluated(told["hedge_fresh"])
    told["hedge_values"] = _values(tables["hedge_values"], told["hedge_scenarios"], cvar_level, risk_weight)
    said = published_statements(told, cvar_level)
    return {
        n: t.reset_index(drop=True).assign(**{SUPPRESSED: ""}) for n, t in {"hedge_statements": said, **told}.items()
    }


def _told(cost: pd.Series, building: pd.Series, step: float) -> pd.Series:
    """Building, and the rest of the cost rounded to the nearest step."""
    told: pd.Series = (building + np.floor((cost - building) / step + 0.5) * step).round(2)
    return told


def _scenarios(t: pd.DataFrame, step: float) -> pd.DataFrame:
    cost = _told(t["cost_yuan"], t["building_yuan"], step)
    seen = _told(t["wait_and_see_yuan"], t["seen_building_yuan"], step)
    gone = [*_CHILDREN, "entrants_later_births", "building_yuan", "seen_building_yuan"]
    money = {"cost_yuan": cost, "wait_and_see_yuan": seen, "regret_yuan": (cost - seen).clip(lower=0).round(2)}
    return t.assign(**money).drop(columns=gone)


def _fresh(t: pd.DataFrame, step: float) -> pd.DataFrame:
    cost = _told(t["cost_yuan"], t["building_yuan"], step)
    return t.assign(cost_yuan=cost).drop(columns=[*_CHILDREN, "building_yuan"])


def _values(exact: pd.DataFrame, scenarios: pd.DataFrame, alpha: float, risk_weight: float) -> pd.DataFrame:
    """``hedge_values`` made from the published costs by scenario; bounds by the relative gap of the exact ones."""
    gap = {
        str(n): low / v if v else 1.0
        for n, v, low in zip(exact["value_of"], exact["yuan"], exact["low_yuan"], strict=True)
    }
    cost = {str(n): own for n, own in scenarios.groupby("plan")}
    one = cost[PLANS[0]]
    chance = one["probability"].to_numpy(dtype=float)
    found = {"wait_and_see": float(chance @ one["wait_and_see_yuan"].to_numpy(dtype=float))}
    found |= {n: float(chance @ cost[n]["cost_yuan"].to_numpy(dtype=float)) for n in PLANS}
    low = {n: v * gap[n] for n, v in found.items()}
    h, h_low = found["hedged"], low["hedged"]
    rows = [(n, v, low[n], v) for n, v in found.items()]
    rows.append(("evpi", h - found["wait_and_see"], h_low - found["wait_and_see"], h - low["wait_and_see"]))
    for name, other in (("vss", "mean_value"), ("saved_by_beginning", "wait")):
        rows.append((name, found[other] - h, low[other] - h, found[other] - h_low))
    for n in PLANS:
        rows.append((f"cvar_{n}", *(3 * (cvar(cost[n]["cost_yuan"].to_numpy(dtype=float), chance, alpha),))))
    table = pd.DataFrame(rows, columns=["value_of", "yuan", "low_yuan", "high_yuan"])
    table[["yuan", "low_yuan", "high_yuan"]] = table[["yuan", "low_yuan", "high_yuan"]].clip(lower=0).round(2)
    if risk_weight:
        table = table[~table["value_of"].isin(_WITH_RISK)]
    return pd.concat([table, exact[exact["value_of"].str.startswith("start_cost_")]], ignore_index=True)
