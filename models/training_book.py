"""Vocational training, last part: what counts in which year, and the books that must balance (M003, M067, M074).

Wide readings count participants in the year their class starts: a person-time is someone who came. The strict reading
counts those who completed, in the year the class ends; it leaves out online learners, courses under eight class hours,
learners whom the labour department counts too, and the part of a city's training done by technician colleges, which
report to that department. Every registered person is in exactly one state: waiting, in class, completed, dropped out,
did not show up, or lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special
from zjsim.models.training_classes import Array, Classes, CourseType, Registrations

from zjsim.simulate.inputs import SMALLEST_U

STRICT_HOURS = 8.0
"""Class hours below which a course does not count under the strict reading (what counts: targets, training/strict)."""

_FLOWS = (
    "training_person_times_all",
    "training_person_times_social",
    "training_person_times_strict",
    "training_person_hours",
    "mentors_trained",
    "training_registered",
    "training_no_shows",
    "training_completed",
    "training_dropped",
    "training_lost",
    "training_classes_started",
)


PARTS = (
    "training_person_times_all",
    "training_person_times_social",
    "training_person_times_strict",
    "mentors_trained",
)
"""Outcomes that are told by city and by quarter as well."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a city offered: (day, amount) of trainer hours paid in and of free room hours a week from that day on."""

    hours_paid_in: tuple[tuple[float, float], ...]
    room_week_hours: tuple[tuple[float, float], ...]
    technician_share: float


