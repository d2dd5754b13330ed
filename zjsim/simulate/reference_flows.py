"""Families without queueing for servers: flows through stages, classes that form, and batches served together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zjsim.simulate.kernel import Call, Simulation, Steps
from zjsim.simulate.reference_controls import Controlled, JumpControls, Walked, ratios
from zjsim.texts import text

Array = NDArray[np.float64]
Rng = np.random.Generator
MOST_ENTITIES = 1_500_000
"""Entities of a block of lanes: their arrays stay below some tens of megabytes."""
FEW_ENTITIES = 10
"""Entities of a lane below which a block has more lanes."""
Stages = tuple[Any, Array, Any]
"""Which entities are kept (or a function of their arrival that says so), lengths and passes by (entity, stage)."""


MOST_STEPS = 2_500_000
"""Longest lane: beyond it (a load above some 0.994) a block of lanes takes minutes, and a case hours."""
LONG = 20_000
"""Lanes that leave out more than this at the start are long: what they count need not be ten times as much."""


class RefusedError(ValueError):
    """A case that can't be answered at any sensible cost: why, and what it would take, as :attr:`zh` and :attr:`en`."""

    def __init__(self, why: str, **facts: object) -> None:
        self.zh, self.en = (text(f"validate.refused_{why}", lang, **facts) for lang in ("zh", "en"))
        super().__init__(self.en)


def bounded(steps: int) -> int:
    """``steps`` of a lane; raises :class:`RefusedError` where the system forgets its beginning too slowly."""
    if steps > MOST_STEPS:
        raise RefusedError("slow", steps=f"{steps:,}", most=f"{MOST_STEPS:,}")
    return steps


def times_counted(skip: int) -> int:
    """How many times what is left out at the start (``skip``) is counted.

    Near saturation controls take off all noise but that of the ends of a lane, which three times already makes small.
    """
    return 10 if skip <= LONG else 3


@dataclass(frozen=True, slots=True)
class Pairs:
    """A case that can be run: ``both`` gives (kernel, arrays) on the same draws, each as an array (lane, quantity);
    ``arrays`` further lanes, with their controls. An ``exact`` case has nothing random in it. ``others``: quantities of
    the same case that another run of it tells better; each is estimated by itself."""

    quantities: tuple[str, ...]
    both: Callable[[Rng], tuple[Array, Array]]
    arrays: Callable[[Rng], Controlled]
    exact: bool = False
    others: tuple[Pairs, ...] = ()


def uncontrolled(figures: Array) -> Controlled:
    """Figures without any controls."""
    return figures, np.zeros((len(figures), 0))


def _stages_by_kernel(came: Array, lengths: Array, passes: Array, at: Sequence[float]) -> tuple[Array, Array]:
    """How many are in the first stage, and how many have left the last, at each time of ``at``.

    ``lengths``, ``passes`` are (entity, stage): an entity that does not pass a stage leaves after it for good.
    """
    sim = Simulation()
    there, through = 0, 0
    seen: list[tuple[int, int]] = []

    def entity(wait: float, stages: list[float], goes_on: list[bool]) -> Steps:
        nonlocal there, through
        yield wait
        there += 1
        for n, (length, passed) in enumerate(zip(stages, goes_on, strict=True)):
            yield length
            there -= n == 0
            if not passed:
                return
        through += 1

    for wait, stages, goes_on in zip(came.tolist(), lengths.tolist(), passes.tolist(), strict=True):
        sim.start(entity(wait, stages, goes_on))
    for when in at:
        sim.at(when, lambda _: seen.append((there, through)))
    sim.run(max(at))
    return np.array(seen, dtype=float).T[0], np.array(seen, dtype=float).T[1]


