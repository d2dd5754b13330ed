"""Straight distances between points given by longitude and latitude: one formula for checks, synthesis and models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

KM_PER_DEGREE = 111.195  # a degree of latitude on the mean sphere


def straight_km(
    lon: NDArray[np.float64], lat: NDArray[np.float64], to_lon: NDArray[np.float64], to_lat: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Straight distance from each of n points to each of m points, (n, m), in km.

    Inputs are one-dimensional, in degrees. The earth is flat between two points: longitude shrinks by the cosine of
    their mean latitude (error below 0.1 % within a county). Source: spherical geometry, mean radius 6,371 km.
    """
    here, there = np.asarray(lat, dtype=float)[:, None], np.asarray(to_lat, dtype=float)[None, :]
    east = np.asarray(lon, dtype=float)[:, None] - np.asarray(to_lon, dtype=float)[None, :]
    km: NDArray[np.float64] = np.hypot(east * np.cos(np.radians((here + there) / 2)), here - there) * KM_PER_DEGREE
    return km
