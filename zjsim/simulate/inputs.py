"""Uncertain inputs: numbers that no public document settles, with their range and shape.

Two different things are done with such a number. *Between* design points its centre moves over ``low..high`` (input
uncertainty, ``p_worst``-``p_best``); *within* a run the entities (classes, requests, colleges) differ around that
centre (:func:`sample`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Values = Mapping[str, float]
"""``input_id`` → the value it has at this design point; the base run has every input at its mode."""

SIGMA_SPAN = 3.29
"""``ln(high / low)`` spans this many σ of a lognormal: low and high are its 5 % and 95 % points."""

SMALLEST_U = 2.0**-53
"""Uniform numbers are kept this far from 0 and 1, so that every quantile is finite."""

DISTRIBUTIONS = ("constant", "triangular", "lognormal", "beta", "uniform", "exponential", "discrete")
_ALIASES = {"deterministic": "constant", "pert": "beta"}
_ROW_FIELDS = ("low", "mode", "high", "distribution", "unit", "basis", "name_zh", "name_en")


@dataclass(frozen=True, slots=True)
class UncertainInput:
    """One uncertain number: ``low <= mode <= high`` in ``unit``, the shape of its spread, and how it is known.

    Raises ``ValueError`` for an unordered range or a shape that is none of :data:`DISTRIBUTIONS`.
    """

    input_id: str
    low: float
    mode: float
    high: float
    distribution: str
    unit: str
    basis: str
    name_zh: str
    name_en: str
    unit_zh: str = ""

    def __post_init__(self) -> None:
        shape = self.distribution.lower()
        object.__setattr__(self, "distribution", _ALIASES.get(shape, shape))
        if not self.low <= self.mode <= self.high:
            raise ValueError(f"{self.input_id}: wanted low <= mode <= high, got {self.low}, {self.mode}, {self.high}")
        if self.distribution not in DISTRIBUTIONS:
            raise ValueError(
                f"{self.input_id}: unknown distribution {self.distribution!r}, wanted one of {DISTRIBUTIONS}"
            )
        if self.distribution == "lognormal" and self.low <= 0:
            raise ValueError(f"{self.input_id}: a lognormal needs low > 0, got {self.low}")


def from_row(row: Mapping[str, Any], **changes: Any) -> UncertainInput:
    """The uncertain input declared by a row of the registry ``process_parameters`` (any mapping with its columns).

    ``changes`` override fields: the shape of a calendar or schedule has to be named by the process that uses it.
    """
    cell = {**{k: row[k] for k in _ROW_FIELDS}, "input_id": row["parameter_id"], **changes}
    return UncertainInput(
        input_id=str(cell["input_id"]),
        low=float(cell["low"]),
        mode=float(cell["mode"]),
        high=float(cell["high"]),
        distribution=str(cell["distribution"]),
        unit=str(cell["unit"]),
        basis=str(cell["basis"]),
        name_zh=str(cell["name_zh"]),
        name_en=str(cell["name_en"]),
        unit_zh=str(cell.get("unit_zh", row.get("unit_zh", ""))),
    )


def base_values(inputs: Iterable[UncertainInput]) -> dict[str, float]:
    """The base point: every input at its mode."""
    return {i.input_id: i.mode for i in inputs}


def sample(source: UncertainInput, value: float, u: ArrayLike) -> NDArray[np.float64]:
    """Entity-to-entity variation by inverse transform of the uniform numbers ``u`` (any shape; same shape out).

    The shape is that of ``source``; everything is scaled by ``value / mode`` (shifted by ``value`` where the mode is
    0), so a design point moves the centre. A ``beta`` whose range lies in [0, 1] is a share: it stays there.
    """
    x = quantile(source, np.clip(np.asarray(u, dtype=np.float64), SMALLEST_U, 1 - SMALLEST_U))
    x = x * (value / source.mode) if source.mode else x + value
    if source.distribution == "beta" and source.low >= 0 and source.high <= 1:
        x = np.clip(x, 0.0, 1.0)
    return np.maximum(np.rint(x), 0.0) if source.distribution == "discrete" else x


def quantile(source: UncertainInput, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ``u``-quantile of the unscaled distribution of ``source`` (unit of the input)."""
    low, mode, high = source.low, source.mode, source.high
    match source.distribution:
        case "triangular" | "discrete":
            return triangular(low, mode, high, u)
        case "lognormal":
            return lognormal(mode, log(high / low) / SIGMA_SPAN, u)
        case "beta":
            return pert(low, mode, high, u)
        case "uniform":
            return low + (high - low) * u
        case "exponential":
            return -mode * np.log1p(-u)
        case _:
            return np.full_like(u, mode)


def triangular(low: float, mode: float, high: float, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles of the triangular distribution on ``low..high`` with peak ``mode``."""
    if high <= low:
        return np.full_like(u, mode)
    split = (mode - low) / (high - low)
    left = low + np.sqrt(u * (high - low) * (mode - low))
    right = high - np.sqrt((1 - u) * (high - low) * (high - mode))
    return np.where(u < split, left, right)


def lognormal(median: float, sigma: float, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles of the lognormal with the given median and σ of the logarithm."""
    return np.asarray(median * np.exp(sigma * special.ndtri(u)), dtype=np.float64)


def pert(low: float, mode: float, high: float, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles of the PERT (beta) distribution: on ``low..high``, peak ``mode``, mean (low + 4 mode + high) / 6."""
    if high <= low:
        return np.full_like(u, mode)
    a = 1 + 4 * (mode - low) / (high - low)
    b = 1 + 4 * (high - mode) / (high - low)
    return low + (high - low) * np.interp(u, *_beta_table(a, b))


@cache
def _beta_table(a: float, b: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Quantiles of the beta distribution at 1,025 points, closer together in the tails.

    Between the 0.01 % and 99.99 % points it is off by less than 3e-4 of the range; a draw costs a tenth of an exact
    one.
    """
    u = np.sin(np.linspace(0, np.pi / 2, 1025)) ** 2
    return u, np.asarray(special.betaincinv(a, b, u), dtype=np.float64)


def mean(source: UncertainInput, value: float | None = None) -> float:
    """The mean of :func:`sample` at design value ``value`` (default: the mode), before clipping and rounding."""
    low, mode, high = source.low, source.mode, source.high
    match source.distribution:
        case "triangular" | "discrete":
            m = (low + mode + high) / 3
        case "lognormal":
            m = mode * exp((log(high / low) / SIGMA_SPAN) ** 2 / 2)
        case "beta":
            m = (low + 4 * mode + high) / 6
        case "uniform":
            m = (low + high) / 2
        case _:
            m = mode
    if value is None:
        return m
    return m * (value / mode) if mode else m + value
