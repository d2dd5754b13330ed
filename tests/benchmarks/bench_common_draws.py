"""What common random numbers buy in comparing training under other release shares of teachers, measure by measure.

``python tests/benchmarks/bench_common_draws.py [replications]`` (default 24: about two minutes of CPU). Bound: for the
mean difference of training volume at least 10 times fewer replications than independent runs need, with the release
share (PP09) a tenth higher and a fifth lower. ``paired``: the same draws alone; ``controlled``: what a run's tables and
``zjsim compare`` say, the difference freed of what the demand factors explain, whose expectation is known. Sums
(shares: means) of all years.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from zjsim.models.training import OUTCOMES, simulate_training, training_data

import zjsim
from zjsim.simulate.paired import pairs
from zjsim.simulate.statistics import variance_reduction
from zjsim.simulate.streams import Streams

FACTORS = (1.0, 1.1, 0.8)
CONTROL = "control/training_demand"
BOUND = 10.0


def main(replications: int) -> bool:
    """Print the reductions; whether the bound holds for the volume at both factors."""
    data = training_data(zjsim.load("baseline"), {})
    base = {i.input_id: i.mode for i in data.inputs}
    begun = time.process_time()
    found = [
        [simulate_training(data, {**base, "PP09": base["PP09"] * f}, Streams(20241231, n)) for f in FACTORS]
        for n in range(replications)
    ]
    seconds = (time.process_time() - begun) / (replications * len(FACTORS))
    print(f"{replications} replications, {seconds:.2f} CPU s each (four years, all providers)")
    demand = np.array([one[0][CONTROL].mean() for one in found])
    holds = True
    for k, factor in enumerate(FACTORS[1:], 1):
        print(f"release share × {factor}: outcome, paired, controlled")
        for name in OUTCOMES:
            a, b = (np.array([one[i][name].mean() for one in found]) for i in (0, k))
            paired, freed = variance_reduction(a, b)[2], pairs(a, b, demand).reduction
            print(f"  {name:32} {paired:10.1f} {freed:10.1f}")
            holds &= name != "training_person_times_all" or freed >= BOUND
    print("bound holds" if holds else f"bound of {BOUND:g} is missed")
    return holds


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 24) else 1)
