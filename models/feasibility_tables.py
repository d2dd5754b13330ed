"""The simulation's results as tables: a row per target and reading, outcome and year, design point, input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from zjsim.models.feasibility import DECIDING_FIGURE, deciding_figure, margins, probability, verdict
from zjsim.models.plan_value import plan_value_table

from zjsim.simulate.inputs import UncertainInput
from zjsim.simulate.statistics import mean_interval, quantiles
from zjsim.texts import LANGUAGES, Language, catalogue, text
from zjsim.texts.numbers import significant

if TYPE_CHECKING:
    from zjsim.models.throughput import Assessment, Process, Study

PROVINCE = "330000"
LISTED_INPUTS = 5
"""Inputs listed per target in ``deciding_inputs``."""
COMBINED_INPUTS = 2
"""Inputs named where none decides alone."""


def all_tables(
    registry: pd.DataFrame,
    studies: Sequence[Study],
    assessments: Sequence[Assessment],
    p_required: float,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Every result table of the simulation by name; ``registry`` is the registry ``targets``."""
    found = {(a.target.target_id, a.target.reading): a for a in assessments}
    rows = [(row, found.get((row["target_id"], row["reading"]))) for _, row in registry.iterrows()]
    return {
        "target_feasibility": pd.DataFrame([feasibility_row(r, a, p_required) for r, a in rows if a is not None]),
        "plan_value": plan_value_table(registry, studies, assessments),
        "targets_not_modelled": pd.DataFrame([_not_modelled(r) for r, a in rows if a is None], columns=_NOT_MODELLED),
        "yearly_outcomes": pd.DataFrame([row for study in studies for row in _yearly(study)]),
        "deciding_inputs": pd.DataFrame([row for a in assessments for row in _deciding(a)]),
        "design_points": pd.DataFrame([row for a in assessments for row in _points(a, studies)]),
        "design_values": pd.DataFrame([row for study in studies for row in _values(study)]),
        "uncertain_inputs": pd.DataFrame([row for study in studies for row in _inputs(study)]),
        "simulation_settings": pd.DataFrame([_settings(study, seed) for study in studies]),
    }


def feasibility_row(row: Mapping[str, Any] | pd.Series, a: Assessment, p_required: float) -> dict[str, Any]:
    """A row of ``target_feasibility`` from the target's row of the registry and its assessment."""
    p, low, high = probability(a.margin, a.confidence)
    worst, best = min(a.p_worst, p), max(a.p_best, p)
    word = verdict(low, high, worst, best, p_required)
    figure = deciding_figure(a.target, a.values, a.process.years)
    p05, p50, p95 = quantiles(figure)
    falling = a.target.comparator == "not_falling"
    source = deciding_input(a) if word == "depends on" else None
    said = {lang: _verdict_sentence(word, a, source, row, lang) for lang in LANGUAGES}
    notes = {lang: _note(word, a, source, row, lang) for lang in LANGUAGES}
    return {
        "target_id": row["target_id"],
        "reading": row["reading"],
        "is_default": row["is_default"],
        "measures": row["measures"],
        "indicator": row["indicator_en"],
        "indicator_zh": row["indicator_zh"],
        "indicator_en": row["indicator_en"],
        "unit": row["unit"],
        "unit_zh": row["unit_zh"],
        "comparator": row["comparator"],
        "period": row["period"],
        "bound": row["bound"],
        "start": row["start"],
        "deadline": row["deadline"],
        "verdict": said["en"] if word == "depends on" else word,
        "verdict_zh": said["zh"],
        "verdict_en": said["en"],
        "p_meet": p,
        "p_low": low,
        "p_high": high,
        "p_worst": worst,
        "p_best": best,
        "p_required": p_required,
        "deciding_figure": "smallest_change" if falling else DECIDING_FIGURE[a.target.period],
        "mean": float(figure.mean()),
        "p05": p05,
        "p50": p50,
        "p95": p95,
        "deciding_input": source.input_id if source else "",
        "deciding_input_zh": source.name_zh if source else "",
        "deciding_input_en": source.name_en if source else "",
        "break_even": a.break_even if source else np.nan,
        "break_even_unit": source.unit if source else "",
        "break_even_unit_zh": _unit(source, "zh") if source else "",
        "has_baseline": row["has_baseline"],
        "baseline": row["baseline"],
        "replications": len(a.margin),
        "design_points": len(a.p_points),
        "design_replications": min(a.process.design_replications, len(a.margin)),
        "process": a.process.name,
        "outcome": a.target.outcome,
        **_reached(a),
        "note_zh": notes["zh"],
        "note_en": notes["en"],
    }


