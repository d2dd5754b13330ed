"""What the simulated processes share: their numbers from the registries, the days of the horizon, and counting by year.

A process never holds a number of its own: it names parameters of the registries (``process_parameters`` and the
theme's own), and asks for their value at the present design point.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from zjsim.simulate.inputs import UncertainInput, Values, from_row, sample
from zjsim.simulate.inputs import mean as mean_of
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.schema import PUBLIC_BASES

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario.parameters import Time

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12
DAYS_PER_WEEK = 7.0

_SHAPES = {
    "multinomial": "triangular",
    "scheduled": "triangular",
    "poisson": "constant",
    "monthly_index": "constant",
    "calendar": "constant",
    "seasonal": "triangular",
}
"""Registry shapes that name a schedule or a count: how the number itself spreads between entities."""


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """The parameters a process uses, by id."""

    inputs: Mapping[str, UncertainInput]

    def value(self, parameter_id: str, values: Values) -> float:
        """The value at this design point: that of ``values``, or the mode where the input is not varied."""
        return values.get(parameter_id, self.inputs[parameter_id].mode)

    def share_of_mode(self, parameter_id: str, values: Values) -> float:
        """The value over the mode: what scales a registry number that was derived at the mode."""
        return self.value(parameter_id, values) / self.inputs[parameter_id].mode

    def mean(self, parameter_id: str, values: Values) -> float:
        """The mean over entities at this design point."""
        return mean_of(self.inputs[parameter_id], self.value(parameter_id, values))

    def draw(self, parameter_id: str, values: Values, u: ArrayLike) -> Floats:
        """Values of entities by inverse transform of uniform numbers ``u`` (same shape)."""
        return sample(self.inputs[parameter_id], self.value(parameter_id, values), u)

    def uncertain(self) -> tuple[UncertainInput, ...]:
        """The inputs with a range whose basis is neither official nor press, by id."""
        found = (self.inputs[i] for i in sorted(self.inputs))
        return tuple(i for i in found if i.basis not in PUBLIC_BASES and i.low < i.high)


def parameter_set(tables: Sequence[pd.DataFrame], ids: Iterable[str]) -> ParameterSet:
    """The parameters ``ids`` from one or more parameter registries.

    Raises ``InputErrors`` for a parameter that is not an input: a pace that a target requires never feeds a model.
    """
    rows = {row["parameter_id"]: row for table in tables for row in records(table)}
    inputs = {}
    for parameter_id in ids:
        row = rows[parameter_id]
        require_input(row)
        inputs[parameter_id] = from_row(row, distribution=_SHAPES.get(row["distribution"], row["distribution"]))
    return ParameterSet(inputs)


def require_input(row: Mapping[str, Any]) -> None:
    """Refuse a parameter that is no input: what a target requires, or what only checks others, feeds no model.

    Raises ``InputErrors`` that name the parameter. Registries without a column ``role`` hold inputs only.
    """
    role = row.get("role", "input")
    if role != "input":
        named = {"parameter": row["parameter_id"], "role": role}
        raise InputErrors(
            [finding("not_an_input", "registries", column="role", value=role, theme="simulation.rule", words=named)]
        )


@dataclass(frozen=True, slots=True)
class Horizon:
    """The simulated days: 0 is the day after the as-of date, ``end`` the day after the last one.

    ``edges`` are the beginnings of the years (the first one is 0) and the end, in days.
    """

    first_day: date
    years: tuple[int, ...]
    edges: tuple[float, ...]

    @property
    def end(self) -> float:
        """Days from the first simulated day to the end of the last one."""
        return self.edges[-1]

    def day(self, when: date) -> float:
        """Days from the first simulated day to ``when`` (negative before it)."""
        return float((when - self.first_day).days)

    def year_start(self, year: int) -> float:
        """Days to 1 January of any ``year``, in the past as well."""
        return self.day(date(year, 1, 1))

    def past_years(self, count: int) -> tuple[int, ...]:
        """The ``count`` years before the first simulated one."""
        return tuple(range(self.years[0] - count, self.years[0]))

    def lengths_years(self) -> Floats:
        """Length of each simulated year in years (less than 1 where the as-of date lies within it)."""
        return np.diff(self.edges) / [self.year_start(y + 1) - self.year_start(y) for y in self.years]

    def quarter_edges(self) -> Floats:
        """The first simulated day, every later first day of a calendar quarter, and the end, in days."""
        starts = [self.day(date(y, m, 1)) for y in self.years for m in (1, 4, 7, 10)]
        return np.array([0.0, *(s for s in starts if s > 0), self.end])

    def per_quarter(self, days: ArrayLike) -> Floats:
        """How many of ``days`` lie in each simulated quarter; days outside the horizon are left out."""
        within = np.asarray(days, dtype=np.float64)
        return np.histogram(within[within < self.end], bins=self.quarter_edges())[0].astype(np.float64)

    def by_place(self, days: ArrayLike, place: ArrayLike, places: int) -> Floats:
        """How many of ``days`` lie in each simulated year, by (place, year)."""
        when, where = np.asarray(days, dtype=np.float64), np.asarray(place)
        bins = (np.arange(places + 1) - 0.5, np.array(self.edges))
        here = when < self.end
        return np.histogram2d(where[here], when[here], bins=bins)[0]

    def per_year(self, days: ArrayLike) -> Floats:
        """How many of ``days`` lie in each simulated year; days outside the horizon are left out."""
        within = np.asarray(days, dtype=np.float64)
        return np.histogram(within[within < self.end], bins=np.array(self.edges))[0].astype(np.float64)


def horizon(time: Time) -> Horizon:
    """The simulated days of a scenario: from the day after ``time.as_of`` to ``time.horizon``."""
    first = time.as_of + timedelta(days=1)
    years = tuple(range(first.year, time.horizon.year + 1))
    later = [float((date(y, 1, 1) - first).days) for y in years[1:]]
    return Horizon(first, years, (0.0, *later, float((time.horizon - first).days + 1)))


def poisson_quantile(u: ArrayLike, mean: ArrayLike) -> Ints:
    """Poisson counts by inverse transform: never falling in ``mean`` for a given ``u``, so runs stay comparable."""
    u, mean = np.broadcast_arrays(np.asarray(u, dtype=np.float64), np.asarray(mean, dtype=np.float64))
    found = np.zeros(u.shape, dtype=np.float64)
    some = (mean > 0) & (u > 0)
    above = np.ceil(special.pdtrik(u[some], mean[some]))
    below = np.maximum(above - 1, 0)
    found[some] = np.where(special.pdtr(below, mean[some]) >= u[some], below, np.maximum(above, 0))
    return found.astype(np.int64)


def parts_of(horizon: Horizon, outcome: str, days: ArrayLike, place: ArrayLike, places: int) -> dict[str, Floats]:
    """A count of ``days`` as a process exports it: by (city, year) and by quarter, beside the province's own."""
    return {
        f"by_city/{outcome}": horizon.by_place(days, place, places),
        f"quarterly/{outcome}": horizon.per_quarter(days),
    }


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, each as a mapping from column to value."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def city_of(place_code: str) -> str:
    """The city a county or city code belongs to (GB/T 2260)."""
    return place_code[:4] + "00"
