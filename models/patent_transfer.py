"""Patents of institutions, from the drawer to a firm (M002, M019–M027, M035).

The stock of an institution is inventoried at its pace (M026). Of its idle patents, some find a buyer or a licensee by
themselves, at the hazard that past transfers imply; promoted high-value patents do so more often (M027), and further
empowered results at the rate of the pilots (M019). Each then needs an officer of the institution's transfer office, who
brings the contract about. Idle applied patents older than the non-use clock, without a valid reason, come on the list
for free trials once the institution has drawn it up (M024); a longer list draws more trials (M021). A trial runs some
months; then the firm buys a licence, again through the office, or the patent goes back to the list.

Three readings are counted: patents first transferred or licensed; the same with trials begun; contracts of all six
modes. The idle stock is a number per institution, not a crowd of objects: only patents on the move are entities.
Trials under way at the as-of date are drawn from the pace of the past years. What is actual up to the as-of date sets
the state there: idle patents are those of the plan's start with its growth and without the patents transferred since,
the inventory stands at its actual share, and the trials since the plan's start are as many as were counted. The rule's
list takes its time from the plan's start. Time is in days.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from zjsim.models.dated_levers import phases
from zjsim.models.patent_data import (
    PROCESS,
    PatentData,
    counted_trials,
    counts_of,
    direct_hazard,
    idle_patents,
    patent_transfer_data,
    uncertain_inputs,
)
from zjsim.models.patent_inventory import inventory, stock_inventoried
from zjsim.models.process_tools import DAYS_PER_MONTH, DAYS_PER_YEAR, Floats

from zjsim.simulate.kernel import Call, Pool, Simulation, Steps
from zjsim.simulate.resources import Meter, Resource, exported, months_between

if TYPE_CHECKING:
    from zjsim.simulate.inputs import Values
    from zjsim.simulate.streams import Streams

OFFICERS = "transfer_officers"

OUTCOMES: dict[str, tuple[str, str]] = {
    "patents_transferred": ("flow", "patents"),
    "patents_transferred_or_trialled": ("flow", "patents"),
    "result_contracts": ("flow", "contracts"),
    "inventory_share_stock_at_plan": ("level", "share"),
    "inventory_share_rolling": ("level", "share"),
}

PAST_TRIAL_YEARS = 3
"""Free trials began in Zhejiang in October 2021, three years before the plan's start."""


def simulate_patent_transfer(data: PatentData, values: Values, streams: Streams) -> dict[str, Floats]:
    """One replication: :data:`OUTCOMES` by simulated year."""
    book = move(data, values, streams)
    per_year = data.horizon.per_year
    transferred = per_year(book.transferred)
    at_plan, rolling = inventory(data, values, streams)
    others = other_contracts(data, values, streams)
    per_contract = data.parameters.value("TP10", values)
    return {
        "patents_transferred": transferred,
        "patents_transferred_or_trialled": transferred
        - per_year(book.converted_after_counted_trial)
        + per_year(book.trials_begun),
        "result_contracts": others.sum(axis=0) + transferred / per_contract,
        "inventory_share_stock_at_plan": at_plan,
        "inventory_share_rolling": rolling,
        "quarterly/inventory_share_stock_at_plan": stock_inventoried(
            data, values, streams, data.horizon.quarter_edges()[1:]
        ),
        **_parts(data, book, others, per_contract),
        **book.use,
    }


def _parts(data: PatentData, book: Book, others: Floats, per_contract: float) -> dict[str, Floats]:
    """Transfers, trials and contracts by (city of the institution, year), and by quarter."""
    city, cities = np.array(data.city_of, dtype=np.int64), len(data.cities)

    def count(days: list[float], by: list[int]) -> tuple[Floats, Floats]:
        where = city[np.array(by, dtype=np.int64)]
        return data.horizon.by_place(days, where, cities), data.horizon.per_quarter(days)

    transferred = count(book.transferred, book.transferred_by)
    begun = count(book.trials_begun, book.begun_by)
    converted = count(book.converted_after_counted_trial, book.converted_by)
    of_city = np.zeros((cities, len(data.years)))
    np.add.at(of_city, city, others)
    return {
        "by_city/patents_transferred": transferred[0],
        "by_city/patents_transferred_or_trialled": transferred[0] - converted[0] + begun[0],
        "by_city/result_contracts": of_city + transferred[0] / per_contract,
        "quarterly/patents_transferred": transferred[1],
        "quarterly/patents_transferred_or_trialled": transferred[1] - converted[1] + begun[1],
    }


