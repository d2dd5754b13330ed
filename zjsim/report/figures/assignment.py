"""Which university leads which industry, and the pairs for heritage industries, as diagrams of two columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve

from zjsim.report.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MARGIN_IN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    WIDTH_IN,
    heading,
    heading_in,
    new_figure,
    wrap,
)
from zjsim.texts import Language, text

_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, "#5B4B8A", "#7A5C00", "#3C3C3C")
_ROW_IN, _BOTTOM_IN = 0.38, 0.5
_LEFT_IN, _RIGHT_IN = 2.6, 2.1
"""Width of the names of industries and of universities."""


def draw_assignment(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """Main industries on the left, universities on the right; the discipline stands under the industry it leads."""
    return _draw(tables, "lead_assignments", text("report.fig_assignment", lang), lang)


def draw_heritage(manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language) -> Figure | None:
    """The same of the heritage industries: who leads, and who is the partner."""
    return _draw(tables, "heritage_pairs", text("report.fig_heritage", lang), lang)


def _draw(tables: Mapping[str, pd.DataFrame], name: str, title: str, lang: Language) -> Figure | None:
    links = _links(tables[name], lang)
    if links.empty:
        return None
    colours = _university_colours([_links(tables[t], lang) for t in ("lead_assignments", "heritage_pairs")])
    said = text("report.fig_assignment_sub", lang)
    above, depth = heading_in(title, said), _rows(links) * _ROW_IN
    height = above + depth + _BOTTOM_IN
    figure = new_figure(WIDTH_IN, height)
    heading(figure, title, said)
    wide = WIDTH_IN - 2 * MARGIN_IN
    axes = figure.add_axes((MARGIN_IN / WIDTH_IN, _BOTTOM_IN / height, wide / WIDTH_IN, depth / height))
    axes.set_axis_off()
    axes.set_xlim(0, wide)
    axes.set_ylim(depth, 0)
    _half(axes, links, colours, wide, depth)
    return figure


def _rows(links: pd.DataFrame) -> int:
    return 0 if links.empty else max(links["industry_id"].nunique(), links["moe_code"].nunique())


def _links(table: pd.DataFrame, lang: Language) -> pd.DataFrame:
    """One row per link: industry_id, moe_code, industry, university, below (discipline or nothing), lead."""
    if table.empty:
        return pd.DataFrame(columns=["industry_id", "moe_code", "industry", "university", "below", "lead"])

    def named(what: str, code: str) -> pd.Series:
        column = next((c for c in (f"{what}_{lang}", f"{what}_zh", what) if c in table), code)
        return table[column].astype(str)

    below = named("discipline", "moe_code") if "discipline_code" in table else pd.Series("", index=table.index)
    lead = table["role"].eq("lead") if "role" in table else pd.Series(True, index=table.index)
    links = pd.DataFrame(
        {
            "industry_id": table["industry_id"].astype(str),
            "moe_code": table["moe_code"].astype(str),
            "industry": named("industry", "industry_id"),
            "university": named("university", "moe_code"),
            "below": below,
            "lead": lead,
        }
    )
    return links.sort_values(["industry_id", "lead", "moe_code"], ascending=[True, False, True], ignore_index=True)


def _university_colours(halves: list[pd.DataFrame]) -> dict[str, str]:
    """One colour per university, the busiest ones first; the same in both halves."""
    codes = pd.concat([h["moe_code"] for h in halves if not h.empty])
    counts = codes.value_counts().rename_axis("code").reset_index(name="n").sort_values(["n", "code"], ascending=[0, 1])
    return {str(code): _COLOURS[i % len(_COLOURS)] for i, code in enumerate(counts["code"])}


def _half(axes: Axes, links: pd.DataFrame, colours: dict[str, str], width: float, depth: float) -> None:
    industries = links.drop_duplicates("industry_id")
    left = _spread(list(industries["industry_id"]), depth)
    centre = links.assign(y=links["industry_id"].map(left)).groupby("moe_code")["y"].mean()
    order = sorted(centre.index, key=lambda code: (float(centre[code]), str(code)))
    right = _spread([str(c) for c in order], depth)
    for _, row in links.iterrows():
        _link(axes, left[row["industry_id"]], right[row["moe_code"]], width, colours[row["moe_code"]], row["lead"])
    for _, row in industries.iterrows():
        y = left[row["industry_id"]]
        name = wrap(f"{row['industry_id']} {row['industry']}", 22.5, lines=2)
        below = wrap(row["below"], 24, lines=1)
        up = 0.0 if not below else 0.06
        axes.text(_LEFT_IN, y - up, name, ha="right", va="center", fontsize=8, linespacing=1.05)
        down = 0.08 if "\n" not in name else 0.13
        axes.text(_LEFT_IN, y + down, below, ha="right", va="center", fontsize=7.5, color=GREY)
    for _, row in links.drop_duplicates("moe_code").iterrows():
        y = right[row["moe_code"]]
        axes.plot([width - _RIGHT_IN], [y], marker="s", markersize=4, color=colours[row["moe_code"]])
        name = wrap(row["university"], 17.5, lines=2)
        axes.text(width - _RIGHT_IN + 0.1, y, name, ha="left", va="center", fontsize=8, color=INK, linespacing=1.1)


def _spread(codes: list[str], depth: float) -> dict[str, float]:
    step = depth / len(codes)
    return {code: (i + 0.5) * step for i, code in enumerate(codes)}


def _link(axes: Axes, y0: float, y1: float, width: float, colour: str, lead: bool) -> None:
    x0, x1 = _LEFT_IN + 0.08, width - _RIGHT_IN - 0.05
    middle = (x0 + x1) / 2
    curve = Curve([(x0, y0), (middle, y0), (middle, y1), (x1, y1)], [Curve.MOVETO, *[Curve.CURVE4] * 3])
    style = "-" if lead else (0, (4, 2.5))
    patch = PathPatch(curve, fill=False, edgecolor=colour, linewidth=1.7 if lead else 1.3, linestyle=style, alpha=0.9)
    axes.add_patch(patch)
