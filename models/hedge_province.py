"""Hedge tables of the province: values, scenarios, fresh futures, empty seats, inputs. Money in yuan."""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from zjsim.models.hedge_data import Case, Floats
from zjsim.models.hedge_solve import Solved, cvar, spent, start_cost
from zjsim.models.seat_data import STAGES, YUAN
from zjsim.models.seat_hedge import PLANS, AreaResult, HedgeResult

SHORT = {"local_short": "local_short", "without": "without_place", "fall": "share_fall"}
LOW_SHARE = 0.25
"""The scenarios with the fewest children of later births, by probability, in which over-building shows."""


def names(a: AreaResult) -> dict[str, str]:
    """Codes and names of an area, the first columns of its rows."""
    return {"area_code": a.area.code, "county_code": a.area.county_code, "county_zh": a.area.name_zh,
            "county_en": a.area.name_en}  # fmt: skip


def short(case: Case, s: Solved, name: str) -> Floats:
    """Child-years of a shortfall by scenario."""
    values = s.x[name]
    return np.asarray(values.sum(axis=tuple(range(1, values.ndim))))


def building(case: Case, s: Solved) -> Floats:
    """What building, equipment and added classes cost by scenario, their overrun included (10,000 yuan)."""
    money = spent(case, s.x)
    yearly = (money["capital"] + money["equip"] + money["running"]).sum(axis=1)
    over = np.maximum(0.0, yearly - case.area.budget)
    return np.asarray((yearly + case.penalties.overrun * over).sum(axis=1))


def summed(arrays: Iterable[Floats]) -> Floats:
    """The sum over areas, by scenario."""
    return np.asarray(np.sum(np.stack(list(arrays)), axis=0), dtype=np.float64)


def yuan(value: float) -> float:
    """10,000 yuan as yuan, to the cent."""
    return round(float(value) * YUAN, 2)


def total_costs(r: HedgeResult, plan: str) -> Floats:
    """Cost of a plan in all areas together, by scenario (10,000 yuan)."""
    return np.asarray(sum(a.plan(plan).costs for a in r.areas), dtype=float)


def values(r: HedgeResult) -> pd.DataFrame:
    """The province: each value with what the solver's gap leaves open."""
    p, alpha = r.tree.probability, r.parameters.cvar_level

    def total(plan: str, what: str) -> float:
        return float(fsum(getattr(a.plan(plan), what) for a in r.areas))

    seen = float(fsum(p @ a.hedge.wait_and_see for a in r.areas))
    seen_bound = float(fsum(p @ np.array([s.bound for s in a.hedge.seen]) for a in r.areas))
    rp, rp_bound = total("hedged", "value"), total("hedged", "bound")
    if np.isfinite(r.cap_bound):
        rp_bound = min(rp, r.cap_bound)
    eev, eev_bound = total("mean_value", "value"), total("mean_value", "bound")
    wait, wait_bound = total("wait", "value"), total("wait", "bound")
    rows = [
        ("wait_and_see", seen, seen_bound, seen),
        ("hedged", rp, rp_bound, rp),
        ("mean_value", eev, eev_bound, eev),
        ("wait", wait, wait_bound, wait),
        ("evpi", rp - seen, max(0.0, rp_bound - seen), rp - seen_bound),
        ("vss", eev - rp, max(0.0, eev_bound - rp), max(0.0, eev - rp_bound)),
        ("saved_by_beginning", wait - rp, max(0.0, wait_bound - rp), max(0.0, wait - rp_bound)),
        *((f"cvar_{plan}", *(3 * (cvar(total_costs(r, plan), p, alpha),))) for plan in PLANS),
        *((f"start_cost_{n}", *(3 * (fsum(start_cost(a.area, a.plan(n).start) for a in r.areas),))) for n in PLANS[:2]),
    ]
    table = pd.DataFrame([(n, *(yuan(v) for v in vs)) for n, *vs in rows], columns=["value_of", "yuan", "low", "high"])
    return table.rename(columns={"low": "low_yuan", "high": "high_yuan"})


def scenarios(r: HedgeResult) -> pd.DataFrame:
    """The province by scenario and plan: cost, regret against hindsight, shortfall."""
    seen = np.asarray(sum(a.hedge.wait_and_see for a in r.areas))
    seen_built = summed(np.concatenate([building(a.hedge.case, s) for s in a.hedge.seen]) for a in r.areas)
    born = later_children(r)
    low = low_births(r)
    rows = []
    for plan in PLANS:
        cost = total_costs(r, plan)
        built = summed(building(a.hedge.case, a.plan(plan)) for a in r.areas)
        lost = {to: summed(short(a.hedge.case, a.plan(plan), of) for a in r.areas) for of, to in SHORT.items()}
        for k in range(r.tree.leaves):
            rows.append(
                {
                    "plan": plan,
                    "scenario": k + 1,
                    "probability": float(r.tree.probability[k]),
                    "node_first_review": int(r.tree.nodes(1)[k]) + 1,
                    "entrants_later_births": round(float(born[k])),
                    "is_low_births": bool(low[k]),
                    "cost_yuan": yuan(cost[k]),
                    "wait_and_see_yuan": yuan(seen[k]),
                    "regret_yuan": yuan(cost[k] - seen[k]),
                    "building_yuan": yuan(built[k]),
                    "seen_building_yuan": yuan(seen_built[k]),
                    **{to: round(float(v[k]), 2) for to, v in lost.items()},
                }
            )
    return pd.DataFrame(rows)


