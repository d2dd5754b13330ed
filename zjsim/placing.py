"""``zjsim place``: places a school year county by county, audits each from its tables, and writes all or nothing."""

from __future__ import annotations

import ctypes
import json
import shutil
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.audit.finding import Finding
from zjsim.publishing import exact_table, write_note
from zjsim.scenario import Scenario, load
from zjsim.simulate.workers import worker_pool
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.values import nearest
from zjsim.tables.writer import write_atomic, write_csv
from zjsim.texts import Language

if TYPE_CHECKING:
    import pandas as pd

INTERNAL, PUBLICATION, COUNTIES = "internal", "publication", "counties"
BOOK = "placement.xlsx"
_THEME = "placement.problem"
_RESTS_ON = ("schools", "school_grades", "child_groups", "tier_rules")
_AHEAD = 3
Plan = dict[str, "pd.DataFrame"]


@dataclass(frozen=True)
class PlacingDone:
    """What a placement came to: the folder written (None if the audit failed), tables, and the audit's findings.

    ``plan`` holds the tables of the province; those by child or group are in each county's own folder only.
    """

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

    def coupled(self) -> dict[str, tuple[int, int, float]]:
        """Of each rule that couples children: by how much it is missed, how much without it, the largest gap."""
        table = self.plan["placement_coupled"]
        rows = table[table["part"] == 0].groupby("goal", sort=True)[["value", "without_rules"]].sum()
        gap = float(table["gap"].max()) if len(table) else 0.0
        return {str(name): (int(v), int(w), gap) for name, v, w in rows.itertuples(name=None)}

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
    plan: Path | None = None,
    lang: Language = "zh",
) -> PlacingDone:
    """Place, audit, and write ``out``: internal (the province's tables and their workbook in ``lang``), publication
    (small counts hidden), and for each county a folder of its own below counties, with its groups of children. Every
    row says what its county's numbers rest on (``basis``).

    ``plan``: folder of a run whose seat plan's openings of that year count as capacity. Raises ``InputErrors`` if the
    scenario has no applicants of the year, or none in a county that is asked for, or if the plan says nothing of the
    year or of one of the counties; and, by preference, if a county asked for collects no choices.
    """
    import pandas as pd

    from zjsim.models.seat_basis import county_basis
    from zjsim.models.seat_placement import COUNTY_TABLES, county_tasks, placement_year, publication
    from zjsim.report.placement_book import proven, write_placement_book

    loaded = load(scenario, sets=tuple(sets))
    year, parameters = placement_year(loaded), loaded.parameters
    groups = loaded.table("child_groups")
    there = sorted(set(groups.loc[groups["year"] == year, "county_code"]))
    if not there:
        raise InputErrors([finding("no_groups", "child_groups.csv", column="year", value=str(year), theme=_THEME)])
    unknown = sorted(set(counties or ()) - set(there))
    if unknown:
        raise InputErrors(
            [finding("unknown_county", "--county", value=c, fix=nearest(c, there), theme=_THEME) for c in unknown]
        )
    if "preference" in modes:
        counties = _collecting(loaded, year, counties)
    inputs: dict[str, Any] = {"scenario": loaded.name, "sets": list(loaded.sets), "inputs": loaded.file_hashes}
    classes = None
    if plan is not None:
        classes, inputs["seat_plan"] = _seat_plan(plan, year, counties or there)
    tasks = county_tasks(loaded, counties=counties or None, modes=modes, plan=classes)
    said = _facts(loaded, year, lang)
    names = _names(loaded, lang)
    basis = county_basis(loaded, _RESTS_ON, *(() if classes is None else (classes,)))
    del loaded, groups
    give_back_memory()
    found: dict[str, list[pd.DataFrame]] = {}
    faults: list[Finding] = []
    part = out.with_name(f"{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        for code, placed, of_county in _in_order(((task, parameters) for task in tasks), workers):
            faults += of_county
            for name, table in sorted(placed.items()):
                if name not in COUNTY_TABLES:
                    found.setdefault(name, []).append(table)
                elif len(table) and not faults:
                    folder = part / COUNTIES / code
                    folder.mkdir(parents=True, exist_ok=True)
                    write_csv(_with_basis(table, basis), folder / f"{name}.csv")
        province = {name: pd.concat(tables, ignore_index=True) for name, tables in found.items()}
        if faults:
            return PlacingDone(None, year, province, faults)
        shown = publication(province, parameters.placement.minimum_cell)
        for folder_name, tables in ((INTERNAL, province), (PUBLICATION, shown)):
            (part / folder_name).mkdir(parents=True, exist_ok=True)
            for name, rows in sorted(tables.items()):
                write_csv(_with_basis(rows, basis), part / folder_name / f"{name}.csv")
        done = PlacingDone(out, year, province, [])
        facts = {**said, "children": done.children(), "counties": done.counties()}
        write_placement_book(part / INTERNAL / BOOK, facts, province, names, lang)
        facts["proof"] = proven(province, lang)
        write_placement_book(part / PUBLICATION / BOOK, facts, shown, names, lang)
        write_note(part / INTERNAL)
        out.mkdir(parents=True, exist_ok=True)
        for folder in sorted(part.iterdir()):
            shutil.rmtree(out / folder.name, ignore_errors=True)
            folder.rename(out / folder.name)
        manifest = json.dumps({"run_id": out.name, **inputs}, ensure_ascii=False, indent=1)
        write_atomic(out / "manifest.json", f"{manifest}\n".encode())
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return done


def _with_basis(table: pd.DataFrame, basis: Mapping[str, str]) -> pd.DataFrame:
    """The table with the weakest basis of each county's schools, seats, rules and applicants, row by row."""
    return table.assign(basis=table["county_code"].map(basis).astype("str"))


def _facts(loaded: Scenario, year: int, lang: Language) -> dict[str, Any]:
    """What the workbook's cover says of the scenario: title, year and the placement's switches that are not default."""
    p = loaded.parameters.placement
    default = type(p)()
    changed = {k: v for k, v in p.model_dump(mode="json").items() if v != default.model_dump(mode="json")[k]}
    switches = "; ".join(f"{k} = {v}" for k, v in sorted(changed.items()))
    title = getattr(loaded.parameters.header, f"title_{lang}")
    return {"title": title, "scenario": loaded.name, "year": year, "switches": switches}


def _names(loaded: Scenario, lang: Language) -> dict[str, dict[str, str]]:
    """Names of counties and schools by code."""
    counties, schools = loaded.table("counties"), loaded.table("schools")
    return {
        "county": dict(zip(counties["county_code"], counties[f"name_{lang}"], strict=True)),
        "school": dict(zip(schools["school_id"], schools[f"label_{lang}"], strict=True)),
    }


def _collecting(loaded: Scenario, year: int, counties: Sequence[str] | None) -> list[str]:
    """Counties that collect choices of the year: those asked for, else all; InputErrors if one does not, or none."""
    choices = loaded.tables.get("school_choices")
    there = sorted(set(choices.loc[choices["year"] == year, "county_code"])) if choices is not None else []
    without = sorted(set(counties or ()) - set(there))
    if without or not there:
        found = [finding("no_choices", "--county", value=c, theme=_THEME) for c in without or [loaded.name]]
        raise InputErrors(found)
    return sorted(set(counties)) if counties else there


def _seat_plan(run: Path, year: int, codes: Sequence[str]) -> tuple[pd.DataFrame, dict[str, str]]:
    """The year's classes by zone of a run's seat plan, and what the manifest says of where they are from."""
    import pandas as pd

    file = exact_table(run, "seat_zone_classes")
    if not file.is_file():
        raise InputErrors([finding("no_plan", str(run), value=file.name, theme=_THEME)])
    whole = file.read_bytes()
    table = pd.read_csv(BytesIO(whole), dtype={"county_code": str, "zone_id": str, "stage": str})
    table = table[table["year"] == year].reset_index(drop=True)
    if table.empty:
        raise InputErrors([finding("plan_year", str(run), column="year", value=str(year), theme=_THEME)])
    if gone := sorted(set(codes) - set(table["county_code"])):
        raise InputErrors([finding("plan_county", str(run), value=code, theme=_THEME) for code in gone])
    return table, {"run_id": run.resolve().name, "table": file.name, "sha256": sha256(whole).hexdigest()}


def _in_order(tasks: Iterator[Any], workers: int) -> Iterator[tuple[str, Plan, list[Finding]]]:
    """Counties placed and audited, in order; few are under way at a time, so that memory stays small."""
    if workers == 1:
        yield from map(_placed_and_audited, tasks)
        return
    with worker_pool(workers) as pool:
        waiting: deque[Future[tuple[str, Plan, list[Finding]]]] = deque()
        for task in tasks:
            waiting.append(pool.submit(_placed_and_audited, task))
            if len(waiting) >= _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _placed_and_audited(task: Any) -> tuple[str, Plan, list[Finding]]:
    """One county: its plan, and what the audit finds from the plan and the county's registries alone."""
    from zjsim.audit import placement as audit
    from zjsim.models.seat_placement import county_plan

    of_county, parameters = task
    give_back_memory()
    plan = county_plan(of_county)
    give_back_memory()
    return of_county.code, plan, audit.check(plan, of_county.tables, parameters)


def give_back_memory() -> None:
    """Returns memory that was freed to the system, where the C library keeps it (glibc): hundreds of MB after reading.

    Nothing happens elsewhere; results never depend on it.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
