"""Replications of simulations over worker processes: the same numbers, in the same order, for any number of workers.

A worker gets the data of all experiments once, when it starts, and unpacks one when it is first asked for it; a task
is a few numbers. What a worker imports is what unpacking needs: the processes import no library of tables or solvers
when they run (a test keeps it so), and a worker stays small. Results are handed back in the
order of the tasks, whichever worker was faster. A failing or interrupted run raises; with a :class:`Checkpoint` the
tasks it had finished are not made again by the next one.
"""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zjsim.simulate.checkpoint import Checkpoint
from zjsim.simulate.inputs import Values
from zjsim.simulate.streams import Streams
from zjsim.simulate.workers import worker_pool

Outcome = Mapping[str, NDArray[np.float64]]
"""Outcome name → one value per simulated year."""
Outcomes = dict[str, NDArray[np.float64]]
"""Outcome name → array (replication, year)."""
Progress = Callable[[int, int], None]
"""Told how many units of work are done, and how many there are."""


@dataclass(frozen=True)
class Experiment:
    """A process that can be replicated: ``function(data, values, streams)``; both must be picklable for workers.

    ``cost``: what a replication takes against those of others (any unit): workers begin with the dearest tasks, so that
    none of these is left for the end, when the others have nothing to do. It changes no number and no order of results.
    """

    function: Callable[[Any, Values, Streams], Outcome]
    data: Any
    cost: float = 1.0


@dataclass(frozen=True, slots=True)
class Task:
    """Replications ``first .. first + count - 1`` of an experiment with the inputs at ``values``."""

    experiment: str
    values: Values
    seed: int
    first: int
    count: int


Submit = Callable[[Task], "Future[Outcomes]"]
"""Hands a task to a worker."""
Cluster = Callable[[Mapping[str, Experiment]], AbstractContextManager[Submit]]
"""Connects workers that were started elsewhere, gives them the experiments, and lets them go at the end."""


def batches(task: Task, size: int) -> list[Task]:
    """``task`` cut into tasks of at most ``size`` replications, in order."""
    end = task.first + task.count
    return [
        Task(task.experiment, task.values, task.seed, first, min(size, end - first))
        for first in range(task.first, end, size)
    ]


def stack(parts: Sequence[Outcomes]) -> Outcomes:
    """The replications of several batches, one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class Ensemble:
    """Experiments and the workers that replicate them; use it as a context manager.

    ``workers`` is 1 (no process is started) or more. ``cluster`` replaces the local processes: a context manager like
    :func:`zjsim.simulate.cluster.connected`, which yields a function that submits a task. ``checkpoint`` keeps finished
    tasks; those it has already are read from it.
    """

    def __init__(
        self,
        experiments: Mapping[str, Experiment],
        workers: int = 1,
        cluster: Cluster | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        if workers < 1:
            raise ValueError(f"wanted at least one worker, got {workers}")
        self._experiments, self._workers, self._cluster = dict(experiments), workers, cluster
        self._checkpoint = checkpoint
        self._submit: Submit | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Ensemble:
        if self._cluster is not None:
            self._submit = self._stack.enter_context(self._cluster(self._experiments))
        elif self._workers > 1:
            self._submit = self._stack.enter_context(_local(self._experiments, self._workers))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, tasks: Sequence[Task], progress: Progress | None = None) -> list[Outcomes]:
        """The outcomes of every task, in the order of ``tasks``; ``progress`` counts tasks."""
        tell = progress or (lambda done, total: None)
        found = {k: kept for k, task in enumerate(tasks) if (kept := self._kept(task)) is not None}
        missing = [k for k in range(len(tasks)) if k not in found]
        if found:
            tell(len(found), len(tasks))
        if self._submit is None:
            for k in missing:
                found[k] = replicate(self._experiments[tasks[k].experiment], tasks[k])
                self._keep(tasks[k], found[k])
                tell(len(found), len(tasks))
        else:
            self._run_elsewhere(self._submit, tasks, missing, found, tell)
        return [found[k] for k in range(len(tasks))]

    def _run_elsewhere(
        self, submit: Submit, tasks: Sequence[Task], missing: Sequence[int], found: dict[int, Outcomes], tell: Progress
    ) -> None:
        cost = {k: self._experiments[tasks[k].experiment].cost * tasks[k].count for k in missing}
        futures = {submit(tasks[k]): k for k in sorted(missing, key=lambda k: (-cost[k], k))}
        try:
            waiting: set[Future[Outcomes]] = set(futures)
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    k = futures[future]
                    found[k] = future.result()
                    self._keep(tasks[k], found[k])
                tell(len(found), len(tasks))
        except BaseException:
            for future in futures:
                future.cancel()
            raise

    def _kept(self, task: Task) -> Outcomes | None:
        return None if self._checkpoint is None else self._checkpoint.get(task)

    def _keep(self, task: Task, outcomes: Outcomes) -> None:
        if self._checkpoint is not None:
            self._checkpoint.put(task, outcomes)


@contextmanager
def _local(experiments: Mapping[str, Experiment], workers: int) -> Iterator[Submit]:
    """Processes of this machine, each given the experiments once."""
    packed = {name: pickle.dumps(experiment) for name, experiment in experiments.items()}
    executor = worker_pool(workers, give_experiments, (packed,))
    try:
        yield lambda task: executor.submit(_replicate_given, task)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def replicate(experiment: Experiment, task: Task) -> Outcomes:
    """Replications of one task, one after the other; each is keyed by its own number and by nothing else."""
    runs = []
    with _no_cycle_search():
        for replication in range(task.first, task.first + task.count):
            runs.append(experiment.function(experiment.data, task.values, Streams(task.seed, replication)))
            gc.collect(0)  # what this replication left in cycles: only objects made since the last one are looked at
    return {name: np.array([run[name] for run in runs], dtype=np.float64) for name in runs[0]}


@contextmanager
def _no_cycle_search() -> Iterator[None]:
    """Keep Python from looking for garbage cycles during a replication: entities are freed as they are let go.

    The search walks over every living entity again and again, and cost a fifth of the time; what is left in cycles
    waits for the end of the replication.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_given: dict[str, bytes | Experiment] = {}


def give_experiments(experiments: Mapping[str, bytes]) -> None:
    """Hand the pickled experiments to a worker process, once."""
    _given.clear()
    _given.update(experiments)


def _replicate_given(task: Task) -> Outcomes:
    """Replicate in a worker; an experiment is unpacked when the first task asks for it."""
    experiment = _given[task.experiment]
    if isinstance(experiment, bytes):
        experiment = _given[task.experiment] = pickle.loads(experiment)
    return replicate(experiment, task)
