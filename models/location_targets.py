"""What targets ask of the location plans: how many openings they want, how far a plan comes, what stands in the way.

A target that counts new openings of a kind (M015, M049) becomes a goal of its theme, by default after the need is met:
it never buys openings that would not be worth it. Where the plan falls short, the same rules are asked for the whole
number at once: either they cannot give it, and the conflict and its cheapest repair are told, or only the need, which
comes first, stands in the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd
import pyomo.environ as pyo
from zjsim.models.location_openings import PLAN_TABLES
from zjsim.models.location_rules import LocationData, build_location_model

from zjsim.scenario.quarters import PROVINCE, quarters_until
from zjsim.solve.conflicts import Requirement
from zjsim.solve.goals import Goal, lexicographic
from zjsim.solve.matrix import total
from zjsim.solve.options import Options
from zjsim.solve.results import Infeasible, Stopped
from zjsim.texts import LANGUAGES, text


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the default reading of a target asks of a kind, in facilities.

    ``number`` is the target's; ``opened_before`` were opened since the plan's start up to the as-of date (registry
    ``actuals``; quarters that it does not give count as none); ``under_way`` are openings expected of projects begun
    before that date; ``planned`` is how many the plan must begin so that the number is expected, after failures:
    ceil((number - opened before - under way) / chance).
    """

    target_id: str
    number: float
    under_way: float
    chance: float
    planned: int
    opened_before: float = 0.0


def wanted_openings(tables: Mapping[str, pd.DataFrame], as_of: date) -> dict[str, Wanted]:
    """Kind → what a cumulative target on new openings of its programme wants; most kinds have no such target (M015)."""
    actuals = tables["actuals"]
    actuals = actuals[actuals["quarter"].isin(quarters_until(as_of)) & (actuals["area_code"] == PROVINCE)]
    before = actuals.groupby("outcome")["value"].sum()
    value = {
        r["parameter_id"]: float(r["mode"])
        for name in ("process_parameters", "programme_parameters", "location_parameters")
        for r in tables[name].to_dict("records")
    }
    programmes = {r["programme_id"]: r for r in tables["programmes"].to_dict("records")}
    targets = tables["targets"]
    asked = targets[targets["is_default"] & (targets["period"] == "cumulative") & (targets["outcome"] != "")]
    found = {}
    for kind in tables["location_kinds"].sort_values("kind").to_dict("records"):
        programme = programmes.get(kind["programme_id"])
        rows = asked[asked["outcome"] == programme["outcome_new"]] if programme else asked.iloc[:0]
        if programme is None or not len(rows):
            continue
        chance = 1 - value[kind["failure_parameter"]]
        begun = 0.0
        if programme["mechanism"] == "pipeline":
            closures = value[programme["closure_parameter"]] * float(programme["historic_mean_stock"])
            begun = (value[programme["pace_parameter"]] + closures) * value[kind["setup_parameter"]] / 12
        number = float(rows["bound"].iloc[0])
        opened = float(before.get(programme["outcome_new"], 0.0))
        planned = max(0, math.ceil((number - opened - begun) / chance - 1e-9))
        found[str(kind["kind"])] = Wanted(str(rows["target_id"].iloc[0]), number, begun, chance, planned, opened)
    return found


def shortfall_of(
    data: LocationData,
    kind: str,
    options: Options,
    requirements: Callable[[pyo.ConcreteModel], Sequence[Requirement]],
) -> dict[str, str]:
    """Why a plan begins fewer of ``kind`` than a target wants: why_zh, why_en, repair_zh, repair_en."""
    m = build_location_model(replace(data, wanted={}))
    m.asked = pyo.Constraint(expr=total(m.open[o] for o in m.options if o.kind == kind) >= data.wanted[kind])
    zh, en = (text("locations.targets.asked", lang, number=data.wanted[kind]) for lang in LANGUAGES)
    asked = Requirement("asked", (m.asked,), zh, en, weight=0.0)
    cost = Goal("cost", "minimise", total(data.kinds[o.kind].cost * m.open[o] for o in m.options), "cost points")
    result = lexicographic(m, (cost,), replace(options, relative_gap=1.0), lambda: (asked, *requirements(m)))
    if isinstance(result, Infeasible):
        c = result.conflict
        return {"why_zh": c.zh, "why_en": c.en, "repair_zh": c.repair_zh, "repair_en": c.repair_en}
    key = "not_shown" if isinstance(result, Stopped) else "need_first"
    said = {f"why_{lang}": text(f"locations.targets.{key}", lang) for lang in LANGUAGES}
    return said | {"repair_zh": "", "repair_en": ""}


def target_table(
    plans: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    shortfalls: Mapping[str, dict[str, str]],
    as_of: date,
) -> pd.DataFrame:
    """A row per kind: openings planned against what a target wants, and why they fall short.

    ``wanted`` is how many must be begun so that ``target_number`` is expected, given what was opened before the as-of
    date, what is under way and the chance of failing (modes). ``expected`` are the openings expected of the plan, of
    what is under way and of what was opened before, whatever the delay; ``shortfall`` is in facilities begun.
    """
    wanted = wanted_openings(tables, as_of)
    value = {
        r["parameter_id"]: float(r["mode"])
        for name in ("process_parameters", "location_parameters")
        for r in tables[name].to_dict("records")
    }
    rows = []
    not_asked = {f"why_{lang}": text("locations.targets.not_asked", lang) for lang in LANGUAGES}
    for k in tables["location_kinds"].sort_values("kind").to_dict("records"):
        table = plans[PLAN_TABLES[k["theme"]]]
        planned = int((table["kind"] == k["kind"]).sum())
        asked = wanted.get(k["kind"])
        chance = 1 - value[k["failure_parameter"]]
        short = max(0, asked.planned - planned) if asked else 0
        said: dict[str, Any] = dict.fromkeys(("why_zh", "why_en", "repair_zh", "repair_en"), "")
        rows.append(
            {
                "kind": k["kind"],
                "kind_zh": k["name_zh"],
                "kind_en": k["name_en"],
                "target_id": asked.target_id if asked else "",
                "target_number": asked.number if asked else float("nan"),
                "opened_before": asked.opened_before if asked else float("nan"),
                "under_way": round(asked.under_way, 1) if asked else float("nan"),
                "wanted": float(asked.planned) if asked else float("nan"),
                "planned": planned,
                "expected": round(planned * chance + (asked.under_way + asked.opened_before if asked else 0.0), 1),
                "shortfall": short,
                **(said | (dict(shortfalls.get(k["kind"], not_asked)) if short else {})),
            }
        )
    return pd.DataFrame(rows)
