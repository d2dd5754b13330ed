"""Comparing runs: what went in, what was planned, what came out - every difference on the same futures (M123, M124).

Replication n of two runs with one seed is the same future (the same demand, durations and failures), so outcomes are
compared pair by pair; what remains is the scenarios' difference and a far narrower interval. Runs with different
seeds are compared as independent samples, and every row says which it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zjsim.decide.comparable import comparison_notes
from zjsim.decide.compare_plans import COST_COLUMNS, PARTS, cost_changes, hidden_counts, plan_changes, seat_changes
from zjsim.decide.row_names import RowNames
from zjsim.decide.runs import RunFiles, open_run
from zjsim.simulate.paired import Change, change_of_mean, change_of_share, pairs
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.published import SUPPRESSED, counts_children
from zjsim.texts import LANGUAGES

INPUT_COLUMNS = (
    "run", "registry", "key", "name_zh", "name_en", "column", "kind", "old", "new", "reason", "place", SUPPRESSED,
)  # fmt: skip
TARGET_COLUMNS = (
    "run", "target_id", "reading", "is_default", "measures", "indicator_zh", "indicator_en", "unit", "unit_zh", "bound",
    "p_before", "p_after", "p_difference", "p_difference_low", "p_difference_high", "p_worst_before", "p_best_before",
    "p_worst_after", "p_best_after", "verdict_before_zh", "verdict_before_en", "verdict_after_zh", "verdict_after_en",
    "mean_before", "mean_after", "difference", "difference_low", "difference_high", "replications", "paired",
    "variance_reduction",
)  # fmt: skip
OUTCOME_COLUMNS = (
    "run", "process", "outcome", "indicator_zh", "indicator_en", "kind", "unit", "year", "mean_before", "mean_after",
    "difference", "difference_low", "difference_high", "replications", "paired",
)  # fmt: skip
RUN_COLUMNS = (
    "run", "role", "scenario", "title_zh", "title_en", "run_id", "zjsim", "as_of", "seed", "replications",
    "placeholder_share", "folder",
)  # fmt: skip
_TARGET = ["target_id", "reading"]
_NEEDED = {
    "target_feasibility": (
        *TARGET_COLUMNS[1:10], "p_worst", "p_best", "verdict_zh", "verdict_en",
    ),
    "replication_targets": ("target_id", "reading", "replication", "figure", "met"),
    "yearly_outcomes": ("process", "outcome", "year", "indicator_zh", "indicator_en", "kind", "unit"),
    "replication_outcomes": ("process", "outcome", "year", "replication", "value"),
}  # fmt: skip
"""Columns without which there is nothing to compare, by table of a run."""
_ABOUT = "header."
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Runs beside a base: the base, the others, and the tables of what differs (see :func:`compare`)."""

    base: RunFiles
    others: tuple[RunFiles, ...]
    tables: dict[str, pd.DataFrame]


def compare(base: str | Path | RunFiles, others: Sequence[str | Path | RunFiles]) -> Comparison:
    """Compare every run of ``others`` with ``base``; any run can be the base.

    Tables: ``compared_runs``; ``comparison_notes`` (what else differs: :mod:`zjsim.decide.comparable`);
    ``input_changes`` (a cell or parameter per row); ``plan_changes`` (a decision per row); ``seat_changes`` (county,
    year, measure); ``cost_changes`` (part, year); ``target_changes`` and ``outcome_changes`` with 95 % intervals, other
    minus base. Raises ``InputErrors`` where a folder is no run, a run is given twice, a table was edited after the run
    or lacks a column, or the inputs of a run cannot be read again.
    """
    first = base if isinstance(base, RunFiles) else open_run(base, only_runs=True)
    rest = tuple(o if isinstance(o, RunFiles) else open_run(o, only_runs=True) for o in others)
    if not rest:
        raise InputErrors([finding("nothing_to_compare", str(first.folder), theme="decide.rule")])
    twice = [r.folder for i, r in enumerate(rest) if r.manifest["run_id"] in {o.manifest["run_id"] for o in rest[:i]}]
    if twice:
        raise InputErrors([finding("run_twice", str(folder), theme="decide.rule") for folder in twice])
    _check_columns((first, *rest))
    inputs = _all(input_changes, first, rest)
    plans, seats = _all(plan_changes, first, rest), _all(seat_changes, first, rest)
    costs = [row for other in rest for row in cost_changes(first, other)]
    return Comparison(
        first,
        rest,
        {
            "compared_runs": pd.DataFrame([_run(r, r is first) for r in (first, *rest)], columns=list(RUN_COLUMNS)),
            "comparison_notes": _notes(first, rest, inputs, plans, seats),
            "input_changes": inputs,
            "plan_changes": plans,
            "seat_changes": seats,
            "cost_changes": pd.DataFrame(costs, columns=list(COST_COLUMNS)),
            "target_changes": _all(target_changes, first, rest),
            "outcome_changes": _all(outcome_changes, first, rest),
        },
    )


