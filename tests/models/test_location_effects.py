"""What a location plan opens raises training and service capacity from its date on, and not before; by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.enterprise_service import ServiceData, enterprise_service_data, serve
from zjsim.models.location_effects import platform_staff, training_openings
from zjsim.models.location_tables import PLAN_COLUMNS
from zjsim.models.people import People
from zjsim.models.plan_value import same
from zjsim.models.process_tools import ParameterSet
from zjsim.models.service_data import FirmGroup
from zjsim.models.service_requests import Requests
from zjsim.models.training import training_data, uncertain_inputs

from zjsim.scenario import Scenario, load
from zjsim.simulate.inputs import UncertainInput


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load("baseline")


def opening(kind: str, **values: Any) -> dict[str, Any]:
    return {
        "opening_id": "X1", "kind": kind, "start_date": "2025-03-01", "open_date": "2026-03-01", "moe_code": "10335",
        "city_code": "330100", "county_code": "330182", "staff": 8, "rooms": 12, "failure_parameter": "LP03", **values,
    }  # fmt: skip


def plan_of(name: str, *rows: dict[str, Any]) -> dict[str, pd.DataFrame]:
    return {name: pd.DataFrame(list(rows), columns=list(PLAN_COLUMNS))}


def test_training_reads_campuses_and_practice_centres(baseline: Scenario) -> None:
    """An industry college: 0.9 of 12 rooms and of 1.5 x 8 trainers; a practice centre: 0.95 of 20 rooms, nobody.

    Both are providers of their city, after the others; what they add month by month: see the tests of training.
    """
    college = plan_of("campus_plan", opening("county_industry_college"))
    centre = opening("practice_centre", staff=0, rooms=20, failure_parameter="LP20", open_date="2025-09-01")
    plan = college | plan_of("practice_centre_plan", {**centre, "opening_id": "X2"})
    found = training_openings(baseline, plan)
    assert [(p.opens, p.opening_id, p.city_code) for p in found] == [
        (date(2025, 9, 1), "X2", "330100"), (date(2026, 3, 1), "X1", "330100"),
    ]  # fmt: skip
    assert np.array([[p.rooms, p.trainers] for p in found]) == pytest.approx(np.array([[19.0, 0.0], [10.8, 10.8]]))
    without, with_plan = training_data(baseline, {}), training_data(baseline, plan)
    added = [(c, p) for c, p in with_plan.providers if p.opens]
    assert [(c, p.provider_id, p.shared) for c, p in added] == [("330100", "X2", True), ("330100", "X1", False)]
    assert tuple(x for x in with_plan.providers if x not in added) == without.providers
    more = {i.input_id for i in uncertain_inputs(with_plan)} - {i.input_id for i in uncertain_inputs(without)}
    assert more == {"LP17"}
    assert training_openings(baseline, {}) == ()


def test_platforms_add_the_time_of_their_persons(baseline: Scenario) -> None:
    """A platform has one pair: 0.85 x 2 persons at its institution from its date."""
    row = opening("joint_platform", staff=1, rooms=0, failure_parameter="PP56")
    plan = plan_of("platform_plan", row)
    assert platform_staff(baseline, plan) == ((date(2026, 3, 1), "10335", pytest.approx(1.7)),)
    data = enterprise_service_data(baseline, plan)
    ((day, institution, persons),) = data.people.platforms
    assert day == (date(2026, 3, 1) - date(2025, 1, 1)).days
    assert data.institutions[institution] == "10335"
    assert persons == pytest.approx(1.7)
    without = enterprise_service_data(baseline, {})
    assert same(replace(data, people=replace(data.people, platforms=())), without)


def test_a_request_too_large_for_the_team_is_taken_once_the_platform_is_open(baseline: Scenario) -> None:
    """One FTE; two persons give a half more each from day 100 on, four fifths of which answers requests.

    They had half their time before: 1 + 2 × (0.8 × 1 - 0.5) = 1.6. A load of 1.5 goes on day 150, not on day 50.
    """
    data = small(enterprise_service_data(baseline, {}))
    asked = requests([50.0, 150.0], load=1.5)
    assert serve(data, asked, {}).completed_days().tolist() == []
    desk = serve(replace(data, people=replace(data.people, platforms=((100.0, 0, 2.0),))), asked, {})
    assert desk.completed_days().tolist() == [160.0]
    assert desk.capacity == pytest.approx([1.6])
    late = serve(replace(data, people=replace(data.people, platforms=((data.horizon.end + 1, 0, 2.0),))), asked, {})
    assert late.capacity == pytest.approx([1.0])


def small(data: ServiceData) -> ServiceData:
    """One city, one institution with one FTE; members give half of their time."""
    fixed = {"SP04": 0.5, "SP13": 0.0, "SP16": 0.0, "PE02": 1.0, "PE04": 0.5, "PE05": 0.8}

    def constants(given: ServiceData | People) -> ParameterSet:
        return ParameterSet(
            {
                i: UncertainInput(i, m, m, m, "constant", p.unit, "assumption", p.name_zh, p.name_en)
                for i, p in given.parameters.inputs.items()
                for m in [fixed.get(i, p.mode)]
            }
        )

    people = replace(
        data.people, parameters=constants(data.people), institutions=("a",), classes=("research",),
        teachers=np.array([10.0]), members=np.array([2.0]), trainers=np.zeros(1), officers=np.zeros(1), leads={},
        cities=("330100",), giants=(10,), area_of=((0,),), weight_of=((1.0,),),
    )  # fmt: skip
    return replace(
        data, parameters=constants(data), cities=("330100",), counties={"330100": 1},
        groups=(FirmGroup(0, "330100", "little_giant", 10, 0.0, 1, 0),), key_firms=10, institutions=("a",),
        people=people, area_of=((0,),), weight_of=((1.0,),), cities_of=((0,),), industries=("C01",),
        mix_of=(((0, 1),),), heritage_mix_of=((),), assigned=((),),
    )  # fmt: skip


def requests(days: list[float], load: float) -> Requests:
    n = len(days)
    zeros, ones = np.zeros(n, dtype=int), np.ones(n)
    return Requests(
        firsts=n, city=zeros, priority=zeros + 1, key_firm=np.arange(n), industry=zeros - 1, asked=zeros, kind=zeros,
        length_days=10 * ones, load_fte=load * ones, patience_days=5 * ones, delay_days=0 * ones,
        followed=np.zeros(n, dtype=bool), arrival_days=np.array(days), coming=np.arange(n),
        running=np.zeros(0, dtype=int), running_until=np.zeros(0),
    )  # fmt: skip
