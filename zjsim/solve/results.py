"""What a solve can come to. Only :class:`Optimal` and :class:`Feasible` carry a plan: no stale plan is exported."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

Plan = TypeVar("Plan")


@dataclass(frozen=True, slots=True)
class Stage:
    """One goal of a lexicographic solve: its value, the proven bound and the relative gap (0 = proven optimal).

    ``tolerance`` (in ``unit``) is what later goals were allowed to take from it; 0 where it was kept exactly.
    ``by_clock`` says whether the clock ended the search (None: not known); a gap may also be what whole numbers cost.
    """

    name: str
    sense: Literal["minimise", "maximise"]
    value: float
    bound: float
    gap: float
    unit: str = ""
    tolerance: float = 0.0
    by_clock: bool | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Rules that cannot hold together although every proper subset of them can, told in the planner's words.

    ``minimal`` is false when time ran out before every member was shown to be needed. ``repair`` names the
    requirements that give and by how much (summed over their rows); applied, the whole model holds.
    """

    members: tuple[str, ...]
    zh: str
    en: str
    repair_zh: str = ""
    repair_en: str = ""
    minimal: bool = True
    repair: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Optimal(Generic[Plan]):
    """A plan proven optimal in every goal."""

    plan: Plan
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Feasible(Generic[Plan]):
    """A plan that may not be the best: ``bound`` and relative ``gap`` of the first goal not proven."""

    plan: Plan
    stages: tuple[Stage, ...]
    bound: float
    gap: float


@dataclass(frozen=True, slots=True)
class Infeasible:
    """No plan exists; ``conflict`` says why."""

    conflict: Conflict


@dataclass(frozen=True, slots=True)
class Stopped:
    """A limit was reached before any plan was found."""

    reason: str
    stages: tuple[Stage, ...] = ()


Result = Optimal[Plan] | Feasible[Plan] | Infeasible | Stopped
