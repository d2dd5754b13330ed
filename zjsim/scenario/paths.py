"""Paths to what a scenario holds: ``section.parameter`` or ``registry[key].column``, and where they lead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zjsim.scenario.checks import Broken, dated_rule, rule
from zjsim.scenario.patterns import matching, unmatched
from zjsim.scenario.settings import annotation_of
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.writer import cells

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from zjsim.scenario.parameters import Parameters

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


@rule("levers")
def lever_costs_complete(tables: Mapping[str, pd.DataFrame]) -> Iterator[Broken]:
    """A lever has a unit cost, in yuan or in points, with its source and basis."""
    levers = tables["levers"]
    yuan, points = levers["unit_cost_yuan"].notna(), levers["unit_cost_points"].notna()
    for row in np.flatnonzero((yuan == points).to_numpy()).tolist():
        yield Broken("levers", row, "unit_cost_points", "lever_two_costs" if yuan.iloc[row] else "lever_no_cost")
    for column in ("cost_source_id", "cost_basis"):
        for row in np.flatnonzero(((yuan | points) & (levers[column] == "")).to_numpy()).tolist():
            yield Broken("levers", row, column, "lever_cost_unsourced")


@dated_rule("levers")
def lever_ranges_fit(tables: Mapping[str, pd.DataFrame], parameters: Parameters) -> Iterator[Broken]:
    """A range has both ends; the value there now lies within it, and a factor's range holds 1.

    A value outside is a notice: the scenario has gone farther than the lever says a planner can.
    """
    levers = tables["levers"]
    for row, lever in enumerate(levers.to_dict("records")):
        low, high = float(lever["low"]), float(lever["high"])
        if np.isnan(low) != np.isnan(high):
            yield Broken("levers", row, "low" if np.isnan(low) else "high", "lever_one_end")
            continue
        target = resolve(str(lever["path"]), tables)
        if isinstance(target, str):
            continue
        values = [v for v in _values(target, tables, parameters) if isinstance(v, (int, float))]
        if np.isnan(low):
            if lever["change"] == "scale" or values:
                yield Broken("levers", row, "low", "lever_needs_range")
        elif not values and low <= high:
            yield Broken("levers", row, "path", "lever_no_number")
        elif lever["change"] == "scale" and low <= high and not low <= 1 <= high:
            yield Broken("levers", row, "low" if low > 1 else "high", "lever_without_one")
        elif lever["change"] == "set" and (outside := [v for v in values if not low <= v <= high]):
            words: dict[str, object] = {"found": f"{outside[0]:g}", "low": f"{low:g}", "high": f"{high:g}"}
            yield Broken("levers", row, "path", "lever_outside", words, "notice")


def _values(target: Target, tables: Mapping[str, pd.DataFrame], parameters: Parameters) -> list[object]:
    """What stands now where a path leads; booleans and texts are no numbers."""
    if target.rows is not None:
        column = tables[target.registry][target.column]
        known = column.iloc[target.rows].dropna().tolist()
        return [str(v) if isinstance(v, bool) else v for v in known]
    value: object = parameters
    for part in target.path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else getattr(value, part, None)
    return [str(value) if isinstance(value, bool) else value]


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
