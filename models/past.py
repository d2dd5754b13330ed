"""What lies before the as-of date: actual values in the place of simulated ones (M121, M124).

A scenario's as-of date divides the plan. Up to it the registry ``actuals`` says what came about, quarter by quarter;
from the next day on the processes are simulated, from a stock and work in progress that agree with it. The flow of a
year is the sum of its actual quarters and of its simulated rest, a level at the end of a past year is its actual value.
Past values are the same in every replication and at every design point: levers and uncertainties act only afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import fsum, isnan, nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from zjsim.scenario.quarters import PLAN_START, PROVINCE, quarter_end, quarters_until

if TYPE_CHECKING:
    from zjsim.scenario.parameters import Time

Floats = NDArray[np.float64]
Status = Literal["actual", "actual_and_simulated", "simulated"]
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Past:
    """Actual values up to the as-of date; ``values`` and ``bases`` are by (outcome, area code, quarter ``2025-Q1``).

    ``years`` are those of the plan, from its start to the horizon; ``quarters`` the whole ones of them that are over.
    """

    as_of: date
    years: tuple[int, ...]
    quarters: tuple[str, ...] = ()
    values: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    bases: Mapping[tuple[str, str, str], str] = field(default_factory=dict)

    @property
    def elapsed_years(self) -> float:
        """Years from the start of the plan to the as-of date; 0 where the plan had not begun."""
        return max((self.as_of - date(self.years[0], 1, 1)).days + 1, 0) / DAYS_PER_YEAR

    @property
    def start_day(self) -> float:
        """The plan's first day, in days from the day after the as-of date (not above 0)."""
        return float(min((date(self.years[0], 1, 1) - self.as_of).days - 1, 0))

    def day_of(self, quarter: str) -> float:
        """The middle of a past quarter, in days from the day after the as-of date."""
        year, number = int(quarter[:4]), int(quarter[-1])
        first = date(year, 3 * number - 2, 1)
        return ((first - self.as_of).days - 1 + (quarter_end(quarter) - self.as_of).days) / 2

    def value(self, outcome: str, quarter: str, area: str = PROVINCE) -> float:
        """The value of a quarter: its amount for a flow, the level at its end for a level; NaN where none is given."""
        return self.values.get((outcome, area, quarter), nan)

    def by_quarter(self, outcome: str, area: str = PROVINCE) -> dict[str, float]:
        """Every past quarter's value, NaN where none is given."""
        return {q: self.value(outcome, q, area) for q in self.quarters}

    def by_area(self, outcome: str, quarter: str) -> dict[str, float]:
        """The values of a quarter by area code, the province's among them, in the order of the codes."""
        return {a: v for (o, a, q), v in sorted(self.values.items()) if (o, q) == (outcome, quarter)}

    def flow(self, outcome: str, year: int | None = None, area: str = PROVINCE) -> float:
        """The sum of a year's past quarters (of all, without ``year``); NaN if one of them is not given, 0 if none."""
        wanted = [q for q in self.quarters if year is None or int(q[:4]) == year]
        return float(fsum(self.value(outcome, q, area) for q in wanted))

    def level(self, outcome: str, year: int | None = None, area: str = PROVINCE) -> float:
        """The level at the end of the last past quarter of ``year`` (of all, without it); NaN if it is not given."""
        wanted = [q for q in self.quarters if year is None or int(q[:4]) == year]
        return self.value(outcome, wanted[-1], area) if wanted else nan

    def rises(self, outcome: str, kind: str) -> list[str]:
        """Past quarters in which a flow was positive or a level rose against the quarter before, in order."""
        found, before = [], nan
        for quarter, value in self.by_quarter(outcome).items():
            if value > (0.0 if kind == "flow" else before):
                found.append(quarter)
            before = value
        return found

    def basis(self, outcome: str, year: int) -> str:
        """The bases of the values that a year's figure rests on, ``;`` between them."""
        return ";".join(sorted({b for (o, _, q), b in self.bases.items() if o == outcome and int(q[:4]) == year}))

    def status(self, kind: str, year: int, simulated: tuple[int, ...]) -> Status:
        """What a year's figure is made of, given the years that a process simulates; a level is one or the other."""
        if year not in simulated:
            return "actual"
        partly = kind == "flow" and any(int(q[:4]) == year for q in self.quarters)
        return "actual_and_simulated" if partly else "simulated"

    def known_part(self, outcome: str, kind: str, simulated: tuple[int, ...]) -> Floats:
        """What is known of each year of the plan: add the simulated values to get the whole.

        A past year counts as it was, a level that is still simulated as 0, a flow with the quarters that are over;
        NaN where an actual value is missing.
        """
        whole = [y not in simulated for y in self.years]
        if kind == "level":
            return np.array([self.level(outcome, y) if w else 0.0 for y, w in zip(self.years, whole, strict=True)])
        return np.array([self.flow(outcome, y) for y in self.years])


def past(scenario: Any) -> Past:
    """The past of a scenario: its registry ``actuals`` up to ``time.as_of``, rows of later quarters left out."""
    time: Time = scenario.parameters.time
    first = time.as_of + timedelta(days=1)
    years = tuple(range(min(PLAN_START.year, first.year), time.horizon.year + 1))
    if first <= PLAN_START:
        return Past(time.as_of, tuple(range(first.year, time.horizon.year + 1)))
    quarters = quarters_until(time.as_of)
    table = scenario.table("actuals")
    table = table[table["quarter"].isin(quarters)]
    keys = list(zip(table["outcome"], table["area_code"], table["quarter"], strict=True))
    values = dict(zip(keys, (float(v) for v in table["value"]), strict=True))
    return Past(time.as_of, years, quarters, values, dict(zip(keys, table["basis"], strict=True)))


@dataclass(frozen=True)
class WithPast:
    """A simulated process with its past put before it: the same call, one value per year of the plan.

    ``known`` is :meth:`Past.known_part` of every outcome; the simulated values stand for the last years.
    """

    simulate: Callable[..., Mapping[str, Floats]]
    known: Mapping[str, Floats]

    def __call__(self, data: Any, values: Mapping[str, float], streams: Any) -> dict[str, Floats]:
        """One replication, for all years of the plan."""
        found = {}
        for name, simulated in self.simulate(data, values, streams).items():
            if name not in self.known:  # the use of a resource: from the as-of date on, as it is
                found[name] = simulated
                continue
            whole = self.known[name].copy()
            whole[len(whole) - len(simulated) :] += simulated
            found[name] = whole
        return found


def with_past(
    simulate: Callable[..., Mapping[str, Floats]],
    outcomes: Mapping[str, tuple[str, str]],
    before: Past,
    simulated: tuple[int, ...],
) -> Callable[..., Mapping[str, Floats]]:
    """``simulate`` for all years of the plan; itself where it simulates all of them and nothing is over yet."""
    if not before.quarters:
        return simulate
    return WithPast(simulate, {n: before.known_part(n, kind, simulated) for n, (kind, _) in outcomes.items()})


def known_or(value: float, otherwise: float) -> float:
    """``value``, or ``otherwise`` where it is not given (NaN)."""
    return otherwise if isnan(value) else value
