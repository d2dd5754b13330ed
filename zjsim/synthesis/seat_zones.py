"""How a county's children, classrooms, extensions and sites spread over its planning zones: synthetic shares.

No county publishes seats by planning zone. The zones and the schools in them are those of :mod:`zjsim.synthesis.zones`
and :mod:`zjsim.synthesis.schools`, drawn with the same seed and school year as ``zjsim synthesize``. Schools drawn
at random put up to 2.7 times as many classes as children into a zone, or none, and so send children away from home
whom no shortage sends. Today nearly every local child has its seat where it lives; hence the calibration: a zone's
share of the classrooms of a stage is its share of the children whom the county must seat in the base year (local
children and permit holders), times what the drawn public schools have more or less than that, held within
``NOISE_MOST``. Grounds for extensions lie where the drawn schools stand, sites for new schools where the children are,
more in town zones. The site of what stands follows the classrooms, with more ground a room outside towns; private
places lie where the drawn private schools stand. A county replaces its rows by its own; shares of a county and stage
add up to 1 exactly.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from zjsim.synthesis.proportional import Floats, largest_remainder
from zjsim.synthesis.schools import GRADES, Schools
from zjsim.synthesis.zones import SHARE_UNITS, County, Zones, zone_ids

STAGES = {"primary": slice(0, 6), "junior": slice(6, GRADES)}
_SITE_WEIGHT = np.array([1.0, 1.5, 0.5])
"""Sites for one child of an urban, town and rural zone: free ground lies at the edge of towns (judgement)."""
_GROUND_WEIGHT = np.array([0.95, 1.0, 1.15])
"""Site for a classroom of an urban, town and rural zone (judgement)."""
NOISE_MOST = 0.1
"""How far a zone's classrooms per child lie from the county's at most, before shares are made to add up (judgement)."""


def shares_of(county: County, zones: Zones, schools: Schools) -> pd.DataFrame:
    """Registry ``seat_zones`` of one county: a row per zone and stage."""
    frames = []
    people = zones.local_share + zones.migrant_share
    for stage, grades in STAGES.items():
        in_public = schools.classes[:, grades].sum(axis=1) * ~schools.private
        classes = np.bincount(schools.at.zone, weights=in_public, minlength=len(zones)).astype(np.float64)
        places = schools.classes[:, grades].sum(axis=1) * schools.private
        private = np.bincount(schools.at.zone, weights=places, minlength=len(zones)).astype(np.float64)
        rooms = _millionths(_near(classes, _to_seat(county, zones, grades)))
        frames.append(
            pd.DataFrame(
                {
                    "zone_id": zone_ids(county, np.arange(len(zones))),
                    "stage": stage,
                    "county_code": county.code,
                    "share_local": zones.local_share,
                    "share_migrant": zones.migrant_share,
                    "share_classrooms": rooms,
                    "share_extension": _millionths(classes if classes.any() else people),
                    "share_sites": _millionths(people * _SITE_WEIGHT[zones.kind]),
                    "share_site": _millionths(rooms * _GROUND_WEIGHT[zones.kind]),
                    "share_private": _millionths(private if private.any() else zones.migrant_share),
                    "source_id": "method_seat_zones",
                    "basis": "synthetic",
                }
            )
        )
    return pd.concat(frames).sort_values(["zone_id", "stage"], ignore_index=True)


def _to_seat(county: County, zones: Zones, grades: slice) -> Floats:
    """Local children and permit holders of a stage by zone."""
    local, permit = float(county.local[grades].sum()), float(county.permit[grades].sum())
    found = zones.local_share * local + zones.migrant_share * permit
    return found if found.any() else zones.local_share + zones.migrant_share


def _near(classes: Floats, children: Floats) -> Floats:
    """Weights that follow ``children``, with the drawn classes as bounded noise."""
    if not classes.any():
        return children
    drawn = classes / classes.sum() * children.sum() / np.maximum(children, 1e-9)
    return np.asarray(children * np.clip(drawn, 1 - NOISE_MOST, 1 + NOISE_MOST), dtype=np.float64)


def _millionths(weights: Floats) -> Floats:
    return np.asarray(largest_remainder(weights, SHARE_UNITS) / SHARE_UNITS, dtype=np.float64)
