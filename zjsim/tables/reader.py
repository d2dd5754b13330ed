"""The strict reader: all registries of a scenario at once, with every fault of every file in one report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zjsim.tables.checked import CheckedTable
from zjsim.tables.checks import check_cells
from zjsim.tables.errors import Finding
from zjsim.tables.files import read_bytes, to_utf8
from zjsim.tables.header import check_header
from zjsim.tables.keys import check_references
from zjsim.tables.parse import parse_csv
from zjsim.tables.raw import RawTable
from zjsim.tables.schema import Registry
from zjsim.tables.sheets import in_sheet
from zjsim.tables.typed import typed_frame


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read: ``place`` within the scenarios (``baseline/registries/counties.csv``, the same on every
    machine), its path here, the SHA-256 of its bytes and their number."""

    place: str
    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class TablesRead:
    """What came of reading: typed tables without errors, the lines of their rows, and all findings.

    ``lines[registry][i]`` is the line of the file on which row i of ``tables[registry]`` begins.
    """

    tables: dict[str, pd.DataFrame]
    lines: dict[str, NDArray[np.int64]]
    findings: list[Finding]


def read_raw(
    path: Path, folder: Path, name: str, label: str
) -> tuple[RawTable | None, SourceFile | None, list[Finding]]:
    """Open and cut one CSV file of the registry ``name``; ``folder`` is the scenario's, which it must not leave."""
    data = read_bytes(path, folder, label)
    if isinstance(data, Finding):
        return None, None, [data]
    source = SourceFile(
        f"{folder.name}/{path.relative_to(folder).as_posix()}", str(path), hashlib.sha256(data).hexdigest(), len(data)
    )
    data, found = to_utf8(data, label)
    if any(f.severity == "error" for f in found):
        return None, source, found
    raw, more = parse_csv(data, name, label)
    return raw, source, found + more


def check_tables(raws: Mapping[str, RawTable], registries: Mapping[str, Registry]) -> TablesRead:
    """Check raw tables against their declarations and each other; tables with errors stay out of the result."""
    checked: dict[str, CheckedTable] = {}
    for name, raw in raws.items():
        position, found = check_header(raw, registries[name])
        table = check_cells(raw, registries[name], position)
        table.findings[:0] = found
        checked[name] = table
    check_references(checked)
    tables: dict[str, pd.DataFrame] = {}
    lines: dict[str, NDArray[np.int64]] = {}
    findings: list[Finding] = []
    for name, table in checked.items():
        told = in_sheet(table.findings, table.raw) if table.raw.sheet else table.findings
        findings.extend(in_order(told))
        if table.ok and not table.raw.told:
            tables[name] = typed_frame(table)
            lines[name] = table.raw.lines
    return TablesRead(tables, lines, findings)


def read_table(path: Path | str, registry: Registry) -> pd.DataFrame:
    """One CSV file alone, checked but for its references to other registries; raises ``InputErrors``."""
    from zjsim.tables.errors import InputErrors

    path = Path(path)
    raw, _, found = read_raw(path, path.parent, registry.name, path.name)
    if raw is not None:
        read = check_tables({registry.name: raw}, {registry.name: registry})
        found = found + read.findings
    if raw is None or any(f.severity == "error" for f in found):
        raise InputErrors(found)
    return read.tables[registry.name]


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Findings by line, those without a line first; within a line in the order in which they were found."""
    return sorted(findings, key=lambda f: (f.line is not None, f.line or 0))
