"""Reading the cells of an Excel workbook that others wrote, without trusting it.

The XML is read as a stream, within limits on everything that a small file could blow up: parts, unpacked bytes, cells,
the length of a text, far cell references. Nothing is unpacked to disk, no formula is evaluated, no link is followed and
no document type (entities) is allowed, so a hostile file costs at most a few seconds.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import IO
from xml.parsers import expat

from zjsim.tables.errors import Finding, finding

MAX_PARTS = 2_000
MAX_PART_BYTES = 256 * 2**20
MAX_TOTAL_BYTES = 384 * 2**20
MAX_RATIO = 200
"""Unpacked to packed bytes of a part of more than :data:`SMALL_PART` bytes; real sheets stay below 50."""
SMALL_PART = 8 * 2**20
MAX_COLUMNS = 1_000
MAX_ROW = 1_000_100
MAX_CELLS = 5_000_000
MAX_ELEMENTS = 20_000_000
MAX_TEXT = 32_767
"""Characters that Excel itself allows in a cell."""
_TOKEN = 4 * 2**20
"""Bytes of one tag; more is no workbook."""

_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DATE_IDS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_PERCENT_IDS = frozenset({9, 10})
_NOT_DATE = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|General', re.IGNORECASE)


class _Refused(Exception):  # noqa: N818 - caught in this file only
    """A workbook broke a limit: the rule and its words."""

    def __init__(self, rule: str, **words: object) -> None:
        super().__init__(rule)
        self.rule, self.words = rule, words


@dataclass(slots=True)
class Sheet:
    """One sheet: for each used column (from 0) the row numbers (from 1) and texts of its cells that are not empty.

    ``kinds`` says of each of these cells what it is: ``s`` text, ``n`` a number, ``p`` a number shown in per cent,
    ``d`` a date or time (its text is ISO where it is a day), ``b`` a truth value, ``f`` a formula, ``e`` an error.
    ``merged`` are the merged ranges as (first row, first column, last row, last column), ``hidden_columns`` ranges too.
    """

    name: str
    rows: dict[int, list[int]] = field(default_factory=dict)
    texts: dict[int, list[str]] = field(default_factory=dict)
    kinds: dict[int, bytearray] = field(default_factory=dict)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: bool = False
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class _Book:
    shared: list[str] = field(default_factory=list)
    styles: dict[int, str] = field(default_factory=dict)
    epoch: datetime = datetime(1899, 12, 30)
    cells: int = 0


def column_letters(column: int) -> str:
    """The letters of a column counted from 0: ``A`` … ``Z``, ``AA`` …."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def read_workbook(stream: IO[bytes], label: str) -> tuple[list[Sheet], list[Finding]]:
    """All sheets of a workbook in their order, or why it is refused."""
    begin = stream.read(8)
    stream.seek(0)
    if begin.startswith(b"\xd0\xcf\x11\xe0"):
        return [], [finding("workbook_old", label)]
    try:
        with zipfile.ZipFile(stream) as package:
            _check_package(package)
            return _read_sheets(package), []
    except _Refused as refused:
        return [], [finding(refused.rule, label, words=refused.words)]
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, NotImplementedError, RuntimeError) as error:
        return [], [finding("workbook_broken", label, reason=type(error).__name__)]
    except (KeyError, ValueError, IndexError, OverflowError, UnicodeError) as error:
        return [], [finding("workbook_broken", label, reason=type(error).__name__)]


def _check_package(package: zipfile.ZipFile) -> None:
    parts = package.infolist()
    if len(parts) > MAX_PARTS:
        raise _Refused("workbook_parts", limit=MAX_PARTS)
    total = 0
    for part in parts:
        if part.flag_bits & 1:
            raise _Refused("workbook_encrypted")
        total += part.file_size
        bloated = part.file_size > SMALL_PART and part.file_size > MAX_RATIO * max(part.compress_size, 1)
        if part.file_size > MAX_PART_BYTES or total > MAX_TOTAL_BYTES or bloated:
            raise _Refused("workbook_bomb", part=part.filename[:80], size_mb=round(part.file_size / 2**20))


