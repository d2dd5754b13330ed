"""A light layer on SimPy: processes stay readable generators, but an entity costs microseconds instead of tens of them.

SimPy keeps the clock, the calendar and the order of events. What is left out is the machinery around it: an entity is
its own event (no ``Process``, ``Initialize`` or ``Timeout`` objects), and a resource is a counter with a queue (no
``Request`` and ``Release`` events). A process description is a generator that yields what it waits for::

    def course_class(sim, city, hours, days):
        yield city.trainer_hours, hours      # so many units of an account or pool
        yield city.rooms                     # one unit of a pool
        yield days                           # a float: time passes
        city.rooms.release()

Whoever is handed a resource goes on at the same time, after the present piece of work is finished, in the order in
which the resource was given. A request that must not wait for ever looks at the clock when it is served: ``if sim.now >
expiry: give it back and leave`` is exact for first-come-first-served queues, because a leaver holds nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from heapq import heappop, heappush
from math import inf
from typing import Any, Protocol

import simpy

_NORMAL = 1


class Resource(Protocol):
    """Something an entity can wait for: ``take`` says whether ``amount`` units are handed over at once."""

    def take(self, entity: Entity, amount: Any) -> bool:
        """Hand over ``amount`` (units, or what the resource understands), or queue ``entity`` and return False."""
        ...


Wish = float | Resource | tuple[Resource, Any]
Steps = Generator[Wish, None, None]


class Entity:
    """A process that is its own SimPy event: re-armed for every hold, so a hold allocates one heap entry only."""

    __slots__ = ("callbacks", "steps")
    _ok = True
    _value = None

    def __init__(self, steps: Steps) -> None:
        self.callbacks: tuple[Callable[[Any], None], ...] | None = None
        self.steps = steps


class Call:
    """A SimPy event that calls ``function(event)`` once; ``event.argument`` is what it was given."""

    __slots__ = ("argument", "callbacks")
    _ok = True
    _value = None

    def __init__(self, function: Callable[[Call], None], argument: Any) -> None:
        self.callbacks: tuple[Callable[[Call], None], ...] | None = (function,)
        self.argument = argument


class Simulation(simpy.Environment):  # type: ignore[misc]
    """A SimPy environment that also drives light entities; ordinary SimPy processes and events work beside them."""

    def __init__(self, initial_time: float = 0.0) -> None:
        super().__init__(initial_time)
        self._now: float
        self.ready: deque[Entity] = deque()
        self._advance_callbacks: tuple[Callable[[Any], None], ...] = (self._advance,)

    def start(self, steps: Steps) -> None:
        """Begin a process now: it runs up to its first wait once the present piece of work is finished."""
        self.ready.append(Entity(steps))

    def go(self, steps: Steps) -> None:
        """Begin a process at once: it runs up to its first wait before this returns."""
        self._advance(Entity(steps))

    def at(self, time: float, function: Callable[[Call], None], argument: Any = None) -> None:
        """Call ``function(call)`` at ``time`` (not before now), with ``call.argument`` as given."""
        if time < self._now:
            raise ValueError(f"cannot call at {time}: it is {self._now} already")
        heappush(self._queue, (time, _NORMAL, next(self._eid), Call(function, argument)))

    def feed(self, times: Sequence[float], act: Callable[[int], None], until: float) -> None:
        """Call ``act(k)`` at ``times[k]`` (rising, none before now), work off all events between, and go on ``until``.

        Arrivals that are known beforehand need no event each: the clock just moves on to the next of them. What else is
        due at the very same time comes first.
        """
        queue, ready, advance = self._queue, self.ready, self._advance
        for k, time in enumerate(times):
            if time > until:
                break
            if ready or (queue and queue[0][0] <= time):
                self.run(time)
            self._now = time
            act(k)
            while ready:
                advance(ready.popleft())
        self.run(until)

    def _advance(self, entity: Entity) -> None:
        """Run a process until it has to wait: for time to pass, or in the queue of a resource."""
        for wish in entity.steps:
            if wish.__class__ is float:
                entity.callbacks = self._advance_callbacks
                heappush(self._queue, (self._now + wish, _NORMAL, next(self._eid), entity))
                return
            resource: Any
            resource, amount = wish if wish.__class__ is tuple else (wish, 1)
            if not resource.take(entity, amount):
                return

    def run(self, until: float | None = None) -> None:
        """Work off all events up to and including time ``until`` (default: until none is left); the clock ends there.

        A process that yields a negative time raises ``ValueError`` when its event comes up.
        """
        end = inf if until is None else float(until)
        queue, ready, advance = self._queue, self.ready, self._advance
        while ready:
            advance(ready.popleft())
        while queue and queue[0][0] <= end:
            time, _, _, event = heappop(queue)
            if time < self._now:
                raise ValueError(f"an event lies in the past: {time} < {self._now}")
            self._now = time
            callbacks, event.callbacks = event.callbacks, None
            for callback in callbacks:
                callback(event)
            while ready:
                advance(ready.popleft())
            if not event._ok and not hasattr(event, "_defused"):
                raise event._value
        if until is not None:
            self._now = max(self._now, end)

    def close(self) -> None:
        """Let go of everything that is still under way, and of what keeps it alive: memory is free without a search."""
        self._queue.clear()
        self.ready.clear()
        self._advance_callbacks = ()


class Pool:
    """Units that are lent and given back (trainers, rooms, teams): first come, first served.

    Its statistics are sums of signed times, one addition per event: what is lent now counts from now on, so the unit's
    time is taken off when it is lent and put on when it comes back; those who wait likewise.
    """

    __slots__ = ("_busy", "_offered", "_waited", "free", "queue", "served", "sim", "units")

    def __init__(self, sim: Simulation, units: float) -> None:
        self.sim, self.units, self.free = sim, units, units
        self.queue: deque[tuple[Entity, float]] = deque()
        self.served = 0
        self._busy, self._waited, self._offered = 0.0, 0.0, -units * sim.now

    def take(self, entity: Entity, amount: float = 1) -> bool:
        """Lend ``amount`` units at once if nobody waits and so many are free; otherwise queue ``entity``."""
        if self.queue or self.free < amount:
            self.queue.append((entity, amount))
            self._waited -= self.sim._now
            return False
        self._busy -= amount * self.sim._now
        self.free -= amount
        self.served += 1
        return True

    def release(self, amount: float = 1) -> None:
        """Give back ``amount`` units and serve the head of the queue."""
        self._busy += amount * self.sim._now
        self.free += amount
        if self.queue:
            self._serve()

    def resize(self, change: float) -> None:
        """Add units (or take some away: those lent are given back first, ``free`` may be negative until then)."""
        self._offered -= change * self.sim._now
        self.units += change
        self.free += change
        self._serve()

    @property
    def lent(self) -> float:
        """Units lent now."""
        return self.units - self.free

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self.queue)

    def capacity_time(self) -> float:
        """Units offered, integrated over time until now (unit × time)."""
        return float(self._offered + self.units * self.sim._now)

    def busy_time(self) -> float:
        """Units lent, integrated over time until now (unit × time)."""
        return float(self._busy + self.lent * self.sim._now)

    def waiting_time(self) -> float:
        """Entities waiting, integrated over time until now (entity × time), those who have given up but still queue
        included."""
        return float(self._waited + self.waiting * self.sim._now)

    def _serve(self) -> None:
        queue = self.queue
        while queue and self.free >= queue[0][1]:
            entity, amount = queue.popleft()
            self._hand_over(entity, amount)

    def _hand_over(self, entity: Entity, amount: float) -> None:
        """Lend to somebody who has waited."""
        now = self.sim._now
        self._waited += now
        self._busy -= amount * now
        self.free -= amount
        self.served += 1
        self.sim.ready.append(entity)


class PriorityPool(Pool):
    """A pool that serves the lowest ``rank`` first, equals in the order of their coming; work begun is not interrupted.

    A process asks with ``yield pool.ranked(rank)`` (or ``pool.ranked(rank, amount)``); ``yield pool`` has rank 0.
    """

    __slots__ = ("_order", "heap")

    def __init__(self, sim: Simulation, units: float) -> None:
        super().__init__(sim, units)
        self.heap: list[tuple[float, int, Entity, float]] = []
        self._order = 0

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self.heap)

    def ranked(self, rank: float, amount: float = 1) -> tuple[Resource, float]:
        """What to yield to wait with this rank."""
        return _Ranked(self, rank), amount

    def take(self, entity: Entity, amount: float = 1, rank: float = 0.0) -> bool:
        """Lend at once if nobody waits and so many units are free; otherwise queue ``entity`` by its rank."""
        if self.heap or self.free < amount:
            self._order += 1
            heappush(self.heap, (rank, self._order, entity, amount))
            self._waited -= self.sim._now
            return False
        return super().take(entity, amount)

    def release(self, amount: float = 1) -> None:
        """Give back ``amount`` units and serve the lowest rank."""
        super().release(amount)
        self._serve()

    def _serve(self) -> None:
        heap = self.heap
        while heap and self.free >= heap[0][3]:
            _, _, entity, amount = heappop(heap)
            self._hand_over(entity, amount)


class _Ranked:
    """A wish with a rank."""

    __slots__ = ("pool", "rank")

    def __init__(self, pool: PriorityPool, rank: float) -> None:
        self.pool, self.rank = pool, rank

    def take(self, entity: Entity, amount: float) -> bool:
        return self.pool.take(entity, amount, self.rank)


class Account:
    """Something that is used up (trainer hours): refilled from time to time, first come, first served."""

    __slots__ = ("_waited", "balance", "drawn", "expired", "filled", "queue", "served", "sim")

    def __init__(self, sim: Simulation, balance: float = 0.0) -> None:
        self.sim, self.balance = sim, balance
        self.filled, self.drawn, self.expired = balance, 0.0, 0.0
        self.served, self._waited = 0, 0.0
        self.queue: deque[tuple[Entity, float]] = deque()

    def take(self, entity: Entity, amount: float) -> bool:
        """Draw ``amount`` at once if nobody waits and the balance covers it; otherwise queue ``entity``."""
        if self.queue or self.balance < amount:
            self.queue.append((entity, amount))
            self._waited -= self.sim._now
            return False
        self.balance -= amount
        self.drawn += amount
        self.served += 1
        return True

    def refill(self, amount: float) -> None:
        """Pay in ``amount`` and serve the head of the queue."""
        self.filled += amount
        self.balance += amount
        self._serve()

    def give_back(self, amount: float) -> None:
        """Undo a draw of ``amount`` that was not needed after all."""
        self.drawn -= amount
        self.balance += amount
        self._serve()

    def capacity_time(self) -> float:
        """All that was paid in until now."""
        return self.filled

    def busy_time(self) -> float:
        """All that was drawn until now."""
        return self.drawn

    def waiting_time(self) -> float:
        """Entities waiting, integrated over time until now (entity × time), those who have given up but still queue
        included."""
        return float(self._waited + len(self.queue) * self.sim._now)

    def expire(self) -> None:
        """What is left is lost (the end of a year's quota)."""
        self.expired += self.balance
        self.balance = 0.0

    def _serve(self) -> None:
        queue = self.queue
        while queue and self.balance >= queue[0][1]:
            entity, amount = queue.popleft()
            self._waited += self.sim._now
            self.balance -= amount
            self.drawn += amount
            self.served += 1
            self.sim.ready.append(entity)
