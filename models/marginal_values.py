"""What one more unit of each resource buys: ``marginal_values`` (M123).

Every relief is simulated on the random numbers of the first base replications; the gain of a target is the mean paired
difference of its deciding figure ÷ units added, its interval (95 %) that of the paired differences, freed of what the
controls of the process explain (:mod:`zjsim.models.controls`); ``variance_reduction`` says how many times more
replications independent runs would need for this interval, measure by measure (none where nothing changes). Cities
that share nothing are told apart by their own outcomes: there the gain is that of the city's outcome, and it has no
probability of its own. The gain holds near the base: it says nothing on ten times as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from zjsim.models.bottlenecks import PROVINCE, WAITS_AT
from zjsim.models.controls import controls_of
from zjsim.models.feasibility import DECIDING_FIGURE, Array, Target, deciding_figure, margins, share_met, share_met_at
from zjsim.models.reliefs import Relief, reliefs

from zjsim.simulate.ensemble import Ensemble, Outcomes, Task, batches, stack
from zjsim.simulate.paired import pairs
from zjsim.simulate.resources import read
from zjsim.texts import text

if TYPE_CHECKING:
    from zjsim.models.throughput import Assessment, Study

TENTH = 0.1

MARGINAL_COLUMNS = (
    *("process", "relief", "relief_zh", "relief_en", "resource", "place_code", "place_zh", "place_en"),
    *("unit", "unit_zh", "present", "added", "target_id", "reading", "measures", "indicator_zh", "indicator_en"),
    *("bound", "target_unit", "target_unit_zh", "gain", "gain_low", "gain_high", "gain_share_of_tenth"),
    *("p_meet", "p_with", "p_change", "replications", "variance_independent", "variance_paired", "variance_reduction"),
)


def relieve(studies: Sequence[Study], ensemble: Ensemble, seed: int, replications: int) -> list[Study]:
    """The studies with every relief of their process simulated: ``replications`` × repeats, at most those of the base.

    With fewer than two replications nothing is simulated. Nor is a relief of something that nobody waited for: more of
    it changes nothing, so its outcomes are those of the base.
    """
    tasks: list[Task] = []
    cuts: list[tuple[int, Relief, int, int]] = []
    relieved: list[list[tuple[Relief, Outcomes]]] = [[] for _ in studies]
    for n, study in enumerate(studies if replications > 1 else ()):
        process, base = study.process, study.points[0].values
        count = min(replications * process.repeat, len(next(iter(study.base.values()))))
        for relief in reliefs(process.name, process.data) if count > 1 else ():
            if not waited_for(study, relief, count):
                relieved[n].append((relief, {name: values[:count] for name, values in study.base.items()}))
                continue
            parts = batches(Task(process.name, {**base, **relief.values}, seed, 0, count), process.batch)
            cuts.append((n, relief, len(tasks), len(tasks) + len(parts)))
            tasks += parts
    found = ensemble.run(tasks) if tasks else []
    for n, relief, a, b in cuts:
        relieved[n].append((relief, stack(found[a:b])))
    return [replace(s, relieved=tuple(r)) for s, r in zip(studies, relieved, strict=True)]


def waited_for(study: Study, relief: Relief, count: int) -> bool:
    """Whether anybody waited for the resource of ``relief`` in the first ``count`` base replications, or may have."""
    queue = WAITS_AT.get(relief.resource, relief.resource)
    places = next((r.places for r in study.process.resources if r.resource_id == queue), None)
    if places is None:
        return True
    found = read(study.base, queue)
    here = [k for k, place in enumerate(places) if relief.city in ("", place)]
    return any(found[name][:count, here].sum() != 0 for name in ("waiting", "left") if not np.isnan(found[name]).all())


def marginal_values(
    registry: pd.DataFrame,
    studies: Sequence[Study],
    assessments: Sequence[Assessment],
    names: Mapping[str, tuple[str, str]],
) -> pd.DataFrame:
    """A row per relief, place and target in its default reading, with :data:`MARGINAL_COLUMNS`."""
    found = {(a.target.target_id, a.target.reading): a for a in assessments}
    rows = []
    for study in studies:
        for relief, outcomes in study.relieved:
            for _, row in registry[registry["is_default"]].iterrows():
                a = found.get((row["target_id"], row["reading"]))
                if a is None or a.process.name != study.process.name:
                    continue
                if relief.outcomes and a.target.outcome not in relief.outcomes:
                    continue
                target = {
                    c: row[c] for c in ("target_id", "reading", "measures", "indicator_zh", "indicator_en", "bound")
                }
                target |= {"target_unit": row["unit"], "target_unit_zh": row["unit_zh"]}
                for place, figures in _places(study, relief, outcomes, a):
                    zh, en = names.get(place, (text("simulation.province", "zh"), text("simulation.province", "en")))
                    where = {"place_code": place, "place_zh": zh, "place_en": en}
                    rows.append(_words(study, relief) | where | target | figures)
    return pd.DataFrame(rows, columns=list(MARGINAL_COLUMNS))


def _words(study: Study, relief: Relief) -> dict[str, Any]:
    return {
        "process": study.process.name,
        "relief": relief.relief_id,
        "relief_zh": relief.name("zh"),
        "relief_en": relief.name("en"),
        "resource": relief.resource,
        "unit": relief.unit,
        "unit_zh": text(f"unit.{relief.unit}", "zh"),
    }


def _places(study: Study, relief: Relief, outcomes: Outcomes, a: Assessment) -> Iterator[tuple[str, dict[str, Any]]]:
    """The province (or the one city that it was added in), then every city by its own outcome where it has one."""
    n = len(outcomes[a.target.outcome])
    more = outcomes[a.target.outcome]
    figure, base = (deciding_figure(a.target, values, a.process.years) for values in (more, a.values[:n]))
    known = controls_of(study.base, a.target, a.process.years)
    control = None if known is None else known[:n]
    p_with = share_met_at(margins(a.target, more, a.process.years), a.margin)
    p = share_met(a.margin)
    chances = {"p_meet": p, "p_with": p_with, "p_change": p_with - p}
    asked = a.target.bound if a.target.comparator == ">=" else nan
    yield relief.city or PROVINCE, {**_gain(figure, base, control, relief.units, relief.present, asked), **chances}
    key = f"by_city/{a.target.outcome}"
    if relief.of_city and key in outcomes:
        mean_base = study.base[a.target.outcome]
        own = [city_figure(a.target, v, mean_base, a.process.years) for v in (outcomes[key], study.base[key][:n])]
        unknown = {"p_meet": nan, "p_with": nan, "p_change": nan}
        for k, city in enumerate(study.process.cities):
            if relief.of_city.get(city):
                present = relief.present_of.get(city, nan)
                gain = _gain(own[0][:, k], own[1][:, k], control, relief.of_city[city], present, asked)
                yield city, {**gain, **unknown}


def city_figure(target: Target, by_city: Array, base: Array, years: Sequence[int]) -> Array:
    """The part of each city in the deciding figure, by (replication, city), from its values by (…, city, year).

    A sum: the years of the target; a lowest year: the one that is lowest in the mean of ``base``; else the last year.
    """
    simulated = list(years)[len(years) - by_city.shape[2] :]
    wanted = [y for y in range(target.first_year, target.last_year + 1) if y in simulated]
    part = by_city[:, :, [simulated.index(y) for y in wanted]]
    figure = DECIDING_FIGURE[target.period]
    if figure == "sum":
        return np.asarray(part.sum(axis=2))
    if figure == "at_deadline":
        return np.asarray(part[:, :, -1])
    means = base.mean(axis=0)[[list(years).index(y) for y in wanted]]
    return np.asarray(part[:, :, int(np.argmin(means))])


def _gain(
    more: Array, base: Array, control: Array | None, units: float, present: float, asked: float
) -> dict[str, Any]:
    """The gain of one unit with its interval, and the share of the bound that a tenth more of those present brings."""
    found = pairs(more / units, base / units, control)
    mean = found.difference
    tenth = mean * TENTH * present / asked if asked == asked and asked > 0 else nan
    return {
        "present": present,
        "added": units,
        "gain": mean,
        "gain_low": found.low,
        "gain_high": found.high,
        "gain_share_of_tenth": tenth,
        "replications": len(more),
        "variance_independent": found.independent,
        "variance_paired": found.paired,
        "variance_reduction": found.reduction if found.reduction < inf else nan,
    }
