"""The command ``zjsim``: run, check, show and list scenarios.

Everything heavy is imported inside the commands, so that ``zjsim --help`` answers at once. Exit codes: 0 done,
1 internal error, 2 error in the input or the command line, 3 no plan possible, 4 audit failed, 5 stopped by a limit.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

from zjsim.console import language, progress_bar, silence_pipe, tolerate_encodings, usage_sentence
from zjsim.texts import Language, text

if TYPE_CHECKING:
    from zjsim.scenario import Scenario
    from zjsim.tables.errors import InputErrors

OK, INTERNAL, INPUT, INTERRUPTED = 0, 1, 2, 130
LEAST = {"seed": 0, "replications": 2, "workers": 1, "year": 2020}
"""Smallest values of the integer options."""

Command = TypeVar("Command", bound=Callable[..., int])


class Lang(StrEnum):
    """Languages of the output."""

    zh = "zh"
    en = "en"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of the command line; always ends by ``SystemExit`` with one of the exit codes above."""
    tolerate_encodings()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _answer(given, language(given, os.environ))
        sys.stdout.flush()
    except BrokenPipeError:
        silence_pipe()
        code = OK
    sys.exit(code)


def _answer(arguments: list[str], lang: Language) -> int:
    """Run one command line and turn every way it can end into an exit code and a sentence."""
    from zjsim.tables.errors import InputErrors

    command = typer.main.get_command(build_app(lang))
    try:
        code = command.main(arguments, prog_name="zjsim", standalone_mode=False)
        if code == INTERRUPTED:  # what the parser makes of Ctrl-C
            _tell(text("cli.interrupted", lang))
        return code if isinstance(code, int) else OK
    except BrokenPipeError:
        raise
    except typer.Exit as stop:
        return int(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _tell(text("cli.interrupted", lang))
        return INTERRUPTED
    except SystemExit:  # the parser leaves so, and only so, when the reader of our output has gone
        silence_pipe()
        return OK
    except InputErrors as error:
        return _report_input(error, lang, "--json" in arguments)
    except Exception as error:
        if hasattr(error, "format_message"):  # every error of the command line's parser has it, in all its versions
            _tell(text("cli.usage.error", lang, said=usage_sentence(error, command, arguments, lang, LEAST)))
            return INPUT
        if type(error).__name__ == "RunRefused":
            return _report_refusal(error, lang, "--json" in arguments)
        if os.environ.get("ZJSIM_DEBUG"):
            raise
        if isinstance(error, OSError) and error.filename is not None:
            reason = error.strerror or type(error).__name__
            _tell(text("cli.file_error", lang, path=error.filename, reason=reason))
            return INPUT
        _tell(text("cli.internal", lang, kind=type(error).__name__, reason=str(error).split("\n")[0][:300]))
        return INTERNAL


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _report_input(error: InputErrors, lang: Language, as_json: bool) -> int:
    from zjsim.tables import errors

    if as_json:
        print(errors.as_json(error.findings))
    else:
        errors.print_findings(error.findings, lang, sys.stderr)
    return INPUT


def _report_refusal(refused: Any, lang: Language, as_json: bool) -> int:
    if as_json:
        said = {"exit_code": refused.exit_code, "zh": refused.zh, "en": refused.en}
        print(json.dumps({"refused": said}, ensure_ascii=False, indent=1))
    else:
        _tell(refused.zh if lang == "zh" else refused.en)
    return int(refused.exit_code)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"zjsim {version('zjsim')}")
        raise typer.Exit(OK)


def _print_help(context: typer.Context, wanted: bool) -> None:
    if wanted:
        typer.echo(context.get_help())
        raise typer.Exit(OK)


