"""Another world: what forecasts are tried on while there is no history, drawn by laws that the simulation does not use.

A truth is made in two steps, both keyed by its number alone.

1. *Inputs* (:func:`drawn_inputs`). Every uncertain input by the arcsine law over its declared range (the ends likelier
   than the middle; forecasts take the middle, or the range evenly). In a share :data:`OUTSIDE` of the truths each input
   has a chance of :data:`OUTSIDE_EACH` to lie outside its range, by up to half the range's width: declared ranges are
   too narrow more often than those who declare them think. The processes run once with them: the skeleton.
2. *A history* (:func:`history`). The skeleton's years are divided into quarters by drawn weights, and changed by
   what the processes do not contain:
   a common cycle of the province, autoregressive from quarter to quarter (rho 0.6 to 0.95) with Student-t innovations
   of three degrees of freedom, so that what is independent in the simulation (demand, cities, processes) moves
   together and now and then by a lot; a cycle of each process of its own; in half of the truths a structural break in
   a drawn quarter, from which on everything runs at 60 to 115 %; delays by Weibull's law of shape 0.7 and mean up to
   three quarters for what is set up, where the processes have triangular ones: what is delayed beyond the horizon is
   not seen; and the plan brings 30 to 120 % of what the skeleton says it brings.

Outcomes of a process share its factors, so that a part never exceeds its whole. The sizes above are assumptions of this
project: they say how forecasts fare in such worlds, not how Zhejiang's future is distributed.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gamma

import numpy as np
from numpy.typing import NDArray

from zjsim.simulate.design import at_share
from zjsim.simulate.inputs import UncertainInput
from zjsim.simulate.streams import Streams

Floats = NDArray[np.float64]

OUTSIDE, OUTSIDE_EACH = 0.3, 0.2
QUARTERS = 4
_ROOM = "truths"
_BREAK = (0.6, 1.15)
_EFFECT = (0.3, 1.2)
_SHAPE, _LONGEST_MEAN = 0.7, 3.0
_LEFT_OUT, _BORNE = 0.02, 0.1
"""Share left out, where nothing was missing, per unit (of the logarithm) that the cycle falls below what is borne."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How an outcome behaves: a ``flow`` is summed over quarters, a level is not; a ``share`` stays within 0 and 1.

    ``start`` is a level before the first year; ``delayed``: its new units are set up and may come late; ``most``: a
    level cannot be higher (as many counties as there are).
    """

    flow: bool
    share: bool = False
    start: float = 0.0
    delayed: bool = False
    most: float = np.inf


@dataclass(frozen=True, slots=True)
class World:
    """What a truth does to one process: factors by quarter, arrivals by quarters of delay, what a plan brings."""

    cycle: Floats
    seasons: Floats
    late: Floats
    effect: float


def drawn_inputs(inputs: Sequence[UncertainInput], streams: Streams) -> dict[str, float]:
    """Values of ``inputs`` by step 1: a value outside keeps its sign, and a share stays at most 1."""
    far = bool(streams.uniforms(_ROOM, "", 0, 1, "outside")[0] < OUTSIDE)
    found = {}
    for source in inputs:
        u, chance, side, by = streams.uniforms(_ROOM, source.input_id, 0, 4, "input").tolist()
        value = at_share(source, float(np.sin(np.pi / 2 * u) ** 2))
        if far and chance < OUTSIDE_EACH and source.high > source.low:
            value = _outside(source, side < 0.5, by / 2)
        found[source.input_id] = value
    return found


def _outside(source: UncertainInput, below: bool, by: float) -> float:
    """A share ``by`` of the range's width beyond one of its ends."""
    if below:
        value = at_share(source, -by)
        return value if source.low < 0 else max(value, source.low / 2)
    value = at_share(source, 1 + by)
    within_one = source.unit == "share" or (source.low >= 0 and source.high <= 1)
    return min(value, max(1.0, source.high)) if within_one else value


