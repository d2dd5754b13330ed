"""Programmes that grow by projects, batches or counties (M009, M013–M017, M045–M049, M055, M083, M096, M104, M107).

*Pipelines* (joint platforms, Silk Road Colleges): projects are started one by one at the historic pace, take their
set-up time, and some fail before opening; what is open may close. The net pace observed in the past, plus the closures
of that time, gives the openings; openings over the chance of opening give the starts. Projects under way at the date of
the stock are those of the past years that are not set up yet: nothing started later can open before its set-up time.

*Batches* (communities, consortia, centres): approvals come in scheduled batches at an interval; projects do not queue.
A published call or approval fixes the next date; otherwise the first batch falls anywhere within an interval.

*Milestone* (the AI college): one project. *Diffusion* (sibling rule, points rule): counties adopt in the admission
season of a year.

*Planned*: where a location plan decides a programme, its own starts after the as-of date replace the pace (and the
batches); set-up times and failures are drawn all the same, and what was under way before stays.

No pace is taken from a target. Time is in days from the day after the as-of date; a stock counted earlier is carried to
that date by the same process (a back-cast). Where actual values up to the as-of date are given they set the state
there instead: what operates and was ever opened, the last batch, the milestone, the counties with the sibling rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from zjsim.models.dated_levers import dated
from zjsim.models.process_tools import DAYS_PER_MONTH, DAYS_PER_YEAR, Floats, poisson_quantile
from zjsim.models.programme_data import (
    ADMISSION_MONTH,
    CALL_TO_APPROVAL,
    PULL_OF_NEIGHBOURS,
    Programme,
    ProgrammeData,
    programmes_data,
    start_pace,
)
from zjsim.models.programme_use import SetUps, programme_resources

if TYPE_CHECKING:
    from zjsim.simulate.inputs import UncertainInput, Values
    from zjsim.simulate.resources import Resource
    from zjsim.simulate.streams import Streams

Mask = NDArray[np.bool_]
PROCESS = "programmes"

OUTCOMES: dict[str, tuple[str, str]] = {
    "platforms_opened": ("flow", "platforms"),
    "platforms_operating": ("level", "platforms"),
    "branch_centres_opened": ("flow", "centres"),
    "silk_road_opened": ("flow", "colleges"),
    "silk_road_operating": ("level", "colleges"),
    "silk_road_ever_opened": ("level", "colleges"),
    "research_institutes_opened": ("flow", "institutes"),
    "kindergartens_opened": ("flow", "kindergartens"),
    "communities_provincial_new": ("flow", "communities"),
    "communities_any_level": ("level", "communities"),
    "consortia_provincial": ("level", "consortia"),
    "consortia_with_national": ("level", "consortia"),
    "practice_centres_recognised": ("flow", "centres"),
    "industry_colleges_approved": ("flow", "colleges"),
    "national_colleges_approved": ("flow", "colleges"),
    "science_parks_recognised": ("flow", "parks"),
    "ai_college_opened": ("flow", "college"),
    "sibling_counties": ("level", "counties"),
    "points_counties": ("level", "counties"),
    "balanced_counties_recognised": ("flow", "counties"),
    "preschool_counties_recognised": ("flow", "counties"),
}

BY_COUNTY = ("sibling_counties", "points_counties")
"""Levels of rules that counties adopt once a year: told by city, not by quarter."""

PAST_YEARS = 8
"""Years before the date of a stock whose projects may still be under way: Silk Road Colleges began in 2016."""

MOST_FUTURES = 256
"""Futures of a milestone that are drawn at most for one that agrees with what is known."""

MOST_BATCHES = 24
"""Batches that are drawn at most; with an interval of a year and a half two or three fall into the horizon."""


def cities(data: ProgrammeData) -> tuple[str, ...]:
    """The cities by which outcomes are told, in order."""
    return tuple(sorted({city for _, city, _ in data.counties}))


def resources(data: ProgrammeData) -> tuple[Resource, ...]:
    """Projects being set up, by programme."""
    return programme_resources(data)


def uncertain_inputs(data: ProgrammeData) -> tuple[UncertainInput, ...]:
    """Every number of this process that no public document settles."""
    return data.parameters.uncertain()


def simulate_programmes(data: ProgrammeData, values: Values, streams: Streams) -> dict[str, Floats]:
    """One replication: :data:`OUTCOMES` by simulated year; several programmes may add to one outcome."""
    years = len(data.horizon.years)
    found = {name: np.zeros(years) for name in OUTCOMES}
    quarters = data.horizon.quarter_edges()[1:]
    for name in OUTCOMES:
        if name not in BY_COUNTY:
            found[f"quarterly/{name}"] = np.zeros(len(quarters))
    set_ups = SetUps(data)
    for place, programme in enumerate(data.programmes):
        if programme.mechanism == "pipeline" or programme.planned is not None:
            made = list(projects(data, programme, values, streams))
            opened, closed = openings(data, made, closings_of_stock(data, programme, values, streams))
            for f in made:
                set_ups.projects(place, f.start, f.opening, f.fails.astype(np.float64))
        elif programme.mechanism == "batches":
            opened, closed = batches(data, programme, values, streams), np.zeros(0)
            set_ups.approved(place, opened)
        elif programme.mechanism == "milestone":
            opened, closed = milestone(data, programme, values, streams), np.zeros(0)
            set_ups.approved(place, opened)
        else:
            name = programme.outcomes_level[0] if programme.outcomes_level else programme.outcome_new
            with_rule = diffusion(data, programme, values, streams)
            found[name] += with_rule.sum(axis=0)
            found[f"by_city/{name}"] = with_rule
            continue
        ends = np.array(data.horizon.edges[1:])
        if programme.outcome_new:
            found[programme.outcome_new] += data.horizon.per_year(opened)
            found[f"quarterly/{programme.outcome_new}"] += data.horizon.per_quarter(opened)
        for edges, prefix in ((ends, ""), (quarters, "quarterly/")):
            ever = programme.stock + np.searchsorted(np.sort(opened), edges)
            if programme.outcome_ever:
                found[prefix + programme.outcome_ever] += ever + programme.closed_before
            for name in programme.outcomes_level:
                found[prefix + name] += ever - np.searchsorted(np.sort(closed), edges)
    return found | set_ups.use()


def pipeline(data: ProgrammeData, programme: Programme, values: Values, streams: Streams) -> tuple[Floats, Floats]:
    """Days of openings and of closures after the date of the stock, up to the end of the horizon.

    One project: a start at the pace, a set-up time, a chance of failing, a life with the hazard of closing. One stream
    per year of start; those of the years before the stock's date that open after it were under way then. A plan's own
    starts take the place of the pace after the as-of date.
    """
    found = list(projects(data, programme, values, streams))
    return openings(data, found, closings_of_stock(data, programme, values, streams))


def openings(data: ProgrammeData, found: list[Projects], of_stock: Floats) -> tuple[Floats, Floats]:
    """Days of openings and of closures within the horizon, of projects and of the stock."""
    opened = np.concatenate([f.opening[f.opens] for f in found])
    closed = np.concatenate([*(f.closing[f.opens] for f in found), of_stock])
    return opened[opened < data.horizon.end], closed[closed < data.horizon.end]


@dataclass(frozen=True, slots=True)
class Projects:
    """The projects of one year of start: their days of start, of opening or failing, and of closing (or infinity).

    ``opens``: which of them open after the date of the stock; ``fails``: which never do. The others opened before it.
    """

    year: int
    start: Floats
    opening: Floats
    closing: Floats
    opens: Mask
    fails: Mask


def projects(data: ProgrammeData, programme: Programme, values: Values, streams: Streams) -> Iterator[Projects]:
    """All projects of a pipeline, by the year of their start."""
    p, when = data.parameters, data.horizon
    pace = start_pace(data, programme, values) if programme.pace else 0.0
    more = values.get(f"more/starts/{programme.programme_id}", 0.0)
    hazard = _hazard(data, programme, values)
    first = programme.stock_date.year - PAST_YEARS
    for year in range(first, when.years[-1] + 1):
        start, u = _projects(data, programme, year, pace, streams)
        if programme.planned is None and (lever := dated(values, programme.pace)) is not None:
            start, u = _at_another_pace(data, programme, year, lever, values, (start, u), streams)
        if more and year in when.years:
            start, u = _further(data, programme, year, round(more), start, u, streams)
        opening = start + p.draw(programme.setup, values, u[:, 1]) * DAYS_PER_MONTH
        if (lever := dated(values, programme.setup)) is not None:
            opening = _set_up_sooner(start, opening, lever[0], lever[1] / p.value(programme.setup, values))
        fails = u[:, 2] < p.value(programme.failure, values)
        opens = ~fails & (opening > programme.stock_day)
        closing = np.full(len(start), np.inf)
        closing[opens] = _closings(opening[opens], u[opens, 3], hazard)
        yield Projects(year, start, opening, closing, opens, fails)


def closings_of_stock(data: ProgrammeData, programme: Programme, values: Values, streams: Streams) -> Floats:
    """Days on which what was open at the date of the stock closes (or infinity)."""
    u = streams.uniforms(PROCESS, programme.programme_id, "stock", programme.stock, "closing")
    return _closings(np.full(programme.stock, programme.stock_day), u, _hazard(data, programme, values))


def _hazard(data: ProgrammeData, programme: Programme, values: Values) -> float:
    return data.parameters.value(programme.closure, values) / DAYS_PER_YEAR if programme.closure else 0.0


def _projects(
    data: ProgrammeData, programme: Programme, year: int, pace: float, streams: Streams
) -> tuple[Floats, Floats]:
    """Days on which projects of ``year`` start, and four numbers of each: at the pace, or those of a plan."""
    begin, end = data.horizon.year_start(year), data.horizon.year_start(year + 1)
    name = programme.programme_id
    decided = programme.planned is not None and end > 0
    count = 0
    if not decided or begin < 0:
        count = int(poisson_quantile(streams.uniforms(PROCESS, name, year, 1, "starts"), pace)[0])
    u = streams.uniforms(PROCESS, name, year, 4 * count, "project").reshape(count, 4)
    start = begin + u[:, 0] * (end - begin)
    if not decided:
        return start, u
    own = np.array([d for d in programme.planned or () if max(begin, 0.0) <= d < end])
    more = streams.uniforms(PROCESS, name, year, 4 * len(own), "planned").reshape(len(own), 4)
    return np.concatenate([start[start < 0], own]), np.concatenate([u[start < 0], more])


def _at_another_pace(
    data: ProgrammeData,
    programme: Programme,
    year: int,
    lever: tuple[float, float],
    values: Values,
    base: tuple[Floats, Floats],
    streams: Streams,
) -> tuple[Floats, Floats]:
    """The projects of ``year`` where the pace is moved from a day on: those of ``base`` before it, then the new ones.

    Both come from the same draws, so a higher pace keeps the projects of the lower one.
    """
    day, value = lever
    if data.horizon.year_start(year + 1) <= day:
        return base
    pace = start_pace(data, programme, {**values, programme.pace: value})
    found = _projects(data, programme, year, pace, streams)
    early, late = base[0] < day, found[0] >= day
    return np.concatenate([base[0][early], found[0][late]]), np.concatenate([base[1][early], found[1][late]])


def _set_up_sooner(start: Floats, opening: Floats, day: float, factor: float) -> Floats:
    """Openings where set-up takes ``factor`` of its time from ``day`` on: what is left of it then counts, no more."""
    begun = np.maximum(start, day)
    return np.where(opening > begun, begun + (opening - begun) * factor, opening)


def _further(
    data: ProgrammeData, programme: Programme, year: int, more: int, start: Floats, u: Floats, streams: Streams
) -> tuple[Floats, Floats]:
    """The projects of ``year`` with ``more`` further ones, for a marginal value: on any day after the as-of date."""
    v = streams.uniforms(PROCESS, programme.programme_id, year, 4 * more, "further").reshape(more, 4)
    begin, end = max(data.horizon.year_start(year), 0.0), data.horizon.year_start(year + 1)
    return np.concatenate([start, begin + v[:, 0] * (end - begin)]), np.concatenate([u, v])


def _closings(opening: Floats, u: Floats, hazard: float) -> Floats:
    """Days on which what opened on ``opening`` closes (infinity where the hazard is zero)."""
    return opening - np.log1p(-u) / hazard if hazard > 0 else np.full(len(opening), np.inf)


def batches(data: ProgrammeData, programme: Programme, values: Values, streams: Streams) -> Floats:
    """Days of approvals after the as-of date, one for each thing approved."""
    p = data.parameters
    u = streams.uniforms(PROCESS, programme.programme_id, "batches", 2 + 2 * MOST_BATCHES)
    gaps = p.draw(programme.interval, values, u[2::2]) * DAYS_PER_MONTH
    more = values.get(f"more/approvals/{programme.programme_id}", 0.0)
    sizes = np.rint(p.draw(programme.size, values, u[3::2]) + more).astype(int)
    day, used = _first_batch(data, programme, values, u[:2], gaps)
    days = np.concatenate([[day], day + np.cumsum(gaps[used:])])
    sizes = sizes[: len(days)]
    here = (days >= 0) & (days < data.horizon.end)
    return np.repeat(days[here], np.maximum(sizes[here], 0))


def _first_batch(
    data: ProgrammeData, programme: Programme, values: Values, u: Floats, gaps: Floats
) -> tuple[float, int]:
    """Day of the next approval, and how many of ``gaps`` led to it.

    After an open call its usual time; else an interval after the last; else any day within an interval. It is never
    before the as-of date: of the intervals drawn the first one counts that ends after it.
    """
    if not programme.known:
        return float(u[0]) * float(gaps[0]), 1
    day, stage, _ = programme.known[-1]
    if stage == "call":
        called = day + float(data.parameters.draw(CALL_TO_APPROVAL, values, u[1])) * DAYS_PER_MONTH
        if called >= 0 or not data.past.quarters:
            return max(called, 0.0), 1
        day = called  # the actual values tell that it is over
    fits = np.flatnonzero(day + gaps >= 0)
    k = int(fits[0]) if len(fits) else 0
    return max(day + float(gaps[k]), 0.0), k + 1


def milestone(data: ProgrammeData, programme: Programme, values: Values, streams: Streams) -> Floats:
    """The day on which the one project opens, if it does: set-up counts from the plan's start.

    That it is not open at the as-of date is known: of :data:`MOST_FUTURES` futures drawn the first one counts in which
    it fails or takes longer. Where none does, the set-up time begins anew.
    """
    if programme.is_open:
        return np.zeros(0)
    p, start = data.parameters, data.past.start_day
    u = streams.uniforms(PROCESS, programme.programme_id, "milestone", 2 * (MOST_FUTURES if start < 0 else 1))
    days = start + p.draw(programme.setup, values, u[0::2]) * DAYS_PER_MONTH
    fails = u[1::2] < p.value(programme.failure, values)
    fits = np.flatnonzero(fails | (days >= 0))
    k = int(fits[0]) if len(fits) else 0
    day = float(days[k]) if len(fits) else float(days[k]) - start
    return np.zeros(0) if fails[k] or day >= data.horizon.end else np.array([day])


def diffusion(
    data: ProgrammeData,
    programme: Programme,
    values: Values,
    streams: Streams,
    adopted: list[tuple[float, str]] | None = None,
) -> Floats:
    """Counties with the rule by (city, year's end): each admission season those without adopt with a chance.

    The chance rises with the share of the city's counties that had the rule at the beginning of the year (GP15):
    1 - (1 - p)(1 - pull × share). A county that adopts keeps the rule. ``adopted`` takes day and county, if wanted.
    """
    p, when = data.parameters, data.horizon
    chance, pull = p.value(programme.pace, values), p.value(PULL_OF_NEIGHBOURS, values)
    month = round(p.value(ADMISSION_MONTH, values))
    codes = [code for code, _, _ in data.counties]
    city_names = sorted({city for _, city, _ in data.counties})
    city = np.array([city_names.index(c) for _, c, _ in data.counties], dtype=np.int64)
    in_force = _with_rule(data, programme, streams)
    found = []
    for n, year in enumerate(when.years):
        if when.edges[n] <= when.day(date(year, month, 1)) < when.edges[n + 1]:
            share = np.bincount(city, in_force) / np.bincount(city)
            u = np.array([streams.uniforms(PROCESS, code, year, 1, programme.programme_id)[0] for code in codes])
            before, in_force = in_force, in_force | (u < 1 - (1 - chance) * (1 - pull * share[city]))
            if adopted is not None:
                day = when.day(date(year, month, 1))
                adopted += [(day, codes[k]) for k in np.flatnonzero(in_force & ~before)]
        found.append(np.bincount(city, in_force, len(city_names)))
    return np.array(found, dtype=np.float64).T


def _with_rule(data: ProgrammeData, programme: Programme, streams: Streams) -> Mask:
    """Which counties have the rule at the as-of date: as many as the actual value says.

    Counties with an actual value of their own first, then those in force in the registry, then drawn ones.
    """
    states = data.rules.get(programme.programme_id, [state for _, _, state in data.counties])
    known = np.array(states, dtype=bool)
    name = programme.outcomes_level[0] if programme.outcomes_level else programme.outcome_new
    wanted = data.past.level(name)
    if np.isnan(wanted):
        return known
    codes = [code for code, _, _ in data.counties]
    own = np.array([data.past.level(name, area=code) for code in codes])
    likely = np.where(np.isnan(own), known * 1.0, 3 * own - 1)  # own yes 2, in force 1, not 0, own no -1
    u = [streams.uniforms(PROCESS, code, "as-of", 1, programme.programme_id)[0] for code in codes]
    found = np.zeros(len(codes), dtype=bool)
    found[np.lexsort((u, -likely))[: round(wanted)]] = True
    return found


__all__ = ["OUTCOMES", "PROCESS", "Programme", "ProgrammeData", "programmes_data", "simulate_programmes", "start_pace"]
