"""Planning zones and residence cells: synthetic, within the circle of the county's area around its point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from zjsim.scenario.distance import KM_PER_DEGREE
from zjsim.synthesis.draws import apportion, triangular, uniforms
from zjsim.synthesis.placement_settings import Settings
from zjsim.synthesis.proportional import Floats, Ints, largest_remainder

URBAN, TOWN, RURAL = 0, 1, 2
KINDS = ("urban", "town", "rural")
FEWEST_ZONES, MOST_ZONES, FEWEST_CELLS = 3, 12, 3
SHARE_UNITS = 1_000_000
"""Shares are whole millionths, so that those of a county add up to 1 exactly."""

_ALL_URBAN_FROM = 0.97
_URBAN_PER_TOWN = 2.0
"""Residents of an urban zone for one of a town zone."""
_AREA_WEIGHT = np.array([0.5, 1.5, 4.0])
_RADIUS_MOST_KM = np.array([4.0, 7.0, 12.0])
_SETTLED_SHARE = 0.8
_OUTWARD = np.array([0.35, 0.8, 1.0])
"""How far out zones of a kind lie, as a share of the county's circle."""
_GOLDEN_ANGLE = 2 * np.pi * 0.6180339887498949


@dataclass(frozen=True)
class County:
    """What is known of a county and its school year: children, applicants, classes, seats and places by grade 1-9."""

    code: str
    name_zh: str
    name_en: str
    lon: float
    lat: float
    area_km2: float
    urban_share: float
    public_share: float
    local: Ints
    migrant: Ints
    permit: Ints
    eligible: Ints
    applicants: Ints
    classes: Ints
    seats: Ints
    private_places: Ints
    purchase_most: Ints
    """Most purchasable places by stage (primary, junior)."""

    @property
    def radius_km(self) -> float:
        """Radius of the circle that has the county's area."""
        return float(np.sqrt(self.area_km2 / np.pi))


@dataclass(frozen=True)
class Zones:
    """Zones of a county, one entry each: kind, centre (km east and north of the county's point), radius, shares."""

    kind: Ints
    east_km: Floats
    north_km: Floats
    radius_km: Floats
    local_share: Floats
    migrant_share: Floats

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True)
class Places:
    """Points with the zone they lie in (index from 0), in km east and north of the county's point."""

    zone: Ints
    east_km: Floats
    north_km: Floats


def zones_of(county: County, settings: Settings, seed: int) -> Zones:
    """Draw the zones: 3 to 12 by the number of children; urban ones near the middle, rural ones wide and outside."""
    children = int(county.local.sum() + county.migrant.sum())
    n = int(np.clip(round(children / settings.children_per_zone), FEWEST_ZONES, MOST_ZONES))
    kind = _kinds(n, county.urban_share)
    u = uniforms(seed, "zones", county.code, 5 * MOST_ZONES).reshape(MOST_ZONES, 5)[:n]
    share = _population(kind, county.urban_share) * (0.6 + 0.8 * u[:, 0])
    migrant = (
        share
        * np.array([1.0, settings.town_migrant_weight, settings.rural_migrant_weight])[kind]
        * (0.6 + 0.8 * u[:, 1])
    )
    area = _AREA_WEIGHT[kind] * (0.7 + 0.6 * u[:, 2])
    area = area / area.sum() * county.area_km2 * _SETTLED_SHARE
    radius = np.minimum(np.sqrt(area / np.pi), np.minimum(_RADIUS_MOST_KM[kind], 0.6 * county.radius_km))
    distance = (county.radius_km - radius) * _OUTWARD[kind] * np.sqrt(u[:, 3])
    angle = _GOLDEN_ANGLE * np.arange(n) + 2 * np.pi * (u[0, 4] + 0.05 * u[:, 4])
    return Zones(
        kind,
        distance * np.cos(angle),
        distance * np.sin(angle),
        radius,
        largest_remainder(share, SHARE_UNITS) / SHARE_UNITS,
        largest_remainder(migrant, SHARE_UNITS) / SHARE_UNITS,
    )


