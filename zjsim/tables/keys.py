"""Checking what makes rows one: keys within a table, and references to the keys of others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from zjsim.tables.checked import MOST_VALUES, CheckedTable, add_findings
from zjsim.tables.errors import finding
from zjsim.tables.values import Problem, code_candidates, nearest


def check_key(table: CheckedTable, skipped: set[int]) -> None:
    """Report rows whose key stood before, naming both lines."""
    key = table.registry.key
    if not key or not len(table.raw) or any(name not in table.cells for name in key):
        return
    if len(key) == 1 and len(table.values(key[0])) == len(table.cells[key[0]]):
        return
    codes = key_codes([table.cells[name] for name in key])
    order = np.argsort(codes, kind="stable")
    same = np.flatnonzero(codes[order][1:] == codes[order][:-1])
    if not len(same):
        return
    first: dict[int, int] = {}
    repeats: dict[int, list[int]] = {}
    again = set(codes[order[same]].tolist())
    for row in np.flatnonzero(np.isin(codes, list(again))).tolist():
        if row in skipped or any(not table.cells[n][row] and table.registry.by_name[n].required for n in key):
            continue
        code = int(codes[row])
        if code in first:
            repeats.setdefault(code, []).append(row)
        else:
            first[code] = row
    for code, rows in list(repeats.items())[:MOST_VALUES]:
        file, line = table.raw.place(rows[0], key[0])
        value = ", ".join(table.cells[name][rows[0]] for name in key)
        also = [int(table.raw.lines[r]) for r in rows[1:]]
        other = int(table.raw.lines[first[code]])
        table.findings.append(
            finding("duplicate_key", file, line=line, column=", ".join(key), value=value, also=also, other=other)
        )
    if len(repeats) > MOST_VALUES:
        count = len(repeats) - MOST_VALUES
        table.findings.append(finding("further", table.raw.file, column=", ".join(key), count=count))


def key_codes(columns: list[list[str]]) -> NDArray[np.int64]:
    """A number for each row, equal exactly where all the columns are equal; shape (rows,)."""
    codes = np.zeros(len(columns[0]), dtype=np.int64)
    for cells in columns:
        numbers = {value: i for i, value in enumerate(dict.fromkeys(cells))}
        codes = codes * len(numbers) + np.fromiter(map(numbers.__getitem__, cells), dtype=np.int64, count=len(cells))
        if codes.size and codes.max() > 2**40:
            codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    return codes


def check_references(tables: Mapping[str, CheckedTable]) -> None:
    """Check the references of every table to the others; a table that could not be read is taken to hold anything."""
    for table in tables.values():
        for column in table.registry.columns:
            if not column.ref or column.name not in table.cells:
                continue
            targets = [target.split(".") for target in column.ref.split("|")]
            if any(r not in tables or c not in tables[r].cells for r, c in targets):
                continue
            valid = set().union(*(tables[r].values(c) for r, c in targets))
            wrong = table.values(column.name) - valid
            wrong -= set().union(*(tables[r].probable.get(c, set()) for r, c in targets))
            if not wrong:
                continue
            listed = sorted(valid)
            words: dict[str, object] = {"target": column.ref.replace("|", " / ")}
            problems = {v: Problem("reference", _nearest_code(v, valid, listed), words) for v in sorted(wrong)}
            cells = table.cells[column.name]
            rows: dict[str, list[int]] = {}
            for row, value in enumerate(cells):
                for part in value.split(column.separator) if column.separator else (value,):
                    if part in problems and row not in table.raw.ragged:
                        rows.setdefault(part, []).append(row)
            add_findings(table, column, dict(sorted(rows.items(), key=lambda r: r[1])), problems)


def _nearest_code(value: str, valid: set[str], listed: list[str]) -> str:
    return next((c for c in code_candidates(value) if c in valid), "") or nearest(value, listed, 0.75)
