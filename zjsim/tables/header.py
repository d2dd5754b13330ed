"""Comparing the header of a file with the declared columns."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from zjsim.tables.errors import Finding, finding
from zjsim.tables.raw import RawTable
from zjsim.tables.schema import Registry
from zjsim.tables.values import nearest, plain
from zjsim.tables.workbook import column_letters

_IDENTITY_WORDS = frozenset(
    """name surname guardian identity identitycard identitynumber idno idnumber idcard passport phone mobile telephone
    tel email wechat address birthday birthdate dateofbirth studentid pupilid childid fullname childname pupilname
    studentname parentname fathername mothername familyname firstname lastname""".split()  # noqa: SIM905 - reads better
)
"""Headings, without spaces and marks, under which a table could identify a child or a parent."""
_IDENTITY_PARTS = tuple(
    """姓名 名字 监护人 家长 身份证 证件 学籍号 学号 护照 电话 手机 联系方式 微信 邮箱 住址 地址 门牌
    出生日期 出生年月 生日 idcard idnumber identity passport phone mobile telephone guardian dateofbirth birthdate
    homeaddress childname pupilname studentname parentname fathername mothername""".split()  # noqa: SIM905 - reads better
)
"""Parts of such headings."""


def could_identify(heading: str) -> bool:
    """Whether a heading is that of a column of names, numbers of documents, phones, addresses or birthdays."""
    said = re.sub(r"[\W_]+", "", plain(heading).casefold())
    return said in _IDENTITY_WORDS or any(part in said for part in _IDENTITY_PARTS)


def check_header(raw: RawTable, registry: Registry) -> tuple[dict[str, int], list[Finding]]:
    """Where each declared column stands in the file, and every fault of the header.

    An unknown column that looks like a missing one is told once, as a misspelling. Columns that could identify a
    child are refused with their own sentence.
    """
    position: dict[str, int] = {}
    found: list[Finding] = []
    unknown: list[int] = []

    def fault(rule: str, column: str, fix: str = "", at: int | None = None, **words: object) -> None:
        said = finding(rule, raw.file, line=raw.header_line, column=column, value=column, fix=fix, words=words)
        found.append(said if at is None or not raw.sheet else replace(said, letter=column_letters(at)))

    for i, name in enumerate(raw.header):
        if name in position:
            fault("duplicate_column", name, at=i, first=position[name] + 1, second=i + 1)
        elif name in registry.by_name:
            position[name] = i
        else:
            unknown.append(i)
    missing = [c.name for c in registry.columns if c.name not in position]
    guesses = {i: _guess(raw.header[i], registry, missing) for i in unknown}
    for i in unknown:
        name, guess = raw.header[i], guesses[i]
        if not name.strip():
            blank = not any(cell.strip() for cell in raw.columns[i])
            if blank and raw.sheet:
                continue  # a sheet has no end: a column of nothing is no column
            said = finding("unnamed_column", raw.file, line=raw.header_line, number=i + 1, fix="" if blank else guess)
            found.append(replace(said, letter=column_letters(i), **_stray(raw, i)) if raw.sheet else said)
        elif could_identify(name) and not guess:
            fault("identity_column", name, at=i)
        elif guess:
            if guess in missing:
                missing.remove(guess)
                position[guess] = i
            fault("unknown_column", name, guess, at=i)
        else:
            fault("unknown_column", name, nearest(name, [c.name for c in registry.columns]), at=i)
    for name in missing:
        column = registry.by_name[name]
        found.append(
            finding("missing_column", raw.file, line=raw.header_line, column=name, title=(column.zh, column.en))
        )
    return position, found


def _stray(raw: RawTable, column: int) -> dict[str, Any]:
    """The lines of the few cells that stand in a sheet under no name; {} if they are a whole column."""
    lines = [int(raw.lines[row]) for row, cell in enumerate(raw.columns[column]) if cell]
    few = 0 < len(lines) <= 3 and 2 * len(lines) < len(raw)
    return {"line": lines[0], "also": tuple(lines[1:])} if few else {}


def _guess(name: str, registry: Registry, missing: list[str]) -> str:
    """The missing column that ``name`` misspells: by its title, or by its letters."""
    said = plain(name).casefold()
    for column in registry.columns:
        if column.name in missing and said in (column.zh.casefold(), column.en.casefold(), column.name.casefold()):
            return column.name
    return nearest(name, missing)