def build_app(lang: Language) -> typer.Typer:
    """The command line with its help in ``lang``."""

    def said(key: str) -> str:
        return text(f"cli.help.{key}", lang)

    def option(*names: str, key: str, default: Any = None, **more: Any) -> Any:
        return typer.Option(default, *names, help=said(key), rich_help_panel=said("options"), **more)

    app = typer.Typer(
        name="zjsim", help=said("zjsim"), add_completion=False, add_help_option=False, rich_markup_mode="rich"
    )
    scenario_argument = typer.Argument(
        ..., metavar="SCENARIO", help=said("scenario"), rich_help_panel=said("arguments")
    )
    registry_argument = typer.Argument(
        None, metavar="[REGISTRY]", help=said("registry"), rich_help_panel=said("arguments")
    )
    folder_argument = typer.Argument(..., metavar="DIR", help=said("folder"), rich_help_panel=said("arguments"))
    lang_option = option("--lang", key="lang", default=Lang(lang))
    json_option = option("--json", key="json", default=False)
    sets_option = option("--set", key="set", metavar="PATH=VALUE")
    help_option = option("--help", key="help", default=False, is_eager=True, callback=_print_help)
    version_option = option("--version", key="version", default=False, is_eager=True, callback=_print_version)
    seed_option = option("--seed", key="seed", min=LEAST["seed"])
    replications_option = option("--replications", key="replications", min=LEAST["replications"])
    workers_option = option("--workers", key="workers", default=1, min=LEAST["workers"])
    out_option = option("--out", key="out", default=Path("results"), metavar="DIR")
    quiet_option = option("--quiet", key="quiet", default=False)
    county_option = option("--county", key="county", metavar="CODE")
    year_option = option("--year", key="year", min=LEAST["year"])
    force_option = option("--force", key="force", default=False)

    @app.callback(invoke_without_command=True)
    def zjsim(context: typer.Context, version: bool = version_option, show_help: bool = help_option) -> None:
        if context.invoked_subcommand is None:
            typer.echo(context.get_help())
            raise typer.Exit(INPUT)

    def command(name: str) -> Callable[[Command], Command]:
        return app.command(name, help=said(name), rich_help_panel=said("commands"), add_help_option=False)

    @command("run")
    def run(
        scenario: str = scenario_argument,
        seed: int | None = seed_option,
        replications: int | None = replications_option,
        workers: int = workers_option,
        sets: list[str] | None = sets_option,
        out: Path = out_option,
        lang: Lang = lang_option,
        quiet: bool = quiet_option,
        json_output: bool = json_option,
        show_help: bool = help_option,
    ) -> int:
        from zjsim.run import STEPS
        from zjsim.run import run as run_scenario

        with progress_bar(STEPS, lang.value, quiet or json_output) as progress:
            done = run_scenario(
                scenario, seed=seed, replications=replications, workers=workers, sets=tuple(sets or ()), out=out,
                lang=lang.value, progress=progress,
            )  # fmt: skip
        if json_output:
            print(json.dumps({"folder": str(done.folder), **done.manifest}, ensure_ascii=False, indent=1, default=str))
        elif quiet:
            print(done.folder)
        else:
            print(done.summary(lang.value))
        return int(done.exit_code)

    @command("scenarios")
    def scenarios(lang: Lang = lang_option, json_output: bool = json_option, show_help: bool = help_option) -> int:
        return list_scenarios(lang.value, json_output)

    @command("show")
    def show(
        scenario: str = scenario_argument,
        registry: str | None = registry_argument,
        sets: list[str] | None = sets_option,
        lang: Lang = lang_option,
        json_output: bool = json_option,
        show_help: bool = help_option,
    ) -> int:
        from zjsim.scenario import load
        from zjsim.show import show_registry, show_scenario

        loaded = load(scenario, sets=tuple(sets or ()))
        if registry is None:
            return show_scenario(loaded, lang.value, json_output)
        return show_registry(loaded, registry, lang.value, json_output)

    @command("check")
    def check(
        scenario: str = scenario_argument,
        sets: list[str] | None = sets_option,
        lang: Lang = lang_option,
        json_output: bool = json_option,
        show_help: bool = help_option,
    ) -> int:
        from zjsim.scenario import load

        return report_check(load(scenario, sets=tuple(sets or ())), lang.value, json_output)

    @command("synthesize")
    def synthesize(
        scenario: str = scenario_argument,
        folder: Path = folder_argument,
        seed: int | None = seed_option,
        county: list[str] | None = county_option,
        year: int | None = year_option,
        force: bool = force_option,
        lang: Lang = lang_option,
        json_output: bool = json_option,
        show_help: bool = help_option,
    ) -> int:
        from zjsim.synthesize import synthesize as write_tables

        files = write_tables(scenario, folder, seed, county or None, year=year, force=force)
        if json_output:
            print(json.dumps({"files": [str(f) for f in files]}, ensure_ascii=False, indent=1))
        else:
            print(text("cli.synthesized", lang.value, files=len(files), folder=folder))
        return OK

    return app


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
