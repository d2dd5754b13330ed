"""Vocational training, last part: what counts in which year, and the books that must balance (M003, M067, M044, M074).

Wide readings count participants in the year their class starts: a person-time is someone who came. The strict reading
counts those who completed, in the year the class ends; it leaves out online learners, courses under eight class hours,
learners whom the labour department counts too, and all classes of technician colleges, which report to that department.
Every registered person is in exactly one state: waiting, in class, completed, dropped out, did not show up, or lost.

Everything is counted by provider first: where the class is held, or where it waited in vain. The province is their sum
and what no provider has part in: online learners, and people whose class is not full yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray
from scipy import special
from zjsim.models.training_classes import Array, Classes, CourseType, Registrations
from zjsim.models.training_supply import Provider, Supply
from zjsim.models.training_yard import Fate

from zjsim.simulate.inputs import SMALLEST_U

STRICT_HOURS = 8.0
"""Class hours below which a course does not count under the strict reading (what counts: targets, training/strict)."""

TECHNICIAN = "technician_college"

_FLOWS = (
    "training_person_times_all",
    "training_person_times_social",
    "training_person_times_strict",
    "training_person_hours",
    "mentors_trained",
    "order_class_students",
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


BY_PROVIDER = (
    *("training_person_times_all", "training_person_times_social", "training_person_times_strict"),
    *("training_person_hours", "training_completed", "training_lost", "training_classes_started"),
    *("wait_days", "trainer_hours", "trainer_hours_offered", "dual_hours", "dual_hours_offered"),
    *("room_hours", "room_hours_offered", "evening_hours", "evening_hours_offered"),
)
"""What is told of every provider by year. Trainer hours count in the year in which the class was given them, room hours
in that in which it begins; ``trainer_hours`` are all, ``dual_hours`` those of dual-qualified trainers and adjuncts;
``room_hours`` are those in the daytime."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Of each course type, as arrays: what counts it, and which share of its learners nobody else counts."""

    counts_all: Array
    counts_social: Array
    counted_once: Array
    mentors: Array
    orders: Array

    @classmethod
    def of(cls, courses: Sequence[CourseType], overlap: float) -> Facts:
        """``overlap``: share of learners that the labour department counts, too, where the course type says so."""
        return cls(
            np.array([float(k.counts_all) for k in courses]),
            np.array([float(k.counts_social) for k in courses]),
            np.array([1 - overlap * k.labour_overlap for k in courses]),
            np.array([float(k.trains_mentors) for k in courses]),
            np.array([float(k.is_order) for k in courses]),
        )


