"""What is wrong with the input, told so that it can be put right: place, value, rule, and a probable value.

Readers collect :class:`Finding` objects and raise all of them together as :class:`InputErrors`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any, Literal

from zjsim.texts import LANGUAGES, Language, text

Severity = Literal["error", "notice"]

LONGEST_VALUE = 60
"""Characters of a value that are shown; a longer one is cut with an ellipsis."""

LONGEST_NAME = 300
"""Characters of a column's or file's name that are shown."""

SHOWN_LINES = 8
"""Further lines with the same fault that a sentence names one by one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault (``error``) or remark (``notice``) about the input.

    ``rule`` is the key of the broken rule; ``file`` is the file's name as the planner knows it (or ``--set …``);
    ``line`` counts from 1 as a text editor does (None where a line has no meaning); ``column`` is the column's or
    the TOML key's name; ``value`` is what stands there; ``zh`` and ``en`` say what is wrong, without the place;
    ``fix`` is the value that was probably meant ("" if none can be guessed); ``also`` lists further lines with
    the same fault and value. In a workbook ``sheet`` is the sheet's name and ``letter`` the column's letters.
    """

    rule: str
    file: str
    zh: str
    en: str
    line: int | None = None
    column: str = ""
    value: str = ""
    fix: str = ""
    severity: Severity = "error"
    also: tuple[int, ...] = ()
    sheet: str = ""
    letter: str = ""

    def place(self, lang: Language) -> str:
        """Where the fault is, in words."""
        if self.sheet:
            kind = "sheet_cell" if self.letter and self.line else "sheet_line" if self.line else "sheet"
            words = {"file": self.file, "sheet": self.sheet, "line": self.line, "letter": self.letter}
            return text(f"tables.place.{kind}", lang, column=self.column, **words)
        named = bool(self.column) and not self.file.startswith("--set ")
        kind = {
            (False, False): "file",
            (False, True): "line",
            (True, False): "column",
            (True, True): "key" if self.file.endswith(".toml") else "cell",
        }[named, self.line is not None]
        return text(f"tables.place.{kind}", lang, file=self.file, line=self.line, column=self.column)

    def sentence(self, lang: Language) -> str:
        """The whole message on one line: place, what is wrong, the probable value, and further lines."""
        said = self.zh if lang == "zh" else self.en
        if self.fix:
            said += text("tables.fix", lang, fix=self.fix)
        if self.also:
            shown = "、".join(map(str, self.also[:SHOWN_LINES])) if lang == "zh" else ""
            if lang == "en":
                shown = ", ".join(map(str, self.also[:SHOWN_LINES]))
            key = "tables.also_many" if len(self.also) > SHOWN_LINES else "tables.also"
            said += text(key, lang, count=len(self.also), lines=shown)
        return text("tables.sentence", lang, place=self.place(lang), said=said)

    def record(self) -> dict[str, Any]:
        """The finding as plain JSON values; the sentences are given in both languages."""
        return {
            "severity": self.severity,
            "rule": self.rule,
            "file": self.file,
            "sheet": self.sheet,
            "line": self.line,
            "column": self.column,
            "letter": self.letter,
            "value": self.value,
            "fix": self.fix,
            "also_lines": list(self.also),
            "zh": self.sentence("zh"),
            "en": self.sentence("en"),
        }

    def at(self, file: str, line: int | None) -> Finding:
        """The same finding at another place."""
        return replace(self, file=file, line=line)


def visible(value: str) -> str:
    """``value`` cut to :data:`LONGEST_VALUE` characters, with control and invisible characters written as escapes."""
    return printable(value[:LONGEST_VALUE]) + ("…" if len(value) > LONGEST_VALUE else "")


def printable(value: str) -> str:
    """``value`` with control and invisible characters written as escapes: a file must not talk to the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in value[:LONGEST_NAME])


def finding(
    rule: str,
    file: str,
    *,
    line: int | None = None,
    column: str = "",
    value: str = "",
    fix: str = "",
    severity: Severity = "error",
    also: Sequence[int] = (),
    theme: str = "tables.rule",
    words: Mapping[str, object] | None = None,
    **more: object,
) -> Finding:
    """A finding whose sentences are the text ``<theme>.<rule>``, filled in with value, column, file and ``words``.

    A word given as a pair ``(zh, en)`` differs between the languages.
    """
    shown, file, column = visible(value), printable(file), printable(column)
    both: dict[Language, str] = {}
    for i, lang in enumerate(LANGUAGES):
        filled = {k: (v[i] if isinstance(v, tuple) else v) for k, v in {**(words or {}), **more}.items()}
        both[lang] = text(f"{theme}.{rule}", lang, value=shown, column=column, file=file, **filled)
    return Finding(rule, file, both["zh"], both["en"], line, column, shown, visible(fix), severity, tuple(also))


class InputErrors(Exception):  # noqa: N818 - it holds all errors of an input, and the contract fixes its name
    """Everything that is wrong with an input, and the notices that came with it."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(self.findings)

    def __str__(self) -> str:
        return self.report("en")

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid to go on."""
        return tuple(f for f in self.findings if f.severity == "error")

    @property
    def notices(self) -> tuple[Finding, ...]:
        """The findings that do not."""
        return tuple(f for f in self.findings if f.severity == "notice")

    def report(self, lang: Language) -> str:
        """All sentences, one a line, after a line that counts them."""
        return "\n".join([headline(self.findings, lang), *(f.sentence(lang) for f in (*self.errors, *self.notices))])


def headline(findings: Sequence[Finding], lang: Language) -> str:
    """One line that counts errors and files."""
    errors = [f for f in findings if f.severity == "error"]
    count = sum(1 + len(f.also) for f in errors)
    return text("tables.headline", lang, errors=count, files=len({f.file for f in errors}))


def as_json(findings: Sequence[Finding]) -> str:
    """The findings as one JSON object: ``{"errors": n, "notices": n, "findings": [...]}``."""
    errors = sum(f.severity == "error" for f in findings)
    report = {"errors": errors, "notices": len(findings) - errors, "findings": [f.record() for f in findings]}
    return json.dumps(report, ensure_ascii=False, indent=1)


def print_findings(findings: Sequence[Finding], lang: Language, stream: IO[str]) -> None:
    """Write the findings to ``stream``, one paragraph each, coloured where the stream is a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, soft_wrap=True, highlight=False)
    if any(f.severity == "error" for f in findings):
        console.print(Text(headline(findings, lang), style="bold red"))
    # What forbids to go on comes before what is only remarked, however much that is.
    for f in sorted(findings, key=lambda f: f.severity != "error"):
        style = "red" if f.severity == "error" else "yellow"
        mark = text(f"tables.severity.{f.severity}", lang)
        console.print(Text.assemble((f"[{mark}] ", style), f.sentence(lang)))
