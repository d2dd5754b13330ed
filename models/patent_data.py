"""What the model of patent transfer knows: institutions and their patents, and their state at the as-of date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from zjsim.models.past import Past, known_or, past
from zjsim.models.people import People, people_data
from zjsim.models.process_tools import Floats, Horizon, ParameterSet, horizon, parameter_set, poisson_quantile

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario
    from zjsim.simulate.inputs import UncertainInput, Values
    from zjsim.simulate.streams import Streams

PROCESS = "patent_transfer"
_COLUMNS = (
    "stock",
    "inventoried",
    "other_contracts_per_year",
    "inventory_per_month",
    "promoted_per_year",
    "trials_per_year",
    "listed",
    "empowered_per_year",
)
_PROCESS_IDS = ("PP39", "PP43", "PP44", "PP45", "PP47", "PP49", "PP50", "PP51", "PP52", "PP53", "PP54")
_SERVICE_IDS = ("SP06", "SP07", "SP11")
_OWN_IDS = tuple(f"TP{n:02d}" for n in range(1, 21))


@dataclass(frozen=True, slots=True)
class PatentData:
    """Institutions and their patents: ``columns[name]`` holds a registry column, in the order of ``institutions``.

    ``city_of``: the index into ``cities`` of each institution; ``people``: the ledger that gives their officers.
    """

    horizon: Horizon
    parameters: ParameterSet
    institutions: tuple[str, ...]
    columns: Mapping[str, Floats]
    clock: str
    clock_from_filing: bool
    past: Past
    people: People
    cities: tuple[str, ...] = ()
    city_of: tuple[int, ...] = ()

    @property
    def years(self) -> tuple[int, ...]:
        """The simulated years."""
        return self.horizon.years


def patent_transfer_data(scenario: Scenario, plan: Mapping[str, pd.DataFrame]) -> PatentData:
    """Read the registries of a scenario; no table of ``plan`` changes this process: officers keep their time."""
    table = scenario.table("patents").sort_values("moe_code")
    names = ("process_parameters", "service_parameters", "patent_parameters")
    readings = scenario.parameters.patents
    where = dict(zip(*(scenario.table("universities")[c] for c in ("moe_code", "city_code")), strict=True))
    cities = tuple(sorted({where[code] for code in table["moe_code"]}))
    return PatentData(
        horizon=horizon(scenario.parameters.time),
        parameters=parameter_set([scenario.table(n) for n in names], (*_PROCESS_IDS, *_SERVICE_IDS, *_OWN_IDS)),
        institutions=tuple(table["moe_code"]),
        columns={name: table[name].to_numpy(dtype=np.float64) for name in _COLUMNS},
        clock="PP50" if readings.non_use_reading == "plan_2_years" else "PP51",
        clock_from_filing=readings.non_use_start == "filing",
        past=past(scenario),
        people=people_data(scenario, {}),
        cities=cities,
        city_of=tuple(cities.index(where[code]) for code in table["moe_code"]),
    )


def uncertain_inputs(data: PatentData) -> tuple[UncertainInput, ...]:
    """Every number of this process that no public document settles."""
    return data.parameters.uncertain()


def counts_of(data: PatentData, streams: Streams, year: int, what: str, means: Floats) -> list[int]:
    """A Poisson count of ``means`` for every institution in ``year``."""
    u = [streams.uniforms(PROCESS, code, year, 1, what)[0] for code in data.institutions]
    found: list[int] = poisson_quantile(np.array(u), means).tolist()
    return found


def direct_hazard(data: PatentData, values: Values) -> float:
    """Transfers a year of an idle patent: what accumulates to the share PP49 over the mean exposure TP02."""
    return float(-np.log1p(-data.parameters.value("PP49", values)) / data.parameters.value("TP02", values))


def idle_patents(data: PatentData, values: Values, own: Floats, untransferred: float) -> Floats:
    """Idle patents by institution at the as-of date: those of the plan's start, grown, less what was transferred since.

    ``own`` patents grow and lapse by TP06 and TP07 as in the simulated years; the transfers are the actual ones of the
    province (at the past hazard where none are given), divided by idle patents.
    """
    p, elapsed = data.parameters, data.past.elapsed_years
    idle = own * untransferred
    if not elapsed:
        return np.asarray(idle)
    gone = known_or(data.past.flow("patents_transferred"), float(direct_hazard(data, values) * idle.sum() * elapsed))
    grown = idle + (own * p.value("TP06", values) - idle * p.value("TP07", values)) * elapsed
    return np.maximum(grown - gone * idle / max(float(idle.sum()), 1e-9), 0.0)


def counted_trials(data: PatentData, values: Values, pace: float) -> float:
    """Trials begun under the plan before the as-of date over those at today's ``pace`` (a year).

    Counted are transfers or trials less transfers: the trials begun, less those of them that ended in a licence. Of
    trials begun evenly over T years, the share max(0, 1 - L / T) is over after a length of L years.
    """
    elapsed, p = data.past.elapsed_years, data.parameters
    counted = data.past.flow("patents_transferred_or_trialled") - data.past.flow("patents_transferred")
    if not elapsed or not pace or np.isnan(counted):
        return 1.0
    over = max(0.0, 1 - p.mean("PP44", values) / 12 / elapsed)
    return max(counted, 0.0) / (pace * elapsed * (1 - p.value("PP45", values) * over))


def scaled(backlog: Floats, total: float, least: Floats, most: Floats) -> Floats:
    """``backlog`` brought to a sum of ``total``: what lies above the least, or is missing to the most, moves alike."""
    now = float(backlog.sum())
    if total <= now:
        spare = float((backlog - least).sum())
        return np.asarray(least + (backlog - least) * (total - float(least.sum())) / spare if spare > 0 else backlog)
    room = float((most - backlog).sum())
    return np.asarray(backlog + (most - backlog) * (total - now) / room if room > 0 else backlog)
