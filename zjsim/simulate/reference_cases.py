"""How a case of a family is built: what it draws, what the kernel and the recursion do with it, what is counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import fsum, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zjsim.simulate import reference_models as models
from zjsim.simulate.reference_controls import Controlled, ratios
from zjsim.simulate.reference_flows import FLOWS, Pairs, bounded, times_counted, uncontrolled
from zjsim.simulate.reference_values import LAWS

Array = NDArray[np.float64]
Rng = np.random.Generator

KERNEL_LANES, LANES, CHUNK = 4, 500, 100
MUCH_IDLE = 1.5
"""So many deviations (root of the work offered) of idle servers: few wait, and how many tells more than how long."""
KERNEL_STEPS = 20_000
"""Longest path that the kernel walks beside the recursion: on the same draws any length shows whether they agree."""


def service_times(rng: Rng, law: str, shape: Mapping[str, float], size: tuple[int, ...]) -> Array:
    """Draws of a service law of :data:`LAWS`."""
    s = dict(shape)
    match law:
        case "deterministic":
            return np.full(size, s["mean"])
        case "exponential":
            return rng.exponential(s["mean"], size)
        case "erlang":
            return rng.gamma(s["k"], s["mean"] / s["k"], size)
        case "lognormal":
            sigma2 = np.log1p(s["cv"] ** 2)
            return rng.lognormal(np.log(s["mean"]) - sigma2 / 2, np.sqrt(sigma2), size)
        case "uniform":
            return rng.uniform(s["low"], s["high"], size)
        case "triangular":
            return rng.triangular(s["low"], s["mode"], s["high"], size)
    share = (1 + np.sqrt((s["cv2"] - 1) / (s["cv2"] + 1))) / 2  # hyperexponential with balanced means
    fast = rng.random(size) < share
    return np.asarray(rng.exponential(1.0, size) * s["mean"] / 2 / np.where(fast, share, 1 - share))


def _queue(
    q: models.Queue,
    draw: Callable[[Rng, tuple[int, int]], models.Draws],
    steps: tuple[int, int],
    quantities: Sequence[str],
    combine: Callable[[Array], Array],
) -> Pairs:
    """A queue drawn in chunks (``steps``: their length and number); ``combine`` makes the quantities of six figures."""
    length, chunks = steps
    bounded(length * chunks)
    few = max(1, min(chunks, KERNEL_STEPS // length))
    beside = replace(q, skip=q.skip * few // chunks)

    def both(rng: Rng) -> tuple[Array, Array]:
        drawn = [draw(rng, (length, KERNEL_LANES)) for _ in range(few)]
        whole = {name: np.concatenate([d[name] for d in drawn]) for name in drawn[0]}
        came = np.cumsum(whole["gap"], axis=0)
        by_kernel = [
            models.queue_by_kernel(beside, came[:, k], whole["service"][:, k], whole["patience"][:, k])
            for k in range(KERNEL_LANES)
        ]
        return combine(np.array(by_kernel)), combine(models.queue_by_arrays(beside, drawn, KERNEL_LANES)[0])

    def arrays(rng: Rng) -> Controlled:
        ask = lambda k: draw(rng, (length, LANES)) if k < chunks else None  # noqa: E731
        figures, controls = models.queue_by_arrays(q, ask, LANES)
        return combine(figures), controls

    return Pairs(tuple(quantities), both, arrays)


def _poisson_queue(
    arrival: float,
    law: str,
    shape: Mapping[str, float],
    quantities: Sequence[str],
    combine: Callable[[Array], Array],
    *,
    servers: int = 1,
    room: int = 0,
    patience: float = 0.0,
    tail: float = 0.0,
    batch: int = 1,
    stages: int = 1,
) -> Pairs:
    """Arrivals at ``arrival`` (Erlang gaps of ``stages``, ``batch`` at once), any service, exponential patience.

    What is left out at the start is four times as long as the queue takes to forget that it was empty: after that the
    mean lacks less than a thousandth, and a thirtieth of it over what is counted.
    """
    mean, cv2 = LAWS[law](**shape)
    load = min(arrival * batch * mean / servers, 0.999)
    slow = 1 / (1 - load) ** 2
    if room:
        slow = min(slow, (1 + room - servers) ** 2 / 4)
    if patience:
        slow = min(slow, 1 + 1 / (patience * mean))
    chunk = batch * max(1, CHUNK // batch)
    skip = batch * int(200 + 8 * servers + 8 * (1 / stages + cv2 / batch) * slow + 8 * bool(patience) * slow * servers)
    first = np.arange(chunk) % batch == 0

    def draw(rng: Rng, size: tuple[int, int]) -> models.Draws:
        gap = rng.gamma(stages, 1 / stages / arrival, size) if stages > 1 else rng.exponential(1 / arrival, size)
        wait = rng.exponential(1 / patience, size) if patience else np.full(size, np.inf)
        kept = gap if batch == 1 else np.where(first[:, None], gap, 0.0)
        return {"gap": kept, "service": service_times(rng, law, shape, size), "patience": wait}

    squares = (mean**2 * (1 + cv2), (1 + 1 / stages) / arrival**2)
    q = models.Queue(servers, room, skip, tail, (mean, squares[0]), (1 / arrival, squares[1]), batch)
    return _queue(q, draw, (chunk, times_counted(skip) * skip // chunk + 10), quantities, combine)


def _many_servers(c: int, arrival: float, service: float) -> Pairs:
    def combine(f: Array) -> Array:
        wait, stay, waited, longer = f[:, 0], f[:, 1], f[:, 2], f[:, 3]
        return np.column_stack([waited, arrival * wait, wait, arrival * stay, stay, longer])

    names = ("P(wait)", "Lq", "Wq", "L", "W", "P(Wq > 1/mu)")
    queue = _poisson_queue(arrival, "exponential", {"mean": 1 / service}, names, combine, servers=c, tail=1 / service)
    return _beside(queue, _numbers(c, arrival, service)) if _few_wait(c, arrival / service) else queue


def _few_wait(c: int, offered: float) -> bool:
    """Whether so many of ``c`` servers are idle on average that next to nobody waits."""
    return c > 1 + offered + MUCH_IDLE * sqrt(offered)


def _beside(pairs: Pairs, better: Pairs) -> Pairs:
    """``pairs`` for what ``better`` does not tell."""
    left = tuple(f"{n} of customers" if n in better.quantities else n for n in pairs.quantities)
    return replace(pairs, quantities=left, others=(better,))


def _numbers(c: int, arrival: float, service: float) -> Pairs:
    """Numbers of an M/M/c queue of which next to nobody waits, jump by jump; times follow by Little's law."""
    a = arrival / service
    slow = 16 / (c * service) / (1 - a / c) ** 2 + 10 / service
    skip = int(200 + 2 * arrival * slow)
    lowest = max(0, int(a - 3 * sqrt(a)))
    net = models.Network((c,), (service,), ((0.0,),), (arrival,), 0, skip, 0, lowest)

    def combine(f: Array) -> Array:
        number, waiting = f[:, 0], f[:, 2]
        return np.column_stack([waiting, waiting / arrival, number, number / arrival])

    return _network(net, _events(skip, times_counted(skip)), ("Lq", "Wq", "L", "W"), combine, lanes=300)