def cities(data: PatentData) -> tuple[str, ...]:
    """The cities by which outcomes are told, in order."""
    return data.cities


def resources(data: PatentData) -> tuple[Resource, ...]:
    """Officers of the transfer offices who conclude patent contracts, by institution."""
    return (Resource(OFFICERS, "officer-days", data.institutions),)


@dataclass(slots=True)
class Book:
    """What happened on which day, and by which institution (``…_by``); the idle patents of each institution.

    ``per_officer``: how much of a full officer each of an institution's officers is now (empty: all are full ones).
    """

    idle: list[float]
    per_officer: list[float] = field(default_factory=list)
    transferred: list[float] = field(default_factory=list)
    trials_begun: list[float] = field(default_factory=list)
    converted_after_counted_trial: list[float] = field(default_factory=list)
    transferred_by: list[int] = field(default_factory=list)
    begun_by: list[int] = field(default_factory=list)
    converted_by: list[int] = field(default_factory=list)
    returned: int = 0
    use: dict[str, Floats] = field(default_factory=dict)

    def lasts(self, institution: int, work: float) -> float:
        """Days that ``work`` (days of a full officer) takes an officer of the institution now."""
        return work / self.per_officer[institution] if self.per_officer else work


def transfer(sim: Simulation, book: Book, office: Pool, institution: int, wait: float, work: float) -> Steps:
    """A patent that found a firm: after ``wait`` days it comes to the office, an officer concludes the contract.

    ``work``: days that it takes a full officer.
    """
    yield wait
    book.idle[institution] -= 1
    yield office
    yield book.lasts(institution, work)
    office.release()
    book.transferred.append(sim.now)
    book.transferred_by.append(institution)


def trial(
    sim: Simulation,
    book: Book,
    office: Pool,
    institution: int,
    wait: float,
    length: float,
    work: float,
    buys: bool,
    of_plan: bool = False,
) -> Steps:
    """A free trial: it begins after ``wait`` days (0: it is under way), and ends in a licence or back on the list.

    ``of_plan``: it began under the plan before the as-of date, so it was counted then.
    """
    counted = wait > 0 or of_plan
    if wait > 0:
        yield wait
        book.trials_begun.append(sim.now)
        book.begun_by.append(institution)
    book.idle[institution] -= 1
    yield length
    if not buys:
        book.idle[institution] += 1
        book.returned += 1
        return
    yield office
    yield book.lasts(institution, work)
    office.release()
    book.transferred.append(sim.now)
    book.transferred_by.append(institution)
    if counted:
        book.converted_after_counted_trial.append(sim.now)
        book.converted_by.append(institution)


def move(data: PatentData, values: Values, streams: Streams, sim: Simulation | None = None) -> Book:
    """Let patents flow to the end of the horizon; each year's flows start from the idle stock at its beginning.

    ``sim``: where they flow (a new simulation if none is given).
    """
    p, c = data.parameters, data.columns
    untransferred = 1 - p.value("PP49", values)
    own = c["stock"] * p.value("TP01", values)
    sim = sim or Simulation()
    (_, first), *later = phases(values)
    officers, per_officer = office_sizes(data, first)
    book = Book(idle_patents(data, values, own, untransferred).tolist(), per_officer)
    offices = [Pool(sim, n) for n in officers]
    start_trials_under_way(data, values, streams, sim, book, offices)

    def offices_change(call: Call) -> None:
        wanted, book.per_officer = office_sizes(data, call.argument)
        for office, n in zip(offices, wanted, strict=True):
            if n != office.units:
                office.resize(n - office.units)

    for day, then in later:
        sim.at(day, offices_change, then)

    def year_begins(call: Call) -> None:
        year = call.argument
        start_transfers(data, values, streams, sim, book, offices, year)
        start_trials(data, values, streams, sim, book, offices, year)
        length = data.horizon.lengths_years()[data.horizon.years.index(year)]
        change = (own * p.value("TP06", values) - np.array(book.idle) * p.value("TP07", values)) * length
        book.idle = [i + d for i, d in zip(book.idle, change.tolist(), strict=True)]

    for year, edge in zip(data.horizon.years, data.horizon.edges[:-1], strict=True):
        sim.at(edge, year_begins, year)
    months = months_between(data.horizon.first_day, data.horizon.end)
    meter = Meter(sim, offices, months)
    sim.run(data.horizon.end)
    book.use = exported(OFFICERS, months, meter.measures())
    return book


