"""How long a search for levers takes: Silk Road colleges and training volume, confirmed on 1,000 fresh replications.

Run: ``python tests/benchmarks/bench_seek.py RUN [WORKERS]`` with the folder of a finished run of the baseline. Prints
verdict, wall-clock and CPU seconds (workers included), replications and the answer; wanted: 30 minutes on two cores.
"""

from __future__ import annotations

import resource
import sys
import time

from zjsim.decide.planned import planned
from zjsim.decide.seek import seek
from zjsim.engine import Engine

TARGETS = ("silk_road_colleges", "silk_road_colleges/fifty_operating", "training")


def cpu_seconds() -> float:
    """User and system seconds of this process and of workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


if __name__ == "__main__":
    plan, workers = planned(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2
    for target in TARGETS:
        wall, cpu = time.monotonic(), cpu_seconds()
        sought = seek(plan, targets=[target], engine=Engine(workers))
        spent = f"{time.monotonic() - wall:.0f} s, {cpu_seconds() - cpu:.0f} CPU s, {sought.replications} replications"
        print(f"{target}: {sought.verdict}, {spent}\n{sought.summary('en')}\n", flush=True)
