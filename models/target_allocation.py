"""Breaking a target of the province down to cities and counties: the rules (M123).

The action plan asks province, cities and counties to act together and gives no key. Several are computed side by side;
each is a rule of its own below. Throughout, x_i is the whole number that place i gets, T the total to be kept, u_i what
the place can do at most, l_i what it has done already, w_i a weight. No place is given what it cannot do.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
RULES = ("by_capacity", "by_need", "by_mixture", "equal_effort", "equal_chance")
CAPACITY, NEED, MIXTURE, EFFORT, CHANCE = RULES
_ROUNDS = 200


@dataclass(frozen=True, slots=True)
class Places:
    """What is known of the places of one target, in one order: codes, limits, need, and what each does anyway.

    ``lower`` l and ``upper`` u are whole (units of the target), ``need`` is in any unit, ``present`` what the place is
    expected to do without being asked (0 where the simulation does not tell).
    """

    codes: tuple[str, ...]
    lower: Ints
    upper: Ints
    need: Floats
    present: Floats

    def __post_init__(self) -> None:
        if not all(len(v) == len(self.codes) for v in (self.lower, self.upper, self.need, self.present)):
            raise ValueError("limits, need and present level are wanted for every place")
        if (self.lower < 0).any() or (self.need < 0).any() or (self.present < 0).any():
            raise ValueError("limits, need and present level must not be negative")


@dataclass(frozen=True, slots=True)
class Short:
    """Why a total cannot be placed: ``missing`` units beyond all capacity (or, negative, below all that was done).

    ``add``: the cheapest way out by place: as much capacity as is missing, where need exceeds capacity first (in
    proportion to that excess), then in proportion to capacity.
    """

    total: int
    possible: int
    missing: int
    add: Mapping[str, int]


def can_be_placed(places: Places, total: int) -> Short | None:
    """The total must lie between all that was done and all capacity (M123): Σ l_i ≤ T ≤ Σ u_i; None if it does.

    Unit: that of the target. Otherwise the shortfall T - Σ u_i with the least capacity to add; adding less leaves the
    total out of reach, however it is divided.
    """
    most, least = int(places.upper.sum()), int(places.lower.sum())
    if total < least:
        return Short(total, least, total - least, {})
    if total <= most:
        return None
    missing = total - most
    share = places.need / places.need.sum() * total if places.need.sum() > 0 else np.zeros(len(places.codes))
    excess = np.maximum(share - places.upper, 0.0)
    weights = excess if excess.sum() > 0 else places.upper.astype(float) if most else np.ones(len(places.codes))
    added = rounded(
        weights / weights.sum() * missing, missing, np.zeros_like(places.upper), np.full_like(places.upper, missing)
    )
    return Short(total, most, missing, {c: int(a) for c, a in zip(places.codes, added, strict=True) if a})


def by_capacity(places: Places, total: int) -> Ints:
    """In proportion to what each place can do (M123): x_i ≈ clip(λ u_i, l_i, u_i), Σ x_i = T; within one unit."""
    return proportional(places.upper.astype(float), places, total)


def by_need(places: Places, total: int) -> Ints:
    """In proportion to need (M123): x_i ≈ clip(λ n_i, l_i, u_i), Σ x_i = T; what a full place cannot take goes on to
    the others, still in proportion to their need. Places without need come last, by capacity."""
    return proportional(places.need, places, total)


def by_mixture(places: Places, total: int, mix: tuple[float, float, float]) -> Ints:
    """In proportion to a mixture of need, capacity and equal parts (M123).

    w_i = α n_i / Σ n + β u_i / Σ u + γ / m with α + β + γ = 1 and m the places with capacity; then as
    :func:`by_capacity` with w_i in the place of u_i.
    """
    return proportional(mixed_weights(places, mix), places, total)


def mixed_weights(places: Places, mix: tuple[float, float, float]) -> Floats:
    """The weights of :func:`by_mixture`; raises ``ValueError`` unless the parts are not negative and add up to 1."""
    if min(mix) < 0 or abs(sum(mix) - 1) > 1e-9:
        raise ValueError(f"the parts of need, capacity and equality must add up to 1, got {mix}")
    open_ = (places.upper > 0).astype(float)
    parts = (places.need * open_, places.upper.astype(float), open_)
    return np.asarray(sum(a * p / p.sum() for a, p in zip(mix, parts, strict=True) if p.sum() > 0), dtype=float)


def equal_effort(places: Places, total: int) -> Ints:
    """The greatest relative burden as small as it can be, then the next greatest, … (M123): lexicographic min-max.

    burden_i = (x_i - s_i) / (u_i - s_i): the part of its headroom beyond what it does anyway (s_i = ``present``, at
    least l_i) that a place must use; one without headroom goes on with s_i. Where the total is no more than Σ s_i:
    burden_i = x_i / s_i, and nothing for those that do nothing. Every unit in turn goes where the
    burden with it is smallest; among equals where it is largest now (the widest span), so that those left out at the
    top have little, then the first place. That is the lexicographic optimum in whole numbers: the last burden λ is the
    smallest for which all units fit, the fewest places stand at it, and they are those that had most below it.
    """
    present = np.clip(np.floor(places.present + 1e-9).astype(np.int64), places.lower, places.upper)
    if total > int(present.sum()):
        base, span = present, places.upper - present
    else:
        base, span = np.zeros_like(present), present
    return _min_max(total, base, span, places.lower, places.upper)


def equal_chance(places: Places, total: int, figures: Floats) -> Ints:
    """Every place with the same chance of reaching its part (M123): x_i ≈ clip(Q_i(1 - p), l_i, u_i), Σ x_i = T.

    Q_i is the quantile of what place i reached in the futures ``figures`` (replication, place), linear between them; p
    is the largest common probability for which the parts add up to the total. Below the worst future of every place the
    parts are in proportion to it (all are certain), beyond the best one they go on by the room that is left.
    """
    if _clipped(figures.min(axis=0), places).sum() >= total:
        return proportional(figures.min(axis=0), places, total)
    low, high = 0.0, 1.0
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if _clipped(np.quantile(figures, middle, axis=0), places).sum() < total else (low, middle)
        )
    parts = _clipped(np.quantile(figures, high, axis=0), places)
    rest = total - parts.sum()
    if rest > 0:
        room = places.upper - parts
        parts = parts + (room * rest / room.sum() if room.sum() > 0 else 0.0)
    return rounded(parts, total, places.lower, places.upper)


def _clipped(values: Floats, places: Places) -> Floats:
    return np.clip(values, places.lower, places.upper)


def proportional(weights: Floats, places: Places, total: int) -> Ints:
    """clip(λ w_i, l_i, u_i) with the λ for which they add up to ``total``, in whole numbers (:func:`rounded`).

    If all places with a weight are full, the rest goes to those without one, in proportion to their room. Raises
    ``ValueError`` where the total does not lie within the limits.
    """
    if can_be_placed(places, total) is not None:
        raise ValueError("the total does not lie within the limits of the places")
    w = np.asarray(weights, dtype=float)
    reach = np.where(w > 0, places.upper, places.lower).sum()
    if reach <= total:
        full = np.where(w > 0, places.upper, places.lower).astype(float)
        room = places.upper - full
        parts = full + (room * (total - reach) / room.sum() if room.sum() > 0 else 0.0)
        return rounded(parts, total, places.lower, places.upper)
    low, high = 0.0, float((places.upper[w > 0] / w[w > 0]).max())
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        low, high = (middle, high) if _clipped(middle * w, places).sum() < total else (low, middle)
    return rounded(_clipped(high * w, places), total, places.lower, places.upper)


def rounded(parts: Floats, total: int, lower: Ints, upper: Ints) -> Ints:
    """Whole numbers next to ``parts`` with Σ = ``total``, within the limits (M123): largest remainder.

    Every part is cut to its whole; the units left go to the largest remainders among places not full, earlier places
    first among equals; where the wholes exceed the total by rounding noise the smallest remainders give.
    """
    whole = np.clip(np.floor(parts + 1e-7).astype(np.int64), lower, upper)
    rest = np.round(parts - whole, 7)  # what the search for λ leaves of a tie is noise
    while (left := total - int(whole.sum())) != 0:
        step = 1 if left > 0 else -1
        free = np.flatnonzero(whole < upper if step > 0 else whole > lower)
        if not len(free):
            raise ValueError("the total does not lie within the limits of the places")
        order = free[np.argsort(-step * rest[free], kind="stable")][: abs(left)]
        whole[order] += step
        rest[order] -= step
    return whole


def _min_max(total: int, base: Ints, span: Ints, lower: Ints, upper: Ints) -> Ints:
    """Whole numbers within limits with the lexicographically smallest sorted burdens (x - base) / span.

    Starts from what every place may take at a burden that the total does not exceed, then goes on unit by unit. Places
    without span have ``base`` (within their limits).
    """
    low, high = Fraction(-1), Fraction(1)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at(middle, base, span, lower, upper).sum() <= total else (low, middle)
    x = _at(low, base, span, lower, upper)
    free = np.flatnonzero((span > 0) & (x < upper))
    heap = [(Fraction(int(x[i] + 1 - base[i]), int(span[i])), -int(span[i]), int(i)) for i in free]
    heapq.heapify(heap)
    for _ in range(total - int(x.sum())):
        if not heap:
            raise ValueError("the total does not lie within the limits of the places")
        _, _, i = heapq.heappop(heap)
        x[i] += 1
        if x[i] < upper[i]:
            heapq.heappush(heap, (Fraction(int(x[i] + 1 - base[i]), int(span[i])), -int(span[i]), i))
    return x


def _at(level: Fraction, base: Ints, span: Ints, lower: Ints, upper: Ints) -> Ints:
    """What every place takes whose burden is at most ``level``, within its limits; no span: its base."""
    wanted = [int(b) + floor(level * int(s)) for b, s in zip(base, span, strict=True)]
    return np.clip(np.array(wanted, dtype=np.int64), lower, upper)


def burdens(x: Ints, places: Places) -> Floats:
    """The share of its capacity that each place must use: x_i / u_i; NaN without capacity."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(places.upper > 0, x / places.upper, np.nan)


