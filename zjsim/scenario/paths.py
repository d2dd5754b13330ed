"""Paths to what a scenario holds: ``section.parameter`` or ``registry[key].column``, and where they lead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zjsim.scenario.checks import Broken, rule
from zjsim.scenario.patterns import matching, unmatched
from zjsim.scenario.settings import annotation_of
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.writer import cells

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_CELLS = re.compile(r"(?P<registry>\w+)(?:\[(?P<key>[^\]]*)\])?\.(?P<column>\w+)")
_RANGE = ("low", "mode", "high", "distribution")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a path leads: a parameter (``registry`` empty), or ``rows`` of a registry's ``column``."""

    path: str
    registry: str = ""
    column: str = ""
    rows: NDArray[np.int64] | None = None


def resolve(path: str, tables: Mapping[str, pd.DataFrame]) -> Target | str:
    """Where ``path`` leads, or the part of it that leads nowhere."""
    cell = _CELLS.fullmatch(path)
    if cell is None or cell["registry"] not in REGISTRIES:
        return Target(path) if annotation_of(path) is not None else path
    registry = REGISTRIES[cell["registry"]]
    if cell["column"] not in registry.by_name:
        return str(cell["column"])
    table = tables.get(registry.name)
    if table is None:
        return Target(path, registry.name, cell["column"])
    mask = np.ones(len(table), dtype=bool)
    patterns = [p.strip() for p in cell["key"].split(",")] if cell["key"] else []
    if patterns and len(patterns) != len(registry.key):
        return str(cell["key"])
    for name, pattern in zip(registry.key, patterns, strict=False):
        texts = np.array(cells(table[name], guard=False), dtype=object)
        if lost := unmatched(pattern, texts):
            return lost
        mask &= matching(pattern, texts)
    if patterns and not mask.any():
        return str(cell["key"])
    return Target(path, registry.name, cell["column"], np.flatnonzero(mask))


def _lost(tables: Mapping[str, pd.DataFrame], registry: str) -> Iterator[Broken]:
    for row, path in enumerate(tables[registry]["path"].tolist()):
        if isinstance(target := resolve(path, tables), str):
            yield Broken(registry, row, "path", "path_unknown", {"part": target})


@rule("levers")
def levers_lead_somewhere(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """The path of a lever leads to a parameter or to cells that exist."""
    yield from _lost(tables, "levers")


@rule("levers")
def lever_range_in_order(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """The low end of a lever's range does not exceed the high end."""
    levers = tables["levers"]
    for row in np.flatnonzero((levers["low"] > levers["high"]).to_numpy()).tolist():
        yield Broken("levers", row, "low", "lever_order", {"other": "high", "limit": f"{levers['high'].iloc[row]:g}"})


@rule("uncertainties")
def uncertainties_lead_somewhere(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """The path of an uncertain input leads to a parameter or to cells that exist."""
    yield from _lost(tables, "uncertainties")


@rule("uncertainties")
def ranges_agree(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """A range repeated in the registry of uncertainties is that of the row which the path leads to; else all is there.

    A row whose target has no range of its own gives low, mode, high and distribution itself.
    """
    table = tables["uncertainties"]
    texts = {name: cells(table[name], guard=False) for name in _RANGE}
    for row, path in enumerate(table["path"].tolist()):
        own = tables.get(path.partition("[")[0])
        if own is not None and {"low", "high"} <= set(own.columns) and not any(t[row] for t in texts.values()):
            continue
        target = resolve(path, tables)
        if isinstance(target, str):
            continue
        for name in _RANGE:
            given = texts[name][row]
            if own is not None and target.rows is not None and len(target.rows) and "low" in own and "high" in own:
                if given and name in own:
                    there = cells(own[name].iloc[target.rows[:1]], guard=False)[0]
                    if there != given:
                        yield Broken("uncertainties", row, name, "uncertain_mismatch", {"found": there})
            elif not given:
                yield Broken("uncertainties", row, name, "uncertain_range")
