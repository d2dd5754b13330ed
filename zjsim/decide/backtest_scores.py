"""The scorecard of a back-test as tables: intervals, probabilities and advice against what came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zjsim.decide.backtest_truths import Truth
from zjsim.models.feasibility import Target, deciding_figure, margins
from zjsim.models.feasibility_tables import outcome_name
from zjsim.scenario.actual_checks import outcome_kinds
from zjsim.simulate.scores import brier, brier_parts, crps, inside, interval, reliability
from zjsim.simulate.statistics import clopper_pearson, mean_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zjsim.decide.backtest import Asked, Variant
    from zjsim.simulate.ensemble import Outcomes

    Floats = NDArray[np.float64]

NOMINAL = 0.9
"""Share that p05 to p95 are to hold."""
_LOT_SEED = 20241233
FIGURES, YEARS = "target_figures", "yearly_outcomes"

SUMMARY_COLUMNS = (
    "law", "scope", "truths", "cases", "share_wanted", "share_inside", "share_inside_by_lot", "share_inside_low",
    "share_inside_high", "calibration", "brier_score", "reliability_score", "resolution_score", "uncertainty_score",
    "within_score", "skill_share",
)  # fmt: skip
TARGET_COLUMNS = (
    "law", "target_id", "reading", "indicator_zh", "indicator_en", "unit", "bound", "truths", "p_forecast", "share_met",
    "share_met_low", "share_met_high", "brier_score", "mean_forecast", "mean_truth", "bias", "share_inside",
    "share_inside_low", "share_inside_high", "crps", "width",
)  # fmt: skip
OUTCOME_COLUMNS = (
    "law", "process", "outcome", "indicator_zh", "indicator_en", "unit", "year", "lead_years", "truths",
    "mean_forecast", "mean_truth", "bias", "share_inside", "share_inside_low", "share_inside_high", "crps", "width",
)  # fmt: skip
RELIABILITY_COLUMNS = (
    "law", "p_from", "p_to", "cases", "p_forecast", "share_met", "share_met_low", "share_met_high",
)  # fmt: skip
ADVICE_COLUMNS = (
    "law", "target_id", "reading", "indicator_zh", "indicator_en", "unit", "alternatives", "advised", "advised_gain",
    "truths", "share_right", "share_right_low", "share_right_high", "gain_truth", "gain_truth_low", "gain_truth_high",
    "regret_mean", "regret_max",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A truth beside what was forecast at the end of ``year``: by law the outcomes (replication, year) of every
    alternative, and the years."""

    truth: Truth
    forecasts: Mapping[str, list[Outcomes]] = field(repr=False)
    years: tuple[int, ...]
    year: int


@dataclass(frozen=True)
class Judged:
    """A target in one case: the ensemble of deciding figures, the one that came, p and whether it was met."""

    figures: Floats
    figure: float
    p: float
    met: bool


def judged(target: Target, case: Case, law: str, alternative: int = 0) -> Judged | None:
    """None for a target of the past, and where what came does not tell the figure yet (a history that is not over)."""
    outcomes = case.forecasts[law][alternative]
    if target.last_year <= case.year:
        return None
    known = case.truth.yearly[alternative].get(target.outcome, {})
    if target.outcome not in outcomes or any(y not in known for y in needed_years(target)):
        return None
    came = np.array([[known.get(y, np.nan) for y in case.years]])
    margin = margins(target, outcomes[target.outcome], case.years)
    return Judged(
        deciding_figure(target, outcomes[target.outcome], case.years),
        float(deciding_figure(target, came, case.years)[0]),
        float((margin >= 0).mean()),
        bool(margins(target, came, case.years)[0] >= 0),
    )


def needed_years(target: Target) -> list[int]:
    """Years whose values decide a target."""
    only_end = target.comparator != "not_falling" and target.period not in ("cumulative", "per_year")
    return [target.last_year] if only_end else list(range(target.first_year, target.last_year + 1))


def _laws(cases: Sequence[Case]) -> list[str]:
    return list(cases[0].forecasts) if cases else []


