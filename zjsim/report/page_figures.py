"""The figures of the page: probabilities, fans, bottlenecks, who leads what, and maps of counties by year."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from zjsim.report.likelihood import probability
from zjsim.report.page_svg import drawing, joined, mark, path, tipped, words
from zjsim.report.story_targets import Judged, amount
from zjsim.report.tasks import FACILITIES
from zjsim.report.words import percent, quantity, reading_name, records, sum_or_unknown
from zjsim.tables.published import MARK
from zjsim.texts import Language, text

Tables = Mapping[str, pd.DataFrame]
_MOST_RELIEFS = 12


def probability_bars(judged: Sequence[Judged], lang: Language) -> Markup:
    """A row for every reading: name, bar, both ranges; default readings in full colour."""
    rows = []
    for j in judged:
        if j.found is None:
            continue
        p, low, high, worst, best = (float(j.row[c]) for c in ("p_meet", "p_low", "p_high", "p_worst", "p_best"))
        side = "probable" if j.found.probable else "improbable" if j.found.improbable else "even"
        css = f"bar {side}" + ("" if j.is_default else " other")
        name = f"{j.name(lang)} · {reading_name(j.row['reading'], lang)}"
        numbers = {"p": probability(p), "low": probability(low), "high": probability(high)}
        numbers |= {"worst": probability(worst), "best": probability(best)}
        x = f"{100 * j.p_required:g}%"
        parts = [
            mark("rect", x="0", y="0", width="100%", height="18", class_="track"),
            mark("rect", x="0", y="2", width=f"{100 * p:.2f}%", height="14", class_=css),
            mark("line", x1=f"{100 * worst:.2f}%", x2=f"{100 * best:.2f}%", y1="9", y2="9", class_="inputs"),
            mark("line", x1=f"{100 * low:.2f}%", x2=f"{100 * high:.2f}%", y1="9", y2="9", class_="simulation"),
            mark("line", x1=x, x2=x, y1="0", y2="18", class_="required"),
        ]
        tip = text("page.tip.target", lang, name=name, **numbers)
        svg = mark("svg", joined(parts), width="100%", height="18", role="img", aria_label=tip)
        head = mark("div", joined([mark("b", name), mark("span", numbers["p"])]), class_="bar-head")
        rows.append(tipped("div", tip, joined([head, svg]), class_="bar-row" + ("" if j.is_default else " other")))
    return joined(rows)


def fans(judged: Sequence[Judged], tables: Tables, lang: Language) -> Markup:
    """A small panel for every outcome that a default reading is judged by."""
    outcomes = tables["yearly_outcomes"]
    panels = []
    for j in (j for j in judged if j.is_default and j.found is not None):
        key = "outcome" if "outcome" in outcomes and j.row.get("outcome") else "indicator"
        rows = outcomes[outcomes[key] == j.row[key]].sort_values("year")
        if len(rows):
            panels.append(mark("figure", joined([mark("figcaption", j.name(lang)), _fan(rows, j, lang)])))
    return joined(panels)


def _fan(rows: pd.DataFrame, judged: Judged, lang: Language) -> Markup:
    years = rows["year"].astype(int).tolist()
    low, middle, high = (rows[c].astype(float).tolist() for c in ("p05", "p50", "p95"))
    bound, pace = _bound(judged)
    shown = [v for v in (*low, *high, bound) if not math.isnan(v)]
    shares = str(judged.row.get("unit", "")) == "share"
    top, floor = max(shown), min(shown) if shares and min(shown) > 0.5 else 0.0
    top, floor = (top + 0.02, max(0.0, floor - 0.02)) if shares else (top * 1.12 or 1.0, floor)
    wide, high_px, left = 240.0, 130.0, 46.0

    def x(k: int) -> float:
        return left + 12 + (wide - left - 24) * (k / (len(years) - 1) if len(years) > 1 else 0.5)

    def y(value: float) -> float:
        return 8 + (high_px - 30) * (1 - (value - floor) / (top - floor))

    line = [(x(k), y(v)) for k, v in enumerate(middle)]
    band = [(x(k), y(v)) for k, v in enumerate(high)] + [(x(k), y(low[k])) for k in reversed(range(len(years)))]
    parts = [path([*band, band[0]], class_="band"), path(line, class_="median")]
    if not math.isnan(bound):
        parts.append(mark("line", x1=left, x2=wide, y1=y(bound), y2=y(bound), class_="pace" if pace else "bound"))
        parts.append(
            words(left - 4, min(max(y(bound) + 4, 12), high_px - 26), amount(bound, judged.row), "bound-text", "end")
        )
    for k, year in enumerate(years):
        values = {"p05": low[k], "p50": middle[k], "p95": high[k]}
        tip = text("page.tip.fan", lang, year=year, **{n: amount(v, judged.row) for n, v in values.items()})
        parts.append(words(x(k), high_px - 4, str(year), "", "middle"))
        parts.append(mark("circle", cx=x(k), cy=y(middle[k]), r=3.5, class_="dot"))
        parts.append(tipped("rect", tip, x=x(k) - 20, y=0.0, width=40.0, height=high_px - 14, class_="ear"))
    return drawing(wide, high_px, parts, judged.name(lang))


def _brief(value: float, judged: Judged) -> str:
    """A number for an axis: thousands as k, millions as M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return amount(value, judged.row)


