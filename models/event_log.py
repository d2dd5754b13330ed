"""The event log of one replication: what happened to every class, request, patent and project, day by day.

It is made afterwards: the replication is simulated once more at the base values, on its own random numbers, and
followed from outside. So the runs that count pay nothing for it, and the log shows exactly what they did.

An entity's last event says what became of it: it ended, left, or (``…_at_end``) still waits or runs at the end of the
horizon. ``unit`` is the city or the institution where it happens; ``details`` are ``name=value``. Online learners,
outreach and enrolment applications are numbers by year or week and don't appear one by one, seats have no events; what
lies before the as-of date belongs to the back-cast.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from zjsim.models import enrolment, enterprise_service, patent_transfer, programmes, training
from zjsim.models.service_firms import joint_applications
from zjsim.models.service_requests import draw_requests
from zjsim.models.training_classes import Classes
from zjsim.models.training_supply import City, Supply
from zjsim.models.training_yard import Fate

from zjsim.simulate.inputs import Values, base_values
from zjsim.simulate.resources import day_of
from zjsim.simulate.streams import Streams
from zjsim.simulate.tracing import Tracing, Track
from zjsim.texts import Language, text

if TYPE_CHECKING:
    from zjsim.models.enrolment import EnrolmentData
    from zjsim.models.patent_data import PatentData
    from zjsim.models.programme_data import Programme, ProgrammeData
    from zjsim.models.service_data import ServiceData
    from zjsim.models.throughput import Process
    from zjsim.models.training import TrainingData

Event = tuple[float, str, str, str, str]
"""Day, entity, event, unit, details."""

COLUMNS = ("time", "process", "entity", "event", "event_name", "unit", "details")
KINDS = ("diagnosis", "tactical", "partnership")


def event_log(processes: Sequence[Process], *, seed: int, replication: int, lang: Language) -> pd.DataFrame:
    """All events of replication ``replication`` (from 0 on) at the base values, in the order of time: :data:`COLUMNS`.

    ``processes`` are those of :func:`zjsim.models.throughput.processes_of`; seats have no events and are left out.
    ``event_name`` says ``event`` in language ``lang``.
    """
    streams = Streams(seed, replication)
    rows: list[tuple[float, str, date, Event]] = []
    for process in processes:
        if process.name in _EVENTS:
            found = _EVENTS[process.name](process.data, base_values(process.inputs), streams)
            first = process.first_day
            rows += [(event[0], process.name, first, event) for event in found]
    rows.sort(key=lambda row: row[0])
    words = {e: text(f"events.{e}", lang) for e in {row[3][2] for row in rows}}
    days = {(first, np.floor(day)): "" for day, _, first, _ in rows}
    days = {key: day_of(*key).isoformat() for key in days}
    table = [
        (days[first, np.floor(day)], process, entity, event, words[event], unit, details)
        for day, process, first, (_, entity, event, unit, details) in rows
    ]
    return pd.DataFrame(table, columns=list(COLUMNS))


def _last(end: float) -> float:
    """The last moment of the horizon, after all that happens in it."""
    return float(np.nextafter(end, 0.0))


class _Recorder:
    """Watches training and writes down what became of every class: where it formed, who took it, where it met."""

    def __init__(self, data: TrainingData, end: float) -> None:
        self.data, self.end = data, end
        self.events: list[Event] = []

    def enter(self, number: int, city: City, classes: Classes, fate: Fate, offer: Supply) -> None:
        """The events of a city's classes."""
        count = Counter[tuple[int, int]]()
        names = (*Classes.__slots__, *Fate.__slots__)
        columns = [getattr(classes, name).tolist() for name in Classes.__slots__]
        columns += [getattr(fate, name).tolist() for name in Fate.__slots__]
        for row in zip(*columns, strict=True):
            c = dict(zip(names, row, strict=True))
            kind = (c["course"], c["sector"])
            count[kind] += 1
            course, sector = self.data.courses[kind[0]].course_type_id, self.data.sectors[kind[1]]
            entity = f"{city.city_code}/{course}/{sector}/{count[kind]}"
            self.events += [(day, entity, event, unit, details) for day, event, unit, details in self._life(c, city)]

    def _life(self, c: Mapping[str, Any], city: City) -> Iterator[tuple[float, str, str, str]]:
        taught = city.providers[c["provider"]].provider_id if c["provider"] >= 0 else city.city_code
        met = city.providers[c["place"]].provider_id if c["place"] >= 0 else taught
        expires, got, began = c["formed"] + c["patience"], c["trainers"], c["started"]
        window = "evening" if c["evening"] else "day"
        asked = f"registered={c['size']:g}; class_hours={c['hours']:g}; window={window}"
        yield c["formed"], "class_formed", city.city_code, asked
        if got == got:
            kind = "dual" if c["dual"] else "general"
            yield got, "trainers_assigned", taught, f"trainer_hours={c['hours']:g}; trainers={kind}"
        if began == began:
            yield began, "class_started", met, f"participants={c['participants']:g}; week_hours={c['week_hours']:.3g}"
            ended = began + c["days"]
            if ended < self.end:
                yield ended, "class_ended", met, f"completed={c['completed']:g}"
            else:
                yield _last(self.end), "class_running_at_end", met, f"ends_in_days={ended - self.end:.0f}"
        elif expires <= self.end:
            lacked = "rooms" if got == got else "trainers"
            yield min(expires, _last(self.end)), "class_left", met, f"registered={c['size']:g}; lacked={lacked}"
        else:
            yield _last(self.end), "class_waiting_at_end", met, f"registered={c['size']:g}"


