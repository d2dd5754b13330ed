"""Vocational training, third part: a class from its forming to its last hour, at one provider (M003, M065-M067).

The day a class has formed it looks at the providers that its people would go to, in their order, and takes the first
that has trainer hours and a room for it now. If none has, it queues where the shortest wait is to be expected, and
stays there. Trainer hours come first, then a room, in the order of coming; who waits too long leaves and holds nothing.

Two in three classes begin on the day they form. They need no event of their own: the desk gives them trainer hours and
a room, and the room hours are back at the end of their weeks as soon as anybody looks.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from math import inf, nan

import numpy as np
from numpy.typing import NDArray
from zjsim.models.training_classes import Array, Classes
from zjsim.models.training_supply import City, Supply, Wishes

from zjsim.simulate.kernel import Call, Entity, Simulation, Steps

Flags = NDArray[np.bool_]

MONTHS_FOR_A_ROOM = 1.0
"""Wait that a class reckons with at a provider whose rooms are full today, in months (a rule of thumb)."""


class Stock:
    """Hours that classes of unlike size wait for: first come, first served; who has left makes room for the next.

    Asked for by ``yield stock, (amount, expires)``. Whoever is resumed after ``expires`` has left and was given
    nothing. ``owed``: what those in the queue ask for. ``year`` counts how often what was left has been lost.
    """

    __slots__ = ("free", "owed", "queue", "sim", "year")

    def __init__(self, sim: Simulation) -> None:
        self.sim = sim
        self.free, self.owed, self.year = 0.0, 0.0, 0
        self.queue: deque[tuple[Entity, float, float]] = deque()

    def has(self, amount: float) -> bool:
        """Whether so much is there that nobody waits for."""
        queue = self.queue
        if queue:
            if self.free >= queue[0][1] or queue[0][2] < self.sim._now:
                self.serve()
            if queue:
                return False
        return self.free >= amount

    def take(self, entity: Entity, asked: tuple[float, float]) -> bool:
        """Hand over the amount if nobody waits and so much is there; otherwise queue ``entity``."""
        amount, expires = asked
        if not self.has(amount):
            self.queue.append((entity, amount, expires))
            self.owed += amount
            return False
        self.free -= amount
        return True

    def put(self, amount: float) -> None:
        """Add ``amount`` (take away a negative one) and serve the head of the queue."""
        self.free += amount
        if self.queue:
            self.serve()

    def serve(self) -> None:
        """Send away those who have left, and serve those whose turn it is."""
        queue, ready, now = self.queue, self.sim.ready, self.sim._now
        while queue and (queue[0][2] < now or self.free >= queue[0][1]):
            entity, amount, expires = queue.popleft()
            self.owed -= amount
            if expires >= now:
                self.free -= amount
            ready.append(entity)
        if not queue:
            self.owed = 0.0

    def lose(self) -> None:
        """What is left is lost: a new year begins."""
        self.free = 0.0
        self.year += 1

    def undo(self, amount: float, year: int) -> None:
        """Give back what was not needed after all, unless it was of a year that is over."""
        if year == self.year:
            self.put(amount)


class Rooms(Stock):
    """Room hours a week: a class holds them for its weeks and gives them back on a day known when it begins.

    ``due``: (day, amount) of what comes back. It is taken back when somebody looks; only while classes wait for a room
    does its coming back call them.
    """

    __slots__ = ("called", "due")

    def __init__(self, sim: Simulation) -> None:
        super().__init__(sim)
        self.due: list[tuple[float, float]] = []
        self.called = inf

    def back(self, amount: float, day: float) -> None:
        """``amount`` comes back on ``day``."""
        heappush(self.due, (day, amount))
        if self.queue and day < self.called:
            self._call_at(day)

    def settle(self) -> None:
        """Take back all that was due by now."""
        due, now = self.due, self.sim._now
        while due and due[0][0] <= now:
            self.free += heappop(due)[1]

    def has(self, amount: float) -> bool:
        """Whether so much is there that nobody waits for."""
        if self.due and self.due[0][0] <= self.sim._now:
            self.settle()
        return super().has(amount) if self.queue else self.free >= amount

    def take(self, entity: Entity, asked: tuple[float, float]) -> bool:
        """Hand over the amount if nobody waits and so much is there; else queue ``entity`` until something is due."""
        if super().take(entity, asked):
            return True
        if self.due and self.due[0][0] < self.called:
            self._call_at(self.due[0][0])
        return False

    def put(self, amount: float) -> None:
        """Add ``amount`` (take away a negative one) and serve the head of the queue."""
        self.settle()
        super().put(amount)

    def _call_at(self, day: float) -> None:
        """Call those who wait on ``day``; ``called`` is the day of the next call (∞: none)."""
        self.called = day
        self.sim.at(day, self._call)

    def _call(self, _: Call) -> None:
        """Something is back: those who wait are served, and called again when the next is due."""
        if self.sim._now != self.called:  # an earlier call has come in between, and has asked for the next
            return
        self.called = inf
        self.settle()
        self.serve()
        if self.queue and self.due:
            self._call_at(self.due[0][0])


class Provider:
    """What classes share at a provider: two accounts of trainer hours, and room hours a week in two windows."""

    __slots__ = ("day", "dual", "dual_a_month", "evening", "general", "general_a_month", "is_open", "number")

    def __init__(self, sim: Simulation, number: int) -> None:
        self.number, self.is_open = number, False
        self.general, self.dual = Stock(sim), Stock(sim)
        self.day, self.evening = Rooms(sim), Rooms(sim)
        self.general_a_month = self.dual_a_month = 0.0


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the classes of a city, one entry each.

    ``provider``: its number (-1: nobody ever took it up); ``place``: the provider whose room it has (a practice centre
    perhaps); ``dual``: it took dual-qualified hours; ``trainers``: day on which it was given trainer hours,
    ``started``: on which it began (NaN: never).
    """

    provider: NDArray[np.int64]
    place: NDArray[np.int64]
    dual: NDArray[np.bool_]
    trainers: Array
    started: Array