def _bound(judged: Judged) -> tuple[float, bool]:
    """The height of the target's line, and whether it is the yearly pace of a cumulative target."""
    bound = float(judged.row["bound"])
    if judged.row.get("period") == "cumulative" and bound > 1:
        first = int(str(judged.row.get("start", "") or "2025")[:4])
        years = int(str(judged.row["deadline"])[:4]) - first + 1
        if years > 1:
            return bound / years, True
    return bound, False


def relief_bars(tables: Tables, lang: Language) -> Markup:
    """What a tenth more of each resource brings, as shares of the bounds; the province, last year."""
    table = tables.get("bottlenecks", pd.DataFrame())
    if table.empty:
        return Markup("")
    rows = table[(table["year"] == table["year"].max()) & (table["level"] == "province")]
    rows = rows[rows["gain_share_of_tenth"] > 0].sort_values("rank").head(_MOST_RELIEFS)
    if rows.empty:
        return Markup("")
    most, zh = float(rows["gain_share_of_tenth"].max()), lang == "zh"
    made = []
    for row in records(rows):
        share = float(row["gain_share_of_tenth"])
        values = {
            "relief": row[f"relief_{lang}"], "unit": row["unit_zh"] if zh else row["unit"],
            "indicator": row[f"indicator_{lang}"], "gain": f"{float(row['gain']):,.3g}",
            "target_unit": row["target_unit_zh"] if zh else row["target_unit"], "share": percent(share),
        }  # fmt: skip
        parts = [
            mark("rect", x="0", y="0", width="100%", height="14", class_="track"),
            mark("rect", x="0", y="1", width=f"{100 * share / most:.2f}%", height="12", class_="bar plain"),
        ]
        tip = text("page.tip.relief", lang, **values)
        svg = mark("svg", joined(parts), width="100%", height="14", role="img", aria_label=tip)
        name = f"{values['relief']} → {values['indicator']}"
        head = mark("div", joined([mark("b", name), mark("span", values["share"])]), class_="bar-head")
        made.append(tipped("div", tip, joined([head, svg]), class_="bar-row"))
    return joined(made)


def links(tables: Tables, name: str, lang: Language) -> Markup:
    """Industries on the left, universities on the right, a line for each that leads (dashed: partner)."""
    table = records(tables[name].sort_values("industry_id"))
    if not table:
        return Markup("")
    left = list(dict.fromkeys(str(r["industry_id"]) for r in table))
    mean: dict[str, list[int]] = {}
    for r in table:
        mean.setdefault(str(r["moe_code"]), []).append(left.index(str(r["industry_id"])))
    right = sorted(mean, key=lambda c: (sum(mean[c]) / len(mean[c]), c))
    high = 26.0 * max(len(left), len(right))
    at_left = {c: high * (i + 0.5) / len(left) for i, c in enumerate(left)}
    at_right = {c: high * (i + 0.5) / len(right) for i, c in enumerate(right)}
    parts, named = [], set[str]()
    for r in table:
        industry, university = f"{r['industry_id']} {_word(r, 'industry', lang)}", _word(r, "university", lang)
        role = str(r.get("role", "lead"))
        y0, y1 = at_left[str(r["industry_id"])], at_right[str(r["moe_code"])]
        said = text(f"report.code.{role}", lang) if role in ("lead", "partner", "support") else role
        discipline = _word(r, "discipline", lang)
        tip = text("page.tip.link", lang, industry=industry, university=university, role=f"{said} {discipline}".strip())
        d = f"M290 {y0:.1f}C370 {y0:.1f} 370 {y1:.1f} 450 {y1:.1f}"
        css = f"link hue{right.index(str(r['moe_code'])) % 8}" + ("" if role == "lead" else " partner")
        parts.append(tipped("path", tip, d=d, class_=css))
        if industry not in named:
            parts.append(words(284.0, y0 + 4, _short(industry, 24), "", "end"))
        if str(r["moe_code"]) not in named:
            parts.append(words(456.0, y1 + 4, _short(university, 24)))
        named |= {industry, str(r["moe_code"])}
    return drawing(740, high, parts, text(f"report.sheet_{name}", lang))