def counties_of_cities(
    parts: Mapping[str, int], counties: Mapping[str, Places], rule: str, mix: tuple[float, float, float]
) -> dict[str, dict[str, int]]:
    """Each city's part divided over its counties (M123): Σ over the counties of a city = x of the city, to the unit.

    By the same rule, within the counties' own limits; the rule of chances, which knows no county, by capacity.
    """
    found = {}
    for city, part in parts.items():
        own = counties[city]
        x = divide(rule if rule != CHANCE else CAPACITY, own, part, mix)
        found[city] = {c: int(v) for c, v in zip(own.codes, x, strict=True)}
    return found


def divide(
    rule: str, places: Places, total: int, mix: tuple[float, float, float], figures: Floats | None = None
) -> Ints:
    """``total`` over ``places`` by one of :data:`RULES`; raises ``ValueError`` where it does not lie within limits."""
    if can_be_placed(places, total) is not None:
        raise ValueError("the total does not lie within the limits of the places")
    if rule == CHANCE:
        if figures is None:
            raise ValueError("equal chances need what every place reached in the futures")
        return equal_chance(places, total, figures)
    if rule == MIXTURE:
        return by_mixture(places, total, mix)
    return {CAPACITY: by_capacity, NEED: by_need, EFFORT: equal_effort}[rule](places, total)


def merged(counties: Mapping[str, Places], present: Sequence[float] | Floats) -> Places:
    """The cities as places: limits and need are the sums of their counties', so that no city gets what they cannot do.

    ``present``: what each city does anyway, in the order of ``counties``.
    """
    return Places(
        tuple(counties),
        np.array([int(p.lower.sum()) for p in counties.values()], dtype=np.int64),
        np.array([int(p.upper.sum()) for p in counties.values()], dtype=np.int64),
        np.array([float(p.need.sum()) for p in counties.values()]),
        np.asarray(present, dtype=float),
    )
