"""A ranking as files, whole or not at all: table, workbook, figure, summary; a killed one goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zjsim.decide.planned import planned
from zjsim.decide.rank import PROBABILITY, rank
from zjsim.engine import Engine, checkpoint_of
from zjsim.runfolder import NotARunFolderError, output_hashes, published, run_id, write_manifest
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.writer import write_csv
from zjsim.texts import LANGUAGES, Language, text

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.decide.selection import Selection


NOTES = ("rank.how", "rank.how_behind", "seek.error_only")
WHOLE_FROM = 10_000
"""Means from here on are told without decimals."""


def write_ranking(
    sources: Sequence[str | Path],
    out: str | Path,
    target: str,
    *,
    delta: float,
    measure: str,
    confidence: float,
    most: int,
    workers: int = 1,
    cluster: str = "",
    lang: Language = "zh",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Path, pd.DataFrame, Selection]:
    """Rank the plans behind ``sources`` (:func:`zjsim.decide.rank.rank`) and write ``out/<scenario>/<name>/``.

    Equal inputs, plans and settings give equal bytes for any number of workers. Raises ``InputErrors``, or
    :class:`zjsim.chain.RunRefused` where a scenario has no plan.
    """
    plans = [planned(source, targets=("--target", [target]), workers=workers) for source in sources]
    labels = [p.label for p in plans]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise InputErrors([finding("run_twice", label, theme="decide.rule") for label in twice])
    settings = {"target": target, "delta": delta, "measure": measure, "confidence": confidence, "most": most}
    identity = {
        "kind": "ranking",
        "plans": labels,
        "inputs": [p.scenario.file_hashes for p in plans],
        "parameters": [p.scenario.parameters.model_dump(mode="json") for p in plans],
        "seed": plans[0].seed,
        "lang": lang,
        **settings,
    }
    name, scenario = run_id(identity), plans[0].scenario.name
    tables = {f"{i} {n}": t for i, p in enumerate(plans) for n, t in p.plan.items()}
    checkpoint = checkpoint_of(Path(out), scenario, name, tables)
    table, found = rank(
        plans, target, delta=delta, measure=measure, confidence=confidence, most=most,
        engine=Engine(workers, cluster, checkpoint), progress=progress,
    )  # fmt: skip
    manifest = {**identity, "run_id": name, "scenario": scenario, "decided": found.best is not None}
    try:
        with published(Path(out), scenario, name) as (partial, final):
            (partial / "tables").mkdir()
            write_csv(table, partial / "tables" / "ranking.csv")
            for language in LANGUAGES:
                said = "\n".join(ranked_said(table, found, language))
                (partial / f"summary.{language}.txt").write_text(said + "\n", "utf-8")
            _write_documents(partial, table, ranked_said(table, found, lang), lang)
            manifest["outputs"] = output_hashes(partial)
            write_manifest(partial, manifest)
    except NotARunFolderError as error:
        raise InputErrors([finding("no_place", str(error), theme="decide.rule")]) from error
    checkpoint.clear()
    return final, table, found


def _write_documents(folder: Path, table: pd.DataFrame, said: Sequence[str], lang: Language) -> None:
    """The workbook and the figure of a ranking."""
    from zjsim.report.decision_book import write_decision_book
    from zjsim.report.figures.ranking import draw_ranking
    from zjsim.report.style import house_style, label_synthetic, save

    write_decision_book(folder / "ranking.xlsx", "rank.title", NOTES, {"ranking": table}, lang, said)
    (folder / "figures").mkdir()
    with house_style():
        figure = draw_ranking(table, lang)
        label_synthetic(figure, lang, ", ".join(table["plan"]), None)
        save(figure, folder / "figures", "ranking")


def ranked_said(table: pd.DataFrame, found: Selection, lang: Language) -> list[str]:
    """The choice with the probability of having chosen right, then a line for every plan."""
    first = table.iloc[0]
    unit = first["unit_zh"] if lang == "zh" else first["unit"]
    words = {
        "indicator": first[f"indicator_{lang}"],
        "best": first[f"plan_{lang}"],
        "confidence": f"{first['confidence']:.0%}",
        "most": found.replications,
        "delta": f"{first['delta']:,.10g} {unit}",
    }
    if first["measure"] == PROBABILITY:
        words["delta"] = text("rank.points", lang, delta=f"{100 * first['delta']:g}")
    lines = [text("rank.undecided" if found.best is None else "rank.best", lang, **words)]
    for row in table.to_dict("records"):
        mean = f"{row['mean']:,.0f}" if abs(row["mean"]) >= WHOLE_FROM else f"{row['mean']:,.4g}"
        numbers = {"mean": mean, "share": f"{row['share_met']:.0%}", "unit": unit}
        lines.append(text("rank.line", lang, **numbers, plan=row[f"plan_{lang}"],
                          **{n: row[n] for n in ("rank", "replications")}))  # fmt: skip
    return lines


__all__ = ["ranked_said", "write_ranking"]
