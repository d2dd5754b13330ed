"""Re-check of the seat plan from the exported tables and the registries alone; nothing of the formulation is used.

Children, classes and rooms are compared exactly, money within one yuan a row, shares within 2e-6 (as exported).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from zjsim.audit import seat_ground, seat_zones
from zjsim.audit.finding import Finding, finding

Tables = Mapping[str, pd.DataFrame]
PLAN_TABLES = (
    "seat_expansion", "seat_rooms", "seat_classes", "seat_shortfalls", "seat_stages", "seat_summary",
    *seat_zones.PLAN_TABLES, *seat_ground.PLAN_TABLES,
)  # fmt: skip
_KEY = "seats.audit."
_YUAN, _SHARE, _CHILDREN = 1.0, 2e-6, 1.0
_GUARANTEED = {
    "permit_holders": "permit_holders",
    "county_rule": "eligible_children",
    "all_residents": "migrant_children",
}
_MOST = 20
"""Findings of one rule that are listed one by one; the rest are counted."""


def check(plan: Tables, tables: Tables, parameters: Any) -> list[Finding]:
    """Every rule that the seat plan breaks; empty when none."""
    gone = [name for name in PLAN_TABLES if name not in plan]
    if gone:
        return [finding("seat_table_missing", _KEY + "table_missing", table=name) for name in gone]
    found: list[Finding] = []
    rules: tuple[Callable[..., Iterator[Finding]], ...] = (
        _rows,
        _demand,
        _grades,
        _rooms,
        _lead_times,
        _staff,
        _purchases,
        _money,
        _years,
        _shares,
        _shortfalls,
        _summary,
        _switches,
        _conversions,
        seat_zones.check,
        seat_ground.check,
    )
    for rule in rules:
        try:
            listed = list(rule(plan, tables, parameters))
        except KeyError as missing:
            listed = [finding("seat_column_missing", _KEY + "column_missing", column=str(missing.args[0]))]
        found += _shortened(listed)
        if found and rule is _rows:
            break
    return found


def _shortened(listed: list[Finding]) -> list[Finding]:
    """The first findings of each rule, and how many more there are."""
    kept: list[Finding] = []
    for rule in dict.fromkeys(f.rule for f in listed):
        same = [f for f in listed if f.rule == rule]
        kept += same[:_MOST]
        if len(same) > _MOST:
            kept.append(finding(rule, _KEY + "and_more", name=rule, count=len(same) - _MOST))
    return kept


def _rows(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Every county, year and grade or stage exactly once."""
    codes = sorted(tables["counties"]["county_code"])
    years = list(range(p.time.as_of.year + 1, p.time.seat_horizon + 1))
    for name, third, values in (
        ("seat_expansion", None, None),
        ("seat_rooms", "stage", ["junior", "primary"]),
        ("seat_classes", "grade", list(range(1, 10))),
    ):
        keys = ["county_code", "year"] + ([third] if third else [])
        got = sorted(plan[name][keys].itertuples(index=False, name=None))
        wanted = (
            [(c, y) for c in codes for y in years]
            if values is None
            else [(c, y, v) for c in codes for y in years for v in values]
        )
        if got != sorted(wanted):
            yield _at("rows", item=name, value=len(got), expected=len(wanted))


