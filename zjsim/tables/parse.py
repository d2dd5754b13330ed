"""From the bytes of a CSV file to a :class:`RawTable`, with true line numbers.

A fast path measures the structure of the whole file with array operations and lets pandas cut the cells; it is taken
only where every record is regular. Everything else goes record by record through :mod:`csv`, which can explain.
"""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zjsim.tables.errors import Finding, finding
from zjsim.tables.raw import RawTable

_COMMA, _NEWLINE, _QUOTE, _TAB = b',\n"\t'
_OTHER_SEPARATORS = ("\t", ";", "\uff1b", "\uff0c", "|")
MAX_ROWS = 1_000_000
MAX_CELLS = 10_000_000
"""Largest table that is cut into cells; beyond it a small file could still fill the memory."""
LONGEST_LINE = 1_000_000
"""Bytes of a line that are looked at for certain; one of more than twice as many is refused."""
MAX_BROKEN_QUOTES = 20
"""After so many records with a broken quotation mark the rest of a file is left unread."""


def parse_csv(data: bytes, name: str, label: str) -> tuple[RawTable | None, list[Finding]]:
    """The table in ``data`` (valid UTF-8 without mark), or None where not even a header can be made out."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    buffer = np.frombuffer(data, dtype=np.uint8)
    if np.count_nonzero(buffer == _NEWLINE) > MAX_ROWS or np.count_nonzero(buffer == _COMMA) > MAX_CELLS:
        return None, [finding("table_too_big", label, rows=f"{MAX_ROWS:,}", cells=f"{MAX_CELLS:,}")]
    line = _endless_line(data)
    if line:
        return None, [finding("line_too_long", label, line=line, limit=f"{LONGEST_LINE:,}")]
    table = _parse_regular(data, name, label)
    found: list[Finding] = []
    if table is None:
        table, found = _parse_any(data.decode("utf-8"), name, label)
    return table, found


def _endless_line(data: bytes) -> int:
    """The number of the first line that fills a whole block of :data:`LONGEST_LINE` bytes, 0 if none does."""
    for start in range(0, len(data) - LONGEST_LINE + 1, LONGEST_LINE):
        if data.find(b"\n", start, start + LONGEST_LINE) < 0:
            return data.count(b"\n", 0, start) + 1
    return 0


def _parse_regular(data: bytes, name: str, label: str) -> RawTable | None:
    """The table if every record has as many cells as the header and no oddity; None sends it to the slow path."""
    if not data.endswith(b"\n"):
        data += b"\n"
    buffer = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(buffer == _NEWLINE)
    tabs = int(np.count_nonzero(buffer == _TAB)) if b"\t" in data else 0
    if int(np.count_nonzero(buffer < 32)) != len(newlines) + tabs:
        return None
    commas = np.flatnonzero(buffer == _COMMA)
    ends = newlines
    if b'"' in data:
        inside = _inside_quotes(buffer)
        if inside is None:
            return None
        commas = commas[inside[commas] == 0]
        ends = newlines[inside[newlines] == 0]
    starts = np.concatenate(([0], ends[:-1] + 1))
    full = ends > starts
    if not full.any() or (ends - starts).max() > csv.field_size_limit():
        return None
    first = int(np.argmax(full))
    counts = np.diff(np.searchsorted(commas, ends), prepend=0)
    width = int(counts[first]) + 1
    if width == 1 or np.any(counts[full] != width - 1) or ends[-1] != len(data) - 1:
        return None
    header = next(csv.reader([data[starts[first] : ends[first]].decode("utf-8")]))
    rows = np.flatnonzero(full)[1:]
    lines = np.searchsorted(newlines, starts[rows]).astype(np.int64) + 1
    header_line = int(np.searchsorted(newlines, starts[first])) + 1
    if not len(rows):
        return RawTable(name, label, header, header_line, [np.empty(0, dtype=object) for _ in header], lines)
    body = data[ends[first] + 1 :]
    if body.startswith(b"\xef\xbb\xbf"):
        return None  # pandas would drop the mark from the first cell unseen
    frame = pd.read_csv(
        io.BytesIO(body),
        header=None,
        names=list(range(width)),
        index_col=False,
        dtype=object,
        keep_default_na=False,
        na_filter=False,
        skip_blank_lines=True,
        encoding="utf-8",
    )
    if len(frame) != len(rows) or len(header) != width:
        return None
    cells = [frame[i].to_numpy(dtype=object) for i in range(width)]
    for column in cells:
        column.flags.writeable = True  # the frame ends here, and overrides write into the columns
    return RawTable(name, label, header, header_line, cells, lines)


def _inside_quotes(buffer: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """1 for each byte within quotation marks, 0 outside; None if a mark stands where none belongs."""
    marks = buffer == _QUOTE
    inside = np.bitwise_and(np.cumsum(marks, dtype=np.uint8), 1)
    at = np.flatnonzero(marks)
    if len(at) % 2:
        return None
    opening, closing = at[::2], at[1::2]
    before = buffer[np.maximum(opening - 1, 0)]
    after = buffer[np.minimum(closing + 1, len(buffer) - 1)]
    allowed_before = (opening == 0) | (before == _COMMA) | (before == _NEWLINE) | (before == _QUOTE)
    allowed_after = (after == _COMMA) | (after == _NEWLINE) | (after == _QUOTE)
    return inside if allowed_before.all() and allowed_after.all() else None


def _parse_any(content: str, name: str, label: str) -> tuple[RawTable | None, list[Finding]]:
    """The table record by record; broken quotation marks, odd separators and ragged rows are told."""
    rows, found = _records(list(io.StringIO(content, newline="")), label)
    rows = [(line, row) for line, row in rows if len(row) > 1 or (row and row[0].strip())]
    if not rows:
        return None, found or [finding("empty_file", label)]
    header_line, header = rows[0]
    if len(header) == 1 and any(s in header[0] for s in _OTHER_SEPARATORS):
        other = next(s for s in _OTHER_SEPARATORS if s in header[0])
        shown = {"\t": ("制表符", "tabs")}.get(other, (f"“{other}”", f'"{other}"'))
        return None, [*found, finding("separator", label, line=header_line, separator=shown)]
    width = len(header)
    body = rows[1:]
    ragged = {i: row for i, (_, row) in enumerate(body) if len(row) != width}
    even = [row if len(row) == width else (row + [""] * width)[:width] for _, row in body]
    columns = [np.empty(len(even), dtype=object) for _ in header]
    for column, cells in zip(columns, zip(*even, strict=True), strict=False):
        column[:] = cells
    lines = np.array([line for line, _ in body], dtype=np.int64)
    return RawTable(name, label, header, header_line, columns, lines, ragged), found


def _records(lines: list[str], label: str) -> tuple[list[tuple[int, list[str]]], list[Finding]]:
    """All records with the line each begins on; reading resumes on the line after a record that cannot be read."""
    rows: list[tuple[int, list[str]]] = []
    found: list[Finding] = []
    skipped = 0
    while True:
        reader = csv.reader(iter(lines[skipped:]), strict=True)
        begin = skipped + 1
        try:
            for row in reader:
                rows.append((begin, row))
                begin = skipped + reader.line_num + 1
            return rows, found
        except csv.Error as error:
            rule = "cell_too_long" if "field limit" in str(error) else "quote"
            column, value = _broken_cell(lines[begin - 1], rows[0][1] if rows else [])
            found.append(finding(rule, label, line=begin, column=column, value=value))
            skipped = begin
            if len(found) >= MAX_BROKEN_QUOTES:
                found.append(finding("rest_unread", label, line=begin + 1))
                return rows, found


def _broken_cell(line: str, header: list[str]) -> tuple[str, str]:
    """Column and text of the first cell of ``line`` that opens with a quotation mark and does not close rightly."""
    cells = line.rstrip("\r\n").split(",")
    inside = False
    number = 0
    start = 0
    for i, cell in enumerate(cells):
        if not inside:
            start, number = i, number + 1
            inside = cell.startswith('"')
            cell = cell[1:] if inside else cell
        if inside:
            rest = cell.replace('""', "")
            if rest.endswith('"') and '"' not in rest[:-1]:
                inside = False
            elif '"' in rest:
                break
    column = header[number - 1] if 0 < number <= len(header) else ""
    return column, ",".join(cells[start : start + 1])
