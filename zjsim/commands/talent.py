"""The command that tells the plan of talent supply of a run, or how it differs from that of another."""

from __future__ import annotations

import json
from pathlib import Path

from zjsim.commands.kit import INPUT, LEAST, OK, Kit, Lang
from zjsim.texts import text


def register(kit: Kit) -> None:
    """Add the command."""
    run_argument = kit.argument("RUN", "run_folder", Path)
    against_option = kit.option("--against", key="talent_against", metavar="RUN")
    year_option = kit.option("--year", key="talent_year", min=LEAST["year"])

    @kit.command("talent")
    def talent(
        run: Path = run_argument,
        against: Path | None = against_option,
        year: int | None = year_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.report.finished import read_run
        from zjsim.report.talent import talent_lines
        from zjsim.report.talent_changes import change_sentences

        done = read_run(run)
        lines = talent_lines(done.tables, lang.value)
        if not lines:
            print(text("talent.command.none", lang.value, folder=run))
            return INPUT
        catalogue = done.tables["talent_catalogue"]
        wanted = year or int(sorted(catalogue["year"].unique())[len(catalogue["year"].unique()) // 2])
        if against is not None:
            lines = change_sentences(read_run(against).tables, done.tables, wanted, lang.value)
        else:
            lines += [
                f"{r['rank']:>3}. {r[f'reason_{lang.value}']}"
                for r in catalogue[catalogue["year"] == wanted].sort_values("rank").to_dict("records")
            ]
        print(
            json.dumps({"year": wanted, "lines": lines}, ensure_ascii=False, indent=1)
            if json_output
            else "\n".join(lines)
        )
        return OK
