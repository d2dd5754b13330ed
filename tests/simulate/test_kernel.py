from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from math import exp, factorial

import numpy as np
import pytest
import simpy

from zjsim.simulate.kernel import Account, Call, Pool, PriorityPool, Simulation, Steps
from zjsim.simulate.statistics import mean_interval
from zjsim.simulate.streams import Streams


def queue_waits(
    arrivals: list[float], services: list[float], servers: int, patience: list[float] | None = None
) -> tuple[list[float], int]:
    """Waits of those served, in order of service, and the number of those who left unserved."""
    sim, waits, lost = Simulation(), [], [0]
    pool = Pool(sim, servers)

    def customer(i: int) -> Steps:
        came = sim.now
        yield pool
        if patience is not None and sim.now > came + patience[i]:
            lost[0] += 1
            pool.release()
            return
        waits.append(sim.now - came)
        yield services[i]
        pool.release()

    def source() -> Steps:
        for i, time in enumerate(arrivals):
            yield time - sim.now
            sim.start(customer(i))

    sim.start(source())
    sim.run()
    assert pool.free == servers
    return waits, lost[0]


def test_a_queue_traced_by_hand() -> None:
    # arrivals 0 1 2 3, service 3 each, one server: starts 0 3 6 9
    assert queue_waits([0.0, 1.0, 2.0, 3.0], [3.0] * 4, 1) == ([0, 2, 4, 6], 0)
    assert queue_waits([0.0, 1.0, 2.0, 3.0], [3.0] * 4, 2) == ([0, 0, 1, 1], 0)


def test_who_waits_too_long_leaves_without_holding_anything() -> None:
    # the second would wait 2 and stays 1.5; the third then waits 1 only
    assert queue_waits([0.0, 1.0, 2.0], [3.0] * 3, 1, [9.0, 1.5, 9.0]) == ([0, 1], 1)


def closed_form_wait(servers: int, arrivals: float) -> float:
    """Mean wait of M/M/c with service rate 1 (Erlang C)."""
    busy = arrivals / servers
    tail = arrivals**servers / factorial(servers) / (1 - busy)
    wait_share = tail / (sum(arrivals**k / factorial(k) for k in range(servers)) + tail)
    return wait_share / (servers - arrivals)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.6), (3, 2.1)])
def test_mean_wait_of_mmc_is_that_of_the_closed_form(servers: int, load: float) -> None:
    means = []
    for replication in range(60):
        streams = Streams(11, replication)
        gaps = -np.log1p(-streams.uniforms("mmc", "a", servers, 3000)) / load
        services = -np.log1p(-streams.uniforms("mmc", "s", servers, 3000))
        waits, _ = queue_waits(np.cumsum(gaps).tolist(), services.tolist(), servers)
        means.append(float(np.mean(waits[500:])))
    _, low, high = mean_interval(means, 0.999)
    assert low <= closed_form_wait(servers, load) <= high


def test_number_in_an_infinite_server_queue_from_empty() -> None:
    # λ = 20 a year, mean stay 1.5 years: E N(t) = 30 (1 - exp(-t / 1.5))
    counts: dict[float, list[int]] = {1.0: [], 4.0: []}
    for replication in range(300):
        streams = Streams(5, replication)
        came = np.cumsum(-np.log1p(-streams.uniforms("mminf", "a", 0, 200)) / 20).tolist()
        stays = (-1.5 * np.log1p(-streams.uniforms("mminf", "s", 0, 200))).tolist()
        sim, inside = Simulation(), [0]

        def visit(stay: float, inside: list[int] = inside) -> Steps:
            inside[0] += 1
            yield stay
            inside[0] -= 1

        for time, stay in zip(came, stays, strict=True):
            sim.at(time, lambda call, sim=sim, visit=visit: sim.start(visit(call.argument)), stay)
        for year, seen in counts.items():
            sim.run(year)
            seen.append(inside[0])
    for year, seen in counts.items():
        _, low, high = mean_interval(seen, 0.999)
        assert low <= 30 * (1 - exp(-year / 1.5)) <= high


def test_priority_is_served_first_and_equals_in_order() -> None:
    sim, served = Simulation(), []
    pool = PriorityPool(sim, 1)

    def job(name: str, rank: float) -> Steps:
        yield pool.ranked(rank)
        served.append(name)
        yield 1.0
        pool.release()

    for name, rank in (("first", 5), ("low1", 2), ("low2", 2), ("high", 1)):
        sim.start(job(name, rank))
    sim.run()
    assert served == ["first", "high", "low1", "low2"]
    assert sim.now == 4.0
    assert pool.busy_time() == 4.0


