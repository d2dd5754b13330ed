"""``zjsim place``: places one school year, audits the result from its tables, and writes it only if it passes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zjsim.audit.finding import Finding
from zjsim.scenario import load
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.values import nearest
from zjsim.tables.writer import write_atomic, write_csv

if TYPE_CHECKING:
    import pandas as pd

INTERNAL, PUBLICATION = "internal", "publication"
_THEME = "placement.problem"


@dataclass(frozen=True)
class PlacingDone:
    """What a placement came to: the folder written (None if the audit failed), tables, and the audit's findings."""

    folder: Path | None
    year: int
    plan: Mapping[str, pd.DataFrame]
    findings: list[Finding]

    def unplaced(self) -> dict[str, int]:
        """Children without a place, by mode."""
        by_mode = self.plan["placement_unplaced"].groupby("mode", sort=True)["unplaced"].sum()
        return {str(mode): int(n) for mode, n in by_mode.items()}

    def children(self) -> int:
        """Applicants."""
        table = self.plan["placement_unplaced"]
        return int(table.loc[table["mode"] == table["mode"].iloc[0], "children"].sum())

    def counties(self) -> int:
        """Counties placed."""
        return int(self.plan["placement_unplaced"]["county_code"].nunique())


def place_scenario(
    scenario: str | Path,
    out: Path,
    *,
    counties: Sequence[str] | None = None,
    modes: Sequence[str] = ("priority", "utilitarian"),
    workers: int = 1,
    sets: Sequence[str] = (),
) -> PlacingDone:
    """Place, audit, write ``out``/internal (all tables) and ``out``/publication (small counts hidden).

    Raises ``InputErrors`` if the scenario has no applicants of the year, or none in a county that is asked for.
    """
    from zjsim.audit import placement as audit
    from zjsim.models.seat_placement import place, placement_year, publication

    loaded = load(scenario, sets=tuple(sets))
    year = placement_year(loaded)
    groups = loaded.table("child_groups")
    there = sorted(set(groups.loc[groups["year"] == year, "county_code"]))
    if not there:
        raise InputErrors([finding("no_groups", "child_groups.csv", column="year", value=str(year), theme=_THEME)])
    unknown = sorted(set(counties or ()) - set(there))
    if unknown:
        raise InputErrors(
            [finding("unknown_county", "--county", value=c, fix=nearest(c, there), theme=_THEME) for c in unknown]
        )
    plan = place(loaded, counties=counties or None, modes=modes, workers=workers)
    faults = audit.check(plan, loaded.tables, loaded.parameters)
    if faults:
        return PlacingDone(None, year, plan, faults)
    shown = publication(plan, loaded.parameters.placement.minimum_cell)
    for name, tables in ((INTERNAL, plan), (PUBLICATION, shown)):
        (out / name).mkdir(parents=True, exist_ok=True)
        for table, rows in sorted(tables.items()):
            write_csv(rows, out / name / f"{table}.csv")
    inputs = {"scenario": loaded.name, "sets": list(loaded.sets), "inputs": loaded.file_hashes}
    said = json.dumps({"run_id": out.name, **inputs}, ensure_ascii=False, indent=1)
    write_atomic(out / "manifest.json", f"{said}\n".encode())
    return PlacingDone(out, year, plan, [])
