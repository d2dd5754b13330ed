"""The steps of a run, and how long each takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

STEPS = ("read", "assign", "locations", "talent", "seats", "audit", "simulate", "report")
"""The steps of a run in order; :data:`Progress` is told their names."""

Progress = Callable[[str, float], None]
"""Told the name of the step that is under way and the share of it that is done (0..1)."""


class Clock:
    """Times every step and tells ``progress`` about it."""

    def __init__(self, progress: Progress | None) -> None:
        self._tell = progress or (lambda step, share: None)
        self._seconds: dict[str, float] = {}
        self._now = STEPS[0]
        self._started = time.time()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done within as step ``name``."""
        self._now = name
        self._tell(name, 0.0)
        begin = time.perf_counter()
        yield
        self._seconds[name] = round(time.perf_counter() - begin, 3)
        self._tell(name, 1.0)

    def within(self, done: int, total: int) -> None:
        """Tell that ``done`` of ``total`` parts of the step under way are done."""
        self._tell(self._now, done / total if total else 1.0)

    def timings(self, workers: int) -> dict[str, Any]:
        """Seconds of every step, and when the run began: the content of ``timings.json``."""
        return {
            "note": "not reproducible: differs from run to run and is no part of the run's name or hashes",
            "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._started)),
            "seconds": self._seconds,
            "workers": workers,
        }
