"""The words in which every registry is declared, once: column, type, unit, range, key, reference, titles and help.

From these declarations come the reader, the checks, the Excel template, the data dictionary and the manifest's schema.
Nothing here reads a file or imports a heavy library.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "code", "integer", "number", "boolean", "date", "choice"]
"""``code`` is text with a fixed pattern (never a number); ``date`` is ISO ``YYYY-MM-DD``, kept as text;
``boolean`` is written ``yes`` / ``no``; ``choice`` is one of a closed list."""

BASES = ("official", "press", "unverified", "derived", "judgement", "assumption", "synthetic")
"""How a value is known (see the README's table of bases)."""

PUBLIC_BASES = ("official", "press")
"""Values read in a public document; every other basis makes a number an input uncertainty."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a registry.

    ``ref`` names ``registry.column`` (or several joined by ``|``, any of which may hold the value);
    ``separator`` marks a cell that holds several values; ``minimum``/``maximum`` are inclusive, in ``unit``.
    A column that is not ``required`` may be empty: an empty number is unknown, never zero.
    """

    name: str
    kind: Kind
    zh: str
    en: str
    unit: str = ""
    required: bool = True
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    ref: str = ""
    separator: str = ""
    help_zh: str = ""
    help_en: str = ""


@dataclass(frozen=True, slots=True)
class Registry:
    """One input table: its columns in file order, its key, and what it is for."""

    name: str
    zh: str
    en: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    required: bool = True
    may_be_empty: bool = False
    help_zh: str = ""
    help_en: str = ""
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = [c.name for c in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"registry {self.name}: a column is declared twice")
        if not set(self.key) <= set(names):
            raise ValueError(f"registry {self.name}: the key names a column that is not declared")
        object.__setattr__(self, "by_name", {c.name: c for c in self.columns})


def source_column() -> Column:
    """Where a row's values were read: a row of the registry ``sources``."""
    return Column("source_id", "code", "来源", "Source", ref="sources.source_id")


def basis_column() -> Column:
    """How a row's values are known: one of :data:`BASES`."""
    return Column("basis", "choice", "依据", "Basis", choices=BASES)
