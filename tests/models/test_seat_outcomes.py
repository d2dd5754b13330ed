"""The simulation's view of the seat plan: recourse by hand, the base run, streams, and what each input does."""

from __future__ import annotations

import pickle
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from zjsim.models.outcomes_by_county import outcomes_by_county
from zjsim.models.seat_outcomes import OUTCOMES, SeatData, seat_data, simulate_seats, uncertain_inputs
from zjsim.models.throughput import Process, Study

from zjsim.scenario import load
from zjsim.scenario.parameters import SeatParameters, Time
from zjsim.simulate.inputs import UncertainInput, base_values
from zjsim.simulate.streams import Streams

NAMES = (
    "counties",
    "seat_demand",
    "seat_capacity",
    "seat_options",
    "seat_budgets",
    "seat_norms",
    "migrant_calibration",
    "seat_zones",
)


class Base:
    def __init__(self) -> None:
        base = load("baseline")
        self.tables = {n: base.table(n) for n in NAMES}
        self.parameters: Any = SimpleNamespace(time=Time(), seats=SeatParameters(), solver=base.parameters.solver)

    def table(self, name: str) -> Any:
        return self.tables[name]


@pytest.fixture(scope="module")
def data() -> SeatData:
    return seat_data(Base(), {})


def still(data: SeatData) -> SeatData:
    """Without variation between counties and years."""
    fixed = tuple(replace(i, low=i.mode, high=i.mode) for i in data.inputs)
    return replace(data, inputs=fixed)


