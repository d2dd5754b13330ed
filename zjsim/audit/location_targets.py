"""Re-check of what the location plans say about the numbers that targets name, from tables and registries alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, isnan
from typing import Any

import pandas as pd

from zjsim.audit.finding import Finding, finding


def asked_for(tables: Mapping[str, pd.DataFrame]) -> dict[str, tuple[float, float, int]]:
    """Kind → the target's number, openings expected of what is under way, and how many must be begun to expect it."""
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
        needed = (number - under_way) / (1.0 - float(modes[r["failure_parameter"]]))
        found[str(r["kind"])] = number, under_way, max(0, ceil(needed - 1e-9))
    return found


def check_targets(
    plan: Mapping[str, pd.DataFrame], names: Mapping[str, str], tables: Mapping[str, pd.DataFrame]
) -> Iterator[Finding]:
    """Counts of every kind; what a target wants; a plan that falls short says so and why. ``names``: plan tables."""
    told = plan["location_targets"].set_index("kind")
    asked = asked_for(tables)
    for r in tables["location_kinds"].sort_values("kind").to_dict("records"):
        kind = r["kind"]
        if kind not in told.index:
            yield _at("target_differs", item=kind, value="–", expected=kind)
            continue
        row: Any = told.loc[kind]
        table = next(plan[name] for name, theme in names.items() if theme == r["theme"])
        planned = int((table["kind"] == kind).sum())
        number, under_way, wanted = asked.get(kind, (float("nan"), float("nan"), 0))
        short = max(0, wanted - planned)
        expected = {"planned": planned, "target_number": number, "under_way": under_way, "shortfall": short}
        expected["wanted"] = float(wanted) if kind in asked else float("nan")
        for column, value in expected.items():
            if isnan(row[column]) != isnan(value) or abs(row[column] - value) > 0.051:
                yield _at("target_differs", item=f"{kind} {column}", value=row[column], expected=value)
        if short and not (row["why_zh"] and row["why_en"]):
            yield _at("shortfall_silent", item=kind, value=planned, expected=wanted)


def _at(rule: str, **values: object) -> Finding:
    said = {k: f"{v:g}" if isinstance(v, float) else v for k, v in values.items()}
    return finding(rule, f"locations.audit.{rule}", **said)
