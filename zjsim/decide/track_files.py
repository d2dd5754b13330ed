"""A report of ``zjsim track`` as files: tables, workbook and picture, whole or not at all; a killed one goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.clock import Clock, Progress
from zjsim.decide.planned import is_run, plan_tables
from zjsim.decide.runs import RunFiles, open_run
from zjsim.decide.track import track
from zjsim.decide.track_since import KIND, report_before
from zjsim.engine import Engine, checkpoint_of, say_resumed
from zjsim.models.past import past
from zjsim.models.tracking_estimates import estimates
from zjsim.runfolder import NotARunFolderError, check_place, output_hashes, published, run_id, write_manifest
from zjsim.scenario.with_actuals import load_with_actuals
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.writer import write_csv
from zjsim.texts import Language

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario

    Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Tracked:
    """A finished report: its folder, what ``manifest.json`` says, and its tables."""

    folder: Path
    manifest: dict[str, Any]
    tables: Tables


def write_tracking(
    source: str | Path,
    out: str | Path,
    *,
    actuals: Path | None = None,
    as_of: date | None = None,
    since: Path | None = None,
    shares: Path | None = None,
    re_estimate: bool = False,
    seed: int | None = None,
    replications: int | None = None,
    workers: int = 1,
    cluster: str = "",
    sets: Sequence[str] = (),
    lang: Language = "zh",
    progress: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> Tracked:
    """Track ``source`` (a scenario, or a run of the same as-of date, whose plan is kept) into
    ``out/<scenario>/<name>/``.

    A scenario is planned anew from ``as_of``. Equal inputs, seed and report before give equal bytes for any number of
    workers. Raises ``InputErrors``, or :class:`zjsim.chain.RunRefused` where no plan exists; nothing is written then.
    """
    _check_place(Path(out))
    clock = Clock(progress)
    run = open_run(source) if is_run(source) else None
    scenario, used = _read(source, run, actuals, as_of, tuple(sets), re_estimate)
    simulation = scenario.parameters.simulation
    seed = simulation.seed if seed is None else seed
    replications = simulation.replications if replications is None else replications
    if shares is not None:
        scenario = with_shares(scenario, shares)
    earlier = _run_id(since)
    plan = _plan(scenario, run, clock, workers)
    identity: dict[str, Any] = {
        "kind": KIND,
        "scenario": scenario.name,
        "as_of": scenario.parameters.time.as_of.isoformat(),
        "inputs": scenario.file_hashes,
        "parameters": scenario.parameters.model_dump(mode="json"),
        "sets": list(scenario.sets),
        "plan_of": str(run.manifest["run_id"]) if run is not None else "",
        "since": earlier,
        "shares": _run_id(shares),
        "re_estimate": re_estimate,
        "seed": seed,
        "replications": replications,
        "lang": lang,
    }
    name = run_id(identity)
    checkpoint = checkpoint_of(Path(out), scenario.name, name, plan)
    say_resumed(checkpoint, notice, lang)
    engine = Engine(workers, cluster, checkpoint)
    with clock.step("simulate"):
        before = report_before(since, scenario.parameters.time.as_of, engine) if since is not None else None
        tables = track(
            scenario, plan, seed=seed, replications=replications, engine=engine, since=before, used_estimates=used,
            progress=clock.within,
        )  # fmt: skip
    manifest = {
        **identity,
        "run_id": name,
        "header": identity["parameters"]["header"],
        "p_required": simulation.p_required,
    }
    manifest["since_label"] = before.label if before is not None else ""
    manifest["notices"] = [n.sentence(lang) for n in scenario.notices]
    manifest["audit"] = {"passed": True, "plan": "kept" if run is not None else "audited"}
    try:
        with published(Path(out), scenario.name, name) as (partial, final):
            _write(partial, tables, manifest, scenario, lang)
            manifest["outputs"] = output_hashes(partial)
            write_manifest(partial, manifest)
    except NotARunFolderError as error:
        raise _no_place(error) from error
    checkpoint.clear()
    return Tracked(final, manifest, tables)


def _check_place(out: Path) -> None:
    try:
        check_place(out)
    except NotARunFolderError as error:
        raise _no_place(error) from error


def _no_place(error: NotARunFolderError) -> InputErrors:
    return InputErrors([finding("no_place", str(error), theme="decide.rule")])


def _read(
    source: str | Path,
    run: RunFiles | None,
    actuals: Path | None,
    as_of: date | None,
    sets: tuple[str, ...],
    re_estimate: bool,
) -> tuple[Scenario, pd.DataFrame | None]:
    """The scenario as of the date with the figures of the file; with ``re_estimate`` also with the new parameters."""
    from zjsim.archive import ArchiveError, archived_folder

    own: tuple[str, ...] = ()
    if run is not None:
        ran = str(run.manifest["as_of"])
        if as_of is not None and as_of.isoformat() != ran:
            words = {"ran": ran, "as_of": as_of.isoformat(), "scenario": run.manifest["scenario"]}
            raise InputErrors([finding("track_run_as_of", str(run.folder), theme="decide.rule", words=words)])
        own, as_of = tuple(run.manifest["sets"]), None
    try:
        with nullcontext(source) if run is None else archived_folder(run.folder, run.manifest) as folder:
            scenario = load_with_actuals(folder, actuals, as_of, (*own, *sets))
            if not re_estimate:
                return scenario, None
            found = estimates(scenario, past(scenario), used=True)
            return load_with_actuals(folder, actuals, as_of, (*own, *sets, *estimate_sets(scenario, found))), found
    except ArchiveError as error:
        assert run is not None
        trouble = finding("no_inputs", str(run.folder), value=str(error), theme="decide.rule")
        raise InputErrors([trouble]) from error


def estimate_sets(scenario: Scenario, found: pd.DataFrame) -> tuple[str, ...]:
    """The new values as ``--set`` options: the mode becomes the estimate, a range that lacks it is widened to it.

    The range stays otherwise: it says how entities and batches differ, which the mean of a few tells little about.
    """
    sets: list[str] = []
    for row in found.to_dict("records"):
        names = ("process_parameters", "programme_parameters")
        registry = next(n for n in names if row["parameter_id"] in set(scenario.table(n)["parameter_id"]))
        value = float(f"{row['estimate']:.6g}")
        cell = f"{registry}[{row['parameter_id']}]"
        sets.append(f"{cell}.mode={value:g}")
        if value < row["prior_low"]:
            sets.append(f"{cell}.low={value:g}")
        if value > row["prior_high"]:
            sets.append(f"{cell}.high={value:g}")
    return tuple(sets)


def _run_id(folder: Path | None) -> str:
    return "" if folder is None else str(open_run(folder).manifest["run_id"])


def with_shares(scenario: Scenario, folder: Path) -> Scenario:
    """The scenario with the milestones of places that ``zjsim allocate-targets`` wrote, beside its own.

    A place and target that has milestones of its own keeps them. Raises ``InputErrors`` where the folder is none.
    """
    import pandas as pd

    run = open_run(folder)
    if not run.has("allocation_milestones"):
        raise InputErrors([finding("no_shares", str(folder), theme="decide.rule")])
    more, own = run.table("allocation_milestones"), scenario.table("milestones")
    more = more.assign(area_code=more["area_code"].astype(str), is_year_end=more["is_year_end"] == "yes")
    key = ["target_id", "reading", "area_code"]
    known = set(own[key].itertuples(index=False, name=None))
    fresh = [k not in known for k in more[key].itertuples(index=False, name=None)]
    joined = pd.concat([own, more.loc[fresh, list(own.columns)]], ignore_index=True)
    return replace(scenario, tables={**scenario.tables, "milestones": joined})


def _plan(scenario: Scenario, run: RunFiles | None, clock: Clock, workers: int) -> Tables:
    """The plan of the run, or a plan made and audited now."""
    if run is not None:
        return plan_tables(run)
    from zjsim.chain import solve_all
    from zjsim.run import check_plan

    plan, _, _ = solve_all(scenario, clock, workers)
    with clock.step("audit"):
        check_plan(plan, scenario)
    return plan


def _write(folder: Path, tables: Tables, manifest: dict[str, Any], scenario: Scenario, lang: Language) -> None:
    from zjsim.report.figures.tracking import draw_lights, draw_tracking
    from zjsim.report.sources import input_sources, placeholder_share
    from zjsim.report.style import house_style, label_synthetic, save
    from zjsim.report.tracking_book import write_tracking_book

    share = placeholder_share(input_sources({n: scenario.table(n) for n in sorted(scenario.tables)}))
    manifest["placeholder_share"] = share
    (folder / "tables").mkdir()
    for name, table in tables.items():
        write_csv(table, folder / "tables" / f"{name}.csv")
    write_tracking_book(folder / "tracking.xlsx", manifest, tables, lang)
    (folder / "figures").mkdir()
    with house_style():
        for name, draw in (("track_paths", draw_tracking), ("track_lights", draw_lights)):
            figure = draw(manifest, tables, lang)
            if figure is not None:
                label_synthetic(figure, lang, scenario.name, share)
                save(figure, folder / "figures", name)
