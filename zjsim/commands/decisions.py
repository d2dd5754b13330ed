"""Commands that lead from runs to decisions."""

from __future__ import annotations

import json
from pathlib import Path

from zjsim.commands.kit import LEAST, OK, Kit, Lang, cores
from zjsim.console import progress_bar
from zjsim.texts import text


def register(kit: Kit) -> None:
    """Add the commands of this theme."""
    base_argument = kit.argument("BASE", "compare_base", Path)
    others_argument = kit.argument("OTHER...", "compare_others", Path)
    out_option = kit.option("--out", key="compare_out", default=Path("results/comparisons"), metavar="DIR")

    sources_argument = kit.argument("RUN|SCENARIO...", "explore_sources")
    targets_option = kit.option("--target", key="explore_targets", metavar="TARGET")
    points_option = kit.option("--points", key="explore_points", default=32, min=2)
    replications_option = kit.option("--replications", key="explore_replications", default=2, min=1)
    workers_option = kit.option("--workers", key="workers", default=cores(), min=LEAST["workers"])
    cluster_option = kit.option("--cluster", key="cluster", default="", metavar="ADDRESS")
    explore_out_option = kit.option("--out", key="explore_out", default=Path("results/explorations"), metavar="DIR")

    @kit.command("compare")
    def compare(
        base: Path = base_argument,
        others: list[Path] = others_argument,
        out: Path = out_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.decide.compare_files import write_comparison
        from zjsim.report.comparison_book import headlines

        folder, made = write_comparison(base, others, out, lang.value)
        if json_output:
            rows = {name: len(table) for name, table in made.tables.items()}
            print(json.dumps({"folder": str(folder), "rows": rows}, ensure_ascii=False, indent=1))
        else:
            print("\n".join([*headlines(made.tables, lang.value), str(folder)]))
        return OK

    @kit.command("explore")
    def explore(
        sources: list[str] = sources_argument,
        target: list[str] | None = targets_option,
        points: int = points_option,
        replications: int = replications_option,
        workers: int = workers_option,
        cluster: str = cluster_option,
        sets: list[str] | None = kit.sets,
        out: Path = explore_out_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.decide.explore_files import write_exploration

        with progress_bar(("simulate",), lang.value, json_output) as tell:

            def progress(done: int, total: int) -> None:
                if tell is not None:
                    tell("simulate", done / max(1, total))

            folder, tables = write_exploration(
                sources, out, targets=tuple(target or ()), points=points, replications=replications, workers=workers,
                cluster=cluster, sets=tuple(sets or ()), lang=lang.value, progress=progress,
            )  # fmt: skip
        said = tables["scenario_boxes"]
        if json_output:
            rows = {name: len(table) for name, table in tables.items()}
            print(json.dumps({"folder": str(folder), "rows": rows}, ensure_ascii=False, indent=1))
            return OK
        for row in said.to_dict("records"):
            print(f"{row[f'indicator_{lang.value}']}: {row[f'said_{lang.value}']}")
        if said.empty:
            print(text("explore.none", lang.value))
        plans = tables["robustness"]["plan"].nunique()
        count = int(tables["explored_points"].groupby("process")["point"].nunique().sum())
        print(text("explore.done", lang.value, plans=plans, points=count, folder=folder))
        return OK
