"""What a scenario changes against the tables it starts from: one record per changed cell, and the levels in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Op = Literal["set", "add", "delete", "scale"]
OPS: tuple[Op, ...] = ("set", "add", "delete", "scale")

SET_LEVEL = "--set"
"""The level of the command line: above every scenario of the chain."""


@dataclass(frozen=True, slots=True)
class Change:
    """One cell changed, or one row added or deleted (``column`` is then "").

    ``level`` is the scenario that did it, or ``--set``; ``file`` and ``line`` say where it is written (no line for
    ``--set``); ``old`` and ``new`` are the cell's texts before and after; ``amount`` is what is written there (a
    factor for ``scale``).
    """

    registry: str
    key: tuple[str, ...]
    column: str
    op: Op
    old: str
    new: str
    level: str
    file: str
    line: int | None = None
    reason: str = ""
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """One scenario of the chain and what it brings.

    ``tables`` are the registries it gives as whole tables, ``overrides`` those it changes row by row, ``passed_over``
    overrides without effect because a later level replaces the whole table; ``parameters`` are the keys it sets.
    """

    name: str
    builtin: bool
    path: str
    tables: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
