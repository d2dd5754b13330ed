"""Enrolment desks and service zones: queues by hand, the season, work that is neither lost nor made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from zjsim.models.enrolment import (
    CLERK_MINUTES,
    OUTCOMES,
    EnrolmentData,
    applications,
    enrolment_data,
    queue,
    simulate_enrolment,
    uncertain_inputs,
    zones_opened,
)

import zjsim
from zjsim.simulate.inputs import base_values
from zjsim.simulate.streams import Streams


@pytest.fixture(scope="module")
def data() -> EnrolmentData:
    return enrolment_data(zjsim.load("baseline"), {})


def test_a_queue_by_hand() -> None:
    """Ten a week can be done: 4, 16, 13 and 1 come, so 6, 9 and none are left over at the ends of the last three."""
    came = np.array([[4.0], [16.0], [13.0], [1.0]])
    q = queue(came, np.full((4, 1), 10.0))
    assert q.left[:, 0].tolist() == [0.0, 6.0, 9.0, 0.0]
    assert q.done[:, 0].tolist() == [4.0, 10.0, 10.0, 10.0]
    first, last = q.waits()
    assert first[:, 0] == pytest.approx([0.0, 0.0, 4.2, 6.3])  # 6 and 9 of ten a week, in days
    assert last[:, 0] == pytest.approx([0.0, 4.2, 6.3, 0.0])


def test_applications_are_those_of_the_year_and_most_come_around_the_peak(data: EnrolmentData) -> None:
    values = base_values(uncertain_inputs(data))
    begins = np.arange(0.0, data.horizon.end, 7.0)
    came = np.mean([applications(data, begins, values, Streams(1, n)).sum(axis=1) for n in range(5)], axis=0)
    of_year = [
        came[(begins >= a) & (begins < b)] for a, b in zip(data.horizon.edges, data.horizon.edges[1:], strict=False)
    ]
    assert [x.sum() for x in of_year] == pytest.approx(data.applications.sum(axis=1), rel=0.02)
    months = (begins[: len(of_year[0])] + 3.5) / 365 * 12
    near = np.abs(months - (values["PP69"] - 0.5)) < 1.1
    assert of_year[0][near].sum() / of_year[0].sum() == pytest.approx(0.76, abs=0.03)  # 0.7 and the usual ones
    assert months[of_year[0].argmax()] == pytest.approx(values["PP69"] - 0.5, abs=0.3)


def test_zones_open_at_the_chance_of_a_year_and_stay_open(data: EnrolmentData) -> None:
    opened = np.array([zones_opened(data, {"GP32": 0.5}, Streams(1, n)) for n in range(40)])
    share = [(opened < end).mean() for end in data.horizon.edges[1:]]
    assert share == pytest.approx([0.5, 0.75, 0.875], abs=0.03)
    assert np.isinf(zones_opened(data, {"GP32": 0.0}, Streams(1, 0))).all()


def test_every_application_is_handled_once_or_waits(data: EnrolmentData) -> None:
    """Settled at the counter + settled at the zone + waiting at either = applied for."""
    values = base_values(uncertain_inputs(data)) | {"GP30": 0.1}
    found = simulate_enrolment(data, values, Streams(2, 0))
    begins = np.arange(0.0, data.horizon.end, 7.0)
    came = applications(data, begins, values, Streams(2, 0)).sum()
    plenty = simulate_enrolment(data, values | {"GP30": 50.0, "GP33": 500.0}, Streams(2, 0))
    assert plenty["enrolment_applications"].sum() == pytest.approx(came, rel=1e-9)
    assert plenty["enrolment_on_time_share"] == pytest.approx(1.0)
    assert found["enrolment_applications"].sum() < came
    assert found["enrolment_peak_wait_days"].max() > 7 > plenty["enrolment_peak_wait_days"].max()
    used, capacity = (found[f"use/enrolment_desk/{m}"] for m in ("used", "capacity"))
    assert (used <= capacity + 1e-6).all()
    assert found["by_city/enrolment_applications"].sum(axis=0) == pytest.approx(found["enrolment_applications"])


def test_online_as_one_matter_and_zones_shorten_the_wait(data: EnrolmentData) -> None:
    values = base_values(uncertain_inputs(data))
    changes = {"base": {}, "online": {"GP27": 0.9}, "no zones": {"GP32": 0.0}, "at once": {"GP35": 1.0}}
    wait = {
        name: simulate_enrolment(data, values | change, Streams(3, 0))["enrolment_peak_wait_days"].sum()
        for name, change in changes.items()
    }
    assert wait["online"] < wait["base"] < wait["no zones"]
    assert wait["at once"] < wait["base"]


def test_a_county_with_one_clerk_and_known_work(data: EnrolmentData) -> None:
    """No season, no zones: one clerk does 2,100 minutes a week; 1,000 applications of 40 minutes take 19 weeks."""
    one = replace(data, counties=data.counties[:1], applications=np.full((3, 1), 1000.0))
    values = {"GP26": 0.0, "GP27": 0.0, "GP29": 40.0, "GP30": 0.1, "GP32": 0.0}
    found = simulate_enrolment(one, values, Streams(1, 0))
    begins = np.arange(0.0, data.horizon.end, 7.0)
    came = applications(one, begins, values, Streams(1, 0))
    assert found["use/enrolment_desk/used"].sum() == pytest.approx(came.sum() * 40 / 60, rel=1e-9)
    assert found["use/enrolment_desk/capacity"].sum() == pytest.approx(len(begins) * CLERK_MINUTES / 60)
    assert set(OUTCOMES) <= set(found)
