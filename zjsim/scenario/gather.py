"""Collecting what the folders of a scenario's chain give, and merging it.

The order, farthest parent first: a level's whole tables replace those so far; then its overrides change rows of what
is there; its parameters replace those so far key by key. ``--set`` comes last, above all levels.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zjsim.scenario.changes import Change, Level
from zjsim.scenario.folders import MAX_DEPTH, SCENARIO_FILE, Folder, find_parent
from zjsim.scenario.overrides import apply_overrides, empty_raw
from zjsim.scenario.settings import Settings, merge, read_toml
from zjsim.tables.errors import Finding, finding
from zjsim.tables.files import read_bytes
from zjsim.tables.raw import RawTable
from zjsim.tables.reader import SourceFile, read_raw
from zjsim.tables.registries import REGISTRIES
from zjsim.tables.values import nearest

REGISTRY_FOLDER = "registries"
OVERRIDE_FOLDER = "overrides"
MAX_SETTINGS_BYTES = 2**18
"""Largest ``scenario.toml``: parsing takes a hundred times the memory of the text."""
_IGNORED_NAMES = frozenset({"__init__.py", "__pycache__", "Thumbs.db", "desktop.ini"})
_IGNORED_ENDINGS = (".md", ".txt")

Link = tuple[Folder, Settings, list[Finding]]
"""A scenario of the chain with its own settings and what was wrong with them."""


@dataclass(slots=True)
class Gathered:
    """What the folders of a chain give, merged."""

    settings: Settings = field(default_factory=Settings)
    raws: dict[str, RawTable] = field(default_factory=dict)
    files: dict[str, SourceFile] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    levels: tuple[Level, ...] = ()
    findings: list[Finding] = field(default_factory=list)


def read_chain(folder: Folder) -> tuple[list[Link], list[Finding]]:
    """The scenario and those it extends, nearest first, each with its own settings."""
    chain: list[Link] = []
    seen: list[Path] = []
    while True:
        label = SCENARIO_FILE if not chain else f"{folder.name}/{SCENARIO_FILE}"
        data = read_bytes(folder.path / SCENARIO_FILE, folder.path, label, MAX_SETTINGS_BYTES)
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


def gather(chain: Sequence[Link], broken: Sequence[Finding] = ()) -> Gathered:
    """Tables, overrides and settings of the chain (nearest first), merged in the order told above.

    ``broken`` is what stopped the chain. Where a parent is not known, tables that it may have are not missed.
    """
    gathered = Gathered(findings=list(broken))
    whole = not broken
    home: dict[str, int] = {}
    for depth, (folder, settings, found) in enumerate(chain):
        gathered.findings += found
        whole = whole and not any(f.severity == "error" for f in found)
        gathered.settings = merge(settings, gathered.settings) if depth else settings
        if not found:
            _note_file(gathered, folder)
        if not any(f.rule == "missing_file" for f in found):  # else it may be any folder of the machine
            gathered.findings += list(_unknown_files(folder))
        for name in REGISTRIES:
            path = folder.path / REGISTRY_FOLDER / f"{name}.csv"
            if name in home or not _exists(path):
                continue
            home[name] = depth
            raw, source, more = read_raw(path, folder.path, name, f"{name}.csv" if not depth else _label(folder, name))
            gathered.findings += more
            if source is not None:
                gathered.files[name] = source
            if raw is not None:
                gathered.raws[name] = raw
    for name, registry in REGISTRIES.items():
        if whole and registry.required and name not in home:
            gathered.findings.append(finding("missing_file", f"{name}.csv"))
    overrides = _override_all(chain, home, gathered)
    gathered.levels = tuple(
        Level(
            folder.name,
            folder.builtin,
            str(folder.path),
            tables=tuple(n for n in REGISTRIES if _exists(folder.path / REGISTRY_FOLDER / f"{n}.csv")),
            overrides=tuple(n for n, used in overrides[depth].items() if used),
            passed_over=tuple(n for n, used in overrides[depth].items() if not used),
            parameters=tuple(k for k in settings.places if "." in k),
        )
        for depth, (folder, settings, _) in reversed(list(enumerate(chain)))
    )
    return gathered


def _label(folder: Folder, name: str) -> str:
    return f"{folder.name}/{name}.csv"


def _note_file(gathered: Gathered, folder: Folder) -> None:
    path = folder.path / SCENARIO_FILE
    if path.is_file():
        data = path.read_bytes()
        place = f"{folder.name}/{SCENARIO_FILE}"
        gathered.files[place] = SourceFile(place, str(path), hashlib.sha256(data).hexdigest(), len(data))


def _override_all(chain: Sequence[Link], home: dict[str, int], gathered: Gathered) -> list[dict[str, bool]]:
    """Apply every override, farthest parent first; per depth which registries have one and whether it took effect."""
    seen: list[dict[str, bool]] = [{} for _ in chain]
    for depth, (folder, _, _) in reversed(list(enumerate(chain))):
        for name, registry in REGISTRIES.items():
            path = folder.path / OVERRIDE_FOLDER / f"{name}.csv"
            if not _exists(path):
                continue
            seen[depth][name] = depth <= home.get(name, depth)
            if not seen[depth][name]:
                continue
            label = f"{OVERRIDE_FOLDER}/{name}.csv" if not depth else f"{folder.name}/{OVERRIDE_FOLDER}/{name}.csv"
            raw, source, found = read_raw(path, folder.path, name, label)
            gathered.findings += found
            if source is not None:
                gathered.files[source.place] = source
            target = gathered.raws.get(name)
            if target is None and name not in home:
                target = empty_raw(registry)
            if raw is None or target is None:
                continue
            gathered.raws[name], changes, found = apply_overrides(raw, target, registry, folder.name)
            gathered.changes += changes
            gathered.findings += found
    return seen


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
    allowed_in = {"": {SCENARIO_FILE, REGISTRY_FOLDER, OVERRIDE_FOLDER}, REGISTRY_FOLDER: known, OVERRIDE_FOLDER: known}
    for inside, allowed in allowed_in.items():
        try:
            entries = sorted((folder.path / inside).iterdir(), key=lambda p: p.name)
        except OSError:
            continue
        for entry in entries:
            name = entry.name
            if name in allowed or name in _IGNORED_NAMES or name.startswith((".", "~$")):
                continue
            if name.endswith(_IGNORED_ENDINGS) and not stat.S_ISDIR(entry.lstat().st_mode):
                continue
            yield finding("unknown_file", f"{inside}/{name}" if inside else name, fix=nearest(name, sorted(allowed)))