def later_children(r: HedgeResult) -> Floats:
    """Entrants of grade 1 whose births were not known in 2023, by scenario (grade 1 from the school year 2030)."""
    total = np.zeros(r.tree.leaves)
    for a in r.areas:
        late = [y for y, year in enumerate(a.area.years) if year >= 2030]
        d = a.hedge.case.demand
        total += (d.local + d.migrant)[:, 0, late].sum(axis=1)
    return total


def low_births(r: HedgeResult) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The scenarios with the fewest such entrants, up to :data:`LOW_SHARE` of the probability."""
    order = np.argsort(later_children(r), kind="stable")
    before = np.concatenate([[0.0], np.cumsum(r.tree.probability[order])[:-1]])
    found = np.zeros(r.tree.leaves, dtype=bool)
    found[order[before < LOW_SHARE - 1e-9]] = True
    return found


def fresh_futures(r: HedgeResult) -> pd.DataFrame:
    """The province in every fresh future: its branch at the first review, cost and shortfall of each plan."""
    rows, branch = [], r.fresh.tree.nodes(1)
    for plan in PLANS:
        cost = sum(a.fresh[plan].costs for a in r.areas)
        lost = {to: summed(short(a.hedge.case, a.fresh[plan], of) for a in r.areas) for of, to in SHORT.items()}
        built = summed(building(a.hedge.case, a.fresh[plan]) for a in r.areas)
        rows += [
            {"plan": plan, "future": k + 1, "branch": int(branch[k]) + 1, "cost_yuan": yuan(c)}
            | {"building_yuan": yuan(built[k])}
            | {to: round(float(v[k]), 2) for to, v in lost.items()}
            for k, c in enumerate(np.asarray(cost).tolist())
        ]
    return pd.DataFrame(rows)


def evaluated(fresh: pd.DataFrame) -> pd.DataFrame:
    """Means with their 95 % t-interval (simulation error: the branches are independent), and the futures' spread."""
    rows = []
    base = fresh[fresh["plan"] == "hedged"].reset_index(drop=True)
    for plan in PLANS:
        t = fresh[fresh["plan"] == plan].reset_index(drop=True)
        measures = {c: t[c] for c in ("cost_yuan", *SHORT.values()) if c in t}
        if plan != "hedged":
            measures["cost_above_hedged_yuan"] = t["cost_yuan"] - base["cost_yuan"]
        for what, v in measures.items():
            means = v.groupby(t["branch"]).mean().to_numpy(float)
            half = float(stats.t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means)))
            p05, p50, p95 = np.quantile(v.to_numpy(float), [0.05, 0.5, 0.95])
            numbers = {"mean": v.mean(), "mean_low": v.mean() - half, "mean_high": v.mean() + half,
                       "p05": p05, "p50": p50, "p95": p95}  # fmt: skip
            row: dict[str, Any] = {"plan": plan, "measure": what, "branches": len(means), "futures": len(v)}
            rows.append(row | {k: round(float(n), 2) for k, n in numbers.items()})
    return pd.DataFrame(rows)


def empty_seats(r: HedgeResult) -> pd.DataFrame:
    """Rooms opened (today and later) that stand idle, by area, year and group of scenarios; zeros left out."""
    low = low_births(r)
    groups = {"all": np.ones(r.tree.leaves, dtype=bool), "low_births": low, "other": ~low}
    rows = []
    for a in r.areas:
        x, area = a.hedge.hedged.x, a.area
        built = np.cumsum(x["extension"] + x["school_rooms"], axis=2)
        idle = np.minimum(built, area.rooms[:, None] + built - x["classes"])
        price = (area.extension_cost[:, None], area.school_cost[:, None])
        paid = np.cumsum(x["extension"] * price[0] + x["school_rooms"] * price[1], axis=2)
        each = np.divide(paid, built, out=np.zeros_like(paid), where=built > 0)
        for name, chosen in groups.items():
            p = r.tree.probability * chosen
            if not p.sum():
                continue
            p = p / p.sum()
            for s, stage in enumerate(STAGES):
                for y, year in enumerate(area.years):
                    if not (built[chosen, s, y] > 0).any():
                        continue
                    rows.append(
                        {
                            **names(a),
                            "scenarios": name,
                            "stage": stage,
                            "year": year,
                            "rooms_opened": round(float(p @ built[:, s, y]), 4),
                            "rooms_idle": round(float(p @ idle[:, s, y]), 4),
                            "seats_empty": round(float(p @ idle[:, s, y]) * float(area.seats[s]), 2),
                            "idle_capital_yuan": yuan(float(p @ (idle * each)[:, s, y])),
                        }
                    )
    columns = ["area_code", "county_code", "county_zh", "county_en", "scenarios", "stage", "year", "rooms_opened",
               "rooms_idle", "seats_empty", "idle_capital_yuan"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def inputs(r: HedgeResult) -> pd.DataFrame:
    """Which uncertain number moves the cost: fresh futures in the lowest and highest third of its province part."""
    cost = np.asarray(sum(a.fresh["hedged"].costs for a in r.areas), dtype=float)
    rows = []
    for number in r.fresh.numbers:
        z = r.fresh.province(number, len(r.areas[0].area.years) if r.areas else 1)
        order = np.argsort(z, kind="stable")
        third = max(1, len(order) // 3)
        low, high = cost[order[:third]].mean(), cost[order[-third:]].mean()
        rows.append(
            {
                "uncertainty_id": number.name,
                "low": number.low,
                "mode": number.mode,
                "high": number.high,
                "cost_low_third_yuan": yuan(float(low)),
                "cost_high_third_yuan": yuan(float(high)),
                "difference_yuan": yuan(float(high - low)),
                "rank_correlation": round(float(stats.spearmanr(z, cost).statistic), 4) if cost.std() else 0.0,
            }
        )
    return pd.DataFrame(rows)
