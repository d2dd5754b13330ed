"""Re-check of the seat plan by planning zone, from the exported tables and the registries alone.

Zones are compared with the registry's shares (a zone's children and rooms within one of its share), with the county's
plan (sums to the last child, class and room) and with each other (moves leave one zone and enter another).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from zjsim.audit.finding import Finding, finding

Tables = Mapping[str, pd.DataFrame]
PLAN_TABLES = ("seat_zone_years", "seat_zone_classes", "seat_moves", "seat_repairs", "seat_senior")
_KEY = "seats.audit."
_KM_PER_DEGREE, _KM = 111.195, 0.05
_KINDS = {"local": "seated_local", "guaranteed": "seated_guaranteed", "other": "seated_other"}
_PLACED = {"local": "placed_local", "guaranteed": "placed_public", "other": "placed_public_other"}


def check(plan: Tables, tables: Tables, parameters: Any) -> Iterator[Finding]:
    """Every rule that the plan by zone breaks, rule by rule."""
    rules: tuple[Callable[[Tables, Tables, Any], Iterator[Finding]], ...] = (
        _zones, _shares, _grades, _rooms, _building, _counties, _moves, _first_claim, _repairs, _senior,
    )  # fmt: skip
    for rule in rules:
        listed = list(rule(plan, tables, parameters))
        yield from listed
        if listed and rule is _zones:
            return


def _zones(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """One row for every zone of the registry (a county without zones is one), year, and stage or grade."""
    known = dict(zip(tables["seat_zones"]["zone_id"], tables["seat_zones"]["county_code"], strict=True))
    alone = set(tables["counties"]["county_code"]) - set(known.values())
    zones = sorted(set(known) | {f"{c}-Z01" for c in alone})
    years = range(p.time.as_of.year + 1, p.time.seat_horizon + 1)
    for name, third, values in (
        ("seat_zone_years", "stage", ["junior", "primary"]),
        ("seat_zone_classes", "grade", list(range(1, 10))),
    ):
        got = sorted(plan[name][["zone_id", "year", third]].itertuples(index=False, name=None))
        if got != sorted((z, y, v) for z in zones for y in years for v in values):
            yield _at("rows", item=name, value=len(got), expected=len(zones) * len(years) * len(values))


def _shares(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """A zone's children are its share of the county's cell, within one child; the zones add up to the county."""
    t = plan["seat_zone_classes"].merge(_with_shares(tables), on=["zone_id", "stage"], how="left").fillna(1.0)
    county = plan["seat_classes"].assign(not_guaranteed=lambda x: x["migrant"] - x["guaranteed"])
    keys = ["county_code", "year", "grade"]
    for name, share in (("local", "share_local"), ("guaranteed", "share_migrant"), ("not_guaranteed", "share_migrant")):
        wanted = t[keys].merge(county[[*keys, name]], on=keys, how="left")[name].to_numpy()
        # Guaranteed children follow the whole migrant children of the zone: two roundings.
        room = 1.0 if name == "local" else 2.0
        for r in t[np.abs(t[name].to_numpy() - wanted * t[share].to_numpy()) > room + 1e-6].to_dict("records"):
            yield _at("zone_share", item=f"{_where(r)} {name}", value=r[name])
        sums = t.groupby(keys, sort=True)[name].sum().reset_index().merge(county, on=keys, suffixes=("", "_in"))
        for r in sums[sums[name] != sums[f"{name}_in"]].to_dict("records"):
            yield _at("zone_sum", item=f"{_where(r)} {name}", value=r[name], expected=r[f"{name}_in"])


def _grades(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Class norm in every zone and grade, and where its children are adds up."""
    usable = tables["seat_options"][["county_code", "stage", "usable_seats_per_class"]]
    t = plan["seat_zone_classes"].merge(usable, on=["county_code", "stage"], how="left").fillna(0)
    numbers = [c for c in t.columns if t[c].dtype.kind in "iuf"]
    sitting = t[list(_KINDS.values())].sum(axis=1)
    checks = (
        ("zone_negative", (t[numbers] < 0).any(axis=1)),
        ("zone_seats", t["public_seats"] != t["classes"] * t["usable_seats_per_class"]),
        ("zone_class_norm", sitting > t["classes"] * t["usable_seats_per_class"]),
        ("zone_balance", t["placed_local"] > t["local"]),
        ("zone_balance", t["placed_public"] + t["placed_purchased"] + t["unplaced"] != t["guaranteed"]),
        ("zone_balance", t["placed_public_other"] > t["not_guaranteed"]),
    )
    for name, broken in checks:
        for r in t[broken].to_dict("records"):
            yield _at(name, item=_where(r))


