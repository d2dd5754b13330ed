"""Re-check of ground, staff, purchased places by zone, and of what the seat tables say their numbers rest on.

Everything is counted again from the exported tables and the registries; nothing of the formulation is used. Areas are
compared within half a square metre, staff within a tenth of a person, children exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from zjsim.audit.finding import Finding, finding
from zjsim.tables.schema import BASES

Tables = Mapping[str, pd.DataFrame]
PLAN_TABLES = ("seat_staff", "seat_zone_purchases", "seat_rule_repairs")
_KEY = "seats.audit."
_M2, _PERSON, _KM, _KM_PER_DEGREE = 0.5, 0.11, 0.05, 111.195
_RESTS_ON = ("seat_demand", "seat_capacity", "seat_options", "seat_budgets", "seat_zones")


def check(plan: Tables, tables: Tables, parameters: Any) -> Iterator[Finding]:
    """Every rule that the plan breaks, rule by rule."""
    rules: tuple[Callable[[Tables, Tables, Any], Iterator[Finding]], ...] = (
        _site, _staff, _purchases, _rule_repairs, _reconcile, _basis,
    )  # fmt: skip
    for rule in rules:
        yield from rule(plan, tables, parameters)


def _site(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Extensions stand on ground that the norm leaves free in their zone, new schools on sites of the norm's size."""
    t = plan["seat_zone_years"].sort_values(["zone_id", "stage", "year"], ignore_index=True)
    t = t.merge(_options(tables), on=["county_code", "stage"], how="left")
    t = t.merge(_shares(tables), on=["zone_id", "stage"], how="left")
    t["share_site"] = t["share_site"].fillna(t["share_classrooms"]).fillna(1.0)
    each = t["usable_seats_per_class"] * t["site_m2_per_pupil"]
    by_zone = [t["zone_id"], t["stage"]]
    added = (t["extension_rooms"] + t["new_school_rooms"] + t["converted_rooms"]).groupby(by_zone).cumsum()
    free = (t["share_site"] * t["site_m2"] - (t["rooms"] - added) * each).clip(lower=0)
    used = t["extension_rooms"].groupby(by_zone).cumsum() * each
    on_new = t["new_school_rooms"] * each
    checks = (
        ("zone_site", used > free + _M2),
        ("zone_new_site", on_new > t["new_schools"] * t["new_site_m2"] + _M2),
        ("site_shown", (t["extension_site_m2"] - (t["extension_rooms"] * each).fillna(0)).abs() > _M2),
        ("site_shown", (t["new_school_site_m2"] - on_new.fillna(0)).abs() > _M2),
        ("site_shown", t["free_site_m2"] > free + _M2),
    )
    yield from _each(t, checks)
    keys = ["county_code", "year", "stage"]
    sums = free.groupby([t[k] for k in keys]).sum(min_count=1).rename("ground").reset_index()
    c = plan["seat_rooms"].merge(sums, on=keys, how="left").merge(_options(tables), on=["county_code", "stage"])
    c = c.sort_values(["county_code", "stage", "year"], ignore_index=True)
    each = c["usable_seats_per_class"] * c["site_m2_per_pupil"]
    used = c["extension_rooms"].groupby([c["county_code"], c["stage"]]).cumsum() * each
    broken = (
        ("site", used > c["ground"] + _M2),
        ("new_site", c["new_school_rooms"] * each > c["new_schools"] * c["new_site_m2_in"] + _M2),
        ("site_shown", (c["extension_site_m2"] - (c["extension_rooms"] * each).fillna(0)).abs() > _M2),
        ("site_shown", (c["new_school_site_m2"] - (c["new_school_rooms"] * each).fillna(0)).abs() > _M2),
        ("site_shown", c["free_site_m2"] > c["ground"] + _M2),
    )
    yield from _each(c, broken)


