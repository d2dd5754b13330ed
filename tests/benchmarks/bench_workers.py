"""Two workers against one on the real processes: ``python tests/benchmarks/bench_workers.py [REPLICATIONS] [ROUNDS]``.

The base ensembles of the baseline without a plan (8 replications, times each process's repeats) are made by one and by
two workers in turn, three rounds; wall-clock medians. Workers are begun, and have made a first task, before the clock
runs; how long they take to begin is told beside. The highest memory of every worker (``VmHWM``, from its first byte on)
is read from the operating system, for each by itself. Ends with code 1 if two workers are less than 1.5 × as fast as
one, if a worker needs more than 300 MB, or if bytes differ.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
from pathlib import Path

from zjsim.simulate.ensemble import Ensemble, Experiment, Task, batches
from zjsim.simulate.inputs import base_values

FASTER, MEGABYTES = 1.5, 300.0


def peaks_megabytes() -> list[float]:
    """The highest resident memory of every living worker of this process, in MB, from the dearest down."""
    peaks = []
    for child in multiprocessing.active_children():
        for line in Path(f"/proc/{child.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                peaks.append(float(line.split()[1]) / 1024)
    return sorted(peaks, reverse=True)


def main(replications: int, rounds: int) -> int:
    """Measure, print, and say by the exit code whether the limits are kept.

    The registries' libraries are imported here: a worker imports the main file again, as with the command line's.
    """
    from zjsim.models.processes import processes_of

    import zjsim

    processes = processes_of(zjsim.load("baseline"), {})
    experiments = {p.name: Experiment(p.simulate, p.data, 1 / p.batch) for p in processes}
    tasks: list[Task] = []
    for p in processes:
        count = replications * p.repeat
        tasks += batches(Task(p.name, base_values(p.inputs), 7, 0, count), max(1, min(p.batch, count // 8)))
    first = [Task(p.name, base_values(p.inputs), 8, 0, 1) for p in processes]
    seconds: dict[int, list[float]] = {1: [], 2: []}
    begins: dict[int, list[float]] = {1: [], 2: []}
    peaks, bytes_of = [0.0], set()
    for _ in range(rounds):
        for workers in (1, 2):
            begun = time.perf_counter()
            with Ensemble(experiments, workers) as ensemble:
                ensemble.run(first * (2 * workers))
                ready = time.perf_counter()
                found = ensemble.run(tasks)
                seconds[workers].append(time.perf_counter() - ready)
                begins[workers].append(ready - begun)
                if workers > 1:
                    peaks = max(peaks, peaks_megabytes())
            bytes_of.add(b"".join(part[name].tobytes() for part in found for name in sorted(part)))
    one, two = (statistics.median(seconds[n]) for n in (1, 2))
    print(f"{len(tasks)} tasks: one worker {one:.1f} s, two {two:.1f} s: {one / two:.2f} x as fast (at least {FASTER})")
    print(f"until the first tasks are done: {statistics.median(begins[2]):.1f} s with two workers")
    said = ", ".join(f"{p:.0f}" for p in peaks)
    print(f"highest memory by worker: {said} MB (at most {MEGABYTES:.0f}); same bytes: {len(bytes_of) == 1}")
    return int(one / two < FASTER or max(peaks) > MEGABYTES or len(bytes_of) != 1)


if __name__ == "__main__":
    sys.exit(main(*([int(n) for n in sys.argv[1:3]] + [8, 3][len(sys.argv[1:3]) :])))
