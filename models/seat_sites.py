"""The ground under a county's schools: whole numbers spread over zones, and the rooms that the norm of site allows.

Site is counted by planning zone, because a school cannot use the ground of another: a zone whose schools stand on less
than the norm asks for (old towns) has no free ground, and what another zone has in excess does not help it.
"""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NO_LIMIT = 10**6
"""Rooms that fit where the site or its norm is not known."""


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


def room_site_m2(usable_seats: float, m2_per_pupil: float) -> float:
    """Ground that a class of ``usable_seats`` needs (m²); 0 where the norm is not known (NaN)."""
    return 0.0 if np.isnan(m2_per_pupil) else float(usable_seats * m2_per_pupil)


def area_or_inf(m2: float) -> float:
    """An area in m², infinite where it is not known (NaN)."""
    return inf if np.isnan(m2) else float(m2)


def rooms_that_fit(rooms: Ints, site_m2: Floats, room_m2: float, least: int) -> Ints:
    """Rooms that each zone's schools can add on their own ground, shape (zones,).

    ``rooms`` stand on ``site_m2``; less than the smallest extension (``least``) counts as none. ``NO_LIMIT`` where a
    room needs no ground or the site is infinite.
    """
    if room_m2 <= 0 or not np.isfinite(site_m2).all():
        return np.full(len(rooms), NO_LIMIT, dtype=np.int64)
    fit = np.floor(np.maximum(0.0, site_m2 - rooms * room_m2) / room_m2 + 1e-9).astype(np.int64)
    return np.asarray(np.where(fit >= least, fit, 0), dtype=np.int64)


def grounds(share: Floats, most: int, least: int, fit: Ints) -> Ints:
    """Extension rooms by zone: grounds by largest remainders, what is left with the first largest, no more than fit.

    A ground takes twice the smallest extension less one room, so that on empty grounds whatever a county may build can
    be split into extensions of zones that are none too small. What does not fit a zone's site goes to zones with ground
    left, those that have some already first. The result adds up to ``most``, or to what fits.
    """
    ground = max(1, 2 * least - 1)
    found = spread(share, np.array(most // ground, dtype=np.int64)) * ground
    found[int(np.argmax(found))] += most - most // ground * ground
    found = np.minimum(found, fit)
    left = min(most, int(fit.sum())) - int(found.sum())
    for z in sorted(range(len(fit)), key=lambda z: (found[z] == 0, -(fit[z] - found[z]), z)):
        more = min(left, int(fit[z] - found[z]))
        found[z] += more
        left -= more
    return found
