"""Who has to bring what: targets of the province broken down to cities and counties, rule beside rule (M123).

Every division is tested on simulated futures: how often each city reaches its part, and all of them together. The rule
of equal chances is fitted on the first half of the futures; all rules are tested on the second half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zjsim.models.feasibility import margins
from zjsim.models.processes import Process, processes_of
from zjsim.models.target_allocation import CHANCE, RULES, Short, burdens, can_be_placed, counties_of_cities, divide
from zjsim.models.target_capacities import Case, case_of, why_not
from zjsim.models.throughput import Study
from zjsim.simulate.ensemble import Ensemble, Experiment, Task, batches, stack
from zjsim.simulate.inputs import base_values
from zjsim.simulate.statistics import clopper_pearson
from zjsim.synthesis.tracking import milestones
from zjsim.tables.errors import InputErrors, finding
from zjsim.tables.values import nearest
from zjsim.texts import LANGUAGES, text

if TYPE_CHECKING:
    from zjsim.engine import Engine

_TARGET = ("target_id", "reading", "indicator_zh", "indicator_en", "unit", "unit_zh")
TARGET_COLUMNS = (
    *_TARGET, "total", "status", "why_zh", "why_en", "capacity", "done", "expected", "missing", "note_capacity_zh",
    "note_capacity_en", "note_need_zh", "note_need_en", "p_province", "p_province_low", "p_province_high",
    "replications",
)  # fmt: skip
RULE_COLUMNS = (
    *_TARGET, "rule", "total", "burden_lowest", "burden_highest", "per_need_lowest", "per_need_highest", "moved",
    "p_all", "p_all_low", "p_all_high", "p_lowest", "lowest_zh", "lowest_en", "replications",
)  # fmt: skip
AREA_COLUMNS = (
    *_TARGET, "rule", "city_code", "area_code", "area_zh", "area_en", "done", "capacity", "need", "expected",
    "allotted", "share", "burden", "per_need", "p_meet", "p_low", "p_high", "replications",
)  # fmt: skip
REPAIR_COLUMNS = (*_TARGET, "area_code", "area_zh", "area_en", "capacity", "need", "add")
MILESTONE_COLUMNS = ("target_id", "reading", "area_code", "quarter", "value", "is_year_end", "source_id", "basis")
Row = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What is asked: targets (none: all that can be divided), the mixture (need, capacity, equal parts), and the rule
    whose milestones are written."""

    targets: tuple[str, ...]
    mix: tuple[float, float, float]
    rule: str


def allocate(
    scenario: Any,
    plan: Mapping[str, pd.DataFrame],
    asked: Asked,
    *,
    seed: int,
    replications: int,
    engine: Engine,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, pd.DataFrame]:
    """The tables of a division of the targets of ``scenario`` (default readings), carried out with ``plan``.

    ``allocation_targets`` (each with its status and why), ``allocation_rules`` (alternatives side by side),
    ``allocation_cities``, ``allocation_counties``, ``allocation_repairs`` (where capacity is short) and
    ``allocation_milestones`` (rows of the registry ``milestones`` for places, by the rule asked for). Raises
    ``InputErrors`` for a target that is not there.
    """
    registry = scenario.table("targets")
    chosen = registry[registry["is_default"]]
    known = list(chosen["target_id"])
    wrong = [t for t in asked.targets if t not in known]
    if wrong:
        raise InputErrors(
            [finding("no_target", "--target", value=t, fix=nearest(t, known), theme="decide.rule") for t in wrong]
        )
    chosen = chosen[chosen["target_id"].isin(asked.targets or known)]
    needed = [row["outcome"] for _, row in chosen.iterrows() if not why_not(row)]
    processes = [p for p in processes_of(scenario, plan) if set(needed) & set(p.outcomes)]
    studies = simulated(processes, seed, replications, engine, progress)
    names = _names(scenario)
    found: dict[str, list[Row]] = {n: [] for n in ("targets", "rules", "cities", "counties", "repairs")}
    parts: list[pd.DataFrame] = []
    for _, row in chosen.iterrows():
        head: Row = {c: row[c] for c in _TARGET}
        reason = why_not(row)
        if reason:
            told = {f"why_{lang}": text(f"allocate.not.{reason}", lang) for lang in LANGUAGES}
            found["targets"].append({**head, "total": row["bound"], "status": "not_divided", **told})
            continue
        case = case_of(scenario, row, studies)
        short = can_be_placed(case.cities, case.total)
        found["targets"].append({**head, **_target(case, short, studies)})
        if short is not None:
            found["repairs"] += _repairs(head, case, short, names)
            continue
        divided = _divide(case, asked)
        for rule, (x, below) in divided.items():
            rows, summary = _cities(case, rule, x, names)
            found["cities"] += [{**head, **r} for r in rows]
            found["rules"].append({**head, **summary})
            found["counties"] += [{**head, **r} for r in _counties(case, rule, below, names)]
        moved = {rule: _moved(divided, rule) for rule in divided}
        for summed in found["rules"]:
            if summed["target_id"] == row["target_id"]:
                summed["moved"] = moved[summed["rule"]]
        written = asked.rule if asked.rule in divided else RULES[0]
        parts.append(_milestones(row, *divided[written], case))
    columns = (TARGET_COLUMNS, RULE_COLUMNS, AREA_COLUMNS, AREA_COLUMNS, REPAIR_COLUMNS)
    tables = {
        f"allocation_{n}": pd.DataFrame(rows, columns=list(c))
        for (n, rows), c in zip(found.items(), columns, strict=True)
    }
    tables["allocation_milestones"] = (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(MILESTONE_COLUMNS))
    )
    return tables


