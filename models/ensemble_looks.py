"""Sequential stopping of the base ensembles: replications are added until the headline targets can be judged.

Each process is looked at by itself, at the same preset counts (times how often it is repeated). It stops at the first
look at which every headline target it answers is met or not met beyond simulation error, or at the last one. Input
uncertainty is another matter: it does not shrink with replications, and is judged on the design points as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from zjsim.models.feasibility import Target, margins

from zjsim.simulate.ensemble import Ensemble, Progress, Task, batches, stack
from zjsim.simulate.stopping import Looks, looks_up_to

if TYPE_CHECKING:
    from zjsim.models.throughput import Study


@dataclass(frozen=True, slots=True)
class Stopping:
    """Looks at ``counts`` replications (before repeats), ``error`` in all, over the targets in ``headline``
    (target id, reading), verdicts against ``p_required``."""

    counts: tuple[int, ...]
    error: float
    headline: frozenset[tuple[str, str]]
    p_required: float


def stopping_of(
    options: tuple[str, Sequence[int], float], most: int, headline: Sequence[Target], p_required: float
) -> Stopping | None:
    """What a scenario asks for: ``options`` are its kind of stopping, counts and error; None if the number is fixed."""
    kind, counts, error = options
    if kind == "fixed":
        return None
    keys = frozenset((t.target_id, t.reading) for t in headline)
    return Stopping(looks_up_to(counts, most), error, keys, p_required)


def looks_of(stopping: Stopping, repeat: int) -> Looks:
    """The looks at a process that repeats ``repeat`` times as often as asked; the error is shared by all targets."""
    return Looks(tuple(c * repeat for c in stopping.counts), stopping.error, max(1, len(stopping.headline)))


def grow(
    studies: Sequence[Study],
    targets: Sequence[Target],
    ensemble: Ensemble,
    seed: int,
    stopping: Stopping,
    progress: Progress | None = None,
) -> list[Study]:
    """The studies, of which the first look is there, grown look by look until each is decided."""
    grown = [replace(s, look=1, confidence=looks_of(stopping, s.process.repeat).confidence) for s in studies]
    for look in range(1, len(stopping.counts)):
        tasks: list[Task] = []
        cuts: dict[int, tuple[int, int]] = {}
        for n, study in enumerate(grown):
            process = study.process
            if decided(study, targets, stopping):
                continue
            counts = looks_of(stopping, process.repeat).counts
            more = Task(process.name, study.points[0].values, seed, counts[look - 1], counts[look] - counts[look - 1])
            parts = batches(more, process.batch)
            cuts[n] = len(tasks), len(tasks) + len(parts)
            tasks.extend(parts)
        if not tasks:
            break
        found = ensemble.run(tasks, progress)
        for n, (a, b) in cuts.items():
            grown[n] = replace(grown[n], base=stack([grown[n].base, *found[a:b]]), look=look + 1)
    return grown


def decided(study: Study, targets: Sequence[Target], stopping: Stopping) -> bool:
    """Whether every headline target that the process answers is met or not met beyond simulation error."""
    looks = looks_of(stopping, study.process.repeat)
    for target in targets:
        if (target.target_id, target.reading) in stopping.headline and target.outcome in study.process.outcomes:
            margin = margins(target, study.base[target.outcome], study.process.years)
            if not looks.decided(int(np.sum(margin >= 0)), len(margin), stopping.p_required):
                return False
    return True
