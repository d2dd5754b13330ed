"""Known answers: any case of a queueing family through the product's kernel, against the value that theory gives.

``run_case("M/M/c", c=3, arrival=2.0, service=1.0)`` returns one :class:`Answer` per quantity. Purely analytic families
have no estimate: there the value itself is what is shown.

How an estimate gets narrow in seconds: a queue under load forgets slowly, so the half-width asked for takes tens of
millions of events, minutes in any event-by-event engine. Therefore two levels are added up. The kernel walks some lanes
and an array recursion walks the same lanes on the same draws: the mean difference (zero if both are right) with its
t-interval. The recursion walks many more lanes: the mean, with its interval. Their sum is an unbiased estimate of what
the kernel gives on average, with half-widths added and the error shared: a kernel that is wrong moves it by as much.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zjsim.simulate import reference_values as theory
from zjsim.simulate.reference_cases import BUILDERS
from zjsim.simulate.reference_controls import controlled_mean
from zjsim.simulate.reference_flows import Pairs, RefusedError
from zjsim.simulate.streams import Streams

Array = NDArray[np.float64]

SEED = 20241231
PRECISION, OF_PROBABILITY = 0.01, 0.002
"""Largest half-width: a share of the value, or that much of a probability."""
SPARE = 0.9
"""An estimate is made a little narrower than it has to be."""
UNSEEN = 2e-5
"""Smallest half-width as a share of the value: what happens to one in a million may be seen by no lane of a block."""
MOST_BLOCKS = 400
"""A case that would need more blocks of lanes is refused: it would take many minutes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A quantity of a case: what theory says, what the kernel gives (NaN: purely analytic), how far that may be off.

    ``paired`` is the mean difference between kernel and recursion on the same draws.
    """

    family: str
    quantity: str
    value: float
    estimate: float
    half_width: float
    paired: float = 0.0

    @property
    def simulated(self) -> bool:
        """Whether the kernel was asked."""
        return not np.isnan(self.estimate)

    @property
    def narrow(self) -> bool:
        """Whether the half-width is small enough."""
        wanted = OF_PROBABILITY if self.quantity.startswith("P(") else PRECISION * abs(self.value)
        return not self.simulated or self.half_width <= max(wanted, 1e-12)

    @property
    def passed(self) -> bool:
        """Whether theory lies within the interval, and the interval is narrow enough."""
        return not self.simulated or (self.narrow and abs(self.estimate - self.value) <= self.half_width + 1e-9)


VALUES: Mapping[str, Callable[..., theory.Values]] = {
    "class forming": theory.class_forming,
    "closed network": theory.closed_network,
    "E_b/M/1": theory.erlang_arrivals,
    "Erlang time to target": theory.erlang_time,
    "Erlang B": lambda c, a: {"P(block)": theory.erlang_b(c, a)},
    "Erlang B inverse": theory.erlang_b_inverse,
    "hand trace": theory.hand_trace,
    "M/D/1": theory.deterministic_wait,
    "M/G/1": theory.general_service,
    "M/G/inf": theory.infinite_stationary,
    "preemptive priority": theory.preemptive,
    "priority": theory.priority,
    "M/M/1 asymptotic variance": theory.asymptotic_variance,
    "M/M/c": theory.many_servers,
    "Erlang A": theory.abandonment,
    "M/M/c/K": theory.limited_room,
    "M/M/inf from empty": theory.infinite_from_empty,
    "partial batches": theory.partial_batches,
    "bulk arrivals": theory.bulk_arrivals,
    "M_t/M/inf": theory.infinite_seasonal,
    "machine repair": theory.machine_repair,
    "open network": theory.open_network,
    "binomial reach": theory.binomial_reach,
    "Poisson reach": theory.poisson_reach,
    "pipeline": theory.pipeline,
    "stage time": theory.stage_time,
    "training capacity": theory.teaching_load,
    "two-year non-use": theory.non_use,
}
"""Family → the function that gives its values; its arguments are the family's parameters."""


