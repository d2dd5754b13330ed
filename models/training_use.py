"""What training offers, uses, waits for and loses, by city and kind of provider (M063, M065, M066, M070).

Trainer hours, and among them those of dual-qualified trainers, rooms in the daytime and rooms in the evening: each is a
resource per kind of provider, its places are the cities. Read from the days that every class has noted, when a city is
through. A class waits for trainers from its forming until it gets them or gives up, then for a room until it starts or
gives up. Its trainer hours count in the month in which they were given, its room hours while it runs.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from zjsim.models.training_classes import Array, Classes
from zjsim.models.training_supply import LEVELS, City, Supply
from zjsim.models.training_yard import Fate

from zjsim.simulate.resources import MEASURES, Resource, counted, exported, months_between, spread

TRAINERS, DUAL, ROOMS, EVENINGS = "trainer_hours", "dual_hours", "room_hours", "evening_hours"


class Watcher(Protocol):
    """Is told of every city, by its index, what became of its classes."""

    def enter(self, number: int, city: City, classes: Classes, fate: Fate, offer: Supply) -> None:
        """The classes of city ``number``, what became of them, and what the city offered."""
        ...


def levels_of(cities: tuple[City, ...]) -> tuple[str, ...]:
    """The kinds of provider that there are, in order."""
    there = {p.level for c in cities for p in c.providers}
    return tuple(level for level in LEVELS if level in there)


def training_resources(cities: tuple[City, ...]) -> tuple[Resource, ...]:
    """The resources of every kind of provider that there is, by city."""
    codes = tuple(c.city_code for c in cities)
    return tuple(
        Resource(f"{resource}_{level}", unit, codes)
        for level in levels_of(cities)
        for resource, unit in (
            *((TRAINERS, "class hours"), (DUAL, "class hours")),
            *((ROOMS, "room hours"), (EVENINGS, "room hours")),
        )
    )


class TrainingUse:
    """Statistics of trainer hours and room hours of one future, by kind of provider and city."""

    def __init__(self, as_of: date, years: tuple[int, ...], cities: tuple[City, ...]) -> None:
        first = as_of + timedelta(days=1)
        self.months = months_between(first, float((date(years[-1] + 1, 1, 1) - first).days))
        self.levels = levels_of(cities)
        self._shape = (len(cities), len(self.months.labels))
        names = [f"{r}_{level}" for level in self.levels for r in (TRAINERS, DUAL, ROOMS, EVENINGS)]
        self._of = {name: {m: np.zeros(self._shape) for m in MEASURES} for name in names}

    def enter(self, number: int, city: City, classes: Classes, fate: Fate, offer: Supply) -> None:
        """Add up what became of the classes of a city."""
        c, end, n = classes, self.months.edges[-1], len(self.levels)
        level = np.array([self.levels.index(p.level) for p in city.providers])
        taught_at, met_at = (np.append(level, -1)[k] for k in (fate.provider, fate.place))
        some, met = taught_at >= 0, met_at >= 0
        got, ran, expires = fate.trainers, ~np.isnan(fate.started), c.formed + c.patience
        until = np.minimum(expires, end)
        without = some & np.isnan(got) & (expires < end)
        no_room = met & ~ran & (expires < end)
        given, waited = np.where(ran, got, np.nan), np.where(np.isnan(got), until, got)
        days, following = np.array(offer.days), np.append(offer.days[1:], max(end, offer.days[-1]))

        def trainers(which: NDArray[np.bool_], paid: Array) -> dict[str, Array]:
            k, hours = taught_at[which], c.hours[which]
            when = np.repeat(days, len(level))
            gone = np.where(without[which], expires[which], np.nan)
            return {
                "capacity": counted(when, paid.ravel(), np.tile(level, len(days)), n, self.months),
                "used": counted(given[which], hours, k, n, self.months),
                "waiting": spread(c.formed[which], waited[which], 1.0, k, n, self.months),
                "served": counted(got[which], 1.0, k, n, self.months),
                "left": counted(gone, 1.0, k, n, self.months),
                "lost": counted(gone, hours, k, n, self.months),
            }

        def rooms(which: NDArray[np.bool_], open_: Array) -> dict[str, Array]:
            k, started = met_at[which], fate.started[which]
            gone = np.where(no_room[which], expires[which], np.nan)
            begin, over = np.repeat(days, len(level)), np.repeat(following, len(level))
            there = np.tile(level, len(days))
            return {
                "capacity": spread(begin, over, open_.ravel() / 7.0, there, n, self.months),
                "used": spread(started, started + c.days[which], c.week_hours[which] / 7.0, k, n, self.months),
                "waiting": spread(got[which], np.where(ran, fate.started, until)[which], 1.0, k, n, self.months),
                "served": counted(started, 1.0, k, n, self.months),
                "left": counted(gone, 1.0, k, n, self.months),
                "lost": counted(gone, c.hours[which], k, n, self.months),
            }

        for resource, measures in (
            (TRAINERS, trainers(some, offer.general + offer.dual)),
            (DUAL, trainers(some & fate.dual, offer.dual)),
            (ROOMS, rooms(met & ~c.evening, offer.day)),
            (EVENINGS, rooms(met & c.evening, offer.evening)),
        ):
            for name, found in measures.items():
                for k, kind in enumerate(self.levels):
                    self._of[f"{resource}_{kind}"][name][number] += found[k]

    def outcomes(self) -> dict[str, Array]:
        """The outcomes that this process exports."""
        found: dict[str, Array] = {}
        for resource, measures in self._of.items():
            found |= exported(resource, self.months, measures)
        return found
