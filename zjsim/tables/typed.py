"""From checked text cells to the typed table that every other room reads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zjsim.tables.checked import CheckedTable
from zjsim.tables.raw import RawTable
from zjsim.tables.schema import Column, Registry


def typed_frame(table: CheckedTable) -> pd.DataFrame:
    """The table as a frame in declared column order, one row per row of the file, index 0 … n-1.

    Required integers become int64, other numbers float64 (NaN where unknown), required booleans bool, all else text
    ("" where empty). The table must have passed its checks.
    """
    data = {c.name: _typed(table, c) for c in table.registry.columns}
    return pd.DataFrame(data, index=pd.RangeIndex(len(table.raw)))


def empty_frame(registry: Registry) -> pd.DataFrame:
    """The frame of an optional registry that a scenario does not have: all columns, no rows."""
    nothing = [np.empty(0, dtype=object) for _ in registry.columns]
    raw = RawTable(registry.name, "", [c.name for c in registry.columns], 1, nothing, np.empty(0, dtype=np.int64))
    position = {c.name: i for i, c in enumerate(registry.columns)}
    numbers = {c.name: np.empty(0) for c in registry.columns}
    return typed_frame(CheckedTable(raw, registry, position, {name: [] for name in position}, numbers=numbers))


def _typed(table: CheckedTable, column: Column) -> np.ndarray | pd.api.extensions.ExtensionArray:
    if not column.separator:
        if column.kind in ("integer", "number"):
            numbers = table.numbers[column.name]
            return numbers.astype(np.int64) if column.kind == "integer" and column.required else numbers
        if column.kind == "boolean" and column.required:
            return np.fromiter(map("yes".__eq__, table.cells[column.name]), dtype=np.bool_, count=len(table.raw))
    return pd.array(table.raw.columns[table.position[column.name]], dtype="str")
