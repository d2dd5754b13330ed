"""Re-check of what the location plans say about the numbers that targets name, from tables and registries alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from math import ceil, isnan
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from zjsim.audit.finding import Finding, finding


class Asked(NamedTuple):
    """A target's number, openings up to the as-of date, those expected of what is under way, and starts it takes."""

    number: float
    opened_before: float
    under_way: float
    wanted: int


def asked_for(tables: Mapping[str, pd.DataFrame], as_of: date) -> dict[str, Asked]:
    """Kind → what a target asks of it: what past quarters opened and what is under way need not be begun again."""
    a = tables["actuals"]
    over = np.array([pd.Period(q, freq="Q").end_time.date() <= as_of for q in a["quarter"]], dtype=bool)
    opened = a[over & (a["area_code"] == "330000")].groupby("outcome")["value"].sum()
    modes = pd.concat(
        [tables[n] for n in ("process_parameters", "programme_parameters", "location_parameters")]
    ).set_index("parameter_id")["mode"]
    t = tables["targets"]
    numbers = t[t["is_default"] & (t["period"] == "cumulative")].drop_duplicates("outcome").set_index("outcome")
    joined = tables["location_kinds"].merge(tables["programmes"], on="programme_id", suffixes=("", "_of_programme"))
    found = {}
    for r in joined.to_dict("records"):
        if not r["outcome_new"] or r["outcome_new"] not in numbers.index:
            continue
        number, under_way = float(numbers.loc[r["outcome_new"], "bound"]), 0.0
        if r["mechanism"] == "pipeline":
            opened_a_year = modes[r["pace_parameter"]] + modes[r["closure_parameter"]] * r["historic_mean_stock"]
            under_way = float(opened_a_year * modes[r["setup_parameter"]] / 12)
        before = float(opened.get(r["outcome_new"], 0.0))
        needed = (number - before - under_way) / (1.0 - float(modes[r["failure_parameter"]]))
        found[str(r["kind"])] = Asked(number, before, under_way, max(0, ceil(needed - 1e-9)))
    return found


def check_targets(
    plan: Mapping[str, pd.DataFrame], names: Mapping[str, str], tables: Mapping[str, pd.DataFrame], as_of: date
) -> Iterator[Finding]:
    """Counts of every kind; what a target wants; a plan that falls short says so and why. ``names``: plan tables."""
    told = plan["location_targets"].set_index("kind")
    asked, unknown = asked_for(tables, as_of), float("nan")
    modes = pd.concat([tables[n] for n in ("process_parameters", "location_parameters")])
    failing = modes.set_index("parameter_id")["mode"]
    for r in tables["location_kinds"].sort_values("kind").to_dict("records"):
        kind = r["kind"]
        if kind not in told.index:
            yield _at("target_differs", item=kind, value="–", expected=kind)
            continue
        row: Any = told.loc[kind]
        table = next(plan[name] for name, theme in names.items() if theme == r["theme"])
        planned = int((table["kind"] == kind).sum())
        number, before, under_way, wanted = asked.get(kind, (unknown, unknown, unknown, 0))
        short = max(0, wanted - planned)
        expected = {"planned": planned, "target_number": number, "under_way": under_way, "shortfall": short}
        expected["opened_before"] = before
        known = before + under_way if kind in asked else 0.0
        expected["expected"] = planned * (1.0 - float(failing[r["failure_parameter"]])) + known
        expected["wanted"] = float(wanted) if kind in asked else float("nan")
        for column, value in expected.items():
            if isnan(row[column]) != isnan(value) or abs(row[column] - value) > 0.051:
                yield _at("target_differs", item=f"{kind} {column}", value=row[column], expected=value)
        if short and not (row["why_zh"] and row["why_en"]):
            yield _at("shortfall_silent", item=kind, value=planned, expected=wanted)


def _at(rule: str, **values: object) -> Finding:
    said = {k: f"{v:g}" if isinstance(v, float) else v for k, v in values.items()}
    return finding(rule, f"locations.audit.{rule}", **said)
