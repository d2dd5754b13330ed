"""What every process of a simulation did and when, for reading one replication closely; costs nothing where not asked.

A :class:`Tracing` simulation runs the same processes in the same order. Each is followed from outside: what it was
called with, and at which time it asked for what. Process descriptions know nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import GeneratorType
from typing import Any, cast

from zjsim.simulate.kernel import Simulation, Steps, Wish


@dataclass(slots=True)
class Track:
    """One process: its name and arguments, and the times at which it asked for something (None: it had finished).

    What it asked for in entry k it was given at the time of entry k + 1; in the last one it is still waiting.
    """

    name: str
    arguments: dict[str, Any]
    marks: list[tuple[float, Wish | None]] = field(default_factory=list)

    def time(self, k: int) -> float | None:
        """The time of entry ``k``, None if it did not come to that."""
        return self.marks[k][0] if k < len(self.marks) else None


class Tracing(Simulation):
    """A simulation that keeps a :class:`Track` of every process, in the order in which they were started."""

    def __init__(self, initial_time: float = 0.0) -> None:
        super().__init__(initial_time)
        self.tracks: list[Track] = []

    def start(self, steps: Steps) -> None:
        """Begin a process and follow it."""
        process = cast("GeneratorType[Wish, None, None]", steps)
        frame = process.gi_frame
        track = Track(process.__name__, dict(frame.f_locals) if frame is not None else {})
        self.tracks.append(track)
        super().start(self._followed(steps, track))

    def _followed(self, steps: Steps, track: Track) -> Steps:
        for wish in steps:
            track.marks.append((self.now, wish))
            yield wish
        track.marks.append((self.now, None))
