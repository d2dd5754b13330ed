"""All bounds of placement that must hold, one benchmark after another: about ten minutes on a quiet machine.

python tests/benchmarks/must_hold.py --rivals R/placement --work W --instances B/seat_expansion [--seconds 10] [--small]

R and B hold the reference programs and the published instances (never part of this repository), W takes generated data.
``--small`` only shows that everything runs (a minute or two). A bound counts only if measured when nothing else runs.
What it runs, each command also by itself:

* placement of a province against the reference programs: ratios, CPU per child, memory, a million children
  ``bench_placement.py --rivals R/placement --work W --data 10k 30k 300k 1c30k --once 1M --ours single goals``
* Pyomo objects instead of the emitted matrix (reported, no bound)
  ``bench_placement.py --rivals R/placement --work W --data 10k --ours pyomo --against highs_pass:dev/agg/comp``
* a province over two processes: peak memory of each worker
  ``bench_placement.py --rivals R/placement --work W --data 300k --repeats 1 --ours split --against``
* all goals on real parts: the largest county, grade by grade
  ``bench_goals.py W/province``
* ``zjsim place`` with its audit: peak memory of each worker, the largest counties
  ``bench_placement_workers.py W/province W/placed --county 330782 330109``
* deferred acceptance against heaps, and against the package ``matching`` if it is installed
  ``bench_deferred_acceptance.py 300000 5000 5``
* seat expansion under stability: 18 published optima, so many seconds for each
  ``bench_stable_expansion.py B/seat_expansion 60``
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

RAW = "highs_pass:dev/agg/comp"


def commands(rivals: str, work: str, instances: str, seconds: str, small: bool) -> list[list[str]]:
    """Benchmark and arguments of each step."""
    placement = ["bench_placement.py", "--rivals", rivals, "--work", work]
    province = f"{work}/province"
    if small:
        return [
            [*placement, "--data", "10k", "--repeats", "1", "--ours", "single", "goals"],
            [*placement, "--data", "10k", "--repeats", "1", "--ours", "pyomo", "--against", RAW],
            [*placement, "--data", "10k", "--repeats", "1", "--ours", "split", "--against"],
            ["bench_goals.py", province, "--county", "330922", "--repeats", "1"],
            ["bench_deferred_acceptance.py", "3000", "50", "1"],
            ["bench_stable_expansion.py", instances, "1"],
            ["bench_placement_workers.py", province, f"{work}/placed", "--county", "330922"],
        ]
    every = ["--data", "10k", "30k", "300k", "1c30k", "--once", "1M"]
    return [
        [*placement, *every, "--ours", "single", "goals"],
        [*placement, "--data", "10k", "--ours", "pyomo", "--against", RAW],
        [*placement, "--data", "300k", "--repeats", "1", "--ours", "split", "--against"],
        ["bench_goals.py", province],
        ["bench_deferred_acceptance.py", "300000", "5000", "5"],
        ["bench_stable_expansion.py", instances, seconds],
        ["bench_placement_workers.py", province, f"{work}/placed", "--county", "330782", "330109"],
    ]


def main() -> int:
    """Run all; 1 if a bound is broken or a benchmark fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rivals", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--instances", required=True)
    parser.add_argument("--seconds", default="10")
    parser.add_argument("--small", action="store_true")
    o = parser.parse_args()
    here = Path(__file__).resolve().parent
    Path(o.work).mkdir(parents=True, exist_ok=True)
    told = []
    for name, *arguments in commands(o.rivals, o.work, o.instances, o.seconds, o.small):
        print(f"\n== {name} {' '.join(arguments)}", flush=True)
        begin = time.perf_counter()
        code = subprocess.run([sys.executable, str(here / name), *arguments], check=False).returncode
        told.append(f"{'holds' if code == 0 else 'BROKEN'} {name} ({time.perf_counter() - begin:.0f} s)")
    print("\n" + "\n".join(told))
    return int(any(line.startswith("BROKEN") for line in told))


if __name__ == "__main__":
    sys.exit(main())
