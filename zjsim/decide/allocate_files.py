"""A division of targets as files: tables, workbook and picture, audited, whole or not at all; a killed one goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.chain import AUDIT_FAILED, INFEASIBLE, RunRefused
from zjsim.clock import Clock, Progress
from zjsim.decide.allocate import Asked, allocate
from zjsim.decide.planned import planned
from zjsim.decide.track_files import Tracked
from zjsim.engine import Engine, checkpoint_of, say_resumed
from zjsim.runfolder import NotARunFolderError, check_place, output_hashes, published, run_id, write_manifest
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.writer import write_csv
from zjsim.texts import LANGUAGES, Language, text

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario

KIND = "allocation"


def write_allocation(
    source: str | Path,
    out: str | Path,
    *,
    asked: Asked,
    seed: int | None = None,
    replications: int | None = None,
    workers: int = 1,
    cluster: str = "",
    sets: Sequence[str] = (),
    lang: Language = "zh",
    progress: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> Tracked:
    """Divide the targets of ``source`` (a run, whose plan is kept, or a scenario) into ``out/<scenario>/<name>/``.

    Equal inputs, seed and settings give equal bytes for any number of workers. Raises ``InputErrors``, or
    :class:`zjsim.chain.RunRefused` where there is no plan, the audit fails, or no target asked for can be divided.
    """
    try:
        check_place(Path(out))
    except NotARunFolderError as error:
        raise InputErrors([finding("no_place", str(error), theme="decide.rule")]) from error
    clock = Clock(progress)
    ready = planned(source, sets, progress, targets=("--target", asked.targets), workers=workers)
    scenario, simulation = ready.scenario, ready.scenario.parameters.simulation
    seed = ready.seed if seed is None else seed
    replications = simulation.replications if replications is None else replications
    identity: dict[str, Any] = {
        "kind": KIND,
        "scenario": scenario.name,
        "plan_of": ready.label,
        "inputs": scenario.file_hashes,
        "parameters": scenario.parameters.model_dump(mode="json"),
        "sets": list(scenario.sets),
        "targets": list(asked.targets),
        "mix": list(asked.mix),
        "rule": asked.rule,
        "seed": seed,
        "replications": replications,
        "lang": lang,
    }
    name = run_id(identity)
    checkpoint = checkpoint_of(Path(out), scenario.name, name, ready.plan)
    say_resumed(checkpoint, notice, lang)
    with clock.step("simulate"):
        tables = allocate(
            scenario, ready.plan, asked, seed=seed, replications=replications,
            engine=Engine(workers, cluster, checkpoint), progress=clock.within,
        )  # fmt: skip
    try:
        _refuse_nothing(tables)
        _refuse_findings(tables, scenario, asked)
    except RunRefused:  # it would be refused again: nothing is kept for a next time
        checkpoint.clear()
        for folder in (checkpoint.folder.parent, Path(out)):
            with suppress(OSError):  # not empty
                folder.rmdir()
        raise
    manifest = {**identity, "run_id": name, "header": identity["parameters"]["header"]}
    manifest["as_of"] = scenario.parameters.time.as_of.isoformat()
    try:
        with published(Path(out), scenario.name, name) as (partial, final):
            _write(partial, tables, manifest, scenario, lang)
            manifest["outputs"] = output_hashes(partial)
            write_manifest(partial, manifest)
    except NotARunFolderError as error:
        raise InputErrors([finding("no_place", str(error), theme="decide.rule")]) from error
    checkpoint.clear()
    return Tracked(final, manifest, tables)


def _refuse_nothing(tables: dict[str, pd.DataFrame]) -> None:
    """No target could be divided: say why, and what would repair it."""
    from zjsim.report.allocation_book import short_said
    from zjsim.report.words import records

    targets = tables["allocation_targets"]
    if (targets["status"] == "divided").any():
        return
    said = {}
    for lang in LANGUAGES:
        rows = records(targets)
        parts = [
            short_said(r, tables, lang) if r["status"] == "short" else f"{r[f'indicator_{lang}']}: {r[f'why_{lang}']}"
            for r in rows
        ]
        said[lang] = text("allocate.infeasible", lang, why="\n".join(parts))
    raise RunRefused(INFEASIBLE, said["zh"], said["en"])


def _refuse_findings(tables: dict[str, pd.DataFrame], scenario: Scenario, asked: Asked) -> None:
    from zjsim.audit.target_allocation import check

    found = check(tables, {n: scenario.table(n) for n in sorted(scenario.tables)}, asked.mix)
    if found:
        heads = {lang: text("allocate.audit.failed", lang, count=len(found)) for lang in LANGUAGES}
        zh = "\n".join([heads["zh"], *(f"  [{f.rule}] {f.zh}" for f in found)])
        raise RunRefused(AUDIT_FAILED, zh, "\n".join([heads["en"], *(f"  [{f.rule}] {f.en}" for f in found)]))


def _write(
    folder: Path, tables: dict[str, pd.DataFrame], manifest: dict[str, Any], scenario: Scenario, lang: Language
) -> None:
    from zjsim.report.allocation_book import write_allocation_book
    from zjsim.report.figures.allocation import draw_allocation
    from zjsim.report.sources import input_sources, placeholder_share
    from zjsim.report.style import house_style, label_synthetic, save

    share = placeholder_share(input_sources({n: scenario.table(n) for n in sorted(scenario.tables)}))
    manifest["placeholder_share"] = share
    (folder / "tables").mkdir()
    for name, table in tables.items():
        write_csv(table, folder / "tables" / f"{name}.csv")
    write_allocation_book(folder / "allocation.xlsx", manifest, tables, lang)
    with house_style():
        figure = draw_allocation(manifest, tables, lang)
        if figure is not None:
            (folder / "figures").mkdir()
            label_synthetic(figure, lang, scenario.name, share)
            save(figure, folder / "figures", "city_burdens")
