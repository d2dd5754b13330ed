"""What differs between two scenarios: parameter by parameter and cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from zjsim.scenario.changes import Change
from zjsim.scenario.settings import leaves
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.schema import Registry
from zjsim.tables.writer import exact_cells

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario.loader import Scenario

Kind = Literal["changed", "added", "removed"]
PARAMETERS = "scenario.toml"
"""Stands where a registry's name would for differences of parameters."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell (or parameter: ``registry`` is ``scenario.toml``, ``column`` the dotted path) that differs.

    ``kind`` says whether the cell changed or its whole row was added or removed; ``reason`` is what the override gives,
    ``place`` where the value of the second scenario (of the first for a removed row) is written.
    """

    registry: str
    key: tuple[str, ...]
    column: str
    kind: Kind
    old: str
    new: str
    reason: str = ""
    place: str = ""

    def record(self) -> dict[str, Any]:
        """The difference as plain JSON values."""
        return {
            "registry": self.registry,
            "key": ", ".join(self.key),
            "column": self.column,
            "kind": self.kind,
            "old": self.old,
            "new": self.new,
            "reason": self.reason,
            "place": self.place,
        }


def diff(first: Scenario, second: Scenario) -> list[Difference]:
    """Every difference from ``first`` to ``second``: parameters, then registries in their declared order."""
    found = list(_parameters(first, second))
    reasons = _Reasons(first.changes, second.changes)
    for name, registry in REGISTRIES.items():
        old, new = first.tables[name], second.tables[name]
        if old is not new and not old.equals(new):
            found += _registry(registry, first, second, reasons)
    return found


def _parameters(first: Scenario, second: Scenario) -> Iterator[Difference]:
    old = dict(leaves(first.parameters.model_dump(mode="json")))
    new = dict(leaves(second.parameters.model_dump(mode="json")))
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            file, line = second.places.get(path, ("", None))
            yield Difference(
                PARAMETERS, (), path, "changed", str(old.get(path, "")), str(new.get(path, "")), "", _place(file, line)
            )


class _Reasons:
    """Why a cell differs: what the second scenario's override says, else what the first's says."""

    def __init__(self, first: tuple[Change, ...], second: tuple[Change, ...]) -> None:
        self._by_cell: dict[tuple[str, tuple[str, ...], str], str] = {}
        for changes in (first, second):
            for c in changes:
                self._by_cell[c.registry, c.key, c.column] = c.reason

    def of(self, registry: str, key: tuple[str, ...], column: str) -> str:
        found = self._by_cell.get((registry, key, column))
        return self._by_cell.get((registry, key, ""), "") if found is None else found


def _registry(registry: Registry, first: Scenario, second: Scenario, reasons: _Reasons) -> Iterator[Difference]:
    sides = [_texts(s.tables[registry.name]) for s in (first, second)]
    rows = [
        _rows_by_key(registry, texts, len(s.tables[registry.name]))
        for texts, s in zip(sides, (first, second), strict=True)
    ]
    old, new = sides
    columns = [c.name for c in registry.columns if c.name not in registry.key]
    for key, at in rows[0].items():
        if key not in rows[1]:
            place = _place(*first.place(registry.name, at, registry.key[0]))
            for name in columns:
                if old[name][at]:
                    yield Difference(
                        registry.name,
                        key,
                        name,
                        "removed",
                        old[name][at],
                        "",
                        reasons.of(registry.name, key, name),
                        place,
                    )
    for key, at in rows[1].items():
        before = rows[0].get(key)
        for name in columns:
            kind: Kind = "changed"
            if before is None and new[name][at]:
                kind, was = "added", ""
            elif before is not None and old[name][before] != new[name][at]:
                was = old[name][before]
            else:
                continue
            place = _place(*second.place(registry.name, at, name))
            yield Difference(
                registry.name, key, name, kind, was, new[name][at], reasons.of(registry.name, key, name), place
            )


def _texts(table: pd.DataFrame) -> dict[str, list[str]]:
    return {str(name): exact_cells(table[name]) for name in table.columns}


def _rows_by_key(registry: Registry, texts: Mapping[str, list[str]], count: int) -> dict[tuple[str, ...], int]:
    return dict(zip(zip(*(texts[k] for k in registry.key), strict=True), range(count), strict=True))


def _place(file: str, line: int | None) -> str:
    return f"{file}:{line}" if line else file
