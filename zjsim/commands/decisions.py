"""Commands that lead from runs to decisions."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

from zjsim.commands.kit import LEAST, OK, Kit, Lang, cores
from zjsim.console import counter, progress_bar
from zjsim.texts import text

NO_PLAN, LIMIT = 3, 5
"""Exit codes: no combination reaches what is asked; none was found, which refutes nothing."""


def register(kit: Kit) -> None:
    """Add the commands of this theme."""
    register_seek(kit)
    base_argument = kit.argument("BASE", "compare_base", Path)
    others_argument = kit.argument("OTHER...", "compare_others", Path)
    out_option = kit.option("--out", key="compare_out", default=Path("results/comparisons"), metavar="DIR")

    sources_argument = kit.argument("RUN|SCENARIO...", "explore_sources")
    targets_option = kit.option("--target", key="explore_targets", metavar="TARGET")
    points_option = kit.option("--points", key="explore_points", default=32, min=2)
    replications_option = kit.option("--replications", key="explore_replications", default=2, min=1)
    levers_option = kit.option("--levers", key="explore_levers", default=False)
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
        from zjsim.report.comparison_book import headlines, named_runs

        folder, made = write_comparison(base, others, out, lang.value)
        if json_output:
            rows = {name: len(table) for name, table in made.tables.items()}
            print(json.dumps({"folder": str(folder), "rows": rows}, ensure_ascii=False, indent=1))
        else:
            print("\n".join([*headlines(named_runs(made.tables, lang.value), lang.value), str(folder)]))
        return OK

    @kit.command("explore")
    def explore(
        sources: list[str] = sources_argument,
        target: list[str] | None = targets_option,
        points: int = points_option,
        replications: int = replications_option,
        levers: bool = levers_option,
        workers: int = workers_option,
        cluster: str = cluster_option,
        sets: list[str] | None = kit.sets,
        out: Path = explore_out_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.decide.explore_files import write_exploration
        from zjsim.decide.explore_words import explored_said
        from zjsim.run import refuse_unusable_cluster

        refuse_unusable_cluster(cluster)
        with progress_bar(("simulate",), lang.value, json_output) as tell:

            def progress(done: int, total: int) -> None:
                if tell is not None:
                    tell("simulate", done / max(1, total))

            folder, tables = write_exploration(
                sources, out, targets=tuple(target or ()), points=points, replications=replications, levers=levers,
                workers=workers, cluster=cluster, sets=tuple(sets or ()), lang=lang.value, progress=progress,
            )  # fmt: skip
        if json_output:
            rows = {name: len(table) for name, table in tables.items()}
            print(json.dumps({"folder": str(folder), "rows": rows}, ensure_ascii=False, indent=1))
            return OK
        print("\n".join(explored_said(tables, lang.value)))
        if levers:
            left = tables["explored_levers"]
            print(text("explore.lever_note", lang.value))
            for row in left[~left["sampled"]].to_dict("records"):
                print(text("explore.lever_out", lang.value, name=row[f"name_{lang}"], said=row[f"said_{lang}"]))
        plans = tables["robustness"]["plan"].nunique()
        count = int(tables["explored_points"].groupby("process")["point"].nunique().sum())
        print(text("explore.done", lang.value, plans=plans, points=count, folder=folder))
        return OK

    target_option = kit.option("--target", key="rank_target", default=..., metavar="TARGET")
    delta_option = kit.option("--delta", key="rank_delta", default=...)
    measure_option = kit.option("--measure", key="rank_measure", default=Measure.figure)
    confidence_option = kit.option("--confidence", key="rank_confidence", default=0.95)
    most_option = kit.option("--most", key="rank_most", default=2000, min=20)
    rank_out_option = kit.option("--out", key="rank_out", default=Path("results/rankings"), metavar="DIR")

    @kit.command("rank")
    def rank(
        sources: list[str] = sources_argument,
        target: str = target_option,
        delta: float = delta_option,
        measure: Measure = measure_option,
        confidence: float = confidence_option,
        most: int = most_option,
        workers: int = workers_option,
        cluster: str = cluster_option,
        out: Path = rank_out_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.decide.rank_files import ranked_said, write_ranking
        from zjsim.run import refuse_unusable_cluster

        check_rank(delta, confidence, len(sources))
        refuse_unusable_cluster(cluster)
        with counter("seek.made", lang.value, json_output) as tell:
            folder, table, found = write_ranking(
                sources, out, target, delta=delta, measure=measure.value, confidence=confidence, most=most,
                workers=workers, cluster=cluster, lang=lang.value,
                progress=(lambda done, _: tell(done)) if tell else None,
            )  # fmt: skip
        if json_output:
            print(table.to_json(orient="records", force_ascii=False, indent=1))
            return OK
        print("\n".join(ranked_said(table, found, lang.value)))
        print(text("rank.done", lang.value, folder=folder))
        return OK


def register_seek(kit: Kit) -> None:
    """Add the command that asks what it would take."""
    source_argument = kit.argument("SCENARIO|RUN", "seek_source")
    targets_option = kit.option("--targets", "--target", key="seek_targets", metavar="TARGET")
    probability_option = kit.option("--probability", key="seek_probability", default=0.9)
    jointly_option = kit.option("--jointly", key="seek_jointly", default=False)
    budget_option = kit.option("--budget", key="seek_budget", metavar="POINTS")
    delta_option = kit.option("--delta", key="seek_delta", default=0.02)
    sample_option = kit.option("--sample", key="seek_sample", default=100)
    confirm_option = kit.option("--confirm", key="seek_confirm", default=1000, min=1)
    tests_option = kit.option("--tests", key="seek_tests", default=24, min=1)
    steps_option = kit.option("--steps", key="seek_steps", default=10, min=1)
    frontier_option = kit.option("--frontier", key="seek_frontier", default=6, min=0)
    yuan_option = kit.option("--yuan-per-point", key="seek_yuan", metavar="YUAN")
    workers_option = kit.option("--workers", key="workers", default=cores(), min=LEAST["workers"])
    cluster_option = kit.option("--cluster", key="cluster", default="", metavar="ADDRESS")
    out_option = kit.option("--out", key="seek_out", default=Path("results/seeks"), metavar="DIR")

    @kit.command("seek")
    def seek(
        source: str = source_argument,
        targets: list[str] | None = targets_option,
        probability: float = probability_option,
        jointly: bool = jointly_option,
        budget: float | None = budget_option,
        delta: float = delta_option,
        sample: int = sample_option,
        confirm: int = confirm_option,
        tests: int = tests_option,
        steps: int = steps_option,
        frontier: int = frontier_option,
        yuan_per_point: float | None = yuan_option,
        workers: int = workers_option,
        cluster: str = cluster_option,
        sets: list[str] | None = kit.sets,
        out: Path = out_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.decide.seek_files import write_seek
        from zjsim.run import refuse_unusable_cluster

        refuse_unusable_cluster(cluster)
        with counter("seek.made", lang.value, json_output) as tell:
            folder, sought = write_seek(
                source, out, targets=tuple(targets or ()), probability=probability, jointly=jointly, budget=budget,
                delta=delta, sample=sample, confirm=confirm, tests=tests, steps=steps, frontier=frontier,
                yuan_per_point=yuan_per_point, workers=workers, cluster=cluster, sets=tuple(sets or ()),
                lang=lang.value, progress=tell,
            )  # fmt: skip
        if json_output:
            rows = {name: len(table) for name, table in sought.tables.items()}
            told = {"folder": str(folder), "verdict": sought.verdict, "rows": rows}
            print(json.dumps(told, ensure_ascii=False, indent=1))
        else:
            print(sought.summary(lang.value))
            print(text("seek.done", lang.value, folder=folder))
        return {"refuted": NO_PLAN, "not_found": LIMIT}.get(sought.verdict, OK)


class Measure(StrEnum):
    """What plans are ranked by."""

    figure = "figure"
    probability = "probability"


def check_rank(delta: float, confidence: float, count: int) -> None:
    """Raise ``InputErrors`` for settings that no ranking can have."""
    from zjsim.tables.errors import InputErrors, finding

    faults = []
    if not delta > 0:
        faults.append(finding("not_positive", "--delta", value=f"{delta:g}", theme="decide.rule"))
    if not 0.5 < confidence < 1:
        faults.append(finding("no_confidence", "--confidence", value=f"{confidence:g}", theme="decide.rule"))
    if count < 2:
        faults.append(finding("nothing_to_compare", "RUN|SCENARIO...", theme="decide.rule"))
    if faults:
        raise InputErrors(faults)
