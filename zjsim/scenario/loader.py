"""Loading a scenario: its chain of parents, its parameters and registries, all checks, one report."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import zjsim.scenario.school_checks  # noqa: F401 - its rules register themselves
from zjsim.scenario.checks import check_scenario
from zjsim.scenario.folders import MAX_DEPTH, SCENARIO_FILE, Folder, find_folder, find_parent
from zjsim.scenario.overlay import set_cells
from zjsim.scenario.parameters import Header, Parameters
from zjsim.scenario.sets import split_sets
from zjsim.scenario.settings import Settings, merge, read_toml, validate
from zjsim.tables.errors import Finding, InputErrors, finding
from zjsim.tables.files import read_bytes
from zjsim.tables.raw import RawTable
from zjsim.tables.reader import SourceFile, check_tables, read_raw
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.typed import empty_frame
from zjsim.tables.values import nearest

if TYPE_CHECKING:
    import pandas as pd

REGISTRY_FOLDER = "registries"
_IGNORED_NAMES = frozenset({"__init__.py", "__pycache__", "Thumbs.db", "desktop.ini"})
_IGNORED_ENDINGS = (".md", ".txt")


@dataclass(frozen=True)
class Scenario:
    """A scenario that passed every check.

    ``tables`` holds a typed frame for every declared registry (no rows where an optional one is absent);
    ``lines[registry][i]`` is the file line of row i; ``files`` says what was read, by registry name, and by
    ``<scenario>/scenario.toml`` for the parameters of the scenario and of each it extends; ``sets`` are the
    ``--set`` options applied; ``base`` is the scenario it extends ("" for none); ``notices`` are remarks that do
    not forbid to go on.
    """

    name: str
    parameters: Parameters
    tables: dict[str, pd.DataFrame] = field(repr=False)
    files: dict[str, SourceFile] = field(repr=False)
    lines: dict[str, NDArray[np.int64]] = field(repr=False)
    notices: tuple[Finding, ...] = ()
    base: str = ""
    sets: tuple[str, ...] = ()

    @property
    def header(self) -> Header:
        """Title, author, date and description."""
        return self.parameters.header

    @property
    def file_hashes(self) -> dict[str, str]:
        """SHA-256 of every file that was read, by its place (``baseline/registries/counties.csv``), sorted."""
        return dict(sorted((source.place, source.sha256) for source in self.files.values()))

    def table(self, name: str) -> pd.DataFrame:
        """The registry ``name``; raises ``KeyError`` with the nearest name if there is none."""
        if name not in self.tables:
            raise KeyError(f"no registry {name!r}; did you mean {nearest(name, list(self.tables))!r}?")
        return self.tables[name]


@dataclass(slots=True)
class _Gathered:
    """What the folders of a chain give, the child's own first."""

    settings: Settings = field(default_factory=Settings)
    raws: dict[str, RawTable] = field(default_factory=dict)
    files: dict[str, SourceFile] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def load(name_or_path: str | Path, sets: Sequence[str] = ()) -> Scenario:
    """Read and check a scenario, a built-in name or a folder, with ``--set`` values over it.

    Raises ``InputErrors`` with every fault of every file.
    """
    folder, notices = find_folder(name_or_path)
    chain, broken = _chain(folder)
    gathered = _gather(chain)
    gathered.findings[:0] = broken
    over, cells, found = split_sets(sets, list(REGISTRIES))
    gathered.findings += found
    gathered.findings += set_cells(gathered.raws, REGISTRIES, cells)
    settings = merge_over(gathered.settings, over)
    parameters: Parameters | None = None
    if not any(f.file.endswith(SCENARIO_FILE) and f.severity == "error" for f in gathered.findings):
        parameters, found = validate(settings, SCENARIO_FILE)
        gathered.findings += found
    in_order = {name: gathered.raws[name] for name in REGISTRIES if name in gathered.raws}
    read = check_tables(in_order, REGISTRIES)
    absent = {n: empty_frame(r) for n, r in REGISTRIES.items() if not r.required and n not in gathered.raws}
    tables = {n: t for n in REGISTRIES if (t := read.tables.get(n, absent.get(n))) is not None}
    found = check_scenario(tables, read.lines, {n: r.file for n, r in in_order.items()}, parameters)
    findings = [*notices, *gathered.findings, *read.findings, *found]
    if parameters is None or any(f.severity == "error" for f in findings):
        raise InputErrors(findings)
    base = chain[1][0].name if len(chain) > 1 else ""
    for name in absent:
        read.lines[name] = np.empty(0, dtype=np.int64)
    return Scenario(folder.name, parameters, tables, gathered.files, read.lines, tuple(findings), base, tuple(sets))


