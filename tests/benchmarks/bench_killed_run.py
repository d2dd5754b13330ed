"""Kill real runs at random moments: ``python tests/benchmarks/bench_killed_run.py FOLDER [KILLS] [SEED]``.

One run of the baseline, reduced to the fewest replications, is left alone; another one is killed by SIGKILL KILLS times
(50 unless told) at random moments of its ensemble, and begun again each time. A last life goes on to the end. All
files of both folders are compared byte by byte, but for those that tell the time. Ends with code 1 if one differs, or
if a finished task was made again. FOLDER must not exist yet; it is left as it is for a look.

A life is killed between 0 and SPREAD seconds after its ensemble has begun (its checkpoint is there) or has gone on, so
that kills fall into the work itself; runs that end before their kill are begun anew without what they had kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

OPTIONS = (
    *("--replications", "2", "--workers", "1", "--seed", "7", "--lang", "en", "--event-log", "1"),
    *("--set", "simulation.design_points=0", "--set", "simulation.single_input_points=false"),
    *("--set", "simulation.marginal_replications=0"),
)
SPREAD = 6.0
MOST_SECONDS = 1800.0
TELL_THE_TIME = ("manifest.json", "timings.csv", "run_log.csv")


def begin(folder: Path) -> subprocess.Popen[bytes]:
    """A run that writes into ``folder``, in a process group of its own."""
    command = [sys.executable, "-m", "zjsim.cli", "run", "baseline", "--out", str(folder), *OPTIONS]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def tasks_kept(folder: Path) -> int:
    """How many finished tasks of the ensemble are kept; -1 before there are any."""
    kept = sorted(folder.glob("*/.*.resume/*.task"))
    return len(kept) if kept else -1


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of the run in ``folder``, by its name inside the run."""
    (run,) = (p.parent for p in sorted(folder.glob("*/*/manifest.json")))
    return {
        str(p.relative_to(run)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(run.rglob("*"))
        if p.is_file() and p.name not in TELL_THE_TIME
    }


def wait_for(process: subprocess.Popen[bytes], folder: Path, kept: int) -> None:
    """Wait until the ensemble has finished a task more than were ``kept``, or the run has ended."""
    begun = time.monotonic()
    while process.poll() is None and tasks_kept(folder) <= kept:
        if time.monotonic() - begun > MOST_SECONDS:
            raise SystemExit("the ensemble does not go on")
        time.sleep(0.05)


def main(folder: Path, kills: int, seed: int) -> int:
    """Kill, finish, compare; print what became of it as JSON."""
    folder.mkdir(parents=True)
    rng = random.Random(seed)
    if begin(folder / "quiet").wait() != 0:
        raise SystemExit("the run that is left alone failed")
    killed, kept, steps = 0, 0, []
    while killed < kills:
        process = begin(folder / "killed")
        wait_for(process, folder / "killed", kept if kept < 3 else -1)
        time.sleep(rng.uniform(0.0, SPREAD))
        if process.poll() is not None:  # it ended first: the next one starts from nothing
            for path in sorted((folder / "killed").rglob("*"), reverse=True):
                path.unlink() if path.is_file() else path.rmdir()
            kept = 0
            continue
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        killed += 1
        now = max(tasks_kept(folder / "killed"), 0)
        if now < kept:
            raise SystemExit(f"{kept} finished tasks were kept, {now} are left after a kill")
        kept = now
        steps.append(kept)
        print(f"killed {killed} of {kills}: {kept} tasks are kept", file=sys.stderr, flush=True)
    if begin(folder / "killed").wait() != 0:
        raise SystemExit("the last life failed")
    quiet, other = digests(folder / "quiet"), digests(folder / "killed")
    different = sorted(name for name in quiet.keys() | other.keys() if quiet.get(name) != other.get(name))
    print(json.dumps({"killed": killed, "kept": steps, "files": len(quiet), "different": different}))
    return int(bool(different))


if __name__ == "__main__":
    numbers = [int(n) for n in sys.argv[2:4]]
    sys.exit(main(Path(sys.argv[1]), *(numbers + [50, 20241231][len(numbers) :])))
