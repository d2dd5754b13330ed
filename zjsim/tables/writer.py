"""Writing tables so that equal tables are equal bytes, and so that a file is there whole or not at all."""

from __future__ import annotations

import csv
import errno
import io
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

_RISKY = re.compile(r"[=+@\t\r-]")
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,eE+-]*%?")


def format_number(value: float) -> str:
    """A number with ten significant digits, without trailing zeros; whole numbers without a point; NaN is empty.

    Ten digits keep tables equal where two machines differ in the last bits of a sum.
    """
    if np.isnan(value):
        return ""
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.10g}"


def guarded(value: str) -> str:
    """``value`` after an apostrophe where a spreadsheet would take it for a formula; numbers stay as they are."""
    return f"'{value}" if _RISKY.match(value) and not _NUMBER.fullmatch(value) else value


def cells(column: pd.Series, *, guard: bool = True) -> list[str]:
    """The cells of one column as text: yes/no, :func:`format_number`, text (guarded if ``guard``), "" for unknown."""
    values = column.to_numpy()
    if values.dtype == np.bool_:
        return ["yes" if v else "no" for v in values]
    if np.issubdtype(values.dtype, np.integer):
        return [str(v) for v in values.tolist()]
    if np.issubdtype(values.dtype, np.floating):
        return [format_number(v) for v in values.tolist()]
    return [_text(v, guard) for v in column.tolist()]


def _text(value: object, guard: bool) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return format_number(float(value))
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    return guarded(str(value)) if guard else str(value)


def csv_bytes(table: pd.DataFrame, *, guard: bool = True) -> bytes:
    """``table`` as CSV: UTF-8 without mark, commas, LF, header, no index; the rows in the order given.

    ``guard`` protects spreadsheets from text that looks like a formula: for results meant to be opened, not for
    registries that are read again.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([str(name) for name in table.columns])
    columns: Iterable[list[str]] = [cells(table.iloc[:, i], guard=guard) for i in range(table.shape[1])]
    writer.writerows(zip(*columns, strict=True))
    return stream.getvalue().encode("utf-8")


def write_csv(table: pd.DataFrame, path: Path | str, *, guard: bool = True) -> None:
    """Write :func:`csv_bytes` of ``table`` to ``path`` as a whole."""
    write_atomic(Path(path), csv_bytes(table, guard=guard))


def write_registry(table: pd.DataFrame, path: Path | str) -> None:
    """Write a registry that the strict reader reads back unchanged: no guard, numbers with all their digits."""
    write_atomic(Path(path), registry_bytes(table))


def registry_bytes(table: pd.DataFrame) -> bytes:
    """``table`` as the CSV of a registry: as :func:`csv_bytes`, but numbers keep all their digits."""
    exact = table.copy()
    for name in exact.columns:
        if exact[name].dtype == np.float64:
            exact[name] = pd.array(exact_cells(exact[name]), dtype="str")
    return csv_bytes(exact, guard=False)


def exact_cells(column: pd.Series) -> list[str]:
    """The cells of a registry's column as they stand in its file, numbers with all their digits."""
    if column.dtype == np.float64:
        return [_exact(v) for v in column.tolist()]
    return cells(column, guard=False)


def _exact(value: float) -> str:
    if np.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def refuse_folder(path: Path) -> None:
    """Raise ``IsADirectoryError``, naming ``path``, where a file is to be written and a folder stands."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path`` and move it there: a reader never sees half a file."""
    refuse_folder(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