def _flow(
    quantities: Sequence[str],
    at: Sequence[float],
    horizon: float,
    most: float,
    stages: Callable[[Rng, tuple[int, int]], Stages],
    through: bool,
    lanes: int,
    moments: bool = False,
) -> Pairs:
    """Poisson arrivals at rate ``most`` over ``horizon``; ``stages`` draws (kept, lengths, passes) by entity."""
    paired = 40
    expected = most * horizon
    lanes *= max(1, round(FEW_ENTITIES / expected))  # a lane in which next to nothing happens is told by many
    lanes = max(100, min(lanes, int(MOST_ENTITIES / max(expected, 10.0)) // 100 * 100))

    def draw(rng: Rng, size: int) -> tuple[Array, Array, Any, Any]:
        counts = rng.poisson(most * horizon, size)
        came = rng.random((size, int(counts.max()))) * horizon
        came[np.arange(came.shape[1])[None, :] >= counts[:, None]] = np.inf
        kept, lengths, passes = stages(rng, came.shape)
        came = np.where(kept(came) if callable(kept) else kept, came, np.inf)
        return came, lengths, passes, counts

    def figures(came: Array, lengths: Array, passes: Array) -> Array:
        ends = came + lengths.sum(axis=2)
        found = []
        for when in at:
            inside = (
                (ends <= when) & passes.all(axis=2) if through else (came <= when) & (came + lengths[:, :, 0] > when)
            )
            found.append(inside.sum(axis=1))
        return np.array(found, dtype=float).T

    def moments_of(f: Array) -> Array:
        """Mean and unbiased variance over groups of a hundred lanes."""
        groups = f[: len(f) // 100 * 100].reshape(-1, 100)
        return np.column_stack([groups.mean(axis=1), groups.var(axis=1, ddof=1)])

    def both(rng: Rng) -> tuple[Array, Array]:
        came, lengths, passes, _ = draw(rng, paired * (10 if moments else 1))
        by_kernel = []
        for lane in range(len(came)):
            here = np.isfinite(came[lane])
            there, out = _stages_by_kernel(came[lane, here], lengths[lane, here], passes[lane, here], at)
            by_kernel.append(out if through else there)
        pair = np.array(by_kernel), figures(came, lengths, passes)
        return (moments_of(pair[0]), moments_of(pair[1])) if moments else pair

    def arrays(rng: Rng) -> Controlled:
        came, lengths, passes, _ = draw(rng, lanes)
        found = figures(came, lengths, passes)
        return uncontrolled(moments_of(found) if moments else found)

    return Pairs(tuple(quantities), both, arrays)


def _one_stage(mean: float) -> Callable[[Rng, tuple[int, int]], Stages]:
    def stages(rng: Rng, size: tuple[int, int]) -> Stages:
        every = np.ones(size, dtype=bool)
        return every, rng.exponential(mean, (*size, 1)), np.ones((*size, 1), dtype=bool)

    return stages


def _from_empty(arrival: float, mean: float, at: Sequence[float]) -> Pairs:
    names = [f"N({t:g})" for t in at]
    return _flow(names, at, max(at), arrival, _one_stage(mean), through=False, lanes=4000)


def _stationary(arrival: float, mean: float) -> Pairs:
    horizon = 11 * mean  # of those who came earlier one in 60,000 is there still
    return _flow(
        ("E N", "Var N"), (horizon,), horizon, arrival, _one_stage(mean), through=False, lanes=4000, moments=True
    )


def _seasonal(base: float, swing: float, service: float, at: Sequence[float]) -> Pairs:
    cycles = float(np.ceil(20 / service))
    most = base + abs(swing)

    def stages(rng: Rng, size: tuple[int, int]) -> Stages:
        u = rng.random(size)
        kept = lambda came: u * most < base + swing * np.sin(2 * np.pi * np.where(np.isfinite(came), came, 0.0))  # noqa: E731
        return kept, rng.exponential(1 / service, (*size, 1)), np.ones((*size, 1), dtype=bool)

    times = [cycles + t for t in at]
    names = [f"m({t:g})" for t in at]
    return _flow(names, times, max(times), most, stages, through=False, lanes=4000)


def _pipeline(rate: float, passing: Sequence[float], means: Sequence[float], at: Sequence[float]) -> Pairs:
    """Disclosures that will pass are drawn alone for the many lanes (thinning), all of them for the kernel's."""

    def whole(rng: Rng, size: tuple[int, int]) -> Stages:
        shape = (*size, len(means))
        every = np.ones(size, dtype=bool)
        return every, rng.exponential(1.0, shape) * np.array(means), rng.random(shape) < np.array(passing)

    def thinned(rng: Rng, size: tuple[int, int]) -> Stages:
        every, lengths, _ = whole(rng, size)
        return every, lengths, np.ones(lengths.shape, dtype=bool)

    names = [f"ends by {t:g}" for t in at]
    all_of_them = _flow(names, at, max(at), rate, whole, through=True, lanes=100)
    few = _flow(names, at, max(at), rate * float(np.prod(passing)), thinned, through=True, lanes=4000)
    return Pairs(all_of_them.quantities, all_of_them.both, few.arrays)


def _non_use(hazard: float, inflow: float, clock: float, horizon: float) -> Pairs:
    def stages(rng: Rng, size: tuple[int, int]) -> Stages:
        every = np.ones(size, dtype=bool)
        idle = rng.exponential(1 / hazard, (*size, 1)) > clock
        return every, np.full((*size, 1), clock), idle

    return _flow(("listed",), (horizon,), horizon, inflow, stages, through=True, lanes=100)


def _class_forming(batch: int, rate: float) -> Pairs:
    classes, lanes = 300, 200

    def by_arrays(gaps: Array) -> Array:
        came = np.cumsum(gaps, axis=1).reshape(len(gaps), -1, batch)
        starts = came[:, :, -1]
        between = np.diff(starts, axis=1)
        wait = (starts[:, :, None] - came).mean(axis=(1, 2))
        return np.column_stack([wait, between.std(axis=1, ddof=1) / between.mean(axis=1)])

    def by_kernel(gaps: list[float]) -> Array:
        sim = Simulation()
        waiting: list[float] = []
        waits: list[float] = []
        starts: list[float] = []

        def learners() -> Steps:
            for gap in gaps:
                yield gap
                waiting.append(sim.now)
                if len(waiting) == batch:
                    starts.append(sim.now)
                    waits.extend(sim.now - came for came in waiting)
                    waiting.clear()

        sim.start(learners())
        sim.run()
        between = np.diff(starts)
        return np.array([np.mean(waits), between.std(ddof=1) / between.mean()])

    def both(rng: Rng) -> tuple[Array, Array]:
        gaps = rng.exponential(1 / rate, (4, classes * batch))
        return np.array([by_kernel(lane) for lane in gaps.tolist()]), by_arrays(gaps)

    def arrays(rng: Rng) -> Controlled:
        return uncontrolled(by_arrays(rng.exponential(1 / rate, (lanes, classes * batch))))

    return Pairs(("mean wait", "cv of gaps"), both, arrays)


def _partial_batches(b: int, arrival: float, service: float) -> Pairs:
    """Whoever comes while a batch with room is served joins it and ends with it: a completion takes up to b away."""
    spare = (1 - arrival / (b * service)) ** 2
    skip = int(200 + 8 * (b + 1) * (1 + 1 / b) / spare)
    steps = bounded(skip + 1 + 60 * (skip // 15))

    def by_arrays(draw: Callable[[int], tuple[Array, Array]], lanes: int) -> Walked:
        controls, busy = JumpControls(lanes, np.arange(2), np.ones(2), 2), np.full((lanes, 2), arrival)
        there = np.zeros(lanes)
        done, clock = np.full(lanes, np.inf), np.zeros(lanes)
        coming, area, mark = draw(0)[0] / arrival, np.zeros(lanes), np.zeros(lanes)
        for event in range(1, steps):
            gap, work = draw(event)
            arrives = coming <= done
            now = np.where(arrives, coming, done)
            if event > skip:
                area += there * (now - clock)
                busy[:, 1] = service * (there > 0)
                taken = np.minimum(there, b)
                state = np.column_stack([there * np.maximum(taken, 1.0), taken * taken])
                controls.add(state, busy, now - clock, 1 - arrives.astype(np.int64))
            if event == skip:
                mark = now
            clock = now
            coming = np.where(arrives, now + gap / arrival, coming)
            there = np.where(arrives, there + 1, np.maximum(there - b, 0.0))
            starts = np.where(arrives, there == 1, there > 0)
            done = np.where(starts, now + work / service, np.where(arrives, done, np.inf))
        return area[:, None], clock - mark, controls.flat()

    def by_kernel(gaps: list[float], works: list[float]) -> float:
        sim = Simulation()
        event, there, area, last = 0, 0, 0.0, 0.0
        marks: list[tuple[float, float]] = []

        def tick() -> None:
            nonlocal event, area, last
            area += there * (sim.now - last)
            last = sim.now
            event += 1
            if event in (skip, steps - 1):
                marks.append((sim.now, area))

        def arrive(_: Call) -> None:
            nonlocal there
            if event >= steps - 1:
                return
            tick()
            sim.at(sim.now + gaps[event] / arrival, arrive)
            there += 1
            if there == 1:
                sim.at(sim.now + works[event] / service, complete)

        def complete(_: Call) -> None:
            nonlocal there
            if event >= steps - 1:
                return
            tick()
            there = max(there - b, 0)
            if there:
                sim.at(sim.now + works[event] / service, complete)

        sim.at(gaps[0] / arrival, arrive)
        sim.run()
        return (marks[1][1] - marks[0][1]) / (marks[1][0] - marks[0][0])

    def figures(number: Array) -> Array:
        return np.column_stack([number, number / arrival])

    def both(rng: Rng) -> tuple[Array, Array]:
        gaps, works = rng.exponential(1.0, (steps, 4)), rng.exponential(1.0, (steps, 4))
        found = [by_kernel(gaps[:, k].tolist(), works[:, k].tolist()) for k in range(4)]
        area, time, _ = by_arrays(lambda e: (gaps[e], works[e]), 4)
        return figures(np.array(found)), figures(area[:, 0] / time)

    def arrays(rng: Rng) -> Controlled:
        area, time, controls = by_arrays(lambda _: (rng.exponential(1.0, 1000), rng.exponential(1.0, 1000)), 1000)
        return figures(ratios(area, time)[:, 0]), controls

    return Pairs(("L", "W"), both, arrays)


FLOWS: Mapping[str, Callable[..., Pairs]] = {
    "M/M/inf from empty": _from_empty,
    "M/G/inf": _stationary,
    "M_t/M/inf": _seasonal,
    "pipeline": _pipeline,
    "two-year non-use": _non_use,
    "class forming": _class_forming,
    "partial batches": _partial_batches,
}
