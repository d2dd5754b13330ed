"""Opening files that others wrote: size limits, links that lead out of the folder, and encodings."""

from __future__ import annotations

import stat
from pathlib import Path

from zjsim.tables.errors import Finding, finding

MAX_BYTES = 64 * 1024 * 1024
"""Largest input file that is opened, in bytes: 300,000 rows of 20 columns stay well below."""


def read_bytes(path: Path, folder: Path, label: str) -> bytes | Finding:
    """The bytes of ``path``, or why it is refused."""
    real = checked_path(path, folder, label)
    if isinstance(real, Finding):
        return real
    try:
        return real.read_bytes()
    except OSError as error:
        return finding("unreadable", label, reason=type(error).__name__)


def checked_path(path: Path, folder: Path, label: str) -> Path | Finding:
    """The true path of a file that may be opened, or why it is refused.

    Refused are files that lie outside ``folder`` once links are followed, anything that is not a plain file
    (reading a pipe or a device could hang), and files of more than :data:`MAX_BYTES`.
    """
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(folder.resolve(strict=True)):
            return finding("link_outside", label)
        status = real.stat()
        if not stat.S_ISREG(status.st_mode):
            return finding("not_a_file", label)
        if status.st_size > MAX_BYTES:
            return finding("too_large", label, size_mb=round(status.st_size / 2**20), limit_mb=MAX_BYTES // 2**20)
        return real
    except FileNotFoundError:
        return finding("missing_file", label)
    except (OSError, RuntimeError) as error:
        return finding("unreadable", label, reason=type(error).__name__)


def to_utf8(data: bytes, label: str) -> tuple[bytes, list[Finding]]:
    """``data`` as valid UTF-8 without a byte order mark, and what had to be said about it.

    A file most of whose non-ASCII lines are not UTF-8 is read as GB18030 if it can be (a notice); otherwise the
    broken bytes become U+FFFD, which the cell checks report at their line and column.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return b"", [finding("utf16", label)]
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        data.decode("utf-8")
        return data, []
    except UnicodeDecodeError:
        pass
    lines = [line for line in data.split(b"\n") if not line.isascii()]
    broken = sum(not _is_utf8(line) for line in lines)
    if broken * 2 > len(lines):
        try:
            return data.decode("gb18030").encode("utf-8"), [finding("gb18030", label, severity="notice")]
        except UnicodeDecodeError:
            pass
    return data.decode("utf-8", errors="replace").encode("utf-8"), []


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
