"""Planning zones of the seat plan: the county tables spread over zones in whole numbers, to the last child and room.

A *zone* is the area of every zone table: it is indexed by its position in ``Zones.zone_ids``, which is sorted by zone
id and so by county; ``county`` holds the position of its county in ``county_codes``. A county without rows in
``seat_zones`` is one zone, ``<county_code>-Z01``. Stages are indexed 0 (primary), 1 (junior); grades 0-8 (grade 1-9);
years from 0 (the first school year after the as-of date).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from zjsim.models.seat_data import GRADES, STAGES, County, HasTables, counties

from zjsim.scenario.distance import straight_km

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
STAGE_NAMES = tuple(STAGES)
STAGE_OF_GRADE = np.array([STAGE_NAMES.index(s) for s, grades in STAGES.items() for _ in grades])
"""Position of the stage of every grade."""
SHARES = ("share_local", "share_migrant", "share_classrooms", "share_extension", "share_sites")


@dataclass(frozen=True)
class Zones:
    """What the planning zones of all counties start from; shapes Z zones, 2 stages, 9 grades, Y years.

    * ``zone_ids``, ``label_zh``, ``label_en``, ``kind`` (urban, town, rural; empty where the county is one zone),
      ``lon``, ``lat`` (degrees; those of the county where it is one zone); ``county`` (Z) indexes ``county_codes``;
    * ``local``, ``migrant``, ``guaranteed`` (Z, 9, Y): children by home zone; guaranteed are those of the migrant
      children whom the coverage reading guarantees a place. Each cell of the county tables is spread by the shares of
      the stage by largest remainders (the earlier zone first among equals): summed over a county's zones they are the
      registry ``seat_demand``;
    * ``classrooms``, ``extension_max``, ``sites`` (Z, 2): rooms that stand, rooms that extensions may add, sites for
      new schools: summed, the registry ``seat_options``. Extension room comes in grounds that can be built on
      (:func:`_lumps`);
    * ``classes_now`` (Z, 2): public classes of the last school year before the plan, within the classrooms.

    Money, staff and purchased places stay with the county (:class:`zjsim.models.seat_data.County`): teachers are
    employed by the county (县管校聘), budgets and purchases are the county's.
    """

    years: tuple[int, ...]
    county_codes: tuple[str, ...]
    county: Ints
    zone_ids: tuple[str, ...]
    label_zh: tuple[str, ...]
    label_en: tuple[str, ...]
    kind: tuple[str, ...]
    lon: Floats
    lat: Floats
    local: Ints
    migrant: Ints
    guaranteed: Ints
    classrooms: Ints
    extension_max: Ints
    sites: Ints
    classes_now: Ints

    def of(self, code: str) -> slice:
        """Positions of the zones of a county."""
        where = np.flatnonzero(self.county == self.county_codes.index(code))
        return slice(int(where[0]), int(where[-1]) + 1)

    def distances_km(self, code: str) -> Floats:
        """Straight distances between the zones of a county, square; 0 from a zone to itself."""
        here = self.of(code)
        lon, lat = self.lon[here], self.lat[here]
        return np.asarray(np.round(straight_km(lon, lat, lon, lat), 3), dtype=np.float64)


def spread(weights: Floats, totals: Ints) -> Ints:
    """Whole numbers in proportion to ``weights`` (Z, …) that add up to ``totals`` (…): largest remainders.

    The earlier zone comes first among equals; weights that are all 0 in a column count as equal.
    """
    w = np.asarray(weights, dtype=np.float64)
    w = w[(...,) + (None,) * (totals.ndim + 1 - w.ndim)] if w.ndim < totals.ndim + 1 else w
    w = np.broadcast_to(w, (w.shape[0], *totals.shape))
    whole = w.sum(axis=0)
    exact = np.where(whole > 0, w / np.where(whole > 0, whole, 1.0), 1.0 / len(w)) * totals
    result = np.floor(exact + 1e-9).astype(np.int64)
    left = totals - result.sum(axis=0)
    order = np.argsort(-(exact - result), axis=0, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(len(w))[(...,) + (None,) * totals.ndim], order.shape), 0)
    return np.asarray(result + (rank < left), dtype=np.int64)


def zones(scenario: HasTables, places: list[County] | None = None) -> Zones:
    """The zones of all counties of a scenario; ``places`` are its counties if they have been read already."""
    places = counties(scenario) if places is None else places
    table = scenario.table("planning_zones").set_index("zone_id")
    rows = scenario.table("seat_zones")
    shares = {str(code): part for code, part in rows.groupby("county_code", sort=True)}
    centre = scenario.table("counties").set_index("county_code")
    parts = [_county(d, shares.get(d.code), table, centre.loc[d.code]) for d in places]
    whole: dict[str, Any] = {k: np.concatenate([p[k] for p in parts]) for k in ("lon", "lat", *_ARRAYS)}
    names: dict[str, Any] = {k: tuple(str(v) for p in parts for v in p[k]) for k in _NAMES}
    county = np.repeat(np.arange(len(places)), [len(p["zone_ids"]) for p in parts])
    years = places[0].years if places else ()
    return Zones(years=years, county_codes=tuple(d.code for d in places), county=county, **names, **whole)


_NAMES = ("zone_ids", "label_zh", "label_en", "kind")
_ARRAYS = ("local", "migrant", "guaranteed", "classrooms", "extension_max", "sites", "classes_now")


def _county(d: County, rows: pd.DataFrame | None, table: pd.DataFrame, centre: Any) -> dict[str, Any]:
    """Names and arrays of one county's zones."""
    if rows is None or rows.empty:
        ids = [f"{d.code}-Z01"]
        names = {"zone_ids": ids, "label_zh": [d.name_zh], "label_en": [d.name_en], "kind": [""]}
        point = {"lon": np.array([float(centre["lon"])]), "lat": np.array([float(centre["lat"])])}
        share = {name: np.ones((1, len(STAGES))) for name in SHARES}
    else:
        wide = rows.pivot_table(index="zone_id", columns="stage", values=list(SHARES), aggfunc="sum").fillna(0.0)
        here = table.loc[wide.index]
        names = {"zone_ids": list(wide.index)} | {k: list(here[k]) for k in ("label_zh", "label_en", "kind")}
        point = {k: here[k].to_numpy(dtype=float) for k in ("lon", "lat")}
        share = {n: np.column_stack([wide[n].get(s, 0.0 * wide.iloc[:, 0]) for s in STAGE_NAMES]) for n in SHARES}
    return names | point | _numbers(d, share)


