"""Placement of a province against reference programs kept elsewhere: CPU seconds, interleaved, medians.

python tests/benchmarks/bench_placement.py --rivals FOLDER --work FOLDER [--data 10k 30k 300k 1c30k 1M] [--once 1M]
    [--repeats 5] [--ours single goals pyomo split] [--against highs_pass:dev/agg/comp mcf/agg/comp]

``--rivals`` holds ``gen.py`` and ``runa.py`` (never part of this repository), ``--work`` takes the generated data.
``--once``: data sets run once, ours only. The naive rival runs on 10k and 30k only. After the medians come the bounds
that must hold (``BOUNDS``, CPU per child, memory), each with its ratio; ends with code 1 if one is broken.
Every measurement is a process of its own: OR-Tools and highspy can't share one. Imports, data and the grouping of
equal children are left out on both sides; splitting into parts, matrix, solve, plan and prices are in.

Ours: ``single`` (one weighted goal), ``goals`` (placed, then the three columns of ``obj``), ``pyomo`` (single, with the
Pyomo objects of every part, the solve room's reading of them and the same settings of HiGHS), ``adapter`` (single,
Pyomo objects and all of the solve room's adapter), ``split`` (goals over two processes).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

GENERATED = {
    "10k": ("3", "10000"),
    "30k": ("9", "30000"),
    "100k": ("30", "100000"),
    "300k": ("90", "300000"),
    "1M": ("300", "1000000"),
    "1c30k": ("1", "30000", "8"),
}
RAW, FLOW, NAIVE = "highs_pass:dev/agg/comp", "mcf/agg/comp", "py_naive_appsi/child/county"
AGAINST = (RAW, FLOW, NAIVE)
NAIVE_ON = ("10k", "30k")
BOUNDS = (
    (NAIVE_ON, "single", NAIVE, 1 / 15),
    (("10k", "30k", "100k", "300k"), "single", RAW, 1.2),
    (("1c30k",), "single", RAW, 2.0),
    (tuple(GENERATED), "goals", "single", 3.0),
)
"""Data sets, what takes at most how many times the CPU seconds of what."""
LARGEST, SMALLEST, PER_CHILD, MOST_MB = "300k", "10k", 1.5, 500


def load(path: Path):
    """The province as groups: (transport, weighted goal, the goals in order)."""
    from zjsim.models.placement_matrix import Goal, Transport

    with np.load(path) as file:
        group, arc_child = file["group"], file["arc_child"]
        _, first = np.unique(group, return_index=True)
        is_first = np.zeros(len(group), bool)
        is_first[first] = True
        kept = is_first[arc_child]
        arc_group = group[arc_child[kept]].astype(np.int32)
        order = np.argsort(arc_group, kind="stable")
        # 32 bits hold all of them, and a million children have four million arcs.
        arcs = {name: file[name][kept][order].astype(np.int32) for name in ("arc_sec", "cost", "obj")}
        supply = np.bincount(group).astype(np.int64)
        penalty, seats = file["pen"][first], file["cap"]
    problem = Transport(supply, seats, arc_group[order], arcs["arc_sec"])
    weighted = Goal("weighted", arcs["cost"], penalty)
    none = np.zeros(len(supply), np.int64)
    placed = Goal("placed", np.zeros(len(arcs["cost"]), np.int8), none + 1)
    names = ("zone or sibling", "private", "distance")
    columns = [Goal(name, np.ascontiguousarray(arcs["obj"][:, k]), none) for k, name in enumerate(names)]
    return problem, [weighted], [placed, *columns]


def cpu() -> float:
    """CPU seconds of this process and its finished children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def measure(way: str, path: Path) -> dict[str, object]:
    """One measurement of ours, in this process."""
    from zjsim.models.placement_core import connected_parts, solve_placement
    from zjsim.models.placement_matrix import placement_model

    from zjsim.solve.goals import Goal, lexicographic
    from zjsim.solve.matrix import extract

    problem, weighted, goals = load(path)
    chosen = weighted if way in ("single", "pyomo", "adapter") else goals
    before_mb = peak_mb(anew=True)
    begin, clock = cpu(), time.perf_counter()
    if way == "pyomo":
        values = 0
        for part in connected_parts(problem):
            model = placement_model(part.problem, part.own(chosen))
            values += bare_highs(extract(model, [model.goal[0]]))
        found = {"values": [values]}
    elif way == "adapter":
        values = 0
        for part in connected_parts(problem):
            model = placement_model(part.problem, part.own(chosen))
            result = lexicographic(model, [Goal("weighted", "minimise", model.goal[0])])
            values += round(result.stages[0].value)
        found = {"values": [values]}
    elif way == "split":
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
            plan = solve_placement(problem, chosen, executor=executor)
            peaks = sorted(set(executor.map(peak_mb, [False] * 8)))
        found = {"values": plan.values, "parts": plan.parts}
    else:
        plan = solve_placement(problem, chosen)
        found = {"values": plan.values, "parts": plan.parts}
    used, elapsed = cpu() - begin, time.perf_counter() - clock
    after_mb = peak_mb()
    if way == "split":
        found["mb_workers"] = [round(mb) for mb in peaks]
    if way not in ("pyomo", "adapter"):
        begin = cpu()
        faults = plan.faults(problem, chosen)
        found |= {"check": round(cpu() - begin, 3), "faults": faults}
    return found | {"cpu": used, "wall": round(elapsed, 2), "mb_data": round(before_mb), "mb_peak": round(after_mb)}


