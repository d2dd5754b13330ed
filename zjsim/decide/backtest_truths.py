"""What came, for a back-test: drawn truths as rows of the registry ``actuals`` and by year, or real history."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zjsim.models.back_cast import start_level
from zjsim.models.past import past
from zjsim.scenario.actual_checks import NEVER_ABOVE, outcome_kinds
from zjsim.scenario.quarters import PROVINCE
from zjsim.simulate.streams import Streams
from zjsim.simulate.truths import QUARTERS, Kind, by_year, history, world

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zjsim.models.processes import Process

    Floats = NDArray[np.float64]

SOURCE = "method_back_test"
COLUMNS = ("outcome", "area_code", "quarter", "value", "source_id", "basis")


@dataclass(frozen=True)
class Truth:
    """What came: ``actuals`` as in the registry, and ``yearly`` by alternative, outcome and calendar year.

    A year that is not over in the file of a history is absent. ``synthetic``: drawn, or rows that say they are.
    """

    number: int
    actuals: pd.DataFrame = field(repr=False)
    yearly: tuple[Mapping[str, Mapping[int, float]], ...]
    synthetic: bool = True

    @staticmethod
    def drawn(
        number: int,
        rows: pd.DataFrame,
        by_quarter: Sequence[Mapping[str, Floats]],
        kinds: Mapping[str, Kind],
        scenario: Any,
        year: int,
    ) -> Truth:
        """A drawn truth. Until the end of ``year`` the first alternative is carried out, whichever comes after."""
        years = _years(scenario)
        then = QUARTERS * sum(y <= year for y in years)
        found = []
        for own in by_quarter:
            yearly = {}
            for name, values in own.items():
                first = by_quarter[0][name]
                moved = values if kinds[name].flow or kinds[name].share or not then else _carried(first, values, then)
                joined = np.concatenate([first[:then], moved[then:]])
                yearly[name] = dict(zip(years, by_year(joined, kinds[name].flow).tolist(), strict=True))
            found.append(yearly)
        return Truth(number, rows, tuple(found))

    @staticmethod
    def of_history(rows: pd.DataFrame, kinds: Mapping[str, str]) -> Truth:
        """History: flows of the years whose four quarters are given, levels where the last quarter is."""
        province = rows[rows["area_code"] == PROVINCE]
        yearly: dict[str, dict[int, float]] = {}
        for name, own in province.groupby("outcome", sort=True):
            values = dict(zip(own["quarter"], own["value"].astype(float), strict=True))
            for year in sorted({int(q[:4]) for q in values}):
                quarters = [values.get(f"{year}-Q{k}", np.nan) for k in range(1, QUARTERS + 1)]
                value = fsum(quarters) if kinds.get(str(name)) == "flow" else quarters[-1]
                if not np.isnan(value):
                    yearly.setdefault(str(name), {})[year] = float(value)
        synthetic = bool(len(rows)) and bool((rows["basis"] == "synthetic").all())
        return Truth(1, rows, (yearly,), synthetic)


def _carried(first: Floats, values: Floats, then: int) -> Floats:
    """A level that goes on from where the first alternative stood after ``then`` quarters, with its own changes."""
    moved: Floats = np.maximum(first[then - 1] + values - values[then - 1], 0.0)
    return moved


def with_past_of(truth: Truth, alternatives: int) -> Truth:
    """History has one course, whatever the alternatives: the same for each of them."""
    return Truth(truth.number, truth.actuals, truth.yearly * alternatives, truth.synthetic)


def _years(scenario: Any) -> tuple[int, ...]:
    return past(scenario).years


def kinds_of(scenario: Any, processes: Mapping[str, Process]) -> dict[str, Kind]:
    """How every outcome behaves that a target names, in the order of the processes.

    Amounts are flows or levels as in the registry ``actuals``; only what is set up (programmes) comes late; counties
    are at most as many as there are.
    """
    targets = scenario.table("targets")
    told = outcome_kinds(targets)
    unit = dict(zip(targets["outcome"], targets["unit"], strict=True))
    counties = float(len(scenario.table("counties")))
    found = {}
    for process in processes.values():
        for name in (o for o in process.outcomes if o in told):
            share = unit[name] == "share"
            found[name] = Kind(
                flow=told[name] == "flow",
                share=share,
                start=start_level(scenario, process.name, name, np.nan),
                delayed=process.name == "programmes" and not share,
                most=counties if unit[name] == "counties" else np.inf,
            )
    return found


def histories(
    scenario: Any,
    variants: Sequence[Mapping[str, Process]],
    skeletons: Sequence[Mapping[str, Floats]],
    kinds: Mapping[str, Kind],
    streams: Streams,
    *,
    own: bool,
) -> list[dict[str, Floats]]:
    """By alternative the quarters of every outcome; the last alternative is no plan.

    ``own``: the simulation's own years, divided evenly. What lies before the as-of date is the scenario's own past.
    """
    before = past(scenario)
    years, over = before.years, len(before.quarters) // QUARTERS
    found = []
    for variant, skeleton in zip(variants, skeletons, strict=True):
        whole: dict[str, Floats] = {}
        for name, process in variant.items():
            named = [o for o in process.outcomes if o in kinds]
            with_plan = {o: skeleton[o][over:] for o in named}
            without = {o: skeletons[-1][o][over:] for o in named}
            starts = {o: _start(kinds[o], skeleton[o], over) for o in named}
            kind = {o: Kind(kinds[o].flow, kinds[o].share, starts[o], kinds[o].delayed, kinds[o].most) for o in named}
            if own:
                whole |= {o: _evenly(with_plan[o], kind[o]) for o in named}
            else:
                whole |= history(with_plan, without, kind, world(name, len(years) - over, streams))
        _parts_within(whole, kinds)
        for outcome in whole:
            known = np.array([before.value(outcome, q) for q in before.quarters], dtype=np.float64)
            whole[outcome] = np.concatenate([known, whole[outcome]])
        found.append(whole)
    return found


def _start(kind: Kind, yearly: Floats, over: int) -> float:
    if over:
        return float(yearly[over - 1])
    return float(yearly[0]) if np.isnan(kind.start) else kind.start


def _evenly(yearly: Floats, kind: Kind) -> Floats:
    if kind.flow:
        return np.repeat(yearly / QUARTERS, QUARTERS)
    ends = np.concatenate([[kind.start], yearly])
    steps = np.arange(1, QUARTERS + 1) / QUARTERS
    return np.concatenate([a + (b - a) * steps for a, b in itertools.pairwise(ends)])


def _parts_within(whole: dict[str, Floats], kinds: Mapping[str, Kind]) -> None:
    """A part never exceeds its whole (:data:`NEVER_ABOVE`), flows added up from the start."""
    for part, of in reversed(NEVER_ABOVE):
        if part in whole and of in whole:
            if kinds[part].flow:
                sums = np.minimum(np.cumsum(whole[part]), np.cumsum(whole[of]))
                whole[part] = np.diff(sums, prepend=0.0)
            else:
                whole[part] = np.minimum(whole[part], whole[of])


def actual_rows(
    by_quarter: Mapping[str, Floats], kinds: Mapping[str, Kind], scenario: Any, number: int
) -> pd.DataFrame:
    """A truth in the form of the registry ``actuals``: the province, every quarter of the plan, labelled synthetic."""
    quarters = [f"{y}-Q{k}" for y in _years(scenario) for k in range(1, QUARTERS + 1)]
    rows = [
        (name, PROVINCE, quarter, float(value), SOURCE, "synthetic")
        for name in sorted(by_quarter)
        for quarter, value in zip(quarters, by_quarter[name], strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).assign(truth=number)[[*COLUMNS, "truth"]].drop(columns="truth")
