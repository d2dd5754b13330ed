"""Seat expansion: which classes, rooms, schools and purchased places a county opens in which school year.

One mixed-integer program per county (nothing couples counties), children as whole numbers, goals in strict order:
local children without a seat → guaranteed migrant children without a place (M004, M110) → falls of the public share
(M112) → budget overrun → purchases while rooms stand idle → cost → migrant children outside public schools → years that
added rooms stand (nothing opens earlier than needed) → changed classes.
Every goal is elastic: a plan always exists, and what is not zero is explained county by county.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import fsum
from pathlib import Path

import pandas as pd
from zjsim.models.seat_basis import with_basis
from zjsim.models.seat_county import solve_county
from zjsim.models.seat_data import County, HasTables, counties, horizon_problem
from zjsim.models.seat_repair_model import Repair, repairs_of
from zjsim.models.seat_repairs import Repairs, repairs, rule_repairs, senior
from zjsim.models.seat_shortfalls import zone_shortfalls
from zjsim.models.seat_staff import staff
from zjsim.models.seat_tables import CountyPlan, plan_tables
from zjsim.models.seat_zone_plan import ZonePlan, zone_plan
from zjsim.models.seat_zone_tables import zone_tables
from zjsim.models.seat_zones import Zones, zones

from zjsim.simulate.workers import mapped
from zjsim.solve.arrays import LimitError
from zjsim.solve.highs import relative_gap
from zjsim.solve.options import Options
from zjsim.solve.results import Conflict, Feasible, Infeasible, Optimal, Result, Stage, Stopped
from zjsim.texts import text

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class CountyTask:
    """One county to be solved by itself; ``logged``: whether the solver's log is wanted."""

    county: County
    zones: Zones
    caps_km: Mapping[str, float]
    reading: str
    options: Options
    logged: bool


@dataclass(frozen=True, slots=True)
class CountySolved:
    """A county's plan with zones and repairs, or why there is none, and the solver's log of it."""

    answer: tuple[CountyPlan, ZonePlan, Repairs] | Infeasible | Stopped
    log: bytes


