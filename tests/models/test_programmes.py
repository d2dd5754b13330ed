"""Programmes: dates by hand, Poisson and binomial probabilities in closed form, stability."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import zjsim.scenarios
from numpy.typing import NDArray
from scipy import stats
from zjsim.models.process_tools import ParameterSet
from zjsim.models.programmes import (
    BY_COUNTY,
    OUTCOMES,
    Programme,
    ProgrammeData,
    batches,
    diffusion,
    milestone,
    pipeline,
    programmes_data,
    simulate_programmes,
    start_pace,
    uncertain_inputs,
)

from zjsim.scenario.parameters import Time
from zjsim.simulate.inputs import UncertainInput, base_values
from zjsim.simulate.streams import Streams
from zjsim.tables.reader import read_table
from zjsim.tables.registries import REGISTRIES

FOLDER = Path(next(iter(zjsim.scenarios.__path__))) / "baseline" / "registries"
NAMES = (
    "programmes",
    "programme_batches",
    "programme_parameters",
    "sibling_rule",
    "points_rule",
    "process_parameters",
    "counties",
)


@pytest.fixture(scope="module")
def baseline() -> ProgrammeData:
    tables = {name: read_table(FOLDER / f"{name}.csv", REGISTRIES[name]) for name in NAMES}
    world = SimpleNamespace(table=tables.__getitem__, parameters=SimpleNamespace(time=Time()))
    return programmes_data(world, {})  # type: ignore[arg-type]


def programme(data: ProgrammeData, programme_id: str) -> Programme:
    return next(p for p in data.programmes if p.programme_id == programme_id)


def constants(data: ProgrammeData, **values: float) -> ProgrammeData:
    """``data`` without spread between projects, some parameters set."""
    inputs = {
        i: UncertainInput(i, m, m, m, "constant", p.unit, "assumption", p.name_zh, p.name_en)
        for i, p in data.parameters.inputs.items()
        for m in [values.get(i, p.mode)]
    }
    return replace(data, parameters=ParameterSet(inputs))


class Even(Streams):
    """Streams whose numbers are evenly spread: n numbers are 0.5/n, 1.5/n, …; a single one is 0.5."""

    def uniforms(self, process: str, entity: str, year: int | str, n: int, what: str = "") -> NDArray[np.float64]:
        """The even numbers, whatever the name."""
        return (np.arange(n) + 0.5) / n if n else np.zeros(0)


def test_nothing_started_after_the_as_of_date_opens_before_its_set_up_time(baseline: ProgrammeData) -> None:
    """Set-up of exactly two years: what opens in 2025 and 2026 was started in 2023 and 2024."""
    data = constants(baseline, PP59=24.0, PP61=0.0, PP62=0.0, PP60=6.0)
    silk_road = programme(data, "silk_road")
    opened, closed = pipeline(data, silk_road, {}, Streams(1, 0))
    assert len(opened) > 0
    assert not np.isfinite(closed).any()
    earlier = replace(data, horizon=replace(data.horizon, years=(2025, 2026), edges=(0.0, 365.0, 730.0)))
    assert np.array_equal(pipeline(earlier, silk_road, {}, Streams(1, 0))[0], opened[opened < 730.0])
    slower, _ = pipeline(constants(baseline, PP59=60.0, PP61=0.0, PP62=0.0, PP60=6.0), silk_road, {}, Streams(1, 0))
    begun = sorted(slower - 60 * 365.25 / 12)
    assert max(begun) < -365.25  # three years of horizon, five years of set-up: all begun before 2023


def test_projects_by_hand(baseline: ProgrammeData) -> None:
    """Two starts a year (numbers 1/16 … 15/16 in rows of four), one year of set-up, counted from 2024-01-11."""
    data = constants(baseline, PP59=12.0, PP61=0.0, PP62=0.0, PP60=2.0)
    opened, _ = pipeline(data, replace(programme(data, "silk_road"), stock=0), {}, Even(1, 0))
    first = [
        data.horizon.year_start(y) + share * (365 + (y % 4 == 0))
        for y in range(2022, 2027)
        for share in (1 / 16, 9 / 16)
    ]
    expected = [day + 365.25 for day in first if day + 365.25 > data.horizon.day(date(2024, 1, 11))]
    assert np.sort(opened) == pytest.approx([day for day in expected if day < data.horizon.end])


def test_the_starts_replace_failures_and_past_closures(baseline: ProgrammeData) -> None:
    values = base_values(uncertain_inputs(baseline))
    assert start_pace(baseline, programme(baseline, "silk_road"), values) == pytest.approx((4.9 + 0.03 * 19.5) / 0.85)
    platforms = programme(baseline, "joint_platforms")
    assert start_pace(baseline, platforms, values) == pytest.approx((16.2 + 0.03 * 1622) / 0.85)


def test_seventy_silk_road_colleges_ever_opened_is_a_poisson_tail(baseline: ProgrammeData) -> None:
    """39 in January 2024; 31 more are needed. Openings in four years are Poisson(thinned starts × years)."""
    values = base_values(uncertain_inputs(baseline))
    silk_road = programme(baseline, "silk_road")
    years = (date(2027, 12, 31) - date(2024, 1, 11)).days / 365.25 + 1 / 365.25
    mean = (4.9 + 0.03 * 19.5) * years
    runs = 2500
    opened = np.array([len(pipeline(baseline, silk_road, values, Streams(8, n))[0]) for n in range(runs)])
    assert opened.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / runs) + 0.05)
    for more in (11, 22, 31):
        p = float(stats.poisson.sf(more - 1, mean))
        assert (opened >= more).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / runs) + 0.004)


def test_reach_is_binomial_where_the_number_of_starts_is_given(baseline: ProgrammeData) -> None:
    """Of the projects under way each opens with chance 0.85: the count is binomial (mean, variance)."""
    data = constants(baseline, PP59=24.0, PP61=0.15, PP62=0.0, PP60=34.0 * 0.85)
    silk_road = replace(programme(data, "silk_road"), stock=0)
    counts = []
    for n in range(400):
        started = pipeline(constants(data, PP61=0.0, PP60=34.0, PP59=24.0, PP62=0.0), silk_road, {}, Streams(5, n))[0]
        opened = pipeline(data, silk_road, {}, Streams(5, n))[0]
        assert set(np.round(opened, 6)) <= set(np.round(started, 6))
        counts.append((len(started), len(opened)))
    started, opened = np.array(counts).T
    residual = opened - 0.85 * started
    error = np.sqrt(0.85 * 0.15 * started.mean() / 400)
    assert residual.mean() == pytest.approx(0.0, abs=4 * error)
    assert residual.var() == pytest.approx(0.85 * 0.15 * started.mean(), rel=0.35)


def test_operating_colleges_follow_the_closing_law(baseline: ProgrammeData) -> None:
    """Mean level after T years: stock × exp(-hT) + openings a year × (1 - exp(-hT)) / h."""
    values = base_values(uncertain_inputs(baseline)) | {"PP62": 0.08}
    years = ((date(2028, 1, 1) - date(2024, 1, 11)).days) / 365.25
    gross, hazard = 4.9 + 0.08 * 19.5, 0.08
    mean = 39 * np.exp(-hazard * years) + gross * (1 - np.exp(-hazard * years)) / hazard
    data = replace(baseline, programmes=(programme(baseline, "silk_road"),))
    level = [simulate_programmes(data, values, Streams(6, n))["silk_road_operating"][-1] for n in range(800)]
    assert np.mean(level) == pytest.approx(mean, abs=4 * np.std(level) / np.sqrt(800) + 0.05)


def test_platforms_opened_against_the_target_is_a_poisson_tail(baseline: ProgrammeData) -> None:
    values = base_values(uncertain_inputs(baseline))
    platforms = programme(baseline, "joint_platforms")
    mean = (16.2 + 0.03 * 1622) * 1095 / 365.25
    runs = 500
    opened = np.array([(pipeline(baseline, platforms, values, Streams(2, n))[0] >= 0).sum() for n in range(runs)])
    p = float(stats.poisson.sf(199, mean))
    assert (opened >= 200).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / runs) + 0.02)


def test_batches_come_on_schedule(baseline: ProgrammeData) -> None:
    data = constants(baseline, PP65=18.0, PP67=14.0, GP10=6.0, PP66=20.0, GP08=2.0, GP09=7.0)
    month = 365.25 / 12
    colleges = batches(data, programme(data, "industry_colleges"), {}, Streams(1, 0))
    called = data.horizon.day(date(2025, 4, 7))
    assert colleges == pytest.approx(np.repeat([called + 6 * month, called + 24 * month], 20))
    national = batches(data, programme(data, "national_consortia"), {}, Streams(1, 0))
    last = data.horizon.day(date(2024, 11, 13))
    assert national == pytest.approx(np.repeat([last + 14 * month, last + 28 * month], 2))
    centres = batches(data, programme(data, "practice_centres"), {}, Even(1, 0))
    first = 0.5 / 50 * 18 * month  # nothing is known: the first batch falls anywhere within an interval
    assert centres == pytest.approx(np.repeat([first, first + 18 * month], 7))


def test_the_number_of_batches_is_that_of_a_grid_with_a_random_phase(baseline: ProgrammeData) -> None:
    data = constants(baseline, PP65=18.0, GP09=1.0)
    centres = programme(data, "practice_centres")
    counts = [len(batches(data, centres, {}, Streams(1, n))) for n in range(600)]
    assert set(counts) <= {1, 2}  # 1,095 days are a little less than 36 mean months
    assert np.mean(counts) == pytest.approx(1095 / 18 / (365.25 / 12), abs=0.02)


def test_the_ai_college_opens_once_or_not(baseline: ProgrammeData) -> None:
    data = constants(baseline, GP12=18.0, GP13=0.0)
    college = programme(data, "ai_college")
    assert milestone(data, college, {}, Streams(1, 0)) == pytest.approx([18 * 365.25 / 12])
    assert len(milestone(constants(baseline, GP12=40.0, GP13=0.0), college, {}, Streams(1, 0))) == 0
    assert len(milestone(constants(baseline, GP12=18.0, GP13=1.0), college, {}, Streams(1, 0))) == 0
    found = simulate_programmes(data, {}, Streams(1, 0))["ai_college_opened"]
    assert found.tolist() == [0.0, 1.0, 0.0]


def test_counties_adopt_binomially_and_keep_the_rule(baseline: ProgrammeData) -> None:
    data = constants(baseline, GP14=0.9, GP15=0.0)
    rule = programme(data, "sibling_rule")
    start = sum(state for _, _, state in data.counties)
    missing = len(data.counties) - start
    runs = np.array([diffusion(data, rule, {}, Streams(3, n)).sum(axis=0) for n in range(200)])
    assert (np.diff(runs, axis=1) >= 0).all()
    assert runs[:, 0].mean() == pytest.approx(start + 0.9 * missing, abs=4 * np.sqrt(0.09 * missing / 200))
    assert runs[:, 2].mean() == pytest.approx(90 - missing * 0.001, abs=0.1)
    assert (diffusion(constants(baseline, GP14=1.0), rule, {}, Streams(3, 0)).sum(axis=0) == 90).all()


def test_neighbours_pull(baseline: ProgrammeData) -> None:
    counties = (("330102", "330100", True), ("330105", "330100", False), ("330203", "330200", False))
    data = replace(constants(baseline, GP14=0.0, GP15=1.0), counties=counties)
    adopted = [diffusion(data, programme(data, "sibling_rule"), {}, Streams(1, n)).sum(axis=0)[0] for n in range(300)]
    assert set(adopted) == {1.0, 2.0}  # the lone county of the other city has nobody to follow
    assert np.mean(adopted) == pytest.approx(1.5, abs=0.12)


def test_another_programme_or_county_leaves_the_others_alone(baseline: ProgrammeData) -> None:
    values = base_values(uncertain_inputs(baseline))
    extra = replace(
        programme(baseline, "silk_road"),
        programme_id="zz_other",
        outcome_new="kindergartens_opened",
        outcomes_level=(),
        outcome_ever="",
    )
    larger = replace(
        baseline,
        programmes=(*baseline.programmes, extra),
        counties=(*baseline.counties, ("339901", "339900", True)),
        rules={name: (*states, True) for name, states in baseline.rules.items()},
    )
    one, two = (simulate_programmes(d, values, Streams(1, 4)) for d in (baseline, larger))
    for name in OUTCOMES:
        if name in BY_COUNTY:
            assert np.array_equal(one[name] + 1, two[name])
        elif name != "kindergartens_opened":
            assert np.array_equal(one[name], two[name])


def test_outcomes_pickling_and_roles(baseline: ProgrammeData) -> None:
    values = base_values(uncertain_inputs(baseline))
    one = simulate_programmes(baseline, values, Streams(4, 2))
    two = simulate_programmes(pickle.loads(pickle.dumps(baseline)), values, Streams(4, 2))
    assert [n for n in one if "/" not in n] == list(OUTCOMES)
    assert all(np.array_equal(one[name], two[name]) for name in OUTCOMES)
    assert "PP57" not in {i.input_id for i in uncertain_inputs(baseline)}
    assert one["silk_road_ever_opened"][-1] >= one["silk_road_operating"][-1]
    assert one["consortia_with_national"][0] >= one["consortia_provincial"][0] + 3
