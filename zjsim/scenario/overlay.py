"""Replacing single cells of raw tables before they are checked (``--set``), remembering who set them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from zjsim.scenario.changes import SET_LEVEL, Change
from zjsim.scenario.patterns import nearest_key
from zjsim.scenario.sets import CellSet
from zjsim.tables.errors import Finding, finding
from zjsim.tables.raw import RawTable
from zjsim.tables.schema import Registry
from zjsim.tables.values import nearest


def set_cells(
    raws: Mapping[str, RawTable], registries: Mapping[str, Registry], sets: Iterable[CellSet]
) -> tuple[list[Change], list[Finding]]:
    """Put each value into its cell of ``raws``; unknown rows and columns are told with the nearest."""
    changes: list[Change] = []
    found: list[Finding] = []
    for item in sets:
        raw = raws.get(item.registry)
        if raw is None:
            continue
        row = _row_of(raw, registries[item.registry], item)
        if isinstance(row, Finding):
            found.append(row)
            continue
        label = f"--set {item.said}"
        cells = raw.columns[raw.header.index(item.column)]
        changes.append(
            Change(item.registry, item.key, item.column, "set", str(cells[row]), item.value, SET_LEVEL, label)
        )
        cells[row] = item.value
        raw.origins[row, item.column] = (label, None)
    return changes, found


def _row_of(raw: RawTable, registry: Registry, item: CellSet) -> int | Finding:
    """The row that ``item`` means, or what is wrong with it."""

    def fault(rule: str, value: str, fix: str = "", **words: object) -> Finding:
        said = f"--set {item.said}"
        return finding(
            rule, said, value=value, fix=fix, theme="scenario.rule", words={"registry": registry.name, **words}
        )

    columns = [c.name for c in registry.columns]
    if item.column not in raw.header or item.column not in columns:
        return fault("set_column", item.column, nearest(item.column, columns))
    if item.column in registry.key:
        return fault("set_key_column", item.column)
    if len(item.key) != len(registry.key) or any(k not in raw.header for k in registry.key):
        return fault("set_key_form", ", ".join(item.key), wanted=", ".join(registry.key))
    mask = np.ones(len(raw), dtype=bool)
    for name, value in zip(registry.key, item.key, strict=True):
        mask &= raw.columns[raw.header.index(name)] == value
    rows = np.flatnonzero(mask)
    if len(rows) != 1:
        keys = list(dict.fromkeys(raw.columns[raw.header.index(registry.key[0])].tolist()))
        fix = nearest_key(item.key[0], keys) if len(item.key) == 1 else ""
        return fault("set_row" if not len(rows) else "set_row_twice", ", ".join(item.key), fix)
    return int(rows[0])
