"""The traffic-light tables of the province: targets, tasks and the bodies responsible for them (M121, M124)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from math import isfinite, isnan, nan
from typing import TYPE_CHECKING, Any

import pandas as pd

from zjsim.decide.track_since import Before
from zjsim.models.feasibility_tables import feasibility_row
from zjsim.models.past import Past
from zjsim.models.tracking_paths import seen_since
from zjsim.models.tracking_signals import (
    LIGHTS,
    LIMIT,
    Light,
    Pace,
    cusum,
    deviation,
    light_of_forecast,
    pace_of_level,
    pace_of_sum,
    pace_of_year,
    warned,
    worst_light,
)
from zjsim.scenario.actual_checks import outcome_kinds
from zjsim.scenario.quarters import PROVINCE, quarter_of
from zjsim.texts import LANGUAGES, Language, text

if TYPE_CHECKING:
    from zjsim.models.throughput import Assessment

TARGET_COLUMNS = (
    "target_id", "reading", "is_default", "measures", "indicator_zh", "indicator_en", "light", "reason_zh", "reason_en",
    "unit", "unit_zh", "period", "deadline", "bound", "achieved", "milestone", "behind_milestone", "pace_so_far",
    "pace_needed", "pace_ratio", "quarters_left", "p_meet", "p_low", "p_high", "p_worst", "p_best", "p_required",
    "verdict_zh", "verdict_en", "mean", "p05", "p95", "since", "since_actual", "since_forecast", "since_sd",
    "since_worst", "deviation", "cusum", "early_warning", "outcome", "actual_basis", "replications",
)  # fmt: skip
TASK_COLUMNS = (
    "measure_id", "indicator_zh", "indicator_en", "light", "reason_zh", "reason_en", "responsible_body", "body_zh",
    "body_en", "co_bodies_zh", "co_bodies_en", "executing_level", "deadline", "targets", "green", "amber", "red",
    "grey",
)  # fmt: skip
BODY_COLUMNS = (
    "responsible_body", "body_zh", "body_en", "level", "light", "tasks", "with_target", "green", "amber", "red", "grey",
    "worst_zh", "worst_en",
)  # fmt: skip
Row = dict[str, Any]


def target_table(scenario: Any, before: Past, assessments: Sequence[Assessment], since: Before | None) -> pd.DataFrame:
    """``track_targets``: a row per target and reading, whether simulated or not, with :data:`TARGET_COLUMNS`."""
    registry, p_required = scenario.table("targets"), scenario.parameters.simulation.p_required
    found = {(a.target.target_id, a.target.reading): a for a in assessments}
    kinds, milestones = outcome_kinds(registry), _milestones(scenario.table("milestones"))
    signals = {o: signal(o, kinds[o], before, since) for o in kinds}
    rows = []
    for _, row in registry.iterrows():
        key = (row["target_id"], row["reading"])
        told: Row = {c: row[c] for c in TARGET_COLUMNS if c in row.index}
        pace = pace_of(row, kinds.get(row["outcome"], "level"), before)
        milestone = milestones.get((*key, PROVINCE, before.quarters[-1] if before.quarters else ""), nan)
        told |= _paces(pace, milestone)
        a = found.get(key)
        judged = feasibility_row(row, a, p_required) if a is not None else {}
        told |= {c: judged[c] for c in TARGET_COLUMNS if c in judged}
        told |= signals.get(row["outcome"], {})
        known = a is not None and bool(before.quarters) and not isnan(pace.achieved)
        word = "" if a is None else _kind(str(judged["verdict"]))
        light = light_of_forecast(word, bool(told.get("early_warning")), known=known)
        told["light"] = light
        told["actual_basis"] = ";".join(sorted({b for (o, _, _), b in before.bases.items() if o == row["outcome"]}))
        for lang in LANGUAGES:
            told[f"reason_{lang}"] = _reason(light, word, told, pace, a is not None, lang)
        rows.append(told)
    return pd.DataFrame(rows, columns=list(TARGET_COLUMNS))


def _kind(verdict: str) -> str:
    return next((w for w in ("not met", "met", "undecided", "depends on") if verdict.startswith(w)), "")


def _milestones(table: pd.DataFrame) -> dict[tuple[str, str, str, str], float]:
    keys = zip(table["target_id"], table["reading"], table["area_code"], table["quarter"], strict=True)
    return dict(zip(keys, (float(v) for v in table["value"]), strict=True))


def quarters_of(row: Mapping[str, Any] | pd.Series) -> list[str]:
    """The quarters from a target's start to its deadline."""
    first, last = quarter_of(date.fromisoformat(row["start"])), quarter_of(date.fromisoformat(row["deadline"]))
    named = [f"{y}-Q{n}" for y in range(int(first[:4]), int(last[:4]) + 1) for n in (1, 2, 3, 4)]
    return [q for q in named if first <= q <= last]