def _rooms(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Classes fit the zone's rooms; rooms are its share of those that stand, plus what opened or was converted."""
    keys = ["zone_id", "year", "stage"]
    t = plan["seat_zone_years"].sort_values(["zone_id", "stage", "year"], ignore_index=True)
    sums = plan["seat_zone_classes"].groupby(keys, sort=True)[["classes", "public_seats"]].sum().reset_index()
    t = t.merge(sums, on=keys, how="left", suffixes=("", "_in"))
    t = t.merge(_with_shares(tables), on=["zone_id", "stage"], how="left")
    t["share_classrooms"] = t["share_classrooms"].fillna(1.0)
    t = t.merge(tables["seat_options"][["county_code", "stage", "classrooms"]], on=["county_code", "stage"], how="left")
    added = t["extension_rooms"] + t["new_school_rooms"] + t["converted_rooms"]
    standing = t["rooms"] - added.groupby([t["zone_id"], t["stage"]]).cumsum()
    checks = (
        ("zone_room_limit", t["classes"] > t["rooms"]),
        ("zone_rooms", (standing - t["classrooms"].fillna(0) * t["share_classrooms"]).abs() > 1 + 1e-6),
        ("zone_rooms", standing.groupby([t["zone_id"], t["stage"]]).transform("nunique") > 1),
        ("zone_classes", (t["classes"] != t["classes_in"]) | (t["public_seats"] != t["public_seats_in"])),
    )
    for name, broken in checks:
        for r in t[broken].to_dict("records"):
            yield _at(name, item=_where(r))


def _building(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Extensions and schools of a zone have their size; whole counties' limits are checked by county."""
    t = plan["seat_zone_years"].merge(tables["seat_options"], on=["county_code", "stage"], how="left").fillna(0)
    said = plan["seat_shortfalls"].query("rule == 'extension_too_small'")
    listed = said.groupby(["county_code", "year", "stage"])["amount"].sum().to_dict()
    t["missing"] = (t["extension_rooms_min"] - t["extension_rooms"]).where(t["extension_rooms"] > 0, 0).clip(lower=0)
    totals = t.groupby(["county_code", "year", "stage"], sort=True)["missing"].sum().reset_index()
    for r in totals.to_dict("records"):
        if r["missing"] != listed.get((r["county_code"], r["year"], r["stage"]), 0):
            yield _at("zone_extension_size", item=_where(r))
    low, high = (t["new_schools"] * t[f"school_rooms_{k}"] for k in ("min", "max"))
    for r in t[(t["new_school_rooms"] < low) | (t["new_school_rooms"] > high)].to_dict("records"):
        yield _at("zone_school_size", item=_where(r))


def _counties(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """The zones' classes, children and rooms are the county's, to the last one."""
    same = ("classes", "placed_local", "placed_public", "placed_public_other", "placed_purchased", "unplaced")
    built = ("rooms", "extension_rooms", "new_schools", "new_school_rooms", "converted_rooms", "classes")
    for zone_table, table, third, columns in (
        ("seat_zone_classes", "seat_classes", "grade", same),
        ("seat_zone_years", "seat_rooms", "stage", built),
    ):
        keys = ["county_code", "year", third]
        sums = plan[zone_table].groupby(keys, sort=True)[list(columns)].sum().reset_index()
        t = sums.merge(plan[table], on=keys, how="outer", suffixes=("", "_in"))
        for name in columns:
            for r in t[t[name] != t[f"{name}_in"]].to_dict("records"):
                yield _at("zone_sum", item=f"{_where(r)} {name}", value=r[name], expected=r[f"{name}_in"])


def _moves(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Whoever sits in a zone lives there or moved there, within the county; distances and limits are as stated."""
    moves, t = plan["seat_moves"], plan["seat_zone_classes"]
    owner = dict(zip(t["zone_id"], t["county_code"], strict=True))
    for r in moves.to_dict("records"):
        ends = (owner.get(r["from_zone"]), owner.get(r["to_zone"]))
        if r["children"] <= 0 or r["from_zone"] == r["to_zone"] or ends != (r["county_code"], r["county_code"]):
            yield _at("zone_move", item=f"{r['from_zone']} {r['to_zone']} {r['year']} {r['grade']}")
    place = tables["planning_zones"].set_index("zone_id")
    start, end = (place[["lon", "lat"]].reindex(moves[c]).to_numpy(dtype=float) for c in ("from_zone", "to_zone"))
    east = (start[:, 0] - end[:, 0]) * np.cos(np.radians((start[:, 1] + end[:, 1]) / 2))
    km = np.hypot(east, start[:, 1] - end[:, 1]) * _KM_PER_DEGREE
    cap = np.where(moves["grade"] <= 6, p.seats.primary_move_km, p.seats.junior_move_km)
    wrong = (np.abs(km - moves["distance_km"]) > _KM) | (moves["too_far"].astype(bool) != (moves["distance_km"] > cap))
    for r in moves[wrong.to_numpy()].to_dict("records"):
        yield _at("zone_distance", item=f"{r['from_zone']} {r['to_zone']} {r['year']}", value=r["distance_km"])
    keys = ["zone_id", "year", "grade"]
    for kind, seated in _KINDS.items():
        mine = moves[moves["child_kind"] == kind]
        balance = t.set_index(keys)[_PLACED[kind]]
        for column, sign in (("to_zone", 1), ("from_zone", -1)):
            some = mine.rename(columns={column: "zone_id"}).groupby(keys)["children"].sum()
            balance = balance.add(sign * some, fill_value=0)
        expected = balance.reindex(pd.MultiIndex.from_frame(t[keys])).to_numpy()
        for r, wanted in zip(t.to_dict("records"), expected.tolist(), strict=True):
            if r[seated] != wanted:
                yield _at("zone_seated", item=f"{_where(r)} {kind}", value=r[seated], expected=wanted)
    yield from _move_totals(plan)


def _move_totals(plan: Tables) -> Iterator[Finding]:
    """Moves in, out and too far of the rows by zone and year are those listed."""
    moves = plan["seat_moves"]
    t = plan["seat_zone_years"].set_index(["zone_id", "year", "stage"])
    local = moves["child_kind"] == "local"
    for column, end, rows in (
        ("moved_in", "to_zone", moves),
        ("moved_out_local", "from_zone", moves[local]),
        ("moved_out_migrant", "from_zone", moves[~local]),
        ("moved_too_far", "from_zone", moves[moves["too_far"].astype(bool)]),
    ):
        sums = rows.groupby([end, "year", "stage"])["children"].sum()
        sums.index = sums.index.set_names(["zone_id", "year", "stage"])
        wrong = t[column] != sums.reindex(t.index, fill_value=0)
        for zone, year, stage in t.index[wrong]:
            yield _at("zone_move_total", item=f"{zone} {year} {stage} {column}")
    for year, stage, amount, listed in _too_far(plan):
        if amount != listed:
            yield _at("shortfall", item=f"{year} {stage} moved_too_far", value=listed, expected=amount)


def _too_far(plan: Tables) -> Iterator[tuple[str, str, float, float]]:
    keys, listed = ["county_code", "year", "stage"], plan["seat_shortfalls"]
    said = listed[listed["rule"] == "moved_too_far"].groupby(keys)["amount"].sum().to_dict()
    found = plan["seat_zone_years"].groupby(keys, sort=True)["moved_too_far"].sum().reset_index()
    for r in found.to_dict("records"):
        listed_amount = said.get((r["county_code"], r["year"], r["stage"]), 0.0)
        yield f"{r['county_code']} {r['year']}", str(r["stage"]), float(r["moved_too_far"]), float(listed_amount)


def _first_claim(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """No local child sits in another zone, or has no seat, while a migrant child sits in its home zone's grade.

    And no seat of a grade stays empty in any zone of the county, near or far, while a guaranteed child of another zone
    or its own sits in a purchased place or has none.
    """
    moves, t = plan["seat_moves"], plan["seat_zone_classes"]
    out = moves[moves["child_kind"] == "local"].rename(columns={"from_zone": "zone_id"})
    left = out.groupby(["zone_id", "year", "grade"])["children"].sum().rename("left").reset_index()
    t = t.merge(left, on=["zone_id", "year", "grade"], how="left").fillna({"left": 0})
    elsewhere = t["left"] + t["local"] - t["placed_local"]
    for r in t[(elsewhere > 0) & (t["seated_guaranteed"] + t["seated_other"] > 0)].to_dict("records"):
        yield _at("zone_local_first", item=_where(r))
    empty = t["public_seats"] - t[list(_KINDS.values())].sum(axis=1)
    by_cell = [t["county_code"], t["year"], t["grade"]]
    vacant = empty.groupby(by_cell).transform("sum")
    for r in t[(vacant > 0) & (t["placed_purchased"] + t["unplaced"] > 0)].to_dict("records"):
        yield _at("zone_empty_seat", item=_where(r))
    for r in t[(empty > 0) & (t["left"] > 0)].to_dict("records"):
        yield _at("zone_local_first", item=_where(r))


def _repairs(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """What is missing without and with the plan, counted again from demand, today's classes and the plan's grades.

    Where no school stands and the registry names no seats of a class, the classes missing are of the norm.
    """
    options = tables["seat_options"][["county_code", "stage", "usable_seats_per_class", "classrooms"]]
    norms = tables["seat_norms"].set_index("norm_id")["value"].astype(float)
    t = plan["seat_classes"].merge(options, on=["county_code", "stage"], how="left").fillna(0)
    seats = t["classes_base"] * t["usable_seats_per_class"]
    t["before"] = (t["local"] + t["guaranteed"] - seats).clip(lower=0)
    t["still"] = t["local"] - t["placed_local"] + t["unplaced"]
    norm = t["stage"].map({s: norms.get(f"model_class_norm_{s}", 0.0) for s in t["stage"].unique()})
    norm = np.floor(norm * norms.get("model_capacity_factor", 1.0) + 1e-9).where(t["classrooms"] == 0, 0)
    each = t["usable_seats_per_class"].where(t["usable_seats_per_class"] > 0, norm)
    t["missing"] = np.ceil(t["still"] / each.clip(lower=1))
    keys = ["county_code", "year", "stage"]
    sums = t.groupby(keys, sort=True)[["before", "still", "missing"]].sum()
    said = plan["seat_repairs"].set_index(keys)[["short_without_plan", "still_short", "classes_missing"]]
    both = sums.join(said.set_axis(["b", "s", "m"], axis=1), how="outer").fillna(0)
    for name, column in (("before", "b"), ("still", "s"), ("missing", "m")):
        for key in both.index[both[name] != both[column]]:
            item = " ".join(map(str, key))
            yield _at("repair", item=item, value=both.at[key, column], expected=both.at[key, name])


def _senior(plan: Tables, tables: Tables, p: Any) -> Iterator[Finding]:
    """Senior-high places wanted are the leavers of grade 9 of the year before, local and migrant alike (M113)."""
    demand = tables["seat_demand"]
    leavers = demand[demand["grade"] == 9].assign(year=lambda x: x["year"] + 1)
    t = plan["seat_senior"].merge(leavers, on=["county_code", "year"], how="left").fillna(0)
    wrong = (t["leavers_local"] != t["local_children"]) | (t["leavers_migrant"] != t["migrant_children"])
    wrong |= t["senior_places_wanted"] != t["local_children"] + t["migrant_children"]
    for r in t[wrong].to_dict("records"):
        yield _at("senior", item=f"{r['county_code']} {r['year']}")


def _with_shares(tables: Tables) -> pd.DataFrame:
    return tables["seat_zones"][["zone_id", "stage", "share_local", "share_migrant", "share_classrooms"]]


def _where(r: Mapping[Any, Any]) -> str:
    return " ".join(str(r[k]) for k in ("county_code", "zone_id", "year", "stage", "grade") if k in r)


def _at(rule: str, **values: object) -> Finding:
    return finding(f"seat_{rule}", _KEY + rule, **values)
