"""Enterprise service: traces by hand, the order of the queue, conservation, probabilities in closed form, stability."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import zjsim.scenarios
from zjsim.models.enterprise_service import (
    OUTCOMES,
    Desk,
    ServiceData,
    enterprise_service_data,
    first_days,
    serve,
    simulate_enterprise_service,
    uncertain_inputs,
)
from zjsim.models.people import People
from zjsim.models.process_tools import ParameterSet, parameter_set
from zjsim.models.service_data import FirmGroup
from zjsim.models.service_requests import LINKS, Requests, draw_requests

from zjsim.scenario.parameters import Time
from zjsim.simulate.inputs import UncertainInput, base_values
from zjsim.simulate.streams import Streams
from zjsim.tables.errors import InputErrors
from zjsim.tables.reader import read_table
from zjsim.tables.registries import REGISTRIES

FOLDER = Path(next(iter(zjsim.scenarios.__path__))) / "baseline" / "registries"
NAMES = (
    *("enterprises", "firm_classes", "service_teams", "team_deployment", "service_parameters", "process_parameters"),
    *("industry_places", "monthly_indices", "counties"),
    *("institution_staff", "people_parameters", "patent_parameters", "patents", "training_providers"),
)


@pytest.fixture(scope="module")
def scenario() -> SimpleNamespace:
    tables = {name: read_table(FOLDER / f"{name}.csv", REGISTRIES[name]) for name in NAMES}
    return SimpleNamespace(table=tables.__getitem__, parameters=SimpleNamespace(time=Time()), tables=tables)


@pytest.fixture(scope="module")
def baseline(scenario: SimpleNamespace) -> ServiceData:
    return enterprise_service_data(scenario, {})


def constants(data: ServiceData | People, **values: float) -> ParameterSet:
    """The parameters of ``data`` without spread between entities, some of them set."""
    return ParameterSet(
        {
            i: UncertainInput(i, m, m, m, "constant", p.unit, "assumption", p.name_zh, p.name_en)
            for i, p in data.parameters.inputs.items()
            for m in [values.get(i, p.mode)]
        }
    )


def toy(baseline: ServiceData, teams: int = 1, assigned: tuple[tuple[int, ...], ...] = ((),)) -> ServiceData:
    """One city, two institutions that serve it (the second with one team), one industry; a team is one FTE."""
    people = replace(
        baseline.people,
        parameters=constants(baseline.people, SP04=1.0, SP13=0.0, SP16=0.0),
        institutions=("a", "b"),
        classes=("research", "other_college"),
        teachers=np.array([100.0, 100.0]),
        members=np.array([teams, 1.0]),
        trainers=np.zeros(2),
        officers=np.zeros(2),
        leads={},
        cities=("330100",),
        giants=(10,),
        area_of=((0, 1),),
        weight_of=((1.0, 1.0),),
    )
    return replace(
        baseline,
        parameters=constants(baseline, SP04=1.0),
        cities=("330100",),
        counties={"330100": 1},
        groups=(FirmGroup(0, "330100", "little_giant", 10, 0.0, 1, 0),),
        key_firms=10,
        institutions=("a", "b"),
        people=people,
        area_of=((0, 1),),
        weight_of=((1.0, 1.0),),
        cities_of=((0,), (0,)),
        industries=("C01",),
        mix_of=(((0, 1),),),
        heritage_mix_of=((),),
        assigned=assigned,
    )


def asks(*rows: tuple[float, int, float, float, float, int], industry: int = -1) -> Requests:
    """Requests as (day, priority, length, load, patience, institution asked first), without repeats."""
    day, rank, length, load, patience, asked = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    none = np.zeros(0)
    return Requests(
        firsts=n,
        city=np.zeros(n, dtype=int),
        priority=rank,
        key_firm=np.arange(n),
        industry=np.full(n, industry),
        asked=asked,
        kind=np.zeros(n, dtype=int),
        length_days=length,
        load_fte=load,
        patience_days=patience,
        delay_days=np.zeros(n),
        followed=np.zeros(n, dtype=bool),
        arrival_days=day,
        coming=np.argsort(day, kind="stable"),
        running=none.astype(int),
        running_until=none,
    )


def completions(data: ServiceData, requests: Requests) -> dict[int, float]:
    return {request: day for day, request in serve(data, requests, {}).completed}


def one_institution(baseline: ServiceData) -> ServiceData:
    return replace(toy(baseline), area_of=((0,),), weight_of=((1.0,),), cities_of=((0,), ()))


def test_key_firms_go_before_others_and_equals_in_order_of_coming(baseline: ServiceData) -> None:
    requests = asks(
        (0.0, 3, 10.0, 1.0, 99.0, 0),
        (1.0, 3, 5.0, 1.0, 99.0, 0),
        (2.0, 1, 4.0, 1.0, 99.0, 0),
        (3.0, 2, 3.0, 1.0, 99.0, 0),
        (4.0, 1, 2.0, 1.0, 99.0, 0),
    )
    assert completions(one_institution(baseline), requests) == {0: 10.0, 2: 14.0, 4: 16.0, 3: 19.0, 1: 24.0}


def test_who_waits_longer_than_his_patience_leaves(baseline: ServiceData) -> None:
    requests = asks((0.0, 1, 10.0, 1.0, 9.0, 0), (1.0, 1, 5.0, 1.0, 8.0, 0), (2.0, 1, 5.0, 1.0, 8.5, 0))
    desk = serve(one_institution(baseline), requests, {})
    assert desk.completed == [(10.0, 0), (15.0, 2)]  # request 1 left on day 9


def test_nobody_overtakes_the_head_of_the_queue(baseline: ServiceData) -> None:
    data = one_institution(toy(baseline))
    data = replace(data, people=replace(data.people, members=np.array([2.0, 1.0])))
    requests = asks((0.0, 1, 10.0, 1.5, 99.0, 0), (1.0, 1, 5.0, 1.0, 99.0, 0), (2.0, 1, 5.0, 0.5, 99.0, 0))
    assert completions(data, requests) == {0: 10.0, 1: 15.0, 2: 15.0}  # 0.5 was free on day 2, but 1 stood first


def test_a_request_too_large_for_all_who_serve_the_city_is_refused(baseline: ServiceData) -> None:
    desk = serve(toy(baseline), asks((0.0, 1, 1.0, 1.5, 99.0, 0), (1.0, 1, 1.0, 1.0, 99.0, 0)), {})
    assert desk.refused == 1
    assert desk.completed == [(2.0, 1)]


def test_the_institution_asked_is_tried_first_then_the_next(baseline: ServiceData) -> None:
    rows = [(float(day), 1, 10.0, 1.0, 99.0, 1) for day in range(3)]
    desk = serve(toy(baseline), asks(*rows), {})
    assert [round(d) for d, _ in desk.completed] == [10, 11, 20]
    assert [r for _, r in desk.completed] == [0, 1, 2]


def test_the_assigned_institution_comes_first_whoever_is_asked(baseline: ServiceData) -> None:
    requests = asks((0.0, 1, 10.0, 0.6, 99.0, 0), industry=0)
    for assigned, taken in ((((),), 0), (((1,),), 1)):
        desk = serve(toy(baseline, assigned=assigned), replace(requests, length_days=np.array([1e9])), {})
        assert desk.free[taken] == pytest.approx(0.4)
        assert desk.free[1 - taken] == 1.0


def test_further_staff_of_a_lead_serves_the_queue_when_it_is_ready(baseline: ServiceData) -> None:
    data = one_institution(baseline)
    parameters = constants(baseline.people, SP04=1, SP13=1, SP15=1, SP16=0)
    data = replace(data, people=replace(data.people, leads={0: 1}, parameters=parameters))
    requests = asks((0.0, 1, 100.0, 1.0, 99.0, 0), (1.0, 1, 5.0, 1.0, 99.0, 0))
    assert completions(data, requests)[1] == pytest.approx(365.25 / 12 + 5)


def test_services_under_way_hold_their_team_and_count_when_completed(baseline: ServiceData) -> None:
    requests = asks((0.0, 1, 7.0, 1.0, 99.0, 0), (1.0, 1, 5.0, 1.0, 99.0, 0))
    requests = replace(requests, coming=np.array([1]), running=np.array([0]), running_until=np.array([20.0]))
    assert completions(one_institution(baseline), requests) == {0: 20.0, 1: 25.0}


def test_a_completed_service_is_followed_by_its_repeat(baseline: ServiceData) -> None:
    first = asks((0.0, 1, 7.0, 1.0, 99.0, 0), (np.nan, 1, 3.0, 1.0, 99.0, 0))
    chain = replace(
        first,
        firsts=1,
        coming=np.array([0]),
        followed=np.array([True, False]),
        delay_days=np.array([0.0, 30.0]),
        key_firm=np.array([4, 4]),
    )
    desk = serve(one_institution(baseline), chain, {})
    assert desk.completed == [(7.0, 0), (40.0, 1)]
    first = first_days(10, chain.key_firm[desk.completed_requests()], desk.completed_days())
    assert first[np.isfinite(first)].tolist() == [7.0]


def still_busy(desk: Desk) -> list[float]:
    return [c - f for c, f in zip(desk.capacity, desk.free, strict=True)]


def test_no_request_and_no_staff_time_is_lost(baseline: ServiceData) -> None:
    values = base_values(uncertain_inputs(baseline)) | {"SP03": 0.02}
    streams = Streams(1, 0)
    requests = draw_requests(baseline, values, streams)
    desk = serve(baseline, requests, values)
    waiting = {r for queue in desk.queues for _, _, r in queue}
    done = {r for _, r in desk.completed}
    assert len(done) == len(desk.completed)
    assert done <= set(desk.arrived) | set(requests.running.tolist())
    assert not waiting & done
    assert waiting <= set(desk.arrived)
    assert max(f - c for f, c in zip(desk.free, desk.capacity, strict=True)) < 1e-9
    assert sum(still_busy(desk)) > 0
    assert len(desk.arrived) > len(done)  # capacity is short at this point: some waited and left


def test_everybody_is_served_where_capacity_is_ample(baseline: ServiceData) -> None:
    values = base_values(uncertain_inputs(baseline)) | {"SP03": 10.0}
    requests = draw_requests(baseline, values, Streams(1, 0))
    desk = serve(baseline, requests, values)
    assert not any(desk.queues)
    assert desk.refused == 0


def test_firms_contacted_follow_the_poisson_law(baseline: ServiceData) -> None:
    """A firm with rate r over three years has asked with probability 1 - exp(-3 r); no repeats, posts, growth, past."""
    giants = next(g for g in baseline.groups if g.firm_class == "little_giant")
    group = replace(giants, firms=2000, requests_per_firm_year=0.2, first_key_firm=0)
    parameters = constants(baseline, PP33=0.0, SP11=0.0, PP24=1e-6, PP32b=0.0, PP32c=0.0)
    people = replace(baseline.people, parameters=constants(baseline.people, SP16=0.0))
    data = replace(baseline, groups=(group,), key_firms=2000, parameters=parameters, people=people)
    contacted = [simulate_enterprise_service(data, {}, Streams(7, n))["key_firms_contacted"].sum() for n in range(20)]
    p = 1 - np.exp(-0.6)
    error = np.sqrt(2000 * p * (1 - p) / 20)
    assert np.mean(contacted) == pytest.approx(2000 * p, abs=4 * error)


def test_yearly_requests_are_poisson_with_the_registry_mean(baseline: ServiceData) -> None:
    values = base_values(uncertain_inputs(baseline))
    counts = []
    for n in range(20):
        requests = draw_requests(baseline, values, Streams(3, n))
        first = requests.arrival_days[: requests.firsts]
        counts.append(baseline.horizon.per_year(first[first >= 0]))
    mean = sum(g.firms * g.requests_per_firm_year for g in baseline.groups)
    expected = [mean * (1 + values["SP11"]) ** k for k in (1, 2, 3)]
    assert np.mean(counts, axis=0) == pytest.approx(expected, abs=4 * np.sqrt(expected[2] / 20))


def test_another_city_leaves_the_requests_and_services_of_the_others_alone(baseline: ServiceData) -> None:
    values = base_values(uncertain_inputs(baseline)) | {"SP03": 0.02}
    new = FirmGroup(len(baseline.cities), "339900", "other", 300, 1.0, 3, -1)
    p, alone = baseline.people, len(baseline.institutions)
    people = replace(
        p,
        institutions=(*p.institutions, "99999"),
        classes=(*p.classes, "other_college"),
        teachers=np.append(p.teachers, 100.0),
        members=np.append(p.members, 9.0),
        trainers=np.append(p.trainers, 0.0),
        officers=np.append(p.officers, 0.0),
        cities=(*p.cities, "339900"),
        giants=(*p.giants, 7),
        area_of=(*p.area_of, (alone,)),
        weight_of=(*p.weight_of, (1.0,)),
    )
    larger = replace(
        baseline,
        cities=(*baseline.cities, "339900"),
        groups=(*baseline.groups, new),
        institutions=(*baseline.institutions, "99999"),
        people=people,
        area_of=(*baseline.area_of, (alone,)),
        weight_of=(*baseline.weight_of, (1.0,)),
        cities_of=(*baseline.cities_of, (len(baseline.cities),)),
        mix_of=(*baseline.mix_of, ()),
        heritage_mix_of=(*baseline.heritage_mix_of, ()),
    )
    days = []
    for data in (baseline, larger):
        requests = draw_requests(data, values, Streams(5, 1))
        desk = serve(data, requests, values)
        days.append([day for day, r in desk.completed if requests.city[r] < len(baseline.cities)])
    assert days[0] == days[1]


def test_more_teams_never_mean_fewer_services_on_average(baseline: ServiceData) -> None:
    values = base_values(uncertain_inputs(baseline))
    totals = []
    for share in (0.01, 0.02, 0.04):
        point = values | {"SP03": share}
        runs = [simulate_enterprise_service(baseline, point, Streams(9, n))["services_completed"] for n in range(2)]
        totals.append(np.mean(runs))
    assert totals[0] < totals[1] < totals[2]


def plan_tables() -> dict[str, pd.DataFrame]:
    codes = ["10335", "10337", "10338"] * 5
    leads = pd.DataFrame({"industry_id": [f"C{n:02d}" for n in range(1, 16)], "moe_code": codes})
    pairs = pd.DataFrame({"industry_id": ["H01", "H01", "H02"], "moe_code": ["10341", "12864", "10338"]})
    return {"lead_assignments": leads, "heritage_pairs": pairs}


def test_a_plan_brings_further_requests_and_leaves_the_others_as_they_are(
    scenario: SimpleNamespace, baseline: ServiceData
) -> None:
    planned = enterprise_service_data(scenario, plan_tables())
    values = base_values(uncertain_inputs(baseline))
    without, with_plan = (draw_requests(d, values, Streams(2, 0)) for d in (baseline, planned))
    first = without.arrival_days[: without.firsts]
    assert set(first) < set(with_plan.arrival_days[: with_plan.firsts])
    runs = [simulate_enterprise_service(d, values, Streams(2, 0)) for d in (baseline, planned)]
    services = [run["services_completed"] for run in runs]
    assert services[1].sum() > services[0].sum()
    h01 = planned.industries.index("H01")
    assert [planned.institutions[i] for i in planned.assigned[h01]] == ["10341", "12864"]
    city = planned.cities.index("331100")  # tea of 松阳 and 遂昌: both institutions now serve 丽水
    assert set(planned.assigned[h01]) <= set(planned.area_of[city])


def test_outcomes_uncertain_inputs_and_pickling(baseline: ServiceData) -> None:
    copy = pickle.loads(pickle.dumps(baseline))
    values = base_values(uncertain_inputs(baseline))
    one, two = (simulate_enterprise_service(d, values, Streams(4, 2)) for d in (baseline, copy))
    assert [n for n in one if "/" not in n] == list(OUTCOMES)
    for name in OUTCOMES:
        assert one[name].shape == (3,)
        assert np.array_equal(one[name], two[name])
    assert (one["key_firms_served"].cumsum() <= one["key_firms_contacted"].cumsum() + 1e-9).all()
    assert (one["services_with_outreach"] > one["services_completed"]).all()
    ids = [i.input_id for i in uncertain_inputs(baseline)]
    assert "PP35" not in ids
    assert "PP29" not in ids  # two years, as published
    assert {"SP03", "SP06", "PP24", "PE03", "PE04", "PE05"} <= set(ids)


def test_a_required_pace_is_refused_as_an_input(scenario: SimpleNamespace) -> None:
    with pytest.raises(InputErrors, match="PP35 has role required_pace"):
        parameter_set([scenario.table("process_parameters")], ["PP35"])


def test_chains_have_the_chance_of_a_repeat(baseline: ServiceData) -> None:
    values = base_values(uncertain_inputs(baseline))
    requests = draw_requests(baseline, values, Streams(6, 0))
    followed = requests.followed.reshape(LINKS, requests.firsts)
    error = np.sqrt(0.24 / requests.firsts)
    assert followed[0].mean() == pytest.approx(0.4, abs=4 * error)
    assert followed[1][followed[0]].mean() == pytest.approx(0.4, abs=7 * error)
    assert not followed[-1].any()
