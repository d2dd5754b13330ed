"""Points of counties, cities and institutions on the sphere, for the audit's own distances."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def chord_km(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Great-circle distance in km of unit-sphere chords (…, 3); mean radius of the earth 6,371.0088 km."""
    return np.asarray(2 * 6371.0088 * np.arcsin(np.linalg.norm(vector, axis=-1) / 2))


class Points:
    """Counties, cities and campuses on the unit sphere."""

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        named = [
            tables[t].rename(columns={k: "code"}) for t, k in (("counties", "county_code"), ("cities", "city_code"))
        ]
        t = pd.concat([n[["code", "lon", "lat"]] for n in named])
        lon, lat = np.radians(t["lon"].to_numpy()), np.radians(t["lat"].to_numpy())
        sphere = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
        self._at: dict[str, NDArray[np.float64]] = dict(zip(t["code"], sphere, strict=True))
        u = tables["universities"]
        campuses = zip(u["moe_code"], u["county_code"], u["city_code"], strict=True)
        self._at |= {moe: self._at[county or city] for moe, county, city in campuses}

    def at(self, code: str) -> NDArray[np.float64]:
        """Unit vector (3,) of a county, a city or an institution; ``KeyError`` for an unknown code."""
        return self._at[code]

    def km(self, one: str, other: str) -> float:
        """Kilometres between two counties or an institution and a county, through the chord of the sphere."""
        return float(chord_km(self._at[one] - self._at[other]))