def _check_columns(runs: Sequence[RunFiles]) -> None:
    """Raise ``InputErrors`` for every column that a run of an earlier version did not write yet."""
    faults = []
    for run in dict.fromkeys(r.folder for r in runs):
        files = next(r for r in runs if r.folder == run)
        for name, columns in _NEEDED.items():
            lacking = [c for c in columns if c not in files.table(name)]
            if lacking:
                place, words = str(run / "tables" / f"{name}.csv"), {"columns": ", ".join(lacking)}
                faults.append(finding("no_column", place, theme="decide.rule", words=words))
    if faults:
        raise InputErrors(faults)


def _all(change: Any, base: RunFiles, others: Sequence[RunFiles]) -> pd.DataFrame:
    tables = [change(base, other) for other in others]
    filled = [t for t in tables if not t.empty]
    whole: pd.DataFrame = pd.concat(filled, ignore_index=True) if filled else tables[0]
    return whole


def _notes(
    base: RunFiles, others: Sequence[RunFiles], inputs: pd.DataFrame, plans: pd.DataFrame, seats: pd.DataFrame
) -> pd.DataFrame:
    parts = (*(part.table for part in PARTS), "seat_expansion", "seat_summary")

    def own(_: RunFiles, other: RunFiles) -> pd.DataFrame:
        changed = {*plans.loc[plans["run"] == other.label, "part"]}
        changed |= {"seat_expansion"} if (seats["run"] == other.label).any() else set()
        hidden, once = hidden_counts(base, other)
        other_children = (inputs.loc[inputs["run"] == other.label, SUPPRESSED] != "").any()
        return comparison_notes(base, other, parts, changed, hidden, 0 if other_children else once)

    return _all(own, base, others)


def _run(run: RunFiles, is_base: bool) -> tuple[Any, ...]:
    known = [{**(run.manifest.get("header") or {}), **run.manifest}.get(name, "") for name in RUN_COLUMNS[2:-1]]
    return (run.label, "base" if is_base else "other", *known, run.folder.name)


def input_changes(base: RunFiles, other: RunFiles) -> pd.DataFrame:
    """Every parameter and cell that differs, from the inputs kept in either run folder.

    What a run was told on the command line (seed, replications) is no input of the scenario; ``compared_runs`` has it.
    Nor is what a scenario says of itself (title, author, description).
    """
    from zjsim.scenario.diff import diff

    columns = list(INPUT_COLUMNS)
    if all(base.manifest.get(k) == other.manifest.get(k) for k in ("inputs", "sets", "parameters", "scenario")):
        return pd.DataFrame([], columns=columns)
    scenarios = base.scenario(), other.scenario()
    names = [RowNames(s) for s in scenarios]
    rows = []
    for found in diff(*scenarios):
        if not found.column.startswith(_ABOUT):
            own = names[0 if found.kind == "removed" else 1]
            called = {f"name_{lang}": own.name(found.registry, found.key, lang) for lang in LANGUAGES}
            rows.append({"run": other.label, **_for_publication(found.record()), **called})
    return pd.DataFrame(rows, columns=columns)


def _for_publication(change: dict[str, Any]) -> dict[str, Any]:
    """A changed cell without its values where they count the children of a place and grade."""
    if not counts_children(change["registry"], change["column"]):
        return {**change, SUPPRESSED: ""}
    return {**change, "old": "", "new": "", SUPPRESSED: "old;new"}


def is_paired(base: RunFiles, other: RunFiles) -> bool:
    """Whether replication n of both is the same future: one seed."""
    return bool(base.manifest["seed"] == other.manifest["seed"])