def summary_table(ask: Asked, cases: Sequence[Case]) -> pd.DataFrame:
    """A row per forecast and scope: coverage with an interval over truths, and the Brier score with its parts.

    ``share_inside_by_lot`` counts a truth equal to a value of the ensemble as inside or outside by lot, in the
    proportion in which a further value of the same law would be: it is the nominal share if the forecast is honest,
    also for counts. ``calibration`` says what its interval allows: ``narrow``, ``wide`` or ``holds``.
    """
    rows = []
    for law in _laws(cases):
        for scope, pairs in ((FIGURES, _figure_pairs), (YEARS, _year_pairs)):
            plain, lots = [], []
            for case in cases:
                own = list(pairs(ask, case, law))
                if own:
                    draw = np.random.default_rng([_LOT_SEED, case.truth.number])
                    plain.append([inside(x, y, NOMINAL) for x, y in own])
                    lots.append(float(np.mean([by_lot(x, y, draw) for x, y in own])))
            if not plain:
                continue
            count = sum(map(len, plain))
            share, low, high = _of_all_futures(lots, cases, law)
            p, met = _stated(ask, cases, law) if scope == FIGURES else (np.empty(0), np.empty(0))
            told = (*(np.nan,) * 6,)
            if len(p):
                parts = brier_parts(p, met)
                skill = 1 - parts.score / parts.uncertainty if parts.uncertainty else np.nan
                told = (parts.score, parts.reliability, parts.resolution, parts.uncertainty, parts.within, skill)
            rows.append(
                (law, scope, len(plain), count, NOMINAL, sum(map(sum, plain)) / count, share, max(low, 0.0),
                 min(high, 1.0), calibration(low, high), *told)
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def _of_all_futures(lots: Sequence[float], cases: Sequence[Case], law: str) -> tuple[float, float, float]:
    """Mean coverage with its 95 % interval: t over truths, and the chance that lies in the ensemble itself.

    One ensemble of m values that all truths are held against covers a share of them that is itself drawn, with variance
    c (1 - c) / (m + 2); where every truth has a forecast of its own, that is part of the spread between truths.
    """
    share, _low, high = mean_interval(lots)
    shared = len(cases) > 1 and cases[0].forecasts is cases[1].forecasts
    m = len(next(iter(cases[0].forecasts[law][0].values())))
    half = np.hypot(high - share, 1.96 * (NOMINAL * (1 - NOMINAL) / (m + 2)) ** 0.5 if shared else 0.0)
    return share, share - half, share + half


def calibration(low: float, high: float) -> str:
    """What an interval of the coverage says: too ``narrow``, too ``wide``, or no contradiction (``holds``)."""
    if np.isnan(low):
        return "one_truth"
    return "narrow" if high < NOMINAL else "wide" if low > NOMINAL else "holds"


def by_lot(ensemble: Floats, truth: float, draw: np.random.Generator) -> bool:
    """Whether the truth's rank among the values, ties by lot, lies in the middle: true for 9 of 10 if exchangeable."""
    below, equal = int((ensemble < truth).sum()), int((ensemble == truth).sum())
    rank = (below + draw.integers(0, equal + 1) + draw.random()) / (len(ensemble) + 1)
    tail = (1 - NOMINAL) / 2
    return bool(tail <= rank <= 1 - tail)


def _figure_pairs(ask: Asked, case: Case, law: str) -> Iterator[tuple[Floats, float]]:
    for target in ask.targets:
        found = judged(target, case, law)
        if found is not None:
            yield found.figures, found.figure


def _year_pairs(ask: Asked, case: Case, law: str) -> Iterator[tuple[Floats, float]]:
    for outcome in dict.fromkeys(t.outcome for t in ask.targets):
        for year, value in _later(ask, case, outcome).items():
            yield case.forecasts[law][0][outcome][:, case.years.index(year)], value


def _later(ask: Asked, case: Case, outcome: str) -> dict[int, float]:
    """What came after the year of the forecast."""
    known = case.truth.yearly[0].get(outcome, {})
    return {y: v for y, v in known.items() if y > ask.year and y in case.years}


def _stated(ask: Asked, cases: Sequence[Case], law: str) -> tuple[Floats, Floats]:
    found = [j for case in cases for t in ask.targets if (j := judged(t, case, law)) is not None]
    return np.array([j.p for j in found]), np.array([float(j.met) for j in found])


def target_table(ask: Asked, cases: Sequence[Case]) -> pd.DataFrame:
    """A row per forecast and target (default readings); bias is forecast minus truth, width that of p05 to p95."""
    rows = []
    for law in _laws(cases):
        for target, row in zip(ask.targets, ask.rows, strict=True):
            found = [j for case in cases if (j := judged(target, case, law)) is not None]
            if not found:
                continue
            met = [j.met for j in found]
            names = [row[c] for c in ("target_id", "reading", "indicator_zh", "indicator_en", "unit", "bound")]
            p, n = [j.p for j in found], len(found)
            shares = (fsum(met) / n, *clopper_pearson(sum(met), n), brier(p, met))
            rows.append(
                (law, *names, n, np.mean(p), *shares, *_numbers([(j.figures, j.figure) for j in found]))
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(TARGET_COLUMNS))


def outcome_table(ask: Asked, cases: Sequence[Case]) -> pd.DataFrame:
    """A row per forecast, outcome and year after the forecast; ``lead_years`` is how far ahead it was."""
    rows = []
    kinds = outcome_kinds(ask.scenario.table("targets"))
    units = dict(zip(ask.scenario.table("targets")["outcome"], ask.scenario.table("targets")["unit"], strict=True))
    process = {o: name for name, p in ask.variants(ask.scenario)[0].items() for o in p.outcomes}
    for law in _laws(cases):
        for outcome in dict.fromkeys(t.outcome for t in ask.targets if t.outcome in kinds):
            for year in range(ask.year + 1, cases[0].years[-1] + 1):
                pairs = [
                    (c.forecasts[law][0][outcome][:, c.years.index(year)], found[year])
                    for c in cases
                    if year in (found := _later(ask, c, outcome))
                ]
                if pairs:
                    names = (outcome_name(outcome, "zh"), outcome_name(outcome, "en"), units[outcome])
                    told = (year, year - ask.year, len(pairs))
                    rows.append((law, process[outcome], outcome, *names, *told, *_numbers(pairs)))
    return pd.DataFrame(rows, columns=list(OUTCOME_COLUMNS))


def _numbers(pairs: Sequence[tuple[Floats, float]]) -> tuple[float, ...]:
    """Means of forecast and truth, bias, coverage with its exact interval, CRPS, width."""
    forecast, came = float(np.mean([x.mean() for x, _ in pairs])), float(np.mean([y for _, y in pairs]))
    hits = sum(inside(x, y, NOMINAL) for x, y in pairs)
    score = float(np.mean([crps(x, y) for x, y in pairs]))
    width = float(np.mean([b - a for a, b in (interval(x, NOMINAL) for x, _ in pairs)]))
    return forecast, came, forecast - came, hits / len(pairs), *clopper_pearson(hits, len(pairs)), score, width


def reliability_table(ask: Asked, cases: Sequence[Case]) -> pd.DataFrame:
    """A row per forecast and tenth of the stated probability: how often targets were then met."""
    rows: list[tuple[Any, ...]] = []
    for law in _laws(cases):
        p, met = _stated(ask, cases, law)
        for b in reliability(p, met) if len(p) else ():
            rows.append((law, b.low, b.high, b.cases, b.stated, b.happened, b.happened_low, b.happened_high))
    return pd.DataFrame(rows, columns=list(RELIABILITY_COLUMNS))


def advice_table(ask: Asked, cases: Sequence[Case], variants: Sequence[Variant], *, scored: bool) -> pd.DataFrame:
    """A row per forecast and target that the plans (or having none) move: was the advised one best where it counted?

    Targets whose figure is the same under every alternative are left out.

    Advised: the alternative with the highest mean of the deciding figure on the same futures, as ``rank`` chooses; the
    plan that comes first of equal ones. Right: no other one was better in the truth. Regret: how far the advised one
    stayed behind the best of a truth; gain: how far it was above having no plan.
    """
    rows: list[tuple[Any, ...]] = []
    for law in _laws(cases) if scored else ():
        for target, row in zip(ask.targets, ask.rows, strict=True):
            processes = [next(p for p in v.values() if target.outcome in p.outcomes) for v in variants]
            if all(p is processes[0] for p in processes):
                continue
            right, gains, regrets, chosen, stated, moved = 0, [], [], [], [], False
            for case in cases:
                sides = [judged(target, case, law, k) for k in range(len(variants))]
                told = [s for s in sides if s is not None]
                if len(told) != len(sides):
                    continue
                means = [float(s.figures.mean()) for s in told]
                best = int(np.argmax(means))
                came = [s.figure for s in told]
                moved |= len(set(came)) > 1 or any(not np.array_equal(s.figures, told[0].figures) for s in told)
                chosen.append(best)
                stated.append(means[best] - means[-1])
                right += came[best] >= max(came)
                gains.append(came[best] - came[-1])
                regrets.append(max(came) - came[best])
            if not moved:
                continue
            most = max(set(chosen), key=lambda k: (chosen.count(k), -k))
            names = [row[c] for c in ("target_id", "reading", "indicator_zh", "indicator_en", "unit")]
            n = len(chosen)
            shares = (right / n, *clopper_pearson(right, n))
            rows.append(
                (law, *names, len(set(map(id, processes))), ask.labels[most], float(np.mean(stated)), n, *shares,
                 *mean_interval(gains), float(np.mean(regrets)), float(np.max(regrets)))
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(ADVICE_COLUMNS))
