"""Tables of seat expansion under uncertainty: what to begin, what it is worth, what stays empty. Money in yuan.

``hedge_demand`` has every child drawn (a row per area, scenario, grade and year), for the audit; on disk a run keeps
:func:`hedge_children`, because the seed of the scenario draws the same children again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.hedge_province import (
    SHORT,
    empty_seats,
    evaluated,
    fresh_futures,
    inputs,
    names,
    scenarios,
    short,
    values,
    yuan,
)
from zjsim.models.hedge_sentences import advice, statements
from zjsim.models.hedge_solve import cvar, penalised, spent, start_cost
from zjsim.models.seat_data import STAGES, YUAN
from zjsim.models.seat_hedge import PLANS, AreaResult, HedgeResult


def hedge_tables(r: HedgeResult) -> dict[str, pd.DataFrame]:
    """All tables of a result by name, sorted by area, plan, scenario, year and stage."""
    fresh = fresh_futures(r)
    recourse = pd.concat([_recourse(a, plan) for a in r.areas for plan in _different(a)], ignore_index=True)
    tables = {
        "hedge_areas": pd.DataFrame([_area_row(a, r) for a in r.areas]),
        "hedge_plans": pd.DataFrame([row for a in r.areas for row in _plan_rows(a, r)]),
        "hedge_openings": pd.DataFrame([row for a in r.areas for row in _opening_rows(a)]),
        "hedge_values": values(r),
        "hedge_scenarios": scenarios(r),
        "hedge_evaluation": evaluated(fresh),
        "hedge_fresh": fresh,
        "hedge_empty_seats": empty_seats(r),
        "hedge_inputs": inputs(r),
        "hedge_recourse": recourse,
        "hedge_demand": pd.concat([_demand(a) for a in r.areas], ignore_index=True),
    }
    return {"hedge_statements": statements(tables, r.parameters.cvar_level), **tables}


def _different(a: AreaResult) -> list[str]:
    """Plans of an area whose openings of today differ from those before them."""
    seen: list[Any] = []
    found = []
    for plan in PLANS:
        if a.plan(plan).start not in seen:
            seen.append(a.plan(plan).start)
            found.append(plan)
    return found


def _area_row(a: AreaResult, r: HedgeResult) -> dict[str, Any]:
    h, p = a.hedge, r.tree.probability
    seen, low = float(p @ h.wait_and_see), float(p @ np.array([s.bound for s in h.seen]))
    regret = h.hedged.costs - h.wait_and_see
    begun = {f"{n}_{STAGES_OF[s]}": 0.0 for n in ("extension", "schools", "school_rooms") for s in (0, 1)}
    for name, s, _, value in h.hedged.start:
        begun[f"{name}_{STAGES_OF[s]}"] += value
    later = _later(a)
    saves = h.wait.value - h.hedged.value
    decision = "begin_now" if any(begun.values()) else "wait" if later > 0 else "enough"
    row = {
        **names(a),
        "decision": decision,
        **{f"now_{k}": round(v) for k, v in begun.items()},
        "start_cost_yuan": yuan(start_cost(a.area, h.hedged.start)),
        "mean_value_start_cost_yuan": yuan(start_cost(a.area, h.mean_start)),
        "p_later_building": round(later, 4),
        "expected_cost_yuan": yuan(float(p @ h.hedged.costs)),
        "objective_yuan": yuan(h.hedged.value),
        "bound_yuan": yuan(h.hedged.bound),
        "gap": round(h.hedged.gap, 8),
        "wait_and_see_yuan": yuan(seen),
        "evpi_yuan": yuan(max(0.0, h.hedged.value - seen)),
        "evpi_low_yuan": yuan(max(0.0, h.hedged.bound - seen)),
        "evpi_high_yuan": yuan(h.hedged.value - low),
        "vss_yuan": yuan(h.mean_value.value - h.hedged.value),
        "vss_low_yuan": yuan(max(0.0, h.mean_value.bound - h.hedged.value)),
        "vss_high_yuan": yuan(max(0.0, h.mean_value.value - h.hedged.bound)),
        "saved_by_beginning_yuan": yuan(saves),
        "worst_regret_yuan": yuan(float(regret.max())),
        "cvar_yuan": yuan(cvar(h.hedged.costs, p, r.parameters.cvar_level)),
        **{f"expected_{to}": round(float(p @ short(h.case, h.hedged, of)), 4) for of, to in SHORT.items()},
    }
    return row | advice(row, a.area.years, _first_later(a))


STAGES_OF = tuple(STAGES)


def _later(a: AreaResult) -> float:
    """Probability that the hedged plan opens rooms later on, decided at a review."""
    x = a.hedge.hedged.x
    rooms = x["extension"] + x["school_rooms"]
    for name, s, y, _ in a.hedge.hedged.start:
        if name != "schools":
            rooms[:, s, y] -= x[name][:, s, y]
    return float(a.hedge.case.tree.probability @ (rooms.sum(axis=(1, 2)) > 0.5))


def _first_later(a: AreaResult) -> int:
    """The first school year for which a later review opens rooms in some scenario (0: none)."""
    x, today = a.hedge.hedged.x, {(n, s, y) for n, s, y, _ in a.hedge.hedged.start}
    for y, year in enumerate(a.area.years):
        for name in ("extension", "school_rooms"):
            if any((name, s, y) not in today and x[name][:, s, y].max() > 0.5 for s in (0, 1)):
                return year
    return 0


def _plan_rows(a: AreaResult, r: HedgeResult) -> Iterator[dict[str, Any]]:
    p, case = r.tree.probability, a.hedge.case
    for plan in PLANS:
        s = a.plan(plan)
        money = {k: float(p @ v.sum(axis=(1, 2))) for k, v in spent(case, s.x).items()}
        yield {
            **names(a),
            "plan": plan,
            "start_cost_yuan": yuan(start_cost(a.area, s.start)),
            "expected_cost_yuan": yuan(float(p @ s.costs)),
            "objective_yuan": yuan(s.value),
            "bound_yuan": yuan(s.bound),
            "gap": round(s.gap, 8),
            **{f"expected_{k}_yuan": yuan(v) for k, v in money.items()},
            "expected_penalty_yuan": yuan(float(p @ penalised(case, s.x))),
            **{f"expected_{to}": round(float(p @ short(case, s, of)), 4) for of, to in SHORT.items()},
            "expected_overrun_yuan": yuan(float(p @ s.x["overrun"].sum(axis=1))),
            "cvar_yuan": yuan(cvar(s.costs, p, r.parameters.cvar_level)),
            "p_shortfall": round(float(p @ (short(case, s, "local_short") + short(case, s, "without") > 0.5)), 4),
        }


def _opening_rows(a: AreaResult) -> Iterator[dict[str, Any]]:
    """Openings of the hedged plan: today's, and by how many scenarios later ones are made."""
    area, x, p = a.area, a.hedge.hedged.x, a.hedge.case.tree.probability
    for kind, rooms in (("extension", "extension"), ("school", "school_rooms")):
        for s, stage in enumerate(STAGES):
            for y, year in enumerate(area.years):
                values = x[rooms][:, s, y]
                if values.max() < 0.5:
                    continue
                yield {
                    **names(a),
                    "kind": kind,
                    "stage": stage,
                    "year": year,
                    "review": area.review(kind, s, y),
                    "is_now": area.review(kind, s, y) == 0,
                    "p_opened": round(float(p @ (values > 0.5)), 4),
                    "rooms_mean": round(float(p @ values), 4),
                    "rooms_least": round(float(values.min())),
                    "rooms_most": round(float(values.max())),
                }


