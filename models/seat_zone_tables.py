"""The zones' plan as tables: by zone, year and stage; by zone, year and grade; every move between zones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.seat_data import GRADES, HasTables
from zjsim.models.seat_sites import Floats, Ints
from zjsim.models.seat_zone_plan import GUARANTEED, KINDS, LOCAL, OTHER, ZonePlan
from zjsim.models.seat_zones import STAGE_NAMES, STAGE_OF_GRADE, Zones

from zjsim.texts import text

MOVE_COLUMNS = (
    *("county_code", "from_zone", "to_zone", "year", "grade", "stage", "child_kind", "children", "distance_km"),
    "too_far",
)
PURCHASE_COLUMNS = (
    *("county_code", "from_zone", "to_zone", "year", "grade", "stage", "children", "distance_km", "too_far"),
    "basis",
)


def zone_tables(plans: Sequence[ZonePlan], zones: Zones, scenario: HasTables) -> dict[str, pd.DataFrame]:
    """Tables ``seat_zone_years``, ``seat_zone_classes``, ``seat_moves`` and ``seat_zone_purchases``.

    They are sorted by zone, year, stage or grade.
    """
    area = area_norms(scenario)
    years = [_years(p, zones, area) for p in plans]
    classes = [_classes(p, zones) for p in plans]
    moves = [_moves(p, zones) for p in plans]
    return {
        "seat_zone_years": pd.concat(years, ignore_index=True),
        "seat_zone_classes": pd.concat(classes, ignore_index=True),
        "seat_moves": pd.concat(moves, ignore_index=True)[list(MOVE_COLUMNS)],
        "seat_zone_purchases": pd.concat([_purchases(p, zones) for p in plans], ignore_index=True),
    }


def area_norms(scenario: HasTables) -> Floats:
    """Teaching and sports area a pupil by stage (m²), from the norms of quality and balance."""
    norms = scenario.table("seat_norms").set_index("norm_id")["value"]
    topics = ("teaching_area_per_pupil", "sports_area_per_pupil")
    return np.array([fsum(float(norms.get(f"{t}_{s}", 0.0)) for t in topics) for s in STAGE_NAMES])


def seated(p: ZonePlan) -> Ints:
    """Children by kind and the zone of their public seat (3, Z, 9, Y)."""
    return np.asarray(p.stay + p.moves.sum(axis=3).transpose(0, 3, 1, 2), dtype=np.int64)


def _by_stage(cells: Ints) -> Ints:
    """(Z, 9, Y) summed over the grades of each stage: (Z, 2, Y)."""
    return np.stack([cells[:, k == STAGE_OF_GRADE].sum(axis=1) for k in range(len(STAGE_NAMES))], axis=1)


def _index(p: ZonePlan, zones: Zones, inner: str, values: Sequence[Any]) -> dict[str, Any]:
    """Key columns of zone × year × ``inner``, in that order."""
    ids, years = np.array(zones.zone_ids[p.here], dtype=object), np.array(p.county.years)
    n, y, k = len(ids), len(years), len(values)
    return {
        "county_code": p.county.code,
        "zone_id": np.repeat(ids, y * k),
        "year": np.tile(np.repeat(years, k), n),
        inner: np.tile(np.array(values, dtype=object), n * y),
    }


def _flat(cells: Any) -> Any:
    """(Z, K, Y) in the order of :func:`_index`."""
    return np.asarray(cells).transpose(0, 2, 1).ravel()


def _years(p: ZonePlan, zones: Zones, area: Floats) -> pd.DataFrame:
    d, b, here = p.county, p.building, p.here
    usable = np.array([d.stages[s].usable_seats_per_class for s in STAGE_NAMES])[None, :, None]
    home = [_by_stage(v[here]) for v in (zones.local, zones.guaranteed, zones.migrant - zones.guaranteed)]
    classes, sitting = _by_stage(p.classes), [_by_stage(v) for v in seated(p)]
    before = np.concatenate([zones.classes_now[here][:, :, None], classes[:, :, :-1]], axis=2)
    out = p.moves.sum(axis=4).transpose(0, 3, 1, 2)
    into = p.moves.sum(axis=(0, 3)).transpose(2, 0, 1)
    far = (p.moves * p.far[STAGE_OF_GRADE][None, :, None]).sum(axis=(0, 4)).transpose(2, 0, 1)
    absent, bought = [_by_stage(v) for v in p.absent], _by_stage(p.bought)
    built = b.extension + b.school_rooms
    each = np.array([d.stages[s].room_site_m2 for s in STAGE_NAMES])[None, :, None]
    free = np.broadcast_to(zones.free_site_m2[here][:, :, None], b.extension.shape)
    columns = {
        "local": home[LOCAL],
        "guaranteed": home[GUARANTEED],
        "not_guaranteed": home[OTHER],
        "rooms": b.rooms,
        "extension_rooms": b.extension,
        "new_schools": b.schools,
        "new_school_rooms": b.school_rooms,
        "converted_rooms": b.converted,
        "area_needed_m2": np.round(built * usable * area[None, :, None], 1),
        "free_site_m2": np.where(np.isfinite(free), np.round(free, 1), np.nan),
        "extension_site_m2": np.round(b.extension * each, 1),
        "new_school_site_m2": np.round(b.school_rooms * each, 1),
        "classes": classes,
        "classes_opened": np.maximum(0, classes - before),
        "public_seats": classes * usable,
        "seated_local": sitting[LOCAL],
        "seated_migrant": sitting[GUARANTEED] + sitting[OTHER],
        "empty_seats": classes * usable - sum(sitting),
        "placed_local": home[LOCAL] - absent[LOCAL],
        "placed_public": home[GUARANTEED] - absent[GUARANTEED],
        "placed_public_other": home[OTHER] - absent[OTHER],
        "placed_purchased": bought,
        "private_places": zones.private[here],
        "purchasable_places": zones.purchasable[here],
        "purchased_here": _by_stage(p.bought_at),
        "local_unplaced": absent[LOCAL],
        "unplaced": absent[GUARANTEED] - bought,
        "moved_out_local": _by_stage(out[LOCAL]),
        "moved_out_migrant": _by_stage(out[GUARANTEED] + out[OTHER]),
        "moved_in": _by_stage(into),
        "moved_too_far": _by_stage(far),
    }
    keys = _index(p, zones, "stage", STAGE_NAMES)
    repeat = len(d.years) * len(STAGE_NAMES)
    names: dict[str, Any] = {"county_zh": d.name_zh, "county_en": d.name_en}
    for lang, labels in (("zh", zones.label_zh), ("en", zones.label_en)):
        names[f"zone_{lang}"] = np.repeat(np.array(labels[here], dtype=object), repeat)
    names["zone_kind"] = np.repeat(np.array(zones.kind[here], dtype=object), repeat)
    first = {k: keys[k] for k in ("county_code", "zone_id")} | names | {k: keys[k] for k in ("year", "stage")}
    note = {"basis": "synthetic", **{f"note_{lang}": text("seats.basis_note", lang) for lang in ("zh", "en")}}
    return pd.DataFrame(first | {k: _flat(v) for k, v in columns.items()} | note)


def _classes(p: ZonePlan, zones: Zones) -> pd.DataFrame:
    here, d = p.here, p.county
    usable = np.array([d.stages[s].usable_seats_per_class for s in STAGE_NAMES])[STAGE_OF_GRADE][None, :, None]
    home = (zones.local[here], zones.guaranteed[here], (zones.migrant - zones.guaranteed)[here])
    sitting = seated(p)
    columns: Mapping[str, Any] = {
        "classes": p.classes,
        "public_seats": p.classes * usable,
        "local": home[LOCAL],
        "guaranteed": home[GUARANTEED],
        "not_guaranteed": home[OTHER],
        "placed_local": home[LOCAL] - p.absent[LOCAL],
        "placed_public": home[GUARANTEED] - p.absent[GUARANTEED],
        "placed_public_other": home[OTHER] - p.absent[OTHER],
        "placed_purchased": p.bought,
        "unplaced": p.absent[GUARANTEED] - p.bought,
        "seated_local": sitting[LOCAL],
        "seated_guaranteed": sitting[GUARANTEED],
        "seated_other": sitting[OTHER],
    }
    keys = _index(p, zones, "grade", GRADES)
    keys["grade"] = keys["grade"].astype(np.int64)
    stage = np.array(STAGE_NAMES, dtype=object)[STAGE_OF_GRADE[keys["grade"] - 1]]
    return pd.DataFrame(keys | {"stage": stage} | {k: _flat(v) for k, v in columns.items()})


def _moves(p: ZonePlan, zones: Zones) -> pd.DataFrame:
    """A row per home zone, zone of the seat, year, grade and kind of children; only where somebody moves."""
    kind, g, y, z, w = np.nonzero(p.moves)
    order = np.lexsort((kind, g, y, w, z))
    kind, g, y, z, w = (v[order] for v in (kind, g, y, z, w))
    ids = np.array(zones.zone_ids[p.here], dtype=object)
    return pd.DataFrame(
        {
            "county_code": np.full(len(z), p.county.code, dtype=object),
            "from_zone": ids[z],
            "to_zone": ids[w],
            "year": np.array(p.county.years, dtype=np.int64)[y],
            "grade": g + 1,
            "stage": np.array(STAGE_NAMES, dtype=object)[STAGE_OF_GRADE[g]],
            "child_kind": np.array(KINDS, dtype=object)[kind],
            "children": p.moves[kind, g, y, z, w],
            "distance_km": p.distance_km[z, w],
            "too_far": p.far[STAGE_OF_GRADE[g], z, w].astype(bool),
        }
    )


def _purchases(p: ZonePlan, zones: Zones) -> pd.DataFrame:
    """A row per home zone, zone of the private school, year and grade; only where children sit in purchased places."""
    g, y, z, w = np.nonzero(p.purchases)
    order = np.lexsort((g, y, w, z))
    g, y, z, w = (v[order] for v in (g, y, z, w))
    ids = np.array(zones.zone_ids[p.here], dtype=object)
    return pd.DataFrame(
        {
            "county_code": np.full(len(z), p.county.code, dtype=object),
            "from_zone": ids[z],
            "to_zone": ids[w],
            "year": np.array(p.county.years, dtype=np.int64)[y],
            "grade": g + 1,
            "stage": np.array(STAGE_NAMES, dtype=object)[STAGE_OF_GRADE[g]],
            "children": p.purchases[g, y, z, w],
            "distance_km": p.distance_km[z, w],
            "too_far": p.far[STAGE_OF_GRADE[g], z, w].astype(bool),
            "basis": np.full(len(z), "synthetic", dtype=object),
        }
    )[list(PURCHASE_COLUMNS)]
