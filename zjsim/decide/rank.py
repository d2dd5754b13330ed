"""The best of several plans for a target, with a stated probability of having chosen right (M123)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zjsim.decide.planned import Planned
from zjsim.decide.selection import Floats, Selection, select_best
from zjsim.models.feasibility import deciding_figure, margins
from zjsim.models.processes import processes_of
from zjsim.models.throughput import target_of
from zjsim.simulate.ensemble import Ensemble, Experiment, Task
from zjsim.simulate.inputs import base_values
from zjsim.simulate.paired import change_of_mean, change_of_share
from zjsim.simulate.statistics import clopper_pearson, mean_interval
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.values import nearest
from zjsim.texts import LANGUAGES, Language, text

if TYPE_CHECKING:
    from zjsim.engine import Engine

COLUMNS = (
    "rank", "plan", "plan_zh", "plan_en", "target_id", "reading", "indicator_zh", "indicator_en", "unit", "unit_zh",
    "measure", "mean", "mean_low", "mean_high", "share_met", "share_low", "share_high", "behind", "behind_low",
    "behind_high", "replications", "dropped_after", "is_best", "delta", "confidence",
)  # fmt: skip
FIGURE, PROBABILITY = "figure", "probability"


def rank(
    plans: Sequence[Planned],
    target: str,
    *,
    delta: float,
    measure: str = FIGURE,
    confidence: float = 0.95,
    most: int = 2000,
    engine: Engine,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[pd.DataFrame, Selection]:
    """Rank ``plans`` by the figure that decides ``target`` (its default reading), or by whether it is met.

    ``delta``: differences below it do not matter, in the target's unit (or as a share for ``probability``). The best is
    chosen right with probability ``confidence`` (:func:`zjsim.decide.selection.select_best`); all plans meet the same
    futures, those of the first plan's seed. ``behind``: how far a plan trails the first one in what they are ranked by,
    with a 95 % interval over the futures that both met. Raises ``InputErrors`` for an unknown target.
    """
    registry = plans[0].scenario.table("targets")
    known = registry[(registry["outcome"] != "") & registry["is_default"]]
    if target not in set(known["target_id"]):
        fix = nearest(target, list(known["target_id"]))
        raise InputErrors([finding("no_target", "--target", value=target, fix=fix, theme="decide.rule")])
    row = known[known["target_id"] == target].iloc[0]
    asked = target_of(row)
    processes = [
        next(p for p in processes_of(plan.scenario, plan.plan) if row["outcome"] in p.outcomes) for plan in plans
    ]
    experiments = {str(k): Experiment(p.simulate, p.data) for k, p in enumerate(processes)}
    kept: list[list[tuple[Floats, Floats]]] = [[] for _ in plans]
    with Ensemble(experiments, **engine.options()) as ensemble:

        def sample(which: Sequence[int], start: int, count: int) -> Floats:
            tasks = [Task(str(k), base_values(processes[k].inputs), plans[0].seed, start, count) for k in which]
            rows = []
            for k, outcome in zip(which, ensemble.run(tasks), strict=True):
                values, years = outcome[asked.outcome], processes[k].years
                figure = deciding_figure(asked, values, years)
                met = (margins(asked, values, years) >= 0).astype(np.float64)
                kept[k].append((figure, met))
                rows.append(met if measure == PROBABILITY else figure)
            if progress is not None:
                progress(start + count, most)
            return np.array(rows)

        found = select_best(sample, len(plans), delta=delta, confidence=confidence, most=most, batch=processes[0].batch)
    names = [row[c] for c in ("target_id", "reading", "indicator_zh", "indicator_en", "unit", "unit_zh")]
    sides = [[np.concatenate(parts) for parts in zip(*own, strict=True)] for own in kept]
    means = [float((s[1] if measure == PROBABILITY else s[0]).mean()) for s in sides]
    order = sorted(range(len(plans)), key=lambda k: (k != found.best, k not in found.left, -means[k]))
    titles = {lang: plan_titles(plans, lang) for lang in LANGUAGES}
    rows: list[tuple[Any, ...]] = []
    for place, k in enumerate(order, start=1):
        figure, met = sides[k]
        mean, shares = mean_interval(figure), (float(met.mean()), *clopper_pearson(int(met.sum()), len(met)))
        behind = _behind(sides[order[0]], sides[k], measure)
        told = (measure, *mean, *shares, *behind, len(met), found.dropped_after[k], k == found.best)
        rows.append((place, plans[k].label, *(titles[lang][k] for lang in LANGUAGES), *names, *told, delta, confidence))
    return pd.DataFrame(rows, columns=list(COLUMNS)), found


def plan_titles(plans: Sequence[Planned], lang: Language) -> list[str]:
    """What a reader calls each plan: the title of its scenario, with the label where two have the same."""
    titles = [str(getattr(plan.scenario.parameters.header, f"title_{lang}")) for plan in plans]
    return [
        title if titles.count(title) == 1 else text("compare.named", lang, title=title, id=plan.label)
        for title, plan in zip(titles, plans, strict=True)
    ]


def _behind(first: Sequence[Floats], own: Sequence[Floats], measure: str) -> tuple[float, float, float]:
    """By how much a plan trails the first one, future by future, with its 95 % interval; zeros for the first itself."""
    if own is first:
        return 0.0, 0.0, 0.0
    which, change = (1, change_of_share) if measure == PROBABILITY else (0, change_of_mean)
    count = min(len(first[which]), len(own[which]))
    found = change(own[which][:count], first[which][:count], paired=True)
    return found.difference, found.low, found.high
