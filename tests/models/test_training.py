"""Vocational training piece by piece: what providers have, how classes form, what counts - each by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from zjsim.models.training import OUTCOMES, Provider, TrainingData, months_of, registrations, simulate_training
from zjsim.models.training import training_book as book_of
from zjsim.models.training_book import Book, Facts
from zjsim.models.training_classes import (
    Classes,
    Registrations,
    banded_hours,
    classes_of,
    demand_factor,
    form_classes,
    monthly_index,
)
from zjsim.models.training_data import training_data, uncertain_inputs
from zjsim.models.training_supply import City, dual_share, supply, window_hours, yearly_hours
from zjsim.models.training_yard import Fate

import zjsim
from zjsim.simulate.inputs import UncertainInput
from zjsim.simulate.statistics import mean_interval
from zjsim.simulate.streams import Streams

Toy = Callable[..., tuple[TrainingData, dict[str, float]]]
SCHOOL = Provider("P001", "secondary_school", teachers=2, students=40)
YEAR = np.array([0.0, 365.0])


def classes(formed: list[float], hours: float = 1.0, week_hours: float = 1.0, **fields: Any) -> Classes:
    """Classes of ten, nine of whom come and eight stay; they wait 50 days at most."""
    n = len(formed)
    ones = np.ones(n)
    made = Classes(
        course=np.zeros(n, dtype=np.int64), sector=np.zeros(n, dtype=np.int64), formed=np.array(formed),
        hours=hours * ones, week_hours=week_hours * ones, days=7 * hours / week_hours * ones, patience=50 * ones,
        size=10 * ones, participants=9 * ones, completed=8 * ones, evening=np.zeros(n, dtype=bool), wish=0.5 * ones,
    )  # fmt: skip
    return replace(made, **fields)


def test_hours_of_teachers_and_adjuncts_by_hand(training_toy: Toy) -> None:
    """2 teachers × 120 hours × 10 % released = 24 a year; half as many teachers again in the province: 36. A college
    has two adjuncts of five hours. Ten trainers hired in a county: 10 × 120 × 0.5.
    """
    _, modes = training_toy(SCHOOL)
    assert yearly_hours(SCHOOL, (2025,), modes, modes)[0].tolist() == [24.0]
    grown = {**modes, "PP10": 3.0, "PP11": 2.0, "TR16": 5.0}
    assert yearly_hours(SCHOOL, (2025,), grown, modes) == (np.array([36.0]), 0.0)
    assert yearly_hours(replace(SCHOOL, level="college"), (2025,), grown, modes)[1] == 10.0
    campus = Provider("CC1", "opened", opens=date(2025, 1, 31), rooms=3, trainers=10)
    assert yearly_hours(campus, (2025,), modes, modes)[0].tolist() == [600.0]
    in_ledger = replace(SCHOOL, institution=1)
    assert yearly_hours(in_ledger, (2025,), modes, modes, np.array([[5.0], [7.0]]))[0].tolist() == [7.0]


def test_bases_make_more_teachers_dual_qualified_year_by_year() -> None:
    values = {"TR31": 0.5, "TR32": 0.1}
    assert [dual_share(values, y, 2025) for y in (2023, 2024, 2025, 2027)] == pytest.approx([0.5, 0.5, 0.6, 0.8])
    assert dual_share({"TR31": 0.9, "TR32": 0.1}, 2027, 2025) == 1.0


def test_windows_by_hand() -> None:
    """Half of 40 hours in term, a quarter of them in the evening; twice as much in the holidays, all in the daytime."""
    values = {"PP14": 0.5, "TR25": 2.0, "TR27": 0.25, "TR28": 1.0}
    assert window_hours(values, False) == (15.0, 5.0)
    assert window_hours(values, True) == (35.0, 5.0)
    assert window_hours({**values, "TR28": 1.6}, False) == (15.0, 8.0)
    assert window_hours({**values, "TR25": 5.0}, True) == (35.0, 5.0), "no more than all 40 hours"


def test_supply_by_hand(training_toy: Toy) -> None:
    """School: 2 hours a month, a quarter of them dual-qualified; 5 rooms per 100 of 40 students: 2 rooms.

    A campus opens in February: 3 rooms and 10 trainers × 120 × 0.5 / 12 = 50 hours a month.
    """
    campus = Provider("CC1", "opened", opens=date(2025, 1, 31), rooms=3, trainers=10)
    data, values = training_toy(SCHOOL, campus, TR31=0.25)
    months = [(0.0, 1), (30.0, 2), (60.0, 7), (90.0, 8)]
    found = supply(data, data.cities[0], values, months, [2025] * 3)
    assert found.general.tolist() == [[1.5, 0.0], [1.5, 37.5], [1.5, 37.5]]
    assert found.dual.tolist() == [[0.5, 0.0], [0.5, 12.5], [0.5, 12.5]]
    assert found.day.tolist() == [[30.0, 0.0], [30.0, 45.0], [70.0, 105.0]]
    assert found.evening.tolist() == [[10.0, 0.0], [10.0, 15.0], [10.0, 15.0]]
    assert found.january == (True, False, False)
    more = {**values, "more/trainers/secondary_school": 1.0, "more/evening_rooms/secondary_school": 1.0}
    further = supply(data, data.cities[0], more, months, [2025] * 3)
    assert (further.general + further.dual - found.general - found.dual).tolist() == [[10.0, 0.0]] * 3
    assert (further.evening - found.evening).tolist() == [[40.0, 0.0]] * 3
    assert (further.day == found.day).all()


def test_counts_by_hand(training_toy: Toy) -> None:
    """The first class starts before the as-of date, the second within the year, the third is lost at the college."""
    college = Provider("P002", "technician_college", teachers=1, students=10)
    data, values = training_toy(SCHOOL, college)
    offer = supply(data, data.cities[0], values, months_of(data), [2024] * 6 + [2025] * 12)
    given = classes([-20.0, 10.0, 20.0], hours=10.0, week_hours=2.0)
    started, whose = np.array([-10.0, 12.0, np.nan]), np.array([0, 0, 1])
    fate = Fate(whose, whose, np.array([False, True, False]), started, started)
    book = Book(YEAR)
    book.enter(given, fate, offer, data.cities[0].providers, Facts.of(data.courses, 0.25))
    out = {name: float(values[0]) for name, values in book.outcomes().items()}
    assert out["training_person_times_all"] == 9
    assert out["training_person_times_strict"] == 2 * 8 * 0.75
    assert out["training_person_hours"] == 90
    assert (out["training_registered"], out["training_lost"], out["training_no_shows"]) == (20, 10, 1)
    assert (out["training_completed"], out["training_dropped"]) == (16, 2)
    assert out["training_mean_wait"] == 2
    assert out["trainer_hours_used"] == pytest.approx(10 / 36)
    assert book.imbalance() == 0
    parts = {k: v[:, 0].tolist() for k, v in book.parts().items() if k.startswith("by_provider/")}
    assert parts["by_provider/training_person_times_all"] == [9, 0]
    assert parts["by_provider/training_lost"] == [0, 10]
    assert parts["by_provider/trainer_hours"] == [10, 0]
    assert parts["by_provider/dual_hours"] == [10, 0]
    assert parts["by_provider/trainer_hours_offered"] == pytest.approx([24.0, 12.0])
    at_college = replace(fate, provider=np.array([1, 1, 1]))
    strict = Book(YEAR)
    strict.enter(given, at_college, offer, data.cities[0].providers, Facts.of(data.courses, 0.25))
    assert strict.outcomes()["training_person_times_strict"][0] == 0, "technician colleges report elsewhere"
    assert strict.outcomes()["training_person_times_all"][0] == 9


def test_short_courses_mentors_and_orders_do_not_count_where_they_should_not(training_toy: Toy) -> None:
    data, values = training_toy(SCHOOL)
    offer = supply(data, data.cities[0], values, months_of(data), [2024] * 6 + [2025] * 12)
    (course,) = data.courses
    uncounted = replace(course, counts_all=False, counts_social=False)
    day, here = np.array([1.0]), np.zeros(1, dtype=np.int64)
    fate = Fate(here, here, np.zeros(1, dtype=bool), day, day)
    book = Book(YEAR)
    for other, hours in (
        *((course, 7.0), (replace(uncounted, trains_mentors=True), 20.0), (replace(uncounted, is_order=True), 20.0)),
    ):
        book.enter(classes([1.0], hours=hours), fate, offer, data.cities[0].providers, Facts.of((other,), 0.0))
    out = {name: float(values[0]) for name, values in book.outcomes().items()}
    assert out["training_person_times_all"] == out["training_person_times_social"] == 9
    assert out["training_person_times_strict"] == 0
    assert (out["mentors_trained"], out["order_class_students"]) == (8, 9)


def test_registrations_follow_the_months_and_add_up_to_the_year(training_toy: Toy) -> None:
    data, _ = training_toy(SCHOOL)
    season = np.array((0.6, 0.3, 1.0, 1.2, 1.2, 1.0, 1.3, 1.2, 0.9, 1.1, 1.2, 1.0)) / 12
    months = [(float(30 * k), k % 12 + 1) for k in range(13)]
    coming = registrations(data, 1200.0, {2025: 2.0}, season, months)
    assert coming.total[1:3].tolist() == [pytest.approx(120.0), pytest.approx(180.0)]
    assert coming.total[-1] == pytest.approx(2400.0)
    assert coming.by(30.0) == pytest.approx(coming.total[1])


def test_class_forming_has_the_mean_and_spread_of_full_batches(training_toy: Toy) -> None:
    """40 registrations a class at 20 a week: one every 2 weeks, coefficient of variation 1/√40; of orders it is 1."""
    data, values = training_toy(SCHOOL, SIZE=40.0)
    inputs = {i.input_id: i for i in data.inputs}
    weeks = 52_000.0
    coming = Registrations(np.array([0.0, 7 * weeks]), np.array([0.0, 20 * weeks]))
    (course,) = data.courses
    for is_order, spread in ((False, 40**-0.5), (True, 1.0)):
        kind = replace(course, is_order=is_order)
        part, left_over = form_classes(kind, (0, 0), "330100/CT01", coming, inputs, values, Streams(1, 0), 2025)
        formed = classes_of([part], [kind], inputs, values)
        gaps = np.diff(formed.formed) / 7
        _, low, high = mean_interval(gaps, 0.999)
        assert low <= 2.0 <= high
        assert gaps.std() / gaps.mean() == pytest.approx(spread, rel=0.03)
        assert left_over[-1] == 0 if is_order else 0 <= left_over[-1] < 40
        assert len(formed.formed) * 40 + left_over[-1] == pytest.approx(20 * weeks, rel=0.02)
        assert set(formed.days.round(6)) == {126.0 if is_order else 7.0}, "a term of 18 weeks, or ten hours a week"


def test_the_season_keeps_the_year_and_the_factors_their_mean() -> None:
    index = np.array([0.6, 0.3, 1.0, 1.2, 1.2, 1.0, 1.3, 1.2, 0.9, 1.1, 1.2, 1.0])
    assert monthly_index(index, 0.0).tolist() == [1.0] * 12
    assert monthly_index(index, 1.0) == pytest.approx(index)
    assert monthly_index(index, 1.4).sum() == pytest.approx(12)
    u = (np.arange(20_000) + 0.5) / 20_000
    assert np.mean([demand_factor(0.1, float(x)) for x in u]) == pytest.approx(1.0, abs=1e-3)


def test_hour_bands_hold_their_shares_and_edges() -> None:
    hours = banded_hours((np.arange(10_000) + 0.5) / 10_000)
    assert ((hours >= 8) & (hours <= 16)).mean() == pytest.approx(0.6)
    assert ((hours >= 24) & (hours <= 40)).mean() == pytest.approx(0.3)
    assert (hours >= 48).mean() == pytest.approx(0.1)


def test_online_learners_need_nobody_and_count_as_the_readings_say(training_toy: Toy) -> None:
    """All online: 120 register, 108 come, no class forms. Half: the classes of the other half remain."""
    data, _ = training_toy(SCHOOL, ONLINE=1.0)
    out = {k: v[0] for k, v in simulate_training(data, {}, Streams(1, 0)).items() if k in OUTCOMES}
    assert out["training_classes_started"] == out["training_person_times_strict"] == out["training_waiting"] == 0
    assert out["training_person_times_all"] == out["training_registered"] - out["training_no_shows"] > 0
    half = {k: v[0] for k, v in simulate_training(data, {"ONLINE": 0.5}, Streams(1, 0)).items() if k in OUTCOMES}
    assert half["training_classes_started"] > 0
    assert half["training_registered"] == pytest.approx(120, abs=35)


@pytest.fixture(scope="module")
def baseline() -> TrainingData:
    return training_data(zjsim.load("baseline"), {})


@pytest.fixture(scope="module")
def small(baseline: TrainingData) -> TrainingData:
    """Three small cities of the baseline: every rule, a tenth of the work."""
    keep = [k for k, c in enumerate(baseline.cities) if c.city_code in ("330800", "330900", "331100")]
    return replace(baseline, cities=tuple(baseline.cities[k] for k in keep), base=tuple(baseline.base[k] for k in keep))


def test_everyone_registered_is_in_exactly_one_state(small: TrainingData) -> None:
    """Demand = served + waiting + lost, to the person; the providers and the online learners are the province."""
    for values in ({}, {"PP09": 0.02}, {"TR18": 0.5, "TR24": 0.02}, {"PP03": 80.0, "PP02": 50.0}, {"TR36": 0.3}):
        book = book_of(small, values, Streams(3, 0))
        assert book.imbalance() == 0
        assert all((v >= 0).all() for v in book.outcomes().values())
        providers = {k: np.concatenate(v).sum(axis=0) for k, v in book.by_provider.items()}
        for name in ("training_lost", "training_classes_started", "training_person_hours"):
            assert (providers[name] == book.flows[name][1:-1]).all(), name
        assert (providers["training_person_times_all"] < book.flows["training_person_times_all"][1:-1]).all()


def test_outcomes_are_declared_and_one_per_year(small: TrainingData) -> None:
    found = simulate_training(small, {}, Streams(3, 0))
    assert {n for n in found if "/" not in n} == set(OUTCOMES)
    assert all(found[name].shape == (3,) for name in OUTCOMES)
    by_provider = [v.shape for k, v in found.items() if k.startswith("by_provider/")]
    assert set(by_provider) == {(len(small.providers), 3)}


def test_more_released_hours_train_more_people_on_the_same_draws(small: TrainingData) -> None:
    volume = [
        simulate_training(small, {"PP09": share}, Streams(3, 0))["training_person_times_all"].sum()
        for share in (0.0, 0.05, 0.25)
    ]
    assert volume[0] < volume[1] < volume[2]


def test_nothing_a_target_asks_for_is_an_input(baseline: TrainingData) -> None:
    scenario = zjsim.load("baseline")
    parameters = scenario.table("process_parameters").set_index("parameter_id")
    inputs = [i.input_id for i in baseline.inputs if i.input_id.startswith("PP")]
    assert set(parameters.loc[inputs, "role"]) == {"input"}
    asked = {bound for bound in scenario.table("targets")["bound"].dropna() if bound > 200}
    assert not [i.input_id for i in baseline.inputs if {i.low, i.mode, i.high} & asked]
    assert {"PP09", "TR19", "TR27", "TR31", "TR36", "PE06"} <= {i.input_id for i in uncertain_inputs(baseline)}


def test_the_shape_of_course_hours_moves_the_volume(small: TrainingData) -> None:
    volume = {
        shape: simulate_training(small, {"TR19": shape, "PP09": 0.04}, Streams(3, 0))["training_person_times_all"]
        for shape in (0.0, 1.0)
    }
    assert (volume[1.0] > 1.02 * volume[0.0]).all()


def test_strict_counting_makes_no_mentors_of_online_learners() -> None:
    courses = training_data(zjsim.load("strict_counting"), {}).courses
    assert [c.course_type_id for c in courses if c.trains_mentors] == ["CT10"]
    assert len([c for c in courses if not c.counts_all]) > 1


def test_a_city_without_demand_offers_its_hours(training_toy: Toy) -> None:
    data, values = training_toy(SCHOOL)
    idle = replace(data, cities=(*data.cities, City("330200", (SCHOOL,))), base=(*data.base, ()))
    offered = simulate_training(idle, values, Streams(1, 0))["by_provider/trainer_hours_offered"]
    assert offered[:, 0] == pytest.approx([24.0, 24.0])


def test_constants_are_declared_inputs(baseline: TrainingData) -> None:
    """Each of the process's own numbers is an uncertain input of the registry, or settled by a document."""
    declared = set(zjsim.load("baseline").table("uncertainties")["input_id"])
    own = [i for i in uncertain_inputs(baseline) if i.input_id.startswith(("PP", "TR"))]
    assert all(isinstance(i, UncertainInput) and i.input_id in declared for i in own)


def test_every_month_has_its_share_of_registrations_and_orders(baseline: TrainingData) -> None:
    """Two indices of mean 1; orders come before the terms begin, most of them in September, within the range."""
    parameters = zjsim.load("baseline").table("training_parameters").set_index("parameter_id")
    seasons = dict(baseline.seasons)
    assert sorted(seasons) == ["PP15", "TR37"]
    assert [sum(v) for v in seasons.values()] == pytest.approx([12, 12])
    orders = seasons["TR37"]
    assert (min(orders), max(orders)) == tuple(parameters.loc["TR37", ["low", "high"]])
    assert orders.index(max(orders)) + 1 == 9
