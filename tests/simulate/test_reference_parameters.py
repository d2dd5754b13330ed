"""Known answers for parameters drawn at random: the kernel agrees in every family, narrow enough, for any case of it.

``python tests/simulate/test_reference_parameters.py SETS [FAMILY …]`` tries ``SETS`` sets per family with loads up to
0.95 and prints the CPU seconds of each; the test takes one set of each at loads up to 0.75.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import pytest

from zjsim.simulate.reference_cases import BUILDERS
from zjsim.simulate.references import Answer, run_case
from zjsim.simulate.streams import Streams

SEED = 6
SERVICE_LAWS = ("deterministic", "exponential", "erlang", "lognormal", "uniform", "triangular", "hyperexponential")


class Drawn:
    """Parameters of the families: ``heavy`` is the highest load."""

    def __init__(self, rng: np.random.Generator, heavy: float) -> None:
        self.rng, self.heavy = rng, heavy

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def load(self) -> float:
        return self.between(0.3, self.heavy)

    def routing(self, nodes: int, leaving: int) -> tuple[tuple[float, ...], ...]:
        shares = self.rng.dirichlet(np.ones(nodes + leaving), nodes)[:, :nodes]
        return tuple(tuple(float(x) for x in row / (row.sum() if not leaving else 1.0)) for row in shares)

    def law(self) -> dict[str, Any]:
        m, law = self.between(0.3, 3), str(self.rng.choice(SERVICE_LAWS))
        shapes: dict[str, dict[str, float]] = {
            "deterministic": {"mean": m}, "exponential": {"mean": m}, "erlang": {"mean": m, "k": self.whole(2, 6)},
            "lognormal": {"mean": m, "cv": self.between(0.3, 1.5)}, "uniform": {"low": 0.2 * m, "high": 1.8 * m},
            "triangular": {"low": 0.2 * m, "mode": 0.8 * m, "high": 2.0 * m},
            "hyperexponential": {"mean": m, "cv2": self.between(1.5, 4)},
        }  # fmt: skip
        return {"arrival": self.load() / m, "law": law, **shapes[law]}

    def network(self) -> dict[str, Any]:
        nodes = self.whole(2, 3)
        gamma, routing = self.rng.uniform(0.1, 1, nodes), self.routing(nodes, 1)
        rates = np.linalg.solve(np.eye(nodes) - np.array(routing).T, gamma)
        servers = [self.whole(1, 4) for _ in range(nodes)]
        service = [float(x / c / self.between(0.4, self.heavy)) for x, c in zip(rates, servers, strict=True)]
        return {
            "gamma": tuple(gamma.tolist()), "servers": tuple(servers), "service": tuple(service), "routing": routing,
        }  # fmt: skip

    def of(self, family: str) -> dict[str, Any]:
        """Parameters of a family."""
        u, n, s, c = self.between, self.whole, self.between(0.3, 3), self.whole(1, 8)
        match family:
            case "M/M/c":
                return {"c": c, "arrival": c * s * u(min(0.3 + 0.05 * c, 0.7), self.heavy), "service": s}
            case "M/G/1":
                return self.law()
            case "M/D/1":
                return {"rho": self.load(), "within": u(0.5, 12)}
            case "E_b/M/1":
                return {"b": n(2, 40), "rho": u(0.5, self.heavy), "service": s}
            case "Erlang B":
                return {"c": 5 * c, "a": 5 * c * u(0.5, 1.3)}
            case "M/M/c/K":
                return {"c": c, "room": c + n(1, 15), "arrival": c * s * u(0.6, 1.2), "service": s}
            case "Erlang A":
                return {"c": c, "arrival": c * s * u(0.8, 1.2), "service": s, "patience": s * u(0.2, 2)}
            case "bulk arrivals":
                return {"batch": 2 * c, "arrival": self.load() * s / (2 * c), "service": s}
            case "hand trace":
                times = np.cumsum(self.rng.exponential(1.0, c + 3)).tolist()
                return {"arrivals": tuple(times), "service": tuple(self.rng.exponential(1.0, c + 3).tolist())}
            case "open network":
                return self.network()
            case "closed network":
                nodes = n(2, 4)
                rates = tuple(self.rng.uniform(0.3, 3, nodes).tolist())
                servers = tuple(n(1, 3) for _ in range(nodes))
                return {"customers": c, "servers": servers, "service": rates, "routing": self.routing(nodes, 0)}
            case "machine repair":
                return {"machines": 2 + c, "repairers": n(1, 3), "failure": u(0.05, 0.5), "repair": u(0.5, 2)}
            case "priority" | "preemptive priority":
                c = 1 if family == "preemptive priority" else n(1, 5)
                rates = self.rng.dirichlet(np.full(2 if c == 1 else 3, 3.0)) * c * s * u(0.5, self.heavy)
                return {"arrivals": tuple(rates.tolist()), "service": s} | ({"c": c} if c > 1 else {})
            case "M/M/inf from empty":
                return {"arrival": u(5, 60), "mean": s, "at": (0.5, 1.5, 4.0)}
            case "M/G/inf":
                return {"arrival": u(5, 15), "mean": u(0.2, 1.0)}
            case "M_t/M/inf":
                return {"base": 10 * s + 20, "swing": 5 * s, "service": float(c), "at": (0.2, 0.6, 1.0)}
            case "pipeline":
                means = self.rng.choice([0.3, 0.6, 1.2], n(1, 3))  # equal ones are among them
                passing = self.rng.uniform(0.3, 0.8, len(means))
                return {
                    "rate": 200 * s, "passing": tuple(passing.tolist()), "means": tuple(means.tolist()),
                    "at": (2.0, 4.0),
                }  # fmt: skip
            case "two-year non-use":
                return {"hazard": u(0.02, 0.5), "inflow": 300 * s, "clock": u(0.5, 2), "horizon": u(2.5, 5)}
            case "class forming":
                return {"batch": 5 * c, "rate": 10 * s}
        return {"b": n(1, 6), "arrival": self.load() * s, "service": s}  # partial batches


def answers(family: str, number: int, heavy: float) -> tuple[dict[str, Any], list[Answer]]:
    """A set of parameters of a family, and what comes of it."""
    parameters = Drawn(Streams(SEED, number).generator("reference parameters", family, ""), heavy).of(family)
    return parameters, run_case(family, error=1e-4, case=number, **parameters)


def wrong(found: list[Answer]) -> list[Answer]:
    """Answers that theory or the recursion contradicts, or that are not narrow enough."""
    return [a for a in found if not a.passed or abs(a.paired) > 1e-9 * max(1.0, abs(a.value))]


@pytest.mark.parametrize("family", sorted(BUILDERS))
def test_the_kernel_agrees_with_theory_for_parameters_drawn_at_random(family: str) -> None:
    parameters, found = answers(family, 0, heavy=0.75)
    assert any(a.simulated for a in found)
    assert not wrong(found), parameters


def main(sets: int, families: list[str]) -> int:
    """Many sets at higher loads; ends with code 1 if anything is wrong."""
    bad = 0
    for family in families:
        for number in range(1, sets + 1):
            begin = time.process_time()
            parameters, found = answers(family, number, heavy=0.95)
            off = max(abs(a.estimate - a.value) / max(a.half_width, 1e-12) for a in found if a.simulated)
            bad += bool(wrong(found))
            said = f"{time.process_time() - begin:6.1f} s, error at most {off:.2f} half-widths"
            print(f"{family} {number}: {said}", "WRONG" if wrong(found) else "", parameters, flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:] or sorted(BUILDERS)))