def test_an_account_is_used_up_refilled_and_expires() -> None:
    sim, started = Simulation(), []
    account = Account(sim, 10.0)

    def use(name: str, hours: float) -> Steps:
        yield account, hours
        started.append((name, sim.now))

    for name, hours in (("a", 6), ("b", 6), ("c", 1)):
        sim.start(use(name, hours))
    sim.at(1.0, lambda _: account.refill(3.0))
    sim.at(2.0, lambda _: account.expire())
    sim.at(3.0, lambda _: account.refill(5.0))
    sim.run()
    # b stands at the head of the line (4 + 3 are enough for its 6), then c takes the last hour
    assert started == [("a", 0.0), ("b", 1.0), ("c", 1.0)]
    assert (account.filled, account.drawn, account.expired, account.balance) == (18.0, 13.0, 0.0, 5.0)
    account.give_back(1.0)
    account.expire()
    assert account.filled == account.drawn + account.expired


def test_a_pool_can_grow_and_shrink() -> None:
    sim, started = Simulation(), []
    pool = Pool(sim, 1)

    def stay(i: int) -> Steps:
        yield pool
        started.append((i, sim.now))
        yield 10.0
        pool.release()

    for i in range(3):
        sim.start(stay(i))
    sim.at(2.0, lambda _: pool.resize(1))
    sim.at(3.0, lambda _: pool.resize(-1))
    sim.run()
    assert started == [(0, 0.0), (1, 2.0), (2, 12.0)]
    assert pool.free == 1


def test_long_chains_of_instant_handovers_do_not_recurse() -> None:
    sim = Simulation()
    pool = Pool(sim, 1)
    done = []

    def touch(i: int) -> Steps:
        yield pool
        pool.release()
        done.append(i)

    def holder() -> Steps:
        yield pool
        yield 1.0
        pool.release()

    sim.start(holder())
    for i in range(50_000):
        sim.start(touch(i))
    sim.run()
    assert done == list(range(50_000))


def test_ordinary_simpy_processes_run_beside_light_ones_and_their_errors_surface() -> None:
    sim, seen = Simulation(), []

    def ordinary() -> object:
        yield sim.timeout(2)
        seen.append(sim.now)
        raise RuntimeError("from the process")

    def light() -> Steps:
        yield 1.0
        seen.append(sim.now)

    sim.process(ordinary())
    sim.start(light())
    with pytest.raises(RuntimeError, match="from the process"):
        sim.run()
    assert seen == [1.0, 2.0]
    assert issubclass(Simulation, simpy.Environment)


def test_time_does_not_run_backwards() -> None:
    sim = Simulation(5.0)
    with pytest.raises(ValueError, match="already"):
        sim.at(4.0, lambda _: None)

    def back() -> Steps:
        yield -1.0

    sim.start(back())
    with pytest.raises(ValueError, match="lies in the past"):
        sim.run()


def test_the_clock_stops_where_it_is_told() -> None:
    sim, calls = Simulation(), []
    note: Callable[[Call], None] = lambda call: calls.append((sim.now, call.argument))  # noqa: E731
    for time in (1.0, 2.0, 3.0):
        sim.at(time, note, int(time))
    sim.run(2.0)
    assert calls == [(1.0, 1), (2.0, 2)]
    sim.run(2.5)
    assert sim.now == 2.5
    sim.run()
    assert calls[-1] == (3.0, 3)


def test_a_stream_of_arrivals_is_fed_as_if_every_one_were_an_event() -> None:
    """A queue of two servers fed from a list, and the same with a process that waits for each arrival: equal waits."""
    u = Streams(4, 0).uniforms("feed", "queue", 0, 4000)
    arrivals, services = np.cumsum(-np.log1p(-u[:2000])).tolist(), (-1.8 * np.log1p(-u[2000:])).tolist()
    wanted, _ = queue_waits(arrivals, services, 2)
    sim, waits = Simulation(), []
    pool = Pool(sim, 2)

    def customer(i: int) -> Steps:
        came = sim.now
        yield pool
        waits.append(sim.now - came)
        yield services[i]
        pool.release()

    sim.feed(arrivals, lambda i: sim.go(customer(i)), arrivals[-1] + 1e6)
    assert waits == pytest.approx(wanted, abs=1e-9)
    assert sim.now == arrivals[-1] + 1e6


def test_what_is_due_comes_before_an_arrival_of_the_same_time_and_nothing_after_the_end() -> None:
    sim, seen = Simulation(), list[str]()
    sim.at(2.0, lambda _: seen.append("due"))
    sim.at(9.0, lambda _: seen.append("late"))
    sim.feed([1.0, 2.0, 3.0, 8.0], lambda k: seen.append(f"{k} at {sim.now:g}"), 5.0)
    assert seen == ["0 at 1", "due", "1 at 2", "2 at 3"]
    assert sim.now == 5.0


def test_a_closed_simulation_keeps_nothing_alive() -> None:
    """Entities that still wait are gone with their last reference: no search for cycles is needed."""

    class Marked:
        pass

    gc.disable()
    try:
        sim, marked = Simulation(), Marked()
        gone = weakref.ref(marked)

        def waiting(mark: Marked) -> Steps:
            yield 1e9
            assert mark is None, "never reached"

        sim.start(waiting(marked))
        sim.run(1.0)
        sim.close()
        del marked, sim
        assert gone() is None
    finally:
        gc.enable()
