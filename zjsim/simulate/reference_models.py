"""The queueing families as processes of the product's own kernel, and the same paths as array recursions.

Both sides of a pair get the same random numbers (arrays by step, then by lane). The kernel walks through one lane at a
time, event by event; the recursion walks through thousands of lanes at once. On the lanes that both have walked they
must agree, and they differ as soon as the kernel serves somebody too early, too late or in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zjsim.simulate.kernel import Call, Pool, PriorityPool, Simulation, Steps
from zjsim.simulate.reference_controls import Controlled, JumpControls, QueueControls, Walked

Array = NDArray[np.float64]
Draws = dict[str, Array]
"""What a family draws: name → array (step, lane)."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, first come first served: ``servers``, at most ``room`` in system (0: no limit), how many customers are
    left out at the start (``skip``), and the waiting time ``tail`` whose excess is counted.

    ``service`` and ``gap`` are mean and mean square of what is drawn, ``batch`` how many come at once (for controls).
    """

    servers: int
    room: int
    skip: int
    tail: float
    service: tuple[float, float] = (0.0, 0.0)
    gap: tuple[float, float] = (0.0, 0.0)
    batch: int = 1


def queue_by_kernel(q: Queue, came: Array, service: Array, patience: Array) -> Array:
    """One lane through the kernel: (wait, time in system, waited, waited longer than the tail, blocked, gave up)."""
    sim = Simulation()
    pool = Pool(sim, q.servers)
    n = len(came)
    wait, left = np.zeros(n), np.zeros(n)
    blocked, gave_up = np.zeros(n), np.zeros(n)
    times, lengths, limits = came.tolist(), service.tolist(), patience.tolist()

    def customer(i: int) -> Steps:
        if q.room and pool.lent + pool.waiting >= q.room:
            blocked[i] = 1.0
            return
        yield pool
        wait[i] = sim.now - times[i]
        if wait[i] > limits[i]:
            wait[i], gave_up[i] = limits[i], 1.0
            pool.release()
            return
        yield lengths[i]
        left[i] = sim.now - times[i]
        pool.release()

    def arrive(call: Call) -> None:
        i = call.argument
        if i + 1 < n:
            sim.at(times[i + 1], arrive, i + 1)
        sim.start(customer(i))

    sim.at(times[0], arrive, 0)
    sim.run()
    part = slice(q.skip, None)
    figures = (wait, left, wait > 1e-12, wait > q.tail, blocked, gave_up)
    return np.array([np.mean(f[part]) for f in figures])


def queue_by_arrays(q: Queue, chunks: Sequence[Draws] | Callable[[int], Draws | None], lanes: int) -> Controlled:
    """Every lane by Kiefer and Wolfowitz' recursion: the figures of :func:`queue_by_kernel` by (lane, figure)."""
    ask = chunks if callable(chunks) else lambda k: chunks[k] if k < len(chunks) else None
    clock, every = np.zeros(lanes), np.arange(lanes)
    free, leaving = np.zeros((lanes, q.servers)), np.zeros((lanes, q.room))
    sums, controls = np.zeros((6, lanes)), QueueControls(lanes, q.service, q.gap, q.batch)
    waited = np.zeros(lanes)
    step = k = 0
    while (chunk := ask(k)) is not None:
        k += 1
        for gap, length, limit in zip(chunk["gap"], chunk["service"], chunk["patience"], strict=True):
            clock = clock + gap
            server = free.argmin(axis=1) if q.servers > 1 else 0
            start = np.maximum(clock, free[every, server])
            wait = start - clock
            blocked = (leaving > clock[:, None]).sum(axis=1) >= q.room if q.room else np.zeros(lanes, dtype=bool)
            gave_up = ~blocked & (wait > limit)
            served = ~(blocked | gave_up)
            end = start + length
            free[every, server] = np.where(served, end, free[every, server])
            if q.room:
                oldest = leaving.argmin(axis=1)
                leaving[every, oldest] = np.where(served, end, leaving[every, oldest])
            if step >= q.skip:
                controls.add(step, waited, wait, gap, length)
                waited = wait
                wait = np.where(blocked, 0.0, np.minimum(wait, limit))
                sums += (wait, np.where(served, end - clock, 0.0), wait > 1e-12, wait > q.tail, blocked, gave_up)
            else:
                waited = wait
            step += 1
    return (sums / (step - q.skip)).T, (controls.sums / (step - q.skip)).T