def _general(arrival: float, law: str, **shape: float) -> Pairs:
    return _poisson_queue(arrival, law, shape, ("Wq",), lambda f: f[:, :1])


def _deterministic(rho: float, within: float) -> Pairs:
    return _poisson_queue(rho, "deterministic", {"mean": 1.0}, ("P(Wq <= t)",), lambda f: 1 - f[:, 3:4], tail=within)


def _erlang_arrivals(b: int, rho: float, service: float) -> Pairs:
    shape = {"mean": 1 / service}
    return _poisson_queue(rho * service, "exponential", shape, ("Wq",), lambda f: f[:, :1], stages=b)


def _erlang_b(c: int, a: float) -> Pairs:
    return _poisson_queue(a, "exponential", {"mean": 1.0}, ("P(block)",), lambda f: f[:, 4:5], servers=c, room=c)


def _limited(c: int, room: int, arrival: float, service: float) -> Pairs:
    def combine(f: Array) -> Array:
        return np.column_stack([f[:, 4], arrival * (1 - f[:, 4]), arrival * f[:, 0]])

    names = ("P(block)", "throughput", "Lq")
    queue = _poisson_queue(arrival, "exponential", {"mean": 1 / service}, names, combine, servers=c, room=room)
    if room == c or not _few_wait(c, arrival / service):
        return queue
    # A source that stops while the room is full: customers go round from it to the servers and back.
    lowest = max(0, int(arrival / service - 3 * sqrt(arrival / service)))
    around = ((0.0, 1.0), (1.0, 0.0))
    net = models.Network((1, c), (arrival, service), around, (0.0, 0.0), room, 300 + 60 * room, 1, lowest)
    return _beside(
        queue, _network(net, _events(net.skip, times_counted(net.skip)), ("Lq",), lambda f: f[:, 4:5], lanes=300)
    )


