"""What differs between the plans of two runs: who leads and supports, what opens where, seats and costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from zjsim.decide.runs import RunFiles
from zjsim.tables.published import SUPPRESSED, hidden_cells


@dataclass(frozen=True, slots=True)
class Part:
    """A table of decisions: what identifies one, and the columns (without _zh, _en) that say what was decided."""

    table: str
    key: tuple[str, ...]
    item: tuple[str, ...]
    decided: tuple[str, ...]


_OPENING_KEY = ("kind", "moe_code", "industry_id", "county_code")
PARTS = (
    Part("lead_assignments", ("industry_id",), ("industry",), ("university", "discipline")),
    Part("heritage_pairs", ("industry_id", "role"), ("industry", "role"), ("university", "discipline")),
    Part("support_assignments", ("industry_id", "moe_code"), ("industry", "university"), ("discipline", "candidate")),
    Part("platform_plan", _OPENING_KEY, ("kind", "university", "industry", "county"), ("open_date",)),
    Part("campus_plan", _OPENING_KEY, ("kind", "university", "county"), ("open_date",)),
    Part("practice_centre_plan", _OPENING_KEY, ("kind", "county"), ("open_date",)),
    Part("kindergarten_plan", _OPENING_KEY, ("kind", "county"), ("open_date",)),
)
"""Tables of decisions that are compared row by row."""

PLAN_COLUMNS = ("run", "part", "change", "key", "item_zh", "item_en", "before_zh", "before_en", "after_zh", "after_en")
SEAT_MEASURES = (
    "demand", "classes_opened", "rooms_added", "new_schools", "public_seats", "placed_public", "placed_purchased",
    "local_unplaced", "unplaced", "others_outside_public", "staff_needed", "cost_yuan", "overrun_yuan",
)  # fmt: skip
"""Columns of ``seat_expansion`` and ``seat_summary`` that are compared, county by county and year by year."""
SEAT_COLUMNS = ("run", "county_code", "county_zh", "county_en", "year", "measure", "before", "after", "difference")
COST_COLUMNS = ("run", "part", "year", "unit", "before", "after", "difference")
_COSTS = ("capital_cost_yuan", "equip_cost_yuan", "running_cost_yuan", "purchase_cost_yuan")
_BETWEEN = {"zh": "，", "en": ", "}


def plan_changes(base: RunFiles, other: RunFiles) -> pd.DataFrame:
    """A row per decision that is made in one of the runs only, or made differently; in the order of the parts."""
    rows: list[tuple[str, ...]] = []
    for part in PARTS:
        if not (base.has(part.table) and other.has(part.table)):
            continue
        before, after = (_decisions(run.table(part.table), part) for run in (base, other))
        for key in sorted(before.keys() | after.keys()):
            old, new = before.get(key), after.get(key)
            if old is not None and new is not None and old[2:] == new[2:]:
                continue
            item = (new or old or ("", ""))[:2]
            change = "added" if old is None else "dropped" if new is None else "moved"
            rows.append((other.label, part.table, change, " / ".join(key), *item, *_said(old), *_said(new)))
    return pd.DataFrame(rows, columns=list(PLAN_COLUMNS))


def _said(decision: tuple[str, ...] | None) -> tuple[str, str]:
    return ("", "") if decision is None else (decision[2], decision[3])


def _decisions(table: pd.DataFrame, part: Part) -> dict[tuple[str, ...], tuple[str, ...]]:
    """By key: the item and what was decided, each in zh and en; several rows of one key stand side by side."""
    columns = {
        (what, lang): _words(table, names, lang)
        for what, names in (("item", part.item), ("decided", part.decided))
        for lang in ("zh", "en")
    }
    keys = zip(*(table[c].fillna("").astype(str) for c in part.key), strict=True)
    found: dict[tuple[str, ...], list[int]] = {}
    for i, key in enumerate(keys):
        found.setdefault(tuple(key), []).append(i)
    answer = {}
    for key, rows in found.items():
        items = tuple(columns["item", lang][rows[0]] for lang in ("zh", "en"))
        said = tuple(_counted([columns["decided", lang][i] for i in rows], lang) for lang in ("zh", "en"))
        answer[key] = (*items, *said)
    return answer


def _counted(values: list[str], lang: str) -> str:
    """What was decided in several rows of one key, side by side: each value once, with how often."""
    counts = sorted(Counter(values).items())
    return _BETWEEN[lang].join(value if count == 1 else f"{value} ×{count}" for value, count in counts)


def _words(table: pd.DataFrame, stems: tuple[str, ...], lang: str) -> list[str]:
    """Per row the values of the columns in ``lang``, joined; unknown ones are left out."""
    columns = [f"{stem}_{lang}" if f"{stem}_{lang}" in table else stem for stem in stems]
    rows = zip(*(table[c].fillna("").astype(str) for c in columns), strict=True)
    return [" · ".join(v for v in row if v) for row in rows]


def seat_changes(base: RunFiles, other: RunFiles) -> pd.DataFrame:
    """A row per county, year and measure of the seat plan that differs; seats, children, classes or yuan.

    Of the years that both plan. A count that one of the runs hides is told of neither (:func:`hidden_counts`): what is
    hidden in one to protect a small count would stand in the other.
    """
    both = _seats(base, other)
    both = both[~both["hidden"] & (both["difference"] != 0)]
    order = {m: i for i, m in enumerate(SEAT_MEASURES)}
    both = both.assign(run=other.label, order=both["measure"].map(order))
    both = both.sort_values(["county_code", "year", "order"], kind="stable")
    return both[list(SEAT_COLUMNS)].reset_index(drop=True)


def hidden_counts(base: RunFiles, other: RunFiles) -> tuple[int, int]:
    """How many counts by county and year are compared with none: hidden in one run at least, and in one run only."""
    both = _seats(base, other)
    return int(both["hidden"].sum()), int(both["hidden_once"].sum())


def _seats(base: RunFiles, other: RunFiles) -> pd.DataFrame:
    """Both sides of every measure by county and year, their difference, and whether one side is hidden."""
    key = ["county_code", "county_zh", "county_en", "year"]
    if not (base.has("seat_expansion") and other.has("seat_expansion")):
        return pd.DataFrame(columns=[*SEAT_COLUMNS, "hidden", "hidden_once"]).astype(
            {"hidden": bool, "hidden_once": bool}
        )
    sides = []
    for run in (base, other):
        table = run.table("seat_expansion")
        measures = [m for m in SEAT_MEASURES if m in table]
        side = table.melt(id_vars=key, value_vars=measures, var_name="measure")
        gone = {(i, c) for c, rows in hidden_cells(_words_filled(table)).items() for i in rows}
        at = [(i, m) for m in measures for i in range(len(table))]
        sides.append(side.assign(hidden=[k in gone for k in at]))
    years = set(sides[0]["year"]) & set(sides[1]["year"])
    sides = [side[side["year"].isin(years)] for side in sides]
    both = sides[0].merge(sides[1], on=[*key, "measure"], how="outer", suffixes=("_before", "_after"))
    both = both.rename(columns={"value_before": "before", "value_after": "after"})
    dark = [both[f"hidden_{side}"].fillna(False).astype(bool) for side in ("before", "after")]
    difference = both["after"].fillna(0) - both["before"].fillna(0)
    return both.assign(difference=difference, hidden=dark[0] | dark[1], hidden_once=dark[0] ^ dark[1])


def _words_filled(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**{SUPPRESSED: table[SUPPRESSED].astype(object).fillna("")}) if SUPPRESSED in table else table


def cost_changes(base: RunFiles, other: RunFiles) -> Iterator[tuple[str, str, int, str, float, float, float]]:
    """Rows of costs by part and year: seats in yuan by kind of cost, openings in cost points; all years, 0 included."""
    if base.has("seat_summary") and other.has("seat_summary"):
        before, after = (run.table("seat_summary").set_index("year") for run in (base, other))
        for cost in (*_COSTS, "cost_yuan"):
            for year in sorted(set(before.index) | set(after.index)):
                old, new = (float(t[cost].get(year, np.nan)) for t in (before, after))
                yield other.label, cost.removesuffix("_yuan"), int(year), "yuan", old, new, _less(new, old)
    for part in PARTS:
        if part.key is not _OPENING_KEY or not (base.has(part.table) and other.has(part.table)):
            continue
        points = []
        for run in (base, other):
            table = run.table(part.table)
            points.append(table.groupby(table["open_date"].str[:4].astype(int))["cost_points"].sum())
        for year in sorted(set(points[0].index) | set(points[1].index)):
            old, new = (float(p.get(year, 0.0)) for p in points)
            yield other.label, part.table, int(year), "cost points", old, new, new - old


def _less(new: float, old: float) -> float:
    return (0.0 if np.isnan(new) else new) - (0.0 if np.isnan(old) else old)
