"""The event log shows what the replication did: every entity's life ends, and its totals are the outcomes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.event_log import COLUMNS, event_log
from zjsim.models.patent_transfer import PatentData, move
from zjsim.models.throughput import Process, processes_of
from zjsim.models.training import TrainingData

import zjsim
from zjsim.simulate.inputs import base_values
from zjsim.simulate.kernel import Pool, Simulation, Steps
from zjsim.simulate.streams import Streams
from zjsim.simulate.tracing import Tracing

SEED, REPLICATION = 7, 2


@pytest.fixture(scope="module")
def processes() -> dict[str, Process]:
    """The processes of the baseline without a plan; training in its two smallest cities, the staff of services cut."""
    found = {p.name: p for p in processes_of(zjsim.load("baseline"), {})}
    data: TrainingData = found["training"].data
    few = [k for k, c in enumerate(data.cities) if c.city_code in ("330900", "331100")]
    cut = replace(data, cities=tuple(data.cities[k] for k in few), base=tuple(data.base[k] for k in few))
    found["training"] = replace(found["training"], data=cut)
    services = found["enterprise_service"].data
    less = replace(services, people=replace(services.people, members=services.people.members / 4))
    found["enterprise_service"] = replace(found["enterprise_service"], data=less)
    return found


@pytest.fixture(scope="module")
def log(processes: dict[str, Process]) -> pd.DataFrame:
    return event_log(list(processes.values()), seed=SEED, replication=REPLICATION, lang="en")


def outcomes(process: Process) -> dict[str, Any]:
    """Of the simulated years."""
    return dict(process.simulate(process.data, base_values(process.inputs), Streams(SEED, REPLICATION)))


def per_year(log: pd.DataFrame, process: str, *events: str) -> list[int]:
    rows = log[(log["process"] == process) & log["event"].isin(events)]
    years = rows["time"].str[:4].value_counts()
    return [int(years.get(str(y), 0)) for y in (2025, 2026, 2027)]


def lives(log: pd.DataFrame, process: str) -> dict[str, list[str]]:
    """The events of each entity in order."""
    rows = log[log["process"] == process]
    return rows.groupby("entity", sort=False)["event"].agg(list).to_dict()


def test_the_log_is_in_the_order_of_time_and_the_same_again(processes: dict[str, Process], log: pd.DataFrame) -> None:
    assert tuple(log.columns) == COLUMNS
    assert log["time"].is_monotonic_increasing
    assert set(log["process"]) == {"training", "enterprise_service", "patent_transfer", "programmes", "enrolment"}
    few = [processes["programmes"], processes["patent_transfer"]]
    again = event_log(few, seed=SEED, replication=REPLICATION, lang="zh")
    same = log[log["process"].isin(["programmes", "patent_transfer"])].reset_index(drop=True)
    for column in set(COLUMNS) - {"event_name"}:
        assert sorted(again[column]) == sorted(same[column])
    assert set(again["event_name"]).isdisjoint(same["event_name"])


def test_every_class_opened_is_closed(processes: dict[str, Process], log: pd.DataFrame) -> None:
    found = Counter(map(tuple, lives(log, "training").values()))
    begun = ("class_formed", "trainers_assigned", "class_started")
    assert set(found) <= {
        (*begun, "class_ended"), (*begun, "class_running_at_end"),
        ("class_formed", "class_left"), ("class_formed", "trainers_assigned", "class_left"),
        ("class_formed", "class_waiting_at_end"), ("class_formed", "trainers_assigned", "class_waiting_at_end"),
    }  # fmt: skip
    assert found[(*begun, "class_ended")] > 1000
    assert found["class_formed", "class_left"] > 0
    counted = outcomes(processes["training"])
    assert per_year(log, "training", "class_started") == counted["training_classes_started"][-3:].tolist()
    rows = log[(log["event"] == "class_ended") & (log["time"] >= "2025")]
    completed = rows["details"].str.extract(r"completed=(\d+)")[0].astype(int).sum()
    offline = [c.is_online for c in processes["training"].data.courses]
    assert any(offline)  # online learners are counted in the outcomes alone
    assert 0 < completed <= counted["training_completed"].sum()


def test_requests_are_served_or_given_up_or_waiting(processes: dict[str, Process], log: pd.DataFrame) -> None:
    found = Counter(tuple(v) for k, v in lives(log, "enterprise_service").items() if not k.startswith("key_firm"))
    came = {k: n for k, n in found.items() if k[0] == "request_came"}
    ends = Counter[str]()
    for life, n in came.items():
        assert len(life) == (3 if "service_begun" in life else 2), life
        ends[life[-1]] += n
    assert set(ends) - {"request_refused"} == {
        "service_completed", "service_running_at_end", "request_gave_up", "request_waiting_at_end",
    }  # fmt: skip
    events = log["event"].value_counts()
    assert events["request_came"] == ends.total()
    others = {("service_carried_over", "service_completed"), ("joint_application_filed",)}
    assert set(found) - set(came) == others
    counted = outcomes(processes["enterprise_service"])
    filed = per_year(log, "enterprise_service", "joint_application_filed")
    assert filed == counted["joint_applications"][-3:].tolist()
    services = per_year(log, "enterprise_service", "service_completed", "post_service_completed")
    assert services == counted["services_completed"][-3:].tolist()


def test_patents_are_transferred_or_back_on_the_list_or_under_way(
    processes: dict[str, Process], log: pd.DataFrame
) -> None:
    found = lives(log, "patent_transfer")
    last = Counter(life[-1] for life in found.values())
    assert set(last) == {
        "patent_transferred", "patent_licensed_after_trial", "trial_ended_without_licence",
        "trial_running_at_end", "office_waiting_at_end", "contract_running_at_end",
    }  # fmt: skip
    first = Counter(life[0] for life in found.values())
    assert set(first) == {"firm_found", "trial_begun", "trial_carried_over"}
    counted = outcomes(processes["patent_transfer"])
    done = per_year(log, "patent_transfer", "patent_transferred", "patent_licensed_after_trial")
    assert done == counted["patents_transferred"][-3:].tolist()


def test_projects_open_fail_or_are_set_up_still(processes: dict[str, Process], log: pd.DataFrame) -> None:
    found = {k: v for k, v in lives(log, "programmes").items() if v[0] == "project_started"}
    assert Counter(map(tuple, found.values())).keys() <= {
        ("project_started", "project_failed"), ("project_started", "project_in_setup_at_end"),
        ("project_started", "opened", "closed"), ("project_started", "opened", "operating_at_end"),
    }  # fmt: skip
    counted = outcomes(processes["programmes"])
    rows = log[log["entity"].str.startswith("joint_platforms/")]
    assert per_year(rows, "programmes", "opened") == counted["platforms_opened"][-3:].tolist()
    for rule, name in (("sibling_rule", "sibling_counties"), ("points_rule", "points_counties")):
        adopted = per_year(log[log["entity"].str.startswith(f"{rule}/")], "programmes", "rule_adopted")
        assert adopted[1:] == np.diff(counted[name][-3:]).tolist()
    zones = per_year(log, "enrolment", "zone_opened")
    assert np.cumsum(zones).tolist() == outcomes(processes["enrolment"])["service_zones"].tolist()


def test_a_process_that_is_followed_does_what_it_did(processes: dict[str, Process]) -> None:
    data: PatentData = processes["patent_transfer"].data
    values = base_values(processes["patent_transfer"].inputs)
    quiet, sim = move(data, values, Streams(1, 0)), Tracing()
    followed = move(data, values, Streams(1, 0), sim)
    assert (quiet.transferred, quiet.trials_begun) == (followed.transferred, followed.trials_begun)
    assert len(sim.tracks) > len(quiet.transferred)


def test_a_track_says_what_was_asked_for_when() -> None:
    def guest(sim: Simulation, pool: Pool, days: float) -> Steps:
        yield pool
        yield days
        pool.release()

    sim = Tracing()
    pool = Pool(sim, 1)
    for days in (2.0, 3.0, 9.0):
        sim.start(guest(sim, pool, days))
    sim.run(8.0)
    assert [t.name for t in sim.tracks] == ["guest"] * 3
    assert [t.arguments["days"] for t in sim.tracks] == [2.0, 3.0, 9.0]
    assert [[when for when, _ in t.marks] for t in sim.tracks] == [[0.0, 0.0, 2.0], [0.0, 2.0, 5.0], [0.0, 5.0]]
    assert [t.marks[-1][1] for t in sim.tracks] == [None, None, 9.0]
    assert sim.tracks[2].time(2) is None
