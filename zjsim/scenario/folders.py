"""Where scenarios lie: built-in ones by name, a planner's own by folder, and the chain of parents of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from zjsim.tables.errors import Finding, InputErrors, finding
from zjsim.tables.values import nearest

SCENARIO_FILE = "scenario.toml"
MAX_DEPTH = 8
"""Longest chain of ``extends``."""

_NAME = re.compile(r"(?!(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])\Z)\w[\w-]{0,63}")
"""Names of scenarios are names of folders, on Windows too."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A scenario's folder: its name, where it is, and whether it is shipped with the package."""

    name: str
    path: Path
    builtin: bool


def builtin_home() -> Path:
    """The folder of the scenarios shipped with the package."""
    return Path(str(files("zjsim.scenarios")))


def builtin_names() -> tuple[str, ...]:
    """Names of the built-in scenarios, sorted."""
    return tuple(sorted(p.parent.name for p in builtin_home().glob(f"*/{SCENARIO_FILE}")))


def find_folder(name_or_path: str | Path) -> tuple[Folder, list[Finding]]:
    """The scenario that a planner named, with notices; raises ``InputErrors`` if there is none.

    A plain word is a built-in name first and a folder second (a notice says so where both exist); anything with a
    path separator is a folder.
    """
    said = str(name_or_path)
    if not said:
        raise InputErrors([finding("no_scenario", '""', theme="scenario.rule", known=", ".join(builtin_names()))])
    path = Path(name_or_path)
    if isinstance(name_or_path, str) and _NAME.fullmatch(said) and said in builtin_names():
        shadowed = path.is_dir() and path.resolve() != (builtin_home() / said).resolve()
        notices = [finding("builtin_first", said, severity="notice", theme="scenario.rule")] if shadowed else []
        return Folder(said, builtin_home() / said, True), notices
    try:
        if path.is_dir():
            real = path.resolve()
            if not _NAME.fullmatch(real.name):
                raise InputErrors([finding("bad_name", said, value=real.name, theme="scenario.rule")])
            return Folder(real.name, real, real.parent == builtin_home().resolve()), []
        rule = "not_a_folder" if path.exists() else "no_scenario"
    except (OSError, ValueError):
        rule = "no_scenario"
    known = ", ".join(builtin_names())
    fix = nearest(said, builtin_names())
    raise InputErrors([finding(rule, said[:200], fix=fix, theme="scenario.rule", known=known)])


def find_parent(name: str, child: Folder) -> Folder | Finding:
    """The scenario that ``child`` extends: beside it, or built in. Only a name is allowed, never a path."""
    label = f"{child.name}/{SCENARIO_FILE}"
    if not _NAME.fullmatch(name):
        return finding("extends_path", label, column="extends", value=name, theme="scenario.rule")
    beside = child.path.parent / name
    if (beside / SCENARIO_FILE).is_file() and beside.resolve().parent == child.path.parent.resolve():
        return Folder(name, beside, child.builtin)
    if name in builtin_names():
        return Folder(name, builtin_home() / name, True)
    fix = nearest(name, builtin_names())
    return finding("extends_unknown", label, column="extends", value=name, fix=fix, theme="scenario.rule")
