"""Replications of simulations over worker processes: the same numbers, in the same order, for any number of workers.

A worker gets the data of all experiments once, when it starts; a task is a few numbers. Results are handed back in the
order of the tasks, whichever worker was faster. A failing or interrupted run raises and leaves nothing behind.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zjsim.simulate.inputs import Values
from zjsim.simulate.streams import Streams

Outcome = Mapping[str, NDArray[np.float64]]
"""Outcome name → one value per simulated year."""
Outcomes = dict[str, NDArray[np.float64]]
"""Outcome name → array (replication, year)."""
Progress = Callable[[int, int], None]
"""Told how many units of work are done, and how many there are."""


@dataclass(frozen=True)
class Experiment:
    """A process that can be replicated: ``function(data, values, streams)``; both must be picklable for workers."""

    function: Callable[[Any, Values, Streams], Outcome]
    data: Any


@dataclass(frozen=True, slots=True)
class Task:
    """Replications ``first .. first + count - 1`` of an experiment with the inputs at ``values``."""

    experiment: str
    values: Values
    seed: int
    first: int
    count: int


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

    ``workers`` is 1 (no process is started) or more; an ``executor`` whose workers were given the experiments by
    :func:`give_experiments` replaces the local processes.
    """

    def __init__(
        self, experiments: Mapping[str, Experiment], workers: int = 1, executor: Executor | None = None
    ) -> None:
        if workers < 1:
            raise ValueError(f"wanted at least one worker, got {workers}")
        self._experiments, self._workers, self._executor = dict(experiments), workers, executor

    def __enter__(self) -> Ensemble:
        if self._workers > 1 and self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=give_experiments,
                initargs=(self._experiments,),
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def run(self, tasks: Sequence[Task], progress: Progress | None = None) -> list[Outcomes]:
        """The outcomes of every task, in the order of ``tasks``; ``progress`` counts tasks."""
        tell = progress or (lambda done, total: None)
        if self._executor is None:
            found = []
            for k, task in enumerate(tasks):
                found.append(replicate(self._experiments[task.experiment], task))
                tell(k + 1, len(tasks))
            return found
        futures = [self._executor.submit(_replicate_given, task) for task in tasks]
        try:
            waiting: set[Future[Outcomes]] = set(futures)
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                tell(len(futures) - len(waiting), len(futures))
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        return [future.result() for future in futures]


def replicate(experiment: Experiment, task: Task) -> Outcomes:
    """Replications of one task, one after the other; each is keyed by its own number and by nothing else."""
    with _no_cycle_search():
        runs = [
            experiment.function(experiment.data, task.values, Streams(task.seed, replication))
            for replication in range(task.first, task.first + task.count)
        ]
    return {name: np.array([run[name] for run in runs], dtype=np.float64) for name in runs[0]}


@contextmanager
def _no_cycle_search() -> Iterator[None]:
    """Keep Python from looking for garbage cycles during a task: entities are freed as they are let go.

    The search walks over every living entity again and again, and cost a fifth of the time; what little is left in
    cycles waits for the end of the task.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_given: dict[str, Experiment] = {}


def give_experiments(experiments: Mapping[str, Experiment]) -> None:
    """Hand the experiments to a worker process, once."""
    _given.clear()
    _given.update(experiments)


def _replicate_given(task: Task) -> Outcomes:
    return replicate(_given[task.experiment], task)