class Book:
    """The province's account of one future; ``edges`` are the days on which the counted years begin, and the last end.

    Flows have one entry for the time before the first year, one per year, and one for what lies after the last.
    """

    def __init__(self, edges: Array, quarters: Array | None = None) -> None:
        self.edges = edges
        self.quarters = edges if quarters is None else quarters
        self.quarterly = {name: np.zeros(len(self.quarters) - 1) for name in PARTS}
        self.by_city: dict[str, list[Array]] = {name: [] for name in PARTS}
        self.flows = {name: np.zeros(len(edges) + 1) for name in _FLOWS}
        self.waiting, self.in_class = np.zeros(len(edges)), np.zeros(len(edges))
        self._wait_days, self._hours_used = np.zeros(len(edges) + 1), np.zeros(len(edges) + 1)
        self._hours_offered, self._room_hours_offered = np.zeros(len(edges) + 1), np.zeros(len(edges) + 1)

    def forming(self, registrations: Registrations, left_over: Array) -> None:
        """Registered persons whose class is not full yet: ``left_over`` at each of ``registrations.day``."""
        at_edges = left_over[np.searchsorted(registrations.day, self.edges)]
        self.waiting += at_edges
        self.flows["training_registered"][: len(self.edges)] += np.diff(at_edges, prepend=0.0)

    def online(
        self, registrations: Registrations, course: CourseType, u: Array, no_show: float, completion: float
    ) -> None:
        """Online learners of a city: as many as register (Poisson in its normal form at ``u``), no trainer, no room."""
        expected = np.diff([registrations.by(day) for day in self.edges])
        came = np.rint(np.maximum(expected + np.sqrt(expected) * special.ndtri(np.maximum(u, SMALLEST_U)), 0.0))
        participants = np.rint(came * (1 - no_show))
        completed = np.rint(participants * completion)
        for name, persons in (
            ("training_registered", came),
            ("training_no_shows", came - participants),
            ("training_completed", completed),
            ("training_dropped", participants - completed),
            ("training_person_times_all", participants * course.counts_all),
            ("training_person_times_social", participants * course.counts_social),
        ):
            self.flows[name][1:-1] += persons
        if course.counts_all or course.counts_social:
            parts = np.diff([registrations.by(day) for day in self.quarters])
            year = np.searchsorted(self.edges, self.quarters[:-1], side="right") - 1
            persons = (participants / np.maximum(expected, 1e-9))[year] * parts
            self.quarterly["training_person_times_all"] += persons * course.counts_all
            self.quarterly["training_person_times_social"] += persons * course.counts_social

    def close_city(self) -> None:
        """Everything of a city is entered: what came since the city before is its part of :data:`PARTS`."""
        for name, parts in self.by_city.items():
            parts.append(self.flows[name][1:-1] - np.sum(parts, axis=0))

    def parts(self) -> dict[str, Array]:
        """The outcomes :data:`PARTS` by (city, year) and by quarter."""
        by_city = {f"by_city/{name}": np.array(parts) for name, parts in self.by_city.items()}
        return by_city | {f"quarterly/{name}": values for name, values in self.quarterly.items()}

    def enter(
        self, classes: Classes, started: Array, capacity: Capacity, courses: tuple[CourseType, ...], overlap: float
    ) -> None:
        """Enter all classes of a city; ``started`` is NaN for a class that never found trainers and rooms in time."""
        c, horizon = classes, self.edges[-1]
        ended, expires = started + c.days, c.formed + c.patience
        lost = np.isnan(started) & (expires <= horizon)
        began, over, gone = self._bins(started), self._bins(ended), self._bins(np.where(lost, expires, np.nan))
        counts_all = np.array([k.counts_all for k in courses])[c.course]
        counts_social = np.array([k.counts_social for k in courses])[c.course]
        counted_once = 1 - overlap * np.array([k.labour_overlap for k in courses])[c.course]
        counted_once = counted_once * (1 - capacity.technician_share) * (c.hours >= STRICT_HOURS)
        mentor = np.array([k.trains_mentors for k in courses])[c.course]
        for name, bins, weights in (
            ("training_person_times_all", began, c.participants * counts_all),
            ("training_person_times_social", began, c.participants * counts_social),
            ("training_person_times_strict", over, c.completed * counts_all * counted_once),
            ("training_person_hours", began, c.participants * c.hours * counts_all),
            ("mentors_trained", over, c.completed * mentor),
            ("training_registered", self._bins(c.formed), c.size),
            ("training_no_shows", began, c.size - c.participants),
            ("training_completed", over, c.completed),
            ("training_dropped", over, c.participants - c.completed),
            ("training_lost", gone, c.size),
            ("training_classes_started", began, np.ones(len(c.size))),
        ):
            self.flows[name] += self._sum(bins, weights)
            if name in PARTS:
                days = ended if bins is over else started
                self.quarterly[name] += np.histogram(days, self.quarters, weights=weights)[0]
        self._wait_days += self._sum(began, started - c.formed)
        self._hours_used += self._sum(began, c.hours)
        for k, day in enumerate(self.edges):
            running = (started < day) & (ended >= day)
            open_ = (c.formed < day) & ~(started < day) & ~(lost & (expires < day))
            self.in_class[k] += c.participants[running].sum()
            self.waiting[k] += c.size[open_].sum()
        self._offer(capacity)

    def _offer(self, capacity: Capacity) -> None:
        days, hours = np.array(capacity.hours_paid_in).T
        self._hours_offered += self._sum(self._bins(days), hours)
        from_day, week_hours = np.array(capacity.room_week_hours).T
        lengths = np.diff(from_day, append=self.edges[-1])
        self._room_hours_offered += self._sum(self._bins(from_day), week_hours * lengths / 7.0)

    def _bins(self, day: Array) -> NDArray[np.int64]:
        """0 before the first counted year, 1, 2, … in it, one more after the last (and for NaN)."""
        return np.asarray(np.searchsorted(self.edges, day, side="right"), dtype=np.int64)

    def _sum(self, bins: NDArray[np.int64], weights: Array) -> Array:
        known = bins <= len(self.edges) - 1
        return np.bincount(bins[known], weights=weights[known], minlength=len(self.edges) + 1).astype(np.float64)

    def imbalance(self) -> float:
        """Registered persons minus those in any of the six states at the horizon, since the empty start (0)."""
        total = {name: float(values[:-1].sum()) for name, values in self.flows.items()}
        accounted = sum(total[f"training_{state}"] for state in ("no_shows", "completed", "dropped", "lost"))
        return total["training_registered"] - accounted - float(self.waiting[-1] + self.in_class[-1])

    def outcomes(self) -> dict[str, Array]:
        """One value per counted year and outcome (levels at the year's end)."""
        years = slice(1, -1)
        out = {name: values[years].copy() for name, values in self.flows.items()}
        out["training_waiting"], out["training_in_class"] = self.waiting[1:].copy(), self.in_class[1:].copy()
        started = np.maximum(out["training_classes_started"], 1.0)
        out["training_mean_wait"] = self._wait_days[years] / started
        out["trainer_hours_used"] = self._hours_used[years] / np.maximum(self._hours_offered[years], 1e-9)
        out["room_hours_used"] = self._hours_used[years] / np.maximum(self._room_hours_offered[years], 1e-9)
        return out
