"""Replacing single cells of raw tables before they are checked, remembering who set them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from zjsim.scenario.sets import CellSet
from zjsim.tables.errors import Finding, finding
from zjsim.tables.raw import RawTable
from zjsim.tables.schema import Registry
from zjsim.tables.values import code_candidates, nearest


def set_cells(
    raws: Mapping[str, RawTable], registries: Mapping[str, Registry], sets: Iterable[CellSet]
) -> list[Finding]:
    """Put each value into its cell of ``raws``; unknown rows and columns are told with the nearest."""
    found: list[Finding] = []
    for item in sets:
        label = f"--set {item.said}"
        registry, raw = registries[item.registry], raws.get(item.registry)
        if raw is None:
            continue
        columns = [c.name for c in registry.columns]
        if item.column not in raw.header or item.column not in columns:
            fix = nearest(item.column, columns)
            found.append(
                finding("set_column", label, value=item.column, fix=fix, theme="scenario.rule", registry=registry.name)
            )
            continue
        if item.column in registry.key:
            found.append(
                finding("set_key_column", label, value=item.column, theme="scenario.rule", registry=registry.name)
            )
            continue
        if len(item.key) != len(registry.key) or any(k not in raw.header for k in registry.key):
            wanted = ", ".join(registry.key)
            found.append(
                finding("set_key_form", label, value=", ".join(item.key), theme="scenario.rule", wanted=wanted)
            )
            continue
        mask = np.ones(len(raw), dtype=bool)
        for name, value in zip(registry.key, item.key, strict=True):
            mask &= raw.columns[raw.header.index(name)] == value
        rows = np.flatnonzero(mask)
        if len(rows) != 1:
            keys = list(dict.fromkeys(raw.columns[raw.header.index(registry.key[0])].tolist()))
            fix = _nearest_key(item.key[0], keys) if len(item.key) == 1 else ""
            rule = "set_row" if not len(rows) else "set_row_twice"
            found.append(
                finding(rule, label, value=", ".join(item.key), fix=fix, theme="scenario.rule", registry=registry.name)
            )
            continue
        raw.columns[raw.header.index(item.column)][rows[0]] = item.value
        raw.origins[int(rows[0]), item.column] = (label, None)
    return found


def _nearest_key(value: str, keys: list[str]) -> str:
    return next((c for c in code_candidates(value) if c in keys), "") or nearest(value, keys)
