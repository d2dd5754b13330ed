"""Points of counties and institutions, and which groups a service may serve."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd


class Points:
    """Counties, cities and campuses on the unit sphere."""

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        named = [
            tables[t].rename(columns={k: "code"}) for t, k in (("counties", "county_code"), ("cities", "city_code"))
        ]
        t = pd.concat([n[["code", "lon", "lat"]] for n in named])
        lon, lat = np.radians(t["lon"].to_numpy()), np.radians(t["lat"].to_numpy())
        sphere = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
        self._at = dict(zip(t["code"], sphere, strict=True))
        u = tables["universities"]
        campuses = zip(u["moe_code"], u["county_code"], u["city_code"], strict=True)
        self._at |= {moe: self._at[county or city] for moe, county, city in campuses}

    def km(self, one: str, other: str) -> float:
        """Kilometres between two counties or an institution and a county, through the chord of the sphere."""
        return float(2 * 6371.0088 * np.arcsin(np.linalg.norm(self._at[one] - self._at[other]) / 2))


def service_of(theme: str, service: str) -> tuple[str, ...]:
    """The groups of need that a service meets."""
    if theme == "kindergartens":
        return ("employees", "residents") if service == "park" else ()
    if theme == "campuses":
        return ("training",) if service == "training" else ()
    if theme == "practice_centres":
        return ("practice",) if service == "practice" else ()
    return (service,)
