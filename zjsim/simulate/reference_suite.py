"""The suite of ``zjsim validate``: cases of every family, with the value that the reference tables give for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zjsim.simulate.references import Answer, run_case
from zjsim.simulate.workers import worker_pool

FAMILY_ERROR = 0.01
"""Chance that any interval of the suite misses its value, if all is right."""


@dataclass(frozen=True)
class Case:
    """A case: family, parameters, and published values of some of its quantities."""

    family: str
    parameters: Mapping[str, Any]
    published: Mapping[str, float] = field(default_factory=dict)


def _case(family: str, published: Mapping[str, float] | None = None, **parameters: Any) -> Case:
    return Case(family, parameters, published or {})


_TRIANGLE = {"law": "triangular", "low": 0.2, "mode": 0.8, "high": 2.0}

CASES: tuple[Case, ...] = (
    _case("class forming", {"mean wait": 0.975, "cv of gaps": 0.158113883008}, batch=40, rate=20.0),
    _case(
        "closed network", {"L_1": 0.363636363636, "L_2": 0.727272727273, "L_3": 0.2, "L_4": 0.709090909091},
        customers=2, servers=(2, 2, 1, 1), service=(1.0, 0.5, 0.8, 0.4),
        routing=((0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 0.4, 0.6), (1.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)),
    ),
    _case("closed network", {"throughput": 0.75, "L_1": 1.5, "L_2": 1.5},
          customers=3, servers=(1, 1), service=(1.0, 1.0), routing=((0.0, 1.0), (1.0, 0.0))),
    _case("closed network", {"throughput": 2.33333333333, "L_1": 0.733333333333, "L_2": 2.26666666667},
          customers=3, servers=(1, 1), service=(5.0, 2.5), routing=((0.0, 1.0), (1.0, 0.0))),
    _case("closed network", {"throughput": 0.976377952756, "L_1": 3.80202474691, "L_2": 0.879640044994,
                             "L_3": 0.318335208099},
          customers=5, servers=(1, 1, 1), service=(1.0, 2.0, 4.0),
          routing=((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))),
    _case("E_b/M/1", {"sigma": 0.63888294284, "Wq": 1.76918517188}, b=30, rho=0.8, service=1.0),
    _case("E_b/M/1", {"sigma": 0.904761243829, "Wq": 9.49992713269}, b=30, rho=0.95, service=1.0),
    _case("Erlang time to target", {"P(T <= t)": 0.0097944396176}, n=31, rate=4.875, within=4.0),
    _case("Erlang B", {"P(block)": 0.5}, c=1, a=1.0),
    _case("Erlang B", {"P(block)": 0.2}, c=2, a=1.0),
    _case("Erlang B", {"P(block)": 0.110054347826}, c=5, a=3.0),
    _case("Erlang B", {"P(block)": 0.0488042061787}, c=100, a=95.0),
    _case("Erlang B inverse", {"servers": 17.4449688882}, a=10.0, blocking=0.01),
    _case("Erlang B inverse", {"servers": 14.3004259672}, a=10.0, blocking=0.05),
    _case("hand trace", {"mean wait": 3.5, "mean time in system": 6.75},
          arrivals=(3, 11, 13, 14, 17, 19, 21, 27), service=(4, 4, 4, 3, 2, 4, 3, 2)),
    _case("M/D/1", {"P(Wq <= t)": 0.946960596554}, rho=0.5, within=2.0),
    _case("M/G/1", {"Wq": 0.5}, arrival=0.5, law="deterministic", mean=1.0),
    _case("M/G/1", {"Wq": 0.75}, arrival=0.5, law="erlang", mean=1.0, k=2),
    _case("M/G/1", {"Wq": 0.625}, arrival=0.5, law="erlang", mean=1.0, k=4),
    _case("M/G/1", {"Wq": 1.625}, arrival=0.5, law="lognormal", mean=1.0, cv=1.5),
    _case("M/G/1", {"Wq": 0.57}, arrival=0.5, **_TRIANGLE),
    _case("M/G/1", {"Wq": 2.0}, arrival=0.8, law="deterministic", mean=1.0),
    _case("M/G/1", {"Wq": 2.5}, arrival=0.8, law="erlang", mean=1.0, k=4),
    _case("M/G/1", {"Wq": 2.28}, arrival=0.8, **_TRIANGLE),
    _case("M/G/1", {"Wq": 6.0}, arrival=0.9, law="uniform", low=0.0, high=2.0),
    _case("M/G/1", {"Wq": 14.625}, arrival=0.9, law="lognormal", mean=1.0, cv=1.5),
    _case("M/G/1", {"Wq": 22.5}, arrival=0.9, law="hyperexponential", mean=1.0, cv2=4.0),
    _case("M/G/1", {"Wq": 5.13}, arrival=0.9, **_TRIANGLE),
    _case("M/G/inf", {"E N": 30.0, "Var N": 30.0}, arrival=20.0, mean=1.5),
    _case("preemptive priority", {"W class 1": 1.42857142857, "W class 2": 7.14285714286},
          arrivals=(0.3, 0.5), service=1.0),
    _case("priority", {"Wq class 1": 1.0, "Wq class 2": 2.0, "Wq class 3": 8.0, "sum lambda_i Wq_i": 3.2},
          arrivals=(0.2, 0.3, 0.3), service=1.0),
    _case("priority", {"Wq class 1": 0.138528138528, "Wq class 2": 0.277056277056, "Wq class 3": 1.10822510823,
                       "sum lambda_i Wq_i": 2.21645021645},
          arrivals=(1.0, 1.5, 1.5), service=1.0, c=5),
    _case("M/M/1 asymptotic variance", {"sigma^2": 24.0}, rho=0.5),
    _case("M/M/1 asymptotic variance", {"sigma^2": 1800.0}, rho=0.8),
    _case("M/M/c", {"P(wait)": 0.5, "Lq": 0.5, "Wq": 1.0, "L": 1.0, "W": 2.0, "P(Wq > 1/mu)": 0.303265329856},
          c=1, arrival=0.5, service=1.0),
    _case("M/M/c", {"P(wait)": 0.8, "Lq": 3.2, "Wq": 4.0, "L": 4.0, "W": 5.0, "P(Wq > 1/mu)": 0.654984602462},
          c=1, arrival=0.8, service=1.0),
    _case("M/M/c", {"P(wait)": 0.444444444444, "Lq": 0.888888888889, "Wq": 0.444444444444, "L": 2.88888888889,
                    "W": 1.44444444444, "P(Wq > 1/mu)": 0.163501973854}, c=3, arrival=2.0, service=1.0),
    _case("M/M/c", {"P(wait)": 0.444444444444, "Lq": 0.888888888889, "Wq": 4.44444444444, "L": 2.88888888889,
                    "W": 14.4444444444, "P(Wq > 1/mu)": 0.163501973854}, c=3, arrival=0.2, service=0.1),
    _case("M/M/c", {"P(wait)": 0.363864467207, "Lq": 3.27478020486, "Wq": 0.0727728934414, "L": 48.2747802049,
                    "W": 1.07277289344, "P(Wq > 1/mu)": 0.00245169949489}, c=50, arrival=45.0, service=1.0),
    _case("Erlang A", {"P(abandon)": 0.181082517025, "Lq": 8.69196081718, "P(wait>0)": 0.925599104229},
          c=10, arrival=12.0, service=1.0, patience=0.25),
    _case("M/M/c/K", {"P(block)": 0.181818181818, "throughput": 1.63636363636, "Lq": 1.09090909091},
          c=2, room=5, arrival=2.0, service=1.0),
    _case("M/M/inf from empty", {"N(1)": 14.597486429, "N(2)": 22.0920858565, "N(4)": 27.9154964633},
          arrival=20.0, mean=1.5, at=(1.0, 2.0, 4.0)),
    _case("partial batches", {"r0": 0.884437310486, "L": 7.65331193146, "W": 22.9599357944 / 60},
          b=2, arrival=20.0, service=12.0),
    _case("bulk arrivals", {"L": 139.5}, batch=30, arrival=0.03, service=1.0),
    _case("M_t/M/inf", {"m(0.25)": 19.8463835661, "m(0.5)": 19.9964584173, "m(0.75)": 13.4869497672},
          base=100.0, swing=40.0, service=6.0, at=(0.25, 0.5, 0.75)),
    _case("machine repair", {"L (down)": 1.42433910665, "Lq": 0.709206927985, "W": 3.98342893563,
                             "P0": 0.284867821331, "mean up": 3.57566089335},
          machines=5, repairers=1, failure=0.1, repair=0.5),
    _case("machine repair", {"L (down)": 2.40372153013, "Lq": 0.884465836156, "W": 3.16434098574,
                             "P0": 0.120186076506, "mean up": 7.59627846987},
          machines=10, repairers=2, failure=0.1, repair=0.5),
    _case("open network", {"lambda_1": 1.0888252149, "L_1": 1.19496855346, "lambda_2": 0.888252148997,
                           "L_2": 2.27710223281, "lambda_3": 0.504297994269, "L_3": 1.3525791357,
                           "L": 4.82464992197, "W": 4.82464992197},
          gamma=(1.0, 0.0, 0.0), servers=(1, 3, 2), service=(2.0, 0.5, 0.5),
          routing=((0.0, 0.7, 0.3), (0.1, 0.0, 0.2), (0.0, 0.25, 0.0))),
    _case("binomial reach", {"P(reach)": 0.0381520424477}, starts=31, success=0.9, wanted=31),
    _case("binomial reach", {"P(reach)": 0.730748960226}, starts=35, success=0.9, wanted=31),
    _case("binomial reach", {"P(reach)": 0.932779738612}, starts=40, success=0.85, wanted=31),
    _case("Poisson reach", {"P(reach)": 0.763969674501}, mean=210.0, target=200),
    _case("Poisson reach", {"P(reach)": 0.918194311611}, mean=220.0, target=200),
    _case("Poisson reach", {"P(reach)": 0.908330502858}, mean=530.0, target=500),
    _case("pipeline", {"ends by 1": 3.14560048541, "ends by 2": 26.0106458142, "ends by 3": 73.7134166838,
                       "ends by 4": 139.67823369},
          rate=1000.0, passing=(0.6, 0.3, 0.5), means=(1.5, 0.5, 0.75), at=(1.0, 2.0, 3.0, 4.0)),
    _case("stage time", {"P(T <= t)": 0.64646231478}, means=(1.5, 0.5, 0.75), within=3.0),
    _case("training capacity", {"hours per teacher": 24.2424242424},
          person_times=2e6, class_size=40, class_hours=24, teachers=49_500),
    _case("training capacity", {"hours per teacher": 32.3232323232},
          person_times=2e6, class_size=30, class_hours=24, teachers=49_500),
    _case("training capacity", {"hours per teacher": 19.3939393939},
          person_times=2e6, class_size=50, class_hours=24, teachers=49_500),
    _case("two-year non-use", {"listed": 1809.67483607}, hazard=0.05, inflow=1000.0, clock=2.0, horizon=4.0),
)  # fmt: skip
"""Every family that planners' processes are made of, each with at least one case."""


