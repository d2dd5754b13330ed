"""From checked text cells to the typed table that every other room reads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zjsim.tables.checks import CheckedTable
from zjsim.tables.schema import Column, Registry


def typed_frame(table: CheckedTable) -> pd.DataFrame:
    """The table as a frame in declared column order, one row per row of the file, index 0 … n-1.

    Required integers become int64, other numbers float64 (NaN where unknown), booleans bool, all else text ("" where
    empty).
    """
    data = {c.name: _typed(table.cells[c.name], c) for c in table.registry.columns}
    return pd.DataFrame(data, index=pd.RangeIndex(len(table.raw)))


def empty_frame(registry: Registry) -> pd.DataFrame:
    """The frame of an optional registry that a scenario does not have: all columns, no rows."""
    return pd.DataFrame({c.name: _typed([], c) for c in registry.columns}, index=pd.RangeIndex(0))


def _typed(cells: list[str], column: Column) -> np.ndarray | pd.api.extensions.ExtensionArray:
    if column.separator:
        return _text(cells)
    if column.kind == "integer" and column.required:
        return np.fromiter(map(int, cells), dtype=np.int64, count=len(cells))
    if column.kind in ("integer", "number"):
        values = (float(cell) if cell else np.nan for cell in cells)
        return np.fromiter(values, dtype=np.float64, count=len(cells))
    if column.kind == "boolean" and column.required:
        return np.fromiter(map("yes".__eq__, cells), dtype=np.bool_, count=len(cells))
    return _text(cells)


def _text(cells: list[str]) -> pd.api.extensions.ExtensionArray:
    return pd.array(np.array(cells, dtype=object), dtype="str")
