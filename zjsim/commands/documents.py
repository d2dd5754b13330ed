"""Commands that write a finished run for others: memo, page, workbook."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from zjsim.commands.kit import DIFFERS, LEAST, OK, Kit, Lang, cores
from zjsim.console import progress_bar
from zjsim.texts import text

if TYPE_CHECKING:
    from zjsim.report.finished import Finished


def default_name(run: Finished, what: str, ending: str) -> Path:
    """``baseline-0123456789ab-memo.docx``: in the folder one works in, as a run's own folder is replaced as a whole."""
    from zjsim.runfolder import folder_name

    scenario = "comparison" if run.is_comparison else folder_name(str(run.manifest["scenario"]))
    return Path(f"{scenario}-{run.manifest['run_id']}-{what}{ending}")


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` make a file elsewhere and put it to ``path`` when it is complete."""
    from zjsim.tables.writer import refuse_folder, write_atomic

    refuse_folder(path)
    with tempfile.TemporaryDirectory(prefix="zjsim-", ignore_cleanup_errors=True) as folder:
        part = Path(folder) / path.name
        write(part)
        write_atomic(path, part.read_bytes())


def register(kit: Kit) -> None:
    """Add the commands of this theme."""
    run_argument = kit.argument("RUN", "run_folder", Path)
    told_argument = kit.argument("RUN|COMPARISON", "told_folder", Path)
    memo_out = kit.option("--out", key="memo_out", metavar="FILE")
    to_option = kit.option("--to", key="memo_to", default="", metavar="OFFICE")
    from_option = kit.option("--from", key="memo_from", default="", metavar="OFFICE")
    date_option = kit.option("--date", key="memo_date", default="", metavar="DATE")
    against_option = kit.option("--against", key="memo_against", metavar="RUN")
    template_option = kit.option("--template", key="memo_template", metavar="FILE.docx")

    @kit.command("memo")
    def memo(
        run: Path = told_argument,
        out: Path | None = memo_out,
        to: str = to_option,
        sender: str = from_option,
        date: str = date_option,
        against: Path | None = against_option,
        template: Path | None = template_option,
        lang: Lang = kit.lang,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.report.finished import read_run
        from zjsim.report.memo import Office, pictures_and_memo
        from zjsim.tables.writer import write_atomic

        done = read_run(run, or_comparison=against is None)
        other = None if against is None else read_run(against)
        more = {} if done.is_comparison else {"before": None if other is None else (other.manifest, other.tables)}
        data = pictures_and_memo(
            done.folder, done.manifest, done.tables, lang.value, office=Office(to, sender, date), template=template,
            **more,
        )  # fmt: skip
        path = out or default_name(done, "memo", ".docx")
        write_atomic(path, data)
        print(text("cli.exported", lang.value, path=path))
        return OK

    export_out = kit.option("--out", key="export_out", metavar="FILE")
    county_option = kit.option("--county", key="export_county", metavar="CODE")

    @kit.command("export")
    def export(
        run: Path = told_argument,
        out: Path | None = export_out,
        county: list[str] | None = county_option,
        lang: Lang = kit.lang,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.report.comparison_book import write_comparison_book
        from zjsim.report.county_book import write_county_book
        from zjsim.report.finished import read_run
        from zjsim.report.workbook import write_workbook

        done = read_run(run, or_comparison=not county)
        codes = list(dict.fromkeys(county or ()))
        path = out or default_name(done, "-".join(["book" if done.is_comparison else "plan", *codes[:3]]), ".xlsx")

        def write(part: Path) -> None:
            if done.is_comparison:
                write_comparison_book(part, done.tables, lang.value)
            elif codes:
                write_county_book(part, done.manifest, done.tables, codes, lang.value)
            else:
                write_workbook(part, done.manifest, done.tables, lang.value)

        write_whole(path, write)
        print(text("cli.exported", lang.value, path=path))
        return OK

    page_out = kit.option("--out", key="page_out", metavar="FILE")
    page_template = kit.option("--template", key="page_template", metavar="FILE.html")

    @kit.command("page")
    def page(
        run: Path = told_argument,
        out: Path | None = page_out,
        template: Path | None = page_template,
        lang: Lang = kit.lang,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.report.finished import read_run
        from zjsim.report.page import write_page

        done = read_run(run, or_comparison=True)
        path = out or default_name(done, "report", ".html")
        write_page(path, done.manifest, done.tables, lang.value, template)
        print(text("cli.exported", lang.value, path=path))
        return OK

    replay_scenario = kit.option("--scenario", key="replay_scenario", metavar="SCENARIO")
    replay_out = kit.option("--out", key="replay_out", metavar="DIR")
    workers_option = kit.option("--workers", key="workers", default=cores(), min=LEAST["workers"])

    @kit.command("replay")
    def replay(
        run: Path = run_argument,
        scenario: str | None = replay_scenario,
        workers: int = workers_option,
        out: Path | None = replay_out,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.clock import STEPS
        from zjsim.replaying import replay as run_again

        with progress_bar(STEPS, lang.value, json_output) as progress:
            done = run_again(run, scenario=scenario, out=out, workers=workers, lang=lang.value, progress=progress)
        if json_output:
            said = {
                "files": done.files,
                "differences": [{"file": d.file, "kind": d.kind, **d.detail} for d in done.differences],
                "reasons": [{"reason": key, **values} for key, values in done.reasons],
                "folder": str(done.folder) if done.folder else None,
            }
            print(json.dumps(said, ensure_ascii=False, indent=1))
        else:
            print("\n".join([*done.lines(lang.value), *([str(done.folder)] if done.folder else [])]))
        return DIFFERS if done.differences else OK
