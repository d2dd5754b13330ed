"""What a location plan opens in the simulation: its starts replace the pace, its failures and delays stay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from zjsim.models.process_tools import DAYS_PER_MONTH, ParameterSet
from zjsim.models.programmes import (
    ProgrammeData,
    pipeline,
    programmes_data,
    simulate_programmes,
    start_pace,
    uncertain_inputs,
)

from zjsim.scenario import Scenario, load
from zjsim.simulate.inputs import UncertainInput, base_values
from zjsim.simulate.streams import Streams


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load("baseline")


def plan_of(**starts: list[str]) -> dict[str, pd.DataFrame]:
    """Plan tables with nothing but starts: kind → dates, and the programme each kind stands for."""
    homes = {
        "joint_platform": ("platform_plan", "joint_platforms"),
        "practice_centre": ("practice_centre_plan", "practice_centres"),
    }
    columns = (
        *("opening_id", "kind", "programme_id", "county_code", "city_code", "moe_code", "industry_id", "start_date"),
        *("open_date", "capacity", "capacity_unit", "served", "staff", "rooms", "setup_parameter", "failure_parameter"),
    )
    plan = {}
    for kind, dates in starts.items():
        name, programme = homes[kind]
        rows: list[dict[str, Any]] = [
            {"opening_id": f"X{n}", "kind": kind, "programme_id": programme, "start_date": d}
            for n, d in enumerate(dates)
        ]
        plan[name] = pd.DataFrame(rows, columns=columns)
    return plan


def constants(data: ProgrammeData, **values: float) -> ProgrammeData:
    """``data`` without spread between projects, some parameters set."""
    inputs = {
        i: UncertainInput(i, m, m, m, "constant", p.unit, "assumption", p.name_zh, p.name_en)
        for i, p in data.parameters.inputs.items()
        for m in [values.get(i, p.mode)]
    }
    return replace(data, parameters=ParameterSet(inputs))


def opened(data: ProgrammeData, programme_id: str, seed: int = 1) -> np.ndarray[Any, np.dtype[np.float64]]:
    programme = next(p for p in data.programmes if p.programme_id == programme_id)
    return np.sort(pipeline(data, programme, {}, Streams(seed, 0))[0])


def test_planned_starts_open_after_their_set_up_time(baseline: Scenario) -> None:
    dates = ["2025-03-01", "2026-03-01", "2026-03-01"]
    data = constants(programmes_data(baseline, plan_of(practice_centre=dates)), LP19=6.0, LP20=0.0)
    expected = [data.horizon.day(pd.Timestamp(d).date()) + 6 * DAYS_PER_MONTH for d in dates]
    assert opened(data, "practice_centres") == pytest.approx(expected)
    found = simulate_programmes(data, {}, Streams(1, 0))
    assert found["practice_centres_recognised"].tolist() == [1, 2, 0]


def test_what_was_under_way_stays_and_the_pace_stops(baseline: Scenario) -> None:
    """Nothing is started after the as-of date: what opens in 2025 was begun before, and nothing opens in 2027."""
    data = constants(programmes_data(baseline, plan_of(joint_platform=[])), PP55=9.0, PP56=0.0)
    days = opened(data, "joint_platforms")
    assert len(days)
    assert days.max() < 9 * DAYS_PER_MONTH
    free = constants(programmes_data(baseline, {}), PP55=9.0, PP56=0.0)
    early = opened(free, "joint_platforms")
    assert np.array_equal(early[early < 9 * DAYS_PER_MONTH][: len(days)], days)
    assert early.max() > 2 * 365


def test_an_as_of_date_within_a_year_keeps_that_years_earlier_starts(baseline: Scenario) -> None:
    time = baseline.parameters.time.model_copy(update={"as_of": pd.Timestamp("2025-06-30").date()})
    parameters = baseline.parameters.model_copy(update={"time": time})

    @dataclass(frozen=True)
    class Later:
        parameters: Any

        def table(self, name: str) -> pd.DataFrame:
            return baseline.table(name)

    data = programmes_data(Later(parameters), plan_of(joint_platform=["2026-03-01"]))  # type: ignore[arg-type]
    data = constants(data, PP55=9.0, PP56=0.0)
    platforms = next(p for p in data.programmes if p.programme_id == "joint_platforms")
    moved = replace(platforms, stock_day=data.horizon.day(pd.Timestamp("2024-12-31").date()))
    days = np.sort(pipeline(data, moved, {}, Streams(1, 0))[0]) - 9 * DAYS_PER_MONTH
    assert ((days > -182) & (days < 0)).any()
    assert (days > 0).sum() == 1


def test_a_planned_project_can_fail(baseline: Scenario) -> None:
    dates = ["2025-03-01"] * 400
    data = constants(programmes_data(baseline, plan_of(practice_centre=dates)), LP19=6.0, LP20=0.25)
    assert len(opened(data, "practice_centres")) == pytest.approx(300, abs=4 * (400 * 0.25 * 0.75) ** 0.5)


def test_without_a_location_plan_nothing_changes(baseline: Scenario) -> None:
    other = {"lead_assignments": pd.DataFrame({"industry_id": ["C01"], "moe_code": ["10335"]})}
    assert programmes_data(baseline, other) == programmes_data(baseline, {})
    data = programmes_data(baseline, plan_of(practice_centre=["2025-03-01"]))
    untouched = next(p for p in data.programmes if p.programme_id == "joint_platforms")
    assert untouched.planned is None
    assert start_pace(data, untouched, base_values(uncertain_inputs(data))) > 60