def peak_mb(anew: bool = False) -> float:
    """Largest resident memory so far (Linux), MB; ``anew`` first forgets what was before (reading the file)."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def bare_highs(matrix) -> int:
    """Optimum of a matrix read from Pyomo objects, with the settings of HiGHS that ours and the rival use."""
    import highspy

    highs = highspy.Highs()
    settings = {"output_flag": False, "threads": 1, "presolve": "off", "simplex_dual_edge_weight_strategy": 1}
    for name, setting in settings.items():
        highs.setOptionValue(name, setting)
    n, cost = len(matrix.columns), matrix.costs[0]
    bounds = (matrix.lower, matrix.upper, matrix.row_lower, matrix.row_upper)
    arrays = (matrix.start[:-1], matrix.index, matrix.coefficient, np.zeros(n, np.int32))
    highs.passModel(n, len(matrix.rows), len(matrix.index), 2, 1, 0.0, cost, *bounds, *arrays)
    highs.run()
    return round(float(cost @ np.asarray(highs.getSolution().col_value)))


def in_process(command: list[str], folder: Path, rivals: Path) -> dict[str, object]:
    """The JSON line a measuring process prints last."""
    environment = {**os.environ, "PYTHONPATH": str(rivals), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Measure and print medians and ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rivals", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--data", nargs="*", default=["10k", "30k"], choices=GENERATED)
    parser.add_argument("--once", nargs="*", default=[], choices=GENERATED)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--ours", nargs="*", default=["single", "goals", "pyomo"])
    parser.add_argument("--against", nargs="*", default=AGAINST)
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.child[0], Path(options.child[1]))))
        return
    rivals, work = options.rivals.resolve(), options.work.resolve()
    (work / "data").mkdir(parents=True, exist_ok=True)
    medians: dict[str, dict[str, float]] = {}
    peaks: dict[str, float] = {}
    for data in (*options.data, *options.once):
        path = work / "data" / f"{data}.npz"
        if not path.exists():
            command = [sys.executable, str(rivals / "gen.py"), data, *GENERATED[data]]
            environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
            subprocess.run(command, cwd=work, env=environment, check=True)
        seconds: dict[str, list[float]] = {}
        last: dict[str, dict[str, object]] = {}
        for _ in range(1 if data in options.once else options.repeats):
            for way in options.ours:
                command = [sys.executable, str(Path(__file__).resolve()), "--child", way, str(path)]
                last[way] = in_process(command, work, rivals)
                seconds.setdefault(way, []).append(float(last[way]["cpu"]))
            for name in () if data in options.once else options.against:
                if name == NAIVE and data not in NAIVE_ON:
                    continue
                engine, level, part = name.split("/")
                command = [sys.executable, str(rivals / "runa.py"), engine, data, level, part, "1", "1", os.devnull]
                last[name] = in_process(command, work, rivals)
                seconds.setdefault(name, []).append(float(last[name]["cpu"]))
        medians[data] = {name: statistics.median(taken) for name, taken in seconds.items()}
        unit = medians[data][next(iter(seconds))]
        for name, middle in medians[data].items():
            shown = {key: last[name][key] for key in last[name] if key in SHOWN}
            print(f"{data:6} {name:28} {middle:8.3f} s  {middle / unit:6.2f}  {shown}", flush=True)
        found = [mb for way in options.ours for mb in (last[way]["mb_peak"], *last[way].get("mb_workers", ()))]
        peaks[data] = max(map(float, found), default=0.0)
        if any(last[way].get("faults") for way in options.ours):
            raise SystemExit(f"{data}: not proven")
    sys.exit(told(medians, peaks))


def told(medians: dict[str, dict[str, float]], peaks: dict[str, float]) -> int:
    """Prints every bound that could be measured; 1 if one is broken."""
    rows = []
    for sets, one, other, most in BOUNDS:
        for data in sets:
            taken = medians.get(data, {})
            if one in taken and other in taken:
                rows.append((f"{data}: {one} / {other}", taken[one] / taken[other], most))
    per_child = {
        data: taken["single"] / int(GENERATED[data][1]) for data, taken in medians.items() if "single" in taken
    }
    if LARGEST in per_child and SMALLEST in per_child:
        ratio = per_child[LARGEST] / per_child[SMALLEST]
        rows.append((f"CPU per child, {LARGEST} / {SMALLEST}", ratio, PER_CHILD))
    rows += [(f"{data}: peak memory of a process, MB", mb, MOST_MB) for data, mb in peaks.items()]
    for name, value, most in rows:
        print(f"{'holds' if value <= most else 'BROKEN':6} {name}: {value:.3g} (at most {most:.3g})")
    return int(any(value > most for _, value, most in rows))


SHOWN = ("values", "obj", "faults", "check", "parts", "wall", "mb_data", "mb_peak", "mb_workers")

if __name__ == "__main__":
    main()
