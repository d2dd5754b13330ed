"""What would it take: the cheapest combination of levers for which targets are met with a stated probability (M123).

The levers are those of the registry that the simulation can move from a day on (:mod:`zjsim.models.dated_levers`),
after the as-of date and not before their earliest effect. A search on preset replications finds the cheapest one
(:mod:`zjsim.decide.seek_search`), fresh ones confirm or refute it (:mod:`zjsim.decide.seek_answer`). Simulation error
only: all other inputs are at their base values; what is not known about them stands in the runs (``p_worst`` to
``p_best``) and in ``zjsim explore``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from zjsim.decide.planned import Planned
from zjsim.decide.seek_answer import Answer, Wanted, answer
from zjsim.decide.seek_levers import Beyond, Lever, levers_of, needed_levers
from zjsim.decide.seek_oracle import Asked, Simulated
from zjsim.decide.seek_space import Space
from zjsim.models.processes import processes_of
from zjsim.models.throughput import target_of
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.values import nearest

if TYPE_CHECKING:
    from zjsim.engine import Engine

SAMPLE, CONFIRM, SCREENED, TESTS = 100, 1000, 8, 24
"""Replications of the search and of a confirmation; of screening; points tested: of the dearest processes. Search,
screening and tests are multiplied by the ``repeat`` of cheaper ones."""
DELTA, STEPS, FRONTIER = 0.02, 10, 6
CHEAP = 10
"""A process with such a ``repeat`` is cheap enough to confirm every point of the frontier."""


@dataclass(frozen=True)
class Sought:
    """An answer with what it was asked: targets, all levers moved (in the order of points), those beyond reach.

    ``tables``: see :mod:`zjsim.decide.seek_tables`; ``replications`` made by process.
    """

    plan: Planned
    wanted: Wanted
    asked: tuple[Asked, ...]
    levers: tuple[Lever, ...]
    beyond: tuple[Beyond, ...]
    answer: Answer
    sample: tuple[int, ...]
    screened: tuple[int, ...]
    replications: dict[str, int]

    @property
    def verdict(self) -> str:
        """``holds``, ``refuted``, ``not_found`` or ``best_for_budget``."""
        return self.answer.verdict

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name."""
        from zjsim.decide.seek_tables import seek_tables

        return seek_tables(self)

    def summary(self, lang: Any) -> str:
        """The answer on one screen, in words."""
        from zjsim.decide.seek_words import summary

        return summary(self, lang)


def seek(
    plan: Planned,
    *,
    targets: Sequence[str] = (),
    probability: float = 0.9,
    jointly: bool = False,
    budget: float | None = None,
    delta: float = DELTA,
    sample: int = SAMPLE,
    confirm: int = CONFIRM,
    tests: int = TESTS,
    steps: int = STEPS,
    frontier: int = FRONTIER,
    yuan_per_point: float | None = None,
    engine: Engine,
    progress: Callable[[int], None] | None = None,
) -> Sought:
    """The cheapest levers for which each target (``jointly``: all in the same future) is met with ``probability``.

    ``targets``: ids, in their default reading, or ``id/reading``; without any, all default ones that a lever can move.
    ``budget`` (in points): instead the combination within it that is met most often. ``delta``: a proposal holds if its
    lower bound on ``confirm`` fresh replications is at least ``probability`` - ``delta``. ``sample`` replications,
    ``tests`` combinations and ``steps`` levels a side are those of the search; ``frontier`` budgets are looked at.
    ``progress`` is told how many replications are made. Raises ``InputErrors`` for settings and names that fit nothing.
    """
    check_seek(probability, delta, budget, sample, confirm, yuan_per_point)
    levers, beyond = levers_of(plan.scenario, steps, yuan_per_point)
    asked = _asked(plan, targets, levers)
    levers = needed_levers(levers, [(a.process.name, a.target.outcome) for a in asked])
    if not levers:
        names = ", ".join(dict.fromkeys(a.target.target_id for a in asked))
        raise InputErrors([finding("no_lever", "--targets", value=names, theme="decide.rule")])
    repeats = [a.process.repeat for a in asked]
    if jointly:
        repeats = [min(repeats)] * len(repeats)
    sizes = tuple(sample * r for r in repeats)
    screened = tuple(min(SCREENED * r, size) for r, size in zip(repeats, sizes, strict=True))
    space = Space(
        tuple(lever.costs for lever in levers),
        tuple(lever.present for lever in levers),
        tuple((None,) * len(levers) for _ in asked),
    )
    least = min(repeats)
    wanted = Wanted(
        probability, delta, confirm, tests * least, jointly=jointly, budget=budget, frontier=frontier,
        confirm_frontier=least >= CHEAP,
    )  # fmt: skip
    with Simulated(asked, levers, plan.seed, sizes, screened, engine.options(), progress) as oracle:
        found = answer(space, oracle, wanted, plan.seed)
        made = dict(oracle.replications)
    return Sought(plan, wanted, tuple(asked), tuple(levers), tuple(beyond), found, sizes, screened, made)