def office_sizes(data: PatentData, values: Values) -> tuple[list[int], list[float]]:
    """Officers who conclude patent contracts, at least one; and how much of a full officer each of them is.

    The ledger's time for patents (staff × share TP09): a part-time officer takes longer over each contract. For a
    marginal value every institution has ``more/transfer_officers`` further ones with all their time for patents.
    """
    time = data.people.officers_fte(values) + values.get("more/transfer_officers", 0.0)
    officers = np.maximum(1, np.rint(time)).astype(int)
    return officers.tolist(), (np.maximum(time, 1e-9) / officers).tolist()


def work_days(data: PatentData, values: Values, u: Floats) -> Floats:
    """Days of a full officer for one patent: a year ÷ contracts a year at full load (PP39 ÷ TP08) ÷ patents in one."""
    p = data.parameters
    contracts = p.draw("PP39", values, u) / p.value("TP08", values)
    return DAYS_PER_YEAR / contracts / p.value("TP10", values)


def start_transfers(
    data: PatentData,
    values: Values,
    streams: Streams,
    sim: Simulation,
    book: Book,
    offices: list[Pool],
    year: int,
) -> None:
    """Patents that find a firm in ``year``: idle ones, promoted ones (M027), and empowered results (M019)."""
    p, c = data.parameters, data.columns
    n = data.horizon.years.index(year)
    begin, end = data.horizon.edges[n], data.horizon.edges[n + 1]
    length = data.horizon.lengths_years()[n]
    hazard = direct_hazard(data, values)
    idle = np.maximum(book.idle, 0.0)
    grants = c["stock"] * p.value("TP01", values) * p.value("TP06", values)
    good = idle * p.value("PP53", values)
    promoted = np.minimum(c["promoted_per_year"] * p.share_of_mode("TP11", values), good)
    empowered = c["empowered_per_year"] * p.share_of_mode("TP20", values) * p.value("PP47", values)
    by_year = hazard * (idle + grants / 2) + hazard * (p.value("TP12", values) - 1) * promoted + empowered
    counts = counts_of(data, streams, year, "transfers", by_year * length)
    for i, code in enumerate(data.institutions):
        u = streams.uniforms(PROCESS, code, year, 2 * counts[i], "transfer").reshape(-1, 2)
        waits = (u[:, 0] * (end - begin)).tolist()
        works = work_days(data, values, u[:, 1]).tolist()
        for wait, work in zip(waits, works, strict=True):
            sim.start(transfer(sim, book, offices[i], i, wait, work))


def listed_patents(data: PatentData, values: Values, idle: Floats) -> Floats:
    """Idle patents that the non-use rule puts on the list (M024): applied, old enough, without a valid reason.

    Ages of idle patents are exponential with mean TP19 years from grant; a clock that starts at filing runs earlier by
    the examination (PP43).
    """
    p = data.parameters
    months = p.value(data.clock, values) - (p.value("PP43", values) if data.clock_from_filing else 0.0)
    old_enough = np.exp(-max(months, 0.0) / 12 / p.value("TP19", values))
    return np.asarray(idle * p.value("TP17", values) * (1 - p.value("PP52", values)) * old_enough)


