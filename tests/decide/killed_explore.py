"""``zjsim ARGUMENTS…`` with a process of programmes alone and slow tasks: what a test kills and starts again.

``python killed_explore.py FOLDER explore …``: FOLDER gets a line for every task that is begun.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from zjsim.models.processes import processes_of

import zjsim.decide.explore as room
import zjsim.decide.explore_files as files
from zjsim.cli import main
from zjsim.decide.planned import Planned
from zjsim.scenario import load
from zjsim.simulate import ensemble

BEGUN = Path(sys.argv[1])
replicate = ensemble.replicate


def slow(experiment: Any, task: Any) -> Any:
    """A task of the ensemble, noted when it begins."""
    with BEGUN.open("a") as f:
        f.write("task\n")
    time.sleep(0.01)
    return replicate(experiment, task)


def only_programmes(scenario: Any, plan: Any) -> Any:
    """The other processes would make the test long."""
    return [p for p in processes_of(scenario, plan) if p.name == "programmes"]


if __name__ == "__main__":
    ensemble.replicate = slow
    room.processes_of = only_programmes  # type: ignore[attr-defined]
    files.planned = lambda source, sets, **_: Planned(source, load(source, sets=sets), {}, 1)  # type: ignore[assignment]
    main(sys.argv[2:])
