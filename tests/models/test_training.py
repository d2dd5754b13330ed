from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from zjsim.models.training import (
    OUTCOMES,
    City,
    TrainingData,
    registrations,
    run_city,
    simulate_training,
    trainer_hours_per_year,
    training_book,
    training_data,
    uncertain_inputs,
)
from zjsim.models.training_book import Book
from zjsim.models.training_classes import (
    Classes,
    CourseType,
    Registrations,
    banded_hours,
    demand_factor,
    form_classes,
    monthly_index,
)

import zjsim
from zjsim.simulate.inputs import UncertainInput
from zjsim.simulate.statistics import mean_interval
from zjsim.simulate.streams import Streams

CONSTANTS = {
    "PP08": 120.0, "PP09": 0.1, "PP10": 2.0, "PP11": 0.0, "PP14": 0.5, "PP16": 0.1, "PP17": 0.8,
    "TR16": 0.0, "TR17": 10.0, "TR18": 4.0, "TR19": 0.0, "TR20": 0.25, "TR21": 0.0, "TR22": 0.0, "TR23": 0.0,
    "TR24": 5.0, "TR25": 2.0, "RATE": 1.0, "SIZE": 10.0, "HOURS": 10.0,
}  # fmt: skip
INPUTS = tuple(UncertainInput(i, v, v, v, "constant", "", "assumption", i, i) for i, v in sorted(CONSTANTS.items()))
COURSE = CourseType("CT01", "RATE", "", "SIZE", "HOURS", False, False, True, True, True)
CITY = City("330100", teachers=2, technician_teachers=0, colleges=0, students=40)
TOY = TrainingData(
    date(2024, 12, 31), (2025,), (CITY,), (COURSE,), ((120.0,),), INPUTS, (1.0,) * 12, (1.0,) * 12, (7, 8)
)
MONTHS = [(0.0, 1), (30.0, 2), (60.0, 7), (90.0, 8)]


def classes(formed: list[float], hours: float = 1.0, week_hours: float = 1.0, patience: float = 50.0) -> Classes:
    n = len(formed)
    ones = np.ones(n)
    return Classes(
        np.zeros(n, dtype=np.int64), np.array(formed), hours * ones, week_hours * ones, 7 * hours / week_hours * ones,
        patience * ones, 10 * ones, 9 * ones, 8 * ones,
    )  # fmt: skip


def test_trainer_hours_by_hand() -> None:
    # 2 teachers × 120 hours × 10 % released = 24 a year, 2 a month
    assert trainer_hours_per_year(TOY, CITY, CONSTANTS) == (24.0, 0.0)
    grown = {**CONSTANTS, "PP10": 3.0, "PP11": 2.0, "TR16": 5.0}
    with_adjuncts = replace(CITY, technician_teachers=1.0, colleges=1)
    assert trainer_hours_per_year(TOY, with_adjuncts, grown) == (36 + 18 + 10, 18.0)


def test_classes_wait_for_the_next_months_trainer_hours() -> None:
    # two hours a month: the first two classes of an hour start at once, the others at the next two month beginnings
    started, capacity = run_city(TOY, CITY, CONSTANTS, classes([1.0, 2.0, 3.0, 4.0, 5.0], patience=80.0), MONTHS)
    assert started.tolist() == [1.0, 2.0, 30.0, 30.0, 60.0]
    assert capacity.hours_paid_in == ((0.0, 2.0), (30.0, 2.0), (60.0, 2.0))


def test_a_class_that_waits_too_long_leaves_and_takes_no_hours() -> None:
    # the third would start on day 30, 27 days after forming; its people stay 20
    started, _ = run_city(TOY, CITY, CONSTANTS, classes([1.0, 2.0, 3.0, 15.0, 16.0], patience=20.0), MONTHS)
    assert np.isnan(started[2])
    assert started[[0, 1, 3, 4]].tolist() == [1.0, 2.0, 30.0, 30.0]


