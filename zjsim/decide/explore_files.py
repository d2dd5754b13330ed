"""An exploration as files: tables, workbook and figure, whole or not at all; a killed one goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zjsim.decide.explore import explore
from zjsim.decide.planned import planned
from zjsim.engine import Engine, checkpoint_of
from zjsim.runfolder import NotARunFolderError, output_hashes, published, run_id, write_manifest
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.writer import write_csv
from zjsim.texts import Language

if TYPE_CHECKING:
    import pandas as pd


def write_exploration(
    sources: Sequence[str | Path],
    out: str | Path,
    *,
    targets: Sequence[str] = (),
    points: int = 32,
    replications: int = 2,
    levers: bool = False,
    workers: int = 1,
    cluster: str = "",
    sets: Sequence[str] = (),
    lang: Language = "zh",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Path, dict[str, pd.DataFrame]]:
    """Explore the plans behind ``sources`` (runs or scenarios) and write ``out/<scenario>/<name>/``.

    Returns the folder and the tables. Equal inputs, plans, points and replications give equal bytes for any number of
    workers. Raises ``InputErrors``, or :class:`zjsim.chain.RunRefused` where a scenario has no plan.
    """
    from zjsim.decide.explore_words import explored_said
    from zjsim.report.decision_book import write_decision_book
    from zjsim.report.figures.sensitivity import draw_sensitivity
    from zjsim.report.style import house_style, label_synthetic, save

    plans = [planned(source, sets, targets=("--target", targets), workers=workers) for source in sources]
    identity = {
        "kind": "exploration",
        "plans": [p.label for p in plans],
        "inputs": [p.scenario.file_hashes for p in plans],
        "parameters": [p.scenario.parameters.model_dump(mode="json") for p in plans],
        "sets": list(sets),
        "seed": plans[0].seed,
        "targets": list(targets),
        "points": points,
        "replications": replications,
        "levers": levers,
        "lang": lang,
    }
    name = run_id(identity)
    tables_of_plans = {f"{i} {n}": t for i, p in enumerate(plans) for n, t in p.plan.items()}
    checkpoint = checkpoint_of(Path(out), plans[0].scenario.name, name, tables_of_plans)
    engine = Engine(workers, cluster, checkpoint)
    tables = explore(
        plans, targets=targets, points=points, replications=replications, levers=levers, engine=engine,
        progress=progress,
    )  # fmt: skip
    manifest = {**identity, "run_id": name, "scenario": plans[0].scenario.name}
    try:
        with published(Path(out), plans[0].scenario.name, name) as (partial, final):
            (partial / "tables").mkdir()
            for table_name, table in tables.items():
                write_csv(table, partial / "tables" / f"{table_name}.csv")
            shown = [n for n in ("sensitivity", "scenario_boxes", "robustness", "explored_levers") if n in tables]
            notes = ("explore.how", "explore.ranges", *(("explore.lever_note",) if levers else ()))
            write_decision_book(
                partial / "exploration.xlsx",
                "explore.title",
                notes,
                {n: tables[n] for n in shown},
                lang,
                explored_said(tables, lang),
            )
            with house_style():
                figure = draw_sensitivity(tables, lang)
                if figure is not None:
                    (partial / "figures").mkdir()
                    label_synthetic(figure, lang, plans[0].label, None)
                    save(figure, partial / "figures", "sensitivity")
            manifest["outputs"] = output_hashes(partial)
            write_manifest(partial, manifest)
    except NotARunFolderError as error:
        raise InputErrors([finding("no_place", str(error), theme="decide.rule")]) from error
    checkpoint.clear()
    return final, tables