class Desk:
    """The training desk of a city: it knows what every provider has free, and where a class would go."""

    def __init__(
        self, sim: Simulation, city: City, offer: Supply, classes: Classes, needs_dual: Flags, wishes: Wishes
    ) -> None:
        self.sim, self.offer = sim, offer
        self.providers = [Provider(sim, k) for k in range(len(city.providers))]
        self.centres = [self.providers[k] for k, p in enumerate(city.providers) if p.shared]
        self._usual = {month: (general.tolist(), dual.tolist()) for month, general, dual in offer.usual()}
        self._reckon_with(0)
        self._months = [a.tolist() for a in (offer.general, offer.dual, offer.day, offer.evening)]
        self._wishes = [wishes.lists[k] for k in wishes.of.tolist()]
        n = len(classes.formed)
        self.hours, self.week_hours, self.days = (a.tolist() for a in (classes.hours, classes.week_hours, classes.days))
        self.expires = (classes.formed + classes.patience).tolist()
        self.evening, self.dual = classes.evening.tolist(), needs_dual.tolist()
        self.provider, self.place = [-1] * n, [-1] * n
        self.trainers, self.started, self.took_dual = [nan] * n, [nan] * n, [False] * n

    def _reckon_with(self, month: int) -> None:
        """Trainer hours of a mean month, as they are reckoned with from ``month`` on."""
        if month in self._usual:
            for p, general, dual in zip(self.providers, *self._usual[month], strict=True):
                p.general_a_month, p.dual_a_month = general, dual

    def open_month(self, call: Call) -> None:
        """Pay in the month's trainer hours (in January the old year's rest is lost first), set the free room hours."""
        m: int = call.argument
        self._reckon_with(m)
        general, dual, day, evening = (a[m] for a in self._months)
        before = ([0.0] * len(day), [0.0] * len(day)) if m == 0 else (self._months[2][m - 1], self._months[3][m - 1])
        for k, p in enumerate(self.providers):
            if self.offer.january[m]:
                p.general.lose()
                p.dual.lose()
            p.is_open = general[k] + dual[k] > 0
            p.general.put(general[k])
            p.dual.put(dual[k])
            if day[k] != before[0][k]:
                p.day.put(day[k] - before[0][k])
            if evening[k] != before[1][k]:
                p.evening.put(evening[k] - before[1][k])

    def begin_today(self, i: int) -> bool:
        """Let class ``i`` begin at the first provider on its list that has trainer hours and a room for it now.

        A class that dual-qualified trainers must teach draws on their hours alone; any other on those of the general
        trainers, or else on dual-qualified hours. Hours that somebody waits for are not there. False: no provider can
        take it today.
        """
        now: float = self.sim._now
        hours, week_hours, needs_dual, evening = self.hours[i], self.week_hours[i], self.dual[i], self.evening[i]
        providers = self.providers
        for k in self._wishes[i]:
            p = providers[k]
            account = p.dual if needs_dual else p.general
            if account.free < hours or (account.queue and not account.has(hours)):
                if needs_dual or not p.dual.has(hours):
                    continue
                account = p.dual
            rooms: Rooms = p.evening if evening else p.day
            place, due = p, rooms.due
            if due and due[0][0] <= now:
                rooms.settle()
            if rooms.free < week_hours or (rooms.queue and not rooms.has(week_hours)):
                centre = self._centre(i)
                if centre is None:
                    continue
                rooms, place = (centre.evening if evening else centre.day), centre
            account.free -= hours
            rooms.free -= week_hours
            rooms.back(week_hours, now + self.days[i])
            self.provider[i], self.place[i], self.took_dual[i] = p.number, place.number, account is p.dual
            self.trainers[i] = self.started[i] = now
            return True
        return False

    def soonest(self, i: int) -> tuple[Provider, Stock] | None:
        """The provider where class ``i`` expects the shortest wait, and its account of trainer hours to queue for.

        The wait is what is asked for before it, less what is there, by the hours of a mean month; a month more where
        rooms are full. A class that need not have dual-qualified trainers waits for them only where there are no
        others. None: no provider on its list has trainers at all.
        """
        hours, week_hours, needs_dual, evening = self.hours[i], self.week_hours[i], self.dual[i], self.evening[i]
        found, least, now = None, inf, self.sim._now
        for k in self._wishes[i]:
            p = self.providers[k]
            dual = needs_dual or p.general_a_month <= 0
            account, a_month = (p.dual, p.dual_a_month) if dual else (p.general, p.general_a_month)
            if not p.is_open or a_month <= 0:
                continue
            queue = account.queue
            if queue and (account.free >= queue[0][1] or queue[0][2] < now):
                account.serve()
            owed = account.owed + hours - account.free
            wait = owed / a_month if owed > 0 else 0.0
            if not (p.evening if evening else p.day).has(week_hours):
                wait += MONTHS_FOR_A_ROOM
            if wait < least:
                found, least = (p, account), wait
        return found

    def room(self, i: int, p: Provider) -> tuple[Rooms, int]:
        """Where class ``i`` of provider ``p`` meets: at the provider, or in a practice centre if only that has room."""
        rooms = p.evening if self.evening[i] else p.day
        if not rooms.has(self.week_hours[i]):
            centre = self._centre(i)
            if centre is not None:
                return (centre.evening if self.evening[i] else centre.day), centre.number
        return rooms, p.number

    def _centre(self, i: int) -> Provider | None:
        """A practice centre of the city with a free room for class ``i`` in its window."""
        for centre in self.centres:
            rooms = centre.evening if self.evening[i] else centre.day
            if rooms.has(self.week_hours[i]):
                return centre
        return None

    def close(self) -> Fate:
        """What became of every class. Nobody waits any longer: all that the city used is free to go."""
        for p in self.providers:
            for stock in (p.general, p.dual, p.day, p.evening):
                stock.queue.clear()
        self.sim.close()
        return Fate(
            np.array(self.provider, dtype=np.int64),
            np.array(self.place, dtype=np.int64),
            np.array(self.took_dual, dtype=np.bool_),
            np.array(self.trainers),
            np.array(self.started),
        )


