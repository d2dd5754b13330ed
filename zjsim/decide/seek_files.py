"""An answer as files, whole or not at all: tables, workbook, figure, summary; a killed search goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.decide.planned import is_run, planned
from zjsim.decide.seek import CONFIRM, DELTA, FRONTIER, SAMPLE, STEPS, TESTS, asked_rows, check_seek, seek
from zjsim.decide.seek_levers import levers_of
from zjsim.engine import Engine, checkpoint_of
from zjsim.runfolder import NotARunFolderError, output_hashes, published, run_id, write_manifest
from zjsim.scenario import load
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.writer import write_csv
from zjsim.texts import LANGUAGES, Language

if TYPE_CHECKING:
    from zjsim.decide.seek import Sought

SHEETS = (
    "seek_proposal",
    "seek_targets",
    "seek_frontier",
    "seek_tests",
    "seek_levers",
    "seek_directions",
    "seek_draws",
)
NOTES = ("seek.how", "seek.how_levers", "seek.how_costs", "seek.how_holds")


def write_seek(
    source: str | Path,
    out: str | Path,
    *,
    targets: Sequence[str] = (),
    probability: float = 0.9,
    jointly: bool = False,
    budget: float | None = None,
    delta: float = DELTA,
    sample: int = SAMPLE,
    confirm: int = CONFIRM,
    tests: int = TESTS,
    steps: int = STEPS,
    frontier: int = FRONTIER,
    yuan_per_point: float | None = None,
    workers: int = 1,
    cluster: str = "",
    sets: Sequence[str] = (),
    lang: Language = "zh",
    progress: Callable[[int], None] | None = None,
) -> tuple[Path, Sought]:
    """Search (:func:`zjsim.decide.seek.seek`) for the scenario or run ``source`` and write ``out/<scenario>/<name>/``.

    Equal inputs, plan and options give equal bytes for any number of workers. Raises ``InputErrors``, or
    :class:`zjsim.chain.RunRefused` where a scenario has no plan.
    """
    check_seek(probability, delta, budget, sample, confirm, yuan_per_point)
    if not is_run(source):  # a plan takes minutes: what is wrong is told before
        scenario = load(source, sets=tuple(sets))
        asked_rows(scenario, targets)
        levers_of(scenario, steps, yuan_per_point)
    plan = planned(source, sets, workers=workers)
    options: dict[str, Any] = {
        "targets": list(targets), "probability": probability, "jointly": jointly, "budget": budget, "delta": delta,
        "sample": sample, "confirm": confirm, "tests": tests, "steps": steps, "frontier": frontier,
        "yuan_per_point": yuan_per_point,
    }  # fmt: skip
    identity = {
        "kind": "seek",
        "plan": plan.label,
        "inputs": plan.scenario.file_hashes,
        "parameters": plan.scenario.parameters.model_dump(mode="json"),
        "sets": list(sets),
        "seed": plan.seed,
        "lang": lang,
        **options,
    }
    name = run_id(identity)
    checkpoint = checkpoint_of(Path(out), plan.scenario.name, name, plan.plan)
    sought = seek(plan, **options, engine=Engine(workers, cluster, checkpoint), progress=progress)
    manifest = {
        **identity, "run_id": name, "scenario": plan.scenario.name, "verdict": sought.verdict,
        "replications": sought.replications,
    }  # fmt: skip
    try:
        with published(Path(out), plan.scenario.name, name) as (partial, final):
            _write(partial, sought, lang)
            manifest["outputs"] = output_hashes(partial)
            write_manifest(partial, manifest)
    except NotARunFolderError as error:
        raise InputErrors([finding("no_place", str(error), theme="decide.rule")]) from error
    checkpoint.clear()
    return final, sought


def _write(folder: Path, sought: Sought, lang: Language) -> None:
    from zjsim.report.decision_book import write_decision_book
    from zjsim.report.figures.frontier import draw_frontier
    from zjsim.report.style import house_style, label_synthetic, save

    tables = sought.tables
    (folder / "tables").mkdir()
    for name, table in tables.items():
        write_csv(table, folder / "tables" / f"{name}.csv")
    for language in LANGUAGES:
        (folder / f"summary.{language}.txt").write_text(sought.summary(language) + "\n", "utf-8")
    said = sought.summary(lang).split("\n")
    write_decision_book(folder / "seek.xlsx", "seek.title", NOTES, {n: tables[n] for n in SHEETS}, lang, said)
    with house_style():
        figure = draw_frontier(tables, lang)
        if figure is not None:
            (folder / "figures").mkdir()
            label_synthetic(figure, lang, sought.plan.label, None)
            save(figure, folder / "figures", "frontier")
