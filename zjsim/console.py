"""What the command line needs of a terminal: language, encodings, progress, and usage errors told in two languages."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from typing import IO, Any

from zjsim.texts import LANGUAGES, Language, text

DEFAULT_LANGUAGE: Language = "zh"


def language(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """The language to speak before the command line is parsed: ``--lang``, else ``ZJSIM_LANG``, else Chinese.

    A terminal that cannot show Chinese at all is spoken to in English unless Chinese was asked for.
    """
    said = environment.get("ZJSIM_LANG", "")
    for i, argument in enumerate(arguments):
        if argument == "--lang" and i + 1 < len(arguments):
            said = arguments[i + 1]
        elif argument.startswith("--lang="):
            said = argument.partition("=")[2]
    for known in LANGUAGES:
        if said.strip().lower() == known:
            return known
    return DEFAULT_LANGUAGE if _shows_chinese(sys.stdout) else "en"


def _shows_chinese(stream: IO[str]) -> bool:
    try:
        "中文".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def tolerate_encodings() -> None:
    """Let characters that a terminal cannot show become ``?`` instead of an exception."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            with suppress(ValueError, OSError):
                reconfigure(errors="replace")


def silence_pipe() -> None:
    """After the reader of our output has gone: let the interpreter's last flush go nowhere."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


@contextmanager
def progress_bar(steps: Sequence[str], lang: Language, quiet: bool) -> Iterator[Callable[[str, float], None] | None]:
    """A callback for a run's progress: a bar if stderr is a terminal, else a plain line per step; None if quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _animated(steps, lang) as tell:
            yield tell
    else:
        yield _plain(steps, lang)


@contextmanager
def _animated(steps: Sequence[str], lang: Language) -> Iterator[Callable[[str, float], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=float(len(steps)))

        def tell(step: str, share: float) -> None:
            bar.update(task, description=_step(step, lang), completed=steps.index(step) + min(max(share, 0.0), 1.0))

        yield tell


def _plain(steps: Sequence[str], lang: Language) -> Callable[[str, float], None]:
    begun: set[str] = set()

    def tell(step: str, share: float) -> None:
        if step not in begun:
            begun.add(step)
            print(f"[{steps.index(step) + 1}/{len(steps)}] {_step(step, lang)}", file=sys.stderr, flush=True)

    return tell


@contextmanager
def counter(key: str, lang: Language, quiet: bool, every: int = 500) -> Iterator[Callable[[int], None] | None]:
    """A callback for work of unknown length: the text ``key`` with how much is done, in one line of a terminal.

    Elsewhere a line after ``every`` and then whenever half as many again are done; None if quiet.
    """
    terminal, told = sys.stderr.isatty(), 0

    def tell(done: int) -> None:
        nonlocal told
        if terminal or done >= max(every, 1.5 * told):
            told = done
            end = "\r" if terminal else "\n"
            print(text(key, lang, count=f"{done:,}"), end=end, file=sys.stderr, flush=True)

    yield None if quiet else tell
    if terminal and told:
        print(file=sys.stderr)


def _step(name: str, lang: Language) -> str:
    return text(f"run.step_{name}", lang)


def usage_sentence(error: Any, command: Any, arguments: Sequence[str], lang: Language, least: Mapping[str, int]) -> str:
    """What is wrong with the command line, with the nearest name.

    ``error`` is the parser's, ``command`` the whole tool, ``least`` the smallest value of each integer option. The
    parser's own sentences are English and differ between its versions: only its facts are used.
    """
    kind = type(error).__name__
    at = getattr(getattr(error, "ctx", None), "command", None) or command
    parameter = getattr(error, "param", None)
    if kind == "NoSuchOption":
        options = [o for p in at.params for o in p.opts if o.startswith("--")]
        return _said("no_such_option", lang, _near(error.option_name, options), name=error.option_name)
    if kind in ("BadOptionUsage", "BadArgumentUsage"):
        name = getattr(error, "option_name", "")
        known = getattr(command, "commands", {})
        at = next((known[a] for a in arguments if a in known), at)  # this error knows no command
        flag = any(name in p.opts and getattr(p, "is_flag", False) for p in at.params)
        return _said("takes_no_value" if flag else "needs_value", lang, name=name)
    if parameter is not None:
        long = [o for o in parameter.opts if o.startswith("--")]
        name = long[0] if long else str(parameter.metavar or parameter.name.upper())
        if kind == "MissingParameter":
            return _said("missing", lang, name=name)
        wanted = _wanted(str(parameter.name), str(getattr(error, "message", error)), lang, least)
        return _said("bad_value", lang, name=name, value=_value(parameter.opts, arguments), wanted=wanted)
    commands = list(getattr(command, "commands", {}))
    words = [a for a in arguments if not a.startswith("-")]
    if at is command and not words:
        return _said("missing_command", lang, commands=", ".join(commands))
    if at is command and words[0] not in commands:
        near = _near(words[0], commands)
        return _said("no_such_command", lang, near, name=words[0], commands=", ".join(commands))
    extra = re.search(r"\(([^()]*)\)$", str(getattr(error, "message", error)))
    return _said("unexpected", lang, message=extra[1] if extra else str(error))


def _wanted(name: str, message: str, lang: Language, least: Mapping[str, int]) -> str:
    """What values an option takes, in words; its kind is read from the parser's message, whose words differ."""
    lowest = re.search(r"(?:equal to |>=) ?(-?\d+)", message)
    if name in least or lowest:
        return text("cli.usage.integer_from", lang, least=lowest[1] if lowest else least[name])
    if "not one of" in message:
        return text(
            "cli.usage.one_of", lang, choices=", ".join(re.findall(r"'([^']*)'", message.split("not one of")[1]))
        )
    if re.search(r"integer", message):
        return text("cli.usage.integer", lang)
    return text("cli.usage.float" if re.search(r"number|float", message) else "cli.usage.some_value", lang)


def _said(key: str, lang: Language, near: str = "", **words: object) -> str:
    sentence = text(f"cli.usage.{key}", lang, **words)
    return sentence + (text("tables.fix", lang, fix=near) if near else "")


def _near(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return close[0] if close else ""


def _value(options: Sequence[str], arguments: Sequence[str]) -> str:
    """What was given for an option, found again on the command line."""
    for i, argument in enumerate(arguments):
        for option in options:
            if argument == option and i + 1 < len(arguments):
                return arguments[i + 1]
            if argument.startswith(f"{option}="):
                return argument.partition("=")[2]
    return ""
