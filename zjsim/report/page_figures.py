"""The figures of the page: probabilities, fans, bottlenecks, who leads what (maps: :mod:`zjsim.report.page_maps`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from markupsafe import Markup

from zjsim.report.likelihood import chance, probability
from zjsim.report.page_svg import drawing, joined, mark, named, path, shortened, tipped, words
from zjsim.report.story_targets import Judged, amount
from zjsim.report.words import is_true, percent, quantity, reading_name, records
from zjsim.tables.published import MARK
from zjsim.texts import Language, text

Tables = Mapping[str, pd.DataFrame]
_MOST_RELIEFS, _MOST_CLASSES = 12, 14


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
        numbers = {"p": chance(p), "low": probability(low), "high": probability(high)}
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
    wide, high_px, left, right = 240.0, 130.0, 46.0, 34.0

    def x(k: int) -> float:
        return left + 12 + (wide - left - right - 12) * (k / (len(years) - 1) if len(years) > 1 else 0.5)

    def y(value: float) -> float:
        return 8 + (high_px - 30) * (1 - (value - floor) / (top - floor))

    line = [(x(k), y(v)) for k, v in enumerate(middle)]
    band = [(x(k), y(v)) for k, v in enumerate(high)] + [(x(k), y(low[k])) for k in reversed(range(len(years)))]
    parts = [path([*band, band[0]], class_="band"), path(line, class_="median")]
    if not math.isnan(bound):
        parts.append(
            mark("line", x1=left, x2=wide - right + 10, y1=y(bound), y2=y(bound), class_="pace" if pace else "bound")
        )
        parts.append(
            words(left - 4, min(max(y(bound) + 4, 12), high_px - 26), _brief(bound, judged, lang), "bound-text", "end")
        )
    for k, year in enumerate(years):
        values = {"p05": low[k], "p50": middle[k], "p95": high[k]}
        tip = text("page.tip.fan", lang, year=year, **{n: amount(v, judged.row) for n, v in values.items()})
        parts.append(words(x(k), high_px - 4, str(year), "", "middle"))
        parts.append(mark("circle", cx=x(k), cy=y(middle[k]), r=3.5, class_="dot"))
        if k == len(years) - 1:
            parts.append(words(x(k) + 6, min(y(middle[k]) + 4, high_px - 20), _brief(middle[k], judged, lang), "tick"))
        parts.append(tipped("rect", tip, x=x(k) - 20, y=0.0, width=40.0, height=high_px - 14, class_="ear"))
    return drawing(wide, high_px, parts, judged.name(lang))


def _brief(value: float, judged: Judged, lang: Language) -> str:
    """A number for an axis: thousands as k, millions as M; ten thousands as 万 in Chinese."""
    units = ((1e4, 1e4, "万"),) if lang == "zh" else ((1e6, 1e6, "M"), (1e4, 1e3, "k"))
    for least, size, letter in units:
        if abs(value) >= least:
            return f"{value / size:.4g}{letter}"
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


def scarce_bars(tables: Tables, lang: Language) -> Markup:
    """The scarcest classes half way to the horizon: what part of the demand for their graduates is missing."""
    table = tables.get("talent_catalogue", pd.DataFrame())
    if table.empty:
        return Markup("")
    years = sorted(table["year"].unique())
    rows = table[table["year"] == years[len(years) // 2]].sort_values("rank").head(_MOST_CLASSES)
    made = []
    for row in records(rows):
        share = float(row["scarcity"])
        level = text(f"talent.level.{row['level']}", lang)
        name = text("report.talent_class", lang, name=row[f"class_{lang}"], level=level)
        parts = [
            mark("rect", x="0", y="0", width="100%", height="14", class_="track"),
            mark("rect", x="0", y="1", width=f"{100 * share:.2f}%", height="12", class_="bar plain"),
        ]
        numbers = {n: quantity(round(float(row[n]))) for n in ("missing", "graduates")}
        tip = text("page.tip.scarce", lang, name=name, year=int(row["year"]), share=percent(share), **numbers)
        svg = mark("svg", joined(parts), width="100%", height="14", role="img", aria_label=tip)
        head = mark("div", joined([mark("b", name), mark("span", percent(share))]), class_="bar-head")
        made.append(tipped("div", tip, joined([head, svg]), class_="bar-row"))
    return joined(made)


SEATED = {
    "local": ("placed_local",),
    "migrant_public": ("placed_public", "placed_public_other"),
    "purchased": ("placed_purchased",),
    "outside": ("others_outside_public",),
    "unmet": ("local_unplaced", "unplaced"),
}
"""Where a child is → columns of ``seat_summary`` that are added up, from the left to the right."""


def seat_bars(tables: Tables, lang: Language) -> Markup:
    """A row for every year: children of the province by where they are placed, and public seats as a line.

    What is hidden of a year is drawn as one part, as its sum is known.
    """
    table = tables.get("seat_summary", pd.DataFrame())
    if table.empty:
        return Markup("")
    most = float(table[["demand", "public_seats"]].to_numpy(dtype=float).max()) or 1.0
    made = []
    for row in records(table.sort_values("year")):
        demand, at = float(row["demand"]), 0.0
        parts, said = [mark("rect", x="0", y="0", width="100%", height="18", class_="track")], []
        for kind, columns in SEATED.items():
            many = math.fsum(float(row[c]) for c in columns)
            told = MARK if math.isnan(many) else quantity(many)
            said.append(f"{text(f'report.seats_{kind}', lang)} {told}")
            if many > 0:
                parts.append(_seated(kind, at, many, most))
                at += many
        if demand - at > 0.5:
            parts.append(_seated("hidden", at, demand - at, most))
        x = f"{100 * float(row['public_seats']) / most:.2f}%"
        parts.append(mark("line", x1=x, x2=x, y1="0", y2="18", class_="required"))
        values = {"demand": quantity(demand), "seats": quantity(row["public_seats"])}
        between = "；" if lang == "zh" else "; "
        tip = text("page.tip.seats", lang, year=int(row["year"]), parts=between.join(said), **values)
        svg = mark("svg", joined(parts), width="100%", height="18", role="img", aria_label=tip)
        head = mark(
            "div", joined([mark("b", str(int(row["year"]))), mark("span", values["demand"])]), class_="bar-head"
        )
        made.append(tipped("div", tip, joined([head, svg]), class_="bar-row"))
    return joined(made)


def _seated(kind: str, at: float, many: float, most: float) -> Markup:
    x, width = f"{100 * at / most:.2f}%", f"{100 * many / most:.2f}%"
    return mark("rect", x=x, y="2", width=width, height="14", class_=f"seat {kind}")


def change_bars(tables: Tables, lang: Language) -> Markup:
    """Of a comparison, a row for every run and default reading: p before (hollow), after (filled), its interval."""
    made = []
    for row in records(tables["target_changes"][is_true(tables["target_changes"]["is_default"])]):
        before, after = float(row["p_before"]), float(row["p_after"])
        low, high = (min(max(before + float(row[f"p_difference_{c}"]), 0.0), 1.0) for c in ("low", "high"))
        name = f"{row[f'indicator_{lang}']} · {row['run']}"
        numbers = {"before": chance(before), "after": chance(after)}
        tip = text("page.tip.change", lang, name=name, low=f"{float(row['p_difference_low']):+.2f}",
                   high=f"{float(row['p_difference_high']):+.2f}", **numbers)  # fmt: skip
        parts = [
            mark("rect", x="0", y="0", width="100%", height="18", class_="track"),
            mark("line", x1=f"{100 * low:.2f}%", x2=f"{100 * high:.2f}%", y1="9", y2="9", class_="change"),
            mark("circle", cx=f"{100 * before:.2f}%", cy="9", r="5", class_="before"),
            mark("circle", cx=f"{100 * after:.2f}%", cy="9", r="5", class_="after"),
        ]
        svg = mark("svg", joined(parts), width="100%", height="18", role="img", aria_label=tip)
        said = f"{numbers['before']} → {numbers['after']}"
        head = mark("div", joined([mark("b", name), mark("span", said)]), class_="bar-head")
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
    right = sorted(mean, key=lambda c: (math.fsum(mean[c]) / len(mean[c]), c))
    high = 26.0 * max(len(left), len(right))
    at_left = {c: high * (i + 0.5) / len(left) for i, c in enumerate(left)}
    at_right = {c: high * (i + 0.5) / len(right) for i, c in enumerate(right)}
    parts, labelled = [], set[str]()
    for r in table:
        industry, university = f"{r['industry_id']} {named(r, 'industry', lang)}", named(r, "university", lang)
        role = str(r.get("role", "lead"))
        y0, y1 = at_left[str(r["industry_id"])], at_right[str(r["moe_code"])]
        said = text(f"report.code.{role}", lang) if role in ("lead", "partner", "support") else role
        discipline = named(r, "discipline", lang)
        tip = text("page.tip.link", lang, industry=industry, university=university, role=f"{said} {discipline}".strip())
        d = f"M290 {y0:.1f}C370 {y0:.1f} 370 {y1:.1f} 450 {y1:.1f}"
        css = f"link hue{right.index(str(r['moe_code'])) % 8}" + ("" if role == "lead" else " partner")
        parts.append(tipped("path", tip, d=d, class_=css))
        if industry not in labelled:
            parts.append(words(284.0, y0 + 4, shortened(industry, 24), "", "end"))
        if str(r["moe_code"]) not in labelled:
            parts.append(words(456.0, y1 + 4, shortened(university, 24)))
        labelled |= {industry, str(r["moe_code"])}
    return drawing(740, high, parts, text(f"report.sheet_{name}", lang))
