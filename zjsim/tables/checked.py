"""A table on its way through the checks, and how its wrong values become findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zjsim.tables.errors import Finding, finding
from zjsim.tables.raw import RawTable
from zjsim.tables.schema import Column, Registry
from zjsim.tables.values import Problem

MOST_VALUES = 100
"""Different wrong values of one rule and column that are told one by one; the rest is counted."""


@dataclass(slots=True)
class CheckedTable:
    """A raw table after the checks of its own cells.

    ``position`` says which column of the file each declared one is; ``cells`` holds the text cells of each declared
    column that the file has; ``distinct`` their distinct values without the wrong ones; ``numbers`` the columns of
    numbers that are all right; ``probable`` what wrong values were probably meant to be (so that one broken key does
    not break every reference to it).
    """

    raw: RawTable
    registry: Registry
    position: Mapping[str, int]
    cells: dict[str, list[str]]
    distinct: dict[str, set[str]] = field(default_factory=dict)
    numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    probable: dict[str, set[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def values(self, column: str) -> set[str]:
        """Distinct right values of a column the file has, each item of a list by itself, without ""."""
        if column not in self.distinct:
            self.distinct[column] = set(self.cells[column]) - {""}
        return self.distinct[column]

    @property
    def ok(self) -> bool:
        """Whether no error was found so far."""
        return not any(f.severity == "error" for f in self.findings)


def add_findings(
    table: CheckedTable, column: Column, rows: Mapping[str, list[int]], problems: Mapping[str, Problem]
) -> None:
    """Findings for the wrong values: one for each value and place of origin, with all its lines."""
    told: dict[str, int] = {}
    for value, where in rows.items():
        problem = problems[value]
        told[problem.rule] = told.get(problem.rule, 0) + 1
        if told[problem.rule] > MOST_VALUES:
            continue
        places: dict[str, list[int | None]] = {}
        for row in where:
            file, line = table.raw.place(row, column.name)
            places.setdefault(file, []).append(line)
        shown = "*" * 18 if problem.rule == "identity_number" else value
        for file, lines in places.items():
            table.findings.append(
                finding(
                    problem.rule,
                    file,
                    line=lines[0],
                    column=column.name,
                    value=shown,
                    fix=problem.fix,
                    also=[n for n in lines[1:] if n is not None],
                    words=problem.words,
                )
            )
    for count in told.values():
        if count > MOST_VALUES:
            table.findings.append(finding("further", table.raw.file, column=column.name, count=count - MOST_VALUES))