@dataclass(frozen=True, slots=True)
class Network:
    """Nodes with exponential service: ``servers`` and ``rates`` by node, ``routing`` row by node (what is missing to 1
    leaves), arrivals at ``gamma`` by node, or ``customers`` who begin at the first node; ``skip`` events left out.
    ``watched`` (none: -1) is a node whose controls are told level by level, from ``lowest`` to its servers: in balance
    as many go up from a level as come down to it, so that the rare ones follow from the frequent ones.
    """

    servers: tuple[int, ...]
    rates: tuple[float, ...]
    routing: tuple[tuple[float, ...], ...]
    gamma: tuple[float, ...]
    customers: int
    skip: int
    watched: int = -1
    lowest: int = 0

    def state(self, there: Array) -> Array:
        """Parts of the state (lane, part) of numbers by (lane, node): what jumps are told apart by."""
        if self.watched < 0:
            return there
        n, full = there[:, self.watched, None], self.servers[self.watched]
        levels = np.arange(self.lowest, full)
        return np.column_stack([n, n == levels, n >= full, np.maximum(n - full, 0)])

    @property
    def parts(self) -> int:
        """How many parts the state has."""
        return len(self.servers) if self.watched < 0 else 3 + self.servers[self.watched] - self.lowest


def network_by_kernel(net: Network, d: dict[str, list[float]]) -> Array:
    """One lane through the kernel: average number by node, departures of the first node per time, average number who
    wait by node; averages over time are the kernel's own: busy and waiting time of its pools."""
    sim = Simulation()
    pools = [Pool(sim, c) for c in net.servers]
    onward = np.cumsum(net.routing, axis=1).tolist()
    entry = (np.cumsum(net.gamma) / max(sum(net.gamma), 1e-300)).tolist()
    gap, turn, first, second = d["gap"], d["turn"], d["first"], d["second"]
    steps, event, out_of_first = len(turn), 0, 0
    marks: list[tuple[float, ...]] = []

    def choose(shares: list[float], u: float) -> int:
        return next((i for i, share in enumerate(shares) if u < share), len(shares))

    def count() -> None:
        nonlocal event
        event += 1
        if event in (net.skip, steps - 1):
            numbers = (p.busy_time() + p.waiting_time() for p in pools)
            marks.append((sim.now, *numbers, float(out_of_first), *(p.waiting_time() for p in pools)))

    def customer(node: int, begins: float) -> Steps:
        nonlocal out_of_first
        draw = begins
        while node < len(pools):
            pool = pools[node]
            waits = pool.free < 1
            yield pool
            yield (first[event] if waits else draw) / net.rates[node]
            if event >= steps - 1:
                return
            count()
            out_of_first += node == 0
            pool.release()
            node, draw = choose(onward[node], turn[event]), second[event]

    def arrive(_: Call) -> None:
        if event >= steps - 1:
            return
        count()
        sim.start(customer(choose(entry, turn[event]), second[event]))
        sim.at(sim.now + gap[event] / fsum(net.gamma), arrive)

    if net.customers:
        for k in range(net.customers):
            sim.start(customer(0, d["begin"][k]))
    else:
        sim.at(gap[0] / fsum(net.gamma), arrive)
    sim.run()
    begin, end = np.array(marks[0]), np.array(marks[1])
    return np.asarray((end - begin)[1:] / (end - begin)[0])