class Book:
    """The province's account of one future; ``edges`` are the days on which the counted years begin, and the last end.

    Flows have one entry for the time before the first year, one per year, and one for what lies after the last.
    """

    def __init__(self, edges: Array, quarters: Array | None = None) -> None:
        self.edges = edges
        self.quarters = edges if quarters is None else quarters
        self.quarterly = {name: np.zeros(len(self.quarters) - 1) for name in PARTS}
        self.by_city: dict[str, list[Array]] = {name: [] for name in PARTS}
        self.by_provider: dict[str, list[Array]] = {name: [] for name in BY_PROVIDER}
        self.flows = {name: np.zeros(len(edges) + 1) for name in _FLOWS}
        self.waiting, self.in_class = np.zeros(len(edges)), np.zeros(len(edges))

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
        """The outcomes :data:`PARTS` by (city, year) and by quarter, and :data:`BY_PROVIDER` by (provider, year)."""
        found = {f"by_city/{name}": np.array(parts) for name, parts in self.by_city.items()}
        found |= {f"by_provider/{name}": np.concatenate(parts) for name, parts in self.by_provider.items() if parts}
        return found | {f"quarterly/{name}": values for name, values in self.quarterly.items()}

    def enter(self, classes: Classes, fate: Fate, offer: Supply, providers: Sequence[Provider], facts: Facts) -> None:
        """Enter all classes of a city; a class that never found trainers and rooms in time started on day NaN."""
        c, horizon, n = classes, self.edges[-1], len(providers)
        started, ended, expires = fate.started, fate.started + c.days, c.formed + c.patience
        lost = np.isnan(started) & (expires <= horizon)
        began, over, gone = self._bins(started), self._bins(ended), self._bins(np.where(lost, expires, np.nan))
        given = self._bins(np.where(np.isnan(started), np.nan, fate.trainers))
        started_in, ended_in = (np.searchsorted(self.quarters, d, side="right") for d in (started, ended))
        # One row per provider, one column per bin; a class that nobody ever took up has the row before the first.
        row = (fate.provider + 1) * (len(self.edges) + 1)
        labour = np.array([True, *(p.level == TECHNICIAN for p in providers)])[fate.provider + 1]
        strict = facts.counted_once[c.course] * facts.counts_all[c.course] * (c.hours >= STRICT_HOURS) * ~labour
        here = {name: np.zeros((n + 1, len(self.edges) + 1)) for name in (*_FLOWS, *BY_PROVIDER)}
        for name, bins, weights in (
            ("training_person_times_all", began, c.participants * facts.counts_all[c.course]),
            ("training_person_times_social", began, c.participants * facts.counts_social[c.course]),
            ("training_person_times_strict", over, c.completed * strict),
            ("training_person_hours", began, c.participants * c.hours * facts.counts_all[c.course]),
            ("mentors_trained", over, c.completed * facts.mentors[c.course]),
            ("order_class_students", began, c.participants * facts.orders[c.course]),
            ("training_registered", self._bins(c.formed), c.size),
            ("training_no_shows", began, c.size - c.participants),
            ("training_completed", over, c.completed),
            ("training_dropped", over, c.participants - c.completed),
            ("training_lost", gone, c.size),
            ("training_classes_started", began, np.ones(len(c.size))),
            ("wait_days", began, started - c.formed),
            ("trainer_hours", given, c.hours),
            ("dual_hours", given, c.hours * fate.dual),
        ):
            here[name] = self._table(row, bins, weights, n)
            if name in PARTS:
                quarter = ended_in if bins is over else started_in
                self.quarterly[name] += np.bincount(quarter, weights, len(self.quarters) + 1)[1:-1]
        place = (fate.place + 1) * (len(self.edges) + 1)
        here["room_hours"] = self._table(place, began, c.hours * ~c.evening, n)
        here["evening_hours"] = self._table(place, began, c.hours * c.evening, n)
        self._offer(offer, here)
        for name in _FLOWS:
            self.flows[name] += here[name].sum(axis=0)
        for name in BY_PROVIDER:
            self.by_provider[name].append(here[name][1:, 1:-1])
        for k, day in enumerate(self.edges):
            running = (started < day) & (ended >= day)
            open_ = (c.formed < day) & ~(started < day) & ~(lost & (expires < day))
            self.in_class[k] += c.participants[running].sum()
            self.waiting[k] += c.size[open_].sum()

    def idle(self, offer: Supply, providers: Sequence[Provider]) -> None:
        """Enter a city where nobody asked for a class: what its providers offered, and nothing else."""
        here = {name: np.zeros((len(providers) + 1, len(self.edges) + 1)) for name in BY_PROVIDER}
        self._offer(offer, here)
        for name in BY_PROVIDER:
            self.by_provider[name].append(here[name][1:, 1:-1])

    def _offer(self, offer: Supply, here: dict[str, Array]) -> None:
        """Hours that the providers offered: trainer hours when they are paid in, room hours while they last."""
        bins, ends = self._bins(np.array(offer.days)), np.append(offer.days[1:], self.edges[-1])
        weeks = (ends - np.array(offer.days))[:, None] / 7.0
        for name, amounts in (
            ("trainer_hours_offered", offer.general + offer.dual),
            ("dual_hours_offered", offer.dual),
            ("room_hours_offered", offer.day * weeks),
            ("evening_hours_offered", offer.evening * weeks),
        ):
            np.add.at(here[name].T, bins, np.pad(amounts, ((0, 0), (1, 0))))

    def _bins(self, day: Array) -> NDArray[np.int64]:
        """0 before the first counted year, 1, 2, … in it, one more after the last (and for NaN)."""
        return np.asarray(np.searchsorted(self.edges, day, side="right"), dtype=np.int64)

    def _table(self, row: NDArray[np.int64], bins: NDArray[np.int64], weights: Array, providers: int) -> Array:
        """Σ weights by (provider, bin); the last bin is what lies beyond the horizon, and stays empty."""
        width = len(self.edges) + 1
        found = np.bincount(row + bins, weights=weights, minlength=(providers + 1) * width)
        found = found.reshape(providers + 1, width)
        found[:, -1] = 0.0
        return np.asarray(found, dtype=np.float64)

    def imbalance(self) -> float:
        """Registered persons minus those in any of the six states at the horizon, since the empty start (0)."""
        total = {name: float(values[:-1].sum()) for name, values in self.flows.items()}
        accounted = fsum(total[f"training_{state}"] for state in ("no_shows", "completed", "dropped", "lost"))
        return total["training_registered"] - accounted - float(self.waiting[-1] + self.in_class[-1])

    def outcomes(self) -> dict[str, Array]:
        """One value per counted year and outcome (levels at the year's end)."""
        out = {name: values[1:-1].copy() for name, values in self.flows.items()}
        out["training_waiting"], out["training_in_class"] = self.waiting[1:].copy(), self.in_class[1:].copy()
        sums = {name: np.sum([part.sum(axis=0) for part in parts], axis=0) for name, parts in self.by_provider.items()}
        out["training_mean_wait"] = sums["wait_days"] / np.maximum(out["training_classes_started"], 1.0)
        for name, of in (
            *(("trainer_hours_used", "trainer_hours"), ("dual_hours_used", "dual_hours")),
            *(("room_hours_used", "room_hours"), ("evening_hours_used", "evening_hours")),
        ):
            out[name] = sums[of] / np.maximum(sums[f"{of}_offered"], 1e-9)
        return out
