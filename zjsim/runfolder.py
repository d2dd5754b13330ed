"""Run folders: their name, their files' hashes, and that they exist whole or not at all."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zjsim.tables.manifests import INSIDE, MANIFEST, divided

TIMINGS, SOLVER_LOG = "timings.json", "internal/solver.log"
NOT_REPRODUCIBLE = (SOLVER_LOG, TIMINGS)
"""Files that say how long things took: they differ from run to run and are no part of the hashes."""
_UNHASHED = (MANIFEST, INSIDE, *NOT_REPRODUCIBLE)


class NotARunFolderError(Exception):
    """The place a run would be written to is taken by something that is not a run, or can't be written."""


def run_id(identity: Mapping[str, Any]) -> str:
    """A name of 12 hexadecimal digits: equal exactly if everything in ``identity`` is equal."""
    return hashlib.sha256(json_bytes(identity)).hexdigest()[:12]


def json_bytes(value: Any) -> bytes:
    """``value`` as JSON with sorted keys, readable and byte-stable; dates become text, numbers JSON lacks ``null``."""
    plain = json.dumps(_finite(value), ensure_ascii=False, indent=2, sort_keys=True, default=str, allow_nan=False)
    return (plain + "\n").encode("utf-8")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a folder of results: what may go out, and beside the exact tables what may not."""
    public, inside = divided(manifest)
    (folder / MANIFEST).write_bytes(json_bytes(public))
    if inside:
        (folder / INSIDE).parent.mkdir(exist_ok=True)
        (folder / INSIDE).write_bytes(json_bytes(inside))


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def output_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every reproducible file of a run by its path inside the folder; without the manifest."""
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    names = [(p.relative_to(folder).as_posix(), p) for p in found]
    return {name: sha256_of(p) for name, p in names if name not in _UNHASHED}


def folder_name(scenario: str) -> str:
    """``scenario`` as the name of one folder: nothing that leads elsewhere or that a file system refuses."""
    name = re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", scenario).strip(" .")[:80]
    return name or "_"


def check_place(out: Path) -> None:
    """Refuse a place where no folder can be made before a long run begins; raises :class:`NotARunFolderError`."""
    there = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    try:
        Path(tempfile.mkdtemp(prefix=".zjsim-", dir=there)).rmdir()
    except OSError as error:
        raise NotARunFolderError(str(there)) from error


@contextmanager
def published(out: Path, scenario: str, name: str) -> Iterator[tuple[Path, Path]]:
    """Write a run beside its place and move it there when complete: yields (folder to write into, final folder).

    If the block fails or is interrupted, nothing remains, and a run that stood there before still stands. A complete
    run of the same name is replaced. Raises :class:`NotARunFolderError` if the place holds anything else.
    """
    parent = out / folder_name(scenario)
    final = parent / name
    created = [p for p in (out, parent) if not p.exists()]
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _refuse_strangers(final)
        partial = Path(tempfile.mkdtemp(prefix=f".{name}-", suffix=".partial", dir=parent))
    except OSError as error:
        raise NotARunFolderError(f"{error.strerror or error}: {error.filename or parent}") from error
    try:
        partial.chmod(0o777 & ~_umask())
        yield partial, final
        _move(partial, final)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        for folder in reversed(created):
            _remove_if_empty(folder)
        raise


def _refuse_strangers(final: Path) -> None:
    if final.is_symlink() or (final.exists() and not (final / MANIFEST).is_file()):
        raise NotARunFolderError(str(final))


def _move(partial: Path, final: Path) -> None:
    if final.exists():
        _refuse_strangers(final)
    replace_folder(partial, final)


def replace_folder(partial: Path, final: Path) -> None:
    """Put the complete folder ``partial`` in the place of ``final``; a folder that was there stands until then."""
    if not final.exists():
        partial.rename(final)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{final.name}-", suffix=".old", dir=final.parent))
    final.rename(old / "run")
    try:
        partial.rename(final)
    except BaseException:
        (old / "run").rename(final)
        old.rmdir()
        raise
    shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
