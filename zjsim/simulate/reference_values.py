"""Analytic values of queueing families: what theory says, by formulas of our own, for any parameters of a family.

Each function returns quantity → value. Rates are per unit of time, ``c`` servers, ``rho`` load per server. Sources are
the standard results named in each docstring; nothing here simulates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from math import comb, cos, exp, factorial, fsum, lgamma, log, pi, sin, sqrt

import numpy as np
from scipy import linalg, optimize, special, stats

Values = dict[str, float]


def erlang_b(c: int, a: float) -> float:
    """Blocking of c servers at a erlangs, by the stable recursion in c."""
    blocking = 1.0
    for n in range(1, c + 1):
        blocking = a * blocking / (n + a * blocking)
    return blocking


def erlang_c(c: int, a: float) -> float:
    """Chance to wait at c servers and a < c erlangs."""
    b = erlang_b(c, a)
    return c * b / (c - a * (1 - b))


def many_servers(c: int, arrival: float, service: float) -> Values:
    """M/M/c (Erlang C): waiting, numbers and times; ``service`` is the rate of one server."""
    a = arrival / service
    p, spare = erlang_c(c, a), c * service - arrival
    return {
        "P(wait)": p,
        "Lq": arrival * p / spare,
        "Wq": p / spare,
        "L": arrival * p / spare + a,
        "W": p / spare + 1 / service,
        "P(Wq > 1/mu)": p * exp(-spare / service),
    }


LAWS: Mapping[str, Callable[..., tuple[float, float]]] = {
    "deterministic": lambda mean: (mean, 0.0),
    "exponential": lambda mean: (mean, 1.0),
    "erlang": lambda mean, k: (mean, 1 / k),
    "lognormal": lambda mean, cv: (mean, cv**2),
    "uniform": lambda low, high: ((low + high) / 2, (high - low) ** 2 / 12 / ((low + high) / 2) ** 2),
    "triangular": lambda low, mode, high: (
        (low + mode + high) / 3,
        (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18 / ((low + mode + high) / 3) ** 2,
    ),
    "hyperexponential": lambda mean, cv2: (mean, cv2),
}
"""Service law → mean and squared coefficient of variation of its parameters."""


def general_service(arrival: float, law: str, **shape: float) -> Values:
    """M/G/1 (Pollaczek and Khinchine): mean wait for any service law of :data:`LAWS`."""
    mean, cv2 = LAWS[law](**shape)
    rho = arrival * mean
    return {"Wq": rho * mean * (1 + cv2) / 2 / (1 - rho)}


def deterministic_wait(rho: float, within: float) -> Values:
    """M/D/1 with unit service: the chance to wait at most ``within`` (Franx 2001: a sum of positive terms only).

    Chances of the number in system follow from one another with tails of the Poisson law (Ramaswami 1988).
    """
    k = int(within) + 1
    tail = 1 - special.pdtr(np.arange(k + 2), rho)
    p = np.zeros(k + 1)
    p[0] = 1 - rho
    for j in range(1, k + 1):
        p[j] = (p[0] * tail[j - 1] + float(p[1:j] @ tail[j - 1 : 0 : -1])) / exp(-rho)
    waiting = np.cumsum(p)[1:]  # at most 0, 1, ... wait for service
    left = rho * (k - within)
    return {"P(Wq <= t)": float(fsum(waiting[k - 1 - j] * exp(-left) * left**j / factorial(j) for j in range(k)))}


def erlang_arrivals(b: int, rho: float, service: float) -> Values:
    """E_b/M/1: classes of b form and queue for one room; σ solves σ = A*(μ(1 - σ))."""
    rate = b * rho * service

    def gap(s: float) -> float:
        return (rate / (rate + service * (1 - s))) ** b - s

    sigma = float(optimize.brentq(gap, 1e-12, 1 - 1e-9, xtol=1e-15))
    return {"sigma": sigma, "Wq": sigma / service / (1 - sigma)}


def bulk_arrivals(batch: int, arrival: float, service: float) -> Values:
    """M^[X]/M/1 with constant batches: number in system."""
    rho = arrival * batch / service
    return {"L": rho * (1 + batch) / 2 / (1 - rho)}


def limited_room(c: int, room: int, arrival: float, service: float) -> Values:
    """M/M/c/K: ``room`` in system at most; birth and death."""
    p = _birth_death([arrival] * room, [min(n, c) * service for n in range(1, room + 1)])
    return {
        "P(block)": float(p[-1]),
        "throughput": arrival * (1 - float(p[-1])),
        "Lq": float(np.maximum(np.arange(room + 1) - c, 0) @ p),
    }


def abandonment(c: int, arrival: float, service: float, patience: float) -> Values:
    """M/M/c+M (Erlang A): ``patience`` is the rate at which one who waits gives up."""
    most = int(c + 60 + 40 * arrival / patience)
    p = _birth_death([arrival] * most, [min(n, c) * service + max(n - c, 0) * patience for n in range(1, most + 1)])
    queue = float(np.maximum(np.arange(most + 1) - c, 0) @ p)
    return {"P(abandon)": patience * queue / arrival, "Lq": queue, "P(wait>0)": float(p[c:].sum())}


def machine_repair(machines: int, repairers: int, failure: float, repair: float) -> Values:
    """M/M/c//K: machines of a closed shop break down and wait for a repairer."""
    p = _birth_death(
        [(machines - n) * failure for n in range(machines)],
        [min(n, repairers) * repair for n in range(1, machines + 1)],
    )
    down = float(np.arange(machines + 1) @ p)
    return {
        "L (down)": down,
        "Lq": float(np.maximum(np.arange(machines + 1) - repairers, 0) @ p),
        "W": down / (failure * (machines - down)),
        "P0": float(p[0]),
        "mean up": machines - down,
    }


