"""A ranking as files, whole or not at all: table, summary, manifest; a killed one goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zjsim.decide.planned import planned
from zjsim.decide.rank import PROBABILITY, rank
from zjsim.engine import Engine, checkpoint_of
from zjsim.runfolder import MANIFEST, NotARunFolderError, json_bytes, output_hashes, published, run_id
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.writer import write_csv
from zjsim.texts import LANGUAGES, Language, text

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.decide.selection import Selection


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
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Path, pd.DataFrame, Selection]:
    """Rank the plans behind ``sources`` (:func:`zjsim.decide.rank.rank`) and write ``out/<scenario>/<name>/``.

    Equal inputs, plans and settings give equal bytes for any number of workers. Raises ``InputErrors``, or
    :class:`zjsim.chain.RunRefused` where a scenario has no plan.
    """
    plans = [planned(source, targets=("--target", [target]), workers=workers) for source in sources]
    settings = {"target": target, "delta": delta, "measure": measure, "confidence": confidence, "most": most}
    identity = {
        "kind": "ranking",
        "plans": [p.label for p in plans],
        "inputs": [p.scenario.file_hashes for p in plans],
        "parameters": [p.scenario.parameters.model_dump(mode="json") for p in plans],
        "seed": plans[0].seed,
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
            for lang in LANGUAGES:
                said = "\n".join(ranked_said(table, found, lang))
                (partial / f"summary.{lang}.txt").write_text(said + "\n", "utf-8")
            manifest["outputs"] = output_hashes(partial)
            (partial / MANIFEST).write_bytes(json_bytes(manifest))
    except NotARunFolderError as error:
        raise InputErrors([finding("no_place", str(error), theme="decide.rule")]) from error
    checkpoint.clear()
    return final, table, found


def ranked_said(table: pd.DataFrame, found: Selection, lang: Language) -> list[str]:
    """The choice with the probability of having chosen right, then a line for every plan."""
    first = table.iloc[0]
    unit = first["unit_zh"] if lang == "zh" else first["unit"]
    words = {
        "indicator": first[f"indicator_{lang}"],
        "best": first["plan"],
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
        lines.append(text("rank.line", lang, **numbers, **{n: row[n] for n in ("rank", "plan", "replications")}))
    return lines


__all__ = ["ranked_said", "write_ranking"]
