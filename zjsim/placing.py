"""``zjsim place``: places a school year county by county, audits each from its tables, and writes all or nothing."""

from __future__ import annotations

import ctypes
import json
import shutil
import sys
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.audit.finding import Finding
from zjsim.publishing import exact_table, write_note
from zjsim.runfolder import NotARunFolderError, check_place, replace_folder
from zjsim.scenario import Scenario, load
from zjsim.simulate.workers import worker_pool
from zjsim.tables.errors import Finding as Fault
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.manifests import MANIFEST
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
    scenario has no applicants of the year, or with all that is wrong with the call: counties without applicants (by
    preference: without choices), a plan that says nothing of the year or of a county, a folder that holds other things.
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
    faults_of_call = _unplaceable(loaded, year, there, counties, choices="preference" in modes)
    if "preference" in modes and not faults_of_call:
        counties = _collecting(loaded, year, counties)
    inputs: dict[str, Any] = {"scenario": loaded.name, "sets": list(loaded.sets), "inputs": loaded.file_hashes}
    classes = None
    if plan is not None:
        asked = set(there) & set(counties or there)
        classes, inputs["seat_plan"], of_plan = _seat_plan(plan, year, asked)
        faults_of_call += of_plan
    faults_of_call += _no_place(out)
    if faults_of_call:
        raise InputErrors(faults_of_call)
    tasks = county_tasks(loaded, counties=counties or None, modes=modes, plan=classes)
    said = _facts(loaded, year, lang)
    names = _names(loaded, lang)
    basis = county_basis(loaded, _RESTS_ON, *(() if classes is None else (classes,)))
    del loaded, groups
    give_back_memory()
    found: dict[str, list[pd.DataFrame]] = {}
    faults: list[Finding] = []
    final = out.resolve()
    part = final.with_name(f"{final.name}.part")
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
        manifest = json.dumps({"run_id": final.name, **inputs}, ensure_ascii=False, indent=1)
        write_atomic(part / MANIFEST, f"{manifest}\n".encode())
        replace_folder(part, final)
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


def _unplaceable(
    loaded: Scenario, year: int, there: Sequence[str], counties: Sequence[str] | None, *, choices: bool
) -> list[Fault]:
    """Counties asked for that have no applicants or, where choices count, collect none; all of them."""
    unknown = sorted(set(counties or ()) - set(there))
    found = [finding("unknown_county", "--county", value=c, fix=nearest(c, there), theme=_THEME) for c in unknown]
    if choices:
        collecting = _collecting(loaded, year, None)
        without = sorted(set(counties or ()) - set(collecting) - set(unknown))
        if not collecting:
            without = [loaded.name]
        found += [finding("no_choices", "--county", value=c, fix=nearest(c, collecting), theme=_THEME) for c in without]
    return found


def _collecting(loaded: Scenario, year: int, counties: Sequence[str] | None) -> list[str]:
    """Counties that collect choices of the year: those asked for, else all."""
    if counties:
        return sorted(set(counties))
    choices = loaded.tables.get("school_choices")
    return sorted(set(choices.loc[choices["year"] == year, "county_code"])) if choices is not None else []


_SEAT_PLAN = "seat_zone_classes"
_PLAN_COLUMNS = ("county_code", "zone_id", "year", "grade", "classes", "public_seats")


def _seat_plan(run: Path, year: int, codes: Collection[str]) -> tuple[pd.DataFrame | None, dict[str, str], list[Fault]]:
    """The year's classes by zone of a run's seat plan, what the manifest says of where they are from, and every fault
    of the plan (then there is no table).
    """
    import pandas as pd

    def fault(rule: str, value: str, fix: str = "") -> Fault:
        return finding(rule, f"--plan {run}", value=value, fix=fix, theme=_THEME)

    if not run.is_dir():
        beside = [p.name for p in run.parent.iterdir() if p.is_dir()] if run.parent.is_dir() else []
        return None, {}, [fault("no_folder", run.name, fix=nearest(run.name, sorted(beside)))]
    file = exact_table(run, _SEAT_PLAN)
    if not file.is_file():
        return None, {}, [fault("no_plan", file.name)]
    whole = file.read_bytes()
    try:
        table = pd.read_csv(BytesIO(whole), dtype={"county_code": str, "zone_id": str, "stage": str})
    except ValueError:  # what pandas raises of a file that is empty, not text or no table
        return None, {}, [fault("plan_unreadable", file.name)]
    if missing := [c for c in _PLAN_COLUMNS if c not in table.columns]:
        return None, {}, [fault("plan_column", c, fix=nearest(c, list(table.columns))) for c in missing]
    if not (table["year"] == year).any():
        return None, {}, [fault("plan_year", str(year), fix=nearest(str(year), sorted(set(table["year"].map(str)))))]
    table = table[table["year"] == year].reset_index(drop=True)
    known = sorted(set(table["county_code"]))
    gone = [fault("plan_county", code) for code in sorted(set(codes) - set(known))]
    origin = {"run_id": run.resolve().name, "table": file.name, "sha256": sha256(whole).hexdigest()}
    return table, origin, gone


_OWN = {INTERNAL, PUBLICATION, COUNTIES, MANIFEST}
"""What a placement's folder holds; one with anything else in it is not replaced."""


def _no_place(out: Path) -> list[Fault]:
    """Why the results cannot be written to ``out``: it is no folder, can't be written, or holds something else."""
    try:
        check_place(out)
    except NotARunFolderError as error:
        return [finding("no_place", f"--out {out}", value=str(error), theme=_THEME)]
    if not out.is_dir():
        return []
    strange = sorted(p.name for p in out.iterdir() if p.name not in _OWN and not p.name.startswith("."))
    return [finding("strange_place", f"--out {out}", value=name, theme=_THEME) for name in strange[:1]]


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
