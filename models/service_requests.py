"""All requests of one replication, drawn at once: who asks when, for what, how patiently, and whether again.

A request is a number r. The first requests are 0 … ``firsts`` - 1; the repeat that may follow request r is
r + ``firsts``, so a chain of services of one firm is r, r + firsts, r + 2 firsts, ….
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING

import numpy as np
from zjsim.models.process_tools import DAYS_PER_MONTH, DAYS_PER_WEEK, DAYS_PER_YEAR, Floats, Ints, poisson_quantile
from zjsim.models.service_data import FirmGroup, ServiceData

if TYPE_CHECKING:
    from zjsim.simulate.inputs import Values
    from zjsim.simulate.streams import Streams

PROCESS = "enterprise_service"
LINKS = 4
"""A first service and at most three repeats: with a chance of 0.4 each, 1 chain in 40 would go on."""

PAST_YEARS = 3
"""Years before the as-of date whose requests are drawn: the longest partnership runs three years."""

KINDS = ("PP32a", "PP32b", "PP32c")
DEMAND = ("SP06", "SP07", "SP08", "SP09", "SP10")
"""Shares and ratios by which the registry's requests were derived: moving one moves all requests."""

_FIRST = ("day", "firm", "repeats", "industry")
_EACH = ("kind", "length", "load", "patience", "asked", "delay")
_LATER = ("topic", "applies")
"""Drawn from a stream of their own: the model came to know them later."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Columns of the requests of one replication (arrays over r, unless stated).

    ``key_firm``: number of the key firm or -1; ``industry``: index or -1; ``asked``: position in the city's area of the
    institution asked first; ``followed``: whether a repeat follows a completion; ``arrival_days``: of the requests
    whose coming does not depend on the simulation (else NaN); ``coming``: those, in order of arrival, from day 0 on;
    ``running``, ``running_until``: services under way on day 0 and their last day. ``firm``: number among all firms
    (:meth:`ServiceData.firms`); ``firm_class``: index; ``quality``: about quality, standards, brands or metrology;
    ``applies``: a uniform number that says whether a joint application comes of it.
    """

    firsts: int
    city: Ints
    priority: Ints
    key_firm: Ints
    industry: Ints
    asked: Ints
    kind: Ints
    length_days: Floats
    load_fte: Floats
    patience_days: Floats
    delay_days: Floats
    followed: np.ndarray[tuple[int], np.dtype[np.bool_]]
    arrival_days: Floats
    coming: Ints
    running: Ints
    running_until: Floats
    firm: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    firm_class: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    quality: np.ndarray[tuple[int], np.dtype[np.bool_]] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    applies: Floats = field(default_factory=lambda: np.zeros(0))


def draw_requests(data: ServiceData, values: Values, streams: Streams) -> Requests:
    """Draw every group's requests for the past years and the horizon, and follow the chains up to day 0."""
    years = (*data.horizon.past_years(PAST_YEARS), *data.horizon.years)
    led = np.array([bool(leads) for leads in (*data.assigned, ())])
    parts = [_group_year(data, n, year, led, values, streams) for n in range(len(data.groups)) for year in years]
    first = {name: np.concatenate([p[name] for p in parts]) for name in ("day", "firm", "industry", "repeats", "group")}
    each = {name: np.concatenate([p[name] for p in parts], axis=1).ravel() for name in (*_EACH, *_LATER)}
    firsts = len(first["day"])
    of_group = {
        "city": np.array([g.city for g in data.groups], dtype=np.int64),
        "priority": np.array([g.priority for g in data.groups], dtype=np.int64),
    }
    groups = first["group"].astype(np.int64)
    starts, _ = data.firms()
    classes = np.array([data.firm_classes.index(g.firm_class) for g in data.groups], dtype=np.int64)
    firm = np.tile(np.array(starts, dtype=np.int64)[groups] + first["firm"].astype(np.int64), LINKS)
    key = np.tile(np.array([g.first_key_firm >= 0 for g in data.groups], dtype=bool)[groups], LINKS)
    city = np.tile(of_group["city"][groups], LINKS)
    kind = _kinds(data, values, each["kind"])
    followed = np.concatenate([first["repeats"] > link for link in range(LINKS - 1)] + [np.zeros(firsts, dtype=bool)])
    length = _lengths(data, values, kind, each["length"])
    delay = each["delay"] * DAYS_PER_YEAR
    arrival, running, until = _until_day_zero(data, first["day"], length, delay, followed, firsts)
    coming = np.flatnonzero((arrival >= 0) & (arrival < data.horizon.end))
    return Requests(
        firsts=firsts,
        city=city,
        priority=np.tile(of_group["priority"][groups], LINKS),
        key_firm=np.where(key, firm, -1),
        industry=np.tile(first["industry"].astype(np.int64), LINKS),
        asked=_asked(data, city, each["asked"]),
        kind=kind,
        length_days=length,
        load_fte=_loads(data, values, kind, each["load"]),
        patience_days=data.parameters.draw("PP34", values, each["patience"]) * DAYS_PER_WEEK,
        delay_days=delay,
        followed=followed,
        arrival_days=arrival,
        coming=coming[np.lexsort((coming, arrival[coming]))],
        running=running,
        running_until=until,
        firm=firm,
        firm_class=np.tile(classes[groups], LINKS),
        quality=~key & (each["topic"] < data.parameters.value("SP27", values)),
        applies=each["applies"],
    )