def test_rooms_limit_classes_in_term_and_open_up_in_the_holidays() -> None:
    # 5 rooms per 100 of 40 students × 40 hours × half free = 40 room hours a week, 80 in July; a class takes 30 a week
    rich = {**CONSTANTS, "PP09": 100.0}
    long = classes([1.0, 2.0, 3.0], hours=600.0, week_hours=30.0, patience=80.0)
    started, capacity = run_city(TOY, CITY, rich, long, MONTHS)
    assert [w for _, w in capacity.room_week_hours] == [40.0, 40.0, 80.0]
    assert started[:2].tolist() == [1.0, 60.0]
    assert np.isnan(started[2])


def test_the_rest_of_a_year_is_lost_in_january() -> None:
    months = [(0.0, 11), (30.0, 12), (61.0, 1), (92.0, 2)]
    started, _ = run_city(TOY, CITY, CONSTANTS, classes([62.0, 63.0, 64.0]), months)
    assert started[:2].tolist() == [62.0, 63.0]
    assert np.isnan(started[2])


def test_counts_by_hand() -> None:
    # both readings in one year: the first class starts before the as-of date, the second within it, the third is lost
    book = Book(np.array([0.0, 365.0]))
    given = classes([-20.0, 10.0, 20.0], hours=10.0, week_hours=2.0)
    capacity = run_city(TOY, CITY, CONSTANTS, classes([1.0]), MONTHS)[1]
    book.enter(given, np.array([-10.0, 12.0, np.nan]), replace(capacity, technician_share=0.5), (COURSE,), 0.25)
    out = {name: float(values[0]) for name, values in book.outcomes().items()}
    assert out["training_person_times_all"] == 9
    assert out["training_person_times_strict"] == 2 * 8 * 0.75 * 0.5
    assert out["training_person_hours"] == 90
    assert (out["training_registered"], out["training_lost"], out["training_no_shows"]) == (20, 10, 1)
    assert (out["training_completed"], out["training_dropped"]) == (16, 2)
    assert out["training_mean_wait"] == 2
    assert book.imbalance() == 0


def test_short_courses_and_mentors_do_not_count_where_they_should_not() -> None:
    book = Book(np.array([0.0, 365.0]))
    mentors = replace(COURSE, counts_all=False, counts_social=False, trains_mentors=True)
    capacity = run_city(TOY, CITY, CONSTANTS, classes([1.0]), MONTHS)[1]
    for course, hours in ((COURSE, 7.0), (mentors, 20.0)):
        book.enter(classes([1.0], hours=hours), np.array([1.0]), capacity, (course,), 0.0)
    out = {name: float(values[0]) for name, values in book.outcomes().items()}
    assert out["training_person_times_all"] == out["training_person_times_social"] == 9
    assert out["training_person_times_strict"] == 0
    assert out["mentors_trained"] == 8


def test_registrations_follow_the_months_and_add_up_to_the_year() -> None:
    data = replace(TOY, enrolment_index=(0.6, 0.3, 1.0, 1.2, 1.2, 1.0, 1.3, 1.2, 0.9, 1.1, 1.2, 1.0))
    months = [(float(30 * k), k % 12 + 1) for k in range(13)]
    coming = registrations(data, 1200.0, {2025: 2.0}, 1.0, [(-31.0, 12), *months][1:])
    assert coming.total[1:3].tolist() == [pytest.approx(120.0), pytest.approx(180.0)]
    assert coming.total[-1] == pytest.approx(2400.0)
    assert coming.by(30.0) == pytest.approx(coming.total[1])


def test_class_forming_has_the_mean_and_spread_of_full_batches() -> None:
    # 40 registrations a class at 20 a week: a class every 2 weeks, coefficient of variation 1/√40 (closed form)
    data = {i.input_id: i for i in INPUTS} | {
        "SIZE": UncertainInput("SIZE", 40, 40, 40, "constant", "", "assumption", "", "")
    }
    values = {**CONSTANTS, "SIZE": 40.0}
    weeks = 52_000.0
    coming = Registrations(np.array([0.0, 7 * weeks]), np.array([0.0, 20 * weeks]))
    formed, left_over = form_classes(COURSE, 0, "330100", coming, data, values, Streams(1, 0), 2025)
    gaps = np.diff(formed.formed) / 7
    _, low, high = mean_interval(gaps, 0.999)
    assert low <= 2.0 <= high
    assert gaps.std() / gaps.mean() == pytest.approx(40**-0.5, rel=0.03)
    assert 0 <= left_over[-1] < 40
    assert len(formed.formed) * 40 + left_over[-1] == pytest.approx(20 * weeks, rel=0.01)


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


