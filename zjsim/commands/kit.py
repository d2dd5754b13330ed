"""What all commands share: languages, exit codes, and options with their help in the user's language."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import typer

from zjsim.texts import Language, text

OK, INTERNAL, INPUT, DIFFERS, INTERRUPTED = 0, 1, 2, 6, 130
LEAST = {"seed": 0, "event_log": 0, "replications": 2, "workers": 1, "year": 2020}
"""Smallest values of the integer options."""

Command = TypeVar("Command", bound=Callable[..., int])


MOST_WORKERS = 8
"""Processes started without being asked for; each takes about 200 MB."""


def cores() -> int:
    """How many processes to use by default: results do not depend on it."""
    return min(os.cpu_count() or 1, MOST_WORKERS)


class Lang(StrEnum):
    """Languages of the output."""

    zh = "zh"
    en = "en"


def _print_help(context: typer.Context, wanted: bool) -> None:
    if wanted:
        typer.echo(context.get_help())
        raise typer.Exit(OK)


class Kit:
    """Builds options, arguments and commands whose help is in one language."""

    def __init__(self, app: typer.Typer, language: Language) -> None:
        self.app, self.language = app, language
        self.scenario = self.argument("SCENARIO", "scenario")
        self.folder = self.argument("DIR", "folder", Path)
        self.lang = self.option("--lang", key="lang", default=Lang(language))
        self.json = self.option("--json", key="json", default=False)
        self.sets = self.option("--set", key="set", metavar="PATH=VALUE")
        self.help = self.option("--help", key="help", default=False, is_eager=True, callback=_print_help)
        self.force = self.option("--force", key="force", default=False)
        self.seed = self.option("--seed", key="seed", min=LEAST["seed"])

    def said(self, key: str) -> str:
        """A text of help."""
        return text(f"cli.help.{key}", self.language)

    def option(self, *names: str, key: str, default: Any = None, **more: Any) -> Any:
        """An option with the help ``cli.help.<key>``."""
        return typer.Option(default, *names, help=self.said(key), rich_help_panel=self.said("options"), **more)

    def argument(self, metavar: str, key: str, kind: type | None = None, default: Any = ...) -> Any:
        """An argument with the help ``cli.help.<key>``."""
        more: Any = {"path_type": kind} if kind is Path else {}
        return typer.Argument(
            default, metavar=metavar, help=self.said(key), rich_help_panel=self.said("arguments"), **more
        )

    def command(self, name: str) -> Callable[[Command], Command]:
        """Register a command with the help ``cli.help.<name>`` (``-`` written ``_``)."""
        return self.app.command(
            name, help=self.said(name.replace("-", "_")), rich_help_panel=self.said("commands"), add_help_option=False
        )
