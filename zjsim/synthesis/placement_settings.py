"""The numbers that shape the synthetic schools and groups of children, by name."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import pandas as pd


@dataclass(frozen=True)
class Settings:
    """Most likely values of the registry ``placement_parameters``, in the order CP01, CP02, …; shares are 0-1."""

    children_per_zone: float
    applicants_per_cell: float
    town_migrant_weight: float
    rural_migrant_weight: float
    nine_year_share: float
    children_per_private_school: float
    size_variation: float
    use_variation: float
    purchased_share: float
    home_or_talent_share: float
    upper_band_share: float
    middle_band_share: float
    lower_line_points: tuple[float, float, float]
    line_gap_points: tuple[float, float, float]
    points_above_line: float
    decimal_counties_share: float
    heaped_share: float
    sibling_share: float
    together_share: float
    current_school_share: float
    rural_school_size: float

    @classmethod
    def of(cls, table: pd.DataFrame) -> Self:
        """From the registry; a range is kept (low, mode, high) where each county draws its own value."""
        rows = table.set_index("parameter_id")
        values = {}
        for number, field in enumerate(fields(cls), start=1):
            row = {k: float(rows[k].loc[f"CP{number:02d}"]) for k in ("low", "mode", "high")}
            ranged = str(field.type).startswith("tuple")
            values[field.name] = tuple(row.values()) if ranged else row["mode"]
        return cls(**values)  # type: ignore[arg-type]
