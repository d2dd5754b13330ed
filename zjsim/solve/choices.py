"""How free each decision of a plan is: is it in every nearly best plan, in some, or the only one possible?

Nearly best means: the goal loses at most a share ε of (best − worst feasible). A decision that the plan takes is
*forced* when no plan exists without it, *firm* at ε when every plan within ε takes it, and *swappable* when some plan
within ε takes it and some does not. A decision that the plan does not take is *swappable* when some plan within ε takes
it, *out* when none does, *impossible* when no plan at all does. Where a limit leaves this open it is *unproven*.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from zjsim.solve.goals import Prepared, Solution
from zjsim.solve.resolve import Resolver
from zjsim.solve.results import Feasible, Infeasible, Optimal, Stage

Standing = Literal["forced", "firm", "swappable", "out", "impossible", "unproven"]

Slot = TypeVar("Slot")

_SLACK = 1e-7


@dataclass(frozen=True, slots=True)
class Span:
    """Best and worst feasible value of a goal, each as (surely reached, proven bound)."""

    best: float
    best_bound: float
    worst: float
    worst_bound: float

    @property
    def least(self) -> float:
        """The distance between best and worst is at least this."""
        return abs(self.best - self.worst)

    @property
    def most(self) -> float:
        """The distance between best and worst is at most this."""
        return abs(self.best_bound - self.worst_bound)


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision turned the other way: what the goal then loses, at least and at most, and the plan found.

    Infinite losses: impossible. ``loss_high`` is infinite where only a bound was needed or time ran out.
    """

    in_plan: bool
    loss_low: float
    loss_high: float
    other: Solution | None = None

    def standing(self, share: float, span: Span) -> Standing:
        """The class of the decision within ``share`` of the goal's span."""
        if math.isinf(self.loss_low):
            return "forced" if self.in_plan else "impossible"
        slack = _SLACK * max(1.0, span.least)
        if self.loss_low > (share * span.most if share else 0.0) + slack:
            return "firm" if self.in_plan else "out"
        if self.loss_high <= share * span.least + slack:
            return "swappable"
        return "unproven"


def span_of(prepared: Prepared, stage: Stage, time_limit_s: float | None = None) -> Span:
    """Best (known from ``stage``) and worst value of the first goal."""
    result = prepared.reversed().solve(time_limit_s=time_limit_s)
    if isinstance(result, Optimal | Feasible):
        worst = result.stages[0]
        return Span(stage.value, stage.bound, worst.value, worst.bound)
    return Span(stage.value, stage.bound, stage.value, -math.inf if stage.sense == "maximise" else math.inf)


def best_without(
    prepared: Prepared, stage: Stage, chosen: Mapping[Slot, Any]
) -> dict[Slot, tuple[float, Solution] | None]:
    """For every slot the best plan without the 0/1 variable ``chosen`` for it, and what the first goal then loses.

    ``None``: no plan is left without it, the choice is forced. No entry where the limit of time, which all these
    re-solves share, left no room. ``stage`` is the first goal's in the plan; losses are in its unit, never below 0.
    """
    resolver, sign = Resolver(prepared), 1.0 if stage.sense == "maximise" else -1.0
    found: dict[Slot, tuple[float, Solution] | None] = {}
    for slot, variable in chosen.items():
        other = resolver.solve(bounds=[(variable, 0, 0)])
        if isinstance(other, Infeasible):
            found[slot] = None
        elif isinstance(other, Optimal | Feasible):
            found[slot] = max(sign * (stage.value - other.stages[0].value), 0.0), other.plan
    return found


def weigh(
    resolver: Resolver,
    stage: Stage,
    span: Span,
    plan: Solution,
    decisions: Sequence[Any],
    *,
    widest_share: float = 0.05,
) -> list[Choice]:
    """Every 0/1 variable of ``decisions`` turned the other way in turn, judged by the resolver's first goal.

    A decision outside the plan is not solved for when its reduced cost already shows that it loses more than
    ``widest_share`` of the span: it is *out*, whether or not some plan could take it at all. For a decision of the
    plan, all goals of the resolver decide which of several equal plans ``other`` is.
    """
    relaxed, reduced = resolver.reduced_costs()
    column_of = resolver.prepared.matrix.column_of
    found = []
    for variable in decisions:
        taken = plan.value(variable) > 0.5
        if not taken:
            sure = reduced[column_of[id(variable)]] - abs(relaxed - stage.value)
            if sure > widest_share * span.most + _SLACK * max(1.0, span.least):
                found.append(Choice(False, float(sure), math.inf))
                continue
        turned = 0.0 if taken else 1.0
        result = resolver.solve(bounds=[(variable, turned, turned)], goals=None if taken else 1)
        if isinstance(result, Infeasible):
            found.append(Choice(taken, math.inf, math.inf))
        elif isinstance(result, Optimal | Feasible):
            first, sign = result.stages[0], 1.0 if stage.sense == "maximise" else -1.0
            least = max(sign * (stage.value - first.bound), 0.0)
            most = max(sign * (stage.bound - first.value), 0.0)
            found.append(Choice(taken, least, most, result.plan))
        else:
            found.append(Choice(taken, 0.0, math.inf))
    return found