def _recourse(a: AreaResult, plan: str) -> pd.DataFrame:
    """Every decision of a plan by scenario, stage and year."""
    s, case = a.plan(plan), a.hedge.case
    shape = s.x["classes"].shape
    k, stage, y = (i.ravel() for i in np.indices(shape))
    money = spent(case, s.x)
    return pd.DataFrame(
        {
            "area_code": a.area.code,
            "plan": plan,
            "scenario": k + 1,
            "year": np.array(a.area.years)[y],
            "stage": np.array(STAGES_OF, dtype=object)[stage],
            **{f"{n}": np.rint(s.x[n].ravel()).astype(int) for n in ("extension", "schools", "school_rooms")},
            "classes": np.rint(s.x["classes"].ravel()).astype(int),
            **{n: np.round(s.x[n].ravel(), 6) for n in ("short", "local_short", "bought", "without", "other")},
            **{f"{n}_yuan": np.round(v.ravel() * YUAN, 2) for n, v in money.items()},
            "share_fall": np.round(np.repeat(s.x["fall"][:, None], 2, axis=1).ravel() / 2, 6),
            "overrun_yuan": np.round(np.repeat(s.x["overrun"][:, None], 2, axis=1).ravel() * YUAN / 2, 2),
        }
    )


def _demand(a: AreaResult) -> pd.DataFrame:
    """Children of every scenario, as drawn."""
    d = a.hedge.case.demand
    k, g, y = (i.ravel() for i in np.indices(d.local.shape))
    columns = {"local": d.local, "migrant": d.migrant, "guaranteed": d.covered}
    return pd.DataFrame(
        {"area_code": a.area.code, "scenario": k + 1, "year": np.array(a.area.years)[y], "grade": g + 1}
        | {n: v.ravel().astype(int) for n, v in columns.items()}
    )


def hedge_children(demand: pd.DataFrame) -> pd.DataFrame:
    """The children drawn, over the scenarios: least, mean and most by area, stage and year (the seed draws them again).

    ``demand`` is the table ``hedge_demand``; its scenarios are equally likely.
    """
    kinds = ["local", "migrant", "guaranteed"]
    stage = pd.Series(np.where(demand["grade"] <= 6, "primary", "junior"), index=demand.index, name="stage")
    sums = demand.groupby([demand["area_code"], stage, demand["year"], demand["scenario"]])[kinds].sum()
    over = sums.groupby(level=["area_code", "stage", "year"])
    columns: dict[str, pd.Series] = {}
    for kind in kinds:
        columns |= {f"{kind}_least": over[kind].min(), f"{kind}_mean": over[kind].mean().round(2)}
        columns[f"{kind}_most"] = over[kind].max()
    table = pd.DataFrame(columns).reset_index()
    order = table["stage"].map({s: i for i, s in enumerate(STAGES)})
    return table.assign(order=order).sort_values(["area_code", "order", "year"]).drop(columns="order")
