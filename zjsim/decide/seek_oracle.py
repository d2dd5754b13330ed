"""The simulation as a search asks for it: margins of targets at points, on numbered replications, kept once made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zjsim.decide.seek_levers import Lever
from zjsim.decide.seek_space import Floats, Point
from zjsim.models.feasibility import Target, margins
from zjsim.models.processes import Process
from zjsim.simulate.ensemble import Ensemble, Experiment, Task
from zjsim.simulate.inputs import Values, base_values
from zjsim.simulate.streams import Streams


@dataclass(frozen=True)
class Only:
    """A process of which only some outcomes are handed on: the others would fill memory and checkpoints."""

    simulate: Callable[..., Mapping[str, Any]]
    outcomes: tuple[str, ...]

    def __call__(self, data: Any, values: Values, streams: Streams) -> dict[str, Any]:
        """One replication."""
        found = self.simulate(data, values, streams)
        return {name: found[name] for name in self.outcomes}


@dataclass(frozen=True)
class Asked:
    """A target reading with its row of the registry and the process that it is of."""

    target: Target
    row: Mapping[str, Any]
    process: Process


def lean(process: Process, outcomes: Sequence[str]) -> Process:
    """The process with nothing in it that cannot move ``outcomes``: other programmes are left out (same draws)."""
    programmes = getattr(process.data, "programmes", None)
    if programmes is None:
        return process
    kept = tuple(p for p in programmes if {p.outcome_new, *p.outcomes_level, p.outcome_ever} & set(outcomes))
    return replace(process, data=replace(process.data, programmes=kept))


class Simulated:
    """An oracle (:class:`zjsim.decide.seek_space.Oracle`) that simulates; use it as a context manager.

    A process is simulated once per setting of the levers that reach it, whatever the others do; tasks are batches of
    replications of the process's own size, so an interrupted search finds them again in the checkpoint.
    """

    def __init__(
        self,
        asked: Sequence[Asked],
        levers: Sequence[Lever],
        seed: int,
        sizes: Sequence[int],
        screened: Sequence[int],
        options: Mapping[str, Any],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.asked, self.levers, self.seed = tuple(asked), tuple(levers), seed
        self.sizes, self.screened = tuple(sizes), tuple(screened)
        outcomes: dict[str, list[str]] = {}
        for a in asked:
            outcomes.setdefault(a.process.name, []).append(a.target.outcome)
        self._outcomes = {name: tuple(dict.fromkeys(found)) for name, found in outcomes.items()}
        self._processes = {a.process.name: lean(a.process, self._outcomes[a.process.name]) for a in asked}
        experiments = {
            name: Experiment(Only(p.simulate, self._outcomes[name]), p.data) for name, p in self._processes.items()
        }
        self._ensemble = Ensemble(experiments, **options)
        self._kept: dict[tuple[str, Point, int, int], dict[str, Floats]] = {}
        self.replications: dict[str, int] = dict.fromkeys(self._processes, 0)
        self._progress = progress

    def __enter__(self) -> Simulated:
        self._ensemble.__enter__()
        return self

    def __exit__(self, *problem: object) -> None:
        self._ensemble.__exit__(*problem)

    def margins(self, points: Sequence[Point], target: int, first: int, count: int) -> list[Floats]:
        """Margins of a target at every point in replications first .. first + count - 1."""
        a = self.asked[target]
        name, process = a.process.name, self._processes[a.process.name]
        keys = [self._own(name, p) for p in points]
        whole = range(first - first % process.batch, first + count, process.batch)
        wanted = [
            (key, n) for key in dict.fromkeys(keys) for n in whole if (name, key, n, process.batch) not in self._kept
        ]
        tasks = [Task(name, self._values(process, key), self.seed, n, process.batch) for key, n in wanted]
        for (key, n), found in zip(wanted, self._ensemble.run(tasks) if tasks else [], strict=True):
            self._kept[name, key, n, process.batch] = found
        self.replications[name] += process.batch * len(tasks)
        if tasks and self._progress is not None:
            self._progress(sum(self.replications.values()))
        made = []
        for key in keys:
            parts = [self._kept[name, key, n, process.batch][a.target.outcome] for n in whole]
            values = np.concatenate(parts)[first - whole.start :][:count]
            made.append(margins(a.target, values, process.years))
        return made

    def _own(self, process: str, point: Point) -> Point:
        """The point with levers that do not reach the process at their present levels."""
        return tuple(
            k if any(lever.reaches(process, o) for o in self._outcomes[process]) else lever.present
            for k, lever in zip(point, self.levers, strict=True)
        )

    def _values(self, process: Process, point: Point) -> dict[str, float]:
        found = base_values(process.inputs)
        for k, lever in zip(point, self.levers, strict=True):
            found |= lever.values(k)
        return found


__all__ = ["Asked", "Only", "Simulated", "lean"]
