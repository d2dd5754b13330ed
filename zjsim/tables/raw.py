"""A table as it was found: cells as text, with the place of each. CSV files and spreadsheet sheets both become one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.object_]
"""One column of text cells, shape (rows,)."""


@dataclass(slots=True)
class RawTable:
    """Text cells of one registry before any check.

    ``name`` is the registry's; ``file`` the name shown in messages; ``header`` the column names as written;
    ``columns`` one array of text cells per header entry, each of shape (n,); ``lines`` (n,) the line of the file on
    which each row begins; ``ragged`` holds the cells of rows that have too few or too many, as written, by row number
    (in ``columns`` they are padded or cut). ``origins`` says who set a cell that does not come from the file:
    ``(row, column name) → (file, line)``. A table from a workbook has the name of its ``sheet``, and in ``told`` the
    cells ``(line, column name)`` whose fault was told when the sheet was read.
    """

    name: str
    file: str
    header: list[str]
    header_line: int
    columns: list[Cells]
    lines: NDArray[np.int64]
    ragged: dict[int, list[str]] = field(default_factory=dict)
    origins: dict[tuple[int, str], tuple[str, int | None]] = field(default_factory=dict)
    sheet: str = ""
    told: set[tuple[int, str]] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.lines)

    def place(self, row: int, column: str) -> tuple[str, int | None]:
        """File and line of a cell; a cell set from outside stands where it was set."""
        return self.origins.get((row, column), (self.file, int(self.lines[row])))
