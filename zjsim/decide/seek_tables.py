"""The tables of an answer: what is proposed, what was tested and how it came out, and what all of it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from zjsim.decide.seek_answer import Fresh
from zjsim.decide.seek_space import Point
from zjsim.decide.seek_words import acts, setting
from zjsim.simulate.statistics import clopper_pearson
from zjsim.texts import text

if TYPE_CHECKING:
    from zjsim.decide.seek import Sought
    from zjsim.decide.seek_levers import Lever

_INDICATOR = ("target_id", "reading", "measures", "indicator_zh", "indicator_en")
PROPOSAL = (
    "lever_id", "name_zh", "name_en", "from_value", "to_value", "unit", "unit_zh", "acts_from", "cost", "cost_unit",
    "unit_cost", "cost_per_zh", "cost_per_en", "source_id", "basis", "measures",
)  # fmt: skip
TARGETS = (
    *_INDICATOR, "comparator", "bound", "unit", "p_asked", "jointly", "delta", "sample_met", "sample_made", "p_sample",
    "fresh_met", "fresh_made", "p_fresh", "p_fresh_low", "p_fresh_high", "bound_confidence", "holds",
)  # fmt: skip
TESTS = (
    "test", "why", "setting_zh", "setting_en", "cost", "target_id", "reading", "sample_met", "sample_made", "p_sample",
    "p_sample_low", "p_sample_high", "passed", "attempt", "fresh_met", "fresh_made", "p_fresh", "p_fresh_low",
    "p_fresh_high", "bound_confidence", "holds",
)  # fmt: skip
PAIRS = (
    "target_id", "reading", "lever_id", "name_zh", "name_en", "context", "from_zh", "from_en", "to_zh", "to_en",
    "replications", "rises", "falls", "newly_met", "newly_missed", "mean_change", "error_of_mean",
)  # fmt: skip
DIRECTIONS = (
    "target_id", "reading", "lever_id", "name_zh", "name_en", "direction", "in_every_replication", "pairs", "searched",
)  # fmt: skip
FRONTIER = (
    "cost", "setting_zh", "setting_en", "p_sample", "p_sample_low", "p_sample_high", "sample_made", "p_fresh",
    "p_fresh_low", "p_fresh_high", "fresh_made",
)  # fmt: skip
DRAWS = ("simulated_process", "used_for", "attempt", "seed", "first_replication", "last_replication")
LEVERS = (
    "lever_id", "name_zh", "name_en", "moved", "why_not_zh", "why_not_en", "present", "low", "high", "levels", "unit",
    "unit_zh", "acts_from", "unit_cost", "cost_unit", "cost_per_zh", "cost_per_en", "source_id", "basis",
)  # fmt: skip


def seek_tables(sought: Sought) -> dict[str, pd.DataFrame]:
    """All tables by name: ``seek_proposal``, ``seek_targets``, ``seek_tests``, ``seek_frontier``, ``seek_levers``,
    ``seek_directions``, ``seek_pairs``, ``seek_draws``."""
    made = {
        "seek_proposal": (_proposal(sought), PROPOSAL),
        "seek_targets": (_targets(sought), TARGETS),
        "seek_tests": (_tests(sought), TESTS),
        "seek_frontier": (_frontier(sought), FRONTIER),
        "seek_levers": (_levers(sought), LEVERS),
        "seek_directions": (_directions(sought), DIRECTIONS),
        "seek_pairs": (_pairs(sought), PAIRS),
        "seek_draws": (_draws(sought), DRAWS),
    }
    return {name: pd.DataFrame(list(rows), columns=list(columns)) for name, (rows, columns) in made.items()}


def _cost_of(lever: Lever) -> dict[str, Any]:
    row, points = lever.row, lever.cost_unit == "points"
    return {
        "unit_cost": float(row["unit_cost_points"] if points else row["unit_cost_yuan"]),
        "cost_unit": "cost points" if points else "yuan",
        "cost_per_zh": row["cost_per_zh"],
        "cost_per_en": row["cost_per_en"],
        "source_id": row["cost_source_id"],
        "basis": row["cost_basis"],
    }


def _named(lever: Lever) -> dict[str, Any]:
    return {c: lever.row[c] for c in ("lever_id", "name_zh", "name_en")}


def _proposal(sought: Sought) -> Iterator[dict[str, Any]]:
    for k, lever in zip(sought.answer.point, sought.levers, strict=True):
        if k != lever.present:
            yield {
                **_named(lever),
                "from_value": lever.shown[lever.present],
                "to_value": lever.shown[k],
                **{c: lever.row[c] for c in ("unit", "unit_zh", "measures")},
                "acts_from": lever.acts_from.isoformat(),
                "cost": float(lever.costs[k]),
                **_cost_of(lever),
            }


def _fresh_of(sought: Sought, point: Point) -> Fresh | None:
    made = [f for f in sought.answer.fresh if f.point == point]
    return made[-1] if made else None


def _fresh_cells(sought: Sought, fresh: Fresh | None, target: int) -> dict[str, Any]:
    """Successes and bounds of a target on fresh replications (jointly: of all together); empty without any."""
    if fresh is None:
        return {"fresh_made": 0, "holds": False}
    jointly = sought.wanted.jointly
    met, own = (fresh.met_jointly, 0) if jointly else (fresh.met[target], target)
    return {
        "attempt": fresh.attempt,
        "fresh_met": met,
        "fresh_made": fresh.made,
        "p_fresh": met / fresh.made,
        "p_fresh_low": fresh.lows[own],
        "p_fresh_high": fresh.highs[own],
        "bound_confidence": fresh.confidence,
        "holds": fresh.holds,
    }


def _names(sought: Sought, target: int) -> dict[str, Any]:
    row = sought.asked[target].row
    return {c: row[c] for c in _INDICATOR}


def _targets(sought: Sought) -> Iterator[dict[str, Any]]:
    """A row per target; what a budget buys is asked for no probability, so there is none to hold."""
    point = sought.answer.point
    trial = next((t for t in sought.answer.tested if t.point == point), None)
    fresh = _fresh_of(sought, point)
    for t, a in enumerate(sought.asked):
        sample = {}
        if trial is not None:
            met = trial.met_jointly if sought.wanted.jointly else trial.met[t]
            sample = {"sample_met": met, "sample_made": trial.made[t], "p_sample": met / max(trial.made[t], 1)}
        yield {
            **_names(sought, t),
            **{c: a.row[c] for c in ("comparator", "bound", "unit")},
            "p_asked": sought.wanted.probability,
            "jointly": sought.wanted.jointly,
            "delta": sought.wanted.delta,
            **sample,
            **_fresh_cells(sought, fresh, t),
            **(dict.fromkeys(("p_asked", "delta", "holds"), math.nan) if sought.wanted.budget is not None else {}),
        }


def _tests(sought: Sought) -> Iterator[dict[str, Any]]:
    seen = set()
    for number, trial in enumerate(sought.answer.tested, start=1):
        seen.add(trial.point)
        yield from _test_rows(sought, number, trial.why, trial.point, trial.cost, trial)
    for number, fresh in enumerate((f for f in sought.answer.fresh if f.point not in seen), start=len(seen) + 1):
        cost = math.fsum(float(lever.costs[k]) for k, lever in zip(fresh.point, sought.levers, strict=True))
        yield from _test_rows(sought, number, fresh.why, fresh.point, cost, None)


def _test_rows(
    sought: Sought, number: int, why: str, point: Point, cost: float, trial: Any
) -> Iterator[dict[str, Any]]:
    for t, a in enumerate(sought.asked):
        sample: dict[str, Any] = {}
        if trial is not None and trial.made[t]:
            met = trial.met_jointly if sought.wanted.jointly else trial.met[t]
            low, high = clopper_pearson(met, trial.made[t])
            sample = {"sample_met": met, "sample_made": trial.made[t], "p_sample": met / trial.made[t]}
            sample |= {"p_sample_low": low, "p_sample_high": high, "passed": trial.passed}
        yield {
            "test": number,
            "why": why,
            "setting_zh": setting(sought, point, "zh") or acts("nothing", "zh"),
            "setting_en": setting(sought, point, "en") or acts("nothing", "en"),
            "cost": cost,
            "target_id": a.target.target_id,
            "reading": a.target.reading,
            **sample,
            **_fresh_cells(sought, _fresh_of(sought, point), t),
        }


def _frontier(sought: Sought) -> Iterator[dict[str, Any]]:
    """Per point of the frontier the target that is met least often (jointly: all together)."""
    jointly = sought.wanted.jointly
    for trial in sought.answer.frontier:
        worst = trial.worst()
        met = trial.met_jointly if jointly else trial.met[worst]
        low, high = clopper_pearson(met, trial.made[worst])
        fresh = _fresh_of(sought, trial.point)
        cells = {}
        if fresh is not None:
            least = 0 if jointly else min(range(len(fresh.met)), key=lambda t: fresh.met[t])
            cells = _fresh_cells(sought, fresh, least)
        yield {
            "cost": trial.cost,
            "setting_zh": setting(sought, trial.point, "zh") or acts("nothing", "zh"),
            "setting_en": setting(sought, trial.point, "en") or acts("nothing", "en"),
            "p_sample": met / trial.made[worst],
            "p_sample_low": low,
            "p_sample_high": high,
            "sample_made": trial.made[worst],
            **{c: v for c, v in cells.items() if c in FRONTIER},
        }


def _levers(sought: Sought) -> Iterator[dict[str, Any]]:
    for lever in sought.levers:
        yield {
            **_named(lever),
            "moved": True,
            "why_not_zh": "",
            "why_not_en": "",
            "present": lever.shown[lever.present],
            "low": lever.shown[0],
            "high": lever.shown[-1],
            "levels": len(lever.shown),
            **{c: lever.row[c] for c in ("unit", "unit_zh")},
            "acts_from": lever.acts_from.isoformat(),
            **_cost_of(lever),
        }
    for beyond in sought.beyond:
        row = beyond.row
        points = not math.isnan(float(row["unit_cost_points"]))
        yield {
            **{c: row[c] for c in ("lever_id", "name_zh", "name_en", "unit", "unit_zh", "low", "high")},
            "moved": False,
            "why_not_zh": text(f"seek.beyond.{beyond.why}", "zh"),
            "why_not_en": text(f"seek.beyond.{beyond.why}", "en"),
            "acts_from": str(row["earliest_effect"])[:10],
            "unit_cost": row["unit_cost_points"] if points else row["unit_cost_yuan"],
            "cost_unit": "cost points" if points else "yuan",
            **{c: row[c] for c in ("cost_per_zh", "cost_per_en")},
            "source_id": row["cost_source_id"],
            "basis": row["cost_basis"],
        }


def _directions(sought: Sought) -> Iterator[dict[str, Any]]:
    screened = sought.answer.screened
    words = {1: "helps", -1: "hurts", 0: "nothing", None: "not_monotone"}
    for t, a in enumerate(sought.asked):
        for j, lever in enumerate(sought.levers):
            yield {
                "target_id": a.target.target_id,
                "reading": a.target.reading,
                **_named(lever),
                "direction": words[screened.directions[t][j]],
                "in_every_replication": screened.sure[t][j],
                "pairs": sum(p.target == t and p.lever == j for p in screened.pairs),
                "searched": j in sought.answer.kept,
            }


def _pairs(sought: Sought) -> Iterator[dict[str, Any]]:
    for pair in sought.answer.screened.pairs:
        a, lever = sought.asked[pair.target], sought.levers[pair.lever]
        yield {
            "target_id": a.target.target_id,
            "reading": a.target.reading,
            **_named(lever),
            "context": pair.context,
            **{
                f"{end}_{lang}": setting(sought, point, lang) or acts("nothing", lang)
                for end, point in (("from", pair.low), ("to", pair.high))
                for lang in ("zh", "en")
            },
            "replications": pair.count,
            "rises": pair.rises,
            "falls": pair.falls,
            "newly_met": pair.gained,
            "newly_missed": pair.lost,
            "mean_change": pair.mean,
            "error_of_mean": pair.error,
        }


def _draws(sought: Sought) -> Iterator[dict[str, Any]]:
    for name, t in {a.process.name: t for t, a in enumerate(sought.asked)}.items():
        used = [("screening", 0, 0, sought.screened[t]), ("sample", 0, 0, sought.sample[t])]
        used += [("fresh", f.attempt, f.first, f.made) for f in sought.answer.fresh]
        for what, attempt, first, count in used:
            yield {
                "simulated_process": name,
                "used_for": what,
                "attempt": attempt,
                "seed": str(sought.plan.seed),
                "first_replication": first,
                "last_replication": first + count - 1,
            }
