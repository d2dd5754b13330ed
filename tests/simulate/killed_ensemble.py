"""Kill an ensemble again and again: ``python killed_ensemble.py FOLDER SEED KILLS`` prints what became of it as JSON.

Each life of the ensemble is a forked child that a SIGKILL ends at a random moment; it notes every task it begins.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from zjsim.simulate.checkpoint import Checkpoint
from zjsim.simulate.ensemble import Ensemble, Experiment, Task
from zjsim.simulate.inputs import Values
from zjsim.simulate.streams import Streams

TASKS = [Task("toy", {"x": x / 8}, 7, first, 3) for x in range(40) for first in (0, 3)]


def slow(folder: Path, values: Values, streams: Streams) -> dict[str, np.ndarray]:
    """A few milliseconds of work and 0.2 MB of outcomes; what is begun is noted."""
    if streams.replication % 3 == 0:
        with (folder / "begun").open("a") as f:
            f.write(f"{values['x']} {streams.replication}\n")
    time.sleep(0.001)
    return {"y": values["x"] + streams.uniforms("toy", "a", 2025, 8000)}


def live(folder: Path, checkpoint: Checkpoint) -> str:
    """The hash of all outcomes."""
    with Ensemble({"toy": Experiment(slow, folder)}, 1, checkpoint=checkpoint) as ensemble:
        found = ensemble.run(TASKS)
    return hashlib.sha256(b"".join(part["y"].tobytes() for part in found)).hexdigest()


def main(folder: Path, seed: int, kills: int) -> None:
    rng = random.Random(seed)
    checkpoint = Checkpoint(folder, "run", "key")
    killed, stored = 0, []
    while killed < kills:
        child = os.fork()
        if child == 0:
            live(folder, checkpoint)
            os._exit(0)
        time.sleep(rng.uniform(0.0, 0.016))
        os.kill(child, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        stored.append(checkpoint.stored())
    found = live(folder, checkpoint)
    begun = (folder / "begun").read_text().splitlines()
    checkpoint.clear()
    print(
        json.dumps({"hash": found, "killed": killed, "stored": stored, "begun": len(begun), "tasks": len(set(begun))})
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
