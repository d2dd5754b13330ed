"""Commands on scenarios: list, show, check, compare and synthesize them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zjsim.commands.kit import INPUT, LEAST, OK, Kit, Lang
from zjsim.texts import Language, text

if TYPE_CHECKING:
    from zjsim.scenario import Scenario


def register(kit: Kit) -> None:
    """Add the commands of this theme."""
    registry_argument = kit.argument("[REGISTRY]", "registry", default=None)
    explain_option = kit.option("--explain", key="explain", default=False)
    xlsx_errors_option = kit.option("--xlsx", key="xlsx_errors", metavar="FILE")
    xlsx_diff_option = kit.option("--xlsx", key="xlsx_diff", metavar="FILE")
    base_option = kit.option("--base", key="base", metavar="SCENARIO")
    second_argument = kit.argument("SCENARIO2", "second")
    county_option = kit.option("--county", key="county", metavar="CODE")
    year_option = kit.option("--year", key="year", min=LEAST["year"])

    @kit.command("scenarios")
    def scenarios(lang: Lang = kit.lang, json_output: bool = kit.json, show_help: bool = kit.help) -> int:
        return list_scenarios(lang.value, json_output)

    @kit.command("show")
    def show(
        scenario: str = kit.scenario,
        registry: str | None = registry_argument,
        sets: list[str] | None = kit.sets,
        explain: bool = explain_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.scenario import load
        from zjsim.show import show_registry, show_scenario

        loaded = load(scenario, sets=tuple(sets or ()))
        if explain:
            from zjsim.explain import explain_scenario

            return explain_scenario(loaded, lang.value, json_output)
        if registry is None:
            return show_scenario(loaded, lang.value, json_output)
        return show_registry(loaded, registry, lang.value, json_output)

    @kit.command("check")
    def check(
        scenario: str = kit.scenario,
        sets: list[str] | None = kit.sets,
        base: str | None = base_option,
        xlsx: Path | None = xlsx_errors_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        return _check(scenario, tuple(sets or ()), base, xlsx, lang.value, json_output)

    @kit.command("diff")
    def diff(
        scenario: str = kit.scenario,
        second: str = second_argument,
        xlsx: Path | None = xlsx_diff_option,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.explain import show_diff
        from zjsim.scenario import load

        return show_diff(load(scenario), load(second), xlsx, lang.value, json_output)

    @kit.command("synthesize")
    def synthesize(
        scenario: str = kit.scenario,
        folder: Path = kit.folder,
        seed: int | None = kit.seed,
        county: list[str] | None = county_option,
        year: int | None = year_option,
        force: bool = kit.force,
        lang: Lang = kit.lang,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.synthesize import synthesize as write_tables

        files = write_tables(scenario, folder, seed, county or None, year=year, force=force)
        if json_output:
            print(json.dumps({"files": [str(f) for f in files]}, ensure_ascii=False, indent=1))
        else:
            print(text("cli.synthesized", lang.value, files=len(files), folder=folder))
        return OK


def _check(
    scenario: str, sets: tuple[str, ...], base: str | None, xlsx: Path | None, lang: Language, as_json: bool
) -> int:
    """Check a scenario, or a workbook of inputs; with ``xlsx`` the findings are also written as a workbook."""
    from zjsim.scenario import load
    from zjsim.tables.errors import InputErrors, finding

    try:
        if scenario.lower().endswith((".xlsx", ".xlsm", ".xls")):
            from zjsim.scenario.exchange import read_inputs

            loaded = read_inputs(Path(scenario), base, sets)
        elif base is not None:
            raise InputErrors([finding("base_without_workbook", f"--base {base}", theme="scenario.rule")])
        else:
            loaded = load(scenario, sets=sets)
    except InputErrors as error:
        if xlsx is not None:
            _write_list(error.findings, xlsx, lang)
        raise
    if xlsx is not None:
        _write_list(loaded.notices, xlsx, lang)
    return report_check(loaded, lang, as_json)


def _write_list(findings: tuple[object, ...], path: Path, lang: Language) -> None:
    from zjsim.tables.workbook_out import write_error_list

    write_error_list(path, [f.record() for f in findings])  # type: ignore[attr-defined]
    print(text("cli.error_list", lang, path=path, count=len(findings)), file=sys.stderr)


def list_scenarios(lang: Language, as_json: bool) -> int:
    """Print the built-in scenarios with their titles."""
    from zjsim.scenario.folders import SCENARIO_FILE, builtin_home, builtin_names
    from zjsim.scenario.settings import read_toml

    listed = []
    for name in builtin_names():
        settings, _ = read_toml((builtin_home() / name / SCENARIO_FILE).read_bytes(), SCENARIO_FILE)
        header = settings.values.get("header", {})
        extends = settings.values.get("extends", "")
        listed.append({"name": name, "base": extends, **{k: header.get(k, "") for k in ("title_zh", "title_en")}})
    if as_json:
        print(json.dumps(listed, ensure_ascii=False, indent=1))
    else:
        for entry in listed:
            base = text("cli.extends", lang, base=entry["base"]) if entry["base"] else ""
            print(f"{entry['name']}  {entry[f'title_{lang}']}{base}")
    return OK


def report_check(scenario: Scenario, lang: Language, as_json: bool) -> int:
    """Say that a scenario passed every check, after its notices."""
    from zjsim.tables import errors

    if as_json:
        print(errors.as_json(scenario.notices))
        return OK
    if scenario.notices:
        errors.print_findings(scenario.notices, lang, sys.stderr)
    rows = sum(len(table) for table in scenario.tables.values())
    print(text("cli.checked", lang, name=scenario.name, tables=len(scenario.tables), rows=rows))
    return OK


__all__ = ["INPUT", "list_scenarios", "register", "report_check"]
