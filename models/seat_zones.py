"""Planning zones of the seat plan: the county tables spread over zones in whole numbers, to the last child and room.

A *zone* is the area of every zone table: it is indexed by its position in ``Zones.zone_ids``, which is sorted by zone
id and so by county; ``county`` holds the position of its county in ``county_codes``. A county without rows in
``seat_zones`` is one zone, ``<county_code>-Z01``. Stages are indexed 0 (primary), 1 (junior); grades 0-8 (grade 1-9);
years from 0 (the first school year after the as-of date).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import pandas as pd
from zjsim.models.seat_data import GRADES, STAGES, County, HasTables, counties
from zjsim.models.seat_sites import Floats, Ints, area_or_inf, grounds, rooms_that_fit, spread

from zjsim.scenario.distance import straight_km

STAGE_NAMES = tuple(STAGES)
STAGE_OF_GRADE = np.array([STAGE_NAMES.index(s) for s, grades in STAGES.items() for _ in grades])
"""Position of the stage of every grade."""
SHARES = ("share_local", "share_migrant", "share_classrooms", "share_extension", "share_sites")
KNOWN_BY = {"share_site": "share_classrooms", "share_private": "share_migrant"}
"""Shares that may be empty, and what they then follow."""


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
      new schools: summed, the registry ``seat_options`` (extensions: as far as the schools' ground takes them).
      Extension room comes in grounds that can be built on (:func:`zjsim.models.seat_sites.grounds`);
    * ``site_m2``, ``free_site_m2`` (Z, 2): ground of the schools that stand, and of it what the norm leaves free, in
      whole rooms; infinite where not known;
    * ``private``, ``purchasable`` (Z, 2, Y): places of private schools in the zone and those that may be purchased:
      summed, the county's;
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
    site_m2: Floats
    free_site_m2: Floats
    private: Ints
    purchasable: Ints

    def of(self, code: str) -> slice:
        """Positions of the zones of a county."""
        where = np.flatnonzero(self.county == self.county_codes.index(code))
        return slice(int(where[0]), int(where[-1]) + 1)

    def distances_km(self, code: str) -> Floats:
        """Straight distances between the zones of a county, square; 0 from a zone to itself."""
        here = self.of(code)
        lon, lat = self.lon[here], self.lat[here]
        return np.asarray(np.round(straight_km(lon, lat, lon, lat), 3), dtype=np.float64)


def zones(scenario: HasTables, places: list[County] | None = None) -> Zones:
    """The zones of all counties of a scenario; ``places`` are its counties if they have been read already."""
    places = counties(scenario) if places is None else places
    table = scenario.table("planning_zones").set_index("zone_id")
    rows = scenario.table("seat_zones")
    shares = {str(code): part for code, part in rows.groupby("county_code", sort=True)}
    centre = scenario.table("counties").set_index("county_code")
    known = _sites(scenario.table("seat_options"))
    parts = [_county(d, shares.get(d.code), table, centre.loc[d.code], known) for d in places]
    whole: dict[str, Any] = {k: np.concatenate([p[k] for p in parts]) for k in ("lon", "lat", *_ARRAYS)}
    names: dict[str, Any] = {k: tuple(str(v) for p in parts for v in p[k]) for k in _NAMES}
    county = np.repeat(np.arange(len(places)), [len(p["zone_ids"]) for p in parts])
    years = places[0].years if places else ()
    return Zones(years=years, county_codes=tuple(d.code for d in places), county=county, **names, **whole)


_NAMES = ("zone_ids", "label_zh", "label_en", "kind")
_ARRAYS = (
    *("local", "migrant", "guaranteed", "classrooms", "extension_max", "sites", "classes_now", "site_m2"),
    *("free_site_m2", "private", "purchasable"),
)


def _sites(options: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Site of the schools that stand, by county and stage (m², infinite where not known)."""
    rows = zip(options["county_code"], options["stage"], options["site_m2"], strict=True)
    return {(str(c), str(s)): area_or_inf(float(m2)) for c, s, m2 in rows}


