"""A finished run as it lies in its folder: the manifest, and every table read when it is asked for.

Documents are written from this alone, so that each of their numbers stands in a table of the run.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.manifests import read_manifest
from zjsim.tables.published import SUPPRESSED

_TEXT_ENDS = ("_id", "_code", "_zh", "_en", "_reading", "_date", "_basis")
_TEXT = ("entity", "row", "group", "reading", "measures", "changes", "instead", "key", "old", "new", "reason", "zone")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?(e[-+]?[0-9]+)?|-?inf", re.IGNORECASE)
_GUARDED = re.compile(r"'[=+@\t\r-]")


class RunTables(Mapping[str, pd.DataFrame]):
    """The tables of a run folder by name, each read once and when first asked for, with their types."""

    def __init__(self, folder: Path) -> None:
        self._files = {p.stem: p for p in sorted(folder.glob("*.csv"))}
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            self._read[name] = read_table(self._files[name])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, name: object) -> bool:
        return name in self._files


@dataclass(frozen=True)
class Finished:
    """A finished run: its folder, its manifest, its tables."""

    folder: Path
    manifest: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]

    @property
    def is_comparison(self) -> bool:
        """Whether it compares runs rather than being one."""
        return self.manifest.get("kind") == "comparison"


def read_run(folder: Path, *, or_comparison: bool = False) -> Finished:
    """The run in ``folder`` (a comparison of runs too if that is wanted); raises ``InputErrors`` if there is none."""
    path = folder / "manifest.json"
    if not path.is_file() or not (folder / "tables").is_dir():
        raise InputErrors([finding("run", str(folder), theme="scenario.trace.rule")])
    try:
        manifest = read_manifest(folder)
    except ValueError as error:
        raise InputErrors([finding("run", str(folder), theme="scenario.trace.rule")]) from error
    found = Finished(folder, manifest, RunTables(folder / "tables"))
    is_run = "kind" not in manifest and "solves" in manifest
    if not is_run and not (or_comparison and found.is_comparison):
        rule = "no_document" if or_comparison else "only_runs"
        raise InputErrors([finding(rule, str(folder), theme="scenario.trace.rule")])
    return found


def read_table(path: Path) -> pd.DataFrame:
    """A table as :func:`zjsim.tables.writer.write_csv` wrote it: numbers, yes / no and text, text without its guard."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream)
        names = next(rows, [])
        cells = list(zip(*rows, strict=True)) or [()] * len(names)
    hidden = _ever_hidden(names, cells)
    columns = [_typed(name, list(column), name in hidden) for name, column in zip(names, cells, strict=True)]
    table = pd.DataFrame(dict(enumerate(columns)), index=range(len(cells[0]) if cells else 0))
    table.columns = pd.Index(names)
    return table


def _ever_hidden(names: list[str], cells: list[Any]) -> set[str]:
    """Columns that count and are hidden in some row: numbers even where no cell of them is left."""
    if SUPPRESSED not in names:
        return set()
    return {column for row in set(cells[names.index(SUPPRESSED)]) for column in row.split(";") if column}


def _typed(name: str, cells: list[str], is_count: bool = False) -> Any:
    """The cells of a column as integers, floats (NaN unknown), booleans or text, by what all of them are."""
    filled = {c for c in cells if c}
    if is_count and not filled:
        return np.full(len(cells), np.nan)
    text = name.endswith(_TEXT_ENDS) or name in _TEXT
    if filled and filled <= {"yes", "no"} and len(filled) and "" not in cells:
        return np.array([c == "yes" for c in cells], dtype=bool)
    if filled and not text and all(_NUMBER.fullmatch(c) for c in filled):
        if "" not in cells and all(_INTEGER.fullmatch(c) for c in filled):
            return np.array([int(c) for c in cells], dtype=np.int64)
        return np.array([float(c) if c else np.nan for c in cells], dtype=np.float64)
    return pd.Series([c[1:] if _GUARDED.match(c) else c for c in cells], dtype=object)
