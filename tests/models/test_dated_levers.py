"""Levers act from a day on: nothing before it changes, and after it the number is what it was moved to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from zjsim.models.dated_levers import OFFICERS_SCALE, REACHES, added_up, days_of, moved, phases
from zjsim.models.people_path import by_year, changed_at
from zjsim.models.people_posts import appointments
from zjsim.models.process_tools import Horizon
from zjsim.models.processes import processes_of
from zjsim.models.programme_data import programmes_data
from zjsim.models.programmes import openings, projects, simulate_programmes
from zjsim.models.training_supply import dual_share

from zjsim.scenario import Scenario, load
from zjsim.simulate.inputs import base_values
from zjsim.simulate.streams import Streams

HORIZON = Horizon(date(2025, 1, 1), (2025, 2026, 2027), (0.0, 365.0, 730.0, 1095.0))


def test_phases_hold_from_their_day_on() -> None:
    values = {"A": 1.0, "B": 2.0, **moved("A", 5.0, 100.0), **moved("B", 7.0, 400.0)}
    first, second, third = phases(values)
    assert [p[0] for p in (first, second, third)] == [-np.inf, 100.0, 400.0]
    assert first[1] == {"A": 1.0, "B": 2.0}
    assert (second[1]["A"], second[1]["B"], second[1]["before/A"]) == (5.0, 2.0, 1.0)
    assert (third[1]["A"], third[1]["B"]) == (5.0, 7.0)
    assert [d.tolist() for d in days_of([first, second, third], np.array([0.0, 365.0, 730.0]))] == [
        [100.0, 0.0], [265.0, 35.0], [0.0, 330.0],
    ]  # fmt: skip
    rate = added_up(values, np.array([0.0, 365.0, 730.0]), lambda own: np.array([own["A"]]))
    assert rate.tolist() == [[100 + 5 * 265, 5 * 365]]
    plain = {"A": 1.0}
    assert phases(plain) == [(-np.inf, plain)]
    with pytest.raises(ValueError, match="after the as-of date"):
        moved("A", 1.0, -1.0)


def test_a_path_changes_on_its_day() -> None:
    who = np.array([0, 1])
    before = (np.array([0.0, 50.0]), who, np.array([2.0, 1.0]))
    after = (np.array([0.0, 200.0]), who, np.array([5.0, 4.0]))
    found = by_year(changed_at(before, after, 100.0, 2), 2, np.array([0.0, 300.0]))
    assert found.tolist() == [[2.0 * 100 + 5.0 * 200], [1.0 * 50 + 0.0 * 100 + 4.0 * 100]]


def test_posts_are_filled_at_the_new_pace_from_the_day_on() -> None:
    area, weights, most = [(0,)], [(1.0,)], np.array([10**6])
    base = appointments(HORIZON, [10.0], 365.0, area, weights, most)
    more = appointments(HORIZON, [10.0], 365.0, area, weights, most, (365.0, [40.0]))
    assert base.begin[base.begin < 365].tolist() == more.begin[more.begin < 365].tolist()
    assert np.sum(more.begin >= 365) == pytest.approx(4 * np.sum(base.begin >= 365), abs=3)


def test_the_dual_share_grows_faster_in_years_that_begin_later() -> None:
    as_of = date(2024, 12, 31)
    own = {"TR31": 0.5, "TR32": 0.04, "before/TR32": 0.02, "since/TR32": 243.0}
    assert [dual_share(own, y, 2025, as_of) for y in (2025, 2026, 2027)] == pytest.approx([0.52, 0.56, 0.60])
    assert dual_share({"TR31": 0.5, "TR32": 0.02}, 2027, 2025, as_of) == pytest.approx(0.56)


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load("baseline")


def test_nothing_before_the_day_changes_and_a_higher_pace_keeps_the_projects(baseline: Scenario) -> None:
    data = programmes_data(baseline, {})
    silk = next(p for p in data.programmes if "silk_road_operating" in p.outcomes_level)
    data = replace(data, programmes=(silk,))
    day = data.horizon.day(date(2026, 1, 1))
    more, sooner = moved(silk.pace, 12.0, day), moved(silk.setup, 14.4, data.horizon.day(date(2025, 7, 1)))
    for replication in range(20):
        streams = Streams(3, replication)
        base, faster = list(projects(data, silk, {}, streams)), list(projects(data, silk, more, streams))
        for own, other in zip(base, faster, strict=True):
            assert own.start[own.start < day].tolist() == other.start[other.start < day].tolist()
            assert set(own.start.tolist()) <= set(other.start.tolist())
        early = openings(data, list(projects(data, silk, sooner, streams)), np.zeros(0))[0]
        before = openings(data, base, np.zeros(0))[0]
        assert np.sort(early[early < 181]).tolist() == np.sort(before[before < 181]).tolist()
        assert len(early) >= len(before)
        plain = simulate_programmes(data, {}, streams)["silk_road_operating"]
        both = simulate_programmes(data, more | sooner, streams)["silk_road_operating"]
        assert both[-1] >= simulate_programmes(data, more, streams)["silk_road_operating"][-1] - 2
        assert simulate_programmes(data, more, streams)["silk_road_operating"][0] == plain[0]
    assert silk.pace in REACHES
    assert OFFICERS_SCALE in REACHES


def test_a_pace_of_less_takes_projects_away(baseline: Scenario) -> None:
    data = programmes_data(baseline, {})
    silk = next(p for p in data.programmes if "silk_road_operating" in p.outcomes_level)
    none = moved(silk.pace, 0.0, 365.0)
    counts = np.array(
        [
            [sum(len(f.start) for f in projects(data, silk, v, Streams(3, r)) if f.year >= 2026) for v in ({}, none)]
            for r in range(20)
        ]
    )
    assert (counts[:, 1] <= counts[:, 0]).all()
    assert counts[:, 1].sum() < counts[:, 0].sum()


@pytest.mark.parametrize(
    ("process", "lever", "value", "outcome"),
    [
        ("training", "PP11", 600.0, "training_person_times_all"),
        ("training", "PP09", 0.0, "training_person_times_all"),
        ("training", "TR36", 0.3, "training_person_times_all"),
        ("enterprise_service", "SP03", 0.025, "services_completed"),
        ("enterprise_service", "SP04", 0.1, "services_completed"),
        ("enterprise_service", "SP16", 55.0, "services_completed"),
        ("patent_transfer", OFFICERS_SCALE, 0.2, "patents_transferred"),
    ],
)
def test_quarters_before_the_day_stay_as_they_are(
    baseline: Scenario, process: str, lever: str, value: float, outcome: str
) -> None:
    """The lever acts from July 2026: the six quarters before are the same to the last unit, later ones are not.

    Service is planned ahead (no team takes up what would still run when its people are promised elsewhere), so where
    less time is given later, less is taken up before: there the quarters are told apart only where time does not fall.
    """
    found = next(p for p in processes_of(baseline, {}) if p.name == process)
    day = float((date(2026, 7, 1) - found.first_day).days)
    base = base_values(found.inputs)
    plain, other = (
        found.simulate(found.data, base | v, Streams(2, 0))[f"quarterly/{outcome}"]
        for v in ({}, moved(lever, value, day))
    )
    if lever not in ("SP03", "SP04", "SP16"):
        assert plain[:6].tolist() == pytest.approx(other[:6].tolist())
    assert plain[6:].sum() != pytest.approx(other[6:].sum(), rel=1e-6)
