"""The inputs of a run kept beside its results: a run can be read, compared and repeated when its scenario has changed.

``internal/inputs.zip`` of a run folder holds every file the scenario was read from, its parents' included, at their
places (``baseline/registries/counties.csv``). Tables of children and schools play no part in a run and stay out.
"""

from __future__ import annotations

import hashlib
import io
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.tables.errors import InputErrors, finding

if TYPE_CHECKING:
    from zjsim.scenario import Scenario

INPUTS = "internal/inputs.zip"
_PLACE = re.compile(r"[\w-]{1,64}/(?:scenario\.toml|(?:registries|overrides)/[a-z_]{1,60}\.csv)")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip file can name: equal inputs are equal bytes
_KEPT_OUT = frozenset({"child_groups", "school_choices"})


class ArchiveError(Exception):
    """The inputs of a run folder are missing or not those its manifest names; the argument says which file."""


def pack_inputs(scenario: Scenario) -> bytes:
    """The bytes of ``inputs.zip`` of ``scenario``, equal for equal inputs; to be made as soon as it was read.

    Raises ``InputErrors`` for a file that was changed since: a run must keep what it was computed from.
    """
    files = {source.place: source for source in scenario.files.values()}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for place, source in sorted(files.items()):
            if kept_out(place):
                continue
            data = Path(source.path).read_bytes()
            if hashlib.sha256(data).hexdigest() != source.sha256:
                raise InputErrors([finding("changed_meanwhile", place, theme="scenario.rule")])
            entry = zipfile.ZipInfo(place, _EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, data)
    return packed.getvalue()


def kept_out(place: str) -> bool:
    """Whether the file at this place is about children or their choices, and so stays out of the archive."""
    return Path(place).stem in _KEPT_OUT


@contextmanager
def archived_folder(run: Path, manifest: Mapping[str, Any]) -> Iterator[Path]:
    """The scenario of a run as a folder, for as long as the block lasts.

    Raises :class:`ArchiveError` where the archive is missing, holds anything but inputs, or differs from the hashes of
    the manifest.
    """
    with tempfile.TemporaryDirectory(prefix="zjsim-inputs-", ignore_cleanup_errors=True) as home:
        try:
            with zipfile.ZipFile(run / INPUTS) as archive:
                names = archive.namelist()
                for name in names:
                    _unpack(archive, name, Path(home), manifest["inputs"])
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise ArchiveError(INPUTS) from error
        missing = [place for place in manifest["inputs"] if place not in names and not kept_out(place)]
        if missing:
            raise ArchiveError(missing[0])
        yield Path(home) / str(manifest["scenario"])


def _unpack(archive: zipfile.ZipFile, name: str, home: Path, hashes: Mapping[str, str]) -> None:
    """One file of the archive: only at a place an input has, and only with the bytes the manifest names."""
    if not _PLACE.fullmatch(name) or name not in hashes:
        raise ArchiveError(name)
    data = archive.read(name)
    if hashlib.sha256(data).hexdigest() != hashes[name]:
        raise ArchiveError(name)
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def archived_scenario(run: Path, manifest: Mapping[str, Any]) -> Scenario:
    """The scenario of a run with its ``--set`` options, read and checked again from what the run folder keeps.

    Raises :class:`ArchiveError` as :func:`archived_folder` does, ``InputErrors`` where this version refuses the inputs.
    """
    from zjsim.scenario import load

    with archived_folder(run, manifest) as folder:
        return load(folder, sets=tuple(manifest["sets"]))