def world(process: str, years: int, streams: Streams) -> World:
    """The factors of ``process`` for so many years, by step 2."""
    n = QUARTERS * years
    common = _cycle(streams.generator(_ROOM, "", 0, "cycle"), n, 0.04)
    own = _cycle(streams.generator(_ROOM, process, 0, "cycle"), n, 0.03)
    happens, where, size = streams.uniforms(_ROOM, "", 0, 3, "break").tolist()
    broken = np.zeros(n)
    if happens < 0.5:
        broken[int(where * n) :] = np.log(_BREAK[0] + (_BREAK[1] - _BREAK[0]) * size)
    draw = streams.generator(_ROOM, process, 0, "shape")
    seasons = draw.dirichlet(np.full(QUARTERS, 12.0), size=years)
    late = _late(float(draw.random()) * _LONGEST_MEAN, n)
    effect = _EFFECT[0] + (_EFFECT[1] - _EFFECT[0]) * float(draw.random())
    return World(np.exp(np.clip(common + own + broken, -1.5, 0.7)), seasons, late, effect)


def _cycle(draw: np.random.Generator, n: int, size: float) -> Floats:
    """An autoregressive path of the first order with Student-t innovations, from its long-run level."""
    rho, shocks = 0.6 + 0.35 * draw.random(), draw.standard_t(3, n) * size
    path = np.zeros(n)
    for q in range(n):
        path[q] = shocks[q] + (rho * path[q - 1] if q else 0.0)
    return path


def _late(mean: float, n: int) -> Floats:
    """Share of what is begun in a quarter that arrives 0, 1, … quarters later, by Weibull's law with this mean."""
    if mean <= 0:
        return np.eye(1, n, dtype=np.float64).ravel()
    scale = mean / gamma(1 + 1 / _SHAPE)
    over = 1 - np.exp(-((np.arange(n + 1) / scale) ** _SHAPE))
    return np.asarray(np.diff(over), dtype=np.float64)


def history(
    skeleton: Mapping[str, Floats], without: Mapping[str, Floats], kinds: Mapping[str, Kind], seen: World
) -> dict[str, Floats]:
    """Values by quarter of every outcome in ``kinds`` (step 2): amounts for flows, levels at the quarters' ends.

    ``skeleton`` has the outcomes by year with a plan, ``without`` those with no plan on the same draws (the same
    mapping where there is none). Amounts are whole, flows rounded so that their sums stay.
    """
    found = {}
    for name, kind in kinds.items():
        yearly = without[name] + seen.effect * (skeleton[name] - without[name])
        if kind.share:
            found[name] = _share(yearly, kind, seen)
            continue
        if kind.flow:
            amounts = (np.maximum(yearly, 0.0)[:, None] * seen.seasons).ravel()
        else:
            amounts = (np.diff(yearly, prepend=kind.start)[:, None] * seen.seasons).ravel()
        amounts = amounts * seen.cycle
        if kind.delayed:
            amounts = np.convolve(amounts, seen.late)[: len(amounts)]
        reached = np.floor(np.cumsum(amounts) + (0.0 if kind.flow else kind.start) + 0.5)
        found[name] = np.diff(reached, prepend=0.0) if kind.flow else np.clip(reached, 0.0, kind.most)
    return found


def _share(yearly: Floats, kind: Kind, seen: World) -> Floats:
    """A share between year ends on a straight line, its odds multiplied by the cycle, less what a fall leaves out."""
    ends = np.concatenate([[kind.start], yearly])
    steps = np.arange(1, QUARTERS + 1) / QUARTERS
    path = np.concatenate([a + (b - a) * steps for a, b in itertools.pairwise(ends)])
    path = np.clip(path, 0.0, 1.0)
    moved = path * seen.cycle / (1 - path + path * seen.cycle)
    fall = np.maximum(-np.log(seen.cycle) - _BORNE, 0.0)
    return np.asarray(np.round(np.clip(moved - _LEFT_OUT * fall, 0.0, 1.0), 4), dtype=np.float64)


def by_year(quarters: Floats, flow: bool) -> Floats:
    """Years from quarters: the sum of a flow, the level at the end."""
    parts = quarters.reshape(-1, QUARTERS)
    return np.asarray(parts.sum(axis=1) if flow else parts[:, -1], dtype=np.float64)