def toy(local: int, permit: int, other: int, *, rooms: int, cap: int = 0, share: float = 0.0) -> SeatData:
    """One county, one year, grade 1 only, ten seats a class."""
    grades = np.zeros((1, 1, 9))

    def first(n: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        cells = grades.copy()
        cells[0, 0, 0] = n
        return cells

    def stage(n: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([[[n, 0.0]]], dtype=float)

    names = ("stock_factor", "growth_factor")
    inputs = [f"model_migrant_{n}" for n in names]
    inputs += ["model_permit_share", "model_eligible_share", "model_capacity_factor", "model_purchase_cap_share"]
    return SeatData(
        years=(2025,),
        county_codes=("330000",),
        local=first(local),
        migrant=first(permit + other),
        eligible=first(permit // 2),
        permit=first(permit),
        usable=np.array([[10.0, 10.0]]),
        rooms=stage(rooms),
        staffed=stage(99),
        cap=stage(cap),
        private=stage(cap),
        base_share=np.array([share]),
        plan_share=np.zeros((1, 1)),
        inputs=tuple(UncertainInput(n, 1, 1, 1, "constant", "", "assumption", "", "") for n in inputs),
    )


def outcomes(d: SeatData, **values: float) -> dict[str, float]:
    found = simulate_seats(d, base_values(d.inputs) | values, Streams(1, 0))
    return {k: float(v[0]) for k, v in found.items() if k in OUTCOMES}


def test_enough_seats_by_hand() -> None:
    got = outcomes(toy(5, 4, 6, rooms=1, share=0.5))
    assert got["place_share_permit_holders"] == 1
    assert got["permit_public_place_share"] == 1
    assert got["public_share_public_only"] == pytest.approx(0.5)  # 4 permit holders, and 1 more for the share of before
    assert got["place_share_all_residents"] == pytest.approx(0.5)


def test_shortage_purchase_and_tiers_by_hand() -> None:
    # 10 seats, 8 local and 6 permit holders: 2 classes are needed, the one with 4 children is given up.
    got = outcomes(toy(8, 6, 4, rooms=1, cap=3))
    assert got["permit_public_place_share"] == pytest.approx(2 / 6)
    assert got["place_share_permit_holders"] == pytest.approx(5 / 6)
    assert got["place_share_county_rule"] == 1  # the 3 eligible come before the other permit holders
    assert got["public_share_public_only"] == pytest.approx(2 / 10)
    assert got["public_share_with_purchased"] == pytest.approx(5 / 10)


def test_no_rooms_and_no_children() -> None:
    got = outcomes(toy(8, 6, 4, rooms=0))
    assert got["place_share_permit_holders"] == 0
    assert got["public_share_public_only"] == 0
    assert set(outcomes(toy(0, 0, 0, rooms=0)).values()) == {1.0}


def test_base_run_has_every_outcome_as_a_share(data: SeatData) -> None:
    got = simulate_seats(data, base_values(data.inputs), Streams(1, 0))
    assert [name for name in got if "/" not in name] == list(OUTCOMES)
    assert data.years == (2025, 2026, 2027)
    for name in OUTCOMES:
        values = got[name]
        assert values.shape == (3,), name
        assert ((values >= 0) & (values <= 1)).all(), name
    assert got["public_share_with_purchased"] == pytest.approx(
        np.maximum(got["public_share_with_purchased"], got["public_share_public_only"])
    )


def test_replications_are_reproducible_and_differ(data: SeatData) -> None:
    values = base_values(data.inputs) | {"model_capacity_factor": 0.9}
    one, same, other = (simulate_seats(data, values, Streams(1, r)) for r in (0, 0, 1))
    name = "public_share_public_only"
    assert (one[name] == same[name]).all()
    assert (one[name] != other[name]).any()


def test_one_county_fewer_leaves_the_draws_of_the_others(data: SeatData) -> None:
    streams = Streams(7, 3)
    from zjsim.models.seat_outcomes import _growth

    full = _growth(data, base_values(data.inputs), streams)
    less = _growth(replace(data, county_codes=data.county_codes[1:]), base_values(data.inputs), streams)
    assert (full[:, 1:] == less).all()


@pytest.mark.parametrize(
    ("name", "worse"),
    [
        ("model_migrant_stock_factor", 1.15),
        ("model_migrant_growth_factor", 1.03),
        ("model_permit_share", 0.9),
        ("model_capacity_factor", 0.88),
        ("model_purchase_cap_share", 0.3),
    ],
)
def test_inputs_move_the_right_way(data: SeatData, name: str, worse: float) -> None:
    tight = {"model_capacity_factor": 0.9} if name != "model_capacity_factor" else {}
    base = base_values(data.inputs) | tight
    before = simulate_seats(data, base, Streams(1, 0))["place_share_permit_holders"]
    after = simulate_seats(data, base | {name: worse}, Streams(1, 0))["place_share_permit_holders"]
    assert (after <= before + 1e-12).all()
    assert after.sum() < before.sum()


def test_declared_inputs_are_assumptions_with_a_range(data: SeatData) -> None:
    for i in uncertain_inputs(data):
        assert i.low < i.mode < i.high or i.mode in (i.low, i.high)
        assert i.basis == "assumption"
        assert i.name_zh
        assert i.name_en


def test_rooms_of_the_plan_count_from_their_year() -> None:
    base = Base()
    rooms = base.tables["seat_options"][["county_code", "stage"]].assign(
        year=2026, extension_rooms=5, new_school_rooms=2
    )
    plan = {"seat_rooms": rooms}
    with_plan, without = seat_data(base, plan), seat_data(base, {})
    more = with_plan.rooms - without.rooms
    assert (more[0] == 0).all()
    assert (more[1:] == 7).all()


def test_data_can_be_sent_to_a_worker(data: SeatData) -> None:
    copy = pickle.loads(pickle.dumps(data))
    assert (copy.local == data.local).all()


def test_counties_beside_the_province(data: SeatData) -> None:
    """A county's shares weighed with its children are the province's; of a county by itself they are the same."""
    values, few = base_values(uncertain_inputs(data)), still(data)
    found = simulate_seats(few, values, Streams(7, 3))
    for name in OUTCOMES:
        assert found[f"by_county/{name}"].shape == (len(data.county_codes), len(data.years))
        assert ((found[f"by_county/{name}"] >= 0) & (found[f"by_county/{name}"] <= 1)).all()
    children = data.migrant.sum(axis=2).T
    public = (found["by_county/public_share_public_only"] * children).sum(axis=0) / children.sum(axis=0)
    assert public == pytest.approx(found["public_share_public_only"], abs=1e-9)
    one = simulate_seats(toy(5, 20, 5, rooms=2), {}, Streams(1, 0))
    for name in OUTCOMES:
        assert one[f"by_county/{name}"][0] == pytest.approx(one[name])


def test_the_table_by_county_tells_in_how_many_futures_nobody_is_left_out(data: SeatData) -> None:
    shares = np.array([1.0, 0.5, 1.0, 0.9])
    base = {f"by_county/{name}": np.tile(shares[:, None, None], (1, 90, len(data.years))) for name in OUTCOMES}
    process = Process("seats", data, data.years, (), simulate_seats, OUTCOMES)
    table = outcomes_by_county([Study(process, base, (), ())], {"330102": ("上城区", "Shangcheng")})
    assert len(table) == 90 * len(data.years) * len(OUTCOMES)
    row = table[table["place_code"] == "330102"].iloc[0]
    assert (row["mean"], row["p_all"], row["place_en"], row["replications"]) == (0.85, 0.5, "Shangcheng", 4)
