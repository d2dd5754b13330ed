"""The maps of the page: seats short and facilities opened, by county and year, on outlines where the extra is there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from zjsim.report.geometry import Ring, drawn_rings, outlines_of
from zjsim.report.page_svg import drawing, mark, named, shortened, tipped, words
from zjsim.report.tasks import FACILITIES
from zjsim.report.words import quantity, records, sum_or_unknown
from zjsim.tables.published import MARK
from zjsim.texts import Language, text

Tables = Mapping[str, pd.DataFrame]
_SIZE, _BORDER = (560.0, 520.0), 40.0
_FINEST_DEGREES = 0.012
"""A point of an outline nearer to the last one is left out: it would be about a pixel away."""


@dataclass(frozen=True)
class Ground:
    """Where each county lies on a drawing of the size of maps, and its name; what lies under every map and over it."""

    points: Mapping[str, tuple[float, float, str]]
    under: tuple[Markup, ...]
    over: tuple[Markup, ...]


def gap_maps(tables: Tables, lang: Language) -> dict[int, Markup]:
    """By year a bubble for every county that is short of seats without the plan; filled what stays short."""
    ground, repairs = ground_of(tables, lang), tables.get("seat_repairs")
    if repairs is None or repairs.empty or ground is None:
        return {}
    what = ["short_without_plan", "still_short"]
    summed = repairs.groupby(["year", "county_code"])[what].agg(sum_or_unknown).reset_index()
    most = float(np.nanmax([1.0, *summed["short_without_plan"]]))
    maps = {}
    for year in sorted(summed["year"].unique().tolist()):
        rows = summed[summed["year"] == year]
        parts = list(ground.under)
        for r in records(rows.sort_values("short_without_plan", ascending=False)):
            place = ground.points.get(str(r["county_code"]))
            hidden = math.isnan(r["short_without_plan"]) or math.isnan(r["still_short"])
            if place is None or not (hidden or r["short_without_plan"] > 0 or r["still_short"] > 0):
                continue
            x, y, name = place
            before, after = (MARK if math.isnan(r[c]) else quantity(r[c]) for c in what)
            tip = text("page.tip.county_gap", lang, county=name, before=before, after=after)
            # A hidden number is drawn as small as a small one: where something is short, not how much.
            size = 0.0 if math.isnan(r["short_without_plan"]) else float(r["short_without_plan"])
            parts.append(tipped("circle", tip, cx=x, cy=y, r=26 * math.sqrt(size / most) + 1.5, class_="gap"))
            if r["still_short"] > 0:
                inner = 26 * math.sqrt(float(r["still_short"]) / most) + 1
                parts.append(mark("circle", cx=x, cy=y, r=inner, class_="left"))
        maps[int(year)] = drawing(*_SIZE, [*parts, *ground.over], text("report.fig_seat_map", lang))
    return maps


def opening_maps(tables: Tables, lang: Language) -> dict[int, Markup]:
    """By year a bubble for every county where the plan opens something."""
    ground = ground_of(tables, lang)
    plans = [tables[n] for n in FACILITIES if n in tables and len(tables[n])]
    if not plans or ground is None:
        return {}
    found: dict[int, dict[str, dict[str, int]]] = {}
    for table in plans:
        for r in records(table):
            kinds = found.setdefault(int(str(r["open_date"])[:4]), {}).setdefault(str(r["county_code"]), {})
            kinds[named(r, "kind", lang)] = kinds.get(named(r, "kind", lang), 0) + 1
    maps = {}
    for year in sorted(found):
        parts = list(ground.under)
        for code, kinds in sorted(found[year].items(), key=lambda pair: (-sum(pair[1].values()), pair[0])):
            if code not in ground.points:
                continue
            x, y, name = ground.points[code]
            said = ("、" if lang == "zh" else ", ").join(f"{kind} {n}" for kind, n in sorted(kinds.items()))
            tip = text("page.tip.county_open", lang, county=name, kinds=said)
            parts.append(tipped("circle", tip, cx=x, cy=y, r=4 * math.sqrt(sum(kinds.values())), class_="opening"))
        maps[year] = drawing(*_SIZE, [*parts, *ground.over], text("report.fig_locations", lang))
    return maps


def map_note(tables: Tables, lang: Language) -> str:
    """That maps are schematic, and where their outlines are from if they have any."""
    codes = tables["location_coverage"]["county_code"] if "location_coverage" in tables else ()
    said = [text("page.schematic", lang)]
    if outlines_of(str(code) for code in codes):
        said.append(text("page.outlines", lang))
    return ("；" if lang == "zh" else "; ").join(said)


def ground_of(tables: Tables, lang: Language) -> Ground | None:
    """The ground of all maps of a page; None without coordinates. One scale: a degree of longitude is shorter."""
    table = tables.get("location_coverage")
    if table is None or table.empty or not {"lon", "lat"} <= set(table.columns):
        return None
    places = table.drop_duplicates("county_code").sort_values("county_code")
    rings = drawn_rings(places, _FINEST_DEGREES)
    lon, lat = places["lon"].astype(float), places["lat"].astype(float)
    at_all: list[tuple[Any, Any]] = [(lon, lat), *((ring[:, 0], ring[:, 1]) for ring in rings)]
    west, south = (min(float(side[k].min()) for side in at_all) for k in (0, 1))
    east, north = (max(float(side[k].max()) for side in at_all) for k in (0, 1))
    flat = math.cos(math.radians(float(lat.mean())))
    border = _BORDER / 4 if rings else _BORDER
    inner = (_SIZE[0] - 2 * border, _SIZE[1] - 2 * border)
    scale = min(inner[0] / ((east - west) * flat or 1.0), inner[1] / ((north - south) or 1.0))

    def at(longitude: float, latitude: float) -> tuple[float, float]:
        return border + (longitude - west) * flat * scale, _SIZE[1] - border - (latitude - south) * scale

    points = {
        str(r["county_code"]): (*at(float(r["lon"]), float(r["lat"])), named(r, "county", lang))
        for r in records(places)
    }
    dots = [tipped("circle", name, cx=x, cy=y, r=2.2, class_="county") for x, y, name in points.values()]
    return Ground(points, (*_outlines(rings, at), *dots), tuple(_cities(records(places), points, lang)))


def _outlines(rings: list[Ring], at: Any) -> list[Markup]:
    """The outlines of all counties as one path."""
    rounded = ([at(*point) for point in ring[:-1].tolist()] for ring in rings)
    d = "".join("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in line) + "Z" for line in rounded)
    return [mark("path", "", d=d, class_="outline")] if d else []


def _cities(
    places: list[dict[str, Any]], points: Mapping[str, tuple[float, float, str]], lang: Language
) -> list[Markup]:
    """The names of the cities in the middle of their counties."""
    where: dict[str, list[tuple[float, float]]] = {}
    for r in places:
        where.setdefault(named(r, "city", lang), []).append(points[str(r["county_code"])][:2])
    return [
        words(
            math.fsum(x for x, _ in at) / len(at),
            math.fsum(y for _, y in at) / len(at),
            shortened(name, 12),
            "city",
            "middle",
        )
        for name, at in where.items()
    ]
