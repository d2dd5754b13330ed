"""One more entity, or more replications: every other draw of services, seats, desks and zones stays bit by bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from zjsim.models.enrolment import simulate_enrolment
from zjsim.models.programmes import simulate_programmes
from zjsim.models.seat_outcomes import simulate_seats
from zjsim.models.service_data import FirmGroup, ServiceData
from zjsim.models.service_requests import draw_requests
from zjsim.models.throughput import Process, processes_of

import zjsim
from zjsim.simulate.ensemble import Ensemble, Experiment, Task, batches, stack
from zjsim.simulate.inputs import base_values
from zjsim.simulate.streams import Streams

SMALL_CITIES = ("330900", "331100")
GROWTH = {
    "training": (2, 4), "enterprise_service": (2, 5), "patent_transfer": (2, 5), "enrolment": (50, 500),
    "seats": (50, 500),
}  # fmt: skip
"""Replications before and after; those of programmes stand in ``test_common_draws``."""


@pytest.fixture(scope="module")
def processes() -> dict[str, Process]:
    return {p.name: p for p in processes_of(zjsim.load("baseline"), {})}


def small(process: Process) -> Any:
    """The data of a process, cut where a whole replication takes long."""
    data = process.data
    if process.name == "training":
        few = [k for k, c in enumerate(data.cities) if c.city_code in SMALL_CITIES]
        return replace(data, cities=tuple(data.cities[k] for k in few), base=tuple(data.base[k] for k in few))
    if process.name == "enterprise_service":
        return replace(data, groups=tuple(g for g in data.groups if g.first_key_firm >= 0))
    if process.name == "enrolment":
        return replace(data, counties=data.counties[:3], applications=data.applications[:, :3])
    return data


@pytest.mark.parametrize("name", sorted(GROWTH))
def test_more_replications_leave_the_first_ones_bit_by_bit(processes: dict[str, Process], name: str) -> None:
    process, (few, many) = processes[name], GROWTH[name]
    values = base_values(process.inputs)
    found = []
    with Ensemble({name: Experiment(process.simulate, small(process))}) as ensemble:
        for count, size in ((few, max(1, few // 3)), (many, many // 2 + 1)):
            found.append(stack(ensemble.run(batches(Task(name, values, 7, 0, count), size))))
    assert any(x.std(axis=0).max() > 0 for x in found[1].values())
    assert all(len(found[1][key]) == many for key in found[1])
    for key, first in found[0].items():
        assert first.tobytes() == found[1][key][:few].tobytes(), key


def requests_by_group(data: ServiceData, values: dict[str, float]) -> dict[tuple[str, str], list[bytes]]:
    """Arrays of the requests of every city and class of firms, first requests and repeats."""
    found = draw_requests(data, values, Streams(5, 1))
    names = ("arrival_days", "length_days", "load_fte", "patience_days", "applies", "quality", "key_firm", "industry")
    by_group = {}
    for c, code in enumerate(data.cities):
        for k, kind in enumerate(data.firm_classes):
            own = (found.city == c) & (found.firm_class == k)
            by_group[code, kind] = [np.ascontiguousarray(getattr(found, name)[own]).tobytes() for name in names]
    return by_group


def test_another_class_of_firms_leaves_the_requests_of_the_others_as_they_were(processes: dict[str, Process]) -> None:
    process = processes["enterprise_service"]
    data, values = process.data, base_values(process.inputs)
    new = FirmGroup(0, data.cities[0], "zz_further", 400, 0.5, 9, -1)
    larger = replace(data, groups=(*data.groups, new))
    before, after = requests_by_group(data, values), requests_by_group(larger, values)
    assert set(after) - set(before) == {(city, "zz_further") for city in data.cities}
    assert len(after[data.cities[0], "zz_further"][0]) > 0
    assert all(after[group] == arrays for group, arrays in before.items())


def test_another_county_leaves_the_seats_of_other_cities_as_they_were(processes: dict[str, Process]) -> None:
    process = processes["seats"]
    data, values = process.data, base_values(process.inputs)
    more: dict[str, Any] = {"county_codes": (*data.county_codes, "339999")}
    more["county_cities"] = (*data.county_cities, "339900")
    for name in ("local", "migrant", "eligible", "permit", "rooms", "staffed", "cap", "private", "plan_share"):
        array = getattr(data, name)
        more[name] = np.concatenate([array, array[:, :1]], axis=1)
    for name in ("usable", "base_share"):
        array = getattr(data, name)
        more[name] = np.concatenate([array, array[:1]])
    one, two = (simulate_seats(d, values, Streams(5, 1)) for d in (data, replace(data, **more)))
    for measure in ("capacity", "used", "lost"):
        key = f"use/public_seats/{measure}"
        assert len(two[key]) == len(one[key]) + 1
        assert one[key].tobytes() == two[key][:-1].tobytes()
    assert one["use/public_seats/used"].sum() > 0


def test_another_county_leaves_desks_zones_and_rules_of_the_others_as_they_were(
    processes: dict[str, Process],
) -> None:
    process = processes["enrolment"]
    data, values = process.data, base_values(process.inputs)
    wider = np.concatenate([data.applications, data.applications[:, :1]], axis=1)
    larger = replace(data, counties=(*data.counties, ("339999", "339900")), applications=wider)
    one, two = (simulate_enrolment(d, values, Streams(5, 1)) for d in (data, larger))
    keys = [k for k in one if k.startswith(("by_city/", "use/"))]
    assert len(keys) >= 3 + 8
    for key in keys:
        assert one[key].tobytes() == two[key][:-1].tobytes(), key
    programmes = processes["programmes"]
    rules = programmes.data
    longer = replace(
        rules,
        counties=(*rules.counties, ("339999", "339900", False)),
        rules={name: (*states, False) for name, states in rules.rules.items()},
    )
    values = base_values(programmes.inputs)
    few, many = (simulate_programmes(d, values, Streams(5, 1)) for d in (rules, longer))
    for key in ("by_city/sibling_counties", "by_city/points_counties"):
        assert few[key].tobytes() == many[key][:-1].tobytes()
    assert all(few[k].tobytes() == many[k].tobytes() for k in few if k.startswith("use/"))
