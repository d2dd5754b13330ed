"""Arrays are looked at where they come in: kind of numbers, shape, range. What doesn't fit is told, never cast.

A fraction given where children are counted, a flag given as a number or a missing value must not become some whole
number on the way. Narrower signed integers are widened to int64, which loses nothing; everything else is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def whole_numbers(
    name: str,
    values: npt.ArrayLike,
    *,
    length: int | None = None,
    least: int | None = None,
    most: int | None = None,
    dimensions: int = 1,
) -> IntArray:
    """``values`` as int64 of ``dimensions`` axes; ``length`` of the first axis, every number in ``least``..``most``.

    ValueError, in a sentence that names the array, if they are not whole numbers of a signed integer type (an empty
    list is taken as none), if the shape is another, or if a number is outside the range.
    """
    found = _array(name, values, dimensions)
    if found.size == 0 and found.dtype == np.float64:
        found = found.astype(np.int64)  # an empty list has no kind of its own
    if found.dtype.kind != "i":
        raise ValueError(f"{name} must be whole numbers (a signed integer type), not {found.dtype}")
    if length is not None and len(found) != length:
        raise ValueError(f"{name} must have {length} entries, not {len(found)}")
    if found.size and least is not None and (low := int(found.min())) < least:
        negative = "not be negative" if least == 0 else f"be {least} or more"
        raise ValueError(f"{name} must {negative}: there is {low}")
    if found.size and most is not None and (high := int(found.max())) > most:
        raise ValueError(f"{name} must be {most} or less: there is {high}")
    return found.astype(np.int64, copy=False)


def _array(name: str, values: npt.ArrayLike, dimensions: int) -> npt.NDArray[Any]:
    """``values`` as an array of ``dimensions`` axes; ValueError if rows differ in length or the shape is another."""
    try:
        found: npt.NDArray[Any] = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must be an array: its rows differ in length") from None
    if found.ndim != dimensions:
        raise ValueError(f"{name} must have {dimensions} dimension(s), not the shape {found.shape}")
    return found


def finite_numbers(name: str, values: npt.ArrayLike, *, dimensions: int = 1) -> npt.NDArray[Any]:
    """``values`` as they are, whole or not; ValueError if one is missing, infinite, a flag or no number at all."""
    found = _array(name, values, dimensions)
    if found.dtype.kind not in "if":
        raise ValueError(f"{name} must be numbers, not {found.dtype}")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise ValueError(f"{name} must be finite: there is {found[~np.isfinite(found)].flat[0]}")
    return found


def offsets(name: str, values: npt.ArrayLike, entries: int) -> IntArray:
    """Begins of the pieces of an array of ``entries``: 0 first, never falling, ``entries`` last; else ValueError."""
    found = whole_numbers(name, values, least=0, most=entries)
    if not len(found) or found[0] != 0 or found[-1] != entries or (np.diff(found) < 0).any():
        raise ValueError(f"{name} must begin with 0, never fall and end with {entries}, the number of entries")
    return found


def one_whole_number(name: str, value: object, *, least: int = 0) -> int:
    """A single whole number of at least ``least`` (Python's or NumPy's int, no flag); else ValueError."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise ValueError(f"{name} must be a whole number, not {value!r}")
    if value < least:
        told = "not be negative" if least == 0 else f"be {least} or more"
        raise ValueError(f"{name} must {told}: {value}")
    return int(value)
