"""The commands of following up (M121-M124): are we on course, and who has to bring what."""

from __future__ import annotations

import json
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path

from zjsim.clock import STEPS
from zjsim.commands.kit import LEAST, OK, Kit, Lang, cores
from zjsim.console import progress_bar
from zjsim.texts import Language


def register(kit: Kit) -> None:
    """Add the commands ``track`` and ``allocate-targets``."""
    _register_allocation(kit)
    source_argument = kit.argument("SCENARIO|RUN", "track_source")
    actuals_option = kit.option("--actuals", key="track_actuals", metavar="FILE")
    as_of_option = kit.option("--as-of", key="track_as_of", metavar="DATE")
    since_option = kit.option("--since", key="track_since", metavar="FOLDER")
    shares_option = kit.option("--shares", key="track_shares", metavar="FOLDER")
    estimate_option = kit.option("--re-estimate", key="track_re_estimate", default=False)
    replications_option = kit.option("--replications", key="replications", min=LEAST["replications"])
    workers_option = kit.option("--workers", key="workers", default=cores(), min=LEAST["workers"])
    cluster_option = kit.option("--cluster", key="cluster", default="", metavar="ADDRESS")
    out_option = kit.option("--out", key="track_out", default=Path("results/tracking"), metavar="DIR")

    @kit.command("track")
    def track(
        source: str = source_argument,
        actuals: Path | None = actuals_option,
        as_of: str | None = as_of_option,
        since: Path | None = since_option,
        shares: Path | None = shares_option,
        re_estimate: bool = estimate_option,
        seed: int | None = kit.seed,
        replications: int | None = replications_option,
        workers: int = workers_option,
        cluster: str = cluster_option,
        sets: list[str] | None = kit.sets,
        out: Path = out_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        said: Language = "zh" if lang.value == "zh" else "en"
        day = day_of(as_of)
        from zjsim.decide.track_files import write_tracking
        from zjsim.report.tracking_book import screen

        with progress_bar(STEPS, said, json_output) as progress:
            made = write_tracking(
                source, out, actuals=actuals, as_of=day, since=since, shares=shares, re_estimate=re_estimate,
                seed=seed, replications=replications, workers=workers, cluster=cluster, sets=tuple(sets or ()),
                lang=said, progress=progress, notice=lambda sentence: print(sentence, file=sys.stderr),
            )  # fmt: skip
        if json_output:
            lights = made.tables["track_targets"].groupby("light").size().to_dict()
            rows = {name: len(table) for name, table in made.tables.items()}
            answer = {"folder": str(made.folder), "lights": lights, "rows": rows}
            print(json.dumps(answer, ensure_ascii=False, indent=1))
        else:
            print(screen(made.manifest, made.tables, str(made.folder), said))
        return OK


def day_of(said: str | None) -> date | None:
    """The date given on the command line; raises ``InputErrors`` where it is none."""
    if said is None:
        return None
    try:
        return date.fromisoformat(said.strip())
    except ValueError as error:
        from zjsim.tables.errors import InputErrors, finding

        raise InputErrors([finding("no_date", "--as-of", value=said, theme="decide.rule")]) from error


def _register_allocation(kit: Kit) -> None:
    source_argument = kit.argument("SCENARIO|RUN", "track_source")
    target_option = kit.option("--target", key="allocate_targets_of", metavar="TARGET")
    mix_option = kit.option("--mix", key="allocate_mix", default="0.4,0.4,0.2", metavar="N,C,E")
    rule_option = kit.option("--rule", key="allocate_rule", default=Rule.by_mixture)
    replications_option = kit.option("--replications", key="replications", min=LEAST["replications"])
    workers_option = kit.option("--workers", key="workers", default=cores(), min=LEAST["workers"])
    cluster_option = kit.option("--cluster", key="cluster", default="", metavar="ADDRESS")
    out_option = kit.option("--out", key="allocate_out", default=Path("results/allocations"), metavar="DIR")

    @kit.command("allocate-targets")
    def allocate_targets(
        source: str = source_argument,
        target: list[str] | None = target_option,
        mix: str = mix_option,
        rule: Rule = rule_option,
        seed: int | None = kit.seed,
        replications: int | None = replications_option,
        workers: int = workers_option,
        cluster: str = cluster_option,
        sets: list[str] | None = kit.sets,
        out: Path = out_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        said: Language = "zh" if lang.value == "zh" else "en"
        parts = mix_of(mix)
        from zjsim.decide.allocate import Asked
        from zjsim.decide.allocate_files import write_allocation
        from zjsim.report.allocation_book import screen

        with progress_bar(STEPS, said, json_output) as progress:
            made = write_allocation(
                source, out, asked=Asked(tuple(target or ()), parts, rule.value), seed=seed, replications=replications,
                workers=workers, cluster=cluster, sets=tuple(sets or ()), lang=said, progress=progress,
                notice=lambda sentence: print(sentence, file=sys.stderr),
            )  # fmt: skip
        if json_output:
            status = made.tables["allocation_targets"].groupby("status").size().to_dict()
            rows = {name: len(table) for name, table in made.tables.items()}
            print(
                json.dumps({"folder": str(made.folder), "targets": status, "rows": rows}, ensure_ascii=False, indent=1)
            )
        else:
            print(screen(made.manifest, made.tables, str(made.folder), said))
        return OK


class Rule(StrEnum):
    """Rules of division."""

    by_capacity = "by_capacity"
    by_need = "by_need"
    by_mixture = "by_mixture"
    equal_effort = "equal_effort"
    equal_chance = "equal_chance"


def mix_of(said: str) -> tuple[float, float, float]:
    """The parts of need, capacity and equality given on the command line; raises ``InputErrors`` for anything else."""
    try:
        need, capacity, equal = (float(part) for part in said.replace("，", ",").split(","))
    except ValueError:
        need = capacity = equal = -1.0
    if not (min(need, capacity, equal) >= 0 and abs(need + capacity + equal - 1) <= 1e-9):
        from zjsim.tables.errors import InputErrors, finding

        raise InputErrors([finding("bad_mix", "--mix", value=said, theme="decide.rule")])
    return need, capacity, equal
