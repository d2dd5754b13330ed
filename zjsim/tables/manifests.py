"""``manifest.json`` of a folder of results, in two parts: what may go out with the tables, and what stays inside.

The hash of a file tells a cell of it to whoever knows all others: nine guesses of a small count, and one has the hash.
So hashes of inputs that count children and of exact tables, and values of such cells that options set, stand in
``internal/manifest.json``; :func:`read_manifest` puts both parts together. The name of a run follows from all of them:
whoever has every other input can test a guess by its name, as by running again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from zjsim.tables.published import counts_children, told_sets

MANIFEST = "manifest.json"
INSIDE = "internal/manifest.json"
_CHOICES = "school_choices"
"""A registry about single children that counts none."""


def about_children(place: str) -> bool:
    """Whether the input file at this place has a column that counts children, or is about single ones."""
    from zjsim.tables.registries import REGISTRIES

    name = PurePosixPath(place).stem
    declared = REGISTRIES.get(name)
    return name == _CHOICES or (declared is not None and any(counts_children(name, c.name) for c in declared.columns))


def divided(manifest: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of a manifest may go out, and what stays inside (empty if nothing has to)."""
    public, inside = dict(manifest), dict[str, Any]()
    for key, is_inside in (("inputs", about_children), ("outputs", _is_internal)):
        hashes = manifest.get(key)
        if isinstance(hashes, Mapping):
            public[key], inside[key] = _apart(hashes, is_inside)
        elif isinstance(hashes, list) and all(isinstance(h, Mapping) for h in hashes):
            pairs = [_apart(h, is_inside) for h in hashes]
            public[key], inside[key] = [p for p, _ in pairs], [i for _, i in pairs]
    sets = manifest.get("sets")
    if isinstance(sets, list) and (told := told_sets(sets)) != sets:
        public["sets"], inside["sets"] = told, sets
    return public, {k: v for k, v in inside.items() if v and any(v)}


def _apart(hashes: Mapping[str, Any], is_inside: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {k: v for k, v in hashes.items() if not is_inside(k)}, {k: v for k, v in hashes.items() if is_inside(k)}


def changed_inputs(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Places of input files whose hashes differ, sorted.

    A folder that was passed on without its inner part names no inputs about children: of those nothing can be said.
    """
    known = any(about_children(place) for place in wanted)
    places = (p for p in wanted.keys() | found if known or not about_children(p))
    return sorted(p for p in places if wanted.get(p) != found.get(p))


def _is_internal(name: str) -> bool:
    return name.startswith("internal/")


def read_manifest(folder: Path) -> Any:
    """The whole manifest of a folder, the part inside included where it lies there.

    Raises ``OSError`` or ``ValueError`` where it cannot be read.
    """
    public = json.loads((folder / MANIFEST).read_text("utf-8"))
    path = folder / INSIDE
    if not isinstance(public, dict) or not path.is_file():
        return public
    for key, value in json.loads(path.read_text("utf-8")).items():
        there = public.get(key)
        if isinstance(there, dict):
            public[key] = dict(sorted({**there, **value}.items()))
        elif isinstance(there, list) and there and isinstance(there[0], dict):
            public[key] = [dict(sorted({**a, **b}.items())) for a, b in zip(there, value, strict=True)]
        else:
            public[key] = value
    return public
