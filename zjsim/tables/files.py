"""Opening files that others wrote: size limits, links that lead out of the folder, and encodings."""

from __future__ import annotations

import stat
from pathlib import Path

from zjsim.tables.errors import Finding, finding

MAX_BYTES = 64 * 1024 * 1024
"""Largest input file that is opened, in bytes: 300,000 rows of 20 columns stay well below."""

_PROBE, _STRAY_ZEROS = 2**16, 8
"""Bytes looked at, and zero bytes among them that a text may hold by mistake (told at their cells)."""


def read_bytes(path: Path, folder: Path, label: str, limit: int | None = None) -> bytes | Finding:
    """The bytes of ``path``, or why it is refused."""
    real = checked_path(path, folder, label, limit)
    if isinstance(real, Finding):
        return real
    try:
        return real.read_bytes()
    except OSError as error:
        return finding("unreadable", label, reason=type(error).__name__)


def checked_path(path: Path, folder: Path, label: str, limit: int | None = None) -> Path | Finding:
    """The true path of a file that may be opened, or why it is refused.

    Refused are files that lie outside ``folder`` once links are followed, anything that is not a plain file
    (reading a pipe or a device could hang), and files of more than ``limit`` bytes (:data:`MAX_BYTES`).
    """
    limit = MAX_BYTES if limit is None else limit
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(folder.resolve(strict=True)):
            return finding("link_outside", label)
        status = real.stat()
        if not stat.S_ISREG(status.st_mode):
            return finding("not_a_file", label)
        if status.st_size > limit:
            megabytes = {"size_mb": f"{status.st_size / 2**20:.3g}", "limit_mb": f"{limit / 2**20:g}"}
            return finding("too_large", label, words=megabytes)
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
    begin = data[:_PROBE]
    if begin.count(0) > len(begin) // 1000 + _STRAY_ZEROS:
        halves = max(begin[0::2].count(0), begin[1::2].count(0))
        return b"", [finding("utf16" if halves > len(begin) // 4 else "not_text", label)]
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