@pytest.fixture(scope="module")
def baseline() -> TrainingData:
    return training_data(zjsim.load("baseline"), {})


@pytest.fixture(scope="module")
def small(baseline: TrainingData) -> TrainingData:
    """Three small cities of the baseline: every rule, a tenth of the work."""
    keep = [k for k, c in enumerate(baseline.cities) if c.city_code in ("330800", "330900", "331100")]
    return replace(baseline, cities=tuple(baseline.cities[k] for k in keep), base=tuple(baseline.base[k] for k in keep))


def test_everyone_registered_is_in_exactly_one_state(small: TrainingData) -> None:
    for values in ({}, {"PP09": 0.02}, {"TR18": 0.5, "TR24": 0.02}, {"PP03": 80.0, "PP02": 50.0}):
        book = training_book(small, values, Streams(3, 0))
        assert abs(book.imbalance()) < 1e-6
        assert all((v >= 0).all() for v in book.outcomes().values())


def test_outcomes_are_declared_and_one_per_year(small: TrainingData) -> None:
    found = simulate_training(small, {}, Streams(3, 0))
    assert {n for n in found if "/" not in n} == set(OUTCOMES)
    assert all(found[name].shape == (3,) for name in OUTCOMES)


def test_another_city_leaves_the_draws_of_the_others_unchanged(small: TrainingData) -> None:
    alone = replace(small, cities=small.cities[1:], base=small.base[1:])
    richer = replace(
        small, cities=(replace(small.cities[0], teachers=10 * small.cities[0].teachers), *small.cities[1:])
    )
    without_first = simulate_training(alone, {}, Streams(3, 0))["training_person_times_all"]
    first = replace(small, cities=small.cities[:1], base=small.base[:1])
    first_richer = replace(richer, cities=richer.cities[:1], base=richer.base[:1])
    for both, one in ((small, first), (richer, first_richer)):
        together = simulate_training(both, {}, Streams(3, 0))["training_person_times_all"]
        apart = simulate_training(one, {}, Streams(3, 0))["training_person_times_all"]
        assert together.tolist() == (without_first + apart).tolist()


def test_more_released_hours_train_more_people_on_the_same_draws(small: TrainingData) -> None:
    volume = [
        simulate_training(small, {"PP09": share}, Streams(3, 0))["training_person_times_all"].sum()
        for share in (0.0, 0.05, 0.25)
    ]
    assert volume[0] < volume[1] < volume[2]


def test_nothing_a_target_asks_for_is_an_input(baseline: TrainingData) -> None:
    scenario = zjsim.load("baseline")
    parameters = scenario.table("process_parameters").set_index("parameter_id")
    used = [i.input_id for i in baseline.inputs if i.input_id.startswith("PP")]
    assert set(parameters.loc[used, "role"]) == {"input"}
    asked = {bound for bound in scenario.table("targets")["bound"].dropna() if bound > 200}
    assert not [i.input_id for i in baseline.inputs if {i.low, i.mode, i.high} & asked]
    assert {"PP09", "TR19"} <= {i.input_id for i in uncertain_inputs(baseline)}


def test_the_shape_of_course_hours_moves_the_volume(baseline: TrainingData) -> None:
    volume = {
        shape: simulate_training(baseline, {"TR19": shape, "PP09": 0.08}, Streams(3, 0))["training_person_times_all"]
        for shape in (0.0, 1.0)
    }
    assert (volume[1.0] > 1.02 * volume[0.0]).all()


def test_strict_counting_makes_no_mentors_of_online_learners() -> None:
    courses = training_data(zjsim.load("strict_counting"), {}).courses
    assert [c.course_type_id for c in courses if c.trains_mentors] == ["CT10"]
    assert len([c for c in courses if not c.counts_all]) > 1