def merge_over(settings: Settings, over: Settings) -> Settings:
    """``over`` (the command line) on top of the merged files; unlike a child it may change the header key by key."""
    merged = merge(settings, over)
    header = {**settings.values.get("header", {}), **over.values.get("header", {})}
    if header:
        merged.values["header"] = header
    merged.places = {**settings.places, **over.places}
    return merged


def _chain(folder: Folder) -> tuple[list[tuple[Folder, Settings, list[Finding]]], list[Finding]]:
    """The scenario and those it extends, nearest first, each with its own settings."""
    chain: list[tuple[Folder, Settings, list[Finding]]] = []
    seen: list[Path] = []
    while True:
        label = SCENARIO_FILE if not chain else f"{folder.name}/{SCENARIO_FILE}"
        data = read_bytes(folder.path / SCENARIO_FILE, folder.path, label)
        settings, found = (Settings(), [data]) if isinstance(data, Finding) else read_toml(data, label)
        chain.append((folder, settings, found))
        seen.append(folder.path.resolve())
        extends = settings.values.pop("extends", "")
        place = settings.places.pop("extends", (label, None))
        if extends == "":
            return chain, []

        def refuse(rule: str, value: object, place: tuple[str, int | None] = place) -> list[Finding]:
            file, line = place
            words = {"limit": MAX_DEPTH}
            return [
                finding(rule, file, line=line, column="extends", value=str(value), theme="scenario.rule", words=words)
            ]

        if not isinstance(extends, str):
            return chain, refuse("extends_path", extends)
        parent = find_parent(extends, folder)
        if isinstance(parent, Finding):
            return chain, [parent.at(*place)]
        names = " → ".join([*(f.name for f, _, _ in chain), parent.name])
        if parent.path.resolve() in seen:
            return chain, refuse("extends_cycle", names)
        if len(chain) >= MAX_DEPTH:
            return chain, refuse("extends_depth", names)
        folder = parent


def _gather(chain: Sequence[tuple[Folder, Settings, list[Finding]]]) -> _Gathered:
    """Registries and settings of the chain: a child's file replaces the parent's whole table, its keys single keys."""
    gathered = _Gathered()
    tried: set[str] = set()
    for depth, (folder, settings, found) in enumerate(chain):
        gathered.findings += found
        gathered.settings = merge(settings, gathered.settings) if depth else settings
        path = folder.path / SCENARIO_FILE
        if path.is_file() and not found:
            data = path.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            gathered.files[f"{folder.name}/{SCENARIO_FILE}"] = SourceFile(
                f"{folder.name}/{SCENARIO_FILE}", str(path), digest, len(data)
            )
        gathered.findings += list(_unknown_files(folder))
        for name in REGISTRIES:
            path = folder.path / REGISTRY_FOLDER / f"{name}.csv"
            if name in tried or not _exists(path):
                continue
            tried.add(name)
            label = f"{name}.csv" if not depth else f"{folder.name}/{name}.csv"
            raw, source, more = read_raw(path, folder.path, name, label)
            gathered.findings += more
            if source is not None:
                gathered.files[name] = source
            if raw is not None:
                gathered.raws[name] = raw
    for name, registry in REGISTRIES.items():
        if registry.required and name not in tried:
            gathered.findings.append(finding("missing_file", f"{name}.csv"))
    return gathered


def _exists(path: Path) -> bool:
    """Whether something has this name, a dangling link included: that one is reported, not passed over."""
    try:
        path.lstat()
    except OSError:
        return False
    return True


def _unknown_files(folder: Folder) -> Iterator[Finding]:
    """Files that no scenario has: a misspelt registry must not go unread in silence."""
    known = {f"{name}.csv" for name in REGISTRIES}
    for place, allowed in ((folder.path, {SCENARIO_FILE, REGISTRY_FOLDER}), (folder.path / REGISTRY_FOLDER, known)):
        try:
            entries = sorted(place.iterdir(), key=lambda p: p.name)
        except OSError:
            continue
        for entry in entries:
            name = entry.name
            if name in allowed or name in _IGNORED_NAMES or name.startswith((".", "~$")):
                continue
            if name.endswith(_IGNORED_ENDINGS) and not stat.S_ISDIR(entry.lstat().st_mode):
                continue
            shown = name if place == folder.path else f"{REGISTRY_FOLDER}/{name}"
            yield finding("unknown_file", shown, fix=nearest(name, sorted(allowed)))
