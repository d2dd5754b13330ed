"""Preset designs over the ranges of uncertain inputs: the base point, both ends of each input alone, points between.

The points between are a Latin hypercube scrambled with a fixed seed: every input takes each of its n strata exactly
once, and the same inputs always give the same design. The range of a lognormal input is stepped in its logarithm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log

from scipy.stats import qmc

from zjsim.simulate.inputs import UncertainInput, base_values

DESIGN_SEED = 20241231


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a design: ``kind`` is ``base``, ``low``, ``high`` (then ``input_id`` names the one input moved) or
    ``space``."""

    kind: str
    input_id: str
    values: Mapping[str, float]


def preset_design(inputs: Sequence[UncertainInput], space_points: int, single_input_points: bool = True) -> list[Point]:
    """The base point first, then low and high of each input with a range, then ``space_points`` space-filling ones.

    Without ``single_input_points`` the ends of each input are left out: quicker, but no input can be named as deciding.
    """
    base = base_values(inputs)
    points = [Point("base", "", base)]
    for source in sorted(inputs, key=lambda i: i.input_id) if single_input_points else ():
        for kind, value in (("low", source.low), ("high", source.high)):
            if value != source.mode:
                points.append(Point(kind, source.input_id, {**base, source.input_id: value}))
    return points + [Point("space", "", values) for values in space_filling(inputs, space_points)]


def space_filling(inputs: Sequence[UncertainInput], n: int, seed: int = DESIGN_SEED) -> list[dict[str, float]]:
    """``n`` points of a scrambled Latin hypercube on the ranges of ``inputs`` (ordered by id)."""
    ordered = sorted(inputs, key=lambda i: i.input_id)
    if not ordered or n < 1:
        return []
    unit = qmc.LatinHypercube(len(ordered), rng=seed).random(n)
    return [{i.input_id: at_share(i, float(u)) for i, u in zip(ordered, row, strict=True)} for row in unit]


def at_share(source: UncertainInput, share: float) -> float:
    """The value a share (0 to 1) of the way from low to high."""
    if source.distribution == "lognormal":
        return exp(log(source.low) + share * (log(source.high) - log(source.low)))
    return source.low + share * (source.high - source.low)