def _abandonment(c: int, arrival: float, service: float, patience: float) -> Pairs:
    def combine(f: Array) -> Array:
        return np.column_stack([f[:, 5], arrival * f[:, 0], f[:, 2]])

    names = ("P(abandon)", "Lq", "P(wait>0)")
    return _poisson_queue(arrival, "exponential", {"mean": 1 / service}, names, combine, servers=c, patience=patience)


def _bulk(batch: int, arrival: float, service: float) -> Pairs:
    def combine(f: Array) -> Array:
        return arrival * batch * f[:, 1:2]

    return _poisson_queue(arrival, "exponential", {"mean": 1 / service}, ("L",), combine, batch=batch)


def _hand_trace(arrivals: Sequence[float], service: Sequence[float]) -> Pairs:
    def both(_: Rng) -> tuple[Array, Array]:
        q, n = models.Queue(1, 0, 0, 0.0), len(arrivals)
        gap = np.diff(np.array(arrivals, dtype=float), prepend=0.0)
        lengths, limit = np.array(service, dtype=float), np.full(n, np.inf)
        chunk = {"gap": gap[:, None], "service": lengths[:, None], "patience": limit[:, None]}
        by_kernel = models.queue_by_kernel(q, np.cumsum(gap), lengths, limit)
        return by_kernel[None, :2], models.queue_by_arrays(q, [chunk], 1)[0][:, :2]

    return Pairs(("mean wait", "mean time in system"), both, lambda rng: uncontrolled(both(rng)[1]), exact=True)


