"""What training offers, uses, waits for and loses, by city: trainer hours, and free hours of rooms (M063, M065, M066).

Read from the days that every class has noted, when a city is through. A class waits for trainers from its forming until
it gets them or gives up, then for a room until it starts or gives up. Its trainer hours count in the month in which
they were given, its room hours while it runs.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Protocol

import numpy as np
from zjsim.models.training_book import Capacity
from zjsim.models.training_classes import Array, Classes

from zjsim.simulate.resources import MEASURES, Resource, counted, exported, months_between, spread

TRAINERS, ROOMS = "trainer_hours", "room_hours"


class Watcher(Protocol):
    """Is told of every city, by its index, what became of its classes."""

    def enter(self, city: int, classes: Classes, trainers: Array, started: Array, capacity: Capacity) -> None:
        """``trainers``: days on which classes were given trainer hours; ``started``: on which they started (or NaN)."""
        ...


def training_resources(cities: tuple[str, ...]) -> tuple[Resource, ...]:
    """Trainer hours and room hours, by city."""
    return Resource(TRAINERS, "class hours", cities), Resource(ROOMS, "room hours", cities)


class TrainingUse:
    """Statistics of trainer hours and room hours of one future, city by city."""

    def __init__(self, as_of: date, years: tuple[int, ...], cities: int) -> None:
        first = as_of + timedelta(days=1)
        self.months = months_between(first, float((date(years[-1] + 1, 1, 1) - first).days))
        shape = (cities, len(self.months.labels))
        self._of = {resource: {m: np.zeros(shape) for m in MEASURES} for resource in (TRAINERS, ROOMS)}

    def enter(self, city: int, classes: Classes, trainers: Array, started: Array, capacity: Capacity) -> None:
        """Add up what became of the classes of a city."""
        c, end = classes, self.months.edges[-1]
        expires = c.formed + c.patience
        got = np.where(trainers <= expires, trainers, np.nan)
        ran = ~np.isnan(started)
        until = np.minimum(expires, end)
        gave_up = np.isnan(got) & (expires < end)
        gave_up_room = ~np.isnan(got) & ~ran & (expires < end)
        room_hours = c.week_hours / 7.0
        paid_in, opened = np.array(capacity.hours_paid_in), np.array(capacity.room_week_hours)
        following = np.append(opened[1:, 0], max(end, opened[-1, 0]))
        for resource, measures in {
            TRAINERS: {
                "capacity": self._counted(paid_in[:, 0], paid_in[:, 1]),
                "used": self._counted(np.where(ran, got, np.nan), c.hours),
                "waiting": self._spread(c.formed, np.where(np.isnan(got), until, got), 1.0),
                "served": self._counted(got, 1.0),
                "left": self._counted(np.where(gave_up, expires, np.nan), 1.0),
                "lost": self._counted(np.where(gave_up, expires, np.nan), c.hours),
            },
            ROOMS: {
                "capacity": self._spread(opened[:, 0], following, opened[:, 1] / 7.0),
                "used": self._spread(started, started + c.days, room_hours),
                "waiting": self._spread(got, np.where(ran, started, until), 1.0),
                "served": self._counted(started, 1.0),
                "left": self._counted(np.where(gave_up_room, expires, np.nan), 1.0),
                "lost": self._counted(np.where(gave_up_room, expires, np.nan), c.hours),
            },
        }.items():
            for name, found in measures.items():
                self._of[resource][name][city] += found[0]

    def outcomes(self) -> dict[str, Array]:
        """The outcomes that this process exports."""
        return {
            **exported(TRAINERS, self.months, self._of[TRAINERS]),
            **exported(ROOMS, self.months, self._of[ROOMS]),
        }

    def _spread(self, start: Array, end: Array, weight: Array | float) -> Array:
        return spread(start, end, weight, 0, 1, self.months)

    def _counted(self, day: Array, weight: Array | float) -> Array:
        return counted(day, weight, 0, 1, self.months)