def _group_year(
    data: ServiceData,
    number: int,
    year: int,
    led: np.ndarray[tuple[int], np.dtype[np.bool_]],
    values: Values,
    streams: Streams,
) -> dict[str, Floats]:
    """The requests of one class of firms of one city in one year; one stream for the group and year.

    ``number``: index of the group; ``led``: whether an industry has assigned institutions (the last entry: none).
    Requests of industries with an assigned institution grow by SP14 after the as-of date: the further requests are
    drawn after the others, so these stay as they are, and those of industries without assignment are dropped.
    """
    p, group = data.parameters, data.groups[number]
    growth = (1 + p.value("SP11", values)) ** (year - data.past.years[0] + 1)
    scale = float(np.prod([p.share_of_mode(i, values) for i in DEMAND]))
    repeats = p.value("PP33", values)
    scale *= (1 - repeats) / (1 - p.inputs["PP33"].mode)  # contracts include repeats: the total stays
    mean = group.firms * group.requests_per_firm_year * growth * scale
    gain = p.value("SP14", values) if year in data.horizon.years else 1.0
    entity = f"{group.city_code}/{group.firm_class}"
    start = streams.uniforms(PROCESS, entity, year, 1, "count")
    count, wanted = (int(n) for n in poisson_quantile(start[0], np.array([mean, mean * gain])))
    columns = len(_FIRST) + LINKS * len(_EACH)
    u = streams.uniforms(PROCESS, entity, year, wanted * columns, "request").reshape(wanted, columns).T
    day, firm, again, industry = u[: len(_FIRST)]
    branch = _industries(data, group, values, industry)
    when = data.horizon.year_start(year) + _day_of_year(data, year, day)
    keep = (led[branch] & (when >= 0)) | (np.arange(wanted) < count)
    with np.errstate(divide="ignore"):
        chain = np.floor(np.log(np.maximum(again, 1e-300)) / np.log(repeats)) if repeats > 0 else np.zeros(wanted)
    found = {
        "day": when,
        "firm": np.floor(firm * group.firms),
        "repeats": chain,
        "industry": branch.astype(np.float64),
        "group": np.full(wanted, float(number)),
    }
    links = u[len(_FIRST) :].reshape(LINKS, len(_EACH), wanted)
    later = streams.uniforms(PROCESS, entity, year, wanted * LINKS * len(_LATER), "later")
    later = later.reshape(wanted, LINKS * len(_LATER)).T.reshape(LINKS, len(_LATER), wanted)
    return (
        {name: x[keep] for name, x in found.items()}
        | {name: links[:, n, keep] for n, name in enumerate(_EACH)}
        | {name: later[:, n, keep] for n, name in enumerate(_LATER)}
    )


