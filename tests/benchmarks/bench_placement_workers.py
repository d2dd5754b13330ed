"""Peak memory of every worker of ``zjsim place``, and CPU seconds: the largest counties of a province, both modes.

python tests/benchmarks/bench_placement_workers.py FOLDER OUT [--workers 2] [--county 330782 330282 330212 330109]

FOLDER is a scenario folder with schools and groups; if it isn't there, ``zjsim synthesize baseline`` draws it. ``OUT``
takes the placement. The peaks (VmHWM) of this process, which reads the scenario, and of its workers are looked up while
they run (Linux). With ``--workers 1`` everything happens in this process. Ends with code 1 if a process needs more than
500 MB or the audit finds anything.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from pathlib import Path

from zjsim.placing import place_scenario
from zjsim.synthesize import synthesize

LIMIT_MB = 500


def peak_mb(process: int | str) -> float:
    """Largest resident memory of a process so far, MB; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def children(of: int) -> list[int]:
    """Processes whose parent is ``of``, the tracker of shared resources left out."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == of and b"resource_tracker" not in command:
            found.append(int(stat.parent.name))
    return found


def watch(peaks: dict[int, float], done: threading.Event) -> None:
    """Notes the peaks of this process's children until ``done``."""
    while not done.wait(0.1):
        for process in children(os.getpid()):
            peaks[process] = max(peaks.get(process, 0.0), peak_mb(process))


def main() -> int:
    """Measure, print, and say by the exit code whether the limit is kept."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--county", nargs="*", default=["330782", "330282", "330212", "330109"])
    options = parser.parse_args()
    if not options.folder.exists():
        synthesize("baseline", options.folder)
    peaks: dict[int, float] = {}
    done = threading.Event()
    watcher = threading.Thread(target=watch, args=(peaks, done))
    watcher.start()
    begin = time.perf_counter()
    try:
        placed = place_scenario(options.folder, options.out, counties=options.county, workers=options.workers)
    finally:
        done.set()
        watcher.join()
    used = os.times()
    print(
        f"{placed.children()} children in {placed.counties()} counties, {options.workers} workers: "
        f"{used.user + used.system + used.children_user + used.children_system:.1f} s CPU (reading included), "
        f"{time.perf_counter() - begin:.1f} s, {len(placed.findings)} findings"
    )
    own = peak_mb("self")
    for name, mb in (("this process", own), *((f"worker {k + 1}", mb) for k, mb in enumerate(peaks.values()))):
        print(f"{name}: peak {mb:.0f} MB (limit {LIMIT_MB})")
    return int(max(own, *peaks.values(), 0.0) > LIMIT_MB or bool(placed.findings))


if __name__ == "__main__":
    sys.exit(main())