def start_trials(
    data: PatentData,
    values: Values,
    streams: Streams,
    sim: Simulation,
    book: Book,
    offices: list[Pool],
    year: int,
) -> None:
    """Free trials begun in ``year``: today's pace, and from the day the list is drawn up more, by the list's length."""
    p, c = data.parameters, data.columns
    n = data.horizon.years.index(year)
    begin, end = data.horizon.edges[n], data.horizon.edges[n + 1]
    u = np.array([streams.uniforms(PROCESS, code, "as-of", 1, "list")[0] for code in data.institutions])
    drawn_up = np.clip(data.past.start_day + p.draw("TP18", values, u) * DAYS_PER_MONTH, begin, end)
    today = c["listed"] * p.share_of_mode("TP15", values) * p.share_of_mode("TP14", values)
    idle = np.maximum(book.idle, 0.0)
    growth = np.maximum(listed_patents(data, values, idle), today) / np.where(today > 0, today, 1.0)
    pace = c["trials_per_year"] * p.share_of_mode("TP13", values) * p.share_of_mode("TP14", values) / DAYS_PER_YEAR
    before = pace * (drawn_up - begin)
    after = pace * np.where(today > 0, growth ** p.value("TP16", values), 1.0) * (end - drawn_up)
    counts = counts_of(data, streams, year, "trials", before + after)
    for i, code in enumerate(data.institutions):
        if counts[i] == 0:
            continue
        u4 = streams.uniforms(PROCESS, code, year, 4 * counts[i], "trial").reshape(-1, 4)
        expected = np.array([0.0, before[i], before[i] + after[i]])
        days = np.interp(u4[:, 0] * expected[-1], expected, [begin, drawn_up[i], end])
        waits = np.maximum(days - begin, 1e-6).tolist()
        _begin_trials(data, values, sim, book, offices[i], i, waits, u4)


def start_trials_under_way(
    data: PatentData,
    values: Values,
    streams: Streams,
    sim: Simulation,
    book: Book,
    offices: list[Pool],
) -> None:
    """Trials begun at today's pace in the past years that still run on day 0.

    Those of the plan's own past are as many as were counted, and do not count again when they end in a licence.
    """
    p, c = data.parameters, data.columns
    pace = c["trials_per_year"] * p.share_of_mode("TP13", values) * p.share_of_mode("TP14", values)
    counted = counted_trials(data, values, float(pace.sum()))
    began = data.horizon.year_start(data.horizon.years[0]) < 0
    for year in (*data.horizon.past_years(PAST_TRIAL_YEARS), *data.horizon.years[:began]):
        begin, end = data.horizon.year_start(year), min(data.horizon.year_start(year + 1), 0.0)
        of_plan, cut = begin >= data.past.start_day and begin < 0, year in data.horizon.years
        length = (end - begin) / (data.horizon.year_start(year + 1) - begin) if cut else 1.0
        what = "before" if cut else "trials"
        counts = counts_of(data, streams, year, what, pace * (counted if of_plan else 1.0) * length)
        for i, code in enumerate(data.institutions):
            if counts[i] == 0:
                continue
            u4 = streams.uniforms(PROCESS, code, year, 4 * counts[i], "before" if cut else "trial").reshape(-1, 4)
            days = begin + u4[:, 0] * (end - begin)
            left = days + p.draw("PP44", values, u4[:, 1]) * DAYS_PER_MONTH
            runs = left > 0
            waits = [0.0] * int(runs.sum())
            _begin_trials(data, values, sim, book, offices[i], i, waits, u4[runs], left[runs], of_plan)


def _begin_trials(
    data: PatentData,
    values: Values,
    sim: Simulation,
    book: Book,
    office: Pool,
    institution: int,
    waits: list[float],
    u: Floats,
    left: Floats | None = None,
    of_plan: bool = False,
) -> None:
    p = data.parameters
    lengths = (p.draw("PP44", values, u[:, 1]) * DAYS_PER_MONTH if left is None else left).tolist()
    buys = (u[:, 2] < p.value("PP45", values)).tolist()
    works = work_days(data, values, u[:, 3]).tolist()
    for wait, length, work, buy in zip(waits, lengths, works, buys, strict=True):
        sim.start(trial(sim, book, office, institution, wait, length, work, buy, of_plan))


def other_contracts(data: PatentData, values: Values, streams: Streams) -> Floats:
    """Contracts of development, consulting and service by (institution, year): Poisson at the national pace."""
    p = data.parameters
    scale = p.share_of_mode("SP06", values) * p.share_of_mode("SP07", values)
    pace = data.columns["other_contracts_per_year"] * scale
    total = []
    for year, length in zip(data.horizon.years, data.horizon.lengths_years(), strict=True):
        growth = (1 + p.value("SP11", values)) ** (year - data.past.years[0] + 1)
        total.append(counts_of(data, streams, year, "contracts", pace * growth * length))
    return np.array(total, dtype=np.float64).reshape(len(data.horizon.years), -1).T


__all__ = [
    "OUTCOMES",
    "PROCESS",
    "PatentData",
    "direct_hazard",
    "inventory",
    "patent_transfer_data",
    "simulate_patent_transfer",
    "uncertain_inputs",
]
