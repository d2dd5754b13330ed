"""Commands that hand inputs out and take them back: workbooks, a workspace, the data dictionary, tracing."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

from zjsim.commands.kit import OK, Kit, Lang
from zjsim.texts import text


def register(kit: Kit) -> None:
    """Add the commands of this theme."""
    workbook_argument = kit.argument("FILE.xlsx", "workbook", Path)
    xlsx_option = kit.option("--xlsx", key="xlsx_inputs", default=..., metavar="FILE")
    template_option = kit.option("--template", key="template", default=False)
    base_option = kit.option("--base", key="base", metavar="SCENARIO")
    file_option = kit.option("--out", key="dictionary_out", metavar="FILE")
    run_argument = kit.argument("RUN", "run_folder", Path)
    table_argument = kit.argument("TABLE", "table")
    key_argument = kit.argument("KEY", "key")
    scenario_option = kit.option("--scenario", key="trace_scenario", metavar="SCENARIO")

    @kit.command("export-inputs")
    def export_inputs(
        scenario: str = kit.scenario,
        xlsx: Path = xlsx_option,
        template: bool = template_option,
        sets: list[str] | None = kit.sets,
        lang: Lang = kit.lang,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.scenario import load
        from zjsim.scenario.exchange import export_inputs as write

        write(load(scenario, sets=tuple(sets or ())), xlsx, template=template)
        print(text("cli.exported", lang.value, path=xlsx))
        return OK

    @kit.command("import-inputs")
    def import_inputs(
        workbook: Path = workbook_argument,
        folder: Path = kit.folder,
        base: str | None = base_option,
        force: bool = kit.force,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.scenario.exchange import import_inputs as read

        files = read(workbook, folder, base=base, force=force)
        if json_output:
            print(json.dumps({"files": [str(f) for f in files]}, ensure_ascii=False, indent=1))
        else:
            print(text("cli.imported", lang.value, folder=folder, files=len(files)))
            header = tomllib.loads((folder / "scenario.toml").read_text("utf-8"))["header"]
            print(text("cli.imported_title", lang.value, title=header[f"title_{lang.value}"], folder=folder))
        return OK

    @kit.command("init")
    def init(folder: Path = kit.folder, lang: Lang = kit.lang, show_help: bool = kit.help) -> int:
        from zjsim.workspace import make_workspace

        make_workspace(folder)
        print(text("cli.workspace", lang.value, folder=folder))
        return OK

    @kit.command("dictionary")
    def dictionary(out: Path | None = file_option, lang: Lang = kit.lang, show_help: bool = kit.help) -> int:
        from zjsim.scenario import rule_texts
        from zjsim.tables.dictionary import dictionary_html, dictionary_markdown
        from zjsim.tables.registries import REGISTRIES
        from zjsim.tables.writer import write_atomic

        rules = list(rule_texts(lang.value))
        if out is not None and out.suffix.lower() in (".html", ".htm"):
            write_atomic(out, dictionary_html(REGISTRIES, lang.value, rules).encode("utf-8"))
        elif out is not None:
            write_atomic(out, dictionary_markdown(REGISTRIES, lang.value, rules).encode("utf-8"))
        else:
            sys.stdout.write(dictionary_markdown(REGISTRIES, lang.value, rules))
            return OK
        print(text("cli.exported", lang.value, path=out))
        return OK

    @kit.command("trace")
    def trace(
        run: Path = run_argument,
        table: str = table_argument,
        key: str = key_argument,
        scenario: str | None = scenario_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.trace import show_trace

        return show_trace(run, table, key, scenario, lang.value, json_output)
