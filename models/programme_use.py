"""What programmes export of their projects: being set up, opened, failed, and approvals (M009-M017, M045-M049).

Nobody queues for an approval: batches are scheduled, and count as served on their day. A project is under way from its
start to its opening or its failure; of one that fails before the horizon all its days are lost work. Project-days of a
planned set-up have no capacity of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from zjsim.models.process_tools import Floats

from zjsim.simulate.resources import Resource, counted, exported, months_between, spread

if TYPE_CHECKING:
    from zjsim.models.programme_data import ProgrammeData

SETUP = "programme_setup"


def programme_resources(data: ProgrammeData) -> tuple[Resource, ...]:
    """Projects being set up, by programme."""
    return (Resource(SETUP, "project-days", tuple(p.programme_id for p in data.programmes)),)


class SetUps:
    """Notes projects and approvals of every programme while they are drawn."""

    def __init__(self, data: ProgrammeData) -> None:
        self._data = data
        self._projects: list[tuple[int, Floats, Floats, Floats]] = []
        self._approved: list[tuple[int, Floats]] = []

    def projects(self, programme: int, start: Floats, finished: Floats, fails: Floats) -> None:
        """Projects of a programme (its place): days of start, and of opening or failing (1: it ``fails``)."""
        self._projects.append((programme, start, finished, fails))

    def approved(self, programme: int, days: Floats) -> None:
        """Approvals and milestones of a programme, by day."""
        self._approved.append((programme, days))

    def use(self) -> dict[str, Floats]:
        """The outcomes that the process exports for its resource."""
        when, places = self._data.horizon, len(self._data.programmes)
        months = months_between(when.first_day, when.end)
        none = np.zeros(0)
        start = np.concatenate([none, *(s for _, s, _, _ in self._projects)])
        finished = np.concatenate([none, *(f for _, _, f, _ in self._projects)])
        fails = np.concatenate([none, *(f for _, _, _, f in self._projects)])
        place = np.concatenate([none, *(np.full(len(s), p) for p, s, _, _ in self._projects)]).astype(np.int64)
        day = np.concatenate([none, *(d for _, d in self._approved)])
        approved = np.concatenate([none, *(np.full(len(d), p) for p, d in self._approved)]).astype(np.int64)
        opened = np.where(fails > 0, np.nan, finished)
        failed = np.where(fails > 0, finished, np.nan)
        return exported(
            SETUP,
            months,
            {
                "used": spread(start, finished, 1.0, place, places, months),
                "served": counted(opened, 1.0, place, places, months) + counted(day, 1.0, approved, places, months),
                "left": counted(failed, 1.0, place, places, months),
                "lost": counted(failed, finished - start, place, places, months),
            },
        )
