"""Worker processes that end with the process that started them, however that one ends.

A pool whose parent is killed is never told so: its workers would wait for tasks for ever, each with its memory.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def worker_pool(
    workers: int, initializer: Callable[..., object] | None = None, initargs: tuple[Any, ...] = ()
) -> ProcessPoolExecutor:
    """A pool of ``workers`` fresh processes (spawned: the same on every system); use it as a context manager.

    ``initializer(*initargs)`` is called once in every worker.
    """
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(initializer, initargs),
    )


def mapped(function: Callable[..., Any], workers: int, *columns: Iterable[Any]) -> Iterator[Any]:
    """``map(function, *columns)``, in order, by ``workers`` processes (1: by this one)."""
    if workers == 1:
        yield from map(function, *columns)
        return
    with worker_pool(workers) as pool:
        yield from pool.map(function, *columns)


def _begin(initializer: Callable[..., object] | None, initargs: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if initializer is not None:
        initializer(*initargs)


def _end_with_parent() -> None:
    """Wait until the parent is gone, then leave at once: nobody is there to take a result."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