def simulated(
    processes: Sequence[Process],
    seed: int,
    replications: int,
    engine: Engine,
    progress: Callable[[int, int], None] | None = None,
) -> list[Study]:
    """The base ensembles of ``processes``: inputs at their values, no design points."""
    tasks: list[Task] = []
    cuts = []
    for p in processes:
        own = batches(Task(p.name, base_values(p.inputs), seed, 0, replications * p.repeat), p.batch)
        cuts.append((len(tasks), len(tasks) + len(own)))
        tasks += own
    with Ensemble({p.name: Experiment(p.simulate, p.data) for p in processes}, **engine.options()) as ensemble:
        found = ensemble.run(tasks, progress)
    return [Study(p, stack(found[a:b]), (), ()) for p, (a, b) in zip(processes, cuts, strict=True)]


def _names(scenario: Any) -> dict[str, tuple[str, str]]:
    tables = ((scenario.table("cities"), "city_code"), (scenario.table("counties"), "county_code"))
    return {r[key]: (r["name_zh"], r["name_en"]) for t, key in tables for r in t.to_dict("records")}


def _tested(figures: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The second half of the futures: those that no rule was fitted to."""
    return figures[len(figures) // 2 :]


def _target(case: Case, short: Short | None, studies: Sequence[Study]) -> Row:
    told: Row = {
        "total": case.total,
        "status": "divided" if short is None else "short",
        "capacity": int(case.cities.upper.sum()),
        "done": int(case.cities.lower.sum()),
        "expected": float(case.cities.present.sum()) if case.figures is not None else nan,
        "missing": 0 if short is None else short.missing,
    }
    for lang in LANGUAGES:
        told[f"note_capacity_{lang}"] = text(f"allocate.capacity.{case.capacity_key}", lang)
        told[f"note_need_{lang}"] = text(f"allocate.need.{case.need_key}", lang)
        said = ""
        if short is not None:
            words = {
                "total": f"{short.total:,}",
                "possible": f"{short.possible:,}",
                "missing": f"{abs(short.missing):,}",
            }
            key = "short" if short.missing > 0 else "passed"
            said = text(f"allocate.conflict.{key}", lang, unit=case.row["unit_zh" if lang == "zh" else "unit"], **words)
        elif case.figures is None:
            said = text("allocate.untested", lang)
        told[f"why_{lang}"] = said
    study = next((s for s in studies if case.target.outcome in s.process.outcomes), None)
    if study is not None:
        met = _tested(margins(case.target, study.base[case.target.outcome], study.process.years)) >= 0
        low, high = clopper_pearson(int(met.sum()), len(met))
        told |= {
            "p_province": float(met.mean()),
            "p_province_low": low,
            "p_province_high": high,
            "replications": len(met),
        }
    return told


def _divide(case: Case, asked: Asked) -> dict[str, tuple[dict[str, int], dict[str, dict[str, int]]]]:
    """By rule the part of each city, and of each of its counties."""
    found = {}
    for rule in RULES:
        if rule == CHANCE and case.figures is None:
            continue
        fitted = None if case.figures is None else case.figures[: max(1, len(case.figures) // 2)]
        x = divide(rule, case.cities, case.total, asked.mix, fitted)
        parts = {c: int(v) for c, v in zip(case.cities.codes, x, strict=True)}
        found[rule] = parts, counties_of_cities(parts, case.counties, rule, asked.mix)
    return found


def _moved(divided: Mapping[str, tuple[dict[str, int], Any]], rule: str) -> int:
    """Units that lie elsewhere than by capacity: half the sum of absolute differences."""
    first = divided[RULES[0]][0]
    return sum(abs(v - first[c]) for c, v in divided[rule][0].items()) // 2


def _cities(
    case: Case, rule: str, parts: Mapping[str, int], names: Mapping[str, tuple[str, str]]
) -> tuple[list[Row], Row]:
    """The rows of a rule's cities, and what the rule comes to."""
    places = case.cities
    x = np.array([parts[c] for c in places.codes], dtype=np.int64)
    burden = burdens(x, places)
    met = None if case.figures is None else _tested(case.figures) >= x[None, :] * (1 - 1e-9)
    rows = []
    for k, code in enumerate(places.codes):
        told: Row = {
            "rule": rule, "city_code": code, "area_code": code, "area_zh": names[code][0],
                    "area_en": names[code][1],
            "done": int(places.lower[k]), "capacity": int(places.upper[k]), "need": float(places.need[k]),
            "expected": float(places.present[k]) if case.figures is not None else nan,
            "allotted": int(x[k]), "share": x[k] / case.total if case.total else nan, "burden": float(burden[k]),
            "per_need": x[k] / places.need[k] if places.need[k] > 0 else nan,
        }  # fmt: skip
        if met is not None:
            low, high = clopper_pearson(int(met[:, k].sum()), len(met))
            told |= {"p_meet": float(met[:, k].mean()), "p_low": low, "p_high": high, "replications": len(met)}
        rows.append(told)
    with np.errstate(invalid="ignore", divide="ignore"):
        per = np.where(places.need > 0, x / places.need, np.nan)
    open_ = places.upper > 0
    summary: Row = {
        "rule": rule, "total": int(x.sum()), "burden_lowest": _least(burden[open_]),
        "burden_highest": -_least(-burden[open_]),
        "per_need_lowest": _least(per), "per_need_highest": -_least(-per),
    }  # fmt: skip
    if met is not None:
        every: np.ndarray[Any, Any] = np.asarray(met.all(axis=1))
        low, high = clopper_pearson(int(every.sum()), len(every))
        worst = int(np.argmin(met.mean(axis=0)))
        summary |= {
            "p_all": float(every.mean()), "p_all_low": low, "p_all_high": high,
            "p_lowest": float(met.mean(axis=0)[worst]),
            "lowest_zh": names[places.codes[worst]][0], "lowest_en": names[places.codes[worst]][1],
            "replications": len(every),
        }  # fmt: skip
    return rows, summary


def _least(values: np.ndarray[Any, Any]) -> float:
    known = values[~np.isnan(values)]
    return float(known.min()) if len(known) else nan


def _counties(
    case: Case, rule: str, parts: Mapping[str, Mapping[str, int]], names: Mapping[str, tuple[str, str]]
) -> list[Row]:
    rows = []
    for city, places in case.counties.items():
        x = np.array([parts[city][c] for c in places.codes], dtype=np.int64)
        burden = burdens(x, places)
        for k, code in enumerate(places.codes):
            rows.append(
                {
                    "rule": rule, "city_code": city, "area_code": code, "area_zh": names[code][0],
                    "area_en": names[code][1],
                    "done": int(places.lower[k]), "capacity": int(places.upper[k]), "need": float(places.need[k]),
                    "expected": nan, "allotted": int(x[k]), "share": x[k] / case.total if case.total else nan,
                    "burden": float(burden[k]), "per_need": x[k] / places.need[k] if places.need[k] > 0 else nan,
                }
            )  # fmt: skip
    return rows


def _repairs(head: Row, case: Case, short: Short, names: Mapping[str, tuple[str, str]]) -> list[Row]:
    places = case.cities
    at = {c: k for k, c in enumerate(places.codes)}
    return [
        {
            **head, "area_code": c, "area_zh": names[c][0], "area_en": names[c][1], "add": n,
            "capacity": int(places.upper[at[c]]), "need": float(places.need[at[c]]),
        }
        for c, n in short.add.items()
    ]  # fmt: skip


def _milestones(
    row: pd.Series, parts: Mapping[str, int], below: Mapping[str, Mapping[str, int]], case: Case
) -> pd.DataFrame:
    """Milestones of cities and counties by the rule of the province's (:mod:`zjsim.synthesis.tracking`).

    The last quarter of each period holds the part itself, so that the parts of all places add up to the target there;
    the baseline of the province, which no place is known to have a part of, is left out.
    """
    tables = []
    areas = {**parts, **{c: n for own in below.values() for c, n in own.items()}}
    for code, part in sorted(areas.items()):
        if not part:
            continue
        own = pd.DataFrame([row]).assign(bound=float(part), baseline=np.nan)
        tables.append(milestones(own).assign(area_code=code, basis="assumption", source_id="method_milestones"))
    found: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return found[list(MILESTONE_COLUMNS)]
