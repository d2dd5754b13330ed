"""Limits and switches of a solve. The defaults give the same plan on every machine unless a time limit strikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Limits(Protocol):
    """Anything that carries the limits a scenario sets (its section ``solver``)."""

    @property
    def time_limit_s(self) -> float: ...  # noqa: D102

    @property
    def relative_gap(self) -> float: ...  # noqa: D102

    @property
    def threads(self) -> int: ...  # noqa: D102

    @property
    def node_limit(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Options:
    """How long and how exactly to solve.

    ``time_limit_s`` covers all stages of one lexicographic solve together; ``relative_gap`` is the gap at which a
    mixed-integer stage may stop (0: prove it); ``threads`` above 1 may change which of several equally good plans is
    found; ``seed`` feeds the solver's own tie-breaking; ``log_file`` keeps the solver's log, run after run in one file
    (empty: no log); ``node_limit`` ends a search after that many nodes, the same on every machine (None: no limit).
    ``interior_point`` solves linear models by an interior point method with crossover to a vertex: quicker where many
    rows are tight at once and the simplex method stalls.
    """

    time_limit_s: float = 300.0
    relative_gap: float = 0.0
    threads: int = 1
    seed: int = 0
    log_file: str = ""
    node_limit: int | None = None
    interior_point: bool = False

    @classmethod
    def of(cls, limits: Limits, *, log_file: str = "") -> Options:
        """The options a scenario's section ``solver`` asks for."""
        return cls(
            limits.time_limit_s, limits.relative_gap, limits.threads, 0, log_file, node_limit=limits.node_limit or None
        )
