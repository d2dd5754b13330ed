"""``--set path=value``: parameters by dotted path and registry cells by key, given on the command line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zjsim.scenario.parameters import Parameters
from zjsim.scenario.settings import Settings, annotation_of, nearest_path
from zjsim.tables.errors import Finding, finding
from zjsim.tables.values import nearest

_CELL = re.compile(r"(?P<registry>\w+)\[(?P<key>[^\]]*)\]\.(?P<column>\w+)")
_PATH = re.compile(r"\w+(?:\.[^.=\s\[\]]+)+")


@dataclass(frozen=True, slots=True)
class CellSet:
    """``registry[key].column=value`` as given by ``--set``."""

    registry: str
    key: tuple[str, ...]
    column: str
    value: str
    said: str


def split_sets(sets: Sequence[str], registries: Sequence[str]) -> tuple[Settings, list[CellSet], list[Finding]]:
    """``--set`` options as settings and as registry cells; unknown paths and a path given twice are told."""
    settings = Settings()
    cells: list[CellSet] = []
    found: list[Finding] = []
    seen: dict[str, str] = {}
    sections = [*Parameters.model_fields]
    for said in sets:
        label = f"--set {said}"
        path, equals, value = (part.strip() for part in said.partition("="))
        if not equals or not path:
            found.append(finding("set_form", label, theme="scenario.rule"))
            continue
        if path in seen:
            found.append(
                finding(
                    "set_twice", label, column=path, first=f"--set {seen[path]}", second=label, theme="scenario.rule"
                )
            )
            continue
        seen[path] = said
        if cell := _CELL.fullmatch(path):
            if cell["registry"] not in registries:
                fix = nearest(cell["registry"], list(registries))
                found.append(finding("set_registry", label, value=cell["registry"], fix=fix, theme="scenario.rule"))
            else:
                key = tuple(part.strip() for part in cell["key"].split(","))
                cells.append(CellSet(cell["registry"], key, cell["column"], value, said))
            continue
        section = path.partition(".")[0]
        if not _PATH.fullmatch(path) or section not in sections:
            fix = nearest_path(path)
            found.append(finding("set_path", label, value=path, fix=fix, theme="scenario.rule"))
            continue
        node = settings.values
        *above, last = path.split(".")
        clash = False
        for part in above:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                clash = True
                break
        if clash or isinstance(node.get(last), dict):
            found.append(finding("set_path", label, value=path, fix="", theme="scenario.rule"))
            continue
        node[last] = _literal(value, annotation_of(path))
        settings.places[path] = (label, None)
    return settings, cells, found


def _literal(value: str, annotation: Any) -> Any:
    """The value as TOML would read it; a bare word is a text."""
    if annotation is str:
        return value
    try:
        return tomllib.loads(f"x = {value}")["x"] if "\n" not in value else value
    except (tomllib.TOMLDecodeError, RecursionError):
        return value