def _reached(a: Assessment) -> dict[str, Any]:
    """What counts already at the as-of date, up to the last quarter that is over (within the target's years).

    An amount since the start (or since January, for a yearly target), or the level at that quarter's end.
    """
    before, target = a.process.past, a.target
    own = [q for q in (before.quarters if before else ()) if target.first_year <= int(q[:4]) <= target.last_year]
    if before is None or not own:
        return {"actual_until": "", "actual_value": np.nan}
    year = int(own[-1][:4])
    if a.process.outcomes[target.outcome][0] == "level":
        value = before.level(target.outcome, year)
    elif target.period == "per_year":
        value = before.flow(target.outcome, year)
    else:
        value = fsum(before.value(target.outcome, q) for q in own)
    return {"actual_until": own[-1], "actual_value": value}


def deciding_input(a: Assessment) -> UncertainInput | None:
    """The input whose move alone flips the target, the one with the nearest break-even; None if no one input does."""
    if not a.effects or not np.isfinite(a.effects[0].distance):
        return None
    return next(i for i in a.process.inputs if i.input_id == a.effects[0].input_id)


def _verdict_sentence(
    word: str, a: Assessment, source: UncertainInput | None, row: Mapping[str, Any] | pd.Series, lang: Language
) -> str:
    if word != "depends on":
        return text(f"simulation.verdict.{word.replace(' ', '_')}", lang)
    if source is None:
        return text("simulation.verdict.depends_on_several", lang, inputs=_combination(a, lang))
    name = source.name_zh if lang == "zh" else source.name_en
    return text(
        "simulation.verdict.depends_on",
        lang,
        input=name,
        value=_amount(a.break_even, source, lang),
    )


def _amount(value: float, source: UncertainInput, lang: Language) -> str:
    """A value of an input with its unit, four significant digits; shares and probabilities as per cent."""
    if source.unit in ("share", "probability"):
        return significant(100 * value, 4) + "%"
    return text("simulation.verdict.amount", lang, value=significant(value, 4), unit=_unit(source, lang))


def _unit(source: UncertainInput, lang: Language) -> str:
    """The input's unit: in Chinese as its registry says it, else as the texts do, else as it stands."""
    if lang != "zh" or source.unit_zh:
        return source.unit_zh if lang == "zh" else source.unit
    key = f"unit.{source.unit}"
    return text(key, lang) if key in catalogue() else source.unit


def _combination(a: Assessment, lang: Language) -> str:
    """The inputs that move the target most over the design, each with the direction that helps.

    Only inputs that move the target by themselves are named: on the same random numbers the others cannot matter, and
    a rank correlation over a few points would name some by chance.
    """
    if not a.correlations:
        return text("simulation.inputs_not_named", lang)
    names = {i.input_id: (i.name_zh if lang == "zh" else i.name_en) for i in a.process.inputs}
    said = [
        text(f"simulation.{'higher' if rho > 0 else 'lower'}", lang, input=names[i])
        for i, rho in a.correlations[:COMBINED_INPUTS]
    ]
    return ("、" if lang == "zh" else ", ").join(said)


def _note(
    word: str, a: Assessment, source: UncertainInput | None, row: Mapping[str, Any] | pd.Series, lang: Language
) -> str:
    """Whether a baseline is public, and by what method the deciding input was found."""
    parts = [] if row["has_baseline"] else [text("simulation.note.no_baseline", lang)]
    if word == "depends on":
        key = "one_at_a_time" if source else "no_single_input"
        parts.append(text(f"simulation.note.{key}", lang, n=min(a.process.design_replications, len(a.margin))))
    return ("" if lang == "zh" else " ").join(parts)


_NOT_MODELLED = ["target_id", "reading", "measures", "indicator_zh", "indicator_en", "unit", "reason_zh", "reason_en"]


def _not_modelled(row: pd.Series) -> dict[str, Any]:
    reasons = {f"reason_{lang}": text("simulation.not_modelled", lang) for lang in LANGUAGES}
    return {**{c: row[c] for c in _NOT_MODELLED if c in row}, **reasons}


def outcome_name(outcome: str, lang: Language) -> str:
    """What an outcome is called; its own name where no text names it."""
    key = f"simulation.outcome.{outcome}"
    return text(key, lang) if key in catalogue() else outcome