def _training(data: TrainingData, values: Values, streams: Streams) -> list[Event]:
    recorder = _Recorder(data, float((date(data.years[-1] + 1, 1, 1) - data.as_of).days - 1))
    training.training_book(data, values, streams, (recorder,))
    return recorder.events


def _services(data: ServiceData, values: Values, streams: Streams) -> list[Event]:
    requests = draw_requests(data, values, streams)
    desk = enterprise_service.serve(data, requests, values)
    end, events = data.horizon.end, list[Event]()
    taken_up = {request: (start, until, institution) for start, until, request, institution in desk.held}
    came = dict(zip(desk.arrived, desk.arrived_days, strict=True))
    for request in sorted({*came, *taken_up}):
        city = data.cities[requests.city[request]]
        entity = f"{city}/{request}"

        def note(day: float, event: str, unit: str, details: str = "", entity: str = entity) -> None:
            events.append((day, entity, event, unit, details))

        industry = requests.industry[request]
        said = {
            "kind": KINDS[requests.kind[request]],
            "priority": requests.priority[request],
            "industry": data.industries[industry] if industry >= 0 else "",
            "key_firm": requests.key_firm[request] if requests.key_firm[request] >= 0 else "",
            "repeat_of": request - requests.firsts if request >= requests.firsts else "",
        }
        if request in came:
            note(came[request], "request_came", city, "; ".join(f"{k}={v}" for k, v in said.items() if v != ""))
        if request in taken_up:
            start, until, institution = taken_up[request]
            moe = data.institutions[institution]
            work = f"staff_fte={requests.load_fte[request]:.3g}; days={requests.length_days[request]:.0f}"
            note(start, "service_begun" if request in came else "service_carried_over", moe, work)
            if until < end:
                note(until, "service_completed", moe)
            else:
                note(_last(end), "service_running_at_end", moe, f"ends_in_days={until - end:.0f}")
        elif request not in desk.expiry:
            note(came[request], "request_refused", city, f"staff_fte={requests.load_fte[request]:.3g}")
        elif desk.expiry[request] < end:
            note(
                desk.expiry[request], "request_gave_up", city, f"waited_days={desk.expiry[request] - came[request]:.0f}"
            )
        else:
            note(_last(end), "request_waiting_at_end", city, f"waited_days={end - came[request]:.0f}")
    for day, request in zip(*(x.tolist() for x in joint_applications(data, requests, desk, values)), strict=True):
        city = data.cities[requests.city[request]]
        events.append((day, f"{city}/{request}/application", "joint_application_filed", city, ""))
    posts = enterprise_service.vice_presidents(data, values, streams)
    for event, firms, days in (
        ("post_begun", posts.post_firm, posts.post_days),
        ("post_service_completed", posts.service_firm, posts.service_days),
    ):
        events += [
            (day, f"key_firm/{firm}", event, "", "") for firm, day in zip(firms.tolist(), days.tolist(), strict=True)
        ]
    return events


def _patents(data: PatentData, values: Values, streams: Streams) -> list[Event]:
    sim = Tracing()
    patent_transfer.move(data, values, streams, sim)
    number, events = Counter[tuple[str, str]](), list[Event]()
    for track in sim.tracks:
        moe = data.institutions[track.arguments["institution"]]
        number[moe, track.name] += 1
        entity = f"{moe}/{track.name}/{number[moe, track.name]}"
        steps = _transfer if track.name == "transfer" else _trial
        events += [(day, entity, event, moe, details) for day, event, details in steps(track, data.horizon.end)]
    return events


