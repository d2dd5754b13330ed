"""Which private schools' zones the purchased places of a county lie in, and from which zones their children come.

The county's plan says how many guaranteed children of a grade sit in purchased places; places are purchased where
private schools stand. As few children as possible further than the scenario's distance, then as few kilometres.
"""

from __future__ import annotations

import numpy as np
from zjsim.models.seat_data import STAGES
from zjsim.models.seat_sites import Floats, Ints

from zjsim.solve.arrays import ArrayProgram, Arrays
from zjsim.solve.options import Options


def purchased_by_zone(waiting: Ints, bought: Ints, places: Ints, km: Floats, far: Ints, options: Options) -> Ints:
    """Children by grade, year, home zone and zone of the private school: (9, Y, Z, Z), whole numbers.

    ``waiting`` (Z, 9, Y): guaranteed children without a public seat by home zone; ``bought`` (9, Y): of them in
    purchased places; ``places`` (Z, 2, Y): places that may be purchased in each zone, together at least the children;
    ``km`` (Z, Z), ``far`` (2, Z, Z) beyond the distance of the stage. A network flow for each stage and year, proven.
    """
    zones = len(waiting)
    found = np.zeros((*bought.shape, zones, zones), dtype=np.int64)
    for s, grades in enumerate(STAGES.values()):
        at = np.arange(grades[0] - 1, grades[-1])
        # A path of improvement visits a zone of places once at most: one far child costs more than all kilometres.
        price = km + far[s] * (2 * zones + 2) * float(np.ceil(km.max() + 1))
        for y in range(bought.shape[1]):
            if bought[at, y].sum():
                found[at, y] = _flow(waiting[:, at, y], bought[at, y], places[:, s, y], price, options)
    return found


def _flow(waiting: Ints, bought: Ints, places: Ints, price: Floats, options: Options) -> Ints:
    """One stage and year: ``waiting`` (Z, G), ``bought`` (G), ``places`` (Z) → children (G, Z, Z).

    Rows: children waiting in a zone and grade; places of a zone; children of a grade in purchased places.
    """
    zones, grades = waiting.shape
    g, z, w = (v.ravel() for v in np.indices((grades, zones, zones)))
    n = len(g)
    cells, zone_rows = grades * zones, grades * zones + zones
    high = np.concatenate([waiting.T.ravel(), places, bought]).astype(np.float64)
    low = np.concatenate([np.full(zone_rows, -np.inf), bought.astype(np.float64)])
    entries = np.stack([g * zones + z, cells + w, zone_rows + g], axis=1).ravel()
    arrays = Arrays(
        price[z, w], np.full(n, np.inf), low, high, np.arange(0, 3 * n + 1, 3), entries, np.ones(3 * n), "columns"
    )
    children = np.rint(ArrayProgram(arrays, options, {"presolve": "off"}).solved()).astype(np.int64)
    return np.asarray(children.reshape(grades, zones, zones))