def _county(
    d: County,
    rows: pd.DataFrame | None,
    table: pd.DataFrame,
    centre: Any,
    sites_m2: Mapping[tuple[str, str], float],
) -> dict[str, Any]:
    """Names and arrays of one county's zones."""
    if rows is None or rows.empty:
        ids = [f"{d.code}-Z01"]
        names = {"zone_ids": ids, "label_zh": [d.name_zh], "label_en": [d.name_en], "kind": [""]}
        point = {"lon": np.array([float(centre["lon"])]), "lat": np.array([float(centre["lat"])])}
        share = {name: np.ones((1, len(STAGES))) for name in (*SHARES, *KNOWN_BY)}
    else:
        rows = rows.assign(**{name: rows[name].fillna(rows[other]) for name, other in KNOWN_BY.items()})
        names_of = [*SHARES, *KNOWN_BY]
        wide = rows.pivot_table(index="zone_id", columns="stage", values=names_of, aggfunc="sum").fillna(0.0)
        here = table.loc[wide.index]
        names = {"zone_ids": list(wide.index)} | {k: list(here[k]) for k in ("label_zh", "label_en", "kind")}
        point = {k: here[k].to_numpy(dtype=float) for k in ("lon", "lat")}
        share = {n: np.column_stack([wide[n].get(s, 0.0 * wide.iloc[:, 0]) for s in STAGE_NAMES]) for n in names_of}
    return names | point | _numbers(d, share, np.array([sites_m2.get((d.code, s), inf) for s in STAGE_NAMES]))


def _numbers(d: County, share: Mapping[str, Floats], site_m2: Floats) -> dict[str, Any]:
    """The county's children and rooms by zone, from shares of shape (zones, stages)."""
    by_grade = {k: share[k][:, STAGE_OF_GRADE][:, :, None] for k in ("share_local", "share_migrant")}
    local, migrant, guaranteed = (_cells(d, v) for v in (d.local, d.migrant, d.covered))
    migrants = spread(by_grade["share_migrant"], migrant)
    stages = [d.stages[s] for s in STAGE_NAMES]
    rooms = spread(share["share_classrooms"], np.array([s.classrooms for s in stages], dtype=np.int64))
    known = np.isfinite(site_m2)
    ground = np.where(known, share["share_site"] * np.where(known, site_m2, 0.0), inf)
    fit = [
        rooms_that_fit(rooms[:, k], ground[:, k], s.room_site_m2, s.extension_rooms_min) for k, s in enumerate(stages)
    ]
    extension = [
        grounds(share["share_extension"][:, k], s.extension_rooms_that_fit, s.extension_rooms_min, fit[k])
        for k, s in enumerate(stages)
    ]
    free = [
        np.where(np.isfinite(ground[:, k]) & (s.room_site_m2 > 0), fit[k] * s.room_site_m2, inf)
        for k, s in enumerate(stages)
    ]
    places = np.array([[d.private_places[s, y] for y in d.years] for s in STAGE_NAMES], dtype=np.int64)
    most = np.array([[s.purchase_places_max] for s in stages], dtype=np.int64)
    private = spread(share["share_private"][:, :, None], places)
    now = np.array([min(s.base_classes, s.classrooms) for s in stages], dtype=np.int64)
    return {
        "local": spread(by_grade["share_local"], local),
        "migrant": migrants,
        "guaranteed": spread(migrants.astype(np.float64), guaranteed),
        "classrooms": rooms,
        "extension_max": np.column_stack(extension),
        "sites": spread(share["share_sites"], np.array([s.school_sites for s in stages], dtype=np.int64)),
        "classes_now": spread(rooms.astype(np.float64), now),
        "site_m2": ground,
        "free_site_m2": np.column_stack(free),
        "private": private,
        "purchasable": spread(private.astype(np.float64), np.minimum(places, most)),
    }


def _cells(d: County, values: Mapping[tuple[int, int], int]) -> Ints:
    return np.array([[values[g, y] for y in d.years] for g in GRADES], dtype=np.int64)
