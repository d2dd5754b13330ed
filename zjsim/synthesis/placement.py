"""All tables of one school year's placement, county by county, from the county tables of a scenario."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from zjsim.synthesis.children import children_of, group_table
from zjsim.synthesis.placement_settings import Settings
from zjsim.synthesis.proportional import Ints
from zjsim.synthesis.school_counts import schools_by_county, split
from zjsim.synthesis.schools import GRADES, grade_table, school_table, schools_of
from zjsim.synthesis.seat_zones import shares_of
from zjsim.synthesis.tiers import lines_of, tier_table
from zjsim.synthesis.zones import County, cell_table, cells_of, zone_table, zones_of

TABLES = ("planning_zones", "seat_zones", "residence_cells", "schools", "school_grades", "tier_rules", "child_groups")
"""Registries that are synthesised, each before those that refer to it."""
BASELINE_SEED, BASELINE_YEAR = 20241231, 2025
"""Seed and school year of the zones in the baseline: what ``zjsim synthesize baseline`` takes by itself."""


@dataclass(frozen=True)
class Source:
    """What every county's drawing needs: tables, school year, seed, and the schools of each county."""

    tables: Mapping[str, pd.DataFrame]
    year: int
    seed: int
    settings: Settings
    primary: Mapping[str, int]
    junior: Mapping[str, int]
    counties: Mapping[str, County]


def source_of(tables: Mapping[str, pd.DataFrame], year: int, seed: int) -> Source:
    """Gather the inputs of a school year; raises ``ValueError`` if the county tables do not have it."""
    settings = Settings.of(tables["placement_parameters"])
    counties = {c.code: c for c in _counties(tables, year)}
    primary, junior = (schools_by_county(tables, stage, settings) for stage in ("primary", "junior"))
    return Source(tables, year, seed, settings, primary, junior, counties)


def synthesize_county(source: Source, code: str) -> dict[str, pd.DataFrame]:
    """The rows of one county in every table of :data:`TABLES`; they do not depend on any other county's rows."""
    county, settings, seed = source.counties[code], source.settings, source.seed
    zones = zones_of(county, settings, seed)
    cells, cell_share = cells_of(county, zones, settings, seed)
    counts = split(county, source.primary[code], source.junior[code], settings)
    schools = schools_of(county, zones, counts, settings, seed)
    lines = lines_of(code, source.tables["admission_rules"], settings, source.year, seed)
    children = children_of(county, cells, cell_share, schools, lines, settings, seed)
    return {
        "planning_zones": zone_table(county, zones),
        "seat_zones": shares_of(county, zones, schools),
        "residence_cells": cell_table(county, cells),
        "schools": school_table(county, schools),
        "school_grades": grade_table(county, schools, source.year),
        "tier_rules": tier_table({code: lines}),
        "child_groups": group_table(county, cells, schools, lines, children, source.year),
    }


def synthesize_tables(source: Source, codes: Iterable[str]) -> dict[str, pd.DataFrame]:
    """The tables of :data:`TABLES` for the counties ``codes``, in the order of their codes."""
    parts = [synthesize_county(source, code) for code in sorted(set(codes))]
    return {name: pd.concat([p[name] for p in parts], ignore_index=True) for name in TABLES}


def baseline_zones(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The baseline's ``planning_zones`` and ``seat_zones`` again, byte for byte, from its other registries."""
    source = source_of(tables, BASELINE_YEAR, BASELINE_SEED)
    parts = []
    for code in sorted(source.counties):
        county, settings, seed = source.counties[code], source.settings, source.seed
        zones = zones_of(county, settings, seed)
        counts = split(county, source.primary[code], source.junior[code], settings)
        schools = schools_of(county, zones, counts, settings, seed)
        parts.append((zone_table(county, zones), shares_of(county, zones, schools)))
    names = ("planning_zones", "seat_zones")
    return {name: pd.concat([p[k] for p in parts], ignore_index=True) for k, name in enumerate(names)}


def _counties(tables: Mapping[str, pd.DataFrame], year: int) -> list[County]:
    demand, capacity = (_of_year(tables[name], name, year) for name in ("seat_demand", "seat_capacity"))
    share = tables["migrant_calibration"].set_index("county_code")["public_share"]
    most = tables["seat_options"].set_index(["county_code", "stage"])["purchase_places_max"].to_dict()
    found = []
    for row in tables["counties"].sort_values("county_code").to_dict("records"):
        code = str(row["county_code"])
        d, c = demand.get(code), capacity.get(code)
        found.append(
            County(
                code=code,
                name_zh=str(row["name_zh"]),
                name_en=str(row["name_en"]),
                lon=float(row["lon"]),
                lat=float(row["lat"]),
                area_km2=float(row["area_km2"]),
                urban_share=float(row["urban_share"]),
                public_share=float(share.get(code, 0.0)),
                local=_grades(d, "local_children"),
                migrant=_grades(d, "migrant_children"),
                permit=_grades(d, "permit_holders"),
                eligible=_grades(d, "eligible_children"),
                applicants=_grades(d, "applicants"),
                classes=_grades(c, "public_classes"),
                seats=_grades(c, "public_seats"),
                private_places=_grades(c, "private_places"),
                purchase_most=np.array([int(most.get((code, s), 0)) for s in ("primary", "junior")], dtype=np.int64),
            )
        )
    return found


def _of_year(table: pd.DataFrame, name: str, year: int) -> dict[str, pd.DataFrame]:
    rows = table[table["year"] == year]
    if rows.empty:
        raise ValueError(f"{name} has no rows of the school year {year}")
    return {str(code): part.set_index("grade") for code, part in rows.groupby("county_code", sort=True)}


def _grades(rows: pd.DataFrame | None, column: str) -> Ints:
    """A column by grade 1-9, 0 where the table has no row."""
    if rows is None:
        return np.zeros(GRADES, dtype=np.int64)
    return rows[column].reindex(range(1, GRADES + 1), fill_value=0).to_numpy(dtype=np.int64)
