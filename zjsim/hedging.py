"""``zjsim hedge``: what to begin now under uncertain demand - solved, audited, written whole or not at all."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.audit.finding import Finding
from zjsim.publishing import INTERNAL, TABLES, write_note
from zjsim.runfolder import output_hashes, published, run_id, write_manifest
from zjsim.scenario import Scenario, load
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.values import nearest
from zjsim.tables.writer import write_csv
from zjsim.texts import Language

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
_THEME = "hedge"


@dataclass(frozen=True)
class HedgeDone:
    """What ``zjsim hedge`` came to: folder (None if the audit failed), manifest, tables, the audit's findings."""

    folder: Path | None
    manifest: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    findings: list[Finding]

    def value(self, name: str) -> float:
        """A value of the province in yuan (rows of ``hedge_values``)."""
        table = self.tables["hedge_values"].set_index("value_of")["yuan"]
        return float(table[name])

    def counties(self, decision: str) -> int:
        """Areas with this decision."""
        return int((self.tables["hedge_areas"]["decision"] == decision).sum())


def hedge_scenario(
    scenario: str | Path | Scenario,
    out: str | Path = "results/hedge",
    *,
    counties: Sequence[str] = (),
    workers: int = 1,
    sets: Sequence[str] = (),
    lang: Language = "zh",
    progress: Callable[[int, int], None] | None = None,
) -> HedgeDone:
    """Solve, audit and write ``out/<scenario>/<id>/``: tables, workbook, figures, manifest.

    The folder's name follows from inputs and options: equal calls share it. Raises ``InputErrors`` for a broken
    scenario or an unknown county and ``hedge_solve.HedgeStopped`` if a limit struck before any plan was found.
    """
    from zjsim.audit import hedge as audit
    from zjsim.models.hedge_tables import hedge_tables
    from zjsim.models.seat_hedge import solve_hedge

    loaded = scenario if isinstance(scenario, Scenario) else load(scenario, sets=tuple(sets))
    there = sorted(loaded.table("counties")["county_code"])
    unknown = sorted(set(counties) - set(there))
    if unknown:
        raise InputErrors(
            [finding("unknown_county", "--county", value=c, fix=nearest(c, there), theme=_THEME) for c in unknown]
        )
    result = solve_hedge(loaded, only=tuple(counties), workers=workers, progress=progress)
    tables = hedge_tables(result)
    manifest = _manifest(loaded, counties, lang)
    faults = audit.check(tables, loaded.tables, loaded.parameters)
    if faults:
        return HedgeDone(None, manifest, tables, faults)
    with published(Path(out), loaded.name, str(manifest["run_id"])) as (partial, final):
        _write(partial, manifest, tables, loaded, lang)
        manifest["outputs"] = output_hashes(partial)
        write_manifest(partial, manifest)
    return HedgeDone(final, manifest, tables, [])


def _manifest(scenario: Scenario, counties: Sequence[str], lang: Language) -> dict[str, Any]:
    from zjsim.run import input_hashes

    parameters = scenario.parameters.model_dump(mode="json")
    identity = {
        "format": FORMAT,
        "kind": "hedge",
        "scenario": scenario.name,
        "base": scenario.base,
        "sets": list(scenario.sets),
        "counties": sorted(counties),
        "parameters": {k: parameters[k] for k in ("header", "time", "seats", "hedge", "solver")},
        "inputs": input_hashes(scenario),
        "lang": lang,
    }
    return {
        **identity,
        "run_id": run_id(identity),
        "header": parameters["header"],
        "as_of": str(scenario.parameters.time.as_of),
        "python": platform.python_version(),
        "audit": {"passed": True, "findings": []},
    }


def _write(
    folder: Path, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], scenario: Scenario, lang: Language
) -> None:
    from zjsim.models.hedge_publication import hedge_publication
    from zjsim.models.hedge_tables import hedge_children
    from zjsim.report.figures.hedge import draw_hedge
    from zjsim.report.hedge_book import write_hedge_book
    from zjsim.report.sources import input_sources, placeholder_share

    inside = {n: t for n, t in tables.items() if n != "hedge_demand"}
    inside["hedge_children"] = hedge_children(tables["hedge_demand"])
    p = scenario.parameters
    purchase = float(scenario.table("seat_options")["purchase_yuan_per_place"].max()) * (1 + p.hedge.overrun_price)
    dearest = max(p.hedge.local_price_yuan, p.hedge.place_price_yuan, p.hedge.share_price_yuan, purchase)
    tables = hedge_publication(
        tables, dearest_yuan=dearest, cvar_level=p.hedge.cvar_level, risk_weight=p.hedge.risk_weight
    )
    for place, written in ((INTERNAL, inside), (TABLES, tables)):
        (folder / place).mkdir()
        for name, table in sorted(written.items()):
            write_csv(table, folder / place / f"{name}.csv")
    write_note(folder / INTERNAL)
    write_hedge_book(folder / "hedge.xlsx", manifest, tables, lang)
    (folder / "figures").mkdir()
    read = {n: scenario.table(n) for n in sorted(scenario.tables)}
    draw_hedge(folder / "figures", manifest, tables, lang, placeholder_share(input_sources(read)))
