"""Sites of schools: the norm of site per pupil from what public documents say, and assumed sites by county.

No county publishes the site of its schools. The norm is made of three documents: building area per pupil of a school of
24 classes (planning figure of the urban standard) over the floor area ratio, plus the sports area per pupil of the
national inspection of balance. What stands has the norm times a factor drawn by county and stage (an assumption with
its range); a site for a new school has an assumed area. A county replaces both by its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from zjsim.synthesis.cohorts import norm
from zjsim.synthesis.draws import triangular, uniforms

_CLASSES = 24
_M2_PER_MU = 666.667


def site_norm(tables: Mapping[str, pd.DataFrame], stage: str) -> float:
    """Site per pupil of a stage (m²), to the tenth: what ``model_site_norm_<stage>`` of ``seat_norms`` holds."""
    pupils = _CLASSES * norm(tables, f"model_class_norm_{stage}")
    building = norm(tables, f"building_area_planning_{stage}_{_CLASSES}_classes") / pupils
    ratio, sports = norm(tables, f"floor_area_ratio_{stage}"), norm(tables, f"sports_area_per_pupil_{stage}")
    return round(building / ratio + sports, 1)


def sites(
    tables: Mapping[str, pd.DataFrame], code: str, stage: str, rooms: int, usable: int, seed: int
) -> dict[str, float]:
    """Columns ``site_m2``, ``site_m2_per_pupil``, ``new_site_m2`` of a row of ``seat_options``.

    ``rooms`` classrooms of ``usable`` seats stand; the factor on the norm is triangular, keyed by county and stage.
    """
    norms = tables["seat_norms"]
    row = norms.loc[norms["norm_id"] == "model_site_factor", ["low", "value", "high"]]
    low, mode, high = row.to_numpy(dtype=float)[0].tolist()
    factor = float(triangular(low, mode, high, uniforms(seed, f"site {stage}", code, 1))[0])
    each = norm(tables, f"model_site_norm_{stage}")
    return {
        "site_m2": round(rooms * usable * each * factor),
        "site_m2_per_pupil": each,
        "new_site_m2": round(norm(tables, "model_new_site_mu") * _M2_PER_MU),
    }
