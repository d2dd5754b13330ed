"""Key patterns: which rows of a registry an override, a lever or an uncertainty means.

A pattern names values of one key column: ``330102``; several joined by ``;`` (``330102;330105``); ``*`` for all;
``3301*`` for all that begin so; ``2026..2032`` for a range, both ends included (numbers by value, else as text).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from zjsim.tables.raw import Cells
from zjsim.tables.values import NUMBER, code_candidates, nearest

ALL, BETWEEN, OR = "*", "..", ";"


def is_plain(pattern: str) -> bool:
    """Whether the pattern is one value and nothing more."""
    return ALL not in pattern and BETWEEN not in pattern and OR not in pattern


def matching(pattern: str, cells: Cells) -> NDArray[np.bool_]:
    """Which of ``cells`` (text, shape (n,)) the pattern names; shape (n,)."""
    mask = np.zeros(len(cells), dtype=bool)
    for part in pattern.split(OR):
        mask |= _matching_part(part.strip(), cells)
    return mask


def _matching_part(part: str, cells: Cells) -> NDArray[np.bool_]:
    if part == ALL:
        return np.ones(len(cells), dtype=bool)
    if part.endswith(ALL):
        begin = part.removesuffix(ALL)
        return np.fromiter((str(c).startswith(begin) for c in cells.tolist()), dtype=bool, count=len(cells))
    low, dots, high = part.partition(BETWEEN)
    if dots:
        within = _within(low.strip(), high.strip())
        return np.fromiter(map(within, cells.tolist()), dtype=bool, count=len(cells))
    return np.asarray(cells == part, dtype=bool) if len(cells) else np.zeros(0, dtype=bool)


def _within(low: str, high: str) -> Callable[[str], bool]:
    if NUMBER.fullmatch(low) and NUMBER.fullmatch(high):
        least, most = float(low), float(high)
        return lambda cell: bool(NUMBER.fullmatch(cell)) and least <= float(cell) <= most
    return lambda cell: low <= cell <= high


def unmatched(pattern: str, cells: Cells) -> str:
    """The first part of the pattern that names no cell ("" if each names one)."""
    for part in pattern.split(OR):
        if not _matching_part(part.strip(), cells).any():
            return part.strip() or pattern
    return ""


def nearest_key(value: str, keys: Sequence[str]) -> str:
    """The key that ``value`` was probably meant to be ("" if none is like it)."""
    return next((c for c in code_candidates(value) if c in set(keys)), "") or nearest(value, list(keys))
