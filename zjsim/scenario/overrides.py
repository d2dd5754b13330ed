"""Row-level overrides: ``overrides/<registry>.csv`` says which rows of a table a scenario changes, and why.

The file has the registry's key columns, ``op``, any of its other columns, and ``reason``; a row means:

* ``set`` - the cells given replace those of the rows named; an empty cell leaves the value as it is, ``<empty>``
  makes it unknown;
* ``scale`` - cells of number columns are factors (integers are rounded half up), other cells are set;
* ``add`` - a new row, complete as in the table itself; ``delete`` - the rows named go.

Key cells of ``set``, ``scale`` and ``delete`` may be patterns (:mod:`zjsim.scenario.patterns`). ``source_id`` and
``basis`` are columns like any other, so that a changed value carries its own source and basis. A cell that two rows of
one file set is an error that names both lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from zjsim.scenario.changes import OPS, Change, Op
from zjsim.scenario.patterns import is_plain, matching, nearest_key, unmatched
from zjsim.tables.checks import check_cells
from zjsim.tables.errors import Finding, finding
from zjsim.tables.header import check_header
from zjsim.tables.raw import RawTable
from zjsim.tables.schema import Column, Registry
from zjsim.tables.values import NUMBER, probable_number

EMPTY = "<empty>"
"""Written in an override to make a cell empty (unknown)."""

PROVENANCE = ("source_id", "basis")
"""Columns that say how a value is known: rows that agree on them do not contradict each other."""

_OP = Column("op", "choice", "操作", "Operation", choices=OPS)
_REASON = Column("reason", "text", "理由", "Reason")
_NUMERIC = ("integer", "number")


def override_columns(registry: Registry) -> tuple[Column, ...]:
    """The columns that an override file of ``registry`` may have: key, op, the others, reason."""
    key = tuple(replace(registry.by_name[k], kind="text", required=True, pattern="", ref="") for k in registry.key)
    others = tuple(replace(c, required=False) for c in registry.columns if c.name not in registry.key)
    return (*key, _OP, *others, _REASON)


@dataclass(slots=True)
class _Sheet:
    """An override file being applied to a table: the rows claimed so far, and what came of it."""

    raw: RawTable
    target: RawTable
    registry: Registry
    level: str
    position: dict[str, int]
    claims: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    deleted: list[int] = field(default_factory=list)
    added: list[int] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def cell(self, row: int, column: str) -> str:
        return str(self.raw.columns[self.position[column]][row]) if column in self.position else ""

    def fault(self, rule: str, row: int, column: str, value: str = "", fix: str = "", **words: object) -> None:
        self.findings.append(
            finding(rule, self.raw.file, line=int(self.raw.lines[row]), column=column, value=value, fix=fix,
                    theme="scenario.rule", words={"registry": self.registry.name, **words})
        )  # fmt: skip

    def key_of(self, row: int) -> tuple[str, ...]:
        """The key of a row of the table."""
        return tuple(str(self.target.columns[self.target.header.index(k)][row]) for k in self.registry.key)

    def claim(self, column: str, row: int, rows: NDArray[np.int64], *, agree: bool) -> bool:
        """Note that line ``row`` sets ``column`` in ``rows``; False and a finding if another line did before."""
        lines = self.claims.setdefault(column, np.full(len(self.target), -1, dtype=np.int64))
        taken = rows[lines[rows] >= 0]
        if len(taken) and not agree:
            other = int(lines[taken[0]])
            file, line = self.raw.file, int(self.raw.lines[other])
            key = ", ".join(self.key_of(int(taken[0])))
            named = column if self.cell(row, column) else "op"
            self.fault("override_twice", row, named, self.cell(row, named), row_key=key, first=file, other=line)
            return False
        lines[rows] = row
        return True


def apply_overrides(
    raw: RawTable, target: RawTable, registry: Registry, level: str
) -> tuple[RawTable, list[Change], list[Finding]]:
    """``target`` with the override file ``raw`` applied, the changes it made, and everything wrong with the file."""
    shape = Registry(registry.name, registry.zh, registry.en, key=(), columns=override_columns(registry))
    needed = {*registry.key, "op", "reason"}
    position, found = check_header(raw, shape)
    found = [f for f in found if f.rule != "missing_column" or f.column in needed]
    checked = check_cells(raw, shape, {c: i for c, i in position.items() if c in needed})
    sheet = _Sheet(raw, target, registry, level, position, findings=[*found, *checked.findings])
    if not needed <= position.keys() or any(c.name not in target.header for c in registry.columns):
        return target, [], sheet.findings
    told = {n for f in checked.findings if f.severity == "error" for n in (f.line, *f.also)}
    for row in range(len(raw)):
        if int(raw.lines[row]) not in told and row not in raw.ragged:
            _apply_row(sheet, row)
    return _rebuilt(sheet), sheet.changes, sheet.findings


def _apply_row(sheet: _Sheet, row: int) -> None:
    op: Op = sheet.cell(row, "op")  # type: ignore[assignment]
    values = {
        c.name: value
        for c in sheet.registry.columns
        if c.name not in sheet.registry.key and (value := sheet.cell(row, c.name))
    }
    if op == "add":
        _add(sheet, row, values)
        return
    rows = _rows(sheet, row)
    if rows is None:
        return
    if op == "delete":
        _delete(sheet, row, rows, values)
        return
    if not set(values) - set(PROVENANCE):
        sheet.fault("override_nothing", row, "op", op)
        return
    for name, value in values.items():
        _set_column(sheet, row, op, rows, sheet.registry.by_name[name], value)


def _delete(sheet: _Sheet, row: int, rows: NDArray[np.int64], values: dict[str, str]) -> None:
    if values:
        first = next(iter(values))
        sheet.fault("override_delete_value", row, first, values[first])
        return
    for column in sheet.registry.columns:
        if not sheet.claim(column.name, row, rows, agree=False):
            return
    sheet.deleted += rows.tolist()
    sheet.changes += [_change(sheet, row, "delete", sheet.key_of(at), "", "", "") for at in rows.tolist()]


def _rows(sheet: _Sheet, row: int) -> NDArray[np.int64] | None:
    """Rows of the table that the key cells of an override name; None and a finding if there are none."""
    mask = np.ones(len(sheet.target), dtype=bool)
    for name in sheet.registry.key:
        pattern = sheet.cell(row, name)
        cells = sheet.target.columns[sheet.target.header.index(name)]
        mask &= matching(pattern, cells)
        if not mask.any():
            lost = unmatched(pattern, cells)
            keys = list(dict.fromkeys(cells.tolist()))
            fix = nearest_key(lost, keys) if lost and is_plain(pattern) else ""
            key = ", ".join(sheet.cell(row, k) for k in sheet.registry.key)
            sheet.fault("override_row", row, name, pattern, fix, row_key=key)
            return None
        if lost := unmatched(pattern, cells):
            sheet.fault("override_part", row, name, pattern, nearest_key(lost, cells.tolist()), part=lost)
            return None
    return np.flatnonzero(mask)


def _set_column(sheet: _Sheet, row: int, op: Op, rows: NDArray[np.int64], column: Column, value: str) -> None:
    scaled = op == "scale" and column.kind in _NUMERIC and not column.separator
    if op == "scale" and column.kind in _NUMERIC and column.separator:
        sheet.fault("override_scale_list", row, column.name, value)
        return
    if op == "scale" and column.kind not in _NUMERIC and column.name not in PROVENANCE:
        sheet.fault("override_scale_text", row, column.name, value)
        return
    if scaled and not NUMBER.fullmatch(value):
        fix = probable_number(value, Column("factor", "number", "", ""))
        sheet.fault("override_factor", row, column.name, value, fix)
        return
    cells = sheet.target.columns[sheet.target.header.index(column.name)]
    before: list[str] = cells[rows].tolist()
    after = [scale(c, value, column) for c in before] if scaled else ["" if value == EMPTY else value] * len(before)
    claimed = sheet.claims.get(column.name)
    agree = column.name in PROVENANCE and (
        claimed is None or all(cells[r] == value for r in rows.tolist() if claimed[r] >= 0)
    )
    if not sheet.claim(column.name, row, rows, agree=agree):
        return
    changed = False
    origin = (sheet.raw.file, int(sheet.raw.lines[row]))
    for at, old, new in zip(rows.tolist(), before, after, strict=True):
        if old != new:
            changed = True
            cells[at] = new
            sheet.changes.append(_change(sheet, row, op, sheet.key_of(at), column.name, old, new, value))
        sheet.target.origins[at, column.name] = origin
    if not changed and column.name not in PROVENANCE:
        said = finding("override_same", sheet.raw.file, line=origin[1], column=column.name, value=value,
                       severity="notice", theme="scenario.rule")  # fmt: skip
        sheet.findings.append(said)


def scale(cell: str, factor: str, column: Column) -> str:
    """``cell`` × ``factor``, exactly; integers are rounded half up; a cell that is no number stays for the checks."""
    if not NUMBER.fullmatch(cell):
        return cell
    with localcontext() as context:
        context.prec = 60
        product = Decimal(cell) * Decimal(factor)
        if column.kind == "integer":
            return str(product.quantize(Decimal(1), rounding=ROUND_HALF_UP))
        number = float(product)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(float(f"{number:.15g}"))


def _add(sheet: _Sheet, row: int, values: dict[str, str]) -> None:
    key = tuple(sheet.cell(row, k) for k in sheet.registry.key)
    for name, value in zip(sheet.registry.key, key, strict=True):
        if not is_plain(value) and not sheet.registry.by_name[name].separator:
            sheet.fault("override_add_pattern", row, name, value)
            return
    mask = np.ones(len(sheet.target), dtype=bool)
    for name, value in zip(sheet.registry.key, key, strict=True):
        mask &= np.asarray(sheet.target.columns[sheet.target.header.index(name)] == value, dtype=bool)
    gone = set(sheet.deleted)
    if any(at not in gone for at in np.flatnonzero(mask).tolist()):
        sheet.fault("override_exists", row, sheet.registry.key[0], ", ".join(key))
        return
    for other in sheet.added:
        if tuple(sheet.cell(other, k) for k in sheet.registry.key) == key:
            name, line = sheet.registry.key[0], int(sheet.raw.lines[other])
            said = ", ".join(key)
            sheet.fault("override_twice", row, name, key[0], row_key=said, first=sheet.raw.file, other=line)
            return
    sheet.added.append(row)
    sheet.changes.append(_change(sheet, row, "add", key, "", "", ""))
    for name, value in values.items():
        sheet.changes.append(_change(sheet, row, "add", key, name, "", "" if value == EMPTY else value))


def _change(
    sheet: _Sheet, row: int, op: Op, key: tuple[str, ...], column: str, old: str, new: str, amount: str = ""
) -> Change:
    line, reason = int(sheet.raw.lines[row]), sheet.cell(row, "reason")
    return Change(sheet.registry.name, key, column, op, old, new, sheet.level, sheet.raw.file, line, reason, amount)


def _rebuilt(sheet: _Sheet) -> RawTable:
    """The table without its deleted rows and with the added ones at its end."""
    target = sheet.target
    if not sheet.deleted and not sheet.added:
        return target
    keep = np.ones(len(target), dtype=bool)
    keep[sheet.deleted] = False
    number = np.cumsum(keep) - 1
    origins = {(int(number[row]), c): place for (row, c), place in target.origins.items() if keep[row]}
    ragged = {int(number[row]): cells for row, cells in target.ragged.items() if keep[row]}
    kept = int(keep.sum())
    columns = []
    for name, cells in zip(target.header, target.columns, strict=True):
        new = np.empty(len(sheet.added), dtype=object)
        new[:] = [_plain(sheet.cell(row, name)) if name in sheet.registry.by_name else "" for row in sheet.added]
        columns.append(np.concatenate([cells[keep], new]))
    lines = np.concatenate([target.lines[keep], sheet.raw.lines[sheet.added]]).astype(np.int64)
    for at, row in enumerate(sheet.added, kept):
        origins |= {(at, c): (sheet.raw.file, int(sheet.raw.lines[row])) for c in target.header}
    return replace(target, columns=columns, lines=lines, ragged=ragged, origins=origins)


def _plain(value: str) -> str:
    return "" if value == EMPTY else value


def empty_raw(registry: Registry) -> RawTable:
    """A table without rows, for overrides that add the first ones."""
    columns = [np.empty(0, dtype=object) for _ in registry.columns]
    file = f"{registry.name}.csv"
    return RawTable(registry.name, file, [c.name for c in registry.columns], 1, columns, np.empty(0, dtype=np.int64))
