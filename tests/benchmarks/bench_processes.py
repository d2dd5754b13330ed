"""CPU seconds of one replication of every simulated process: ``python tests/benchmarks/bench_processes.py [ROUNDS]``.

Processes of the baseline without a plan, in turn, five rounds (other replications each, so that nothing is repeated);
medians, and the ratio to the same number of bare heap events of training (a push and a pop of a class each, its
beginning and its end): that ratio can be compared between machines.
"""

from __future__ import annotations

import statistics
import sys
import time
from heapq import heappop, heappush

from zjsim.models.processes import processes_of

import zjsim
from zjsim.simulate.ensemble import Experiment, Task, replicate
from zjsim.simulate.inputs import base_values


def bare_heap(classes: int) -> float:
    """CPU seconds of two heap events for each of so many classes, with nothing else done."""
    begun = time.process_time()
    heap: list[tuple[float, int]] = []
    for k in range(classes):
        heappush(heap, (float(k), k))
        _, n = heappop(heap)
        heappush(heap, (k + 20.5, n))
        if len(heap) > 8000:
            heappop(heap)
    return time.process_time() - begun


def main(rounds: int) -> int:
    """Measure and print."""
    processes = processes_of(zjsim.load("baseline"), {})
    made = {p.name: Experiment(p.simulate, p.data) for p in processes}
    seconds: dict[str, list[float]] = {p.name: [] for p in processes}
    heap: list[float] = []
    for p in processes:
        replicate(made[p.name], Task(p.name, base_values(p.inputs), 7, 10_000, 1))
    for n in range(rounds):
        heap.append(bare_heap(222_000))
        for p in processes:
            begun = time.process_time()
            replicate(made[p.name], Task(p.name, base_values(p.inputs), 7, n, 1))
            seconds[p.name].append(time.process_time() - begun)
    bare = statistics.median(heap)
    print(f"bare heap of training's classes: {bare:.3f} CPU s")
    for name, found in seconds.items():
        median = statistics.median(found)
        print(f"{name:20} {median:8.4f} CPU s a replication = {median / bare:6.2f} x the bare heap")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