def _birth_death(up: Sequence[float], down: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    weights = np.concatenate([[0.0], np.cumsum(np.log(up) - np.log(down))])
    p = np.exp(weights - weights.max())
    return np.asarray(p / p.sum())


def priority(arrivals: Sequence[float], service: float, c: int = 1) -> Values:
    """M/M/c, non-preemptive priorities, equal service (Cobham 1954; Kella and Yechiali 1985); first class first."""
    total = fsum(arrivals)
    base = erlang_c(c, total / service) / (c * service)
    before, found, work = 0.0, {}, 0.0
    for n, rate in enumerate(arrivals, 1):
        after = before + rate / (c * service)
        found[f"Wq class {n}"] = base / ((1 - before) * (1 - after))
        work += rate * found[f"Wq class {n}"]
        before = after
    return found | {"sum lambda_i Wq_i": work}


def preemptive(arrivals: Sequence[float], service: float) -> Values:
    """M/M/1, preemptive-resume priorities, equal service: time in system by class."""
    before, found = 0.0, {}
    for n, rate in enumerate(arrivals, 1):
        after = before + rate / service
        found[f"W class {n}"] = 1 / service / (1 - before) + after / service / ((1 - before) * (1 - after))
        before = after
    return found


def partial_batches(b: int, arrival: float, service: float) -> Values:
    """M/M^[1,b]/1: up to b are served together, latecomers join a batch with room; r0 is a root.

    It is the root below 1 of μ r^(b+1) - (λ + μ) r + λ = 0.
    """
    r = float(optimize.brentq(lambda z: service * z ** (b + 1) - (arrival + service) * z + arrival, 1e-9, 1 - 1e-9))
    return {"r0": r, "L": r / (1 - r), "W": r / (1 - r) / arrival}


def asymptotic_variance(rho: float, service: float = 1.0) -> Values:
    """M/M/1: variance of the time-average number in system × time (Whitt 1989), 2ρ(1 + ρ) / (1 - ρ)^4."""
    return {"sigma^2": 2 * rho * (1 + rho) / (1 - rho) ** 4 / service}


def class_forming(batch: int, rate: float) -> Values:
    """Classes of ``batch`` learners who register at ``rate``: mean wait to the start, spread of the gaps."""
    return {"mean wait": (batch - 1) / 2 / rate, "cv of gaps": 1 / sqrt(batch)}


def infinite_from_empty(arrival: float, mean: float, at: Sequence[float]) -> Values:
    """M/M/∞ from empty: expected number at each time."""
    return {f"N({t:g})": arrival * mean * (1 - exp(-t / mean)) for t in at}


def infinite_stationary(arrival: float, mean: float) -> Values:
    """M/G/∞: mean and variance of the number, for any service law."""
    return {"E N": arrival * mean, "Var N": arrival * mean}


def infinite_seasonal(base: float, swing: float, service: float, at: Sequence[float]) -> Values:
    """M_t/M/∞ with rate base + swing sin 2πt (Eick, Massey and Whitt 1993): number in the periodic steady state."""
    w = 2 * pi
    return {
        f"m({t:g})": base / service + swing * (service * sin(w * t) - w * cos(w * t)) / (service**2 + w**2) for t in at
    }


def _through(means: Sequence[float], within: float) -> tuple[float, float]:
    """Chance that exponential stages of these means are over ``within`` a time, and its integral (equal means too)."""
    stages = len(means)
    moves = np.zeros((stages + 2, stages + 2))
    for n, mean in enumerate(means):
        moves[n, n], moves[n, n + 1] = -1 / mean, 1 / mean
    moves[stages, stages + 1] = 1.0  # the last column adds up the time spent at the end
    found = linalg.expm(moves * within)
    return float(found[0, stages]), float(found[0, stages + 1])


def pipeline(rate: float, passing: Sequence[float], means: Sequence[float], at: Sequence[float]) -> Values:
    """Disclosures pass stages of exponential length, each with a chance: expected cumulative ends, from empty."""
    return {f"ends by {t:g}": rate * float(np.prod(passing)) * _through(means, t)[1] for t in at}


def stage_time(means: Sequence[float], within: float) -> Values:
    """Chance that the sum of exponential stages ends ``within`` a time."""
    return {"P(T <= t)": _through(means, within)[0]}


def non_use(hazard: float, inflow: float, clock: float, horizon: float) -> Values:
    """Patents that nobody licensed within ``clock`` years are listed: expected number by ``horizon``, from empty."""
    return {"listed": inflow * max(horizon - clock, 0.0) * exp(-hazard * clock)}


def erlang_time(n: int, rate: float, within: float) -> Values:
    """Chance that n starts at ``rate`` a year are there ``within`` a time."""
    return {"P(T <= t)": float(special.gammainc(n, rate * within))}


def binomial_reach(starts: int, success: float, wanted: int) -> Values:
    """Chance of at least ``wanted`` successes."""
    return {
        "P(reach)": fsum(
            comb(starts, k) * success**k * (1 - success) ** (starts - k) for k in range(wanted, starts + 1)
        )
    }


def poisson_reach(mean: float, target: int) -> Values:
    """Chance that a Poisson output reaches a target."""
    return {"P(reach)": 1 - fsum(exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(target))}


def erlang_b_inverse(a: float, blocking: float) -> Values:
    """Real number of servers at which a erlangs are blocked with the given chance: 1/B(n) = a∫e^(-at)(1+t)^n dt."""

    def inverse(n: float) -> float:
        return float(a**-n * exp(a) * special.gamma(n + 1) * special.gammaincc(n + 1, a))

    return {"servers": float(optimize.brentq(lambda n: inverse(n) - 1 / blocking, 1e-6, 10 * a + 50, xtol=1e-13))}


def teaching_load(person_times: float, class_size: float, class_hours: float, teachers: float) -> Values:
    """Class hours a teacher has to give a year."""
    return {"hours per teacher": person_times / class_size * class_hours / teachers}


def open_network(
    gamma: Sequence[float], servers: Sequence[int], service: Sequence[float], routing: Sequence[Sequence[float]]
) -> Values:
    """Open Jackson network: traffic by node, numbers, and mean time in the network."""
    rates = np.linalg.solve(np.eye(len(gamma)) - np.array(routing).T, np.array(gamma, dtype=float))
    numbers = [many_servers(c, x, m)["L"] for c, x, m in zip(servers, rates, service, strict=True)]
    found = {f"lambda_{i}": float(x) for i, x in enumerate(rates, 1)} | {f"L_{i}": x for i, x in enumerate(numbers, 1)}
    return found | {"L": fsum(numbers), "W": fsum(numbers) / fsum(gamma)}


def closed_network(
    customers: int, servers: Sequence[int], service: Sequence[float], routing: Sequence[Sequence[float]]
) -> Values:
    """Closed product-form network (Buzen), summed over all states: numbers by node, throughput of the first."""
    nodes = len(servers)
    visits = np.linalg.lstsq(
        np.vstack([np.eye(nodes) - np.array(routing).T, np.eye(nodes)[:1]]), np.append(np.zeros(nodes), 1.0), rcond=None
    )[0]
    total, numbers, busy = 0.0, np.zeros(nodes), 0.0
    for state in product(range(customers + 1), repeat=nodes):
        if sum(state) != customers:
            continue
        weight = 1.0
        for n, c, m, v in zip(state, servers, service, visits, strict=True):
            weight *= float(v / m) ** n / float(np.prod([min(k, c) for k in range(1, n + 1)]))
        total += weight
        numbers += weight * np.array(state)
        busy += weight * min(state[0], servers[0]) * service[0]
    return {f"L_{i}": float(x / total) for i, x in enumerate(numbers, 1)} | {"throughput": busy / total}


def hand_trace(arrivals: Sequence[float], service: Sequence[float]) -> Values:
    """One server, first come first served, by Lindley's recursion."""
    free, waits = 0.0, []
    for came, length in zip(arrivals, service, strict=True):
        start = max(came, free)
        waits.append(start - came)
        free = start + length
    return {
        "mean wait": float(np.mean(waits)),
        "mean time in system": float(np.mean(np.array(waits) + np.array(service))),
    }


def tail_quantile(error: float, degrees: int) -> float:
    """Two-sided t-quantile."""
    return float(stats.t.ppf(1 - error / 2, degrees))
