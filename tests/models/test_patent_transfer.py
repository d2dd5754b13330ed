"""Patent transfer: traces by hand, the inventory worked out on paper, Poisson flows, stability."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import zjsim.scenarios
from zjsim.models.patent_transfer import (
    OUTCOMES,
    Book,
    PatentData,
    direct_hazard,
    inventory,
    listed_patents,
    move,
    office_sizes,
    patent_transfer_data,
    simulate_patent_transfer,
    transfer,
    trial,
    uncertain_inputs,
    work_days,
)
from zjsim.models.people import People
from zjsim.models.process_tools import ParameterSet

from zjsim.scenario.parameters import PatentParameters, Time
from zjsim.simulate.inputs import UncertainInput, base_values
from zjsim.simulate.kernel import Pool, Simulation
from zjsim.simulate.streams import Streams
from zjsim.tables.reader import read_table
from zjsim.tables.registries import REGISTRIES

FOLDER = Path(next(iter(zjsim.scenarios.__path__))) / "baseline" / "registries"
NAMES = (
    *("patents", "patent_parameters", "service_parameters", "process_parameters", "universities", "service_teams"),
    *("institution_staff", "people_parameters", "training_providers", "enterprises", "team_deployment"),
)


def scenario(**readings: str) -> SimpleNamespace:
    tables = {name: read_table(FOLDER / f"{name}.csv", REGISTRIES[name]) for name in NAMES}
    parameters = SimpleNamespace(time=Time(), patents=PatentParameters(**readings))  # type: ignore[arg-type]
    return SimpleNamespace(table=tables.__getitem__, parameters=parameters)


@pytest.fixture(scope="module")
def baseline() -> PatentData:
    return patent_transfer_data(scenario(), {})  # type: ignore[arg-type]


def constants(data: PatentData | People, **values: float) -> ParameterSet:
    """The parameters of ``data`` without spread, some of them set."""
    return ParameterSet(
        {
            i: UncertainInput(i, m, m, m, "constant", p.unit, "assumption", p.name_zh, p.name_en)
            for i, p in data.parameters.inputs.items()
            for m in [values.get(i, p.mode)]
        }
    )


def toy(baseline: PatentData, stock: float = 1000.0, institutions: int = 1, **values: float) -> PatentData:
    """Like institutions with ``stock`` patents, ten officers, and none of the extras."""
    columns = {name: np.zeros(institutions) for name in baseline.columns}
    columns |= {"stock": np.full(institutions, stock)}
    fixed = {"TP01": 1.0, "TP06": 0.0, "TP07": 0.0, "TP09": 1.0} | values
    codes = tuple(f"{n:05d}" for n in range(institutions))
    return replace(
        baseline,
        institutions=codes,
        city_of=(0,) * institutions,
        columns=columns,
        parameters=constants(baseline, **fixed),
        people=offices(baseline, *[values.get("transfer_staff", 10.0)] * institutions),
    )


def offices(baseline: PatentData, *officers: float) -> People:
    """Institutions with so many officers each, all their time for patents, and nobody else."""
    return replace(
        baseline.people,
        institutions=tuple(f"{n:05d}" for n in range(len(officers))),
        classes=("other_college",) * len(officers),
        officers=np.array(officers),
        parameters=constants(baseline.people, TP09=1.0),
    )


def test_patents_wait_for_an_officer_in_order() -> None:
    sim, book = Simulation(), Book([9.0])
    office = Pool(sim, 1)
    for wait, work in ((1.0, 10.0), (2.0, 10.0), (30.0, 5.0)):
        sim.start(transfer(sim, book, office, 0, wait, work))
    sim.run(100.0)
    assert book.transferred == [11.0, 21.0, 35.0]
    assert book.idle == [6.0]


def test_a_trial_ends_in_a_licence_or_back_on_the_list() -> None:
    sim, book = Simulation(), Book([5.0])
    office = Pool(sim, 1)
    sim.start(trial(sim, book, office, 0, 5.0, 30.0, 2.0, buys=True))  # begins day 5, ends day 35, contract day 37
    sim.start(trial(sim, book, office, 0, 6.0, 30.0, 2.0, buys=False))
    sim.start(trial(sim, book, office, 0, 0.0, 36.0, 2.0, buys=True))  # under way; waits for the officer until day 37
    sim.run(100.0)
    assert book.trials_begun == [5.0, 6.0]
    assert book.transferred == [37.0, 39.0]
    assert book.converted_after_counted_trial == [37.0]
    assert book.returned == 1
    assert book.idle == [3.0]


def test_a_patent_on_trial_counts_once_in_the_reading_with_trials(baseline: PatentData) -> None:
    data = toy(baseline, PP45=1.0, PP44=6.0, PP49=1e-12, TP16=0.0)
    data = replace(data, columns={**data.columns, "trials_per_year": np.array([50.0]), "listed": np.array([100.0])})
    book = move(data, {}, Streams(1, 0))
    found = simulate_patent_transfer(data, {}, Streams(1, 0))
    under_way = len(book.transferred) - len(book.converted_after_counted_trial)
    assert under_way > 0
    assert found["patents_transferred_or_trialled"].sum() == len(book.trials_begun) + under_way
    assert found["patents_transferred"].sum() == len(book.transferred)


def test_idle_patents_are_neither_lost_nor_made(baseline: PatentData) -> None:
    data = toy(baseline, stock=2000.0, PP45=0.0, PP44=6.0, transfer_staff=10.0)
    data = replace(data, columns={**data.columns, "trials_per_year": np.array([60.0]), "listed": np.array([100.0])})
    book = move(data, {}, Streams(2, 0))
    out = 2000 * (1 - data.parameters.inputs["PP49"].mode) - book.idle[0]
    on_trial = out - len(book.transferred)
    assert on_trial == pytest.approx(round(on_trial), abs=1e-6)
    assert 0 <= on_trial < 60  # at a pace of 60 and growing list, those of the last half year, and no licence


def test_direct_transfers_are_poisson_with_the_hazard_of_the_past(baseline: PatentData) -> None:
    """Past: 27.3 % of grants over a mean exposure of five years; the year's mean is hazard × idle stock."""
    data = toy(baseline, stock=10_000.0, transfer_staff=1e6)
    assert direct_hazard(data, {}) == pytest.approx(-np.log(1 - 0.273) / 5)
    data = replace(data, people=offices(baseline, 1e5))
    runs = np.array([simulate_patent_transfer(data, {}, Streams(3, n))["patents_transferred"] for n in range(30)])
    idle, hazard = 7270.0, direct_hazard(data, {})
    means = [hazard * idle * (1 - hazard) ** k for k in range(3)]
    assert runs.mean(axis=0) == pytest.approx(means, abs=4 * np.sqrt(means[0] / 30))
    assert runs[:, 0].var() == pytest.approx(means[0], rel=0.9)