def _word(row: Mapping[str, Any], what: str, lang: Language) -> str:
    value = row.get(f"{what}_{lang}")
    return value if isinstance(value, str) else ""


def _short(value: str, most: int) -> str:
    """Latin letters count half."""
    width, out = 0.0, ""
    for c in value:
        width += 1.0 if ord(c) > 0x2E80 else 0.55
        if width > most - 1:
            return out + "…"
        out += c
    return out


def gap_maps(tables: Tables, lang: Language) -> dict[int, Markup]:
    """By year a bubble for every county that is short of seats without the plan; filled what stays short."""
    points = county_points(tables, lang)
    repairs = tables.get("seat_repairs")
    if repairs is None or repairs.empty or not points:
        return {}
    what = ["short_without_plan", "still_short"]
    summed = repairs.groupby(["year", "county_code"])[what].agg(sum_or_unknown).reset_index()
    most = float(np.nanmax([1.0, *summed["short_without_plan"]]))
    maps = {}
    for year in sorted(summed["year"].unique().tolist()):
        rows = summed[summed["year"] == year]
        parts = [*_ground(points), *_cities(tables, points, lang)]
        for r in records(rows.sort_values("short_without_plan", ascending=False)):
            place = points.get(str(r["county_code"]))
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
        maps[int(year)] = drawing(*_SIZE, parts, text("report.fig_seat_map", lang))
    return maps


def opening_maps(tables: Tables, lang: Language) -> dict[int, Markup]:
    """By year a bubble for every county where the plan opens something."""
    points = county_points(tables, lang)
    plans = [tables[n] for n in FACILITIES if n in tables and len(tables[n])]
    if not plans or not points:
        return {}
    found: dict[int, dict[str, dict[str, int]]] = {}
    for table in plans:
        for r in records(table):
            kinds = found.setdefault(int(str(r["open_date"])[:4]), {}).setdefault(str(r["county_code"]), {})
            kinds[_word(r, "kind", lang)] = kinds.get(_word(r, "kind", lang), 0) + 1
    maps = {}
    for year in sorted(found):
        parts = [*_ground(points), *_cities(tables, points, lang)]
        for code, kinds in sorted(found[year].items(), key=lambda pair: (-sum(pair[1].values()), pair[0])):
            if code not in points:
                continue
            x, y, name = points[code]
            said = ("、" if lang == "zh" else ", ").join(f"{kind} {n}" for kind, n in sorted(kinds.items()))
            tip = text("page.tip.county_open", lang, county=name, kinds=said)
            parts.append(tipped("circle", tip, cx=x, cy=y, r=4 * math.sqrt(sum(kinds.values())), class_="opening"))
        maps[year] = drawing(*_SIZE, parts, text("report.fig_locations", lang))
    return maps


_SIZE = (560.0, 520.0)


def county_points(tables: Tables, lang: Language) -> dict[str, tuple[float, float, str]]:
    """Where each county lies on a drawing of the size of maps, and its name; empty without coordinates."""
    table = tables.get("location_coverage")
    if table is None or table.empty or not {"lon", "lat"} <= set(table.columns):
        return {}
    places = table.drop_duplicates("county_code").sort_values("county_code")
    lon, lat = places["lon"].astype(float), places["lat"].astype(float)
    flat = math.cos(math.radians(float(lat.mean())))
    width, height = (float(lon.max() - lon.min()) or 1.0) * flat, float(lat.max() - lat.min()) or 1.0
    scale = min((_SIZE[0] - 80) / width, (_SIZE[1] - 80) / height)
    return {
        str(r["county_code"]): (
            40 + (float(r["lon"]) - float(lon.min())) * flat * scale,
            _SIZE[1] - 40 - (float(r["lat"]) - float(lat.min())) * scale,
            _word(r, "county", lang),
        )
        for r in records(places)
    }


def _ground(points: Mapping[str, tuple[float, float, str]]) -> list[Markup]:
    """A faint point for every county, with its name as a tip."""
    return [tipped("circle", name, cx=x, cy=y, r=2.2, class_="county") for x, y, name in points.values()]


def _cities(tables: Tables, points: Mapping[str, tuple[float, float, str]], lang: Language) -> list[Markup]:
    """The names of the cities in the middle of their counties."""
    table = tables["location_coverage"].drop_duplicates("county_code").sort_values("county_code")
    where: dict[str, list[tuple[float, float]]] = {}
    for r in records(table):
        where.setdefault(_word(r, "city", lang), []).append(points[str(r["county_code"])][:2])
    return [
        words(sum(x for x, _ in at) / len(at), sum(y for _, y in at) / len(at), _short(name, 12), "city", "middle")
        for name, at in where.items()
    ]