def _numbers(d: County, share: Mapping[str, Floats]) -> dict[str, Ints]:
    """The county's children and rooms by zone, from shares of shape (zones, stages)."""
    by_grade = {k: share[k][:, STAGE_OF_GRADE][:, :, None] for k in ("share_local", "share_migrant")}
    local, migrant, guaranteed = (_cells(d, v) for v in (d.local, d.migrant, d.covered))
    migrants = spread(by_grade["share_migrant"], migrant)
    stages = [d.stages[s] for s in STAGE_NAMES]
    rooms = spread(share["share_classrooms"], np.array([s.classrooms for s in stages], dtype=np.int64))
    extension = [
        _lumps(share["share_extension"][:, k], s.extension_rooms_max, s.extension_rooms_min)
        for k, s in enumerate(stages)
    ]
    now = np.array([min(s.base_classes, s.classrooms) for s in stages], dtype=np.int64)
    return {
        "local": spread(by_grade["share_local"], local),
        "migrant": migrants,
        "guaranteed": spread(migrants.astype(np.float64), guaranteed),
        "classrooms": rooms,
        "extension_max": np.column_stack(extension),
        "sites": spread(share["share_sites"], np.array([s.school_sites for s in stages], dtype=np.int64)),
        "classes_now": spread(rooms.astype(np.float64), now),
    }


def _cells(d: County, values: Mapping[tuple[int, int], int]) -> Ints:
    return np.array([[values[g, y] for y in d.years] for g in GRADES], dtype=np.int64)


def _lumps(share: Floats, most: int, least: int) -> Ints:
    """Extension rooms by zone: grounds by largest remainders, what is left with the first largest.

    A ground takes twice the smallest extension less one room, so that on empty grounds whatever a county may build can
    be split into extensions of zones that are none too small.
    """
    ground = max(1, 2 * least - 1)
    found = spread(share, np.array(most // ground, dtype=np.int64)) * ground
    found[int(np.argmax(found))] += most - most // ground * ground
    return found
