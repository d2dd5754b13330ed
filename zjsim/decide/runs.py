"""Finished runs as they stand in their folders: manifest, tables as text or typed, the inputs they were read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.archive import ArchiveError, archived_scenario
from zjsim.runfolder import sha256_of
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.manifests import MANIFEST, read_manifest
from zjsim.tables.values import nearest
from zjsim.texts import catalogue, text

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario

_TEXT = ("moe_code", "county_code", "city_code", "discipline_code", "place_code", "industry_id")


@dataclass(frozen=True)
class RunFiles:
    """A run folder that was opened: its path and its manifest."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def label(self) -> str:
        """What a reader calls the run: its scenario, then the first digits of its name."""
        return f"{self.manifest['scenario']} ({str(self.manifest['run_id'])[:6]})"

    def has(self, table: str) -> bool:
        """Whether the run has this table."""
        return f"tables/{table}.csv" in self.manifest["outputs"]

    def table(self, name: str) -> pd.DataFrame:
        """A table of the run; codes are text, empty cells NaN or "". Raises ``InputErrors`` if it is absent or changed.

        A table whose bytes are not those of the manifest was edited after the run: nothing is concluded from it.
        """
        return _table(self.folder, f"tables/{name}.csv", self.manifest["outputs"].get(f"tables/{name}.csv", ""))

    def exact_table(self, name: str) -> pd.DataFrame:
        """The exact form of a table, not for publication: what the run keeps inside, else what it publishes."""
        inside = f"internal/{name}.csv"
        wanted = self.manifest["outputs"].get(inside)
        return self.table(name) if wanted is None else _table(self.folder, inside, wanted)

    def scenario(self) -> Scenario:
        """The scenario of the run, read again from the inputs kept in its folder; raises ``InputErrors``."""
        try:
            return archived_scenario(self.folder, self.manifest)
        except ArchiveError as error:
            trouble = finding("no_inputs", str(self.folder), value=str(error), theme="decide.rule")
            raise InputErrors([trouble]) from error


@cache
def _table(folder: Path, place: str, wanted: str) -> pd.DataFrame:
    import pandas as pd

    path = folder / place
    name = path.stem
    if not wanted or not path.is_file():
        raise InputErrors([finding("no_table", str(path), value=name, theme="decide.rule")])
    if sha256_of(path) != wanted:
        raise InputErrors([finding("table_changed", str(path), value=name, theme="decide.rule")])
    header = pd.read_csv(path, nrows=0).columns
    return pd.read_csv(path, dtype={c: str for c in header if c in _TEXT}, keep_default_na=True, low_memory=False)


def _holds_run(folder: Path) -> bool:
    return (folder / MANIFEST).is_file() or any(folder.glob(f"*/{MANIFEST}"))


def _kind(kind: object) -> dict[str, object]:
    key = f"decide.kind.{kind}"
    said = (text(key, "zh"), text(key, "en")) if key in catalogue() else (str(kind), str(kind))
    return {"kind": said}


def open_run(path: str | Path, *, only_runs: bool = False) -> RunFiles:
    """The run (or other result, unless ``only_runs``) in a folder; a folder with a single one stands for it.

    Raises ``InputErrors`` where there is no run, several, another kind of result, or a manifest that cannot be read.
    """
    folder = Path(path)
    if not (folder / MANIFEST).is_file():
        runs = sorted(p.parent for p in folder.glob(f"*/{MANIFEST}")) if folder.is_dir() else []
        if len(runs) > 1:
            names = ", ".join(r.name for r in runs)
            raise InputErrors([finding("many_runs", str(folder), theme="decide.rule", words={"runs": names})])
        if not runs:
            beside = sorted(str(p) for p in folder.parent.glob("*") if p != folder and _holds_run(p))
            fix = nearest(str(folder), beside)
            raise InputErrors([finding("no_run", str(folder), fix=fix, theme="decide.rule")])
        folder = runs[0]
    try:
        manifest = read_manifest(folder)
        if "kind" in manifest and (only_runs or "scenario" not in manifest):
            raise InputErrors([finding("other_kind", str(folder), theme="decide.rule", words=_kind(manifest["kind"]))])
        _ = manifest["run_id"], manifest["scenario"], manifest["outputs"], manifest["seed"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputErrors([finding("bad_manifest", str(folder / MANIFEST), theme="decide.rule")]) from error
    return RunFiles(folder.resolve(), manifest)
