"""A Dask cluster gives the bytes of local processes, and says clearly why it can't be used."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zjsim.simulate import cluster
from zjsim.simulate.cluster import ClusterError, check, cluster_at, software
from zjsim.simulate.ensemble import Ensemble, Experiment, Task, batches
from zjsim.simulate.inputs import Values
from zjsim.simulate.streams import Streams

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from distributed import LocalCluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the cluster itself has to say is not ours
        found = LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None)
    yield found.scheduler_address
    found.close()


def noisy(data: float, values: Values, streams: Streams) -> dict[str, np.ndarray]:
    if values["x"] < 0:
        raise ValueError("x is negative")
    return {"y": data + values["x"] + streams.uniforms("toy", "a", 2025, 3)}


EXPERIMENTS = {"toy": Experiment(noisy, 1 / 3)}
TASKS = [part for x in (0.0, 0.1) for part in batches(Task("toy", {"x": x}, 7, 0, 10), 3)]


def run(tasks: list[Task], **workers: Any) -> list[bytes]:
    told: list[tuple[int, int]] = []
    with Ensemble(EXPERIMENTS, **workers) as ensemble:
        found = ensemble.run(tasks, lambda done, total: told.append((done, total)))
    assert told[-1] == (len(tasks), len(tasks))
    return [part["y"].tobytes() for part in found]


def test_a_cluster_gives_the_bytes_of_local_processes(address: str) -> None:
    assert check(address) == 2
    assert run(TASKS, cluster=cluster_at(address)) == run(TASKS, workers=2) == run(TASKS)


def test_a_failure_on_the_cluster_is_a_failure_here(address: str) -> None:
    with pytest.raises(ValueError, match="x is negative"):
        run([*TASKS, Task("toy", {"x": -1.0}, 7, 0, 1)], cluster=cluster_at(address))


def test_nobody_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "TIMEOUT_S", 0.3)
    for address in ("tcp://127.0.0.1:9", "no such place"):
        with pytest.raises(ClusterError) as error:
            check(address)
        assert (error.value.trouble, error.value.detail) == ("unreachable", address)


def test_a_worker_with_other_software_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "software", lambda: {**software(), "numpy": "0.1"})

    class Fixed:
        def run(self, function: Any, on_error: str) -> dict[str, Any]:
            return {"tcp://w": software()}

    with pytest.raises(ClusterError) as error:
        cluster._usable(Fixed())
    assert error.value.trouble == "differs"
    assert "(0.1)" in error.value.detail
    assert "tcp://w: numpy " in error.value.detail


def test_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError) as error:
        check("tcp://127.0.0.1:9")
    assert error.value.trouble == "missing"