def run_case(family: str, *, error: float = 0.01, seed: int = SEED, case: int = 0, **parameters: Any) -> list[Answer]:
    """Every quantity of a case of ``family`` (a key of :data:`VALUES`) with the parameters of its function.

    ``error`` is the chance that any interval of the case misses; ``case`` numbers the draws. Raises ``KeyError`` for an
    unknown family and :class:`~zjsim.simulate.reference_flows.RefusedError`, a ``ValueError`` that says why in both
    languages, if the half-width can't be reached.
    """
    values = VALUES[family](**parameters)
    build = BUILDERS.get(family)
    if build is None:
        return [Answer(family, name, float(value), np.nan, np.nan) for name, value in values.items()]
    pairs = build(**parameters)
    parts = (pairs, *pairs.others)
    asked = [[name for name in values if name in part.quantities] for part in parts]
    share = error / max(1, sum(map(len, asked)))
    nothing = [name for name in values if not values[name]]
    found: dict[str, tuple[float, float, float]] = {}
    for n, (part, names) in enumerate(zip(parts, asked, strict=True)):
        found |= _estimate(part, names, share, Streams(seed, case), f"{family} {n}" if n else family, nothing)
    return [
        Answer(family, name, float(value), *found.get(name, (np.nan, np.nan, 0.0))) for name, value in values.items()
    ]


def _estimate(
    pairs: Pairs, asked: Sequence[str], error: float, streams: Streams, family: str, nothing: Collection[str] = ()
) -> dict[str, tuple[float, float, float]]:
    """Quantity → estimate, half-width, mean paired difference; ``nothing``: quantities that are zero in theory."""
    pick = [pairs.quantities.index(name) for name in asked]
    by_kernel, by_arrays = pairs.both(streams.generator("reference", family, "kernel"))
    difference = (by_kernel - by_arrays)[:, pick]
    paired = difference.mean(axis=0)
    scale = np.abs(by_kernel[:, pick].mean(axis=0))
    spread = difference.std(axis=0, ddof=1) if len(difference) > 1 else np.zeros(len(pick))
    spread = np.where(np.abs(difference).max(axis=0) <= 1e-7 * np.maximum(scale, 1e-12), 0.0, spread)
    lanes = len(difference)
    half_paired = theory.tail_quantile(error / 2, max(1, lanes - 1)) * spread / np.sqrt(lanes)
    if pairs.exact:
        return {n: (float(by_kernel[0, p]), 0.0, float(d)) for n, p, d in zip(asked, pick, paired, strict=True)}
    figures: list[Array] = []
    controls: list[Array] = []
    while True:
        found, beside = pairs.arrays(streams.generator("reference", family, "arrays", str(len(figures))))
        figures.append(found[:, pick])
        controls.append(beside)
        mean, half = controlled_mean(np.concatenate(figures), np.concatenate(controls), error / 2)
        chance = np.array([n.startswith("P(") for n in asked])
        half = np.maximum(half, np.where(chance, OF_PROBABILITY / 10, UNSEEN * np.abs(mean)))
        unseen = [n for n, m, h in zip(asked, mean, half, strict=True) if m == h == 0.0 and n not in nothing]
        if unseen:
            raise RefusedError("rare", family=family, quantities=", ".join(unseen))
        wanted = np.array(
            [OF_PROBABILITY if n.startswith("P(") else PRECISION * abs(m) for n, m in zip(asked, mean, strict=True)]
        )
        if np.all(half_paired + half <= SPARE * wanted):
            break
        if np.any(half_paired > wanted):
            raise ValueError(f"{family}: kernel and recursion differ by {paired} ± {half_paired} on the same draws")
        needed = len(figures) * float(np.max(half / np.maximum(SPARE * wanted - half_paired, 1e-300))) ** 2
        if needed > MOST_BLOCKS and (len(figures) >= 5 or needed > 10 * MOST_BLOCKS):
            raise RefusedError("blocks", family=family, needed=f"{needed:.0f}", most=MOST_BLOCKS)
    return {
        n: (float(m + d), float(h + hp), float(d))
        for n, m, d, h, hp in zip(asked, mean, paired, half, half_paired, strict=True)
    }
