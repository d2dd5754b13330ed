"""Numbers of a replication whose expectation is known: what they explain of a difference is chance, and is taken off.

A process may export outcomes ``control/<name>`` by (replication, simulated year) that are 0 in expectation, whatever
its inputs and data: training tells by how much the demand of a year differs from its mean. Common random numbers share
every draw of demand, sizes, patience and attendance already; a class draws nothing once it has formed, so no draw
loses its partner when trainers become fewer. What still differs is the answer to demand: where trainers run short on
one side only, more demand is more volume on the other side alone. That part runs along with the control.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from zjsim.models.feasibility import Array, Target

PREFIX = "control/"


def controls_of(outcomes: Mapping[str, Array], target: Target, years: Sequence[int]) -> Array | None:
    """The controls of a process in the years of ``target``, by (replication, control); None where it has none.

    ``years`` are those of the plan, of which the last are simulated; past years are the same in every replication. A
    control is the mean over the target's simulated years.
    """
    names = sorted(name for name in outcomes if name.startswith(PREFIX))
    if not names:
        return None
    simulated = list(years)[len(years) - outcomes[names[0]].shape[1] :]
    wanted = [k for k, y in enumerate(simulated) if target.first_year <= y <= target.last_year]
    if not wanted:
        return None
    return np.column_stack([outcomes[name][:, wanted].mean(axis=1) for name in names])
