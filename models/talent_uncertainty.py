"""What it is worth to plan talent supply for several cases of demand, and what knowing the case would be worth (M043).

The next admission, openings, closures, teachers and places are decided before the case is known; later admissions
follow it. Two questions: what would the plan made for the mean demand come to when cases differ (value of the
stochastic solution), and what would plans come to that know the case from the start (value of perfect information).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum

import pandas as pd
from zjsim.models.talent_model import build_talent_model
from zjsim.models.talent_supply import plan_of, talent_goals
from zjsim.models.talent_terms import TalentData

from zjsim.solve.faces import solve_by_faces
from zjsim.solve.goals import Prepared
from zjsim.solve.options import Options
from zjsim.solve.results import Feasible, Optimal, Stage
from zjsim.texts import LANGUAGES, text

DECIDED_NOW = ("now", "open", "close", "hire", "build")
"""Variables that are the same in every case."""
COLUMNS = ("goal", "unit", "two_stage", "mean_value", "known", "vss", "evpi", "said_zh", "said_en")
LEAST = 1e-6
"""Relative difference that is told as one."""


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """What a goal comes to when the case is known late or early (expected over the cases, in ``unit``).

    ``two_stage`` is the plan's own value; ``mean_value`` what the plan made for the mean demand comes to when cases
    differ (the value of the stochastic solution is what it is worse by); ``known`` when every case is known from the
    start (what the plan is worse by is the value of perfect information). The goals come in order, so only the first
    that differs is bound to be worse.
    """

    goal: str
    unit: str
    two_stage: float
    mean_value: float
    known: float

    @property
    def vss(self) -> float:
        """Value of the stochastic solution."""
        return self.mean_value - self.two_stage

    @property
    def evpi(self) -> float:
        """Expected value of perfect information."""
        return self.two_stage - self.known


def uncertainty(
    data: TalentData, prepared: Prepared, stages: Sequence[Stage], options: Options, goals: int | None = None
) -> tuple[Uncertainty, ...]:
    """Value of planning with cases, and of knowing them, for the first ``goals`` goals (default: all).

    ``prepared`` and ``stages`` are those of the plan.
    """
    stages = stages[:goals]
    if len(data.cases) == 1:
        return tuple(Uncertainty(s.name, s.unit, s.value, s.value, s.value) for s in stages)
    known = [0.0] * len(stages)
    for case, chance in sorted(data.cases.items()):
        _, found = _one(one_case(data, {case: 1.0}), options, goals)
        known = [k + chance * s.value for k, s in zip(known, found, strict=True)]
    mean, _ = _one(one_case(data, data.cases), options)
    bounds = []
    for name in DECIDED_NOW:
        ours, theirs = prepared.model.find_component(name), mean.model.find_component(name)
        bounds += [(ours[i], theirs[i].value, theirs[i].value) for i in ours]
    fixed = solve_by_faces(prepared, bounds=bounds, goals=goals)
    if not isinstance(fixed, Optimal | Feasible):
        raise RuntimeError("the plan for the mean demand cannot be carried out in every case")
    return tuple(
        Uncertainty(s.name, s.unit, s.value, f.value, k) for s, f, k in zip(stages, fixed.stages, known, strict=True)
    )


def added(found: Iterable[Sequence[Uncertainty]]) -> tuple[Uncertainty, ...]:
    """The sum over blocks, goal by goal."""
    return tuple(
        Uncertainty(
            of_goal[0].goal,
            of_goal[0].unit,
            fsum(u.two_stage for u in of_goal),
            fsum(u.mean_value for u in of_goal),
            fsum(u.known for u in of_goal),
        )
        for of_goal in zip(*found, strict=True)
    )


def uncertainty_table(values: Sequence[Uncertainty]) -> pd.DataFrame:
    """A row per goal with the two values and a sentence on each; those after the first that differs only go along."""
    rows = []
    before = {"vss": False, "evpi": False}
    for u in values:
        said = dict.fromkeys(LANGUAGES, "")
        for what, amount in (("vss", u.vss), ("evpi", u.evpi)):
            differs = abs(amount) > LEAST * max(1.0, abs(u.two_stage))
            key = "none" if not differs else "later" if before[what] else "first"
            before[what] = before[what] or differs
            for lang in LANGUAGES:
                said[lang] += text(f"talent.{what}.{key}", lang, amount=f"{amount:,.1f}", share=_share(amount, u))
        numbers = (round(v, 6) + 0.0 for v in (u.two_stage, u.mean_value, u.known, u.vss, u.evpi))
        rows.append((u.goal, u.unit, *numbers, *(said[lang] for lang in LANGUAGES)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _share(amount: float, u: Uncertainty) -> str:
    return f"{abs(amount) / abs(u.two_stage):.2%}" if u.two_stage else "–"


def one_case(data: TalentData, cases: Mapping[str, float]) -> TalentData:
    """The problem with the mean demand of ``cases`` as its only case."""
    only = "mean"
    demand: dict[tuple[str, str, int, str], float] = {}
    for (s, level, t, c), amount in data.demand.items():
        if c in cases:
            key = (s, level, t, only)
            demand[key] = demand.get(key, 0.0) + cases[c] * amount
    return replace(data, cases={only: 1.0}, demand=demand)


def _one(data: TalentData, options: Options, goals: int | None = None) -> tuple[Prepared, tuple[Stage, ...]]:
    """One case solved; the values are left on the model."""
    m = build_talent_model(data)
    prepared = Prepared(m, talent_goals(m), options)
    result = solve_by_faces(prepared, goals=goals)
    if not isinstance(result, Optimal | Feasible):
        raise RuntimeError("a single case of demand has no plan although all together have one")
    plan_of(m, result.plan)
    return prepared, result.stages
