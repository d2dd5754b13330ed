"""The ledger of people: by hand on one institution, paths and posts on paper, nobody twice at any design point."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.location_tables import PLAN_COLUMNS
from zjsim.models.people import ACTIVITIES, STAFF_CLASSES, People, people_data
from zjsim.models.people_path import by_year, joined, least, minus, rising
from zjsim.models.people_posts import appointments
from zjsim.models.process_tools import DAYS_PER_YEAR, ParameterSet

import zjsim
from zjsim.simulate.inputs import UncertainInput
from zjsim.synthesis import people as method
from zjsim.tables.registries import people as registries

YEAR = 365.0


@pytest.fixture(scope="module")
def scenario() -> Any:
    return zjsim.load("baseline")


@pytest.fixture(scope="module")
def baseline(scenario: Any) -> People:
    return people_data(scenario, {})


def platform_plan(*rows: tuple[str, str, int]) -> dict[str, pd.DataFrame]:
    """A location plan of joint platforms: institution, open date, pairs of persons."""
    same = {"kind": "joint_platform", "start_date": "2025-01-05", "failure_parameter": "PP56", "rooms": 0}
    place = {"city_code": "330100", "county_code": "330106"}
    found = [
        {"opening_id": f"X{n}", "open_date": day, "moe_code": code, "staff": pairs, **same, **place}
        for n, (code, day, pairs) in enumerate(rows)
    ]
    return {"platform_plan": pd.DataFrame(found, columns=list(PLAN_COLUMNS))}


def toy(baseline: People, **values: float) -> People:
    """One institution of 100 teachers, 20 of them in teams at half their time, all of them trainers, four officers."""
    fixed = {"SP03": 1.0, "SP04": 0.5, "SP13": 0.0, "SP16": 0.0, "PP09": 0.1, "PP10": 1.0, "TP09": 0.5} | {
        "PE02": 1.0, "PE03": 0.2, "PE04": 0.2, "PE05": 0.5, "PE06": 4.0, "PE07": 6.0
    } | values  # fmt: skip
    inputs = {
        i: UncertainInput(i, m, m, m, "constant", p.unit, "assumption", p.name_zh, p.name_en)
        for i, p in baseline.parameters.inputs.items()
        for m in [fixed.get(i, p.mode)]
    }
    return replace(
        baseline,
        parameters=ParameterSet(inputs),
        institutions=("a",),
        classes=("other_college",),
        teachers=np.array([100.0]),
        members=np.array([20.0]),
        trainers=np.array([100.0]),
        officers=np.array([4.0]),
        leads={},
        cities=("330100",),
        giants=(100,),
        area_of=((0,),),
        weight_of=((1.0,),),
    )


def fte(people: People, activity: str, year: int = 2026) -> float:
    """Mean FTE in an activity over a year of 365 days."""
    return people.base_hours()["a", activity, year] / people.person_hours(np.array(YEAR)).item()


def test_one_institution_by_hand(baseline: People) -> None:
    """Ten FTE for firms; ten to teach, of which visitors take 4 × 6 ÷ 12 = 2; officers half their time."""
    people = toy(baseline)
    assert [fte(people, a) for a in ACTIVITIES] == pytest.approx([0, 2, 0, 10, 8, 2])
    assert people.allot({}).available[0, 1] == pytest.approx(float(people.person_hours(np.array(22 * YEAR))))
    assert people.class_hours({})[0, 1] == pytest.approx(8 * 400 * YEAR / DAYS_PER_YEAR)
    assert set(people.base_hours()) == {("a", a, y) for a in ACTIVITIES for y in people.years}


def test_a_post_takes_its_time_from_services(baseline: People) -> None:
    """Ten appointments a year for two years: twenty posts at a fifth of a person, four FTE; one more, at the edges."""
    people = toy(baseline, SP16=10.0)
    assert fte(people, "dual_appointments") == pytest.approx(4, abs=0.02)
    assert 5.8 - 1e-9 <= fte(people, "services") <= 6.0 + 1e-9
    assert fte(people, "training") == pytest.approx(8)


def test_posts_beyond_the_released_time_stay_vacant(baseline: People) -> None:
    people = toy(baseline, SP16=60.0)
    allotment = people.allot({})
    assert fte(people, "dual_appointments") == pytest.approx(10, abs=0.05)
    assert allotment.posts.vacant > 0
    begin, end = allotment.posts.begin, allotment.posts.end
    assert max(((begin <= day) & (end > day)).sum() for day in begin[begin >= 0]) == 50


def test_a_platform_moves_its_people_and_brings_further_time(baseline: People) -> None:
    """Two persons from day 0 of 2026: 2 × (0.5 + 0.2) = 1.4 FTE, half of it research; 10 + 0.4 - 0.7 for requests.

    In 2025 nobody may begin what would still run in 2026: 9.7 as well; 0.3 stand by.
    """
    day = baseline.horizon.edges[1]
    people = replace(toy(baseline), platforms=((day, 0, 2.0),))
    assert [fte(people, "platforms", y) for y in (2025, 2026)] == pytest.approx([0, 0.7])
    assert [fte(people, "services", y) for y in (2025, 2026)] == pytest.approx([9.7, 9.7])
    allotment = people.allot({})
    idle = (allotment.available - allotment.allotted.sum(axis=1))[0] / people.person_hours(np.array(YEAR))
    assert idle == pytest.approx([0.3, 0, 0], abs=1e-9)


def test_an_assigned_industry_brings_further_staff_when_it_is_ready(baseline: People) -> None:
    people = replace(toy(baseline, SP13=0.1, SP15=12.0), leads={0: 2})
    assert [fte(people, "services", y) for y in (2025, 2027)] == pytest.approx([10, 12], abs=0.01)


def test_claims_above_what_teachers_may_give_are_cut_alike(baseline: People) -> None:
    """Twenty FTE claimed, ten allowed: five for firms, five to teach, of which two for visits."""
    people = toy(baseline, PE02=0.1)
    assert [fte(people, a) for a in ("services", "training", "visiting_engineers")] == pytest.approx([5, 3, 2])


def test_further_person_years_go_where_they_are_added(baseline: People) -> None:
    more = toy(baseline).allot({"more/person_years/other_college": 3.0}).allotted - toy(baseline).allotted
    gained = dict(zip(ACTIVITIES, more[0, :, 1] / baseline.person_hours(np.array(YEAR)), strict=True))
    wanted = dict.fromkeys(ACTIVITIES, 0.0) | dict.fromkeys(("services", "training", "patents"), 3.0)
    assert gained == pytest.approx(wanted)
    assert not (toy(baseline).allot({"more/person_years/research": 3.0}).allotted - toy(baseline).allotted).any()


CORNERS: list[dict[str, float]] = [
    {},
    {"SP16": 55.0},
    {"SP03": 0.02, "SP04": 0.1, "SP16": 55.0, "PE03": 0.4},
    {"PE04": 0.0, "PE05": 0.3, "SP03": 0.02, "SP04": 0.1},
    {"PE04": 0.3, "PE05": 0.8, "SP13": 0.25, "SP15": 3.0},
    {"PP09": 0.25, "PP10": 60000.0, "PE06": 150.0},
    {"PP09": 0.0, "PE06": 600.0, "PE07": 12.0},
    {"more/service_teams/330100": 20.0, "more/person_years/research": 5.0},
]


@pytest.mark.parametrize("values", CORNERS, ids=str)
def test_nobody_works_twice_at_any_design_point(scenario: Any, values: dict[str, float]) -> None:
    leads = pd.DataFrame({"industry_id": ["C01", "C02", "C03"], "moe_code": ["10335", "10335", "10337"]})
    small = [("16408", "2026-03-01", 1), ("16408", "2027-02-01", 1), ("10335", "2025-06-01", 9)]
    people = people_data(scenario, {"lead_assignments": leads, **platform_plan(*small)})
    allotment = people.allot(values)
    assert (allotment.allotted >= 0).all()
    assert (allotment.allotted.sum(axis=1) <= allotment.available + 1e-6).all()
    assert allotment.allotted[:, ACTIVITIES.index("platforms")].sum() > 0


def test_the_baseline_counts_every_teacher_once(scenario: Any, baseline: People) -> None:
    staff, providers = scenario.table("institution_staff"), scenario.table("training_providers")
    assert len(baseline.institutions) == 109
    assert baseline.trainers.sum() == 15_100
    of_providers = baseline.trainers > 0
    assert (baseline.teachers[of_providers] == baseline.trainers[of_providers]).all()
    assert (baseline.members <= baseline.teachers).all()
    assert set(staff.loc[staff["basis"] != "synthetic", "moe_code"]) <= set(providers["moe_code"])
    known = providers.set_index("moe_code")["teachers_basis"]
    assert all(known.get(r.moe_code, "synthetic") == r.basis for r in staff.itertuples())
    assert method.institution_staff(scenario.tables).equals(staff)
    assert registries.STAFF_CLASSES == STAFF_CLASSES
    assert pickle.loads(pickle.dumps(baseline)).base_hours() == baseline.base_hours()


def test_paths_by_hand() -> None:
    """Two institutions over ten days: the first 3, from day 4 on 5, on day 6 to 2; the second 1, all its time."""
    steps = joined(
        (np.array([0.0, 0.0]), np.array([0, 1]), np.array([3.0, 1.0])),
        (np.array([4.0, -2.0]), np.array([0, 1]), np.array([2.0, 0.0])),
        minus((np.array([6.0]), np.array([0]), np.array([3.0]))),
    )
    edges = np.array([0.0, 5.0, 10.0])
    assert by_year(steps, 2, edges).tolist() == [[17, 13], [5, 5]]
    assert least(steps, 2, 10.0).tolist() == [2, 1]
    assert [x.tolist() for x in rising(steps, 2, 10.0)] == [[0, 0], [0, 1], [2, 1]]
    late = joined(steps, (np.array([8.0, 10.0]), np.array([0, 1]), np.array([4.0, -1.0])))
    assert [x.tolist() for x in rising(late, 2, 10.0)] == [[0, 8, 0], [0, 0, 1], [2, 4, 1]]
    assert rising((np.zeros(1), np.zeros(1, dtype=int), np.array([-1.0])), 1, 9.0)[2].tolist() == [0]


def test_posts_go_round_by_teams_and_not_beyond_what_is_free(baseline: People) -> None:
    shares, term = [6.0, 3.0, 1.0], 2 * DAYS_PER_YEAR
    most = np.array([1000, 1000, 1000])
    posts = appointments(baseline.horizon, [100.0], term, [[0, 1, 2]], [shares], most)
    there = np.bincount(posts.institution)
    assert there / there.sum() == pytest.approx([0.6, 0.3, 0.1], abs=0.005)
    assert np.diff(posts.begin) == pytest.approx(np.full(len(posts.begin) - 1, DAYS_PER_YEAR / 100))
    few = appointments(baseline.horizon, [100.0], term, [[0, 1, 2]], [shares], np.array([1000, 7, 0]))
    assert few.vacant == len(posts.begin) - len(few.begin)
    assert set(few.institution.tolist()) == {0, 1}
    own = few.begin[few.institution == 1]
    assert max(((own <= d) & (own + term > d)).sum() for d in own) == 7
    other = few.begin[few.institution == 0]
    assert np.array_equal(other, posts.begin[posts.institution == 0]), "who is not held up is left as he was"


def test_another_city_leaves_the_posts_of_the_others_alone(baseline: People) -> None:
    most = np.full(2, 50)
    one = appointments(baseline.horizon, [9.0], 730.0, [[0, 1]], [[2.0, 1.0]], most)
    two = appointments(baseline.horizon, [9.0, 4.0], 730.0, [[0, 1], [1]], [[2.0, 1.0], [1.0]], most)
    of_first = two.city == 0
    assert np.array_equal(one.begin, two.begin[of_first])
    assert np.array_equal(one.institution, two.institution[of_first])
