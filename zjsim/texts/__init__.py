"""The one catalogue of texts: every sentence a user can see, in Chinese and in English.

Each ``*.toml`` file in this folder holds the texts of one theme as tables with a ``zh`` and an ``en`` string::

    [tables.not_an_integer]
    zh = "{value} 不是整数"
    en = "{value} is not an integer"

A text is asked for by its dotted key; the values are filled in with :meth:`str.format`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """All texts by dotted key; raises ``ValueError`` if two files define the same key."""
    texts: dict[str, dict[str, str]] = {}
    for entry in sorted(files(__package__).iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".toml"):
            continue
        for key, text in _leaves(tomllib.loads(entry.read_text("utf-8")), ""):
            if key in texts:
                raise ValueError(f"text {key} is defined twice, the second time in {entry.name}")
            texts[key] = text
    return texts


def _leaves(node: dict[str, Any], prefix: str) -> list[tuple[str, dict[str, str]]]:
    if node and all(isinstance(v, str) for v in node.values()):
        return [(prefix.rstrip("."), node)]
    return [leaf for k, v in node.items() for leaf in _leaves(v, f"{prefix}{k}.")]


def text(key: str, lang: Language, **values: object) -> str:
    """The text ``key`` in language ``lang`` with ``values`` filled in; an unknown key raises ``KeyError``."""
    return catalogue()[key][lang].format(**values)