def solve_seats(
    scenario: HasTables, *, progress: Progress | None = None, log_file: str = "", workers: int = 1
) -> Result[dict[str, pd.DataFrame]]:
    """Plans of all counties as tables.

    By county they are ``seat_expansion``, ``seat_rooms``, ``seat_classes``, ``seat_shortfalls``, ``seat_stages``,
    ``seat_summary``, ``seat_repairs``, ``seat_senior`` and ``seat_staff``; by planning zone ``seat_zone_years``,
    ``seat_zone_classes``, ``seat_moves`` and ``seat_zone_purchases``. Each says what its numbers rest on (``basis``).

    ``progress(done, all)`` is called after every county; ``log_file`` keeps the log of all solves. Counties are solved
    by ``workers`` processes side by side, to the same plans. If a county is not proven, the result is ``Feasible`` with
    the largest gap of a goal summed over the counties; it is ``Infeasible`` only where the registries end before
    ``time.seat_horizon``.
    """
    short = horizon_problem(scenario)
    if short is not None:
        values = {"wanted": short[0], "available": short[1]}
        conflict = Conflict(
            ("seat_demand", "seat_horizon"),
            zh=text("seats.horizon.problem", "zh", **values),
            en=text("seats.horizon.problem", "en", **values),
            repair_zh=text("seats.horizon.repair", "zh", **values),
            repair_en=text("seats.horizon.repair", "en", **values),
        )
        return Infeasible(conflict)
    parameters = scenario.parameters
    options = Options(
        time_limit_s=min(parameters.seats.county_time_limit_s, parameters.solver.time_limit_s),
        relative_gap=max(parameters.seats.county_relative_gap, parameters.solver.relative_gap),
        threads=parameters.solver.threads,
        node_limit=parameters.solver.node_limit or None,
    )
    places = counties(scenario)
    areas = zones(scenario, places)
    caps = {"primary": parameters.seats.primary_move_km, "junior": parameters.seats.junior_move_km}
    plans: list[CountyPlan] = []
    spread: list[ZonePlan] = []
    mended: list[Repairs] = []
    reading = parameters.seats.public_share_reading
    tasks = [CountyTask(d, areas, caps, reading, options, bool(log_file)) for d in places]
    for done, (d, solved) in enumerate(zip(places, mapped(solved_county, workers, tasks), strict=True), 1):
        if log_file:
            with Path(log_file).open("ab") as log:
                log.write(f"\n== {d.code} {d.name_zh} {d.name_en} ==\n".encode() + solved.log)
        if isinstance(solved.answer, Stopped):
            return Stopped(f"{d.name_zh} {d.name_en}: {solved.answer.reason}", solved.answer.stages)
        if isinstance(solved.answer, Infeasible):
            return solved.answer
        plan, zone, repairs_there = solved.answer
        plans.append(replace(plan, stages=plan.stages + zone.stages))
        spread.append(zone)
        mended.append(repairs_there)
        if progress is not None:
            progress(done, len(places))
    further = [zone_shortfalls(p, z, areas.zone_ids[z.here]) for p, z in zip(plans, spread, strict=True)]
    tables = plan_tables(plans, scenario, further) | zone_tables(spread, areas, scenario)
    tables |= {
        "seat_repairs": repairs(plans, mended),
        "seat_rule_repairs": rule_repairs(plans, mended),
        "seat_senior": senior(plans, scenario),
        "seat_staff": staff(plans, scenario),
    }
    tables = with_basis(tables, scenario)
    stages = _totals(plans)
    if any(_by_clock(r) for there in mended for r in there.values()):
        # Another time a repair may be found: that, too, cannot be repeated for certain.
        stages = (*stages[:-1], replace(stages[-1], by_clock=True))
    # What is said here is the province's gap; county by county it is in seat_stages.
    worst = max((s.gap for s in stages), default=0.0)
    if worst == 0:
        return Optimal(tables, stages)
    bound = next(s.bound for s in stages if s.gap > 0)
    return Feasible(tables, stages, bound, worst)


def solved_county(task: CountyTask) -> CountySolved:
    """A county's classes and rooms, then its zones, then what would close its shortfalls."""
    d, options = task.county, task.options
    with tempfile.TemporaryDirectory(prefix="zjsim-", ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "solver.log"
        own = replace(options, log_file=str(log) if task.logged else "")
        result = solve_county(d, own, public_share_reading=task.reading)
        said = log.read_bytes() if log.is_file() else b""
    if isinstance(result, Stopped | Infeasible):
        return CountySolved(result, said)
    try:
        zone = zone_plan(result.plan, task.zones, task.caps_km, options)
    except LimitError as limit:
        return CountySolved(Stopped(str(limit)), said)
    return CountySolved((result.plan, zone, repairs_of(result.plan, options, reading=task.reading)), said)


def _by_clock(found: Repair | Stopped | None) -> bool:
    """Whether the clock ended the search for a repair."""
    if not isinstance(found, Stopped):
        return False
    return "time limit" in found.reason.lower() or any(s.by_clock for s in found.stages)


def _totals(plans: list[CountyPlan]) -> tuple[Stage, ...]:
    """Each goal summed over the counties; its bound is the sum of the counties' bounds."""
    found = []
    for stages in zip(*(p.stages for p in plans), strict=True):
        value, bound = fsum(s.value for s in stages), fsum(s.bound for s in stages)
        gap = relative_gap(value, bound) if any(s.gap > 0 for s in stages) else 0.0
        open_ones = {s.by_clock for s in stages if s.gap > 0}
        clock = True if True in open_ones else None if None in open_ones else False
        first = stages[0]
        found.append(Stage(first.name, first.sense, value, bound, gap, first.unit, first.tolerance, clock))
    return tuple(found)