def course_class(sim: Simulation, desk: Desk, i: int) -> None:
    """Class ``i`` on the day it has formed: it begins today if a provider can take it, or else waits.

    Whoever begins holds its room for its weeks, until its last hour (:meth:`Rooms.back`).
    """
    if not desk.begin_today(i):
        sim.go(waiting_class(sim, desk, i))


def waiting_class(sim: Simulation, desk: Desk, i: int) -> Steps:
    """Class ``i`` that has to wait: for trainer hours of one provider, then for a room in its window; then its weeks.

    It queues where it expects the shortest wait, and not at all where nobody has trainers. Those registered leave when
    their patience is over; trainer hours that were waiting for a room go back.
    """
    chosen = desk.soonest(i)
    if chosen is None:
        return
    provider, account = chosen
    hours, week_hours, expires = desk.hours[i], desk.week_hours[i], desk.expires[i]
    desk.provider[i], desk.took_dual[i] = provider.number, account is provider.dual
    yield account, (hours, expires)
    if sim._now > expires:  # those registered have left
        return
    desk.trainers[i], year = sim._now, account.year
    rooms, desk.place[i] = desk.room(i, provider)
    yield rooms, (week_hours, expires)
    if sim._now > expires:
        account.undo(hours, year)
        return
    desk.started[i] = sim._now
    rooms.back(week_hours, sim._now + desk.days[i])


def run_city(
    city: City,
    offer: Supply,
    classes: Classes,
    needs_dual: Flags,
    wishes: Wishes,
    end: float,
) -> Fate:
    """Simulate a city until day ``end`` and tell what became of every class.

    ``needs_dual``: whether only dual-qualified trainers may teach it; ``wishes``: where each class would go.
    """
    sim = Simulation(offer.days[0])
    desk = Desk(sim, city, offer, classes, needs_dual, wishes)
    for month, day in enumerate(offer.days):
        sim.at(day, desk.open_month, month)

    sim.feed(classes.formed.tolist(), partial(course_class, sim, desk), end)
    return desk.close()
