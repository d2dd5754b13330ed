"""What the processes export of their resources agrees with what they count themselves, and becomes tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from zjsim.models import patent_transfer, training
from zjsim.models.people import people_data
from zjsim.models.people_tables import people_ledger, people_summary
from zjsim.models.resource_use import MONTHLY_COLUMNS, USE_COLUMNS, place_names, resource_use, resource_use_monthly
from zjsim.models.throughput import Process, Study, processes_of

import zjsim
from zjsim.audit import audit_outcomes
from zjsim.simulate.ensemble import Experiment, Task, replicate
from zjsim.simulate.inputs import base_values
from zjsim.simulate.resources import MEASURES, read
from zjsim.simulate.streams import Streams


@pytest.fixture(scope="module")
def scenario() -> Any:
    return zjsim.load("baseline")


@pytest.fixture(scope="module")
def studies(scenario: Any) -> list[Study]:
    """Two futures of every process that has resources; training in two cities only."""
    found = []
    for process in processes_of(scenario, {}):
        if not process.resources:
            continue
        if process.name == "training":
            data = replace(process.data, cities=process.data.cities[-2:], base=process.data.base[-2:])
            process = replace(process, data=data, resources=training.resources(data))
        values = base_values(process.inputs)
        base = replicate(Experiment(process.simulate, process.data), Task(process.name, values, 5, 0, 2))
        found.append(Study(process, base, (), ()))
    return found


def of(studies: list[Study], name: str) -> tuple[Process, dict[str, np.ndarray]]:
    return next((s.process, s.base) for s in studies if s.process.name == name)


def test_training_offers_and_uses_what_its_book_says(studies: list[Study]) -> None:
    process, base = of(studies, "training")
    levels = training.levels_of(process.data.cities)
    hours, dual, rooms, evenings = (
        {m: sum(read(base, f"{resource}_{level}")[m] for level in levels) for m in MEASURES}
        for resource in ("trainer_hours", "dual_hours", "room_hours", "evening_hours")
    )
    own = np.cumsum([0, *(len(c.providers) for c in process.data.cities)])[:-1]
    wanted = np.add.reduceat(base["by_provider/trainer_hours_offered"], own, axis=1)
    assert hours["capacity"] == pytest.approx(wanted)
    used = np.add.reduceat(base["by_provider/trainer_hours"], own, axis=1)
    assert hours["used"] == pytest.approx(used)
    assert (rooms["served"] + evenings["served"]).sum(axis=1) == pytest.approx(base["training_classes_started"])
    assert (hours["used"].sum(axis=2) <= hours["capacity"].sum(axis=2)).all()
    assert (dual["used"] <= hours["used"]).all()
    assert all((r["used"] <= r["capacity"]).all() for r in (rooms, evenings))
    lost_persons = base["training_lost"].sum(axis=1)
    left = hours["left"] + rooms["left"] + evenings["left"]
    assert (left.sum(axis=(1, 2)) > 0).all() == (lost_persons > 0).all()


def test_service_staff_is_used_as_much_as_the_requests_took(studies: list[Study]) -> None:
    process, base = of(studies, "enterprise_service")
    staff, desk = read(base, "service_staff"), read(base, "service_requests")
    assert staff["used"].sum(axis=1) == pytest.approx(desk["used"].sum(axis=1)), "the same time, by giver and by taker"
    assert staff["served"].sum(axis=1) == pytest.approx(desk["served"].sum(axis=1))
    values = base_values(process.inputs)
    day, institution, fte = process.data.people.allot(values).services
    days = process.data.horizon.end - np.maximum(day, process.data.horizon.edges[-2])
    wanted = np.bincount(institution, fte * days)
    assert staff["capacity"][0, :, -1] == pytest.approx(wanted)
    assert (staff["used"] <= staff["capacity"] + 1e-6).all(), "nobody gives more time than the ledger allots"
    assert (desk["left"] >= 0).all()
    assert desk["lost"].sum() > 0 or desk["left"].sum() == 0


def test_in_no_future_are_more_hours_used_than_the_ledger_allots(studies: list[Study], scenario: Any) -> None:
    people = people_data(scenario, {})
    own = [s for s in studies if s.process.name != "training"]
    results = {"people_ledger": people_ledger(people, own, {}), "people_summary": people_summary(people, own)}
    assert audit_outcomes(results, {}, scenario.tables, scenario.parameters) == []
    ledger = results["people_ledger"]
    known = ledger[ledger["activity"].isin(["services", "patents"])]
    assert known["used_hours"].gt(0).mean() > 0.9
    assert known["replications"].eq(2).all()
    assert (known["unused_hours"] >= -1e-6).all()


def test_transfer_officers_are_metered_by_the_kernel(studies: list[Study]) -> None:
    process, base = of(studies, "patent_transfer")
    officers = read(base, "transfer_officers")
    sizes, _ = patent_transfer.office_sizes(process.data, base_values(process.inputs))
    days = np.diff(process.data.horizon.edges)
    assert officers["capacity"][0] == pytest.approx(np.outer(sizes, days))
    assert (officers["used"] <= officers["capacity"] + 1e-6).all()
    served, transferred = officers["served"].sum(axis=(1, 2)), base["patents_transferred"].sum(axis=1)
    assert (served >= transferred).all()
    assert served == pytest.approx(transferred, rel=0.05), "those under way at the end have an officer, too"


def test_statistics_change_no_outcome(studies: list[Study]) -> None:
    process, base = of(studies, "training")
    alone = training.training_book(process.data, base_values(process.inputs), Streams(5, 1)).outcomes()
    assert all(np.array_equal(alone[name], base[name][1]) for name in training.OUTCOMES)


def test_tables_have_a_row_per_place_and_year_and_months_add_up(studies: list[Study], scenario: Any) -> None:
    yearly, monthly = resource_use(studies, place_names(scenario)), resource_use_monthly(studies)
    assert (tuple(yearly), tuple(monthly)) == (USE_COLUMNS, MONTHLY_COLUMNS)
    assert not yearly[["process", "resource", "place_code", "year"]].duplicated().any()
    assert (yearly["place_zh"] != yearly["place_code"]).all(), "every place has a name"
    months = monthly.assign(year=monthly["month"].str[:4].astype(int))
    for figure in ("used", "waiting_days", "served"):
        sums = [t.groupby(["resource", "year"])[figure].sum() for t in (yearly, months)]
        assert sums[0].to_numpy() == pytest.approx(sums[1].to_numpy())
    officers = yearly[yearly["resource"] == "transfer_officers"]
    assert officers["utilisation"].between(0, 1 + 1e-9).all()
    assert officers["mean_queue"].to_numpy() == pytest.approx(officers["waiting_days"] / 365, rel=0.003)
    assert yearly.loc[yearly["resource"] == "service_requests", "capacity"].isna().all()
