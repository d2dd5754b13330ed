"""What the documents of a run say of its inputs: what was changed, what a reading counts, which sources were used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from math import fsum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from zjsim.tables.registries import REGISTRIES

if TYPE_CHECKING:
    from zjsim.scenario import Scenario
    from zjsim.scenario.diff import Difference

CHANGE_COLUMNS = (
    "registry", "registry_zh", "registry_en", "column", "column_zh", "column_en", "change", "cells", "key", "old",
    "new", "old_sum", "new_sum", "reason",
)  # fmt: skip
READING_COLUMNS = (
    "target_id", "reading", "is_default", "measures", "indicator_zh", "indicator_en", "bound", "unit", "unit_zh",
    "period", "start", "deadline", "what_counts_zh", "what_counts_en",
)  # fmt: skip
_KINDS = {"changed": "changed", "added": "row_added", "removed": "row_removed"}
SOURCE_COLUMNS = ("registry", "source_id", "title_zh", "title_en", "publisher", "year", "url", "rows")


def input_changes(scenario: Scenario) -> pd.DataFrame:
    """What a scenario and its ``--set`` change against its base: a row for each column and reason, columns as above.

    ``change`` is changed, row_added or row_removed, ``cells`` how many cells; ``key``, ``old`` and ``new`` show the
    first one, ``old_sum`` and ``new_sum`` the sums over all of them if all are numbers. No rows for a scenario as it is
    shipped.
    """
    rows = [
        _change(list(group))
        for _, group in groupby(_differences(scenario), key=lambda d: (d.registry, d.column, d.kind, d.reason))
    ]
    return pd.DataFrame(rows, columns=list(CHANGE_COLUMNS))


def _differences(scenario: Scenario) -> list[Difference]:
    from zjsim.scenario import load
    from zjsim.scenario.diff import diff

    if scenario.base and len(scenario.levels) > 1:
        # The parent as it was found: beside the scenario, or built in.
        before = load(Path(scenario.levels[-2].path))
    elif scenario.sets and scenario.levels:
        before = load(Path(scenario.levels[-1].path))
    else:
        return []
    found = [d for d in diff(before, scenario) if not d.column.startswith("header.")]
    order = {name: i for i, name in enumerate(REGISTRIES)}
    return sorted(found, key=lambda d: (order.get(d.registry, -1), d.column, d.kind, d.reason, d.key))


def _change(cells: list[Difference]) -> dict[str, Any]:
    first = cells[0]
    declared = REGISTRIES.get(first.registry)
    column = declared.by_name.get(first.column) if declared else None
    return {
        "registry": first.registry,
        "registry_zh": declared.zh if declared else first.registry,
        "registry_en": declared.en if declared else first.registry,
        "column": first.column,
        "column_zh": column.zh if column else first.column,
        "column_en": column.en if column else first.column,
        "change": _KINDS[first.kind],
        "cells": len(cells),
        "key": ", ".join(first.key),
        "old": first.old,
        "new": first.new,
        "old_sum": _sum(d.old for d in cells),
        "new_sum": _sum(d.new for d in cells),
        "reason": first.reason,
    }


def _sum(values: Iterable[str]) -> float:
    try:
        return fsum(float(v) for v in values)
    except ValueError:
        return float("nan")


def target_readings(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every reading of every target and what it counts, in the order of the registry; columns as above."""
    if "targets" not in tables:
        return pd.DataFrame(columns=list(READING_COLUMNS))
    return tables["targets"][list(READING_COLUMNS)].reset_index(drop=True)


def sources_used(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How many rows of each registry cite each source, columns as above; by registry, then source."""
    found = [
        tables[name]["source_id"].value_counts().rename_axis("source_id").reset_index(name="rows").assign(registry=name)
        for name in sorted(tables)
        if name != "sources" and "source_id" in tables[name] and len(tables[name])
    ]
    if not found or "sources" not in tables:
        return pd.DataFrame(columns=list(SOURCE_COLUMNS))
    said = tables["sources"].drop(columns=[c for c in ("note_zh", "note_en") if c in tables["sources"]])
    table = pd.concat(found, ignore_index=True).merge(said, on="source_id", how="inner", sort=False)
    return table.sort_values(["registry", "source_id"], ignore_index=True)[list(SOURCE_COLUMNS)]