def _events(skip: int, times: int) -> int:
    """Events of a lane: ``times`` as many are counted as are left out, a multiple of 60.

    Jumps go round: with one node the number in system is even and odd in turn. Whole rounds leave no trace of it.
    """
    return skip + 1 + 60 * -(-times * skip // 60)


def _jumps(names: Sequence[str], rng: Rng, lanes: int) -> Callable[[int], models.Draws]:
    """Draws of one event after the other: uniform ``turn``, exponential others."""
    return lambda event: {n: rng.random(lanes) if n == "turn" else rng.exponential(1.0, lanes) for n in names}


def _paired(rng: Rng, steps: int, names: Sequence[str]) -> tuple[dict[str, Array], Callable[[int], models.Draws]]:
    """The draws of the lanes that the kernel walks, whole, and event by event."""
    size = (steps, KERNEL_LANES)
    whole = {n: rng.random(size) if n == "turn" else rng.exponential(1.0, size) for n in names}
    return whole, lambda event: {n: x[event] for n, x in whole.items()}


def _network(
    net: models.Network, steps: int, quantities: Sequence[str], combine: Callable[[Array], Array], lanes: int = LANES
) -> Pairs:
    names = ("gap", "turn", "first", "second")
    few = min(bounded(steps), KERNEL_STEPS)
    beside = replace(net, skip=net.skip * few // steps)

    def both(rng: Rng) -> tuple[Array, Array]:
        begin = rng.exponential(1.0, (max(net.customers, 1), KERNEL_LANES))
        whole, draw = _paired(rng, few, names)
        by_kernel = [
            models.network_by_kernel(
                beside, {**{n: x[:, k].tolist() for n, x in whole.items()}, "begin": begin[:, k].tolist()}
            )
            for k in range(KERNEL_LANES)
        ]
        area, time, _ = models.network_by_arrays(beside, few, draw, begin, KERNEL_LANES)
        return combine(np.array(by_kernel)), combine(area / time[:, None])

    def arrays(rng: Rng) -> Controlled:
        begin = rng.exponential(1.0, (max(net.customers, 1), lanes))
        area, time, controls = models.network_by_arrays(net, steps, _jumps(names, rng, lanes), begin, lanes)
        return combine(ratios(area, time)), controls

    return Pairs(tuple(quantities), both, arrays)


def _open(gamma: Any, servers: Any, service: Any, routing: Any) -> Pairs:
    nodes = len(servers)
    rates = np.linalg.solve(np.eye(nodes) - np.array(routing).T, np.array(gamma, dtype=float))
    capacity = np.array(servers) * np.array(service)
    spare = np.minimum(np.maximum(1 - rates / capacity, 1e-3), 1.0)
    slow = np.max(16 / capacity / spare**2) + np.sum(10 / np.array(service))
    skip = int(200 * nodes + (sum(gamma) + rates.sum()) * slow)
    net = models.Network(tuple(servers), tuple(service), tuple(map(tuple, routing)), tuple(gamma), 0, skip)

    def combine(f: Array) -> Array:
        numbers = f[:, :nodes]
        total = numbers.sum(axis=1)
        return np.column_stack([numbers, total, total / fsum(gamma), f[:, nodes]])

    names = (*(f"L_{i}" for i in range(1, nodes + 1)), "L", "W", "lambda_1")
    return _network(net, _events(skip, times_counted(skip)), names, combine, lanes=250)


def _closed(customers: int, servers: Any, service: Any, routing: Any) -> Pairs:
    many = tuple(min(c, customers) for c in servers)
    skip = 200 + 20 * customers * (customers + len(many))
    net = models.Network(many, tuple(service), tuple(map(tuple, routing)), (0.0,) * len(many), customers, skip)
    names = (*(f"L_{i}" for i in range(1, len(many) + 1)), "throughput")
    return _network(net, _events(skip, 5), names, lambda f: f, lanes=200)


def _machines(machines: int, repairers: int, failure: float, repair: float) -> Pairs:
    skip = 300 + 60 * machines
    repairers = min(repairers, machines)
    around = ((0.0, 1.0), (1.0, 0.0))
    net = models.Network((machines, repairers), (failure, repair), around, (0.0, 0.0), machines, skip, 1)

    def combine(f: Array) -> Array:
        down, broken = f[:, 1], f[:, 2]
        stay = ratios(down[:, None], broken)[:, 0] if len(f) > KERNEL_LANES else down / broken
        return np.column_stack([down, f[:, 4], stay, f[:, 0]])

    return _network(net, _events(skip, 5), ("L (down)", "Lq", "W", "mean up"), combine, lanes=200)


def _ranked(arrivals: Any, service: float, c: int = 1, preemptive: bool = False) -> Pairs:
    load = min(fsum(arrivals) / service / c, 0.999)
    skip = int(200 + 16 * c + 32 / (1 - load) ** 2)
    ranks = models.Ranked(c, tuple(arrivals), service, preemptive, skip)
    steps, rates = _events(skip, times_counted(skip) - 1), np.array(arrivals)
    few = min(bounded(steps), KERNEL_STEPS)
    beside = replace(ranks, skip=skip * few // steps)
    names = ("gap", "turn", "first")

    def combine(f: Array) -> Array:
        return f / rates if preemptive else np.column_stack([f / rates, f.sum(axis=1)])

    def both(rng: Rng) -> tuple[Array, Array]:
        whole, draw = _paired(rng, few, names)
        lanes = [{n: x[:, k].tolist() for n, x in whole.items()} for k in range(KERNEL_LANES)]
        by_kernel = np.array([models.ranked_by_kernel(beside, lane) for lane in lanes])
        area, time, _ = models.ranked_by_arrays(beside, few, draw, KERNEL_LANES)
        return combine(by_kernel), combine(area / time[:, None])

    def arrays(rng: Rng) -> Controlled:
        area, time, controls = models.ranked_by_arrays(ranks, steps, _jumps(names, rng, LANES), LANES)
        return combine(ratios(area, time)), controls

    kind = "W" if preemptive else "Wq"
    found = [f"{kind} class {n}" for n in range(1, len(arrivals) + 1)]
    return Pairs(tuple(found if preemptive else [*found, "sum lambda_i Wq_i"]), both, arrays)


def _preemptive(arrivals: Any, service: float) -> Pairs:
    if len(arrivals) != 2:
        raise ValueError("the preemptive family has two classes")
    return _ranked(arrivals, service, preemptive=True)


BUILDERS: Mapping[str, Callable[..., Pairs]] = {
    "M/M/c": _many_servers,
    "M/G/1": _general,
    "M/D/1": _deterministic,
    "E_b/M/1": _erlang_arrivals,
    "Erlang B": _erlang_b,
    "M/M/c/K": _limited,
    "Erlang A": _abandonment,
    "bulk arrivals": _bulk,
    "hand trace": _hand_trace,
    "open network": _open,
    "closed network": _closed,
    "machine repair": _machines,
    "priority": _ranked,
    "preemptive priority": _preemptive,
    **FLOWS,
}
"""Family → how its cases are built; families that are not here are purely analytic."""
