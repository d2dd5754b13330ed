"""The kernel against other engines on the same arrivals: a bare heapq loop, naive SimPy, Ciw and salabim.

``python tests/benchmarks/bench_kernel.py FOLDER [ROUNDS]``: FOLDER holds ``bgen.py`` (arrivals) and ``bimpl.py`` (the
other engines). CPU seconds, medians of interleaved rounds; equal totals are checked. Four years of 700,000 events
against the heap and naive SimPy; 0.05 years against Ciw and salabim, if they can be imported. Ends with code 1 if a
limit is broken: at most 2.7 × the heap, naive SimPy at least 3.5 × and the others at least 50 × as slow.
"""

from __future__ import annotations

import gc
import importlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from zjsim.simulate.kernel import Pool, Simulation, Steps

HEAP, NAIVE, OTHERS = 2.7, 3.5, 50.0


def kernel(data: dict[str, Any]) -> tuple[float, ...]:
    """Classes need a trainer and a room, services two or three teams in turn, patents pass three stages."""
    d = {k: v.tolist() if hasattr(v, "tolist") else v for k, v in data.items()}
    sim = Simulation()
    trainers = [Pool(sim, n) for n in d["kt"]]
    rooms = [Pool(sim, n) for n in d["kr"]]
    teams = [Pool(sim, n) for n in d["tk"]]
    done = {"classes": 0, "class_wait": 0.0, "services": 0, "service_wait": 0.0, "patents": 0, "patent_end": 0.0}

    def course_class(came: float, trainer: Pool, room: Pool, days: float) -> Steps:
        yield trainer
        yield room
        done["class_wait"] += sim._now - came
        yield days
        room.release()
        trainer.release()
        done["classes"] += 1

    def service(stages: int, asked: list[int], days: list[float]) -> Steps:
        for stage in range(stages):
            came = sim._now
            team = teams[asked[stage]]
            yield team
            done["service_wait"] += sim._now - came
            yield days[stage]
            team.release()
        done["services"] += 1

    def patent(days: list[float]) -> Steps:
        yield from days
        done["patents"] += 1
        done["patent_end"] += sim._now

    def arrivals(times: list[float], made: Iterator[Steps]) -> Steps:
        for when, entity in zip(times, made, strict=True):
            yield when - sim._now
            sim.start(entity)

    classes = zip(d["ca"], d["cp"], d["cd"], strict=True)
    sim.start(arrivals(d["ca"], (course_class(t, trainers[p], rooms[p], days) for t, p, days in classes)))
    services = zip(d["ns"], d["st"], d["sd"], strict=True)
    sim.start(arrivals(d["sa"], (service(n, asked, days) for n, asked, days in services)))
    sim.start(arrivals(d["pa"], (patent(days) for days in d["pd"])))
    sim.run()
    return tuple(done.values())


def cpu(function: Callable[[Any], Any], data: Any) -> tuple[float, Any]:
    gc.collect()
    begin = time.process_time()
    found = function(data)
    return time.process_time() - begin, found


def compare(data: Any, engines: dict[str, Callable[[Any], Any]], rounds: int) -> dict[str, float]:
    """Median CPU seconds of every engine, taking turns; all totals must agree (Ciw draws services of its own)."""
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    wanted = None
    for _ in range(rounds):
        for name, engine in engines.items():
            took, found = cpu(engine, data)
            seconds[name].append(took)
            wanted = wanted or found
            if name != "ciw" and any(abs(a - b) > 1e-6 * max(1.0, abs(b)) for a, b in zip(found, wanted, strict=True)):
                raise SystemExit(f"{name}: other totals: {found}, wanted {wanted}")
    return {name: statistics.median(values) for name, values in seconds.items()}


def main(folder: str, rounds: int) -> int:
    """Measure, print, and say by the exit code whether the limits are kept."""
    sys.path.insert(0, folder)
    arrivals, other = importlib.import_module("bgen"), importlib.import_module("bimpl")
    broken = False
    data = arrivals.gen(4.0, 1)
    found = compare(data, {"heap_bare": other.heap_bare, "kernel": kernel, "simpy_naive": other.simpy_naive}, rounds)
    ratio, gain = found["kernel"] / found["heap_bare"], found["simpy_naive"] / found["kernel"]
    broken |= ratio > HEAP or gain < NAIVE
    print(f"{other_events(arrivals, data)} events: " + ", ".join(f"{n} {s:.2f} s" for n, s in found.items()))
    print(f"kernel / heap_bare {ratio:.2f} (limit {HEAP:g}), simpy_naive / kernel {gain:.2f} (at least {NAIVE:g})")
    small = arrivals.gen(0.05, 1)
    for module, name in (("ciw", "ciw_net"), ("salabim", "salabim_yield")):
        try:
            importlib.import_module(module)
        except ImportError:
            print(f"{module} is not installed: not compared")
            continue
        found = compare(small, {"kernel": kernel, module: getattr(other, name)}, rounds)
        gain = found[module] / found["kernel"]
        broken |= gain < OTHERS
        print(f"0.05 years: {module} / kernel {gain:.0f} (at least {OTHERS:g})")
    return int(broken)


def other_events(arrivals: Any, data: Any) -> str:
    return f"{arrivals.n_events(data):,}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5))
