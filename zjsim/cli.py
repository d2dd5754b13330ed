"""The command ``zjsim``: it runs scenarios here, and has its other commands from ``zjsim.commands``.

Everything heavy is imported inside the commands, so that ``zjsim --help`` answers at once. Exit codes: 0 done,
1 internal error, 2 error in the input or the command line, 3 no plan possible, 4 audit failed, 5 stopped by a limit,
6 a replay differs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from zjsim.commands import (
    backtest,
    decisions,
    documents,
    hedge,
    inputs,
    placement,
    sharing,
    talent,
    tracking,
    validate,
)
from zjsim.commands.kit import INPUT, INTERNAL, INTERRUPTED, LEAST, OK, Kit, Lang, cores
from zjsim.console import language, progress_bar, silence_pipe, tolerate_encodings, usage_sentence
from zjsim.texts import Language, text

if TYPE_CHECKING:
    from zjsim.tables.errors import InputErrors


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
            if isinstance(error, IsADirectoryError):
                _tell(text("cli.is_folder", lang, path=error.filename))
                return INPUT
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


def build_app(lang: Language) -> typer.Typer:
    """The command line with its help in ``lang``."""

    app = typer.Typer(
        name="zjsim",
        help=text("cli.help.zjsim", lang),
        add_completion=False,
        add_help_option=False,
        rich_markup_mode="rich",
    )
    kit = Kit(app, lang)
    version_option = kit.option("--version", key="version", default=False, is_eager=True, callback=_print_version)
    replications_option = kit.option("--replications", key="replications", min=LEAST["replications"])
    workers_option = kit.option("--workers", key="workers", default=cores(), min=LEAST["workers"])
    cluster_option = kit.option("--cluster", key="cluster", default="", metavar="ADDRESS")
    out_option = kit.option("--out", key="out", default=Path("results"), metavar="DIR")
    event_log_option = kit.option("--event-log", key="event_log", min=LEAST["event_log"], metavar="REPLICATION")
    quiet_option = kit.option("--quiet", key="quiet", default=False)

    @app.callback(invoke_without_command=True)
    def zjsim(context: typer.Context, version: bool = version_option, show_help: bool = kit.help) -> None:
        if context.invoked_subcommand is None:
            typer.echo(context.get_help())
            raise typer.Exit(INPUT)

    @kit.command("run")
    def run(
        scenario: str = kit.scenario,
        seed: int | None = kit.seed,
        replications: int | None = replications_option,
        workers: int = workers_option,
        cluster: str = cluster_option,
        event_log: int | None = event_log_option,
        sets: list[str] | None = kit.sets,
        out: Path = out_option,
        lang: Lang = kit.lang,
        quiet: bool = quiet_option,
        json_output: bool = kit.json,
        show_help: bool = kit.help,
    ) -> int:
        from zjsim.clock import STEPS
        from zjsim.run import run as run_scenario

        with progress_bar(STEPS, lang.value, quiet or json_output) as progress:
            done = run_scenario(
                scenario, seed=seed, replications=replications, workers=workers, cluster=cluster,
                sets=tuple(sets or ()), out=out, lang=lang.value, progress=progress, notice=None if quiet else _tell,
                event_log=event_log,
            )  # fmt: skip
        if json_output:
            print(json.dumps({"folder": str(done.folder), **done.manifest}, ensure_ascii=False, indent=1, default=str))
        elif quiet:
            print(done.folder)
        else:
            print(done.summary(lang.value))
        return int(done.exit_code)

    inputs.register(kit)
    documents.register(kit)
    sharing.register(kit)
    placement.register(kit)
    hedge.register(kit)
    validate.register(kit)
    talent.register(kit)
    decisions.register(kit)
    backtest.register(kit)
    tracking.register(kit)
    return app