def answer(number: int) -> list[Answer]:
    """The answers of a case; all cases together are wrong with at most :data:`FAMILY_ERROR`."""
    case = CASES[number]
    return run_case(case.family, error=FAMILY_ERROR / len(CASES), case=number, **case.parameters)


def run_suite(workers: int = 1, progress: Callable[[int, int], None] | None = None) -> list[list[Answer]]:
    """The answers of every case, in order, for any number of ``workers``."""
    from concurrent.futures import as_completed

    tell = progress or (lambda done, total: None)
    if workers == 1:
        found = []
        for number in range(len(CASES)):
            found.append(answer(number))
            tell(number + 1, len(CASES))
        return found
    with worker_pool(workers) as executor:
        futures = [executor.submit(answer, number) for number in range(len(CASES))]
        for done, _ in enumerate(as_completed(futures), 1):
            tell(done, len(CASES))
        return [future.result() for future in futures]


@dataclass(frozen=True, slots=True)
class Check:
    """A check of the statistics themselves: ``low`` ≤ ``found`` ≤ ``high``."""

    name: str
    found: float
    low: float
    high: float

    @property
    def passed(self) -> bool:
        """Whether it holds."""
        return self.low <= self.found <= self.high


def interval_checks() -> list[Check]:
    """Coverage of the intervals, and wrong verdicts of sequential stopping with the truth on the decision line.

    Binomial intervals and verdicts are enumerated, t-intervals tried in 1,000 experiments with a preset seed.
    """
    import numpy as np
    from scipy import stats

    from zjsim.simulate.statistics import clopper_pearson, mean_interval
    from zjsim.simulate.stopping import Looks, verdict_chances
    from zjsim.simulate.streams import Streams

    found = []
    for n in (5, 20, 100):
        ends = np.array([clopper_pearson(k, n) for k in range(n + 1)])
        p = np.unique(np.concatenate([np.linspace(0, 1, 1001), ends.ravel(), np.nextafter(ends.ravel(), 0.5)]))
        inside = (ends[:, :1] <= p) & (p <= ends[:, 1:])
        coverage = (stats.binom.pmf(np.arange(n + 1)[:, None], n, p) * inside).sum(axis=0)
        found.append(Check(f"binomial_{n}", float(coverage.min()), 0.95 - 1e-12, 1.0 + 1e-9))
    draws = Streams(20241231, 0).generator("reference", "t-intervals", "").normal(10, 2, (1000, 10))
    share = np.mean([low <= 10 <= high for _, low, high in map(mean_interval, draws)])
    found.append(Check("t_interval", float(share), 0.93, 0.97))
    looks = Looks((25, 50, 100, 200, 400), 0.05)
    wrong = max(verdict_chances(looks, 0.9, 0.9).not_met, verdict_chances(looks, float(np.nextafter(0.9, 0)), 0.9).met)
    found.append(Check("stopping", wrong, 0.0, 0.025))
    return found
