"""How a county's children, classrooms, extensions and sites spread over its planning zones: synthetic shares.

No county publishes seats by planning zone. The zones and the schools in them are those of :mod:`zjsim.synthesis.zones`
and :mod:`zjsim.synthesis.schools`, drawn with the same seed and school year as ``zjsim synthesize``: a zone's share of
the classrooms of a stage is its share of the classes of the drawn public schools, so that what opens in a zone adds to
schools that stand there. Grounds for extensions lie where the classrooms are, sites for new schools where the children
are, more in town zones. A county replaces its rows by its own; shares of a county and stage add up to 1 exactly.
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


def shares_of(county: County, zones: Zones, schools: Schools) -> pd.DataFrame:
    """Registry ``seat_zones`` of one county: a row per zone and stage."""
    frames = []
    people = zones.local_share + zones.migrant_share
    for stage, grades in STAGES.items():
        in_public = schools.classes[:, grades].sum(axis=1) * ~schools.private
        classes = np.bincount(schools.at.zone, weights=in_public, minlength=len(zones)).astype(np.float64)
        rooms = _millionths(classes if classes.any() else people)
        frames.append(
            pd.DataFrame(
                {
                    "zone_id": zone_ids(county, np.arange(len(zones))),
                    "stage": stage,
                    "county_code": county.code,
                    "share_local": zones.local_share,
                    "share_migrant": zones.migrant_share,
                    "share_classrooms": rooms,
                    "share_extension": rooms,
                    "share_sites": _millionths(people * _SITE_WEIGHT[zones.kind]),
                    "source_id": "method_seat_zones",
                    "basis": "synthetic",
                }
            )
        )
    return pd.concat(frames).sort_values(["zone_id", "stage"], ignore_index=True)


def _millionths(weights: Floats) -> Floats:
    return np.asarray(largest_remainder(weights, SHARE_UNITS) / SHARE_UNITS, dtype=np.float64)