def pace_of(
    row: Mapping[str, Any] | pd.Series, kind: str, before: Past, area: str = PROVINCE, bound: float | None = None
) -> Pace:
    """The pace of a target in an area, by what it counts; ``bound`` replaces the province's."""
    quarters = quarters_of(row)
    last = quarter_of(before.as_of) if before.quarters else ""
    values = before.by_quarter(row["outcome"], area) if row["outcome"] else {}
    asked = float(row["bound"]) if bound is None else bound
    if kind == "flow":
        rule = pace_of_year if row["period"] == "per_year" else pace_of_sum
        return rule(asked, values, quarters, last)
    start = float(row["baseline"]) if area == PROVINCE else nan
    if row["comparator"] == "not_falling":
        ends = [q for q in quarters if q <= last and q.endswith("Q4")]
        levels = [start, *(values.get(q, nan) for q in ends)]
        given = [v for v in levels if not isnan(v)]
        lost = any(b < a - 1e-9 for a, b in pairwise(given))
        pace = pace_of_level(given[-1] if given else nan, values, quarters, last, start, every_year=True)
        return Pace(pace.achieved, pace.goal, pace.so_far, pace.needed, pace.quarters_done, pace.quarters_left, lost)
    return pace_of_level(asked, values, quarters, last, start, every_year=row["period"] == "per_year")


def _paces(pace: Pace, milestone: float) -> Row:
    ratio = pace.so_far / pace.needed if pace.needed > 0 else nan
    return {
        "achieved": pace.achieved,
        "milestone": milestone,
        "behind_milestone": pace.achieved - milestone,
        "pace_so_far": pace.so_far,
        "pace_needed": pace.needed,
        "pace_ratio": ratio,
        "quarters_left": pace.quarters_left,
    }


def signal(outcome: str, kind: str, before: Past, since: Before | None) -> Row:
    """Early warning of an outcome: what came about since the report before against its forecast."""
    told: Row = dict.fromkeys(("since_actual", "since_forecast", "since_sd", "since_worst", "deviation", "cusum"), nan)
    told |= {"since": "", "early_warning": False}
    if since is None:
        return told
    actual = seen_since(before.by_quarter(outcome), kind, since.as_of, before.as_of, before.quarters)
    mean, sd, worst = since.forecast(outcome, before.as_of)
    z = deviation(actual, mean, sd)
    lag = cusum(since.cusum.get(outcome, nan), z) if not isnan(z) or outcome in since.cusum else nan
    return {
        "since": since.as_of.isoformat(),
        "since_actual": actual,
        "since_forecast": mean,
        "since_sd": sd,
        "since_worst": worst,
        "deviation": z,
        "cusum": lag,
        "early_warning": warned(z, lag),
    }