def _demand(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """The plan's children are those of ``seat_demand``, to the last child."""
    t = _classes(plan).merge(
        tables["seat_demand"], on=["county_code", "year", "grade"], how="left", suffixes=("", "_in")
    )
    guaranteed = _GUARANTEED[p.seats.coverage_reading]
    for ours, theirs in (("local", "local_children"), ("migrant", "migrant_children"), ("guaranteed", guaranteed)):
        for r in t[t[ours] != t[theirs]].to_dict("records"):
            yield _at("demand", item=f"{_where(r)} {ours}", value=r[ours], expected=r[theirs])


def _grades(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Balance, class norm, first claim of local children, and no empty public seat beside a purchased place."""
    t = _classes(plan).merge(_options(tables), on=["county_code", "stage"], how="left")
    used = t["placed_local"] + t["placed_public"] + t["placed_public_other"]
    usable = t["usable_seats_per_class"].fillna(0)
    numbers = ["classes", "placed_local", "placed_public", "placed_public_other", "placed_purchased", "unplaced"]
    checks = (
        ("negative", (t[numbers] < 0).any(axis=1)),
        ("stage", t["stage"] != np.where(t["grade"] <= 6, "primary", "junior")),
        ("seats", t["public_seats"] != t["classes"] * usable),
        ("class_norm", used > t["classes"] * usable),
        ("balance_local", t["placed_local"] > t["local"]),
        ("balance_guaranteed", t["placed_public"] + t["placed_purchased"] + t["unplaced"] != t["guaranteed"]),
        ("balance_other", t["placed_public_other"] > t["migrant"] - t["guaranteed"]),
        ("local_first", (t["placed_local"] < t["local"]) & (t["placed_public"] + t["placed_public_other"] > 0)),
        ("guaranteed_first", (t["unplaced"] > 0) & (t["placed_public_other"] > 0)),
        ("empty_seat", (t["public_seats"] > used) & (t["placed_purchased"] + t["unplaced"] > 0)),
        ("empty_seat_local", (t["public_seats"] > used) & (t["placed_local"] < t["local"])),
    )
    for name, broken in checks:
        for r in t[broken].to_dict("records"):
            yield _at(name, item=_where(r))


def _rooms(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Classes fit rooms; rooms are those that stand and those opened; sizes and sites of what is opened."""
    sums = _classes(plan).groupby(["county_code", "year", "stage"], sort=True)["classes"].sum().rename("sum")
    t = _stages(plan).merge(sums.reset_index(), on=["county_code", "year", "stage"], how="left")
    t = t.merge(_options(tables), on=["county_code", "stage"], how="left").fillna(0)
    opened = t["extension_rooms"] + t["new_school_rooms"]
    changed = opened + t["converted_rooms"]
    standing = t["classrooms"] + changed.groupby([t["county_code"], t["stage"]]).cumsum()
    in_all = t.groupby(["county_code", "stage"], sort=True)
    checks = (
        ("classes_of_stage", t["classes"] != t["sum"]),
        ("rooms", t["rooms"] != standing),
        ("room_limit", t["classes"] > standing),
        ("extension_size", (t["extension_rooms"] > 0) & (t["extension_rooms"] < t["extension_rooms_min"])),
        ("extension_limit", in_all["extension_rooms"].cumsum() > t["extension_rooms_max"]),
        ("school_size", t["new_school_rooms"] < t["new_schools"] * t["school_rooms_min"]),
        ("school_size", t["new_school_rooms"] > t["new_schools"] * t["school_rooms_max"]),
        ("school_sites", in_all["new_schools"].cumsum() > t["school_sites"]),
    )
    for name, broken in checks:
        for r in t[broken].to_dict("records"):
            yield _at(name, item=_where(r))


def _lead_times(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Nothing opens on 1 September of a year before its months of work, counted from the as-of date, have passed."""
    t = _stages(plan).merge(_options(tables), on=["county_code", "stage"], how="left").fillna(0)
    as_of = p.time.as_of
    months = (t["year"] - as_of.year) * 12 + 8 - as_of.month
    for rooms, lead in (("extension_rooms", "extension_lead_months"), ("new_school_rooms", "school_lead_months")):
        for r in t[(t[rooms] > 0) & (months < t[lead])].to_dict("records"):
            yield _at("lead_time", item=_where(r), value=rooms)


def _staff(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Staff needed by the norm is within staff available and its growth."""
    t = _stages(plan).merge(_options(tables), on=["county_code", "stage"], how="left").fillna(0)
    there = t["staff_available"] * (1 + t["staff_growth_per_year"]) ** (t["year"] - p.time.as_of.year)
    for r in t[t["classes"] * t["staff_per_class"] > there + 1e-4].to_dict("records"):
        yield _at("staff", item=_where(r))
    wrong = (t["staff_needed"] - t["classes"] * t["staff_per_class"]).abs() > 0.06
    for r in t[wrong].to_dict("records"):
        yield _at("staff_needed", item=_where(r))


def _purchases(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Purchases add up and stay within the cap and the private places there are."""
    keys = ["county_code", "year", "stage"]
    sums = _classes(plan).groupby(keys, sort=True)["placed_purchased"].sum().reset_index()
    places = tables["seat_capacity"].assign(stage=np.where(tables["seat_capacity"]["grade"] <= 6, "primary", "junior"))
    private = places.groupby(keys, sort=True)["private_places"].sum().reset_index()
    t = _stages(plan).merge(sums, on=keys, how="left").merge(private, on=keys, how="left")
    t = t.merge(_options(tables), on=["county_code", "stage"], how="left").fillna(0)
    for r in t[t["purchased"] != t["placed_purchased"]].to_dict("records"):
        yield _at("purchases", item=_where(r), value=r["purchased"], expected=r["placed_purchased"])
    over = t["purchased"] > np.minimum(t["purchase_places_max"], t["private_places"])
    for r in t[over].to_dict("records"):
        yield _at("purchase_cap", item=_where(r))


def _money(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Every cost computed again: building in equal parts up to the opening, equipment, running costs, purchases."""
    now = tables["seat_capacity"]
    now = now[now["year"] == p.time.as_of.year].assign(stage=lambda x: np.where(x["grade"] <= 6, "primary", "junior"))
    base = now.groupby(["county_code", "stage"], sort=True)["public_classes"].sum().rename("base").reset_index()
    t = _stages(plan).merge(_options(tables), on=["county_code", "stage"], how="left")
    t = t.merge(base, on=["county_code", "stage"], how="left").fillna(0)
    first = p.time.as_of.year + 1
    capital = np.zeros(len(t))
    row_of = {k: i for i, k in enumerate(zip(t["county_code"], t["stage"], t["year"], strict=True))}
    for rooms, price, lead in (
        ("extension_rooms", "extension_yuan_per_room", "extension_lead_months"),
        ("new_school_rooms", "school_yuan_per_room", "school_lead_months"),
    ):
        for r in t[t[rooms] > 0].to_dict("records"):
            parts = max(1, -(-int(r[lead]) // 12))
            years = range(max(first, r["year"] - parts + 1), r["year"] + 1)
            for y in years:
                capital[row_of[r["county_code"], r["stage"], y]] += r[rooms] * r[price] / len(years)
    before = t.groupby(["county_code", "stage"], sort=False)["classes"].shift(1).fillna(t["base"])
    converted = t["converted_rooms"].where(t["stage"] == "junior", 0).clip(lower=0)
    again = {
        "capital_cost_yuan": capital + converted.to_numpy() * p.seats.conversion_yuan_per_room,
        "equip_cost_yuan": (t["classes"] - before).clip(lower=0) * t["equip_yuan_per_class"],
        "running_cost_yuan": (t["classes"] - t["base"]).clip(lower=0) * t["running_yuan_per_class"],
        "purchase_cost_yuan": t["purchased"] * t["purchase_yuan_per_place"],
    }
    for name, value in again.items():
        for r, expected in _differing(t, t[name], np.asarray(value, dtype=float), _YUAN):
            yield _at("cost", item=f"{_where(r)} {name}", value=r[name], expected=round(expected, 2))


_FROM_GRADES = {
    "local": "local",
    "migrant": "migrant",
    "guaranteed": "guaranteed",
    "classes": "classes",
    "public_seats": "public_seats",
    "placed_local": "placed_local",
    "placed_public": "placed_public",
    "placed_public_other": "placed_public_other",
    "placed_purchased": "placed_purchased",
    "unplaced": "unplaced",
}
_FROM_STAGES = {
    "rooms_added": "extension_rooms",
    "new_schools": "new_schools",
    "new_school_rooms": "new_school_rooms",
    "capital_cost_yuan": "capital_cost_yuan",
    "equip_cost_yuan": "equip_cost_yuan",
    "running_cost_yuan": "running_cost_yuan",
    "purchase_cost_yuan": "purchase_cost_yuan",
}


def _years(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Rows by county and year are the sums of their grades and stages; budget and overrun follow."""
    keys = ["county_code", "year"]
    t = plan["seat_expansion"].sort_values(keys, ignore_index=True)
    for source, columns in ((_classes(plan), _FROM_GRADES), (_stages(plan), _FROM_STAGES)):
        sums = source.groupby(keys, sort=True)[list(columns.values())].sum().reset_index()
        for ours, theirs in columns.items():
            for r, expected in _differing(t, t[ours], sums[theirs], _YUAN if ours.endswith("yuan") else 0):
                yield _at("sum", item=f"{_where(r)} {ours}", value=r[ours], expected=expected)
    budgets = t.merge(tables["seat_budgets"], on=keys, how="left", suffixes=("", "_in"))["budget_yuan_in"].fillna(0)
    parts = t[["capital_cost_yuan", "equip_cost_yuan", "running_cost_yuan", "purchase_cost_yuan"]].sum(axis=1)
    used = t["placed_local"] + t["placed_public"] + t["placed_public_other"]
    again = {
        "demand": t["local"] + t["migrant"],
        "local_unplaced": t["local"] - t["placed_local"],
        "empty_seats": t["public_seats"] - used,
        "others_outside_public": t["migrant"] - t["guaranteed"] - t["placed_public_other"],
        "cost_yuan": parts,
        "budget_yuan": budgets,
        "overrun_yuan": (parts - budgets).clip(lower=0),
    }
    for name, value in again.items():
        for r, expected in _differing(t, t[name], value, _YUAN if name.endswith("yuan") else 0):
            yield _at("sum", item=f"{_where(r)} {name}", value=r[name], expected=expected)


def _shares(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Both public shares from the children, never above 1."""
    t = plan["seat_expansion"]
    public = t["placed_public"] + t["placed_public_other"]
    for name, part in (("public_share", public), ("public_share_with_purchased", public + t["placed_purchased"])):
        share = (part / t["migrant"].where(t["migrant"] > 0)).fillna(1.0)
        for r, expected in _differing(t, t[name], share, _SHARE):
            yield _at("share", item=f"{_where(r)} {name}", value=r[name], expected=round(expected, 6))


def _shortfalls(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Whatever is not zero is listed in ``seat_shortfalls`` with its amount and a reason; what is zero is not."""
    listed = plan["seat_shortfalls"]
    for r in listed[(listed["why_zh"] == "") | (listed["why_en"] == "")].to_dict("records"):
        yield _at("unexplained", item=f"{_where(r)} {r['rule']}")
    planned = listed[listed["is_planned"].astype(bool)]
    said = planned.groupby(["county_code", "year", "rule"])["amount"].sum().to_dict()
    bases = tables["migrant_calibration"].set_index("county_code")["public_share"]
    t = plan["seat_expansion"].sort_values(["county_code", "year"], ignore_index=True)
    counted = t["placed_public"] + t["placed_public_other"]
    if p.seats.public_share_reading == "with_purchased":
        counted = counted + t["placed_purchased"]
    share = counted / t["migrant"].where(t["migrant"] > 0)
    before = share.groupby(t["county_code"]).shift(1)
    first = t["year"] == p.time.as_of.year + 1
    before = before.where(~first, t["county_code"].map(bases).fillna(0.0))
    fall = ((before - share) * t["migrant"]).fillna(0.0)
    actual = (
        ("local_without_seat", t["local_unplaced"], 0.0),
        ("covered_without_place", t["unplaced"], 0.0),
        ("public_share_fall", fall.clip(lower=0), _CHILDREN),
        ("budget_overrun", t["overrun_yuan"], _YUAN),
    )
    for rule, amounts, tolerance in actual:
        t["listed"] = [float(said.get((c, y, rule), 0.0)) for c, y in zip(t["county_code"], t["year"], strict=True)]
        for r, expected in _differing(t, t["listed"], amounts, tolerance):
            yield _at("shortfall", item=f"{_where(r)} {rule}", value=r["listed"], expected=expected)


def _switches(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """What the rules that a scenario switches on ask for is reached, or listed with its amount."""
    t = _classes(plan).merge(tables["seat_demand"], on=["county_code", "year", "grade"], how="left")
    public = t["placed_public"] + t["placed_public_other"]
    t["permit_short"] = (t["permit_holders"] - public).clip(lower=0)
    t["public"], t["pupils"] = public, t["local"] + t["migrant"]
    columns = ["permit_short", "public", "placed_purchased", "unplaced", "migrant", "pupils"]
    sums = t.groupby(["county_code", "year"], sort=True)[columns].sum().reset_index()
    on, listed = p.seats, plan["seat_shortfalls"]
    promised = (sums["year"] >= on.permit_guarantee_from) & (on.permit_guarantee_from > 0)
    short = on.indicator_share * sums["migrant"] - sums["public"] - sums["placed_purchased"]
    private = sums["migrant"] - sums["public"] - sums["unplaced"] - on.private_share_cap * sums["pupils"]
    for rule, amounts in (
        ("permit_without_public_seat", sums["permit_short"] * promised),
        ("indicator_short", short.clip(lower=0)),
        ("private_above_cap", private.clip(lower=0) * (on.private_share_cap < 1)),
    ):
        said = listed[listed["rule"] == rule].groupby(["county_code", "year"])["amount"].sum().to_dict()
        sums["listed"] = [said.get((c, y), 0.0) for c, y in zip(sums["county_code"], sums["year"], strict=True)]
        for r, expected in _differing(sums, sums["listed"], amounts, _CHILDREN):
            yield _at("shortfall", item=f"{_where(r)} {rule}", value=r["listed"], expected=expected)


def _conversions(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Rooms change from primary to junior only where allowed, one for one, within the limit, and never back."""
    wide = plan["seat_rooms"].pivot_table(index=["county_code", "year"], columns="stage", values="converted_rooms")
    rooms = tables["seat_options"].query("stage == 'primary'").set_index("county_code")["classrooms"]
    share = p.seats.conversion_share_max if p.seats.convert_primary_rooms else 0.0
    total = wide["junior"].groupby("county_code").cumsum()
    most = np.floor(rooms.reindex(wide.index.get_level_values("county_code")).fillna(0).to_numpy() * share + 1e-9)
    broken = (wide["junior"] + wide["primary"] != 0) | (wide["junior"] < 0) | (total.to_numpy() > most)
    for code, year in wide.index[broken]:
        yield _at("conversion", item=f"{code} {year}")


def _summary(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """The province's row of a year is the sum of its counties."""
    totals = plan["seat_expansion"].groupby("year", sort=True).sum(numeric_only=True)
    t = plan["seat_summary"].set_index("year").sort_index()
    if list(t.index) != list(totals.index):
        yield _at("rows", item="seat_summary", value=len(t), expected=len(totals))
        return
    for name in [c for c in t.columns if c in totals.columns and "share" not in c]:
        for year in t.index[(t[name] - totals[name]).abs() > _YUAN]:
            yield _at("sum", item=f"{year} {name}", value=t.at[year, name], expected=totals.at[year, name])


def _classes(plan: Tables) -> pd.DataFrame:
    return plan["seat_classes"].sort_values(["county_code", "year", "grade"], ignore_index=True)


def _stages(plan: Tables) -> pd.DataFrame:
    return plan["seat_rooms"].sort_values(["county_code", "stage", "year"], ignore_index=True)


def _options(tables: Tables) -> pd.DataFrame:
    return tables["seat_options"].drop(columns=["source_id", "basis"], errors="ignore")


def _differing(
    t: pd.DataFrame, shown: pd.Series[Any], expected: Any, tolerance: float
) -> Iterator[tuple[dict[Any, Any], float]]:
    """Rows whose ``shown`` value is further than ``tolerance`` from the ``expected`` one, with the latter."""
    wanted = np.asarray(expected, dtype=float)
    broken = ~(np.abs(shown.to_numpy(dtype=float) - wanted) <= tolerance)
    yield from zip(t[broken].to_dict("records"), wanted[broken].tolist(), strict=True)


def _where(r: Mapping[Any, Any]) -> str:
    return " ".join(str(r[k]) for k in ("county_code", "year", "stage", "grade") if k in r)


def _at(rule: str, **values: object) -> Finding:
    return finding(f"seat_{rule}", _KEY + rule, **values)
