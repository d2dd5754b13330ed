from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager

import numpy as np
import pytest

from zjsim.simulate.ensemble import Ensemble, Experiment, Outcomes, Submit, Task, batches, replicate, stack
from zjsim.simulate.inputs import Values
from zjsim.simulate.streams import Streams


def noisy(data: float, values: Values, streams: Streams) -> dict[str, np.ndarray]:
    """A cheap process: two years of noise around ``data`` + x."""
    if values["x"] < 0:
        raise ValueError("x is negative")
    return {"y": data + values["x"] + streams.uniforms("toy", "a", 2025, 2)}


TOY = {"toy": Experiment(noisy, 10.0)}


def tasks(*values: float) -> list[Task]:
    return [part for x in values for part in batches(Task("toy", {"x": x}, 7, 0, 10), 4)]


def run(workers: int, *values: float) -> list[Outcomes]:
    with Ensemble(TOY, workers) as ensemble:
        return ensemble.run(tasks(*values))


def test_two_workers_give_the_bytes_of_one() -> None:
    alone, together = run(1, 0.0, 1.0), run(2, 0.0, 1.0)
    assert [p["y"].tobytes() for p in alone] == [p["y"].tobytes() for p in together]


def test_batches_cover_every_replication_once_and_growing_keeps_the_first_ones() -> None:
    parts = batches(Task("toy", {"x": 0.0}, 7, 0, 10), 4)
    assert [(t.first, t.count) for t in parts] == [(0, 4), (4, 4), (8, 2)]
    whole = replicate(TOY["toy"], Task("toy", {"x": 0.0}, 7, 0, 50))["y"]
    assert np.array_equal(stack(run(1, 0.0))["y"], whole[:10])


def test_progress_counts_tasks() -> None:
    told = []
    with Ensemble(TOY, 1) as ensemble:
        ensemble.run(tasks(0.0), lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_replication_fails_the_whole_run(workers: int) -> None:
    with pytest.raises(ValueError, match="x is negative"):
        run(workers, 0.0, -1.0)


def test_an_interrupted_run_returns_nothing() -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with Ensemble(TOY, 2) as ensemble, pytest.raises(KeyboardInterrupt):
        ensemble.run(tasks(0.0), stop)


def test_no_workers_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one worker"):
        Ensemble(TOY, 0)


def test_the_dearest_tasks_begin_first_and_results_keep_the_order_of_the_tasks() -> None:
    """Cost of a replication × replications: 2 × 3 before 1 × 5 before 1 × 2; equal ones in their own order."""
    asked = [Task("cheap", {"x": 0.0}, 7, 0, 2), Task("toy", {"x": 1.0}, 7, 0, 3), Task("cheap", {"x": 2.0}, 7, 0, 5)]
    made = {"cheap": Experiment(noisy, 10.0), "toy": Experiment(noisy, 20.0, cost=2.0)}
    seen = list[float]()

    @contextmanager
    def elsewhere(experiments: Mapping[str, Experiment]) -> Iterator[Submit]:
        def submit(task: Task) -> Future[Outcomes]:
            seen.append(task.values["x"])
            done = Future[Outcomes]()
            done.set_result(replicate(experiments[task.experiment], task))
            return done

        yield submit

    with Ensemble(made, cluster=elsewhere) as ensemble:
        found = ensemble.run([*asked, asked[0]])
    assert seen == [1.0, 2.0, 0.0, 0.0]
    assert [p["y"].tobytes() for p in found[:3]] == [replicate(made[t.experiment], t)["y"].tobytes() for t in asked]


def test_what_a_replication_leaves_in_cycles_is_gone_before_the_next() -> None:
    """A task of many replications needs no more memory than one."""
    alive, most = list[weakref.ref[Cycle]](), 0

    def leaves_cycles(data: float, values: Values, streams: Streams) -> dict[str, np.ndarray]:
        nonlocal most
        alive[:] = [r for r in alive if r() is not None]
        most = max(most, len(alive))
        alive.append(weakref.ref(Cycle()))
        return {"y": np.zeros(1)}

    replicate(Experiment(leaves_cycles, 0.0), Task("toy", {}, 7, 0, 20))
    assert most == 0


class Cycle:
    """Keeps itself alive until somebody searches for cycles."""

    def __init__(self) -> None:
        self.itself = self