def _transfer(track: Track, end: float) -> Iterator[tuple[float, str, str]]:
    """A patent's way through the office of its institution: wait, office, contract."""
    if (found := track.time(1)) is not None:
        yield found, "firm_found", ""
        yield from _office(track, 2, "patent_transferred", end)


def _trial(track: Track, end: float) -> Iterator[tuple[float, str, str]]:
    """A free trial: it begins (or is under way), and ends back on the list or in a licence through the office."""
    a = track.arguments
    first = 1 if a["wait"] > 0 else 0
    if (begun := track.time(first)) is None:
        return
    details = (
        f"days={a['length']:.0f}"
        if first
        else f"days_left={a['length']:.0f}; of_plan={'yes' if a['of_plan'] else 'no'}"
    )
    yield begun, "trial_begun" if first else "trial_carried_over", details
    over = track.time(first + 1)
    if over is None:
        yield _last(end), "trial_running_at_end", f"ends_in_days={begun + a['length'] - end:.0f}"
    elif not a["buys"]:
        yield over, "trial_ended_without_licence", ""
    else:
        yield over, "firm_buys", ""
        yield from _office(track, first + 2, "patent_licensed_after_trial", end)


def _office(track: Track, k: int, done: str, end: float) -> Iterator[tuple[float, str, str]]:
    begun, finished = track.time(k), track.time(k + 1)
    if begun is None:
        yield _last(end), "office_waiting_at_end", ""
        return
    yield begun, "contract_begun", f"officer_days={track.arguments['work']:.3g}"
    if finished is None:
        yield _last(end), "contract_running_at_end", ""
    else:
        yield finished, done, ""


def _programmes(data: ProgrammeData, values: Values, streams: Streams) -> list[Event]:
    events: list[Event] = []
    for programme in data.programmes:
        name = programme.programme_id
        if programme.mechanism == "pipeline" or programme.planned is not None:
            events += _projects(data, programme, values, streams)
        elif programme.mechanism == "diffusion":
            adopted: list[tuple[float, str]] = []
            programmes.diffusion(data, programme, values, streams, adopted)
            events += [(day, f"{name}/{county}", "rule_adopted", county, "") for day, county in adopted]
        else:
            run, event = (
                (programmes.batches, "approved")
                if programme.mechanism == "batches"
                else (programmes.milestone, "opened")
            )
            days = run(data, programme, values, streams).tolist()
            events += [(day, f"{name}/{k}", event, "", "") for k, day in enumerate(days, 1)]
    return events


def _projects(data: ProgrammeData, programme: Programme, values: Values, streams: Streams) -> Iterator[Event]:
    name, end = programme.programme_id, data.horizon.end
    for found in programmes.projects(data, programme, values, streams):
        columns = (found.start, found.opening, found.closing, found.fails)
        for k, (start, day, closing, fails) in enumerate(zip(*(c.tolist() for c in columns), strict=True), 1):
            entity = f"{name}/{found.year}/{k}"
            if day <= programme.stock_day:
                continue  # it is in the stock, or had failed by then
            yield start, entity, "project_started", "", f"set_up_days={day - start:.0f}"
            if day >= end:
                yield _last(end), entity, "project_in_setup_at_end", "", ""
            elif fails:
                yield day, entity, "project_failed", "", ""
            else:
                yield day, entity, "opened", "", ""
                yield min(closing, _last(end)), entity, "closed" if closing < end else "operating_at_end", "", ""
    for k, day in enumerate(programmes.closings_of_stock(data, programme, values, streams).tolist(), 1):
        yield min(day, _last(end)), f"{name}/stock/{k}", "closed" if day < end else "operating_at_end", "", ""


def _enrolment(data: EnrolmentData, values: Values, streams: Streams) -> list[Event]:
    """Service zones as they open (M114); applications are numbers by week and don't appear one by one."""
    opened = enrolment.zones_opened(data, values, streams).tolist()
    return [
        (day, f"service_zone/{code}", "zone_opened", code, "")
        for day, (code, _) in zip(opened, data.counties, strict=True)
        if day < data.horizon.end
    ]


_EVENTS: Mapping[str, Any] = {
    "training": _training,
    "enterprise_service": _services,
    "patent_transfer": _patents,
    "programmes": _programmes,
    "enrolment": _enrolment,
}
