"""Statistics of resources: by hand, against a slow sum, and what the kernel's meters read."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from zjsim.simulate.kernel import Account, Pool, PriorityPool, Simulation, Steps
from zjsim.simulate.resources import Meter, Months, counted, day_of, exported, months_between, read, spread

TEN = Months((0.0, 10.0, 20.0, 25.0), ("2025-11", "2025-12", "2026-01"), (0, 0, 1))


def test_months_by_hand_with_parts_at_both_ends() -> None:
    found = months_between(date(2024, 12, 31), 61.0)
    assert found.edges == (0.0, 1.0, 32.0, 60.0, 61.0)
    assert found.labels == ("2024-12", "2025-01", "2025-02", "2025-03")
    assert found.year == (0, 1, 1, 1)
    assert len(months_between(date(2025, 1, 1), 1095.0).labels) == 36
    assert day_of(date(2025, 1, 1), 31.5) == date(2025, 2, 1)


def test_time_is_spread_over_months_by_hand() -> None:
    start, end = [-5.0, 8.0, 2.0, 22.0, np.nan, 9.0, 30.0], [5.0, 23.0, 4.0, 99.0, 3.0, 9.0, 40.0]
    weight, place = [1.0, 2.0, 10.0, 1.0, 1.0, 1.0, 1.0], [0, 0, 1, 1, 0, 0, 0]
    assert spread(start, end, weight, place, 2, TEN).tolist() == [[5 + 4, 20, 6], [20, 0, 3]]


def test_spreading_agrees_with_the_slow_sum() -> None:
    rng = np.random.default_rng(1)
    start, weight, place = rng.uniform(-10, 30, 300), rng.uniform(0, 3, 300), rng.integers(0, 4, 300)
    end = start + rng.exponential(8, 300)
    slow = np.zeros((4, 3))
    for a, b, w, k in zip(start, end, weight, place, strict=True):
        for m in range(3):
            slow[k, m] += w * max(min(b, TEN.edges[m + 1]) - max(a, TEN.edges[m]), 0.0)
    assert spread(start, end, weight, place, 4, TEN) == pytest.approx(slow)


def test_events_are_counted_in_their_month() -> None:
    found = counted([0.0, 9.9, 10.0, 24.9, 25.0, np.nan, -1.0], [1, 1, 1, 4, 9, 9, 9], 0, 1, TEN)
    assert found.tolist() == [[2, 1, 4]]


def test_exported_outcomes_are_read_back_by_year_and_month() -> None:
    measures = {"used": np.array([[1.0, 2.0, 4.0], [0.0, 1.0, 0.0]]), "capacity": np.full((2, 3), 5.0)}
    one = exported("rooms", TEN, measures)
    stacked = {name: np.array([values, 2 * values]) for name, values in one.items()}
    by_year = read(stacked, "rooms")
    assert by_year["used"].tolist() == [[[3, 4], [1, 0]], [[6, 8], [2, 0]]]
    assert by_year["capacity"][0].tolist() == [[10, 5], [10, 5]]
    assert np.isnan(by_year["waiting"]).all()
    assert read(stacked, "rooms", monthly=True)["used"].tolist() == [[1, 3, 4], [2, 6, 8]]
    with pytest.raises(KeyError, match="nothing of halls"):
        read(stacked, "halls")
    with pytest.raises(ValueError, match="speed"):
        exported("rooms", TEN, {"speed": np.ones((1, 3))})


@pytest.mark.parametrize("kind", [Pool, PriorityPool])
def test_a_meter_reads_pools_by_hand(kind: type[Pool]) -> None:
    # one unit, a second one from day 12; three who come on days 1, 2, 3 and stay ten days each
    sim = Simulation()
    pool, idle = kind(sim, 1), kind(sim, 3)
    meter = Meter(sim, [pool, idle], TEN)

    def stay(wait: float) -> Steps:
        yield wait
        yield pool
        yield 10.0
        pool.release()

    for wait in (1.0, 2.0, 3.0):
        sim.start(stay(wait))
    sim.at(12.0, lambda _: pool.resize(1))
    sim.run(30.0)
    found = meter.measures()
    # lent: 1..11 first, 11..21 second, 12..22 third
    assert found["used"].tolist() == [[9, 18, 3], [0, 0, 0]]
    assert found["capacity"].tolist() == [[10, 18, 10], [30, 30, 15]]
    assert found["waiting"].tolist() == [[8 + 7, 1 + 2, 0], [0, 0, 0]]
    assert found["served"].tolist() == [[1, 2, 0], [0, 0, 0]]
    assert (pool.busy_time(), pool.waiting_time(), pool.lent, pool.waiting) == (30.0, 18.0, 0, 0)


def test_a_meter_reads_accounts_by_hand() -> None:
    sim = Simulation()
    account = Account(sim, 5.0)
    meter = Meter(sim, [account], TEN)

    def draw(wait: float) -> Steps:
        yield wait
        yield account, 4.0

    for wait in (1.0, 2.0, 12.0):
        sim.start(draw(wait))
    sim.at(11.0, lambda _: account.refill(3.0))
    sim.run(30.0)
    found = meter.measures()
    assert found["capacity"].tolist() == [[0, 3, 0]], "what was there before the first month was not offered in it"
    assert found["used"].tolist() == [[4, 4, 0]]
    assert found["waiting"].tolist() == [[8, 1 + 8, 5]], "the third waits to the end"
    assert found["served"].tolist() == [[1, 1, 0]]


def test_time_in_queue_agrees_with_littles_law_on_a_busy_pool() -> None:
    rng = np.random.default_rng(2)
    sim, waits = Simulation(), []
    pool = Pool(sim, 3)

    def stay(came: float, days: float) -> Steps:
        yield pool
        waits.append(sim.now - came)
        yield days
        pool.release()

    days = rng.exponential(2.5, 2000).tolist()

    def arrivals() -> Steps:
        for n in range(2000):
            yield float(rng.exponential())
            sim.start(stay(sim.now, days[n]))

    sim.start(arrivals())
    sim.run()
    assert pool.waiting_time() == pytest.approx(sum(waits))
    assert pool.busy_time() == pytest.approx(sum(days))
    assert pool.capacity_time() == pytest.approx(3 * sim.now)
    assert pool.served == 2000
