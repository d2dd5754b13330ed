"""Firms served, joint applications and services on quality: dates and counts by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from zjsim.models.enterprise_service import enterprise_service_data, simulate_enterprise_service
from zjsim.models.service_data import ServiceData
from zjsim.models.service_firms import firms_served, joint_applications
from zjsim.models.service_requests import draw_requests

import zjsim
from zjsim.simulate.inputs import base_values
from zjsim.simulate.streams import Streams

NONE = np.zeros(0)


@pytest.fixture(scope="module")
def data() -> ServiceData:
    return enterprise_service_data(zjsim.load("baseline"), {})


def made(kind: list[int], begun: list[float], until: list[float], applies: list[float]) -> tuple[Any, Any]:
    """Requests 0, 1, … taken up on days ``begun`` (negative: carried over) and held ``until``, and their desk."""
    n = len(kind)
    requests = SimpleNamespace(
        kind=np.array(kind), arrival_days=np.array(begun), applies=np.array(applies), city=np.arange(n) % 11
    )
    held = [(max(b, 0.0), u, r, 0) for r, (b, u) in enumerate(zip(begun, until, strict=True))]
    return requests, SimpleNamespace(held=held)


def test_applications_are_filed_at_the_yearly_calls(data: ServiceData) -> None:
    """Calls on 1 May (day 120 of 2025, then 485 and 850). A partnership files at the first it lives to see, a tactical
    project at the first after its end, a diagnosis never; one that had its call before the as-of date filed then."""
    values = {"SP23": 0.5, "SP24": 0.2, "SP25": 5.0}
    rows = [
        (2, 10.0, 400.0, 0.1, 120.0),  # a partnership at its first call
        (2, 121.0, 700.0, 0.49, 485.0),
        (2, 121.0, 480.0, 0.1, None),  # over before the next call
        (2, 10.0, 400.0, 0.6, None),  # chance says no
        (2, -400.0, 300.0, 0.1, None),  # carried over: 1 May 2024 was its call
        (2, -100.0, 300.0, 0.1, 120.0),  # carried over, but begun after that
        (1, 5.0, 110.0, 0.1, 120.0),  # a project that ends before the call
        (1, 5.0, 130.0, 0.1, 485.0),
        (1, 5.0, 900.0, 0.1, None),  # no call is left in the horizon
        (1, 5.0, 110.0, 0.3, None),
        (0, 5.0, 110.0, 0.0, None),
    ]
    kind, begun, until, applies, expected = (list(column) for column in zip(*rows, strict=True))
    requests, desk = made(kind, begun, until, applies)
    filed, request = joint_applications(data, requests, desk, values)
    assert dict(zip(request.tolist(), filed.tolist(), strict=True)) == {
        r: day for r, day in enumerate(expected) if day is not None
    }


def test_every_firm_counts_once_with_its_first_service(data: ServiceData) -> None:
    starts, city = data.firms()
    total = sum(g.firms for g in data.groups)
    assert len(city) == total
    numbers = sorted((first, g.firms) for first, g in zip(starts, data.groups, strict=True))
    assert [first for first, _ in numbers] == np.cumsum([0, *(n for _, n in numbers[:-1])]).tolist()
    other = total - 1
    requests = SimpleNamespace(
        firm=np.array([3, other, 3, 5]), key_firm=np.array([3, -1, 3, 5]), arrival_days=np.full(4, 1.0),
        length_days=np.full(4, 1.0),
    )  # fmt: skip
    desk = SimpleNamespace(
        completed_requests=lambda: np.array([0, 1, 2, 3]), completed_days=lambda: np.array([40.0, 7.0, 30.0, 9.0])
    )
    posts = SimpleNamespace(service_firm=np.array([3, 8]), service_days=np.array([25.0, 60.0]))
    known = SimpleNamespace(served=np.arange(data.key_firms) == 5)  # served before the as-of date
    first = firms_served(data, requests, desk, posts, known)  # type: ignore[arg-type]
    assert {int(f): float(first[f]) for f in np.flatnonzero(np.isfinite(first))} == {3: 25.0, 8: 60.0, other: 7.0}


def test_what_is_counted_beside_services_agrees_with_them(data: ServiceData) -> None:
    few = replace(data, groups=tuple(g for g in data.groups if g.firm_class != "other"))
    values = base_values(())
    found = simulate_enterprise_service(few, values, Streams(4, 0))
    assert (found["firms_served"] >= found["key_firms_served"]).all()
    assert (found["firms_served"] <= found["services_completed"]).all()
    assert (found["problems_solved"] > 0).all()
    assert (found["problems_solved"] < found["services_completed"]).all(), "a diagnosis solves nothing yet (M032)"
    assert (found["quality_services"] <= found["services_completed"]).all()
    requests = draw_requests(few, values, Streams(4, 0))
    share = requests.quality[requests.key_firm < 0].mean()
    assert share == pytest.approx(data.parameters.inputs["SP27"].mode, abs=0.02)
    assert not requests.quality[requests.key_firm >= 0].any()
    for measure in ("used", "served", "left", "waiting", "lost"):
        total = found[f"use/service_requests/{measure}"].sum(axis=0)
        for view in ("service_requests_by_industry", "service_requests_by_class"):
            assert found[f"use/{view}/{measure}"].sum(axis=0) == pytest.approx(total)


def test_supports_are_asked_after_leads_and_give_staff(data: ServiceData) -> None:
    import pandas as pd

    scenario = zjsim.load("baseline")
    industry, lead, support = data.industries[0], data.institutions[2], data.institutions[5]
    rows = {
        "lead_assignments": pd.DataFrame([{"industry_id": industry, "moe_code": lead}]),
        "support_assignments": pd.DataFrame([{"industry_id": industry, "moe_code": support}]),
    }
    both = enterprise_service_data(scenario, rows)
    alone = enterprise_service_data(scenario, {"lead_assignments": rows["lead_assignments"]})
    assert (both.assigned[0], alone.assigned[0]) == ((2, 5), (2,))
    values = {"SP13": 0.2, "SP26": 0.5, "PE02": 1.0, "PE03": 0.0}  # no limit, and posts take no time

    def hours(one: ServiceData, moe_code: str) -> float:
        index = one.people.institutions.index(moe_code)
        return float(one.people.allot(values).allotted[index, one.people.activities.index("services"), -1])

    none = enterprise_service_data(scenario, {})
    assert hours(both, lead) == hours(alone, lead) == pytest.approx(1.2 * hours(none, lead))
    assert hours(both, support) == pytest.approx(1.1 * hours(none, support))
    assert hours(alone, support) == hours(none, support)
