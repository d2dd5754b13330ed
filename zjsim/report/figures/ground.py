"""What lies under every map of counties: outlines where the extra ``map`` is installed, one scale, names of cities."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patheffects import withStroke

from zjsim.report.geometry import drawn_rings, outlines_of
from zjsim.report.style import GREY, PALE, width_of, wrap
from zjsim.texts import Language, text

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
    box = axes.get_window_extent()
    scale = max(wide / box.width, tall / box.height)
    half_x, half_y = scale * box.width / flat / 2, scale * box.height / 2
    x, y = (lon.min() + lon.max()) / 2, (lat.min() + lat.max()) / 2
    axes.set_xlim(x - half_x, x + half_x)
    axes.set_ylim(y - half_y, y + half_y)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(True)


def name_cities(axes: Axes, places: pd.DataFrame, lang: Language) -> None:
    """Names of the cities in the middle of their counties, moved up or down by a line where they would meet."""
    box, (west, east), (south, north) = axes.get_window_extent(), axes.get_xlim(), axes.get_ylim()
    inch = axes.figure.dpi
    across, up = (east - west) / (box.width / inch), (north - south) / (box.height / inch)
    taken: list[tuple[float, float, float]] = []
    for _, part in places.groupby("city_code", sort=True):
        named = wrap(str(part[f"city_{lang}"].iloc[0]).removesuffix("市"), 7, lines=1)
        half, line = across * width_of(named) * _NAME_PT / 72 / 2, up * 1.15 * _NAME_PT / 72
        x, y = float(np.clip(part["lon"].mean(), west + half, east - half)), float(part["lat"].mean())
        free = (y + k * line for k in (0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5))
        gap = half + 0.05 * across
        apart = (t for t in free if all(abs(t - v) >= line or abs(x - u) >= gap + w for u, v, w in taken))
        y = next(apart, y)
        taken.append((x, y, half))
        axes.text(
            x, y, named, fontsize=_NAME_PT, color=GREY, ha="center", va="center", zorder=2,
            path_effects=[withStroke(linewidth=2.0, foreground="white")],
        )  # fmt: skip


_NAME_PT = 7.5
