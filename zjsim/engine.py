"""How a run's simulation is carried out: by which workers, and from where an interrupted one goes on.

Nothing here changes a number: a run has the same bytes with one process or many, on a cluster, or after having been
killed and started again.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zjsim.runfolder import folder_name

if TYPE_CHECKING:
    import pandas as pd

    from zjsim.simulate.checkpoint import Checkpoint

_NUMERIC = ("numpy", "scipy", "simpy")
"""Libraries whose version could change a number."""


@dataclass(frozen=True)
class Engine:
    """Workers of a run: ``workers`` local processes, or those of the Dask cluster at address ``cluster``.

    ``checkpoint`` keeps what is finished until the run is complete.
    """

    workers: int = 1
    cluster: str = ""
    checkpoint: Checkpoint | None = None

    def options(self) -> dict[str, Any]:
        """The arguments ``workers``, ``cluster`` and ``checkpoint`` of ``zjsim.models.throughput.simulate``."""
        if not self.cluster:
            return {"workers": self.workers, "checkpoint": self.checkpoint}
        from zjsim.simulate.cluster import cluster_at

        return {"workers": self.workers, "checkpoint": self.checkpoint, "cluster": cluster_at(self.cluster)}


def checkpoint_of(out: Path, scenario: str, run_id: str, plan: Mapping[str, pd.DataFrame]) -> Checkpoint:
    """Where the finished parts of a run's simulation are kept: beside its place, hidden, keyed by all they follow from.

    ``run_id`` stands for inputs, options and seed; the plan is added (a solve that met a limit may end elsewhere next
    time), and the code itself, the libraries and the Python version.
    """
    from zjsim.simulate.checkpoint import Checkpoint, code_hash, key_of

    parts = [run_id, code_hash(), platform.python_version(), *(f"{n}=={version(n)}" for n in _NUMERIC)]
    tables = [f"{name}\n{plan[name].to_csv(index=False)}" for name in sorted(plan)]
    return Checkpoint(out / folder_name(scenario), run_id, key_of(p.encode() for p in (*parts, *tables)))


def say_resumed(checkpoint: Checkpoint, notice: Callable[[str], None] | None, lang: Any) -> None:
    """Tell the user that an interrupted run is taken up again, and how much of it is there."""
    from zjsim.texts import text

    found = checkpoint.stored()
    if found and notice is not None:
        notice(text("run.resumed", lang, n=found, folder=checkpoint.folder))


def write_event_log(
    folder: Path, scenario: Any, plan: Mapping[str, pd.DataFrame], seed: int, which: int, lang: Any
) -> None:
    """Simulate replication ``which`` at the base values once more and write all its events into ``folder``."""
    from zjsim.models.event_log import event_log
    from zjsim.models.throughput import processes_of
    from zjsim.tables.writer import write_csv

    (folder / "events").mkdir()
    found = event_log(processes_of(scenario, plan), seed=seed, replication=which, lang=lang)
    write_csv(found, folder / "events" / "event_log.csv")
