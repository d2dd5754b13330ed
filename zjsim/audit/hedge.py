"""Re-check of seat expansion under uncertainty from its tables and the registries alone; nothing of the models is used.

Children are compared within 0.01, classes and rooms exactly, money within 20 yuan a row (100 a scenario). Children
without a public seat are exactly those whom the classes leave out, neither fewer nor more: no usable seat stays empty
while a child of its grade has a claim to it (M112).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zjsim.audit.finding import Finding, finding

Tables = Mapping[str, pd.DataFrame]
Floats = NDArray[np.float64]
TABLES = ("hedge_areas", "hedge_plans", "hedge_values", "hedge_scenarios", "hedge_recourse", "hedge_demand")
STAGES = {"primary": range(6), "junior": range(6, 9)}
_GUARANTEED = {
    "permit_holders": "permit_holders",
    "county_rule": "eligible_children",
    "all_residents": "migrant_children",
}
_KEY = "hedge.audit."
_CHILDREN, _YUAN, _TOTAL = 0.01, 20.0, 100.0
_MOST = 20
KNOWN_BIRTHS, SCHOOL_AGE = 2023, 6
"""Births are published up to this year; their children enter grade 1 that many years later."""


def check(plan: Tables, tables: Tables, parameters: Any) -> list[Finding]:
    """Every rule that the tables of ``zjsim hedge`` break; empty when none."""
    gone = [name for name in TABLES if name not in plan]
    if gone:
        return [finding("hedge_table_missing", _KEY + "table_missing", table=name) for name in gone]
    audit = _Audit(plan, tables, parameters)
    found: list[Finding] = []
    for listed in (list(audit.demand()), list(audit.decisions()), list(audit.totals())):
        found += _shortened(listed)
    return found


def _shortened(listed: list[Finding]) -> list[Finding]:
    by_rule: dict[str, list[Finding]] = {}
    for f in listed:
        by_rule.setdefault(f.rule, []).append(f)
    kept: list[Finding] = []
    for rule, found in by_rule.items():
        kept += found[:_MOST]
        if len(found) > _MOST:
            kept.append(finding(rule, _KEY + "shortened", name=rule, count=len(found) - _MOST))
    return kept


def _at(rule: str, **values: object) -> Finding:
    return finding(f"hedge_{rule}", _KEY + rule, **values)


class _Audit:
    """The tables as arrays, area by area, and what must hold of them."""

    def __init__(self, plan: Tables, tables: Tables, parameters: Any) -> None:
        self.plan, self.tables, self.p = plan, tables, parameters
        self.leaves = prod(parameters.hedge.branching)
        time = parameters.time
        self.years = list(range(time.as_of.year + 1, time.seat_horizon + 1))
        self.areas = sorted(plan["hedge_areas"]["area_code"])
        scenarios = plan["hedge_scenarios"]
        hedged = scenarios[scenarios["plan"] == "hedged"].sort_values("scenario")
        self.probability = hedged["probability"].to_numpy(dtype=float)
        keys = ["area_code", "scenario", "grade", "year"]
        self._demand = dict(iter(plan["hedge_demand"].sort_values(keys).groupby("area_code", sort=True)))
        self._recourse = dict(iter(plan["hedge_recourse"].groupby(["area_code", "plan"], sort=True)))
        self.costs: dict[tuple[str, str], Floats] = {}

    def children(self, code: str, name: str) -> Floats:
        """Children by scenario, grade and year."""
        values = self._demand[code][name].to_numpy(dtype=float)
        return values.reshape(self.leaves, 9, len(self.years))

    def nodes(self, review: int) -> NDArray[np.int64]:
        """The node of each scenario at a review (0: today)."""
        at = prod(self.p.hedge.branching[:review])
        return np.asarray(np.arange(self.leaves) * at // self.leaves, dtype=np.int64)

    def same(self, values: Floats, review: int) -> bool:
        """Whether the first axis of ``values`` is equal within every node of a review."""
        nodes = self.nodes(review)
        first = np.searchsorted(nodes, nodes)
        return bool(np.abs(values - values[first]).max(initial=0.0) <= _CHILDREN)

    def demand(self) -> Iterator[Finding]:
        """Children: complete, sensible, those of known births as registered, equal where nothing tells them apart."""
        if abs(self.probability.sum() - 1) > 1e-9:
            yield _at("probability", value=round(float(self.probability.sum()), 6))
        base = self.tables["seat_demand"]
        base = base[base["year"].isin(self.years)].sort_values(["county_code", "grade", "year"])
        local = {c: t["local_children"].to_numpy(float).reshape(9, -1) for c, t in base.groupby("county_code")}
        county = dict(zip(*(self.plan["hedge_areas"][c] for c in ("area_code", "county_code")), strict=True))
        entry = np.array([[y - g for y in self.years] for g in range(9)])
        for code in self.areas:
            n = 0 if code not in self._demand else len(self._demand[code])
            if n != self.leaves * 9 * len(self.years):
                yield _at("rows", item=f"hedge_demand {code}", value=n, expected=self.leaves * 9 * len(self.years))
                continue
            own, migrant, claim = (self.children(code, c) for c in ("local", "migrant", "guaranteed"))
            if (claim > migrant).any() or min(own.min(), claim.min()) < 0:
                yield _at("demand_order", item=code)
            # Children at school before the first year of the plan: births and entry are known.
            known = entry < self.years[0]
            if code == county[code] and code in local:
                for g, y in zip(*np.nonzero(known), strict=True):
                    wrong = own[:, g, y] != local[code][g, y]
                    if wrong.any():
                        where = f"{code} {self.years[y]} {g + 1}"
                        yield _at("known_births", item=where, value=own[wrong, g, y][0], expected=local[code][g, y])
            for j, year in enumerate(self.years):
                if not all(self.same(v[:, :, j], min(j + 1, 99)) for v in (own, migrant, claim)):
                    yield _at("demand_known", item=f"{code} {year}")

    def decisions(self) -> Iterator[Finding]:
        """Every rule of the formulation, for every area and every plan that is written out."""
        for (code, name), t in self._recourse.items():
            n = self.leaves * 2 * len(self.years)
            if len(t) != n or code not in self._demand:
                yield _at("rows", item=f"hedge_recourse {code} {name}", value=len(t), expected=n)
                continue
            order = t["stage"].map({"primary": 0, "junior": 1})
            t = t.assign(order=order).sort_values(["scenario", "order", "year"])
            x = {c: t[c].to_numpy(dtype=float).reshape(self.leaves, 2, -1) for c in t.columns
                 if c not in ("area_code", "plan", "stage", "scenario", "year", "order")}  # fmt: skip
            yield from self._one(str(code), str(name), x)

    def _options(self, code: str) -> list[dict[Any, Any]]:
        table = self.tables["seat_options"]
        rows = {r["stage"]: r for r in table[table["county_code"] == code].to_dict("records")}
        return [rows[s] for s in STAGES]

    @staticmethod
    def _room_m2(o: Mapping[Any, Any]) -> float:
        """Ground that a class needs by the norm (m²); 0 where the norm is not known."""
        each = float(o["usable_seats_per_class"]) * float(o["site_m2_per_pupil"])
        return 0.0 if np.isnan(each) else each

    def _free_m2(self, code: str, stage: str, o: Mapping[Any, Any]) -> float:
        """Ground that the norm leaves free in the county's zones, within a room a zone (m², infinite if not known)."""
        site, each = _known(o["site_m2"]), self._room_m2(o)
        zones = self.tables["seat_zones"]
        here = zones[(zones["county_code"] == code) & (zones["stage"] == stage)]
        if not np.isfinite(site) or here.empty:
            return site - (float(o["classrooms"]) - 1) * each
        ground = here["share_site"].fillna(here["share_classrooms"]) * site
        free = ground - (here["share_classrooms"] * float(o["classrooms"]) - 1) * each
        return float(free.clip(lower=0).sum())

    def _one(self, code: str, name: str, x: dict[str, Floats]) -> Iterator[Finding]:
        options, years = self._options(code), self.years
        own, migrant, claim = (self.children(code, c) for c in ("local", "migrant", "guaranteed"))
        capacity = self.tables["seat_capacity"]
        capacity = capacity[capacity["county_code"] == code]
        as_of = self.p.time.as_of
        money = np.zeros((self.leaves, len(years)))
        covered = np.zeros_like(x["short"])
        for s, (stage, grades) in enumerate(STAGES.items()):
            o, g = options[s], list(grades)
            seats = float(o["usable_seats_per_class"])
            first = own[:, g] + claim[:, g]
            covered[:, s] = claim[:, g].sum(axis=1)
            classes = x["classes"][:, s]
            short = first.sum(axis=1) - _seated(first, seats, classes)
            rooms = o["classrooms"] + np.cumsum(x["extension"][:, s] + x["school_rooms"][:, s], axis=1)
            there = [o["staff_available"] * (1 + o["staff_growth_per_year"]) ** (y - as_of.year) for y in years]
            at_stage = capacity[capacity["grade"].isin([v + 1 for v in g])]
            private = at_stage.groupby("year")["private_places"].sum().reindex(years, fill_value=0).to_numpy(float)
            base = float(at_stage.loc[at_stage["year"] == as_of.year, "public_classes"].sum())
            cap = np.minimum(float(o["purchase_places_max"]), private)
            lost = x["local_short"][:, s] + x["bought"][:, s] + x["without"][:, s]
            further = _further(first, (migrant - claim)[:, g], seats, classes)
            ext, school, rooms_new = x["extension"][:, s], x["schools"][:, s], x["school_rooms"][:, s]
            broken = (
                ("places", np.abs(lost - x["short"][:, s]) > _CHILDREN),
                ("local_first", x["local_short"][:, s] < x["short"][:, s] - covered[:, s] - _CHILDREN),
                ("empty_seats", x["other"][:, s] > further + _CHILDREN),
                ("rooms", classes > rooms),
                ("staff", classes * o["staff_per_class"] > np.array(there) + 1e-4),
                ("purchase_cap", x["bought"][:, s] > np.minimum(cap, covered[:, s]) + _CHILDREN),
                ("size", (ext > 0) & (ext < o["extension_rooms_min"])),
                ("size", np.cumsum(ext, axis=1) > o["extension_rooms_max"]),
                ("size", (rooms_new < school * o["school_rooms_min"]) | (rooms_new > school * o["school_rooms_max"])),
                ("size", np.cumsum(school, axis=1) > o["school_sites"]),
                ("site", np.cumsum(ext, axis=1) * self._room_m2(o) > self._free_m2(code, stage, o) + 0.5),
                ("site", rooms_new * self._room_m2(o) > school * _known(o["new_site_m2"]) + 0.5),
            )
            for rule, wrong in broken:
                for k, y in zip(*np.nonzero(wrong), strict=True):
                    yield _at(rule, item=f"{code} {name} {k + 1} {years[y]} {stage}")
            for k, y in zip(*np.nonzero(np.abs(short - x["short"][:, s]) > _CHILDREN), strict=True):
                yield _at("seats_missing", item=f"{code} {name} {k + 1} {years[y]} {stage}",
                          expected=_said(short[k, y]), value=_said(x["short"][k, s, y]))  # fmt: skip
            yield from self._times(code, name, s, o, x)
            opened = np.maximum(0.0, np.diff(classes, axis=1, prepend=base))
            capital = _paid(ext, o["extension_yuan_per_room"], o["extension_lead_months"])
            capital += _paid(rooms_new, o["school_yuan_per_room"], o["school_lead_months"])
            again = {
                "capital_yuan": capital,
                "equip_yuan": opened * o["equip_yuan_per_class"],
                "running_yuan": np.maximum(0.0, classes - base) * o["running_yuan_per_class"],
                "purchase_yuan": x["bought"][:, s] * o["purchase_yuan_per_place"],
            }
            for what, value in again.items():
                money += value
                for k, y in zip(*np.nonzero(np.abs(value - x[what][:, s]) > _YUAN), strict=True):
                    yield _at("money", item=f"{code} {name} {k + 1} {years[y]} {stage} {what}",
                              expected=_said(value[k, y]), value=_said(x[what][k, s, y]))  # fmt: skip
        yield from self._yearly(code, name, x, covered, migrant.sum(axis=1), money)

    def _times(self, code: str, name: str, s: int, o: Mapping[Any, Any], x: dict[str, Floats]) -> Iterator[Finding]:
        """Lead times, and decisions that scenarios share until they can be told apart."""
        as_of = self.p.time.as_of
        for what, months in (
            ("extension", o["extension_lead_months"]),
            ("schools", o["school_lead_months"]),
            ("school_rooms", o["school_lead_months"]),
        ):
            for y, year in enumerate(self.years):
                # Months from the as-of date to 1 September; whole years of them beyond the lead time can wait.
                spare = (year - as_of.year) * 12 + 8 - as_of.month - int(months)
                values = x[what][:, s, y]
                if spare < 0 and values.any():
                    yield _at("lead_time", item=f"{code} {name} {year} {what}")
                if not self.same(values, max(0, spare // 12)):
                    yield _at("nonanticipativity", item=f"{code} {name} {year} {what}")
        for what in ("classes", "other", "bought"):
            for y, year in enumerate(self.years):
                if not self.same(x[what][:, s, y], y + 1):
                    yield _at("nonanticipativity", item=f"{code} {name} {year} {what}")

    def _yearly(
        self, code: str, name: str, x: dict[str, Floats], covered: Floats, migrants: Floats, money: Floats
    ) -> Iterator[Finding]:
        """Falls of the public share, overruns, and the cost of each scenario."""
        h = self.p.hedge
        public = (covered - x["bought"] - x["without"] + x["other"]).sum(axis=1)
        counted = public + (x["bought"].sum(axis=1) if self.p.seats.public_share_reading == "with_purchased" else 0.0)
        shares = self.tables["migrant_calibration"].set_index("county_code")["public_share"]
        share = np.divide(counted, migrants, out=np.ones_like(counted), where=migrants > 0)
        before = np.column_stack([np.full(self.leaves, float(shares.get(code, 0.0))), share[:, :-1]])
        fall = np.maximum(0.0, migrants * before - counted)
        there = x["share_fall"].sum(axis=1)
        for k, y in zip(*np.nonzero(np.abs(fall - there) > 5 * _CHILDREN), strict=True):
            yield _at("share_fall", item=f"{code} {name} {k + 1} {self.years[y]}",
                      expected=round(float(fall[k, y]), 2), value=round(float(there[k, y]), 2))  # fmt: skip
        budgets = self.tables["seat_budgets"]
        budget = budgets[budgets["county_code"] == code].set_index("year")["budget_yuan"].reindex(self.years).fillna(0)
        over = np.maximum(0.0, money - budget.to_numpy(dtype=float))
        shown = x["overrun_yuan"].sum(axis=1)
        for k, y in zip(*np.nonzero(np.abs(over - shown) > _TOTAL), strict=True):
            yield _at("money", item=f"{code} {name} {k + 1} {self.years[y]} overrun",
                      expected=round(float(over[k, y]), 2), value=round(float(shown[k, y]), 2))  # fmt: skip
        children = h.local_price_yuan * x["local_short"] + h.place_price_yuan * x["without"]
        prices = h.share_price_yuan * there + h.overrun_price * over
        self.costs[code, name] = (money + prices).sum(axis=1) + children.sum(axis=(1, 2))

    def totals(self) -> Iterator[Finding]:
        """Costs of plans, areas, scenarios and the province; their order; the tail; the cap on what is begun."""
        plans = self.plan["hedge_plans"]
        level = self.p.hedge.cvar_level
        sums: dict[str, Floats] = {}
        for r in plans.sort_values(["area_code", "plan"]).to_dict("records"):
            costs = self._costs(str(r["area_code"]), str(r["plan"]), plans)
            if costs is None:
                yield _at("rows", item=f"hedge_recourse {r['area_code']} {r['plan']}", value=0, expected=1)
                continue
            sums[r["plan"]] = sums.get(r["plan"], np.zeros(self.leaves)) + costs
            mean, tail = float(self.probability @ costs), _tail(costs, self.probability, level)
            item = f"{r['area_code']} {r['plan']}"
            if abs(mean - r["expected_cost_yuan"]) > _TOTAL:
                yield _at("cost", item=item, expected=round(mean, 2), value=r["expected_cost_yuan"])
            if abs(tail - r["cvar_yuan"]) > _TOTAL:
                yield _at("cvar", item=item, expected=round(tail, 2), value=r["cvar_yuan"])
        for r in self.plan["hedge_areas"].to_dict("records"):
            slack = _TOTAL + 2 * self.p.hedge.relative_gap * abs(r["objective_yuan"])
            others = plans[plans["area_code"] == r["area_code"]].set_index("plan")["objective_yuan"]
            hedged_first = r["objective_yuan"] <= others.min() + slack or self.p.hedge.start_budget_yuan > 0
            seen = r["wait_and_see_yuan"] <= r["objective_yuan"] + slack
            if not (hedged_first and (seen or self.p.hedge.risk_weight > 0)):
                yield _at("order", item=r["area_code"])
        for r in self.plan["hedge_scenarios"].to_dict("records"):
            expected = float(sums.get(r["plan"], np.zeros(self.leaves))[int(r["scenario"]) - 1])
            if abs(expected - r["cost_yuan"]) > _TOTAL * max(1, len(self.areas)):
                yield _at(
                    "cost", item=f"{r['plan']} {r['scenario']}", expected=round(expected, 2), value=r["cost_yuan"]
                )
        cap, begun = self.p.hedge.start_budget_yuan, float(self.plan["hedge_areas"]["start_cost_yuan"].sum())
        if cap and begun > cap + _TOTAL:
            yield _at("start_budget", value=round(begun, 2), expected=cap)

    def _costs(self, code: str, name: str, plans: pd.DataFrame) -> Floats | None:
        """Costs by scenario of a plan; one that begins what another begins is written out only once."""
        if (code, name) in self.costs:
            return self.costs[code, name]
        rows = plans[plans["area_code"] == code].set_index("plan")["start_cost_yuan"]
        same = [n for n in ("hedged", "mean_value") if (code, n) in self.costs and abs(rows[n] - rows[name]) <= _YUAN]
        return self.costs[code, same[0]] if same else None


def _known(area_m2: float) -> float:
    """An area, infinite where it is not known."""
    return np.inf if np.isnan(area_m2) else float(area_m2)


def _said(value: float) -> float:
    return round(float(value), 2)


def _seated(first: Floats, seats: float, classes: Floats) -> Floats:
    """Most children that ``classes`` classes of single grades can seat: the fullest classes are kept."""
    if seats <= 0:
        return np.zeros_like(classes)
    full = np.floor(first / seats)
    last = -np.sort(-(first - full * seats), axis=1)
    whole = full.sum(axis=1)
    seated: Floats = np.minimum(classes, whole) * seats
    for j in range(first.shape[1]):
        seated += np.where(classes - whole > j, last[:, j], 0.0)
    return seated


def _further(first: Floats, other: Floats, seats: float, classes: Floats) -> Floats:
    """Most further children whom classes of single grades can seat after those with a claim.

    Some sit beside them in their classes (those in the last classes given up leave with them), the rest in classes of
    their own.
    """
    if seats <= 0:
        return np.zeros_like(classes)
    needed = np.ceil(first / seats - 1e-9)
    beside = np.minimum(other, needed * seats - first)
    last = np.where(needed > 0, first - (needed - 1) * seats, np.inf)
    order = np.lexsort((beside, last), axis=1)
    gone = np.cumsum(np.take_along_axis(beside * (needed > 0), order, axis=1), axis=1)
    missing = np.clip(needed.sum(axis=1) - classes, 0, first.shape[1]).astype(int)
    lost = np.where(missing > 0, np.take_along_axis(gone, np.maximum(missing - 1, 0)[:, None], axis=1)[:, 0], 0.0)
    spare = np.maximum(0.0, classes - needed.sum(axis=1))
    return np.asarray(beside.sum(axis=1) - lost + _seated(other - beside, seats, spare))


def _paid(rooms: Floats, yuan_per_room: float, lead_months: float) -> Floats:
    """Yearly parts of what rooms cost: equal parts over the years of building, the year of opening last."""
    parts = max(1, -(-int(lead_months) // 12))
    paid = np.zeros_like(rooms)
    for t in range(rooms.shape[1]):
        first = max(0, t - parts + 1)
        paid[:, first : t + 1] += (rooms[:, t] * yuan_per_room / (t - first + 1))[:, None]
    return paid


def _tail(costs: Floats, probability: Floats, level: float) -> float:
    """Mean of the worst 1 − level: least over thresholds of threshold + mean excess ÷ (1 − level)."""
    return min(float(v + (probability @ np.maximum(0.0, costs - v)) / (1 - level)) for v in costs)
