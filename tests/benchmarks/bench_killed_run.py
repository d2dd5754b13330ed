"""Kill the real ensemble at random moments, and compare what it ends with with one that was left alone, byte by byte.

``python tests/benchmarks/bench_killed_run.py ensemble FOLDER [KILLS] [SEED]`` forks lives of the simulation of the
baseline without a plan, reduced to six replications (all processes, all tables), each with the checkpoint that a run
has; data are read once, before the forks. ``… run FOLDER [KILLS] [SEED]`` kills whole commands ``zjsim run`` (event log
included) after their ensemble has begun: every life solves the plans again, so a kill takes minutes.

SIGKILL comes KILLS times (50 unless told), a random time after a life has begun its ensemble, or, every other time,
after it has finished a task more than those before it; where a life ends before its kill, its files are compared and
the next one begins from nothing. A last life goes on to the end. Ends with code 1 if a byte differs, or if a
task that was finished is gone after a kill. FOLDER must not exist; it is left as it is for a look.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SETS = ("simulation.design_points=0", "simulation.single_input_points=false", "simulation.marginal_replications=0")
REPLICATIONS, SEED = 6, 7
SPREAD = {"ensemble": 2.0, "run": 8.0}
"""Longest time in seconds from the beginning of a life's ensemble to its kill."""
MOST_SECONDS = 3600.0
TELL_THE_TIME = ("manifest.json", "timings.csv", "run_log.csv")


def run_of(folder: Path) -> int:
    """Begin ``zjsim run`` into ``folder``, in a process group of its own; its process id."""
    options = ["run", "baseline", "--out", str(folder), "--replications", str(REPLICATIONS), "--workers", "1"]
    options += ["--seed", str(SEED), "--lang", "en", "--event-log", "1", *(x for s in SETS for x in ("--set", s))]
    command = [sys.executable, "-c", "import sys; from zjsim.cli import main; main(sys.argv[1:])", *options]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True).pid


def ensembles() -> Callable[[Path], int]:
    """What begins a life of the ensemble alone: the scenario is loaded once, every life is a fork."""
    import zjsim.models.throughput as throughput

    import zjsim
    from zjsim.engine import checkpoint_of
    from zjsim.tables.writer import write_csv

    scenario = zjsim.load("baseline", sets=SETS)
    processes = throughput.processes_of(scenario, {})
    throughput.processes_of = lambda scenario, plan: processes  # type: ignore[assignment]

    def live(folder: Path) -> None:
        checkpoint = checkpoint_of(folder, "baseline", "killed", {})
        found = throughput.simulate(scenario, {}, seed=SEED, replications=REPLICATIONS, checkpoint=checkpoint)
        place = folder / "baseline" / "killed"
        place.mkdir(parents=True)
        for name in sorted(found):
            write_csv(found[name], place / f"{name}.csv")
        (place / "manifest.json").write_text("{}")
        checkpoint.clear()

    def begin(folder: Path) -> int:
        child = os.fork()
        if child == 0:
            os.setsid()
            live(folder)
            os._exit(0)
        return child

    return begin


def tasks_kept(folder: Path) -> int:
    """How many finished tasks of the ensemble are kept."""
    return sum(1 for _ in folder.glob("*/.*.resume/*.task"))


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of the run in ``folder``, by its name inside the run."""
    (run,) = (p.parent for p in sorted(folder.glob("*/*/manifest.json")))
    return {
        str(p.relative_to(run)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(run.rglob("*"))
        if p.is_file() and p.name not in TELL_THE_TIME
    }


def ended(process: int) -> bool:
    """Whether a life is over; raises ``SystemExit`` if it failed."""
    found, status = os.waitpid(process, os.WNOHANG)
    if found and status:
        raise SystemExit(f"a life that was not killed ended with {os.waitstatus_to_exitcode(status)}")
    return bool(found)


def whole(begin: Callable[[Path], int], folder: Path) -> None:
    """A life that is left alone."""
    _, status = os.waitpid(begin(folder), 0)
    if status:
        raise SystemExit(f"a life that was left alone ended with {os.waitstatus_to_exitcode(status)}")


def kill_once(begin: Callable[[Path], int], folder: Path, wait: float, one_more: bool) -> bool:
    """One life, killed ``wait`` seconds after its begin or after ``one_more`` task; False if it ended first."""
    before, process = tasks_kept(folder), begin(folder)
    began = time.monotonic()
    while one_more and tasks_kept(folder) == before:
        if ended(process):
            return False
        if time.monotonic() - began > MOST_SECONDS:
            raise SystemExit("the ensemble does not go on")
        time.sleep(0.02)
    time.sleep(wait)
    if ended(process):
        return False
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return True


def main(kind: str, folder: Path, kills: int, seed: int) -> int:
    """Kill, finish, compare; print what became of it as JSON."""
    folder.mkdir(parents=True)
    begin = ensembles() if kind == "ensemble" else run_of
    rng = random.Random(seed)
    whole(begin, folder / "quiet")
    killed, kept, ends = 0, [], 0
    place = folder / "killed"
    while killed < kills:
        before = tasks_kept(place)
        one_more = kind == "run" or rng.random() < 0.5  # a command has to solve its plans first
        if not kill_once(begin, place, rng.uniform(0.0, SPREAD[kind]), one_more):
            ends += 1
            same = digests(folder / "quiet") == digests(place)
            shutil.rmtree(place)
            if not same:
                raise SystemExit("a life that went on after a kill ended with other bytes")
            continue
        killed += 1
        kept.append(tasks_kept(place))
        if kept[-1] < before:
            raise SystemExit(f"{before} finished tasks were kept, {kept[-1]} are left after a kill")
    whole(begin, place)
    quiet, other = digests(folder / "quiet"), digests(place)
    different = sorted(name for name in quiet.keys() | other.keys() if quiet.get(name) != other.get(name))
    print(json.dumps({"killed": killed, "ended_before": ends, "kept": kept, "files": len(quiet), "differ": different}))
    return int(bool(different))


if __name__ == "__main__":
    numbers = [int(n) for n in sys.argv[3:5]]
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), *(numbers + [50, 20241231][len(numbers) :])))