def _kinds(n: int, urban_share: float) -> Ints:
    if urban_share >= _ALL_URBAN_FROM:
        return np.full(n, URBAN, dtype=np.int64)
    rural = int(np.clip(round(n * (1 - urban_share)), 1, n - 1))
    urban = max(1, round((n - rural) / 2))
    return np.repeat(np.array([URBAN, TOWN, RURAL], dtype=np.int64), (urban, n - rural - urban, rural))


def _population(kind: Ints, urban_share: float) -> Floats:
    """Share of the county's residents in each zone, before variation."""
    urban, town, rural = (int((kind == k).sum()) for k in (URBAN, TOWN, RURAL))
    settled = urban_share if rural else 1.0
    unit = settled / (_URBAN_PER_TOWN * urban + town)
    each = np.array([_URBAN_PER_TOWN * unit, unit, (1 - settled) / max(rural, 1)])
    return np.asarray(each[kind])


def scatter(zones: Zones, zone: Ints, u: Floats) -> Places:
    """Points spread evenly over the circles of their zones; ``u`` has two numbers for each (shape (n, 2))."""
    distance = zones.radius_km[zone] * np.sqrt(u[:, 0])
    angle = 2 * np.pi * u[:, 1]
    east = zones.east_km[zone] + distance * np.cos(angle)
    return Places(zone, east, zones.north_km[zone] + distance * np.sin(angle))


def cells_of(county: County, zones: Zones, settings: Settings, seed: int) -> tuple[Places, Floats]:
    """Residence cells and the share of the county's applicants in each (adds up to 1)."""
    wanted = max(FEWEST_CELLS * len(zones), round(int(county.applicants.sum()) / settings.applicants_per_cell))
    count = apportion(wanted, zones.migrant_share, low=FEWEST_CELLS)
    zone = np.repeat(np.arange(len(zones)), count)
    u = uniforms(seed, "cells", county.code, 3 * len(zone)).reshape(-1, 3)
    size = triangular(0.2, 0.6, 3.0, u[:, 2])
    within = np.bincount(zone, weights=size, minlength=len(zones))
    return scatter(zones, zone, u[:, :2]), zones.migrant_share[zone] * size / within[zone]


def degrees(county: County, east_km: Floats, north_km: Floats) -> tuple[Floats, Floats]:
    """Longitude and latitude of points given in km from the county's point; five decimals, about one metre."""
    lon = county.lon + east_km / (KM_PER_DEGREE * np.cos(np.radians(county.lat)))
    return np.round(lon, 5), np.round(county.lat + north_km / KM_PER_DEGREE, 5)


def zone_ids(county: County, zone: Ints) -> list[str]:
    """Ids of zones given by index."""
    return [f"{county.code}-Z{z + 1:02d}" for z in zone.tolist()]


def cell_ids(county: County, cell: Ints) -> list[str]:
    """Ids of residence cells given by index."""
    return [f"{county.code}-C{c + 1:04d}" for c in cell.tolist()]


def zone_table(county: County, zones: Zones) -> pd.DataFrame:
    """Registry ``planning_zones`` of one county."""
    lon, lat = degrees(county, zones.east_km, zones.north_km)
    index = np.arange(len(zones))
    return pd.DataFrame(
        {
            "zone_id": zone_ids(county, index),
            "county_code": county.code,
            "label_zh": [f"{county.name_zh}第{i + 1:02d}区块（合成）" for i in index],
            "label_en": [f"{county.name_en} zone {i + 1:02d} (synthetic)" for i in index],
            "kind": [KINDS[k] for k in zones.kind],
            "lon": lon,
            "lat": lat,
            "radius_km": np.ceil(zones.radius_km * 1000) / 1000,
            "share_local": zones.local_share,
            "share_migrant": zones.migrant_share,
            "source_id": "method_planning_zones",
            "basis": "synthetic",
        }
    )


def cell_table(county: County, cells: Places) -> pd.DataFrame:
    """Registry ``residence_cells`` of one county."""
    lon, lat = degrees(county, cells.east_km, cells.north_km)
    return pd.DataFrame(
        {
            "cell_id": cell_ids(county, np.arange(len(cells.zone))),
            "county_code": county.code,
            "zone_id": zone_ids(county, cells.zone),
            "lon": lon,
            "lat": lat,
            "source_id": "method_planning_zones",
            "basis": "synthetic",
        }
    )
