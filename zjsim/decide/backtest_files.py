"""A back-test as files: scorecard tables, workbook, figure and truths, whole or not at all; a killed one goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.decide.backtest import World, asked, at_end_of, backtest
from zjsim.decide.planned import planned
from zjsim.engine import Engine, checkpoint_of
from zjsim.runfolder import NotARunFolderError, output_hashes, published, run_id, sha256_of, write_manifest
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.writer import write_csv
from zjsim.texts import Language

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Scorecard:
    """A back-test that was written: its folder, its tables, and what it says in sentences."""

    folder: Path
    tables: dict[str, pd.DataFrame]
    sentences: list[str]


def write_backtest(
    sources: Sequence[str | Path],
    out: str | Path,
    *,
    targets: Sequence[str] = (),
    year: int | None = None,
    truths: int = 40,
    replications: int = 40,
    world: World = "other",
    actuals: Path | None = None,
    workers: int = 1,
    cluster: str = "",
    sets: Sequence[str] = (),
    lang: Language = "zh",
    progress: Callable[[int, int], None] | None = None,
) -> Scorecard:
    """Back-test the plans behind ``sources`` (runs or scenarios) and write ``out/<scenario>/<name>/``.

    ``truths/actuals_001.csv`` … have what came in the form of the registry ``actuals``; ``actuals`` is such a file of
    real history. Equal inputs, plans and options give equal bytes for any number of workers. Raises ``InputErrors``, or
    :class:`zjsim.chain.RunRefused` where a scenario has no plan.
    """
    from zjsim.report.backtest_told import told
    from zjsim.report.decision_book import write_decision_book
    from zjsim.report.figures.backtest import draw_backtest
    from zjsim.report.style import house_style, label_synthetic, save

    plans = [planned(source, sets, targets=("--target", targets), workers=workers) for source in sources]
    ask = asked(plans, targets=targets, year=year, truths=truths, replications=replications, world=world)
    history = None if actuals is None else read_history(ask.scenario, ask.year, actuals)
    identity = {
        "kind": "backtest",
        "plans": [p.label for p in plans],
        "inputs": [p.scenario.file_hashes for p in plans],
        "parameters": [p.scenario.parameters.model_dump(mode="json") for p in plans],
        "sets": list(sets),
        "seed": ask.seed,
        "from": ask.year,
        "targets": list(targets),
        "truths": truths if history is None else 1,
        "world": world if history is None else "history",
        "actuals": "" if actuals is None else sha256_of(actuals),
        "replications": replications,
        "lang": lang,
    }
    name, scenario = run_id(identity), ask.scenario.name
    tables_of_plans = {f"{i} {n}": t for i, p in enumerate(plans) for n, t in p.plan.items()}
    checkpoint = checkpoint_of(Path(out), scenario, name, tables_of_plans)
    engine = Engine(workers, cluster, checkpoint)
    tables, came = backtest(ask, history=history, engine=engine, progress=progress)
    if tables["backtest_outcomes"].empty:
        raise InputErrors([finding("backtest_nothing", str(actuals), value=str(ask.year), theme="decide.rule")])
    synthetic = history is None or bool((history["basis"] == "synthetic").all())
    about = {"year": ask.year, "last": ask.scenario.parameters.time.horizon.year, "truths": truths, "world": world}
    sentences = told(
        tables, {**about, "history": "" if actuals is None else actuals.name, "synthetic": synthetic}, lang
    )
    try:
        with published(Path(out), scenario, name) as (partial, final):
            (partial / "tables").mkdir()
            for table_name, table in tables.items():
                write_csv(table, partial / "tables" / f"{table_name}.csv")
            if history is None:
                (partial / "truths").mkdir()
                for n, rows in enumerate(came, start=1):
                    write_csv(rows, partial / "truths" / f"actuals_{n:03d}.csv")
            write_decision_book(
                partial / "scorecard.xlsx", "backtest.title", ("backtest.how",), tables, lang, sentences
            )
            with house_style():
                figure = draw_backtest(tables, lang)
                (partial / "figures").mkdir()
                label_synthetic(figure, lang, ", ".join(p.label for p in plans), 1.0 if synthetic else None)
                save(figure, partial / "figures", "scorecard")
            manifest = {**identity, "run_id": name, "scenario": scenario, "outputs": output_hashes(partial)}
            write_manifest(partial, manifest)
    except NotARunFolderError as error:
        raise InputErrors([finding("no_place", str(error), theme="decide.rule")]) from error
    checkpoint.clear()
    return Scorecard(final, tables, sentences)


def read_history(scenario: Any, year: int, path: Path) -> pd.DataFrame:
    """Rows of the registry ``actuals`` from a file, checked as the registry is against ``scenario`` at the year's end.

    Raises ``InputErrors`` with every fault: what lies before the end of ``year`` must be complete, later quarters are
    those that the forecast is scored on.
    """
    from zjsim.scenario.checks import check_scenario
    from zjsim.tables.reader import check_tables
    from zjsim.tables.registries import REGISTRIES

    raw, _, found = _raw(path)
    if raw is None:
        raise InputErrors(found)
    read = check_tables({"actuals": raw}, {"actuals": REGISTRIES["actuals"]})
    found = [*found, *(f for f in read.findings if f.rule not in ("unknown_reference",))]
    if "actuals" in read.tables:
        then = at_end_of(scenario, year, read.tables["actuals"])
        tables = {**then.tables, "actuals": read.tables["actuals"]}
        lines = {**scenario.lines, "actuals": read.lines["actuals"]}
        checks = check_scenario(tables, lines, {"actuals": path.name}, then.parameters)
        found += [f for f in checks if f.file == path.name and f.severity == "error"]
    if any(f.severity == "error" for f in found):
        raise InputErrors(found)
    return read.tables["actuals"]


def _raw(path: Path) -> Any:
    from zjsim.tables.reader import read_raw

    return read_raw(path, path.parent, "actuals", path.name)