def _reason(light: Light, verdict: str, told: Row, pace: Pace, modelled: bool, lang: Language) -> str:
    """Why the light is what it is, in a sentence."""
    if light == "grey":
        return text("track.why.no_data" if modelled else "track.why.not_modelled", lang)
    chance = {n: f"{told[n]:.0%}" for n in ("p_meet", "p_low", "p_high", "p_worst", "p_best", "p_required")}
    if light == "red":
        return text("track.why.lost" if pace.lost else "track.why.red", lang, **chance)
    if light == "green":
        return text("track.why.green", lang, **chance)
    parts = []
    if told["early_warning"]:
        z = told["deviation"]
        shown = f"{z:+.1f}" if isfinite(z) else ("+∞" if z > 0 else "−∞")
        words = {"z": shown, "cusum": f"{told['cusum']:.1f}", "limit": f"{LIMIT:g}", "since": told["since"]}
        explained = told["since_actual"] >= told["since_worst"]
        parts.append(
            text("track.why.warning", lang, **words) + (text("track.why.explained", lang) if explained else "")
        )
    if verdict == "depends on":
        parts.append(text("track.why.depends", lang, **chance))
    if verdict == "undecided":
        parts.append(text("track.why.undecided", lang, **chance))
    return text("track.and", lang).join(parts)


def task_table(scenario: Any, targets: pd.DataFrame) -> pd.DataFrame:
    """``track_tasks``: a row per measure with the light of its targets in their default readings (else of any).

    Tasks with a target come first, the worst at the top.
    """
    measures, bodies = scenario.table("measures").set_index("measure_id"), scenario.table("bodies").set_index("body_id")
    rows = []
    for task in scenario.table("tasks").to_dict("records"):
        measure, body = measures.loc[task["measure_id"]], bodies.loc[task["responsible_body"]]
        own = targets[[task["measure_id"] in str(m).split(";") for m in targets["measures"]]]
        if own["is_default"].any():
            own = own[own["is_default"].astype(bool)]
        lights: list[Light] = own["light"].tolist()
        light = worst_light(lights)
        told: Row = {c: task[c] for c in TASK_COLUMNS if c in task}
        told |= {"light": light, "targets": len(own), **{c: lights.count(c) for c in ("green", "amber", "red", "grey")}}
        for lang in LANGUAGES:
            told |= {f"indicator_{lang}": measure[f"indicator_{lang}"], f"body_{lang}": body[f"name_{lang}"]}
            others = [bodies.loc[b, f"name_{lang}"] for b in task["co_bodies"].split(";") if b]
            told[f"co_bodies_{lang}"] = ("、" if lang == "zh" else ", ").join(others)
            worst = own[own["light"] == light]
            said = worst.iloc[0] if len(worst) else None
            told[f"reason_{lang}"] = (
                text("track.why.no_target", lang)
                if said is None
                else f"{said[f'indicator_{lang}']}: {said[f'reason_{lang}']}"
            )
        rows.append(told)
    rows.sort(key=lambda r: (r["targets"] == 0, LIGHTS.index(r["light"]), r["measure_id"]))
    return pd.DataFrame(rows, columns=list(TASK_COLUMNS))


def body_table(scenario: Any, tasks: pd.DataFrame) -> pd.DataFrame:
    """``track_bodies``: a row per responsible body; its light is the worst of its tasks that have a target."""
    bodies = scenario.table("bodies").set_index("body_id")
    rows = []
    for body_id, own in tasks.groupby("responsible_body", sort=True):
        measured = own[own["targets"] > 0]
        light = worst_light(measured["light"].tolist())
        worst = measured[measured["light"] == light]
        told: Row = {
            "responsible_body": body_id,
            "level": bodies.loc[body_id, "level"],
            "light": light,
            "tasks": len(own),
            "with_target": len(measured),
            **{c: int((measured["light"] == c).sum()) for c in ("green", "amber", "red", "grey")},
        }
        for lang in LANGUAGES:
            told[f"body_{lang}"] = bodies.loc[body_id, f"name_{lang}"]
            between = "、" if lang == "zh" else ", "
            named = [f"{r['measure_id']} {r[f'indicator_{lang}']}" for r in worst.head(3).to_dict("records")]
            told[f"worst_{lang}"] = between.join(named) if light in ("red", "amber") else ""
        rows.append(told)
    return pd.DataFrame(rows, columns=list(BODY_COLUMNS))