def _read_sheets(package: zipfile.ZipFile) -> list[Sheet]:
    names = set(package.namelist())
    book = _Book()
    listed: list[tuple[str, str, bool]] = []
    targets: dict[str, str] = {}

    def workbook(tag: str, attributes: dict[str, str]) -> None:
        if tag == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            book.epoch = datetime(1904, 1, 1)
        elif tag == "sheet":
            reference = next((v for k, v in attributes.items() if k.rpartition(":")[2] == "id"), "")
            listed.append((attributes.get("name", ""), reference, attributes.get("state", "visible") != "visible"))

    def relations(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            targets[attributes.get("Id", "")] = _within(attributes.get("Target", ""))

    if "xl/workbook.xml" not in names:
        raise _Refused("workbook_other")
    _parse(package, "xl/workbook.xml", workbook)
    _parse(package, "xl/_rels/workbook.xml.rels", relations)
    if "xl/styles.xml" in names:
        book.styles = _styles(package)
    if "xl/sharedStrings.xml" in names:
        book.shared = _shared_strings(package)
    return [
        _read_sheet(package, targets[reference], Sheet(name, hidden=hidden), book) for name, reference, hidden in listed
    ]


def _within(target: str) -> str:
    """The part that a relation names, inside the package."""
    path = PurePosixPath(target.lstrip("/")) if target.startswith("/") else PurePosixPath("xl") / target
    return path.as_posix()


Start = Callable[[str, dict[str, str]], None]


def _parse(
    package: zipfile.ZipFile,
    part: str,
    start: Start,
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Feed a part to ``start``, ``end`` and ``text`` within the limits; names come without their prefix."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 2**16
    count = 0

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MAX_ELEMENTS:
            raise _Refused("workbook_cells", limit=f"{MAX_CELLS:,}")
        start(tag.rpartition(":")[2] if ":" in tag else tag, attributes)

    def doctype(*_: object) -> None:
        raise _Refused("workbook_entities")

    parser.StartElementHandler = begin
    parser.StartDoctypeDeclHandler = doctype
    if end is not None:
        parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2] if ":" in tag else tag)
    if text is not None:
        parser.CharacterDataHandler = text
    fed = 0
    with package.open(part) as stream:
        while chunk := stream.read(2**18):
            parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > _TOKEN:
                raise _Refused("workbook_text", limit=MAX_TEXT)
    parser.Parse(b"", True)


def _styles(package: zipfile.ZipFile) -> dict[int, str]:
    """The cell styles that show a number as a date or a time (``d``) or in per cent (``p``), by their number."""
    formats: dict[int, str] = {}
    styles: list[int] = []
    inside = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        if tag == "numFmt":
            formats[int(attributes["numFmtId"])] = attributes.get("formatCode", "")[:200]
        elif tag == "cellXfs":
            inside = True
        elif tag == "xf" and inside:
            styles.append(int(attributes.get("numFmtId", 0)))

    def end(tag: str) -> None:
        nonlocal inside
        inside = inside and tag != "cellXfs"

    _parse(package, "xl/styles.xml", start, end)
    bare = {i: _NOT_DATE.sub("", code) for i, code in formats.items()}
    kinds = dict.fromkeys(_DATE_IDS - bare.keys(), "d") | dict.fromkeys(_PERCENT_IDS - bare.keys(), "p")
    kinds |= {i: "d" for i, code in bare.items() if re.search(r"[ymdhsYMDHS]", code)}
    kinds |= {i: "p" for i, code in bare.items() if "%" in code}
    return {n: kinds[i] for n, i in enumerate(styles) if i in kinds}


