"""What the model of programmes knows: their stocks, paces and batches, and their state at the as-of date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from zjsim.models.location_openings import PLAN_TABLES, planned_programmes
from zjsim.models.past import Past, past
from zjsim.models.process_tools import (
    DAYS_PER_MONTH,
    DAYS_PER_YEAR,
    Horizon,
    ParameterSet,
    horizon,
    parameter_set,
    records,
)

from zjsim.synthesis.proportional import largest_remainder

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.scenario import Scenario
    from zjsim.simulate.inputs import Values

ADMISSION_MONTH = "PP69"
CALL_TO_APPROVAL = "GP10"
PULL_OF_NEIGHBOURS = "GP15"
OTHER_RULES = ("points_rule",)
"""Rules adopted by counties that have a registry of their own, besides the sibling rule."""
_REFERENCES = (
    "pace_parameter",
    "setup_parameter",
    "failure_parameter",
    "closure_parameter",
    "interval_parameter",
    "size_parameter",
)


@dataclass(frozen=True, slots=True)
class Programme:
    """A row of the registry ``programmes``; ``stock_day`` and ``known`` dates are days from the first simulated day.

    ``known``: published batches as (day, stage, approved); empty parameter ids are those its mechanism does not use.
    ``planned``: days on which a location plan starts projects; None where no plan decides. ``closed_before``: opened
    and closed again before the date of the stock; ``is_open``: the milestone is reached.
    """

    programme_id: str
    mechanism: str
    stock: int
    stock_date: date
    stock_day: float
    historic_mean_stock: float
    pace: str
    setup: str
    failure: str
    closure: str
    interval: str
    size: str
    outcome_new: str
    outcomes_level: tuple[str, ...]
    outcome_ever: str
    known: tuple[tuple[float, str, int], ...]
    planned: tuple[float, ...] | None = None
    closed_before: int = 0
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class ProgrammeData:
    """Programmes, and the counties with the sibling rule's state: (county code, city code, in force).

    ``rules``: the state of other rules that counties adopt, by programme, in the order of the counties.
    """

    horizon: Horizon
    parameters: ParameterSet
    programmes: tuple[Programme, ...]
    counties: tuple[tuple[str, str, bool], ...]
    past: Past
    rules: Mapping[str, tuple[bool, ...]] = field(default_factory=dict)

    @property
    def years(self) -> tuple[int, ...]:
        """The simulated years."""
        return self.horizon.years


def programmes_data(scenario: Scenario, plan: Mapping[str, pd.DataFrame]) -> ProgrammeData:
    """Read the registries of a scenario; the location plans in ``plan`` decide the starts of their programmes."""
    when = horizon(scenario.parameters.time)
    table = records(scenario.table("programmes").sort_values("programme_id"))
    known = defaultdict(list)
    for row in records(scenario.table("programme_batches").sort_values(["programme_id", "date"])):
        approved = 0 if np.isnan(row["approved"]) else int(row["approved"])
        known[row["programme_id"]].append((when.day(date.fromisoformat(row["date"])), str(row["stage"]), approved))
    programmes = tuple(_programme(row, when, tuple(known[row["programme_id"]])) for row in table)
    if any(name in plan for name in PLAN_TABLES.values()):
        kinds = scenario.table("location_kinds").sort_values("kind")
        planned = planned_programmes(plan, kinds)
        programmes = tuple(_planned(p, planned.get(p.programme_id), kinds, when) for p in programmes)
    ids = {row[name] for row in table for name in _REFERENCES if row[name]}
    ids |= {i for p in programmes for i in (p.setup, p.failure) if i}
    names = ["process_parameters", "programme_parameters"]
    if any(p.planned is not None for p in programmes):
        names.append("location_parameters")
    registries = [scenario.table(name) for name in names]
    rule = _in_force(scenario, "sibling_rule")
    counties = scenario.table("counties").sort_values("county_code")
    others = [p.programme_id for p in programmes if p.mechanism == "diffusion" and p.programme_id in OTHER_RULES]
    states = {name: _in_force(scenario, name) for name in others}
    parameters = parameter_set(registries, sorted(ids | {CALL_TO_APPROVAL, PULL_OF_NEIGHBOURS, ADMISSION_MONTH}))
    before = past(scenario)
    return ProgrammeData(
        horizon=when,
        parameters=parameters,
        programmes=brought_up(programmes, parameters, before, when),
        counties=tuple(
            (code, city, bool(rule.get(code, False)))
            for code, city in zip(counties["county_code"], counties["city_code"], strict=True)
        ),
        past=before,
        rules={n: tuple(bool(rule.get(c, False)) for c in counties["county_code"]) for n, rule in states.items()},
    )


def _in_force(scenario: Scenario, registry: str) -> dict[str, bool]:
    """Whether a rule is in force at the as-of date, by county code."""
    table = scenario.table(registry)
    return dict(zip(table["county_code"], table["in_force"], strict=True))


def _programme(row: Mapping[str, Any], when: Horizon, known: tuple[tuple[float, str, int], ...]) -> Programme:
    counted = date.fromisoformat(row["stock_date"])
    return Programme(
        programme_id=row["programme_id"],
        mechanism=row["mechanism"],
        stock=int(row["stock"]),
        stock_date=counted,
        stock_day=min(when.day(counted), 0.0),
        historic_mean_stock=float(row["historic_mean_stock"]),
        pace=row["pace_parameter"],
        setup=row["setup_parameter"],
        failure=row["failure_parameter"],
        closure=row["closure_parameter"],
        interval=row["interval_parameter"],
        size=row["size_parameter"],
        outcome_new=row["outcome_new"],
        outcomes_level=tuple(name for name in row["outcome_level"].split(";") if name),
        outcome_ever=row["outcome_ever"],
        known=known,
    )


def _planned(programme: Programme, found: pd.DataFrame | None, kinds: pd.DataFrame, when: Horizon) -> Programme:
    """The programme with the starts of a location plan; set-up and failure are those of the kind that it opens."""
    if found is None:
        return programme
    kind = kinds[kinds["programme_id"] == programme.programme_id].iloc[0]
    days = sorted(when.day(date.fromisoformat(d)) for d in found["start_date"])
    return replace(
        programme, planned=tuple(days), setup=str(kind["setup_parameter"]), failure=str(kind["failure_parameter"])
    )


def start_pace(data: ProgrammeData, programme: Programme, values: Values) -> float:
    """Starts a year: (net openings of the past + closures of that time) ÷ chance of opening."""
    p = data.parameters
    closures = p.value(programme.closure, values) * programme.historic_mean_stock
    return (p.value(programme.pace, values) + closures) / (1 - p.value(programme.failure, values))


def brought_up(
    programmes: Sequence[Programme], parameters: ParameterSet, before: Past, when: Horizon
) -> tuple[Programme, ...]:
    """The programmes in the state that the actual values give them at the as-of date.

    A stock becomes the actual level there; ``closed_before`` the difference to those ever opened; the last quarter in
    which a batch programme grew dates its last approval (its middle, the day is not known); a milestone that counts is
    open. What has no actual value is left as it is.
    """
    if not before.quarters:
        return tuple(programmes)
    stocks = _stocks(programmes, parameters, before)
    found = []
    for programme in programmes:
        changes: dict[str, Any] = {}
        if programme.programme_id in stocks:
            stock = stocks[programme.programme_id]
            day = before.as_of + timedelta(days=1)
            changes |= {"stock": stock, "stock_date": day, "stock_day": 0.0}
            ever = before.level(programme.outcome_ever) if programme.outcome_ever else np.nan
            changes["closed_before"] = 0 if np.isnan(ever) else max(round(ever) - stock, 0)
        if programme.mechanism == "batches" and (last := _last_batch(programme, programmes, before)) is not None:
            day_of = before.day_of(last)
            if not programme.known or programme.known[-1][0] < day_of:
                changes["known"] = (*programme.known, (day_of, "approval", 0))
        if programme.mechanism == "milestone":
            changes["is_open"] = before.flow(programme.outcome_new) >= 1
        found.append(replace(programme, **changes))
    return tuple(found)


def _stocks(programmes: Sequence[Programme], parameters: ParameterSet, before: Past) -> dict[str, int]:
    """What operates of each programme at the as-of date, where actual levels say it.

    A level of one programme is its stock. What is left of a level of several, once those known otherwise are taken off,
    is divided by what each would have: its stock in the registry and the openings that its pace implies since.
    """
    of_level: dict[str, list[Programme]] = defaultdict(list)
    for programme in programmes:
        for name in programme.outcomes_level:
            if programme.mechanism != "diffusion" and not np.isnan(before.level(name)):
                of_level[name].append(programme)
    found: dict[str, int] = {}
    for name, group in sorted(of_level.items(), key=lambda item: (len(item[1]), item[0])):
        open_ = [p for p in group if p.programme_id not in found]
        left = round(before.level(name)) - sum(found.get(p.programme_id, 0) for p in group)
        weights = [expected_stock(p, parameters, before.as_of) for p in open_]
        parts = largest_remainder(np.array(weights), max(left, 0)) if sum(weights) > 0 else np.zeros(len(open_))
        found |= {p.programme_id: int(n) for p, n in zip(open_, parts, strict=True)}
    return found


def expected_stock(programme: Programme, parameters: ParameterSet, day: date) -> float:
    """The registry's stock and the openings that the pace of the base values implies between its date and ``day``."""
    years = max((day - programme.stock_date).days, 0) / DAYS_PER_YEAR
    if programme.mechanism == "pipeline":
        return programme.stock + years * parameters.value(programme.pace, {})
    if programme.mechanism == "batches":
        interval = parameters.mean(programme.interval, {}) * DAYS_PER_MONTH / DAYS_PER_YEAR
        return programme.stock + years / interval * parameters.mean(programme.size, {})
    return float(programme.stock)


def _last_batch(programme: Programme, programmes: Sequence[Programme], before: Past) -> str | None:
    """The last past quarter in which an outcome that only this programme makes grew."""
    kinds = dict.fromkeys(programme.outcomes_level, "level")
    if programme.outcome_new:
        kinds[programme.outcome_new] = "flow"
    others = [p for p in programmes if p.programme_id != programme.programme_id]
    shared = {name for p in others for name in (*p.outcomes_level, p.outcome_new)}
    rises = [q for name, kind in kinds.items() if name not in shared for q in before.rises(name, kind)]
    return max(rises, default=None)
