"""Finished tasks of an ensemble, kept in a folder while it runs, so that a killed one goes on where it stopped.

A task's outcomes are one file, named by everything the task is: written beside its place, then renamed, and read back
only if its checksum is right. So a file is there whole or not at all, whenever the process dies; a damaged one is made
again. The folder's name carries a key of everything else the numbers follow from (inputs, plan, seed, code): what was
left behind by other inputs or another version is never read, and is removed. A result depends on its task and on
nothing else, so an ensemble that was interrupted ends with the bytes of one that was not.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from zjsim.simulate.ensemble import Task

SUFFIX = ".resume"
PACKAGES = ("zjsim", "zjsim.models")
_DIGEST = 16


class Checkpoint:
    """Outcomes of finished tasks in ``parent/.<name>-<key>.resume``; folders of ``name`` with other keys are removed.

    ``key`` is a text that differs whenever the same task could have other outcomes (:func:`key_of`).
    """

    def __init__(self, parent: Path, name: str, key: str) -> None:
        self.folder = parent / f".{name}-{key}{SUFFIX}"
        for stale in sorted(parent.glob(f".{name}-*{SUFFIX}")):
            if stale != self.folder:
                shutil.rmtree(stale, ignore_errors=True)

    def stored(self) -> int:
        """How many tasks were finished before."""
        return sum(1 for _ in self.folder.glob("*.task")) if self.folder.is_dir() else 0

    def get(self, task: Task) -> dict[str, NDArray[np.float64]] | None:
        """The outcomes of ``task`` if it was finished, bit by bit as they were; None if it was not."""
        try:
            content = self._file(task).read_bytes()
        except FileNotFoundError:
            return None
        body = content[_DIGEST:]
        if _digest(body) != content[:_DIGEST]:
            return None
        try:
            with np.load(io.BytesIO(body), allow_pickle=False) as found:
                return {name: found[name] for name in found.files}
        except (ValueError, OSError, zipfile.BadZipFile):
            return None

    def put(self, task: Task, outcomes: Mapping[str, NDArray[np.float64]]) -> None:
        """Keep the outcomes of a finished task."""
        body = io.BytesIO()
        np.savez(body, **dict(outcomes))  # type: ignore[arg-type]
        content = body.getvalue()
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(suffix=".part", dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as f:
                f.write(_digest(content) + content)
            os.replace(beside, self._file(task))
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise

    def clear(self) -> None:
        """The ensemble is complete and its results are written: nothing is kept."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, task: Task) -> Path:
        values = sorted((name, float(value).hex()) for name, value in task.values.items())
        said = json.dumps([task.experiment, values, task.seed, task.first, task.count])
        return self.folder / f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.task"


def key_of(parts: Iterable[bytes]) -> str:
    """A key of 16 hexadecimal digits: equal exactly if all ``parts`` are equal, one by one."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "little") + part)
    return found.hexdigest()[:16]


def code_hash(packages: Iterable[str] = PACKAGES) -> str:
    """The SHA-256 of all Python files of ``packages`` by their names: another version has another one."""
    found = hashlib.sha256()
    for package in packages:
        spec = find_spec(package)
        for root in sorted(spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(root).rglob("*.py")):
                name = f"{package}/{path.relative_to(root).as_posix()}"
                found.update(f"{name}\0{_digest(path.read_bytes()).hex()}\n".encode())
    return found.hexdigest()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST).digest()