def _yearly(study: Study) -> list[dict[str, Any]]:
    rows = []
    for outcome, (kind, unit) in study.process.outcomes.items():
        for k, year in enumerate(study.process.years):
            values = study.base[outcome][:, k]
            if np.isnan(values).any():  # a past year of which nothing is known
                continue
            mean, low, high = mean_interval(values)
            p05, p50, p95 = quantiles(values)
            rows.append(
                {
                    "year": year,
                    "process": study.process.name,
                    "outcome": outcome,
                    "indicator": outcome_name(outcome, "en"),
                    "indicator_zh": outcome_name(outcome, "zh"),
                    "indicator_en": outcome_name(outcome, "en"),
                    "kind": kind,
                    "unit": unit,
                    "area": PROVINCE,
                    **_past_of(study.process, outcome, kind, year),
                    "mean": mean,
                    "p05": p05,
                    "p50": p50,
                    "p95": p95,
                    "mean_low": low,
                    "mean_high": high,
                    "replications": len(values),
                }
            )
    return rows


def _past_of(process: Process, outcome: str, kind: str, year: int) -> dict[str, Any]:
    """Whether a year's figure is actual, simulated or both, and on what basis the actual part is known."""
    if process.past is None or process.simulated is None:
        return {"status": "simulated", "actual_basis": ""}
    status = process.past.status(kind, year, process.simulated)
    return {"status": status, "actual_basis": "" if status == "simulated" else process.past.basis(outcome, year)}


def _deciding(a: Assessment) -> list[dict[str, Any]]:
    names = {i.input_id: i for i in a.process.inputs}
    rho = dict(a.correlations)
    return [
        {
            "target_id": a.target.target_id,
            "reading": a.target.reading,
            "rank": rank,
            "input_id": e.input_id,
            "input_zh": names[e.input_id].name_zh,
            "input_en": names[e.input_id].name_en,
            "unit": names[e.input_id].unit,
            "low": names[e.input_id].low,
            "mode": names[e.input_id].mode,
            "high": names[e.input_id].high,
            "basis": names[e.input_id].basis,
            "break_even": a.break_even if rank == 1 and not np.isnan(a.break_even) else e.break_even,
            "margin_at_base": e.at_base,
            "margin_at_low": e.at_low,
            "margin_at_high": e.at_high,
            "rank_correlation": rho.get(e.input_id, np.nan),
        }
        for rank, e in enumerate(a.effects[:LISTED_INPUTS], start=1)
    ]


def _points(a: Assessment, studies: Sequence[Study]) -> list[dict[str, Any]]:
    """A row per design point: p_meet, and how far from its bound the deciding figure is in the mean of the point.

    A mean many times the spread of the base away from the bound says that a p_meet of 0 or 1 is no chance of few
    replications.
    """
    study = next(s for s in studies if s.process.name == a.process.name)
    there = [margins(a.target, found[a.target.outcome], a.process.years) for found in study.at_points]
    return [
        {
            "process": a.process.name,
            "point": k,
            "kind": point.kind,
            "input_id": point.input_id,
            "target_id": a.target.target_id,
            "reading": a.target.reading,
            "p_meet": p,
            "margin_mean": float(margin.mean()),
            "replications": len(margin),
        }
        for k, (point, p, margin) in enumerate(zip(study.points, a.p_points, (a.margin, *there), strict=True))
    ]


def _values(study: Study) -> list[dict[str, Any]]:
    """Values of the base point in full, of the others where they differ from it."""
    base = study.points[0].values
    return [
        {"process": study.process.name, "point": k, "input_id": i, "value": value}
        for k, point in enumerate(study.points)
        for i, value in sorted(point.values.items())
        if k == 0 or value != base[i]
    ]


def _inputs(study: Study) -> list[dict[str, Any]]:
    return [
        {
            "process": study.process.name,
            "input_id": i.input_id,
            "input_zh": i.name_zh,
            "input_en": i.name_en,
            "unit": i.unit,
            "low": i.low,
            "mode": i.mode,
            "high": i.high,
            "distribution": i.distribution,
            "basis": i.basis,
        }
        for i in sorted(study.process.inputs, key=lambda i: i.input_id)
    ]


def _settings(study: Study, seed: int) -> dict[str, Any]:
    replications = len(next(iter(study.base.values())))
    return {
        "process": study.process.name,
        "seed": seed,
        "first_year": study.process.years[0],
        "last_year": study.process.years[-1],
        "replications": replications,
        "uncertain_inputs": len(study.process.inputs),
        "design_points": len(study.points),
        "space_filling_points": sum(p.kind == "space" for p in study.points),
        "design_replications": min(study.process.design_replications, replications),
        "stopped_at_look": study.look if study.look else np.nan,
        "confidence": study.confidence,
    }
