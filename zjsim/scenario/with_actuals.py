"""A scenario whose past comes from a file of its own: the quarter's figures, put in the place of ``actuals`` (M121).

The file is checked exactly as the registry would be, together with all other inputs: one report of all faults, each
with its place in that file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from zjsim.scenario.folders import find_folder
from zjsim.scenario.gather import gather, read_chain
from zjsim.scenario.loader import assemble
from zjsim.tables.errors import Finding, InputErrors, finding
from zjsim.tables.raw import RawTable
from zjsim.tables.reader import SourceFile, read_raw
from zjsim.tables.registries import REGISTRIES

if TYPE_CHECKING:
    from zjsim.scenario.loader import Scenario

ACTUALS = "actuals"
_WORKBOOKS = (".xlsx", ".xlsm")


def load_with_actuals(
    source: str | Path, actuals: Path | None, as_of: date | None, sets: Sequence[str] = ()
) -> Scenario:
    """``source`` (a name or a folder) as of ``as_of`` (None: its own date) with the rows of ``actuals`` as its past.

    ``actuals`` is a CSV file, or a workbook with a sheet ``actuals``; None keeps the scenario's own registry. Rows of
    the file replace the registry as a whole. Raises ``InputErrors`` with every fault of every file.
    """
    folder, notices = find_folder(source)
    chain, broken = read_chain(folder)
    gathered = gather(chain, broken)
    gathered.findings[:0] = notices
    if actuals is not None:
        raw, file, found = read_actuals(actuals)
        gathered.findings += found
        gathered.changes = [c for c in gathered.changes if c.registry != ACTUALS]
        if raw is not None:
            gathered.raws[ACTUALS] = raw
        if file is not None:
            gathered.files[ACTUALS] = file
        if raw is None:
            raise InputErrors(gathered.findings)
    told = tuple(sets) if as_of is None else (f"time.as_of={as_of.isoformat()}", *sets)
    base = chain[1][0].name if len(chain) > 1 else ""
    return assemble(folder.name, gathered, base=base, sets=told)


def read_actuals(path: Path) -> tuple[RawTable | None, SourceFile | None, list[Finding]]:
    """The raw table in a CSV file or in the sheet ``actuals`` of a workbook; its cells are checked later."""
    if path.suffix.lower() not in _WORKBOOKS:
        raw, file, found = read_raw(path, path.parent, ACTUALS, path.name)
        return raw, None if file is None else replace(file, place=f"{ACTUALS}/{path.name}"), found
    import hashlib

    from zjsim.tables.sheets import read_workbook_file

    raws, _, found = read_workbook_file(path, {ACTUALS: REGISTRIES[ACTUALS]})
    if ACTUALS not in raws and not found:
        found.append(finding("sheet_missing", path.name, value=ACTUALS))
    if not path.is_file():
        return None, None, found
    data = path.read_bytes()
    file = SourceFile(f"{ACTUALS}/{path.name}", str(path), hashlib.sha256(data).hexdigest(), len(data))
    return raws.get(ACTUALS), file, found
