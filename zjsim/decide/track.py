"""Are we on course? The past as it was counted, the rest as it is forecast from there, and lights (M121, M123, M124).

What lies before the as-of date is taken from the actual values, what follows is simulated from the stock and the work
in progress that agree with them. Every report keeps what the next one needs: the path that it forecast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from zjsim.decide.track_areas import area_table
from zjsim.decide.track_since import Before
from zjsim.decide.track_targets import body_table, target_table, task_table
from zjsim.models.ensemble_looks import stopping_of
from zjsim.models.past import past
from zjsim.models.processes import processes_of
from zjsim.models.throughput import assess, target_of
from zjsim.models.tracking_estimates import estimates
from zjsim.models.tracking_paths import outcome_paths, target_fans
from zjsim.texts import LANGUAGES, text

if TYPE_CHECKING:
    from zjsim.engine import Engine

CHANGE_COLUMNS = (
    "target_id", "reading", "is_default", "indicator_zh", "indicator_en", "unit", "light_before", "light", "p_before",
    "p_meet", "p_change", "mean_before", "mean", "mean_change", "since", "since_actual", "since_forecast", "deviation",
    "said_zh", "said_en",
)  # fmt: skip
REVISION_COLUMNS = ("outcome", "area_code", "quarter", "value_before", "value", "change", "what")
ACTUAL_COLUMNS = ("outcome", "area_code", "quarter", "value", "source_id", "basis")


def track(
    scenario: Any,
    plan: Mapping[str, pd.DataFrame],
    *,
    seed: int,
    replications: int,
    engine: Engine,
    since: Before | None = None,
    used_estimates: pd.DataFrame | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, pd.DataFrame]:
    """The tables of a report on ``scenario`` as of its own as-of date, carried on with ``plan``.

    ``track_targets``, ``track_tasks``, ``track_bodies`` (the traffic lights), ``track_areas``, ``track_changes`` and
    ``track_revisions`` (against ``since``, the report before), ``track_parameters``, ``track_path``, ``track_fan`` and
    ``track_actuals``. ``used_estimates``: the table of parameters whose new values ``scenario`` already has. Equal
    arguments give equal tables for any number of workers.
    """
    options, registry = scenario.parameters.simulation, scenario.table("targets")
    before = past(scenario)
    targets = [target_of(row) for _, row in registry.iterrows()]
    headline = [t for t, default in zip(targets, registry["is_default"], strict=True) if default and t.outcome]
    stops = (options.stopping, options.looks, options.stopping_error)
    studies, assessments = assess(
        processes_of(scenario, plan),
        [t for t in targets if t.outcome],
        seed=seed,
        replications=replications,
        space_points=options.design_points,
        single_input_points=options.single_input_points,
        p_required=options.p_required,
        stopping=stopping_of(stops, replications, headline, options.p_required),
        progress=progress,
        **engine.options(),
    )
    judged = target_table(scenario, before, assessments, since)
    tasks = task_table(scenario, judged)
    actuals = scenario.table("actuals")
    if used_estimates is None:
        used_estimates = estimates(scenario, before, used=False)
    return {
        "track_targets": judged,
        "track_tasks": tasks,
        "track_bodies": body_table(scenario, tasks),
        "track_areas": area_table(scenario, before, studies),
        "track_changes": changes(judged, since),
        "track_revisions": revisions(actuals, since),
        "track_parameters": used_estimates,
        "track_path": outcome_paths(studies, sorted(set(registry["outcome"]) - {""})),
        "track_fan": target_fans(registry, studies, assessments),
        "track_actuals": actuals[actuals["quarter"].isin(before.quarters)][list(ACTUAL_COLUMNS)].reset_index(drop=True),
    }


def changes(targets: pd.DataFrame, since: Before | None) -> pd.DataFrame:
    """``track_changes``: a row per target and reading that both reports judge; no rows without a report before."""
    rows = []
    for row in targets.to_dict("records") if since is not None else ():
        old = since.judged.get((row["target_id"], row["reading"])) if since is not None else None
        if old is None or row["p_meet"] != row["p_meet"]:
            continue
        told = {c: row[c] for c in CHANGE_COLUMNS if c in row}
        told |= {
            "light_before": old["light"],
            "p_before": float(old["p_meet"]),
            "p_change": row["p_meet"] - float(old["p_meet"]),
            "mean_before": float(old["mean"]),
            "mean_change": row["mean"] - float(old["mean"]),
        }
        for lang in LANGUAGES:
            words = {"before": f"{told['p_before']:.0%}", "now": f"{row['p_meet']:.0%}"}
            said = text("track.change.chance", lang, **words)
            if row["since_actual"] == row["since_actual"] and row["since_forecast"] == row["since_forecast"]:
                amounts = {n: f"{row[n]:,.6g}" for n in ("since_actual", "since_forecast")}
                said += text(
                    "track.change.amount", lang, unit=row["unit_zh"] if lang == "zh" else row["unit"], **amounts
                )
            told[f"said_{lang}"] = said
        rows.append(told)
    return pd.DataFrame(rows, columns=list(CHANGE_COLUMNS))


def revisions(actuals: pd.DataFrame, since: Before | None) -> pd.DataFrame:
    """``track_revisions``: figures of quarters that were already reported and are now others, gone, or new."""
    if since is None:
        return pd.DataFrame(columns=list(REVISION_COLUMNS))
    from zjsim.scenario.quarters import quarters_until

    over = set(quarters_until(since.as_of))
    keys = zip(actuals["outcome"], actuals["area_code"], actuals["quarter"], strict=True)
    now = {k: float(v) for k, v in zip(keys, actuals["value"], strict=True) if k[2] in over}
    rows: list[tuple[Any, ...]] = []
    for key in sorted({*now, *since.actuals}):
        old, new = since.actuals.get(key, float("nan")), now.get(key, float("nan"))
        if old != new:
            what = "added" if old != old else "removed" if new != new else "changed"
            rows.append((*key, old, new, new - old, what))
    return pd.DataFrame(rows, columns=list(REVISION_COLUMNS))