def test_an_office_at_its_limit_decides(baseline: PatentData) -> None:
    """One officer, 48 contracts a year at full load (36 ÷ 0.75), 1.3 patents in each: 62.4 patents a year, no more."""
    data = toy(baseline, stock=10_000.0)
    data = replace(data, people=offices(baseline, 1.0))
    assert work_days(data, {}, np.array([0.5])) == pytest.approx(365.25 / 62.4)
    found = simulate_patent_transfer(data, {}, Streams(1, 0))["patents_transferred"]
    assert found.sum() == pytest.approx(62.4 * 1095 / 365.25, abs=1.5)


def test_a_part_time_officer_takes_longer(baseline: PatentData) -> None:
    data = toy(baseline)
    data = replace(data, people=offices(baseline, 0.4))
    assert office_sizes(data, {}) == ([1], [0.4])


def test_inventory_by_hand(baseline: PatentData) -> None:
    data = toy(baseline, TP03=0.8, TP04=6.0, TP05=0.0, TP06=0.1, TP07=0.0, PP54=20_000.0)
    data = replace(
        data, columns={**data.columns, "inventoried": np.array([800.0]), "inventory_per_month": np.array([10.0])}
    )
    at_plan, rolling = inventory(data, {}, Streams(1, 0))
    months = 365 / (365.25 / 12)
    assert at_plan == pytest.approx([(800 + 10 * months) / 1000, 1.0, 1.0])
    assert at_plan[1] == 1.0
    assert rolling == pytest.approx([(1100 - (200 - 10 * months) - 50) / 1100, 1150 / 1200, 1250 / 1300])


def test_what_can_never_be_inventoried_keeps_coverage_below_one(baseline: PatentData) -> None:
    values = base_values(uncertain_inputs(baseline))
    assert inventory(baseline, values, Streams(1, 0))[0][-1] == 1.0
    assert inventory(baseline, values | {"TP05": 0.001}, Streams(1, 0))[0][-1] == pytest.approx(0.999)
    assert inventory(baseline, values | {"TP04": 0.0}, Streams(1, 0))[1][-1] == 1.0


def test_a_longer_clock_lists_fewer_and_filing_lists_more() -> None:
    idle = np.array([1000.0])
    two, three, filing = (
        float(listed_patents(patent_transfer_data(scenario(**r), {}), {}, idle)[0])  # type: ignore[arg-type]
        for r in ({}, {"non_use_reading": "regulation_3_years"}, {"non_use_start": "filing"})
    )
    assert two == pytest.approx(1000 * 0.6 * 0.7 * np.exp(-2 / 4.5))
    assert three < two < filing


def test_another_institution_leaves_the_others_alone(baseline: PatentData) -> None:
    values = base_values(uncertain_inputs(baseline))
    columns = {name: np.append(column, column[:1]) for name, column in baseline.columns.items()}
    p = baseline.people
    codes = (*baseline.institutions, "99999")
    people = replace(p, institutions=codes, classes=(*p.classes, "other_college"), officers=np.append(p.officers, 4.0))
    larger = replace(baseline, institutions=codes, columns=columns, people=people)
    alone, together = (move(d, values, Streams(1, 3)).idle for d in (baseline, larger))
    assert together[:-1] == alone


def test_more_staff_never_means_fewer_transfers(baseline: PatentData) -> None:
    values = base_values(uncertain_inputs(baseline))
    totals = [move(baseline, values | {"TP09": share}, Streams(1, 0)).transferred for share in (0.05, 0.2, 0.5)]
    assert len(totals[0]) < len(totals[1]) <= len(totals[2])


def test_outcomes_pickling_and_roles(baseline: PatentData) -> None:
    values = base_values(uncertain_inputs(baseline))
    one = simulate_patent_transfer(baseline, values, Streams(4, 2))
    two = simulate_patent_transfer(pickle.loads(pickle.dumps(baseline)), values, Streams(4, 2))
    assert [n for n in one if "/" not in n] == list(OUTCOMES)
    assert all(np.array_equal(one[name], two[name]) for name in OUTCOMES)
    assert (one["patents_transferred_or_trialled"] > one["patents_transferred"]).all()
    assert "PP36" not in {i.input_id for i in uncertain_inputs(baseline)}