def _day_of_year(data: ServiceData, year: int, u: Floats) -> Floats:
    """Day of the year by the season of requests (monthly index)."""
    length = data.horizon.year_start(year + 1) - data.horizon.year_start(year)
    months = np.linspace(0.0, length, 13)
    return np.asarray(np.interp(u, np.concatenate([[0.0], np.cumsum(data.season)]) / fsum(data.season), months))


def _industries(data: ServiceData, group: FirmGroup, values: Values, u: Floats) -> Ints:
    """The industry a request belongs to: a heritage industry of the city, a main industry (SP12), or none (-1)."""
    heritage = group.firm_class == "heritage"
    mix = (data.heritage_mix_of if heritage else data.mix_of)[group.city]
    if not mix:
        return np.full(len(u), -1, dtype=np.int64)
    share = 1.0 if heritage else data.parameters.value("SP12", values)
    weights = np.cumsum([places for _, places in mix]) / fsum(places for _, places in mix)
    chosen = np.minimum(np.searchsorted(weights, u / share, side="right"), len(mix) - 1)
    return np.where(u < share, np.array([i for i, _ in mix])[chosen], -1)


def _kinds(data: ServiceData, values: Values, u: Floats) -> Ints:
    """0 diagnosis, 1 tactical project, 2 R&D partnership: shares PP32 brought to add up to 1."""
    shares = np.array([data.parameters.value(k, values) for k in KINDS])
    return np.searchsorted(np.cumsum(shares / shares.sum())[:-1], u, side="right")


def _lengths(data: ServiceData, values: Values, kind: Ints, u: Floats) -> Floats:
    units = (("PP24", 1.0), ("PP25", DAYS_PER_WEEK), ("PP26", DAYS_PER_MONTH))
    length = np.empty(len(u))
    for k, (parameter, days) in enumerate(units):
        at = kind == k
        length[at] = data.parameters.draw(parameter, values, u[at]) * days
    return length


def _loads(data: ServiceData, values: Values, kind: Ints, u: Floats) -> Floats:
    """Staff time a service takes while it runs: all the service time of a few persons, or an academic share (FTE)."""
    short = kind == 0
    load = np.empty(len(u))
    persons = np.maximum(data.parameters.draw("PP28", values, u[short]), 1.0)
    load[short] = persons * data.parameters.value("SP04", values)
    load[~short] = data.parameters.draw("PP27", values, u[~short])
    return load


def loads_at(data: ServiceData, requests: Requests, factor: float) -> Floats:
    """The loads where members give ``factor`` times as much of their time: it is theirs that a diagnosis takes."""
    return np.where(requests.kind == 0, requests.load_fte * factor, requests.load_fte)


def _asked(data: ServiceData, city: Ints, u: Floats) -> Ints:
    """Position in the city's area of the institution asked first: by the teams it has there."""
    asked = np.zeros(len(u), dtype=np.int64)
    for c, weights in enumerate(data.weight_of):
        total = fsum(weights)
        if total > 0:
            at = city == c
            place = np.searchsorted(np.cumsum(weights) / total, u[at], side="right")
            asked[at] = np.minimum(place, len(weights) - 1)
    return asked


def _until_day_zero(
    data: ServiceData,
    first_day: Floats,
    length: Floats,
    delay: Floats,
    followed: np.ndarray[tuple[int], np.dtype[np.bool_]],
    firsts: int,
) -> tuple[Floats, Ints, Floats]:
    """Follow the chains through the past, without waiting: arrivals that are fixed, and services running on day 0."""
    arrival = np.full(firsts * LINKS, np.nan)
    running, until = [], []
    r = np.arange(firsts)
    day = first_day
    for link in range(LINKS):
        arrival[r] = day
        end = day + length[r]
        runs = (day < 0) & (end > 0)
        running.append(r[runs])
        until.append(end[runs])
        more = (end <= 0) & followed[r]
        if link + 1 < LINKS:
            day = end[more] + delay[r[more] + firsts]
            r = r[more] + firsts
    return arrival, np.concatenate(running), np.concatenate(until)