class _Text:
    """Collects the character data of one cell or shared string; phonetic hints are left out."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.length = 0
        self.open = False
        self.hint = False

    def add(self, data: str) -> None:
        if self.open and not self.hint:
            self.length += len(data)
            if self.length > MAX_TEXT:
                raise _Refused("workbook_text", limit=MAX_TEXT)
            self.pieces.append(data)

    def take(self) -> str:
        said = "".join(self.pieces)
        self.pieces, self.length, self.open = [], 0, False
        return _ESCAPE.sub(lambda m: chr(int(m[1], 16)), said) if "_x" in said else said


def _shared_strings(package: zipfile.ZipFile) -> list[str]:
    strings: list[str] = []
    words = _Text()

    def start(tag: str, _: dict[str, str]) -> None:
        if tag == "t":
            words.open = True
        elif tag == "rPh":
            words.hint = True

    def end(tag: str) -> None:
        if tag == "t":
            words.open = False
        elif tag == "rPh":
            words.hint = False
        elif tag == "si":
            strings.append(words.take())
            if len(strings) > MAX_CELLS:
                raise _Refused("workbook_cells", limit=f"{MAX_CELLS:,}")

    _parse(package, "xl/sharedStrings.xml", start, end, words.add)
    return strings


class _SheetReader:
    """Turns the elements of a sheet into cells."""

    def __init__(self, sheet: Sheet, book: _Book) -> None:
        self.sheet, self.book, self.words = sheet, book, _Text()
        self.row = self.column = 0
        self.kind, self.style, self.formula, self.value = "", "", "", ""
        self.has_formula = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            self._place(attributes.get("r", ""))
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
            self.formula, self.value, self.has_formula = "", "", False
        elif tag in ("v", "t", "f"):
            self.words.open = True
            self.has_formula = self.has_formula or tag == "f"
        elif tag == "rPh":
            self.words.hint = True
        elif tag == "row":
            self.row, self.column = int(attributes.get("r", self.row + 1)), -1
            if self.row > MAX_ROW:
                raise _Refused("workbook_far", cell=f"A{self.row}", sheet=self.sheet.name)
            if attributes.get("hidden") in ("1", "true"):
                self.sheet.hidden_rows.append(self.row)
        elif tag == "col":
            if attributes.get("hidden") in ("1", "true"):
                self.sheet.hidden_columns.append((int(attributes["min"]) - 1, int(attributes["max"]) - 1))
        elif tag == "mergeCell":
            self._merge(attributes.get("ref", ""))

    def end(self, tag: str) -> None:
        if tag == "v":
            self.value = self.words.take()
        elif tag == "f":
            self.formula = self.words.take()
        elif tag == "t":
            self.words.open = False
        elif tag == "rPh":
            self.words.hint = False
        elif tag == "is":
            self.value = self.words.take()
        elif tag == "c":
            self._cell()

    def _place(self, reference: str) -> None:
        if reference:
            found = _CELL.fullmatch(reference)
            if found is None:
                raise ValueError(reference[:20])
            self.column, self.row = _number(found[1]) - 1, int(found[2])
        else:
            self.column += 1
        if self.column >= MAX_COLUMNS or self.row > MAX_ROW:
            raise _Refused("workbook_far", cell=reference or column_letters(self.column), sheet=self.sheet.name)
        self.book.cells += 1
        if self.book.cells > MAX_CELLS:
            raise _Refused("workbook_cells", limit=f"{MAX_CELLS:,}")

    def _cell(self) -> None:
        text, kind = self.value, "s"
        if self.has_formula:
            text, kind = f"={self.formula or '(…)'}", "f"
        elif not text:
            return
        elif self.kind == "s":
            if text.startswith("-"):
                raise ValueError(text[:20])
            text = self.book.shared[int(text)]
        elif self.kind == "b":
            text, kind = "TRUE" if text == "1" else "FALSE", "b"
        elif self.kind == "n":
            kind = self.book.styles.get(int(self.style), "n") if self.style else "n"
            text = self._number_text(text, kind)
        elif self.kind == "d":
            text, kind = text.removesuffix("T00:00:00"), "d"
        elif self.kind == "e":
            kind = "e"
        if text:
            rows = self.sheet.rows.setdefault(self.column, [])
            if rows and self.row <= rows[-1]:  # a cell that is there twice would be read once
                raise ValueError(f"{column_letters(self.column)}{self.row}")
            rows.append(self.row)
            self.sheet.texts.setdefault(self.column, []).append(text)
            self.sheet.kinds.setdefault(self.column, bytearray()).append(ord(kind))

    def _number_text(self, text: str, kind: str) -> str:
        """A number as a table would write it; one shown as a day as an ISO date."""
        if "_" in text:
            raise ValueError(text[:20])
        number = float(text)
        if kind == "d" and 61 <= number < 2_958_466:
            moment = self.book.epoch + timedelta(seconds=round(number * 86_400))
            return moment.date().isoformat() if float(number).is_integer() else moment.isoformat(" ")
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        a, b = _CELL.fullmatch(first), _CELL.fullmatch(last or first)
        if a is None or b is None:
            raise ValueError(reference[:20])
        if len(self.sheet.merged) < 10_000:
            self.sheet.merged.append((int(a[2]), _number(a[1]) - 1, int(b[2]), _number(b[1]) - 1))


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _read_sheet(package: zipfile.ZipFile, part: str, sheet: Sheet, book: _Book) -> Sheet:
    reader = _SheetReader(sheet, book)
    _parse(package, part, reader.start, reader.end, reader.words.add)
    return reader.sheet
