"""What lies under every map of counties: their outlines where the extra ``map`` is installed, and one scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from zjsim.report.geometry import drawn_rings, outlines_of
from zjsim.report.style import PALE
from zjsim.texts import Language, text

MAP_IN, ROW_IN = 2.5, 2.4
"""Width and height of a map in inches."""
_FINEST_DEGREES = 0.006
"""Points of an outline nearer than about half a pixel of the picture are left out."""
_LAND, _BORDER_DEGREES = "#F6F6F4", 0.4


def subtitle(said: str, places: pd.DataFrame, lang: Language) -> str:
    """``said``, and where the outlines are from if there are any."""
    if not outlines_of(str(code) for code in places["county_code"]):
        return said
    return said + "\n" + text("page.outlines", lang)


def ground(axes: Axes, places: pd.DataFrame) -> None:
    """Outlines of the counties of ``places`` if they are at hand, and a frame with one scale in both directions.

    A degree of longitude is cos(latitude) as long as one of latitude.
    """
    rings = drawn_rings(places, _FINEST_DEGREES)
    lon, lat = places["lon"].to_numpy(dtype=float), places["lat"].to_numpy(dtype=float)
    flat, border = float(np.cos(np.radians(lat.mean()))), _BORDER_DEGREES
    if rings:
        axes.add_collection(PolyCollection(rings, facecolors=_LAND, edgecolors=PALE, linewidths=0.4, zorder=0))
        whole = np.vstack(rings)
        lon, lat, border = whole[:, 0], whole[:, 1], border / 4
    wide, tall = (np.ptp(lon) + border) * flat, np.ptp(lat) + border
    scale = max(wide / MAP_IN, tall / ROW_IN)
    half_x, half_y = scale * MAP_IN / flat / 2, scale * ROW_IN / 2
    x, y = (lon.min() + lon.max()) / 2, (lat.min() + lat.max()) / 2
    axes.set_xlim(x - half_x, x + half_x)
    axes.set_ylim(y - half_y, y + half_y)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(True)
