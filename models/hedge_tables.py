"""Tables of seat expansion under uncertainty: what to begin, what it is worth, what stays empty. Money in yuan.

``hedge_demand`` has every child drawn (a row per area, scenario, grade and year), for the audit; on disk a run keeps
:func:`hedge_children`, because the seed of the scenario draws the same children again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from zjsim.models.hedge_data import Case, Floats
from zjsim.models.hedge_sentences import advice
from zjsim.models.hedge_solve import Solved, cvar, penalised, spent, start_cost
from zjsim.models.seat_data import STAGES, YUAN
from zjsim.models.seat_hedge import PLANS, AreaResult, HedgeResult

SHORT = {"local_short": "local_short", "without": "without_place", "fall": "share_fall"}
LOW_SHARE = 0.25
"""The scenarios with the fewest children of later births, by probability, in which over-building shows."""


def hedge_tables(r: HedgeResult) -> dict[str, pd.DataFrame]:
    """All tables of a result by name, sorted by area, plan, scenario, year and stage."""
    recourse = pd.concat([_recourse(a, plan) for a in r.areas for plan in _different(a)], ignore_index=True)
    return {
        "hedge_areas": pd.DataFrame([_area_row(a, r) for a in r.areas]),
        "hedge_plans": pd.DataFrame([row for a in r.areas for row in _plan_rows(a, r)]),
        "hedge_openings": pd.DataFrame([row for a in r.areas for row in _opening_rows(a)]),
        "hedge_values": _values(r),
        "hedge_scenarios": _scenarios(r),
        "hedge_evaluation": _evaluation(r),
        "hedge_fresh": _fresh(r),
        "hedge_empty_seats": _empty_seats(r),
        "hedge_inputs": _inputs(r),
        "hedge_recourse": recourse,
        "hedge_demand": pd.concat([_demand(a) for a in r.areas], ignore_index=True),
    }


def _names(a: AreaResult) -> dict[str, str]:
    return {"area_code": a.area.code, "county_code": a.area.county_code, "county_zh": a.area.name_zh,
            "county_en": a.area.name_en}  # fmt: skip


def _different(a: AreaResult) -> list[str]:
    """Plans of an area whose openings of today differ from those before them."""
    seen: list[Any] = []
    found = []
    for plan in PLANS:
        if a.plan(plan).start not in seen:
            seen.append(a.plan(plan).start)
            found.append(plan)
    return found


def _short(case: Case, s: Solved, name: str) -> Floats:
    """Child-years of a shortfall by scenario."""
    values = s.x[name]
    return np.asarray(values.sum(axis=tuple(range(1, values.ndim))))


def _summed(arrays: Iterable[Floats]) -> Floats:
    """The sum over areas, by scenario."""
    return np.asarray(np.sum(np.stack(list(arrays)), axis=0), dtype=np.float64)


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
        **_names(a),
        "decision": decision,
        **{f"now_{k}": round(v) for k, v in begun.items()},
        "start_cost_yuan": _yuan(start_cost(a.area, h.hedged.start)),
        "mean_value_start_cost_yuan": _yuan(start_cost(a.area, h.mean_start)),
        "p_later_building": round(later, 4),
        "expected_cost_yuan": _yuan(float(p @ h.hedged.costs)),
        "objective_yuan": _yuan(h.hedged.value),
        "bound_yuan": _yuan(h.hedged.bound),
        "gap": round(h.hedged.gap, 8),
        "wait_and_see_yuan": _yuan(seen),
        "evpi_yuan": _yuan(max(0.0, h.hedged.value - seen)),
        "evpi_low_yuan": _yuan(max(0.0, h.hedged.bound - seen)),
        "evpi_high_yuan": _yuan(h.hedged.value - low),
        "vss_yuan": _yuan(h.mean_value.value - h.hedged.value),
        "vss_low_yuan": _yuan(max(0.0, h.mean_value.bound - h.hedged.value)),
        "vss_high_yuan": _yuan(max(0.0, h.mean_value.value - h.hedged.bound)),
        "saved_by_beginning_yuan": _yuan(saves),
        "worst_regret_yuan": _yuan(float(regret.max())),
        "cvar_yuan": _yuan(cvar(h.hedged.costs, p, r.parameters.cvar_level)),
        **{f"expected_{to}": round(float(p @ _short(h.case, h.hedged, of)), 4) for of, to in SHORT.items()},
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
            **_names(a),
            "plan": plan,
            "start_cost_yuan": _yuan(start_cost(a.area, s.start)),
            "expected_cost_yuan": _yuan(float(p @ s.costs)),
            "objective_yuan": _yuan(s.value),
            "bound_yuan": _yuan(s.bound),
            "gap": round(s.gap, 8),
            **{f"expected_{k}_yuan": _yuan(v) for k, v in money.items()},
            "expected_penalty_yuan": _yuan(float(p @ penalised(case, s.x))),
            **{f"expected_{to}": round(float(p @ _short(case, s, of)), 4) for of, to in SHORT.items()},
            "expected_overrun_yuan": _yuan(float(p @ s.x["overrun"].sum(axis=1))),
            "cvar_yuan": _yuan(cvar(s.costs, p, r.parameters.cvar_level)),
            "p_shortfall": round(float(p @ (_short(case, s, "local_short") + _short(case, s, "without") > 0.5)), 4),
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
                    **_names(a),
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


def _sum(r: HedgeResult, plan: str) -> Floats:
    return np.asarray(sum(a.plan(plan).costs for a in r.areas), dtype=float)


def _values(r: HedgeResult) -> pd.DataFrame:
    """The province: each value with what the solver's gap leaves open."""
    p, alpha = r.tree.probability, r.parameters.cvar_level

    def total(plan: str, what: str) -> float:
        return float(sum(getattr(a.plan(plan), what) for a in r.areas))

    seen = float(sum(p @ a.hedge.wait_and_see for a in r.areas))
    seen_bound = float(sum(p @ np.array([s.bound for s in a.hedge.seen]) for a in r.areas))
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
        *((f"cvar_{plan}", *(3 * (cvar(_sum(r, plan), p, alpha),))) for plan in PLANS),
        *((f"start_cost_{n}", *(3 * (sum(start_cost(a.area, a.plan(n).start) for a in r.areas),))) for n in PLANS[:2]),
    ]
    table = pd.DataFrame([(n, *(_yuan(v) for v in vs)) for n, *vs in rows], columns=["value_of", "yuan", "low", "high"])
    return table.rename(columns={"low": "low_yuan", "high": "high_yuan"})