def network_by_arrays(net: Network, steps: int, draw: Callable[[int], Draws], begin: Array, lanes: int) -> Walked:
    """Every lane by its jumps, one at a time: the figures of :func:`network_by_kernel` × time by lane."""
    nodes = len(net.servers)
    node_of = np.repeat(np.arange(nodes), net.servers)
    rate_of, total = np.array(net.rates)[node_of], fsum(net.gamma)
    onward = np.cumsum(net.routing, axis=1)
    entry = np.cumsum(net.gamma) / max(total, 1e-300)
    ends, every = np.full((lanes, len(node_of) + 1), np.inf), np.arange(lanes)
    # Last row: who comes from outside; last column: who leaves.
    shares_of = np.vstack([net.routing, np.array(net.gamma) / max(total, 1e-300)])
    shares_of = np.column_stack([shares_of, 1 - shares_of.sum(axis=1)])
    ways = np.argwhere(shares_of > 1e-12)
    ways = ways[(ways[:, 0] < nodes) | (total > 0)]
    kind_of = np.zeros(shares_of.shape, dtype=np.int64)
    kind_of[ways[:, 0], ways[:, 1]] = np.arange(len(ways))
    controls, servers = (
        JumpControls(lanes, ways[:, 0], shares_of[ways[:, 0], ways[:, 1]], net.parts),
        np.array(net.servers),
    )
    busy = np.full((lanes, nodes + bool(total)), float(total))
    queue, there = np.zeros((lanes, nodes)), np.zeros((lanes, nodes))
    clock, area, mark = np.zeros(lanes), np.zeros((lanes, 2 * nodes + 1)), np.zeros(lanes)
    if net.customers:
        there[:, 0] = net.customers
        queue[:, 0] = max(net.customers - net.servers[0], 0)
        for k in range(min(net.customers, net.servers[0])):
            ends[:, k] = begin[k] / net.rates[0]
    else:
        ends[:, -1] = draw(0)["gap"] / total
    for event in range(1, steps):
        d = draw(event)
        which = ends.argmin(axis=1)
        now = ends[every, which]
        before, passed = there.copy(), now - clock
        if event > net.skip:
            area[:, :nodes] += there * passed[:, None]
            area[:, nodes + 1 :] += queue * passed[:, None]
        clock = now
        if event == net.skip:
            mark = now.copy()
        arrival = which == len(node_of)
        origin = np.where(arrival, 0, node_of[np.minimum(which, len(node_of) - 1)])
        if net.skip <= event < steps - 1:
            area[:, nodes] += ~arrival & (origin == 0)
        ends[every, which] = np.inf
        gone = np.flatnonzero(~arrival)
        there[gone, origin[gone]] -= 1
        follows = gone[queue[gone, origin[gone]] > 0]
        queue[follows, origin[follows]] -= 1
        ends[follows, which[follows]] = clock[follows] + d["first"][follows] / rate_of[which[follows]]
        ends[arrival, -1] = clock[arrival] + d["gap"][arrival] / total if total else np.inf
        shares = np.where(arrival[:, None], entry[None, :], onward[origin])
        goal = (d["turn"][:, None] >= shares).sum(axis=1)
        if event > net.skip:
            busy[:, :nodes] = np.minimum(before, servers) * net.rates
            controls.add(net.state(before), busy, passed, kind_of[np.where(arrival, nodes, origin), goal])
        stays = np.flatnonzero(goal < nodes)
        target = goal[stays]
        there[stays, target] += 1
        idle = np.isinf(ends[stays, :-1]) & (node_of[None, :] == target[:, None])
        free = idle.any(axis=1)
        server = idle.argmax(axis=1)[free]
        begins = stays[free]
        ends[begins, server] = clock[begins] + d["second"][begins] / rate_of[server]
        queue[stays[~free], target[~free]] += 1
    return area, clock - mark, controls.flat()


@dataclass(frozen=True, slots=True)
class Ranked:
    """Classes of customers at ``servers`` with exponential service of rate 1 × ``rate``; the first class goes first.

    ``preemptive`` (one server, two classes): it even interrupts. ``skip`` events are left out.
    """

    servers: int
    arrivals: tuple[float, ...]
    rate: float
    preemptive: bool
    skip: int


def ranked_by_kernel(r: Ranked, d: dict[str, list[float]]) -> Array:
    """One lane through the kernel: time-average number in system by class (preemptive), or in queue."""
    sim = Simulation()
    pool = PriorityPool(sim, r.servers)
    total, shares = sum(r.arrivals), (np.cumsum(r.arrivals) / sum(r.arrivals)).tolist()
    classes = len(shares)
    gap, kind, work = d["gap"], d["turn"], d["first"]
    steps, event = len(gap), 0
    counts, area, last = [0] * classes, np.zeros(classes), 0.0
    marks: list[Array] = []
    interrupted: list[float] = []
    running: list[Any] = [0, 0.0, 0]  # stamp, end, class of the service under way (preemptive)

    def tick() -> None:
        nonlocal event, last
        area[:] += np.array(counts) * (sim.now - last)
        last = sim.now
        event += 1
        if event in (r.skip, steps - 1):
            marks.append(np.array([sim.now, *area]))

    def customer(rank: int) -> Steps:
        counts[rank] += 1
        yield pool.ranked(rank)
        counts[rank] -= 1
        yield work[event] / r.rate
        if event < steps - 1:
            tick()
            pool.release()

    def serve(rank: int, days: float) -> None:
        running[0] += 1
        running[1], running[2] = sim.now + days, rank
        sim.at(sim.now + days, complete, running[0])

    def complete(call: Call) -> None:
        if call.argument != running[0] or event >= steps - 1:
            return
        tick()
        counts[running[2]] -= 1
        if counts[0]:
            serve(0, work[event] / r.rate)
        elif interrupted:
            serve(1, interrupted.pop())
        elif counts[1]:
            serve(1, work[event] / r.rate)

    def arrive(_: Call) -> None:
        if event >= steps - 1:
            return
        tick()
        rank = next(i for i, share in enumerate(shares) if kind[event] < share)
        sim.at(sim.now + gap[event] / total, arrive)
        if not r.preemptive:
            sim.start(customer(rank))
            return
        counts[rank] += 1
        if sum(counts) == 1:
            serve(rank, work[event] / r.rate)
        elif rank == 0 and counts[0] == 1:
            interrupted.append(running[1] - sim.now)
            serve(0, work[event] / r.rate)

    sim.at(gap[0] / total, arrive)
    sim.run()
    return np.asarray((marks[1] - marks[0])[1:] / (marks[1] - marks[0])[0])


