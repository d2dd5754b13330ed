"""Checks of reach: a group of applicants lives near enough to a school that teaches its grade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zjsim.scenario.checks import Broken, dated_rule
from zjsim.scenario.distance import straight_km

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zjsim.scenario.parameters import Parameters

_STAGES = {"primary": (1, 6, ("primary", "nine_year")), "junior": (7, 9, ("junior", "nine_year"))}


def _nearest(cells: pd.DataFrame, schools: pd.DataFrame) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The nearest school of every cell and its straight distance in km."""
    points = (t[c].to_numpy(float) for t in (cells, schools) for c in ("lon", "lat"))
    km = straight_km(*points)
    return km.argmin(axis=1), km.min(axis=1)


@dated_rule("child_groups", "residence_cells", "schools")
def groups_within_reach(tables: Mapping[str, pd.DataFrame], parameters: Parameters) -> Iterator[Broken]:
    """A school that teaches the grade lies within the distance cap of the cell where a group lives.

    One finding for each county and stage, at the group farthest away. A notice while the nearest schools stay open
    beyond the cap (``placement.nearest_kept``), an error where they do not: then no seat can be reached. Children who
    are at a school already, or whose elder sibling is, have one.
    """
    p = parameters.placement
    if p.candidates != "distance":
        return
    groups, cells = tables["child_groups"], tables["residence_cells"]
    for stage, (low, high, kinds) in _STAGES.items():
        cap = p.primary_cap_km if stage == "primary" else p.junior_cap_km
        asking = groups[
            groups["grade"].between(low, high) & (groups["current_school"] == "") & (groups["children"] > 0)
        ]
        asking = asking[asking["sibling_school"] == ""]
        teaching = tables["schools"][tables["schools"]["stage"].isin(kinds)]
        for county, own in asking.groupby("county_code", sort=True):
            schools = teaching[teaching["county_code"] == county]
            homes = cells[cells["cell_id"].isin(own["cell_id"].unique())]
            if schools.empty or homes.empty:
                continue  # no school at all is told by another rule
            place, km = _nearest(homes, schools)
            distance = pd.Series(km, index=homes["cell_id"])
            of_group = own["cell_id"].map(distance)
            far = own[of_group > cap]
            if far.empty:
                continue
            farthest = int(np.nanargmax(of_group.to_numpy(float)))
            row = int(own.index.to_numpy()[farthest])
            nearest = int(place[homes["cell_id"].to_numpy() == own["cell_id"].iloc[farthest]][0])
            words: dict[str, object] = {
                "county": county,
                "children": int(far["children"].sum()),
                "groups": len(far),
                "cap": f"{cap:g}",
                "school": schools["school_id"].iloc[nearest],
                "km": f"{of_group.max():.1f}",
            }
            severe = p.nearest_kept == 0
            name = "beyond_reach" if severe else "far_from_school"
            yield Broken("child_groups", row, "cell_id", name, words, "error" if severe else "notice")