def _scenarios(r: HedgeResult) -> pd.DataFrame:
    """The province by scenario and plan: cost, regret against hindsight, shortfall."""
    seen = np.asarray(sum(a.hedge.wait_and_see for a in r.areas))
    born = later_children(r)
    low = low_births(r)
    rows = []
    for plan in PLANS:
        cost = _sum(r, plan)
        lost = {to: _summed(_short(a.hedge.case, a.plan(plan), of) for a in r.areas) for of, to in SHORT.items()}
        for k in range(r.tree.leaves):
            rows.append(
                {
                    "plan": plan,
                    "scenario": k + 1,
                    "probability": float(r.tree.probability[k]),
                    "node_first_review": int(r.tree.nodes(1)[k]) + 1,
                    "entrants_later_births": round(float(born[k])),
                    "is_low_births": bool(low[k]),
                    "cost_yuan": _yuan(cost[k]),
                    "wait_and_see_yuan": _yuan(seen[k]),
                    "regret_yuan": _yuan(cost[k] - seen[k]),
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


def _fresh(r: HedgeResult) -> pd.DataFrame:
    """The province in every fresh future: its branch at the first review, cost and shortfall of each plan."""
    rows, branch = [], r.fresh.tree.nodes(1)
    for plan in PLANS:
        cost = sum(a.fresh[plan].costs for a in r.areas)
        lost = {to: _summed(_short(a.hedge.case, a.fresh[plan], of) for a in r.areas) for of, to in SHORT.items()}
        rows += [
            {"plan": plan, "future": k + 1, "branch": int(branch[k]) + 1, "cost_yuan": _yuan(c)}
            | {to: round(float(v[k]), 2) for to, v in lost.items()}
            for k, c in enumerate(np.asarray(cost).tolist())
        ]
    return pd.DataFrame(rows)


def _evaluation(r: HedgeResult) -> pd.DataFrame:
    """Means with their 95 % t-interval (simulation error: the branches are independent), and the futures' spread."""
    fresh, rows = _fresh(r), []
    base = fresh[fresh["plan"] == "hedged"].reset_index(drop=True)
    for plan in PLANS:
        t = fresh[fresh["plan"] == plan].reset_index(drop=True)
        measures = {c: t[c] for c in ("cost_yuan", *SHORT.values())}
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


def _empty_seats(r: HedgeResult) -> pd.DataFrame:
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
                            **_names(a),
                            "scenarios": name,
                            "stage": stage,
                            "year": year,
                            "rooms_opened": round(float(p @ built[:, s, y]), 4),
                            "rooms_idle": round(float(p @ idle[:, s, y]), 4),
                            "seats_empty": round(float(p @ idle[:, s, y]) * float(area.seats[s]), 2),
                            "idle_capital_yuan": _yuan(float(p @ (idle * each)[:, s, y])),
                        }
                    )
    columns = ["area_code", "county_code", "county_zh", "county_en", "scenarios", "stage", "year", "rooms_opened",
               "rooms_idle", "seats_empty", "idle_capital_yuan"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _inputs(r: HedgeResult) -> pd.DataFrame:
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
                "cost_low_third_yuan": _yuan(float(low)),
                "cost_high_third_yuan": _yuan(float(high)),
                "difference_yuan": _yuan(float(high - low)),
                "rank_correlation": round(float(stats.spearmanr(z, cost).statistic), 4) if cost.std() else 0.0,
            }
        )
    return pd.DataFrame(rows)


def _yuan(value: float) -> float:
    return round(float(value) * YUAN, 2)
