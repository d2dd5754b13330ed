"""Workers of an existing Dask cluster instead of local processes: the same tasks, the same code, the same bytes.

The cluster is somebody else's: nothing is installed on it and none of its settings are changed. Its workers must have
this package's very code, and the Python and numerical libraries of this process (the same lock file); anything else
could change a bit, and is refused. A worker that joins later, or goes, changes nothing: Dask gives the experiments to
whoever gets a task, and makes tasks again that a lost worker had.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from typing import Any, Literal

from zjsim.simulate.checkpoint import code_hash
from zjsim.simulate.ensemble import Cluster, Experiment, Outcomes, Submit, Task, replicate

LIBRARIES = ("numpy", "scipy", "simpy")
TIMEOUT_S = 10.0
"""How long a cluster may take to answer."""

Trouble = Literal["missing", "unreachable", "no_workers", "differs"]


class ClusterError(Exception):
    """The cluster can't be used: the extra is ``missing``, the address ``unreachable``, there are ``no_workers``, or a
    worker's software ``differs``; ``detail`` names what."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(f"{trouble}: {detail}")
        self.trouble, self.detail = trouble, detail


def software() -> dict[str, str]:
    """What a number could depend on, of the process that this is called in."""
    found = {"python": platform.python_version(), "zjsim": code_hash()[:12]}
    return found | {name: version(name) for name in LIBRARIES}


def cluster_at(address: str) -> Cluster:
    """The workers of the Dask scheduler at ``address``, for :class:`zjsim.simulate.ensemble.Ensemble`."""
    return partial(connected, address)


def check(address: str) -> int:
    """Number of worker threads at ``address``; raises :class:`ClusterError` if they can't be used."""
    with _client(address) as client:
        return _usable(client)


@contextmanager
def connected(address: str, experiments: Mapping[str, Experiment]) -> Iterator[Submit]:
    """Connect, give the workers the experiments, and hand out what submits a task."""
    with _client(address) as client:
        _usable(client)
        given = client.scatter(dict(experiments), broadcast=True, hash=False)
        executor = client.get_executor(pure=False)

        def submit(task: Task) -> Future[Outcomes]:
            future: Future[Outcomes] = executor.submit(_replicate, given, task)
            return future

        try:
            yield submit
        finally:
            executor.shutdown(wait=False)


def _replicate(experiments: Mapping[str, Experiment], task: Task) -> Outcomes:
    return replicate(experiments[task.experiment], task)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError("missing", error.name or "distributed") from error
    noisy = logging.getLogger("distributed")
    level = noisy.level
    noisy.setLevel(logging.CRITICAL)
    try:
        try:
            client = Client(address, timeout=TIMEOUT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise ClusterError("unreachable", address) from error
        with client:
            yield client
    finally:
        noisy.setLevel(level)


def _usable(client: Any) -> int:
    """Worker threads of the cluster, all with the software of this process."""
    here = software()
    try:
        there = client.run(software, on_error="return")
    except OSError as error:
        raise ClusterError("unreachable", client.scheduler.address) from error
    if not there:
        raise ClusterError("no_workers", client.scheduler.address)
    for worker, found in sorted(there.items()):
        if not isinstance(found, dict):
            raise ClusterError("differs", f"{worker}: {found}")
        other = [f"{name} {found[name]} ({here[name]})" for name in here if found.get(name) != here[name]]
        if other:
            raise ClusterError("differs", f"{worker}: {', '.join(other)}")
    return int(sum(client.nthreads().values()))