def target_changes(base: RunFiles, other: RunFiles) -> pd.DataFrame:
    """A row per target and reading that both runs judge: probabilities, deciding figures, and their change.

    Paired: over the replications that both have; p and mean of either side are those of the pairs. Where every future
    gives the same figure, the change is exactly zero.
    """
    judged = [run.table("target_feasibility").set_index(_TARGET) for run in (base, other)]
    futures = [dict(iter(run.table("replication_targets").groupby(_TARGET, sort=False))) for run in (base, other)]
    paired = is_paired(base, other)
    rows = []
    for key in judged[0].index:
        if key not in judged[1].index or key not in futures[0] or key not in futures[1]:
            continue
        sides = _sides(futures[0][key], futures[1][key], ("figure", "met"), paired)
        (figure, figure_other), (met, met_other) = sides
        control = _control(futures[0][key], futures[1][key]) if paired else None
        p, more = changes_of(figure, figure_other, met, met_other, paired, control)
        old, new = judged[0].loc[key], judged[1].loc[key]
        reduction = pairs(figure, figure_other, control).reduction if paired else np.nan
        rows.append(
            (
                other.label, *key, *(new[c] for c in TARGET_COLUMNS[3:10]),
                met.mean(), met_other.mean(), p.difference, p.low, p.high,
                old["p_worst"], old["p_best"], new["p_worst"], new["p_best"],
                old["verdict_zh"], old["verdict_en"], new["verdict_zh"], new["verdict_en"],
                figure.mean(), figure_other.mean(), more.difference, more.low, more.high,
                min(len(met), len(met_other)), paired, reduction,
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(TARGET_COLUMNS))


def changes_of(
    figure: Floats, figure_other: Floats, met: Floats, met_other: Floats, paired: bool, control: Floats | None = None
) -> tuple[Change, Change]:
    """Change of the share that meets a target and of the mean of its figure; zeros where all futures are the same.

    ``control``: what the mean change is freed of (:func:`zjsim.simulate.paired.pairs`).
    """
    if paired and np.array_equal(figure, figure_other):
        return Change(0.0, 0.0, 0.0), Change(0.0, 0.0, 0.0)
    share = change_of_share(met, met_other, paired=paired)
    if not paired:
        return share, change_of_mean(figure, figure_other, paired=False)
    more = pairs(figure_other, figure, control)
    return share, Change(more.difference, more.low, more.high)


def _control(first: pd.DataFrame, second: pd.DataFrame) -> Floats | None:
    """The mean control of the replications that both have; None where a run kept none.

    Either run's own is 0 in expectation, so their mean is; and it is the same whichever run is the base.
    """
    if any("control" not in side or side["control"].isna().any() for side in (first, second)):
        return None
    ((own, others),) = _sides(first, second, ("control",), True)
    return (own + others) / 2


def outcome_changes(base: RunFiles, other: RunFiles) -> pd.DataFrame:
    """A row per outcome of the province and year that both runs simulate: means and their change."""
    key = ["process", "outcome", "year"]
    words = ["indicator_zh", "indicator_en", "kind", "unit"]
    listed = other.table("yearly_outcomes").drop_duplicates(key)
    named = dict(zip(listed[key].itertuples(index=False, name=None), listed[words].to_numpy().tolist(), strict=True))
    futures = [dict(iter(run.table("replication_outcomes").groupby(key, sort=False))) for run in (base, other)]
    paired = is_paired(base, other)
    rows = []
    for k, table in futures[0].items():
        if k not in futures[1] or k not in named:
            continue
        ((before, after),) = _sides(table, futures[1][k], ("value",), paired)
        if np.isnan(before).any() or np.isnan(after).any():
            continue
        more = change_of_mean(before, after, paired=paired)
        process, outcome, year = k
        means = (before.mean(), after.mean(), more.difference, more.low, more.high)
        rows.append((other.label, process, outcome, *named[k], year, *means, min(len(before), len(after)), paired))
    return pd.DataFrame(rows, columns=list(OUTCOME_COLUMNS))


def _sides(
    first: pd.DataFrame, second: pd.DataFrame, columns: Sequence[str], paired: bool
) -> Iterator[tuple[Floats, Floats]]:
    """Values of both sides by column; paired: of the replications that both have, in their order."""
    if paired:
        both = first.merge(second, on="replication", suffixes=("", "_other")).sort_values("replication")
        for column in columns:
            yield _numbers(both[column]), _numbers(both[f"{column}_other"])
        return
    for column in columns:
        yield _numbers(first[column]), _numbers(second[column])


def _numbers(values: pd.Series) -> Floats:
    if values.dtype == object or str(values.dtype).startswith("str"):
        values = values.map({"yes": 1.0, "no": 0.0})
    return values.to_numpy(np.float64).astype(np.float64)