def _asked(plan: Planned, names: Sequence[str], levers: Sequence[Lever]) -> list[Asked]:
    """The readings of the targets named; without names the default ones that a lever can move."""
    processes = processes_of(plan.scenario, plan.plan)
    found = []
    for row in asked_rows(plan.scenario, names):
        process = next((p for p in processes if row["outcome"] in p.outcomes), None)
        if process is None:
            raise InputErrors([finding("no_target", "--targets", value=row["target_id"], theme="decide.rule")])
        if names or any(lever.reaches(process.name, row["outcome"]) for lever in levers):
            found.append(Asked(target_of(row), {str(k): v for k, v in row.items()}, process))
    return found


def asked_rows(scenario: Any, names: Sequence[str]) -> list[pd.Series]:
    """The rows of the registry that ``names`` mean (all default ones without names); unknown ones are told.

    Raises ``InputErrors`` with the nearest name of every target or reading that there is not.
    """
    registry = scenario.table("targets")
    modelled = registry[registry["outcome"] != ""]
    rows, faults = [], []
    said = [part.strip() for name in names for part in name.split(",") if part.strip()]
    if names and not said:
        raise InputErrors([finding("no_target_named", "--targets", theme="decide.rule")])
    for name in dict.fromkeys(said):
        target_id, slash, reading = name.partition("/")
        of_target = modelled[modelled["target_id"] == target_id]
        if of_target.empty:
            fix = nearest(target_id, list(dict.fromkeys(modelled["target_id"])))
            faults.append(finding("no_target", "--targets", value=name, fix=fix, theme="decide.rule"))
            continue
        own = of_target[of_target["reading"] == reading] if slash else of_target[of_target["is_default"]]
        if own.empty:
            readings = list(of_target["reading"])
            fix = f"{target_id}/{nearest(reading, readings) or readings[0]}"
            faults.append(finding("no_reading", "--targets", value=name, fix=fix, theme="decide.rule"))
            continue
        rows.append(own.iloc[0])
    if faults:
        raise InputErrors(faults)
    return rows if said else [row for _, row in modelled[modelled["is_default"]].iterrows()]


def check_seek(
    probability: float,
    delta: float,
    budget: float | None,
    sample: int,
    confirm: int,
    yuan_per_point: float | None = None,
) -> None:
    """Raise ``InputErrors`` for settings that no search can have."""
    from zjsim.decide.seek_answer import holds_from

    faults = []
    if not 0 < probability < 1:
        faults.append(finding("no_probability", "--probability", value=f"{probability:g}", theme="decide.rule"))
    elif not 0 < delta < probability:
        faults.append(finding("no_delta", "--delta", value=f"{delta:g}", theme="decide.rule"))
    elif holds_from(confirm, probability - delta, 0.95) > confirm:
        faults.append(finding("few_confirmations", "--confirm", value=str(confirm), theme="decide.rule"))
    if budget is not None and not budget >= 0:
        faults.append(finding("negative", "--budget", value=f"{budget:g}", theme="decide.rule"))
    if sample < 10:
        faults.append(finding("few_samples", "--sample", value=str(sample), theme="decide.rule"))
    if yuan_per_point is not None and not yuan_per_point > 0:
        faults.append(finding("not_positive", "--yuan-per-point", value=f"{yuan_per_point:g}", theme="decide.rule"))
    if faults:
        raise InputErrors(faults)


__all__ = ["Sought", "asked_rows", "check_seek", "seek"]