def _staff(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Staff needed, there, to hire and missing, by county, year and stage, from classes, children and the norm."""
    keys = ["county_code", "year", "stage"]
    g = plan["seat_classes"].merge(_options(tables), on=["county_code", "stage"], how="left")
    g["all"] = np.ceil((g["local"] + g["guaranteed"]) / g["usable_seats_per_class"].fillna(0).clip(lower=1))
    g["outside"] = g["local"] - g["placed_local"] + g["placed_purchased"] + g["unplaced"]
    sums = g.groupby(keys, sort=True)[["classes", "all", "outside"]].sum().reset_index()
    t = plan["seat_staff"].merge(sums, on=keys, how="outer", suffixes=("", "_in"))
    t = t.merge(_options(tables), on=["county_code", "stage"], how="left", suffixes=("", "_in"))
    t = t.merge(plan["seat_rooms"][[*keys, "rooms"]], on=keys, how="left")
    norms = tables["seat_norms"].set_index("norm_id").reindex("model_staff_ratio_" + t["stage"].astype(str))
    each, now = t["staff_per_class_in"].fillna(0.0), t["staff_available_in"].fillna(0.0)
    there = now * (1 + t["staff_growth_per_year"].fillna(0.0)) ** (t["year"] - p.time.as_of.year)
    one_more = (t["classes"] + 1) * each > there + 1e-4
    limit = (t["outside"] > 0) & one_more & (t["classes"] < t["rooms"])
    close = {
        "staff_needed": t["classes_in"] * each,
        "staff_available": there,
        "staff_to_hire": (t["classes_in"] * each - now).clip(lower=0),
        "staff_for_all": t["all"] * each,
        "staff_missing": (t["all"] * each - there).clip(lower=0),
        "staff_per_class": each,
    }
    exact = (t["classes"] != t["classes_in"]) | (t["classes_for_all"] != t["all"])
    exact |= (t["staff_is_limit"].astype(bool) != limit) & (each > 0)
    exact |= t["norm_source"].to_numpy() != norms["source_id"].fillna("").to_numpy()
    wrong = [("staff_table", exact), *(("staff_table", ~((t[n] - v).abs() <= _PERSON)) for n, v in close.items())]
    yield from _each(t, tuple(wrong))
    totals = plan["seat_staff"].groupby(["county_code", "year"])["staff_available"].sum()
    e = plan["seat_expansion"]
    shown = totals.reindex(pd.MultiIndex.from_frame(e[["county_code", "year"]])).to_numpy()
    yield from _each(e, (("staff_table", ~((e["staff_available"] - shown).abs() <= 2 * _PERSON)),))


def _purchases(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Purchased places lie where private schools stand, within the county, within what may be purchased there."""
    t, moves = plan["seat_zone_years"], plan["seat_zone_purchases"]
    owner = dict(zip(t["zone_id"], t["county_code"], strict=True))
    away = [moves[c].map(owner) != moves["county_code"] for c in ("from_zone", "to_zone")]
    yield from _each(moves, (("zone_purchase", away[0] | away[1] | (moves["children"] <= 0)),))
    classes = plan["seat_zone_classes"]
    for rows, side, keys, column in (
        (classes, "from_zone", ["zone_id", "year", "grade"], "placed_purchased"),
        (t, "to_zone", ["zone_id", "year", "stage"], "purchased_here"),
    ):
        listed = moves.rename(columns={side: "zone_id"}).groupby(keys)["children"].sum()
        found = listed.reindex(pd.MultiIndex.from_frame(rows[keys]), fill_value=0).to_numpy()
        yield from _each(rows, (("zone_purchase", rows[column].to_numpy() != found),))
    over = (t["purchased_here"] > t["purchasable_places"]) | (t["purchasable_places"] > t["private_places"])
    yield from _each(t, (("zone_purchase_cap", over),))
    keys = ["county_code", "year", "stage"]
    capacity = tables["seat_capacity"]
    capacity = capacity.assign(stage=np.where(capacity["grade"] <= 6, "primary", "junior"))
    there = capacity.groupby(keys)["private_places"].sum().rename("there").reset_index()
    sums = t.groupby(keys, sort=True)[["private_places", "purchasable_places"]].sum().reset_index()
    sums = sums.merge(there, on=keys, how="left").merge(_options(tables), on=["county_code", "stage"], how="left")
    most = np.minimum(sums["there"].fillna(0), sums["purchase_places_max"].fillna(0))
    wrong = (sums["private_places"] != sums["there"].fillna(0)) | (sums["purchasable_places"] != most)
    yield from _each(sums, (("zone_private", wrong),))
    z = t.merge(_shares(tables), on=["zone_id", "stage"], how="left").merge(there, on=keys, how="left")
    share = z["share_private"].fillna(z["share_migrant"]).fillna(1.0)
    yield from _each(z, (("zone_private", (z["private_places"] - share * z["there"].fillna(0)).abs() > 1 + 1e-6),))
    place = tables["planning_zones"].set_index("zone_id")
    start, end = (place[["lon", "lat"]].reindex(moves[c]).to_numpy(dtype=float) for c in ("from_zone", "to_zone"))
    east = (start[:, 0] - end[:, 0]) * np.cos(np.radians((start[:, 1] + end[:, 1]) / 2))
    km = np.nan_to_num(np.hypot(east, start[:, 1] - end[:, 1]) * _KM_PER_DEGREE)
    cap = np.where(moves["grade"] <= 6, p.seats.primary_move_km, p.seats.junior_move_km)
    shown = (np.abs(km - moves["distance_km"]) > _KM) | (moves["too_far"].astype(bool) != (moves["distance_km"] > cap))
    yield from _each(moves, (("zone_distance", shown),))


def _rule_repairs(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Every goal that is not zero has its repair, of the amount listed; it leaves nothing, or says that none helps.

    A repair of places adds no more than the private places that are not yet purchasable, and the repair by year and
    stage of a county is that of its goals.
    """
    listed = plan["seat_shortfalls"]
    listed = listed[listed["is_planned"].astype(bool) & ~listed["rule"].isin(("moved_too_far", "extension_too_small"))]
    amounts = listed.groupby(["county_code", "rule"])["amount"].sum().rename("listed").reset_index()
    t = plan["seat_rule_repairs"].merge(amounts, on=["county_code", "rule"], how="outer")
    verified = t["is_verified"].eq(True)
    gap = (t["amount"] - t["listed"]).abs()
    room = np.where(t["rule"] == "budget_overrun", 2.0 * _PERSON * 1e4, 1.0)
    left = t["left_after"] > np.where(t["rule"] == "budget_overrun", 500.0, 0.05)
    small = t["listed"].fillna(0.0).abs() + t["amount"].fillna(0.0).abs() < 1.0
    yield from _each(
        t,
        (
            ("rule_repair", ~(gap <= room) & ~small),
            ("rule_repair", verified & left),
            ("rule_repair", ~verified & (t["repair_yuan"].fillna(0).abs() > 0)),
        ),
    )
    options = _options(tables)[["county_code", "stage", "purchase_places_max"]]
    r = plan["seat_repairs"].merge(options, on=["county_code", "stage"], how="left")
    capacity = tables["seat_capacity"]
    capacity = capacity.assign(stage=np.where(capacity["grade"] <= 6, "primary", "junior"))
    keys = ["county_code", "year", "stage"]
    there = capacity.groupby(keys)["private_places"].sum().rename("there").reset_index()
    r = r.merge(there, on=keys, how="left")
    most = (r["there"].fillna(0) - r["purchase_places_max"].fillna(0)).clip(lower=0)
    yield from _each(r, (("rule_repair", r["places_missing"] > most),))
    short = t[t["rule"].isin(("local_without_seat", "covered_without_place")) & verified]
    by_county = r.groupby("county_code")["repair_yuan"].sum()
    one = short.groupby("county_code").filter(lambda x: len(x) == 1)
    there_yuan = by_county.reindex(one["county_code"]).to_numpy()
    yield from _each(one, (("rule_repair", ~(np.abs(one["repair_yuan"].to_numpy() - there_yuan) <= 500.0)),))


def _reconcile(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Classes without the plan and eligible children are those of the registries, to the last one."""
    keys = ["county_code", "year", "grade"]
    t = plan["seat_classes"].merge(tables["seat_capacity"][[*keys, "public_classes"]], on=keys, how="left")
    yield from _each(t, (("capacity", t["classes_base"] != t["public_classes"].fillna(0)),))
    sums = tables["seat_demand"].groupby(["county_code", "year"])["eligible_children"].sum()
    e = plan["seat_expansion"]
    there = sums.reindex(pd.MultiIndex.from_frame(e[["county_code", "year"]]), fill_value=0).to_numpy()
    yield from _each(e, (("capacity", e["eligible"].to_numpy() != there),))


def _basis(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """No table says that its numbers are firmer than the weakest row of the registries that they rest on."""
    rank = {basis: k for k, basis in enumerate(BASES)}
    rows = [tables[n][["county_code", "basis"]] for n in _RESTS_ON if n in tables and "basis" in tables[n]]
    every = pd.concat(rows, ignore_index=True)
    weakest = every["basis"].map(rank).groupby(every["county_code"]).max()
    for name in sorted(n for n in plan if n.startswith("seat_") and n != "seat_openings"):
        t = plan[name]
        least = t["county_code"].map(weakest) if "county_code" in t else pd.Series(weakest.max(), index=t.index)
        yield from _each(t.assign(table=name), (("basis", t["basis"].map(rank).fillna(-1) < least.fillna(-1)),))


def _options(tables: Tables) -> pd.DataFrame:
    """Options by county and stage; columns that the plan's tables have too are told apart by ``_in``."""
    t = tables["seat_options"].drop(columns=["source_id", "basis"], errors="ignore")
    return t.rename(columns={"staff_available": "staff_available_in", "staff_per_class": "staff_per_class_in"}).assign(
        new_site_m2_in=t["new_site_m2"]
    )


def _shares(tables: Tables) -> pd.DataFrame:
    names = ["zone_id", "stage", "share_classrooms", "share_migrant", "share_site", "share_private"]
    return tables["seat_zones"][names]


def _each(t: pd.DataFrame, checks: tuple[tuple[str, Any], ...]) -> Iterator[Finding]:
    for name, broken in checks:
        for r in t[np.asarray(broken, dtype=bool)].to_dict("records"):
            named = [str(r[k]) for k in _NAMED if k in r]
            yield finding(f"seat_{name}", _KEY + name, item=" ".join(named), value=r.get("distance_km", ""))


_NAMED = ("table", "county_code", "zone_id", "from_zone", "to_zone", "year", "stage", "grade")
