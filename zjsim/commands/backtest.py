"""The command that scores forecasts and advice against what came."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

from zjsim.commands.kit import LEAST, OK, Kit, Lang, cores
from zjsim.console import progress_bar
from zjsim.texts import text

LEAST_REPLICATIONS = 20
"""Fewer values have no p05 and p95."""


class WorldName(StrEnum):
    """From which world truths are drawn."""

    other = "other"
    own = "own"


def register(kit: Kit) -> None:
    """Add the command ``backtest``."""
    sources_argument = kit.argument("RUN|SCENARIO...", "explore_sources")
    targets_option = kit.option("--target", key="explore_targets", metavar="TARGET")
    from_option = kit.option("--from", key="backtest_from", metavar="YEAR", min=LEAST["year"])
    truths_option = kit.option("--truths", key="backtest_truths", default=40, min=2)
    replications_option = kit.option("--replications", key="backtest_replications", default=40, min=LEAST_REPLICATIONS)
    world_option = kit.option("--world", key="backtest_world", default=WorldName.other)
    actuals_option = kit.option("--actuals", key="backtest_actuals", metavar="FILE")
    workers_option = kit.option("--workers", key="workers", default=cores(), min=LEAST["workers"])
    cluster_option = kit.option("--cluster", key="cluster", default="", metavar="ADDRESS")
    out_option = kit.option("--out", key="backtest_out", default=Path("results/backtests"), metavar="DIR")

    @kit.command("backtest")
    def backtest(
        sources: list[str] = sources_argument,
        target: list[str] | None = targets_option,
        year: int | None = from_option,
        truths: int = truths_option,
        replications: int = replications_option,
        world: WorldName = world_option,
        actuals: Path | None = actuals_option,
        workers: int = workers_option,
        cluster: str = cluster_option,
        sets: list[str] | None = kit.sets,
        out: Path = out_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.decide.backtest_files import write_backtest
        from zjsim.run import refuse_unusable_cluster

        refuse_unusable_cluster(cluster)
        with progress_bar(("simulate",), lang.value, json_output) as tell:

            def progress(done: int, total: int) -> None:
                if tell is not None:
                    tell("simulate", done / max(1, total))

            card = write_backtest(
                sources, out, targets=tuple(target or ()), year=year, truths=truths, replications=replications,
                world=world.value, actuals=actuals, workers=workers, cluster=cluster, sets=tuple(sets or ()),
                lang=lang.value, progress=progress,
            )  # fmt: skip
        if json_output:
            rows = {name: len(table) for name, table in card.tables.items()}
            print(json.dumps({"folder": str(card.folder), "rows": rows}, ensure_ascii=False, indent=1))
            return OK
        print("\n".join([*card.sentences, text("backtest.done", lang.value, folder=card.folder)]))
        return OK
