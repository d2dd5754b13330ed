"""Names of people's own making as documents show them: nothing invisible, nothing overlong, nothing that acts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

LONGEST_NAME, LONGEST_SENTENCE = 200, 2_000
"""Longer texts are cut, visibly; the table of the run holds them whole."""
_SENTENCES = ("why", "repair", "note", "verdict", "what_counts", "reason", "description", "explanation")
_KEPT = ("\n", "\t")


def visible(value: str, longest: int = LONGEST_SENTENCE) -> str:
    """``value`` with control and invisible characters as their code points (U+0007), cut at ``longest`` by an …"""
    if len(value) > longest:
        value = value[: longest - 1] + "…"
    if value.isprintable():
        return value
    return "".join(_shown(c) for c in value)


def _shown(character: str) -> str:
    if character in _KEPT:
        return " "
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return f"U+{ord(character):04X}" if hidden else character


class VisibleTables(Mapping[str, pd.DataFrame]):
    """Tables whose texts are :func:`visible`: names are cut at :data:`LONGEST_NAME`, sentences later."""

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self._tables = tables
        self._made: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._made:
            table = self._tables[name]
            texts = {str(c): _cleaned(str(c), table[c]) for c in table.columns if not _is_number(table[c])}
            self._made[name] = table.assign(**texts) if texts else table
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __contains__(self, name: object) -> bool:
        return name in self._tables


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)


def _cleaned(name: str, column: pd.Series) -> pd.Series:
    longest = LONGEST_SENTENCE if name.startswith(_SENTENCES) else LONGEST_NAME
    cells = [visible(v, longest) if isinstance(v, str) else v for v in column.tolist()]
    return pd.Series(cells, index=column.index, dtype=object)


def visible_values(value: Any, longest: int = LONGEST_SENTENCE) -> Any:
    """A manifest with every text :func:`visible`."""
    if isinstance(value, str):
        return visible(value, longest)
    if isinstance(value, Mapping):
        return {k: visible_values(v, LONGEST_NAME if str(k).startswith("title") else longest) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [visible_values(v, longest) for v in value]
    return value