def ranked_by_arrays(r: Ranked, steps: int, draw: Callable[[int], Draws], lanes: int) -> Walked:
    """Every lane by its jumps: the figures of :func:`ranked_by_kernel` × time by (lane, class)."""
    total, shares = sum(r.arrivals), np.cumsum(r.arrivals) / sum(r.arrivals)
    every, classes = np.arange(lanes), len(r.arrivals)
    ends = np.full((lanes, r.servers), np.inf)
    counts, serving = np.zeros((lanes, classes), dtype=np.int64), np.zeros(lanes, dtype=np.int64)
    left = np.zeros(lanes)
    coming, clock, mark = draw(0)["gap"] / total, np.zeros(lanes), np.zeros(lanes)
    area = np.zeros((lanes, classes))
    # Jumps: a class comes; a service ends while the first class that waits (or is there) is such, or nobody does.
    source = np.concatenate([np.zeros(classes), np.arange(1, classes + 2)]).astype(np.int64)
    controls = JumpControls(lanes, source, np.array([*r.arrivals, *np.ones(classes + 1)]), classes)
    rates = np.ones((lanes, classes + 2))
    for event in range(1, steps):
        d = draw(event)
        server = ends.argmin(axis=1)
        done = ends[every, server]
        arrival = coming <= done
        now = np.where(arrival, coming, done)
        rank = (d["turn"][:, None] >= shares).sum(axis=1)
        if event > r.skip:
            area += counts * (now - clock)[:, None]
            some = counts > 0
            first = np.where(some.any(axis=1), some.argmax(axis=1), classes)
            rates[:, 1:] = 0.0
            rates[every, 1 + first] = r.rate * np.isfinite(ends).sum(axis=1)
            controls.add(counts.astype(np.float64), rates, now - clock, np.where(arrival, rank, classes + first))
        clock = now
        if event == r.skip:
            mark = now.copy()
        length = d["first"] / r.rate
        coming = np.where(arrival, now + d["gap"] / total, coming)
        if r.preemptive:
            counts[every, np.where(arrival, rank, serving)] += np.where(arrival, 1, -1)
            alone = arrival & (counts.sum(axis=1) == 1)
            breaks = arrival & ~alone & (rank == 0) & (counts[:, 0] == 1)
            left = np.where(breaks, done - now, left)
            high = ~arrival & (counts[:, 0] > 0)
            back = ~arrival & ~high & (left > 0)
            low = ~arrival & ~high & ~back & (counts[:, 1] > 0)
            serving = np.select([alone, breaks | high, back | low], [rank, 0, 1], serving)
            end = np.select([alone | breaks | high | low, back, ~arrival], [now + length, now + left, np.inf], done)
            left = np.where(back, 0.0, left)
            ends[:, 0] = end
            continue
        idle = np.isinf(ends)
        starts = arrival & idle.any(axis=1)
        place = np.where(arrival, idle.argmax(axis=1), server)
        waits = np.flatnonzero(arrival & ~starts)
        counts[waits, rank[waits]] += 1
        follows = ~arrival & (counts.sum(axis=1) > 0)
        counts[every, (counts > 0).argmax(axis=1)] -= follows
        busy = starts | follows
        changed = starts | ~arrival
        ends[every, place] = np.where(changed, np.where(busy, now + length, np.inf), ends[every, place])
    return area, clock - mark, controls.flat()
