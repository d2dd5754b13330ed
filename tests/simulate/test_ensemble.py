from __future__ import annotations

import numpy as np
import pytest

from zjsim.simulate.ensemble import Ensemble, Experiment, Outcomes, Task, batches, replicate, stack
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
